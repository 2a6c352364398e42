// SPDX-License-Identifier: MIT
/* net/ipv4.c, net/route.c, net/output.c with IPv4 */
#include <errno.h>
#include <netinet/in.h>

#include "host.h"
#include "tap.h"

static struct host h;
static struct catcher c, d;
static uint8_t packet[2048];

static void setup(void)
{
	struct us_addr own = addr("10.1.0.1"), other = addr("10.2.0.1");

	host_init(&h);
	memset(&seen, 0, sizeof(seen));
	catcher_add(&h, &c, 0);
	catcher_add(&h, &d, 0);
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	if (us_net_address_add(&h.stack, &c.link, &own, 16) ||
	    us_net_address_add(&h.stack, &d.link, &other, 24))
		abort();
}

static uint32_t udp(const char *from, const char *to)
{
	uint8_t body[] = { 0, 1, 0, 2, 0, 12, 0, 0, 1, 2, 3, 4 };
	uint16_t csum = transport_csum(from, to, 17, body, sizeof(body));

	memcpy(body + 6, &csum, 2);
	return ip_packet(packet, from, to, IPPROTO_UDP, body, sizeof(body));
}

static void fix_header(uint32_t len)
{
	uint16_t csum;

	memset(packet + 10, 0, 2);
	csum = us_csum_fold(us_csum_bytes(packet, len, 0));
	memcpy(packet + 10, &csum, 2);
}

/* Inserts options into a UDP packet from 10.1.0.2. */
static uint32_t with_options(const uint8_t *options, uint32_t len)
{
	uint32_t total = udp("10.1.0.2", "10.1.0.1");

	memmove(packet + 20 + len, packet + 20, total - 20);
	memcpy(packet + 20, options, len);
	packet[0] = (uint8_t)(0x45 + len / 4);
	packet[3] = (uint8_t)(total + len);
	fix_header(20 + len);
	return total + len;
}

static void accepted(void)
{
	static const uint8_t nops[8] = { 1, 1, 1, 7, 4, 0, 0, 0 };
	struct us_addr want = addr("10.1.0.2");
	uint32_t len;

	setup();
	len = udp("10.1.0.2", "10.1.0.1");
	inject(&c, packet, len);
	ok(seen.inputs == 1 && seen.len == 12 && seen.csum_ok &&
	   us_addr_equal(&seen.src, &want), "a packet");
	memset(packet + len, 0xff, 20);
	inject(&c, packet, len + 20);
	ok(seen.inputs == 2 && seen.len == 12 && seen.csum_ok, "padding is cut off");
	inject(&d, packet, len);
	ok(seen.inputs == 3, "on the other link (weak host)");
	len = with_options(nops, 8);
	inject(&c, packet, len);
	ok(seen.inputs == 4 && seen.len == 12 && seen.csum_ok, "options are passed over");
	ok(c.released == 3 && d.released == 1, "all packets went back");
	host_exit(&h);
}

static void refuse(const char *what, uint32_t len, unsigned int before,
		   const uint64_t *counter)
{
	uint64_t count = *counter;

	inject(&c, packet, len);
	ok(seen.inputs == before && *counter == count + 1, "%s", what);
}

static void headers(void)
{
	static const uint8_t lsrr[8] = { 131, 7, 4, 10, 9, 9, 9, 0 };
	static const uint8_t zero[4] = { 7, 0, 0, 0 }, beyond[4] = { 7, 5, 0, 0 };
	static const uint8_t cut[4] = { 1, 1, 1, 7 };
	const uint64_t *bad = &counted(&h, ip_bad_header);
	const uint64_t *options = &counted(&h, ip_bad_options);
	uint32_t len, i;

	setup();
	len = udp("10.1.0.2", "10.1.0.1");
	for (i = 0; i < len; i++)	/* every short form of it */
		inject(&c, packet, i);
	ok(seen.inputs == 0 && c.released == len, "cut off at any byte");
	packet[0] = 0x44;
	fix_header(20);
	refuse("header length of 16", len, 0, bad);
	packet[0] = 0x4f;
	refuse("header length beyond the packet", len, 0, bad);
	udp("10.1.0.2", "10.1.0.1");
	packet[3] = 19;
	fix_header(20);
	refuse("total length less than the header", len, 0, bad);
	udp("10.1.0.2", "10.1.0.1");
	packet[8] ^= 1;
	refuse("header checksum", len, 0, &counted(&h, ip_bad_csum));
	udp("10.1.0.2", "10.1.0.1");
	packet[6] = 0x20;
	fix_header(20);
	refuse("first fragment", len, 0, &counted(&h, ip_fragment));
	packet[6] = 0;
	packet[7] = 1;
	fix_header(20);
	refuse("later fragment", len, 0, &counted(&h, ip_fragment));
	refuse("source route", with_options(lsrr, 8), 0, options);
	refuse("option of no length", with_options(zero, 4), 0, options);
	refuse("option beyond the header", with_options(beyond, 4), 0, options);
	refuse("option without a length", with_options(cut, 4), 0, options);
	host_exit(&h);
}

