// SPDX-License-Identifier: MIT
/* Control messages of sendmsg(2) and recvmsg(2). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/time.h>

#include "socket/socket.h"

static bool fits(const struct msghdr *message, const struct cmsghdr *c)
{
	size_t left = message->msg_controllen -
		      (size_t)((const char *)c - (const char *)message->msg_control);

	return c->cmsg_len >= sizeof(*c) && c->cmsg_len <= left;
}

/* Linux has some of SOL_SOCKET for every type of socket; these two say nothing here. */
static bool says_nothing(const struct cmsghdr *c)
{
	return c->cmsg_type == SCM_RIGHTS || c->cmsg_type == SCM_CREDENTIALS;
}

/**
 * us_control_is_valid() - may they go with bytes of a stream?
 * @message: with them, or none.
 *
 * As Linux: those of other levels, and for other types of sockets, are passed over.
 * Return: false: EINVAL.
 */
bool us_control_is_valid(const struct msghdr *message)
{
	struct msghdr *m = (struct msghdr *)message;	/* which CMSG_NXTHDR() only reads */
	struct cmsghdr *c;

	if (!message->msg_control)
		return true;
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (!fits(m, c) || (c->cmsg_level == SOL_SOCKET && !says_nothing(c)))
			return false;
	return true;
}

/* An int from @least to @most. */
static int number(const struct cmsghdr *c, int least, int most, int *value)
{
	if (c->cmsg_len != CMSG_LEN(sizeof(*value)))
		return -EINVAL;
	memcpy(value, CMSG_DATA(c), sizeof(*value));
	return *value < least || *value > most ? -EINVAL : 0;
}

static int read_segment(const struct cmsghdr *c, struct us_udp_how *how)
{
	if (c->cmsg_type != UDP_SEGMENT || c->cmsg_len != CMSG_LEN(sizeof(how->segment)))
		return -EINVAL;
	memcpy(&how->segment, CMSG_DATA(c), sizeof(how->segment));
	return 0;
}

/* An int, or the byte that recvmsg(2) gives. */
static int read_tos(const struct cmsghdr *c, struct us_udp_how *how)
{
	int value, err = 0;

	if (c->cmsg_len == CMSG_LEN(1))
		value = *CMSG_DATA(c);
	else
		err = number(c, 0, UINT8_MAX, &value);
	if (err)
		return err;
	how->tos = (uint8_t)value;
	how->has_tos = true;
	return 0;
}

/* -1 is as the socket has it. */
static int read_tclass(const struct cmsghdr *c, struct us_udp_how *how)
{
	int value, err = number(c, -1, UINT8_MAX, &value);

	if (err)
		return err;
	how->tos = (uint8_t)value;
	how->has_tos = value >= 0;
	return 0;
}

static int read_ttl(const struct cmsghdr *c, struct us_udp_how *how)
{
	int value, err = number(c, 1, UINT8_MAX, &value);

	if (!err)
		how->ttl = (uint8_t)value;
	return err;
}

/* -1 is as the socket has it; 0, with which nothing arrives, is not taken. */
static int read_hop_limit(const struct cmsghdr *c, struct us_udp_how *how)
{
	int value, err = number(c, -1, UINT8_MAX, &value);

	if (err || !value)
		return -EINVAL;
	how->ttl = value < 0 ? 0 : (uint8_t)value;
	return 0;
}

/* As Linux: of several that say where to send from, the last that names an address counts, and
 * the last that names a device; but IP_PKTINFO says with every address, all zero too, which.
 */
static int read_source4(const struct cmsghdr *c, struct us_udp_how *how)
{
	struct in_pktinfo info;

	if (c->cmsg_len != CMSG_LEN(sizeof(info)))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	how->local = us_addr_from4((const uint8_t *)&info.ipi_spec_dst);
	if (info.ipi_ifindex)
		how->ifindex = (uint32_t)info.ipi_ifindex;
	return 0;
}

/* Two devices contradict each other. */
static int read_source6(const struct cmsghdr *c, struct us_udp_how *how)
{
	struct in6_pktinfo info;

	if (c->cmsg_len < CMSG_LEN(sizeof(info)))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (info.ipi6_ifindex && how->ifindex && info.ipi6_ifindex != how->ifindex)
		return -EINVAL;
	if (info.ipi6_ifindex)
		how->ifindex = info.ipi6_ifindex;
	if (!IN6_IS_ADDR_UNSPECIFIED(&info.ipi6_addr))
		how->local = us_addr_from6(info.ipi6_addr.s6_addr);
	return 0;
}

