// SPDX-License-Identifier: GPL-2.0
/* Packets into the RX ring.  Any CPU, softirq context, or softirqs off. */
#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include "nc.h"
#include "compat.h"
#include "copy.h"
#include "trace.h"

static const u32 verdict_counter[] = {
	[NC_RING_NO_DESC] = NETCHANNEL_RX_DROP_DEPTH,
	[NC_RING_NO_BYTES] = NETCHANNEL_RX_DROP_BYTES,
	[NC_RING_BROKEN] = NETCHANNEL_RX_DROP_BROKEN,
};

/**
 * struct slot - a reservation
 * @index: running index of the descriptor.
 * @offset: of the bytes.
 * @lost: packets dropped before it.
 * @urgent: more than a quarter of the ring is in use.
 */
struct slot {
	u32 index;
	u32 offset;
	u32 lost;
	bool urgent;
};

static void drop_locked(struct nc_flow *flow, u32 counter)
{
	nc_count_rx(flow->channel, counter, 1);
	if (counter != NETCHANNEL_RX_REFUSED && counter != NETCHANNEL_RX_YIELDED)
		flow->channel->rx.lost++;
	trace_netchannel_drop(flow->channel->id, flow->id, counter);
}

/**
 * nc_rx_drop() - count a packet of a flow that is not delivered
 * @flow: the flow.
 * @counter: why not.
 */
void nc_rx_drop(struct nc_flow *flow, u32 counter)
{
	struct nc_rx *rx = &flow->channel->rx;

	spin_lock(&rx->lock);
	drop_locked(flow, counter);
	spin_unlock(&rx->lock);
}

static enum nc_ring_verdict reserve_locked(struct nc_flow *flow,
					   const struct nc_rx_packet *packet,
					   struct slot *slot)
{
	struct nc_channel *ch = flow->channel;
	struct nc_rx *rx = &ch->rx;
	enum nc_ring_verdict verdict = NC_RING_BROKEN;

	lockdep_assert_held(&rx->lock);
	if (!test_bit(NC_CHANNEL_BROKEN, &ch->flags))
		verdict = nc_ring_reserve(&rx->ring, packet->length,
					  &slot->index, &slot->offset);
	if (verdict != NC_RING_OK) {
		drop_locked(flow, verdict_counter[verdict]);
		return verdict;
	}
	slot->lost = rx->lost;
	rx->lost = 0;
	slot->urgent = nc_ring_fill(&rx->ring) > rx->ring.depth / 4;
	if (packet->type == NETCHANNEL_RX_ERROR) {
		nc_count_rx(ch, NETCHANNEL_RX_ERRORS, 1);
	} else {
		nc_count_rx(ch, NETCHANNEL_RX_PACKETS, 1);
		nc_count_rx(ch, NETCHANNEL_RX_BYTES, packet->length);
	}
	return NC_RING_OK;
}

/* A flow that was unbound takes nothing any more: see nc_rx_quiesce(). */
static bool reserve(struct nc_flow *flow, const struct nc_rx_packet *packet,
		    struct slot *slot)
{
	struct nc_channel *ch = flow->channel;
	enum nc_ring_verdict verdict = NC_RING_NO_DESC;

	spin_lock(&ch->rx.lock);
	if (!flow->dead)
		verdict = reserve_locked(flow, packet, slot);
	spin_unlock(&ch->rx.lock);
	if (unlikely(verdict == NC_RING_BROKEN))
		nc_channel_break(ch, NETCHANNEL_REASON_RX_RELEASED);
	return verdict == NC_RING_OK;
}

static void fill_checksum(struct netchannel_rx_desc *desc,
			  const struct nc_rx_packet *packet)
{
	const struct sk_buff *skb = packet->skb;

	desc->csum = 0;
	desc->csum_state = NETCHANNEL_CSUM_NONE;
	if (packet->type == NETCHANNEL_RX_ERROR ||
	    skb->ip_summed == CHECKSUM_UNNECESSARY) {
		desc->csum_state = NETCHANNEL_CSUM_VERIFIED;
	} else if (skb->ip_summed == CHECKSUM_PARTIAL) {
		desc->csum_state = NETCHANNEL_CSUM_PARTIAL;
	} else if (skb->ip_summed == CHECKSUM_COMPLETE &&
		   packet->length == skb->len) {
		/* Not if there is padding: the sum covers it. */
		desc->csum_state = NETCHANNEL_CSUM_COMPLETE;
		desc->csum = (__force u32)skb->csum;
	}
}

