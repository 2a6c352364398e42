// SPDX-License-Identifier: MIT
/* kmod/flow_key.h: keys of flows and packets. */
#include "kernel_shim.h"

#include "core/random.h"
#include "flow_key.h"
#include "tap.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static void address(u8 out[16], const char *text)
{
	memset(out, 0, 16);
	inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, out);
}

/* A flow from "ADDRESS" with prefixes and ports; 0 is any. */
static struct netchannel_flow flow_of(u8 protocol, const char *local,
				      u8 local_prefix, u16 local_port,
				      const char *remote, u8 remote_prefix,
				      u16 remote_port)
{
	struct netchannel_flow flow = {
		.family = strchr(local, ':') ? AF_INET6 : AF_INET,
		.protocol = protocol,
		.local_prefix = local_prefix, .remote_prefix = remote_prefix,
		.local_port = htons(local_port), .remote_port = htons(remote_port),
	};

	address(flow.local, local);
	address(flow.remote, remote);
	return flow;
}

static struct netchannel_flow exact4(void)
{
	return flow_of(IPPROTO_TCP, "10.1.2.3", 32, 80, "192.0.2.200", 32, 4000);
}

static struct netchannel_flow exact6(void)
{
	return flow_of(IPPROTO_UDP, "2001:db8::1", 128, 53, "2001:db8:ffff::2",
		       128, 4000);
}

/* --- precedence -------------------------------------------------------------- */

/* The parts of a flow, in their order of precedence. */
enum part { LOCAL_PORT, LOCAL_PREFIX, REMOTE_PREFIX, REMOTE_PORT, DEVICE, VLAN, PARTS };

static const char *const part_name[PARTS] = {
	"local port", "local prefix", "remote prefix", "remote port", "device",
	"VLAN",
};

static void give(struct netchannel_flow *flow, enum part part)
{
	switch (part) {
	case LOCAL_PORT:
		flow->local_port = htons(80);
		break;
	case LOCAL_PREFIX:
		flow->local_prefix++;
		break;
	case REMOTE_PREFIX:
		flow->remote_prefix++;
		break;
	case REMOTE_PORT:
		flow->remote_port = htons(80);
		break;
	case DEVICE:
		flow->ifindex = 7;
		break;
	default:
		flow->vlan = 9;
	}
}

/* All that comes after @part, as much of it as possible. */
static void give_all_after(struct netchannel_flow *flow, enum part part)
{
	u8 bits = (u8)nc_family_bits(flow->family);
	int i;

	for (i = part + 1; i < PARTS; i++)
		give(flow, (enum part)i);
	if (part < LOCAL_PREFIX)
		flow->local_prefix = bits;
	if (part < REMOTE_PREFIX)
		flow->remote_prefix = bits;
}

static void precedence_of(u8 family, u8 prefix)
{
	struct netchannel_flow none = {
		.family = family, .protocol = IPPROTO_TCP,
		.local_prefix = prefix, .remote_prefix = prefix,
	};
	int higher, lower;

	for (higher = 0; higher < PARTS; higher++) {
		struct netchannel_flow one = none, rest = none;

		give(&one, (enum part)higher);
		give_all_after(&rest, (enum part)higher);
		ok(nc_flow_rank(&one) > nc_flow_rank(&rest),
		   "IPv%d: %s decides over all that follows",
		   family == AF_INET ? 4 : 6, part_name[higher]);
		for (lower = higher + 1; lower < PARTS; lower++) {
			struct netchannel_flow other = none;

			give(&other, (enum part)lower);
			ok(nc_flow_rank(&one) > nc_flow_rank(&other) &&
			   nc_flow_rank(&other) > nc_flow_rank(&none),
			   "%s before %s, from /%d", part_name[higher],
			   part_name[lower], prefix);
		}
	}
}

static void rank_holds_prefixes(void)
{
	struct netchannel_flow flow = exact6();
	u32 local, remote, bad = 0;

	for (local = 0; local <= 128; local++)
		for (remote = 0; remote <= 128; remote++) {
			flow.local_prefix = (u8)local;
			flow.remote_prefix = (u8)remote;
			bad += NC_RANK_LOCAL(nc_flow_rank(&flow)) != local ||
			       NC_RANK_REMOTE(nc_flow_rank(&flow)) != remote;
		}
	ok(!bad, "a rank holds both prefixes, 0..128");
}

