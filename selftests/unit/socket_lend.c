// SPDX-License-Identifier: MIT
/*
 * Sending from and receiving into memory that a stream lends: over pipes, and over
 * an extern link, where the test is the peer and fills the link's memory.
 */
#include "segment.h"
#include "world.h"

#define CHUNK_MAX	65536u	/* never more at a time */

static struct ustack_socket *a, *b;

static void close_both(void)
{
	ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(100));
}

static short ready(struct ustack_socket *s)
{
	struct ustack_pollfd fd = { .socket = s, .events = POLLIN | POLLOUT };

	ustack_pollsockets(s == a ? world.a : world.b, &fd, 1, 0);
	return fd.revents;
}

/* Room for @len bytes, all of them. */
static char *room_for(struct ustack_socket *s, size_t len)
{
	size_t room = len;
	char *to = ustack_reserve(s, &room, 0);

	return room == len ? to : NULL;
}

/* ustack_reserve() fails with @error, and lends nothing. */
static bool no_room(struct ustack_socket *s, size_t len, int flags, int error)
{
	errno = 0;
	return !ustack_reserve(s, &len, flags) && errno == error && !len;
}

static bool text_comes(struct ustack_socket *s, const char *text)
{
	char buffer[64] = "";
	ssize_t n = ustack_recv(s, buffer, sizeof(buffer) - 1, 0);

	return n == (ssize_t)strlen(text) && !memcmp(buffer, text, n);
}

/* One piece, with just this text, is lent. */
static bool shows(struct ustack_socket *s, const char *text)
{
	struct iovec piece[2];

	return ustack_peek(s, piece, 2, 0) == 1 && piece[0].iov_len == strlen(text) &&
	       !memcmp(piece[0].iov_base, text, piece[0].iov_len);
}

/* ------------------------------------------------------------------ sending */

static void test_send(void)
{
	char *room;

	world_pair(SOCK_NONBLOCK, &a, &b);
	room = room_for(a, 100);
	ok(room, "reserve: as much as wished for");
	if (room)
		strcpy(room, "hello");
	fails(ustack_send(a, "x", 1, 0), EBUSY);
	ok(no_room(a, 1, 0, EBUSY), "reserve: one at a time");
	world_run(WORLD_MS(5));
	fails(ustack_recv(b, NULL, 1, 0), EAGAIN);
	fails(ustack_submit(a, 101, 0), EINVAL);
	ok(ustack_submit(a, 5, 0) == 0, "submit: a part of it");
	fails(ustack_submit(a, 0, 0), EINVAL);
	ok(ustack_send(a, " there", 6, 0) == 6, "then send goes on");
	world_run(WORLD_MS(5));
	ok(text_comes(b, "hello there"), "all of it comes, in order");
	room = room_for(a, 10);
	ok(room && ustack_submit(a, 0, 0) == 0, "submit: nothing");
	world_run(WORLD_MS(5));
	fails(ustack_recv(b, NULL, 1, 0), EAGAIN);
	close_both();
}

/* What is acknowledged meanwhile does not take the room away. */
static void test_acknowledged(void)
{
	char *room;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(a, "one", 3, 0);
	room = room_for(a, 3);
	world_run(WORLD_MS(100));
	memcpy(room, "two", 3);
	ok(ustack_submit(a, 3, 0) == 0, "submit: after ACKs");
	world_run(WORLD_MS(100));
	ok(text_comes(b, "onetwo"), "bytes in the order of the calls");
	room = room_for(a, 5);
	world_run(WORLD_MS(15000));
	memcpy(room, "later", 5);
	ok(ustack_submit(a, 5, 0) == 0, "submit: after a long time");
	world_run(WORLD_MS(5));
	ok(text_comes(b, "later"), "and it comes");
	close_both();
}

