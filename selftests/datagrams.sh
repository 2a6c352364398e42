#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Datagrams that leave as one packet, end to end: those that come are the ones that were
# sent, one by one, between ustack on channels and the kernel's sockets. vbench compares
# the length of each datagram that is read alone, and every byte, and each window of 256
# is answered only when all of it came.  So between packet sockets, whose packets carry many
# datagrams since Linux 6.2.
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

port=5000

# exchange CLIENT SERVER HOOK VARIANT [-lent]
exchange() {
	local link=(--hook "$3" --address $peer4)

	[ "$3" != packet ] || link=(--link packet --source 10.0.0.11 --address 10.0.0.12)
	timeout 300 ip netns exec app vbench --client "$1" --server "$2" --variant "$4" \
		--runs 1 --space peer --device eth0 --port "$port" "${link[@]}" "udp-stream-128${5-}"
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
old=
[[ $(uname -r) != 6.1.* ]] || old=1
plan "$([ "$old" ] && echo 12 || echo 13)"
pair_create
for hook in late early; do
	point "$hook: USTACK_MSG_BATCH, received by the kernel" merged ustack kernel $hook batch
	point "$hook: USTACK_MSG_BATCH, received by ustack" merged ustack ustack $hook batch
	port=$((port + 1))
	point "$hook: UDP_SEGMENT of the kernel, received by ustack" \
		merged kernel ustack $hook segment
	point "$hook: UDP_SEGMENT with sendmmsg" merged ustack ustack $hook segment+mmsg
	port=$((port + 1))
	point "$hook: UDP_SEGMENT, in memory that is lent" \
		merged ustack ustack $hook segment+mmsg -lent
	port=$((port + 1))
done
how=${old:+exchange}
point "packet sockets: USTACK_MSG_BATCH" "${how:-merged}" ustack ustack packet batch
point "packet sockets: UDP_SEGMENT" "${how:-merged}" ustack ustack packet segment
# A packet socket of 6.1 refuses to tell of such a packet.
[ "$old" ] || point "packet sockets: UDP_SEGMENT of the kernel" merged kernel ustack packet segment
pair_destroy
finish