/* --- masks ------------------------------------------------------------------- */

/* One bit at a time. */
static void slow_prefix(u8 out[16], const u8 in[16], u32 bits)
{
	u32 i;

	memset(out, 0, 16);
	for (i = 0; i < bits; i++)
		out[i / 8] |= in[i / 8] & (u8)(0x80 >> i % 8);
}

static void prefixes(void)
{
	union nc_addr in, out, slow;
	struct us_random random;
	u32 bits, i, bad = 0;

	us_random_init(&random, 3);
	for (bits = 0; bits <= 128; bits++)
		for (i = 0; i < 20; i++) {
			u32 w[4] = { us_random32(&random), us_random32(&random),
				     us_random32(&random), us_random32(&random) };

			memcpy(in.b, w, 16);
			nc_addr_prefix(&out, &in, bits);
			slow_prefix(slow.b, in.b, bits);
			bad += memcmp(out.b, slow.b, 16) != 0 ||
			       nc_addr_equal(&out, &slow) != true;
		}
	ok(!bad, "prefixes of 0..128 bits, as one bit at a time");
}

static void equal_in_all_bits(void)
{
	union nc_addr a, b;
	u32 bit, bad = 0;

	address(a.b, "2001:db8::1");
	for (bit = 0; bit < 128; bit++) {
		b = a;
		b.b[bit / 8] ^= (u8)(1 << bit % 8);
		bad += nc_addr_equal(&a, &b);
	}
	ok(!bad && nc_addr_equal(&a, &a), "addresses differ if any bit does");
}

/* The key of a packet of the flow, from a device and VLAN. */
static struct nc_key packet_of(const struct netchannel_flow *flow)
{
	struct nc_key key;

	nc_flow_key(&key, flow);
	key.rank = 0;
	key.ifindex = 7;
	key.vlan = 9;
	return key;
}

/* Does a lookup of @packet among flows of this flow's rank find it? */
static bool found(const struct netchannel_flow *flow, const struct nc_key *packet)
{
	struct nc_key key, mask, masked;

	memset(&masked, 0xff, sizeof(masked));
	nc_flow_key(&key, flow);
	nc_key_mask(&mask, key.rank);
	nc_key_masked(&masked, packet, &mask);
	return !memcmp(&key, &masked, sizeof(key));
}

static void flip(struct nc_key *key, enum part part)
{
	switch (part) {
	case LOCAL_PORT:
		key->local_port ^= htons(1);
		break;
	case LOCAL_PREFIX:
		key->local.b[key->family == AF_INET ? 3 : 15] ^= 1;
		break;
	case REMOTE_PREFIX:
		key->remote.b[key->family == AF_INET ? 3 : 15] ^= 1;
		break;
	case REMOTE_PORT:
		key->remote_port ^= htons(1);
		break;
	case DEVICE:
		key->ifindex ^= 1;
		break;
	default:
		key->vlan ^= 1;
	}
}

static void forget(struct netchannel_flow *flow, enum part part)
{
	u8 last = flow->family == AF_INET ? 3 : 15;

	switch (part) {
	case LOCAL_PORT:
		flow->local_port = 0;
		break;
	case LOCAL_PREFIX:
		flow->local_prefix--;
		flow->local[last] &= 0xfe;
		break;
	case REMOTE_PREFIX:
		flow->remote_prefix--;
		flow->remote[last] &= 0xfe;
		break;
	case REMOTE_PORT:
		flow->remote_port = 0;
		break;
	case DEVICE:
		flow->ifindex = 0;
		break;
	default:
		flow->vlan = 0;
	}
}

static void masks_of(struct netchannel_flow flow, const char *family)
{
	int part;

	flow.ifindex = 7;
	flow.vlan = 9;
	for (part = 0; part < PARTS; part++) {
		struct netchannel_flow wild = flow;
		struct nc_key same = packet_of(&flow), other = same;

		flip(&other, (enum part)part);
		forget(&wild, (enum part)part);
		ok(found(&flow, &same) && !found(&flow, &other),
		   "%s: another %s is another flow's", family, part_name[part]);
		ok(found(&wild, &same) && found(&wild, &other),
		   "%s: unless the flow takes any %s", family, part_name[part]);
	}
}