/* Kinds of trains of segments: how a descriptor calls them. */
static u8 gso_type(const struct nc_rx_packet *packet)
{
	u32 type = skb_shinfo(packet->skb)->gso_type;

	if (packet->key->protocol == IPPROTO_TCP &&
	    type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6))
		return NETCHANNEL_GSO_TCP;
	if (packet->key->protocol == IPPROTO_UDP && type & SKB_GSO_UDP_L4 &&
	    !(type & (SKB_GSO_UDP_TUNNEL | SKB_GSO_UDP_TUNNEL_CSUM)))
		return NETCHANNEL_GSO_UDP;
	return NETCHANNEL_GSO_NONE;
}

/*
 * Trains within a tunnel, and those of SCTP, are not what the owner would take
 * them for; nor can bytes be copied that no CPU can read.  A large UDP datagram
 * that a virtual device did not fragment is just that.
 */
static bool describable(const struct nc_rx_packet *packet)
{
	const struct sk_buff *skb = packet->skb;

	if (unlikely(!nc_skb_readable(skb)))
		return false;
	return !skb_is_gso(skb) || packet->type == NETCHANNEL_RX_ERROR ||
	       skb_shinfo(skb)->gso_type & SKB_GSO_UDP ||
	       gso_type(packet) != NETCHANNEL_GSO_NONE;
}

/* Bytes behind the transport header. */
static u32 payload(const struct nc_rx_packet *packet)
{
	u32 headers = packet->transport + 8;
	const u8 *doff;
	u8 buf;

	if (packet->key->protocol == IPPROTO_TCP) {
		doff = skb_header_pointer(packet->skb, packet->transport + 12,
					  1, &buf);
		headers = packet->transport + (doff ? (*doff >> 4) * 4 : 0);
	}
	return packet->length > headers ? packet->length - headers : 0;
}

static void fill_gso(struct netchannel_rx_desc *desc,
		     const struct nc_rx_packet *packet)
{
	const struct skb_shared_info *shinfo = skb_shinfo(packet->skb);

	desc->gso_type = NETCHANNEL_GSO_NONE;
	desc->gso_size = 0;
	desc->gso_segs = 0;
	if (!shinfo->gso_size || packet->type == NETCHANNEL_RX_ERROR ||
	    gso_type(packet) == NETCHANNEL_GSO_NONE)
		return;
	desc->gso_type = gso_type(packet);
	desc->gso_size = shinfo->gso_size;
	/* Devices of virtual machines do not count. */
	desc->gso_segs = shinfo->gso_segs ?:
			 DIV_ROUND_UP(payload(packet), shinfo->gso_size);
}

static void fill_origin(struct netchannel_rx_desc *desc, struct sk_buff *skb)
{
	bool tagged = skb_vlan_tag_present(skb);

	desc->tstamp = ktime_to_ns(skb_tstamp(skb));
	desc->ifindex = skb->dev->ifindex;
	desc->hash = skb_get_hash_raw(skb);
	desc->vlan_tci = tagged ? skb_vlan_tag_get(skb) : 0;
	desc->vlan_proto = tagged ? skb->vlan_proto : 0;
}

/* All but the index, which publishes it. */
static void fill(struct netchannel_rx_desc *desc, const struct nc_flow *flow,
		 const struct nc_rx_packet *packet, const struct slot *slot)
{
	desc->type = packet->type;
	desc->reserved = 0;
	desc->offset = slot->offset;
	desc->length = packet->length;
	desc->cookie = flow->cookie;
	desc->flow_id = flow->id;
	desc->lost = slot->lost;
	desc->info = packet->info;
	fill_checksum(desc, packet);
	fill_gso(desc, packet);
	fill_origin(desc, packet->skb);
}

