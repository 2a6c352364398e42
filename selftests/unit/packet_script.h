/* SPDX-License-Identifier: MIT */
/*
 * Packet scripts: one stack, one TCP socket, a peer that is the script, and time
 * that the script moves.  A line is a call or a segment, in tcpdump's words:
 *
 *	connect = EINPROGRESS
 *	> S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>
 *	+0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000,nop,nop,TS val 700 ecr 0>
 *	> . 1:1(0) ack 1
 *	send 1000 = 1000
 *
 * "<" is from the peer, ">" is what the stack must send.  Both count from their
 * side's initial sequence number.  "+0.1" lets that time pass first; a ">" after
 * it must come at just that time or a little later, as timers have ticks, and never
 * earlier.  Whatever the stack sends and no line expects fails the script, as does a
 * line that does not come true.
 * E, W and e are ECE, CWR and AE; behind it all "ect0", "ect1" or "ce" is the IP
 * header's ECN field, not-ECT if it is not there.
 * win and <options> of ">" are compared if they are given; TS val is not compared
 * if it is "*".  In "<", TS ecr is in our own clock's words: milliseconds of
 * 2^20 ns since the script began; "ecr 0" alone is literally zero.
 *
 *	listen | listen_peer | connect | accept [= ERR]
 *	send N [more] [oob] = N|ERR	recv N [peek] = N|ERR	shutdown = 0	close
 *	urgent [peek] = BYTE|ERR		mark = 0|1
 *	unread N	unacked N	unsent N	bytes, as ioctl(2) tells them
 *	poll = IN|OUT|PRI|HUP|RDHUP|ERR|0	error = ERR|0
 *	set NAME VALUE = 0|ERR			setsockopt(2), by the option's name
 *	get NAME = VALUE			getsockopt(2)
 *	option NAME VALUE	before the socket opens: sndbuf rcvbuf nodelay cork
 *				maxseg keepalive user_timeout ecn fastopen
 *				(connect) fastqueue (listen); offer, mtu, gso, ipv6,
 *				peer_isn, peer_port, full, kept (slots); batch (what
 *				comes is followed by a poll no longer); half, orphans: how many
 *				such connections there may be
 *	state NAME		counter NAME N		waits N (TIME-WAIT records)
 *	< icmp unreach|TYPE CODE [mtu N] seq N
 *	< ... urg N		the urgent pointer; compared in ">", as are tos and ttl
 *	< ... gso N		a super-segment of so many bytes each; compared in ">" if
 *				it is given
 *	< ... badsum
 *	flush			small writes leave
 *	none MSEC		nothing is sent for so long
 */
#ifndef SELFTESTS_UNIT_PACKET_SCRIPT_H
#define SELFTESTS_UNIT_PACKET_SCRIPT_H

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tap.h"
#include "transport/tcp_parts.h"
#include "ustack.h"
#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#define SCRIPT_TOLERANCE	(3 * US_MSEC)
#define SCRIPT_QUEUE		256
#define SCRIPT_MAX		66000

/**
 * struct script_packet - what the stack sent
 * @when: time.
 * @len: bytes of @data.
 * @gso_size: as in struct us_tx.
 * @data: the IP packet.
 */
struct script_packet {
	int64_t when;
	uint32_t len;
	uint16_t gso_size;
	uint8_t data[SCRIPT_MAX];
};

/**
 * struct script - one script at work
 * @now: time.
 * @begin: time at which it began.
 * @mark: time of the last line that came true.
 * @stack: under test.
 * @link: of the stack, whose other end is the script.
 * @tx: slot of the link.
 * @head: its memory.
 * @sent: what the stack sent and no line has taken yet.
 * @first: oldest of @sent.
 * @count: of @sent.
 * @listener: socket.
 * @socket: socket.
 * @six: IPv6.
 * @isn: ours, once it was seen.
 * @has_isn: it was.
 * @peer_isn: the peer's.
 * @port: ours, host byte order.
 * @peer_port: the peer's, host byte order.
 * @ts_offset: of the last connection seen.
 * @cookie: of Fast Open, that the stack gave.
 * @line: at work.
 * @why: what is wrong, "" if nothing.
 * @more: further words for @why.
 * @full: slots left before the link is full; negative: no limit.
 * @starved: it was found full.
 * @lossy: packets beyond SCRIPT_QUEUE are lost, and that is no failure.
 * @batch: what comes is not yet followed by a poll.
 * @fresh: @socket was made to set options, and may listen yet.
 * @inline_: SO_OOBINLINE was set.
 * @written: bytes that send() took.
 * @read: bytes that recv() gave.
 * @options: of the socket that is to be opened.
 */
