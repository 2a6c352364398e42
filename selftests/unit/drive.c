// SPDX-License-Identifier: MIT
/*
 * An example: a stack that is driven from outside, through public calls alone.  The
 * test injects and collects raw IP packets and moves the clock, while a call that
 * blocks sleeps on a second thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "segment.h"
#include "tap.h"
#include "ustack.h"

#define MS(ms)		((ms) * 1000000LL)
#define SERVER		"192.0.2.1"
#define PEER		"192.0.2.2"
#define PORT		7
#define PEER_PORT	1025
#define PEER_ISN	5000u

static struct ustack *stack;
static struct ustack_link *link_;
static struct ustack_socket *listener, *conn;
static uint32_t isn;		/* of the stack */

/* ------------------------------------------------------------------ packets */

/* From the peer: sequence and acknowledgement numbers count from the ISNs. */
static int inject(uint8_t flags, uint32_t seq, uint32_t ack, const char *text,
		  uint16_t window)
{
	struct segment s;
	size_t len = segment_make(&s, PEER, PEER_PORT, SERVER, PORT, flags,
				  PEER_ISN + seq, flags & TH_ACK ? isn + ack : 0,
				  window, text);

	return ustack_link_inject(link_, &s, len);
}

/* The next packet, if its checksums are right: its length, else 0. */
static ssize_t collect(struct segment *s, int64_t *when)
{
	ssize_t len = ustack_link_collect(link_, s, sizeof(*s), when);

	return segment_ok(s, len) ? len : 0;
}

/* Is the next packet like this, sent at that time? */
static bool sent(uint8_t flags, uint32_t seq, uint32_t ack, size_t len, int64_t at)
{
	struct segment s;
	int64_t when;
	ssize_t got = collect(&s, &when);

	if (!got)
		return false;
	if (flags & TH_SYN)
		isn = ntohl(s.tcp.seq);
	return s.tcp.th_flags == flags && ntohl(s.tcp.seq) == isn + seq &&
	       ntohl(s.tcp.ack_seq) == PEER_ISN + ack && when == at &&
	       (size_t)got == sizeof(s.ip) + 4u * s.tcp.doff + len;
}

static bool quiet(void)
{
	uint8_t byte[1500];

	return ustack_link_collect(link_, byte, sizeof(byte), NULL) == -EAGAIN;
}

/* ------------------------------------------------------- the second thread */

/**
 * struct job - a call for the second thread
 * @thread: it.
 * @call: makes the call.
 * @socket: given to @call.
 * @result: of the call.
 * @error: errno.
 * @when: time when it had returned.
 * @text: what was received.
 */
struct job {
	pthread_t thread;
	ssize_t (*call)(struct job *job);
	struct ustack_socket *socket;
	ssize_t result;
	int error;
	int64_t when;
	char text[4096];
};

static void *work(void *arg)
{
	struct job *job = arg;

	job->result = job->call(job);
	job->error = errno;
	job->when = ustack_now(stack);
	return NULL;
}

/* Starts a call that blocks, and waits until it sleeps. */
static void start(struct job *job, ssize_t (*call)(struct job *job),
		  struct ustack_socket *socket)
{
	*job = (struct job){ .call = call, .socket = socket };
	pthread_create(&job->thread, NULL, work, job);
	while (!ustack_sleeping(stack))
		sched_yield();
}

static void finished(struct job *job)
{
	pthread_join(job->thread, NULL);
}

static ssize_t call_accept(struct job *job)
{
	conn = ustack_accept(job->socket, NULL, NULL, 0);
	return conn ? 0 : -1;
}

static ssize_t call_recv(struct job *job)
{
	return ustack_recv(job->socket, job->text, sizeof(job->text), 0);
}

static ssize_t call_send(struct job *job)
{
	return ustack_send(job->socket, job->text, sizeof(job->text), 0);
}

static ssize_t call_poll(struct job *job)
{
	struct ustack_pollfd fd = { .socket = job->socket, .events = POLLIN };
	ssize_t ready = ustack_pollsockets(stack, &fd, 1, MS(700));

	return ready == 1 ? fd.revents : ready;
}

/* -------------------------------------------------------------------- tests */

