// SPDX-License-Identifier: MIT
/* sendmsg(2) and its kin: bytes in pieces, with control messages, and many messages at once. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "socket/socket.h"

#define PIECES	IOV_MAX

static bool is_stream(const struct ustack_socket *s)
{
	return s->ops == &us_stream_ops;
}

/* Bytes of all pieces; what is more than a datagram may have is refused later. */
static ssize_t whole(const struct msghdr *message)
{
	size_t len = 0;

	if (message->msg_iovlen > PIECES)
		return -EMSGSIZE;
	for (size_t i = 0; i < message->msg_iovlen; i++)
		if (__builtin_add_overflow(len, message->msg_iov[i].iov_len, &len) ||
		    len > SSIZE_MAX)
			return -EINVAL;
	return (ssize_t)len;
}

/* As in Linux, none if it has no length; sendto(2) is stricter. */
static const struct sockaddr *name_of(const struct msghdr *message)
{
	return message->msg_namelen ? message->msg_name : NULL;
}

static us_noinline ssize_t send_pieces(struct ustack_socket *s, const struct msghdr *m,
				       size_t len, int flags, const struct msghdr *said)
{
	uint8_t data[UINT16_MAX];
	size_t at = 0;

	if (len > sizeof(data))
		return -EMSGSIZE;
	for (size_t i = 0; i < m->msg_iovlen; i++) {
		if (m->msg_iov[i].iov_len)
			memcpy(data + at, m->msg_iov[i].iov_base, m->msg_iov[i].iov_len);
		at += m->msg_iov[i].iov_len;
	}
	return us_dgram_send(s, data, len, flags, name_of(m), m->msg_namelen, said);
}

/* In pieces, or with control messages. */
static us_noinline ssize_t send_dgram(struct ustack_socket *s, const struct msghdr *m,
				      size_t len, int flags)
{
	const struct msghdr *said = m->msg_control && m->msg_controllen ? m : NULL;

	if (m->msg_iovlen != 1)
		return send_pieces(s, m, len, flags, said);
	return us_dgram_send(s, m->msg_iov->iov_base, len, flags, name_of(m), m->msg_namelen,
			     said);
}

static us_noinline ssize_t send_stream(struct ustack_socket *s, const struct msghdr *m,
				       size_t len, int flags)
{
	const struct us_pieces from = { m->msg_iov, m->msg_iovlen, len };
	ssize_t err;

	if (us_control_is_valid(m))
		return us_stream_send(s, &from, flags, name_of(m), m->msg_namelen);
	/* What is wrong with the connection is told first. */
	err = s->ops->send(s, NULL, 0, flags, name_of(m), m->msg_namelen);
	return err ? err : -EINVAL;
}

static ssize_t send_one(struct ustack_socket *s, const struct msghdr *m, int flags)
{
	ssize_t len = whole(m);

	if (len < 0)
		return len;
	if (m->msg_iovlen == 1 && !m->msg_control)
		return s->ops->send(s, m->msg_iov->iov_base, (size_t)len, flags,
				    name_of(m), m->msg_namelen);
	return is_stream(s) ? send_stream(s, m, (size_t)len, flags) :
			      send_dgram(s, m, (size_t)len, flags);
}

/* What came, of @len bytes at most, into the pieces. */
static void scatter(const struct msghdr *m, const uint8_t *data, size_t len)
{
	for (size_t i = 0; len && i < m->msg_iovlen; i++) {
		size_t part = m->msg_iov[i].iov_len < len ? m->msg_iov[i].iov_len : len;

		if (part)
			memcpy(m->msg_iov[i].iov_base, data, part);
		data += part;
		len -= part;
	}
}

static us_noinline ssize_t recv_pieces(struct ustack_socket *s, const struct msghdr *m,
				       size_t len, int flags, struct us_udp_in *from)
{
	uint8_t data[UINT16_MAX];
	ssize_t n;

	if (len > sizeof(data))
		len = sizeof(data);
	n = us_dgram_recv(s, data, len, flags, from);
	if (n > 0)
		scatter(m, data, (size_t)n < len ? (size_t)n : len);
	return n;
}

static int write_name(const struct ustack_socket *s, struct msghdr *m,
		      const struct us_udp_in *from)
{
	if (!m->msg_name)
		return 0;
	if (us_addr_is_any(&from->remote)) {
		m->msg_namelen = 0;
		return 0;
	}
	return us_sockaddr_put(s->family, &from->remote, from->port, m->msg_name,
			       &m->msg_namelen);
}

/* What came is told of as the socket's options say. */
static void write_control(const struct ustack_socket *s, struct msghdr *m, int flags,
			  const struct us_udp_in *from)
{
	if (us_unlikely(flags & MSG_ERRQUEUE)) {
		m->msg_flags |= MSG_ERRQUEUE;
		us_control_write_refusal(s, m, from);
	} else if (us_unlikely(from->segment || s->tells)) {
		us_control_write(s, m, from);
	} else {
		m->msg_controllen = 0;
	}
}

static ssize_t recv_dgram(struct ustack_socket *s, struct msghdr *m, ssize_t len, int flags)
{
	struct us_udp_in from = { .segment = 0 };
	ssize_t n;
	int err;

	if (m->msg_iovlen == 1)
		n = us_dgram_recv(s, m->msg_iov->iov_base, (size_t)len,
				  flags | MSG_TRUNC, &from);
	else
		n = recv_pieces(s, m, (size_t)len, flags | MSG_TRUNC, &from);
	if (n < 0)
		return n;
	m->msg_flags = n > len ? MSG_TRUNC : 0;
	write_control(s, m, flags, &from);
	err = write_name(s, m, &from);
	if (err)
		return err;
	return n > len && !(flags & MSG_TRUNC) ? len : n;
}

