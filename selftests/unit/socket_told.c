// SPDX-License-Identifier: MIT
/* What recvmsg(2) tells of a datagram beside its sender. */
#include <fcntl.h>
#include <netinet/udp.h>
#include <sys/time.h>

#include "udp_script.h"

static struct script script;
static struct ustack_socket *s;
static uint8_t bytes[4000];

/**
 * struct told - the control messages of a message, one behind the other
 * @n: bytes that came, or a negative errno.
 * @flags: MSG_*.
 * @len: bytes of all.
 * @room: their bytes.
 */
struct told {
	ssize_t n;
	int flags;
	size_t len;
	_Alignas(struct cmsghdr) uint8_t room[512];
};

/* The options and control messages of a family. */
static const struct names {
	int level, address, ttl, tos, is_address, is_ttl, is_tos;
} names[2] = {
	{ IPPROTO_IP, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_PKTINFO, IP_TTL, IP_TOS },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_PKTINFO,
	  IPV6_HOPLIMIT, IPV6_TCLASS },
};

static const struct names *own(void)
{
	return &names[script.six];
}

static int set(int level, int name, int value)
{
	return ustack_setsockopt(s, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int get(int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return ustack_getsockopt(s, level, name, &value, &length) ? -errno : value;
}

static void begin(bool six)
{
	struct sockaddr_storage name;
	socklen_t len;

	memset(&script, 0, sizeof(script));
	if (!script_open(&script, six))
		puts("Bail out! no stack");
	script.link.ifindex = 5;
	s = ustack_socket(script.stack, six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	len = script_name(&script, 1, 9, &name);
	if (ustack_bind(s, (void *)&name, len))
		puts("Bail out! no port");
}

static void end(void)
{
	ustack_close(s);
	script_end(&script);
}

static void come(const struct udp_dgram *d)
{
	struct udp_dgram all = *d;

	all.source = 7;
	all.dest = 9;
	udp_inject(&script, &all, bytes);
}

static struct told hear(size_t room, int flags)
{
	uint8_t data[4000];
	struct iovec piece = { data, sizeof(data) };
	struct told told = { 0 };
	struct msghdr m = {
		.msg_iov = &piece, .msg_iovlen = 1,
		.msg_control = told.room, .msg_controllen = room,
	};

	told.n = ustack_recvmsg(s, &m, flags);
	told.flags = m.msg_flags;
	told.len = m.msg_controllen;
	return told;
}

static struct told hear_all(void)
{
	return hear(sizeof((struct told *)NULL)->room, 0);
}

/* The @nth of them, if it is what is asked for. */
static const void *nth(const struct told *told, unsigned int n, int level, int type,
		       size_t size)
{
	struct msghdr m = {
		.msg_control = (void *)told->room, .msg_controllen = told->len,
	};
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(&m); c && n; c = CMSG_NXTHDR(&m, c))
		n--;
	if (!c || c->cmsg_level != level || c->cmsg_type != type ||
	    c->cmsg_len != CMSG_LEN(size))
		return NULL;
	return CMSG_DATA(c);
}

static bool says(const struct told *told, unsigned int n, int level, int type, int value)
{
	const int *said = nth(told, n, level, type, sizeof(*said));

	return said && *said == value;
}

static bool says_tos(const struct told *told, unsigned int n, uint8_t value)
{
	const uint8_t *said;

	if (script.six)
		return says(told, n, IPPROTO_IPV6, IPV6_TCLASS, value);
	said = nth(told, n, IPPROTO_IP, IP_TOS, 1);
	return said && *said == value;
}

static bool says_address(const struct told *told, unsigned int n, int device)
{
	struct us_addr here = script_addr(&script, 1);
	const struct in6_pktinfo *six;
	const struct in_pktinfo *four;

	if (script.six) {
		six = nth(told, n, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(*six));
		return six && six->ipi6_ifindex == (unsigned int)device && !memcmp(&six->ipi6_addr, here.b, 16);
	}
	four = nth(told, n, IPPROTO_IP, IP_PKTINFO, sizeof(*four));
	return four && four->ipi_ifindex == device && !memcmp(&four->ipi_addr, here.b + 12, 4) &&
	       !memcmp(&four->ipi_spec_dst, here.b + 12, 4);
}

static void test_one_by_one(bool six)
{
	static const uint8_t tos = 0x2b, ttl = 33;
	struct told t;

	begin(six);
	come(&(struct udp_dgram){ .len = 10, .tos = tos, .ttl = ttl });
	t = hear_all();
	ok(t.n == 10 && !t.len && !t.flags, "who asks for nothing is told nothing");
	ok(!set(own()->level, own()->tos, 1) && get(own()->level, own()->tos) == 1 &&
	   get(own()->level, own()->ttl) == 0, "its TOS is asked for");
	come(&(struct udp_dgram){ .len = 10, .tos = tos, .ttl = ttl });
	t = hear_all();
	ok(says_tos(&t, 0, tos) && t.len == CMSG_SPACE(six ? sizeof(int) : 1), "and told");
	set(own()->level, own()->tos, 0);
	ok(!set(own()->level, own()->ttl, 1) && get(own()->level, own()->ttl) == 1 &&
	   get(own()->level, own()->tos) == 0, "its TTL is");
	come(&(struct udp_dgram){ .len = 10, .tos = tos, .ttl = ttl });
	t = hear_all();
	ok(says(&t, 0, own()->level, own()->is_ttl, ttl) && t.len == CMSG_SPACE(sizeof(int)),
	   "and told");
	set(own()->level, own()->ttl, 0);
	ok(!set(own()->level, own()->address, 1) && get(own()->level, own()->address) == 1,
	   "where it went to is");
	come(&(struct udp_dgram){ .len = 10, .tos = tos, .ttl = ttl });
	t = hear_all();
	ok(says_address(&t, 0, 5) && !nth(&t, 1, 0, 0, 0), "and told, with the device");
	come(&(struct udp_dgram){ .len = 10, .ifindex = 8 });
	t = hear_all();
	ok(says_address(&t, 0, 8), "and told, with the device of the packet");
	set(own()->level, own()->address, 0);
	come(&(struct udp_dgram){ .len = 10 });
	t = hear_all();
	ok(t.n == 10 && !t.len, "until it is not asked for any more");
	end();
}

static void ask_for_all(void)
{
	set(own()->level, own()->address, 1);
	set(own()->level, own()->ttl, 1);
	set(own()->level, own()->tos, 1);
	set(SOL_SOCKET, SO_TIMESTAMPNS, 1);
	set(SOL_SOCKET, SO_RXQ_OVFL, 1);
}

static void test_together(bool six)
{
	struct udp_dgram one = { .len = 10, .tos = 1, .ttl = 2, .tstamp = 3000000004u };
	size_t whole = six ? 2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) :
			     CMSG_SPACE(sizeof(int)) + CMSG_SPACE(1) +
			     CMSG_SPACE(sizeof(struct in_pktinfo));
	struct told t;

	begin(six);
	ask_for_all();
	whole += CMSG_SPACE(sizeof(struct timespec));
	come(&one);
	t = hear(sizeof(t.room), MSG_PEEK);
	ok(t.n == 10 && t.len == whole && !t.flags, "all, to who only peeks");
	t = hear_all();
	ok(t.len == whole && nth(&t, 0, SOL_SOCKET, SO_TIMESTAMPNS, sizeof(struct timespec)) &&
	   says_address(&t, 1, 5) && says(&t, 2, own()->level, own()->is_ttl, 2) &&
	   says_tos(&t, 3, 1), "in Linux's order");
	come(&one);
	t = hear(whole - 1, 0);
	ok(t.n == 10 && !t.flags && t.len == whole - 1 && says_tos(&t, 3, 1),
	   "a byte of padding less");
	come(&one);
	t = hear(CMSG_SPACE(sizeof(struct timespec)) + sizeof(struct cmsghdr) - 1, 0);
	ok(t.flags == MSG_CTRUNC && t.len == CMSG_SPACE(sizeof(struct timespec)),
	   "room for one");
	come(&one);
	t = hear(0, 0);
	ok(t.n == 10 && t.flags == MSG_CTRUNC && !t.len, "no room");
	end();
}

/* What is merged is told of as one, and of each where it is cut. */
static void test_train(bool six)
{
	struct udp_dgram train = { .len = 2500, .gso_size = 1000, .tos = 3 };
	struct told t;

	begin(six);
	set(own()->level, own()->tos, 1);
	come(&train);
	t = hear_all();
	ok(t.n == 1000 && says_tos(&t, 0, 3), "the first of a train");
	t = hear_all();
	ok(t.n == 1000 && says_tos(&t, 0, 3), "one in its middle");
	t = hear_all();
	ok(t.n == 500 && says_tos(&t, 0, 3), "the last one");
	set(IPPROTO_UDP, UDP_GRO, 1);
	come(&train);
	t = hear_all();
	ok(t.n == 2500 && says(&t, 0, IPPROTO_UDP, UDP_GRO, 1000) && says_tos(&t, 1, 3), "whole");
	end();
}

static bool is_stamped(const struct told *t, int64_t sec, int64_t nsec)
{
	const struct timespec *ns = nth(t, 0, SOL_SOCKET, SO_TIMESTAMPNS, sizeof(*ns));
	const struct timeval *us = nth(t, 0, SOL_SOCKET, SO_TIMESTAMP, sizeof(*us));

	if (ns)
		return ns->tv_sec == sec && ns->tv_nsec == nsec;
	return us && us->tv_sec == sec && us->tv_usec == nsec / 1000;
}

static void test_time(bool six)
{
	struct udp_dgram stamped = { .len = 1, .tstamp = 5000007008u }, not = { .len = 1 };
	struct told t;
	int64_t then;

	begin(six);
	come(&not);
	script_advance(&script, script.now + US_SEC, false);
	ok(!set(SOL_SOCKET, SO_TIMESTAMP, 1) && get(SOL_SOCKET, SO_TIMESTAMP) == 1 &&
	   get(SOL_SOCKET, SO_TIMESTAMPNS) == 0, "microseconds are asked for");
	t = hear_all();
	ok(is_stamped(&t, script.now / US_SEC, script.now % US_SEC),
	   "what came before has the time at which it is read");
	come(&stamped);
	t = hear_all();
	ok(is_stamped(&t, 5, 7000) && nth(&t, 0, SOL_SOCKET, SO_TIMESTAMP, 16),
	   "what the link stamped has its stamp");
	then = script.now;
	come(&not);
	script_advance(&script, script.now + US_SEC + 1000, false);
	t = hear_all();
	ok(is_stamped(&t, then / US_SEC, then % US_SEC), "what it did not has that of its arrival");
	ok(!set(SOL_SOCKET, SO_TIMESTAMPNS, 1) && get(SOL_SOCKET, SO_TIMESTAMP) == 0 &&
	   get(SOL_SOCKET, SO_TIMESTAMPNS) == 1, "nanoseconds, in their place");
	come(&stamped);
	t = hear_all();
	ok(is_stamped(&t, 5, 7008) && !nth(&t, 1, 0, 0, 0), "are told");
	ok(!set(SOL_SOCKET, SO_TIMESTAMP, 0) && get(SOL_SOCKET, SO_TIMESTAMPNS) == 0,
	   "either ends both");
	end();
}

static void test_lost(bool six)
{
	struct udp_dgram large = { .len = 1400 };
	struct told t;
	uint32_t lost = 0;
	int i;

	begin(six);
	set(SOL_SOCKET, SO_RCVBUF, 4096);
	ok(!set(SOL_SOCKET, SO_RXQ_OVFL, 1) && get(SOL_SOCKET, SO_RXQ_OVFL) == 1, "asked for");
	for (i = 0; i < 10; i++)
		come(&large);
	lost = (uint32_t)script_stack(&script)->counter[US_COUNT_udp_buffer_full];
	ok(lost > 0 && lost < 10, "some of ten are lost");
	for (t = hear_all(); t.n == 1400 && !t.len; t = hear_all())
		;
	ok(t.n == -1 && errno == EAGAIN, "of which those before know nothing");
	come(&large);
	t = hear_all();
	ok(says(&t, 0, SOL_SOCKET, SO_RXQ_OVFL, (int)lost), "the next one tells");
	come(&large);
	t = hear_all();
	ok(says(&t, 0, SOL_SOCKET, SO_RXQ_OVFL, (int)lost), "as does each behind it");
	end();
}

static void test_refused(bool six)
{
	static const uint8_t one = 1;
	const struct names *other = &names[!six];

	begin(six);
	ok(set(other->level, other->address, 1) == (six ? 0 : -ENOPROTOOPT),
	   "that of the other family, which an IPv6 socket may have");
	ok(ustack_setsockopt(s, own()->level, own()->tos, &one, 1) == (six ? -1 : 0),
	   "a byte is a number of IPv4");
	ustack_close(s);
	s = ustack_socket(script.stack, six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ok(set(own()->level, own()->tos, 1) == -ENOPROTOOPT &&
	   set(SOL_SOCKET, SO_TIMESTAMP, 1) == -ENOPROTOOPT &&
	   set(SOL_SOCKET, SO_RXQ_OVFL, 1) == -ENOPROTOOPT &&
	   get(own()->level, own()->address) == -ENOPROTOOPT, "streams have none of them");
	end();
}

/* One that was shut ends waiting with nothing, and tells nothing. */
static void test_shut(bool six)
{
	struct told t;

	begin(six);
	ask_for_all();
	ustack_fcntl(s, F_SETFL, 0);
	ustack_shutdown(s, SHUT_RD);
	t = hear_all();
	ok(t.n == 0 && !t.len && !t.flags, "nothing came");
	end();
}

static void test_all(bool six)
{
	test_one_by_one(six);
	test_together(six);
	test_train(six);
	test_time(six);
	test_lost(six);
	test_refused(six);
	test_shut(six);
}

int main(void)
{
	plan(0);
	test_all(false);
	test_all(true);
	return finish();
}
