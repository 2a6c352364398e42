// SPDX-License-Identifier: MIT
#include "wire/checksum.h"

#include <stdbool.h>
#include <string.h>

#include "wire/bytes.h"

#define WIDE	128u	/* bytes from which on vectors pay */

/* Keeps the compiler from loading twice what it uses twice: most vectors lie across lines. */
#ifdef __x86_64__
#define IN_REGISTER(v)	__asm__("" : "+v"(v))
#else
#define IN_REGISTER(v)	((void)(v))
#endif

typedef size_t (*wide_fn)(uint8_t *to, const uint8_t *from, size_t len, uint64_t *total);

static inline uint64_t add64(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/* NULL stays NULL: adding to it is undefined, be it nothing. */
static inline __attribute__((always_inline)) uint8_t *behind(uint8_t *to, size_t len)
{
	return to ? to + len : NULL;
}

/*
 * Defines NAME(), which adds up what fills vectors of BYTES, and copies it if @to is
 * not NULL; it gives the bytes done.  For each 64-bit lane two sums are kept: @all, of
 * whole words, modulo 2^64, and @high, of their upper halves, which is exact.  So the
 * lower halves' is their difference: three operations a vector, and no carry is
 * lost.  All lanes together take 2^30 words before they overflow.
 */
#define DEFINE_WIDE(NAME, BYTES)							\
typedef uint64_t NAME##_lanes __attribute__((vector_size(BYTES)));			\
											\
static inline __attribute__((always_inline)) void					\
NAME##_take(uint8_t *to, const uint8_t *from, NAME##_lanes *all, NAME##_lanes *high)	\
{											\
	NAME##_lanes v;									\
											\
	memcpy(&v, from, sizeof(v));							\
	IN_REGISTER(v);									\
	if (to)										\
		memcpy(to, &v, sizeof(v));						\
	*all += v;									\
	*high += v >> 32;								\
}											\
											\
static inline __attribute__((always_inline)) size_t					\
NAME##_loop(uint8_t *to, const uint8_t *from, size_t len, uint64_t *total)		\
{											\
	NAME##_lanes all[4] = { { 0 } }, high[4] = { { 0 } };				\
	size_t left = len, i;								\
	uint64_t sum = 0;								\
											\
	for (; left >= 4 * (BYTES); left -= 4 * (BYTES)) {				\
		_Pragma("GCC unroll 4")							\
		for (i = 0; i < 4; i++, from += (BYTES), to = behind(to, BYTES))	\
			NAME##_take(to, from, &all[i], &high[i]);			\
	}										\
	for (; left >= (BYTES); left -= (BYTES), from += (BYTES), to = behind(to, BYTES)) \
		NAME##_take(to, from, &all[0], &high[0]);				\
	all[0] += all[1] + all[2] + all[3];						\
	high[0] += high[1] + high[2] + high[3];						\
	all[0] += high[0] - (high[0] << 32);						\
	for (i = 0; i < (BYTES) / sizeof(uint64_t); i++)				\
		sum += all[0][i];							\
	*total = add64(*total, sum);							\
	return len - left;								\
}											\
											\
static size_t NAME(uint8_t *to, const uint8_t *from, size_t len, uint64_t *total)	\
{											\
	return to ? NAME##_loop(to, from, len, total) :					\
		    NAME##_loop(NULL, from, len, total);				\
}

DEFINE_WIDE(wide16, 16)	/* what every 64-bit machine has */

#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
DEFINE_WIDE(wide32, 32)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
DEFINE_WIDE(wide64, 64)
#pragma clang attribute pop
#else
#pragma GCC push_options
#pragma GCC target("avx2")
DEFINE_WIDE(wide32, 32)
#pragma GCC target("avx512f")
DEFINE_WIDE(wide64, 64)
#pragma GCC pop_options
#endif
#endif

/* NULL: words of eight bytes only. */
static wide_fn wide = wide16;

/**
 * us_csum_width() - chooses how sums are made; for tests
 * @most: bytes that vectors may have; 8: no vectors.
 *
 * At the start the widest vectors are chosen that the machine has.
 * Return: bytes that they have now.
 */
unsigned int us_csum_width(unsigned int most)
{
#ifdef __x86_64__
	/* The first that had these ran 512 bits slower than it ran 256. */
	if (most >= 64 && __builtin_cpu_supports("avx512vbmi2")) {
		wide = wide64;
		return 64;
	}
	if (most >= 32 && __builtin_cpu_supports("avx2")) {
		wide = wide32;
		return 32;
	}
#endif
	wide = most >= 16 ? wide16 : NULL;
	return wide ? 16 : 8;
}

__attribute__((constructor)) static void choose_width(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
#endif
	us_csum_width(UINT32_MAX);
}

static uint32_t fold64(uint64_t sum)
{
	return us_csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

/* The next bytes as a number, copied if @to is not NULL. */
#define TAKE(type, to, from) ({				\
	type taken;					\
							\
	memcpy(&taken, (from), sizeof(taken));		\
	if (to)						\
		memcpy((to), &taken, sizeof(taken));	\
	taken;						\
})

