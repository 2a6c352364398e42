// SPDX-License-Identifier: MIT
/* SOCK_STREAM: the BSD calls over TCP, with the states and errors of Linux. */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "socket/socket.h"

static void event(struct us_tcp *tcp, void *user)
{
	struct ustack_socket *s = user;

	(void)tcp;
	if (s)
		us_socket_event(s);
}

static void acceptable(struct us_tcp_listener *listener, void *user)
{
	struct ustack_socket *s = user;

	(void)listener;
	us_socket_event(s);
}

static uint32_t notsent_lowat(void *user)
{
	return user ? us_notsent_lowat(user) : UINT32_MAX;
}

const struct us_tcp_user us_stream_user = {
	.event = event,
	.accept = acceptable,
	.notsent_lowat = notsent_lowat,
};

/* Linux's state of the connection (enum in netinet/tcp.h). */
static int tcp_state(const struct ustack_socket *s)
{
	if (!s->tcp)
		return s->listener ? TCP_LISTEN : TCP_CLOSE;
	return us_tcp_state(s->tcp);
}

static bool opening(int state)
{
	return state == TCP_SYN_SENT || state == TCP_SYN_RECV;
}

static int bind_port(struct ustack_socket *s, const struct us_addr *local,
		     uint16_t port)
{
	if (s->port || tcp_state(s) != TCP_CLOSE)
		return -EINVAL;
	return us_claim(s, local, &port);
}

/* Listening once more changes the backlog. */
static int listen_port(struct ustack_socket *s, int backlog, bool peer)
{
	const struct us_addr local = us_socket_local(s);

	if (s->listener) {
		us_tcp_set_backlog(s->listener, backlog);
		return 0;
	}
	if (s->state != US_SOCKET_UNCONNECTED)
		return -EINVAL;
	return us_tcp_listen(s->stack, us_socket_hears(s, &s->local), &local, &s->port,
			     backlog, peer, &s->options, s, &s->listener);
}

static void unlisten(struct ustack_socket *s)
{
	if (s->ready)
		us_tcp_abort(s->ready);
	s->ready = NULL;
	us_tcp_unlisten(s->listener);
	s->listener = NULL;
	if (!s->claimed)
		s->port = 0;
}

/* What is over, or will be with an ACK, is nobody's loss: tcp_disconnect() of Linux. */
static bool is_lost(const struct us_tcp *tcp)
{
	struct us_tcp_queued queued;
	int state = us_tcp_state(tcp);

	us_tcp_queued(tcp, &queued);
	return state != TCP_CLOSE &&
	       ((state != TCP_CLOSING && state != TCP_LAST_ACK) || queued.unsent);
}

/* connect(2) to AF_UNSPEC, and shutdown(2) of what is not connected yet. */
static void disconnect(struct ustack_socket *s)
{
	if (s->listener)
		unlisten(s);
	if (s->tcp) {
		s->error = is_lost(s->tcp) ? ECONNRESET : us_tcp_error(s->tcp);
		us_tcp_abort(s->tcp);
	}
	s->tcp = NULL;
	s->state = US_SOCKET_UNCONNECTED;
	us_socket_event(s);	/* for calls of other threads, too, which wait for a peer */
}

static int check_remote(const struct ustack_socket *s, const struct us_addr *remote,
			uint16_t port)
{
	bool mapped = s->family == AF_INET6 && us_addr_is_v4(remote);

	if (us_addr_is_group(remote) || (mapped && s->v6only))
		return -ENETUNREACH;
	if (s->family == AF_INET6 && !mapped && us_addr_is_v4(&s->local))
		return -EAFNOSUPPORT;
	/* What the closed port 0 of any peer would answer. */
	return port ? 0 : -ECONNREFUSED;
}

/* For the user, a socket whose SYN waits for data is connected. */
static bool is_deferred(const struct ustack_socket *s)
{
	return s->tcp && us_tcp_deferred(s->tcp);
}

