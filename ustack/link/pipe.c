// SPDX-License-Identifier: MIT
/*
 * A pipe joins two stacks of one process, in one thread.  What one end sends
 * lies in frames of that end until the other end's stack lets go of it: no copy
 * is made on the way.  The sending end shapes the traffic (shape.h) by its seed and its
 * stack's clock, so a run can be repeated.  "lo" is one whose only end hears itself.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "link/cut.h"
#include "link/link.h"
#include "link/shape.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define MTU		1500u
#define MTU_LO		65535u
#define MTU_MIN		68u
#define MTU_MAX		65535u
#define FRAMES		1024u	/* of an end that does not delay */
#define FRAMES_DELAYED	8192u
#define NAME_MAX_LEN	63u

/**
 * struct frame - one packet on its way
 * @node: in half.queue.
 * @due: when it arrives, time of the sending stack; 0 is at once.
 * @len: bytes of @data.
 * @gso_size: as in struct us_tx.
 * @gso: alike.
 * @data: the IP packet.
 */
struct frame {
	struct cds_list_head node;
	us_ns due;
	uint32_t len;
	uint16_t gso_size;
	uint8_t gso;
	uint8_t data[] __attribute__((aligned(16)));
};

/**
 * struct half - one direction
 * @frames: all frames of it; their memory is the sending end's.
 * @queue: sent and not yet received, by time of arrival.
 * @room: bytes of a frame's data.
 */
struct half {
	struct us_pool frames;
	struct cds_list_head queue;
	uint32_t room;
};

/**
 * struct pipe - both directions; of "lo" the first is all there is
 * @node: in waiting, while the second end is missing.
 * @name: by which the ends find each other.
 * @ends: open ends.
 * @half: by sending end.
 */
struct pipe {
	struct cds_list_head node;
	char name[NAME_MAX_LEN + 1];
	unsigned int ends;
	struct half half[2];
};

/**
 * struct end - one end
 * @link: first member.
 * @pipe: shared with the other end.
 * @in: what comes.
 * @out: what goes.
 * @cut: frames that a super-segment may become; 1: it stays one.
 * @reserved: frame that @tx points into, or NULL.
 * @tx: the slot.
 * @starved: reserve() found no frame.
 * @shape: of what goes.
 */
struct end {
	struct us_link link;
	struct pipe *pipe;
	struct half *in;
	struct half *out;
	uint32_t cut;
	struct frame *reserved;
	struct us_tx tx;
	bool starved;
	struct us_shape shape;
};

static CDS_LIST_HEAD(waiting);
static pthread_mutex_t waiting_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const keys[] = { "name", "mtu", "frames", "gso", US_SHAPE_KEYS, NULL };
static const char *const lo_keys[] = { "mtu", "frames", US_SHAPE_KEYS, NULL };

static struct end *end_of(const struct us_link *link)
{
	return us_container(link, struct end, link);
}

/* ------------------------------------------------------------------ opening */

/* Super-segments of TCP: cut here into frames of the MTU, if some fit and they leave most
 * frames to others; or whole, with those of UDP.
 */
static void set_gso(struct us_link *link, bool whole, uint32_t frames)
{
	uint32_t most = us_min32(frames / 16, US_GSO_SEGS);
	uint32_t bytes = us_min32(most * link->mtu, MTU_MAX);

	link->flags = US_LINK_CSUM;
	end_of(link)->cut = 1;
	if (whole) {
		link->flags |= US_LINK_GSO_TCP | US_LINK_GSO_UDP;
		link->gso_max = MTU_MAX;
	} else if (bytes >= 3 * link->mtu) {
		end_of(link)->cut = most;
		link->flags |= US_LINK_GSO_TCP;
		link->gso_max = bytes;
		link->gso_segs = most;
	}
}

