// SPDX-License-Identifier: MIT
/*
 * The receive queue: payload in order.  Its members are struct us_pkt: packets
 * that a link lends, or blocks of our own (pkt.link is NULL).  Small segments
 * are copied at once, so that many of them do not hold many packets; large ones, and
 * the end of a train of these, stay in the link's memory until they are read, unless
 * that runs short.
 *
 * Blocks are shared by all connections.  One may use as much as is free, so that
 * some that nobody reads leave something to the others; its window follows.  A
 * packet is held only if there are blocks to copy it into later.  The last eighth of
 * the blocks is for connections that have little unread, and is filled, not promised.
 */
#include "transport/tcp_parts.h"
#include "transport/udp_parts.h"

#define COPY_BELOW	512u	/* bytes of payload */
#define SHARE_MIN	16384u	/* bytes that a connection may always have unread */

static struct us_tcp_block *block_of(struct us_pkt *pkt)
{
	return us_container(pkt, struct us_tcp_block, pkt);
}

/**
 * us_tcp_blocks_left() - blocks that are neither in use nor promised
 * @table: whose pool.
 */
uint32_t us_tcp_blocks_left(const struct us_tcp_table *table)
{
	return table->blocks.count - table->blocks.used - table->promised;
}

/* Blocks that so many bytes fill, or begin to. */
static uint32_t blocks_for(uint32_t len)
{
	return (len + US_TCP_BLOCK_BYTES - 1) / US_TCP_BLOCK_BYTES;
}

/**
 * us_tcp_block_get() - an empty block
 * @table: whose pool; us_tcp_blocks_left() said that there is one.
 *
 * Return: the block; NULL if the pool is exhausted.
 */
struct us_tcp_block *us_tcp_block_get(struct us_tcp_table *table)
{
	struct us_tcp_block *block = us_pool_get(&table->blocks);

	if (!block)
		return NULL;
	/* Of a packet, what a receive queue asks a block for. */
	block->pkt.link = NULL;
	block->pkt.data = block->bytes;
	block->pkt.len = 0;
	block->pkt.lent = false;
	block->filled = 0;
	return block;
}

/**
 * us_tcp_pkt_put() - gives a member of a receive queue back
 * @table: its table.
 * @pkt: a link's packet or a block.
 */
void us_tcp_pkt_put(struct us_tcp_table *table, struct us_pkt *pkt)
{
	if (pkt->link) {
		table->promised -= pkt->blocks;
		us_pkt_put(pkt);
	} else {
		us_pool_put(&table->blocks, block_of(pkt));
	}
}

static struct us_pkt *first(const struct us_tcp_active *a)
{
	return cds_list_empty((struct cds_list_head *)&a->rcvq) ? NULL :
	       cds_list_entry(a->rcvq.next, struct us_pkt, node);
}

static struct us_pkt *last(const struct us_tcp_active *a)
{
	return cds_list_empty((struct cds_list_head *)&a->rcvq) ? NULL :
	       cds_list_entry(a->rcvq.prev, struct us_pkt, node);
}

/* Copies into blocks; false, with nothing done, if @left are not enough. */
static bool copy_in(struct us_tcp *tcp, const uint8_t *data, uint32_t len,
		    uint32_t left)
{
	struct us_tcp_table *table = tcp->table;
	struct us_tcp_active *a = tcp->active;
	struct us_pkt *tail = last(a);
	struct us_tcp_block *block = tail && !tail->link ? block_of(tail) : NULL;
	uint32_t room = block ? US_TCP_BLOCK_BYTES - block->filled : 0;

	if (len > room && blocks_for(len - room) > left)
		return false;
	while (len) {
		uint32_t n;

		if (!block || block->filled == US_TCP_BLOCK_BYTES) {
			block = us_tcp_block_get(table);
			cds_list_add_tail(&block->pkt.node, &a->rcvq);
		}
		n = us_min32(len, US_TCP_BLOCK_BYTES - block->filled);
		memcpy(block->bytes + block->filled, data, n);
		block->filled += n;
		block->pkt.len += n;
		data += n;
		len -= n;
	}
	return true;
}

/* Blocks for all: the last eighth is for connections that have little unread. */
static uint32_t common_blocks(const struct us_tcp_table *table)
{
	uint32_t left = us_tcp_blocks_left(table), kept = table->blocks.count / 8;

	return left > kept ? left - kept : 0;
}

