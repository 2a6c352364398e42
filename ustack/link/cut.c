// SPDX-License-Identifier: MIT
/*
 * Segmentation offload without a device: what TCP hands over as one leaves in packets
 * of its segment size.  Their headers differ in sequence number and checksum, and
 * otherwise in the first and the last one only.
 */
#include "link/cut.h"

#include "core/copy.h"
#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

/* A number as the sum of its bytes on the wire. */
static uint32_t summand(uint32_t number)
{
	us_be32 wire = us_put32(number);
	uint32_t word;

	memcpy(&word, &wire, sizeof(word));
	return word;
}

/* Two bytes of the wire, likewise. */
static uint32_t summand16(const void *wire)
{
	uint16_t word;

	memcpy(&word, wire, sizeof(word));
	return word;
}

/* The flags, as they count in the word that they share. */
static uint32_t flags_summand(uint8_t flags)
{
	const uint8_t wire[2] = { 0, flags };

	return summand16(wire);
}

/* What stands in for another number: RFC 1624, eqn. 3. */
static void set_ip_len(uint8_t *head, uint16_t len)
{
	struct us_ipv6 *ip6 = (void *)head;
	struct us_ipv4 *ip = (void *)head;
	us_be16 wire = us_put16((uint16_t)(US_IPV4_LEN + len));
	uint32_t sum;
	uint16_t field;

	if (head[0] >> 4 == 6) {
		ip6->payload_len = us_put16(len);
		return;
	}
	sum = us_csum_add((uint16_t)~summand16(&ip->csum), (uint16_t)~summand16(&ip->total_len));
	field = us_csum_fold(us_csum_add(sum, summand16(&wire)));
	ip->total_len = wire;
	memcpy(&ip->csum, &field, sizeof(field));
}

/* Headers of segments of @size bytes. */
static void set_head(struct us_cut *cut, uint32_t size, uint8_t flags)
{
	const struct us_tx *tx = cut->tx;
	struct us_tcp_hdr *h = (void *)(cut->head + tx->l4);
	uint32_t len = tx->inline_len - tx->l4 + size;

	set_ip_len(cut->head + tx->l3, (uint16_t)len);
	h->flags = flags;
	cut->flags = flags;
	cut->sum = us_csum_add(us_csum_add(cut->rest, flags_summand(flags)), summand(len));
}

/* Reads what TCP wrote, behind the first payload: small words that were just written are
 * slow to read in large ones.
 */
static us_noinline void begin_head(struct us_cut *cut, uint32_t whole)
{
	const struct us_tx *tx = cut->tx;
	struct us_tcp_hdr *h = (void *)(cut->head + tx->l4);
	uint32_t len = tx->inline_len - tx->l4;

	cut->begun = true;
	us_copy_short(cut->head, tx->head, tx->inline_len);
	cut->seq = us_get32(h->seq);
	cut->rest = us_csum_bytes(tx->head + tx->l4, len, 0);
	cut->rest = us_csum_sub(cut->rest, us_csum_add(summand(cut->seq), summand(len + whole)));
	cut->rest = us_csum_sub(cut->rest, flags_summand(h->flags));
	/* CWR is the first one's (RFC 3168 6.1.2), PSH and FIN are the last one's. */
	cut->last = h->flags & (uint8_t)~US_TCP_CWR;
	set_head(cut, tx->gso_size, h->flags & (uint8_t)~(US_TCP_PSH | US_TCP_FIN));
}

/**
 * us_cut_begin() - begins to cut
 * @cut: overwritten.
 * @tx: the super-segment, of more than one segment.  Its head may be overwritten by the
 *	first packet, its payload stays.
 */
void us_cut_begin(struct us_cut *cut, const struct us_tx *tx)
{
	uint32_t i;

	cut->tx = tx;
	cut->frag = 0;
	cut->offset = 0;
	cut->begun = false;
	for (i = 0, cut->left = 0; i < tx->nr_frags; i++)
		cut->left += tx->frag[i].len;
}

/* Payload, copied to @to; the sum of it, as it counts behind headers. */
static uint32_t put_payload(struct us_cut *cut, uint8_t *to, uint32_t len)
{
	uint32_t done = 0, sum = 0;

	while (done < len) {
		const struct us_frag *frag = &cut->tx->frag[cut->frag];
		uint32_t n = us_min32(len - done, frag->len - cut->offset);

		sum = us_csum_add(sum, us_csum_at(us_csum_copy(to + done,
				frag->chunk->data + frag->offset + cut->offset, n, 0), done));
		done += n;
		cut->offset += n;
		if (cut->offset == frag->len) {
			cut->frag++;
			cut->offset = 0;
		}
	}
	return sum;
}

/**
 * us_cut_next() - writes a packet
 * @cut: with something left.
 * @to: room for a packet of the segment size.
 *
 * Return: bytes of the packet.
 */
uint32_t us_cut_next(struct us_cut *cut, uint8_t *to)
{
	const struct us_tx *tx = cut->tx;
	uint32_t size = us_min32(cut->left, tx->gso_size);
	uint32_t sum = put_payload(cut, to + tx->inline_len, size);
	struct us_tcp_hdr *h = (void *)(to + tx->l4);
	uint16_t field;

	if (us_unlikely(!cut->begun))
		begin_head(cut, cut->left);
	if (us_unlikely(size == cut->left) && (size < tx->gso_size || cut->flags != cut->last))
		set_head(cut, size, cut->last);
	us_copy_short(to, cut->head, tx->inline_len);
	h->seq = us_put32(cut->seq);
	field = us_csum_fold(us_csum_add(sum, us_csum_add(cut->sum, summand(cut->seq))));
	memcpy(&h->csum, &field, sizeof(field));
	if (us_unlikely(cut->flags & US_TCP_CWR))
		set_head(cut, size, cut->flags & (uint8_t)~US_TCP_CWR);
	cut->seq += size;
	cut->left -= size;
	return tx->inline_len + size;
}
