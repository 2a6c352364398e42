// SPDX-License-Identifier: MIT
/* SOCK_DGRAM: the BSD calls over UDP. */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "socket/socket.h"

static void event(struct us_udp *udp, void *user)
{
	struct ustack_socket *s = user;

	(void)udp;
	us_socket_event(s);
}

const struct us_udp_user us_dgram_user = {
	.event = event,
};

static void apply(struct ustack_socket *s)
{
	us_udp_set_rcvbuf(s->udp, s->options.rcvbuf);
	us_udp_set_gro(s->udp, s->gro);
	us_udp_set_tells(s->udp, s->tells, s->tells & US_TELL_TIME);
	us_udp_set_ip(s->udp, s->options.ip);
}

static int take_port(struct ustack_socket *s, const struct us_addr *local,
		     uint16_t port, bool listen_peer)
{
	const struct us_addr any = { 0 };
	int err = us_udp_bind(s->stack, us_socket_hears(s, local),
			      us_addr_is_any(local) ? &any : local, &port, listen_peer,
			      s, &s->udp);

	if (err)
		return err;
	s->local = *local;
	s->port = port;
	apply(s);
	return 0;
}

static int bind_port(struct ustack_socket *s, const struct us_addr *local,
		     uint16_t port)
{
	return s->udp ? -EINVAL : take_port(s, local, port, false);
}

static int autobind(struct ustack_socket *s)
{
	return s->udp ? 0 : take_port(s, &s->local, 0, false);
}

/* There is listen(2) for one peer only: the port is bound anew, that way. */
static int listen_port(struct ustack_socket *s, int backlog, bool peer)
{
	(void)backlog;
	if (!peer)
		return -EOPNOTSUPP;
	if (!s->udp || s->state == US_SOCKET_CONNECTED)
		return -EINVAL;
	us_udp_close(s->udp);
	s->udp = NULL;
	return take_port(s, &s->local, s->port, true);
}

static int disconnect(struct ustack_socket *s)
{
	s->state = US_SOCKET_UNCONNECTED;
	if (s->udp) {
		us_udp_end_loans(s->udp);
		us_udp_disconnect(s->udp);
	}
	return 0;
}

/* As Linux: one of AF_INET6 takes a struct sockaddr_in, too. */
static uint8_t family_of(const struct ustack_socket *s, const struct sockaddr *address)
{
	return address->sa_family == AF_INET ? AF_INET : s->family;
}

static int connect_peer(struct ustack_socket *s, const struct sockaddr *address,
			socklen_t length)
{
	struct us_addr remote;
	uint16_t port;
	int err;

	if (address->sa_family == AF_UNSPEC)
		return disconnect(s);
	if (address->sa_family == AF_INET && s->v6only)
		return -EAFNOSUPPORT;
	err = us_sockaddr_get(address, length, family_of(s, address), &remote, &port);
	if (err)
		return err;
	if (s->v6only && us_addr_is_v4(&remote))
		return -ENETUNREACH;
	err = autobind(s);
	if (!err)
		err = us_udp_connect(s->udp, &remote, port);
	if (!err)
		s->state = US_SOCKET_CONNECTED;
	return err;
}

/* As in Linux, for good, and without a peer, too, though the call fails: it is how another
 * thread is woken that waits for datagrams of anybody.
 */
static int shut(struct ustack_socket *s, unsigned int how)
{
	s->shut |= how;
	us_socket_event(s);
	return s->state == US_SOCKET_CONNECTED ? 0 : -ENOTCONN;
}

static int names(struct ustack_socket *s, bool peer, struct us_addr *addr,
		 uint16_t *port)
{
	struct us_addr local = { 0 }, remote = { 0 };
	uint16_t local_port = 0, remote_port = 0;

	if (s->udp)
		us_udp_names(s->udp, &local, &local_port, &remote, &remote_port);
	if (us_addr_is_any(&local))
		local = s->local;	/* as it was given */
	/* Port 0 is any port of the peer's address, and none that has a name. */
	if (peer && (s->state != US_SOCKET_CONNECTED || !remote_port))
		return -ENOTCONN;
	*addr = peer ? remote : local;
	*port = peer ? remote_port : local_port;
	return 0;
}

/* The destination in the address of sendto(2): 1 if it names one, else 0. */
static int destination(const struct ustack_socket *s,
		       const struct sockaddr *address, socklen_t length,
		       struct us_addr *remote, uint16_t *port)
{
	int err;

