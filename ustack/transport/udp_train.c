// SPDX-License-Identifier: MIT
/*
 * Trains: datagrams of one size to one destination that leave as one packet, which the
 * link cuts, or one by one where it cannot.  Only the last one may be shorter.
 */
#include "transport/udp_parts.h"

/* Of which size a link cuts: what is smaller costs it more than it saves. */
#define CUT_LEAST	48u

static bool link_cuts(const struct us_udp *udp)
{
	return udp->dst.link->flags & US_LINK_GSO_UDP && udp->train.each >= CUT_LEAST;
}

static void put_payload(struct us_tx *tx, const struct us_udp_train *t, uint32_t bytes)
{
	if (bytes > tx->inline_cap - tx->inline_len) {
		tx->frag[tx->nr_frags++] = (struct us_frag){ t->chunk, t->at, bytes };
		return;
	}
	memcpy(tx->head + tx->inline_len, t->chunk->data + t->at, bytes);
	tx->inline_len += bytes;
}

/* One packet: all that is left, or the next datagram. */
static bool transmit(struct us_udp *udp)
{
	struct us_tx *tx = us_udp_slot(udp);
	struct us_udp_train *t = &udp->train;
	uint32_t bytes = t->len - t->at;

	if (!tx)
		return false;
	if (bytes > t->each) {
		if (link_cuts(udp)) {
			tx->gso = US_GSO_UDP;
			tx->gso_size = t->each;
		} else {
			bytes = t->each;
		}
	}
	us_udp_write_header(udp, tx, t->port, bytes);
	put_payload(tx, t, bytes);
	us_udp_submit(udp, tx);
	t->at += bytes;
	return true;
}

static void end(struct us_udp_train *t)
{
	us_chunk_put(t->chunk);
	cds_list_del_init(&t->node);
	/* What one that left alone was followed by is no single one. */
	t->alone = !t->alone && t->len <= t->each;
	t->chunk = NULL;
	t->room = 0;	/* nothing joins */
	t->to_peer = false;
}

/**
 * us_udp_train_flush() - lets a port's train out
 * @udp: the port.
 *
 * Return: 0; -EAGAIN if the link is full: the rest leaves when it has room.
 */
int us_udp_train_flush(struct us_udp *udp)
{
	struct us_udp_train *t = &udp->train;

	if (!t->chunk)
		return 0;
	while (t->at < t->len)
		if (!transmit(udp)) {
			us_udp_wait(udp);
			return -EAGAIN;
		}
	end(t);
	return 0;
}

/**
 * us_udp_train_end() - lets a port's train out now, or never
 * @udp: the port; what its link has no room for is lost.
 */
void us_udp_train_end(struct us_udp *udp)
{
	if (!us_udp_train_flush(udp))
		return;
	us_count(udp->stack, udp_out_lost);
	end(&udp->train);
}

/* The address is that of udp->dst. */
static inline void begin(struct us_udp *udp, struct us_chunk *chunk, size_t len, size_t room,
			 uint16_t each, uint16_t port)
{
	struct us_udp_train *t = &udp->train;

	*t = (struct us_udp_train){
		.node = t->node,
		.chunk = chunk,
		.len = (uint32_t)len,
		.room = (uint32_t)room,
		.each = each,
		.port = port,
		.to_peer = udp->connected && !udp->special && port == udp->remote_port &&
			   us_addr_equal(&udp->remote, &udp->dst.remote),
		.alone = t->alone,
	};
	cds_list_add_tail(&t->node, &udp->stack->udp->trains);
}

/**
 * us_udp_train_begin() - the first datagrams of a train
 * @udp: the port, which has none, and a way.
 * @data: copied.
 * @len: of @data.
 * @most: bytes that the train may have in the end.
 * @each: bytes of a datagram.
 * @port: of the destination, network byte order.
 *
 * Return: bytes taken, less than @len where memory is in small pieces; -ENOBUFS.
 */
