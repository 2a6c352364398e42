// SPDX-License-Identifier: MIT
/*
 * Reassembly.  Data out of order is copied into blocks of our own at once: it
 * may wait long, and must not hold the link's memory.  It is kept as runs, each
 * a ring of filled blocks; a segment is cut at the runs it overlaps, and what
 * came first stays.
 *
 * Bounds: at most US_TCP_RANGES runs, twice the receive buffer in blocks (a block
 * may hold one byte), and no more of them than are left to others; finding a place is a
 * binary search, and every further step of an insertion joins two runs that an earlier one
 * had made.
 * What does not fit is dropped, counted, and comes again.
 */
#include "transport/tcp_parts.h"

static struct us_tcp_block *block_of(struct us_pkt *pkt)
{
	return us_container(pkt, struct us_tcp_block, pkt);
}

static struct us_pkt *ring_last(struct us_pkt *ring)
{
	return cds_list_entry(ring->node.prev, struct us_pkt, node);
}

/* Appends ring @b to ring @a; either may be NULL. */
static struct us_pkt *ring_join(struct us_pkt *a, struct us_pkt *b)
{
	struct cds_list_head *a_last, *b_last;

	if (!a || !b)
		return a ? a : b;
	a_last = a->node.prev;
	b_last = b->node.prev;
	a_last->next = &b->node;
	b->node.prev = a_last;
	b_last->next = &a->node;
	a->node.prev = b_last;
	return a;
}

#define FEW		8u	/* blocks: some segments behind a hole */
#define STALE_TICKS	(US_TCP_MSEC(60000) >> (US_TCP_TICK_SHIFT - US_TCP_USEC_SHIFT))

/* The last eighth of the blocks is for data in order, which moves on, and the one before it
 * for those who have few.  Of the others a connection leaves as many as it has, so that none
 * can take more than a half.
 */
static bool may_take(const struct us_tcp_table *table, uint32_t held)
{
	uint32_t eighth = table->blocks.count / 8;

	return us_tcp_blocks_left(table) > eighth + (held < FEW ? 0 : eighth + held);
}

static struct us_tcp_reass *get(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->reass || !may_take(tcp->table, 0))
		return a->reass;
	a->reass = us_pool_get(&tcp->table->blocks);
	if (a->reass) {
		a->reass->nr = a->reass->blocks = a->reass->bytes = 0;
		a->reass->since = us_tcp_tick(tcp->table->stack);
	}
	return a->reass;
}

static bool may_grow(const struct us_tcp *tcp)
{
	uint64_t limit = 2ULL * tcp->rcvbuf + 16 * US_TCP_BLOCK;

	return (uint64_t)tcp->active->reass->blocks * US_TCP_BLOCK < limit &&
	       may_take(tcp->table, tcp->active->reass->blocks);
}

/* Copies to the end of a ring, which grows; returns the bytes that found room. */
static uint32_t fill(struct us_tcp *tcp, struct us_pkt **ring,
		     const uint8_t *data, uint32_t len)
{
	struct us_tcp_reass *reass = tcp->active->reass;
	uint32_t done = 0;

	while (done < len) {
		struct us_tcp_block *block = *ring ? block_of(ring_last(*ring)) : NULL;
		uint32_t n;

		if (!block || block->filled == US_TCP_BLOCK_BYTES) {
			block = may_grow(tcp) ? us_tcp_block_get(tcp->table) : NULL;
			if (!block)
				break;
			CDS_INIT_LIST_HEAD(&block->pkt.node);
			*ring = ring_join(*ring, &block->pkt);
			reass->blocks++;
		}
		n = us_min32(len - done, US_TCP_BLOCK_BYTES - block->filled);
		memcpy(block->bytes + block->filled, data + done, n);
		block->filled += n;
		block->pkt.len += n;
		done += n;
	}
	reass->bytes += done;
	return done;
}