	if (!address || (s->family == AF_INET6 && address->sa_family == AF_UNSPEC))
		return s->state == US_SOCKET_CONNECTED ? 0 : -EDESTADDRREQ;
	err = us_sockaddr_get(address, length, family_of(s, address), remote, port);
	if (err == -EAFNOSUPPORT && s->family == AF_INET6)
		return -EINVAL;
	if (err && !(err == -EAFNOSUPPORT && address->sa_family == AF_UNSPEC))
		return err;
	if (s->v6only && us_addr_is_v4(remote))
		return -ENETUNREACH;
	return *port ? 1 : -EINVAL;
}

/* MSG_MORE, a datagram in pieces, is not offered. */
static int check(size_t len, int flags)
{
	if (len > UINT16_MAX)
		return -EMSGSIZE;
	return flags & (MSG_OOB | MSG_MORE) ? -EOPNOTSUPP : 0;
}

/* As in Linux, what went wrong before is told first. */
static us_noinline int broken_pipe(struct ustack_socket *s)
{
	int err = us_socket_error(s);

	return err ? err : -EPIPE;
}

/**
 * us_dgram_may_send() - is there a peer to send to?
 * @s: SOCK_DGRAM.
 * @len: of the message.
 * @flags: of the call.
 *
 * Return: 0, -EMSGSIZE, -EOPNOTSUPP, -EDESTADDRREQ, -EPIPE, or the pending error, which is
 * taken.
 */
int us_dgram_may_send(struct ustack_socket *s, size_t len, int flags)
{
	int err = check(len, flags);

	if (err)
		return err;
	if (s->state != US_SOCKET_CONNECTED)
		return -EDESTADDRREQ;
	if (s->shut & US_SHUT_WRITE)
		return broken_pipe(s);
	return s->error ? us_socket_error(s) : 0;
}

/* Again and again, while the link is full: all may have changed meanwhile. */
static us_noinline ssize_t send_waiting(struct ustack_socket *s, const void *data, size_t len,
					int flags, const struct sockaddr *address,
					socklen_t length, const struct msghdr *said)
{
	us_ns limit = us_socket_limit(s, s->sndtimeo, flags);
	ssize_t n;

	do {
		n = us_socket_wait(s, limit);
		if (n)
			return n;
		n = us_dgram_send(s, data, len, flags | MSG_DONTWAIT, address, length, said);
	} while (n == -EAGAIN);
	return n;
}

/* Of the destination: @remote, or the peer. */
static uint8_t destination_family(struct ustack_socket *s, const struct us_addr *remote)
{
	struct us_addr peer = { 0 };
	uint16_t port;

	if (s->family == AF_INET)
		return AF_INET;
	if (!remote && !names(s, true, &peer, &port))
		remote = &peer;
	return remote && us_addr_is_v4(remote) ? AF_INET : AF_INET6;
}

static us_noinline int read_control(struct ustack_socket *s, const struct msghdr *said,
				    struct us_udp_out *to, struct us_udp_how *how)
{
	int err = us_control_read(s, said, destination_family(s, to->remote), how);

	to->segment = how->segment;
	to->how = how;
	return err;
}

/* As in Linux, what is wrong with the message or its way is told first. */
static us_noinline ssize_t send_stopped(struct ustack_socket *s, size_t len,
					const struct us_udp_out *to)
{
	struct us_udp_out out = *to;
	int err = us_udp_may_send(s->udp, len, &out);

	if (err && err != -EAGAIN)
		return err;
	return s->shut & US_SHUT_WRITE ? broken_pipe(s) : us_socket_error(s);
}

/**
 * us_dgram_send() - sends a message
 * @s: SOCK_DGRAM.
 * @data: copied.
 * @len: of @data.
 * @flags: MSG_DONTWAIT, USTACK_MSG_BATCH or 0.
 * @address: as sendto(2) has it, or NULL.
 * @length: of @address.
 * @said: with control messages; NULL: as the socket says.
 *
 * Return: @len or a negative errno.
 */
us_noinline ssize_t us_dgram_send(struct ustack_socket *s, const void *data, size_t len, int flags,
		      const struct sockaddr *address, socklen_t length,
		      const struct msghdr *said)
{
	struct us_udp_out to = { .segment = s->segment, .more = flags & USTACK_MSG_BATCH };
	struct us_udp_how how;
	struct us_addr remote;
	int given = destination(s, address, length, &remote, &to.port);
	ssize_t n = check(len, flags);

	if (n)
		return n;
	if (given < 0)
		return given;
	if (given)
		to.remote = &remote;
	n = said ? read_control(s, said, &to, &how) : 0;
	n = n ? : autobind(s);
	if (n)
		return n;
	if (us_unlikely((s->shut & US_SHUT_WRITE) || s->error))
		return send_stopped(s, len, &to);
	if (us_unlikely(!data && len))
		return -EFAULT;
	n = us_udp_send(s->udp, data, len, &to);
	if (us_udp_due(s->udp, to.more && n != -EAGAIN))
		us_loop_let_out(s->stack);
	if (n != -EAGAIN)
		return n;
	return send_waiting(s, data, len, flags, address, length, said);
}

