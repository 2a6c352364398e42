/* SPDX-License-Identifier: MIT */
/* CLOCK_MONOTONIC, read often. */
#ifndef US_CORE_CLOCK_H
#define US_CORE_CLOCK_H

#include "core/types.h"

/**
 * struct us_clock - what is known of the processor's cycle counter; all zero at
 *	first
 * @cycles: counter when the kernel was asked last.
 * @time: what it said.
 * @trusted: cycles for which the counter alone is believed; 0: not at all.
 * @scale: nanoseconds of a cycle, << US_CLOCK_SHIFT.
 * @last: what was told last.
 * @sure: @cycles and @time belong together.
 * @asked: the processor was asked whether its counter counts evenly.
 * @even: it does.
 */
struct us_clock {
	uint64_t cycles;
	us_ns time;
	uint64_t trusted;
	uint64_t scale;
	us_ns last;
	bool sure;
	bool asked;
	bool even;
};

#define US_CLOCK_SHIFT	24

/* CLOCK_MONOTONIC; @arg is a struct us_clock. */
us_ns us_clock_monotonic(void *arg);

#endif /* US_CORE_CLOCK_H */
