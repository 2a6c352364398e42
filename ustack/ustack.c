// SPDX-License-Identifier: MIT
/*
 * A stack as a whole.  This is the one file that sees every layer: it makes them
 * from below to above and joins what a lower one has to tell a higher one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "socket/socket.h"
#include "transport/tcp.h"
#include "transport/udp.h"

#define SOCKETS_DEFAULT		1024u
#define PACKETS_DEFAULT		4096u
#define SEND_MEMORY_DEFAULT	(4u << 20)

static _Thread_local const char *create_error = "";

static struct us_stack *inside(struct ustack *stack)
{
	return (struct us_stack *)stack;
}

static void link_writable(struct us_stack *stack, struct us_link *link)
{
	us_tcp_link_writable(stack, link);
	us_udp_link_writable(stack, link);
	/* Who waits to send asks the socket again. */
	stack->events++;
}

static const struct us_upcalls upcalls = {
	.link_input = us_net_input,
	.link_writable = link_writable,
};

/* Zero is the default of every number. */
static struct ustack_config complete(const struct ustack_config *given)
{
	struct ustack_config config = given ? *given : (struct ustack_config){ 0 };

	if (!config.clock)
		config.clock = us_clock_monotonic;
	if (!config.max_sockets)
		config.max_sockets = SOCKETS_DEFAULT;
	if (!config.max_packets)
		config.max_packets = PACKETS_DEFAULT;
	if (!config.send_memory)
		config.send_memory = SEND_MEMORY_DEFAULT;
	return config;
}

static int create_layers(struct us_stack *stack, const struct ustack_config *config)
{
	int err = us_random_init(&stack->random, config->seed);

	if (!err)
		err = us_pool_create(&stack->pkts, sizeof(struct us_pkt),
				     config->max_packets);
	if (!err)
		err = us_pool_create(&stack->sockets, sizeof(struct ustack_socket),
				     config->max_sockets);
	if (!err)
		err = us_claims_create(stack, config->max_sockets);
	if (!err)
		err = us_notsent_lowats_create(stack);
	if (!err)
		err = us_error_queues_create(stack);
	if (!err)
		err = us_txmem_create(&stack->mem, NULL, config->send_memory);
	if (!err)
		err = us_net_create(stack);
	if (!err)
		err = us_tcp_table_create(stack, config->max_sockets,
					  config->max_time_wait, &us_stream_user);
	if (!err)
		err = us_udp_table_create(stack, config->max_sockets,
					  &us_dgram_user);
	return err;
}

/* Also undoes half a creation. */
static void destroy(struct us_stack *stack)
{
	struct us_link *link, *next;

	us_stack_tick(stack);
	us_epoll_destroy(stack);
	us_descriptor_destroy(stack);
	if (stack->udp)
		us_udp_table_destroy(stack);
	if (stack->tcp)
		us_tcp_table_destroy(stack);
	/* The last resets go out, and no route leads to a link that closes. */
	cds_list_for_each_entry(link, &stack->links, node)
		link->ops->flush(link);
	if (stack->net)
		us_net_destroy(stack);
	cds_list_for_each_entry_safe(link, next, &stack->links, node)
		us_link_close(link);
	if (stack->mem)
		us_txmem_destroy(stack->mem);
	us_fd_destroy(stack);
	us_error_queues_destroy(stack);
	us_notsent_lowats_destroy(stack);
	us_claims_destroy(stack);
	us_pool_destroy(&stack->sockets);
	us_pool_destroy(&stack->pkts);
	free(stack->trace);
	if (stack->driver)
		us_drive_destroy(stack);
	free(stack);
}

static int choose_congestion(struct us_stack *stack, const char *name)
{
	int cc = name ? us_tcp_cc_find(name) : 0;

	if (cc >= 0)
		us_tcp_cc_set_default(stack, (uint8_t)cc);
	return cc < 0 ? cc : 0;
}

