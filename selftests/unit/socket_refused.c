// SPDX-License-Identifier: MIT
/* What IP_RECVERR tells of datagrams that did not arrive: as Linux does. */
#include <time.h>

#include <linux/errqueue.h>

#include "udp_script.h"

static struct script script;
static struct ustack_socket *s;
static struct us_addr here, peer, router;

/* A UDP header, and so much of the payload. */
static const uint8_t quoted[8 + 6] = { 0, 9, 0, 7, 0, 14, 0, 0, 'q', 'u', 'o', 't', 'e', 'd' };

/**
 * struct told - a record of the error queue
 * @n: bytes of payload, or a negative errno.
 * @flags: MSG_*.
 * @data: the payload.
 * @name: whom it was sent to.
 * @header: of the one control message.
 * @error: what it says first.
 * @offender: and then.
 */
struct told {
	ssize_t n;
	int flags;
	uint8_t data[16];
	struct sockaddr_storage name;
	struct cmsghdr header;
	struct sock_extended_err error;
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} offender;
};

static int level(void)
{
	return script.six ? IPPROTO_IPV6 : IPPROTO_IP;
}

static int recverr(int on)
{
	return ustack_setsockopt(s, level(), script.six ? IPV6_RECVERR : IP_RECVERR, &on,
				 sizeof(on));
}

static int pending(void)
{
	int err = -1;
	socklen_t len = sizeof(err);

	ustack_getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static short ready(void)
{
	struct ustack_pollfd fd = { .socket = s, .events = POLLIN | POLLOUT };

	ustack_pollsockets(script.stack, &fd, 1, 0);
	return fd.revents;
}

static void begin(bool six)
{
	struct sockaddr_storage name;
	socklen_t len;

	memset(&script, 0, sizeof(script));
	if (!script_open(&script, six))
		puts("Bail out! no stack");
	here = script_addr(&script, 1);
	peer = script_addr(&script, 2);
	router = script_addr(&script, 3);
	s = ustack_socket(script.stack, six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	len = script_name(&script, 1, 9, &name);
	if (ustack_bind(s, (void *)&name, len))
		puts("Bail out! no port");
}

static void end(void)
{
	ustack_close(s);
	ok(!script_stack(&script)->udp->dgrams.used, "nothing is left behind");
	script_end(&script);
}

static ssize_t send_to_peer(const void *data, size_t n)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(&script, 2, 7, &name);

	return ustack_sendto(s, data, n, 0, (void *)&name, len);
}

static void refuse(int err, bool hard, uint32_t mtu)
{
	udp_refuse(&script, &here, &peer, (struct us_net_error){
		.err = (uint16_t)err, .hard = hard, .mtu = mtu, .type = 1, .code = 2,
		.offender = router, .quoted = quoted, .len = sizeof(quoted) });
}

static struct told tell(size_t room)
{
	struct told t = { .n = 0 };
	struct iovec piece = { t.data, room };
	struct msghdr m = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_name = &t.name,
		.msg_namelen = sizeof(t.name), .msg_control = &t.header,
		.msg_controllen = sizeof(t.header) + sizeof(t.error) + sizeof(t.offender),
	};

	t.n = ustack_recvmsg(s, &m, MSG_ERRQUEUE);
	if (t.n < 0)
		t.n = -errno;
	t.flags = m.msg_flags;
	return t;
}

static bool is_peer(const struct told *t)
{
	const struct sockaddr_in6 *v6 = (const void *)&t->name;
	const struct sockaddr_in *v4 = (const void *)&t->name;

	if (script.six)
		return v6->sin6_port == htons(7) && !memcmp(&v6->sin6_addr, peer.b, 16);
	return v4->sin_port == htons(7) && !memcmp(&v4->sin_addr, peer.b + 12, 4);
}

static bool is_of_router(const struct told *t)
{
	if (script.six)
		return t->offender.v6.sin6_family == AF_INET6 &&
		       !memcmp(&t->offender.v6.sin6_addr, router.b, 16);
	return t->offender.v4.sin_family == AF_INET &&
	       !memcmp(&t->offender.v4.sin_addr, router.b + 12, 4);
}

static bool is_kind(const struct told *t, uint8_t origin, int err, uint32_t info)
{
	return t->header.cmsg_level == level() &&
	       t->header.cmsg_type == (script.six ? IPV6_RECVERR : IP_RECVERR) &&
	       t->error.ee_origin == origin && t->error.ee_errno == (uint32_t)err &&
	       t->error.ee_info == info && !t->error.ee_data;
}

static uint8_t icmp(void)
{
	return script.six ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP;
}

static void test_unasked(bool six)
{
	begin(six);
	refuse(EHOSTUNREACH, false, 0);
	refuse(ECONNREFUSED, true, 0);
	ok(ready() == POLLOUT && tell(16).n == -EAGAIN && !pending(),
	   "who does not ask and has no peer hears nothing");
	end();
}

