/* SPDX-License-Identifier: MIT */
/*
 * Integers as they stand on the wire: big-endian, at any address.  They are
 * structures of bytes, so that one cannot be mistaken for a host integer, and
 * so that a header structure needs no alignment.
 */
#ifndef US_WIRE_BYTES_H
#define US_WIRE_BYTES_H

#include <stdint.h>
#include <string.h>

typedef struct { uint8_t b[2]; } us_be16;
typedef struct { uint8_t b[4]; } us_be32;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define us_swap16(x)	(x)
#define us_swap32(x)	(x)
#else
#define us_swap16(x)	__builtin_bswap16(x)
#define us_swap32(x)	__builtin_bswap32(x)
#endif

static inline uint16_t us_get16(us_be16 v)
{
	uint16_t raw;

	memcpy(&raw, v.b, sizeof(raw));
	return us_swap16(raw);
}

static inline uint32_t us_get32(us_be32 v)
{
	uint32_t raw;

	memcpy(&raw, v.b, sizeof(raw));
	return us_swap32(raw);
}

static inline us_be16 us_put16(uint16_t host)
{
	us_be16 v;

	host = us_swap16(host);
	memcpy(v.b, &host, sizeof(host));
	return v;
}

static inline us_be32 us_put32(uint32_t host)
{
	us_be32 v;

	host = us_swap32(host);
	memcpy(v.b, &host, sizeof(host));
	return v;
}

/* The same bytes in an integer, not swapped: ports and checksums, which are
 * compared and stored, not computed with.
 */
static inline uint16_t us_raw16(us_be16 v)
{
	uint16_t raw;

	memcpy(&raw, v.b, sizeof(raw));
	return raw;
}

static inline us_be16 us_from_raw16(uint16_t raw)
{
	us_be16 v;

	memcpy(v.b, &raw, sizeof(raw));
	return v;
}

#endif /* US_WIRE_BYTES_H */
