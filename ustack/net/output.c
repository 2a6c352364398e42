// SPDX-License-Identifier: MIT
/* Packets out: reserve, headers, transport checksums. */
#include <netinet/in.h>

#include "net/priv.h"
#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

/**
 * us_ip_reserve() - begins a packet
 * @stack: the stack.
 * @dst: resolved.
 * @keep: slots to be left: link->kept, or 0 for what others wait for.
 *
 * Return: a slot with l3, l4 and flow set, or NULL if the link is full (counted):
 * link_writable() tells when to try again.
 */
struct us_tx *us_ip_reserve(struct us_stack *stack, struct us_dst *dst, uint32_t keep)
{
	struct us_link *link = dst->link;
	struct us_tx *tx = link->ops->reserve(link, keep);

	if (us_unlikely(!tx)) {
		us_count(stack, ip_link_full);
		return NULL;
	}
	tx->l3 = link->flags & US_LINK_ETHERNET ? US_ETH_LEN : 0;
	tx->l4 = dst->header_len;
	tx->flow = dst->flow;
	tx->ecn = US_ECN_NOT_ECT;
	return tx;
}

/* Bytes from the head on, payload by reference included. */
static uint32_t length(const struct us_tx *tx)
{
	uint32_t len = tx->inline_len, i;

	for (i = 0; i < tx->nr_frags; i++)
		len += tx->frag[i].len;
	return len;
}

/* Two bytes of memory as the last ones of a word of memory. */
static uint32_t second_half(uint16_t raw)
{
	return htonl(1) == 1 ? raw : (uint32_t)raw << 16;
}

/* Never fragmented, so the identification may be anything (RFC 6864 4.1). */
static void write_ipv4(const struct us_dst *dst, struct us_tx *tx,
		       uint8_t protocol)
{
	uint8_t *ip = tx->head + tx->l3;
	/* Words in registers: read back from narrower stores, they would stall. */
	const uint32_t first = htonl(0x45u << 24 | (uint32_t)(dst->tos | tx->ecn) << 16 |
				     (length(tx) - tx->l3));
	const uint32_t second = htonl(US_IPV4_DF);
	uint32_t third = htonl((uint32_t)dst->ttl << 24 | (uint32_t)protocol << 16);
	const uint32_t src = dst->local.w[3], to = dst->remote.w[3];
	uint64_t sum = (uint64_t)first + second + third + src + to;

	third |= second_half(us_csum_fold(us_csum_add((uint32_t)sum,
						      (uint32_t)(sum >> 32))));
	memcpy(ip, &first, 4);
	memcpy(ip + 4, &second, 4);
	memcpy(ip + 8, &third, 4);
	memcpy(ip + 12, &src, 4);
	memcpy(ip + 16, &to, 4);
}

static void write_ipv6(const struct us_dst *dst, struct us_tx *tx,
		       uint8_t protocol)
{
	struct us_ipv6 *ip = (void *)(tx->head + tx->l3);

	ip->flow = us_put32(6u << 28 | (uint32_t)(dst->tos | tx->ecn) << 20);
	ip->payload_len = us_put16((uint16_t)(length(tx) - tx->l4));
	ip->next = protocol;
	ip->hops = dst->ttl;
	memcpy(ip->src, dst->local.b, 16);
	memcpy(ip->dst, dst->remote.b, 16);
}

static void write_ip(const struct us_dst *dst, struct us_tx *tx,
		     uint8_t protocol)
{
	if (dst->family == AF_INET)
		write_ipv4(dst, tx, protocol);
	else
		write_ipv6(dst, tx, protocol);
	us_count(dst->link->stack, ip_out);
}

/**
 * us_eth_write() - writes an Ethernet header
 * @link: from which.
 * @tx: at the head of it.
 * @mac: to whom.
 * @type: US_ETHERTYPE_*.
 */
void us_eth_write(const struct us_link *link, struct us_tx *tx,
		  const uint8_t mac[6], uint16_t type)
{
	struct us_eth *eth = (void *)tx->head;

	memcpy(eth->dst, mac, US_ETH_ADDR);
	memcpy(eth->src, link->mac, US_ETH_ADDR);
	eth->type = us_put16(type);
}

/**
 * us_ip_send() - finishes a packet whose next hop's MAC is known
 * @dst: where to.
 * @tx: reserved and filled in.
 * @protocol: IPPROTO_*.
 * @mac: of the next hop; NULL on a link without Ethernet.
 */
void us_ip_send(const struct us_dst *dst, struct us_tx *tx, uint8_t protocol,
		const uint8_t mac[6])
{
	write_ip(dst, tx, protocol);
	if (mac)
		us_eth_write(dst->link, tx, mac, dst->family == AF_INET ?
			     US_ETHERTYPE_IPV4 : US_ETHERTYPE_IPV6);
	dst->link->ops->submit(dst->link, tx);
}

