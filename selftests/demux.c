// SPDX-License-Identifier: GPL-2.0
/*
 * Packets to a LATE flow are routed once, as long as routing could not tell them
 * apart: lookups are counted by a tracepoint.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"
#include "lib/trace.h"

#define PACKETS	10

FIXTURE(demux) {
	struct net net;
	struct chan c;
	struct packet plain;
	int raw;
};

FIXTURE_VARIANT(demux) {
	const char *version;	/* of IP, for ip(8) */
	const char *here;
	const char *peer;
	const char *other;
	const char *any;
	const char *event;
};

FIXTURE_VARIANT_ADD(demux, udp4) {
	"-4", HERE4, PEER4, OTHER4, "0.0.0.0/0", "fib/fib_table_lookup"
};

FIXTURE_VARIANT_ADD(demux, udp6) {
	"-6", HERE6, PEER6, OTHER6, "::/0", "fib6/fib6_table_lookup"
};

static bool comes_within(int ms, struct chan *c, int raw, const struct packet *packet)
{
	struct netchannel_rx_desc *desc;

	if (net_inject(raw, packet))
		return false;
	desc = chan_poll(c, POLLIN, ms) ? chan_peek(c) : NULL;
	if (desc)
		chan_release(c, chan_recv(c));
	return desc;
}

static bool comes(struct chan *c, int raw, const struct packet *packet)
{
	return comes_within(5000, c, raw, packet);
}

static bool is_lost(struct chan *c, int raw, const struct packet *packet)
{
	return !comes_within(100, c, raw, packet);
}

/*
 * The first one has taught where packets go, and no route comes later to undo that, as one
 * to the device's link-local address would when DAD is over.
 */
FIXTURE_SETUP(demux)
{
	ASSERT_EQ(0, net_create(&self->net));
	self->raw = net_raw(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, net_run(self->net.here, "ip addr flush dev " HERE_DEV " scope link && "
			     "ip %s rule add pref 10 lookup local && "
			     "ip %s rule del pref 0", variant->version, variant->version));
	ASSERT_EQ(0, chan_create(&self->c, 16, 4));
	ASSERT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP,
			       variant->here, 7, variant->any, 0));
	packet_udp(&self->plain, variant->peer, 9, variant->here, 7, "plain");
	ASSERT_TRUE(comes(&self->c, self->raw, &self->plain));
}

FIXTURE_TEARDOWN(demux)
{
	chan_destroy(&self->c);
}

struct lookup {
	int ifindex;
	const char *here;
};

/* The peer's kernel sends, too: neighbour discovery, to groups. */
static bool is_ours(const char *line, const void *argument)
{
	const struct lookup *l = argument;
	char from[32], to[64];

	snprintf(from, sizeof(from), "iif %d ", l->ifindex);
	snprintf(to, sizeof(to), "-> %s/", l->here);
	return strstr(line, from) && strstr(line, to);
}

/* Lookups for what comes from a device, while some packets come; negative: failed. */
static int lookups(struct chan *c, int raw, const struct packet *packet,
		   const char *event, const struct lookup *l)
{
	int i, n;

	if (trace_start(event))
		return -1;
	for (i = 0; i < PACKETS && comes(c, raw, packet); i++)
		continue;
	n = trace_stop(event, is_ours, l);
	return i < PACKETS ? -1 : n;
}

#define LOOKUPS_FROM(ifindex, packet)						\
	lookups(&self->c, self->raw, packet, variant->event,			\
		&(struct lookup) { ifindex, variant->here })
#define LOOKUPS(packet)	LOOKUPS_FROM(self->net.ifindex, packet)

TEST_F(demux, routed_once)
{
	EXPECT_EQ(0, LOOKUPS(&self->plain));
}

TEST_F(demux, not_if_the_system_has_it_switched_off)
{
	ASSERT_EQ(0, file_write("/proc/sys/net/ipv4/ip_early_demux", "0"));
	EXPECT_LE(PACKETS, LOOKUPS(&self->plain));
	ASSERT_EQ(0, file_write("/proc/sys/net/ipv4/ip_early_demux", "1"));
	ASSERT_EQ(0, file_write("/proc/sys/net/ipv4/udp_early_demux", "0"));
	EXPECT_LE(PACKETS, LOOKUPS(&self->plain));
}

/* A route that has gone is not used. */
TEST_F(demux, not_when_the_address_has_gone)
{
	ASSERT_EQ(0, net_run(self->net.here, "ip %s addr del %s/%d dev " HERE_DEV,
			     variant->version, variant->here, variant->version[1] == '4' ? 24 : 64));
	EXPECT_TRUE(is_lost(&self->c, self->raw, &self->plain));
}

TEST_F(demux, what_rules_tell_apart_by_source)
{
	struct packet other;

	packet_udp(&other, variant->other, 9, variant->here, 7, "other");
	ASSERT_EQ(0, net_run(self->net.here, "ip %s rule add pref 5 from %s blackhole",
			     variant->version, variant->other));
	ASSERT_TRUE(comes(&self->c, self->raw, &self->plain));
	EXPECT_TRUE(is_lost(&self->c, self->raw, &other));
	EXPECT_EQ(0, LOOKUPS(&self->plain));
}

