# SPDX-License-Identifier: GPL-2.0
# Two network namespaces as two machines: "app", where the channels are, and
# "peer", joined by a veth pair; and how to look at what the kernel did there.

app4=10.0.0.1 app6=fd00::1 peer4=10.0.0.2 peer6=fd00::2

in_app() { ip netns exec app "$@"; }
in_peer() { ip netns exec peer "$@"; }

pair_create() {
	ip netns add app
	ip netns add peer
	ip -n app link set lo up
	ip -n peer link set lo up
	ip link add eth0 netns app type veth peer name eth0 netns peer
	ip -n app addr add $app4/24 dev eth0
	ip -n app addr add $app6/64 dev eth0 nodad
	ip -n peer addr add $peer4/24 dev eth0
	ip -n peer addr add $peer6/64 dev eth0 nodad
	ip -n app link set eth0 up
	ip -n peer link set eth0 up
	wait_for in_app ping -q -c 1 -W 1 $peer4
}

pair_destroy() {
	ip netns del app
	ip netns del peer
}

# Gives up after some twenty seconds.
wait_for() {
	local i

	for i in $(seq 200); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "gave up waiting: $*" >&2
	return 1
}

# Connections that the kernel's own TCP opened in a namespace, either way.
kernel_opens() {
	ip netns exec "$1" awk '/^Tcp: [0-9]/ { print $6 + $7 }' /proc/net/snmp
}

# channel_count rx|tx: packets of all channels in the namespace.
channel_count() {
	in_app awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
		{ sum += $column[name] } END { print sum + 0 }' /proc/net/netchannel
}
