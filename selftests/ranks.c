// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds of flows: each costs every packet a look-up, so there are few, and those
 * without privilege cannot take the last ones.
 */
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define PORT	7000
#define ALL	32
#define USER	16

FIXTURE(ranks) {
	struct net net;
	struct chan c;
	int authority;
};

FIXTURE_SETUP(ranks)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
	self->authority = net_socket(self->net.here, SOCK_DGRAM, HERE6, PORT);
	ASSERT_LE(0, self->authority);
}

FIXTURE_TEARDOWN(ranks)
{
	chan_destroy(&self->c);
}

/* The flow of a kind of its own for each length of the remote prefix. */
static int64_t flow(struct chan *c, int authority, int prefix)
{
	struct netchannel_bind b;
	char remote[32];
	int error;

	snprintf(remote, sizeof(remote), "::/%d", prefix);
	bind_init(&b, IPPROTO_UDP, HERE6, PORT, remote, 0);
	b.sock_fd = authority;
	error = chan_bind(c, &b);
	return error ? error : (int64_t)b.flow_id;
}

struct attempt {
	struct chan *c;
	int authority;
	int first;
};

/* How many kinds can be added. */
static int attempts(void *argument)
{
	struct attempt *a = argument;
	int n = 0;

	while (flow(a->c, a->authority, a->first + n) >= 0)
		n++;
	return n;
}

TEST_F(ranks, are_limited)
{
	struct attempt a = { &self->c, self->authority, 1 };

	EXPECT_EQ(USER, child_nobody(attempts, &a));
	a.first += USER;
	EXPECT_EQ(0, child_nobody(attempts, &a));
	EXPECT_EQ(ALL - USER, attempts(&a));
	EXPECT_EQ(-ENOSPC, flow(&self->c, self->authority, 100));
}

TEST_F(ranks, more_flows_of_a_kind)
{
	struct attempt a = { &self->c, self->authority, 1 };

	EXPECT_EQ(ALL, attempts(&a));
	EXPECT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP,
			       HERE6, PORT + 1, "::/1", 0));
	EXPECT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP,
			       HERE4, PORT + 1, "0.0.0.0/0", 0));
}

/* A kind ends with its last flow. */
TEST_F(ranks, come_back)
{
	struct attempt a = { &self->c, self->authority, 1 };
	int64_t second, first = flow(&self->c, self->authority, 64);
	struct packet p;

	second = chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE6,
			   PORT + 1, "fd00::/64", 0);
	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	EXPECT_EQ(ALL - 1, attempts(&a));
	ASSERT_EQ(0, chan_unbind(&self->c, first));
	EXPECT_EQ(-ENOSPC, flow(&self->c, self->authority, 100));
	packet_udp(&p, PEER6, 9, HERE6, PORT + 1, "still found");
	ASSERT_EQ(0, net_inject(net_raw(&self->net), &p));
	EXPECT_TRUE(chan_expect(&self->c, &p));
	ASSERT_EQ(0, chan_unbind(&self->c, second));
	EXPECT_LE(0, flow(&self->c, self->authority, 100));
}

TEST_HARNESS_MAIN
