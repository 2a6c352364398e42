/* SPDX-License-Identifier: MIT */
/* IPv6 header and extension headers (RFC 8200). */
#ifndef US_WIRE_IPV6_H
#define US_WIRE_IPV6_H

#include <stdbool.h>

#include "wire/bytes.h"

#define US_IPV6_LEN		40u
#define US_IPV6_MTU_MIN		1280u	/* RFC 8200 5 */

/* Next headers that are not transports. */
#define US_IPV6_HOP_BY_HOP	0
#define US_IPV6_ROUTING		43
#define US_IPV6_FRAGMENT	44
#define US_IPV6_NONE		59
#define US_IPV6_DEST_OPTIONS	60

/**
 * struct us_ipv6 - IPv6 header
 * @flow: version, traffic class, flow label.
 * @payload_len: bytes behind this header.
 * @next: IPPROTO_* or US_IPV6_*.
 * @hops: hop limit.
 * @src: source address.
 * @dst: destination address.
 */
struct us_ipv6 {
	us_be32 flow;
	us_be16 payload_len;
	uint8_t next;
	uint8_t hops;
	uint8_t src[16];
	uint8_t dst[16];
};

_Static_assert(sizeof(struct us_ipv6) == US_IPV6_LEN, "us_ipv6");

/**
 * struct us_ipv6_ext - how hop-by-hop, routing and destination headers begin
 * @next: header behind this one.
 * @len: length in units of 8 bytes, not counting the first 8.
 * @type: routing header: its type.
 * @segments_left: routing header: nodes still to be visited.
 */
struct us_ipv6_ext {
	uint8_t next;
	uint8_t len;
	uint8_t type;
	uint8_t segments_left;
};

#define US_IPV6_FRAG_OFFSET	0xfff8
#define US_IPV6_FRAG_MORE	0x0001

/**
 * struct us_ipv6_frag - fragment header
 * @next: header behind this one.
 * @reserved: ignored.
 * @offset: fragment offset and US_IPV6_FRAG_MORE.
 * @id: identification.
 */
struct us_ipv6_frag {
	uint8_t next;
	uint8_t reserved;
	us_be16 offset;
	us_be32 id;
};

static inline bool us_ipv6_is_multicast(const uint8_t a[16])
{
	return a[0] == 0xff;
}

static inline bool us_ipv6_is_link_local(const uint8_t a[16])
{
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

#endif /* US_WIRE_IPV6_H */
