// SPDX-License-Identifier: GPL-2.0
/*
 * A flow bound without privilege yields to every other socket of the kernel; one
 * with privilege does not.
 */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(yield) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
	int authority;
	int other;	/* a second socket of the same port */
	int peer;
};

FIXTURE_VARIANT(yield) {
	const char *any;
	const char *here;
	const char *peer;
	const char *other;
};

FIXTURE_VARIANT_ADD(yield, ip4) { "0.0.0.0", HERE4, PEER4, OTHER4 };
FIXTURE_VARIANT_ADD(yield, ip6) { "::", HERE6, PEER6, OTHER6 };

#define PORT 7000

/* May be shared from now on: an authority must not be so when it binds. */
static void share(int fd)
{
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
}

static int shared_socket(int type, const char *text, uint16_t port)
{
	struct address a = address(text, port);
	struct timeval limit = { .tv_sec = CHAN_TIMEOUT / 1000 };
	int fd = socket(a.any.sa_family, type, 0);

	share(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return bind(fd, &a.any, a.length) ? -errno : fd;
}

FIXTURE_SETUP(yield)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	bind_init(&self->b, IPPROTO_UDP, variant->here, PORT,
		  strchr(variant->here, ':') ? "::/0" : "0.0.0.0/0", 0);
	self->authority = net_socket(self->net.here, SOCK_DGRAM, variant->here, PORT);
	ASSERT_LE(0, self->authority);
	self->b.sock_fd = self->authority;
	self->peer = net_socket(self->net.peer, SOCK_DGRAM, variant->peer, 9);
}

FIXTURE_TEARDOWN(yield)
{
	chan_destroy(&self->c);
}

struct attempt {
	struct chan *c;
	struct netchannel_bind *b;
};

static int attempt(void *argument)
{
	struct attempt *a = argument;

	return -chan_bind(a->c, a->b);
}

static int nobody_binds(struct chan *c, struct netchannel_bind *b)
{
	struct attempt a = { c, b };

	return child_nobody(attempt, &a);
}

/* Another socket of the port, connected to the peer, so better than any flow. */
static int connected_socket(struct __test_metadata *_metadata, const char *here,
			    const char *peer)
{
	int fd = shared_socket(SOCK_DGRAM, here, PORT);

	EXPECT_LE(0, fd);
	EXPECT_EQ(0, net_connect(fd, peer, 9));
	return fd;
}

TEST_F(yield, to_connected_udp_socket)
{
	ASSERT_EQ(0, nobody_binds(&self->c, &self->b));
	share(self->authority);
	self->other = connected_socket(_metadata, variant->here, variant->peer);
	ASSERT_EQ(0, net_sendto(self->peer, "for the other", variant->here, PORT));
	EXPECT_TRUE(net_hears(self->other, "for the other"));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
}

TEST_F(yield, what_the_other_socket_does_not_hear_is_taken)
{
	int stranger = net_socket(self->net.peer, SOCK_DGRAM, variant->other, 9);

	ASSERT_EQ(0, nobody_binds(&self->c, &self->b));
	share(self->authority);
	self->other = connected_socket(_metadata, variant->here, variant->peer);
	ASSERT_EQ(0, net_sendto(stranger, "for the channel", variant->here, PORT));
	EXPECT_NE(NULL, chan_recv(&self->c));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
}

TEST_F(yield, not_with_privilege)
{
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	share(self->authority);
	self->other = connected_socket(_metadata, variant->here, variant->peer);
	ASSERT_EQ(0, net_sendto(self->peer, "for the channel", variant->here, PORT));
	EXPECT_NE(NULL, chan_recv(&self->c));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
}

TEST_F(yield, not_to_the_authority_itself)
{
	ASSERT_EQ(0, nobody_binds(&self->c, &self->b));
	ASSERT_EQ(0, net_sendto(self->peer, "for the channel", variant->here, PORT));
	EXPECT_NE(NULL, chan_recv(&self->c));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
}

/* A connection of another TCP socket of the port works as if we were not there. */
TEST_F(yield, to_tcp_connection)
{
	int server = net_listen(self->net.peer, variant->peer, 80);

	net_spoil();	/* the connection outlives the test */
	self->authority = net_socket(self->net.here, SOCK_STREAM, variant->here, PORT);
	ASSERT_LE(0, self->authority);
	self->b.flow.protocol = IPPROTO_TCP;
	self->b.sock_fd = self->authority;
	ASSERT_EQ(0, nobody_binds(&self->c, &self->b));
	share(self->authority);
	self->other = shared_socket(SOCK_STREAM, variant->here, PORT);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, net_connect(self->other, variant->peer, 80));
	ASSERT_LE(0, accept(server, NULL, NULL));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_LE(1, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
}

TEST_F(yield, not_to_tcp_connection_with_privilege)
{
	int server = net_listen(self->net.peer, variant->peer, 80);

	ASSERT_LE(0, server);
	self->authority = net_socket(self->net.here, SOCK_STREAM, variant->here, PORT);
	self->b.flow.protocol = IPPROTO_TCP;
	self->b.sock_fd = self->authority;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	share(self->authority);
	self->other = shared_socket(SOCK_STREAM | SOCK_NONBLOCK, variant->here, PORT);
	ASSERT_LE(0, self->other);
	EXPECT_EQ(-EINPROGRESS, net_connect(self->other, variant->peer, 80));
	EXPECT_NE(NULL, chan_recv(&self->c));	/* its SYN ACK */
}

TEST_HARNESS_MAIN
