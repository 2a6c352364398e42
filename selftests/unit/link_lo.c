// SPDX-License-Identifier: MIT
/*
 * The link "lo": a client and a server on one stack, in one thread, with calls that
 * block; and what the addresses of it are to others.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "segment.h"
#include "tap.h"
#include "ustack.h"

#define PORT	7
#define BULK	300000u

static struct ustack *stack;
static struct ustack_link *outside;

static void bail(void)
{
	printf("# %s\n", ustack_error(stack));
	abort();
}

static union name {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} name_of(const char *text, uint16_t port)
{
	union name name = { .v4.sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &name.v4.sin_addr) == 1) {
		name.v4.sin_port = htons(port);
	} else {
		name = (union name){ .v6 = { .sin6_family = AF_INET6,
					     .sin6_port = htons(port) } };
		inet_pton(AF_INET6, text, &name.v6.sin6_addr);
	}
	return name;
}

static socklen_t size_of(const union name *name)
{
	return name->sa.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

static bool same(const union name *a, const union name *b)
{
	return a->sa.sa_family == b->sa.sa_family &&
	       (a->sa.sa_family == AF_INET ?
		a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr :
		!memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16));
}

/* With calls that end. */
static struct ustack_socket *socket_of(const union name *name, int type)
{
	struct ustack_socket *s = ustack_socket(stack, name->sa.sa_family, type, 0);
	const struct timeval limit = { .tv_sec = 2 };

	ustack_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ustack_setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return s;
}

static struct ustack_socket *bound(const union name *name, int type)
{
	struct ustack_socket *s = socket_of(name, type);

	if (ustack_bind(s, &name->sa, size_of(name)))
		bail();
	return s;
}

static void setup(const char *lo)
{
	const struct ustack_config config = { .seed = 7 };
	const union name here = name_of("192.0.2.1", 0), six = name_of("2001:db8::1", 0);

	ustack_create(&config, &stack);
	ustack_link_open(stack, "extern", &outside);
	ustack_address_add(stack, outside, &here.sa, 24);
	ustack_address_add(stack, outside, &six.sa, 64);
	if (lo && ustack_link_open(stack, lo, NULL))
		bail();
}

/* ------------------------------------------------------------------ streams */

