// SPDX-License-Identifier: MIT
/* What a loss, a mark and a false alarm make of the congestion window. */
#include "tcp_bench.h"

#define MSS	1460u

/* Ten segments in flight, and more to send. */
static struct us_tcp *full_window(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	bench_line("send 100000 = 100000");
	bench_discard();
	ok(us_tcp_in_flight(tcp) == 10 * MSS, "ten segments are in flight");
	return tcp;
}

/* RFC 3168 6.1.2: as for a loss, once a round trip, and there is nothing to undo. */
static void test_mark(void)
{
	struct us_tcp *tcp = full_window();
	struct us_tcp_active *a = tcp->active;
	uint32_t ssthresh;

	ok(us_tcp_congested(tcp) && a->ca_state == TCP_CA_CWR, "a mark is heard");
	ssthresh = tcp->ssthresh;
	ok(ssthresh >= 2 * MSS && ssthresh < 10 * MSS, "ssthresh is reduced: %u", ssthresh);
	ok(!us_tcp_congested(tcp) && tcp->ssthresh == ssthresh, "once in a round trip");
	bench_line("+0.02 < . 1:1(0) ack 4381 win 65535");
	bench_discard();
	ok(a->cwnd < 10 * MSS && a->cwnd >= ssthresh, "cwnd goes down step by step: %u",
	   a->cwnd);
	ok(us_tcp_in_flight(tcp) < 10 * MSS, "less is sent than arrives: %u",
	   us_tcp_in_flight(tcp));
	ok(!us_tcp_congested(tcp), "still the same round trip");
	bench_line("+0.02 < . 1:1(0) ack 14601 win 65535");
	bench_discard();
	ok(a->ca_state == TCP_CA_Open && a->cwnd >= ssthresh &&
	   a->cwnd <= ssthresh + MSS, "then it is what it was to be: %u", a->cwnd);
	ok(us_tcp_congested(tcp) && tcp->ssthresh < ssthresh, "the next mark counts again");
	bench_end();
}

/* A loss in the round trip of a mark: sent again, but not reduced again. */
static void test_mark_and_loss(void)
{
	struct us_tcp *tcp = full_window();
	uint32_t ssthresh;

	us_tcp_congested(tcp);
	ssthresh = tcp->ssthresh;
	bench_line("+0.02 < . 1:1(0) ack 4381 win 65535");
	bench_discard();
	bench_line("+0.001 < . 1:1(0) ack 4381 win 65535 <nop,nop,sack 5841:11681>");
	ok(tcp->active->ca_state == TCP_CA_Recovery && tcp->ssthresh == ssthresh,
	   "a loss and a mark in one round trip: one reduction");
	bench_line("> . 4381:5841(1460) ack 1");
	ok(!bench.why[0], "what is lost is sent again");
	ok(!tcp->active->undo_cwnd, "nothing is to be undone");
	bench_end();
}

int main(void)
{
	plan(0);
	test_mark();
	test_mark_and_loss();
	return finish();
}
