/* SPDX-License-Identifier: MIT */
/* The network layer: addresses, routes, neighbours, IPv4, IPv6, ICMP. */
#ifndef US_NET_NET_H
#define US_NET_NET_H

#include <string.h>

#include "link/link.h"

#define US_NET_TTL	64u	/* of packets whose sender did not say */

/**
 * struct us_dst - where packets of a connection go; kept by its user
 * @link: out of it; NULL: not resolved.
 * @local: source address.
 * @remote: destination address.
 * @next_hop: on-link neighbour (Ethernet links).
 * @family: AF_INET or AF_INET6.
 * @ttl: TTL or hop limit.
 * @tos: DS field; the ECN bits are us_tx.ecn.
 * @header_len: bytes of link and IP header: where the transport header begins
 *	in us_tx.head.
 * @mtu: bytes of the largest IP packet on the path, as far as known.
 * @route_mtu: what @mtu was when the route was found.
 * @flow: of the link.
 * @generation: of the routing table when resolved.
 */
struct us_dst {
	struct us_link *link;
	struct us_addr local;
	struct us_addr remote;
	struct us_addr next_hop;
	uint8_t family;
	uint8_t ttl;
	uint8_t tos;
	uint8_t header_len;
	uint16_t mtu;
	uint16_t route_mtu;
	uint32_t flow;
	uint32_t generation;
};

/**
 * struct us_net_error - what became of a packet that was sent, as ICMP says it
 * @local: its source.
 * @remote: its destination.
 * @offender: who said so; all zero: that is not known.
 * @quoted: of the packet, from its transport header on.
 * @len: of @quoted, 8 at least.
 * @mtu: with EMSGSIZE, else 0.
 * @err: positive errno.
 * @hard: as RFC 1122 4.2.3.9 has it.
 * @type: of the ICMP message.
 * @code: of it.
 * @tos: of its packet, as us_pkt_tos(); 0 where the link does not pass that on.
 * @ttl: of its packet, alike.
 */
struct us_net_error {
	struct us_addr local;
	struct us_addr remote;
	struct us_addr offender;
	const uint8_t *quoted;
	uint32_t len;
	uint32_t mtu;
	uint16_t err;
	bool hard;
	uint8_t type;
	uint8_t code;
	uint8_t tos;
	uint8_t ttl;
};

/**
 * struct us_protocol - a transport
 * @input: consumes @pkt, whose data is the transport header, network the IP
 *	header; addresses are validated, lengths trimmed; checksum not verified.
 * @error: a packet did not arrive.
 */
struct us_protocol {
	void (*input)(struct us_stack *stack, struct us_pkt *pkt,
		      const struct us_addr *src, const struct us_addr *dst);
	void (*error)(struct us_stack *stack, const struct us_net_error *error);
};

int us_net_create(struct us_stack *stack);
void us_net_destroy(struct us_stack *stack);
void us_net_register(struct us_stack *stack, uint8_t protocol,
		     const struct us_protocol *ops);
void us_net_input(struct us_stack *stack, struct us_pkt *pkt);
/* What us_net_input() held: a link was polled. */
void us_merge_flush(struct us_stack *stack);

/* IPv4 prefixes are 0..32.  Errors as ustack_address_add(), ustack_route_add(). */
int us_net_address_add(struct us_stack *stack, struct us_link *link,
		       const struct us_addr *addr, unsigned int prefix);
/* 127.0.0.1 and ::1, where @link hears itself. */
int us_net_loopback(struct us_stack *stack, struct us_link *link);
/* A @gateway that is all zero: the destination is on the link itself. */
int us_net_route_add(struct us_stack *stack, struct us_link *link,
		     const struct us_addr *net, unsigned int prefix,
		     const struct us_addr *gateway);
/* May a socket be bound to @addr?  With a link whose addresses are the kernel's,
 * any: us_link_ops.bind() finds out.
 */
bool us_net_is_local(const struct us_stack *stack, const struct us_addr *addr);
int us_net_not_local(struct us_stack *stack, const struct us_addr *addr);

/*
 * Fills in @dst for packets to dst->remote from dst->local (chosen if all
 * zero); tos, and ttl if it is not 0, stay.  0, -ENETUNREACH, -EADDRNOTAVAIL.
 */
int us_dst_resolve(struct us_stack *stack, struct us_dst *dst);
/* @err, and the text of ustack_error() for who connects. */
int us_dst_explain(struct us_stack *stack, const struct us_addr *remote, int err);
/* The same for a few bytes that answer @pkt (or NULL), which asks no kernel. */
int us_dst_answer(struct us_stack *stack, struct us_dst *dst,
		  const struct us_pkt *pkt);

/* Nothing comes back from @dst: routes and neighbours are asked again. */
void us_dst_doubt(struct us_stack *stack, struct us_dst *dst);

