// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that the firewall queues to user space: the LATE hook then runs in the
 * process that lets them pass, with softirqs on.  A lockdep kernel says so if it
 * takes its locks as if they were off.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

/* A message of nfnetlink_queue for queue 0, with one attribute. */
struct message {
	struct nlmsghdr header;
	struct nfgenmsg family;
	struct nlattr attribute;
	uint8_t data[16];
};

static int message_send(int fd, int type, int attribute, const void *data,
			size_t length)
{
	struct message m = {
		.header = {
			.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.attribute = {
			.nla_type = attribute,
			.nla_len = sizeof(m.attribute) + length,
		},
	};

	m.header.nlmsg_len = offsetof(struct message, data) + NLA_ALIGN(length);
	memcpy(m.data, data, length);
	return send(fd, &m, m.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* A reader of queue 0 of this namespace: its socket, or -errno. */
static int queue_open(void)
{
	struct nfqnl_msg_config_cmd bind = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = { .copy_mode = NFQNL_COPY_META };
	struct timeval limit = { .tv_sec = CHAN_TIMEOUT / 1000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	error = message_send(fd, NFQNL_MSG_CONFIG, NFQA_CFG_CMD, &bind,
			     sizeof(bind));
	if (!error)
		error = message_send(fd, NFQNL_MSG_CONFIG, NFQA_CFG_PARAMS,
				     &params, sizeof(params));
	return error ? error : fd;
}

/* Lets the next packet of the queue pass; its identifier is the first attribute. */
static int queue_accept(int fd)
{
	struct nfqnl_msg_verdict_hdr verdict = { .verdict = htonl(NF_ACCEPT) };
	struct {
		struct message m;
		uint8_t rest[4096];
	} buffer;
	ssize_t n = recv(fd, &buffer, sizeof(buffer), 0);

	if (n < (ssize_t)sizeof(struct message) ||
	    buffer.m.header.nlmsg_type !=
	    (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    buffer.m.attribute.nla_type != NFQA_PACKET_HDR)
		return -1;
	memcpy(&verdict.id, buffer.m.data, sizeof(verdict.id));
	return message_send(fd, NFQNL_MSG_VERDICT, NFQA_VERDICT_HDR, &verdict,
			    sizeof(verdict));
}

FIXTURE(queue) {
	struct net net;
	struct chan c;
	struct packet p;
	int raw;
	int reader;
};

FIXTURE_VARIANT(queue) {
	const char *here;
	const char *peer;
};

FIXTURE_VARIANT_ADD(queue, ip4) { HERE4, PEER4 };
FIXTURE_VARIANT_ADD(queue, ip6) { HERE6, PEER6 };

FIXTURE_SETUP(queue)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
	self->raw = net_raw(&self->net);
	ASSERT_LE(0, self->raw);
	self->reader = queue_open();
	ASSERT_LE(0, self->reader);
}

FIXTURE_TEARDOWN(queue)
{
	chan_destroy(&self->c);
}

static int queue_rule(struct net *net)
{
	return net_run(net->here, "nft add table inet t && "
		       "nft add chain inet t input "
		       "'{ type filter hook input priority 0; }' && "
		       "nft add rule inet t input udp dport 7 queue num 0");
}

static void send_and_accept(struct __test_metadata *_metadata, int raw,
			    int reader, struct packet *p)
{
	ASSERT_EQ(0, net_inject(raw, p));
	ASSERT_EQ(0, queue_accept(reader));
}

TEST_F(queue, what_passes_is_taken)
{
	if (queue_rule(&self->net))
		SKIP(return, "no nft_queue");
	ASSERT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP,
			       variant->here, 7, variant->peer, 9));
	packet_udp(&self->p, variant->peer, 9, variant->here, 7, "queued");
	send_and_accept(_metadata, self->raw, self->reader, &self->p);
	EXPECT_TRUE(chan_expect(&self->c, &self->p));
}

/* The latch, and port unreachable from there. */
TEST_F(queue, others_than_the_peer_are_refused)
{
	struct netchannel_bind b;

	if (queue_rule(&self->net))
		SKIP(return, "no nft_queue");
	bind_init(&b, IPPROTO_UDP, variant->here, 7,
		  strchr(variant->here, ':') ? "::/0" : "0.0.0.0/0", 0);
	b.flags = NETCHANNEL_BIND_LISTEN_PEER;
	ASSERT_EQ(0, chan_bind(&self->c, &b));
	packet_udp(&self->p, variant->peer, 9, variant->here, 7, "first");
	send_and_accept(_metadata, self->raw, self->reader, &self->p);
	EXPECT_TRUE(chan_expect(&self->c, &self->p));
	packet_udp(&self->p, variant->peer, 10, variant->here, 7, "second");
	send_and_accept(_metadata, self->raw, self->reader, &self->p);
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_REFUSED));
}

TEST_HARNESS_MAIN
