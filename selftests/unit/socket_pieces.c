// SPDX-License-Identifier: MIT
/*
 * sendmsg(2) and its kin on streams.  What can be asked of the kernel's sockets, too, is: a
 * pair of them over lo and a pair of this stack's are told to do the same, and what they
 * answer is compared.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

#include "link/link.h"
#include "world.h"

/**
 * struct pair - two sockets that are connected to each other; neither waits
 * @kernel: they are the kernel's.
 * @a: this stack's: A's.
 * @b: B's.
 * @fd: the kernel's.
 * @said: what they answered.
 */
struct pair {
	bool kernel;
	struct ustack_socket *a;
	struct ustack_socket *b;
	int fd[2];
	char said[2000];
};

static struct ustack_socket *a, *b;
static char bytes[1 << 20], got[1 << 20];

static void say(struct pair *p, const char *format, ...)
{
	size_t len = strlen(p->said);
	va_list list;

	va_start(list, format);
	vsnprintf(p->said + len, sizeof(p->said) - len, format, list);
	va_end(list);
}

/* A call's result. */
static void result(struct pair *p, const char *name, ssize_t n)
{
	say(p, " %s: %zd", name, n);
	if (n < 0)
		say(p, " %s", strerrorname_np(errno));
}

static void settle(struct pair *p)
{
	if (p->kernel)
		usleep(2000);
	else
		world_run(WORLD_MS(2));
}

static void sends(struct pair *p, const struct msghdr *m, int flags)
{
	result(p, "sendmsg", p->kernel ? sendmsg(p->fd[0], m, flags | MSG_NOSIGNAL) :
					 ustack_sendmsg(p->a, m, flags));
	settle(p);
}

static ssize_t recvmsg_of(struct pair *p, struct msghdr *m, int flags)
{
	return p->kernel ? recvmsg(p->fd[1], m, flags) : ustack_recvmsg(p->b, m, flags);
}

/* Into pieces of 2, 0, 3 and 4 bytes. */
static void receives(struct pair *p, int flags)
{
	char text[10] = "---------", control[64];
	union world_name name;
	struct iovec pieces[] = { { text, 2 }, { NULL, 0 }, { text + 2, 3 }, { text + 5, 4 } };
	struct msghdr m = {
		.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = pieces,
		.msg_iovlen = 4, .msg_control = control, .msg_controllen = sizeof(control),
		.msg_flags = 0x55,
	};

	result(p, "recvmsg", recvmsg_of(p, &m, flags));
	say(p, " \"%s\" %u %zu %#x", text, m.msg_namelen, m.msg_controllen, m.msg_flags);
}

#define TEXT	{ { "abc", 3 }, { NULL, 0 }, { "de", 2 }, { "fgh", 3 } }

static void in_pieces(struct pair *p)
{
	union world_name other = world_name("192.0.2.1", 9);
	struct iovec pieces[] = TEXT;
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 4 };

	receives(p, 0);
	sends(p, &m, 0);
	receives(p, MSG_PEEK);
	receives(p, MSG_WAITALL);
	m.msg_name = &other;
	m.msg_namelen = sizeof(other.v4);
	sends(p, &m, 0);
	receives(p, MSG_PEEK | MSG_TRUNC);
	receives(p, MSG_TRUNC);
	receives(p, MSG_TRUNC);
	receives(p, MSG_ERRQUEUE);
	sends(p, &m, 0);
	sends(p, &m, 0);
	receives(p, 0);
	receives(p, 0);
}

/* By recv(2), which throws it away. */
static void discards_urgent(struct pair *p)
{
	int flags = MSG_OOB | MSG_PEEK | MSG_TRUNC;
	char byte = '-';

	result(p, "recv", p->kernel ? recv(p->fd[1], &byte, 1, flags) :
				      ustack_recv(p->b, &byte, 1, flags));
	say(p, " '%c'", byte);
}

