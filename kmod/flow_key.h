/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys of flows and packets: parsing, masking, precedence.
 *
 * This header is pure: no skb, no lock, no allocation.  It compiles in user
 * space too, after a shim has defined u8, u16, u32, u64, s32, bool, __be16,
 * __be32, htonl(), ntohs() and the constants AF_* and IPPROTO_*.
 */
#ifndef _NC_FLOW_KEY_H
#define _NC_FLOW_KEY_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
#include <linux/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#endif
#include <linux/netchannel.h>

#define NC_TCP_FIN	0x01
#define NC_TCP_SYN	0x02
#define NC_TCP_RST	0x04
#define NC_TCP_ACK	0x10
#define NC_TCP_URG	0x20
#define NC_TCP_CWR	0x80

/**
 * union nc_addr - an IPv4 (first word, others zero) or IPv6 address
 * @b: bytes.
 * @w: words.
 */
union nc_addr {
	u8 b[16];
	__be32 w[4];
};

/**
 * struct nc_key - what a packet is matched by, seen from this host
 * @local: address of this end.
 * @remote: address of the peer.
 * @local_port: network byte order, 0 for protocols without ports.
 * @remote_port: alike.
 * @ports: both, for masking and comparing.
 * @ifindex: device.
 * @rank: of the mask that was applied; 0 in the key of a packet.
 * @vlan: VLAN identifier, 0 for none.
 * @family: AF_INET or AF_INET6.
 * @protocol: IP protocol.
 *
 * @word: all of it, for masking and comparing.
 *
 * No holes: it is hashed and compared by words.
 */
struct nc_key {
	union {
		struct {
			union nc_addr local;
			union nc_addr remote;
			union {
				struct {
					__be16 local_port;
					__be16 remote_port;
				};
				u32 ports;
			};
			u32 ifindex;
			u32 rank;
			u16 vlan;
			u8 family;
			u8 protocol;
		};
		u64 word[6];
	};
};

/*
 * A rank says which parts of a key a flow gives, and orders flows: the greater
 * number wins.  From the top: local port given (1 bit), local prefix (8),
 * remote prefix (8), remote port given (1), device (1), VLAN (1).
 */
#define NC_RANK_LPORT		(1u << 19)
#define NC_RANK_LOCAL(rank)	(((rank) >> 11) & 0xff)
#define NC_RANK_REMOTE(rank)	(((rank) >> 3) & 0xff)
#define NC_RANK_RPORT		(1u << 2)
#define NC_RANK_DEVICE		(1u << 1)
#define NC_RANK_VLAN		(1u << 0)

/**
 * struct nc_headers - where the parts of a packet are
 * @length: total length by the IP header.
 * @transport: offset of the transport header.
 * @payload: NC_PARSE_OUT: offset of the payload; of the transport header if its
 *	format is not known.
 * @dsfield: TOS or traffic class.
 * @tcp_flags: NC_PARSE_OUT: flags of a TCP header.
 */
struct nc_headers {
	u32 length;
	u16 transport;
	u16 payload;
	u8 dsfield;
	u8 tcp_flags;
};

/**
 * enum nc_parse - outcome of parsing
 * @NC_PARSE_OK: all headers understood
 * @NC_PARSE_SHORT: headers do not fit the bytes given
 * @NC_PARSE_VERSION: neither IPv4 nor IPv6, or a bad header length
 * @NC_PARSE_OPTIONS: IPv4 options or IPv6 extension headers
 * @NC_PARSE_FRAGMENT: a fragment
 * @NC_PARSE_LENGTH: length fields contradict each other
 */
enum nc_parse {
	NC_PARSE_OK,
	NC_PARSE_SHORT,
	NC_PARSE_VERSION,
	NC_PARSE_OPTIONS,
	NC_PARSE_FRAGMENT,
	NC_PARSE_LENGTH,
};

/**
 * enum nc_parse_mode - whose packet it is
 * @NC_PARSE_IN: received: the destination is local; of the transport header
 *	only the ports are looked at
 * @NC_PARSE_OUT: to be sent: the source is local; headers must be whole
 * @NC_PARSE_QUOTE: quoted by an ICMP error: the source is local, eight bytes of
 *	the transport header are there, options may be, lengths are not checked
 */
enum nc_parse_mode {
	NC_PARSE_IN,
	NC_PARSE_OUT,
	NC_PARSE_QUOTE,
};

