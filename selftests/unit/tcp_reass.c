// SPDX-License-Identifier: MIT
/*
 * transport/tcp_reass.c: what an out-of-order queue costs its owner, whatever the order.
 * The file is compiled into this program once more, with its comparisons, its steps
 * from block to block and the runs that it moves counted: the library's is not linked.
 */
#include "core/random.h"
#include "tcp_bench.h"

#define SEGMENT	1400u
#define COUNT	2000u

static uint64_t steps, moved;

#undef cds_list_entry
#define cds_list_entry(at, type, member) (steps++, us_container(at, type, member))
#define us_before(a, b) (steps++, us_before(a, b))
#define memmove(to, from, len) \
	(moved += (len) / sizeof(struct us_tcp_range), memmove(to, from, len))

#include "../../ustack/transport/tcp_reass.c"

#undef us_before
#undef memmove

/* A binary search of all runs, and some looks at its neighbours. */
#define MOST_STEPS	32.0
/* The array of runs is of a fixed size. */
#define MOST_MOVED	((double)US_TCP_RANGES)

/* The segment behind @index others, and one byte that is missing in front of all. */
static void give(uint32_t index)
{
	struct script_segment g = { .flags = US_TCP_ACK, .ack = 1, .window = 65535,
				    .seq = 2 + index * SEGMENT, .len = SEGMENT,
				    .options_len = -1 };

	script_receive(&bench, &g);
	bench_discard();
}

static uint32_t read_all(struct us_tcp *tcp)
{
	uint32_t bytes = tcp->active->rcv_bytes;

	us_tcp_rcvq_drop(tcp, bytes);
	return bytes;
}

/* All that @order says, then the byte that is missing; then what found no room. */
static void test(const char *name, const uint32_t *order)
{
	struct us_tcp *tcp = bench_begin("option rcvbuf 8000000");
	struct script_segment first = { .flags = US_TCP_ACK, .seq = 1, .ack = 1, .len = 1,
					.window = 65535, .options_len = -1 };
	uint32_t i, bytes;

	steps = moved = 0;
	for (i = 0; i < COUNT; i++)
		give(order[i]);
	script_receive(&bench, &first);
	bytes = read_all(tcp);
	for (i = 0; i < COUNT; i++) {
		give(i);
		bytes += read_all(tcp);
	}
	ok(steps < COUNT * MOST_STEPS, "%s: %.1f steps a segment, at most %.0f", name,
	   (double)steps / COUNT, MOST_STEPS);
	ok(moved < COUNT * MOST_MOVED, "%s: %.1f runs moved a segment, at most %.0f",
	   name, (double)moved / COUNT, MOST_MOVED);
	ok(bytes == 1 + COUNT * SEGMENT && !tcp->active->reass,
	   "%s: all of it came, %u bytes", name, bytes);
	bench_end();
}

static struct us_tcp_block *taken[4096];
static uint32_t nr_taken;

/* Others have all blocks but so many. */
static void take_all_but(struct us_tcp_table *table, uint32_t left)
{
	while (us_tcp_blocks_left(table) > left)
		taken[nr_taken++] = us_tcp_block_get(table);
}

static void give_back(struct us_tcp_table *table)
{
	while (nr_taken)
		us_pool_put(&table->blocks, taken[--nr_taken]);
}

/* What is to go in front of a run needs more memory than there is: none is taken. */
static void test_no_room(void)
{
	struct us_tcp *tcp = bench_begin("option rcvbuf 100000");
	struct us_pool *pool = &tcp->table->blocks;
	const char *why = NULL;
	uint32_t bytes;

	bench_line("< . 20001:21001(1000) ack 1");
	bench_discard();
	bytes = tcp->active->reass->bytes;
	take_all_but(tcp->table, pool->count / 8 + 1);
	bench_line("< . 10001:20001(10000) ack 1 gso 1000");
	bench_discard();
	audit(bench.stack, &why);
	ok(tcp->active->reass->bytes == bytes && tcp->active->reass->blocks == 1 && !why,
	   "no room in front of a run: nothing is taken, %u bytes", tcp->active->reass->bytes);
	bench_line("counter tcp_ooo_dropped 1");
	ok(!bench.why[0], "no room in front of a run: that is counted");
	give_back(tcp->table);
	bench_line("< . 10001:20001(10000) ack 1 gso 1000");
	ok(tcp->active->reass->bytes == bytes + 10000 && tcp->active->reass->nr == 1,
	   "then there is, and all of it is");
	bench_end();
}

/* Nor is there any for the first run. */
static void test_no_run(void)
{
	struct us_tcp *tcp = bench_begin("option rcvbuf 100000");

	take_all_but(tcp->table, tcp->table->blocks.count / 8);
	bench_line("< . 2:102(100) ack 1");
	bench_line("> . 1:1(0) ack 1");
	bench_line("counter tcp_ooo_dropped 1");
	ok(!tcp->active->reass && !bench.why[0], "no room for the first run: that is counted, too");
	give_back(tcp->table);
	bench_end();
}

