/* SPDX-License-Identifier: MIT */
/* The parts of the packet link. */
#ifndef US_LINK_PACKET_H
#define US_LINK_PACKET_H

#include "core/stack.h"

/*
 * Lets only frames through that the stack can want: for @mac or a group, ARP, IPv4
 * and IPv6 to one of the @count addresses (IPv4 is mapped), IPv6 multicast; no
 * VLAN tags.  0 or -errno.
 */
int us_packet_filter(int fd, const uint8_t mac[6], const struct us_addr *addrs,
		     unsigned int count);

/* May the stack have @addr?  -EADDRINUSE, with a text, if it is the kernel's. */
int us_packet_check_address(struct us_stack *stack, const struct us_addr *addr);

#endif /* US_LINK_PACKET_H */