/* Any number of bytes: all begin at even places, where 2^16 weighs as much as 1. */
static inline __attribute__((always_inline)) uint32_t
sum_up(uint8_t *to, const uint8_t *at, size_t len, uint64_t total)
{
	if (len >= WIDE && wide) {
		size_t done = wide(to, at, len, &total);

		at += done;
		to = behind(to, done);
		len -= done;
	}
	/* Headers, and what vectors leave over. */
	for (; len >= 32; len -= 32, at += 32, to = behind(to, 32)) {
		total = add64(total, TAKE(uint64_t, to, at));
		total = add64(total, TAKE(uint64_t, behind(to, 8), at + 8));
		total = add64(total, TAKE(uint64_t, behind(to, 16), at + 16));
		total = add64(total, TAKE(uint64_t, behind(to, 24), at + 24));
	}
	for (; len >= 8; len -= 8, at += 8, to = behind(to, 8))
		total = add64(total, TAKE(uint64_t, to, at));
	if (len & 4) {
		total = add64(total, TAKE(uint32_t, to, at));
		at += 4;
		to = behind(to, 4);
	}
	if (len & 2) {
		total = add64(total, TAKE(uint16_t, to, at));
		at += 2;
		to = behind(to, 2);
	}
	if (len & 1) {
		uint8_t last[2] = { *at, 0 };	/* padded, RFC 1071 4.1 */
		uint16_t word;

		if (to)
			*to = *at;
		memcpy(&word, last, sizeof(word));
		total = add64(total, word);
	}
	return fold64(total);
}

/**
 * us_csum_bytes() - adds bytes to a sum
 * @data: at any address.
 * @len: bytes, less than 2^33.
 * @sum: what came before; an even number of bytes, or see us_csum_at().
 *
 * Return: the sum.
 */
uint32_t us_csum_bytes(const void *data, size_t len, uint32_t sum)
{
	return sum_up(NULL, data, len, sum);
}

/**
 * us_csum_copy() - copies bytes and adds them to a sum, in one pass
 * @to: where to; does not overlap @from.
 * @from: at any address.
 * @len: bytes, less than 2^33.
 * @sum: as for us_csum_bytes().
 *
 * Return: the sum.
 */
uint32_t us_csum_copy(void *to, const void *from, size_t len, uint32_t sum)
{
	return sum_up(to, from, len, sum);
}

/* Protocol and length as the pseudo header's last words have them. */
static uint32_t pseudo_tail(uint8_t protocol, uint32_t len, uint32_t sum)
{
	us_be32 word[2] = { us_put32(len), us_put32(protocol) };

	return us_csum_bytes(word, sizeof(word), sum);
}

/**
 * us_csum_pseudo6() - sum of the IPv6 pseudo header
 * @src: source address.
 * @dst: destination address.
 * @protocol: IPPROTO_*.
 * @len: bytes of transport header and data.
 */
uint32_t us_csum_pseudo6(const uint8_t src[16], const uint8_t dst[16],
			 uint8_t protocol, uint32_t len)
{
	uint32_t sum = us_csum_bytes(src, 16, 0);

	return pseudo_tail(protocol, len, us_csum_bytes(dst, 16, sum));
}
