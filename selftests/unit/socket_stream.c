// SPDX-License-Identifier: MIT
/* Stream sockets that do not block: connections, data, ends and readiness. */
#include "world.h"

static struct ustack_socket *a, *b;

static short ready(struct ustack_socket *s)
{
	struct ustack_pollfd fd = {
		.socket = s,
		.events = POLLIN | POLLOUT | POLLRDHUP,
	};
	struct ustack *stack = s == a ? world.a : world.b;

	ustack_pollsockets(stack, &fd, 1, 0);
	return fd.revents;
}

static bool text_comes(struct ustack_socket *s, const char *text)
{
	char buffer[64] = "";
	ssize_t n = ustack_recv(s, buffer, sizeof(buffer) - 1, 0);

	return n == (ssize_t)strlen(text) && !memcmp(buffer, text, n);
}

static void close_both(void)
{
	ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(100));
}

static void test_connect(const char *address)
{
	union world_name name = world_name(address, 7), got, peer;
	struct ustack_socket *listener = world_listen(world.b, address, 7);
	socklen_t length = sizeof(got), peer_length = sizeof(peer);

	a = world_connect(world.a, address, 7, SOCK_STREAM | SOCK_NONBLOCK);
	ok(a && errno == EINPROGRESS, "connect to %s: in progress", address);
	world.frozen = true;
	ok(ready(a) == 0, "while connecting: not ready");
	b = listener;
	ok(ready(listener) == 0, "listening: not ready");
	world.frozen = false;
	world_run(WORLD_MS(5));
	ok(ready(a) == POLLOUT, "connected: POLLOUT");
	ok(ready(listener) == POLLIN, "listening: POLLIN");
	ok(ustack_connect(a, &name.sa, world_length(&name)) == 0,
	   "connect again: tells of success once");
	fails(ustack_connect(a, &name.sa, world_length(&name)), EISCONN);
	b = ustack_accept(listener, &peer.sa, &peer_length, SOCK_NONBLOCK);
	ok(b, "accept");
	ok(ustack_getsockname(a, &got.sa, &length) == 0 && length == peer_length &&
	   !memcmp(&got, &peer, length), "accept: the peer's name");
	length = sizeof(got);
	ok(ustack_getpeername(a, &got.sa, &length) == 0 &&
	   length == world_length(&name) && !memcmp(&got, &name, length),
	   "getpeername: the address connected to");
	length = 3;
	got.sa.sa_family = 0;
	got.v4.sin_port = 0x1234;
	ok(ustack_getpeername(a, &got.sa, &length) == 0 &&
	   length == world_length(&name) && got.sa.sa_family == name.sa.sa_family &&
	   (got.v4.sin_port & htons(0xff)) == (0x1234 & htons(0xff)),
	   "getpeername: cut to three bytes, full length told");
	ustack_close(listener);
	ok(!ready(b) || ready(b) == POLLOUT, "the connection outlives the listener");
	close_both();
}

static void test_data(void)
{
	char buffer[8];

	world_pair(SOCK_NONBLOCK, &a, &b);
	fails(ustack_recv(a, buffer, 1, 0), EAGAIN);
	ok(ustack_send(a, "hello", 5, 0) == 5, "send");
	world_run(WORLD_MS(2));
	ok(ready(b) == (POLLIN | POLLOUT), "POLLIN with data");
	fails(ustack_recv(b, buffer, 3, MSG_ERRQUEUE), EAGAIN);
	ok(ustack_recv(b, buffer, 3, MSG_PEEK) == 3 && !memcmp(buffer, "hel", 3), "MSG_PEEK");
	ok(ustack_recv(b, buffer, 2, 0) == 2 && !memcmp(buffer, "he", 2), "recv: a part");
	ok(ustack_recv(b, buffer, 0, 0) == 0 && ustack_recv(b, NULL, 0, 0) == 0,
	   "recv: nothing asked for");
	fails(ustack_send(a, NULL, 1, 0), EFAULT);
	fails(ustack_recv(b, NULL, 3, 0), EFAULT);
	fails(ustack_recv(b, NULL, 8, MSG_PEEK), EFAULT);
	ok(ustack_recv(b, NULL, 2, MSG_PEEK | MSG_TRUNC) == 2 &&
	   ustack_recv(b, NULL, 9, MSG_PEEK | MSG_TRUNC) == 3, "MSG_PEEK, MSG_TRUNC: counts");
	ok(ustack_recv(b, NULL, 2, MSG_TRUNC) == 2, "MSG_TRUNC throws away");
	ok(ustack_recv(b, buffer, 8, MSG_WAITALL) == 1 && buffer[0] == 'o',
	   "MSG_WAITALL does not wait without blocking");
	fails(ustack_recv(b, buffer, 1, 0), EAGAIN);
	ok(ustack_send(b, "", 0, 0) == 0 && ustack_send(b, NULL, 0, 0) == 0, "send: nothing");
	close_both();
}

