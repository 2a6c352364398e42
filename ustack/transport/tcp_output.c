// SPDX-License-Identifier: MIT
/* What may be sent, and sending it. */
#include "transport/tcp_parts.h"

/* How send_new() may overrule the usual limits. */
enum mode {
	NORMAL,
	FORCE,		/* the override timeout: neither Nagle nor cork */
	PROBE,		/* of a tail loss, or the MTU: nor the congestion window */
};

/* Payload bytes of a full segment, now. */
static uint32_t full_segment(const struct us_tcp *tcp)
{
	return tcp->mss - us_tcp_option_room(tcp);
}

/* Who cuts super-segments leaves CWR on the first segment only: right for RFC 3168,
 * and wrong where it is a bit of AccECN's counter.
 */
static bool has_cwr_bit(const struct us_tcp *tcp)
{
	return (tcp->ecn & US_TCP_ECN_ACC) && (us_tcp_accecn_ace(tcp) & 2);
}

/* Payload bytes that one slot may carry. */
static uint32_t slot_limit(const struct us_tcp *tcp, uint32_t full)
{
	const struct us_link *link = tcp->dst.link;
	uint32_t max;

	if (!(link->flags & US_LINK_GSO_TCP) || us_unlikely(has_cwr_bit(tcp)) ||
	    us_unlikely(tcp->flags & US_TCP_URGING))
		return full;
	max = us_min32(link->gso_max, 65535);
	return max > 120 + full ? us_min32(max - 120, link->gso_segs * full) : full;
}

static uint32_t segments(uint32_t bytes, uint32_t full)
{
	return us_likely(bytes <= full) ? 1 : (bytes + full - 1) / full;
}

/* Bytes behind the full segments: seldom by a division. */
static uint32_t behind_full(uint32_t bytes, uint32_t full)
{
	if (bytes < full)
		return bytes;
	return bytes < 2 * full ? bytes - full : bytes % full;
}

static void count_data(struct us_tcp *tcp, uint32_t bytes, uint32_t full)
{
	struct us_tcp_totals *t = &tcp->active->totals;
	uint32_t n = segments(bytes, full);

	t->bytes_sent += bytes;
	/* The first one is counted with its header. */
	t->segs_out += n - 1;
	us_count_by(tcp->table->stack, tcp_out, n - 1);
	t->data_out += bytes ? n : 0;
}

/* Something was sent that had been sent before. */
static void count_again(struct us_tcp *tcp, uint32_t seq, uint32_t bytes, uint32_t full,
			enum us_trace_kind kind)
{
	uint32_t n = segments(bytes, full);

	us_count_by(tcp->table->stack, tcp_retransmit, n);
	tcp->total_retrans += n;
	tcp->active->totals.bytes_retrans += bytes;
	us_tcp_note(tcp, kind, seq, bytes);
}

/*
 * Sends [seq, end), or as much of it as one slot takes.  A FIN that belongs
 * there goes with the last byte.  Returns the sequence space sent; 0: the link
 * is full, and the connection waits for it.
 */
static uint32_t transmit(struct us_tcp *tcp, uint32_t seq, uint32_t end, uint32_t full)
{
	uint32_t data_end = us_seq_min(end, tcp->active->snd_end);
	uint32_t len = us_before(seq, data_end) ? data_end - seq : 0, got = 0;
	struct us_tx *tx = us_tcp_header_begin(tcp, seq, US_TCP_ACK, tcp->dst.link->kept);
	struct us_tcp_hdr *h;
	bool fin;

	if (!tx) {
		us_tcp_pend(tcp);
		return 0;
	}
	if (len > full) {
		tx->gso = US_GSO_TCP;
		tx->gso_size = (uint16_t)full;
	}
	if (len)
		got = us_tcp_sndq_gather(tcp, seq, len, tx);
	if (us_unlikely(got <= full && tx->gso)) {
		tx->gso = US_GSO_NONE;
		tx->gso_size = 0;
	}
	h = (void *)(tx->head + tx->l4);
	fin = got == len && us_after(end, tcp->active->snd_end);
	if (fin)
		h->flags |= US_TCP_FIN;
	if (got && seq + got == tcp->active->snd_end)
		h->flags |= US_TCP_PSH;
	if (us_unlikely(tcp->flags & US_TCP_ECN) && got && seq == tcp->snd_nxt)
		us_tcp_ecn_new_data(tcp, tx);
	count_data(tcp, got, full);
	us_tcp_header_end(tcp, tx);
	us_tcp_ack_sent(tcp);
	return got + fin;
}

