// SPDX-License-Identifier: GPL-2.0
/* Routes of outgoing packets, and whether their source address is ours. */
#include <linux/hash.h>
#include <linux/security.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>
#include "nc.h"
#include "compat.h"
#include "tx.h"

static int generation(const struct net *net, u8 family)
{
	if (family == AF_INET)
		return atomic_read(&net->ipv4.dev_addr_genid);
	return atomic_read(&net->ipv6.dev_addr_genid);
}

static u32 mark_of(const struct nc_flow *flow)
{
	return flow->sk ? READ_ONCE(flow->sk->sk_mark) : 0;
}

static int device_of(const struct nc_flow *flow)
{
	return flow->sk ? READ_ONCE(flow->sk->sk_bound_dev_if) : 0;
}

static bool may_broadcast(const struct nc_flow *flow, const struct rtable *rt)
{
	if (!(rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		return true;
	if (flow->key.protocol == IPPROTO_TCP)
		return false;
	return rt->rt_flags & RTCF_MULTICAST || !flow->sk ||
	       sock_flag(flow->sk, SOCK_BROADCAST);
}

static struct dst_entry *find_ipv4(struct net *net, struct nc_flow *flow,
				   const struct nc_key *key, u8 dsfield)
{
	struct sock *sk = flow->sk;
	struct rtable *rt;
	struct flowi4 fl4;

	if (inet_addr_type(net, key->local.w[0]) != RTN_LOCAL)
		return ERR_PTR(-EADDRNOTAVAIL);
	flowi4_init_output(&fl4, device_of(flow), mark_of(flow),
			   nc_route_tos(dsfield), RT_SCOPE_UNIVERSE,
			   key->protocol, sk ? inet_sk_flowi_flags(sk) : 0,
			   key->remote.w[0], key->local.w[0], key->remote_port,
			   key->local_port, sock_net_uid(net, sk));
	if (sk)
		security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl4));
	rt = ip_route_output_flow(net, &fl4, sk);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	if (!may_broadcast(flow, rt)) {
		ip_rt_put(rt);
		return ERR_PTR(-EPERM);
	}
	return &rt->dst;
}

static bool link_local(const struct nc_key *key)
{
	return ipv6_addr_type((const void *)&key->remote) & IPV6_ADDR_LINKLOCAL;
}

static struct dst_entry *find_ipv6(struct net *net, struct nc_flow *flow,
				   const struct nc_key *key, u8 dsfield)
{
	struct sock *sk = flow->sk;
	struct flowi6 fl6 = {
		.flowi6_oif = device_of(flow),
		.flowi6_mark = mark_of(flow),
		.flowi6_proto = key->protocol,
		.flowlabel = htonl((u32)dsfield << 20),
		.flowi6_uid = sock_net_uid(net, sk),
		.fl6_sport = key->local_port,
		.fl6_dport = key->remote_port,
	};

	memcpy(&fl6.saddr, &key->local, sizeof(fl6.saddr));
	memcpy(&fl6.daddr, &key->remote, sizeof(fl6.daddr));
	if (!ipv6_chk_addr(net, &fl6.saddr, NULL, 0))
		return ERR_PTR(-EADDRNOTAVAIL);
	if (key->protocol == IPPROTO_TCP && ipv6_addr_is_multicast(&fl6.daddr))
		return ERR_PTR(-EPERM);
	if (!fl6.flowi6_oif && link_local(key))
		fl6.flowi6_oif = flow->key.ifindex;
	if (sk)
		security_sk_classify_flow(sk, flowi6_to_flowi_common(&fl6));
	return ip6_dst_lookup_flow(net, sk, &fl6, NULL);
}

static struct nc_route *cache_slot(struct nc_channel *ch,
				   const struct nc_flow *flow,
				   const struct nc_key *key)
{
	__be32 address = key->remote.w[0] ^ key->remote.w[3] ^
			 key->local.w[0] ^ key->local.w[3];
	u32 mix = (__force u32)address ^ (__force u16)key->remote_port ^
		  flow->id;

	return &ch->tx.route[hash_32(mix, ilog2(NC_ROUTES))];
}

static bool cached(const struct nc_route *route, const struct nc_flow *flow,
		   const struct nc_key *key, u8 dsfield, int genid)
{
	return route->dst && route->flow == flow->id &&
	       route->dsfield == dsfield && route->genid == genid &&
	       route->mark == mark_of(flow) &&
	       route->device == device_of(flow) &&
	       nc_key_equal(&route->key, key) &&
	       dst_check(route->dst, route->cookie);
}

