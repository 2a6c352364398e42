// SPDX-License-Identifier: MIT
/* ICMP errors: what others tell us about our packets, and what we tell them. */
#include <errno.h>
#include <netinet/in.h>

#include "net/priv.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

/* RFC 1812 4.3.2.8 and RFC 4443 2.4 (f): a bucket of errors. */
#define ERROR_INTERVAL	(10 * US_MSEC)	/* a hundred a second */
#define ERROR_BURST	50

/* Bytes of an ICMP error, with its IP header (RFC 1812 4.3.2.3, RFC 4443 2.4). */
#define ERROR_MAX4	576u
#define ERROR_MAX6	US_IPV6_MTU_MIN

/**
 * struct meaning - what an ICMP error means to a transport
 * @err: positive errno; 0: nothing.
 * @hard: the connection may be given up (RFC 1122 4.2.3.9).
 */
struct meaning {
	uint8_t err;
	bool hard;
};

/* By code of destination unreachable; as Linux has it. */
static const struct meaning unreachable4[16] = {
	[0] = { ENETUNREACH, false }, [1] = { EHOSTUNREACH, false },
	[2] = { ENOPROTOOPT, true }, [3] = { ECONNREFUSED, true },
	[4] = { EMSGSIZE, false }, [5] = { EOPNOTSUPP, false },
	[6] = { ENETUNREACH, true }, [7] = { EHOSTDOWN, true },
	[8] = { ENONET, true }, [9] = { ENETUNREACH, true },
	[10] = { EHOSTUNREACH, true }, [11] = { ENETUNREACH, false },
	[12] = { EHOSTUNREACH, false }, [13] = { EHOSTUNREACH, true },
	[14] = { EHOSTUNREACH, true }, [15] = { EHOSTUNREACH, true },
};

static const struct meaning unreachable6[7] = {
	[0] = { ENETUNREACH, false }, [1] = { EACCES, true },
	[2] = { EHOSTUNREACH, false }, [3] = { EHOSTUNREACH, false },
	[4] = { ECONNREFUSED, true }, [5] = { EACCES, true },
	[6] = { EACCES, true },
};

static struct meaning meaning4(const struct us_icmp *icmp)
{
	switch (icmp->type) {
	case US_ICMP_UNREACHABLE:
		if (icmp->code < 16)
			return unreachable4[icmp->code];
		break;
	case US_ICMP_TIME_EXCEEDED:
		if (icmp->code == US_ICMP_TIME_TTL)	/* we make no fragments */
			return (struct meaning){ EHOSTUNREACH, false };
		break;
	case US_ICMP_PARAMETER:
		return (struct meaning){ EPROTO, true };
	}
	return (struct meaning){ 0, false };
}

static struct meaning meaning6(const struct us_icmp *icmp)
{
	switch (icmp->type) {
	case US_ICMP6_UNREACHABLE:
		if (icmp->code < 7)
			return unreachable6[icmp->code];
		break;
	case US_ICMP6_TOO_BIG:
		return (struct meaning){ EMSGSIZE, false };
	case US_ICMP6_TIME_EXCEEDED:
		return (struct meaning){ EHOSTUNREACH, false };
	case US_ICMP6_PARAMETER:
		return (struct meaning){ EPROTO,
			icmp->code == US_ICMP6_PARAMETER_NEXT };
	}
	return (struct meaning){ 0, false };
}

/* A router of before RFC 1191 tells no MTU: the next lower of its table, or 0 for
 * a packet that no link is too small for.
 */
static uint32_t plateau(uint32_t total)
{
	static const uint16_t table[] = {
		32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68
	};
	unsigned int i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i] < total)
			return table[i];
	return 0;
}

