// SPDX-License-Identifier: MIT
/*
 * Datagrams: random calls of one socket, and random packets to it; what calls give, with
 * every control message, and the packets that leave have to be the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "datagrams.h"
#include "draw.h"

#define STEPS		60
#define TEXT		2000
#define MTU		1500
#define ROUTER		"192.0.2.254"
#define SETTLE		2000000LL	/* a kernel's packet comes at once, or not */

/**
 * struct end - one of the two that are compared
 * @subject: it.
 * @domain: of its socket; the wire is IPv4 either way.
 * @fd: its socket.
 * @port: it is bound to that.
 * @sent: what left last, for routers to quote.
 * @sent_size: bytes of it.
 * @text: what the last event gave, in words.
 * @length: of @text.
 */
struct end {
	const struct subject *subject;
	int domain;
	int fd;
	uint16_t port;
	uint8_t sent[MTU];
	size_t sent_size;
	char text[TEXT];
	size_t length;
};

/**
 * struct happening - what may be done to both
 * @name: for what is printed.
 * @weight: how often, beside the others.
 * @run: does it; @r decides how.
 */
struct happening {
	const char *name;
	unsigned int weight;
	void (*run)(struct end *e, uint32_t r);
};

/* Bytes that nobody mistakes for others. */
static uint8_t payload[MTU];

static __attribute__((format(printf, 2, 3))) void say(struct end *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	e->length += (size_t)vsnprintf(e->text + e->length, TEXT - e->length, format, args);
	va_end(args);
	if (e->length >= TEXT)
		e->length = TEXT - 1;
}

static void say_bytes(struct end *e, const uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size && i < 40; i++)
		say(e, "%02x", data[i]);
	if (i < size)
		say(e, "... of %zu", size);
}

static void say_result(struct end *e, ssize_t n)
{
	if (n < 0)
		say(e, " %s", strerrorname_np(errno));
	else
		say(e, " %zd", n);
}

/* ------------------------------------------------------------------- packets */

/* One of two. */
static uint32_t peer(unsigned int which)
{
	return htonl(ntohl(inet_addr(PEER_ADDRESS)) + (which & 1));
}

static uint16_t sum(const void *data, size_t size, uint32_t start)
{
	const uint8_t *b = data;
	size_t i;

	for (i = 0; i + 1 < size; i += 2)
		start += (uint32_t)(b[i] << 8 | b[i + 1]);
	if (size & 1)
		start += (uint32_t)(b[size - 1] << 8);
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return htons((uint16_t)~start);
}

/* Puts an IP header before what is in @packet, and gives that to the subject. */
static void inject(struct end *e, uint8_t *packet, uint32_t from, uint8_t protocol,
		   size_t size, uint8_t tos, uint8_t ttl)
{
	struct iphdr *ip = (void *)packet;

	*ip = (struct iphdr){
		.version = 4, .ihl = 5, .tos = tos, .ttl = ttl, .protocol = protocol,
		.tot_len = htons((uint16_t)(sizeof(*ip) + size)),
		.saddr = from, .daddr = inet_addr(SUBJECT_ADDRESS),
	};
	ip->check = sum(ip, sizeof(*ip), 0);
	e->subject->inject(packet, sizeof(*ip) + size);
}

static void come(struct end *e, uint32_t r)
{
	static const size_t sizes[] = { 0, 1, 10, 100, 1000, 1472 };
	static const uint8_t ttls[] = { 1, 64, 255 };
	uint8_t packet[MTU];
	struct udphdr *udp = (void *)(packet + sizeof(struct iphdr));
	size_t size = sizes[r % 6];
	uint16_t port = (uint16_t)(7 + r / 6 % 2);

	*udp = (struct udphdr){	/* no checksum is one, too */
		.source = htons(port), .dest = htons(e->port),
		.len = htons((uint16_t)(sizeof(*udp) + size)),
	};
	memcpy(udp + 1, payload, size);
	inject(e, packet, peer(r / 12), IPPROTO_UDP, sizeof(*udp) + size,
	       (uint8_t)(r / 24), ttls[r / 6144 % 3]);
}

