# SPDX-License-Identifier: MIT
# Rows of bench-smp and bench-host, each of which is there once for each of its turns, as
# a table: the best of the kernel's variants by its median, and for each of ustack's its
# median and the ratios of its turns to those of that one.
BEGIN { FS = "\t" }

$4 == "ns" {
	if (!($1 in seen)) {
		seen[$1] = ++workloads
		workload[workloads] = $1
	}
	row = $1 "\t" $2
	if (!turns[row]++)
		variant[$1, ++variants[$1]] = $2
	value[row, turns[row]] = $5
}

# The middle, and "least" and "most", of list[1..n].
function median(list, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
			t = list[j]
			list[j] = list[j - 1]
			list[j - 1] = t
		}
	least = list[1]
	most = list[n]
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function middle(row,    i, list) {
	for (i = 1; i <= turns[row]; i++)
		list[i] = value[row, i]
	return median(list, turns[row])
}

function ratios(row, best,    i, list) {
	for (i = 1; i <= turns[row]; i++)
		list[i] = value[row, i] / value[best, i]
	return median(list, turns[row])
}

END {
	printf "%-17s %-28s %12s  %s\n", "workload", "variant", "ns", "ratio (least .. most)"
	for (w = 1; w <= workloads; w++) {
		name = workload[w]
		best = ""
		for (v = 1; v <= variants[name]; v++) {
			row = name "\t" variant[name, v]
			if (variant[name, v] ~ /^kernel-kernel/ &&
			    (best == "" || middle(row) < middle(best)))
				best = row
		}
		for (v = 1; v <= variants[name]; v++) {
			row = name "\t" variant[name, v]
			time = middle(row)
			ratio = ratios(row, best)
			printf "%-17s %-28s %12.0f  %s\n", name, variant[name, v], time, \
				row == best ? "the kernel's best" : \
				sprintf("%.2f (%.2f .. %.2f)", ratio, least, most)
		}
	}
}
