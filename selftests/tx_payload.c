// SPDX-License-Identifier: GPL-2.0
/* Large payload: copied into memory that is used again, or referred to. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define SIZE	30000		/* of a packet */
#define COUNT	80		/* packets: twice what the module keeps for copies */

FIXTURE(payload) {
	struct net net;
	struct chan c;
	struct chan peer;
	int64_t flow;
	int sock;
	struct packet p;
};

FIXTURE_SETUP(payload)
{
	int room = 2 * COUNT * SIZE;

	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, net_prepare(&self->net, self->net.here,
				 "ip link set " HERE_DEV " mtu 60000"));
	ASSERT_EQ(0, net_prepare(&self->net, self->net.peer,
				 "ip link set " PEER_DEV " mtu 60000"));
	ASSERT_EQ(0, chan_create(&self->c, 4, 8));
	self->flow = chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE4, 7,
			       PEER4, 9);
	ASSERT_LE(0, self->flow);
	self->sock = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 9);
	ASSERT_LE(0, self->sock);
	ASSERT_EQ(0, setsockopt(self->sock, SOL_SOCKET, SO_RCVBUFFORCE, &room,
				sizeof(room)));
	packet_init(&self->p, IPPROTO_UDP, HERE4, 7, PEER4, 9, "", 0);
	packet_grow(&self->p, SIZE);
}

FIXTURE_TEARDOWN(payload)
{
	close(self->sock);
	chan_destroy(&self->c);
}

/*
 * A packet whose payload is all @byte: its result.  It does not begin with a block of
 * the arena's memory, and mostly lies across the end of one.
 */
static int send_bytes(struct chan *c, uint32_t flow, struct packet *p, int byte,
		      int flags)
{
	struct netchannel_tx_desc *desc;
	struct netchannel_tx_frag *frag;

	memset(packet_payload(p), byte, p->length - p->transport - 8);
	packet_finish(p);
	desc = chan_fill(c, flow, p);
	frag = desc->frag;
	frag->offset = (frag->offset + 50000) % (CHAN_TX_BYTES - SIZE);
	memset(c->tx_data + frag->offset, byte, frag->length);
	desc->flags = flags;
	return chan_send_slot(c);
}

static bool all_are(const uint8_t *bytes, size_t length, int byte)
{
	return bytes[0] == byte && !memcmp(bytes, bytes + 1, length - 1);
}

/* What a receiver has not read yet is not written over. */
TEST_F(payload, copies_stay_as_they_are)
{
	static uint8_t seen[SIZE];
	int i;

	for (i = 0; i < COUNT; i++)
		ASSERT_EQ(0, send_bytes(&self->c, self->flow, &self->p, i,
					NETCHANNEL_TX_COPY));
	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(SIZE - 28, recv(self->sock, seen, sizeof(seen), 0));
		EXPECT_TRUE(all_are(seen, SIZE - 28, i)) TH_LOG("packet %d", i);
	}
}

/*
 * The kernel's sockets want a copy of their own: tried once, then copied here.  And
 * once more if the kernel drops its routes meanwhile, as it does for news of a link.
 */
TEST_F(payload, copied_for_a_socket)
{
	static uint8_t seen[SIZE];
	uint64_t tried;
	int i;

	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(0, send_bytes(&self->c, self->flow, &self->p, i, 0));
		ASSERT_EQ(SIZE - 28, recv(self->sock, seen, sizeof(seen), 0));
		EXPECT_TRUE(all_are(seen, SIZE - 28, i));
	}
	tried = chan_counter(&self->c, NETCHANNEL_TX_ZEROCOPY);
	EXPECT_LE(1, tried);
	EXPECT_GE(4, tried);
	EXPECT_EQ(COUNT - tried, chan_counter(&self->c, NETCHANNEL_TX_COPIED));
}