static void family_and_protocol(void)
{
	struct netchannel_flow flow = flow_of(IPPROTO_TCP, "0.0.0.0", 0, 0,
					      "0.0.0.0", 0, 0);
	struct nc_key packet = packet_of(&flow);

	ok(found(&flow, &packet), "a flow of everything");
	packet.protocol = IPPROTO_UDP;
	ok(!found(&flow, &packet), "but of its protocol");
	packet = packet_of(&flow);
	packet.family = AF_INET6;
	ok(!found(&flow, &packet), "and of its family");
}

/* --- covers: what may be sent ------------------------------------------------ */

static bool covers(const struct netchannel_flow *flow, const struct nc_key *packet)
{
	struct nc_key key, mask;

	nc_flow_key(&key, flow);
	nc_key_mask(&mask, key.rank);
	return nc_key_covers(&key, &mask, packet);
}

static void covers_of(const struct netchannel_flow *flow, const char *family)
{
	int part;

	for (part = 0; part < PARTS; part++) {
		struct netchannel_flow wild = *flow;
		struct nc_key other = packet_of(flow);
		bool outgoing = part < DEVICE;

		flip(&other, (enum part)part);
		ok(covers(flow, &other) != outgoing, "%s: another %s %s sent",
		   family, part_name[part], outgoing ? "is not" : "may be");
		forget(&wild, (enum part)part);
		ok(covers(&wild, &other), "%s: with any %s it is", family,
		   part_name[part]);
	}
}

static void covers_no_other_kind(void)
{
	struct netchannel_flow flow = exact4();
	struct nc_key packet = packet_of(&flow);

	ok(covers(&flow, &packet), "a flow covers its own packet");
	packet.protocol = IPPROTO_UDP;
	ok(!covers(&flow, &packet), "not that of another protocol");
	packet = packet_of(&flow);
	packet.family = AF_INET6;
	ok(!covers(&flow, &packet), "nor of another family");
	flow.ifindex = 8;
	flow.vlan = 10;
	packet = packet_of(&flow);
	packet.ifindex = packet.vlan = 0;
	ok(covers(&flow, &packet), "device and VLAN are those of arrival");
}

/* --- validity ------------------------------------------------------------------ */

struct valid {
	const char *name;
	bool good;
	struct netchannel_flow flow;
};

static void validity(void)
{
	const struct netchannel_flow four = exact4(), six = exact6();
	struct valid table[] = {
		{ "IPv4, all given", true, four },
		{ "IPv6, all given", true, six },
		{ "all wild", true, { .family = AF_INET, .protocol = 6 } },
		{ "a protocol without ports", true,
		  { .family = AF_INET, .protocol = 47 } },
		{ "no family", false, { .protocol = 6 } },
		{ "AF_UNIX", false, { .family = AF_UNIX, .protocol = 6 } },
		{ "no protocol", false, { .family = AF_INET } },
		{ "a local port of GRE", false,
		  { .family = AF_INET, .protocol = 47, .local_port = 1 } },
		{ "a remote port of GRE", false,
		  { .family = AF_INET, .protocol = 47, .remote_port = 1 } },
		{ "IPv4 local /33", false, four }, { "IPv4 remote /33", false, four },
		{ "IPv6 local /129", false, six }, { "IPv6 remote /129", false, six },
		{ "local bits beyond the prefix", false, four },
		{ "remote bits beyond the prefix", false, six },
		{ "IPv4 with bytes beyond the fourth", false, four },
		{ "VLAN 4094", true, four }, { "VLAN 4095", false, four },
		{ "reserved", false, four },
	};
	size_t i;

	table[9].flow.local_prefix = 33;
	table[10].flow.remote_prefix = 33;
	table[11].flow.local_prefix = 129;
	table[12].flow.remote_prefix = 129;
	table[13].flow.local_prefix = 31;
	table[14].flow.remote_prefix = 1;
	table[15].flow.local[4] = 1;
	table[16].flow.vlan = 4094;
	table[17].flow.vlan = 4095;
	table[18].flow.reserved = 1;
	for (i = 0; i < COUNT(table); i++)
		ok(nc_flow_valid(&table[i].flow) == table[i].good, "%s is %s",
		   table[i].name, table[i].good ? "valid" : "refused");
}

static void wild(void)
{
	struct netchannel_flow flow = exact4();

	ok(!nc_flow_wild(&flow), "one peer");
	flow.remote_port = 0;
	ok(nc_flow_wild(&flow), "any port of the peer");
	flow.protocol = 47;
	ok(!nc_flow_wild(&flow), "a protocol without ports: one peer");
	flow = exact4();
	flow.remote_prefix = 31;
	ok(nc_flow_wild(&flow), "two peers");
	flow = exact6();
	flow.remote_prefix = 127;
	ok(nc_flow_wild(&flow), "two IPv6 peers");
}

