// SPDX-License-Identifier: MIT
/* setsockopt(2) and getsockopt(2). */
#include "world.h"

static struct ustack_socket *s;

static int get(int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	if (ustack_getsockopt(s, level, name, &value, &length) ||
	    length != sizeof(value))
		return -1;
	return value;
}

static int set(int level, int name, int value)
{
	return ustack_setsockopt(s, level, name, &value, sizeof(value));
}

static void test_facts(void)
{
	ok(get(SOL_SOCKET, SO_TYPE) == SOCK_STREAM, "SO_TYPE");
	ok(get(SOL_SOCKET, SO_DOMAIN) == AF_INET, "SO_DOMAIN");
	ok(get(SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP, "SO_PROTOCOL");
	ok(get(SOL_SOCKET, SO_ACCEPTCONN) == 0, "SO_ACCEPTCONN");
	ok(get(SOL_SOCKET, SO_ERROR) == 0, "SO_ERROR");
	fails(set(SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
	fails(set(SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);
	fails(set(IPPROTO_TCP, TCP_INFO, 1), ENOPROTOOPT);
}

static void test_flags(void)
{
	static const struct { int level, name; const char *text; } flags[] = {
		{ SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR" },
		{ SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE" },
		{ IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY" },
		{ IPPROTO_TCP, TCP_CORK, "TCP_CORK" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int level = flags[i].level, name = flags[i].name;

		ok(get(level, name) == 0 && set(level, name, 7) == 0 &&
		   get(level, name) == 1 && set(level, name, 0) == 0 &&
		   get(level, name) == 0, "%s: off, on, off", flags[i].text);
	}
}

static void test_buffers(void)
{
	ok(set(SOL_SOCKET, SO_SNDBUF, 100000) == 0 &&
	   get(SOL_SOCKET, SO_SNDBUF) == 200000, "SO_SNDBUF is told twice, as Linux");
	ok(set(SOL_SOCKET, SO_RCVBUF, 100000) == 0 &&
	   get(SOL_SOCKET, SO_RCVBUF) == 200000, "SO_RCVBUF alike");
	ok(set(SOL_SOCKET, SO_SNDBUF, 1) == 0 && get(SOL_SOCKET, SO_SNDBUF) == 4608,
	   "SO_SNDBUF: least");
	ok(set(SOL_SOCKET, SO_RCVBUF, 0) == 0 && get(SOL_SOCKET, SO_RCVBUF) == 2304,
	   "SO_RCVBUF: least");
	ok(set(SOL_SOCKET, SO_RCVBUF, -1) == 0 && get(SOL_SOCKET, SO_RCVBUF) > 1000000,
	   "SO_RCVBUF: -1 is the most");
}

/* As Linux: of fewer than four bytes the first counts, if the option is one of IPv4. */
static void test_bytes(void)
{
	uint8_t bytes[4] = { 16, 1, 1, 1 };
	socklen_t length;

	for (length = 1; length < 4; length++)
		ok(ustack_setsockopt(s, IPPROTO_IP, IP_TOS, bytes, length) == 0 &&
		   get(IPPROTO_IP, IP_TOS) == 16 && set(IPPROTO_IP, IP_TOS, 0) == 0 &&
		   ustack_setsockopt(s, IPPROTO_IP, IP_TTL, bytes, length) == 0 &&
		   get(IPPROTO_IP, IP_TTL) == 16 && set(IPPROTO_IP, IP_TTL, -1) == 0,
		   "IP_TOS, IP_TTL: %u bytes", length);
	fails(ustack_setsockopt(s, IPPROTO_IP, IP_TTL, bytes, 0), EINVAL);
	length = 3;
	ok(ustack_getsockopt(s, IPPROTO_IP, IP_TTL, bytes, &length) == 0 && length == 1 &&
	   bytes[0] == 64 && bytes[1] == 1, "IP_TTL: told in one byte");
}

/* Which of several faults Linux names. */
static void test_errors(void)
{
	int value = 1;
	socklen_t length = sizeof(value);

	fails(ustack_setsockopt(s, SOL_SOCKET, SO_TYPE, &value, 3), EINVAL);
	fails(ustack_setsockopt(s, IPPROTO_TCP, 999, &value, 3), EINVAL);
	fails(ustack_setsockopt(s, IPPROTO_TCP, 999, &value, 4), ENOPROTOOPT);
	fails(ustack_setsockopt(s, IPPROTO_IPV6, IPV6_TCLASS, &value, 3), ENOPROTOOPT);
	fails(ustack_setsockopt(s, 12345, 1, &value, 4), ENOPROTOOPT);
	fails(ustack_getsockopt(s, IPPROTO_IPV6, IPV6_TCLASS, &value, &length), EOPNOTSUPP);
	fails(ustack_getsockopt(s, 12345, 1, &value, &length), EOPNOTSUPP);
	fails(ustack_getsockopt(s, IPPROTO_TCP, 999, &value, &length), ENOPROTOOPT);
	fails(ustack_getsockopt(s, SOL_SOCKET, 999, &value, &length), ENOPROTOOPT);
}

static void test_maxseg(void)
{
	ok(get(IPPROTO_TCP, TCP_MAXSEG) == 536, "TCP_MAXSEG before a connection");
	fails(set(IPPROTO_TCP, TCP_MAXSEG, 87), EINVAL);
	fails(set(IPPROTO_TCP, TCP_MAXSEG, 32768), EINVAL);
	ok(set(IPPROTO_TCP, TCP_MAXSEG, 1000) == 0 &&
	   get(IPPROTO_TCP, TCP_MAXSEG) == 1000, "TCP_MAXSEG");
}

static void test_user_timeout(void)
{
	fails(set(IPPROTO_TCP, TCP_USER_TIMEOUT, -1), EINVAL);
	ok(get(IPPROTO_TCP, TCP_USER_TIMEOUT) == 0 &&
	   set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30000) == 0 &&
	   get(IPPROTO_TCP, TCP_USER_TIMEOUT) == 30000, "TCP_USER_TIMEOUT");
}

static void test_mtu(void)
{
	socklen_t length = sizeof(int);
	int value;

	fails(ustack_getsockopt(s, IPPROTO_IP, IP_MTU, &value, &length), ENOTCONN);
	fails(set(IPPROTO_IP, IP_MTU, 1400), ENOPROTOOPT);
	ok(get(IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_WANT,
	   "IP_MTU_DISCOVER: wanted by default");
	ok(set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) == 0 &&
	   get(IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE &&
	   set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO) == 0 &&
	   get(IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_DO, "IP_MTU_DISCOVER");
	fails(set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT), EINVAL);
	fails(set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE), EINVAL);
}

static void test_max_pacing(void)
{
	uint64_t rate = 0;
	socklen_t length = sizeof(rate);

	ok(get(SOL_SOCKET, SO_MAX_PACING_RATE) == -1, "SO_MAX_PACING_RATE: none");
	ok(set(SOL_SOCKET, SO_MAX_PACING_RATE, 125000) == 0 &&
	   get(SOL_SOCKET, SO_MAX_PACING_RATE) == 125000, "SO_MAX_PACING_RATE");
	ok(ustack_getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &length) == 0 &&
	   length == 8 && rate == 125000, "SO_MAX_PACING_RATE: 64 bits");
	rate = UINT64_MAX;
	ok(ustack_setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, 8) == 0 &&
	   get(SOL_SOCKET, SO_MAX_PACING_RATE) == -1, "SO_MAX_PACING_RATE: none again");
}

static bool has_congestion(const char *name)
{
	char got[16] = "";
	socklen_t length = sizeof(got);

	ustack_getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, got, &length);
	return length == sizeof(got) && !strcmp(got, name);
}

static void test_congestion(void)
{
	char name[16] = "cubic";

	ok(has_congestion("cubic"), "TCP_CONGESTION: cubic");
	ok(ustack_setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0 &&
	   has_congestion("reno"), "TCP_CONGESTION: reno");
	ok(ustack_setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, sizeof(name)) == 0 &&
	   has_congestion("cubic"), "TCP_CONGESTION: with all 16 bytes");
	fails(ustack_setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "vegas", 5), ENOENT);
	fails(ustack_setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 0), EINVAL);
	ok(has_congestion("cubic"), "what failed changed nothing");
}

