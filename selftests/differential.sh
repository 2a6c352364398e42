#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Random scripts of calls and of what the wire does, for ustack and for the kernel's
# TCP: the same has to come of them (selftests/differential/differential.c, which is
# built with the library; so this is a script). Arguments are passed on. No channel is
# there, so a debug kernel would see nothing of ours.
set -u

if [ "${NETCHANNEL_KERNEL-}" = debug ]; then
	printf '%s\n' "TAP version 13" 1..1 "ok 1 scripts # SKIP nothing in them is the module's"
	exit
fi
modprobe -qa tun	# built into some kernels
exec differential "$@"