struct script {
	int64_t now;
	int64_t begin;
	int64_t mark;
	struct ustack *stack;
	struct us_link link;
	struct us_tx tx;
	uint8_t head[SCRIPT_MAX];
	struct script_packet sent[SCRIPT_QUEUE];
	unsigned int first;
	unsigned int count;
	struct ustack_socket *listener;
	struct ustack_socket *socket;
	bool six;
	uint32_t isn;
	bool has_isn;
	uint32_t peer_isn;
	uint16_t port;
	uint16_t peer_port;
	uint32_t ts_offset;
	uint8_t cookie[8];
	int line;
	char why[400];
	int full;
	bool starved;
	bool lossy;
	bool batch;
	bool fresh;
	bool inline_;
	uint32_t written;
	uint32_t read;
	struct {
		int sndbuf, rcvbuf, nodelay, cork, maxseg, keepalive, user_timeout, ecn,
		    fastopen, fastqueue;
	} options;
};

#define SCRIPT_PEER_PORT	7777

__attribute__((format(printf, 2, 3)))
static inline void script_fail(struct script *s, const char *format, ...)
{
	va_list args;

	if (s->why[0])
		return;
	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
}

/* ------------------------------------------------------------------ the link */

static inline struct script *script_of(const struct us_link *link)
{
	return us_container(link, struct script, link);
}

static inline struct us_tx *script_reserve(struct us_link *link, uint32_t keep)
{
	struct script *s = script_of(link);

	if (s->full >= 0 && (uint32_t)s->full <= keep) {
		s->starved = true;
		return NULL;
	}
	s->tx = (struct us_tx){
		.link = link, .head = s->head, .inline_cap = US_TX_INLINE,
	};
	return &s->tx;
}

static inline void script_submit(struct us_link *link, struct us_tx *tx)
{
	struct script *s = script_of(link);
	struct script_packet *p = &s->sent[(s->first + s->count) % SCRIPT_QUEUE];
	uint32_t i;

	if (s->count == SCRIPT_QUEUE) {
		if (!s->lossy)
			script_fail(s, "too many packets");
		return;
	}
	s->count++;
	if (s->full > 0)
		s->full--;
	p->when = s->now;
	p->gso_size = tx->gso ? tx->gso_size : 0;
	memcpy(p->data, tx->head, tx->inline_len);
	p->len = tx->inline_len;
	for (i = 0; i < tx->nr_frags; i++) {
		memcpy(p->data + p->len, tx->frag[i].chunk->data + tx->frag[i].offset,
		       tx->frag[i].len);
		p->len += tx->frag[i].len;
	}
	if (p->len > link->mtu && !p->gso_size)
		script_fail(s, "a packet of %u bytes, more than the MTU", p->len);
}

static inline void script_flush(struct us_link *link)
{
	(void)link;
}

static inline unsigned int script_poll(struct us_link *link, unsigned int budget)
{
	struct script *s = script_of(link);

	(void)budget;
	if (s->starved && (s->full < 0 || (uint32_t)s->full > link->kept)) {
		s->starved = false;
		link->stack->up->link_writable(link->stack, link);
	}
	return 0;
}

static inline void script_release(struct us_link *link, struct us_pkt *pkt)
{
	(void)link;
	free((void *)(uintptr_t)pkt->token);
}

static inline void script_close(struct us_link *link)
{
	(void)link;
}

static const struct us_link_ops script_ops = {
	.name = "script",
	.close = script_close,
	.reserve = script_reserve,
	.submit = script_submit,
	.flush = script_flush,
	.poll = script_poll,
	.release = script_release,
};

static inline int64_t script_clock(void *arg)
{
	return ((struct script *)arg)->now;
}

static inline struct us_stack *script_stack(const struct script *s)
{
	return (struct us_stack *)s->stack;
}

static inline struct us_addr script_addr(const struct script *s, uint8_t host)
{
	const uint8_t v4[4] = { 10, 0, 0, host };
	const uint8_t v6[16] = { 0xfd, [15] = host };

	return s->six ? us_addr_from6(v6) : us_addr_from4(v4);
}

