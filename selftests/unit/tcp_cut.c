// SPDX-License-Identifier: MIT
/* TCP over a pipe that cuts its super-segments: what becomes of them, and that all comes */
#include "link/link.h"
#include "world.h"

#define BULK	1000000u
#define FLOWS	16

/*
 * spy - what A's link was given, and what of it came to B
 * @ops: A's, but for submit().
 * @up: B's, but for link_input().
 * @input: B's.
 * @frames: most that one super-segment became.
 * @largest: bytes of the largest packet.
 * @packets: that came.
 * @bytes: of them.
 */
static struct {
	struct us_link_ops ops;
	struct us_upcalls up;
	void (*input)(struct us_stack *stack, struct us_pkt *pkt);
	uint64_t frames;
	uint32_t largest;
	uint64_t packets;
	uint64_t bytes;
} spy;

/**
 * struct flow - a connection from A to B
 * @from: A's end.
 * @to: B's.
 * @sent: bytes.
 * @got: bytes that were right.
 */
struct flow {
	struct ustack_socket *from;
	struct ustack_socket *to;
	size_t sent;
	size_t got;
};

static struct us_stack *stack_of(struct ustack *stack)
{
	return (struct us_stack *)stack;
}

static struct us_link *link_of(struct ustack *stack)
{
	return cds_list_first_entry(&stack_of(stack)->links, struct us_link, node);
}

static void spy_submit(struct us_link *link, struct us_tx *tx)
{
	uint64_t before = link->stats.tx_packets;

	us_pipe_ops.submit(link, tx);
	if (link->stats.tx_packets - before > spy.frames)
		spy.frames = link->stats.tx_packets - before;
}

static void spy_input(struct us_stack *stack, struct us_pkt *pkt)
{
	spy.largest = us_max32(spy.largest, pkt->len);
	spy.packets++;
	spy.bytes += pkt->len;
	spy.input(stack, pkt);
}

static void begin(const char *shape)
{
	world_create(shape);
	memset(&spy, 0, sizeof(spy));
	spy.ops = us_pipe_ops;
	spy.ops.submit = spy_submit;
	link_of(world.a)->ops = &spy.ops;
	spy.up = *stack_of(world.b)->up;
	spy.input = spy.up.link_input;
	spy.up.link_input = spy_input;
	stack_of(world.b)->up = &spy.up;
}

/* @mss: that B tells, or 0: what its MTU allows. */
static void connect_flows(struct flow *flow, unsigned int count, bool six, int mss)
{
	const char *name = six ? "fd00::2" : "10.0.0.2";
	struct ustack_socket *listener = world_listen(world.b, name, 7);
	unsigned int i;

	if (mss && ustack_setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)))
		world_check(-errno, world.b, "TCP_MAXSEG");
	for (i = 0; i < count; i++) {
		flow[i] = (struct flow) { 0 };
		flow[i].from = world_connect(world.a, name, 7, SOCK_STREAM | SOCK_NONBLOCK);
		world_run(WORLD_MS(5));
		flow[i].to = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		if (!flow[i].to)
			world_check(-errno, world.b, "accept");
	}
	ustack_close(listener);
	world.frozen = true;
}

static void close_flows(struct flow *flow, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		ustack_close(flow[i].from);
		ustack_close(flow[i].to);
	}
	world.frozen = false;
	world_run(WORLD_MS(100));
	world_destroy();
}

/* The byte at @at of a stream: none that is there by mistake is likely to be the same. */
static uint8_t sent_at(size_t at)
{
	return (uint8_t)((uint32_t)at * 2654435761u >> 24);
}

/* As much as is taken, up to @end; in pieces that do not end with segments. */
static void feed(struct flow *flow, size_t end)
{
	static uint8_t piece[12345];
	ssize_t n = 1;

	while (n > 0 && flow->sent < end) {
		size_t len = end - flow->sent < sizeof(piece) ? end - flow->sent : sizeof(piece), i;

		for (i = 0; i < len; i++)
			piece[i] = sent_at(flow->sent + i);
		n = ustack_send(flow->from, piece, len, 0);
		flow->sent += n > 0 ? (size_t)n : 0;
	}
}

/* All that is there, up to the first byte that is another than was sent. */
static void drain(struct flow *flow)
{
	uint8_t byte[4096];
	ssize_t n, i;

	while ((n = ustack_recv(flow->to, byte, sizeof(byte), 0)) > 0)
		for (i = 0; i < n; i++, flow->got++)
			if (byte[i] != sent_at(flow->got))
				return;
}

/* Do @bytes of each flow come, in time? */
static bool transfer(struct flow *flow, unsigned int count, size_t bytes)
{
	unsigned int i, done, round;

	for (round = 0; round < 20000; round++) {
		for (i = 0, done = 0; i < count; i++) {
			feed(&flow[i], bytes);
			drain(&flow[i]);
			done += flow[i].got == bytes;
		}
		if (done == count)
			return true;
		world_run(WORLD_MS(1));
	}
	for (i = 0; i < count; i++)
		printf("# flow %u: %zu sent, %zu came\n", i, flow[i].sent, flow[i].got);
	return false;
}

static uint64_t count_of(struct ustack *stack, enum us_counter counter)
{
	return stack_of(stack)->counter[counter];
}

