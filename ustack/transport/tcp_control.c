// SPDX-License-Identifier: MIT
/* Headers, and segments without payload: SYN, ACK, RST, probes. */
#include "transport/tcp_parts.h"

/* Ticks after which an ACK is late: twice what it may be delayed. */
#define LATE	(US_TCP_DELACK >> (US_TCP_TICK_SHIFT - US_TCP_USEC_SHIFT - 1))

/**
 * us_tcp_isn() - an initial sequence number, RFC 6528
 * @table: its table.
 * @local: address.
 * @local_port: network byte order.
 * @remote: address.
 * @remote_port: network byte order.
 *
 * The clock steps every 4.096 us, the hash is SipHash under the stack's key.
 */
uint32_t us_tcp_isn(struct us_tcp_table *table, const struct us_addr *local,
		    uint16_t local_port, const struct us_addr *remote,
		    uint16_t remote_port)
{
	struct {
		struct us_addr local, remote;
		uint16_t local_port, remote_port;
		uint32_t tag;
	} key = { *local, *remote, local_port, remote_port, 0x69736e00 };
	uint64_t f = us_random_hash(&table->stack->random, &key, sizeof(key));

	return (uint32_t)(table->stack->now >> 12) + (uint32_t)f;
}

static uint32_t usable(uint32_t window, uint32_t scale)
{
	return us_min32(window >> scale, UINT16_MAX);
}

/* The window to advertise; moves rcv_adv.  The right edge never moves left, and
 * moves right only by a full segment or half the buffer (RFC 9293 3.8.6.2.2).
 * What the field tells may be more by a rounding: that is not granted, or segments
 * smaller than it would find room for ever.
 */
static uint16_t window(struct us_tcp *tcp)
{
	uint32_t room = us_tcp_rcv_room(tcp), now = us_tcp_rcv_wnd(tcp);
	uint32_t space = room, field;
	uint32_t step = us_min32(tcp->rcvbuf / 2, tcp->adv_mss);

	if (space < now || space - now < step)
		space = now;
	field = usable(space, tcp->rcv_wscale);
	if (field << tcp->rcv_wscale < now)
		field = usable(now + (1u << tcp->rcv_wscale) - 1, tcp->rcv_wscale);
	tcp->rcv_adv = us_seq_max(tcp->rcv_adv, tcp->rcv_nxt +
				  us_min32(field << tcp->rcv_wscale, room));
	return (uint16_t)field;
}

/**
 * us_tcp_syn_window() - the window that SYN and SYN-ACK tell; moves rcv_adv
 * @tcp: whose rcv_nxt is set.
 *
 * Return: bytes, for it is never scaled (RFC 7323 2.2).
 */
uint16_t us_tcp_syn_window(struct us_tcp *tcp)
{
	/* Fast Open may have received something already. */
	uint32_t room = tcp->active ? us_tcp_rcv_room(tcp) : tcp->rcvbuf;
	uint32_t window = us_min32(room, UINT16_MAX);

	tcp->rcv_adv = us_seq_max(tcp->rcv_adv, tcp->rcv_nxt + window);
	return (uint16_t)window;
}

static void write_header(struct us_tx *tx, uint16_t local_port,
			 uint16_t remote_port, uint32_t seq, uint32_t ack,
			 uint8_t flags, uint16_t window)
{
	struct us_tcp_hdr *h = (void *)(tx->head + tx->l4);

	*h = (struct us_tcp_hdr){
		.src = us_from_raw16(local_port),
		.dst = us_from_raw16(remote_port),
		.seq = us_put32(seq),
		.ack = us_put32(ack),
		.flags = flags,
		.window = us_put16(window),
	};
}

static void set_header_len(struct us_tx *tx, uint32_t options)
{
	struct us_tcp_hdr *h = (void *)(tx->head + tx->l4);

	h->offset = (uint8_t)((US_TCP_LEN + options) << 2);
	tx->inline_len = tx->l4 + US_TCP_LEN + options;
}

static struct us_tx *reserve(struct us_stack *stack, struct us_dst *dst, uint32_t keep)
{
	struct us_tx *tx = us_ip_reserve(stack, dst, keep);

	if (!tx)
		return NULL;
	tx->l4 = dst->header_len;
	tx->nr_frags = 0;
	tx->gso = US_GSO_NONE;
	tx->gso_size = 0;
	return tx;
}

