// SPDX-License-Identifier: GPL-2.0
/*
 * Packets out of the TX ring.  A kick builds a batch of packets, each from a
 * private copy of its descriptor, and then hands the batch to the IP layer.
 */
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include "nc.h"
#include "compat.h"
#include "trace.h"
#include "tx.h"

#define BATCHES	16	/* sent without letting the lock go */

/* Gives a slot back; a resubmission is legal as soon as the bit is clear. */
static void finish(struct nc_channel *ch, u32 index, int result, u32 info,
		   u32 flags)
{
	struct nc_area *area = nc_channel_area(ch);
	u32 slot = index & (area->layout.tx_depth - 1);
	struct netchannel_tx_done *done = &area->tx_done[slot];

	WRITE_ONCE(done->result, result);
	WRITE_ONCE(done->info, info);
	WRITE_ONCE(done->flags, flags);
	clear_bit_unlock(slot, ch->tx.busy);
	/* (E) result and last use of the memory before the index */
	smp_store_release(&done->seq, index + 1);
	if (unlikely(result))
		nc_channel_failed(ch);
}

/* In a kick, which wakes once for all slots that completed in it. */
static void finish_now(struct nc_channel *ch, u32 index, int result, u32 info)
{
	lockdep_assert_held(&ch->tx.lock);
	ch->tx.finished = true;
	finish(ch, index, result, info, 0);
}

/* A reference to a slot's memory is gone; any context. */
static void reference_gone(struct sk_buff *skb, struct ubuf_info *ubuf,
			   bool success)
{
	struct nc_tx_slot *slot = container_of(ubuf, struct nc_tx_slot, ubuf);
	struct nc_channel *ch = slot->channel;

	if (!success)
		WRITE_ONCE(slot->copied, true);
	/* The put may let the module go; its exit waits for readers. */
	rcu_read_lock();
	if (refcount_dec_and_test(&ubuf->refcnt)) {
		finish(ch, slot->index, slot->result, 0,
		       READ_ONCE(slot->copied) ? 0 : NETCHANNEL_DONE_ZEROCOPY);
		nc_channel_wake_tx(ch);
		nc_channel_put(ch);
	}
	rcu_read_unlock();
}

NC_UBUF_OPS(reference_gone)

/**
 * nc_tx_refer() - let a packet refer to the memory of its slot
 * @ch: the channel.
 * @index: running index of the descriptor.
 * @skb: the packet.
 *
 * One reference is the kick's, which knows the result only later.
 */
void nc_tx_refer(struct nc_channel *ch, u32 index, struct sk_buff *skb)
{
	u32 depth = nc_channel_area(ch)->layout.tx_depth;
	struct nc_tx_slot *slot = &ch->tx.slot[index & (depth - 1)];

	lockdep_assert_held(&ch->tx.lock);
	nc_channel_get(ch);
	slot->channel = ch;
	slot->index = index;
	slot->result = 0;
	slot->copied = false;
	/* A device that loops it back does not copy; a receiver of this machine does. */
	slot->ubuf.flags = SKBFL_ZEROCOPY_FRAG | SKBFL_DONT_ORPHAN;
	nc_ubuf_bind(&slot->ubuf);
	refcount_set(&slot->ubuf.refcnt, 1);
	skb_zcopy_set(skb, &slot->ubuf, NULL);
}

static void reference_result(struct nc_channel *ch, u32 index, int result)
{
	u32 depth = nc_channel_area(ch)->layout.tx_depth;
	struct nc_tx_slot *slot = &ch->tx.slot[index & (depth - 1)];

	slot->result = result;
	reference_gone(NULL, &slot->ubuf, true);
}

static int transmit(struct net *net, const struct nc_tx_packet *packet)
{
	struct sock *sk = packet->flow->sk;
	int err;

	if (packet->flow->key.family == AF_INET)
		err = ip_local_out(net, sk, packet->skb);
	else
		err = ip6_local_out(net, sk, packet->skb);
	return err > 0 ? net_xmit_errno(err) : err;
}

static void count(struct nc_channel *ch, const struct nc_tx_packet *packet,
		  int err)
{
	if (err) {
		nc_count_tx(ch, NETCHANNEL_TX_DROPPED, 1);
		return;
	}
	nc_count_tx(ch, NETCHANNEL_TX_PACKETS, 1);
	nc_count_tx(ch, NETCHANNEL_TX_BYTES, packet->length);
	nc_count_tx(ch, packet->reference ? NETCHANNEL_TX_ZEROCOPY :
					    NETCHANNEL_TX_COPIED, 1);
}

static void send(struct nc_channel *ch, struct nc_tx_packet *packet)
{
	int err = transmit(ch->net, packet);

	count(ch, packet, err);
	trace_netchannel_tx(ch->id, packet->index, packet->length, err);
	if (packet->reference)
		reference_result(ch, packet->index, err);
	else
		finish_now(ch, packet->index, err, 0);
	nc_flow_put(packet->flow);
}

