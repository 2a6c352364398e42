/* SPDX-License-Identifier: MIT */
/* What the files of net/ share; nobody else includes it. */
#ifndef US_NET_PRIV_H
#define US_NET_PRIV_H

#include "net/net.h"
#include "wire/eth.h"

#define US_NET_ADDRESSES	1024u
#define US_NET_ADDRESS_SLOTS	4096u	/* a power of two, sparsely used */
#define US_NET_ROUTES		64u

#define US_NEIGHBORS		256u
#define US_NEIGH_SLOTS		256u	/* a power of two */
#define US_NEIGH_ASKED		64u	/* of them, without a MAC yet */
#define US_NEIGH_QUEUE		104u	/* units that wait for one neighbour: 208 KiB, as in Linux */
#define US_NEIGH_WAITING	512u	/* units that wait for all of them */
#define US_NEIGH_UNIT		2048u	/* bytes; also of the longest inline part that waits */

/**
 * struct us_net_address - a local address
 * @addr: the address.
 * @link: where it lives.
 * @prefix: bits of the on-link prefix, of 128.
 */
struct us_net_address {
	struct us_addr addr;
	struct us_link *link;
	uint8_t prefix;
};

/**
 * struct us_net_route - where packets to a prefix go
 * @net: the prefix; bits beyond it are zero.
 * @gateway: next hop; all zero: the destination itself.
 * @link: out of it.
 * @prefix: bits, of 128: an IPv4 prefix is 96 longer than it is written.
 */
struct us_net_route {
	struct us_addr net;
	struct us_addr gateway;
	struct us_link *link;
	uint8_t prefix;
};

#define US_MERGE_LEAST	1000u	/* bytes of a packet that others may follow */

/**
 * struct us_merge - what is known of the segment that is held: us_behind.first
 * @pseudo: sum of its pseudo header, but for the length.
 * @l4: bytes of its IP header.
 * @payload: bytes of all its headers.
 * @size: bytes of its payload.
 * @seq: that the next one has.
 */
struct us_merge {
	uint32_t pseudo;
	uint32_t l4;
	uint32_t payload;
	uint32_t size;
	uint32_t seq;
};

/**
 * struct us_neighbors - ARP's and ND's cache
 * @entries: pool of struct us_neigh.
 * @pending: pool of struct us_neigh_pending.
 * @waiting: units of those that are in use.
 * @asked: entries without a MAC, the one that was made first first.
 * @nr_asked: length of @asked.
 * @known: the others, the one that was made or confirmed first first.
 * @key: of the hash.
 * @slot: entries by hash of the address.
 */
struct us_neighbors {
	struct us_pool entries;
	struct us_pool pending;
	unsigned int waiting;
	struct cds_list_head asked;
	unsigned int nr_asked;
	struct cds_list_head known;
	uint64_t key;
	struct cds_list_head slot[US_NEIGH_SLOTS];
};

/**
 * struct us_net - the network layer of a stack
 * @merge: of the segment that is held.
 * @address: local addresses, in the order of their coming.
 * @addresses: used elements of @address.
 * @address_slot: index + 1 in @address, by hash; 0 is free.
 * @route: routes, the longest prefix first.
 * @routes: used elements of @route.
 * @generation: of addresses and routes.
 * @seen: ends of the last IPv4 packet whose addresses were right, with the link that
 *	it came from, in that generation: packets come in runs.
 * @protocol: transports, ICMP and ICMPv6 among them.
 * @icmp_credit: time for which no ICMP error was sent, up to a burst.
 * @icmp_last: when @icmp_credit was reckoned.
 * @neigh: neighbours.
 */
struct us_net {
	struct us_merge merge;
	struct us_net_address address[US_NET_ADDRESSES];
	unsigned int addresses;
	uint16_t address_slot[US_NET_ADDRESS_SLOTS];
	struct us_net_route route[US_NET_ROUTES];
	unsigned int routes;
	uint32_t generation;
	struct {
		const struct us_link *link;
		uint32_t generation;
		uint32_t src;
		uint32_t dst;
	} seen;
	const struct us_protocol *protocol[256];
	us_ns icmp_credit;
	us_ns icmp_last;
	struct us_neighbors neigh;
};

/* --- merge.c */

bool us_merge_input(struct us_stack *stack, struct us_pkt *pkt);

/* --- route.c */

/* The entry of a local address, or NULL. */
const struct us_net_address *us_net_find_address(const struct us_net *net,
						 const struct us_addr *addr);
/* May a packet from @link be for @dst? */
bool us_net_is_ours(const struct us_net *net, const struct us_link *link,
		    const struct us_addr *dst);
/* The route to @addr, or NULL. */
const struct us_net_route *us_net_lookup(const struct us_net *net,
					 const struct us_addr *addr);
/* The best source address on @link for @remote, or NULL. */
const struct us_addr *us_net_source(const struct us_net *net,
				    const struct us_link *link,
				    const struct us_addr *remote);
