// SPDX-License-Identifier: MIT
/*
 * A link that is always full: a connection has more to send than the ring has slots.  What
 * others have to send leaves nevertheless.
 */
#include <arpa/inet.h>

#include "tcp_bench.h"

#define KEPT	4u
#define ROUNDS	2000u	/* milliseconds */

static struct us_tcp *bulk;
static struct ustack_socket *port, *opening;
static const char bytes[US_TX_INLINE];
static struct sockaddr_in peer = { .sin_family = AF_INET };

static struct {
	unsigned int segments, datagrams, syns, resets;
} left;

/* A long path that takes all, and the ring is full. */
static void begin(void)
{
	bulk = bench_begin("option sndbuf 4000000");
	memset(&left, 0, sizeof(left));
	bench.lossy = true;
	bench.link.kept = KEPT;
	bench.batch = true;
	us_tcp_activate(bulk);
	bulk->active->cwnd = US_TCP_CWND_MAX;
	bulk->snd_wnd = 4000000;
	bench.full = KEPT;
	while (ustack_send(bench.socket, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	peer.sin_port = htons(7);
	inet_pton(AF_INET, "10.0.0.2", &peer.sin_addr);
	port = ustack_socket(bench.stack, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	opening = ustack_socket(bench.stack, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static void end(void)
{
	ustack_close(port);
	ustack_close(opening);
	bench.full = -1;
	bench_end();
}

static void count_packets(void)
{
	unsigned int i;

	for (i = 0; i < bench.count; i++) {
		const struct script_packet *p = &bench.sent[(bench.first + i) % SCRIPT_QUEUE];

		if (p->data[9] == IPPROTO_UDP)
			left.datagrams++;
		else if (p->data[33] & US_TCP_SYN)
			left.syns++;
		else if (p->data[33] & US_TCP_RST)
			left.resets++;
		else
			left.segments++;
	}
	bench_discard();
}

/* The ring has room for @slots with payload, and the peer has what was sent before. */
static void round_of(unsigned int slots)
{
	struct script_segment ack = { .flags = US_TCP_ACK, .seq = 1, .window = 65535,
				      .ack = bulk->snd_nxt - bench.isn };

	count_packets();
	bench.now += US_MSEC;
	bench.full = (int)(KEPT + slots);
	script_receive(&bench, &ack);
	while (ustack_send(bench.socket, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	ustack_poll(bench.stack);
}

static bool may_send(void)
{
	struct ustack_pollfd fd = { .socket = port, .events = POLLOUT };

	return ustack_pollsockets(bench.stack, &fd, 1, 0) == 1;
}

static bool sends(void)
{
	return ustack_sendto(port, bytes, 100, 0, (void *)&peer, sizeof(peer)) == 100;
}

static void test_syn(void)
{
	begin();
	ustack_connect(opening, (void *)&peer, sizeof(peer));
	count_packets();
	ok(left.syns == 1 && !left.segments, "a SYN takes what is kept");
	for (unsigned int i = 0; i < ROUNDS; i++)
		round_of(2);
	count_packets();
	ok(left.syns == 2, "so does the next one, after a second (%u)", left.syns);
	end();
}

/* Nobody knows its connection: the answer belongs to none. */
static void test_reply(void)
{
	struct script_segment g = { .flags = US_TCP_ACK, .seq = 1, .ack = 1, .window = 100 };

	begin();
	bench.peer_port++;
	script_receive(&bench, &g);
	ustack_poll(bench.stack);
	count_packets();
	ok(left.resets == 1 && !left.segments, "a RST takes what is kept");
	end();
}

static void test_datagrams(void)
{
	unsigned int told = 0, i;

	begin();
	ok(!sends() && errno == EAGAIN && !may_send(), "a datagram does not");
	for (i = 0; i < ROUNDS; i++) {
		round_of(2);
		told += may_send();
		while (sends())
			;
	}
	count_packets();
	ok(told == ROUNDS && left.datagrams >= told,
	   "POLLOUT is true: told %u times, %u left", told, left.datagrams);
	ok(left.datagrams == told, "then one leaves, and has room as others have");
	ok(left.segments >= ROUNDS, "TCP has its part: %u", left.segments);
	end();
}

/* Datagrams without end leave something, too. */
static void test_ports(void)
{
	struct ustack_socket *many[8];
	unsigned int i, k;

	begin();
	for (k = 0; k < 8; k++)
		many[k] = ustack_socket(bench.stack, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	for (i = 0; i < 100; i++) {
		round_of(1);
		for (k = 0; k < 8; k++)
			ustack_sendto(many[k], bytes, 100, 0, (void *)&peer, sizeof(peer));
	}
	ok(bench.full >= (int)KEPT / 2, "many ports leave a half of what is kept: %d", bench.full);
	count_packets();
	ok(left.segments >= 100, "and TCP its part: %u", left.segments);
	for (k = 0; k < 8; k++)
		ustack_close(many[k]);
	end();
}

static unsigned int fill(struct us_link *link, uint32_t keep)
{
	struct us_tx *tx;
	unsigned int n = 0;

	for (; (tx = link->ops->reserve(link, keep)); n++) {
		memset(tx->head, 0, 20);
		tx->inline_len = 20;
		link->ops->submit(link, tx);
	}
	return n;
}

static void test_kept(const char *spec, unsigned int slots, unsigned int kept)
{
	struct us_link *link = NULL;
	struct ustack *stack;

	if (ustack_create(NULL, &stack) ||
	    ustack_link_open(stack, spec, (struct ustack_link **)&link))
		printf("Bail out! %s\n", ustack_error(stack));
	ok(fill(link, link->kept) == slots - kept && fill(link, 0) == kept,
	   "%s: payload leaves %u of %u slots", spec, kept, slots);
	ustack_destroy(stack);
}

int main(void)
{
	plan(0);
	test_syn();
	test_reply();
	test_datagrams();
	test_ports();
	test_kept("extern", 1024, 4);
	test_kept("extern:depth=3", 3, 1);
	test_kept("extern:depth=1", 1, 0);
	test_kept("pipe:name=A,gso=1,frames=8", 8, 4);
	test_kept("pipe:name=A,gso=1,frames=2", 2, 1);
	return finish();
}
