// SPDX-License-Identifier: MIT
/* net/nd.c: the checks of RFC 4861 7.1, and what comes of them. */
#include <errno.h>
#include <netinet/in.h>

#include "host.h"
#include "tap.h"

#define OWN	"2001:db8::1"
#define PEER	"2001:db8::2"
#define OWN_GROUP	"ff02::1:ff00:1"
#define PEER_GROUP	"ff02::1:ff00:2"

static struct host h;
static struct catcher c;
static uint8_t packet[2048];
static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 3 };
static const uint8_t peer_group[6] = { 0x33, 0x33, 0xff, 0, 0, 2 };

static void setup(void)
{
	struct us_addr own = addr(OWN);

	host_init(&h);
	memset(&seen, 0, sizeof(seen));
	catcher_add(&h, &c, US_LINK_ETHERNET);
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	if (us_net_address_add(&h.stack, &c.link, &own, 64))
		abort();
}

/* @option: type of the MAC option, 0 for none. */
static uint32_t nd(uint8_t type, const char *from, const char *to,
		   uint32_t flags, const char *target, uint8_t option,
		   const uint8_t *mac)
{
	struct us_addr dst = addr(to), asked = addr(target);
	uint8_t body[24];
	struct us_eth *eth = (void *)packet;

	memcpy(body, asked.b, 16);
	body[16] = option;
	body[17] = 1;
	memcpy(body + 18, mac, 6);
	if (dst.b[0] == 0xff) {
		memcpy(eth->dst, "\x33\x33", 2);
		memcpy(eth->dst + 2, dst.b + 12, 4);
	} else {
		memcpy(eth->dst, own_mac, 6);
	}
	memcpy(eth->src, mac, 6);
	eth->type = us_put16(0x86dd);
	return 14 + icmp_packet(packet + 14, from, to, type, 0, flags, body,
				option ? 24 : 16);
}

