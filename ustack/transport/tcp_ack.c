// SPDX-License-Identifier: MIT
/* An acceptable ACK: books, window, round-trip time, timers. */
#include "transport/tcp_parts.h"

/* A peer that answers has not died, whatever it makes of its window: while that is
 * closed, retransmissions back off so far, and do not end the connection
 * (RFC 9293 3.8.6.1).
 */
#define CLOSED_RETRIES	8

/**
 * us_tcp_rto_after() - the retransmission timeout, backed off
 * @tcp: the connection.
 * @timeouts: in a row, each of which doubles it.
 *
 * RFC 6298 with Linux's minimum.
 * Return: usec.
 */
uint32_t us_tcp_rto_after(const struct us_tcp *tcp, uint32_t timeouts)
{
	uint64_t rto = tcp->rttvar ? tcp->rttvar : US_TCP_RTO_INIT;

	if (tcp->srtt)
		rto = (uint64_t)(tcp->srtt >> 3) +
		      us_max32(tcp->rttvar, US_TCP_RTO_MIN);
	rto <<= us_min32(timeouts, 20);
	return (uint32_t)(rto < US_TCP_RTO_MAX ? rto : US_TCP_RTO_MAX);
}

/**
 * us_tcp_rto() - the retransmission timeout
 * @tcp: backed off by retries.
 *
 * Return: usec.
 */
uint32_t us_tcp_rto(const struct us_tcp *tcp)
{
	return us_tcp_rto_after(tcp, tcp->retries);
}

static bool round_is_over(const struct us_tcp *tcp)
{
	return !us_before(tcp->snd_una, tcp->active->round_end);
}

/**
 * us_tcp_rtt_sample() - RFC 6298 2.2, 2.3
 * @tcp: the connection, active if this is not its first sample.
 * @usec: a round-trip time, of something that was sent once.
 *
 * Each ACK is a sample.  RTTVAR grows with each, but shrinks once a round trip, so that a
 * window of samples alike does not wipe out what was before (RFC 7323 4.2).
 */
void us_tcp_rtt_sample(struct us_tcp *tcp, uint32_t usec)
{
	int32_t error;

	usec = us_min32(us_max32(usec, 1), US_TCP_RTO_MAX);
	if (!tcp->srtt) {
		tcp->srtt = usec << 3;
		tcp->rttvar = usec << 1;
		return;
	}
	error = (int32_t)(usec - (tcp->srtt >> 3));
	tcp->srtt = (uint32_t)((int32_t)tcp->srtt + error);
	if (!tcp->srtt)
		tcp->srtt = 1;
	if (error < 0)
		error = -error;
	error -= (int32_t)(tcp->rttvar >> 2);
	if (error > 0 || round_is_over(tcp))
		tcp->rttvar = (uint32_t)((int32_t)tcp->rttvar + error);
}

/* Runs sent once are timed exactly; else timestamps tell which copy arrived. */
static void sample_rtt(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_tcp_acked *r)
{
	const struct us_stack *stack = tcp->table->stack;
	uint32_t ticks;

	if (r->timed) {
		us_tcp_rtt_sample(tcp, us_tcp_since(r->first_xmit, us_tcp_usec(stack)));
		return;
	}
	if (!(tcp->flags & US_TCP_TS) || !seg->has_ts || !seg->ts_ecr)
		return;
	ticks = us_tcp_tick(stack) + tcp->ts_offset - seg->ts_ecr;
	if (ticks < US_TCP_RTO_MAX >> (US_TCP_TICK_SHIFT - US_TCP_USEC_SHIFT))
		us_tcp_rtt_sample(tcp, us_max32(ticks, 1) <<
				  (US_TCP_TICK_SHIFT - US_TCP_USEC_SHIFT));
}

/* It was closed, and has opened: probes end.  The same timer lets go what waits for more, which
 * a window that was open all the time does not put off.
 */
static us_noinline void reopen(struct us_tcp *tcp)
{
	tcp->active->persist_shift = 0;
	us_tcp_timer_stop(tcp, US_TCP_TIMER_PERSIST);
}

static void set_window(struct us_tcp *tcp, uint32_t seq, uint32_t window)
{
	if (us_unlikely(!tcp->snd_wnd) && window && tcp->active)
		reopen(tcp);
	tcp->snd_wl1 = seq;
	tcp->snd_wnd = window;
	if (window > tcp->max_snd_wnd)
		tcp->max_snd_wnd = window;
}

/* RFC 9293 3.10.7.4's rule, made safe against reordered segments as in Linux: a
 * segment that is no newer may only open the window, or close it entirely.
 * snd_una is still what it was before the segment.
 */
static void update_window(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	uint32_t window = seg->window;

	if (!(seg->flags & US_TCP_SYN))
		window <<= tcp->snd_wscale;
	if (!us_after(seg->ack, tcp->snd_una) && !us_after(seg->seq, tcp->snd_wl1) &&
	    !(seg->seq == tcp->snd_wl1 && (window > tcp->snd_wnd || !window)))
		return;
	set_window(tcp, seg->seq, window);
}

