// SPDX-License-Identifier: MIT
/* What each socket call refuses, and with which errno: as Linux does. */
#include "world.h"

static struct ustack_socket *stream(int domain)
{
	return ustack_socket(world.a, domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static struct ustack_socket *dgram(int domain)
{
	return ustack_socket(world.a, domain, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static bool no_socket(int domain, int type, int protocol, int error)
{
	errno = 0;
	return !ustack_socket(world.a, domain, type, protocol) && errno == error;
}

static void test_socket(void)
{
	ok(no_socket(AF_UNIX, SOCK_STREAM, 0, EAFNOSUPPORT), "socket: AF_UNIX");
	ok(no_socket(AF_INET, SOCK_RAW, 0, ESOCKTNOSUPPORT), "socket: SOCK_RAW");
	ok(no_socket(AF_INET, 77, 0, EINVAL), "socket: type 77");
	ok(no_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP, EPROTONOSUPPORT),
	   "socket: UDP is no stream");
	ok(no_socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP, EPROTONOSUPPORT),
	   "socket: TCP is no datagram");
}

static void test_bind(void)
{
	union world_name v4 = world_name("10.0.0.1", 1000);
	union world_name v6 = world_name("fd00::1", 1000);
	union world_name foreign = world_name("10.0.0.77", 1000);
	union world_name multicast = world_name("ff02::1", 1000);
	struct ustack_socket *s = stream(AF_INET), *other = stream(AF_INET);
	struct ustack_socket *s6 = stream(AF_INET6);
	socklen_t length = sizeof(v4);

	fails(ustack_bind(s, NULL, sizeof(v4.v4)), EFAULT);
	fails(ustack_bind(s, &v4.sa, sizeof(v4.v4) - 1), EINVAL);
	fails(ustack_bind(s, &v6.sa, sizeof(v6.v6)), EAFNOSUPPORT);
	fails(ustack_bind(s, &foreign.sa, sizeof(foreign.v4)), EADDRNOTAVAIL);
	fails(ustack_bind(s6, &v4.sa, sizeof(v4.v6)), EAFNOSUPPORT);
	fails(ustack_bind(s6, &multicast.sa, sizeof(multicast.v6)), EINVAL);
	ok(ustack_bind(s, &v4.sa, sizeof(v4.v4)) == 0, "bind");
	fails(ustack_bind(s, &v4.sa, sizeof(v4.v4)), EINVAL);
	fails(ustack_bind(other, &v4.sa, sizeof(v4.v4)), EADDRINUSE);
	v4 = world_name("0.0.0.0", 1000);
	fails(ustack_bind(other, &v4.sa, sizeof(v4.v4)), EADDRINUSE);
	v4.v4.sin_port = 0;
	ok(ustack_bind(other, &v4.sa, sizeof(v4.v4)) == 0 &&
	   ustack_getsockname(other, &v4.sa, &length) == 0 && v4.v4.sin_port,
	   "bind: port 0 is chosen, and told");
	ok(ustack_bind(s6, &v6.sa, sizeof(v6.v6)) == 0,
	   "bind: IPv6 does not mind an IPv4 socket on the port");
	ustack_close(s);
	ustack_close(other);
	ustack_close(s6);
}

static void test_reuse(void)
{
	union world_name name = world_name("10.0.0.1", 1001);
	struct ustack_socket *s = stream(AF_INET), *other = stream(AF_INET);
	int one = 1;

	ustack_setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ustack_bind(s, &name.sa, sizeof(name.v4));
	fails(ustack_bind(other, &name.sa, sizeof(name.v4)), EADDRINUSE);
	ustack_setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ok(ustack_bind(other, &name.sa, sizeof(name.v4)) == 0, "bind: both reuse");
	ok(ustack_listen(s, 1) == 0, "listen: the first of two");
	fails(ustack_listen(other, 1), EADDRINUSE);
	ustack_close(s);
	ustack_close(other);
	s = stream(AF_INET);
	ok(ustack_bind(s, &name.sa, sizeof(name.v4)) == 0, "bind: free after close");
	ustack_close(s);
}

static void test_stream(void)
{
	union world_name peer = world_name("10.0.0.2", 99);
	union world_name far = world_name("192.0.2.1", 99);
	union world_name group = world_name("224.0.0.1", 99);
	struct ustack_socket *s = stream(AF_INET);
	socklen_t length = sizeof(peer);
	struct sockaddr address;
	char byte = 0;

	fails(ustack_send(s, &byte, 1, 0), EPIPE);
	fails(ustack_recv(s, &byte, 1, 0), ENOTCONN);
	fails(ustack_send(s, &byte, 1, MSG_OOB), EPIPE);
	fails(ustack_recv(s, &byte, 1, MSG_OOB), EINVAL);
	fails(ustack_shutdown(s, SHUT_RDWR), ENOTCONN);
	fails(ustack_shutdown(s, 3), EINVAL);
	fails(ustack_getpeername(s, &address, &length), ENOTCONN);
	ok(!ustack_accept(s, NULL, NULL, 0) && errno == EINVAL, "accept: not listening");
	ok(!ustack_accept(s, NULL, NULL, 1) && errno == EINVAL, "accept: unknown flag");
	ok(!ustack_accept(s, &address, NULL, 0) && errno == EFAULT, "accept: no length");
	fails(ustack_connect(s, NULL, sizeof(peer.v4)), EFAULT);
	fails(ustack_connect(s, &peer.sa, 1), EINVAL);
	fails(ustack_connect(s, &peer.sa, sizeof(peer.v4) - 1), EINVAL);
	fails(ustack_connect(s, &far.sa, sizeof(far.v4)), ENETUNREACH);
	fails(ustack_connect(s, &group.sa, sizeof(group.v4)), ENETUNREACH);
	fails(ustack_connect(s, &peer.sa, sizeof(peer.v4)), EINPROGRESS);
	fails(ustack_connect(s, &peer.sa, sizeof(peer.v4)), EALREADY);
	fails(ustack_send(s, &byte, 1, 0), EAGAIN);
	fails(ustack_recv(s, &byte, 1, 0), EAGAIN);
	fails(ustack_getpeername(s, &address, &length), ENOTCONN);
	fails(ustack_listen(s, 1), EINVAL);
	fails(ustack_bind(s, &peer.sa, sizeof(peer.v4)), EADDRNOTAVAIL);
	world_run(WORLD_MS(5));
	fails(ustack_connect(s, &peer.sa, sizeof(peer.v4)), ECONNREFUSED);
	fails(ustack_connect(s, &peer.sa, sizeof(peer.v4)), EINPROGRESS);
	ok(ustack_shutdown(s, SHUT_WR) == 0, "shutdown: ends an attempt");
	fails(ustack_shutdown(s, SHUT_WR), ENOTCONN);
	ustack_close(s);
}

static void test_listening(void)
{
	union world_name peer = world_name("10.0.0.2", 99);
	struct ustack_socket *s = world_listen(world.a, "10.0.0.1", 1002);
	char byte = 0;

	ok(!ustack_accept(s, NULL, NULL, 0) && errno == EAGAIN, "accept: nobody there");
	fails(ustack_connect(s, &peer.sa, sizeof(peer.v4)), EISCONN);
	fails(ustack_send(s, &byte, 1, 0), EPIPE);
	fails(ustack_recv(s, &byte, 1, 0), ENOTCONN);
	ok(ustack_listen(s, 3) == 0, "listen: again");
	ok(ustack_shutdown(s, SHUT_RD) == 0, "shutdown: ends listening");
	ok(!ustack_accept(s, NULL, NULL, 0) && errno == EINVAL, "accept: after shutdown");
	ok(ustack_listen(s, 3) == 0, "listen: once more");
	ustack_close(s);
}

static void test_dgram(void)
{
	union world_name peer = world_name("10.0.0.2", 99);
	union world_name peer6 = world_name("fd00::2", 99);
	union world_name nowhere = world_name("10.0.0.2", 0);
	struct ustack_socket *s = dgram(AF_INET);
	socklen_t length = sizeof(peer);
	static char big[70000];

	fails(ustack_send(s, big, 1, 0), EDESTADDRREQ);
	fails(ustack_recv(s, big, 1, 0), EAGAIN);
	fails(ustack_sendto(s, big, 1, 0, &peer.sa, 4), EINVAL);
	fails(ustack_sendto(s, big, 1, 0, &peer6.sa, sizeof(peer6.v6)), EAFNOSUPPORT);
	fails(ustack_sendto(s, big, 1, 0, &nowhere.sa, sizeof(nowhere.v4)), EINVAL);
	fails(ustack_sendto(s, big, sizeof(big), 0, &peer.sa, sizeof(peer.v4)), EMSGSIZE);
	fails(ustack_getpeername(s, &peer.sa, &length), ENOTCONN);
	fails(ustack_shutdown(s, SHUT_RD), ENOTCONN);
	fails(ustack_listen(s, 1), EOPNOTSUPP);
	fails(ustack_listen_peer(s), EINVAL);
	ok(!ustack_accept(s, NULL, NULL, 0) && errno == EOPNOTSUPP, "accept: of datagrams");
	fails(ustack_sendto(s, NULL, 1, 0, &peer.sa, sizeof(peer.v4)), EFAULT);
	fails(ustack_recv(s, NULL, 1, 0), EFAULT);
	ustack_close(s);
}

static void test_exhausted(void)
{
	struct ustack_config config = { .max_sockets = 2 };
	struct ustack *stack;

	ustack_create(&config, &stack);
	ok(ustack_socket(stack, AF_INET, SOCK_STREAM, 0) &&
	   ustack_socket(stack, AF_INET, SOCK_DGRAM, 0) &&
	   !ustack_socket(stack, AF_INET, SOCK_STREAM, 0) && errno == EMFILE,
	   "socket: no more than max_sockets");
	ustack_destroy(stack);
}

int main(void)
{
	plan(0);
	world_create("");
	test_socket();
	test_bind();
	test_reuse();
	test_stream();
	test_listening();
	test_dgram();
	test_exhausted();
	world_destroy();
	return finish();
}