/* @fastopen: the SYN may wait for data. */
static int begin(struct ustack_socket *s, const struct sockaddr *address,
		 socklen_t length, bool fastopen)
{
	struct us_tcp_options options = s->options;
	struct us_dst dst = { .local = us_socket_local(s) };
	uint16_t port;
	int err = us_sockaddr_get(address, length, s->family, &dst.remote, &port);

	if (!err)
		err = check_remote(s, &dst.remote, port);
	if (err)
		return err;
	options.fastopen = fastopen;
	err = us_tcp_connect(s->stack, &dst, s->port, port, &options, s, &s->tcp);
	if (err)
		return err;
	s->error = 0;
	s->options.ack_later = false;	/* of this connection, now */
	s->state = US_SOCKET_CONNECTING;
	us_socket_event(s);
	return 0;
}

/* The attempt failed, or another thread gave it up; the socket may try again. */
static int connect_failed(struct ustack_socket *s)
{
	int err = us_socket_error(s);

	if (s->tcp)
		us_tcp_close(s->tcp, 0);
	s->tcp = NULL;
	s->state = US_SOCKET_UNCONNECTED;
	us_socket_event(s);	/* that it is none any more */
	return err ? err : -ECONNABORTED;
}

/* @err is the answer of a call that does not wait. */
static int finish_connect(struct ustack_socket *s, int flags, int err)
{
	us_ns limit = us_socket_limit(s, s->sndtimeo, flags);

	if (opening(tcp_state(s)))
		us_loop_flush(s->stack);
	while (opening(tcp_state(s))) {
		int why = us_socket_wait(s, limit);

		if (why)
			return why == -EAGAIN ? err : why;
	}
	/* Another thread may have seen it open. */
	if (tcp_state(s) == TCP_CLOSE && s->state != US_SOCKET_CONNECTED)
		return connect_failed(s);
	s->state = US_SOCKET_CONNECTED;
	return 0;
}

static int connect_peer(struct ustack_socket *s, const struct sockaddr *address,
			socklen_t length)
{
	int err;

	if (address->sa_family == AF_UNSPEC) {
		disconnect(s);
		return 0;
	}
	switch (s->state) {
	case US_SOCKET_CONNECTED:
		return -EISCONN;
	case US_SOCKET_CONNECTING:
		return is_deferred(s) ? -EISCONN : finish_connect(s, 0, -EALREADY);
	}
	if (s->listener)
		return -EISCONN;
	err = begin(s, address, length, s->options.fastopen);
	if (err || is_deferred(s))
		return err;
	return finish_connect(s, 0, -EINPROGRESS);
}

static struct us_tcp *take_ready(struct ustack_socket *s)
{
	struct us_tcp *tcp = s->ready;

	s->ready = NULL;
	return tcp ? tcp : us_tcp_accept(s->listener);
}

static int accept_peer(struct ustack_socket *s, struct ustack_socket *child)
{
	us_ns limit = us_socket_limit(s, s->rcvtimeo, 0);
	struct us_tcp *tcp;
	int err;

	for (;;) {
		if (!s->listener)
			return -EINVAL;
		tcp = take_ready(s);
		if (tcp)
			break;
		err = us_socket_wait(s, limit);
		if (err)
			return err;
	}
	child->tcp = tcp;
	child->state = US_SOCKET_CONNECTED;
	child->options = s->options;
	us_notsent_lowat_set(child, us_notsent_lowat(s));
	child->linger = s->linger;
	child->linger2 = s->linger2;
	child->reuse = s->reuse;
	child->v6only = s->v6only;
	child->rcvlowat = s->rcvlowat;
	child->rcvtimeo = s->rcvtimeo;
	child->sndtimeo = s->sndtimeo;
	us_error_queue_zerocopy(child, us_error_queue_is_zerocopy(s));
	us_tcp_set_user(tcp, child);
	us_tcp_set_options(tcp, &child->options);
	return 0;
}

static int shut(struct ustack_socket *s, unsigned int how)
{
	int state = tcp_state(s);
	int err = 0;

	if (state == TCP_CLOSE)
		return -ENOTCONN;
	if (s->listener) {
		if (how & US_SHUT_READ)
			disconnect(s);
		return 0;
	}
	if (state == TCP_SYN_SENT) {
		disconnect(s);
		return 0;
	}
	s->state = US_SOCKET_CONNECTED;
	if (how & US_SHUT_READ)
		us_tcp_shutdown_read(s->tcp);
	if (how & US_SHUT_WRITE)
		err = us_tcp_shutdown(s->tcp);
	return err;
}