static void urgent(struct pair *p)
{
	struct iovec pieces[] = TEXT;
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 4 };
	struct msghdr none = { .msg_iov = pieces, .msg_iovlen = 0 };

	receives(p, MSG_OOB);
	m.msg_iovlen = 3;
	sends(p, &m, MSG_OOB);
	sends(p, &m, 0);
	receives(p, MSG_OOB | MSG_PEEK);
	receives(p, MSG_OOB | MSG_PEEK | MSG_TRUNC);
	discards_urgent(p);
	result(p, "no room", recvmsg_of(p, &none, MSG_OOB | MSG_PEEK));
	say(p, " %#x", none.msg_flags);
	receives(p, MSG_OOB);
	receives(p, MSG_OOB);
	receives(p, MSG_PEEK);
	receives(p, 0);
	receives(p, MSG_PEEK);
	receives(p, 0);
	receives(p, 0);
}

/* The mark is where a piece ends. */
static void at_mark(struct pair *p)
{
	struct iovec pieces[] = { { "abc", 3 }, { "de", 2 }, { "U", 1 } };
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 3 };

	sends(p, &m, MSG_OOB);
	sends(p, &m, 0);
	receives(p, 0);
	receives(p, MSG_WAITALL);
	sends(p, &m, MSG_OOB);
	receives(p, 0);
	receives(p, 0);
	receives(p, MSG_OOB);
}

static void control(struct pair *p, int level, int type, size_t length)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} c;
	struct iovec pieces[] = TEXT;
	struct msghdr m = {
		.msg_iov = pieces, .msg_iovlen = 4, .msg_control = &c,
		.msg_controllen = sizeof(c),
	};

	memset(&c, 0, sizeof(c));
	c.header.cmsg_level = level;
	c.header.cmsg_type = type;
	c.header.cmsg_len = length;
	sends(p, &m, 0);
	m.msg_iovlen = 1;
	sends(p, &m, 0);
	m.msg_controllen = 0;
	sends(p, &m, 0);
}

static void controls(struct pair *p)
{
	control(p, SOL_SOCKET, 77, CMSG_LEN(sizeof(int)));
	control(p, SOL_SOCKET, SCM_CREDENTIALS, CMSG_LEN(sizeof(int)));
	control(p, IPPROTO_TCP, 77, CMSG_LEN(sizeof(int)));
	control(p, IPPROTO_TCP, 77, CMSG_LEN(sizeof(int)) + 1);
	control(p, IPPROTO_TCP, 77, CMSG_LEN(0) - 1);
}

static void lengths(struct pair *p)
{
	struct iovec many[1025] = { { NULL, 0 } };
	struct msghdr m = { .msg_iov = many, .msg_iovlen = 1025 };

	sends(p, &m, 0);
	result(p, "recvmsg", recvmsg_of(p, &m, 0));
	m.msg_iovlen = 1024;
	sends(p, &m, 0);
	many[1023] = (struct iovec){ bytes, 5 };
	sends(p, &m, 0);
	many[1023].iov_base = got;
	m.msg_namelen = 7;
	result(p, "recvmsg", recvmsg_of(p, &m, 0));
	say(p, " %u", m.msg_namelen);
	m.msg_namelen = 0;
	many[1022].iov_len = (size_t)SSIZE_MAX + 1;
	sends(p, &m, 0);
	result(p, "recvmsg", recvmsg_of(p, &m, 0));
	many[1022].iov_len = 0;
	m.msg_iovlen = 2;
	result(p, "no room", recvmsg_of(p, &m, 0));
	m.msg_iovlen = 0;
	sends(p, &m, 0);
	m.msg_iov = NULL;
	sends(p, &m, 0);
	result(p, "no room", recvmsg_of(p, &m, 0));
	receives(p, 0);
}

static void fill(struct mmsghdr messages[3], struct iovec *pieces, size_t count)
{
	for (size_t i = 0; i < 3; i++)
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = pieces + count * i,
							     .msg_iovlen = count } };
}

static void send_many(struct pair *p, int flags)
{
	struct iovec pieces[] = { { "ab", 2 }, { "c", 1 }, { "de", 2 }, { "f", 1 },
				  { "gh", 2 }, { "i", 1 } };
	struct mmsghdr messages[3];

	fill(messages, pieces, 2);
	result(p, "sendmmsg", p->kernel ?
	       sendmmsg(p->fd[0], messages, 3, flags | MSG_NOSIGNAL) :
	       ustack_sendmmsg(p->a, messages, 3, flags));
	say(p, " %u %u %u", messages[0].msg_len, messages[1].msg_len, messages[2].msg_len);
	settle(p);
}

