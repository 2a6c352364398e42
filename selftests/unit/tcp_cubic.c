// SPDX-License-Identifier: MIT
/*
 * CUBIC (RFC 9438) and HyStart++ (RFC 9406) by themselves: ACKs are made by hand, one
 * a segment, in virtual time, and the window is compared with the RFC's formula in
 * floating point.
 */
#include <math.h>

#include "tcp_bench.h"

#define MSS	1460u

/* A window of @segments that is used in full, after slow start. */
static struct us_tcp *cubic(uint32_t segments, int64_t rtt)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	struct us_tcp_active *a;

	us_tcp_activate(tcp);
	a = tcp->active;
	a->cwnd = segments * MSS;
	a->pipe_ack[0] = a->cwnd;
	a->cwnd_limited = true;
	tcp->srtt = (uint32_t)(rtt >> US_TCP_USEC_SHIFT) << 3;
	return tcp;
}

static void loss(struct us_tcp *tcp)
{
	tcp->ssthresh = tcp->active->cc->ssthresh(tcp);
	tcp->active->cwnd = tcp->ssthresh;
}

/* The ACKs of one round trip. */
static void round_trip(struct us_tcp *tcp, int64_t rtt)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t n = a->cwnd / MSS, i;

	for (i = 0; i < n; i++) {
		struct us_tcp_acked r = { .acked = MSS, .delivered = MSS };

		bench_stack()->now += rtt / n;
		a->cc->acked(tcp, &r);
	}
}

static double segments(const struct us_tcp *tcp)
{
	return (double)tcp->active->cwnd / MSS;
}

static double w_cubic(double t, double k, double w_max)
{
	return 0.4 * pow(t - k, 3) + w_max;
}

/* A long fat path: far from what Reno would do. */
static void test_curve(void)
{
	const int64_t rtt = 100 * US_MSEC;
	struct us_tcp *tcp = cubic(1000, rtt);
	double k = cbrt((1000 - 700) / 0.4), worst = 0, t = 0;

	loss(tcp);
	ok(tcp->active->cwnd == 700 * MSS, "beta is 0.7: %u", tcp->active->cwnd / MSS);
	for (t = 0.1; t < 2 * k; t += 0.1) {
		double error;

		round_trip(tcp, rtt);
		error = fabs(segments(tcp) - w_cubic(t, k, 1000));
		worst = error > worst ? error : worst;
		if (fabs(t - k) < 0.05)
			ok(fabs(segments(tcp) - 1000) < 3, "after K = %.2f s: W_max (%.1f)",
			   k, segments(tcp));
	}
	ok(worst < 5, "the curve of equation 1, for 2 K: at most %.2f segments off", worst);
	ok(segments(tcp) > 1250, "beyond the plateau it is convex: %.1f", segments(tcp));
	bench_end();
}

/* A short path: as Reno, whose increase is alpha segments a round trip. */
static void test_friendly(void)
{
	const int64_t rtt = 20 * US_MSEC;
	struct us_tcp *tcp = cubic(20, rtt);
	double w = 14, worst = 0, error;
	int i;

	loss(tcp);
	for (i = 0; i < 30; i++) {
		round_trip(tcp, rtt);
		w += w < 20 ? 9. / 17 : 1;
		error = fabs(segments(tcp) - w);
		worst = error > worst ? error : worst;
	}
	ok(worst < 1.5, "Reno-friendly: alpha 9/17, then 1, a round trip: %.2f off", worst);
	ok(segments(tcp) > 35, "%.1f segments after 30 round trips", segments(tcp));
	bench_end();
}

static void test_fast_convergence(void)
{
	const int64_t rtt = 100 * US_MSEC;
	struct us_tcp *tcp = cubic(1000, rtt);
	double k = cbrt((0.85 * 700 - 490) / 0.4);
	int i, rounds = (int)(k / 0.1 + 0.5);

	loss(tcp);
	loss(tcp);
	ok(tcp->active->cwnd == 490 * MSS, "a second loss before the plateau");
	for (i = 0; i < rounds; i++)
		round_trip(tcp, rtt);
	ok(fabs(segments(tcp) - 595) < 4,
	   "fast convergence: the plateau is 0.85 of that window, after %.2f s: %.1f", k,
	   segments(tcp));
	bench_end();
}

