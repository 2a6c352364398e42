// SPDX-License-Identifier: MIT
/*
 * BBRv3, as draft-ietf-ccwg-bbr-06 has it.  A model of the path - how fast it delivers
 * (max_bw), how long it is when empty (min_rtt), how much it holds before it loses
 * (inflight_longterm) - says how fast to send and how much may be in flight.  The model
 * is kept true by experiments: Startup and Drain once; then, every few seconds, a cycle
 * of ProbeBW (Down, Cruise, Refill, Up); and ProbeRTT when min_rtt grows old.
 *
 * Congestion marks are heard as losses are: the draft has no ECN response of its own.
 *
 * Section numbers are the draft's.  Rates are bytes a second, times usec, gains 2^-8.
 */
#include "transport/tcp_parts.h"

#define UNIT			256u	/* a gain of 1 */
#define GAIN_STARTUP		709u	/* 2.77, which doubles the rate each round */
#define GAIN_DRAIN		128u	/* 0.5 */
#define GAIN_DOWN		230u	/* 0.9 */
#define GAIN_UP			320u	/* 1.25 */
#define CWND_GAIN		512u	/* 2 */
#define CWND_GAIN_UP		576u	/* 2.25 */
#define CWND_GAIN_RTT		128u	/* 0.5 */

#define LOSS_PERCENT		2u	/* LossThresh */
#define STARTUP_LOSSES		6u	/* StartupFullLossCnt */
#define FULL_ROUNDS		3u
#define DRAIN_ROUNDS		3u
#define ACKED_ROUNDS		5u	/* of each of two slots: ExtraAckedFilterLen, 10 */
#define RENO_ROUNDS		63u
#define MIN_PIPE		4u	/* segments, MinPipeCwnd */
#define BETA(x)			((x) / 10 * 7)
#define HEADROOM(x)		((x) / 100 * 15)

#define SECOND			US_TCP_MSEC(1000)
#define MIN_RTT_LEN		(10 * SECOND)
#define PROBE_RTT_INTERVAL	(5 * SECOND)
#define PROBE_RTT_DURATION	US_TCP_MSEC(200)

#define NO_BW			UINT64_MAX	/* infinite */
#define NO_LIMIT		UINT32_MAX

enum phase { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };

/* What the ACKs that come now tell of, 5.3.3.9. */
enum ack_phase { ACKS_INIT, ACKS_REFILLING, ACKS_STARTING, ACKS_FEEDBACK, ACKS_STOPPING };

/**
 * struct bbr - us_tcp_active.cc_state; names are the draft's
 * @filter: greatest delivery rate of the last cycle, and of this one.
 * @bw: what the model lets us use: the least of max_bw and @bw_shortterm.
 * @bw_shortterm: bound by losses since the last probe.
 * @bw_latest: greatest of this loss round.
 * @full_bw: of the full-pipe estimator.
 * @undo_bw: @bw_shortterm before the last loss.
 * @min_rtt: usec.
 * @min_rtt_at: when it was measured.
 * @probe_rtt_min: least since @probe_rtt_at.
 * @probe_rtt_at: when it was measured, or ProbeRTT ended.
 * @probe_rtt_begin: when ProbeRTT began to count; 0: it did not.
 * @cycle_at: when Down began.
 * @probe_wait: from there to the next Refill, at most.
 * @acked_at: when the interval of @acked began.
 * @acked: bytes delivered in it.
 * @extra_acked: most that came beyond what @bw explains: before, and lately.
 * @prior_cwnd: the last one that no recovery and no ProbeRTT held down.
 * @inflight_longterm: most that the path held without loss.
 * @inflight_shortterm: bound by losses since the last probe.
 * @inflight_latest: most that was delivered in a sample of this loss round.
 * @undo_longterm: before the last loss.
 * @undo_shortterm: alike.
 * @next_round: us_tcp_active.delivered at which this round ends.
 * @loss_round: alike, for rounds that begin with a loss.
 * @up_acked: bytes acknowledged that @inflight_longterm did not grow by.
 * @up_per_inc: so many let it grow by a segment.
 * @acked_rounds: rounds in the newer slot of @extra_acked.
 * @phase: enum phase.
 * @ack_phase: enum ack_phase.
 * @undo_phase: to go back to if the loss was none; PROBE_RTT: nowhere.
 * @full_count: rounds without growth.
 * @drain_rounds: in Drain.
 * @up_rounds: in Up.
 * @rounds: since the last Up.
 * @losses: runs lost in this loss round.
 * @full_now: the full-pipe estimator says so.
 * @full_reached: it did, once.
 * @round_start: this ACK begins a round.
 * @loss_round_start: alike.
 * @loss_in_round: something was lost in this loss round.
 * @probe_sample: samples are of a probe for bandwidth.
 * @too_high: the last probe lost much.
 * @precautionary: the last probe stopped early for that.
 * @idle_restart: sending begins after a pause.
 * @rtt_expired: @probe_rtt_min is old.
 * @rtt_round_done: ProbeRTT has lasted a round.
 * @recovering: the last ACK was in recovery.
 */
