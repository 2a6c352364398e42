/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The RX ring: descriptors over a ring of contiguous bytes.
 *
 * This header is pure: no skb, no lock, no allocation.  It compiles in user
 * space too, after a shim has defined u8, u32, bool, READ_ONCE(),
 * smp_load_acquire() and smp_store_release().
 *
 * Whoever calls serialises nc_ring_reserve(), nc_ring_reclaim() and the
 * queries but nc_ring_readable(), which runs outside that lock; so does
 * nc_ring_publish(), once for each reservation.
 * Nothing here believes a shared word: @released is read once and compared, and
 * what a slot holds is known from private memory.
 */
#ifndef _NC_RING_H
#define _NC_RING_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <asm/barrier.h>
#endif

#define NC_RING_ALIGN	64u	/* NETCHANNEL_RX_ALIGN */
#define NC_RING_STEPS	64u	/* slots looked at with the lock held, at most */

/**
 * struct nc_ring_slot - what the kernel knows of a descriptor
 * @extent: bytes taken from the byte ring, with what was skipped at its end.
 * @published: the packet is there (release), so the slot may be given back.
 */
struct nc_ring_slot {
	u32 extent;
	u32 published;
};

/**
 * struct nc_ring - descriptors and bytes, both handed out in order
 * @depth: descriptors, a power of two.
 * @size: bytes, a multiple of NC_RING_ALIGN.
 * @head: index of the next descriptor to be reserved.
 * @tail: index of the oldest one not reclaimed.
 * @next: offset of the next byte to be reserved.
 * @used: bytes reserved.
 * @slot: private state of each descriptor.
 * @released: shared, written by the owner: see uapi, rx_released.
 */
struct nc_ring {
	u32 depth;
	u32 size;
	u32 head;
	u32 tail;
	u32 next;
	u32 used;
	struct nc_ring_slot *slot;
	const u32 *released;
};

/**
 * enum nc_ring_verdict - outcome of a reservation
 * @NC_RING_OK: reserved
 * @NC_RING_NO_DESC: no free descriptor
 * @NC_RING_NO_BYTES: not enough contiguous bytes
 * @NC_RING_BROKEN: the owner wrote an impossible index
 */
enum nc_ring_verdict {
	NC_RING_OK,
	NC_RING_NO_DESC,
	NC_RING_NO_BYTES,
	NC_RING_BROKEN,
};

/**
 * nc_ring_initial() - the first value of seq, released and done of a slot
 * @slot: number of the slot.
 * @depth: of the ring.
 *
 * Return: what the lap before the first one would have left there.
 */
static inline u32 nc_ring_initial(u32 slot, u32 depth)
{
	return slot + 1 - depth;
}

/**
 * nc_ring_slot() - private state of an index
 * @ring: the ring.
 * @index: running index.
 *
 * Return: its slot.
 */
static inline struct nc_ring_slot *nc_ring_slot(const struct nc_ring *ring,
						u32 index)
{
	return &ring->slot[index & (ring->depth - 1)];
}

/**
 * nc_ring_reclaim() - take back the consecutive prefix that was released
 * @ring: the ring, locked.
 *
 * NC_RING_STEPS slots at most: whoever releases more at once makes not one
 * packet pay for all of them.
 *
 * Return: false if the owner wrote an index that it cannot mean.
 */
static inline bool nc_ring_reclaim(struct nc_ring *ring)
{
	u32 steps;

	for (steps = 0; steps < NC_RING_STEPS && ring->tail != ring->head;
	     steps++) {
		struct nc_ring_slot *slot = nc_ring_slot(ring, ring->tail);
		u32 word;

		/* (G) the producer of the slot is done with its bytes */
		if (!smp_load_acquire(&slot->published))
			break;
		/* (B) and so is the owner */
		word = smp_load_acquire(&ring->released[ring->tail &
							(ring->depth - 1)]);
		if (word == ring->tail + 1 - ring->depth)
			break;
		if (word != ring->tail + 1)
			return false;
		ring->used -= slot->extent;
		ring->tail++;
	}
	return true;
}

