// SPDX-License-Identifier: MIT
/*
 * A server as they are written for the kernel's sockets: one loop waits for all of its
 * connections and listeners, and takes what is ready in batches.
 */
#include <sys/epoll.h>

#include "vbench.h"

#define LISTENERS	4u
#define BATCH		64

static int set;
static void *listeners[LISTENERS];

static void watch(const struct end *end, void *socket, void *what, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	if (epoll_ctl(set, EPOLL_CTL_ADD, api_kernel_fd(socket), &event))
		die(end, "epoll_ctl");
}

/**
 * epoll_listen() - makes listeners, and what waits for them
 * @w: what is to be done.
 * @end: the server.
 */
void epoll_listen(const struct workload *w, struct end *end)
{
	set = epoll_create1(EPOLL_CLOEXEC);
	if (set < 0)
		die(end, "epoll_create1");
	for (unsigned int i = 0; i < (end->variant->reuseport ? LISTENERS : 1); i++) {
		listeners[i] = workload_listener(w, end);
		watch(end, listeners[i], &listeners[i], EPOLLIN);
	}
}

static void *adopt(struct end *end, void *listener)
{
	void *socket = end->api->accept(listener);

	if (!socket)
		die(end, "accept");
	watch(end, socket, socket, EPOLLIN | EPOLLRDHUP | EPOLLET);
	return socket;
}

/**
 * epoll_accept() - the server's part of the connections that stay
 * @w: what is to be done.
 * @end: gets the sockets.
 */
void epoll_accept(const struct workload *w, struct end *end)
{
	for (unsigned int i = 0; i < w->connections; i++)
		end->socket[i] = adopt(end, listeners[0]);
}

/*
 * What an event completes: of connections that stay an answer, of others their end.  A
 * client asks again, or closes, when it has its answer: so all was read before.
 */
static bool take(const struct workload *w, struct end *end, const struct epoll_event *event)
{
	void **what = event->data.ptr;

	if (what >= listeners && what < listeners + LISTENERS) {
		adopt(end, *what);
		return false;
	}
	if (event->events & EPOLLRDHUP) {
		end->api->close(what);
		return true;
	}
	end_get(end, what, w->bytes);
	end_put(end, what, w->bytes);
	return w->connections;
}

/**
 * epoll_answer() - the server's part of a run
 * @w: what is done.
 * @end: listening.
 */
void epoll_answer(const struct workload *w, struct end *end)
{
	unsigned int left = w->rounds * (w->connections ? w->connections : 1);
	struct epoll_event events[BATCH];
	int n;

	while (left) {
		n = epoll_wait(set, events, BATCH, -1);
		if (n < 0)
			die(end, "epoll_wait");
		for (int i = 0; i < n; i++)
			left -= take(w, end, &events[i]);
	}
}
