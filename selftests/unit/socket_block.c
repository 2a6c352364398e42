// SPDX-License-Identifier: MIT
/* Calls that block run the stack until they can return. */
#include <signal.h>
#include <time.h>

#include "world.h"

static struct ustack_socket *a, *b;

static void timeout(struct ustack_socket *s, int name, long ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	ustack_setsockopt(s, SOL_SOCKET, name, &tv, sizeof(tv));
}

static void close_both(void)
{
	ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(100));
}

/* B's side of a call of A's that blocks is done before, and comes over the pipe
 * while A waits.
 */
static void test_connect(void)
{
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 7);
	union world_name name = world_name("10.0.0.2", 7);

	a = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	ok(ustack_connect(a, &name.sa, sizeof(name.v4)) == 0, "connect waits");
	fails(ustack_connect(a, &name.sa, sizeof(name.v4)), EISCONN);
	ustack_close(a);
	ustack_close(listener);
	a = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	fails(ustack_connect(a, &name.sa, sizeof(name.v4)), ECONNREFUSED);
	ustack_close(a);
	/* Nobody answers for this address. */
	name = world_name("10.0.0.99", 7);
	a = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	timeout(a, SO_SNDTIMEO, 50);
	fails(ustack_connect(a, &name.sa, sizeof(name.v4)), EINPROGRESS);
	ustack_close(a);
}

static void test_accept(void)
{
	union world_name name = world_name("10.0.0.1", 7);
	struct ustack_socket *listener;

	listener = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	ustack_bind(listener, &name.sa, sizeof(name.v4));
	ustack_listen(listener, 1);
	b = world_connect(world.b, "10.0.0.1", 7, SOCK_STREAM | SOCK_NONBLOCK);
	a = ustack_accept(listener, NULL, NULL, 0);
	ok(a, "accept waits");
	timeout(listener, SO_RCVTIMEO, 30);
	ok(!ustack_accept(listener, NULL, NULL, 0) && errno == EAGAIN,
	   "accept: SO_RCVTIMEO");
	ustack_close(listener);
	close_both();
}

static void test_recv(void)
{
	char buffer[8];
	int64_t begin;

	world_pair(0, &a, &b);
	ustack_send(b, "abc", 3, 0);
	ok(ustack_recv(a, buffer, 8, 0) == 3, "recv waits for some");
	timeout(a, SO_RCVTIMEO, 30);
	begin = world.now;
	fails(ustack_recv(a, buffer, 8, 0), EAGAIN);
	ok(world.now - begin >= WORLD_MS(30) && world.now - begin < WORLD_MS(40),
	   "SO_RCVTIMEO: as long as asked for");
	fails(ustack_recv(a, buffer, 8, MSG_DONTWAIT), EAGAIN);
	ustack_send(b, "abc", 3, 0);
	ok(ustack_recv(a, buffer, 8, MSG_WAITALL) == 3, "MSG_WAITALL: what came in time");
	ustack_send(b, "abcdef", 6, 0);
	ok(ustack_recv(a, buffer, 4, MSG_WAITALL | MSG_PEEK) == 4 &&
	   ustack_recv(a, buffer, 6, MSG_WAITALL) == 6, "MSG_WAITALL: all");
	ustack_send(b, "xy", 2, 0);
	ustack_shutdown(b, SHUT_WR);
	ok(ustack_recv(a, buffer, 8, MSG_WAITALL) == 2, "MSG_WAITALL: up to the end");
	ok(ustack_recv(a, buffer, 8, MSG_WAITALL) == 0, "and then the end");
	close_both();
	world_pair(0, &a, &b);
	ustack_shutdown(a, SHUT_RD);
	ok(ustack_recv(a, buffer, 8, 0) == 0, "shutdown: who reads no more waits for nothing");
	close_both();
}

