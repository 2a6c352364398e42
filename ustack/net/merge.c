// SPDX-License-Identifier: MIT
/*
 * Receive offload without a device: segments of one connection that come one behind the
 * other, and differ in sequence number and payload only, TCP takes as one.  The first is
 * held for as long as a link is polled, the others wait behind it.
 */
#include <netinet/in.h>

#include "net/priv.h"
#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

/* Are @n bytes at @offset the same? */
static bool same(const uint8_t *a, const uint8_t *b, size_t offset, size_t n)
{
	return !memcmp(a + offset, b + offset, n);
}

/* Bytes of an IP header that nothing stands out of, before TCP; 0: of another one. */
static uint32_t plain_ip(const struct us_pkt *pkt)
{
	const struct us_ipv4 *ip = (const void *)pkt->data;
	const struct us_ipv6 *ip6 = (const void *)pkt->data;

	if (ip->version_ihl == 0x45)
		return ip->protocol == IPPROTO_TCP && us_get16(ip->total_len) == pkt->len &&
		       !(us_get16(ip->frag) & (US_IPV4_MF | US_IPV4_OFFSET)) ? US_IPV4_LEN : 0;
	return ip->version_ihl >> 4 == 6 && ip6->next == IPPROTO_TCP &&
	       us_get16(ip6->payload_len) + US_IPV6_LEN == pkt->len ? US_IPV6_LEN : 0;
}

/* Of the pseudo header, all but the length. */
static uint32_t pseudo(const struct us_pkt *pkt)
{
	const struct us_ipv4 *ip = (const void *)pkt->data;
	const struct us_ipv6 *ip6 = (const void *)pkt->data;

	return ip->version_ihl >> 4 == 4 ?
	       us_csum_pseudo4(ip->src, ip->dst, IPPROTO_TCP, 0) :
	       us_csum_pseudo6(ip6->src, ip6->dst, IPPROTO_TCP, 0);
}

/* Holds a segment that others may follow; what is wrong with it will show later. */
static bool begin(struct us_stack *stack, struct us_pkt *pkt)
{
	struct us_merge *m = &stack->net->merge;
	const struct us_tcp_hdr *h;
	uint32_t header;

	m->l4 = pkt->len >= US_MERGE_LEAST && !pkt->gso ? plain_ip(pkt) : 0;
	if (!m->l4)
		return false;
	h = (const void *)(pkt->data + m->l4);
	header = us_tcp_header_len(h);
	if ((h->flags & ~(unsigned int)US_TCP_ECE) != US_TCP_ACK || header < US_TCP_LEN)
		return false;
	m->payload = m->l4 + header;
	m->size = pkt->len - m->payload;
	m->seq = us_get32(h->seq) + m->size;
	m->pseudo = pseudo(pkt);
	stack->behind.first = pkt;
	return true;
}

/* The same header before as many bytes: it is as good as the first one's, which IP will
 * look at.
 */
static bool twin_ip(const struct us_merge *m, const struct us_pkt *first,
		    const struct us_pkt *pkt)
{
	const uint8_t *a = first->data, *b = pkt->data;

	return pkt->len == first->len &&
	       (m->l4 == US_IPV4_LEN ? same(a, b, 0, US_IPV4_LEN) : same(a, b, 0, US_IPV6_LEN));
}

/* All but length, identification and checksum. */
static us_noinline bool same_ip(const struct us_merge *m, const struct us_pkt *first,
				const struct us_pkt *pkt)
{
	const uint8_t *a = first->data, *b = pkt->data;

	if (plain_ip(pkt) != m->l4)
		return false;
	if (m->l4 == US_IPV6_LEN)
		return same(a, b, 0, 4) && same(a, b, 6, 34);
	return same(a, b, 0, 2) && same(a, b, 6, 4) && same(a, b, 12, 8) &&
	       !us_csum_fold(us_csum_ipv4(b));
}

/* What is not the same in eight bytes, and counts. */
static uint64_t differs(const uint8_t *a, const uint8_t *b, const uint8_t counts[8])
{
	uint64_t x, y, mask;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	memcpy(&mask, counts, sizeof(mask));
	return (x ^ y) & mask;
}

/* All but sequence number, PSH and checksum: ports; what lies from the acknowledgement to the
 * window; options.
 */
