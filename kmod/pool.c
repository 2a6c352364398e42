// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for headers and for payload that is copied.  Chunks are used again as soon as
 * no packet refers to them: a fresh page is cleared first, which costs as much as the
 * copy.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include "pool.h"

#define PATIENCE	64	/* packets without another try for a chunk */
#define STEPS		16u	/* chunks that are looked at for one packet */

static struct page *alloc_chunk(void)
{
	struct page *page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_COMP |
					__GFP_NOWARN | __GFP_NORETRY,
					NC_POOL_ORDER);

	/* The last reserves are not for keeping. */
	if (page && page_is_pfmemalloc(page)) {
		put_page(page);
		return NULL;
	}
	return page;
}

/* Where memory is short, each try costs more than all else of a packet. */
static bool add_chunk(struct nc_pool *pool)
{
	struct page *chunk;

	if (pool->made == pool->most)
		return false;
	if (pool->patience) {
		pool->patience--;
		return false;
	}
	chunk = alloc_chunk();
	if (chunk)
		pool->chunk[pool->made++] = chunk;
	else
		pool->patience = PATIENCE;
	return chunk;
}

/* Looks for a chunk that nobody refers to, further on than the last time. */
static bool find_chunk(struct nc_pool *pool)
{
	u32 i, steps = min(pool->made, STEPS);

	for (i = 0; i < steps; i++) {
		if (++pool->current_chunk >= pool->made)
			pool->current_chunk = 0;
		if (page_ref_count(pool->chunk[pool->current_chunk]) == 1)
			return true;
	}
	return false;
}

/*
 * Moves on to another chunk; false if there is none.  They mostly come back in the
 * order in which they went, so that a free one is found at once, but for those that a
 * reader who stands still keeps for long.
 */
static bool next_chunk(struct nc_pool *pool)
{
	bool found = find_chunk(pool);

	if (!found && add_chunk(pool)) {
		pool->current_chunk = pool->made - 1;
		found = true;
	}
	pool->used = found ? 0 : NC_POOL_CHUNK;
	return found;
}

/**
 * nc_pool_init() - an empty pool
 * @pool: zeroed.
 * @bytes: that it may have.
 */
void nc_pool_init(struct nc_pool *pool, u64 bytes)
{
	pool->most = clamp_t(u64, bytes / NC_POOL_CHUNK, 1, NC_POOL_CHUNKS);
}

/**
 * nc_pool_take() - contiguous bytes
 * @pool: the pool; who calls serialises.
 * @least: bytes that are of use, 1..NC_POOL_CHUNK.
 * @most: bytes wanted.
 * @part: out: where they are, with a reference to the page.
 *
 * Return: false if all chunks are in use.
 */
bool nc_pool_take(struct nc_pool *pool, u32 least, u32 most,
		  struct nc_pool_part *part)
{
	struct page *page = pool->chunk[pool->current_chunk];

	/* What was read through other references was read before they went. */
	if (page && page_ref_count(page) == 1)
		pool->used = 0;
	if ((!page || NC_POOL_CHUNK - pool->used < least) && !next_chunk(pool))
		return false;
	page = pool->chunk[pool->current_chunk];
	part->page = page;
	part->offset = pool->used;
	part->length = min_t(u32, most, NC_POOL_CHUNK - pool->used);
	pool->used = min_t(u32, NC_POOL_CHUNK,
			   ALIGN(pool->used + part->length, SMP_CACHE_BYTES));
	get_page(page);
	return true;
}

/**
 * nc_pool_destroy() - let go of all chunks
 * @pool: the pool; packets may still refer to them.
 */
void nc_pool_destroy(struct nc_pool *pool)
{
	while (pool->made)
		put_page(pool->chunk[--pool->made]);
}
