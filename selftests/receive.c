// SPDX-License-Identifier: GPL-2.0
/*
 * What comes in at the two hooks: malformed packets, trailing bytes, foreign
 * frames, fragments, options and extension headers.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(receive) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet good;
	struct packet p;
};

FIXTURE_VARIANT(receive) {
	int hook;
	int protocol;
	const char *here;
	const char *peer;
};

#define LATE	NETCHANNEL_HOOK_LATE
#define EARLY	NETCHANNEL_HOOK_EARLY

FIXTURE_VARIANT_ADD(receive, late_udp4) { LATE, IPPROTO_UDP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(receive, late_udp6) { LATE, IPPROTO_UDP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(receive, late_tcp4) { LATE, IPPROTO_TCP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(receive, early_udp4) { EARLY, IPPROTO_UDP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(receive, early_udp6) { EARLY, IPPROTO_UDP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(receive, early_tcp4) { EARLY, IPPROTO_TCP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(receive, early_tcp6) { EARLY, IPPROTO_TCP, HERE6, PEER6 };

FIXTURE_SETUP(receive)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 16, 4));
	self->flow = chan_flow(&self->c, variant->hook, variant->protocol,
			       variant->here, 7, variant->peer, 9);
	ASSERT_LE(0, self->flow);
	packet_init(&self->good, variant->protocol, variant->peer, 9,
		    variant->here, 7, "good", 4);
	packet_init(&self->p, variant->protocol, variant->peer, 9,
		    variant->here, 7, "something that may be bad", 25);
}

FIXTURE_TEARDOWN(receive)
{
	chan_destroy(&self->c);
}

static bool is_ip4(const struct packet *p)
{
	return p->data[0] >> 4 == 4;
}

/* Injected, and not in the ring when the next packet is. */
#define EXPECT_NOT_TAKEN()						\
do {									\
	ASSERT_EQ(0, net_inject(self->raw, &self->p));			\
	ASSERT_EQ(0, net_inject(self->raw, &self->good));		\
	EXPECT_TRUE(chan_expect(&self->c, &self->good));		\
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));	\
} while (0)

/* At ingress the module has to check by itself; behind that IP did. */
#define EXPECT_BAD_HEADER()						\
do {									\
	EXPECT_NOT_TAKEN();						\
	EXPECT_EQ(variant->hook == EARLY,				\
		  chan_counter(&self->c, NETCHANNEL_RX_DROP_HEADER));	\
} while (0)

TEST_F(receive, good)
{
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	EXPECT_TRUE(chan_expect(&self->c, &self->p));
}

TEST_F(receive, bad_ip_checksum)
{
	if (!is_ip4(&self->p))
		return;		/* IPv6 has none */
	packet_ip(&self->p)->check ^= 1;
	EXPECT_BAD_HEADER();
}

TEST_F(receive, longer_than_the_frame)
{
	self->p.length--;
	EXPECT_BAD_HEADER();
}

/* Frames are padded to 60 bytes: what follows the IP packet is not part of it. */
TEST_F(receive, trailing_bytes)
{
	struct netchannel_rx_desc *desc;
	uint32_t length = self->p.length;

	memset(self->p.data + length, 0xee, 40);
	self->p.length += 40;
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(length, desc->length);
	EXPECT_EQ(0, memcmp(self->p.data, chan_bytes(&self->c, desc), length));
}

/* Cut off at every length: never a byte that was not received. */
TEST_F(receive, truncated)
{
	unsigned int whole = self->p.length;

	for (self->p.length = 1; self->p.length < whole; self->p.length++)
		ASSERT_EQ(0, net_inject(self->raw, &self->p));
	ASSERT_EQ(0, net_inject(self->raw, &self->good));
	EXPECT_TRUE(chan_expect(&self->c, &self->good));
}

TEST_F(receive, bad_version)
{
	self->p.data[0] = is_ip4(&self->p) ? 0x55 : 0x50;
	EXPECT_NOT_TAKEN();
}

TEST_F(receive, bad_header_length)
{
	if (!is_ip4(&self->p))
		return;		/* fixed */
	packet_ip(&self->p)->ihl = 4;
	packet_finish_ip(&self->p);
	EXPECT_NOT_TAKEN();
}