/* @mtu: unless given. */
static int parse(struct us_stack *stack, const char *args, uint64_t mtu, struct end *end,
		 uint32_t *frames)
{
	uint64_t gso = 0, count;
	int err;

	err = us_link_arg_number(stack, args, "mtu", 1, MTU_MIN, MTU_MAX, &mtu);
	if (!err)
		err = us_shape_parse(stack, args, (uint32_t)mtu, &end->shape);
	count = end->shape.any ? FRAMES_DELAYED : FRAMES;
	if (!err)
		err = us_link_arg_number(stack, args, "frames", 1, 1, 1000000,
					 &count);
	if (!err)
		err = us_link_arg_number(stack, args, "gso", 1, 0, 1, &gso);
	if (err)
		return err;
	end->link.mtu = (uint32_t)mtu;
	end->link.kept = us_link_kept((uint32_t)count);
	*frames = (uint32_t)count;
	set_gso(&end->link, gso, *frames);
	return 0;
}

static struct pipe *new_pipe(void)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe)
		return NULL;
	CDS_INIT_LIST_HEAD(&pipe->half[0].queue);
	CDS_INIT_LIST_HEAD(&pipe->half[1].queue);
	return pipe;
}

/* The pipe of this name that waits for its second end, or a new one. */
static struct pipe *find(const char *name)
{
	struct pipe *pipe;

	cds_list_for_each_entry(pipe, &waiting, node)
		if (!strcmp(pipe->name, name)) {
			cds_list_del(&pipe->node);
			return pipe;
		}
	pipe = new_pipe();
	if (!pipe)
		return NULL;
	strcpy(pipe->name, name);
	cds_list_add(&pipe->node, &waiting);
	return pipe;
}

/* @half: the frames, which are already there. */
static void attach(struct end *end, struct pipe *pipe, const struct half *half)
{
	end->pipe = pipe;
	end->out = &pipe->half[pipe->ends];
	end->in = &pipe->half[!pipe->ends];
	end->out->frames = half->frames;
	end->out->room = half->room;
	pipe->ends++;
}

static int join(struct end *end, const char *name, const struct half *half)
{
	struct pipe *pipe;

	pthread_mutex_lock(&waiting_lock);
	pipe = find(name);
	if (pipe)
		attach(end, pipe, half);
	pthread_mutex_unlock(&waiting_lock);
	return pipe ? 0 : -ENOMEM;
}

static int join_itself(struct end *end, const struct half *half)
{
	struct pipe *pipe = new_pipe();

	if (!pipe)
		return -ENOMEM;
	attach(end, pipe, half);
	end->in = end->out;
	end->link.flags |= US_LINK_LOOPBACK;
	return 0;
}

/* @name: NULL: its only end. */
static int make(struct us_stack *stack, struct end *end, const char *name,
		uint32_t frames)
{
	struct half half = { .room = end->link.mtu };
	int err;

	if (end->link.flags & US_LINK_GSO_UDP)
		half.room = end->link.gso_max;
	if (half.room < US_TX_INLINE)
		half.room = US_TX_INLINE;
	/* The last one for others leaves room for a super-segment: has_room(). */
	err = us_pool_create(&half.frames, sizeof(struct frame) + half.room,
			     frames + end->cut - 1);
	if (!err)
		err = name ? join(end, name, &half) : join_itself(end, &half);
	if (!err)
		return 0;
	us_pool_destroy(&half.frames);
	return us_fail(stack, err, "no memory for %u frames of %u bytes: use a smaller frames= or mtu=",
		       frames, half.room);
}

static int make_end(struct us_stack *stack, const char *args, const char *name,
		    struct us_link **link)
{
	struct end *end = calloc(1, sizeof(*end));
	uint32_t frames;
	int err;

	if (!end)
		return us_fail(stack, -ENOMEM, "no memory for a pipe");
	err = parse(stack, args, name ? MTU : MTU_LO, end, &frames);
	if (!err)
		err = make(stack, end, name, frames);
	if (err) {
		free(end);
		return err;
	}
	*link = &end->link;
	return 0;
}

static int open_end(struct us_stack *stack, const char *args,
		    struct us_link **link)
{
	char name[NAME_MAX_LEN + 1];
	int err = us_link_arg_check(stack, args, keys);

	if (err)
		return err;
	err = us_link_arg(stack, args, "name", name, sizeof(name));
	if (err && err != -ENOENT)
		return err;
	if (err || !name[0])
		return us_fail(stack, -EINVAL, "a pipe needs a name: use pipe:name=A for both of its ends");
	return make_end(stack, args, name, link);
}