static void addresses(void)
{
	const uint64_t *source = &counted(&h, ip_bad_source);
	const uint64_t *ours = &counted(&h, ip_not_ours);
	struct us_addr later = addr("10.1.0.2");

	setup();
	/* One that is right goes before: what it proves is its own only. */
	inject(&c, packet, udp("10.1.0.2", "10.1.0.1"));
	ok(seen.inputs == 1, "ours");
	seen.inputs = 0;
	refuse("not ours", udp("10.1.0.2", "10.1.0.9"), 0, ours);
	refuse("broadcast", udp("10.1.0.2", "255.255.255.255"), 0, ours);
	refuse("multicast", udp("10.1.0.2", "224.0.0.1"), 0, ours);
	refuse("from broadcast", udp("255.255.255.255", "10.1.0.1"), 0, source);
	refuse("from multicast", udp("239.1.1.1", "10.1.0.1"), 0, source);
	refuse("from nowhere", udp("0.0.0.0", "10.1.0.1"), 0, source);
	refuse("from ourselves", udp("10.2.0.1", "10.1.0.1"), 0, source);
	packet[0] = 0x75;
	refuse("neither 4 nor 6", 32, 0, ours);
	ok(us_net_address_add(&h.stack, &d.link, &later, 16) == 0, "one address more");
	refuse("from what has become ours", udp("10.1.0.2", "10.1.0.1"), 0, source);
	host_exit(&h);
}

static int resolve(struct us_dst *dst, const char *local, const char *remote)
{
	*dst = (struct us_dst) { .remote = addr(remote), .tos = 7 };
	if (local)
		dst->local = addr(local);
	return us_dst_resolve(&h.stack, dst);
}

static bool is(const struct us_addr *a, const char *text)
{
	struct us_addr b = addr(text);

	return us_addr_equal(a, &b);
}

