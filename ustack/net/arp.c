// SPDX-License-Identifier: MIT
/* ARP (RFC 826). */
#include "net/priv.h"
#include "wire/arp.h"

static const uint8_t broadcast[US_ETH_ADDR] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff
};

static void send_arp(struct us_link *link, uint16_t op, const uint8_t *spa,
		     const uint8_t *tha, const uint8_t *tpa, const uint8_t *mac)
{
	struct us_tx *tx = link->ops->reserve(link, 0);
	struct us_arp *arp;

	if (!tx) {
		us_count(link->stack, ip_link_full);
		return;
	}
	us_eth_write(link, tx, mac, US_ETHERTYPE_ARP);
	arp = (void *)(tx->head + US_ETH_LEN);
	arp->hardware = us_put16(US_ARP_ETHERNET);
	arp->protocol = us_put16(US_ETHERTYPE_IPV4);
	arp->hardware_len = US_ETH_ADDR;
	arp->protocol_len = 4;
	arp->op = us_put16(op);
	memcpy(arp->sha, link->mac, US_ETH_ADDR);
	memcpy(arp->spa, spa, 4);
	memcpy(arp->tha, tha, US_ETH_ADDR);
	memcpy(arp->tpa, tpa, 4);
	tx->l3 = US_ETH_LEN;
	tx->l4 = US_ETH_LEN;
	tx->inline_len = US_ETH_LEN + US_ARP_LEN;
	link->ops->submit(link, tx);
}

/**
 * us_arp_solicit() - asks for the MAC of an IPv4 address
 * @stack: the stack.
 * @link: where to ask.
 * @addr: the address.
 * @mac: whom to ask; NULL: everybody.
 */
void us_arp_solicit(struct us_stack *stack, struct us_link *link,
		    const struct us_addr *addr, const uint8_t *mac)
{
	static const uint8_t unknown[US_ETH_ADDR];
	const struct us_addr *source = us_net_source(stack->net, link, addr);

	if (source)
		send_arp(link, US_ARP_REQUEST, &source->b[12], unknown,
			 &addr->b[12], mac ? mac : broadcast);
}

static bool check(const struct us_pkt *pkt)
{
	const struct us_arp *arp = (const void *)pkt->data;

	return pkt->len >= US_ARP_LEN &&
	       us_get16(arp->hardware) == US_ARP_ETHERNET &&
	       us_get16(arp->protocol) == US_ETHERTYPE_IPV4 &&
	       arp->hardware_len == US_ETH_ADDR && arp->protocol_len == 4 &&
	       !us_eth_is_multicast(arp->sha) && !us_eth_is_zero(arp->sha);
}

/* A neighbour is believed about addresses of its link that are not ours. */
static bool on_link(const struct us_net *net, const struct us_link *link,
		    const struct us_addr *addr)
{
	const struct us_net_route *route = us_net_lookup(net, addr);

	return route && route->link == link &&
	       us_addr_is_any(&route->gateway) && !us_net_find_address(net, addr);
}

/**
 * us_arp_input() - takes an ARP packet
 * @stack: the stack.
 * @pkt: consumed; data is the ARP packet.
 */
us_noinline void us_arp_input(struct us_stack *stack, struct us_pkt *pkt)
{
	const struct us_arp *arp = (const void *)pkt->data;
	const struct us_net_address *ours;
	struct us_addr sender, target;
	unsigned int flags = US_NEIGH_OVERRIDE;

	us_count(stack, arp_in);
	if (!check(pkt)) {
		us_count(stack, arp_bad);
		goto out;
	}
	sender = us_addr_from4(arp->spa);
	target = us_addr_from4(arp->tpa);
	ours = us_net_find_address(stack->net, &target);
	if (ours && ours->link != pkt->link)
		ours = NULL;
	if (!pkt->link->fixed_peer && on_link(stack->net, pkt->link, &sender)) {
		if (ours)
			flags |= US_NEIGH_CREATE;
		if (ours && us_get16(arp->op) == US_ARP_REPLY)
			flags = US_NEIGH_CONFIRM | US_NEIGH_OVERRIDE;
		us_neigh_update(stack, pkt->link, &sender, arp->sha, flags);
	}
	if (ours && us_get16(arp->op) == US_ARP_REQUEST)
		send_arp(pkt->link, US_ARP_REPLY, arp->tpa, arp->sha, arp->spa,
			 arp->sha);
out:
	us_pkt_put(pkt);
}
