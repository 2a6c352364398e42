// SPDX-License-Identifier: MIT
/* Opening: initial numbers, addresses, listening beside connections; what a batch of
 * segments is answered with.  On a stack that is driven from outside.
 */
#include <errno.h>
#include <stdlib.h>

#include "segment.h"
#include "tap.h"
#include "ustack.h"

#define MS(ms)	((ms) * 1000000LL)

static struct ustack *stack;
static struct ustack_link *link_;

static struct sockaddr_in name_of(const char *text, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = inet_addr(text),
	};
}

static void add_address(const char *text)
{
	struct sockaddr_in name = name_of(text, 0);

	if (ustack_address_add(stack, link_, (struct sockaddr *)&name, 24))
		puts("Bail out! no address");
}

static void open_stack(uint64_t seed)
{
	const struct ustack_config config = { .driven = true, .seed = seed };

	if (ustack_create(&config, &stack) ||
	    ustack_link_open(stack, "extern", &link_))
		puts("Bail out! no stack");
	add_address("192.0.2.1");
	add_address("198.51.100.1");
	add_address("192.0.2.3");
}

static void inject(const char *from, uint16_t source, const char *to, uint16_t dest,
		   uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
	struct segment s;
	size_t len = segment_make(&s, from, source, to, dest, flags, seq, ack, 65535,
				  text);

	ustack_link_inject(link_, &s, len);
}

static bool collect(struct segment *s)
{
	return segment_ok(s, ustack_link_collect(link_, s, sizeof(*s), NULL));
}

static unsigned int drain(void)
{
	struct segment s;
	unsigned int n = 0;

	while (collect(&s))
		n++;
	return n;
}

static struct ustack_socket *stream(const char *local, uint16_t port)
{
	struct ustack_socket *s = ustack_socket(stack, AF_INET,
						SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in name = name_of(local ? local : "0.0.0.0", port);
	int on = 1;

	ustack_setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (local && ustack_bind(s, (struct sockaddr *)&name, sizeof(name)))
		printf("# bind: %s\n", strerror(errno));
	return s;
}

/* errno of a connect(2), 0 if it succeeded. */
static int attempt(struct ustack_socket *s, const char *to, uint16_t port)
{
	struct sockaddr_in name = name_of(to, port);

	errno = 0;
	ustack_connect(s, (struct sockaddr *)&name, sizeof(name));
	return errno;
}

/* The SYN of a connection from @local:@port to @to. */
static struct segment syn_of(const char *local, uint16_t port, const char *to)
{
	struct ustack_socket *s = stream(local, port);
	struct segment syn = { .ip.ttl = 0 };

