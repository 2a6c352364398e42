// SPDX-License-Identifier: GPL-2.0
/*
 * Early demultiplexing: a packet on its way to a LATE flow goes where the one before
 * it went, without a lookup of routes, as one to a connected socket does.  What a
 * route was looked up by is what it is remembered by, so that two packets share one
 * only if routing could not have told them apart.
 */
#include <linux/hash.h>
#include <linux/inetdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/percpu.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <net/dst.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/xfrm.h>
#include "nc.h"

#define SLOTS		64
#define PRIORITY	INT_MAX	/* behind all that may change the packet */

/**
 * struct input_key - what a packet that comes in is routed by
 * @local: destination.
 * @remote: source.
 * @ifindex: device.
 * @mark: of the packet.
 * @family: AF_INET or AF_INET6.
 * @dsfield: TOS or traffic class, without ECN.
 * @source: how the device wants sources to be looked at.
 * @word: all of it.
 */
struct input_key {
	union {
		struct {
			union nc_addr local;
			union nc_addr remote;
			u32 ifindex;
			u32 mark;
			u16 family;
			u16 dsfield;
			u32 source;
		};
		u64 word[6];
	};
};

/**
 * struct slot - a route
 * @lock: guards the others; who reads them without it looks at @seq.
 * @seq: changes with them.
 * @cookie: for dst_check().
 * @key: what it is for.
 * @dst: the route; a reference; NULL if there is none.
 */
struct slot {
	spinlock_t lock;
	seqcount_spinlock_t seq;
	u32 cookie;
	struct input_key key;
	struct dst_entry *dst;
};

/**
 * struct nc_demux - routes of a namespace
 * @slot: by hash.
 */
struct nc_demux {
	struct slot slot[SLOTS];
};

/**
 * struct missed - the packet that this CPU has no route for
 * @skb: the packet; compared, not looked into.
 * @genid: generation of the routes, then.
 * @key: what it will be routed by.
 */
struct missed {
	const struct sk_buff *skb;
	int genid;
	struct input_key key;
};

static DEFINE_PER_CPU(struct missed, missed);

/* What fib_validate_source() goes by, but for what flushes the routes when it changes. */
static u32 source_checks(const struct net_device *dev)
{
	struct in_device *in = __in_dev_get_rcu(dev);

	return in ? IN_DEV_RPFILTER(in) << 1 | IN_DEV_SRC_VMARK(in) : 0;
}

/* From 6.14 on IPv6 rules may look at the flow label, too. */
static void find_key(struct input_key *key, const struct sk_buff *skb)
{
	memset(key, 0, sizeof(*key));
	if (skb->protocol == htons(ETH_P_IP)) {
		key->family = AF_INET;
		key->local.w[0] = ip_hdr(skb)->daddr;
		key->remote.w[0] = ip_hdr(skb)->saddr;
		key->dsfield = ip_hdr(skb)->tos & ~INET_ECN_MASK;
		key->source = source_checks(skb->dev);
	} else {
		key->family = AF_INET6;
		memcpy(&key->local, &ipv6_hdr(skb)->daddr, sizeof(key->local));
		memcpy(&key->remote, &ipv6_hdr(skb)->saddr, sizeof(key->remote));
		key->dsfield = ipv6_get_dsfield(ipv6_hdr(skb)) & ~INET_ECN_MASK;
	}
	key->ifindex = skb->dev->ifindex;
	key->mark = skb->mark;
}

static bool equal(const struct input_key *a, const struct input_key *b)
{
	return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) |
		 (a->word[2] ^ b->word[2]) | (a->word[3] ^ b->word[3]) |
		 (a->word[4] ^ b->word[4]) | (a->word[5] ^ b->word[5]));
}

static struct slot *slot_of(struct nc_demux *demux, const struct input_key *key)
{
	u64 mix = key->word[0] ^ key->word[1] ^ key->word[2] ^ key->word[3] ^
		  key->word[4] ^ key->word[5];

	return &demux->slot[hash_64(mix, ilog2(SLOTS))];
}

