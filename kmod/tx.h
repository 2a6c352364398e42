/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the sending side share. */
#ifndef _NC_TX_H
#define _NC_TX_H

#include "nc.h"

/**
 * struct nc_tx_fault - why a packet was not built
 * @counter: the cause, enum netchannel_counter.
 * @result: negative errno.
 * @info: with -EMSGSIZE: the MTU.
 */
struct nc_tx_fault {
	u32 counter;
	int result;
	u32 info;
};

/* As much may be in flight as the owner has paid for: arena and inline parts. */
static inline u64 nc_tx_limit(const struct nc_channel *ch)
{
	const struct netchannel_setup *layout = &nc_channel_area(ch)->layout;

	return layout->tx_data.length + layout->tx_inline.length;
}

/* tx.c */
void nc_tx_refer(struct nc_channel *ch, u32 index, struct sk_buff *skb);

/* packet.c */
int nc_packet_build(struct nc_channel *ch,
		    const struct netchannel_tx_desc *desc,
		    struct nc_tx_packet *packet, struct nc_tx_fault *fault);

/* route.c */
struct nc_route *nc_route_get(struct nc_channel *ch, struct nc_flow *flow,
			      const struct nc_key *key, u8 dsfield);
bool nc_route_refers(struct nc_channel *ch, struct nc_route *route, u32 index);
void nc_route_copies(struct nc_route *route, u32 index);

#endif /* _NC_TX_H */
