// SPDX-License-Identifier: MIT
/*
 * TCP ports held by bind(2).  TCP itself knows a port from connect(2) or
 * listen(2) on; until then the claim keeps it, so that the second bind(2) of
 * two fails, and not the second listen(2).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "socket/socket.h"

/* IANA's dynamic ports, and those that Linux takes by default. */
#define PORT_FIRST	32768u
#define PORT_COUNT	28232u
#define PORTS		65536u

/**
 * us_claims_create() - takes memory to find ports by
 * @stack: gets it.
 * @max_sockets: of the stack.
 *
 * Return: 0, -ENOMEM.
 */
int us_claims_create(struct us_stack *stack, unsigned int max_sockets)
{
	uint32_t buckets = us_buckets_for(max_sockets, PORTS);

	stack->claims = calloc(buckets, sizeof(*stack->claims));
	stack->claim_mask = buckets - 1;
	return stack->claims ? 0 : -ENOMEM;
}

/**
 * us_claims_destroy() - frees it
 * @stack: whatever it has of it.
 */
void us_claims_destroy(struct us_stack *stack)
{
	free(stack->claims);
}

/* Nobody but us names our ports, so they need no secret. */
static struct ustack_socket **bucket(const struct us_stack *stack, uint16_t port)
{
	return &stack->claims[ntohs(port) & stack->claim_mask];
}

static bool overlap(const struct us_addr *a, const struct us_addr *b)
{
	return us_addr_is_any(a) || us_addr_is_any(b) || us_addr_equal(a, b);
}

/* May @s not have the port of @other, too? */
static bool conflict(const struct ustack_socket *s, const struct us_addr *local,
		     const struct ustack_socket *other)
{
	uint8_t others = us_socket_hears(other, &other->local);

	return us_families_meet(others, us_socket_hears(s, local)) &&
	       overlap(&other->local, local) &&
	       (!s->reuse || !other->reuse || other->listener);
}

static bool taken(const struct ustack_socket *s, const struct us_addr *local,
		  uint16_t port)
{
	const struct ustack_socket *other;

	for (other = *bucket(s->stack, port); other; other = other->claim_next)
		if (other->port == port && conflict(s, local, other))
			return true;
	return false;
}

static int choose(const struct ustack_socket *s, const struct us_addr *local,
		  uint16_t *port)
{
	uint32_t first = us_random_below(&s->stack->random, PORT_COUNT);

	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		*port = htons(PORT_FIRST + (first + i) % PORT_COUNT);
		if (!taken(s, local, *port))
			return 0;
	}
	return -EADDRINUSE;
}

/**
 * us_claim() - holds a port for a socket
 * @s: has none yet; keeps address and port.
 * @local: address, all zero for any.
 * @port: network byte order; 0 is chosen, and put back.
 *
 * Return: 0, -EADDRINUSE.
 */
int us_claim(struct ustack_socket *s, const struct us_addr *local, uint16_t *port)
{
	if (*port ? taken(s, local, *port) : choose(s, local, port))
		return -EADDRINUSE;
	s->local = *local;
	s->port = *port;
	s->claimed = true;
	s->claim_next = *bucket(s->stack, *port);
	*bucket(s->stack, *port) = s;
	return 0;
}

/**
 * us_unclaim() - lets go of the port
 * @s: holds one, or not.
 */
void us_unclaim(struct ustack_socket *s)
{
	struct ustack_socket **at = bucket(s->stack, s->port);

	if (!s->claimed)
		return;
	while (*at != s)
		at = &(*at)->claim_next;
	*at = s->claim_next;
	s->claimed = false;
}
