// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks: whose packet is it, and what would the kernel's own transport
 * check before it took it?
 */
#include <linux/icmp.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "nc.h"

#define PRIORITY_LATE	(INT_MAX - 2)	/* behind the firewall */

/* What the transport does before it takes a packet: IPsec, socket filter. */
static int check_policy(const struct nc_flow *flow, struct sk_buff *skb,
			u32 transport)
{
	int err;

	if (!xfrm_policy_check(flow->sk, XFRM_POLICY_IN, skb,
			       flow->key.family))
		return NETCHANNEL_RX_DROP_POLICY;
	if (!flow->sk)
		return 0;
	if (!pskb_may_pull(skb, transport))
		return NETCHANNEL_RX_DROP_NOMEM;
	skb_set_transport_header(skb, transport);
	__skb_pull(skb, transport);
	/* Never trimmed: what the owner gets is the packet that came. */
	err = sk_filter_trim_cap(flow->sk, skb, skb->len);
	__skb_push(skb, transport);
	return err ? NETCHANNEL_RX_DROP_FILTER : 0;
}

/* Conntrack would do it next: we are in front of it, the packet ends here. */
static int confirm(struct sk_buff *skb)
{
	const struct nf_ct_hook *hook;
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	if (!ct || nf_ct_is_confirmed(ct))
		return 0;
	hook = rcu_dereference(nf_ct_hook);
	if (!hook || hook->confirm(skb) == NF_ACCEPT)
		return 0;
	return NETCHANNEL_RX_DROP_CONNTRACK;
}

static void refuse(const struct nc_flow *flow, struct sk_buff *skb)
{
	if (flow->key.family == AF_INET)
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	else
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
}

/* The kernel's TCP answers with RST, since nobody listens there. */
static unsigned int late_refused(struct nc_flow *flow, struct sk_buff *skb)
{
	nc_rx_drop(flow, NETCHANNEL_RX_REFUSED);
	if (flow->key.protocol == IPPROTO_TCP)
		return NF_ACCEPT;
	refuse(flow, skb);
	return NF_DROP;
}

static unsigned int deliver(struct nc_flow *flow,
			    const struct nc_rx_packet *packet)
{
	if (!nc_rx_deliver(flow, packet))
		return NF_DROP;
	/* Softirqs are off; who sends next takes the head from this CPU's cache. */
	napi_consume_skb(packet->skb, 1);
	return NF_STOLEN;
}

static unsigned int late_take(struct nc_flow *flow,
			      const struct nc_rx_packet *packet)
{
	int counter = check_policy(flow, packet->skb, packet->transport);

	if (!counter)
		counter = confirm(packet->skb);
	if (!counter)
		return deliver(flow, packet);
	nc_rx_drop(flow, counter);
	return NF_DROP;
}

/*
 * What was sent to everybody: TCP never takes it, not even if only the frame
 * was, and other flows take it only if they name its address.
 */
static bool for_everybody(const struct nc_flow *flow, const struct sk_buff *skb,
			  const struct nc_key *key)
{
	if (key->protocol == IPPROTO_TCP && skb->pkt_type != PACKET_HOST)
		return true;
	if (NC_RANK_LOCAL(flow->key.rank))
		return false;
	if (key->family == AF_INET6)
		return ipv6_addr_is_multicast((const void *)&key->local);
	return skb_rtable(skb) && skb_rtable(skb)->rt_flags &
				  (RTCF_BROADCAST | RTCF_MULTICAST);
}

static unsigned int match(struct nc_table *table, struct net *net,
			  const struct nc_rx_packet *packet, bool unseen)
{
	struct nc_flow *flow = nc_flow_recall(table, packet->key);
	struct sk_buff *skb = packet->skb;

	if (!flow || for_everybody(flow, skb, packet->key))
		return NF_ACCEPT;
	if (nc_authority_yields(flow, net, skb, packet->key)) {
		nc_rx_drop(flow, NETCHANNEL_RX_YIELDED);
		return NF_ACCEPT;
	}
	/* Nor may our peer find the kernel's transport there, and be reset. */
	if (unlikely(unseen)) {
		nc_rx_drop(flow, NETCHANNEL_RX_DROP_HEADER);
		return NF_DROP;
	}
	switch (nc_latch_check(flow, packet)) {
	case NC_LATCH_PASS:
		return NF_ACCEPT;
	case NC_LATCH_REFUSE:
		return late_refused(flow, skb);
	default:
		nc_demux_learn(table->demux, net, skb);
		return late_take(flow, packet);
	}
}

/*
 * Behind a queue to user space this runs in the process that let the packet
 * pass, with softirqs on; and what we do here is not to be interrupted by them.
 */
static unsigned int late_match(struct nc_table *table, struct net *net,
			       const struct nc_rx_packet *packet, bool unseen)
{
	unsigned int verdict;

	local_bh_disable();
	verdict = match(table, net, packet, unseen);
	local_bh_enable();
	return verdict;
}

