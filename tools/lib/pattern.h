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

/* pattern_init() - before all else */
void pattern_init(void);

/* pattern_bytes() - the period, and what follows it for as long as the longest
 * message: from any place of the period on, that much is in one piece
 */
const uint8_t *pattern_bytes(void);

/* pattern_next() - the place @len bytes behind @at, within the period */
static inline uint32_t pattern_next(uint32_t at, size_t len)
{
	at += (uint32_t)len;
	while (at >= PATTERN_PERIOD)
		at -= PATTERN_PERIOD;
	return at;
}

/* pattern_make() - writes the bytes from @offset of the stream on */
void pattern_make(uint64_t offset, void *data, size_t len);

/* pattern_check() - bytes that are right, before the first wrong one */
size_t pattern_check(uint64_t offset, const void *data, size_t len);

/* A datagram begins with its number, as far as it is long enough for that. */
void pattern_make_datagram(uint64_t number, void *data, size_t len);
/* pattern_check_datagram() - @number is set; true if all bytes are right */
bool pattern_check_datagram(uint64_t *number, const void *data, size_t len);

#endif /* TOOLS_PATTERN_H */
