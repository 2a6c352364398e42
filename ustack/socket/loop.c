// SPDX-License-Identifier: MIT
/*
 * The loop: one round of the whole stack, and the sleep between rounds.  There
 * is no thread of the stack's own, a call that blocks runs the loop.
 *
 * With a clock that the user brought (struct ustack_config), time is his to
 * move: the loop never sleeps for time then, only for input on a descriptor.
 * On a stack that is driven from outside it sleeps until whoever drives wakes it.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "socket/socket.h"

/* Packets that one link may bring in before the others and timers get their turn. */
#define BUDGET	64u
/* Rounds for which timers wait until links are empty: a ring of the usual depth is read... */
#define BUSY	16u
/* ... but not for longer, where what comes takes its time. */
#define PATIENCE	(10 * US_MSEC)

/**
 * us_loop_kick() - lets out the packets that stand in the links
 * @stack: the stack.
 */
void us_loop_kick(struct us_stack *stack)
{
	struct us_link *link;

	cds_list_for_each_entry(link, &stack->links, node)
		link->ops->flush(link);
}

/**
 * us_loop_flush() - lets out, too, what calls since the last round queued
 * @stack: the stack.
 */
void us_loop_flush(struct us_stack *stack)
{
	us_tcp_flush(stack);
	us_udp_flush(stack);
	us_loop_kick(stack);
}

/**
 * us_loop_let_out() - the same for who has not looked at the clock
 * @stack: the stack.
 */
void us_loop_let_out(struct us_stack *stack)
{
	if (us_tcp_due(stack) || us_udp_waits(stack))
		us_stack_tick(stack);
	us_loop_flush(stack);
}

/* What comes at once, while nobody here runs, has to find room in the link. */
static void note_burst(struct us_link *link, uint64_t bytes, bool more)
{
	link->rx_burst += bytes;
	if (us_unlikely(link->rx_room && link->rx_burst > link->rx_room / 8))
		link->crowded_until = link->stack->now + US_SEC;
	if (!more)
		link->rx_burst = 0;
}

/* True: there is more to come. */
static bool poll_link(struct us_link *link)
{
	uint64_t before = link->stats.rx_bytes;
	bool more = link->ops->poll(link, BUDGET) >= BUDGET;

	if (us_unlikely(link->stack->behind.first))
		us_merge_flush(link->stack);
	note_burst(link, link->stats.rx_bytes - before, more);
	return more;
}

static bool may_wait(struct us_stack *stack)
{
	if (!stack->busy++)
		stack->busy_since = stack->now;
	return stack->busy < BUSY && stack->now - stack->busy_since < PATIENCE;
}

/* The ACK that a timer waits for may lie in a link yet, behind other packets. */
static void run_timers(struct us_stack *stack, bool more)
{
	if (us_unlikely(more) && may_wait(stack))
		return;
	stack->busy = 0;
	us_wheel_run(&stack->wheel, stack->now);
}

/* What has come, and what is due by now.  True: there is more to do. */
static bool take_in(struct us_stack *stack)
{
	struct us_link *link;
	bool more = false;

	us_stack_tick(stack);
	cds_list_for_each_entry(link, &stack->links, node)
		if (poll_link(link))
			more = true;
	run_timers(stack, more);
	us_tcp_rcvq_pressure(stack);
	return more;
}

/* What that gave rise to; it stands in the links yet. */
static void answer(struct us_stack *stack)
{
	us_tcp_flush(stack);
	us_udp_flush(stack);
}

/**
 * us_loop_once() - one round, without sleep
 * @stack: the stack.
 *
 * Return: there is more to do at once.
 */
bool us_loop_once(struct us_stack *stack)
{
	bool more = take_in(stack);

	answer(stack);
	us_loop_kick(stack);
	return more;
}

/**
 * us_loop_next() - when a round will have something to do by itself
 * @stack: the stack.
 *
 * Return: the time; US_NEVER.
 */
us_ns us_loop_next(const struct us_stack *stack)
{
	us_ns next = us_wheel_next(&stack->wheel);
	struct us_link *link;

	cds_list_for_each_entry(link, &stack->links, node) {
		us_ns at = link->ops->next ? link->ops->next(link) : US_NEVER;

		if (at < next)
			next = at;
	}
	return next;
}

/**
 * us_loop_is_virtual() - is the time somebody else's than the kernel's?
 * @stack: the stack.
 */
bool us_loop_is_virtual(const struct us_stack *stack)
{
	return stack->clock != us_clock_monotonic;
}

/* The link, if there is one only and it knows how to sleep. */
static struct us_link *only_sleeper(struct us_stack *stack)
{
	struct us_link *link;

	if (cds_list_empty(&stack->links) || stack->links.next != stack->links.prev)
		return NULL;
	link = cds_list_first_entry(&stack->links, struct us_link, node);
	return link->ops->sleep && !link->error ? link : NULL;
}

/**
 * us_loop_descriptors() - what to poll(2) for input
 * @stack: the stack.
 * @fds: of the links that live; from now on they tell of input.
 *
 * Return: the number; the error of a link that died, if there is no other link.
 */
