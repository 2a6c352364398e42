// SPDX-License-Identifier: GPL-2.0
/*
 * What an owner without privilege does to its authority after BIND: whatever it
 * gives away, or shares with others, the channel loses.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define PORT		7000
#define ELSEWHERE	8000

FIXTURE(later) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
	struct packet out;
	int authority;
	int other;	/* somebody else's socket of the port */
	int peer;	/* at port 9 of the peer */
};

FIXTURE_VARIANT(later) {
	const char *any;
	const char *here;
	const char *peer;
	const char *loopback;
	const char *everybody;
};

FIXTURE_VARIANT_ADD(later, ip4) {
	"0.0.0.0", HERE4, PEER4, "127.0.0.1", "0.0.0.0/0",
};

FIXTURE_VARIANT_ADD(later, ip6) { "::", HERE6, PEER6, "::1", "::/0" };

FIXTURE_SETUP(later)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->peer = net_socket(self->net.peer, SOCK_DGRAM, variant->peer, 9);
	ASSERT_LE(0, self->peer);
	packet_udp(&self->out, variant->here, PORT, variant->peer, 9, "forged");
}

FIXTURE_TEARDOWN(later)
{
	chan_destroy(&self->c);
}

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
}

static int disconnect(int fd)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	return connect(fd, &unspec, sizeof(unspec));
}

/* A socket that may share PORT, if the others may. */
static int sharing_socket(int type, const char *text)
{
	struct timeval limit = { .tv_sec = CHAN_TIMEOUT / 1000 };
	struct address a = address(text, PORT);
	int fd = socket(a.any.sa_family, type, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	set(fd, SO_REUSEADDR, 1);
	return bind(fd, &a.any, a.length) ? -errno : fd;
}

/* A port that the kernel chose, so that it is not locked to the socket. */
static int chosen_port(int fd, const char *text)
{
	struct address a = address(text, 0);

	if (bind(fd, &a.any, a.length) ||
	    getsockname(fd, &a.any, &a.length))
		return -errno;
	return ntohs(((struct sockaddr_in *)&a.any)->sin_port);
}

/* BIND by somebody without privilege, who then does something else. */
struct attempt {
	struct chan *c;
	struct netchannel_bind *b;
	int (*then)(int fd, const char *where);
	int fd;
	const char *where;
};

static int attempt(void *argument)
{
	struct attempt *a = argument;
	int error = chan_bind(a->c, a->b);

	if (error)
		return -error;
	return a->then && a->then(a->fd, a->where) ? 98 : 0;
}

static int connect_and_back(int fd, const char *where)
{
	return net_connect(fd, where, ELSEWHERE) ?: disconnect(fd);
}

static int connect_elsewhere(int fd, const char *where)
{
	return net_connect(fd, where, ELSEWHERE);
}

static int bind_to_device(int fd, const char *device)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
			  strlen(device));
}

static int share(int fd, const char *where)
{
	return set(fd, SO_REUSEADDR, 1);
}

#define nobody_binds(then, where)					\
({									\
	struct attempt a = {						\
		&self->c, &self->b, then, self->authority, where,	\
	};								\
									\
	self->b.sock_fd = self->authority;				\
	child_nobody(attempt, &a);					\
})

/* a) The port that the kernel chose is kept after a disconnect. */
TEST_F(later, udp_port_is_kept)
{
	int port;

	self->authority = net_socket(self->net.here, SOCK_DGRAM, variant->any, 0);
	port = chosen_port(self->authority, variant->any);
	ASSERT_LT(0, port);
	bind_init(&self->b, IPPROTO_UDP, variant->here, port, variant->peer, 9);
	ASSERT_EQ(0, nobody_binds(connect_and_back, variant->peer));
	EXPECT_EQ(-EADDRINUSE, net_socket(self->net.here, SOCK_DGRAM,
					  variant->here, port));
	ASSERT_EQ(0, net_sendto(self->peer, "still ours", variant->here, port));
	EXPECT_NE(NULL, chan_recv(&self->c));
}

TEST_F(later, tcp_port_is_kept)
{
	int port, server;

	server = net_listen(self->net.here, variant->here, ELSEWHERE);
	ASSERT_LE(0, server);
	self->authority = net_socket(self->net.here, SOCK_STREAM, variant->any, 0);
	port = chosen_port(self->authority, variant->any);
	ASSERT_LT(0, port);
	bind_init(&self->b, IPPROTO_TCP, variant->here, port, variant->peer, 9);
	ASSERT_EQ(0, nobody_binds(connect_and_back, variant->here));
	EXPECT_EQ(-EADDRINUSE, net_socket(self->net.here, SOCK_STREAM,
					  variant->here, port));
}

