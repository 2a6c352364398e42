// SPDX-License-Identifier: GPL-2.0
/*
 * kselftest-mode: smp
 *
 * Sleeps that end by a packet leave a timer behind that wakes a later sleep before its
 * own deadline: whatever that meets on the other CPU, each sleep ends.
 */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define SLEEPS	20000

FIXTURE(deadline) {
	struct net net;
	struct chan c;
	int raw;
	struct packet p;
};

FIXTURE_SETUP(deadline)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_spin(0));
	ASSERT_EQ(0, chan_create(&self->c, 64, 4));
	ASSERT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_EARLY, IPPROTO_UDP, HERE4, 7,
			       PEER4, 9));
	packet_udp(&self->p, PEER4, 9, HERE4, 7, "early");
}

FIXTURE_TEARDOWN(deadline)
{
	chan_destroy(&self->c);
	chan_spin(CHAN_SPIN);
}

struct sender {
	int raw;
	const struct packet *p;
	bool stop;
};

/* At times that have nothing to do with those of the deadlines. */
static void *send_some(void *argument)
{
	struct sender *s = argument;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&s->stop, __ATOMIC_RELAXED); i++) {
		net_inject(s->raw, s->p);
		usleep(20 + i % 97);
	}
	return NULL;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

TEST_F_TIMEOUT(deadline, of_a_sleep_before, 300)
{
	struct sender s = { .raw = self->raw, .p = &self->p };
	pthread_t thread;
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, send_some, &s));
	for (i = 0; i < SLEEPS; i++) {
		self->c.ctl->rx_seen = self->c.rx_next;
		self->c.ctl->deadline = now() + 20000 + i % 61 * 4000;
		ASSERT_EQ(0, read(self->c.fd, NULL, 0));
		chan_drain(&self->c);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_LT(SLEEPS / 2, chan_counter(&self->c, NETCHANNEL_WAITS));
}

TEST_HARNESS_MAIN