/* --- parsing --------------------------------------------------------------------- */

#define MAX_PACKET	128

/**
 * struct packet - a packet from 10.1.2.3:1111 to 192.0.2.200:2222, or the same
 *	over IPv6
 * @data: its bytes.
 * @len: of @data.
 * @l4: offset of the transport header.
 */
struct packet {
	u8 data[MAX_PACKET];
	u32 len;
	u32 l4;
};

static void put16(u8 *p, u32 value)
{
	p[0] = (u8)(value >> 8);
	p[1] = (u8)value;
}

static void put_length(struct packet *p)
{
	if (p->data[0] >> 4 == 4)
		put16(p->data + 2, p->len);
	else
		put16(p->data + 4, p->len - 40);
}

/* @options: bytes of IPv4 options, a multiple of 4. */
static struct packet ip(int version, u8 protocol, u32 options)
{
	struct packet p = { .l4 = version == 4 ? 20 + options : 40 };

	if (version == 4) {
		p.data[0] = (u8)(0x40 | p.l4 / 4);
		p.data[1] = 0xb8;
		p.data[9] = protocol;
		address(p.data + 12, "10.1.2.3");
		memcpy(p.data + 16, (u8[]){ 192, 0, 2, 200 }, 4);
		memset(p.data + 20, 1, options);
	} else {
		put16(p.data, 0x6b80);
		p.data[6] = protocol;
		address(p.data + 8, "2001:db8::1");
		address(p.data + 24, "2001:db8:ffff::2");
	}
	p.len = p.l4;
	put_length(&p);
	return p;
}

static struct packet tcp(int version, u32 options, u32 payload)
{
	struct packet p = ip(version, IPPROTO_TCP, 0);
	u8 *h = p.data + p.l4;

	put16(h, 1111);
	put16(h + 2, 2222);
	h[12] = (u8)((20 + options) / 4 << 4);
	h[13] = NC_TCP_SYN | NC_TCP_CWR;
	p.len += 20 + options + payload;
	put_length(&p);
	return p;
}

static struct packet udp(int version, u32 payload)
{
	struct packet p = ip(version, IPPROTO_UDP, 0);
	u8 *h = p.data + p.l4;

	put16(h, 1111);
	put16(h + 2, 2222);
	put16(h + 4, 8 + payload);
	p.len += 8 + payload;
	put_length(&p);
	return p;
}

/* Parses a copy that ends where it says, so that the sanitizer sees more reads. */
static enum nc_parse parse(const struct packet *p, u32 avail,
			   enum nc_parse_mode mode, struct nc_headers *h,
			   struct nc_key *key)
{
	u8 data[avail ? avail : 1];

	memcpy(data, p->data, avail);
	return nc_parse(data, avail, mode, h, key);
}

static enum nc_parse verdict(const struct packet *p, enum nc_parse_mode mode)
{
	struct nc_headers h;
	struct nc_key key;

	return parse(p, p->len, mode, &h, &key);
}

static bool ends_are(const struct nc_key *key, int version, bool sent)
{
	const char *src = version == 4 ? "10.1.2.3" : "2001:db8::1";
	const char *dst = version == 4 ? "192.0.2.200" : "2001:db8:ffff::2";
	union nc_addr local, remote;

	address(local.b, sent ? src : dst);
	address(remote.b, sent ? dst : src);
	return key->family == (version == 4 ? AF_INET : AF_INET6) &&
	       nc_addr_equal(&key->local, &local) &&
	       nc_addr_equal(&key->remote, &remote);
}

static bool ports_are(const struct nc_key *key, bool sent)
{
	return key->local_port == htons(sent ? 1111 : 2222) &&
	       key->remote_port == htons(sent ? 2222 : 1111);
}

static bool rest_is_zero(const struct nc_key *key)
{
	return !key->ifindex && !key->vlan && !key->rank;
}

static const char *const mode_name[] = { "in", "out", "quote" };

