// SPDX-License-Identifier: MIT
/*
 * RFC 9293 3.10.7: SYN-SENT (3.10.7.3), and the checks that all other states
 * share (3.10.7.4), in the RFC's order: sequence number, RST, SYN, ACK.  Text
 * and FIN are in tcp_input_text.c.
 */
#include "transport/tcp_parts.h"

/* The handshake is complete; windows and options are taken. */
static void establish(struct us_tcp *tcp)
{
	struct us_stack *stack = tcp->table->stack;

	us_tcp_fastopen_over(tcp);
	us_tcp_enter(tcp, TCP_ESTABLISHED);
	tcp->retries = 0;
	tcp->soft_error = 0;
	us_tcp_timer_stop(tcp, US_TCP_TIMER_REXMT);
	if (tcp->flags & US_TCP_SYN_LOST)
		tcp->rttvar = US_TCP_RTO_LOST;	/* until there is a sample */
	else if (tcp->syn_xmit)
		us_tcp_rtt_sample(tcp, us_tcp_usec(stack) - tcp->syn_xmit);
	tcp->idle_cwnd = 0;
	tcp->last_rcv = us_tcp_tick(stack);
	us_count(stack, tcp_established);
	us_tcp_timer_keep(tcp, 0);
	if (tcp->flags & US_TCP_FIN_QUEUED)	/* closed while it opened */
		us_tcp_enter(tcp, TCP_FIN_WAIT1);
	if (tcp->active)	/* that, or data, may wait */
		us_tcp_queue(tcp);
	if (tcp->flags & US_TCP_UNACCEPTED)
		us_tcp_listen_tell(tcp->listener);
	else
		us_tcp_notify(tcp);
}

/* SYN-SENT, the SYN of the peer: fourth step of 3.10.7.3. */
static void syn_arrives(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	us_tcp_negotiate(tcp, seg);
	tcp->rcv_nxt = seg->seq + 1;
	tcp->rcv_adv += tcp->rcv_nxt;	/* the window of our SYN */
	tcp->last_ack_sent = tcp->rcv_nxt;
	tcp->snd_wl1 = seg->seq;
	tcp->snd_wnd = seg->window;
	tcp->max_snd_wnd = seg->window;
	if (tcp->active)	/* it has sent data with the SYN */
		tcp->active->rcv_round_end = tcp->rcv_nxt;
}

/* Both sides sent SYN: 3.5, figure 8. */
static void simultaneous(struct us_tcp *tcp)
{
	us_tcp_enter(tcp, TCP_SYN_RECV);
	tcp->retries = 0;
	us_tcp_send_syn(tcp);
	us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, us_tcp_rto(tcp));
}

/* The SYN, and maybe data that went with it. */
static bool acks_syn(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	return seg->ack - tcp->snd_nxt <= (tcp->active ? tcp->active->syn_data : 0u);
}

/* The peer knows our name from before.  Our RST ends that, and the next SYN need not
 * wait; as Linux, once.
 */
static void half_open(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	us_count(tcp->table->stack, tcp_bad_ack);
	us_tcp_refuse(tcp->table->stack, seg);
	if (!(seg->flags & US_TCP_RST) && !tcp->retries)
		us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, US_TCP_MSEC(2));
}

/* Only the RST that answers our SYN: one without ACK may be anybody's. */
static void reset_refuses(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!(seg->flags & US_TCP_ACK)) {
		us_count(tcp->table->stack, tcp_rst_no_ack);
		return;
	}
	us_count(tcp->table->stack, tcp_rst_in);
	us_tcp_note(tcp, US_TRACE_RESET, seg->seq, 0);
	us_tcp_done(tcp, ECONNREFUSED);
}

/* As Linux: who means to send at once, or said that he may (TCP_QUICKACK), saves an ACK. */
static void acknowledge_syn(struct us_tcp *tcp)
{
	if (us_likely(us_tcp_quickack(tcp))) {
		us_tcp_ack_now(tcp);
		return;
	}
	tcp->active->pingpong = false;
	us_tcp_timer_set(tcp, US_TCP_TIMER_DELACK, US_TCP_DELACK_MAX);
}

