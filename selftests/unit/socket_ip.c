// SPDX-License-Identifier: MIT
/* What datagram sockets say of IP headers, and are told of them. */
#include <netinet/udp.h>

#include "packet_script.h"
#include "transport/udp_parts.h"

static struct script script;
static struct ustack_socket *s;
static const uint8_t bytes[2000];

/**
 * struct names - of the options of a family
 * @level: of all.
 * @tos: DS field and ECN bits.
 * @ttl: or hop limit.
 * @mtu: of the path.
 * @discover: how it is found.
 */
static const struct names {
	int level, tos, ttl, mtu, discover;
} names[2] = {
	{ IPPROTO_IP, IP_TOS, IP_TTL, IP_MTU, IP_MTU_DISCOVER },
	{ IPPROTO_IPV6, IPV6_TCLASS, IPV6_UNICAST_HOPS, IPV6_MTU, IPV6_MTU_DISCOVER },
};

static const struct names *own(void)
{
	return &names[script.six];
}

static int get(int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	if (ustack_getsockopt(s, level, name, &value, &length))
		return -errno;
	return value;
}

static int set(int level, int name, int value)
{
	return ustack_setsockopt(s, level, name, &value, sizeof(value)) ? -errno : 0;
}

static void begin(bool six)
{
	memset(&script, 0, sizeof(script));
	if (!script_open(&script, six))
		puts("Bail out! no stack");
	s = ustack_socket(script.stack, six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static void end(void)
{
	ustack_close(s);
	script_end(&script);
}

static int connect_to(uint8_t host)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(&script, host, 7, &name);

	return ustack_connect(s, (void *)&name, len);
}

static uint8_t tos_of(unsigned int n)
{
	const uint8_t *ip = script.sent[n].data;

	return script.six ? (uint8_t)(ip[0] << 4 | ip[1] >> 4) : ip[1];
}

static uint8_t ttl_of(unsigned int n)
{
	return script.sent[n].data[script.six ? 7 : 8];
}

/* The only packet that left since the last look. */
static bool left(uint8_t tos, uint8_t ttl)
{
	bool good = script.count == 1 && tos_of(script.first) == tos &&
		    ttl_of(script.first) == ttl;

	script.count = 0;
	return good;
}

static void test_socket(bool six)
{
	begin(six);
	ok(get(own()->level, own()->tos) == 0 && get(own()->level, own()->ttl) == 64,
	   "at first: no TOS, a TTL of 64");
	ok(!connect_to(2) && ustack_send(s, "1", 1, 0) == 1 && left(0, 64), "as the packets have it");
	ok(set(own()->level, own()->tos, 0xb9) == 0 && get(own()->level, own()->tos) == 0xb9 &&
	   set(own()->level, own()->ttl, 255) == 0 && get(own()->level, own()->ttl) == 255,
	   "set, with the ECN bits");
	ok(ustack_send(s, "2", 1, 0) == 1 && left(0xb9, 255), "of a way that is known");
	ok(!connect_to(3) && ustack_send(s, "3", 1, 0) == 1 && left(0xb9, 255), "of another way");
	ok(ustack_send(s, "4", 1, USTACK_MSG_BATCH) == 1 &&
	   ustack_send(s, "5", 1, USTACK_MSG_BATCH) == 1 &&
	   set(own()->level, own()->tos, 1) == 0 && set(own()->level, own()->ttl, -1) == 0 &&
	   script.count == 2 && ttl_of(script.first) == 255 && tos_of(script.first + 1) == 0xb9,
	   "what waits leaves as it was");
	script.count = 0;
	ok(ustack_send(s, "6", 1, 0) == 1 && left(1, 64), "what is behind it does not");
	ok(set(own()->level, own()->ttl, 256) == -EINVAL &&
	   set(own()->level, own()->ttl, 0) == -EINVAL, "no such TTL");
	ok(six ? set(own()->level, own()->tos, 256) == -EINVAL :
		 set(own()->level, own()->tos, 256) == 0, "256 is no traffic class, and no TOS");
	ok(set(own()->level, six ? IPV6_RECVERR : IP_RECVERR, 1) == -ENOPROTOOPT &&
	   set(IPPROTO_TCP, TCP_NODELAY, 1) == -ENOPROTOOPT, "those of streams are none");
	end();
}

/* A router tells of the first packet that left, and takes it back from the queue. */
static void too_large(uint32_t mtu)
{
	struct us_addr local = script_addr(&script, 1), remote = script_addr(&script, 2);
	const struct script_packet *p = &script.sent[script.first];

	us_udp_icmp(script_stack(&script), &local, &remote, p->data + script_ip_len(&script), 8,
		    EMSGSIZE, true, mtu);
	script.count = 0;
}

static void test_mtu(bool six)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int whole, headers = six ? 48 : 28;

	begin(six);
	whole = (int)script.link.mtu;
	ok(get(own()->level, own()->mtu) == -ENOTCONN, "no peer, no MTU");
	ok(!connect_to(2) && get(own()->level, own()->mtu) == whole, "that of the link");
	ok(set(own()->level, own()->mtu, 1300) == -ENOPROTOOPT, "which is what it is");
	ok(get(own()->level, own()->discover) == IP_PMTUDISC_WANT, "discovery is on");
	ok(ustack_send(s, bytes, 1400, 0) == 1400, "1400 bytes");
	too_large(1300);
	ok(get(own()->level, own()->mtu) == 1300, "a router says: 1300");
	ok(get(SOL_SOCKET, SO_ERROR) == EMSGSIZE && ustack_send(s, bytes, 1400, 0) < 0 &&
	   errno == EMSGSIZE, "1400 bytes are too much");
	ok(ustack_send(s, bytes, (size_t)(1300 - headers), 0) > 0, "1300 with headers are not");
	ok(set(own()->level, own()->discover, IP_PMTUDISC_PROBE) == 0 &&
	   get(own()->level, own()->mtu) == whole && ustack_send(s, bytes, 1400, 0) == 1400,
	   "who probes is not bound");
	ok(set(own()->level, own()->discover, IP_PMTUDISC_DO) == 0 &&
	   ustack_send(s, bytes, 1400, 0) < 0 && errno == EMSGSIZE, "who does not is");
	ok(set(own()->level, own()->discover, IP_PMTUDISC_DONT) == -EINVAL &&
	   set(own()->level, own()->discover, IP_PMTUDISC_OMIT) == -EINVAL,
	   "fragments are not made");
	ok(!ustack_connect(s, &nobody, sizeof(nobody)) &&
	   get(own()->level, own()->mtu) == -ENOTCONN, "no peer any more");
	end();
}

static void test_all(bool six)
{
	test_socket(six);
	test_mtu(six);
}

int main(void)
{
	plan(0);
	test_all(false);
	test_all(true);
	return finish();
}
