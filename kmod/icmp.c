// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors that quote a packet of a flow: the channel gets a copy, and the
 * kernel gets the error all the same.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/xfrm.h>
#include "nc.h"

#define ICMP_HEADER	8
#define QUOTE_MAX	68	/* IPv4 header with options, and 8 bytes */

static bool is_error(bool ipv4, u8 type)
{
	if (!ipv4)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

static u32 mtu_of(bool ipv4, const u8 *icmp)
{
	if (ipv4 && icmp[0] == ICMP_DEST_UNREACH && icmp[1] == ICMP_FRAG_NEEDED)
		return nc_get16(icmp + 6);
	if (!ipv4 && icmp[0] == ICMPV6_PKT_TOOBIG)
		return (u32)nc_get16(icmp + 4) << 16 | nc_get16(icmp + 6);
	return 0;
}

static bool checksum_valid(const struct sk_buff *skb, bool ipv4, u32 offset)
{
	u32 length = skb->len - offset;
	__wsum sum;

	if (nc_checksum_known(skb))
		return true;
	sum = skb_checksum(skb, offset, length, 0);
	if (ipv4)
		return !csum_fold(sum);
	return !csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr,
				length, IPPROTO_ICMPV6, sum);
}

/* EARLY, packets like this one came by the device below, and had a tag. */
static struct nc_flow *find_below(struct nc_table *table,
				  const struct net_device *dev, struct nc_key key)
{
	const struct net_device *below;
	struct nc_flow *flow;

	if (!is_vlan_dev(dev))
		return NULL;
	below = vlan_dev_real_dev(dev);
	if (!net_eq(dev_net(below), dev_net(dev)))
		return NULL;
	key.ifindex = below->ifindex;
	key.vlan = vlan_dev_vlan_id(dev);
	flow = nc_flow_lookup(table, &key);
	return flow && flow->hook == NETCHANNEL_HOOK_EARLY ? flow : NULL;
}

/* The quote is of a packet of the same version, as icmp_rcv() and icmpv6_rcv() take it. */
static struct nc_flow *find_flow(struct nc_table *table,
				 const struct sk_buff *skb, u32 offset,
				 u8 family, struct nc_key *key)
{
	u32 avail = min_t(u32, skb->len - offset, QUOTE_MAX);
	u8 buf[QUOTE_MAX];
	struct nc_headers h;
	const u8 *quote;

	quote = skb_header_pointer(skb, offset, avail, buf);
	if (!quote ||
	    nc_parse(quote, avail, NC_PARSE_QUOTE, &h, key) != NC_PARSE_OK ||
	    key->family != family ||
	    !nc_table_wants(table, key->protocol, key->local_port))
		return NULL;
	key->ifindex = skb->dev->ifindex;
	return find_below(table, skb->dev, *key) ?: nc_flow_lookup(table, key);
}

/* As for the packet that it is about, and as icmp_rcv() and icmpv6_rcv() do. */
static bool may_know(struct nc_flow *flow, struct net *net, struct sk_buff *skb,
		     const struct nc_key *key)
{
	return nc_latch_serves(flow, key) &&
	       !nc_authority_yields(flow, net, skb, key) &&
	       xfrm_policy_check(NULL, XFRM_POLICY_IN, skb, key->family);
}

static void copy_error(struct nc_table *table, struct net *net,
		       struct sk_buff *skb, u32 offset, u32 mtu)
{
	bool ipv4 = skb->protocol == htons(ETH_P_IP);
	struct nc_key key;
	struct nc_rx_packet packet = {
		.skb = skb,
		.offset = offset,
		.length = skb->len - offset,
		.key = &key,
		.type = NETCHANNEL_RX_ERROR,
		.info = mtu,
	};
	struct nc_flow *flow;

	flow = find_flow(table, skb, offset + ICMP_HEADER,
			 ipv4 ? AF_INET : AF_INET6, &key);
	if (!flow || !may_know(flow, net, skb, &key) ||
	    !checksum_valid(skb, ipv4, offset))
		return;
	nc_rx_deliver(flow, &packet);
}

/**
 * nc_icmp_error() - copy an error about a flow to its channel
 * @table: flows of the namespace.
 * @net: the namespace.
 * @skb: an ICMP or ICMPv6 packet at local input; not changed, but its headers may be
 *	elsewhere after this.
 * @offset: of the ICMP header.
 */
void nc_icmp_error(struct nc_table *table, struct net *net, struct sk_buff *skb,
		   u32 offset)
{
	bool ipv4 = skb->protocol == htons(ETH_P_IP);
	u8 buf[ICMP_HEADER];
	const u8 *icmp;

	icmp = skb_header_pointer(skb, offset, sizeof(buf), buf);
	if (!icmp || !is_error(ipv4, icmp[0]) || skb->len == offset + 8)
		return;
	/* They may be on: see late_match(). */
	local_bh_disable();
	copy_error(table, net, skb, offset, mtu_of(ipv4, icmp));
	local_bh_enable();
}
