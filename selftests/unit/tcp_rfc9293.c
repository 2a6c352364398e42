// SPDX-License-Identifier: MIT
/*
 * Rows of RFC 9293's Appendix B that no other script shows: see packet_script.h for
 * how to read this, and Documentation/tcp.rst for the table.
 */
#include "packet_script.h"

#define OPEN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n" \
	"> . 1:1(0) ack 1\n"

/* We have closed; the options of the peer's SYN and of what it sent later. */
#define TIME_WAIT(syn, later) \
	"listen\n" \
	"< S 0:0(0) win 65535 <mss 1000" syn ">\n" \
	"> S. 0:0(0) ack 1\n" \
	"< . 1:1(0) ack 1" later "\n" \
	"accept = 0\n" \
	"close\n" \
	"> F. 1:1(0) ack 1\n" \
	"< F. 1:1(0) ack 2" later "\n" \
	"> . 2:2(0) ack 2\n" \
	"waits 1\n"

static const struct named_script scripts[] = {
	{ "TTL: 64, or as the user says",
	"connect = EINPROGRESS\n"
	"> S 0:0(0) tos 0 ttl 64\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1 ttl 64\n"
	"set TTL 9 = 0\n"
	"send 1 = 1\n"
	"> P. 1:2(1) ack 1 ttl 9\n"
	"< . 1:1(0) ack 2\n"
	"set TTL -1 = 0\n"
	"send 1 = 1\n"
	"> P. 2:3(1) ack 1 ttl 64\n"
	"set TTL 0 = EINVAL\n"
	"set TTL 256 = EINVAL\n" },

	{ "DS field: as the user says, before and while connected, but for ECN's bits",
	"set TOS 19 = 0\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) tos 16\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1 tos 16\n"
	"set TOS 184 = 0\n"
	"send 1 = 1\n"
	"> P. 1:2(1) ack 1 tos 184\n" },

	{ "TTL and DS field: inherited by what is accepted",
	"set TTL 5 = 0\n"
	"set TOS 32 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1 tos 32 ttl 5\n" },

	{ "keep-alive: idle time, interval and number are the user's",
	"option keepalive 1\n"
	"set TCP_KEEPIDLE 30 = 0\n"
	"set TCP_KEEPINTVL 5 = 0\n"
	"set TCP_KEEPCNT 2 = 0\n"
	OPEN
	"+30 > . 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"+30 > . 0:0(0) ack 1\n"
	"+5 > . 0:0(0) ack 1\n"
	"+5 > R. 1:1(0) ack 1\n"
	"error = ETIMEDOUT\n" },

	{ "keep-alive: no other option puts it off",
	"option keepalive 1\n"
	"set TCP_KEEPIDLE 30 = 0\n"
	OPEN
	"+20 set RECVERR 1 = 0\n"
	"+10 > . 0:0(0) ack 1\n"
	"+1 set RECVERR 0 = 0\n"
	"+74 > . 0:0(0) ack 1\n" },

	{ "keep-alive: a shorter idle time counts from the last segment on",
	"option keepalive 1\n"
	OPEN
	"+20 set TCP_KEEPIDLE 30 = 0\n"
	"+10 > . 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"+20 set TCP_KEEPIDLE 10 = 0\n"
	"+0 > . 0:0(0) ack 1\n" },

	{ "keep-alive: what the opening took is no silence",
	"option keepalive 1\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"+2 > S 0:0(0)\n"
	"+3 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"set TCP_KEEPIDLE 10 = 0\n"
	"none 9900\n"
	"+0.1 > . 0:0(0) ack 1\n" },

	{ "keep-alive: values that make no sense",
	"set TCP_KEEPIDLE 0 = EINVAL\n"
	"set TCP_KEEPIDLE 32768 = EINVAL\n"
	"set TCP_KEEPINTVL 0 = EINVAL\n"
	"set TCP_KEEPCNT 128 = EINVAL\n"
	"set TCP_SYNCNT 0 = EINVAL\n" },

	{ "keep-alive: off by default",
	OPEN
	"none 30000000\n"
	"state ESTABLISHED\n" },

	{ "keep-alive: not while there is traffic",
	"option keepalive 1\n"
	"set TCP_KEEPIDLE 30 = 0\n"
	OPEN
	"+20 < . 1:1(0) ack 1\n"
	"none 20000\n"
	"+10 > . 0:0(0) ack 1\n" },

	{ "SYN: tries of the user's",
	"set TCP_SYNCNT 2 = 0\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"+2 > S 0:0(0)\n"
	"+4.1 error = ETIMEDOUT\n" },

	{ "soft errors: told at once to whom wants to know",
	"set RECVERR 1 = 0\n"
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< icmp unreach 0 seq 1\n"
	"poll = OUT|ERR\n"
	"error = ENETUNREACH\n"
	"state ESTABLISHED\n"
	"< . 1:1(0) ack 11\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 1\n" },

	{ "R1: the way is doubted, and the user told who wants to know",
	"set RECVERR 1 = 0\n"
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"+0.4 > P. 1:11(10) ack 1\n"
	"counter ip_doubted 0\n"
	"error = 0\n"
	"+0.8 > P. 1:11(10) ack 1\n"
	"counter ip_doubted 1\n"
	"error = ETIMEDOUT\n"
	"state ESTABLISHED\n"
	"+1.6 > P. 1:11(10) ack 1\n"
	"counter ip_doubted 1\n" },

	{ "ICMP: neither time exceeded nor parameter problem aborts",
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< icmp 11 0 seq 1\n"
	"< icmp 12 0 seq 1\n"
	"< icmp unreach 0 seq 1\n"
	"< icmp unreach 1 seq 1\n"
	"< icmp unreach 5 seq 1\n"
	"state ESTABLISHED\n"
	"error = 0\n"
	"< . 1:1(0) ack 11\n"
	"# IPv4 only\n" },

	{ "ICMP: source quench is discarded",
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< icmp 4 0 seq 1\n"
	"counter icmp_error_in 0\n"
	"none 100\n"
	"error = 0\n"
	"# IPv4 only\n" },

	{ "ICMP: errors leave the congestion window alone",
	OPEN
	"send 14000 = 14000\n"
	"> . 1:1001(1000) ack 1\n> . 1001:2001(1000) ack 1\n"
	"> . 2001:3001(1000) ack 1\n> . 3001:4001(1000) ack 1\n"
	"> . 4001:5001(1000) ack 1\n> . 5001:6001(1000) ack 1\n"
	"> . 6001:7001(1000) ack 1\n> . 7001:8001(1000) ack 1\n"
	"> . 8001:9001(1000) ack 1\n> . 9001:10001(1000) ack 1\n"
	"< icmp 4 0 seq 1\n"
	"< icmp 11 0 seq 1\n"
	"< icmp unreach 1 seq 1\n"
	"+0.01 < . 1:1(0) ack 2001\n"
	"> . 10001:11001(1000) ack 1\n> . 11001:12001(1000) ack 1\n"
	"> . 12001:13001(1000) ack 1\n> P. 13001:14001(1000) ack 1\n"
	"# IPv4 only\n" },

	{ "ICMP: a soft error is the reason when the connection times out",
	"option user_timeout 1000\n"
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"< icmp unreach 1 seq 1\n"
	"+0.4 > P. 1:11(10) ack 1\n"
	"+0.5 error = EHOSTUNREACH\n"
	"# IPv4 only\n" },

	{ "window: unsigned, 65535 at most without scaling",
	"option offer none\n"
	"option rcvbuf 200000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) win 65535\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1460>\n"
	"> . 1:1(0) ack 1 win 65535\n"
	"< P. 1:11(10) ack 1 win 40000\n"
	"> . 1:1(0) ack 11 win 65525\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 11\n" },

	{ "window: what was granted stays so, though the buffer shrinks",
	"option offer none\n"
	"option rcvbuf 8000\n"
	OPEN
	"option rcvbuf 3000\n"
	"< P. 1:1001(1000) ack 1\n"
	"> . 1:1(0) ack 1001 win 7000\n"
	"recv 1000 = 1000\n"
	"< P. 1001:8001(7000) ack 1\n"
	"> . 1:1(0) ack 8001 win 0\n"
	"recv 9000 = 7000\n"
	"> . 1:1(0) ack 8001 win 3000\n" },

	{ "window: it shrinks; nothing new goes, what was sent goes again",
	OPEN
	"send 4000 = 4000\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> . 2001:3001(1000) ack 1\n"
	"> P. 3001:4001(1000) ack 1\n"
	"+0.01 < . 1:1(0) ack 1001 win 0\n"
	"send 1000 = 1000\n"
	"none 100\n"
	"state ESTABLISHED\n"
	"+0.1 > . 1001:2001(1000) ack 1\n"
	"< . 1:1(0) ack 4001 win 5000\n"
	"> P. 4001:5001(1000) ack 1\n" },

	{ "window: it shrinks; our ACKs and our RST stay inside",
	OPEN
	"send 4000 = 4000\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> . 2001:3001(1000) ack 1\n"
	"> P. 3001:4001(1000) ack 1\n"
	"+0.01 < . 1:1(0) ack 1001 win 1500\n"
	"< P. 1:101(100) ack 1001 win 1500\n"
	"> . 2501:2501(0) ack 101\n"
	"< P. 101:201(100) ack 1001 win 0\n"
	"> . 1001:1001(0) ack 201\n"
	"< P. 201:301(100) ack 1001 win 3000\n"
	"> . 4001:4001(0) ack 301\n"
	"< . 301:301(0) ack 1001 win 1500\n"
	"close\n"
	"> R. 2501:2501(0) ack 301\n" },

	{ "window: it falls by less than the peer can tell; our ACK has the next number",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 4000 <mss 1000,nop,wscale 7>\n"
	"> . 1:1(0) ack 1\n"
	"< . 1:1(0) ack 1 win 8\n"	/* 1024 */
	"send 1000 = 1000\n"
	"> P. 1:1001(1000) ack 1\n"
	"+0.01 < P. 1:101(100) ack 1 win 8\n"
	"> . 1001:1001(0) ack 101\n"
	"< P. 101:201(100) ack 1 win 7\n"
	"> . 1001:1001(0) ack 201\n"
	"< P. 201:301(100) ack 1 win 6\n"
	"> . 769:769(0) ack 301\n" },

	{ "window: closed from the SYN on; our ACK has the next number all the same",
	"listen\n"
	"< S 0:0(0) win 0 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 90000:90000(0) ack 1 win 0\n"
	"> . 1:1(0) ack 1\n" },

	{ "window: closed for hours, and the connection lives",
	OPEN
	"< . 1:1(0) ack 1 win 0\n"
	"send 10 = 10\n"
	"+0.2 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+0.4 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+0.8 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+1.6 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+3.2 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+6.4 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+12.8 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+25.6 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+51.2 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+102.4 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+120 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+120 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+120 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+120 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+120 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+120 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+120 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"state ESTABLISHED\n"
	"< . 1:1(0) ack 1 win 100\n"
	"> P. 1:11(10) ack 1\n" },

	{ "window: a RST counts while it is closed",
	"option rcvbuf 2048\n"
	OPEN
	"< P. 1:2049(2048) ack 1\n"
	"> . 1:1(0) ack 2049 win 0\n"
	"< R 2049:2049(0)\n"
	"recv 4000 = 2048\n"
	"recv 1 = ECONNRESET\n" },

	{ "MSS option: on SYN only, in any order, and not of data segments",
	"connect = EINPROGRESS\n"
	"> S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>\n"
	"< S. 0:0(0) ack 1 win 65535 <nop,nop,nop,mss 700,eol>\n"
	"> . 1:1(0) ack 1 <>\n"
	"< P. 1:2(1) ack 1 <mss 100>\n"
	"> . 1:1(0) ack 2\n"
	"send 700 = 700\n"
	"> P. 1:701(700) ack 2 <>\n" },

	{ "MSS option: less, if the user says so",
	"option maxseg 1000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) <mss 1000,sackOK,TS val 0 ecr 0,nop,wscale 7>\n" },

	{ "MSS option: no more than the link takes, whatever the user says",
	"option maxseg 9000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>\n" },

	{ "MSS option: options of every segment are taken off it",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 700,nop,nop,TS val 5 ecr 0>\n"
	"> . 1:1(0) ack 1\n"
	"send 689 = 689\n"
	"> . 1:689(688) ack 1\n"
	"> P. 689:690(1) ack 1\n" },

	{ "no MSS option: 1220 with IPv6",
	"listen\n"
	"< S 0:0(0) win 29200\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 10000\n"
	"accept = 0\n"
	"send 1221 = 1221\n"
	"> . 1:1221(1220) ack 1\n"
	"> P. 1221:1222(1) ack 1\n# IPv6 only\n" },

	{ "options: an unknown one is passed over, an illegal length is nothing's end",
	OPEN
	"< P. 1:11(10) ack 1 <raw 254,raw 3,raw 7,nop>\n"
	"> . 1:1(0) ack 11\n"
	"< P. 11:21(10) ack 1 <raw 254,raw 0>\n"
	"< P. 11:21(10) ack 1 <raw 254,raw 1>\n"
	"< P. 11:21(10) ack 1 <raw 254,raw 9>\n"
	"< P. 11:21(10) ack 1 <nop,nop,nop,raw 254>\n"
	"counter tcp_bad_options 4\n"
	"< P. 11:21(10) ack 1 <eol,raw 254,raw 0,raw 1>\n"
	"> . 1:1(0) ack 21\n" },

	{ "PSH: on the last segment of what was sent, and only there",
	"option nodelay 1\n"
	OPEN
	"send 2000 more = 2000\n"
	"> . 1:1001(1000) ack 1\n"
	"> P. 1001:2001(1000) ack 1\n"
	"send 3000 = 3000\n"
	"> . 2001:3001(1000) ack 1\n"
	"> . 3001:4001(1000) ack 1\n"
	"> P. 4001:5001(1000) ack 1\n" },

	{ "Karn: what was sent twice is no sample",
	"option offer none\n"
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"+0.15 < . 1:1(0) ack 11\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"+0.2 > P. 11:21(10) ack 1\n" },

	{ "SYN-RECEIVED: a passive open goes back to listening, an active one fails",
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< R 1:1(0)\n"
	"state CLOSE\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n" },

	{ "SYN-RECEIVED: an active open fails",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S 0:0(0) win 1000 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< R 1:1(0)\n"
	"error = ECONNREFUSED\n" },

	{ "closed: the user hears that the connection was aborted",
	OPEN
	"< R 1:1(0)\n"
	"poll = IN|OUT|HUP|RDHUP|ERR\n"
	"send 1 = ECONNRESET\n" },

	{ "a RST may carry data",
	OPEN
	"< R 1:6(5)\n"
	"error = ECONNRESET\n" },

	{ "TIME-WAIT: 60 s",
	OPEN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"+0.0003 < F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"waits 1\n"
	"+59.99999 waits 1\n"
	"+0.003 waits 0\n" },

	{ "TIME-WAIT: with timestamps a later SYN opens, whatever its number",
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 100 ecr 0>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 <nop,nop,TS val 101 ecr 1>\n"
	"accept = 0\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2 <nop,nop,TS val 102 ecr 1>\n"
	"> . 2:2(0) ack 2\n"
	"waits 1\n"
	"option peer_isn 4294466896\n"
	"+1 < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 102 ecr 0>\n"
	"> . * ack 500002\n"
	"+1 < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 103 ecr 0>\n"
	"> S. 0:0(0) ack 1\n"
	"waits 0\n" },

	{ "TIME-WAIT: with the timestamp of the last segment the number tells",
	TIME_WAIT(",nop,nop,TS val 100 ecr 0", " <nop,nop,TS val 100 ecr 1>")
	"< S 1:1(0) win 65535 <mss 1000,nop,nop,TS val 100 ecr 0>\n"
	"> . 2:2(0) ack 2\n"
	"+1 < S 3:3(0) win 65535 <mss 1000,nop,nop,TS val 100 ecr 0>\n"
	"> S. * ack 4\n"
	"waits 0\n" },

	{ "TIME-WAIT: a SYN that has no more timestamps: the number tells",
	TIME_WAIT(",nop,nop,TS val 100 ecr 0", " <nop,nop,TS val 100 ecr 1>")
	"< S 1:1(0) win 65535 <mss 1000>\n"
	"> . 2:2(0) ack 2\n"
	"+1 < S 3:3(0) win 65535 <mss 1000>\n"
	"> S. * ack 4\n"
	"waits 0\n" },

	{ "TIME-WAIT: never any timestamps: the number tells",
	TIME_WAIT("", "")
	"< S 1:1(0) win 65535 <mss 1000>\n"
	"> . 2:2(0) ack 2\n"
	"+1 < S 3:3(0) win 65535 <mss 1000>\n"
	"> S. * ack 4\n"
	"waits 0\n" },

	{ "TIME-WAIT: a SYN that has timestamps for the first time opens, whatever its number",
	TIME_WAIT("", "")
	"< S 1:1(0) win 65535 <mss 1000,nop,nop,TS val 4000000000 ecr 0>\n"
	"> S. * ack 2\n"
	"waits 0\n" },

	{ "half-close: we have ended, the peer goes on",
	OPEN
	"shutdown = 0\n"
	"> F. 1:1(0) ack 1\n"
	"< . 1:1(0) ack 2\n"
	"+100 < P. 1:11(10) ack 2\n"
	"> . 2:2(0) ack 11\n"
	"recv 100 = 10\n"
	"state FIN_WAIT2\n" },

	{ "an ACK comes within half a second",
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< P. 1:11(10) ack 11\n"
	"> . 11:11(0) ack 11\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 11\n"
	"< . 11:21(10) ack 21\n"
	"none 30\n"
	"+0.01 > . 21:21(0) ack 21\n" },

	{ "every second full segment is acknowledged",
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< P. 1:11(10) ack 11\n"
	"> . 11:11(0) ack 11\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 11\n"
	"< . 11:1011(1000) ack 21\n"
	"none 5\n"
	"< . 1011:2011(1000) ack 21\n"
	"> . 21:21(0) ack 2011\n" },
};

int main(int argc, char **argv)
{
	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	return finish();
}
