// SPDX-License-Identifier: MIT
/*
 * MSG_ZEROCOPY: bytes are sent from where they lie, and the error queue tells when they are
 * needed no more.  Over a pipe with a delay of 5 ms, so an ACK takes 10.
 */
#include <fcntl.h>
#include <time.h>

#include <linux/errqueue.h>

#include "world.h"

#define BYTES	(300u << 10)
#define EACH	128	/* records of a socket */

static struct ustack_socket *a, *b;
static char *bytes;
static char got[BYTES];

/* Bytes that free() takes from everybody, and ASan watches. */
static void make_bytes(void)
{
	bytes = malloc(BYTES);
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (char)(i * 7 + i / 251);
}

static bool arrived(size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (got[i] != (char)((from + i) * 7 + (from + i) / 251))
			return false;
	return true;
}

/* As much as comes, until it is @len. */
static size_t receive(size_t len)
{
	size_t done = 0;
	ssize_t n;

	for (int i = 0; i < 200 && done < len; i++) {
		while (done < len && (n = ustack_recv(b, got + done, len - done, 0)) > 0)
			done += (size_t)n;
		world_run(WORLD_MS(10));
	}
	return done;
}

static int set(struct ustack_socket *s, int value)
{
	return ustack_setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &value, sizeof(value));
}

static int number(struct ustack_socket *s, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return ustack_getsockopt(s, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

static short ready(void)
{
	struct ustack_pollfd fd = { .socket = a, .events = POLLIN };

	ustack_pollsockets(world.a, &fd, 1, 0);
	return fd.revents;
}

static bool nothing_told(void)
{
	struct msghdr m = { 0 };

	errno = 0;
	return ustack_recvmsg(a, &m, MSG_ERRQUEUE) == -1 && errno == EAGAIN && !ready();
}

/* The next record is of AF_INET, or of AF_INET6, and of these calls. */
static bool tells(int level, unsigned int first, unsigned int last, int code)
{
	bool v4 = level == SOL_IP;
	union world_name name;
	struct {
		struct cmsghdr header;
		struct sock_extended_err error;
		struct sockaddr_in6 offender;
	} c = { .header = { 0 } };
	struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof(name),
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	size_t len = sizeof(c.error) + (v4 ? 16 : 28);

	if (!(ready() & POLLERR) || ustack_recvmsg(a, &m, MSG_ERRQUEUE))
		return false;
	return m.msg_flags == MSG_ERRQUEUE && m.msg_namelen == 0 &&
	       c.header.cmsg_level == level &&
	       c.header.cmsg_type == (v4 ? IP_RECVERR : IPV6_RECVERR) &&
	       c.header.cmsg_len == CMSG_LEN(len) && m.msg_controllen == CMSG_SPACE(len) &&
	       c.error.ee_errno == 0 && c.error.ee_origin == SO_EE_ORIGIN_ZEROCOPY &&
	       c.error.ee_type == 0 && c.error.ee_code == code && c.error.ee_pad == 0 &&
	       c.error.ee_info == first && c.error.ee_data == last &&
	       c.offender.sin6_family == 0;
}

static void begin(void)
{
	world_pair(SOCK_NONBLOCK, &a, &b);
	set(a, 1);
	make_bytes();
	world_run(WORLD_MS(100));
}

static void end(void)
{
	if (a)
		ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(100));
	free(bytes);
}

static void test_option(void)
{
	struct ustack_socket *s = ustack_socket(world.a, AF_INET, SOCK_DGRAM, 0);
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 7);

	fails(set(s, 1), EOPNOTSUPP);
	ustack_close(s);
	set(listener, 1);
	a = world_connect(world.a, "10.0.0.2", 7, SOCK_STREAM | SOCK_NONBLOCK);
	ok(number(a, SO_ZEROCOPY) == 0, "off at first");
	fails(set(a, 2), EINVAL);
	fails(set(a, -1), EINVAL);
	world_run(WORLD_MS(100));
	b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	ok(number(b, SO_ZEROCOPY) == 1, "accepted connections have it");
	ustack_close(listener);
	ustack_send(a, "abc", 3, MSG_ZEROCOPY);
	world_run(WORLD_MS(100));
	ok(nothing_told(), "the flag is passed over without the option");
	ok(set(a, 1) == 0 && number(a, SO_ZEROCOPY) == 1, "on");
	ustack_send(a, "abc", 3, 0);
	world_run(WORLD_MS(100));
	ok(nothing_told(), "and the option without the flag");
	ok(set(a, 0) == 0 && number(a, SO_ZEROCOPY) == 0, "off again");
	make_bytes();
	end();
}

