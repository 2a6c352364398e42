// SPDX-License-Identifier: MIT
/*
 * Loss recovery: what an ACK means for the congestion window.  States are
 * Linux's: open, CWR (congestion was signalled, nothing is lost), recovery (fast
 * retransmit under way), loss (after a timeout).
 *
 * With SACK, RACK says what is lost (tcp_rack.c).  Without, RFC 6582: the third
 * duplicate ACK means that the head of the flight is lost, and each partial ACK
 * that the next one is; duplicate ACKs stand for a segment that left the path.
 * In both, proportional rate reduction (RFC 9937) says how much may be sent.
 */
#include "transport/tcp_parts.h"

static bool has_sack(const struct us_tcp *tcp)
{
	return tcp->flags & US_TCP_SACK;
}

/* From here on, until what is in flight now is acknowledged, cwnd goes down to the
 * new ssthresh.  RFC 9937 6.1: RecoverFS is what may yet be delivered; that is what this
 * ACK told of, but not what was sacked before it.
 */
static void begin_reduction(struct us_tcp *tcp, uint32_t delivered)
{
	struct us_tcp_active *a = tcp->active;

	us_tcp_undo_begin(tcp);
	a->recover_fs = us_max32(us_tcp_in_flight(tcp) - a->sacked + delivered, 1);
	tcp->ssthresh = a->cc->ssthresh(tcp);
	us_tcp_ecn_reduced(tcp);
	a->prr_delivered = 0;
	a->prr_out = 0;
}

/* What was reduced in this round trip because of a mark is not reduced again because
 * of a loss; nor undone, if the loss was none (RFC 3168 6.1.2).
 */
static void enter(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	us_count(tcp->table->stack, tcp_fast_retransmit);
	us_tcp_note(tcp, US_TRACE_RECOVERY, tcp->snd_una, a->lost);
	if (a->ca_state == TCP_CA_Open)
		begin_reduction(tcp, r->delivered);
	a->high_seq = tcp->snd_nxt;
	a->tlp_end = 0;
	a->mtu_probe = 0;
	a->ca_state = TCP_CA_Recovery;
	us_tcp_timer_stop(tcp, US_TCP_TIMER_PROBE);
}

/**
 * us_tcp_congested() - the path is congested, though nothing has to be sent again:
 *	the peer echoes a congestion mark (RFC 3168 6.1.2, RFC 9438 4.6), or a tail
 *	loss probe repaired what was lost
 * @tcp: active; called before us_tcp_recover() for the same ACK.
 * @delivered: bytes that it newly acknowledged or sacked.
 *
 * The window is reduced as for a loss, once a round trip; the reduction is never
 * undone.
 * Return: true if it is reduced now, so that the next new data tells of it (CWR).
 */
bool us_tcp_congested(struct us_tcp *tcp, uint32_t delivered)
{
	struct us_tcp_active *a = tcp->active;

	if (a->ca_state != TCP_CA_Open)
		return false;
	begin_reduction(tcp, delivered);
	a->undo_cwnd = 0;
	a->high_seq = tcp->snd_nxt;
	a->ca_state = TCP_CA_CWR;
	us_tcp_note(tcp, US_TRACE_CONGESTED, tcp->snd_una, 0);
	return true;
}

static void leave(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->ca_state != TCP_CA_Loss && !a->cc->model)
		a->cwnd = us_max32(tcp->ssthresh, tcp->mss);
	a->ca_state = TCP_CA_Open;
	a->dupacks = 0;
	a->frto = 0;
	if (!has_sack(tcp))
		a->sacked = 0;
	us_tcp_rack_recovered(tcp);
	us_tcp_cwv_reset(tcp);
}

/* Without SACK, duplicate ACKs that tell of more than there was tell of nothing (RFC 9937
 * 4).
 */
static uint32_t newly_delivered(const struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	const struct us_tcp_active *a = tcp->active;

	return has_sack(tcp) ? r->delivered :
	       us_min32(r->delivered, a->recover_fs - us_min32(a->recover_fs, a->prr_delivered));
}

/* RFC 9937 6.2.  Where nothing arrived, what was found lost has left the path, and may
 * be sent again in its place: cwnd stays.
 */
