// SPDX-License-Identifier: GPL-2.0
/* Packets that are sent: as they were written, summed, segmented, by reference. */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(tx) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet p;
	struct packet seen;
};

FIXTURE_VARIANT(tx) {
	int protocol;
	const char *here;
	const char *peer;
	int hook;
};

FIXTURE_VARIANT_ADD(tx, udp4) { IPPROTO_UDP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(tx, udp6) { IPPROTO_UDP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(tx, tcp4) { IPPROTO_TCP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(tx, tcp6) { IPPROTO_TCP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(tx, other4) { 253, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(tx, other6) { 253, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(tx, early_udp4) {
	IPPROTO_UDP, HERE4, PEER4, NETCHANNEL_HOOK_EARLY,
};

static bool has_ports(int protocol)
{
	return protocol != 253;
}

/* The wire is to show finished packets: the device sums and cuts in software. */
FIXTURE_SETUP(tx)
{
	bool ports = has_ports(variant->protocol);

	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, net_prepare(&self->net, self->net.here, "ethtool -K " HERE_DEV
			     " tx off tso off gso on tx-udp-segmentation off"
			     " >/dev/null 2>&1"));
	ASSERT_EQ(0, chan_create(&self->c, 4, 8));
	self->flow = chan_flow(&self->c, variant->hook, variant->protocol,
			       variant->here, ports ? 7 : 0, variant->peer,
			       ports ? 9 : 0);
	ASSERT_LE(0, self->flow);
	packet_init(&self->p, variant->protocol, variant->here, 7, variant->peer,
		    9, "payload", 7);
}

FIXTURE_TEARDOWN(tx)
{
	chan_destroy(&self->c);
}

TEST_F(tx, as_written)
{
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->p));
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
	EXPECT_EQ(self->p.length, chan_counter(&self->c, NETCHANNEL_TX_BYTES));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_KICKS));
}

TEST_F(tx, headers_only)
{
	packet_init(&self->p, variant->protocol, variant->here, 7, variant->peer,
		    9, "", 0);
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->p));
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
}

TEST_F(tx, every_size_around_the_inline_part)
{
	unsigned int size;

	for (size = NETCHANNEL_TX_INLINE - 2; size < NETCHANNEL_TX_INLINE + 3; size++) {
		packet_init(&self->p, variant->protocol, variant->here, 7,
			    variant->peer, 9, "", 0);
		packet_grow(&self->p, size);
		EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->p));
		EXPECT_TRUE(net_sniffs(self->raw, &self->p))
			TH_LOG("size %u", size);
	}
}

TEST_F(tx, as_large_as_the_path_allows)
{
	packet_grow(&self->p, 1500);
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->p));
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
}

/* Three references anywhere in the arena, in the order of frag[]. */
static void scatter(struct chan *c, uint32_t flow, const struct packet *p,
		    int flags)
{
	struct netchannel_tx_desc *desc = chan_fill(c, flow, p);
	uint32_t at = c->setup.tx_bytes, from = desc->inline_length, i, n;

	for (i = 0; i < 3; i++) {
		n = i == 2 ? p->length - from : (p->length - from) / 3 + i;
		at -= n + 4001;		/* from the end, and across pages */
		memcpy(c->tx_data + at, p->data + from, n);
		desc->frag[i].offset = at;
		desc->frag[i].length = n;
		from += n;
	}
	desc->nr_frags = 3;
	desc->flags = flags;
}

TEST_F(tx, three_fragments)
{
	int flags[] = { 0, NETCHANNEL_TX_COPY, NETCHANNEL_TX_REFERENCE };
	int i;

	packet_grow(&self->p, 1400);
	for (i = 0; i < 3; i++) {
		scatter(&self->c, self->flow, &self->p, flags[i]);
		EXPECT_EQ(0, chan_send_slot(&self->c));
		EXPECT_TRUE(net_sniffs(self->raw, &self->p))
			TH_LOG("flags %d", flags[i]);
	}
	EXPECT_EQ(3, chan_counter(&self->c, NETCHANNEL_TX_COPIED) +
		     chan_counter(&self->c, NETCHANNEL_TX_ZEROCOPY));
	EXPECT_LE(1, chan_counter(&self->c, NETCHANNEL_TX_COPIED));
}

/* Filled in by kernel or device, whatever the field holds before. */
TEST_F(tx, checksum)
{
	struct netchannel_tx_desc *desc;
	uint16_t right;

	if (!has_ports(variant->protocol))
		return;		/* no checksum that the kernel knows */
	right = variant->protocol == IPPROTO_TCP ? packet_tcp_header(&self->p)->check :
						   packet_udp_header(&self->p)->check;
	desc = chan_fill(&self->c, self->flow, &self->p);
	desc->flags = NETCHANNEL_TX_CSUM;
	memset(self->c.tx_inline + self->p.transport +
	       (variant->protocol == IPPROTO_TCP ? 16 : 6), 0xa5, 2);
	ASSERT_EQ(0, chan_send_slot(&self->c));
	ASSERT_EQ(self->p.length, net_sniff(self->raw, &self->seen));
	EXPECT_TRUE(packet_checksum_right(&self->seen));
	EXPECT_EQ(right, variant->protocol == IPPROTO_TCP ?
			 packet_tcp_header(&self->seen)->check :
			 packet_udp_header(&self->seen)->check);
}

