// SPDX-License-Identifier: GPL-2.0
/*
 * Which of two overlapping flows gets a packet: the rules of struct
 * netchannel_flow, a row for each, and for each a row in which everything that
 * comes after it speaks for the loser.
 */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

struct end {
	const char *local;
	uint16_t local_port;
	const char *remote;
	uint16_t remote_port;
	bool device;
	int hook;
};

FIXTURE(precedence) {
	struct net net;
	struct chan winner;
	struct chan loser;
	int raw;
};

FIXTURE_VARIANT(precedence) {
	struct end winner;
	struct end loser;
};

#define RULE(name, ...)	\
	FIXTURE_VARIANT_ADD(precedence, name) { __VA_ARGS__ }

#define ANY4	"0.0.0.0/0"
#define ANY6	"::/0"
#define LATE	NETCHANNEL_HOOK_LATE
#define EARLY	NETCHANNEL_HOOK_EARLY

RULE(local_port, { ANY4, 7, ANY4, 0 }, { ANY4, 0, ANY4, 0 });
RULE(local_port_against_all_others,
     { ANY4, 7, ANY4, 0 }, { HERE4, 0, PEER4, 9, true });
RULE(local_address, { HERE4, 7, ANY4, 0 }, { ANY4, 7, ANY4, 0 });
RULE(local_prefix, { "10.0.0.0/25", 7, ANY4, 0 }, { "10.0.0.0/24", 7, ANY4, 0 });
RULE(local_prefix_against_all_others,
     { "10.0.0.0/25", 7, ANY4, 0 }, { "10.0.0.0/24", 7, PEER4, 9, true });
RULE(remote_address, { HERE4, 7, PEER4, 0 }, { HERE4, 7, ANY4, 0 });
RULE(remote_prefix, { HERE4, 7, "10.0.0.0/30", 0 }, { HERE4, 7, "10.0.0.0/29", 0 });
RULE(remote_prefix_against_all_others,
     { HERE4, 7, "10.0.0.0/30", 0 }, { HERE4, 7, "10.0.0.0/29", 9, true });
RULE(remote_port, { HERE4, 7, PEER4, 9 }, { HERE4, 7, PEER4, 0 });
RULE(remote_port_against_all_others,
     { HERE4, 7, PEER4, 9 }, { HERE4, 7, PEER4, 0, true });
RULE(device, { HERE4, 7, PEER4, 9, true }, { HERE4, 7, PEER4, 9 });

RULE(ipv6_local_port, { ANY6, 7, ANY6, 0 }, { HERE6, 0, PEER6, 9 });
RULE(ipv6_local_prefix, { "fd00::/65", 7, ANY6, 0 }, { "fd00::/64", 7, PEER6, 9 });
RULE(ipv6_remote_prefix, { HERE6, 7, "fd00::2/127", 0 }, { HERE6, 7, "fd00::/126", 9 });
RULE(ipv6_remote_port, { HERE6, 7, PEER6, 9 }, { HERE6, 7, PEER6, 0 });
RULE(ipv6_device, { HERE6, 7, PEER6, 9, true }, { HERE6, 7, PEER6, 9 });

/* One table for both hooks: the earlier hook has no precedence of its own. */
RULE(late_winner_early_loser,
     { HERE4, 7, PEER4, 9, false, LATE }, { HERE4, 7, ANY4, 0, false, EARLY });
RULE(early_winner_late_loser,
     { HERE4, 7, PEER4, 9, false, EARLY }, { HERE4, 7, ANY4, 0, false, LATE });
RULE(both_early, { HERE6, 7, PEER6, 9, false, EARLY },
     { ANY6, 7, ANY6, 0, false, EARLY });

/* The flow's id, or a negative errno. */
static int64_t bind_end(struct chan *c, const struct end *end, int ifindex)
{
	struct netchannel_bind b;
	int error;

	bind_init(&b, IPPROTO_UDP, end->local, end->local_port, end->remote,
		  end->remote_port);
	b.flow.ifindex = end->device ? ifindex : 0;
	b.hook = end->hook;
	error = chan_bind(c, &b);
	return error ? error : (int64_t)b.flow_id;
}

FIXTURE_SETUP(precedence)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->winner, 4, 4));
	ASSERT_EQ(0, chan_create(&self->loser, 4, 4));
}

FIXTURE_TEARDOWN(precedence)
{
	chan_destroy(&self->winner);
	chan_destroy(&self->loser);
}

