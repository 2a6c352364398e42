// SPDX-License-Identifier: GPL-2.0
/* A channel in other hands: inherited by fork, or given away over a socket. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(passing) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet in;
	struct packet out;
};

FIXTURE_SETUP(passing)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	ASSERT_LE(0, self->flow);
	packet_udp(&self->in, PEER4, 9, HERE4, 7, "in");
	packet_udp(&self->out, HERE4, 7, PEER4, 9, "out");
}

FIXTURE_TEARDOWN(passing)
{
	chan_destroy(&self->c);
}

struct user {
	struct chan *c;
	uint32_t flow;
	int raw;
	struct packet *in;
	struct packet *out;
	int socket;
};

#define USER(self, sock)	\
	{ &(self)->c, (self)->flow, (self)->raw, &(self)->in, &(self)->out, sock }

/* With a mapping of its own (VM_DONTCOPY), from where the ring stands. */
static int use(struct user *u)
{
	if (chan_map(u->c))
		return 1;
	if (net_inject(u->raw, u->in) || !chan_expect(u->c, u->in))
		return 2;
	if (chan_send(u->c, u->flow, u->out) || !net_sniffs(u->raw, u->out))
		return 3;
	return 0;
}

static int child_uses(void *argument)
{
	return use(argument);
}

TEST_F(passing, forked_child_uses_channel)
{
	struct user u = USER(self, -1);

	EXPECT_EQ(0, child_wait(child_start(child_uses, &u)));
	self->c.rx_next = self->c.tx_next = 1;
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->out));
}

/* As long as anybody has it open, the flow lives. */
static int close_it(void *argument)
{
	close(((struct user *)argument)->c->fd);
	return 0;
}

TEST_F(passing, childs_close_changes_nothing)
{
	struct user u = USER(self, -1);

	EXPECT_EQ(0, child_wait(child_start(close_it, &u)));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
}

static int give(int socket, int fd, const struct netchannel_setup *setup)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { (void *)setup, sizeof(*setup) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(socket, &message, 0) < 0 ? -errno : 0;
}

static int take(int socket, struct netchannel_setup *setup)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { setup, sizeof(*setup) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, 0) < 0 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

/* A process that never had any right gets the channel, and uses it. */
static int nobody_takes_and_uses(void *argument)
{
	struct user *u = argument;
	struct netchannel_bind b;
	struct chan c = { .fd = -1 };

	close(u->c->fd);
	if (become_nobody())
		return 20;
	c.fd = take(u->socket, &c.setup);
	if (c.fd < 0)
		return 21;
	bind_init(&b, IPPROTO_UDP, HERE4, 8, PEER4, 9);
	if (chan_bind(&c, &b) != -EPERM || chan_unbind(&c, u->flow) != -EPERM)
		return 22;
	u->c = &c;
	return use(u);
}

TEST_F(passing, frozen_and_given_away)
{
	struct user u = USER(self, -1);
	int pair[2], pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	u.socket = pair[1];
	ASSERT_EQ(0, chan_freeze(&self->c));
	pid = child_start(nobody_takes_and_uses, &u);
	ASSERT_EQ(0, give(pair[0], self->c.fd, &self->c.setup));
	EXPECT_EQ(0, child_wait(pid));
}

/* On its way in a socket that nobody reads any more, it is closed. */
TEST_F(passing, lost_in_a_socket)
{
	struct chan other;
	int pair[2], i, error = -EADDRINUSE;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	ASSERT_EQ(0, give(pair[0], self->c.fd, &self->c.setup));
	chan_destroy(&self->c);
	ASSERT_EQ(0, chan_create(&other, 1, 1));
	EXPECT_EQ(-EADDRINUSE, chan_flow(&other, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9));
	close(pair[0]);
	close(pair[1]);
	for (i = 0; i < 500 && error == -EADDRINUSE; i++, usleep(10000))
		error = chan_flow(&other, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	EXPECT_LE(0, error);
	chan_destroy(&other);
	ASSERT_EQ(0, chan_create(&self->c, 1, 1));
}

static int owner_seen(void *argument)
{
	struct netchannel_stats s = { .size = sizeof(s) };
	struct user *u = argument;

	if (chan_ioctl(u->c->fd, NETCHANNEL_IOC_STATS, &s))
		return 1;
	return s.owner == getppid() ? 0 : 2;
}

TEST_F(passing, owner_is_who_did_the_setup)
{
	struct netchannel_stats s = { .size = sizeof(s) };
	struct user u = USER(self, -1);

	ASSERT_EQ(0, chan_ioctl(self->c.fd, NETCHANNEL_IOC_STATS, &s));
	EXPECT_EQ(getpid(), s.owner);
	EXPECT_EQ(0, child_wait(child_start(owner_seen, &u)));
}

TEST_HARNESS_MAIN
