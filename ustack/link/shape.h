/* SPDX-License-Identifier: MIT */
/* What a line does to packets: losses, delays and the rest, by seed. */
#ifndef US_LINK_SHAPE_H
#define US_LINK_SHAPE_H

#include "core/random.h"
#include "core/stack.h"

/* What us_shape_parse() reads, for us_link_arg_check(). */
#define US_SHAPE_KEYS	"loss", "burst", "reorder", "duplicate", "corrupt", "mark", "delay", \
			"jitter", "rate", "limit", "hole", "seed"

/**
 * struct us_shape - a line in one direction
 * @loss: chance in 2^32 that losses begin; UINT32_MAX is always.
 * @again: chance that the packet after a lost one is lost, too.
 * @reorder: chance to come late by up to a half of @delay, or a millisecond.
 * @duplicate: chance to come twice.
 * @corrupt: chance to have one bit flipped.
 * @mark: chance to be marked CE, if it is ECN-capable.
 * @delay: nanoseconds.
 * @jitter: nanoseconds at most on top of @delay.
 * @rate: bits per second; 0 is no limit.
 * @limit: bytes that may wait for @rate; 0 is no limit.
 * @hole: larger packets vanish; 0: none do.
 * @any: any of these.
 * @random: where chances come from.
 * @losing: the last packet was lost by chance.
 * @lost_at: when it was.
 * @line_free: when the last packet has left at @rate.
 */
struct us_shape {
	uint32_t loss;
	uint32_t again;
	uint32_t reorder;
	uint32_t duplicate;
	uint32_t corrupt;
	uint32_t mark;
	us_ns delay;
	us_ns jitter;
	uint64_t rate;
	uint64_t limit;
	uint64_t hole;
	bool any;
	struct us_random random;
	bool losing;
	us_ns lost_at;
	us_ns line_free;
};

int us_shape_parse(struct us_stack *stack, const char *args, uint32_t mtu,
		   struct us_shape *shape);
bool us_shape_fits(const struct us_shape *shape, uint32_t size);
bool us_shape_doubles(struct us_shape *shape);
us_ns us_shape_pass(struct us_shape *shape, us_ns now, uint8_t *ip, uint32_t len);

#endif /* US_LINK_SHAPE_H */
