// SPDX-License-Identifier: MIT
/* IPv6 input: the header and the extension headers behind it (RFC 8200). */
#include <netinet/in.h>

#include "net/priv.h"
#include "wire/icmp.h"
#include "wire/ipv6.h"

#define EXTENSIONS_MAX	8u	/* more than any honest packet has */

/* What to do with a packet whose extension headers were looked at. */
enum verdict {
	PASS,
	DROP,
};

static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

static bool check_header(struct us_stack *stack, struct us_pkt *pkt)
{
	const struct us_ipv6 *ip = (const void *)pkt->data;
	uint32_t total;

	if (pkt->len < US_IPV6_LEN || pkt->data[0] >> 4 != 6)
		goto bad;
	total = US_IPV6_LEN + us_get16(ip->payload_len);
	if (total > pkt->len)
		goto bad;
	us_pkt_trim(pkt, total);
	return true;
bad:
	us_count(stack, ip_bad_header);
	return false;
}

/* All nodes, or the solicited-node group of one of our addresses. */
static bool our_group(const struct us_net *net, const struct us_addr *dst)
{
	unsigned int i;

	if (!memcmp(dst->b, all_nodes, sizeof(all_nodes)))
		return true;
	for (i = 0; i < net->addresses; i++) {
		struct us_addr group = us_nd_group(&net->address[i].addr);

		if (!us_addr_is_v4(&net->address[i].addr) &&
		    us_addr_equal(&group, dst))
			return true;
	}
	return false;
}

/* RFC 4291 2.5.3: nobody outside is this host. */
static bool is_loopback(const struct us_addr *addr)
{
	static const struct us_addr loopback = { .b = { [15] = 1 } };

	return us_addr_equal(addr, &loopback);
}

/* A mapped address on the wire would pass for IPv4 here (RFC 4942 2.2). */
static bool check_source(struct us_stack *stack, const struct us_pkt *pkt,
			 const struct us_addr *src, const struct us_addr *dst)
{
	if (pkt->link->flags & US_LINK_LOOPBACK)
		return true;
	if (!us_addr_is_group(src) && !us_addr_is_v4(src) && !us_addr_is_v4(dst) &&
	    !(is_loopback(src) && pkt->link->flags & US_LINK_ETHERNET) &&
	    !us_net_find_address(stack->net, src))
		return true;
	us_count(stack, ip_bad_source);
	return false;
}

static bool check_addresses(struct us_stack *stack, const struct us_pkt *pkt,
			    const struct us_addr *src,
			    const struct us_addr *dst, bool group)
{
	bool multicast = us_addr_is_group(dst);

	if (pkt->link->flags & US_LINK_KERNEL_IP)
		return !us_addr_is_v4(src) && !us_addr_is_v4(dst);
	if (multicast ? !our_group(stack->net, dst) :
	    group || !us_net_is_ours(stack->net, pkt->link, dst)) {
		us_count(stack, ip_not_ours);
		return false;
	}
	return check_source(stack, pkt, src, dst);
}

static bool is_extension(uint8_t next)
{
	return next == US_IPV6_HOP_BY_HOP || next == US_IPV6_ROUTING ||
	       next == US_IPV6_FRAGMENT || next == US_IPV6_DEST_OPTIONS;
}

static uint32_t extension_len(uint8_t next, const uint8_t *at)
{
	return next == US_IPV6_FRAGMENT ? 8 : 8 + 8u * at[1];
}

/* Is it an error of ICMPv6, behind whatever headers? */
static bool is_error(const struct us_pkt *pkt)
{
	const struct us_ipv6 *ip = (const void *)pkt->network;
	uint32_t end = (uint32_t)(pkt->data + pkt->len - pkt->network), at = US_IPV6_LEN;
	uint8_t next = ip->next;

	while (is_extension(next) && at + 8 <= end) {
		uint32_t len = extension_len(next, pkt->network + at);

		next = pkt->network[at];
		at += len;
	}
	return next == IPPROTO_ICMPV6 && at < end && pkt->network[at] < 128;
}

/* Tells the sender which byte of its packet is not understood; not of an error (RFC 4443
 * 2.4 (e.1)).
 */
static void parameter_problem(struct us_stack *stack, const struct us_pkt *pkt,
			      uint8_t code, const uint8_t *at)
{
	if (is_error(pkt))
		return;
	us_icmp_error(stack, pkt, US_ICMP6_PARAMETER, code,
		      (uint32_t)(at - pkt->network));
}

