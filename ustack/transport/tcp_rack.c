// SPDX-License-Identifier: MIT
/*
 * RACK-TLP, RFC 8985: losses are detected by time, and the tail of a flight is
 * probed before the retransmission timer runs.  Needs SACK.
 */
#include "transport/tcp_parts.h"

#define REO_PERSIST	16u			/* RFC 8985 6.2 step 4 */
#define REO_STEPS_MAX	(UINT8_MAX - 1u)	/* SRTT is the limit long before */
#define RTT_PERIOD	us_tcp_ticks(150 * US_SEC)
#define LONG_AGO	(1u << 30)	/* usec: a quarter of all */
#define TLP_DELACK	US_TCP_MSEC(200)	/* RFC 8985 7.2: WCDelAckT */
#define TLP_MIN		US_TCP_MSEC(2)		/* as Linux: what timers can do */

/* RFC 8985 6.2 step 2, RACK_sent_after() */
static bool sent_after(uint32_t t1, uint32_t end1, uint32_t t2, uint32_t end2)
{
	return us_after(t1, t2) || (t1 == t2 && us_after(end1, end2));
}

/* Until something was timed, a half of SRTT, which is of the handshake or of before a
 * pause.
 */
static uint32_t least_rtt(const struct us_tcp *tcp)
{
	uint32_t min_rtt = tcp->active->min_rtt;

	return min_rtt == UINT32_MAX ? tcp->srtt >> 4 : min_rtt;
}

/* RFC 7323 4.3: an ACK that advances echoes what filled the hole, but a duplicate ACK, with
 * its SACK blocks, what came before the hole.
 */
static bool echoes_older(const struct us_tcp *tcp, const struct us_tcp_sent *sent,
			 const struct us_tcp_segment *seg)
{
	const struct us_stack *stack = tcp->table->stack;
	us_ns ago = (us_ns)us_tcp_since(sent->xmit, us_tcp_usec(stack)) << US_TCP_USEC_SHIFT;
	uint32_t tick = (uint32_t)((stack->now - ago) >> US_TCP_TICK_SHIFT);

	return (tcp->flags & US_TCP_TS) && seg->has_ts && seg->ts_ecr &&
	       us_before(sent->seq, seg->ack) &&
	       us_before(seg->ts_ecr, tick + tcp->ts_offset);
}

/* RFC 8985 6.2 step 2: was it the original, or an older copy, that arrived? */
static bool is_older_copy(const struct us_tcp *tcp, const struct us_tcp_sent *sent,
			  uint32_t rtt, const struct us_tcp_segment *seg)
{
	return (sent->flags & US_TCP_EVER) &&
	       (rtt < least_rtt(tcp) || echoes_older(tcp, sent, seg));
}

static void note_rtt(struct us_tcp_active *a, uint32_t rtt)
{
	if (rtt >= a->rtt_lately)
		return;
	a->rtt_lately = rtt;
	a->min_rtt = us_min32(a->min_rtt, rtt);
}

/**
 * us_tcp_rack_expire() - forgets a least RTT that is older than two periods, and what was
 *	delivered last if that was sent long ago
 * @tcp: active.
 *
 * A path that has become longer is not what it was.  Two periods are the five minutes of
 * Linux; of one in which nothing was timed no end is made.
 *
 * A peer may keep its window closed for hours with something in flight.  What was delivered
 * before would in the end seem to be younger than all that is sent.
 */
void us_tcp_rack_expire(struct us_tcp *tcp)
{
	uint32_t tick = us_tcp_tick(tcp->table->stack);
	struct us_tcp_active *a = tcp->active;

	if (us_tcp_since(a->rack_xmit, us_tcp_usec(tcp->table->stack)) > LONG_AGO)
		a->rack_rtt = 0;
	if (tick - a->rtt_at < RTT_PERIOD || a->rtt_lately == UINT32_MAX)
		return;
	a->min_rtt = a->rtt_lately;
	a->rtt_lately = UINT32_MAX;
	a->rtt_at = tick;
}

/**
 * us_tcp_rack_delivered() - a run was delivered for the first time
 * @tcp: active.
 * @sent: the run, as it was.
 * @r: gets its round-trip time.
 *
 * RFC 8985 6.2 steps 1 and 2.
 */