static us_noinline void reduce(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	uint32_t pipe = us_tcp_pipe(tcp), delivered = newly_delivered(tcp, r), limit;
	struct us_tcp_active *a = tcp->active;
	int64_t send;

	if (!delivered && a->prr_out)
		return;
	a->prr_delivered += delivered;
	if (pipe > tcp->ssthresh) {
		send = (int64_t)(((uint64_t)a->prr_delivered * tcp->ssthresh +
				  a->recover_fs - 1) / a->recover_fs) - a->prr_out;
	} else {
		limit = a->prr_delivered > a->prr_out ?
			a->prr_delivered - a->prr_out : 0;
		limit = us_max32(limit, delivered);
		if (r->acked && !r->newly_lost)
			limit += tcp->mss;
		send = us_min32(tcp->ssthresh - pipe, limit);
	}
	if (send < (a->prr_out ? 0 : tcp->mss))
		send = a->prr_out ? 0 : tcp->mss;
	a->cwnd = us_max32(pipe + (uint32_t)send, tcp->mss);
}

/* Duplicate ACKs, on a connection without SACK, count as deliveries. */
static void count_duplicates(struct us_tcp *tcp, struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	if (r->duplicate) {
		a->dupacks += a->dupacks < US_TCP_DUP_THRESH;
		if (a->ca_state == TCP_CA_Loss)
			return;
		a->sacked = us_min32(a->sacked + tcp->mss,
				     us_tcp_in_flight(tcp) - 1);
		r->delivered += tcp->mss;
		return;
	}
	if (!r->acked)
		return;
	a->dupacks = 0;
	if (r->acked > tcp->mss) {
		uint32_t known = us_min32(a->sacked, r->acked - tcp->mss);

		a->sacked -= known;
		r->delivered -= known;
	}
	a->sacked = us_min32(a->sacked, us_tcp_in_flight(tcp) ?
			     us_tcp_in_flight(tcp) - 1 : 0);
}

static void undo(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent;

	us_count(tcp->table->stack, tcp_spurious);
	us_tcp_note(tcp, US_TRACE_UNDO, tcp->snd_una, 0);
	cds_list_for_each_entry(sent, &a->flight, node) {
		if (!(sent->flags & US_TCP_LOST))
			continue;
		sent->flags &= ~(uint32_t)(US_TCP_LOST | US_TCP_RETRANS);
	}
	a->lost = 0;
	a->retrans = 0;
	a->lost_hint = NULL;
	if (a->rack_copy)	/* of an original, maybe */
		a->rack_rtt = 0;
	if (a->ca_state >= TCP_CA_Recovery)
		leave(tcp);
	a->cwnd = us_max32(a->cwnd, a->undo_cwnd);
	tcp->ssthresh = us_max32(tcp->ssthresh, a->undo_ssthresh);
	a->undo_cwnd = 0;
	if (a->cc->undo)
		a->cc->undo(tcp);
}

/* Is what was outstanding when recovery began acknowledged?  Without SACK one
 * ACK more is needed: duplicates of old segments look like losses (RFC 6582 4).
 */
static bool recovered(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	if (has_sack(tcp) || tcp->snd_una == tcp->snd_nxt)
		return !us_before(tcp->snd_una, a->high_seq);
	return us_after(tcp->snd_una, a->high_seq);
}

static bool must_enter(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	if (a->ca_state >= TCP_CA_Recovery)
		return false;
	return has_sack(tcp) ? a->lost > 0 : a->dupacks >= US_TCP_DUP_THRESH;
}

static void detect(struct us_tcp *tcp, struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	if (has_sack(tcp)) {
		r->newly_lost = us_tcp_rack_detect(tcp);
		return;
	}
	count_duplicates(tcp, r);
	if (a->ca_state >= TCP_CA_Recovery && r->acked &&
	    us_before(tcp->snd_una, a->high_seq)) {
		us_tcp_flight_lose_head(tcp);
		r->newly_lost = true;
	}
}

/* RFC 3465 2.3: without SACK, most of what is acknowledged after a timeout may have been
 * with the peer for long.
 */
static void doubt_delivered(const struct us_tcp *tcp, struct us_tcp_acked *r)
{
	if (tcp->active->ca_state == TCP_CA_Loss && !has_sack(tcp))
		r->delivered = us_min32(r->delivered, tcp->mss);
}

