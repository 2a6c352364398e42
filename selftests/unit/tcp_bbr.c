// SPDX-License-Identifier: MIT
/*
 * BBRv3 on a path of 20 Mbit/s and 40 ms, in virtual time.  Its phases are told apart by
 * the gains that TCP_CC_INFO tells (draft-ietf-ccwg-bbr-06 5.6.1).
 */
#include <string.h>

#include "tcp_neck.h"

#define RATE	20000000.
#define HISTORY	4096u

enum phase { STARTUP, DRAIN, DOWN, CRUISE, UP, PROBE_RTT, PHASES, NONE };

static const struct {
	const char *name;
	uint32_t pacing;
	uint32_t cwnd;
} phases[] = {
	[STARTUP] = { "Startup", 709, 512 }, [DRAIN] = { "Drain", 128, 512 },
	[DOWN] = { "Down", 230, 512 }, [CRUISE] = { "Cruise", 256, 512 }, /* or Refill */
	[UP] = { "Up", 320, 576 }, [PROBE_RTT] = { "ProbeRTT", 256, 128 },
};

/**
 * struct run - what was seen
 * @flow: the flow.
 * @begin: of the connection, ns.
 * @phase: phases in turn.
 * @since: when each began, ns.
 * @count: of both.
 * @bw: as told last, bit/s.
 * @min_rtt: as told last, ms.
 */
static struct {
	struct neck_flow flow;
	int64_t begin;
	enum phase phase[HISTORY];
	int64_t since[HISTORY];
	uint32_t count;
	double bw;
	double min_rtt;
} run;

static enum phase phase_of(const struct us_tcp_cc_info *info)
{
	enum phase p;

	for (p = 0; p < PHASES; p++)
		if (info->pacing_gain == phases[p].pacing && info->cwnd_gain == phases[p].cwnd)
			return p;
	return NONE;
}

static void look(void)
{
	struct us_tcp_cc_info info;
	socklen_t length = sizeof(info);
	enum phase p;

	ustack_getsockopt(run.flow.from, IPPROTO_TCP, TCP_CC_INFO, &info, &length);
	p = phase_of(&info);
	if (p == NONE)
		return;
	run.bw = (double)info.bw_lo * 8;
	run.min_rtt = info.min_rtt / 1e3;
	if ((run.count && run.phase[run.count - 1] == p) || run.count == HISTORY)
		return;
	run.phase[run.count] = p;
	run.since[run.count++] = world.now;
}

static void begin(const char *there)
{
	char shape[100];

	memset(&run, 0, sizeof(run));
	snprintf(shape, sizeof(shape), "rate=%.0f,delay=20%s", RATE, there);
	neck_create(shape, "delay=20");
	neck_start(&run.flow, "bbr", 1000);
	run.begin = world.now;
}

static void go(int64_t ns)
{
	int64_t until = world.now + ns;

	while (world.now < until) {
		neck_step(&run.flow, 1);
		look();
	}
}

/* How often @p came, from @from seconds on; and how long it took in all, ns. */
static uint32_t times(enum phase p, double from, int64_t *took)
{
	uint32_t i, n = 0;

	for (i = 0; i < run.count; i++) {
		int64_t until = i + 1 < run.count ? run.since[i + 1] : world.now;

		if (run.phase[i] != p || run.since[i] < run.begin + (int64_t)(from * 1e9))
			continue;
		n++;
		if (took)
			*took += until - run.since[i];
	}
	return n;
}

static void print_history(void)
{
	uint32_t i;

	for (i = 0; i < run.count && i < 40; i++)
		printf("# %8.3f s %s\n", (double)(run.since[i] - run.begin) / 1e9,
		       phases[run.phase[i]].name);
}

static void test_phases(void)
{
	int64_t took = 0, startup = 0;
	uint32_t i, n;
	bool order = true;

	begin(",limit=200");
	go(3 * US_SEC);
	ok(run.count > 3 && run.phase[0] == STARTUP && run.phase[1] == DRAIN &&
	   (run.phase[2] == DOWN || run.phase[2] == CRUISE), "Startup, Drain, ProbeBW");
	times(STARTUP, 0, &startup);
	times(DRAIN, 0, &took);
	ok(startup > 200 * US_MSEC && startup < 700 * US_MSEC, "Startup takes %.0f ms",
	   (double)startup / 1e6);
	ok(took < 200 * US_MSEC, "Drain takes %.0f ms", (double)took / 1e6);
	ok(run.bw > 0.93 * RATE && run.bw < 1.03 * RATE, "the rate of the path: %.2f Mbit/s",
	   run.bw / 1e6);
	ok(run.min_rtt > 40 && run.min_rtt < 44, "its length: %.1f ms", run.min_rtt);
	go(27 * US_SEC);
	ok(times(STARTUP, 1, NULL) == 0, "Startup does not come back");
	n = times(UP, 3, NULL);
	ok(n >= 5 && n <= 13, "ProbeBW goes Up each two to three seconds (but for ProbeRTT): %u times in 27 s", n);
	for (i = 0; i + 1 < run.count; i++)
		order = order && (run.phase[i] != UP || run.phase[i + 1] == DOWN ||
				  run.phase[i + 1] == PROBE_RTT);
	ok(order, "Down comes after Up");
	took = 0;
	n = times(PROBE_RTT, 0, &took);
	ok(n >= 4 && n <= 6, "ProbeRTT each five seconds: %u times in 30", n);
	ok(took / n > 200 * US_MSEC && took / n < 350 * US_MSEC, "for %.0f ms",
	   (double)took / n / 1e6);
	if (tap.failed)
		print_history();
	neck_destroy(&run.flow, 1);
}

