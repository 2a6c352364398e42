// SPDX-License-Identifier: GPL-2.0
/*
 * read() and fsync(), write() and fdatasync(), poll() of a channel: what they wait for and
 * what they say.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(wait) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet in;
	struct packet out;
};

static int read_nothing(int fd)
{
	return (int)read(fd, NULL, 0);
}

static int write_nothing(int fd)
{
	return (int)write(fd, NULL, 0);
}

/* Two pairs of calls that do the same. */
FIXTURE_VARIANT(wait) {
	int (*wait)(int fd);
	int (*kick)(int fd);
};

FIXTURE_VARIANT_ADD(wait, read) {
	.wait = read_nothing,
	.kick = write_nothing,
};

FIXTURE_VARIANT_ADD(wait, fsync) {
	.wait = fsync,
	.kick = fdatasync,
};

static int (*waits)(int fd);	/* of the variant that is tried */

FIXTURE_SETUP(wait)
{
	waits = variant->wait;
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	ASSERT_LE(0, self->flow);
	packet_udp(&self->in, PEER4, 9, HERE4, 7, "in");
	packet_udp(&self->out, HERE4, 7, PEER4, 9, "out");
}

FIXTURE_TEARDOWN(wait)
{
	chan_destroy(&self->c);
}

/* 0 or -errno; other than for a broken read, never bytes. */
static int wait_for(struct chan *c)
{
	int n = waits(c->fd);

	return n < 0 ? -errno : n;
}

static void nonblocking(struct chan *c)
{
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

TEST_F(wait, moves_no_bytes)
{
	char bytes[8] = "";

	EXPECT_EQ(-1, write(self->c.fd, bytes, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->c.fd, bytes, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->c.fd, bytes, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->c.fd, bytes, 8));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(wait, nothing_there)
{
	nonblocking(&self->c);
	EXPECT_EQ(-EAGAIN, wait_for(&self->c));
	EXPECT_EQ(0, chan_poll(&self->c, POLLIN, 0));
	EXPECT_EQ(POLLOUT, chan_poll(&self->c, POLLIN | POLLOUT, 0));
}

TEST_F(wait, something_there)
{
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_EQ(0, wait_for(&self->c));
	nonblocking(&self->c);
	EXPECT_EQ(0, wait_for(&self->c));
	EXPECT_EQ(POLLIN, chan_poll(&self->c, POLLIN, 0));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_WAITS));
}

/* What was seen does not count, whether it was released or not. */
TEST_F(wait, rx_seen)
{
	nonblocking(&self->c);
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	ASSERT_NE(NULL, chan_recv(&self->c));
	EXPECT_EQ(0, chan_poll(&self->c, POLLIN, 0));
	EXPECT_EQ(-EAGAIN, wait_for(&self->c));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_EQ(POLLIN, chan_poll(&self->c, POLLIN, 0));
	EXPECT_EQ(0, wait_for(&self->c));
}

/* Any value is allowed there: at worst the owner sleeps or does not. */
TEST_F(wait, rx_seen_absurd)
{
	uint32_t absurd[] = { 2, 100, 1U << 31, UINT32_MAX, UINT32_MAX - 100 };
	int i;

	nonblocking(&self->c);
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	for (i = 0; i < 5; i++) {
		self->c.ctl->rx_seen = absurd[i];
		wait_for(&self->c);
		chan_poll(&self->c, POLLIN, 0);
	}
	EXPECT_EQ(0, chan_status(&self->c));
	self->c.ctl->rx_seen = 0;
	EXPECT_EQ(0, wait_for(&self->c));
}

TEST_F(wait, wait_kicks)
{
	nonblocking(&self->c);
	ASSERT_NE(NULL, chan_fill(&self->c, self->flow, &self->out));
	chan_submit(&self->c);
	EXPECT_EQ(-EAGAIN, wait_for(&self->c));
	EXPECT_TRUE(net_sniffs(self->raw, &self->out));
	EXPECT_LE(1, chan_counter(&self->c, NETCHANNEL_KICKS));
}

