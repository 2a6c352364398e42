/* SPDX-License-Identifier: MIT */
/*
 * A stack up to net/, for unit tests: virtual time, a seed, and links that catch
 * what is sent and take what the test injects.
 */
#ifndef SELFTESTS_UNIT_HOST_H
#define SELFTESTS_UNIT_HOST_H

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp.h"

#define CATCH	112

/**
 * struct catcher - a link that keeps what is sent
 * @link: first member.
 * @tx: its one slot.
 * @slot: memory of the slot.
 * @sent: packets.
 * @len: their lengths.
 * @count: of @sent.
 * @full: reserve() gives NULL.
 * @released: packets that came back.
 */
struct catcher {
	struct us_link link;
	struct us_tx tx;
	uint8_t slot[4096];
	uint8_t sent[CATCH][4096];
	uint32_t len[CATCH];
	unsigned int count;
	bool full;
	unsigned int released;
};

struct host {
	struct us_stack stack;
	us_ns time;
};

static inline us_ns host_clock(void *arg)
{
	return ((struct host *)arg)->time;
}

static inline void host_writable(struct us_stack *stack, struct us_link *link)
{
	(void)stack;
	(void)link;
}

static const struct us_upcalls host_upcalls = {
	.link_input = us_net_input,
	.link_writable = host_writable,
};

static inline void host_init(struct host *host)
{
	struct us_stack *stack = &host->stack;

	memset(host, 0, sizeof(*host));
	host->time = 1000 * US_SEC;
	stack->clock = host_clock;
	stack->clock_arg = host;
	stack->up = &host_upcalls;
	us_stack_tick(stack);
	us_random_init(&stack->random, 1);
	us_wheel_init(&stack->wheel, stack->now);
	CDS_INIT_LIST_HEAD(&stack->links);
	if (us_pool_create(&stack->pkts, sizeof(struct us_pkt), 64) ||
	    us_txmem_create(&stack->mem, NULL, 1 << 20) || us_net_create(stack))
		abort();
}

static inline void host_exit(struct host *host)
{
	us_net_destroy(&host->stack);
	us_txmem_destroy(host->stack.mem);
	us_pool_destroy(&host->stack.pkts);
}

/* Lets time pass, and what is due in it happen. */
static inline void host_run(struct host *host, us_ns ns)
{
	us_ns end = host->time + ns, next;

	do {
		next = us_wheel_next(&host->stack.wheel);
		host->time = next < end ? (next > host->time ? next : host->time) : end;
		us_stack_tick(&host->stack);
		us_wheel_run(&host->stack.wheel, host->stack.now);
	} while (host->time < end);
}

/* ------------------------------------------------------------------- catcher */

static inline struct us_tx *catcher_reserve(struct us_link *link, uint32_t keep)
{
	struct catcher *c = us_container(link, struct catcher, link);

	(void)keep;
	if (c->full)
		return NULL;
	memset(c->slot, 0xee, sizeof(c->slot));
	c->tx = (struct us_tx) {
		.link = link, .head = c->slot, .inline_cap = sizeof(c->slot)
	};
	return &c->tx;
}

static inline void catcher_submit(struct us_link *link, struct us_tx *tx)
{
	struct catcher *c = us_container(link, struct catcher, link);
	unsigned int i;

	if (c->count == CATCH)
		abort();
	memcpy(c->sent[c->count], tx->head, tx->inline_len);
	c->len[c->count] = tx->inline_len;
	for (i = 0; i < tx->nr_frags; i++) {
		memcpy(c->sent[c->count] + c->len[c->count],
		       tx->frag[i].chunk->data + tx->frag[i].offset,
		       tx->frag[i].len);
		c->len[c->count] += tx->frag[i].len;
	}
	c->count++;
}

static inline void catcher_release(struct us_link *link, struct us_pkt *pkt)
{
	us_container(link, struct catcher, link)->released++;
	free((void *)(uintptr_t)pkt->token);
}

static const struct us_link_ops catcher_ops = {
	.name = "catcher",
	.reserve = catcher_reserve,
	.submit = catcher_submit,
	.release = catcher_release,
};

static inline void catcher_add(struct host *host, struct catcher *c,
			       uint32_t flags)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	memset(c, 0, sizeof(*c));
	c->link.stack = &host->stack;
	c->link.ops = &catcher_ops;
	c->link.mtu = 1500;
	c->link.flags = flags;
	c->link.mem = host->stack.mem;
	memcpy(c->link.mac, mac, 6);
	cds_list_add_tail(&c->link.node, &host->stack.links);
}