static void send_to(const char *to, uint8_t first)
{
	struct us_dst dst = { .remote = addr(to) };
	struct us_tx *tx;

	if (us_dst_resolve(&h.stack, &dst))
		abort();
	tx = us_ip_reserve(&h.stack, &dst, 0);
	memset(tx->head + dst.header_len, 0, 12);
	tx->head[dst.header_len] = first;
	tx->inline_len = dst.header_len + 12u;
	us_csum_output(&dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
	us_ip_submit(&h.stack, &dst, tx, IPPROTO_UDP);
}

static bool last_nd(uint8_t type, const uint8_t *mac, const char *to,
		    uint32_t flags, const char *target, uint8_t option)
{
	const uint8_t *sent = c.sent[c.count ? c.count - 1 : 0];
	const struct us_ipv6 *ip = (const void *)(sent + 14);
	const struct us_nd *at = (const void *)(ip + 1);
	const struct us_nd_opt *opt = (const void *)(at + 1);
	struct us_addr dst = addr(to), asked = addr(target);

	return c.count && c.len[c.count - 1] == 86 && !memcmp(sent, mac, 6) &&
	       !memcmp(sent + 6, own_mac, 6) && ip->hops == 255 &&
	       !memcmp(ip->dst, dst.b, 16) && at->icmp.type == type &&
	       us_get32(at->icmp.rest) == flags &&
	       !memcmp(at->target, asked.b, 16) && opt->type == option &&
	       opt->len == 1 && !memcmp(opt->mac, own_mac, 6) &&
	       transport_csum(OWN, to, 58, at, 32) == 0;
}

static bool sent_udp(unsigned int index, const uint8_t *to, uint8_t first)
{
	const uint8_t *sent = c.sent[index];

	return index < c.count && c.len[index] == 14 + 52 &&
	       !memcmp(sent, to, 6) && sent[54] == first;
}

static void resolves(void)
{
	setup();
	send_to(PEER, 1);
	ok(c.count == 1 && last_nd(135, peer_group, PEER_GROUP, 0, PEER, 1),
	   "the group is asked");
	inject(&c, packet, nd(136, PEER, OWN, US_ND_SOLICITED | US_ND_OVERRIDE,
			      PEER, 2, peer_mac));
	ok(c.count == 2 && sent_udp(1, peer_mac, 1), "the answer lets go what waited");
	host_run(&h, 31 * US_SEC);
	c.count = 0;
	send_to(PEER, 2);
	ok(c.count == 2 && sent_udp(0, peer_mac, 2) &&
	   last_nd(135, peer_mac, PEER, 0, PEER, 1),
	   "an old entry is used, and its owner asked");
	inject(&c, packet, nd(136, PEER, OWN, US_ND_SOLICITED, PEER, 2, other_mac));
	c.count = 0;
	send_to(PEER, 3);
	ok(sent_udp(0, peer_mac, 3), "another MAC without override");
	inject(&c, packet, nd(136, PEER, OWN, US_ND_OVERRIDE, PEER, 2, other_mac));
	c.count = 0;
	send_to(PEER, 4);
	ok(sent_udp(0, other_mac, 4), "and with it");
	send_to("2001:db8::77", 5);
	host_run(&h, 5 * US_SEC);
	ok(seen.errors == 1 && seen.err == EHOSTUNREACH, "nobody there");
	host_exit(&h);
}

/* RFC 4861 7.2.4: who is asked by name need not say his MAC; BSD's do not. */
static void confirmed_without_mac(void)
{
	setup();
	send_to(PEER, 1);
	inject(&c, packet, nd(136, PEER, OWN, US_ND_SOLICITED, PEER, 0, peer_mac));
	ok(c.count == 1, "an answer without a MAC to who knows none");
	inject(&c, packet, nd(136, PEER, OWN, US_ND_SOLICITED, PEER, 2, peer_mac));
	host_run(&h, 31 * US_SEC);
	send_to(PEER, 2);
	inject(&c, packet, nd(136, PEER, OWN, US_ND_SOLICITED, PEER, 0, peer_mac));
	host_run(&h, 5 * US_SEC);
	c.count = 0;
	send_to(PEER, 3);
	ok(c.count == 1 && sent_udp(0, peer_mac, 3), "and to who asks whether it is the same");
	host_run(&h, 31 * US_SEC);
	send_to(PEER, 4);
	inject(&c, packet, nd(136, PEER, OWN, US_ND_OVERRIDE, PEER, 0, peer_mac));
	host_run(&h, 5 * US_SEC);
	c.count = 0;
	send_to(PEER, 5);
	ok(c.count == 1 && last_nd(135, peer_group, PEER_GROUP, 0, PEER, 1),
	   "what is no answer confirms nothing");
	host_exit(&h);
}

static void answers(void)
{
	uint32_t len, i;

	setup();
	len = nd(135, PEER, OWN_GROUP, 0, OWN, 1, peer_mac);
	for (i = 0; i < len; i++)
		inject(&c, packet, i);
	ok(c.count == 0 && c.released == len, "cut off at any byte");
	inject(&c, packet, len);
	ok(c.count == 1 && last_nd(136, peer_mac, PEER, US_ND_SOLICITED |
				   US_ND_OVERRIDE, OWN, 2), "a question");
	inject(&c, packet, nd(135, "fe80::2", OWN, 0, OWN, 0, peer_mac));
	ok(c.count == 2 && last_nd(136, peer_mac, "fe80::2", US_ND_SOLICITED |
				   US_ND_OVERRIDE, OWN, 2),
	   "one to ourselves, without an option");
	inject(&c, packet, nd(135, "::", OWN_GROUP, 0, OWN, 0, peer_mac));
	ok(c.count == 3 && last_nd(136, (const uint8_t *)"\x33\x33\0\0\0\1",
				   "ff02::1", US_ND_OVERRIDE, OWN, 2),
	   "one who has no address yet: all nodes are told");
	send_to(PEER, 1);
	ok(sent_udp(3, peer_mac, 1), "who asks is known");
	c.count = 0;
	inject(&c, packet, nd(135, PEER, PEER_GROUP, 0, PEER, 1, peer_mac));
	inject(&c, packet, nd(135, PEER, OWN_GROUP, 0, "2001:db8:5::1", 1,
			      peer_mac));
	ok(c.count == 0, "not our address");
	host_exit(&h);
}

static void refuses(const char *what, uint32_t len)
{
	uint64_t bad = counted(&h, nd_bad);

	inject(&c, packet, len);
	ok(c.count == 0 && counted(&h, nd_bad) == bad + 1, "%s", what);
}

/* Sets a byte of the ICMPv6 message and makes its checksum right again. */
static uint32_t poke(uint32_t len, uint32_t at, uint8_t value)
{
	uint8_t *body = packet + 54;
	uint32_t sum;
	uint16_t csum;

	body[at] = value;
	memset(body + 2, 0, 2);
	sum = us_csum_pseudo6(packet + 22, packet + 38, 58, len - 54);
	csum = us_csum_fold(us_csum_bytes(body, len - 54, sum));
	memcpy(body + 2, &csum, 2);
	return len;
}

static void checks(void)
{
	uint32_t len;

	setup();
	len = nd(135, PEER, OWN_GROUP, 0, OWN, 1, peer_mac);
	packet[14 + 7] = 254;
	refuses("forwarded: hop limit 254", len);
	refuses("code 1", poke(nd(135, PEER, OWN_GROUP, 0, OWN, 1, peer_mac), 1, 1));
	refuses("multicast target",
		nd(135, PEER, OWN_GROUP, 0, "ff02::1:ff00:1", 1, peer_mac));
	refuses("mapped target",
		nd(135, PEER, OWN_GROUP, 0, "::ffff:10.1.0.1", 1, peer_mac));
	refuses("option of no length",
		poke(nd(135, PEER, OWN_GROUP, 0, OWN, 1, peer_mac), 25, 0));
	refuses("option beyond the packet",
		poke(nd(135, PEER, OWN_GROUP, 0, OWN, 1, peer_mac), 25, 2));
	refuses("no source, but an option",
		nd(135, "::", OWN_GROUP, 0, OWN, 1, peer_mac));
	refuses("no source, to ourselves", nd(135, "::", OWN, 0, OWN, 0, peer_mac));
	refuses("solicited answer to a group",
		nd(136, PEER, "ff02::1", US_ND_SOLICITED, PEER, 2, peer_mac));
	inject(&c, packet, nd(136, PEER, OWN, US_ND_SOLICITED, PEER, 2, peer_mac));
	send_to(PEER, 1);
	ok(c.count == 1 && last_nd(135, peer_group, PEER_GROUP, 0, PEER, 1),
	   "an answer that nobody asked for is not kept");
	c.count = 0;
	c.link.flags = 0;
	nd(135, PEER, OWN, 0, OWN, 1, peer_mac);
	inject(&c, packet + 14, 72);
	ok(c.count == 0, "not on a link without MAC addresses");
	host_exit(&h);
}

int main(void)
{
	plan(0);
	resolves();
	confirmed_without_mac();
	answers();
	checks();
	return finish();
}
