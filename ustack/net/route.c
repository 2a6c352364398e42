// SPDX-License-Identifier: MIT
/* Local addresses, routes, and the choice between them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "net/priv.h"

static unsigned int slot_of(const struct us_addr *addr)
{
	uint32_t mix = addr->w[0] ^ addr->w[1] ^ addr->w[2] ^ addr->w[3];

	return (mix * 0x9e3779b1u) >> 20;
}

_Static_assert(US_NET_ADDRESS_SLOTS == 1u << 12, "slot_of() gives 12 bits");

/* Bits of an IPv4 prefix count behind the 96 of the mapped part. */
static bool full_prefix(const struct us_addr *addr, unsigned int *prefix)
{
	bool v4 = us_addr_is_v4(addr);

	if (*prefix > (v4 ? 32 : 128))
		return false;
	*prefix += v4 ? 96 : 0;
	return true;
}

static unsigned int common_bits(const struct us_addr *a, const struct us_addr *b)
{
	unsigned int i = 0;

	while (i < 16 && a->b[i] == b->b[i])
		i++;
	if (i == 16)
		return 128;
	return i * 8 + (unsigned int)__builtin_clz((unsigned int)(a->b[i] ^ b->b[i])) - 24;
}

static struct us_addr masked(struct us_addr addr, unsigned int prefix)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		if (prefix < 8)
			addr.b[i] &= (uint8_t)(0xff00u >> prefix);
		prefix -= prefix < 8 ? prefix : 8;
	}
	return addr;
}

/**
 * us_net_find_address() - finds a local address
 * @net: the network layer.
 * @addr: the address.
 *
 * Return: its entry, or NULL.
 */
us_noinline const struct us_net_address *
us_net_find_address(const struct us_net *net, const struct us_addr *addr)
{
	unsigned int slot = slot_of(addr);

	for (; net->address_slot[slot]; slot = (slot + 1) % US_NET_ADDRESS_SLOTS) {
		const struct us_net_address *entry =
			&net->address[net->address_slot[slot] - 1];

		if (us_addr_equal(&entry->addr, addr))
			return entry;
	}
	return NULL;
}

/**
 * us_net_lookup() - finds the route with the longest prefix
 * @net: the network layer.
 * @addr: where to.
 *
 * The one place that knows how routes are kept.
 * Return: the route, or NULL.
 */
const struct us_net_route *us_net_lookup(const struct us_net *net,
					 const struct us_addr *addr)
{
	bool v4 = us_addr_is_v4(addr);
	unsigned int i;

	for (i = 0; i < net->routes; i++) {
		const struct us_net_route *route = &net->route[i];

		/* ::/0 is no way to an IPv4 address. */
		if (v4 == (route->prefix >= 96 && us_addr_is_v4(&route->net)) &&
		    common_bits(&route->net, addr) >= route->prefix)
			return route;
	}
	return NULL;
}

/**
 * us_net_is_ours() - is a packet that came for a local address ours?
 * @net: the network layer.
 * @link: it came from there.
 * @dst: where it goes.
 *
 * Weak hosts take what comes to any of their addresses on any link (RFC 1122 3.3.4.2), but
 * for those of the loopback, which are nobody's outside (3.2.1.3, RFC 4291 2.5.3).
 * Return: true if it is.
 */
bool us_net_is_ours(const struct us_net *net, const struct us_link *link,
		    const struct us_addr *dst)
{
	const struct us_net_address *entry = us_net_find_address(net, dst);

	return entry && (entry->link == link || !(entry->link->flags & US_LINK_LOOPBACK));
}

