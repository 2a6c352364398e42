// SPDX-License-Identifier: MIT
/* Memory lent to the user: he writes what he sends, and reads what came, in place. */
#include <errno.h>

#include "socket/socket.h"

#define SUBMIT_FLAGS	(MSG_MORE | MSG_OOB | MSG_DONTWAIT | USTACK_MSG_BATCH)

/* ------------------------------------------------------------------- streams */

/* @n was lent, or an error.  A connection that lends is open, whether connect(2) was told or
 * not: it will not give it up as one that failed.
 */
static ssize_t lent(struct ustack_socket *s, ssize_t n)
{
	if (us_likely(n > 0))
		s->state = US_SOCKET_CONNECTED;
	return n;
}

static ssize_t stream_reserve(struct ustack_socket *s, size_t len, void **room)
{
	int err = us_stream_may_send(s);

	return err ? err : lent(s, us_tcp_reserve(s->tcp, len, room));
}

static int stream_submit(struct ustack_socket *s, size_t len, int flags)
{
	bool more = flags & (MSG_MORE | USTACK_MSG_BATCH);
	int err;

	if (!s->tcp || !us_tcp_has_lent(s->tcp, len))
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

/* What is there now.  Errors come after the data that came before them. */
static int stream_peek(struct ustack_socket *s, struct iovec *pieces, int count)
{
	int n;

	if (!s->tcp)
		return s->error && !s->listener ? us_socket_error(s) : -ENOTCONN;
	n = (int)lent(s, us_tcp_peek(s->tcp, pieces, count));
	return n <= 0 && s->error ? us_socket_error(s) : n;
}

static int stream_release(struct ustack_socket *s, size_t len)
{
	return s->tcp ? us_tcp_release(s->tcp, len) : -EINVAL;
}

/* ----------------------------------------------------------------- datagrams */

static us_noinline ssize_t dgram_reserve(struct ustack_socket *s, size_t len, void **room)
{
	ssize_t n = us_dgram_may_send(s, len, 0);

	if (!n)
		n = us_udp_reserve(s->udp, len, s->segment, room);
	if (n == -EAGAIN)
		us_loop_let_out(s->stack);	/* so that there will be room */
	return n;
}

/* An error that a second try would not have ends the loan, with the message. */
static int send_room(struct ustack_socket *s, size_t len, int flags)
{
	struct us_udp_out to = { .segment = s->segment, .more = flags & USTACK_MSG_BATCH };
	int err = us_dgram_may_send(s, len, flags);

	if (!err)
		err = us_udp_send_room(s->udp, len, &to);
	if (err && err != -EAGAIN && err != -EINVAL)
		us_udp_take_back(s->udp);
	if (us_udp_due(s->udp, to.more && err != -EAGAIN))
		us_loop_let_out(s->stack);
	return err;
}

static us_noinline int dgram_submit(struct ustack_socket *s, size_t len, int flags)
{
	if (flags & (MSG_MORE | MSG_OOB))
		return -EOPNOTSUPP;
	if (!s->udp || !us_udp_has_room(s->udp, len))
		return -EINVAL;
	if (len)
		return send_room(s, len, flags);
	us_udp_take_back(s->udp);
	return 0;
}

static us_noinline int dgram_peek(struct ustack_socket *s, struct iovec *piece)
{
	int n = -EAGAIN;

	if (s->error)
		return us_socket_error(s);
	if (s->udp)
		n = us_udp_peek(s->udp, piece);
	return n == -EAGAIN && (s->shut & US_SHUT_READ) ? 0 : n;
}

static us_noinline int dgram_release(struct ustack_socket *s, size_t len)
{
	return s->udp ? us_udp_release(s->udp, len) : -EINVAL;
}

/* ----------------------------------------------------------------- the calls */

static bool is_stream(const struct ustack_socket *s)
{
	return us_likely(s->ops == &us_stream_ops);
}

/* What a socket lends is gone when it is closed: by others, while the call sleeps. */
static int wait_for_it(struct ustack_socket *s, us_ns limit)
{
	int err = us_socket_wait(s, limit);

	return !err && s->closed ? -EBADF : err;
}

static ssize_t reserve(struct ustack_socket *s, size_t len, int flags, void **room)
{
	us_ns limit = -1;

	if (!len || (flags & ~MSG_DONTWAIT))
		return -EINVAL;
	for (;;) {
		ssize_t n = is_stream(s) ? stream_reserve(s, len, room) :
					   dgram_reserve(s, len, room);

		if (n != -EAGAIN)
			return n;
		if (limit < 0)
			limit = us_socket_limit(s, s->sndtimeo, flags);
		n = wait_for_it(s, limit);
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

int ustack_submit(struct ustack_socket *s, size_t length, int flags)
{
	int err = -EINVAL;

	US_SOCKET_CALL(s);
	if (!(flags & ~SUBMIT_FLAGS))
		err = is_stream(s) ? stream_submit(s, length, flags) :
				     dgram_submit(s, length, flags);
	return (int)us_socket_return(err);
}

static int peek(struct ustack_socket *s, struct iovec *pieces, int count, int flags)
{
	us_ns limit = -1;

	if (count <= 0 || (flags & ~MSG_DONTWAIT))
		return -EINVAL;
	for (;;) {
		int n = is_stream(s) ? stream_peek(s, pieces, count) : dgram_peek(s, pieces);

		if (n != -EAGAIN)
			return n;
		if (limit < 0)
			limit = us_socket_limit(s, s->rcvtimeo, flags);
		n = wait_for_it(s, limit);
		if (n)
			return n;
	}
}

int ustack_peek(struct ustack_socket *s, struct iovec *pieces, int count, int flags)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(peek(s, pieces, count, flags));
}

int ustack_release(struct ustack_socket *s, size_t length)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(is_stream(s) ? stream_release(s, length) :
						    dgram_release(s, length));
}