/* With 100 bytes to wait for, and three that are there. */
static void test_lowat(void)
{
	struct iovec pieces[2] = { { (char[60]){ 0 }, 60 }, { (char[60]){ 0 }, 60 } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
	char buffer[200] = "";
	int value = 100;

	world_pair(0, &a, &b);
	timeout(a, SO_RCVTIMEO, 30);
	ustack_setsockopt(a, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
	ustack_send(b, "abc", 3, 0);
	world_run(WORLD_MS(5));
	ok(ustack_recv(a, buffer, 200, MSG_DONTWAIT | MSG_PEEK) == 3,
	   "SO_RCVLOWAT: MSG_DONTWAIT: what is there");
	ok(ustack_recv(a, buffer, 3, 0) == 3, "SO_RCVLOWAT: no more than is asked for");
	ustack_send(b, "abc", 3, 0);
	ok(ustack_recv(a, buffer, 200, 0) == 3, "SO_RCVLOWAT: what came in time");
	ustack_send(b, "abc", 3, 0);
	world_run(WORLD_MS(5));
	ustack_send(b, buffer, 97, 0);
	ok(ustack_recv(a, buffer, 200, 0) == 100, "SO_RCVLOWAT: so many are waited for");
	ustack_send(b, "abc", 3, 0);
	world_run(WORLD_MS(5));
	ustack_send(b, buffer, 98, 0);
	ok(ustack_recvmsg(a, &message, 0) == 101, "SO_RCVLOWAT: in pieces, too");
	ustack_send(b, buffer, 150, 0);
	world_run(WORLD_MS(5));
	ustack_send(b, buffer, 50, 0);
	ok(ustack_recv(a, buffer, 200, MSG_WAITALL) == 200, "SO_RCVLOWAT: MSG_WAITALL: all");
	ustack_send(b, "abc", 3, 0);
	ustack_shutdown(b, SHUT_WR);
	ok(ustack_recv(a, buffer, 200, 0) == 3 && ustack_recv(a, buffer, 200, 0) == 0,
	   "SO_RCVLOWAT: up to the end");
	close_both();
}

/* The peer does not run, so nothing is acknowledged. */
static void test_notsent(void)
{
	static const char bytes[8000];
	int value = 1, rate = 1000000;

	world_pair(0, &a, &b);
	timeout(a, SO_SNDTIMEO, 30);
	ustack_setsockopt(a, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
	ustack_setsockopt(a, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof(value));
	ok(ustack_send(a, bytes, 8000, 0) == 8000, "TCP_NOTSENT_LOWAT: nothing waits");
	ok(ustack_send(a, bytes, 5000, MSG_DONTWAIT) == 192, "TCP_NOTSENT_LOWAT: much does");
	world.frozen = true;
	ustack_run(world.a, 0);
	ok(ustack_send(a, bytes, 1, MSG_DONTWAIT) == -1 && ustack_run(world.a, 0) == 0,
	   "TCP_NOTSENT_LOWAT: who waits for bytes to leave is not told of memory");
	world.frozen = false;
	ok(ustack_send(a, bytes, 4808, 0) == 4808, "TCP_NOTSENT_LOWAT: until it has left");
	close_both();
}

/* For 16 ms others have something to be told of. */
static int64_t keep_busy(struct ustack_socket *u)
{
	world_run(WORLD_MS(20));
	for (int i = 0; i < 400; i++)
		ustack_send(u, "twelve bytes", 12, MSG_DONTWAIT);
	return world.now;
}

static void test_busy(void)
{
	struct ustack_socket *u = world_connect(world.b, "10.0.0.1", 9, SOCK_DGRAM);
	struct ustack_socket *v = ustack_socket(world.a, AF_INET, SOCK_DGRAM, 0);
	union world_name name = world_name("10.0.0.1", 9);
	struct ustack_pollfd fd = { .events = POLLIN };
	int64_t begin;
	char byte;

	world_pair(0, &a, &b);
	timeout(a, SO_RCVTIMEO, 5);
	fd.socket = a;
	ustack_bind(v, &name.sa, sizeof(name.v4));
	begin = keep_busy(u);
	ok(ustack_recv(a, &byte, 1, 0) == -1 && errno == EAGAIN &&
	   world.now - begin < WORLD_MS(6), "SO_RCVTIMEO: while others are busy");
	begin = keep_busy(u);
	ok(!ustack_pollsockets(world.a, &fd, 1, WORLD_MS(5)) &&
	   world.now - begin < WORLD_MS(6), "poll: the timeout, while others are busy");
	ok(ustack_recv(v, &byte, 1, 0) == 1, "they are");
	ustack_close(u);
	ustack_close(v);
	close_both();
}

static void test_send(void)
{
	static char block[8 << 20];
	struct linger hard = { .l_onoff = 1 };
	ssize_t n;

	world_pair(0, &a, &b);
	timeout(a, SO_SNDTIMEO, 30);
	n = ustack_send(a, block, sizeof(block), 0);
	ok(n > 0 && n < (ssize_t)sizeof(block), "send: SO_SNDTIMEO, a part (%zd)", n);
	fails(ustack_send(a, block, 1, 0), EAGAIN);
	/* A count is told first, the error by the next call. */
	timeout(a, SO_SNDTIMEO, 0);
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	ustack_close(b);
	fails(ustack_send(a, block, sizeof(block), 0), ECONNRESET);
	fails(ustack_send(a, block, 1, 0), EPIPE);
	ustack_close(a);
}

static void test_dgram(void)
{
	union world_name name = world_name("10.0.0.1", 5), peer = name;
	char buffer[8];

	a = ustack_socket(world.a, AF_INET, SOCK_DGRAM, 0);
	b = ustack_socket(world.b, AF_INET, SOCK_DGRAM, 0);
	ustack_bind(a, &name.sa, sizeof(name.v4));
	ustack_sendto(b, "hi", 2, 0, &peer.sa, sizeof(peer.v4));
	ok(ustack_recv(a, buffer, 8, 0) == 2, "datagram: recv waits");
	timeout(a, SO_RCVTIMEO, 10);
	fails(ustack_recv(a, buffer, 8, 0), EAGAIN);
	close_both();
}

/* A link that is full has room again when the peer took what is there. */
static void test_dgram_send(void)
{
	union world_name peer = world_name("10.0.0.2", 5);
	unsigned int n = 0;

	a = ustack_socket(world.a, AF_INET, SOCK_DGRAM, 0);
	b = ustack_socket(world.b, AF_INET, SOCK_DGRAM, 0);
	ustack_bind(b, &peer.sa, sizeof(peer.v4));
	ustack_connect(a, &peer.sa, sizeof(peer.v4));
	ustack_send(a, "hi", 2, 0);		/* finds the neighbour */
	world_run(WORLD_MS(20));
	world.frozen = true;
	while (n < 100 && ustack_send(a, "hi", 2, MSG_DONTWAIT) == 2)
		n++;
	fails(ustack_send(a, "hi", 2, MSG_DONTWAIT), EAGAIN);
	world.frozen = false;
	ok(ustack_send(a, "hi", 2, 0) == 2, "datagram: send waits for room (%u)", n);
	close_both();
}

static void test_linger(void)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 2 };
	int64_t begin;
	char buffer[8];

	world_pair(0, &a, &b);
	ustack_setsockopt(a, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	ustack_send(a, "tail", 4, 0);
	begin = world.now;
	ustack_close(a);
	ok(world.now > begin && world.now - begin < WORLD_MS(500),
	   "close lingers until the peer has it");
	ok(ustack_recv(b, buffer, 8, 0) == 4 && ustack_recv(b, buffer, 8, 0) == 0,
	   "the peer has it, and the end");
	ustack_close(b);
}

/* Time that nobody moves, and no other thread: nothing can happen. */
static void test_deadlock(void)
{
	union world_name name = world_name("10.0.0.2", 7);
	struct ustack_socket *listener;
	char byte;

	world_pair(0, &a, &b);
	world.frozen = true;
	fails(ustack_recv(a, &byte, 1, 0), EDEADLK);
	close_both();
	listener = world_listen(world.b, "10.0.0.2", 7);
	a = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	fails(ustack_connect(a, &name.sa, sizeof(name.v4)), EDEADLK);
	world_run(WORLD_MS(5));
	ok(ustack_connect(a, &name.sa, sizeof(name.v4)) == 0, "connect goes on later");
	ok(ustack_run(world.a, -1) == -EDEADLK, "run: EDEADLK");
	world.frozen = false;
	ustack_close(a);
	ustack_close(listener);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* The real clock: sleeps, and a signal ends the sleep. */
static void test_real_time(void)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	struct ustack *stack;
	struct ustack_link *link;
	struct timespec begin, end;
	clock_t cpu;
	int64_t ms;

	ustack_create(NULL, &stack);
	ustack_link_open(stack, "pipe:name=lonely", &link);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	cpu = clock();
	ok(ustack_run(stack, WORLD_MS(50)) == 0, "run: nothing for 50 ms");
	clock_gettime(CLOCK_MONOTONIC, &end);
	ms = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
	ok(ms >= 50, "it really took as long (%d ms)", (int)ms);
	ok((clock() - cpu) * 1000 / CLOCKS_PER_SEC < 20, "asleep");
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ok(ustack_run(stack, WORLD_MS(5000)) == -EINTR, "run: a signal");
	ok(ustack_run(stack, -1) == -EDEADLK, "run: nothing can ever happen");
	ustack_destroy(stack);
}

int main(void)
{
	plan(0);
	world_create("");
	test_connect();
	test_accept();
	test_recv();
	test_lowat();
	test_notsent();
	test_send();
	test_dgram();
	test_linger();
	test_deadlock();
	test_real_time();
	world_destroy();
	world_create("frames=16,delay=5");
	test_dgram_send();
	world_destroy();
	world_create("rate=8M");
	test_busy();
	world_destroy();
	return finish();
}