static void routes(void)
{
	struct us_addr net = addr("10.1.5.99"), gateway = addr("10.2.0.254");
	struct us_addr all = addr("0.0.0.0"), far = addr("10.3.0.1"), self = addr("10.2.0.1");
	struct us_addr six = addr("::"), six_gateway = addr("2001:db8::1");
	struct us_addr multicast = addr("224.0.0.1"), everybody = addr("255.255.255.255");
	static const struct us_addr none;
	struct us_dst dst;
	uint32_t generation;

	setup();
	ok(resolve(&dst, NULL, "10.1.9.9") == 0 && dst.link == &c.link &&
	   is(&dst.local, "10.1.0.1") && is(&dst.next_hop, "10.1.9.9"), "on link");
	ok(dst.family == AF_INET && dst.header_len == 20 && dst.ttl == 64 &&
	   dst.mtu == 1500 && dst.tos == 7, "all fields");
	ok(resolve(&dst, NULL, "192.0.2.1") == -ENETUNREACH, "no route");
	generation = h.stack.net ? dst.generation : 0;
	ok(us_net_route_add(&h.stack, &d.link, &all, 0, &gateway) == 0 &&
	   resolve(&dst, NULL, "192.0.2.1") == 0 && dst.link == &d.link &&
	   is(&dst.next_hop, "10.2.0.254") && is(&dst.local, "10.2.0.1") &&
	   dst.generation != generation, "default route");
	ok(us_net_route_add(&h.stack, &d.link, &net, 24, &gateway) == 0 &&
	   resolve(&dst, NULL, "10.1.5.1") == 0 && dst.link == &d.link &&
	   resolve(&dst, NULL, "10.1.6.1") == 0 && dst.link == &c.link,
	   "the longest prefix wins");
	ok(resolve(&dst, NULL, "255.255.255.255") == -ENETUNREACH,
	   "nor by a router to everybody");
	ok(resolve(&dst, "10.1.0.1", "192.0.2.1") == 0 &&
	   is(&dst.local, "10.1.0.1"), "a given source stays");
	ok(resolve(&dst, "10.1.0.77", "192.0.2.1") == -EADDRNOTAVAIL,
	   "a foreign source");
	ok(resolve(&dst, NULL, "2001:db8::5") == -ENETUNREACH &&
	   resolve(&dst, NULL, "224.0.0.1") == -ENETUNREACH &&
	   resolve(&dst, NULL, "0.0.0.0") == -ENETUNREACH, "nowhere");
	ok(us_net_route_add(&h.stack, &d.link, &net, 24, &gateway) == -EEXIST,
	   "a route twice");
	ok(us_net_route_add(&h.stack, &d.link, &net, 25, &far) == -ENETUNREACH &&
	   strstr(h.stack.error, "gateway"), "a gateway that is not on the link");
	ok(us_net_route_add(&h.stack, &d.link, &net, 25, &self) == -EINVAL &&
	   strstr(h.stack.error, "gateway"), "a gateway that is this stack");
	ok(us_net_route_add(&h.stack, &d.link, &six, 0, &gateway) == -EINVAL,
	   "a gateway of the other family");
	ok(us_net_route_add(&h.stack, &d.link, &net, 33, &gateway) == -EINVAL &&
	   us_net_address_add(&h.stack, &d.link, &net, 33) == -EINVAL &&
	   us_net_address_add(&h.stack, &d.link, &all, 8) == -EINVAL &&
	   us_net_address_add(&h.stack, &d.link, &multicast, 4) == -EINVAL &&
	   us_net_address_add(&h.stack, &d.link, &everybody, 32) == -EINVAL,
	   "bad prefixes and addresses");
	ok(us_net_route_add(&h.stack, &d.link, &six, 0, &none) == 0 &&
	   resolve(&dst, NULL, "2001:db8::5") == -EADDRNOTAVAIL,
	   "a route, but no address");
	ok(us_net_address_add(&h.stack, &d.link, &six_gateway, 64) == 0 &&
	   resolve(&dst, NULL, "2001:db8::5") == 0 && dst.family == AF_INET6 &&
	   dst.header_len == 40, "IPv6 beside it");
	ok(us_net_address_add(&h.stack, &d.link, &six_gateway, 64) == -EEXIST,
	   "an address twice");
	ok(us_net_is_local(&h.stack, &six_gateway) &&
	   !us_net_is_local(&h.stack, &gateway), "local or not");
	host_exit(&h);
}

/* A router may know its own network only, whatever others on its link are. */
static void source_by_router(void)
{
	struct us_addr all = addr("0.0.0.0"), gateway = addr("10.2.0.254");
	struct us_addr second = addr("192.168.7.1");
	struct us_dst dst;

	setup();
	if (us_net_address_add(&h.stack, &d.link, &second, 24) ||
	    us_net_route_add(&h.stack, &d.link, &all, 0, &gateway))
		abort();
	ok(resolve(&dst, NULL, "192.0.2.1") == 0 && is(&dst.local, "10.2.0.1"),
	   "source: of the router's network");
	ok(resolve(&dst, NULL, "192.168.7.9") == 0 && is(&dst.local, "192.168.7.1"),
	   "source: of the neighbour's network");
	host_exit(&h);
}

static void many_addresses(void)
{
	struct us_addr a = addr("10.1.128.0");
	unsigned int i, added = 0, found = 0;
	int err = 0;

	setup();
	for (i = 0; i < 2000 && !err; i++, added += !err) {
		a.b[14] = (uint8_t)(128 + i / 256);
		a.b[15] = (uint8_t)i;
		err = us_net_address_add(&h.stack, &c.link, &a, 16);
	}
	for (i = 0; i < 2000; i++) {
		a.b[14] = (uint8_t)(128 + i / 256);
		a.b[15] = (uint8_t)i;
		found += us_net_is_local(&h.stack, &a);
	}
	ok(err == -ENOSPC && added == 1022 && found == added,
	   "a thousand addresses (%u), not more", added);
	host_exit(&h);
}

