// SPDX-License-Identifier: GPL-2.0
/* Several flows of one channel, several channels beside each other, protocols. */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(multiflow) {
	struct net net;
	struct chan c;
	int raw;
	struct packet p;
};

FIXTURE_VARIANT(multiflow) {
	int hook;
};

FIXTURE_VARIANT_ADD(multiflow, late) { NETCHANNEL_HOOK_LATE };
FIXTURE_VARIANT_ADD(multiflow, early) { NETCHANNEL_HOOK_EARLY };

FIXTURE_SETUP(multiflow)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 16, 16));
	self->raw = net_raw(&self->net);
	ASSERT_LE(0, self->raw);
}

FIXTURE_TEARDOWN(multiflow)
{
	chan_destroy(&self->c);
}

static int64_t bind_cookie(struct chan *c, struct netchannel_bind *b, int hook,
			   uint64_t cookie)
{
	int error;

	b->hook = hook;
	b->cookie = cookie;
	error = chan_bind(c, b);
	return error ? error : (int64_t)b->flow_id;
}

/* TCP, UDP, another protocol, both families: each with its cookie and its id. */
TEST_F(multiflow, each_has_its_cookie)
{
	int protocol[] = { IPPROTO_TCP, IPPROTO_UDP, 253 };
	struct netchannel_rx_desc *desc;
	struct netchannel_bind b;
	int64_t id[6];
	int i;

	for (i = 0; i < 6; i++) {
		bool ports = i % 3 < 2;

		bind_init(&b, protocol[i % 3], i < 3 ? HERE4 : HERE6,
			  ports ? 7 : 0, i < 3 ? PEER4 : PEER6, ports ? 9 : 0);
		id[i] = bind_cookie(&self->c, &b, variant->hook, 100 + i);
		ASSERT_LE(0, id[i]);
	}
	for (i = 5; i >= 0; i--) {
		packet_init(&self->p, protocol[i % 3], i < 3 ? PEER4 : PEER6, 9,
			    i < 3 ? HERE4 : HERE6, 7, "payload", 7);
		ASSERT_EQ(0, net_inject(self->raw, &self->p));
		desc = chan_recv(&self->c);
		ASSERT_NE(NULL, desc);
		EXPECT_EQ(100 + i, desc->cookie);
		EXPECT_EQ(id[i], desc->flow_id);
		EXPECT_EQ(self->p.length, desc->length);
		EXPECT_EQ(0, memcmp(self->p.data, chan_bytes(&self->c, desc),
				    desc->length));
	}
}

TEST_F(multiflow, unbind_takes_only_one)
{
	struct netchannel_bind b;
	int64_t id[3];
	int i;

	for (i = 0; i < 3; i++) {
		bind_init(&b, IPPROTO_UDP, HERE4, 7 + i, PEER4, 9);
		id[i] = bind_cookie(&self->c, &b, variant->hook, i);
		ASSERT_LE(0, id[i]);
	}
	ASSERT_EQ(0, chan_unbind(&self->c, id[1]));
	for (i = 0; i < 3; i++) {
		packet_udp(&self->p, PEER4, 9, HERE4, 7 + i, "x");
		ASSERT_EQ(0, net_inject(self->raw, &self->p));
	}
	EXPECT_EQ(0, chan_recv(&self->c)->cookie);
	EXPECT_EQ(2, chan_recv(&self->c)->cookie);
	EXPECT_EQ(NULL, chan_peek(&self->c));
}

/* The filter in front of the table knows ports, not flows. */
TEST_F(multiflow, unbind_takes_only_one_of_a_port)
{
	const struct netchannel_rx_desc *desc;
	struct netchannel_bind b;
	int64_t id[2];
	int i;

	for (i = 0; i < 2; i++) {
		bind_init(&b, IPPROTO_UDP, HERE4, 7, PEER4, 9 + i);
		id[i] = bind_cookie(&self->c, &b, variant->hook, i);
		ASSERT_LE(0, id[i]);
	}
	ASSERT_EQ(0, chan_unbind(&self->c, id[0]));
	packet_udp(&self->p, PEER4, 10, HERE4, 7, "x");
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(1, desc->cookie);
}

/* Many flows, to make the table grow, of several channels. */
TEST_F_TIMEOUT(multiflow, many_flows_of_many_channels, 120)
{
	struct chan many[8];
	struct netchannel_bind b;
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, chan_create(&many[i], 128, 1));
	for (i = 0; i < 800; i++) {
		bind_init(&b, IPPROTO_UDP, HERE4, 1000 + i, PEER4, 9);
		ASSERT_LE(0, bind_cookie(&many[i % 8], &b, variant->hook, i));
	}
	for (i = 0; i < 800; i++) {
		packet_udp(&self->p, PEER4, 9, HERE4, 1000 + i, "x");
		ASSERT_EQ(0, net_inject(self->raw, &self->p));
	}
	for (i = 0; i < 800; i++)
		ASSERT_EQ(i, chan_recv(&many[i % 8])->cookie);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(100, chan_counter(&many[i], NETCHANNEL_RX_PACKETS));
		chan_destroy(&many[i]);
	}
}

/* The loopback is a device like any other. */
TEST_F(multiflow, loopback)
{
	int sock = net_socket(self->net.here, SOCK_DGRAM, "127.0.0.1", 9);
	struct netchannel_rx_desc *desc;
	struct netchannel_bind b;

	bind_init(&b, IPPROTO_UDP, "127.0.0.1", 7, "127.0.0.1", 9);
	ASSERT_LE(0, bind_cookie(&self->c, &b, variant->hook, 5));
	ASSERT_EQ(0, net_sendto(sock, "to myself", "127.0.0.1", 7));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(28 + 9, desc->length);
	EXPECT_EQ(1, desc->ifindex);
	packet_udp(&self->p, "127.0.0.1", 7, "127.0.0.1", 9, "answer");
	EXPECT_EQ(0, chan_send(&self->c, b.flow_id, &self->p));
	EXPECT_TRUE(net_hears(sock, "answer"));
}

/* Both ends of a conversation may be channels. */
TEST_F(multiflow, channel_to_channel)
{
	struct netchannel_bind b;
	struct chan other;

	ASSERT_EQ(0, chan_create(&other, 4, 4));
	bind_init(&b, IPPROTO_UDP, "127.0.0.1", 7, "127.0.0.1", 9);
	ASSERT_LE(0, bind_cookie(&self->c, &b, variant->hook, 1));
	bind_init(&b, IPPROTO_UDP, "127.0.0.1", 9, "127.0.0.1", 7);
	ASSERT_LE(0, bind_cookie(&other, &b, variant->hook, 2));
	packet_udp(&self->p, "127.0.0.1", 9, "127.0.0.1", 7, "hello");
	EXPECT_EQ(0, chan_send(&other, b.flow_id, &self->p));
	EXPECT_TRUE(chan_expect(&self->c, &self->p));
	chan_destroy(&other);
}

TEST_HARNESS_MAIN
