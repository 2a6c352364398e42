// SPDX-License-Identifier: GPL-2.0
/* The RX ring: depth, full, wrap, release in any order, what is lost and why. */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define COOKIE	0x1122334455667788ULL

FIXTURE(ring) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
	int raw;
	struct packet p;
};

FIXTURE_SETUP(ring)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	bind_init(&self->b, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	self->b.cookie = COOKIE;
	packet_udp(&self->p, PEER4, 9, HERE4, 7, "0000");
}

FIXTURE_TEARDOWN(ring)
{
	chan_destroy(&self->c);
}

static int create(struct chan *c, struct netchannel_bind *b, uint32_t depth,
		  uint64_t bytes)
{
	struct netchannel_setup setup;
	int error;

	chan_setup_init(&setup, depth, 1);
	setup.rx_bytes = bytes;
	error = chan_create_with(c, &setup);
	return error ? error : chan_bind(c, b);
}

/* Sends packet number @n, of @length bytes in all. */
static int send_number(int raw, struct packet *p, uint32_t n, size_t length)
{
	p->length = p->transport + 8;
	memcpy(p->data + p->length, &n, 4);
	p->length += 4;
	packet_grow(p, length);
	return net_inject(raw, p);
}

static uint32_t number(struct chan *c, const struct netchannel_rx_desc *desc)
{
	uint32_t n = -1;

	if (desc)
		memcpy(&n, (uint8_t *)chan_bytes(c, desc) + 28, 4);
	return n;
}

/* Fills a ring of @depth exactly, is dropped once more, and reads it all. */
static int fill_and_read(struct chan *c, int raw, struct packet *p, uint32_t depth)
{
	struct netchannel_rx_desc *desc;
	uint32_t i;

	for (i = 0; i <= depth; i++)
		if (send_number(raw, p, i, 40))
			return 1;
	for (i = 0; i < depth; i++) {
		desc = chan_recv(c);
		if (number(c, desc) != i || desc->lost)
			return 2;
		chan_release(c, desc);
	}
	return chan_peek(c) ? 3 : 0;
}

static int depth_holds(struct chan *c, struct netchannel_bind *b, int raw,
		       struct packet *p, uint32_t depth, uint32_t rounded)
{
	int error = create(c, b, depth, NETCHANNEL_RX_PACKET_MAX + 64UL * rounded);

	if (error)
		return error;
	if (c->setup.rx_depth != rounded)
		return 10;
	error = fill_and_read(c, raw, p, rounded);
	if (error)
		return error;
	return chan_counter(c, NETCHANNEL_RX_PACKETS) != rounded ||
	       chan_counter(c, NETCHANNEL_RX_DROP_DEPTH) != 1 ||
	       chan_counter(c, NETCHANNEL_RX_DROP_BYTES) != 0 ? 11 : 0;
}

TEST_F(ring, depth_1)
{
	EXPECT_EQ(0, depth_holds(&self->c, &self->b, self->raw, &self->p, 1, 1));
}

TEST_F(ring, depth_2)
{
	EXPECT_EQ(0, depth_holds(&self->c, &self->b, self->raw, &self->p, 2, 2));
}

TEST_F(ring, depth_1000)
{
	EXPECT_EQ(0, depth_holds(&self->c, &self->b, self->raw, &self->p,
				 1000, 1024));
}

/* Full on a stock kernel only: the depths above are so on each. */
TEST_F_TIMEOUT(ring, depth_65536, 300)
{
	uint32_t i;

	if (!slow_kernel()) {
		EXPECT_EQ(0, depth_holds(&self->c, &self->b, self->raw, &self->p,
					 65536, 65536));
		return;
	}
	ASSERT_EQ(0, create(&self->c, &self->b, 65536, 0));
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 40));
	EXPECT_EQ(2000, chan_drain(&self->c));
}