/* Pages that anybody allocated so far. */
static uint64_t pages_allocated(void)
{
	static char text[16384];
	char *at = text;
	uint64_t sum = 0;

	file_read("/proc/vmstat", text, sizeof(text));
	while ((at = strstr(at, "pgalloc_"))) {
		at = strchr(at, ' ');
		sum += strtoull(at, &at, 10);
	}
	return sum;
}

/* Three packets at a time to one who reads them at once. */
static bool bursts(struct chan *c, uint32_t flow, struct packet *p, int sock)
{
	static uint8_t seen[SIZE];
	int i, j;

	for (i = 0; i < COUNT; i++) {
		for (j = 0; j < 3; j++)
			if (send_bytes(c, flow, p, j, NETCHANNEL_TX_COPY))
				return false;
		for (j = 0; j < 3; j++)
			if (recv(sock, seen, sizeof(seen), 0) != SIZE - 28 ||
			    !all_are(seen, SIZE - 28, j))
				return false;
	}
	return true;
}

/* What one holds does not keep the others from using the rest again and again. */
TEST_F(payload, reader_that_stands_still)
{
	int i, sock = net_socket(self->net.peer, SOCK_DGRAM, PEER4, 10);
	uint64_t pages;
	int64_t flow;

	ASSERT_LE(0, sock);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, send_bytes(&self->c, self->flow, &self->p, i,
					NETCHANNEL_TX_COPY));
	flow = chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE4, 7, PEER4, 10);
	ASSERT_LE(0, flow);
	packet_udp_header(&self->p)->dest = htons(10);
	ASSERT_TRUE(bursts(&self->c, flow, &self->p, sock));
	pages = pages_allocated();
	ASSERT_TRUE(bursts(&self->c, flow, &self->p, sock));
	EXPECT_GT(COUNT * 8, pages_allocated() - pages);	/* one packet of each burst */
	close(sock);
}

/* A channel at device ingress does without. */
TEST_F(payload, uncopied_for_an_early_channel)
{
	struct netchannel_setup setup;
	struct netchannel_rx_desc *desc;
	int i;

	net_enter(self->net.peer);
	chan_setup_init(&setup, 4, 4);
	setup.rx_bytes = 2 * 65536;
	ASSERT_EQ(0, chan_create_with(&self->peer, &setup));
	ASSERT_LE(0, chan_flow(&self->peer, NETCHANNEL_HOOK_EARLY, IPPROTO_UDP, PEER4,
			       9, HERE4, 7));
	net_enter(self->net.here);
	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(0, send_bytes(&self->c, self->flow, &self->p, i, 0));
		desc = chan_recv(&self->peer);
		ASSERT_NE(NULL, desc);
		ASSERT_EQ(SIZE, desc->length);
		EXPECT_TRUE(all_are((uint8_t *)chan_bytes(&self->peer, desc) + 28,
				    SIZE - 28, i));
		chan_release(&self->peer, desc);
	}
	EXPECT_EQ(COUNT, chan_counter(&self->c, NETCHANNEL_TX_ZEROCOPY));
	chan_destroy(&self->peer);
}

/* ------------------------------------------------------------- GRO on the way */

#define TRAIN	3		/* segments that GRO may merge */
#define SEGMENT	9000		/* payload of each */

/* The peer's device merges, and holds what it may still merge with for 20 ms. */
static int merging(struct net *net)
{
	return net_run(net->here, "ethtool -K " HERE_DEV " tso off") ||
	       net_run(net->peer, "ethtool -K " PEER_DEV " gro on && "
		       "unshare -m sh -c 'mount -t sysfs sys /sys && cd /sys/class/net/" PEER_DEV
		       " && echo 1 >napi_defer_hard_irqs && echo 20000000 >gro_flush_timeout'");
}

static int merging_peer(struct chan *c, struct net *net)
{
	struct netchannel_setup setup;
	int64_t flow;
	int error;

	chan_setup_init(&setup, 4, 4);
	setup.rx_bytes = 2 * 65536;
	net_enter(net->peer);
	error = chan_create_with(c, &setup);
	flow = error ? error : chan_flow(c, NETCHANNEL_HOOK_EARLY, IPPROTO_TCP, PEER4, 9,
					 HERE4, 7);
	net_enter(net->here);
	return flow < 0 ? flow : 0;
}

