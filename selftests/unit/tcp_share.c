// SPDX-License-Identifier: MIT
/* Memory that all connections share: some that stand still leave enough to others. */
#include "transport/tcp_parts.h"
#include "world.h"

#define STALLED		24
#define MANY		100

static struct ustack_socket *a[MANY], *b[MANY];
static char bytes[1 << 20];

/* A sends what it can to @count connections whose ends at B are never read. */
static void fill(unsigned int count, unsigned int rounds)
{
	unsigned int i;

	while (rounds--) {
		for (i = 0; i < count; i++)
			ustack_send(a[i], bytes, sizeof(bytes), MSG_DONTWAIT);
		world_run(WORLD_MS(10));
	}
}

static void stall(unsigned int rounds, int sndbuf)
{
	unsigned int i;

	for (i = 0; i < STALLED; i++) {
		world_pair(SOCK_NONBLOCK, &a[i], &b[i]);
		ustack_setsockopt(a[i], SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	}
	fill(STALLED, rounds);
}

static void release(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		ustack_close(a[i]);
		ustack_close(b[i]);
	}
}

/* Does a new connection from A to B carry so many bytes? */
static bool works(size_t len)
{
	struct ustack_socket *from, *to;
	size_t sent = 0, got = 0;
	int rounds;

	world_pair(SOCK_NONBLOCK, &from, &to);
	for (rounds = 0; rounds < 1000 && got < len; rounds++) {
		ssize_t n = ustack_send(from, bytes, len - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		world_run(WORLD_MS(2));
		n = ustack_recv(to, bytes, sizeof(bytes), MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
	}
	ustack_close(from);
	ustack_close(to);
	return got == len;
}

static void test_receive(void)
{
	const struct us_stack *stack;
	const struct us_tcp_table *tcp;
	unsigned int i;

	world_create("");
	world.frozen = true;
	stack = (struct us_stack *)world.b;
	tcp = stack->tcp;
	stall(60, 65536);
	ok(us_tcp_blocks_left(tcp) > 0, "%u of %u blocks are left",
	   us_tcp_blocks_left(tcp), tcp->blocks.count);
	ok(stack->pkts.used <= stack->pkts.count / 2, "%u packets are held",
	   stack->pkts.used);
	ok(works(1 << 20), "a connection that is read goes on");
	for (i = 0; i < STALLED; i++)
		while (ustack_recv(b[i], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			world_run(WORLD_MS(1));
	ok(!tcp->promised && !stack->pkts.used, "what was promised is given back");
	release(STALLED);
	world_destroy();
}

static void test_send(void)
{
	const struct us_txmem *mem;

	world_create("");
	world.frozen = true;
	mem = ((struct us_stack *)world.a)->mem;
	stall(60, 1 << 20);
	ok(us_txmem_free_bytes(mem) > us_txmem_size(mem) / 64,
	   "%zu of %zu bytes are left", us_txmem_free_bytes(mem), us_txmem_size(mem));
	ok(works(1 << 20), "a peer that reads is served");
	release(STALLED);
	world_destroy();
}

/* All that a call brings is not taken at once: what is left falls while it is. */
static void test_one_call(void)
{
	static char much[4 << 20];
	const struct us_txmem *mem;
	int sndbuf = sizeof(much);

	world_create("");
	world.frozen = true;
	mem = ((struct us_stack *)world.a)->mem;
	world_pair(SOCK_NONBLOCK, &a[0], &b[0]);
	ustack_setsockopt(a[0], SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	ustack_send(a[0], much, sizeof(much), MSG_DONTWAIT);
	ok(us_txmem_free_bytes(mem) > us_txmem_size(mem) / 2,
	   "one call of 4 MiB: %zu of %zu bytes are left", us_txmem_free_bytes(mem),
	   us_txmem_size(mem));
	ok(works(1 << 20), "a peer that reads is served beside it");
	release(1);
	world_destroy();
}

/* Buffers as they are, and windows that are small: of a whole memory they are little. */
static void test_many(void)
{
	int rcvbuf = 65536;
	const struct us_txmem *mem;
	unsigned int i;

	world_create("");
	world.frozen = true;
	mem = ((struct us_stack *)world.a)->mem;
	for (i = 0; i < MANY; i++) {
		world_pair(SOCK_NONBLOCK, &a[i], &b[i]);
		ustack_setsockopt(b[i], SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	}
	fill(8, 60);
	ok(us_txmem_free_bytes(mem) > us_txmem_size(mem) / 2,
	   "8 that stand still, %zu of %zu bytes are left", us_txmem_free_bytes(mem),
	   us_txmem_size(mem));
	fill(MANY, 60);
	ok(works(1 << 20), "a peer that reads is served beside %u", MANY);
	release(MANY);
	world_destroy();
}

int main(void)
{
	plan(0);
	test_receive();
	test_send();
	test_one_call();
	test_many();
	return finish();
}
