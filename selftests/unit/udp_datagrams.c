// SPDX-License-Identifier: MIT
/* UDP below the socket calls: what a peer can send, and what memory it may take. */
#include "udp_script.h"

/**
 * struct bench - a stack whose peer is this test
 * @s: the link, the clock.
 * @udp: port 9 on any address.
 * @events: of it.
 */
static struct bench {
	struct script s;
	struct us_udp *udp;
	unsigned int events;
} bench;

static uint8_t bytes[70000];
static uint8_t got[70000];

static struct us_stack *stack(void)
{
	return script_stack(&bench.s);
}

static void event(struct us_udp *udp, void *user)
{
	(void)udp;
	++*(unsigned int *)user;
}

static const struct us_udp_user user = { .event = event };

static void begin(bool six)
{
	static const struct us_addr any;
	uint16_t port = htons(9);
	size_t i;

	memset(&bench, 0, sizeof(bench));
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	script_open(&bench.s, six);
	stack()->udp->user = &user;	/* in place of the socket layer */
	if (us_udp_bind(stack(), six ? AF_INET6 : AF_INET, &any, &port, false,
			&bench.events, &bench.udp))
		puts("Bail out! no port");
}

static void end(void)
{
	us_udp_close(bench.udp);
	ok(!stack()->udp->dgrams.used && !stack()->pkts.used &&
	   us_txmem_free_bytes(stack()->udp->mem) == 4u << 20,
	   "nothing is left behind");
	script_end(&bench.s);
}

static void inject(const struct udp_dgram *d)
{
	udp_inject(&bench.s, d, bytes);
}

static ssize_t receive(size_t size)
{
	return us_udp_recv(bench.udp, got, size, false, NULL);
}

static ssize_t send_to(const struct us_addr *remote, size_t len)
{
	return us_udp_send(bench.udp, bytes, len,
			   &(struct us_udp_out){ .remote = remote, .port = htons(7) });
}

static ssize_t send_peer(struct us_udp *udp, size_t len)
{
	return us_udp_send(udp, bytes, len, &(struct us_udp_out){ .remote = NULL });
}

static void test_sizes(bool six)
{
	static const uint32_t sizes[] = { 0, 1, US_UDP_SMALL, US_UDP_SMALL + 1, 1472 };
	size_t i;

	begin(six);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct us_addr peer = script_addr(&bench.s, 2);
		struct us_udp_in from;

		inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = sizes[i] });
		ok(us_udp_poll(bench.udp) & POLLIN, "%u bytes: readable", sizes[i]);
		ok(us_udp_recv(bench.udp, got, 10, true, &from) ==
		   (ssize_t)sizes[i], "peek tells the whole length");
		ok(us_udp_recv(bench.udp, got, sizeof(got), false, &from) ==
		   (ssize_t)sizes[i] && !memcmp(got, bytes, sizes[i]) &&
		   us_addr_equal(&from.remote, &peer) && from.port == htons(7),
		   "the same bytes, the right sender");
		ok(receive(1) == -EAGAIN, "once");
	}
	end();
}

static void test_lies(bool six)
{
	begin(six);
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 20, .csum = 1 });
	ok(receive(9) == -EAGAIN && stack()->counter[US_COUNT_udp_bad_csum] == 1,
	   "wrong checksum");
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 20, .no_csum = true });
	ok(receive(99) == (six ? -EAGAIN : 20), "no checksum: IPv4 alone allows it");
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 20, .udp_len = 7 });
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 20, .udp_len = 29 });
	ok(receive(9) == -EAGAIN && stack()->counter[US_COUNT_udp_bad_header] == 2,
	   "lengths that lie");
	end();
}

static void test_refusal(bool six)
{
	begin(six);
	inject(&(struct udp_dgram){ .source = 7, .dest = 10, .len = 20 });
	ok(bench.s.count == 1 &&
	   bench.s.sent[0].data[script_ip_len(&bench.s)] == (six ? 1 : 3) &&
	   bench.s.sent[0].data[script_ip_len(&bench.s) + 1] == (six ? 4 : 3),
	   "closed port: port unreachable");
	ok(stack()->counter[US_COUNT_udp_no_port] == 1, "counted");
	end();
}

