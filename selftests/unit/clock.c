// SPDX-License-Identifier: MIT
/* core/clock.c */
#include <time.h>

#include "core/clock.h"
#include "tap.h"

#define READS	400000
#define ERROR	10000	/* nanoseconds that two answers of the kernel may be wrong by */

static us_ns kernel(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * US_SEC + ts.tv_nsec;
}

int main(void)
{
	struct us_clock clock = { 0 };
	bool forward = true, right = true;
	us_ns last = 0;
	int i, apart = 0;

	plan(4);
	for (i = 0; i < READS; i++) {
		us_ns before = kernel(), now = us_clock_monotonic(&clock);

		forward &= now >= last;
		/* However long this takes: it lies between two answers. */
		right &= now >= before - ERROR && now <= kernel() + ERROR;
		apart += now != last;
		last = now;
	}
	ok(forward, "never goes back");
	ok(right, "is the kernel's time");
	ok(apart > READS / 100, "moves");
	clock = (struct us_clock){
		.cycles = UINT64_MAX / 2, .trusted = 1, .scale = 1, .last = last,
	};
	ok(us_clock_monotonic(&clock) >= last && clock.time >= last,
	   "a counter that jumped is not believed");
	return finish();
}