static void open_stack(uint64_t seed)
{
	const struct ustack_config config = { .driven = true, .seed = seed };
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(PORT),
				    .sin_addr.s_addr = inet_addr(SERVER) };

	if (ustack_create(&config, &stack) ||
	    ustack_link_open(stack, "extern:mtu=1500", &link_) ||
	    ustack_address_add(stack, link_, (struct sockaddr *)&name, 24))
		puts("Bail out! no stack");
	listener = ustack_socket(stack, AF_INET, SOCK_STREAM, 0);
	ustack_bind(listener, (struct sockaddr *)&name, sizeof(name));
	ustack_listen(listener, 8);
}

static void test_accept(void)
{
	int64_t begin = ustack_now(stack);
	struct job job;

	start(&job, call_accept, listener);
	ok(ustack_advance(stack, MS(1000)) == 0 && ustack_sleeping(stack) == 1 &&
	   ustack_now(stack) == begin + MS(1000), "accept sleeps while time passes");
	inject(TH_SYN, 0, 0, "", 1000);
	ok(sent(TH_SYN | TH_ACK, 0, 1, 0, begin + MS(1000)), "SYN-ACK, at once");
	ustack_advance(stack, MS(10));
	inject(TH_ACK, 1, 1, "", 1000);
	finished(&job);
	ok(job.result == 0 && job.when == begin + MS(1010) && quiet(),
	   "accept returned, and time stood meanwhile");
}

static void test_recv(void)
{
	int64_t begin = ustack_now(stack);
	struct job job;

	start(&job, call_recv, conn);
	ustack_advance(stack, MS(5));
	inject(TH_ACK | TH_PUSH, 1, 1, "hello", 1000);
	finished(&job);
	ok(job.result == 5 && !memcmp(job.text, "hello", 5) &&
	   job.when == begin + MS(5), "recv");
	ok(sent(TH_ACK, 1, 6, 0, begin + MS(5)) && quiet(), "its ACK");
}

static void test_timeouts(void)
{
	struct timeval tv = { .tv_usec = 300000 };
	int64_t begin = ustack_now(stack);
	struct job job;

	ustack_setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	start(&job, call_recv, conn);
	ok(ustack_advance(stack, MS(1000)) == MS(700),
	   "the clock stops where a call wakes up");
	finished(&job);
	ok(job.result == -1 && job.error == EAGAIN && job.when == begin + MS(300),
	   "SO_RCVTIMEO");
	start(&job, call_poll, conn);
	ok(ustack_advance(stack, MS(700)) == 0, "as far as asked for");
	finished(&job);
	ok(job.result == 0 && job.when == begin + MS(1000), "the timeout of poll");
	tv.tv_usec = 0;
	ustack_setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* The window of 1000 is closed by what is sent; one segment's worth of room in the
 * queue does not wake the call for good: it sleeps again.
 */
static void test_send(void)
{
	int64_t begin = ustack_now(stack);
	int size = 1024;
	struct job job;

	ustack_setsockopt(conn, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	start(&job, call_send, conn);
	ok(sent(TH_ACK, 1, 6, 536, begin), "send: a segment");
	ok(ustack_advance(stack, MS(10)) == 0 && ustack_sleeping(stack) == 1,
	   "send sleeps: its queue is full");
	inject(TH_ACK, 6, 537, "", 65535);
	ok(ustack_sleeping(stack) == 1, "room for some: it sleeps again");
	while (ustack_sleeping(stack)) {
		struct segment s;

		while (collect(&s, NULL))
			inject(TH_ACK, 6, ntohl(s.tcp.seq) - isn +
			       ntohs(s.ip.tot_len) - HEADERS, "", 65535);
		ustack_advance(stack, MS(1));
	}
	finished(&job);
	ok(job.result == sizeof(job.text), "send returned when all was queued");
	ustack_advance(stack, MS(200));
	while (!quiet())
		;
	inject(TH_ACK, 6, 1 + sizeof(job.text), "", 65535);
}

static void test_retransmission(void)
{
	const uint32_t seq = 1 + sizeof(((struct job *)0)->text);
	int64_t begin, when[4];
	struct segment s;
	int i;

	begin = ustack_now(stack);
	ustack_send(conn, "x", 1, 0);
	ustack_advance(stack, MS(2000));
	for (i = 0; i < 4 && collect(&s, &when[i]) == HEADERS + 1; i++)
		;
	ok(i == 4 && when[0] == begin, "retransmissions wait to be collected");
	ok(when[3] - when[2] >= 2 * (when[2] - when[1]) - MS(3),
	   "each has its time");
	inject(TH_ACK, 6, seq + 1, "", 65535);
}

static void on_signal(int number)
{
	(void)number;
}

static void test_signal(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct job job;

	sigaction(SIGUSR1, &action, NULL);
	start(&job, call_recv, conn);
	/* One that comes before the call sleeps, though it is about to, ends nothing. */
	do {
		pthread_kill(job.thread, SIGUSR1);
		usleep(1000);
	} while (pthread_tryjoin_np(job.thread, NULL));
	ok(job.result == -1 && job.error == EINTR && !ustack_sleeping(stack),
	   "a signal ends a call: EINTR");
}

/* As in Linux, the call holds the socket; then it is the last to let go. */
static void test_close(void)
{
	const uint32_t seq = 2 + sizeof(((struct job *)0)->text);
	struct job job;

	start(&job, call_recv, conn);
	ustack_close(conn);
	ok(ustack_sleeping(stack) == 1 && quiet(), "close: a call sleeps on");
	inject(TH_ACK | TH_PUSH, 6, seq, "bye", 65535);
	finished(&job);
	ok(job.result == 3, "close: the call gets its data");
	ok(sent(TH_ACK, seq, 9, 0, ustack_now(stack)) &&
	   sent(TH_FIN | TH_ACK, seq, 9, 0, ustack_now(stack)),
	   "close: then the FIN goes");
}

static ssize_t call_connect(struct job *job)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(80),
				    .sin_addr.s_addr = inet_addr(PEER) };

	return ustack_connect(job->socket, (struct sockaddr *)&name, sizeof(name));
}