static void test_borrowed(void)
{
	begin();
	ok(ustack_send(a, bytes, BYTES, MSG_ZEROCOPY) == BYTES, "all of it is queued");
	bytes[BYTES - 1]++;
	world_run(WORLD_MS(8));
	ok(nothing_told(), "nothing is told before the ACK");
	ok(receive(BYTES) == BYTES && arrived(0, BYTES - 1), "it comes, in order");
	ok(got[BYTES - 1] == bytes[BYTES - 1], "and was not copied by the call");
	world_run(WORLD_MS(100));
	ok(ready() == POLLERR && number(a, SO_ERROR) == 0, "POLLERR, and no error");
	ok(ustack_send(a, "x", 1, 0) == 1, "other calls go on");
	ok(tells(SOL_IP, 0, 0, 0), "then the error queue tells");
	ok(nothing_told(), "once");
	ok(ustack_send(a, NULL, 0, MSG_ZEROCOPY) == 0, "a call of nothing");
	ok(ustack_send(a, bytes, 10, MSG_ZEROCOPY) == 10, "and of little");
	world_run(WORLD_MS(100));
	ok(ustack_recv(a, got, 1, MSG_ERRQUEUE) == 0 && nothing_told(), "recv takes it, too");
	ustack_send(a, bytes, 10, MSG_ZEROCOPY);
	world_run(WORLD_MS(100));
	ok(tells(SOL_IP, 2, 2, 0), "nothing is no call");
	end();
}

static void test_ipv6(void)
{
	struct ustack_socket *listener = world_listen(world.b, "fd00::2", 7);

	make_bytes();
	a = world_connect(world.a, "fd00::2", 7, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(200));
	b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	ustack_close(listener);
	set(a, 1);
	ustack_send(a, bytes, 5000, MSG_ZEROCOPY);
	world_run(WORLD_MS(100));
	ok(tells(SOL_IPV6, 0, 0, 0), "IPv6");
	end();
}

static void test_together(void)
{
	begin();
	for (int i = 0; i < 3; i++) {
		ustack_send(a, bytes, 4000, MSG_ZEROCOPY);
		world_run(WORLD_MS(100));
	}
	ok(tells(SOL_IP, 0, 2, 0) && nothing_told(), "neighbours in the queue are one record");
	ustack_send(a, bytes, 4000, MSG_ZEROCOPY);
	world_run(WORLD_MS(4));
	ustack_send(a, bytes, 4000, MSG_ZEROCOPY);
	world_run(WORLD_MS(8));
	ok(tells(SOL_IP, 3, 3, 0), "what left before is told of before");
	world_run(WORLD_MS(100));
	ok(tells(SOL_IP, 4, 4, 0), "and what left later, later");
	/* 14600 bytes leave, the rest waits for ACKs, and so does the second call. */
	ustack_send(a, bytes, 60000, MSG_ZEROCOPY);
	ustack_send(a, bytes, 240000, MSG_ZEROCOPY);
	ok(receive(20000 + 60000) > 0 && nothing_told(), "calls that wait for the same");
	receive(240000);
	world_run(WORLD_MS(100));
	ok(tells(SOL_IP, 5, 6, 0) && nothing_told(), "are told of together");
	end();
}

