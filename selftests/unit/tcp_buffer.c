// SPDX-License-Identifier: MIT
/* Queues that grow with the path, and queues that the user set. */
#include "tcp_audit.h"
#include "world.h"

#define RATE		100000000	/* bit/s; with 100 ms, 1.25 MB are on the way */
#define SECONDS		8

/**
 * struct run - one transfer
 * @from: sends as much as it can.
 * @to: reads.
 * @got: bytes read in the last second.
 */
static struct run {
	struct ustack_socket *from;
	struct ustack_socket *to;
	uint64_t got;
} run;

static uint8_t data[65536];

static int get(struct ustack_socket *s, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ustack_getsockopt(s, SOL_SOCKET, name, &value, &len);
	return value / 2;	/* Linux tells twice what it is */
}

static void set(struct ustack_socket *s, int name, int value)
{
	if (value)
		ustack_setsockopt(s, SOL_SOCKET, name, &value, sizeof(value));
}

static void begin(const char *shape, int sndbuf, int rcvbuf)
{
	union world_name name = world_name("10.0.0.2", 7);
	struct ustack_socket *listener;

	world.frozen = true;
	world_create(shape);
	listener = world_listen(world.b, "10.0.0.2", 7);
	set(listener, SO_RCVBUF, rcvbuf);
	run.from = ustack_socket(world.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	set(run.from, SO_SNDBUF, sndbuf);
	ustack_connect(run.from, &name.sa, sizeof(name.v4));
	world_run(WORLD_MS(500));
	run.to = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	if (!run.to)
		world_check(-errno, world.b, "accept");
	ustack_close(listener);
}

/* Mbit/s in the last second. */
static double transfer(bool slow_reader)
{
	int64_t end = world.now + SECONDS * US_SEC;
	ssize_t n;

	for (run.got = 0; world.now < end; world_run(WORLD_MS(1))) {
		while (ustack_send(run.from, data, sizeof(data), 0) > 0)
			;
		if (end - world.now > US_SEC)
			run.got = 0;
		if (slow_reader && world.now / WORLD_MS(50) % 2)
			continue;
		while ((n = ustack_recv(run.to, data, slow_reader ? 500 : sizeof(data),
					0)) > 0) {
			run.got += (uint64_t)n;
			if (slow_reader)
				break;
		}
	}
	return (double)run.got * 8 / 1e6;
}

static void end(void)
{
	const char *why = NULL;

	audit(world.a, &why);
	audit(world.b, &why);
	ok(!why, "the books are right%s%s", why ? ": " : "", why ? why : "");
	ustack_close(run.from);
	ustack_close(run.to);
	world_destroy();
}

static void test_grow(void)
{
	double rate;
	int snd, rcv;

	begin("delay=50,rate=100000000,limit=2000", 0, 0);
	snd = get(run.from, SO_SNDBUF);
	rcv = get(run.to, SO_RCVBUF);
	rate = transfer(false);
	ok(rate > 90, "a long path of 100 Mbit/s is filled: %.1f", rate);
	ok(get(run.from, SO_SNDBUF) > snd && get(run.from, SO_SNDBUF) >= 2500000 &&
	   get(run.from, SO_SNDBUF) <= 4 << 20, "send: grew from %d to %d", snd,
	   get(run.from, SO_SNDBUF));
	ok(get(run.to, SO_RCVBUF) > rcv && get(run.to, SO_RCVBUF) >= 1250000 &&
	   get(run.to, SO_RCVBUF) <= 6 << 20, "receive: grew from %d to %d", rcv,
	   get(run.to, SO_RCVBUF));
	end();
}

static void test_set(int sndbuf, int rcvbuf, const char *which)
{
	double rate;

	begin("delay=50,rate=100000000,limit=2000", sndbuf, rcvbuf);
	rate = transfer(false);
	ok(rate < 25 && rate > 15, "%s: 256 KB set by the user is a limit: %.1f Mbit/s", which,
	   rate);
	ok((!sndbuf || get(run.from, SO_SNDBUF) == sndbuf) &&
	   (!rcvbuf || get(run.to, SO_RCVBUF) == rcvbuf), "%s: and stays", which);
	end();
}

/* A short path needs no more than there is; nor does a reader that does not keep up. */
static void test_stay(const char *shape, bool slow, const char *what)
{
	int rcv;

	begin(shape, 0, 0);
	rcv = get(run.to, SO_RCVBUF);
	transfer(slow);
	ok(get(run.to, SO_RCVBUF) == rcv, "%s: the receive queue stays as it is", what);
	end();
}

/* Of a link that holds so many bytes, each poll here finds some 1500. */
static void test_room(uint32_t bytes, bool grows)
{
	struct us_stack *stack;
	int rcv;

	begin("delay=50,rate=100000000,limit=2000", 0, 0);
	stack = (struct us_stack *)world.b;
	cds_list_first_entry(&stack->links, struct us_link, node)->rx_room = bytes;
	rcv = get(run.to, SO_RCVBUF);
	transfer(false);
	ok((get(run.to, SO_RCVBUF) > rcv) == grows, "what comes at once is %s the link's room",
	   grows ? "little of" : "an eighth of");
	end();
}

int main(void)
{
	plan(0);
	test_grow();
	test_set(256 << 10, 0, "SO_SNDBUF");
	test_set(0, 256 << 10, "SO_RCVBUF");
	test_stay("delay=5,rate=100000000,limit=2000", false, "a short path");
	test_stay("delay=50,rate=100000000,limit=2000", true, "a slow reader");
	test_room(8 << 10, false);
	test_room(256 << 10, true);
	return finish();
}