/* Without a reader the send buffer and the peer's window fill. */
static void test_full(void)
{
	static char block[65536];
	ssize_t n, sent = 0, got = 0;

	world_pair(SOCK_NONBLOCK, &a, &b);
	while ((n = ustack_send(a, block, sizeof(block), 0)) > 0) {
		sent += n;
		world_run(WORLD_MS(1));
	}
	ok(n == -1 && errno == EAGAIN && sent > 100000, "send: full, %zd bytes", sent);
	ok(!(ready(a) & POLLOUT), "full: not POLLOUT");
	for (int idle = 0; idle < 1000; idle++) {
		while ((n = ustack_recv(b, block, sizeof(block), 0)) > 0) {
			got += n;
			idle = 0;
		}
		world_run(WORLD_MS(1));
	}
	ok(got == sent, "all of it arrives (%zd)", got);
	ok(ready(a) & POLLOUT, "POLLOUT once there is room");
	close_both();
}

static void test_half_close(void)
{
	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(a, "last", 4, 0);
	ok(ustack_shutdown(a, SHUT_WR) == 0, "shutdown: writing");
	fails(ustack_send(a, "x", 1, 0), EPIPE);
	world_run(WORLD_MS(5));
	ok(ready(b) == (POLLIN | POLLOUT | POLLRDHUP), "peer: POLLIN, POLLRDHUP");
	ok(text_comes(b, "last"), "peer: the data before the end");
	ok(ustack_recv(b, NULL, 1, 0) == 0, "peer: end of stream");
	ok(ustack_recv(b, NULL, 1, 0) == 0, "peer: end of stream stays");
	ok(ustack_send(b, "answer", 6, 0) == 6, "peer: may still send");
	world_run(WORLD_MS(5));
	ok(text_comes(a, "answer"), "half-closed: still receives");
	ustack_shutdown(b, SHUT_WR);
	world_run(WORLD_MS(50));
	ok(ready(b) & POLLHUP, "both closed: POLLHUP");
	close_both();
}

static void test_shutdown_read(void)
{
	char byte;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ok(ustack_shutdown(a, SHUT_RD) == 0, "shutdown: reading");
	ok(ustack_recv(a, &byte, 1, 0) == 0, "recv: end of stream at once");
	ok(ready(a) & POLLIN && ready(a) & POLLRDHUP, "POLLIN, POLLRDHUP");
	ok(ustack_send(a, "x", 1, 0) == 1, "may still send");
	ustack_send(b, "late", 4, 0);
	world_run(WORLD_MS(5));
	ok(text_comes(a, "late"), "what comes nevertheless can be read, as in Linux");
	ustack_shutdown(a, SHUT_WR);
	ustack_send(b, "too late", 8, 0);
	world_run(WORLD_MS(5));
	fails(ustack_recv(a, &byte, 1, 0), ECONNRESET);
	fails(ustack_send(b, &byte, 1, 0), EPIPE);
	close_both();
}

static void test_reset(void)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	int error = 0;
	socklen_t length = sizeof(error);
	char byte;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	ustack_close(b);
	world_run(WORLD_MS(5));
	ok(ready(a) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR),
	   "reset: everything is ready (%#x)", ready(a));
	fails(ustack_recv(a, &byte, 1, 0), ECONNRESET);
	ok(ustack_recv(a, &byte, 1, 0) == 0, "reset: told once, then end of stream");
	fails(ustack_send(a, &byte, 1, 0), EPIPE);
	fails(ustack_shutdown(a, SHUT_RDWR), ENOTCONN);
	ustack_close(a);

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	ustack_close(b);
	world_run(WORLD_MS(5));
	ustack_getsockopt(a, SOL_SOCKET, SO_ERROR, &error, &length);
	ok(error == ECONNRESET, "reset: SO_ERROR");
	ok(ustack_getsockopt(a, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && !error,
	   "SO_ERROR is told once");
	ustack_close(a);
}

