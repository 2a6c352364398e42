/* SPDX-License-Identifier: MIT */
/*
 * The owner's side of a channel's rings.  Pure: memory and barriers only.  The
 * letters name the barriers of Documentation/uapi.rst.
 */
#ifndef US_LINK_NETCHANNEL_RING_H
#define US_LINK_NETCHANNEL_RING_H

#include <linux/netchannel.h>

#include "core/types.h"

/**
 * struct us_nc_rx - the RX ring
 * @desc: descriptors, written by the kernel.
 * @released: what is given back, written here.
 * @data: bytes of the packets.
 * @size: of @data.
 * @depth: descriptors, a power of two.
 * @next: index of the next one to be looked at.
 * @tail: index of the oldest one not given back.
 * @end: of the packet read last, in @data.
 */
struct us_nc_rx {
	const struct netchannel_rx_desc *desc;
	uint32_t *released;
	uint8_t *data;
	uint64_t size;
	uint32_t depth;
	uint32_t next;
	uint32_t tail;
	uint32_t end;
};

static inline const struct netchannel_rx_desc *
us_nc_rx_at(const struct us_nc_rx *rx, uint32_t index)
{
	return &rx->desc[index & (rx->depth - 1)];
}

/* The next descriptor, or NULL; it stays the next until us_nc_rx_read(). */
static inline const struct netchannel_rx_desc *
us_nc_rx_peek(const struct us_nc_rx *rx)
{
	const uint32_t next = rx->next;
	const struct netchannel_rx_desc *desc = us_nc_rx_at(rx, next);

	/* (A) what the descriptor says is read behind its index */
	if (__atomic_load_n(&desc->seq, __ATOMIC_ACQUIRE) != next + 1)
		return NULL;
	return desc;
}

/* Moves on behind @desc, the one that was peeked, or a copy of it; gives its index. */
static inline uint32_t us_nc_rx_read(struct us_nc_rx *rx,
				     const struct netchannel_rx_desc *desc)
{
	rx->end = desc->offset + desc->length;
	return rx->next++;
}

/* Does the packet lie within the bytes? */
static inline bool us_nc_rx_valid(const struct us_nc_rx *rx,
				  const struct netchannel_rx_desc *desc)
{
	return desc->length && desc->length <= rx->size &&
	       desc->offset <= rx->size - desc->length;
}

/* Gives a descriptor and its bytes back, in any order. */
static inline void us_nc_rx_release(struct us_nc_rx *rx, uint32_t index)
{
	/* (B) our last access to the bytes is before this */
	__atomic_store_n(&rx->released[index & (rx->depth - 1)], index + 1,
			 __ATOMIC_RELEASE);
	while (rx->tail != rx->next &&
	       rx->released[rx->tail & (rx->depth - 1)] == rx->tail + 1)
		rx->tail++;
}

/* Is more than a half of the descriptors or bytes held here? */
static inline bool us_nc_rx_pressure(const struct us_nc_rx *rx)
{
	uint64_t used;

	if (rx->tail == rx->next)
		return false;
	used = rx->end - (uint64_t)us_nc_rx_at(rx, rx->tail)->offset;
	if (used > rx->size)	/* the oldest lies behind the newest */
		used += rx->size;
	return rx->next - rx->tail > rx->depth / 2 || used > rx->size / 2;
}

/**
 * struct us_nc_tx - the TX ring
 * @desc: descriptors, written here.
 * @inlined: NETCHANNEL_TX_INLINE bytes of each.
 * @done: what became of them, written by the kernel.
 * @depth: descriptors, a power of two.
 * @head: index of the next one to be filled.
 * @shown: all before it were shown to the kernel.
 * @tail: index of the oldest one not reaped.
 */
struct us_nc_tx {
	struct netchannel_tx_desc *desc;
	uint8_t *inlined;
	const struct netchannel_tx_done *done;
	uint32_t depth;
	uint32_t head;
	uint32_t shown;
	uint32_t tail;
};

static inline struct netchannel_tx_desc *
us_nc_tx_at(const struct us_nc_tx *tx, uint32_t index)
{
	return &tx->desc[index & (tx->depth - 1)];
}

static inline uint8_t *us_nc_tx_inlined(const struct us_nc_tx *tx, uint32_t index)
{
	return tx->inlined + (size_t)(index & (tx->depth - 1)) *
	       NETCHANNEL_TX_INLINE;
}

/* Room for one more, and @keep others?  What completed has to be reaped for it. */
static inline bool us_nc_tx_room(const struct us_nc_tx *tx, uint32_t keep)
{
	return tx->head - tx->tail + keep < tx->depth;
}

/* The slot at the head is filled in. */
static inline void us_nc_tx_submit(struct us_nc_tx *tx)
{
	tx->head++;
}

/* Shows the kernel what was submitted.  True: there is something to kick for. */
static inline bool us_nc_tx_show(struct us_nc_tx *tx, struct netchannel_ctl *ctl)
{
	if (tx->shown == tx->head)
		return false;
	tx->shown = tx->head;
	/* (D) the slots are written before the head */
	__atomic_store_n(&ctl->tx_head, tx->head, __ATOMIC_RELEASE);
	return true;
}

/* What became of the oldest slot, or NULL if that is open.  us_nc_tx_reap() moves
 * on to the next.
 */
static inline const struct netchannel_tx_done *
us_nc_tx_completed(const struct us_nc_tx *tx)
{
	const uint32_t tail = tx->tail;
	const struct netchannel_tx_done *done;

	if (tail == tx->shown)
		return NULL;
	done = &tx->done[tail & (tx->depth - 1)];
	/* (E) the result, and the kernel's last access to the slot, are before */
	if (__atomic_load_n(&done->seq, __ATOMIC_ACQUIRE) != tail + 1)
		return NULL;
	return done;
}

static inline void us_nc_tx_reap(struct us_nc_tx *tx)
{
	tx->tail++;
}

/*
 * Says what to wake for, before the last look at the rings: either we see what
 * the kernel put there, or it sees that we want to be woken.
 */
static inline void us_nc_want(struct netchannel_ctl *ctl, uint32_t rx_seen,
			      uint32_t wakeup, uint64_t deadline)
{
	__atomic_store_n(&ctl->rx_seen, rx_seen, __ATOMIC_RELAXED);
	__atomic_store_n(&ctl->deadline, deadline, __ATOMIC_RELAXED);
	__atomic_exchange_n(&ctl->wakeup, wakeup, __ATOMIC_SEQ_CST);
#ifndef __SANITIZE_THREAD__	/* which knows no fences */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* (C) (F) */
#endif
}

#endif /* US_LINK_NETCHANNEL_RING_H */
