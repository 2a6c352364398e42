/* SPDX-License-Identifier: MIT */
/* Randomness and keyed hashes.  Seeded runs repeat exactly. */
#ifndef US_CORE_RANDOM_H
#define US_CORE_RANDOM_H

#include "core/types.h"

/**
 * struct us_random - a ChaCha20 stream keyed by the seed or by getrandom(2)
 * @state: constants, key, 64-bit block counter, nonce (RFC 8439 2.3 with the
 *	counter's carry going into the first nonce word).
 * @block: the current block of the stream.
 * @used: words of @block that were given out.
 * @key: of us_random_hash().
 */
struct us_random {
	uint32_t state[16];
	uint32_t block[16];
	uint32_t used;
	uint64_t key[2];
};

/* Seeds @random; a seed of 0 asks the kernel.  0, or -errno of getrandom(2). */
int us_random_init(struct us_random *random, uint64_t seed);
uint32_t us_random32(struct us_random *random);
/* Evenly distributed in 0..bound-1; 0 for a bound of 0. */
uint32_t us_random_below(struct us_random *random, uint32_t bound);
/* SipHash-2-4 under the stack's own key (RFC 6528's secret, hash tables). */
uint64_t us_random_hash(const struct us_random *random, const void *data,
			size_t len);

/* The two primitives by themselves. */
void us_chacha20_block(const uint32_t state[16], uint32_t out[16]);
uint64_t us_siphash24(const uint64_t key[2], const void *data, size_t len);

#endif /* US_CORE_RANDOM_H */
