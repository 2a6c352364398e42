// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that runs out: each allocation of a call fails once, and each copy from
 * or to the caller (fault injection of the debug kernel).  The call says ENOMEM
 * or EFAULT or works all the same, and what it had begun is undone: the same
 * call works right after it.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/fault.h"
#include "lib/net.h"
#include "lib/packet.h"

#define TRIES		300	/* more allocations than any call makes */

FIXTURE(nomem) {
	struct net net;
	struct chan c;
};

FIXTURE_SETUP(nomem)
{
	ASSERT_EQ(0, net_create(&self->net));
	fault_init();
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
}

FIXTURE_TEARDOWN(nomem)
{
	if (self->c.area)
		chan_destroy(&self->c);
}

static bool is_failure(int error)
{
	return error == -ENOMEM || error == -EFAULT;
}

static int open_and_setup(void)
{
	struct netchannel_setup setup;
	int fd = chan_open(), error;

	if (fd < 0)
		return fd;
	chan_setup_init(&setup, 8, 8);
	setup.tx_bytes = 4096;	/* each page is one allocation */
	error = chan_ioctl(fd, NETCHANNEL_IOC_SETUP, &setup);
	close(fd);
	return error;
}

TEST_F_TIMEOUT(nomem, area, 300)
{
	int nth, error;
	bool failed = true;

	NEEDS_FAULT_INJECTION();
	for (nth = 1; failed && nth < TRIES; nth++) {
		fault_nth(nth);
		error = open_and_setup();
		failed = fault_came();
		ASSERT_TRUE(error == 0 || (failed && is_failure(error)))
			TH_LOG("allocation %d: %d", nth, error);
	}
	EXPECT_FALSE(failed);
	EXPECT_EQ(0, open_and_setup());
}

TEST_F_TIMEOUT(nomem, flow, 300)
{
	struct netchannel_bind b;
	bool failed = true;
	int nth, error;

	NEEDS_FAULT_INJECTION();
	for (nth = 1; failed && nth < TRIES; nth++) {
		bind_init(&b, IPPROTO_UDP, HERE4, 7, PEER4, nth);
		b.hook = NETCHANNEL_HOOK_EARLY;
		fault_nth(nth);
		error = chan_bind(&self->c, &b);
		failed = fault_came();
		ASSERT_TRUE(error == 0 || (failed && is_failure(error)))
			TH_LOG("allocation %d: %d", nth, error);
		if (!error) {
			ASSERT_EQ(0, chan_unbind(&self->c, b.flow_id));
		} else if (error == -EFAULT) {
			/* Maybe bound, but we could not be told the name. */
			chan_destroy(&self->c);
			ASSERT_EQ(0, chan_create(&self->c, 8, 8));
		}
		ASSERT_EQ(0, chan_bind(&self->c, &b));
		ASSERT_EQ(0, chan_unbind(&self->c, b.flow_id));
	}
	EXPECT_FALSE(failed);
}

/* A packet for which there is no memory: said so in its slot, never half sent. */
TEST_F_TIMEOUT(nomem, send, 300)
{
	int64_t flow = chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	int flags[] = { NETCHANNEL_TX_COPY, NETCHANNEL_TX_REFERENCE };
	int nth, result = 0, i, raw = net_raw(&self->net);
	static struct packet p;
	bool failed;

	NEEDS_FAULT_INJECTION();
	ASSERT_LE(0, flow);
	packet_udp(&p, HERE4, 7, PEER4, 9, "x");
	packet_grow(&p, 1400);
	for (i = 0; i < 2; i++) {
		failed = true;
		for (nth = 1; failed && nth < TRIES; nth++) {
			ASSERT_NE(NULL, chan_fill(&self->c, flow, &p));
			self->c.tx_desc[self->c.tx_next % 8].flags = flags[i];
			chan_submit(&self->c);
			fault_nth(nth);
			ASSERT_EQ(0, chan_kick(&self->c));
			failed = fault_came();
			ASSERT_NE(NULL, chan_done(&self->c, self->c.tx_next - 1));
			result = self->c.tx_done[(self->c.tx_next - 1) % 8].result;
			ASSERT_TRUE(result == 0 || result == -ENOMEM ||
				    result == -ENOBUFS)
				TH_LOG("allocation %d: %d", nth, result);
		}
		EXPECT_FALSE(failed);
		EXPECT_EQ(0, result);
	}
	EXPECT_TRUE(net_sniffs(raw, &p));
}