struct bbr {
	uint64_t filter[2];
	uint64_t bw;
	uint64_t bw_shortterm;
	uint64_t bw_latest;
	uint64_t full_bw;
	uint64_t undo_bw;
	uint32_t min_rtt;
	uint32_t min_rtt_at;
	uint32_t probe_rtt_min;
	uint32_t probe_rtt_at;
	uint32_t probe_rtt_begin;
	uint32_t cycle_at;
	uint32_t probe_wait;
	uint32_t acked_at;
	uint32_t acked;
	uint32_t extra_acked[2];
	uint32_t prior_cwnd;
	uint32_t inflight_longterm;
	uint32_t inflight_shortterm;
	uint32_t inflight_latest;
	uint32_t undo_longterm;
	uint32_t undo_shortterm;
	uint32_t next_round;
	uint32_t loss_round;
	uint32_t up_acked;
	uint32_t up_per_inc;
	uint8_t acked_rounds;
	uint8_t phase;
	uint8_t ack_phase;
	uint8_t undo_phase;
	uint8_t full_count;
	uint8_t drain_rounds;
	uint8_t up_rounds;
	uint8_t rounds;
	uint8_t losses;
	bool full_now;
	bool full_reached;
	bool round_start;
	bool loss_round_start;
	bool loss_in_round;
	bool probe_sample;
	bool too_high;
	bool precautionary;
	bool idle_restart;
	bool rtt_expired;
	bool rtt_round_done;
	bool recovering;
};

static_assert(sizeof(struct bbr) <= sizeof(((struct us_tcp_active *)0)->cc_state),
	      "cc_state has room");

static struct bbr *state(const struct us_tcp *tcp)
{
	return (struct bbr *)tcp->active->cc_state;
}

static uint32_t now(const struct us_tcp *tcp)
{
	return us_tcp_usec(tcp->table->stack);
}

static uint64_t max_bw(const struct bbr *s)
{
	return s->filter[0] > s->filter[1] ? s->filter[0] : s->filter[1];
}

/* The delivery rate of an ACK's sample, 0 if it has none. */
static uint64_t rate_of(const struct us_tcp_rate *rate)
{
	return rate->interval ? (uint64_t)rate->delivered * (US_SEC >> US_TCP_USEC_SHIFT) /
				rate->interval : 0;
}

static bool in_probe_bw(const struct bbr *s)
{
	return s->phase >= DOWN && s->phase <= UP;
}

static bool probing(const struct bbr *s)
{
	return s->phase == STARTUP || s->phase == REFILL || s->phase == UP;
}

/* ------------------------------------------------------- how much, 5.6.4 */