/* @told: set to the flags of the message, if there is a byte. */
static ssize_t recv_urgent(struct ustack_socket *s, const struct msghdr *m, size_t len,
			   int flags, int *told)
{
	uint8_t byte;
	ssize_t n = s->ops->recv(s, &byte, 1, flags, NULL);

	if (n <= 0)
		return n;
	*told = len ? MSG_OOB : MSG_OOB | MSG_TRUNC;
	if (!(flags & MSG_TRUNC))
		scatter(m, &byte, 1);
	return len ? 1 : 0;
}

static ssize_t recv_error(struct ustack_socket *s, struct msghdr *m)
{
	struct sock_extended_err error;

	if (!us_error_queue_take(s, &error))
		return -EAGAIN;
	m->msg_flags = MSG_ERRQUEUE;
	us_control_write_error(s, m, &error);
	m->msg_namelen = m->msg_name ? 0 : m->msg_namelen;
	return 0;
}

static us_noinline void write_inq(const struct ustack_socket *s, struct msghdr *m)
{
	size_t room = m->msg_control ? m->msg_controllen : 0;
	int inq = s->tcp ? us_tcp_inq(s->tcp) : 0;

	m->msg_controllen = 0;
	us_control_put(m, room, IPPROTO_TCP, TCP_CM_INQ, &inq, sizeof(inq));
}

/* Nobody is named. */
static us_noinline ssize_t recv_stream(struct ustack_socket *s, struct msghdr *m, size_t len,
				       int flags)
{
	const struct us_pieces to = { m->msg_iov, m->msg_iovlen, len };
	int told = 0;
	ssize_t n;

	if (flags & MSG_ERRQUEUE)
		return recv_error(s, m);
	if (flags & MSG_OOB)
		n = recv_urgent(s, m, len, flags, &told);
	else if (to.count == 1)
		n = s->ops->recv(s, to.iov->iov_base, len, flags, NULL);
	else
		n = us_stream_recv(s, &to, flags);
	if (n < 0)
		return n;
	if (m->msg_name)
		m->msg_namelen = 0;
	m->msg_flags = told;
	if (us_unlikely(s->options.inq))
		write_inq(s, m);
	else
		m->msg_controllen = 0;
	return n;
}

static ssize_t recv_one(struct ustack_socket *s, struct msghdr *m, int flags)
{
	ssize_t len = whole(m);

	if (len < 0)
		return len;
	return is_stream(s) ? recv_stream(s, m, (size_t)len, flags) :
			      recv_dgram(s, m, len, flags);
}

ssize_t ustack_sendmsg(struct ustack_socket *s, const struct msghdr *message, int flags)
{
	US_SOCKET_CALL(s);
	return us_socket_return(send_one(s, message, flags));
}

ssize_t ustack_recvmsg(struct ustack_socket *s, struct msghdr *message, int flags)
{
	US_SOCKET_CALL(s);
	return us_socket_return(recv_one(s, message, flags));
}

/* All but the last wait for it, unless the caller has more.  One of a stream that was sent
 * in part is the last.
 */
static ssize_t send_all(struct ustack_socket *s, struct mmsghdr *messages,
			unsigned int count, int flags)
{
	bool part = false;
	ssize_t n = 0;
	unsigned int i;

	for (i = 0; i < count && !part; i++) {
		n = send_one(s, &messages[i].msg_hdr,
			     i + 1 < count ? flags | USTACK_MSG_BATCH : flags);
		if (n < 0)
			break;
		messages[i].msg_len = (unsigned int)n;
		part = is_stream(s) && n < whole(&messages[i].msg_hdr);
	}
	if (n < 0 || part)
		us_loop_let_out(s->stack);
	return i ? (ssize_t)i : n;
}

int ustack_sendmmsg(struct ustack_socket *s, struct mmsghdr *messages,
		    unsigned int count, int flags)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(send_all(s, messages, count, flags));
}

/* As in Linux, an error that is pending comes before bytes that are there, one behind what
 * came is for the next call, and nothing comes behind an urgent byte.
 */
static ssize_t recv_all(struct ustack_socket *s, struct mmsghdr *messages,
			unsigned int count, int flags)
{
	ssize_t n = is_stream(s) && !(flags & MSG_ERRQUEUE) ? us_socket_error(s) : 0;
	unsigned int i;

	if (n)
		return n;
	for (i = 0; i < count; i++) {
		n = recv_one(s, &messages[i].msg_hdr, flags & ~MSG_WAITFORONE);
		if (n < 0)
			break;
		messages[i].msg_len = (unsigned int)n;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (messages[i].msg_hdr.msg_flags & MSG_OOB)
			count = i + 1;
	}
	if (!i)
		return n;
	if (n < 0 && n != -EAGAIN && n != -EINTR && n != -EDEADLK) {
		s->error = (int)-n;
		us_socket_event(s);
	}
	return i;
}

int ustack_recvmmsg(struct ustack_socket *s, struct mmsghdr *messages,
		    unsigned int count, int flags)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(recv_all(s, messages, count, flags));
}