/**
 * us_ip_submit() - finishes a packet
 * @stack: the stack.
 * @dst: that it was reserved for.
 * @tx: the slot, which is the link's again, with l4, inline_len, frags, gso.
 * @protocol: IPPROTO_*.
 */
void us_ip_submit(struct us_stack *stack, const struct us_dst *dst,
		  struct us_tx *tx, uint8_t protocol)
{
	struct us_link *link = dst->link;

	if (!(link->flags & US_LINK_ETHERNET)) {
		us_ip_send(dst, tx, protocol, NULL);
	} else if (link->fixed_peer) {
		us_ip_send(dst, tx, protocol, link->peer_mac);
	} else {
		write_ip(dst, tx, protocol);
		us_neigh_output(stack, dst, tx);
	}
}

/* ICMP alone has no pseudo header. */
static uint32_t pseudo(const struct us_addr *src, const struct us_addr *dst,
		       uint8_t protocol, uint32_t len)
{
	if (protocol == IPPROTO_ICMP)
		return 0;
	if (us_addr_is_v4(dst))
		return us_csum_pseudo4(&src->b[12], &dst->b[12], protocol, len);
	return us_csum_pseudo6(src->b, dst->b, protocol, len);
}

static us_noinline uint32_t sum_payload(const struct us_tx *tx, uint32_t sum)
{
	uint32_t at = tx->inline_len - tx->l4, i;

	sum = us_csum_bytes(tx->head + tx->l4, at, sum);
	for (i = 0; i < tx->nr_frags; i++) {
		const struct us_frag *frag = &tx->frag[i];
		uint32_t part = us_csum_bytes(frag->chunk->data + frag->offset,
					      frag->len, 0);

		sum = us_csum_add(sum, us_csum_at(part, at));
		at += frag->len;
	}
	return sum;
}

/**
 * us_csum_output() - fills in a transport checksum
 * @dst: where the packet goes.
 * @tx: with l4, inline_len and frags final.
 * @protocol: IPPROTO_*.
 * @offset: of the checksum field, from the transport header on.
 */
void us_csum_output(const struct us_dst *dst, struct us_tx *tx,
		    uint8_t protocol, uint16_t offset)
{
	uint8_t *field = tx->head + tx->l4 + offset;
	uint32_t sum = pseudo(&dst->local, &dst->remote, protocol,
			      length(tx) - tx->l4);
	uint16_t value;

	if (dst->link->flags & US_LINK_CSUM) {
		tx->csum_offload = true;
		tx->csum_offset = offset;
		value = us_csum_reduce(sum);
		memcpy(field, &value, sizeof(value));
		return;
	}
	memset(field, 0, sizeof(value));
	value = us_csum_fold(sum_payload(tx, sum));
	if (!value)
		value = 0xffff;		/* UDP: 0 is none (RFC 768) */
	memcpy(field, &value, sizeof(value));
}

/* By the sum that the link told, over all from the IP header on. */
static bool sums_up_told(const struct us_pkt *pkt, uint32_t start)
{
	size_t headers = (size_t)(pkt->data - pkt->network);
	uint32_t sum = us_csum_sub(pkt->csum, us_csum_bytes(pkt->network, headers, 0));

	return us_csum_fold(us_csum_add(start, sum)) == 0;
}

/*
 * A sum that was told does not always follow when a firewall writes on an IPv6 header,
 * and cards err: that the packet is wrong only its bytes can say.  @sum: of the pseudo
 * header.
 */
static us_noinline bool sums_up(const struct us_pkt *pkt, uint32_t sum)
{
	if (pkt->csum_state == US_CSUM_COMPLETE && sums_up_told(pkt, sum))
		return true;
	return us_csum_fold(us_csum_bytes(pkt->data, pkt->len, sum)) == 0;
}

/**
 * us_csum_input() - verifies a transport checksum
 * @pkt: data is the transport header; network is set.
 * @src: source address.
 * @dst: destination address.
 * @protocol: IPPROTO_*.
 *
 * Return: true if it is right, or was verified by the link.
 */
bool us_csum_input(const struct us_pkt *pkt, const struct us_addr *src,
		   const struct us_addr *dst, uint8_t protocol)
{
	return pkt->csum_state == US_CSUM_VERIFIED ||
	       sums_up(pkt, pseudo(src, dst, protocol, pkt->len));
}

/**
 * us_csum_input_as() - likewise, of one packet of many between the same addresses
 * @pkt: as for us_csum_input().
 * @pseudo: sum of the pseudo header for no bytes.
 *
 * Return: true if it is right, or was verified by the link.
 */
bool us_csum_input_as(const struct us_pkt *pkt, uint32_t pseudo)
{
	us_be32 len = us_put32(pkt->len);
	uint32_t word;

	memcpy(&word, &len, sizeof(word));
	return pkt->csum_state == US_CSUM_VERIFIED || sums_up(pkt, us_csum_add(pseudo, word));
}
