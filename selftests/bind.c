// SPDX-License-Identifier: GPL-2.0
/* NETCHANNEL_IOC_BIND and UNBIND: arguments and errors, with privilege. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"

FIXTURE(bind) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
};

FIXTURE_SETUP(bind)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	bind_init(&self->b, IPPROTO_UDP, HERE4, 7, PEER4, 9);
}

FIXTURE_TEARDOWN(bind)
{
	chan_destroy(&self->c);
}

static int bound_flows(struct chan *c)
{
	struct netchannel_stats s = { .size = sizeof(s) };

	return chan_ioctl(c->fd, NETCHANNEL_IOC_STATS, &s) ? -1 : (int)s.flows;
}

TEST_F(bind, exact)
{
	EXPECT_EQ(0, chan_bind(&self->c, &self->b));
	EXPECT_EQ(1, bound_flows(&self->c));
}

TEST_F(bind, ids_differ)
{
	struct netchannel_bind other = self->b;

	other.flow.local_port = 8;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, chan_bind(&self->c, &other));
	EXPECT_NE(self->b.flow_id, other.flow_id);
	EXPECT_EQ(2, bound_flows(&self->c));
}

/* Each of these is accepted. */
#define ACCEPTED(name, ...)						\
	TEST_F(bind, name)						\
	{								\
		struct netchannel_bind *b = &self->b;			\
		struct netchannel_flow *f = &b->flow;			\
									\
		(void)f;						\
		__VA_ARGS__;						\
		EXPECT_EQ(0, chan_bind(&self->c, b));			\
		EXPECT_EQ(1, bound_flows(&self->c));			\
	}

ACCEPTED(ipv6, bind_init(b, IPPROTO_TCP, HERE6, 7, PEER6, 9))
ACCEPTED(wildcard_remote, bind_init(b, IPPROTO_TCP, HERE4, 7, "0.0.0.0/0", 0))
ACCEPTED(wildcard_all, bind_init(b, IPPROTO_TCP, "0.0.0.0/0", 0, "0.0.0.0/0", 0))
ACCEPTED(prefixes, bind_init(b, IPPROTO_UDP, "10.0.0.0/24", 7, "10.0.0.0/31", 0))
ACCEPTED(ipv6_prefixes, bind_init(b, IPPROTO_UDP, "fd00::/64", 7, "fc00::/7", 0))
ACCEPTED(other_protocol, bind_init(b, 253, HERE4, 0, PEER4, 0))
ACCEPTED(icmp_protocol, bind_init(b, IPPROTO_ICMP, HERE4, 0, PEER4, 0))
ACCEPTED(device, f->ifindex = self->net.ifindex)
ACCEPTED(early, b->hook = NETCHANNEL_HOOK_EARLY)
ACCEPTED(early_vlan, b->hook = NETCHANNEL_HOOK_EARLY; f->vlan = 4094)
ACCEPTED(listen_peer, bind_init(b, IPPROTO_TCP, HERE4, 7, "0.0.0.0/0", 0);
	 b->flags = NETCHANNEL_BIND_LISTEN_PEER)

/* Each of these is refused, and leaves nothing behind. */
#define REFUSED(name, error, ...)					\
	TEST_F(bind, name)						\
	{								\
		struct netchannel_bind good = self->b;			\
		struct netchannel_bind *b = &self->b;			\
		struct netchannel_flow *f = &b->flow;			\
									\
		(void)f;						\
		__VA_ARGS__;						\
		EXPECT_EQ(-(error), chan_bind(&self->c, b));		\
		EXPECT_EQ(0, bound_flows(&self->c));			\
		EXPECT_EQ(0, chan_bind(&self->c, &good));		\
	}

