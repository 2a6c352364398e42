// SPDX-License-Identifier: MIT
/* IPv4 input (RFC 791, RFC 1122 3.2). */
#include "net/priv.h"
#include "wire/checksum.h"
#include "wire/ipv4.h"

static uint32_t header_sum(const struct us_ipv4 *ip, uint32_t header)
{
	return us_likely(header == US_IPV4_LEN) ? us_csum_ipv4(ip) :
		us_csum_bytes(ip, header, 0);
}

/* Lengths and checksum; cuts padding off. */
static bool check_header(struct us_stack *stack, struct us_pkt *pkt)
{
	const struct us_ipv4 *ip = (const void *)pkt->data;
	uint32_t header, total;

	if (pkt->len < US_IPV4_LEN || ip->version_ihl >> 4 != 4)
		goto bad;
	header = us_ipv4_header_len(ip);
	total = us_get16(ip->total_len);
	if (header < US_IPV4_LEN || total < header || total > pkt->len)
		goto bad;
	if (us_csum_fold(header_sum(ip, header))) {
		us_count(stack, ip_bad_csum);
		return false;
	}
	us_pkt_trim(pkt, total);
	return true;
bad:
	us_count(stack, ip_bad_header);
	return false;
}

/* Options are passed over (RFC 1122 3.2.1.8), but a source route could turn our
 * answers where their reader wishes, and broken ones are nobody's.
 */
static us_noinline bool check_options(struct us_stack *stack, const uint8_t *at, uint32_t len)
{
	uint32_t i = 0;

	while (i < len && at[i] != US_IPV4_OPT_END) {
		if (at[i] == US_IPV4_OPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= len || at[i + 1] < 2 || at[i + 1] > len - i ||
		    at[i] == US_IPV4_OPT_LSRR || at[i] == US_IPV4_OPT_SSRR) {
			us_count(stack, ip_bad_options);
			return false;
		}
		i += at[i + 1];
	}
	return true;
}

/* RFC 1122 3.2.1.3: a source is one host, not this one, not of another link. */
static bool check_source(struct us_stack *stack, const struct us_pkt *pkt,
			 const struct us_addr *src)
{
	const uint8_t *a = &src->b[12];

	if (pkt->link->flags & US_LINK_LOOPBACK)
		return true;
	if (a[0] != 0 && a[0] < 0xe0 &&
	    !(a[0] == 127 && pkt->link->flags & US_LINK_ETHERNET) &&
	    !us_net_find_address(stack->net, src))
		return true;
	us_count(stack, ip_bad_source);
	return false;
}

static bool seen(const struct us_net *net, const struct us_pkt *pkt,
		 const struct us_addr *src, const struct us_addr *dst)
{
	return net->seen.dst == dst->w[3] && net->seen.src == src->w[3] &&
	       net->seen.link == pkt->link && net->seen.generation == net->generation;
}

static void see(struct us_net *net, const struct us_pkt *pkt,
		const struct us_addr *src, const struct us_addr *dst)
{
	net->seen.link = pkt->link;
	net->seen.generation = net->generation;
	net->seen.src = src->w[3];
	net->seen.dst = dst->w[3];
}

/* Addresses, for a link where the kernel has not looked at them. */
static bool check_addresses(struct us_stack *stack, const struct us_pkt *pkt,
			    const struct us_addr *src,
			    const struct us_addr *dst, bool group)
{
	if (us_likely(seen(stack->net, pkt, src, dst) && !group) ||
	    (pkt->link->flags & US_LINK_KERNEL_IP))
		return true;
	/* RFC 1122 3.3.6: a broadcast frame carries no unicast packet. */
	if (group || !us_net_is_ours(stack->net, pkt->link, dst)) {
		us_count(stack, ip_not_ours);
		return false;
	}
	if (!check_source(stack, pkt, src))
		return false;
	see(stack->net, pkt, src, dst);
	return true;
}

/**
 * us_ipv4_input() - takes an IPv4 packet
 * @stack: the stack.
 * @pkt: consumed; data is the IPv4 header.
 * @group: the frame came to a group MAC address.
 */
void us_ipv4_input(struct us_stack *stack, struct us_pkt *pkt, bool group)
{
	const struct us_ipv4 *ip = (const void *)pkt->data;
	struct us_addr src, dst;
	uint32_t header;

	us_count(stack, ip_in);
	if (us_unlikely(!check_header(stack, pkt)))
		goto drop;
	src = us_addr_from4(ip->src);
	dst = us_addr_from4(ip->dst);
	header = us_ipv4_header_len(ip);
	if (us_unlikely(!check_addresses(stack, pkt, &src, &dst, group)))
		goto drop;
	if (us_unlikely(header > US_IPV4_LEN &&
			!check_options(stack, pkt->data + US_IPV4_LEN,
				       header - US_IPV4_LEN)))
		goto drop;
	if (us_unlikely(us_get16(ip->frag) & (US_IPV4_MF | US_IPV4_OFFSET))) {
		us_count(stack, ip_fragment);
		goto drop;
	}
	pkt->network = pkt->data;
	us_pkt_pull(pkt, header);
	us_net_deliver(stack, pkt, ip->protocol, &src, &dst);
	return;
drop:
	us_pkt_put(pkt);
}