static void good_tcp(int version, enum nc_parse_mode mode)
{
	struct packet p = tcp(version, 12, 5);
	struct nc_headers h;
	struct nc_key key;
	bool sent = mode != NC_PARSE_IN;

	ok(parse(&p, p.len, mode, &h, &key) == NC_PARSE_OK,
	   "IPv%d TCP %s: parsed", version, mode_name[mode]);
	ok(ends_are(&key, version, sent) && ports_are(&key, sent) &&
	   key.protocol == IPPROTO_TCP && rest_is_zero(&key), "the key");
	ok(h.length == p.len && h.transport == p.l4 && h.dsfield == 0xb8,
	   "the IP header");
	ok(mode != NC_PARSE_OUT || (h.payload == p.l4 + 32 &&
				    h.tcp_flags == (NC_TCP_SYN | NC_TCP_CWR)),
	   "the TCP header");
}

static void good_udp(int version, enum nc_parse_mode mode)
{
	struct packet p = udp(version, 5);
	struct nc_headers h;
	struct nc_key key;
	bool sent = mode != NC_PARSE_IN;

	ok(parse(&p, p.len, mode, &h, &key) == NC_PARSE_OK &&
	   ends_are(&key, version, sent) && ports_are(&key, sent) &&
	   h.transport == p.l4 && key.protocol == IPPROTO_UDP,
	   "IPv%d UDP %s: parsed", version, mode_name[mode]);
	ok(mode != NC_PARSE_OUT || h.payload == p.l4 + 8, "the payload");
}

static void good_other(int version, enum nc_parse_mode mode)
{
	struct packet p = ip(version, 47, 0);
	struct nc_headers h;
	struct nc_key key;

	ok(parse(&p, p.len, mode, &h, &key) == NC_PARSE_OK &&
	   ends_are(&key, version, mode != NC_PARSE_IN) && !key.local_port &&
	   !key.remote_port && h.payload == p.l4,
	   "IPv%d GRE %s: no ports", version, mode_name[mode]);
}

/* However short: never a verdict of OK, never a read beyond (the sanitizer). */
static void cut(struct packet p, u32 needed, enum nc_parse_mode mode,
		const char *name)
{
	struct nc_headers h;
	struct nc_key key;
	u32 len, bad = 0;

	for (len = 0; len < needed; len++)
		bad += parse(&p, len, mode, &h, &key) != NC_PARSE_SHORT;
	ok(!bad && parse(&p, needed, mode, &h, &key) == NC_PARSE_OK,
	   "%s %s: short before %u bytes", name, mode_name[mode], needed);
}

static void cuts(void)
{
	cut(tcp(4, 12, 5), 28, NC_PARSE_IN, "IPv4 TCP");
	cut(tcp(4, 12, 5), 52, NC_PARSE_OUT, "IPv4 TCP");
	cut(tcp(4, 12, 5), 28, NC_PARSE_QUOTE, "IPv4 TCP");
	cut(tcp(6, 12, 5), 48, NC_PARSE_IN, "IPv6 TCP");
	cut(tcp(6, 12, 5), 72, NC_PARSE_OUT, "IPv6 TCP");
	cut(udp(4, 5), 28, NC_PARSE_OUT, "IPv4 UDP");
	cut(udp(6, 5), 48, NC_PARSE_QUOTE, "IPv6 UDP");
	cut(ip(4, 47, 0), 20, NC_PARSE_OUT, "IPv4 GRE");
	cut(ip(6, 47, 0), 40, NC_PARSE_IN, "IPv6 GRE");
	cut(ip(4, 47, 12), 32, NC_PARSE_QUOTE, "IPv4 GRE with options");
}

static void versions(void)
{
	struct packet p = tcp(4, 0, 0);

	p.data[0] = 0x55;
	ok(verdict(&p, NC_PARSE_IN) == NC_PARSE_VERSION, "IPv5");
	p.data[0] = 0x44;
	ok(verdict(&p, NC_PARSE_IN) == NC_PARSE_VERSION, "16 bytes of IPv4 header");
}

