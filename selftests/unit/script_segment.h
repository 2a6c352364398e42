/* SPDX-License-Identifier: MIT */
/* Packet scripts: a segment in tcpdump's words, read; and sent to the stack. */
#ifndef SELFTESTS_UNIT_SCRIPT_SEGMENT_H
#define SELFTESTS_UNIT_SCRIPT_SEGMENT_H

#include <ctype.h>

#include "script_link.h"

/**
 * struct script_segment - a segment as a script has it
 * @flags: US_TCP_FIN...
 * @seq: counted from the ISN.
 * @ack: counted from the other ISN.
 * @len: bytes of payload.
 * @window: of the header; -1: not given.
 * @options: as they are on the wire.
 * @options_len: bytes; -1: not given.
 * @any_ts: TSval does not matter.
 * @any_seq: nor does the sequence number.
 * @badsum: the checksum is wrong.
 * @ecn: enum us_ecn.
 * @fo_at: where a cookie is that is to be learnt.
 * @urgent: pointer.
 * @tos: DS field; -1: not given.
 * @ttl: -1: not given.
 * @gso: payload of each segment; -1: not given.
 */
struct script_segment {
	uint16_t flags;
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	long window;
	uint8_t options[40];
	int options_len;
	bool any_ts;
	bool any_seq;
	bool badsum;
	uint8_t ecn;
	uint8_t fo_at;
	uint16_t urgent;
	int tos;
	int ttl;
	int gso;
};

static inline const char *script_skip(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Is @word next?  Then behind it, else NULL. */
static inline const char *script_word(const char *p, const char *word)
{
	size_t len = strlen(word);

	p = script_skip(p);
	if (strncmp(p, word, len) || (isalnum((unsigned char)p[len]) &&
				      isalnum((unsigned char)word[len - 1])))
		return NULL;
	return p + len;
}

static inline long script_number(struct script *s, const char **p)
{
	char *end;
	long value;

	*p = script_skip(*p);
	value = strtol(*p, &end, 0);
	if (end == *p)
		script_fail(s, "a number is missing at \"%s\"", *p);
	*p = end;
	return value;
}

static inline void script_put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

static inline uint32_t script_get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return ntohl(value);
}

static inline uint32_t script_tick(const struct script *s)
{
	return (uint32_t)(s->begin >> US_TCP_TICK_SHIFT);
}

static inline uint32_t script_ts_offset(struct script *s)
{
	struct us_tcp_table *table = script_stack(s)->tcp;
	struct us_tcp *tcp = NULL;
	uint32_t i;

	for (i = 0; i <= table->mask && !tcp; i++)
		tcp = table->hash[i];
	if (tcp)
		s->ts_offset = tcp->ts_offset;
	return s->ts_offset;
}

static inline const char *script_option_ts(struct script *s, const char *p,
					   struct script_segment *g, bool ours)
{
	uint32_t val, ecr;

	p = script_word(p, "val");
	if (!p) {
		script_fail(s, "TS without val");
		return "";
	}
	p = script_skip(p);
	if (*p == '*') {
		g->any_ts = true;
		val = 0;
		p++;
	} else {
		val = (uint32_t)script_number(s, &p);
		if (ours)
			val += script_tick(s) + script_ts_offset(s);
	}
	p = script_word(p, "ecr");
	if (!p) {
		script_fail(s, "TS without ecr");
		return "";
	}
	ecr = (uint32_t)script_number(s, &p);
	if (!ours && ecr)
		ecr += script_tick(s) + script_ts_offset(s);
	g->options[g->options_len] = US_TCP_OPT_TIMESTAMP;
	g->options[g->options_len + 1] = 10;
	script_put32(&g->options[g->options_len + 2], val);
	script_put32(&g->options[g->options_len + 6], ecr);
	g->options_len += 10;
	return p;
}

static inline const char *script_option_sack(struct script *s, const char *p,
					     struct script_segment *g, uint32_t isn)
{
	int at = g->options_len;

	g->options_len += 2;
	for (p = script_skip(p); isdigit((unsigned char)*p); p = script_skip(p)) {
		script_put32(&g->options[g->options_len],
			     (uint32_t)script_number(s, &p) + isn);
		if (*p == ':')
			p++;
		script_put32(&g->options[g->options_len + 4],
			     (uint32_t)script_number(s, &p) + isn);
		g->options_len += 8;
	}
	g->options[at] = US_TCP_OPT_SACK;
	g->options[at + 1] = (uint8_t)(g->options_len - at);
	return p;
}

/* "FO" asks for a cookie of Fast Open; "FO *" is any, "FO =" the last "*", and "FO N"
 * one whose eight bytes are N; "FO N len L" has L of them.
 */
static inline const char *script_option_fo(struct script *s, const char *p,
					   struct script_segment *g)
{
	uint8_t *at = &g->options[g->options_len];
	const char *q;