static uint32_t bdp(const struct us_tcp *tcp, uint64_t bw, uint32_t gain)
{
	const struct bbr *s = state(tcp);
	uint64_t bytes;

	if (s->min_rtt == UINT32_MAX)
		return us_tcp_initial_window(tcp);
	bytes = bw * s->min_rtt / (US_SEC >> US_TCP_USEC_SHIFT) * gain / UNIT;
	return bytes < US_TCP_CWND_MAX ? (uint32_t)bytes : US_TCP_CWND_MAX;
}

static uint32_t min_pipe(const struct us_tcp *tcp)
{
	return MIN_PIPE * tcp->mss;
}

/* So much that bursts, and ACKs that are delayed, do not stop the flow. */
static uint32_t quantize(const struct us_tcp *tcp, uint32_t bytes)
{
	bytes = us_max32(bytes, 3 * us_tcp_pace_quantum(tcp));
	bytes = us_max32(bytes, min_pipe(tcp));
	return state(tcp)->phase == UP ? bytes + 2u * tcp->mss : bytes;
}

static uint32_t target(const struct us_tcp *tcp)
{
	return us_min32(bdp(tcp, state(tcp)->bw, UNIT), tcp->active->cwnd);
}

static uint32_t with_headroom(const struct us_tcp *tcp)
{
	uint32_t most = state(tcp)->inflight_longterm;

	if (most == NO_LIMIT)
		return NO_LIMIT;
	return us_max32(most - us_max32(tcp->mss, HEADROOM(most)), min_pipe(tcp));
}

/* ------------------------------------------------------ rounds and resets */

static void start_round(struct us_tcp *tcp)
{
	state(tcp)->next_round = tcp->active->delivered;
}

static void reset_full_bw(struct bbr *s, uint64_t bw)
{
	s->full_bw = bw;
	s->full_count = 0;
	s->full_now = false;
}

static void reset_shortterm(struct bbr *s)
{
	s->bw_shortterm = NO_BW;
	s->inflight_shortterm = NO_LIMIT;
}

static void reset_congestion(struct bbr *s)
{
	s->loss_in_round = false;
	s->bw_latest = 0;
	s->inflight_latest = 0;
}

static void save_cwnd(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct bbr *s = state(tcp);

	s->prior_cwnd = a->ca_state == TCP_CA_Open && s->phase != PROBE_RTT ? a->cwnd :
			us_max32(s->prior_cwnd, a->cwnd);
}

static void restore_cwnd(struct us_tcp *tcp)
{
	tcp->active->cwnd = us_max32(tcp->active->cwnd, state(tcp)->prior_cwnd);
}

/* ------------------------------------------------------ ProbeBW, 5.3.3.9 */

static void start_down(struct us_tcp *tcp)
{
	struct us_random *random = &tcp->table->stack->random;
	struct bbr *s = state(tcp);

	reset_congestion(s);
	s->up_per_inc = NO_LIMIT;
	s->rounds = (uint8_t)us_random_below(random, 2);
	s->probe_wait = 2 * SECOND + us_random_below(random, SECOND);
	s->cycle_at = now(tcp);
	s->ack_phase = ACKS_STOPPING;
	start_round(tcp);
	s->phase = DOWN;
}

static void start_refill(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	reset_shortterm(s);
	s->up_rounds = 0;
	s->up_acked = 0;
	s->precautionary = false;
	s->ack_phase = ACKS_REFILLING;
	start_round(tcp);
	s->phase = REFILL;
}

/* The more rounds in Up, the faster inflight_longterm grows: 1, 2, 4 ... segments. */
static void raise_slope(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	s->up_per_inc = us_max32(tcp->active->cwnd >> s->up_rounds, tcp->mss);
	if (s->up_rounds < 30)
		s->up_rounds++;
}

static void start_up(struct us_tcp *tcp, uint64_t bw)
{
	struct bbr *s = state(tcp);

	s->probe_sample = true;
	s->ack_phase = ACKS_STARTING;
	start_round(tcp);
	reset_full_bw(s, bw);
	s->phase = UP;
	raise_slope(tcp);
}

