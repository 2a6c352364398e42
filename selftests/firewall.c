// SPDX-License-Identifier: GPL-2.0
/*
 * What stands before a LATE flow and not before an EARLY one: the firewall,
 * connection tracking, IPsec policy, the authority socket's filter.  And the
 * firewall's output chains, which both go through.
 */
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(firewall) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet in;
	struct packet out;
};

FIXTURE_VARIANT(firewall) {
	int protocol;
	const char *here;
	const char *peer;
};

FIXTURE_VARIANT_ADD(firewall, udp4) { IPPROTO_UDP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(firewall, udp6) { IPPROTO_UDP, HERE6, PEER6 };
FIXTURE_VARIANT_ADD(firewall, tcp4) { IPPROTO_TCP, HERE4, PEER4 };
FIXTURE_VARIANT_ADD(firewall, tcp6) { IPPROTO_TCP, HERE6, PEER6 };

/* A chain of @hook that lets all but a few packets through. */
static int chain(struct net *net, const char *hook, int priority,
		 const char *rule)
{
	return net_run(net->here, "nft 'add table inet t; add chain inet t %s "
		       "{ type filter hook %s priority %d; }; "
		       "add rule inet t %s %s'", hook, hook, priority, hook, rule);
}

static int count(struct net *net, const char *rule_part)
{
	char text[8192], *at;

	if (net_run(net->here, "nft list table inet t >/tmp/nft.%d", getpid()))
		return -1;
	snprintf(text, sizeof(text), "/tmp/nft.%d", getpid());
	at = strdup(text);
	file_read(at, text, sizeof(text));
	unlink(at);
	free(at);
	at = strstr(text, rule_part);
	at = at ? strstr(at, "packets ") : NULL;
	return at ? atoi(at + 8) : -1;
}

/* TCP: the peer's answer to a SYN, so that conntrack has no objection. */
FIXTURE_SETUP(firewall)
{
	bool tcp = variant->protocol == IPPROTO_TCP;

	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
	self->raw = net_raw(&self->net);
	ASSERT_LE(0, self->raw);
	if (tcp) {
		packet_tcp(&self->out, variant->here, 7, variant->peer, 9, PACKET_SYN);
		packet_tcp(&self->in, variant->peer, 9, variant->here, 7,
			   PACKET_SYN | PACKET_ACK);
		packet_tcp_header(&self->in)->ack_seq = htonl(1);
		packet_finish(&self->in);
	} else {
		packet_udp(&self->out, variant->here, 7, variant->peer, 9, "out");
		packet_udp(&self->in, variant->peer, 9, variant->here, 7, "in");
	}
}

FIXTURE_TEARDOWN(firewall)
{
	chan_destroy(&self->c);
}

#define BIND(hook)							\
do {									\
	self->flow = chan_flow(&self->c, hook, variant->protocol,	\
			       variant->here, 7, variant->peer, 9);	\
	ASSERT_LE(0, self->flow);					\
} while (0)
#define BIND_LATE()	BIND(NETCHANNEL_HOOK_LATE)
#define BIND_EARLY()	BIND(NETCHANNEL_HOOK_EARLY)

TEST_F(firewall, input_drop_is_before_late)
{
	BIND_LATE();
	ASSERT_EQ(0, chain(&self->net, "input", 0, "th dport 7 counter drop"));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_EQ(1, count(&self->net, "dport 7"));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	ASSERT_EQ(0, net_run(self->net.here, "nft flush ruleset"));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
}

TEST_F(firewall, early_is_before_everything)
{
	BIND_EARLY();
	ASSERT_EQ(0, chain(&self->net, "prerouting", -400, "th dport 7 counter drop"));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
	EXPECT_EQ(0, count(&self->net, "dport 7"));
}

TEST_F(firewall, output_drop)
{
	int hook;

	ASSERT_EQ(0, chain(&self->net, "output", 0, "th sport 7 counter drop"));
	for (hook = 0; hook < 2; hook++) {
		BIND(hook);
		EXPECT_EQ(-EPERM, chan_send(&self->c, self->flow, &self->out));
		EXPECT_EQ(hook + 1, chan_counter(&self->c, NETCHANNEL_TX_DROPPED));
		ASSERT_EQ(0, chan_unbind(&self->c, self->flow));
	}
	EXPECT_EQ(2, count(&self->net, "sport 7"));
	ASSERT_EQ(0, net_run(self->net.here, "nft flush ruleset"));
	BIND_LATE();
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->out));
	EXPECT_TRUE(net_sniffs(self->raw, &self->out));
}

TEST_F(firewall, postrouting_drop)
{
	BIND_LATE();
	ASSERT_EQ(0, chain(&self->net, "postrouting", 0, "th sport 7 counter drop"));
	EXPECT_EQ(-EPERM, chan_send(&self->c, self->flow, &self->out));
	EXPECT_EQ(1, count(&self->net, "sport 7"));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_TX_DROPPED));
}

