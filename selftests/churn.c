// SPDX-License-Identifier: GPL-2.0
/*
 * kselftest-mode: smp
 *
 * Flows that come and go on one CPU while another one gets their packets: each packet
 * is somebody's, and none that of a flow that is no more.
 */
#include <pthread.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define ROUNDS	500

FIXTURE(churn) {
	struct net net;
	struct chan any;
	struct chan one;
	int raw;
	struct packet p;
};

FIXTURE_VARIANT(churn) {
	int hook;
};

FIXTURE_VARIANT_ADD(churn, late) { NETCHANNEL_HOOK_LATE };
FIXTURE_VARIANT_ADD(churn, early) { NETCHANNEL_HOOK_EARLY };

FIXTURE_SETUP(churn)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->any, 64, 4));
	ASSERT_EQ(0, chan_create(&self->one, 64, 4));
	ASSERT_LE(0, chan_flow(&self->any, variant->hook, IPPROTO_UDP, HERE4, 7,
			       "0.0.0.0/0", 0));
	packet_udp(&self->p, PEER4, 9, HERE4, 7, "whose?");
}

FIXTURE_TEARDOWN(churn)
{
	chan_destroy(&self->one);
	chan_destroy(&self->any);
}

struct sender {
	int raw;
	const struct packet *p;
	uint64_t sent;
	bool stop;
};

static void *send_all(void *argument)
{
	struct sender *s = argument;

	net_pin(1);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		if (!net_inject(s->raw, s->p))
			s->sent++;
	return NULL;
}

/* Packets that were of a flow of the channel, whether there was room or not. */
static uint64_t seen(struct chan *c)
{
	return chan_counter(c, NETCHANNEL_RX_PACKETS) +
	       chan_counter(c, NETCHANNEL_RX_DROP_DEPTH) +
	       chan_counter(c, NETCHANNEL_RX_DROP_BYTES);
}

TEST_F_TIMEOUT(churn, under_traffic, 300)
{
	struct sender s = { .raw = self->raw, .p = &self->p };
	pthread_t thread;
	uint64_t all;
	int64_t id;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, send_all, &s));
	for (i = 0; i < ROUNDS; i++) {
		id = chan_flow(&self->one, variant->hook, IPPROTO_UDP, HERE4, 7,
			       PEER4, 9);
		ASSERT_LE(0, id);
		ASSERT_TRUE(chan_expect(&self->one, &self->p));
		chan_drain(&self->any);
		ASSERT_EQ(0, chan_unbind(&self->one, id));
		chan_drain(&self->one);
		ASSERT_TRUE(chan_expect(&self->any, &self->p));
		EXPECT_EQ(NULL, chan_peek(&self->one));
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	usleep(100000);		/* for the last ones, on the other CPU */
	/* Who found the flow that was being unbound lost his packet. */
	all = seen(&self->any) + seen(&self->one);
	EXPECT_LE(all, s.sent);
	EXPECT_LE(s.sent, all + ROUNDS);
	EXPECT_LE(ROUNDS, seen(&self->any));
	EXPECT_LE(ROUNDS, seen(&self->one));
}

TEST_HARNESS_MAIN