static void probe_longterm_upward(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	struct bbr *s = state(tcp);

	if (!a->cwnd_limited || a->cwnd < s->inflight_longterm)
		return;
	s->up_acked += r->delivered;
	s->inflight_longterm += s->up_acked / s->up_per_inc * tcp->mss;
	s->up_acked %= s->up_per_inc;
	if (s->round_start)
		raise_slope(tcp);
}

static bool loses_much(const struct us_tcp *tcp, uint32_t lost, uint32_t in_flight)
{
	return lost > in_flight / 100 * LOSS_PERCENT ||
	       (lost && !(tcp->flags & US_TCP_SACK));
}

/* True if it went on to another phase. */
static bool adapt_longterm(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	const struct us_tcp_rate *rate = &r->rate;
	struct bbr *s = state(tcp);

	if (s->ack_phase == ACKS_STARTING && s->round_start)
		s->ack_phase = ACKS_FEEDBACK;
	if (s->ack_phase == ACKS_STOPPING && s->round_start) {
		s->probe_sample = false;
		s->ack_phase = ACKS_INIT;
		if (in_probe_bw(s) && !rate->app_limited && s->filter[1]) {
			s->filter[0] = s->filter[1];
			s->filter[1] = 0;
		}
		if (in_probe_bw(s) && s->precautionary && !s->too_high) {
			start_refill(tcp);
			return true;
		}
	}
	if (s->inflight_longterm == NO_LIMIT ||
	    loses_much(tcp, tcp->active->lost_ever - rate->prior_lost, rate->in_flight))
		return false;
	s->inflight_longterm = us_max32(s->inflight_longterm, rate->in_flight);
	if (s->phase == UP)
		probe_longterm_upward(tcp, r);
	return false;
}

static bool time_to_probe(const struct us_tcp *tcp)
{
	const struct bbr *s = state(tcp);

	return now(tcp) - s->cycle_at > s->probe_wait ||
	       s->rounds >= us_min32(target(tcp) / tcp->mss, RENO_ROUNDS);
}

static bool time_to_cruise(const struct us_tcp *tcp)
{
	uint32_t pipe = us_tcp_pipe(tcp);

	return pipe <= with_headroom(tcp) &&
	       pipe <= quantize(tcp, bdp(tcp, max_bw(state(tcp)), UNIT));
}

static bool time_to_go_down(struct us_tcp *tcp, uint64_t bw)
{
	const struct us_tcp_active *a = tcp->active;
	struct bbr *s = state(tcp);

	if (s->too_high && us_tcp_pipe(tcp) >= s->inflight_longterm) {
		s->precautionary = true;
		return true;
	}
	if (a->cwnd_limited && a->cwnd >= s->inflight_longterm)
		reset_full_bw(s, bw);
	else if (s->full_now)
		return true;
	return false;
}

static void update_cycle(struct us_tcp *tcp, const struct us_tcp_acked *r, uint64_t bw)
{
	struct bbr *s = state(tcp);

	if (!s->full_reached || adapt_longterm(tcp, r))
		return;
	if ((s->phase == DOWN || s->phase == CRUISE) && time_to_probe(tcp)) {
		start_refill(tcp);
	} else if (s->phase == DOWN && time_to_cruise(tcp)) {
		s->phase = CRUISE;
	} else if (s->phase == REFILL && s->round_start) {
		start_up(tcp, bw);
	} else if (s->phase == UP && time_to_go_down(tcp, bw)) {
		s->too_high = false;
		start_down(tcp);
	}
}

/* --------------------------------------------------- Startup, Drain, 5.3.1 */

static void check_full_bw(struct bbr *s, const struct us_tcp_rate *rate, uint64_t bw)
{
	if (s->full_now || !s->round_start || rate->app_limited || !bw)
		return;
	if (bw >= s->full_bw + s->full_bw / 4) {
		reset_full_bw(s, bw);
		return;
	}
	s->full_now = ++s->full_count >= FULL_ROUNDS;
	if (s->full_now)
		s->full_reached = true;
}