static void receive_many(struct pair *p, int flags)
{
	char text[13] = "------------";
	struct iovec pieces[] = { { text, 1 }, { text + 1, 3 }, { text + 4, 3 },
				  { text + 7, 1 }, { text + 8, 3 }, { text + 11, 1 } };
	struct mmsghdr messages[3];

	fill(messages, pieces, 2);
	result(p, "recvmmsg", p->kernel ? recvmmsg(p->fd[1], messages, 3, flags, NULL) :
					  ustack_recvmmsg(p->b, messages, 3, flags));
	say(p, " %u %u %u \"%s\"", messages[0].msg_len, messages[1].msg_len,
	    messages[2].msg_len, text);
}

static void many(struct pair *p)
{
	send_many(p, 0);
	receive_many(p, 0);
	receive_many(p, MSG_WAITFORONE);
	send_many(p, MSG_OOB);
	receive_many(p, MSG_OOB);
	receive_many(p, 0);
	receive_many(p, 0);
}

/* The error comes first, whatever came before it. */
static void many_and_reset(struct pair *p)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	send_many(p, 0);
	result(p, "connect", p->kernel ? connect(p->fd[0], &nobody, sizeof(nobody)) :
					 ustack_connect(p->a, &nobody, sizeof(nobody)));
	settle(p);
	receive_many(p, MSG_ERRQUEUE);
	receive_many(p, 0);
	receive_many(p, 0);
	receive_many(p, 0);
}

static void ends(struct pair *p)
{
	struct iovec pieces[] = TEXT;
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 4 };

	sends(p, &m, 0);
	result(p, "shutdown", p->kernel ? shutdown(p->fd[0], SHUT_WR) :
					  ustack_shutdown(p->a, SHUT_WR));
	sends(p, &m, 0);
	control(p, SOL_SOCKET, 77, CMSG_LEN(sizeof(int)));
	send_many(p, 0);
	receives(p, 0);
	receives(p, MSG_WAITALL);
	receives(p, MSG_OOB);
	receive_many(p, 0);
}

static void sets(struct pair *p, int level, int name, int value)
{
	socklen_t length = sizeof(value);

	result(p, "setsockopt", p->kernel ? setsockopt(p->fd[1], level, name, &value, length) :
					    ustack_setsockopt(p->b, level, name, &value, length));
	value = -1;
	result(p, "getsockopt", p->kernel ? getsockopt(p->fd[1], level, name, &value, &length) :
					    ustack_getsockopt(p->b, level, name, &value, &length));
	say(p, " %d", value);
}

/* With so much room for control messages. */
static void receives_inq(struct pair *p, size_t length, int flags, size_t room)
{
	union {
		struct cmsghdr header;
		char room[64];
	} c;
	struct iovec piece = { got, length };
	struct msghdr m = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = room ? &c : NULL,
		.msg_controllen = room, .msg_flags = 0x55,
	};
	int value;

	memset(&c, 0, sizeof(c));
	result(p, "recvmsg", recvmsg_of(p, &m, flags));
	memcpy(&value, CMSG_DATA(&c.header), sizeof(value));
	say(p, " %zu %#x, %zu %d %d: %d", m.msg_controllen, m.msg_flags, c.header.cmsg_len,
	    c.header.cmsg_level, c.header.cmsg_type, value);
}

