// SPDX-License-Identifier: MIT
/*
 * TIME-WAIT: small records that answer for connections which are gone.
 *
 * A record lives for 60 s, as in Linux, not for RFC 9293's 2 MSL of 4 minutes.
 * Overflow policy: the records are a pool of fixed size, and a new one takes
 * the place of the oldest.  That one has protected its successor for the
 * longest, and a successor is still told apart by its initial sequence number
 * (RFC 6528) and, with timestamps, by PAWS.
 */
#include "transport/tcp_parts.h"

static struct us_tcp_wait **bucket(struct us_tcp_table *table,
				   const struct us_addr *local,
				   uint16_t local_port,
				   const struct us_addr *remote,
				   uint16_t remote_port)
{
	uint32_t hash = us_tcp_hash(table, local, local_port, remote, remote_port);

	return &table->wait_hash[hash & table->wait_mask];
}

/**
 * us_tcp_wait_lookup() - finds a connection in TIME-WAIT
 * @table: to search.
 * @local: address.
 * @local_port: network byte order.
 * @remote: address.
 * @remote_port: network byte order.
 *
 * Return: the record or NULL.
 */
struct us_tcp_wait *us_tcp_wait_lookup(struct us_tcp_table *table,
				       const struct us_addr *local,
				       uint16_t local_port,
				       const struct us_addr *remote,
				       uint16_t remote_port)
{
	struct us_tcp_wait *wait;

	/* Where there is none, the buckets' memory is not even touched. */
	if (cds_list_empty(&table->waits))
		return NULL;
	wait = *bucket(table, local, local_port, remote, remote_port);
	while (wait && !(wait->local_port == local_port &&
			 wait->remote_port == remote_port &&
			 us_addr_equal(&wait->remote, remote) &&
			 us_addr_equal(&wait->local, local)))
		wait = wait->hash_next;
	return wait;
}

/**
 * us_tcp_wait_drop() - ends TIME-WAIT
 * @table: its table.
 * @wait: freed, with its hold on the flow.
 */
void us_tcp_wait_drop(struct us_tcp_table *table, struct us_tcp_wait *wait)
{
	struct us_tcp_wait **at = bucket(table, &wait->local, wait->local_port,
					 &wait->remote, wait->remote_port);

	while (*at != wait)
		at = &(*at)->hash_next;
	*at = wait->hash_next;
	cds_list_del(&wait->node);
	if (wait->bind && wait->bind->wait == wait)
		wait->bind->wait = NULL;
	us_tcp_bind_put(table, wait->bind);
	us_pool_put(&table->wait_pool, wait);
}

static struct us_tcp_wait *oldest(struct us_tcp_table *table)
{
	return cds_list_empty(&table->waits) ? NULL :
	       cds_list_first_entry(&table->waits, struct us_tcp_wait, node);
}

static void arm(struct us_tcp_table *table)
{
	struct us_stack *stack = table->stack;
	struct us_tcp_wait *wait = oldest(table);
	int32_t left;

	if (!wait || us_timer_armed(&table->wait_timer))
		return;
	left = (int32_t)(wait->expires - us_tcp_tick(stack));
	us_timer_arm(&stack->wheel, &table->wait_timer,
		     stack->now + ((us_ns)(left > 0 ? left : 0) << US_TCP_TICK_SHIFT));
}

static void restart(struct us_tcp_table *table, struct us_tcp_wait *wait)
{
	wait->expires = us_tcp_tick(table->stack) + US_TCP_WAIT_TICKS;
	cds_list_add_tail(&wait->node, &table->waits);
	us_tcp_bind_wait(wait->bind, wait);
	arm(table);
}

/**
 * us_tcp_wait_expire() - frees the records whose time is over
 * @timer: of the table; all records wait equally long, so one timer does.
 * @now: time.
 */
void us_tcp_wait_expire(struct us_timer *timer, us_ns now)
{
	struct us_tcp_table *table =
		us_container(timer, struct us_tcp_table, wait_timer);
	uint32_t tick = (uint32_t)(now >> US_TCP_TICK_SHIFT);
	struct us_tcp_wait *wait;

	while ((wait = oldest(table)) && !us_after(wait->expires, tick)) {
		us_count(table->stack, tcp_time_wait_expired);
		us_tcp_wait_drop(table, wait);
	}
	arm(table);
}

static struct us_tcp_wait *get(struct us_tcp_table *table)
{
	struct us_tcp_wait *wait = us_pool_get(&table->wait_pool);

	if (wait)
		return wait;
	us_count(table->stack, tcp_time_wait_overflow);
	us_tcp_wait_drop(table, oldest(table));
	return us_pool_get(&table->wait_pool);
}

/**
 * us_tcp_wait_enter() - leaves a record in the place of a connection
 * @tcp: about to be closed; out of the table; its flow goes to the record.
 */
