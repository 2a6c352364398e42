// SPDX-License-Identifier: MIT
/* Pacing, delivery rates and congestion window validation, in virtual time. */
#include "tcp_bench.h"

#define MSS	1460u

static struct us_tcp *paced(const char *option, uint64_t rate)
{
	struct us_tcp *tcp = bench_begin(option);

	if (rate)
		ustack_setsockopt(bench.socket, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, 8);
	return tcp;
}

/* Payload bytes of what was sent and nobody looked at; when the last of it was. */
static uint32_t sent(int64_t *when, uint32_t *largest)
{
	uint32_t bytes = 0, i;

	for (i = 0; i < bench.count; i++) {
		const struct script_packet *p = &bench.sent[(bench.first + i) % SCRIPT_QUEUE];
		uint32_t len = p->len - 40;

		bytes += len;
		if (when)
			*when = p->when;
		if (largest && len > *largest)
			*largest = len;
	}
	return bytes;
}

/* Acknowledges all, every so often, for so long; returns the bytes sent. */
static uint32_t run(struct us_tcp *tcp, int64_t ns, uint32_t *largest, uint32_t *most)
{
	int64_t end = bench.now + ns, step;
	uint32_t begin = tcp->snd_nxt, burst;

	while (bench.now < end) {
		struct script_segment g = { .flags = US_TCP_ACK, .seq = 1, .window = 65535,
					    .options_len = -1 };

		step = bench.now;
		script_advance(&bench, step + US_MSEC, false);
		burst = sent(NULL, largest);
		if (most && burst > *most)
			*most = burst;
		bench_discard();
		g.ack = tcp->snd_nxt - bench.isn;
		script_receive(&bench, &g);
		ustack_send(bench.socket, bench.head, 30000, 0);
	}
	return tcp->snd_nxt - begin;
}

/* 125 kB/s are a segment in 11.7 ms. */
static void test_gaps(void)
{
	struct us_tcp *tcp = paced("option sndbuf 1000000", 125000);
	int64_t begin = bench.now, when = 0, last = 0;
	uint32_t n = 0, bytes, total = 0;
	bool even = true;

	bench_line("send 14600 = 14600");
	while (total < 14600 && bench.now < begin + US_SEC) {
		script_advance(&bench, bench.now + US_MSEC / 2, false);
		bytes = sent(&when, NULL);
		bench_discard();
		if (!bytes)
			continue;
		if (n++)
			even = even && bytes == MSS && when - last > 10 * US_MSEC &&
			       when - last < 14 * US_MSEC;
		last = when;
		total += bytes;
	}
	ok(even && total == 14600, "a segment each 11.7 ms: %u bytes in %u bursts", total, n);
	ok(last - begin > 80 * US_MSEC && last - begin < 120 * US_MSEC,
	   "the initial window takes %.1f ms, not one", (double)(last - begin) / 1e6);
	ok(!tcp->retries && !bench_stack()->counter[US_COUNT_tcp_retransmit],
	   "nothing is taken for lost for it");
	bench_end();
}

/* ACKs come all the time, timers with each tick of a millisecond: who has an ACK does not
 * wait for the tick.
 */
static void test_ack_in_time(void)
{
	struct us_tcp *tcp = paced("option sndbuf 1000000", 125000);
	struct script_segment g = { .flags = US_TCP_ACK, .seq = 1, .window = 65535,
				    .options_len = -1 };
	int64_t end = bench.now + US_SEC, last = 0, least = US_SEC, most = 0;
	uint32_t n = 0;

	bench_line("send 14600 = 14600");
	for (; n < 10 && bench.now < end; script_advance(&bench, bench.now + US_MSEC / 10, false)) {
		if (sent(NULL, NULL)) {
			if (n > 1 && bench.now - last < least)	/* a tick's credit first */
				least = bench.now - last;
			if (n > 1 && bench.now - last > most)
				most = bench.now - last;
			last = bench.now;
			n++;
			bench_discard();
		}
		g.ack = tcp->snd_nxt - bench.isn;
		script_receive(&bench, &g);
	}
	ok(n == 10 && least > 11500 * US_USEC && most < 11900 * US_USEC,
	   "with an ACK, %u segments leave in time: after %.1f to %.1f ms", n,
	   (double)least / 1e6, (double)most / 1e6);
	bench_end();
}

/* 1000 bytes at 125 kB/s keep the path busy for 8 ms. */
static void test_message(void)
{
	uint32_t before, early;

	paced("option nodelay 1", 125000);
	bench_line("send 1000 = 1000");
	before = sent(NULL, NULL);
	bench_line("send 100 = 100");
	script_advance(&bench, bench.now + 5 * US_MSEC, false);
	early = sent(NULL, NULL);
	script_advance(&bench, bench.now + 5 * US_MSEC, false);
	ok(before == 1000 && early == 1000 && sent(NULL, NULL) == 1100,
	   "a message waits for its turn: %u, %u", before, early);
	bench_discard();
	bench_end();
}