TEST_F(wait, kick_does_not_wait)
{
	ASSERT_NE(NULL, chan_fill(&self->c, self->flow, &self->out));
	chan_submit(&self->c);
	EXPECT_EQ(0, variant->kick(self->c.fd));
	EXPECT_TRUE(net_sniffs(self->raw, &self->out));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_KICKS));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_WAITS));
}

TEST_F(wait, poll_does_not_kick)
{
	ASSERT_NE(NULL, chan_fill(&self->c, self->flow, &self->out));
	chan_submit(&self->c);
	chan_poll(&self->c, POLLIN | POLLOUT, 0);
	EXPECT_FALSE(chan_is_done(&self->c, 0));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_TX_PACKETS));
}

/* ---------------------------------------------------------------- deadline */

TEST_F(wait, until_deadline)
{
	uint64_t deadline = now() + 50000000;

	self->c.ctl->deadline = deadline;
	EXPECT_EQ(0, wait_for(&self->c));
	EXPECT_LE(deadline, now());
	EXPECT_GT(deadline + 500000000, now());
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_WAITS));
}

TEST_F(wait, deadline_in_the_past)
{
	self->c.ctl->deadline = 1;
	EXPECT_EQ(0, wait_for(&self->c));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_WAITS));
}

/* 0, if a sleep of 50 ms by the clock of this process takes about that. */
static int sleep_by_own_clock(void *argument)
{
	struct chan *c = argument;
	uint64_t deadline = now() + 50000000;

	if (chan_map(c))
		return 1;
	c->ctl->deadline = deadline;
	return wait_for(c) || now() < deadline || now() > deadline + 500000000;
}

#define TIME_OFFSETS	"/proc/self/timens_offsets"

static int sleep_in_another_time(void *argument)
{
	if (unshare(CLONE_NEWTIME) || file_write(TIME_OFFSETS, "monotonic 100000 0"))
		return -1;
	return child_wait(child_start(sleep_by_own_clock, argument));
}

TEST_F(wait, until_deadline_of_a_time_namespace)
{
	if (access(TIME_OFFSETS, F_OK))
		SKIP(return, "kernel without time namespaces");
	EXPECT_EQ(0, child_wait(child_start(sleep_in_another_time, &self->c)));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_WAITS));
}

static void *sleep_lazily(void *argument)
{
	prctl(PR_SET_TIMERSLACK, 60000000000UL);
	wait_for(argument);
	return NULL;
}

/* Another thread, which takes it easy, sleeps until a little earlier. */
TEST_F(wait, until_deadline_with_own_slack)
{
	uint64_t deadline = now() + 2000000000;
	pthread_t thread;

	self->c.ctl->deadline = deadline;
	ASSERT_EQ(0, pthread_create(&thread, NULL, sleep_lazily, &self->c));
	while (!chan_counter(&self->c, NETCHANNEL_WAITS))
		usleep(1000);
	usleep(20000);
	self->c.ctl->deadline = deadline + 1000000;
	EXPECT_EQ(0, wait_for(&self->c));
	EXPECT_GT(deadline + 20000000000, now());
	net_inject(self->raw, &self->in);
	pthread_join(thread, NULL);
}

/* ------------------------------------------------- woken by something else */

struct later {
	struct chan *c;
	int raw;
	const struct packet *p;
};

static void *inject_later(void *argument)
{
	struct later *l = argument;

	while (!chan_counter(l->c, NETCHANNEL_WAITS))
		usleep(1000);
	usleep(20000);
	net_inject(l->raw, l->p);
	return NULL;
}

TEST_F(wait, woken_by_packet)
{
	struct later l = { &self->c, self->raw, &self->in };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, inject_later, &l));
	EXPECT_EQ(0, wait_for(&self->c));
	EXPECT_NE(NULL, chan_peek(&self->c));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_WAKEUPS));
}