/* RFC 5681 2, but for the condition that something is in flight. */
static bool is_repeated(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
			uint32_t old_window)
{
	return seg->ack == tcp->snd_una && seg->seq == seg->end &&
	       tcp->snd_wnd == old_window;
}

static void stop_timers(struct us_tcp *tcp)
{
	us_tcp_timer_stop(tcp, US_TCP_TIMER_REXMT);
	us_tcp_timer_stop(tcp, US_TCP_TIMER_PROBE);
	us_tcp_timer_stop(tcp, US_TCP_TIMER_REO);
}

/* RFC 6298 5.2, 5.3 */
static void restart_timers(struct us_tcp *tcp)
{
	if (tcp->snd_una == tcp->snd_nxt) {
		stop_timers(tcp);
	} else {
		us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, us_tcp_rto(tcp));
		us_tcp_probe_arm(tcp);
	}
}

/* A timeout is over: what did it cost? */
static void note_repaired(struct us_tcp *tcp)
{
	uint32_t ticks = us_tcp_tick(tcp->table->stack) - tcp->active->stalled_at;

	tcp->active->totals.rto_ticks += ticks;
}

static void advance(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		    struct us_tcp_acked *r)
{
	us_tcp_flight_ack(tcp, seg->ack, r);
	r->acked = seg->ack - tcp->snd_una;
	tcp->bytes_acked += r->acked;
	if (us_unlikely(tcp->retries))
		note_repaired(tcp);
	tcp->snd_una = seg->ack;
	tcp->retries = 0;
	tcp->soft_error = 0;
	us_tcp_sndq_ack(tcp);
	if (us_unlikely(tcp->active->mtu_probe))
		us_tcp_mtu_acked(tcp);
	if ((tcp->flags & US_TCP_FIN_SENT) && tcp->snd_una == tcp->snd_nxt) {
		tcp->flags |= US_TCP_FIN_ACKED;
		tcp->bytes_acked--;	/* no payload */
	}
	if ((tcp->flags & US_TCP_URGING) &&
	    !us_before(tcp->snd_una, tcp->active->snd_up))
		tcp->flags &= ~US_TCP_URGING;
	sample_rtt(tcp, seg, r);
}

static void note_dsack(struct us_tcp *tcp, const struct us_tcp_sack *twice,
		       struct us_tcp_acked *r)
{
	struct us_tcp_totals *totals = &tcp->active->totals;

	/* The network repeats ACKs, too. */
	if (twice->start == totals->twice && !tcp->active->resent_twice)
		return;
	totals->twice = twice->start;
	us_count(tcp->table->stack, tcp_dsack_in);
	totals->dsacks++;
	us_tcp_rack_dsack(tcp);
	r->twice = us_tcp_undo_dsack(tcp, twice);
}

/* Is a round trip over? */
static void note_round(struct us_tcp *tcp, struct us_tcp_acked *r)
{
	if (!round_is_over(tcp))
		return;
	r->round = true;
	tcp->active->reo_told = false;
	us_tcp_cwv_round(tcp);
}

static bool wants_output(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return a->snd_end != tcp->snd_nxt - !!(tcp->flags & US_TCP_FIN_SENT) ||
	       a->lost != a->retrans ||
	       (tcp->flags & (US_TCP_FIN_QUEUED | US_TCP_FIN_SENT)) ==
	       US_TCP_FIN_QUEUED;
}

/* All is acknowledged that the segment told of: is there more to send? */
static void go_on(struct us_tcp *tcp)
{
	if (wants_output(tcp))
		us_tcp_queue(tcp);
	else if (tcp->snd_una == tcp->snd_nxt)
		us_tcp_limited_by(tcp, US_TCP_LIMIT_NONE);
}

/**
 * us_tcp_ack_nothing() - does the ACK of a data segment tell nothing at all?
 * @tcp: active, established.
 * @seg: predicted.
 *
 * In a transfer that goes one way, nothing of ours is in flight or waits, and the
 * peer's window is what it was.
 * Return: true if so, and all is done; false: us_tcp_ack() has to look.
 */
bool us_tcp_ack_nothing(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!seg->len || tcp->snd_una != tcp->snd_nxt || seg->nr_sack ||
	    seg->window << tcp->snd_wscale != tcp->snd_wnd || wants_output(tcp))
		return false;
	tcp->last_rcv = us_tcp_tick(tcp->table->stack);
	tcp->keep_probes = 0;
	tcp->retries = 0;
	tcp->snd_wl1 = seg->seq;
	return true;
}

/* Nothing of ours is in doubt, all that is in flight was sent once, in one poll, and is
 * acknowledged, and who waits to send did not wait for this.
 */
