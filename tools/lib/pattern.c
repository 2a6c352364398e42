// SPDX-License-Identifier: MIT
#include "pattern.h"

#include <endian.h>
#include <string.h>

#include "job.h"

/* A period, and the longest message from any place of it on. */
static uint8_t bytes[PATTERN_PERIOD + JOB_MESSAGE_MAX];

/* Any fixed generator does; this is xorshift64 (Marsaglia). */
void pattern_init(void)
{
	uint64_t x = 0x9e3779b97f4a7c15u;
	size_t i;

	for (i = 0; i < PATTERN_PERIOD; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = x >> 32;
	}
	for (; i < sizeof(bytes); i++)
		bytes[i] = bytes[i - PATTERN_PERIOD];
}

const uint8_t *pattern_bytes(void)
{
	return bytes;
}

void pattern_make(uint64_t offset, void *data, size_t len)
{
	memcpy(data, bytes + offset % PATTERN_PERIOD, len);
}

size_t pattern_check(uint64_t offset, const void *data, size_t len)
{
	const uint8_t *want = bytes + offset % PATTERN_PERIOD, *got = data;
	size_t i = 0;

	if (memcmp(want, got, len) == 0)
		return len;
	while (want[i] == got[i])
		i++;
	return i;
}

void pattern_make_datagram(uint64_t number, void *data, size_t len)
{
	uint64_t wire = htobe64(number);

	pattern_make(number, data, len);
	if (len >= sizeof(wire))
		memcpy(data, &wire, sizeof(wire));
}

bool pattern_check_datagram(uint64_t *number, const void *data, size_t len)
{
	uint64_t wire;

	/* Too short to tell its number: it is one that was sent, or none. */
	if (len < sizeof(wire))
		return true;
	memcpy(&wire, data, sizeof(wire));
	*number = be64toh(wire);
	len -= sizeof(wire);
	return pattern_check(*number + sizeof(wire),
			     (const uint8_t *)data + sizeof(wire), len) == len;
}