/* From @from to @to, without a second thread: what fits, then what came. */
static bool carries(struct ustack_socket *from, struct ustack_socket *to)
{
	static char out[BULK], in[BULK];
	size_t sent = 0, got = 0, i;
	ssize_t n;

	for (i = 0; i < BULK; i++)
		out[i] = (char)(i * 31 >> 3);
	while (got < BULK) {
		n = ustack_send(from, out + sent, BULK - sent, MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		n = ustack_recv(to, in + got, BULK - got, 0);
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return !memcmp(in, out, BULK);
}

static void test_stream(const char *text)
{
	union name name = name_of(text, PORT), peer = { 0 }, local = { 0 };
	struct ustack_socket *listener = bound(&name, SOCK_STREAM);
	struct ustack_socket *client = socket_of(&name, SOCK_STREAM);
	socklen_t peer_size = sizeof(peer), local_size = sizeof(local);
	struct ustack_socket *server;
	char byte;

	ustack_listen(listener, 1);
	ok(ustack_connect(client, &name.sa, size_of(&name)) == 0, "%s: connects", text);
	server = ustack_accept(listener, &peer.sa, &peer_size, 0);
	if (!server)
		exit(1);
	ustack_getsockname(client, &local.sa, &local_size);
	ok(same(&peer, &name) && same(&local, &name),
	   "%s: from the same address", text);
	ok(carries(client, server) && carries(server, client), "%s: 300,000 bytes each way",
	   text);
	ustack_close(client);
	ok(ustack_recv(server, &byte, 1, 0) == 0, "%s: the end comes", text);
	ustack_close(server);
	ustack_close(listener);
}

static void test_refused(void)
{
	const union name nobody = name_of("127.0.0.1", 99);
	struct ustack_socket *s = socket_of(&nobody, SOCK_STREAM);

	ok(ustack_connect(s, &nobody.sa, sizeof(nobody.v4)) == -1 && errno == ECONNREFUSED,
	   "nobody listens");
	ustack_close(s);
}

/* RFC 9293 3.5, figure 7, and both ends are one. */
static void test_itself(void)
{
	const union name name = name_of("127.0.0.1", PORT);
	struct ustack_socket *s = bound(&name, SOCK_STREAM);
	char text[4] = "";

	ok(ustack_connect(s, &name.sa, sizeof(name.v4)) == 0 &&
	   ustack_send(s, "echo", 4, 0) == 4 && ustack_recv(s, text, 4, 0) == 4 &&
	   !memcmp(text, "echo", 4), "a socket connected to itself");
	ustack_close(s);
}

/* ---------------------------------------------------------------- datagrams */

static void test_datagrams(const char *text)
{
	union name name = name_of(text, PORT), from = { 0 };
	struct ustack_socket *server = bound(&name, SOCK_DGRAM);
	struct ustack_socket *client = socket_of(&name, SOCK_DGRAM);
	socklen_t size = sizeof(from);
	char got[8];

	ok(ustack_sendto(client, "hello", 5, 0, &name.sa, size_of(&name)) == 5 &&
	   ustack_recvfrom(server, got, 8, 0, &from.sa, &size) == 5 && same(&from, &name),
	   "%s: a datagram", text);
	ok(ustack_sendto(server, "yes", 3, 0, &from.sa, size) == 3 &&
	   ustack_recv(client, got, 8, 0) == 3, "%s: its answer", text);
	ustack_close(server);
	ok(ustack_connect(client, &name.sa, size_of(&name)) == 0 &&
	   ustack_send(client, "gone", 4, 0) == 4 &&
	   ustack_recv(client, got, 8, 0) == -1 && errno == ECONNREFUSED,
	   "%s: the port is closed", text);
	ustack_close(client);
}

/* ------------------------------------------------------------------- others */

/* A SYN from @from to @to comes from outside; is it answered? */
static bool answered(const char *from, const char *to)
{
	struct segment s;
	size_t len = segment_make(&s, from, 1025, to, PORT, TH_SYN, 5, 0, 1000, "");

	ustack_link_inject(outside, &s, len);
	ustack_poll(stack);
	return ustack_link_collect(outside, &s, sizeof(s), NULL) > 0;
}

static void test_outside(void)
{
	const union name any = name_of("0.0.0.0", PORT);
	struct ustack_socket *s = bound(&any, SOCK_STREAM);

	ustack_listen(s, 4);
	ok(answered("192.0.2.2", "192.0.2.1"), "outside: our address is answered");
	ok(!answered("192.0.2.2", "127.0.0.1"), "outside: 127.0.0.1 is nobody's there");
	ok(!answered("192.0.2.1", "192.0.2.1"), "outside: nobody is we");
	ustack_close(s);
}

static bool unreachable(const char *text, int type)
{
	const union name name = name_of(text, PORT);
	struct ustack_socket *s = socket_of(&name, type);
	bool no = ustack_connect(s, &name.sa, size_of(&name)) == -1 && errno == ENETUNREACH;

	ustack_close(s);
	return no && strstr(ustack_error(stack), "open the link \"lo\"");
}

/* Without it. */
static void test_missing(void)
{
	setup(NULL);
	ok(unreachable("192.0.2.1", SOCK_STREAM) && unreachable("2001:db8::1", SOCK_STREAM) &&
	   unreachable("192.0.2.1", SOCK_DGRAM), "no lo: ENETUNREACH, and what would help");
	ustack_destroy(stack);
}

static void test_opening(void)
{
	ok(ustack_link_open(stack, "lo", NULL) == -EEXIST && *ustack_error(stack),
	   "a second one is refused");
	ok(ustack_link_open(stack, "lo:name=x", NULL) == -EINVAL &&
	   strstr(ustack_error(stack), "name=x"), "it has no name");
}

/* What could be had of it is not kept. */
static void test_half(void)
{
	const union name six = name_of("::1", 0), four = name_of("127.0.0.1", PORT);
	struct ustack_socket *s;

	setup(NULL);
	ustack_address_add(stack, outside, &six.sa, 128);
	ok(ustack_link_open(stack, "lo", NULL) == -EEXIST &&
	   strstr(ustack_error(stack), "::1"), "another link has ::1");
	s = socket_of(&four, SOCK_STREAM);
	ok(ustack_bind(s, &four.sa, sizeof(four.v4)) == -1 && errno == EADDRNOTAVAIL,
	   "then there is no 127.0.0.1, either");
	ustack_destroy(stack);
}

/* Time passes on the way, and some of it is lost. */
static void test_shaped(void)
{
	setup("lo:delay=1,loss=5,seed=3,mtu=1500");
	test_stream("127.0.0.1");
	ustack_destroy(stack);
}

int main(void)
{
	plan(0);
	test_missing();
	test_half();
	setup("lo");
	test_stream("127.0.0.1");
	test_stream("::1");
	test_stream("192.0.2.1");
	test_stream("2001:db8::1");
	test_refused();
	test_itself();
	test_datagrams("127.0.0.1");
	test_datagrams("::1");
	test_datagrams("192.0.2.1");
	test_outside();
	test_opening();
	ustack_destroy(stack);
	test_shaped();
	return finish();
}