/* 5.3.1.3; without SACK, any loss is too much. */
static void check_startup_loss(struct us_tcp *tcp, const struct us_tcp_rate *rate)
{
	struct us_tcp_active *a = tcp->active;
	struct bbr *s = state(tcp);

	if (!s->loss_round_start || a->ca_state != TCP_CA_Recovery ||
	    !loses_much(tcp, a->lost_ever - rate->prior_lost, rate->in_flight) ||
	    ((tcp->flags & US_TCP_SACK) && s->losses < STARTUP_LOSSES))
		return;
	s->undo_phase = STARTUP;
	s->full_reached = true;
	s->inflight_longterm = us_max32(bdp(tcp, s->bw, UNIT), s->inflight_latest);
}

static void check_startup_drain(struct us_tcp *tcp, const struct us_tcp_rate *rate)
{
	struct bbr *s = state(tcp);

	if (s->phase == STARTUP)
		check_startup_loss(tcp, rate);
	if (s->phase == STARTUP && s->full_reached) {
		s->phase = DRAIN;
		s->drain_rounds = 0;
	}
	if (s->phase != DRAIN)
		return;
	s->drain_rounds += s->round_start;
	if (us_tcp_pipe(tcp) <= quantize(tcp, bdp(tcp, s->bw, UNIT)) ||
	    s->drain_rounds > DRAIN_ROUNDS)
		start_down(tcp);
}

/* ----------------------------------------------------------- ProbeRTT, 5.3.4 */

static void update_min_rtt(struct us_tcp *tcp, uint32_t rtt)
{
	struct bbr *s = state(tcp);

	s->rtt_expired = now(tcp) - s->probe_rtt_at > PROBE_RTT_INTERVAL;
	if (rtt && (rtt < s->probe_rtt_min || s->rtt_expired)) {
		s->probe_rtt_min = rtt;
		s->probe_rtt_at = now(tcp);
	}
	if (s->probe_rtt_min < s->min_rtt || now(tcp) - s->min_rtt_at > MIN_RTT_LEN) {
		s->min_rtt = s->probe_rtt_min;
		s->min_rtt_at = s->probe_rtt_at;
	}
}

static void check_probe_rtt_done(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	if (!s->probe_rtt_begin || now(tcp) - s->probe_rtt_begin <= PROBE_RTT_DURATION)
		return;
	s->probe_rtt_at = now(tcp);
	restore_cwnd(tcp);
	reset_shortterm(s);
	s->phase = STARTUP;
	if (s->full_reached) {
		start_down(tcp);
		s->phase = CRUISE;
	}
}

static uint32_t probe_rtt_cwnd(const struct us_tcp *tcp)
{
	return us_max32(bdp(tcp, state(tcp)->bw, CWND_GAIN_RTT), min_pipe(tcp));
}

static void handle_probe_rtt(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	us_tcp_rate_limited(tcp);	/* its samples are not the path's */
	if (!s->probe_rtt_begin) {
		if (us_tcp_pipe(tcp) > probe_rtt_cwnd(tcp))
			return;
		s->probe_rtt_begin = us_max32(now(tcp), 1);
		s->rtt_round_done = false;
		start_round(tcp);
		return;
	}
	if (s->round_start)
		s->rtt_round_done = true;
	if (s->rtt_round_done)
		check_probe_rtt_done(tcp);
}

static void check_probe_rtt(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	if (s->phase != PROBE_RTT && s->rtt_expired && !s->idle_restart) {
		save_cwnd(tcp);
		s->phase = PROBE_RTT;
		s->probe_rtt_begin = 0;
		s->ack_phase = ACKS_STOPPING;
		start_round(tcp);
	}
	if (s->phase == PROBE_RTT)
		handle_probe_rtt(tcp);
	s->idle_restart = false;
}

/* -------------------------------------------------- the model of the path, 5.5 */

