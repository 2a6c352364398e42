// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/asan.h"
#include "core/pool.h"

#define CACHE_LINE	64u

/* What a free object holds: the free object behind it. */
struct link {
	struct link *next;
};

/**
 * us_pool_create() - takes the memory of all objects
 * @pool: filled in.
 * @size: bytes of an object.
 * @count: objects.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int us_pool_create(struct us_pool *pool, size_t size, uint32_t count)
{
	size_t bytes;

	memset(pool, 0, sizeof(*pool));
	if (!size || !count || size > SIZE_MAX - CACHE_LINE)
		return -EINVAL;
	size = (size + 15) & ~(size_t)15;
	if (__builtin_mul_overflow(size, (size_t)count, &bytes) ||
	    bytes > SIZE_MAX - CACHE_LINE)
		return -ENOMEM;
	bytes = (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	pool->base = aligned_alloc(CACHE_LINE, bytes);
	if (!pool->base)
		return -ENOMEM;
	us_poison(pool->base, bytes);
	pool->size = size;
	pool->count = count;
	return 0;
}

/**
 * us_pool_destroy() - frees the memory of all objects
 * @pool: becomes an empty pool.
 */
void us_pool_destroy(struct us_pool *pool)
{
	if (pool->base)
		us_unpoison(pool->base, pool->size * pool->count);
	free(pool->base);
	memset(pool, 0, sizeof(*pool));
}

/**
 * us_pool_get() - hands out an object
 * @pool: the pool.
 *
 * The object put back last comes first: it is likely to be in the cache.
 * Return: the object, not zeroed, or NULL if all are in use.
 */
void *us_pool_get(struct us_pool *pool)
{
	struct link *object = pool->free;

	if (us_likely(object)) {
		us_unpoison(object, pool->size);
		pool->free = object->next;
	} else if (pool->fresh < pool->count) {
		object = (void *)(pool->base + pool->size * pool->fresh++);
		us_unpoison(object, pool->size);
	} else {
		return NULL;
	}
	pool->used++;
	return object;
}

/**
 * us_pool_put() - takes an object back
 * @pool: that it came from.
 * @object: not touched by the caller any more.
 */
void us_pool_put(struct us_pool *pool, void *object)
{
	struct link *link = object;

	link->next = pool->free;
	pool->free = link;
	pool->used--;
	us_poison(object, pool->size);
}