/* Of IPv4, from a socket of AF_INET6: of that level this alone is heeded then. */
static int read_source_mapped(const struct cmsghdr *c, struct us_udp_how *how)
{
	int err = read_source6(c, how);

	return err || us_addr_is_v4(&how->local) ? err : -EINVAL;
}

static int read_ip4(const struct cmsghdr *c, struct us_udp_how *how)
{
	switch (c->cmsg_type) {
	case IP_TOS:
		return read_tos(c, how);
	case IP_TTL:
		return read_ttl(c, how);
	case IP_PKTINFO:
		return read_source4(c, how);
	default:
		return -EINVAL;
	}
}

static int read_ip6(const struct cmsghdr *c, struct us_udp_how *how)
{
	switch (c->cmsg_type) {
	case IPV6_TCLASS:
		return read_tclass(c, how);
	case IPV6_HOPLIMIT:
		return read_hop_limit(c, how);
	case IPV6_PKTINFO:
		return read_source6(c, how);
	default:
		return -EINVAL;
	}
}

/* @family: of the destination. */
static int read_one(const struct ustack_socket *s, uint8_t family, const struct cmsghdr *c,
		    struct us_udp_how *how)
{
	if (c->cmsg_level == IPPROTO_UDP)
		return read_segment(c, how);
	if (c->cmsg_level == SOL_SOCKET)
		return says_nothing(c) ? 0 : -EINVAL;
	if (c->cmsg_level == IPPROTO_IP && family == AF_INET)
		return read_ip4(c, how);
	if (c->cmsg_level == IPPROTO_IPV6 && family == AF_INET6)
		return read_ip6(c, how);
	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
	    s->family == AF_INET6)
		return read_source_mapped(c, how);
	return 0;	/* as Linux: of the other family, too */
}

/**
 * us_control_read() - what the control messages say of a datagram
 * @s: SOCK_DGRAM.
 * @message: with them.
 * @family: of the destination.
 * @how: set, to what the socket says where they do not.
 *
 * Return: 0, -EINVAL.
 */
int us_control_read(const struct ustack_socket *s, const struct msghdr *message,
		    uint8_t family, struct us_udp_how *how)
{
	struct msghdr *m = (struct msghdr *)message;	/* which CMSG_NXTHDR() only reads */
	struct cmsghdr *c;
	int err;

	*how = (struct us_udp_how){ .segment = s->segment };
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		err = fits(m, c) ? read_one(s, family, c, how) : -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

/**
 * us_control_put() - adds a control message, or as much of it as there is room for
 * @message: msg_controllen bytes of it are written.
 * @room: bytes that may be.
 * @level: of the control message.
 * @type: of it.
 * @data: what it says.
 * @size: of @data.
 *
 * As put_cmsg() of Linux: MSG_CTRUNC tells that something is missing.
 */
void us_control_put(struct msghdr *message, size_t room, int level, int type,
		    const void *data, size_t size)
{
	struct cmsghdr *c = (void *)((char *)message->msg_control + message->msg_controllen);
	size_t left = room - message->msg_controllen, len = CMSG_LEN(size);

	if (left < len) {
		message->msg_flags |= MSG_CTRUNC;
		len = left;
	}
	if (left < sizeof(*c))
		return;
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = len;
	memcpy(CMSG_DATA(c), data, len - sizeof(*c));
	message->msg_controllen += left < CMSG_SPACE(size) ? left : CMSG_SPACE(size);
}

static void put_number(struct msghdr *m, size_t room, int level, int type, int value)
{
	us_control_put(m, room, level, type, &value, sizeof(value));
}

static void put_time(struct msghdr *m, size_t room, us_ns time, bool nsec)
{
	struct timespec ts = { time / US_SEC, time % US_SEC };
	struct timeval tv = { ts.tv_sec, ts.tv_nsec / US_USEC };

	if (nsec)
		us_control_put(m, room, SOL_SOCKET, SO_TIMESTAMPNS, &ts, sizeof(ts));
	else
		us_control_put(m, room, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv));
}

