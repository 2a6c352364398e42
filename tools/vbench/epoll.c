// SPDX-License-Identifier: MIT
/*
 * A server that does not know who comes next: one loop waits for all of its
 * connections and listeners, and takes what is ready in batches.
 */
#include "lib/pattern.h"
#include "vbench.h"

#define LISTENERS	4u
#define BATCH		64

static void *listeners[LISTENERS];

/* Who asks first is not known: where in the pattern the next message of a connection is. */
static uint32_t next_at[VBENCH_CONNECTIONS];

static void watch(const struct end *end, void *socket, void *what, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	if (end->api->watch(socket, &event))
		die(end, "watch");
}

/**
 * epoll_listen() - makes listeners, and what waits for them
 * @w: what is to be done.
 * @end: the server.
 */
void epoll_listen(const struct workload *w, struct end *end)
{
	for (unsigned int i = 0; i < (end->variant->reuseport ? LISTENERS : 1); i++) {
		listeners[i] = workload_listener(w, end);
		watch(end, listeners[i], &listeners[i], EPOLLIN);
	}
}

static void *adopt(struct end *end, void *listener, void **what)
{
	void *socket = end->api->accept(listener);

	if (!socket)
		die(end, "accept");
	watch(end, socket, what ? what : socket, EPOLLIN | EPOLLRDHUP | EPOLLET);
	return socket;
}

/**
 * epoll_accept() - the server's part of the connections that stay
 * @w: what is to be done.
 * @end: gets the sockets.
 */
void epoll_accept(const struct workload *w, struct end *end)
{
	for (unsigned int i = 0; i < w->connections; i++) {
		end->socket[i] = adopt(end, listeners[0], &end->socket[i]);
		next_at[i] = pattern_next(0, (size_t)i * w->bytes);
	}
}

static void answer(const struct workload *w, struct end *end, void *socket)
{
	end_get(end, socket, w->bytes);
	end_put(end, socket, w->bytes);
}

/* One of those that stay: all of them have asked as often, or once less. */
static void answer_one_of(const struct workload *w, struct end *end, size_t i)
{
	end->received_at = next_at[i];
	end->sent_at = next_at[i];
	next_at[i] = pattern_next(next_at[i], (size_t)w->connections * w->bytes);
	answer(w, end, end->socket[i]);
}

/*
 * What an event completes: of connections that stay an answer, of others their end.  A
 * client asks again, or closes, when it has its answer: so all was read before.
 */
static bool take(const struct workload *w, struct end *end, const struct epoll_event *event)
{
	void **what = event->data.ptr;

	if (what >= listeners && what < listeners + LISTENERS) {
		adopt(end, *what, NULL);
		return false;
	}
	if (w->connections) {
		answer_one_of(w, end, (size_t)(what - end->socket));
		return true;
	}
	if (!(event->events & EPOLLRDHUP)) {
		answer(w, end, what);
		return false;
	}
	end->api->close(what);
	return true;
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
		n = end->api->wait(events, BATCH);
		if (n < 0)
			die(end, "wait");
		for (int i = 0; i < n; i++)
			left -= take(w, end, &events[i]);
	}
}
