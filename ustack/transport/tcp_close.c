// SPDX-License-Identifier: MIT
/* The end of a connection: FIN both ways, RST, and letting go. */
#include "transport/tcp_parts.h"

/* Frees a connection that is CLOSED and that no user knows.  The block lives until
 * the call at work ends (us_tcp_reap()).
 */
static void release(struct us_tcp *tcp)
{
	if (tcp->flags & US_TCP_DEAD)
		return;
	us_tcp_fold(tcp);
	us_timer_cancel(&tcp->table->stack->wheel, &tcp->timer);
	tcp->flags |= US_TCP_DEAD;
	tcp->hash_next = tcp->table->dead;
	tcp->table->dead = tcp;
}

static void drop_queues(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (!a)
		return;
	us_tcp_flight_free(tcp);
	us_tcp_sndq_free(tcp);
	us_tcp_reass_free(tcp);
	cds_list_del_init(&a->mem_wait);
}

/**
 * us_tcp_done() - a connection becomes CLOSED
 * @tcp: leaves all tables and lists; what was received can still be read.
 * @err: why, as a positive errno; 0: in order.
 */
void us_tcp_done(struct us_tcp *tcp, int err)
{
	struct us_tcp_table *table = tcp->table;

	if (tcp->state == TCP_CLOSE)
		return;
	if (err) {
		tcp->error = (uint16_t)err;
		us_tcp_note(tcp, US_TRACE_ERROR, tcp->snd_una, (uint32_t)err);
	}
	us_count(table->stack, tcp_closed);
	us_tcp_count_all(tcp, table->stack->counter);
	us_tcp_unqueue(tcp);
	us_tcp_listen_forget(tcp);
	us_tcp_fastopen_over(tcp);
	us_tcp_remove(tcp);
	us_tcp_bind_put(table, tcp->bind);
	tcp->bind = NULL;
	memset(tcp->deadline, 0, sizeof(tcp->deadline));
	us_timer_cancel(&table->stack->wheel, &tcp->timer);
	drop_queues(tcp);
	us_tcp_enter(tcp, TCP_CLOSE);
	tcp->flags &= ~US_TCP_ACK_NOW;
	if ((tcp->flags & US_TCP_ORPHAN) && !(tcp->flags & US_TCP_UNACCEPTED))
		release(tcp);
	else
		us_tcp_notify(tcp);
}

/* Both sides have closed, and we closed first: a record takes the block's place. */
static void enter_time_wait(struct us_tcp *tcp)
{
	us_tcp_listen_forget(tcp);
	us_tcp_remove(tcp);
	us_tcp_wait_enter(tcp);
	us_tcp_done(tcp, 0);
}

/* As Linux: what the user has yet to say, or our FIN, will carry it.  To a peer that said
 * nothing there is seldom anything to say.
 */
static void acknowledge_later(struct us_tcp *tcp)
{
	tcp->active->pingpong = true;
	if (tcp->bytes_received)
		us_tcp_schedule_ack(tcp);
	else
		us_tcp_timer_set(tcp, US_TCP_TIMER_DELACK, US_TCP_MSEC(1));
}

/**
 * us_tcp_fin_received() - the peer's FIN is next in order
 * @tcp: active, in ESTABLISHED, FIN-WAIT-1 or FIN-WAIT-2.
 *
 * RFC 9293 3.10.7.4, eighth.
 */
void us_tcp_fin_received(struct us_tcp *tcp)
{
	tcp->rcv_nxt++;
	tcp->flags |= US_TCP_FIN_RCVD;
	tcp->flags &= ~US_TCP_FIN_AHEAD;
	us_tcp_reass_free(tcp);		/* nothing can be behind a FIN */
	if (tcp->state == TCP_FIN_WAIT2) {
		us_tcp_send_ack(tcp);
		enter_time_wait(tcp);
		return;
	}
	if (tcp->state == TCP_ESTABLISHED) {
		us_tcp_enter(tcp, TCP_CLOSE_WAIT);
		acknowledge_later(tcp);
	} else {
		us_tcp_enter(tcp, TCP_CLOSING);
		us_tcp_ack_now(tcp);
	}
	us_tcp_notify(tcp);
}

/* As Linux: the peer has the time for a few retransmissions, whatever the user says. */
static uint32_t fin_wait(const struct us_tcp *tcp)
{
	uint32_t seconds = tcp->linger2 ? (uint32_t)tcp->linger2 : US_TCP_LINGER2;

	return us_max32(US_TCP_MSEC(seconds * 1000), us_tcp_rto(tcp) / 2 * 7);
}

