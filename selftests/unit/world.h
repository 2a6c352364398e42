/* SPDX-License-Identifier: MIT */
/*
 * Two stacks joined by a pipe, in one thread and in virtual time, for tests of the
 * socket calls.  10.0.0.1 and fd00::1 are A's, 10.0.0.2 and fd00::2 are B's.
 *
 * A call on A's sockets that blocks works, too: A's clock, when asked, lets a
 * little time pass and runs B.  For tests that want time to stand, see frozen.
 */
#ifndef SELFTESTS_UNIT_WORLD_H
#define SELFTESTS_UNIT_WORLD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "tap.h"
#include "ustack.h"

#define WORLD_STEP	100000	/* nanoseconds */

/**
 * struct world - it all
 * @now: time of both.
 * @a: one stack.
 * @b: the other.
 * @frozen: time stands, B runs only by world_run().
 * @send_memory: of either stack; 0 is the default.
 */
struct world {
	int64_t now;
	struct ustack *a;
	struct ustack *b;
	bool frozen;
	size_t send_memory;
};

static struct world world = { .now = 1000000000 };

static inline int64_t world_clock(void *arg)
{
	static bool inside;

	/* Only A drives, and B's calls do not come back here. */
	if (arg && !world.frozen && !inside && world.b) {
		inside = true;
		world.now += WORLD_STEP;
		ustack_poll(world.b);
		inside = false;
	}
	return world.now;
}

static inline union world_name {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
} world_name(const char *text, uint16_t port)
{
	union world_name name;

	memset(&name, 0, sizeof(name));
	name.v4.sin_port = htons(port);	/* at the same place in both */
	if (strchr(text, ':')) {
		name.sa.sa_family = AF_INET6;
		inet_pton(AF_INET6, text, &name.v6.sin6_addr);
	} else {
		name.sa.sa_family = AF_INET;
		inet_pton(AF_INET, text, &name.v4.sin_addr);
	}
	return name;
}

static inline socklen_t world_length(const union world_name *name)
{
	return name->sa.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

static inline void world_check(int err, struct ustack *stack, const char *what)
{
	if (!err)
		return;
	printf("Bail out! %s: %s (%s)\n", what, strerror(-err), ustack_error(stack));
	exit(1);
}

static inline struct ustack *world_stack(const char *spec, const char *v4,
					 const char *v6, void *drives)
{
	const struct ustack_config config = {
		.clock = world_clock, .clock_arg = drives, .seed = drives ? 1 : 2,
		.send_memory = world.send_memory,
	};
	union world_name name4 = world_name(v4, 0), name6 = world_name(v6, 0);
	struct ustack_link *link;
	struct ustack *stack;

	world_check(ustack_create(&config, &stack), NULL, "create");
	world_check(ustack_link_open(stack, spec, &link), stack, spec);
	world_check(ustack_address_add(stack, link, &name4.sa, 24), stack, v4);
	world_check(ustack_address_add(stack, link, &name6.sa, 64), stack, v6);
	return stack;
}

/* @shape: more arguments of the pipe, for both directions, or "". */
static inline void world_create(const char *shape)
{
	char spec[128];

	snprintf(spec, sizeof(spec), "pipe:name=world%s%s", *shape ? "," : "", shape);
	world.a = world_stack(spec, "10.0.0.1", "fd00::1", &world);
	world.b = world_stack(spec, "10.0.0.2", "fd00::2", NULL);
}

static inline void world_destroy(void)
{
	struct ustack *b = world.b;

	world.b = NULL;
	ustack_destroy(world.a);
	ustack_destroy(b);
}

/* Lets @ns pass, both stacks running. */
static inline void world_run(int64_t ns)
{
	bool was = world.frozen;
	int64_t end = world.now + ns;

	world.frozen = true;
	while (world.now < end) {
		world.now += WORLD_STEP;
		ustack_poll(world.a);
		ustack_poll(world.b);
	}
	world.frozen = was;
}

#define WORLD_MS(ms)	((ms) * 1000000LL)

/* A listening socket at @stack's end, which has the address @text. */
static inline struct ustack_socket *world_listen(struct ustack *stack,
						 const char *text, uint16_t port)
{
	union world_name name = world_name(text, port);
	struct ustack_socket *s;

	s = ustack_socket(stack, name.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!s || ustack_bind(s, &name.sa, world_length(&name)) || ustack_listen(s, 8))
		world_check(-errno, stack, "listen");
	return s;
}

static inline struct ustack_socket *world_connect(struct ustack *stack,
						  const char *text, uint16_t port,
						  int type)
{
	union world_name name = world_name(text, port);
	struct ustack_socket *s = ustack_socket(stack, name.sa.sa_family, type, 0);

	if (s && ustack_connect(s, &name.sa, world_length(&name)) &&
	    errno != EINPROGRESS)
		world_check(-errno, stack, "connect");
	return s;
}

/* A connection from A, as @type says, to B (never blocking). */
static inline void world_pair(int type, struct ustack_socket **a,
			      struct ustack_socket **b)
{
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 7);

	*a = world_connect(world.a, "10.0.0.2", 7, SOCK_STREAM | type);
	world_run(WORLD_MS(20));
	*b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	if (!*b)
		world_check(-errno, world.b, "accept");
	ustack_close(listener);
}

/* ok() for a call that has to fail with @error. */
#define fails(call, error) \
	(errno = 0, ok((call) == -1 && errno == (error), "%s: %s", #call, #error) || \
	 (printf("# errno is %d (%s)\n", errno, strerror(errno)), false))

#endif /* SELFTESTS_UNIT_WORLD_H */
