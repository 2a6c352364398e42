// SPDX-License-Identifier: MIT
/*
 * The kernel's side of the RX ring against the user's, each in threads of its
 * own, as on several CPUs. Every byte of every packet is checked, and the thread
 * sanitizer checks that barriers order all accesses to it.
 */
#include "kernel_shim.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <linux/netchannel.h>

#include "core/random.h"
#include "link/netchannel_ring.h"
#include "ring.h"
#include "tap.h"

#define PRODUCERS	3u
#define HELD		8u	/* packets that the consumer keeps for a while */
#define LENGTH_MAX	2048u

/**
 * struct channel - the area, and the kernel's private part
 * @lock: as the channel's lock.
 * @ring: the kernel's.
 * @desc: shared.
 * @released: shared.
 * @bytes: shared.
 * @packets: that each producer sends.
 * @full: reservations that found no room.
 * @broken: the ring was called broken.
 */
struct channel {
	pthread_mutex_t lock;
	struct nc_ring ring;
	struct netchannel_rx_desc *desc;
	u32 *released;
	u8 *bytes;
	u32 packets;
	u32 full;
	bool broken;
};

/* A packet is its producer, its number, and bytes that follow from them. */
struct header {
	u32 producer;
	u32 number;
};

static u8 pattern(const struct header *h, u32 at)
{
	return (u8)(h->producer * 57 + h->number * 31 + at);
}

static void open_channel(struct channel *c, u32 depth, u32 bytes, u32 packets,
			 u32 first)
{
	u32 i;

	*c = (struct channel) { .packets = packets };
	pthread_mutex_init(&c->lock, NULL);
	c->desc = calloc(depth, sizeof(*c->desc));
	c->released = calloc(depth, sizeof(*c->released));
	c->bytes = malloc(bytes);
	c->ring = (struct nc_ring) {
		.depth = depth, .size = bytes, .head = first, .tail = first,
		.slot = calloc(depth, sizeof(*c->ring.slot)),
		.released = c->released,
	};
	for (i = first; i != first + depth; i++) {
		c->released[i & (depth - 1)] = i + 1 - depth;
		c->desc[i & (depth - 1)].seq = i + 1 - depth;
	}
}

static void close_channel(struct channel *c)
{
	pthread_mutex_destroy(&c->lock);
	free(c->desc);
	free(c->released);
	free(c->bytes);
	free(c->ring.slot);
}

/* --- the kernel --------------------------------------------------------------- */

static enum nc_ring_verdict reserve(struct channel *c, u32 length, u32 *index,
				    u32 *at)
{
	enum nc_ring_verdict verdict;

	pthread_mutex_lock(&c->lock);
	verdict = nc_ring_reserve(&c->ring, length, index, at);
	c->full += verdict == NC_RING_NO_DESC || verdict == NC_RING_NO_BYTES;
	if (verdict == NC_RING_BROKEN)
		WRITE_ONCE(c->broken, true);
	pthread_mutex_unlock(&c->lock);
	return verdict;
}

/* Outside the lock, as in the module: copy, describe, publish. */
static void fill(struct channel *c, const struct header *h, u32 length,
		 u32 index, u32 at)
{
	struct netchannel_rx_desc *desc = &c->desc[index & (c->ring.depth - 1)];
	u32 i;

	memcpy(c->bytes + at, h, sizeof(*h));
	for (i = sizeof(*h); i < length; i++)
		c->bytes[at + i] = pattern(h, i);
	desc->offset = at;
	desc->length = length;
	desc->cookie = h->producer;
	nc_ring_publish(&c->ring, index, &desc->seq);
}

struct producer {
	struct channel *channel;
	struct header header;
};

static void *produce(void *arg)
{
	struct producer *p = arg;
	struct header *h = &p->header;
	struct us_random random;
	u32 index = 0, at = 0;

	us_random_init(&random, h->producer + 1);
	while (h->number < p->channel->packets) {
		u32 length = (u32)sizeof(*h) +
			us_random_below(&random, LENGTH_MAX - sizeof(*h));

		switch (reserve(p->channel, length, &index, &at)) {
		case NC_RING_OK:
			fill(p->channel, h, length, index, at);
			h->number++;
			break;
		case NC_RING_BROKEN:
			return NULL;
		default:
			sched_yield();
		}
	}
	return NULL;
}