static void test_timeout(void)
{
	const int64_t rtt = 100 * US_MSEC;
	struct us_tcp *tcp = cubic(1000, rtt);
	int i;

	loss(tcp);
	tcp->active->cc->timeout(tcp);
	for (i = 0; i < 50; i++)
		round_trip(tcp, rtt);
	ok(fabs(segments(tcp) - w_cubic(5, 0, 700)) < 5,
	   "after a timeout K is 0: %.1f segments after 5 s, not %.1f", segments(tcp),
	   w_cubic(5, cbrt(750), 1000));
	bench_end();
}

static void test_undo(void)
{
	const int64_t rtt = 100 * US_MSEC;
	struct us_tcp *tcp = cubic(1000, rtt);
	double t, before;
	int i;

	loss(tcp);
	for (i = 0; i < 30; i++)
		round_trip(tcp, rtt);
	before = segments(tcp);
	loss(tcp);
	tcp->active->cwnd = (uint32_t)(before * MSS);
	tcp->active->cc->undo(tcp);
	for (t = 3; t < 6; t += 0.1)
		round_trip(tcp, rtt);
	ok(fabs(segments(tcp) - w_cubic(t, cbrt(750), 1000)) < 5,
	   "undone: the old curve goes on: %.1f", segments(tcp));
	bench_end();
}

/* RFC 9438 4.2: time in which the window is not used does not count. */
static void test_application_limited(void)
{
	const int64_t rtt = 100 * US_MSEC;
	struct us_tcp *tcp = cubic(1000, rtt);
	uint32_t cwnd;
	int i;

	loss(tcp);
	for (i = 0; i < 20; i++)
		round_trip(tcp, rtt);
	cwnd = tcp->active->cwnd;
	tcp->active->cwnd_limited = false;
	for (i = 0; i < 100; i++)
		round_trip(tcp, rtt);
	ok(tcp->active->cwnd == cwnd, "not used: it does not grow");
	tcp->active->cwnd_limited = true;
	round_trip(tcp, rtt);
	ok(fabs(segments(tcp) - w_cubic(2.1, cbrt(750), 1000)) < 5,
	   "used again: it goes on where it was: %.1f", segments(tcp));
	bench_end();
}

/* Nor does a pause, after which there is more than the window takes. */
static void test_pause(void)
{
	const int64_t rtt = 100 * US_MSEC;
	struct us_tcp *tcp = cubic(1000, rtt);
	int i;

	loss(tcp);
	for (i = 0; i < 20; i++)
		round_trip(tcp, rtt);
	tcp->active->app_limited = true;
	bench.now = bench_stack()->now + 7 * US_SEC;
	bench_line("send 1460 = 1460");
	tcp->active->cwnd_limited = true;
	round_trip(tcp, rtt);
	ok(fabs(segments(tcp) - w_cubic(2.1, cbrt(750), 1000)) < 5,
	   "after a pause it goes on where it was: %.1f", segments(tcp));
	bench_end();
}

/* At time K the window is W_max, whatever its size. */
static void test_k(void)
{
	const int64_t rtt = 100 * US_MSEC;
	struct us_tcp *tcp = cubic(10, rtt);
	struct us_tcp_active *a = tcp->active;
	double worst = 0;
	uint32_t n, i;

	for (n = 100; n < 700000; n = n * 7 / 5) {
		double off;

		a->cc->init(tcp);
		a->cwnd = a->pipe_ack[0] = n * MSS;
		loss(tcp);
		off = cbrt((n - segments(tcp)) / 0.4);
		round_trip(tcp, 0);
		bench_stack()->now += (int64_t)((off - 0.1) * 1e9);
		for (i = 0; i < 20; i++)
			round_trip(tcp, 0);
		off = fabs(segments(tcp) / n - 1);
		worst = off > worst ? off : worst;
	}
	ok(worst < 0.01, "K for windows of 100 to 700000 segments: at most %.2f%% off",
	   worst * 100);
	bench_end();
}

