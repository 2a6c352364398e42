// SPDX-License-Identifier: MIT
/* Explicit congestion notification, classic (RFC 3168) and accurate (RFC 9768). */
#include "tcp_bench.h"
#include "world.h"

#define CLASSIC \
	"option ecn 1\n" \
	"connect = EINPROGRESS\n" \
	"> SEW 0:0(0)\n" \
	"< S.E 0:0(0) ack 1 win 65535 <mss 1000>\n" \
	"> . 1:1(0) ack 1\n"

#define CLASSIC_ACCEPT \
	"listen\n" \
	"< SEW 0:0(0) win 65535 <mss 1000>\n" \
	"> S.E 0:0(0) ack 1\n" \
	"< . 1:1(0) ack 1 win 65535\n" \
	"accept = 0\n"

/* The ACE field of 5 is AE and ECE: "eE". */
#define ACC \
	"option ecn 2\n" \
	"connect = EINPROGRESS\n" \
	"> SEWe 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7>\n" \
	"< S.W 0:0(0) ack 1 win 65535 <mss 1000,accecn0 1 0 1>\n" \
	"> .W 1:1(0) ack 1 <accecn0 1,nop,nop,nop>\n"

#define ACC_ACCEPT \
	"listen\n" \
	"< SEWe 0:0(0) win 65535 <mss 1000>\n" \
	"> S.W 0:0(0) ack 1 <mss 1460,accecn0 1 0 1,nop>\n" \
	"< .W 1:1(0) ack 1 win 65535 <accecn0 1>\n" \
	"accept = 0\n"

#define ACC_TIMED \
	"listen\n" \
	"< SEWe 0:0(0) win 65535 <mss 1000,nop,nop,TS val 1000 ecr 0>\n" \
	"> S.W 0:0(0) ack 1\n" \
	"< .W 1:1(0) ack 1 <nop,nop,TS val 1000 ecr 0>\n" \
	"accept = 0\n"