static void after_send(struct us_tcp *tcp, uint32_t bytes)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t tick = us_tcp_tick(tcp->table->stack);

	a->prr_out += bytes;
	a->last_snd = tick;
	if (us_unlikely(a->pacing_rate))
		us_tcp_pace_sent(tcp, bytes);
	if (tick - a->last_data < US_TCP_DELACK >> (US_TCP_TICK_SHIFT -
						    US_TCP_USEC_SHIFT))
		a->pingpong = true;
	if (!us_tcp_timer_armed(tcp, US_TCP_TIMER_REXMT))
		us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, us_tcp_rto(tcp));
	us_tcp_timer_stop(tcp, US_TCP_TIMER_PERSIST);
}

/* Bytes of whole segments that the congestion window lets go, at least one
 * segment if nothing is on the path.
 */
static uint32_t cwnd_room(const struct us_tcp *tcp, uint32_t full)
{
	uint32_t pipe = us_tcp_pipe(tcp), cwnd = tcp->active->cwnd;

	if (!pipe)
		return us_max32(cwnd, full);
	return cwnd > pipe ? cwnd - pipe : 0;
}

/* Cuts @len to what is allowed by @room; 0 if not even a segment is. */
static uint32_t fit(uint32_t len, uint32_t room, uint32_t full)
{
	if (len <= room)
		return len;
	if (room < full)
		return 0;
	return room < 2 * full ? full : room - room % full;
}

/* What pacing lets go of @len; 0: later, a timer is set. */
static uint32_t pace(struct us_tcp *tcp, uint32_t len, uint32_t full)
{
	return us_likely(!tcp->active->pacing_rate) ? len :
	       fit(len, us_tcp_pace_room(tcp), full);
}

/* One run (or the head of it) again. */
static bool resend_one(struct us_tcp *tcp, struct us_tcp_sent *sent, uint32_t len,
		       uint32_t full)
{
	uint32_t bytes = transmit(tcp, sent->seq, sent->seq + len, full);

	if (!bytes)
		return false;
	count_again(tcp, sent->seq, bytes, full, US_TRACE_RETRANSMIT);
	after_send(tcp, bytes);
	if (us_before(sent->seq + bytes, sent->end) &&
	    !us_tcp_flight_split(tcp, sent, sent->seq + bytes))
		return false;
	us_tcp_flight_resent(tcp, sent);
	return true;
}

/* After a timeout the first segment goes, whatever is on the path (RFC 6298 5.4). */
static uint32_t resend_room(const struct us_tcp *tcp, const struct us_tcp_sent *sent,
			    uint32_t full)
{
	uint32_t room = cwnd_room(tcp, full);

	if (sent->seq == tcp->snd_una && tcp->active->ca_state == TCP_CA_Loss)
		return us_max32(room, full);
	return room;
}

/* Sends lost runs again; false if that is not finished. */
static bool resend(struct us_tcp *tcp)
{
	uint32_t full = full_segment(tcp), limit = slot_limit(tcp, full);
	struct us_tcp_sent *sent;

	while ((sent = us_tcp_flight_lost(tcp))) {
		uint32_t len = us_min32(sent->end - sent->seq, limit);

		if (!us_before(sent->seq, tcp->snd_una + tcp->snd_wnd) &&
		    sent->seq != tcp->snd_una)
			return false;
		if (len > full)
			len -= len % full;
		len = pace(tcp, fit(len, resend_room(tcp, sent, full), full), full);
		if (!len || !resend_one(tcp, sent, len, full))
			return false;
	}
	return true;
}

