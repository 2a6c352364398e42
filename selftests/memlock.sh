#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How large a channel ustack makes where RLIMIT_MEMLOCK counts: with an arena of 4 MiB,
# if it may have that, else as the module finds usual, and if not even that, it says why.
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

errors=$(mktemp)

# unprivileged KIB COMMAND...
unprivileged() {
	local bytes=$(($1 << 10))
	shift

	exec prlimit "--memlock=$bytes:$bytes" setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# KiB of the area that the process $1 has mapped.
mapped() {
	local range

	range=$(sed -n 's/ .*netchannel$//p' "/proc/$1/maps")
	echo $(((0x${range#*-} - 0x${range%-*}) >> 10))
}

# area_within LIMIT MORE_THAN
area_within() {
	local pid size

	: >"$errors"	# here: what runs beside us may do so late
	unprivileged "$1" stack -l -S 1025 2>>"$errors" &
	pid=$!
	if ! wait_for grep -q waiting "$errors"; then
		cat "$errors"
		return 1
	fi
	size=$(mapped $pid)
	kill $pid
	wait $pid
	echo "of $1 KiB it took $size"
	[ "$size" -gt "$2" ] && [ "$size" -le "$1" ]
}

too_little() {
	(unprivileged 4096 stack -l -S 1025 2>"$errors") && return 1
	cat "$errors"
	grep -q 'ulimit -l' "$errors"
}

plan 3
point "within 8 MiB: a larger arena than usual" area_within 8192 5120
point "within 5 MiB: the usual one" area_within 5120 4096
point "within 4 MiB: nothing, and the remedy is named" too_little
rm -f "$errors"
finish