/* Frames of @mtu bytes at most, of each super-segment @segs at most. */
static void test_bulk(const char *shape, bool six, int mss, uint32_t mtu, uint32_t segs)
{
	const struct ustack_link_stats *stats;
	struct flow flow;
	char name[64];

	snprintf(name, sizeof(name), "IPv%d, pipe:%s, MSS %d", six ? 6 : 4, shape, mss);
	begin(shape);
	connect_flows(&flow, 1, six, mss);
	stats = &link_of(world.a)->stats;
	ok(transfer(&flow, 1, BULK), "%s: all bytes come", name);
	ok(spy.largest <= mtu, "%s: packets of %u bytes at most", name, spy.largest);
	ok(spy.frames <= segs && (segs == 1 || spy.frames > 1),
	   "%s: %u at most of a super-segment", name, (unsigned int)spy.frames);
	ok(stats->tx_packets == spy.packets && stats->tx_bytes == spy.bytes && !stats->tx_dropped,
	   "%s: what is counted as sent has come", name);
	ok(!count_of(world.a, US_COUNT_tcp_retransmit) &&
	   !count_of(world.b, US_COUNT_tcp_bad_csum), "%s: nothing was sent twice", name);
	close_flows(&flow, 1);
}

/* B does not poll until A has no frame left, and long after. */
static void test_stuck(const char *shape)
{
	struct flow flow[FLOWS];
	unsigned int i, n;

	begin(shape);
	connect_flows(flow, FLOWS, false, 0);
	for (n = 0; n < 1000; n++) {
		for (i = 0; i < FLOWS; i++)
			feed(&flow[i], 100000);
		world.now += WORLD_STEP * 10;
		ustack_poll(world.a);
	}
	ok(count_of(world.a, US_COUNT_ip_link_full), "%s: the link was full", shape);
	ok(transfer(flow, FLOWS, 100000), "%s: all bytes come once B polls", shape);
	ok(spy.largest <= 1500, "%s: in packets of the MTU", shape);
	close_flows(flow, FLOWS);
}

/* B polls, but nobody reads: what is received is not to keep all frames. */
static void test_unread(const char *shape)
{
	struct flow flow[FLOWS];
	unsigned int i, n;

	begin(shape);
	connect_flows(flow, FLOWS, true, 0);
	for (n = 0; n < 1000; n++) {
		for (i = 0; i < FLOWS; i++)
			feed(&flow[i], 300000);
		world_run(WORLD_MS(1));
	}
	ok(transfer(flow, FLOWS, 300000), "%s, unread: all bytes come once they are", shape);
	close_flows(flow, FLOWS);
}

/* What is sent again is cut, too. */
static void test_shaped(const char *shape)
{
	struct flow flow;

	begin(shape);
	connect_flows(&flow, 1, false, 0);
	ok(transfer(&flow, 1, BULK), "%s: all bytes come", shape);
	ok(spy.largest <= 1500 && spy.frames > 1, "%s: in packets of the MTU", shape);
	close_flows(&flow, 1);
}

/* Several of the peer's segments fit into what is copied behind headers. */
static void test_tiny(void)
{
	struct flow flow;
	size_t end;

	begin("");
	connect_flows(&flow, 1, false, 88);
	for (end = 60; end < 9000 && transfer(&flow, 1, end);)
		end += 7 + end % 300;
	ok(end >= 9000, "MSS of 88: messages of some segments come");
	ok(spy.largest == 128 && spy.frames > 1, "MSS of 88: in packets of %u bytes", spy.largest);
	close_flows(&flow, 1);
}

/* TCP's least segment does not fit into the least MTU. */
static void test_least_mtu(void)
{
	struct flow flow;

	begin("mtu=68");
	connect_flows(&flow, 1, false, 0);
	ok(transfer(&flow, 1, 10), "MTU of 68: a small message comes");
	feed(&flow, 5000);
	world_run(WORLD_MS(3000));
	ok(spy.largest <= 68 && link_of(world.a)->stats.tx_dropped,
	   "MTU of 68: what is larger does not (%u)", spy.largest);
	close_flows(&flow, 1);
}

int main(void)
{
	plan(0);
	test_bulk("", false, 0, 1500, 44);
	test_bulk("", true, 0, 1500, 44);
	test_bulk("mtu=88", false, 0, 88, 44);
	test_bulk("mtu=576", false, 0, 576, 44);
	test_bulk("mtu=1280", true, 0, 1280, 44);
	test_bulk("mtu=9000", true, 0, 9000, 44);
	test_bulk("mtu=40000", false, 0, 40000, 1);
	test_bulk("mtu=65535", false, 0, 65535, 1);
	test_bulk("", false, 88, 128, 44);
	test_bulk("", true, 536, 596, 44);
	test_bulk("", false, 301, 341, 44);
	test_bulk("frames=16", false, 0, 1500, 1);
	test_bulk("frames=48", false, 0, 1500, 3);
	test_bulk("frames=64", true, 0, 1500, 4);
	test_stuck("frames=16");
	test_stuck("frames=64");
	test_unread("frames=16");
	test_unread("frames=64");
	test_shaped("duplicate=50,frames=64,seed=3");
	test_shaped("loss=2,seed=3");
	test_shaped("corrupt=1,seed=3");
	test_shaped("mark=5,seed=3");
	test_shaped("hole=1200,seed=3");
	test_shaped("rate=100M,delay=1,limit=20,seed=3");
	test_tiny();
	test_least_mtu();
	return finish();
}