/* Index of the first run that ends at @seq or behind it. */
static uint32_t find(const struct us_tcp_reass *reass, uint32_t seq)
{
	uint32_t low = 0, high = reass->nr;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (us_before(reass->range[middle].end, seq))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_range(struct us_tcp_reass *reass, uint32_t index)
{
	reass->nr--;
	memmove(&reass->range[index], &reass->range[index + 1],
		(reass->nr - index) * sizeof(reass->range[0]));
}

/* A run of its own; returns the bytes taken. */
static uint32_t add_range(struct us_tcp *tcp, uint32_t index, uint32_t seq,
			  const uint8_t *data, uint32_t len)
{
	struct us_tcp_reass *reass = tcp->active->reass;
	struct us_pkt *ring = NULL;

	if (reass->nr == US_TCP_RANGES)
		return 0;
	len = fill(tcp, &ring, data, len);
	if (!len)
		return 0;
	memmove(&reass->range[index + 1], &reass->range[index],
		(reass->nr - index) * sizeof(reass->range[0]));
	reass->range[index] = (struct us_tcp_range){ seq, seq + len, ring };
	reass->nr++;
	return len;
}

/* In front of run @index, up to it; all or nothing, for the run must stay whole. */
static uint32_t prepend(struct us_tcp *tcp, uint32_t index, const uint8_t *data,
			uint32_t len)
{
	struct us_tcp_range *range = &tcp->active->reass->range[index];
	struct us_pkt *ring = NULL;
	uint32_t done = fill(tcp, &ring, data, len);

	if (done == len) {
		range->first = ring_join(ring, range->first);
		range->start -= len;
		return len;
	}
	tcp->active->reass->bytes -= done;
	while (ring) {
		struct us_pkt *next = cds_list_entry(ring->node.next,
						     struct us_pkt, node);
		bool only = next == ring;

		cds_list_del(&ring->node);
		us_tcp_pkt_put(tcp->table, ring);
		tcp->active->reass->blocks--;
		ring = only ? NULL : next;
	}
	return 0;
}

/* Behind run @index, up to the next, with which it joins if they now touch. */
static uint32_t append(struct us_tcp *tcp, uint32_t index, const uint8_t *data,
		       uint32_t len)
{
	struct us_tcp_reass *reass = tcp->active->reass;
	struct us_tcp_range *range = &reass->range[index];
	bool more = index + 1 < reass->nr;

	if (more)
		len = us_min32(len, range[1].start - range->end);
	len = fill(tcp, &range->first, data, len);
	range->end += len;
	if (more && range->end == range[1].start) {
		ring_join(range->first, range[1].first);
		range->end = range[1].end;
		remove_range(reass, index + 1);
	}
	return len;
}

/* One step of an insertion; returns how far it came, 0 if there is no room. */
static uint32_t step(struct us_tcp *tcp, uint32_t seq, const uint8_t *data,
		     uint32_t len)
{
	struct us_tcp_reass *reass = tcp->active->reass;
	uint32_t index = find(reass, seq);
	struct us_tcp_range *range = &reass->range[index];

	if (index == reass->nr || us_before(seq + len, range->start))
		return add_range(tcp, index, seq, data, len);
	if (us_before(seq, range->start))
		return prepend(tcp, index, data, range->start - seq);
	if (us_before(seq, range->end))
		return us_min32(len, range->end - seq);	/* have it */
	return append(tcp, index, data, len);
}

static void note(struct us_tcp *tcp, uint32_t seq)
{
	const struct us_tcp_reass *reass = tcp->active->reass;
	uint32_t index = find(reass, seq + 1);

	if (index < reass->nr && !us_after(reass->range[index].start, seq))
		us_tcp_sack_note(tcp, reass->range[index].start,
				 reass->range[index].end);
}

/**
 * us_tcp_reass_insert() - keeps data that came out of order
 * @tcp: active.
 * @seg: trimmed to the window; behind rcv_nxt.
 */
void us_tcp_reass_insert(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	const struct us_tcp_reass *reass = get(tcp);
	struct us_tcp_sack twice = { seg->seq, seg->seq };
	uint32_t done = 0, before, n;

	us_count(tcp->table->stack, tcp_ooo);
	if (!reass) {
		us_count(tcp->table->stack, tcp_ooo_dropped);
		return;
	}
	while (done < seg->len) {
		before = reass->bytes;
		n = step(tcp, seg->seq + done, seg->pkt->data + done,
			 seg->len - done);
		if (!n) {
			us_count(tcp->table->stack, tcp_ooo_dropped);
			break;
		}
		if (reass->bytes == before && twice.start == twice.end)
			twice = (struct us_tcp_sack){ seg->seq + done, seg->seq + done + n };
		done += n;
	}
	us_tcp_dsack_note(tcp, twice.start, twice.end);
	if (reass->nr)
		note(tcp, seg->seq);
	else
		us_tcp_reass_free(tcp);
}

/* Takes the first @skip bytes off a ring that is longer. */
static struct us_pkt *ring_trim(struct us_tcp *tcp, struct us_pkt *ring, uint32_t skip)
{
	while (skip) {
		struct us_pkt *next = cds_list_entry(ring->node.next,
						     struct us_pkt, node);

		if (skip < ring->len) {
			ring->data += skip;
			ring->len -= skip;
			break;
		}
		skip -= ring->len;
		cds_list_del(&ring->node);
		us_tcp_pkt_put(tcp->table, ring);
		tcp->active->reass->blocks--;
		ring = next;
	}
	return ring;
}

static void ring_free(struct us_tcp *tcp, struct us_pkt *ring)
{
	struct us_pkt *last = ring_last(ring), *next;

	for (;; ring = next) {
		next = cds_list_entry(ring->node.next, struct us_pkt, node);
		us_tcp_pkt_put(tcp->table, ring);
		tcp->active->reass->blocks--;
		if (ring == last)
			return;
	}
}

/* Puts a ring at the end of the receive queue. */
static void ring_queue(struct us_tcp *tcp, struct us_pkt *ring)
{
	struct us_pkt *last = ring_last(ring), *next;

	for (;; ring = next) {
		next = cds_list_entry(ring->node.next, struct us_pkt, node);
		us_tcp_rcvq_add(tcp, ring);
		tcp->active->reass->blocks--;
		if (ring == last)
			return;
	}
}

/* Moves what is in order now to the receive queue. */
static void drain(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_reass *reass = a->reass;

	while (reass->nr && !us_after(reass->range[0].start, tcp->rcv_nxt)) {
		struct us_tcp_range range = reass->range[0];
		uint32_t bytes = range.end - range.start;
		uint32_t skip = us_min32(tcp->rcv_nxt - range.start, bytes);

		reass->bytes -= bytes;
		if (skip == bytes) {
			ring_free(tcp, range.first);
		} else {
			ring_queue(tcp, ring_trim(tcp, range.first, skip));
			a->rcv_bytes += bytes - skip;
		}
		tcp->rcv_nxt = us_seq_max(tcp->rcv_nxt, range.end);
		remove_range(reass, 0);
	}
	us_tcp_sack_advance(tcp);
	if (!reass->nr)
		us_tcp_reass_free(tcp);
}

/**
 * us_tcp_reass_drain() - moves what is in order now to the receive queue
 * @tcp: active; rcv_nxt has moved.
 *
 * What fills a gap is acknowledged at once (RFC 5681 4.2).  That comes last: a D-SACK that
 * was not yet told leaves with an ACK of its own, after which none would be due.
 */
us_noinline void us_tcp_reass_drain(struct us_tcp *tcp)
{
	const struct us_tcp_range *first = tcp->active->reass->range;
	uint32_t start = us_seq_min(first->start, tcp->rcv_nxt);
	uint32_t end = us_seq_min(first->end, tcp->rcv_nxt);

	drain(tcp);
	us_tcp_dsack_note(tcp, start, end);
	us_tcp_ack_now(tcp);
}

/**
 * us_tcp_reass_free() - throws all out-of-order data away
 * @tcp: active.
 */
void us_tcp_reass_free(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (!a->reass)
		return;
	while (a->reass->nr)
		ring_free(tcp, a->reass->range[--a->reass->nr].first);
	us_pool_put(&tcp->table->blocks, a->reass);
	a->reass = NULL;
	a->nr_sack = 0;
}

/**
 * us_tcp_reass_fin() - nothing is behind a FIN
 * @tcp: active.
 * @seq: of the FIN.
 *
 * Who has sent something beyond it contradicts himself.  All goes, what is before it is
 * with the peer yet (RFC 2018 8).
 */
void us_tcp_reass_fin(struct us_tcp *tcp, uint32_t seq)
{
	const struct us_tcp_reass *reass = tcp->active->reass;

	if (!reass || !us_after(reass->range[reass->nr - 1].end, seq))
		return;
	us_count(tcp->table->stack, tcp_beyond_fin);
	us_tcp_reass_free(tcp);
}

/**
 * us_tcp_reass_expire() - throws away what has waited for a minute in which nothing in
 *	order came
 * @tcp: active.
 *
 * A peer that leaves a hole and falls silent keeps the blocks from those who need them.
 * One that lives has it all still (RFC 2018 8).
 */
void us_tcp_reass_expire(struct us_tcp *tcp)
{
	uint32_t tick = us_tcp_tick(tcp->table->stack);
	const struct us_tcp_active *a = tcp->active;

	if (us_likely(!a->reass) || tick - a->reass->since < STALE_TICKS ||
	    tick - a->last_data < STALE_TICKS)
		return;
	us_count(tcp->table->stack, tcp_reass_expired);
	us_tcp_reass_free(tcp);
}