/* A port on any address of the other family is another port. */
static void test_family(bool six)
{
	static const struct us_addr any;
	uint16_t port = htons(10);
	struct us_udp *udp;

	begin(six);
	us_udp_bind(stack(), six ? AF_INET : AF_INET6, &any, &port, false,
		    &bench.events, &udp);
	inject(&(struct udp_dgram){ .source = 7, .dest = 10, .len = 20 });
	ok(stack()->counter[US_COUNT_udp_no_port] == 1 && !udp->queued,
	   "the other family's port hears nothing");
	us_udp_close(udp);
	end();
}

static void test_peer(bool six)
{
	struct us_addr peer = script_addr(&bench.s, 2);

	begin(six);
	peer = script_addr(&bench.s, 2);
	ok(send_peer(bench.udp, 1) == -EDESTADDRREQ, "no peer yet");
	ok(us_udp_connect(bench.udp, &peer, htons(7)) == 0, "connect");
	inject(&(struct udp_dgram){ .source = 8, .dest = 9, .len = 20 });
	ok(receive(99) == -EAGAIN, "others are not heard");
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 20 });
	ok(receive(99) == 20, "the peer is");
	udp_refuse(&bench.s, &bench.udp->dst.local, &peer,
		   (struct us_net_error){ .err = EHOSTUNREACH });
	ok(us_udp_poll(bench.udp) == (POLLOUT | POLLWRNORM), "a soft error is not told");
	ok(stack()->counter[US_COUNT_udp_icmp_soft] == 1, "but counted");
	udp_refuse(&bench.s, &bench.udp->dst.local, &peer,
		   (struct us_net_error){ .err = ECONNREFUSED, .hard = true });
	ok(us_udp_poll(bench.udp) & POLLERR, "a hard one is");
	ok(send_peer(bench.udp, 1) == -ECONNREFUSED, "send() tells");
	ok(send_peer(bench.udp, 1) == 1, "once");
	us_udp_disconnect(bench.udp);
	inject(&(struct udp_dgram){ .source = 8, .dest = 9, .len = 20 });
	ok(receive(99) == 20, "without a peer all are heard");
	end();
}

static void test_send(bool six)
{
	struct us_addr peer;
	const struct script_packet *p = &bench.s.sent[0];
	uint32_t headers;

	begin(six);
	peer = script_addr(&bench.s, 2);
	headers = script_ip_len(&bench.s) + US_UDP_LEN;
	ok(send_to(&peer, 100) == 100 &&
	   send_to(&peer, 1472) == 1472 &&
	   send_to(&peer, 0) == 0, "send");
	ok(bench.s.count == 3 && p[0].len == headers + 100 &&
	   p[1].len == headers + 1472 && p[2].len == headers, "lengths");
	ok(!memcmp(p[0].data + headers, bytes, 100) &&
	   !memcmp(p[1].data + headers, bytes, 1472), "the same bytes");
	ok(send_to(&peer, 1473) == -EMSGSIZE,
	   "more than the MTU");
	bench.s.full = 0;
	ok(send_to(&peer, 10) == -EAGAIN &&
	   !(us_udp_poll(bench.udp) & POLLOUT), "the link is full");
	bench.s.full = -1;
	ustack_poll(bench.s.stack);
	ok(us_udp_poll(bench.udp) & POLLOUT, "and has room again");
	end();
}

static void test_bounds(bool six)
{
	unsigned int n = 0;

	begin(six);
	us_udp_set_rcvbuf(bench.udp, 10000);
	while (stack()->counter[US_COUNT_udp_buffer_full] == 0 && n++ < 100)
		inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 1000 });
	ok(n - 1 == 10000 / (US_CHUNK_MIN + US_UDP_RECORD), "rcvbuf bounds what waits (%u)",
	   n - 1);
	while (receive(2000) == 1000)
		;
	for (n = 0; n < 1000; n++)
		inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 0 });
	ok(stack()->udp->dgrams.used == 10000 / US_UDP_RECORD,
	   "empty datagrams, too");
	while (receive(1) == 0)
		;
	end();
}

static void test_train(bool six)
{
	begin(six);
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 2500, .gso_size = 1000 });
	ok(receive(9999) == 1000 && !memcmp(got, bytes, 1000) &&
	   receive(9999) == 1000 && !memcmp(got, bytes + 1000, 1000) &&
	   receive(9999) == 500 && !memcmp(got, bytes + 2000, 500) &&
	   receive(9999) == -EAGAIN, "a train is cut where its datagrams were");
	end();
}

