// SPDX-License-Identifier: MIT
/*
 * relay: accepts TCP connections over ustack, on a channel, and hands on what comes to a
 * server that is reached by the kernel's sockets, and back.  One thread waits for both:
 * for the stack's descriptor among those of the kernel.
 *
 * What comes from a client is copied, not read in place: a server that does not take it
 * would hold up the channel's ring for all.  What comes from the server is read into the
 * memory that it leaves from.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/job.h"
#include "lib/standard.h"
#include "ustack.h"

#define BACKLOG		512
#define SOCKETS		65536u
#define BATCH		64
#define PIECE		65536u

/**
 * struct pair - a client, and the server on its behalf
 * @client: over ustack.
 * @server: the kernel's.
 * @first: in @buffer, of the bytes that the server has not taken yet.
 * @last: behind them.
 * @up_over: the client has sent all, and the server was told.
 * @down_over: likewise the server.
 * @buffer: from the client to the server.
 */
struct pair {
	struct ustack_socket *client;
	int server;
	size_t first;
	size_t last;
	bool up_over;
	bool down_over;
	char buffer[PIECE];
};

static struct ustack *stack;
static struct ustack_epoll *clients;	/* the listener, too: its events have no pair */
static int servers;			/* and the stack and signals: their events have none */
static int signals = -1;
static struct ustack_socket *listener;	/* of both families */
static union job_address server_address;
static uint64_t connections, up_bytes, down_bytes;

static int failed(const char *what)
{
	const char *why = stack ? ustack_error(stack) : "";

	fprintf(stderr, "relay: %s: %s\n", what, *why ? why : strerror(errno));
	return 1;
}

/* -------------------------------------------------------------- connections */

/* Does an error only say that there is nothing to do now? */
static bool later(void)
{
	return errno == EAGAIN;
}

/* What the server has not taken yet. */
static bool push(struct pair *p)
{
	while (p->first < p->last) {
		ssize_t n = send(p->server, p->buffer + p->first, p->last - p->first,
				 MSG_NOSIGNAL);

		if (n < 0)
			return false;
		p->first += (size_t)n;
		up_bytes += (uint64_t)n;
	}
	return true;
}

/* From the client to the server, for as long as there is something; false: an error. */
static bool up(struct pair *p)
{
	while (!p->up_over) {
		ssize_t n;

		if (!push(p))
			return later();
		n = ustack_recv(p->client, p->buffer, PIECE, 0);
		if (n < 0)
			return later();
		p->first = 0;
		p->last = (size_t)n;
		if (!n) {
			/* One that is still connecting would be disconnected. */
			if (send(p->server, "", 0, MSG_NOSIGNAL) < 0)
				return later();
			shutdown(p->server, SHUT_WR);
			p->up_over = true;
		}
	}
	return true;
}

/* From the server to the client alike. */
static bool down(struct pair *p)
{
	while (!p->down_over) {
		size_t room = PIECE;
		void *to = ustack_reserve(p->client, &room, 0);
		ssize_t n;
		int err;

		if (!to)
			return later();
		n = read(p->server, to, room);
		err = errno;
		if (ustack_submit(p->client, n > 0 ? (size_t)n : 0, 0))
			return false;
		errno = err;
		if (n < 0)
			return later();
		down_bytes += (uint64_t)n;
		if (!n) {
			ustack_shutdown(p->client, SHUT_WR);
			p->down_over = true;
		}
	}
	return true;
}

static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

static void reset(struct ustack_socket *client)
{
	ustack_setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	ustack_close(client);
}

static void reset_both(struct pair *p)
{
	setsockopt(p->server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(p->server);
	reset(p->client);
	free(p);
}

static void part(struct pair *p)
{
	close(p->server);
	ustack_close(p->client);
	free(p);
}

static void serve(struct pair *p)
{
	if (!up(p) || !down(p))
		reset_both(p);
	else if (p->up_over && p->down_over)
		part(p);
}

/* Edge by edge: what is told of is done until there is nothing more. */
static bool watch(struct pair *p)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = p,
	};

	return !ustack_epoll_ctl(clients, EPOLL_CTL_ADD, p->client, &event) &&
	       !epoll_ctl(servers, EPOLL_CTL_ADD, p->server, &event);
}

static int reach_server(void)
{
	const struct sockaddr *address = &server_address.sa;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || !connect(fd, address, job_length(&server_address)) || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

static void pair_up(struct ustack_socket *client)
{
	struct pair *p = malloc(sizeof(*p));
	int server = p ? reach_server() : -1;

	if (server < 0) {
		failed("a server for a client");
		reset(client);
		free(p);
		return;
	}
	connections++;
	*p = (struct pair){ .client = client, .server = server };
	if (!watch(p))
		reset_both(p);
}

static void accept_all(void)
{
	struct ustack_socket *client;

	while ((client = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK)))
		pair_up(client);
}

