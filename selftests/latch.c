// SPDX-License-Identifier: GPL-2.0
/* Point-to-point listen: who is let in, who is refused, and when that ends. */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define CONFIRM	NETCHANNEL_LATCH_CONFIRM
#define RELEASE	NETCHANNEL_LATCH_RELEASE

FIXTURE(latch) {
	struct net net;
	struct chan c;
	uint32_t flow;
	int raw;
	struct packet first;	/* opens a conversation from peer:1000 */
	struct packet second;	/* the same from other:1001 */
};

FIXTURE_VARIANT(latch) {
	int hook;
	int protocol;
	const char *here;
	const char *peer;
	const char *other;
};

FIXTURE_VARIANT_ADD(latch, late_tcp4) {
	NETCHANNEL_HOOK_LATE, IPPROTO_TCP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(latch, late_tcp6) {
	NETCHANNEL_HOOK_LATE, IPPROTO_TCP, HERE6, PEER6, OTHER6,
};

FIXTURE_VARIANT_ADD(latch, late_udp4) {
	NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(latch, late_udp6) {
	NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE6, PEER6, OTHER6,
};

FIXTURE_VARIANT_ADD(latch, early_tcp4) {
	NETCHANNEL_HOOK_EARLY, IPPROTO_TCP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(latch, early_tcp6) {
	NETCHANNEL_HOOK_EARLY, IPPROTO_TCP, HERE6, PEER6, OTHER6,
};

FIXTURE_VARIANT_ADD(latch, early_udp4) {
	NETCHANNEL_HOOK_EARLY, IPPROTO_UDP, HERE4, PEER4, OTHER4,
};

FIXTURE_VARIANT_ADD(latch, early_udp6) {
	NETCHANNEL_HOOK_EARLY, IPPROTO_UDP, HERE6, PEER6, OTHER6,
};

static void opening(struct packet *p, int protocol, const char *from,
		    uint16_t port, const char *here)
{
	if (protocol == IPPROTO_TCP)
		packet_tcp(p, from, port, here, 80, PACKET_SYN);
	else
		packet_udp(p, from, port, here, 80, "hello");
}

FIXTURE_SETUP(latch)
{
	bool is4 = !strchr(variant->here, ':');
	struct netchannel_bind b;

	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 16, 4));
	bind_init(&b, variant->protocol, variant->here, 80,
		  is4 ? "0.0.0.0/0" : "::/0", 0);
	b.hook = variant->hook;
	b.flags = NETCHANNEL_BIND_LISTEN_PEER;
	ASSERT_EQ(0, chan_bind(&self->c, &b));
	self->flow = b.flow_id;
	opening(&self->first, variant->protocol, variant->peer, 1000, variant->here);
	opening(&self->second, variant->protocol, variant->other, 1001, variant->here);
}

FIXTURE_TEARDOWN(latch)
{
	chan_destroy(&self->c);
}

/* RST or port unreachable: what a closed port says. */
static bool is_refusal(struct packet *p)
{
	if (p->protocol == IPPROTO_TCP)
		return p->data[p->transport + 13] & PACKET_RST;
	if (p->protocol == IPPROTO_ICMP)
		return p->data[p->transport] == ICMP_DEST_UNREACH &&
		       p->data[p->transport + 1] == ICMP_PORT_UNREACH;
	return p->protocol == IPPROTO_ICMPV6 &&
	       p->data[p->transport] == ICMP6_DST_UNREACH &&
	       p->data[p->transport + 1] == ICMP6_DST_UNREACH_NOPORT;
}

/* Is @p refused on the wire, and kept from the channel? */
static bool is_refused(struct chan *c, int raw, const struct packet *p)
{
	static struct packet answer;

	return !net_inject(raw, p) && net_sniff(raw, &answer) &&
	       is_refusal(&answer) && !chan_peek(c);
}

static bool is_taken(struct chan *c, int raw, const struct packet *p)
{
	return !net_inject(raw, p) && chan_expect(c, p);
}

TEST_F(latch, first_peer_is_let_in)
{
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->first));
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->first));
}

