# SPDX-License-Identifier: MIT
# Rows of bench-vm's results as a table: the best of the kernel's variants for each
# workload and path, and the ratio of the others to it. Of a row that is there twice,
# the last one counts.
BEGIN {
	FS = "\t"
	columns = split("ustack-kernel+late kernel-ustack+late ustack-ustack+late " \
			"ustack-kernel+early kernel-ustack+early ustack-ustack+early", setup, " ")
}

$2 ~ /^(kernel|ustack)-(kernel|ustack)\+.*@/ {
	split($2, part, "@")
	line = $1 "\t" part[2] "\t" $3
	if (!(line in seen)) {
		seen[line] = ++lines
		name[lines] = line
	}
	variant = part[1]
	sub(/\+plain$/, "", variant)
	cost[line, variant] = $5
	if (variant ~ /^kernel-kernel/) {
		sub(/^kernel-kernel\+?/, "", variant)
		own[line, variant == "" ? "plain" : variant] = $5
	}
}

function best(line,    key, part) {
	least = 0
	for (key in own) {
		split(key, part, SUBSEP)
		if (part[1] == line && (!least || own[key] < least)) {
			least = own[key]
			how = part[2]
		}
	}
	return least
}

END {
	printf "%-17s %-10s %-9s %10s ", "", "", "kernel's", ""
	print "|  late: u-k   k-u   u-u | early: u-k   k-u   u-u"
	for (l = 1; l <= lines; l++) {
		split(name[l], part, "\t")
		best(name[l])
		printf "%-17s %-10s %-9s %10.1f ", part[1], part[2], how, least
		for (c = 1; c <= columns; c++) {
			value = cost[name[l], setup[c]]
			printf "%s%6s", c == 1 ? "|     " : c == 4 ? " |     " : "", \
				value && least ? sprintf("%.2f", value / least) : "-"
		}
		print ""
	}
}