/*
 * One packet out.  us_ip_reserve(): a slot whose head has room for the
 * transport header at dst->header_len, or NULL if the link is full (counted).
 * The caller writes its header and inline payload there, sets l4 = header_len,
 * inline_len (from head on, all included) and frags; us_ip_submit() writes link
 * and IP headers in front and gives the packet to the link - or to the
 * neighbour's queue.  The transport checksum is the caller's job:
 * us_csum_output() below, once length and frags are final.
 */
struct us_tx *us_ip_reserve(struct us_stack *stack, struct us_dst *dst, uint32_t keep);
void us_ip_submit(struct us_stack *stack, const struct us_dst *dst,
		  struct us_tx *tx, uint8_t protocol);

/*
 * Fills in the checksum field at @offset of the transport header: offloaded
 * where the link can, computed over header, inline payload and frags otherwise.
 */
void us_csum_output(const struct us_dst *dst, struct us_tx *tx,
		    uint8_t protocol, uint16_t offset);
/* Verifies a received transport checksum, whatever the link said about it. */
bool us_csum_input(const struct us_pkt *pkt, const struct us_addr *src,
		   const struct us_addr *dst, uint8_t protocol);

/* The same, where the sum of the pseudo header is known but for the length. */
bool us_csum_input_as(const struct us_pkt *pkt, uint32_t pseudo);

/* Tells the sender of @pkt (data: its transport header) that the port is closed.
 * Does not consume @pkt.
 */
void us_icmp_port_unreachable(struct us_stack *stack, const struct us_pkt *pkt);

static inline bool us_addr_is_v4(const struct us_addr *a)
{
	return a->q[0] == 0 && a->w[2] == __builtin_bswap32(0x0000ffffu);
}

static inline bool us_addr_equal(const struct us_addr *a, const struct us_addr *b)
{
	return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

static inline bool us_addr_is_any(const struct us_addr *a)
{
	return a->q[0] == 0 && (a->q[1] == 0 ||
	       (us_addr_is_v4(a) && a->w[3] == 0));
}

/* Have two that hear packets a family in common?  AF_UNSPEC is both. */
static inline bool us_families_meet(uint8_t a, uint8_t b)
{
	return a == b || !a || !b;
}

/* From the four bytes of an IPv4 address. */
static inline struct us_addr us_addr_from4(const uint8_t bytes[4])
{
	struct us_addr a = { .b = { [10] = 0xff, [11] = 0xff } };

	memcpy(&a.b[12], bytes, 4);
	return a;
}

/* From the sixteen bytes of an IPv6 address. */
static inline struct us_addr us_addr_from6(const uint8_t bytes[16])
{
	struct us_addr a;

	memcpy(a.b, bytes, 16);
	return a;
}

/* Of a packet to or from @addr: what is kept for both families has a place for each. */
enum us_ip_version {
	US_IPV4,
	US_IPV6,
	US_IP_VERSIONS
};

static inline enum us_ip_version us_ip_version(const struct us_addr *addr)
{
	return us_addr_is_v4(addr) ? US_IPV4 : US_IPV6;
}

/**
 * struct us_ip_options - what a socket says of its packets of one family
 * @ttl: or hop limit; 0 is the default.
 * @tos: DS field; the ECN bits are UDP's only.
 * @mtu_discover: IP_PMTUDISC_*, as the user set it: to TCP all that are allowed are the
 *	same; 0 is the default.
 * @recverr: soft errors are told when they come, not only when the connection
 *	times out.
 */
struct us_ip_options {
	uint8_t ttl;
	uint8_t tos;
	uint8_t mtu_discover : 2;
	bool recverr : 1;
};

/* Of a packet whose IP header has been seen: DS field and ECN bits, */
static inline uint8_t us_pkt_tos(const struct us_pkt *pkt)
{
	const uint8_t *ip = pkt->network;

	return ip[0] >> 4 == 4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
}

/* TTL or hop limit, */
static inline uint8_t us_pkt_ttl(const struct us_pkt *pkt)
{
	const uint8_t *ip = pkt->network;

	return ip[0] >> 4 == 4 ? ip[8] : ip[7];
}

/* and the ECN field alone. */
static inline enum us_ecn us_pkt_ecn(const struct us_pkt *pkt)
{
	const uint8_t *ip = pkt->network;

	return (enum us_ecn)((ip[0] >> 4 == 4 ? ip[1] : ip[1] >> 4) & 3);
}

/* Several hosts, or all: 255.255.255.255. */
static inline bool us_addr_is_group(const struct us_addr *a)
{
	return us_addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 || a->w[3] == UINT32_MAX :
				  a->b[0] == 0xff;
}

#endif /* US_NET_NET_H */