static void submit(struct us_stack *stack, const struct us_dst *dst, struct us_tx *tx)
{
	us_count(stack, tcp_out);
	us_csum_output(dst, tx, IPPROTO_TCP, US_TCP_CSUM_OFFSET);
	us_ip_submit(stack, dst, tx, IPPROTO_TCP);
}

static us_noinline void put_urgent(const struct us_tcp *tcp, struct us_tx *tx, uint32_t seq)
{
	struct us_tcp_hdr *h = (void *)(tx->head + tx->l4);
	uint16_t pointer = us_tcp_urgent_pointer(tcp, seq);

	if (!pointer)
		return;
	h->flags |= US_TCP_URG;
	h->urgent = us_put16(pointer);
}

/**
 * us_tcp_header_begin() - begins a segment
 * @tcp: the connection.
 * @seq: sequence number.
 * @flags: of the header; the acknowledgement number goes with US_TCP_ACK.
 * @keep: slots of the link to be left: link->kept with payload, else 0.
 *
 * Return: a slot with header and options written, or NULL if the link is full.
 */
struct us_tx *us_tcp_header_begin(struct us_tcp *tcp, uint32_t seq, uint8_t flags,
				  uint32_t keep)
{
	struct us_tx *tx = reserve(tcp->table->stack, &tcp->dst, keep);
	bool syn = flags & US_TCP_SYN;

	if (!tx)
		return NULL;
	write_header(tx, tcp->local_port, tcp->remote_port, seq,
		     flags & US_TCP_ACK ? tcp->rcv_nxt : 0, flags,
		     syn ? us_tcp_syn_window(tcp) : window(tcp));
	set_header_len(tx, us_tcp_put_options(tcp, flags,
					      tx->head + tx->l4 + US_TCP_LEN));
	if (us_unlikely(tcp->flags & US_TCP_ECN))
		us_tcp_ecn_header(tcp, tx);
	if (us_unlikely(tcp->flags & US_TCP_URGING))
		put_urgent(tcp, tx, seq);
	return tx;
}

/**
 * us_tcp_header_end() - sends a segment
 * @tcp: the connection.
 * @tx: of us_tcp_header_begin(), with its payload.
 */
void us_tcp_header_end(struct us_tcp *tcp, struct us_tx *tx)
{
	if (us_likely(tcp->active != NULL))
		tcp->active->totals.segs_out++;
	submit(tcp->table->stack, &tcp->dst, tx);
}

/* New data is acknowledged.  No thread of ours does that when it is due: while the user
 * is busy for long, the peer takes what he works on for lost.  From a user who was, no
 * ACK waits.
 */
static void note_ack(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->quick)
		a->quick--;
	if (us_likely(us_tcp_tick(tcp->table->stack) - a->last_data < LATE))
		return;
	tcp->late = true;
	a->pingpong = false;
	a->quick = US_TCP_QUICK_ACKS;
}

/**
 * us_tcp_ack_sent() - a segment told the peer what we have
 * @tcp: the connection.
 */
void us_tcp_ack_sent(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a && tcp->last_ack_sent != tcp->rcv_nxt)
		note_ack(tcp);
	if (us_unlikely(tcp->flags & US_TCP_ECN) && a) {
		a->accecn.changed = 0;
		a->accecn.unsaid = 0;
	}
	tcp->last_ack_sent = tcp->rcv_nxt;
	tcp->flags &= ~US_TCP_ACK_NOW;
	us_tcp_timer_stop(tcp, US_TCP_TIMER_DELACK);
}

/**
 * us_tcp_send_syn() - SYN in SYN-SENT, SYN-ACK in SYN-RECEIVED
 * @tcp: snd_una is the initial sequence number.
 *
 * If the link is full, the retransmission timer tries again.
 */
void us_tcp_send_syn(struct us_tcp *tcp)
{
	uint8_t flags = US_TCP_SYN;
	struct us_tx *tx;

	if (tcp->state == TCP_SYN_RECV)
		flags |= US_TCP_ACK;
	tx = us_tcp_header_begin(tcp, tcp->snd_una, flags, 0);
	if (!tx)
		return;
	if (!(flags & US_TCP_ACK))
		us_tcp_fastopen_gather(tcp, tx);
	us_tcp_header_end(tcp, tx);
	if (flags & US_TCP_ACK)
		us_tcp_ack_sent(tcp);
}

/* What brings no data stands at snd_nxt, but where the peer has taken back a part of its
 * window, at the edge of that: beyond, it is not acceptable, and its ACK is not heard.
 * By less than a unit of the window scale it seems to fall where the peer rounds (RFC 7323
 * 2.4).
 */