static void inq(struct pair *p)
{
	struct iovec pieces[] = TEXT;
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 4 };

	sets(p, IPPROTO_TCP, TCP_INQ, 2);
	sets(p, IPPROTO_TCP, TCP_INQ, -1);
	sets(p, IPPROTO_TCP, TCP_INQ, 1);
	receives_inq(p, 10, 0, 64);
	for (int i = 0; i < 3; i++)
		sends(p, &m, i == 1 ? MSG_OOB : 0);
	for (size_t room = CMSG_SPACE(sizeof(int)) + 1; room >= CMSG_LEN(0) - 1; room--)
		receives_inq(p, 3, MSG_PEEK, room);
	receives_inq(p, 3, MSG_PEEK, 0);
	receives_inq(p, 3, MSG_OOB | MSG_PEEK, 64);
	for (int i = 0; i < 5; i++)
		receives_inq(p, 5, 0, 64);
	sends(p, &m, 0);
	receives_inq(p, 3, MSG_TRUNC, 64);
	result(p, "shutdown", p->kernel ? shutdown(p->fd[0], SHUT_WR) :
					  ustack_shutdown(p->a, SHUT_WR));
	settle(p);
	receives_inq(p, 3, 0, 64);
	receives_inq(p, 10, MSG_PEEK, 64);
	for (int i = 0; i < 3; i++)
		receives_inq(p, 10, 0, 64);
	sets(p, IPPROTO_TCP, TCP_INQ, 0);
	receives_inq(p, 10, 0, 64);
}

/* Of SO_RCVLOWAT only what does not depend on how large the buffers are. */
static void lowat(struct pair *p)
{
	static const int values[] = { 0, 1, 1000 };
	struct iovec pieces[] = TEXT;
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 4 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		sets(p, SOL_SOCKET, SO_RCVLOWAT, values[i]);
	sends(p, &m, 0);
	receives(p, MSG_PEEK);
	receives(p, MSG_WAITALL);
	receives(p, 0);
}

static void quickack(struct pair *p)
{
	static const int values[] = { 0, 1, 0, 2, -1 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		sets(p, IPPROTO_TCP, TCP_QUICKACK, values[i]);
}

static void defer_accept(struct pair *p)
{
	static const int values[] = { 0, 1, 2, 3, 4, 100, 127, 128, 1000000, -1 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		sets(p, IPPROTO_TCP, TCP_DEFER_ACCEPT, values[i]);
}

static void not_connected(struct pair *p)
{
	struct pair fresh = { .kernel = p->kernel };

	fresh.fd[0] = fresh.fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	fresh.a = fresh.b = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	control(&fresh, SOL_SOCKET, 77, CMSG_LEN(sizeof(int)));
	receives(&fresh, 0);
	send_many(&fresh, 0);
	receive_many(&fresh, 0);
	say(p, "%s", fresh.said);
	close(fresh.fd[0]);
	ustack_close(fresh.a);
}

static void connect_kernel(int fd[2])
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), flags = SOCK_STREAM;
	union world_name name = world_name("127.0.0.1", 0);
	socklen_t length = sizeof(name.v4);

	fd[0] = socket(AF_INET, flags, 0);
	if (bind(listener, &name.sa, length) || listen(listener, 1) ||
	    getsockname(listener, &name.sa, &length) || connect(fd[0], &name.sa, length))
		world_check(-errno, NULL, "a pair of the kernel's sockets");
	fd[1] = accept(listener, NULL, NULL);
	for (int i = 0; i < 2; i++)
		fcntl(fd[i], F_SETFL, O_NONBLOCK);
	close(listener);
}

static void close_both(void)
{
	ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(100));
}

static void same(const char *name, void (*talk)(struct pair *p))
{
	struct pair kernel = { .kernel = true }, own = { .kernel = false };

	connect_kernel(kernel.fd);
	world_pair(SOCK_NONBLOCK, &a, &b);
	own.a = a;
	own.b = b;
	talk(&kernel);
	talk(&own);
	if (!ok(!strcmp(kernel.said, own.said), "as the kernel's: %s", name))
		printf("# the kernel:%s\n# this stack:%s\n", kernel.said, own.said);
	close_both();
	close(kernel.fd[0]);
	close(kernel.fd[1]);
}

/* ------------------------------------------------------------ this stack's alone */

static void set(struct ustack_socket *s, int level, int name, int value)
{
	ustack_setsockopt(s, level, name, &value, sizeof(value));
}

static void timeout(struct ustack_socket *s, int name, long ms)
{
	struct timeval tv = { .tv_usec = ms * 1000 };

	ustack_setsockopt(s, SOL_SOCKET, name, &tv, sizeof(tv));
}