static int open_lo(struct us_stack *stack, const char *args, struct us_link **link)
{
	int err = us_link_arg_check(stack, args, lo_keys);

	return err ? err : make_end(stack, args, NULL, link);
}

/* The other end may still hold frames of this one: the last one frees all. */
static void close_end(struct us_link *link)
{
	struct end *end = end_of(link);
	struct pipe *pipe = end->pipe;
	bool last, alone;

	if (end->reserved)
		us_pool_put(&end->out->frames, end->reserved);
	pthread_mutex_lock(&waiting_lock);
	alone = !end->in->frames.base;	/* the second end never came */
	last = --pipe->ends == 0;
	if (alone)
		cds_list_del(&pipe->node);
	pthread_mutex_unlock(&waiting_lock);
	if (last) {
		us_pool_destroy(&pipe->half[0].frames);
		us_pool_destroy(&pipe->half[1].frames);
		free(pipe);
	}
	free(end);
}

/* ------------------------------------------------------------------ sending */

/* Can a super-segment be cut, and @keep frames be left?  The one that is reserved counts
 * as one of it.
 */
static bool has_room(const struct end *end, uint32_t keep)
{
	const struct us_pool *frames = &end->out->frames;

	return frames->used - !!end->reserved + end->cut + keep <= frames->count;
}

static struct us_tx *reserve(struct us_link *link, uint32_t keep)
{
	struct end *end = end_of(link);

	if (us_unlikely(!has_room(end, keep))) {
		end->starved = true;
		return NULL;
	}
	if (!end->reserved)
		end->reserved = us_pool_get(&end->out->frames);
	return us_tx_begin(&end->tx, link, end->reserved->data, end->out->room);
}

static void drop(struct end *end, struct frame *frame)
{
	end->link.stats.tx_dropped++;
	us_pool_put(&end->out->frames, frame);
}

/* Puts a frame into the queue behind all that arrive no later. */
static void enqueue(struct half *half, struct frame *frame)
{
	struct cds_list_head *at = half->queue.prev;

	while (at != &half->queue &&
	       us_container(at, struct frame, node)->due > frame->due)
		at = at->prev;
	cds_list_add(&frame->node, at);
}

/* Bytes of the largest packet that becomes of the frame. */
static uint32_t packet_size(const struct frame *frame)
{
	uint32_t at = frame->data[0] >> 4 == 4 ? 20 : 40;

	if (!frame->gso)
		return frame->len;
	return at + frame->gso_size +
	       (frame->gso == US_GSO_TCP ? us_tcp_header_len((void *)&frame->data[at]) :
					   US_UDP_LEN);
}

static void send_late(struct end *end, struct frame *frame)
{
	frame->due = us_shape_pass(&end->shape, end->link.stack->now, frame->data, frame->len);
	if (frame->due == US_NEVER)
		drop(end, frame);
	else
		enqueue(end->out, frame);
}

static void send_shaped(struct end *end, struct frame *frame)
{
	struct frame *twin = NULL;

	if (!us_shape_fits(&end->shape, packet_size(frame))) {
		drop(end, frame);
		return;
	}
	if (us_shape_doubles(&end->shape) && has_room(end, 0))
		twin = us_pool_get(&end->out->frames);
	if (twin)
		memcpy(twin, frame, sizeof(*frame) + frame->len);
	send_late(end, frame);
	if (twin)
		send_late(end, twin);
}

static void send_frame(struct end *end, struct frame *frame, uint8_t gso, uint16_t gso_size)
{
	frame->due = 0;
	frame->gso = gso;
	frame->gso_size = gso_size;
	end->link.stats.tx_packets++;
	end->link.stats.tx_bytes += frame->len;
	if (us_unlikely(end->shape.any))
		send_shaped(end, frame);
	else
		cds_list_add_tail(&frame->node, &end->out->queue);
}

