// SPDX-License-Identifier: MIT
/* A round of the stack: what has come is read before timers run, but they do run. */
#include "core/stack.h"
#include "world.h"

#define ROUND	64	/* packets of a link */

static struct ustack_socket *a, *b, *from, *to;

/* @count datagrams stand in A's link. */
static void crowd(unsigned int count)
{
	union world_name name = world_name("10.0.0.1", 9);

	while (count--)
		ustack_sendto(from, "x", 1, 0, &name.sa, sizeof(name.v4));
}

static uint32_t repeated(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	ustack_getsockopt(a, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_total_retrans;
}

static bool acknowledged(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	ustack_getsockopt(a, IPPROTO_TCP, TCP_INFO, &info, &len);
	return !info.tcpi_unacked;
}

static void begin(void)
{
	union world_name name = world_name("10.0.0.1", 9);

	world_create("");
	world.frozen = true;
	world_pair(SOCK_NONBLOCK, &a, &b);
	to = ustack_socket(world.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	from = ustack_socket(world.b, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ustack_bind(to, &name.sa, sizeof(name.v4));
	ustack_send(a, "ask", 3, 0);
}

/* The answer comes in time, but A is late. */
static void test_late(void)
{
	begin();
	crowd(3 * ROUND);
	ustack_poll(world.b);
	ok(ustack_send(b, "answer", 6, 0) == 6, "an answer, behind three rounds of packets");
	world.now += WORLD_MS(5000);
	ok(!ustack_poll(world.a) && !acknowledged(), "a round: there is more");
	ustack_poll(world.a);
	ok(!ustack_poll(world.a), "three rounds");
	ustack_poll(world.a);
	ok(acknowledged(), "the answer");
	ok(!repeated(), "nothing was sent again");
	world_destroy();
}

/* No answer comes, and others never end: rounds until timers run. */
static unsigned int flood(int64_t ns)
{
	unsigned int rounds;

	begin();
	world.now += WORLD_MS(5000);
	for (rounds = 0; rounds < 100 && !repeated(); rounds++) {
		world.now += ns;
		crowd(ROUND);
		ustack_poll(world.a);
	}
	world_destroy();
	return rounds;
}

int main(void)
{
	plan(7);
	test_late();
	ok(flood(0) == 16, "timers run in the sixteenth of rounds that are full");
	ok(flood(WORLD_MS(6)) == 3, "of rounds that take 6 ms, in the third");
	return finish();
}
