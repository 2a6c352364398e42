/* SPDX-License-Identifier: MIT */
/* TCP header and options (RFC 9293 3.1, 3.2). */
#ifndef US_WIRE_TCP_H
#define US_WIRE_TCP_H

#include "wire/bytes.h"

#define US_TCP_LEN		20u
#define US_TCP_LEN_MAX		60u
#define US_TCP_CSUM_OFFSET	16

#define US_TCP_FIN		0x01
#define US_TCP_SYN		0x02
#define US_TCP_RST		0x04
#define US_TCP_PSH		0x08
#define US_TCP_ACK		0x10
#define US_TCP_URG		0x20
#define US_TCP_ECE		0x40
#define US_TCP_CWR		0x80
#define US_TCP_FLAGS		0x3f	/* the flags of RFC 9293 without those of ECN */
#define US_TCP_AE		0x01	/* in us_tcp_hdr.offset, RFC 9768 */

#define US_TCP_OPT_END		0
#define US_TCP_OPT_NOP		1
#define US_TCP_OPT_MSS		2	/* 4 bytes */
#define US_TCP_OPT_WSCALE	3	/* 3 bytes, RFC 7323 */
#define US_TCP_OPT_SACK_OK	4	/* 2 bytes, RFC 2018 */
#define US_TCP_OPT_SACK		5	/* 2 + 8 n bytes */
#define US_TCP_OPT_TIMESTAMP	8	/* 10 bytes, RFC 7323 */
#define US_TCP_OPT_FASTOPEN	34	/* 2 + cookie, RFC 7413 */
#define US_TCP_OPT_ACCECN0	172	/* 2 + 3 n bytes, RFC 9768: ECT(0), CE, ECT(1) */
#define US_TCP_OPT_ACCECN1	174	/* the same the other way round */

/**
 * struct us_tcp_hdr - TCP header without options
 * @src: port of the sender.
 * @dst: port of the receiver.
 * @seq: of the first byte, or of the SYN.
 * @ack: next byte expected, with US_TCP_ACK.
 * @offset: header length / 4 in the upper half; US_TCP_AE.
 * @flags: US_TCP_*.
 * @window: not scaled.
 * @csum: of pseudo header, header and data.
 * @urgent: urgent pointer, with US_TCP_URG.
 */
struct us_tcp_hdr {
	us_be16 src;
	us_be16 dst;
	us_be32 seq;
	us_be32 ack;
	uint8_t offset;
	uint8_t flags;
	us_be16 window;
	us_be16 csum;
	us_be16 urgent;
};

_Static_assert(sizeof(struct us_tcp_hdr) == US_TCP_LEN, "us_tcp_hdr");

/* Bytes of the header with its options, 0..60: not yet checked. */
static inline uint32_t us_tcp_header_len(const struct us_tcp_hdr *tcp)
{
	return (uint32_t)(tcp->offset >> 4) * 4;
}

#endif /* US_WIRE_TCP_H */
