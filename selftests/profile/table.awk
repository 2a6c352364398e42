# SPDX-License-Identifier: MIT
# Instructions by part and by function, from rows "WHERE ADDRESS KIND ..." in order: of
# KIND 0 is a symbol, NAME and PART; of KIND 1 a block, INSTRUCTIONS. -v value=
# instructions of a message, 0 if all of them are to be told; -v least= the share in %
# below which a function has no line.

# What the compiler made of a function belongs to it.
function plain(name) {
	sub(/\.(cold|part|isra|constprop|lto_priv).*/, "", name)
	return name
}

$1 != where {
	where = $1
	symbol = "? ?"
}

$3 == 0 {
	symbol = plain($4) " " $5
}

$3 == 1 {
	name = where == "other" ? "- other" : symbol
	sum[name] += $4
	total += $4
	split(name, part, " ")
	group[part[2]] += $4
}

END {
	messages = value ? total / value : 1
	for (name in group)
		printf "%d %6.2f %10.1f  %-42s %s\n", 1, 100 * group[name] / total, \
			group[name] / messages, "all of", name
	for (name in sum)
		if (100 * sum[name] / total >= least) {
			split(name, part, " ")
			printf "%d %6.2f %10.1f  %-42s %s\n", 2, 100 * sum[name] / total, \
				sum[name] / messages, part[1], part[2]
		}
	printf "%d %6.2f %10.1f  %-42s %s\n", 0, 100, total / messages, "everything", total
}