/* What is received needs memory below us; the channel goes on in any case. */
TEST_F_TIMEOUT(nomem, receive, 300)
{
	int peer = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 9), nth;
	bool failed = true;

	NEEDS_FAULT_INJECTION();
	ASSERT_LE(0, chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9));
	for (nth = 1; failed && nth < TRIES; nth++) {
		fault_nth(nth);
		net_sendto(peer, "x", HERE4, 7);
		failed = fault_came();
		chan_drain(&self->c);
	}
	EXPECT_FALSE(failed);
	ASSERT_EQ(0, net_sendto(peer, "x", HERE4, 7));
	EXPECT_NE(NULL, chan_recv(&self->c));
}

/* Before it fails: then each file that is opened might. */
static int open_block_failure(void)
{
	file_write("/sys/kernel/debug/fail_page_alloc/task-filter", "Y");
	file_write("/sys/kernel/debug/fail_page_alloc/min-order", "1");
	file_write("/sys/kernel/debug/fail_page_alloc/times", "-1");
	file_write("/sys/kernel/debug/fail_page_alloc/probability", "100");
	return open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);
}

static void close_block_failure(int fd)
{
	close(fd);
	file_write("/sys/kernel/debug/fail_page_alloc/probability", "0");
}

/* For this task there are single pages only: 0, or the test is wrong. */
static int fail_blocks(int fd, bool fail)
{
	return pwrite(fd, fail ? "1" : "0", 1, 0) == 1 ? 0 : -EIO;
}

/* Slabs of the debug kernel are of more: what it needs of them another one has left. */
static int try_of_pages(struct chan *c, int fd)
{
	int error = chan_create(c, 8, 8);

	if (error)
		return -EIO;
	chan_destroy(c);
	if (fail_blocks(fd, true))
		return -EIO;
	error = chan_create(c, 8, 8);
	if (fail_blocks(fd, false))
		return -EIO;
	if (error && c->fd >= 0)
		close(c->fd);
	return error;
}

/* A channel whose area is of single pages. */
static int create_of_pages(struct chan *c)
{
	int fd = open_block_failure(), tries, error = -ENOMEM;

	for (tries = 0; tries < TRIES && error == -ENOMEM; tries++)
		error = try_of_pages(c, fd);
	close_block_failure(fd);
	return error;
}

#define PIECES	3	/* of a packet, each on the last byte of a page and five more */

static int send_pieces(struct chan *c, uint32_t flow, const struct packet *p)
{
	struct netchannel_tx_desc *desc = chan_fill(c, flow, p);
	uint32_t from = desc->inline_length, at = 4095, length;
	uint32_t most = (p->length - from + PIECES - 1) / PIECES, i;

	for (i = 0; i < PIECES; i++, from += length, at += 7 * 4096) {
		length = p->length - from < most ? p->length - from : most;
		memcpy(c->tx_data + at, p->data + from, length);
		desc->frag[i].offset = at;
		desc->frag[i].length = length;
	}
	desc->nr_frags = PIECES;
	desc->flags = NETCHANNEL_TX_REFERENCE;
	return chan_send_slot(c);
}

/* What lies in more pages than a packet may have pieces is copied. */
TEST_F(nomem, pages_for_blocks)
{
	int counter[] = { NETCHANNEL_TX_ZEROCOPY, NETCHANNEL_TX_COPIED }, raw, i;
	static struct packet p;
	int64_t flow;

	NEEDS_FAULT_INJECTION();
	ASSERT_EQ(0, net_run(self->net.here, "ip link set " HERE_DEV " mtu 60000"));
	ASSERT_EQ(0, net_run(self->net.peer, "ip link set " PEER_DEV " mtu 60000"));
	raw = net_raw(&self->net);
	ASSERT_LE(0, raw);
	packet_udp(&p, HERE4, 7, PEER4, 9, "x");
	packet_grow(&p, 60000);
	for (i = 0; i < 2; i++) {
		chan_destroy(&self->c);
		ASSERT_EQ(0, i ? create_of_pages(&self->c) :
				 chan_create(&self->c, 8, 8));
		flow = chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9);
		ASSERT_LE(0, flow);
		EXPECT_EQ(0, send_pieces(&self->c, flow, &p));
		EXPECT_EQ(1, chan_counter(&self->c, counter[i]));
		EXPECT_TRUE(net_sniffs(raw, &p));
	}
}

TEST_HARNESS_MAIN