/* A packet out is one that input accepts. */
static void output(void)
{
	struct us_chunk *chunk;
	struct us_dst dst;
	struct us_tx *tx;
	uint16_t pseudo;
	unsigned int i;

	setup();
	resolve(&dst, NULL, "10.1.0.2");
	chunk = us_chunk_alloc(h.stack.mem, 2048);
	memset(chunk->data, 0x5a, 2048);
	tx = us_ip_reserve(&h.stack, &dst, 0);
	memcpy(tx->head + dst.header_len, "\0\1\0\2\0\x17\0\0x", 9);
	tx->inline_len = dst.header_len + 9u;
	tx->nr_frags = 2;
	tx->frag[0] = (struct us_frag) { chunk, 3, 5 };
	tx->frag[1] = (struct us_frag) { chunk, 100, 9 };
	us_csum_output(&dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
	us_ip_submit(&h.stack, &dst, tx, IPPROTO_UDP);
	ok(c.count == 1 && c.len[0] == 43 && c.sent[0][0] == 0x45 &&
	   c.sent[0][1] == 7 && c.sent[0][3] == 43 && c.sent[0][6] == 0x40 &&
	   c.sent[0][8] == 64, "a header, DF set");
	ok(us_csum_fold(us_csum_bytes(c.sent[0], 20, 0)) == 0, "its checksum");
	ok(transport_csum("10.1.0.1", "10.1.0.2", 17, c.sent[0] + 20, 23) == 0,
	   "the transport's, over odd pieces");
	c.link.flags |= US_LINK_CSUM;
	tx = us_ip_reserve(&h.stack, &dst, 0);
	memset(tx->head + dst.header_len, 0, 8);
	tx->inline_len = dst.header_len + 8u;
	us_csum_output(&dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
	memcpy(&pseudo, tx->head + 26, 2);
	ok(tx->csum_offload && tx->csum_offset == 6 && tx->l4 == 20 &&
	   pseudo == us_csum_reduce(us_csum_pseudo4(&dst.local.b[12],
					&dst.remote.b[12], 17, 8)),
	   "offloaded: the pseudo header is in the field");
	c.full = true;
	ok(!us_ip_reserve(&h.stack, &dst, 0) && counted(&h, ip_link_full) == 1,
	   "a full link");
	us_chunk_put(chunk);

	/* A UDP checksum that comes out as 0 is sent as 0xffff. */
	c.full = false;
	c.link.flags = 0;
	for (i = 0; i < 65536; i++) {
		tx = us_ip_reserve(&h.stack, &dst, 0);
		memset(tx->head + dst.header_len, 0, 10);
		tx->head[28] = (uint8_t)(i >> 8);
		tx->head[29] = (uint8_t)i;
		tx->inline_len = dst.header_len + 10u;
		us_csum_output(&dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
		if (!tx->head[26] && !tx->head[27])
			break;
	}
	ok(i == 65536, "no UDP checksum is 0");
	host_exit(&h);
}

static bool sum_state(uint8_t state, uint32_t csum, uint32_t len)
{
	struct us_pkt *pkt = catcher_pkt(&c, packet, len);

	pkt->csum_state = state;
	pkt->csum = csum;
	us_net_input(&h.stack, pkt);
	return seen.csum_ok;
}

static void checksums(void)
{
	uint32_t len, sum;

	setup();
	len = udp("10.1.0.2", "10.1.0.1");
	sum = us_csum_bytes(packet, len, 0);
	ok(sum_state(US_CSUM_NONE, 0, len), "verified here");
	ok(sum_state(US_CSUM_COMPLETE, sum, len), "from the sum of all bytes");
	ok(sum_state(US_CSUM_COMPLETE, sum + 1, len),
	   "a sum that is wrong, of a packet that is not");
	memset(packet + len, 0x11, 10);
	ok(sum_state(US_CSUM_COMPLETE, us_csum_bytes(packet, len + 10, 0), len + 10),
	   "with padding the sum is useless, the packet is not");
	packet[len - 1] ^= 1;
	ok(!sum_state(US_CSUM_NONE, 0, len), "a flipped bit");
	ok(!sum_state(US_CSUM_COMPLETE, us_csum_bytes(packet, len, 0), len),
	   "a flipped bit, in the sum of all bytes, too");
	ok(sum_state(US_CSUM_COMPLETE, sum, len),
	   "where that sum is right, nobody looks at the bytes");
	ok(sum_state(US_CSUM_VERIFIED, 0, len), "a link that vouches for it");
	host_exit(&h);
}

int main(void)
{
	plan(0);
	accepted();
	headers();
	addresses();
	routes();
	source_by_router();
	many_addresses();
	output();
	checksums();
	return finish();
}