static void test_record(bool six)
{
	struct told t;
	char byte;

	begin(six);
	ok(!recverr(1), "asked for");
	refuse(EHOSTUNREACH, false, 0);
	ok(ready() == (POLLOUT | POLLERR), "a soft error, without a peer: POLLERR");
	ok(ustack_recv(s, &byte, 1, 0) == -1 && errno == EHOSTUNREACH &&
	   ustack_recv(s, &byte, 1, 0) == -1 && errno == EAGAIN, "recv() tells it, once");
	ok(ready() == (POLLOUT | POLLERR), "its record stays");
	t = tell(16);
	ok(t.n == 6 && !memcmp(t.data, "quoted", 6) && t.flags == MSG_ERRQUEUE,
	   "the payload, as far as it was quoted");
	ok(is_peer(&t), "whom it was sent to");
	ok(is_kind(&t, icmp(), EHOSTUNREACH, 0) && t.error.ee_type == 1 && t.error.ee_code == 2,
	   "what ICMP says");
	ok(is_of_router(&t), "who said it");
	ok(tell(16).n == -EAGAIN && ready() == POLLOUT, "once");
	end();
}

static void test_pending(bool six)
{
	begin(six);
	recverr(1);
	refuse(EHOSTUNREACH, false, 0);
	refuse(ECONNREFUSED, true, 0);
	ok(pending() == ECONNREFUSED, "the youngest is pending");
	ok(tell(16).error.ee_errno == EHOSTUNREACH && pending() == ECONNREFUSED,
	   "the oldest is taken: the next one is");
	ok(tell(16).error.ee_errno == ECONNREFUSED && !pending(), "taken before");
	refuse(EHOSTUNREACH, false, 0);
	ok(tell(16).error.ee_errno == EHOSTUNREACH && !pending(), "the last one: none is");
	refuse(ECONNREFUSED, true, 0);
	ok(pending() == ECONNREFUSED && !pending() && ready() & POLLERR,
	   "SO_ERROR leaves the record");
	ok(send_to_peer("1", 1) == 1, "and who sends is not told again");
	ok(!recverr(0) && !(ready() & POLLERR) && tell(16).n == -EAGAIN,
	   "not asked for any more: forgotten");
	end();
}

static void test_cut(bool six)
{
	struct told t;
	char data[4];

	begin(six);
	recverr(1);
	refuse(EHOSTUNREACH, false, 0);
	t = tell(4);
	ok(t.n == 4 && !memcmp(t.data, "quot", 4) && t.flags == (MSG_ERRQUEUE | MSG_TRUNC),
	   "less room than payload");
	refuse(EHOSTUNREACH, false, 0);
	ok(ustack_recv(s, data, 4, MSG_ERRQUEUE) == 4 && !memcmp(data, "quot", 4) &&
	   ustack_recv(s, data, 4, MSG_ERRQUEUE) == -1 && errno == EAGAIN, "recv() takes it, too");
	end();
}

static void test_too_large(bool six)
{
	static const uint8_t large[2000];
	struct told t;

	begin(six);
	ok(send_to_peer(large, sizeof(large)) == -1 && errno == EMSGSIZE && ready() == POLLOUT,
	   "too large: who does not ask is told by send() only");
	recverr(1);
	ok(send_to_peer(large, sizeof(large)) == -1 && errno == EMSGSIZE && !pending(),
	   "who asks is, too");
	t = tell(16);
	ok(t.n == 0 && is_kind(&t, SO_EE_ORIGIN_LOCAL, EMSGSIZE, script.link.mtu) &&
	   !is_of_router(&t), "and of the MTU");
	refuse(EMSGSIZE, false, 1300);
	t = tell(16);
	ok(t.n == 6 && is_kind(&t, icmp(), EMSGSIZE, 1300), "of a router's, which is smaller");
	ok(send_to_peer(large, 1400) == -1 && errno == EMSGSIZE &&
	   is_kind((t = tell(16), &t), SO_EE_ORIGIN_LOCAL, EMSGSIZE, 1300), "and heeded");
	send_to_peer(large, sizeof(large));
	refuse(ECONNREFUSED, true, 0);
	ok(tell(16).error.ee_origin == SO_EE_ORIGIN_LOCAL && pending() == ECONNREFUSED,
	   "one that never left leaves the pending error");
	end();
}

/* Records take from SO_RCVBUF what datagrams do. */
static void test_room(bool six)
{
	int i, size = 2304;

	begin(six);
	ustack_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	recverr(1);
	for (i = 0; i < 20; i++)
		refuse(EHOSTUNREACH, false, 0);
	ok(script_stack(&script)->counter[US_COUNT_udp_buffer_full] > 10, "no more than there is room");
	ok(pending() == EHOSTUNREACH, "the errno is told all the same");
	udp_inject(&script, &(struct udp_dgram){ .source = 7, .dest = 9, .len = 6 }, quoted);
	ok(!(ready() & POLLIN), "there is none for a datagram, either");
	while (tell(16).n >= 0)
		;
	udp_inject(&script, &(struct udp_dgram){ .source = 7, .dest = 9, .len = 6 }, quoted);
	ok(ready() & POLLIN, "until they are read");
	end();
}

static void test_all(bool six)
{
	test_unasked(six);
	test_record(six);
	test_pending(six);
	test_cut(six);
	test_too_large(six);
	test_room(six);
}

int main(void)
{
	plan(0);
	test_all(false);
	test_all(true);
	return finish();
}
