// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds of flows: each costs every packet a look-up, so there are few, and those
 * without privilege can take neither the last ones nor those that most want.
 */
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define PORT	7000
#define ALL	32
#define ODD	8	/* without privilege, unless they are usual */

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
	int ifindex;
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

	EXPECT_EQ(ODD, child_nobody(attempts, &a));
	a.first += ODD;
	EXPECT_EQ(0, child_nobody(attempts, &a));
	EXPECT_EQ(ALL - ODD, attempts(&a));
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

/* Ports and addresses given or not: what most want, whatever others have. */
static int usual_ones(void *argument)
{
	static const struct { const char *remote; int port; } end[] = {
		{ PEER6, 9 }, { PEER6, 0 }, { "::/0", 9 }, { "::/0", 0 },
	};
	struct attempt *a = argument;
	struct netchannel_bind b;
	unsigned int i, n = 0;

	for (i = 0; i < 8; i++) {
		bind_init(&b, IPPROTO_UDP, HERE6, PORT, end[i / 2].remote,
			  end[i / 2].port);
		b.flow.ifindex = i % 2 ? a->ifindex : 0;
		b.sock_fd = a->authority;
		n += !chan_bind(a->c, &b);
	}
	return n;
}

TEST_F(ranks, usual_ones_are_there_for_all)
{
	struct attempt a = { &self->c, self->authority, 1, self->net.ifindex };

	EXPECT_EQ(ODD, child_nobody(attempts, &a));
	EXPECT_EQ(8, child_nobody(usual_ones, &a));
	a.first += ODD;
	EXPECT_EQ(ALL - ODD - 8, attempts(&a));
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