/* May packets stay in the link's memory?  Each is promised blocks of its own: not the last. */
static bool may_hold(const struct us_tcp_table *table, const struct us_pkt *pkt,
		     uint32_t blocks)
{
	const struct us_pool *pkts = &table->stack->pkts;

	return pkts->used < pkts->count / 2 && blocks <= common_blocks(table) &&
	       !us_link_pressure(pkt->link);
}

/* Blocks that copies may take. */
static uint32_t blocks_to_fill(const struct us_tcp *tcp)
{
	return tcp->active->rcv_bytes < SHARE_MIN ? us_tcp_blocks_left(tcp->table) :
						    common_blocks(tcp->table);
}

static void hold(struct us_tcp *tcp, struct us_pkt *pkt)
{
	struct us_tcp_active *a = tcp->active;

	pkt->blocks = (uint16_t)blocks_for(pkt->len);
	tcp->table->promised += pkt->blocks;
	cds_list_add_tail(&pkt->node, &a->rcvq);
	if (cds_list_empty(&a->held))
		cds_list_add_tail(&a->held, &tcp->table->held);
}

/**
 * us_tcp_rcvq_holds() - would packets stay in the link's memory?
 * @tcp: active.
 * @seg: the first one and those behind it.
 * @behind: these.
 */
bool us_tcp_rcvq_holds(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_behind *behind)
{
	return may_hold(tcp->table, seg->pkt, blocks_for(seg->pkt->len) +
			behind->count * blocks_for(behind->size));
}

/* The first one and those behind it: us_tcp_rcvq_holds() said that they may stay. */
static us_noinline void hold_all(struct us_tcp *tcp, struct us_pkt *first)
{
	struct us_behind *behind = &tcp->table->stack->behind;
	struct us_pkt *pkt, *next;

	hold(tcp, first);
	cds_list_for_each_entry_safe(pkt, next, &behind->pkts, node)
		hold(tcp, pkt);
	us_behind_empty(behind);
}

/**
 * us_tcp_rcvq_append() - queues the payload of a segment, the next in order
 * @tcp: active.
 * @seg: trimmed to what is new; its packet is taken or copied.
 *
 * Return: false, with nothing done, if there is no memory for it: the peer will
 * send it again.
 */
bool us_tcp_rcvq_append(struct us_tcp *tcp, struct us_tcp_segment *seg)
{
	struct us_pkt *pkt = seg->pkt;
	bool small = seg->len < COPY_BELOW;

	if (us_unlikely(pkt->len < seg->len)) {
		hold_all(tcp, pkt);
		seg->pkt = NULL;
	} else if (!small && may_hold(tcp->table, pkt, blocks_for(seg->len))) {
		hold(tcp, pkt);
		seg->pkt = NULL;
	} else if (!copy_in(tcp, pkt->data, seg->len, blocks_to_fill(tcp))) {
		us_count(tcp->table->stack, tcp_rcv_dropped);
		return false;
	}
	tcp->active->rcv_bytes += seg->len;
	return true;
}

/**
 * us_tcp_rcvq_add() - queues a block whose bytes are in order now
 * @tcp: active.
 * @pkt: the block.  What is in it, perhaps one byte, goes into the last one of the queue if
 *	that has room: of two neighbours a half is filled.
 */
void us_tcp_rcvq_add(struct us_tcp *tcp, struct us_pkt *pkt)
{
	if (copy_in(tcp, pkt->data, pkt->len, 0))
		us_tcp_pkt_put(tcp->table, pkt);
	else
		cds_list_add_tail(&pkt->node, &tcp->active->rcvq);
}

/**
 * us_tcp_rcv_room() - the window that could be advertised now
 * @tcp: the connection.
 *
 * Return: bytes: room in the receive queue and the connection's share of the
 * blocks, as much of it as the header's field can tell.
 */
uint32_t us_tcp_rcv_room(const struct us_tcp *tcp)
{
	uint32_t used = tcp->active ? tcp->active->rcv_bytes : 0;
	uint64_t share = (uint64_t)common_blocks(tcp->table) * US_TCP_BLOCK_BYTES;
	uint32_t most = tcp->rcvbuf;

	if (share < most)
		most = us_min32(most, us_max32((uint32_t)share, SHARE_MIN));
	return us_min32(most > used ? most - used : 0,
			(uint32_t)UINT16_MAX << tcp->rcv_wscale);
}

