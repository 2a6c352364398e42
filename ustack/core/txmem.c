// SPDX-License-Identifier: MIT
/* Send memory: a buddy allocator over one range of bytes. */
#include <errno.h>
#include <stdlib.h>

#include "core/asan.h"
#include "core/tx.h"

#define ORDERS		6u	/* US_CHUNK_MIN << 5 is US_CHUNK_MAX */
#define PAGE		4096u

_Static_assert(US_CHUNK_MIN << (ORDERS - 1) == US_CHUNK_MAX, "orders");

/**
 * struct unit - US_CHUNK_MIN bytes of the domain
 * @chunk: first member; what a block that begins here is to its user.
 * @node: in us_txmem.free, if @free.
 * @lender: of a chunk that borrows.
 * @order: of the block that begins here.
 * @free: a free block begins here.
 */
struct unit {
	struct us_chunk chunk;
	union {
		struct cds_list_head node;
		struct us_lender *lender;
	};
	uint8_t order;
	bool free;
};

/**
 * struct us_txmem - a domain
 * @base: first byte.
 * @own: @base, if the domain allocated it.
 * @units: of US_CHUNK_MIN bytes.
 * @free_bytes: in free blocks.
 * @free: blocks of each order.
 * @unit: one for each US_CHUNK_MIN bytes, by address.
 */
struct us_txmem {
	uint8_t *base;
	uint8_t *own;
	uint32_t units;
	size_t free_bytes;
	struct cds_list_head free[ORDERS];
	struct unit unit[];
};

static uint32_t bytes_of(unsigned int order)
{
	return US_CHUNK_MIN << order;
}

static uint32_t index_of(const struct us_txmem *mem, const struct unit *unit)
{
	return (uint32_t)(unit - mem->unit);
}

static void set_free(struct us_txmem *mem, struct unit *unit, unsigned int order)
{
	unit->order = (uint8_t)order;
	unit->free = true;
	cds_list_add(&unit->node, &mem->free[order]);
	us_poison(mem->base + (size_t)index_of(mem, unit) * US_CHUNK_MIN,
		  bytes_of(order));
}

/* Cuts the domain into the largest aligned blocks that fit. */
static void cut(struct us_txmem *mem)
{
	uint32_t index = 0;
	unsigned int order;

	for (order = 0; order < ORDERS; order++)
		CDS_INIT_LIST_HEAD(&mem->free[order]);
	for (order = ORDERS - 1; index < mem->units;) {
		if (mem->units - index < 1u << order) {
			order--;
			continue;
		}
		set_free(mem, &mem->unit[index], order);
		index += 1u << order;
	}
	mem->free_bytes = (size_t)mem->units * US_CHUNK_MIN;
}

/**
 * us_txmem_create() - makes a domain
 * @out: where it is put; the caller destroys it.
 * @base: its memory, which stays the caller's; NULL takes it from the heap.
 * @size: bytes; what is left over of a multiple of US_CHUNK_MIN is not used.
 *
 * Return: 0, -EINVAL if @size is less than one chunk, or 4 GiB and more, -ENOMEM.
 */
int us_txmem_create(struct us_txmem **out, uint8_t *base, size_t size)
{
	size_t units = size / US_CHUNK_MIN;
	struct us_txmem *mem;

	if (!units || size > UINT32_MAX)
		return -EINVAL;
	mem = calloc(1, sizeof(*mem) + units * sizeof(mem->unit[0]));
	if (!mem)
		return -ENOMEM;
	if (!base) {
		mem->own = aligned_alloc(PAGE, (size + PAGE - 1) &
					 ~(size_t)(PAGE - 1));
		base = mem->own;
	}
	if (!base) {
		free(mem);
		return -ENOMEM;
	}
	mem->base = base;
	mem->units = (uint32_t)units;
	cut(mem);
	*out = mem;
	return 0;
}

/**
 * us_txmem_destroy() - ends a domain
 * @mem: or NULL; no chunk of it may be used any more.
 */
void us_txmem_destroy(struct us_txmem *mem)
{
	if (!mem)
		return;
	us_unpoison(mem->base, (size_t)mem->units * US_CHUNK_MIN);
	free(mem->own);
	free(mem);
}

/**
 * us_txmem_free_bytes() - what is left
 * @mem: the domain.
 *
 * Return: free bytes, in whatever sizes of chunks.
 */
size_t us_txmem_free_bytes(const struct us_txmem *mem)
{
	return mem->free_bytes;
}

/**
 * us_txmem_size() - all of it, free or not
 * @mem: the domain.
 */