/* b) A TCP socket that may share its port is no authority. */
TEST_F(later, tcp_with_reuse_is_refused)
{
	self->authority = sharing_socket(SOCK_STREAM, variant->any);
	ASSERT_LE(0, self->authority);
	bind_init(&self->b, IPPROTO_TCP, variant->here, PORT, variant->everybody, 0);
	EXPECT_EQ(EADDRINUSE, nobody_binds(NULL, NULL));
}

/* c) One that may later yields to a listener, even when it may not any more. */
TEST_F(later, tcp_yields_to_a_later_listener)
{
	int client = net_socket(self->net.peer, SOCK_STREAM, variant->peer, 0);

	self->authority = net_socket(self->net.here, SOCK_STREAM, variant->any, PORT);
	ASSERT_LE(0, self->authority);
	bind_init(&self->b, IPPROTO_TCP, variant->here, PORT, variant->everybody, 0);
	ASSERT_EQ(0, nobody_binds(share, NULL));
	self->other = sharing_socket(SOCK_STREAM, variant->any);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, listen(self->other, 1));
	ASSERT_EQ(0, set(self->authority, SO_REUSEADDR, 0));
	ASSERT_EQ(0, net_connect(client, variant->here, PORT));
	EXPECT_LE(0, accept(self->other, NULL, NULL));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_LE(2, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
}

/* With one peer only, too. */
TEST_F(later, udp_yields_to_a_later_socket)
{
	self->authority = net_socket(self->net.here, SOCK_DGRAM, variant->any, PORT);
	ASSERT_LE(0, self->authority);
	bind_init(&self->b, IPPROTO_UDP, variant->here, PORT, variant->peer, 9);
	ASSERT_EQ(0, nobody_binds(share, NULL));
	self->other = sharing_socket(SOCK_DGRAM, variant->here);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, set(self->authority, SO_REUSEADDR, 0));
	ASSERT_EQ(0, net_sendto(self->peer, "for the other", variant->here, PORT));
	EXPECT_TRUE(net_hears(self->other, "for the other"));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

/* d) What is bound to one device does not vouch for the others. */
TEST_F(later, bound_to_a_device)
{
	self->authority = net_socket(self->net.here, SOCK_DGRAM, variant->any, PORT);
	ASSERT_LE(0, self->authority);
	bind_init(&self->b, IPPROTO_UDP, variant->here, PORT, variant->peer, 9);
	ASSERT_EQ(0, nobody_binds(bind_to_device, "lo"));
	ASSERT_EQ(0, net_sendto(self->peer, "for nobody", variant->here, PORT));
	EXPECT_EQ(-EPERM, chan_send(&self->c, self->b.flow_id, &self->out));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_BAD_FLOW));
}

/* e) Nor does what has got one address by connect() vouch for any. */
TEST_F(later, connected_elsewhere)
{
	self->authority = net_socket(self->net.here, SOCK_DGRAM, variant->any, PORT);
	ASSERT_LE(0, self->authority);
	bind_init(&self->b, IPPROTO_UDP, variant->everybody, PORT, variant->peer, 9);
	ASSERT_EQ(0, nobody_binds(connect_elsewhere, variant->loopback));
	self->other = net_socket(self->net.here, SOCK_DGRAM, variant->here, PORT);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, net_sendto(self->peer, "for the other", variant->here, PORT));
	EXPECT_TRUE(net_hears(self->other, "for the other"));
	EXPECT_EQ(-EPERM, chan_send(&self->c, self->b.flow_id, &self->out));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_YIELDED));
}

/* With privilege the flow stays what it was. */
TEST_F(later, not_with_privilege)
{
	self->authority = net_socket(self->net.here, SOCK_DGRAM, variant->any, PORT);
	ASSERT_LE(0, self->authority);
	bind_init(&self->b, IPPROTO_UDP, variant->here, PORT, variant->peer, 9);
	self->b.sock_fd = self->authority;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, bind_to_device(self->authority, "lo"));
	ASSERT_EQ(0, net_sendto(self->peer, "for the channel", variant->here, PORT));
	EXPECT_NE(NULL, chan_recv(&self->c));
}

TEST_HARNESS_MAIN
