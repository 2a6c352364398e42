// SPDX-License-Identifier: MIT
/* ustack, driven from outside; a new one for each script. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "subject.h"
#include "ustack.h"

static struct ustack *stack;
static struct ustack_link *wire;

static bool start(void)
{
	const struct ustack_config config = {
		.driven = true, .seed = 1, .max_sockets = 16, .max_packets = 2048,
	};
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_addr.s_addr = inet_addr(SUBJECT_ADDRESS) };

	if (!ustack_create(&config, &stack) &&
	    !ustack_link_open(stack, "extern:mtu=1500", &wire) &&
	    !ustack_address_add(stack, wire, (const struct sockaddr *)&name, 24))
		return true;
	printf("# ustack: %s\n", ustack_error(stack));
	return false;
}

static void stop(void)
{
	ustack_destroy(stack);
}

static struct ustack_socket *of(int fd)
{
	return ustack_of_fd(stack, fd);
}

static int number(struct ustack_socket *s)
{
	return s ? ustack_fd(s) : -1;
}

static int new_socket(int domain, int type)
{
	return number(ustack_socket(stack, domain, type | SOCK_NONBLOCK, 0));
}

static int bind_name(int fd, const struct sockaddr *address, socklen_t length)
{
	return ustack_bind(of(fd), address, length);
}

static int connect_peer(int fd, const struct sockaddr *address, socklen_t length)
{
	return ustack_connect(of(fd), address, length);
}

static int listen_port(int fd, int backlog)
{
	return ustack_listen(of(fd), backlog);
}

static int accept_peer(int fd)
{
	return number(ustack_accept(of(fd), NULL, NULL, SOCK_NONBLOCK));
}

static ssize_t send_data(int fd, const void *data, size_t length, int flags)
{
	return ustack_send(of(fd), data, length, flags);
}

static ssize_t recv_data(int fd, void *data, size_t length, int flags)
{
	return ustack_recv(of(fd), data, length, flags);
}

static ssize_t send_message(int fd, const struct msghdr *message, int flags)
{
	return ustack_sendmsg(of(fd), message, flags);
}

static ssize_t recv_message(int fd, struct msghdr *message, int flags)
{
	return ustack_recvmsg(of(fd), message, flags);
}

static int shut(int fd, int how)
{
	return ustack_shutdown(of(fd), how);
}

static int set_option(int fd, int level, int name, const void *value, socklen_t length)
{
	return ustack_setsockopt(of(fd), level, name, value, length);
}

static int get_option(int fd, int level, int name, void *value, socklen_t *length)
{
	return ustack_getsockopt(of(fd), level, name, value, length);
}

static int own_name(int fd, struct sockaddr *address, socklen_t *length)
{
	return ustack_getsockname(of(fd), address, length);
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *length)
{
	return ustack_getpeername(of(fd), address, length);
}

static int control(int fd, unsigned long request, int *value)
{
	return ustack_ioctl(of(fd), request, value);
}

static int close_socket(int fd)
{
	return ustack_close(of(fd));
}

static short readiness(int fd)
{
	struct ustack_pollfd p = { .socket = of(fd),
				   .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	ustack_pollsockets(stack, &p, 1, 0);
	return p.revents;
}

static void inject(const void *packet, size_t length)
{
	int err = ustack_link_inject(wire, packet, length);

	if (err)
		printf("# ustack: a packet was not taken: %d\n", err);
}

static size_t collect(void *packet, size_t size)
{
	ssize_t n = ustack_link_collect(wire, packet, size, NULL);

	return n > 0 ? (size_t)n : 0;
}

static int64_t pass(int64_t ns)
{
	int64_t next = ustack_poll(stack);

	if (next >= 0 && next < ns)
		ns = next;
	ustack_advance(stack, ns);
	return ns;
}

const struct subject subject_ustack = {
	.name = "ustack",
	.start = start,
	.stop = stop,
	.socket = new_socket,
	.bind = bind_name,
	.connect = connect_peer,
	.listen = listen_port,
	.accept = accept_peer,
	.send = send_data,
	.recv = recv_data,
	.sendmsg = send_message,
	.recvmsg = recv_message,
	.shutdown = shut,
	.setsockopt = set_option,
	.getsockopt = get_option,
	.getsockname = own_name,
	.getpeername = peer_name,
	.ioctl = control,
	.close = close_socket,
	.poll = readiness,
	.inject = inject,
	.collect = collect,
	.pass = pass,
};