/* Private from here on: the owner may write on it while we read. */
static void copy_desc(struct netchannel_tx_desc *desc,
		      const struct netchannel_tx_desc *shared)
{
	*desc = *shared;
	/* What follows looks at the copy only. */
	barrier();
}

static bool build(struct nc_channel *ch, u32 index, struct nc_tx_packet *packet)
{
	struct nc_area *area = nc_channel_area(ch);
	struct netchannel_tx_desc desc;
	struct nc_tx_fault fault = {};

	copy_desc(&desc, &area->tx_desc[index & (area->layout.tx_depth - 1)]);
	packet->index = index;
	if (!nc_packet_build(ch, &desc, packet, &fault))
		return true;
	nc_count_tx(ch, fault.counter, 1);
	trace_netchannel_tx(ch->id, index, 0, fault.result);
	finish_now(ch, index, fault.result, fault.info);
	return false;
}

/*
 * Builds up to a batch of packets; false if the owner broke the rules.  What is
 * built counts as in flight before it is sent, so a batch is half of that.
 */
static bool build_batch(struct nc_channel *ch, u32 head, u32 *count)
{
	u32 depth = nc_channel_area(ch)->layout.tx_depth, looked = 0;
	u64 bytes = 0, most = nc_tx_limit(ch) / 2;
	struct nc_tx *tx = &ch->tx;

	lockdep_assert_held(&tx->lock);
	*count = 0;
	for (; looked < NC_TX_BATCH && tx->next != head && bytes <= most;
	     looked++) {
		if (test_and_set_bit(tx->next & (depth - 1), tx->busy))
			return false;
		if (build(ch, tx->next++, &tx->batch[*count]))
			bytes += tx->batch[(*count)++].skb->truesize;
	}
	return true;
}

static void send_batch(struct nc_channel *ch, u32 count)
{
	u32 i;

	local_bh_disable();
	for (i = 0; i < count; i++)
		send(ch, &ch->tx.batch[i]);
	local_bh_enable();
}

/* Up to so many batches: then whoever waits for the lock gets it. */
static bool send_batches(struct nc_channel *ch, u32 head)
{
	u32 n, count;
	bool good = true;

	for (n = 0; good && n < BATCHES && ch->tx.next != head; n++) {
		good = build_batch(ch, head, &count);
		send_batch(ch, count);
		cond_resched();
	}
	return good;
}

static u32 kick_locked(struct nc_channel *ch, bool *more)
{
	struct nc_area *area = nc_channel_area(ch);
	struct nc_tx *tx = &ch->tx;
	bool good;
	u32 head;

	lockdep_assert_held(&tx->lock);
	*more = false;
	/* (D) what the owner wrote into the slots before it moved the head */
	head = smp_load_acquire(&area->ctl->tx_head);
	if (head - tx->next > area->layout.tx_depth)
		return NETCHANNEL_REASON_TX_HEAD;
	if (head == tx->next)
		return NETCHANNEL_REASON_NONE;
	good = send_batches(ch, head);
	*more = good && tx->next != head;
	if (tx->finished)
		nc_channel_wake_tx(ch);
	tx->finished = false;
	return good ? NETCHANNEL_REASON_NONE : NETCHANNEL_REASON_TX_BUSY;
}

/**
 * nc_tx_kick() - send what stands in the TX ring
 * @ch: a channel with an area.
 *
 * Return: 0 or a negative errno.
 */
int nc_tx_kick(struct nc_channel *ch)
{
	bool more;
	u32 reason;

	mutex_lock(&ch->tx.lock);
	nc_count_tx(ch, NETCHANNEL_KICKS, 1);
	ch->tx.waited = false;
	reason = kick_locked(ch, &more);
	while (more && !fatal_signal_pending(current)) {
		mutex_unlock(&ch->tx.lock);
		mutex_lock(&ch->tx.lock);
		reason = kick_locked(ch, &more);
	}
	mutex_unlock(&ch->tx.lock);
	if (reason != NETCHANNEL_REASON_NONE)
		nc_channel_break(ch, reason);
	return nc_channel_check(ch);
}

/**
 * nc_tx_waits() - did the owner submit what no kick has seen?
 * @ch: a channel with an area.
 *
 * Return: true if so.
 */
bool nc_tx_waits(struct nc_channel *ch)
{
	return READ_ONCE(nc_channel_area(ch)->ctl->tx_head) !=
	       READ_ONCE(ch->tx.next);
}

/**
 * nc_tx_writable() - is the slot free that the owner will fill next?
 * @ch: a channel with an area.
 *
 * Return: true if so.
 */
bool nc_tx_writable(struct nc_channel *ch)
{
	struct nc_area *area = nc_channel_area(ch);
	u32 head = READ_ONCE(area->ctl->tx_head);
	u32 depth = area->layout.tx_depth;

	return head - READ_ONCE(ch->tx.next) < depth &&
	       !test_bit(head & (depth - 1), ch->tx.busy);
}
