// SPDX-License-Identifier: MIT
/* ICMP and ICMPv6 input; echo (RFC 792, RFC 4443, RFC 1122 3.2.2). */
#include <netinet/in.h>

#include "net/priv.h"
#include "wire/icmp.h"

/* Checksum and length, and that the message came with its own IP version: the
 * table of protocols has one column for both.
 */
static bool check(struct us_stack *stack, const struct us_pkt *pkt,
		  const struct us_addr *src, const struct us_addr *dst,
		  uint8_t protocol)
{
	us_count(stack, icmp_in);
	if (us_addr_is_v4(dst) == (protocol == IPPROTO_ICMP) &&
	    pkt->len >= US_ICMP_LEN && us_csum_input(pkt, src, dst, protocol))
		return true;
	us_count(stack, icmp_bad);
	return false;
}

/* Sends the data back that came. */
static void echo(struct us_stack *stack, const struct us_pkt *pkt,
		 const struct us_addr *src, const struct us_addr *dst,
		 uint8_t protocol, uint8_t reply)
{
	struct us_dst back = { .local = *dst, .remote = *src };
	struct us_icmp *icmp;
	struct us_tx *tx;

	if (us_addr_is_group(dst) || us_addr_is_any(src) ||
	    us_dst_resolve(stack, &back))
		return;
	tx = us_ip_reserve(stack, &back, back.link->kept);
	if (!tx)
		return;
	/* What is left reserved is taken by the next packet. */
	if (tx->inline_cap < back.header_len + pkt->len)
		return;
	icmp = (void *)(tx->head + tx->l4);
	memcpy(icmp, pkt->data, pkt->len);
	icmp->type = reply;
	tx->inline_len = back.header_len + pkt->len;
	us_csum_output(&back, tx, protocol, offsetof(struct us_icmp, csum));
	us_count(stack, icmp_echo);
	us_ip_submit(stack, &back, tx, protocol);
}

static void icmp4_input(struct us_stack *stack, struct us_pkt *pkt,
			const struct us_addr *src, const struct us_addr *dst)
{
	const struct us_icmp *icmp = (const void *)pkt->data;

	if (!check(stack, pkt, src, dst, IPPROTO_ICMP))
		goto out;
	switch (icmp->type) {
	case US_ICMP_ECHO:
		echo(stack, pkt, src, dst, IPPROTO_ICMP, US_ICMP_ECHO_REPLY);
		break;
	case US_ICMP_UNREACHABLE:
	case US_ICMP_TIME_EXCEEDED:
	case US_ICMP_PARAMETER:
		us_icmp_error_input(stack, pkt, src, dst);
		break;
	default:	/* RFC 1122 3.2.2; source quench is one of these (RFC 6633) */
		us_count(stack, icmp_ignored);
		break;
	}
out:
	us_pkt_put(pkt);
}

static void icmp6_input(struct us_stack *stack, struct us_pkt *pkt,
			const struct us_addr *src, const struct us_addr *dst)
{
	const struct us_icmp *icmp = (const void *)pkt->data;

	if (!check(stack, pkt, src, dst, IPPROTO_ICMPV6))
		goto out;
	switch (icmp->type) {
	case US_ICMP6_ECHO:
		echo(stack, pkt, src, dst, IPPROTO_ICMPV6, US_ICMP6_ECHO_REPLY);
		break;
	case US_ICMP6_NEIGHBOR_SOLICIT:
	case US_ICMP6_NEIGHBOR_ADVERT:
		us_nd_input(stack, pkt, src, dst);
		break;
	case US_ICMP6_UNREACHABLE:
	case US_ICMP6_TOO_BIG:
	case US_ICMP6_TIME_EXCEEDED:
	case US_ICMP6_PARAMETER:
		us_icmp_error_input(stack, pkt, src, dst);
		break;
	default:
		us_count(stack, icmp_ignored);
		break;
	}
out:
	us_pkt_put(pkt);
}

const struct us_protocol us_icmp4_protocol = { .input = icmp4_input };
const struct us_protocol us_icmp6_protocol = { .input = icmp6_input };
