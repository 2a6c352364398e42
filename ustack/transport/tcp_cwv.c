// SPDX-License-Identifier: MIT
/*
 * Congestion window validation, RFC 7661: how much of the window was really used?
 * A window of which the application used less than half for a while tells nothing of
 * the path; so a loss reduces what was used, not what would have been allowed.
 *
 * The measure is pipeACK: the most that was acknowledged in one round trip, lately.
 * A round trip ends when what was in flight at its begin is acknowledged; slow start
 * (tcp_hystart.c) counts by the same.
 */
#include "transport/tcp_parts.h"

#define TICKS(seconds)	((uint32_t)((seconds) * US_SEC >> US_TCP_TICK_SHIFT))
#define PERIOD_MIN	TICKS(1)	/* RFC 7661 4.2: max(3 RTT, 1 s) */
#define NVP		TICKS(300)	/* the Non-Validated Period */

/* pipeACK, bytes; 0: not known yet. */
static uint32_t pipe_ack(const struct us_tcp_active *a)
{
	return us_max32(a->pipe_ack[0], a->pipe_ack[1]);
}

static void begin_round(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->round_una = tcp->snd_una;
	a->round_end = tcp->snd_nxt;
}

/**
 * us_tcp_cwv_reset() - nothing is known of the path, or no longer
 * @tcp: active.
 *
 * After a recovery, too (RFC 7661 4.4.1).
 */
void us_tcp_cwv_reset(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->pipe_ack[0] = 0;
	a->pipe_ack[1] = 0;
	a->pipe_at = us_tcp_tick(tcp->table->stack);
	a->validated_at = a->pipe_at;
	begin_round(tcp);
}

/* RFC 7661 4.3, 4.4.3: a window that was not used by a half for five minutes is
 * halved, which ssthresh remembers.
 */
static void validate(struct us_tcp *tcp, uint32_t tick)
{
	struct us_tcp_active *a = tcp->active;

	if (pipe_ack(a) < a->cwnd / 2 && tick - a->validated_at > NVP) {
		tcp->ssthresh = us_max32(tcp->ssthresh, a->cwnd - a->cwnd / 4);
		a->cwnd = us_max32(a->cwnd / 2, us_tcp_initial_window(tcp));
		a->validated_at = tick;
	}
	if (pipe_ack(a) >= a->cwnd / 2)
		a->validated_at = tick;
}

/* A window that was not used for so many ticks: halved for each five minutes, to no less than
 * the initial window.  A shorter pause makes none larger, either (RFC 5681 4.1).
 */
static uint32_t aged(const struct us_tcp *tcp, uint32_t window, uint32_t ticks)
{
	uint32_t periods = ticks / NVP;

	if (!periods)
		return window;
	return us_max32(window >> us_min32(periods, 31), us_tcp_initial_window(tcp));
}

/**
 * us_tcp_cwv_idle() - the window of a connection that was idle
 * @tcp: its active part was folded, or never was there.
 *
 * Return: bytes: what it had, as it has aged; the initial window if it never was active.
 */
uint32_t us_tcp_cwv_idle(const struct us_tcp *tcp)
{
	uint32_t ticks = us_tcp_tick(tcp->table->stack) - tcp->last_rcv;

	return aged(tcp, tcp->idle_cwnd ? tcp->idle_cwnd : us_tcp_initial_window(tcp), ticks);
}

/**
 * us_tcp_cwv_heard() - a connection that was idle hears from its peer
 * @tcp: not active; us_tcp.last_rcv is that of the segment before.
 */
void us_tcp_cwv_heard(struct us_tcp *tcp)
{
	if (tcp->idle_cwnd)
		tcp->idle_cwnd = us_tcp_cwv_idle(tcp);
}

/**
 * us_tcp_cwv_restart() - the same where the active part stayed: something was unread, or it
 *	has counters of ECN
 * @tcp: active; nothing was in flight for a while.
 *
 * May be called again and again before anything is sent: with each ACK of what comes.
 */
void us_tcp_cwv_restart(struct us_tcp *tcp)
{
	uint32_t tick = us_tcp_tick(tcp->table->stack);
	struct us_tcp_active *a = tcp->active;
	uint32_t ticks = us_min32(tick - a->last_snd, tick - a->validated_at);

	if (ticks < NVP || a->cc->model)
		return;
	tcp->ssthresh = us_max32(tcp->ssthresh, a->cwnd - a->cwnd / 4);
	a->cwnd = aged(tcp, a->cwnd, ticks);
	a->validated_at = tick;
}

/**
 * us_tcp_cwv_round() - a round trip is over
 * @tcp: active.
 */
void us_tcp_cwv_round(struct us_tcp *tcp)
{
	uint32_t tick = us_tcp_tick(tcp->table->stack), period;
	struct us_tcp_active *a = tcp->active;

	period = 3 * (tcp->srtt >> 3) >> (US_TCP_TICK_SHIFT - US_TCP_USEC_SHIFT);
	if (tick - a->pipe_at > us_max32(period, PERIOD_MIN)) {
		a->pipe_ack[1] = a->pipe_ack[0];
		a->pipe_ack[0] = 0;
		a->pipe_at = tick;
	}
	a->pipe_ack[0] = us_max32(a->pipe_ack[0], tcp->snd_una - a->round_una);
	validate(tcp, tick);
	begin_round(tcp);
}

/**
 * us_tcp_used_window() - the window from which a loss takes its part
 * @tcp: active.
 *
 * RFC 7661 4.4.1: the larger of pipeACK and what is in flight, which in a window
 * that is used in full is the FlightSize of RFC 5681.
 * Return: bytes, not more than cwnd.
 */
uint32_t us_tcp_used_window(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return us_min32(a->cwnd, us_max32(pipe_ack(a), us_tcp_in_flight(tcp)));
}
