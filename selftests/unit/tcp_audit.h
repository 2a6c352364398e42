/* SPDX-License-Identifier: MIT */
/* What must hold of TCP's books at any time; for tests. */
#ifndef SELFTESTS_UNIT_TCP_AUDIT_H
#define SELFTESTS_UNIT_TCP_AUDIT_H

#include "transport/tcp_parts.h"
#include "ustack.h"

/* The first finding counts. */
static inline void audit_fail(const char **why, const char *what)
{
	if (!*why)
		*why = what;
}

static inline void audit_flight(const struct us_tcp *tcp, const char **why)
{
	const struct us_tcp_active *a = tcp->active;
	uint32_t seq = tcp->snd_una, sacked = 0, lost = 0, retrans = 0;
	struct us_tcp_sent *sent;

	cds_list_for_each_entry(sent, &a->flight, node) {
		uint32_t bytes = sent->end - sent->seq;

		if (sent->seq != seq || !bytes)
			audit_fail(why, "flight has a gap");
		if ((sent->flags & US_TCP_RETRANS) && !(sent->flags & US_TCP_LOST))
			audit_fail(why, "sent again, but not lost");
		if ((sent->flags & US_TCP_SACKED) && (sent->flags & US_TCP_LOST))
			audit_fail(why, "sacked and lost");
		sacked += sent->flags & US_TCP_SACKED ? bytes : 0;
		lost += sent->flags & US_TCP_LOST ? bytes : 0;
		retrans += sent->flags & US_TCP_RETRANS ? bytes : 0;
		seq = sent->end;
	}
	if (seq != tcp->snd_nxt)
		audit_fail(why, "flight does not reach snd_nxt");
	if (((tcp->flags & US_TCP_SACK) && sacked != a->sacked) ||
	    lost != a->lost || retrans != a->retrans)
		audit_fail(why, "flight's sums are wrong");
}

static inline void audit_reass(const struct us_tcp *tcp, const char **why)
{
	const struct us_tcp_reass *reass = tcp->active->reass;
	uint32_t i, bytes = 0;

	for (i = 0; i < reass->nr; i++) {
		bytes += reass->range[i].end - reass->range[i].start;
		if (!us_before(reass->range[i].start, reass->range[i].end) ||
		    !us_after(reass->range[i].start,
			      i ? reass->range[i - 1].end : tcp->rcv_nxt))
			audit_fail(why, "reassembly is out of order");
	}
	if (bytes != reass->bytes)
		audit_fail(why, "reassembly miscounts");
}

static inline void audit_connection(const struct us_tcp *tcp, const char **why)
{
	const struct us_tcp_active *a = tcp->active;
	bool listed = tcp->flags & (US_TCP_QUEUED | US_TCP_PENDING);
	bool timer;

	if (!a || tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECV)
		return;
	audit_flight(tcp, why);
	if (a->reass)
		audit_reass(tcp, why);
	timer = us_tcp_timer_armed(tcp, US_TCP_TIMER_REXMT) ||
		us_tcp_timer_armed(tcp, US_TCP_TIMER_PERSIST) ||
		us_tcp_timer_armed(tcp, US_TCP_TIMER_PACE);
	if (us_tcp_sndq_bytes(tcp) && !timer && !listed)
		audit_fail(why, "data to send, and nothing will send it");
	if (tcp->rcv_nxt != tcp->last_ack_sent && !listed &&
	    !us_tcp_timer_armed(tcp, US_TCP_TIMER_DELACK))
		audit_fail(why, "an ACK is due, and nothing will send it");
}

/* Where SO_RCVBUF does not become less than was received already. */
static inline void audit_room(const struct us_tcp *tcp, const char **why)
{
	if (tcp->active && tcp->active->rcv_bytes > tcp->rcvbuf)
		audit_fail(why, "more received than the buffer holds");
}

/* Every connection of a stack. */
static inline void audit(struct ustack *stack, const char **why)
{
	const struct us_tcp_table *table = ((struct us_stack *)stack)->tcp;
	const struct us_tcp *tcp;
	uint32_t i;

	for (i = 0; i <= table->mask; i++)
		for (tcp = table->hash[i]; tcp; tcp = tcp->hash_next) {
			audit_connection(tcp, why);
			audit_room(tcp, why);
		}
}

/* A stack whose connections are all over, TIME-WAIT, too. */
static inline void audit_end(struct ustack *stack, const char **why)
{
	const struct us_stack *s = (struct us_stack *)stack;
	const struct us_tcp_table *table = s->tcp;

	if (table->conns.used)
		audit_fail(why, "connections are left");
	if (table->actives.used || table->sents.used)
		audit_fail(why, "active parts are left");
	if (table->blocks.used)
		audit_fail(why, "receive blocks are left");
	if (table->wait_pool.used)
		audit_fail(why, "TIME-WAIT is left");
	if (s->pkts.used)
		audit_fail(why, "packets are left");
}

#endif /* SELFTESTS_UNIT_TCP_AUDIT_H */