static void test_linger(void)
{
	struct linger linger = { 1, 5 }, got = { -1, -1 };
	socklen_t length = sizeof(got);

	ustack_getsockopt(s, SOL_SOCKET, SO_LINGER, &got, &length);
	ok(got.l_onoff == 0 && length == sizeof(got), "SO_LINGER is off");
	ok(ustack_setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0 &&
	   ustack_getsockopt(s, SOL_SOCKET, SO_LINGER, &got, &length) == 0 &&
	   got.l_onoff == 1 && got.l_linger == 5, "SO_LINGER");
	fails(ustack_setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, 4), EINVAL);
}

static void test_linger2(void)
{
	ok(get(IPPROTO_TCP, TCP_LINGER2) == 60, "TCP_LINGER2: a minute by default");
	ok(set(IPPROTO_TCP, TCP_LINGER2, 7) == 0 && get(IPPROTO_TCP, TCP_LINGER2) == 7 &&
	   set(IPPROTO_TCP, TCP_LINGER2, 0) == 0 && get(IPPROTO_TCP, TCP_LINGER2) == 60,
	   "TCP_LINGER2: 0 is the default");
	ok(set(IPPROTO_TCP, TCP_LINGER2, -7) == 0 && get(IPPROTO_TCP, TCP_LINGER2) == -1,
	   "TCP_LINGER2: negative");
	ok(set(IPPROTO_TCP, TCP_LINGER2, 121) == 0 && get(IPPROTO_TCP, TCP_LINGER2) == 120,
	   "TCP_LINGER2: two minutes at most");
}