/* Of the last packet that left, as many bytes as RFC 792 wants, or more. */
static void refuse(struct end *e, uint32_t r)
{
	static const uint8_t kinds[][2] = {
		{ 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 4 }, { 3, 5 }, { 3, 10 }, { 3, 13 },
		{ 3, 15 }, { 11, 0 }, { 11, 1 }, { 12, 0 },
	};
	uint8_t packet[MTU];
	struct icmphdr *icmp = (void *)(packet + sizeof(struct iphdr));
	const uint8_t *kind = kinds[r % 12];
	size_t size = e->sent_size, most = 28 + r / 12 % 2 * 60;

	if (!size)
		return;
	if (size > most)
		size = most;
	*icmp = (struct icmphdr){ .type = kind[0], .code = kind[1] };
	if (kind[0] == 3 && kind[1] == 4)
		icmp->un.frag.mtu = htons((uint16_t)(600 + r / 24 % 800));
	memcpy(icmp + 1, e->sent, size);
	icmp->checksum = sum(icmp, sizeof(*icmp) + size, 0);
	inject(e, packet, inet_addr(ROUTER), IPPROTO_ICMP, sizeof(*icmp) + size, 0, 64);
}

/* What left, but for numbers that anybody may choose. */
static void look(struct end *e)
{
	uint8_t packet[MTU];
	struct iphdr *ip = (void *)packet;
	size_t size;

	e->subject->pass(SETTLE);
	while ((size = e->subject->collect(packet, sizeof(packet)))) {
		if (ip->version != 4)
			continue;	/* the kernel looks for routers */
		memcpy(e->sent, packet, size);
		e->sent_size = size;
		ip->id = 0;
		ip->check = 0;
		if (ip->protocol == IPPROTO_ICMP) {	/* which is not ECN-capable */
			ip->frag_off = 0;
			ip->tos &= 0xfc;
		}
		say(e, "; left ");
		say_bytes(e, packet, size);
	}
}

/* ------------------------------------------------------------------ addresses */

