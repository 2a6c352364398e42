// SPDX-License-Identifier: GPL-2.0
/*
 * kselftest-mode: smp
 *
 * Who waits looks for packets before it sleeps: as long as waits are short.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"
#include "lib/trace.h"

#define LONG	100000	/* usec to spin: for whatever else an emulated guest does */

/**
 * sender - a process of the peer, on the other CPU
 * @order: a pipe: usec until each packet.
 */
struct sender {
	int order[2];
	int socket;
};

FIXTURE(spin) {
	struct net net;
	struct chan c;
	struct sender sender;
	int64_t flow;
	int pid;
};

static int send_when_told(void *argument)
{
	struct sender *s = argument;
	unsigned int us;

	net_pin(1);
	close(s->order[1]);
	while (read(s->order[0], &us, sizeof(us)) == sizeof(us)) {
		usleep(us);
		if (send(s->socket, "x", 1, 0) != 1)
			return 1;
	}
	return 0;
}

FIXTURE_SETUP(spin)
{
	struct sender *s = &self->sender;

	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, NETCHANNEL_HOOK_EARLY, IPPROTO_UDP, HERE4, 7,
			       PEER4, 9);
	ASSERT_LE(0, self->flow);
	s->socket = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 9);
	ASSERT_LE(0, s->socket);
	ASSERT_EQ(0, net_connect(s->socket, HERE4, 7));
	ASSERT_EQ(0, pipe(s->order));
	self->pid = child_start(send_when_told, s);
	net_pin(0);
	ASSERT_EQ(0, chan_spin(LONG));
}

FIXTURE_TEARDOWN(spin)
{
	close(self->sender.order[1]);
	EXPECT_EQ(0, child_wait(self->pid));
	close(self->sender.socket);
	chan_destroy(&self->c);
	chan_spin(CHAN_SPIN);
}

/* Orders a packet and waits for it. */
static bool wait_for_one(struct chan *c, struct sender *s, unsigned int us)
{
	return write(s->order[1], &us, sizeof(us)) == sizeof(us) && chan_wait(c, false);
}

static bool wait_for(struct chan *c, struct sender *s, unsigned int us, int packets)
{
	while (packets-- && wait_for_one(c, s, us))
		;
	return packets < 0;
}

/* Waits so often, and says how often it slept. */
static int sleeps(struct chan *c, struct sender *s, unsigned int us, int packets)
{
	uint64_t before = chan_counter(c, NETCHANNEL_WAITS);

	if (!wait_for(c, s, us, packets))
		return -1;
	return chan_counter(c, NETCHANNEL_WAITS) - before;
}

/* Until it does: the kernel itself may want the CPU for a while, for a namespace that ended;
 * and where the host stalls, a packet is there before anybody waits for it.
 */
static bool spins(struct chan *c, struct sender *s, unsigned int us)
{
	uint64_t before;
	int tries;

	for (tries = 100; tries; tries--) {
		before = chan_counter(c, NETCHANNEL_SPINS);
		if (sleeps(c, s, us, 5) == 0 &&
		    chan_counter(c, NETCHANNEL_SPINS) >= before + 3)
			return true;
	}
	return false;
}

TEST_F_TIMEOUT(spin, who_waits_for_a_moment_does_not_sleep, 300)
{
	EXPECT_TRUE(spins(&self->c, &self->sender, 1000));
}

/* Of REPEATS: sometimes somebody else wants the CPU, or stalls the host. */
#define REPEATS	6
#define MOST	4

TEST_F_TIMEOUT(spin, who_waited_long_sleeps_the_next_time, 300)
{
	int i, slept = 0;

	for (i = 0; i < REPEATS; i++) {
		ASSERT_TRUE(spins(&self->c, &self->sender, 10000));
		ASSERT_TRUE(wait_for(&self->c, &self->sender, 3 * LONG, 1));
		slept += sleeps(&self->c, &self->sender, 5000, 1);
	}
	EXPECT_LE(MOST, slept);
}

static int64_t usec(const struct timespec *begin, const struct timespec *end)
{
	return (end->tv_sec - begin->tv_sec) * 1000000LL + (end->tv_nsec - begin->tv_nsec) / 1000;
}

/* usec that a read() takes with a deadline, and to which nothing comes. */
static int64_t late(struct chan *c, unsigned int us)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	c->ctl->rx_seen = c->rx_next;
	c->ctl->deadline = begin.tv_sec * 1000000000ULL + begin.tv_nsec + us * 1000ULL;
	if (read(c->fd, NULL, 0) < 0)
		return INT64_MAX;
	clock_gettime(CLOCK_MONOTONIC, &end);
	c->ctl->deadline = 0;
	return usec(&begin, &end);
}

/* By then each would spin for more than the half of LONG, if nobody else comes. */
static bool are_in_time(struct chan *c, struct sender *s)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < 4 && spins(c, s, LONG * 2 / 3); i++)
		sum += late(c, 2000);
	return i == 4 && sum < 4 * LONG / 5;
}