/**
 * us_tcp_input_syn_sent() - a segment in SYN-SENT
 * @tcp: the connection.
 * @seg: the segment.
 */
void us_tcp_input_syn_sent(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	bool ack = seg->flags & US_TCP_ACK;

	if (ack && !acks_syn(tcp, seg)) {
		half_open(tcp, seg);
		return;
	}
	if (seg->flags & US_TCP_RST) {
		reset_refuses(tcp, seg);
		return;
	}
	if (!(seg->flags & US_TCP_SYN)) {
		us_count(tcp->table->stack, tcp_syn_missing);
		return;
	}
	syn_arrives(tcp, seg);
	if (!ack) {
		us_tcp_ecn_syn(tcp, seg);
		if (seg->len)
			us_count(tcp->table->stack, tcp_syn_text);
		simultaneous(tcp);
		return;
	}
	tcp->snd_una = tcp->snd_nxt;
	acknowledge_syn(tcp);
	us_tcp_ecn_syn_ack(tcp, seg);
	us_tcp_fastopen_syn_ack(tcp, seg);
	establish(tcp);
	if (tcp->active)
		us_tcp_cc_init(tcp);	/* now that the MSS is known */
	if (tcp->ecn & US_TCP_ECN_ACC)
		us_tcp_ecn_handshake(tcp, seg);
	if (seg->len || (seg->flags & US_TCP_FIN)) {
		seg->seq++;
		us_tcp_input_text(tcp, seg);
	}
}

/* First: a segment that is not acceptable is answered with an ACK.  Data that the peer
 * repeats is always: our ACK was lost.  A SYN has no claim to that, whatever it brings.
 */
static void unacceptable(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (seg->flags & US_TCP_RST)
		return;
	if (!(seg->flags & US_TCP_SYN) && (seg->len || (seg->flags & US_TCP_FIN))) {
		if (seg->len && tcp->active && us_before(seg->seq, tcp->rcv_nxt))
			us_tcp_dsack_note(tcp, seg->seq, us_seq_min(seg->end,
								   tcp->rcv_nxt));
		us_tcp_send_ack(tcp);
		return;
	}
	us_tcp_challenge(tcp);
}

/*
 * The test is Linux's: from where the peer was last told that we are, up to the
 * right edge.  It lets in what RFC 9293's table does, and pure ACKs that were
 * overtaken by data, and a probe at the right edge of a closed window.
 */
static bool in_window(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	return !us_before(seg->end, tcp->last_ack_sent) &&
	       !us_after(seg->seq, tcp->rcv_adv);
}

/* Where a hole keeps rcv_nxt back, and the peer knows what is behind it. */
static bool is_behind_all(const struct us_tcp *tcp, uint32_t seq)
{
	const struct us_tcp_reass *reass = tcp->active ? tcp->active->reass : NULL;

	return (tcp->flags & US_TCP_SACK) && reass && reass->nr &&
	       seq == reass->range[reass->nr - 1].end;
}

/* Only an exact number resets (RFC 5961 3.2): the next one.  As in Linux it may be that of
 * the FIN, too, which some peers give to the RST behind it; and with a hole what is behind
 * all that came: our challenge, or its answer, is lost as easily.
 */
static bool is_exact(const struct us_tcp *tcp, uint32_t seq)
{
	return seq == tcp->rcv_nxt ||
	       ((tcp->flags & US_TCP_FIN_RCVD) && seq == tcp->rcv_nxt - 1) ||
	       is_behind_all(tcp, seq);
}

/*
 * An ACK that was overtaken, and so has an older timestamp, may yet tell of blocks, or be
 * one of three that count.  It must move nothing, and not be older than what can be on the
 * way: Linux's conditions, which are for repetitions; here it may be older than those.
 */
