// SPDX-License-Identifier: MIT
/* The kernel's addresses and routes: a socket that is connected and thrown away. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/netchannel.h"

#define BELIEVED	US_SEC	/* an answer of the kernel */
#define MTU_MAX		65535u	/* what an IP header can say */

union name {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool is_v4(const struct us_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr->b, mapped, sizeof(mapped));
}

static bool is_any(const struct us_addr *addr)
{
	static const struct us_addr any;

	return !memcmp(addr, &any, sizeof(any)) ||
	       (is_v4(addr) && addr->w[3] == 0);
}

static bool same(const struct us_addr *a, const struct us_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static socklen_t to_name(const struct us_addr *addr, bool v4, union name *name)
{
	memset(name, 0, sizeof(*name));
	if (v4) {
		name->v4.sin_family = AF_INET;
		memcpy(&name->v4.sin_addr, &addr->b[12], 4);
		return sizeof(name->v4);
	}
	name->v6.sin6_family = AF_INET6;
	memcpy(&name->v6.sin6_addr, addr, 16);
	return sizeof(name->v6);
}

static void from_name(const union name *name, struct us_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (name->sa.sa_family == AF_INET) {
		addr->b[10] = 0xff;
		addr->b[11] = 0xff;
		memcpy(&addr->b[12], &name->v4.sin_addr, 4);
	} else {
		memcpy(addr, &name->v6.sin6_addr, 16);
	}
}

static int bind_to(int fd, const struct us_addr *local, bool v4)
{
	union name name;
	socklen_t len = to_name(local, v4, &name);

	return bind(fd, &name.sa, len) ? -errno : 0;
}

static int ask_mtu(int fd, bool v4, uint32_t *mtu)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		       v4 ? IP_MTU : IPV6_MTU, &value, &len))
		return -errno;
	*mtu = value > 0 && (uint32_t)value < MTU_MAX ? (uint32_t)value : MTU_MAX;
	return 0;
}

/* Port 9: no packet is sent, but a port there has to be. */
static int ask(int fd, const struct us_addr *remote, struct us_addr *local,
	       uint32_t *mtu)
{
	bool v4 = is_v4(remote);
	union name name;
	socklen_t len = to_name(remote, v4, &name);
	int err = 0;

	if (v4)
		name.v4.sin_port = htons(9);
	else
		name.v6.sin6_port = htons(9);
	if (!is_any(local))
		err = bind_to(fd, local, v4);
	if (err)
		return err;
	if (connect(fd, &name.sa, len))
		return -errno;
	len = sizeof(name);
	if (getsockname(fd, &name.sa, &len))
		return -errno;
	from_name(&name, local);
	return ask_mtu(fd, v4, mtu);
}

static int ask_kernel(struct us_link *link, const struct us_addr *remote,
		      struct us_addr *local, uint32_t *mtu)
{
	int fd = socket(is_v4(remote) ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = ask(fd, remote, local, mtu);
	close(fd);
	link->stats.syscalls += 5;
	return err;
}

/**
 * us_nc_route() - asks the kernel for the way to a destination
 * @link: the link.
 * @remote: the destination.
 * @local: source address; chosen if all zero.
 * @mtu: of the path.
 *
 * Answers are believed for a second, so that datagrams to many peers do not ask
 * for each.
 * Return: 0 or the negative errno of bind(2) or connect(2).
 */
int us_nc_route(struct us_link *link, const struct us_addr *remote,
		struct us_addr *local, uint32_t *mtu)
{
	struct us_nc *nc = us_nc_of(link);
	uint32_t mix = remote->w[0] ^ remote->w[1] ^ remote->w[2] ^ remote->w[3];
	struct us_nc_way *way = &nc->way[(mix * 0x9e3779b1u) >> 26];
	struct us_addr wish = *local;
	int err;

	/* Who wishes for the address that is chosen without a wish gets the same. */
	if (way->until > link->stack->now && same(&way->remote, remote) &&
	    (same(&way->wish, local) || same(&way->local, local))) {
		*local = way->local;
		*mtu = way->mtu;
		return 0;
	}
	err = ask_kernel(link, remote, local, mtu);
	if (!err)
		*way = (struct us_nc_way) {
			*remote, wish, *local, *mtu, link->stack->now + BELIEVED
		};
	return err;
}

_Static_assert(US_NC_WAYS == 1u << 6, "us_nc_route() takes 6 bits of its hash");

/**
 * us_nc_check_local() - may a flow end here?
 * @local: its local address; all zero is any.
 *
 * Return: 0, -EADDRNOTAVAIL, or another negative errno of bind(2).
 */
int us_nc_check_local(const struct us_addr *local)
{
	bool v4 = is_v4(local);
	int fd, err;

	if (is_any(local))
		return 0;
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = bind_to(fd, local, v4);
	close(fd);
	return err;
}