static inline u16 nc_get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

/**
 * nc_has_ports() - does the protocol have ports that we know?
 * @protocol: IP protocol.
 *
 * Return: true for TCP and UDP.
 */
static inline bool nc_has_ports(u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/**
 * nc_family_bits() - length of an address
 * @family: AF_INET or AF_INET6.
 *
 * Return: bits.
 */
static inline u32 nc_family_bits(u8 family)
{
	return family == AF_INET ? 32 : 128;
}

/**
 * nc_addr_prefix() - keep the first bits of an address
 * @out: the result.
 * @in: the address.
 * @bits: 0..128.
 */
static inline void nc_addr_prefix(union nc_addr *out, const union nc_addr *in,
				  u32 bits)
{
	u32 i;

	for (i = 0; i < 4; i++) {
		if (bits >= 32) {
			out->w[i] = in->w[i];
			bits -= 32;
		} else {
			out->w[i] = in->w[i] & htonl(~(0xffffffffu >> bits));
			bits = 0;
		}
	}
}

/**
 * nc_addr_equal() - are two addresses the same?
 * @a: one.
 * @b: the other.
 *
 * Return: true if so.
 */
static inline bool nc_addr_equal(const union nc_addr *a, const union nc_addr *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) |
		 (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]));
}

/**
 * nc_key_equal() - are two keys the same?
 * @a: one.
 * @b: the other.
 *
 * Return: true if so.
 */
static inline bool nc_key_equal(const struct nc_key *a, const struct nc_key *b)
{
	return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) |
		 (a->word[2] ^ b->word[2]) | (a->word[3] ^ b->word[3]) |
		 (a->word[4] ^ b->word[4]) | (a->word[5] ^ b->word[5]));
}

/**
 * nc_key_mask() - the bits of a packet's key that flows of a rank give
 * @mask: the result; its rank is the rank itself.
 * @rank: of the flows.
 */
static inline void nc_key_mask(struct nc_key *mask, u32 rank)
{
	union nc_addr all;

	memset(&all, 0xff, sizeof(all));
	memset(mask, 0xff, sizeof(*mask));
	nc_addr_prefix(&mask->local, &all, NC_RANK_LOCAL(rank));
	nc_addr_prefix(&mask->remote, &all, NC_RANK_REMOTE(rank));
	if (!(rank & NC_RANK_LPORT))
		mask->local_port = 0;
	if (!(rank & NC_RANK_RPORT))
		mask->remote_port = 0;
	if (!(rank & NC_RANK_DEVICE))
		mask->ifindex = 0;
	if (!(rank & NC_RANK_VLAN))
		mask->vlan = 0;
	mask->rank = rank;
}

/**
 * nc_key_masked() - the part of a packet's key that flows of a rank give
 * @out: the result, of that rank.
 * @key: of the packet.
 * @mask: of the rank.
 */
static inline void nc_key_masked(struct nc_key *out, const struct nc_key *key,
				 const struct nc_key *mask)
{
	u32 i;

	for (i = 0; i < 6; i++)
		out->word[i] = key->word[i] & mask->word[i];
	out->rank = mask->rank;
}

/**
 * nc_flow_rank() - rank of a flow
 * @flow: a flow that nc_flow_valid() accepts.
 *
 * Return: the rank.
 */
static inline u32 nc_flow_rank(const struct netchannel_flow *flow)
{
	return (flow->local_port ? NC_RANK_LPORT : 0) |
	       (u32)flow->local_prefix << 11 |
	       (u32)flow->remote_prefix << 3 |
	       (flow->remote_port ? NC_RANK_RPORT : 0) |
	       (flow->ifindex ? NC_RANK_DEVICE : 0) |
	       (flow->vlan ? NC_RANK_VLAN : 0);
}

/**
 * nc_flow_key() - key under which a flow is found
 * @key: the result.
 * @flow: the flow.
 */
static inline void nc_flow_key(struct nc_key *key,
			       const struct netchannel_flow *flow)
{
	memcpy(key->local.b, flow->local, sizeof(key->local));
	memcpy(key->remote.b, flow->remote, sizeof(key->remote));
	key->local_port = flow->local_port;
	key->remote_port = flow->remote_port;
	key->ifindex = flow->ifindex;
	key->rank = nc_flow_rank(flow);
	key->vlan = flow->vlan;
	key->family = flow->family;
	key->protocol = flow->protocol;
}

