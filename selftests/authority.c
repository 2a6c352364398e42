// SPDX-License-Identifier: GPL-2.0
/* BIND without privilege: what a socket vouches for, and what it does not. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"

FIXTURE(authority) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
	int sock;
};

FIXTURE_VARIANT(authority) {
	int type;
	int protocol;
	const char *here;
	const char *other;	/* another address of this host */
	const char *peer;
	const char *any;
};

FIXTURE_VARIANT_ADD(authority, udp4) {
	SOCK_DGRAM, IPPROTO_UDP, HERE4, "127.0.0.1", PEER4, "0.0.0.0",
};

FIXTURE_VARIANT_ADD(authority, udp6) {
	SOCK_DGRAM, IPPROTO_UDP, HERE6, "::1", PEER6, "::",
};

FIXTURE_VARIANT_ADD(authority, tcp4) {
	SOCK_STREAM, IPPROTO_TCP, HERE4, "127.0.0.1", PEER4, "0.0.0.0",
};

FIXTURE_VARIANT_ADD(authority, tcp6) {
	SOCK_STREAM, IPPROTO_TCP, HERE6, "::1", PEER6, "::",
};

#define PORT 7000

FIXTURE_SETUP(authority)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	bind_init(&self->b, variant->protocol, variant->here, PORT,
		  variant->peer, 9);
	self->sock = net_socket(self->net.here, variant->type, variant->here, PORT);
	ASSERT_LE(0, self->sock);
}

FIXTURE_TEARDOWN(authority)
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

/* The errno (0: success) of a bind by a process without any privilege. */
static int nobody_binds(struct chan *c, struct netchannel_bind *b, int sock)
{
	struct attempt a = { c, b };

	b->sock_fd = sock;
	return child_nobody(attempt, &a);
}

TEST_F(authority, covers_exact_flow)
{
	EXPECT_EQ(0, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, covers_every_peer)
{
	self->b.flow.remote_prefix = 0;
	self->b.flow.remote_port = 0;
	memset(self->b.flow.remote, 0, 16);
	EXPECT_EQ(0, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, bound_to_any_covers_one_address)
{
	int any;

	close(self->sock);
	any = net_socket(self->net.here, variant->type, variant->any, PORT);
	ASSERT_LE(0, any);
	EXPECT_EQ(0, nobody_binds(&self->c, &self->b, any));
}

TEST_F(authority, bound_to_any_covers_any)
{
	int any;

	close(self->sock);
	any = net_socket(self->net.here, variant->type, variant->any, PORT);
	self->b.flow.local_prefix = 0;
	memset(self->b.flow.local, 0, 16);
	EXPECT_EQ(0, nobody_binds(&self->c, &self->b, any));
}

TEST_F(authority, is_needed)
{
	EXPECT_EQ(EPERM, nobody_binds(&self->c, &self->b, -1));
}

TEST_F(authority, does_not_lend_privilege)
{
	self->b.hook = NETCHANNEL_HOOK_EARLY;
	EXPECT_EQ(EPERM, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, of_wrong_port)
{
	self->b.flow.local_port = htons(PORT + 1);
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, of_every_port)
{
	self->b.flow.local_port = 0;
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, of_wrong_address)
{
	int other = net_socket(self->net.here, variant->type, variant->other, PORT);

	ASSERT_LE(0, other);
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, other));
}

TEST_F(authority, of_one_address_does_not_cover_any)
{
	self->b.flow.local_prefix = 0;
	memset(self->b.flow.local, 0, 16);
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, of_other_protocol)
{
	self->b.flow.protocol = variant->protocol == IPPROTO_TCP ?
				IPPROTO_UDP : IPPROTO_TCP;
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, of_other_family)
{
	bool is4 = self->b.flow.family == AF_INET;

	bind_init(&self->b, variant->protocol, is4 ? HERE6 : HERE4, PORT,
		  is4 ? PEER6 : PEER4, 9);
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, unbound)
{
	int unbound = net_socket(self->net.here, variant->type, variant->here, 0);

	ASSERT_LE(0, unbound);
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, unbound));
}

TEST_F(authority, connected)
{
	int server = net_listen(self->net.peer, variant->peer, 9);

	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(self->sock, variant->peer, 9));
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, self->sock));
}

