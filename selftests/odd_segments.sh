#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Probes that nobody here wrote: nmap -O, hping3, and odd segments made with scapy
# (lib/odd_segments.py). ustack's listener has to live, and to serve somebody after
# them. To each odd segment it answers what the kernel's own listener answers, but for
# what lib/odd_segments.differences lists. ustack is the same beside any kernel, so one
# half of it is tried on 6.1, and the other one on 6.12 (all of it elsewhere).
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

work=$(mktemp -d)
file=$work/file
# Of nobody in the kernel: ustack's on a packet socket, and that of the odd segments.
packet4=10.0.0.77
odd4=10.0.0.66 odd6=fd00::66

# --- a listener, and whether it still serves

# listen ADDRESS ARGUMENT...
listen() {
	address=$1
	shift
	rm -f "$work/stack.err"
	in_app stack -l -s "$address" -S 80 --output "$@" >"$work/copy" 2>"$work/stack.err" &
	listener=$!
	wait_for holds "$work/stack.err" waiting
}

# A peer that does not answer has a point-to-point port for three seconds.
serves() {
	local status=0

	sleep 5
	in_peer ksock -d "${address%/*}" -D 80 --input <"$file" 2>"$work/ksock.err" || status=1
	[ $status = 0 ] || { cat "$work"/*.err; kill $listener; }
	wait $listener && [ $status = 0 ] && cmp "$file" "$work/copy" || return 1
	if [ "$(kernel_opens app)" != 0 ]; then
		echo "the kernel's TCP opened connections beside ustack"
		return 1
	fi
}

# with_pair TEST...: in namespaces of its own.
with_pair() {
	local status=0 mac

	pair_create || return
	mac=$(in_peer cat /sys/class/net/eth0/address)
	ip -n app neigh add $odd4 lladdr "$mac" dev eth0 nud permanent
	ip -n app neigh add $odd6 lladdr "$mac" dev eth0 nud permanent
	in_peer ping -q -c 1 $app6 >/dev/null
	"$@" || status=1
	[ $status = 0 ] || cat "$work"/*.err
	pair_destroy
	return $status
}

# --- nmap

# Ports 80, where ustack listens, and 81, where nobody does.
nmap_probes() {
	local target=$1 family=
	shift

	[[ $target != *:* ]] || family=-6
	# shellcheck disable=SC2086
	listen "$@" && in_peer nmap $family -n -Pn -O -p 80,81 "$target" >"$work/nmap" || return
	grep -q '^80/tcp *open ' "$work/nmap" && grep -q '^81/tcp *closed ' "$work/nmap" || {
		cat "$work/nmap"
		return 1
	}
	serves
}

nmap_channel4() { nmap_probes $app4 $app4; }
nmap_channel6() { nmap_probes $app6 $app6; }
nmap_packet() { nmap_probes $packet4 $packet4/24 --link packet --dev eth0; }

# What it took the machine for, of the test that was last.
fingerprint() {
	grep -E '^(Running|OS details|Aggressive|No exact|Too many|No OS|Network Distance|OS:)' "$work/nmap" |
		sed 's/^/# nmap: /'
}

# --- hping3

# hping ARGUMENT...: what it sends meets no answer, or one that it does not know.
hping() {
	in_peer hping3 -q -n -p 80 -i u500 "$@" $app4 >"$work/hping.err" 2>&1
	grep -q ' packets transmitted' "$work/hping.err"
}

# Each flag, all of them, none; bad sums, lengths and fragments; then very many SYNs,
# also from addresses that do not exist.
hping_probes() {
	listen $app4 "$@" &&
		hping -c 50 && hping -c 50 -F && hping -c 50 -R && hping -c 50 -A &&
		hping -c 50 -U && hping -c 50 -F -P -U && hping -c 50 -F -S -R -P -A -U -X -Y &&
		hping -c 50 -S -F && hping -c 50 -S -R && hping -c 50 -S -A &&
		hping -c 50 -S -b && hping -c 50 -S -O 2 && hping -c 50 -S -O 15 &&
		hping -c 50 -S -w 0 && hping -c 50 -S -d 1000 && hping -c 50 -A -d 1000 &&
		hping -c 50 -S -f -d 200 && hping -c 2000 -S && hping -c 2000 -S --rand-source &&
		serves
}

# --- scapy

# odd ADDRESS PORT PROGRAM: what is answered
odd() {
	in_peer python3 lib/odd_segments.py "$1" "$2" \
		ip netns exec app "$3" -l -s "$1" -S "$2" --output
}

# As lib/odd_segments.differences has them.
differences() {
	paste "$work/kernel" "$work/stack" | awk -F '\t' '$2 FS $3 != $5 FS $6 {
		print $1 "\n\tkernel: " $2 ($3 ? ", " $3 : "") "\n\tustack: " $5 ($6 ? ", " $6 : "")
	}'
}

# Those are the differences of the list, all of them.
scapy_probes() {
	local other='behind destination options'

	odd "$1" 80 stack >"$work/stack" 2>"$work/odd.err" &&
		odd "$1" 81 ksock >"$work/kernel" 2>"$work/odd.err" || return
	[ "$1" = $app4 ] || other='no such'
	differences | diff <(grep -v '^#' lib/odd_segments.differences |
			     sed "/$other/,+2d") -
}

if [ "${NETCHANNEL_KERNEL-}" = debug ]; then
	plan 1
	echo "ok 1 probes # SKIP they take a debug kernel too long"
	exit
fi
head -c 100000 /dev/urandom >"$file"
first_half() {
	point "nmap -O, channel, IPv4" with_pair nmap_channel4
	fingerprint
	point "hping3, one peer at a time" with_pair hping_probes
	point "scapy: odd segments, IPv4" with_pair scapy_probes $app4
}

second_half() {
	point "nmap -O, channel, IPv6" with_pair nmap_channel6
	fingerprint
	point "nmap -O, packet socket, all of it ustack" with_pair nmap_packet
	fingerprint
	point "hping3, many peers" with_pair hping_probes --repeat 1 --fast-open
	point "scapy: odd segments, IPv6" with_pair scapy_probes $app6
}

case ${NETCHANNEL_KERNEL-} in
6.1)	plan 3; first_half ;;
6.12)	plan 4; second_half ;;
*)	plan 7; first_half; second_half ;;
esac
rm -rf "$work"
finish
