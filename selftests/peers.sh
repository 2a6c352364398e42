#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ustack against programs that nobody here wrote: socat, curl and nginx, as
# servers and as clients. They use the kernel's sockets in a namespace of their
# own; the channel's kernel opens no connection at all, and packets went both ways
# through the channel. What a debug kernel would see of it, it sees in transfer.sh.
set -u
cd "$(dirname "$0")" || exit
. lib/tap.sh
. lib/pair.sh

work=$(mktemp -d)
file=$work/file
size=262144
pids=

# --- what all of them have in common

# background COMMAND...: waited for by all_well
background() {
	"$@" &
	pids="$pids $!"
}

all_well() {
	local pid status=0

	for pid in $pids; do
		wait "$pid" || status=1
	done
	return $status
}

# The stack's own words are shown if the test fails.
stack_app() {
	in_app stack "$@" 2>"$work/stack.err"
}

stack_listens() {
	wait_for holds "$work/stack.err" waiting
}

# Nobody is connected, so the rest of the addresses is nought.
listens() {
	local port net=/proc/${resident[peer]}/net

	printf -v port %04X "$1"
	holds $net/tcp ":$port 00000000:0000 0A" ||
		holds $net/tcp6 ":$port 00000000000000000000000000000000:0000 0A"
}

peer_listens() {
	wait_for listens "$1"
}

# As it came, or behind what a client puts before it.
same() {
	cmp "$file" "$1"
}

same_body() {
	sed '1,/^\r$/d' "$1" | cmp "$file" -
}

channel_carried() {
	grep -q '^packets: received=[1-9][0-9]* sent=[1-9]' "$work/stack.err" && return
	echo "no packets went through the channel, or not both ways"
	return 1
}

# with_pair TEST: in namespaces of its own, and the kernel's TCP kept out of it.
with_pair() {
	local status=0

	rm -f "$work"/*.err "$work"/copy* "$work"/nginx/data/*
	pair_create && "$@" && channel_carried || status=1
	if [ "$(kernel_opens app)" != 0 ]; then
		echo "the kernel's TCP opened $(kernel_opens app) connections beside the channel"
		status=1
	fi
	[ $status = 0 ] || cat "$work"/*.err
	[ ! -e "$work/nginx/pid" ] || kill "$(cat "$work/nginx/pid")"
	pair_destroy
	return $status
}

# --- socat

socat_server4() {
	background in_peer socat -u TCP4-LISTEN:80 "CREATE:$work/copy"
	peer_listens 80 && stack_app -d $peer4 -D 80 --input <"$file" &&
		all_well && same "$work/copy"
}

socat_server6() {
	background in_peer socat -u TCP6-LISTEN:80 "CREATE:$work/copy"
	peer_listens 80 && stack_app -d $peer6 -D 80 --input <"$file" &&
		all_well && same "$work/copy"
}

socat_client4() {
	background stack_app -l -s $app4 -S 80 --output >"$work/copy"
	stack_listens && in_peer socat -u "OPEN:$file" TCP4:$app4:80 &&
		all_well && same "$work/copy"
}

socat_client6() {
	background stack_app -l -s $app6 -S 80 --output >"$work/copy"
	stack_listens && in_peer socat -u "OPEN:$file" "TCP6:[$app6]:80" &&
		all_well && same "$work/copy"
}

# The other direction: who listens sends.
socat_reads_from_listener() {
	background stack_app -l -s $app4 -S 80 --reverse --input <"$file"
	stack_listens && in_peer socat -u TCP4:$app4:80 "CREATE:$work/copy" &&
		all_well && same "$work/copy"
}

socat_serves_file() {
	background in_peer socat -u "OPEN:$file" TCP4-LISTEN:80
	peer_listens 80 &&
		stack_app -d $peer4 -D 80 --reverse --output >"$work/copy" &&
		all_well && same "$work/copy"
}

# --- curl

response() {
	printf 'HTTP/1.1 200 OK\r\nContent-Length: %s\r\nConnection: close\r\n\r\n' $size
	cat "$file"
}

curl_gets() {
	response >"$work/response"
	background stack_app -l -s $app4 -S 80 --reverse --input <"$work/response"
	stack_listens && in_peer curl -sS -o "$work/copy" "http://$app4/file" &&
		all_well && same "$work/copy"
}

curl_gets6() {
	response >"$work/response"
	background stack_app -l -s $app6 -S 80 --reverse --input <"$work/response"
	stack_listens && in_peer curl -sS -g -o "$work/copy" "http://[$app6]/file" &&
		all_well && same "$work/copy"
}

# Nobody answers it, so it gives up in the end, and then the file has come.
curl_puts() {
	background stack_app -l -s $app4 -S 80 --output >"$work/copy"
	stack_listens || return
	in_peer curl -sS -m 20 -H Expect: -T "$file" "http://$app4/file"
	[ $? = 28 ] && all_well && same_body "$work/copy"
}

# --- nginx

nginx_config() {
	cat <<end
user root;
pid $work/nginx/pid;
error_log $work/nginx.err;
worker_processes 1;
events { }
http {
	access_log off;
	client_max_body_size 1g;
	server {
		listen 80;
		listen [::]:80;
		root $work/nginx/data;
		client_body_temp_path $work/nginx/temp;
		location / { dav_methods PUT; }
	}
	server {
		listen 8080;
		proxy_temp_path $work/nginx/temp;
		location / { proxy_pass http://$app4:80; }
	}
}
end
}

nginx_starts() {
	mkdir -p "$work/nginx/data" "$work/nginx/temp"
	nginx_config >"$work/nginx/config"
	in_peer nginx -e "$work/nginx.err" -c "$work/nginx/config" && peer_listens 80
}

# A request with the file as its body is what the server stores.
nginx_stores() {
	{
		printf 'PUT /file HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n'
		printf 'Content-Length: %s\r\n\r\n' $size
		cat "$file"
	} >"$work/request"
	nginx_starts && stack_app -d "$1" -D 80 --input <"$work/request" &&
		same "$work/nginx/data/file"
}

# As a client of ours, on behalf of curl.
nginx_fetches() {
	response >"$work/response"
	nginx_starts || return
	background stack_app -l -s $app4 -S 80 --reverse --input <"$work/response"
	stack_listens && in_peer curl -sS -o "$work/copy" http://127.0.0.1:8080/file &&
		all_well && same "$work/copy"
}

if [ "${NETCHANNEL_KERNEL-}" = debug ]; then
	plan 1
	echo "ok 1 peers # SKIP the module does in transfer.sh what it does here"
	exit
fi
head -c $size /dev/urandom >"$file"
plan 12
point "socat listens, ustack sends, IPv4" with_pair socat_server4
point "socat listens, ustack sends, IPv6" with_pair socat_server6
point "ustack listens, socat sends, IPv4" with_pair socat_client4
point "ustack listens, socat sends, IPv6" with_pair socat_client6
point "ustack listens and sends, socat receives" with_pair socat_reads_from_listener
point "socat listens and sends, ustack receives" with_pair socat_serves_file
point "curl gets a file from ustack, IPv4" with_pair curl_gets
point "curl gets a file from ustack, IPv6" with_pair curl_gets6
point "curl puts a file to ustack" with_pair curl_puts
point "nginx stores a file from ustack, IPv4" with_pair nginx_stores $peer4
point "nginx stores a file from ustack, IPv6" with_pair nginx_stores $peer6
point "nginx fetches a file from ustack" with_pair nginx_fetches
rm -rf "$work"
finish