static socklen_t name(const struct end *e, uint32_t address, uint16_t port,
		      struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (void *)to;
	struct sockaddr_in6 *v6 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (e->domain == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = address;
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	v6->sin6_addr.s6_addr[10] = v6->sin6_addr.s6_addr[11] = 0xff;
	memcpy(v6->sin6_addr.s6_addr + 12, &address, 4);
	return sizeof(*v6);
}

static socklen_t a_peer(const struct end *e, uint32_t r, struct sockaddr_storage *to)
{
	return name(e, peer(r), (uint16_t)(7 + r / 2 % 2), to);
}

/* -------------------------------------------------------------------- calls */

static void connect_it(struct end *e, uint32_t r)
{
	struct sockaddr_storage to = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(struct sockaddr_in);

	if (r % 3)
		size = a_peer(e, r / 3, &to);
	say_result(e, e->subject->connect(e->fd, (void *)&to, size));
}

static size_t a_size(uint32_t r)
{
	static const size_t sizes[] = { 0, 1, 10, 100, 572, 1000, 1472, 1473 };

	return sizes[r % 8];
}

static void send_it(struct end *e, uint32_t r)
{
	struct sockaddr_storage to;
	struct iovec piece = { payload, a_size(r) };
	struct msghdr m = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (piece.iov_len > sizeof(payload))
		piece.iov_len = sizeof(payload);
	if (r / 8 % 2) {
		m.msg_name = &to;
		m.msg_namelen = a_peer(e, r / 16, &to);
	}
	say_result(e, e->subject->sendmsg(e->fd, &m, r / 64 % 8 || e->domain != AF_INET ? 0 : MSG_OOB));
}

/* Appends a control message. */
static void put(struct msghdr *m, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *c = (void *)((char *)m->msg_control + m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	m->msg_controllen += CMSG_SPACE(size);
}

static void put_source(struct msghdr *m, uint32_t r)
{
	struct in_pktinfo info = { .ipi_ifindex = 0 };

	if (r % 4)
		info.ipi_spec_dst.s_addr = inet_addr(r % 4 == 1 ? ROUTER : SUBJECT_ADDRESS);
	put(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void put_random(struct msghdr *m, uint32_t r)
{
	int value = (int)(r / 8 % 260) - 2;
	uint8_t byte = (uint8_t)value;

	switch (r % 8) {
	case 0:
		put(m, IPPROTO_IP, IP_TOS, &value, sizeof(value));
		break;
	case 1:
		put(m, IPPROTO_IP, IP_TOS, &byte, 1);
		break;
	case 2:
	case 3:
		put(m, IPPROTO_IP, IP_TTL, &value, sizeof(value));
		break;
	case 4:
	case 5:
		put_source(m, r / 8);
		break;
	case 6:
		put(m, SOL_SOCKET, SCM_RIGHTS, &value, r / 8 % 2 ? 0 : sizeof(value));
		break;
	default:
		put(m, IPPROTO_TCP, 1, &value, sizeof(value));
	}
}

static void send_with_control(struct end *e, uint32_t r)
{
	_Alignas(struct cmsghdr) char room[256] = { 0 };
	struct sockaddr_storage to;
	struct iovec piece = { payload, a_size(r % 7) };
	struct msghdr m = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room };

	if (r / 7 % 2) {
		m.msg_name = &to;
		m.msg_namelen = a_peer(e, r / 14, &to);
	}
	put_random(&m, r / 56);
	if (r / 7 % 3 == 0)
		put_random(&m, r / 11);
	say_result(e, e->subject->sendmsg(e->fd, &m, 0));
}

static void recv_it(struct end *e, uint32_t r)
{
	static const int flags[] = { 0, MSG_PEEK, MSG_TRUNC, MSG_ERRQUEUE, MSG_PEEK | MSG_TRUNC };
	uint8_t data[MTU];
	ssize_t n = e->subject->recv(e->fd, data, a_size(r % 7), flags[r / 7 % 5]);

	say_result(e, n);
	if (n > 0)
		say_bytes(e, data, (size_t)n < a_size(r % 7) ? (size_t)n : a_size(r % 7));
}

/* Which device it was is each one's own; of a packet that refuses Linux does not tell the
 * source that an answer would have.
 */
static void forget_device(struct cmsghdr *c, bool refusal)
{
	struct in_pktinfo *info = (void *)CMSG_DATA(c);

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		info->ipi_ifindex = 0;
		if (refusal && c->cmsg_len == CMSG_LEN(sizeof(*info)))
			info->ipi_spec_dst.s_addr = 0;
	}
	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
		((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_ifindex = 0;
}

static void say_control(struct end *e, struct msghdr *m)
{
	struct cmsghdr *c;

	say(e, " control %zu", m->msg_controllen);
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_len >= CMSG_LEN(sizeof(int)))
			forget_device(c, m->msg_flags & MSG_ERRQUEUE);
		say(e, " %d/%d:", c->cmsg_level, c->cmsg_type);
		say_bytes(e, CMSG_DATA(c), c->cmsg_len - sizeof(*c));
	}
}

static void recvmsg_it(struct end *e, uint32_t r)
{
	static const int flags[] = { 0, 0, MSG_PEEK, MSG_TRUNC, MSG_ERRQUEUE, MSG_ERRQUEUE };
	static const size_t rooms[] = { 0, 15, 16, 20, 40, 256, 256, 256 };
	_Alignas(struct cmsghdr) uint8_t room[256] = { 0 };
	struct sockaddr_storage from = { 0 };
	uint8_t data[MTU];
	struct iovec pieces[2] = { { data, 5 }, { data + 5, a_size(r % 7) } };
	struct msghdr m = {
		.msg_iov = pieces + r / 7 % 2, .msg_iovlen = 2 - r / 7 % 2,
		.msg_control = room, .msg_controllen = rooms[r / 84 % 8],
	};
	ssize_t n;

	if (r / 672 % 4) {
		m.msg_name = &from;
		m.msg_namelen = sizeof(from);
	}
	n = e->subject->recvmsg(e->fd, &m, flags[r / 14 % 6]);
	say_result(e, n);
	if (n < 0)
		return;
	say(e, " flags %x name %u:", (unsigned int)m.msg_flags, m.msg_namelen);
	say_bytes(e, (void *)&from, m.msg_name ? m.msg_namelen : 0);
	say_control(e, &m);
}

static const struct {
	int level;
	int name;
	const char *text;
} options[] = {
	{ IPPROTO_IP, IP_RECVTTL, "IP_RECVTTL" }, { IPPROTO_IP, IP_RECVTOS, "IP_RECVTOS" },
	{ IPPROTO_IP, IP_RECVERR, "IP_RECVERR" },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, "IPV6_RECVHOPLIMIT" },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, "IPV6_RECVTCLASS" },
	{ IPPROTO_IPV6, IPV6_RECVERR, "IPV6_RECVERR" },
	{ SOL_SOCKET, SO_RXQ_OVFL, "SO_RXQ_OVFL" }, { IPPROTO_IP, IP_TOS, "IP_TOS" },
	{ IPPROTO_IP, IP_TTL, "IP_TTL" }, { IPPROTO_IPV6, IPV6_TCLASS, "IPV6_TCLASS" },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS" },
};

