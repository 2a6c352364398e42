// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

static uint32_t sum(const uint8_t *bytes, size_t length, uint32_t start)
{
	uint64_t total = start;
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		total += bytes[i] << 8 | bytes[i + 1];
	if (length & 1)
		total += bytes[length - 1] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

static bool is_ip4(const struct packet *p)
{
	return p->data[0] >> 4 == 4;
}

static uint32_t pseudo_sum(const struct packet *p)
{
	uint32_t length = p->length - p->transport;

	if (is_ip4(p))
		return sum(p->data + 12, 8, p->protocol + length);
	return sum(p->data + 8, 32, p->protocol + length);
}

static uint16_t *checksum_field(struct packet *p)
{
	if (p->protocol == IPPROTO_TCP)
		return &packet_tcp_header(p)->check;
	if (p->protocol == IPPROTO_UDP)
		return &packet_udp_header(p)->check;
	return NULL;
}

bool packet_checksum_right(const struct packet *p)
{
	return sum(p->data + p->transport, p->length - p->transport,
		   pseudo_sum(p)) == 0xffff;
}

void packet_finish_ip(struct packet *p)
{
	struct iphdr *ip = packet_ip(p);

	ip->check = 0;
	ip->check = htons(~sum(p->data, ip->ihl * 4, 0));
}

void packet_finish(struct packet *p)
{
	uint16_t *check = checksum_field(p);

	if (is_ip4(p)) {
		packet_ip(p)->tot_len = htons(p->length);
		packet_finish_ip(p);
	} else {
		packet_ip6(p)->ip6_plen = htons(p->length - 40);
	}
	if (p->protocol == IPPROTO_UDP)
		packet_udp_header(p)->len = htons(p->length - p->transport);
	if (!check)
		return;
	*check = 0;
	*check = htons(~sum(p->data + p->transport, p->length - p->transport,
			    pseudo_sum(p)));
	if (*check == 0 && p->protocol == IPPROTO_UDP)
		*check = 0xffff;
}

static void start_ip4(struct packet *p, const char *source, const char *dest)
{
	struct iphdr *ip = packet_ip(p);

	p->transport = sizeof(*ip);
	ip->version = 4;
	ip->ihl = 5;
	ip->frag_off = htons(IP_DF);
	ip->ttl = 64;
	ip->protocol = p->protocol;
	if (inet_pton(AF_INET, source, &ip->saddr) != 1 ||
	    inet_pton(AF_INET, dest, &ip->daddr) != 1)
		abort();
}

static void start_ip6(struct packet *p, const char *source, const char *dest)
{
	struct ip6_hdr *ip = packet_ip6(p);

	p->transport = sizeof(*ip);
	ip->ip6_flow = htonl(6u << 28);
	ip->ip6_nxt = p->protocol;
	ip->ip6_hlim = 64;
	if (inet_pton(AF_INET6, source, &ip->ip6_src) != 1 ||
	    inet_pton(AF_INET6, dest, &ip->ip6_dst) != 1)
		abort();
}

static void start_transport(struct packet *p, uint16_t source, uint16_t dest)
{
	if (p->protocol == IPPROTO_TCP) {
		packet_tcp_header(p)->source = htons(source);
		packet_tcp_header(p)->dest = htons(dest);
		packet_tcp_header(p)->doff = 5;
		packet_tcp_header(p)->window = htons(65535);
	} else if (p->protocol == IPPROTO_UDP) {
		packet_udp_header(p)->source = htons(source);
		packet_udp_header(p)->dest = htons(dest);
	}
}

void packet_init(struct packet *p, int protocol, const char *source,
		 uint16_t source_port, const char *dest, uint16_t dest_port,
		 const void *payload, size_t length)
{
	memset(p, 0, offsetof(struct packet, data) + 128);
	p->protocol = protocol;
	if (strchr(source, ':'))
		start_ip6(p, source, dest);
	else
		start_ip4(p, source, dest);
	start_transport(p, source_port, dest_port);
	memcpy(packet_payload(p), payload, length);
	p->length = (uint8_t *)packet_payload(p) - p->data + length;
	packet_finish(p);
}

void packet_udp(struct packet *p, const char *source, uint16_t source_port,
		const char *dest, uint16_t dest_port, const char *text)
{
	packet_init(p, IPPROTO_UDP, source, source_port, dest, dest_port, text,
		    strlen(text));
}

void packet_tcp(struct packet *p, const char *source, uint16_t source_port,
		const char *dest, uint16_t dest_port, int flags)
{
	packet_init(p, IPPROTO_TCP, source, source_port, dest, dest_port, "", 0);
	p->data[p->transport + 13] = flags;
	packet_finish(p);
}

void packet_grow(struct packet *p, size_t length)
{
	for (; p->length < length; p->length++)
		p->data[p->length] = p->length * 31 + (p->length >> 8);
	packet_finish(p);
}

void packet_insert(struct packet *p, const void *bytes, size_t length)
{
	memmove(p->data + p->transport + length, p->data + p->transport,
		p->length - p->transport);
	memcpy(p->data + p->transport, bytes, length);
	p->transport += length;
	p->length += length;
	if (is_ip4(p))
		packet_ip(p)->ihl += length / 4;
	packet_finish(p);
}

void packet_fragment(struct packet *p, const struct packet *whole, unsigned int from,
		     unsigned int to, bool more)
{
	unsigned int at = whole->transport;
	uint8_t header[8] = { whole->protocol, 0, from >> 8, (from & 0xf8) | more,
			      0, 0, 0, 7 };

	*p = *whole;
	memmove(p->data + at, whole->data + at + from, to - from);
	p->length = at + to - from;
	p->protocol = 0;	/* the checksum is that of the whole */
	if (is_ip4(whole)) {
		packet_ip(p)->frag_off = htons(from / 8 | (more ? 0x2000 : 0));
		packet_ip(p)->id = htons(7);
		packet_finish(p);
		return;
	}
	packet_insert(p, header, 8);
	packet_ip6(p)->ip6_nxt = IPPROTO_FRAGMENT;
}

void packet_parse(struct packet *p, const void *bytes, size_t length)
{
	p->length = length < sizeof(p->data) ? length : sizeof(p->data);
	memcpy(p->data, bytes, p->length);
	p->transport = is_ip4(p) ? 20 : 40;
	p->protocol = is_ip4(p) ? packet_ip(p)->protocol : packet_ip6(p)->ip6_nxt;
}
