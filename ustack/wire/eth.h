/* SPDX-License-Identifier: MIT */
/* Ethernet II (RFC 894, RFC 2464). */
#ifndef US_WIRE_ETH_H
#define US_WIRE_ETH_H

#include <stdbool.h>

#include "wire/bytes.h"

#define US_ETH_LEN		14u
#define US_ETH_ADDR		6u
#define US_ETHERTYPE_IPV4	0x0800
#define US_ETHERTYPE_ARP	0x0806
#define US_ETHERTYPE_IPV6	0x86dd

/**
 * struct us_eth - Ethernet header
 * @dst: to whom.
 * @src: from whom.
 * @type: US_ETHERTYPE_*.
 */
struct us_eth {
	uint8_t dst[US_ETH_ADDR];
	uint8_t src[US_ETH_ADDR];
	us_be16 type;
};

_Static_assert(sizeof(struct us_eth) == US_ETH_LEN, "us_eth");

/* True for broadcast, too. */
static inline bool us_eth_is_multicast(const uint8_t mac[US_ETH_ADDR])
{
	return mac[0] & 1;
}

static inline bool us_eth_is_zero(const uint8_t mac[US_ETH_ADDR])
{
	return !(mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

#endif /* US_WIRE_ETH_H */