/* Ports, if the protocol has them; false if the packet is too short. */
static __always_inline bool find_ports(const struct sk_buff *skb, u32 transport,
				       struct nc_key *key)
{
	const u8 *ports;
	u8 buf[4];

	if (!nc_has_ports(key->protocol))
		return true;
	ports = skb_header_pointer(skb, transport, sizeof(buf), buf);
	if (ports)
		nc_parse_ports(ports, NC_PARSE_IN, key);
	return ports;
}

static noinline unsigned int late_ipv4_wanted(struct nc_table *table,
					      struct sk_buff *skb,
					      const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct nc_key key = {
		.family = AF_INET,
		.protocol = iph->protocol,
		.ifindex = skb->dev->ifindex,
	};
	struct nc_rx_packet packet = {
		.skb = skb,
		.length = skb->len,
		.transport = ip_hdrlen(skb),
		.key = &key,
		.type = NETCHANNEL_RX_PACKET,
	};

	key.local.w[0] = iph->daddr;
	key.remote.w[0] = iph->saddr;
	/* This may move the headers. */
	if (iph->protocol == IPPROTO_ICMP)
		nc_icmp_error(table, state->net, skb, packet.transport);
	if (!find_ports(skb, packet.transport, &key))
		return NF_ACCEPT;
	return late_match(table, state->net, &packet, false);
}

static unsigned int late_ipv4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (likely(iph->protocol != IPPROTO_ICMP &&
		   !nc_wanted(priv, skb, ip_hdrlen(skb), iph->protocol)))
		return NF_ACCEPT;
	return late_ipv4_wanted(priv, skb, state);
}

/* An atomic fragment, whole in itself, is none. */
static bool is_fragment(const u8 *header)
{
	return nc_get16(header + 2) & ~6u;
}

/*
 * What only the kernel knows an answer to.  Of hop-by-hop options it has looked at those
 * that come first, as it does not take others.
 */
static bool is_the_kernels(u8 nexthdr, const u8 *header, bool first)
{
	switch (nexthdr) {
	case NEXTHDR_HOP:
		return !first;
	case NEXTHDR_FRAGMENT:
		return is_fragment(header);
	case NEXTHDR_ROUTING:
		return header[3];
	default:
		return nexthdr != NEXTHDR_DEST;
	}
}

/*
 * What stands between IPv6 header and transport.  The kernel has dealt with
 * hop-by-hop options, but will look at the others only behind this hook: so
 * fragments, AH and packets that travel on are left to it.  @unseen: headers that
 * it would have to look at before anybody may have the packet.
 */
static bool find_transport(const struct sk_buff *skb, u8 *nexthdr,
			   u32 *transport, bool *unseen)
{
	const u8 *header;
	u8 buf[8];

	*unseen = false;
	*transport = sizeof(struct ipv6hdr);
	while (unlikely(ipv6_ext_hdr(*nexthdr))) {
		header = skb_header_pointer(skb, *transport, sizeof(buf), buf);
		if (!header || is_the_kernels(*nexthdr, header,
					      *transport == sizeof(struct ipv6hdr)))
			return false;
		if (*nexthdr == NEXTHDR_ROUTING || *nexthdr == NEXTHDR_DEST)
			*unseen = true;
		*transport += *nexthdr == NEXTHDR_FRAGMENT ? 8 :
			      (header[1] + 1) * 8;
		*nexthdr = header[0];
	}
	return true;
}

static noinline unsigned int late_ipv6_wanted(struct nc_table *table,
					      struct sk_buff *skb,
					      const struct nf_hook_state *state)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	struct nc_key key = {
		.family = AF_INET6,
		.protocol = iph->nexthdr,
		.ifindex = skb->dev->ifindex,
	};
	struct nc_rx_packet packet = {
		.skb = skb,
		.length = skb->len,
		.key = &key,
		.type = NETCHANNEL_RX_PACKET,
	};
	bool unseen;

	if (!find_transport(skb, &key.protocol, &packet.transport, &unseen))
		return NF_ACCEPT;
	memcpy(&key.local, &iph->daddr, sizeof(key.local));
	memcpy(&key.remote, &iph->saddr, sizeof(key.remote));
	/* This may move the headers. */
	if (key.protocol == IPPROTO_ICMPV6 && !unseen)
		nc_icmp_error(table, state->net, skb, packet.transport);
	if (!find_ports(skb, packet.transport, &key) ||
	    !nc_table_wants(table, key.protocol, key.local_port))
		return NF_ACCEPT;
	return late_match(table, state->net, &packet, unseen);
}

static unsigned int late_ipv6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	u8 protocol = ipv6_hdr(skb)->nexthdr;

	if (likely(nc_has_ports(protocol) &&
		   !nc_wanted(priv, skb, sizeof(struct ipv6hdr), protocol)))
		return NF_ACCEPT;
	return late_ipv6_wanted(priv, skb, state);
}