static bool is_plain(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	const struct us_tcp_active *a = tcp->active;

	return us_tcp_is_calm(a) && us_tcp_flight_is_one(a) && seg->ack == tcp->snd_nxt &&
	       !(tcp->flags & (US_TCP_ECN | US_TCP_URGING)) && !tcp->retries &&
	       !seg->nr_sack && seg->window && us_tcp_writable(tcp);
}

/**
 * us_tcp_ack_all() - is this the ACK of a request, or of a response?
 * @tcp: active, established.
 * @seg: predicted.
 *
 * What us_tcp_ack() comes to then, without the questions.
 * Return: true if so, and all is done; false: us_tcp_ack() has to look.
 */
bool us_tcp_ack_all(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_acked r = { 0 };

	if (!is_plain(tcp, seg))
		return false;
	tcp->last_rcv = us_tcp_tick(tcp->table->stack);
	tcp->keep_probes = 0;
	tcp->soft_error = 0;
	set_window(tcp, seg->seq, seg->window << tcp->snd_wscale);
	us_tcp_flight_ack_all(tcp, &r);
	r.acked = us_tcp_in_flight(tcp);
	tcp->bytes_acked += r.acked;
	tcp->snd_una = seg->ack;
	us_tcp_sndq_ack(tcp);
	us_tcp_rtt_sample(tcp, r.rtt);
	us_tcp_rate_sample(tcp, &r.rate);
	note_round(tcp, &r);
	us_tcp_adjust_cwnd(tcp, &r);
	if (us_unlikely(a->cwnd > tcp->sndbuf / 2))
		us_tcp_sndbuf_grow(tcp);
	stop_timers(tcp);
	go_on(tcp);
	return true;
}

/*
 * Overtaken by a later ACK; but what it tells beside may be told nowhere else: an ACK has
 * room for three runs, and for one duplicate (RFC 2018 5, RFC 2883 4).  Blocks below
 * snd_una are not believed, so a repetition of old ACKs tells nothing twice.  Whether a
 * timeout was spurious it cannot say: no segment, as far as recovery is concerned.
 */
static void old_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_acked r = { .seg = seg, .prior_una = tcp->snd_una };

	us_count(tcp->table->stack, tcp_old_ack);
	if (!tcp->active || !seg->nr_sack)
		return;
	us_tcp_sack_input(tcp, seg, &r);
	us_tcp_rate_sample(tcp, &r.rate);
	if (r.dsack)
		note_dsack(tcp, &seg->sack[0], &r);
	us_tcp_recover(tcp, NULL, &r);
	go_on(tcp);
}

/**
 * us_tcp_ack() - takes the acknowledgement of a segment
 * @tcp: synchronized.
 * @seg: acceptable, no older than RFC 5961 5.2 lets it be, and ack <= snd_nxt.
 */
void us_tcp_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_acked r = { .seg = seg, .prior_una = tcp->snd_una };
	uint32_t old_window = tcp->snd_wnd;
	bool was_writable;

	if (us_unlikely(!tcp->active))
		us_tcp_cwv_heard(tcp);
	tcp->last_rcv = us_tcp_tick(tcp->table->stack);
	tcp->keep_probes = 0;
	if (us_unlikely(us_before(seg->ack, tcp->snd_una))) {
		old_ack(tcp, seg);
		return;
	}
	update_window(tcp, seg);
	if (!tcp->active)
		return;
	r.repeated = is_repeated(tcp, seg, old_window);
	r.duplicate = r.repeated && tcp->snd_una != tcp->snd_nxt;
	was_writable = us_tcp_writable(tcp);
	if (us_after(seg->ack, tcp->snd_una))
		advance(tcp, seg, &r);
	else if (tcp->snd_una == tcp->snd_nxt)
		tcp->retries = 0;	/* answers a window probe */
	else if (!tcp->snd_wnd)
		tcp->retries = (uint8_t)us_min32(tcp->retries, CLOSED_RETRIES);
	if (us_unlikely(seg->nr_sack))
		us_tcp_sack_input(tcp, seg, &r);
	us_tcp_rate_sample(tcp, &r.rate);
	if (r.duplicate)
		us_count(tcp->table->stack, tcp_dup_ack);
	if (us_unlikely(r.dsack))
		note_dsack(tcp, &seg->sack[0], &r);
	if (r.acked)
		note_round(tcp, &r);
	if (us_unlikely(tcp->flags & US_TCP_ECN))
		us_tcp_ecn_echoed(tcp, seg, &r);
	us_tcp_recover(tcp, seg, &r);
	if (us_unlikely(tcp->active->cwnd > tcp->sndbuf / 2))
		us_tcp_sndbuf_grow(tcp);
	if (r.acked)
		restart_timers(tcp);
	if (wants_output(tcp) && us_unlikely(tcp->active->sacked && !seg->len))
		us_tcp_output(tcp);
	else
		go_on(tcp);
	if (!was_writable && us_tcp_writable(tcp))
		us_tcp_notify(tcp);
}
