// SPDX-License-Identifier: GPL-2.0
/*
 * What a packet of no channel pays while others have flows for their ports: by the
 * instruction clock, beside hooks that do nothing (modules/empty_hook.c).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define PACKETS	100	/* less than a tick, so that most runs have none */
#define RUNS	200
#define BUDGET	80	/* instructions a packet, in both hooks */

FIXTURE(miss) {
	struct net net;
	int sock;
	int peer;
	int bare;	/* instructions of a packet, sent and received, without a hook */
};

FIXTURE_VARIANT(miss) {
	int hook;
	const char *argument;
};

FIXTURE_VARIANT_ADD(miss, late) { NETCHANNEL_HOOK_LATE, "" };
FIXTURE_VARIANT_ADD(miss, early) { NETCHANNEL_HOOK_EARLY, "device=" HERE_DEV };

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t time_packets(int from, int to)
{
	int64_t begin = now();
	char byte;
	int i;

	for (i = 0; i < PACKETS; i++)
		if (send(from, "x", 1, 0) != 1 || recv(to, &byte, 1, 0) != 1)
			abort();
	return now() - begin;
}

/* The least of the runs: the clock's own interrupts are in the others. */
static int cost(int from, int to)
{
	int64_t best = INT64_MAX, t;
	int i;

	for (i = 0; i < RUNS; i++) {
		t = time_packets(from, to);
		best = t < best ? t : best;
	}
	return best / PACKETS;
}

FIXTURE_SETUP(miss)
{
	if (slow_kernel())
		return;
	ASSERT_EQ(0, net_create(&self->net));
	self->sock = net_socket(self->net.here, SOCK_DGRAM, HERE4, 5000);
	self->peer = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 5001);
	ASSERT_EQ(0, net_connect(self->sock, PEER4, 5001));
	ASSERT_EQ(0, net_connect(self->peer, HERE4, 5000));
	sleep(20);	/* of the instruction clock: a kernel that has just booted is slower */
	cost(self->peer, self->sock);
	self->bare = cost(self->peer, self->sock);
}

FIXTURE_TEARDOWN(miss) { }

#define MODULE "/netchannel/empty_hook.ko"

TEST_F(miss, costs_little_and_then_nothing)
{
	struct chan c;
	int empty, ours;

	if (slow_kernel())
		SKIP(return, "what a debug kernel costs says nothing");
	ASSERT_EQ(0, net_run(self->net.here, "insmod " MODULE " %s", variant->argument));
	empty = cost(self->peer, self->sock);
	ASSERT_EQ(0, net_run(self->net.here, "rmmod empty_hook"));
	ASSERT_EQ(0, chan_create(&c, 4, 4));
	ASSERT_LE(0, chan_flow(&c, variant->hook, IPPROTO_UDP, HERE4, 7, PEER4, 9));
	ours = cost(self->peer, self->sock);
	TH_LOG("without a hook %d, empty %d, ours %d", self->bare, empty, ours);
	EXPECT_LT(self->bare, empty);
	EXPECT_LT(empty, ours);
	EXPECT_GE(BUDGET, ours - empty);
	chan_destroy(&c);
	EXPECT_GE(self->bare + 2, cost(self->peer, self->sock));
}

TEST_HARNESS_MAIN
