/* SPDX-License-Identifier: MIT */
/* Packet scripts: what the stack sent, held against what it was to send. */
#ifndef SELFTESTS_UNIT_SCRIPT_EXPECT_H
#define SELFTESTS_UNIT_SCRIPT_EXPECT_H

#include "script_segment.h"

static inline uint8_t script_sent_ecn(const struct script_packet *p)
{
	return (p->data[0] >> 4 == 4 ? p->data[1] : p->data[1] >> 4) & 3;
}

static inline int script_print(const struct script *s, const struct script_packet *p,
			       char *text, size_t size)
{
	const uint8_t *at = p->data + script_ip_len(s);
	const struct us_tcp_hdr *h = (const void *)at;
	uint32_t header = us_tcp_header_len(h), i, j = 0;
	char options[130] = "", flags[10];

	for (i = 0; i < 9; i++)
		if (script_flags_of(h) & 1u << i)
			flags[j++] = SCRIPT_FLAGS[i];
	flags[j] = '\0';
	for (i = US_TCP_LEN, j = 0; i < header; i++, j += 3)
		snprintf(options + j, 4, " %02x", at[i]);
	return snprintf(text, size, "%s %u:%u ack %u win %u <%s> urg %u gso %u ecn %u", flags,
			us_get32(h->seq) - s->isn,
			us_get32(h->seq) - s->isn +
			(uint32_t)(p->len - script_ip_len(s) - header),
			us_get32(h->ack) - s->peer_isn, us_get16(h->window), options,
			us_get16(h->urgent), p->gso_size, script_sent_ecn(p));
}

static inline bool script_same_options(struct script *s, const struct script_segment *g,
				       const uint8_t *at, uint32_t len)
{
	uint32_t i;

	if (g->options_len < 0)
		return true;
	if ((uint32_t)g->options_len != len)
		return false;
	for (i = 0; i < len; i++) {
		bool val = g->any_ts && i >= 2 && ((i >= 2 && at[i - 2] == 8 &&
			   at[i - 1] == 10) || (i >= 3 && at[i - 3] == 8 && at[i - 2] == 10) ||
			   (i >= 4 && at[i - 4] == 8 && at[i - 3] == 10) ||
			   (i >= 5 && at[i - 5] == 8 && at[i - 4] == 10));

		if (g->fo_at && i >= g->fo_at && i < g->fo_at + 8u)
			s->cookie[i - g->fo_at] = at[i];
		else if (!val && at[i] != g->options[i])
			return false;
	}
	return true;
}

static inline bool script_payload_ok(const struct script *s, const uint8_t *data,
				     uint32_t seq, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		if (data[i] != (uint8_t)(seq + i))
			return false;
	(void)s;
	return true;
}

static inline bool script_sum_ok(const struct script *s, const struct script_packet *p)
{
	const uint8_t *at = p->data + script_ip_len(s);
	uint32_t len = p->len - script_ip_len(s), sum;

	if (s->six)
		sum = us_csum_pseudo6(p->data + 8, p->data + 24, IPPROTO_TCP, len);
	else
		sum = us_csum_pseudo4(p->data + 12, p->data + 16, IPPROTO_TCP, len);
	return us_csum_fold(us_csum_bytes(at, len, sum)) == 0;
}

static inline bool script_ip_ok(const struct script *s, const struct script_packet *p,
				const struct script_segment *g)
{
	const uint8_t *ip = p->data;
	int tos = s->six ? (ip[0] & 15) << 4 | ip[1] >> 4 : ip[1];
	int ttl = s->six ? ip[7] : ip[8];

	return (g->tos < 0 || g->tos == tos) && (g->ttl < 0 || g->ttl == ttl);
}

static inline void script_learn(struct script *s, const struct us_tcp_hdr *h)
{
	if (!(h->flags & US_TCP_SYN))
		return;
	s->isn = us_get32(h->seq);
	s->has_isn = true;
	s->port = us_get16(h->src);
}

static inline void script_expect(struct script *s, const struct script_segment *g)
{
	struct script_packet *p = &s->sent[s->first];
	const uint8_t *at = p->data + script_ip_len(s);
	const struct us_tcp_hdr *h = (const void *)at;
	uint32_t first = g->seq + !!(g->flags & US_TCP_SYN);
	uint32_t header, len;
	char text[300];

	if (!s->count) {
		script_fail(s, "nothing was sent");
		return;
	}
	s->first = (s->first + 1) % SCRIPT_QUEUE;
	s->count--;
	script_learn(s, h);
	header = us_tcp_header_len(h);
	len = p->len - script_ip_len(s) - header;
	if (script_flags_of(h) == g->flags && script_sent_ecn(p) == g->ecn &&
	    (g->any_seq || us_get32(h->seq) - s->isn == g->seq) &&
	    len == g->len && (!(h->flags & US_TCP_ACK) ||
			      us_get32(h->ack) - s->peer_isn == g->ack) &&
	    (g->window < 0 || us_get16(h->window) == g->window) &&
	    script_same_options(s, g, at + US_TCP_LEN, header - US_TCP_LEN) &&
	    us_get16(h->urgent) == g->urgent && script_ip_ok(s, p, g) &&
	    (g->gso < 0 || p->gso_size == g->gso) &&
	    script_payload_ok(s, at + header, first, len) && script_sum_ok(s, p) &&
	    p->when >= s->mark && p->when <= s->mark + SCRIPT_TOLERANCE) {
		s->mark = p->when;
		return;
	}
	script_print(s, p, text, sizeof(text));
	script_fail(s, "sent at %.4f, not %.4f: %s%s%s",
		    (double)(p->when - s->begin) / 1e9,
		    (double)(s->mark - s->begin) / 1e9, text,
		    script_payload_ok(s, at + header, first, len) ? "" : ", wrong bytes",
		    script_sum_ok(s, p) ? "" : ", wrong checksum");
}

static inline void script_expect_none(struct script *s)
{
	char text[300];

	if (!s->count)
		return;
	script_print(s, &s->sent[s->first], text, sizeof(text));
	script_fail(s, "sent at %.4f, not expected: %s",
		    (double)(s->sent[s->first].when - s->begin) / 1e9, text);
}

#endif /* SELFTESTS_UNIT_SCRIPT_EXPECT_H */
