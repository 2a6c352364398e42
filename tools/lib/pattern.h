/* SPDX-License-Identifier: MIT */
/* The payload of runs without files: made by the sender, verified by the receiver. */
#ifndef TOOLS_PATTERN_H
#define TOOLS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stream: the same 65521 random bytes again and again.  The period is a prime,
 * so that what is lost, doubled or exchanged in whole segments shows.
 */
#define PATTERN_PERIOD	65521u

/**
 * pattern_init() - makes the bytes, before all else
 */
void pattern_init(void);

/**
 * pattern_bytes() - the bytes themselves
 *
 * Return: the period, and what follows it for as long as the longest message: from
 * any place of the period on, that much is in one piece.
 */
const uint8_t *pattern_bytes(void);

/**
 * pattern_next() - goes on in the period
 * @at: place in it.
 * @len: bytes to go on by.
 *
 * Return: the place there.
 */
static inline uint32_t pattern_next(uint32_t at, size_t len)
{
	at += (uint32_t)len;
	while (at >= PATTERN_PERIOD)
		at -= PATTERN_PERIOD;
	return at;
}

/**
 * pattern_make() - writes a part of the stream
 * @offset: of its first byte in the stream.
 * @data: written to.
 * @len: bytes.
 */
void pattern_make(uint64_t offset, void *data, size_t len);

/**
 * pattern_check() - verifies a part of the stream
 * @offset: of its first byte in the stream.
 * @data: what came.
 * @len: bytes.
 *
 * Return: bytes that are right, before the first wrong one.
 */
size_t pattern_check(uint64_t offset, const void *data, size_t len);

/**
 * pattern_make_datagram() - writes a datagram
 * @number: it begins with, as far as it is long enough for that.
 * @data: written to.
 * @len: bytes.
 */
void pattern_make_datagram(uint64_t number, void *data, size_t len);

/**
 * pattern_check_datagram() - verifies a datagram
 * @number: set to the number that it begins with.
 * @data: what came.
 * @len: bytes.
 *
 * Return: true if all bytes are right.
 */
bool pattern_check_datagram(uint64_t *number, const void *data, size_t len);

#endif /* TOOLS_PATTERN_H */
