// SPDX-License-Identifier: MIT
/* Sets of sockets: as epoll(7) has it. */
#include "world.h"

#define ALL	(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI)
#define SEVERAL	(~0u)

static struct ustack_socket *a, *b;
static struct ustack_epoll *set;

static int control(struct ustack_epoll *of, int op, struct ustack_socket *s, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = s };

	return ustack_epoll_ctl(of, op, s, &event);
}

static int add(struct ustack_socket *s, uint32_t events)
{
	return control(set, EPOLL_CTL_ADD, s, events);
}

static int modify(struct ustack_socket *s, uint32_t events)
{
	return control(set, EPOLL_CTL_MOD, s, events);
}

/* What @of tells of the one socket that it tells of; 0: of none. */
static uint32_t told_by(struct ustack_epoll *of)
{
	struct epoll_event events[4];
	int n = ustack_epoll_wait(of, events, 4, 0);

	return n == 1 ? events[0].events : n ? SEVERAL : 0;
}

static uint32_t told(void)
{
	return told_by(set);
}

/* Text that has come when this returns. */
static void comes(const char *text)
{
	ustack_send(b, text, strlen(text), 0);
	world_run(WORLD_MS(5));
}

static ssize_t take(struct ustack_socket *s, size_t len)
{
	static char bytes[1 << 20];

	return ustack_recv(s, bytes, len < sizeof(bytes) ? len : sizeof(bytes), 0);
}

/* A pair, and a set of A's. */
static void begin(void)
{
	world_pair(SOCK_NONBLOCK, &a, &b);
	set = ustack_epoll_create(world.a);
	world.frozen = true;
}

static void end(void)
{
	world.frozen = false;
	ustack_epoll_close(set);
	ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(200));
}

static void test_level(void)
{
	struct epoll_event event;

	begin();
	ok(add(a, EPOLLIN) == 0 && told() == 0, "level: nothing has come");
	comes("abc");
	ok(ustack_epoll_wait(set, &event, 1, 0) == 1 && event.events == EPOLLIN &&
	   event.data.ptr == a, "level: told, with what was given");
	ok(told() == EPOLLIN && told() == EPOLLIN, "level: told as long as it is so");
	take(a, 2);
	ok(told() == EPOLLIN, "level: a part was read");
	take(a, 2);
	ok(told() == 0 && told() == 0, "level: all was");
	comes("d");
	ok(told() == EPOLLIN, "level: more came");
	ok(modify(a, EPOLLOUT) == 0 && told() == EPOLLOUT, "modified: other events");
	ok(modify(a, EPOLLIN | EPOLLOUT) == 0 && told() == (EPOLLIN | EPOLLOUT), "both");
	ok(control(set, EPOLL_CTL_DEL, a, 0) == 0 && told() == 0, "deleted: told of no more");
	ok(add(a, EPOLLIN) == 0 && told() == EPOLLIN, "added again: told at once");
	end();
}

static void test_edge(void)
{
	int one = 1;

	begin();
	add(a, EPOLLIN | EPOLLET);
	comes("abc");
	ok(told() == EPOLLIN && told() == 0, "edge: told once");
	ok(ustack_setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
	   told() == 0, "edge: an option that was set is no news");
	comes("d");
	ok(told() == EPOLLIN && told() == 0, "edge: more is news, though nothing was read");
	comes("e");
	take(a, 10);
	ok(told() == 0, "edge: what was read is no news");
	comes("f");
	ok(modify(a, EPOLLIN | EPOLLET) == 0 && told() == EPOLLIN &&
	   modify(a, EPOLLIN | EPOLLET) == 0 && told() == EPOLLIN && told() == 0,
	   "edge: modified: told again");
	end();
}

