#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# TCP options, as agreed with the kernel's sockets: each of the 32 settings of the
# kernel's sysctls for timestamps, SACK, window scaling, ECN and Fast Open. Which end
# connects is the setting's parity, and on 6.12 the other end: all pairs of values are
# tried on either kernel, and on both together all settings either way. A file goes over
# two connections, of which the second one can bring data with its SYN; now and then a
# packet is lost, though no SYN. What was agreed to is read from the SYNs and from the
# kernel's counters.
# Arguments: settings to try, as 10011.
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

work=$(mktemp -d)
file=$work/file
size=262144
port=3000

# --- settings: a digit each

timestamps() { echo "${setting:0:1}"; }
sack() { echo "${setting:1:1}"; }
scaling() { echo "${setting:2:1}"; }
ecn() { echo "${setting:3:1}"; }
fast_open() { echo "${setting:4:1}"; }

# The debug kernel has time for two of them, each end once.
settings() {
	if [ $# -gt 0 ]; then
		printf '%s\n' "$@"
	elif [ "${NETCHANNEL_KERNEL-}" = debug ]; then
		printf '%s\n' 11111 00000
	else
		printf '%s\n' {0,1}{0,1}{0,1}{0,1}{0,1}
	fi
}

# Sets "connects" and "family". The first three digits choose the family, so that it
# stands beside both values of each digit, and beside both ends.
choose() {
	local sum=0

	[ "${NETCHANNEL_KERNEL-}" != 6.12 ] || sum=1
	sum=$((sum + $(timestamps) + $(sack) + $(scaling)))
	[ $((sum % 2)) = 0 ] && family=4 || family=6
	sum=$((sum + $(ecn) + $(fast_open)))
	[ $((sum % 2)) = 0 ] && connects=stack || connects=kernel
}

configure() {
	in_peer sysctl -qw net.ipv4.tcp_timestamps="$(timestamps)" \
		net.ipv4.tcp_sack="$(sack)" net.ipv4.tcp_window_scaling="$(scaling)" \
		net.ipv4.tcp_ecn="$(ecn)" net.ipv4.tcp_fastopen=$(($(fast_open) * 3)) &&
		ip -n peer tcp_metrics flush all
}

# --- the network

# Each fortieth packet that is no SYN is lost, either way, at the receiver, since TCP
# hears of what its own machine drops. Packets as on a wire: of a super-segment all
# would be lost. The debug kernel cannot count so.
lose() {
	local space

	for space in app peer; do
		ip netns exec $space ethtool -K eth0 gso off tso off gro off || return
		[ "${NETCHANNEL_KERNEL-}" != debug ] || continue
		ip netns exec $space nft -f - <<-end || return
			table inet path {
				chain in {
					type filter hook prerouting priority 0
					tcp flags & syn == 0 numgen inc mod 40 == 7 drop
				}
			}
		end
	done
}

watch() {
	in_peer tcpdump -Z root -l --immediate-mode -nn -i eth0 \
		'tcp[13] & 2 != 0 or (ip6[6] = 6 and ip6[53] & 2 != 0)' \
		>"$work/syns" 2>"$work/tcpdump.err" &
	watcher=$!
	wait_for holds "$work/tcpdump.err" 'listening on'
}

# --- what was agreed to

# Sets syn[] and syn_ack[], of this row's connections; fails unless both are there.
look() {
	local line

	syn=() syn_ack=()
	while read -r line; do
		case $line in
		*".$port > "*"Flags [S."*)	syn_ack+=("$line") ;;
		*".$port: Flags [S"*)		syn+=("$line") ;;
		esac
	done <"$work/syns"
	[ ${#syn_ack[@]} -ge 2 ]
}

has() {
	[[ $1 == *"$2"* ]] && echo 1 || echo 0
}

# As a setting is written.
options() {
	local ecn

	ecn=$(($(has "$1" '[SEW]') + $(has "$1" '[S.E]')))
	echo "$(has "$1" 'TS val')$(has "$1" sackOK)$(has "$1" wscale)$ecn$(has "$1" tfo)"
}

# expect WHAT LINE OPTIONS
expect() {
	[ "$(options "$2")" = "$3" ] && return
	echo "$1 has $(options "$2"), not $3: $2"
	return 1
}

# Of TcpExt.
peer_count() {
	local name value i

	while read -ra name && read -ra value; do
		for i in "${!name[@]}"; do
			[ "${name[0]} ${name[i]}" != "TcpExt: $1" ] || echo "${value[i]}"
		done
	done <"/proc/${resident[peer]}/net/netstat"
}

# expect_count NAME BEFORE MORE
expect_count() {
	local more=$(($(peer_count "$1") - $2))

	[ $more = "$3" ] && return
	echo "the kernel counts $more $1, not $3"
	return 1
}

# What ustack asks for is all there is; the kernel asks for what it is set to.
agreed() {
	local syn syn_ack asked=11111 early=0

	wait_for look || return
	[ "$connects" = stack ] || asked=$setting
	expect SYN "${syn[0]}" "$asked" && expect SYN-ACK "${syn_ack[0]}" "$setting" || return
	[[ ${syn[1]} == *'length 0' ]] || early=1
	[ $early = "$(fast_open)" ] && return
	echo "data with the second SYN: $early"
	return 1
}

# --- a row

place() {
	local p a

	p=peer$family a=app$family
	stack_address=${!a} kernel_address=${!p}
	[ "$family" = 4 ] && stack_ecn=classic || stack_ecn=accurate
}

run_stack() {
	in_app stack --repeat 2 --fast-open --ecn "$stack_ecn" "$@" 2>"$work/stack.err"
}

# The kernel refuses the option where its sysctl is off.
run_kernel() {
	local fast=

	[ "$(fast_open)" = 0 ] || fast=--fast-open
	in_peer ksock --repeat 2 $fast "$@" 2>"$work/kernel.err"
}

move() {
	local listener=kernel address=$kernel_address pid status=0

	[ "$connects" = stack ] || { listener=stack; address=$stack_address; }
	"run_$listener" -l -s "$address" -S $port --output >"$work/copy" &
	pid=$!
	wait_for holds "$work/$listener.err" waiting &&
		"run_$connects" -d "$address" -D $port --input <"$file" || status=1
	[ $status = 0 ] || kill $pid
	wait $pid && [ $status = 0 ] && cat "$file" "$file" | cmp - "$work/copy"
}

carried() {
	grep -q '^packets: received=[1-9][0-9]* sent=[1-9]' "$work/stack.err" || {
		echo "no packets went through the channel, or not both ways"
		return 1
	}
	[ "$(kernel_opens app)" = 0 ] && [ $(($(kernel_opens peer) - $1)) = 2 ] && return
	echo "the kernel's TCP opened $(kernel_opens app) connections beside the channel," \
		"and $(($(kernel_opens peer) - $1)) at the peer"
	return 1
}

# With SACK, and not without, the kernel's sender mends losses by it.
mended() {
	local by_sack=$(($(peer_count TCPSackRecovery) - $1))

	[ "$connects" = kernel ] && [ "${NETCHANNEL_KERNEL-}" != debug ] || return 0
	[ $((by_sack > 0)) = "$(sack)" ] && return
	echo "the kernel mended $by_sack losses by SACK"
	return 1
}

# row: of a setting, an end that connects, and a family
row() {
	local stack_address kernel_address stack_ecn status=0
	local opens active passive mends early_active early_passive

	place
	rm -f "$work"/{stack,kernel}.err "$work/copy"
	opens=$(kernel_opens peer) mends=$(peer_count TCPSackRecovery)
	active=$(peer_count TCPFastOpenActive) passive=$(peer_count TCPFastOpenPassive)
	early_active=$(fast_open) early_passive=0
	[ "$connects" = kernel ] || { early_active=0; early_passive=$(fast_open); }
	configure && move && carried "$opens" && agreed &&
		expect_count TCPFastOpenActive "$active" "$early_active" &&
		expect_count TCPFastOpenPassive "$passive" "$early_passive" &&
		mended "$mends" || status=1
	[ $status = 0 ] || cat "$work"/{stack,kernel}.err <(grep -F ".$port" "$work/syns")
	return $status
}

head -c $size /dev/urandom >"$file"
settings "$@" >"$work/settings"
plan "$(wc -l <"$work/settings")"
if ! { pair_create && lose && watch; }; then
	cat "$work"/*.err
	exit 1
fi
while read -r setting; do
	choose
	point "timestamps, SACK, scaling, ECN, Fast Open $setting: $connects connects, IPv$family" row
	port=$((port + 1))
done <"$work/settings"
kill "$watcher"
pair_destroy
rm -rf "$work"
finish