int us_loop_descriptors(const struct us_stack *stack, struct pollfd fds[US_LINKS_MAX])
{
	struct us_link *link;
	bool alive = false;
	int count = 0, dead = 0;

	cds_list_for_each_entry(link, &stack->links, node) {
		int fd;

		if (link->error) {
			dead = link->error;
			continue;
		}
		alive = true;
		fd = link->ops->fd ? link->ops->fd(link) : -1;
		if (fd >= 0)
			fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	return alive ? count : dead;
}

static int sleep_on(struct pollfd *fds, nfds_t count, us_ns duration)
{
	struct timespec ts = {
		.tv_sec = duration / US_SEC,
		.tv_nsec = duration % US_SEC,
	};

	if (ppoll(fds, count, duration == US_NEVER ? NULL : &ts, NULL) < 0)
		return -errno;
	return 0;
}

/* Sleeps until there is input or @deadline comes; what stands in the links goes. */
static int sleep_until(struct us_stack *stack, us_ns deadline)
{
	struct us_link *link = only_sleeper(stack);
	struct pollfd fds[US_LINKS_MAX];
	int count;

	if (us_loop_is_virtual(stack))
		deadline = US_NEVER;
	if (link)
		return link->ops->idle(link) ? link->ops->sleep(link, deadline) : 0;
	us_loop_kick(stack);
	count = us_loop_descriptors(stack, fds);
	if (count < 0)
		return count;
	if (deadline == US_NEVER)
		return count ? sleep_on(fds, count, US_NEVER) : -EDEADLK;
	return sleep_on(fds, count, deadline - stack->now);
}

/* What calls queued; that alone needs to know the time. */
static void flush_due(struct us_stack *stack)
{
	if (us_tcp_due(stack)) {
		us_stack_tick(stack);
		us_tcp_flush(stack);
	}
	us_udp_flush(stack);
}

/*
 * Before any round: a link that sleeps until a point in time knows whether a round would
 * find anything.  If not, what is due leaves with the sleep; if so, that may be answered
 * together with what has come.
 */
static int sleep_first(struct us_stack *stack, us_ns limit)
{
	struct us_link *link = only_sleeper(stack);
	uint64_t events = stack->events;
	us_ns next;

	if (!link || us_loop_is_virtual(stack) || limit <= stack->now || !link->ops->idle(link))
		return 0;
	flush_due(stack);
	if (events != stack->events)
		return 0;
	next = us_loop_next(stack);
	return link->ops->sleep(link, next < limit ? next : limit);
}

/* A clock that moves while it is watched moves on without sleep. */
static bool clock_moved(const struct us_stack *stack)
{
	return us_loop_is_virtual(stack) && stack->clock(stack->clock_arg) != stack->now;
}

static int pause_until(struct us_stack *stack, us_ns next, us_ns limit)
{
	if (!stack->driver)
		return sleep_until(stack, next);
	us_loop_kick(stack);
	return us_drive_sleep(stack, limit);
}

/**
 * us_loop_wait() - runs the stack until some socket's readiness changed
 * @stack: the stack.
 * @limit: time at which to give up; one round is made before.
 *
 * Return: 0; -EAGAIN at @limit; -EINTR; -EDEADLK if nothing can ever happen; the
 * error of a link that died.
 */
int us_loop_wait(struct us_stack *stack, us_ns limit)
{
	uint64_t events = stack->events;
	int err = sleep_first(stack, limit);

	while (!err) {
		bool more = take_in(stack);
		us_ns next;

		if (stack->events != events && !stack->driver && !us_loop_is_virtual(stack)) {
			us_tcp_flush_for_reader(stack);
			us_udp_flush(stack);
			break;
		}
		answer(stack);
		if (stack->events != events)
			break;
		next = us_loop_next(stack);
		if (stack->now >= limit)
			err = -EAGAIN;
		else if (more || next <= stack->now || clock_moved(stack))
			us_loop_kick(stack);
		else
			err = pause_until(stack, next < limit ? next : limit, limit);
	}
	us_loop_kick(stack);
	return err;
}

/**
 * us_loop_until() - runs the stack until the caller finds something ready
 * @stack: the stack; it makes a round in any case: who never waits needs it.
 * @timeout: nanoseconds; negative waits for ever, 0 not at all: then who has waits with
 *	ustack_descriptor() may do so.
 * @ready: counts what is ready.
 * @arg: given to @ready.
 *
 * Return: what @ready counted; 0 after @timeout; a negative errno.
 */
int us_loop_until(struct us_stack *stack, int64_t timeout, int (*ready)(void *arg), void *arg)
{
	us_ns limit = US_NEVER;
	int count, err;

	us_loop_once(stack);
	if (timeout >= 0 && timeout < US_NEVER - stack->now)
		limit = stack->now + timeout;
	for (;;) {
		count = ready(arg);
		if (count)
			return count;
		/* Others' events may have been all that there was to wait for. */
		if (limit <= stack->now)
			return us_descriptor_arm(stack);
		err = us_loop_wait(stack, limit);
		if (err && err != -EAGAIN)
			return err;
	}
}

/**
 * us_socket_limit() - when a call that may wait gives up
 * @s: the socket.
 * @timeout: SO_RCVTIMEO or SO_SNDTIMEO.
 * @flags: of the call.
 *
 * Return: the time; 0 for a call that must not wait at all.
 */
us_ns us_socket_limit(const struct ustack_socket *s, us_ns timeout, int flags)
{
	if (s->nonblock || (flags & MSG_DONTWAIT) || timeout <= 0)
		return 0;
	if (timeout == US_NEVER)
		return US_NEVER;
	us_stack_tick(s->stack);
	return s->stack->now + timeout;
}

/**
 * us_socket_wait() - waits in a socket call
 * @s: the socket.
 * @limit: from us_socket_limit().
 *
 * Return: 0 to try again; -EAGAIN, also if the call must not wait, or others' events
 * have taken up its time; or as us_loop_wait().
 */
int us_socket_wait(struct ustack_socket *s, us_ns limit)
{
	return s->stack->now < limit ? us_loop_wait(s->stack, limit) : -EAGAIN;
}