static inline bool nc_prefix_valid(const u8 *addr, u32 prefix, u8 family)
{
	union nc_addr all, cut;

	if (prefix > nc_family_bits(family))
		return false;
	memcpy(all.b, addr, sizeof(all));
	nc_addr_prefix(&cut, &all, prefix);
	return nc_addr_equal(&all, &cut);
}

/**
 * nc_flow_valid() - is a flow well formed?
 * @flow: private copy of what the owner gave.
 *
 * Return: true if so.
 */
static inline bool nc_flow_valid(const struct netchannel_flow *flow)
{
	if (flow->family != AF_INET && flow->family != AF_INET6)
		return false;
	if (!flow->protocol || flow->vlan > 4094 || flow->reserved)
		return false;
	if (!nc_has_ports(flow->protocol) &&
	    (flow->local_port || flow->remote_port))
		return false;
	return nc_prefix_valid(flow->local, flow->local_prefix, flow->family) &&
	       nc_prefix_valid(flow->remote, flow->remote_prefix, flow->family);
}

/**
 * nc_flow_wild() - can the flow have more than one peer?
 * @flow: the flow.
 *
 * Return: true if so.
 */
static inline bool nc_flow_wild(const struct netchannel_flow *flow)
{
	return flow->remote_prefix != nc_family_bits(flow->family) ||
	       (nc_has_ports(flow->protocol) && !flow->remote_port);
}

/**
 * nc_key_covers() - does a packet to be sent belong to a flow?
 * @flow: key of the flow.
 * @mask: of its rank.
 * @packet: key of the packet.
 *
 * Device and VLAN say where packets arrive, not where they leave: they do not count.
 *
 * Return: true if so.
 */
static inline bool nc_key_covers(const struct nc_key *flow,
				 const struct nc_key *mask,
				 const struct nc_key *packet)
{
	u64 differs = ((packet->word[0] ^ flow->word[0]) & mask->word[0]) |
		      ((packet->word[1] ^ flow->word[1]) & mask->word[1]) |
		      ((packet->word[2] ^ flow->word[2]) & mask->word[2]) |
		      ((packet->word[3] ^ flow->word[3]) & mask->word[3]);

	differs |= (packet->ports ^ flow->ports) & mask->ports;
	differs |= (packet->family ^ flow->family) |
		   (packet->protocol ^ flow->protocol);
	return !differs;
}

/* The caller zeroed the key. */
static inline void nc_key_ends(struct nc_key *key, const u8 *src, const u8 *dst,
			       u32 bytes, enum nc_parse_mode mode)
{
	memcpy(key->local.b, mode == NC_PARSE_IN ? dst : src, bytes);
	memcpy(key->remote.b, mode == NC_PARSE_IN ? src : dst, bytes);
}

static inline enum nc_parse nc_parse_ipv4(const u8 *data, u32 avail,
					  enum nc_parse_mode mode,
					  struct nc_headers *h,
					  struct nc_key *key)
{
	u32 ihl;

	if (avail < 20)
		return NC_PARSE_SHORT;
	ihl = (data[0] & 15u) * 4;
	if (ihl < 20)
		return NC_PARSE_VERSION;
	h->length = nc_get16(data + 2);
	h->transport = (u16)ihl;
	h->dsfield = data[1];
	key->family = AF_INET;
	key->protocol = data[9];
	nc_key_ends(key, data + 12, data + 16, 4, mode);
	if (ihl > 20 && mode != NC_PARSE_QUOTE)
		return NC_PARSE_OPTIONS;
	/* A quoted first fragment is good enough: it has the ports. */
	if (nc_get16(data + 6) & (mode == NC_PARSE_QUOTE ? 0x1fff : 0x3fff))
		return NC_PARSE_FRAGMENT;
	return NC_PARSE_OK;
}

static inline bool nc_ipv6_extension(u8 nexthdr)
{
	return nexthdr == IPPROTO_HOPOPTS || nexthdr == IPPROTO_ROUTING ||
	       nexthdr == IPPROTO_AH || nexthdr == IPPROTO_DSTOPTS ||
	       nexthdr == 135 /* mobility */ ||
	       nexthdr == 139 /* HIP */ || nexthdr == 140 /* shim6 */;
}

