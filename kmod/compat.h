/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between kernel versions, all of them. */
#ifndef _NC_COMPAT_H
#define _NC_COMPAT_H

#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/inet_dscp.h>
#include <net/inet_hashtables.h>
#include <net/route.h>
#include <net/udp.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define call_rcu_hurry call_rcu
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void nc_vm_flags_set(struct vm_area_struct *vma, vm_flags_t set)
{
	vma->vm_flags |= set;
}

static inline void nc_vm_flags_clear(struct vm_area_struct *vma,
				     vm_flags_t clear)
{
	vma->vm_flags &= ~clear;
}
#else
static inline void nc_vm_flags_set(struct vm_area_struct *vma, vm_flags_t set)
{
	vm_flags_set(vma, set);
}

static inline void nc_vm_flags_clear(struct vm_area_struct *vma,
				     vm_flags_t clear)
{
	vm_flags_clear(vma, clear);
}
#endif

/*
 * A user buffer's end: from 6.10 on a table of operations, before it one
 * function.  NC_UBUF_OPS(complete) defines nc_ubuf_bind() around it.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define NC_UBUF_OPS(complete)						\
static void nc_ubuf_bind(struct ubuf_info *ubuf)			\
{									\
	ubuf->callback = complete;					\
}
#else
#define NC_UBUF_OPS(done)						\
static const struct ubuf_info_ops nc_ubuf_ops = { .complete = done };	\
static void nc_ubuf_bind(struct ubuf_info *ubuf)			\
{									\
	ubuf->ops = &nc_ubuf_ops;					\
}
#endif

static inline void nc_skb_set_txtime(struct sk_buff *skb, u64 txtime)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	skb_set_delivery_time(skb, ns_to_ktime(txtime), true);
#else
	skb_set_delivery_time(skb, ns_to_ktime(txtime), SKB_CLOCK_MONOTONIC);
#endif
}

/* From 6.12 on there are packets in the memory of a device. */
static inline bool nc_skb_readable(const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return true;
#else
	return skb_frags_readable(skb);
#endif
}

static inline u8 nc_route_tos(u8 dsfield)
{
#ifdef IPTOS_RT_MASK
	return dsfield & IPTOS_RT_MASK;
#else
	return dsfield & INET_DSCP_MASK;
#endif
}

static inline struct udp_table *nc_udp_table(struct net *net)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	return &udp_table;
#else
	return net->ipv4.udp_table;
#endif
}

/* The caller holds the lock of the bucket. */
static inline bool nc_tcp_bucket_shared(struct sock *sk,
					struct inet_bind_bucket *tb)
{
	struct sock *other;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	sk_for_each_bound(other, &tb->owners)
		if (other != sk && other->sk_state != TCP_TIME_WAIT)
			return true;
#else
	struct inet_bind2_bucket *tb2;

	hlist_for_each_entry(tb2, &tb->bhash2, bhash_node)
		sk_for_each_bound(other, &tb2->owners)
			if (other != sk && other->sk_state != TCP_TIME_WAIT)
				return true;
#endif
	return false;
}

#endif /* _NC_COMPAT_H */