/* As in Linux, shutdown() by another thread ends a call that waits for a peer. */
static void test_shutdown(void)
{
	struct ustack_socket *s = ustack_socket(stack, AF_INET, SOCK_STREAM, 0);
	const struct timeval tv = { .tv_sec = 1 };
	struct job job;

	ustack_setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	ustack_setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	start(&job, call_connect, s);
	ok(ustack_shutdown(s, SHUT_RDWR) == 0 && !ustack_sleeping(stack),
	   "shutdown wakes connect");
	ustack_advance(stack, MS(1000));
	finished(&job);
	ok(job.result == -1 && job.error == ECONNRESET, "connect: ECONNRESET");
	ustack_close(s);
	start(&job, call_accept, listener);
	ok(ustack_shutdown(listener, SHUT_RDWR) == 0 && !ustack_sleeping(stack),
	   "shutdown wakes accept");
	ustack_advance(stack, MS(1000));
	finished(&job);
	ok(job.result == -1 && job.error == EINVAL, "accept: EINVAL");
	while (!quiet())
		;
}

/* One that does not come: nothing runs, nor does the clock move. */
static void test_end_of_time(void)
{
	int64_t now = ustack_now(stack);

	ok(ustack_advance(stack, INT64_MAX - now) == -EINVAL &&
	   ustack_advance(stack, INT64_MAX) == -EINVAL && ustack_now(stack) == now,
	   "advance: beyond the end of time");
}

