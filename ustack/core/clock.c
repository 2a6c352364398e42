// SPDX-License-Identifier: MIT
/*
 * The kernel's clock costs some 25 ns, a packet some hundred.  So in between the
 * processor's cycle counter is read, where that counts evenly, for a millisecond
 * at most: then the kernel is asked again, and the length of a cycle follows from
 * what passed between two answers.
 */
#include "core/clock.h"

#include <time.h>

#define TRUST	(1 << 20)	/* nanoseconds; the error of two answers grows with it */
#define LONG	(1LL << 36)	/* nanoseconds that fit when shifted */
#define SLOW	20000u		/* cycles: an answer that took longer was interrupted */

#ifdef __x86_64__
#include <cpuid.h>

static uint64_t counter(void)
{
	return __builtin_ia32_rdtsc();
}

/* The same rate in all states, on all cores. */
static bool counts_evenly(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}
#else
static uint64_t counter(void)
{
	return 0;
}

static bool counts_evenly(void)
{
	return false;
}
#endif

static us_ns kernel_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * US_SEC + ts.tv_nsec;
}

/* The length of a cycle, from two answers that are long enough apart. */
static void measure(struct us_clock *clock, uint64_t cycles, us_ns time)
{
	us_ns passed = time - clock->time;

	if (passed < TRUST || passed > LONG || cycles <= clock->cycles)
		return;
	clock->scale = ((uint64_t)passed << US_CLOCK_SHIFT) / (cycles - clock->cycles);
	clock->trusted = clock->scale ?
		((uint64_t)TRUST << US_CLOCK_SHIFT) / clock->scale : 0;
}

/* Asked once: in a virtual machine the question alone takes some 30 us. */
static bool trusts_counter(struct us_clock *clock)
{
	if (!clock->asked) {
		clock->asked = true;
		clock->even = counts_evenly();
	}
	return clock->even;
}

static us_ns ask_kernel(struct us_clock *clock)
{
	uint64_t before;
	us_ns time;
	bool sure;

	if (!trusts_counter(clock))
		return clock->time = kernel_time();
	before = counter();
	time = kernel_time();
	sure = counter() - before < SLOW && before;
	if (sure && clock->sure)
		measure(clock, before, time);
	/* Two answers are kept until they are far enough apart to tell the rate. */
	if (!clock->sure || !sure || clock->trusted) {
		clock->cycles = before;
		clock->time = time;
	}
	clock->sure = sure;
	if (!sure)
		clock->trusted = 0;
	return time;
}

/**
 * us_clock_monotonic() - the clock of stacks that were given none
 * @arg: struct us_clock.
 *
 * Return: CLOCK_MONOTONIC in nanoseconds, to a fraction of a microsecond; never
 * less than before.
 */
us_ns us_clock_monotonic(void *arg)
{
	struct us_clock *clock = arg;
	uint64_t cycles = clock->trusted ? counter() - clock->cycles : 0;
	us_ns time;

	if (us_likely(cycles < clock->trusted))
		time = clock->time + (us_ns)(cycles * clock->scale >> US_CLOCK_SHIFT);
	else
		time = ask_kernel(clock);
	if (time > clock->last)
		clock->last = time;
	return clock->last;
}
