// SPDX-License-Identifier: MIT
/* A segment arrives: whose is it, and the fast path of header prediction. */
#include "transport/tcp_parts.h"

#define PAWS_IDLE	1977000000u	/* ticks: 24 days, RFC 7323 5.5 */

/**
 * us_tcp_paws_ok() - RFC 7323 5.3, R1
 * @tcp: the connection.
 * @seg: a segment.
 *
 * 0 is no time, as in Linux: some peers put it into SYN and SYN-ACK, and what they send
 * then may be from the half of all numbers that is before it.
 *
 * Return: false if the segment is older than one that came before it.
 */
bool us_tcp_paws_ok(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!(tcp->flags & US_TCP_TS) || !seg->has_ts || !tcp->ts_recent ||
	    !us_before(seg->ts_val, tcp->ts_recent))
		return true;
	return us_tcp_tick(tcp->table->stack) - tcp->ts_recent_at > PAWS_IDLE;
}

/**
 * us_tcp_note_ts() - keeps TSval to echo it: RFC 7323 4.3 (2)
 * @tcp: the connection.
 * @seg: acceptable.
 */
void us_tcp_note_ts(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!(tcp->flags & US_TCP_TS) || !seg->has_ts ||
	    us_after(seg->seq, tcp->last_ack_sent))
		return;
	tcp->ts_recent = seg->ts_val;
	tcp->ts_recent_at = us_tcp_tick(tcp->table->stack);
}

/**
 * us_tcp_answered_lately() - was a segment that asks for nothing just answered?
 * @stack: the stack.
 * @at: tick of the last answer; set if this one may be answered.
 *
 * One answer in 500 ms for each connection, as in Linux: a limit that connections
 * shared could be used to find out about one of them (CVE-2016-5696), and without
 * one two ends that disagree could answer each other for ever.
 */
bool us_tcp_answered_lately(const struct us_stack *stack, uint32_t *at)
{
	uint32_t tick = us_tcp_tick(stack);

	if (tick - *at < US_TCP_OOW_TICKS)
		return true;
	*at = tick;
	return false;
}

/**
 * us_tcp_challenge() - answers something suspicious with an ACK, RFC 5961
 * @tcp: synchronized.
 */
void us_tcp_challenge(struct us_tcp *tcp)
{
	struct us_stack *stack = tcp->table->stack;

	if (us_tcp_answered_lately(stack, &tcp->oow_at)) {
		us_count(stack, tcp_challenge_limited);
		return;
	}
	us_count(stack, tcp_challenge_ack);
	us_tcp_note(tcp, US_TRACE_CHALLENGE, tcp->rcv_nxt, 0);
	us_tcp_send_ack(tcp);
}

/*
 * Header prediction (Van Jacobson): in the middle of a connection nearly every
 * segment is the next in order, or acknowledges data and nothing else.  What
 * passes here would pass all the checks of us_tcp_input_checks().
 */
static bool is_predicted(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	return tcp->state == TCP_ESTABLISHED &&
	       (seg->flags & ~(unsigned int)US_TCP_PSH) == US_TCP_ACK &&
	       seg->seq == tcp->rcv_nxt && !tcp->active->reass &&
	       !(tcp->flags & (US_TCP_ORPHAN | US_TCP_URGENT | US_TCP_FIN_AHEAD)) &&
	       seg->len <= tcp->rcv_adv - tcp->rcv_nxt &&
	       seg->ack - tcp->snd_una <= us_tcp_in_flight(tcp) &&
	       seg->has_ts == !!(tcp->flags & US_TCP_TS) &&
	       (!seg->has_ts || !us_before(seg->ts_val, tcp->ts_recent));
}

static void input_predicted(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	us_count(tcp->table->stack, tcp_header_predicted);
	us_tcp_note_ts(tcp, seg);
	if (!us_tcp_ack_nothing(tcp, seg) && !us_tcp_ack_all(tcp, seg))
		us_tcp_ack(tcp, seg);
	if (us_unlikely(tcp->flags & US_TCP_ECN))
		us_tcp_ecn_input(tcp, seg);
	if (seg->len && tcp->state == TCP_ESTABLISHED)
		us_tcp_input_next(tcp, seg);
}