static void test_pieces(void)
{
	struct iovec pieces[] = {
		{ bytes, 0 }, { NULL, 3 }, { NULL, 0 }, { NULL, 70000 }, { NULL, 1000 },
	};
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 5 };
	size_t at = 0;

	begin();
	for (size_t i = 0; i < 5; at += pieces[i++].iov_len)
		pieces[i].iov_base = bytes + at;
	ok(ustack_sendmsg(a, &m, MSG_ZEROCOPY) == 71003, "in pieces");
	bytes[71002]++;
	ok(receive(71003) == 71003 && arrived(0, 71002), "in order");
	ok(got[71002] == bytes[71002], "and none was copied");
	world_run(WORLD_MS(100));
	ok(tells(SOL_IP, 0, 0, 0) && nothing_told(), "it is one call");
	end();
}

/* The control message does not fit. */
static void test_cut_short(void)
{
	struct {
		struct cmsghdr header;
		struct sock_extended_err error;
	} c = { .header = { 0 } };
	struct msghdr m = { .msg_control = &c, .msg_controllen = sizeof(c) };

	begin();
	ustack_send(a, bytes, 10, MSG_ZEROCOPY);
	world_run(WORLD_MS(100));
	ok(ustack_recvmsg(a, &m, MSG_ERRQUEUE) == 0 &&
	   m.msg_flags == (MSG_ERRQUEUE | MSG_CTRUNC) && m.msg_controllen == sizeof(c) &&
	   c.header.cmsg_len == sizeof(c) && c.error.ee_origin == SO_EE_ORIGIN_ZEROCOPY,
	   "as much as there is room for");
	m.msg_controllen = 0;
	ustack_send(a, bytes, 10, MSG_ZEROCOPY);
	world_run(WORLD_MS(100));
	ok(ustack_recvmsg(a, &m, MSG_ERRQUEUE) == 0 &&
	   m.msg_flags == (MSG_ERRQUEUE | MSG_CTRUNC) && m.msg_controllen == 0, "or none");
	end();
}

static void test_too_many(void)
{
	int i, done = 0;

	begin();
	for (i = 0; i <= EACH; i++) {
		done += ustack_send(a, bytes, 100, MSG_ZEROCOPY) == 100;
		if (i < EACH)
			ustack_send(a, bytes, 1, 0);
	}
	ok(done == EACH && errno == ENOBUFS, "no more than so many are waited for");
	world_run(WORLD_MS(3000));
	ok(tells(SOL_IP, 0, EACH - 1, 0), "the one that was refused is not counted");
	ok(ustack_send(a, bytes, 100, MSG_ZEROCOPY) == 100, "then there is room again");
	world_run(WORLD_MS(100));
	ok(tells(SOL_IP, EACH, EACH, 0), "which is counted");
	end();
}

static void test_full(void)
{
	size_t sent = 0;
	ssize_t n;

	begin();
	while ((n = ustack_send(a, bytes, BYTES, MSG_ZEROCOPY)) > 0)
		sent += (size_t)n;
	ok(errno == EAGAIN && sent > BYTES, "SO_SNDBUF bounds what is queued");
	world_run(WORLD_MS(20));
	ustack_close(b);
	world_run(WORLD_MS(300));
	ok(tells(SOL_IP, 0, 1, 0), "a reset tells; a call that sent nothing was none");
	ok(number(a, SO_ERROR) == ECONNRESET, "the error is another matter");
	ustack_close(a);
	world_run(WORLD_MS(100));
	free(bytes);
}

/* Is there one more?  Its calls, if so. */
static bool told(unsigned int *first, unsigned int *last)
{
	struct {
		struct cmsghdr header;
		struct sock_extended_err error;
	} c = { .header = { 0 } };
	struct msghdr m = { .msg_control = &c, .msg_controllen = sizeof(c) };

	if (ustack_recvmsg(a, &m, MSG_ERRQUEUE))
		return false;
	*first = c.error.ee_info;
	*last = c.error.ee_data;
	return true;
}

