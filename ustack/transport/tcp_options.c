// SPDX-License-Identifier: MIT
/* TCP headers and options: reading them, writing them, agreeing on them. */
#include "transport/tcp_parts.h"

#define FAST_TS		0x0101080au	/* nop, nop, timestamps, 10 */
#define OPTIONS_MAX	40u
#define ACCECN_MAX	12u

static uint32_t load32(const uint8_t *at)
{
	uint32_t raw;

	memcpy(&raw, at, 4);
	return ntohl(raw);
}

static void store32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

static void read_sack(struct us_tcp_segment *seg, const uint8_t *at, uint32_t len)
{
	for (; len >= 8 && seg->nr_sack < US_TCP_SACKS; len -= 8, at += 8) {
		seg->sack[seg->nr_sack].start = load32(at);
		seg->sack[seg->nr_sack].end = load32(at + 4);
		seg->nr_sack++;
	}
}

/* RFC 9768 3.2.3: as many counters as there are, of two orders. */
static void read_accecn(struct us_tcp_segment *seg, const uint8_t *at, uint32_t len)
{
	static const uint8_t order[2][3] = {
		{ US_ECN_ECT0, US_ECN_CE, US_ECN_ECT1 },
		{ US_ECN_ECT1, US_ECN_CE, US_ECN_ECT0 },
	};
	const uint8_t *which = order[at[0] == US_TCP_OPT_ACCECN1];
	uint32_t i;

	seg->has_mark |= 1;
	for (i = 0; i < 3 && 2 + 3 * i + 3 <= len; i++) {
		const uint8_t *field = at + 2 + 3 * i;

		seg->has_mark |= (uint8_t)(1u << which[i]);
		seg->marks[which[i]] = (uint32_t)field[0] << 16 |
				       (uint32_t)field[1] << 8 | field[2];
	}
}

/* RFC 7413 4.1.1: of any other length the option is ignored. */
static bool is_cookie(uint32_t len)
{
	return !len || (len >= US_TCP_FO_MIN && len <= US_TCP_FO_MAX && len % 2 == 0);
}

/* An option that is known and has its length; @at is its first byte. */
static void read_option(struct us_tcp_segment *seg, const uint8_t *at, uint32_t len)
{
	bool syn = seg->flags & US_TCP_SYN;

	if (at[0] == US_TCP_OPT_TIMESTAMP && len == 10) {
		seg->has_ts = true;
		seg->ts_val = load32(at + 2);
		seg->ts_ecr = load32(at + 6);
	} else if (at[0] == US_TCP_OPT_SACK && len >= 10 && len % 8 == 2) {
		read_sack(seg, at + 2, len - 2);
	} else if (at[0] == US_TCP_OPT_FASTOPEN && is_cookie(len - 2) && syn) {
		seg->fo_len = (int8_t)(len - 2);
		memcpy(seg->fo, at + 2, len - 2);
	} else if ((at[0] | 2) == US_TCP_OPT_ACCECN1) {
		read_accecn(seg, at, len);
	} else if (at[0] == US_TCP_OPT_MSS && len == 4 && syn) {
		seg->mss = (uint16_t)(at[2] << 8 | at[3]);
	} else if (at[0] == US_TCP_OPT_WSCALE && len == 3 && syn) {
		seg->has_wscale = true;
		seg->wscale = (uint8_t)us_min32(at[2], US_TCP_MAX_WSCALE);
	} else if (at[0] == US_TCP_OPT_SACK_OK && len == 2 && syn) {
		seg->sack_ok = true;
	}
}

/* RFC 9293 3.2: options that are unknown are skipped by their length. */
static us_noinline bool read_options(struct us_tcp_segment *seg, const uint8_t *at, uint32_t len)
{
	while (len && at[0] != US_TCP_OPT_END) {
		uint32_t size = 1;

		if (at[0] != US_TCP_OPT_NOP) {
			if (len < 2 || at[1] < 2 || at[1] > len)
				return false;
			size = at[1];
			read_option(seg, at, size);
		}
		at += size;
		len -= size;
	}
	return true;
}

static bool parse_options(struct us_tcp_segment *seg, const uint8_t *at, uint32_t len)
{
	if (us_likely(len == 12 && load32(at) == FAST_TS)) {
		seg->has_ts = true;
		seg->ts_val = load32(at + 4);
		seg->ts_ecr = load32(at + 8);
		return true;
	}
	return read_options(seg, at, len);
}

/**
 * us_tcp_parse() - reads header and options of a segment
 * @stack: counts what is wrong with it.
 * @pkt: data is the TCP header; moved to the payload.
 * @seg: filled in, but for addresses and the IP header's ECN field.
 *
 * The checksum must have been verified.
 * Return: false if the header makes no sense (counted).
 */
bool us_tcp_parse(struct us_stack *stack, struct us_pkt *pkt,
		  struct us_tcp_segment *seg)
{
	const struct us_tcp_hdr *h = (const void *)pkt->data;
	uint32_t header = us_tcp_header_len(h);