static void test_numbers(void)
{
	struct ustack_socket *a = ustack_socket(stack, AF_INET, SOCK_STREAM, 0);
	struct ustack_socket *b = ustack_socket(stack, AF_INET,
				SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int lowest = dup(0), fd, other, value = 1;
	char byte;

	close(lowest);
	fd = ustack_fd(a);
	other = ustack_fd(b);
	ok(fd == lowest && other > fd && ustack_fd(a) == fd, "the lowest number");
	ok(ustack_of_fd(stack, fd) == a && ustack_of_fd(stack, other) == b &&
	   !ustack_of_fd(stack, other + 1) && !ustack_of_fd(stack, -1),
	   "found by it");
	ok(read(fd, &byte, 1) == -1 && errno == EBADF, "the kernel cannot use it");
	ok(fcntl(other, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFD) == 0 &&
	   ustack_fcntl(b, F_GETFD, 0) == FD_CLOEXEC, "SOCK_CLOEXEC");
	ok(ustack_fcntl(a, F_SETFD, FD_CLOEXEC) == 0 &&
	   fcntl(fd, F_GETFD) == FD_CLOEXEC, "F_SETFD");
	ok(ustack_fcntl(a, F_GETFL, 0) == O_RDWR &&
	   ustack_fcntl(b, F_GETFL, 0) == (O_RDWR | O_NONBLOCK), "F_GETFL");
	ok(ustack_fcntl(a, F_SETFL, O_NONBLOCK) == 0 &&
	   ustack_fcntl(a, F_GETFL, 0) == (O_RDWR | O_NONBLOCK), "F_SETFL");
	ok(ustack_fcntl(a, -1, 0) == -1 && errno == EINVAL, "fcntl: EINVAL");
	value = 0;
	ok(ustack_ioctl(a, FIONBIO, &value) == 0 &&
	   ustack_fcntl(a, F_GETFL, 0) == O_RDWR, "FIONBIO");
	ok(ustack_ioctl(a, SIOCINQ, &value) == 0 && value == 0 &&
	   ustack_ioctl(a, SIOCOUTQ, &value) == 0 && value == 0, "SIOCINQ, SIOCOUTQ");
	ok(ustack_ioctl(listener, SIOCINQ, &value) == -1 && errno == EINVAL,
	   "SIOCINQ: not of a listening socket");
	ok(ustack_ioctl(a, 0x1234, &value) == -1 && errno == ENOTTY, "ioctl: ENOTTY");
	ok(ustack_ioctl(a, SIOCINQ, NULL) == -1 && errno == EFAULT, "ioctl: EFAULT");
	ustack_close(a);
	ok(fcntl(fd, F_GETFD) == -1 && !ustack_of_fd(stack, fd), "closed: free again");
	ustack_close(b);
}

/* A reset acknowledges all 200 bytes: the packet was taken whole. */
static bool takes_larger(struct ustack_link *small)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	struct segment s;
	char text[201];
	size_t len;

	memset(text, 'x', 200);
	text[200] = 0;
	inet_pton(AF_INET, "198.51.100.1", &here.sin_addr);
	ustack_address_add(stack, small, (struct sockaddr *)&here, 24);
	len = segment_make(&s, "198.51.100.2", PEER_PORT, "198.51.100.1", PORT + 1, TH_PUSH,
			   5, 0, 100, text);
	return ustack_link_inject(small, &s, len) == 0 &&
	       ustack_link_collect(small, &s, sizeof(s), NULL) == HEADERS &&
	       s.tcp.rst && ntohl(s.tcp.ack_seq) == 205;
}

static void test_link(void)
{
	struct ustack_link *small, *pipe;
	static uint8_t packet[65536];

	ustack_link_open(stack, "extern:mtu=100,depth=1", &small);
	ustack_link_open(stack, "pipe:name=drive", &pipe);
	ok(ustack_link_inject(small, packet, 65536) == -EMSGSIZE, "inject: too large");
	ok(takes_larger(small), "inject: larger than the MTU");
	ok(ustack_link_inject(pipe, packet, 20) == -EOPNOTSUPP &&
	   ustack_link_collect(pipe, packet, 20, NULL) == -EOPNOTSUPP,
	   "inject, collect: another kind of link");
	ok(ustack_link_open(stack, "extern:colour=red", NULL) == -EINVAL &&
	   ustack_link_open(stack, "extern:mtu=10", NULL) == -EINVAL,
	   "arguments that make no sense");
	inject(TH_SYN, 100, 0, "", 1000);
	ok(ustack_link_collect(link_, packet, 20, NULL) == -EMSGSIZE && !quiet(),
	   "collect: too large for its buffer, and stays");
}

/* On a stack with a clock of its own, and in one thread. */
static void test_undriven(void)
{
	const struct ustack_config both = { .driven = true, .clock = (void *)work };
	const struct ustack_config config = { .seed = 1 };
	struct ustack_link *small;
	struct ustack *other = NULL;
	uint8_t packet[200] = { 0 };
	int64_t now;

	ok(ustack_create(&both, &other) == -EINVAL, "whose time shall it be?");
	ustack_create(&config, &other);
	now = ustack_now(other);
	ok(ustack_advance(other, 0) == -EINVAL && ustack_now(other) >= now &&
	   !ustack_sleeping(other), "not driven");
	ustack_link_open(other, "extern:depth=1,mtu=100", &small);
	ok(ustack_link_inject(small, packet, 20) == 0 &&
	   ustack_link_inject(small, packet, 20) == -ENOBUFS, "inject: waits for a round");
	ustack_poll(other);
	ok(ustack_link_inject(small, packet, 200) == 0, "inject: the round took it");
	ustack_destroy(other);
}

