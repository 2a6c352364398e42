// SPDX-License-Identifier: GPL-2.0
/* Point-to-point listening: one peer at a time. */
#include <linux/jiffies.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include "nc.h"

static bool serves(const struct nc_latch *latch, const struct nc_key *key)
{
	return latch->port == key->remote_port &&
	       nc_addr_equal(&latch->peer, &key->remote);
}

/* A provisional latch ends by itself. */
static bool latched(struct nc_flow *flow)
{
	struct nc_latch *latch = &flow->latch;

	lockdep_assert_held(&flow->channel->rx.lock);
	if (latch->state == NC_LATCH_PROVISIONAL &&
	    time_after_eq(jiffies, latch->expires))
		latch->state = NC_LATCH_OPEN;
	return latch->state != NC_LATCH_OPEN;
}

static bool checksum_valid(const struct nc_rx_packet *packet)
{
	const struct nc_key *key = packet->key;
	u32 length = packet->length - packet->transport;
	struct sk_buff *skb = packet->skb;
	__wsum sum;

	if (nc_checksum_known(skb))
		return true;
	sum = skb_checksum(skb, packet->transport, length, 0);
	if (key->family == AF_INET)
		return !csum_tcpudp_magic(key->remote.w[0], key->local.w[0],
					  length, key->protocol, sum);
	return !csum_ipv6_magic((const void *)&key->remote,
				(const void *)&key->local, length,
				key->protocol, sum);
}

/* A UDP checksum of zero over IPv4 means that there is none. */
static bool knock_udp(const struct nc_rx_packet *packet)
{
	const u8 *udp;
	u8 buf[8];

	udp = skb_header_pointer(packet->skb, packet->transport, sizeof(buf),
				 buf);
	if (!udp)
		return false;
	return (packet->key->family == AF_INET && !nc_get16(udp + 6)) ||
	       checksum_valid(packet);
}

/* A SYN that any TCP would answer: its header fits into the packet. */
static bool knock_tcp(const struct nc_rx_packet *packet)
{
	const u8 *tcp;
	u32 header;
	u8 buf[20];

	tcp = skb_header_pointer(packet->skb, packet->transport, sizeof(buf),
				 buf);
	if (!tcp || (tcp[13] & (NC_TCP_SYN | NC_TCP_ACK | NC_TCP_RST |
				NC_TCP_FIN)) != NC_TCP_SYN)
		return false;
	header = (tcp[12] >> 4) * 4;
	if (header < sizeof(buf) ||
	    header > packet->length - packet->transport)
		return false;
	return checksum_valid(packet);
}

static bool knock(const struct nc_rx_packet *packet)
{
	return packet->key->protocol == IPPROTO_TCP ? knock_tcp(packet) :
						      knock_udp(packet);
}

static enum nc_latch_verdict check_locked(struct nc_flow *flow,
					  const struct nc_rx_packet *packet)
{
	struct nc_latch *latch = &flow->latch;

	if (latched(flow))
		return serves(latch, packet->key) ? NC_LATCH_TAKE :
						    NC_LATCH_REFUSE;
	if (!knock(packet))
		return NC_LATCH_PASS;
	latch->state = NC_LATCH_PROVISIONAL;
	latch->peer = packet->key->remote;
	latch->port = packet->key->remote_port;
	latch->expires = jiffies + msecs_to_jiffies(NETCHANNEL_LATCH_MS);
	return NC_LATCH_TAKE;
}

/**
 * nc_latch_ask() - does a flow take a packet of this peer now?
 * @flow: listens point to point.
 * @packet: the packet; may latch the flow.
 *
 * Return: take it, leave it to the kernel, or refuse it.
 */
enum nc_latch_verdict nc_latch_ask(struct nc_flow *flow,
				   const struct nc_rx_packet *packet)
{
	enum nc_latch_verdict verdict;

	spin_lock(&flow->channel->rx.lock);
	verdict = check_locked(flow, packet);
	spin_unlock(&flow->channel->rx.lock);
	return verdict;
}

/**
 * nc_latch_has() - may a flow talk with this peer now?
 * @flow: listens point to point.
 * @key: of a packet to the peer.
 *
 * Return: true if so.
 */
bool nc_latch_has(struct nc_flow *flow, const struct nc_key *key)
{
	bool served;

	spin_lock_bh(&flow->channel->rx.lock);
	served = latched(flow) && serves(&flow->latch, key);
	spin_unlock_bh(&flow->channel->rx.lock);
	return served;
}

static int steer(struct nc_flow *flow, const struct netchannel_latch *request)
{
	struct nc_latch *latch = &flow->latch;
	struct nc_key key = { .remote_port = request->peer_port };
	int err = -ESTALE;

	memcpy(key.remote.b, request->peer, sizeof(key.remote));
	spin_lock_bh(&flow->channel->rx.lock);
	if (latched(flow) && serves(latch, &key)) {
		latch->state = request->op == NETCHANNEL_LATCH_CONFIRM ?
			       NC_LATCH_CONFIRMED : NC_LATCH_OPEN;
		err = 0;
	}
	spin_unlock_bh(&flow->channel->rx.lock);
	return err;
}

/**
 * nc_latch_steer() - confirm or release a latch
 * @ch: the channel.
 * @request: checked for form.
 *
 * Return: 0, -ESTALE, -ENOENT or -EINVAL.
 */
int nc_latch_steer(struct nc_channel *ch,
		   const struct netchannel_latch *request)
{
	struct nc_flow *flow;
	int err;

	rcu_read_lock();
	flow = nc_channel_area(ch) ? nc_channel_flow(ch, request->flow_id) : NULL;
	if (!flow)
		err = -ENOENT;
	else if (!(flow->flags & NETCHANNEL_BIND_LISTEN_PEER))
		err = -EINVAL;
	else
		err = steer(flow, request);
	rcu_read_unlock();
	return err;
}
