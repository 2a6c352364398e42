// SPDX-License-Identifier: GPL-2.0
/*
 * From a TX descriptor to a packet.  Everything is checked on private copies of
 * descriptor and headers; what the owner writes meanwhile cannot matter.
 */
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/ip6_checksum.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "nc.h"
#include "compat.h"
#include "copy.h"
#include "tx.h"

#define PACKET_MAX	65535	/* what an IP header can say */
#define LINEAR_MAX	2048	/* payload that is copied into the linear part */
#define REFERENCE_MIN	4096	/* below this, copying is cheaper */
#define GSO_MIN		48	/* payload of a segment; TCP_MIN_SND_MSS */
#define TX_FLAGS	(NETCHANNEL_TX_CSUM | NETCHANNEL_TX_COPY | \
			 NETCHANNEL_TX_REFERENCE)

/**
 * struct work - a packet on its way from descriptor to skb
 * @ch: the channel.
 * @desc: private copy of the descriptor.
 * @index: its running index.
 * @flow: what it is validated against; a reference.
 * @total: bytes of the packet.
 * @in_frags: bytes of it in the arena.
 * @segs: segments, 0 if it is not to be segmented.
 * @route: its route.
 * @mtu: of the route.
 * @max_segs: of the device that it leads to.
 * @hardware: there is some behind that device.
 * @headers: where its parts are.
 * @key: its key.
 * @inlined: private copy of the inline part.
 */
struct work {
	struct nc_channel *ch;
	const struct netchannel_tx_desc *desc;
	u32 index;
	struct nc_flow *flow;
	u32 total;
	u32 in_frags;
	u32 segs;
	struct nc_route *route;
	u32 mtu;
	u32 max_segs;
	bool hardware;
	struct nc_headers headers;
	struct nc_key key;
	u8 inlined[NETCHANNEL_TX_INLINE];
};

static int fault_at(struct nc_tx_fault *fault, u32 counter, int result)
{
	fault->counter = counter;
	fault->result = result;
	return result;
}

static int bad_desc(struct nc_tx_fault *fault)
{
	return fault_at(fault, NETCHANNEL_TX_BAD_DESC, -EINVAL);
}

static int bad_flow(struct nc_tx_fault *fault)
{
	return fault_at(fault, NETCHANNEL_TX_BAD_FLOW, -EPERM);
}

static int bad_gso(struct nc_tx_fault *fault)
{
	return fault_at(fault, NETCHANNEL_TX_BAD_GSO, -EINVAL);
}

static int no_mem(struct nc_tx_fault *fault)
{
	return fault_at(fault, NETCHANNEL_TX_NO_MEM, -ENOMEM);
}

static bool frags_valid(struct work *w)
{
	u64 arena = nc_channel_area(w->ch)->layout.tx_bytes;
	const struct netchannel_tx_frag *frag = w->desc->frag;
	u32 i;

	if (w->desc->nr_frags > NETCHANNEL_TX_FRAGS)
		return false;
	for (i = 0; i < w->desc->nr_frags; i++, frag++) {
		if (!frag->length || frag->length > PACKET_MAX)
			return false;
		if ((u64)frag->offset + frag->length > arena)
			return false;
		w->in_frags += frag->length;
	}
	return true;
}

static int check_desc(struct work *w, struct nc_tx_fault *fault)
{
	const struct netchannel_tx_desc *desc = w->desc;
	u8 both = NETCHANNEL_TX_COPY | NETCHANNEL_TX_REFERENCE;

	if (desc->flags & ~TX_FLAGS || (desc->flags & both) == both)
		return bad_desc(fault);
	if (desc->reserved0 || desc->reserved1 || desc->reserved2)
		return bad_desc(fault);
	if (!desc->inline_length || desc->inline_length > NETCHANNEL_TX_INLINE)
		return bad_desc(fault);
	if (!frags_valid(w))
		return bad_desc(fault);
	w->total = desc->inline_length + w->in_frags;
	if (w->total > PACKET_MAX || desc->txtime > KTIME_MAX)
		return bad_desc(fault);
	return 0;
}