#define OPTIONS	(sizeof(options) / sizeof(options[0]))

static void set_it(struct end *e, uint32_t r)
{
	unsigned int i = r % OPTIONS;
	int value = r / OPTIONS % 4 ? 1 : (int)(r / OPTIONS % 1024) / 4 - 2;

	if (!value && options[i].name == IPV6_UNICAST_HOPS)
		return;		/* as no packet arrives with it, ustack refuses it */
	say(e, " %s %d", options[i].text, value);
	say_result(e, e->subject->setsockopt(e->fd, options[i].level, options[i].name, &value,
					     r / OPTIONS % 16 ? sizeof(value) : 1));
}

static void get_it(struct end *e, uint32_t r)
{
	unsigned int i = r % OPTIONS;
	socklen_t size = r / OPTIONS % 4 ? sizeof(int) : 1;
	int value = 0, err;

	err = e->subject->getsockopt(e->fd, options[i].level, options[i].name, &value, &size);
	say(e, " %s", options[i].text);
	say_result(e, err);
	if (!err)
		say(e, " %d of %u bytes", value, size);
}

static void error_it(struct end *e, uint32_t r)
{
	socklen_t size = sizeof(int);
	int value = 0;

	(void)r;
	e->subject->getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &value, &size);
	say(e, " %s", strerrorname_np(value));
}

static void shut_it(struct end *e, uint32_t r)
{
	say_result(e, e->subject->shutdown(e->fd, (int)(r % 3)));
}

static void waiting_it(struct end *e, uint32_t r)
{
	int value = -1;

	say_result(e, e->subject->ioctl(e->fd, r % 2 ? FIONREAD : SIOCOUTQ, &value));
	say(e, " %d", value);
}

static void name_it(struct end *e, uint32_t r)
{
	struct sockaddr_storage who = { 0 };
	socklen_t size = sizeof(who);
	int err = r % 2 ? e->subject->getpeername(e->fd, (void *)&who, &size) :
			  e->subject->getsockname(e->fd, (void *)&who, &size);

	say_result(e, err);
	if (!err)
		say_bytes(e, (void *)&who, size);
}