/* To a MAC address of the caller's choice. */
static int inject_to(int raw, struct net *net, const struct packet *p,
		     const uint8_t *mac)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_halen = 6,
		.sll_protocol = htons(is_ip4(p) ? ETH_P_IP : ETH_P_IPV6),
	};

	memcpy(ll.sll_addr, mac, 6);
	net_enter(net->peer);
	ll.sll_ifindex = if_nametoindex(PEER_DEV);
	net_enter(net->here);
	return sendto(raw, p->data, p->length, 0, (void *)&ll, sizeof(ll)) < 0;
}

#define EXPECT_NOT_TAKEN_AT(mac)					\
do {									\
	ASSERT_EQ(0, inject_to(self->raw, &self->net, &self->p, mac));	\
	ASSERT_EQ(0, net_inject(self->raw, &self->good));		\
	EXPECT_TRUE(chan_expect(&self->c, &self->good));		\
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));	\
} while (0)

/* Another host's packet, as seen in promiscuous mode. */
TEST_F(receive, other_host)
{
	static const uint8_t other[] = { 2, 0, 0, 0, 0, 0x77 };

	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link set " HERE_DEV " promisc on"));
	EXPECT_NOT_TAKEN_AT(other);
}

/* Options: behind IP's own checks they are just bytes of the header. */
TEST_F(receive, options_or_extension)
{
	static const uint8_t nop[4] = { 1, 1, 1, 0 };
	uint8_t hop_by_hop[8] = { variant->protocol, 0, 1, 4 };
	struct netchannel_rx_desc *desc;

	if (is_ip4(&self->p)) {
		packet_insert(&self->p, nop, 4);
	} else {
		packet_insert(&self->p, hop_by_hop, 8);
		packet_ip6(&self->p)->ip6_nxt = IPPROTO_HOPOPTS;
	}
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(self->p.length, desc->length);
}

/* -------------------------------------------------------------- fragments */

/* Both hooks get the packet whole: EARLY leaves fragments to the kernel. */
TEST_F(receive, fragments)
{
	struct netchannel_rx_desc *desc;
	struct packet part;

	packet_grow(&self->p, 2000);
	packet_fragment(&part, &self->p, 0, 800, true);
	ASSERT_EQ(0, net_inject(self->raw, &part));
	packet_fragment(&part, &self->p, 1600, 2000 - self->p.transport, false);
	ASSERT_EQ(0, net_inject(self->raw, &part));
	EXPECT_EQ(NULL, chan_peek(&self->c));
	packet_fragment(&part, &self->p, 800, 1600, true);
	ASSERT_EQ(0, net_inject(self->raw, &part));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(2000, desc->length);
	EXPECT_EQ(0, memcmp((uint8_t *)chan_bytes(&self->c, desc) + self->p.transport,
			    self->p.data + self->p.transport,
			    2000 - self->p.transport));
}

TEST_F(receive, first_fragment_alone)
{
	struct packet part;

	packet_grow(&self->p, 2000);
	packet_fragment(&part, &self->p, 0, 800, true);
	self->p = part;
	EXPECT_NOT_TAKEN();
}

/* ------------------------------------------------- what is for everybody */

/* A flow of any local address does not take broadcasts and multicasts. */
TEST_F(receive, broadcast_is_not_taken)
{
	static const uint8_t everybody[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t all_nodes[] = { 0x33, 0x33, 0, 0, 0, 1 };
	bool ip4 = is_ip4(&self->p);

	if (variant->protocol != IPPROTO_UDP)
		return;		/* TCP has but one receiver */
	ASSERT_LE(0, chan_flow(&self->c, variant->hook, IPPROTO_UDP,
			       ip4 ? "0.0.0.0/0" : "::/0", 70,
			       ip4 ? "0.0.0.0/0" : "::/0", 0));
	packet_udp(&self->p, variant->peer, 9, ip4 ? "10.0.0.255" : "ff02::1", 70,
		   "everybody");
	EXPECT_NOT_TAKEN_AT(ip4 ? everybody : all_nodes);
}

TEST_HARNESS_MAIN