static us_noinline bool may_double(const struct us_tcp *tcp, uint32_t now)
{
	uint32_t space = us_tcp_rcv_room(tcp);

	return space >= 2 * now &&
	       space - now >= us_min32(tcp->rcvbuf / 2, tcp->adv_mss);
}

/* Is there so much more room that the peer should be told?  Where more than a half is open,
 * there is not.
 */
static bool has_grown(const struct us_tcp *tcp)
{
	uint32_t now = us_tcp_rcv_wnd(tcp);

	return now <= tcp->rcvbuf / 2 && may_double(tcp, now);
}

/* Of what was promised for the packet that comes first, what it needs no longer. */
static void promise_less(struct us_tcp *tcp)
{
	struct us_pkt *pkt = first(tcp->active);
	uint16_t blocks;

	if (!pkt || !pkt->link)
		return;
	blocks = (uint16_t)blocks_for(pkt->len);
	tcp->table->promised -= pkt->blocks - blocks;
	pkt->blocks = blocks;
}

/**
 * us_tcp_was_read() - the user has read: does the peer want to know?
 * @tcp: active.
 *
 * As Linux: when the window can at least double; or when all was read that the
 * peer pushed, in one direction only: it may be waiting for just this ACK.
 */
us_noinline void us_tcp_was_read(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	bool wanted = a->pushed && !a->pingpong && !a->rcv_bytes &&
		      us_tcp_timer_armed(tcp, US_TCP_TIMER_DELACK);

	promise_less(tcp);
	if ((tcp->flags & US_TCP_FIN_RCVD) || tcp->state == TCP_CLOSE ||
	    (!wanted && !has_grown(tcp)))
		return;
	tcp->flags |= US_TCP_ACK_NOW;
	us_tcp_queue(tcp);
}

static void shorten(struct us_tcp *tcp, struct us_pkt *pkt, uint32_t len)
{
	pkt->data += len;
	pkt->len -= len;
	tcp->active->rcv_bytes -= len;
}

/* All of it was read. */
static us_noinline void let_go(struct us_tcp *tcp, struct us_pkt *pkt)
{
	struct us_tcp_active *a = tcp->active;

	cds_list_del(&pkt->node);
	us_tcp_pkt_put(tcp->table, pkt);
	if (cds_list_empty(&a->rcvq))
		cds_list_del_init(&a->held);
}

static void consume(struct us_tcp *tcp, struct us_pkt *pkt, uint32_t len)
{
	shorten(tcp, pkt, len);
	if (!pkt->len)
		let_go(tcp, pkt);
}

/**
 * us_tcp_rcvq_in_piece() - do the bytes that come first lie in one piece?
 * @a: whose queue.
 * @len: bytes wished for.
 *
 * Return: true if all of @len do, or all that there are.
 */
bool us_tcp_rcvq_in_piece(const struct us_tcp_active *a, size_t len)
{
	const struct us_pkt *pkt = first(a);

	return pkt && (len <= pkt->len || a->rcv_bytes == pkt->len);
}

/**
 * us_tcp_rcvq_piece() - takes bytes of what came first
 * @tcp: active; us_tcp_rcvq_in_piece().
 * @data: goes there.
 * @len: of @data.
 *
 * Return: bytes: @len, or all that there are.
 */
size_t us_tcp_rcvq_piece(struct us_tcp *tcp, void *data, size_t len)
{
	struct us_pkt *pkt = first(tcp->active);

	if (len > pkt->len)
		len = pkt->len;
	memcpy(data, pkt->data, len);
	consume(tcp, pkt, (uint32_t)len);
	return len;
}

/**
 * us_tcp_rcvq_read() - copies bytes to the user
 * @tcp: active.
 * @data: goes there.
 * @len: of @data.
 * @skip: bytes in the queue to pass over first.
 * @peek: leave them in the queue.
 *
 * Return: bytes copied.
 */
uint32_t us_tcp_rcvq_read(struct us_tcp *tcp, void *data, size_t len,
			  uint32_t skip, bool peek)
{
	struct us_pkt *pkt, *next;
	uint32_t done = 0;

	if (len > INT32_MAX)
		len = INT32_MAX;
	cds_list_for_each_entry_safe(pkt, next, &tcp->active->rcvq, node) {
		uint32_t from = us_min32(skip, pkt->len);
		uint32_t n = us_min32((uint32_t)len - done, pkt->len - from);

		if (!n && !from)
			break;
		memcpy((uint8_t *)data + done, pkt->data + from, n);
		done += n;
		skip -= from;
		if (!peek)
			consume(tcp, pkt, from + n);
	}
	return done;
}