/* Gives the stack a packet of the peer. */
static inline void script_inject(struct script *s, const uint8_t *data,
				 uint32_t len, uint16_t gso_size)
{
	struct us_pkt *pkt = us_link_pkt(&s->link);
	uint8_t *copy = malloc(len);	/* exactly, so that the sanitizer sees */

	memcpy(copy, data, len);
	pkt->data = copy;
	pkt->len = len;
	pkt->token = (uintptr_t)copy;
	if (gso_size) {
		pkt->gso = US_GSO_TCP;
		pkt->gso_size = gso_size;
	}
	us_stack_tick(script_stack(s));
	script_stack(s)->up->link_input(script_stack(s), pkt);
	if (!s->batch)
		ustack_poll(s->stack);
}

/* Lets time pass, the stack running whenever it wishes to; until it sends. */
static inline void script_advance(struct script *s, int64_t to, bool until)
{
	int64_t next = ustack_poll(s->stack);

	while (s->now < to && !(until && s->count)) {
		int64_t step = to - s->now;

		if (next > 0 && next < step)
			step = next;
		else if (next == 0 && step > US_USEC)
			step = US_USEC;
		s->now += step;
		next = ustack_poll(s->stack);
	}
}

/* ------------------------------------------------------------------ segments */

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

/* ---------------------------------------------------------------- expecting */

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

/* --------------------------------------------------------------------- calls */

static const struct {
	const char *name;
	int value;
} script_errnos[] = {
	{ "EAGAIN", EAGAIN }, { "EPIPE", EPIPE }, { "ECONNRESET", ECONNRESET },
	{ "ECONNREFUSED", ECONNREFUSED }, { "ETIMEDOUT", ETIMEDOUT },
	{ "EINPROGRESS", EINPROGRESS }, { "EHOSTUNREACH", EHOSTUNREACH },
	{ "ENOTCONN", ENOTCONN }, { "EADDRINUSE", EADDRINUSE },
	{ "ENETUNREACH", ENETUNREACH }, { "EINVAL", EINVAL },
	{ "EPROTO", EPROTO }, { "EALREADY", EALREADY }, { "EISCONN", EISCONN },
	{ "EOPNOTSUPP", EOPNOTSUPP },
};

static const char *const script_polls[] = { "IN", "OUT", "HUP", "RDHUP", "ERR", "PRI" };
static const int script_poll_bits[] = { POLLIN, POLLOUT, POLLHUP, POLLRDHUP, POLLERR,
					POLLPRI };

/* The result of a call against "= N" or "= ERRNO"; errno counts if it is -1. */
static inline void script_result(struct script *s, const char *p, long result)
{
	long want = 0;
	size_t i;

	p = script_word(p, "=");
	if (!p) {
		if (result < 0)
			script_fail(s, "%s", strerror(errno));
		return;
	}
	for (i = 0; i < sizeof(script_errnos) / sizeof(script_errnos[0]); i++)
		if (script_word(p, script_errnos[i].name))
			want = -script_errnos[i].value;
	if (!want)
		want = script_number(s, &p);
	if (result < 0)
		result = -errno;
	if (result != want)
		script_fail(s, "the result is %ld (%s)", result,
			    result < 0 ? strerror((int)-result) : "good");
}

static inline void script_call_poll(struct script *s, const char *p)
{
	struct ustack_pollfd fd = { .socket = s->socket,
				    .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI };
	int want = 0;
	size_t i;

	ustack_pollsockets(s->stack, &fd, 1, 0);
	p = script_word(p, "=");
	while (p && *script_skip(p)) {
		const char *q = NULL;

		for (i = 0; i < 6 && !q; i++)
			if ((q = script_word(p, script_polls[i])))
				want |= script_poll_bits[i];
		p = q ? script_skip(q) : "";
		if (*p == '|')
			p++;
	}
	if (fd.revents != want)
		script_fail(s, "poll gives %#x, not %#x", (unsigned int)fd.revents,
			    (unsigned int)want);
}

static inline socklen_t script_name(const struct script *s, uint8_t host,
				    uint16_t port, struct sockaddr_storage *to)
{
	struct us_addr addr = script_addr(s, host);
	struct sockaddr_in6 *v6 = (void *)to;
	struct sockaddr_in *v4 = (void *)to;

	memset(to, 0, sizeof(*to));
	v4->sin_port = htons(port);	/* at the same place in both */
	if (s->six) {
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, addr.b, 16);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	memcpy(&v4->sin_addr, &addr.b[12], 4);
	return sizeof(*v4);
}

