# SPDX-License-Identifier: GPL-2.0
# TAP for shell tests: plan N, then ok or not ok for each point.

points=0
failures=0
point_log=$(mktemp)

plan() {
	echo "TAP version 13"
	echo "1..$1"
}

# point DESCRIPTION COMMAND...: what the command prints is shown if it fails.
point() {
	local description=$1
	shift

	points=$((points + 1))
	if ("$@") >"$point_log" 2>&1 </dev/null; then
		echo "ok $points $description"
	else
		echo "not ok $points $description"
		sed 's/^/# /' "$point_log" | tail -n 40
		failures=$((failures + 1))
	fi
}

# The exit status of the test, as kselftest has it.
finish() {
	rm -f "$point_log"
	echo "# $points run, $failures failed"
	exit $((failures > 0))
}