static void test_more(void)
{
	world_pair(SOCK_NONBLOCK, &a, &b);
	memcpy(room_for(a, 3), "abc", 3);
	ustack_submit(a, 3, MSG_MORE);
	world_run(WORLD_MS(5));
	fails(ustack_recv(b, NULL, 1, 0), EAGAIN);
	memcpy(room_for(a, 3), "def", 3);
	ustack_submit(a, 3, 0);
	world_run(WORLD_MS(5));
	ok(shows(b, "abcdef"), "MSG_MORE: one segment");
	ok(ustack_release(b, 6) == 0, "release: all");
	fails(ustack_release(b, 1), EINVAL);
	close_both();
}

/* Sends until there is no room; gives the bytes. */
static size_t fill(int flags)
{
	size_t room = 50000, sent = 0;
	char *to;

	while ((to = ustack_reserve(a, &room, flags))) {
		memset(to, 'x', room);
		ustack_submit(a, room, 0);
		sent += room;
		room = 50000;
	}
	return sent;
}

static void test_full(void)
{
	const struct timeval tv = { .tv_usec = 50000 };
	size_t room = CHUNK_MAX + 1, sent;
	struct iovec piece;

	world_pair(0, &a, &b);
	ustack_setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	ok(ustack_reserve(a, &room, 0) && room == CHUNK_MAX, "reserve: 65536 at most");
	ustack_submit(a, 0, 0);
	sent = fill(0);
	ok(errno == EAGAIN && sent > 100000, "reserve: SO_SNDTIMEO, %zu bytes", sent);
	sent += fill(MSG_DONTWAIT);
	ok(no_room(a, 1, MSG_DONTWAIT, EAGAIN), "reserve: full");
	ok(!(ready(a) & POLLOUT), "full: not POLLOUT");
	for (int idle = 0; idle < 1000 && sent; idle++) {
		while (ustack_peek(b, &piece, 1, 0) == 1) {
			sent -= piece.iov_len;
			ustack_release(b, piece.iov_len);
			idle = 0;
		}
		world_run(WORLD_MS(1));
	}
	ok(!sent, "all of it comes: release opens the window");
	ok(ready(a) & POLLOUT && room_for(a, 5), "room again");
	close_both();
}

static void test_send_ends(void)
{
	const struct linger now = { .l_onoff = 1 };
	char *room;

	world_pair(SOCK_NONBLOCK, &a, &b);
	room = room_for(a, 2000);
	ustack_shutdown(a, SHUT_WR);
	memset(room, 'x', 2000);
	fails(ustack_submit(a, 2000, 0), EPIPE);
	fails(ustack_submit(a, 2000, 0), EINVAL);
	ok(no_room(a, 1, 0, EPIPE), "reserve: shut down");
	close_both();
	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(a, "sent", 4, 0);
	room = room_for(a, 2000);
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	ustack_close(b);
	world_run(WORLD_MS(5));
	memset(room, 'x', 2000);
	fails(ustack_submit(a, 2000, 0), ECONNRESET);
	ok(no_room(a, 1, 0, EPIPE), "reserve: after the reset");
	ustack_close(a);
}

/* A reset that recv() met when it had some bytes already is for the next call. */
static void test_pending_error(void)
{
	const struct linger now = { .l_onoff = 1 };
	char buffer[10];

	world_pair(0, &a, &b);
	ok(room_for(a, 100) && ustack_send(b, "some", 4, 0) == 4, "room, and bytes");
	world_run(WORLD_MS(20));
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	ustack_close(b);
	ok(ustack_recv(a, buffer, sizeof(buffer), MSG_WAITALL) == 4, "some of them");
	fails(ustack_submit(a, 101, 0), EINVAL);
	fails(ustack_submit(a, 100, 0), ECONNRESET);
	fails(ustack_submit(a, 100, 0), EINVAL);
	ok(no_room(a, 1, 0, EPIPE), "the error was told once");
	ustack_close(a);
}