/* Nagle's algorithm as Minshall changed it, cork and MSG_MORE: may the tail of
 * the queue go although it does not fill a segment?
 */
static bool may_send_tail(const struct us_tcp *tcp)
{
	if (tcp->flags & (US_TCP_FIN_QUEUED | US_TCP_URGING))
		return true;
	if (tcp->flags & (US_TCP_CORK | US_TCP_MORE))
		return false;
	/* After gigabytes of full segments snd_sml seems to be ahead of all. */
	return (tcp->flags & US_TCP_NODELAY) ||
	       !us_after(tcp->active->snd_sml, tcp->snd_una) ||
	       us_after(tcp->active->snd_sml, tcp->snd_nxt);
}

/**
 * us_tcp_output_waits() - is it sure that nothing can be sent before an ACK comes?
 * @tcp: active.
 *
 * Nagle's algorithm holds back less than a segment, and what it waits for is in
 * flight: so a stream of small messages costs a look at this, and an output for
 * each segment.
 */
bool us_tcp_output_waits(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return a->snd_end - tcp->snd_nxt < tcp->mss && a->lost == a->retrans &&
	       !(tcp->flags & (US_TCP_CORK | US_TCP_MORE | US_TCP_FIN_SENT)) &&
	       !may_send_tail(tcp);
}

/* RFC 9293 3.8.6.2.1: silly window avoidance.  @len of @avail bytes may go. */
static uint32_t not_silly(const struct us_tcp *tcp, uint32_t len, uint32_t avail,
			  uint32_t full, enum mode mode)
{
	if (mode != NORMAL)
		return len;
	if (len == avail) {
		uint32_t tail = behind_full(len, full);

		return !tail || may_send_tail(tcp) ? len : len - tail;
	}
	if (len >= full)
		return len - len % full;
	return len && len >= tcp->max_snd_wnd / 2 ? len : 0;
}

static uint32_t send_window(const struct us_tcp *tcp)
{
	uint32_t end = tcp->snd_una + tcp->snd_wnd;

	return us_before(tcp->snd_nxt, end) ? end - tcp->snd_nxt : 0;
}

/* Bytes queued that were never sent. */
static uint32_t unsent(const struct us_tcp *tcp)
{
	return tcp->flags & US_TCP_FIN_SENT ? 0 : tcp->active->snd_end - tcp->snd_nxt;
}

/* Payload of the next new segment, 0 if none may go. */
static uint32_t choose(struct us_tcp *tcp, uint32_t full, enum mode mode)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t avail = unsent(tcp);
	uint32_t len = us_min32(avail, send_window(tcp));
	uint32_t limit = slot_limit(tcp, full), room, allowed;
	bool one;

	if (mode == PROBE)
		return us_min32(len, full);
	room = cwnd_room(tcp, full);
	a->cwnd_limited = room < len;
	if (a->cwnd_limited)
		a->limited_end = tcp->snd_nxt;
	/* A link that does not cut takes a segment at a time: no division. */
	one = limit == full && len >= full && room >= full;
	allowed = one ? full : fit(len, room, full);
	if (a->cwnd_limited && !allowed)
		return 0;
	allowed = pace(tcp, allowed, full);
	if (len && !allowed) {
		a->cwnd_limited = us_after(a->limited_end, tcp->snd_una);
		return 0;
	}
	if (one)
		return allowed;
	return us_min32(not_silly(tcp, allowed, avail, full, mode), limit);
}

/* The FIN goes with the last byte, or alone; a closed window does not stop it. */
static bool fin_due(const struct us_tcp *tcp, uint32_t len)
{
	return (tcp->flags & (US_TCP_FIN_QUEUED | US_TCP_FIN_SENT)) ==
	       US_TCP_FIN_QUEUED && len == unsent(tcp);
}

