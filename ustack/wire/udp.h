/* SPDX-License-Identifier: MIT */
/* UDP header (RFC 768). */
#ifndef US_WIRE_UDP_H
#define US_WIRE_UDP_H

#include "wire/bytes.h"

#define US_UDP_LEN		8u
#define US_UDP_CSUM_OFFSET	6

/**
 * struct us_udp_hdr - UDP header
 * @src: port of the sender.
 * @dst: port of the receiver.
 * @len: of header and data.
 * @csum: of pseudo header, header and data; 0: none.
 */
struct us_udp_hdr {
	us_be16 src;
	us_be16 dst;
	us_be16 len;
	us_be16 csum;
};

_Static_assert(sizeof(struct us_udp_hdr) == US_UDP_LEN, "us_udp_hdr");

#endif /* US_WIRE_UDP_H */
