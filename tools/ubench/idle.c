// SPDX-License-Identifier: MIT
/*
 * ubench idle: what a connection costs that has nothing to do.  Many are opened,
 * each says a byte and hears one, and then falls idle; time is ours to move.  The
 * growth of the process is divided by the ends, which are all in it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "ustack.h"

#define PORT		7u
#define NETS		64u	/* 10.N.0.1 talks to 10.N.0.2 */
#define GROUP		256u	/* connections opened at once */
#define IDLE		11000000000LL	/* nanoseconds until all is folded */

static int64_t now = 1000000000LL;

static int64_t clock_of_ours(void *arg)
{
	(void)arg;
	return now;
}

static struct sockaddr_in name_of(uint32_t net, uint32_t host)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(0x0a000000u + (net << 16) + host),
	};
}

static bool failed(struct ustack *stack, const char *what)
{
	const char *why = stack ? ustack_error(stack) : "";

	fprintf(stderr, "ubench: idle: %s: %s\n", what, *why ? why : strerror(errno));
	return false;
}

static bool open_end(struct ustack **stack, uint32_t connections, uint32_t host)
{
	struct ustack_config config = {
		.clock = clock_of_ours,
		.max_sockets = connections + 1,
	};
	struct ustack_link *link;
	uint32_t i;

	if (ustack_create(&config, stack))
		return failed(NULL, "stack");
	if (ustack_link_open(*stack, "pipe:name=idle", &link))
		return failed(*stack, "pipe");
	for (i = 0; i < NETS; i++) {
		struct sockaddr_in name = name_of(i, host);

		if (ustack_address_add(*stack, link, (void *)&name, 16))
			return failed(*stack, "address");
	}
	return true;
}

static struct ustack_socket *listen_on(struct ustack *stack)
{
	struct ustack_socket *s = ustack_socket(stack, AF_INET,
						SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	if (!s || ustack_bind(s, (void *)&any, sizeof(any)) ||
	    ustack_listen(s, 4096)) {
		failed(stack, "listen");
		return NULL;
	}
	return s;
}

static void poll_both(struct ustack **stack)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		while (!ustack_poll(stack[BENCH_CLIENT]))
			;
		while (!ustack_poll(stack[BENCH_SERVER]))
			;
	}
}

/* A byte there, and one back. */
static bool talk(struct ustack **stack, struct ustack_socket *client,
		 struct ustack_socket *server)
{
	char byte = 'x';

	if (ustack_send(client, &byte, 1, 0) != 1)
		return failed(stack[BENCH_CLIENT], "send");
	poll_both(stack);
	if (ustack_recv(server, &byte, 1, 0) != 1 || ustack_send(server, &byte, 1, 0) != 1)
		return failed(stack[BENCH_SERVER], "the byte did not come");
	poll_both(stack);
	if (ustack_recv(client, &byte, 1, 0) != 1)
		return failed(stack[BENCH_CLIENT], "the byte did not come back");
	return true;
}

static bool open_one(struct ustack **stack, struct ustack_socket *listener, uint32_t net)
{
	struct sockaddr_in to = name_of(net, 2);
	struct ustack_socket *client, *server;

	client = ustack_socket(stack[BENCH_CLIENT], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!client || (ustack_connect(client, (void *)&to, sizeof(to)) &&
			errno != EINPROGRESS))
		return failed(stack[BENCH_CLIENT], "connect");
	poll_both(stack);
	server = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	if (!server)
		return failed(stack[BENCH_SERVER], "accept");
	return talk(stack, client, server);
}

static bool open_all(struct ustack **stack, struct ustack_socket *listener, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (!open_one(stack, listener, i % NETS))
			return false;
		if (i % GROUP == GROUP - 1 || i == count - 1) {
			now += IDLE;
			poll_both(stack);
		}
	}
	return true;
}

static bool measure(uint32_t count, double *bytes)
{
	struct ustack *stack[2] = { NULL, NULL };
	struct ustack_socket *listener = NULL;
	int64_t before;
	bool good;

	good = open_end(&stack[BENCH_CLIENT], count, 1) &&
	       open_end(&stack[BENCH_SERVER], count, 2);
	if (good)
		listener = listen_on(stack[BENCH_SERVER]);
	before = bench_rss();
	good = listener && open_all(stack, listener, count);
	*bytes = (double)(bench_rss() - before) / count / 2;
	ustack_destroy(stack[BENCH_CLIENT]);
	ustack_destroy(stack[BENCH_SERVER]);
	return good;
}

/**
 * bench_idle() - the subcommand
 * @options: of the command line.
 *
 * Return: exit status.
 */
int bench_idle(const struct bench_options *options)
{
	double bytes;

	if (!measure(options->connections, &bytes))
		return 1;
	printf("%u connections: an idle end costs %.1f bytes\n", options->connections, bytes);
	if (options->budget > 0 && bytes > options->budget) {
		fprintf(stderr, "ubench: idle: more than %.0f bytes\n", options->budget);
		return 1;
	}
	return results_tell(&(struct result){ "idle", "ustack", "bytes", &bytes, 1 },
			    options->results) ? 0 : 1;
}
