// SPDX-License-Identifier: MIT
/* struct sockaddr from and to the stack's own addresses. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "socket/socket.h"

/* A sockaddr_in6 without sin6_scope_id, as RFC 2133 had it, is long enough. */
#define SOCKADDR_IN6_MIN	24

static void map_v4(struct us_addr *addr, uint32_t v4)
{
	memset(addr, 0, sizeof(*addr));
	if (v4 == INADDR_ANY)
		return;
	addr->w[2] = __builtin_bswap32(0x0000ffffu);
	addr->w[3] = v4;
}

/**
 * us_sockaddr_get() - takes an address that a caller gave
 * @address: as given; NULL is -EFAULT.
 * @length: as given.
 * @family: of the socket.
 * @addr: filled in; all zero for the wildcard of either family.
 * @port: filled in, network byte order.
 *
 * Return: 0; -EINVAL if @length is too short; -EAFNOSUPPORT if the address is not
 * of @family, then read as if it were.
 */
int us_sockaddr_get(const struct sockaddr *address, socklen_t length,
		    uint8_t family, struct us_addr *addr, uint16_t *port)
{
	if (!address)
		return -EFAULT;
	if (family == AF_INET) {
		const struct sockaddr_in *sin = (const void *)address;

		if (length < sizeof(*sin))
			return -EINVAL;
		map_v4(addr, sin->sin_addr.s_addr);
		*port = sin->sin_port;
	} else {
		const struct sockaddr_in6 *sin6 = (const void *)address;

		if (length < SOCKADDR_IN6_MIN)
			return -EINVAL;
		memcpy(addr, &sin6->sin6_addr, sizeof(*addr));
		*port = sin6->sin6_port;
	}
	return address->sa_family == family ? 0 : -EAFNOSUPPORT;
}

/**
 * us_sockaddr_put() - gives an address to a caller, as getsockname(2) does
 * @family: of the socket.
 * @addr: the address.
 * @port: network byte order.
 * @address: filled in, as far as *@length goes.
 * @length: in: room; out: bytes of the whole address.
 *
 * Return: 0, -EFAULT, -EINVAL.
 */
int us_sockaddr_put(uint8_t family, const struct us_addr *addr, uint16_t port,
		    struct sockaddr *address, socklen_t *length)
{
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name;
	socklen_t full;

	if (!address || !length)
		return -EFAULT;
	if ((int)*length < 0)
		return -EINVAL;
	memset(&name, 0, sizeof(name));
	if (family == AF_INET) {
		full = sizeof(name.v4);
		name.v4.sin_family = AF_INET;
		name.v4.sin_port = port;
		name.v4.sin_addr.s_addr = addr->w[3];
	} else {
		full = sizeof(name.v6);
		name.v6.sin6_family = AF_INET6;
		name.v6.sin6_port = port;
		memcpy(&name.v6.sin6_addr, addr, sizeof(*addr));
	}
	memcpy(address, &name, *length < full ? *length : full);
	*length = full;
	return 0;
}

/**
 * us_socket_hears() - packets of which families reach a socket
 * @s: the socket.
 * @local: that it is bound to, or would be.
 *
 * Return: AF_INET, AF_INET6, or AF_UNSPEC: both.
 */
uint8_t us_socket_hears(const struct ustack_socket *s, const struct us_addr *local)
{
	if (s->family == AF_INET || us_addr_is_v4(local))
		return AF_INET;
	return s->v6only || !us_addr_is_any(local) ? AF_INET6 : AF_UNSPEC;
}

/**
 * us_socket_local() - the address that a socket is bound to, as the layers below have it
 * @s: the socket.
 *
 * Return: all zero for any, of ::ffff:0.0.0.0, too.
 */
struct us_addr us_socket_local(const struct ustack_socket *s)
{
	return us_addr_is_any(&s->local) ? (struct us_addr){ 0 } : s->local;
}
