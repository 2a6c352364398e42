// SPDX-License-Identifier: MIT
/* TCP Fast Open (RFC 7413), both roles. */
#include "tcp_bench.h"
#include "world.h"

/* A server that gives a peer its cookie. */
#define SERVER \
	"option fastqueue 2\n" \
	"listen\n" \
	"< S 0:0(0) win 65535 <mss 1000,FO>\n" \
	"> S. 0:0(0) ack 1 <mss 1460,FO *,nop,nop>\n" \
	"< R 1:1(0)\n" \
	"state CLOSE\n"

/* A client that has the cookie 7. */
#define CLIENT \
	"option fastopen 1\n" \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO,nop,nop>\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000,FO 7,nop,nop>\n" \
	"> . 1:1(0) ack 1\n" \
	"close\n" \
	"> F. 1:1(0) ack 1\n" \
	"< R. 1:1(0) ack 2\n"

/* A SYN with data that gets no answer. */
#define LOSS \
	"connect = 0\n" \
	"send 10 = 10\n" \
	"> S 0:10(10)\n" \
	"+1 > S 0:0(0)\n" \
	"< R. 0:0(0) ack 1\n" \
	"close\n"

static const struct named_script scripts[] = {
	{ "server: off by default",
	"listen\n"
	"< S 0:100(100) win 65535 <mss 1000,FO>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n" },

	{ "server: a good cookie: data is there before the handshake is complete",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101 <mss 1460>\n"
	"state SYN_RECV\n"
	"accept = 0\n"
	"poll = IN|OUT\n"
	"recv 200 = 100\n"
	"counter tcp_fastopen_passive 1\n"
	"< . 101:101(0) ack 1 win 65535\n"
	"state ESTABLISHED\n"
	"send 50 = 50\n"
	"> P. 1:51(50) ack 101\n" },

	{ "server: answers before the handshake is complete",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"send 50 = 50\n"
	"> P. 1:51(50) ack 101\n"
	"< . 101:101(0) ack 51 win 65535\n"
	"state ESTABLISHED\n"
	"none 2000\n"
	"send 50 = 50\n"
	"> P. 51:101(50) ack 101\n" },

	{ "server: ten segments of an answer, and all of a small window",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"send 20000 = 20000\n"
	"> . 1:1001(1000) ack 101\n> . 1001:2001(1000) ack 101\n"
	"> . 2001:3001(1000) ack 101\n> . 3001:4001(1000) ack 101\n"
	"> . 4001:5001(1000) ack 101\n> . 5001:6001(1000) ack 101\n"
	"> . 6001:7001(1000) ack 101\n> . 7001:8001(1000) ack 101\n"
	"> . 8001:9001(1000) ack 101\n> . 9001:10001(1000) ack 101\n"
	"none 100\n"
	"< R 101:101(0)\n"
	"close\n"
	"< S 0:100(100) win 2000 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"send 20000 = 20000\n"
	"> . 1:1001(1000) ack 101\n> . 1001:2001(1000) ack 101\n"
	"none 100\n" },

	{ "server: the handshake's ACK tells of a hole in the answer",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,sackOK,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"send 5000 = 5000\n"
	"> . 1:1001(1000) ack 101\n> . 1001:2001(1000) ack 101\n"
	"> . 2001:3001(1000) ack 101\n> . 3001:4001(1000) ack 101\n"
	"> P. 4001:5001(1000) ack 101\n"
	"+0.01 < . 101:101(0) ack 1 win 65535 <nop,nop,sack 1001:5001>\n"
	"> . 1:1001(1000) ack 101\n"
	"< . 101:101(0) ack 5001 win 65535\n"
	"none 1000\n" },

	{ "server: a corked answer goes after 200 ms, though the handshake was not complete",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"send 50 more = 50\n"
	"none 100\n"
	"< . 101:101(0) ack 1 win 65535\n"
	"state ESTABLISHED\n"
	"+0.2 > P. 1:51(50) ack 101\n" },

	{ "server: an answer that was lost comes again when the handshake is complete",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"send 50 = 50\n"
	"> P. 1:51(50) ack 101\n"
	"+0.01 < . 101:101(0) ack 1 win 65535\n"
	"+0.21 > P. 1:51(50) ack 101\n" },

	{ "server: the SYN-ACK was lost: it comes again, the data does not count twice",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"+1 > S. 0:0(0) ack 101\n"
	"+0.1 < S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 101\n"
	"< . 101:101(0) ack 1 win 65535\n"
	"accept = 0\n"
	"recv 200 = 100\n"
	"recv 200 = EAGAIN\n" },

	{ "server: a good cookie without data",
	SERVER
	"< S 0:0(0) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n"
	"accept = 0\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },

	{ "server: a cookie that is not ours gets one that is, and no data is taken",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO 9>\n"
	"> S. 0:0(0) ack 1 <mss 1460,FO *,nop,nop>\n"
	"counter tcp_fastopen_bad_cookie 1\n"
	"accept = EAGAIN\n"
	"< P. 1:101(100) ack 1 win 65535\n"
	"> . 1:1(0) ack 101\n"
	"accept = 0\n"
	"recv 200 = 100\n" },

	{ "server: an option of an illegal length is none (RFC 7413 4.1.1)",
	"option fastqueue 2\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000,FO 9 len 2>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n"
	"< R 1:1(0)\n"
	"< S 0:0(0) win 65535 <mss 1000,FO 9 len 5,nop>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n" },

	{ "server: no more at a time than it said; then a handshake as ever",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"option peer_port 7778\n"
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"option peer_port 7779\n"
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 1\n"
	"counter tcp_fastopen_full 1\n" },

	{ "server: a reset gives its place back",
	SERVER
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"accept = 0\n"
	"< R 101:101(0)\n"
	"recv 200 = 100\n"
	"recv 200 = ECONNRESET\n"
	"close\n"
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n"
	"option peer_port 7778\n"
	"< S 0:100(100) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 101\n" },

	{ "server: closed before the handshake is complete",
	SERVER
	"< S 0:10(10) win 65535 <mss 1000,FO =>\n"
	"> S. 0:0(0) ack 11\n"
	"accept = 0\n"
	"recv 10 = 10\n"
	"send 20 = 20\n"
	"> P. 1:21(20) ack 11\n"
	"close\n"
	"> F. 21:21(0) ack 11\n"
	"< . 11:11(0) ack 22 win 65535\n"
	"state FIN_WAIT2\n"
	"< F. 11:11(0) ack 22\n"
	"> . 22:22(0) ack 12\n"
	"waits 1\n" },

	{ "server: under a SYN flood there is no Fast Open",
	SERVER
	"option half 0\n"
	"< S 0:100(100) win 65535 <mss 1300,FO =>\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n" },

	{ "server: with AccECN, the cookie has precedence over its option",
	"option fastqueue 2\n"
	"listen\n"
	"< SEWe 0:0(0) win 65535 <mss 1000,sackOK,TS val 1 ecr 0,nop,wscale 1,FO>\n"
	"> S.W 0:0(0) ack 1 <mss 1460,sackOK,TS val * ecr 1,nop,wscale 7,FO *,nop,nop>\n" },

	{ "client: the first connection asks, the second brings data",
	CLIENT
	"connect = 0\n"
	"poll = OUT\n"
	"none 100\n"
	"send 100 = 100\n"
	"> S 0:100(100) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 7,nop,nop>\n"
	"send 10 = EAGAIN\n"
	"+0.02 < S. 0:0(0) ack 101 win 65535 <mss 1000>\n"
	"> . 101:101(0) ack 1\n"
	"state ESTABLISHED\n"
	"none 1000\n"
	"send 100 = 100\n"
	"> P. 101:201(100) ack 1\n" },

	{ "client: an option of an illegal length is none (RFC 7413 4.1.1)",
	"option fastopen 1\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO,nop,nop>\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000,FO 7 len 5,nop>\n"
	"> . 1:1(0) ack 1\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< R. 1:1(0) ack 2\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO,nop,nop>\n" },

	{ "client: both open at once: the data goes when the handshake is complete",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 7,nop,nop>\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> P. 1:101(100) ack 1\n" },

	{ "client: both open at once, and the peer has taken the data",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 7,nop,nop>\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< S. 0:0(0) ack 101 win 65535 <mss 1000>\n"
	"state ESTABLISHED\n"
	"none 1000\n"
	"send 10 = 10\n"
	"> P. 101:111(10) ack 1\n" },

	{ "client: both open at once, and an ACK of more than the data",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 7,nop,nop>\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 102 win 65535\n"
	"> R 102:102(0)\n"
	"state SYN_RECV\n" },

	{ "client: MSG_FASTOPEN does both at once",
	"sendto 100 = EINPROGRESS\n"
	"> S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO,nop,nop>\n"
	"sendto 100 = EALREADY\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000,FO 7,nop,nop>\n"
	"> . 1:1(0) ack 1\n"
	"poll = OUT\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< R. 1:1(0) ack 2\n"
	"sendto 100 = 100\n"
	"> S 0:100(100) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 7,nop,nop>\n"
	"sendto 100 = EALREADY\n"
	"send 100 = EAGAIN\n"
	"< S. 0:0(0) ack 101 win 65535 <mss 1000>\n"
	"> . 101:101(0) ack 1\n"
	"sendto 10 = 10\n"
	"> P. 101:111(10) ack 1\n"
	"sendto 10 = EISCONN\n" },

	{ "client: connected, for the user, until the SYN leaves; then connecting",
	CLIENT
	"connect = 0\n"
	"connect = EISCONN\n"
	"sendto 100 = 100\n"
	"> S 0:100(100)\n"
	"connect = EALREADY\n"
	"< R. 0:0(0) ack 1\n"
	"connect = ECONNREFUSED\n" },

	{ "client: no more data than the peer's segments take",
	CLIENT
	"connect = 0\n"
	"send 5000 = 960\n"
	"> S 0:960(960)\n"
	"< S. 0:0(0) ack 961 win 65535 <mss 1000>\n"
	"> . 961:961(0) ack 1\n" },

	{ "client: nothing to send: the SYN goes alone, with the cookie",
	CLIENT
	"connect = 0\n"
	"send 0 = EINPROGRESS\n"
	"> S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 7,nop,nop>\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n" },

	{ "client: data that the SYN-ACK does not cover is sent again at once",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> P. 1:101(100) ack 1\n"
	"counter tcp_fastopen_refused 1\n"
	"< . 1:1(0) ack 101\n" },

	{ "client: the peer's segments became smaller",
	CLIENT
	"connect = 0\n"
	"send 5000 = 960\n"
	"> S 0:960(960)\n"
	"< S. 0:0(0) ack 961 win 65535 <mss 600>\n"
	"> . 961:961(0) ack 1\n"
	"close\n"
	"> F. 961:961(0) ack 1\n"
	"< R. 1:1(0) ack 962\n"
	"connect = 0\n"
	"send 5000 = 560\n"
	"> S 0:560(560) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 7,nop,nop>\n" },

	{ "client: a loss behind a success is the first again",
	CLIENT
	LOSS
	"+61 connect = 0\n"
	"send 10 = 10\n"
	"> S 0:10(10)\n"
	"< S. 0:0(0) ack 11 win 65535 <mss 1000>\n"
	"> . 11:11(0) ack 1\n"
	"close\n"
	"> F. 11:11(0) ack 1\n"
	"< R. 1:1(0) ack 12\n"
	LOSS
	"+61 connect = 0\n"
	"send 10 = 10\n"
	"> S 0:10(10)\n" },

	{ "client: a new cookie with the refusal is kept",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000,FO 9,nop,nop>\n"
	"> P. 1:101(100) ack 1\n"
	"close\n"
	"> F. 101:101(0) ack 1\n"
	"< R. 1:1(0) ack 102\n"
	"connect = 0\n"
	"send 10 = 10\n"
	"> S 0:10(10) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7,FO 9,nop,nop>\n" },

	{ "client: a SYN that is lost is no sample: the RTO is 3 s (RFC 6298 5.7)",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100)\n"
	"+1 > S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7>\n"
	"+0.5 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> P. 1:101(100) ack 1\n"
	"+3 > P. 1:101(100) ack 1\n" },

	{ "client: a SYN that is lost comes again without, and the peer is left alone",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100)\n"
	"+1 > S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7>\n"
	"counter tcp_fastopen_lost 1\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> P. 1:101(100) ack 1\n"
	"< . 1:1(0) ack 101\n"
	"close\n"
	"> F. 101:101(0) ack 1\n"
	"< R. 1:1(0) ack 102\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,nop,wscale 7>\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
	"> . 1:1(0) ack 1\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< R. 1:1(0) ack 2\n"
	"+61 connect = 0\n"
	"send 10 = 10\n"
	"> S 0:10(10)\n" },

	{ "client: a SYN-ACK of the first SYN behind the second covers the data",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100)\n"
	"+1 > S 0:0(0)\n"
	"< S. 0:0(0) ack 101 win 65535 <mss 1000>\n"
	"> . 101:101(0) ack 1\n" },

	{ "client: an ACK of more than was sent",
	CLIENT
	"connect = 0\n"
	"send 100 = 100\n"
	"> S 0:100(100)\n"
	"< S. 0:0(0) ack 102 win 65535 <mss 1000>\n"
	"> R 102:102(0)\n"
	"state SYN_SENT\n" },

	{ "client: closed while the SYN waits for data: nothing was ever sent",
	CLIENT
	"connect = 0\n"
	"close\n"
	"none 2000\n"
	"state CLOSE\n" },
};