/* Whatever the rate, that is what leaves on average; bursts are of a millisecond. */
static void test_rates(void)
{
	static const uint32_t rates[] = { 20000, 1000000, 25000000 };
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct us_tcp *tcp = paced("option sndbuf 4000000", rates[i]);
		uint32_t largest = 0, most = 0, bytes;

		bench.lossy = true;
		us_tcp_activate(tcp);
		tcp->active->cwnd = 4000000;
		ustack_send(bench.socket, bench.head, 60000, 0);
		run(tcp, 200 * US_MSEC, NULL, NULL);
		bytes = run(tcp, 2 * US_SEC, &largest, &most);
		ok(bytes > rates[i] / 100 * 190 && bytes < rates[i] / 100 * 205,
		   "%u bytes/s: %u in 2 s", rates[i], bytes);
		ok(most <= rates[i] / 256 + 4 * MSS, "bursts of %u bytes at most", most);
		bench_end();
	}
}

static void test_super_segments(void)
{
	struct us_tcp *tcp;
	uint32_t largest = 0;

	tcp = paced("option gso 65535", 10000000);
	us_tcp_activate(tcp);
	tcp->active->cwnd = 1000000;
	ustack_send(bench.socket, bench.head, 60000, 0);
	run(tcp, 200 * US_MSEC, &largest, NULL);
	ok(largest > 4 * MSS && largest <= 10000000 >> 10,
	   "super-segments of a millisecond: %u bytes", largest);
	bench_end();
	tcp = paced("option gso 65535", 0);
	us_tcp_activate(tcp);
	tcp->active->cwnd = 1000000;
	largest = 0;
	ustack_send(bench.socket, bench.head, 60000, 0);
	run(tcp, 10 * US_MSEC, &largest, NULL);
	ok(largest > 50000 && !tcp->active->pacing_rate, "not paced: %u bytes", largest);
	bench_end();
}

/* ---------------------------------------------------------------- delivery rate */

static void test_rate_sample(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	struct us_tcp_active *a;

	bench_line("send 100000 = 100000");
	a = tcp->active;
	bench_discard();
	ok(!a->app_limited, "limited by the window");
	bench_line("+0.02 < . 1:1(0) ack 2921 win 65535");
	ok(a->delivered == 2 * MSS && a->delivered_at == us_tcp_usec(bench_stack()),
	   "what arrived is counted");
	bench_discard();
	bench_line("+0.001 < . 1:1(0) ack 2921 win 65535 <nop,nop,sack 4381:5841>");
	ok(a->delivered == 3 * MSS, "what is sacked, too");
	bench_discard();
	bench_line("+0.001 < . 1:1(0) ack 5841 win 65535");
	ok(a->delivered == 4 * MSS, "and not twice");
	bench_end();
	tcp = bench_begin("option sndbuf 1000000");
	bench_line("send 5000 = 5000");
	bench_discard();
	ok(tcp->active->app_limited, "limited by the application");
	bench_line("+0.02 < . 1:1(0) ack 5001 win 65535");
	bench_line("send 50000 = 50000");
	bench_discard();
	bench_line("+0.02 < . 1:1(0) ack 6461 win 65535");
	bench_discard();
	ok(!tcp->active->app_limited, "until more is sent and arrives");
	bench_end();
}

static struct us_tcp_rate sample(struct us_tcp *tcp, uint32_t ack)
{
	struct us_tcp_acked r = { .prior_una = tcp->snd_una };

	bench_stack()->now = bench.now;
	us_tcp_flight_ack(tcp, ack + bench.isn, &r);
	us_tcp_rate_sample(tcp, &r.rate);
	return r.rate;
}

static void test_rate_interval(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	struct us_tcp_rate rate;

	bench_line("send 100000 = 100000");
	bench_discard();
	bench.now += 20 * US_MSEC;
	rate = sample(tcp, 14601);
	ok(rate.valid && rate.delivered == 10 * MSS &&
	   rate.interval >> 10 == (uint32_t)(20 * US_MSEC >> 20) && !rate.app_limited,
	   "ten segments in 20 ms: %u in %u", rate.delivered, rate.interval);
	ok(rate.in_flight == 10 * MSS, "ten were in flight");
	tcp->snd_una = tcp->snd_nxt;	/* the books were read behind its back */
	us_tcp_sndq_ack(tcp);
	us_tcp_flight_add(tcp, tcp->snd_nxt, tcp->snd_nxt + MSS);
	tcp->snd_nxt += MSS;
	cds_list_entry(tcp->active->flight.prev, struct us_tcp_sent, node)->flags =
		US_TCP_EVER;
	bench.now += 1000;
	rate = sample(tcp, 14601 + MSS);
	ok(rate.valid && !rate.interval, "less than the least RTT: no sample");
	tcp->snd_una = tcp->snd_nxt;
	bench_discard();
	script_end(&bench);
}