/* Index and bytes wrap many times, at sizes that leave rests at the end. */
TEST_F_TIMEOUT(ring, wraps, 120)
{
	struct netchannel_rx_desc *desc;
	uint32_t i;

	ASSERT_EQ(0, create(&self->c, &self->b, 4, NETCHANNEL_RX_PACKET_MAX));
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 40 + i * 7 % 1400));
		desc = chan_recv(&self->c);
		ASSERT_NE(NULL, desc);
		ASSERT_EQ(0, desc->offset % NETCHANNEL_RX_ALIGN);
		ASSERT_LE(desc->offset + desc->length, self->c.setup.rx_bytes);
		ASSERT_EQ(self->p.length, desc->length);
		ASSERT_EQ(0, memcmp(self->p.data, chan_bytes(&self->c, desc),
				    desc->length));
		chan_release(&self->c, desc);
	}
	EXPECT_EQ(1000, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

TEST_F(ring, descriptor)
{
	struct netchannel_rx_desc *desc;
	struct timeval now;
	double age;

	ASSERT_EQ(0, create(&self->c, &self->b, 4, 0));
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(1, desc->seq);
	EXPECT_EQ(NETCHANNEL_RX_PACKET, desc->type);
	EXPECT_EQ(NETCHANNEL_GSO_NONE, desc->gso_type);
	EXPECT_EQ(0, desc->reserved);
	EXPECT_EQ(self->p.length, desc->length);
	EXPECT_EQ(COOKIE, desc->cookie);
	EXPECT_EQ(self->b.flow_id, desc->flow_id);
	EXPECT_EQ(self->net.ifindex, desc->ifindex);
	EXPECT_EQ(0, desc->lost);
	EXPECT_EQ(0, desc->vlan_proto);
	EXPECT_EQ(0, desc->info);
	gettimeofday(&now, NULL);
	age = now.tv_sec * 1e9 + now.tv_usec * 1e3 - desc->tstamp;
	if (desc->tstamp)
		EXPECT_GT(60e9, age);
	EXPECT_EQ(self->p.length, chan_counter(&self->c, NETCHANNEL_RX_BYTES));
}

/* The kernel takes slots back as a prefix: the oldest one holds up the rest. */
TEST_F(ring, release_out_of_order)
{
	struct netchannel_rx_desc *desc[4];
	uint32_t i;

	ASSERT_EQ(0, create(&self->c, &self->b, 4, 0));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 40));
		desc[i] = chan_recv(&self->c);
		ASSERT_EQ(i, number(&self->c, desc[i]));
	}
	chan_release(&self->c, desc[3]);
	chan_release(&self->c, desc[1]);
	chan_release(&self->c, desc[2]);
	ASSERT_EQ(0, send_number(self->raw, &self->p, 4, 40));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_DROP_DEPTH));
	EXPECT_EQ(0, number(&self->c, desc[0]));
	chan_release(&self->c, desc[0]);
	for (i = 5; i < 9; i++)
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 40));
	for (i = 5; i < 9; i++)
		EXPECT_EQ(i, number(&self->c, chan_recv(&self->c)));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_DROP_DEPTH));
}

/* What is held is not written to, however much else comes and goes. */
TEST_F(ring, held_bytes_stay)
{
	struct netchannel_rx_desc *held, *desc;
	uint8_t copy[40];
	uint32_t i;

	ASSERT_EQ(0, create(&self->c, &self->b, 8, NETCHANNEL_RX_PACKET_MAX));
	ASSERT_EQ(0, send_number(self->raw, &self->p, 99, 40));
	held = chan_recv(&self->c);
	ASSERT_NE(NULL, held);
	memcpy(copy, chan_bytes(&self->c, held), 40);
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 1400));
		desc = chan_peek(&self->c);
		if (!desc)
			continue;	/* full, as it must become */
		self->c.rx_next++;
		chan_release(&self->c, desc);
	}
	EXPECT_EQ(0, memcmp(copy, chan_bytes(&self->c, held), 40));
	EXPECT_EQ(7, chan_counter(&self->c, NETCHANNEL_RX_PACKETS) - 1);
	EXPECT_EQ(193, chan_counter(&self->c, NETCHANNEL_RX_DROP_DEPTH));
}