static void options(void)
{
	struct packet p = ip(4, 47, 8);
	struct nc_headers h;
	struct nc_key key;
	static const u8 extensions[] = { 0, 43, 51, 60, 135, 139, 140 };
	size_t i, bad = 0;

	ok(parse(&p, p.len, NC_PARSE_IN, &h, &key) == NC_PARSE_OPTIONS &&
	   h.transport == 28 && ends_are(&key, 4, false), "IPv4 options in");
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_OPTIONS, "IPv4 options out");
	ok(verdict(&p, NC_PARSE_QUOTE) == NC_PARSE_OK, "quoted options are read over");
	for (i = 0; i < sizeof(extensions); i++) {
		p = ip(6, extensions[i], 0);
		bad += verdict(&p, NC_PARSE_OUT) != NC_PARSE_OPTIONS ||
		       verdict(&p, NC_PARSE_IN) != NC_PARSE_OPTIONS;
	}
	ok(!bad, "IPv6 extension headers");
	/* ESP is a protocol like any other; it can have a flow. */
	p = ip(6, IPPROTO_ESP, 0);
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_OK, "ESP is none of them");
}

static enum nc_parse fragment(u32 field, enum nc_parse_mode mode)
{
	struct packet p = tcp(4, 0, 0);

	put16(p.data + 6, field);
	return verdict(&p, mode);
}

static void fragments(void)
{
	struct packet p = ip(6, IPPROTO_FRAGMENT, 0);

	ok(fragment(0x4000, NC_PARSE_OUT) == NC_PARSE_OK, "don't fragment: fine");
	ok(fragment(0x8000, NC_PARSE_OUT) == NC_PARSE_OK, "the reserved bit: fine");
	ok(fragment(0x2000, NC_PARSE_IN) == NC_PARSE_FRAGMENT &&
	   fragment(0x2000, NC_PARSE_OUT) == NC_PARSE_FRAGMENT, "a first fragment");
	ok(fragment(1, NC_PARSE_IN) == NC_PARSE_FRAGMENT &&
	   fragment(0x1000, NC_PARSE_OUT) == NC_PARSE_FRAGMENT, "a later one");
	ok(fragment(0x2000, NC_PARSE_QUOTE) == NC_PARSE_OK,
	   "a quoted first fragment has the ports");
	ok(fragment(1, NC_PARSE_QUOTE) == NC_PARSE_FRAGMENT, "a later one has not");
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_FRAGMENT, "IPv6 fragment header");
}

static void contradictions(void)
{
	struct packet p = tcp(4, 0, 0);

	put16(p.data + 2, 19);
	ok(verdict(&p, NC_PARSE_IN) == NC_PARSE_LENGTH &&
	   verdict(&p, NC_PARSE_OUT) == NC_PARSE_LENGTH, "total length below the header");
	ok(verdict(&p, NC_PARSE_QUOTE) == NC_PARSE_OK, "not checked in a quote");
	p = tcp(4, 0, 0);
	p.data[p.l4 + 12] = 0x40;
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_LENGTH, "16 bytes of TCP header");
	ok(verdict(&p, NC_PARSE_IN) == NC_PARSE_OK, "only ports are read on the way in");
	p = tcp(6, 20, 0);
	put16(p.data + 4, 39);
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_LENGTH, "TCP header beyond the packet");
	p = udp(4, 4);
	put16(p.data + p.l4 + 4, 11);
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_LENGTH, "UDP length too short");
	put16(p.data + p.l4 + 4, 13);
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_LENGTH, "UDP length too long");
	p = udp(6, 4);
	put16(p.data + p.l4 + 4, 0);
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_LENGTH, "UDP length 0 (jumbo)");
	p = udp(6, 0);
	put16(p.data + 4, 7);
	put16(p.data + p.l4 + 4, 7);
	ok(verdict(&p, NC_PARSE_OUT) == NC_PARSE_LENGTH,
	   "lengths that agree on less than a UDP header");
}

int main(void)
{
	const struct netchannel_flow four = exact4(), six = exact6();
	int version, mode;

	plan(0);
	precedence_of(AF_INET, 0);
	precedence_of(AF_INET, 24);
	precedence_of(AF_INET6, 64);
	rank_holds_prefixes();
	prefixes();
	equal_in_all_bits();
	masks_of(four, "IPv4");
	masks_of(six, "IPv6");
	family_and_protocol();
	covers_of(&four, "IPv4");
	covers_of(&six, "IPv6");
	covers_no_other_kind();
	validity();
	wild();
	for (version = 4; version <= 6; version += 2)
		for (mode = NC_PARSE_IN; mode <= NC_PARSE_QUOTE; mode++) {
			good_tcp(version, (enum nc_parse_mode)mode);
			good_udp(version, (enum nc_parse_mode)mode);
			good_other(version, (enum nc_parse_mode)mode);
		}
	cuts();
	versions();
	options();
	fragments();
	contradictions();
	return finish();
}
