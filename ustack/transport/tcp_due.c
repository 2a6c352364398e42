// SPDX-License-Identifier: MIT
/*
 * Who is due.  Connections with something to send are queued and served once a poll
 * (us_tcp_flush()), so that small writes leave together and one ACK answers a batch; or
 * they wait for room in a link, or for memory.
 */
#include "transport/tcp_parts.h"

/* Then us_tcp.out is in the listener's SYN queue; its timer will try again. */
static bool in_syn_queue(const struct us_tcp *tcp)
{
	return tcp->state == TCP_SYN_RECV && (tcp->flags & US_TCP_PASSIVE) &&
	       !us_tcp_opened_early(tcp);
}

/**
 * us_tcp_queue() - this connection has something to send in this poll
 * @tcp: in no list, or on one of those for output already.
 */
void us_tcp_queue(struct us_tcp *tcp)
{
	if ((tcp->flags & (US_TCP_QUEUED | US_TCP_PENDING)) || in_syn_queue(tcp))
		return;
	tcp->flags |= US_TCP_QUEUED;
	cds_list_add_tail(&tcp->out, &tcp->table->flush);
}

/**
 * us_tcp_unqueue() - takes a connection off the lists for output
 * @tcp: may be in none.
 */
void us_tcp_unqueue(struct us_tcp *tcp)
{
	if (!(tcp->flags & (US_TCP_QUEUED | US_TCP_PENDING)))
		return;
	cds_list_del_init(&tcp->out);
	tcp->flags &= ~(US_TCP_QUEUED | US_TCP_PENDING);
}

/**
 * us_tcp_pend() - the link is full: waits until it has room
 * @tcp: synchronized.
 */
void us_tcp_pend(struct us_tcp *tcp)
{
	if ((tcp->flags & US_TCP_PENDING) || in_syn_queue(tcp))
		return;
	us_tcp_unqueue(tcp);
	tcp->flags |= US_TCP_PENDING;
	cds_list_add_tail(&tcp->out, &tcp->dst.link->pending);
}

/* Is there memory that is worth waking @tcp for: a third of its share?  With nothing queued
 * no ACK will ever bring it more than there is.
 */
static bool has_memory(const struct us_tcp *tcp)
{
	uint32_t some = us_min32(us_tcp_sndq_bytes(tcp) / 2, US_CHUNK_MAX);

	return us_tcp_sndq_room(tcp) >= us_max32(some, US_CHUNK_MIN);
}

/* Those that waited for memory try again, if there is some. */
static us_noinline void wake_memory(struct us_tcp_table *table)
{
	struct us_tcp_active *a, *next;
	struct us_tcp *tcp;

	cds_list_for_each_entry_safe(a, next, &table->mem_wait, mem_wait) {
		tcp = a->owner;
		if (!has_memory(tcp))
			continue;
		cds_list_del_init(&a->mem_wait);
		tcp->flags &= ~US_TCP_MEM_WAIT;
		us_tcp_notify(tcp);
	}
}

/**
 * us_tcp_due() - has us_tcp_flush() anything to do for those who called?
 * @stack: the stack.
 */
bool us_tcp_due(const struct us_stack *stack)
{
	const struct cds_list_head *flush = &stack->tcp->flush;

	return flush->next != flush;
}

static void flush_one(struct us_tcp *tcp)
{
	us_tcp_unqueue(tcp);
	us_tcp_output(tcp);
}

static void flush_end(struct us_tcp_table *table)
{
	if (!cds_list_empty(&table->mem_wait))
		wake_memory(table);
	us_tcp_reap(table);
}

/**
 * us_tcp_flush() - sends what became due in this poll
 * @stack: the stack.
 */
void us_tcp_flush(struct us_stack *stack)
{
	struct cds_list_head *flush = &stack->tcp->flush;

	while (!cds_list_empty(flush))
		flush_one(cds_list_first_entry(flush, struct us_tcp, out));
	flush_end(stack->tcp);
}

/**
 * us_tcp_flush_for_reader() - the same, at the end of a call that waited for something
 *	to come
 * @stack: the stack.
 *
 * The ACK of a message waits for the next call: that may be the answer, which carries
 * it, and any other that waits lets it out.
 */
void us_tcp_flush_for_reader(struct us_stack *stack)
{
	struct cds_list_head *flush = &stack->tcp->flush;
	CDS_LIST_HEAD(due);

	cds_list_splice(flush, &due);
	CDS_INIT_LIST_HEAD(flush);
	while (!cds_list_empty(&due)) {
		struct us_tcp *tcp = cds_list_first_entry(&due, struct us_tcp, out);

		if (us_tcp_ack_may_wait(tcp))
			cds_list_move(&tcp->out, flush);
		else
			flush_one(tcp);
	}
	flush_end(stack->tcp);
}

/**
 * us_tcp_link_writable() - a link that was full has room
 * @stack: the stack.
 * @link: the link.
 */
void us_tcp_link_writable(struct us_stack *stack, struct us_link *link)
{
	struct us_tcp *tcp, *last;

	if (cds_list_empty(&link->pending))
		return;
	last = cds_list_entry(link->pending.prev, struct us_tcp, out);
	do {
		tcp = cds_list_first_entry(&link->pending, struct us_tcp, out);
		us_tcp_unqueue(tcp);
		us_tcp_output(tcp);
		if (tcp->flags & US_TCP_PENDING)
			break;		/* full again */
	} while (tcp != last);
	us_tcp_reap(stack->tcp);
}
