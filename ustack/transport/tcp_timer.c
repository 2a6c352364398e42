// SPDX-License-Identifier: MIT
/*
 * Timers.  A connection has several deadlines and one wheel node, which stands
 * at or before the earliest of them.  Setting a later deadline or clearing one
 * is a store; the node is moved when it runs.  So restarting the
 * retransmission timer with every ACK costs nothing.
 */
#include "transport/tcp_parts.h"

#define TICK_OF_USEC	(US_TCP_TICK_SHIFT - US_TCP_USEC_SHIFT)

/* 64-bit time of a 32-bit tick near now. */
static us_ns time_of(const struct us_stack *stack, uint32_t tick)
{
	int64_t now = stack->now >> US_TCP_TICK_SHIFT;
	int32_t left = (int32_t)(tick - (uint32_t)now);

	return (now + left) << US_TCP_TICK_SHIFT;
}

static void arm(struct us_tcp *tcp, us_ns at)
{
	if (!us_timer_armed(&tcp->timer) || at < tcp->timer.deadline)
		us_timer_arm(&tcp->table->stack->wheel, &tcp->timer, at);
}

/* @at: rounded up to a tick. */
static void set(struct us_tcp *tcp, enum us_tcp_timer which, us_ns at)
{
	uint32_t tick;

	at += (1LL << US_TCP_TICK_SHIFT) - 1;
	tick = (uint32_t)(at >> US_TCP_TICK_SHIFT);
	*us_tcp_deadline(tcp, which) = tick ? tick : 1;
	arm(tcp, at >> US_TCP_TICK_SHIFT << US_TCP_TICK_SHIFT);
}

/* For times that usec cannot tell. */
static void set_ticks(struct us_tcp *tcp, enum us_tcp_timer which, uint32_t ticks)
{
	set(tcp, which, tcp->table->stack->now + ((us_ns)ticks << US_TCP_TICK_SHIFT));
}

/**
 * us_tcp_timer_set() - starts or restarts a timer
 * @tcp: the connection; active for timers from US_TCP_TIMERS_IDLE on.
 * @which: the timer.
 * @usec: from now; rounded up to a tick.
 */
void us_tcp_timer_set(struct us_tcp *tcp, enum us_tcp_timer which, uint32_t usec)
{
	set(tcp, which, tcp->table->stack->now + ((us_ns)usec << US_TCP_USEC_SHIFT));
}

/* As Linux: an ICMP error seen on the way says more than "timed out". */
static void give_up(struct us_tcp *tcp)
{
	us_count(tcp->table->stack, tcp_timeout);
	us_tcp_done(tcp, tcp->soft_error ? tcp->soft_error : ETIMEDOUT);
}

/* A peer that does not answer has a point-to-point port for 3 s, as the link that
 * keeps the port for it says, so that one SYN does not lock it for others.
 */
static uint8_t syn_retries(const struct us_tcp *tcp)
{
	if (tcp->state == TCP_SYN_SENT)
		return tcp->syn_limit;
	return tcp->listener && tcp->listener->listen_peer ?
		US_TCP_PEER_RETRIES : US_TCP_SYNACK_RETRIES;
}

/* TCP_USER_TIMEOUT: what is left of it, in ticks; 0: it is over. */
static uint32_t time_left(const struct us_tcp *tcp, uint32_t since)
{
	uint32_t gone = us_tcp_tick(tcp->table->stack) - since;

	if (!tcp->user_timeout)
		return UINT32_MAX;
	return gone < tcp->user_timeout ? tcp->user_timeout - gone : 0;
}

/**
 * us_tcp_timer_clamp() - a timeout that does not outlast TCP_USER_TIMEOUT
 * @tcp: active, with us_tcp_active.stalled_at set.
 * @usec: the timeout.
 *
 * Return: usec.
 */
uint32_t us_tcp_timer_clamp(const struct us_tcp *tcp, uint32_t usec)
{
	uint32_t left = time_left(tcp, tcp->active->stalled_at);

	if (left >= usec >> TICK_OF_USEC)
		return usec;
	return left << TICK_OF_USEC;
}

static bool syn_expired(const struct us_tcp *tcp)
{
	uint32_t gone = us_tcp_usec(tcp->table->stack) - tcp->syn_xmit;

	return (tcp->retries >= syn_retries(tcp) && !us_tcp_listen_may_wait(tcp)) ||
	       (tcp->user_timeout && gone >> TICK_OF_USEC >= tcp->user_timeout);
}

static void repeat_syn(struct us_tcp *tcp)
{
	tcp->flags |= US_TCP_SYN_LOST;
	tcp->total_retrans++;
	us_count(tcp->table->stack, tcp_retransmit);
	us_tcp_note(tcp, US_TRACE_TIMEOUT, tcp->snd_una, 0);
	us_tcp_ecn_syn_timeout(tcp);
	us_tcp_fastopen_timeout(tcp);
	us_tcp_send_syn(tcp);
}

