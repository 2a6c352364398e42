// SPDX-License-Identifier: MIT
/* Memory lent to the user: he writes what he sends, and reads what came, in place. */
#include <errno.h>

#include "socket/socket.h"

static bool lends(const struct ustack_socket *s)
{
	return s->ops == &us_stream_ops;
}

static ssize_t reserve(struct ustack_socket *s, size_t len, int flags, void **room)
{
	us_ns limit = -1;

	if (!lends(s))
		return -EOPNOTSUPP;
	if (!len || (flags & ~MSG_DONTWAIT))
		return -EINVAL;
	for (;;) {
		ssize_t n = us_stream_may_send(s);

		if (!n)
			n = us_tcp_reserve(s->tcp, len, room);
		if (n != -EAGAIN)
			return n;
		if (limit < 0)
			limit = us_socket_limit(s, s->sndtimeo, flags);
		n = us_socket_wait(s, limit);
		if (n)
			return n;
	}
}

void *ustack_reserve(struct ustack_socket *s, size_t *length, int flags)
{
	void *room = NULL;
	ssize_t n;

	US_SOCKET_CALL(s);
	n = us_socket_return(reserve(s, *length, flags, &room));
	*length = n < 0 ? 0 : (size_t)n;
	return n < 0 ? NULL : room;
}

#define SUBMIT_FLAGS	(MSG_MORE | MSG_OOB | MSG_DONTWAIT | USTACK_MSG_BATCH)

static int submit(struct ustack_socket *s, size_t len, int flags)
{
	bool more = flags & (MSG_MORE | USTACK_MSG_BATCH);
	int err;

	if (!lends(s))
		return -EOPNOTSUPP;
	if (!s->tcp || (flags & ~SUBMIT_FLAGS) ||
	    !us_tcp_has_lent(s->tcp, len))
		return -EINVAL;
	if (more)
		us_stack_tick(s->stack);
	err = len ? us_stream_may_send(s) : 0;
	if (err)
		us_tcp_submit(s->tcp, 0, 0);
	else
		err = us_tcp_submit(s->tcp, len, flags);
	if (!err && len)
		us_stream_let_out(s->stack, more, false);
	return err;
}

int ustack_submit(struct ustack_socket *s, size_t length, int flags)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(submit(s, length, flags));
}

/* What is there now.  Errors come after the data that came before them. */
static int look(struct ustack_socket *s, struct iovec *pieces, int count)
{
	int n;

	if (!s->tcp)
		return s->error && !s->listener ? us_socket_error(s) : -ENOTCONN;
	n = us_tcp_peek(s->tcp, pieces, count);
	return n <= 0 && s->error ? us_socket_error(s) : n;
}

static int peek(struct ustack_socket *s, struct iovec *pieces, int count, int flags)
{
	us_ns limit = -1;

	if (!lends(s))
		return -EOPNOTSUPP;
	if (count <= 0 || (flags & ~MSG_DONTWAIT))
		return -EINVAL;
	for (;;) {
		int n = look(s, pieces, count);

		if (n != -EAGAIN)
			return n;
		if (limit < 0)
			limit = us_socket_limit(s, s->rcvtimeo, flags);
		n = us_socket_wait(s, limit);
		if (n)
			return n;
	}
}

int ustack_peek(struct ustack_socket *s, struct iovec *pieces, int count, int flags)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(peek(s, pieces, count, flags));
}

static int release(struct ustack_socket *s, size_t len)
{
	if (!lends(s))
		return -EOPNOTSUPP;
	return s->tcp ? us_tcp_release(s->tcp, len) : -EINVAL;
}

int ustack_release(struct ustack_socket *s, size_t length)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(release(s, length));
}