static int set_time(long sec, long usec)
{
	struct timeval tv = { sec, usec };

	return ustack_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static bool has_time(long sec, long usec)
{
	struct timeval tv = { -1, -1 };
	socklen_t length = sizeof(tv);

	ustack_getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &length);
	return tv.tv_sec == sec && tv.tv_usec == usec;
}

static void test_times(void)
{
	ok(has_time(0, 0), "SO_RCVTIMEO: none");
	ok(set_time(3, 250000) == 0 && has_time(3, 250000), "SO_RCVTIMEO");
	fails(set_time(0, 1000000), EDOM);
	fails(set_time(0, -1), EDOM);
	ok(set_time(0, 0) == 0 && has_time(0, 0), "SO_RCVTIMEO: off");
	ok(set_time(-1, 0) == 0 && has_time(0, 0), "SO_RCVTIMEO: negative");
}

static void test_lengths(void)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);
	char byte = 55;

	fails(ustack_setsockopt(s, SOL_SOCKET, SO_SNDBUF, &byte, 1), EINVAL);
	fails(ustack_setsockopt(s, SOL_SOCKET, SO_SNDBUF, NULL, 4), EFAULT);
	fails(ustack_getsockopt(s, SOL_SOCKET, SO_SNDBUF, NULL, &length), EFAULT);
	fails(ustack_getsockopt(s, SOL_SOCKET, SO_SNDBUF, &byte, NULL), EFAULT);
	fails(ustack_getsockopt(s, SOL_SOCKET, SO_BROADCAST, &byte, &length), ENOPROTOOPT);
	fails(ustack_getsockopt(s, 99, 1, &byte, &length), EOPNOTSUPP);
	ok(ustack_getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	   length == sizeof(info) && info.tcpi_state == TCP_CLOSE, "TCP_INFO");
	length = 1;
	ok(ustack_getsockopt(s, SOL_SOCKET, SO_TYPE, &byte, &length) == 0 &&
	   length == 1 && byte == SOCK_STREAM, "getsockopt: cut to the caller's length");
	length = -1;
	fails(ustack_getsockopt(s, SOL_SOCKET, SO_TYPE, &byte, &length), EINVAL);
}