static void update_round(struct us_tcp *tcp, const struct us_tcp_rate *rate)
{
	struct bbr *s = state(tcp);

	s->round_start = !us_before(rate->prior_delivered, s->next_round);
	if (!s->round_start)
		return;
	start_round(tcp);
	if (s->rounds < UINT8_MAX)
		s->rounds++;
}

/* 5.5.10.3: once a round in which something was lost, when not probing. */
static void adapt_shortterm(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	if (probing(s) || !s->loss_in_round)
		return;
	if (s->bw_shortterm == NO_BW)
		s->bw_shortterm = max_bw(s);
	if (s->inflight_shortterm == NO_LIMIT)
		s->inflight_shortterm = tcp->active->cwnd;
	s->bw_shortterm = BETA(s->bw_shortterm) > s->bw_latest ?
			  BETA(s->bw_shortterm) : s->bw_latest;
	s->inflight_shortterm = us_max32(s->inflight_latest, BETA(s->inflight_shortterm));
}

static void update_congestion(struct us_tcp *tcp, const struct us_tcp_rate *rate, uint64_t bw)
{
	struct bbr *s = state(tcp);

	s->bw_latest = bw > s->bw_latest ? bw : s->bw_latest;
	s->inflight_latest = us_max32(s->inflight_latest, rate->delivered);
	s->loss_round_start = !us_before(rate->prior_delivered, s->loss_round);
	if (s->loss_round_start)
		s->loss_round = tcp->active->delivered;
	update_round(tcp, rate);
	if (bw && bw > s->filter[1] && (bw >= max_bw(s) || !rate->app_limited))
		s->filter[1] = bw;
	if (!s->loss_round_start)
		return;
	adapt_shortterm(tcp);
	s->loss_in_round = false;
}

/* 5.5.9: what comes in bursts, the window has to bridge. */
static void update_aggregation(struct us_tcp *tcp, uint32_t delivered)
{
	struct bbr *s = state(tcp);
	uint64_t expected = s->bw * (now(tcp) - s->acked_at) / (US_SEC >> US_TCP_USEC_SHIFT);
	uint32_t extra;

	if (s->acked <= expected) {
		s->acked = 0;
		s->acked_at = now(tcp);
		expected = 0;
	}
	s->acked += delivered;
	extra = us_min32(s->acked - (uint32_t)expected, tcp->active->cwnd);
	s->acked_rounds += s->round_start;
	if (s->acked_rounds >= (s->full_reached ? ACKED_ROUNDS : 1)) {
		s->acked_rounds = 0;
		s->extra_acked[0] = s->full_reached ? s->extra_acked[1] : 0;
		s->extra_acked[1] = 0;
	}
	s->extra_acked[1] = us_max32(s->extra_acked[1], extra);
}

/* --------------------------------------------------------- losses, 5.5.10.2 */

static void note_loss(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	if (s->loss_in_round)
		return;
	s->loss_in_round = true;
	s->losses = 0;
	s->loss_round = tcp->active->delivered;
	save_cwnd(tcp);
	s->undo_phase = PROBE_RTT;
	s->undo_bw = s->bw_shortterm;
	s->undo_shortterm = s->inflight_shortterm;
	s->undo_longterm = s->inflight_longterm;
}

/* What was in flight when the losses became too many, somewhere inside of the run. */
static uint32_t in_flight_at_loss(const struct us_tcp_sent *sent, uint32_t lost)
{
	uint32_t size = us_min32(sent->end - sent->seq, sent->in_flight);
	uint32_t before = sent->in_flight - size, lost_before = lost - us_min32(lost, size);
	uint32_t may = before / 100 * LOSS_PERCENT;

	if (may <= lost_before)
		return before;
	return before + (uint32_t)((uint64_t)(may - lost_before) * 100 / (100 - LOSS_PERCENT));
}