TEST_F(latch, second_peer_is_refused)
{
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	EXPECT_TRUE(is_refused(&self->c, self->raw, &self->second));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_REFUSED));
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->first));
}

TEST_F(latch, same_address_but_other_port_is_refused)
{
	opening(&self->second, variant->protocol, variant->peer, 1001, variant->here);
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	EXPECT_TRUE(is_refused(&self->c, self->raw, &self->second));
}

TEST_F(latch, second_peer_is_refused_after_confirm)
{
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	EXPECT_EQ(0, chan_latch(&self->c, self->flow, CONFIRM, variant->peer, 1000));
	EXPECT_TRUE(is_refused(&self->c, self->raw, &self->second));
}

TEST_F(latch, release_lets_next_peer_in)
{
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	ASSERT_EQ(0, chan_latch(&self->c, self->flow, CONFIRM, variant->peer, 1000));
	ASSERT_EQ(0, chan_latch(&self->c, self->flow, RELEASE, variant->peer, 1000));
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->second));
	EXPECT_TRUE(is_refused(&self->c, self->raw, &self->first));
}

TEST_F(latch, release_of_provisional)
{
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	ASSERT_EQ(0, chan_latch(&self->c, self->flow, RELEASE, variant->peer, 1000));
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->second));
}

/* A spoofed opening must not keep everybody else out for long. */
TEST_F(latch, provisional_expires)
{
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	EXPECT_TRUE(is_refused(&self->c, self->raw, &self->second));
	usleep((NETCHANNEL_LATCH_MS + 500) * 1000);
	EXPECT_EQ(-ESTALE, chan_latch(&self->c, self->flow, CONFIRM,
				      variant->peer, 1000));
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->second));
	EXPECT_EQ(0, chan_latch(&self->c, self->flow, CONFIRM,
				variant->other, 1001));
}

TEST_F(latch, confirmed_does_not_expire)
{
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	ASSERT_EQ(0, chan_latch(&self->c, self->flow, CONFIRM, variant->peer, 1000));
	usleep((NETCHANNEL_LATCH_MS + 500) * 1000);
	EXPECT_TRUE(is_refused(&self->c, self->raw, &self->second));
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->first));
}

TEST_F(latch, stale)
{
	uint32_t flow = self->flow;
	struct chan *c = &self->c;

	EXPECT_EQ(-ESTALE, chan_latch(c, flow, CONFIRM, variant->peer, 1000));
	EXPECT_EQ(-ESTALE, chan_latch(c, flow, RELEASE, variant->peer, 1000));
	ASSERT_TRUE(is_taken(c, self->raw, &self->first));
	EXPECT_EQ(-ESTALE, chan_latch(c, flow, CONFIRM, variant->other, 1000));
	EXPECT_EQ(-ESTALE, chan_latch(c, flow, CONFIRM, variant->peer, 1001));
	EXPECT_EQ(-ESTALE, chan_latch(c, flow, RELEASE, variant->other, 1000));
	EXPECT_EQ(0, chan_latch(c, flow, CONFIRM, variant->peer, 1000));
	EXPECT_EQ(0, chan_latch(c, flow, RELEASE, variant->peer, 1000));
	EXPECT_EQ(-ESTALE, chan_latch(c, flow, CONFIRM, variant->peer, 1000));
}

/* Neither a damaged opening nor the middle of a conversation latches. */
TEST_F(latch, bad_checksum_does_not_latch)
{
	struct packet *p = &self->first;

	p->data[p->length - (variant->protocol == IPPROTO_TCP ? 4 : 1)] ^= 0x40;
	ASSERT_EQ(0, net_inject(self->raw, p));
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->second));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

