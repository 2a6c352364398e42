// SPDX-License-Identifier: GPL-2.0
/* What read() and poll() tell besides packets: completions, FREEZE. */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(events) {
	struct net net;
	struct chan c;
	struct packet p;
	int64_t flow;
};

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, net_create(&self->net));
	/* Else it would answer that nobody listens there. */
	ASSERT_LE(0, net_raw(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE4,
			       7, PEER4, 9);
	ASSERT_LE(0, self->flow);
	packet_udp(&self->p, HERE4, 7, PEER4, 9, "completes at once");
}

FIXTURE_TEARDOWN(events)
{
	chan_destroy(&self->c);
}

static void wants(struct chan *c, uint32_t wakeup)
{
	__atomic_store_n(&c->ctl->wakeup, wakeup, __ATOMIC_SEQ_CST);
}

static uint64_t soon(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec + 50000000;
}

static int readable(struct chan *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

TEST_F(events, poll_tells_of_a_completion_until_read)
{
	wants(&self->c, NETCHANNEL_WAKE_TX);
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->p));
	EXPECT_EQ(POLLIN, readable(&self->c));
	EXPECT_EQ(POLLIN, readable(&self->c));
	EXPECT_EQ(0, read(self->c.fd, NULL, 0));
	EXPECT_EQ(0, readable(&self->c));
}

/* As a stack does that sleeps in poll(): its read() does not sleep. */
TEST_F(events, read_uses_up_without_sleep)
{
	int i;

	wants(&self->c, NETCHANNEL_WAKE_TX);
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->p));
	EXPECT_EQ(POLLIN, readable(&self->c));
	for (i = 0; i < 2; i++) {	/* with an event, and without one */
		wants(&self->c, 0);
		self->c.ctl->deadline = 1;
		EXPECT_EQ(0, read(self->c.fd, NULL, 0));
		self->c.ctl->deadline = 0;
		wants(&self->c, NETCHANNEL_WAKE_TX);
		EXPECT_EQ(0, readable(&self->c));
	}
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_WAITS));
}

TEST_F(events, poll_tells_only_what_was_asked_for)
{
	wants(&self->c, NETCHANNEL_WAKE_RX);
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->p));
	EXPECT_EQ(0, readable(&self->c));
	wants(&self->c, NETCHANNEL_WAKE_TX);
	EXPECT_EQ(0, readable(&self->c));
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->p));
	wants(&self->c, NETCHANNEL_WAKE_RX);
	EXPECT_EQ(0, readable(&self->c));
}

/* It may be that read() itself that sends. */
TEST_F(events, read_tells_of_a_failure_unasked)
{
	struct netchannel_tx_desc *desc = chan_fill(&self->c, self->flow, &self->p);

	ASSERT_TRUE(desc != NULL);
	desc->flow_id = NETCHANNEL_FLOWS_MAX;
	chan_submit(&self->c);
	wants(&self->c, NETCHANNEL_WAKE_RX);
	self->c.ctl->deadline = soon();
	EXPECT_EQ(0, read(self->c.fd, NULL, 0));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_WAITS));
	EXPECT_EQ(-EPERM, chan_done(&self->c, 0)->result);
}

static int reads(void *argument)
{
	struct chan *c = argument;

	return read(c->fd, NULL, 0) ? errno : 0;
}

TEST_F(events, freeze_wakes_all)
{
	int child[] = { child_start(reads, &self->c), child_start(reads, &self->c) }, ms;

	for (ms = 0; ms < CHAN_TIMEOUT &&
		     chan_counter(&self->c, NETCHANNEL_WAITS) < 2; ms++)
		usleep(1000);
	ASSERT_EQ(0, chan_freeze(&self->c));
	EXPECT_EQ(0, child_wait(child[0]));
	EXPECT_EQ(0, child_wait(child[1]));
}

TEST_HARNESS_MAIN
