// SPDX-License-Identifier: MIT
/*
 * kmod/ring.h with the fuzzer as producers and as an owner who may lie: what is
 * reserved stays in bounds and never overlaps, whatever the owner writes.
 *
 * Input: log2 of the depth, KiB of bytes less one, first index (4); then
 * operations of a byte and its arguments.
 */
#include "kernel_shim.h"

#include "oracle.h"
#include "ring.h"

#define DEPTH_MAX	32u

/**
 * struct rig - a ring, and who holds what
 * @ring: under test.
 * @slots: its private memory.
 * @released: its shared words.
 * @seq: of the descriptors.
 * @at: by slot: first byte of the reservation.
 * @length: by slot.
 * @published: by slot.
 */
struct rig {
	struct nc_ring ring;
	struct nc_ring_slot slots[DEPTH_MAX];
	u32 released[DEPTH_MAX];
	u32 seq[DEPTH_MAX];
	u32 at[DEPTH_MAX];
	u32 length[DEPTH_MAX];
	bool published[DEPTH_MAX];
};

static void setup(struct rig *rig, struct input *in)
{
	u32 depth = 1u << take8(in) % 6, i;
	u32 size = (take8(in) + 1u) * 1024, first = take32(in);

	memset(rig, 0, sizeof(*rig));
	rig->ring = (struct nc_ring) {
		.depth = depth, .size = size, .head = first, .tail = first,
		.slot = rig->slots, .released = rig->released,
	};
	for (i = first; i != first + depth; i++)
		rig->released[i & (depth - 1)] = i + 1 - depth;
}

static u32 slot_of(const struct rig *rig, u32 index)
{
	return index & (rig->ring.depth - 1);
}

/* No two reservations that are not reclaimed share a byte. */
static void apart(const struct rig *rig, u32 index)
{
	u32 slot = slot_of(rig, index), at = rig->at[slot], i;

	must(at % NC_RING_ALIGN == 0);
	must(at <= rig->ring.size && rig->length[slot] <= rig->ring.size - at);
	for (i = rig->ring.tail; i != index; i++) {
		u32 other = slot_of(rig, i);

		must(rig->at[other] + rig->length[other] <= at ||
		     at + rig->length[slot] <= rig->at[other]);
	}
}

static bool reserve(struct rig *rig, u32 length)
{
	u32 index = 0, at = 0, slot, tail = rig->ring.tail;
	enum nc_ring_verdict verdict;

	verdict = nc_ring_reserve(&rig->ring, length, &index, &at);
	must(rig->ring.tail - tail <= rig->ring.depth);
	must(nc_ring_fill(&rig->ring) <= rig->ring.depth);
	must(rig->ring.used <= rig->ring.size);
	if (verdict == NC_RING_OK) {
		slot = slot_of(rig, index);
		must(index == rig->ring.head - 1);
		rig->at[slot] = at;
		rig->length[slot] = length;
		rig->published[slot] = false;
		apart(rig, index);
	}
	if (!nc_ring_fill(&rig->ring) && verdict != NC_RING_BROKEN)
		must(verdict == NC_RING_NO_BYTES && length > rig->ring.size - 63);
	return verdict != NC_RING_BROKEN;
}

/* Publishes one of those that are reserved. */
static void publish(struct rig *rig, u32 which)
{
	u32 fill = nc_ring_fill(&rig->ring);
	u32 index = rig->ring.tail + (fill ? which % fill : 0);
	u32 slot = slot_of(rig, index);

	if (!fill || rig->published[slot])
		return;
	rig->published[slot] = true;
	nc_ring_publish(&rig->ring, index, &rig->seq[slot]);
	must(rig->seq[slot] == index + 1);
}

/* What is reclaimed was published. */
static bool reclaim(struct rig *rig)
{
	u32 tail = rig->ring.tail;
	bool good = nc_ring_reclaim(&rig->ring);

	for (; tail != rig->ring.tail; tail++)
		must(rig->published[slot_of(rig, tail)]);
	must(rig->ring.tail != rig->ring.head || !rig->ring.used);
	return good;
}

static bool step(struct rig *rig, struct input *in)
{
	u8 op = take8(in), which = take8(in);
	u32 index;

	switch (op % 6) {
	case 0:
		return reserve(rig, 1u + take16(in));
	case 1:
		publish(rig, which);
		break;
	case 2:		/* an honest release */
		if (which < nc_ring_fill(&rig->ring))
			rig->released[slot_of(rig, rig->ring.tail + which)] =
				rig->ring.tail + which + 1;
		break;
	case 3:		/* any word */
		rig->released[which % rig->ring.depth] = take32(in);
		break;
	case 4:
		return reclaim(rig);
	default:
		nc_ring_readable(&rig->ring, take32(in));
		index = rig->ring.tail;
		nc_ring_pending(&rig->ring, &index,
				rig->ring.head - which % DEPTH_MAX);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct rig rig;

	setup(&rig, &in);
	while (in.left && step(&rig, &in))
		;
	return 0;
}