/* Memory comes back, however a loan ends: 64 times 65536 bytes are all there is. */
static void test_no_leak(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	unsigned int i, good = 0;

	for (i = 0; i < 200; i++) {
		size_t room = CHUNK_MAX;

		world_pair(SOCK_NONBLOCK, &a, &b);
		ustack_send(a, "x", 1, 0);
		good += !!ustack_reserve(a, &room, 0) && room == CHUNK_MAX;
		if (i % 4 == 1)
			ustack_submit(a, 0, 0);
		else if (i % 4 == 2)
			ustack_connect(a, &nobody, sizeof(nobody));
		else if (i % 4 == 3)
			ustack_shutdown(a, SHUT_WR);
		close_both();
	}
	ok(good == 200, "no memory is lost (%u rounds)", good);
}

static void test_closed_loans(void)
{
	static struct ustack_socket *peers[300];
	unsigned int i, good = 0;

	for (i = 0; i < 300; i++) {
		world_pair(SOCK_NONBLOCK, &a, &peers[i]);
		ustack_send(a, "x", 1, 0);
		good += room_for(a, CHUNK_MAX / 4) != NULL;
		ustack_close(a);
		if (i % 100 == 99)
			world_run(WORLD_MS(3000));
	}
	ok(good == 300, "nor while the peer keeps connections open (%u)", good);
	while (i--)
		ustack_close(peers[i]);
	world_run(WORLD_MS(100));
}

/* ---------------------------------------------------------------- receiving */

static void test_peek(void)
{
	static char data[3500];
	struct iovec piece[8], again[8];
	const int one = 1;
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i / 7);
	world_pair(SOCK_NONBLOCK, &a, &b);
	fails(ustack_peek(b, piece, 1, 0), EAGAIN);
	ustack_setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (i = 0; i < sizeof(data); i += 700) {
		ustack_send(a, data + i, 700, 0);
		world_run(WORLD_MS(1));
	}
	ok(ustack_peek(b, piece, 2, 0) == 2 && piece[0].iov_len == 700 &&
	   piece[1].iov_len == 700 && !memcmp(piece[0].iov_base, data, 700) &&
	   !memcmp(piece[1].iov_base, data + 700, 700), "peek: as many pieces as asked for");
	fails(ustack_release(b, 1401), EINVAL);
	ok(ustack_peek(b, again, 8, 0) == 5 && again[0].iov_base == piece[0].iov_base,
	   "peek: the same again, and more");
	ok(ustack_release(b, 800) == 0 && !memcmp(piece[1].iov_base, data + 700, 700),
	   "release: a piece and a part of the next");
	ok(ustack_peek(b, again, 8, 0) == 4 && again[0].iov_len == 600 &&
	   again[0].iov_base == (char *)piece[1].iov_base + 100, "peek: the rest stays");
	ok(ustack_recv(b, data, 650, 0) == 650, "recv: what is lent, too");
	fails(ustack_release(b, 2051), EINVAL);
	ok(ustack_release(b, 2050) == 0, "release: what nobody took");
	fails(ustack_release(b, 1), EINVAL);
	ok(ustack_release(b, 0) == 0, "release: nothing");
	fails(ustack_peek(b, piece, 1, 0), EAGAIN);
	ustack_shutdown(a, SHUT_WR);
	world_run(WORLD_MS(5));
	ok(ustack_peek(b, piece, 1, 0) == 0, "peek: end of the stream");
	close_both();
}

/* More is read than was lent, out of the same packet. */
static void test_read_past(void)
{
	static char data[1400];
	struct iovec piece;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(b, "abc", 3, 0);
	world_run(WORLD_MS(2));
	ok(ustack_peek(a, &piece, 1, 0) == 1 && piece.iov_len == 3, "three bytes are lent");
	ustack_send(b, "defgh", 5, 0);
	world_run(WORLD_MS(2));
	ok(ustack_recv(a, data, 5, 0) == 5 && !memcmp(data, "abcde", 5), "and five read");
	fails(ustack_release(a, 1), EINVAL);
	ok(shows(a, "fgh"), "the others stay");
	close_both();
}