/* The MTU that an EMSGSIZE tells, or 0 if it cannot be true. */
static uint32_t mtu_of(const struct us_icmp *icmp, const uint8_t *quoted,
		       bool v4)
{
	uint32_t mtu = us_get32(icmp->rest);

	if (!v4)
		return mtu < US_IPV6_MTU_MIN ? 0 : mtu;
	mtu &= 0xffff;
	if (!mtu)
		mtu = plateau(us_get16(((const struct us_ipv4 *)
					(const void *)quoted)->total_len));
	return mtu < US_IPV4_MTU_MIN ? 0 : mtu;
}

/**
 * struct quote - the packet that an ICMP error quotes
 * @local: its source.
 * @remote: its destination.
 * @protocol: IPPROTO_*.
 * @header: bytes before its transport header.
 */
struct quote {
	struct us_addr local;
	struct us_addr remote;
	uint8_t protocol;
	uint32_t header;
};

/* Reads a quoted packet as this stack sends them: no extension headers, whole. */
static bool parse_quote(const uint8_t *at, uint32_t len, struct quote *quote)
{
	const struct us_ipv4 *ip4 = (const void *)at;
	const struct us_ipv6 *ip6 = (const void *)at;

	if (len >= US_IPV4_LEN && at[0] >> 4 == 4) {
		quote->header = us_ipv4_header_len(ip4);
		quote->protocol = ip4->protocol;
		quote->local = us_addr_from4(ip4->src);
		quote->remote = us_addr_from4(ip4->dst);
		if (us_get16(ip4->frag) & US_IPV4_OFFSET ||
		    quote->header < US_IPV4_LEN)
			return false;
	} else if (len >= US_IPV6_LEN && at[0] >> 4 == 6) {
		quote->header = US_IPV6_LEN;
		quote->protocol = ip6->next;
		quote->local = us_addr_from6(ip6->src);
		quote->remote = us_addr_from6(ip6->dst);
		if (us_addr_is_v4(&quote->local) || us_addr_is_v4(&quote->remote))
			return false;
	} else {
		return false;
	}
	return len >= quote->header + 8;
}

/**
 * us_icmp_quoted() - tells a transport about a packet that it sent
 * @stack: the stack.
 * @ip: the packet, from its IP header on, as far as known.
 * @len: bytes of it.
 * @error: what became of it; completed by what the packet says.
 */
void us_icmp_quoted(struct us_stack *stack, const uint8_t *ip, uint32_t len,
		    struct us_net_error *error)
{
	const struct us_protocol *ops;
	struct quote quote;

	if (!parse_quote(ip, len, &quote)) {
		us_count(stack, icmp_error_bad_quote);
		return;
	}
	ops = stack->net->protocol[quote.protocol];
	if (!ops || !ops->error) {
		us_count(stack, icmp_error_no_protocol);
		return;
	}
	error->local = quote.local;
	error->remote = quote.remote;
	error->quoted = ip + quote.header;
	error->len = len - quote.header;
	ops->error(stack, error);
}

/**
 * us_icmp_unreachable() - no neighbour took a packet: as a router would say it
 * @stack: the stack.
 * @ip: the packet, from its IP header on.
 * @len: bytes of it.
 */
void us_icmp_unreachable(struct us_stack *stack, const uint8_t *ip, uint32_t len)
{
	bool v4 = ip[0] >> 4 == 4;
	struct us_net_error error = {
		.err = EHOSTUNREACH,
		.type = v4 ? US_ICMP_UNREACHABLE : US_ICMP6_UNREACHABLE,
		.code = v4 ? US_ICMP_UNREACH_HOST : US_ICMP6_UNREACH_ADDRESS,
	};

	us_icmp_quoted(stack, ip, len, &error);
}

/* @at: ICMP header and quoted packet.  @told: an MTU that the link knows, or 0.  @error:
 * what is known of the packet that says so.
 */
