/* SPDX-License-Identifier: MIT */
/* A packet on its way out, and the memory that its payload lives in. */
#ifndef US_CORE_TX_H
#define US_CORE_TX_H

#include <stddef.h>
#include <string.h>

#include "core/pkt.h"

/*
 * Send memory.  A domain is a range of memory that a link can send from (the
 * mapped arena of a channel, or the heap), cut into chunks of a power of two
 * between US_CHUNK_MIN and US_CHUNK_MAX bytes by a buddy allocator.
 */
#define US_CHUNK_MIN	2048u
#define US_CHUNK_MAX	65536u

struct us_txmem;

/**
 * struct us_chunk - a piece of send memory
 * @mem: its domain.
 * @data: the bytes.
 * @size: of @data.
 * @refs: the send queue's and one for each slot of a link that still refers to
 *	it; at zero the chunk is free.  Bytes are reused only then.  And US_CHUNK_BORROWS.
 * @next: for whoever allocated the chunk: the next of a queue.
 * @seq: likewise: sequence number of the first byte.
 * @len: likewise: bytes in use.
 */
struct us_chunk {
	struct us_txmem *mem;
	uint8_t *data;
	uint32_t size;
	uint32_t refs;
	struct us_chunk *next;
	uint32_t seq;
	uint32_t len;
};

/* us_chunk.refs: @data is not the chunk's own memory, which waits to take its place. */
#define US_CHUNK_BORROWS	(1u << 31)

/**
 * struct us_lender - whose memory is sent from where it lies
 * @refs: chunks that borrow some, and whoever lends more.
 * @done: nobody refers to any of it any more.
 */
struct us_lender {
	uint32_t refs;
	void (*done)(struct us_lender *lender);
};

static inline void us_lender_put(struct us_lender *lender)
{
	if (--lender->refs == 0)
		lender->done(lender);
}

/* A domain over @size bytes at @base, or of the heap if that is NULL.  0,
 * -EINVAL, -ENOMEM.
 */
int us_txmem_create(struct us_txmem **mem, uint8_t *base, size_t size);
void us_txmem_destroy(struct us_txmem *mem);
size_t us_txmem_free_bytes(const struct us_txmem *mem);
size_t us_txmem_size(const struct us_txmem *mem);
/* The smallest chunk of at least @want bytes (at most US_CHUNK_MAX), or a
 * smaller one if there is none so large; NULL if memory is exhausted.
 */
struct us_chunk *us_chunk_alloc(struct us_txmem *mem, uint32_t want);
void us_chunk_free(struct us_chunk *chunk);

/* @chunk, new, has @len bytes at @data, not more than fit into it. */
void us_chunk_borrow(struct us_chunk *chunk, const void *data, uint32_t len,
		     struct us_lender *lender);
/* Copies what is borrowed, whoever refers to it. */
void us_chunk_return(struct us_chunk *chunk);
/* Of whom @chunk borrows. */
struct us_lender *us_chunk_lender(struct us_chunk *chunk);

static inline bool us_chunk_borrows(const struct us_chunk *chunk)
{
	return chunk->refs & US_CHUNK_BORROWS;
}

static inline void us_chunk_get(struct us_chunk *chunk)
{
	chunk->refs++;
}

static inline void us_chunk_put(struct us_chunk *chunk)
{
	if ((uint32_t)(--chunk->refs << 1) == 0)
		us_chunk_free(chunk);
}

/**
 * struct us_frag - payload by reference
 * @chunk: holds the bytes.
 * @offset: of the first one in @chunk.
 * @len: bytes.
 */
struct us_frag {
	struct us_chunk *chunk;
	uint32_t offset;
	uint32_t len;
};

#define US_TX_FRAGS	3
#define US_GSO_SEGS	44u	/* full segments of Ethernet that 64 KiB make */
#define US_TX_INLINE	256	/* least room that a link offers at @head */

/**
 * struct us_tx - one packet to send, between reserve and submit
 * @link: that reserved it.
 * @head: @inline_cap bytes of the link's memory for headers and inline payload,
 *	in the order of the wire: link, IP, transport, payload.
 * @inline_cap: at least US_TX_INLINE.
 * @inline_len: bytes written at @head.
 * @nr_frags: used elements of @frag.
 * @flow: flow of the link (us_link_ops.bind()).
 * @l3: offset of the IP header in @head.
 * @l4: offset of the transport header in @head.
 * @csum_offset: of the checksum field, from @l4 on, with @csum_offload.
 * @gso: enum us_gso; only on a link with US_LINK_GSO_*.
 * @gso_size: payload bytes of a segment.
 * @csum_offload: the link fills in the transport checksum: the field holds the
 *	folded sum of the pseudo header, so that the complement of the sum from
 *	@l4 on is the checksum.
 * @ecn: enum us_ecn.
 * @frag: the rest of the payload; the link takes a reference on each chunk for
 *	as long as it needs it.
 */
struct us_tx {
	struct us_link *link;
	uint8_t *head;
	uint32_t inline_cap;
	uint32_t inline_len;
	uint32_t nr_frags;
	uint32_t flow;
	uint16_t l3;
	uint16_t l4;
	uint16_t csum_offset;
	uint16_t gso_size;
	uint8_t gso;
	bool csum_offload;
	uint8_t ecn;
	struct us_frag frag[US_TX_FRAGS];
};

/* An empty packet for a link's reserve().  What @frag had stays: it is half of all. */
static inline struct us_tx *us_tx_begin(struct us_tx *tx, struct us_link *link,
					uint8_t *head, uint32_t inline_cap)
{
	memset(tx, 0, offsetof(struct us_tx, frag));
	tx->link = link;
	tx->head = head;
	tx->inline_cap = inline_cap;
	return tx;
}

#endif /* US_CORE_TX_H */
