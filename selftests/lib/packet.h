/* SPDX-License-Identifier: GPL-2.0 */
/* IP packets made by hand, right or deliberately wrong. */
#ifndef SELFTEST_PACKET_H
#define SELFTEST_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

/**
 * struct packet - one IP packet
 * @length: bytes of @data in use.
 * @transport: where the transport header begins.
 * @protocol: of the transport.
 * @data: from the IP header on.
 */
struct packet {
	unsigned int length;
	unsigned int transport;
	uint8_t protocol;
	uint8_t data[65536 + 256] __attribute__((aligned(8)));
};

/* Flags of packet_tcp(). */
#define PACKET_FIN	0x01
#define PACKET_SYN	0x02
#define PACKET_RST	0x04
#define PACKET_ACK	0x10

/*
 * An IP packet with a correct checksum.  The addresses' form tells the family.
 * Protocols other than TCP and UDP have no transport header here.
 */
void packet_init(struct packet *p, int protocol, const char *source,
		 uint16_t source_port, const char *dest, uint16_t dest_port,
		 const void *payload, size_t length);
void packet_udp(struct packet *p, const char *source, uint16_t source_port,
		const char *dest, uint16_t dest_port, const char *text);
void packet_tcp(struct packet *p, const char *source, uint16_t source_port,
		const char *dest, uint16_t dest_port, int flags);
/* As many payload bytes as make the packet @length bytes long, patterned. */
void packet_grow(struct packet *p, size_t length);
/* Puts @length bytes before the transport header. */
void packet_insert(struct packet *p, const void *bytes, size_t length);
/* One fragment of @whole's transport bytes, @from..@to; both multiples of 8. */
void packet_fragment(struct packet *p, const struct packet *whole, unsigned int from,
		     unsigned int to, bool more);
/* Sets lengths and checksums anew, after a change. */
void packet_finish(struct packet *p);
/* Only the IPv4 header checksum. */
void packet_finish_ip(struct packet *p);

static inline struct iphdr *packet_ip(struct packet *p)
{
	return (struct iphdr *)p->data;
}

static inline struct ip6_hdr *packet_ip6(struct packet *p)
{
	return (struct ip6_hdr *)p->data;
}

static inline struct udphdr *packet_udp_header(struct packet *p)
{
	return (struct udphdr *)(p->data + p->transport);
}

static inline struct tcphdr *packet_tcp_header(struct packet *p)
{
	return (struct tcphdr *)(p->data + p->transport);
}

static inline void *packet_payload(struct packet *p)
{
	return p->data + p->transport + (p->protocol == IPPROTO_TCP ? 20 :
					 p->protocol == IPPROTO_UDP ? 8 : 0);
}

/* A TCP or UDP packet's checksum is right? */
bool packet_checksum_right(const struct packet *p);
/* Reads @bytes (an IP packet without options) into @p. */
void packet_parse(struct packet *p, const void *bytes, size_t length);

#endif /* SELFTEST_PACKET_H */
