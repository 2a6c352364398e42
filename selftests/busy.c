// SPDX-License-Identifier: GPL-2.0
/*
 * Slots in flight: held in a queue of the device, by reference to the arena.
 *
 * kselftest-leaks
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define HOLD_MS 500	/* how long the queue holds a packet back */

FIXTURE(busy) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet p;
};

FIXTURE_VARIANT(busy) {
	const char *here;
	const char *peer;
};

FIXTURE_VARIANT_ADD(busy, ip4) { HERE4, PEER4 };
FIXTURE_VARIANT_ADD(busy, ip6) { HERE6, PEER6 };

/* Packets of 20000 bytes, so that their payload lies in the arena. */
FIXTURE_SETUP(busy)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, net_run(self->net.peer, "/bin/ip link set " PEER_DEV " mtu 65535"));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link set " HERE_DEV " mtu 65535"
		" && tc qdisc add dev " HERE_DEV " root netem delay %dms", HOLD_MS));
	ASSERT_EQ(0, chan_create(&self->c, 4, 2));
	self->flow = chan_flow(&self->c, 0, IPPROTO_UDP, variant->here, 7,
			       variant->peer, 9);
	ASSERT_LE(0, self->flow);
	self->raw = net_raw(&self->net);
	ASSERT_LE(0, self->raw);
	packet_udp(&self->p, variant->here, 7, variant->peer, 9, "x");
	packet_grow(&self->p, 20000);
}

FIXTURE_TEARDOWN(busy)
{
	chan_destroy(&self->c);
}

static int send_by_reference(struct chan *c, uint32_t flow, const struct packet *p)
{
	struct netchannel_tx_desc *desc = chan_fill(c, flow, p);

	if (!desc)
		return -EBUSY;
	desc->flags = NETCHANNEL_TX_REFERENCE;
	chan_submit(c);
	return chan_kick(c);
}

TEST_F(busy, slot_completes_when_sent)
{
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	EXPECT_FALSE(chan_is_done(&self->c, 0));
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
	ASSERT_NE(NULL, chan_done(&self->c, 0));
	EXPECT_EQ(0, self->c.tx_done[0].result);
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
}

/* A copy gives the memory back at once, whatever becomes of the packet. */
TEST_F(busy, copy_completes_at_once)
{
	struct netchannel_tx_desc *desc = chan_fill(&self->c, self->flow, &self->p);

	desc->flags = NETCHANNEL_TX_COPY;
	chan_submit(&self->c);
	ASSERT_EQ(0, chan_kick(&self->c));
	EXPECT_TRUE(chan_is_done(&self->c, 0));
	memset(self->c.tx_data, 0, self->c.setup.tx_data.length);
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_COPIED));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_TX_ZEROCOPY));
}

TEST_F(busy, resubmitted)
{
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	ASSERT_FALSE(chan_is_done(&self->c, 0));
	EXPECT_EQ(NULL, chan_reserve(&self->c));
	chan_submit(&self->c);
	EXPECT_EQ(-EPIPE, chan_kick(&self->c));
	EXPECT_EQ(NETCHANNEL_STATUS_BROKEN, chan_status(&self->c));
	EXPECT_EQ(NETCHANNEL_REASON_TX_BUSY, self->c.ctl->reason);
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
}

TEST_F(busy, pollout_comes_with_the_first_free_slot)
{
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	EXPECT_EQ(POLLOUT, chan_poll(&self->c, POLLOUT, 0));
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	EXPECT_EQ(0, chan_poll(&self->c, POLLOUT, 0));
	self->c.ctl->wakeup = NETCHANNEL_WAKE_TX;
	EXPECT_EQ(POLLOUT, chan_poll(&self->c, POLLOUT, CHAN_TIMEOUT));
	EXPECT_TRUE(chan_is_done(&self->c, 0));
}

TEST_F(busy, read_wakes_on_completion)
{
	self->c.ctl->wakeup = NETCHANNEL_WAKE_TX;
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	ASSERT_FALSE(chan_is_done(&self->c, 0));
	EXPECT_EQ(0, read(self->c.fd, NULL, 0));
	EXPECT_TRUE(chan_is_done(&self->c, 0));
}

/* Closed and unmapped in flight: the packet still leaves whole. */
TEST_F(busy, closed_in_flight)
{
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	chan_destroy(&self->c);
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
	ASSERT_EQ(0, chan_create(&self->c, 1, 1));
}

/* The device goes, and with it what it held: the slots come back. */
TEST_F(busy, device_removed_in_flight)
{
	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link del " HERE_DEV));
	EXPECT_NE(NULL, chan_done(&self->c, 0));
}

/*
 * Bytes in flight are the owner's to spoil, but not the headers, which were
 * checked on a copy.
 */
TEST_F(busy, headers_are_safe_in_flight)
{
	static struct packet seen;

	ASSERT_EQ(0, send_by_reference(&self->c, self->flow, &self->p));
	memset(self->c.tx_inline, 0xff, self->c.setup.tx_inline.length);
	memset(self->c.tx_data, 0xff, self->c.setup.tx_data.length);
	ASSERT_EQ(20000, net_sniff(self->raw, &seen));
	EXPECT_EQ(0, memcmp(seen.data, self->p.data, NETCHANNEL_TX_INLINE));
}

TEST_HARNESS_MAIN