/* The same in order: what is dropped is not acknowledged, and comes again. */
static void test_no_memory(void)
{
	struct us_tcp *tcp = bench_begin("option rcvbuf 100000");

	take_all_but(tcp->table, 0);
	bench_line("< . 1:101(100) ack 1");
	bench_line("> . 1:1(0) ack 1");
	bench_line("counter tcp_rcv_dropped 1");
	ok(tcp->active->rcv_bytes == 0 && !bench.why[0],
	   "no memory for what comes in order: it is dropped, and counted");
	give_back(tcp->table);
	bench_line("< . 1:101(100) ack 1");
	bench_line("> . 1:1(0) ack 101");
	bench_line("counter tcp_rcv_dropped 1");
	ok(tcp->active->rcv_bytes == 100 && !bench.why[0], "then there is, and it is taken");
	bench_end();
}

static void take(uint32_t seq, uint32_t len)
{
	struct script_segment g = { .flags = US_TCP_ACK, .ack = 1, .window = 65535,
				    .seq = seq, .len = len, .options_len = -1 };

	script_receive(&bench, &g);
	bench_discard();
}

/* Every second byte, then those between, and nobody reads: each was in a block of its own. */
static void test_bytes(void)
{
	struct us_tcp *tcp = bench_begin("option rcvbuf 100000");
	struct us_pool *pool = &tcp->table->blocks;
	uint32_t base = 1, most = 0, i;

	for (; base < 8001; base += 100) {
		for (i = 1; i < 100; i += 2)
			take(base + i, 1);
		most = us_max32(most, pool->used);
		for (i = 2; i < 100; i += 2)
			take(base + i, 1);
		take(base, 1);
	}
	ok(most > 50 && tcp->active->rcv_bytes == 8000 && pool->used == 2,
	   "every second byte, then the others: 8000 bytes are in %u blocks", pool->used);
	bench_end();
}

/* Others have all that is common: who has little unread gets blocks, and fills them. */
static void test_last_eighth(void)
{
	struct us_tcp *tcp = bench_begin("option rcvbuf 100000");
	uint32_t i, left = tcp->table->blocks.count / 8;

	take_all_but(tcp->table, left);
	for (i = 0; i < 31; i++) {
		take(1 + 513 * i, 1);
		take(2 + 513 * i, 512);
	}
	left -= us_tcp_blocks_left(tcp->table);
	ok(tcp->active->rcv_bytes == 31 * 513 && left == 4,
	   "of the last blocks, %u bytes take %u", tcp->active->rcv_bytes, left);
	give_back(tcp->table);
	bench_end();
}

/* A connection from another port, and what it may keep behind a hole. */
static uint32_t fill_up(uint16_t port)
{
	uint32_t before, i = 0;

	bench.peer_port = port;
	bench.has_isn = false;
	bench_line("< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("< . 1:1(0) ack 1 win 65535");
	bench_line("accept = 0");
	bench.socket = NULL;
	do {
		before = bench_stack()->tcp->blocks.used;
		give(i++);
		give(i++);
		give(i++);
	} while (bench_stack()->tcp->blocks.used > before);
	return before;
}

#define MANY	12

/* Peers that send all but the first byte: what remains for others? */
static void test_shares(void)
{
	struct us_pool *pool;
	uint32_t used[MANY], i;

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_line("option rcvbuf 8000000");
	bench_line("listen");
	pool = &bench_stack()->tcp->blocks;
	for (i = 0; i < MANY; i++)
		used[i] = fill_up((uint16_t)(7000 + i));
	ok(!bench.why[0] && used[0] <= pool->count * 3 / 8 + 1,
	   "what is out of order on one connection: %u of %u blocks", used[0], pool->count);
	ok(used[2] <= pool->count * 2 / 3, "on three: %u", used[2]);
	ok(used[3] - used[2] >= pool->count / 32, "and the fourth has %u", used[3] - used[2]);
	ok(used[MANY - 1] - used[MANY - 2] > FEW, "many have holes: the next one has %u",
	   used[MANY - 1] - used[MANY - 2]);
	script_advance(&bench, bench.now + 59 * US_SEC, false);
	ok(pool->used == used[MANY - 1], "for 59 seconds they keep it");
	script_advance(&bench, bench.now + 4 * US_SEC, false);
	ok(!pool->used && bench_stack()->counter[US_COUNT_tcp_reass_expired] == MANY,
	   "who is silent for a minute has it no longer");
	bench_end();
}

int main(void)
{
	static uint32_t order[COUNT];
	struct us_random random;
	uint32_t i;

	plan(0);
	for (i = 0; i < COUNT; i++)
		order[i] = i;
	test("in order, behind a hole", order);
	for (i = 0; i < COUNT; i++)
		order[i] = COUNT - 1 - i;
	test("in reverse order", order);
	for (i = 0; i < COUNT; i++)
		order[i] = i < COUNT / 2 ? 2 * i : 2 * (i - COUNT / 2) + 1;
	test("each second one, then the others", order);
	us_random_init(&random, 1);
	for (i = COUNT - 1; i; i--) {
		uint32_t other = us_random_below(&random, i + 1), one = order[i];

		order[i] = order[other];
		order[other] = one;
	}
	test("in random order", order);
	test_no_room();
	test_no_run();
	test_no_memory();
	test_bytes();
	test_last_eighth();
	test_shares();
	return finish();
}