#define LENT	20000u	/* bytes, each way */

static char letter(uint32_t at)
{
	return (char)('a' + at % 23);
}

static bool right(const void *data, size_t len, uint32_t at)
{
	for (size_t i = 0; i < len; i++)
		if (((const char *)data)[i] != letter(at + (uint32_t)i))
			return false;
	return true;
}

static ssize_t call_read_in_place(struct job *job)
{
	struct iovec piece;
	uint32_t total = 0;

	while (total < LENT && ustack_peek(job->socket, &piece, 1, 0) == 1) {
		if (!right(piece.iov_base, piece.iov_len, total) ||
		    ustack_release(job->socket, piece.iov_len))
			return -1;
		total += (uint32_t)piece.iov_len;
	}
	return total;
}

static ssize_t call_peek(struct job *job)
{
	struct iovec piece;

	return ustack_peek(job->socket, &piece, 1, 0);
}

static ssize_t call_write_in_place(struct job *job)
{
	uint32_t total = 0;

	while (total < LENT) {
		size_t room = LENT - total < 700 ? LENT - total : 700;
		char *to = ustack_reserve(job->socket, &room, 0);

		if (!to)
			return -1;
		for (size_t i = 0; i < room; i++)
			to[i] = letter(total + (uint32_t)i);
		if (ustack_submit(job->socket, room, 0))
			return -1;
		total += (uint32_t)room;
	}
	return total;
}

/* The next bytes of the peer, small segments and large ones. */
static uint32_t give(uint32_t from, uint32_t got)
{
	uint32_t len = from % 3 ? 64 : 1001, i;
	char text[1002];

	if (len > LENT - from)
		len = LENT - from;
	for (i = 0; i < len; i++)
		text[i] = letter(from + i);
	text[len] = '\0';
	inject(TH_ACK | TH_PUSH, 1 + from, 1 + got, text, 65535);
	return from + len;
}

/* What the stack sent, in order: how far it is now; beyond all if it is wrong. */
static uint32_t take(uint32_t got)
{
	struct segment s;

	while (collect(&s, NULL)) {
		size_t len = ntohs(s.ip.tot_len) - sizeof(s.ip) - 4u * s.tcp.doff;

		if (ntohl(s.tcp.seq) != isn + 1 + got)
			continue;
		if (!right(s.data, len, got))
			return UINT32_MAX;
		got += (uint32_t)len;
	}
	return got;
}

static void open_connection(uint64_t seed)
{
	open_stack(seed);
	inject(TH_SYN, 0, 0, "", 65535);
	ok(sent(TH_SYN | TH_ACK, 0, 1, 0, ustack_now(stack)), "opened");
	inject(TH_ACK, 1, 1, "", 65535);
	conn = ustack_accept(listener, NULL, NULL, 0);
}

/* One thread sends, one receives, in memory that is lent, while a third drives. */
static void test_lend(void)
{
	uint32_t given = 0, got = 0;
	struct job reader, writer;

	open_connection(9);
	start(&reader, call_read_in_place, conn);
	start(&writer, call_write_in_place, conn);
	while ((given < LENT || got < LENT) && got <= LENT) {
		given = give(given, got);
		got = take(got);
		ustack_advance(stack, MS(1));
		sched_yield();
	}
	finished(&reader);
	finished(&writer);
	ok(reader.result == LENT, "lent: read in place by one thread");
	ok(writer.result == LENT && got == LENT, "lent: written in place by another");
	start(&reader, call_peek, conn);
	ustack_close(conn);
	inject(TH_ACK | TH_PUSH, 1 + given, 1 + got, "late", 65535);
	finished(&reader);
	ok(reader.result == -1 && reader.error == EBADF, "lent: nothing by what was closed");
	ustack_destroy(stack);
}

static struct ustack_epoll *set;