static int create(const struct ustack_config *given, struct us_stack **made)
{
	const struct ustack_config config = complete(given);
	struct us_stack *stack;
	int err;

	if (given && given->driven && given->clock)
		return -EINVAL;		/* whose time shall it be? */
	if (config.ecn > USTACK_ECN_OFF)
		return -EINVAL;
	stack = calloc(1, sizeof(*stack));
	if (!stack)
		return -ENOMEM;
	stack->ecn = (uint8_t)config.ecn;
	stack->clock = config.clock;
	stack->clock_arg = config.clock == us_clock_monotonic ?
		&stack->monotonic : config.clock_arg;
	stack->up = &upcalls;
	CDS_INIT_LIST_HEAD(&stack->links);
	CDS_INIT_LIST_HEAD(&stack->epolls);
	err = config.driven ? us_drive_create(stack) : 0;
	if (err) {
		free(stack);
		return err;
	}
	us_stack_tick(stack);
	us_wheel_init(&stack->wheel, stack->now);
	err = create_layers(stack, &config);
	if (!err)
		err = choose_congestion(stack, config.congestion);
	if (err)
		destroy(stack);
	else
		*made = stack;
	return err;
}

int ustack_create(const struct ustack_config *config, struct ustack **stack)
{
	struct us_stack *made;
	int err = create(config, &made);

	create_error = "";
	if (err == -ENOMEM)
		create_error = "not enough memory for the stack: lower max_sockets, max_packets or send_memory";
	else if (err == -ENOENT)
		create_error = "no such congestion control: use \"cubic\", \"reno\" or \"bbr\"";
	else if (err == -EINVAL)
		create_error = "struct ustack_config: driven wants no clock, ecn is of enum ustack_ecn, and send_memory 2 KiB or more, below 4 GiB";
	else if (err)
		create_error = strerror(-err);
	else
		*stack = (struct ustack *)made;
	return err;
}

void ustack_destroy(struct ustack *stack)
{
	if (stack)
		destroy(inside(stack));
}

const char *ustack_error(struct ustack *stack)
{
	return stack ? inside(stack)->error : create_error;
}

int64_t ustack_poll(struct ustack *public)
{
	struct us_stack *stack = inside(public);
	bool more = false;
	us_ns next;

	US_CALL(stack);
	if (stack->driver) {
		next = us_drive_poll(stack);
	} else {
		more = us_loop_once(stack);
		next = us_loop_next(stack);
	}
	if (more || next <= stack->now)
		return 0;
	us_descriptor_arm(stack);
	return next == US_NEVER ? -1 : next - stack->now;
}

int ustack_run(struct ustack *public, int64_t timeout)
{
	struct us_stack *stack = inside(public);
	us_ns limit = US_NEVER;
	int err;

	US_CALL(stack);
	us_stack_tick(stack);
	if (timeout >= 0 && timeout < US_NEVER - stack->now)
		limit = stack->now + timeout;
	err = us_loop_wait(stack, limit);
	if (err == -EAGAIN)
		return 0;
	return err ? err : 1;
}

int64_t ustack_now(struct ustack *public)
{
	struct us_stack *stack = inside(public);

	US_CALL(stack);
	us_stack_tick(stack);
	return stack->now;
}

int64_t ustack_advance(struct ustack *public, int64_t ns)
{
	struct us_stack *stack = inside(public);

	if (!stack->driver || ns < 0)
		return -EINVAL;
	US_CALL(stack);
	return us_drive_advance(stack, ns);
}

int ustack_sleeping(struct ustack *public)
{
	struct us_stack *stack = inside(public);

	if (!stack->driver)
		return 0;
	US_CALL(stack);
	return (int)us_drive_sleeping(stack);
}

int ustack_link_inject(struct ustack_link *public, const void *packet, size_t length)
{
	struct us_link *link = (struct us_link *)public;
	int err;

	US_CALL(link->stack);
	err = us_extern_inject(link, packet, length);
	if (!err && link->stack->driver)
		us_drive_poll(link->stack);
	return err;
}