static int find_flow(struct work *w, struct nc_tx_fault *fault)
{
	struct nc_flow *flow;

	rcu_read_lock();
	flow = nc_channel_flow(w->ch, w->desc->flow_id);
	if (flow && !refcount_inc_not_zero(&flow->ref))
		flow = NULL;
	rcu_read_unlock();
	w->flow = flow;
	return flow && w->ch->net ? 0 : bad_flow(fault);
}

static void copy_inline(struct work *w)
{
	const struct nc_area *area = nc_channel_area(w->ch);
	u32 slot = w->index & (area->layout.tx_depth - 1);

	memcpy(w->inlined, area->tx_inline + slot * NETCHANNEL_TX_INLINE,
	       w->desc->inline_length);
	/* What follows looks at the copy only. */
	barrier();
}

static int check_headers(struct work *w, struct nc_tx_fault *fault)
{
	switch (nc_parse(w->inlined, w->desc->inline_length, NC_PARSE_OUT,
			 &w->headers, &w->key)) {
	case NC_PARSE_OK:
		break;
	case NC_PARSE_OPTIONS:
		return fault_at(fault, NETCHANNEL_TX_BAD_OPTIONS,
				-EPROTONOSUPPORT);
	case NC_PARSE_FRAGMENT:
		return fault_at(fault, NETCHANNEL_TX_BAD_FRAGMENT,
				-EPROTONOSUPPORT);
	default:
		return bad_desc(fault);
	}
	if (w->headers.length != w->total)
		return bad_desc(fault);
	if (w->desc->flags & NETCHANNEL_TX_CSUM &&
	    !nc_has_ports(w->key.protocol))
		return bad_desc(fault);
	if (!nc_key_covers(&w->flow->key, &w->flow->mask, &w->key) ||
	    !nc_latch_serves(w->flow, &w->key) || !nc_authority_holds(w->flow))
		return bad_flow(fault);
	return 0;
}

static bool gso_type_valid(const struct work *w)
{
	u8 bad = NC_TCP_SYN | NC_TCP_RST | NC_TCP_URG;

	if (!(w->desc->flags & NETCHANNEL_TX_CSUM))
		return false;
	if (w->desc->gso_type == NETCHANNEL_GSO_TCP)
		return w->key.protocol == IPPROTO_TCP &&
		       !(w->headers.tcp_flags & bad);
	return w->desc->gso_type == NETCHANNEL_GSO_UDP &&
	       w->key.protocol == IPPROTO_UDP;
}

static int check_gso(struct work *w, struct nc_tx_fault *fault)
{
	u32 payload = w->total - w->headers.payload;
	u32 size = w->desc->gso_size;

	if (w->desc->gso_type == NETCHANNEL_GSO_NONE)
		return size ? bad_gso(fault) : 0;
	if (!gso_type_valid(w) || size < GSO_MIN)
		return bad_gso(fault);
	if (payload <= size)
		return 0;
	w->segs = DIV_ROUND_UP(payload, size);
	if (w->desc->gso_type == NETCHANNEL_GSO_UDP &&
	    w->segs > UDP_MAX_SEGMENTS)
		return bad_gso(fault);
	return 0;
}

/* A device may be taken from a route at any time, but not under RCU. */
static void look_at_device(struct work *w, const struct dst_entry *dst)
{
	const struct net_device *dev;

	w->mtu = dst_mtu(dst);
	rcu_read_lock();
	dev = READ_ONCE(dst->dev);
	w->max_segs = READ_ONCE(dev->gso_max_segs);
	w->hardware = dev->dev.parent;
	rcu_read_unlock();
}