static void test_blocking(void)
{
	const struct timeval tv = { .tv_usec = 50000 };
	struct iovec piece;

	world_pair(0, &a, &b);
	ustack_send(b, "x", 1, 0);
	ok(ustack_peek(a, &piece, 1, 0) == 1 && piece.iov_len == 1, "peek waits");
	ustack_release(a, 1);
	fails(ustack_peek(a, &piece, 1, MSG_DONTWAIT), EAGAIN);
	ustack_setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	fails(ustack_peek(a, &piece, 1, 0), EAGAIN);
	close_both();
}

/* What came before a reset can be read, in place, too. */
static void test_reset(void)
{
	const struct linger now = { .l_onoff = 1 };
	static char data[3000];
	struct iovec piece[8];

	memset(data, 'x', sizeof(data));
	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(b, data, sizeof(data), 0);
	world_run(WORLD_MS(5));
	ok(ustack_peek(a, piece, 8, 0) == 3, "three segments are lent");
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	ustack_close(b);
	world_run(WORLD_MS(5000));
	ok(!memcmp(piece[0].iov_base, data, piece[0].iov_len) &&
	   !memcmp(piece[2].iov_base, data, piece[2].iov_len), "and stay after a reset");
	ok(ustack_release(a, sizeof(data)) == 0, "and are released");
	fails(ustack_peek(a, piece, 1, 0), ECONNRESET);
	ok(ustack_peek(a, piece, 1, 0) == 0, "then it is the end");
	ustack_close(a);
	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(b, data, sizeof(data), 0);
	world_run(WORLD_MS(5));
	ok(ustack_peek(a, piece, 8, 0) == 3, "lent once more");
	ustack_close(a);
	world_run(WORLD_MS(5));
	fails(ustack_recv(b, data, 1, 0), ECONNRESET);
	ustack_close(b);
}

/* connect() tells of a reset that came before anybody saw the connection open, and lets
 * go of it; not once the connection lends.
 */
static void test_connecting(void)
{
	const struct linger now = { .l_onoff = 1 };
	union world_name peer = world_name("10.0.0.2", 7);
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 7);
	struct iovec piece;
	int how;

	for (how = 0; how < 3; how++) {
		char *room = NULL;

		a = world_connect(world.a, "10.0.0.2", 7, SOCK_STREAM | SOCK_NONBLOCK);
		world_run(WORLD_MS(20));
		b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		ustack_send(b, "read", 4, 0);
		world_run(WORLD_MS(5));
		if (how == 1)
			room = room_for(a, 4);
		ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		ustack_close(b);
		world_run(WORLD_MS(5));
		if (how == 2)
			ok(ustack_peek(a, &piece, 1, 0) == 1, "bytes that came before the reset");
		errno = 0;
		ok(ustack_connect(a, &peer.sa, world_length(&peer)) == -1 &&
		   errno == (how ? EISCONN : ECONNRESET), "connect: %s is lent",
		   (const char *[]){ "nothing", "room", "what came" }[how]);
		if (room)
			fails(ustack_submit(a, 4, 0), ECONNRESET);
		if (how == 2)
			ok(ustack_release(a, 4) == 0, "and can be released");
		ustack_close(a);
	}
	ustack_close(listener);
}

