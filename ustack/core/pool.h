/* SPDX-License-Identifier: MIT */
/* A pool of objects of one size, all allocated at creation. */
#ifndef US_CORE_POOL_H
#define US_CORE_POOL_H

#include "core/types.h"

struct us_pool {
	uint8_t *base;
	void *free;		/* first free object; each holds the next */
	size_t size;
	uint32_t count;
	uint32_t used;
};

int us_pool_create(struct us_pool *pool, size_t size, uint32_t count);
void us_pool_destroy(struct us_pool *pool);
void *us_pool_get(struct us_pool *pool);	/* not zeroed; NULL: exhausted */
void us_pool_put(struct us_pool *pool, void *object);

#endif /* US_CORE_POOL_H */
