// SPDX-License-Identifier: MIT
/* Datagram sockets. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "world.h"

static struct ustack_socket *dgram(struct ustack *stack, const char *address,
				   uint16_t port)
{
	union world_name name = world_name(address, port);
	struct ustack_socket *s;

	s = ustack_socket(stack, name.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (port && ustack_bind(s, &name.sa, world_length(&name)))
		world_check(-errno, stack, "bind");
	return s;
}

static ssize_t send_to(struct ustack_socket *s, const char *text, const char *address,
		       uint16_t port)
{
	union world_name name = world_name(address, port);

	return ustack_sendto(s, text, strlen(text), 0, &name.sa, world_length(&name));
}

static short ready(struct ustack *stack, struct ustack_socket *s)
{
	struct ustack_pollfd fd = { s, POLLIN | POLLOUT | POLLRDHUP, 0 };

	ustack_pollsockets(stack, &fd, 1, 0);
	return fd.revents;
}

static void test_exchange(const char *own, const char *other)
{
	struct ustack_socket *a = dgram(world.a, own, 0);
	struct ustack_socket *b = dgram(world.b, other, 53);
	union world_name from, name;
	socklen_t length = sizeof(from), name_length = sizeof(name);
	char buffer[16];

	ok(ready(world.b, b) == POLLOUT, "%s: bound, POLLOUT", other);
	ok(send_to(a, "question", other, 53) == 8, "sendto");
	world_run(WORLD_MS(2));
	ok(ready(world.b, b) == (POLLIN | POLLOUT), "POLLIN");
	ok(ustack_recvfrom(b, buffer, 4, MSG_PEEK | MSG_TRUNC, NULL, NULL) == 8,
	   "MSG_PEEK, MSG_TRUNC: the whole length");
	ok(ustack_recvfrom(b, buffer, 4, 0, &from.sa, &length) == 4 &&
	   !memcmp(buffer, "ques", 4), "recvfrom: cut to the buffer");
	fails(ustack_recv(b, buffer, 4, 0), EAGAIN);
	ok(length == world_length(&from), "recvfrom: length of the address");
	ok(ustack_sendto(b, "", 0, 0, &from.sa, length) == 0, "sendto: empty");
	world_run(WORLD_MS(2));
	ok(ready(world.a, a) & POLLIN && ustack_recv(a, buffer, 16, 0) == 0,
	   "an empty datagram arrives");
	ok(ustack_getsockname(a, &name.sa, &name_length) == 0 &&
	   name.v4.sin_port == from.v4.sin_port, "the port was chosen at the first send");
	ustack_close(a);
	ustack_close(b);
}

static void test_connected(void)
{
	struct ustack_socket *a = dgram(world.a, "10.0.0.1", 1000);
	struct ustack_socket *b = dgram(world.b, "10.0.0.2", 1000);
	struct ustack_socket *other = dgram(world.b, "10.0.0.2", 1001);
	union world_name peer = world_name("10.0.0.2", 1000), got;
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	socklen_t length = sizeof(got);
	char buffer[16];

	ok(ustack_connect(a, &peer.sa, sizeof(peer.v4)) == 0, "connect");
	ok(ustack_getpeername(a, &got.sa, &length) == 0 && length == sizeof(got.v4) &&
	   !memcmp(&got, &peer, length), "getpeername");
	ok(ustack_send(a, "one", 3, 0) == 3, "send");
	world_run(WORLD_MS(2));
	ok(ustack_recv(b, buffer, SIZE_MAX, 0) == 3, "arrives, whatever room is said to be there");
	send_to(other, "stranger", "10.0.0.1", 1000);
	world_run(WORLD_MS(2));
	fails(ustack_recv(a, buffer, 16, 0), EAGAIN);
	ok(send_to(a, "two", "10.0.0.2", 1001) == 3, "sendto another while connected");
	world_run(WORLD_MS(2));
	ok(ustack_recv(other, buffer, 16, 0) == 3, "arrives there");
	ok(ustack_shutdown(a, SHUT_WR) == 0, "shutdown: writing");
	fails(ustack_send(a, "x", 1, 0), EPIPE);
	ok(ustack_shutdown(a, SHUT_RD) == 0, "shutdown: reading");
	ok(ready(world.a, a) & POLLHUP && ready(world.a, a) & POLLRDHUP,
	   "POLLHUP, POLLRDHUP");
	ok(ustack_connect(a, &nobody, sizeof(nobody)) == 0, "connect to AF_UNSPEC");
	fails(ustack_send(a, "x", 1, 0), EDESTADDRREQ);
	fails(send_to(a, "x", "10.0.0.2", 1000), EPIPE);
	send_to(other, "stranger", "10.0.0.1", 1000);
	world_run(WORLD_MS(2));
	ok(ustack_recv(a, buffer, 16, 0) == 8, "hears everybody again");
	ustack_close(a);
	ustack_close(b);
	ustack_close(other);
}

/* shutdown(2) ends waiting, with or without a peer, and nothing else. */
static void test_shut(void)
{
	struct ustack_socket *a = dgram(world.a, "10.0.0.1", 1000);
	struct ustack_socket *b = dgram(world.b, "10.0.0.2", 1000);
	char buffer[16];

	fails(ustack_shutdown(a, SHUT_RD), ENOTCONN);
	ok(ready(world.a, a) == (POLLIN | POLLOUT | POLLRDHUP), "shut without a peer: POLLRDHUP");
	fails(ustack_recv(a, buffer, 16, 0), EAGAIN);
	ok(ustack_fcntl(a, F_SETFL, 0) == 0 && ustack_recv(a, buffer, 16, 0) == 0,
	   "shut: who would wait is told of the end");
	send_to(b, "late", "10.0.0.1", 1000);
	world_run(WORLD_MS(2));
	ok(ustack_recv(a, buffer, 16, 0) == 4, "shut: what comes is read");
	ok(send_to(a, "early", "10.0.0.2", 1000) == 5, "shut: the other way is open");
	ustack_close(a);
	ustack_close(b);
}

