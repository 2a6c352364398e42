// SPDX-License-Identifier: MIT
/* What datagram sockets say of IP headers, and are told of them. */
#include <netinet/udp.h>

#include "udp_script.h"

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
	ok(set(IPPROTO_TCP, TCP_NODELAY, 1) == -ENOPROTOOPT, "those of streams are none");
	end();
}

/* A router tells of the first packet that left, and takes it back from the queue. */
static void too_large(uint32_t mtu)
{
	struct us_addr local = script_addr(&script, 1), remote = script_addr(&script, 2);
	const struct script_packet *p = &script.sent[script.first];

	udp_refuse(&script, &local, &remote, (struct us_net_error){
			.err = EMSGSIZE, .mtu = mtu, .quoted = p->data + script_ip_len(&script) });
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

/**
 * struct said - control messages, one behind the other
 * @len: bytes.
 * @room: their bytes.
 */
struct said {
	size_t len;
	_Alignas(struct cmsghdr) uint8_t room[256];
};

static void say(struct said *said, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (void *)(said->room + said->len);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	said->len += CMSG_SPACE(len);
}

static void say_number(struct said *said, int level, int type, int value)
{
	say(said, level, type, &value, sizeof(value));
}

static void say_source(struct said *said, uint8_t host, uint32_t ifindex)
{
	struct us_addr a = host ? script_addr(&script, host) : (struct us_addr){ 0 };
	struct in6_pktinfo six = { .ipi6_ifindex = ifindex };
	struct in_pktinfo four = { .ipi_ifindex = (int)ifindex };

	memcpy(&six.ipi6_addr, a.b, 16);
	memcpy(&four.ipi_spec_dst, a.b + 12, 4);
	if (script.six)
		say(said, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof(six));
	else
		say(said, IPPROTO_IP, IP_PKTINFO, &four, sizeof(four));
}

static int send_said(const struct said *said, int flags)
{
	struct iovec piece = { (void *)bytes, 100 };
	struct msghdr m = {
		.msg_iov = &piece, .msg_iovlen = 1,
		.msg_control = (void *)said->room, .msg_controllen = said->len,
	};

	return ustack_sendmsg(s, &m, flags) < 0 ? -errno : 0;
}

/* One control message with a number. */
static int send_number(int level, int type, int value)
{
	struct said said = { 0 };

	say_number(&said, level, type, value);
	return send_said(&said, 0);
}

static int hop_limit(void)
{
	return script.six ? IPV6_HOPLIMIT : IP_TTL;
}

static void test_message(bool six)
{
	struct said said = { 0 };
	const uint8_t byte = 3;

	begin(six);
	connect_to(2);
	set(own()->level, own()->tos, 4);
	say_number(&said, own()->level, own()->tos, 0x2a);
	say_number(&said, own()->level, hop_limit(), 7);
	ok(!send_said(&said, 0) && left(0x2a, 7), "one message has its own TOS and TTL");
	ok(ustack_send(s, "1", 1, 0) == 1 && left(4, 64), "the next one has the socket's");
	ok(!send_number(own()->level, own()->tos, 1) && left(1, 64), "a TOS alone");
	ok(!send_number(own()->level, hop_limit(), 2) && left(4, 2), "a TTL alone");
	ok(!send_number(IPPROTO_TCP, 1, 2) && left(4, 64), "levels of others say nothing");
	ok(!send_number(SOL_SOCKET, SCM_RIGHTS, 2) && left(4, 64), "nor do descriptors");
	if (six) {
		ok(!send_number(IPPROTO_IPV6, IPV6_TCLASS, -1) && left(4, 64) &&
		   !send_number(IPPROTO_IPV6, IPV6_HOPLIMIT, -1) && left(4, 64),
		   "-1 is what the socket has");
	} else {
		memset(&said, 0, sizeof(said));
		say(&said, IPPROTO_IP, IP_TOS, &byte, 1);
		ok(!send_said(&said, 0) && left(3, 64), "TOS in one byte");
	}
	end();
}

static void test_malformed(bool six)
{
	struct said said = { 0 };

	begin(six);
	connect_to(2);
	ok(send_number(own()->level, own()->tos, 256) == -EINVAL &&
	   send_number(own()->level, own()->tos, -2) == -EINVAL, "no such TOS");
	ok(send_number(own()->level, hop_limit(), 256) == -EINVAL &&
	   send_number(own()->level, hop_limit(), 0) == -EINVAL, "no such TTL");
	ok(send_number(own()->level, 9999, 1) == -EINVAL &&
	   send_number(SOL_SOCKET, 9999, 1) == -EINVAL &&
	   send_number(IPPROTO_UDP, 9999, 1) == -EINVAL, "unknown");
	say(&said, own()->level, own()->tos, "12", 2);
	ok(send_said(&said, 0) == -EINVAL, "a number of two bytes");
	memset(&said, 0, sizeof(said));
	say_number(&said, own()->level, own()->tos, 1);
	said.len = CMSG_LEN(3);
	ok(send_said(&said, 0) == -EINVAL, "longer than its room");
	((struct cmsghdr *)(void *)said.room)->cmsg_len = 3;
	ok(send_said(&said, 0) == -EINVAL, "shorter than a header");
	ok(!script.count, "and nothing leaves");
	end();
}

/* Datagrams of a batch, each with what it says. */
static void test_batch(bool six)
{
	struct said one = { 0 }, two = { 0 };

	begin(six);
	connect_to(2);
	say_number(&one, own()->level, own()->tos, 1);
	say_number(&two, own()->level, own()->tos, 2);
	ok(!send_said(&one, USTACK_MSG_BATCH) && !send_said(&one, USTACK_MSG_BATCH) &&
	   !script.count, "those that say the same wait together");
	ok(!send_said(&two, USTACK_MSG_BATCH) && script.count == 2 &&
	   tos_of(script.first) == 1 && tos_of(script.first + 1) == 1,
	   "one that says something else lets them out");
	script.count = 0;
	ok(!send_said(&two, USTACK_MSG_BATCH) && !script.count &&
	   ustack_send(s, bytes, 100, USTACK_MSG_BATCH) == 100 && script.count == 2 &&
	   tos_of(script.first) == 2 && tos_of(script.first + 1) == 2,
	   "as does one that says nothing");
	script.count = 0;
	ok(ustack_send(s, bytes, 100, 0) == 100 && script.count == 2 &&
	   tos_of(script.first) == 0 && tos_of(script.first + 1) == 0, "which has its own");
	end();
}

/* Of the oldest packet that left, which is taken. */
static bool comes_from(uint8_t host)
{
	struct us_addr a = script_addr(&script, host);
	const uint8_t *ip = script.sent[script.first].data;
	bool good = script.count == 1 && !(script.six ? memcmp(ip + 8, a.b, 16) :
						       memcmp(ip + 12, a.b + 12, 4));

	script.count = 0;
	return good;
}

static int send_from(uint8_t host, uint32_t ifindex)
{
	struct said said = { 0 };

	say_source(&said, host, ifindex);
	return send_said(&said, 0);
}

/* Two control messages say it. */
static int send_from_both(uint8_t host, uint32_t ifindex, uint8_t host2, uint32_t ifindex2)
{
	struct said said = { 0 };

	say_source(&said, host, ifindex);
	say_source(&said, host2, ifindex2);
	return send_said(&said, 0);
}

static bool is_named(uint8_t host)
{
	struct us_addr a = script_addr(&script, host);
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	return !ustack_getsockname(s, (void *)&name, &len) &&
	       (script.six ? !memcmp(&((struct sockaddr_in6 *)&name)->sin6_addr, a.b, 16) :
			     !memcmp(&((struct sockaddr_in *)&name)->sin_addr, a.b + 12, 4));
}

static void test_source(bool six)
{
	struct sockaddr_storage name;
	struct us_addr second;
	socklen_t len;

	begin(six);
	second = script_addr(&script, 9);
	us_net_address_add(script_stack(&script), &script.link, &second, six ? 64 : 24);
	connect_to(2);
	ok(ustack_send(s, "1", 1, 0) == 1 && comes_from(1), "the address that is chosen");
	ok(!send_from(9, 0) && comes_from(9), "the address that is said");
	ok(is_named(1), "the socket's name is what it was");
	ok(ustack_send(s, "1", 1, 0) == 1 && comes_from(1), "once");
	ok(!send_from(9, 0) && comes_from(9) && !send_from(0, 0) && comes_from(1), "none is said");
	ok(send_from(8, 0) == (six ? -EINVAL : -ENETUNREACH) && !script.count,
	   "one that is not ours");
	ok(send_from(9, 77) == -ENODEV, "by no device");
	script.link.ifindex = 5;
	ok(!send_from(9, 5) && comes_from(9) && !send_from(0, 5) && comes_from(1), "by its device");
	ustack_close(s);
	s = ustack_socket(script.stack, six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	len = script_name(&script, 9, 9, &name);
	ok(!ustack_bind(s, (void *)&name, len) && !connect_to(2) && !send_from(9, 0) &&
	   comes_from(9) && send_from(1, 0) == -EINVAL, "bound: its own only");
	end();
}

/* As Linux: the last one counts, but a device stays; and "any" of IPv6 names no address. */
static void test_sources(bool six)
{
	struct us_addr more;
	uint8_t host;

	begin(six);
	for (host = 8; host <= 9; host++) {
		more = script_addr(&script, host);
		us_net_address_add(script_stack(&script), &script.link, &more, six ? 64 : 24);
	}
	connect_to(2);
	ok(!send_from_both(9, 0, 8, 0) && comes_from(8) && !send_from_both(8, 0, 9, 0) &&
	   comes_from(9), "two sources: the last");
	ok(!send_from_both(9, 0, 0, 0) && comes_from(six ? 9 : 1), "two sources: then none");
	script.link.ifindex = 5;
	ok(!send_from_both(0, 5, 9, 0) && comes_from(9), "two sources: the first by its device");
	ok(send_from_both(0, 77, 9, 0) == -ENODEV && send_from_both(9, 0, 0, 77) == -ENODEV,
	   "two sources: either by no device");
	ok(six ? send_from_both(0, 5, 0, 77) == -EINVAL :
		 !send_from_both(0, 77, 0, 5) && comes_from(1), "two devices");
	end();
}

/* A control message that makes no sense, and something else that is wrong. */
static int send_wrong(size_t len, int flags, const struct sockaddr_storage *to, socklen_t length)
{
	static const uint8_t large[UINT16_MAX + 1];
	struct iovec piece = { (void *)large, len };
	struct said said = { 0 };
	struct msghdr m = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = said.room,
		.msg_name = (void *)to, .msg_namelen = length,
	};

	say_number(&said, own()->level, hop_limit(), 300);
	m.msg_controllen = said.len;
	return ustack_sendmsg(s, &m, flags) < 0 ? -errno : 0;
}

/* In Linux's order. */
static void test_first_wrong(bool six)
{
	struct sockaddr_storage to;
	socklen_t len;

	begin(six);
	len = script_name(&script, 2, 7, &to);
	ok(send_wrong(1, 0, NULL, 0) == -EDESTADDRREQ, "wrong: first, that there is no peer");
	ok(send_wrong(65536, 0, NULL, 0) == -EMSGSIZE, "wrong: first, that it is too large");
	if (!six) {
		ok(send_wrong(1, MSG_OOB, &to, len) == -EOPNOTSUPP, "wrong: first, MSG_OOB");
		to.ss_family = AF_INET6;
		ok(send_wrong(1, 0, &to, len) == -EAFNOSUPPORT, "wrong: first, the family");
		to.ss_family = AF_INET;
	}
	ok(send_wrong(1, 0, &to, len) == -EINVAL, "wrong: then the control message");
	connect_to(2);
	ustack_shutdown(s, SHUT_WR);
	ok(send_wrong(1, 0, NULL, 0) == -EINVAL && ustack_send(s, "1", 1, 0) == -1 &&
	   errno == EPIPE, "wrong: last, that nothing is sent any more");
	end();
}

static void test_all(bool six)
{
	test_socket(six);
	test_mtu(six);
	test_message(six);
	test_malformed(six);
	test_batch(six);
	test_source(six);
	test_sources(six);
	test_first_wrong(six);
}

int main(void)
{
	plan(0);
	test_all(false);
	test_all(true);
	return finish();
}
