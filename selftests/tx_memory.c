// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of packets that a queue holds are charged to the authority socket, and
 * keep it.  That they are bounded is not tested yet: netem disowns what it holds.
 */
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(memory) {
	struct net net;
	struct chan c;
	struct packet p;
	struct netchannel_bind b;
};

FIXTURE_VARIANT(memory) {
	int type;
	int protocol;
	const char *here;
	const char *peer;
};

FIXTURE_VARIANT_ADD(memory, udp4) { SOCK_DGRAM, IPPROTO_UDP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(memory, tcp6) { SOCK_STREAM, IPPROTO_TCP, HERE6, PEER6 };

FIXTURE_SETUP(memory)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 64));
	bind_init(&self->b, variant->protocol, variant->here, 7, variant->peer, 9);
	self->b.sock_fd = net_socket(self->net.here, variant->type, variant->here, 7);
	ASSERT_LE(0, self->b.sock_fd);
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	packet_init(&self->p, variant->protocol, variant->here, 7,
		    variant->peer, 9, "", 0);
	packet_grow(&self->p, 1400);
}

FIXTURE_TEARDOWN(memory)
{
	chan_destroy(&self->c);
}

/* The socket outlives flow and file, until the last packet is gone. */
TEST_F(memory, outlives_the_channel)
{
	ASSERT_EQ(0, net_run(self->net.here, "tc qdisc add dev " HERE_DEV
			     " root netem delay 1s"));
	EXPECT_EQ(0, chan_send(&self->c, self->b.flow_id, &self->p));
	close(self->b.sock_fd);
	EXPECT_EQ(0, chan_unbind(&self->c, self->b.flow_id));
	usleep(1500000);
}

TEST_HARNESS_MAIN