	p = script_skip(p);
	at[0] = US_TCP_OPT_FASTOPEN;
	at[1] = 10;
	if (*p == '*')
		g->fo_at = (uint8_t)(g->options_len + 2);
	else if (*p == '=')
		memcpy(at + 2, s->cookie, 8);
	else if (isdigit((unsigned char)*p))
		memset(at + 2, (int)script_number(s, &p), US_TCP_FO_MAX);
	else
		at[1] = 2;
	q = script_word(p, "len");
	if (q) {
		at[1] = (uint8_t)(2 + script_number(s, &q));
		p = q;
	}
	g->options_len += at[1];
	return *p == '*' || *p == '=' ? p + 1 : p;
}

/* "accecn0 1 0 1": as many counters as are told. */
static inline const char *script_option_accecn(struct script *s, const char *p,
					       struct script_segment *g, uint8_t kind)
{
	uint8_t *at = &g->options[g->options_len];

	at[0] = kind;
	at[1] = 2;
	for (p = script_skip(p); isdigit((unsigned char)*p); p = script_skip(p)) {
		long n = script_number(s, &p);

		memcpy(at + at[1], (uint8_t[]){ (uint8_t)(n >> 16), (uint8_t)(n >> 8),
						(uint8_t)n }, 3);
		at[1] = (uint8_t)(at[1] + 3);
	}
	g->options_len += at[1];
	return p;
}

static inline const char *script_option(struct script *s, const char *p,
					struct script_segment *g, bool ours)
{
	uint8_t *o = &g->options[g->options_len];
	const char *q;
	long n;

	if ((q = script_word(p, "mss"))) {
		n = script_number(s, &q);
		memcpy(o, (uint8_t[]){ 2, 4, (uint8_t)(n >> 8), (uint8_t)n }, 4);
		g->options_len += 4;
	} else if ((q = script_word(p, "sackOK"))) {
		memcpy(o, (uint8_t[]){ 4, 2 }, 2);
		g->options_len += 2;
	} else if ((q = script_word(p, "TS"))) {
		q = script_option_ts(s, q, g, ours);
	} else if ((q = script_word(p, "nop"))) {
		*o = 1;
		g->options_len++;
	} else if ((q = script_word(p, "eol"))) {
		*o = 0;
		g->options_len++;
	} else if ((q = script_word(p, "wscale"))) {
		memcpy(o, (uint8_t[]){ 3, 3, (uint8_t)script_number(s, &q) }, 3);
		g->options_len += 3;
	} else if ((q = script_word(p, "FO"))) {
		q = script_option_fo(s, q, g);
	} else if ((q = script_word(p, "accecn0"))) {
		q = script_option_accecn(s, q, g, US_TCP_OPT_ACCECN0);
	} else if ((q = script_word(p, "accecn1"))) {
		q = script_option_accecn(s, q, g, US_TCP_OPT_ACCECN1);
	} else if ((q = script_word(p, "sack"))) {
		q = script_option_sack(s, q, g, ours ? s->peer_isn : s->isn);
	} else if ((q = script_word(p, "raw"))) {
		*o = (uint8_t)script_number(s, &q);
		g->options_len++;
	} else {
		script_fail(s, "unknown option at \"%s\"", p);
		return "";
	}
	return q;
}

static inline const char *script_options(struct script *s, const char *p,
					 struct script_segment *g, bool ours)
{
	g->options_len = 0;
	for (p = script_skip(p); *p && *p != '>';) {
		p = script_skip(script_option(s, p, g, ours));
		if (*p == ',')
			p++;
	}
	while (!ours && g->options_len % 4)
		g->options[g->options_len++] = 0;
	return *p ? p + 1 : p;
}

#define SCRIPT_FLAGS	"FSRP.UEWe"

static inline uint16_t script_flags_of(const struct us_tcp_hdr *h)
{
	return (uint16_t)(h->flags | (h->offset & US_TCP_AE) << 8);
}

static inline const char *script_flags(struct script *s, const char *p, uint16_t *flags)
{
	static const char letters[] = SCRIPT_FLAGS;
	const char *at;

	*flags = 0;
	for (p = script_skip(p); *p && *p != ' '; p++) {
		at = strchr(letters, *p);
		if (!at)
			script_fail(s, "unknown flag %c", *p);
		else
			*flags |= (uint16_t)(1u << (at - letters));
	}
	return p;
}

/* "0:0(0)", or "*" for any number and no payload. */
static inline const char *script_numbers(struct script *s, const char *p,
					 struct script_segment *g)
{
	uint32_t end;

	if (*script_skip(p) == '*') {
		g->any_seq = true;
		return script_skip(p) + 1;
	}
	g->seq = (uint32_t)script_number(s, &p);
	if (*p == ':')
		p++;
	end = (uint32_t)script_number(s, &p);
	g->len = end - g->seq;
	if (*p == '(')
		p++;
	if ((uint32_t)script_number(s, &p) != g->len)
		script_fail(s, "the length does not match");
	return *p == ')' ? p + 1 : p;
}

