// SPDX-License-Identifier: MIT
/*
 * Pacing: what the window allows leaves at a rate, not at once.  A congestion control
 * sets it (BBR), or the user's limit does (SO_MAX_PACING_RATE), or a window that was
 * not used for a while, of which no ACKs come back that could clock it out (RFC 7661
 * 4.4.2).  Else the rate is 0, which is no pacing, and costs one comparison.
 *
 * The wheel ticks once a millisecond; so a tick's worth that a timer came too late is
 * made up for, and super-segments are of a millisecond at most (as Linux's), but never
 * less than two segments.
 */
#include "transport/tcp_parts.h"

#define CREDIT		US_WHEEL_TICK
#define QUANTUM_MAX	65536u
#define QUANTUM_SHIFT	10		/* of a second: about a millisecond */

/* As Linux: some more than the window in a round trip, so that it can grow. */
#define GAIN_START	200u		/* per cent, in slow start */
#define GAIN		120u

/**
 * us_tcp_pace_quantum() - what may leave at once
 * @tcp: active, paced.
 *
 * Return: bytes.
 */
uint32_t us_tcp_pace_quantum(const struct us_tcp *tcp)
{
	uint64_t bytes = tcp->active->pacing_rate >> QUANTUM_SHIFT;

	return us_max32(bytes < QUANTUM_MAX ? (uint32_t)bytes : QUANTUM_MAX,
			2u * tcp->mss);
}

/**
 * us_tcp_pace_room() - may something leave now?
 * @tcp: active, paced.
 *
 * Return: bytes; 0: not yet, a timer is set.
 */
uint32_t us_tcp_pace_room(struct us_tcp *tcp)
{
	us_ns wait = tcp->active->pace_at - tcp->table->stack->now;

	if (wait <= 0)
		return us_tcp_pace_quantum(tcp);
	us_tcp_timer_set(tcp, US_TCP_TIMER_PACE,
			 (uint32_t)(wait >> US_TCP_USEC_SHIFT) + 1);
	return 0;
}

/**
 * us_tcp_pace_sent() - something left
 * @tcp: active, paced.
 * @bytes: of it.
 */
us_noinline void us_tcp_pace_sent(struct us_tcp *tcp, uint32_t bytes)
{
	us_ns earliest = tcp->table->stack->now - CREDIT;
	struct us_tcp_active *a = tcp->active;

	if (a->pace_at < earliest)
		a->pace_at = earliest;
	a->pace_at += (us_ns)(bytes * (uint64_t)US_SEC / a->pacing_rate);
}

/**
 * us_tcp_pace_set() - sets the rate
 * @tcp: active.
 * @rate: bytes a second; the user's limit may lower it.
 */
void us_tcp_pace_set(struct us_tcp *tcp, uint64_t rate)
{
	if (rate > tcp->max_pacing && tcp->max_pacing != US_TCP_PACING_MAX)
		rate = tcp->max_pacing;
	tcp->active->pacing_rate = rate ? rate : 1;
}

/* The window in a round trip, and something more. */
static void set_by_window(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	uint64_t gain = a->cwnd < tcp->ssthresh / 2 ? GAIN_START : GAIN;

	if (tcp->srtt)		/* of 2^10 / 8 ns */
		us_tcp_pace_set(tcp, a->cwnd * gain / 100 * (US_SEC >> 7) / tcp->srtt);
	else
		us_tcp_pace_set(tcp, US_TCP_PACING_MAX);
}

/**
 * us_tcp_pace_limit() - SO_MAX_PACING_RATE
 * @tcp: the connection.
 * @rate: bytes a second; US_TCP_PACING_MAX: no limit.
 */
void us_tcp_pace_limit(struct us_tcp *tcp, uint32_t rate)
{
	if (tcp->max_pacing == rate)
		return;
	tcp->max_pacing = rate;
	if (tcp->active)
		us_tcp_pace_update(tcp);
}

/**
 * us_tcp_pace_update() - an ACK came, or the user's limit changed
 * @tcp: active; a rate that its congestion control set stays, within the limit.
 */
void us_tcp_pace_update(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->cc->model)
		us_tcp_pace_set(tcp, a->pacing_rate);
	else if (tcp->max_pacing != US_TCP_PACING_MAX || us_before(tcp->snd_una, a->pace_end))
		set_by_window(tcp);
	else
		a->pacing_rate = 0;
}

/**
 * us_tcp_pace_restart() - a window begins without ACKs to clock it out
 * @tcp: active; nothing in flight.
 *
 * Paced until the first ACK comes.
 */
us_noinline void us_tcp_pace_restart(struct us_tcp *tcp)
{
	if (tcp->active->cwnd <= us_tcp_initial_window(tcp))
		return;
	tcp->active->pace_end = tcp->snd_nxt + 1;
	us_tcp_pace_update(tcp);
}
