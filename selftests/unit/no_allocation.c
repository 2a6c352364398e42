// SPDX-License-Identifier: MIT
/*
 * Nothing is allocated on the way of data: streams that lose and repair, connections
 * that come and go, datagrams.  The sanitizers tell of each allocation; without one of
 * them nobody does, and the points are skipped.
 */
#include <stddef.h>

#include "world.h"

#define ROUNDS	200

/* Of the sanitizers' runtime, if there is one. */
__attribute__((weak)) int
__sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					  void (*on_free)(const volatile void *));

static unsigned int allocations;
static uint8_t data[8192];

static void on_malloc(const volatile void *at, size_t size)
{
	(void)at;
	(void)size;
	allocations++;
}

static void on_free(const volatile void *at)
{
	(void)at;
}

/* Nonblocking: as much as there is. */
static void read_all(struct ustack_socket *s)
{
	while (ustack_recv(s, data, sizeof(data), 0) > 0)
		;
}

static void stream(void)
{
	struct ustack_socket *a, *b;
	int i;

	world_pair(SOCK_NONBLOCK, &a, &b);
	for (i = 0; i < ROUNDS; i++) {
		ustack_send(a, data, i % 2 ? sizeof(data) : 1, 0);
		ustack_send(b, data, i % 3 ? 1 : sizeof(data), 0);
		world_run(WORLD_MS(2));
		read_all(a);
		read_all(b);
	}
	ustack_close(a);
	ustack_close(b);
}

static void connections(void)
{
	int i;

	for (i = 0; i < ROUNDS / 10; i++) {
		struct ustack_socket *a, *b;

		world_pair(SOCK_NONBLOCK, &a, &b);
		ustack_send(a, data, 64, 0);
		world_run(WORLD_MS(20));
		read_all(b);
		ustack_close(a);
		world_run(WORLD_MS(20));
		ustack_close(b);
	}
}

static void datagrams(void)
{
	union world_name name = world_name("10.0.0.2", 9);
	struct ustack_socket *a, *b;
	int i;

	b = ustack_socket(world.b, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ustack_bind(b, &name.sa, world_length(&name));
	a = world_connect(world.a, "10.0.0.2", 9, SOCK_DGRAM | SOCK_NONBLOCK);
	for (i = 0; i < ROUNDS; i++) {
		ustack_send(a, data, 1 + (size_t)i * 7, i % 2 ? USTACK_MSG_BATCH : 0);
		world_run(WORLD_MS(1));
		read_all(b);
	}
	ustack_close(a);
	ustack_close(b);
}

static const struct way {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "a stream each way", stream },
	{ "connections that come and go", connections },
	{ "datagrams", datagrams },
};

/* Over a path that loses, so that repair is among it. */
static void test(const struct way *way)
{
	unsigned int before;

	world.frozen = true;
	world_create("loss=2,delay=3,reorder=2");
	before = allocations;
	way->run();
	before = allocations - before;
	ok(!before, "%s: %u allocations", way->name, before);
	world_destroy();
}

int main(void)
{
	size_t i, count = sizeof(ways) / sizeof(ways[0]);
	void *volatile one;	/* which no compiler may leave out */

	if (!__sanitizer_install_malloc_and_free_hooks) {
		puts("1..0 # SKIP no sanitizer tells of allocations");
		return 0;
	}
	plan((int)count + 2);
	ok(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free), "allocations are seen");
	one = malloc(1);
	free(one);
	ok(allocations, "one is");
	for (i = 0; i < count; i++)
		test(&ways[i]);
	return finish();
}
