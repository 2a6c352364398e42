// SPDX-License-Identifier: GPL-2.0
/* What descriptors say of checksums and of trains of segments. */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

FIXTURE(offload) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet p;
};

FIXTURE_VARIANT(offload) {
	int hook;
	int protocol;
	const char *here;
	const char *peer;
};

#define LATE	NETCHANNEL_HOOK_LATE
#define EARLY	NETCHANNEL_HOOK_EARLY

FIXTURE_VARIANT_ADD(offload, late_udp4) { LATE, IPPROTO_UDP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(offload, late_udp6) { LATE, IPPROTO_UDP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(offload, late_tcp4) { LATE, IPPROTO_TCP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(offload, late_tcp6) { LATE, IPPROTO_TCP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(offload, early_udp4) { EARLY, IPPROTO_UDP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(offload, early_tcp6) { EARLY, IPPROTO_TCP, HERE6, PEER6 };

FIXTURE_SETUP(offload)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 64, 4));
	self->flow = chan_flow(&self->c, variant->hook, variant->protocol,
			       variant->here, 7, variant->peer, 9);
	ASSERT_LE(0, self->flow);
	packet_init(&self->p, variant->protocol, variant->peer, 9, variant->here,
		    7, "payload", 7);
}

FIXTURE_TEARDOWN(offload)
{
	chan_destroy(&self->c);
}

/* From a packet socket nobody has looked at the sum yet. */
TEST_F(offload, checksum_not_looked_at)
{
	struct netchannel_rx_desc *desc;

	self->raw = net_raw(&self->net);
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_TRUE(desc->csum_state == NETCHANNEL_CSUM_NONE ||
		    desc->csum_state == NETCHANNEL_CSUM_VERIFIED);
}

/* A wrong one may be handed on, but never as right. */
TEST_F(offload, checksum_wrong)
{
	struct netchannel_rx_desc *desc;
	struct packet bad = self->p;

	self->raw = net_raw(&self->net);
	bad.data[bad.length - 1] ^= 1;
	ASSERT_EQ(0, net_inject(self->raw, &bad));
	desc = chan_peek(&self->c);
	if (desc)
		EXPECT_EQ(NETCHANNEL_CSUM_NONE, desc->csum_state);
	ASSERT_EQ(0, net_inject(self->raw, &self->p));
	EXPECT_NE(NULL, chan_recv(&self->c));
}

/* Any packet from a socket of the peer: for TCP its SYN. */
static int provoke(int sock, int protocol, const char *here)
{
	int error = protocol == IPPROTO_UDP ? net_sendto(sock, "payload", here, 7) :
					      net_connect(sock, here, 7);

	return error == -EINPROGRESS ? 0 : error;
}

/* Offloaded by the sender to a device that is none: nobody ever sums it. */
TEST_F(offload, checksum_partial)
{
	int type = variant->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int sock = net_socket(self->net.peer, type | SOCK_NONBLOCK, variant->peer, 9);
	struct netchannel_rx_desc *desc;

	ASSERT_EQ(0, provoke(sock, variant->protocol, variant->here));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(NETCHANNEL_CSUM_PARTIAL, desc->csum_state);
}

TEST_F(offload, checksum_by_sender)
{
	int type = variant->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int sock = net_socket(self->net.peer, type | SOCK_NONBLOCK, variant->peer, 9);
	struct netchannel_rx_desc *desc;
	static struct packet seen;

	ASSERT_EQ(0, net_run(self->net.peer, "ethtool -K " PEER_DEV
			     " tx off >/dev/null 2>&1"));
	ASSERT_EQ(0, provoke(sock, variant->protocol, variant->here));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_NE(NETCHANNEL_CSUM_PARTIAL, desc->csum_state);
	packet_parse(&seen, chan_bytes(&self->c, desc), desc->length);
	EXPECT_TRUE(packet_checksum_right(&seen));
}

/* ------------------------------------------------------- trains of segments */

/* A frame that its virtio header declares to be a train of 1000-byte segments. */
static int inject_train(struct net *net, const struct packet *p, int protocol)
{
	bool ip4 = p->data[0] >> 4 == 4;
	struct virtio_net_hdr v = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = ip4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
		.gso_size = 1000,
		.hdr_len = 14 + p->transport + 20,
		.csum_start = 14 + p->transport,
		.csum_offset = 16,
	};
	struct ethhdr eth = {
		.h_dest = { 2, 0, 0, 0, 0, 1 }, .h_source = { 2, 0, 0, 0, 0, 2 },
		.h_proto = htons(ip4 ? ETH_P_IP : ETH_P_IPV6),
	};
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	static uint8_t frame[70000];
	int fd, one = 1, n;

	net_enter(net->peer);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	ll.sll_ifindex = if_nametoindex(PEER_DEV);
	net_enter(net->here);
	setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one));
	memcpy(frame, &v, sizeof(v));
	memcpy(frame + sizeof(v), &eth, sizeof(eth));
	memcpy(frame + sizeof(v) + sizeof(eth), p->data, p->length);
	n = sendto(fd, frame, sizeof(v) + sizeof(eth) + p->length, 0, (void *)&ll,
		   sizeof(ll));
	close(fd);
	return n < 0 ? -errno : 0;
}

