/* SPDX-License-Identifier: MIT */
/*
 * A link whose other end is the fuzzer. What it injects lies in memory of
 * exactly its size, so that the address sanitizer sees each byte read too far;
 * what the stack sends is checked as the module and a peer would.
 */
#ifndef SELFTESTS_FUZZ_WIRE_H
#define SELFTESTS_FUZZ_WIRE_H

#include "kernel_shim.h"

#include "flow_key.h"
#include "link/link.h"
#include "oracle.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

#define WIRE_MTU	1500u

/**
 * struct wire - the link
 * @link: first member.
 * @tx: its one slot.
 * @slot: memory of the slot.
 * @lent: packets that the stack holds.
 * @sent: called for each packet that the stack sends.
 */
struct wire {
	struct us_link link;
	struct us_tx tx;
	uint8_t slot[WIRE_MTU + US_TX_INLINE];
	unsigned int lent;
	void (*sent)(const uint8_t *data, uint32_t len, const struct nc_headers *h,
		     const struct nc_key *key);
};

static inline struct wire *wire_of(const struct us_link *link)
{
	return us_container(link, struct wire, link);
}

/* ---------------------------------------------------------------- checksums */

/* Where in the transport header the checksum is; 0: the protocol has none. */
static inline uint32_t csum_at(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return US_TCP_CSUM_OFFSET;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

/* The checksum of the transport part as it stands: 0 if it is right. */
static inline uint16_t transport_sum(const uint8_t *data, const struct nc_headers *h,
				     const struct nc_key *key)
{
	uint32_t len = h->length - h->transport, sum = 0;

	if (key->family == AF_INET6)
		sum = us_csum_pseudo6(data + 8, data + 24, key->protocol, len);
	else if (key->protocol != IPPROTO_ICMP)
		sum = us_csum_pseudo4(data + 12, data + 16, key->protocol, len);
	return us_csum_fold(us_csum_bytes(data + h->transport, len, sum));
}

/* Makes the checksums of any packet right that has place for them. */
static inline void wire_checksums(uint8_t *data, uint32_t len)
{
	struct nc_headers h;
	struct nc_key key;
	uint32_t at;
	uint16_t sum;

	if (nc_parse(data, len, NC_PARSE_IN, &h, &key) != NC_PARSE_OK ||
	    h.length > len)
		return;
	if (key.family == AF_INET) {
		memset(data + 10, 0, 2);
		sum = us_csum_fold(us_csum_bytes(data, 20, 0));
		memcpy(data + 10, &sum, 2);
	}
	at = csum_at(key.protocol);
	if (!at || h.transport + at + 2 > h.length)
		return;
	memset(data + h.transport + at, 0, 2);
	sum = transport_sum(data, &h, &key);
	memcpy(data + h.transport + at, &sum, 2);
}

/* -------------------------------------------------------------- what is sent */

/* Every packet of ours is one that the module would let pass, and a peer. */
static inline void wire_check(struct wire *wire, const uint8_t *data, uint32_t len)
{
	struct nc_headers h;
	struct nc_key key;

	must(len <= WIRE_MTU);
	must(nc_parse(data, len, NC_PARSE_OUT, &h, &key) == NC_PARSE_OK);
	must(h.length == len);
	must(key.family != AF_INET ||
	     us_csum_fold(us_csum_bytes(data, 20, 0)) == 0);
	must(!csum_at(key.protocol) || !transport_sum(data, &h, &key));
	wire->sent(data, len, &h, &key);
}

static inline struct us_tx *wire_reserve(struct us_link *link, uint32_t keep)
{
	struct wire *wire = wire_of(link);

	(void)keep;
	wire->tx = (struct us_tx) {
		.link = link, .head = wire->slot, .inline_cap = sizeof(wire->slot),
	};
	return &wire->tx;
}

static inline void wire_submit(struct us_link *link, struct us_tx *tx)
{
	uint32_t len = tx->inline_len, i;

	must(len <= sizeof(wire_of(link)->slot) && tx->nr_frags <= US_TX_FRAGS);
	must(!tx->gso && !tx->csum_offload);
	for (i = 0; i < tx->nr_frags; i++) {
		const struct us_frag *frag = &tx->frag[i];

		must(frag->len <= frag->chunk->size - frag->offset);
		must(len + frag->len <= sizeof(wire_of(link)->slot));
		memcpy(tx->head + len, frag->chunk->data + frag->offset, frag->len);
		len += frag->len;
	}
	wire_check(wire_of(link), tx->head, len);
}

/* ---------------------------------------------------------- what is received */

static inline void wire_release(struct us_link *link, struct us_pkt *pkt)
{
	must(wire_of(link)->lent);
	wire_of(link)->lent--;
	free((void *)(uintptr_t)pkt->token);
}

static inline void wire_inject(struct wire *wire, const uint8_t *data, uint32_t len)
{
	struct us_pkt *pkt = us_link_pkt(&wire->link);

	if (!pkt)
		return;
	pkt->data = malloc(len ? len : 1);
	memcpy(pkt->data, data, len);
	pkt->token = (uintptr_t)pkt->data;
	pkt->len = len;
	wire->lent++;
	wire->link.stack->up->link_input(wire->link.stack, pkt);
}

/* -------------------------------------------------------------------- the rest */

static inline void wire_flush(struct us_link *link)
{
	(void)link;
}

static inline unsigned int wire_poll(struct us_link *link, unsigned int budget)
{
	(void)link;
	(void)budget;
	return 0;
}

static inline bool wire_pressure(const struct us_link *link)
{
	return wire_of(link)->lent > 16;
}

/* All that was lent came back before the link is closed. */
static inline void wire_close(struct us_link *link)
{
	must(!wire_of(link)->lent);
}

static const struct us_link_ops wire_ops = {
	.name = "wire",
	.close = wire_close,
	.reserve = wire_reserve,
	.submit = wire_submit,
	.flush = wire_flush,
	.poll = wire_poll,
	.release = wire_release,
	.pressure = wire_pressure,
};

static inline void wire_add(struct wire *wire, struct us_stack *stack)
{
	memset(&wire->link, 0, sizeof(wire->link));
	wire->lent = 0;
	wire->link.stack = stack;
	wire->link.ops = &wire_ops;
	wire->link.mtu = wire->link.gso_max = WIRE_MTU;
	wire->link.mem = stack->mem;
	CDS_INIT_LIST_HEAD(&wire->link.pending);
	CDS_INIT_LIST_HEAD(&wire->link.resting);
	cds_list_add_tail(&wire->link.node, &stack->links);
}

#endif /* SELFTESTS_FUZZ_WIRE_H */