/* --------------------------------------------------------------------- loop */

/* One round, so that the servers and signals have theirs; what is left is for the next. */
static int serve_clients(void)
{
	struct epoll_event events[BATCH];
	int n = ustack_epoll_wait(clients, events, BATCH, 0);

	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			serve(events[i].data.ptr);
		else
			accept_all();
	return n;
}

/* Sleeps if the stack has nothing to do; false: it was asked to stop, or cannot wait. */
static bool serve_servers(bool sleep)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(servers, events, BATCH, sleep ? -1 : 0);

	for (int i = 0; i < n; i++)
		if (events[i].data.ptr == &signals)
			return false;
		else if (events[i].data.ptr)
			serve(events[i].data.ptr);
	return n >= 0 || errno == EINTR;
}

static int loop(void)
{
	int n;

	do
		n = serve_clients();
	while (n >= 0 && serve_servers(n == 0));
	return n < 0 ? failed("waiting for clients") : 0;
}

/* -------------------------------------------------------------------- begin */

static int listen_at(uint16_t port)
{
	struct epoll_event event = { .events = EPOLLIN };
	union job_address any = { .sa.sa_family = AF_INET6 };

	*job_port(&any) = htons(port);
	listener = ustack_socket(stack, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listener && !ustack_bind(listener, &any.sa, job_length(&any)) &&
	    !ustack_listen(listener, BACKLOG) &&
	    !ustack_epoll_ctl(clients, EPOLL_CTL_ADD, listener, &event))
		return 0;
	return failed("listen");
}

static int wait_for_stack(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = ustack_descriptor(stack);

	if (fd >= 0 && !epoll_ctl(servers, EPOLL_CTL_ADD, fd, &event))
		return 0;
	errno = fd < 0 ? -fd : errno;
	return failed("the stack's descriptor");
}

static int wait_for_signals(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &signals };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signals = signalfd(-1, &ends, SFD_CLOEXEC);
	if (signals >= 0 && !epoll_ctl(servers, EPOLL_CTL_ADD, signals, &event))
		return 0;
	return failed("signals");
}

static int start(const char *spec, uint16_t port)
{
	const struct ustack_config config = { .max_sockets = SOCKETS };
	int err = ustack_create(&config, &stack);

	if (!err)
		err = ustack_link_open(stack, spec, NULL);
	errno = -err;
	if (err)
		return failed(spec);
	clients = ustack_epoll_create(stack);
	servers = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || servers < 0)
		return failed("epoll");
	err = listen_at(port);
	if (!err)
		err = wait_for_stack();
	return err ? err : wait_for_signals();
}

static int wrong(const char *what, const char *advice)
{
	fprintf(stderr, "relay: %s: %s\n", what, advice);
	return 2;
}

static int help(void)
{
	puts("usage: relay LINK PORT ADDRESS PORT\n\n"
	     "Accepts TCP connections at the first PORT over ustack, and relays them to the server\n"
	     "at ADDRESS and the second PORT, which is reached by the kernel's sockets.\n\n"
	     "LINK     netchannel, or with arguments: netchannel:hook=early,depth=4096\n"
	     "ADDRESS  IPv4 or IPv6\n\n"
	     "Ctrl-C ends it; a summary stands on standard error.");
	return 0;
}

static uint16_t port_of(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && !*end && port <= UINT16_MAX ? (uint16_t)port : 0;
}

static bool address_of(const char *text, union job_address *address)
{
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1)
		address->sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1)
		address->sa.sa_family = AF_INET6;
	return address->sa.sa_family;
}

int main(int argc, char **argv)
{
	int status;

	standard_hold();
	signal(SIGPIPE, SIG_IGN);	/* who reads what it says may go first */
	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")))
		return help();
	if (argc != 5)
		return wrong("four arguments are needed", "-h tells which");
	if (strcmp(argv[1], "netchannel") && strncmp(argv[1], "netchannel:", strlen("netchannel:")))
		return wrong(argv[1], "give netchannel: the addresses are the kernel's");
	if (!port_of(argv[2]) || !port_of(argv[4]))
		return wrong(argv[port_of(argv[2]) ? 4 : 2], "give a port, 1 to 65535");
	if (!address_of(argv[3], &server_address))
		return wrong(argv[3], "give an IPv4 or IPv6 address");
	*job_port(&server_address) = htons(port_of(argv[4]));
	status = start(argv[1], port_of(argv[2]));
	if (!status) {
		fprintf(stderr, "relay: waiting on port %s\n", argv[2]);
		status = loop();
		fprintf(stderr, "relay: connections=%" PRIu64 " up=%" PRIu64 " down=%" PRIu64 "\n",
			connections, up_bytes, down_bytes);
	}
	ustack_destroy(stack);
	return status;
}
