// SPDX-License-Identifier: GPL-2.0
/* Network namespaces: one for each channel, and what happens when it goes. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(netns) {
	struct chan c;
	int home;
	int away;
};

FIXTURE_SETUP(netns)
{
	self->home = net_namespace();
	self->away = net_namespace();
	net_enter(self->home);
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
}

FIXTURE_TEARDOWN(netns)
{
	chan_destroy(&self->c);
}

static int64_t bind_port(struct chan *c, uint16_t port)
{
	return chan_flow(c, 0, IPPROTO_UDP, "127.0.0.1", port, "0.0.0.0/0", 0);
}

TEST_F(netns, is_fixed_by_first_bind)
{
	ASSERT_LE(0, bind_port(&self->c, 7));
	net_enter(self->away);
	EXPECT_EQ(-EXDEV, bind_port(&self->c, 8));
	net_enter(self->home);
	EXPECT_LE(0, bind_port(&self->c, 8));
}

TEST_F(netns, is_not_that_of_setup)
{
	net_enter(self->away);
	EXPECT_LE(0, bind_port(&self->c, 7));
	net_enter(self->home);
	EXPECT_EQ(-EXDEV, bind_port(&self->c, 8));
}

static bool hears(struct chan *c, const char *text)
{
	struct netchannel_rx_desc *desc = chan_recv(c);

	return desc && !memcmp((char *)chan_bytes(c, desc) + 28, text, strlen(text));
}

/* The same flow in two namespaces is two flows, even if packets take turns. */
TEST_F(netns, have_tables_of_their_own)
{
	struct chan other;
	int home, away, i;

	ASSERT_EQ(0, chan_create(&other, 4, 4));
	ASSERT_LE(0, bind_port(&self->c, 7));
	net_enter(self->away);
	ASSERT_LE(0, bind_port(&other, 7));
	home = net_socket(self->home, SOCK_DGRAM, "127.0.0.1", 9);
	away = net_socket(self->away, SOCK_DGRAM, "127.0.0.1", 9);
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, net_sendto(home, "home", "127.0.0.1", 7));
		ASSERT_EQ(0, net_sendto(away, "away", "127.0.0.1", 7));
		EXPECT_TRUE(hears(&self->c, "home"));
		EXPECT_TRUE(hears(&other, "away"));
		EXPECT_EQ(i, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	}
	chan_destroy(&other);
}

/* A packet goes out in the channel's namespace, whoever kicks from wherever. */
TEST_F(netns, sends_in_its_own)
{
	int home = net_socket(self->home, SOCK_DGRAM, "127.0.0.1", 9);
	int64_t flow = bind_port(&self->c, 7);
	struct packet p;

	ASSERT_LE(0, flow);
	net_enter(self->away);
	packet_udp(&p, "127.0.0.1", 7, "127.0.0.1", 9, "home");
	EXPECT_EQ(0, chan_send(&self->c, flow, &p));
	EXPECT_TRUE(net_hears(home, "home"));
}

/* What a channel without a living flow has to answer; 0 or the failed step. */
static int gone(struct chan *c)
{
	if (!(chan_poll(c, POLLIN, 2 * CHAN_TIMEOUT) & POLLHUP))
		return 1;
	if (chan_status(c) != NETCHANNEL_STATUS_GONE)
		return 2;
	if (c->ctl->status != NETCHANNEL_STATUS_GONE)
		return 3;
	if (chan_kick(c) != -ENODEV)
		return 4;
	if (read(c->fd, NULL, 0) != -1 || errno != ENODEV)
		return 5;
	return 0;
}

TEST_F(netns, deleted)
{
	struct netchannel_stats stats = { .size = sizeof(stats) };

	net_enter(self->away);
	ASSERT_LE(0, bind_port(&self->c, 7));
	net_enter(self->home);
	close(self->away);
	EXPECT_EQ(0, gone(&self->c));
	ASSERT_EQ(0, chan_ioctl(self->c.fd, NETCHANNEL_IOC_STATS, &stats));
	EXPECT_EQ(0, stats.flows);
}

static void *wait_in_read(void *argument)
{
	struct chan *c = argument;

	return (void *)(long)(read(c->fd, NULL, 0) < 0 ? errno : 0);
}

TEST_F(netns, deleted_while_owner_sleeps)
{
	pthread_t thread;
	void *result;

	net_enter(self->away);
	ASSERT_LE(0, bind_port(&self->c, 7));
	net_enter(self->home);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_in_read, &self->c));
	while (!chan_counter(&self->c, NETCHANNEL_WAITS))
		usleep(1000);
	close(self->away);
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(ENODEV, (long)result);
}

/* A socket as authority keeps its namespace, and with it the flow, alive. */
TEST_F(netns, kept_by_authority)
{
	int sock = net_socket(self->away, SOCK_DGRAM, "127.0.0.1", 7);
	struct netchannel_bind b;
	struct packet p;

	bind_init(&b, IPPROTO_UDP, "127.0.0.1", 7, "127.0.0.1", 7);
	b.sock_fd = sock;
	ASSERT_EQ(0, chan_bind(&self->c, &b));
	close(sock);
	close(self->away);
	packet_udp(&p, "127.0.0.1", 7, "127.0.0.1", 7, "to myself");
	EXPECT_EQ(0, chan_send(&self->c, b.flow_id, &p));
	EXPECT_TRUE(chan_expect(&self->c, &p));
}

