# SPDX-License-Identifier: MIT
# Rows of bench-vm's results as a table: for each workload and path the best of the
# kernel's variants, and the ratio of each other set-up's best to it. Messages that the
# application gathered and parted itself (gather) stand apart. Of a row that is there
# twice, the last one counts; times, of bench-smp, do not. -v series=FILE: the ratios go
# there, too, for a plot.
BEGIN {
	FS = "\t"
	columns = split("ustack-kernel+late kernel-ustack+late ustack-ustack+late " \
			"ustack-kernel+early kernel-ustack+early ustack-ustack+early", setup, " ")
}

$2 ~ /^(kernel|ustack)-(kernel|ustack)\+.*@/ && $4 != "ns" {
	split($2, part, "@")
	line = $1 "\t" part[2] "\t" $3
	if (!(line in seen)) {
		seen[line] = ++lines
		name[lines] = line
	}
	cost[line, part[1]] = $5
}

# The least of @who's variants; sets "how".
function best(line, who,    key, part, least, variant) {
	least = 0
	how = "-"
	for (key in cost) {
		split(key, part, SUBSEP)
		if (part[1] != line || index(part[2], who "+") != 1)
			continue
		variant = substr(part[2], length(who) + 2)
		if (variant ~ /gather$/ || least && cost[key] >= least)
			continue
		least = cost[key]
		how = variant
	}
	return least
}

END {
	printf "%-17s %-10s %-10s %10s %8s ", "", "", "kernel's", "best", "gather"
	print "|  late: u-k   k-u   u-u | early: u-k   k-u   u-u"
	for (l = 1; l <= lines; l++) {
		split(name[l], part, "\t")
		own = best(name[l], "kernel-kernel")
		gather = cost[name[l], "kernel-kernel+gather"]
		printf "%-17s %-10s %-10s %10.1f %8s ", part[1], part[2], how, own, \
			gather ? sprintf("%.0f", gather) : ""
		for (c = 1; c <= columns; c++) {
			value = best(name[l], setup[c])
			ratio = value && own ? sprintf("%.2f", value / own) : "-"
			printf "%s%6s", c == 1 ? "|     " : c == 4 ? " |     " : "", ratio
			plotted[c] = ratio
		}
		print ""
		if (series && part[2] == "veth")
			print part[1], plotted[4], plotted[5], plotted[6], plotted[3] >series
	}
}
