/* SPDX-License-Identifier: MIT */
/* TCP segments over IPv4, without options, for tests that drive a stack from outside. */
#ifndef SELFTESTS_UNIT_SEGMENT_H
#define SELFTESTS_UNIT_SEGMENT_H

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/**
 * struct segment - a TCP segment as it is on the wire
 * @ip: header.
 * @tcp: header.
 * @data: payload, and options of what was collected.
 */
struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t data[1460];
};

#define HEADERS	(sizeof(struct iphdr) + sizeof(struct tcphdr))

static inline uint32_t segment_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *at = data;

	for (; len > 1; len -= 2, at += 2)
		sum += (uint32_t)at[0] << 8 | at[1];
	return len ? sum + ((uint32_t)at[0] << 8) : sum;
}

static inline uint16_t segment_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline uint16_t segment_tcp_sum(const struct segment *s, size_t len)
{
	uint32_t sum = segment_sum(&s->ip.saddr, 8, IPPROTO_TCP + (uint32_t)len);

	return segment_fold(segment_sum(&s->tcp, len, sum));
}

/* Ports and numbers in host byte order; gives the length of the packet. */
static inline size_t segment_make(struct segment *s, const char *from, uint16_t source,
				  const char *to, uint16_t dest, uint8_t flags,
				  uint32_t seq, uint32_t ack, uint16_t window,
				  const char *text)
{
	size_t len = strlen(text);

	*s = (struct segment){
		.ip = {
			.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
			.tot_len = htons((uint16_t)(HEADERS + len)),
			.saddr = inet_addr(from), .daddr = inet_addr(to),
		},
		.tcp = {
			.source = htons(source), .dest = htons(dest), .doff = 5,
			.seq = htonl(seq), .window = htons(window),
			.ack_seq = htonl(ack),
		},
	};
	s->tcp.th_flags = flags;
	memcpy(s->data, text, len);
	s->ip.check = htons(segment_fold(segment_sum(&s->ip, sizeof(s->ip), 0)));
	s->tcp.check = htons(segment_tcp_sum(s, sizeof(s->tcp) + len));
	return HEADERS + len;
}

/* Are the checksums of what was collected right? */
static inline bool segment_ok(const struct segment *s, ssize_t len)
{
	return len >= (ssize_t)HEADERS &&
	       !segment_fold(segment_sum(&s->ip, sizeof(s->ip), 0)) &&
	       !segment_tcp_sum(s, (size_t)len - sizeof(s->ip));
}

#endif /* SELFTESTS_UNIT_SEGMENT_H */