/* With UDP_GRO it comes whole, and its datagrams' size is told. */
static void test_whole_train(bool six)
{
	struct us_udp_in from;

	begin(six);
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 2500, .gso_size = 1000 });
	ok(us_udp_recv(bench.udp, got, 9999, false, &from) == 1000 && !from.segment,
	   "a datagram of a train is one datagram");
	us_udp_set_gro(bench.udp, true);
	ok(us_udp_recv(bench.udp, got, 9999, true, &from) == 1500 && from.segment == 1000 &&
	   us_udp_recv(bench.udp, got, 9999, false, &from) == 1500 && from.segment == 1000 &&
	   !memcmp(got, bytes + 1000, 1500), "the rest comes whole");
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 900, .gso_size = 1000 });
	ok(us_udp_recv(bench.udp, got, 9999, false, &from) == 900 && !from.segment,
	   "what is no train is not called one");
	end();
}

/* rcvbuf takes as many datagrams of a train as it has room for. */
static void test_train_bounds(bool six)
{
	struct us_udp_in from;

	begin(six);
	us_udp_set_rcvbuf(bench.udp, 4096 + US_UDP_RECORD);
	inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 5500, .gso_size = 1000 });
	ok(stack()->counter[US_COUNT_udp_buffer_full] == 2, "what is too much is counted");
	ok(us_udp_recv_behind(bench.udp, got, 999, &from) == -EAGAIN,
	   "the short way is not for what is cut");
	ok(us_udp_recv_behind(bench.udp, got, 9999, &from) == 1000 &&
	   from.port == htons(7) && receive(9999) == 1000, "the short way");
	us_udp_copy_out(stack());
	ok(!stack()->pkts.used && receive(9999) == 1000 &&
	   !memcmp(got, bytes + 2000, 1000), "the rest was copied out");
	ok(us_udp_recv_behind(bench.udp, got, 9999, &from) == -EAGAIN,
	   "the last one goes the long way");
	ok(receive(9999) == 1000 && !memcmp(got, bytes + 3000, 1000) &&
	   receive(9999) == -EAGAIN && !bench.udp->queued, "four came");
	end();
}

static void test_pressure(bool six)
{
	unsigned int n, half;

	begin(six);
	us_udp_set_rcvbuf(bench.udp, 1 << 30);
	half = stack()->pkts.count / 2;
	for (n = 0; n < half + 500; n++)
		inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 1000 });
	ok(stack()->pkts.used <= half, "held packets are copied out: %u",
	   stack()->pkts.used);
	for (n = 0; receive(2000) == 1000 && !memcmp(got, bytes, 1000); n++)
		;
	ok(n == US_UDP_HELD + 1536, "%u datagrams survived", n);
	end();
}

/* Nobody reads, and all memory that it may have is used up: the links get their packets
 * back.
 */
static void test_unread(bool six)
{
	struct us_udp_table *udp;
	unsigned int n;

	begin(six);
	udp = stack()->udp;
	us_udp_set_rcvbuf(bench.udp, 1 << 30);
	for (n = 0; n < 3000; n++)
		inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = 1000 });
	ok(stack()->pkts.used == US_UDP_HELD && us_txmem_free_bytes(udp->mem) == 1 << 20 &&
	   stack()->counter[US_COUNT_udp_buffer_full] == 3000 - US_UDP_HELD - 1536,
	   "no more than its share is held: %u", stack()->pkts.used);
	us_udp_copy_out(stack());
	ok(!stack()->pkts.used && udp->dgrams.used == 1536 &&
	   stack()->counter[US_COUNT_udp_buffer_full] == 3000 - 1536,
	   "under pressure what cannot be copied is dropped, and counted");
	for (n = 0; receive(2000) == 1000; n++)
		;
	ok(n == 1536 && !bench.udp->queued && !bench.udp->nr_held, "the rest is read");
	end();
}

