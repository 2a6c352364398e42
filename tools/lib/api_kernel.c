// SPDX-License-Identifier: MIT
/* The kernel's sockets: each call is a system call, and counted. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "api.h"

static uint64_t calls;
static int set = -1;

/* A socket is a pointer here; descriptor 0 must not be NULL. */
static void *handle(int fd)
{
	return fd < 0 ? NULL : (void *)(intptr_t)(fd + 1);
}

int api_kernel_fd(void *socket)
{
	return (intptr_t)socket - 1;
}

static int start(const struct job *job)
{
	(void)job;
	return 0;
}

static void stop(void)
{
}

static void *new_socket(int domain, int type)
{
	int one = 1, fd = socket(domain, type, 0);

	calls++;
	/* What ustack does without being asked: a port is free again at once. */
	if (fd >= 0 && (type & ~SOCK_NONBLOCK) == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return handle(fd);
}

static int bind_name(void *socket, const struct sockaddr *address, socklen_t length)
{
	calls++;
	return bind(api_kernel_fd(socket), address, length);
}

static int connect_peer(void *socket, const struct sockaddr *address, socklen_t length)
{
	calls++;
	return connect(api_kernel_fd(socket), address, length);
}

static int listen_peer(void *socket, int backlog)
{
	int type;
	socklen_t length = sizeof(type);

	if (getsockopt(api_kernel_fd(socket), SOL_SOCKET, SO_TYPE, &type, &length))
		return -1;
	calls++;
	return type == SOCK_STREAM ? listen(api_kernel_fd(socket), backlog ? backlog : 1) : 0;
}

static void *accept_peer(void *socket)
{
	calls++;
	return handle(accept(api_kernel_fd(socket), NULL, NULL));
}

static ssize_t send_data(void *socket, const void *data, size_t len, int flags)
{
	calls++;
	return send(api_kernel_fd(socket), data, len, flags | MSG_NOSIGNAL);
}

static ssize_t recv_data(void *socket, void *data, size_t len, int flags,
			 struct sockaddr *address, socklen_t *length)
{
	calls++;
	return recvfrom(api_kernel_fd(socket), data, len, flags, address, length);
}

static int send_many(void *socket, struct mmsghdr *messages, unsigned int count, int flags)
{
	calls++;
	return sendmmsg(api_kernel_fd(socket), messages, count, flags | MSG_NOSIGNAL);
}

static int recv_many(void *socket, struct mmsghdr *messages, unsigned int count, int flags)
{
	calls++;
	return recvmmsg(api_kernel_fd(socket), messages, count, flags, NULL);
}

static int shut(void *socket, int how)
{
	calls++;
	return shutdown(api_kernel_fd(socket), how);
}

static int set_option(void *socket, int level, int name, const void *value,
		      socklen_t length)
{
	calls++;
	return setsockopt(api_kernel_fd(socket), level, name, value, length);
}

static void close_socket(void *socket)
{
	calls++;
	close(api_kernel_fd(socket));
}

static int watch(void *socket, struct epoll_event *event)
{
	if (set < 0)
		set = epoll_create1(EPOLL_CLOEXEC);
	calls++;
	return epoll_ctl(set, EPOLL_CTL_ADD, api_kernel_fd(socket), event);
}

static int wait_ready(struct epoll_event *events, int count)
{
	calls++;
	return epoll_wait(set, events, count, -1);
}

static void let_pass(int64_t ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&ts, NULL);
}

static uint64_t syscalls(void)
{
	return calls;
}

static const char *why(void)
{
	return "";
}

const struct api api_kernel = {
	.name = "kernel",
	.start = start,
	.stop = stop,
	.socket = new_socket,
	.bind = bind_name,
	.connect = connect_peer,
	.listen = listen_peer,
	.accept = accept_peer,
	.send = send_data,
	.recvfrom = recv_data,
	.sendmmsg = send_many,
	.recvmmsg = recv_many,
	.shutdown = shut,
	.setsockopt = set_option,
	.close = close_socket,
	.watch = watch,
	.wait = wait_ready,
	.pause = let_pass,
	.syscalls = syscalls,
	.why = why,
};
