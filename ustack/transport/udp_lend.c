// SPDX-License-Identifier: MIT
/*
 * Lending: the user writes a message into the link's own memory, and reads one where the
 * link or the receive queue has it.  Nothing is copied.
 *
 * Room to write is a chunk that nobody else knows of; what is written there leaves as a
 * train that nothing joins, so it can wait for a link that is full.  A message that is
 * lent to a reader stays in the receive queue, which does not move it: not even when the
 * link runs short.
 */
#include "transport/udp_parts.h"

/* All of @len bytes in one piece, or nothing. */
static struct us_chunk *alloc(const struct us_udp *udp, size_t len)
{
	struct us_chunk *chunk = us_chunk_alloc(udp->dst.link->mem, (uint32_t)len);

	if (chunk && chunk->size < len) {
		us_chunk_put(chunk);
		return NULL;
	}
	if (chunk)
		chunk->len = (uint32_t)len;
	return chunk;
}

/**
 * us_udp_reserve() - lends room for a message to the peer
 * @udp: the port.
 * @len: bytes of the message, not 0.
 * @segment: it is to be cut into datagrams of so many bytes; 0: it is one.
 * @room: set to them.
 *
 * What is to leave before leaves now, so that nothing is in the way of the message later.
 * Return: @len; as us_udp_send(), -EAGAIN if that waits for the link; -EBUSY if some is
 * lent already.
 */
ssize_t us_udp_reserve(struct us_udp *udp, size_t len, uint16_t segment, void **room)
{
	struct us_udp_out out = { .segment = segment };
	int err = us_udp_may_send(udp, len, &out);

	if (!err && udp->room)
		err = -EBUSY;
	if (!err)
		err = us_udp_train_flush(udp);
	if (err)
		return err;
	udp->room = alloc(udp, len);
	if (!udp->room)
		return -ENOBUFS;
	*room = udp->room->data;
	return (ssize_t)len;
}

/**
 * us_udp_has_room() - is there room lent to write into?
 * @udp: the port.
 * @len: so many bytes.
 */
bool us_udp_has_room(const struct us_udp *udp, size_t len)
{
	return udp->room && len <= udp->room->len;
}

/**
 * us_udp_take_back() - the room lent is given back, what is there does not leave
 * @udp: the port; there is room lent.
 */
void us_udp_take_back(struct us_udp *udp)
{
	us_chunk_put(udp->room);
	udp->room = NULL;
}

/* A link sends from its own memory only, and the way may lead to another by now. */
static int move_room(struct us_udp *udp, size_t len)
{
	struct us_chunk *chunk;

	if (udp->room->mem == udp->dst.link->mem)
		return 0;
	chunk = alloc(udp, len);
	if (!chunk)
		return -ENOBUFS;
	memcpy(chunk->data, udp->room->data, len);
	us_udp_take_back(udp);
	udp->room = chunk;
	return 0;
}

/**
 * us_udp_send_room() - sends what was written into the room lent: the loan ends
 * @udp: the port.
 * @len: bytes of the message, not 0, which us_udp_has_room() for.
 * @to: how; it goes to the peer.
 *
 * Where the link is full the message leaves when there is room.
 * Return: 0; as us_udp_send(), -EAGAIN if what is to leave before waits for the link:
 * then the room stays lent.
 */
int us_udp_send_room(struct us_udp *udp, size_t len, const struct us_udp_out *to)
{
	struct us_udp_out out = *to;
	int err = us_udp_may_send(udp, len, &out);
	bool cut = out.segment && out.segment < len;

	if (!err)
		err = us_udp_train_flush(udp);
	if (!err)
		err = move_room(udp, len);
	if (err)
		return err;
	us_udp_train_lent(udp, udp->room, len, cut ? out.segment : (uint16_t)len, out.port);
	udp->room = NULL;
	if (!out.more)
		us_udp_train_flush(udp);	/* or when the link has room */
	return 0;
}

/**
 * us_udp_peek() - lends the next message
 * @udp: the port.
 * @piece: set to its bytes.
 *
 * Return: 1, -EAGAIN, or the pending error.
 */
int us_udp_peek(struct us_udp *udp, struct iovec *piece)
{
	struct us_udp_dgram *dgram;

	if (udp->error)
		return -us_udp_error(udp);
	if (cds_list_empty(&udp->queue))
		return -EAGAIN;
	dgram = cds_list_first_entry(&udp->queue, struct us_udp_dgram, node);
	udp->lent = dgram;
	udp->lent_at = dgram->at;
	udp->lent_len = us_udp_next_message(udp, dgram);
	*piece = (struct iovec){ (void *)(dgram->data + dgram->at), udp->lent_len };
	return 1;
}

/**
 * us_udp_release() - the user has read the message that was lent: it is taken
 * @udp: the port.
 * @len: of the message.
 *
 * Return: 0, -EINVAL if it has another length, or none is lent.
 */
int us_udp_release(struct us_udp *udp, size_t len)
{
	struct us_udp_dgram *dgram = udp->lent;

	/* What was read otherwise meanwhile, be it a part, has ended the loan. */
	if (!dgram || dgram->at != udp->lent_at || len != udp->lent_len)
		return -EINVAL;
	us_udp_take(udp, dgram, (uint32_t)len);
	return 0;
}

/**
 * us_udp_end_loans() - takes back what is lent
 * @udp: the port; what was received stays, and may move again.
 */
void us_udp_end_loans(struct us_udp *udp)
{
	if (udp->room)
		us_udp_take_back(udp);
	udp->lent = NULL;
}
