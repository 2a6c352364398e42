/* SPDX-License-Identifier: MIT */
/* Flows that share a bottleneck, in virtual time: stack A sends, stack B reads. */
#ifndef SELFTESTS_UNIT_TCP_NECK_H
#define SELFTESTS_UNIT_TCP_NECK_H

#include "tcp_audit.h"
#include "world.h"

#define NECK_FLOWS	10u
#define NECK_CHUNK	65536u

/**
 * struct neck_flow - one connection
 * @from: at the bottleneck.
 * @to: at the far end.
 * @listener: there.
 * @got: bytes received.
 * @warm: of those, before the measurement.
 * @stepped: of those, before this step of the series.
 * @pause: it sends nothing.
 */
struct neck_flow {
	struct ustack_socket *from;
	struct ustack_socket *to;
	struct ustack_socket *listener;
	uint64_t got;
	uint64_t warm;
	uint64_t stepped;
	bool pause;
};

static uint8_t neck_data[NECK_CHUNK];

static inline struct ustack *neck_end(const char *shape, const char *address, uint64_t seed)
{
	const struct ustack_config config = {
		.clock = world_clock, .seed = seed, .send_memory = 32 << 20,
	};
	union world_name name = world_name(address, 0);
	struct ustack_link *link;
	struct ustack *stack;
	char spec[128];

	snprintf(spec, sizeof(spec), "pipe:name=neck,seed=%u,%s", (unsigned int)seed, shape);
	world_check(ustack_create(&config, &stack), NULL, "create");
	world_check(ustack_link_open(stack, spec, &link), stack, spec);
	world_check(ustack_address_add(stack, link, &name.sa, 24), stack, address);
	return stack;
}

/* @there: the way of the data, @back: of the ACKs; arguments of the pipe. */
static inline void neck_create(const char *there, const char *back)
{
	world.a = neck_end(there, "10.0.0.1", 11);
	world.b = neck_end(back, "10.0.0.2", 12);
	world.frozen = true;
}

static inline void neck_start(struct neck_flow *flow, const char *cc, uint16_t port)
{
	union world_name name = world_name("10.0.0.2", port);
	int buffer = 4 << 20;

	flow->listener = ustack_socket(world.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ustack_setsockopt(flow->listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (ustack_bind(flow->listener, &name.sa, sizeof(name.v4)) ||
	    ustack_listen(flow->listener, 1))
		world_check(-errno, world.b, "listen");
	flow->from = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	buffer = 1 << 20;
	ustack_setsockopt(flow->from, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (ustack_setsockopt(flow->from, IPPROTO_TCP, TCP_CONGESTION, cc,
			      (socklen_t)strlen(cc)))
		world_check(-errno, world.a, cc);
	if (ustack_connect(flow->from, &name.sa, sizeof(name.v4)) && errno != EINPROGRESS)
		world_check(-errno, world.a, "connect");
}

static inline void neck_use(struct neck_flow *flow)
{
	ssize_t n;

	if (!flow->from)
		return;
	while (!flow->pause && ustack_send(flow->from, neck_data, NECK_CHUNK, 0) > 0)
		;
	if (!flow->to)
		flow->to = ustack_accept(flow->listener, NULL, NULL, SOCK_NONBLOCK);
	while (flow->to && (n = ustack_recv(flow->to, neck_data, NECK_CHUNK, 0)) > 0)
		flow->got += (uint64_t)n;
}

/* Both stacks, and then to when something happens next. */
static inline void neck_step(struct neck_flow *flow, uint32_t flows)
{
	int64_t next = 10 * US_MSEC, a, b;
	uint32_t i;

	ustack_poll(world.a);
	ustack_poll(world.b);
	for (i = 0; i < flows; i++)
		neck_use(&flow[i]);
	a = ustack_poll(world.a);
	b = ustack_poll(world.b);
	next = a >= 0 && a < next ? a : next;
	next = b >= 0 && b < next ? b : next;
	world.now += next > 1000 ? next : 1000;
}

static inline void neck_destroy(struct neck_flow *flow, uint32_t flows)
{
	const char *why = NULL;
	uint32_t i;

	audit(world.a, &why);
	if (why)
		ok(false, "the books are right: %s", why);
	for (i = 0; i < flows; i++)
		if (flow[i].listener)
			ustack_close(flow[i].listener);
	world_destroy();
}

#endif /* SELFTESTS_UNIT_TCP_NECK_H */