/**
 * us_tcp_rcvq_lend() - shows the user bytes where they lie
 * @tcp: active.
 * @pieces: filled in.
 * @count: of @pieces.
 * @skip: bytes in the queue to pass over first.
 * @len: bytes, at most.
 * @lent: set to the bytes in @pieces; they stay where they are until they are read
 *	or dropped.
 *
 * Return: pieces.
 */
uint32_t us_tcp_rcvq_lend(struct us_tcp *tcp, struct iovec *pieces, uint32_t count,
			  uint32_t skip, uint32_t len, uint32_t *lent)
{
	uint32_t done = 0, n = 0;
	struct us_pkt *pkt;

	cds_list_for_each_entry(pkt, &tcp->active->rcvq, node) {
		uint32_t from = us_min32(skip, pkt->len);
		uint32_t bytes = us_min32(len - done, pkt->len - from);

		if (done == len || n == count)
			break;
		pkt->lent = true;
		skip -= from;
		if (!bytes)
			continue;
		pieces[n++] = (struct iovec){ pkt->data + from, bytes };
		done += bytes;
	}
	*lent = done;
	return n;
}

/**
 * us_tcp_rcvq_lent() - are there bytes that the user reads in place?
 * @tcp: active.
 */
bool us_tcp_rcvq_lent(const struct us_tcp *tcp)
{
	const struct us_pkt *pkt = first(tcp->active);

	return pkt && pkt->lent;
}

/**
 * us_tcp_rcvq_drop() - throws bytes away, which the user has read
 * @tcp: active.
 * @len: so many, at most us_tcp_active.rcv_bytes.
 */
void us_tcp_rcvq_drop(struct us_tcp *tcp, uint32_t len)
{
	while (len) {
		struct us_pkt *pkt = first(tcp->active);
		uint32_t n = us_min32(len, pkt->len);

		consume(tcp, pkt, n);
		len -= n;
	}
}

/* Gives packets back to their links: copies them into what was promised.  Those that
 * the user reads in place stay.
 */
static us_noinline void copy_out(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct us_pkt *pkt, *next;
	bool kept = false;
	CDS_LIST_HEAD(queue);

	cds_list_splice(&a->rcvq, &queue);
	CDS_INIT_LIST_HEAD(&a->rcvq);
	cds_list_for_each_entry_safe(pkt, next, &queue, node) {
		if (!pkt->link || pkt->lent) {
			kept = kept || pkt->link;
			cds_list_add_tail(&pkt->node, &a->rcvq);
			continue;
		}
		copy_in(tcp, pkt->data, pkt->len, blocks_for(pkt->len));
		us_tcp_pkt_put(tcp->table, pkt);
	}
	if (!kept)
		cds_list_del_init(&a->held);
}

static bool under_pressure(const struct us_stack *stack)
{
	struct us_link *link;

	if (stack->pkts.used >= stack->pkts.count / 2)
		return true;
	cds_list_for_each_entry(link, &stack->links, node)
		if (us_link_pressure(link))
			return true;
	return false;
}

/**
 * us_tcp_rcvq_pressure() - copies out what is held, by UDP too, if a link runs
 *	short
 * @stack: the stack; called once a poll.
 *
 * A link may give memory back in order only, so that one slow reader would stop
 * all others: whoever holds packets copies.  Readers in place were told to be quick.
 */
void us_tcp_rcvq_pressure(struct us_stack *stack)
{
	struct us_tcp_table *table = stack->tcp;
	struct us_tcp_active *a, *next;
	bool none = cds_list_empty(&table->held) &&
		    (!stack->udp || cds_list_empty(&stack->udp->held));

	if (none || !under_pressure(stack))
		return;
	cds_list_for_each_entry_safe(a, next, &table->held, held)
		copy_out(a->owner);
	if (stack->udp)
		us_udp_copy_out(stack);
}

/**
 * us_tcp_rcvq_free() - throws the queue away
 * @tcp: active.
 */
void us_tcp_rcvq_free(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct us_pkt *pkt, *next;

	cds_list_for_each_entry_safe(pkt, next, &a->rcvq, node)
		us_tcp_pkt_put(tcp->table, pkt);
	CDS_INIT_LIST_HEAD(&a->rcvq);
	cds_list_del_init(&a->held);
	a->rcv_bytes = 0;
}