/* So much is told of together; calls that lent nothing, or a part, have no more of it. */
static void test_refused(void)
{
	unsigned int first = 1, last = 0, n = 0, calls = 0, i;
	int size = 100000;

	begin();
	ustack_setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (ustack_send(a, bytes, BYTES, MSG_ZEROCOPY) > 0)
		calls++;
	for (i = 0; i < 10; i++)
		ustack_send(a, bytes, BYTES, MSG_ZEROCOPY);
	for (i = 0; i < 1000 && ustack_send(a, bytes, 20000, MSG_ZEROCOPY) < 0; i++)
		world_run(WORLD_STEP);
	for (i = 0; i < 5000 && last < calls; i++) {
		n += told(&first, &last);
		ustack_recv(b, got, sizeof(got), 0);
		world_run(WORLD_STEP);
	}
	ok(n == 1 && first == 0 && last == calls,
	   "calls that were refused are no part of what is told of together (%u)", n);
	end();
}

/* All that there may be, more than 16 bits count. */
static void test_many(void)
{
	const struct ustack_config config = { .max_sockets = 66000, .max_packets = 64 };
	struct ustack_socket *s;
	unsigned int n = 0, on = 0;
	struct ustack *stack;

	world_check(ustack_create(&config, &stack), NULL, "create");
	for (; (s = ustack_socket(stack, AF_INET, SOCK_STREAM, 0)); n++)
		on += !set(s, 1) && number(s, SO_ZEROCOPY) == 1;
	ok(n == 66000 && on == n, "each socket of many may have it: %u of %u", on, n);
	ustack_destroy(stack);
}

static bool may_send(void)
{
	struct ustack_pollfd fd = { .socket = a, .events = POLLOUT };

	ustack_pollsockets(world.a, &fd, 1, 0);
	return fd.revents & POLLOUT;
}

/* What is lent waits to be sent as well as what is copied. */
static void test_notsent(void)
{
	int lowat = 5000;
	ssize_t n;

	begin();
	ustack_setsockopt(a, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
	n = ustack_send(a, bytes, BYTES, MSG_ZEROCOPY);
	ok(n > 0 && n < BYTES, "TCP_NOTSENT_LOWAT: no more is lent (%zd)", n);
	fails(ustack_send(a, bytes + n, 100, MSG_ZEROCOPY), EAGAIN);
	ok(!may_send(), "TCP_NOTSENT_LOWAT: nor would be");
	ok(receive((size_t)n) == (size_t)n && arrived(0, (size_t)n) && may_send(),
	   "TCP_NOTSENT_LOWAT: once it has left, more would");
	world_run(WORLD_MS(100));
	ok(tells(SOL_IP, 0, 0, 0) && nothing_told(), "TCP_NOTSENT_LOWAT: one call has lent");
	end();
}

/* The memory has gone when the call returns. */
static void test_close(void)
{
	struct linger linger = { .l_onoff = 1 };

	begin();
	ustack_send(a, bytes, BYTES, MSG_ZEROCOPY);
	ustack_close(a);
	memset(bytes, 0, BYTES);
	free(bytes);
	bytes = NULL;
	a = NULL;
	ok(receive(BYTES) == BYTES && arrived(0, BYTES), "close: what is left is copied");
	end();

	begin();
	ustack_send(a, bytes, BYTES, MSG_ZEROCOPY);
	ustack_setsockopt(a, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	ustack_close(a);
	free(bytes);
	bytes = NULL;
	a = NULL;
	world_run(WORLD_MS(100));
	while (ustack_recv(b, got, sizeof(got), 0) > 0)
		;
	ok(errno == ECONNRESET, "close: with a reset it is not");
	end();
}

/* The connection ends, and the socket stays. */
static void test_disconnect(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	begin();
	ustack_send(a, bytes, BYTES, MSG_ZEROCOPY);
	ustack_connect(a, &none, sizeof(none));
	free(bytes);
	bytes = NULL;
	ok(tells(SOL_IP, 0, 0, 0), "disconnect: told at once");
	end();
}

static void test_fastopen(void)
{
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 9);
	int one = 1;

	ustack_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &one, sizeof(one));
	for (int i = 0; i < 2; i++) {
		union world_name name = world_name("10.0.0.2", 9);

		make_bytes();
		a = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		set(a, 1);
		ustack_sendto(a, bytes, 1000, MSG_FASTOPEN | MSG_ZEROCOPY, &name.sa,
			      sizeof(name.v4));
		if (i)
			ok(tells(SOL_IP, 0, 0, SO_EE_CODE_ZEROCOPY_COPIED),
			   "Fast Open: what goes with the SYN is copied, and told so at once");
		world_run(WORLD_MS(100));
		b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		end();
	}
	ustack_close(listener);
}

