// SPDX-License-Identifier: MIT
/* net/arp.c, net/neigh.c */
#include <errno.h>
#include <netinet/in.h>

#include "host.h"
#include "tap.h"

#define LONG	3000u	/* bytes: more than a frame */

static struct host h;
static struct catcher c;
static uint8_t packet[2048];
static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 3 };
static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

static void setup(void)
{
	struct us_addr own = addr("10.1.0.1");

	host_init(&h);
	memset(&seen, 0, sizeof(seen));
	catcher_add(&h, &c, US_LINK_ETHERNET);
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	if (us_net_address_add(&h.stack, &c.link, &own, 16))
		abort();
}

static uint32_t frame(const uint8_t *to, const uint8_t *from, uint16_t type)
{
	struct us_eth *eth = (void *)packet;

	memcpy(eth->dst, to, 6);
	memcpy(eth->src, from, 6);
	eth->type = us_put16(type);
	return 14;
}

static uint32_t arp(uint16_t op, const uint8_t *sha, const char *spa,
		    const char *tpa)
{
	struct us_arp *at = (void *)(packet + frame(broadcast, sha, 0x806));
	struct us_addr from = addr(spa), to = addr(tpa);

	*at = (struct us_arp) {
		us_put16(1), us_put16(0x800), 6, 4, us_put16(op),
		.tha = { 0 }
	};
	memcpy(at->sha, sha, 6);
	memcpy(at->spa, &from.b[12], 4);
	memcpy(at->tpa, &to.b[12], 4);
	return 42;
}