static void make_packet(struct packet *p, const struct end *like)
{
	if (strchr(like->local, ':'))
		packet_udp(p, PEER6, 9, HERE6, 7, "whose?");
	else
		packet_udp(p, PEER4, 9, HERE4, 7, "whose?");
}

TEST_F(precedence, winner_bound_first)
{
	struct packet p;

	ASSERT_LE(0, bind_end(&self->winner, &variant->winner, self->net.ifindex));
	ASSERT_LE(0, bind_end(&self->loser, &variant->loser, self->net.ifindex));
	make_packet(&p, &variant->winner);
	ASSERT_EQ(0, net_inject(self->raw, &p));
	EXPECT_TRUE(chan_expect(&self->winner, &p));
	EXPECT_EQ(0, chan_counter(&self->loser, NETCHANNEL_RX_PACKETS));
}

/* The other order; and without the winner the loser gets what it matches. */
TEST_F(precedence, winner_bound_last)
{
	struct packet p;

	make_packet(&p, &variant->winner);
	ASSERT_LE(0, bind_end(&self->loser, &variant->loser, self->net.ifindex));
	ASSERT_EQ(0, net_inject(self->raw, &p));
	EXPECT_TRUE(chan_expect(&self->loser, &p));
	ASSERT_LE(0, bind_end(&self->winner, &variant->winner, self->net.ifindex));
	ASSERT_EQ(0, net_inject(self->raw, &p));
	EXPECT_TRUE(chan_expect(&self->winner, &p));
	EXPECT_EQ(1, chan_counter(&self->loser, NETCHANNEL_RX_PACKETS));
}

/* What had a winner before does not look for it again. */
TEST_F(precedence, winner_unbound)
{
	struct packet p;
	int64_t id;

	id = bind_end(&self->winner, &variant->winner, self->net.ifindex);
	ASSERT_LE(0, id);
	ASSERT_LE(0, bind_end(&self->loser, &variant->loser, self->net.ifindex));
	make_packet(&p, &variant->winner);
	ASSERT_EQ(0, net_inject(self->raw, &p));
	EXPECT_TRUE(chan_expect(&self->winner, &p));
	ASSERT_EQ(0, chan_unbind(&self->winner, id));
	ASSERT_EQ(0, net_inject(self->raw, &p));
	EXPECT_TRUE(chan_expect(&self->loser, &p));
	EXPECT_EQ(1, chan_counter(&self->winner, NETCHANNEL_RX_PACKETS));
}

/* What a flow does not match goes elsewhere: to the kernel's own sockets. */
FIXTURE(miss) {
	struct net net;
	struct chan c;
	int sock;
	int peer;
};

FIXTURE_VARIANT(miss) {
	struct end end;
	int hook;
};

#define MISS(name, ...)							\
	FIXTURE_VARIANT_ADD(miss, name) { { __VA_ARGS__ }, LATE };	\
	FIXTURE_VARIANT_ADD(miss, early_##name) { { __VA_ARGS__ }, EARLY }

MISS(local_port, HERE4, 8, ANY4, 0);
MISS(local_address, "10.0.0.9", 7, ANY4, 0);
MISS(local_prefix, "10.0.1.0/24", 7, ANY4, 0);
MISS(remote_address, HERE4, 7, OTHER4, 0);
MISS(remote_prefix, HERE4, 7, "10.0.0.4/30", 0);
MISS(remote_port, HERE4, 7, PEER4, 10);
MISS(family, HERE6, 7, ANY6, 0);

FIXTURE_SETUP(miss)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->sock = net_socket(self->net.here, SOCK_DGRAM, HERE4, 7);
	self->peer = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 9);
	ASSERT_LE(0, self->sock);
	ASSERT_LE(0, self->peer);
}

FIXTURE_TEARDOWN(miss)
{
	chan_destroy(&self->c);
}

TEST_F(miss, kernel_socket_hears_it)
{
	struct end end = variant->end;

	end.hook = variant->hook;
	ASSERT_LE(0, bind_end(&self->c, &end, 0));
	ASSERT_EQ(0, net_sendto(self->peer, "not yours", HERE4, 7));
	EXPECT_TRUE(net_hears(self->sock, "not yours"));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

TEST_F(miss, other_device)
{
	struct end end = { HERE4, 7, ANY4, 0, true, variant->hook };

	ASSERT_LE(0, bind_end(&self->c, &end, 1));	/* the loopback */
	ASSERT_EQ(0, net_sendto(self->peer, "not yours", HERE4, 7));
	EXPECT_TRUE(net_hears(self->sock, "not yours"));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

TEST_HARNESS_MAIN