REFUSED(unknown_flag, EINVAL, b->flags = 1U << 2)
REFUSED(highest_flag, EINVAL, b->flags = 1U << 31)
REFUSED(group_flag, EOPNOTSUPP, b->flags = NETCHANNEL_BIND_GROUP)
REFUSED(group_number, EOPNOTSUPP, b->group = 1)
REFUSED(frames_hook, EOPNOTSUPP, b->hook = NETCHANNEL_HOOK_FRAMES)
REFUSED(unknown_hook, EINVAL, b->hook = NETCHANNEL_HOOK_FRAMES + 1)
REFUSED(unknown_family, EINVAL, f->family = AF_UNIX)
REFUSED(no_family, EINVAL, f->family = 0)
REFUSED(no_protocol, EINVAL, f->protocol = 0)
REFUSED(reserved, EINVAL, f->reserved = 1)
REFUSED(local_prefix_too_long, EINVAL, f->local_prefix = 33)
REFUSED(remote_prefix_too_long, EINVAL, f->remote_prefix = 33)
REFUSED(ipv6_prefix_too_long, EINVAL,
	bind_init(b, IPPROTO_UDP, HERE6, 7, PEER6, 9); f->local_prefix = 129)
REFUSED(bits_beyond_local_prefix, EINVAL, f->local_prefix = 24)
REFUSED(bits_beyond_remote_prefix, EINVAL, f->remote_prefix = 24)
REFUSED(bits_beyond_ipv6_prefix, EINVAL,
	bind_init(b, IPPROTO_UDP, HERE6, 7, PEER6, 9); f->remote_prefix = 127;
	f->remote[15] = 3)
REFUSED(bytes_beyond_ipv4, EINVAL, f->local[4] = 1)
REFUSED(remote_bytes_beyond_ipv4, EINVAL, f->remote[15] = 1)
REFUSED(address_with_no_prefix, EINVAL, f->local_prefix = 0)
REFUSED(port_of_other_protocol, EINVAL, f->protocol = 253)
REFUSED(remote_port_of_other_protocol, EINVAL, f->protocol = 253;
	f->local_port = 0)
REFUSED(vlan_too_great, EINVAL, b->hook = NETCHANNEL_HOOK_EARLY; f->vlan = 4095)
REFUSED(vlan_with_tag_bits, EINVAL, b->hook = NETCHANNEL_HOOK_EARLY;
	f->vlan = 0x2001)
REFUSED(vlan_of_late, EINVAL, f->vlan = 5)
REFUSED(no_such_device, ENODEV, f->ifindex = 99999)
REFUSED(greatest_device_number, ENODEV, f->ifindex = UINT32_MAX)
REFUSED(socket_is_no_descriptor, EBADF, b->sock_fd = 9999)
REFUSED(socket_is_a_channel, ENOTSOCK, b->sock_fd = self->c.fd)
REFUSED(negative_descriptor, EINVAL, b->sock_fd = -2)
REFUSED(listen_peer_of_other_protocol, EINVAL,
	bind_init(b, 253, HERE4, 0, "0.0.0.0/0", 0);
	b->flags = NETCHANNEL_BIND_LISTEN_PEER)
REFUSED(listen_peer_without_port, EINVAL,
	bind_init(b, IPPROTO_TCP, HERE4, 0, "0.0.0.0/0", 0);
	b->flags = NETCHANNEL_BIND_LISTEN_PEER)

REFUSED(listen_peer_with_one_peer, EINVAL,
	bind_init(b, IPPROTO_TCP, HERE4, 7, PEER4, 9);
	b->flags = NETCHANNEL_BIND_LISTEN_PEER)

TEST_F(bind, same_flow_of_another_channel)
{
	struct chan other;

	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, chan_create(&other, 1, 1));
	EXPECT_EQ(-EADDRINUSE, chan_bind(&other, &self->b));
	EXPECT_EQ(0, chan_unbind(&self->c, self->b.flow_id));
	EXPECT_EQ(0, chan_bind(&other, &self->b));
	chan_destroy(&other);
}

/* One table for both hooks. */
TEST_F(bind, same_flow_at_the_other_hook)
{
	struct netchannel_bind early = self->b;
	struct chan other;

	early.hook = NETCHANNEL_HOOK_EARLY;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, chan_create(&other, 1, 1));
	EXPECT_EQ(-EADDRINUSE, chan_bind(&other, &early));
	chan_destroy(&other);
}

