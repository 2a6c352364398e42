// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that are not sent: the errno in the slot, the counter of the cause,
 * and nothing on the wire - the next thing that is seen there is a good packet.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(refused) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet good;
	struct packet bad;
	struct netchannel_tx_desc *desc;	/* filled in with bad */
};

FIXTURE_VARIANT(refused) {
	int protocol;
	const char *here;
	const char *peer;
	const char *other;
	int hook;
};

FIXTURE_VARIANT_ADD(refused, udp4) { IPPROTO_UDP, HERE4, PEER4, OTHER4 };
FIXTURE_VARIANT_ADD(refused, udp6) { IPPROTO_UDP, HERE6, PEER6, OTHER6 };
FIXTURE_VARIANT_ADD(refused, tcp4) { IPPROTO_TCP, HERE4, PEER4, OTHER4 };
FIXTURE_VARIANT_ADD(refused, tcp6) { IPPROTO_TCP, HERE6, PEER6, OTHER6 };
FIXTURE_VARIANT_ADD(refused, early_tcp4) {
	IPPROTO_TCP, HERE4, PEER4, OTHER4, NETCHANNEL_HOOK_EARLY,
};

FIXTURE_SETUP(refused)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, variant->hook, variant->protocol,
			       variant->here, 7, variant->peer, 9);
	ASSERT_LE(0, self->flow);
	packet_init(&self->good, variant->protocol, variant->here, 7,
		    variant->peer, 9, "good packet", 11);
	packet_init(&self->bad, variant->protocol, variant->here, 7,
		    variant->peer, 9, "bad packet that is no longer than this", 38);
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
}

FIXTURE_TEARDOWN(refused)
{
	chan_destroy(&self->c);
}

/* The slot as it stands is refused with @error and counted as @cause. */
#define EXPECT_REFUSED(error, cause)					\
do {									\
	EXPECT_EQ(-(error), chan_send_slot(&self->c));			\
	EXPECT_EQ(1, chan_counter(&self->c, cause));			\
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));	\
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->good));	\
	EXPECT_TRUE(net_sniffs(self->raw, &self->good));		\
	EXPECT_EQ(0, chan_status(&self->c));				\
} while (0)

/* The same for self->bad, after a change. */
#define EXPECT_PACKET_REFUSED(error, cause)				\
do {									\
	self->desc = chan_fill(&self->c, self->flow, &self->bad);	\
	EXPECT_REFUSED(error, cause);					\
} while (0)

/* --------------------------------------------------------- the descriptor */

/* Looked at before the packet, so one kind of packet is enough. */
FIXTURE(descriptor) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet good;
	struct packet bad;
	struct netchannel_tx_desc *desc;
};

FIXTURE_SETUP(descriptor)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	ASSERT_LE(0, self->flow);
	packet_udp(&self->good, HERE4, 7, PEER4, 9, "good packet");
	packet_udp(&self->bad, HERE4, 7, PEER4, 9, "bad packet, no longer than this");
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
}

FIXTURE_TEARDOWN(descriptor)
{
	chan_destroy(&self->c);
}

#define BAD_DESC(name, ...)						\
	TEST_F(descriptor, name)					\
	{								\
		struct netchannel_tx_desc *d = self->desc;		\
									\
		__VA_ARGS__;						\
		EXPECT_REFUSED(EINVAL, NETCHANNEL_TX_BAD_DESC);		\
	}

BAD_DESC(unknown_flag, d->flags = 1 << 3)
BAD_DESC(highest_flag, d->flags = 1 << 7)
BAD_DESC(copy_and_reference,
	 d->flags = NETCHANNEL_TX_COPY | NETCHANNEL_TX_REFERENCE)