TEST_F(wait, woken_by_packet_before_far_deadline)
{
	struct later l = { &self->c, self->raw, &self->in };
	pthread_t thread;

	self->c.ctl->deadline = now() + 20000000000ULL;
	ASSERT_EQ(0, pthread_create(&thread, NULL, inject_later, &l));
	EXPECT_EQ(0, wait_for(&self->c));
	EXPECT_NE(NULL, chan_peek(&self->c));
	pthread_join(thread, NULL);
}

/* Greater than any time: the same as none. */
TEST_F(wait, woken_by_packet_before_greatest_deadline)
{
	struct later l = { &self->c, self->raw, &self->in };
	pthread_t thread;

	self->c.ctl->deadline = UINT64_MAX;
	ASSERT_EQ(0, pthread_create(&thread, NULL, inject_later, &l));
	EXPECT_EQ(0, wait_for(&self->c));
	EXPECT_NE(NULL, chan_peek(&self->c));
	pthread_join(thread, NULL);
}

static void *poll_later(void *argument)
{
	struct later *l = argument;

	usleep(50000);
	net_inject(l->raw, l->p);
	return NULL;
}

TEST_F(wait, poll_woken_by_packet)
{
	struct later l = { &self->c, self->raw, &self->in };
	uint64_t begin = now();
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_later, &l));
	EXPECT_EQ(POLLIN, chan_poll(&self->c, POLLIN, CHAN_TIMEOUT));
	/* At the time limit poll() looks again, and finds it without being woken. */
	EXPECT_GT(begin + CHAN_TIMEOUT * 1000000ULL, now());
	pthread_join(thread, NULL);
}

TEST_F(wait, epoll_edge_comes_with_each_packet)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(0), i;

	self->c.ctl->wakeup = NETCHANNEL_WAKE_RX;
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->c.fd, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, net_inject(self->raw, &self->in));
		EXPECT_EQ(1, epoll_wait(epoll, &event, 1, CHAN_TIMEOUT));
		EXPECT_EQ(EPOLLIN, event.events);
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	}
}

static void *break_later(void *argument)
{
	struct later *l = argument;

	while (!chan_counter(l->c, NETCHANNEL_WAITS))
		usleep(1000);
	usleep(20000);
	l->c->ctl->tx_head = 1000;
	chan_kick(l->c);
	return NULL;
}

TEST_F(wait, woken_by_status)
{
	struct later l = { &self->c };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, break_later, &l));
	EXPECT_EQ(-EPIPE, wait_for(&self->c));
	pthread_join(thread, NULL);
}

static void do_nothing(int signal)
{
}

static void alarm_soon(int flags)
{
	struct sigaction action = { .sa_handler = do_nothing, .sa_flags = flags };
	struct itimerval soon = { .it_value = { .tv_usec = 50000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
}

TEST_F(wait, interrupted)
{
	alarm_soon(0);
	EXPECT_EQ(-EINTR, wait_for(&self->c));
	alarm_soon(0);
	EXPECT_EQ(-EINTR, chan_poll(&self->c, POLLIN, CHAN_TIMEOUT));
}

/* The owner's timers may have changed in the handler: it has to look anew. */
TEST_F(wait, interrupted_is_not_restarted)
{
	alarm_soon(SA_RESTART);
	EXPECT_EQ(-EINTR, wait_for(&self->c));
}

static void *sleeper(void *argument)
{
	return (void *)(long)wait_for(argument);
}

TEST_F(wait, many_sleepers_are_all_woken)
{
	struct later l = { &self->c, self->raw, &self->in };
	pthread_t thread[3];
	void *result;
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, sleeper, &self->c);
	while (chan_counter(&self->c, NETCHANNEL_WAITS) < 3)
		usleep(1000);
	inject_later(&l);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &result));
		EXPECT_EQ(0, (int)(long)result);
	}
}

TEST_HARNESS_MAIN