/* In one piece, or in two. */
static ssize_t ask(struct ustack_socket *s, bool whole)
{
	struct iovec pieces[] = { { "quest", 5 }, { "ion", 3 } };
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 2 };

	return whole ? ustack_send(s, "question", 8, 0) : ustack_sendmsg(s, &m, 0);
}

/* Two stacks: the second request takes no round trip more than a datagram would. */
static void test_both(bool whole)
{
	struct ustack_socket *listener, *a, *b;
	union world_name peer = world_name("10.0.0.2", 7);
	int one = 1, queue = 5, i;
	char got[100];
	ssize_t n = 0;

	world_create("delay=20");
	world.frozen = true;
	listener = world_listen(world.b, "10.0.0.2", 7);
	ustack_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	for (i = 0; i < 2; i++) {
		a = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ustack_setsockopt(a, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one));
		ustack_connect(a, &peer.sa, world_length(&peer));
		n = ask(a, whole);
		world_run(WORLD_MS(25));
		b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		if (i == 0)
			ok(n == -1 && !b, "the first time a handshake comes first");
		if (i == 1)
			ok(n == 8 && b && ustack_recv(b, got, sizeof(got), 0) == 8,
			   "the second time the question comes with it");
		if (b)
			ustack_send(b, "answer", 6, 0);
		world_run(WORLD_MS(25));
		if (i == 1)
			ok(ustack_recv(a, got, sizeof(got), 0) == 6,
			   "and is answered in one round trip");
		world_run(WORLD_MS(30));
		if (!b)
			b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		ustack_close(a);
		ustack_close(b);
		world_run(WORLD_MS(200));
	}
	ustack_close(listener);
	world_destroy();
}

