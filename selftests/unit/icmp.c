// SPDX-License-Identifier: MIT
/* net/icmp.c, net/icmp_error.c */
#include <errno.h>
#include <netinet/in.h>

#include "host.h"
#include "tap.h"

static struct host h;
static struct catcher c;
static uint8_t packet[2048], quote[256];

static void setup(void)
{
	struct us_addr own = addr("10.1.0.1"), own6 = addr("2001:db8::1");

	host_init(&h);
	memset(&seen, 0, sizeof(seen));
	catcher_add(&h, &c, 0);
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	if (us_net_address_add(&h.stack, &c.link, &own, 16) ||
	    us_net_address_add(&h.stack, &c.link, &own6, 64))
		abort();
}

static void echo(const char *own, const char *peer, uint8_t ask, uint8_t reply)
{
	uint8_t protocol = strchr(own, ':') ? 58 : 1;
	uint32_t header = protocol == 1 ? 20 : 40, len;
	const struct us_icmp *icmp = (const void *)(c.sent[0] + header);

	setup();
	len = icmp_packet(packet, peer, own, ask, 0, 0x12340001, "0123456", 7);
	inject(&c, packet, len);
	ok(c.count == 1 && c.len[0] == len && icmp->type == reply &&
	   us_get32(icmp->rest) == 0x12340001 && !memcmp(icmp + 1, "0123456", 7),
	   "echo of %s", own);
	ok(transport_csum(own, peer, protocol, icmp, len - header) == 0,
	   "its checksum");
	packet[len - 1] ^= 1;
	inject(&c, packet, len);
	ok(c.count == 1 && counted(&h, icmp_bad) == 1, "a wrong checksum");
	len = icmp_packet(packet, peer, own, ask, 0, 0, "", 0);
	c.full = true;
	inject(&c, packet, len);
	c.full = false;
	ok(c.count == 1 && counted(&h, ip_link_full) == 1, "a full link");
	ok(c.released == 3, "all packets went back");
	host_exit(&h);
}

/* ICMPv6 in IPv4 and ICMP in IPv6 are nothing. */
static void crossed(void)
{
	uint8_t body[8] = { 8 };
	uint16_t csum = us_csum_fold(us_csum_bytes(body, 8, 0));

	setup();
	memcpy(body + 2, &csum, 2);
	inject(&c, packet, ip_packet(packet, "2001:db8::2", "2001:db8::1", 1, body, 8));
	inject(&c, packet, ip_packet(packet, "10.1.0.2", "10.1.0.1", 58, body, 8));
	ok(c.count == 0 && counted(&h, icmp_bad) == 2, "ICMP of the other version");
	inject(&c, packet, ip_packet(packet, "10.1.0.2", "10.1.0.1", 1, body, 7));
	ok(c.count == 0 && counted(&h, icmp_bad) == 3, "seven bytes");
	host_exit(&h);
}

/* An error that quotes a UDP packet from @own to @peer, sent by a router. */
static void error(const char *own, const char *peer, const char *to,
		  uint8_t type, uint8_t code, uint32_t rest, uint32_t quoted)
{
	static const uint8_t udp[12] = { 0xab, 1, 0, 2, 0, 12 };
	const char *router = strchr(own, ':') ? "2001:db8::ffff" : "10.1.0.254";

	memset(&seen, 0, sizeof(seen));
	ip_packet(quote, own, peer, 17, udp, sizeof(udp));
	inject(&c, packet, icmp_packet(packet, router, to, type, code, rest,
				       quote, quoted));
}