static struct dst_entry *find(struct nc_demux *demux, const struct input_key *key)
{
	struct slot *slot = slot_of(demux, key);
	unsigned int seq = raw_read_seqcount(&slot->seq);
	struct dst_entry *dst = READ_ONCE(slot->dst);
	u32 cookie = READ_ONCE(slot->cookie);

	if (seq & 1 || !dst || !equal(&slot->key, key) ||
	    read_seqcount_retry(&slot->seq, seq))
		return NULL;
	return dst_check(dst, cookie);
}

/* Changes with every route and rule. */
static int generation(const struct net *net, u8 family)
{
	return family == AF_INET ? rt_genid_ipv4(net) : rt_genid_ipv6(net);
}

static noinline void miss(const struct net *net, const struct sk_buff *skb,
			  const struct input_key *key)
{
	struct missed *m;

	local_bh_disable();
	m = this_cpu_ptr(&missed);
	m->skb = skb;
	m->genid = generation(net, key->family);
	m->key = *key;
	local_bh_enable();
}

/*
 * Is the packet routed by what the key has, and nothing else?  In a VRF it is by the
 * device below, too; what came through IPsec has its source checked by that.
 */
static bool is_plain(const struct sk_buff *skb)
{
	return !skb_dst(skb) && !skb->sk && skb->pkt_type == PACKET_HOST &&
	       !secpath_exists(skb) && !netif_is_l3_master(skb->dev) &&
	       !netif_is_l3_slave(skb->dev);
}

static bool allowed(const struct net *net, u8 protocol)
{
	if (!READ_ONCE(net->ipv4.sysctl_ip_early_demux))
		return false;
	if (protocol == IPPROTO_TCP)
		return READ_ONCE(net->ipv4.sysctl_tcp_early_demux);
	return protocol != IPPROTO_UDP ||
	       READ_ONCE(net->ipv4.sysctl_udp_early_demux);
}

/* Rules that look at ports would have to see those of each packet. */
static bool rules_want_ports(const struct net *net, u8 family)
{
#ifdef CONFIG_IP_MULTIPLE_TABLES
	if (family == AF_INET)
		return net->ipv4.fib_rules_require_fldissect;
#endif
#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	if (family == AF_INET6)
		return net->ipv6.fib6_rules_require_fldissect;
#endif
	return false;
}

static void demux(struct nc_table *table, const struct net *net,
		  struct sk_buff *skb, u8 family, u8 protocol)
{
	struct input_key key __uninitialized;
	struct dst_entry *dst;

	/* Another one may have been where this one is. */
	this_cpu_write(missed.skb, NULL);
	if (!is_plain(skb) || !allowed(net, protocol) ||
	    rules_want_ports(net, family))
		return;
	find_key(&key, skb);
	dst = find(table->demux, &key);
	if (dst)
		skb_dst_set_noref(skb, dst);
	else
		miss(net, skb, &key);
}

static unsigned int demux_ipv4(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	u8 protocol = ip_hdr(skb)->protocol;

	if (unlikely(nc_wanted(priv, skb, ip_hdrlen(skb), protocol)))
		demux(priv, state->net, skb, AF_INET, protocol);
	return NF_ACCEPT;
}

static unsigned int demux_ipv6(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	u8 protocol = ipv6_hdr(skb)->nexthdr;

	if (unlikely(nc_has_ports(protocol) &&
		     nc_wanted(priv, skb, sizeof(struct ipv6hdr), protocol)))
		demux(priv, state->net, skb, AF_INET6, protocol);
	return NF_ACCEPT;
}

/* Hooks before routing; @priv becomes the table of the namespace. */
const struct nf_hook_ops nc_demux_hooks[2] = {
	{
		.hook = demux_ipv4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = PRIORITY,
	}, {
		.hook = demux_ipv6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = PRIORITY,
	},
};