/* Packets that A's link was given so far. */
static uint64_t packets(void)
{
	struct us_stack *stack = (struct us_stack *)world.a;

	return cds_list_first_entry(&stack->links, struct us_link, node)->stats.tx_packets;
}

/* @count pieces of @size bytes, of which the first three are short, at @at. */
static struct msghdr cut(struct iovec *pieces, size_t count, size_t size, char *at)
{
	for (size_t i = 0; i < count; i++) {
		pieces[i] = (struct iovec){ at, i < 3 ? 20 : size };
		at += pieces[i].iov_len;
	}
	return (struct msghdr){ .msg_iov = pieces, .msg_iovlen = count };
}

static size_t length_of(const struct msghdr *m)
{
	size_t len = 0;

	for (size_t i = 0; i < m->msg_iovlen; i++)
		len += m->msg_iov[i].iov_len;
	return len;
}

/* Whether B hears @len bytes as sent, and no more, within 5 ms. */
static bool comes(size_t len)
{
	world_run(WORLD_MS(5));
	return ustack_recv(b, got, sizeof(got), 0) == (ssize_t)len && !memcmp(got, bytes, len);
}

/* Packets that leave at once for the message, or for its bytes in one piece; without flags
 * B hears it.
 */
static uint64_t leave(const struct msghdr *m, int flags, bool whole)
{
	size_t len = length_of(m);
	uint64_t before = packets();
	ssize_t n = whole ? ustack_send(a, bytes, len, flags) : ustack_sendmsg(a, m, flags);
	uint64_t sent = packets() - before;

	return n == (ssize_t)len && (flags || comes(len)) ? sent : UINT64_MAX;
}

static uint64_t leave_later(void)
{
	world_run(WORLD_MS(2));
	return packets();
}

static void test_segments(size_t count, size_t size)
{
	struct iovec pieces[16];
	struct msghdr m = cut(pieces, count, size, bytes);
	uint64_t whole = 0, before;

	world_pair(SOCK_NONBLOCK, &a, &b);
	set(a, IPPROTO_TCP, TCP_NODELAY, 1);
	world.frozen = true;
	for (int i = 0; i < 5; i++)	/* until the window has grown */
		whole = leave(&m, 0, true);
	ok(whole && leave(&m, 0, false) == whole, "%zu pieces, in as few segments (%d)", count, (int)whole);
	before = packets();
	ok(!leave(&m, MSG_MORE, false) && 
	   leave_later() == before + whole - 1, "MSG_MORE: the last one stays");
	world_run(WORLD_MS(300));
	ok(comes(length_of(&m)), "for a while");
	ok(!leave(&m, USTACK_MSG_BATCH, false), "USTACK_MSG_BATCH: none leaves");
	ok(comes(length_of(&m)), "but with the next call");
	world.frozen = false;
	close_both();
}

/* What did not fit holds nothing back, as MSG_MORE would. */
static void test_part(void)
{
	struct iovec pieces[16];
	struct msghdr m = cut(pieces, 16, 1000, bytes);
	ssize_t n;

	world_pair(SOCK_NONBLOCK, &a, &b);
	set(a, IPPROTO_TCP, TCP_NODELAY, 1);
	set(a, SOL_SOCKET, SO_SNDBUF, 1000);
	n = ustack_sendmsg(a, &m, 0);
	ok(n > 1000 && n < (ssize_t)length_of(&m) && comes((size_t)n), "a part (%zd)", n);
	close_both();
}

/* One that was sent in part is the last, even if there is room for the next: it is empty. */
static void test_many_part(void)
{
	struct iovec pieces[16];
	struct mmsghdr messages[3] = { 0 };
	ssize_t room;
	int sent;

	world_pair(SOCK_NONBLOCK, &a, &b);
	set(a, IPPROTO_TCP, TCP_NODELAY, 1);
	set(a, SOL_SOCKET, SO_SNDBUF, 1000);
	world.frozen = true;
	messages[1].msg_hdr = cut(pieces, 16, 1000, bytes);
	messages[0].msg_hdr = (struct msghdr){ .msg_iov = pieces, .msg_iovlen = 1 };
	sent = ustack_sendmmsg(a, messages, 3, 0);
	room = messages[1].msg_len;
	ok(sent == 2 && messages[0].msg_len == 20 && room > 0 && room < 13060, "sendmmsg: a part");
	world_run(WORLD_MS(5));
	ok(ustack_recv(b, got, sizeof(got), 0) == 20 + room && !memcmp(got + 20, bytes, room),
	   "all of it comes");
	world.frozen = false;
	close_both();
}