TEST_F(bind, same_flow_twice)
{
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	EXPECT_EQ(-EADDRINUSE, chan_bind(&self->c, &self->b));
	EXPECT_EQ(1, bound_flows(&self->c));
}

TEST_F(bind, flow_is_free_after_close)
{
	struct chan other;

	ASSERT_EQ(0, chan_create(&other, 1, 1));
	ASSERT_EQ(0, chan_bind(&other, &self->b));
	chan_destroy(&other);
	EXPECT_EQ(0, chan_bind(&self->c, &self->b));
}

TEST_F(bind, as_many_flows_as_allowed)
{
	int i;

	for (i = 0; i < NETCHANNEL_FLOWS_MAX; i++) {
		self->b.flow.local_port = htons(1000 + i);
		ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	}
	self->b.flow.local_port = htons(999);
	EXPECT_EQ(-ENOSPC, chan_bind(&self->c, &self->b));
	EXPECT_EQ(NETCHANNEL_FLOWS_MAX, bound_flows(&self->c));
	EXPECT_EQ(0, chan_unbind(&self->c, self->b.flow_id));
	EXPECT_EQ(0, chan_bind(&self->c, &self->b));
}

TEST_F(bind, unbind)
{
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	EXPECT_EQ(-ENOENT, chan_unbind(&self->c, self->b.flow_id + 1));
	EXPECT_EQ(0, chan_unbind(&self->c, self->b.flow_id));
	EXPECT_EQ(-ENOENT, chan_unbind(&self->c, self->b.flow_id));
	EXPECT_EQ(0, bound_flows(&self->c));
}

TEST_F(bind, unbind_before_bind)
{
	EXPECT_EQ(-ENOENT, chan_unbind(&self->c, 0));
	EXPECT_EQ(-ENOENT, chan_unbind(&self->c, UINT32_MAX));
}

TEST_F(bind, unbind_of_another_channel)
{
	struct chan other;

	ASSERT_EQ(0, chan_create(&other, 1, 1));
	ASSERT_EQ(0, chan_bind(&other, &self->b));
	EXPECT_EQ(-ENOENT, chan_unbind(&self->c, self->b.flow_id));
	chan_destroy(&other);
}

/* The header: on return no further packet of the flow is put into the ring. */
TEST_F(bind, nothing_comes_after_unbind)
{
	int peer = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 9);

	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_sendto(peer, "one", HERE4, 7));
	ASSERT_NE(NULL, chan_recv(&self->c));
	ASSERT_EQ(0, chan_unbind(&self->c, self->b.flow_id));
	net_sendto(peer, "two", HERE4, 7);
	EXPECT_EQ(NULL, chan_peek(&self->c));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

TEST_F(bind, after_freeze)
{
	struct netchannel_bind other = self->b;

	other.flow.local_port = htons(8);
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, chan_freeze(&self->c));
	EXPECT_EQ(-EPERM, chan_bind(&self->c, &other));
	EXPECT_EQ(-EPERM, chan_unbind(&self->c, self->b.flow_id));
	EXPECT_EQ(1, bound_flows(&self->c));
	EXPECT_EQ(NETCHANNEL_STATUS_FROZEN, chan_status(&self->c));
	EXPECT_EQ(NETCHANNEL_STATUS_FROZEN, self->c.ctl->status);
	EXPECT_EQ(0, chan_freeze(&self->c));
}

TEST_F(bind, of_broken_channel)
{
	self->c.ctl->tx_head = 1000;
	ASSERT_EQ(-EPIPE, chan_kick(&self->c));
	EXPECT_EQ(-EPIPE, chan_bind(&self->c, &self->b));
}

TEST_F(bind, freeze_flags)
{
	struct netchannel_freeze freeze = { .size = sizeof(freeze), .flags = 1 };

	EXPECT_EQ(-EINVAL, chan_ioctl(self->c.fd, NETCHANNEL_IOC_FREEZE, &freeze));
	EXPECT_EQ(0, chan_status(&self->c));
}

TEST_HARNESS_MAIN
