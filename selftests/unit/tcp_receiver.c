// SPDX-License-Identifier: MIT
/* What a receiver may ask for, segment by segment: see packet_script.h for how to read this. */
#include "packet_script.h"

#define SYN_ACK \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"

#define OPEN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	SYN_ACK \
	"> . 1:1(0) ack 1\n"

static const struct named_script scripts[] = {
	{ "SO_RCVLOWAT: the number is at least 1, and at most what may wait to be read",
	"get SO_RCVLOWAT = 1\n"
	"set SO_RCVLOWAT 5 = 0\n"
	"get SO_RCVLOWAT = 5\n"
	"set SO_RCVLOWAT 0 = 0\n"
	"get SO_RCVLOWAT = 1\n"
	"set SO_RCVLOWAT -1 = 0\n"
	"get SO_RCVLOWAT = 3145728\n"
	"set SO_RCVBUF 20000 = 0\n"
	"set SO_RCVLOWAT 30000 = 0\n"
	"get SO_RCVLOWAT = 20000\n"
	"get SO_RCVBUF = 40000\n" },

	{ "SO_RCVLOWAT: the receive buffer grows with it",
	OPEN
	"set SO_RCVLOWAT 10000 = 0\n"
	"get SO_RCVBUF = 2097152\n"
	"set SO_RCVLOWAT 1500000 = 0\n"
	"get SO_RCVBUF = 3000000\n"
	"set SO_RCVLOWAT 1 = 0\n"
	"get SO_RCVBUF = 3000000\n" },

	{ "SO_RCVLOWAT: readable when so many bytes have come",
	OPEN
	"set SO_RCVLOWAT 1500 = 0\n"
	"< P. 1:1001(1000) ack 1\n"
	"> . 1:1(0) ack 1001\n"
	"poll = OUT\n"
	"< P. 1001:1500(499) ack 1\n"
	"> . 1:1(0) ack 1500\n"
	"poll = OUT\n"
	"< P. 1500:1501(1) ack 1\n"
	"> . 1:1(0) ack 1501\n"
	"poll = IN|OUT\n"
	"recv 1 = 1\n"
	"poll = OUT\n" },

	{ "SO_RCVLOWAT: who does not wait is given what there is",
	OPEN
	"set SO_RCVLOWAT 1500 = 0\n"
	"recv 2000 = EAGAIN\n"
	"< P. 1:1001(1000) ack 1\n"
	"> . 1:1(0) ack 1001\n"
	"recv 10 peek = 10\n"
	"recv 2000 = 1000\n" },

	{ "SO_RCVLOWAT: fewer will do",
	OPEN
	"set SO_RCVLOWAT 1500 = 0\n"
	"< P. 1:1001(1000) ack 1\n"
	"> . 1:1(0) ack 1001\n"
	"poll = OUT\n"
	"set SO_RCVLOWAT 1000 = 0\n"
	"poll = IN|OUT\n" },

	{ "SO_RCVLOWAT: FIN, and an error, are told anyway",
	OPEN
	"set SO_RCVLOWAT 1500 = 0\n"
	"< FP. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 12\n"
	"poll = IN|OUT|RDHUP\n"
	"< R. 12:12(0) ack 1\n"
	"poll = IN|OUT|HUP|RDHUP|ERR\n" },

	{ "SO_RCVLOWAT: no more can come",
	"option rcvbuf 4000\n"
	OPEN
	"set SO_RCVLOWAT 4000 = 0\n"
	"< P. 1:1001(1000) ack 1\n"
	"> . 1:1(0) ack 1001\n"
	"< P. 1001:2001(1000) ack 1\n"
	"> . 1:1(0) ack 2001\n"
	"poll = OUT\n"
	"< P. 2001:3001(1000) ack 1\n"
	"> . 1:1(0) ack 3001\n"
	"poll = IN|OUT\n" },

	{ "SO_RCVLOWAT: nor where the buffer became smaller",
	OPEN
	"set SO_RCVLOWAT 4000 = 0\n"
	"set SO_RCVBUF 3000 = 0\n"
	"< P. 1:1001(1000) ack 1\n"
	"> . 1:1(0) ack 1001\n"
	"poll = OUT\n"
	"< P. 1001:2001(1000) ack 1\n"
	"> . 1:1(0) ack 2001\n"
	"poll = IN|OUT\n" },

	{ "SO_RCVLOWAT: an urgent byte counts, but where it is the next one",
	OPEN
	"set SO_RCVLOWAT 10 = 0\n"
	"< PU. 1:11(10) ack 1 urg 1\n"
	"> . 1:1(0) ack 11\n"
	"poll = OUT|PRI\n"
	"< P. 11:12(1) ack 1\n"
	"> . 1:1(0) ack 12\n"
	"poll = IN|OUT|PRI\n" },

	{ "SO_RCVLOWAT: who listens leaves it to his connections",
	"set SO_RCVLOWAT 100 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n"
	"get SO_RCVLOWAT = 100\n"
	"< P. 1:100(99) ack 1\n"
	"> . 1:1(0) ack 100\n"
	"poll = OUT\n" },

	{ "TCP_QUICKACK: 0: an ACK waits, for 40 ms, and that ends it",
	OPEN
	"get TCP_QUICKACK = 1\n"
	"set TCP_QUICKACK 0 = 0\n"
	"get TCP_QUICKACK = 0\n"
	"< P. 1:11(10) ack 1\n"
	"recv 10 = 10\n"
	"+0.04 > . 1:1(0) ack 11\n"
	"get TCP_QUICKACK = 1\n"
	"< P. 11:21(10) ack 1\n"
	"> . 1:1(0) ack 21\n" },

	{ "TCP_QUICKACK: 0: an answer carries it",
	OPEN
	"set TCP_QUICKACK 0 = 0\n"
	"< P. 1:11(10) ack 1\n"
	"none 20\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 11\n"
	"< . 11:11(0) ack 11\n"
	"none 100\n"
	"get TCP_QUICKACK = 0\n" },

	{ "TCP_QUICKACK: 1: an ACK that waits leaves",
	OPEN
	"set TCP_QUICKACK 0 = 0\n"
	"< P. 1:11(10) ack 1\n"
	"recv 10 = 10\n"
	"none 20\n"
	"set TCP_QUICKACK 1 = 0\n"
	"> . 1:1(0) ack 11\n"
	"get TCP_QUICKACK = 1\n"
	"none 100\n" },

	{ "TCP_QUICKACK: 1: one of bytes that nobody has read waits for that",
	OPEN
	"set TCP_QUICKACK 0 = 0\n"
	"< . 1:11(10) ack 1\n"
	"set TCP_QUICKACK 1 = 0\n"
	"none 20\n"
	"recv 10 = 10\n"
	"> . 1:1(0) ack 11\n" },

	{ "TCP_QUICKACK: an even number: only that one",
	OPEN
	"set TCP_QUICKACK 0 = 0\n"
	"< P. 1:11(10) ack 1\n"
	"recv 10 = 10\n"
	"set TCP_QUICKACK 2 = 0\n"
	"> . 1:1(0) ack 11\n"
	"get TCP_QUICKACK = 0\n"
	"set TCP_QUICKACK 2 = 0\n"
	"get TCP_QUICKACK = 1\n" },

	{ "TCP_QUICKACK: nothing waits for an ACK: none leaves",
	OPEN
	"set TCP_QUICKACK 1 = 0\n"
	"none 100\n" },

	{ "TCP_QUICKACK: 1: the ACK of a FIN leaves",
	OPEN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"recv 10 = 10\n"
	"+0.1 send 10 = 10\n"
	"> P. 1:11(10) ack 11\n"
	"< . 11:11(0) ack 11\n"
	"< F. 11:11(0) ack 11\n"
	"get TCP_QUICKACK = 0\n"
	"set TCP_QUICKACK 1 = 0\n"
	"> . 11:11(0) ack 12\n" },

	{ "TCP_QUICKACK: 0 before it opens: the ACK of the SYN-ACK waits for 200 ms",
	"set TCP_QUICKACK 0 = 0\n"
	"get TCP_QUICKACK = 0\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	SYN_ACK
	"poll = OUT\n"
	"get TCP_QUICKACK = 1\n"
	"+0.2 > . 1:1(0) ack 1\n"
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n" },

	{ "TCP_QUICKACK: 0 before it opens: data takes the ACK of the SYN-ACK along",
	"set TCP_QUICKACK 0 = 0\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	SYN_ACK
	"none 100\n"
	"send 2500 = 2500\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> P. 2001:2501(500) ack 1\n"
	"< . 1:1(0) ack 2501\n"
	"none 300\n" },

	{ "TCP_QUICKACK: who listens leaves it to his connections",
	"set TCP_QUICKACK 0 = 0\n"
	"listen\n"
	"get TCP_QUICKACK = 0\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"< P. 1:11(10) ack 1\n"
	"accept = 0\n"
	"get TCP_QUICKACK = 0\n"
	"send 5 = 5\n"
	"> P. 1:6(5) ack 11\n" },

	{ "TCP_DEFER_ACCEPT: an ACK alone is no connection yet; data makes it one",
	"set TCP_DEFER_ACCEPT 3 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"state SYN_RECV\n"
	"accept = EAGAIN\n"
	"counter tcp_accept_deferred 1\n"
	"+0.5 < P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"accept = 0\n"
	"recv 20 = 10\n"
	"none 5000\n" },

	{ "TCP_DEFER_ACCEPT: once more at the end of the time, and then an ACK is enough",
	"set TCP_DEFER_ACCEPT 7 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"+7 > S. 0:0(0) ack 1\n"
	"accept = EAGAIN\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n"
	"none 5000\n"
	"send 5 = 5\n"
	"> P. 1:6(5) ack 1\n" },

	{ "TCP_DEFER_ACCEPT: a SYN-ACK that is not acknowledged is repeated as ever",
	"set TCP_DEFER_ACCEPT 100 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"+1 > S. 0:0(0) ack 1\n"
	"+2 > S. 0:0(0) ack 1\n"
	"+4 > S. 0:0(0) ack 1\n"
	"+8 > S. 0:0(0) ack 1\n"
	"+16 > S. 0:0(0) ack 1\n"
	"+33 state CLOSE\n" },

	{ "TCP_DEFER_ACCEPT: a peer that says nothing more is forgotten",
	"set TCP_DEFER_ACCEPT 1 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"+1 > S. 0:0(0) ack 1\n"
	"+2 > S. 0:0(0) ack 1\n"
	"+4 > S. 0:0(0) ack 1\n"
	"+8 > S. 0:0(0) ack 1\n"
	"+16 > S. 0:0(0) ack 1\n"
	"+33 state CLOSE\n" },

	{ "TCP_DEFER_ACCEPT: the time may be longer than a handshake",
	"set TCP_DEFER_ACCEPT 120 = 0\n"
	"get TCP_DEFER_ACCEPT = 127\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"none 100000\n"
	"state SYN_RECV\n"
	"+27.002 > S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n" },

	{ "TCP_DEFER_ACCEPT: FIN, too, makes it one",
	"set TCP_DEFER_ACCEPT 3 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 1\n"
	"+0.001 > . 1:1(0) ack 2\n"
	"accept = 0\n"
	"recv 1 = 0\n" },

	{ "TCP_DEFER_ACCEPT: of a cookie an ACK is enough",
	"# IPv4\n"
	"set TCP_DEFER_ACCEPT 3 = 0\n"
	"option half 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"counter tcp_cookie_sent 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n" },

	{ "TCP_DEFER_ACCEPT: off again: an ACK is enough",
	"set TCP_DEFER_ACCEPT 3 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"set TCP_DEFER_ACCEPT 0 = 0\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n" },

	{ "TCP_DEFER_ACCEPT: what the peer's ACK says of the time is echoed",
	"set TCP_DEFER_ACCEPT 1 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 700 ecr 0>\n"
	"> S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val * ecr 700>\n"
	"+0.1 < . 1:1(0) ack 1 <nop,nop,TS val 800 ecr 1>\n"
	"+0.9 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val * ecr 800>\n" },

	{ "TCP_DEFER_ACCEPT: who connects lets data take the ACK of the SYN-ACK along",
	"set TCP_DEFER_ACCEPT 1 = 0\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	SYN_ACK
	"none 50\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"< . 1:1(0) ack 11\n"
	"none 300\n" },
};

int main(int argc, char **argv)
{
	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	return finish();
}
