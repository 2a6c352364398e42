// SPDX-License-Identifier: MIT
/*
 * link/netchannel_ring.h against the module's own RX ring (kmod/ring.h), and the
 * TX ring against a kernel that is played here.  One thread: ring_tsan.c has more.
 */
#include "kernel_shim.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/random.h"
#include "host.h"
#include "link/netchannel_ring.h"
#include "ring.h"
#include "tap.h"

#define BYTES	8192u
#define DEPTH_MAX	16u

static struct netchannel_rx_desc desc[DEPTH_MAX];
static struct nc_ring_slot slots[DEPTH_MAX];
static uint32_t released[DEPTH_MAX];
static uint8_t bytes[BYTES];
static struct nc_ring kernel;
static struct us_nc_rx rx;

static void make_rx(uint32_t depth, uint32_t first)
{
	uint32_t i;

	memset(slots, 0, sizeof(slots));
	kernel = (struct nc_ring) {
		.depth = depth, .size = BYTES, .head = first, .tail = first,
		.slot = slots, .released = released,
	};
	for (i = 0; i < depth; i++) {
		uint32_t index = first + i;

		desc[index % depth].seq = index + 1 - depth;
		released[index % depth] = index + 1 - depth;
	}
	rx = (struct us_nc_rx) {
		.desc = desc, .released = released, .data = bytes,
		.size = BYTES, .depth = depth, .next = first, .tail = first,
	};
}

/* The kernel's producer: a packet of bytes that follow from its index. */
static bool produce(uint32_t length)
{
	uint32_t index, offset;
	struct netchannel_rx_desc *d;

	if (nc_ring_reserve(&kernel, length, &index, &offset) != NC_RING_OK)
		return false;
	memset(bytes + offset, (int)index & 0xff, length);
	d = &desc[index & (kernel.depth - 1)];
	d->offset = offset;
	d->length = length;
	nc_ring_publish(&kernel, index, &d->seq);
	return true;
}

static uint32_t take_next(void)
{
	return us_nc_rx_read(&rx, us_nc_rx_at(&rx, rx.next));
}

static bool intact(uint32_t index)
{
	const struct netchannel_rx_desc *d = us_nc_rx_at(&rx, index);
	uint32_t i;

	for (i = 0; i < d->length; i++)
		if (bytes[d->offset + i] != (uint8_t)index)
			return false;
	return us_nc_rx_valid(&rx, d);
}

/* Packets of all sizes, held for a while and given back in any order. */
static bool churn(uint32_t depth, uint32_t first, unsigned int rounds)
{
	uint32_t held[DEPTH_MAX], n = 0, at, read = first;
	struct us_random random;
	unsigned int i;

	us_random_init(&random, depth);
	make_rx(depth, first);
	for (i = 0; i < rounds; i++) {
		if (us_random_below(&random, 2))
			produce(1 + us_random_below(&random, 3000));
		if (us_nc_rx_peek(&rx) && n < DEPTH_MAX) {
			if (take_next() != read)
				return false;
			held[n++] = read++;
		}
		if (n && us_random_below(&random, 2)) {
			at = us_random_below(&random, n);
			if (!intact(held[at]))
				return false;
			us_nc_rx_release(&rx, held[at]);
			held[at] = held[--n];
		}
		if (!nc_ring_reclaim(&kernel))
			return false;
	}
	while (n)
		us_nc_rx_release(&rx, held[--n]);
	while (us_nc_rx_peek(&rx))
		us_nc_rx_release(&rx, take_next());
	return nc_ring_reclaim(&kernel) && rx.tail == rx.next &&
	       kernel.tail == kernel.head && kernel.tail == rx.tail &&
	       rx.next - first > rounds / 8;
}

