/* SPDX-License-Identifier: MIT */
/* The words that every layer uses. */
#ifndef US_CORE_TYPES_H
#define US_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time in nanoseconds of the stack's clock; a deadline of US_NEVER never comes. */
typedef int64_t us_ns;
#define US_NEVER	INT64_MAX
#define US_USEC		1000LL
#define US_MSEC		1000000LL
#define US_SEC		1000000000LL

#define us_likely(x)	__builtin_expect(!!(x), 1)
#define us_unlikely(x)	__builtin_expect(!!(x), 0)
/* The rare rest of a function whose short way then needs no stack. */
#define us_noinline	__attribute__((noinline))
/* A body that several functions share, none of which pays for what the others need. */
#define us_always_inline	inline __attribute__((always_inline))

#define us_container(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

static inline uint32_t us_min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t us_max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Buckets for so many entries: a power of 2, of which there are no more than @most. */
static inline uint32_t us_buckets_for(uint32_t entries, uint32_t most)
{
	uint32_t buckets = 64;

	while (buckets < entries && buckets < most)
		buckets *= 2;
	return buckets;
}

/**
 * struct us_addr - an IPv4 or IPv6 address, in network byte order
 * @b: its bytes.
 * @w: the same; IPv4's is the last.
 * @q: the same, to compare.
 *
 * IPv4 is kept v4-mapped (RFC 4291), so that one comparison serves both.
 */
struct us_addr {
	union {
		uint8_t b[16];
		uint32_t w[4];
		uint64_t q[2];
	};
};

#endif /* US_CORE_TYPES_H */