static void test_waiting_send(void)
{
	struct iovec pieces[16];
	struct msghdr m = cut(pieces, 16, 20000, bytes);
	struct linger hard = { .l_onoff = 1 };
	size_t len = length_of(&m);
	ssize_t n;

	world_pair(0, &a, &b);
	set(a, SOL_SOCKET, SO_SNDBUF, 4096);
	ok(ustack_sendmsg(a, &m, 0) == (ssize_t)len && comes(len), "a call that waits sends all");
	timeout(a, SO_SNDTIMEO, 50);
	while ((n = ustack_sendmsg(a, &m, 0)) == (ssize_t)len)
		;
	ok(n > 0 && n < (ssize_t)len, "SO_SNDTIMEO: a part (%zd)", n);
	fails(ustack_sendmsg(a, &m, 0), EAGAIN);
	timeout(a, SO_SNDTIMEO, 0);
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	ustack_close(b);
	fails(ustack_sendmsg(a, &m, 0), ECONNRESET);
	fails(ustack_sendmsg(a, &m, 0), EPIPE);
	ustack_close(a);
}

static void test_waiting_recv(void)
{
	struct iovec pieces[16];
	struct msghdr m = cut(pieces, 16, 20000, got);
	size_t len = length_of(&m);
	int64_t begin;

	world_pair(0, &a, &b);
	ustack_send(b, bytes, 30, 0);
	ok(ustack_recvmsg(a, &m, 0) == 30 && !memcmp(got, bytes, 30), "a call that waits: some");
	ustack_send(b, bytes, len, 0);
	ok(ustack_recvmsg(a, &m, MSG_WAITALL | MSG_PEEK) == (ssize_t)len &&
	   !memcmp(got, bytes, len), "MSG_PEEK and MSG_WAITALL: all");
	memset(got, 0, len);
	ok(ustack_recvmsg(a, &m, MSG_WAITALL) == (ssize_t)len && !memcmp(got, bytes, len),
	   "MSG_WAITALL: all");
	timeout(a, SO_RCVTIMEO, 30);
	ustack_send(b, bytes, 30, 0);
	begin = world.now;
	ok(ustack_recvmsg(a, &m, MSG_WAITALL) == 30 && world.now - begin < WORLD_MS(40),
	   "MSG_WAITALL: what came in time");
	fails(ustack_recvmsg(a, &m, 0), EAGAIN);
	close_both();
}

static void test_lent(void)
{
	struct iovec pieces[16];
	struct msghdr m = cut(pieces, 16, 100, bytes);
	size_t room = 10;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_reserve(a, &room, 0);
	fails(ustack_sendmsg(a, &m, 0), EBUSY);
	ustack_submit(a, 0, 0);
	ok(ustack_sendmsg(a, &m, 0) == (ssize_t)length_of(&m) && comes(length_of(&m)),
	   "once nothing is lent");
	close_both();
}

int main(void)
{
	plan(0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256);
	world_create("");
	same("in pieces", in_pieces);
	same("urgent", urgent);
	same("at the mark", at_mark);
	same("control messages", controls);
	same("lengths", lengths);
	same("many messages", many);
	same("many messages, and an error", many_and_reset);
	same("the end", ends);
	same("TCP_INQ", inq);
	same("SO_RCVLOWAT", lowat);
	same("TCP_QUICKACK", quickack);
	same("TCP_DEFER_ACCEPT", defer_accept);
	same("not connected", not_connected);
	test_segments(2, 20);
	test_segments(16, 10);
	test_segments(4, 3000);
	test_segments(16, 2000);
	test_part();
	test_many_part();
	test_waiting_send();
	test_waiting_recv();
	test_lent();
	world_destroy();
	return finish();
}
