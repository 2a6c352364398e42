#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# relay: one thread that waits for a stack's descriptor among the kernel's. Clients in
# "peer", on the kernel's sockets, reach through it a server that hears only 127.0.0.1 in
# "app"; what they send comes back.
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

work=$(mktemp -d)
file=$work/file
size=3M clients=8
[ "${NETCHANNEL_KERNEL-}" != debug ] || size=256K clients=3

# echo_server ADDRESS: sends back what comes, and the end of it.
echo_server() {
	ip netns exec app socat -t 30 "$1,fork,reuseaddr" EXEC:cat 2>"$work/server.err" &
	echo $! >"$work/server"
}

relay_starts() {
	ip netns exec app relay "$@" 2>"$work/relay.err" &
	echo $! >"$work/relay"
	wait_for holds "$work/relay.err" waiting
}

relay_ends() {
	local pid

	pid=$(cat "$work/relay")
	kill -TERM "$pid" && wait_for gone "$pid" && holds "$work/relay.err" "connections=$1"
}

gone() {
	[ ! -e "/proc/$1" ]
}

# client N ADDRESS: the file there and back.
client() {
	in_peer socat -t 30 - "$2" <"$file" >"$work/copy$1" && cmp "$file" "$work/copy$1"
}

echoes() {
	echo_server "$1" && relay_starts netchannel 80 "$2" 8000 && client 0 "$3" && relay_ends 1
}

many() {
	local i pids='' status=0

	echo_server TCP4-LISTEN:8000,bind=127.0.0.1 && relay_starts netchannel:hook=early 80 127.0.0.1 8000
	for ((i = 0; i < clients; i++)); do
		client $i TCP4:$app4:80 &
		pids+=" $!"
	done
	for i in $pids; do
		wait "$i" || status=1
	done
	[ $status = 0 ] && relay_ends $clients
}

# Ticks of a process.
busy() {
	local field

	read -ra field <"/proc/$1/stat"
	echo $((field[13] + field[14]))
}

# With a connection open, on which nothing happens, nothing is done.
sleeps() {
	local pid before

	echo_server TCP4-LISTEN:8000,bind=127.0.0.1 && relay_starts netchannel 80 127.0.0.1 8000
	sleep 30 | in_peer socat - TCP4:$app4:80 >/dev/null &
	sleep 2
	pid=$(cat "$work/relay")
	before=$(busy "$pid")
	sleep 5
	echo "of 500 ticks: $(($(busy "$pid") - before))"
	[ $(($(busy "$pid") - before)) -le 5 ] && relay_ends 1
}

# Who always has something to send keeps it neither from others nor from ending.
busy_clients() {
	local i pid

	ip netns exec app socat -u TCP4-LISTEN:8000,bind=127.0.0.1,fork,reuseaddr \
		OPEN:/dev/null 2>"$work/server.err" &
	echo $! >"$work/server"
	relay_starts netchannel 80 127.0.0.1 8000
	for ((i = 0; i < 3; i++)); do
		in_peer socat -u OPEN:/dev/zero TCP4:$app4:80 2>/dev/null &
	done
	sleep 1
	pid=$(cat "$work/relay")
	kill -TERM "$pid" && sleep 1 && gone "$pid" && holds "$work/relay.err" connections=3
}

# A server of the kernel's on port 80 has closed its last connection: relay takes its place.
takes_over() {
	echo x | ip netns exec app socat -u - TCP4-LISTEN:80,reuseaddr 2>"$work/server.err" &
	sleep 1
	[ "$(in_peer socat -u TCP4:$app4:80 -)" = x ] && wait $! || return 1
	ip netns exec app grep ':0050 .* 06 ' /proc/net/tcp &&
		echoes TCP4-LISTEN:8000,bind=127.0.0.1 127.0.0.1 TCP4:$app4:80
}

# One that still listens keeps its port, and is named.
stays_out() {
	ip netns exec app socat -u TCP4-LISTEN:80,reuseaddr OPEN:/dev/null 2>"$work/server.err" &
	echo $! >"$work/server"
	sleep 1
	ip netns exec app timeout 5 relay netchannel 80 127.0.0.1 8000 2>"$work/relay.err"
	[ $? = 1 ] && holds "$work/relay.err" 'port 80 is in use'
}

# The server's refusal is the client's reset.  Of one that it reads socat tells with -d only.
refuses() {
	relay_starts netchannel 80 127.0.0.1 8000
	in_peer socat -d -u -T 5 TCP4:$app4:80 - 2>"$work/client.err"
	cat "$work/client.err"
	holds "$work/client.err" reset && relay_ends 1
}

# Who reads what it says is gone when it ends.
ends_unheard() {
	local pid

	ip netns exec app relay netchannel 80 127.0.0.1 8000 2> >(head -n 1 >"$work/relay.err") &
	pid=$!
	echo $pid >"$work/relay"
	wait_for holds "$work/relay.err" waiting && kill -TERM $pid && wait $pid
}

with_pair() {
	local status=0

	rm -f "$work/server" "$work"/*.err
	pair_create && "$@" || status=1
	[ $status = 0 ] || cat "$work"/*.err
	[ ! -e "$work/server" ] || kill "$(cat "$work/server")"
	[ ! -e "/proc/$(cat "$work/relay")" ] || kill -KILL "$(cat "$work/relay")"
	pair_destroy
	return $status
}

head -c $size /dev/urandom >"$file"
plan 9
point "IPv4, there and back, and the end of it" \
	with_pair echoes TCP4-LISTEN:8000,bind=127.0.0.1 127.0.0.1 TCP4:$app4:80
point "IPv6, there and back, and the end of it" \
	with_pair echoes TCP6-LISTEN:8000,bind=[::1] ::1 "TCP6:[$app6]:80"
point "$clients clients at once, EARLY" with_pair many
point "it sleeps while nothing happens" with_pair sleeps
point "clients that never cease: it ends when it is to" with_pair busy_clients
point "it takes a port with TIME-WAIT of the kernel's" with_pair takes_over
point "but not one where a kernel's socket listens" with_pair stays_out
point "it ends as ever when nobody reads what it says" with_pair ends_unheard
point "the server's refusal resets the client" with_pair refuses
rm -rf "$work"
finish
