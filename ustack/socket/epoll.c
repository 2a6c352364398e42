// SPDX-License-Identifier: MIT
/*
 * epoll(7) for sockets.  Events put a socket on the lists of those to look at; a wait asks
 * them for their readiness, and keeps those on its list that are to be told of again.
 */
#include <errno.h>
#include <stdlib.h>

#include "socket/socket.h"

/* Waited for, asked for or not; and what says how, which EPOLLONESHOT leaves. */
#define ALWAYS	(EPOLLERR | EPOLLHUP)
#define HOW	(EPOLLET | EPOLLONESHOT)

/**
 * struct us_watch - a socket in a set
 * @socket: the socket.
 * @epoll: the set.
 * @next: of @socket's.
 * @node: in @epoll's watches.
 * @ready: in @epoll's ready ones, or empty.
 * @event: as the caller gave it.
 */
struct us_watch {
	struct ustack_socket *socket;
	struct ustack_epoll *epoll;
	struct us_watch *next;
	struct cds_list_head node;
	struct cds_list_head ready;
	struct epoll_event event;
};

/**
 * struct ustack_epoll - a set of sockets
 * @stack: of all of them.
 * @node: in us_stack.epolls.
 * @pool: of watches.
 * @watches: all.
 * @ready: those of which something may have become known.
 * @waits: calls that wait, on a driven stack: there may be several.
 * @closed: the last of @waits frees it.
 */
struct ustack_epoll {
	struct us_stack *stack;
	struct cds_list_head node;
	struct us_pool pool;
	struct cds_list_head watches;
	struct cds_list_head ready;
	unsigned int waits;
	bool closed;
};

/* What a wait works on. */
struct wait {
	struct ustack_epoll *epoll;
	struct epoll_event *events;
	int count;
};

static void look_at(struct us_watch *w)
{
	if (cds_list_empty(&w->ready))
		cds_list_add_tail(&w->ready, &w->epoll->ready);
}

/**
 * us_epoll_notify() - the readiness of a socket may have changed
 * @s: in sets.
 */
us_noinline void us_epoll_notify(struct ustack_socket *s)
{
	for (struct us_watch *w = s->watches; w; w = w->next)
		look_at(w);
}

static struct us_watch **find(struct ustack_epoll *epoll, struct ustack_socket *s)
{
	struct us_watch **at = &s->watches;

	while (*at && (*at)->epoll != epoll)
		at = &(*at)->next;
	return at;
}

/* @at is where its socket has it. */
static void drop(struct us_watch **at)
{
	struct us_watch *w = *at;

	*at = w->next;
	cds_list_del(&w->node);
	cds_list_del(&w->ready);
	us_pool_put(&w->epoll->pool, w);
}

/**
 * us_epoll_forget() - a socket closes
 * @s: in any number of sets.
 */
void us_epoll_forget(struct ustack_socket *s)
{
	while (s->watches)
		drop(&s->watches);
}

static int add(struct ustack_epoll *epoll, struct us_watch **at, struct ustack_socket *s)
{
	struct us_watch *w;

	if (*at)
		return -EEXIST;
	w = us_pool_get(&epoll->pool);	/* has one for each socket */
	*w = (struct us_watch){ .socket = s, .epoll = epoll };
	CDS_INIT_LIST_HEAD(&w->ready);
	cds_list_add_tail(&w->node, &epoll->watches);
	*at = w;
	return 0;
}

static int change(struct us_watch *w, const struct epoll_event *event)
{
	if (!w)
		return -ENOENT;
	w->event = *event;
	w->event.events |= ALWAYS;
	look_at(w);
	w->epoll->stack->events++;	/* other threads may wait for the set */
	return 0;
}

static int control(struct ustack_epoll *epoll, int op, struct ustack_socket *s,
		   const struct epoll_event *event)
{
	struct us_watch **at = find(epoll, s);
	int err = 0;

	if (s->stack != epoll->stack)
		return -EINVAL;
	if (op == EPOLL_CTL_DEL) {
		if (!*at)
			return -ENOENT;
		drop(at);
		return 0;
	}
	if (!event)
		return -EFAULT;
	if ((op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD) || (event->events & EPOLLEXCLUSIVE))
		return -EINVAL;
	if (op == EPOLL_CTL_ADD)
		err = add(epoll, at, s);
	return err ? err : change(*at, event);
}

