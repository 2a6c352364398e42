/* SPDX-License-Identifier: MIT */
/* What fuzz targets share: input taken piece by piece, and what must hold. */
#ifndef SELFTESTS_FUZZ_ORACLE_H
#define SELFTESTS_FUZZ_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A condition that no input may break. */
#define must(condition) \
	((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))

static inline void must_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/**
 * struct input - what is left of the fuzzer's bytes
 * @at: next byte.
 * @left: bytes.
 */
struct input {
	const uint8_t *at;
	size_t left;
};

/* The next byte, or 0 at the end. */
static inline uint8_t take8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint16_t take16(struct input *in)
{
	uint8_t low = take8(in);

	return (uint16_t)(take8(in) << 8 | low);
}

static inline uint32_t take32(struct input *in)
{
	uint16_t low = take16(in);

	return (uint32_t)take16(in) << 16 | low;
}

/* Up to @most bytes; the address is within the fuzzer's buffer. */
static inline const uint8_t *take(struct input *in, size_t most, size_t *len)
{
	const uint8_t *at = in->at;

	*len = in->left < most ? in->left : most;
	in->at += *len;
	in->left -= *len;
	return at;
}

#endif /* SELFTESTS_FUZZ_ORACLE_H */
