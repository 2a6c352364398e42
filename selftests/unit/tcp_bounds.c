// SPDX-License-Identifier: MIT
/* What one peer that keeps no rule may take of a connection, and of the stack; what many
 * listeners cost those that connect.
 */
#include "tcp_bench.h"

static void give(uint32_t seq, uint32_t len)
{
	struct script_segment g = { .flags = US_TCP_ACK, .seq = seq, .ack = 1,
				    .len = len, .window = 65535, .options_len = -1 };

	script_receive(&bench, &g);
	bench_discard();
	bench.now += 1000;
}

/* Segments smaller than the unit of the window: rounding must not let them in. */
static void test_window(void)
{
	struct us_tcp *tcp = bench_begin("option rcvbuf 1000000");
	uint32_t seq = 1, n;

	for (; us_tcp_rcv_wnd(tcp) >= 1400; seq += 1400)
		give(seq, 1400);
	for (n = 0; n < 3000; n++)
		give(tcp->rcv_nxt - bench.peer_isn, 15);
	ok(tcp->rcv_wscale == 4 && tcp->active->rcv_bytes == tcp->rcvbuf,
	   "the buffer is filled, and no more: %u of %u", tcp->active->rcv_bytes,
	   tcp->rcvbuf);
	bench_end();
}

static void give_sack(const struct us_tcp *tcp, uint32_t at)
{
	struct script_segment g = { .flags = US_TCP_ACK, .seq = 1, .window = 65535,
				    .ack = tcp->snd_una - bench.isn };
	uint32_t i;

	memcpy(g.options, (uint8_t[]){ 1, 1, US_TCP_OPT_SACK, 2 + 32 }, 4);
	for (i = 0; i < 4; i++) {
		script_put32(&g.options[4 + 8 * i], at + 2 * i + bench.isn);
		script_put32(&g.options[8 + 8 * i], at + 2 * i + 1 + bench.isn);
	}
	g.options_len = 36;
	script_receive(&bench, &g);
	bench_discard();
}

/* The peer has every second byte, it says. */
static void test_sack(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	uint32_t at, end_at, most;

	bench_line("send 14600 = 14600");
	bench_discard();
	end_at = tcp->snd_nxt - bench.isn;
	for (at = 3; at + 8 < end_at; at += 8)
		give_sack(tcp, at);
	most = 256 + us_tcp_in_flight(tcp) / tcp->mss + 16;
	ok(tcp->active->nr_sent <= most, "%u runs in flight, at most %u",
	   tcp->active->nr_sent, most);
	bench_end();
}

/* The last small segment was more than 2^31 bytes ago. */
static void test_old_tail(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 100000");

	bench_line("send 1 = 1");
	bench_line("> P. 1:2(1) ack 1");
	bench_line("< . 1:1(0) ack 2 win 65535");
	tcp->active->snd_sml = tcp->snd_nxt + (1u << 30);
	bench_line("send 100 = 100");
	bench_line("> P. 2:102(100) ack 1");
	ok(!bench.why[0], "a tail does not wait for it%s", bench.why);
	bench_end();
}

#define NO_MEMORY	bench_stack()->counter[US_COUNT_tcp_no_memory]

/* All blocks that users may have are in use: one more connection is neither accepted nor opened. */
static void test_no_block(void)
{
	struct us_tcp_table *table = bench_begin("")->table;
	struct ustack_socket *s = script_socket(&bench);
	struct sockaddr_storage name;
	socklen_t len = script_name(&bench, 2, 7779, &name);

	table->share[US_TCP_SHARE_USER].most = 1;
	bench.peer_port = 7778;
	bench.has_isn = false;
	bench_line("< S 0:0(0) win 65535 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("< . 1:1(0) ack 1");
	ok(!bench.why[0] && NO_MEMORY == 1, "no block for who completes a handshake: counted%s",
	   bench.why);
	ok(ustack_connect(s, (void *)&name, len) == -1 && errno == ENOBUFS && NO_MEMORY == 2,
	   "nor for who connects: counted");
	ustack_close(s);
	bench_end();
}

static void *taken[32768];

/* Gives what was taken. */
static uint32_t take_all(struct us_pool *pool)
{
	uint32_t n = 0;

	while ((taken[n] = us_pool_get(pool)))
		n++;
	return n;
}

static void give_back(struct us_pool *pool, uint32_t n)
{
	while (n)
		us_pool_put(pool, taken[--n]);
}

static void test_no_active_part(void)
{
	struct us_tcp *tcp = bench_begin("");
	struct us_pool *pool = &tcp->table->actives;
	uint32_t n = take_all(pool);

	bench_line("< . 1:101(100) ack 1");
	ok(!tcp->active && !bench.why[0] && NO_MEMORY == 1, "no active part: counted%s",
	   bench.why);
	give_back(pool, n);
	bench_line("< . 1:101(100) ack 1");
	bench_line("> . 1:1(0) ack 101");
	ok(!bench.why[0] && NO_MEMORY == 1, "then there is, and what came again is taken%s",
	   bench.why);
	bench_end();
}

/* What cannot be remembered as sent is not sent. */
static void test_no_run(void)
{
	struct us_pool *pool = &bench_begin("")->table->sents;
	uint32_t n = take_all(pool);

	bench_line("send 100 = 100");
	bench_line("none 1000");	ok(!bench.why[0] && NO_MEMORY, "no record of what is in flight: counted%s", bench.why);
	give_back(pool, n);
	script_advance(&bench, bench.now + 2 * US_SEC, true);
	bench_line("> P. 1:101(100) ack 1");
	ok(!bench.why[0], "then there is, and it leaves%s", bench.why);
	bench_end();
}

static unsigned int longest_chain(const struct us_tcp_table *table)
{
	const struct us_tcp_listener *l;
	unsigned int longest = 0;
	uint32_t i;

	for (i = 0; i <= table->listen_mask; i++) {
		unsigned int n = 0;

		for (l = table->listen_hash[i]; l; l = l->next)
			n++;
		longest = us_max32(longest, n);
	}
	return longest;
}

static struct us_addr address(uint32_t number)
{
	const uint8_t bytes[4] = { 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
				   (uint8_t)number };

	return us_addr_from4(bytes);
}

/* As many as there may be, at one port: each SYN asks few of them. */
static void test_listeners(void)
{
	const struct us_tcp_options options = { 0 };
	struct us_tcp_listener *l, *last = NULL;
	struct us_tcp_table *table;
	struct us_addr local;
	uint16_t port = htons(81);
	uint32_t n = 0;

	bench_begin("");
	table = script_stack(&bench)->tcp;
	do {
		local = address(++n);
	} while (!us_tcp_listen(script_stack(&bench), AF_INET, &local, &port, 1, false,
				&options, NULL, &l) && (last = l));
	local = address(n - 1);
	ok(n > 10 && longest_chain(table) <= 5,
	   "%u listen at a port, a bucket has %u at most", n - 1, longest_chain(table));
	ok(last && us_tcp_listener_lookup(table, &local, port) == last, "each is found");
	bench_end();
}

int main(void)
{
	plan(0);
	test_old_tail();
	test_sack();
	test_window();
	test_no_block();
	test_no_active_part();
	test_no_run();
	test_listeners();
	return finish();
}