int ustack_epoll_ctl(struct ustack_epoll *epoll, int op, struct ustack_socket *s,
		     const struct epoll_event *event)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(control(epoll, op, s, event));
}

/* Level by level it is to be looked at again, behind the others. */
static bool tell(struct us_watch *w, struct epoll_event *out)
{
	uint32_t ready = (uint32_t)us_socket_poll(w->socket) & w->event.events;

	if (!ready)
		return false;
	*out = (struct epoll_event){ .events = ready, .data = w->event.data };
	if (w->event.events & EPOLLONESHOT)
		w->event.events &= HOW;
	else if (!(w->event.events & EPOLLET))
		look_at(w);
	return true;
}

/* What is ready; who is put on the list meanwhile has had its turn. */
static int collect(void *arg)
{
	struct wait *wait = arg;
	struct ustack_epoll *epoll = wait->epoll;
	CDS_LIST_HEAD(todo);
	struct us_watch *w;
	int n = 0;

	cds_list_splice(&epoll->ready, &todo);
	CDS_INIT_LIST_HEAD(&epoll->ready);
	while (n < wait->count && !cds_list_empty(&todo)) {
		w = cds_list_first_entry(&todo, struct us_watch, ready);
		cds_list_del_init(&w->ready);
		n += tell(w, &wait->events[n]);
	}
	/* Who did not fit is first the next time. */
	cds_list_splice(&todo, &epoll->ready);
	return n;
}

static void destroy(struct ustack_epoll *epoll)
{
	struct us_watch *w, *next;

	cds_list_for_each_entry_safe(w, next, &epoll->watches, node)
		drop(find(epoll, w->socket));
	cds_list_del(&epoll->node);
	us_pool_destroy(&epoll->pool);
	free(epoll);
}

int ustack_epoll_wait(struct ustack_epoll *epoll, struct epoll_event *events, int count,
		      int64_t timeout)
{
	struct wait wait = { .epoll = epoll, .events = events, .count = count };
	int result = count > 0 ? -EFAULT : -EINVAL;

	US_CALL(epoll->stack);
	epoll->waits++;
	if (count > 0 && events)
		result = us_loop_until(epoll->stack, timeout, collect, &wait);
	if (--epoll->waits == 0 && epoll->closed)
		destroy(epoll);
	return (int)us_socket_return(result);
}

static int create(struct us_stack *stack, struct ustack_epoll **made)
{
	struct ustack_epoll *epoll = calloc(1, sizeof(*epoll));
	int err = -ENOMEM;

	if (epoll)
		err = us_pool_create(&epoll->pool, sizeof(struct us_watch),
				     stack->sockets.count);
	if (err) {
		free(epoll);
		return err;
	}
	epoll->stack = stack;
	CDS_INIT_LIST_HEAD(&epoll->watches);
	CDS_INIT_LIST_HEAD(&epoll->ready);
	cds_list_add(&epoll->node, &stack->epolls);
	*made = epoll;
	return 0;
}

struct ustack_epoll *ustack_epoll_create(struct ustack *public)
{
	struct us_stack *stack = (struct us_stack *)public;
	struct ustack_epoll *epoll = NULL;

	US_CALL(stack);
	us_socket_return(create(stack, &epoll));
	return epoll;
}

void ustack_epoll_close(struct ustack_epoll *epoll)
{
	US_CALL(epoll->stack);
	epoll->closed = true;
	if (!epoll->waits)
		destroy(epoll);
}

/**
 * us_epoll_destroy() - the end of a stack
 * @stack: its sets go, too.
 */
void us_epoll_destroy(struct us_stack *stack)
{
	struct ustack_epoll *epoll, *next;

	cds_list_for_each_entry_safe(epoll, next, &stack->epolls, node)
		destroy(epoll);
}
