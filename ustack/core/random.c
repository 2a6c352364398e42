// SPDX-License-Identifier: MIT
#include "core/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static uint32_t rotl32(uint32_t x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

static uint64_t rotl64(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

/* RFC 8439 2.1 */
static void quarter(uint32_t *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotl32(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotl32(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotl32(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotl32(x[b] ^ x[c], 7);
}

/**
 * us_chacha20_block() - the ChaCha20 block function (RFC 8439 2.3)
 * @state: constants, key, counter, nonce.
 * @out: 64 bytes of key stream, as words in host byte order.
 */
void us_chacha20_block(const uint32_t state[16], uint32_t out[16])
{
	uint32_t x[16];
	int i;

	memcpy(x, state, sizeof(x));
	for (i = 0; i < 10; i++) {
		quarter(x, 0, 4, 8, 12);
		quarter(x, 1, 5, 9, 13);
		quarter(x, 2, 6, 10, 14);
		quarter(x, 3, 7, 11, 15);
		quarter(x, 0, 5, 10, 15);
		quarter(x, 1, 6, 11, 12);
		quarter(x, 2, 7, 8, 13);
		quarter(x, 3, 4, 9, 14);
	}
	for (i = 0; i < 16; i++)
		out[i] = x[i] + state[i];
}

/* Spreads a seed over the key (splitmix64); repeatable, not secret. */
static void expand(uint64_t seed, uint32_t *key, unsigned int words)
{
	unsigned int i;

	for (i = 0; i < words; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15ULL);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
		z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
		key[i] = (uint32_t)(z >> 32);
	}
}

static int fetch(void *data, size_t len)
{
	uint8_t *at = data;

	while (len) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		}
	}
	return 0;
}

/**
 * us_random_init() - seeds a source of randomness
 * @random: filled in.
 * @seed: the same seed gives the same stream; 0 asks the kernel.
 *
 * Return: 0, or the negative errno of getrandom(2).
 */
int us_random_init(struct us_random *random, uint64_t seed)
{
	static const uint32_t constants[4] = {
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574,
	};
	int err;

	memset(random, 0, sizeof(*random));
	memcpy(random->state, constants, sizeof(constants));
	if (seed) {
		expand(seed, &random->state[4], 8);
	} else {
		err = fetch(&random->state[4], 32);
		if (err)
			return err;
	}
	random->used = 16;
	random->key[0] = (uint64_t)us_random32(random) << 32;
	random->key[0] |= us_random32(random);
	random->key[1] = (uint64_t)us_random32(random) << 32;
	random->key[1] |= us_random32(random);
	return 0;
}

/**
 * us_random32() - the next 32 bits of the stream
 * @random: the source.
 */
uint32_t us_random32(struct us_random *random)
{
	if (random->used == 16) {
		us_chacha20_block(random->state, random->block);
		if (++random->state[12] == 0)
			random->state[13]++;
		random->used = 0;
	}
	return random->block[random->used++];
}

/**
 * us_random_below() - an evenly distributed number
 * @random: the source.
 * @bound: the numbers are 0..bound-1.
 *
 * Lemire's method: no division but where a draw falls into the uneven rest.
 * Return: the number; 0 for a bound of 0.
 */
uint32_t us_random_below(struct us_random *random, uint32_t bound)
{
	uint64_t product = (uint64_t)us_random32(random) * bound;
	uint32_t rest;

	if ((uint32_t)product >= bound || !bound)
		return (uint32_t)(product >> 32);
	rest = (0u - bound) % bound;
	while ((uint32_t)product < rest)
		product = (uint64_t)us_random32(random) * bound;
	return (uint32_t)(product >> 32);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl64(v[1], 13) ^ v[0];
	v[3] = rotl64(v[3], 16) ^ v[2];
	v[0] = rotl64(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl64(v[1], 17) ^ v[2];
	v[3] = rotl64(v[3], 21) ^ v[0];
	v[2] = rotl64(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static uint64_t load64(const uint8_t *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/**
 * us_siphash24() - SipHash-2-4 (Aumasson, Bernstein 2012)
 * @key: 128 bits.
 * @data: what is hashed.
 * @len: bytes of it.
 *
 * Return: the hash.
 */
us_noinline uint64_t us_siphash24(const uint64_t key[2], const void *data, size_t len)
{
	uint64_t v[4] = {
		key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
		key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL,
	};
	const uint8_t *at = data;
	uint8_t tail[8] = { 0 };
	size_t left;

	for (left = len; left >= 8; left -= 8, at += 8)
		sip_word(v, load64(at));
	if (left)
		memcpy(tail, at, left);
	tail[7] = (uint8_t)len;
	sip_word(v, load64(tail));
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/**
 * us_random_hash() - a hash that no peer can predict
 * @random: whose key is used.
 * @data: what is hashed.
 * @len: bytes of it.
 *
 * Return: 64 bits; the same for the same data, as long as the stack lives.
 */
uint64_t us_random_hash(const struct us_random *random, const void *data,
			size_t len)
{
	return us_siphash24(random->key, data, len);
}
