// SPDX-License-Identifier: MIT
/*
 * A link whose other end is the caller: he injects the packets that come in and
 * collects those that go out.  Raw IP, with checksums, each with the time at which
 * it was sent.  What he does not collect fills the link, as on a wire that stands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"

#define MTU		1500u
#define MTU_MIN		68u
#define MTU_MAX		65535u
#define DEPTH		1024u

/**
 * struct frame - one packet, either way
 * @node: in a queue of struct outside.
 * @when: it was sent.
 * @len: bytes of @data.
 * @data: the IP packet.
 */
struct frame {
	struct cds_list_head node;
	us_ns when;
	uint32_t len;
	uint8_t data[] __attribute__((aligned(16)));
};

/**
 * struct outside - the link
 * @link: first member.
 * @frames: of both ways: depth for each.
 * @depth: packets that wait to be collected, and that were injected and are held.
 * @room: bytes of a frame.
 * @nr_in: injected, until released.
 * @nr_out: sent, until collected.
 * @in: injected, for poll().
 * @out: sent, oldest first.
 * @reserved: frame that @tx points into, or NULL.
 * @tx: the slot.
 * @starved: reserve() found no room.
 */
struct outside {
	struct us_link link;
	struct us_pool frames;
	uint32_t depth;
	uint32_t room;
	uint32_t nr_in;
	uint32_t nr_out;
	struct cds_list_head in;
	struct cds_list_head out;
	struct frame *reserved;
	struct us_tx tx;
	bool starved;
};

static struct outside *outside_of(const struct us_link *link)
{
	return us_container(link, struct outside, link);
}

static int parse(struct us_stack *stack, const char *args, struct outside *o)
{
	static const char *const keys[] = { "mtu", "depth", NULL };
	uint64_t mtu = MTU, depth = DEPTH;
	int err = us_link_arg_check(stack, args, keys);

	if (!err)
		err = us_link_arg_number(stack, args, "mtu", 1, MTU_MIN, MTU_MAX, &mtu);
	if (!err)
		err = us_link_arg_number(stack, args, "depth", 1, 1, 1000000, &depth);
	o->link.mtu = (uint32_t)mtu;
	o->link.flags = US_LINK_CSUM;
	o->depth = (uint32_t)depth;
	o->link.kept = us_link_kept(o->depth);
	o->room = o->link.mtu > US_TX_INLINE ? o->link.mtu : US_TX_INLINE;
	return err;
}

static int open_outside(struct us_stack *stack, const char *args,
			struct us_link **link)
{
	struct outside *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return us_fail(stack, -ENOMEM, "no memory for a link");
	err = parse(stack, args, o);
	if (!err && us_pool_create(&o->frames, sizeof(struct frame) + o->room,
				   2 * o->depth))
		err = us_fail(stack, -ENOMEM, "no memory for %u packets of %u bytes each way: use a smaller depth= or mtu=",
			      o->depth, o->room);
	if (err) {
		free(o);
		return err;
	}
	CDS_INIT_LIST_HEAD(&o->in);
	CDS_INIT_LIST_HEAD(&o->out);
	*link = &o->link;
	return 0;
}

/* ------------------------------------------------------------------ sending */

static struct us_tx *reserve(struct us_link *link, uint32_t keep)
{
	struct outside *o = outside_of(link);

	if (o->nr_out + keep >= o->depth) {
		o->starved = true;
		return NULL;
	}
	if (!o->reserved)
		o->reserved = us_pool_get(&o->frames);
	return us_tx_begin(&o->tx, link, o->reserved->data, o->room);
}

static void submit(struct us_link *link, struct us_tx *tx)
{
	struct outside *o = outside_of(link);
	struct frame *frame = o->reserved;

	frame->len = us_link_gather(link, tx, o->room);
	if (!frame->len) {
		link->stats.tx_dropped++;
		return;			/* the frame stays reserved */
	}
	o->reserved = NULL;
	frame->when = link->stack->now;
	link->stats.tx_packets++;
	link->stats.tx_bytes += frame->len;
	o->nr_out++;
	cds_list_add_tail(&frame->node, &o->out);
}

/* It is up to the caller when he collects. */
static void flush(struct us_link *link)
{
	(void)link;
}

/**
 * us_extern_collect() - takes a packet that the stack sent
 * @link: of any kind.
 * @packet: goes there.
 * @size: bytes of @packet.
 * @when: set to the time at which it was sent.  May be NULL.
 *
 * Return: bytes of the packet, the oldest; -EAGAIN if there is none; -EMSGSIZE if
 * it is larger than @size, and then it stays; -EOPNOTSUPP if @link is of another
 * kind.
 */