/* A batch leaves with one kick, in order. */
TEST_F(tx, batch)
{
	uint8_t *last = &self->p.data[self->p.transport + 20];
	int i;

	packet_grow(&self->p, 100);
	for (i = 0; i < 8; i++) {
		*last = i;
		packet_finish(&self->p);
		ASSERT_NE(NULL, chan_fill(&self->c, self->flow, &self->p));
		chan_submit(&self->c);
	}
	ASSERT_EQ(0, chan_kick(&self->c));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_KICKS));
	for (i = 0; i < 8; i++) {
		*last = i;
		packet_finish(&self->p);
		EXPECT_TRUE(net_sniffs(self->raw, &self->p));
		ASSERT_NE(NULL, chan_done(&self->c, i));
	}
	EXPECT_EQ(8, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
}

/* The ring wraps many times. */
TEST_F(tx, wraps)
{
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->p));
		ASSERT_TRUE(net_sniffs(self->raw, &self->p));
	}
}

TEST_F(tx, kick_of_empty_ring)
{
	EXPECT_EQ(0, chan_kick(&self->c));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
}

/* One more slot that is bad does not hold up those around it. */
TEST_F(tx, bad_one_among_good_ones)
{
	struct netchannel_tx_desc *desc;
	int i;

	for (i = 0; i < 3; i++) {
		desc = chan_fill(&self->c, self->flow, &self->p);
		desc->reserved0 = i == 1;
		chan_submit(&self->c);
	}
	ASSERT_EQ(0, chan_kick(&self->c));
	EXPECT_EQ(0, chan_done(&self->c, 0)->result);
	EXPECT_EQ(-EINVAL, chan_done(&self->c, 1)->result);
	EXPECT_EQ(0, chan_done(&self->c, 2)->result);
	EXPECT_EQ(2, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
}

TEST_F(tx, time_in_the_past_is_now)
{
	struct netchannel_tx_desc *desc = chan_fill(&self->c, self->flow, &self->p);

	desc->txtime = 1;
	EXPECT_EQ(0, chan_send_slot(&self->c));
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
}

/* --------------------------------------------------------- super-segments */

/* Cut by the stack below into segments that are right in themselves. */
static int segments(struct chan *c, uint32_t flow, const struct packet *whole,
		    int gso_type, int flags)
{
	struct netchannel_tx_desc *desc = chan_fill(c, flow, whole);

	desc->flags = NETCHANNEL_TX_CSUM | flags;
	desc->gso_type = gso_type;
	desc->gso_size = 1000;
	return chan_send_slot(c);
}

/* Reads @n bytes' worth of segments and compares them with @whole's payload. */
static int compare(int raw, struct packet *whole, struct packet *seen)
{
	uint8_t *want = packet_payload(whole);
	size_t header = want - whole->data, left = whole->length - header;
	size_t n, count = 0;

	while (left) {
		n = left < 1000 ? left : 1000;
		if (net_sniff(raw, seen) != (int)(header + n))
			return -1;
		if (!packet_checksum_right(seen))
			return -2;
		if (memcmp(packet_payload(seen), want, n))
			return -3;
		want += n;
		left -= n;
		count++;
	}
	return count;
}

TEST_F(tx, gso)
{
	int flags[] = { NETCHANNEL_TX_COPY, NETCHANNEL_TX_REFERENCE };
	int i, type = variant->protocol == IPPROTO_TCP ? NETCHANNEL_GSO_TCP :
						      NETCHANNEL_GSO_UDP;

	if (!has_ports(variant->protocol))
		return;		/* nothing that the kernel could cut */
	packet_grow(&self->p, 30500);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, segments(&self->c, self->flow, &self->p, type, flags[i]));
		EXPECT_EQ(31, compare(self->raw, &self->p, &self->seen));
	}
	EXPECT_EQ(2, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
}

TEST_F(tx, gso_of_one_segment)
{
	int type = variant->protocol == IPPROTO_TCP ? NETCHANNEL_GSO_TCP :
						      NETCHANNEL_GSO_UDP;

	if (!has_ports(variant->protocol))
		return;		/* nothing that the kernel could cut */
	packet_grow(&self->p, 600);
	ASSERT_EQ(0, segments(&self->c, self->flow, &self->p, type, 0));
	EXPECT_EQ(1, compare(self->raw, &self->p, &self->seen));
}

/*
 * The largest that IP can say: IPv4 counts its header, IPv6 does not.  Copied, since
 * else each segment is a page by itself, and not all fit the socket that sniffs.
 */
TEST_F(tx, gso_largest_packet)
{
	if (variant->protocol != IPPROTO_TCP)
		return;		/* UDP allows fewer segments */
	packet_grow(&self->p, 65535);
	ASSERT_EQ(0, segments(&self->c, self->flow, &self->p, NETCHANNEL_GSO_TCP,
			      NETCHANNEL_TX_COPY));
	EXPECT_EQ((65535 - self->p.transport - 20 + 999) / 1000,
		  compare(self->raw, &self->p, &self->seen));
}

TEST_HARNESS_MAIN