static double goodput(double warm, double seconds)
{
	uint64_t before;

	go((int64_t)(warm * 1e9));
	before = run.flow.got;
	go((int64_t)(seconds * 1e9));
	return (double)(run.flow.got - before) * 8 / seconds;
}

static double lossy(const char *cc, unsigned int seed)
{
	char shape[100];
	double rate;

	memset(&run, 0, sizeof(run));
	snprintf(shape, sizeof(shape), "rate=%.0f,delay=20,limit=200,loss=1,seed=%u", RATE,
		 seed);
	neck_create(shape, "delay=20");
	neck_start(&run.flow, cc, 1000);
	rate = goodput(5, 15);
	neck_destroy(&run.flow, 1);
	return rate;
}

/* A random loss of one per cent is below LossThresh: it does not slow BBR down.  What a
 * run of it comes to hangs on where the losses fall.
 */
static void test_loss(void)
{
	double bbr = 0, cubic = lossy("cubic", 1);
	unsigned int seed;

	for (seed = 1; seed <= 8; seed++)
		bbr += lossy("bbr", seed) / 8;
	ok(bbr > 0.8 * RATE, "1%% of loss: %.1f Mbit/s, mean of eight", bbr / 1e6);
	ok(bbr > 2 * cubic, "CUBIC: %.1f Mbit/s", cubic / 1e6);
}

/* Much more loss than LossThresh, from a policer's buffer: it finds less to be enough. */
static void test_shallow(void)
{
	const struct us_stack *stack;
	double rate, lost;

	begin(",limit=12");
	rate = goodput(5, 20);
	stack = (struct us_stack *)world.a;
	lost = (double)stack->counter[US_COUNT_tcp_retransmit] * 1448 /
	       (double)(run.flow.got + 1);
	ok(rate > 0.80 * RATE, "a buffer of 12 packets: %.1f Mbit/s", rate / 1e6);
	ok(lost < 0.04, "%.2f%% sent again", lost * 100);
	neck_destroy(&run.flow, 1);
}

/* A pause tells nothing of the path; after it the rate is what it was. */
static void test_pause(void)
{
	uint64_t before;
	double bw;

	begin(",limit=200");
	go(3200 * US_MSEC);	/* neither Up nor ProbeRTT are near */
	bw = run.bw;
	run.flow.pause = true;
	go(900 * US_MSEC);
	run.flow.pause = false;
	before = run.flow.got;
	go(500 * US_MSEC);
	ok(run.bw > 0.9 * bw, "after a pause: %.1f Mbit/s, as before", run.bw / 1e6);
	ok((double)(run.flow.got - before) * 8 > 0.80 * RATE * 0.46,
	   "and used at once: %.1f Mbit/s in the first half second",
	   (double)(run.flow.got - before) * 16 / 1e6);
	neck_destroy(&run.flow, 1);
}

/* 40 minutes are more than usec tells from 33 to come.  What @from has not read keeps it from
 * being idle, and BBR from beginning anew.
 */
static void test_long_pause(void)
{
	uint64_t before;

	begin(",limit=200");
	go(US_SEC);
	ustack_send(run.flow.to, "", 1, 0);
	while (run.phase[run.count - 1] != PROBE_RTT && run.count < HISTORY)
		go(10 * US_MSEC);
	run.flow.pause = true;
	go(30 * US_MSEC);	/* it counts from here on */
	world.now += 2400 * US_SEC;
	run.flow.pause = false;
	before = run.flow.got;
	go(2 * US_SEC);
	ok(times(CRUISE, 2400, NULL) && (double)(run.flow.got - before) * 4 > 0.6 * RATE,
	   "a long pause in ProbeRTT: that is over, %.1f Mbit/s",
	   (double)(run.flow.got - before) * 4 / 1e6);
	neck_destroy(&run.flow, 1);
}

int main(void)
{
	plan(0);
	test_phases();
	test_loss();
	test_shallow();
	test_pause();
	test_long_pause();
	return finish();
}