/* All payload, and nothing else, in the arena: what GRO moves from skb to skb. */
static void fill_segment(struct chan *c, uint32_t flow, int i, int flags)
{
	static struct packet p;
	struct netchannel_tx_desc *desc;
	unsigned int headers;

	packet_tcp(&p, HERE4, 7, PEER4, 9, PACKET_ACK);
	packet_tcp_header(&p)->seq = htonl(i * SEGMENT);
	headers = p.length;
	memset(p.data + headers, '0' + i, SEGMENT);
	p.length += SEGMENT;
	packet_finish(&p);
	desc = chan_fill(c, flow, &p);
	desc->flags = flags;
	desc->inline_length = headers;
	desc->frag[0].length = SEGMENT;
	memcpy(c->tx_data + desc->frag[0].offset, p.data + headers, SEGMENT);
}

static int send_train(struct chan *c, uint32_t flow, int flags)
{
	int i;

	for (i = 0; i < TRAIN; i++) {
		fill_segment(c, flow, i, flags);
		chan_submit(c);
	}
	return chan_kick(c);
}

/* As soon as a slot is done, its memory is the owner's, who uses it again. */
static bool reuse_when_done(struct chan *c)
{
	bool reused[TRAIN] = { false };
	int ms, i, left = TRAIN;

	for (ms = 0; left && ms < CHAN_TIMEOUT; ms++) {
		for (i = 0; i < TRAIN; i++) {
			if (reused[i] || !chan_is_done(c, i))
				continue;
			memset(c->tx_data + i * CHAN_TX_CHUNK, 'x', CHAN_TX_CHUNK);
			reused[i] = true;
			left--;
		}
		usleep(1000);
	}
	return !left;
}

/* The train came, merged to whatever degree, as it was sent; how many packets? */
static int came(struct chan *c)
{
	struct netchannel_rx_desc *desc;
	int i, packets = 0, next = 0;

	while (next < TRAIN) {
		desc = chan_recv(c);
		if (!desc || (desc->length - 40) % SEGMENT)
			return -1;
		for (i = 0; i < (int)(desc->length - 40) / SEGMENT; i++, next++)
			if (!all_are((uint8_t *)chan_bytes(c, desc) + 40 + i * SEGMENT,
				     SEGMENT, '0' + next))
				return -2;
		packets++;
	}
	return packets;
}

TEST_F(payload, copies_are_merged)
{
	int64_t flow;

	ASSERT_EQ(0, merging(&self->net));
	ASSERT_EQ(0, merging_peer(&self->peer, &self->net));
	flow = chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_TCP, HERE4, 7, PEER4, 9);
	ASSERT_LE(0, flow);
	ASSERT_EQ(0, send_train(&self->c, flow, NETCHANNEL_TX_COPY));
	EXPECT_TRUE(reuse_when_done(&self->c));
	EXPECT_EQ(1, came(&self->peer));
	chan_destroy(&self->peer);
}

/* Else they would be done while the first of them, with their pages, still waits. */
TEST_F(payload, references_are_not_done_before_they_came)
{
	int64_t flow;

	ASSERT_EQ(0, merging(&self->net));
	ASSERT_EQ(0, merging_peer(&self->peer, &self->net));
	flow = chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_TCP, HERE4, 7, PEER4, 9);
	ASSERT_LE(0, flow);
	ASSERT_EQ(0, send_train(&self->c, flow, NETCHANNEL_TX_REFERENCE));
	EXPECT_TRUE(reuse_when_done(&self->c));
	EXPECT_LE(1, came(&self->peer));
	EXPECT_EQ(TRAIN, chan_counter(&self->c, NETCHANNEL_TX_ZEROCOPY));
	chan_destroy(&self->peer);
}

TEST_HARNESS_MAIN
