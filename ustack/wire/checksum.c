// SPDX-License-Identifier: MIT
#include "wire/checksum.h"

#include <string.h>

#include "wire/bytes.h"

/*
 * Two 64-bit lanes, as every 64-bit machine has them.  The lower and upper halves
 * of the words are summed apart, so that no carry is lost.  A lane takes 2^32
 * words before it overflows.
 */
typedef uint64_t lanes __attribute__((vector_size(16)));

#define STEP	(2 * sizeof(lanes))	/* bytes of one turn of a loop */

static uint64_t add64(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

static uint32_t fold64(uint64_t sum)
{
	return us_csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

/* The last words of a range, and its last bytes, padded with zeros. */
static uint64_t add_tail(const uint8_t *at, size_t len, uint64_t sum)
{
	uint64_t word;

	for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum = add64(sum, word);
	}
	if (len) {
		word = 0;
		memcpy(&word, at, len);
		sum = add64(sum, word);
	}
	return sum;
}

/**
 * us_csum_bytes() - adds bytes to a sum
 * @data: at any address.
 * @len: bytes, less than 2^37.
 * @sum: what came before; an even number of bytes, or see us_csum_at().
 *
 * Return: the sum.
 */
uint32_t us_csum_bytes(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *at = data;
	uint64_t total = sum;

	if (len >= STEP) {
		lanes low = { 0 }, high = { 0 }, a, b;

		for (; len >= STEP; at += STEP, len -= STEP) {
			memcpy(&a, at, sizeof(a));
			memcpy(&b, at + sizeof(a), sizeof(b));
			low += (a & 0xffffffff) + (b & 0xffffffff);
			high += (a >> 32) + (b >> 32);
		}
		low += high;
		total = add64(total, add64(low[0], low[1]));
	}
	return fold64(add_tail(at, len, total));
}

/**
 * us_csum_copy() - copies bytes and adds them to a sum, in one pass
 * @to: where to; does not overlap @from.
 * @from: at any address.
 * @len: bytes, less than 2^37.
 * @sum: as for us_csum_bytes().
 *
 * Return: the sum.
 */
uint32_t us_csum_copy(void *to, const void *from, size_t len, uint32_t sum)
{
	const uint8_t *at = from;
	uint8_t *put = to;
	uint64_t total = sum;

	if (len >= STEP) {
		lanes low = { 0 }, high = { 0 }, a, b;

		for (; len >= STEP; at += STEP, put += STEP, len -= STEP) {
			memcpy(&a, at, sizeof(a));
			memcpy(&b, at + sizeof(a), sizeof(b));
			memcpy(put, &a, sizeof(a));
			memcpy(put + sizeof(a), &b, sizeof(b));
			low += (a & 0xffffffff) + (b & 0xffffffff);
			high += (a >> 32) + (b >> 32);
		}
		low += high;
		total = add64(total, add64(low[0], low[1]));
	}
	if (len)
		memcpy(put, at, len);
	return fold64(add_tail(at, len, total));
}

/* Protocol and length as the pseudo header's last words have them. */
static uint32_t pseudo_tail(uint8_t protocol, uint32_t len, uint32_t sum)
{
	us_be32 word[2] = { us_put32(len), us_put32(protocol) };

	return us_csum_bytes(word, sizeof(word), sum);
}

/**
 * us_csum_pseudo4() - sum of the IPv4 pseudo header
 * @src: source address.
 * @dst: destination address.
 * @protocol: IPPROTO_*.
 * @len: bytes of transport header and data.
 */
uint32_t us_csum_pseudo4(const uint8_t src[4], const uint8_t dst[4],
			 uint8_t protocol, uint32_t len)
{
	uint32_t a, b;

	memcpy(&a, src, 4);
	memcpy(&b, dst, 4);
	return pseudo_tail(protocol, len, us_csum_add(a, b));
}

/**
 * us_csum_pseudo6() - sum of the IPv6 pseudo header
 * @src: source address.
 * @dst: destination address.
 * @protocol: IPPROTO_*.
 * @len: bytes of transport header and data.
 */
uint32_t us_csum_pseudo6(const uint8_t src[16], const uint8_t dst[16],
			 uint8_t protocol, uint32_t len)
{
	uint32_t sum = us_csum_bytes(src, 16, 0);

	return pseudo_tail(protocol, len, us_csum_bytes(dst, 16, sum));
}
