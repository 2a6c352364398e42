// SPDX-License-Identifier: MIT
/*
 * HyStart++, RFC 9406: slow start that ends before it loses.  When the least RTT of
 * a round trip is clearly above that of the one before, the window grows by a quarter
 * only (conservative slow start); if the delay stays for five rounds, slow start is
 * over; if it goes away, it was noise.  Used until the first loss, when ssthresh
 * becomes known.
 *
 * L, the RFC's limit of what one ACK may add, is infinite: peers that merge segments
 * (GRO) acknowledge many at once.
 */
#include "transport/tcp_parts.h"

#define MIN_RTT_THRESH		US_TCP_MSEC(4)
#define MAX_RTT_THRESH		US_TCP_MSEC(16)
#define MIN_RTT_DIVISOR		8
#define N_RTT_SAMPLE		8
#define CSS_GROWTH_DIVISOR	4
#define CSS_ROUNDS		5
#define NONE			UINT32_MAX

/**
 * us_tcp_hystart_init() - slow start begins
 * @h: its state.
 */
void us_tcp_hystart_init(struct us_tcp_hystart *h)
{
	*h = (struct us_tcp_hystart){
		.last_min = NONE, .current_min = NONE, .baseline = NONE,
	};
}

/* Five rounds of conservative slow start were enough: congestion avoidance. */
static void next_round(struct us_tcp *tcp, struct us_tcp_hystart *h)
{
	h->last_min = h->current_min;
	h->current_min = NONE;
	h->samples = 0;
	if (h->baseline != NONE && ++h->rounds >= CSS_ROUNDS)
		tcp->ssthresh = tcp->active->cwnd;
}

static void judge(struct us_tcp_hystart *h)
{
	uint32_t threshold = h->last_min / MIN_RTT_DIVISOR;

	threshold = us_min32(us_max32(threshold, MIN_RTT_THRESH), MAX_RTT_THRESH);
	if (h->baseline != NONE) {
		if (h->current_min < h->baseline)
			h->baseline = NONE;
	} else if (h->last_min != NONE && h->current_min >= h->last_min + threshold) {
		h->baseline = h->current_min;
		h->rounds = 0;
	}
}

/**
 * us_tcp_hystart() - an ACK in slow start
 * @tcp: cwnd is below ssthresh.
 * @h: its state.
 * @r: what the ACK told.
 *
 * May end slow start: ssthresh is cwnd then.
 * Return: bytes by which cwnd grows.
 */
uint32_t us_tcp_hystart(struct us_tcp *tcp, struct us_tcp_hystart *h,
			const struct us_tcp_acked *r)
{
	uint32_t most = tcp->ssthresh - tcp->active->cwnd;

	if (tcp->ssthresh != US_TCP_SSTHRESH_INF)
		return us_min32(r->delivered, most);
	if (r->rtt) {
		h->current_min = us_min32(h->current_min, r->rtt);
		if (h->samples < N_RTT_SAMPLE)
			h->samples++;
		if (h->samples >= N_RTT_SAMPLE)
			judge(h);
	}
	if (r->round)
		next_round(tcp, h);
	most = r->delivered;
	return h->baseline != NONE ? most / CSS_GROWTH_DIVISOR : most;
}
