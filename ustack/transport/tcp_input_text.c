// SPDX-License-Identifier: MIT
/* RFC 9293 3.10.7.4, seventh and eighth: text and FIN; and when to acknowledge. */
#include "transport/tcp_parts.h"

/**
 * us_tcp_ack_now() - an ACK is due in this poll
 * @tcp: synchronized.
 */
void us_tcp_ack_now(struct us_tcp *tcp)
{
	tcp->flags |= US_TCP_ACK_NOW;
	us_tcp_queue(tcp);
}

/* The peer's segment size, as far as its segments tell. */
static void measure_mss(struct us_tcp_active *a, const struct us_tcp_segment *seg)
{
	uint32_t size = seg->pkt->gso_size ? seg->pkt->gso_size : seg->len;

	if (size > a->rcv_mss)
		a->rcv_mss = us_min32(size, UINT16_MAX);
}

/* A pause longer than an RTO: the peer's window has shrunk, it needs its ACKs. */
static void note_arrival(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t tick = us_tcp_tick(tcp->table->stack);

	if (us_tcp_beyond_rto(tcp, tick - a->last_data))
		a->quick = US_TCP_QUICK_ACKS;
	a->last_data = tick;
}

/**
 * us_tcp_schedule_ack() - something in order has come
 * @tcp: active; rcv_nxt is behind it.
 *
 * RFC 9293 3.8.6.3 and RFC 5681 4.2: an ACK for every second full segment at least,
 * others wait for company, at most 40 ms.  While @quick lasts and no answer of ours
 * carries the ACK, none is delayed.
 */
void us_tcp_schedule_ack(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (tcp->rcv_nxt - tcp->last_ack_sent > a->rcv_mss ||
	    (a->quick && !a->pingpong)) {
		us_tcp_ack_now(tcp);
		return;
	}
	if (!us_tcp_timer_armed(tcp, US_TCP_TIMER_DELACK))
		us_tcp_timer_set(tcp, US_TCP_TIMER_DELACK, US_TCP_DELACK);
}

/**
 * us_tcp_set_quickack() - TCP_QUICKACK
 * @tcp: the connection.
 * @value: of the option.
 *
 * As Linux: 0: ACKs wait for an answer that may carry them; else they do not, and one that
 * waits leaves when all is read; if the number is even, those behind it wait again.
 */
void us_tcp_set_quickack(struct us_tcp *tcp, int value)
{
	struct us_tcp_active *a;

	if (tcp->state == TCP_CLOSE || (!tcp->active && (value || !us_tcp_activate(tcp))))
		return;
	a = tcp->active;
	a->pingpong = !value;
	if (!value || !us_tcp_timer_armed(tcp, US_TCP_TIMER_DELACK) ||
	    (tcp->state != TCP_ESTABLISHED && tcp->state != TCP_CLOSE_WAIT))
		return;
	a->pushed = true;
	if (!a->rcv_bytes && !a->reass)
		us_tcp_ack_now(tcp);
	a->pingpong = !(value & 1);
}

/**
 * us_tcp_quickack() - TCP_QUICKACK
 * @tcp: the connection.
 *
 * Return: ACKs do not wait for an answer that may carry them.
 */
bool us_tcp_quickack(const struct us_tcp *tcp)
{
	return !tcp->active || !tcp->active->pingpong;
}

/**
 * us_tcp_ack_may_wait() - is all that is due the ACK of a message that nobody has read?
 * @tcp: on the table's flush list.
 *
 * Of less than a segment, all that the peer pushed, on the way of quick ACKs, and not
 * for longer than this round.
 */
bool us_tcp_ack_may_wait(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return tcp->state == TCP_ESTABLISHED && a && a->pushed && a->quick && !a->pingpong &&
	       !tcp->late && !a->reass && !(tcp->flags & (US_TCP_ECN | US_TCP_UNACCEPTED)) &&
	       a->last_data == us_tcp_tick(tcp->table->stack) &&
	       a->rcv_bytes == tcp->rcv_nxt - tcp->last_ack_sent &&
	       a->rcv_bytes - 1 < tcp->mss - 1u &&
	       a->snd_end == tcp->snd_nxt && a->lost == a->retrans;
}

static void trim_front(struct us_tcp_segment *seg, uint32_t bytes)
{
	seg->pkt->data += bytes;
	seg->pkt->len -= bytes;
	seg->seq += bytes;
	seg->len -= bytes;
}

/* What we have already, and what is beyond the window or a FIN that came before, is cut
 * off.
 */
static void trim(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	bool fin = tcp->flags & US_TCP_FIN_AHEAD;
	uint32_t end = tcp->rcv_adv, wnd;

	if (us_before(seg->seq, tcp->rcv_nxt)) {
		uint32_t old = us_min32(tcp->rcv_nxt - seg->seq, seg->len);

		us_tcp_dsack_note(tcp, seg->seq, seg->seq + old);
		us_count(tcp->table->stack, tcp_duplicate);
		trim_front(seg, old);
	}
	if (fin)
		end = us_seq_min(end, tcp->active->fin_seq);
	wnd = us_before(seg->seq, end) ? end - seg->seq : 0;
	if (seg->len > wnd) {
		if (fin)
			us_count(tcp->table->stack, tcp_beyond_fin);
		else
			us_count(tcp->table->stack, tcp_window_full);
		seg->len = wnd;
		seg->pkt->len = wnd;
	}
}

