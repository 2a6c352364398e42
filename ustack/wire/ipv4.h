/* SPDX-License-Identifier: MIT */
/* IPv4 header (RFC 791). */
#ifndef US_WIRE_IPV4_H
#define US_WIRE_IPV4_H

#include <stdbool.h>

#include "wire/bytes.h"

#define US_IPV4_LEN		20u
#define US_IPV4_DF		0x4000
#define US_IPV4_MF		0x2000
#define US_IPV4_OFFSET		0x1fff
#define US_IPV4_MTU_MIN		68u	/* RFC 791 3.2 */

/* Options that are looked at: the source routes (RFC 791 3.1). */
#define US_IPV4_OPT_END		0
#define US_IPV4_OPT_NOP		1
#define US_IPV4_OPT_LSRR	131
#define US_IPV4_OPT_SSRR	137

/**
 * struct us_ipv4 - IPv4 header without options
 * @version_ihl: version in the upper, header length / 4 in the lower half.
 * @tos: DS field and ECN bits.
 * @total_len: of header and data.
 * @id: identification.
 * @frag: flags and fragment offset: US_IPV4_*.
 * @ttl: hops left.
 * @protocol: IPPROTO_*.
 * @csum: of the header.
 * @src: source address.
 * @dst: destination address.
 */
struct us_ipv4 {
	uint8_t version_ihl;
	uint8_t tos;
	us_be16 total_len;
	us_be16 id;
	us_be16 frag;
	uint8_t ttl;
	uint8_t protocol;
	us_be16 csum;
	uint8_t src[4];
	uint8_t dst[4];
};

_Static_assert(sizeof(struct us_ipv4) == US_IPV4_LEN, "us_ipv4");

/* Bytes of the header with its options, 0..60: not yet checked. */
static inline uint32_t us_ipv4_header_len(const struct us_ipv4 *ip)
{
	return (ip->version_ihl & 15u) * 4;
}

static inline bool us_ipv4_is_multicast(const uint8_t a[4])
{
	return (a[0] & 0xf0) == 0xe0;
}

static inline bool us_ipv4_is_broadcast(const uint8_t a[4])
{
	return (a[0] & a[1] & a[2] & a[3]) == 0xff;
}

#endif /* US_WIRE_IPV4_H */