/* A call that blocks is connect(2) and send(2), whether the cookie is known or not: @flags
 * and @address of MSG_FASTOPEN, or the socket has TCP_FASTOPEN_CONNECT.
 */
static void test_blocks(int flags)
{
	static char bytes[5000];
	union world_name peer = world_name("10.0.0.2", 7);
	struct ustack_socket *listener, *a, *b;
	int one = 1, queue = 5, i;
	ssize_t n[3];

	world_create("delay=20");
	world.frozen = false;
	listener = world_listen(world.b, "10.0.0.2", 7);
	ustack_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	for (i = 0; i < 3; i++) {
		a = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
		if (!flags) {
			ustack_setsockopt(a, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one,
					  sizeof(one));
			ustack_connect(a, &peer.sa, world_length(&peer));
		}
		n[i] = ustack_sendto(a, bytes, sizeof(bytes), flags, &peer.sa,
				     world_length(&peer));
		if (i == 1)
			ustack_close(listener);
		b = i ? NULL : ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		ustack_close(a);
		if (b)
			ustack_close(b);
		world_run(WORLD_MS(200));
	}
	ok(n[0] == sizeof(bytes) && n[1] == sizeof(bytes), "all is sent: %zd and %zd", n[0],
	   n[1]);
	ok(n[2] == -1, "nobody listens: the call that opens says so");
	world_destroy();
}

