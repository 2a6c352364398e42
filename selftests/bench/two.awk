# SPDX-License-Identifier: MIT
# Rows of bench-two as a table: what either end costs, and the ratio to the least that a
# kernel's socket costs at that end when the other is one, too.
BEGIN { FS = "\t" }

$2 ~ /:/ {
	split($2, part, ":")
	setup = part[2]
	sub(/@.*/, "", setup)
	row = $1 "\t" setup
	if (!(row in seen)) {
		seen[row] = ++rows
		name[rows] = row
	}
	cost[row, part[1]] = $5
	workload = $1
	sub(/-lent$/, "", workload)
	of[row] = workload
	if (setup ~ /^kernel-kernel/ && (!((workload, part[1]) in best) || $5 < best[workload, part[1]]))
		best[workload, part[1]] = $5
}

function tell(row, end) {
	return sprintf("%11.0f %5s", cost[row, end], best[of[row], end] ? \
		       sprintf("%.2f", cost[row, end] / best[of[row], end]) : "-")
}

END {
	printf "%-15s %-30s %17s %17s\n", "", "", "client", "server"
	for (r = 1; r <= rows; r++) {
		split(name[r], part, "\t")
		printf "%-15s %-30s %s %s\n", part[1], part[2], tell(name[r], "client"), tell(name[r], "server")
	}
}