static bool is_overtaken(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	return tcp->active && !us_tcp_is_opening(tcp) &&
	       seg->seq == tcp->rcv_nxt && seg->end == seg->seq &&
	       (us_before(seg->ack, tcp->snd_una) ||
		(seg->ack == tcp->snd_una &&
		 seg->window << tcp->snd_wscale == tcp->snd_wnd)) &&
	       !us_tcp_beyond_rto(tcp, tcp->ts_recent - seg->ts_val);
}

/* RFC 7323 3.2: dropped.  But a SYN may be of a peer that has forgotten us, and asks for
 * no timestamps this time: our ACK makes it reset what we remember (RFC 5961 4.2).
 */
static void timestamps_missing(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	us_count(tcp->table->stack, tcp_ts_missing);
	if (seg->flags & US_TCP_SYN)
		us_tcp_challenge(tcp);
}

static bool check_sequence(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_stack *stack = tcp->table->stack;
	bool rst = seg->flags & US_TCP_RST;

	if ((tcp->flags & US_TCP_TS) && !seg->has_ts && !rst) {
		timestamps_missing(tcp, seg);
		return false;
	}
	if (!rst && !us_tcp_paws_ok(tcp, seg)) {
		if (is_overtaken(tcp, seg))
			return true;
		us_count(stack, tcp_paws);
		unacceptable(tcp, seg);
		return false;
	}
	if (!in_window(tcp, seg) && !(rst && is_exact(tcp, seg->seq))) {
		us_count(stack, tcp_out_of_window);
		unacceptable(tcp, seg);
		return false;
	}
	return true;
}

/* Second: RST. */
static void reset_arrives(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_stack *stack = tcp->table->stack;
	int err = ECONNRESET;

	if (!is_exact(tcp, seg->seq)) {
		us_count(stack, tcp_rst_ignored);
		us_tcp_challenge(tcp);
		return;
	}
	us_count(stack, tcp_rst_in);
	us_tcp_note(tcp, US_TRACE_RESET, seg->seq, 0);
	if (us_tcp_is_opening(tcp))
		err = ECONNREFUSED;
	else if (tcp->state == TCP_CLOSE_WAIT)
		err = EPIPE;		/* as Linux */
	us_tcp_done(tcp, err);
}

static void repeat_syn_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!us_tcp_ecn_syn_again(tcp, seg)) {
		us_tcp_send_reset(tcp);
		us_tcp_done(tcp, ECONNRESET);
	} else if (us_tcp_answered_lately(tcp->table->stack, &tcp->oow_at)) {
		us_count(tcp->table->stack, tcp_syn_limited);
	} else {
		us_tcp_send_syn(tcp);
	}
}

/*
 * Fourth: SYN.  In SYN-RECEIVED the peer repeats its own: ours was lost.  Or
 * both opened at once, and this is its SYN-ACK; then only the ACK counts.
 * Otherwise it is answered by a challenge (RFC 5961 4.2).
 */
static bool check_syn(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	if (!(seg->flags & US_TCP_SYN))
		return true;
	if (tcp->state == TCP_SYN_RECV && seg->seq == tcp->snd_wl1) {
		if ((seg->flags & US_TCP_ACK) && !(tcp->flags & US_TCP_PASSIVE)) {
			seg->flags &= (uint8_t)~US_TCP_SYN;
			seg->seq++;
			return true;
		}
		repeat_syn_ack(tcp, seg);
		return false;
	}
	us_count(tcp->table->stack, tcp_syn_ignored);
	if (seg->flags & US_TCP_ACK)
		us_tcp_ecn_syn_ack_again(tcp, seg);
	us_tcp_challenge(tcp);
	return false;
}

/* The ACK of SYN-RECEIVED.  Fast Open may have sent data already: behind the SYN-ACK, or
 * with a SYN that met the peer's.
 */
