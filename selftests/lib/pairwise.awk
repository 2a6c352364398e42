# SPDX-License-Identifier: GPL-2.0
# Makes a pairwise covering array: every two values of different columns stand
# together in some row, as far as the rules allow it.
#
#	awk -f pairwise.awk transfer.columns >transfer.table
#
# A line of the input is "column NAME VALUE..." or "never NAME=VALUE NAME=VALUE".
# Greedy, without chance: row by row, column by column, the value that covers
# most pairs not yet covered, the first one of equals; a row begins with the
# first pair that is left.

$1 == "column" {
	name[++columns] = $2
	number[$2] = columns
	for (i = 3; i <= NF; i++)
		value[columns, ++values[columns]] = $i
}

$1 == "never" {
	split($2, a, "=")
	split($3, b, "=")
	never[number[a[1]], a[2], number[b[1]], b[2]] = 1
	never[number[b[1]], b[2], number[a[1]], a[2]] = 1
}

# May @v stand in column @c of the row that is being made?
function allowed(c, v,    d) {
	for (d = 1; d <= columns; d++)
		if (row[d] != "" && (c, v, d, row[d]) in never)
			return 0
	return 1
}

function gain(c, v,    d, n) {
	for (d = 1; d <= columns; d++)
		n += row[d] != "" && ((c, v, d, row[d]) in left)
	return n
}

# Pairs of @v that are left at all: values that still have much to do come first.
function wanted(c, v,    d, i, n) {
	for (d = 1; d <= columns; d++)
		if (row[d] == "")
			for (i = 1; i <= values[d]; i++)
				n += (c, v, d, value[d, i]) in left
	return n
}

function choose(c,    i, v, score, best, chosen) {
	best = -1
	for (i = 1; i <= values[c]; i++) {
		v = value[c, i]
		score = gain(c, v) * 1000 + wanted(c, v)
		if (allowed(c, v) && score > best) {
			best = score
			chosen = v
		}
	}
	return chosen
}

function begin_row(    c, i, d, j) {
	for (c = 1; c <= columns; c++)
		for (d = c + 1; d <= columns; d++)
			for (i = 1; i <= values[c]; i++)
				for (j = 1; j <= values[d]; j++)
					if ((c, value[c, i], d, value[d, j]) in left) {
						row[c] = value[c, i]
						row[d] = value[d, j]
						return 1
					}
	return 0
}

function cover(    c, d, line) {
	for (c = 1; c <= columns; c++) {
		line = line (c > 1 ? "\t" : "") row[c]
		for (d = 1; d <= columns; d++)
			delete left[c, row[c], d, row[d]]
	}
	print line
	for (c = 1; c <= columns; c++)
		row[c] = ""
}

END {
	for (c = 1; c <= columns; c++)
		for (d = 1; d <= columns; d++)
			for (i = 1; i <= values[c]; i++)
				for (j = 1; j <= values[d]; j++)
					if (c != d && !((c, value[c, i], d, value[d, j]) in never))
						left[c, value[c, i], d, value[d, j]] = 1
	print "# SPDX-License-Identifier: GPL-2.0"
	printf "#"
	for (c = 1; c <= columns; c++)
		printf "%s%s", (c > 1 ? "\t" : ""), name[c]
	print ""
	while (begin_row()) {
		for (c = 1; c <= columns; c++)
			if (row[c] == "")
				row[c] = choose(c)
		cover()
	}
}