/* Where a packet goes, and what of the ring it takes there. */
static inline u32 nc_ring_place(const struct nc_ring *ring, u32 length,
				u32 *offset)
{
	u32 extent = (length + NC_RING_ALIGN - 1) & ~(NC_RING_ALIGN - 1);
	u32 at = ring->used ? ring->next : 0;

	if (extent > ring->size - at) {
		extent += ring->size - at;
		at = 0;
	}
	*offset = at;
	return extent;
}

/**
 * nc_ring_reserve() - take a descriptor and bytes for a packet
 * @ring: the ring, locked.
 * @length: bytes of the packet, 1..NETCHANNEL_RX_PACKET_MAX.
 * @index: out: running index of the descriptor.
 * @offset: out: of the packet's first byte.
 *
 * Return: NC_RING_OK, or why not.
 */
static inline enum nc_ring_verdict nc_ring_reserve(struct nc_ring *ring,
						   u32 length, u32 *index,
						   u32 *offset)
{
	struct nc_ring_slot *slot;
	u32 extent, at, tail;

	/* More than once only for what this packet needs. */
	do {
		tail = ring->tail;
		if (!nc_ring_reclaim(ring))
			return NC_RING_BROKEN;
		extent = nc_ring_place(ring, length, &at);
	} while (extent > ring->size - ring->used && ring->tail != tail);
	if (ring->head - ring->tail >= ring->depth)
		return NC_RING_NO_DESC;
	if (extent > ring->size - ring->used)
		return NC_RING_NO_BYTES;
	slot = nc_ring_slot(ring, ring->head);
	slot->extent = extent;
	WRITE_ONCE(slot->published, 0);
	ring->used += extent;
	ring->next = at + ((length + NC_RING_ALIGN - 1) & ~(NC_RING_ALIGN - 1));
	*index = ring->head;
	*offset = at;
	/* Who sees the new head sees that the slot is not published. */
	smp_store_release(&ring->head, ring->head + 1);
	return NC_RING_OK;
}

/**
 * nc_ring_publish() - the packet of a reservation is written
 * @ring: the ring, not locked.
 * @index: from nc_ring_reserve().
 * @seq: shared word of the descriptor.
 *
 * The private flag comes first: once @seq is visible the owner may release the
 * slot, and the next producer may want it at once.
 */
static inline void nc_ring_publish(struct nc_ring *ring, u32 index, u32 *seq)
{
	/* (G) our last access to the bytes is before this */
	smp_store_release(&nc_ring_slot(ring, index)->published, 1);
	/* (A) descriptor and bytes are visible before the index */
	smp_store_release(seq, index + 1);
}

/**
 * nc_ring_pending() - is a reservation not yet published?
 * @ring: the ring, locked.
 * @index: in: the first reservation to consider; out: how far all are published.
 *	After NC_RING_STEPS of them that is not as far as @head.
 * @head: consider only what was reserved before this index.
 *
 * Return: true if a producer may still be writing: ask again.
 */
static inline bool nc_ring_pending(const struct nc_ring *ring, u32 *index,
				   u32 head)
{
	u32 steps;

	/* What was reclaimed was published. */
	if ((s32)(ring->tail - *index) > 0)
		*index = ring->tail;
	for (steps = 0; (s32)(head - *index) > 0; steps++, ++*index) {
		if (steps == NC_RING_STEPS)
			return true;
		/* (G) what was published is published entirely */
		if (!smp_load_acquire(&nc_ring_slot(ring, *index)->published))
			return true;
	}
	return false;
}

/**
 * nc_ring_readable() - is there a descriptor at or beyond an index?
 * @ring: the ring, not locked.
 * @seen: index of the next descriptor that the owner will look at; any value.
 *
 * Return: true if the owner need not sleep.
 */
static inline bool nc_ring_readable(const struct nc_ring *ring, u32 seen)
{
	u32 ahead;

	/* A slot that is reserved anew is seen to be so. */
	ahead = smp_load_acquire(&ring->head) - seen;
	if ((s32)ahead <= 0)
		return false;
	if (ahead > ring->depth)
		return true;
	/* (G) */
	return smp_load_acquire(&nc_ring_slot(ring, seen)->published);
}

/**
 * nc_ring_fill() - descriptors in use
 * @ring: the ring, locked.
 *
 * Return: 0..depth.
 */
static inline u32 nc_ring_fill(const struct nc_ring *ring)
{
	return ring->head - ring->tail;
}

#endif /* _NC_RING_H */