/* Sends a UDP packet of a given first byte, and so much of a chunk behind it. */
static void send_more(const char *to, uint8_t first, struct us_chunk *chunk, uint32_t len)
{
	struct us_dst dst = { .remote = addr(to) };
	struct us_tx *tx;

	if (us_dst_resolve(&h.stack, &dst))
		abort();
	tx = us_ip_reserve(&h.stack, &dst, 0);
	memset(tx->head + dst.header_len, 0, 12);
	tx->head[dst.header_len] = first;
	tx->inline_len = dst.header_len + 12u;
	if (chunk)
		tx->frag[tx->nr_frags++] = (struct us_frag){ chunk, 0, len };
	us_csum_output(&dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
	us_ip_submit(&h.stack, &dst, tx, IPPROTO_UDP);
}

static void send_to(const char *to, uint8_t first)
{
	send_more(to, first, NULL, 0);
}

/* The last frame that was sent is an ARP packet like this. */
static bool last_arp(uint16_t op, const uint8_t *to, const char *spa,
		     const char *tpa)
{
	const uint8_t *sent = c.sent[c.count ? c.count - 1 : 0];
	const struct us_arp *at = (const void *)(sent + 14);
	struct us_addr from = addr(spa), target = addr(tpa);

	return c.count && c.len[c.count - 1] == 42 && !memcmp(sent, to, 6) &&
	       !memcmp(sent + 6, own_mac, 6) && sent[12] == 8 && sent[13] == 6 &&
	       us_get16(at->op) == op && !memcmp(at->sha, own_mac, 6) &&
	       !memcmp(at->spa, &from.b[12], 4) &&
	       !memcmp(at->tpa, &target.b[12], 4);
}

static bool sent_udp(unsigned int index, const uint8_t *to, uint8_t first)
{
	const uint8_t *sent = c.sent[index];

	return index < c.count && c.len[index] == 14 + 32 &&
	       !memcmp(sent, to, 6) && sent[12] == 8 && sent[13] == 0 &&
	       sent[34] == first &&
	       us_csum_fold(us_csum_bytes(sent + 14, 20, 0)) == 0;
}

static void resolves(void)
{
	setup();
	send_to("10.1.0.2", 1);
	ok(c.count == 1 && last_arp(1, broadcast, "10.1.0.1", "10.1.0.2"),
	   "who has it?");
	send_to("10.1.0.2", 2);
	ok(c.count == 1, "asked once");
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	ok(c.count == 3 && sent_udp(1, peer_mac, 1) && sent_udp(2, peer_mac, 2),
	   "the answer lets go what waited, in order");
	send_to("10.1.0.2", 3);
	ok(c.count == 4 && sent_udp(3, peer_mac, 3), "then nobody is asked");

	c.count = 0;
	host_run(&h, 31 * US_SEC);
	send_to("10.1.0.2", 4);
	ok(c.count == 2 && sent_udp(0, peer_mac, 4) &&
	   last_arp(1, peer_mac, "10.1.0.1", "10.1.0.2"),
	   "an old entry is used, and its owner asked");
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	host_run(&h, 10 * US_SEC);
	send_to("10.1.0.2", 5);
	ok(c.count == 3 && sent_udp(2, peer_mac, 5), "who answered");

	c.count = 0;
	host_run(&h, 31 * US_SEC);
	send_to("10.1.0.2", 6);
	host_run(&h, 10 * US_SEC);
	ok(c.count == 4 && counted(&h, ip_neigh_failed) == 1,
	   "who does not is forgotten");
	send_to("10.1.0.2", 7);
	ok(last_arp(1, broadcast, "10.1.0.1", "10.1.0.2"), "and asked for anew");
	host_exit(&h);
}

static void fails(void)
{
	struct us_addr peer = addr("10.1.0.2");
	uint8_t i;

	setup();
	for (i = 1; i <= 5; i++)
		send_to("10.1.0.2", i);
	host_run(&h, 5 * US_SEC / 2);
	ok(c.count == 3 && seen.errors == 0, "asked three times");
	host_run(&h, US_SEC);
	ok(seen.errors == 5 && seen.err == EHOSTUNREACH && !seen.hard &&
	   seen.first == 5 && us_addr_equal(&seen.dst, &peer) &&
	   counted(&h, ip_neigh_failed) == 1, "host unreachable, for each");
	host_run(&h, 10 * US_SEC);
	ok(c.count == 3, "then nobody is asked any more");
	send_to("10.1.0.2", 9);
	c.full = true;
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	ok(c.count == 4 && counted(&h, ip_link_full) == 1, "a full link");
	host_exit(&h);
}

static void send_many(const char *to, uint8_t packets, struct us_chunk *chunk, uint32_t len)
{
	uint8_t i;

	for (i = 1; i <= packets; i++)
		send_more(to, i, chunk, len);
}

/* What waits for one that answers. */
static void waits(void)
{
	setup();
	send_many("10.1.0.2", 64, NULL, 0);
	c.count = 0;
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	ok(c.count == 64 && sent_udp(0, peer_mac, 1) && sent_udp(63, peer_mac, 64) &&
	   !counted(&h, ip_neigh_queue_full), "a burst waits, all of it");
	send_many("10.1.0.3", 107, NULL, 0);
	c.count = 0;
	inject(&c, packet, arp(2, peer_mac, "10.1.0.3", "10.1.0.1"));
	ok(c.count == 104 && sent_udp(0, peer_mac, 4) && sent_udp(103, peer_mac, 107) &&
	   counted(&h, ip_neigh_queue_full) == 3, "104 wait, the oldest are dropped");
	host_exit(&h);
}

/* Payload counts: 2048 bytes as much as a packet. */
static void waits_by_bytes(void)
{
	struct us_chunk *chunk;

	setup();
	chunk = us_chunk_alloc(h.stack.mem, LONG);
	send_many("10.1.0.2", 40, chunk, LONG);
	us_chunk_put(chunk);
	c.count = 0;
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	ok(c.count == 34 && c.sent[0][34] == 7 && c.sent[33][34] == 40 &&
	   counted(&h, ip_neigh_queue_full) == 6, "of long packets fewer wait");
	host_exit(&h);
}

/* Payload waits where it is: more than a frame of it, too, and is given back. */
static void holds(void)
{
	size_t all;
	struct us_chunk *chunk;

	setup();
	all = us_txmem_free_bytes(h.stack.mem);
	chunk = us_chunk_alloc(h.stack.mem, LONG);
	memset(chunk->data, 0x5a, LONG);
	send_more("10.1.0.2", 1, chunk, LONG);
	send_more("10.1.0.3", 2, chunk, LONG);
	us_chunk_put(chunk);
	ok(c.count == 2 && us_txmem_free_bytes(h.stack.mem) < all &&
	   !counted(&h, ip_neigh_queue_full), "a long packet waits");
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	ok(c.count == 3 && c.len[2] == 14 + 32 + LONG && c.sent[2][34] == 1 &&
	   c.sent[2][14 + 32] == 0x5a && c.sent[2][14 + 32 + LONG - 1] == 0x5a,
	   "and leaves whole");
	host_run(&h, 10 * US_SEC);
	ok(counted(&h, ip_neigh_failed) == 1 && us_txmem_free_bytes(h.stack.mem) == all,
	   "one for which nobody answers gives its memory back");
	host_exit(&h);
}

/* A jumbo frame of one piece, as a packet link of such an MTU has it. */
static void holds_jumbo(void)
{
	struct us_dst dst = { .remote = addr("10.1.0.2") };
	size_t all;
	struct us_tx *tx;

	setup();
	all = us_txmem_free_bytes(h.stack.mem);
	c.link.mtu = LONG;
	us_dst_resolve(&h.stack, &dst);
	tx = us_ip_reserve(&h.stack, &dst, 0);
	memset(tx->head + dst.header_len, 0x5a, LONG - dst.header_len);
	tx->inline_len = LONG;
	us_ip_submit(&h.stack, &dst, tx, IPPROTO_UDP);
	c.count = 0;
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	ok(c.count == 1 && c.len[0] == LONG && c.sent[0][2047] == 0x5a &&
	   !memcmp(c.sent[0] + 2047, c.sent[0] + 2048, LONG - 2048), "a jumbo frame waits");
	ok(us_txmem_free_bytes(h.stack.mem) == all, "and leaves nothing behind");
	host_exit(&h);
}

static void answers(void)
{
	uint32_t len, i;

	setup();
	len = arp(1, peer_mac, "10.1.0.2", "10.1.0.1");
	for (i = 0; i < len; i++)
		inject(&c, packet, i);
	ok(c.count == 0 && c.released == len, "cut off at any byte");
	inject(&c, packet, len);
	ok(c.count == 1 && last_arp(2, peer_mac, "10.1.0.1", "10.1.0.2"),
	   "a question is answered");
	send_to("10.1.0.2", 1);
	ok(sent_udp(1, peer_mac, 1), "who asks is known");
	ok(last_arp(1, peer_mac, "10.1.0.1", "10.1.0.2"),
	   "not yet confirmed: asked when used");
	c.count = 0;
	inject(&c, packet, arp(1, peer_mac, "10.1.0.2", "10.1.0.9"));
	inject(&c, packet, arp(1, peer_mac, "192.0.2.1", "10.1.0.9"));
	ok(c.count == 0, "not our address");
	inject(&c, packet, arp(1, peer_mac, "0.0.0.0", "10.1.0.1"));
	ok(c.count == 1 && last_arp(2, peer_mac, "10.1.0.1", "0.0.0.0"),
	   "a probe of our address (RFC 5227)");
	c.link.fixed_peer = true;
	memcpy(c.link.peer_mac, other_mac, 6);
	inject(&c, packet, arp(1, peer_mac, "10.1.0.5", "10.1.0.1"));
	c.count = 0;
	send_to("10.1.0.5", 3);
	ok(c.count == 1 && sent_udp(0, other_mac, 3), "a fixed peer");
	host_exit(&h);
}

static void lies(void)
{
	uint64_t bad;
	uint32_t len;

	setup();
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	send_to("10.1.0.2", 1);
	ok(c.count == 1 && last_arp(1, broadcast, "10.1.0.1", "10.1.0.2"),
	   "an answer that nobody asked for is not kept");
	inject(&c, packet, arp(2, peer_mac, "10.1.0.2", "10.1.0.1"));
	inject(&c, packet, arp(1, other_mac, "10.1.0.2", "10.1.0.2"));
	c.count = 0;
	send_to("10.1.0.2", 2);
	ok(sent_udp(0, other_mac, 2), "a station that moved says so");
	bad = counted(&h, arp_bad);
	inject(&c, packet, arp(1, broadcast, "10.1.0.2", "10.1.0.1"));
	len = arp(1, peer_mac, "10.1.0.2", "10.1.0.1");
	memset(packet + 22, 0, 6);
	inject(&c, packet, len);
	len = arp(1, peer_mac, "10.1.0.2", "10.1.0.1");
	packet[15] = 6;
	inject(&c, packet, len);
	arp(1, peer_mac, "10.1.0.2", "10.1.0.1");
	packet[19] = 16;
	inject(&c, packet, len);
	ok(counted(&h, arp_bad) == bad + 4,
	   "group and zero senders, other hardware, other lengths");
	c.count = 0;
	inject(&c, packet, arp(1, other_mac, "10.1.0.1", "10.1.0.7"));
	send_to("10.1.0.2", 3);
	ok(sent_udp(0, other_mac, 3) && c.count == 1,
	   "who claims our own address is not believed");
	host_exit(&h);
}

/* More neighbours than the cache holds: the oldest make room. */
static void floods(void)
{
	char text[32];
	int i;

	setup();
	for (i = 256; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.1.%d.%d", i / 256, i % 256);
		inject(&c, packet, arp(1, peer_mac, text, "10.1.0.1"));
		c.count = 0;
	}
	send_to(text, 1);
	ok(sent_udp(0, peer_mac, 1), "the newest is there");
	c.count = 0;
	send_to("10.1.1.0", 2);
	ok(c.count == 1 && last_arp(1, broadcast, "10.1.0.1", "10.1.1.0"),
	   "the oldest is not");
	host_exit(&h);
}

static const char *stranger(int i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.1.%d.%d", 1 + i / 256, i % 256);
	return text;
}

/* Asked for, who answers. */
static void meet(const char *who)
{
	send_to(who, 1);
	inject(&c, packet, arp(2, peer_mac, who, "10.1.0.1"));
	c.count = 0;
}

static bool is_known(const char *who)
{
	c.count = 0;
	send_to(who, 2);
	return c.count == 1 && sent_udp(0, peer_mac, 2);
}

/* What is sent to neighbours that are made up, or said by them, costs no real one. */
static void strangers(void)
{
	int i;

	setup();
	meet("10.1.0.2");
	for (i = 0; i < 1000; i++) {
		send_to(stranger(i), 1);
		c.count = 0;
	}
	ok(is_known("10.1.0.2"), "strangers that are asked for push out no neighbour");
	send_to("10.1.0.3", 3);
	for (i = 0; i < 63; i++) {
		c.count = 0;
		send_to(stranger(i), 1);
	}
	c.count = 0;
	inject(&c, packet, arp(2, other_mac, "10.1.0.3", "10.1.0.1"));
	ok(c.count == 1 && sent_udp(0, other_mac, 3), "nor, at once, who is asked for, too");
	for (i = 0; i < 1000; i++) {
		inject(&c, packet, arp(1, other_mac, stranger(i), "10.1.0.1"));
		c.count = 0;
	}
	ok(is_known("10.1.0.2"), "those who ask push out none that has answered");
	host_exit(&h);
}

/* As many strangers as may be asked for, and bursts to a few of them, which are more than
 * may wait in all.
 */
static void bursts(void)
{
	uint64_t dropped;
	int i;

	setup();
	for (i = 0; i < 8; i++)
		send_many(stranger(i), 104, NULL, 0);
	dropped = counted(&h, ip_neigh_queue_full);
	ok(dropped == 8 * 104 - 512, "512 wait in all");
	for (; i < 64; i++) {
		c.count = 0;
		send_to(stranger(i), 1);
	}
	ok(counted(&h, ip_neigh_queue_full) == dropped + 56, "the oldest of bursts make room");
	for (i = 63; i >= 8; i--) {
		c.count = 0;
		inject(&c, packet, arp(2, peer_mac, stranger(i), "10.1.0.1"));
		if (c.count != 1)
			break;
	}
	ok(i == 7, "for the first packet to each");
	c.count = 0;
	inject(&c, packet, arp(2, peer_mac, stranger(0), "10.1.0.1"));
	ok(c.count == 57 && sent_udp(56, peer_mac, 104), "a burst keeps its share, the newest");
	host_exit(&h);
}

/* All that may wait, in equal shares: who wants more makes the room himself. */
static void shares(void)
{
	int i;

	setup();
	for (i = 0; i < 64; i++) {
		c.count = 0;
		send_many(stranger(i), 8, NULL, 0);
	}
	c.count = 0;
	send_to(stranger(63), 9);
	ok(counted(&h, ip_neigh_queue_full) == 1, "a packet more than may wait");
	inject(&c, packet, arp(2, peer_mac, stranger(0), "10.1.0.1"));
	ok(c.count == 8 && sent_udp(0, peer_mac, 1), "costs no other neighbour his share");
	c.count = 0;
	inject(&c, packet, arp(2, peer_mac, stranger(63), "10.1.0.1"));
	ok(c.count == 8 && sent_udp(0, peer_mac, 2) && sent_udp(7, peer_mac, 9),
	   "but the neighbour that has the most");
	host_exit(&h);
}

/* More that answered than the cache holds. */
static void many(void)
{
	int i;

	setup();
	for (i = 0; i < 256; i++)
		meet(stranger(i));
	inject(&c, packet, arp(2, peer_mac, stranger(0), "10.1.0.1"));
	meet("10.1.0.2");
	ok(is_known("10.1.0.2") && is_known(stranger(0)) && is_known(stranger(2)),
	   "neighbours that answered");
	ok(!is_known(stranger(1)), "who did so first makes room");
	host_exit(&h);
}

static void frames(void)
{
	uint8_t body[12] = { 0 };
	uint32_t len;

	setup();
	frame(own_mac, peer_mac, 0x800);
	len = 14 + ip_packet(packet + 14, "10.1.0.2", "10.1.0.1", 17, body, 12);
	inject(&c, packet, len);
	ok(seen.inputs == 1, "a frame to our MAC");
	frame(other_mac, peer_mac, 0x800);
	inject(&c, packet, len);
	ok(seen.inputs == 1, "a frame to another one");
	frame(broadcast, peer_mac, 0x800);
	inject(&c, packet, len);
	ok(seen.inputs == 1, "a unicast packet in a broadcast (RFC 1122 3.3.6)");
	frame(own_mac, peer_mac, 0x8100);
	inject(&c, packet, len);
	inject(&c, packet, 13);
	inject(&c, packet, 0);
	ok(seen.inputs == 1 && c.released == 6, "other types and no header");
	host_exit(&h);
}

int main(void)
{
	plan(0);
	resolves();
	fails();
	waits();
	waits_by_bytes();
	holds();
	holds_jumbo();
	answers();
	lies();
	floods();
	strangers();
	bursts();
	shares();
	many();
	frames();
	return finish();
}
