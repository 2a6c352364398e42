// SPDX-License-Identifier: MIT
/* core/wheel.c */
#include <stdlib.h>

#include "core/random.h"
#include "core/wheel.h"
#include "tap.h"

#define TIMERS	300

struct timer {
	struct us_timer timer;
	us_ns ran;
	int runs;
};

static struct us_wheel wheel;
static struct timer timers[TIMERS];

static void note(struct us_timer *timer, us_ns now)
{
	struct timer *t = us_container(timer, struct timer, timer);

	t->ran = now;
	t->runs++;
}

static void again(struct us_timer *timer, us_ns now)
{
	note(timer, now);
	us_timer_arm(&wheel, timer, now);
}

/* Cancels the one that is due with it. */
static void cancel_next(struct us_timer *timer, us_ns now)
{
	struct timer *t = us_container(timer, struct timer, timer);

	note(timer, now);
	us_timer_cancel(&wheel, &t[1].timer);
}

static void basics(void)
{
	struct timer *t = timers;
	us_ns start = 5 * US_SEC + 12345;

	us_wheel_init(&wheel, start);
	us_timer_init(&t->timer, note);
	ok(!us_timer_armed(&t->timer) && us_wheel_next(&wheel) == US_NEVER,
	   "nothing armed");
	us_timer_arm(&wheel, &t->timer, start + 10 * US_MSEC);
	ok(us_timer_armed(&t->timer), "armed");
	us_wheel_run(&wheel, start + 10 * US_MSEC - 1);
	ok(t->runs == 0, "not before its deadline");
	us_wheel_run(&wheel, start + 10 * US_MSEC + US_WHEEL_TICK);
	ok(t->runs == 1 && !us_timer_armed(&t->timer), "within a tick of it");
	us_timer_arm(&wheel, &t->timer, start);
	us_wheel_run(&wheel, start + 10 * US_MSEC + 2 * US_WHEEL_TICK);
	ok(t->runs == 2, "a deadline in the past");
	us_timer_arm(&wheel, &t->timer, start + US_SEC);
	us_timer_arm(&wheel, &t->timer, US_NEVER);
	ok(!us_timer_armed(&t->timer) && wheel.armed == 0, "never cancels");
	us_timer_cancel(&wheel, &t->timer);
	ok(wheel.armed == 0 && us_wheel_next(&wheel) == US_NEVER,
	   "cancelled twice");
}

static void within_run(void)
{
	struct timer *t = timers;

	us_wheel_init(&wheel, 0);
	t[0].runs = t[1].runs = 0;
	us_timer_init(&t[0].timer, cancel_next);
	us_timer_init(&t[1].timer, note);
	us_timer_arm(&wheel, &t[0].timer, US_SEC);
	us_timer_arm(&wheel, &t[1].timer, US_SEC);
	us_wheel_run(&wheel, 2 * US_SEC);
	ok(t[0].runs == 1 && t[1].runs == 0 && wheel.armed == 0,
	   "a timer cancels another that is due");
	us_timer_init(&t[0].timer, again);
	t[0].runs = 0;
	us_timer_arm(&wheel, &t[0].timer, 3 * US_SEC);
	us_wheel_run(&wheel, 3 * US_SEC + US_WHEEL_TICK);
	ok(t[0].runs == 1 && us_timer_armed(&t[0].timer),
	   "a timer arms itself for now");
	us_wheel_run(&wheel, 3 * US_SEC + 3 * US_WHEEL_TICK);
	ok(t[0].runs == 2, "and runs with the next call");
	us_timer_cancel(&wheel, &t[0].timer);
}

/* A sleeper that trusts us_wheel_next() runs every timer in time. */
static bool sleeper(uint64_t seed, us_ns start, us_ns span)
{
	struct us_random random;
	us_ns now = start;
	int left = 0, i;

	us_random_init(&random, seed);
	us_wheel_init(&wheel, now);
	for (i = 0; i < TIMERS; i++) {
		us_ns at = start + (us_ns)(((uint64_t)us_random32(&random) << 20) %
					   (uint64_t)span);

		us_timer_init(&timers[i].timer, note);
		timers[i].runs = 0;
		us_timer_arm(&wheel, &timers[i].timer, at);
		left++;
		if (us_random_below(&random, 4) == 0) {
			us_timer_cancel(&wheel, &timers[i].timer);
			left--;
		}
	}
	for (i = 0; left && us_wheel_next(&wheel) != US_NEVER; i++) {
		us_ns next = us_wheel_next(&wheel);
		int n;

		if (i > 100 * TIMERS || next < now - US_WHEEL_TICK)
			return false;
		if (next > now)
			now = next;
		us_wheel_run(&wheel, now);
		for (left = 0, n = 0; n < TIMERS; n++)
			left += us_timer_armed(&timers[n].timer);
	}
	for (i = 0; i < TIMERS; i++) {
		struct timer *t = &timers[i];

		if (t->runs > 1 || us_timer_armed(&t->timer))
			return false;
		if (t->runs && (t->ran < t->timer.deadline ||
				t->ran > t->timer.deadline + US_WHEEL_TICK))
			return false;
	}
	return wheel.armed == 0;
}

int main(void)
{
	const us_ns day = 86400 * US_SEC;
	const us_ns reach = US_WHEEL_TICK << 32;

	plan(18);
	basics();
	within_run();
	ok(sleeper(1, 0, 100 * US_MSEC), "a tenth of a second");
	ok(sleeper(2, 0, 10 * US_SEC), "ten seconds");
	ok(sleeper(3, 977 * US_MSEC, 3600 * US_SEC), "an hour");
	ok(sleeper(4, 123456789, 40 * day), "forty days");
	ok(sleeper(5, reach - 5 * US_SEC, 10 * US_SEC), "across the wheel's end");
	ok(sleeper(6, reach - 1, 40 * day), "at the wheel's end");
	ok(sleeper(7, 3 * day, 300 * day), "beyond the wheel's reach");
	us_wheel_init(&wheel, 0);
	us_timer_init(&timers[0].timer, note);
	timers[0].runs = 0;
	us_timer_arm(&wheel, &timers[0].timer, 20 * day);
	us_wheel_run(&wheel, 19 * day);
	us_wheel_run(&wheel, 21 * day);
	ok(timers[0].runs == 1, "long sleeps skip empty slots");
	return finish();
}
