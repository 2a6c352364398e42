// SPDX-License-Identifier: MIT
/*
 * A stack's descriptor, for loops that wait in the kernel's poll(2) or epoll(7) for other
 * things, too: an epoll set of what the links have and of a timer.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "socket/socket.h"

/**
 * struct us_descriptor - what can be waited for
 * @set: epoll set of the links' descriptors and @timer; the one that is given out.
 * @timer: of CLOCK_MONOTONIC.
 * @due: when @timer runs out, or did; US_NEVER if it was not set.
 */
struct us_descriptor {
	int set;
	int timer;
	us_ns due;
};

static int add(const struct us_descriptor *d, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(d->set, EPOLL_CTL_ADD, fd, &event) && errno != EEXIST ? -errno : 0;
}

/* Those of links that were opened since the last time, too. */
static int add_links(const struct us_stack *stack)
{
	struct pollfd fds[US_LINKS_MAX];
	int count = us_loop_descriptors(stack, fds), err = count < 0 ? count : 0;

	for (int i = 0; !err && i < count; i++)
		err = add(stack->descriptor, fds[i].fd);
	return err;
}

/* A link that died is no news any more. */
static void drop_dead(const struct us_stack *stack)
{
	struct us_link *link;

	cds_list_for_each_entry(link, &stack->links, node)
		if (us_unlikely(link->error) && link->ops->fd)
			epoll_ctl(stack->descriptor->set, EPOLL_CTL_DEL,
				  link->ops->fd(link), NULL);
}

/* One that runs out too early is left alone, as deadlines mostly move on: it wakes once. */
static void set_timer(struct us_descriptor *d, us_ns now, us_ns due)
{
	struct itimerspec at = {
		.it_value = { .tv_sec = due / US_SEC, .tv_nsec = due % US_SEC },
	};

	if (due == US_NEVER)
		at = (struct itimerspec){ 0 };
	if (d->due > now && d->due <= due)
		return;
	timerfd_settime(d->timer, TFD_TIMER_ABSTIME, &at, NULL);
	d->due = due;
}

/**
 * us_descriptor_arm() - from now on the descriptor tells what there is to do
 * @stack: may have none.
 *
 * Return: 0; the error of a link that died, if there is no other link.
 */
int us_descriptor_arm(struct us_stack *stack)
{
	struct pollfd fds[US_LINKS_MAX];
	int count;

	if (us_likely(!stack->descriptor))
		return 0;
	drop_dead(stack);
	set_timer(stack->descriptor, stack->now, us_loop_next(stack));
	count = us_loop_descriptors(stack, fds);
	return count < 0 ? count : 0;
}

static int open_set(struct us_descriptor *d)
{
	d->set = epoll_create1(EPOLL_CLOEXEC);
	if (d->set < 0)
		return -errno;
	d->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return d->timer < 0 ? -errno : add(d, d->timer);
}

static int create(struct us_stack *stack)
{
	struct us_descriptor *d = malloc(sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	*d = (struct us_descriptor){ .set = -1, .timer = -1, .due = US_NEVER };
	stack->descriptor = d;
	err = open_set(d);
	if (err)
		us_descriptor_destroy(stack);
	return err;
}

int ustack_descriptor(struct ustack *public)
{
	struct us_stack *stack = (struct us_stack *)public;
	int err = 0;

	US_CALL(stack);
	stack->error[0] = '\0';
	if (us_loop_is_virtual(stack))
		return us_fail(stack, -EOPNOTSUPP,
			       "a stack whose time is the caller's has no descriptor");
	if (!stack->descriptor)
		err = create(stack);
	if (!err)
		err = add_links(stack);
	return err ? err : stack->descriptor->set;
}

/**
 * us_descriptor_destroy() - the end of a stack
 * @stack: may have no descriptor.
 */
void us_descriptor_destroy(struct us_stack *stack)
{
	struct us_descriptor *d = stack->descriptor;

	if (!d)
		return;
	if (d->timer >= 0)
		close(d->timer);
	if (d->set >= 0)
		close(d->set);
	free(d);
	stack->descriptor = NULL;
}
