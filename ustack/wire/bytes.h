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

static inline uint16_t us_get16(us_be16 v)
{
	return (uint16_t)(v.b[0] << 8 | v.b[1]);
}

static inline uint32_t us_get32(us_be32 v)
{
	return (uint32_t)v.b[0] << 24 | (uint32_t)v.b[1] << 16 |
	       (uint32_t)v.b[2] << 8 | v.b[3];
}

static inline us_be16 us_put16(uint16_t host)
{
	return (us_be16){ { (uint8_t)(host >> 8), (uint8_t)host } };
}

static inline us_be32 us_put32(uint32_t host)
{
	return (us_be32){ { (uint8_t)(host >> 24), (uint8_t)(host >> 16),
			    (uint8_t)(host >> 8), (uint8_t)host } };
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
