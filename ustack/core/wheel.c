// SPDX-License-Identifier: MIT
#include "core/wheel.h"

#include <string.h>

#define MASK		(US_WHEEL_SLOTS - 1)
#define NO_TICK		UINT64_MAX

/* The first tick that does not begin before @deadline. */
static uint64_t tick_of(us_ns deadline)
{
	return deadline <= 0 ? 0 :
		((uint64_t)deadline + US_WHEEL_TICK - 1) / US_WHEEL_TICK;
}

/* Puts a timer that is on no list into its slot. */
static void place(struct us_wheel *wheel, struct us_timer *timer)
{
	uint64_t tick = tick_of(timer->deadline);
	unsigned int level = 0, index;

	if (tick < wheel->tick)
		tick = wheel->tick;
	/* Beyond the wheel: its last slot, where expire() looks again. */
	if ((tick ^ wheel->tick) >> (US_WHEEL_BITS * US_WHEEL_LEVELS))
		tick = wheel->tick | UINT32_MAX;
	if (tick != wheel->tick)
		level = (63 - (unsigned int)__builtin_clzll(tick ^ wheel->tick)) /
			US_WHEEL_BITS;
	index = (tick >> (level * US_WHEEL_BITS)) & MASK;
	cds_list_add_tail(&timer->node, &wheel->slot[level][index]);
	wheel->used[level][index / 64] |= 1ULL << (index % 64);
}

/* Moves all timers of a slot to @list. */
static void take(struct us_wheel *wheel, unsigned int level, unsigned int index,
		 struct cds_list_head *list)
{
	struct cds_list_head *slot = &wheel->slot[level][index];

	CDS_INIT_LIST_HEAD(list);
	if (cds_list_empty(slot))
		return;
	cds_list_splice(slot, list);
	CDS_INIT_LIST_HEAD(slot);
	wheel->used[level][index / 64] &= ~(1ULL << (index % 64));
}

/* Moves on to @tick, before which no slot is used, and deals the slots whose
 * time begins there to the levels below.
 */
static us_noinline void advance(struct us_wheel *wheel, uint64_t tick)
{
	uint64_t changed = tick ^ wheel->tick;
	struct cds_list_head list;
	unsigned int level;

	wheel->tick = tick;
	for (level = US_WHEEL_LEVELS - 1; level > 0; level--) {
		unsigned int shift = level * US_WHEEL_BITS;

		if (!(changed >> shift))
			continue;
		take(wheel, level, (tick >> shift) & MASK, &list);
		while (!cds_list_empty(&list)) {
			struct cds_list_head *node = list.next;

			cds_list_del(node);
			place(wheel, us_container(node, struct us_timer, node));
		}
	}
}

/* Index of the first used slot of a level from @from on, or US_WHEEL_SLOTS. */
static unsigned int first_used(const uint64_t *used, unsigned int from)
{
	unsigned int word = from / 64;
	uint64_t bits;

	if (from >= US_WHEEL_SLOTS)
		return US_WHEEL_SLOTS;
	bits = used[word] & (~0ULL << (from % 64));
	while (!bits && ++word < US_WHEEL_SLOTS / 64)
		bits = used[word];
	return bits ? word * 64 + (unsigned int)__builtin_ctzll(bits) :
		US_WHEEL_SLOTS;
}

/* The tick at which the first used slot begins. */
static uint64_t next_tick(const struct us_wheel *wheel)
{
	unsigned int level;

	if (!wheel->armed)
		return NO_TICK;
	for (level = 0; level < US_WHEEL_LEVELS; level++) {
		unsigned int shift = level * US_WHEEL_BITS;
		uint64_t at = wheel->tick >> shift;
		unsigned int index;

		index = first_used(wheel->used[level],
				   (at & MASK) + (level ? 1 : 0));
		if (index < US_WHEEL_SLOTS)
			return ((at & ~(uint64_t)MASK) | index) << shift;
	}
	return NO_TICK;
}

