/* SPDX-License-Identifier: MIT */
/* Packet scripts: the stack, the link that the script is the other end of, and its clock. */
#ifndef SELFTESTS_UNIT_SCRIPT_LINK_H
#define SELFTESTS_UNIT_SCRIPT_LINK_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

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
 * @mapped: over IPv4, but the sockets are of AF_INET6.
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
	bool mapped;
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

#endif /* SELFTESTS_UNIT_SCRIPT_LINK_H */