/* New data, [snd_nxt, @end); false if nothing was sent. */
static bool emit(struct us_tcp *tcp, uint32_t end, uint32_t full)
{
	uint32_t seq = tcp->snd_nxt, bytes;

	if (!us_tcp_flight_ready(tcp)) {
		us_count(tcp->table->stack, tcp_no_memory);
		return false;
	}
	bytes = transmit(tcp, seq, end, full);
	if (!bytes)
		return false;
	us_tcp_flight_add(tcp, seq, seq + bytes);
	tcp->snd_nxt += bytes;
	if (us_after(tcp->snd_nxt, tcp->active->snd_end))
		tcp->flags |= US_TCP_FIN_SENT;
	if (bytes < full)	/* not the tail of a super-segment */
		tcp->active->snd_sml = tcp->snd_nxt;
	after_send(tcp, bytes);
	if (us_unlikely(tcp->notsent))
		us_tcp_notsent_left(tcp, bytes);
	return true;
}

/* One slot of new data, in segments of @full; false if nothing was sent. */
static bool send_new(struct us_tcp *tcp, uint32_t full, enum mode mode)
{
	uint32_t len = choose(tcp, full, mode);
	bool fin = fin_due(tcp, len);

	if (!len && !fin)
		return false;
	if (len > full && len < unsent(tcp))
		len -= behind_full(len, full);
	return emit(tcp, tcp->snd_nxt + len + fin, full);
}

/* A message in a conversation: all that waits fits into one segment, and nothing that
 * choose() and its like ask for stands against it.
 */
static bool is_message(const struct us_tcp *tcp, uint32_t full)
{
	const struct us_tcp_active *a = tcp->active;
	uint32_t len = a->snd_end - tcp->snd_nxt;
	uint32_t out = us_tcp_in_flight(tcp) + len;

	return len - 1 < full && us_tcp_is_calm(a) && out <= tcp->snd_wnd && out <= a->cwnd &&
	       !(tcp->flags & US_TCP_FIN_QUEUED) && may_send_tail(tcp) &&
	       !a->pacing_rate;
}

/*
 * Something waits and nothing is in flight that an ACK would answer: the window
 * is closed or silly, the tail is corked, or a pool is exhausted.  The persist
 * timer looks again.
 */
static void arm_persist(struct us_tcp *tcp)
{
	uint32_t wait = US_TCP_RTO_MIN;

	if (tcp->snd_una != tcp->snd_nxt ||
	    us_tcp_timer_armed(tcp, US_TCP_TIMER_PERSIST) ||
	    us_tcp_timer_armed(tcp, US_TCP_TIMER_PACE) ||
	    (tcp->flags & US_TCP_PENDING) || (!unsent(tcp) && !fin_due(tcp, 0)))
		return;
	if (!send_window(tcp))
		wait = us_tcp_rto_after(tcp, tcp->active->persist_shift);
	if (tcp->active->persist_shift)
		wait = us_tcp_timer_clamp(tcp, wait);
	us_tcp_timer_set(tcp, US_TCP_TIMER_PERSIST, wait);
}

static bool may_send_data(const struct us_tcp *tcp)
{
	return tcp->active && !us_tcp_is_opening(tcp) && tcp->state != TCP_CLOSE;
}

/* No ACKs will come that could clock out the window. */
static bool idle_restart(const struct us_tcp *tcp)
{
	uint32_t quiet = us_tcp_tick(tcp->table->stack) - tcp->active->last_snd;

	return us_tcp_beyond_rto(tcp, quiet);
}

/* Nothing is in flight. */
static void begin(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->cc->restart && a->app_limited)
		a->cc->restart(tcp);
	if (idle_restart(tcp)) {
		us_tcp_cwv_restart(tcp);
		us_tcp_pace_restart(tcp);
	}
}

/* A window that does not take the next segment is no better than a closed one. */
static bool limited_by_peer(const struct us_tcp *tcp)
{
	uint32_t next = us_min32(unsent(tcp), tcp->mss), window = send_window(tcp);

	return window < next && (!window || cwnd_room(tcp, next) >= next);
}