void us_tcp_rack_delivered(struct us_tcp *tcp, const struct us_tcp_sent *sent,
			   struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t rtt = us_max32(us_tcp_since(sent->xmit, us_tcp_usec(tcp->table->stack)), 1);

	if (is_older_copy(tcp, sent, rtt, r->seg))
		return;
	if (!(sent->flags & US_TCP_EVER) && !sent->blurred) {
		note_rtt(a, rtt);
		r->rtt = r->rtt ? us_min32(r->rtt, rtt) : rtt;
	}
	if (a->rack_rtt && !sent_after(sent->xmit, sent->end, a->rack_xmit,
				       a->rack_end))
		return;
	a->rack_rtt = rtt;
	a->rack_copy = sent->flags & US_TCP_EVER;
	a->rack_xmit = sent->xmit;
	a->rack_end = sent->end;
}

/* RFC 8985 6.2 step 4. */
static uint32_t reorder_window(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	if (!a->reordering_seen &&
	    (a->ca_state >= TCP_CA_Recovery ||
	     a->sacked >= (uint32_t)US_TCP_DUP_THRESH * tcp->mss))
		return 0;
	if (a->min_rtt == UINT32_MAX)
		return 0;
	return us_min32((a->min_rtt >> 2) * (1u + a->reo_steps), tcp->srtt >> 3);
}

/**
 * us_tcp_rack_window() - for how long may a segment still arrive?
 * @tcp: active.
 *
 * Return: usec since it was sent.
 */
uint32_t us_tcp_rack_window(const struct us_tcp *tcp)
{
	uint32_t rtt = tcp->active->rack_rtt;

	return (rtt ? rtt : tcp->srtt >> 3) + reorder_window(tcp);
}

/**
 * us_tcp_rack_dsack() - the peer had something twice: it was late, not lost
 * @tcp: active.
 *
 * RFC 8985 6.2 step 4: the reordering window grows by a step in each round trip that
 * tells so.  A tail loss probe is meant to be such a copy now and then; and what was not
 * sent twice tells of a path that duplicates, or of a stranger's segment, not of RACK.
 */
void us_tcp_rack_dsack(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->tlp_end || a->reo_told || us_tcp_path_duplicates(tcp))
		return;
	a->reo_told = true;
	a->reo_persist = REO_PERSIST;
	if (a->reo_steps < REO_STEPS_MAX)
		a->reo_steps++;
}

/**
 * us_tcp_rack_recovered() - a recovery is over
 * @tcp: active.
 *
 * A larger window is given up after sixteen of them without a D-SACK.
 */
void us_tcp_rack_recovered(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->reo_persist && !--a->reo_persist)
		a->reo_steps = 0;
}

/**
 * us_tcp_rack_detect() - marks what must be lost by now
 * @tcp: active, with SACK.
 *
 * RFC 8985 6.2 step 5.  The walk ends at the first run that was sent once and
 * later than what was delivered last: all behind it are younger still.
 * Return: true if anything was marked.
 */
bool us_tcp_rack_detect(struct us_tcp *tcp)
{
	uint32_t now = us_tcp_usec(tcp->table->stack), wait = 0, window;
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent;
	bool marked = false;

	if (!a->rack_rtt)
		return false;
	window = us_tcp_rack_window(tcp);
	cds_list_for_each_entry(sent, &a->flight, node) {
		int32_t left = (int32_t)(sent->xmit + window - now);

		if ((sent->flags & US_TCP_SACKED) ||
		    (sent->flags & (US_TCP_LOST | US_TCP_RETRANS)) == US_TCP_LOST)
			continue;
		if (!sent_after(a->rack_xmit, a->rack_end, sent->xmit, sent->end)) {
			if (sent->flags & US_TCP_EVER)
				continue;
			break;
		}
		if (left <= 0 && us_unlikely(a->mtu_probe) && us_tcp_mtu_lost(tcp, sent))
			continue;
		if (left <= 0) {
			us_tcp_flight_lose(tcp, sent);
			marked = true;
		} else {
			wait = us_max32(wait, (uint32_t)left);
		}
	}
	if (wait)
		us_tcp_timer_set(tcp, US_TCP_TIMER_REO, wait);
	else
		us_tcp_timer_stop(tcp, US_TCP_TIMER_REO);
	return marked;
}

