// SPDX-License-Identifier: MIT
/* Datagrams in pieces, with control messages, cut and merged, and many at once. */
#include <fcntl.h>
#include <netinet/udp.h>

#include "world.h"

static uint8_t bytes[70000];
static uint8_t got[70000];

/**
 * struct pair - two sockets that are connected to each other
 * @a: A's.
 * @b: B's.
 */
static struct pair {
	struct ustack_socket *a;
	struct ustack_socket *b;
} pair;

static struct ustack_socket *dgram(struct ustack *stack, const char *own, const char *other)
{
	union world_name name = world_name(own, 7), peer = world_name(other, 7);
	struct ustack_socket *s;

	s = ustack_socket(stack, name.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (ustack_bind(s, &name.sa, world_length(&name)) ||
	    ustack_connect(s, &peer.sa, world_length(&peer)))
		world_check(-errno, stack, "bind, connect");
	return s;
}

static void begin(bool six)
{
	pair.a = dgram(world.a, six ? "fd00::1" : "10.0.0.1", six ? "fd00::2" : "10.0.0.2");
	pair.b = dgram(world.b, six ? "fd00::2" : "10.0.0.2", six ? "fd00::1" : "10.0.0.1");
}

static void end(void)
{
	ustack_close(pair.a);
	ustack_close(pair.b);
}

static int set(struct ustack_socket *s, int name, int value)
{
	return ustack_setsockopt(s, IPPROTO_UDP, name, &value, sizeof(value));
}

static int get(struct ustack_socket *s, int name)
{
	socklen_t length = sizeof(int);
	int value = -1;

	ustack_getsockopt(s, IPPROTO_UDP, name, &value, &length);
	return value;
}

static ssize_t receive(void)
{
	return ustack_recv(pair.b, got, sizeof(got), 0);
}

/* B hears datagrams of @len bytes that begin at bytes[@from], @count of them. */
static bool hears(size_t from, size_t len, size_t count)
{
	world_run(WORLD_MS(2));
	for (size_t i = 0; i < count; i++, from += len)
		if (receive() != (ssize_t)len || memcmp(got, bytes + from, len))
			return false;
	return true;
}

static bool hears_nothing(void)
{
	world_run(WORLD_MS(2));
	return receive() == -1 && errno == EAGAIN;
}

static void test_options(bool six)
{
	begin(six);
	ok(get(pair.a, UDP_SEGMENT) == 0 && get(pair.a, UDP_GRO) == 0, "off at first");
	fails(set(pair.a, UDP_SEGMENT, -1), EINVAL);
	fails(set(pair.a, UDP_SEGMENT, 65536), EINVAL);
	ok(set(pair.a, UDP_SEGMENT, 65535) == 0 && get(pair.a, UDP_SEGMENT) == 65535 &&
	   set(pair.a, UDP_GRO, 2) == 0 && get(pair.a, UDP_GRO) == 1, "set and read");
	fails(set(pair.a, UDP_CORK, 1), ENOPROTOOPT);
	end();
}

static void test_segments(bool six)
{
	begin(six);
	set(pair.a, UDP_SEGMENT, 100);
	ok(ustack_send(pair.a, bytes, 350, 0) == 350 && hears(0, 100, 3) &&
	   receive() == 50 && !memcmp(got, bytes + 300, 50), "UDP_SEGMENT");
	ok(ustack_send(pair.a, bytes, 90, 0) == 90 && hears(0, 90, 1), "shorter than that");
	fails(ustack_send(pair.a, bytes, 6401, 0), EINVAL);
	fails(ustack_send(pair.a, bytes, 65536, 0), EMSGSIZE);
	set(pair.a, UDP_SEGMENT, 1480);
	fails(ustack_send(pair.a, bytes, 3000, 0), EMSGSIZE);
	set(pair.a, UDP_SEGMENT, 0);
	fails(ustack_send(pair.a, bytes, 3000, 0), EMSGSIZE);
	ok(hears_nothing(), "and nothing more");
	end();
}

/**
 * union control - room for one control message
 * @header: of it.
 * @room: all.
 */
union control {
	struct cmsghdr header;
	uint8_t room[CMSG_SPACE(sizeof(int))];
};

#define SPACE	CMSG_SPACE(sizeof(uint16_t))

/* @room: of the control messages, as the caller says. */
static ssize_t send_control(int level, int type, size_t size, uint16_t value, size_t room)
{
	struct iovec pieces[2] = { { bytes, 100 }, { bytes + 100, 250 } };
	union control c;
	struct msghdr m = {
		.msg_iov = pieces, .msg_iovlen = 2,
		.msg_control = &c, .msg_controllen = room,
	};

	memset(&c, 0, sizeof(c));
	c.header.cmsg_level = level;
	c.header.cmsg_type = type;
	c.header.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&c.header), &value, sizeof(value));
	return ustack_sendmsg(pair.a, &m, 0);
}