static ssize_t call_epoll(struct job *job)
{
	struct epoll_event event;
	ssize_t n = ustack_epoll_wait(set, &event, 1, MS(700));

	if (n == 1)
		n = event.data.ptr == job->socket ? (ssize_t)event.events : -EINVAL;
	return n;
}

static int control(int op, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = conn };

	return ustack_epoll_ctl(set, op, conn, &event);
}

static void test_epoll(void)
{
	char text[16];
	struct job job;

	open_connection(10);
	set = ustack_epoll_create(stack);
	control(EPOLL_CTL_ADD, EPOLLIN);
	start(&job, call_epoll, conn);
	inject(TH_ACK | TH_PUSH, 1, 1, "one", 65535);
	finished(&job);
	ok(job.result == EPOLLIN && ustack_recv(conn, text, sizeof(text), 0) == 3,
	   "epoll: a packet wakes who waits");
	start(&job, call_epoll, conn);
	ok(ustack_advance(stack, MS(700)) == 0, "epoll: the time is up");
	finished(&job);
	ok(job.result == 0, "epoll: nothing was to be told");
	ustack_destroy(stack);
}

/* As in Linux, who waits is told of what is ready and added, or asked for, meanwhile. */
static void test_epoll_control(void)
{
	struct job job;

	open_connection(11);
	set = ustack_epoll_create(stack);
	inject(TH_ACK | TH_PUSH, 1, 1, "one", 65535);
	start(&job, call_epoll, conn);
	control(EPOLL_CTL_ADD, EPOLLIN);
	ok(!ustack_sleeping(stack), "epoll: a socket is added while a call waits");
	ustack_advance(stack, MS(700));
	finished(&job);
	ok(job.result == EPOLLIN, "epoll: it is told of");
	control(EPOLL_CTL_MOD, EPOLLPRI);
	start(&job, call_epoll, conn);
	control(EPOLL_CTL_MOD, EPOLLIN);
	ok(!ustack_sleeping(stack), "epoll: other events are asked for while a call waits");
	ustack_advance(stack, MS(700));
	finished(&job);
	ok(job.result == EPOLLIN, "epoll: they are told of");
	ustack_destroy(stack);
}

/* As in Linux, the call holds the set. */
static void test_epoll_close(void)
{
	struct job job, other;

	open_connection(12);
	set = ustack_epoll_create(stack);
	control(EPOLL_CTL_ADD, EPOLLIN);
	start(&job, call_epoll, conn);
	start(&other, call_epoll, conn);
	while (ustack_sleeping(stack) < 2)
		sched_yield();
	ustack_epoll_close(set);
	ok(ustack_sleeping(stack) == 2, "epoll: closed, and two calls sleep on");
	inject(TH_ACK | TH_PUSH, 1, 1, "one", 65535);
	finished(&job);
	finished(&other);
	ok(job.result == EPOLLIN && other.result == EPOLLIN, "epoll: both are told");
	set = ustack_epoll_create(stack);
	control(EPOLL_CTL_ADD, EPOLLPRI);
	start(&job, call_epoll, conn);
	ustack_close(conn);
	ustack_epoll_close(set);
	ustack_advance(stack, MS(700));
	finished(&job);
	ok(job.result == 0, "epoll: all that it waits for is closed: the time is up");
	ustack_destroy(stack);
}

#define WAITS	300

static ssize_t call_waits(struct job *job)
{
	struct epoll_event events[4];
	int good = 0;

	(void)job;
	for (int i = 0; i < WAITS; i++)
		good += ustack_epoll_wait(set, events, 4, MS(1)) >= 0;
	return good;
}

/* Sockets come and go while a thread waits, again and again. */
static void test_epoll_busy(void)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLONESHOT };
	struct ustack_socket *some[8] = { NULL };
	struct job job;
	unsigned int i;

	open_connection(13);
	set = ustack_epoll_create(stack);
	start(&job, call_waits, conn);
	for (i = 0; pthread_tryjoin_np(job.thread, NULL); i++) {
		struct ustack_socket **s = &some[i % 8];

		if (*s)
			ustack_close(*s);
		*s = ustack_socket(stack, AF_INET, SOCK_DGRAM, 0);
		ustack_epoll_ctl(set, EPOLL_CTL_ADD, *s, &event);
		control(i % 2 ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, EPOLLOUT | EPOLLET);
		ustack_advance(stack, i % 3 ? 0 : MS(1));
		sched_yield();
	}
	ok(job.result == WAITS, "epoll: sockets come and go while a call waits");
	ustack_destroy(stack);
}

