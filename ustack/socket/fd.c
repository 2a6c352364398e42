// SPDX-License-Identifier: MIT
/*
 * Sockets as descriptors: numbers among the process's files, fcntl(2), ioctl(2).
 *
 * A number is taken by a file that can do nothing (O_PATH).  So no other file gets
 * it, the limits of the process count, and a call that was meant for the stack and
 * reaches the kernel fails with EBADF.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "socket/socket.h"

#define BUCKETS	1024u

/**
 * struct us_fds - sockets of one stack, by number
 * @bucket: chains of struct ustack_socket.fd_next.
 */
struct us_fds {
	struct ustack_socket *bucket[BUCKETS];
};

static struct ustack_socket **bucket(struct us_stack *stack, int fd)
{
	return &stack->fds->bucket[(unsigned int)fd % BUCKETS];
}

static int take_number(struct ustack_socket *s)
{
	struct us_stack *stack = s->stack;

	if (!stack->fds)
		stack->fds = calloc(1, sizeof(*stack->fds));
	if (!stack->fds)
		return -ENFILE;
	s->fd = open("/", O_PATH | (s->cloexec ? O_CLOEXEC : 0));
	if (s->fd < 0)
		return -errno;
	s->fd_next = *bucket(stack, s->fd);
	*bucket(stack, s->fd) = s;
	return s->fd;
}

int ustack_fd(struct ustack_socket *s)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(s->fd >= 0 ? s->fd : take_number(s));
}

struct ustack_socket *ustack_of_fd(struct ustack *public, int fd)
{
	struct us_stack *stack = (struct us_stack *)public;
	struct ustack_socket *s;

	US_CALL(stack);
	if (fd < 0 || !stack->fds)
		return NULL;
	for (s = *bucket(stack, fd); s && s->fd != fd; s = s->fd_next)
		;
	return s;
}

/**
 * us_fd_release() - gives the number of a socket back
 * @s: may have none.
 */
void us_fd_release(struct ustack_socket *s)
{
	struct ustack_socket **at;

	if (s->fd < 0)
		return;
	for (at = bucket(s->stack, s->fd); *at != s; at = &(*at)->fd_next)
		;
	*at = s->fd_next;
	close(s->fd);
	s->fd = -1;
}

/**
 * us_fd_destroy() - the end of a stack
 * @stack: its numbers are given back.
 */
void us_fd_destroy(struct us_stack *stack)
{
	unsigned int i;

	for (i = 0; stack->fds && i < BUCKETS; i++)
		while (stack->fds->bucket[i])
			us_fd_release(stack->fds->bucket[i]);
	free(stack->fds);
}

static int set_cloexec(struct ustack_socket *s, int arg)
{
	s->cloexec = arg & FD_CLOEXEC;
	return s->fd < 0 ? 0 : fcntl(s->fd, F_SETFD, arg) ? -errno : 0;
}

static int control_file(struct ustack_socket *s, int command, int arg)
{
	switch (command) {
	case F_GETFL:
		return O_RDWR | (s->nonblock ? O_NONBLOCK : 0);
	case F_SETFL:
		s->nonblock = arg & O_NONBLOCK;
		return 0;
	case F_GETFD:
		return s->cloexec ? FD_CLOEXEC : 0;
	case F_SETFD:
		return set_cloexec(s, arg);
	default:
		return -EINVAL;
	}
}

int ustack_fcntl(struct ustack_socket *s, int command, int arg)
{
	US_SOCKET_CALL(s);
	return (int)us_socket_return(control_file(s, command, arg));
}

static int control(struct ustack_socket *s, unsigned long request, int *value)
{
	switch (request) {
	case FIONBIO:
		if (!value)
			return -EFAULT;
		s->nonblock = *value;
		return 0;
	case FIONREAD:
	case TIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		return value ? s->ops->queued(s, request, value) : -EFAULT;
	default:
		return -ENOTTY;
	}
}

int ustack_ioctl(struct ustack_socket *s, unsigned long request, int *value)
{
	US_SOCKET_CALL(s);
	us_stack_tick(s->stack);
	return (int)us_socket_return(control(s, request, value));
}