static bool same_tcp(const struct us_merge *m, const uint8_t *a, const uint8_t *b)
{
	static const uint8_t counts[8] = { 255, 255, 255, 255, 255, (uint8_t)~US_TCP_PSH, 255, 255 };
	uint32_t at, end = m->payload - m->l4;

	if (!same(a, b, 0, 4) || differs(a + 8, b + 8, counts))
		return false;
	for (at = US_TCP_LEN; at < end; at += 4)
		if (!same(a, b, at, 4))
			return false;
	return true;
}

static bool sums_up(const struct us_merge *m, struct us_pkt *pkt)
{
	pkt->network = pkt->data;
	us_pkt_pull(pkt, m->l4);
	if (!us_csum_input_as(pkt, m->pseudo)) {
		us_pkt_push(pkt, m->l4);
		return false;
	}
	pkt->csum_state = US_CSUM_VERIFIED;
	return true;
}

/* The next in order, and right in itself. */
static bool follows(const struct us_merge *m, const struct us_pkt *first, struct us_pkt *pkt)
{
	const uint8_t *a = first->data + m->l4, *b = pkt->data + m->l4;
	const struct us_tcp_hdr *h = (const void *)b;

	return !pkt->gso && pkt->len - m->payload - 1 < m->size && pkt->flow == first->flow &&
	       us_get32(h->seq) == m->seq &&
	       (us_likely(twin_ip(m, first, pkt)) || same_ip(m, first, pkt)) &&
	       same_tcp(m, a, b) && sums_up(m, pkt);
}

static void put_behind(struct us_merge *m, struct us_behind *behind, struct us_pkt *pkt)
{
	const struct us_tcp_hdr *h = (const void *)pkt->data;

	behind->pushed = h->flags & US_TCP_PSH;
	us_pkt_pull(pkt, m->payload - m->l4);
	cds_list_add_tail(&pkt->node, &behind->pkts);
	behind->bytes += pkt->len;
	behind->size = m->size;
	behind->count++;
	m->seq += pkt->len;
}

/* What is held is neither to keep others from coming nor, of itself, to be too much for TCP
 * to hold.
 */
static bool is_crowded(const struct us_pkt *pkt)
{
	const struct us_pool *pkts = &pkt->link->stack->pkts;

	return pkts->used + 1 >= pkts->count / 2 || us_link_pressure(pkt->link);
}

/* Nothing more will follow, or should. */
static bool is_last(const struct us_merge *m, const struct us_behind *behind,
		    const struct us_pkt *pkt)
{
	return behind->pushed || pkt->len < m->size || behind->count == US_GSO_SEGS - 1 ||
	       is_crowded(pkt);
}

/**
 * us_merge_input() - is this a segment that follows another, or that others may follow?
 * @stack: the stack.
 * @pkt: data is the IP header; the frame came to our MAC address.
 *
 * Return: true if it is, and the packet was consumed, perhaps until us_merge_flush().  If
 * not, nothing is held any more.
 */
bool us_merge_input(struct us_stack *stack, struct us_pkt *pkt)
{
	struct us_merge *m = &stack->net->merge;
	struct us_behind *behind = &stack->behind;

	if (!behind->first || !follows(m, behind->first, pkt)) {
		us_merge_flush(stack);
		return !is_crowded(pkt) && begin(stack, pkt);
	}
	put_behind(m, behind, pkt);
	if (is_last(m, behind, pkt))
		us_merge_flush(stack);
	return true;
}

static void input(struct us_stack *stack, struct us_pkt *pkt)
{
	if (pkt->data[0] >> 4 == 4)
		us_ipv4_input(stack, pkt, false);
	else
		us_ipv6_input(stack, pkt, false);
}

/* TCP did not take them. */
static us_noinline void one_by_one(struct us_stack *stack)
{
	struct us_pkt *pkt, *next;
	CDS_LIST_HEAD(pkts);

	cds_list_splice(&stack->behind.pkts, &pkts);
	us_behind_empty(&stack->behind);
	cds_list_for_each_entry_safe(pkt, next, &pkts, node) {
		us_pkt_push(pkt, (uint32_t)(pkt->data - pkt->network));
		input(stack, pkt);
	}
}

/**
 * us_merge_flush() - what is held goes up
 * @stack: the stack.
 *
 * What TCP does not take with the first one goes up by itself.
 */
void us_merge_flush(struct us_stack *stack)
{
	uint32_t count = stack->behind.count;
	struct us_pkt *pkt = stack->behind.first;

	if (!pkt)
		return;
	stack->behind.first = NULL;
	input(stack, pkt);
	if (us_unlikely(stack->behind.count)) {
		one_by_one(stack);
		return;
	}
	us_count_by(stack, ip_in, count);
	us_count_by(stack, tcp_in, count);
}