static bool complete_handshake(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	bool early = us_tcp_opened_early(tcp);
	uint32_t syn_data = tcp->active ? tcp->active->syn_data : 0;

	if (early ? seg->ack - tcp->snd_una - 1 >= us_tcp_in_flight(tcp) :
	    seg->ack - tcp->snd_nxt > syn_data) {
		us_count(tcp->table->stack, tcp_bad_ack);
		us_tcp_refuse(tcp->table->stack, seg);
		return false;
	}
	if (!early && (tcp->flags & US_TCP_PASSIVE) &&
	    (us_tcp_listen_defers(tcp, seg) || !us_tcp_listen_promote(tcp)))
		return false;
	tcp->snd_una++;
	if (!early && syn_data)
		us_tcp_fastopen_syn_ack(tcp, seg);
	tcp->snd_wl1 = seg->seq;
	/* That of a SYN-ACK is not scaled: both opened at once. */
	tcp->snd_wnd = seg->has_wscale ? seg->window : seg->window << tcp->snd_wscale;
	tcp->max_snd_wnd = us_max32(tcp->snd_wnd, tcp->max_snd_wnd);
	establish(tcp);
	if (tcp->ecn & US_TCP_ECN_ACC)
		us_tcp_ecn_handshake(tcp, seg);
	if (tcp->snd_una != tcp->snd_nxt)
		us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, us_tcp_rto(tcp));
	return true;
}

/* Bytes before snd_una that an ACK may be of: what the peer's window let out, and no more
 * than was ever sent, with a FIN.  A window scale of the peer's choice makes the window
 * a quarter of all numbers.
 */
static uint32_t past(const struct us_tcp *tcp)
{
	uint64_t sent = tcp->bytes_acked + 1;

	return sent < tcp->max_snd_wnd ? (uint32_t)sent : tcp->max_snd_wnd;
}

/* In the other states RFC 5961 5.2 bounds it on both sides. */
static bool is_acceptable(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (tcp->state == TCP_SYN_RECV)
		return complete_handshake(tcp, seg);
	if (!us_after(seg->ack, tcp->snd_nxt) &&
	    !us_before(seg->ack, tcp->snd_una - past(tcp)))
		return true;
	us_count(tcp->table->stack, tcp_bad_ack);
	us_tcp_challenge(tcp);
	return false;
}

/* Fifth: ACK.  Before, nothing is taken from a segment: its timestamp, if somebody made that
 * up, would make all that the peer sends look old.
 */
static bool check_ack(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	bool opens = tcp->state == TCP_SYN_RECV;

	if (!(seg->flags & US_TCP_ACK)) {
		us_count(tcp->table->stack, tcp_bad_flags);
		return false;
	}
	if (!is_acceptable(tcp, seg))
		return false;
	if (us_tcp_paws_ok(tcp, seg))	/* is_overtaken() lets in what is older */
		us_tcp_note_ts(tcp, seg);
	if (opens && seg->ack == tcp->snd_una && !seg->nr_sack)
		return true;
	us_tcp_ack(tcp, seg);
	if (tcp->flags & US_TCP_FIN_ACKED)
		us_tcp_fin_acked(tcp);
	return tcp->state != TCP_CLOSE;
}

/**
 * us_tcp_input_checks() - a segment in a state other than SYN-SENT
 * @tcp: the connection.
 * @seg: the segment.
 */
void us_tcp_input_checks(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	if (tcp->state == TCP_SYN_RECV && seg->seq == tcp->snd_wl1 &&
	    (seg->flags & (US_TCP_SYN | US_TCP_RST)) == US_TCP_SYN) {
		if (!check_syn(tcp, seg))
			return;
	} else if (!check_sequence(tcp, seg)) {
		return;
	}
	if (seg->flags & US_TCP_RST) {
		reset_arrives(tcp, seg);
		return;
	}
	if (!check_syn(tcp, seg) || !check_ack(tcp, seg))
		return;
	if (us_unlikely(tcp->flags & US_TCP_ECN))
		us_tcp_ecn_input(tcp, seg);
	us_tcp_input_text(tcp, seg);
}