ssize_t us_extern_collect(struct us_link *link, void *packet, size_t size,
			  us_ns *when)
{
	struct outside *o = outside_of(link);
	struct frame *frame;
	ssize_t len;

	if (link->ops != &us_extern_ops)
		return -EOPNOTSUPP;
	if (cds_list_empty(&o->out))
		return -EAGAIN;
	frame = cds_list_first_entry(&o->out, struct frame, node);
	len = frame->len;
	if (frame->len > size)
		return -EMSGSIZE;
	memcpy(packet, frame->data, frame->len);
	if (when)
		*when = frame->when;
	cds_list_del(&frame->node);
	us_pool_put(&o->frames, frame);
	o->nr_out--;
	return len;
}

/* ---------------------------------------------------------------- receiving */

/* What is larger than this link sends has memory of its own. */
static struct frame *frame_of(struct outside *o, size_t length)
{
	return length > o->room ? malloc(sizeof(struct frame) + length) :
				  us_pool_get(&o->frames);
}

static void give_back(struct outside *o, struct frame *frame)
{
	if (frame->len > o->room)
		free(frame);
	else
		us_pool_put(&o->frames, frame);
	o->nr_in--;
}

/**
 * us_extern_inject() - brings a packet in
 * @link: of any kind; its stack takes the packet in its next round.
 * @packet: from its IP header on; copied.  It may be larger than the MTU, which
 *	is a limit of what this end sends; so Linux's tun devices have it.
 * @length: bytes.
 *
 * Return: 0; -EMSGSIZE if it is larger than 65535; -ENOBUFS if as many packets
 * as the link is deep are held; -ENOMEM; -EOPNOTSUPP if @link is of another kind.
 */
int us_extern_inject(struct us_link *link, const void *packet, size_t length)
{
	struct outside *o = outside_of(link);
	struct frame *frame;

	if (link->ops != &us_extern_ops)
		return -EOPNOTSUPP;
	if (length > MTU_MAX)
		return -EMSGSIZE;
	if (o->nr_in == o->depth)
		return -ENOBUFS;
	frame = frame_of(o, length);
	if (!frame)
		return -ENOMEM;
	memcpy(frame->data, packet, length);
	frame->len = (uint32_t)length;
	o->nr_in++;
	cds_list_add_tail(&frame->node, &o->in);
	return 0;
}

static void close_outside(struct us_link *link)
{
	struct outside *o = outside_of(link);
	struct frame *frame, *next;

	cds_list_for_each_entry_safe(frame, next, &o->in, node)
		give_back(o, frame);
	us_pool_destroy(&o->frames);
	free(o);
}

static void deliver(struct outside *o, struct frame *frame)
{
	struct us_pkt *pkt = us_link_pkt(&o->link);

	if (!pkt) {
		give_back(o, frame);
		return;
	}
	pkt->data = frame->data;
	pkt->len = frame->len;
	pkt->token = (uintptr_t)frame;
	o->link.stats.rx_packets++;
	o->link.stats.rx_bytes += pkt->len;
	o->link.stack->up->link_input(o->link.stack, pkt);
}

static bool has_room(const struct outside *o)
{
	return o->starved && o->nr_out + o->link.kept < o->depth;
}

static unsigned int poll_outside(struct us_link *link, unsigned int budget)
{
	struct outside *o = outside_of(link);
	unsigned int n;

	for (n = 0; n < budget && !cds_list_empty(&o->in); n++) {
		struct frame *frame = cds_list_first_entry(&o->in, struct frame, node);

		cds_list_del(&frame->node);
		deliver(o, frame);
	}
	if (us_unlikely(has_room(o))) {
		o->starved = false;
		link->stack->up->link_writable(link->stack, link);
	}
	return n;
}

static void release(struct us_link *link, struct us_pkt *pkt)
{
	give_back(outside_of(link), (struct frame *)(uintptr_t)pkt->token);
}

static bool pressure(const struct us_link *link)
{
	return outside_of(link)->nr_in > outside_of(link)->depth / 2;
}

static us_ns next(const struct us_link *link)
{
	const struct outside *o = outside_of(link);

	return has_room(o) || o->in.next != &o->in ? link->stack->now : US_NEVER;
}

const struct us_link_ops us_extern_ops = {
	.name = "extern",
	.open = open_outside,
	.close = close_outside,
	.reserve = reserve,
	.submit = submit,
	.flush = flush,
	.poll = poll_outside,
	.release = release,
	.pressure = pressure,
	.next = next,
};
