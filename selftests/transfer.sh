#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Files through ustack on a channel to and from the kernel's sockets, compared
# byte by byte. Rows are lib/transfer.table, a pairwise covering array (see
# lib/pairwise.awk), and lib/transfer.always. Each one sees the channel's packet
# counters rise, and the kernel's TCP open connections for the kernel's end only:
# nothing can fall back in silence. Arguments: numbers of rows to run.
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

work=$(mktemp -d)
port=2000

# A datagram has 1 KiB of the file, so much less of it is as many packets.
case ${NETCHANNEL_KERNEL-} in
debug)	big=1M big_udp=1M ;;
*)	big=64M big_udp=8M ;;
esac

make_files() {
	: >"$work/0"
	printf x >"$work/1"
	head -c 64M /dev/urandom >"$work/full"
	head -c $big "$work/full" >"$work/big"
	head -c $big_udp "$work/full" >"$work/big-udp"
}

# Offloads and impairment of every device that the packets cross.
shape() {
	local space dev=eth0 netem

	[ "$path" = lo ] && dev=lo
	case $netem_kind in
	loss)	 netem="loss 1%" ;;
	delay)	 netem="delay 5ms" ;;
	reorder) netem="delay 1ms reorder 99%" ;;
	*)	 netem= ;;
	esac
	for space in app peer; do
		case $offload in
		off) ip netns exec $space ethtool -K $dev gso off tso off gro off || return ;;
		gro) ip netns exec $space ethtool -K $dev gso off tso off gro on || return ;;
		esac
		# shellcheck disable=SC2086
		[ -z "$netem" ] ||
			tc -n $space qdisc add dev $dev root netem limit 20000 $netem || return
	done
}

# Where the two ends are. On the loopback both are on one machine.
place() {
	local a="app$family" p="peer$family"

	stack_address=${!a} kernel_address=${!p} kernel_space=peer
	[ "$path" = veth ] && return
	kernel_space=app
	[ "$family" = 4 ] && stack_address=127.0.0.1 || stack_address=::1
	kernel_address=$stack_address
}

# Bytes of a message, of which the file has a whole number: a sender waits for the
# rest of one as long as its input is open. In large ones a debug kernel takes the
# largest file, too.
message() {
	case ${file##*/}:$protocol in
	1:*)	echo 1 ;;
	*:udp)	echo 1024 ;;
	full:*)	echo 65536 ;;
	*)	echo 4096 ;;
	esac
}

# arguments SIDE: of stack or ksock, for its role in this row.
arguments() {
	local here there

	here=$stack_address there=$kernel_address
	[ "$1" = stack ] || here=$kernel_address there=$stack_address
	[ "$1$listens" != stackany ] || here=::
	echo "-p $protocol -b $(message)"
	if [ "$connects" = "$1" ]; then
		echo "-d $there -D $port"
	else
		echo "-l -s $here -S $port"
	fi
	[ "$sender" = "$connects" ] || echo "--reverse"
	[ "$sender" = "$1" ] && echo "--input" || echo "--output"
	# Nobody holds a sender of datagrams back but itself.
	[ "$sender$protocol" != "$1udp" ] || echo "--rate 100M"
	[ "$1" = kernel ] || echo "--hook $hook $in_place"
}

run_stack() {
	# shellcheck disable=SC2046
	exec ip netns exec app stack $(arguments stack)
}

run_kernel() {
	# shellcheck disable=SC2046
	exec ip netns exec "$kernel_space" ksock $(arguments kernel)
}

# The input stays open behind the file until the counters were looked at, since
# the channel goes when its program ends.
feed() {
	cat "$file"
	wait_for [ -e "$work/looked" ]
}

# start SIDE, as sender or receiver, in the background
start() {
	if [ "$sender" = "$1" ]; then
		feed | "run_$1" 2>"$work/$1.err" &
	else
		"run_$1" >"$work/copy" 2>"$work/$1.err" </dev/null &
	fi
	pids="$pids $!"
}

# What has to be counted by the channel before the end: a direction that carries
# the file carries at least a packet for each 64 KiB.
counters_rose() {
	local rx tx data need=$((size_bytes / 65536 + (size_bytes > 0)))

	rx=$(channel_count rx) tx=$(channel_count tx)
	[ "$sender" = stack ] && data=$tx || data=$rx
	[ "$data" -ge $need ] && [ $((rx + tx)) -gt 0 ]
}

arrived() {
	[ "$(stat -c %s "$work/copy")" = "$size_bytes" ]
}

transfer() {
	local listener=stack pid status=0 opens

	[ "$connects" = stack ] && listener=kernel
	opens=$(kernel_opens app)
	start $listener
	wait_for holds "$work/$listener.err" waiting || return
	start "$connects"
	wait_for counters_rose && wait_for arrived || status=1
	touch "$work/looked"
	for pid in $pids; do
		wait "$pid" || status=1
	done
	[ $status = 0 ] || return
	cmp "$file" "$work/copy" || return
	expect_opens "$opens"
}

# One connection in all if it is TCP, and that is the kernel's end.
expect_opens() {
	local expected=0

	[ "$protocol" = tcp ] && [ "$kernel_space" = app ] && expected=1
	[ $(($(kernel_opens app) - $1)) = $expected ] && return
	echo "the kernel's TCP opened $(($(kernel_opens app) - $1)) connections, not $expected"
	return 1
}

# row PROTOCOL FAMILY SENDER CONNECTS PATH SIZE HOOK OFFLOAD NETEM [in-place | any]
row() {
	local protocol=$1 family=$2 sender=$3 connects=$4 path=$5 hook=$7 offload=$8
	local netem_kind=$9 in_place='' listens='' file=$work/$6 size_bytes pids='' status=0
	local stack_address kernel_address kernel_space

	case ${10-} in
	in-place) in_place=--in-place ;;
	any)	  listens=any ;;
	esac
	[ "$protocol$6" != udpbig ] || file+=-udp
	size_bytes=$(stat -c %s "$file")
	rm -f "$work/looked" "$work/copy" "$work"/*.err
	pair_create && place && shape && transfer || status=1
	[ $status = 0 ] || cat "$work"/*.err
	pair_destroy
	return $status
}

rows() {
	grep -hv '^#' lib/transfer.table lib/transfer.always
}

chosen() {
	if [ $# -gt 0 ]; then
		for n; do rows | sed -n "${n}p"; done
	else
		rows
	fi
}

chosen "$@" >"$work/rows"
make_files
plan "$(wc -l <"$work/rows")"
while read -r line; do
	# shellcheck disable=SC2086
	point "$(echo $line)" row $line
	port=$((port + 1))
done <"$work/rows"
rm -rf "$work"
finish