/* ---------------------------------------------------- congestion window validation */

static void test_validation(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	struct us_tcp_active *a;
	uint32_t i;

	us_tcp_activate(tcp);
	a = tcp->active;
	a->cwnd = 100 * MSS;
	/* Five segments a round trip, 1.5 s long: less than a half. */
	for (i = 0; i < 75; i++) {
		char text[80];

		bench_line("send 7300 = 7300");
		bench_discard();
		snprintf(text, sizeof(text), "+0.02 < . 1:1(0) ack %u win 65535",
			 1 + (i + 1) * 7300);
		bench_line(text);
		bench_discard();
	}
	ok(a->cwnd == 100 * MSS, "a window that is not used does not grow, nor shrink");
	ok(us_tcp_used_window(tcp) == 5 * MSS, "five segments of it are used");
	ok(a->cc->ssthresh(tcp) < 5 * MSS, "and a loss takes its part from those");
	a->validated_at -= (uint32_t)(301 * US_SEC >> US_TCP_TICK_SHIFT);
	us_tcp_cwv_round(tcp);
	ok(a->cwnd == 50 * MSS && tcp->ssthresh >= 75 * MSS,
	   "after five minutes it is halved: %u", a->cwnd / MSS);
	us_tcp_cwv_round(tcp);
	ok(a->cwnd == 50 * MSS, "once");
	bench_end();
}

/* What the window has become when so many segments of it were sent at once, and
 * acknowledged two at a time.
 */
static uint32_t after_sending(uint32_t segments)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	uint32_t window, i;

	ustack_send(bench.socket, bench.head, segments * MSS, 0);
	bench_discard();
	for (i = 2; i < segments + 2; i += 2) {
		char text[80];

		snprintf(text, sizeof(text), "+0.001 < . 1:1(0) ack %u win 65535",
			 1 + us_min32(i, segments) * MSS);
		bench_line(text);
	}
	window = tcp->active->cwnd / MSS;
	bench_end();
	return window;
}

static void test_slow_start(void)
{
	ok(after_sending(5) == 10, "slow start: half of the window was used: it stays");
	ok(after_sending(6) == 12, "a little more: it becomes twice what was used");
	ok(after_sending(9) == 18, "nearly all of it: so, too");
	ok(after_sending(10) == 20, "all of it: it doubles");
}

static void test_idle(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	uint32_t first, all;

	us_tcp_activate(tcp);
	tcp->active->cwnd = 64 * MSS;
	script_advance(&bench, bench.now + 500 * US_MSEC, false);
	ok(tcp->active && tcp->active->cwnd == 64 * MSS, "idle for 500 ms: the window stays");
	bench_line("send 100000 = 100000");
	first = sent(NULL, NULL);
	ok(first < 16 * MSS && tcp->active->pacing_rate, "paced: %u segments at first",
	   first / MSS);
	script_advance(&bench, bench.now + 19 * US_MSEC, false);
	all = sent(NULL, NULL);
	ok(all > 60 * MSS && all <= 64 * MSS, "all of it in a round trip: %u", all / MSS);
	bench_discard();
	bench_line("+0.001 < . 1:1(0) ack 14601 win 65535");
	ok(!tcp->active->pacing_rate, "the first ACK ends it");
	bench_discard();
	bench_line("+0.001 < . 1:1(0) ack 100001 win 65535");
	bench_discard();
	script_advance(&bench, bench.now + 9 * US_SEC, false);
	ok(tcp->active, "idle for nine seconds: what is known of the path stays");
	script_advance(&bench, bench.now + 2 * US_SEC, false);
	ok(!tcp->active, "idle for ten: folded");
	bench_line("send 100000 = 100000");
	ok(tcp->active->cwnd >= 64 * MSS && sent(NULL, NULL) < 16 * MSS,
	   "the window is kept, and paced");
	script_advance(&bench, bench.now + 25 * US_MSEC, false);
	bench_discard();
	bench_line("+0.02 < . 1:1(0) ack 200001 win 65535");
	bench_discard();
	script_advance(&bench, bench.now + 700 * US_SEC, false);
	bench_line("send 1 = 1");
	ok(tcp->active->cwnd == tcp->idle_cwnd / 4 && tcp->idle_cwnd >= 64 * MSS,
	   "after ten minutes, halved twice: %u", tcp->active->cwnd / MSS);
	bench_end();
}

