// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for headers and for payload that is copied.  Chunks are used again as soon as no packet
 * refers to them: a fresh page is cleared first, which costs as much as the copy.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include "pool.h"

#define PATIENCE	64	/* packets without another try for a chunk */

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
static bool add_chunk(struct nc_pool *pool, u32 at)
{
	if (at == NC_POOL_CHUNKS)
		return false;
	if (pool->patience) {
		pool->patience--;
		return false;
	}
	pool->chunk[at] = alloc_chunk();
	if (!pool->chunk[at])
		pool->patience = PATIENCE;
	return pool->chunk[at];
}

/*
 * Moves on to a chunk that nobody refers to; false if there is none.  A reader
 * that stands still keeps some for long: they are passed over.  What was used
 * lately is warm, so a new one is made only when all are in use.
 */
static bool next_chunk(struct nc_pool *pool)
{
	u32 i, next, empty = NC_POOL_CHUNKS;

	for (i = 0; i < NC_POOL_CHUNKS; i++) {
		next = (pool->current_chunk + i) % NC_POOL_CHUNKS;
		if (pool->chunk[next] && page_ref_count(pool->chunk[next]) == 1)
			break;
		if (!pool->chunk[next])
			empty = min(empty, next);
	}
	if (i == NC_POOL_CHUNKS) {
		next = empty;
		if (!add_chunk(pool, next))
			return false;
	}
	pool->current_chunk = next;
	pool->used = 0;
	return true;
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
	u32 i;

	for (i = 0; i < NC_POOL_CHUNKS; i++)
		if (pool->chunk[i])
			put_page(pool->chunk[i]);
}
