// SPDX-License-Identifier: GPL-2.0
/*
 * Early demultiplexing: a packet on its way to a LATE flow goes where the one before
 * it went, without a lookup of routes, as one to a connected socket does.  What a
 * route was looked up by is what it is remembered by, so that two packets share one
 * only if routing could not have told them apart.
 */
#include <linux/hash.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/percpu.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "nc.h"

#define SLOTS		64
#define PRIORITY	(INT_MAX - 2)	/* behind all that may change the packet */

/**
 * struct input_key - what a packet that comes in is routed by
 * @local: destination.
 * @remote: source.
 * @ifindex: device.
 * @mark: of the packet.
 * @family: AF_INET or AF_INET6.
 * @dsfield: TOS or traffic class.
 * @zero: no hole.
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
			u32 zero;
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
 * @key: what it will be routed by.
 */
struct missed {
	const struct sk_buff *skb;
	struct input_key key;
};

static DEFINE_PER_CPU(struct missed, missed);

static void find_key(struct input_key *key, const struct sk_buff *skb)
{
	memset(key, 0, sizeof(*key));
	if (skb->protocol == htons(ETH_P_IP)) {
		key->family = AF_INET;
		key->local.w[0] = ip_hdr(skb)->daddr;
		key->remote.w[0] = ip_hdr(skb)->saddr;
		key->dsfield = ip_hdr(skb)->tos;
	} else {
		key->family = AF_INET6;
		memcpy(&key->local, &ipv6_hdr(skb)->daddr, sizeof(key->local));
		memcpy(&key->remote, &ipv6_hdr(skb)->saddr, sizeof(key->remote));
		key->dsfield = ipv6_get_dsfield(ipv6_hdr(skb));
	}
	key->ifindex = skb->dev->ifindex;
	key->mark = skb->mark;
}

static bool equal(const struct input_key *a, const struct input_key *b)
{
	u64 differs = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(a->word); i++)
		differs |= a->word[i] ^ b->word[i];
	return !differs;
}

static struct slot *slot_of(struct nc_demux *demux, const struct input_key *key)
{
	u64 mix = key->word[0] ^ key->word[1] ^ key->word[2] ^ key->word[3];

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

static noinline void miss(const struct sk_buff *skb,
			  const struct input_key *key)
{
	struct missed *m;

	local_bh_disable();
	m = this_cpu_ptr(&missed);
	m->skb = skb;
	m->key = *key;
	local_bh_enable();
}

static void demux(struct nc_table *table, struct sk_buff *skb)
{
	struct input_key key __uninitialized;
	struct dst_entry *dst;

	if (skb_dst(skb) || skb->sk || skb->pkt_type != PACKET_HOST)
		return;
	find_key(&key, skb);
	dst = find(table->demux, &key);
	if (!dst) {
		miss(skb, &key);
		return;
	}
	/* Another one may have been where this one is. */
	this_cpu_write(missed.skb, NULL);
	skb_dst_set_noref(skb, dst);
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

static unsigned int demux_ipv4(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	u8 protocol = ip_hdr(skb)->protocol;

	if (unlikely(nc_wanted(priv, skb, ip_hdrlen(skb), protocol)) &&
	    allowed(state->net, protocol) && !rules_want_ports(state->net, AF_INET))
		demux(priv, skb);
	return NF_ACCEPT;
}

static unsigned int demux_ipv6(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	u8 protocol = ipv6_hdr(skb)->nexthdr;

	if (unlikely(nc_has_ports(protocol) &&
		     nc_wanted(priv, skb, sizeof(struct ipv6hdr), protocol)) &&
	    allowed(state->net, protocol) && !rules_want_ports(state->net, AF_INET6))
		demux(priv, skb);
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
	struct dst_entry *old;

	spin_lock(&slot->lock);
	write_seqcount_begin(&slot->seq);
	old = slot->dst;
	slot->key = *key;
	WRITE_ONCE(slot->cookie, cookie);
	WRITE_ONCE(slot->dst, dst);
	write_seqcount_end(&slot->seq);
	spin_unlock(&slot->lock);
	dst_release(old);
}

static bool is_local(const struct input_key *key, const struct dst_entry *dst)
{
	if (key->family == AF_INET)
		return ((const struct rtable *)dst)->rt_type == RTN_LOCAL;
	return ((const struct rt6_info *)dst)->rt6i_flags & RTF_LOCAL;
}

/* Only what no hook in between has changed: else it was routed by something else. */
static noinline void learn(struct nc_demux *demux, const struct sk_buff *skb)
{
	struct missed *m = this_cpu_ptr(&missed);
	struct dst_entry *dst = skb_dst(skb);
	struct input_key key;
	u32 cookie = 0;

	m->skb = NULL;
	find_key(&key, skb);
	if (!dst || !equal(&key, &m->key) || !is_local(&key, dst) ||
	    !dst_hold_safe(dst))
		return;
	if (key.family == AF_INET6)
		cookie = rt6_get_cookie((const struct rt6_info *)dst);
	replace(slot_of(demux, &key), &key, cookie, dst);
}

/**
 * nc_demux_learn() - remember where a packet went, if that was not known
 * @demux: routes of the namespace.
 * @skb: that a LATE flow takes.  Under RCU, softirqs off.
 */
void nc_demux_learn(struct nc_demux *demux, const struct sk_buff *skb)
{
	if (unlikely(this_cpu_read(missed.skb) == skb))
		learn(demux, skb);
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
 * nc_demux_destroy() - forget all routes
 * @demux: that nobody reads.
 */
void nc_demux_destroy(struct nc_demux *demux)
{
	u32 i;

	for (i = 0; i < SLOTS; i++)
		dst_release(demux->slot[i].dst);
	kfree(demux);
}