static void syn_timeout(struct us_tcp *tcp)
{
	bool quiet = us_tcp_listen_is_quiet(tcp);

	if (syn_expired(tcp)) {
		give_up(tcp);
		return;
	}
	tcp->retries++;
	if (!quiet)
		repeat_syn(tcp);
	us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, us_tcp_rto(tcp));
}

/* RFC 9293 3.8.3: from R1 on the way itself is in doubt. */
static void doubt(struct us_tcp *tcp)
{
	us_dst_doubt(tcp->table->stack, &tcp->dst);
	if (tcp->flags & US_TCP_RECVERR) {
		tcp->error = ETIMEDOUT;
		us_tcp_notify(tcp);
	}
}

static void probe(struct us_tcp *tcp)
{
	us_tcp_probe(tcp);
}

static void rexmt(struct us_tcp *tcp)
{
	if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECV) {
		syn_timeout(tcp);
		return;
	}
	if (!tcp->active || tcp->snd_una == tcp->snd_nxt)
		return;
	/* RFC 8985 7.2: a tail loss probe that would have come later goes first. */
	if (us_tcp_timer_armed(tcp, US_TCP_TIMER_PROBE) && us_tcp_probe(tcp))
		return;
	if (!tcp->retries && !tcp->active->tlp_end)
		tcp->active->stalled_at = us_tcp_tick(tcp->table->stack) -
					  (us_tcp_rto(tcp) >> TICK_OF_USEC);
	if (tcp->retries >= US_TCP_RETRIES ||
	    !time_left(tcp, tcp->active->stalled_at) ||
	    ((tcp->flags & US_TCP_ORPHAN) &&
	     tcp->retries >= US_TCP_ORPHAN_RETRIES)) {
		give_up(tcp);
		return;
	}
	us_count(tcp->table->stack, tcp_rto);
	tcp->active->totals.rtos++;
	tcp->active->totals.rto_times += !tcp->retries;
	us_tcp_note(tcp, US_TRACE_TIMEOUT, tcp->snd_una, 0);
	us_tcp_accecn_timeout(tcp);
	us_tcp_mtu_timeout(tcp);
	us_tcp_recover_timeout(tcp);
	if (++tcp->retries == US_TCP_R1)
		doubt(tcp);
	us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT,
			 us_tcp_timer_clamp(tcp, us_tcp_rto(tcp)));
	us_tcp_output(tcp);
}

/* A peer that answers probes keeps its window closed for as long as it likes
 * (RFC 9293 3.8.6.1), but an orphan does not wait for it, nor does a user who said
 * so (TCP_USER_TIMEOUT).
 */
static void persist(struct us_tcp *tcp)
{
	if (!tcp->active->persist_shift)
		tcp->active->stalled_at = us_tcp_tick(tcp->table->stack);
	if (tcp->retries >= US_TCP_RETRIES ||
	    !time_left(tcp, tcp->active->stalled_at) ||
	    ((tcp->flags & US_TCP_ORPHAN) &&
	     tcp->active->persist_shift >= US_TCP_ORPHAN_RETRIES)) {
		give_up(tcp);
		return;
	}
	us_tcp_output_persist(tcp);
}

static void delack(struct us_tcp *tcp)
{
	us_count(tcp->table->stack, tcp_delayed_ack);
	tcp->active->pingpong = false;	/* no answer came to carry it */
	us_tcp_send_ack(tcp);
}

static void keep(struct us_tcp *tcp)
{
	const uint32_t idle = us_tcp_ticks(tcp->keep_idle * US_SEC);
	uint32_t quiet = us_tcp_tick(tcp->table->stack) - tcp->last_rcv;

	if (!(tcp->flags & US_TCP_KEEPALIVE))
		return;
	if (quiet < idle) {
		tcp->keep_probes = 0;
		set_ticks(tcp, US_TCP_TIMER_KEEP, idle - quiet);
		return;
	}
	/* As in Linux, TCP_USER_TIMEOUT takes the place of counting probes. */
	if (tcp->user_timeout ? tcp->keep_probes && quiet >= tcp->user_timeout :
	    tcp->keep_probes >= tcp->keep_limit) {
		us_tcp_send_reset(tcp);
		give_up(tcp);
		return;
	}
	if (tcp->snd_una == tcp->snd_nxt) {
		tcp->keep_probes++;
		us_tcp_send_probe(tcp);
	}
	set_ticks(tcp, US_TCP_TIMER_KEEP, us_tcp_ticks(tcp->keep_interval * US_SEC));
}

/**
 * us_tcp_timer_keep() - starts or stops keep-alive as the options say
 * @tcp: synchronized.
 * @quiet: ticks of silence that count already.
 */
void us_tcp_timer_keep(struct us_tcp *tcp, uint32_t quiet)
{
	uint32_t idle = us_tcp_ticks(tcp->keep_idle * US_SEC);

	if (!(tcp->flags & US_TCP_KEEPALIVE))
		us_tcp_timer_stop(tcp, US_TCP_TIMER_KEEP);
	else
		set_ticks(tcp, US_TCP_TIMER_KEEP, idle - us_min32(quiet, idle));
}