static inline void script_apply(const struct script *s, struct ustack_socket *socket)
{
	const int *o[] = { &s->options.sndbuf, &s->options.rcvbuf,
			   &s->options.keepalive, &s->options.nodelay,
			   &s->options.cork, &s->options.maxseg,
			   &s->options.user_timeout, &s->options.ecn,
			   &s->options.fastopen, &s->options.fastqueue };
	static const int level[] = { SOL_SOCKET, SOL_SOCKET, SOL_SOCKET,
				     IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,
				     IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,
				     IPPROTO_TCP };
	static const int opt[] = { SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
				   TCP_NODELAY, TCP_CORK, TCP_MAXSEG,
				   TCP_USER_TIMEOUT, USTACK_TCP_ECN,
				   TCP_FASTOPEN_CONNECT, TCP_FASTOPEN };
	size_t i;

	for (i = 0; i < sizeof(o) / sizeof(o[0]); i++)
		if (*o[i])
			ustack_setsockopt(socket, level[i], opt[i], o[i], sizeof(int));
}

static inline struct ustack_socket *script_socket(struct script *s)
{
	struct ustack_socket *socket = ustack_socket(s->stack, s->six ? AF_INET6 :
			AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	script_apply(s, socket);
	return socket;
}

static inline void script_call_listen(struct script *s, bool peer)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(s, 1, 80, &name);

	s->port = 80;
	s->listener = s->fresh ? s->socket : script_socket(s);
	if (s->fresh)
		s->socket = NULL;
	s->fresh = false;
	if (ustack_bind(s->listener, (void *)&name, len) ||
	    (peer ? ustack_listen_peer(s->listener) : ustack_listen(s->listener, 1)))
		script_fail(s, "listen: %s", strerror(errno));
}

static inline void script_call_connect(struct script *s, const char *p)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(s, 2, s->peer_port, &name);

	if (!s->socket)
		s->socket = script_socket(s);
	script_result(s, p, ustack_connect(s->socket, (void *)&name, len));
}

static inline void script_call_accept(struct script *s, const char *p)
{
	struct ustack_socket *socket = ustack_accept(s->listener, NULL, NULL,
						     SOCK_NONBLOCK);

	script_result(s, p, socket ? 0 : -1);
	if (socket)
		s->socket = socket;
}

/* Payload bytes are named by their sequence number. */
static inline void script_call_send(struct script *s, const char *p)
{
	static uint8_t data[SCRIPT_MAX * 16];
	long n = script_number(s, &p), i;
	const char *q = script_word(p, "more");
	const char *oob = script_word(q ? q : p, "oob");
	ssize_t done;

	for (i = 0; i < n && i < (long)sizeof(data); i++)
		data[i] = (uint8_t)(1 + s->written + (uint32_t)i);
	done = ustack_send(s->socket, data, (size_t)n, (q ? MSG_MORE : 0) |
			   (oob ? MSG_OOB : 0));
	s->written += done > 0 ? (uint32_t)done : 0;
	script_result(s, oob ? oob : q ? q : p, done);
}

static inline bool script_at_mark(struct script *s)
{
	int value = 0;

	ustack_ioctl(s->socket, SIOCATMARK, &value);
	return value;
}

/* MSG_FASTOPEN */
static inline void script_call_sendto(struct script *s, const char *p)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(s, 2, s->peer_port, &name);
	static uint8_t data[SCRIPT_MAX];
	long n = script_number(s, &p), i;
	ssize_t done;

	if (!s->socket)
		s->socket = script_socket(s);
	for (i = 0; i < n && i < (long)sizeof(data); i++)
		data[i] = (uint8_t)(1 + s->written + (uint32_t)i);
	done = ustack_sendto(s->socket, data, (size_t)n, MSG_FASTOPEN, (void *)&name, len);
	s->written += done > 0 ? (uint32_t)done : 0;
	script_result(s, p, done);
}

static inline void script_call_recv(struct script *s, const char *p)
{
	static uint8_t data[SCRIPT_MAX * 16];
	long n = script_number(s, &p);
	const char *peek = script_word(p, "peek");
	ssize_t done;

	/* The urgent byte, next in the queue and out of line, is passed over. */
	if (!s->inline_ && script_at_mark(s))
		s->read++;
	done = ustack_recv(s->socket, data, (size_t)n, peek ? MSG_PEEK : 0);
	if (done > 0 && !script_payload_ok(s, data, 1 + s->read, (uint32_t)done))
		script_fail(s, "wrong bytes received");
	s->read += done > 0 && !peek ? (uint32_t)done : 0;
	script_result(s, peek ? peek : p, done);
}