BAD_DESC(reserved0, d->reserved0 = 1)
BAD_DESC(reserved1, d->reserved1 = 1)
BAD_DESC(reserved2, d->reserved2 = 1)
BAD_DESC(too_many_frags, d->nr_frags = NETCHANNEL_TX_FRAGS + 1)
BAD_DESC(all_frags, d->nr_frags = 255)
BAD_DESC(nothing_inline, d->inline_length = 0)
BAD_DESC(more_than_inline, d->inline_length = NETCHANNEL_TX_INLINE + 1)
BAD_DESC(half_ip_header_inline, d->inline_length = 19)
BAD_DESC(no_transport_header_inline, d->inline_length = self->bad.transport)
BAD_DESC(half_transport_header_inline,
	 d->inline_length = self->bad.transport + 7)
/* As many bytes less inline: the packet's length is not what is wrong here. */
BAD_DESC(frag_beyond_arena, d->nr_frags = 1; d->inline_length--;
	 d->frag[0].offset = self->c.setup.tx_bytes; d->frag[0].length = 1)
BAD_DESC(frag_runs_out_of_arena, d->nr_frags = 1; d->inline_length -= 2;
	 d->frag[0].offset = self->c.setup.tx_bytes - 1; d->frag[0].length = 2)
BAD_DESC(frag_sum_overflows, d->nr_frags = 1;
	 d->frag[0].offset = 4096; d->frag[0].length = -4095U)
BAD_DESC(frag_offset_wraps, d->nr_frags = 1; d->inline_length -= 2;
	 d->frag[0].offset = -1U; d->frag[0].length = 2)
BAD_DESC(frags_overflow_together, d->nr_frags = 2;
	 d->frag[0].length = 1 << 31; d->frag[1].length = 1 << 31)
BAD_DESC(shorter_than_ip_says, d->inline_length--)
BAD_DESC(longer_than_ip_says, d->inline_length++)