/* A destination on @link itself, whatever the routes are. */
void us_dst_on_link(struct us_dst *dst, struct us_link *link,
		    const struct us_addr *local, const struct us_addr *remote);

/* --- ipv4.c, ipv6.c, net.c: input; all consume @pkt */

/* @group: the frame came to a group MAC address. */
void us_ipv4_input(struct us_stack *stack, struct us_pkt *pkt, bool group);
void us_ipv6_input(struct us_stack *stack, struct us_pkt *pkt, bool group);
void us_arp_input(struct us_stack *stack, struct us_pkt *pkt);
/* @pkt's data is the transport header. */
void us_net_deliver(struct us_stack *stack, struct us_pkt *pkt,
		    uint8_t protocol, const struct us_addr *src,
		    const struct us_addr *dst);

static inline void us_pkt_pull(struct us_pkt *pkt, uint32_t len)
{
	pkt->data += len;
	pkt->len -= len;
}

static inline void us_pkt_push(struct us_pkt *pkt, uint32_t len)
{
	pkt->data -= len;
	pkt->len += len;
}

/* Cuts padding off; a sum over all of the bytes then means nothing any more. */
static inline void us_pkt_trim(struct us_pkt *pkt, uint32_t len)
{
	if (pkt->len == len)
		return;
	pkt->len = len;
	if (pkt->csum_state == US_CSUM_COMPLETE)
		pkt->csum_state = US_CSUM_NONE;
}

/* --- output.c */

/* Writes IP and, if @mac is not NULL, Ethernet header, and sends. */
void us_ip_send(const struct us_dst *dst, struct us_tx *tx, uint8_t protocol,
		const uint8_t mac[6]);
/* Writes an Ethernet header at tx->head. */
void us_eth_write(const struct us_link *link, struct us_tx *tx,
		  const uint8_t mac[6], uint16_t type);

/* --- icmp.c, icmp_error.c */

extern const struct us_protocol us_icmp4_protocol;
extern const struct us_protocol us_icmp6_protocol;

/* An ICMP error of the wire: @pkt's data is its ICMP header.  Consumes nothing. */
void us_icmp_error_input(struct us_stack *stack, const struct us_pkt *pkt,
			 const struct us_addr *src, const struct us_addr *dst);
/* One that the link passes on.  Consumes @pkt. */
void us_icmp_link_error(struct us_stack *stack, struct us_pkt *pkt);
/* Tells the transport what became of the IP packet @ip: completes @error. */
void us_icmp_quoted(struct us_stack *stack, const uint8_t *ip, uint32_t len,
		    struct us_net_error *error);
/* No neighbour took it. */
void us_icmp_unreachable(struct us_stack *stack, const uint8_t *ip, uint32_t len);
/* Sends an error about @pkt, whose network is set, if the rules allow it. */
void us_icmp_error(struct us_stack *stack, const struct us_pkt *pkt,
		   uint8_t type, uint8_t code, uint32_t rest);
/* Tells the sender of @pkt (data: behind its IP headers) that nobody here speaks
 * its protocol.
 */
void us_icmp_protocol_unreachable(struct us_stack *stack,
				  const struct us_pkt *pkt);

/* --- neigh.c, arp.c, nd.c */

int us_neigh_create(struct us_stack *stack);
void us_neigh_destroy(struct us_stack *stack);
/* Sends a packet that is complete but for its Ethernet header, now or later. */
void us_neigh_doubt(struct us_stack *stack, const struct us_dst *dst);
void us_neigh_output(struct us_stack *stack, const struct us_dst *dst,
		     struct us_tx *tx);

/* What an ARP or ND message says about a neighbour. */
#define US_NEIGH_CREATE		(1u << 0) /* worth an entry, if there is none */
#define US_NEIGH_CONFIRM	(1u << 1) /* it answered us */
#define US_NEIGH_OVERRIDE	(1u << 2) /* a MAC that differs replaces the old */

void us_neigh_update(struct us_stack *stack, struct us_link *link,
		     const struct us_addr *addr, const uint8_t mac[6],
		     unsigned int flags);
/* It answered us, and did not say its MAC. */
void us_neigh_confirm(struct us_stack *stack, const struct us_link *link,
		      const struct us_addr *addr);
/* Asks for the MAC of @addr: everybody, or @mac to see whether it is still there. */
void us_arp_solicit(struct us_stack *stack, struct us_link *link,
		    const struct us_addr *addr, const uint8_t *mac);
void us_nd_solicit(struct us_stack *stack, struct us_link *link,
		   const struct us_addr *addr, const uint8_t *mac);
/* Neighbour solicitation or advertisement; checksum verified.  Consumes nothing. */
void us_nd_input(struct us_stack *stack, const struct us_pkt *pkt,
		 const struct us_addr *src, const struct us_addr *dst);
/* The solicited-node multicast address of @addr (RFC 4291 2.7.1). */
struct us_addr us_nd_group(const struct us_addr *addr);

#endif /* US_NET_PRIV_H */
