// SPDX-License-Identifier: GPL-2.0
/* VLANs: EARLY flows see the tag, LATE flows the device that took it off. */
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define VLAN_HERE	"10.5.0.1"
#define VLAN_PEER	"10.5.0.2"

FIXTURE(vlan) {
	struct net net;
	struct chan c;
	struct chan other;
	struct netchannel_bind b;
	int peer;
};

/* VLAN 5 over the veth pair, and the peer's socket in it. */
FIXTURE_SETUP(vlan)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, net_prepare(&self->net, self->net.here, "/bin/ip -batch - <<end\n"
		"link add link " HERE_DEV " name v5 type vlan id 5\n"
		"addr add " VLAN_HERE "/24 dev v5\n"
		"link set v5 up\n"
		"neigh add " VLAN_PEER " lladdr " PEER_MAC " dev v5\n"
		"end"));
	ASSERT_EQ(0, net_prepare(&self->net, self->net.peer, "/bin/ip -batch - <<end\n"
		"link add link " PEER_DEV " name v5 type vlan id 5\n"
		"addr add " VLAN_PEER "/24 dev v5\n"
		"link set v5 up\n"
		"neigh add " VLAN_HERE " lladdr " HERE_MAC " dev v5\n"
		"end"));
	self->peer = net_socket(self->net.peer, SOCK_DGRAM, VLAN_PEER, 9);
	ASSERT_LE(0, self->peer);
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	ASSERT_EQ(0, chan_create(&self->other, 4, 4));
	bind_init(&self->b, IPPROTO_UDP, VLAN_HERE, 7, VLAN_PEER, 9);
}

FIXTURE_TEARDOWN(vlan)
{
	chan_destroy(&self->c);
	chan_destroy(&self->other);
}

/* Sent again until it comes, as a device that has just come up may drop it. */
static struct netchannel_rx_desc *heard(struct chan *c, int peer)
{
	struct netchannel_rx_desc *desc;
	int i;

	for (i = 0; i < 100; i++) {
		net_sendto(peer, "tagged", VLAN_HERE, 7);
		desc = chan_poll(c, POLLIN, 50) ? chan_peek(c) : NULL;
		if (desc)
			return desc;
	}
	return NULL;
}

TEST_F(vlan, early_sees_tag)
{
	struct netchannel_rx_desc *desc;

	self->b.hook = NETCHANNEL_HOOK_EARLY;
	self->b.flow.vlan = 5;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	desc = heard(&self->c, self->peer);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(htons(0x8100), desc->vlan_proto);
	EXPECT_EQ(5, desc->vlan_tci & 0xfff);
	EXPECT_EQ(self->net.ifindex, desc->ifindex);
	EXPECT_EQ(28 + 6, desc->length);
}

/* It comes as the flow's packets do, but tagged no more where errors are looked at. */
TEST_F(vlan, early_is_told_of_errors)
{
	struct netchannel_rx_desc *desc;
	struct packet p;

	self->b.hook = NETCHANNEL_HOOK_EARLY;
	self->b.flow.vlan = 5;
	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_NE(NULL, heard(&self->c, self->peer));
	chan_drain(&self->c);
	close(self->peer);
	packet_udp(&p, VLAN_HERE, 7, VLAN_PEER, 9, "nobody there");
	EXPECT_EQ(0, chan_send(&self->c, self->b.flow_id, &p));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(NETCHANNEL_RX_ERROR, desc->type);
	EXPECT_EQ(self->b.flow_id, desc->flow_id);
}

TEST_F(vlan, early_on_lower_device)
{
	struct netchannel_rx_desc *desc;

	self->b.hook = NETCHANNEL_HOOK_EARLY;
	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	desc = heard(&self->c, self->peer);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(5, desc->vlan_tci & 0xfff);
}

/* No tag is left on the device on top. */
TEST_F(vlan, early_on_upper_device)
{
	struct netchannel_rx_desc *desc;

	self->b.hook = NETCHANNEL_HOOK_EARLY;
	self->b.flow.ifindex = if_nametoindex("v5");
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	desc = heard(&self->c, self->peer);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(0, desc->vlan_proto);
	EXPECT_EQ(if_nametoindex("v5"), desc->ifindex);
}

TEST_F(vlan, late)
{
	struct netchannel_rx_desc *desc;

	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	desc = heard(&self->c, self->peer);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(0, desc->vlan_proto);
	EXPECT_EQ(if_nametoindex("v5"), desc->ifindex);
}

/* The last rule of precedence. */
TEST_F(vlan, given_vlan_wins)
{
	struct netchannel_bind any;

	self->b.hook = NETCHANNEL_HOOK_EARLY;
	self->b.flow.ifindex = self->net.ifindex;
	any = self->b;
	self->b.flow.vlan = 5;
	ASSERT_EQ(0, chan_bind(&self->other, &any));
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	EXPECT_NE(NULL, heard(&self->c, self->peer));
	EXPECT_EQ(0, chan_counter(&self->other, NETCHANNEL_RX_PACKETS));
}

TEST_F(vlan, given_device_wins_over_given_vlan)
{
	struct netchannel_bind tag;

	self->b.hook = NETCHANNEL_HOOK_EARLY;
	tag = self->b;
	tag.flow.vlan = 5;
	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->other, &tag));
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	EXPECT_NE(NULL, heard(&self->c, self->peer));
	EXPECT_EQ(0, chan_counter(&self->other, NETCHANNEL_RX_PACKETS));
}

TEST_F(vlan, other_vlan_does_not_match)
{
	int sock = net_socket(self->net.here, SOCK_DGRAM, VLAN_HERE, 7);

	self->b.hook = NETCHANNEL_HOOK_EARLY;
	self->b.flow.vlan = 6;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_sendto(self->peer, "not yours", VLAN_HERE, 7));
	EXPECT_TRUE(net_hears(sock, "not yours"));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

/* Where a packet leaves is the route's matter: here with the tag. */
TEST_F(vlan, sends_by_route)
{
	struct packet p;

	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_NE(NULL, heard(&self->c, self->peer));
	packet_udp(&p, VLAN_HERE, 7, VLAN_PEER, 9, "answer");
	EXPECT_EQ(0, chan_send(&self->c, self->b.flow_id, &p));
	EXPECT_TRUE(net_hears(self->peer, "answer"));
}

TEST_HARNESS_MAIN
