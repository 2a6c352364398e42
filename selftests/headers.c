// SPDX-License-Identifier: GPL-2.0
/*
 * IPv6 extension headers that the kernel looks at only behind local input, and
 * sources that cannot come from outside.
 */
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(headers) {
	struct net net;
	struct chan c;
	struct packet p;
	struct packet good;
	int raw;
};

FIXTURE_SETUP(headers)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
	packet_udp(&self->p, PEER6, 9, HERE6, 7, "behind other headers");
	packet_udp(&self->good, PEER6, 9, HERE6, 7, "good");
}

FIXTURE_TEARDOWN(headers)
{
	chan_destroy(&self->c);
}

/* What is not taken: the next thing in the ring is a good packet. */
static void expect_drops(struct __test_metadata *_metadata,
			 FIXTURE_DATA(headers) *self, unsigned int drops)
{
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	ASSERT_EQ(0, net_inject(self->raw, &self->good));
	EXPECT_TRUE(chan_expect(&self->c, &self->good));
	EXPECT_EQ(drops, chan_counter(&self->c, NETCHANNEL_RX_DROP_HEADER));
}

static void late_flow(struct __test_metadata *_metadata,
		      FIXTURE_DATA(headers) *self)
{
	ASSERT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE6,
			       7, "::/0", 0));
}

static void insert(struct packet *p, uint8_t protocol, const uint8_t header[8])
{
	packet_insert(p, header, 8);
	packet_ip6(p)->ip6_nxt = protocol;
}

TEST_F(headers, destination_options_are_dropped)
{
	static const uint8_t header[8] = { IPPROTO_UDP, 0, 1, 4 };

	late_flow(_metadata, self);
	insert(&self->p, IPPROTO_DSTOPTS, header);
	expect_drops(_metadata, self, 1);
}

TEST_F(headers, routing_that_is_done_is_dropped)
{
	static const uint8_t header[8] = { IPPROTO_UDP, 0, 4, 0 };

	late_flow(_metadata, self);
	insert(&self->p, IPPROTO_ROUTING, header);
	expect_drops(_metadata, self, 1);
}

TEST_F(headers, routing_that_is_not_done_is_left_to_the_kernel)
{
	static const uint8_t header[8] = { IPPROTO_UDP, 0, 4, 1 };

	late_flow(_metadata, self);
	insert(&self->p, IPPROTO_ROUTING, header);
	expect_drops(_metadata, self, 0);
}

TEST_F(headers, authentication_is_left_to_the_kernel)
{
	static const uint8_t header[8] = { IPPROTO_UDP, 0, 0, 0, 0, 0, 1, 0 };

	late_flow(_metadata, self);
	insert(&self->p, IPPROTO_AH, header);
	expect_drops(_metadata, self, 0);
}

/* The kernel has seen to those that come first only. */
TEST_F(headers, later_hop_by_hop_options_are_left_to_the_kernel)
{
	static const uint8_t last[8] = { IPPROTO_UDP, 0, 1, 4 };
	static const uint8_t first[8] = { IPPROTO_HOPOPTS, 0, 1, 4 };

	late_flow(_metadata, self);
	insert(&self->p, IPPROTO_HOPOPTS, first);
	packet_insert(&self->p, last, sizeof(last));
	expect_drops(_metadata, self, 0);
}

TEST_F(headers, early_martians_are_dropped)
{
	int64_t flow = chan_flow(&self->c, NETCHANNEL_HOOK_EARLY, IPPROTO_UDP,
				 HERE6, 7, "::/0", 0);

	ASSERT_LE(0, flow);
	packet_udp(&self->p, "::1", 9, HERE6, 7, "martian");
	expect_drops(_metadata, self, 1);
	packet_udp(&self->p, "ff02::1", 9, HERE6, 7, "martian");
	expect_drops(_metadata, self, 2);
	packet_udp(&self->good, PEER4, 9, HERE4, 7, "good");
	ASSERT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_EARLY, IPPROTO_UDP,
			       HERE4, 7, "0.0.0.0/0", 0));
	packet_udp(&self->p, "127.0.0.1", 9, HERE4, 7, "martian");
	expect_drops(_metadata, self, 3);
	packet_udp(&self->p, "224.0.0.1", 9, HERE4, 7, "martian");
	expect_drops(_metadata, self, 4);
}

TEST_HARNESS_MAIN