	if (header < US_TCP_LEN || header > pkt->len) {
		us_count(stack, tcp_bad_header);
		return false;
	}
	seg->pkt = pkt;
	seg->source = us_raw16(h->src);
	seg->dest = us_raw16(h->dst);
	seg->seq = us_get32(h->seq);
	seg->ack = us_get32(h->ack);
	seg->flags = h->flags & US_TCP_FLAGS;
	seg->ace = (uint8_t)((h->offset & US_TCP_AE) << 2 | h->flags >> 6);
	seg->has_mark = 0;
	seg->fo_len = -1;
	seg->urgent = us_get16(h->urgent);
	seg->window = us_get16(h->window);
	seg->has_ts = seg->has_wscale = seg->sack_ok = false;
	seg->nr_sack = 0;
	seg->mss = 0;
	seg->len = pkt->len - header;
	seg->end = seg->seq + seg->len + !!(h->flags & US_TCP_SYN) +
		   !!(h->flags & US_TCP_FIN);
	if (!parse_options(seg, pkt->data + US_TCP_LEN, header - US_TCP_LEN)) {
		us_count(stack, tcp_bad_options);
		return false;
	}
	pkt->data += header;
	pkt->len = seg->len;
	return true;
}

static uint32_t put_ts(struct us_tcp *tcp, uint8_t *at)
{
	store32(at, us_tcp_tick(tcp->table->stack) + tcp->ts_offset);
	store32(at + 4, tcp->ts_recent);
	return 8;
}

/* Four bytes: sackOK, behind no-operations, or timestamps' head behind either. */
static uint32_t put_sack_ok(const struct us_tcp *tcp, uint8_t *at)
{
	bool ts = tcp->flags & US_TCP_TS, sack = tcp->flags & US_TCP_SACK;
	uint8_t *ok = at + (ts ? 0 : 2);

	if (!ts && !sack)
		return 0;
	memset(at, US_TCP_OPT_NOP, 4);
	if (sack) {
		ok[0] = US_TCP_OPT_SACK_OK;
		ok[1] = 2;
	}
	if (ts) {
		at[2] = US_TCP_OPT_TIMESTAMP;
		at[3] = 10;
	}
	return 4;
}

/* Linux's order: mss, sackOK, TS, nop, wscale; no-operations come first in a word. */
static us_noinline uint32_t put_syn_options(struct us_tcp *tcp, uint8_t *at)
{
	uint32_t len = 4;

	at[0] = US_TCP_OPT_MSS;
	at[1] = 4;
	at[2] = (uint8_t)(tcp->adv_mss >> 8);
	at[3] = (uint8_t)tcp->adv_mss;
	len += put_sack_ok(tcp, at + len);
	if (tcp->flags & US_TCP_TS)
		len += put_ts(tcp, at + len);
	if (tcp->flags & US_TCP_WSCALE) {
		at[len] = US_TCP_OPT_NOP;
		at[len + 1] = US_TCP_OPT_WSCALE;
		at[len + 2] = 3;
		at[len + 3] = tcp->rcv_wscale;
		len += 4;
	}
	len += us_tcp_fastopen_put(tcp, at + len);
	if ((tcp->ecn & US_TCP_ECN_ACC) && len + ACCECN_MAX <= OPTIONS_MAX)
		len += us_tcp_accecn_put_syn_ack(tcp, at + len);
	return len;
}

static uint32_t fixed_options(const struct us_tcp *tcp)
{
	return tcp->flags & US_TCP_TS ? 12 : 0;
}

/* None, where SACK was not agreed on. */
static uint32_t sack_wanted(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return a ? a->nr_sack + (a->dsack.start != a->dsack.end) : 0;
}

/* Two SACK blocks come before AccECN, and AccECN before more of them (RFC 9768
 * 3.2.3.3).
 */
static uint32_t accecn_limit(const struct us_tcp *tcp)
{
	uint32_t n = us_min32(sack_wanted(tcp), 2);

	return OPTIONS_MAX - fixed_options(tcp) - (n ? 4 + 8 * n : 0);
}

static uint32_t accecn_room(const struct us_tcp *tcp)
{
	if (us_likely(!(tcp->ecn & US_TCP_ECN_ACC)))
		return 0;
	return us_tcp_accecn_room(tcp, accecn_limit(tcp));
}

static uint32_t sack_blocks(const struct us_tcp *tcp, uint32_t used)
{
	return us_min32(sack_wanted(tcp), (OPTIONS_MAX - 4 - used) / 8);
}

/**
 * us_tcp_option_room() - bytes that options take in the next segment, but for
 *	timestamps
 * @tcp: the connection.
 */
