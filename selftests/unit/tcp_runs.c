// SPDX-License-Identifier: MIT
/*
 * transport/tcp_flight.c: what a peer of the smallest segment size may make of what is in
 * flight, and what an ACK of its then costs.  The file is compiled into this program once
 * more, with its steps from run to run counted: the library's is not linked.
 */
#include "tcp_bench.h"

static uint64_t steps;

#undef cds_list_entry
#define cds_list_entry(at, type, member) (steps++, us_container(at, type, member))

#include "../../ustack/transport/tcp_flight.c"

#define MSS		48u
#define SEGMENTS	6000u
#define ALL		(SEGMENTS * MSS)

/* The last cut makes two, a tail loss probe another. */
#define MOST_RUNS	(RUNS_MAX + 2)

/* Four blocks, each of which has to be found from the first run on. */
#define MOST_STEPS	(4 * (RUNS_MAX + 64))

/* A connection with a large window. */
static struct us_tcp *begin(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	bench.lossy = true;
	tcp->mss = MSS;
	tcp->flags |= US_TCP_NODELAY;
	us_tcp_activate(tcp);
	tcp->active->cwnd = US_TCP_CWND_MAX;
	tcp->snd_wnd = 4000000;
	tcp->max_snd_wnd = 4000000;
	return tcp;
}

/* All of it is sent, @step bytes in a poll. */
static void send_all(uint32_t step)
{
	uint32_t done;

	for (done = 0; done < ALL; done += step) {
		ustack_send(bench.socket, bench.head, step, 0);
		script_advance(&bench, bench.now + 10000, false);
		bench_discard();
	}
}

/* The peer has every second one of some units. */
static void give_sack(const struct us_tcp *tcp, uint32_t at, uint32_t unit)
{
	struct script_segment g = { .flags = US_TCP_ACK, .seq = 1, .window = 65535,
				    .ack = tcp->snd_una - bench.isn };
	uint32_t i;

	memcpy(g.options, (uint8_t[]){ 1, 1, US_TCP_OPT_SACK, 2 + 32 }, 4);
	for (i = 0; i < 4; i++) {
		script_put32(&g.options[4 + 8 * i], at + 2 * i * unit + bench.isn);
		script_put32(&g.options[8 + 8 * i], at + (2 * i + 1) * unit + bench.isn);
	}
	g.options_len = 36;
	script_receive(&bench, &g);
	bench_discard();
}

static void test_sacks(const char *name, uint32_t step, uint32_t unit)
{
	struct us_tcp *tcp = begin();
	uint32_t at, end, most_runs;
	uint64_t most = 0;

	send_all(step);
	end = tcp->snd_nxt - bench.isn;
	most_runs = tcp->active->nr_sent;
	for (at = 1 + unit; at + 8 * unit <= end; at += 8 * unit) {
		steps = 0;
		give_sack(tcp, at, unit);
		most = steps > most ? steps : most;
		most_runs = us_max32(most_runs, tcp->active->nr_sent);
		script_advance(&bench, bench.now + 10000, false);
		bench_discard();
	}
	ok(most_runs <= MOST_RUNS, "%s: %u runs, at most %u", name, most_runs, MOST_RUNS);
	ok(most <= MOST_STEPS, "%s: %llu steps for an ACK, at most %u", name,
	   (unsigned long long)most, MOST_STEPS);
	ok(bench_stack()->counter[US_COUNT_tcp_sack_refused] > 0, "%s: %llu were refused", name,
	   (unsigned long long)bench_stack()->counter[US_COUNT_tcp_sack_refused]);
	bench_end();
}

/* All was lost, and goes again, a segment in a poll.  Returns how many runs it was at most. */
static uint32_t resend_all(struct us_tcp *tcp, uint64_t *most_steps)
{
	uint32_t most_runs = 0;

	us_tcp_flight_lose_old(tcp, 0);
	while (tcp->active->lost != tcp->active->retrans) {
		tcp->active->cwnd = us_tcp_pipe(tcp) + MSS;
		steps = 0;
		us_tcp_output(tcp);
		*most_steps = steps > *most_steps ? steps : *most_steps;
		most_runs = us_max32(most_runs, tcp->active->nr_sent);
		bench_discard();
		bench.now += 10000;
		bench_stack()->now = bench.now;
	}
	return most_runs;
}

static void test_resent(void)
{
	struct us_tcp *tcp = begin();
	uint32_t most_runs;
	uint64_t most = 0;

	send_all(ALL / 5);
	most_runs = resend_all(tcp, &most);
	ok(most_runs <= MOST_RUNS, "sent again: %u runs, at most %u", most_runs, MOST_RUNS);
	ok(most <= 64, "sent again: %llu steps for a segment", (unsigned long long)most);
	bench_end();
}

static CDS_LIST_HEAD(others);

/* Others have so many runs. */
static void take(struct us_pool *pool, uint32_t count)
{
	struct us_tcp_sent *sent;

	while (pool->used < count) {
		sent = us_pool_get(pool);
		cds_list_add(&sent->node, &others);
	}
}

static void give_back(struct us_pool *pool)
{
	struct us_tcp_sent *sent, *following;

	cds_list_for_each_entry_safe(sent, following, &others, node)
		us_pool_put(pool, sent);
	CDS_INIT_LIST_HEAD(&others);
}

static void test_short(void)
{
	struct us_tcp *tcp = begin();
	struct us_pool *pool = &tcp->table->sents;
	uint64_t most = 0;
	uint32_t runs;

	take(pool, pool->count - pool->count / 4);
	send_all(MSS);
	ok(tcp->active->nr_sent == RUNS_FEW, "runs are short: one has %u of the last quarter",
	   tcp->active->nr_sent);
	runs = resend_all(tcp, &most);
	ok(runs <= RUNS_FEW + 2, "runs are short: what is sent again makes no more: %u", runs);
	give_back(pool);
	bench_end();
}

/* What left in two polls is one run, and its ACK tells no round-trip time. */
static void test_last(void)
{
	struct us_tcp *tcp = begin();
	uint32_t srtt = tcp->srtt;

	take(&tcp->table->sents, tcp->table->sents.count - 1);
	bench_line("send 48 = 48");
	bench_line("> P. 1:49(48) ack 1");
	bench_line("none 20");
	bench_line("send 48 = 48");
	bench_line("> P. 49:97(48) ack 1");
	bench_line("none 20");
	bench_line("< . 1:1(0) ack 97");
	ok(!bench.why[0] && tcp->srtt == srtt, "the last run, of two polls: SRTT is %u, was %u",
	   tcp->srtt, srtt);
	give_back(&tcp->table->sents);
	bench_end();
}

int main(void)
{
	plan(0);
	test_sacks("every second byte", ALL / 5, 1);
	test_sacks("every second segment, each of a poll of its own", MSS, MSS);
	test_resent();
	test_short();
	test_last();
	return finish();
}
