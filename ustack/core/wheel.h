/* SPDX-License-Identifier: MIT */
/* A hierarchical timer wheel: arm and cancel in O(1). */
#ifndef US_CORE_WHEEL_H
#define US_CORE_WHEEL_H

#include <urcu/list.h>

#include "core/types.h"

#define US_WHEEL_TICK	(1LL << 20)	/* about a millisecond */
#define US_WHEEL_BITS	8
#define US_WHEEL_SLOTS	(1u << US_WHEEL_BITS)
#define US_WHEEL_LEVELS	4		/* reaches 52 days */

/**
 * struct us_timer - one deadline
 * @node: in a slot of the wheel; linked to itself while not armed.
 * @deadline: never runs before it; runs at most a tick after it.
 * @run: called with the timer already off the wheel; may arm and cancel any
 *	timer.
 */
struct us_timer {
	struct cds_list_head node;
	us_ns deadline;
	void (*run)(struct us_timer *timer, us_ns now);
};

/**
 * struct us_wheel - all timers of a stack
 * @tick: all ticks before it have run.
 * @armed: timers on the wheel.
 * @used: a bit for each slot that is not empty.
 * @slot: lists of timers.  A timer whose tick first differs from @tick in byte
 *	L (from the top) stands on level L, in the slot named by that byte.  So
 *	the slot that @tick itself names is empty on all levels but 0.
 */
struct us_wheel {
	uint64_t tick;
	uint32_t armed;
	uint64_t used[US_WHEEL_LEVELS][US_WHEEL_SLOTS / 64];
	struct cds_list_head slot[US_WHEEL_LEVELS][US_WHEEL_SLOTS];
};

/* Empties @wheel; nothing before @now runs. */
void us_wheel_init(struct us_wheel *wheel, us_ns now);
void us_timer_init(struct us_timer *timer,
		   void (*run)(struct us_timer *timer, us_ns now));
bool us_timer_armed(const struct us_timer *timer);
/* Arms, or moves, a timer; US_NEVER cancels it. */
void us_timer_arm(struct us_wheel *wheel, struct us_timer *timer, us_ns deadline);
void us_timer_cancel(struct us_wheel *wheel, struct us_timer *timer);
/* Runs what is due at @now. */
void us_wheel_run(struct us_wheel *wheel, us_ns now);
/* A time at which us_wheel_run() has something to do, never later than the
 * first deadline's tick; US_NEVER if no timer is armed.
 */
us_ns us_wheel_next(const struct us_wheel *wheel);

#endif /* US_CORE_WHEEL_H */