TEST_F(authority, listening)
{
	if (variant->type != SOCK_STREAM)
		return;		/* a datagram socket cannot listen */
	ASSERT_EQ(0, listen(self->sock, 1));
	EXPECT_EQ(EACCES, nobody_binds(&self->c, &self->b, self->sock));
}

/* Two sockets that agreed to share the port: neither holds it alone. */
TEST_F(authority, of_shared_port)
{
	struct address a = address(variant->here, PORT + 1);
	int i, socks[2], one = 1;

	for (i = 0; i < 2; i++) {
		socks[i] = net_socket(self->net.here, variant->type, variant->here, 0);
		ASSERT_EQ(0, setsockopt(socks[i], SOL_SOCKET, SO_REUSEPORT, &one,
					sizeof(one)));
		ASSERT_EQ(0, bind(socks[i], &a.any, a.length));
	}
	self->b.flow.local_port = htons(PORT + 1);
	EXPECT_EQ(EADDRINUSE, nobody_binds(&self->c, &self->b, socks[0]));
	EXPECT_EQ(EADDRINUSE, nobody_binds(&self->c, &self->b, socks[1]));
}

/* Privilege does not help a socket that is no authority. */
TEST_F(authority, is_checked_with_privilege_too)
{
	self->b.flow.local_port = htons(PORT + 1);
	self->b.sock_fd = self->sock;
	EXPECT_EQ(-EACCES, chan_bind(&self->c, &self->b));
}

static int try_port(struct net *net, int type, const char *text)
{
	int fd = net_socket(net->here, type, text, PORT);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

TEST_F(authority, keeps_port_reserved)
{
	int i, free_again = -EADDRINUSE;

	self->b.sock_fd = self->sock;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	close(self->sock);
	EXPECT_EQ(-EADDRINUSE, try_port(&self->net, variant->type, variant->here));
	ASSERT_EQ(0, chan_unbind(&self->c, self->b.flow_id));
	for (i = 0; i < 500 && free_again; i++, usleep(10000))
		free_again = try_port(&self->net, variant->type, variant->here);
	EXPECT_EQ(0, free_again);
}

/* A port below 1024 needs privilege to get, and that is the socket's matter. */
TEST_F(authority, of_privileged_port)
{
	int low = net_socket(self->net.here, variant->type, variant->here, 80);

	ASSERT_LE(0, low);
	self->b.flow.local_port = htons(80);
	EXPECT_EQ(0, nobody_binds(&self->c, &self->b, low));
	EXPECT_EQ(EPERM, nobody_binds(&self->c, &self->b, -1));
}

TEST_F(authority, decides_the_namespace)
{
	int there = net_socket(self->net.peer, variant->type, variant->peer, PORT);
	struct netchannel_bind elsewhere;

	bind_init(&elsewhere, variant->protocol, variant->peer, PORT,
		  variant->here, 9);
	EXPECT_EQ(0, nobody_binds(&self->c, &self->b, self->sock));
	EXPECT_EQ(EXDEV, nobody_binds(&self->c, &elsewhere, there));
}

/* What is no TCP or UDP socket. */
FIXTURE(other) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
};

FIXTURE_SETUP(other)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	bind_init(&self->b, IPPROTO_UDP, HERE4, PORT, PEER4, 9);
}

FIXTURE_TEARDOWN(other)
{
	chan_destroy(&self->c);
}

TEST_F(other, unix_socket)
{
	self->b.sock_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT_EQ(-EACCES, chan_bind(&self->c, &self->b));
}

TEST_F(other, raw_socket)
{
	self->b.sock_fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	EXPECT_EQ(-EACCES, chan_bind(&self->c, &self->b));
}

TEST_F(other, protocol_takes_no_socket)
{
	bind_init(&self->b, 253, HERE4, 0, PEER4, 0);
	self->b.sock_fd = net_socket(self->net.here, SOCK_DGRAM, HERE4, PORT);
	EXPECT_EQ(-EACCES, chan_bind(&self->c, &self->b));
}

TEST_F(other, protocol_needs_privilege)
{
	bind_init(&self->b, 253, HERE4, 0, PEER4, 0);
	EXPECT_EQ(EPERM, nobody_binds(&self->c, &self->b, -1));
}

TEST_HARNESS_MAIN
