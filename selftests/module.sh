#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module comes and goes with its device, and stays while a file is open.
# Found loaded, and left so.

ko=${NETCHANNEL_KO:-/netchannel/netchannel.ko}
number=0
failed=0

check() {
	number=$((number + 1))
	description=$1
	shift
	if "$@" 2>/dev/null; then
		echo "ok $number $description"
	else
		echo "not ok $number $description"
		failed=1
	fi
}

# One command, so that ! can be an argument.
fails() {
	! "$@"
}

load() {
	insmod "$ko" || modprobe netchannel
}

# A subshell holds the file: rmmod's own descriptors are not ours.
refused_while_open() {
	(exec 3<>/dev/netchannel && fails rmmod netchannel)
}

reload() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmmod netchannel && load || return
	done
}

echo "TAP version 13"
echo "1..7"
check "loaded: the device is there" test -c /dev/netchannel
check "loaded: /proc/net/netchannel is there" test -r /proc/net/netchannel
check "rmmod is refused while a channel is open" refused_while_open
check "rmmod works once it is closed" rmmod netchannel
check "unloaded: the device is gone" fails test -e /dev/netchannel
check "loads again" load
check "unloads and loads ten times" reload
exit $failed