size_t us_txmem_size(const struct us_txmem *mem)
{
	return (size_t)mem->units * US_CHUNK_MIN;
}

static bool any_free(const struct us_txmem *mem, unsigned int order)
{
	return mem->free[order].next != &mem->free[order];
}

/* The order of the block to use for @want bytes, or ORDERS: exhausted. */
static unsigned int choose(const struct us_txmem *mem, uint32_t want)
{
	unsigned int order = 0, fit;

	while (order < ORDERS - 1 && bytes_of(order) < want)
		order++;
	for (fit = order; fit < ORDERS; fit++)
		if (any_free(mem, fit))
			return fit;
	while (order-- > 0)
		if (any_free(mem, order))
			return order;
	return ORDERS;
}

/**
 * us_chunk_alloc() - takes a chunk
 * @mem: the domain.
 * @want: bytes wished for; more than US_CHUNK_MAX counts as that.
 *
 * Return: the smallest free chunk of at least @want bytes, else the largest
 * smaller one, with one reference; NULL if there is none.
 */
struct us_chunk *us_chunk_alloc(struct us_txmem *mem, uint32_t want)
{
	unsigned int order = choose(mem, want);
	struct unit *unit;

	if (order == ORDERS)
		return NULL;
	unit = us_container(mem->free[order].next, struct unit, node);
	cds_list_del(&unit->node);
	unit->free = false;
	while (order > 0 && bytes_of(order - 1) >= want) {
		order--;
		set_free(mem, unit + (1u << order), order);
	}
	unit->order = (uint8_t)order;
	unit->chunk = (struct us_chunk) {
		.mem = mem,
		.data = mem->base + (size_t)index_of(mem, unit) * US_CHUNK_MIN,
		.size = bytes_of(order),
		.refs = 1,
	};
	mem->free_bytes -= unit->chunk.size;
	us_unpoison(unit->chunk.data, unit->chunk.size);
	return &unit->chunk;
}

static struct unit *unit_of(struct us_chunk *chunk)
{
	return us_container(chunk, struct unit, chunk);
}

/* What us_chunk.data is of a chunk that borrows nothing. */
static uint8_t *own(struct us_chunk *chunk)
{
	return chunk->mem->base + (size_t)index_of(chunk->mem, unit_of(chunk)) * US_CHUNK_MIN;
}

/**
 * us_chunk_borrow() - sends from where the bytes lie
 * @chunk: new; nothing can be added to it.  Its own memory is kept for us_chunk_return().
 * @data: stays until @lender is told.
 * @len: of @data, at most chunk->size.
 * @lender: one reference more.
 */
void us_chunk_borrow(struct us_chunk *chunk, const void *data, uint32_t len,
		     struct us_lender *lender)
{
	chunk->data = (uint8_t *)data;	/* which is only read */
	chunk->size = len;
	chunk->len = len;
	chunk->refs |= US_CHUNK_BORROWS;
	unit_of(chunk)->lender = lender;
	lender->refs++;
}

/**
 * us_chunk_lender() - of whom a chunk borrows
 * @chunk: us_chunk_borrows().
 */
struct us_lender *us_chunk_lender(struct us_chunk *chunk)
{
	return unit_of(chunk)->lender;
}

/**
 * us_chunk_return() - copies what is borrowed: the lender's memory is needed no more
 * @chunk: us_chunk_borrows(); slots of a link that refer to it find the copy.
 */
void us_chunk_return(struct us_chunk *chunk)
{
	memcpy(own(chunk), chunk->data, chunk->len);
	chunk->data = own(chunk);
	chunk->refs &= ~US_CHUNK_BORROWS;
	us_lender_put(unit_of(chunk)->lender);
}

/**
 * us_chunk_free() - gives a chunk back; see us_chunk_put()
 * @chunk: that nobody refers to.
 *
 * Joins it with its free neighbours.
 */
void us_chunk_free(struct us_chunk *chunk)
{
	struct us_txmem *mem = chunk->mem;
	struct unit *unit = unit_of(chunk);
	uint32_t index = index_of(mem, unit);
	unsigned int order = unit->order;

	if (us_unlikely(us_chunk_borrows(chunk)))
		us_lender_put(unit->lender);
	mem->free_bytes += bytes_of(order);
	for (; order < ORDERS - 1; order++) {
		uint32_t buddy = index ^ 1u << order;

		if (buddy + (1u << order) > mem->units ||
		    !mem->unit[buddy].free || mem->unit[buddy].order != order)
			break;
		cds_list_del(&mem->unit[buddy].node);
		mem->unit[buddy].free = false;
		index &= buddy;
	}
	set_free(mem, &mem->unit[index], order);
}