static inline void script_call_urgent(struct script *s, const char *p)
{
	const char *peek = script_word(p, "peek");
	uint8_t byte = 0;
	ssize_t done = ustack_recv(s->socket, &byte, 1,
				   MSG_OOB | (peek ? MSG_PEEK : 0));

	script_result(s, peek ? peek : p, done == 1 ? byte : done);
}

static inline void script_call_mark(struct script *s, const char *p)
{
	script_result(s, p, script_at_mark(s));
}

static inline void script_queued(struct script *s, const char *p, unsigned long request)
{
	int value = -1;

	ustack_ioctl(s->socket, request, &value);
	if (value != script_number(s, &p))
		script_fail(s, "there are %d bytes", value);
}

static inline void script_call_unread(struct script *s, const char *p)
{
	script_queued(s, p, FIONREAD);
}

static inline void script_call_unacked(struct script *s, const char *p)
{
	script_queued(s, p, SIOCOUTQ);
}

static inline void script_call_unsent(struct script *s, const char *p)
{
	script_queued(s, p, SIOCOUTQNSD);
}

static inline void script_call_error(struct script *s, const char *p)
{
	int value = 0;
	socklen_t len = sizeof(value);

	ustack_getsockopt(s->socket, SOL_SOCKET, SO_ERROR, &value, &len);
	errno = value;
	script_result(s, p, value ? -1 : 0);
}

static inline void script_call_state(struct script *s, const char *p)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_SYN_SENT] = "SYN_SENT",
		[TCP_SYN_RECV] = "SYN_RECV", [TCP_FIN_WAIT1] = "FIN_WAIT1",
		[TCP_FIN_WAIT2] = "FIN_WAIT2", [TCP_CLOSE] = "CLOSE",
		[TCP_CLOSE_WAIT] = "CLOSE_WAIT", [TCP_LAST_ACK] = "LAST_ACK",
		[TCP_CLOSING] = "CLOSING", [TCP_LISTEN] = "LISTEN",
		[TCP_TIME_WAIT] = "TIME_WAIT",
	};
	const struct us_tcp_table *table = script_stack(s)->tcp;
	uint8_t state = TCP_CLOSE;
	uint32_t i;

	for (i = 0; i <= table->mask; i++)
		if (table->hash[i])
			state = table->hash[i]->state;
	if (!script_word(p, names[state]))
		script_fail(s, "the state is %s", names[state]);
}

static inline void script_call_counter(struct script *s, const char *p)
{
	char name[64] = "";
	long want;
	int i, len = 0;

	sscanf(p, " %63s%n", name, &len);
	p += len;
	want = script_number(s, &p);
	for (i = 0; i < US_COUNTERS; i++) {
		if (strcmp(us_counter_name((enum us_counter)i), name))
			continue;
		if (script_stack(s)->counter[i] != (uint64_t)want)
			script_fail(s, "%s is %llu", name, (unsigned long long)
				    script_stack(s)->counter[i]);
		return;
	}
	script_fail(s, "no counter %s", name);
}

static inline void script_call_offer(struct script *s, const char *p)
{
	uint32_t offer = 0;

	if (strstr(p, "ts"))
		offer |= US_TCP_TS;
	if (strstr(p, "sack"))
		offer |= US_TCP_SACK;
	if (strstr(p, "wscale"))
		offer |= US_TCP_WSCALE;
	script_stack(s)->tcp->offer = offer;
}

