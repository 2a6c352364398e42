// SPDX-License-Identifier: MIT
/* UDP: what became of datagrams that were sent. */
#include "transport/udp_parts.h"

/* There may be another way by now, or another source. */
static void doubt(struct us_udp *udp, const struct us_addr *remote)
{
	if (us_addr_equal(remote, &udp->dst.remote))
		udp->routed = false;
}

/* Only a peer's errors are heard, and of them the hard ones, as in Linux.  A port without a
 * peer hears what is too large when it sends there again, and asks for the way anew where it
 * was lost.
 */
static bool is_heard(struct us_udp *udp, const struct us_net_error *error)
{
	if (error->err == EMSGSIZE)
		return udp->connected;
	if (!udp->connected) {
		if (!error->hard)
			doubt(udp, &error->remote);
		us_count(udp->stack, udp_icmp_unconnected);
		return false;
	}
	if (!error->hard)
		us_count(udp->stack, udp_icmp_soft);
	return error->hard;
}

/**
 * us_udp_icmp() - an ICMP error quotes a datagram
 * @stack: the stack.
 * @error: with its UDP header.
 */
void us_udp_icmp(struct us_stack *stack, const struct us_net_error *error)
{
	const struct us_udp_hdr *h = (const void *)error->quoted;
	struct us_udp *udp = us_udp_lookup(stack->udp, &error->local, us_raw16(h->src),
					   &error->remote, us_raw16(h->dst));

	if (!udp) {
		us_count(stack, udp_icmp_no_port);
		return;
	}
	if (error->err == EMSGSIZE)
		us_udp_mtu_told(udp, &error->remote, error->mtu);
	if (!is_heard(udp, error))
		return;
	udp->error = error->err;
	us_udp_notify(udp);
}

/**
 * us_udp_error() - SO_ERROR
 * @udp: the port.
 *
 * Return: the pending error as a positive errno, which is cleared; or 0.
 */
int us_udp_error(struct us_udp *udp)
{
	int err = udp->error;

	udp->error = 0;
	return err;
}
