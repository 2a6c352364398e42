// SPDX-License-Identifier: MIT
/* poll(2) for sockets. */
#include <errno.h>

#include "socket/socket.h"

/* Reported whether asked for or not. */
#define ALWAYS	(POLLERR | POLLHUP | POLLNVAL)

static int scan(struct ustack_pollfd *fds, size_t count)
{
	int ready = 0;

	for (size_t i = 0; i < count; i++) {
		fds[i].revents = 0;
		if (!fds[i].socket)
			continue;
		fds[i].revents = us_socket_poll(fds[i].socket) &
				 (fds[i].events | ALWAYS);
		ready += fds[i].revents != 0;
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

static int wait(struct us_stack *stack, struct ustack_pollfd *fds, size_t count,
		us_ns timeout)
{
	us_ns limit = US_NEVER;
	int ready, err;

	/* Also when something is ready: a caller who never blocks needs it. */
	us_loop_once(stack);
	if (timeout >= 0 && timeout < US_NEVER - stack->now)
		limit = stack->now + timeout;
	for (;;) {
		ready = scan(fds, count);
		if (ready || timeout == 0)
			return ready;
		err = us_loop_wait(stack, limit);
		if (err == -EAGAIN)
			return scan(fds, count);
		if (err)
			return err;
	}
}

int ustack_pollsockets(struct ustack *public, struct ustack_pollfd *fds,
		       size_t count, int64_t timeout)
{
	struct us_stack *stack = (struct us_stack *)public;
	int result;

	US_CALL(stack);
	if (stack->driver)
		hold(fds, count);
	result = wait(stack, fds, count, timeout);
	if (stack->driver)
		let_go(fds, count);
	return (int)us_socket_return(result);
}