static uint32_t bare_seq(const struct us_tcp *tcp)
{
	uint32_t edge = tcp->snd_una + tcp->snd_wnd;

	if (us_likely(!us_before(edge, tcp->snd_nxt)) || tcp->state == TCP_SYN_RECV ||
	    (tcp->snd_nxt - edge) >> tcp->snd_wscale == 0)
		return tcp->snd_nxt;
	return edge;
}

/**
 * us_tcp_send_ack() - a pure ACK, now
 * @tcp: synchronized; waits for room if the link is full.
 */
void us_tcp_send_ack(struct us_tcp *tcp)
{
	struct us_tx *tx = us_tcp_header_begin(tcp, bare_seq(tcp), US_TCP_ACK, 0);

	if (!tx) {
		tcp->flags |= US_TCP_ACK_NOW;
		us_tcp_pend(tcp);
		return;
	}
	if (us_unlikely(tcp->ecn & US_TCP_ECN_HANDSHAKE))
		us_tcp_ecn_handshake_ack(tcp, tx);
	us_tcp_header_end(tcp, tx);
	us_tcp_ack_sent(tcp);
}

/**
 * us_tcp_send_probe() - asks the peer for an ACK
 * @tcp: synchronized.
 *
 * As Linux's keep-alive and window probes: no payload, one before snd_una.  So the peer
 * answers it, and does not hear what it acknowledges: an ACK that is due is due yet.
 */
void us_tcp_send_probe(struct us_tcp *tcp)
{
	struct us_tx *tx = us_tcp_header_begin(tcp, tcp->snd_una - 1, US_TCP_ACK, 0);

	if (tx)
		us_tcp_header_end(tcp, tx);
}

/**
 * us_tcp_send_reset() - tells the peer that the connection is gone
 * @tcp: nothing is sent if the peer does not know of it.
 */
void us_tcp_send_reset(struct us_tcp *tcp)
{
	struct us_tx *tx;

	if (tcp->state == TCP_CLOSE || tcp->state == TCP_SYN_SENT)
		return;
	tx = us_tcp_header_begin(tcp, bare_seq(tcp), US_TCP_RST | US_TCP_ACK, 0);
	if (!tx)
		return;
	us_count(tcp->table->stack, tcp_rst_out);
	us_tcp_header_end(tcp, tx);
}

/**
 * us_tcp_send_reply() - sends a segment that belongs to no connection
 * @stack: the stack.
 * @reply: what is in it; its route is resolved.
 */
void us_tcp_send_reply(struct us_stack *stack, const struct us_tcp_reply *reply)
{
	struct us_dst dst = reply->dst;
	struct us_tx *tx = reserve(stack, &dst, 0);
	uint32_t options = 0;

	if (!tx)
		return;
	write_header(tx, reply->local_port, reply->remote_port, reply->seq,
		     reply->ack, reply->flags, reply->window);
	if (reply->has_ts) {
		uint32_t words[3] = { htonl(0x0101080a), htonl(reply->ts_val),
				      htonl(reply->ts_ecr) };

		memcpy(tx->head + tx->l4 + US_TCP_LEN, words, sizeof(words));
		options = sizeof(words);
	}
	set_header_len(tx, options);
	submit(stack, &dst, tx);
}

/**
 * us_tcp_refuse() - answers a segment that nobody wants with RST
 * @stack: the stack.
 * @seg: the segment.
 *
 * RFC 9293 3.5.2, group 1; a RST is never answered.
 */
void us_tcp_refuse(struct us_stack *stack, const struct us_tcp_segment *seg)
{
	struct us_tcp_reply reply = {
		.dst.local = *seg->dst,
		.dst.remote = *seg->src,
		.dst.family = us_addr_is_v4(seg->src) ? AF_INET : AF_INET6,
		.local_port = seg->dest,
		.remote_port = seg->source,
		.seq = seg->flags & US_TCP_ACK ? seg->ack : 0,
		.ack = seg->flags & US_TCP_ACK ? 0 : seg->end,
		.flags = seg->flags & US_TCP_ACK ? US_TCP_RST :
						   US_TCP_RST | US_TCP_ACK,
	};

	if ((seg->flags & US_TCP_RST) || us_dst_answer(stack, &reply.dst, seg->pkt))
		return;
	us_count(stack, tcp_rst_out);
	us_tcp_send_reply(stack, &reply);
}