static void error_input(struct us_stack *stack, const uint8_t *at, uint32_t len, bool v4,
			uint32_t told, struct us_net_error *error)
{
	const struct us_icmp *icmp = (const void *)at;
	const uint8_t *quoted = at + US_ICMP_LEN;
	struct meaning meaning = v4 ? meaning4(icmp) : meaning6(icmp);

	if (!meaning.err) {
		us_count(stack, icmp_error_ignored);
		return;
	}
	error->err = meaning.err;
	error->hard = meaning.hard;
	error->type = icmp->type;
	error->code = icmp->code;
	if (meaning.err == EMSGSIZE) {
		error->mtu = told ? told : mtu_of(icmp, quoted, v4);
		if (!error->mtu) {
			us_count(stack, icmp_error_bad_mtu);
			return;
		}
	}
	us_icmp_quoted(stack, quoted, len - US_ICMP_LEN, error);
}

/**
 * us_icmp_error_input() - takes an ICMP error of the wire
 * @stack: the stack.
 * @pkt: data is the ICMP header, checksum verified; not consumed.
 * @src: who sent it.
 * @dst: to whom: that must be who sent the quoted packet.
 */
void us_icmp_error_input(struct us_stack *stack, const struct us_pkt *pkt,
			 const struct us_addr *src, const struct us_addr *dst)
{
	struct us_net_error error = {
		.offender = *src, .tos = us_pkt_tos(pkt), .ttl = us_pkt_ttl(pkt),
	};
	struct quote quote;

	us_count(stack, icmp_error_in);
	if (!parse_quote(pkt->data + US_ICMP_LEN, pkt->len - US_ICMP_LEN, &quote))
		us_count(stack, icmp_error_bad_quote);
	else if (!us_addr_equal(&quote.local, dst))
		us_count(stack, icmp_error_foreign);
	else
		error_input(stack, pkt->data, pkt->len, us_addr_is_v4(dst), 0, &error);
}

/**
 * us_icmp_link_error() - takes an ICMP error that the kernel passes on
 * @stack: the stack.
 * @pkt: consumed; data is the ICMP header; info is the MTU, or 0.
 */
us_noinline void us_icmp_link_error(struct us_stack *stack, struct us_pkt *pkt)
{
	struct us_net_error error = { .mtu = 0 };	/* the link passes on no more */

	/* It quotes a flow of this link, and which version it is says the quote. */
	if (pkt->len > US_ICMP_LEN + US_IPV4_LEN) {
		us_count(stack, icmp_error_in);
		error_input(stack, pkt->data, pkt->len, pkt->data[US_ICMP_LEN] >> 4 == 4,
			    pkt->info, &error);
	} else {
		us_count(stack, icmp_bad);
	}
	us_pkt_put(pkt);
}

static bool within_rate(struct us_stack *stack)
{
	struct us_net *net = stack->net;

	net->icmp_credit += stack->now - net->icmp_last;
	net->icmp_last = stack->now;
	if (net->icmp_credit > ERROR_BURST * ERROR_INTERVAL)
		net->icmp_credit = ERROR_BURST * ERROR_INTERVAL;
	if (net->icmp_credit < ERROR_INTERVAL) {
		us_count(stack, icmp_error_limited);
		return false;
	}
	net->icmp_credit -= ERROR_INTERVAL;
	return true;
}

/* Writes the message behind the headers; @len bytes are quoted. */
static void write_error(const struct us_dst *back, struct us_tx *tx,
			const struct us_pkt *pkt, uint32_t len,
			struct us_icmp head)
{
	uint8_t protocol = back->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct us_stack *stack = back->link->stack;
	uint8_t *at = tx->head + tx->l4;
	uint32_t room = tx->inline_cap - tx->l4 - US_ICMP_LEN;

	if (len > room)
		len = room;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), pkt->network, len);
	tx->inline_len = tx->l4 + US_ICMP_LEN + len;
	us_csum_output(back, tx, protocol, offsetof(struct us_icmp, csum));
	us_count(stack, icmp_error_out);
	us_ip_submit(stack, back, tx, protocol);
}

/* RFC 1812 4.3.2.5: the packet's TOS, and a precedence of the network's own. */
static uint8_t error_tos(const struct us_pkt *pkt)
{
	return (us_pkt_tos(pkt) & 0x1c) | 0xc0;
}

