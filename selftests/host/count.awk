# SPDX-License-Identifier: MIT
# Counts one stage's TAP: awk -v stage=NAME -f count.awk expected-skips NAME.tap
# The results that a test prints itself ("# ok ...") count; of a test without any
# it is its own ("ok ..."). Prints a line for each failure, then "PASSED FAILED
# SKIPPED".

FILENAME ~ /expected-skips$/ {
	if ($0 !~ /^(#|$)/)
		expected[$0] = 1
	next
}

/^# selftests: / {
	close_test()
	test = substr($0, 14)
	open = 1
	next
}

/^# 1\.\.[0-9]+/ { planned += substr($2, 4) }
/^# (not )?ok / { inner++; result(substr($0, 3), test " / ") }

/^(not )?ok / {
	if (!inner)
		result($0, "")
	else if ($1 == "not" && !bad)
		fail(test ": " $0)
	open = 0
	close_test()
}

END {
	close_test()
	if (!(passed + failed + skipped))
		fail("no result at all")
	print passed + 0, failed + 0, skipped + 0
}

function result(line, prefix,	name)
{
	name = line
	sub(/^(not )?ok [0-9]*( -)? ?(selftests: )?/, "", name)
	if (line ~ /^not /) {
		bad++
		fail(prefix name)
	} else if (line ~ /# (SKIP|XFAIL|TODO)/)
		skip(prefix name)
	else
		passed++
}

function skip(name)
{
	if ((stage ": " name) in expected || ("*: " name) in expected)
		skipped++
	else
		fail("unexpected skip: " name)
}

function fail(what)
{
	failed++
	print "FAILED " stage ": " what
}

function close_test()
{
	if (open)
		fail(test ": did not end")
	else if (planned && planned != inner)
		fail(test ": planned " planned " tests, ran " inner)
	open = inner = bad = planned = 0
}
