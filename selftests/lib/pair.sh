# SPDX-License-Identifier: GPL-2.0
# Two network namespaces as two machines: "app", where the channels are, and
# "peer", joined by a veth pair; and how to look at what the kernel did there.

app4=10.0.0.1 app6=fd00::1 peer4=10.0.0.2 peer6=fd00::2

in_app() { ip netns exec app "$@"; }
in_peer() { ip netns exec peer "$@"; }

# Of a process in each, whose /proc shows the namespace: to start a program in there
# takes longer in a guest than to read its files.
declare -A resident

reside() {
	ip netns exec "$1" sleep infinity </dev/null >/dev/null 2>&1 &
	resident[$1]=$!
	disown
	wait_for [ "/proc/$!/ns/net" -ef "/run/netns/$1" ]
}

pair_create() {
	ip -batch - <<-end
		netns add app
		netns add peer
		link add eth0 netns app type veth peer name eth0 netns peer
	end
	ip -n app -batch - <<-end
		link set lo up
		addr add $app4/24 dev eth0
		addr add $app6/64 dev eth0 nodad
		link set eth0 up
	end
	ip -n peer -batch - <<-end
		link set lo up
		addr add $peer4/24 dev eth0
		addr add $peer6/64 dev eth0 nodad
		link set eth0 up
	end
	reside app
	reside peer
	wait_for in_app ping -q -c 1 -W 1 $peer4
}

pair_destroy() {
	kill "${resident[@]}"
	ip -batch - <<-end
		netns del app
		netns del peer
	end
}

# Nothing ever comes here: to wait for it is a sleep without a program.
exec {silent}<> <(:)

# Gives up after some twenty seconds.
wait_for() {
	local i

	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return
		read -rt 0.1 -u "$silent" || true
	done
	echo "gave up waiting: $*" >&2
	return 1
}

# holds FILE TEXT: as grep does it.
holds() {
	local content=

	read -rd '' content <"$1" || true
	[[ $content == *"$2"* ]]
}

# Connections that the kernel's own TCP opened in a namespace, either way.
kernel_opens() {
	local field

	while read -ra field; do
		[[ "${field[*]:0:2}" != "Tcp: "[0-9]* ]] || echo $((field[5] + field[6]))
	done <"/proc/${resident[$1]}/net/snmp"
}

# channel_count rx|tx: packets of all channels in the namespace.
channel_count() {
	local name field i sum=0

	{
		read -ra name
		while read -ra field; do
			for i in "${!name[@]}"; do
				[ "${name[i]}" != "$1" ] || sum=$((sum + field[i]))
			done
		done
	} <"/proc/${resident[app]}/net/netchannel"
	echo $sum
}