static int find_route(struct work *w, struct nc_tx_fault *fault)
{
	struct nc_route *route = nc_route_get(w->ch, w->flow, &w->key,
					      w->headers.dsfield);

	if (!IS_ERR(route)) {
		w->route = route;
		look_at_device(w, route->dst);
		return 0;
	}
	switch (PTR_ERR(route)) {
	case -EADDRNOTAVAIL:
		return fault_at(fault, NETCHANNEL_TX_BAD_SOURCE,
				-EADDRNOTAVAIL);
	case -EPERM:
		return bad_flow(fault);
	case -ENOMEM:
	case -ENOBUFS:
		return no_mem(fault);
	default:
		return fault_at(fault, NETCHANNEL_TX_NO_ROUTE, PTR_ERR(route));
	}
}

static int check_size(struct work *w, struct nc_tx_fault *fault)
{
	u32 size = w->segs ? w->headers.payload + w->desc->gso_size : w->total;

	if (size > w->mtu) {
		fault->info = w->mtu;
		return fault_at(fault, NETCHANNEL_TX_TOO_BIG, -EMSGSIZE);
	}
	if (w->segs > w->max_segs)
		return bad_gso(fault);
	return 0;
}

/* As many bytes from an offset of the area on as lie in one block of its memory. */
static u32 in_block(const struct nc_area *area, u64 offset, u32 length,
		    struct page **block, u32 *at)
{
	struct page *page = area->pages[offset >> PAGE_SHIFT];

	*block = compound_head(page);
	*at = ((page - *block) << PAGE_SHIFT) + offset_in_page(offset);
	return min_t(u32, length, page_size(*block) - *at);
}

/* By reference where the payload is worth it, and leaves this machine as it is. */
static bool wants_reference(const struct work *w)
{
	if (!w->in_frags || w->desc->flags & NETCHANNEL_TX_COPY)
		return false;
	if (w->desc->flags & NETCHANNEL_TX_REFERENCE)
		return true;
	return w->in_frags >= REFERENCE_MIN &&
	       (w->hardware || nc_route_refers(w->ch, w->route, w->index));
}

/*
 * To get and to free memory of the pool takes a fifth of the instructions that the
 * allocator would take.  A reader that keeps a head keeps its chunk, of which a channel
 * has so many.  The struct is one that this CPU put back last, if there is one.
 */
static struct sk_buff *alloc_in_pool(struct nc_pool *pool, u32 size)
{
	struct nc_pool_part part;
	struct sk_buff *skb;

	size = SKB_DATA_ALIGN(size) +
	       SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	if (!nc_pool_take(pool, size, size, &part))
		return NULL;
	local_bh_disable();
	skb = napi_build_skb(page_address(part.page) + part.offset, size);
	local_bh_enable();
	if (!skb)
		put_page(part.page);
	return skb;
}

static struct sk_buff *alloc(const struct work *w, u32 linear, u32 paged)
{
	u32 size = MAX_HEADER + linear;
	struct sk_buff *skb;
	int err;

	if (!paged)
		skb = alloc_in_pool(&w->ch->tx.heads, size) ?:
		      alloc_skb(size, GFP_KERNEL);
	else
		skb = alloc_skb_with_frags(size, paged, PAGE_ALLOC_COSTLY_ORDER,
					   &err, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_HEADER);
	skb_put(skb, linear);
	skb->data_len = paged;
	skb->len += paged;
	return skb;
}

static void add_frag(struct sk_buff *skb, struct page *page, u32 offset, u32 size)
{
	skb_fill_page_desc(skb, skb_shinfo(skb)->nr_frags, page, offset, size);
	skb->len += size;
	skb->data_len += size;
	skb->truesize += size;
}

/* Copies a part of the arena behind what is there; false if the pool is empty. */
static bool add_copy(const struct work *w, struct sk_buff *skb, const u8 *from,
		     u32 length)
{
	struct nc_pool_part part;

	for (; length; from += part.length, length -= part.length) {
		if (skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS ||
		    !nc_pool_take(&w->ch->tx.pool, 1, length, &part))
			return false;
		nc_copy(page_address(part.page) + part.offset, from, part.length);
		add_frag(skb, part.page, part.offset, part.length);
	}
	return true;
}

