// SPDX-License-Identifier: MIT
/*
 * TCP Fast Open, RFC 7413: data with the SYN, for peers that have shown before that
 * they own their address.  What they show is a cookie that the server made from the
 * address with its stack's key, and that it told with an earlier SYN-ACK.
 *
 * The server (TCP_FASTOPEN on the listening socket): a connection whose SYN brings a
 * good cookie goes to the accept queue at once, and may send before the handshake is
 * complete.  There are as many such at a time as the option says.
 *
 * The client (TCP_FASTOPEN_CONNECT, MSG_FASTOPEN): when the peer's cookie is known,
 * the SYN waits for the first bytes to be sent, and takes them along.  They stay in
 * the send queue, and are sent again if the SYN-ACK does not cover them.  A SYN with
 * a cookie that gets lost is repeated without both, and for a while the peer is not
 * tried again: something on the path may not like it.
 */
#include "transport/tcp_parts.h"

#define COOKIE_LEN	8u
#define OPTION_HEAD	2u
#define OPTIONS_MAX	40u
#define PENALTY		(60 * US_SEC)	/* after a lost SYN, doubled with each */
#define PENALTY_SHIFT	10u

static uint64_t cookie_for(const struct us_tcp *tcp)
{
	struct {
		struct us_addr local, remote;
		uint64_t tag;
	} key = { tcp->dst.local, tcp->dst.remote, 0x666f };

	return us_random_hash(&tcp->table->stack->random, &key, sizeof(key));
}

/* ------------------------------------------------------------------- server */

static bool is_good(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	uint64_t cookie = cookie_for(tcp);

	return seg->fo_len == (int)COOKIE_LEN && !memcmp(seg->fo, &cookie, COOKIE_LEN);
}

/* Into the accept queue, with what the SYN brought. */
static void begin(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	struct us_tcp_listener *l = tcp->listener;

	if (!us_tcp_activate(tcp) || !us_tcp_listen_promote(tcp))
		return;
	tcp->flags |= US_TCP_FASTOPEN;
	tcp->table->nr_fastopen++;
	us_count(tcp->table->stack, tcp_fastopen_passive);
	us_tcp_syn_window(tcp);
	/* Both are for what is behind the SYN-ACK's number, which is in flight, too. */
	tcp->active->cwnd++;
	tcp->snd_wnd++;
	if (seg->len) {
		tcp->flags |= US_TCP_SYN_DATA;
		seg->seq++;
		us_tcp_input_text(tcp, seg);
	}
	us_tcp_listen_tell(l);
}

/**
 * us_tcp_fastopen_syn() - does a SYN open at once?
 * @tcp: passive, new; goes to the accept queue if so.
 * @seg: the SYN; its payload is taken if so.
 */
void us_tcp_fastopen_syn(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	const struct us_tcp_listener *l = tcp->listener;
	struct us_stack *stack = tcp->table->stack;

	if (seg->fo_len < 0 || !l->options.fastopen_queue || l->listen_peer)
		return;
	if (!is_good(tcp, seg)) {
		tcp->flags |= US_TCP_FO_COOKIE;
		if (seg->fo_len)
			us_count(stack, tcp_fastopen_bad_cookie);
	} else if (tcp->table->nr_fastopen >= l->options.fastopen_queue) {
		us_count(stack, tcp_fastopen_full);
	} else {
		begin(tcp, seg);
	}
}

/**
 * us_tcp_fastopen_over() - the handshake is complete, or the connection ends
 * @tcp: any connection.
 */
void us_tcp_fastopen_over(struct us_tcp *tcp)
{
	if ((tcp->flags & (US_TCP_FASTOPEN | US_TCP_PASSIVE)) ==
	    (US_TCP_FASTOPEN | US_TCP_PASSIVE))
		tcp->table->nr_fastopen--;
	tcp->flags &= ~(US_TCP_FASTOPEN | US_TCP_DEFERRED);
}

/* ------------------------------------------------------------------- client */

static struct us_tcp_fo_peer *place(const struct us_tcp *tcp)
{
	static const struct us_addr any;
	struct us_tcp_table *table = tcp->table;

	return &table->fo_peer[us_tcp_hash(table, &any, 0, &tcp->dst.remote, 0) %
			       US_TCP_FO_PEERS];
}

/* What is known of the peer, or NULL. */
static struct us_tcp_fo_peer *find(const struct us_tcp *tcp)
{
	struct us_tcp_fo_peer *peer = place(tcp);

	return us_addr_equal(&peer->remote, &tcp->dst.remote) ? peer : NULL;
}

static bool is_avoided(const struct us_tcp *tcp, const struct us_tcp_fo_peer *peer)
{
	return peer->losses && tcp->table->stack->now - peer->lost_at <
	       PENALTY << us_min32(peer->losses - 1, PENALTY_SHIFT);
}

/**
 * us_tcp_fastopen_wish() - the user wants to send data with the SYN
 * @tcp: new, in SYN-SENT; its SYN is not yet sent.
 *
 * If the peer's cookie is known, the SYN waits for the data; else the SYN asks for
 * a cookie, for the next time.
 */
void us_tcp_fastopen_wish(struct us_tcp *tcp)
{
	const struct us_tcp_fo_peer *peer = find(tcp);

	if (peer && is_avoided(tcp, peer))
		return;
	tcp->flags |= US_TCP_FASTOPEN;
	if (peer && peer->len)
		tcp->flags |= US_TCP_DEFERRED;
}

/**
 * us_tcp_fastopen_room() - payload that a SYN may take
 * @tcp: with US_TCP_DEFERRED.
 *
 * Return: bytes: no more than the peer took last time.
 */