/* Nobody reads port 9, whose rcvbuf is no limit. Port 10 hears on. */
static void flood(bool six, uint32_t len, const char *what)
{
	static const struct us_addr any;
	uint16_t port = htons(10);
	struct us_udp *other;
	unsigned int n;

	begin(six);
	us_udp_bind(stack(), six ? AF_INET6 : AF_INET, &any, &port, false, &bench.events, &other);
	us_udp_set_rcvbuf(bench.udp, 1 << 30);
	for (n = 0; n < stack()->udp->dgrams.count; n++)
		inject(&(struct udp_dgram){ .source = 7, .dest = 9, .len = len });
	ok(stack()->counter[US_COUNT_udp_buffer_full], "one port unread: it hears no more: %s", what);
	us_udp_copy_out(stack());
	for (n = 0; n < 6; n++)
		inject(&(struct udp_dgram){ .source = 7, .dest = 10, .len = len });
	us_udp_copy_out(stack());
	for (n = 0; us_udp_recv(other, got, sizeof(got), false, NULL) == (ssize_t)len; n++)
		;
	ok(n == 6, "one port unread: others hear on: %s", what);
	us_udp_close(other);
	end();
}

static void test_unread_beside(bool six)
{
	flood(six, 0, "records");
	flood(six, 1000, "memory");
}

/* A router says to what fits only that of what port 9 sends to port 7 of @remote. */
static void too_big(const struct us_addr *remote, uint32_t mtu)
{
	struct us_addr own = script_addr(&bench.s, 1);

	udp_refuse(&bench.s, &own, remote, (struct us_net_error){ .err = EMSGSIZE, .mtu = mtu });
}

static void test_path_of_peer(bool six)
{
	struct us_addr peer;
	uint32_t headers;
	size_t least;

	begin(six);
	headers = script_ip_len(&bench.s) + US_UDP_LEN;
	least = (six ? 1280 : 552) - headers;
	peer = script_addr(&bench.s, 2);
	us_udp_connect(bench.udp, &peer, htons(7));
	too_big(&peer, 1300);
	ok(send_peer(bench.udp, 1) == -EMSGSIZE && send_peer(bench.udp, 1301 - headers) == -EMSGSIZE &&
	   send_peer(bench.udp, 1300 - headers) > 0, "a path is smaller than the link");
	too_big(&peer, 1350);
	ok(send_peer(bench.udp, 1) == -EMSGSIZE && send_peer(bench.udp, 1301 - headers) == -EMSGSIZE,
	   "a router that takes more is not the smallest one");
	too_big(&peer, 68);
	ok(send_peer(bench.udp, 1) == -EMSGSIZE && send_peer(bench.udp, least + 1) == -EMSGSIZE &&
	   send_peer(bench.udp, least) > 0, "no path is that small");
	script_advance(&bench.s, bench.s.now + 599 * US_SEC, false);
	ok(send_peer(bench.udp, least + 1) == -EMSGSIZE, "what is too large: for ten minutes");
	script_advance(&bench.s, bench.s.now + 2 * US_SEC, false);
	ok(send_peer(bench.udp, 1472) == 1472, "what is too large: then it is tried again");
	end();
}

/* Of a port that has no peer, who sends elsewhere meanwhile. */
static void test_path_of_any(bool six)
{
	struct us_addr one, two;

	begin(six);
	one = script_addr(&bench.s, 2);
	two = script_addr(&bench.s, 3);
	send_to(&one, 1400);
	too_big(&one, 1300);
	ok(!(us_udp_poll(bench.udp) & POLLERR) && send_to(&one, 1) == 1, "no peer: no error is told");
	ok(send_to(&one, 1400) == -EMSGSIZE, "no peer: a path is smaller than the link");
	ok(send_to(&two, 1400) == 1400 && send_to(&one, 1400) == -EMSGSIZE,
	   "no peer: it still is, and others are not");
	too_big(&two, 1290);
	ok(send_to(&two, 1400) == -EMSGSIZE, "no peer: of one sent to before");
	script_advance(&bench.s, bench.s.now + 601 * US_SEC, false);
	ok(send_to(&two, 1400) == 1400 && send_to(&one, 1400) == 1400,
	   "no peer: tried again after ten minutes");
	end();
}

/* Is host @host the source of the last packet? */
static bool left_from(uint8_t host)
{
	const struct script_packet *p = &bench.s.sent[bench.s.count - 1];
	struct us_addr source = script_addr(&bench.s, host);

	return bench.s.six ? !memcmp(p->data + 8, source.b, 16) :
			     !memcmp(p->data + 12, &source.b[12], 4);
}

