// SPDX-License-Identifier: MIT
/* net/ipv6.c: extension headers are walked, and not believed. */
#include <netinet/in.h>

#include "host.h"
#include "tap.h"

#define OWN	"2001:db8::1"
#define PEER	"2001:db8::2"

static struct host h;
static struct catcher c;
static uint8_t packet[2048];

static void setup(void)
{
	struct us_addr own = addr(OWN);

	host_init(&h);
	memset(&seen, 0, sizeof(seen));
	catcher_add(&h, &c, 0);
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	if (us_net_address_add(&h.stack, &c.link, &own, 64))
		abort();
}

/* A UDP packet behind @len bytes of extension headers, the first of type @next. */
static uint32_t udp(const char *from, const char *to, uint8_t next,
		    const void *ext, uint32_t len)
{
	uint8_t body[1024] = { 0 };
	uint8_t *at = body + len;
	uint16_t csum;

	memcpy(body, ext, len);
	memcpy(at, "\0\1\0\2\0\x0c\0\0abcd", 12);
	csum = transport_csum(from, to, IPPROTO_UDP, at, 12);
	memcpy(at + 6, &csum, 2);
	return ip_packet(packet, from, to, next, body, len + 12);
}

static void accepts(const char *what, uint8_t next, const void *ext, uint32_t len)
{
	unsigned int before = seen.inputs;

	inject(&c, packet, udp(PEER, OWN, next, ext, len));
	ok(seen.inputs == before + 1 && seen.len == 12 && seen.csum_ok, "%s", what);
}

/* @code: of the parameter problem that is sent, or -1. */
static void refuses(const char *what, uint8_t next, const void *ext, uint32_t len,
		    const uint64_t *counter, int code, uint32_t pointer)
{
	unsigned int before = seen.inputs;
	uint64_t count = *counter;
	const struct us_icmp *icmp = (const void *)(c.sent[0] + 40);
	bool good;

	c.count = 0;
	inject(&c, packet, udp(PEER, OWN, next, ext, len));
	good = seen.inputs == before && *counter == count + 1;
	if (code < 0)
		good &= c.count == 0;
	else
		good &= c.count == 1 && icmp->type == US_ICMP6_PARAMETER &&
			icmp->code == code && us_get32(icmp->rest) == pointer &&
			transport_csum(OWN, PEER, 58, icmp, c.len[0] - 40) == 0;
	ok(good, "%s", what);
}