static bool is_link_local(const struct us_addr *a)
{
	return us_addr_is_v4(a) ? a->b[12] == 169 && a->b[13] == 254 :
				  a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* How well a source suits: its scope counts before its bits. */
static unsigned int likeness(const struct us_addr *source, const struct us_addr *remote)
{
	unsigned int bits = common_bits(source, remote);

	return is_link_local(source) == is_link_local(remote) ? bits + 129 : bits;
}

/**
 * us_net_source() - chooses a source address
 * @net: the network layer.
 * @link: on which the packet leaves.
 * @remote: to whom.
 *
 * Return: the address of @link, of the same family, that has the scope of @remote (RFC 6724
 * 5, rule 2), and most bits in common with it (rule 8); NULL if there is none.
 */
const struct us_addr *us_net_source(const struct us_net *net,
				    const struct us_link *link,
				    const struct us_addr *remote)
{
	const struct us_addr *best = NULL;
	unsigned int i, alike, most = 0;

	for (i = 0; i < net->addresses; i++) {
		const struct us_net_address *entry = &net->address[i];

		if (entry->link != link ||
		    us_addr_is_v4(&entry->addr) != us_addr_is_v4(remote))
			continue;
		alike = likeness(&entry->addr, remote);
		if (best && alike <= most)
			continue;
		best = &entry->addr;
		most = alike;
	}
	return best;
}

/* The first link with a flag of US_LINK_*. */
static struct us_link *link_with(const struct us_stack *stack, uint32_t flag)
{
	struct us_link *link;

	cds_list_for_each_entry(link, &stack->links, node)
		if (link->flags & flag)
			return link;
	return NULL;
}

static struct us_link *kernel_link(const struct us_stack *stack)
{
	return link_with(stack, US_LINK_KERNEL_IP);
}

/**
 * us_net_is_local() - may a socket be bound to an address?
 * @stack: the stack.
 * @addr: the address.
 *
 * Return: true if the stack has it, or has a link whose addresses are the
 * kernel's, which then has the last word.
 */
bool us_net_is_local(const struct us_stack *stack, const struct us_addr *addr)
{
	return us_net_find_address(stack->net, addr) || kernel_link(stack);
}

static int check_link(struct us_stack *stack, const struct us_link *link)
{
	if (link->flags & US_LINK_KERNEL_IP)
		return us_fail(stack, -EINVAL, "a %s link uses the kernel's addresses and routes: set them with ip(8)",
			       link->ops->name);
	return 0;
}

/**
 * us_net_address_add() - gives a link an address
 * @stack: the stack.
 * @link: the link.
 * @addr: the address; IPv4 is mapped.
 * @prefix: length of the on-link prefix, 0..32 or 0..128, which becomes a route.
 *
 * Return: 0, -EINVAL, -EEXIST, -ENOSPC, or what the link says to it.
 */
int us_net_address_add(struct us_stack *stack, struct us_link *link,
		       const struct us_addr *addr, unsigned int prefix)
{
	static const struct us_addr none;
	struct us_net *net = stack->net;
	struct us_net_address *entry;
	unsigned int slot, full = prefix;
	int err = check_link(stack, link);

	if (err)
		return err;
	if (!full_prefix(addr, &full) || us_addr_is_any(addr) ||
	    us_addr_is_group(addr))
		return us_fail(stack, -EINVAL, "address: one host's address and a prefix of 0..32 (IPv6: 0..128) bits are expected");
	if (us_net_find_address(net, addr))
		return us_fail(stack, -EEXIST, "address: the stack has it already");
	if (net->addresses == US_NET_ADDRESSES)
		return us_fail(stack, -ENOSPC, "address: a stack holds %u",
			       US_NET_ADDRESSES);
	err = link->ops->claim ? link->ops->claim(link, addr) : 0;
	if (!err)
		err = us_net_route_add(stack, link, addr, prefix, &none);
	if (err && err != -EEXIST)
		return err;
	stack->error[0] = '\0';		/* a second address of a network is no error */
	entry = &net->address[net->addresses++];
	*entry = (struct us_net_address) { *addr, link, (uint8_t)full };
	for (slot = slot_of(addr); net->address_slot[slot];)
		slot = (slot + 1) % US_NET_ADDRESS_SLOTS;
	net->address_slot[slot] = (uint16_t)net->addresses;
	net->generation++;
	return 0;
}

/* A gateway has to be on the link, of the destination's family. */
static int check_gateway(struct us_stack *stack, const struct us_link *link,
			 const struct us_addr *dst, const struct us_addr *gateway)
{
	const struct us_net_route *route;

	if (us_addr_is_any(gateway))
		return 0;
	route = us_net_lookup(stack->net, gateway);
	if (us_addr_is_v4(dst) != us_addr_is_v4(gateway))
		return us_fail(stack, -EINVAL, "route: destination and gateway are of different families");
	if (us_net_find_address(stack->net, gateway))
		return us_fail(stack, -EINVAL, "route: the gateway is an address of this stack itself");
	if (!route || route->link != link || !us_addr_is_any(&route->gateway))
		return us_fail(stack, -ENETUNREACH, "route: the gateway is not on the link: add an address of its network first");
	return 0;
}

/**
 * us_net_route_add() - adds a route
 * @stack: the stack.
 * @link: out of it.
 * @dst: where to; bits beyond @prefix do not count.
 * @prefix: 0..32 or 0..128 bits.
 * @gateway: next hop, on @link; all zero: none.
 *
 * Return: 0, -EINVAL, -EEXIST, -ENOSPC, -ENETUNREACH.
 */
int us_net_route_add(struct us_stack *stack, struct us_link *link,
		     const struct us_addr *dst, unsigned int prefix,
		     const struct us_addr *gateway)
{
	struct us_net *net = stack->net;
	struct us_addr base;
	unsigned int at;
	int err = check_link(stack, link);

	if (err)
		return err;
	if (!full_prefix(dst, &prefix))
		return us_fail(stack, -EINVAL, "route: a prefix of 0..32 (IPv6: 0..128) bits is expected");
	err = check_gateway(stack, link, dst, gateway);
	if (err)
		return err;
	base = masked(*dst, prefix);
	for (at = 0; at < net->routes && net->route[at].prefix >= prefix; at++)
		if (net->route[at].prefix == prefix &&
		    us_addr_equal(&net->route[at].net, &base))
			return us_fail(stack, -EEXIST, "route: there is one for this prefix");
	if (net->routes == US_NET_ROUTES)
		return us_fail(stack, -ENOSPC, "route: a stack holds %u", US_NET_ROUTES);
	memmove(&net->route[at + 1], &net->route[at],
		(net->routes - at) * sizeof(net->route[0]));
	net->route[at] = (struct us_net_route) {
		base, *gateway, link, (uint8_t)prefix
	};
	net->routes++;
	net->generation++;
	return 0;
}

/**
 * us_net_loopback() - gives a link that hears itself the addresses for that
 * @stack: the stack.
 * @link: any; others get none.
 *
 * Both or none: nothing of @link stays if it fails.
 * Return: 0, -ENOSPC, -EEXIST: another link has one of them, as a second of this kind.
 */
int us_net_loopback(struct us_stack *stack, struct us_link *link)
{
	const struct us_addr v4 = us_addr_from4((const uint8_t[]){ 127, 0, 0, 1 });
	const struct us_addr v6 = { .b = { [15] = 1 } };
	const struct us_net *net = stack->net;
	int err;

	if (!(link->flags & US_LINK_LOOPBACK))
		return 0;
	if (us_net_find_address(net, &v4) || us_net_find_address(net, &v6))
		return us_fail(stack, -EEXIST, "lo: another link has 127.0.0.1 or ::1 already");
	if (net->addresses + 2 > US_NET_ADDRESSES || net->routes + 2 > US_NET_ROUTES)
		return us_fail(stack, -ENOSPC, "lo: no room for two more addresses: open it before others are added");
	err = us_net_address_add(stack, link, &v4, 32);
	return err ? err : us_net_address_add(stack, link, &v6, 128);
}

/**
 * us_dst_on_link() - a destination that needs no route
 * @dst: all of it is set.
 * @link: out of it.
 * @local: source address.
 * @remote: destination, a neighbour or a group.
 */
void us_dst_on_link(struct us_dst *dst, struct us_link *link,
		    const struct us_addr *local, const struct us_addr *remote)
{
	bool v4 = us_addr_is_v4(remote);

	*dst = (struct us_dst) {
		.link = link,
		.local = *local,
		.remote = *remote,
		.next_hop = *remote,
		.family = v4 ? AF_INET : AF_INET6,
		.ttl = US_NET_TTL,
		.header_len = (uint8_t)((link->flags & US_LINK_ETHERNET ?
					 US_ETH_LEN : 0) + (v4 ? 20 : 40)),
		.mtu = (uint16_t)link->mtu,
		.route_mtu = (uint16_t)link->mtu,
		.generation = link->stack->net->generation,
	};
}

/* The kernel knows the way. */
static int resolve_kernel(struct us_stack *stack, struct us_dst *dst)
{
	struct us_link *link = kernel_link(stack);
	struct us_addr local = dst->local;
	uint32_t mtu;
	int err;

	if (!link)
		return -ENETUNREACH;
	mtu = link->mtu;
	err = link->ops->route ?
		link->ops->route(link, &dst->remote, &local, &mtu) : 0;
	if (err)
		return err;
	us_dst_on_link(dst, link, &local, &dst->remote);
	dst->mtu = dst->route_mtu = (uint16_t)mtu;
	return 0;
}

/* Everybody on the link: no host (RFC 1122 3.2.1.3).  Of /31 both are hosts. */
static bool is_broadcast(const struct us_net_route *route, const struct us_addr *addr)
{
	unsigned int host = 128 - route->prefix;

	if (!us_addr_is_v4(addr) || !us_addr_is_any(&route->gateway) ||
	    host < 2 || host > 31)
		return false;
	return (ntohl(addr->w[3]) | (UINT32_MAX << host)) == UINT32_MAX;
}

/* A router of IPv4 may know no network but its own, as Linux has it; one of IPv6 has a
 * link-local address, which tells nothing.
 */
static const struct us_addr *source_by(const struct us_net *net,
				       const struct us_net_route *route,
				       const struct us_addr *remote)
{
	bool by_router = us_addr_is_v4(remote) && !us_addr_is_any(&route->gateway);

	return us_net_source(net, route->link, by_router ? &route->gateway : remote);
}

static bool fits(const struct us_net *net, const struct us_addr *local,
		 const struct us_addr *remote)
{
	return local && us_net_find_address(net, local) &&
	       us_addr_is_v4(local) == us_addr_is_v4(remote);
}

/* To ourselves, and from the same address, unless told otherwise. */
static int resolve_own(struct us_stack *stack, struct us_dst *dst)
{
	struct us_link *link = link_with(stack, US_LINK_LOOPBACK);
	struct us_addr remote = dst->remote, local = dst->local;

	if (!link)
		return -ENETUNREACH;
	if (us_addr_is_any(&local))
		local = remote;
	if (!fits(stack->net, &local, &remote))
		return -EADDRNOTAVAIL;
	us_dst_on_link(dst, link, &local, &remote);
	return 0;
}

static int resolve(struct us_stack *stack, struct us_dst *dst)
{
	const struct us_net_route *route = us_net_lookup(stack->net, &dst->remote);
	const struct us_addr *local = &dst->local;

	if (us_net_find_address(stack->net, &dst->remote))
		return resolve_own(stack, dst);
	if (!route)
		return resolve_kernel(stack, dst);
	if (us_addr_is_any(local))
		local = source_by(stack->net, route, &dst->remote);
	if (!fits(stack->net, local, &dst->remote))
		return -EADDRNOTAVAIL;
	if (is_broadcast(route, &dst->remote))
		return -ENETUNREACH;
	us_dst_on_link(dst, route->link, local, &dst->remote);
	if (!us_addr_is_any(&route->gateway))
		dst->next_hop = route->gateway;
	return 0;
}

/**
 * us_dst_resolve() - finds the way to dst->remote
 * @stack: the stack.
 * @dst: remote, and if wished local, tos and ttl, are given; the rest is set.
 *
 * Return: 0, -ENETUNREACH, -EADDRNOTAVAIL; with US_LINK_KERNEL_IP also what the
 * kernel's connect(2) says.
 */
int us_dst_resolve(struct us_stack *stack, struct us_dst *dst)
{
	struct us_dst want = *dst;
	int err;

	if (us_addr_is_any(&dst->remote) || us_addr_is_group(&dst->remote))
		err = -ENETUNREACH;
	else
		err = resolve(stack, dst);
	if (err) {
		us_count(stack, ip_no_route);
		return err;
	}
	dst->tos = want.tos;
	if (want.ttl)
		dst->ttl = want.ttl;
	return 0;
}

static bool lacks_route(struct us_stack *stack, const struct us_addr *addr)
{
	return !us_addr_is_any(addr) && !us_addr_is_group(addr) &&
	       !us_net_lookup(stack->net, addr) && !kernel_link(stack);
}

static const char *print(const struct us_addr *addr, char text[INET6_ADDRSTRLEN])
{
	bool v4 = us_addr_is_v4(addr);

	return inet_ntop(v4 ? AF_INET : AF_INET6, addr->b + (v4 ? 12 : 0), text,
			 INET6_ADDRSTRLEN);
}

/**
 * us_net_not_local() - tells in words that nothing can be bound to an address
 * @stack: keeps the text.
 * @addr: of which us_net_is_local() says no.
 *
 * Return: -EADDRNOTAVAIL.
 */
int us_net_not_local(struct us_stack *stack, const struct us_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	return us_fail(stack, -EADDRNOTAVAIL, "bind: the stack has no address %s: add it (ustack_address_add()), or bind to all (0.0.0.0, ::)",
		       print(addr, text));
}

/**
 * us_dst_explain() - tells in words why there is no way, to a call that connects
 * @stack: keeps the text.
 * @remote: the destination.
 * @err: of us_dst_resolve().
 *
 * Return: @err.
 */
int us_dst_explain(struct us_stack *stack, const struct us_addr *remote, int err)
{
	char text[INET6_ADDRSTRLEN];

	if (err != -ENETUNREACH)
		return err;
	if (us_net_find_address(stack->net, remote))
		return us_fail(stack, err, "connect: %s is an address of this stack itself: open the link \"lo\" for what it sends to itself",
			       print(remote, text));
	if (!lacks_route(stack, remote))
		return err;
	return us_fail(stack, err, "connect: the stack has no route to %s: give it an address of that network (ustack_address_add()), or a gateway (ustack_route_add())",
		       print(remote, text));
}

/**
 * us_dst_doubt() - nothing comes back from a destination
 * @stack: the stack.
 * @dst: resolved; takes another next hop on its link, if the routes have one by
 *	now, and the neighbour is asked whether it still is there.
 *
 * The negative advice of RFC 1122 3.3.1.4.
 */
void us_dst_doubt(struct us_stack *stack, struct us_dst *dst)
{
	struct us_dst now = *dst;

	us_count(stack, ip_doubted);
	if (dst->link->flags & US_LINK_KERNEL_IP)
		return;		/* its kernel has its own means */
	if (!us_dst_resolve(stack, &now) && now.link == dst->link)
		dst->next_hop = now.next_hop;
	if (dst->link->flags & US_LINK_ETHERNET)
		us_neigh_doubt(stack, dst);
}

/**
 * us_dst_answer() - finds the way back for an answer that any path can take
 * @stack: the stack.
 * @dst: as for us_dst_resolve(); local is given.
 * @pkt: that is answered, or NULL.
 *
 * Where the kernel routes what a link sends, the link itself is all that need be
 * known: strangers' packets cost no system call.
 * Return: as us_dst_resolve().
 */
int us_dst_answer(struct us_stack *stack, struct us_dst *dst,
		  const struct us_pkt *pkt)
{
	int err = 0;

	if (pkt && pkt->link && (pkt->link->flags & US_LINK_KERNEL_IP) &&
	    !us_net_lookup(stack->net, &dst->remote)) {
		struct us_addr local = dst->local, remote = dst->remote;

		us_dst_on_link(dst, pkt->link, &local, &remote);
	} else {
		err = us_dst_resolve(stack, dst);
	}
	if (!err && pkt && pkt->link == dst->link)
		dst->flow = pkt->flow;
	return err;
}