/* The error that comes behind bytes is for the call that finds none. */
static void test_discard(void)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	union world_name name = world_name("10.0.0.1", 0);
	char byte;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(b, "bytes", 5, 0);
	world_run(WORLD_MS(5));
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	ustack_close(b);
	world_run(WORLD_MS(5));
	ok(ustack_recv(a, NULL, 10, MSG_TRUNC) == 5, "MSG_TRUNC: bytes before a reset");
	ok(ready(a) & POLLERR, "the reset is still to be told");
	fails(ustack_recv(a, &byte, 1, 0), ECONNRESET);
	ok(ustack_bind(a, &name.sa, sizeof(name.v4)) == 0, "bind: it has no port any more");
	ustack_close(a);
}

/* RFC 2525 2.17: what nobody read makes the close a reset. */
static void test_unread(void)
{
	char byte;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(a, "unread", 6, 0);
	world_run(WORLD_MS(5));
	ustack_close(b);
	world_run(WORLD_MS(5));
	fails(ustack_recv(a, &byte, 1, 0), ECONNRESET);
	ustack_close(a);
}

static void test_refused(void)
{
	int error = 0;
	socklen_t length = sizeof(error);

	a = world_connect(world.a, "10.0.0.2", 9, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(5));
	ok((ready(a) & (POLLOUT | POLLERR | POLLHUP)) == (POLLOUT | POLLERR | POLLHUP),
	   "refused: POLLOUT, POLLERR, POLLHUP");
	ustack_getsockopt(a, SOL_SOCKET, SO_ERROR, &error, &length);
	ok(error == ECONNREFUSED, "refused: SO_ERROR");
	ustack_close(a);
}

static void test_disconnect(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	union world_name name = world_name("10.0.0.2", 7);
	struct ustack_socket *listener;
	char byte;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ok(ustack_connect(a, &nobody, sizeof(nobody)) == 0, "connect to AF_UNSPEC");
	world_run(WORLD_MS(5));
	ok(ready(a) == (POLLOUT | POLLERR | POLLHUP), "disconnected: an error, no data");
	fails(ustack_recv(b, &byte, 1, 0), ECONNRESET);
	ustack_connect(b, &nobody, sizeof(nobody));
	ok(ready(b) == (POLLOUT | POLLHUP), "disconnected from nobody: no error");
	listener = world_listen(world.b, "10.0.0.2", 7);
	fails(ustack_connect(a, &name.sa, sizeof(name.v4)), EINPROGRESS);
	world_run(WORLD_MS(5));
	ok(ready(a) == POLLOUT, "and to another peer");
	ustack_connect(a, &nobody, sizeof(nobody));
	ok(ustack_listen(a, 1) == 0 && ready(a) == 0, "listening: an error is not shown");
	fails(ustack_recv(a, &byte, 1, 0), ENOTCONN);
	ustack_close(listener);
	close_both();
}

static void test_poll(void)
{
	struct ustack_pollfd fds[3] = {
		{ .socket = NULL, .events = POLLIN, .revents = 99 },
	};

	world_pair(SOCK_NONBLOCK, &a, &b);
	fds[1] = (struct ustack_pollfd){ .socket = a, .events = POLLIN };
	fds[2] = (struct ustack_pollfd){ .socket = a, .events = POLLOUT };
	ok(ustack_pollsockets(world.a, fds, 3, 0) == 1 && fds[0].revents == 0 &&
	   fds[1].revents == 0 && fds[2].revents == POLLOUT,
	   "poll: what was asked for, NULL is passed over");
	ok(ustack_pollsockets(world.a, fds, 2, WORLD_MS(3)) == 0, "poll: time out");
	ustack_send(b, "x", 1, 0);
	ok(ustack_pollsockets(world.a, fds, 2, WORLD_MS(100)) == 1 &&
	   fds[1].revents == POLLIN, "poll: waits for data");
	close_both();
	a = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	ok(ready(a) == (POLLOUT | POLLHUP), "poll: a fresh socket");
	ustack_close(a);
}

int main(void)
{
	plan(0);
	world_create("");
	test_connect("10.0.0.2");
	test_connect("fd00::2");
	test_data();
	test_full();
	test_half_close();
	test_shutdown_read();
	test_reset();
	test_discard();
	test_unread();
	test_refused();
	test_disconnect();
	test_poll();
	world_destroy();
	return finish();
}
