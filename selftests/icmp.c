// SPDX-License-Identifier: GPL-2.0
/* ICMP errors about a flow: copied to its channel, and passed on to the kernel. */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(icmp) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet out;	/* what the channel sends */
	struct packet error;	/* about it */
};

FIXTURE_VARIANT(icmp) {
	int protocol;
	const char *here;
	const char *peer;
	const char *other;
	int hook;
};

FIXTURE_VARIANT_ADD(icmp, udp4) { IPPROTO_UDP, HERE4, PEER4, OTHER4 };
FIXTURE_VARIANT_ADD(icmp, udp6) { IPPROTO_UDP, HERE6, PEER6, OTHER6 };
FIXTURE_VARIANT_ADD(icmp, tcp4) { IPPROTO_TCP, HERE4, PEER4, OTHER4 };
FIXTURE_VARIANT_ADD(icmp, tcp6) { IPPROTO_TCP, HERE6, PEER6, OTHER6 };
FIXTURE_VARIANT_ADD(icmp, early_udp4) {
	IPPROTO_UDP, HERE4, PEER4, OTHER4, NETCHANNEL_HOOK_EARLY,
};
FIXTURE_VARIANT_ADD(icmp, early_udp6) {
	IPPROTO_UDP, HERE6, PEER6, OTHER6, NETCHANNEL_HOOK_EARLY,
};

FIXTURE_SETUP(icmp)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
	self->flow = chan_flow(&self->c, variant->hook, variant->protocol,
			       variant->here, 7, variant->peer, 9);
	ASSERT_LE(0, self->flow);
	packet_init(&self->out, variant->protocol, variant->here, 7,
		    variant->peer, 9, "quote me", 8);
}

FIXTURE_TEARDOWN(icmp)
{
	chan_destroy(&self->c);
}

static bool is_ip4(const struct packet *p)
{
	return p->data[0] >> 4 == 4;
}

/* The types and codes of both protocols that mean the same. */
struct kind {
	uint8_t type4, code4, type6, code6;
};

static const struct kind port_unreachable = { 3, 3, 1, 4 };
static const struct kind too_big = { 3, 4, 2, 0 };
static const struct kind time_exceeded = { 11, 0, 3, 0 };
static const struct kind parameter_problem = { 12, 0, 4, 0 };
static const struct kind echo = { 8, 0, 128, 0 };
static const struct kind redirect = { 5, 1, 137, 0 };