/**
 * us_tcp_adjust_cwnd() - what an ACK does to the congestion window
 * @tcp: active; loss detection and undoing are over.
 * @r: what it told.
 *
 * The window grows by what arrived since the last ACK, not by what the peer holds since
 * before a recovery or a timeout.  Where segments are overtaken, it grows before what they
 * wait for is there, as in Linux.
 */
void us_tcp_adjust_cwnd(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	if (a->cc->model) {
		a->cc->model(tcp, r);
		return;
	}
	if (a->ca_state == TCP_CA_Recovery || a->ca_state == TCP_CA_CWR) {
		if (us_before(tcp->snd_una, a->high_seq))
			reduce(tcp, r);
		else
			a->cwnd = us_max32(tcp->ssthresh, tcp->mss);
	} else if ((r->acked || a->reordering_seen) && !a->frto) {
		a->cc->acked(tcp, r);
	}
	if (us_unlikely(a->pacing_rate))
		us_tcp_pace_update(tcp);
}

/**
 * us_tcp_recover() - an ACK was taken into the books: what follows?
 * @tcp: active.
 * @seg: the ACK; NULL: a timer asks.
 * @r: what it told.
 */
void us_tcp_recover(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		    struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	if (us_unlikely(us_tcp_undo_eifel(tcp, seg, r) || r->twice) ||
	    (us_unlikely(a->frto) && seg && us_tcp_frto(tcp, r)))
		undo(tcp);
	if (us_likely(a->ca_state == TCP_CA_Open && !a->sacked && !r->duplicate &&
		      !a->lost && seg)) {
		us_tcp_probe_acked(tcp, seg, r);
		us_tcp_adjust_cwnd(tcp, r);
		return;
	}
	us_tcp_probe_acked(tcp, seg, r);
	doubt_delivered(tcp, r);
	if (a->ca_state != TCP_CA_Open && recovered(tcp))
		leave(tcp);
	detect(tcp, r);
	if (must_enter(tcp)) {
		enter(tcp, r);
		if (!has_sack(tcp))
			us_tcp_flight_lose_head(tcp);
	}
	us_tcp_adjust_cwnd(tcp, r);
}

/**
 * us_tcp_recover_timeout() - the retransmission timer ran
 * @tcp: active, with something in flight.
 *
 * RFC 5681 3.1 (equations 4 and 5), RFC 6298 5.4.  A second timeout for the same
 * flight does not halve ssthresh again.
 */
void us_tcp_recover_timeout(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	us_tcp_frto_begin(tcp);
	if (a->ca_state < TCP_CA_Recovery)
		us_tcp_undo_begin(tcp);
	if (a->ca_state != TCP_CA_Loss || !us_before(tcp->snd_una, a->high_seq))
		tcp->ssthresh = a->cc->ssthresh(tcp);
	us_tcp_ecn_reduced(tcp);
	us_tcp_flight_lose_old(tcp, has_sack(tcp) ? us_tcp_rack_window(tcp) : 0);
	if (!has_sack(tcp))
		a->sacked = 0;
	a->cwnd = tcp->mss;
	a->pace_at = tcp->table->stack->now;	/* a timer was waited for already */
	a->high_seq = tcp->snd_nxt;
	a->ca_state = TCP_CA_Loss;
	a->dupacks = 0;
	a->tlp_end = 0;
	us_tcp_timer_stop(tcp, US_TCP_TIMER_REO);
	us_tcp_timer_stop(tcp, US_TCP_TIMER_PROBE);
	if (a->cc->timeout)
		a->cc->timeout(tcp);
}

/**
 * us_tcp_recover_mtu() - segments in flight were too big for the path
 * @tcp: mss is the new one.
 *
 * What is in flight is sent again; that is no sign of congestion (RFC 1191 6.4).
 */
void us_tcp_recover_mtu(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (!a || tcp->snd_una == tcp->snd_nxt)
		return;
	us_tcp_flight_lose_old(tcp, 0);
	if (!has_sack(tcp))
		a->sacked = 0;
	if (a->ca_state < TCP_CA_Recovery) {
		a->high_seq = tcp->snd_nxt;
		a->ca_state = TCP_CA_Loss;
		a->undo_cwnd = 0;
	}
	us_tcp_queue(tcp);
}