/**
 * us_stream_may_send() - is there a connection to send on?
 * @s: a SOCK_STREAM.
 *
 * Return: 0, -EAGAIN while it opens, -EPIPE, or the pending error, which is taken.
 */
int us_stream_may_send(struct ustack_socket *s)
{
	int err = s->error ? us_socket_error(s) : 0;

	if (err)
		return err;
	if (!s->tcp)
		return -EPIPE;
	if (s->state == US_SOCKET_CONNECTING && opening(tcp_state(s)) && !is_deferred(s))
		return -EAGAIN;
	return 0;
}

/* As much as fits now, behind @at bytes: of @data, or of @pieces if they are not NULL; from
 * where they lie, if @call is not.
 */
static us_always_inline ssize_t push(struct ustack_socket *s, const void *data, size_t len,
				     const struct us_pieces *pieces, size_t at, int flags,
				     struct us_zerocopy **call)
{
	int err = us_stream_may_send(s);

	if (err)
		return err;
	if (call)
		return us_zerocopy_send(s, call, pieces, at, flags);
	if (pieces)
		return us_tcp_send_pieces(s->tcp, pieces, at, flags);
	return us_tcp_send(s->tcp, (const char *)data + at, len - at, flags);
}

/**
 * us_stream_let_out() - bytes were queued
 * @stack: the stack.
 * @more: MSG_MORE, USTACK_MSG_BATCH: what may wait for the next call does.
 * @waited: the call did, and knows the time; only what leaves has to.
 */
void us_stream_let_out(struct us_stack *stack, bool more, bool waited)
{
	if (more) {
		us_loop_kick(stack);
	} else if (us_tcp_due(stack)) {
		if (!waited)
			us_stack_tick(stack);
		us_loop_flush(stack);
	}
}

/* A call that moved bytes says so; what stopped it is for the next one. */
static ssize_t moved(struct ustack_socket *s, size_t done, ssize_t result)
{
	if (!done)
		return result;
	if (result < 0 && result != -EAGAIN && result != -EINTR && result != -EDEADLK) {
		s->error = -result;
		us_socket_event(s);
	}
	return done;
}

/* MSG_FASTOPEN: connects, so that what is sent goes with the SYN if it can. */
static int open_fast(struct ustack_socket *s, const struct sockaddr *address,
		     socklen_t length, int flags)
{
	int err;

	if (s->state == US_SOCKET_CONNECTING)
		return is_deferred(s) ? 0 : finish_connect(s, flags, -EALREADY);
	if (s->state == US_SOCKET_CONNECTED || s->listener)
		return -EISCONN;
	if (!address)
		return -EINVAL;
	if (address->sa_family == AF_UNSPEC)
		return -EOPNOTSUPP;
	err = begin(s, address, length, true);
	if (err || is_deferred(s))
		return err;
	return finish_connect(s, flags, -EINPROGRESS);
}

/* The SYN left, with @done bytes.  A call that may wait does until it is answered, as
 * connect(2) would have; if it failed, nothing was sent.
 */
static int finish_fast(struct ustack_socket *s, int flags, size_t *done)
{
	struct us_tcp_queued queued;
	int err;

	us_tcp_queued(s->tcp, &queued);
	*done = queued.unsent;
	err = finish_connect(s, flags, *done ? -EAGAIN : -EINPROGRESS);
	if (err && err != -EAGAIN)
		*done = 0;
	return err;
}

/* Lets out what was queued; there is a @rest.  True: TCP_NOTSENT_LOWAT stopped the call before
 * that, and does no more: the event is over that a wait would be for.
 */
static bool let_out(struct ustack_socket *s, bool rest, bool more, bool waited)
{
	bool stopped = rest && s->tcp && us_tcp_notsent_is_much(s->tcp);

	us_stream_let_out(s->stack, more, waited);
	return stopped && !us_tcp_notsent_is_much(s->tcp);
}