static void test_urgent(void)
{
	const int one = 1;
	char byte;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(b, "ab", 2, 0);
	ustack_send(b, "c", 1, MSG_OOB);
	world_run(WORLD_MS(5));
	ok(shows(a, "ab"), "peek: up to the mark");
	ok(ustack_release(a, 2) == 0, "release: up to the mark");
	fails(ustack_peek(a, &(struct iovec){ 0 }, 1, 0), EAGAIN);
	ustack_send(b, "de", 2, 0);
	world_run(WORLD_MS(5));
	ok(shows(a, "de"), "peek: the urgent byte is passed over");
	ok(ustack_recv(a, &byte, 1, MSG_OOB) == 1 && byte == 'c', "it can still be had");
	ustack_setsockopt(a, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	ok(ustack_release(a, 1) == 0 && shows(a, "e"), "release: what was shown");
	ustack_release(a, 1);
	ustack_send(b, "f", 1, MSG_OOB);
	ustack_send(b, "gh", 2, 0);
	world_run(WORLD_MS(5));
	ok(shows(a, "fgh"), "SO_OOBINLINE: a byte as any other");
	close_both();
}

/* Another urgent byte comes while bytes behind the first are lent. */
static void test_urgent_again(void)
{
	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_send(b, "1", 1, MSG_OOB);
	ustack_send(b, "ab", 2, 0);
	world_run(WORLD_MS(5));
	ok(shows(a, "ab"), "behind the mark");
	ustack_send(b, "2", 1, MSG_OOB);
	world_run(WORLD_MS(5));
	ok(ustack_release(a, 1) == 0 && shows(a, "b"), "a new mark: the loan is as it was");
	close_both();
}

/* Packets on their way take more than half of the link's memory: those that are held
 * are copied out, but for those that are lent.
 */
static void test_pressure(void)
{
	static char data[12000];
	struct iovec lent[2], piece[16];
	const int one = 1;
	size_t i;
	int n;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i / 7);
	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_setsockopt(b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (i = 0; i < 6; i++)
		ustack_send(b, data + i * 1000, 1000, 0);
	world_run(WORLD_MS(20));
	ok(ustack_peek(a, lent, 2, 0) == 2, "two packets of six are lent");
	for (; i < 12; i++)
		ustack_send(b, data + i * 1000, 1000, 0);
	world_run(WORLD_MS(1));
	n = ustack_peek(a, piece, 16, 0);
	ok(n > 2 && n < 6, "pressure: four are moved, into %d", n - 2);
	ok(piece[0].iov_base == lent[0].iov_base &&
	   piece[1].iov_base == lent[1].iov_base, "what is lent stays where it was");
	world_run(WORLD_MS(20));
	ok(!memcmp(lent[0].iov_base, data, 1000) &&
	   !memcmp(lent[1].iov_base, data + 1000, 1000), "as it was");
	for (i = 0; (n = ustack_peek(a, piece, 1, 0)) == 1; i += piece[0].iov_len) {
		if (memcmp(piece[0].iov_base, data + i, piece[0].iov_len))
			break;
		ustack_release(a, piece[0].iov_len);
	}
	ok(n == -1 && i == sizeof(data), "and all of it is right");
	close_both();
}

/* ------------------------------------------------------------------- errors */

static void test_errors(void)
{
	struct ustack_socket *s = ustack_socket(world.a, AF_INET, SOCK_STREAM, 0);
	struct iovec piece;

	ok(no_room(s, 1, 0, EPIPE), "reserve: not connected");
	fails(ustack_submit(s, 0, 0), EINVAL);
	fails(ustack_peek(s, &piece, 1, 0), ENOTCONN);
	fails(ustack_release(s, 1), EINVAL);
	ustack_close(s);
	s = world_connect(world.a, "10.0.0.2", 9, SOCK_STREAM | SOCK_NONBLOCK);
	ok(no_room(s, 1, 0, EAGAIN), "reserve: connecting");
	fails(ustack_peek(s, &piece, 1, 0), EAGAIN);
	world_run(WORLD_MS(5));
	ok(no_room(s, 1, 0, ECONNREFUSED), "reserve: refused");
	ustack_close(s);
	world_pair(SOCK_NONBLOCK, &a, &b);
	ok(no_room(a, 0, 0, EINVAL), "reserve: nothing");
	ok(no_room(a, 1, MSG_OOB, EINVAL), "reserve: flags");
	fails(ustack_submit(a, 0, 0), EINVAL);
	ok(room_for(a, 1), "room");
	fails(ustack_submit(a, 1, MSG_PEEK), EINVAL);
	fails(ustack_peek(a, &piece, 0, 0), EINVAL);
	fails(ustack_peek(a, &piece, 1, MSG_WAITALL), EINVAL);
	close_both();
}

/* ------------------------------------------------------------------- streams */

#define STREAM	4000000u

static uint32_t state;

static uint32_t below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)state * bound >> 32);
}