void us_tcp_wait_enter(struct us_tcp *tcp)
{
	struct us_tcp_table *table = tcp->table;
	struct us_tcp_wait *wait = get(table);
	struct us_tcp_wait **head;

	wait->local = tcp->dst.local;
	wait->remote = tcp->dst.remote;
	wait->local_port = tcp->local_port;
	wait->remote_port = tcp->remote_port;
	wait->snd_nxt = tcp->snd_nxt;
	wait->rcv_nxt = tcp->rcv_nxt;
	wait->ts_recent = tcp->ts_recent;
	wait->ts_offset = tcp->ts_offset;
	wait->window = (uint16_t)us_min32(us_tcp_rcv_wnd(tcp) >> tcp->rcv_wscale,
					  UINT16_MAX);
	wait->family = tcp->dst.family;
	wait->has_ts = tcp->flags & US_TCP_TS;
	wait->oow_at = tcp->oow_at;
	wait->bind = tcp->bind;
	tcp->bind = NULL;
	head = bucket(table, &wait->local, wait->local_port, &wait->remote,
		      wait->remote_port);
	wait->hash_next = *head;
	*head = wait;
	restart(table, wait);
	us_count(table->stack, tcp_time_wait);
}

static void acknowledge(struct us_tcp_table *table, const struct us_tcp_wait *wait,
			const struct us_tcp_segment *seg)
{
	struct us_stack *stack = table->stack;
	struct us_tcp_reply reply = {
		.dst.local = wait->local,
		.dst.remote = wait->remote,
		.dst.family = wait->family,
		.local_port = wait->local_port,
		.remote_port = wait->remote_port,
		.seq = wait->snd_nxt,
		.ack = wait->rcv_nxt,
		.window = wait->window,
		.flags = US_TCP_ACK,
		.has_ts = wait->has_ts,
		.ts_val = us_tcp_tick(stack) + wait->ts_offset,
		.ts_ecr = wait->ts_recent,
	};

	if (us_dst_answer(stack, &reply.dst, seg->pkt))
		return;
	if (wait->bind && wait->bind->link == reply.dst.link)
		reply.dst.flow = wait->bind->id;
	us_tcp_send_reply(stack, &reply);
}

/* RFC 1122 4.2.2.13, RFC 6191 2: a SYN that cannot be an old one opens anew.  With
 * timestamps the new connection refuses all that is left of an old one without.
 */
static bool reopens(const struct us_tcp_wait *wait, const struct us_tcp_segment *seg)
{
	const uint8_t mask = US_TCP_SYN | US_TCP_ACK | US_TCP_RST | US_TCP_FIN;

	if ((seg->flags & mask) != US_TCP_SYN)	/* of the others no listener takes any */
		return false;
	if (seg->has_ts && !wait->has_ts)
		return true;
	if (seg->has_ts && seg->ts_val != wait->ts_recent)
		return us_after(seg->ts_val, wait->ts_recent);
	return us_after(seg->seq, wait->rcv_nxt);
}

/* PAWS, RFC 7323 5.3 */
static bool is_old(const struct us_tcp_wait *wait, const struct us_tcp_segment *seg)
{
	return wait->has_ts && seg->has_ts &&
	       us_before(seg->ts_val, wait->ts_recent);
}

/* The peer's FIN, once more: our ACK was lost. */
static bool is_fin(const struct us_tcp_wait *wait, const struct us_tcp_segment *seg)
{
	return (seg->flags & US_TCP_FIN) && seg->end == wait->rcv_nxt && !is_old(wait, seg);
}

/* An answer is all that these get. */
static void count_ignored(struct us_stack *stack, const struct us_tcp_wait *wait,
			  const struct us_tcp_segment *seg)
{
	if (seg->flags & US_TCP_SYN)
		us_count(stack, tcp_time_wait_syn);
	else if (us_after(seg->end, wait->rcv_nxt))
		us_count(stack, tcp_beyond_fin);
	else
		us_count(stack, tcp_time_wait_old);
}

/**
 * us_tcp_wait_input() - a segment for a connection in TIME-WAIT
 * @table: its table.
 * @wait: the record; freed if false is returned.
 * @seg: the segment.
 * @iss: set if false is returned: initial sequence number for the successor,
 *	beyond all that the old connection used.  NULL: nobody listens, so there is
 *	no successor.
 *
 * Return: true if that was all; false if @seg may open the connection anew.
 */
bool us_tcp_wait_input(struct us_tcp_table *table, struct us_tcp_wait *wait,
		       struct us_tcp_segment *seg, uint32_t *iss)
{
	if (iss && reopens(wait, seg)) {
		*iss = us_tcp_wait_iss(wait);
		us_count(table->stack, tcp_time_wait_reused);
		us_tcp_wait_drop(table, wait);
		return false;
	}
	if (seg->flags & US_TCP_RST) {
		us_count(table->stack, tcp_time_wait_rst);	/* RFC 1337 */
		return true;
	}
	if (seg->seq == wait->rcv_nxt && seg->end == seg->seq) {
		us_count(table->stack, tcp_time_wait_ack);
		return true;
	}
	if (is_fin(wait, seg)) {
		cds_list_del(&wait->node);
		restart(table, wait);
	} else {
		count_ignored(table->stack, wait, seg);
	}
	if (((seg->flags & US_TCP_SYN) || (!seg->len && !(seg->flags & US_TCP_FIN))) &&
	    us_tcp_answered_lately(table->stack, &wait->oow_at))
		us_count(table->stack, tcp_time_wait_limited);
	else
		acknowledge(table, wait, seg);
	return true;
}