/* Line by line. */
static void bench_lines(const char *text)
{
	char line[200];

	for (; *text; text = strchr(text, '\n') + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
		bench_line(line);
	}
}

/* TCP_INFO: was all that came with the SYN taken?  @syn_ack says. */
static bool all_taken(const char *syn_ack)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_lines(CLIENT
		    "connect = 0\n"
		    "send 100 = 100\n"
		    "> S 0:100(100)\n");
	bench_lines(syn_ack);
	ustack_getsockopt(bench.socket, IPPROTO_TCP, TCP_INFO, &info, &length);
	ok(!bench.why[0], "the rest is sent again");
	bench_end();
	return info.tcpi_options & TCPI_OPT_SYN_DATA;
}

static void test_part(void)
{
	ok(all_taken("< S. 0:0(0) ack 101 win 65535 <mss 1000>\n"
		     "> . 101:101(0) ack 1\n"), "TCPI_OPT_SYN_DATA: all was taken");
	ok(!all_taken("< S. 0:0(0) ack 41 win 65535 <mss 1000>\n"
		      "> P. 41:101(60) ack 1\n"), "TCPI_OPT_SYN_DATA: a part is not all");
}

/* A peer whose numbers are far from 0, where the client begins before it knows them. */
static void test_buffer(void)
{
	uint32_t at, before;
	char line[100];

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_lines("option peer_isn 0x90000000\n"
		    CLIENT
		    "connect = 0\n"
		    "send 100 = 100\n"
		    "> S 0:100(100)\n"
		    "+0.02 < S. 0:0(0) ack 101 win 65535 <mss 1448,nop,wscale 7>\n"
		    "> . 101:101(0) ack 1\n");
	before = bench_tcp()->rcvbuf;
	for (at = 1; at < 1800001; at += 60000) {
		snprintf(line, sizeof(line), "+0.001 < P. %u:%u(60000) ack 101 gso 1448", at,
			 at + 60000);
		bench_line(line);
		bench_discard();
		bench_line("recv 60000 = 60000");
	}
	ok(!bench.why[0] && bench_tcp()->rcvbuf > before, "the receive buffer grew to %u",
	   bench_tcp()->rcvbuf);
	bench_end();
}

static void test_options(void)
{
	struct ustack_socket *s;
	int value = -1;
	socklen_t length = sizeof(value);

	world_create("");
	s = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	fails(ustack_setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN, &value, length), EINVAL);
	fails(ustack_setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &value, length), EINVAL);
	value = 10;
	ok(!ustack_setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN, &value, length), "TCP_FASTOPEN");
	fails(ustack_setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &value, length), EINVAL);
	value = 0;
	ok(!ustack_getsockopt(s, IPPROTO_TCP, TCP_FASTOPEN, &value, &length) && value == 10,
	   "TCP_FASTOPEN is read back");
	ustack_close(s);
	world_destroy();
}

int main(int argc, char **argv)
{
	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	test_both(true);
	test_both(false);
	test_blocks(MSG_FASTOPEN);
	test_blocks(0);
	test_part();
	test_buffer();
	test_options();
	return finish();
}
