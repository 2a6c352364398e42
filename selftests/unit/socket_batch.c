// SPDX-License-Identifier: MIT
/* USTACK_MSG_BATCH: what is sent leaves together with what follows. */
#include <fcntl.h>

#include "link/link.h"
#include "world.h"

#define MESSAGE	100u

static struct ustack_socket *a, *b;

static void open_pair(bool nodelay)
{
	int on = nodelay;

	world_pair(SOCK_NONBLOCK, &a, &b);
	ustack_setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	world.frozen = true;
}

static void close_both(void)
{
	world.frozen = false;
	ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(100));
}

/* Packets that A's link was given so far. */
static uint64_t packets(void)
{
	struct us_stack *stack = (struct us_stack *)world.a;

	return cds_list_first_entry(&stack->links, struct us_link, node)->stats.tx_packets;
}

static size_t batch(size_t count)
{
	static const char message[MESSAGE];
	size_t i, sent = 0;

	for (i = 0; i < count; i++)
		if (ustack_send(a, message, MESSAGE, USTACK_MSG_BATCH) == MESSAGE)
			sent++;
	return sent;
}

/* Bytes that came to B. */
static size_t comes(void)
{
	static char buffer[1 << 20];
	ssize_t n = ustack_recv(b, buffer, sizeof(buffer), 0);

	return n < 0 ? 0 : (size_t)n;
}

static void test_together(bool nodelay)
{
	uint64_t before;

	open_pair(nodelay);
	before = packets();
	ok(batch(10) == 10 && packets() == before, "ten messages%s: none leaves",
	   nodelay ? ", Nagle off" : "");
	ustack_poll(world.a);
	ok(packets() == before + 1, "a poll: they leave in one segment");
	world_run(WORLD_MS(5));
	ok(comes() == 10 * MESSAGE, "and come");
	close_both();
}

/* A call without the flag lets out what others hold, its own bytes last. */
static void test_behind(void)
{
	uint64_t before;

	open_pair(true);
	before = packets();
	batch(3);
	ok(ustack_send(a, "x", 1, 0) == 1 && packets() == before + 1,
	   "a send without the flag: all in one segment");
	world_run(WORLD_MS(5));
	ok(comes() == 3 * MESSAGE + 1, "and come");
	close_both();
}

/* MSG_MORE holds back until the next call without it, and that may be a batch. */
static void test_more(void)
{
	uint64_t before;

	open_pair(true);
	before = packets();
	batch(1);
	ustack_send(a, "x", 1, MSG_MORE);
	batch(1);
	ustack_poll(world.a);
	ok(packets() == before + 1, "a batch behind MSG_MORE: it holds nothing back");
	world_run(WORLD_MS(5));
	ok(comes() == 2 * MESSAGE + 1, "and all comes");
	close_both();
}

static void test_waits(void)
{
	uint64_t before;
	char byte;

	open_pair(true);
	ustack_fcntl(a, F_SETFL, 0);
	before = packets();
	batch(3);
	ustack_send(b, "y", 1, 0);
	world.frozen = false;
	ok(ustack_recv(a, &byte, 1, 0) == 1 && packets() > before,
	   "a call that waits lets them out");
	world_run(WORLD_MS(5));
	ok(comes() == 3 * MESSAGE, "and they come");
	close_both();
}

static void test_much(void)
{
	int size = 1 << 20;
	uint64_t before;

	open_pair(false);
	ustack_setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	before = packets();
	ok(batch(655) == 655 && packets() == before, "65500 bytes: none leaves");
	ok(batch(1) == 1 && packets() > before, "64 KB: they leave by themselves");
	close_both();
}

static void test_errors(void)
{
	open_pair(false);
	batch(1);
	ustack_shutdown(a, SHUT_WR);
	fails(ustack_send(a, "z", 1, USTACK_MSG_BATCH), EPIPE);
	world_run(WORLD_MS(5));
	ok(comes() == MESSAGE, "shutdown: what was batched comes before the end");
	close_both();
}

static void test_lent(void)
{
	size_t room = MESSAGE;
	uint64_t before;

	open_pair(true);
	before = packets();
	ok(ustack_reserve(a, &room, 0) &&
	   ustack_submit(a, room, USTACK_MSG_BATCH) == 0 && packets() == before,
	   "submit: nothing leaves");
	ustack_poll(world.a);
	ok(packets() == before + 1, "but with the next poll");
	close_both();
}

/* Where a datagram needs no look at the clock, what leaves with it does. */
/* The second datagram of two is too long. */
static bool fails_together(struct ustack_socket *u)
{
	static char bytes[UINT16_MAX + 1];
	struct iovec iov[] = { { bytes, 1 }, { bytes, sizeof(bytes) } };
	struct mmsghdr messages[] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};

	return ustack_sendmmsg(u, messages, 2, 0) == 1;
}

static void test_time(void)
{
	struct us_stack *stack = (struct us_stack *)world.a;
	struct us_link *link = cds_list_first_entry(&stack->links, struct us_link, node);
	struct ustack_socket *u, *v;

	open_pair(true);
	u = world_connect(world.a, "10.0.0.2", 9, SOCK_DGRAM);
	link->flags |= US_LINK_KERNEL_IP;
	batch(1);
	world.now += WORLD_MS(1);
	ok(ustack_send(u, "x", 1, 0) == 1 && stack->now == world.now,
	   "a segment leaves with a datagram, at its time");
	batch(1);
	world.now += WORLD_MS(1);
	ok(fails_together(u) && stack->now == world.now, "and with one that fails");
	v = world_connect(world.a, "10.0.0.2", 9, SOCK_DGRAM);
	ustack_send(v, "x", 1, USTACK_MSG_BATCH);
	world.now += WORLD_MS(1);
	ok(ustack_send(u, "x", 1, 0) == 1 && stack->now == world.now,
	   "another port's train, too");
	link->flags &= ~US_LINK_KERNEL_IP;
	ustack_close(v);
	ustack_close(u);
	close_both();
}

int main(void)
{
	world_create("");
	test_together(false);
	test_together(true);
	test_behind();
	test_more();
	test_waits();
	test_much();
	test_errors();
	test_lent();
	test_time();
	world_destroy();
	return finish();
}