static void receiving(void)
{
	uint32_t a, b, c;

	make_rx(4, 0);
	ok(!us_nc_rx_peek(&rx) && !us_nc_rx_pressure(&rx), "an empty ring");
	produce(100);
	ok(us_nc_rx_peek(&rx) && us_nc_rx_peek(&rx) == us_nc_rx_peek(&rx),
	   "a packet is seen until it is read");
	a = take_next();
	ok(!us_nc_rx_peek(&rx) && intact(a), "then no more");
	produce(100);
	produce(100);
	b = take_next();
	c = take_next();
	ok(us_nc_rx_pressure(&rx), "three of four descriptors held");
	us_nc_rx_release(&rx, b);
	us_nc_rx_release(&rx, c);
	ok(us_nc_rx_pressure(&rx) && rx.tail == a, "the oldest one blocks");
	produce(100);
	ok(!produce(100), "so the kernel has no room either");
	us_nc_rx_release(&rx, a);
	ok(!us_nc_rx_pressure(&rx) && produce(100), "until it is back");
	make_rx(16, 0);
	produce(5000);
	take_next();
	ok(us_nc_rx_pressure(&rx), "more than a half of the bytes held");
	desc[1] = (struct netchannel_rx_desc) { .offset = BYTES - 10, .length = 11 };
	desc[2] = (struct netchannel_rx_desc) { .offset = BYTES + 1, .length = 1 };
	desc[3] = (struct netchannel_rx_desc) { .offset = 0, .length = 0 };
	desc[4] = (struct netchannel_rx_desc) { .offset = 9, .length = UINT32_MAX };
	desc[5] = (struct netchannel_rx_desc) { .offset = BYTES - 10, .length = 10 };
	ok(!us_nc_rx_valid(&rx, &desc[1]) && !us_nc_rx_valid(&rx, &desc[2]) &&
	   !us_nc_rx_valid(&rx, &desc[3]) && !us_nc_rx_valid(&rx, &desc[4]) &&
	   us_nc_rx_valid(&rx, &desc[5]), "packets that lie elsewhere");
	ok(churn(1, 0, 20000), "depth 1");
	ok(churn(2, 0, 20000), "depth 2");
	ok(churn(16, 0, 100000), "depth 16");
	ok(churn(8, UINT32_MAX - 1000, 20000), "across the end of the indices");
}

static void sending(uint32_t first)
{
	enum { DEPTH = 4 };
	static struct netchannel_tx_desc tx_desc[DEPTH];
	static struct netchannel_tx_done done[DEPTH];
	static uint8_t inlined[DEPTH * NETCHANNEL_TX_INLINE];
	struct netchannel_ctl ctl = { .tx_head = first };
	struct us_nc_tx tx = {
		.desc = tx_desc, .inlined = inlined, .done = done,
		.depth = DEPTH, .head = first, .shown = first, .tail = first,
	};
	unsigned int i;

	for (i = 0; i < DEPTH; i++)
		done[(first + i) % DEPTH].seq = first + i + 1 - DEPTH;
	ok(!us_nc_tx_show(&tx, &ctl) && !us_nc_tx_completed(&tx), "nothing sent");
	for (i = 0; i < DEPTH; i++)
		us_nc_tx_submit(&tx);
	ok(!us_nc_tx_room(&tx, 0) && ctl.tx_head == first &&
	   !us_nc_tx_completed(&tx), "full, and not shown");
	ok(us_nc_tx_show(&tx, &ctl) && ctl.tx_head == first + DEPTH &&
	   !us_nc_tx_show(&tx, &ctl), "shown, once");
	done[(first + 1) % DEPTH].seq = first + 2;
	ok(!us_nc_tx_completed(&tx) && !us_nc_tx_room(&tx, 0),
	   "the second completes first");
	done[first % DEPTH].seq = first + 1;
	done[first % DEPTH].result = -EMSGSIZE;
	ok(us_nc_tx_completed(&tx) &&
	   us_nc_tx_completed(&tx)->result == -EMSGSIZE, "the first");
	us_nc_tx_reap(&tx);
	ok(us_nc_tx_completed(&tx) && us_nc_tx_room(&tx, 0), "then the second");
	us_nc_tx_reap(&tx);
	ok(!us_nc_tx_completed(&tx) && tx.head - tx.tail == 2, "two are open");
	ok(us_nc_tx_inlined(&tx, first + DEPTH) ==
	   inlined + first % DEPTH * NETCHANNEL_TX_INLINE, "the slot comes around");
	us_nc_want(&ctl, 7, NETCHANNEL_WAKE_RX, 12345);
	ok(ctl.rx_seen == 7 && ctl.wakeup == NETCHANNEL_WAKE_RX &&
	   ctl.deadline == 12345, "what to wake for");
}

static void refuses(struct host *h, const char *spec, int err, const char *word)
{
	int got = us_link_open(&h->stack, spec, NULL);

	printf("# %s: %s\n", spec, h->stack.error);
	ok(got == err && strstr(h->stack.error, word), "%s", spec);
}

int main(void)
{
	static struct host h;

	plan(37);
	receiving();
	sending(0);
	sending(UINT32_MAX - 1);
	host_init(&h);
	refuses(&h, "netchannel:depth=0", -EINVAL, "depth=0");
	refuses(&h, "netchannel:depth=65537", -EINVAL, "65536");
	refuses(&h, "netchannel:hook=middle", -EINVAL, "hook=late or hook=early");
	refuses(&h, "netchannel:deep=3", -EINVAL, "deep=3");
	refuses(&h, "netchannel:tx_bytes=1", -EINVAL, "tx_bytes=1");
	if (access("/dev/netchannel", F_OK))
		refuses(&h, "netchannel", -ENOENT, "insmod netchannel.ko");
	else
		ok(true, "netchannel # SKIP the module is loaded");
	host_exit(&h);
	return finish();
}