uint32_t us_tcp_option_room(const struct us_tcp *tcp)
{
	uint32_t room, n;

	if (us_likely(!(tcp->ecn & US_TCP_ECN_ACC) && !sack_wanted(tcp)))
		return 0;
	room = accecn_room(tcp);
	n = sack_blocks(tcp, fixed_options(tcp) + room);
	return room + (n ? 4 + 8 * n : 0);
}

/* nop, nop, SACK; a D-SACK comes first and is reported once (RFC 2883).  @used bytes
 * are taken already.
 */
static uint32_t put_sack(struct us_tcp *tcp, uint32_t used, uint8_t *at)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t n, i = 0, from = 0;

	if (us_likely(!sack_wanted(tcp)))
		return 0;
	n = sack_blocks(tcp, used);
	at[0] = US_TCP_OPT_NOP;
	at[1] = US_TCP_OPT_NOP;
	at[2] = US_TCP_OPT_SACK;
	at[3] = (uint8_t)(2 + 8 * n);
	if (a->dsack.start != a->dsack.end) {
		store32(at + 4, a->dsack.start);
		store32(at + 8, a->dsack.end);
		a->dsack.end = a->dsack.start;
		i = 1;
	}
	for (; i < n; i++, from++) {
		store32(at + 4 + 8 * i, a->sack[from].start);
		store32(at + 8 + 8 * i, a->sack[from].end);
	}
	return 4 + 8 * n;
}

/**
 * us_tcp_put_options() - writes the options of a segment
 * @tcp: what was negotiated, or is offered with SYN.
 * @flags: of the segment.
 * @at: 40 bytes behind the header.
 *
 * Return: bytes written, a multiple of four.
 */
uint32_t us_tcp_put_options(struct us_tcp *tcp, uint8_t flags, uint8_t *at)
{
	uint32_t len = 0;

	if (us_unlikely(flags & US_TCP_SYN))
		return put_syn_options(tcp, at);
	if (us_likely(tcp->flags & US_TCP_TS)) {
		store32(at, FAST_TS);
		len = 4 + put_ts(tcp, at + 4);
	}
	if (us_unlikely(tcp->ecn & US_TCP_ECN_ACC))
		len += us_tcp_accecn_put(tcp, accecn_limit(tcp), at + len);
	return len + put_sack(tcp, len, at + len);
}

/**
 * us_tcp_mss_of() - the MSS that a path allows
 * @dst: the path.
 * @maxseg: limit set by the user, 0 is none.
 *
 * Options are not taken off (RFC 6691).
 * Return: bytes, as in the MSS option.
 */
uint16_t us_tcp_mss_of(const struct us_dst *dst, uint16_t maxseg)
{
	uint32_t headers = dst->family == AF_INET6 ? 60 : 40;
	uint32_t mss = dst->mtu > headers ? dst->mtu - headers : 0;

	if (maxseg)
		mss = us_min32(mss, maxseg);
	return (uint16_t)us_min32(us_max32(mss, US_TCP_MIN_MSS), 65535 - headers);
}

/**
 * us_tcp_set_mss() - computes us_tcp.mss anew
 * @tcp: whose path, options or peer's MSS changed.
 */
void us_tcp_set_mss(struct us_tcp *tcp)
{
	uint32_t mss = us_tcp_mss_of(&tcp->dst, tcp->maxseg);

	mss = us_max32(us_min32(mss, tcp->peer_mss), US_TCP_MIN_MSS);
	if (tcp->flags & US_TCP_TS)
		mss -= 12;
	tcp->mss = (uint16_t)mss;
}

/**
 * us_tcp_wscale_of() - the window scale for a receive buffer
 * @rcvbuf: bytes.
 *
 * Return: the least shift that lets the window field tell all of it.
 */
uint8_t us_tcp_wscale_of(uint32_t rcvbuf)
{
	uint8_t scale = 0;

	while (scale < US_TCP_MAX_WSCALE && rcvbuf >> scale > UINT16_MAX)
		scale++;
	return scale;
}

/**
 * us_tcp_negotiate() - takes the options of the peer's SYN
 * @tcp: flags hold what we offered; what the peer does not is taken out.
 * @seg: with SYN.
 */
void us_tcp_negotiate(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!seg->has_ts)
		tcp->flags &= ~US_TCP_TS;
	if (!seg->sack_ok)
		tcp->flags &= ~US_TCP_SACK;
	if (seg->has_wscale && (tcp->flags & US_TCP_WSCALE)) {
		tcp->snd_wscale = seg->wscale;
	} else {
		tcp->flags &= ~US_TCP_WSCALE;
		tcp->rcv_wscale = 0;
	}
	if (tcp->flags & US_TCP_TS) {
		tcp->ts_recent = seg->ts_val;
		tcp->ts_recent_at = us_tcp_tick(tcp->table->stack);
	}
	tcp->peer_mss = seg->mss ? seg->mss :
			tcp->dst.family == AF_INET6 ? 1220 : 536;
	us_tcp_set_mss(tcp);
}