static inline void script_call_option(struct script *s, const char *p)
{
	const char *q;

	if ((q = script_word(p, "sndbuf")))
		s->options.sndbuf = (int)script_number(s, &q);
	else if ((q = script_word(p, "rcvbuf")))
		s->options.rcvbuf = (int)script_number(s, &q);
	else if ((q = script_word(p, "nodelay")))
		s->options.nodelay = (int)script_number(s, &q);
	else if ((q = script_word(p, "cork")))
		s->options.cork = (int)script_number(s, &q);
	else if ((q = script_word(p, "maxseg")))
		s->options.maxseg = (int)script_number(s, &q);
	else if ((q = script_word(p, "keepalive")))
		s->options.keepalive = (int)script_number(s, &q);
	else if ((q = script_word(p, "ecn")))
		s->options.ecn = (int)script_number(s, &q);
	else if ((q = script_word(p, "fastopen")))
		s->options.fastopen = (int)script_number(s, &q);
	else if ((q = script_word(p, "fastqueue")))
		s->options.fastqueue = (int)script_number(s, &q);
	else if ((q = script_word(p, "user_timeout")))
		s->options.user_timeout = (int)script_number(s, &q);
	else if ((q = script_word(p, "half")))
		script_stack(s)->tcp->share[US_TCP_SHARE_HALF].most =
			(uint32_t)script_number(s, &q);
	else if ((q = script_word(p, "orphans")))
		script_stack(s)->tcp->share[US_TCP_SHARE_ORPHAN].most =
			(uint32_t)script_number(s, &q);
	else if ((q = script_word(p, "peer_port")))
		s->peer_port = (uint16_t)script_number(s, &q);
	else if ((q = script_word(p, "offer")))
		script_call_offer(s, q);
	else if ((q = script_word(p, "full")))
		s->full = (int)script_number(s, &q);
	else if ((q = script_word(p, "kept")))
		s->link.kept = (uint32_t)script_number(s, &q);
	else if ((q = script_word(p, "batch")))
		s->batch = script_number(s, &q);
	else if ((q = script_word(p, "gso"))) {
		s->link.flags |= US_LINK_GSO_TCP;
		s->link.gso_max = (uint32_t)script_number(s, &q);
		s->link.gso_segs = UINT16_MAX;
	} else if ((q = script_word(p, "peer_isn")))
		s->peer_isn = (uint32_t)script_number(s, &q);
	else
		script_fail(s, "unknown option");
	if (s->socket)
		script_apply(s, s->socket);
}

/**
 * struct script_option - an option of sockets
 * @name: in scripts.
 * @level: of it.
 * @option: of that level.
 */
struct script_option {
	const char *name;
	int level;
	int option;
};