/**
 * us_icmp_error() - tells the sender of a packet that something is wrong with it
 * @stack: the stack.
 * @pkt: network is its IP header; not consumed.  It is no ICMP error and no
 *	fragment: those do not get here.
 * @type: US_ICMP_* or US_ICMP6_*, by the version of @pkt.
 * @code: of the type.
 * @rest: the header's last four bytes.
 */
void us_icmp_error(struct us_stack *stack, const struct us_pkt *pkt,
		   uint8_t type, uint8_t code, uint32_t rest)
{
	const struct us_ipv4 *ip4 = (const void *)pkt->network;
	const struct us_ipv6 *ip6 = (const void *)pkt->network;
	bool v4 = pkt->network[0] >> 4 == 4;
	uint32_t len = (uint32_t)(pkt->data + pkt->len - pkt->network);
	uint32_t most = v4 ? ERROR_MAX4 - US_IPV4_LEN - US_ICMP_LEN :
			     ERROR_MAX6 - US_IPV6_LEN - US_ICMP_LEN;
	struct us_icmp head = { type, code, us_put16(0), us_put32(rest) };
	struct us_dst back = { .tos = v4 ? error_tos(pkt) : 0 };
	struct us_tx *tx;

	/* A channel sends what its flows allow, no ICMP: the kernel answers. */
	if (pkt->link->flags & US_LINK_KERNEL_IP)
		return;
	back.local = v4 ? us_addr_from4(ip4->dst) : us_addr_from6(ip6->dst);
	back.remote = v4 ? us_addr_from4(ip4->src) : us_addr_from6(ip6->src);
	if (us_addr_is_group(&back.local) || us_addr_is_any(&back.remote) ||
	    !within_rate(stack) || us_dst_resolve(stack, &back))
		return;
	tx = us_ip_reserve(stack, &back, back.link->kept);
	if (tx)
		write_error(&back, tx, pkt, len < most ? len : most, head);
}

/**
 * us_icmp_port_unreachable() - answers a packet to a closed port
 * @stack: the stack.
 * @pkt: not consumed.
 */
void us_icmp_port_unreachable(struct us_stack *stack, const struct us_pkt *pkt)
{
	if (pkt->network[0] >> 4 == 4)
		us_icmp_error(stack, pkt, US_ICMP_UNREACHABLE,
			      US_ICMP_UNREACH_PORT, 0);
	else
		us_icmp_error(stack, pkt, US_ICMP6_UNREACHABLE,
			      US_ICMP6_UNREACH_PORT, 0);
}

/* Where the last next-header byte of an IPv6 packet is: behind the extension
 * headers, which were walked before.
 */
static uint32_t next_offset(const struct us_pkt *pkt)
{
	uint32_t end = (uint32_t)(pkt->data - pkt->network);
	uint32_t from = offsetof(struct us_ipv6, next), at = US_IPV6_LEN;

	while (at < end) {
		const struct us_ipv6_ext *ext = (const void *)(pkt->network + at);
		bool frag = pkt->network[from] == US_IPV6_FRAGMENT;

		from = at;
		at += frag ? 8 : 8 + 8u * ext->len;
	}
	return from;
}

/**
 * us_icmp_protocol_unreachable() - answers a packet of an unknown protocol
 * @stack: the stack.
 * @pkt: data is behind the IP headers; not consumed.
 */
us_noinline void us_icmp_protocol_unreachable(struct us_stack *stack,
					      const struct us_pkt *pkt)
{
	if (pkt->network[0] >> 4 == 4)
		us_icmp_error(stack, pkt, US_ICMP_UNREACHABLE,
			      US_ICMP_UNREACH_PROTOCOL, 0);
	else
		us_icmp_error(stack, pkt, US_ICMP6_PARAMETER,
			      US_ICMP6_PARAMETER_NEXT, next_offset(pkt));
}