	attempt(s, to, 7);
	collect(&syn);
	ustack_close(s);
	return syn;
}

static uint32_t isn(const char *local, uint16_t port, const char *to)
{
	return ntohl(syn_of(local, port, to).tcp.seq);
}

/* The time that its timestamp tells; 0: it has none. */
static uint32_t told_time(const char *local, uint16_t port, const char *to)
{
	struct segment syn = syn_of(local, port, to);
	const uint8_t *at = syn.data, *end = at + syn.tcp.doff * 4 - sizeof(syn.tcp);
	uint32_t value = 0;

	while (at < end && *at != TCPOPT_TIMESTAMP)
		at += *at == TCPOPT_NOP ? 1 : at[1];
	if (at < end)
		memcpy(&value, at + 2, sizeof(value));
	return ntohl(value);
}

static void test_isn(void)
{
	uint32_t first, second, port, address, later;

	open_stack(1);
	first = isn("192.0.2.1", 1000, "192.0.2.2");
	second = isn("192.0.2.1", 1000, "192.0.2.2");
	port = isn("192.0.2.1", 1001, "192.0.2.2");
	address = isn("192.0.2.1", 1000, "192.0.2.4");
	ustack_advance(stack, MS(1000));
	later = isn("192.0.2.1", 1000, "192.0.2.2");
	ok(second == first && later - first > 240000 && later - first < 260000,
	   "ISN: the clock drives it, by 4 us (%u in a second)", later - first);
	ok(port != first && address != first && port - first != 1 &&
	   address - first != 2, "ISN: another port or address, another number");
	ustack_destroy(stack);
	open_stack(2);
	ok(isn("192.0.2.1", 1000, "192.0.2.2") != first, "ISN: depends on a secret");
	ustack_destroy(stack);
}

static void test_addresses(void)
{
	struct ustack_socket *s = stream(NULL, 0);
	struct segment syn;

	attempt(s, "198.51.100.9", 7);
	ok(collect(&syn) && syn.ip.saddr == inet_addr("198.51.100.1"),
	   "local address: of the way to the peer");
	ustack_close(s);
	/* 192.0.2.3 has more bits in common with the peer. */
	s = stream("192.0.2.1", 0);
	attempt(s, "192.0.2.2", 7);
	ok(collect(&syn) && syn.ip.saddr == inet_addr("192.0.2.1"),
	   "local address: of bind(2)");
	inject("192.0.2.2", 7, "192.0.2.1", ntohs(syn.tcp.source), TH_SYN | TH_ACK, 100,
	       ntohl(syn.tcp.seq) + 1, "");
	ustack_send(s, "x", 1, 0);
	ok(collect(&syn) && syn.ip.saddr == inet_addr("192.0.2.1") && collect(&syn) &&
	   syn.ip.saddr == inet_addr("192.0.2.1"),
	   "local address: the same for all segments");
	ustack_close(s);
	drain();
}

/* As Linux: to bind to a port that is in use is one error, to connect from it another. */
static void test_twice(void)
{
	struct ustack_socket *one = stream("192.0.2.1", 1000);
	struct ustack_socket *two = stream("192.0.2.1", 1000);

	ok(attempt(one, "192.0.2.2", 7) == EINPROGRESS &&
	   attempt(two, "192.0.2.2", 8) == EINPROGRESS, "a port connects to two others");
	ustack_close(two);
	two = stream("192.0.2.1", 1000);
	ok(attempt(two, "192.0.2.2", 7) == EADDRNOTAVAIL, "but not twice to the same");
	ustack_close(one);
	ustack_close(two);
	drain();
}

static uint64_t not_ours;

static void find_not_ours(void *arg, const char *name, uint64_t value)
{
	(void)arg;
	if (!strcmp(name, "ip_not_ours"))
		not_ours = value;
}

/* Packets that were dropped because of the address they came to. */
static uint64_t dropped(void)
{
	ustack_counters(stack, find_not_ours, NULL);
	return not_ours;
}

static void test_invalid(void)
{
	static const char *const nobody[] = { "224.0.0.1", "255.255.255.255",
					      "192.0.2.255" };
	struct ustack_socket *s = stream(NULL, 0), *l = stream("192.0.2.1", 7);
	uint64_t before;
	size_t i;

	ustack_listen(l, 1);
	for (i = 0; i < 3; i++) {
		ok(attempt(s, nobody[i], 7) == ENETUNREACH && !drain(),
		   "open to %s: refused", nobody[i]);
		inject(nobody[i], 9, "192.0.2.1", 7, TH_SYN, 1, 0, "");
		ok(!drain(), "SYN from %s: nothing", nobody[i]);
		before = dropped();
		inject("192.0.2.2", 9, nobody[i], 7, TH_SYN, 1, 0, "");
		inject("192.0.2.2", 9, nobody[i], 8, TH_SYN, 1, 0, "");
		ok(!drain() && dropped() == before + 2, "SYN to %s: nothing", nobody[i]);
	}
	inject("192.0.2.1", 9, "192.0.2.1", 7, TH_SYN, 1, 0, "");
	ok(!drain(), "SYN from our own address: nothing");
	inject("192.0.2.2", 9, "192.0.2.1", 7, TH_SYN, 1, 0, "");
	ok(drain() == 1, "SYN from a host: an answer");
	ustack_close(s);
	ustack_close(l);
	drain();
}

/* A peer opens a connection to @to:7. */
static void handshake(uint16_t port, const char *to)
{
	struct segment answer;

	inject("192.0.2.2", port, to, 7, TH_SYN, 1, 0, "");
	if (collect(&answer))
		inject("192.0.2.2", port, to, 7, TH_ACK, 2, ntohl(answer.tcp.seq) + 1,
		       "");
}

/* A connection from the port on which two sockets listen, at different addresses. */
static void test_listen(void)
{
	struct ustack_socket *s = stream("192.0.2.1", 7), *one, *two, *child;
	struct segment syn;
	int i;

	attempt(s, "192.0.2.2", 80);
	collect(&syn);
	one = stream("192.0.2.1", 7);
	two = stream("192.0.2.3", 7);
	ok(!ustack_listen(one, 4) && !ustack_listen(two, 4),
	   "listening twice at a port from which a third connects");
	inject("192.0.2.2", 80, "192.0.2.1", 7, TH_SYN | TH_ACK, 100,
	       ntohl(syn.tcp.seq) + 1, "");
	ok(drain() == 1 && attempt(s, "192.0.2.2", 80) == 0, "the third connects");
	for (i = 0; i < 2; i++) {
		handshake((uint16_t)(9 + i), i ? "192.0.2.3" : "192.0.2.1");
		child = ustack_accept(i ? two : one, NULL, NULL, 0);
		ok(child && !ustack_accept(i ? one : two, NULL, NULL, 0),
		   "each listens at its address");
		if (child)
			ustack_close(child);
		drain();
	}
	ustack_close(s);
	ustack_close(one);
	ustack_close(two);
	drain();
}

/* As Linux: one more than the backlog waits. */
static void test_backlog(int backlog)
{
	struct ustack_socket *l = stream("192.0.2.1", 7);
	int i;

	ustack_listen(l, backlog);
	for (i = 0; i <= backlog; i++)
		handshake((uint16_t)(100 * backlog + 20 + i), "192.0.2.1");
	drain();
	inject("192.0.2.2", 19, "192.0.2.1", 7, TH_SYN, 1, 0, "");
	ok(!drain(), "backlog %d: %d wait, and the next SYN is dropped", backlog, i);
	for (i = 0; i <= backlog; i++)
		ustack_close(ustack_accept(l, NULL, NULL, 0));
	ok(!ustack_accept(l, NULL, NULL, 0), "so many wait, and no more");
	ustack_close(l);
	drain();
}

/* Not driven, so that several packets wait for one round. */
static void test_batch(void)
{
	const struct ustack_config config = { .seed = 1 };
	struct ustack_socket *l, *s;
	struct segment answer;
	char text[20];

	if (ustack_create(&config, &stack) || ustack_link_open(stack, "extern", &link_))
		puts("Bail out! no stack");
	add_address("192.0.2.1");
	l = stream("192.0.2.1", 7);
	ustack_listen(l, 1);
	inject("192.0.2.2", 9, "192.0.2.1", 7, TH_SYN, 0, 0, "");
	ustack_poll(stack);
	collect(&answer);
	inject("192.0.2.2", 9, "192.0.2.1", 7, TH_ACK, 1, ntohl(answer.tcp.seq) + 1, "");
	ustack_poll(stack);
	s = ustack_accept(l, NULL, NULL, 0);
	for (uint32_t i = 0; i < 10; i++)
		inject("192.0.2.2", 9, "192.0.2.1", 7, TH_ACK | TH_PUSH, 1 + 2 * i,
		       ntohl(answer.tcp.seq) + 1, "ab");
	ustack_poll(stack);
	ok(collect(&answer) && ntohl(answer.tcp.ack_seq) == 21 && !drain(),
	   "ten segments of one round: one ACK");
	ok(s && ustack_recv(s, text, sizeof(text), 0) == 20, "for all of them");
	ustack_destroy(stack);
}

/* RFC 7323 5.4, RFC 6191: it rises from one connection of two hosts to the next. */
static void test_told_time(void)
{
	uint32_t first, port, remote, local, again;

	open_stack(1);
	first = told_time("192.0.2.1", 1000, "192.0.2.2");
	port = told_time("192.0.2.1", 1001, "192.0.2.2");
	remote = told_time("192.0.2.1", 1000, "192.0.2.4");
	local = told_time("192.0.2.3", 1000, "192.0.2.4");
	again = told_time("192.0.2.1", 1000, "192.0.2.2");
	ok(first && port == first && again == first, "TSval: one clock for two hosts");
	ok(remote != first && local != remote && local != first,
	   "TSval: another host, another clock");
	ustack_destroy(stack);
}

int main(void)
{
	plan(0);
	test_isn();
	test_told_time();
	open_stack(3);
	test_addresses();
	test_twice();
	test_invalid();
	test_listen();
	test_backlog(0);
	test_backlog(2);
	ustack_destroy(stack);
	test_batch();
	return finish();
}