/* ICMPv6 sums a pseudo header too, so it is summed as a UDP packet would be. */
static void sum_icmp(struct packet *p)
{
	uint8_t *icmp = p->data + p->transport;
	uint64_t sum = 0;
	unsigned int i;

	icmp[2] = icmp[3] = 0;
	if (!is_ip4(p)) {
		for (i = 8; i < 40; i += 2)
			sum += p->data[i] << 8 | p->data[i + 1];
		sum += p->length - 40 + IPPROTO_ICMPV6;
	}
	for (i = p->transport; i < p->length; i += 2)
		sum += p->data[i] << 8 | (i + 1 < p->length ? p->data[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	icmp[2] = ~sum >> 8;
	icmp[3] = ~sum;
}

/* An error about @quoted as a router or the peer would send it; the ends say by which ICMP. */
static void make_error(struct packet *p, const struct kind *kind,
		       const char *from, const char *to,
		       const struct packet *quoted, unsigned int length, uint32_t mtu)
{
	bool ip4 = strchr(from, '.');
	uint8_t bytes[2048] = {
		ip4 ? kind->type4 : kind->type6, ip4 ? kind->code4 : kind->code6,
		0, 0, mtu >> 24, mtu >> 16, mtu >> 8, mtu,
	};

	memcpy(bytes + 8, quoted->data, length);
	packet_init(p, ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, from, 0, to, 0, bytes,
		    8 + length);
	sum_icmp(p);
}

/* The descriptor next in the ring is just this error? */
static bool tells(struct chan *c, uint32_t flow, const struct packet *error,
		  uint32_t info)
{
	struct netchannel_rx_desc *desc = chan_recv(c);
	bool same;

	if (!desc)
		return false;
	same = desc->type == NETCHANNEL_RX_ERROR && desc->flow_id == flow &&
	       desc->info == info &&
	       desc->length == error->length - error->transport &&
	       !memcmp(chan_bytes(c, desc), error->data + error->transport,
		       desc->length);
	chan_release(c, desc);
	return same;
}

/* The kernel's own count of ICMP messages of a kind. */
static long kernel_saw(const char *file, const char *name)
{
	char text[16384], *at, *end;
	int column = 0;

	file_read(file, text, sizeof(text));
	at = strstr(text, name);
	if (!at)
		return -1;
	if (strstr(file, "snmp6"))
		return atol(at + strlen(name));
	/* "Icmp: NAMES" on a line, "Icmp: VALUES" on the next */
	for (end = at; end > text && end[-1] != '\n'; end--)
		column += *end == ' ';
	at = strchr(at, '\n') + 1;
	while (column--)
		at = strchr(at, ' ') + 1;
	return atol(at);
}

static long unreachables(const struct packet *like)
{
	return is_ip4(like) ?
	       kernel_saw("/proc/thread-self/net/snmp", "InDestUnreachs") :
	       kernel_saw("/proc/thread-self/net/snmp6", "Icmp6InDestUnreachs");
}

/* With IPv6 the kernel takes what is sent to an address only a while after "ip addr add". */
static int peer_has(struct net *net, const char *address)
{
	return net_run(net->peer, "/bin/ip addr add %s%s dev " PEER_DEV " nodad;"
		       "until /bin/ip route get %s | grep -q ^local; do sleep .01; done",
		       address, strchr(address, ':') ? "/64" : "/24", address);
}

/* From the peer's kernel itself, which has nobody at that port. */
TEST_F(icmp, closed_port_of_peer)
{
	struct netchannel_rx_desc *desc;
	long before = unreachables(&self->out);
	const uint8_t *icmp;

	if (variant->protocol != IPPROTO_UDP)
		return;		/* a closed TCP port says RST */
	ASSERT_EQ(0, peer_has(&self->net, variant->peer));
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->out));
	desc = chan_recv(&self->c);
	ASSERT_NE(NULL, desc);
	EXPECT_EQ(NETCHANNEL_RX_ERROR, desc->type);
	EXPECT_EQ(0, desc->info);
	EXPECT_EQ(self->flow, desc->flow_id);
	icmp = chan_bytes(&self->c, desc);
	EXPECT_EQ(is_ip4(&self->out) ? 3 : 1, icmp[0]);
	EXPECT_EQ(is_ip4(&self->out) ? 3 : 4, icmp[1]);
	EXPECT_EQ(8 + self->out.length, desc->length);
	EXPECT_EQ(0, memcmp(icmp + 8 + self->out.transport,
			    self->out.data + self->out.transport, 8));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_ERRORS));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(before + 1, unreachables(&self->out));
}

#define TOLD(name, kind, mtu)						\
	TEST_F(icmp, name)						\
	{								\
		if (mtu)						\
			net_spoil();					\
		make_error(&self->error, &kind, variant->other,		\
			   variant->here, &self->out, self->out.length, mtu); \
		ASSERT_EQ(0, net_inject(self->raw, &self->error));	\
		EXPECT_TRUE(tells(&self->c, self->flow, &self->error, mtu)); \
		EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_ERRORS)); \
	}

TOLD(tells_of_unreachable, port_unreachable, 0)
TOLD(tells_of_too_big, too_big, 1300)
TOLD(tells_of_time_exceeded, time_exceeded, 0)
TOLD(tells_of_parameter_problem, parameter_problem, 0)

/* As little as RFC 792 promises: the IP header and eight bytes. */
TEST_F(icmp, quotes_eight_bytes)
{
	make_error(&self->error, &port_unreachable, variant->other, variant->here,
		   &self->out, self->out.transport + 8, 0);
	ASSERT_EQ(0, net_inject(self->raw, &self->error));
	EXPECT_TRUE(tells(&self->c, self->flow, &self->error, 0));
}

/* More than routers should quote (576 bytes in all by RFC 1812), as some do. */
TEST_F(icmp, quotes_all_of_a_long_packet)
{
	static uint8_t bytes[1200];
	struct packet sent;
	unsigned int i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7;
	packet_init(&sent, variant->protocol, variant->here, 7, variant->peer, 9, bytes,
		    sizeof(bytes));
	make_error(&self->error, &port_unreachable, variant->other, variant->here,
		   &sent, sent.length, 0);
	ASSERT_EQ(0, net_inject(self->raw, &self->error));
	EXPECT_TRUE(tells(&self->c, self->flow, &self->error, 0));
}

/* What is not told: injected, and then something that is. */
#define EXPECT_NOT_TOLD()						\
do {									\
	ASSERT_EQ(0, net_inject(self->raw, &self->error));		\
	make_error(&self->error, &port_unreachable, variant->other,	\
		   variant->here, &self->out, self->out.length, 0);	\
	ASSERT_EQ(0, net_inject(self->raw, &self->error));		\
	EXPECT_TRUE(tells(&self->c, self->flow, &self->error, 0));	\
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_ERRORS));	\
} while (0)

