/* SPDX-License-Identifier: MIT */
/* ARP for IPv4 over Ethernet (RFC 826). */
#ifndef US_WIRE_ARP_H
#define US_WIRE_ARP_H

#include "wire/bytes.h"

#define US_ARP_LEN	28u
#define US_ARP_ETHERNET	1
#define US_ARP_REQUEST	1
#define US_ARP_REPLY	2

/**
 * struct us_arp - ARP packet
 * @hardware: US_ARP_ETHERNET.
 * @protocol: US_ETHERTYPE_IPV4.
 * @hardware_len: 6.
 * @protocol_len: 4.
 * @op: US_ARP_REQUEST or US_ARP_REPLY.
 * @sha: sender's MAC.
 * @spa: sender's IPv4 address.
 * @tha: target's MAC.
 * @tpa: target's IPv4 address.
 */
struct us_arp {
	us_be16 hardware;
	us_be16 protocol;
	uint8_t hardware_len;
	uint8_t protocol_len;
	us_be16 op;
	uint8_t sha[6];
	uint8_t spa[4];
	uint8_t tha[6];
	uint8_t tpa[4];
};

_Static_assert(sizeof(struct us_arp) == US_ARP_LEN, "us_arp");

#endif /* US_WIRE_ARP_H */
