// SPDX-License-Identifier: MIT
/* The public socket calls: what holds for sockets of every type. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "socket/socket.h"

#define LISTEN_BACKLOG_MAX	4096
#define TYPE_FLAGS		(SOCK_NONBLOCK | SOCK_CLOEXEC)
/* As net.ipv4.tcp_rmem and tcp_wmem have them after a connection warmed up. */
#define SNDBUF_DEFAULT		(512u << 10)
#define RCVBUF_DEFAULT		(1u << 20)

/**
 * us_socket_return() - what a BSD call returns
 * @result: a negative errno, or what the call is to return.
 *
 * Return: @result; or -1, and errno is set.
 */
ssize_t us_socket_return(ssize_t result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

/**
 * us_socket_new() - a socket, with defaults
 * @stack: has it in its pool.
 * @ops: its type.
 * @family: AF_INET or AF_INET6.
 *
 * Return: the socket; NULL if none is left.
 */
struct ustack_socket *us_socket_new(struct us_stack *stack,
				    const struct us_socket_ops *ops,
				    uint8_t family)
{
	struct ustack_socket *s = us_pool_get(&stack->sockets);

	if (!s)
		return NULL;
	*s = (struct ustack_socket){
		.stack = stack,
		.ops = ops,
		.family = family,
		.fd = -1,
		.linger = -1,
		.rcvtimeo = US_NEVER,
		.sndtimeo = US_NEVER,
		.options = {
			.sndbuf = SNDBUF_DEFAULT,
			.rcvbuf = RCVBUF_DEFAULT,
			.cc = us_tcp_cc_default(stack),
			.max_pacing = US_TCP_PACING_MAX,
			.ecn = stack->ecn,
		},
	};
	return s;
}

/**
 * us_socket_free() - gives a socket back
 * @s: let go of its transport.
 */
void us_socket_free(struct ustack_socket *s)
{
	us_fd_release(s);
	us_unclaim(s);
	us_pool_put(&s->stack->sockets, s);
}

/**
 * us_socket_error() - takes the pending error
 * @s: the socket.
 *
 * Return: a negative errno, or 0.
 */
int us_socket_error(struct ustack_socket *s)
{
	int error = s->error;

	s->error = 0;
	return error ? -error : -s->ops->error(s);
}

/**
 * us_socket_poll() - readiness
 * @s: the socket.
 *
 * Return: POLLIN and so on.
 */
short us_socket_poll(struct ustack_socket *s)
{
	return s->ops->poll(s) | (s->error && !s->listener ? POLLERR : 0) |
	       (us_error_queue_has(s) ? POLLERR : 0);
}

/* As Linux: the type is looked for first, then the protocol among its own. */
static int find_ops(int domain, int type, int protocol,
		    const struct us_socket_ops **ops)
{
	int base = type & ~TYPE_FLAGS;

	if (base < 0 || base > SOCK_PACKET)
		return -EINVAL;
	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if (base == us_stream_ops.type)
		*ops = &us_stream_ops;
	else if (base == us_dgram_ops.type)
		*ops = &us_dgram_ops;
	else
		return -ESOCKTNOSUPPORT;
	if (protocol && protocol != (*ops)->protocol)
		return -EPROTONOSUPPORT;
	return 0;
}

static void set_flags(struct ustack_socket *s, int flags)
{
	s->nonblock = flags & SOCK_NONBLOCK;
	s->cloexec = flags & SOCK_CLOEXEC;
}

struct ustack_socket *ustack_socket(struct ustack *stack, int domain, int type,
				    int protocol)
{
	const struct us_socket_ops *ops;
	struct ustack_socket *s = NULL;
	int err = find_ops(domain, type, protocol, &ops);

	US_CALL((struct us_stack *)stack);
	if (!err) {
		s = us_socket_new((struct us_stack *)stack, ops, domain);
		err = s ? 0 : -EMFILE;
	}
	us_socket_return(err);
	if (s)
		set_flags(s, type);
	return s;
}

/**
 * us_socket_close() - the end of a socket
 * @s: no call is at work on it.
 */
void us_socket_close(struct ustack_socket *s)
{
	struct us_stack *stack = s->stack;

	us_stack_tick(stack);
	us_epoll_forget(s);
	s->ops->close(s);
	us_error_queue_close(s);
	us_socket_free(s);
	us_loop_flush(stack);
}

/**
 * us_socket_hold() - begins a public call on a socket
 * @s: its stack is driven.
 */
us_noinline void us_socket_hold(struct ustack_socket *s)
{
	us_drive_enter(s->stack);
	s->calls++;
}

/**
 * us_socket_let_go() - ends a public call on a socket
 * @s: its stack is driven; gone, if it was closed meanwhile and this was the last call.
 */
us_noinline void us_socket_let_go(struct ustack_socket *s)
{
	struct us_stack *stack = s->stack;

	if (--s->calls == 0 && s->closed)
		us_socket_close(s);
	us_drive_leave(stack);
}

/* As in Linux, a call of another thread that sleeps holds the socket; its number
 * is free at once.
 */
int ustack_close(struct ustack_socket *s)
{
	US_CALL(s->stack);
	us_fd_release(s);
	s->closed = true;
	if (!s->calls)
		us_socket_close(s);
	return 0;
}

/* Links with the kernel's addresses know them better than this stack does. */
static bool address_usable(const struct us_stack *stack, const struct us_addr *addr)
{
	const struct us_link *link;

	if (us_addr_is_any(addr) || us_net_is_local(stack, addr))
		return true;
	cds_list_for_each_entry(link, &stack->links, node)
		if (link->flags & US_LINK_KERNEL_IP)
			return true;
	return false;
}

/* May a socket of that kind have such an address? */
static int check_local(const struct ustack_socket *s, const struct us_addr *local)
{
	bool mapped = s->family == AF_INET6 && us_addr_is_v4(local);

	if (mapped && s->v6only)
		return -EINVAL;
	if (us_addr_is_group(local))
		return s->family == AF_INET || mapped ? -EADDRNOTAVAIL : -EINVAL;
	return address_usable(s->stack, local) ? 0 : us_net_not_local(s->stack, local);
}

static int bind_name(struct ustack_socket *s, const struct sockaddr *address,
		     socklen_t length)
{
	struct us_addr local;
	uint16_t port;
	int err = us_sockaddr_get(address, length, s->family, &local, &port);

	/* IPv4 programs that leave sin_family zero are as old as bind(2). */
	if (err == -EAFNOSUPPORT && s->family == AF_INET &&
	    address->sa_family == AF_UNSPEC && us_addr_is_any(&local))
		err = 0;
	err = err ? : check_local(s, &local);
	err = err ? : s->ops->bind(s, &local, port);
	/* As Linux: an address of IPv6 alone says so. */
	if (!err && us_socket_hears(s, &local) == AF_INET6)
		s->v6only = true;
	return err;
}

int ustack_bind(struct ustack_socket *s, const struct sockaddr *address,
		socklen_t length)
{
	US_SOCKET_CALL(s);
	s->stack->error[0] = '\0';
	return us_socket_return(bind_name(s, address, length));
}

int ustack_listen(struct ustack_socket *s, int backlog)
{
	US_SOCKET_CALL(s);
	/* As Linux: negative is "as many as allowed". */
	if (backlog < 0 || backlog > LISTEN_BACKLOG_MAX)
		backlog = LISTEN_BACKLOG_MAX;
	s->stack->error[0] = '\0';
	return us_socket_return(s->ops->listen(s, backlog, false));
}

int ustack_listen_peer(struct ustack_socket *s)
{
	US_SOCKET_CALL(s);
	s->stack->error[0] = '\0';
	return us_socket_return(s->ops->listen(s, 1, true));
}

int ustack_connect(struct ustack_socket *s, const struct sockaddr *address,
		   socklen_t length)
{
	int err = -EINVAL;

	US_SOCKET_CALL(s);
	us_stack_tick(s->stack);
	s->stack->error[0] = '\0';
	if (!address)
		err = -EFAULT;
	else if (length >= sizeof(address->sa_family))
		err = s->ops->connect(s, address, length);
	us_loop_flush(s->stack);
	return us_socket_return(err);
}

static int accept_child(struct ustack_socket *s, int flags,
			struct ustack_socket **child)
{
	int err;

	if (flags & ~TYPE_FLAGS)
		return -EINVAL;
	if (!s->ops->accept)
		return -EOPNOTSUPP;
	*child = us_socket_new(s->stack, s->ops, s->family);
	if (!*child)
		return -EMFILE;
	err = s->ops->accept(s, *child);
	if (err)
		us_socket_free(*child);
	else
		set_flags(*child, flags);
	return err;
}

struct ustack_socket *ustack_accept(struct ustack_socket *s,
				    struct sockaddr *address,
				    socklen_t *length, int flags)
{
	struct ustack_socket *child;
	struct us_addr peer;
	uint16_t port;
	int err;

	US_SOCKET_CALL(s);
	err = address && !length ? -EFAULT : accept_child(s, flags, &child);
	if (!err && address) {
		err = s->ops->names(child, true, &peer, &port);
		if (!err)
			err = us_sockaddr_put(s->family, &peer, port, address, length);
		if (err)
			us_socket_close(child);
		if (err == -ENOTCONN)
			err = -ECONNABORTED;
	}
	us_socket_return(err);
	return err ? NULL : child;
}

static int get_name(struct ustack_socket *s, bool peer,
		    struct sockaddr *address, socklen_t *length)
{
	struct us_addr addr = { 0 };
	uint16_t port = 0;
	int err = s->ops->names(s, peer, &addr, &port);

	return err ? err : us_sockaddr_put(s->family, &addr, port, address, length);
}

int ustack_getsockname(struct ustack_socket *s, struct sockaddr *address,
		       socklen_t *length)
{
	US_SOCKET_CALL(s);
	return us_socket_return(get_name(s, false, address, length));
}

int ustack_getpeername(struct ustack_socket *s, struct sockaddr *address,
		       socklen_t *length)
{
	US_SOCKET_CALL(s);
	return us_socket_return(get_name(s, true, address, length));
}

int ustack_shutdown(struct ustack_socket *s, int how)
{
	static const uint8_t bits[] = {
		[SHUT_RD] = US_SHUT_READ,
		[SHUT_WR] = US_SHUT_WRITE,
		[SHUT_RDWR] = US_SHUT_READ | US_SHUT_WRITE,
	};
	int err = -EINVAL;

	US_SOCKET_CALL(s);
	us_stack_tick(s->stack);
	if (how >= SHUT_RD && how <= SHUT_RDWR)
		err = s->ops->shutdown(s, bits[how]);
	us_loop_flush(s->stack);
	return us_socket_return(err);
}

ssize_t ustack_sendto(struct ustack_socket *s, const void *data, size_t length,
		      int flags, const struct sockaddr *address,
		      socklen_t address_length)
{
	US_SOCKET_CALL(s);
	return us_socket_return(s->ops->send(s, data, length, flags, address,
					     address_length));
}

ssize_t ustack_send(struct ustack_socket *s, const void *data, size_t length,
		    int flags)
{
	return ustack_sendto(s, data, length, flags, NULL, 0);
}

ssize_t ustack_recvfrom(struct ustack_socket *s, void *data, size_t length,
			int flags, struct sockaddr *address,
			socklen_t *address_length)
{
	struct us_udp_in from;
	ssize_t n;
	int err = 0;

	US_SOCKET_CALL(s);
	if (address && !address_length)
		return us_socket_return(-EFAULT);
	from.remote = (struct us_addr){ 0 };
	n = s->ops->recv(s, data, length, flags, address ? &from : NULL);
	if (n < 0 || !address)
		return us_socket_return(n);
	/* A stream does not name the sender: the length becomes zero.  A datagram may have
	 * no port.
	 */
	if (!us_addr_is_any(&from.remote))
		err = us_sockaddr_put(s->family, &from.remote, from.port, address,
				      address_length);
	else
		*address_length = 0;
	return us_socket_return(err ? err : n);
}

ssize_t ustack_recv(struct ustack_socket *s, void *data, size_t length, int flags)
{
	return ustack_recvfrom(s, data, length, flags, NULL, NULL);
}
