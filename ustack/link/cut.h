/* SPDX-License-Identifier: MIT */
/* Cutting super-segments of TCP into packets, for a link in memory. */
#ifndef US_LINK_CUT_H
#define US_LINK_CUT_H

#include "core/tx.h"

#define US_CUT_HEAD	128u	/* no link, IP and TCP headers of ours are longer */

/**
 * struct us_cut - a super-segment that is being cut
 * @tx: the whole.
 * @frag: in @tx, where the next payload lies.
 * @offset: in that.
 * @left: bytes of payload to go.
 * @seq: of the next segment.
 * @rest: of a checksum, what is the same in all.
 * @sum: what of a checksum @head tells: all but @seq.
 * @begun: these, and what follows, are known.
 * @flags: of TCP, in @head.
 * @last: of the last segment.
 * @head: headers of a segment.
 */
struct us_cut {
	const struct us_tx *tx;
	uint32_t frag;
	uint32_t offset;
	uint32_t left;
	uint32_t seq;
	uint32_t rest;
	uint32_t sum;
	bool begun;
	uint8_t flags;
	uint8_t last;
	uint8_t head[US_CUT_HEAD];
};

/* Begins with @tx: of US_GSO_TCP, csum_offload, all payload by reference. */
void us_cut_begin(struct us_cut *cut, const struct us_tx *tx);
/* Writes the next packet to @to, and gives its length.  us_cut.left is 0 after the last. */
uint32_t us_cut_next(struct us_cut *cut, uint8_t *to);

#endif /* US_LINK_CUT_H */