static inline enum nc_parse nc_parse_ipv6(const u8 *data, u32 avail,
					  enum nc_parse_mode mode,
					  struct nc_headers *h,
					  struct nc_key *key)
{
	if (avail < 40)
		return NC_PARSE_SHORT;
	h->length = 40 + nc_get16(data + 4);
	h->transport = 40;
	h->dsfield = (u8)(nc_get16(data) >> 4);
	key->family = AF_INET6;
	key->protocol = data[6];
	nc_key_ends(key, data + 8, data + 24, 16, mode);
	if (data[6] == IPPROTO_FRAGMENT)
		return NC_PARSE_FRAGMENT;
	if (nc_ipv6_extension(data[6]))
		return NC_PARSE_OPTIONS;
	return NC_PARSE_OK;
}

static inline enum nc_parse nc_parse_tcp(const u8 *tcp, u32 avail,
					 struct nc_headers *h)
{
	u32 doff;

	if (avail < 20)
		return NC_PARSE_SHORT;
	doff = (tcp[12] >> 4) * 4u;
	if (doff < 20 || h->transport + doff > h->length)
		return NC_PARSE_LENGTH;
	if (doff > avail)
		return NC_PARSE_SHORT;
	h->tcp_flags = tcp[13];
	h->payload = (u16)(h->transport + doff);
	return NC_PARSE_OK;
}

static inline enum nc_parse nc_parse_udp(const u8 *udp, u32 avail,
					 struct nc_headers *h)
{
	u32 length;

	if (avail < 8)
		return NC_PARSE_SHORT;
	length = nc_get16(udp + 4);
	if (length < 8 || h->transport + length != h->length)
		return NC_PARSE_LENGTH;
	h->payload = h->transport + 8;
	return NC_PARSE_OK;
}

/**
 * nc_parse_ports() - the ports of a transport header
 * @transport: its first bytes.
 * @mode: whose packet it is.
 * @key: out: both ports.
 */
static inline void nc_parse_ports(const u8 *transport, enum nc_parse_mode mode,
				  struct nc_key *key)
{
	const u8 *src = transport, *dst = transport + 2;

	memcpy(&key->local_port, mode == NC_PARSE_IN ? dst : src, 2);
	memcpy(&key->remote_port, mode == NC_PARSE_IN ? src : dst, 2);
}

static inline enum nc_parse nc_parse_transport(const u8 *data, u32 avail,
					       enum nc_parse_mode mode,
					       struct nc_headers *h,
					       struct nc_key *key)
{
	const u8 *transport = data + h->transport;

	h->payload = h->transport;
	if (!nc_has_ports(key->protocol))
		return avail < h->transport ? NC_PARSE_SHORT : NC_PARSE_OK;
	if (avail < h->transport + 8u)
		return NC_PARSE_SHORT;
	nc_parse_ports(transport, mode, key);
	if (mode != NC_PARSE_OUT)
		return NC_PARSE_OK;
	avail -= h->transport;
	if (key->protocol == IPPROTO_TCP)
		return nc_parse_tcp(transport, avail, h);
	return nc_parse_udp(transport, avail, h);
}

/**
 * nc_parse() - find headers and key of an IP packet
 * @data: the packet, from the IP header on.
 * @avail: bytes of it that may be read.
 * @mode: whose packet it is.
 * @h: out: where the parts are.
 * @key: out: all but @ifindex and @vlan, which become 0.
 *
 * With NC_PARSE_OPTIONS and NC_PARSE_FRAGMENT the IP header's fields are valid.
 * The total length is reported, not compared with what is there.
 *
 * Return: NC_PARSE_OK, or why not.
 */
static inline enum nc_parse nc_parse(const u8 *data, u32 avail,
				     enum nc_parse_mode mode,
				     struct nc_headers *h, struct nc_key *key)
{
	enum nc_parse verdict = NC_PARSE_VERSION;

	memset(h, 0, sizeof(*h));
	memset(key, 0, sizeof(*key));
	if (!avail)
		return NC_PARSE_SHORT;
	if (data[0] >> 4 == 4)
		verdict = nc_parse_ipv4(data, avail, mode, h, key);
	else if (data[0] >> 4 == 6)
		verdict = nc_parse_ipv6(data, avail, mode, h, key);
	if (verdict != NC_PARSE_OK)
		return verdict;
	if (mode != NC_PARSE_QUOTE && h->length < h->transport)
		return NC_PARSE_LENGTH;
	return nc_parse_transport(data, avail, mode, h, key);
}

#endif /* _NC_FLOW_KEY_H */
