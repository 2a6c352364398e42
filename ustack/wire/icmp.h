/* SPDX-License-Identifier: MIT */
/* ICMP (RFC 792), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861). */
#ifndef US_WIRE_ICMP_H
#define US_WIRE_ICMP_H

#include "wire/bytes.h"

#define US_ICMP_LEN			8u

#define US_ICMP_ECHO_REPLY		0
#define US_ICMP_UNREACHABLE		3
#define US_ICMP_ECHO			8
#define US_ICMP_TIME_EXCEEDED		11
#define US_ICMP_PARAMETER		12

#define US_ICMP_UNREACH_NET		0
#define US_ICMP_UNREACH_HOST		1
#define US_ICMP_UNREACH_PROTOCOL	2
#define US_ICMP_UNREACH_PORT		3
#define US_ICMP_UNREACH_TOO_BIG		4

#define US_ICMP_TIME_TTL		0

#define US_ICMP6_UNREACHABLE		1
#define US_ICMP6_TOO_BIG		2
#define US_ICMP6_TIME_EXCEEDED		3
#define US_ICMP6_PARAMETER		4
#define US_ICMP6_ECHO			128
#define US_ICMP6_ECHO_REPLY		129
#define US_ICMP6_NEIGHBOR_SOLICIT	135
#define US_ICMP6_NEIGHBOR_ADVERT	136

#define US_ICMP6_UNREACH_ADDRESS	3
#define US_ICMP6_UNREACH_PORT		4
#define US_ICMP6_PARAMETER_HEADER	0	/* erroneous field */
#define US_ICMP6_PARAMETER_NEXT		1	/* unknown next header */
#define US_ICMP6_PARAMETER_OPTION	2	/* unknown option */

/**
 * struct us_icmp - how all ICMP messages begin
 * @type: US_ICMP_* or US_ICMP6_*.
 * @code: more about the type.
 * @csum: of the message; ICMPv6: with the pseudo header.
 * @rest: errors: unused, pointer or MTU; echo: identifier and number.
 */
struct us_icmp {
	uint8_t type;
	uint8_t code;
	us_be16 csum;
	us_be32 rest;
};

_Static_assert(sizeof(struct us_icmp) == US_ICMP_LEN, "us_icmp");

#define US_ND_LEN		24u
#define US_ND_HOPS		255	/* RFC 4861 7.1: never forwarded */

/* Bits of us_nd.icmp.rest of an advertisement. */
#define US_ND_ROUTER		0x80000000u
#define US_ND_SOLICITED		0x40000000u
#define US_ND_OVERRIDE		0x20000000u

#define US_ND_OPT_SOURCE_MAC	1
#define US_ND_OPT_TARGET_MAC	2

/**
 * struct us_nd - neighbour solicitation or advertisement
 * @icmp: header.
 * @target: the address in question.
 */
struct us_nd {
	struct us_icmp icmp;
	uint8_t target[16];
};

_Static_assert(sizeof(struct us_nd) == US_ND_LEN, "us_nd");

/**
 * struct us_nd_opt - link-layer address option for Ethernet
 * @type: US_ND_OPT_*.
 * @len: in units of 8 bytes.
 * @mac: address.
 */
struct us_nd_opt {
	uint8_t type;
	uint8_t len;
	uint8_t mac[6];
};

_Static_assert(sizeof(struct us_nd_opt) == 8, "us_nd_opt");

#endif /* US_WIRE_ICMP_H */