static void test_lowat(void)
{
	int value = 5;

	begin();
	add(a, EPOLLIN | EPOLLET);
	ustack_setsockopt(a, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
	comes("abc");
	ok(told() == 0, "SO_RCVLOWAT: too few have come");
	comes("de");
	ok(told() == EPOLLIN && told() == 0, "SO_RCVLOWAT: enough have");
	value = 8;
	ok(ustack_setsockopt(a, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value)) == 0 &&
	   told() == 0, "SO_RCVLOWAT: they are not, now");
	value = 4;
	ok(ustack_setsockopt(a, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value)) == 0 &&
	   told() == EPOLLIN && told() == 0, "SO_RCVLOWAT: fewer will do, and a set is told");
	end();
}

/* Of 30000 bytes about half leave before an ACK comes. */
static void test_notsent(void)
{
	static const char bytes[30000];
	int value = 10000;
	size_t len = 1;

	begin();
	ok(ustack_setsockopt(a, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof(value)) == 0 &&
	   add(a, EPOLLOUT | EPOLLET) == 0 && told() == EPOLLOUT && told() == 0,
	   "TCP_NOTSENT_LOWAT: nothing waits to be sent");
	ok(ustack_send(a, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes) && told() == 0,
	   "TCP_NOTSENT_LOWAT: much does");
	while (ustack_send(a, bytes, 1000, MSG_DONTWAIT) > 0)
		;
	ok(errno == EAGAIN && !ustack_reserve(a, &len, MSG_DONTWAIT) && errno == EAGAIN,
	   "TCP_NOTSENT_LOWAT: no room is lent");
	world_run(WORLD_MS(100));
	ok(told() == EPOLLOUT && told() == 0, "TCP_NOTSENT_LOWAT: it left, and a set is told");
	ustack_send(a, bytes, sizeof(bytes), MSG_DONTWAIT);
	ustack_send(a, bytes, sizeof(bytes), MSG_DONTWAIT);
	ok(told() == 0, "TCP_NOTSENT_LOWAT: much waits again");
	value = -1;
	ok(ustack_setsockopt(a, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof(value)) == 0 &&
	   told() == EPOLLOUT && told() == 0, "TCP_NOTSENT_LOWAT: it is not much now");
	end();
}

static void test_one_shot(void)
{
	begin();
	add(a, EPOLLIN | EPOLLONESHOT);
	comes("abc");
	ok(told() == EPOLLIN && told() == 0, "one shot: told once");
	comes("d");
	ok(told() == 0, "one shot: not of more");
	modify(a, EPOLLIN | EPOLLONESHOT);
	ok(told() == EPOLLIN && told() == 0, "one shot: armed again");
	take(a, 10);
	modify(a, EPOLLIN | EPOLLONESHOT | EPOLLET);
	ok(told() == 0, "one shot: armed again, not ready");
	comes("e");
	ok(told() == EPOLLIN && told() == 0, "one shot: until it is");
	ustack_shutdown(a, SHUT_RDWR);
	ok(told() == 0, "one shot: not of the end either");
	modify(a, 0);
	ok(told() == EPOLLHUP, "which is told of unasked");
	end();
}