/* A datagram that others will follow most often has some before it. */
static ssize_t send_data(struct ustack_socket *s, const void *data, size_t len,
			 int flags, const struct sockaddr *address,
			 socklen_t length)
{
	if (flags == USTACK_MSG_BATCH && !address && s->udp && !s->shut && !s->error && data &&
	    us_udp_send_behind(s->udp, data, len))
		return (ssize_t)len;
	return us_dgram_send(s, data, len, flags, address, length, NULL);
}

static ssize_t pull(struct ustack_socket *s, void *data, size_t len, int flags,
		    struct us_udp_in *from)
{
	ssize_t n = -EAGAIN;

	if (s->error)
		return us_socket_error(s);
	if (s->udp)
		n = us_udp_recv(s->udp, data, len, flags & MSG_PEEK, from);
	if (n > 0 && (size_t)n > len && !(flags & MSG_TRUNC))
		return (ssize_t)len;
	return n;
}

/* Never waits. */
static ssize_t pull_error(struct ustack_socket *s, void *data, size_t len, int flags,
			  struct us_udp_in *from)
{
	ssize_t n = s->udp ? us_udp_recv_error(s->udp, data, len, from) : -EAGAIN;

	return n > (ssize_t)len && !(flags & MSG_TRUNC) ? (ssize_t)len : n;
}

static us_noinline ssize_t recv_waiting(struct ustack_socket *s, void *data, size_t len,
					int flags, struct us_udp_in *from)
{
	us_ns limit = -1;	/* looked for when it is needed */
	ssize_t n;

	if (!data && len)
		return -EFAULT;
	if (flags & MSG_ERRQUEUE)
		return pull_error(s, data, len, flags, from);
	while ((n = pull(s, data, len, flags, from)) == -EAGAIN) {
		if (limit < 0)
			limit = us_socket_limit(s, s->rcvtimeo, flags);
		/* As Linux: that ends waiting only. */
		if (limit && (s->shut & US_SHUT_READ))
			return 0;
		n = us_socket_wait(s, limit);
		if (n)
			break;
	}
	return n;
}

/**
 * us_dgram_recv() - takes a message
 * @s: SOCK_DGRAM.
 * @data: it goes there.
 * @len: of @data.
 * @flags: as recv(2) has them.
 * @from: filled in, if something came; may be NULL.
 *
 * Return: bytes, of the whole message with MSG_TRUNC or MSG_ERRQUEUE, or a negative errno.
 */
ssize_t us_dgram_recv(struct ustack_socket *s, void *data, size_t len, int flags,
		      struct us_udp_in *from)
{
	ssize_t n = -EAGAIN;

	/* Most are in the middle of a train, if there are any. */
	if (!(flags & (MSG_PEEK | MSG_ERRQUEUE)) && s->udp && !s->error && data)
		n = us_udp_recv_behind(s->udp, data, len, from);
	return n != -EAGAIN ? n : recv_waiting(s, data, len, flags, from);
}

static short readiness(struct ustack_socket *s)
{
	short ready = s->udp ? us_udp_poll(s->udp) : POLLOUT | POLLWRNORM;

	if (s->shut & US_SHUT_READ)
		ready |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (s->shut == (US_SHUT_READ | US_SHUT_WRITE))
		ready |= POLLHUP;
	return ready;
}

static int error(struct ustack_socket *s)
{
	return s->udp ? us_udp_error(s->udp) : 0;
}

static void changed(struct ustack_socket *s)
{
	if (s->udp)
		apply(s);
}

/* What was sent is gone; what comes next is told by its length. */
static int queued(struct ustack_socket *s, unsigned long request, int *value)
{
	if (request == SIOCOUTQNSD || request == SIOCATMARK)
		return -ENOTTY;
	*value = request == FIONREAD && s->udp ? (int)us_udp_waiting(s->udp) : 0;
	return 0;
}

static void close_dgram(struct ustack_socket *s)
{
	if (s->udp)
		us_udp_close(s->udp);
}

const struct us_socket_ops us_dgram_ops = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_UDP,
	.bind = bind_port,
	.listen = listen_port,
	.connect = connect_peer,
	.shutdown = shut,
	.send = send_data,
	.recv = us_dgram_recv,
	.names = names,
	.poll = readiness,
	.error = error,
	.changed = changed,
	.queued = queued,
	.close = close_dgram,
};