static char byte_at(uint32_t at)
{
	return (char)(at * 2654435761u >> 24);
}

/* Sends from a copy or in place; gives the bytes that went. */
static uint32_t some_out(uint32_t at)
{
	static char copy[20000];
	uint32_t wish = 1 + below(below(4) ? 3000 : sizeof(copy)), i;
	size_t room = wish;
	char *to = below(3) ? ustack_reserve(a, &room, 0) : NULL;
	ssize_t n;

	for (i = 0; to && i < room; i++)
		to[i] = byte_at(at + i);
	if (to) {
		wish = below(8) ? (uint32_t)room : below((uint32_t)room + 1);
		if (!below(4))
			world_run(WORLD_STEP);
		return ustack_submit(a, wish, below(2) ? MSG_MORE : 0) ? 0 : wish;
	}
	for (i = 0; i < wish; i++)
		copy[i] = byte_at(at + i);
	n = ustack_send(a, copy, wish, 0);
	return n > 0 ? (uint32_t)n : 0;
}

static bool right(const char *data, size_t len, uint32_t at)
{
	size_t i;

	for (i = 0; i < len && data[i] == byte_at(at + (uint32_t)i); i++)
		;
	return i == len;
}

/* Receives in place or not; false if a byte is wrong. */
static bool some_in(uint32_t *at)
{
	struct iovec piece[5];
	static char copy[20000];
	int i, n = below(3) ? ustack_peek(b, piece, 1 + (int)below(5), 0) : 0;
	uint32_t bytes = 0;
	ssize_t got;

	for (i = 0; i < n; i++) {
		if (!below(4))
			world_run(WORLD_STEP);
		if (!right(piece[i].iov_base, piece[i].iov_len, *at + bytes))
			return false;
		bytes += (uint32_t)piece[i].iov_len;
	}
	if (n > 0) {
		bytes = below(3) ? bytes : below(bytes + 1);
		*at += bytes;
		return ustack_release(b, bytes) == 0;
	}
	got = ustack_recv(b, copy, 1 + below(sizeof(copy)), 0);
	if (got > 0 && !right(copy, (size_t)got, *at))
		return false;
	*at += got > 0 ? (uint32_t)got : 0;
	return true;
}

static void test_stream(const char *path, uint32_t seed)
{
	uint32_t out = 0, in = 0, round;
	bool good = true;

	state = seed;
	world_pair(SOCK_NONBLOCK, &a, &b);
	for (round = 0; good && (out < STREAM || in < out) && round < 1000000; round++) {
		if (out < STREAM)
			out += some_out(out);
		if (!below(3) || out >= STREAM)
			world_run(WORLD_STEP * (1 + below(3)));
		good = some_in(&in);
	}
	ok(good && in == out, "a stream of calls of all kinds, %s: %u of %u bytes", path,
	   in, out);
	close_both();
}

/* ----------------------------------------------------- a link without a stack */

#define SERVER		"192.0.2.1"
#define PEER		"192.0.2.2"
#define PORT		7
#define PEER_PORT	1025
#define PEER_ISN	(UINT32_MAX - 2500)	/* numbers wrap in between */
#define SEGMENT		1000

static struct ustack *stack;
static struct ustack_link *link_;
static uint32_t isn;
static int window;		/* of the last packet that the stack sent */

static void collect(void)
{
	struct segment s;

	while (ustack_link_collect(link_, &s, sizeof(s), NULL) > 0) {
		if (s.tcp.th_flags & TH_SYN)
			isn = ntohl(s.tcp.seq);
		window = ntohs(s.tcp.window);
	}
}