static void put_address4(struct msghdr *m, size_t room, const struct us_udp_told *told)
{
	struct in_pktinfo info = { .ipi_ifindex = (int)told->ifindex };

	memcpy(&info.ipi_spec_dst, &told->local.w[3], sizeof(info.ipi_spec_dst));
	info.ipi_addr = info.ipi_spec_dst;
	us_control_put(m, room, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void put_address6(struct msghdr *m, size_t room, const struct us_udp_told *told)
{
	struct in6_pktinfo info = { .ipi6_ifindex = told->ifindex };

	memcpy(&info.ipi6_addr, told->local.b, sizeof(info.ipi6_addr));
	us_control_put(m, room, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

/* The TOS of IPv4 is a byte. */
static void write_ip4(const struct ustack_socket *s, struct msghdr *m, size_t room,
		      const struct us_udp_told *told)
{
	if (s->tells & US_TELL_ADDRESS)
		put_address4(m, room, told);
	if (s->tells & US_TELL_TTL)
		put_number(m, room, IPPROTO_IP, IP_TTL, told->ttl);
	if (s->tells & US_TELL_TOS)
		us_control_put(m, room, IPPROTO_IP, IP_TOS, &told->tos, sizeof(told->tos));
}

static void write_ip6(const struct ustack_socket *s, struct msghdr *m, size_t room,
		      const struct us_udp_told *told)
{
	if (s->tells & US_TELL_HOP_LIMIT)
		put_number(m, room, IPPROTO_IPV6, IPV6_HOPLIMIT, told->ttl);
	if (s->tells & US_TELL_TCLASS)
		put_number(m, room, IPPROTO_IPV6, IPV6_TCLASS, told->tos);
}

static void write_ip(const struct ustack_socket *s, struct msghdr *m, size_t room,
		     const struct us_udp_told *told)
{
	if (s->tells & US_TELL_ADDRESS6)
		put_address6(m, room, told);
	if (us_addr_is_v4(&told->local))
		write_ip4(s, m, room, told);
	else
		write_ip6(s, m, room, told);
}

/* What was not stamped when it came is now, as in Linux. */
static void write_time(const struct ustack_socket *s, struct msghdr *m, size_t room, us_ns time)
{
	if (s->tells & US_TELL_TIME)
		put_time(m, room, time ? time : us_stack_real_time(s->stack),
			 s->tells & US_TELL_NSEC);
}

/**
 * us_control_write() - tells what the socket is to tell of a datagram
 * @s: SOCK_DGRAM.
 * @message: its control messages are written, in Linux's order.
 * @from: what came.
 */
void us_control_write(const struct ustack_socket *s, struct msghdr *message,
		      const struct us_udp_in *from)
{
	size_t room = message->msg_control ? message->msg_controllen : 0;
	const struct us_udp_told *told = &from->told;

	message->msg_controllen = 0;
	if (us_addr_is_any(&from->remote))
		return;		/* nothing came: the socket was shut */
	write_time(s, message, room, told->time);
	if ((s->tells & US_TELL_LOST) && told->lost)
		us_control_put(message, room, SOL_SOCKET, SO_RXQ_OVFL, &told->lost,
			       sizeof(told->lost));
	if (from->segment)	/* the size of the datagrams of what came */
		put_number(message, room, IPPROTO_UDP, UDP_GRO, from->segment);
	write_ip(s, message, room, told);
}

static void put_error(const struct ustack_socket *s, struct msghdr *m, size_t room,
		      const struct sock_extended_err *error, const struct us_addr *offender)
{
	bool v4 = s->family == AF_INET;
	struct {
		struct sock_extended_err error;
		struct sockaddr_in6 offender;
	} told = { .error = *error };
	socklen_t len = v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	if (offender && !us_addr_is_any(offender))
		us_sockaddr_put(s->family, offender, 0, (void *)&told.offender, &len);
	us_control_put(m, room, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR,
		       &told, sizeof(told.error) + len);
}

/**
 * us_control_write_error() - tells of a record of the error queue
 * @s: the socket.
 * @message: its one control message is written.
 * @error: the record.
 */
void us_control_write_error(const struct ustack_socket *s, struct msghdr *message,
			    const struct sock_extended_err *error)
{
	size_t room = message->msg_control ? message->msg_controllen : 0;

	message->msg_controllen = 0;
	put_error(s, message, room, error, NULL);
}

/**
 * us_control_write_refusal() - tells of a datagram that did not arrive
 * @s: SOCK_DGRAM.
 * @message: its control messages are written, in Linux's order: first what the socket is to
 *	tell, of the packet that says so.
 * @from: what became of it.
 */
void us_control_write_refusal(const struct ustack_socket *s, struct msghdr *message,
			      const struct us_udp_in *from)
{
	size_t room = message->msg_control ? message->msg_controllen : 0;
	const struct us_udp_refusal *r = &from->refusal;
	uint8_t icmp = us_addr_is_v4(&from->remote) ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
	const struct sock_extended_err error = {
		.ee_errno = r->err, .ee_origin = r->local ? SO_EE_ORIGIN_LOCAL : icmp,
		.ee_type = r->type, .ee_code = r->code, .ee_info = r->mtu,
	};

	message->msg_controllen = 0;
	write_time(s, message, room, from->told.time);
	if (!r->local)
		write_ip(s, message, room, &from->told);
	put_error(s, message, room, &error, &r->offender);
}