/* RFC 4898's SndLimState. */
static enum us_tcp_limit what_limits(const struct us_tcp *tcp)
{
	if (unsent(tcp))
		return limited_by_peer(tcp) ? US_TCP_LIMIT_PEER : US_TCP_LIMIT_PATH;
	if (tcp->snd_una == tcp->snd_nxt)
		return US_TCP_LIMIT_NONE;
	return us_tcp_sndq_bytes(tcp) < tcp->sndbuf && !(tcp->flags & US_TCP_MEM_WAIT) ?
	       US_TCP_LIMIT_PATH : US_TCP_LIMIT_SENDER;
}

/* A segment that is larger than others, to see whether it gets through.  False: it is
 * its turn, but the congestion window does not yet let it go.
 */
static bool probe_mtu(struct us_tcp *tcp)
{
	uint32_t seq = tcp->snd_nxt, len;

	len = us_tcp_mtu_probe(tcp, us_min32(send_window(tcp), unsent(tcp)));
	if (!len)
		return true;
	tcp->active->cwnd_limited = cwnd_room(tcp, len) < len;
	if (tcp->active->cwnd_limited)
		return false;
	if (send_new(tcp, len, PROBE))
		us_tcp_mtu_probe_sent(tcp, seq, len);
	return true;
}

/* As much new data as may go now. */
static void send_all(struct us_tcp *tcp)
{
	while (unsent(tcp) || fin_due(tcp, 0))
		if (!send_new(tcp, full_segment(tcp), NORMAL))
			return;
	tcp->active->cwnd_limited = false;
}

/* What send_any() comes to then. */
static void message_sent(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t out = us_tcp_in_flight(tcp);

	a->cwnd_limited = false;
	a->last_flight = out;
	us_tcp_rate_limited(tcp);
	us_tcp_probe_arm(tcp);
	us_tcp_limited_by(tcp, out < tcp->sndbuf && !(tcp->flags & US_TCP_MEM_WAIT) ?
			       US_TCP_LIMIT_PATH : US_TCP_LIMIT_SENDER);
}

/* Whatever may go; snd_nxt was @before when this output began. */
static us_noinline void send_any(struct us_tcp *tcp, uint32_t before)
{
	struct us_tcp_active *a = tcp->active;

	if (a->lost == a->retrans || us_tcp_frto_forward(tcp) || resend(tcp)) {
		if (us_likely(tcp->dst.mtu == tcp->dst.route_mtu) || probe_mtu(tcp))
			send_all(tcp);
	}
	if (!unsent(tcp) && a->lost == a->retrans && us_tcp_pipe(tcp) < a->cwnd)
		us_tcp_rate_limited(tcp);
	if (tcp->snd_nxt != before)
		a->last_flight = us_tcp_in_flight(tcp);
	if (tcp->snd_nxt != before || a->ca_state == TCP_CA_Recovery)
		us_tcp_probe_arm(tcp);
	arm_persist(tcp);
	us_tcp_limited_by(tcp, what_limits(tcp));
}

/* What waits has its time, which has not come, and a timer for it: an ACK that tells of no
 * loss changes nothing.
 */
static bool is_paced(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return a->pacing_rate && a->pace_at > tcp->table->stack->now && unsent(tcp) &&
	       us_tcp_is_calm(a) && us_tcp_timer_armed(tcp, US_TCP_TIMER_PACE);
}

static void send_data(struct us_tcp *tcp)
{
	uint32_t before = tcp->snd_nxt, end = tcp->active->snd_end, full = full_segment(tcp);

	if (before == tcp->snd_una)
		begin(tcp);
	if (is_message(tcp, full) && emit(tcp, end, full) && tcp->snd_nxt == end)
		message_sent(tcp);
	else if (us_likely(!is_paced(tcp)))
		send_any(tcp, before);
}

/**
 * us_tcp_output() - sends what may be sent now
 * @tcp: any state.
 */
void us_tcp_output(struct us_tcp *tcp)
{
	/* Alone, before any data: RFC 9768 3.2.2.1. */
	if (us_unlikely(tcp->ecn & US_TCP_ECN_HANDSHAKE) &&
	    !(tcp->flags & US_TCP_PENDING))
		us_tcp_send_ack(tcp);
	if (us_likely(may_send_data(tcp)))
		send_data(tcp);
	if ((tcp->flags & US_TCP_ACK_NOW) && !(tcp->flags & US_TCP_PENDING))
		us_tcp_send_ack(tcp);
}

