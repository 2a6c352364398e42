# SPDX-License-Identifier: MIT
# Rows of goodput.guest as a table: Mbit/s of the kernel's sockets among themselves,
# and what of it remains with ustack at one end: the mean of the runs' ratios and
# its 95 % interval. A cell fails if all of the interval is below 0.9.
BEGIN {
	# Student's t, two-sided, by degrees of freedom
	split("12.71 4.30 3.18 2.78 2.57 2.45 2.36 2.31 2.26", t, " ")
}

{
	cell = $1 " " $2 " " $3
	if (!(cell in seen)) {
		seen[cell] = ++cells
		name[cells] = cell
	}
	time[cell, $4, $5] = $6
	if ($5 > runs)
		runs = $5
}

function ratio(cell, who,    i, r, sum, square, deviation, half) {
	for (i = 1; i <= runs; i++) {
		r = time[cell, "kernel-kernel", i] / time[cell, who, i]
		sum += r
		square += r * r
	}
	sum /= runs
	deviation = square / runs - sum * sum
	deviation = deviation > 0 ? sqrt(deviation * runs / (runs - 1)) : 0
	half = t[runs - 1] * deviation / sqrt(runs)
	if (sum + half < 0.9)
		failed++
	return sprintf("%5.2f +- %4.2f%s", sum, half, sum + half < 0.9 ? " FAILED" : "")
}

function rate(cell,    i, sum) {
	for (i = 1; i <= runs; i++)
		sum += bytes * 8 / time[cell, "kernel-kernel", i] / 1e6
	return sum / runs
}

END {
	print "loss %  delay ms  reorder %   kernel Mbit/s   ustack sends     ustack receives"
	for (c = 1; c <= cells; c++) {
		split(name[c], p, " ")
		printf "%6s  %8s  %9s   %13.1f   %-14s   %s\n", p[1], p[2], p[3], \
			rate(name[c]), ratio(name[c], "ustack-kernel"), ratio(name[c], "kernel-ustack")
	}
	printf "%d of %d ratios are below 0.9\n", failed, 2 * cells
	exit failed > 0 || cells == 0
}