/* An option by its name, or NULL; @p is moved behind that. */
static inline const struct script_option *script_option_of(struct script *s, const char **p)
{
	static const struct script_option names[] = {
		{ "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE },
		{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF },
		{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT },
		{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY },
		{ "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT },
		{ "TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT },
		{ "TCP_CORK", IPPROTO_TCP, TCP_CORK },
		{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE },
		{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL },
		{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT },
		{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT },
		{ "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2 },
		{ "TTL", IPPROTO_IP, IP_TTL }, { "TOS", IPPROTO_IP, IP_TOS },
		{ "RECVERR", IPPROTO_IP, IP_RECVERR },
		{ "TTL", IPPROTO_IPV6, IPV6_UNICAST_HOPS },
		{ "TOS", IPPROTO_IPV6, IPV6_TCLASS },
		{ "RECVERR", IPPROTO_IPV6, IPV6_RECVERR },
	};
	const char *q = NULL;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].level != (s->six ? IPPROTO_IP : IPPROTO_IPV6))
			q = script_word(*p, names[i].name);
		if (!q)
			continue;
		*p = q;
		return &names[i];
	}
	script_fail(s, "unknown option");
	return NULL;
}

/* Of the connection, of who listens, or of a new one. */
static inline struct ustack_socket *script_of_options(struct script *s)
{
	if (!s->socket && s->listener)
		return s->listener;
	if (!s->socket) {
		s->socket = script_socket(s);
		s->fresh = true;
	}
	return s->socket;
}

static inline void script_call_set(struct script *s, const char *p)
{
	const struct script_option *option = script_option_of(s, &p);
	int value;

	if (!option)
		return;
	value = (int)script_number(s, &p);
	s->inline_ |= option->option == SO_OOBINLINE && value;
	script_result(s, p, ustack_setsockopt(script_of_options(s), option->level,
					      option->option, &value, sizeof(value)));
}

static inline void script_call_get(struct script *s, const char *p)
{
	const struct script_option *option = script_option_of(s, &p);
	int value = -1;
	socklen_t len = sizeof(value);

	if (option)
		script_result(s, p, ustack_getsockopt(script_of_options(s), option->level,
						      option->option, &value, &len) ?
				    -1 : value);
}

/* "unreach CODE [mtu N] seq N": quotes the first 8 bytes of a segment of ours. */
static inline void script_icmp(struct script *s, const char *p)
{
	uint8_t data[100] = { 0 }, *icmp = data + script_ip_len(s);
	uint8_t *quoted = icmp + 8, *tcp = quoted + script_ip_len(s);
	uint32_t code, mtu = 0, seq, len = 8 + script_ip_len(s) + 8, sum;
	struct us_addr local = script_addr(s, 1), remote = script_addr(s, 2);
	uint8_t type;
	struct us_tcp_hdr h = { .src = us_put16(s->port),
				.dst = us_put16(SCRIPT_PEER_PORT) };
	const char *q;

	q = script_word(p, "unreach");
	type = q ? (s->six ? 1 : 3) : (uint8_t)script_number(s, &p);
	p = q ? q : p;
	code = (uint32_t)script_number(s, &p);
	if ((q = script_word(p, "mtu"))) {
		p = q;
		mtu = (uint32_t)script_number(s, &p);
	}
	p = script_word(p, "seq");
	seq = (uint32_t)script_number(s, &p);
	h.seq = us_put32(seq + s->isn);
	memcpy(tcp, &h, 8);
	sum = script_put_ip(s, data, s->six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, len, 0);
	script_put32(icmp + 4, mtu + (mtu && s->six ? 20 : 0));	/* the same MSS */
	icmp[0] = type;
	icmp[1] = (uint8_t)code;
	if (s->six) {
		struct us_ipv6 *ip = (void *)quoted;

		icmp[0] = mtu ? 2 : type;
		*ip = (struct us_ipv6){ .flow = us_put32(6u << 28),
			.payload_len = us_put16(20), .next = IPPROTO_TCP, .hops = 64 };
		memcpy(ip->src, local.b, 16);
		memcpy(ip->dst, remote.b, 16);
	} else {
		struct us_ipv4 *ip = (void *)quoted;

		*ip = (struct us_ipv4){ .version_ihl = 0x45, .ttl = 64,
			.total_len = us_put16(40), .protocol = IPPROTO_TCP };
		memcpy(ip->src, &local.b[12], 4);
		memcpy(ip->dst, &remote.b[12], 4);
		ip->csum = us_from_raw16(us_csum_fold(us_csum_bytes(ip, 20, 0)));
		sum = 0;
	}
	sum = us_csum_fold(us_csum_bytes(icmp, len, sum));
	memcpy(icmp + 2, (uint16_t[]){ (uint16_t)sum }, 2);
	script_inject(s, data, script_ip_len(s) + len, 0);
}

/* -------------------------------------------------------------------- lines */

static inline void script_call(struct script *s, const char *p)
{
	static const struct {
		const char *name;
		void (*call)(struct script *s, const char *p);
	} calls[] = {
		{ "connect", script_call_connect }, { "accept", script_call_accept },
		{ "sendto", script_call_sendto }, { "send", script_call_send }, { "recv", script_call_recv },
		{ "poll", script_call_poll }, { "error", script_call_error },
		{ "state", script_call_state }, { "counter", script_call_counter },
		{ "option", script_call_option }, { "set", script_call_set },
		{ "get", script_call_get },
		{ "urgent", script_call_urgent }, { "mark", script_call_mark },
		{ "unread", script_call_unread }, { "unacked", script_call_unacked },
		{ "unsent", script_call_unsent },
	};
	const char *q;
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		q = script_word(p, calls[i].name);
		if (q) {
			calls[i].call(s, q);
			return;
		}
	}
	if (script_word(p, "listen_peer")) {
		script_call_listen(s, true);
	} else if (script_word(p, "listen")) {
		script_call_listen(s, false);
	} else if ((q = script_word(p, "shutdown"))) {
		script_result(s, q, ustack_shutdown(s->socket, SHUT_WR));
	} else if (script_word(p, "unlisten")) {
		ustack_close(s->listener);
		s->listener = NULL;
	} else if (script_word(p, "close")) {
		ustack_close(s->socket);
		s->socket = NULL;
		s->written = s->read = 0;
	} else if ((q = script_word(p, "waits"))) {
		long n = script_number(s, &q);

		if (script_stack(s)->tcp->wait_pool.used != (uint32_t)n)
			script_fail(s, "%u records in TIME-WAIT",
				    script_stack(s)->tcp->wait_pool.used);
	} else {
		script_fail(s, "unknown call");
	}
	ustack_poll(s->stack);
}