/* Nobody hears what the peer has yet to say: its FIN is all that is waited for. */
static void start_linger(struct us_tcp *tcp)
{
	if (tcp->state != TCP_FIN_WAIT2 || !(tcp->flags & US_TCP_ORPHAN))
		return;
	if (tcp->linger2 >= 0) {
		us_tcp_timer_set(tcp, US_TCP_TIMER_LINGER, fin_wait(tcp));
		return;
	}
	us_tcp_send_reset(tcp);
	us_tcp_done(tcp, 0);
}

/**
 * us_tcp_fin_acked() - our FIN is acknowledged
 * @tcp: any state; RFC 9293 3.10.7.4, fifth.
 */
void us_tcp_fin_acked(struct us_tcp *tcp)
{
	if (tcp->state == TCP_FIN_WAIT1) {
		us_tcp_enter(tcp, TCP_FIN_WAIT2);
		start_linger(tcp);
		us_tcp_notify(tcp);
	} else if (tcp->state == TCP_CLOSING) {
		enter_time_wait(tcp);
	} else if (tcp->state == TCP_LAST_ACK) {
		us_tcp_done(tcp, 0);
	}
}

/* Queues the FIN; false if it cannot be tracked. */
static bool queue_fin(struct us_tcp *tcp)
{
	if (!us_tcp_activate(tcp))
		return false;
	tcp->flags |= US_TCP_FIN_QUEUED;
	tcp->flags &= ~US_TCP_MORE;
	if (tcp->state == TCP_ESTABLISHED)
		us_tcp_enter(tcp, TCP_FIN_WAIT1);
	else if (tcp->state == TCP_CLOSE_WAIT)
		us_tcp_enter(tcp, TCP_LAST_ACK);
	us_tcp_queue(tcp);
	return true;
}

/**
 * us_tcp_shutdown() - no more will be sent: FIN
 * @tcp: the connection.
 *
 * Return: 0, -ENOTCONN, -ENOBUFS.
 */
int us_tcp_shutdown(struct us_tcp *tcp)
{
	if (tcp->state == TCP_CLOSE || tcp->state == TCP_SYN_SENT)
		return -ENOTCONN;
	if (tcp->flags & US_TCP_FIN_QUEUED)
		return 0;
	if (!queue_fin(tcp))
		return -ENOBUFS;
	us_tcp_notify(tcp);
	return 0;
}

/**
 * us_tcp_shutdown_read() - no call waits for more
 * @tcp: what comes can be read, as in Linux, until writing is shut down, too: then it
 *	resets.
 */
void us_tcp_shutdown_read(struct us_tcp *tcp)
{
	tcp->flags |= US_TCP_SHUT_RD;
	us_tcp_notify(tcp);
}

/**
 * us_tcp_abort() - ends a connection with RST; the user lets go
 * @tcp: not touched by the user any more.
 */
void us_tcp_abort(struct us_tcp *tcp)
{
	struct us_tcp_table *table = tcp->table;

	tcp->flags |= US_TCP_ORPHAN;
	if (tcp->state == TCP_CLOSE) {
		release(tcp);
	} else {
		us_tcp_send_reset(tcp);
		us_tcp_done(tcp, 0);
	}
	us_tcp_reap(table);
}

static bool has_unread(const struct us_tcp *tcp)
{
	return tcp->active && tcp->active->rcv_bytes;
}

/**
 * us_tcp_close() - the user lets go of a connection
 * @tcp: closes in order in the background; with RST if data was left unread
 *	(RFC 2525 2.17), or if too many close already.  Not touched by the user
 *	any more, and what it sends is copied where it lay in the user's memory.
 * @linger2: seconds in FIN-WAIT-2, 0 is the default; negative: none at all.
 */
void us_tcp_close(struct us_tcp *tcp, int linger2)
{
	struct us_tcp_table *table = tcp->table;

	if (tcp->active)
		us_tcp_sndq_take_back(tcp->active);
	if (tcp->state == TCP_CLOSE || tcp->state == TCP_SYN_SENT ||
	    has_unread(tcp) ||
	    (!(tcp->flags & US_TCP_FIN_QUEUED) && !queue_fin(tcp))) {
		us_tcp_abort(tcp);
		return;
	}
	if (!us_tcp_move(tcp, US_TCP_SHARE_ORPHAN)) {
		us_count(table->stack, tcp_orphan_dropped);
		us_tcp_abort(tcp);
		return;
	}
	us_tcp_sndq_return(tcp);
	tcp->flags |= US_TCP_ORPHAN;
	tcp->linger2 = linger2;
	start_linger(tcp);
	us_tcp_reap(table);
}