static void count_in(struct us_tcp *tcp, uint32_t n, bool data)
{
	tcp->active->totals.segs_in += n;
	tcp->active->totals.data_in += data ? n : 0;
}

static void input_checked(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	if (tcp->state == TCP_SYN_SENT)
		us_tcp_input_syn_sent(tcp, seg);
	else
		us_tcp_input_checks(tcp, seg);
}

/* What follows in order comes along, if this is predicted with it. */
static us_noinline void take_behind(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	struct us_behind *behind = &tcp->table->stack->behind;

	seg->len += behind->bytes;
	if (!is_predicted(tcp, seg) || !us_tcp_rcvq_holds(tcp, seg, behind)) {
		seg->len -= behind->bytes;
		return;
	}
	seg->end += behind->bytes;
	seg->flags |= behind->pushed ? US_TCP_PSH : 0;
	seg->pkt->gso = US_GSO_TCP;
	seg->pkt->gso_size = (uint16_t)seg->pkt->len;
	seg->pkt->gso_segs = (uint16_t)(1 + behind->count);
}

/* Counts if the connection becomes active by it. */
static void input_idle(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	uint32_t n = us_tcp_segments(seg);
	bool data = seg->len;

	input_checked(tcp, seg);
	if (tcp->active)
		count_in(tcp, n, data);
}

/* An active one counts before the segment may end it. */
static void input_connection(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	if (us_unlikely(!tcp->active)) {
		input_idle(tcp, seg);
		return;
	}
	if (us_unlikely(tcp->table->stack->behind.count))
		take_behind(tcp, seg);
	count_in(tcp, us_tcp_segments(seg), seg->len);
	if (us_likely(is_predicted(tcp, seg)))
		input_predicted(tcp, seg);
	else
		input_checked(tcp, seg);
}

/* Neither established nor about to be: TIME-WAIT, LISTEN, or nobody. */
static us_noinline void input_other(struct us_tcp_table *table, struct us_tcp_segment *seg)
{
	struct us_tcp_listener *listener;
	struct us_tcp_wait *wait;
	uint32_t iss = 0;

	wait = us_tcp_wait_lookup(table, seg->dst, seg->dest, seg->src, seg->source);
	listener = us_tcp_listener_lookup(table, seg->dst, seg->dest);
	if (wait && us_tcp_wait_input(table, wait, seg, listener ? &iss : NULL))
		return;
	if (listener) {
		us_tcp_listen_input(listener, seg, iss);
		return;
	}
	us_count(table->stack, tcp_no_port);
	us_tcp_refuse(table->stack, seg);
}

static bool read_segment(struct us_stack *stack, struct us_pkt *pkt,
			 const struct us_addr *src, const struct us_addr *dst,
			 struct us_tcp_segment *seg)
{
	if (pkt->len < US_TCP_LEN) {
		us_count(stack, tcp_bad_header);
		return false;
	}
	if (!us_csum_input(pkt, src, dst, IPPROTO_TCP)) {
		us_count(stack, tcp_bad_csum);
		return false;
	}
	seg->src = src;
	seg->dst = dst;
	seg->ecn = us_pkt_ecn(pkt);
	return us_tcp_parse(stack, pkt, seg);
}

/**
 * us_tcp_input() - takes a segment from the network layer
 * @stack: the stack.
 * @pkt: data is the TCP header; consumed.
 * @src: address, checked.
 * @dst: address, one of ours.
 */
void us_tcp_input(struct us_stack *stack, struct us_pkt *pkt,
		  const struct us_addr *src, const struct us_addr *dst)
{
	struct us_tcp_table *table = stack->tcp;
	struct us_tcp_segment seg;
	struct us_tcp *tcp;

	us_count(stack, tcp_in);
	if (!read_segment(stack, pkt, src, dst, &seg)) {
		us_pkt_put(pkt);
		return;
	}
	tcp = us_tcp_lookup(table, dst, seg.dest, src, seg.source);
	if (us_likely(tcp != NULL))
		input_connection(tcp, &seg);
	else
		input_other(table, &seg);
	if (seg.pkt)
		us_pkt_put(seg.pkt);
	if (us_unlikely(table->dead != NULL))
		us_tcp_reap(table);
}