static void lost(struct us_tcp *tcp, const struct us_tcp_sent *sent)
{
	uint32_t gone = tcp->active->lost_ever - sent->lost;
	struct bbr *s = state(tcp);

	note_loss(tcp);
	if (s->losses < UINT8_MAX)
		s->losses++;
	if (!s->probe_sample || !loses_much(tcp, gone, sent->in_flight))
		return;
	s->too_high = true;
	s->probe_sample = false;
	if (!sent->app_limited)
		s->inflight_longterm = us_max32(in_flight_at_loss(sent, gone),
						BETA(target(tcp)));
	if (s->phase == UP) {
		s->undo_phase = UP;
		start_down(tcp);
	}
}

/* Of a loss, or a mark.  The window follows from the model, there is no threshold. */
static uint32_t ssthresh(struct us_tcp *tcp)
{
	note_loss(tcp);
	return tcp->ssthresh;
}

/* 5.5.11.2 */
static void undo(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	restore_cwnd(tcp);
	s->loss_in_round = false;
	reset_full_bw(s, 0);
	s->bw_shortterm = s->undo_bw > s->bw_shortterm ? s->undo_bw : s->bw_shortterm;
	s->inflight_shortterm = us_max32(s->inflight_shortterm, s->undo_shortterm);
	s->inflight_longterm = us_max32(s->inflight_longterm, s->undo_longterm);
	if (s->undo_phase == STARTUP && s->phase != STARTUP) {
		s->full_reached = false;
		if (s->phase != PROBE_RTT)
			s->phase = STARTUP;
	} else if (s->undo_phase == UP && s->phase != UP && s->phase != PROBE_RTT) {
		start_refill(tcp);
	}
	s->undo_phase = PROBE_RTT;
}

/* ------------------------------------------------------------ control, 5.6 */

/* A segment in a round trip, however often something was lost: without SACK there are
 * few samples, and each loss takes its part from the last ones.
 */
static uint64_t least_rate(const struct us_tcp *tcp)
{
	return (uint64_t)tcp->mss * (US_SEC >> US_TCP_USEC_SHIFT) /
	       us_max32(tcp->srtt >> 3, 1);
}

static void set_pacing(struct us_tcp *tcp, uint32_t gain)
{
	const struct bbr *s = state(tcp);
	uint64_t rate = s->bw * gain / UNIT * 99 / 100, least = least_rate(tcp);

	rate = rate > least ? rate : least;
	if (s->full_reached || rate > tcp->active->pacing_rate)
		us_tcp_pace_set(tcp, rate);
}

static uint32_t pacing_gain(const struct bbr *s)
{
	static const uint16_t gain[] = {
		[STARTUP] = GAIN_STARTUP, [DRAIN] = GAIN_DRAIN, [DOWN] = GAIN_DOWN,
		[CRUISE] = UNIT, [REFILL] = UNIT, [UP] = GAIN_UP, [PROBE_RTT] = UNIT,
	};

	return gain[s->phase];
}

static uint32_t cwnd_gain(const struct bbr *s)
{
	if (s->phase == PROBE_RTT)
		return CWND_GAIN_RTT;
	return s->phase == UP ? CWND_GAIN_UP : CWND_GAIN;
}

/* 5.6.4.7 */
static uint32_t bound(const struct us_tcp *tcp)
{
	const struct bbr *s = state(tcp);
	uint32_t cap = NO_LIMIT;

	if (s->phase == CRUISE || s->phase == PROBE_RTT)
		cap = with_headroom(tcp);
	else if (in_probe_bw(s))
		cap = s->inflight_longterm;
	cap = us_min32(cap, s->inflight_shortterm);
	if (s->phase == PROBE_RTT)
		cap = us_min32(cap, probe_rtt_cwnd(tcp));
	return us_max32(cap, min_pipe(tcp));
}

