/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071).  A sum is 32 bits, not folded, in native
 * byte order: what comes from memory and goes back to memory needs no swap.
 *
 *	sum = us_csum_pseudo4(src, dst, protocol, len);
 *	sum = us_csum_bytes(data, len, sum);
 *	valid = us_csum_fold(sum) == 0;
 */
#ifndef US_WIRE_CHECKSUM_H
#define US_WIRE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/bytes.h"

/* One's-complement addition. */
static inline uint32_t us_csum_add(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

/* Takes the part @b out of the sum @a. */
static inline uint32_t us_csum_sub(uint32_t a, uint32_t b)
{
	return us_csum_add(a, ~b);
}

/* The sum of bytes, as it counts where they begin at @offset of the whole. */
static inline uint32_t us_csum_at(uint32_t sum, size_t offset)
{
	return offset & 1 ? sum >> 8 | sum << 24 : sum;
}

/* The sum in 16 bits, not complemented. */
static inline uint16_t us_csum_reduce(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* What goes into a checksum field; 0 when a field that is right was summed. */
static inline uint16_t us_csum_fold(uint32_t sum)
{
	return (uint16_t)~us_csum_reduce(sum);
}

/* Chooses the vectors that sums are made with; for tests. */
unsigned int us_csum_width(unsigned int most);
/* Adds @len bytes to @sum, as though they began at an even offset. */
uint32_t us_csum_bytes(const void *data, size_t len, uint32_t sum);
/* The same, and copies the bytes; the ranges do not overlap. */
uint32_t us_csum_copy(void *to, const void *from, size_t len, uint32_t sum);
/* Sum of an IPv4 header without options: five words, in registers. */
static inline uint32_t us_csum_ipv4(const void *header)
{
	const uint8_t *at = header;
	uint32_t a, b, c, d, e;
	uint64_t sum;

	/* One by one: what a vector brings would go through memory. */
	memcpy(&a, at, 4);
	memcpy(&b, at + 4, 4);
	memcpy(&c, at + 8, 4);
	memcpy(&d, at + 12, 4);
	memcpy(&e, at + 16, 4);
	sum = (uint64_t)a + b + c + d + e;
	return us_csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

/* Sum of the pseudo header (RFC 9293 3.1, RFC 8200 8.1); @len is that of
 * transport header and data, host byte order.
 */
static inline uint32_t us_csum_pseudo4(const uint8_t src[4], const uint8_t dst[4],
				       uint8_t protocol, uint32_t len)
{
	us_be32 length = us_put32(len), number = us_put32(protocol);
	uint32_t a, b, c, d;
	uint64_t sum;

	memcpy(&a, src, 4);
	memcpy(&b, dst, 4);
	memcpy(&c, &length, 4);
	memcpy(&d, &number, 4);
	sum = (uint64_t)a + b + c + d;
	return us_csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

uint32_t us_csum_pseudo6(const uint8_t src[16], const uint8_t dst[16],
			 uint8_t protocol, uint32_t len);

#endif /* US_WIRE_CHECKSUM_H */