/* @data, or @pieces, @len bytes of either. */
static us_always_inline ssize_t send_all(struct ustack_socket *s, const void *data, size_t len,
					 const struct us_pieces *pieces, int flags,
					 const struct sockaddr *address, socklen_t length,
					 struct us_zerocopy **call)
{
	bool more = flags & (MSG_MORE | USTACK_MSG_BATCH);
	us_ns limit = -1;
	size_t done = 0;
	bool go_on;
	ssize_t n;

	if (more || (flags & MSG_FASTOPEN))
		us_stack_tick(s->stack);
	if (flags & MSG_FASTOPEN) {
		n = open_fast(s, address, length, flags);
		if (n)
			return n;
	}
	for (;;) {
		n = push(s, data, len, pieces, done, flags, call);
		if (n >= 0) {
			done += n;
		} else if (n == -EINPROGRESS) {
			n = finish_fast(s, flags, &done);
			if (!n)
				continue;
		}
		go_on = let_out(s, done < len, more, limit >= 0);
		if ((n < 0 && n != -EAGAIN) || (n >= 0 && done == len))
			break;
		if (go_on)
			continue;
		if (limit < 0)
			limit = us_socket_limit(s, s->sndtimeo, flags);
		n = us_socket_wait(s, limit);
		if (n)
			break;
	}
	return moved(s, done, n);
}

/* MSG_ZEROCOPY: what lies in @from stays there until the error queue tells. */
static us_noinline ssize_t send_borrowed(struct ustack_socket *s, const struct us_pieces *from,
					 int flags, const struct sockaddr *address,
					 socklen_t length)
{
	struct us_zerocopy *call = NULL;
	ssize_t n = send_all(s, NULL, from->len, from, flags, address, length, &call);

	if (call)
		us_zerocopy_end(call, n > 0);
	return n;
}

static bool is_borrowed(const struct ustack_socket *s, size_t len, int flags)
{
	return us_unlikely(flags & MSG_ZEROCOPY) && len && us_error_queue_is_zerocopy(s);
}

static us_noinline ssize_t send_waiting(struct ustack_socket *s, const void *data,
					size_t len, int flags,
					const struct sockaddr *address,
					socklen_t length)
{
	if (data && is_borrowed(s, len, flags)) {
		const struct iovec piece = { (void *)data, len };
		const struct us_pieces from = { &piece, 1, len };

		return send_borrowed(s, &from, flags, address, length);
	}
	return send_all(s, data, len, NULL, flags, address, length, NULL);
}

/**
 * us_stream_send() - sends what lies in several pieces, as if it were one
 * @s: a SOCK_STREAM.
 * @from: the pieces.
 * @flags: as the caller of sendmsg(2) gave them.
 * @address: for MSG_FASTOPEN.
 * @length: of @address.
 *
 * Return: bytes, or a negative errno.
 */
ssize_t us_stream_send(struct ustack_socket *s, const struct us_pieces *from, int flags,
		       const struct sockaddr *address, socklen_t length)
{
	if (is_borrowed(s, from->len, flags))
		return send_borrowed(s, from, flags, address, length);
	return send_all(s, NULL, from->len, from, flags, address, length, NULL);
}

/* The address is passed over, as Linux does, but for MSG_FASTOPEN. */
static ssize_t send_data(struct ustack_socket *s, const void *data, size_t len,
			 int flags, const struct sockaddr *address,
			 socklen_t length)
{
	if (us_likely(!flags && s->tcp && !s->error && data) &&
	    us_tcp_send_small(s->tcp, data, len)) {
		us_stream_let_out(s->stack, false, false);
		return len;
	}
	if (flags == USTACK_MSG_BATCH && s->tcp && !s->error &&
	    us_tcp_send_batched(s->tcp, data, len))
		return len;
	return send_waiting(s, data, len, flags, address, length);
}

/* MSG_TRUNC: takes bytes and throws them away.  What comes behind them, an error,
 * is for the next call.
 */
static ssize_t discard(struct us_tcp *tcp, size_t len)
{
	char scratch[4096];
	size_t done = 0;
	ssize_t n = 0;

	while (done < len && (!done || us_tcp_has_bytes(tcp))) {
		size_t want = len - done;

		n = us_tcp_recv(tcp, scratch,
				want < sizeof(scratch) ? want : sizeof(scratch),
				false);
		if (n <= 0)
			break;
		done += n;
		if (us_tcp_at_mark(tcp))
			break;
	}
	return done ? (ssize_t)done : n;
}