static void inject(uint8_t flags, uint32_t seq, const char *text)
{
	struct segment s;
	size_t len = segment_make(&s, PEER, PEER_PORT, SERVER, PORT, flags,
				  PEER_ISN + seq, isn + 1, 1000, text);

	ustack_link_inject(link_, &s, len);
	collect();
}

/* Segment @number of the stream, all of one letter. */
static void inject_letters(unsigned int number)
{
	char text[SEGMENT + 1] = "";

	memset(text, 'a' + (int)number, SEGMENT);
	inject(TH_ACK, 1 + number * SEGMENT, text);
}

static bool open_stack(void)
{
	const struct ustack_config config = { .driven = true, .seed = 1 };
	union world_name name = world_name(SERVER, PORT);
	const int size = 12 * SEGMENT;
	struct ustack_socket *listener;

	if (ustack_create(&config, &stack) ||
	    ustack_link_open(stack, "extern:depth=8", &link_) ||
	    ustack_address_add(stack, link_, &name.sa, 24))
		return false;
	listener = ustack_socket(stack, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ustack_setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	ustack_bind(listener, &name.sa, sizeof(name.v4));
	ustack_listen(listener, 1);
	inject(TH_SYN, 0, "");
	inject(TH_ACK, 1, "");
	a = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	return a;
}

/* All bytes of the pieces are of their segments: from @first on. */
static bool letters(const struct iovec *piece, int count, int first)
{
	int i, at = 0;
	size_t k;

	for (i = 0; i < count; i++)
		for (k = 0; k < piece[i].iov_len; k++, at++)
			if (((const char *)piece[i].iov_base)[k] !=
			    'a' + first + at / SEGMENT)
				return false;
	return at > 0;
}

static void test_window(void)
{
	struct iovec lent[2], piece[16];
	unsigned int i;
	int n;

	if (!ok(open_stack(), "a peer of our own"))
		return;
	for (i = 0; i < 2; i++)
		inject_letters(i);
	ok(ustack_peek(a, lent, 2, 0) == 2 && letters(lent, 2, 0), "two packets are lent");
	for (; i < 12; i++)
		inject_letters(i);
	ok(window == 0, "the window is closed, the link is not");
	n = ustack_peek(a, piece, 16, 0);
	ok(n > 2 && piece[0].iov_base == lent[0].iov_base &&
	   piece[1].iov_base == lent[1].iov_base && letters(piece, n, 0),
	   "what is lent stays, in front of the rest");
	ok(ustack_release(a, 12 * SEGMENT) == 0, "release: all");
	ustack_poll(stack);
	collect();
	ok(window == 12 * SEGMENT, "the window opens");
	inject_letters(i);
	ok(ustack_peek(a, lent, 2, 0) == 1 && letters(lent, 1, 12), "more comes");
	ustack_destroy(stack);
}

/* Those that are read later hold what they lent; nothing is left behind. */
static void test_destroy(void)
{
	struct iovec lent;

	if (!ok(open_stack(), "once more"))
		return;
	inject_letters(0);
	ok(ustack_peek(a, &lent, 1, 0) == 1 && room_for(a, 100), "both are lent");
	ustack_destroy(stack);
}

int main(void)
{
	plan(0);
	world_create("");
	test_send();
	test_acknowledged();
	test_more();
	test_full();
	test_send_ends();
	test_pending_error();
	test_no_leak();
	test_closed_loans();
	test_peek();
	test_read_past();
	test_blocking();
	test_reset();
	test_connecting();
	test_urgent();
	test_urgent_again();
	test_errors();
	test_stream("by a pipe", 1);
	world_destroy();
	world_create("gso=1");
	test_stream("super-segments", 2);
	world_destroy();
	world_create("loss=2,reorder=2,duplicate=1,delay=1,rate=1000000000,seed=5");
	test_stream("losses", 3);
	world_destroy();
	world_create("frames=16,delay=5");
	test_pressure();
	test_stream("little memory of the link", 4);
	world_destroy();
	test_window();
	test_destroy();
	return finish();
}
