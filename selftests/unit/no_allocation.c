// SPDX-License-Identifier: MIT
/*
 * Nothing is allocated on the way of data: streams that lose and repair, connections
 * that come and go, datagrams.  A sanitizer tells of each allocation; without one, these
 * functions stand before those of the C library.
 */
#include <stddef.h>

#include "core/asan.h"
#include "world.h"

#define ROUNDS	200

static unsigned int allocations;
static uint8_t data[8192];

#ifdef US_ASAN
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));

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

static bool watch(void)
{
	return __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t align, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
	allocations++;
	return __libc_realloc(at, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	allocations++;
	return __libc_memalign(align, size);
}

static bool watch(void)
{
	return true;
}
#endif

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

	plan((int)count + 2);
	ok(watch(), "allocations are seen");
	one = malloc(1);
	free(one);
	ok(allocations, "one is");
	for (i = 0; i < count; i++)
		test(&ways[i]);
	return finish();
}