static void errors4(void)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest;
		int err;
		bool hard;
		uint32_t mtu;
	} row[] = {
		{ 3, 0, 0, ENETUNREACH, false, 0 },
		{ 3, 1, 0, EHOSTUNREACH, false, 0 },
		{ 3, 2, 0, ENOPROTOOPT, true, 0 },
		{ 3, 3, 0, ECONNREFUSED, true, 0 },
		{ 3, 4, 1400, EMSGSIZE, false, 1400 },
		{ 3, 5, 0, EOPNOTSUPP, false, 0 },
		{ 3, 13, 0, EHOSTUNREACH, true, 0 },
		{ 11, 0, 0, EHOSTUNREACH, false, 0 },
		{ 12, 0, 0, EPROTO, true, 0 },
	};
	struct us_addr own = addr("10.1.0.1"), peer = addr("192.0.2.9");
	size_t i;

	setup();
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		error("10.1.0.1", "192.0.2.9", "10.1.0.1", row[i].type,
		      row[i].code, row[i].rest, 28);
		ok(seen.errors == 1 && seen.err == row[i].err &&
		   seen.hard == row[i].hard && seen.mtu == row[i].mtu &&
		   seen.first == 0xab && seen.len == 8 &&
		   us_addr_equal(&seen.src, &own) &&
		   us_addr_equal(&seen.dst, &peer), "type %u code %u",
		   row[i].type, row[i].code);
	}
	error("10.1.0.1", "192.0.2.9", "10.1.0.1", 3, 4, 0, 28);
	ok(seen.errors == 0, "no MTU, and the quoted packet is small already");
	ip_packet(quote, "10.1.0.1", "192.0.2.9", 17, "\xab\1\0\2\0\xc\0\0", 8);
	quote[2] = 1500 >> 8;
	quote[3] = 1500 & 0xff;
	inject(&c, packet, icmp_packet(packet, "10.1.0.254", "10.1.0.1", 3, 4, 0,
				       quote, 28));
	ok(seen.errors == 1 && seen.mtu == 1492, "the next plateau (RFC 1191 7.1)");
	error("10.1.0.1", "192.0.2.9", "10.1.0.1", 3, 4, 67, 28);
	ok(!seen.errors && counted(&h, icmp_error_bad_mtu) == 2, "an absurd MTU");
	error("10.1.0.1", "192.0.2.9", "10.1.0.1", 3, 16, 0, 28);
	ok(!seen.errors && counted(&h, icmp_error_ignored) == 1, "an unknown code");
	error("10.1.0.1", "192.0.2.9", "10.1.0.1", 3, 3, 0, 27);
	error("10.1.0.1", "192.0.2.9", "10.1.0.1", 3, 3, 0, 0);
	ok(!seen.errors && counted(&h, icmp_error_bad_quote) == 2, "short quotes");
	error("10.1.0.7", "192.0.2.9", "10.1.0.1", 3, 3, 0, 28);
	ok(!seen.errors && counted(&h, icmp_error_foreign) == 1, "a foreign quote");
	ip_packet(quote, "10.1.0.1", "192.0.2.9", 200, "12345678", 8);
	inject(&c, packet, icmp_packet(packet, "10.1.0.254", "10.1.0.1", 3, 3, 0, quote, 28));
	ok(!seen.errors && counted(&h, icmp_error_no_protocol) == 1, "an unknown protocol");
	error("10.1.0.1", "192.0.2.9", "10.1.0.1", 4, 0, 0, 28);
	ok(!seen.errors && counted(&h, icmp_ignored) == 1, "source quench (RFC 6633)");
	host_exit(&h);
}

static void errors6(void)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest;
		int err;
		bool hard;
		uint32_t mtu;
	} row[] = {
		{ 1, 0, 0, ENETUNREACH, false, 0 },
		{ 1, 1, 0, EACCES, true, 0 },
		{ 1, 3, 0, EHOSTUNREACH, false, 0 },
		{ 1, 4, 0, ECONNREFUSED, true, 0 },
		{ 2, 0, 1280, EMSGSIZE, false, 1280 },
		{ 3, 0, 0, EHOSTUNREACH, false, 0 },
		{ 4, 0, 0, EPROTO, false, 0 },
		{ 4, 1, 0, EPROTO, true, 0 },
	};
	size_t i;

	setup();
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		error("2001:db8::1", "2001:db8:5::9", "2001:db8::1", row[i].type,
		      row[i].code, row[i].rest, 48);
		ok(seen.errors == 1 && seen.err == row[i].err &&
		   seen.hard == row[i].hard && seen.mtu == row[i].mtu &&
		   seen.first == 0xab && seen.len == 8, "ICMPv6 type %u code %u",
		   row[i].type, row[i].code);
	}
	error("2001:db8::1", "2001:db8:5::9", "2001:db8::1", 2, 0, 1279, 48);
	ok(!seen.errors, "an MTU below 1280 (RFC 8201 4)");
	error("2001:db8::1", "2001:db8:5::9", "2001:db8::1", 1, 4, 0, 47);
	ok(!seen.errors && counted(&h, icmp_error_bad_quote) == 1, "a short quote");
	error("2001:db8::1", "2001:db8:5::9", "2001:db8::1", 129, 0, 0, 48);
	ok(!seen.errors && counted(&h, icmp_ignored) == 1, "an answer to no question");
	host_exit(&h);
}