static void replace(struct slot *slot, const struct input_key *key, u32 cookie,
		    struct dst_entry *dst)
{
	lockdep_assert_held(&slot->lock);
	write_seqcount_begin(&slot->seq);
	slot->key = *key;
	WRITE_ONCE(slot->cookie, cookie);
	WRITE_ONCE(slot->dst, dst);
	write_seqcount_end(&slot->seq);
}

/* All packets to an address may share a route: its count is not for every CPU to write. */
static void remember(struct slot *slot, const struct input_key *key, u32 cookie,
		     struct dst_entry *dst)
{
	struct dst_entry *old = NULL;

	spin_lock(&slot->lock);
	if (slot->dst == dst) {
		replace(slot, key, cookie, dst);
	} else if (dst_hold_safe(dst)) {
		old = slot->dst;
		replace(slot, key, cookie, dst);
	}
	spin_unlock(&slot->lock);
	dst_release(old);
}

/* From a route with a realm nobody would take the device when that goes away. */
static bool has_realm(const struct dst_entry *dst)
{
#ifdef CONFIG_IP_ROUTE_CLASSID
	return dst->tclassid;
#else
	return false;
#endif
}

static bool is_local(const struct input_key *key, const struct dst_entry *dst)
{
	if (key->family == AF_INET)
		return ((const struct rtable *)dst)->rt_type == RTN_LOCAL &&
		       !has_realm(dst);
	return ((const struct rt6_info *)dst)->rt6i_flags & RTF_LOCAL;
}

/*
 * Only what no hook in between has changed: else it was routed by something else.  And
 * the cookie has to be of the routes that it was looked up in.
 */
static noinline void learn(struct nc_demux *demux, const struct net *net,
			   const struct sk_buff *skb)
{
	struct missed *m = this_cpu_ptr(&missed);
	struct dst_entry *dst = skb_dst(skb);
	struct input_key key;
	u32 cookie = 0;

	m->skb = NULL;
	find_key(&key, skb);
	if (!dst || !equal(&key, &m->key) || !is_local(&key, dst))
		return;
	if (key.family == AF_INET6)
		cookie = rt6_get_cookie((const struct rt6_info *)dst);
	/* pairs with who changes routes first, and then the generation */
	smp_rmb();
	if (m->genid == generation(net, key.family))
		remember(slot_of(demux, &key), &key, cookie, dst);
}

/**
 * nc_demux_learn() - remember where a packet went, if that was not known
 * @demux: routes of the namespace.
 * @net: the namespace.
 * @skb: that a LATE flow takes.  Under RCU, softirqs off.
 */
void nc_demux_learn(struct nc_demux *demux, const struct net *net,
		    const struct sk_buff *skb)
{
	if (unlikely(this_cpu_read(missed.skb) == skb))
		learn(demux, net, skb);
}

/**
 * nc_demux_flush() - forget all routes
 * @demux: routes of the namespace.
 */
void nc_demux_flush(struct nc_demux *demux)
{
	static const struct input_key none;
	struct dst_entry *old;
	u32 i;

	for (i = 0; i < SLOTS; i++) {
		spin_lock_bh(&demux->slot[i].lock);
		old = demux->slot[i].dst;
		replace(&demux->slot[i], &none, 0, NULL);
		spin_unlock_bh(&demux->slot[i].lock);
		dst_release(old);
	}
}

/**
 * nc_demux_create() - no routes
 *
 * Return: them, or NULL.
 */
struct nc_demux *nc_demux_create(void)
{
	struct nc_demux *demux = kzalloc(sizeof(*demux), GFP_KERNEL_ACCOUNT);
	u32 i;

	for (i = 0; demux && i < SLOTS; i++) {
		spin_lock_init(&demux->slot[i].lock);
		seqcount_spinlock_init(&demux->slot[i].seq,
				       &demux->slot[i].lock);
	}
	return demux;
}

/**
 * nc_demux_destroy() - forget all routes, for ever
 * @demux: that nobody reads.
 */
void nc_demux_destroy(struct nc_demux *demux)
{
	nc_demux_flush(demux);
	kfree(demux);
}
