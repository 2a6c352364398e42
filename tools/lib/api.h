/* SPDX-License-Identifier: MIT */
/* The socket calls that differ between ustack and the kernel: all else of stack
 * and ksock is the same code, so that both do the same work.
 */
#ifndef TOOLS_API_H
#define TOOLS_API_H

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "job.h"

/**
 * struct api - one implementation of sockets
 * @name: for the summary.
 * @start: makes what sockets need; tells on standard error what is wrong.
 * @stop: undoes start.
 * @socket: NULL and errno, or a socket.
 * @bind: as the others down to @close: the BSD call of the name.
 * @connect: of an address.
 * @listen: for one peer at a time, or with @backlog for any.
 * @accept: NULL and errno, or a socket.
 * @send: on a connected socket.
 * @recvfrom: the address may be NULL.
 * @sendmmsg: as the two below: the calls of the name.
 * @recvmmsg: without a timeout.
 * @reserve: as the three below: the call of ustack; the kernel lends no memory (NULL).
 * @submit: sends what was written in place.
 * @peek: what came, where it lies.
 * @release: it was read.
 * @shutdown: of a connection.
 * @setsockopt: of a socket.
 * @ecn: of a socket: what --ecn says; the kernel has no such option (NULL).
 * @close: of a socket.
 * @watch: a socket belongs to those that @wait waits for: epoll_ctl(2).
 * @wait: epoll_wait(2), for as long as it takes.
 * @pause: lets @ns nanoseconds pass; network traffic goes on.
 * @syscalls: system calls made for the sockets since @start.
 * @why: in words why the last call failed; "" if errno says it all.
 */
struct api {
	const char *name;
	int (*start)(const struct job *job);
	void (*stop)(void);
	void *(*socket)(int domain, int type);
	int (*bind)(void *socket, const struct sockaddr *address, socklen_t length);
	int (*connect)(void *socket, const struct sockaddr *address, socklen_t length);
	int (*listen)(void *socket, int backlog);
	void *(*accept)(void *socket);
	ssize_t (*send)(void *socket, const void *data, size_t len, int flags);
	ssize_t (*recvfrom)(void *socket, void *data, size_t len, int flags,
			    struct sockaddr *address, socklen_t *length);
	int (*sendmmsg)(void *socket, struct mmsghdr *messages, unsigned int count,
			int flags);
	int (*recvmmsg)(void *socket, struct mmsghdr *messages, unsigned int count,
			int flags);
	void *(*reserve)(void *socket, size_t *len, int flags);
	int (*submit)(void *socket, size_t len, int flags);
	int (*peek)(void *socket, struct iovec *pieces, int count, int flags);
	int (*release)(void *socket, size_t len);
	int (*shutdown)(void *socket, int how);
	int (*setsockopt)(void *socket, int level, int name, const void *value,
			  socklen_t length);
	int (*ecn)(void *socket, const char *mode);
	void (*close)(void *socket);
	int (*watch)(void *socket, struct epoll_event *event);
	int (*wait)(struct epoll_event *events, int count);
	void (*pause)(int64_t ns);
	uint64_t (*syscalls)(void);
	const char *(*why)(void);
};

extern const struct api api_ustack;
extern const struct api api_kernel;

/**
 * api_kernel_fd() - the descriptor of a socket
 * @socket: of api_kernel, whose descriptor it stays.
 *
 * Return: the descriptor.
 */
int api_kernel_fd(void *socket);

#endif /* TOOLS_API_H */
