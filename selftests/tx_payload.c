// SPDX-License-Identifier: GPL-2.0
/* Large payload: copied into memory that is used again, or referred to. */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define SIZE	30000		/* of a packet */
#define COUNT	40		/* packets: twice what the module keeps for copies */

FIXTURE(payload) {
	struct net net;
	struct chan c;
	struct chan peer;
	int64_t flow;
	int sock;
	struct packet p;
};

FIXTURE_SETUP(payload)
{
	int room = 2 * COUNT * SIZE;

	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, net_prepare(&self->net, self->net.here,
				 "ip link set " HERE_DEV " mtu 60000"));
	ASSERT_EQ(0, net_prepare(&self->net, self->net.peer,
				 "ip link set " PEER_DEV " mtu 60000"));
	ASSERT_EQ(0, chan_create(&self->c, 4, 8));
	self->flow = chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE4, 7,
			       PEER4, 9);
	ASSERT_LE(0, self->flow);
	self->sock = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 9);
	ASSERT_LE(0, self->sock);
	ASSERT_EQ(0, setsockopt(self->sock, SOL_SOCKET, SO_RCVBUFFORCE, &room,
				sizeof(room)));
	packet_init(&self->p, IPPROTO_UDP, HERE4, 7, PEER4, 9, "", 0);
	packet_grow(&self->p, SIZE);
}

FIXTURE_TEARDOWN(payload)
{
	close(self->sock);
	chan_destroy(&self->c);
}

/* A packet whose payload is all @byte: its result. */
static int send_bytes(struct chan *c, uint32_t flow, struct packet *p, int byte,
		      int flags)
{
	struct netchannel_tx_desc *desc;

	memset(packet_payload(p), byte, p->length - p->transport - 8);
	packet_finish(p);
	desc = chan_fill(c, flow, p);
	desc->flags = flags;
	return chan_send_slot(c);
}

static bool all_are(const uint8_t *bytes, size_t length, int byte)
{
	return bytes[0] == byte && !memcmp(bytes, bytes + 1, length - 1);
}

/* What a receiver has not read yet is not written over. */
TEST_F(payload, copies_stay_as_they_are)
{
	static uint8_t seen[SIZE];
	int i;

	for (i = 0; i < COUNT; i++)
		ASSERT_EQ(0, send_bytes(&self->c, self->flow, &self->p, i,
					NETCHANNEL_TX_COPY));
	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(SIZE - 28, recv(self->sock, seen, sizeof(seen), 0));
		EXPECT_TRUE(all_are(seen, SIZE - 28, i)) TH_LOG("packet %d", i);
	}
}

/*
 * The kernel's sockets want a copy of their own: tried once, then copied here.  And
 * once more if the kernel drops its routes meanwhile, as it does for news of a link.
 */
TEST_F(payload, copied_for_a_socket)
{
	static uint8_t seen[SIZE];
	uint64_t tried;
	int i;

	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(0, send_bytes(&self->c, self->flow, &self->p, i, 0));
		ASSERT_EQ(SIZE - 28, recv(self->sock, seen, sizeof(seen), 0));
		EXPECT_TRUE(all_are(seen, SIZE - 28, i));
	}
	tried = chan_counter(&self->c, NETCHANNEL_TX_ZEROCOPY);
	EXPECT_LE(1, tried);
	EXPECT_GE(4, tried);
	EXPECT_EQ(COUNT - tried, chan_counter(&self->c, NETCHANNEL_TX_COPIED));
}

/* A channel at device ingress does without. */
TEST_F(payload, uncopied_for_an_early_channel)
{
	struct netchannel_setup setup;
	struct netchannel_rx_desc *desc;
	int i;

	net_enter(self->net.peer);
	chan_setup_init(&setup, 4, 4);
	setup.rx_bytes = 2 * 65536;
	ASSERT_EQ(0, chan_create_with(&self->peer, &setup));
	ASSERT_LE(0, chan_flow(&self->peer, NETCHANNEL_HOOK_EARLY, IPPROTO_UDP, PEER4,
			       9, HERE4, 7));
	net_enter(self->net.here);
	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(0, send_bytes(&self->c, self->flow, &self->p, i, 0));
		desc = chan_recv(&self->peer);
		ASSERT_NE(NULL, desc);
		ASSERT_EQ(SIZE, desc->length);
		EXPECT_TRUE(all_are((uint8_t *)chan_bytes(&self->peer, desc) + 28,
				    SIZE - 28, i));
		chan_release(&self->peer, desc);
	}
	EXPECT_EQ(COUNT, chan_counter(&self->c, NETCHANNEL_TX_ZEROCOPY));
	chan_destroy(&self->peer);
}

TEST_HARNESS_MAIN