/* The urgent byte; no call waits for it. */
static ssize_t pull_urgent(struct ustack_socket *s, uint8_t *data, size_t len,
			   int flags)
{
	uint8_t byte;
	ssize_t n;

	if (!s->tcp)
		return s->listener ? -ENOTCONN : -EINVAL;
	n = us_tcp_recv_urgent(s->tcp, &byte, flags & MSG_PEEK);
	if (n == 1 && !len)
		return 0;
	if (n == 1 && !(flags & MSG_TRUNC))
		*data = byte;
	return n;
}

/* What is there now, behind @at bytes: to @data, or to @pieces if they are not NULL.
 * Errors come after the data that came before them.
 */
static us_always_inline ssize_t pull(struct ustack_socket *s, void *data, size_t len,
				     const struct us_pieces *pieces, size_t at, int flags)
{
	bool peek = flags & MSG_PEEK;
	ssize_t n;

	if (!s->tcp)
		return s->error && !s->listener ? us_socket_error(s) : -ENOTCONN;
	if (len == at || (peek && (flags & MSG_TRUNC)))
		n = us_tcp_recv_count(s->tcp, len - at);
	else if (flags & MSG_TRUNC)
		n = discard(s->tcp, len - at);
	else if (pieces)
		n = us_tcp_recv_pieces(s->tcp, pieces, at, peek);
	else
		n = us_tcp_recv(s->tcp, (char *)data + at, len - at, peek);
	if (n <= 0 && s->error)
		return us_socket_error(s);
	return n;
}

/* Bytes that a call waits for, if it may. */
static size_t wanted(const struct ustack_socket *s, size_t len, int flags)
{
	uint32_t lowat = s->rcvlowat;

	if (flags & MSG_WAITALL)
		return len;
	return us_unlikely(lowat && len) ? (lowat < len ? lowat : len) : 1;
}

/* To @data, or to @pieces, @len bytes of either. */
static us_always_inline ssize_t recv_some(struct ustack_socket *s, void *data, size_t len,
					  const struct us_pieces *pieces, int flags)
{
	us_ns limit = -1;	/* looked for when it is needed */
	size_t want = wanted(s, len, flags);
	size_t done = 0;
	ssize_t n;

	for (;;) {
		size_t got = flags & MSG_PEEK ? 0 : done;

		n = pull(s, data, len, pieces, got, flags);
		if (n > 0)
			done = got + n;
		if ((n <= 0 && n != -EAGAIN) || done >= want ||
		    (done && us_tcp_at_mark(s->tcp)))
			break;
		if (limit < 0)
			limit = us_socket_limit(s, s->rcvtimeo, flags);
		n = us_socket_wait(s, limit);
		if (n)
			break;
	}
	return moved(s, done, n);
}

static us_noinline ssize_t recv_waiting(struct ustack_socket *s, void *data,
					size_t len, int flags)
{
	struct sock_extended_err error;

	if (flags & MSG_ERRQUEUE)
		return us_error_queue_take(s, &error) ? 0 : -EAGAIN;
	if (flags & MSG_OOB)
		return pull_urgent(s, data, len, flags);
	return recv_some(s, data, len, NULL, flags);
}

/**
 * us_stream_recv() - receives into several pieces
 * @s: a SOCK_STREAM.
 * @to: the pieces.
 * @flags: as the caller of recvmsg(2) gave them, without MSG_OOB and MSG_ERRQUEUE.
 *
 * Return: bytes, 0 at the end of the stream, or a negative errno.
 */
ssize_t us_stream_recv(struct ustack_socket *s, const struct us_pieces *to, int flags)
{
	return recv_some(s, NULL, to->len, to, flags);
}

static bool has_piece(const struct ustack_socket *s, size_t len)
{
	return s->tcp && us_tcp_has_piece(s->tcp, len);
}

/* Nothing came, and the call has only to wait until something does. */
static bool awaits(const struct ustack_socket *s, size_t len)
{
	return s->tcp && us_tcp_is_silent(s->tcp) && len && !s->nonblock &&
	       s->rcvtimeo == US_NEVER && !s->error;
}