ssize_t ustack_link_collect(struct ustack_link *public, void *packet, size_t size,
			    int64_t *when)
{
	struct us_link *link = (struct us_link *)public;

	US_CALL(link->stack);
	return us_extern_collect(link, packet, size, when);
}

void ustack_counters(struct ustack *stack,
		     void (*print)(void *arg, const char *name, uint64_t value),
		     void *arg)
{
	uint64_t counter[US_COUNTERS];

	US_CALL(inside(stack));
	memcpy(counter, inside(stack)->counter, sizeof(counter));
	us_tcp_count_living(inside(stack), counter);
	for (int i = 0; i < US_COUNTERS; i++)
		print(arg, us_counter_name(i), counter[i]);
}

int ustack_link_open(struct ustack *public, const char *spec,
		     struct ustack_link **link)
{
	struct us_stack *stack = inside(public);
	struct us_link *made;
	unsigned int count = 0;
	int err;

	US_CALL(stack);
	stack->error[0] = '\0';
	cds_list_for_each_entry(made, &stack->links, node)
		count++;
	if (count >= US_LINKS_MAX)
		return us_fail(stack, -ENOSPC, "a stack has at most %u links",
			       US_LINKS_MAX);
	us_stack_tick(stack);
	err = us_link_open(stack, spec, &made);
	if (err)
		return err;
	err = us_net_loopback(stack, made);
	if (err) {
		us_link_close(made);
		return err;
	}
	if (link)
		*link = (struct ustack_link *)made;
	return 0;
}

void ustack_link_stats(const struct ustack_link *link,
		       struct ustack_link_stats *stats)
{
	US_CALL(((const struct us_link *)link)->stack);
	*stats = ((const struct us_link *)link)->stats;
}

/* An address without port, as routes have it; *@bits is its length. */
static int plain_address(struct us_stack *stack, const struct sockaddr *given,
			 struct us_addr *addr, unsigned int *bits)
{
	uint16_t port;
	int err;

	stack->error[0] = '\0';
	if (given->sa_family != AF_INET && given->sa_family != AF_INET6)
		return us_fail(stack, -EINVAL,
			       "address family %d is neither AF_INET nor AF_INET6",
			       given->sa_family);
	err = us_sockaddr_get(given, sizeof(struct sockaddr_in6),
			      given->sa_family, addr, &port);
	*bits = given->sa_family == AF_INET ? 32 : 128;
	/* 0.0.0.0/0 is a route of its own, beside that of IPv6. */
	if (given->sa_family == AF_INET)
		addr->w[2] = htonl(0xffff);
	return err;
}

static int bad_prefix(struct us_stack *stack, unsigned int prefix, unsigned int bits)
{
	return us_fail(stack, -EINVAL, "prefix length %u is more than %u", prefix,
		       bits);
}

int ustack_address_add(struct ustack *public, struct ustack_link *link,
		       const struct sockaddr *address, unsigned int prefix)
{
	struct us_stack *stack = inside(public);
	struct us_addr addr;
	unsigned int bits = 0;
	int err;

	US_CALL(stack);
	err = plain_address(stack, address, &addr, &bits);
	if (err)
		return err;
	if (prefix > bits)
		return bad_prefix(stack, prefix, bits);
	us_stack_tick(stack);
	return us_net_address_add(stack, (struct us_link *)link, &addr, prefix);
}

int ustack_route_add(struct ustack *public, struct ustack_link *link,
		     const struct sockaddr *destination, unsigned int prefix,
		     const struct sockaddr *gateway)
{
	struct us_stack *stack = inside(public);
	struct us_addr net, hop;
	unsigned int bits = 0;
	int err;

	US_CALL(stack);
	err = plain_address(stack, destination, &net, &bits);
	if (!err)
		err = plain_address(stack, gateway, &hop, &bits);
	if (err)
		return err;
	if (destination->sa_family != gateway->sa_family)
		return us_fail(stack, -EINVAL,
			       "destination and gateway are of different families");
	if (prefix > bits)
		return bad_prefix(stack, prefix, bits);
	return us_net_route_add(stack, (struct us_link *)link, &net, prefix, &hop);
}
