// SPDX-License-Identifier: GPL-2.0
/*
 * kselftest-mode: smp
 *
 * Two processes answer each other over two channels and sleep in between, or spin
 * before they do: a lost wake-up stops them, and the harness' timeout tells.
 */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define ROUNDS 5000

FIXTURE(pingpong) {
	struct net net;
	struct chan c;
	int64_t flow;
};

FIXTURE_VARIANT(pingpong) {
	int hook;
	bool poll;
	unsigned int spin;
};

FIXTURE_VARIANT_ADD(pingpong, late_read) { NETCHANNEL_HOOK_LATE, false };
FIXTURE_VARIANT_ADD(pingpong, late_poll) { NETCHANNEL_HOOK_LATE, true };
FIXTURE_VARIANT_ADD(pingpong, late_spin) { NETCHANNEL_HOOK_LATE, false, CHAN_SPIN };
FIXTURE_VARIANT_ADD(pingpong, early_read) { NETCHANNEL_HOOK_EARLY, false };
FIXTURE_VARIANT_ADD(pingpong, early_poll) { NETCHANNEL_HOOK_EARLY, true };
FIXTURE_VARIANT_ADD(pingpong, early_spin) { NETCHANNEL_HOOK_EARLY, false, CHAN_SPIN };

FIXTURE_SETUP(pingpong)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_spin(variant->spin));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, variant->hook, IPPROTO_UDP, HERE4, 7,
			       PEER4, 9);
	ASSERT_LE(0, self->flow);
}

FIXTURE_TEARDOWN(pingpong)
{
	chan_destroy(&self->c);
	chan_spin(CHAN_SPIN);
}

static int play(struct chan *c, uint32_t flow, const struct packet *p,
		bool serves, bool use_poll)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (serves && !chan_wait(c, use_poll))
			return 1;
		while (!chan_fill(c, flow, p))
			;	/* the slot of four rounds ago */
		chan_submit(c);
		if ((use_poll || serves) && chan_kick(c))
			return 2;	/* else read() kicks */
		if (!serves && !chan_wait(c, use_poll))
			return 3;
	}
	return chan_kick(c) ? 4 : 0;
}

struct partner {
	struct net *net;
	int hook;
	bool poll;
	int ready[2];	/* a pipe */
};

static int answer(void *argument)
{
	struct partner *a = argument;
	struct packet p;
	struct chan c;
	int64_t flow;

	net_unpin();
	net_enter(a->net->peer);
	if (chan_create(&c, 4, 4))
		return 10;
	flow = chan_flow(&c, a->hook, IPPROTO_UDP, PEER4, 9, HERE4, 7);
	if (flow < 0)
		return 11;
	packet_udp(&p, PEER4, 9, HERE4, 7, "pong");
	if (write(a->ready[1], "", 1) != 1)
		return 12;
	return play(&c, flow, &p, true, a->poll);
}

TEST_F_TIMEOUT(pingpong, no_wakeup_is_lost, 300)
{
	struct partner partner = { &self->net, variant->hook, variant->poll };
	struct packet p;
	char byte;
	int pid;

	ASSERT_EQ(0, pipe(partner.ready));
	pid = child_start(answer, &partner);
	close(partner.ready[1]);
	ASSERT_EQ(1, read(partner.ready[0], &byte, 1));
	net_unpin();
	packet_udp(&p, HERE4, 7, PEER4, 9, "ping");
	EXPECT_EQ(0, play(&self->c, self->flow, &p, false, variant->poll));
	EXPECT_EQ(0, child_wait(pid));
	EXPECT_EQ(ROUNDS, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(ROUNDS, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
}

TEST_HARNESS_MAIN
