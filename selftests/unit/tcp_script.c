// SPDX-License-Identifier: MIT
/* TCP, segment by segment: see packet_script.h for how to read this. */
#include "packet_script.h"

#define OPEN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"+0.02 < S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>\n" \
	"> . 1:1(0) ack 1\n"

#define OPEN_PLAIN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n" \
	"> . 1:1(0) ack 1\n"

#define SEND_4000 \
	"send 1000 = 1000\n" \
	"send 1000 = 1000\n" \
	"send 1000 = 1000\n" \
	"send 1000 = 1000\n"

#define ACCEPT_PLAIN \
	"listen\n" \
	"< S 0:0(0) win 65535 <mss 1000>\n" \
	"> S. 0:0(0) ack 1\n" \
	"< . 1:1(0) ack 1 win 65535\n" \
	"accept = 0\n"

/* A connection that waits to be accepted. */
#define ACCEPT_LATER(port) \
	"option peer_port " port "\n" \
	"< S 0:0(0) win 65535 <mss 1000>\n" \
	"> S. 0:0(0) ack 1\n" \
	"< . 1:1(0) ack 1\n"

/* One byte that is acknowledged at once, as the first sixteen are. */
#define QUICK(a, b) \
	"< P. " #a ":" #b "(1) ack 1\n> . 1:1(0) ack " #b "\nrecv 9 = 1\n"

#define ALL_QUICK \
	QUICK(1, 2) QUICK(2, 3) QUICK(3, 4) QUICK(4, 5) QUICK(5, 6) QUICK(6, 7) \
	QUICK(7, 8) QUICK(8, 9) QUICK(9, 10) QUICK(10, 11) QUICK(11, 12) \
	QUICK(12, 13) QUICK(13, 14) QUICK(14, 15) QUICK(15, 16) QUICK(16, 17)