/* A packet of exactly these bytes, so that a byte too far is seen by ASan. */
static inline struct us_pkt *catcher_pkt(struct catcher *c, const void *data,
					 uint32_t len)
{
	struct us_pkt *pkt = us_link_pkt(&c->link);
	uint8_t *copy = malloc(len ? len : 1);

	if (!pkt || !copy)
		abort();
	memcpy(copy, data, len);
	pkt->data = copy;
	pkt->len = len;
	pkt->token = (uintptr_t)copy;
	return pkt;
}

static inline void inject(struct catcher *c, const void *data, uint32_t len)
{
	us_net_input(c->link.stack, catcher_pkt(c, data, len));
}

/* ------------------------------------------------------------------- packets */

static inline struct us_addr addr(const char *text)
{
	struct us_addr a = { .q = { 0 } };
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		a = us_addr_from4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		a = us_addr_from6(bytes);
	else
		abort();
	return a;
}

/* Writes an IPv4 or IPv6 packet, by its addresses; gives its length. */
static inline uint32_t ip_packet(uint8_t *out, const char *from, const char *to,
				 uint8_t protocol, const void *payload,
				 uint32_t len)
{
	struct us_addr src = addr(from), dst = addr(to);
	struct us_ipv4 *ip4 = (void *)out;
	struct us_ipv6 *ip6 = (void *)out;

	if (us_addr_is_v4(&src)) {
		*ip4 = (struct us_ipv4) {
			.version_ihl = 0x45, .ttl = 64, .protocol = protocol,
			.total_len = us_put16((uint16_t)(20 + len)),
		};
		memcpy(ip4->src, &src.b[12], 4);
		memcpy(ip4->dst, &dst.b[12], 4);
		ip4->csum = us_from_raw16(us_csum_fold(us_csum_bytes(ip4, 20, 0)));
		memcpy(out + 20, payload, len);
		return 20 + len;
	}
	*ip6 = (struct us_ipv6) {
		.flow = us_put32(6u << 28), .hops = 255, .next = protocol,
		.payload_len = us_put16((uint16_t)len),
	};
	memcpy(ip6->src, src.b, 16);
	memcpy(ip6->dst, dst.b, 16);
	memcpy(out + 40, payload, len);
	return 40 + len;
}

/* The checksum of a whole transport packet, 0 if the one in it is right. */
static inline uint16_t transport_csum(const char *from, const char *to,
				      uint8_t protocol, const void *data,
				      uint32_t len)
{
	struct us_addr src = addr(from), dst = addr(to);
	uint32_t sum = 0;

	if (us_addr_is_v4(&src) && protocol != 1)
		sum = us_csum_pseudo4(&src.b[12], &dst.b[12], protocol, len);
	else if (!us_addr_is_v4(&src))
		sum = us_csum_pseudo6(src.b, dst.b, protocol, len);
	return us_csum_fold(us_csum_bytes(data, len, sum));
}

/* An ICMP or ICMPv6 packet with a right checksum. */
static inline uint32_t icmp_packet(uint8_t *out, const char *from,
				   const char *to, uint8_t type, uint8_t code,
				   uint32_t rest, const void *data, uint32_t len)
{
	uint8_t body[2048], protocol = strchr(from, ':') ? 58 : 1;
	struct us_icmp *icmp = (void *)body;

	*icmp = (struct us_icmp) { type, code, us_put16(0), us_put32(rest) };
	memcpy(icmp + 1, data, len);
	icmp->csum = us_from_raw16(transport_csum(from, to, protocol, body, 8 + len));
	return ip_packet(out, from, to, protocol, body, 8 + len);
}

#define counted(host, name)	((host)->stack.counter[US_COUNT_##name])

/* A transport that keeps what it was given. */
static struct {
	unsigned int inputs, errors;
	uint32_t len, mtu;
	uint8_t first;
	struct us_addr src, dst;
	int err;
	bool hard, csum_ok;
	uint32_t info;
	uint64_t tstamp;
} seen;

static inline void seen_input(struct us_stack *stack, struct us_pkt *pkt,
			      const struct us_addr *src,
			      const struct us_addr *dst)
{
	(void)stack;
	seen.inputs++;
	seen.len = pkt->len;
	seen.first = pkt->len ? pkt->data[0] : 0;
	seen.src = *src;
	seen.dst = *dst;
	seen.csum_ok = us_csum_input(pkt, src, dst, IPPROTO_UDP);
	seen.info = pkt->info;
	seen.tstamp = pkt->tstamp;
	us_pkt_put(pkt);
}

static inline void seen_error(struct us_stack *stack, const struct us_net_error *error)
{
	(void)stack;
	seen.errors++;
	seen.first = error->quoted[0];
	seen.len = error->len;
	seen.src = error->local;
	seen.dst = error->remote;
	seen.err = error->err;
	seen.hard = error->hard;
	seen.mtu = error->mtu;
}

static const struct us_protocol seen_protocol = { seen_input, seen_error };

#endif /* SELFTESTS_UNIT_HOST_H */