ssize_t us_udp_train_begin(struct us_udp *udp, const void *data, size_t len, size_t most,
			   uint16_t each, uint16_t port)
{
	struct us_chunk *chunk = us_chunk_alloc(udp->dst.link->mem, (uint32_t)most);

	if (!chunk)
		return -ENOBUFS;
	if (most > chunk->size)
		most = chunk->size;
	if (len > most)
		len = most / each * each;
	if (!len) {
		us_chunk_put(chunk);
		return -ENOBUFS;
	}
	memcpy(chunk->data, data, len);
	begin(udp, chunk, len, len % each ? len : most / each * each, each, port);
	return (ssize_t)len;
}

/**
 * us_udp_train_lent() - a message that the user wrote in place is a train, which is full
 * @udp: the port, which has none, and a way.
 * @chunk: of the link's memory; the reference becomes the train's.
 * @len: bytes of the message, from the start of @chunk on; not 0.
 * @each: bytes of a datagram.
 * @port: of the destination, network byte order.
 */
void us_udp_train_lent(struct us_udp *udp, struct us_chunk *chunk, size_t len, uint16_t each,
		       uint16_t port)
{
	begin(udp, chunk, len, len, each, port);
}

/* Could it be the next one of a train? */
static bool goes_with(const struct us_udp_train *t, size_t len, uint16_t port)
{
	return len && len <= t->each && port == t->port;
}

/**
 * us_udp_train_join() - one more datagram
 * @udp: the port.
 * @data: copied.
 * @len: of @data.
 * @port: of its destination, network byte order; the address is that of udp->dst.
 *
 * Return: it is the train's; false: it does not fit there.
 */
bool us_udp_train_join(struct us_udp *udp, const void *data, size_t len, uint16_t port)
{
	struct us_udp_train *t = &udp->train;

	if (!goes_with(t, len, port) || t->len + len > t->room)
		return false;
	memcpy(t->chunk->data + t->len, data, len);
	t->len += (uint32_t)len;
	if (len < t->each)
		t->room = t->len;	/* that was the last one */
	return true;
}

/**
 * us_udp_train_spared() - does a datagram leave at once, though others may follow?
 * @udp: the port, which has no train.
 * @len: of the datagram.
 * @port: of its destination, network byte order; the address is that of udp->dst.
 *
 * Return: none followed the last one, nor is this the one that follows it: a train would
 * be work for nothing.
 */
bool us_udp_train_spared(const struct us_udp *udp, size_t len, uint16_t port)
{
	const struct us_udp_train *t = &udp->train;

	return t->alone && !(udp->flushes == udp->stack->udp->flushes &&
			     goes_with(t, len, port));
}

/**
 * us_udp_train_passed() - keeps in mind what left without a train
 * @udp: the port.
 * @len: of the datagram.
 * @port: of its destination, network byte order.
 * @alone: us_udp_train_spared() of it.
 */
void us_udp_train_passed(struct us_udp *udp, size_t len, uint16_t port, bool alone)
{
	struct us_udp_train *t = &udp->train;

	if (!t->alone)
		return;		/* the next one that others may follow begins a train */
	t->each = (uint16_t)len;
	t->port = port;
	t->alone = alone;
}

/**
 * us_udp_waits() - are there datagrams that wait for others?
 * @stack: the stack.
 *
 * Return: true if so.
 */
bool us_udp_waits(const struct us_stack *stack)
{
	return !cds_list_empty(&stack->udp->trains);
}

static us_noinline void flush_trains(struct us_udp_table *table)
{
	struct us_udp *udp, *next;

	cds_list_for_each_entry_safe(udp, next, &table->trains, train.node)
		if (cds_list_empty(&udp->waiting))
			us_udp_train_flush(udp);
}

/**
 * us_udp_flush() - lets out the datagrams that wait for others
 * @stack: the stack.
 */
void us_udp_flush(struct us_stack *stack)
{
	if (us_unlikely(us_udp_waits(stack)))
		flush_trains(stack->udp);
	stack->udp->flushes++;
}