static const struct happening happenings[] = {
	{ "a datagram comes", 30, come },
	{ "a router refuses", 15, refuse },
	{ "connect", 6, connect_it },
	{ "send", 15, send_it },
	{ "send with control", 15, send_with_control },
	{ "recv", 10, recv_it },
	{ "recvmsg", 30, recvmsg_it },
	{ "setsockopt", 25, set_it },
	{ "getsockopt", 4, get_it },
	{ "SO_ERROR", 3, error_it },
	{ "shutdown", 1, shut_it },
	{ "FIONREAD, SIOCOUTQ", 2, waiting_it },
	{ "names", 3, name_it },
};

/* ------------------------------------------------------------------- scripts */

static const struct happening *choose(uint64_t *random)
{
	unsigned int count = sizeof(happenings) / sizeof(happenings[0]), sum = 0, i;
	uint32_t at;

	for (i = 0; i < count; i++)
		sum += happenings[i].weight;
	at = draw(random, sum);
	for (i = 0; at >= happenings[i].weight; i++)
		at -= happenings[i].weight;
	return &happenings[i];
}

static bool set_number(struct end *e, int level, int name, int value)
{
	return !e->subject->setsockopt(e->fd, level, name, &value, sizeof(value));
}

/* Set later, these would tell less of what came before. */
static bool tell_sources(struct end *e, uint32_t r)
{
	return set_number(e, IPPROTO_IP, IP_PKTINFO, r & 1) &&
	       (e->domain == AF_INET ||
		set_number(e, IPPROTO_IPV6, IPV6_RECVPKTINFO, r >> 1 & 1));
}

static bool start(struct end *e, uint32_t r)
{
	struct sockaddr_storage own;
	socklen_t size = name(e, INADDR_ANY, e->port, &own);

	if (!e->subject->start())
		return false;
	e->fd = e->subject->socket(e->domain, SOCK_DGRAM);
	if (e->domain == AF_INET6)
		memset(&((struct sockaddr_in6 *)&own)->sin6_addr, 0, 16);
	return e->fd >= 0 && !e->subject->bind(e->fd, (void *)&own, size) &&
	       set_number(e, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO) && tell_sources(e, r);
}

static void step(struct end *e, const struct happening *h, uint32_t r)
{
	e->length = 0;
	e->text[0] = 0;
	h->run(e, r);
	look(e);
	say(e, "; poll %x", (unsigned int)e->subject->poll(e->fd));
}

static bool play(struct end ends[2], uint64_t seed, bool verbose)
{
	uint64_t random = seed;
	int i;

	for (i = 0; i < STEPS; i++) {
		const struct happening *h = choose(&random);
		uint32_t r = draw(&random, UINT32_MAX);
		bool good;

		step(&ends[0], h, r);
		step(&ends[1], h, r);
		good = !strcmp(ends[0].text, ends[1].text);
		if (verbose || !good)
			printf("# seed %llu, step %d, %s %u:\n#   kernel%s\n",
			       (unsigned long long)seed, i, h->name, r, ends[0].text);
		if (!good)
			printf("#   ustack%s\n", ends[1].text);
		if (!good)
			return false;
	}
	return true;
}

/**
 * datagrams_script() - runs one
 * @seed: decides all.
 * @domain: of the sockets.
 * @port: that no other script has.
 * @verbose: prints each step.
 *
 * Return: both did the same.
 */
bool datagrams_script(uint64_t seed, int domain, uint16_t port, bool verbose)
{
	const struct subject *subjects[2] = { &subject_kernel, &subject_ustack };
	struct end ends[2];
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + 1);
	for (i = 0; i < 2; i++) {
		ends[i] = (struct end){ .subject = subjects[i], .domain = domain, .port = port };
		good = good && start(&ends[i], (uint32_t)seed >> 1);
	}
	good = good && play(ends, seed, verbose);
	for (i = 0; i < 2; i++) {
		ends[i].subject->close(ends[i].fd);
		ends[i].subject->stop();
	}
	return good;
}