/*
 * Connection tracking: the channel's own packets make the entry, the peer's
 * answers belong to it, and an entry that the peer began is confirmed too.
 */
TEST_F(firewall, answers_are_established)
{
	BIND_LATE();
	ASSERT_EQ(0, chain(&self->net, "input", 0, "ct state != established drop"));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->out));
	ASSERT_TRUE(net_sniffs(self->raw, &self->out));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
}

TEST_F(firewall, entry_of_peer_is_confirmed)
{
	struct packet first = self->in;

	BIND_LATE();
	if (variant->protocol == IPPROTO_TCP)
		packet_tcp(&first, variant->peer, 9, variant->here, 7, PACKET_SYN);
	ASSERT_EQ(0, chain(&self->net, "input", 0, "ct state new counter accept"));
	ASSERT_EQ(0, chain(&self->net, "output", 0, "ct state established counter"));
	ASSERT_EQ(0, net_inject(self->raw, &first));
	EXPECT_TRUE(chan_expect(&self->c, &first));
	EXPECT_EQ(1, count(&self->net, "ct state new"));
	if (variant->protocol == IPPROTO_TCP) {
		packet_tcp(&self->out, variant->here, 7, variant->peer, 9,
			   PACKET_SYN | PACKET_ACK);
		packet_tcp_header(&self->out)->ack_seq = htonl(1);
		packet_finish(&self->out);
	}
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->out));
	ASSERT_TRUE(net_sniffs(self->raw, &self->out));
	EXPECT_EQ(1, count(&self->net, "ct state established"));
}

/*
 * EARLY packets are no part of what conntrack knows, so neither are answers.
 * Neighbour discovery never is.
 */
TEST_F(firewall, early_is_untracked)
{
	BIND_EARLY();
	ASSERT_EQ(0, chain(&self->net, "output", 0,
			   "meta l4proto != 58 ct state untracked counter"));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->out));
	EXPECT_EQ(1, count(&self->net, "ct state untracked"));
}

/* ---------------------------------------------------- IPsec, socket filter */

static void swap_ends(const char *here, const char *peer, char *text, size_t size)
{
	const char *all = strchr(here, ':') ? "128" : "32";

	snprintf(text, size, "src %s/%s dst %s/%s dir in action block", peer, all,
		 here, all);
}

TEST_F(firewall, ipsec_policy)
{
	char policy[128];

	BIND_LATE();
	swap_ends(variant->here, variant->peer, policy, sizeof(policy));
	ASSERT_EQ(0, net_run(self->net.here, "/bin/ip xfrm policy add %s", policy));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_DROP_POLICY));
	EXPECT_EQ(0, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

static int bind_socket(struct chan *c, int sock, int protocol, const char *here,
		       const char *peer)
{
	struct netchannel_bind b;

	bind_init(&b, protocol, here, 7, peer, 9);
	b.sock_fd = sock;
	return chan_bind(c, &b);
}

/* A filter of the socket that the flow leans on applies to the flow. */
TEST_F(firewall, socket_filter)
{
	struct sock_filter none[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, -1) };
	struct sock_fprog program = { .len = 1, .filter = none };
	int sock = net_socket(self->net.here, variant->protocol == IPPROTO_TCP ?
			      SOCK_STREAM : SOCK_DGRAM, variant->here, 7);

	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				sizeof(program)));
	ASSERT_EQ(0, bind_socket(&self->c, sock, variant->protocol,
				 variant->here, variant->peer));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_DROP_FILTER));
	EXPECT_EQ(NULL, chan_peek(&self->c));
	program.filter = all;
	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				sizeof(program)));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
}

/* It looks at the same bytes as for the socket: the transport header first. */
TEST_F(firewall, socket_filter_sees_transport_header)
{
	struct sock_filter from_port_9[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 9, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, -1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = 4, .filter = from_port_9 };
	int sock = net_socket(self->net.here, variant->protocol == IPPROTO_TCP ?
			      SOCK_STREAM : SOCK_DGRAM, variant->here, 7);

	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				sizeof(program)));
	ASSERT_EQ(0, bind_socket(&self->c, sock, variant->protocol,
				 variant->here, variant->peer));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
}

/* What leaves is the socket's: its mark is on it. */
TEST_F(firewall, output_knows_the_socket)
{
	int mark = 77, sock = net_socket(self->net.here,
			variant->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM,
			variant->here, 7);
	struct netchannel_bind b;

	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)));
	bind_init(&b, variant->protocol, variant->here, 7, variant->peer, 9);
	b.sock_fd = sock;
	ASSERT_EQ(0, chan_bind(&self->c, &b));
	ASSERT_EQ(0, chain(&self->net, "output", 0, "meta mark 77 counter"));
	ASSERT_EQ(0, chan_send(&self->c, b.flow_id, &self->out));
	EXPECT_EQ(1, count(&self->net, "meta mark"));
}

TEST_HARNESS_MAIN