static void test_dgram(void)
{
	ok(get(SOL_SOCKET, SO_TYPE) == SOCK_DGRAM &&
	   get(SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP, "datagrams: their type");
	fails(set(IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
	ok(set(SOL_SOCKET, SO_RCVBUF, 100000) == 0, "datagrams: SO_RCVBUF");
	ok(get(SOL_SOCKET, SO_RCVLOWAT) == 1 && set(SOL_SOCKET, SO_RCVLOWAT, 200000) == 0 &&
	   get(SOL_SOCKET, SO_RCVLOWAT) == 200000 && set(SOL_SOCKET, SO_RCVLOWAT, -1) == 0 &&
	   get(SOL_SOCKET, SO_RCVLOWAT) == INT32_MAX, "datagrams: SO_RCVLOWAT, without limit");
}

/* What an accepted connection takes over, and what it tells. */
static void test_inherit(void)
{
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 80);
	struct ustack_socket *client;
	int one = 1;

	s = listener;
	ok(get(SOL_SOCKET, SO_ACCEPTCONN) == 1, "SO_ACCEPTCONN of a listening socket");
	ustack_setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	ustack_setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	client = world_connect(world.a, "10.0.0.2", 80, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(5));
	s = ustack_accept(listener, NULL, NULL, 0);
	ok(s && get(IPPROTO_TCP, TCP_NODELAY) == 1 && get(SOL_SOCKET, SO_KEEPALIVE) == 1,
	   "accept: options are inherited");
	ok(get(IPPROTO_TCP, TCP_MAXSEG) > 1400, "TCP_MAXSEG of a connection");
	ok(get(IPPROTO_IP, IP_MTU) == 1500, "IP_MTU of a connection");
	ustack_close(s);
	ustack_close(client);
	ustack_close(listener);
}

/* Set on a listening socket, after listen(2). */
static void test_inherited(void)
{
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 7), *peer;
	char data[8];

	s = listener;
	set(IPPROTO_TCP, TCP_NODELAY, 1);
	set(SOL_SOCKET, SO_RCVBUF, 5000);
	peer = world_connect(world.a, "10.0.0.2", 7, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(20));
	s = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	ok(s && get(IPPROTO_TCP, TCP_NODELAY) == 1 &&
	   get(SOL_SOCKET, SO_RCVBUF) == 10000, "an accepted connection inherits");
	world.frozen = true;
	ustack_send(s, "x", 1, 0);
	ustack_poll(world.b);
	ustack_send(s, "y", 1, 0);
	ustack_poll(world.b);
	ustack_poll(world.a);
	ok(ustack_recv(peer, data, sizeof(data), MSG_DONTWAIT) == 2,
	   "and does what it says: no Nagle");
	world.frozen = false;
	ustack_close(s);
	ustack_close(peer);
	ustack_close(listener);
}

int main(void)
{
	plan(0);
	world_create("");
	s = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	test_facts();
	test_flags();
	test_buffers();
	test_bytes();
	test_errors();
	test_maxseg();
	test_user_timeout();
	test_mtu();
	test_congestion();
	test_max_pacing();
	test_linger();
	test_linger2();
	test_times();
	test_lengths();
	ustack_close(s);
	test_inherited();
	s = ustack_socket(world.a, AF_INET6, SOCK_DGRAM, 0);
	test_dgram();
	ustack_close(s);
	test_inherit();
	world_destroy();
	return finish();
}