/**
 * us_tcp_output_persist() - the persist timer ran
 * @tcp: active.
 *
 * A closed window is probed (RFC 9293 3.8.6.1); an open one, that was too small
 * or whose tail was held back, is used now.
 */
void us_tcp_output_persist(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (tcp->snd_una != tcp->snd_nxt || (!unsent(tcp) && !fin_due(tcp, 0)))
		return;
	if (send_window(tcp) && send_new(tcp, full_segment(tcp), FORCE)) {
		a->persist_shift = 0;
		return;
	}
	if (!send_window(tcp)) {
		us_count(tcp->table->stack, tcp_zero_window_probe);
		us_tcp_note(tcp, US_TRACE_WINDOW_PROBE, tcp->snd_una, 0);
		/* It is out of the window, where urgent data is not heard of. */
		if (tcp->flags & US_TCP_URGING)
			us_tcp_send_ack(tcp);
		us_tcp_send_probe(tcp);
		tcp->retries++;
		if (a->persist_shift < 10)
			a->persist_shift++;
	}
	arm_persist(tcp);
}

/* The last run that may still arrive, or NULL: in recovery the peer may have the end. */
static struct us_tcp_sent *last_on_path(struct us_tcp_active *a)
{
	struct us_tcp_sent *sent;

	cds_list_for_each_entry_reverse(sent, &a->flight, node)
		if (!(sent->flags & US_TCP_SACKED) &&
		    (sent->flags & (US_TCP_LOST | US_TCP_RETRANS)) != US_TCP_LOST)
			return sent;
	return NULL;
}

/* The last segment again. */
static bool probe_again(struct us_tcp *tcp, uint32_t full)
{
	struct us_tcp_sent *last = last_on_path(tcp->active);
	uint32_t bytes;

	if (!last)
		return false;
	if (last->end - last->seq > full) {
		if (!us_tcp_flight_split(tcp, last, last->end - full))
			return false;
		last = cds_list_entry(last->node.next, struct us_tcp_sent, node);
	}
	bytes = transmit(tcp, last->seq, last->end, full);
	if (!bytes)
		return false;
	count_again(tcp, last->seq, bytes, full, US_TRACE_TAIL_PROBE);
	us_tcp_undo_resent(tcp, last);
	last->xmit = us_tcp_flight_again(tcp);
	last->flags |= US_TCP_EVER;
	after_send(tcp, bytes);
	return true;
}

/**
 * us_tcp_output_probe() - a tail loss probe, RFC 8985 7.3
 * @tcp: active, with something in flight.
 *
 * New data if there is any that the window allows, else the last segment again.
 * Return: false if nothing was sent.
 */
bool us_tcp_output_probe(struct us_tcp *tcp)
{
	uint32_t full = full_segment(tcp);

	if (!send_new(tcp, full, PROBE) && !probe_again(tcp, full))
		return false;
	us_count(tcp->table->stack, tcp_tail_probe);
	return true;
}

/**
 * us_tcp_output_again() - sends a run again that does not count as lost
 * @tcp: active.
 * @sent: in flight, without flags.
 *
 * Return: false if the link is full.
 */
bool us_tcp_output_again(struct us_tcp *tcp, struct us_tcp_sent *sent)
{
	uint32_t full = full_segment(tcp), limit = slot_limit(tcp, full);
	uint32_t at = sent->seq, bytes;

	for (; at != sent->end; at += bytes) {
		bytes = transmit(tcp, at, at + us_min32(sent->end - at, limit), full);
		if (!bytes)
			return false;
		count_again(tcp, at, bytes, full, US_TRACE_RETRANSMIT);
		after_send(tcp, bytes);
	}
	sent->xmit = us_tcp_flight_again(tcp);
	sent->flags |= US_TCP_EVER;
	return true;
}