static inline void script_line(struct script *s, const char *p)
{
	struct script_segment g;
	const char *q;

	p = script_skip(p);
	if (*p == '+') {
		char *end;
		int64_t wait = (int64_t)(strtod(p + 1, &end) * 1e9);

		p = script_skip(end);
		s->mark += wait;
		/* What is expected may come a little later than the line says. */
		script_advance(s, s->mark + (*p == '>' ? SCRIPT_TOLERANCE : 0),
			       *p == '>');
	} else {
		s->mark = s->now;
	}
	if (!*p || *p == '#')
		return;
	if ((q = script_word(p, ">"))) {
		script_parse(s, q, &g, true);
		ustack_poll(s->stack);
		script_expect(s, &g);
		return;
	}
	script_expect_none(s);
	if ((q = script_word(p, "<")) && script_word(q, "icmp")) {
		script_icmp(s, script_word(q, "icmp"));
	} else if (q) {
		script_parse(s, q, &g, false);
		script_receive(s, &g);
	} else if ((q = script_word(p, "none"))) {
		script_advance(s, s->now + script_number(s, &q) * US_MSEC, true);
		s->mark = s->now;
		script_expect_none(s);
	} else {
		script_call(s, p);
		ustack_poll(s->stack);
	}
}

static inline bool script_open(struct script *s, bool six)
{
	struct ustack_config config = {
		.clock = script_clock, .clock_arg = s, .seed = 42, .max_sockets = 16,
	};
	struct us_addr own = script_addr(s, 1), own6;
	struct us_stack *stack;

	s->six = six;
	own6 = script_addr(s, 1);
	s->six = false;
	own = script_addr(s, 1);
	s->six = six;
	/* A time that never was set is long ago in one half of all, and to come in the other. */
	s->now = s->begin = s->mark = 1000 * US_SEC + (six ? 1LL << 41 : 0);
	s->full = -1;
	s->peer_isn = UINT32_MAX - 399;	/* goes round in nearly every script */
	s->peer_port = SCRIPT_PEER_PORT;
	if (ustack_create(&config, &s->stack))
		return false;
	stack = script_stack(s);
	s->link = (struct us_link){ .stack = stack, .ops = &script_ops, .mtu = 1500,
				    .mem = stack->mem };
	s->link.mtu += six ? 20 : 0;	/* the same MSS */
	CDS_INIT_LIST_HEAD(&s->link.pending);
	CDS_INIT_LIST_HEAD(&s->link.resting);
	cds_list_add(&s->link.node, &stack->links);
	return !us_net_address_add(stack, &s->link, six ? &own6 : &own, six ? 64 : 24);
}

static inline void script_end(struct script *s)
{
	if (s->socket)
		ustack_close(s->socket);
	if (s->listener)
		ustack_close(s->listener);
	s->full = -1;
	ustack_poll(s->stack);
	ustack_destroy(s->stack);
}

/**
 * script_run() - runs a script as one test point
 * @name: of the test.
 * @six: over IPv6.
 * @text: lines.
 */
static inline bool script_run(const char *name, bool six, const char *text)
{
	struct script *s = calloc(1, sizeof(*s));
	char line[400] = "";
	bool good;

	if (!script_open(s, six))
		script_fail(s, "no stack");
	while (*text && !s->why[0]) {
		size_t len = strcspn(text, "\n");

		s->line++;
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		script_line(s, line);
		text += len + (text[len] == '\n');
	}
	if (!s->why[0])
		script_expect_none(s);
	good = ok(!s->why[0], "%s%s", name, six ? ", IPv6" : "");
	if (!good)
		printf("# line %d: %s\n# %s\n", s->line, line, s->why);
	script_end(s);
	free(s);
	return good;
}

/**
 * struct named_script - a script, as programs list them
 * @name: of the test point.
 * @text: lines; "# IPv4" or "# IPv6" among them: for that family only.
 */
struct named_script {
	const char *name;
	const char *text;
};

/**
 * script_run_all() - runs scripts over IPv4, then over IPv6
 * @scripts: the scripts.
 * @count: of @scripts.
 * @part: of the name of those to run; NULL: all.
 */
static inline void script_run_all(const struct named_script *scripts, size_t count,
				  const char *part)
{
	size_t i;
	int six;

	for (six = 0; six < 2; six++)
		for (i = 0; i < count; i++)
			if ((!part || strstr(scripts[i].name, part)) &&
			    !strstr(scripts[i].text, six ? "# IPv4" : "# IPv6"))
				script_run(scripts[i].name, six, scripts[i].text);
}

#endif /* SELFTESTS_UNIT_PACKET_SCRIPT_H */
