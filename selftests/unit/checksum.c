// SPDX-License-Identifier: MIT
/* wire/checksum.c */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/random.h"
#include "tap.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

#define PAGE	4096u

/* RFC 1071 read aloud: 16-bit words, big-endian, the last byte padded. */
static uint16_t plain(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint64_t)(data[i] << 8 | data[i + 1]);
	if (len & 1)
		sum += (uint64_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The two representations of zero are equal. */
static bool same(uint32_t sum, uint16_t want)
{
	uint16_t got = us_get16(us_from_raw16(us_csum_reduce(sum)));

	return got == want || (got % 0xffff == 0 && want % 0xffff == 0);
}

static void vectors(void)
{
	static const uint8_t rfc[] = { 0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7 };
	/* A header known to be right: 45 00 00 73 ... b8 61. */
	static const uint8_t header[20] = {
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
	};
	/* UDP 10.0.0.1:1 > 10.0.0.2:2 "a", and over IPv6 from ::1 to ::2. */
	static const uint8_t src[4] = { 10, 0, 0, 1 }, dst[4] = { 10, 0, 0, 2 };
	static const uint8_t src6[16] = { [15] = 1 }, dst6[16] = { [15] = 2 };
	static const uint8_t udp[] = { 0, 1, 0, 2, 0, 9, 0, 0, 'a' };
	uint32_t sum;

	ok(same(us_csum_bytes(rfc, sizeof(rfc), 0), 0xddf2), "RFC 1071 3");
	ok(us_csum_fold(us_csum_bytes(header, sizeof(header), 0)) == 0,
	   "an IPv4 header that is right");
	sum = us_csum_pseudo4(src, dst, 17, sizeof(udp));
	ok(same(sum, 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 9), "pseudo header");
	sum = us_csum_bytes(udp, sizeof(udp), sum);
	ok(same(sum, 0x1403 + 17 + 9 + 1 + 2 + 9 + 0x6100), "UDP over IPv4");
	sum = us_csum_pseudo6(src6, dst6, 17, sizeof(udp));
	ok(same(sum, 1 + 2 + 17 + 9), "pseudo header of IPv6");
	ok(same(us_csum_bytes(NULL, 0, 0), 0), "nothing");
}

/* All lengths and offsets, against the plain sum; nothing beyond is read. */
static void ranges(unsigned int width)
{
	static uint8_t data[768], copy[768];
	struct us_random random;
	bool sums = true, copies = true, edges = true;
	size_t offset, len, i;

	us_random_init(&random, 7);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)us_random32(&random);
	for (offset = 0; offset < 40; offset++)
		for (len = 0; len <= 700; len++) {
			uint16_t want = plain(data + offset, len);

			sums &= same(us_csum_bytes(data + offset, len, 0), want);
			memset(copy, 0xaa, sizeof(copy));
			copies &= same(us_csum_copy(copy + 3, data + offset, len, 0),
				       want);
			copies &= !memcmp(copy + 3, data + offset, len);
			edges &= copy[2] == 0xaa && copy[3 + len] == 0xaa;
		}
	ok(sums, "sums of 0..700 bytes at offsets 0..39, by %u bytes", width);
	ok(copies, "copies alike");
	ok(edges, "nothing beyond is written");
}

/* A page between two that nobody may touch. */
static uint8_t *lonely_page(void)
{
	uint8_t *at = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + PAGE, PAGE, PROT_READ | PROT_WRITE)) {
		puts("Bail out! no memory");
		exit(1);
	}
	return at + PAGE;
}

/* Bytes up to the end of a page, and from the start of one: nothing beyond is touched. */
static void page_ends(unsigned int width)
{
	uint8_t *from = lonely_page(), *to = lonely_page();
	struct us_random random;
	bool good = true;
	size_t len, i;

	us_random_init(&random, 9);
	for (i = 0; i < PAGE; i++)
		from[i] = (uint8_t)us_random32(&random);
	for (len = 0; len <= 2000; len++) {
		const uint8_t *last = from + PAGE - len;
		uint16_t want = plain(last, len);

		good &= same(us_csum_bytes(last, len, 0), want);
		good &= same(us_csum_bytes(from, len, 0), plain(from, len));
		good &= same(us_csum_copy(to, last, len, 0), want) && !memcmp(to, last, len);
		good &= same(us_csum_copy(to + PAGE - len, from, len, 0), plain(from, len)) &&
			!memcmp(to + PAGE - len, from, len);
	}
	ok(good, "0..2000 bytes at the ends of pages, by %u bytes", width);
	munmap(from - PAGE, 3 * PAGE);
	munmap(to - PAGE, 3 * PAGE);
}

static void combined(unsigned int width)
{
	static uint8_t data[70000];
	struct us_random random;
	uint16_t want;
	bool all = true;
	uint32_t sum;
	int n;

	us_random_init(&random, 8);
	for (n = 0; n < (int)sizeof(data); n++)
		data[n] = (uint8_t)us_random32(&random);
	want = plain(data, sizeof(data));
	for (n = 0; n < 200; n++) {
		size_t cut = us_random_below(&random, sizeof(data));

		sum = us_csum_bytes(data, cut, 0);
		sum = us_csum_add(sum, us_csum_at(us_csum_bytes(data + cut,
						sizeof(data) - cut, 0), cut));
		all &= same(sum, want);
	}
	ok(all, "parts cut at any offset");
	sum = us_csum_bytes(data, sizeof(data), 0);
	sum = us_csum_sub(sum, us_csum_bytes(data, 40, 0));
	ok(same(sum, plain(data + 40, sizeof(data) - 40)), "a part taken out");
	memset(data, 0xff, sizeof(data));
	ok(same(us_csum_bytes(data, sizeof(data), 0xffffffff), 0xffff),
	   "carries, all of them, by %u bytes", width);
}

static void bytes(void)
{
	ok(us_get16(us_put16(0x1234)) == 0x1234 && us_put16(0x1234).b[0] == 0x12,
	   "16 bits");
	ok(us_get32(us_put32(0x89abcdef)) == 0x89abcdef &&
	   us_put32(0x89abcdef).b[0] == 0x89, "32 bits");
	ok(us_eth_is_multicast((const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }) &&
	   !us_eth_is_multicast((const uint8_t[]){ 2, 0, 0, 0, 0, 1 }),
	   "multicast MAC");
}

int main(void)
{
	unsigned int width, least = 128;

	plan(9 + 4 * 7 + 1);
	vectors();
	/* A machine without the widest does a narrower one twice. */
	for (width = 64; width >= 8; width /= 2) {
		unsigned int used = us_csum_width(width);

		ranges(used);
		page_ends(used);
		combined(used);
		least = used;
	}
	ok(least == 8, "without vectors, too");
	bytes();
	return finish();
}
