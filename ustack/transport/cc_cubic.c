// SPDX-License-Identifier: MIT
/*
 * CUBIC, RFC 9438; the default.  After a reduction the window follows
 *
 *	W_cubic(t) = C * (t - K)^3 + W_max,	C = 0.4 segments / s^3
 *
 * whose plateau W_max is where the last loss was, and which takes K seconds to come
 * there; but it is never smaller than what Reno would have (W_est).  Slow start is
 * HyStart++'s (RFC 9406) until the first loss.
 *
 * Integers only: windows in bytes, time in units of 2^-10 s.
 */
#include "transport/tcp_parts.h"

/* beta_cubic = 0.7 and what follows from it */
#define BETA(w)			((uint32_t)((uint64_t)(w) * 7 / 10))
#define CONVERGED(w)		((uint32_t)((uint64_t)(w) * 17 / 20)) /* (1 + beta) / 2 */
#define ALPHA_NUM		9u	/* alpha_cubic = 3 (1 - beta) / (1 + beta) */
#define ALPHA_DEN		17u

#define UNIT_BITS		10	/* of time: 2^-10 s */
#define SPAN_MAX		(1 << 17) /* 128 s from the plateau: 800000 segments */

/**
 * struct epoch - what one reduction set up
 * @w_max: window before the last reduction, bytes; 0: none, or a timeout.
 * @origin: the curve's plateau in this epoch, bytes.
 * @k: from the epoch's start to the plateau, 2^-10 s.
 * @prior: window before the reduction: W_est grows faster beyond it.
 * @w_est: what Reno would have, bytes.
 * @begin: the epoch's start; moved on by times in which the window was not used;
 *	0: at the next ACK.
 * @last: the last ACK.
 * @credit: bytes acknowledged that @w_est has not grown by, times ALPHA_DEN.
 */
struct epoch {
	uint32_t w_max;
	uint32_t origin;
	uint32_t k;
	uint32_t prior;
	us_ns begin;
	us_ns last;
	uint64_t credit;
	uint32_t w_est;
};

/**
 * struct cubic - us_tcp_active.cc_state
 * @now: at work.
 * @before: @now before the last reduction, in case that is undone (RFC 9438 4.9).
 * @hystart: slow start.
 */
struct cubic {
	struct epoch now;
	struct epoch before;
	struct us_tcp_hystart hystart;
};

static_assert(sizeof(struct cubic) <= sizeof(((struct us_tcp_active *)0)->cc_state),
	      "cc_state has room");

static struct cubic *state(struct us_tcp *tcp)
{
	return (struct cubic *)tcp->active->cc_state;
}

static void init(struct us_tcp *tcp)
{
	struct cubic *s = state(tcp);

	memset(s, 0, sizeof(*s));
	us_tcp_hystart_init(&s->hystart);
}

static uint32_t cube_root(uint64_t x)
{
	uint64_t root = 0, bit;

	for (bit = 1u << 20; bit; bit >>= 1) {
		uint64_t more = root | bit;

		if (more * more * more <= x)
			root = more;
	}
	return (uint32_t)root;
}

/* RFC 9438 4.2, equation 2.  Windows are below 2^30, so all fits. */
static uint32_t time_to(uint32_t w_max, uint32_t cwnd, uint32_t mss)
{
	uint64_t segments = (w_max - cwnd) / mss;

	return cube_root(segments * 5 / 2 << 3 * UNIT_BITS);
}

/* RFC 9438 4.2, equation 1: W_cubic of @elapsed nanoseconds, bytes. */
static uint32_t curve(const struct epoch *e, us_ns elapsed, uint32_t mss)
{
	int64_t d = elapsed * 2 / 1953125 - e->k;	/* 10^9 / 2^10 */
	int64_t w;

	if (d > SPAN_MAX)
		d = SPAN_MAX;
	if (d < -SPAN_MAX)
		d = -SPAN_MAX;
	w = d * d * d / 256 * mss * 2 / 5 / (1 << (3 * UNIT_BITS - 8));
	w += e->origin;
	return w < mss ? mss : us_min32((uint32_t)w, US_TCP_CWND_MAX);
}

