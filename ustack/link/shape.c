// SPDX-License-Identifier: MIT
/*
 * A line that loses, doubles, delays, reorders and spoils some packets.  Which of them
 * follows from a seed, so a run can be repeated.
 */
#include "link/shape.h"

#include <errno.h>
#include <string.h>

#include "link/link.h"
#include "wire/checksum.h"

#define PACKET_MIN	68u
#define PACKET_MAX	65535u
#define BURST_PAUSE	(20 * US_MSEC)	/* ends a burst of losses */

/* ------------------------------------------------------------------ opening */

static int parse_chance(struct us_stack *stack, const char *args,
			const char *key, uint32_t *chance)
{
	uint64_t value = 0;	/* 10^-6 per cent */
	int err;

	err = us_link_arg_number(stack, args, key, 1000000, 0, 100, &value);
	*chance = (uint32_t)(value * UINT32_MAX / 100000000);
	return err;
}

/* Gilbert's model: losses come in bursts of a mean length, and their part of all
 * packets stays what it is.
 */
static int parse_loss(struct us_stack *stack, const char *args, struct us_shape *shape)
{
	uint64_t burst = 0, begin;
	int err;

	err = parse_chance(stack, args, "loss", &shape->loss);
	if (!err)
		err = us_link_arg_number(stack, args, "burst", 1, 1, 1000, &burst);
	shape->again = shape->loss;
	if (err || burst < 2 || shape->loss == UINT32_MAX)
		return err;
	begin = (uint64_t)shape->loss * UINT32_MAX / (UINT32_MAX - shape->loss) / burst;
	if (begin > UINT32_MAX)
		return us_fail(stack, -EINVAL, "loss= and burst=: so much is not lost in bursts of %llu: use longer ones",
			       (unsigned long long)burst);
	shape->again = UINT32_MAX - (uint32_t)(UINT32_MAX / burst);
	shape->loss = (uint32_t)begin;
	return 0;
}

static int parse_chances(struct us_stack *stack, const char *args, struct us_shape *shape)
{
	int err;

	err = parse_loss(stack, args, shape);
	if (!err)
		err = parse_chance(stack, args, "reorder", &shape->reorder);
	if (!err)
		err = parse_chance(stack, args, "duplicate", &shape->duplicate);
	if (!err)
		err = parse_chance(stack, args, "corrupt", &shape->corrupt);
	if (!err)
		err = parse_chance(stack, args, "mark", &shape->mark);
	return err;
}

static int parse_delays(struct us_stack *stack, const char *args, struct us_shape *shape)
{
	uint64_t delay = 0, jitter = 0;
	int err;

	err = us_link_arg_number(stack, args, "delay", US_MSEC, 0, 3600000, &delay);
	if (!err)
		err = us_link_arg_number(stack, args, "jitter", US_MSEC, 0,
					 3600000, &jitter);
	shape->delay = (us_ns)delay;
	shape->jitter = (us_ns)jitter;
	return err;
}

static int parse_rate(struct us_stack *stack, const char *args, uint32_t mtu,
		      struct us_shape *shape)
{
	int err;

	err = us_link_arg_number(stack, args, "rate", 1, 1, 1000000000000, &shape->rate);
	if (!err)	/* packets of a full MTU */
		err = us_link_arg_number(stack, args, "limit", mtu, 1, 1000000,
					 &shape->limit);
	if (!err)
		err = us_link_arg_number(stack, args, "hole", 1, PACKET_MIN, PACKET_MAX,
					 &shape->hole);
	return err;
}

/**
 * us_shape_parse() - reads what the line does
 * @stack: for ustack_error(); the seed comes from its random source, if @args have none.
 * @args: "key=value,...", of which US_SHAPE_KEYS are read.
 * @mtu: of the link.
 * @shape: all zero, filled in.
 *
 * Return: 0, or a negative errno and a text for ustack_error().
 */
int us_shape_parse(struct us_stack *stack, const char *args, uint32_t mtu,
		   struct us_shape *shape)
{
	uint64_t seed = us_random32(&stack->random) | 1;
	int err;