uint32_t us_tcp_fastopen_room(const struct us_tcp *tcp)
{
	const struct us_tcp_fo_peer *peer = find(tcp);
	uint32_t mss = us_tcp_mss_of(&tcp->dst, tcp->maxseg);

	if (!peer || !peer->len)
		return 0;
	return us_min32(mss, peer->mss) - OPTIONS_MAX;
}

/**
 * us_tcp_fastopen_send() - the first bytes: the SYN goes, and takes them along
 * @tcp: with US_TCP_DEFERRED, which ends; active.
 * @data: copied.
 * @len: of @data.
 *
 * What there was no memory for it does not take.
 * Return: -EINPROGRESS.
 */
int us_tcp_fastopen_send(struct us_tcp *tcp, const void *data, size_t len)
{
	uint32_t room = us_tcp_fastopen_room(tcp);

	us_tcp_sndq_append(tcp, data, (uint32_t)(len < room ? len : room));
	us_stack_tick(tcp->table->stack);
	tcp->flags &= ~US_TCP_DEFERRED;
	us_count(tcp->table->stack, tcp_fastopen_active);
	tcp->syn_xmit = us_tcp_usec(tcp->table->stack);
	us_tcp_send_syn(tcp);
	us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, us_tcp_rto(tcp));
	return -EINPROGRESS;
}

/**
 * us_tcp_fastopen_gather() - the payload of a SYN
 * @tcp: in SYN-SENT.
 * @tx: the SYN; its header is written.
 */
void us_tcp_fastopen_gather(struct us_tcp *tcp, struct us_tx *tx)
{
	struct us_tcp_active *a = tcp->active;

	if (!(tcp->flags & US_TCP_FASTOPEN) || tcp->retries || !a || !a->snd_last)
		return;
	a->syn_data = (uint16_t)us_tcp_sndq_gather(tcp, tcp->snd_nxt,
						   a->snd_end - tcp->snd_nxt, tx);
	a->snd_at = NULL;
}

/* A peer that is content with its cookie does not tell another: the MSS counts all the same,
 * and that the SYN was not lost.
 */
static void remember(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_fo_peer *peer = seg->fo_len > 0 ? place(tcp) : find(tcp);

	if (!peer)
		return;
	if (seg->fo_len > 0) {
		memset(peer, 0, sizeof(*peer));
		peer->remote = tcp->dst.remote;
		peer->len = (uint8_t)seg->fo_len;
		memcpy(peer->cookie, seg->fo, peer->len);
	}
	if (!tcp->retries)
		peer->losses = 0;
	peer->mss = (uint16_t)us_max32(tcp->peer_mss, 536);
}

/* The peer took so much of what the SYN brought. */
static void data_acked(struct us_tcp *tcp, uint32_t bytes)
{
	if (bytes == tcp->active->syn_data)
		tcp->flags |= US_TCP_SYN_DATA;
	tcp->snd_una += bytes;
	tcp->snd_nxt += bytes;
	tcp->bytes_acked += bytes;
	us_tcp_sndq_ack(tcp);
}

/**
 * us_tcp_fastopen_syn_ack() - the SYN-ACK came
 * @tcp: in SYN-SENT; what both agreed on is known, snd_una is that of the SYN alone.
 * @seg: the SYN-ACK.
 */
void us_tcp_fastopen_syn_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	uint32_t bytes = seg->ack - tcp->snd_una;

	if (tcp->flags & US_TCP_FASTOPEN)
		remember(tcp, seg);
	if (bytes)
		data_acked(tcp, bytes);
	else if (tcp->active && tcp->active->syn_data)
		us_count(tcp->table->stack, tcp_fastopen_refused);
}

/**
 * us_tcp_fastopen_timeout() - a SYN is sent again, without cookie and data
 * @tcp: in SYN-SENT; retries counts that already.
 */
void us_tcp_fastopen_timeout(struct us_tcp *tcp)
{
	struct us_tcp_fo_peer *peer = find(tcp);

	if (!(tcp->flags & US_TCP_FASTOPEN) || tcp->retries != 1 || !peer)
		return;
	peer->losses = (uint8_t)us_min32(peer->losses + 1u, UINT8_MAX);
	peer->lost_at = tcp->table->stack->now;
	us_count(tcp->table->stack, tcp_fastopen_lost);
}

/* ------------------------------------------------------------------- option */

static uint32_t put(uint8_t *at, const void *cookie, uint32_t len)
{
	uint32_t used = OPTION_HEAD + len;

	at[0] = US_TCP_OPT_FASTOPEN;
	at[1] = (uint8_t)used;
	memcpy(at + OPTION_HEAD, cookie, len);
	for (; used % 4; used++)
		at[used] = US_TCP_OPT_NOP;
	return used;
}

/**
 * us_tcp_fastopen_put() - writes the option of a SYN or SYN-ACK
 * @tcp: the connection.
 * @at: where; there is room for the longest.
 *
 * Return: bytes written, a multiple of four.
 */
uint32_t us_tcp_fastopen_put(const struct us_tcp *tcp, uint8_t *at)
{
	const struct us_tcp_fo_peer *peer;
	uint64_t cookie;

	if (tcp->state == TCP_SYN_RECV) {
		cookie = cookie_for(tcp);
		return tcp->flags & US_TCP_FO_COOKIE ? put(at, &cookie, COOKIE_LEN) : 0;
	}
	if (!(tcp->flags & US_TCP_FASTOPEN) || tcp->retries)
		return 0;
	peer = find(tcp);
	return peer ? put(at, peer->cookie, peer->len) : put(at, "", 0);
}