/* What comes next, as most calls find it that wait. */
static us_noinline ssize_t recv_next(struct ustack_socket *s, void *data, size_t len)
{
	int err = awaits(s, len) ? us_loop_wait(s->stack, US_NEVER) : 0;

	if (err)
		return err;
	return has_piece(s, len) ? us_tcp_recv_piece(s->tcp, data, len) :
				   recv_waiting(s, data, len, 0);
}

static ssize_t recv_data(struct ustack_socket *s, void *data, size_t len,
			 int flags, struct us_udp_in *from)
{
	(void)from;
	if (us_unlikely(flags || s->rcvlowat || !data))
		return recv_waiting(s, data, len, flags);
	/* Bytes that are there, as most calls find them. */
	return us_likely(has_piece(s, len)) ? us_tcp_recv_piece(s->tcp, data, len) :
					      recv_next(s, data, len);
}

static int names(struct ustack_socket *s, bool peer, struct us_addr *addr,
		 uint16_t *port)
{
	struct us_addr local = s->local, remote;
	uint16_t local_port = s->port, remote_port;
	int state = tcp_state(s);

	if (peer && (!s->tcp || state == TCP_CLOSE || state == TCP_SYN_SENT))
		return -ENOTCONN;
	if (s->tcp)
		us_tcp_names(s->tcp, &local, &local_port, &remote, &remote_port);
	*addr = peer ? remote : local;
	*port = peer ? remote_port : local_port;
	return 0;
}

static short readiness(struct ustack_socket *s)
{
	if (s->listener) {
		if (!s->ready)
			s->ready = us_tcp_accept(s->listener);
		return s->ready ? POLLIN | POLLRDNORM : 0;
	}
	return s->tcp ? us_tcp_poll(s->tcp, s->rcvlowat) : POLLOUT | POLLWRNORM | POLLHUP;
}

static int error(struct ustack_socket *s)
{
	return s->tcp ? us_tcp_error(s->tcp) : 0;
}

static void changed(struct ustack_socket *s)
{
	if (s->tcp)
		us_tcp_set_options(s->tcp, &s->options);
	s->options.push = false;
	if (s->listener)
		us_tcp_listen_options(s->listener, &s->options);
}

/* As tcp_ioctl() of Linux; nothing is counted while the connection opens. */
static int queued(struct ustack_socket *s, unsigned long request, int *value)
{
	struct us_tcp_queued queued = { 0 };

	if (s->listener && request != SIOCATMARK)
		return -EINVAL;
	if (s->tcp && !opening(tcp_state(s)))
		us_tcp_queued(s->tcp, &queued);
	if (request == SIOCATMARK)
		*value = s->tcp && us_tcp_at_mark(s->tcp);
	else if (request == FIONREAD)
		*value = (int)queued.unread;
	else
		*value = (int)(request == SIOCOUTQNSD ? queued.unsent : queued.unacked);
	return 0;
}

/* SO_LINGER: waits until the peer has all, FIN too. */
static void linger(struct ustack_socket *s)
{
	us_ns limit = s->stack->now + s->linger * US_SEC;
	char byte;

	/* Data that nobody read: the connection is reset, nothing to wait for. */
	if (us_tcp_recv(s->tcp, &byte, 1, true) > 0 || us_tcp_shutdown(s->tcp))
		return;
	us_loop_flush(s->stack);
	while (!us_tcp_drained(s->tcp) && tcp_state(s) != TCP_CLOSE)
		if (us_socket_wait(s, limit))
			return;
}

static void close_stream(struct ustack_socket *s)
{
	if (s->listener)
		unlisten(s);
	if (!s->tcp)
		return;
	if (s->linger == 0) {
		us_tcp_abort(s->tcp);
		return;
	}
	if (s->linger > 0)
		linger(s);
	us_tcp_close(s->tcp, s->linger2);
}

const struct us_socket_ops us_stream_ops = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.bind = bind_port,
	.listen = listen_port,
	.connect = connect_peer,
	.accept = accept_peer,
	.shutdown = shut,
	.send = send_data,
	.recv = recv_data,
	.names = names,
	.poll = readiness,
	.error = error,
	.changed = changed,
	.queued = queued,
	.close = close_stream,
};
