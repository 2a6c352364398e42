// SPDX-License-Identifier: MIT
/*
 * How large a packet the path takes, as routers say: they are all that tells of it, for
 * nothing acknowledges a datagram.  It is kept beside the ports, as one without a peer may
 * send elsewhere meanwhile, and for each port on its own: what somebody makes up about one
 * without a peer is no matter of others.
 *
 * After ten minutes larger packets are tried again (RFC 1191 6.3, RFC 8201 5.3).
 */
#include "transport/udp_parts.h"

#define MIN_MTU4	552u	/* as Linux's min_pmtu */
#define MIN_MTU6	1280u
#define KEPT		(600 * US_SEC)

/* Where a path is kept, or another one, which it takes the place of. */
static struct us_udp_path *place(const struct us_udp *udp, const struct us_addr *remote)
{
	uint32_t mix = remote->w[0] ^ remote->w[1] ^ remote->w[2] ^ remote->w[3] ^
		       udp->local_port;

	return &udp->stack->udp->path[(mix * 0x9e3779b1u) >> 26];
}

static_assert(US_UDP_PATHS == 1u << 6, "place() gives 6 bits");

static uint16_t known_mtu(const struct us_udp *udp, const struct us_addr *remote)
{
	const struct us_udp_path *path = place(udp, remote);

	if (path->port != udp->local_port || !us_addr_equal(&path->remote, remote) ||
	    udp->stack->now - path->told > KEPT)
		return UINT16_MAX;
	return path->mtu;
}

/**
 * us_udp_mtu_limit() - sets the MTU of a way to what is known of it
 * @udp: the port.
 * @dst: resolved.
 */
void us_udp_mtu_limit(const struct us_udp *udp, struct us_dst *dst)
{
	bool probe = us_udp_ip(udp, &dst->remote)->mtu_discover == IP_PMTUDISC_PROBE;
	uint16_t known = known_mtu(udp, &dst->remote);

	dst->mtu = !probe && known < dst->route_mtu ? known : dst->route_mtu;
}

/**
 * us_udp_mtu_told() - a router says what the path takes
 * @udp: the port that sent what was too large.
 * @remote: to whom.
 * @mtu: bytes, as told.
 */
void us_udp_mtu_told(struct us_udp *udp, const struct us_addr *remote, uint32_t mtu)
{
	uint32_t least = us_addr_is_v4(remote) ? MIN_MTU4 : MIN_MTU6;

	if (mtu < least)
		mtu = least;
	if (mtu > known_mtu(udp, remote))
		return;
	*place(udp, remote) = (struct us_udp_path){
		.remote = *remote,
		.port = udp->local_port,
		.mtu = (uint16_t)mtu,
		.told = udp->stack->now,
	};
	if (udp->routed && us_addr_equal(remote, &udp->dst.remote))
		us_udp_mtu_limit(udp, &udp->dst);
}