/* Options: the two upper bits of an unknown one say what to do (RFC 8200 4.2). */
static enum verdict options(struct us_stack *stack, const struct us_pkt *pkt,
			    const uint8_t *at, uint32_t len,
			    const struct us_addr *dst)
{
	uint32_t i = 0;

	while (i < len) {
		uint8_t action = at[i] >> 6;

		if (at[i] == 0) {	/* Pad1 */
			i++;
			continue;
		}
		if (i + 1 >= len || at[i + 1] > len - i - 2)
			break;
		if (at[i] != 1 && action) {
			us_count(stack, ip_bad_options);
			if (action == 2 ||
			    (action == 3 && !us_addr_is_group(dst)))
				parameter_problem(stack, pkt,
						  US_ICMP6_PARAMETER_OPTION,
						  at + i);
			return DROP;
		}
		i += 2u + at[i + 1];
	}
	if (i == len)
		return PASS;
	us_count(stack, ip_bad_options);
	return DROP;
}

/* This node is never on the way: a route that is not at its end is refused
 * (RFC 8200 4.4, RFC 5095).
 */
static enum verdict routing(struct us_stack *stack, const struct us_pkt *pkt)
{
	const struct us_ipv6_ext *ext = (const void *)pkt->data;

	if (!ext->segments_left)
		return PASS;
	us_count(stack, ip_bad_options);
	parameter_problem(stack, pkt, US_ICMP6_PARAMETER_HEADER, &ext->type);
	return DROP;
}

/* A fragment that is the whole packet is none (RFC 6946). */
static enum verdict fragment(struct us_stack *stack, struct us_pkt *pkt)
{
	const struct us_ipv6_frag *frag = (const void *)pkt->data;

	if (!(us_get16(frag->offset) & (US_IPV6_FRAG_OFFSET |
					US_IPV6_FRAG_MORE)))
		return PASS;
	us_count(stack, ip_fragment);
	return DROP;
}

/* Looks at the extension header @next, and takes it off. */
static enum verdict extension(struct us_stack *stack, struct us_pkt *pkt,
			      uint8_t next, const struct us_addr *dst)
{
	enum verdict verdict;
	uint32_t len;

	if (pkt->len < 8)
		goto bad;
	len = extension_len(next, pkt->data);
	if (len > pkt->len)
		goto bad;
	if (next == US_IPV6_ROUTING)
		verdict = routing(stack, pkt);
	else if (next == US_IPV6_FRAGMENT)
		verdict = fragment(stack, pkt);
	else
		verdict = options(stack, pkt, pkt->data + 2, len - 2, dst);
	us_pkt_pull(pkt, len);
	return verdict;
bad:
	us_count(stack, ip_bad_header);
	return DROP;
}

/* Walks to the transport header.  Hop-by-hop options come first or not at all. */
static enum verdict walk(struct us_stack *stack, struct us_pkt *pkt,
			 uint8_t *next, const struct us_addr *dst)
{
	const uint8_t *from = &((const struct us_ipv6 *)(void *)pkt->network)->next;
	unsigned int n;

	for (n = 0; is_extension(*from); n++) {
		const uint8_t *header = pkt->data;

		if (n == EXTENSIONS_MAX) {
			us_count(stack, ip_bad_header);
			return DROP;
		}
		if (n && *from == US_IPV6_HOP_BY_HOP)
			break;
		if (extension(stack, pkt, *from, dst) == DROP)
			return DROP;
		from = header;	/* its first byte names what follows */
	}
	*next = *from;
	return PASS;
}

/**
 * us_ipv6_input() - takes an IPv6 packet
 * @stack: the stack.
 * @pkt: consumed; data is the IPv6 header.
 * @group: the frame came to a group MAC address.
 */
us_noinline void us_ipv6_input(struct us_stack *stack, struct us_pkt *pkt, bool group)
{
	const struct us_ipv6 *ip = (const void *)pkt->data;
	struct us_addr src, dst;
	uint8_t next;

	us_count(stack, ip_in);
	if (us_unlikely(!check_header(stack, pkt)))
		goto drop;
	src = us_addr_from6(ip->src);
	dst = us_addr_from6(ip->dst);
	if (us_unlikely(!check_addresses(stack, pkt, &src, &dst, group)))
		goto drop;
	pkt->network = pkt->data;
	us_pkt_pull(pkt, US_IPV6_LEN);
	if (us_unlikely(walk(stack, pkt, &next, &dst) == DROP))
		goto drop;
	if (us_unlikely(next == US_IPV6_NONE ||
			(us_addr_is_group(&dst) && next != IPPROTO_ICMPV6)))
		goto drop;
	us_net_deliver(stack, pkt, next, &src, &dst);
	return;
drop:
	us_pkt_put(pkt);
}
