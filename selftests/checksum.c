// SPDX-License-Identifier: GPL-2.0
/*
 * Sums over whole packets (CHECKSUM_COMPLETE), as cards report them.  Here they are made
 * by a GRE tunnel with checksums, whose packets come with what is left of the outer sum,
 * and by connection tracking, which keeps the sum that it has verified by.
 */
#include <string.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define LATE	NETCHANNEL_HOOK_LATE
#define EARLY	NETCHANNEL_HOOK_EARLY

FIXTURE(checksum) {
	struct net net;
	struct chan c;
	int raw;
	struct packet p;
};

FIXTURE_VARIANT(checksum) {
	bool tunnel;
	int hook;
	int protocol;
	const char *here;
	const char *peer;
	const char *other;
};

FIXTURE_VARIANT_ADD(checksum, tracked_tcp4) {
	false, LATE, IPPROTO_TCP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(checksum, tracked_tcp6) {
	false, LATE, IPPROTO_TCP, HERE6, PEER6, OTHER6,
};

FIXTURE_VARIANT_ADD(checksum, tracked_udp4) {
	false, LATE, IPPROTO_UDP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(checksum, tracked_udp6) {
	false, LATE, IPPROTO_UDP, HERE6, PEER6, OTHER6,
};

FIXTURE_VARIANT_ADD(checksum, tunnel_late_tcp4) {
	true, LATE, IPPROTO_TCP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(checksum, tunnel_late_udp6) {
	true, LATE, IPPROTO_UDP, HERE6, PEER6, OTHER6,
};

FIXTURE_VARIANT_ADD(checksum, tunnel_early_tcp4) {
	true, EARLY, IPPROTO_TCP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(checksum, tunnel_early_tcp6) {
	true, EARLY, IPPROTO_TCP, HERE6, PEER6, OTHER6,
};

FIXTURE_VARIANT_ADD(checksum, tunnel_early_udp4) {
	true, EARLY, IPPROTO_UDP, HERE4, PEER4, OTHER4,
};

/* What the tunnel gives is not tracked: that would turn a right sum into a verdict. */
static int track(const struct net *net)
{
	return net_prepare(net, net->here, "nft -f - <<end\n"
		"table inet t {\n"
		"	chain raw {\n"
		"		type filter hook prerouting priority -300;\n"
		"		iifname \"tunnel\" notrack\n"
		"	}\n"
		"	chain in {\n"
		"		type filter hook prerouting priority 0;\n"
		"		ct state new accept\n"
		"	}\n"
		"}\n"
		"end");
}

static int make_tunnel(const struct net *net)
{
	return net_prepare(net, net->here, "/bin/ip -batch - <<end\n"
		"link add tunnel type gre local " HERE4 " remote " PEER4 " csum\n"
		"link set tunnel up\n"
		"end");
}

/* What opens a conversation from port 9 of @from. */
static void opening(struct packet *p, int protocol, const char *from, const char *here)
{
	packet_init(p, protocol, from, 9, here, 7, "payload", 7);
	if (protocol == IPPROTO_TCP)
		packet_tcp_header(p)->syn = 1;
	packet_finish(p);
}

FIXTURE_SETUP(checksum)
{
	struct netchannel_bind b;

	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, track(&self->net));
	if (!slow_kernel())
		ASSERT_EQ(0, make_tunnel(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 16, 4));
	bind_init(&b, variant->protocol, variant->here, 7,
		  strchr(variant->here, ':') ? "::/0" : "0.0.0.0/0", 0);
	b.hook = variant->hook;
	b.flags = NETCHANNEL_BIND_LISTEN_PEER;
	ASSERT_EQ(0, chan_bind(&self->c, &b));
	opening(&self->p, variant->protocol, variant->peer, variant->here);
}

FIXTURE_TEARDOWN(checksum)
{
	chan_destroy(&self->c);
}

#define SKIP_WITHOUT_GRE()						\
do {									\
	if (variant->tunnel && slow_kernel())				\
		SKIP(return, "the debug kernel has no GRE");		\
} while (0)

/* Folded, in native order, as the kernel sums. */
static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff ? 0 : sum;	/* the two zeros */
}

static uint16_t sum(const uint8_t *bytes, unsigned int length)
{
	uint64_t total = 0;
	uint16_t word;
	unsigned int i;

	for (i = 0; i < length; i += 2) {
		word = 0;
		memcpy(&word, bytes + i, length - i < 2 ? 1 : 2);
		total += word;
	}
	return fold(total);
}

/* Within GRE, with a checksum of it all. */
static void encapsulate(struct packet *outer, const struct packet *p)
{
	uint8_t gre[8] = { 0x80, 0, p->data[0] >> 4 == 4 ? 0x08 : 0x86,
			   p->data[0] >> 4 == 4 ? 0x00 : 0xdd };
	uint16_t check;

	packet_init(outer, IPPROTO_GRE, PEER4, 0, HERE4, 0, gre, sizeof(gre));
	memcpy(outer->data + outer->length, p->data, p->length);
	outer->length += p->length;
	packet_finish(outer);
	check = ~sum(outer->data + outer->transport, outer->length - outer->transport);
	memcpy(outer->data + outer->transport + 4, &check, sizeof(check));
}

static int inject(int raw, const struct packet *p, bool tunnel)
{
	static struct packet outer;

	if (!tunnel)
		return net_inject(raw, p);
	encapsulate(&outer, p);
	return net_inject(raw, &outer);
}

static bool has_sum(struct chan *c, const struct netchannel_rx_desc *desc)
{
	return desc->csum_state == NETCHANNEL_CSUM_COMPLETE &&
	       fold(desc->csum) == sum(chan_bytes(c, desc), desc->length);
}

/* The next packet is @p, told with its very sum. */
static bool told_with_sum(struct chan *c, const struct packet *p)
{
	struct netchannel_rx_desc *desc = chan_recv(c);

	return desc && desc->length == p->length &&
	       !memcmp(chan_bytes(c, desc), p->data, p->length) && has_sum(c, desc);
}

TEST_F(checksum, right)
{
	SKIP_WITHOUT_GRE();
	ASSERT_EQ(0, inject(self->raw, &self->p, variant->tunnel));
	EXPECT_TRUE(told_with_sum(&self->c, &self->p));
}

/* The sum is right, and what it says is that the packet is not: the reader's to find. */
TEST_F(checksum, wrong)
{
	SKIP_WITHOUT_GRE();
	ASSERT_EQ(0, inject(self->raw, &self->p, variant->tunnel));
	EXPECT_TRUE(told_with_sum(&self->c, &self->p));
	self->p.data[self->p.length - 1] ^= 1;
	ASSERT_EQ(0, inject(self->raw, &self->p, variant->tunnel));
	EXPECT_TRUE(told_with_sum(&self->c, &self->p));
}

/* Nobody gets the point-to-point listener for himself with such a packet. */
TEST_F(checksum, wrong_does_not_latch)
{
	static struct packet other;

	SKIP_WITHOUT_GRE();
	self->p.data[self->p.length - 1] ^= 1;
	ASSERT_EQ(0, inject(self->raw, &self->p, variant->tunnel));
	opening(&other, variant->protocol, variant->other, variant->here);
	ASSERT_EQ(0, inject(self->raw, &other, variant->tunnel));
	EXPECT_TRUE(told_with_sum(&self->c, &other));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

/* Padding is part of a card's sum; IP takes both off, at ingress nobody has. */
TEST_F(checksum, padded)
{
	struct packet padded = self->p;
	struct netchannel_rx_desc *desc;

	SKIP_WITHOUT_GRE();
	memset(padded.data + padded.length, 0xee, 9);
	padded.length += 9;
	ASSERT_EQ(0, inject(self->raw, &padded, variant->tunnel));
	if (variant->hook == LATE) {
		EXPECT_TRUE(told_with_sum(&self->c, &self->p));
		return;
	}
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(self->p.length, desc->length);
	EXPECT_EQ(NETCHANNEL_CSUM_NONE, desc->csum_state);
}

/* IP adds up what the cards told of the pieces. */
TEST_F(checksum, fragments)
{
	struct netchannel_rx_desc *desc;
	static struct packet part;

	SKIP_WITHOUT_GRE();
	packet_grow(&self->p, 2001);
	packet_fragment(&part, &self->p, 0, 800, true);
	ASSERT_EQ(0, inject(self->raw, &part, variant->tunnel));
	packet_fragment(&part, &self->p, 800, 2001 - self->p.transport, false);
	ASSERT_EQ(0, inject(self->raw, &part, variant->tunnel));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(2001, desc->length);
	EXPECT_TRUE(has_sum(&self->c, desc));
}

TEST_HARNESS_MAIN
