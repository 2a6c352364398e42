# SPDX-License-Identifier: GPL-2.0
# TAP for shell tests: plan N, then ok or not ok for each point.

points=0
failures=0

plan() {
	echo "TAP version 13"
	echo "1..$1"
}

# point DESCRIPTION COMMAND...: what the command prints is shown if it fails.
point() {
	local description=$1 log
	shift

	points=$((points + 1))
	log=$(mktemp)
	if ("$@") >"$log" 2>&1 </dev/null; then
		echo "ok $points $description"
	else
		echo "not ok $points $description"
		sed 's/^/# /' "$log" | tail -n 40
		failures=$((failures + 1))
	fi
	rm -f "$log"
}

# The exit status of the test, as kselftest has it.
finish() {
	echo "# $points run, $failures failed"
	exit $((failures > 0))
}
