/* SPDX-License-Identifier: MIT */
/* Randomness and keyed hashes.  Seeded runs repeat exactly. */
#ifndef US_CORE_RANDOM_H
#define US_CORE_RANDOM_H

#include "core/types.h"

/* A ChaCha20 stream keyed by the seed or by getrandom(2). */
struct us_random {
	uint32_t state[16];
	uint32_t block[16];
	uint32_t used;
	uint64_t key[2];	/* of us_random_hash() */
};

int us_random_init(struct us_random *random, uint64_t seed);
uint32_t us_random32(struct us_random *random);
uint32_t us_random_below(struct us_random *random, uint32_t bound);
/* SipHash-2-4 under the stack's own key (RFC 6528's secret, hash tables). */
uint64_t us_random_hash(const struct us_random *random, const void *data,
			size_t len);

#endif /* US_CORE_RANDOM_H */
