// SPDX-License-Identifier: MIT
/* Which addresses a stack on a packet link may have: none of the kernel's. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "link/packet.h"

static bool same_address(const struct sockaddr *sa, const struct us_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (sa && sa->sa_family == AF_INET)
		return !memcmp(addr->b, mapped, 12) &&
		       !memcmp(&((const struct sockaddr_in *)(const void *)sa)->sin_addr,
			       &addr->b[12], 4);
	if (sa && sa->sa_family == AF_INET6)
		return !memcmp(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
			       addr->b, 16);
	return false;
}

/**
 * us_packet_check_address() - may the stack have an address?
 * @stack: keeps the error.
 * @addr: the address.
 *
 * Return: 0; -EADDRINUSE if it is one of the kernel's; what getifaddrs(3) says.
 */
int us_packet_check_address(struct us_stack *stack, const struct us_addr *addr)
{
	struct ifaddrs *list, *at;
	char text[INET6_ADDRSTRLEN];
	int err = 0;

	if (getifaddrs(&list))
		return us_fail(stack, -errno, "packet: the kernel's addresses: %s",
			       strerror(errno));
	for (at = list; at && !same_address(at->ifa_addr, addr); at = at->ifa_next)
		;
	if (at) {
		if (at->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &addr->b[12], text, sizeof(text));
		else
			inet_ntop(AF_INET6, addr->b, text, sizeof(text));
		err = us_fail(stack, -EADDRINUSE, "packet: %s is the kernel's, on %s, which would reset the stack's connections: give the stack another address, or remove it there with ip address del",
			      text, at->ifa_name);
	}
	freeifaddrs(list);
	return err;
}