static inline const char *script_ecn(const char *p, uint8_t *ecn)
{
	static const char *const names[] = {
		[US_ECN_ECT1] = "ect1", [US_ECN_ECT0] = "ect0", [US_ECN_CE] = "ce",
	};
	uint8_t i;

	for (i = US_ECN_ECT1; i <= US_ECN_CE; i++) {
		const char *q = script_word(p, names[i]);

		if (!q)
			continue;
		*ecn = i;
		p = q;
	}
	return p;
}

/* "S. 0:0(0) ack 1 win 100 <mss 1000>" */
static inline void script_parse(struct script *s, const char *p,
				struct script_segment *g, bool ours)
{
	const char *q;

	*g = (struct script_segment){ .window = -1, .options_len = -1,
				      .tos = -1, .ttl = -1, .gso = -1 };
	p = script_numbers(s, script_flags(s, p, &g->flags), g);
	if ((q = script_word(p, "ack"))) {
		p = q;
		g->ack = (uint32_t)script_number(s, &p);
	}
	if ((q = script_word(p, "win"))) {
		p = q;
		g->window = script_number(s, &p);
	}
	if (*script_skip(p) == '<')
		p = script_options(s, script_skip(p) + 1, g, ours);
	if ((q = script_word(p, "urg"))) {
		g->urgent = (uint16_t)script_number(s, &q);
		p = q;
	}
	if ((q = script_word(p, "tos"))) {
		g->tos = (int)script_number(s, &q);
		p = q;
	}
	if ((q = script_word(p, "ttl"))) {
		g->ttl = (int)script_number(s, &q);
		p = q;
	}
	if ((q = script_word(p, "gso"))) {
		g->gso = (int)script_number(s, &q);
		p = q;
	}
	if ((q = script_word(p, "badsum"))) {
		g->badsum = true;
		p = q;
	}
	p = script_ecn(p, &g->ecn);
	if (*script_skip(p))
		script_fail(s, "not understood: \"%s\"", p);
}

static inline uint32_t script_ip_len(const struct script *s)
{
	return s->six ? US_IPV6_LEN : US_IPV4_LEN;
}

/* An IP header; returns the sum of the pseudo header. */
static inline uint32_t script_put_ip(const struct script *s, uint8_t *data,
				     uint8_t protocol, uint32_t len, uint8_t ecn)
{
	struct us_addr src = script_addr(s, 2), dst = script_addr(s, 1);

	if (s->six) {
		struct us_ipv6 *ip = (void *)data;

		*ip = (struct us_ipv6){ .flow = us_put32(6u << 28 | (uint32_t)ecn << 20),
			.payload_len = us_put16((uint16_t)len), .next = protocol,
			.hops = 64 };
		memcpy(ip->src, src.b, 16);
		memcpy(ip->dst, dst.b, 16);
		return us_csum_pseudo6(ip->src, ip->dst, protocol, len);
	} else {
		struct us_ipv4 *ip = (void *)data;

		*ip = (struct us_ipv4){ .version_ihl = 0x45, .ttl = 64, .tos = ecn,
			.total_len = us_put16((uint16_t)(20 + len)),
			.protocol = protocol };
		memcpy(ip->src, &src.b[12], 4);
		memcpy(ip->dst, &dst.b[12], 4);
		ip->csum = us_from_raw16(us_csum_fold(us_csum_bytes(ip, 20, 0)));
		return us_csum_pseudo4(ip->src, ip->dst, protocol, len);
	}
}

static inline void script_receive(struct script *s, const struct script_segment *g)
{
	static uint8_t data[SCRIPT_MAX];
	uint32_t ip = script_ip_len(s), i, len, sum;
	uint32_t options = g->options_len > 0 ? (uint32_t)g->options_len : 0;
	struct us_tcp_hdr *h = (void *)(data + ip);

	len = US_TCP_LEN + options + g->len;
	*h = (struct us_tcp_hdr){
		.src = us_put16(s->peer_port), .dst = us_put16(s->port),
		.seq = us_put32(g->seq + s->peer_isn),
		.ack = us_put32(g->flags & US_TCP_ACK ? g->ack + s->isn : 0),
		.offset = (uint8_t)((US_TCP_LEN + options) << 2 | g->flags >> 8),
		.flags = (uint8_t)g->flags,
		.window = us_put16((uint16_t)(g->window < 0 ? 65535 : g->window)),
		.urgent = us_put16(g->urgent),
	};
	memcpy(data + ip + US_TCP_LEN, g->options, options);
	for (i = 0; i < g->len; i++)
		data[ip + US_TCP_LEN + options + i] =
			(uint8_t)(g->seq + !!(g->flags & US_TCP_SYN) + i);
	sum = script_put_ip(s, data, IPPROTO_TCP, len, g->ecn);
	sum = us_csum_fold(us_csum_bytes(h, len, sum));
	h->csum = us_from_raw16((uint16_t)(sum ^ g->badsum));
	script_inject(s, data, ip + len, (uint16_t)(g->gso > 0 ? g->gso : 0));
}

#endif /* SELFTESTS_UNIT_SCRIPT_SEGMENT_H */