TEST_F(descriptor, unknown_flow)
{
	self->desc->flow_id = self->flow + 1;
	EXPECT_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

TEST_F(descriptor, unbound_flow)
{
	int64_t id = chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 8,
			       PEER4, 9);

	ASSERT_EQ(0, chan_unbind(&self->c, id));
	self->desc->flow_id = id;
	EXPECT_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

TEST_F(descriptor, flow_of_another_channel)
{
	struct chan other;
	int64_t id = -1;
	int i;

	ASSERT_EQ(0, chan_create(&other, 1, 1));
	for (i = 0; i < 3; i++)
		id = chan_flow(&other, 0, IPPROTO_UDP, HERE4,
			       100 + i, PEER4, 9);
	ASSERT_LE(0, id);
	self->desc->flow_id = id;
	EXPECT_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
	chan_destroy(&other);
}

/* -------------------------------------------------- the wrong conversation */

TEST_F(refused, foreign_local_port)
{
	packet_init(&self->bad, variant->protocol, variant->here, 8,
		    variant->peer, 9, "x", 1);
	EXPECT_PACKET_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

TEST_F(refused, foreign_remote_port)
{
	packet_init(&self->bad, variant->protocol, variant->here, 7,
		    variant->peer, 10, "x", 1);
	EXPECT_PACKET_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

TEST_F(refused, foreign_destination)
{
	packet_init(&self->bad, variant->protocol, variant->here, 7,
		    variant->other, 9, "x", 1);
	EXPECT_PACKET_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

TEST_F(refused, foreign_source)
{
	packet_init(&self->bad, variant->protocol, variant->other, 7,
		    variant->peer, 9, "x", 1);
	EXPECT_PACKET_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

TEST_F(refused, foreign_protocol)
{
	packet_init(&self->bad, variant->protocol == IPPROTO_TCP ? IPPROTO_UDP :
		    IPPROTO_TCP, variant->here, 7, variant->peer, 9, "x", 1);
	EXPECT_PACKET_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

TEST_F(refused, foreign_family)
{
	bool is4 = !strchr(variant->here, ':');

	packet_init(&self->bad, variant->protocol, is4 ? HERE6 : HERE4, 7,
		    is4 ? PEER6 : PEER4, 9, "x", 1);
	EXPECT_PACKET_REFUSED(EPERM, NETCHANNEL_TX_BAD_FLOW);
}

/* A flow with any local address still sends only from the host's own. */
static int64_t wide_flow(struct chan *c, int protocol, const char *here)
{
	const char *any = strchr(here, ':') ? "::/0" : "0.0.0.0/0";

	return chan_flow(c, 0, protocol, any, 70, any, 0);
}

static void from_source(struct packet *p, int protocol, const char *source,
			const char *peer)
{
	packet_init(p, protocol, source, 70, peer, 9, "x", 1);
}

#define BAD_SOURCE(name, source4, source6)				\
	TEST_F(refused, name)						\
	{								\
		bool is4 = !strchr(variant->here, ':');			\
		int64_t wide = wide_flow(&self->c, variant->protocol,	\
					 variant->here);		\
									\
		ASSERT_LE(0, wide);					\
		from_source(&self->bad, variant->protocol,		\
			    is4 ? source4 : source6, variant->peer);	\
		self->desc = chan_fill(&self->c, wide, &self->bad);	\
		EXPECT_REFUSED(EADDRNOTAVAIL, NETCHANNEL_TX_BAD_SOURCE); \
	}

BAD_SOURCE(source_of_another_host, "10.0.0.77", "fd00::77")
BAD_SOURCE(source_multicast, "224.0.0.1", "ff02::1")
BAD_SOURCE(source_unspecified, "0.0.0.0", "::")
BAD_SOURCE(source_broadcast, "10.0.0.255", "ff01::1")

TEST_F(refused, local_source_of_wide_flow_is_fine)
{
	int64_t wide = wide_flow(&self->c, variant->protocol, variant->here);

	from_source(&self->bad, variant->protocol, variant->here, variant->peer);
	EXPECT_EQ(0, chan_send(&self->c, wide, &self->bad));
	EXPECT_TRUE(net_sniffs(self->raw, &self->bad));
}

/* ------------------------------------------------------------ the headers */

static bool is_ip4(struct packet *p)
{
	return packet_ip(p)->version == 4;
}

TEST_F(refused, options_or_extension)
{
	static const uint8_t nop[4] = { 1, 1, 1, 0 };
	uint8_t hop_by_hop[8] = { variant->protocol, 0, 1, 4 };

	if (is_ip4(&self->bad)) {
		packet_insert(&self->bad, nop, 4);
	} else {
		packet_insert(&self->bad, hop_by_hop, 8);
		packet_ip6(&self->bad)->ip6_nxt = IPPROTO_HOPOPTS;
	}
	EXPECT_PACKET_REFUSED(EPROTONOSUPPORT, NETCHANNEL_TX_BAD_OPTIONS);
}

TEST_F(refused, routing_or_source_route)
{
	static const uint8_t lsrr[8] = { 131, 7, 4, 10, 0, 0, 3, 0 };
	uint8_t routing[8] = { variant->protocol, 0, 0, 0 };

	if (is_ip4(&self->bad)) {
		packet_insert(&self->bad, lsrr, 8);
	} else {
		packet_insert(&self->bad, routing, 8);
		packet_ip6(&self->bad)->ip6_nxt = IPPROTO_ROUTING;
	}
	EXPECT_PACKET_REFUSED(EPROTONOSUPPORT, NETCHANNEL_TX_BAD_OPTIONS);
}

static void make_fragment(struct packet *p, uint16_t offset_and_more)
{
	uint8_t header[8] = { p->protocol, 0, offset_and_more >> 5,
			      offset_and_more << 3 };

	if (is_ip4(p)) {
		packet_ip(p)->frag_off = htons(offset_and_more);
		packet_finish_ip(p);
		return;
	}
	header[3] = (header[3] & 0xf8) | !!(offset_and_more & 0x2000);
	packet_insert(p, header, 8);
	packet_ip6(p)->ip6_nxt = IPPROTO_FRAGMENT;
}

TEST_F(refused, first_fragment)
{
	make_fragment(&self->bad, 0x2000);
	EXPECT_PACKET_REFUSED(EPROTONOSUPPORT, NETCHANNEL_TX_BAD_FRAGMENT);
}

TEST_F(refused, later_fragment)
{
	make_fragment(&self->bad, 1);
	EXPECT_PACKET_REFUSED(EPROTONOSUPPORT, NETCHANNEL_TX_BAD_FRAGMENT);
}

TEST_F(refused, unknown_version)
{
	self->bad.data[0] = 0x55;
	EXPECT_PACKET_REFUSED(EINVAL, NETCHANNEL_TX_BAD_DESC);
}

TEST_F(refused, short_ip_header)
{
	if (!is_ip4(&self->bad))
		return;		/* IPv6 has no header length */
	self->bad.data[0] = 0x44;
	EXPECT_PACKET_REFUSED(EINVAL, NETCHANNEL_TX_BAD_DESC);
}

TEST_F(refused, ip_length_too_great)
{
	self->bad.data[is_ip4(&self->bad) ? 3 : 5]++;
	if (is_ip4(&self->bad))
		packet_finish_ip(&self->bad);
	EXPECT_PACKET_REFUSED(EINVAL, NETCHANNEL_TX_BAD_DESC);
}

TEST_F(refused, transport_length)
{
	uint8_t *header = self->bad.data + self->bad.transport;

	if (variant->protocol == IPPROTO_TCP)
		header[12] = 0x40;	/* shorter than any */
	else
		header[5]++;
	EXPECT_PACKET_REFUSED(EINVAL, NETCHANNEL_TX_BAD_DESC);
}

TEST_F(refused, tcp_header_beyond_packet)
{
	if (variant->protocol != IPPROTO_TCP)
		return;		/* of fixed length */
	packet_tcp(&self->bad, variant->here, 7, variant->peer, 9, PACKET_ACK);
	self->bad.data[self->bad.transport + 12] = 0xf0;
	EXPECT_PACKET_REFUSED(EINVAL, NETCHANNEL_TX_BAD_DESC);
}

/* --------------------------------------------------------- super-segments */

#define GSO(d, type, size)						\
	((d)->flags = NETCHANNEL_TX_CSUM, (d)->gso_type = (type),	\
	 (d)->gso_size = (size))
#define OWN_TYPE	\
	(variant->protocol == IPPROTO_TCP ? NETCHANNEL_GSO_TCP : NETCHANNEL_GSO_UDP)
#define OTHER_TYPE	\
	(variant->protocol == IPPROTO_TCP ? NETCHANNEL_GSO_UDP : NETCHANNEL_GSO_TCP)

#define BAD_GSO(name, ...)						\
	TEST_F(refused, name)						\
	{								\
		struct netchannel_tx_desc *d;				\
									\
		packet_grow(&self->bad, 40000);				\
		d = self->desc = chan_fill(&self->c, self->flow, &self->bad); \
		__VA_ARGS__;						\
		EXPECT_REFUSED(EINVAL, NETCHANNEL_TX_BAD_GSO);		\
	}

BAD_GSO(gso_of_one_byte, GSO(d, OWN_TYPE, 1))
BAD_GSO(gso_of_nothing, GSO(d, OWN_TYPE, 0))
BAD_GSO(gso_of_other_protocol, GSO(d, OTHER_TYPE, 1000))
BAD_GSO(gso_without_checksum, GSO(d, OWN_TYPE, 1000); d->flags = 0)
BAD_GSO(gso_of_unknown_type, GSO(d, 3, 1000))
BAD_GSO(gso_size_without_type, GSO(d, NETCHANNEL_GSO_NONE, 1000))

TEST_F(refused, gso_segments_beyond_mtu)
{
	packet_grow(&self->bad, 40000);
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
	GSO(self->desc, OWN_TYPE, 1500);
	EXPECT_REFUSED(EMSGSIZE, NETCHANNEL_TX_TOO_BIG);
}

TEST_F(refused, gso_of_too_many_segments)
{
	if (variant->protocol != IPPROTO_UDP)
		return;		/* the floor of the size keeps TCP's number low */
	packet_grow(&self->bad, 65000);
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
	GSO(self->desc, OWN_TYPE, 64);
	EXPECT_REFUSED(EINVAL, NETCHANNEL_TX_BAD_GSO);
}

/* A SYN cannot be cut, nor may urgent data. */
TEST_F(refused, gso_of_syn)
{
	if (variant->protocol != IPPROTO_TCP)
		return;		/* no flags */
	self->bad.data[self->bad.transport + 13] = PACKET_SYN;
	packet_grow(&self->bad, 5000);
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
	GSO(self->desc, OWN_TYPE, 1000);
	EXPECT_REFUSED(EINVAL, NETCHANNEL_TX_BAD_GSO);
}

/* ----------------------------------------------------------- path and size */

TEST_F(refused, larger_than_mtu)
{
	packet_grow(&self->bad, 1501);
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
	EXPECT_REFUSED(EMSGSIZE, NETCHANNEL_TX_TOO_BIG);
	EXPECT_EQ(1500, self->c.tx_done[0].info);
}

TEST_F(refused, larger_than_route_mtu)
{
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip route add %s dev " HERE_DEV
			     " mtu lock 1300", variant->peer));
	packet_grow(&self->bad, 1301);
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
	EXPECT_REFUSED(EMSGSIZE, NETCHANNEL_TX_TOO_BIG);
	EXPECT_EQ(1300, self->c.tx_done[0].info);
}

/* The device's MTU may change between one packet and the next. */
TEST_F(refused, larger_than_new_mtu)
{
	packet_grow(&self->bad, 1450);
	self->desc = chan_fill(&self->c, self->flow, &self->bad);
	ASSERT_EQ(0, chan_send_slot(&self->c));
	EXPECT_TRUE(net_sniffs(self->raw, &self->bad));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link set " HERE_DEV " mtu 1400"));
	EXPECT_EQ(-EMSGSIZE, chan_send(&self->c, self->flow, &self->bad));
	EXPECT_EQ(1400, self->c.tx_done[1].info);
}

TEST_F(refused, no_route)
{
	const char *far = is_ip4(&self->bad) ? "192.0.2.1" : "2001:db8::1";
	int64_t wide = wide_flow(&self->c, variant->protocol, variant->here);
	int result;

	from_source(&self->bad, variant->protocol, variant->here, far);
	result = chan_send(&self->c, wide, &self->bad);
	EXPECT_TRUE(result == -ENETUNREACH || result == -EHOSTUNREACH);
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_NO_ROUTE));
}

/* A route that was in use goes away, and comes back. */
TEST_F(refused, route_taken_away)
{
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->good));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip route add unreachable %s%s",
			     variant->peer, is_ip4(&self->good) ? "/32" : "/128"));
	EXPECT_GT(0, chan_send(&self->c, self->flow, &self->good));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_NO_ROUTE));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip route del unreachable %s%s",
			     variant->peer, is_ip4(&self->good) ? "/32" : "/128"));
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->good));
}

/* An address that was the host's and is no longer. */
TEST_F(refused, address_taken_away)
{
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->good));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip addr add %s dev lo",
			     is_ip4(&self->good) ? "10.9.9.9/32" : "fd99::9/128"));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip addr del %s dev " HERE_DEV,
			     is_ip4(&self->good) ? HERE4 "/24" : HERE6 "/64"));
	EXPECT_GT(0, chan_send(&self->c, self->flow, &self->good));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_BAD_SOURCE) +
		     chan_counter(&self->c, NETCHANNEL_TX_NO_ROUTE));
}

TEST_HARNESS_MAIN
