/* SPDX-License-Identifier: MIT */
/* A pool of objects of one size, all allocated at creation. */
#ifndef US_CORE_POOL_H
#define US_CORE_POOL_H

#include "core/types.h"

/**
 * struct us_pool - objects of one size
 * @base: their memory, aligned to a cache line.
 * @free: first object that was put back; each holds the next.
 * @size: bytes of one, rounded up to 16; a multiple of 64 keeps every object on
 *	cache lines of its own.
 * @count: objects in all.
 * @used: objects handed out.
 * @fresh: objects from this index on were never handed out; their pages are
 *	not touched before they are needed.
 */
struct us_pool {
	uint8_t *base;
	void *free;
	size_t size;
	uint32_t count;
	uint32_t used;
	uint32_t fresh;
};

/* 0, -EINVAL for a size or count of 0, -ENOMEM. */
int us_pool_create(struct us_pool *pool, size_t size, uint32_t count);
/* Frees the memory, whoever still holds objects.  Harmless on a zeroed pool. */
void us_pool_destroy(struct us_pool *pool);
/* An object, not zeroed, owned by the caller; NULL: exhausted. */
void *us_pool_get(struct us_pool *pool);
/* Takes back an object of this pool. */
void us_pool_put(struct us_pool *pool, void *object);

#endif /* US_CORE_POOL_H */
