// SPDX-License-Identifier: MIT
/* poll(2) for sockets. */
#include <errno.h>

#include "socket/socket.h"

/* Reported whether asked for or not. */
#define ALWAYS	(POLLERR | POLLHUP | POLLNVAL)

/* What ustack_pollsockets() was given. */
struct request {
	struct ustack_pollfd *fds;
	size_t count;
};

static int scan(void *arg)
{
	const struct request *request = arg;
	int ready = 0;

	for (size_t i = 0; i < request->count; i++) {
		struct ustack_pollfd *p = &request->fds[i];

		p->revents = p->socket ? us_socket_poll(p->socket) & (p->events | ALWAYS) : 0;
		ready += p->revents != 0;
	}
	return ready;
}

/* A socket that another thread closes stays until the call is over. */
static void hold(struct ustack_pollfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i].socket)
			fds[i].socket->calls++;
}

static void let_go(struct ustack_pollfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i].socket && --fds[i].socket->calls == 0 &&
		    fds[i].socket->closed)
			us_socket_close(fds[i].socket);
}

int ustack_pollsockets(struct ustack *public, struct ustack_pollfd *fds,
		       size_t count, int64_t timeout)
{
	struct us_stack *stack = (struct us_stack *)public;
	struct request request = { .fds = fds, .count = count };
	int result;

	US_CALL(stack);
	if (stack->driver)
		hold(fds, count);
	result = us_loop_until(stack, timeout, scan, &request);
	if (stack->driver)
		let_go(fds, count);
	return (int)us_socket_return(result);
}