static void test_control(bool six)
{
	begin(six);
	set(pair.a, UDP_SEGMENT, 50);
	ok(send_control(IPPROTO_UDP, UDP_SEGMENT, 2, 175, SPACE) == 350 && hears(0, 175, 2) &&
	   hears_nothing(), "UDP_SEGMENT of one message, in pieces");
	ok(send_control(IPPROTO_UDP, UDP_SEGMENT, 2, 0, SPACE) == 350 && hears(0, 350, 1), "none");
	fails(send_control(IPPROTO_UDP, UDP_SEGMENT, 4, 100, SPACE), EINVAL);
	fails(send_control(IPPROTO_UDP, UDP_GRO, 2, 100, SPACE), EINVAL);
	fails(send_control(SOL_SOCKET, UDP_SEGMENT, 2, 100, SPACE), EINVAL);
	fails(send_control(IPPROTO_UDP, UDP_SEGMENT, 2, 100, CMSG_LEN(1)), EINVAL);
	fails(send_control(IPPROTO_UDP, UDP_SEGMENT, 2, 100, CMSG_LEN(0)), EINVAL);
	end();
}

/* @whole: it is merged still, as the link brought it. */
static void test_merged(bool six, bool whole)
{
	union world_name from;
	struct iovec pieces[2] = { { got, 40 }, { got + 1000, 60000 } };
	union control c = { .room = { 0 } };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = pieces,
		.msg_iovlen = 2, .msg_control = &c, .msg_controllen = sizeof(c),
	};
	int size = 0;

	begin(six);
	set(pair.a, UDP_SEGMENT, 100);
	set(pair.b, UDP_GRO, 1);
	ustack_send(pair.a, bytes, 350, 0);
	world_run(WORLD_MS(2));
	ok(ustack_recvmsg(pair.b, &m, 0) == (whole ? 350 : 100) && !m.msg_flags &&
	   !memcmp(got, bytes, 40) && !memcmp(got + 1000, bytes + 40, 60), "recvmsg");
	ok(m.msg_namelen == (six ? sizeof(from.v6) : sizeof(from.v4)) &&
	   from.v4.sin_port == htons(7), "the sender");
	if (m.msg_controllen)
		memcpy(&size, CMSG_DATA(&c.header), sizeof(size));
	ok(whole ? c.header.cmsg_level == IPPROTO_UDP && c.header.cmsg_type == UDP_GRO &&
		   c.header.cmsg_len == CMSG_LEN(sizeof(int)) && size == 100 :
		   m.msg_controllen == 0, "UDP_GRO, if it is merged");
	while (receive() > 0)
		;
	ustack_send(pair.a, bytes, 350, 0);
	world_run(WORLD_MS(2));
	m = (struct msghdr){ .msg_iov = pieces, .msg_iovlen = 1 };
	ok(ustack_recvmsg(pair.b, &m, 0) == 40 &&
	   m.msg_flags == (whole ? MSG_TRUNC | MSG_CTRUNC : MSG_TRUNC),
	   "no room for all, nor for control messages");
	end();
}

static void fill(struct mmsghdr *messages, struct iovec *data, uint8_t *from, size_t len,
		 unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		data[i] = (struct iovec){ from + i * len, len };
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &data[i],
							     .msg_iovlen = 1 } };
	}
}

