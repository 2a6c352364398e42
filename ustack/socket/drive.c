// SPDX-License-Identifier: MIT
/*
 * A stack that is driven from outside: one thread injects packets and moves the
 * clock, others make socket calls, and those that block really sleep.
 *
 * One lock guards the stack.  Every public call holds it, and a call that waits
 * lets go of it while it sleeps.  Who drives wakes the sleepers that have a reason
 * to look again (something happened, or their time is up), and then waits until
 * each of those has returned or sleeps again: so what follows from a packet has
 * happened when the call that brought it returns, and time stands meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "socket/socket.h"

/* Where the clock begins.  Not at zero: that something never happened and that it
 * happened at boot are two things.
 */
#define BEGIN	(1000 * US_SEC)

/**
 * struct us_driver - what a driven stack has more
 * @lock: of the whole stack.
 * @idle: signalled when @running becomes 0.
 * @now: its time.
 * @sleepers: of struct sleeper.node: those that nobody woke yet.
 * @sleeping: number of @sleepers.
 * @running: calls that were woken, and neither returned nor sleep again.
 * @returned: calls that were woken and returned, ever.
 * @woken: the call that holds @lock is one of @running.
 */
struct us_driver {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	us_ns now;
	struct cds_list_head sleepers;
	unsigned int sleeping;
	unsigned int running;
	uint64_t returned;
	bool woken;
};

/**
 * struct sleeper - a call that sleeps, on its own thread's stack
 * @node: in us_driver.sleepers.
 * @events: us_stack.events when it went to sleep.
 * @limit: when to wake it in any case.
 * @wake: posted once.
 * @woken: by whom drives, not by a signal.
 */
struct sleeper {
	struct cds_list_head node;
	uint64_t events;
	us_ns limit;
	sem_t wake;
	bool woken;
};

static us_ns driven_clock(void *arg)
{
	return ((struct us_driver *)arg)->now;
}

/**
 * us_drive_create() - makes a stack a driven one
 * @stack: has no clock yet.
 *
 * Return: 0, -ENOMEM.
 */
int us_drive_create(struct us_stack *stack)
{
	struct us_driver *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->idle, NULL);
	CDS_INIT_LIST_HEAD(&d->sleepers);
	d->now = BEGIN;
	stack->driver = d;
	stack->clock = driven_clock;
	stack->clock_arg = d;
	return 0;
}

/**
 * us_drive_destroy() - the end
 * @stack: no call on it is at work, none sleeps.
 */
void us_drive_destroy(struct us_stack *stack)
{
	struct us_driver *d = stack->driver;

	pthread_cond_destroy(&d->idle);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/**
 * us_drive_enter() - begins a public call
 * @stack: driven.
 */
void us_drive_enter(struct us_stack *stack)
{
	pthread_mutex_lock(&stack->driver->lock);
}

static void wake_sleepers(struct us_stack *stack)
{
	struct us_driver *d = stack->driver;
	struct sleeper *s, *next;

	cds_list_for_each_entry_safe(s, next, &d->sleepers, node) {
		if (s->events == stack->events && s->limit > d->now)
			continue;
		cds_list_del(&s->node);
		d->sleeping--;
		d->running++;
		s->woken = true;
		sem_post(&s->wake);
	}
}

/* The call at work, if it was woken, counts no more. */
static void rest(struct us_driver *d)
{
	if (!d->woken)
		return;
	d->woken = false;
	if (--d->running == 0)
		pthread_cond_broadcast(&d->idle);
}

/**
 * us_drive_leave() - ends a public call
 * @stack: driven.
 */
void us_drive_leave(struct us_stack *stack)
{
	struct us_driver *d = stack->driver;

	wake_sleepers(stack);
	d->returned += d->woken;
	rest(d);
	pthread_mutex_unlock(&d->lock);
}

/**
 * us_drive_sleep() - a call sleeps until there is a reason to look again
 * @stack: driven.
 * @limit: time at which there is one in any case.
 *
 * Return: 0, -EINTR.
 */
us_noinline int us_drive_sleep(struct us_stack *stack, us_ns limit)
{
	struct us_driver *d = stack->driver;
	struct sleeper s = { .events = stack->events, .limit = limit };
	int err = 0;

	wake_sleepers(stack);
	rest(d);
	sem_init(&s.wake, 0, 0);
	cds_list_add_tail(&s.node, &d->sleepers);
	d->sleeping++;
	pthread_mutex_unlock(&d->lock);
	if (sem_wait(&s.wake))
		err = -errno;
	pthread_mutex_lock(&d->lock);
	if (s.woken) {
		d->woken = true;
		err = 0;
	} else {
		cds_list_del(&s.node);
		d->sleeping--;
	}
	sem_destroy(&s.wake);
	return err;
}

/* When something will happen by itself; not after @end. */
static us_ns next_time(const struct us_stack *stack, us_ns end)
{
	us_ns next = us_loop_next(stack);
	const struct sleeper *s;

	cds_list_for_each_entry(s, &stack->driver->sleepers, node)
		if (s->limit < next)
			next = s->limit;
	return next < end ? next : end;
}

/* Those that were woken come to rest. */
static void await_rest(struct us_driver *d)
{
	while (d->running)
		pthread_cond_wait(&d->idle, &d->lock);
}

/* All that happens now.  True if a call that slept returned. */
static bool settle(struct us_stack *stack)
{
	struct us_driver *d = stack->driver;
	uint64_t returned;

	await_rest(d);		/* of what a call of ours did before */
	returned = d->returned;
	do {
		while (us_loop_once(stack))
			;
		wake_sleepers(stack);
		await_rest(d);
	} while (next_time(stack, US_NEVER) <= d->now);
	return d->returned != returned;
}

/**
 * us_drive_poll() - ustack_poll()
 * @stack: driven.
 *
 * Return: the time at which something will happen by itself; US_NEVER.
 */
us_ns us_drive_poll(struct us_stack *stack)
{
	settle(stack);
	return next_time(stack, US_NEVER);
}

/**
 * us_drive_advance() - ustack_advance()
 * @stack: driven.
 * @ns: by so much.
 *
 * Return: what is left of it when a call that slept returned, else 0; -EINVAL if there is no
 * such time.
 */
us_ns us_drive_advance(struct us_stack *stack, us_ns ns)
{
	struct us_driver *d = stack->driver;
	bool returned;
	us_ns end;

	if (ns >= US_NEVER - d->now)
		return -EINVAL;
	end = d->now + ns;
	returned = settle(stack);
	while (!returned && d->now < end) {
		d->now = next_time(stack, end);
		returned = settle(stack);
	}
	return end - d->now;
}

/**
 * us_drive_sleeping() - ustack_sleeping()
 * @stack: driven.
 *
 * Return: calls that sleep.
 */
unsigned int us_drive_sleeping(const struct us_stack *stack)
{
	return stack->driver->sleeping;
}
