/* SPDX-License-Identifier: MIT */
/* What is compared: one TCP with its socket calls, its end of a wire, and its time. */
#ifndef SELFTESTS_DIFFERENTIAL_SUBJECT_H
#define SELFTESTS_DIFFERENTIAL_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define SUBJECT_ADDRESS	"192.0.2.1"
#define PEER_ADDRESS	"192.0.2.2"

/**
 * struct subject - an implementation of TCP and UDP
 * @name: for what is printed.
 * @start: before a script; true if that worked, else it has told why.
 * @stop: after it.
 * @socket: as the others down to @close: the BSD call of the name, by descriptors;
 *	it does not block.
 * @bind: an address and a port.
 * @connect: to an address.
 * @listen: at what was bound.
 * @accept: a socket that does not block.
 * @send: no signal is raised.
 * @recv: bytes.
 * @sendmsg: a message; no signal is raised.
 * @recvmsg: a message.
 * @shutdown: a direction or both.
 * @setsockopt: an option.
 * @getsockopt: an option.
 * @getsockname: its own end.
 * @getpeername: the other end.
 * @ioctl: of an int.
 * @close: a socket.
 * @poll: revents of a socket.
 * @inject: gives it an IP packet.
 * @collect: takes an IP packet that it sent; 0: there is none.
 * @pass: lets time pass until it may have sent something, but no more than so many
 *	nanoseconds; tells how many passed.
 */
struct subject {
	const char *name;
	bool (*start)(void);
	void (*stop)(void);
	int (*socket)(int domain, int type);
	int (*bind)(int fd, const struct sockaddr *address, socklen_t length);
	int (*connect)(int fd, const struct sockaddr *address, socklen_t length);
	int (*listen)(int fd, int backlog);
	int (*accept)(int fd);
	ssize_t (*send)(int fd, const void *data, size_t length, int flags);
	ssize_t (*recv)(int fd, void *data, size_t length, int flags);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
	int (*shutdown)(int fd, int how);
	int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t length);
	int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *length);
	int (*getsockname)(int fd, struct sockaddr *address, socklen_t *length);
	int (*getpeername)(int fd, struct sockaddr *address, socklen_t *length);
	int (*ioctl)(int fd, unsigned long request, int *value);
	int (*close)(int fd);
	short (*poll)(int fd);
	void (*inject)(const void *packet, size_t length);
	size_t (*collect)(void *packet, size_t size);
	int64_t (*pass)(int64_t ns);
};

extern const struct subject subject_kernel;
extern const struct subject subject_ustack;

#endif /* SELFTESTS_DIFFERENTIAL_SUBJECT_H */