static void extensions(void)
{
	static const uint8_t pads[] = { 17, 0, 1, 4, 0, 0, 0, 0 };
	static const uint8_t pad1[] = { 17, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t skip[] = { 17, 0, 0x1e, 4, 1, 2, 3, 4 };
	static const uint8_t chain[] = {
		60, 0, 1, 4, 0, 0, 0, 0,		/* hop-by-hop */
		43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		44, 0, 4, 0, 0, 0, 0, 0,		/* routing, at its end */
		17, 0, 0, 0, 1, 2, 3, 4,		/* atomic fragment */
	};
	static const uint8_t drop[] = { 17, 0, 0x5e, 4, 1, 2, 3, 4 };
	static const uint8_t tell[] = { 17, 0, 1, 0, 0x9e, 2, 1, 2 };
	static const uint8_t tell1[] = { 17, 0, 0xde, 4, 1, 2, 3, 4 };
	static const uint8_t over[] = { 17, 0, 1, 5, 0, 0, 0, 0 };
	static const uint8_t edge[] = { 17, 0, 1, 3, 0, 0, 0, 0x1e };
	static const uint8_t route[] = { 17, 0, 0, 1, 0, 0, 0, 0 };
	static const uint8_t more[] = { 17, 0, 0, 1, 1, 2, 3, 4 };
	static const uint8_t later[] = { 17, 0, 0, 8, 1, 2, 3, 4 };
	static const uint8_t late[] = {
		0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0
	};
	static const uint8_t beyond[] = { 17, 9, 1, 4, 0, 0, 0, 0 };
	/* ICMPv6 follows: of type 0, an error, or 128, an echo */
	static const uint8_t error[] = {
		60, 0, 0x9e, 4, 1, 2, 3, 4, 58, 0, 1, 4, 0, 0, 0, 0
	};
	static const uint8_t echo[] = {
		60, 0, 0x9e, 4, 1, 2, 3, 4, 58, 0, 1, 4, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0
	};
	const uint64_t *options = &counted(&h, ip_bad_options);
	uint8_t many[80];
	int i;

	setup();
	accepts("no extension headers", IPPROTO_UDP, "", 0);
	accepts("hop-by-hop options", 0, pads, 8);
	accepts("one-byte padding", 60, pad1, 8);
	accepts("an unknown option that may be skipped", 60, skip, 8);
	accepts("four headers in a row", 0, chain, sizeof(chain));
	refuses("unknown option: drop", 60, drop, 8, options, -1, 0);
	refuses("unknown option: drop and tell", 60, tell, 8, options, 2, 44);
	refuses("unknown option: tell if not multicast", 60, tell1, 8, options, 2, 42);
	refuses("unknown option of an error: nobody is told", 60, error, 16, options, -1, 0);
	refuses("unknown option of an echo: told", 60, echo, 24, options, 2, 42);
	refuses("option beyond its header", 60, over, 8, options, -1, 0);
	refuses("option without a length", 60, edge, 8, options, -1, 0);
	refuses("a route that goes on", 43, route, 8, options, 0, 42);
	refuses("first fragment", 44, more, 8, &counted(&h, ip_fragment), -1, 0);
	refuses("later fragment", 44, later, 8, &counted(&h, ip_fragment), -1, 0);
	refuses("hop-by-hop options that come late", 60, late, 16,
		&counted(&h, ip_no_protocol), 1, 40);
	refuses("header beyond the packet", 60, beyond, 8,
		&counted(&h, ip_bad_header), -1, 0);
	refuses("unknown protocol", 253, "", 0, &counted(&h, ip_no_protocol), 1, 6);
	for (i = 0; i < 10; i++)
		memcpy(many + 8 * i, "\x3c\0\1\4\0\0\0\0", 8);
	many[72] = 17;
	refuses("ten headers", 60, many, 80, &counted(&h, ip_bad_header), -1, 0);
	host_exit(&h);
}

static void headers(void)
{
	uint32_t len, i;

	setup();
	len = udp(PEER, OWN, 60, "\x11\0\1\4\0\0\0\0", 8);
	for (i = 0; i < len; i++)
		inject(&c, packet, i);
	ok(seen.inputs == 0 && c.released == len, "cut off at any byte");
	for (i = 0; i < 12 + 8; i++) {	/* likewise, and the header says so */
		packet[5] = (uint8_t)i;
		inject(&c, packet, 40 + i);
	}
	ok(c.released == len + 20, "payload lengths from 0 on");
	seen.inputs = 0;
	inject(&c, packet, udp(PEER, "2001:db8::9", 17, "", 0));
	ok(!seen.inputs && counted(&h, ip_not_ours), "not ours");
	inject(&c, packet, udp("ff02::1", OWN, 17, "", 0));
	inject(&c, packet, udp(OWN, OWN, 17, "", 0));
	len = udp(PEER, OWN, 17, "", 0);
	memcpy(packet + 8, addr("10.0.0.1").b, 16);
	inject(&c, packet, len);
	ok(!seen.inputs && counted(&h, ip_bad_source) == 3,
	   "from multicast, ourselves, a mapped address");
	inject(&c, packet, udp(PEER, "ff02::1", 17, "", 0));
	ok(!seen.inputs, "UDP to all nodes");
	inject(&c, packet, udp(PEER, OWN, 59, "", 0));
	ok(!seen.inputs && !c.count, "no next header");
	len = udp(PEER, OWN, 17, "", 0);
	memset(packet + len, 0xff, 30);
	inject(&c, packet, len + 30);
	ok(seen.inputs == 1 && seen.len == 12 && seen.csum_ok, "padding is cut off");
	host_exit(&h);
}

static const char *source_for(const char *remote)
{
	static char text[INET6_ADDRSTRLEN];
	struct us_dst dst = { .remote = addr(remote) };

	if (us_dst_resolve(&h.stack, &dst))
		return "none";
	return inet_ntop(AF_INET6, dst.local.b, text, sizeof(text));
}

/* RFC 6724 5, rule 2: what a link-local address sends passes no router. */
static void source_by_scope(void)
{
	struct us_addr local = addr("fe80::1"), router = addr("fe80::99"), all = addr("::");

	setup();
	if (us_net_address_add(&h.stack, &c.link, &local, 64) ||
	    us_net_route_add(&h.stack, &c.link, &all, 0, &router))
		abort();
	ok(!strcmp(source_for("fd00::5"), OWN), "source: global, though fe80::1 is more alike");
	ok(!strcmp(source_for("fe80::5"), "fe80::1"), "source: link-local, to the link");
	host_exit(&h);
}

/* RFC 4291 2.5.3: nobody outside is this host, though its applications may trust it. */
static void loopback(void)
{
	setup();
	c.link.flags = US_LINK_ETHERNET;
	udp("::1", OWN, 17, "", 0);
	memmove(packet + 14, packet, 52);
	memcpy(packet, c.link.mac, 6);
	memcpy(packet + 6, "\2\0\0\0\0\2\x86\xdd", 8);
	inject(&c, packet, 14 + 52);
	ok(!seen.inputs && counted(&h, ip_bad_source) == 1, "from ::1, by a wire");
	host_exit(&h);
}

static void output(void)
{
	struct us_dst dst = { .remote = addr(PEER), .tos = 0xb8, .ttl = 5 };
	const struct us_ipv6 *ip = (const void *)c.sent[0];
	struct us_tx *tx;

	setup();
	ok(us_dst_resolve(&h.stack, &dst) == 0 && dst.header_len == 40, "a way");
	tx = us_ip_reserve(&h.stack, &dst, 0);
	memcpy(tx->head + 40, "\0\1\0\2\0\x0c\0\0abcd", 12);
	tx->inline_len = 52;
	us_csum_output(&dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
	us_ip_submit(&h.stack, &dst, tx, IPPROTO_UDP);
	ok(c.count == 1 && us_get32(ip->flow) == 0x6b800000 && ip->hops == 5 &&
	   us_get16(ip->payload_len) == 12 && ip->next == 17 &&
	   transport_csum(OWN, PEER, 17, c.sent[0] + 40, 12) == 0, "a packet");
	host_exit(&h);
}

/* The IP header, which does not sum up to 0 as with IPv4, is no part of it. */
static void told_sum(void)
{
	uint32_t len, sum;
	struct us_pkt *pkt;

	setup();
	len = udp(PEER, OWN, 17, "", 0);
	sum = us_csum_bytes(packet, len, 0);
	packet[len - 1] ^= 1;
	pkt = catcher_pkt(&c, packet, len);
	pkt->csum_state = US_CSUM_COMPLETE;
	pkt->csum = sum;
	us_net_input(&h.stack, pkt);
	ok(seen.inputs == 1 && seen.csum_ok, "the sum of all bytes has the IP header");
	host_exit(&h);
}

int main(void)
{
	plan(0);
	extensions();
	headers();
	source_by_scope();
	loopback();
	output();
	told_sum();
	return finish();
}
