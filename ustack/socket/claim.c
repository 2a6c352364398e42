// SPDX-License-Identifier: MIT
/*
 * TCP ports held by bind(2).  TCP itself knows a port from connect(2) or
 * listen(2) on; until then the claim keeps it, so that the second bind(2) of
 * two fails, and not the second listen(2).
 */
#include <arpa/inet.h>
#include <errno.h>

#include "socket/socket.h"

/* IANA's dynamic ports, and those that Linux takes by default. */
#define PORT_FIRST	32768u
#define PORT_COUNT	28232u

static bool overlap(const struct us_addr *a, const struct us_addr *b)
{
	return us_addr_is_any(a) || us_addr_is_any(b) || us_addr_equal(a, b);
}

static bool taken(const struct ustack_socket *s, const struct us_addr *local,
		  uint16_t port)
{
	const struct ustack_socket *other;

	cds_list_for_each_entry(other, &s->stack->claims, claim) {
		if (other->port != port || other->family != s->family ||
		    !overlap(&other->local, local))
			continue;
		if (!s->reuse || !other->reuse || other->listener)
			return true;
	}
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
	cds_list_add(&s->claim, &s->stack->claims);
	return 0;
}

/**
 * us_unclaim() - lets go of the port
 * @s: holds one, or not.
 */
void us_unclaim(struct ustack_socket *s)
{
	if (!cds_list_empty(&s->claim))
		cds_list_del_init(&s->claim);
}
