// SPDX-License-Identifier: MIT
/* The kernel's TCP, in a network namespace whose wire is a TUN device.  One for all
 * scripts: each has a port of its own, and its own peer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "subject.h"

static int wire = -1;

/* An address, and up. */
static bool configure(struct ifreq *r)
{
	struct sockaddr_in *name = (struct sockaddr_in *)&r->ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	*name = (struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_addr.s_addr = inet_addr(SUBJECT_ADDRESS) };
	good = !ioctl(fd, SIOCSIFADDR, r);
	name->sin_addr.s_addr = inet_addr("255.255.255.0");
	good = good && !ioctl(fd, SIOCSIFNETMASK, r);
	r->ifr_flags = IFF_UP;
	good = good && !ioctl(fd, SIOCSIFFLAGS, r);
	close(fd);
	return good;
}

static bool set_sysctl(const char *name, const char *value)
{
	char path[128];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, value, strlen(value)) > 0;
	close(fd);
	return good;
}

/* No script learns from the one before it; and what ustack does by itself. */
static bool forget(void)
{
	return set_sysctl("tcp_no_metrics_save", "1") &&
	       set_sysctl("tcp_syn_retries", "7") && set_sysctl("tcp_rfc1337", "1") &&
	       set_sysctl("icmp_ratelimit", "0");
}

static bool start(void)
{
	struct ifreq r = { .ifr_name = "wire", .ifr_flags = IFF_TUN | IFF_NO_PI };

	if (wire >= 0)
		return set_sysctl("route/flush", "1");	/* and what is known of paths */
	if (!unshare(CLONE_NEWNET))
		wire = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (wire >= 0 && !ioctl(wire, TUNSETIFF, &r) && configure(&r) && forget())
		return true;
	printf("# kernel: no namespace with a TUN device: %s\n", strerror(errno));
	return false;
}

static void stop(void)
{
}

static int new_socket(int domain, int type)
{
	return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* glibc's own declarations take a union of pointers. */
static int bind_name(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind(fd, address, length);
}

static int connect_peer(int fd, const struct sockaddr *address, socklen_t length)
{
	return connect(fd, address, length);
}

static int own_name(int fd, struct sockaddr *address, socklen_t *length)
{
	return getsockname(fd, address, length);
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *length)
{
	return getpeername(fd, address, length);
}

static int accept_peer(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static ssize_t send_data(int fd, const void *data, size_t length, int flags)
{
	return send(fd, data, length, flags | MSG_NOSIGNAL);
}

static ssize_t send_message(int fd, const struct msghdr *message, int flags)
{
	return sendmsg(fd, message, flags | MSG_NOSIGNAL);
}

static int control(int fd, unsigned long request, int *value)
{
	return ioctl(fd, request, value);
}

static short readiness(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	poll(&p, 1, 0);
	return p.revents;
}

static void inject(const void *packet, size_t length)
{
	if (write(wire, packet, length) != (ssize_t)length)
		printf("# kernel: a packet was not taken: %s\n", strerror(errno));
}

static size_t collect(void *packet, size_t size)
{
	ssize_t n = read(wire, packet, size);

	return n > 0 ? (size_t)n : 0;
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int64_t pass(int64_t ns)
{
	struct timespec limit = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	struct pollfd p = { .fd = wire, .events = POLLIN };
	int64_t begin = now();

	ppoll(&p, 1, &limit, NULL);
	return now() - begin;
}

const struct subject subject_kernel = {
	.name = "kernel",
	.start = start,
	.stop = stop,
	.socket = new_socket,
	.bind = bind_name,
	.connect = connect_peer,
	.listen = listen,
	.accept = accept_peer,
	.send = send_data,
	.recv = recv,
	.sendmsg = send_message,
	.recvmsg = recvmsg,
	.shutdown = shutdown,
	.setsockopt = setsockopt,
	.getsockopt = getsockopt,
	.getsockname = own_name,
	.getpeername = peer_name,
	.ioctl = control,
	.close = close,
	.poll = readiness,
	.inject = inject,
	.collect = collect,
	.pass = pass,
};
