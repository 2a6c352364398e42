#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Datagrams that leave as one packet, end to end: those that come are the ones that were
# sent, one by one, between ustack on channels and the kernel's sockets. vbench compares
# the length of each datagram that is read alone, and every byte, and each window of 256
# is answered only when all of it came.
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

port=5000

# exchange CLIENT SERVER HOOK VARIANT
exchange() {
	timeout 300 ip netns exec app vbench --client "$1" --server "$2" --hook "$3" \
		--variant "$4" --runs 1 --space peer --address $peer4 --device eth0 \
		--port "$port" udp-stream-128
}

# Packets that the peer's device received meanwhile are a part of the datagrams.
merged() {
	local before after

	before=$(ip netns exec peer cat /sys/class/net/eth0/statistics/rx_packets)
	exchange "$@" || return
	after=$(ip netns exec peer cat /sys/class/net/eth0/statistics/rx_packets)
	echo "$((after - before)) packets"
	[ $((after - before)) -lt 5000 ]
}

if [ "${NETCHANNEL_KERNEL-}" = debug ]; then
	plan 1
	echo "ok 1 exchange # SKIP the module does in tx.c and offload.c what it does here"
	exit
fi
plan 8
pair_create
for hook in late early; do
	point "$hook: USTACK_MSG_BATCH, received by the kernel" merged ustack kernel $hook batch
	point "$hook: USTACK_MSG_BATCH, received by ustack" merged ustack ustack $hook batch
	port=$((port + 1))
	point "$hook: UDP_SEGMENT of the kernel, received by ustack" \
		merged kernel ustack $hook segment
	point "$hook: UDP_SEGMENT with sendmmsg" merged ustack ustack $hook segment+mmsg
	port=$((port + 1))
done
pair_destroy
finish