TEST_F(offload, tcp_train)
{
	struct netchannel_rx_desc *desc;

	if (variant->protocol != IPPROTO_TCP)
		return;		/* below */
	packet_tcp(&self->p, variant->peer, 9, variant->here, 7, PACKET_ACK);
	packet_grow(&self->p, 30500);
	ASSERT_EQ(0, inject_train(&self->net, &self->p, variant->protocol));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(NETCHANNEL_GSO_TCP, desc->gso_type);
	EXPECT_EQ(1000, desc->gso_size);
	EXPECT_EQ(31, desc->gso_segs);
	EXPECT_EQ(self->p.length, desc->length);
	EXPECT_EQ(0, memcmp((uint8_t *)chan_bytes(&self->c, desc) +
			    self->p.transport + 20, packet_payload(&self->p),
			    self->p.length - self->p.transport - 20));
}

TEST_F(offload, udp_train)
{
	struct netchannel_rx_desc *desc;
	int size = 1000;
	char bytes[9500];
	struct address a;
	int sock;

	if (variant->protocol != IPPROTO_UDP)
		return;		/* above */
	sock = net_socket(self->net.peer, SOCK_DGRAM, variant->peer, 9);
	ASSERT_EQ(0, setsockopt(sock, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)));
	memset(bytes, 'x', sizeof(bytes));
	a = address(variant->here, 7);
	ASSERT_EQ(9500, sendto(sock, bytes, sizeof(bytes), 0, &a.any, a.length));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(NETCHANNEL_GSO_UDP, desc->gso_type);
	EXPECT_EQ(1000, desc->gso_size);
	EXPECT_EQ(10, desc->gso_segs);
	EXPECT_EQ(9500 + self->p.length - 7, desc->length);
}

/* Where the sender's device cuts, segments come one by one. */
TEST_F(offload, udp_train_cut_by_sender)
{
	struct netchannel_rx_desc *desc;
	int size = 1000;
	char bytes[9500];
	struct address a;
	int sock, i;

	if (variant->protocol != IPPROTO_UDP)
		return;		/* TCP needs no socket option to be cut */
	ASSERT_EQ(0, net_run(self->net.peer, "ethtool -K " PEER_DEV
			     " tx-udp-segmentation off >/dev/null 2>&1"));
	sock = net_socket(self->net.peer, SOCK_DGRAM, variant->peer, 9);
	ASSERT_EQ(0, setsockopt(sock, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)));
	memset(bytes, 'x', sizeof(bytes));
	a = address(variant->here, 7);
	ASSERT_EQ(9500, sendto(sock, bytes, sizeof(bytes), 0, &a.any, a.length));
	for (i = 0; i < 10; i++) {
		desc = chan_recv(&self->c);
		ASSERT_NE(NULL, desc);
		EXPECT_EQ(NETCHANNEL_GSO_NONE, desc->gso_type);
		EXPECT_EQ((i < 9 ? 1000 : 500) + self->p.length - 7, desc->length);
	}
}

TEST_HARNESS_MAIN
