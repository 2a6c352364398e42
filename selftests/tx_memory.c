// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of packets that a queue holds are charged to the authority socket: no
 * more of them than the area is large, and all of it comes back.
 */
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define PACKETS	900	/* far more than the area has room for */

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
FIXTURE_VARIANT_ADD(memory, udp6) { SOCK_DGRAM, IPPROTO_UDP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(memory, tcp4) { SOCK_STREAM, IPPROTO_TCP, HERE4, PEER4 };
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

/* How many packets are sent, up to PACKETS; the error of the first that is not. */
static int send_many(struct chan *c, uint32_t flow, struct packet *p, int *error)
{
	int n;

	for (n = 0, *error = 0; n < PACKETS && !*error; n++)
		*error = chan_send(c, flow, p);
	return *error ? n - 1 : n;
}

/* Not netem: what it delays it takes off the socket's account. */
TEST_F(memory, is_bounded_and_comes_back)
{
	int error, sent;

	ASSERT_EQ(0, net_run(self->net.here, "tc qdisc add dev " HERE_DEV
			     " root tbf rate 8kbit burst 2000 limit 100000000"));
	sent = send_many(&self->c, self->b.flow_id, &self->p, &error);
	EXPECT_EQ(-ENOBUFS, error);
	EXPECT_LE(CHAN_TX_BYTES / 8192, sent);
	EXPECT_GE(CHAN_TX_BYTES / 1400 + 64, sent);
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_NO_MEM));
	ASSERT_EQ(0, net_run(self->net.here, "tc qdisc del dev " HERE_DEV
			     " root"));
	EXPECT_EQ(0, chan_send(&self->c, self->b.flow_id, &self->p));
}

/* What waits for ksoftirqd is waited for. */
TEST_F(memory, is_no_limit_without_a_queue)
{
	int error;

	EXPECT_EQ(PACKETS, send_many(&self->c, self->b.flow_id, &self->p, &error));
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