/**
 * us_tcp_rack_timeout() - the reordering window is over
 * @tcp: active.
 */
void us_tcp_rack_timeout(struct us_tcp *tcp)
{
	struct us_tcp_acked r = { .prior_una = tcp->snd_una };

	if (tcp->snd_una == tcp->snd_nxt)
		return;
	us_tcp_recover(tcp, NULL, &r);
	us_tcp_output(tcp);
}

/* In fast recovery, too: what was sent again is a tail as well, and often the only thing
 * on the path; see tcp.rst.
 */
static bool may_probe(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	if (!(tcp->flags & US_TCP_SACK) || !tcp->srtt || a->tlp_end ||
	    tcp->snd_una == tcp->snd_nxt)
		return false;
	return a->ca_state == TCP_CA_Recovery || (a->ca_state < TCP_CA_Recovery && !a->sacked);
}

/**
 * us_tcp_probe_arm() - schedules a tail loss probe, RFC 8985 7.2
 * @tcp: active; something was sent, or new data acknowledged while more is in flight.
 *
 * If the retransmission timer runs before, the probe takes its place (tcp_timer.c).  It
 * mostly does before that of a single segment, which so costs no timer of its own.
 */
void us_tcp_probe_arm(struct us_tcp *tcp)
{
	uint32_t pto = tcp->srtt >> 2;		/* 2 * SRTT */

	if (!may_probe(tcp)) {
		us_tcp_timer_stop(tcp, US_TCP_TIMER_PROBE);
		return;
	}
	pto += us_tcp_in_flight(tcp) <= tcp->mss ? TLP_DELACK : TLP_MIN;
	if (pto < us_tcp_rto(tcp))
		us_tcp_timer_set(tcp, US_TCP_TIMER_PROBE, pto);
	else
		*us_tcp_deadline(tcp, US_TCP_TIMER_PROBE) =
			*us_tcp_deadline(tcp, US_TCP_TIMER_REXMT);
}

/**
 * us_tcp_probe() - sends a tail loss probe, RFC 8985 7.3
 * @tcp: active.
 *
 * Return: true if it was sent; then the retransmission timer begins anew.
 */
bool us_tcp_probe(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t end = tcp->snd_nxt, stalled_at = a->last_snd;

	us_tcp_timer_stop(tcp, US_TCP_TIMER_PROBE);
	if (tcp->snd_una == end || !us_tcp_output_probe(tcp))
		return false;
	a->tlp_end = tcp->snd_nxt;
	a->stalled_at = stalled_at;
	/* In recovery what it repairs is counted already. */
	a->tlp_again = tcp->snd_nxt == end && a->ca_state < TCP_CA_Recovery;
	us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT,
			 us_tcp_timer_clamp(tcp, us_tcp_rto(tcp)));
	return true;
}

/* By D-SACK of its end, in which a FIN may count or not; or by an ACK that tells nothing. */
static bool told_twice(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_tcp_acked *r)
{
	uint32_t behind = tcp->active->tlp_end - seg->sack[0].end;

	if (r->dsack)
		return !behind || (behind == 1 && (tcp->flags & US_TCP_FIN_SENT));
	return r->repeated && !seg->nr_sack;
}

/**
 * us_tcp_probe_acked() - did a tail loss probe repair something?
 * @tcp: active.
 * @seg: an ACK; NULL: none.
 * @r: what it told.
 *
 * RFC 8985 7.4.  An ACK of all that was sent before the probe may be that of the
 * original, if the probe was a copy: then the peer will say that it has it twice.  If
 * that does not come before more is acknowledged, the probe repaired a loss, which
 * congestion control must hear of.
 */
void us_tcp_probe_acked(struct us_tcp *tcp, const struct us_tcp_segment *seg,
			const struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	if (!a->tlp_end || !seg || us_before(seg->ack, a->tlp_end))
		return;
	if (!a->tlp_again || told_twice(tcp, seg, r)) {
		a->tlp_end = 0;
	} else if (us_after(seg->ack, a->tlp_end)) {
		a->tlp_end = 0;
		us_tcp_congested(tcp, r->delivered);
	}
}