/* Fast Open: the SYN takes all, and nothing is left to be lent when it was answered. */
static void test_fastopen_waits(void)
{
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 9);
	const struct timeval limit = { .tv_sec = 2 };
	union world_name name = world_name("10.0.0.2", 9);
	int64_t began;
	int one = 1;

	ustack_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &one, sizeof(one));
	make_bytes();
	a = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	set(a, 1);
	ustack_setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	world_run(WORLD_MS(100));
	began = world.now;
	ok(ustack_sendto(a, bytes, 1000, MSG_FASTOPEN | MSG_ZEROCOPY, &name.sa,
			 sizeof(name.v4)) == 1000 &&
	   world.now - began < WORLD_MS(100),
	   "Fast Open: a call that waits returns when the SYN is answered");
	b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	ustack_close(listener);
	end();
}

/* It joins the one before it, of which the reset gives back all. */
static void test_reset_waits(void)
{
	unsigned int calls = 0;

	begin();
	for (int i = 0; i < 30; i++) {
		while (ustack_send(a, bytes, 50000, MSG_ZEROCOPY) > 0)
			calls++;
		world_run(WORLD_MS(100));
	}
	ustack_close(b);
	ustack_fcntl(a, F_SETFL, 0);
	fails(ustack_send(a, bytes, 100, MSG_ZEROCOPY), ECONNRESET);
	ok(tells(SOL_IP, 0, calls - 1, 0),
	   "a call that waits is reset: that which it joined is told of");
	ustack_close(a);
	world_run(WORLD_MS(100));
	free(bytes);
}

static void test_lossy(void)
{
	unsigned int calls = 0;
	size_t sent = 0, read = 0;
	bool right = true;

	begin();
	for (int i = 0; i < 3000 && read < 4 * BYTES; i++) {
		size_t len = BYTES - sent % BYTES;
		ssize_t n = -1;

		if (sent < 4 * BYTES)
			n = ustack_send(a, bytes + sent % BYTES, len < 40000 ? len : 40000,
					MSG_ZEROCOPY);
		if (n > 0) {
			sent += (size_t)n;
			calls++;
		}
		world_run(WORLD_MS(5));
		len = BYTES - read % BYTES;
		n = ustack_recv(b, got, len, 0);
		if (n > 0) {
			right &= arrived(read % BYTES, (size_t)n);
			read += (size_t)n;
		}
	}
	ok(right && read == 4 * BYTES, "lossy: what was lost is sent again from there");
	world_run(WORLD_MS(1000));
	ok(tells(SOL_IP, 0, calls - 1, 0) && nothing_told(), "lossy: each call is told of");
	end();
}

int main(void)
{
	world_create("delay=5");
	test_option();
	test_borrowed();
	test_ipv6();
	test_together();
	test_pieces();
	test_cut_short();
	test_too_many();
	test_full();
	test_notsent();
	test_refused();
	test_many();
	test_close();
	test_disconnect();
	test_fastopen();
	test_fastopen_waits();
	test_reset_waits();
	world_destroy();
	world_create("delay=5,loss=3");
	test_lossy();
	make_bytes();
	a = world_connect(world.a, "10.0.0.2", 7, SOCK_STREAM | SOCK_NONBLOCK);
	world_destroy();
	free(bytes);
	return finish();
}
