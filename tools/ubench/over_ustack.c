// SPDX-License-Identifier: MIT
/* ustack: two stacks on the ends of a pipe. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "ustack.h"

#define PORT		7u
#define SERVER		0x0a000001u	/* 10.0.0.1 */
#define CLIENT		0x0a010000u	/* 10.1.0.0 and those that follow */
#define WAITS		(BENCH_ADDRESSES * BENCH_PORTS)

struct ends {
	struct ustack *stack[2];
	struct ustack_socket *listener;
};

static struct sockaddr_in name_of(uint32_t address, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(address),
	};
}

static bool failed(struct ustack *stack, const char *what, int err)
{
	const char *why = ustack_error(stack);

	fprintf(stderr, "ubench: ustack: %s: %s\n", what, *why ? why : strerror(err));
	return false;
}

static bool add_addresses(struct ustack *stack, struct ustack_link *link,
			  uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct sockaddr_in name = name_of(first + i, 0);
		int err = ustack_address_add(stack, link, (void *)&name, 8);

		if (err)
			return failed(stack, "address", -err);
	}
	return true;
}

static bool open_end(struct ends *ends, enum bench_end end, const char *link)
{
	struct ustack_config config = {
		.max_time_wait = end == BENCH_CLIENT ? WAITS : 0,
	};
	struct ustack_link *made;
	char spec[128];
	int err = ustack_create(&config, &ends->stack[end]);

	if (err)
		return failed(NULL, "stack", -err);
	snprintf(spec, sizeof(spec), "pipe:name=ubench%s%s", *link ? "," : "", link);
	err = ustack_link_open(ends->stack[end], spec, &made);
	if (err)
		return failed(ends->stack[end], spec, -err);
	if (end == BENCH_SERVER)
		return add_addresses(ends->stack[end], made, SERVER, 1);
	return add_addresses(ends->stack[end], made, CLIENT, BENCH_ADDRESSES);
}

static bool listen_on(struct ends *ends)
{
	struct sockaddr_in name = name_of(SERVER, PORT);

	ends->listener = ustack_socket(ends->stack[BENCH_SERVER], AF_INET,
				       SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!ends->listener ||
	    ustack_bind(ends->listener, (void *)&name, sizeof(name)) ||
	    ustack_listen(ends->listener, 128))
		return failed(ends->stack[BENCH_SERVER], "listen", errno);
	return true;
}

static void close_ends(void *bench)
{
	struct ends *ends = bench;

	ustack_destroy(ends->stack[BENCH_CLIENT]);
	ustack_destroy(ends->stack[BENCH_SERVER]);
	free(ends);
}

static void *open_ends(const char *link)
{
	struct ends *ends = calloc(1, sizeof(*ends));

	if (!ends)
		return NULL;
	if (open_end(ends, BENCH_CLIENT, link) &&
	    open_end(ends, BENCH_SERVER, link) && listen_on(ends))
		return ends;
	close_ends(ends);
	return NULL;
}

static void *connect_from(void *bench, uint32_t client)
{
	struct ends *ends = bench;
	struct sockaddr_in to = name_of(SERVER, PORT), from;
	struct ustack_socket *socket;

	from = name_of(CLIENT + client % BENCH_ADDRESSES,
		       (uint16_t)(BENCH_PORT + client / BENCH_ADDRESSES));
	socket = ustack_socket(ends->stack[BENCH_CLIENT], AF_INET,
			       SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!socket)
		return NULL;
	if (ustack_bind(socket, (void *)&from, sizeof(from)) ||
	    (ustack_connect(socket, (void *)&to, sizeof(to)) && errno != EINPROGRESS)) {
		ustack_close(socket);
		return NULL;
	}
	return socket;
}

/* connect(2) a second time tells. */
static bool connected(void *socket)
{
	struct sockaddr_in to = name_of(SERVER, PORT);

	return !ustack_connect(socket, (void *)&to, sizeof(to)) || errno == EISCONN;
}

static void *accept_one(void *bench)
{
	struct ends *ends = bench;

	return ustack_accept(ends->listener, NULL, NULL, SOCK_NONBLOCK);
}

static ssize_t send_bytes(void *socket, const void *data, size_t len)
{
	ssize_t n = ustack_send(socket, data, len, 0);

	return n < 0 && errno == EAGAIN ? 0 : n;
}

static ssize_t recv_bytes(void *socket, void *data, size_t len)
{
	ssize_t n = ustack_recv(socket, data, len, 0);

	if (n > 0)
		return n;
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

static ssize_t reserve(void *socket, size_t len, void **room)
{
	*room = ustack_reserve(socket, &len, 0);
	if (*room)
		return (ssize_t)len;
	return errno == EAGAIN ? 0 : -1;
}

static bool submit(void *socket, size_t len)
{
	return !ustack_submit(socket, len, 0);
}

static int peek(void *socket, struct iovec *pieces, int count)
{
	int n = ustack_peek(socket, pieces, count, 0);

	if (n > 0)
		return n;
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

static bool release(void *socket, size_t len)
{
	return !ustack_release(socket, len);
}

static void end_one(void *socket)
{
	ustack_close(socket);
}

static void poll_end(void *bench, enum bench_end end)
{
	struct ends *ends = bench;

	ustack_poll(ends->stack[end]);
}

static void add_counter(void *arg, const char *name, uint64_t value)
{
	struct bench_waits *waits = arg;

	if (!strcmp(name, "tcp_time_wait"))
		waits->entered += value;
	else if (!strcmp(name, "tcp_time_wait_overflow"))
		waits->dropped += value;
	else if (!strcmp(name, "tcp_time_wait_reused"))
		waits->reused += value;
	else if (!strcmp(name, "tcp_time_wait_expired"))
		waits->held -= value;
}

static void waits(void *bench, struct bench_waits *waits)
{
	struct ends *ends = bench;

	*waits = (struct bench_waits){ 0 };
	ustack_counters(ends->stack[BENCH_CLIENT], add_counter, waits);
	ustack_counters(ends->stack[BENCH_SERVER], add_counter, waits);
	waits->held += waits->entered - waits->dropped - waits->reused;
}

const struct bench_contender bench_ustack = {
	.name = "ustack",
	.open = open_ends,
	.close = close_ends,
	.connect = connect_from,
	.connected = connected,
	.accept = accept_one,
	.send = send_bytes,
	.recv = recv_bytes,
	.reserve = reserve,
	.submit = submit,
	.peek = peek,
	.release = release,
	.end = end_one,
	.poll = poll_end,
	.waits = waits,
};

/* MSG_ZEROCOPY; what lies ready does not change, so it is enough that the records are read. */
static void *connect_zerocopy(void *bench, uint32_t client)
{
	struct ustack_socket *socket = connect_from(bench, client);
	int on = 1;

	if (socket)
		ustack_setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on));
	return socket;
}

static ssize_t send_zerocopy(void *socket, const void *data, size_t len)
{
	ssize_t n = ustack_send(socket, data, len, MSG_ZEROCOPY);

	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	ustack_recv(socket, NULL, 0, MSG_ERRQUEUE);
	return n;
}

const struct bench_contender bench_ustack_zerocopy = {
	.name = "ustack",
	.open = open_ends,
	.close = close_ends,
	.connect = connect_zerocopy,
	.connected = connected,
	.accept = accept_one,
	.send = send_zerocopy,
	.recv = recv_bytes,
	.end = end_one,
	.poll = poll_end,
};
