/* SPDX-License-Identifier: MIT */
/* Datagrams that a packet script's peer sends. */
#ifndef UDP_SCRIPT_H
#define UDP_SCRIPT_H

#include "packet_script.h"
#include "transport/udp_parts.h"

/**
 * struct udp_dgram - what is injected
 * @source: port.
 * @dest: port.
 * @len: of the payload.
 * @udp_len: in the header; 0: right.
 * @csum: xor on the right one.
 * @no_csum: 0 instead.
 * @gso_size: a train.
 * @tos: DS field and ECN bits.
 * @ttl: 0: 64.
 * @tstamp: of the link, as struct us_pkt has it.
 * @ifindex: of the device; 0: the link's.
 */
struct udp_dgram {
	uint16_t source;
	uint16_t dest;
	uint32_t len;
	uint32_t udp_len;
	uint16_t csum;
	bool no_csum;
	uint16_t gso_size;
	uint8_t tos;
	uint8_t ttl;
	uint64_t tstamp;
	uint32_t ifindex;
};

static inline void udp_set_ttl(const struct script *s, uint8_t *data, uint8_t ttl)
{
	struct us_ipv4 *ip = (void *)data;

	if (s->six) {
		((struct us_ipv6 *)(void *)data)->hops = ttl;
		return;
	}
	ip->ttl = ttl;
	ip->csum = us_from_raw16(0);
	ip->csum = us_from_raw16(us_csum_fold(us_csum_bytes(ip, US_IPV4_LEN, 0)));
}

/* Of @payload as much as @d says, with headers before it. */
static inline void udp_inject(struct script *s, const struct udp_dgram *d, const void *payload)
{
	uint32_t ip = script_ip_len(s), len = US_UDP_LEN + d->len, sum;
	struct us_pkt *pkt = us_link_pkt(&s->link);
	uint8_t *data = malloc(ip + len);	/* exactly, so that the sanitizer sees */
	struct us_udp_hdr *h = (void *)(data + ip);

	*h = (struct us_udp_hdr){
		.src = us_put16(d->source), .dst = us_put16(d->dest),
		.len = us_put16((uint16_t)(d->udp_len ? d->udp_len : len)),
	};
	memcpy(h + 1, payload, d->len);
	sum = script_put_ip(s, data, IPPROTO_UDP, len, d->tos);
	sum = us_csum_fold(us_csum_bytes(h, len, sum));
	h->csum = us_from_raw16(d->no_csum ? 0 : (uint16_t)(sum ^ d->csum));
	if (d->ttl)
		udp_set_ttl(s, data, d->ttl);
	pkt->data = data;
	pkt->len = ip + len;
	pkt->token = (uintptr_t)data;
	pkt->tstamp = d->tstamp;
	pkt->info = d->ifindex;
	if (d->gso_size) {
		pkt->gso = US_GSO_UDP;
		pkt->gso_size = d->gso_size;
	}
	script_stack(s)->up->link_input(script_stack(s), pkt);
	ustack_poll(s->stack);
}

/* ICMP about a datagram from port 9 of @local to port 7 of @remote. */
static inline void udp_refuse(struct script *s, const struct us_addr *local,
			      const struct us_addr *remote, struct us_net_error error)
{
	static const uint8_t quoted[8] = { 0, 9, 0, 7, 0, 8 };

	error.local = *local;
	error.remote = *remote;
	if (!error.quoted)
		error.quoted = quoted;
	if (!error.len)
		error.len = sizeof(quoted);
	us_udp_icmp(script_stack(s), &error);
}

#endif /* UDP_SCRIPT_H */
