// SPDX-License-Identifier: MIT
/* Neighbour discovery (RFC 4861) for addresses that were set by hand. */
#include <netinet/in.h>

#include "net/priv.h"
#include "wire/icmp.h"
#include "wire/ipv6.h"

static const struct us_addr all_nodes = { .b = { 0xff, 0x02, [15] = 1 } };

/**
 * us_nd_group() - the solicited-node multicast address
 * @addr: an IPv6 address.
 *
 * Return: ff02::1:ffXX:XXXX (RFC 4291 2.7.1).
 */
struct us_addr us_nd_group(const struct us_addr *addr)
{
	struct us_addr group = {
		.b = { 0xff, 0x02, [11] = 1, [12] = 0xff }
	};

	memcpy(&group.b[13], &addr->b[13], 3);
	return group;
}

/* RFC 2464 7 */
static void group_mac(const struct us_addr *group, uint8_t mac[US_ETH_ADDR])
{
	mac[0] = 0x33;
	mac[1] = 0x33;
	memcpy(mac + 2, &group->b[12], 4);
}

static void send_nd(struct us_dst *dst, const uint8_t mac[US_ETH_ADDR],
		    uint8_t type, uint32_t flags, const struct us_addr *target,
		    uint8_t option)
{
	struct us_tx *tx = us_ip_reserve(dst->link->stack, dst, 0);
	struct us_nd_opt *opt;
	struct us_nd *nd;

	if (!tx)
		return;
	dst->ttl = US_ND_HOPS;
	nd = (void *)(tx->head + tx->l4);
	nd->icmp = (struct us_icmp) { type, 0, us_put16(0), us_put32(flags) };
	memcpy(nd->target, target->b, 16);
	opt = (void *)(nd + 1);
	opt->type = option;
	opt->len = 1;
	memcpy(opt->mac, dst->link->mac, US_ETH_ADDR);
	tx->inline_len = tx->l4 + (uint32_t)(sizeof(*nd) + sizeof(*opt));
	us_csum_output(dst, tx, IPPROTO_ICMPV6, offsetof(struct us_icmp, csum));
	us_ip_send(dst, tx, IPPROTO_ICMPV6, mac);
}

/**
 * us_nd_solicit() - asks for the MAC of an IPv6 address
 * @stack: the stack.
 * @link: where to ask.
 * @addr: the address.
 * @mac: whom to ask; NULL: the address's group.
 */
void us_nd_solicit(struct us_stack *stack, struct us_link *link,
		   const struct us_addr *addr, const uint8_t *mac)
{
	const struct us_addr *source = us_net_source(stack->net, link, addr);
	struct us_addr group = us_nd_group(addr);
	uint8_t to[US_ETH_ADDR];
	struct us_dst dst;

	if (!source)
		return;
	us_dst_on_link(&dst, link, source, mac ? addr : &group);
	group_mac(&group, to);
	send_nd(&dst, mac ? mac : to, US_ICMP6_NEIGHBOR_SOLICIT, 0, addr,
		US_ND_OPT_SOURCE_MAC);
}

/* The MAC in an option of the given type, or NULL; false: the options are bad. */
static bool find_option(const struct us_pkt *pkt, uint8_t type,
			const uint8_t **mac)
{
	uint32_t at = US_ND_LEN;

	*mac = NULL;
	while (at < pkt->len) {
		const struct us_nd_opt *opt = (const void *)(pkt->data + at);

		if (pkt->len - at < sizeof(*opt) || !opt->len ||
		    opt->len * 8u > pkt->len - at)
			return false;
		if (opt->type == type && !us_eth_is_multicast(opt->mac) &&
		    !us_eth_is_zero(opt->mac))
			*mac = opt->mac;
		at += opt->len * 8u;
	}
	return true;
}

/* RFC 4861 7.1.1: who asks without an address asks the group, and gives no MAC. */
static bool check_solicit(const struct us_addr *src, const struct us_addr *dst,
			  const struct us_addr *target, const uint8_t *mac)
{
	struct us_addr group = us_nd_group(target);

	return !us_addr_is_any(src) || (us_addr_equal(dst, &group) && !mac);
}