static struct sk_buff *copied_to_pool(const struct work *w)
{
	const struct nc_area *area = nc_channel_area(w->ch);
	const struct netchannel_tx_frag *frag = w->desc->frag;
	struct sk_buff *skb = alloc(w, w->desc->inline_length, 0);
	u32 i;

	for (i = 0; skb && i < w->desc->nr_frags; i++, frag++) {
		if (add_copy(w, skb, area->tx_data + frag->offset, frag->length))
			continue;
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

static struct sk_buff *copied_to_fresh(const struct work *w, u32 linear)
{
	const struct nc_area *area = nc_channel_area(w->ch);
	const struct netchannel_tx_frag *frag = w->desc->frag;
	u32 at = w->desc->inline_length, i;
	struct sk_buff *skb = alloc(w, linear, w->total - linear);

	for (i = 0; skb && i < w->desc->nr_frags; i++, frag++) {
		skb_store_bits(skb, at, area->tx_data + frag->offset,
			       frag->length);
		at += frag->length;
	}
	return skb;
}

static struct sk_buff *copied(const struct work *w)
{
	if (w->in_frags <= LINEAR_MAX)
		return copied_to_fresh(w, w->total);
	return copied_to_pool(w) ?:
	       copied_to_fresh(w, w->desc->inline_length);
}

/* Flows without a socket have no limit: they need CAP_NET_ADMIN. */
static bool has_room(const struct work *w)
{
	const struct sock *sk = w->flow->sk;

	return !sk || refcount_read(&sk->sk_wmem_alloc) <= nc_tx_limit(w->ch);
}

/*
 * Packets to this machine may only wait for ksoftirqd, which wants the CPU that
 * we are on: give it a chance, once in a kick.
 */
static bool may_copy(const struct work *w)
{
	struct nc_tx *tx = &w->ch->tx;

	if (likely(has_room(w)))
		return true;
	if (tx->waited)
		return false;
	tx->waited = true;
	schedule_timeout_killable(1);
	return has_room(w);
}

/* False if its memory lies in too many blocks. */
static bool attach_frag(struct sk_buff *skb, const struct nc_area *area,
			const struct netchannel_tx_frag *frag)
{
	u64 offset = area->layout.tx_data.offset + frag->offset;
	u32 left = frag->length, size, at;
	struct page *block;

	for (; left; left -= size, offset += size) {
		if (skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS)
			return false;
		size = in_block(area, offset, left, &block, &at);
		get_page(block);
		add_frag(skb, block, at, size);
	}
	return true;
}

static struct sk_buff *referring(const struct work *w, u32 index)
{
	const struct nc_area *area = nc_channel_area(w->ch);
	struct sk_buff *skb = alloc(w, w->desc->inline_length, 0);
	u32 i;

	if (!skb)
		return NULL;
	for (i = 0; i < w->desc->nr_frags; i++) {
		if (attach_frag(skb, area, &w->desc->frag[i]))
			continue;
		consume_skb(skb);
		return NULL;
	}
	nc_tx_refer(w->ch, index, skb);
	return skb;
}

static void set_checksum(const struct work *w, struct sk_buff *skb)
{
	bool tcp = w->key.protocol == IPPROTO_TCP;
	u32 length = w->total - w->headers.transport;
	__sum16 *check, sum;

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = tcp ? offsetof(struct tcphdr, check) :
				 offsetof(struct udphdr, check);
	check = (__sum16 *)(skb_transport_header(skb) + skb->csum_offset);
	if (w->key.family == AF_INET)
		sum = csum_tcpudp_magic(w->key.local.w[0], w->key.remote.w[0],
					length, w->key.protocol, 0);
	else
		sum = csum_ipv6_magic((const void *)&w->key.local,
				      (const void *)&w->key.remote, length,
				      w->key.protocol, 0);
	*check = ~sum;
}

static void set_gso(const struct work *w, struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	shinfo->gso_size = w->desc->gso_size;
	shinfo->gso_segs = w->segs;
	if (w->desc->gso_type == NETCHANNEL_GSO_UDP)
		shinfo->gso_type = SKB_GSO_UDP_L4;
	else if (w->key.family == AF_INET)
		shinfo->gso_type = SKB_GSO_TCPV4;
	else
		shinfo->gso_type = SKB_GSO_TCPV6;
	if (w->headers.tcp_flags & NC_TCP_CWR)
		shinfo->gso_type |= SKB_GSO_TCP_ECN;
}

/* Copies are charged to the socket; what is referred to is charged already. */
static void set_owner(struct sock *sk, struct sk_buff *skb, bool reference)
{
	if (!reference)
		skb_set_owner_w(skb, sk);
	else if (!skb_set_owner_sk_safe(skb, sk))
		return;
	skb->priority = READ_ONCE(sk->sk_priority);
	skb->mark = READ_ONCE(sk->sk_mark);
}

static void set_origin(const struct work *w, struct sk_buff *skb,
		       bool reference)
{
	struct sock *sk = w->flow->sk;

	skb->protocol = w->key.family == AF_INET ? htons(ETH_P_IP) :
						   htons(ETH_P_IPV6);
	if (sk)
		set_owner(sk, skb, reference);
	if (w->desc->txtime)
		nc_skb_set_txtime(skb, w->desc->txtime);
	/* Conntrack sees nothing of what comes in, so nothing of this either. */
	if (w->flow->hook == NETCHANNEL_HOOK_EARLY)
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

static int make_skb(struct work *w, struct nc_tx_packet *packet,
		    struct nc_tx_fault *fault)
{
	struct sk_buff *skb = NULL;

	if (wants_reference(w)) {
		skb = referring(w, packet->index);
		if (!skb)
			nc_route_copies(w->route, packet->index);
	}
	packet->reference = skb;
	if (!skb && !may_copy(w))
		return fault_at(fault, NETCHANNEL_TX_NO_MEM, -ENOBUFS);
	if (!skb)
		skb = copied(w);
	if (!skb)
		return no_mem(fault);
	memcpy(skb->data, w->inlined, w->desc->inline_length);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, w->headers.transport);
	if (w->desc->flags & NETCHANNEL_TX_CSUM)
		set_checksum(w, skb);
	if (w->segs)
		set_gso(w, skb);
	set_origin(w, skb, packet->reference);
	skb_dst_set(skb, dst_clone(w->route->dst));
	packet->skb = skb;
	packet->flow = w->flow;
	packet->length = w->total;
	return 0;
}

static int validate(struct work *w, struct nc_tx_fault *fault)
{
	int err = check_desc(w, fault);

	if (!err)
		err = find_flow(w, fault);
	if (err)
		return err;
	copy_inline(w);
	err = check_headers(w, fault);
	if (!err)
		err = check_gso(w, fault);
	if (!err)
		err = find_route(w, fault);
	if (!err)
		err = check_size(w, fault);
	return err;
}

/**
 * nc_packet_build() - make a packet from a descriptor
 * @ch: the channel, kicked.
 * @desc: private copy of the descriptor.
 * @packet: out: the packet; in: its index.
 * @fault: out: why not.
 *
 * Return: 0 or a negative errno.
 */
int nc_packet_build(struct nc_channel *ch,
		    const struct netchannel_tx_desc *desc,
		    struct nc_tx_packet *packet, struct nc_tx_fault *fault)
{
	struct work w __uninitialized;
	int err;

	lockdep_assert_held(&ch->tx.lock);
	w.ch = ch;
	w.desc = desc;
	w.index = packet->index;
	w.flow = NULL;
	w.in_frags = 0;
	w.segs = 0;
	err = validate(&w, fault);
	if (!err)
		err = make_skb(&w, packet, fault);
	if (!err)
		return 0;
	if (w.flow)
		nc_flow_put(w.flow);
	return err;
}
