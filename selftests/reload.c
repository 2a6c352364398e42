// SPDX-License-Identifier: GPL-2.0
/*
 * The module comes and goes while packets run: refused while a channel is open
 * or a packet in flight refers to one, clean as soon as that is over.
 *
 * kselftest-leaks
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/fault.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(reload) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet p;
};

static int unload(void)
{
	return syscall(SYS_delete_module, "netchannel", 0) ? -errno : 0;
}

static const char *module_file(void)
{
	const char *path = getenv("NETCHANNEL_KO");

	return path ? path : "/netchannel/netchannel.ko";
}

static int load(struct net *net)
{
	return net_run(net->here, "insmod %s || modprobe netchannel", module_file());
}

static int open_channel(struct chan *c)
{
	int64_t flow;

	if (chan_create(c, 4, 4))
		return -1;
	flow = chan_flow(c, NETCHANNEL_HOOK_EARLY, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	return flow;
}

FIXTURE_SETUP(reload)
{
	ASSERT_EQ(0, net_create(&self->net));
	self->raw = net_raw(&self->net);
	ASSERT_LE(0, self->raw);
	self->flow = open_channel(&self->c);
	ASSERT_LE(0, self->flow);
	packet_udp(&self->p, HERE4, 7, PEER4, 9, "x");
}

/* Whatever happened: the next test finds the module loaded. */
FIXTURE_TEARDOWN(reload)
{
	if (access(CHAN_DEVICE, F_OK))
		load(&self->net);
}

/* Last puts are deferred, so it may take some attempts. */
static int unload_soon(void)
{
	int i, error = unload();

	for (i = 0; i < 500 && error == -EAGAIN; i++) {
		usleep(10000);
		error = unload();
	}
	return error;
}

TEST_F(reload, refused_while_open)
{
	EXPECT_GT(0, unload());
	chan_destroy(&self->c);
	EXPECT_EQ(0, unload_soon());
	EXPECT_NE(0, access(CHAN_DEVICE, F_OK));
	EXPECT_EQ(0, load(&self->net));
	EXPECT_EQ(0, access(CHAN_DEVICE, F_OK));
}

/* The mapping alone keeps it, since its pages are the module's. */
TEST_F(reload, refused_while_mapped)
{
	close(self->c.fd);
	EXPECT_GT(0, unload());
	munmap(self->c.area, self->c.setup.area_size);
	EXPECT_EQ(0, unload_soon());
	EXPECT_EQ(0, load(&self->net));
}

TEST_F(reload, refused_while_in_flight)
{
	struct netchannel_tx_desc *desc;

	ASSERT_EQ(0, net_run(self->net.here, "tc qdisc add dev " HERE_DEV
			     " root netem delay 500ms"));
	packet_grow(&self->p, 1400);
	desc = chan_fill(&self->c, self->flow, &self->p);
	desc->flags = NETCHANNEL_TX_REFERENCE;
	chan_submit(&self->c);
	ASSERT_EQ(0, chan_kick(&self->c));
	ASSERT_FALSE(chan_is_done(&self->c, 0));
	chan_destroy(&self->c);
	EXPECT_GT(0, unload());
	EXPECT_TRUE(net_sniffs(self->raw, &self->p));
	EXPECT_EQ(0, unload_soon());
	EXPECT_EQ(0, load(&self->net));
}

/* A peer that does not stop, and a channel that is there every other moment. */
struct flood {
	int raw;
	int channel;	/* is not to be held open by the child */
};

#define FLOOD_AHEAD	128	/* packets that RCU need not yet have freed */

/*
 * Each packet leaves RCU something to free: the route of an ICMP error, and with
 * kmemleak whatever was allocated.  A busy CPU frees that in order, a few at a time:
 * with nothing to slow the flood down, a channel waits behind seconds of it, ever more.
 * To close a packet socket is to wait in the same line.
 */
static void let_rcu_catch_up(void)
{
	close(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int flood(void *argument)
{
	struct flood *f = argument;
	struct packet p;
	unsigned int n;

	close(f->channel);
	packet_udp(&p, PEER4, 9, HERE4, 7, "flood");
	for (n = 1; !net_inject(f->raw, &p) || errno == ENOBUFS; n++)
		if (n % FLOOD_AHEAD == 0)
			let_rcu_catch_up();
	return errno;
}

TEST_F_TIMEOUT(reload, under_traffic, 300)
{
	struct flood f = { self->raw, self->c.fd };
	int pid = child_start(flood, &f), i;

	for (i = 0; i < 10; i++) {
		EXPECT_NE(NULL, chan_recv(&self->c));
		EXPECT_GT(0, unload());
		chan_destroy(&self->c);
		ASSERT_EQ(0, unload_soon());
		ASSERT_EQ(0, load(&self->net));
		ASSERT_LE(0, open_channel(&self->c));
	}
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, child_wait(pid));
	chan_destroy(&self->c);
}

/* Namespaces come and go while the module does. */
TEST_F_TIMEOUT(reload, with_namespaces, 300)
{
	int i, namespaces[4];

	chan_destroy(&self->c);
	for (i = 0; i < 20; i++) {
		namespaces[i % 4] = net_namespace();
		if (i % 2) {
			ASSERT_EQ(0, unload_soon());
			ASSERT_EQ(0, load(&self->net));
		}
		if (i >= 3)
			close(namespaces[(i + 1) % 4]);
	}
}

#define TRIES	4096	/* more allocations than loading it makes */
#define LAST	80	/* more than its init function makes: what comes before is the loader's */

/* Loads it with one allocation failing; did that one come? */
static bool load_without(int nth, int *error)
{
	int fd = open(module_file(), O_RDONLY | O_CLOEXEC);
	bool came;

	fault_nth(nth);
	*error = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	came = fault_came();
	close(fd);
	return came;
}

/* The number of allocations. */
static int count_allocations(void)
{
	int low = 0, high = TRIES, error;

	while (high - low > 1) {
		int nth = (low + high) / 2;

		if (load_without(nth, &error))
			low = nth;
		else
			high = nth;
		if (!error)
			unload_soon();
	}
	return low;
}

/* It says so and leaves nothing behind, or does without: it loads right after it. */
TEST_F_TIMEOUT(reload, without_memory, 300)
{
	int nth, last, error, refused = 0;

	NEEDS_FAULT_INJECTION();
	fault_init();
	chan_destroy(&self->c);
	ASSERT_EQ(0, unload_soon());
	last = count_allocations();
	ASSERT_LT(LAST, last);
	for (nth = last - LAST; nth <= last; nth++) {
		load_without(nth, &error);
		ASSERT_TRUE(error == 0 || error == -ENOMEM)
			TH_LOG("allocation %d: %d", nth, error);
		refused += error != 0;
		ASSERT_EQ(error != 0, access(CHAN_DEVICE, F_OK) != 0);
		if (!error)
			ASSERT_EQ(0, unload_soon());
	}
	EXPECT_LT(0, refused);
	EXPECT_EQ(0, load(&self->net));
}

TEST_HARNESS_MAIN