static const struct named_script scripts[] = {
	{ "off by default: a SYN does not ask, and a SYN-ACK cannot agree",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S.E 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },

	{ "off altogether: not even when the peer asks",
	"option ecn 3\n"
	"listen\n"
	"< SEW 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"option peer_port 7778\n"
	"< SEWe 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n" },

	{ "classic: data is ECN-capable, an ACK, a probe and a retransmission are not",
	CLASSIC
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1 ect0\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"< . 1:11(10) ack 11 win 0\n"
	"> . 11:11(0) ack 11\n"
	"send 10 = 10\n"
	"+0.2 > . 10:10(0) ack 11\n"
	"close\n"
	"> R. 11:11(0) ack 11\n" },

	{ "classic: what was sent again after a timeout comes with CWR behind it",
	CLASSIC
	"option nodelay 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1 ect0\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"< . 1:1(0) ack 11\n"
	"send 10 = 10\n"
	"> P.W 11:21(10) ack 1 ect0\n"
	"send 10 = 10\n"
	"> P. 21:31(10) ack 1 ect0\n" },

	{ "classic: a mark is echoed at once, and until CWR comes",
	CLASSIC_ACCEPT
	"< P. 1:11(10) ack 1 ect0\n"
	"> . 1:1(0) ack 11\n"
	"< P. 11:21(10) ack 1 ce\n"
	"> .E 1:1(0) ack 21\n"
	"< P. 21:31(10) ack 1 ect0\n"
	"> .E 1:1(0) ack 31\n"
	"recv 100 = 30\n"
	"send 5 = 5\n"
	"> P.E 1:6(5) ack 31 ect0\n"
	"< P.W 31:41(10) ack 6 ect0\n"
	"> . 6:6(0) ack 41\n"
	"counter tcp_ecn_ce 1\n" },

	{ "classic: CWR and a new mark in one segment",
	CLASSIC_ACCEPT
	"< P. 1:11(10) ack 1 ce\n"
	"> .E 1:1(0) ack 11\n"
	"< P.W 11:21(10) ack 1 ce\n"
	"> .E 1:1(0) ack 21\n" },

	{ "classic: a mark on a pure ACK is none",
	CLASSIC_ACCEPT
	"< . 1:1(0) ack 1 ce\n"
	"< P. 1:11(10) ack 1 ect0\n"
	"> . 1:1(0) ack 11\n" },

	{ "classic: an echo reduces the window once, and CWR says so",
	CLASSIC
	"send 20000 = 20000\n"
	"> . 1:1001(1000) ack 1 ect0\n> . 1001:2001(1000) ack 1 ect0\n"
	"> . 2001:3001(1000) ack 1 ect0\n> . 3001:4001(1000) ack 1 ect0\n"
	"> . 4001:5001(1000) ack 1 ect0\n> . 5001:6001(1000) ack 1 ect0\n"
	"> . 6001:7001(1000) ack 1 ect0\n> . 7001:8001(1000) ack 1 ect0\n"
	"> . 8001:9001(1000) ack 1 ect0\n> . 9001:10001(1000) ack 1 ect0\n"
	"+0.01 < .E 1:1(0) ack 2001\n"
	"> .W 10001:11001(1000) ack 1 ect0\n"
	"< .E 1:1(0) ack 4001\n"
	"> . 11001:12001(1000) ack 1 ect0\n"
	"counter tcp_ecn_reduced 1\n" },

	{ "classic: a SYN that was lost goes without; the late answer is void",
	"option ecn 1\n"
	"connect = EINPROGRESS\n"
	"> SEW 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"< S.E 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },

	{ "classic: a peer that reflects, one that refuses, one that is odd",
	"option ecn 1\n"
	"connect = EINPROGRESS\n"
	"> SEW 0:0(0)\n"
	"< S.EW 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },

	{ "classic: a SYN that comes ECN-capable was meddled with",
	"listen\n"
	"< SEW 0:0(0) win 65535 <mss 1000> ect0\n"
	"> S. 0:0(0) ack 1\n" },

	{ "AccECN: asked for, agreed, told apart from the counter that follows",
	ACC
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 <accecn0 1,nop,nop,nop> ect0\n"
	"< .Ee 1:1(0) ack 11 <accecn0 11>\n"
	"send 10 = 10\n"
	"> P.Ee 11:21(10) ack 1 <> ect0\n"
	"counter tcp_ecn_mangled 0\n" },

	{ "AccECN: agreed to when the peer asks, whatever else it asks for",
	"listen\n"
	"< Se 0:0(0) win 65535 <mss 1000>\n"
	"> S.W 0:0(0) ack 1 <mss 1460,accecn0 1 0 1,nop>\n"
	"< .W 1:1(0) ack 1 win 65535 <accecn0 1>\n"
	"accept = 0\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 <> ect0\n" },

	{ "AccECN: how the SYN arrived is told by the SYN-ACK",
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000> ect1\n"
	"> S.EW 0:0(0) ack 1\n"
	"+0.3 < SEWe 0:0(0) win 65535 <mss 1000> ect0\n"
	"> S.e 0:0(0) ack 1 <mss 1460>\n"
	"+0.6 < SEWe 0:0(0) win 65535 <mss 1000> ce\n"
	"> S.We 0:0(0) ack 1 <mss 1460>\n" },

	{ "AccECN: a SYN-ACK that arrived marked counts once, and is told",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"< S.W 0:0(0) ack 1 win 65535 <mss 1000,accecn0 1 0 1> ce\n"
	"> .We 1:1(0) ack 1\n"
	"+1 < S.W 0:0(0) ack 1 win 65535 <mss 1000> ect0\n"
	"> .e 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P.We 1:11(10) ack 1 ect0\n" },

	{ "AccECN: a peer that knows the classic kind only",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"< S.E 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1 ect0\n"
	"< P. 1:11(10) ack 11 ce\n"
	"> .E 11:11(0) ack 11\n" },

	{ "AccECN: a peer that reflects what it got",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"< S.EWe 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },

	{ "AccECN: an answer of a kind to come is agreement",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"< S.Ee 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> .W 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 ect0\n" },

	{ "AccECN: the third SYN goes without, agreement is believed even then",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"+1 > SEWe 0:0(0)\n"
	"+2 > S 0:0(0)\n"
	"< S.W 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> .W 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 ect0\n" },

	{ "AccECN: the second SYN-ACK has no option, the third no ECN: then no ECT",
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000>\n"
	"> S.W 0:0(0) ack 1 <mss 1460,accecn0 1 0 1,nop>\n"
	"+1 > S.W 0:0(0) ack 1 <mss 1460>\n"
	"+2 > S. 0:0(0) ack 1 <mss 1460>\n"
	"< .W 1:1(0) ack 1 win 65535\n"
	"accept = 0\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 <>\n"
	"< P.Ee 1:11(10) ack 11 ce\n"
	"> .We 11:11(0) ack 11 <>\n" },

	{ "AccECN: a plain SYN behind the first: AccECN, but nothing is ECN-capable",
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000>\n"
	"> S.W 0:0(0) ack 1\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S.W 0:0(0) ack 1 <mss 1460>\n"
	"< .W 1:1(0) ack 1 win 65535\n"
	"accept = 0\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 <>\n" },

	{ "AccECN: two SYNs that ask for different kinds are reset",
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000>\n"
	"> S.W 0:0(0) ack 1\n"
	"< SEW 0:0(0) win 65535 <mss 1000>\n"
	"> R.Ee 1:1(0) ack 1\n"
	"state CLOSE\n"
	"< SEW 0:0(0) win 65535 <mss 1000>\n"
	"> S.E 0:0(0) ack 1\n"
	"< SEWe 0:0(0) win 65535 <mss 1000>\n"
	"> R. 1:1(0) ack 1\n" },

	{ "AccECN: an ACK of zero ends trust, but not what we tell",
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000>\n"
	"> S.W 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1 win 65535\n"
	"accept = 0\n"
	"counter tcp_ecn_mangled 1\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1\n"
	"< .We 1:1(0) ack 11\n"
	"counter tcp_ecn_reduced 0\n"
	"< P. 1:11(10) ack 11 ce\n"
	"> .We 11:11(0) ack 11 <accecn0 1 10>\n" },

	{ "AccECN: a SYN-ACK or SYN that did not arrive as it was sent",
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000>\n"
	"> S.W 0:0(0) ack 1\n"
	"< .e 1:1(0) ack 1 win 65535\n"
	"accept = 0\n"
	"counter tcp_ecn_mangled 1\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1\n" },

	{ "AccECN: a SYN that did not arrive as it was sent",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"< S.EW 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> .W 1:1(0) ack 1\n"
	"counter tcp_ecn_mangled 1\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1\n" },

	{ "AccECN: a counter that begins with zero was zeroed",
	ACC
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 <accecn0 1,nop,nop,nop> ect0\n"
	"< . 1:1(0) ack 11\n"
	"counter tcp_ecn_mangled 1\n"
	"send 10 = 10\n"
	"> P.Ee 11:21(10) ack 1\n"
	"< .Ee 1:1(0) ack 21\n"
	"counter tcp_ecn_reduced 0\n" },

	{ "AccECN: the receiver counts packets and bytes, each kind by itself",
	ACC_ACCEPT
	"< P.Ee 1:101(100) ack 1 ect0\n"
	"> .Ee 1:1(0) ack 101 <accecn0 101,nop,nop,nop>\n"
	"< P.Ee 101:201(100) ack 1 ce\n"
	"> .We 1:1(0) ack 201 <accecn0 101 100>\n"
	"< P.Ee 201:301(100) ack 1 ect1\n"
	"> .We 1:1(0) ack 301 <accecn0 101 100 101,nop>\n"
	"< P.Ee 301:401(100) ack 1\n"
	"> .We 1:1(0) ack 401 <>\n"
	"< P.Ee 401:501(100) ack 1 ce\n"
	"> .EWe 1:1(0) ack 501 <accecn0 101 200 101,nop>\n"
	"< P.Ee 501:601(100) ack 1 ce\n"
	"> . 1:1(0) ack 601 <accecn0 101 300 101,nop>\n" },

	{ "AccECN: a receiver of ECT(1) alone uses the other order",
	ACC_ACCEPT
	"< P.Ee 1:101(100) ack 1 ect1\n"
	"> .Ee 1:1(0) ack 101 <accecn1 101,nop,nop,nop>\n"
	"< P.Ee 101:201(100) ack 1 ce\n"
	"> .We 1:1(0) ack 201 <accecn1 101 100>\n" },

	{ "AccECN: marked pure ACKs are answered, every third",
	ACC_ACCEPT
	"< .Ee 1:1(0) ack 1 ce\n"
	"< .Ee 1:1(0) ack 1 ce\n"
	"< .Ee 1:1(0) ack 1 ce\n"
	"> . 1:1(0) ack 1 <>\n" },

	{ "AccECN: two SACK blocks come before the option, the option before more",
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000,sackOK,TS val 1 ecr 0>\n"
	"> S.W 0:0(0) ack 1 <mss 1460,sackOK,TS val * ecr 1,accecn0 1 0 1,nop>\n"
	"< .W 1:1(0) ack 1 <nop,nop,TS val 1 ecr 0>\n"
	"accept = 0\n"
	"< .Ee 101:201(100) ack 1 <nop,nop,TS val 1 ecr 0> ect0\n"
	"> .Ee 1:1(0) ack 1 <nop,nop,TS val * ecr 1,accecn0 101,nop,nop,nop,nop,nop,sack 101:201>\n"
	"< .Ee 301:401(100) ack 1 <nop,nop,TS val 1 ecr 0> ect0\n"
	"> .Ee 1:1(0) ack 1 <nop,nop,TS val * ecr 1,accecn0 201,nop,nop,nop,nop,nop,sack 301:401 101:201>\n"
	"< .Ee 501:601(100) ack 1 <nop,nop,TS val 1 ecr 0> ect1\n"
	"> .Ee 1:1(0) ack 1 <nop,nop,TS val * ecr 1,nop,nop,sack 501:601 301:401 101:201>\n" },

	{ "AccECN: a mark reduces the window, and there is no CWR",
	ACC
	"send 20000 = 20000\n"
	"> .Ee 1:993(992) ack 1 ect0\n> .Ee 993:1985(992) ack 1 ect0\n"
	"> .Ee 1985:2977(992) ack 1 ect0\n> .Ee 2977:3969(992) ack 1 ect0\n"
	"> .Ee 3969:4961(992) ack 1 ect0\n> .Ee 4961:5953(992) ack 1 ect0\n"
	"> .Ee 5953:6945(992) ack 1 ect0\n> .Ee 6945:7937(992) ack 1 ect0\n"
	"> .Ee 7937:8929(992) ack 1 ect0\n> .Ee 8929:9921(992) ack 1 ect0\n"
	"+0.01 < .We 1:1(0) ack 1985 <accecn0 993 992>\n"
	"> .Ee 9921:10921(1000) ack 1 <> ect0\n"
	"< .EWe 1:1(0) ack 3969 <accecn0 1985 1984>\n"
	"> .Ee 10921:11921(1000) ack 1 <> ect0\n"
	"counter tcp_ecn_reduced 1\n" },

	{ "AccECN: bytes marked, but no packet: somebody meddles",
	ACC
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 ect0\n"
	"< .Ee 1:1(0) ack 11 <accecn0 1 10>\n"
	"counter tcp_ecn_mangled 1\n"
	"send 10 = 10\n"
	"> P.Ee 11:21(10) ack 1\n" },

	{ "AccECN: options that were zeroed are not believed",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"< S.W 0:0(0) ack 1 win 65535 <mss 1000,accecn0 0 0 0>\n"
	"> .W 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 ect0\n"
	"< .Ee 1:1(0) ack 11 <accecn0 0 500>\n"
	"counter tcp_ecn_mangled 0\n"
	"send 10 = 10\n"
	"> P.Ee 11:21(10) ack 1 ect0\n" },

	{ "AccECN: data that was lost is sent again without the option",
	ACC
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 <accecn0 1,nop,nop,nop> ect0\n"
	"+0.2 > P.Ee 1:11(10) ack 1 <>\n" },

	{ "AccECN: marked data that comes a third time: the ACK goes without the option",
	ACC_ACCEPT
	"< P.Ee 1:101(100) ack 1 ect0\n"
	"> .Ee 1:1(0) ack 101 <accecn0 101,nop,nop,nop>\n"
	"+0.3 < P.Ee 1:101(100) ack 1 ect0\n"
	"> .Ee 1:1(0) ack 101 <accecn0 201,nop,nop,nop>\n"
	"< P.Ee 101:201(100) ack 1 ect0\n"
	"> .Ee 1:1(0) ack 201 <accecn0 301,nop,nop,nop>\n"
	"+0.3 < P.Ee 101:201(100) ack 1 ect0\n"
	"> .Ee 1:1(0) ack 201 <accecn0 401,nop,nop,nop>\n"
	"+0.6 < P.Ee 101:201(100) ack 1 ect0\n"
	"> .Ee 1:1(0) ack 201 <>\n"
	"< P.Ee 201:301(100) ack 1 ce\n"
	"> .We 1:1(0) ack 301 <>\n" },

	{ "AccECN: the handshake's ACK, once more, tells of no marks",
	ACC_TIMED
	"< .W 1:1(0) ack 1 <nop,nop,TS val 1060 ecr 0>\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 ect0\n"
	"< .W 1:1(0) ack 1 <nop,nop,TS val 1070 ecr 0>\n"
	"counter tcp_ecn_reduced 0\n"
	"< .We 1:1(0) ack 1 <nop,nop,TS val 1080 ecr 0>\n"
	"counter tcp_ecn_reduced 1\n" },

	{ "AccECN: an ACK that is no newer than the handshake's tells nothing",
	ACC_TIMED
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 ect0\n"
	"< .We 1:1(0) ack 1 <nop,nop,TS val 1000 ecr 0>\n"
	"counter tcp_ecn_reduced 0\n" },

	{ "AccECN: no super-segment while the counter has the bit of CWR",
	"option gso 65535\n"
	ACC_ACCEPT
	"< P.Ee 1:101(100) ack 1 ce\n"
	"> .We 1:1(0) ack 101\n"
	"send 2500 = 2500\n"
	"> .We 1:1001(1000) ack 101 ect0\n"
	"> .We 1001:2001(1000) ack 101 ect0\n"
	"> P.We 2001:2501(500) ack 101 ect0\n" },

	{ "AccECN: both ask at once",
	"option ecn 2\n"
	"connect = EINPROGRESS\n"
	"> SEWe 0:0(0)\n"
	"< SEWe 0:0(0) win 1000 <mss 1000>\n"
	"> S.W 0:0(0) ack 1\n"
	"< S.W 0:0(0) ack 1 win 1000 <mss 1000>\n"
	"option nodelay 1\n"
	"send 10 = 10\n"
	"> P.Ee 1:11(10) ack 1 ect0\n" },

	{ "SYN cookies decline ECN",
	"option half 0\n"
	"listen\n"
	"< SEWe 0:0(0) win 29200 <mss 1460>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n"
	"< .Ee 1:1(0) ack 1 win 10000\n"
	"accept = 0\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },
};

/* --------------------------------------------------------- how often it goes round */

/* An ACK of @packets whose counter is what it was, behind one that told of a mark or
 * not; with an option that tells of @bytes, if that is not empty.  Returns the marks that
 * it is taken to tell of.
 */
static uint32_t unwrapped(uint32_t packets, bool marks, const char *bytes)
{
	uint32_t before, after;
	struct us_tcp *tcp;
	char line[100];

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_line("option ecn 2");
	bench_line("option sndbuf 200000");
	bench_line("connect = EINPROGRESS");
	bench_line("> SEWe 0:0(0)");
	bench_line("< S.W 0:0(0) ack 1 win 65535 <mss 1000>");
	bench_line("> .W 1:1(0) ack 1");
	bench_line("send 50000 = 50000");
	bench.lossy = true;
	tcp = bench_tcp();
	bench_discard();
	bench_line(marks ? "< .We 1:1(0) ack 993" : "< .Ee 1:1(0) ack 993");
	bench_discard();
	before = tcp->active->accecn.s.cep;
	snprintf(line, sizeof(line), "< .%s 1:1(0) ack %u <%s>", marks ? "We" : "Ee",
		 993 + packets * 992, bytes);
	bench_line(line);
	after = tcp->active->accecn.s.cep;
	bench_end();
	return after - before;
}

/* RFC 9768 3.2.2.5.2: nine packets are acknowledged at once, and the three bits are
 * what they were.  It depends on what has been going on whether that is 0 or 8.
 */
static void test_unwrap(void)
{
	ok(unwrapped(5, true, "") == 0, "fewer than eight packets: nothing went round");
	ok(unwrapped(9, false, "") == 0, "no marks so far: none now");
	ok(unwrapped(9, true, "") == 8, "marks so far: eight more");
	ok(unwrapped(9, true, "accecn0 1 0") == 0, "the option knows: none");
	ok(unwrapped(9, false, "accecn0 1 8928") == 8, "the option knows: eight");
	ok(unwrapped(9, true, "accecn0 1 8388607") == 8,
	   "an option that tells of more than was sent: eight");
}

/* ------------------------------------------------------------------- both ends */

static uint64_t count(struct ustack *stack, enum us_counter counter)
{
	return ((struct us_stack *)stack)->counter[counter];
}

/* A megabyte over a path that marks and loses nothing, between two stacks. */
static void test_path(int mode, const char *name)
{
	static char bytes[65536], got[65536];
	struct ustack_socket *a, *b, *listener;
	union world_name peer = world_name("10.0.0.2", 7);
	size_t sent = 0, read = 0;
	int rounds;

	world_create("delay=5,mark=2,rate=100000000,seed=5");
	world.frozen = true;
	listener = world_listen(world.b, "10.0.0.2", 7);
	a = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ustack_setsockopt(a, IPPROTO_TCP, USTACK_TCP_ECN, &mode, sizeof(mode));
	ustack_connect(a, &peer.sa, world_length(&peer));
	world_run(WORLD_MS(30));
	b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	for (rounds = 0; rounds < 20000 && read < 1 << 20; rounds++) {
		ssize_t n = ustack_send(a, bytes, (1 << 20) - sent < sizeof(bytes) ?
					(1 << 20) - sent : sizeof(bytes), 0);

		sent += n > 0 ? (size_t)n : 0;
		world_run(WORLD_MS(1));
		while ((n = ustack_recv(b, got, sizeof(got), 0)) > 0)
			read += (size_t)n;
	}
	world_run(WORLD_MS(100));	/* the last ACK */
	ok(read == 1 << 20, "%s: all arrives", name);
	ok(count(world.b, US_COUNT_tcp_ecn_ce) > 5 &&
	   count(world.a, US_COUNT_tcp_ecn_reduced) > 0,
	   "%s: %llu marks, heard %llu times", name,
	   (unsigned long long)count(world.b, US_COUNT_tcp_ecn_ce),
	   (unsigned long long)count(world.a, US_COUNT_tcp_ecn_reduced));
	ok(!count(world.a, US_COUNT_tcp_ecn_mangled) &&
	   !count(world.b, US_COUNT_tcp_ecn_mangled), "%s: nobody is suspected", name);
	ok(!count(world.a, US_COUNT_tcp_retransmit), "%s: nothing is sent twice", name);
	if (mode == USTACK_ECN_ASK) {
		const struct us_tcp_table *t = ((struct us_stack *)world.a)->tcp;
		const struct us_tcp *tcp = NULL;
		uint32_t i;

		for (i = 0; i <= t->mask && !tcp; i++)
			tcp = t->hash[i];
		ok(tcp->active->accecn.s.cep - 5 == count(world.b, US_COUNT_tcp_ecn_ce),
		   "%s: the sender knows all %u marks", name,
		   tcp->active->accecn.s.cep - 5);
	}
	ustack_close(a);
	ustack_close(b);
	ustack_close(listener);
	world_destroy();
}

int main(int argc, char **argv)
{
	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	test_unwrap();
	test_path(USTACK_ECN_ASK_CLASSIC, "classic");
	test_path(USTACK_ECN_ASK, "AccECN");
	return finish();
}