static const struct named_script scripts[] = {
	{ "active open: options and their order",
	"option rcvbuf 1000000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 4>\n"
	"poll = 0\n"
	"state SYN_SENT\n"
	"+0.05 < S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 700 ecr 0,nop,wscale 7>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 700>\n"
	"poll = OUT\n"
	"error = 0\n"
	"state ESTABLISHED\n" },

	{ "passive open: options and their order",
	"option rcvbuf 1000000\n"
	"listen\n"
	"accept = EAGAIN\n"
	"< S 0:0(0) win 29200 <mss 1460,sackOK,TS val 700 ecr 0,nop,wscale 7>\n"
	"> S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 0 ecr 700,nop,wscale 4>\n"
	"state SYN_RECV\n"
	"accept = EAGAIN\n"
	"+0.03 < . 1:1(0) ack 1 win 229 <nop,nop,TS val 730 ecr 0>\n"
	"accept = 0\n"
	"state ESTABLISHED\n" },

	{ "passive open: only what the peer offers",
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1000>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n"
	"< . 1:1(0) ack 1 win 1000\n"
	"accept = 0\n"
	"send 1500 = 1500\n"
	"> . 1:1001(1000) ack 1 <>\n" },

	{ "passive open: without timestamps, SACK and what stands before it, as of Linux",
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1000,sackOK,nop,wscale 7,nop>\n"
	"> S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 7>\n" },

	{ "passive open: without SACK, timestamps and what stands before them, as of Linux",
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1000,TS val 7 ecr 0,nop,wscale 7,nop>\n"
	"> S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val * ecr 7,nop,wscale 7>\n" },

	{ "no MSS option: 536",
	"listen\n"
	"< S 0:0(0) win 29200\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 10000\n"
	"accept = 0\n"
	"option nodelay 1\n"
	"send 600 = 600\n"
	"> . 1:537(536) ack 1\n"
	"> P. 537:601(64) ack 1\n# IPv4 only\n" },

	{ "the SYN comes again: the SYN-ACK does, too",
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"+0.2 < S 0:0(0) win 29200 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 1000\n"
	"accept = 0\n" },

	{ "SYN: sent again after 1, 2, 4 ... s, then ETIMEDOUT",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"+2 > S 0:0(0)\n"
	"+4 > S 0:0(0)\n"
	"+8 > S 0:0(0)\n"
	"+16 > S 0:0(0)\n"
	"+32 > S 0:0(0)\n"
	"+64 > S 0:0(0)\n"
	"+120.1 poll = IN|OUT|HUP|RDHUP|ERR\n"
	"error = ETIMEDOUT\n"
	"error = 0\n" },

	{ "SYN-ACK: sent again, then forgotten",
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"+1 > S. 0:0(0) ack 1\n"
	"+2 > S. 0:0(0) ack 1\n"
	"+4 > S. 0:0(0) ack 1\n"
	"+8 > S. 0:0(0) ack 1\n"
	"+16 > S. 0:0(0) ack 1\n"
	"+32.1 state CLOSE\n"
	"accept = EAGAIN\n" },

	{ "a SYN was lost: the RTO is 3 s until there is a sample (RFC 6298 5.7)",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"+0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 100 = 100\n"
	"> P. 1:101(100) ack 1\n"
	"+3 > P. 1:101(100) ack 1\n" },

	{ "a SYN was lost: the initial window is what it is",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"+0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 3000 = 3000\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> P. 2001:3001(1000) ack 1\n" },

	{ "two SYNs were lost: the initial window is a segment (RFC 6928 2)",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"+2 > S 0:0(0)\n"
	"+0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 3000 = 3000\n"
	"> . 1:1001(1000) ack 1\n"
	"none 100\n" },

	{ "RST after FIN: the stream has ended, the error is for others",
	ACCEPT_PLAIN
	"< F. 1:1(0) ack 1\n"
	"+0.001 > . 1:1(0) ack 2\n"
	"< R. 2:2(0) ack 1\n"
	"recv 10 = 0\n"
	"recv 10 = 0\n"
	"send 1 = EPIPE\n" },

	{ "listen_peer: a SYN holds the port for 3 s",
	"listen_peer\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"+1 > S. 0:0(0) ack 1\n"
	"+1.9 state SYN_RECV\n"
	"+0.11 state CLOSE\n"
	"option peer_isn 2000000\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n" },

	{ "refused: RST answers SYN",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< R. 0:0(0) ack 1\n"
	"poll = IN|OUT|HUP|RDHUP|ERR\n"
	"error = ECONNREFUSED\n"
	"send 1 = EPIPE\n"
	"recv 1 = 0\n" },

	{ "SYN-SENT: a RST without a good ACK is nothing",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< R 0:0(0)\n"
	"counter tcp_rst_no_ack 1\n"
	"< R. 0:0(0) ack 77\n"
	"counter tcp_bad_ack 1\n"
	"counter tcp_rst_in 0\n"
	"state SYN_SENT\n"
	"< S. 0:0(0) ack 1 win 1000\n"
	"> . 1:1(0) ack 1\n" },

	{ "SYN-SENT: a bad ACK is answered with RST",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 2 win 1000\n"
	"> R 2:2(0)\n"
	"< . 0:0(0) ack 0 win 1000\n"
	"> R 0:0(0)\n"
	"state SYN_SENT\n" },

	{ "SYN-SENT: an ACK of the SYN without one is nothing",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< . 1:1(0) ack 1\n"
	"none 100\n"
	"counter tcp_syn_missing 1\n"
	"state SYN_SENT\n" },

	{ "simultaneous open: text of the SYN comes again",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S 0:10(10) win 1000 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"counter tcp_syn_text 1\n"
	"< P. 1:11(10) ack 1 win 1000\n"
	"> . 1:1(0) ack 11\n"
	"recv 20 = 10\n"
	"counter tcp_syn_text 1\n" },

	{ "simultaneous open",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S 0:0(0) win 1000 <mss 1000>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n"
	"state SYN_RECV\n"
	"< S. 0:0(0) ack 1 win 1000 <mss 1000>\n"
	"state ESTABLISHED\n"
	"poll = OUT\n"
	"option nodelay 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },

	{ "simultaneous open: the window of a SYN-ACK is not scaled",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S 0:0(0) win 1500 <mss 1000,nop,wscale 7>\n"
	"> S. 0:0(0) ack 1\n"
	"< S. 0:0(0) ack 1 win 1500 <mss 1000,nop,wscale 7>\n"
	"send 3000 = 3000\n"
	"> . 1:1001(1000) ack 1\n"
	"none 100\n" },

	{ "simultaneous open, completed by a plain ACK",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S 0:0(0) win 1000 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 1000\n"
	"state ESTABLISHED\n" },

	{ "closed port: RST with the right numbers",
	"listen\n"
	"option peer_isn 5\n"
	"< S 0:0(0) win 100\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"unlisten\n"
	"< R 1:1(0)\n"
	"< S 100:100(0) win 100\n"
	"> R. * ack 101\n" },

	{ "data both ways, ACK carried by the answer",
	OPEN
	"< P. 1:101(100) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 101 <nop,nop,TS val * ecr 101>\n"
	"poll = IN|OUT\n"
	"recv 200 = 100\n"
	"recv 200 = EAGAIN\n"
	"poll = OUT\n"
	"send 50 = 50\n"
	"> P. 1:51(50) ack 101\n"
	"< P. 101:201(100) ack 51 win 512 <nop,nop,TS val 102 ecr 2>\n"
	"recv 200 = 100\n"
	"send 50 = 50\n"
	"> P. 51:101(50) ack 201\n" },

	{ "delayed ACK: 40 ms, or the second full segment",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< P. 1:11(10) ack 11\n"
	"> . 11:11(0) ack 11\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 11\n"
	"< P. 11:1011(1000) ack 21\n"
	"none 30\n"
	"+0.01 > . 21:21(0) ack 1011\n"
	"counter tcp_delayed_ack 1\n" },

	{ "delayed ACK: when all that was pushed has been read, none",
	OPEN_PLAIN
	ALL_QUICK
	"< P. 17:27(10) ack 1\n"
	"none 20\n"
	"recv 9 = 9\n"
	"none 10\n"
	"recv 9 = 1\n"
	"> . 1:1(0) ack 27\n"
	"< . 27:37(10) ack 1\n"
	"recv 10 = 10\n"
	"+0.04 > . 1:1(0) ack 37\n"
	"< . 37:1037(1000) ack 1\n"
	"none 10\n"
	"< . 1037:2037(1000) ack 1\n"
	"> . 1:1(0) ack 2037\n" },

	{ "Nagle: a small segment waits for the ACK of the one before",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"send 10 = 10\n"
	"send 20 = 20\n"
	"none 50\n"
	"< . 1:1(0) ack 11\n"
	"> P. 11:41(30) ack 1\n" },

	{ "Nagle: off",
	"option nodelay 1\n"
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"send 20 = 20\n"
	"> P. 11:31(20) ack 1\n" },

	{ "Nagle: full segments do not wait, the tail does not wait for them",
	OPEN_PLAIN
	"send 2500 = 2500\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> P. 2001:2501(500) ack 1\n"
	"send 5 = 5\n"
	"none 50\n"
	"< . 1:1(0) ack 2501\n"
	"> P. 2501:2506(5) ack 1\n" },

	{ "Nagle: what small ones wait for comes, or they fill a segment",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"send 400 = 400\n"
	"send 400 = 400\n"
	"none 10\n"
	"send 400 = 400\n"
	"> . 11:1011(1000) ack 1\n"
	"none 10\n"
	"< . 1:1(0) ack 11\n"
	"> P. 1011:1211(200) ack 1\n" },

	{ "one way: data that tells of another window is heard",
	OPEN_PLAIN
	"< P. 1:101(100) ack 1\n"
	"> . 1:1(0) ack 101\n"
	"< P. 101:201(100) ack 1 win 0\n"
	"> . 1:1(0) ack 201\n"
	"counter tcp_header_predicted 1\n"
	"send 100 = 100\n"
	"none 150\n"
	"< P. 201:301(100) ack 1 win 1000\n"
	"> P. 1:101(100) ack 301\n" },

	{ "cork: full segments only, the tail after 200 ms",
	"option cork 1\n"
	OPEN_PLAIN
	"send 1500 = 1500\n"
	"> . 1:1001(1000) ack 1\n"
	"< . 1:1(0) ack 1001\n"
	"none 190\n"
	"+0.01 > P. 1001:1501(500) ack 1\n" },

	{ "cork: what comes meanwhile does not put the tail off",
	"option cork 1\n"
	OPEN_PLAIN
	"send 1500 = 1500\n"
	"> . 1:1001(1000) ack 1\n"
	"< . 1:1(0) ack 1001\n"
	"+0.1 < P. 1:11(10) ack 1001\n"
	"> . 1001:1001(0) ack 11\n"
	"+0.05 < P. 11:21(10) ack 1001\n"
	"> . 1001:1001(0) ack 21\n"
	"+0.05 > P. 1001:1501(500) ack 21\n" },

	{ "cork: TCP_NODELAY lets out what waits, each time; what follows is corked",
	"option cork 1\n"
	OPEN_PLAIN
	"send 300 = 300\n"
	"none 20\n"
	"set TCP_NODELAY 1 = 0\n"
	"> P. 1:301(300) ack 1\n"
	"send 200 = 200\n"
	"none 20\n"
	"set TCP_NODELAY 1 = 0\n"
	"> P. 301:501(200) ack 1\n"
	"send 100 = 100\n"
	"none 20\n"
	"set TCP_KEEPIDLE 60 = 0\n"
	"set TCP_NODELAY 0 = 0\n"
	"none 20\n"
	"< . 1:1(0) ack 501\n"
	"set TCP_CORK 0 = 0\n"
	"> P. 501:601(100) ack 1\n" },

	{ "MSG_MORE: the end of corking, or TCP_NODELAY, lets it out, too",
	OPEN_PLAIN
	"send 100 more = 100\n"
	"none 20\n"
	"set TCP_CORK 0 = 0\n"
	"> P. 1:101(100) ack 1\n"
	"< . 1:1(0) ack 101\n"
	"send 50 more = 50\n"
	"none 20\n"
	"set TCP_NODELAY 1 = 0\n"
	"> P. 101:151(50) ack 1\n" },

	{ "SIOCOUTQ, SIOCOUTQNSD: what is not acknowledged, and not sent; a FIN counts",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"unacked 0\n"
	"< S. 0:0(0) ack 1 win 2000 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"unacked 0\n"
	"unsent 0\n"
	"send 3000 = 3000\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"unacked 3000\n"
	"unsent 1000\n"
	"shutdown = 0\n"
	"unacked 3001\n"
	"unsent 1001\n"
	"< . 1:1(0) ack 1001 win 2000\n"
	"> FP. 2001:3001(1000) ack 1\n"
	"unacked 2001\n"
	"unsent 0\n"
	"< . 1:1(0) ack 3002 win 2000\n"
	"unacked 0\n" },

	{ "MSG_MORE: waits for the rest",
	"option nodelay 1\n"
	OPEN_PLAIN
	"send 100 more = 100\n"
	"none 20\n"
	"send 200 = 200\n"
	"> P. 1:301(300) ack 1\n" },

	{ "MSG_MORE: does not hold back what fills the queue",
	"option sndbuf 2304\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1400>\n"
	"> . 1:1(0) ack 1\n"
	"send 3000 more = 2304\n"
	"> . 1:1401(1400) ack 1\n> P. 1401:2305(904) ack 1\n" },

	{ "MSG_MORE: holds nothing back when there is no room for more",
	"option sndbuf 2304\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1400>\n"
	"> . 1:1(0) ack 1\n"
	"send 2304 more = 2304\n"
	"> . 1:1401(1400) ack 1\n"
	"none 20\n"
	"send 100 more = EAGAIN\n"
	"> P. 1401:2305(904) ack 1\n" },

	{ "retransmission: SRTT and 200 ms at least, doubling",
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.22 > P. 1:11(10) ack 1\n"
	"# that was a tail loss probe\n"
	"+0.22 > P. 1:11(10) ack 1\n"
	"+0.44 > P. 1:11(10) ack 1\n"
	"+0.88 > P. 1:11(10) ack 1\n"
	"+1.76 > P. 1:11(10) ack 1\n"
	"counter tcp_rto 4\n"
	"< . 1:1(0) ack 11 win 512 <nop,nop,TS val 102 ecr 2>\n"
	"none 5000\n" },

	{ "RTO: RTTVAR shrinks once a round trip, however many ACKs come (RFC 7323 4.2)",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+0.4 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 4000 = 4000\n"
	"> . 1:1001(1000) ack 1\n> . 1001:2001(1000) ack 1\n"
	"> . 2001:3001(1000) ack 1\n> P. 3001:4001(1000) ack 1\n"
	"# RTTVAR is 200, and 150 after the first, with which a round trip ends\n"
	"+0.4 < . 1:1(0) ack 1001\n"
	"< . 1:1(0) ack 2001\n"
	"< . 1:1(0) ack 3001\n"
	"# the next one ends: 112.5\n"
	"< . 1:1(0) ack 4001\n"
	"send 10 = 10\n"
	"> P. 4001:4011(10) ack 1\n"
	"+0.85 > P. 4001:4011(10) ack 1\n" },

	{ "RTO: SRTT and four times RTTVAR (RFC 6298 2.2, 2.3)",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+0.4 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"# SRTT 400, RTTVAR 200\n"
	"+0.8 < . 1:1(0) ack 11\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"# SRTT 450, RTTVAR 250\n"
	"+1.45 > P. 11:21(10) ack 1\n" },

	{ "RTO: the first sample counts three times (RFC 6298 2.2)",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+0.4 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+1.2 > P. 1:11(10) ack 1\n" },

	{ "RTO: runs from the first of what is sent on (RFC 6298 5.1)",
	"option nodelay 1\n"
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"none 100\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"+0.1 > . 1:11(10) ack 1\n"
	"> P. 11:21(10) ack 1\n" },

	{ "RTO: stops when all is acknowledged (RFC 6298 5.2)",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.02 < . 1:1(0) ack 11\n"
	"none 100\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"+0.2 > P. 11:21(10) ack 1\n" },

	{ "RTO: begins anew with an ACK of new data (RFC 6298 5.3)",
	OPEN_PLAIN
	"send 2000 = 2000\n"
	"> . 1:1001(1000) ack 1\n"
	"> P. 1001:2001(1000) ack 1\n"
	"+0.1 < . 1:1(0) ack 1001\n"
	"+0.212 > P. 1001:2001(1000) ack 1\n" },

	{ "retransmission: ETIMEDOUT at last",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"+0.4 > P. 1:11(10) ack 1\n"
	"+0.8 > P. 1:11(10) ack 1\n"
	"+1.6 > P. 1:11(10) ack 1\n"
	"+3.2 > P. 1:11(10) ack 1\n"
	"+6.4 > P. 1:11(10) ack 1\n"
	"+12.8 > P. 1:11(10) ack 1\n"
	"+25.6 > P. 1:11(10) ack 1\n"
	"+51.2 > P. 1:11(10) ack 1\n"
	"+102.4 > P. 1:11(10) ack 1\n"
	"+120 > P. 1:11(10) ack 1\n"
	"+120 > P. 1:11(10) ack 1\n"
	"+120 > P. 1:11(10) ack 1\n"
	"+120 > P. 1:11(10) ack 1\n"
	"+120 > P. 1:11(10) ack 1\n"
	"poll = OUT\n"
	"+121 poll = IN|OUT|HUP|RDHUP|ERR\n"
	"recv 10 = ETIMEDOUT\n"
	"recv 10 = 0\n" },

	{ "fast retransmit and NewReno without SACK",
	"option offer none\n"
	OPEN_PLAIN
	"send 8000 = 8000\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> . 2001:3001(1000) ack 1\n"
	"> . 3001:4001(1000) ack 1\n"
	"> . 4001:5001(1000) ack 1\n"
	"> . 5001:6001(1000) ack 1\n"
	"> . 6001:7001(1000) ack 1\n"
	"> P. 7001:8001(1000) ack 1\n"
	"+0.01 < . 1:1(0) ack 1001\n"
	"< . 1:1(0) ack 1001\n"
	"< . 1:1(0) ack 1001\n"
	"< . 1:1(0) ack 1001\n"
	"> . 1001:2001(1000) ack 1\n"
	"counter tcp_fast_retransmit 1\n"
	"+0.01 < . 1:1(0) ack 3001\n"
	"> . 3001:4001(1000) ack 1\n"
	"+0.01 < . 1:1(0) ack 8001\n"
	"none 1000\n"
	"counter tcp_rto 0\n" },

	{ "limited transmit: duplicate ACKs let new data go",
	"option offer none\n"
	OPEN_PLAIN
	"send 12000 = 12000\n"
	"> . 1:1001(1000) ack 1\n> . 1001:2001(1000) ack 1\n"
	"> . 2001:3001(1000) ack 1\n> . 3001:4001(1000) ack 1\n"
	"> . 4001:5001(1000) ack 1\n> . 5001:6001(1000) ack 1\n"
	"> . 6001:7001(1000) ack 1\n> . 7001:8001(1000) ack 1\n"
	"> . 8001:9001(1000) ack 1\n> . 9001:10001(1000) ack 1\n"
	"+0.01 < . 1:1(0) ack 1\n"
	"> . 10001:11001(1000) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"> P. 11001:12001(1000) ack 1\n" },

	{ "SACK: RACK finds the hole, only that is sent again",
	OPEN
	"send 4344 = 4344\n"
	"> . 1:1449(1448) ack 1\n"
	"> . 1449:2897(1448) ack 1\n"
	"> P. 2897:4345(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20>\n"
	"+0.001 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 2897:4345>\n"
	"# a quarter of the least RTT, 5 ms from then on, is left for reordering\n"
	"+0.004 > . 1449:2897(1448) ack 1\n"
	"counter tcp_fast_retransmit 1\n"
	"+0.02 < . 1:1(0) ack 4345 win 512 <nop,nop,TS val 102 ecr 46>\n"
	"none 1000\n" },

	{ "SACK: RACK, when nothing was sent for 40 minutes",
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.01 < P. 1:11(10) ack 11 win 512 <nop,nop,TS val 101 ecr 20>\n"
	"> . 11:11(0) ack 11\n"
	"none 2400000\n"
	"send 4344 = 4344\n"
	"> . 11:1459(1448) ack 11\n"
	"> . 1459:2907(1448) ack 11\n"
	"> P. 2907:4355(1448) ack 11\n"
	"+0.02 < . 11:11(0) ack 11 win 512 <nop,nop,TS val 2400000 ecr 20,nop,nop,sack 1459:2907>\n"
	"+0.0025 > . 11:1459(1448) ack 11\n"
	"none 20\n" },

	{ "SACK: holes told at once, the newest block first, are no reordering",
	OPEN
	"send 11584 = 11584\n"
	"> . 1:1449(1448) ack 1\n> . 1449:2897(1448) ack 1\n"
	"> . 2897:4345(1448) ack 1\n> . 4345:5793(1448) ack 1\n"
	"> . 5793:7241(1448) ack 1\n> . 7241:8689(1448) ack 1\n"
	"> . 8689:10137(1448) ack 1\n> P. 10137:11585(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 8689:11585 2897:5793>\n"
	"+0 > . 1449:2897(1448) ack 1\n"
	"> . 5793:7241(1448) ack 1\n"
	"> . 7241:8689(1448) ack 1\n" },

	{ "SACK: a tail loss probe in recovery, once",
	"option sndbuf 100000\n"
	OPEN
	"send 20272 = 20272\n"
	"> . 1:1449(1448) ack 1\n> . 1449:2897(1448) ack 1\n"
	"> . 2897:4345(1448) ack 1\n> . 4345:5793(1448) ack 1\n"
	"> . 5793:7241(1448) ack 1\n> . 7241:8689(1448) ack 1\n"
	"> . 8689:10137(1448) ack 1\n> . 10137:11585(1448) ack 1\n"
	"> . 11585:13033(1448) ack 1\n> . 13033:14481(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 1449:5793>\n"
	"+0 > . 1:1449(1448) ack 1\n"
	"# two round trips and 2 ms\n"
	"+0.042 > . 14481:15929(1448) ack 1\n"
	"# what it made the peer say shows that the first segment is lost again\n"
	"+0.02 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 102 ecr 20,nop,nop,sack 1449:15929>\n"
	"+0 > . 1:1449(1448) ack 1\n"
	"> . 15929:17377(1448) ack 1\n> . 17377:18825(1448) ack 1\n"
	"> P. 18825:20273(1448) ack 1\n"
	"counter tcp_rto 0\n" },

	{ "SACK: a tail loss probe in recovery, nothing is new: what may be lost again",
	OPEN
	"send 14480 = 14480\n"
	"> . 1:1449(1448) ack 1\n> . 1449:2897(1448) ack 1\n"
	"> . 2897:4345(1448) ack 1\n> . 4345:5793(1448) ack 1\n"
	"> . 5793:7241(1448) ack 1\n> . 7241:8689(1448) ack 1\n"
	"> . 8689:10137(1448) ack 1\n> . 10137:11585(1448) ack 1\n"
	"> . 11585:13033(1448) ack 1\n> P. 13033:14481(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 1449:5793 7241:14481>\n"
	"+0 > . 1:1449(1448) ack 1\n"
	"> . 5793:7241(1448) ack 1\n"
	"# the link is full: that was no probe\n"
	"option full 0\n"
	"none 45\n"
	"option full 100\n"
	"+0.042 > . 5793:7241(1448) ack 1\n"
	"# what was sent again before it is lost again\n"
	"+0.02 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 102 ecr 20,nop,nop,sack 1449:14481>\n"
	"+0 > . 1:1449(1448) ack 1\n"
	"counter tcp_rto 0\n" },

	{ "SACK: RACK waits longer for a peer whose path reorders",
	OPEN
	"send 4344 = 4344\n"
	"> . 1:1449(1448) ack 1\n"
	"> . 1449:2897(1448) ack 1\n"
	"> P. 2897:4345(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20>\n"
	"+0.001 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 2897:4345>\n"
	"+0.004 > . 1449:2897(1448) ack 1\n"
	"# it was late, not lost: the peer has it twice (D-SACK)\n"
	"+0.02 < . 1:1(0) ack 4345 win 512 <nop,nop,TS val 102 ecr 46,nop,nop,sack 1449:2897>\n"
	"send 4344 = 4344\n"
	"> . 4345:5793(1448) ack 1\n"
	"> . 5793:7241(1448) ack 1\n"
	"> P. 7241:8689(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 5793 win 512 <nop,nop,TS val 103 ecr 66>\n"
	"+0.001 < . 1:1(0) ack 5793 win 512 <nop,nop,TS val 103 ecr 66,nop,nop,sack 7241:8689>\n"
	"# two quarters of the least RTT, 10 ms\n"
	"+0.009 > . 5793:7241(1448) ack 1\n"
	"counter tcp_fast_retransmit 2\n" },

	{ "SACK: RACK waits no longer if the path duplicates",
	OPEN
	"send 1448 = 1448\n"
	"> P. 1:1449(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20>\n"
	"< . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 1:1449>\n"
	"send 4344 = 4344\n"
	"> . 1449:2897(1448) ack 1\n"
	"> . 2897:4345(1448) ack 1\n"
	"> P. 4345:5793(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 2897 win 512 <nop,nop,TS val 102 ecr 40>\n"
	"+0.001 < . 1:1(0) ack 2897 win 512 <nop,nop,TS val 102 ecr 40,nop,nop,sack 4345:5793>\n"
	"# a quarter of the least RTT, 5 ms\n"
	"+0.004 > . 2897:4345(1448) ack 1\n" },

	{ "SACK: TSecr tells that an older copy arrived: what was sent before the newer is not lost",
	OPEN
	"send 7240 = 7240\n"
	"> . 1:1449(1448) ack 1\n> . 1449:2897(1448) ack 1\n"
	"> . 2897:4345(1448) ack 1\n> . 4345:5793(1448) ack 1\n"
	"> P. 5793:7241(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 2897:7241>\n"
	"> . 1:1449(1448) ack 1\n> . 1449:2897(1448) ack 1\n"
	"+0.004 send 1448 = 1448\n"
	"> P. 7241:8689(1448) ack 1\n"
	"+0.018 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 102 ecr 40,nop,nop,sack 2897:7241>\n"
	"send 1448 = 1448\n"
	"> P. 8689:10137(1448) ack 1\n"
	"# the second segment seems to be lost again\n"
	"+0.004 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 102 ecr 40,nop,nop,sack 2897:8689>\n"
	"> . 1449:2897(1448) ack 1\n"
	"# but it was late\n"
	"+0.021 < . 1:1(0) ack 8689 win 512 <nop,nop,TS val 103 ecr 40>\n"
	"none 20\n" },

	{ "SACK: what came out of order is told, the newest first",
	OPEN
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1001:2001>\n"
	"< . 3001:4001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 3001:4001 1001:2001>\n"
	"< . 2001:3001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1001:4001>\n"
	"poll = OUT\n"
	"< . 1:1001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 4001 <nop,nop,TS val * ecr 101>\n"
	"recv 5000 = 4000\n" },

	{ "D-SACK: a segment that came twice is told",
	OPEN
	"< . 1:1001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1001\n"
	"< . 1:1001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1001 <nop,nop,TS val * ecr 101,nop,nop,sack 1:1001>\n" },

	{ "D-SACK: in order, both ends of a segment were there",
	OPEN
	"< . 1:501(500) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 501\n"
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 501 <nop,nop,TS val * ecr 101,nop,nop,sack 1001:2001>\n"
	"< . 1:1501(1500) ack 1 win 512 <nop,nop,TS val 102 ecr 1>\n"
	"> . 1:1(0) ack 2001 <nop,nop,TS val * ecr 102,nop,nop,sack 1:501>\n"
	"> . 1:1(0) ack 2001 <nop,nop,TS val * ecr 102,nop,nop,sack 1001:1501>\n" },

	{ "D-SACK: two of one poll, one ACK for each",
	OPEN
	"option batch 1\n"
	"< . 1:1001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"< . 1:1001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 2001 <nop,nop,TS val * ecr 101,nop,nop,sack 1:1001>\n"
	"> . 1:1(0) ack 2001 <nop,nop,TS val * ecr 101,nop,nop,sack 1001:2001>\n" },

	{ "D-SACK: out of order, all of a segment",
	OPEN
	"< . 1001:3001(2000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1001:3001>\n"
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1001:2001 1001:3001>\n" },

	{ "D-SACK: out of order, a part of a segment, the first if there are two",
	OPEN
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1001:2001>\n"
	"< . 1501:2501(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1501:2001 1001:2501>\n"
	"< . 3001:3501(500) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 3001:3501 1001:2501>\n"
	"< . 2001:4001(2000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 2001:2501 1001:4001>\n" },

	{ "D-SACK: in order, the end of a segment was there",
	OPEN
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1001:2001>\n"
	"< . 1:1501(1500) ack 1 win 512 <nop,nop,TS val 102 ecr 1>\n"
	"> . 1:1(0) ack 2001 <nop,nop,TS val * ecr 102,nop,nop,sack 1001:1501>\n" },

	{ "D-SACK: in order, the begin of a segment was there",
	OPEN
	"< . 1:1001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1001\n"
	"< . 501:2001(1500) ack 1 win 512 <nop,nop,TS val 102 ecr 1>\n"
	"> . 1:1(0) ack 2001 <nop,nop,TS val * ecr 102,nop,nop,sack 501:1001>\n" },

	{ "tail loss probe after two RTTs; its ACK repairs all",
	OPEN
	"send 2896 = 2896\n"
	"> . 1:1449(1448) ack 1\n"
	"> P. 1449:2897(1448) ack 1\n"
	"+0.042 > P. 1449:2897(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1449 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 1449:2897>\n"
	"counter tcp_rto 0\n" },

	{ "tail loss probe of a single segment: in place of the RTO, which comes first",
	OPEN
	"option nodelay 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"# what follows does not put it off\n"
	"+0.1 send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"+0.12 > P. 11:21(10) ack 1\n"
	"counter tcp_rto 0\n"
	"+0.02 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 20,nop,nop,sack 11:21>\n"
	"> . 1:11(10) ack 1\n"
	"+0.02 < . 1:1(0) ack 21 win 512 <nop,nop,TS val 101 ecr 20>\n"
	"counter tcp_rto 0\n"
	"none 1000\n" },

	{ "tail loss probe: one, then the RTO begins anew",
	OPEN
	"option nodelay 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.22 > P. 1:11(10) ack 1\n"
	"counter tcp_rto 0\n"
	"+0.1 send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"+0.12 > . 1:11(10) ack 1\n"
	"> P. 11:21(10) ack 1\n"
	"counter tcp_rto 1\n" },

	{ "RTO: what was sent just before may still arrive, and is not sent again",
	OPEN
	"option nodelay 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.22 > P. 1:11(10) ack 1\n"
	"# that was a tail loss probe\n"
	"+0.1 send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"+0.11 send 10 = 10\n"
	"> P. 21:31(10) ack 1\n"
	"send 1448 = 1448\n"
	"> P. 31:1479(1448) ack 1\n"
	"# they fill the window of one segment, but the first goes all the same\n"
	"+0.01 > . 1:11(10) ack 1\n"
	"counter tcp_rto 1\n"
	"+0.01 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 2,nop,nop,sack 21:1479>\n"
	"> . 11:21(10) ack 1\n"
	"none 200\n" },

	{ "RTO without SACK: all is sent again",
	"option offer none\n"
	"option nodelay 1\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+0.02 < S. 0:0(0) ack 1 win 65535 <mss 1460>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.21 send 10 = 10\n"
	"> P. 11:21(10) ack 1\n"
	"+0.01 > . 1:11(10) ack 1\n"
	"> P. 11:21(10) ack 1\n"
	"counter tcp_rto 1\n" },

	{ "out of order, overlapping, beyond the window: each byte once",
	"option rcvbuf 3000\n"
	OPEN_PLAIN
	"< . 501:1501(1000) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< . 1001:2001(1000) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< . 2501:3501(1000) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< . 1:601(600) ack 1\n"
	"> . 1:1(0) ack 2001\n"
	"< . 1501:2701(1200) ack 1\n"
	"> . 1:1(0) ack 3001 win 0\n"
	"recv 5000 = 3000\n"
	"> . 1:1(0) ack 3001 win 3000\n" },

	{ "a FIN behind what the window takes comes again, and counts then",
	"option rcvbuf 3000\n"
	OPEN_PLAIN
	"< F. 1:3501(3500) ack 1\n"
	"> . 1:1(0) ack 3001 win 0\n"
	"counter tcp_fin_ignored 1\n"
	"recv 5000 = 3000\n"
	"> . 1:1(0) ack 3001 win 3000\n"
	"< F. 3001:3501(500) ack 1\n"
	"> . 1:1(0) ack 3502\n"
	"counter tcp_fin_ignored 1\n"
	"state CLOSE_WAIT\n" },

	{ "SACK: blocks of what was never sent, or is acknowledged, are ignored",
	OPEN
	"option nodelay 1\n"
	"send 100 = 100\n"
	"> P. 1:101(100) ack 1\n"
	"< . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 1,nop,nop,sack 51:102>\n"
	"< . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 1,nop,nop,sack 101:201>\n"
	"counter tcp_sack_ignored 2\n"
	"< . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 1,nop,nop,sack 51:101>\n"
	"counter tcp_sack_ignored 2\n" },

	{ "zero window: probes, backed off; it opens, data goes",
	OPEN_PLAIN
	"+0.01 < . 1:1(0) ack 1 win 0\n"
	"send 2000 = 2000\n"
	"+0.2 > . 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 0\n"
	"+0.4 > . 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 0\n"
	"+0.8 > . 0:0(0) ack 1\n"
	"counter tcp_zero_window_probe 3\n"
	"< . 1:1(0) ack 1 win 4000\n"
	"> . 1:1001(1000) ack 1\n"
	"> P. 1001:2001(1000) ack 1\n" },

	{ "zero window: a probe is no ACK: the delayed one comes, too",
	OPEN_PLAIN
	ALL_QUICK
	"< . 17:17(0) ack 1 win 0\n"
	"send 100 = 100\n"
	"+0.18 < P. 17:18(1) ack 1 win 0\n"
	"+0.02 > . 0:0(0) ack 18\n"
	"+0.019 > . 1:1(0) ack 18\n" },

	{ "silly window: the sender waits for a useful one",
	OPEN_PLAIN
	"< . 1:1(0) ack 1 win 100\n"
	"send 2000 = 2000\n"
	"none 150\n"
	"< . 1:1(0) ack 1 win 1500\n"
	"> . 1:1001(1000) ack 1\n" },

	{ "silly window: used after 200 ms, though the peer sends meanwhile",
	OPEN_PLAIN
	"< . 1:1(0) ack 1 win 100\n"
	"send 2000 = 2000\n"
	"+0.1 < P. 1:11(10) ack 1 win 100\n"
	"> . 1:1(0) ack 11\n"
	"+0.05 < P. 11:21(10) ack 1 win 100\n"
	"> . 1:1(0) ack 21\n"
	"+0.05 > . 1:101(100) ack 21\n" },

	{ "silly window: the receiver opens it by much or not at all",
	"option rcvbuf 4000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) win 4000\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1 win 4000\n"
	"< . 1:1001(1000) ack 1\n"
	"> . 1:1(0) ack 1001 win 3000\n"
	"< . 1001:4001(3000) ack 1\n"
	"> . 1:1(0) ack 4001 win 0\n"
	"recv 100 = 100\n"
	"recv 1000 = 1000\n"
	"none 10\n"
	"recv 900 = 900\n"
	"> . 1:1(0) ack 4001 win 2000\n" },

	{ "silly window: who peeks for more than it lets in opens it",
	"option rcvbuf 4000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) win 4000\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1 win 4000\n"
	"< . 1:4001(4000) ack 1\n"
	"> . 1:1(0) ack 4001 win 0\n"
	"recv 1460 = 1460\n"
	"none 10\n"
	"recv 4000 peek = 2540\n"
	"> . 1:1(0) ack 4001 win 1460\n" },

	{ "the peer closes first: our FIN carries the ACK of its",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"recv 10 = 10\n"
	"< F. 11:11(0) ack 1\n"
	"state CLOSE_WAIT\n"
	"none 30\n"
	"close\n"
	"> F. 1:1(0) ack 12\n"
	"state LAST_ACK\n"
	"< . 12:12(0) ack 2\n"
	"state CLOSE\n" },

	{ "the peer closes first",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"recv 10 = 10\n"
	"< F. 11:11(0) ack 1\n"
	"+0.04 > . 1:1(0) ack 12\n"
	"state CLOSE_WAIT\n"
	"poll = IN|OUT|RDHUP\n"
	"recv 10 = 0\n"
	"send 5 = 5\n"
	"> P. 1:6(5) ack 12\n"
	"close\n"
	"> F. 6:6(0) ack 12\n"
	"state LAST_ACK\n"
	"< . 12:12(0) ack 7\n"
	"state CLOSE\n"
	"waits 0\n" },

	{ "the peer closes, and never said anything: its FIN is acknowledged",
	OPEN_PLAIN
	"< F. 1:1(0) ack 1\n"
	"+0.001 > . 1:1(0) ack 2\n"
	"state CLOSE_WAIT\n" },

	{ "the peer closes, and never said anything: our FIN carries the ACK, if it is quick",
	OPEN_PLAIN
	"< F. 1:1(0) ack 1\n"
	"close\n"
	"> F. 1:1(0) ack 2\n"
	"< . 2:2(0) ack 2\n"
	"state CLOSE\n" },

	{ "we close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT",
	OPEN_PLAIN
	"shutdown = 0\n"
	"> F. 1:1(0) ack 1\n"
	"state FIN_WAIT1\n"
	"poll = OUT\n"
	"send 1 = EPIPE\n"
	"< . 1:1(0) ack 2\n"
	"state FIN_WAIT2\n"
	"< P. 1:11(10) ack 2\n"
	"> . 2:2(0) ack 11\n"
	"recv 100 = 10\n"
	"< F. 11:11(0) ack 2\n"
	"> . 2:2(0) ack 12\n"
	"poll = IN|OUT|HUP|RDHUP\n"
	"recv 100 = 0\n"
	"waits 1\n"
	"close\n"
	"+0.5 < F. 11:11(0) ack 2\n"
	"> . 2:2(0) ack 12\n"
	"+60.6 waits 0\n" },

	{ "both close at once: CLOSING",
	OPEN_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 1\n"
	"> . 2:2(0) ack 2\n"
	"state CLOSING\n"
	"< . 2:2(0) ack 2\n"
	"waits 1\n" },

	{ "FIN with data, and FIN acknowledged with the peer's",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"send 10 = 10\n"
	"close\n"
	"> FP. 11:21(10) ack 1\n"
	"< F. 1:1(0) ack 22\n"
	"> . 22:22(0) ack 2\n"
	"waits 1\n" },

	{ "FIN comes before the data that it ends",
	OPEN_PLAIN
	"< F. 101:201(100) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"poll = OUT\n"
	"< . 1:101(100) ack 1\n"
	"> . 1:1(0) ack 202\n"
	"recv 500 = 200\n"
	"recv 500 = 0\n"
	"state CLOSE_WAIT\n" },

	{ "FIN comes alone before the data that it ends: one ACK, as for any other segment",
	OPEN_PLAIN
	"< F. 201:201(0) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< F. 101:201(100) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< . 1:101(100) ack 1\n"
	"> . 1:1(0) ack 202\n"
	"state CLOSE_WAIT\n" },

	{ "FIN comes before its data, behind text that is beyond it",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK>\n"
	"> . 1:1(0) ack 1\n"
	"< . 4:21(17) ack 1\n"
	"> . 1:1(0) ack 1 <nop,nop,sack 4:21>\n"
	"< F. 6:6(0) ack 1\n"
	"> . 1:1(0) ack 1 <>\n"
	"counter tcp_beyond_fin 1\n"
	"< . 1:6(5) ack 1\n"
	"> . 1:1(0) ack 7\n"
	"recv 500 = 5\n"
	"recv 500 = 0\n"
	"state CLOSE_WAIT\n" },

	{ "FIN in its turn, behind text that is beyond it",
	OPEN_PLAIN
	"< . 6:21(15) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< F. 1:6(5) ack 1\n"
	"> . 1:1(0) ack 7\n"
	"recv 500 = 5\n"
	"recv 500 = 0\n"
	"state CLOSE_WAIT\n" },

	{ "FIN comes twice, at two places: the first one counts",
	OPEN_PLAIN
	"< F. 6:6(0) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< F. 11:11(0) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"counter tcp_beyond_fin 1\n"
	"< . 1:11(10) ack 1\n"
	"> . 1:1(0) ack 7\n"
	"counter tcp_beyond_fin 2\n"
	"counter tcp_window_full 0\n"
	"recv 500 = 5\n"
	"recv 500 = 0\n"
	"state CLOSE_WAIT\n" },

	{ "FIN at a number that text has already: it is ignored",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"< F. 6:10(4) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"counter tcp_fin_old 1\n"
	"state ESTABLISHED\n" },

	{ "behind the peer's FIN is nothing: text, and another FIN; before it all is known",
	OPEN_PLAIN
	"< F. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 12\n"
	"< P. 12:22(10) ack 1\n"
	"> . 1:1(0) ack 12\n"
	"< F. 12:12(0) ack 1\n"
	"> . 1:1(0) ack 12\n"
	"counter tcp_beyond_fin 2\n"
	"< F. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 12\n"
	"counter tcp_beyond_fin 2\n"
	"counter tcp_duplicate 1\n"
	"recv 500 = 10\n"
	"recv 500 = 0\n"
	"state CLOSE_WAIT\n" },

	{ "FIN at the right edge of the window",
	"option rcvbuf 4096\n"
	OPEN_PLAIN
	"< F. 1:4097(4096) ack 1\n"
	"> . 1:1(0) ack 4098\n"
	"recv 5000 = 4096\n"
	"recv 500 = 0\n"
	"state CLOSE_WAIT\n" },

	{ "FIN is sent again",
	OPEN_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"+0.2 > F. 1:1(0) ack 1\n"
	"+0.4 > F. 1:1(0) ack 1\n"
	"< . 1:1(0) ack 2\n"
	"state FIN_WAIT2\n"
	"+60.1 state CLOSE\n"
	"waits 0\n" },

	{ "FIN-WAIT-2: as long as TCP_LINGER2 says, once the user has let go",
	OPEN_PLAIN
	"set TCP_LINGER2 10 = 0\n"
	"shutdown = 0\n"
	"> F. 1:1(0) ack 1\n"
	"< . 1:1(0) ack 2\n"
	"+100 state FIN_WAIT2\n"
	"close\n"
	"+9.9 state FIN_WAIT2\n"
	"+0.2 state CLOSE\n"
	"waits 0\n" },

	{ "FIN-WAIT-2: TCP_LINGER2 of an accepted connection, set before",
	"set TCP_LINGER2 100 = 0\n"
	ACCEPT_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< . 1:1(0) ack 2\n"
	"+99.9 state FIN_WAIT2\n"
	"+0.2 state CLOSE\n" },

	{ "FIN-WAIT-2: three and a half RTOs at least",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+0.4 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"set TCP_LINGER2 1 = 0\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"+0.4 < . 1:1(0) ack 2\n"
	"+2.5 state FIN_WAIT2\n"
	"+2.5 state CLOSE\n" },

	{ "FIN-WAIT-2: a negative TCP_LINGER2: RST once the FIN is acknowledged",
	OPEN_PLAIN
	"set TCP_LINGER2 -1 = 0\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"+0.1 < . 1:1(0) ack 2\n"
	"> R. 2:2(0) ack 1\n"
	"state CLOSE\n"
	"waits 0\n" },

	{ "FIN-WAIT-2: a negative TCP_LINGER2: RST at once, if it is there",
	OPEN_PLAIN
	"set TCP_LINGER2 -1 = 0\n"
	"shutdown = 0\n"
	"> F. 1:1(0) ack 1\n"
	"< . 1:1(0) ack 2\n"
	"+1 state FIN_WAIT2\n"
	"close\n"
	"> R. 2:2(0) ack 1\n"
	"state CLOSE\n" },

	{ "FIN-WAIT-2: a negative TCP_LINGER2 is no RST if the peer ends first",
	OPEN_PLAIN
	"set TCP_LINGER2 -1 = 0\n"
	"< F. 1:1(0) ack 1\n"
	"+0.001 > . 1:1(0) ack 2\n"
	"close\n"
	"> F. 1:1(0) ack 2\n"
	"< . 2:2(0) ack 2\n"
	"state CLOSE\n" },

	{ "closed with data unread: RST",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"close\n"
	"> R. 1:1(0) ack 11\n"
	"state CLOSE\n" },

	{ "closed with data out of order: that was not there to be read",
	OPEN_PLAIN
	"< P. 11:21(10) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"state FIN_WAIT1\n" },

	{ "FIN after close, but data before it is missing: RST",
	OPEN_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< . 1:1(0) ack 2\n"
	"< F. 11:11(0) ack 2\n"
	"> R. 2:2(0) ack 1\n"
	"state CLOSE\n" },

	{ "TIME-WAIT: a new SYN, but nobody listens",
	OPEN_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"waits 1\n"
	"< S 1000:1000(0) win 65535 <mss 1000>\n"
	"> . 2:2(0) ack 2\n"
	"counter tcp_time_wait_syn 1\n"
	"waits 1\n" },

	{ "TIME-WAIT: text behind the FIN is answered, and nothing",
	OPEN_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"< P. 2:12(10) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"counter tcp_beyond_fin 1\n"
	"waits 1\n" },

	{ "data after close: RST",
	OPEN_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< P. 1:11(10) ack 2\n"
	"> R. 2:2(0) ack 1\n"
	"counter tcp_data_after_close 1\n"
	"state CLOSE\n" },

	{ "TIME-WAIT: a RST does not end it (RFC 1337), a new SYN opens anew",
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"waits 1\n"
	"< R. 2:2(0) ack 2\n"
	"waits 1\n"
	"counter tcp_time_wait_rst 1\n"
	"< . 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"option peer_isn 2000000\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"waits 0\n" },

	{ "RST: exactly at rcv_nxt resets",
	OPEN_PLAIN
	"< R 1:1(0)\n"
	"poll = IN|OUT|HUP|RDHUP|ERR\n"
	"recv 10 = ECONNRESET\n"
	"recv 10 = 0\n"
	"send 10 = EPIPE\n" },

	{ "RST: data before it can be read first",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"< R 11:11(0)\n"
	"recv 100 = 10\n"
	"recv 100 = ECONNRESET\n" },

	{ "RST: after a FIN its number, once more, resets",
	OPEN_PLAIN
	"< F. 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 2\n"
	"< R 0:0(0)\n"
	"state CLOSE_WAIT\n"
	"< R 1:1(0)\n"
	"state CLOSE\n"
	"send 10 = EPIPE\n" },

	{ "RST: after a FIN of both sides, too; not without one",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"< R 10:10(0)\n"
	"recv 100 = 10\n"
	"shutdown = 0\n"
	"> F. 1:1(0) ack 11\n"
	"< R 10:10(0)\n"
	"< F. 11:11(0) ack 1\n"
	"> . 2:2(0) ack 12\n"
	"state CLOSING\n"
	"< R 11:11(0)\n"
	"state CLOSE\n"
	"counter tcp_rst_in 1\n" },

	{ "RST: with a hole, behind all that came, resets",
	OPEN
	"< . 1001:2001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 1001:2001>\n"
	"< . 3001:4001(1000) ack 1 win 512 <nop,nop,TS val 101 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 3001:4001 1001:2001>\n"
	"< R 2001:2001(0)\n"
	"> . 1:1(0) ack 1\n"
	"state ESTABLISHED\n"
	"< R 4001:4001(0)\n"
	"state CLOSE\n"
	"recv 10 = ECONNRESET\n" },

	{ "RST: with a hole, but without SACK, is challenged there",
	OPEN_PLAIN
	"< . 1001:2001(1000) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< R 2001:2001(0)\n"
	"> . 1:1(0) ack 1\n"
	"state ESTABLISHED\n" },

	{ "RST: elsewhere in the window is challenged, once in 500 ms",
	OPEN_PLAIN
	"< R 100:100(0)\n"
	"> . 1:1(0) ack 1\n"
	"< R 200:200(0)\n"
	"state ESTABLISHED\n"
	"counter tcp_challenge_ack 1\n"
	"counter tcp_challenge_limited 1\n"
	"+0.6 < R 100:100(0)\n"
	"> . 1:1(0) ack 1\n"
	"< R 100000000:100000000(0)\n"
	"counter tcp_rst_ignored 3\n"
	"counter tcp_out_of_window 1\n"
	"state ESTABLISHED\n" },

	{ "SYN on a connection is challenged",
	OPEN_PLAIN
	"< S 1:1(0)\n"
	"> . 1:1(0) ack 1\n"
	"state ESTABLISHED\n"
	"+1 < S. 100:100(0) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"counter tcp_syn_ignored 2\n" },

	{ "SYN with data, far from the window: challenged, once in 500 ms",
	OPEN_PLAIN
	"< S 200000:200100(100)\n"
	"> . 1:1(0) ack 1\n"
	"< S 200000:200100(100)\n"
	"< SF 300000:300100(100)\n"
	"none 100\n"
	"counter tcp_challenge_limited 2\n"
	"counter tcp_out_of_window 3\n" },

	{ "data far from the window: each segment is answered",
	OPEN_PLAIN
	"< . 200000:200100(100) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"< . 200000:200100(100) ack 1\n"
	"> . 1:1(0) ack 1\n" },

	{ "half-open: a SYN follows the RST, once",
	"connect = EINPROGRESS\n> S 0:0(0)\n"
	"< . 5000:5000(0) ack 777\n"
	"> R 777:777(0)\n"
	"+0.002 > S 0:0(0)\n"
	"< . 5000:5000(0) ack 777\n"
	"> R 777:777(0)\n"
	"none 900\n" },

	{ "an ACK of what was never sent is challenged",
	OPEN_PLAIN
	"< . 1:11(10) ack 5000\n"
	"> . 1:1(0) ack 1\n"
	"counter tcp_bad_ack 1\n"
	"poll = OUT\n" },

	{ "an ACK from long ago is challenged",
	OPEN_PLAIN
	"+1 < . 1:11(10) ack 4294897296\n"
	"> . 1:1(0) ack 1\n"
	"counter tcp_bad_ack 1\n" },

	{ "an ACK of bytes that were never sent is challenged",
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000,nop,wscale 14>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 65535\n"
	"accept = 0\n"
	"< P. 1:11(10) ack 4294867296\n"
	"> . 1:1(0) ack 1\n"
	"counter tcp_bad_ack 1\n"
	"send 100 = 100\n"
	"> P. 1:101(100) ack 1\n"
	"+0.1 < . 1:1(0) ack 101\n"
	"shutdown = 0\n"
	"> F. 101:101(0) ack 1\n"
	"< . 1:1(0) ack 102\n"
	"+0.6 < P. 1:11(10) ack 0\n"
	"> . 102:102(0) ack 1\n"
	"counter tcp_bad_ack 2\n"
	"# of the SYN, and before all that was sent: it was overtaken\n"
	"< P. 1:11(10) ack 1\n"
	"> . 102:102(0) ack 11\n"
	"recv 100 = 10\n"
	"counter tcp_old_ack 1\n"
	"counter tcp_bad_ack 2\n" },

	{ "PAWS: an ACK that another one overtook tells of blocks yet",
	OPEN
	"send 5792 = 5792\n"
	"> . 1:1449(1448) ack 1\n> . 1449:2897(1448) ack 1\n"
	"> . 2897:4345(1448) ack 1\n> P. 4345:5793(1448) ack 1\n"
	"+0.02 < . 1:1(0) ack 1 win 512 <nop,nop,TS val 1202 ecr 20,nop,nop,sack 4345:5793>\n"
	"< . 1:1(0) ack 1 win 512 <nop,nop,TS val 1201 ecr 20,nop,nop,sack 1449:4345>\n"
	"+0.005 > . 1:1449(1448) ack 1 <nop,nop,TS val * ecr 1202>\n"
	"counter tcp_paws 0\n"
	"# this one is older than what can be on its way\n"
	"< . 1:1(0) ack 1 win 512 <nop,nop,TS val 101 ecr 20>\n"
	"+0 > . 5793:5793(0) ack 1\n"
	"counter tcp_paws 1\n" },

	{ "PAWS: an old segment is answered and dropped",
	OPEN
	"< . 1:101(100) ack 1 win 512 <nop,nop,TS val 200 ecr 1>\n"
	"> . 1:1(0) ack 101 <nop,nop,TS val * ecr 200>\n"
	"< . 101:201(100) ack 1 win 512 <nop,nop,TS val 199 ecr 1>\n"
	"> . 1:1(0) ack 101 <nop,nop,TS val * ecr 200>\n"
	"counter tcp_paws 1\n"
	"< . 101:201(100) ack 1 win 512 <nop,nop,TS val 200 ecr 1>\n"
	"> . 1:1(0) ack 201\n"
	"recv 500 = 200\n" },

	{ "PAWS: a SYN-ACK with a timestamp of 0 makes nothing old",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+0.02 < S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>\n"
	"> . 1:1(0) ack 1\n"
	"< P. 1:101(100) ack 1 win 512 <nop,nop,TS val 3000000000 ecr 1>\n"
	"> . 1:1(0) ack 101 <nop,nop,TS val * ecr 3000000000>\n"
	"recv 500 = 100\n"
	"counter tcp_paws 0\n" },

	{ "timestamps: TS.Recent follows Last.ACK.sent, not the newest segment",
	OPEN
	"< . 101:201(100) ack 1 win 512 <nop,nop,TS val 300 ecr 1>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100,nop,nop,sack 101:201>\n"
	"< . 1:101(100) ack 1 win 512 <nop,nop,TS val 250 ecr 1>\n"
	"> . 1:1(0) ack 201 <nop,nop,TS val * ecr 250>\n" },

	{ "timestamps: that of an ACK that is not acceptable is not TS.Recent",
	OPEN
	"+1 < P. 1:101(100) ack 99999 win 512 <nop,nop,TS val 2000000000 ecr 20>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 100>\n"
	"< P. 1:101(100) ack 1 win 512 <nop,nop,TS val 700 ecr 20>\n"
	"> . 1:1(0) ack 101 <nop,nop,TS val * ecr 700>\n"
	"counter tcp_paws 0\n" },

	{ "timestamps: after 24 days an old one is believed (RFC 7323 5.5)",
	OPEN
	"< . 1:101(100) ack 1 win 512 <nop,nop,TS val 200 ecr 1>\n"
	"> . 1:1(0) ack 101 <nop,nop,TS val * ecr 200>\n"
	"+2160000 < . 101:201(100) ack 1 win 512 <nop,nop,TS val 199 ecr 1>\n"
	"> . 1:1(0) ack 201 <nop,nop,TS val * ecr 199>\n" },

	{ "timestamps: a segment without them is dropped, a RST is not",
	OPEN
	"< . 1:101(100) ack 1\n"
	"none 100\n"
	"counter tcp_ts_missing 1\n"
	"counter tcp_bad_options 0\n"
	"poll = OUT\n"
	"< R 1:1(0)\n"
	"error = ECONNRESET\n" },

	{ "timestamps: a peer that has forgotten us, and them, may reconnect",
	"option peer_port 7000\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 100 ecr 0>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 65535 <nop,nop,TS val 101 ecr 1>\n"
	"accept = 0\n"
	"+60 < S 70000:70000(0) win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"< R 1:1(0)\n"
	"error = ECONNRESET\n"
	"+1 < S 70000:70000(0) win 65535 <mss 1000>\n"
	"> S. * ack 70001 <mss 1460>\n" },

	{ "a wrong checksum is dropped",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1 badsum\n"
	"none 100\n"
	"counter tcp_bad_csum 1\n"
	"poll = OUT\n" },

	{ "options that make no sense are dropped",
	OPEN_PLAIN
	"< P. 1:11(10) ack 1 <raw 8,raw 0,raw 0,raw 0>\n"
	"< P. 1:11(10) ack 1 <raw 8,raw 20,raw 0,raw 0>\n"
	"none 100\n"
	"counter tcp_bad_options 2\n"
	"< P. 1:11(10) ack 1 <raw 99,raw 4,raw 0,raw 0>\n"
	"> . 1:1(0) ack 11\n" },

	{ "window scaling: 14 at most, not on SYN",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 100 <mss 1000,nop,wscale 200>\n"
	"> . 1:1(0) ack 1\n"
	"option nodelay 1\n"
	"send 5 = 5\n"
	"> P. 1:6(5) ack 1\n"
	"< . 1:1(0) ack 6 win 4\n"
	"send 3000 = 3000\n"
	"> . 6:1006(1000) ack 1\n"
	"> . 1006:2006(1000) ack 1\n"
	"> P. 2006:3006(1000) ack 1\n" },

	{ "keep-alive: two hours, then nine probes",
	"option keepalive 1\n"
	OPEN_PLAIN
	"+7200 > . 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"+7200 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > . 0:0(0) ack 1\n"
	"+75 > R. 1:1(0) ack 1\n"
	"error = ETIMEDOUT\n" },

	{ "keep-alive of the peer is answered",
	OPEN_PLAIN
	"+1 < . 0:0(0) ack 1\n"
	"> . 1:1(0) ack 1\n"
	"+1 < . 0:1(1) ack 1\n"
	"> . 1:1(0) ack 1\n" },

	{ "ICMP: an error ends an opening",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< icmp unreach 1 seq 7\n"
	"state SYN_SENT\n"
	"< icmp unreach 1 seq 0\n"
	"error = EHOSTUNREACH\n"
	"counter tcp_icmp_not_in_flight 1\n"
	"< icmp unreach 1 seq 0\n"
	"counter tcp_icmp_no_port 1\n"
	"# IPv4 only\n" },

	{ "ICMP: an error does not end a connection",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< icmp unreach 3 seq 1\n"
	"error = 0\n"
	"state ESTABLISHED\n"
	"< . 1:1(0) ack 11\n" },

	{ "ICMP: a smaller MTU; sent again in smaller pieces, at once",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1460>\n"
	"> . 1:1(0) ack 1\n"
	"send 2920 = 2920\n"
	"> . 1:1461(1460) ack 1\n"
	"> P. 1461:2921(1460) ack 1\n"
	"< icmp unreach 4 mtu 1000 seq 5000\n"
	"none 10\n"
	"< icmp unreach 4 mtu 1000 seq 1\n"
	"> . 1:961(960) ack 1\n"
	"> . 961:1921(960) ack 1\n"
	"> . 1921:2881(960) ack 1\n"
	"> P. 2881:2921(40) ack 1\n# IPv4 only\n" },

	{ "backlog: SYN and ACK of a full accept queue are ignored",
	"listen\n"
	ACCEPT_LATER("7777")
	"option peer_port 7778\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	ACCEPT_LATER("7779")
	"option peer_port 7780\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"counter tcp_accept_full 1\n"
	"+1 > S. 0:0(0) ack 1\n"
	"option peer_port 7778\n"
	"< . 1:1(0) ack 1\n"
	"counter tcp_accept_full 2\n"
	"counter tcp_established 2\n"
	"accept = 0\n"
	"< . 1:1(0) ack 1\n"
	"counter tcp_established 3\n" },

	{ "listening: ACK gets RST, RST and FIN nothing",
	"listen\n"
	"< . 1:1(0) ack 1000\n"
	"> R 1000:1000(0)\n"
	"< S. 1:1(0) ack 2000\n"
	"> R 2000:2000(0)\n"
	"counter tcp_listen_ack 2\n"
	"< R 1:1(0)\n"
	"counter tcp_listen_rst 1\n"
	"< F 1:1(0)\n"
	"counter tcp_listen_no_syn 1\n"
	"< SF 1:1(0)\n"
	"counter tcp_listen_syn_fin 1\n"
	"none 10\n" },

	{ "listening: text of a SYN comes again",
	"listen\n"
	"< S 0:10(10) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"counter tcp_syn_text 1\n"
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"accept = 0\n"
	"recv 20 = 10\n" },

	{ "SYN-RECEIVED: a bad ACK gets RST, a RST ends it",
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 77\n"
	"> R 77:77(0)\n"
	"state SYN_RECV\n"
	"< R 1:1(0)\n"
	"state CLOSE\n" },

	{ "the last ACK of the handshake brings data",
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< P. 1:101(100) ack 1\n"
	"> . 1:1(0) ack 101\n"
	"accept = 0\n"
	"recv 500 = 100\n" },

	{ "point-to-point listen: a second peer's SYN gets RST",
	"listen_peer\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n"
	"state ESTABLISHED\n"
	"option peer_port 7778\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> R. * ack 1\n"
	"counter tcp_peer_busy 1\n"
	"< . 1:1(0) ack 1\n"
	"> R 1:1(0)\n"
	"counter tcp_listen_ack 1\n" },

	{ "a full link: nothing is lost, order is kept",
	OPEN_PLAIN
	"option full 1\n"
	"send 3000 = 3000\n"
	"> . 1:1001(1000) ack 1\n"
	"none 10\n"
	"option full 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"option full -1\n"
	"> P. 2001:3001(1000) ack 1\n" },

	{ "congestion window: a message waits for it, too",
	"option gso 65535\n"
	"option nodelay 1\n"
	OPEN_PLAIN
	"send 10000 = 10000\n"
	"> P. 1:10001(10000) ack 1 gso 1000\n"
	"send 100 = 100\n"
	"none 20\n"
	"< . 1:1(0) ack 1001\n"
	"> P. 10001:10101(100) ack 1\n" },

	{ "super-segments: many segments at once, the tail as Nagle says",
	"option gso 65535\n"
	OPEN_PLAIN
	"send 9500 = 9500\n"
	"> P. 1:9501(9500) ack 1 gso 1000\n"
	"+0.01 < . 1:1(0) ack 9501\n"
	"send 30000 = 30000\n"
	"> . 9501:28501(19000) ack 1 gso 1000\n" },

	/* They fill chunks of 2, 4, 8 KB, of which a slot takes three. */
	{ "super-segments: whole segments of what a slot takes",
	"option gso 65535\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1460>\n"
	"> . 1:1(0) ack 1\n"
	"< . 1:1(0) ack 1 win 0\n"
	SEND_4000 SEND_4000 SEND_4000 SEND_4000
	"< . 1:1(0) ack 1 win 60000\n"
	"> . 1:13141(13140) ack 1 gso 1460\n"
	"> . 13141:14601(1460) ack 1\n"
	"counter tcp_out 12\n" },

	{ "super-segments: whole segments, as many as the link takes",
	"option gso 5500\n"
	OPEN_PLAIN
	"send 9500 = 9500\n"
	"> . 1:5001(5000) ack 1 gso 1000\n"
	"> P. 5001:9501(4500) ack 1 gso 1000\n" },

	{ "super-segments: received, each segment in them counts for the delayed ACK",
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< P. 1:11(10) ack 11\n"
	"> . 11:11(0) ack 11\n"
	"send 10 = 10\n"
	"> P. 11:21(10) ack 11\n"
	"< . 11:3011(3000) ack 21 gso 1000\n"
	"> . 21:21(0) ack 3011\n"
	"send 10 = 10\n"
	"> P. 21:31(10) ack 3011\n"
	"< . 3011:4011(1000) ack 31\n"
	"none 5\n"
	"< . 4011:5011(1000) ack 31\n"
	"> . 31:31(0) ack 5011\n" },

	{ "the largest user of the initial window: ten segments",
	OPEN_PLAIN
	"send 20000 = 20000\n"
	"> . 1:1001(1000) ack 1\n> . 1001:2001(1000) ack 1\n"
	"> . 2001:3001(1000) ack 1\n> . 3001:4001(1000) ack 1\n"
	"> . 4001:5001(1000) ack 1\n> . 5001:6001(1000) ack 1\n"
	"> . 6001:7001(1000) ack 1\n> . 7001:8001(1000) ack 1\n"
	"> . 8001:9001(1000) ack 1\n> . 9001:10001(1000) ack 1\n"
	"+0.01 < . 1:1(0) ack 2001\n"
	"> . 10001:11001(1000) ack 1\n> . 11001:12001(1000) ack 1\n"
	"> . 12001:13001(1000) ack 1\n> . 13001:14001(1000) ack 1\n" },
};

int main(int argc, char **argv)
{
	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	return finish();
}