static void in_order(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	struct us_tcp_active *a = tcp->active;

	measure_mss(a, seg);
	a->pushed = seg->flags & US_TCP_PSH;
	note_arrival(tcp);
	if (!us_tcp_rcvq_append(tcp, seg)) {
		us_tcp_ack_now(tcp);
		return;
	}
	tcp->rcv_nxt += seg->len;
	if (us_unlikely(!us_before(tcp->rcv_nxt, a->rcv_round_end)))
		us_tcp_rcvbuf_round(tcp);
	if (us_unlikely(a->reass != NULL))
		us_tcp_reass_drain(tcp);
	else
		us_tcp_schedule_ack(tcp);
	us_tcp_notify(tcp);
}

/* RFC 5681 4.2: a duplicate ACK for each, at once; the sender counts them. */
static void out_of_order(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	tcp->active->totals.ooo++;
	us_tcp_reass_insert(tcp, seg);
	tcp->active->quick = US_TCP_QUICK_ACKS;
	tcp->active->pingpong = false;
	us_tcp_send_ack(tcp);
}

static void text(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	trim(tcp, seg);
	if (!seg->len)
		us_tcp_ack_now(tcp);
	else if (seg->seq == tcp->rcv_nxt)
		in_order(tcp, seg);
	else
		out_of_order(tcp, seg);
}

/* No text is beyond a FIN; of several the first one counts.  One that is beyond the
 * window will come again.
 */
static void note_fin(struct us_tcp *tcp, uint32_t seq, bool alone)
{
	struct us_stack *stack = tcp->table->stack;

	if (us_before(seq, tcp->rcv_nxt)) {
		us_count(stack, tcp_fin_old);
		return;
	}
	if (us_after(seq, tcp->rcv_adv)) {
		us_count(stack, tcp_fin_ignored);
		return;
	}
	if ((tcp->flags & US_TCP_FIN_AHEAD) && us_after(seq, tcp->active->fin_seq)) {
		if (alone)	/* else trim() counts */
			us_count(stack, tcp_beyond_fin);
		return;
	}
	tcp->flags |= US_TCP_FIN_AHEAD;
	tcp->active->fin_seq = seq;
	us_tcp_reass_fin(tcp, seq);
}

/* Has all come that is before the FIN?  If not, and it came alone, it is out of order; text
 * was acknowledged already, and of a segment there is one ACK (RFC 5681 4.2).
 */
static void fin(struct us_tcp *tcp, bool alone)
{
	if (tcp->active->fin_seq == tcp->rcv_nxt)
		us_tcp_fin_received(tcp);
	else if (alone)
		us_tcp_send_ack(tcp);
}

/**
 * us_tcp_input_next() - payload of a segment that is the next in order
 * @tcp: active, established.
 * @seg: predicted; inside the window, with payload.
 */
void us_tcp_input_next(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	uint32_t expected = tcp->rcv_nxt;

	in_order(tcp, seg);
	tcp->bytes_received += tcp->rcv_nxt - expected;
}

static bool takes_text(const struct us_tcp *tcp)
{
	return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_FIN_WAIT1 ||
	       tcp->state == TCP_FIN_WAIT2 ||
	       (tcp->state == TCP_SYN_RECV && us_tcp_opened_early(tcp));
}

/* The peer's FIN came.  What is before it comes again, for our ACK was lost. */
static void behind_fin(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (us_before(seg->seq, tcp->rcv_nxt) && !us_after(seg->end, tcp->rcv_nxt))
		us_count(tcp->table->stack, tcp_duplicate);
	else
		us_count(tcp->table->stack, tcp_beyond_fin);
	us_tcp_ack_now(tcp);
}

/* Nobody will ever read this: as Linux, and RFC 2525 2.17 in spirit.  Who has only
 * shut down reading may yet change his mind, as long as he writes.
 */
static bool for_nobody(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	bool orphan = tcp->flags & US_TCP_ORPHAN;
	bool shut = (tcp->flags & US_TCP_SHUT_RD) && (tcp->flags & US_TCP_FIN_QUEUED);

	if (!(orphan || shut) || (!seg->len && !(seg->flags & US_TCP_FIN)) ||
	    !us_after(seg->seq + seg->len, tcp->rcv_nxt))
		return false;
	us_count(tcp->table->stack, tcp_data_after_close);
	us_tcp_send_reset(tcp);
	us_tcp_done(tcp, orphan ? 0 : ECONNRESET);
	return true;
}

/**
 * us_tcp_input_text() - payload and FIN of a segment
 * @tcp: synchronized.
 * @seg: acceptable, its ACK is taken; seq is that of the payload.
 */
void us_tcp_input_text(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	bool alone = !seg->len && (seg->flags & US_TCP_FIN);
	uint32_t before = tcp->rcv_nxt;

	if (!seg->len && !(seg->flags & (US_TCP_FIN | US_TCP_URG)))
		return;
	if (!takes_text(tcp)) {
		behind_fin(tcp, seg);
		return;
	}
	if (for_nobody(tcp, seg) || !us_tcp_activate(tcp))
		return;
	if (us_unlikely((seg->flags & US_TCP_URG) || (tcp->flags & US_TCP_URGENT)))
		us_tcp_urgent_input(tcp, seg);
	if (seg->flags & US_TCP_FIN)
		note_fin(tcp, seg->end - 1, alone);
	if (seg->len)
		text(tcp, seg);
	tcp->bytes_received += tcp->rcv_nxt - before;
	if (tcp->flags & US_TCP_FIN_AHEAD)
		fin(tcp, alone);
}
