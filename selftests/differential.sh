#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Random scripts of calls and of what the wire does, for ustack and for the kernel's
# TCP: the same has to come of them (selftests/differential/differential.c, which is
# built with the library; so this is a script). Arguments are passed on.
set -u

case ${NETCHANNEL_KERNEL-} in
debug)	scripts=3 ;;
*)	scripts=50 ;;
esac

modprobe -qa tun	# built into some kernels
exec differential --scripts $scripts "$@"