/* Nobody is reached by the way that was taken so far: there may be another one by now. */
static void test_way_lost(bool six)
{
	static const struct us_net_error unreachable = { .err = EHOSTUNREACH };
	static const uint8_t nobody[8] = { 0, 8, 0, 7 };
	struct us_addr own, later, peer;

	begin(six);
	own = script_addr(&bench.s, 1);
	later = script_addr(&bench.s, 3);
	peer = script_addr(&bench.s, 2);
	send_to(&peer, 1);
	us_net_address_add(stack(), &bench.s.link, &later, six ? 64 : 24);
	ok(send_to(&peer, 1) == 1 && left_from(1), "way: as it was");
	udp_refuse(&bench.s, &own, &later, unreachable);
	ok(stack()->counter[US_COUNT_udp_icmp_unconnected] == 1, "way: lost: counted");
	ok(send_to(&peer, 1) == 1 && left_from(1), "way: lost to another one: as it was");
	udp_refuse(&bench.s, &own, &peer, unreachable);
	ok(send_to(&peer, 1) == 1 && left_from(3), "way: lost: asked for anew");
	us_udp_connect(bench.udp, &peer, htons(7));
	udp_refuse(&bench.s, &later, &peer, unreachable);
	ok(send_peer(bench.udp, 1) == 1 && left_from(3), "way: of a peer: goes on");
	udp_refuse(&bench.s, &own, &peer, (struct us_net_error){
			.err = EHOSTUNREACH, .quoted = nobody, .len = sizeof(nobody) });
	ok(stack()->counter[US_COUNT_udp_icmp_no_port] == 1, "way: of nobody: counted");
	end();
}

static struct us_tx *no_slot(struct us_link *link, uint32_t keep)
{
	(void)keep;
	link->stats.syscalls++;		/* that it was asked for */
	return NULL;
}

/* What waits for a link goes by it, though others may go elsewhere. */
static void test_way_lost_waiting(bool six)
{
	static const struct us_net_error unreachable = { .err = EHOSTUNREACH };
	static const struct us_link_ops ops = { .reserve = no_slot };
	struct us_link another = { .ops = &ops, .stack = NULL };
	struct us_addr own, peer;

	begin(six);
	own = script_addr(&bench.s, 1);
	peer = script_addr(&bench.s, 2);
	bench.s.full = 0;
	us_udp_send(bench.udp, bytes, 100, &(struct us_udp_out){
		.remote = &peer, .port = htons(7), .more = true });
	us_udp_train_flush(bench.udp);
	udp_refuse(&bench.s, &own, &peer, unreachable);
	us_udp_link_writable(stack(), &another);
	ok(!another.stats.syscalls && !(us_udp_poll(bench.udp) & POLLOUT),
	   "way: lost: what waits for it waits on");
	bench.s.full = -1;
	us_udp_link_writable(stack(), &bench.s.link);
	ok(bench.s.count == 1 && us_udp_poll(bench.udp) & POLLOUT, "way: lost: and leaves by it");
	end();
}

static void test_listen_peer(bool six)
{
	static const struct us_addr any;
	uint16_t port = htons(11);
	struct us_udp *udp;

	begin(six);
	us_udp_bind(stack(), six ? AF_INET6 : AF_INET, &any, &port, true,
		    &bench.events, &udp);
	inject(&(struct udp_dgram){ .source = 7, .dest = 11, .len = 5 });
	inject(&(struct udp_dgram){ .source = 8, .dest = 11, .len = 6 });
	ok(us_udp_recv(udp, got, 10, false, NULL) == 5 &&
	   us_udp_recv(udp, got, 10, false, NULL) == -EAGAIN,
	   "the first sender is the peer");
	ok(bench.s.count == 1, "the second gets port unreachable");
	ok(send_peer(udp, 5) == 5, "answers need no address");
	us_udp_close(udp);
	end();
}

int main(void)
{
	static void (*const tests[])(bool six) = {
		test_sizes, test_lies, test_refusal, test_family, test_peer, test_send,
		test_bounds, test_train, test_whole_train, test_train_bounds, test_pressure, test_unread,
		test_unread_beside, test_path_of_peer, test_path_of_any, test_way_lost,
		test_way_lost_waiting, test_listen_peer,
	};
	size_t i;

	plan(0);
	for (i = 0; i < 2 * sizeof(tests) / sizeof(tests[0]); i++)
		tests[i / 2](i % 2);
	return finish();
}