/* connect(2) to port 0 is to an address. */
static void test_any_port(void)
{
	struct ustack_socket *a = dgram(world.a, "10.0.0.1", 1000);
	struct ustack_socket *b = dgram(world.b, "10.0.0.2", 1000);
	union world_name peer = world_name("10.0.0.2", 0);
	socklen_t length = sizeof(peer);
	char buffer[16];

	ok(ustack_connect(a, &peer.sa, sizeof(peer.v4)) == 0, "connect to port 0");
	fails(ustack_getpeername(a, &peer.sa, &length), ENOTCONN);
	send_to(b, "any", "10.0.0.1", 1000);
	world_run(WORLD_MS(2));
	ok(ustack_recv(a, buffer, 16, 0) == 3, "connect to port 0: hears any port");
	ustack_close(a);
	ustack_close(b);
}

/* A peer that cannot be reached does not take the place of the one there is. */
static void test_connect_fails(const char *own, const char *other, const char *nowhere,
			       const char *anywhere)
{
	struct ustack_socket *a = dgram(world.a, own, 1000);
	struct ustack_socket *b = dgram(world.b, other, 1000);
	union world_name peer = world_name(other, 1000), got;
	union world_name bad = world_name(nowhere, 9), any = world_name(anywhere, 9);
	socklen_t length = sizeof(got);
	char buffer[16];

	ustack_connect(a, &peer.sa, world_length(&peer));
	fails(ustack_connect(a, &bad.sa, world_length(&bad)), ENETUNREACH);
	fails(ustack_connect(a, &any.sa, world_length(&any)), ENETUNREACH);
	fails(ustack_connect(a, &peer.sa, 4), EINVAL);
	ok(ustack_getpeername(a, &got.sa, &length) == 0 && !memcmp(&got, &peer, length),
	   "%s: connect fails: the peer is who it was", other);
	ok(ustack_send(a, "one", 3, 0) == 3, "connect fails: send");
	world_run(WORLD_MS(2));
	ok(ustack_recv(b, buffer, 16, 0) == 3, "arrives");
	send_to(b, "two", own, 1000);
	world_run(WORLD_MS(2));
	ok(ustack_recv(a, buffer, 16, 0) == 3, "and what the peer sends");
	ustack_close(a);
	ustack_close(b);
}