/* Runs the timers of the current tick, which is over then. */
static us_noinline void expire(struct us_wheel *wheel, us_ns now)
{
	uint64_t tick = wheel->tick;
	struct cds_list_head due;

	take(wheel, 0, tick & MASK, &due);
	advance(wheel, tick + 1);
	while (!cds_list_empty(&due)) {
		struct us_timer *timer = us_container(due.next, struct us_timer,
						      node);

		cds_list_del(&timer->node);
		if (us_unlikely(tick_of(timer->deadline) > tick)) {
			place(wheel, timer);
			continue;
		}
		CDS_INIT_LIST_HEAD(&timer->node);
		wheel->armed--;
		timer->run(timer, now);
	}
}

/**
 * us_wheel_init() - empties a wheel
 * @wheel: the wheel.
 * @now: its time.
 */
void us_wheel_init(struct us_wheel *wheel, us_ns now)
{
	unsigned int level, index;

	memset(wheel, 0, sizeof(*wheel));
	wheel->tick = now < 0 ? 0 : (uint64_t)now / US_WHEEL_TICK;
	for (level = 0; level < US_WHEEL_LEVELS; level++)
		for (index = 0; index < US_WHEEL_SLOTS; index++)
			CDS_INIT_LIST_HEAD(&wheel->slot[level][index]);
}

/**
 * us_timer_init() - makes a timer that is not armed
 * @timer: the timer.
 * @run: what it does.
 */
void us_timer_init(struct us_timer *timer,
		   void (*run)(struct us_timer *timer, us_ns now))
{
	CDS_INIT_LIST_HEAD(&timer->node);
	timer->deadline = US_NEVER;
	timer->run = run;
}

/**
 * us_timer_armed() - tells whether a timer waits for its deadline
 * @timer: the timer.
 *
 * Return: true if it does; false within its own run().
 */
bool us_timer_armed(const struct us_timer *timer)
{
	return timer->node.next != &timer->node;
}

/**
 * us_timer_cancel() - takes a timer off the wheel
 * @wheel: the wheel.
 * @timer: armed or not.
 */
void us_timer_cancel(struct us_wheel *wheel, struct us_timer *timer)
{
	struct cds_list_head *head = timer->node.next;
	struct cds_list_head *slots = &wheel->slot[0][0];

	if (!us_timer_armed(timer))
		return;
	cds_list_del(&timer->node);
	CDS_INIT_LIST_HEAD(&timer->node);
	wheel->armed--;
	/* The last of its slot, unless it stood on the list of expire(). */
	if (cds_list_empty(head) && head >= slots &&
	    head < slots + US_WHEEL_LEVELS * US_WHEEL_SLOTS) {
		size_t index = (size_t)(head - slots);

		wheel->used[index / US_WHEEL_SLOTS][index % US_WHEEL_SLOTS / 64] &=
			~(1ULL << (index % 64));
	}
}

/**
 * us_timer_arm() - arms or moves a timer
 * @wheel: the wheel.
 * @timer: armed or not.
 * @deadline: when it runs; what lies in the past runs with the next tick;
 *	US_NEVER cancels.
 */
us_noinline void us_timer_arm(struct us_wheel *wheel, struct us_timer *timer, us_ns deadline)
{
	us_timer_cancel(wheel, timer);
	timer->deadline = deadline;
	if (deadline == US_NEVER)
		return;
	wheel->armed++;
	place(wheel, timer);
}

/**
 * us_wheel_run() - runs all timers whose deadline has passed
 * @wheel: the wheel.
 * @now: the time; one that lies before an earlier call's does nothing.
 */
void us_wheel_run(struct us_wheel *wheel, us_ns now)
{
	uint64_t end = now < 0 ? 0 : (uint64_t)now / US_WHEEL_TICK;

	while (wheel->tick <= end) {
		uint64_t tick = next_tick(wheel);

		if (tick > end) {
			advance(wheel, end + 1);
			return;
		}
		if (tick != wheel->tick)
			advance(wheel, tick);
		expire(wheel, now);
	}
}

/**
 * us_wheel_next() - when to call us_wheel_run() again
 * @wheel: the wheel.
 *
 * Timers far away are dealt to finer slots on the way, so the time may lie
 * before the first deadline.
 * Return: the time, or US_NEVER.
 */
us_ns us_wheel_next(const struct us_wheel *wheel)
{
	uint64_t tick = next_tick(wheel);

	if (tick > (uint64_t)(US_NEVER / US_WHEEL_TICK))
		return US_NEVER;
	return (us_ns)(tick * US_WHEEL_TICK);
}
