// SPDX-License-Identifier: MIT
/* Active open. */
#include "transport/tcp_parts.h"

static us_noinline void find_clock(struct us_tcp_table *table, const struct us_dst *dst)
{
	struct {
		struct us_addr local, remote;
		uint64_t tag;
	} key = { dst->local, dst->remote, 0x7473 };
	uint64_t hash = us_random_hash(&table->stack->random, &key, sizeof(key));

	table->clock = (struct us_tcp_clock){ dst->local, dst->remote, (uint32_t)hash };
}

/* RFC 7323 5.4's per-connection clock: the same for all ports of two hosts, so
 * that timestamps go on rising from one connection to the next (RFC 6191).
 */
static uint32_t ts_offset(struct us_tcp_table *table, const struct us_dst *dst)
{
	if (!us_addr_equal(&table->clock.remote, &dst->remote) ||
	    !us_addr_equal(&table->clock.local, &dst->local))
		find_clock(table, dst);
	return table->clock.offset;
}

/**
 * us_tcp_offer() - sets what our SYN or SYN-ACK offers
 * @tcp: route and options are set.
 * @iss: initial sequence number.
 */
void us_tcp_offer(struct us_tcp *tcp, uint32_t iss)
{
	tcp->flags |= tcp->table->offer;
	tcp->adv_mss = us_tcp_mss_of(&tcp->dst, tcp->maxseg);
	if (!(tcp->flags & US_TCP_WSCALE))
		tcp->rcv_wscale = 0;
	tcp->ts_offset = ts_offset(tcp->table, &tcp->dst);
	tcp->snd_una = iss;
	tcp->snd_nxt = iss + 1;
	tcp->snd_wl1 = 0;
	tcp->syn_xmit = us_tcp_usec(tcp->table->stack);
	tcp->peer_mss = 536;
	us_tcp_set_mss(tcp);
}

static int bind_flow(struct us_tcp_table *table, struct us_dst *dst,
		     uint16_t *local_port, uint16_t remote_port,
		     struct us_tcp_bind **bind)
{
	struct us_flow flow = {
		.protocol = IPPROTO_TCP,
		.family = dst->family,
		.local = dst->local,
		.remote = dst->remote,
		.local_port = *local_port,
		.remote_port = remote_port,
	};
	int err = us_tcp_bind_flow(table, dst->link, &flow, bind);

	if (err)
		return err;
	dst->local = flow.local;
	dst->flow = *bind ? (*bind)->id : 0;
	*local_port = flow.local_port;
	return 0;
}

static int no_port(struct us_stack *stack, uint16_t port)
{
	if (!port)
		return us_fail(stack, -EADDRNOTAVAIL, "connect: all ports have connections to this peer, or had them within the last minute (TIME-WAIT): close some, or use another address");
	return us_fail(stack, -EADDRNOTAVAIL, "connect: port %u has a connection to this peer, or had one within the last minute (TIME-WAIT): bind to another port, or to none",
		       ntohs(port));
}

/* Where the kernel owns the ports, the link asks it for one. */
static int name(struct us_tcp_table *table, struct us_dst *dst,
		uint16_t *local_port, uint16_t remote_port,
		struct us_tcp_bind **bind)
{
	if ((*local_port || !(dst->link->flags & US_LINK_KERNEL_IP)) &&
	    us_tcp_port_choose(table, dst, remote_port, local_port))
		return no_port(table->stack, *local_port);
	return bind_flow(table, dst, local_port, remote_port, bind);
}

static uint32_t first_seq(struct us_tcp_table *table, const struct us_tcp *tcp)
{
	if (tcp->bind && tcp->bind->inherited)
		return tcp->bind->iss;
	return us_tcp_isn(table, &tcp->dst.local, tcp->local_port, &tcp->dst.remote,
			  tcp->remote_port);
}

/**
 * us_tcp_connect() - begins a connection
 * @stack: the stack.
 * @dst: remote and maybe local address; resolved here if it has no link.
 * @local_port: network byte order, 0: chosen.
 * @remote_port: network byte order.
 * @options: copied.
 * @user: given to us_tcp_user.event().
 * @tcp: the connection, which the user lets go with us_tcp_close().
 *
 * Return: 0 (the SYN is on its way, or waits for data), -EADDRNOTAVAIL, -ENETUNREACH,
 * -ENOBUFS, or what the link's bind gave.
 */
int us_tcp_connect(struct us_stack *stack, struct us_dst *dst,
		   uint16_t local_port, uint16_t remote_port,
		   const struct us_tcp_options *options, void *user,
		   struct us_tcp **tcp)
{
	struct us_tcp_table *table = stack->tcp;
	struct us_tcp_bind *bind = NULL;
	struct us_tcp *t;
	int err = dst->link ? 0 : us_dst_resolve(stack, dst);

	if (!err)
		err = name(table, dst, &local_port, remote_port, &bind);
	if (err)
		return us_dst_explain(stack, &dst->remote, err);
	t = us_tcp_alloc(table, dst, local_port, remote_port, options,
			 US_TCP_SHARE_USER);
	if (!t) {
		us_tcp_bind_put(table, bind);
		return -ENOBUFS;
	}
	t->bind = bind;
	t->user = user;
	us_tcp_offer(t, first_seq(table, t));
	us_tcp_enter(t, TCP_SYN_SENT);
	us_tcp_ecn_offer(t, options->ecn);
	us_tcp_insert(t);
	us_count(stack, tcp_active_open);
	*tcp = t;
	if (options->ack_later || options->defer_accept)
		us_tcp_set_quickack(t, 0);
	if (options->fastopen)
		us_tcp_fastopen_wish(t);
	if (t->flags & US_TCP_DEFERRED)
		return 0;
	us_tcp_send_syn(t);
	us_tcp_timer_set(t, US_TCP_TIMER_REXMT, us_tcp_rto(t));
	return 0;
}
