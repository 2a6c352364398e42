/* SPDX-License-Identifier: MIT */
/* A received packet: a view of bytes that a link lends. */
#ifndef US_CORE_PKT_H
#define US_CORE_PKT_H

#include <urcu/list.h>

#include "core/types.h"

struct us_link;

/* The ECN field of the IP header, RFC 3168 5. */
enum us_ecn {
	US_ECN_NOT_ECT,
	US_ECN_ECT1,
	US_ECN_ECT0,
	US_ECN_CE,
};

enum us_csum {
	US_CSUM_NONE,		/* to be verified */
	US_CSUM_VERIFIED,	/* the link did it, or the bytes never left this machine */
	US_CSUM_COMPLETE,	/* csum holds the sum of all bytes from the IP header on */
};

enum us_gso {
	US_GSO_NONE,
	US_GSO_TCP,
	US_GSO_UDP,
};

/**
 * struct us_pkt - one received packet
 * @node: for whoever owns the packet.
 * @link: lent the bytes and gets them back.
 * @data: first byte of the layer at work; each layer moves it forward.
 * @len: bytes from @data on.
 * @network: the IP header, once net/ has seen it.
 * @token: the link's own (ring index, buffer).
 * @tstamp: time of arrival, CLOCK_REALTIME nanoseconds, 0 if unknown.
 * @csum: with US_CSUM_COMPLETE: 32-bit one's-complement sum, native order.
 * @refs: owners; us_pkt_put() gives the bytes back at zero.
 * @gso_size: bytes of each segment's payload but the last, with @gso != NONE.
 * @gso_segs: segments.
 * @blocks: promised for its payload while a receive queue holds it.
 * @csum_state: enum us_csum.
 * @gso: enum us_gso.
 * @lent: to the user, who reads it in place: it must not move.
 * @error: an ICMP error that the link passes on: @data is its ICMP header.
 * @info: with @error: MTU, if the error tells one; else the index of the device that it came
 *	by, where that is not the link's.
 * @flow: of the link, which matched this packet (us_link_ops.bind()).
 *
 * A function whose name ends in _input consumes the reference it is given.
 */
struct us_pkt {
	struct cds_list_head node;
	struct us_link *link;
	uint8_t *data;
	uint32_t len;
	uint32_t csum;
	uint8_t *network;
	uint64_t token;
	uint64_t tstamp;
	uint32_t info;
	uint32_t flow;
	uint16_t refs;
	uint16_t gso_size;
	uint16_t gso_segs;
	uint16_t blocks;
	uint8_t csum_state;
	uint8_t gso;
	bool lent;
	bool error;
};

/* One by one: as a whole, they are cleared by an instruction that takes its time. */
static inline void us_pkt_init(struct us_pkt *pkt, struct us_link *link)
{
	pkt->link = link;
	pkt->data = NULL;
	pkt->len = 0;
	pkt->csum = 0;
	pkt->network = NULL;
	pkt->token = 0;
	pkt->tstamp = 0;
	pkt->info = 0;
	pkt->flow = 0;
	pkt->refs = 1;
	pkt->gso_size = 0;
	pkt->gso_segs = 0;
	pkt->csum_state = US_CSUM_NONE;
	pkt->gso = US_GSO_NONE;
	pkt->lent = false;
	pkt->error = false;
}

static inline struct us_pkt *us_pkt_get(struct us_pkt *pkt)
{
	pkt->refs++;
	return pkt;
}

/**
 * struct us_behind - a segment that is held, and those that wait behind it
 * @first: the one; NULL: none is held, or it is on its way up to TCP.
 * @pkts: of struct us_pkt.node, payload only; verified, in order, and but for their sequence
 *	numbers with the same headers.
 * @bytes: of all.
 * @size: of the longest.
 * @count: of them.
 * @pushed: the last one has PSH.
 *
 * TCP takes all of them or none.
 */
struct us_behind {
	struct us_pkt *first;
	struct cds_list_head pkts;
	uint32_t bytes;
	uint32_t size;
	uint32_t count;
	bool pushed;
};

/* Nothing is there, or there any more. */
static inline void us_behind_empty(struct us_behind *behind)
{
	behind->first = NULL;
	CDS_INIT_LIST_HEAD(&behind->pkts);
	behind->bytes = 0;
	behind->count = 0;
}

/* us_pkt_put() is in link/link.h: the bytes go back to their link. */

#endif /* US_CORE_PKT_H */
