// SPDX-License-Identifier: MIT
/* ICMP errors about segments of ours, believed as far as RFC 5927 allows. */
#include "transport/tcp_parts.h"

/* RFC 5927 4.1: the quoted segment is one that is on its way. */
static bool is_in_flight(const struct us_tcp *tcp, uint32_t seq)
{
	return !us_before(seq, tcp->snd_una) && us_before(seq, tcp->snd_nxt);
}

/* RFC 9293 3.9.1.8, as Linux has it: at once, if the user wants to know. */
static void tell(struct us_tcp *tcp, int err)
{
	tcp->soft_error = (uint16_t)err;
	if (!(tcp->flags & US_TCP_RECVERR))
		return;
	tcp->error = (uint16_t)err;
	us_tcp_notify(tcp);
}

/**
 * us_tcp_icmp() - an ICMP error quotes a segment
 * @stack: the stack.
 * @error: ends a connection only while it opens, hard or not, as in Linux and as
 *	RFC 5927 5.2 advises.
 */
void us_tcp_icmp(struct us_stack *stack, const struct us_net_error *error)
{
	const struct us_tcp_hdr *h = (const void *)error->quoted;
	struct us_tcp *tcp = us_tcp_lookup(stack->tcp, &error->local, us_raw16(h->src),
					   &error->remote, us_raw16(h->dst));

	if (!tcp) {
		us_count(stack, tcp_icmp_no_port);
		return;
	}
	if (!is_in_flight(tcp, us_get32(h->seq))) {
		us_count(stack, tcp_icmp_not_in_flight);
		return;
	}
	if (error->err == EMSGSIZE)
		us_tcp_mtu_told(tcp, us_get32(h->seq), error->mtu);
	else if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECV)
		us_tcp_done(tcp, error->err);
	else
		tell(tcp, error->err);
	us_tcp_reap(stack->tcp);
}