	err = parse_chances(stack, args, shape);
	if (!err)
		err = parse_delays(stack, args, shape);
	if (!err)
		err = parse_rate(stack, args, mtu, shape);
	if (!err)
		err = us_link_arg_number(stack, args, "seed", 1, 1, UINT64_MAX, &seed);
	if (err)
		return err;
	shape->any = shape->loss || shape->reorder || shape->duplicate ||
		     shape->corrupt || shape->mark || shape->delay || shape->jitter ||
		     shape->rate || shape->hole;
	return us_random_init(&shape->random, seed);
}

/* ------------------------------------------------------------------ packets */

static bool chance(struct us_shape *shape, uint32_t chance)
{
	return chance && (us_random32(&shape->random) < chance ||
			  chance == UINT32_MAX);
}

static us_ns up_to(struct us_shape *shape, us_ns limit)
{
	return (us_ns)((unsigned __int128)us_random32(&shape->random) *
		       (uint64_t)(limit + 1) >> 32);
}

/* Losses come in bursts, which a pause ends. */
static bool loses(struct us_shape *shape, us_ns now)
{
	if (now > shape->lost_at + BURST_PAUSE)
		shape->losing = false;
	shape->losing = chance(shape, shape->losing ? shape->again : shape->loss);
	if (shape->losing)
		shape->lost_at = now;
	return shape->losing;
}

/* As a congested router does (RFC 3168 5). */
static void mark(uint8_t *ip)
{
	bool v4 = ip[0] >> 4 == 4;
	uint8_t *field = &ip[1], ce = v4 ? 0x03 : 0x30;
	uint16_t sum = 0;

	if (!(*field & ce))
		return;
	*field |= ce;
	if (!v4)
		return;
	memcpy(ip + 10, &sum, sizeof(sum));
	sum = us_csum_fold(us_csum_bytes(ip, 20, 0));
	memcpy(ip + 10, &sum, sizeof(sum));
}

static void spoil(struct us_shape *shape, uint8_t *ip, uint32_t len)
{
	uint32_t bit = us_random_below(&shape->random, len * 8);

	ip[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* When the last bit has left; US_NEVER if too much waits before it. */
static us_ns leave(struct us_shape *shape, us_ns now, uint32_t len)
{
	us_ns most = US_NEVER;

	if (!shape->rate)
		return now;
	if (shape->line_free < now)
		shape->line_free = now;
	if (shape->limit)
		most = (us_ns)((double)shape->limit * 8e9 / (double)shape->rate);
	if (shape->line_free - now > most)
		return US_NEVER;
	shape->line_free += (us_ns)(len * 8 * (uint64_t)US_SEC / shape->rate);
	return shape->line_free;
}

/* How long it is on its way. */
static us_ns travel(struct us_shape *shape)
{
	us_ns time = shape->delay;

	if (shape->jitter)
		time += up_to(shape, shape->jitter);
	if (chance(shape, shape->reorder))
		time += up_to(shape, shape->delay / 2 > US_MSEC ?
			      shape->delay / 2 : US_MSEC);
	return time;
}

/**
 * us_shape_fits() - does the line carry packets of this size?
 * @shape: the line.
 * @size: bytes of the packet, or of the largest that becomes of it.
 */
bool us_shape_fits(const struct us_shape *shape, uint32_t size)
{
	return !shape->hole || size <= shape->hole;
}

/**
 * us_shape_doubles() - does the next packet come twice?
 * @shape: the line.
 */
bool us_shape_doubles(struct us_shape *shape)
{
	return chance(shape, shape->duplicate);
}

/**
 * us_shape_pass() - sends a packet along the line
 * @shape: the line.
 * @now: when it is sent.
 * @ip: the IP packet; may be marked, or one bit of it be changed.
 * @len: bytes of @ip.
 *
 * Return: when it arrives, US_NEVER if it is lost.
 */
us_ns us_shape_pass(struct us_shape *shape, us_ns now, uint8_t *ip, uint32_t len)
{
	us_ns left;

	if (loses(shape, now))
		return US_NEVER;
	if (chance(shape, shape->mark))
		mark(ip);
	if (chance(shape, shape->corrupt))
		spoil(shape, ip, len);
	left = leave(shape, now, len);
	return left == US_NEVER ? US_NEVER : left + travel(shape);
}