/* --- the user ----------------------------------------------------------------- */

/**
 * struct consumer - reads all packets
 * @channel: of which.
 * @rx: the owner's side of the ring.
 * @held: indices that are kept.
 * @count: of @held.
 * @number: that each producer's next packet has.
 * @bad: packets that were not what was sent.
 * @random: which to give back.
 */
struct consumer {
	struct channel *channel;
	struct us_nc_rx rx;
	u32 held[HELD];
	u32 count;
	u32 number[PRODUCERS];
	u32 bad;
	struct us_random random;
};

static bool intact(struct consumer *user, const struct netchannel_rx_desc *desc)
{
	const u8 *bytes = user->rx.data + desc->offset;
	struct header h;
	u32 i;

	if (!us_nc_rx_valid(&user->rx, desc))
		return false;
	memcpy(&h, bytes, sizeof(h));
	if (h.producer >= PRODUCERS || h.producer != desc->cookie ||
	    h.number != user->number[h.producer])
		return false;
	user->number[h.producer]++;
	for (i = sizeof(h); i < desc->length; i++)
		if (bytes[i] != pattern(&h, i))
			return false;
	return true;
}

static void release_one(struct consumer *user)
{
	u32 which = us_random_below(&user->random, user->count);
	u32 index = user->held[which];

	user->held[which] = user->held[--user->count];
	us_nc_rx_release(&user->rx, index);
}

static bool receive(struct consumer *user)
{
	const struct netchannel_rx_desc *desc = us_nc_rx_peek(&user->rx);

	if (!desc)
		return false;
	user->bad += !intact(user, desc);
	user->held[user->count++] = us_nc_rx_read(&user->rx, desc);
	return true;
}

static void *consume(void *arg)
{
	struct consumer *user = arg;
	u32 all = user->channel->packets * PRODUCERS, first = user->rx.next;

	us_random_init(&user->random, 99);
	while (user->rx.next - first < all && !READ_ONCE(user->channel->broken)) {
		bool got = user->count < HELD && receive(user);

		if (user->count && (!got || us_random_below(&user->random, 2)))
			release_one(user);
		else if (!got)
			sched_yield();
	}
	while (user->count)
		release_one(user);
	return NULL;
}

/* --- together ----------------------------------------------------------------- */

static void run(u32 depth, u32 bytes, u32 packets, u32 first)
{
	struct producer producer[PRODUCERS];
	pthread_t thread[PRODUCERS + 1];
	struct consumer user;
	struct channel c;
	u32 i;

	open_channel(&c, depth, bytes, packets, first);
	user = (struct consumer) {
		.channel = &c,
		.rx = {
			.desc = c.desc, .released = c.released, .data = c.bytes,
			.size = bytes, .depth = depth, .next = first, .tail = first,
		},
	};
	pthread_create(&thread[PRODUCERS], NULL, consume, &user);
	for (i = 0; i < PRODUCERS; i++) {
		producer[i] = (struct producer) { &c, { i, 0 } };
		pthread_create(&thread[i], NULL, produce, &producer[i]);
	}
	for (i = 0; i <= PRODUCERS; i++)
		pthread_join(thread[i], NULL);
	ok(!user.bad && !c.broken && user.rx.next == first + packets * PRODUCERS,
	   "depth %u, %u KiB: %u packets of %u producers are intact", depth,
	   bytes / 1024, packets * PRODUCERS, PRODUCERS);
	for (i = 0; i <= depth / NC_RING_STEPS; i++)
		nc_ring_reclaim(&c.ring);
	ok(!nc_ring_fill(&c.ring) && !c.ring.used &&
	   user.rx.tail == user.rx.next && !us_nc_rx_pressure(&user.rx),
	   "and all is given back (it was full %u times)", c.full);
	close_channel(&c);
}

int main(void)
{
	plan(8);
	run(1, 4096, 500, 0);
	run(16, 8192, 3000, -100u);		/* short of bytes */
	run(4, 65536, 3000, 0);			/* short of descriptors */
	run(1024, 1025 * 2048, 5000, -3000u);
	return finish();
}