/* ------------------------------------------------------------------ HyStart++ */

/* A round of @n ACKs with that RTT, in milliseconds; returns the growth of cwnd. */
static uint32_t hystart_round(struct us_tcp *tcp, struct us_tcp_hystart *h, uint32_t ms,
			      uint32_t n)
{
	uint32_t before = tcp->active->cwnd, i;

	for (i = 0; i < n; i++) {
		struct us_tcp_acked r = { .acked = MSS, .delivered = MSS, .rtt = US_TCP_MSEC(ms),
					  .round = i + 1 == n };

		if (tcp->active->cwnd < tcp->ssthresh)
			tcp->active->cwnd += us_tcp_hystart(tcp, h, &r);
	}
	return tcp->active->cwnd - before;
}

static void test_hystart(void)
{
	struct us_tcp *tcp = cubic(10, 100 * US_MSEC);
	struct us_tcp_hystart h;
	int i;

	us_tcp_hystart_init(&h);
	ok(hystart_round(tcp, &h, 100, 10) == 10 * MSS, "slow start: by what is acknowledged");
	ok(hystart_round(tcp, &h, 111, 20) == 20 * MSS, "11 of 100 ms more: below an eighth");
	ok(hystart_round(tcp, &h, 126, 7) == 7 * MSS, "seven samples are not enough");
	hystart_round(tcp, &h, 100, 20);
	ok(hystart_round(tcp, &h, 113, 40) == 7 * MSS + 33 * (MSS / 4),
	   "the delay rose by an eighth: a quarter from the eighth sample on");
	ok(hystart_round(tcp, &h, 105, 40) == 7 * MSS / 4 + 33 * MSS,
	   "it was noise: slow start again");
	ok(tcp->ssthresh == US_TCP_SSTHRESH_INF, "and no end of it");
	hystart_round(tcp, &h, 100, 10);
	hystart_round(tcp, &h, 140, 10);
	for (i = 0; i < 3; i++)
		hystart_round(tcp, &h, 140, 10);
	ok(tcp->ssthresh == US_TCP_SSTHRESH_INF, "four rounds of conservative slow start");
	hystart_round(tcp, &h, 140, 10);
	ok(tcp->active->cwnd - tcp->ssthresh < MSS, "the fifth ends it: ssthresh is cwnd");
	bench_end();
}

static void test_hystart_thresholds(void)
{
	struct us_tcp *tcp = cubic(10, 2 * US_MSEC);
	struct us_tcp_hystart h;

	us_tcp_hystart_init(&h);
	hystart_round(tcp, &h, 2, 10);
	ok(hystart_round(tcp, &h, 5, 10) == 10 * MSS, "short paths: less than 4 ms is noise");
	hystart_round(tcp, &h, 2, 10);
	ok(hystart_round(tcp, &h, 7, 10) < 10 * MSS, "5 ms are not");
	us_tcp_hystart_init(&h);
	hystart_round(tcp, &h, 300, 10);
	ok(hystart_round(tcp, &h, 317, 10) < 10 * MSS, "long paths: 16 ms are enough");
	tcp->ssthresh = tcp->active->cwnd + 5 * MSS;
	us_tcp_hystart_init(&h);
	hystart_round(tcp, &h, 100, 2);
	ok(hystart_round(tcp, &h, 900, 20) == 3 * MSS,
	   "with a known ssthresh: plain slow start, up to it");
	bench_end();
}

int main(void)
{
	plan(0);
	test_curve();
	test_friendly();
	test_fast_convergence();
	test_timeout();
	test_undo();
	test_application_limited();
	test_pause();
	test_k();
	test_hystart();
	test_hystart_thresholds();
	return finish();
}