static void solicited(struct us_stack *stack, const struct us_pkt *pkt,
		      const struct us_addr *src, const struct us_addr *target,
		      const uint8_t *mac)
{
	const struct us_net_address *ours = us_net_find_address(stack->net,
								target);
	bool unspecified = us_addr_is_any(src);
	uint8_t to[US_ETH_ADDR];
	struct us_dst dst;

	if (!ours || ours->link != pkt->link)
		return;
	us_dst_on_link(&dst, pkt->link, target, unspecified ? &all_nodes : src);
	if (unspecified) {
		group_mac(&all_nodes, to);
		mac = to;
	} else if (mac) {
		if (!pkt->link->fixed_peer)
			us_neigh_update(stack, pkt->link, src, mac,
					US_NEIGH_CREATE | US_NEIGH_OVERRIDE);
	} else {	/* a unicast question of one who knows us: from its frame */
		const struct us_eth *eth = (const void *)(pkt->network -
							  US_ETH_LEN);

		mac = eth->src;
	}
	send_nd(&dst, mac, US_ICMP6_NEIGHBOR_ADVERT, US_ND_OVERRIDE |
		(unspecified ? 0 : US_ND_SOLICITED), target,
		US_ND_OPT_TARGET_MAC);
}

static void advertised(struct us_stack *stack, const struct us_pkt *pkt,
		       uint32_t flags, const struct us_addr *target,
		       const uint8_t *mac)
{
	unsigned int update = 0;

	if (pkt->link->fixed_peer || us_net_find_address(stack->net, target))
		return;
	if (flags & US_ND_SOLICITED)
		update |= US_NEIGH_CONFIRM;
	if (flags & US_ND_OVERRIDE)
		update |= US_NEIGH_OVERRIDE;
	/* Who was asked by his MAC need not say it (RFC 4861 7.2.4). */
	if (mac)
		us_neigh_update(stack, pkt->link, target, mac, update);
	else if (flags & US_ND_SOLICITED)
		us_neigh_confirm(stack, pkt->link, target);
}

/* RFC 4861 7.1: nobody beyond the link can have sent it. */
static bool check(const struct us_pkt *pkt)
{
	const struct us_ipv6 *ip = (const void *)pkt->network;
	const struct us_nd *nd = (const void *)pkt->data;

	return pkt->link->flags & US_LINK_ETHERNET &&
	       ip->hops == US_ND_HOPS && pkt->len >= US_ND_LEN &&
	       nd->icmp.code == 0 && !us_ipv6_is_multicast(nd->target);
}

/**
 * us_nd_input() - takes a neighbour solicitation or advertisement
 * @stack: the stack.
 * @pkt: data is the ICMPv6 header, checksum verified; not consumed.
 * @src: source address.
 * @dst: destination address.
 */
void us_nd_input(struct us_stack *stack, const struct us_pkt *pkt,
		 const struct us_addr *src, const struct us_addr *dst)
{
	const struct us_nd *nd = (const void *)pkt->data;
	struct us_addr target;
	const uint8_t *mac;
	uint32_t flags;

	us_count(stack, nd_in);
	if (!check(pkt))
		goto bad;
	target = us_addr_from6(nd->target);
	if (us_addr_is_v4(&target))
		goto bad;
	flags = us_get32(nd->icmp.rest);
	if (nd->icmp.type == US_ICMP6_NEIGHBOR_SOLICIT) {
		if (!find_option(pkt, US_ND_OPT_SOURCE_MAC, &mac) ||
		    !check_solicit(src, dst, &target, mac))
			goto bad;
		solicited(stack, pkt, src, &target, mac);
	} else {
		if (!find_option(pkt, US_ND_OPT_TARGET_MAC, &mac) ||
		    (us_addr_is_group(dst) && flags & US_ND_SOLICITED))
			goto bad;
		advertised(stack, pkt, flags, &target, mac);
	}
	return;
bad:
	us_count(stack, nd_bad);
}
