/* SPDX-License-Identifier: MIT */
/* What the files of the netchannel link share; nobody else includes it. */
#ifndef US_LINK_NETCHANNEL_H
#define US_LINK_NETCHANNEL_H

#include "link/link.h"
#include "link/netchannel_ring.h"

#define US_NC_AUTHORITIES	256u	/* ports asked for by number, at once */
#define US_NC_WAYS		64u	/* ways that are remembered */

/**
 * struct us_nc_authority - the socket that holds a port
 * @fd: bound, neither connected nor listening.
 * @refs: flows that it vouches for; 0: the entry is free.
 * @port: network byte order.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 */
struct us_nc_authority {
	int fd;
	uint32_t refs;
	uint16_t port;
	uint8_t protocol;
};

/**
 * struct us_nc_way - what the kernel said about a destination
 * @remote: the destination.
 * @wish: the source address that was asked for, or all zero.
 * @local: the source address.
 * @mtu: of the path.
 * @until: believed until then; 0 in an unused entry.
 */
struct us_nc_way {
	struct us_addr remote;
	struct us_addr wish;
	struct us_addr local;
	uint32_t mtu;
	us_ns until;
};

/**
 * struct us_nc_flow - a bound flow
 * @id: the kernel's name for it.
 * @used: the entry is in use.
 * @authority: that it holds a reference on; NULL: the channel alone has it.
 */
struct us_nc_flow {
	uint32_t id;
	bool used;
	struct us_nc_authority *authority;
};

/**
 * struct us_nc - a netchannel link
 * @link: first member.
 * @fd: the channel.
 * @area: mapped.
 * @area_size: bytes of @area.
 * @ctl: in @area.
 * @rx: RX ring in @area.
 * @tx: TX ring in @area.
 * @arena: send memory in @area.
 * @hook: enum netchannel_hook of its flows.
 * @slot: the packet under construction.
 * @frag: chunks that TX slots refer to: US_TX_FRAGS of each.
 * @starved: reserve() found no slot.
 * @watched: a poll of the descriptor waits for completions.
 * @told: an ICMP error made of a TX result.
 * @authority: ports.
 * @flow: bound flows, found by their id from its remainder on.
 * @way: by hash of the destination.
 */
struct us_nc {
	struct us_link link;
	int fd;
	uint8_t *area;
	size_t area_size;
	struct netchannel_ctl *ctl;
	struct us_nc_rx rx;
	struct us_nc_tx tx;
	uint8_t *arena;
	uint32_t hook;
	struct us_tx slot;
	struct us_chunk **frag;
	bool starved;
	bool watched;
	struct us_link_told told;
	struct us_nc_authority authority[US_NC_AUTHORITIES];
	struct us_nc_flow flow[NETCHANNEL_FLOWS_MAX];
	struct us_nc_way way[US_NC_WAYS];
};

static inline struct us_nc *us_nc_of(const struct us_link *link)
{
	return us_container(link, struct us_nc, link);
}

/* --- netchannel_area.c: the channel's memory; open and close */

int us_nc_open(struct us_stack *stack, const char *args, struct us_link **link);
void us_nc_close(struct us_link *link);

/* --- netchannel_flow.c: us_link_ops of the same names */

int us_nc_bind(struct us_link *link, struct us_flow *flow, uint32_t *id);
void us_nc_unbind(struct us_link *link, uint32_t id);
int us_nc_latch(struct us_link *link, uint32_t id, const struct us_addr *peer,
		uint16_t port, bool confirm);
/* Closes all authorities. */
void us_nc_flows_close(struct us_nc *nc);

/* --- netchannel_route.c */

int us_nc_route(struct us_link *link, const struct us_addr *remote,
		struct us_addr *local, uint32_t *mtu);
/* 0 if the kernel has @local, or it is all zero; -EADDRNOTAVAIL. */
int us_nc_check_local(const struct us_addr *local);

#endif /* US_LINK_NETCHANNEL_H */