static void set_cwnd(struct us_tcp *tcp, uint32_t delivered)
{
	struct us_tcp_active *a = tcp->active;
	const struct bbr *s = state(tcp);
	uint32_t most = bdp(tcp, s->bw, cwnd_gain(s)) +
			us_max32(s->extra_acked[0], s->extra_acked[1]);

	most = quantize(tcp, most);
	if (s->full_reached)
		a->cwnd = us_min32(a->cwnd + delivered, most);
	else if (a->cwnd < most || a->delivered < us_tcp_initial_window(tcp))
		a->cwnd += delivered;
	a->cwnd = us_max32(a->cwnd, min_pipe(tcp));
	a->cwnd = us_min32(us_min32(a->cwnd, bound(tcp)), US_TCP_CWND_MAX);
}

/* 5.2.3 */
static void model(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	const struct us_tcp_rate *rate = &r->rate;
	uint64_t bw = rate_of(rate);
	struct bbr *s = state(tcp);

	if (s->recovering && tcp->active->ca_state == TCP_CA_Open)
		restore_cwnd(tcp);
	s->recovering = tcp->active->ca_state != TCP_CA_Open;
	if (!rate->valid)
		return;
	update_congestion(tcp, rate, bw);
	update_aggregation(tcp, r->delivered);
	check_full_bw(s, rate, bw);
	check_startup_drain(tcp, rate);
	update_cycle(tcp, r, bw);
	update_min_rtt(tcp, r->rtt);
	check_probe_rtt(tcp);
	if (s->loss_round_start) {
		s->bw_latest = bw;
		s->inflight_latest = rate->delivered;
	}
	s->bw = max_bw(s) < s->bw_shortterm ? max_bw(s) : s->bw_shortterm;
	set_pacing(tcp, pacing_gain(s));
	set_cwnd(tcp, r->delivered);
}

/* 5.4: after a pause, at just the rate of the path. */
static void restart(struct us_tcp *tcp)
{
	struct bbr *s = state(tcp);

	s->idle_restart = true;
	s->acked_at = now(tcp);
	if (in_probe_bw(s))
		set_pacing(tcp, UNIT);
	else if (s->phase == PROBE_RTT)
		check_probe_rtt_done(tcp);
}

static void info(const struct us_tcp *tcp, struct us_tcp_cc_info *info)
{
	const struct bbr *s = state(tcp);

	info->bw_lo = (uint32_t)s->bw;
	info->bw_hi = (uint32_t)(s->bw >> 32);
	info->min_rtt = (uint32_t)(((uint64_t)s->min_rtt << US_TCP_USEC_SHIFT) / 1000);
	info->pacing_gain = pacing_gain(s);
	info->cwnd_gain = cwnd_gain(s);
}

/* 5.2.1, 5.6.2: until there is a sample, the initial window in a round trip. */
static void init(struct us_tcp *tcp)
{
	uint64_t rtt = tcp->srtt ? tcp->srtt >> 3 : US_TCP_MSEC(1);
	struct bbr *s = state(tcp);

	memset(s, 0, sizeof(*s));
	s->min_rtt = tcp->srtt ? tcp->srtt >> 3 : UINT32_MAX;
	s->probe_rtt_min = s->min_rtt;
	s->min_rtt_at = s->probe_rtt_at = s->acked_at = s->cycle_at = now(tcp);
	s->next_round = s->loss_round = tcp->active->delivered;
	s->inflight_longterm = s->undo_longterm = NO_LIMIT;
	s->up_per_inc = NO_LIMIT;
	s->undo_phase = PROBE_RTT;
	reset_shortterm(s);
	us_tcp_pace_set(tcp, (uint64_t)us_tcp_initial_window(tcp) * GAIN_STARTUP / UNIT *
			     (US_SEC >> US_TCP_USEC_SHIFT) / us_max32((uint32_t)rtt, 1));
}

const struct us_tcp_cc us_tcp_cc_bbr = {
	.name = "bbr",
	.init = init,
	.model = model,
	.ssthresh = ssthresh,
	.lost = lost,
	.restart = restart,
	.undo = undo,
	.info = info,
};