static void test_errors(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	begin();
	fails(control(set, EPOLL_CTL_MOD, a, 0), ENOENT);
	fails(control(set, EPOLL_CTL_DEL, a, 0), ENOENT);
	fails(ustack_epoll_ctl(set, EPOLL_CTL_ADD, a, NULL), EFAULT);
	fails(ustack_epoll_ctl(set, 99, a, NULL), EFAULT);
	fails(ustack_epoll_ctl(set, 99, a, &event), EINVAL);
	fails(control(set, EPOLL_CTL_ADD, a, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
	fails(control(set, EPOLL_CTL_ADD, b, EPOLLIN), EINVAL);
	comes("x");
	ok(told() == 0, "what failed added nothing");
	ok(add(a, EPOLLIN) == 0, "added");
	fails(control(set, EPOLL_CTL_ADD, a, EPOLLOUT), EEXIST);
	fails(ustack_epoll_ctl(set, EPOLL_CTL_MOD, a, NULL), EFAULT);
	fails(control(set, EPOLL_CTL_MOD, a, EPOLLOUT | EPOLLEXCLUSIVE), EINVAL);
	fails(ustack_epoll_wait(set, &event, 0, 0), EINVAL);
	fails(ustack_epoll_wait(set, &event, -1, 0), EINVAL);
	fails(ustack_epoll_wait(set, NULL, 1, 0), EFAULT);
	ok(told() == EPOLLIN, "what failed changed nothing");
	ok(!ustack_epoll_ctl(set, EPOLL_CTL_DEL, a, NULL), "deleted, without an event");
	end();
}

#define MANY	6

/* So many sockets that are readable, in one set. */
static void open_many(struct ustack_socket *many[MANY], uint32_t how)
{
	for (int i = 0; i < MANY; i++) {
		union world_name name = world_name("10.0.0.1", (uint16_t)(20 + i));
		struct ustack_socket *from = ustack_socket(world.b, AF_INET, SOCK_DGRAM, 0);

		many[i] = ustack_socket(world.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		ustack_bind(many[i], &name.sa, sizeof(name.v4));
		ustack_sendto(from, "x", 1, 0, &name.sa, sizeof(name.v4));
		ustack_close(from);
		add(many[i], EPOLLIN | how);
	}
	world_run(WORLD_MS(1));
}

static void close_many(struct ustack_socket *many[MANY])
{
	for (int i = 0; i < MANY; i++)
		ustack_close(many[i]);
}

/* Waits with room for four: a bit for each socket told of. */
static unsigned int four(struct ustack_socket *many[MANY])
{
	struct epoll_event events[4];
	int n = ustack_epoll_wait(set, events, 4, 0);
	unsigned int bits = 0;

	for (int k = 0; k < n; k++)
		for (int i = 0; i < MANY; i++)
			if (events[k].data.ptr == many[i])
				bits |= 1u << i;
	return bits;
}

static void test_room(void)
{
	struct ustack_socket *many[MANY];

	begin();
	open_many(many, 0);
	ok(four(many) == 0x0f && four(many) == 0x33 && four(many) == 0x3c && four(many) == 0x0f,
	   "room for four of six: all have their turn");
	close_many(many);
	ok(told() == 0, "closed: told of no more");
	open_many(many, EPOLLET);
	ok(four(many) == 0x0f && four(many) == 0x30 && four(many) == 0,
	   "edge: those that did not fit are told of next");
	close_many(many);
	open_many(many, EPOLLONESHOT);
	take(many[5], 1);
	ok(four(many) == 0x0f && four(many) == 0x10 && four(many) == 0,
	   "one shot: alike, but for who is not ready any more");
	close_many(many);
	end();
}

static void test_two_sets(void)
{
	struct ustack_epoll *other = ustack_epoll_create(world.a);

	begin();
	add(a, EPOLLIN);
	control(other, EPOLL_CTL_ADD, a, EPOLLIN | EPOLLOUT | EPOLLET);
	ok(told() == 0 && told_by(other) == EPOLLOUT, "two sets, each with its events");
	comes("x");
	ok(told() == EPOLLIN && told_by(other) == (EPOLLIN | EPOLLOUT) &&
	   told() == EPOLLIN && told_by(other) == 0, "each in its way");
	control(set, EPOLL_CTL_DEL, a, 0);
	comes("y");
	ok(told() == 0 && told_by(other) == (EPOLLIN | EPOLLOUT), "deleted from one: in the other");
	add(a, EPOLLIN);
	comes("z");
	ustack_epoll_close(other);
	ok(told() == EPOLLIN, "one is closed: the other tells");
	other = ustack_epoll_create(world.a);
	control(other, EPOLL_CTL_ADD, a, EPOLLIN);
	ustack_close(a);
	ok(told() == 0 && told_by(other) == 0, "a closed socket is in none");
	a = world_connect(world.a, "10.0.0.2", 9, SOCK_DGRAM);
	ok(add(a, EPOLLOUT) == 0 && told() == EPOLLOUT && told_by(other) == 0,
	   "the next one in its place is as new");
	ustack_epoll_close(other);
	end();
}

/* Also: sets that are open when the stack ends. */
static void test_listener(void)
{
	struct ustack_socket *listener, *child, *from[3];

	begin();
	listener = world_listen(world.a, "10.0.0.1", 8);
	add(listener, EPOLLIN);
	ok(told() == 0, "a listener");
	for (int i = 0; i < 3; i++)
		from[i] = world_connect(world.b, "10.0.0.1", 8, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(5));
	for (int i = 0; i < 3; i++) {
		ok(told() == EPOLLIN, "connection %d of three waits", i + 1);
		child = ustack_accept(listener, NULL, NULL, 0);
		ustack_close(child);
		ustack_close(from[i]);
	}
	ok(told() == 0, "none waits");
	modify(listener, EPOLLIN | EPOLLET);
	from[0] = world_connect(world.b, "10.0.0.1", 8, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(5));
	ok(told() == EPOLLIN && told() == 0, "edge: a connection");
	from[1] = world_connect(world.b, "10.0.0.1", 8, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(5));
	ok(told() == EPOLLIN && told() == 0, "edge: another, while the first waits");
	ustack_shutdown(listener, SHUT_RD);
	ok(told() == EPOLLHUP, "it listens no more");
	ustack_close(listener);
	ustack_close(from[0]);
	ustack_close(from[1]);
	end();
}

static void test_connect(void)
{
	union world_name name = world_name("10.0.0.2", 8);
	struct ustack_socket *listener, *s;

	begin();
	listener = world_listen(world.b, "10.0.0.2", 8);
	s = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	add(s, ALL | EPOLLET);
	ok(told() == (EPOLLOUT | EPOLLHUP) && told() == 0, "a fresh socket");
	ustack_close(s);
	s = world_connect(world.a, "10.0.0.2", 8, SOCK_STREAM | SOCK_NONBLOCK);
	add(s, ALL | EPOLLET);
	ok(told() == 0, "it connects");
	world_run(WORLD_MS(5));
	ok(told() == EPOLLOUT && told() == 0, "it is connected");
	ustack_close(s);
	ustack_close(listener);
	s = world_connect(world.a, "10.0.0.2", 8, SOCK_STREAM | SOCK_NONBLOCK);
	add(s, 0);
	world_run(WORLD_MS(5));
	ok(told() == (EPOLLERR | EPOLLHUP) && told() == (EPOLLERR | EPOLLHUP),
	   "it is refused, which nobody has to ask for");
	modify(s, ALL);
	ok(told() == (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLERR | EPOLLHUP),
	   "all that is so then");
	modify(s, ALL | EPOLLET);
	told();
	fails(ustack_connect(s, &name.sa, sizeof(name.v4)), ECONNREFUSED);
	ok(told() == (EPOLLOUT | EPOLLHUP) && told() == 0, "edge: it is a fresh one again");
	ustack_close(s);
	end();
}

/* The second time there is a cookie, and the SYN waits for data. */
static void test_fast_open(void)
{
	struct ustack_socket *listener = world_listen(world.b, "10.0.0.2", 8), *s;
	union world_name name = world_name("10.0.0.2", 8);
	int one = 1;

	begin();
	ustack_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &one, sizeof(one));
	for (int i = 0; i < 2; i++) {
		s = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ustack_setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one));
		add(s, ALL | EPOLLET);
		told();
		ok(ustack_connect(s, &name.sa, sizeof(name.v4)) == (i ? 0 : -1) &&
		   told() == (i ? EPOLLOUT : 0) && told() == 0, "Fast Open, attempt %d", i + 1);
		world_run(WORLD_MS(5));
		ok(told() == (i ? 0 : EPOLLOUT), "5 ms later");
		ustack_close(s);
	}
	ustack_close(listener);
	end();
}

