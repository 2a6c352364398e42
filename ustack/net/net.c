// SPDX-License-Identifier: MIT
/* The network layer's life, and which way a received packet takes. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "net/priv.h"

/**
 * us_net_create() - gives a stack its network layer
 * @stack: whose random source is seeded and whose wheel turns.
 *
 * Return: 0 or -ENOMEM.
 */
int us_net_create(struct us_stack *stack)
{
	int err;

	stack->net = calloc(1, sizeof(*stack->net));
	if (!stack->net)
		return -ENOMEM;
	us_behind_empty(&stack->behind);
	us_net_register(stack, IPPROTO_ICMP, &us_icmp4_protocol);
	us_net_register(stack, IPPROTO_ICMPV6, &us_icmp6_protocol);
	err = us_neigh_create(stack);
	if (err)
		us_net_destroy(stack);
	return err;
}

/**
 * us_net_destroy() - ends the network layer
 * @stack: its links are still open; harmless if it has no network layer.
 */
void us_net_destroy(struct us_stack *stack)
{
	if (!stack->net)
		return;
	us_neigh_destroy(stack);
	free(stack->net);
	stack->net = NULL;
}

/**
 * us_net_register() - gives packets of a protocol to a transport
 * @stack: the stack.
 * @protocol: IPPROTO_*.
 * @ops: the transport.
 */
void us_net_register(struct us_stack *stack, uint8_t protocol,
		     const struct us_protocol *ops)
{
	stack->net->protocol[protocol] = ops;
}

/**
 * us_net_deliver() - gives a packet to its transport
 * @stack: the stack.
 * @pkt: consumed; data is the transport header.
 * @protocol: IPPROTO_*.
 * @src: source address.
 * @dst: destination address.
 */
void us_net_deliver(struct us_stack *stack, struct us_pkt *pkt,
		    uint8_t protocol, const struct us_addr *src,
		    const struct us_addr *dst)
{
	const struct us_protocol *ops = stack->net->protocol[protocol];

	if (us_likely(ops)) {
		ops->input(stack, pkt, src, dst);
		return;
	}
	us_count(stack, ip_no_protocol);
	us_icmp_protocol_unreachable(stack, pkt);
	us_pkt_put(pkt);
}

/* Takes the Ethernet header off.  False: not for this host. */
static bool eth_input(struct us_pkt *pkt, uint16_t *type, bool *group)
{
	const struct us_eth *eth = (const void *)pkt->data;

	if (pkt->len < US_ETH_LEN)
		return false;
	*type = us_get16(eth->type);
	*group = us_eth_is_multicast(eth->dst);
	if (!*group && memcmp(eth->dst, pkt->link->mac, US_ETH_ADDR))
		return false;
	us_pkt_pull(pkt, US_ETH_LEN);
	return true;
}

/* In its own word, too. */
static bool is_ip(const struct us_pkt *pkt, uint16_t type)
{
	return pkt->len && ((type == US_ETHERTYPE_IPV4 && pkt->data[0] >> 4 == 4) ||
			    (type == US_ETHERTYPE_IPV6 && pkt->data[0] >> 4 == 6));
}

/* Something is held, or this is so long that it may be.  Others are not to pay for it. */
static bool merges(const struct us_stack *stack, const struct us_pkt *pkt)
{
	return stack->behind.first || (pkt->len >= US_MERGE_LEAST && !pkt->gso);
}

/**
 * us_net_input() - takes a packet from a link
 * @stack: the stack.
 * @pkt: consumed; see us_upcalls.link_input.
 */
void us_net_input(struct us_stack *stack, struct us_pkt *pkt)
{
	uint16_t type = 0;
	bool group = false;

	if (us_unlikely(pkt->error)) {
		us_merge_flush(stack);
		us_icmp_link_error(stack, pkt);
		return;
	}
	if (pkt->link->flags & US_LINK_ETHERNET) {
		if (!eth_input(pkt, &type, &group))
			type = 0;
	} else if (pkt->len) {
		type = pkt->data[0] >> 4 == 4 ? US_ETHERTYPE_IPV4 :
		       pkt->data[0] >> 4 == 6 ? US_ETHERTYPE_IPV6 : 0;
	}
	if (merges(stack, pkt) && !group && is_ip(pkt, type) && us_merge_input(stack, pkt))
		return;
	switch (type) {
	case US_ETHERTYPE_IPV4:
		us_ipv4_input(stack, pkt, group);
		return;
	case US_ETHERTYPE_IPV6:
		us_ipv6_input(stack, pkt, group);
		return;
	case US_ETHERTYPE_ARP:
		us_arp_input(stack, pkt);
		return;
	default:
		us_count(stack, ip_not_ours);
		us_pkt_put(pkt);
	}
}