TEST_F(netns, deleted_with_packets_in_the_ring)
{
	int sock = net_socket(self->away, SOCK_DGRAM, "127.0.0.1", 9);
	struct netchannel_rx_desc *desc;

	net_enter(self->away);
	ASSERT_LE(0, bind_port(&self->c, 7));
	ASSERT_EQ(0, net_sendto(sock, "still here", "127.0.0.1", 7));
	net_enter(self->home);
	close(sock);
	close(self->away);
	while (chan_status(&self->c) != NETCHANNEL_STATUS_GONE)
		usleep(10000);
	desc = chan_peek(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(0, memcmp((char *)chan_bytes(&self->c, desc) + 28,
			    "still here", 10));
}

/* ---------------------------------------------------------------- devices */

FIXTURE(device) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
	int raw;
	struct packet p;
};

FIXTURE_VARIANT(device) {
	int hook;
};

FIXTURE_VARIANT_ADD(device, late) { NETCHANNEL_HOOK_LATE };
FIXTURE_VARIANT_ADD(device, early) { NETCHANNEL_HOOK_EARLY };

FIXTURE_SETUP(device)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->raw = net_tap(&self->net);
	packet_udp(&self->p, PEER4, 9, HERE4, 7, "x");
	bind_init(&self->b, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	self->b.hook = variant->hook;
}

FIXTURE_TEARDOWN(device)
{
	chan_destroy(&self->c);
}

static int flows(struct chan *c)
{
	struct netchannel_stats s = { .size = sizeof(s) };

	return chan_ioctl(c->fd, NETCHANNEL_IOC_STATS, &s) ? -1 : (int)s.flows;
}

TEST_F(device, removed)
{
	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link del " HERE_DEV));
	EXPECT_EQ(0, gone(&self->c));
	EXPECT_EQ(0, flows(&self->c));
}

TEST_F(device, moved_to_another_namespace)
{
	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link set " HERE_DEV
			     " netns /proc/%d/fd/%d", getpid(), self->net.peer));
	EXPECT_EQ(0, gone(&self->c));
}

/* A flow of any device outlives each of them. */
TEST_F(device, removed_but_flow_is_of_any)
{
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	EXPECT_TRUE(chan_expect(&self->c, &self->p));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link del " HERE_DEV));
	EXPECT_EQ(0, chan_poll(&self->c, POLLIN, 100));
	EXPECT_EQ(0, chan_status(&self->c));
	EXPECT_EQ(1, flows(&self->c));
}

TEST_F(device, removed_but_another_flow_is_left)
{
	struct netchannel_bind other = self->b;

	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	other.flow.local_port = htons(8);
	ASSERT_EQ(0, chan_bind(&self->c, &other));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link del " HERE_DEV));
	EXPECT_EQ(0, chan_status(&self->c));
	EXPECT_EQ(1, flows(&self->c));
	EXPECT_EQ(-ENOENT, chan_unbind(&self->c, self->b.flow_id));
	EXPECT_EQ(0, chan_unbind(&self->c, other.flow_id));
}

/* A channel that lets its last flow go is not gone. */
TEST_F(device, unbound_is_not_gone)
{
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, chan_unbind(&self->c, self->b.flow_id));
	EXPECT_EQ(0, chan_status(&self->c));
	EXPECT_EQ(0, chan_kick(&self->c));
	EXPECT_EQ(0, chan_bind(&self->c, &self->b));
}

/* A device that came after the bind is heard too. */
TEST_F(device, added_later)
{
	struct packet p;

	bind_init(&self->b, IPPROTO_UDP, "10.5.0.1", 7, "10.5.0.2", 9);
	self->b.hook = variant->hook;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link del " HERE_DEV
		" && /bin/ip link add " HERE_DEV " address " HERE_MAC
		" type veth peer name " PEER_DEV " netns /proc/%d/fd/%d"
		" && /bin/ip addr add 10.5.0.1/24 dev " HERE_DEV
		" && /bin/ip link set " HERE_DEV " up", getpid(), self->net.peer));
	ASSERT_EQ(0, net_run(self->net.peer, "/bin/ip link set " PEER_DEV " up"));
	close(self->raw);
	self->raw = net_tap(&self->net);
	packet_udp(&p, "10.5.0.2", 9, "10.5.0.1", 7, "new");
	do {		/* it takes a while to come up */
		net_inject(self->raw, &p);
	} while (!chan_poll(&self->c, POLLIN, 50));
	EXPECT_TRUE(chan_expect(&self->c, &p));
}

TEST_F(device, goes_down_and_up)
{
	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link set " HERE_DEV " down"
			     " && /bin/ip link set " HERE_DEV " up"));
	EXPECT_EQ(0, chan_status(&self->c));
	do {
		net_inject(self->raw, &self->p);
	} while (!chan_poll(&self->c, POLLIN, 50));
	EXPECT_TRUE(chan_expect(&self->c, &self->p));
}

/* The same number again is another device: its flow has to be bound anew. */
TEST_F(device, removed_and_bound_anew)
{
	struct chan other;

	self->b.flow.ifindex = self->net.ifindex;
	ASSERT_EQ(0, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link del " HERE_DEV));
	ASSERT_EQ(0, gone(&self->c));
	EXPECT_EQ(-ENODEV, chan_bind(&self->c, &self->b));
	ASSERT_EQ(0, chan_create(&other, 1, 1));
	EXPECT_EQ(-ENODEV, chan_bind(&other, &self->b));
	self->b.flow.ifindex = 1;
	EXPECT_EQ(0, chan_bind(&other, &self->b));
	chan_destroy(&other);
}

TEST_HARNESS_MAIN
