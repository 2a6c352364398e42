// SPDX-License-Identifier: MIT
/* core/random.c against RFC 8439 2.3.2 and the SipHash reference vectors. */
#include <string.h>

#include "core/random.h"
#include "tap.h"

static void chacha(void)
{
	static const uint32_t state[16] = {
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574,
		0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
		0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c,
		0x00000001, 0x09000000, 0x4a000000, 0x00000000,
	};
	static const uint32_t want[16] = {
		0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
		0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
		0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
		0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
	};
	uint32_t out[16];

	us_chacha20_block(state, out);
	ok(!memcmp(out, want, sizeof(want)), "ChaCha20 block of RFC 8439 2.3.2");
}

static void siphash(void)
{
	/* vectors_sip64 of the reference implementation, by length of input. */
	static const struct {
		size_t len;
		uint8_t out[8];
	} vector[] = {
		{ 0, { 0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72 } },
		{ 1, { 0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74 } },
		{ 2, { 0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d } },
		{ 7, { 0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab } },
		{ 8, { 0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93 } },
		{ 15, { 0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1 } },
	};
	static const uint64_t key[2] = {
		0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL,
	};
	uint8_t in[16], out[8];
	size_t i, b;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (i = 0; i < sizeof(vector) / sizeof(vector[0]); i++) {
		uint64_t hash = us_siphash24(key, in, vector[i].len);

		for (b = 0; b < 8; b++)
			out[b] = (uint8_t)(hash >> (8 * b));
		ok(!memcmp(out, vector[i].out, 8), "SipHash of %zu bytes",
		   vector[i].len);
	}
}

static void streams(void)
{
	struct us_random a, b;
	uint32_t seen = 0, first = 0;
	bool same = true, below = true;
	int i;

	ok(us_random_init(&a, 42) == 0 && us_random_init(&b, 42) == 0, "seeded");
	for (i = 0; i < 1000; i++)
		same &= us_random32(&a) == us_random32(&b);
	ok(same && us_random_hash(&a, "x", 1) == us_random_hash(&b, "x", 1),
	   "the same seed repeats");
	us_random_init(&b, 43);
	ok(us_random32(&a) != us_random32(&b) &&
	   us_random_hash(&a, "x", 1) != us_random_hash(&b, "x", 1),
	   "another seed differs");
	ok(us_random_init(&a, 0) == 0 && us_random_init(&b, 0) == 0 &&
	   us_random32(&a) != us_random32(&b), "without a seed, no two are alike");
	for (i = 0; i < 1000; i++) {
		uint32_t n = us_random_below(&a, 5);

		below &= n < 5;
		seen |= 1u << (n % 32);
		/* 3 << 30: a plain product would give these every other time. */
		first += us_random_below(&a, 0xc0000000u) % 3 == 0;
	}
	ok(below && seen == 0x1f, "below 5: all of them and no other");
	ok(first > 250 && first < 420, "a bound near 2^32 is even (%u)", first);
	ok(us_random_below(&a, 0) == 0 && us_random_below(&a, 1) == 0,
	   "bounds of 0 and 1");
}

int main(void)
{
	plan(14);
	chacha();
	siphash();
	streams();
	return finish();
}