/* The port unreachable that comes back is an error of a connected socket. */
static void test_refused(void)
{
	struct ustack_socket *a = dgram(world.a, "10.0.0.1", 0);
	union world_name peer = world_name("10.0.0.2", 4000);
	int waiting = -1;
	char byte;

	ustack_connect(a, &peer.sa, sizeof(peer.v4));
	ustack_send(a, "x", 1, 0);
	world_run(WORLD_MS(2));
	ok(ready(world.a, a) & POLLERR, "refused: POLLERR");
	ok(ustack_ioctl(a, FIONREAD, &waiting) == 0 && waiting == 0, "refused: FIONREAD");
	fails(ustack_recv(a, &byte, 1, 0), ECONNREFUSED);
	fails(ustack_recv(a, &byte, 1, 0), EAGAIN);
	fails(ustack_recv(a, &byte, 1, MSG_OOB), EAGAIN);
	ustack_send(a, "x", 1, 0);
	world_run(WORLD_MS(2));
	ustack_shutdown(a, SHUT_WR);
	fails(ustack_send(a, "x", 1, 0), ECONNREFUSED);
	fails(ustack_send(a, "x", 1, 0), EPIPE);
	ustack_close(a);
}

/* RFC 768: who wants no answer may leave the port out.  So no other sender is named. */
static void test_no_port(void)
{
	static const uint8_t packet[] = {
		0x45, 0, 0, 29, 0, 0, 0, 0, 64, IPPROTO_UDP, 0x66, 0xce,
		10, 0, 0, 2, 10, 0, 0, 1,
		0, 0, 0, 9, 0, 9, 0, 0, 'x',
	};
	union world_name own = world_name("10.0.0.1", 9), none = world_name("10.0.0.2", 0), from;
	struct iovec piece = { &(char){ 0 }, 1 };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &piece,
			    .msg_iovlen = 1 };
	socklen_t length = sizeof(from);
	struct ustack_link *link;
	struct ustack_socket *s;
	struct ustack *stack;

	ustack_create(NULL, &stack);
	ustack_link_open(stack, "extern", &link);
	ustack_address_add(stack, link, &own.sa, 24);
	s = dgram(stack, "10.0.0.1", 9);
	for (int i = 0; i < 3; i++)
		ustack_link_inject(link, packet, sizeof(packet));
	ustack_poll(stack);
	ok(ustack_recvfrom(s, piece.iov_base, 1, 0, &from.sa, &length) == 1 &&
	   length == sizeof(from.v4) && !memcmp(&from, &none, length), "recvfrom: from port 0");
	ok(ustack_recvmsg(s, &m, 0) == 1 && m.msg_namelen == sizeof(from.v4) &&
	   !memcmp(&from, &none, m.msg_namelen), "recvmsg: from port 0");
	m.msg_name = NULL;
	ok(ustack_recvmsg(s, &m, 0) == 1 && m.msg_namelen == sizeof(from.v4),
	   "recvmsg: no name is asked for, none is told of");
	ustack_destroy(stack);
}

static void test_ports(void)
{
	struct ustack_socket *a = dgram(world.a, "10.0.0.1", 500);
	struct ustack_socket *other = dgram(world.a, "10.0.0.1", 0);
	union world_name name = world_name("10.0.0.1", 500);

	fails(ustack_bind(other, &name.sa, sizeof(name.v4)), EADDRINUSE);
	name = world_name("0.0.0.0", 500);
	fails(ustack_bind(other, &name.sa, sizeof(name.v4)), EADDRINUSE);
	fails(ustack_bind(a, &name.sa, sizeof(name.v4)), EINVAL);
	ustack_close(a);
	ok(ustack_bind(other, &name.sa, sizeof(name.v4)) == 0, "bind: free after close");
	ok(ustack_listen_peer(other) == 0, "listen for one peer");
	ustack_close(other);
}

int main(void)
{
	plan(0);
	world_create("");
	test_exchange("10.0.0.1", "10.0.0.2");
	test_exchange("fd00::1", "fd00::2");
	test_connected();
	test_shut();
	test_any_port();
	test_connect_fails("10.0.0.1", "10.0.0.2", "192.0.2.1", "0.0.0.0");
	test_connect_fails("fd00::1", "fd00::2", "2001:db8::1", "::");
	test_refused();
	test_ports();
	world_destroy();
	test_no_port();
	return finish();
}