TEST_F(latch, only_a_syn_latches)
{
	int flags[] = { PACKET_ACK, PACKET_RST, PACKET_SYN | PACKET_ACK,
			PACKET_SYN | PACKET_RST, PACKET_SYN | PACKET_FIN, 0 };
	struct packet *p = &self->first;
	int i;

	if (variant->protocol != IPPROTO_TCP)
		return;		/* of a datagram there is but one kind */
	for (i = 0; i < 6; i++) {
		packet_tcp(p, variant->peer, 1000, variant->here, 80, flags[i]);
		ASSERT_EQ(0, net_inject(self->raw, p));
	}
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->second));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

/* Its checksum is right, but no TCP would take it for an opening. */
TEST_F(latch, bad_data_offset_does_not_latch)
{
	int words[] = { 0, 4, 6, 15 };
	struct packet *p = &self->first;
	int i;

	if (variant->protocol != IPPROTO_TCP)
		return;		/* a datagram has none */
	for (i = 0; i < 4; i++) {
		packet_tcp_header(p)->doff = words[i];
		packet_finish(p);
		ASSERT_EQ(0, net_inject(self->raw, p));
	}
	EXPECT_TRUE(is_taken(&self->c, self->raw, &self->second));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_REFUSED));
}

/* Options are part of the header. */
TEST_F(latch, syn_with_options_latches)
{
	static const uint8_t mss[] = { 2, 4, 5, 0xb4 };
	struct packet *p = &self->first;

	if (variant->protocol != IPPROTO_TCP)
		return;		/* a datagram has none */
	memcpy(packet_payload(p), mss, sizeof(mss));
	p->length += sizeof(mss);
	packet_tcp_header(p)->doff = 6;
	packet_finish(p);
	EXPECT_TRUE(is_taken(&self->c, self->raw, p));
}

/* A flow of another kind, other arguments: without a variant's traffic. */
TEST_F(latch, arguments)
{
	struct netchannel_latch latch = { .size = sizeof(latch) };
	int64_t plain = chan_flow(&self->c, 0, variant->protocol, variant->here,
				  81, variant->peer, 0);
	struct chan *c = &self->c;

	ASSERT_LE(0, plain);
	EXPECT_EQ(-EINVAL, chan_latch(c, plain, CONFIRM, variant->peer, 1000));
	EXPECT_EQ(-EINVAL, chan_latch(c, self->flow, 0, variant->peer, 1000));
	EXPECT_EQ(-EINVAL, chan_latch(c, self->flow, 3, variant->peer, 1000));
	EXPECT_EQ(-ENOENT, chan_latch(c, 12345, CONFIRM, variant->peer, 1000));
	latch.flow_id = self->flow;
	latch.op = CONFIRM;
	latch.reserved = 1;
	EXPECT_EQ(-EINVAL, chan_ioctl(c->fd, NETCHANNEL_IOC_LATCH, &latch));
}

/* Steering a latch is not a bind. */
TEST_F(latch, works_when_frozen)
{
	ASSERT_EQ(0, chan_freeze(&self->c));
	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	EXPECT_EQ(0, chan_latch(&self->c, self->flow, CONFIRM, variant->peer, 1000));
	EXPECT_EQ(0, chan_latch(&self->c, self->flow, RELEASE, variant->peer, 1000));
}

/* The channel sends to its latched peer only. */
TEST_F(latch, send_to_other_peer)
{
	struct packet answer;

	ASSERT_TRUE(is_taken(&self->c, self->raw, &self->first));
	packet_init(&answer, variant->protocol, variant->here, 80,
		    variant->peer, 1000, "", 0);
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &answer));
	EXPECT_TRUE(net_sniffs(self->raw, &answer));
	packet_init(&answer, variant->protocol, variant->here, 80,
		    variant->other, 1001, "", 0);
	EXPECT_EQ(-EPERM, chan_send(&self->c, self->flow, &answer));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_BAD_FLOW));
}

TEST_HARNESS_MAIN