/* What a link passes on: ICMP header and quote, without an IP header. */
static void link_errors(void)
{
	static const uint8_t udp[12] = { 0xab };
	uint8_t bytes[128] = { 3, 4 };
	struct us_pkt *pkt;
	uint32_t i;

	setup();
	ip_packet(bytes + 8, "10.7.0.1", "192.0.2.9", 17, udp, sizeof(udp));
	pkt = catcher_pkt(&c, bytes, 8 + 28);
	pkt->error = true;
	pkt->info = 1300;
	us_net_input(&h.stack, pkt);
	ok(seen.errors == 1 && seen.err == EMSGSIZE && seen.mtu == 1300,
	   "an error of a link, with its MTU");
	for (i = 0; i < 8 + 28; i++) {
		pkt = catcher_pkt(&c, bytes, i);
		pkt->error = true;
		us_net_input(&h.stack, pkt);
	}
	ok(seen.errors == 1 && c.released == 37, "cut off at any byte");
	host_exit(&h);
}

static uint32_t udp_to(const char *from, const char *to, uint32_t len)
{
	static const uint8_t body[1400] = { 0, 1, 0, 2 };

	return ip_packet(packet, from, to, 17, body, len);
}

static void closed(struct us_stack *stack, struct us_pkt *pkt,
		   const struct us_addr *src, const struct us_addr *dst)
{
	(void)src;
	(void)dst;
	us_icmp_port_unreachable(stack, pkt);
	us_pkt_put(pkt);
}

static void sends(void)
{
	static const struct us_protocol shut = { .input = closed };
	const struct us_icmp *icmp = (const void *)(c.sent[0] + 20);
	unsigned int i, sent = 0;
	uint32_t len;

	setup();
	us_net_register(&h.stack, IPPROTO_UDP, &shut);
	len = udp_to("10.1.0.2", "10.1.0.1", 20);
	inject(&c, packet, len);
	ok(c.count == 1 && c.len[0] == 28 + len && icmp->type == 3 &&
	   icmp->code == 3 && !memcmp(icmp + 1, packet, len) &&
	   transport_csum("10.1.0.1", "10.1.0.2", 1, icmp, 8 + len) == 0,
	   "port unreachable");
	c.count = 0;
	inject(&c, packet, udp_to("10.1.0.2", "10.1.0.1", 1400));
	ok(c.count == 1 && c.len[0] == 576, "at most 576 bytes (RFC 1812)");
	icmp = (const void *)(c.sent[0] + 40);
	c.count = 0;
	inject(&c, packet, udp_to("2001:db8::2", "2001:db8::1", 1400));
	ok(c.count == 1 && c.len[0] == 1280 && icmp->type == 1 &&
	   icmp->code == 4 && transport_csum("2001:db8::1", "2001:db8::2", 58,
					     icmp, 1240) == 0,
	   "ICMPv6, at most 1280 (RFC 4443)");
	icmp = (const void *)(c.sent[0] + 20);
	c.count = 0;
	len = ip_packet(packet, "10.1.0.2", "10.1.0.1", 253, "x", 1);
	inject(&c, packet, len);
	ok(c.count == 1 && icmp->type == 3 && icmp->code == 2,
	   "protocol unreachable");
	for (i = 0; i < 1000; i++) {
		c.count = 0;
		inject(&c, packet, len);
		sent += c.count;
	}
	ok(sent == 46 && counted(&h, icmp_error_limited) == 954,
	   "a burst of fifty in all (%u)", sent);
	host_run(&h, 100 * US_MSEC);
	for (i = sent = 0; i < 100; i++) {
		c.count = 0;
		inject(&c, packet, len);
		sent += c.count;
	}
	ok(sent == 10, "then a hundred a second (%u)", sent);
	host_run(&h, US_SEC);
	c.count = 0;
	c.link.flags = US_LINK_KERNEL_IP;
	inject(&c, packet, len);
	ok(c.count == 0, "none where the kernel answers");
	host_exit(&h);
}

int main(void)
{
	plan(0);
	echo("10.1.0.1", "10.1.0.2", 8, 0);
	echo("2001:db8::1", "2001:db8::2", 128, 129);
	crossed();
	errors4();
	errors6();
	link_errors();
	sends();
	return finish();
}
