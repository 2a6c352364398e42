// SPDX-License-Identifier: MIT
/*
 * Delivery rate samples, draft-ietf-ccwg-bbr-06 4.1: how many bytes arrived from the
 * time a run was sent until it was acknowledged.  Each run in flight keeps what was
 * known when it was sent; the youngest one that an ACK delivers makes the sample.  The
 * interval is the longer one of sending and of acknowledging, so that neither bursts of
 * ours nor ACKs that come all at once look like speed.
 *
 * A sample is application-limited if, when its run was sent, there had been nothing to
 * send although the window was open: then it tells of the application, not of the path.
 */
#include "transport/tcp_parts.h"

/**
 * us_tcp_rate_sent() - a run is sent, for the first time or again
 * @tcp: active.
 * @sent: gets what is known now.
 * @pipe: us_tcp_pipe(), before.
 */
void us_tcp_rate_sent(struct us_tcp *tcp, struct us_tcp_sent *sent, uint32_t pipe)
{
	struct us_tcp_active *a = tcp->active;

	if (!pipe) {
		a->first_sent = us_tcp_usec(tcp->table->stack);
		a->delivered_at = a->first_sent;
	}
	sent->first_sent = a->first_sent;
	sent->delivered_at = a->delivered_at;
	sent->delivered = a->delivered;
	sent->lost = a->lost_ever;
	sent->app_limited = a->app_limited;
}

/**
 * us_tcp_rate_delivered() - a run, or the head of one, has arrived
 * @tcp: active.
 * @sent: as it was when it was sent.
 * @bytes: of it.
 * @rate: the sample of this ACK.
 */
void us_tcp_rate_delivered(struct us_tcp *tcp, const struct us_tcp_sent *sent,
			   uint32_t bytes, struct us_tcp_rate *rate)
{
	struct us_tcp_active *a = tcp->active;

	a->delivered += bytes;
	a->delivered_at = us_tcp_usec(tcp->table->stack);
	if (rate->valid && us_before(sent->xmit, a->first_sent))
		return;
	rate->valid = true;
	rate->prior_delivered = sent->delivered;
	rate->prior_lost = sent->lost;
	rate->in_flight = sent->in_flight;
	rate->app_limited = sent->app_limited;
	rate->interval = us_max32(us_tcp_since(sent->first_sent, sent->xmit),
				  a->delivered_at - sent->delivered_at);
	a->first_sent = sent->xmit;
}

/**
 * us_tcp_rate_sample() - all that an ACK delivered has been counted
 * @tcp: active.
 * @rate: the sample is completed; its interval is 0 if it cannot be true: less than
 *	the least RTT, as when the original of a retransmission is acknowledged.
 */
void us_tcp_rate_sample(struct us_tcp *tcp, struct us_tcp_rate *rate)
{
	struct us_tcp_active *a = tcp->active;

	if (a->app_limited && us_after(a->delivered, a->app_limited_end))
		a->app_limited = false;
	if (!rate->valid)
		return;
	rate->delivered = a->delivered - rate->prior_delivered;
	if (rate->interval < a->min_rtt) {
		rate->interval = 0;
		return;
	}
	a->totals.rate_bytes = rate->delivered;
	a->totals.rate_usec = rate->interval;
}

/**
 * us_tcp_rate_limited() - samples of what is sent from now on, until all that is in
 *	flight has arrived, tell of something else than of the path
 * @tcp: active.
 */
void us_tcp_rate_limited(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->app_limited = true;
	a->app_limited_end = a->delivered + us_tcp_pipe(tcp);
}
