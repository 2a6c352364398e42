/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for headers and for payload that is copied. */
#ifndef _NC_POOL_H
#define _NC_POOL_H

#include <linux/mm_types.h>
#include <linux/types.h>

#define NC_POOL_CHUNKS	128	/* at most; made when they are wanted first */
#define NC_POOL_ORDER	3
#define NC_POOL_CHUNK	(PAGE_SIZE << NC_POOL_ORDER)

/**
 * struct nc_pool - chunks of memory that are used again and again
 * @chunk: each has a reference of the pool's and one for each part in use.
 * @current_chunk: the one that parts are taken from.
 * @used: bytes of it that are taken.
 * @patience: packets to come before a chunk is asked for again.
 * @made: chunks that it has.
 * @most: chunks that it may have.
 */
struct nc_pool {
	struct page *chunk[NC_POOL_CHUNKS];
	u32 current_chunk;
	u32 used;
	u32 patience;
	u32 made;
	u32 most;
};

/**
 * struct nc_pool_part - bytes of a chunk
 * @page: the chunk; a reference.
 * @offset: of the first byte.
 * @length: bytes.
 */
struct nc_pool_part {
	struct page *page;
	u32 offset;
	u32 length;
};

void nc_pool_init(struct nc_pool *pool, u64 bytes);
bool nc_pool_take(struct nc_pool *pool, u32 least, u32 most,
		  struct nc_pool_part *part);
void nc_pool_destroy(struct nc_pool *pool);

#endif /* _NC_POOL_H */
