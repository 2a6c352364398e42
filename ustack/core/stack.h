/* SPDX-License-Identifier: MIT */
/* What all layers of one stack share: time, randomness, timers, pools, counters. */
#ifndef US_CORE_STACK_H
#define US_CORE_STACK_H

#include <urcu/hlist.h>
#include <urcu/list.h>

#include "core/clock.h"
#include "core/counter.h"
#include "core/pkt.h"
#include "core/pool.h"
#include "core/random.h"
#include "core/trace.h"
#include "core/tx.h"
#include "core/types.h"
#include "core/wheel.h"

struct us_net;		/* net/: addresses, routes, neighbours */
struct us_tcp_table;	/* transport/: all of TCP */
struct us_udp_table;	/* transport/: all of UDP */
struct us_driver;	/* socket/: driven from outside */
struct us_fds;		/* socket/: sockets by descriptor */
struct us_descriptor;	/* socket/: for the kernel's poll(2) */
struct us_error_queue;	/* socket/: MSG_ERRQUEUE */
struct us_link;
struct ustack_socket;
struct us_stack;

/**
 * struct us_upcalls - calls from a layer to the one above, filled by ustack.c
 * @link_input: link/ -> net/: consumes @pkt; data is the IP header, or the
 *	Ethernet header if the link has US_LINK_ETHERNET; or an ICMP error.  In
 *	us_link_ops.poll() only: it may be held until that returns.
 * @link_writable: link/ -> transport/: a full link has room again; runs the
 *	pending list.
 */
struct us_upcalls {
	void (*link_input)(struct us_stack *stack, struct us_pkt *pkt);
	void (*link_writable)(struct us_stack *stack, struct us_link *link);
};

/**
 * struct us_stack - one stack (struct ustack of the public API)
 * @now: time of this poll; read from the clock once a poll or call, so that no
 *	packet costs a clock call.
 * @clock: the clock.
 * @clock_arg: given to @clock.
 * @monotonic: of us_clock_monotonic(), if that is the clock.
 * @driver: of a stack that is driven from outside, else NULL.
 * @random: the only source of randomness.
 * @wheel: all timers.
 * @busy: rounds since these ran in which links had more to come.
 * @busy_since: time of the first of them.
 * @pkts: pool of struct us_pkt.
 * @behind: what net/ holds to give it to TCP as one.
 * @up: upward calls.
 * @links: of struct us_link.node.
 * @net: the network layer's state.
 * @tcp: TCP's state.
 * @udp: UDP's state.
 * @ecn: enum ustack_ecn of new sockets.
 * @trace: log of events; NULL: off.
 * @sockets: pool of sockets.
 * @notsent_lowats: TCP_NOTSENT_LOWAT of each of @sockets, in their order, where it is set.
 * @error_queues: of each of @sockets, in their order, where there is one.
 * @zerocopies: pool of struct us_zerocopy.
 * @claims: sockets that hold a TCP port by bind(2), by port.
 * @claim_mask: buckets of @claims - 1.
 * @fds: sockets with a descriptor, or NULL.
 * @epolls: of struct ustack_epoll.node.
 * @descriptor: for the kernel's poll(2), or NULL.
 * @mem: send memory (heap) for links that bring none.
 * @events: bumped whenever a socket's readiness changes.
 * @counter: by cause; us_count(stack, NAME).
 * @error: text of the last failure, for ustack_error().
 */
struct us_stack {
	us_ns now;
	us_ns (*clock)(void *arg);
	void *clock_arg;
	struct us_clock monotonic;
	struct us_driver *driver;
	struct us_random random;
	struct us_wheel wheel;
	uint32_t busy;
	us_ns busy_since;
	struct us_pool pkts;
	struct us_behind behind;
	const struct us_upcalls *up;
	struct cds_list_head links;
	struct us_net *net;
	struct us_tcp_table *tcp;
	struct us_udp_table *udp;
	uint8_t ecn;
	struct us_trace *trace;
	struct us_pool sockets;
	uint32_t *notsent_lowats;
	struct us_error_queue *error_queues;
	struct us_pool zerocopies;
	struct ustack_socket **claims;
	uint32_t claim_mask;
	struct us_fds *fds;
	struct cds_list_head epolls;
	struct us_descriptor *descriptor;
	struct us_txmem *mem;
	uint64_t events;
	uint64_t counter[US_COUNTERS];
	char error[256];
};

#define us_count(stack, name)	((void)((stack)->counter[US_COUNT_##name]++))
#define us_count_by(stack, name, n) \
	((void)((stack)->counter[US_COUNT_##name] += (n)))

/* Keeps a text for ustack_error() and returns @err (negative errno). */
int us_fail(struct us_stack *stack, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

us_ns us_stack_real_time(const struct us_stack *stack);

static inline void us_stack_tick(struct us_stack *stack)
{
	stack->now = stack->clock(stack->clock_arg);
}

#endif /* US_CORE_STACK_H */
