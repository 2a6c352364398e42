// SPDX-License-Identifier: MIT
/* ustack's sockets, on a stack with one link. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "ustack.h"

static struct ustack *stack;
static struct ustack_link *link;
static struct ustack_epoll *set;

static void make_spec(const struct job *job, char *spec, size_t size)
{
	char interface[64];

	if (!strcmp(job->link, "netchannel")) {
		snprintf(spec, size, "netchannel:depth=%u,hook=%s", job->depth,
			 job->hook ? job->hook : "late");
		return;
	}
	if (job->device)
		snprintf(interface, sizeof(interface), "dev=%s", job->device);
	else
		snprintf(interface, sizeof(interface), "ifindex=%u", job->ifindex);
	snprintf(spec, size, "packet:%s%s%s", interface,
		 job->mac ? ",peer=" : "", job->mac ? job->mac : "");
}

/* With the MAC of the peer given there is no one else on the link. */
static unsigned int on_link(const struct job *job)
{
	if (job->prefix >= 0)
		return job->prefix;
	if (job->mac)
		return 0;
	return job->family == AF_INET ? 24 : 64;
}

static int failed(const struct job *job, const char *what, int err)
{
	const char *why = ustack_error(stack);

	fprintf(stderr, "%s: %s: %s\n", job->program, what,
		*why ? why : strerror(-err));
	ustack_destroy(stack);
	stack = NULL;
	return -1;
}

static int start(const struct job *job)
{
	char spec[160];
	int err = ustack_create(NULL, &stack);

	if (err)
		return failed(job, "stack", err);
	make_spec(job, spec, sizeof(spec));
	err = ustack_link_open(stack, spec, &link);
	if (err)
		return failed(job, spec, err);
	if (strcmp(job->link, "packet"))
		return 0;
	err = ustack_address_add(stack, link, &job->local.sa, on_link(job));
	return err ? failed(job, "source address", err) : 0;
}

static void tell_packets(void)
{
	struct ustack_link_stats stats;

	ustack_link_stats(link, &stats);
	fprintf(stderr, "packets: received=%" PRIu64 " sent=%" PRIu64
		" dropped=%" PRIu64 "\n", stats.rx_packets, stats.tx_packets,
		stats.rx_dropped + stats.tx_dropped);
}

static void stop(void)
{
	tell_packets();
	ustack_destroy(stack);
	stack = NULL;
	set = NULL;
}

static void *new_socket(int domain, int type)
{
	return ustack_socket(stack, domain, type, 0);
}

static int bind_name(void *socket, const struct sockaddr *address, socklen_t length)
{
	return ustack_bind(socket, address, length);
}

static int connect_peer(void *socket, const struct sockaddr *address, socklen_t length)
{
	return ustack_connect(socket, address, length);
}

static int listen_peer(void *socket, int backlog)
{
	return backlog ? ustack_listen(socket, backlog) : ustack_listen_peer(socket);
}

static void *accept_peer(void *socket)
{
	return ustack_accept(socket, NULL, NULL, 0);
}

static ssize_t send_data(void *socket, const void *data, size_t len, int flags)
{
	return ustack_send(socket, data, len, flags);
}

static ssize_t recv_data(void *socket, void *data, size_t len, int flags,
			 struct sockaddr *address, socklen_t *length)
{
	return ustack_recvfrom(socket, data, len, flags, address, length);
}

static int send_many(void *socket, struct mmsghdr *messages, unsigned int count, int flags)
{
	return ustack_sendmmsg(socket, messages, count, flags);
}

static int recv_many(void *socket, struct mmsghdr *messages, unsigned int count, int flags)
{
	return ustack_recvmmsg(socket, messages, count, flags);
}

static void *reserve(void *socket, size_t *len, int flags)
{
	return ustack_reserve(socket, len, flags);
}

static int submit(void *socket, size_t len, int flags)
{
	return ustack_submit(socket, len, flags);
}

static int peek(void *socket, struct iovec *pieces, int count, int flags)
{
	return ustack_peek(socket, pieces, count, flags);
}

static int release(void *socket, size_t len)
{
	return ustack_release(socket, len);
}

static int shut(void *socket, int how)
{
	return ustack_shutdown(socket, how);
}

static int set_option(void *socket, int level, int name, const void *value,
		      socklen_t length)
{
	return ustack_setsockopt(socket, level, name, value, length);
}

static int set_ecn(void *socket, const char *mode)
{
	int ecn = !strcmp(mode, "off") ? USTACK_ECN_OFF :
		  !strcmp(mode, "classic") ? USTACK_ECN_ASK_CLASSIC : USTACK_ECN_ASK;

	return ustack_setsockopt(socket, IPPROTO_TCP, USTACK_TCP_ECN, &ecn, sizeof(ecn));
}

static void close_socket(void *socket)
{
	ustack_close(socket);
}

static int watch(void *socket, struct epoll_event *event)
{
	if (!set)
		set = ustack_epoll_create(stack);
	return set ? ustack_epoll_ctl(set, EPOLL_CTL_ADD, socket, event) : -1;
}

static int wait_ready(struct epoll_event *events, int count)
{
	return ustack_epoll_wait(set, events, count, -1);
}

static int64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Events end ustack_run() early; a signal ends the pause.  A pause of nothing is
 * one round of the stack.
 */
static void let_pass(int64_t ns)
{
	int64_t end = clock_now() + ns, left = ns;

	do {
		if (ustack_run(stack, left) < 0)
			return;
		left = end - clock_now();
	} while (left > 0);
}

static uint64_t syscalls(void)
{
	struct ustack_link_stats stats;

	ustack_link_stats(link, &stats);
	return stats.syscalls;
}

static const char *why(void)
{
	return ustack_error(stack);
}

const struct api api_ustack = {
	.name = "ustack",
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
	.reserve = reserve,
	.submit = submit,
	.peek = peek,
	.release = release,
	.shutdown = shut,
	.setsockopt = set_option,
	.ecn = set_ecn,
	.close = close_socket,
	.watch = watch,
	.wait = wait_ready,
	.pause = let_pass,
	.syscalls = syscalls,
	.why = why,
};
