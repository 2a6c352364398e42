// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "peer.h"
#include "segment.h"

#define ISN	0xfffff000u	/* numbers wrap in the middle of a script */

static void print(const struct peer *p, const char *way, const struct segment *s)
{
	uint8_t f = s->tcp.th_flags;
	bool ours = *way == '<';

	if (!p->verbose)
		return;
	printf("#\t%s %s %s%s%s%s%s %u:%u", p->subject->name, way, f & TH_SYN ? "S" : "",
	       f & TH_FIN ? "F" : "", f & TH_RST ? "R" : "", f & TH_PUSH ? "P" : "",
	       f & (TH_SYN | TH_FIN | TH_RST | TH_PUSH) ? "" : ".",
	       ntohl(s->tcp.seq) - (ours ? ISN : p->isn),
	       ntohl(s->tcp.seq) - (ours ? ISN : p->isn) + ntohs(s->ip.tot_len) -
	       (uint32_t)sizeof(s->ip) - 4u * s->tcp.doff);
	if (f & TH_ACK)
		printf(" ack %u", ntohl(s->tcp.ack_seq) - (ours ? p->isn : ISN));
	printf(" win %u\n", ntohs(s->tcp.window));
}

/* @ack: the number. */
static void send_segment(struct peer *p, uint16_t port, uint8_t flags, uint32_t at,
			 uint32_t ack, const char *text)
{
	struct segment s;
	size_t size = segment_make(&s, PEER_ADDRESS, p->port, SUBJECT_ADDRESS, port, flags,
				   ISN + at, ack, p->window, text);

	print(p, "<", &s);
	p->subject->inject(&s, size);
}

/**
 * peer_send() - sends a segment
 * @p: the peer.
 * @flags: TH_...
 * @at: offset of its first byte.
 * @length: bytes of the stream.
 * @ack: offset in the subject's stream, if @flags have TH_ACK.
 */
void peer_send(struct peer *p, uint8_t flags, uint32_t at, uint32_t length, uint32_t ack)
{
	char text[sizeof(((struct segment *)0)->data) + 1] = "";
	uint32_t i;

	for (i = 0; i < length && i < sizeof(text) - 1; i++)
		text[i] = (char)stream_byte(at + i);
	send_segment(p, p->to_port, flags, at, flags & TH_ACK ? p->isn + ack : 0, text);
	if ((flags & TH_ACK) && (int32_t)(ack + p->window - p->edge) > 0)
		p->edge = ack + p->window;
}

/**
 * peer_new() - sends what comes next
 * @p: the peer.
 * @flags: TH_FIN or 0.
 * @length: bytes; all new.
 */
void peer_new(struct peer *p, uint8_t flags, uint32_t length)
{
	peer_send(p, flags | TH_ACK | (length ? TH_PUSH : 0), p->next, length, p->seen);
	p->next += length;
	if (flags & TH_FIN)
		p->fin_at = p->next++;
}

/**
 * peer_ack() - tells what it has, and its window
 * @p: the peer.
 */
void peer_ack(struct peer *p)
{
	peer_send(p, TH_ACK, p->next, 0, p->seen);
}

/**
 * peer_heal() - sends again what was lost on the way to the subject
 * @p: the peer.
 */
void peer_heal(struct peer *p)
{
	uint32_t end = p->hole_end;

	if (p->hole == end)
		return;
	if (p->fin_at && p->fin_at == end - 1)
		peer_send(p, TH_ACK | TH_FIN, p->hole, end - 1 - p->hole, p->seen);
	else
		peer_send(p, TH_ACK | TH_PUSH, p->hole, end - p->hole, p->seen);
	p->hole = p->hole_end = 0;
}

static void read_text(struct peer *p, const uint8_t *text, uint32_t at, uint32_t length)
{
	uint32_t i;

	for (i = 0; i < length; i++)
		if ((int32_t)(at + i - p->seen) >= 0 && (int32_t)(at + i - p->edge) < 0) {
			p->wrong |= text[i] != stream_byte(at + i);
			p->seen = at + i + 1;
		}
}

static void read_syn(struct peer *p, const struct segment *s)
{
	if (p->syn)
		return;
	p->syn = true;
	p->isn = ntohl(s->tcp.seq);
	p->to_port = ntohs(s->tcp.source);
	p->seen = 1;
	p->edge = 1 + PEER_WINDOW;
}

/* It has one connection in its life, and refuses another. */
static bool refuse(struct peer *p, const struct segment *s)
{
	uint32_t isn = ntohl(s->tcp.seq);

	if (!p->syn || isn == p->isn || (s->tcp.th_flags & (TH_SYN | TH_ACK)) != TH_SYN)
		return false;
	send_segment(p, ntohs(s->tcp.source), TH_RST | TH_ACK, 0, isn + 1, "");
	return true;
}

/* A segment that it did not lose. */
static void hear(struct peer *p, const struct segment *s, uint32_t length)
{
	uint8_t flags = s->tcp.th_flags;
	const uint8_t *text = (const uint8_t *)&s->tcp + 4 * s->tcp.doff;
	uint32_t at;

	if (refuse(p, s))
		return;
	if (flags & TH_SYN)
		read_syn(p, s);
	at = ntohl(s->tcp.seq) - p->isn + !!(flags & TH_SYN);
	if ((flags & TH_ACK) && (int32_t)(ntohl(s->tcp.ack_seq) - ISN - p->heard) > 0)
		p->heard = ntohl(s->tcp.ack_seq) - ISN;
	if (flags & TH_RST) {
		if (!p->rst && (!p->syn || at - p->seen <= PEER_WINDOW)) {
			p->rst = true;
			p->rst_at = p->seen;
		}
		return;
	}
	/* Out of order it takes nothing: it comes again. */
	if ((int32_t)(at - p->seen) <= 0)
		read_text(p, text, at, length);
	if ((flags & TH_FIN) && at + length == p->seen && !p->fin) {
		p->fin = true;
		p->seen++;
	}
	if (p->mute || p->rst)
		return;
	if (length || (flags & TH_FIN) || (int32_t)(at - p->seen) < 0 ||
	    (flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK))
		peer_ack(p);
}

/* Its next segment, lost or not; false if there is none. */
static bool take(struct peer *p)
{
	struct segment s;
	size_t n = p->subject->collect(&s, sizeof(s));

	if (!n)
		return false;
	if (n < HEADERS || s.ip.version != 4 || s.ip.protocol != IPPROTO_TCP ||
	    ntohs(s.tcp.dest) != p->port)
		return true;
	print(p, p->deaf || p->lose ? "> (lost)" : ">", &s);
	if (p->deaf || p->lose) {
		p->lose -= !!p->lose;
		return true;
	}
	p->wrong |= !segment_ok(&s, (ssize_t)n);
	hear(p, &s, (uint32_t)n - sizeof(s.ip) - 4u * s.tcp.doff);
	return true;
}

/* What it sends now, and what that leads to. */
static void exchange(struct peer *p)
{
	do {
		while (take(p))
			;
		p->subject->pass(0);
	} while (take(p));
}

/**
 * peer_settle() - lets time pass
 * @p: answers meanwhile.
 * @ns: nanoseconds.
 */
void peer_settle(struct peer *p, int64_t ns)
{
	exchange(p);
	while (ns > 0) {
		ns -= p->subject->pass(ns);
		exchange(p);
	}
}