/* Hooks at local input; @priv becomes the table of the namespace. */
const struct nf_hook_ops nc_hook_late[2] = {
	{
		.hook = late_ipv4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = PRIORITY_LATE,
	}, {
		.hook = late_ipv6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = PRIORITY_LATE,
	},
};

/* A source of 0.0.0.0 is right where all are addressed, for DHCP. */
static bool martian_ipv4(__be32 src, __be32 dst)
{
	return ipv4_is_loopback(src) || ipv4_is_loopback(dst) ||
	       ipv4_is_multicast(src) || ipv4_is_lbcast(src) ||
	       (ipv4_is_zeronet(src) && (src || !ipv4_is_lbcast(dst)));
}

static bool martian_ipv6(const struct in6_addr *src, const struct in6_addr *dst)
{
	return ipv6_addr_loopback(src) || ipv6_addr_loopback(dst) ||
	       ipv6_addr_is_multicast(src);
}

/* Addresses that do not come from outside. */
static bool martian(const struct sk_buff *skb, const struct nc_key *key)
{
	if (skb->dev->flags & IFF_LOOPBACK)
		return false;
	if (key->family == AF_INET)
		return martian_ipv4(key->remote.w[0], key->local.w[0]);
	return martian_ipv6((const void *)&key->remote,
			    (const void *)&key->local);
}

/* What ip_rcv(), ip6_rcv() and routing would have checked. */
static bool early_valid(const struct sk_buff *skb, const struct nc_key *key,
			const u8 *data, const struct nc_headers *h)
{
	/* With the ports that the flow was found by. */
	u32 needed = h->transport + (nc_has_ports(key->protocol) ? 8 : 0);

	if (h->length < needed || h->length > skb->len || martian(skb, key))
		return false;
	return data[0] >> 4 == 6 || !ip_fast_csum(data, 5);
}

static unsigned int early_take(struct nc_flow *flow, struct sk_buff *skb,
			       const struct nc_key *key, const u8 *data,
			       const struct nc_headers *h)
{
	struct nc_rx_packet packet = {
		.skb = skb,
		.length = h->length,
		.transport = h->transport,
		.key = key,
		.type = NETCHANNEL_RX_PACKET,
	};

	if (!early_valid(skb, key, data, h)) {
		nc_rx_drop(flow, NETCHANNEL_RX_DROP_HEADER);
		return NF_DROP;
	}
	/*
	 * Else nothing is passed on after a match.  But who is not served here
	 * is told so by the LATE hook, which matches the same flow.
	 */
	if (nc_latch_check(flow, &packet) != NC_LATCH_TAKE)
		return NF_ACCEPT;
	return deliver(flow, &packet);
}

static noinline unsigned int early_wanted(struct nc_table *table,
					  struct sk_buff *skb, u32 transport)
{
	struct nc_headers h __uninitialized;
	struct nc_flow *flow;
	struct nc_key key __uninitialized;
	const u8 *data;
	u8 buf[48] __uninitialized;

	data = skb_header_pointer(skb, 0, transport + 8, buf);
	/* Options and fragments: the LATE hook sees what becomes of them. */
	if (!data || nc_parse(data, transport + 8, NC_PARSE_IN, &h, &key) !=
		     NC_PARSE_OK)
		return NF_ACCEPT;
	/* The kernel will drop what is not of the version that it claims. */
	if (key.family != (skb->protocol == htons(ETH_P_IP) ? AF_INET :
							      AF_INET6))
		return NF_ACCEPT;
	key.ifindex = skb->dev->ifindex;
	if (skb_vlan_tag_present(skb))
		key.vlan = skb_vlan_tag_get_id(skb);
	flow = nc_flow_recall(table, &key);
	if (!flow || flow->hook != NETCHANNEL_HOOK_EARLY)
		return NF_ACCEPT;
	return early_take(flow, skb, &key, data, &h);
}

/* Headers outside of the linear part are looked for behind it. */
static __always_inline bool early_wants(const struct nc_table *table,
					const struct sk_buff *skb,
					u32 transport, u32 protocol)
{
	if (unlikely(skb_headlen(skb) < transport + 4))
		return true;
	return nc_wanted(table, skb, transport, skb->data[protocol]);
}

/**
 * nc_hook_early() - a packet at device ingress
 * @priv: table of the namespace.
 * @skb: the packet, from the network header on; not to be changed, since packet
 *	sockets may hold it too.
 * @state: not used.
 *
 * Return: a netfilter verdict.
 */
unsigned int nc_hook_early(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	u32 transport = sizeof(struct iphdr);
	u32 protocol = offsetof(struct iphdr, protocol);

	if (skb->protocol == htons(ETH_P_IPV6)) {
		transport = sizeof(struct ipv6hdr);
		protocol = offsetof(struct ipv6hdr, nexthdr);
	} else if (skb->protocol != htons(ETH_P_IP)) {
		return NF_ACCEPT;
	}
	if (likely(!early_wants(priv, skb, transport, protocol)) ||
	    skb->pkt_type != PACKET_HOST)
		return NF_ACCEPT;
	return early_wanted(priv, skb, transport);
}