/* Timeouts have left two segments of the window: that nothing is sent makes it no larger. */
static void test_idle_small(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	us_tcp_activate(tcp);
	tcp->active->cwnd = tcp->ssthresh = 2 * MSS;
	script_advance(&bench, bench.now + 15 * US_SEC, false);
	ok(!tcp->active, "folded");
	bench_line("send 100000 = 100000");
	ok(sent(NULL, NULL) == 2 * MSS, "a small window stays what it is: %u",
	   sent(NULL, NULL) / MSS);
	bench_discard();
	bench_line("+0.02 < . 1:1(0) ack 2921 win 65535");
	bench_discard();
	bench_end();
}

/* What is unread keeps it from being folded; its window grows old all the same. */
static void test_idle_unread(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	bench_line("< P. 1:101(100) ack 1 win 65535");
	tcp->active->cwnd = 64 * MSS;
	bench_discard();
	script_advance(&bench, bench.now + 290 * US_SEC, false);
	bench_discard();
	bench_line("send 1 = 1");
	ok(tcp->active && tcp->active->cwnd == 64 * MSS, "unread data, idle for 290 s: the window stays");
	bench_discard();
	bench_line("+0.02 < . 101:101(0) ack 2 win 65535");
	script_advance(&bench, bench.now + 700 * US_SEC, false);
	bench_discard();
	bench_line("send 100000 = 100000");
	ok(tcp->active->cwnd == 16 * MSS && tcp->ssthresh >= 48 * MSS,
	   "for 700 s: it is halved twice: %u", tcp->active->cwnd / MSS);
	script_advance(&bench, bench.now + 25 * US_MSEC, false);
	bench_discard();
	bench_line("+0.001 < . 101:101(0) ack 23362 win 65535");
	ok(tcp->active->cwnd >= 16 * MSS, "and not once more for what comes back: %u",
	   tcp->active->cwnd / MSS);
	bench_discard();
	bench_end();
}

/* Who only listens sends ACKs all the time: they are no pauses of their own. */
static void test_idle_listening(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");
	uint32_t i;

	bench_line("< P. 1:101(100) ack 1 win 65535");
	tcp->active->cwnd = 64 * MSS;
	script_advance(&bench, bench.now + 310 * US_SEC, false);
	for (i = 0; i < 3; i++) {
		char text[80];

		bench_discard();
		snprintf(text, sizeof(text), "+0.02 < P. %u:%u(100) ack 1 win 65535",
			 101 + 100 * i, 201 + 100 * i);
		bench_line(text);
	}
	ok(tcp->active->cwnd == 32 * MSS, "310 s of nothing but ACKs: it is halved once: %u",
	   tcp->active->cwnd / MSS);
	bench_end();
}

/* A server is woken by its peer. */
static void test_idle_asked(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	us_tcp_activate(tcp);
	tcp->active->cwnd = 64 * MSS;
	script_advance(&bench, bench.now + 15 * US_SEC, false);
	ok(!tcp->active, "folded, for it is asked for nothing");
	script_advance(&bench, bench.now + 700 * US_SEC, false);
	bench_line("< P. 1:101(100) ack 1 win 65535");
	ok(tcp->active && tcp->active->cwnd == 16 * MSS,
	   "asked after 700 s: it is halved twice, too: %u", tcp->active->cwnd / MSS);
	bench_end();
}

/* So much is acknowledged in less than two seconds. */
static void pass(uint32_t *number, uint32_t bytes)
{
	*number -= bytes;
	script_advance(&bench, bench.now + 1100 * US_MSEC, false);
}

/* After 2 GiB a number that was passed long ago seems to be ahead. */
static void test_gibibytes(void)
{
	struct us_tcp *tcp = paced("option sndbuf 1000000", 125000);
	struct us_tcp_active *a;
	uint64_t none = UINT64_MAX;

	us_tcp_activate(tcp);
	a = tcp->active;
	a->cwnd = tcp->ssthresh = 10 * MSS;
	pass(&a->limited_end, 1500u << 20);
	pass(&a->limited_end, 1500u << 20);
	bench_line("send 10000 = 10000");
	ok(!a->cwnd_limited, "the rate was the limit, not the window");
	bench_discard();
	script_advance(&bench, bench.now + 100 * US_MSEC, false);
	bench_discard();
	bench_line("+0 < . 1:1(0) ack 10001 win 65535");
	pass(&a->pace_end, 1500u << 20);
	pass(&a->pace_end, 1500u << 20);
	ustack_setsockopt(bench.socket, SOL_SOCKET, SO_MAX_PACING_RATE, &none, 8);
	ok(!a->pacing_rate, "no limit any more: not paced");
	bench_end();
}

int main(void)
{
	plan(0);
	test_gaps();
	test_ack_in_time();
	test_message();
	test_rates();
	test_super_segments();
	test_rate_sample();
	test_rate_interval();
	test_validation();
	test_slow_start();
	test_idle();
	test_idle_small();
	test_idle_unread();
	test_idle_listening();
	test_idle_asked();
	test_gibibytes();
	return finish();
}