/* The next one that gets through tells how many did not. */
TEST_F(ring, lost)
{
	struct netchannel_rx_desc *desc;
	uint32_t i;

	ASSERT_EQ(0, create(&self->c, &self->b, 1, 0));
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 40));
	desc = chan_recv(&self->c);
	ASSERT_EQ(0, number(&self->c, desc));
	EXPECT_EQ(0, desc->lost);
	chan_release(&self->c, desc);
	ASSERT_EQ(0, send_number(self->raw, &self->p, 6, 40));
	desc = chan_recv(&self->c);
	ASSERT_EQ(6, number(&self->c, desc));
	EXPECT_EQ(5, desc->lost);
	chan_release(&self->c, desc);
	ASSERT_EQ(0, send_number(self->raw, &self->p, 7, 40));
	desc = chan_recv(&self->c);
	ASSERT_EQ(7, number(&self->c, desc));
	EXPECT_EQ(0, desc->lost);
}

/* Large packets: the bytes run out long before the descriptors do. */
FIXTURE(bytes) {
	struct net net;
	struct chan c;
	struct netchannel_bind b;
	int raw;
	struct packet p;
};

FIXTURE_SETUP(bytes)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip link set " HERE_DEV " mtu 65535"));
	ASSERT_EQ(0, net_run(self->net.peer, "/bin/ip link set " PEER_DEV " mtu 65535"));
	bind_init(&self->b, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	packet_udp(&self->p, PEER4, 9, HERE4, 7, "0000");
}

FIXTURE_TEARDOWN(bytes)
{
	chan_destroy(&self->c);
}

TEST_F(bytes, run_out)
{
	struct netchannel_rx_desc *desc;
	uint32_t i;

	ASSERT_EQ(0, create(&self->c, &self->b, 64, NETCHANNEL_RX_PACKET_MAX));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 30000));
	EXPECT_EQ(2, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_DROP_BYTES));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_DROP_DEPTH));
	ASSERT_EQ(0, send_number(self->raw, &self->p, 3, 40));	/* this one fits */
	ASSERT_EQ(0, number(&self->c, chan_recv(&self->c)));
	ASSERT_EQ(1, number(&self->c, chan_recv(&self->c)));
	desc = chan_recv(&self->c);
	ASSERT_EQ(3, number(&self->c, desc));
	EXPECT_EQ(1, desc->lost);
}

TEST_F(bytes, largest_packet)
{
	int i;

	ASSERT_EQ(0, create(&self->c, &self->b, 4, NETCHANNEL_RX_PACKET_MAX));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 65535));
		EXPECT_TRUE(chan_expect(&self->c, &self->p));
		ASSERT_EQ(0, send_number(self->raw, &self->p, i, 100 + i * 64));
		EXPECT_TRUE(chan_expect(&self->c, &self->p));
	}
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_DROP_BYTES));
}

/* The promise of the default size, from any state of the ring. */
TEST_F_TIMEOUT(bytes, depth_packets_of_2_kib_always_fit, 120)
{
	uint32_t start, i;

	ASSERT_EQ(0, create(&self->c, &self->b, 256, 0));
	ASSERT_EQ(257 * 2048 + 2048, self->c.setup.rx_bytes);
	for (start = 0; start < 6; start++) {
		for (i = 0; i < 100; i++)
			ASSERT_EQ(0, send_number(self->raw, &self->p, i,
						 100 + start * 333));
		ASSERT_EQ(100, chan_drain(&self->c));
		for (i = 0; i < 256; i++)
			ASSERT_EQ(0, send_number(self->raw, &self->p, i, 2048));
		ASSERT_EQ(256, chan_drain(&self->c));
	}
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_DROP_BYTES));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_DROP_DEPTH));
}

TEST_HARNESS_MAIN