/* Congestion avoidance begins; K is 0 if it begins above the last plateau. */
static void begin(struct us_tcp *tcp, struct epoch *e)
{
	uint32_t cwnd = tcp->active->cwnd;

	e->begin = e->last = tcp->table->stack->now;
	e->w_est = cwnd;
	e->credit = 0;
	e->origin = us_max32(e->w_max, cwnd);
	e->k = cwnd < e->w_max ? time_to(e->w_max, cwnd, tcp->mss) : 0;
}

/* RFC 9438 4.3: alpha is 1 once the window is what it was. */
static void estimate(struct us_tcp *tcp, struct epoch *e, uint32_t bytes)
{
	uint64_t whole = (uint64_t)ALPHA_DEN * tcp->active->cwnd;

	e->credit += (uint64_t)bytes * (e->w_est < e->prior ? ALPHA_NUM : ALPHA_DEN);
	if (e->credit >= whole) {
		e->credit -= whole;
		e->w_est += tcp->mss;
	}
}

/* RFC 9438 4.2: time in which the window was not used does not count. */
static void skip(struct epoch *e, us_ns now)
{
	e->begin += now - e->last;
	e->last = now;
}

static void avoid(struct us_tcp *tcp, uint32_t bytes)
{
	us_ns now = tcp->table->stack->now, rtt = (us_ns)(tcp->srtt >> 3) << US_TCP_USEC_SHIFT;
	struct us_tcp_active *a = tcp->active;
	struct epoch *e = &state(tcp)->now;
	uint32_t target;

	if (!e->begin)
		begin(tcp, e);
	if (!a->cwnd_limited)
		skip(e, now);
	e->last = now;
	if (!a->cwnd_limited)
		return;
	estimate(tcp, e, bytes);
	if (curve(e, now - e->begin, tcp->mss) < e->w_est) {
		a->cwnd = us_max32(a->cwnd, us_min32(e->w_est, US_TCP_CWND_MAX));
		return;
	}
	target = curve(e, now - e->begin + rtt, tcp->mss);
	target = us_min32(us_max32(target, a->cwnd), a->cwnd + a->cwnd / 2);
	a->cwnd += (uint32_t)((uint64_t)(target - a->cwnd) * bytes / a->cwnd);
	a->cwnd = us_min32(a->cwnd, US_TCP_CWND_MAX);
}

/* Nor does a pause in which nothing was in flight. */
static void restart(struct us_tcp *tcp)
{
	struct epoch *e = &state(tcp)->now;

	if (e->begin)
		skip(e, tcp->table->stack->now);
}

static void acked(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	if (a->cwnd >= tcp->ssthresh) {
		avoid(tcp, r->delivered);
	} else if (us_tcp_window_is_used(tcp)) {
		a->cwnd += us_tcp_hystart(tcp, &state(tcp)->hystart, r);
		a->cwnd = us_min32(a->cwnd, US_TCP_CWND_MAX);
	}
}

/* RFC 9438 4.6, 4.7 (fast convergence): who loses before it has come as far as the
 * last time leaves more to others.
 */
static uint32_t ssthresh(struct us_tcp *tcp)
{
	struct cubic *s = state(tcp);
	uint32_t used = us_tcp_used_window(tcp);

	s->before = s->now;
	s->now.w_max = used < s->now.w_max ? CONVERGED(used) : used;
	s->now.prior = used;
	s->now.begin = 0;
	return us_max32(BETA(used), 2u * tcp->mss);
}

/* RFC 9438 4.8: after a timeout the curve starts at its plateau. */
static void timeout(struct us_tcp *tcp)
{
	struct epoch *e = &state(tcp)->now;

	e->w_max = 0;
	e->begin = 0;
}

static void undo(struct us_tcp *tcp)
{
	struct cubic *s = state(tcp);

	s->now = s->before;
}

const struct us_tcp_cc us_tcp_cc_cubic = {
	.name = "cubic",
	.init = init,
	.acked = acked,
	.ssthresh = ssthresh,
	.timeout = timeout,
	.undo = undo,
	.restart = restart,
};