static void test_end(void)
{
	struct linger hard = { .l_onoff = 1 };

	begin();
	add(a, EPOLLIN | EPOLLRDHUP | EPOLLET);
	ustack_shutdown(b, SHUT_WR);
	world_run(WORLD_MS(5));
	ok(told() == (EPOLLIN | EPOLLRDHUP) && told() == 0, "the peer has no more to say");
	modify(a, EPOLLIN);
	ok(told() == EPOLLIN, "not asked for");
	modify(a, EPOLLRDHUP | EPOLLET);
	told();
	ustack_shutdown(a, SHUT_WR);
	ok(told() == (EPOLLRDHUP | EPOLLHUP), "neither has");
	end();
	begin();
	add(a, EPOLLET);
	ustack_setsockopt(b, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	ustack_close(b);
	world_run(WORLD_MS(5));
	ok(told() == (EPOLLERR | EPOLLHUP) && told() == 0, "reset");
	b = NULL;
	ustack_close(a);
	a = world_connect(world.a, "10.0.0.2", 9, SOCK_DGRAM);
	b = world_connect(world.b, "10.0.0.1", 9, SOCK_DGRAM);
	end();
}

/* What has to be read before there is room again; it is as much as fits. */
static size_t fill(struct ustack_socket *s)
{
	static const char bytes[4096];
	size_t sent = 0;
	ssize_t n;

	while ((n = ustack_send(s, bytes, sizeof(bytes), 0)) > 0) {
		sent += (size_t)n;
		world_run(WORLD_MS(1));
	}
	return sent;
}

static void drain(struct ustack_socket *s)
{
	world_run(WORLD_MS(5));
	while (take(s, SIZE_MAX) > 0)
		world_run(WORLD_MS(5));
	world_run(WORLD_MS(500));
}

static void test_writable(void)
{
	int size = 20000;

	begin();
	ustack_setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	ustack_setsockopt(b, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	add(a, EPOLLOUT);
	ok(told() == EPOLLOUT, "there is room");
	fill(a);
	ok(told() == 0, "there is none");
	drain(b);
	ok(told() == EPOLLOUT, "there is, now that the peer read");
	modify(a, EPOLLOUT | EPOLLET);
	told();
	fill(a);
	drain(b);
	ok(told() == EPOLLOUT && told() == 0, "edge: alike");
	fill(a);
	ok(told() == 0, "edge: there is none");
	size = 100000;
	ustack_setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	ok(told() == EPOLLOUT, "a larger buffer has room");
	end();
}

/* Both have room in their buffers, and the stack has no memory. */
static void test_memory(void)
{
	struct ustack_socket *c, *d;

	begin();
	world_pair(SOCK_NONBLOCK, &c, &d);
	fill(a);
	add(c, EPOLLOUT);
	fill(c);
	ok(told() == 0, "no memory to send");
	drain(b);
	ok(told() == EPOLLOUT, "another connection gave some back");
	ustack_close(c);
	ustack_close(d);
	end();
}

static void test_dgram(void)
{
	union world_name name = world_name("10.0.0.1", 9);

	begin();
	ustack_close(a);
	ustack_close(b);
	a = ustack_socket(world.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ustack_bind(a, &name.sa, sizeof(name.v4));
	b = world_connect(world.b, "10.0.0.1", 9, SOCK_DGRAM);
	add(a, EPOLLIN | EPOLLET);
	comes("one");
	ok(told() == EPOLLIN && told() == 0, "datagrams: one");
	comes("two");
	ok(told() == EPOLLIN && told() == 0, "datagrams: two");
	modify(a, EPOLLIN);
	take(a, 9);
	ok(told() == EPOLLIN && take(a, 9) == 3 && told() == 0, "datagrams: both were read");
	ustack_close(b);
	b = world_connect(world.b, "10.0.0.1", 10, SOCK_DGRAM);
	ustack_epoll_close(set);
	set = ustack_epoll_create(world.b);
	add(b, EPOLLIN | EPOLLET);
	comes("to nobody");
	ok(told() == EPOLLERR && told() == 0, "datagrams: nobody takes them");
	end();
}

static void test_urgent(void)
{
	int one = 1;

	begin();
	add(a, EPOLLPRI | EPOLLIN | EPOLLET);
	ustack_send(b, "abc", 3, MSG_OOB);
	world_run(WORLD_MS(5));
	ok(told() == (EPOLLIN | EPOLLPRI) && told() == 0, "an urgent byte");
	modify(a, EPOLLIN);
	take(a, 2);
	ok(told() == 0, "an urgent byte, out of line");
	ustack_setsockopt(a, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	ok(told() == EPOLLIN, "an urgent byte, in line by now");
	end();
}

static void test_wait(void)
{
	struct epoll_event event;
	int64_t start;

	begin();
	world.frozen = false;
	add(a, EPOLLIN);
	start = world.now;
	ok(ustack_epoll_wait(set, &event, 1, WORLD_MS(3)) == 0 &&
	   world.now - start >= WORLD_MS(3) && world.now - start < WORLD_MS(4), "time out");
	ustack_send(b, "x", 1, 0);
	ok(ustack_epoll_wait(set, &event, 1, WORLD_MS(100)) == 1 && event.events == EPOLLIN &&
	   world.now - start < WORLD_MS(10), "waits for data");
	take(a, 1);
	ustack_send(b, "y", 1, 0);
	ok(ustack_epoll_wait(set, &event, 1, -1) == 1, "waits for ever, if need be");
	end();
}

/* However small the stack is, and whatever was in the set before. */
static void test_all_sockets(void)
{
	const struct ustack_config config = { .max_sockets = 2 };
	struct epoll_event events[4];
	struct ustack *stack;
	bool good = true;

	ustack_create(&config, &stack);
	set = ustack_epoll_create(stack);
	a = ustack_socket(stack, AF_INET, SOCK_DGRAM, 0);
	add(a, EPOLLOUT);
	for (int i = 0; i < 10; i++) {
		b = ustack_socket(stack, AF_INET, SOCK_DGRAM, 0);
		good &= !add(b, EPOLLOUT) && ustack_epoll_wait(set, events, 4, 0) == 2;
		ustack_close(b);
	}
	ok(good && told() == EPOLLOUT, "a set has room for all sockets of a stack");
	ustack_destroy(stack);
}

/* On @link, of which the other end stands still. */
static void fill_link(struct ustack_socket *s)
{
	while (ustack_send(s, "x", 1, 0) == 1)
		;
}

/* Both ends' are A's: nobody takes what was sent. */
static void test_links(void)
{
	union world_name one = world_name("10.1.0.1", 0), two = world_name("10.2.0.1", 0);
	union world_name here = world_name("10.1.0.9", 9), there = world_name("10.2.0.9", 9);
	const struct ustack_config config = { .seed = 1 };
	struct ustack_link *link;
	struct ustack *stack;

	ustack_create(&config, &stack);
	ustack_link_open(stack, "pipe:name=one,frames=4", &link);
	ustack_address_add(stack, link, &one.sa, 24);
	ustack_link_open(stack, "pipe:name=two,frames=4", &link);
	ustack_address_add(stack, link, &two.sa, 24);
	set = ustack_epoll_create(stack);
	a = ustack_socket(stack, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	add(a, EPOLLOUT);
	ustack_connect(a, &here.sa, sizeof(here.v4));
	fill_link(a);
	ok(told() == 0, "a link is full");
	ok(ustack_sendto(a, "x", 1, 0, &there.sa, sizeof(there.v4)) == 1 && told() == EPOLLOUT,
	   "another is not: a datagram leaves there");
	fill_link(a);
	ok(told() == 0, "the first one is still full");
	ok(!ustack_connect(a, &there.sa, sizeof(there.v4)) && told() == EPOLLOUT,
	   "connected elsewhere: there is room");
	ustack_destroy(stack);
}

int main(void)
{
	plan(0);
	world_create("");
	test_level();
	test_edge();
	test_lowat();
	test_notsent();
	test_one_shot();
	test_errors();
	test_room();
	test_two_sets();
	test_listener();
	test_connect();
	test_fast_open();
	test_end();
	test_writable();
	test_dgram();
	test_urgent();
	test_wait();
	set = ustack_epoll_create(world.a);
	a = world_listen(world.a, "10.0.0.1", 8);
	ok(add(a, EPOLLIN) == 0, "the stack ends with a set and a socket");
	world_destroy();
	world.send_memory = 64 << 10;
	world_create("");
	test_memory();
	world_destroy();
	test_all_sockets();
	test_links();
	return finish();
}