/* For who spins until the next one comes: if the kernel would let its socket. */
static void note_device(const struct nc_flow *flow, const struct sk_buff *skb)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	struct nc_rx *rx = &flow->channel->rx;
	u32 us = flow->sk ? READ_ONCE(flow->sk->sk_ll_usec) : 0;

	if (READ_ONCE(rx->napi) != skb->napi_id)
		WRITE_ONCE(rx->napi, skb->napi_id);
	if (READ_ONCE(rx->napi_us) != us)
		WRITE_ONCE(rx->napi_us, us);
#endif
}

/* The kernel's own copy is a loop over words on some processors: see nc_copy(). */
static bool copies_itself(const struct nc_rx_packet *packet)
{
	return packet->length < NC_COPY_LONG || IS_ENABLED(CONFIG_HIGHMEM) ||
	       skb_has_frag_list(packet->skb);
}

/* As much of a part as is wanted, behind what is to be left out of it. */
static u8 *copy_part(u8 *to, const u8 *from, u32 size, u32 *skip, u32 *left)
{
	u32 length = size > *skip ? min(size - *skip, *left) : 0;

	nc_copy(to, from + *skip, length);
	*left -= length;
	*skip -= min(size, *skip);
	return to + length;
}

/* Cannot fail: the bytes are there, and readable. */
static void copy_out(const struct nc_rx_packet *packet, u8 *to)
{
	const struct sk_buff *skb = packet->skb;
	const skb_frag_t *frag = skb_shinfo(skb)->frags;
	u32 skip = packet->offset, left = packet->length;

	/* Most that are short lie in one piece. */
	if (left < NC_COPY_LONG && skip + left <= skb_headlen(skb)) {
		memcpy(to, skb->data + skip, left);
		return;
	}
	if (copies_itself(packet)) {
		skb_copy_bits(skb, skip, to, left);
		return;
	}
	to = copy_part(to, skb->data, skb_headlen(skb), &skip, &left);
	for (; left; frag++)
		to = copy_part(to, skb_frag_address(frag), skb_frag_size(frag),
			       &skip, &left);
}

/**
 * nc_rx_deliver() - put a packet into the ring of a flow's channel
 * @flow: the flow, under RCU.
 * @packet: what to put there; the skb stays the caller's.
 *
 * Return: false if it was dropped, and counted; or if the flow has just ended.
 */
bool nc_rx_deliver(struct nc_flow *flow, const struct nc_rx_packet *packet)
{
	struct nc_channel *ch = flow->channel;
	struct nc_area *area = nc_channel_area(ch);
	struct netchannel_rx_desc *desc;
	struct slot slot;

	if (unlikely(packet->length > NETCHANNEL_RX_PACKET_MAX ||
		     !describable(packet))) {
		nc_rx_drop(flow, NETCHANNEL_RX_DROP_SIZE);
		return false;
	}
	if (!reserve(flow, packet, &slot))
		return false;
	desc = &area->rx_desc[slot.index & (ch->rx.ring.depth - 1)];
	fill(desc, flow, packet, &slot);
	note_device(flow, packet->skb);
	copy_out(packet, area->rx_data + slot.offset);
	nc_ring_publish(&ch->rx.ring, slot.index, &desc->seq);
	trace_netchannel_rx(ch->id, flow->id, slot.index, packet->length);
	nc_channel_wake_rx(ch, slot.urgent);
	return true;
}

/**
 * nc_rx_stop() - from now on nothing is reserved for a flow
 * @flow: the flow.
 */
void nc_rx_stop(struct nc_flow *flow)
{
	spin_lock_bh(&flow->channel->rx.lock);
	flow->dead = true;
	spin_unlock_bh(&flow->channel->rx.lock);
}

/**
 * nc_rx_quiesce() - wait until what is now reserved is published
 * @ch: the channel.
 *
 * That takes no longer than copying a packet.
 */
void nc_rx_quiesce(struct nc_channel *ch)
{
	u32 index, head;
	bool pending;

	spin_lock_bh(&ch->rx.lock);
	index = ch->rx.ring.tail;
	head = ch->rx.ring.head;
	spin_unlock_bh(&ch->rx.lock);
	do {
		cond_resched();
		spin_lock_bh(&ch->rx.lock);
		pending = nc_ring_pending(&ch->rx.ring, &index, head);
		spin_unlock_bh(&ch->rx.lock);
	} while (pending);
}
