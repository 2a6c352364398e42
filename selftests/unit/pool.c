// SPDX-License-Identifier: MIT
/* core/pool.c */
#include <errno.h>
#include <string.h>

#include "core/pool.h"
#include "tap.h"

#define COUNT	100

int main(void)
{
	struct us_pool pool;
	void *object[COUNT];
	bool distinct = true;
	int i;

	plan(11);
	ok(us_pool_create(&pool, 0, 1) == -EINVAL, "objects of no size");
	ok(us_pool_create(&pool, 1, 0) == -EINVAL, "no objects");
	ok(us_pool_create(&pool, SIZE_MAX / 2, 3) == -ENOMEM, "overflow");
	us_pool_destroy(&pool);
	ok(us_pool_create(&pool, 41, COUNT) == 0, "create");
	ok(pool.size == 48 && (uintptr_t)pool.base % 64 == 0, "alignment");
	for (i = 0; i < COUNT; i++) {
		object[i] = us_pool_get(&pool);
		memset(object[i], i, 41);
	}
	for (i = 0; i < COUNT; i++)
		distinct &= *(uint8_t *)object[i] == i &&
			((uint8_t *)object[i])[40] == i;
	ok(distinct, "objects do not overlap");
	ok(!us_pool_get(&pool) && pool.used == COUNT, "exhausted");
	us_pool_put(&pool, object[7]);
	ok(us_pool_get(&pool) == object[7], "the last one put comes first");
	for (i = 0; i < COUNT; i++)
		us_pool_put(&pool, object[i]);
	ok(pool.used == 0, "all back");
	for (i = 0; i < COUNT; i++)
		object[i] = us_pool_get(&pool);
	ok(object[COUNT - 1] && !us_pool_get(&pool), "all can be had again");
	us_pool_destroy(&pool);
	ok(!pool.base && !pool.count, "destroyed");
	return finish();
}