static void test_many(bool six)
{
	struct mmsghdr messages[100];
	struct iovec data[100];
	unsigned int i;

	begin(six);
	fill(messages, data, bytes, 100, 100);
	ok(ustack_sendmmsg(pair.a, messages, 100, 0) == 100 && messages[99].msg_len == 100,
	   "sendmmsg");
	world_run(WORLD_MS(2));
	fails(ustack_recv(pair.b, got, 100, MSG_ERRQUEUE), EAGAIN);
	fill(messages, data, got, 100, 100);
	ok(ustack_recvmmsg(pair.b, messages, 60, MSG_WAITFORONE) == 60 &&
	   ustack_recvmmsg(pair.b, messages + 60, 40, 0) == 40, "recvmmsg");
	for (i = 0; i < 100 && messages[i].msg_len == 100; i++)
		;
	ok(i == 100 && !memcmp(got, bytes, 10000), "the same datagrams");
	fails(ustack_recvmmsg(pair.b, messages, 60, 0), EAGAIN);
	fill(messages, data, bytes, 100, 3);
	data[1].iov_len = 3000;
	ok(ustack_sendmmsg(pair.a, messages, 3, 0) == 1 && hears(0, 100, 1),
	   "up to the first that fails");
	fails(ustack_sendmmsg(pair.a, messages + 1, 2, 0), EMSGSIZE);
	ok(ustack_sendmmsg(pair.a, messages, 0, 0) == 0, "none at all");
	end();
}

static void test_batch(bool six)
{
	struct timeval soon = { .tv_usec = 1000 };

	begin(six);
	ok(ustack_send(pair.a, bytes, 100, USTACK_MSG_BATCH) == 100 &&
	   ustack_send(pair.a, bytes + 100, 100, USTACK_MSG_BATCH) == 100 &&
	   ustack_send(pair.a, bytes + 200, 100, USTACK_MSG_BATCH) == 100, "USTACK_MSG_BATCH");
	ustack_poll(world.b);
	fails(receive(), EAGAIN);
	ok(ustack_send(pair.a, bytes + 300, 100, 0) == 100, "and without");
	ustack_poll(world.b);
	ok(hears(0, 100, 4) && hears_nothing(), "all come");
	ustack_send(pair.a, bytes, 100, USTACK_MSG_BATCH);
	ok(hears(0, 100, 1), "a round of the stack lets out what waits");
	ustack_send(pair.a, bytes, 100, USTACK_MSG_BATCH);
	ustack_setsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	ustack_fcntl(pair.a, F_SETFL, 0);
	fails(ustack_recv(pair.a, got, 1, 0), EAGAIN);
	ok(hears(0, 100, 1), "so does a call that waits");
	ustack_shutdown(pair.a, SHUT_WR);
	fails(ustack_send(pair.a, bytes, 100, USTACK_MSG_BATCH), EPIPE);
	end();
}

/* As sendmsg(2), and not sendto(2), has it. */
static void test_no_name(bool six)
{
	union world_name other = world_name(six ? "fd00::9" : "10.0.0.9", 9);
	struct iovec pieces[2] = { { bytes, 50 }, { bytes + 50, 50 } };
	struct msghdr m = { .msg_name = &other, .msg_iov = pieces, .msg_iovlen = 1 };

	begin(six);
	ok(ustack_sendmsg(pair.a, &m, 0) == 50 && hears(0, 50, 1), "a name of no length is none");
	m.msg_iovlen = 2;
	ok(ustack_sendmsg(pair.a, &m, 0) == 100 && hears(0, 100, 1), "in pieces, too");
	fails(ustack_sendto(pair.a, bytes, 50, 0, &other.sa, 0), EINVAL);
	end();
}

static void test_streams(void)
{
	struct ustack_socket *s = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);

	fails(set(s, UDP_SEGMENT, 100), ENOPROTOOPT);
	ustack_close(s);
}

static void test_all(bool six, bool whole)
{
	test_options(six);
	test_segments(six);
	test_control(six);
	test_merged(six, whole);
	test_many(six);
	test_batch(six);
	test_no_name(six);
}

int main(void)
{
	plan(0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (int whole = 0; whole < 2; whole++) {
		world_create(whole ? "gso=1" : "");
		test_all(false, whole);
		test_all(true, whole);
		test_streams();
		world_destroy();
	}
	return finish();
}
