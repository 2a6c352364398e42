// SPDX-License-Identifier: MIT
/*
 * Flows: what a link must know so that the packets of a connection come in.  A
 * connection that was opened from here has its own flow, and so has its
 * TIME-WAIT.  A listener's flow is shared by all that came from it, and outlives
 * it: whoever listens there again takes it over.
 */
#include "transport/tcp_parts.h"

static struct cds_hlist_head *bucket(const struct us_tcp_table *table,
				     const struct us_addr *local, uint16_t port)
{
	static const struct us_addr anybody;

	return &table->shared[us_tcp_hash(table, local, port, &anybody, 0) &
			      table->listen_mask];
}

static struct us_tcp_bind *find_shared(struct us_tcp_table *table,
				       const struct us_link *link,
				       const struct us_flow *flow)
{
	struct us_tcp_bind *b;

	cds_hlist_for_each_entry_2(b, bucket(table, &flow->local, flow->local_port), node)
		if (b->link == link && b->port == flow->local_port &&
		    b->family == flow->family &&
		    b->listen_peer == flow->listen_peer &&
		    us_addr_equal(&b->local, &flow->local))
			return b;
	return NULL;
}

/* The oldest TIME-WAIT that alone holds a flow of this link, or NULL. */
static struct us_tcp_wait *oldest_on(struct us_link *link)
{
	return cds_list_empty(&link->resting) ? NULL :
	       cds_list_first_entry(&link->resting, struct us_tcp_bind, rest)->wait;
}

/* Does only a TIME-WAIT have it any more?  The latest that does is the one, as none that
 * has ended is remembered.
 */
static void look_who_is_left(struct us_tcp_bind *b)
{
	if (b->refs != 1 || !b->wait)
		return;
	cds_list_del(&b->rest);
	cds_list_add_tail(&b->rest, &b->link->resting);
}

/**
 * us_tcp_bind_get() - a connection or a listener more has a flow
 * @bind: the flow.
 */
void us_tcp_bind_get(struct us_tcp_bind *bind)
{
	bind->refs++;
	cds_list_del_init(&bind->rest);
}

/**
 * us_tcp_bind_wait() - a flow's connection is in TIME-WAIT, from now on
 * @bind: the flow, or NULL.
 * @wait: has the connection's hold on it.
 */
void us_tcp_bind_wait(struct us_tcp_bind *bind, struct us_tcp_wait *wait)
{
	if (!bind)
		return;
	bind->wait = wait;
	look_who_is_left(bind);
}

/* The oldest ends; false: there is none. */
static bool make_room(struct us_tcp_table *table, struct us_link *link)
{
	struct us_tcp_wait *wait = oldest_on(link);

	if (!wait)
		return false;
	us_count(table->stack, tcp_time_wait_overflow);
	us_tcp_wait_drop(table, wait);
	return true;
}

/* From a port that the link chose, to the same peer; and what it sent last was sent in an
 * earlier tick than what follows, so that timestamps tell the peer old from new (RFC 6191,
 * RFC 7323 5.3).
 */
static bool may_follow(const struct us_tcp_wait *wait, const struct us_flow *flow,
		       uint32_t tick)
{
	return wait->bind->chosen && wait->family == flow->family &&
	       wait->remote_port == flow->remote_port &&
	       us_addr_equal(&wait->remote, &flow->remote) &&
	       us_addr_equal(&wait->local, &flow->local) &&
	       wait->has_ts && tick + US_TCP_WAIT_TICKS != wait->expires;
}

/*
 * Where no room is left for flows, who wants some port gets that of the oldest TIME-WAIT
 * towards the same peer, with the flow as it is.  NULL: @flow needs one of its own.
 */
static struct us_tcp_bind *inherit(struct us_tcp_table *table, struct us_link *link,
				   struct us_flow *flow)
{
	struct us_tcp_wait *wait = oldest_on(link);
	struct us_tcp_bind *b;

	if (!wait || !may_follow(wait, flow, us_tcp_tick(table->stack)))
		return NULL;
	us_count(table->stack, tcp_time_wait_overflow);
	b = wait->bind;
	b->inherited = true;
	b->iss = us_tcp_wait_iss(wait);
	us_tcp_bind_get(b);
	flow->local_port = wait->local_port;
	us_tcp_wait_drop(table, wait);
	return b;
}

static int bind_new(struct us_tcp_table *table, struct us_link *link,
		    struct us_flow *flow, struct us_tcp_bind *b)
{
	bool chosen = !flow->local_port;
	int err;

	do
		err = link->ops->bind(link, flow, &b->id);
	while (err == -ENOSPC && make_room(table, link));
	if (err)
		return err;
	b->link = link;
	b->refs = 1;
	b->local = flow->local;
	b->port = flow->local_port;
	b->family = flow->family;
	b->listen_peer = flow->listen_peer;
	b->chosen = chosen;
	b->inherited = false;
	b->wait = NULL;
	b->node.prev = NULL;
	CDS_INIT_LIST_HEAD(&b->rest);
	if (us_addr_is_any(&flow->remote))
		cds_hlist_add_head(&b->node, bucket(table, &b->local, b->port));
	return 0;
}

/**
 * us_tcp_bind_flow() - asks a link for the packets of a flow
 * @table: its table.
 * @link: the link.
 * @flow: what is wished for; the link may fill in address and port.
 * @bind: the flow with one reference; NULL if the link needs no binding.
 *
 * When the link can hold no more flows, TIME-WAIT gives up some.
 * Return: 0, -ENOBUFS, or the link's negative errno.
 */
int us_tcp_bind_flow(struct us_tcp_table *table, struct us_link *link,
		     struct us_flow *flow, struct us_tcp_bind **bind)
{
	struct us_tcp_bind *b = NULL;
	int err;

	*bind = NULL;
	if (!link->ops->bind)
		return 0;
	if (us_addr_is_any(&flow->remote))
		b = find_shared(table, link, flow);
	if (b) {
		us_tcp_bind_get(b);
		*bind = b;
		return 0;
	}
	if (!flow->local_port && !link->flows_left && !link->error)
		*bind = inherit(table, link, flow);
	if (*bind)
		return 0;
	b = us_pool_get(&table->binds);
	if (!b)
		return -ENOBUFS;
	err = bind_new(table, link, flow, b);
	if (err)
		us_pool_put(&table->binds, b);
	else
		*bind = b;
	return err;
}

/**
 * us_tcp_bind_put() - lets go of a flow
 * @table: its table.
 * @bind: or NULL; the last user unbinds it.
 */
void us_tcp_bind_put(struct us_tcp_table *table, struct us_tcp_bind *bind)
{
	if (!bind)
		return;
	if (--bind->refs) {
		look_who_is_left(bind);
		return;
	}
	if (bind->node.prev)
		cds_hlist_del(&bind->node);
	cds_list_del(&bind->rest);
	if (bind->link->ops->unbind)
		bind->link->ops->unbind(bind->link, bind->id);
	us_pool_put(&table->binds, bind);
}