TEST_F(demux, what_rules_tell_apart_by_tos)
{
	struct packet other = self->plain;

	if (variant->version[1] == '4')
		packet_ip(&other)->tos = 0x10;
	else
		packet_ip6(&other)->ip6_flow |= htonl(0x10 << 20);
	packet_finish(&other);
	ASSERT_EQ(0, net_run(self->net.here, "ip %s rule add pref 5 tos 0x10 blackhole",
			     variant->version));
	ASSERT_TRUE(comes(&self->c, self->raw, &self->plain));
	EXPECT_TRUE(is_lost(&self->c, self->raw, &other));
	EXPECT_EQ(0, LOOKUPS(&self->plain));
}

/* It is not routing's, and changes from packet to packet. */
TEST_F(demux, whatever_the_ecn_bits)
{
	struct packet other = self->plain;

	if (variant->version[1] == '4')
		packet_ip(&other)->tos = 2;
	else
		packet_ip6(&other)->ip6_flow |= htonl(2 << 20);
	packet_finish(&other);
	EXPECT_EQ(0, LOOKUPS(&other));
}

/* IPv4 alone checks sources, and what it let pass before it is told to is looked at again. */
TEST_F(demux, what_a_changed_source_check_refuses)
{
	bool checked = variant->version[1] == '4';
	struct packet other;

	packet_udp(&other, variant->other, 9, variant->here, 7, "other");
	ASSERT_EQ(0, net_run(self->net.here, "ip route add blackhole %s",
			     variant->other));
	ASSERT_TRUE(comes(&self->c, self->raw, &other));
	EXPECT_EQ(0, LOOKUPS(&other));
	ASSERT_EQ(0, file_write("/proc/sys/net/ipv4/conf/" HERE_DEV "/rp_filter", "1"));
	EXPECT_EQ(checked, is_lost(&self->c, self->raw, &other));
}

/* A namespace could not end before its last route with a realm, which IPv4 alone has. */
TEST_F(demux, nothing_with_a_realm)
{
	bool realm = variant->version[1] == '4';

	if (slow_kernel())
		SKIP(return, "the debug kernel has no realms");
	if (realm)
		ASSERT_EQ(0, net_run(self->net.here, "ip route add %s/32 dev " HERE_DEV
				     " realm 5", variant->peer));
	ASSERT_TRUE(comes(&self->c, self->raw, &self->plain));
	EXPECT_EQ(realm, LOOKUPS(&self->plain) >= PACKETS);
}

/* In a VRF the device below counts, too. */
TEST_F(demux, nothing_in_a_vrf)
{
	int below, above;

	if (slow_kernel())
		SKIP(return, "the debug kernel has no VRF");
	ASSERT_EQ(0, net_run(self->net.here, "ip link add vrf0 type vrf table 100 && "
			     "ip link set vrf0 up && ip link set " HERE_DEV " master vrf0 && "
			     "ip addr replace %s/%d dev " HERE_DEV "%s", variant->here,
			     variant->version[1] == '4' ? 24 : 64,
			     variant->version[1] == '4' ? "" : " nodad"));
	ASSERT_TRUE(comes(&self->c, self->raw, &self->plain));
	below = LOOKUPS(&self->plain);
	above = LOOKUPS_FROM(if_nametoindex("vrf0"), &self->plain);
	EXPECT_LE(PACKETS, below > above ? below : above);
}

/* From now on port 10 of the peer has mark 1 before routing, which loses packets for that. */
static int lose_mark(const struct net *net, const char *version)
{
	return net_run(net->here, "nft 'add table inet t; add chain inet t before "
		       "{ type filter hook prerouting priority 0; }; "
		       "add rule inet t before udp sport 10 meta mark set 1' && "
		       "ip %s rule add pref 5 fwmark 1 blackhole", version);
}

TEST_F(demux, what_rules_tell_apart_by_mark)
{
	struct packet other;

	packet_udp(&other, variant->peer, 10, variant->here, 7, "other");
	ASSERT_EQ(0, lose_mark(&self->net, variant->version));
	ASSERT_TRUE(comes(&self->c, self->raw, &self->plain));
	EXPECT_TRUE(is_lost(&self->c, self->raw, &other));
	EXPECT_EQ(0, LOOKUPS(&self->plain));
}

/* A mark that was set behind routing is not what a packet was routed by. */
TEST_F(demux, nothing_is_learned_from_what_was_changed)
{
	struct packet other;

	packet_udp(&other, variant->peer, 10, variant->here, 7, "other");
	ASSERT_EQ(0, lose_mark(&self->net, variant->version));
	ASSERT_EQ(0, net_run(self->net.here, "nft 'add chain inet t behind "
			     "{ type filter hook input priority 0; }; "
			     "add rule inet t behind meta mark set 1'"));
	EXPECT_LE(PACKETS, LOOKUPS(&self->plain));
	EXPECT_TRUE(is_lost(&self->c, self->raw, &other));
}

/* Ports are not in the key: where a rule looks at them, each packet is routed. */
TEST_F(demux, what_rules_tell_apart_by_port)
{
	struct packet other;

	packet_udp(&other, variant->peer, 10, variant->here, 7, "other");
	ASSERT_EQ(0, net_run(self->net.here, "ip %s rule add pref 5 ipproto 17 sport 10 blackhole",
			     variant->version));
	ASSERT_TRUE(comes(&self->c, self->raw, &self->plain));
	EXPECT_TRUE(is_lost(&self->c, self->raw, &other));
	EXPECT_LE(PACKETS, LOOKUPS(&self->plain));
}

TEST_HARNESS_MAIN