static void remember(struct nc_route *route, const struct nc_flow *flow,
		     const struct nc_key *key, u8 dsfield, int genid,
		     struct dst_entry *dst)
{
	dst_release(route->dst);
	route->key = *key;
	route->flow = flow->id;
	route->mark = mark_of(flow);
	route->device = device_of(flow);
	route->dsfield = dsfield;
	route->genid = genid;
	route->cookie = 0;
	if (key->family == AF_INET6)
		route->cookie = rt6_get_cookie((const struct rt6_info *)dst);
	route->dst = dst;
	route->uncopied = false;
	route->trying = false;
	route->pause = 0;
	route->failed = 0;
}

/**
 * nc_route_get() - route of a packet
 * @ch: the channel, kicked, in a namespace.
 * @flow: the flow that allows the packet.
 * @key: its key.
 * @dsfield: its TOS or traffic class.
 *
 * Return: the route, good until the next call, or an error pointer:
 * -EADDRNOTAVAIL if the source is no local unicast address, -EPERM if the packet
 * may not go to so many, or what routing says.
 */
struct nc_route *nc_route_get(struct nc_channel *ch, struct nc_flow *flow,
			      const struct nc_key *key, u8 dsfield)
{
	struct nc_route *route = cache_slot(ch, flow, key);
	int genid = generation(ch->net, key->family);
	struct dst_entry *dst;

	lockdep_assert_held(&ch->tx.lock);
	if (!cached(route, flow, key, dsfield, genid)) {
		if (key->family == AF_INET)
			dst = find_ipv4(ch->net, flow, key, dsfield);
		else
			dst = find_ipv6(ch->net, flow, key, dsfield);
		if (IS_ERR(dst))
			return ERR_CAST(dst);
		remember(route, flow, key, dsfield, genid, dst);
	}
	return route;
}

#define PAUSE_LEAST	64
#define PAUSE_MOST	16384

/* What became of the trial, if that is known by now. */
static void look_at_trial(struct nc_channel *ch, struct nc_route *route)
{
	u32 slot = route->trial & (nc_channel_area(ch)->layout.tx_depth - 1);
	const struct nc_tx_slot *tried = &ch->tx.slot[slot];

	if (tried->index == route->trial && test_bit(slot, ch->tx.busy))
		return;
	route->trying = false;
	/* Somebody else's by now: the next one will tell. */
	if (tried->index != route->trial)
		return;
	route->uncopied = !READ_ONCE(tried->copied);
	route->failed = route->uncopied ? 0 :
			clamp_t(u32, route->failed * 2, PAUSE_LEAST, PAUSE_MOST);
	route->pause = route->failed;
}

/**
 * nc_route_refers() - shall a packet refer to the owner's memory?
 * @ch: the channel, kicked.
 * @route: from nc_route_get().
 * @index: running index of the packet's descriptor.
 *
 * Where a packet crosses a virtual device it depends on who takes it in the end:
 * a channel at device ingress does without a copy, a socket of this machine makes
 * one, which costs more than to copy here.  So it is tried, one packet at a time,
 * and ever less often where it failed.
 *
 * Return: true if so; the packet may be a trial.
 */
bool nc_route_refers(struct nc_channel *ch, struct nc_route *route, u32 index)
{
	lockdep_assert_held(&ch->tx.lock);
	if (route->trying)
		look_at_trial(ch, route);
	if (route->trying)
		return route->uncopied;
	if (route->pause) {
		route->pause--;
		return false;
	}
	route->trying = true;
	route->trial = index;
	return true;
}

/**
 * nc_route_copies() - a packet that was to refer cannot: it was no trial
 * @route: from nc_route_get().
 * @index: of the packet's descriptor.
 */
void nc_route_copies(struct nc_route *route, u32 index)
{
	if (!route->trying || route->trial != index)
		return;
	route->trying = false;
	route->pause = PAUSE_LEAST;
}

/**
 * nc_route_flush() - forget all routes of a channel
 * @ch: the channel.
 */
void nc_route_flush(struct nc_channel *ch)
{
	u32 i;

	lockdep_assert_held(&ch->tx.lock);
	for (i = 0; ch->tx.route && i < NC_ROUTES; i++) {
		dst_release(ch->tx.route[i].dst);
		ch->tx.route[i].dst = NULL;
	}
}