static ssize_t call_trace(struct job *job)
{
	(void)job;
	return ustack_trace(stack, 0);
}

/* The log of a stack that somebody works on is not taken away meanwhile. */
static void log_ends(void *arg, const char *name, uint64_t value)
{
	static const struct timespec while_ = { .tv_nsec = 20000000 };
	struct job *job = arg;

	(void)name;
	(void)value;
	if (job->call)
		return;
	job->call = call_trace;
	job->result = 1;
	pthread_create(&job->thread, NULL, work, job);
	nanosleep(&while_, NULL);
	ok(job->result == 1, "trace: waits for whoever has the stack");
}

static ssize_t call_borrow(struct job *job)
{
	return ustack_send(job->socket, job->text, sizeof(job->text), MSG_ZEROCOPY);
}

static bool lends(const char *text)
{
	return ustack_send(conn, text, 100, MSG_ZEROCOPY | MSG_DONTWAIT) == 100;
}

static bool tells(unsigned int first, unsigned int last)
{
	struct {
		struct cmsghdr header;
		struct sock_extended_err error;
	} c = { .header = { 0 } };
	struct msghdr m = { .msg_control = &c, .msg_controllen = sizeof(c) };

	return ustack_recvmsg(conn, &m, MSG_ERRQUEUE) == 0 && c.error.ee_info == first &&
	       c.error.ee_data == last;
}

/* An ACK makes some room, not worth to wake a call for, and another one takes that. */
static void test_zerocopy(void)
{
	struct timeval tv = { .tv_usec = 300000 };
	static char text[4096];
	int value = 1, size = 2048;
	struct job job;
	uint32_t queued;

	open_connection(15);
	ustack_setsockopt(conn, SOL_SOCKET, SO_ZEROCOPY, &value, sizeof(value));
	ustack_setsockopt(conn, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	ustack_setsockopt(conn, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	queued = (uint32_t)ustack_send(conn, text, sizeof(text), MSG_DONTWAIT);
	start(&job, call_borrow, conn);
	inject(TH_ACK, 1, 537, "", 65535);
	ok(ustack_sleeping(stack) == 1 && lends(text), "zerocopy: another thread lends");
	ustack_advance(stack, MS(300));
	finished(&job);
	ok(job.result == -1 && job.error == EAGAIN, "zerocopy: this one does not");
	inject(TH_ACK, 1, 1 + queued + 100, "", 65535);
	ok(tells(0, 0) && lends(text), "zerocopy: those that lent are counted");
	inject(TH_ACK, 1, 1 + queued + 200, "", 65535);
	ok(tells(1, 1) && !tells(1, 1), "zerocopy: each has a number of its own");
	ustack_destroy(stack);
}

static void test_trace(void)
{
	struct job job = { .call = NULL };

	open_connection(14);
	ustack_trace(stack, 10);
	ustack_counters(stack, log_ends, &job);
	finished(&job);
	ustack_destroy(stack);
}

/* What a fixed dialogue looks like on the wire. */
static uint64_t dialogue(uint64_t seed)
{
	uint64_t hash = 14695981039346656037u;
	struct segment s;
	ssize_t len;

	open_stack(seed);
	inject(TH_SYN, 0, 0, "", 1000);
	while ((len = collect(&s, NULL)))
		for (ssize_t i = 0; i < len; i++)
			hash = (hash ^ ((uint8_t *)&s)[i]) * 1099511628211u;
	ustack_destroy(stack);
	return hash;
}

int main(void)
{
	plan(0);
	open_stack(7);
	test_accept();
	test_recv();
	test_timeouts();
	test_send();
	test_retransmission();
	test_signal();
	test_close();
	test_end_of_time();
	test_numbers();
	test_link();
	test_shutdown();
	ustack_destroy(stack);
	test_undriven();
	test_lend();
	test_epoll();
	test_epoll_control();
	test_epoll_close();
	test_epoll_busy();
	test_zerocopy();
	test_trace();
	ok(dialogue(1) == dialogue(1) && dialogue(1) != dialogue(2),
	   "the seed decides, and nothing else");
	return finish();
}