TEST_F_TIMEOUT(spin, not_beyond_the_deadline, 300)
{
	int tries = 3;		/* of a host that may stand still */

	while (!are_in_time(&self->c, &self->sender) && --tries)
		;
	EXPECT_LT(0, tries);
}

/* Who waits in vain sleeps at once the next time. */
TEST_F_TIMEOUT(spin, not_after_a_deadline, 300)
{
	int i, slept = 0;

	for (i = 0; i < REPEATS; i++) {
		/* From the start: a stall may have taught it to spin for longer. */
		ASSERT_TRUE(wait_for(&self->c, &self->sender, 3 * LONG, 1));
		ASSERT_TRUE(spins(&self->c, &self->sender, 2000));
		late(&self->c, 80000);
		slept += sleeps(&self->c, &self->sender, 1000, 1);
	}
	EXPECT_LE(MOST, slept);
}

static void on_alarm(int number)
{
	(void)number;
}

/* And again: where the host stalls, the first one is there before anybody waits. */
static int alarm_soon(void *argument)
{
	(void)argument;
	net_pin(1);
	usleep(8000);
	while (!kill(getppid(), SIGALRM))
		usleep(2 * LONG);
	return 1;
}

/**
 * ended - reads to which nothing comes but a signal
 * @in_time: spun, and returned then.
 * @late: spun on.
 */
struct ended {
	int in_time;
	int late;
};

/* Who slept is not counted: somebody else wanted the CPU. */
static bool end_by_signal(struct chan *c, struct ended *ended)
{
	uint64_t before = chan_counter(c, NETCHANNEL_WAITS);
	struct timespec begin, end;
	int pid, n, err;

	c->ctl->rx_seen = c->rx_next;
	pid = child_start(alarm_soon, NULL);
	usleep(4000);		/* it leaves this CPU meanwhile */
	clock_gettime(CLOCK_MONOTONIC, &begin);
	n = read(c->fd, NULL, 0);
	err = errno;
	clock_gettime(CLOCK_MONOTONIC, &end);
	kill(pid, SIGKILL);
	child_wait(pid);
	if (chan_counter(c, NETCHANNEL_WAITS) == before)
		*(usec(&begin, &end) < LONG / 3 ? &ended->in_time : &ended->late) += 1;
	return n == -1 && err == EINTR;
}

/* Once it may be late: the host stands still at times. */
TEST_F_TIMEOUT(spin, not_beyond_a_signal, 300)
{
	struct sigaction action = { .sa_handler = on_alarm };	/* no SA_RESTART */
	struct ended ended = { 0 };
	int tries = 60;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	while (ended.in_time < 2 && ended.late < 2 && tries--) {
		ASSERT_TRUE(spins(&self->c, &self->sender, LONG * 2 / 3));
		ASSERT_TRUE(end_by_signal(&self->c, &ended));
	}
	EXPECT_EQ(2, ended.in_time);
}

TEST_F(spin, never_with_spin_us_0)
{
	ASSERT_EQ(0, chan_spin(0));
	EXPECT_LE(20, sleeps(&self->c, &self->sender, 10000, 30));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_SPINS));
}

/* As long as somebody else wants this CPU. */
static int want_cpu(void *argument)
{
	net_pin(0);
	for (;;)
		;
	return 0;
}

TEST_F(spin, not_while_others_want_the_cpu)
{
	int pid = child_start(want_cpu, NULL);

	EXPECT_LE(20, sleeps(&self->c, &self->sender, 10000, 30));
	kill(pid, SIGKILL);
	child_wait(pid);
}

static bool own_poll(const char *line, const void *argument)
{
	return strstr(line, " napi_poll: ") && strstr(line, HERE_DEV) &&
	       atoi(strchr(line, '-') + 1) == getpid();
}

/* Polls of the device that this process made itself; negative if something went wrong. */
static int polls(struct chan *c, struct sender *s)
{
	bool good;
	int n;

	if (!spins(c, s, 1000) || trace_start("napi/napi_poll"))
		return -1;
	good = wait_for(c, s, 1000, 10);
	n = trace_stop("napi/napi_poll", own_poll, NULL);
	return good ? n : -1;
}

static int bind_for(struct chan *c, int authority)
{
	struct netchannel_bind b;

	bind_init(&b, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	b.hook = NETCHANNEL_HOOK_EARLY;
	b.sock_fd = authority;
	return chan_bind(c, &b);
}

/* As the kernel would for the socket. */
TEST_F_TIMEOUT(spin, the_device_is_polled_meanwhile, 300)
{
	int us = 50, sock = net_socket(self->net.here, SOCK_DGRAM, HERE4, 7);

	ASSERT_EQ(0, net_run(self->net.peer, "ethtool -K " PEER_DEV " tso off"));
	ASSERT_EQ(0, net_run(self->net.here, "ethtool -K " HERE_DEV " gro on"));
	ASSERT_EQ(0, chan_unbind(&self->c, self->flow));
	ASSERT_EQ(0, bind_for(&self->c, sock));
	EXPECT_EQ(0, polls(&self->c, &self->sender));
	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us)));
	EXPECT_LT(0, polls(&self->c, &self->sender));
	close(sock);
}

TEST_HARNESS_MAIN