/* The first frame is the one with the headers; reserve() saw to the others. */
static void cut(struct end *end, struct us_tx *tx, struct frame *frame)
{
	struct us_cut cut;

	us_cut_begin(&cut, tx);
	for (;;) {
		frame->len = us_cut_next(&cut, frame->data);
		send_frame(end, frame, US_GSO_NONE, 0);
		if (!cut.left)
			return;
		frame = us_pool_get(&end->out->frames);
	}
}

/* Bytes of what goes first: of a segment, if @cuts, else of all, in one piece then; 0: the
 * link does not take so much.
 */
static uint32_t first_len(struct end *end, struct us_tx *tx, bool cuts)
{
	uint32_t len = tx->inline_len + tx->gso_size;

	if (!cuts)
		return us_link_gather(&end->link, tx, end->out->room);
	return us_likely(len <= end->link.mtu) ? len : 0;
}

static void submit(struct us_link *link, struct us_tx *tx)
{
	struct end *end = end_of(link);
	struct frame *frame = end->reserved;
	bool cuts = tx->gso && end->cut > 1;

	frame->len = first_len(end, tx, cuts);
	if (us_unlikely(!frame->len)) {
		link->stats.tx_dropped++;
		return;			/* the frame stays reserved */
	}
	end->reserved = NULL;
	if (cuts)
		cut(end, tx, frame);
	else
		send_frame(end, frame, tx->gso, tx->gso_size);
}

/* What was submitted is already on its way. */
static void flush(struct us_link *link)
{
	(void)link;
}

/* ---------------------------------------------------------------- receiving */

static void deliver(struct end *end, struct frame *frame)
{
	struct us_pkt *pkt = us_link_pkt(&end->link);

	if (us_unlikely(!pkt)) {
		us_pool_put(&end->in->frames, frame);
		return;
	}
	pkt->data = frame->data;
	pkt->len = frame->len;
	pkt->token = (uintptr_t)frame;
	if (frame->gso && frame->gso_size) {
		pkt->gso = frame->gso;
		pkt->gso_size = frame->gso_size;
		pkt->gso_segs = us_link_segments(frame->data, frame->len, frame->gso,
						 frame->gso_size);
	}
	end->link.stats.rx_packets++;
	end->link.stats.rx_bytes += pkt->len;
	end->link.stack->up->link_input(end->link.stack, pkt);
}

static unsigned int poll_end(struct us_link *link, unsigned int budget)
{
	struct end *end = end_of(link);
	struct cds_list_head *queue = &end->in->queue;
	unsigned int n;

	for (n = 0; n < budget && !cds_list_empty(queue); n++) {
		struct frame *frame = us_container(queue->next, struct frame,
						   node);

		if (frame->due > link->stack->now)
			break;
		cds_list_del(&frame->node);
		deliver(end, frame);
	}
	if (us_unlikely(end->starved) && has_room(end, link->kept)) {
		end->starved = false;
		link->stack->up->link_writable(link->stack, link);
	}
	return n;
}

static void release(struct us_link *link, struct us_pkt *pkt)
{
	us_pool_put(&end_of(link)->in->frames, (void *)(uintptr_t)pkt->token);
}

static bool pressure(const struct us_link *link)
{
	const struct us_pool *frames = &end_of(link)->in->frames;

	return frames->used > frames->count / 2;
}

static int fd(const struct us_link *link)
{
	(void)link;
	return -1;
}

static us_ns next(const struct us_link *link)
{
	const struct end *end = end_of(link);
	const struct cds_list_head *queue = &end->in->queue;

	if (end->starved && has_room(end, link->kept))
		return link->stack->now;
	if (queue->next == queue)
		return US_NEVER;
	return us_container(queue->next, struct frame, node)->due;
}

#define OPS			\
	.close = close_end,	\
	.reserve = reserve,	\
	.submit = submit,	\
	.flush = flush,		\
	.poll = poll_end,	\
	.release = release,	\
	.pressure = pressure,	\
	.fd = fd,		\
	.next = next,

const struct us_link_ops us_pipe_ops = { .name = "pipe", .open = open_end, OPS };
const struct us_link_ops us_lo_ops = { .name = "lo", .open = open_lo, OPS };