static void linger(struct us_tcp *tcp)
{
	us_tcp_done(tcp, 0);
}

/* Nothing is under way. */
static bool is_quiescent(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return tcp->snd_una == tcp->snd_nxt && !us_tcp_sndq_bytes(tcp) &&
	       !a->rcv_bytes && !a->reass && !a->snd_lent &&
	       !(tcp->flags & (US_TCP_QUEUED | US_TCP_PENDING | US_TCP_ACK_NOW |
			       US_TCP_MEM_WAIT | US_TCP_FIN_AHEAD | US_TCP_URGENT)) &&
	       !us_tcp_timer_armed(tcp, US_TCP_TIMER_DELACK) &&
	       (tcp->state == TCP_ESTABLISHED || tcp->state == TCP_FIN_WAIT2 ||
		tcp->state == TCP_CLOSE_WAIT);
}

/* That alone is not idle: between a request and the next the path is still known. */
static bool is_idle(const struct us_tcp *tcp)
{
	const uint32_t least = US_TCP_IDLE >> TICK_OF_USEC;
	uint32_t tick = us_tcp_tick(tcp->table->stack);

	return tick - tcp->active->last_snd >= least &&
	       tick - tcp->active->last_data >= least && !(tcp->ecn & US_TCP_ECN_ACC);
}

/* Numbers that were passed 2 GiB ago would seem to be ahead. */
static void follow(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->limited_end = us_seq_max(a->limited_end, tcp->snd_una);
	a->pace_end = us_seq_max(a->pace_end, tcp->snd_una);
}

static void fold(struct us_tcp *tcp)
{
	us_tcp_reass_expire(tcp);
	us_tcp_rack_expire(tcp);
	us_tcp_limited_still(tcp);
	follow(tcp);
	if (is_quiescent(tcp)) {
		if (is_idle(tcp)) {
			us_tcp_fold(tcp);
			return;
		}
		us_tcp_sndq_free(tcp);	/* an empty chunk, that others may need */
	}
	us_tcp_timer_set(tcp, US_TCP_TIMER_FOLD, US_TCP_LOOK);
}

#define NEVER	INT32_MAX

static inline void sooner(int32_t *left, unsigned int *which, unsigned int i,
			  uint32_t at, uint32_t tick)
{
	int32_t ticks = at ? (int32_t)(at - tick) : NEVER;

	if (ticks < *left) {
		*left = ticks;
		*which = i;
	}
}

/* Ticks until a timer runs out, and which one, of several the first; or NEVER. */
static int32_t next_timer(const struct us_tcp *tcp, uint32_t tick, unsigned int *which)
{
	const unsigned int idle = US_TCP_TIMERS_IDLE;
	int32_t left = NEVER;
	unsigned int i;

	for (i = 0; i < idle; i++)
		sooner(&left, which, i, tcp->deadline[i], tick);
	for (; tcp->active && i < US_TCP_TIMERS; i++)
		sooner(&left, which, i, tcp->active->deadline[i - idle], tick);
	return left;
}

/**
 * us_tcp_timer_run() - the wheel node of a connection is due
 * @timer: us_tcp.timer.
 * @now: time.
 */
void us_tcp_timer_run(struct us_timer *timer, us_ns now)
{
	static void (*const run[US_TCP_TIMERS])(struct us_tcp *tcp) = {
		[US_TCP_TIMER_REXMT] = rexmt,
		[US_TCP_TIMER_PERSIST] = persist,
		[US_TCP_TIMER_DELACK] = delack,
		[US_TCP_TIMER_REO] = us_tcp_rack_timeout,
		[US_TCP_TIMER_PROBE] = probe,
		[US_TCP_TIMER_KEEP] = keep,
		[US_TCP_TIMER_LINGER] = linger,
		[US_TCP_TIMER_PACE] = us_tcp_output,
		[US_TCP_TIMER_FOLD] = fold,
	};
	struct us_tcp *tcp = us_container(timer, struct us_tcp, timer);
	struct us_tcp_table *table = tcp->table;
	uint32_t tick = (uint32_t)(now >> US_TCP_TICK_SHIFT);
	unsigned int which = 0, runs;
	int32_t left = NEVER;

	/* One that is to run at once, again, does; not for ever, but at the wheel's next look. */
	for (runs = 0; tcp->state != TCP_CLOSE; runs++) {
		left = next_timer(tcp, tick, &which);
		if (left > 0 || runs == US_TCP_TIMERS)
			break;
		*us_tcp_deadline(tcp, which) = 0;
		run[which](tcp);
	}
	if (tcp->state != TCP_CLOSE && left != NEVER)
		arm(tcp, time_of(table->stack, tick + (uint32_t)left));
	us_tcp_reap(table);
}