#define NOT_TOLD(name, kind, source, sport, dest, dport)		\
	TEST_F(icmp, name)						\
	{								\
		struct packet foreign;					\
									\
		packet_init(&foreign, variant->protocol, source, sport,	\
			    dest, dport, "quote me", 8);		\
		make_error(&self->error, &kind, variant->other,		\
			   variant->here, &foreign, foreign.length, 0);	\
		EXPECT_NOT_TOLD();					\
	}

NOT_TOLD(quotes_other_local_port, port_unreachable, variant->here, 8, variant->peer, 9)
NOT_TOLD(quotes_other_remote_port, port_unreachable, variant->here, 7, variant->peer, 8)
NOT_TOLD(quotes_other_peer, port_unreachable, variant->here, 7, variant->other, 9)
NOT_TOLD(quotes_other_source, port_unreachable, variant->other, 7, variant->peer, 9)
NOT_TOLD(quotes_what_the_peer_sent, port_unreachable, variant->peer, 9, variant->here, 7)
NOT_TOLD(no_error_but_echo, echo, variant->here, 7, variant->peer, 9)
NOT_TOLD(no_error_but_redirect, redirect, variant->here, 7, variant->peer, 9)

TEST_F(icmp, bad_checksum)
{
	make_error(&self->error, &port_unreachable, variant->other, variant->here,
		   &self->out, self->out.length, 0);
	self->error.data[self->error.transport + 2] ^= 1;
	EXPECT_NOT_TOLD();
}

/* Cut off everywhere before the eighth byte of the quoted transport header. */
TEST_F(icmp, quotes_too_little)
{
	unsigned int length;

	for (length = 0; length < self->out.transport + 8; length++) {
		make_error(&self->error, &port_unreachable, variant->other,
			   variant->here, &self->out, length, 0);
		ASSERT_EQ(0, net_inject(self->raw, &self->error));
	}
	EXPECT_NOT_TOLD();
}

/* An IPv4 host has nothing to say of IPv6, nor the other way round. */
TEST_F(icmp, quotes_the_other_family)
{
	bool ip4 = is_ip4(&self->out);

	make_error(&self->error, &port_unreachable, ip4 ? OTHER6 : OTHER4,
		   ip4 ? HERE6 : HERE4, &self->out, self->out.length, 0);
	EXPECT_NOT_TOLD();
}

TEST_F(icmp, quotes_later_fragment)
{
	struct packet fragment = self->out;

	if (!is_ip4(&fragment))
		return;		/* there it is another header */
	packet_ip(&fragment)->frag_off = htons(10);
	packet_finish_ip(&fragment);
	make_error(&self->error, &port_unreachable, variant->other, variant->here,
		   &fragment, fragment.length, 0);
	EXPECT_NOT_TOLD();
}

/*
 * Passed on: the kernel learns the path's MTU through the authority socket, and
 * applies it to what the channel sends.
 */
TEST_F(icmp, kernel_learns_mtu)
{
	struct netchannel_bind b;
	int sock;

	if (variant->protocol != IPPROTO_UDP || variant->hook)
		return;		/* an unconnected TCP socket learns nothing */
	net_spoil();
	ASSERT_EQ(0, chan_unbind(&self->c, self->flow));
	sock = net_socket(self->net.here, SOCK_DGRAM, variant->here, 7);
	bind_init(&b, IPPROTO_UDP, variant->here, 7, variant->peer, 9);
	b.sock_fd = sock;
	ASSERT_EQ(0, chan_bind(&self->c, &b));
	packet_grow(&self->out, 1400);
	ASSERT_EQ(0, chan_send(&self->c, b.flow_id, &self->out));
	make_error(&self->error, &too_big, variant->other, variant->here,
		   &self->out, self->out.transport + 8, 1300);
	ASSERT_EQ(0, net_inject(self->raw, &self->error));
	EXPECT_TRUE(tells(&self->c, b.flow_id, &self->error, 1300));
	EXPECT_EQ(-EMSGSIZE, chan_send(&self->c, b.flow_id, &self->out));
	EXPECT_EQ(1300, self->c.tx_done[1].info);
}

/* A full ring loses errors as it loses packets, and says so. */
TEST_F(icmp, full_ring)
{
	int i;

	make_error(&self->error, &port_unreachable, variant->other, variant->here,
		   &self->out, self->out.length, 0);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, net_inject(self->raw, &self->error));
	EXPECT_EQ(8, chan_counter(&self->c, NETCHANNEL_RX_ERRORS));
	EXPECT_EQ(2, chan_counter(&self->c, NETCHANNEL_RX_DROP_DEPTH));
}

TEST_HARNESS_MAIN
