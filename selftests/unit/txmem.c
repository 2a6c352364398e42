// SPDX-License-Identifier: MIT
/* core/txmem.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/tx.h"
#include "tap.h"

#define CHUNKS	64

/* Chunks hold what was written to them, whatever is taken and given back. */
static bool churn(struct us_txmem *mem, size_t all)
{
	struct us_chunk *held[CHUNKS] = { 0 };
	struct us_random random;
	size_t used = 0, i;
	int n;

	us_random_init(&random, 1);
	for (n = 0; n < 20000; n++) {
		i = us_random_below(&random, CHUNKS);
		if (held[i]) {
			if (held[i]->data[0] != i ||
			    held[i]->data[held[i]->size - 1] != i)
				return false;
			used -= held[i]->size;
			us_chunk_put(held[i]);
			held[i] = NULL;
		} else {
			held[i] = us_chunk_alloc(mem, us_random_below(&random,
								      70000));
			if (!held[i])
				continue;
			memset(held[i]->data, (int)i, held[i]->size);
			used += held[i]->size;
		}
		if (us_txmem_free_bytes(mem) != all - used)
			return false;
	}
	for (i = 0; i < CHUNKS; i++)
		if (held[i])
			us_chunk_put(held[i]);
	return us_txmem_free_bytes(mem) == all;
}

/* A tail that is no power of two is cut up, and joined again only with itself. */
static void odd_size(void)
{
	size_t size = US_CHUNK_MAX + 3 * US_CHUNK_MIN + 100;
	size_t all = US_CHUNK_MAX + 3 * US_CHUNK_MIN;
	uint8_t *base = malloc(size);
	struct us_chunk *a, *b, *c;
	struct us_txmem *mem;

	ok(us_txmem_create(&mem, base, size) == 0 &&
	   us_txmem_free_bytes(mem) == all, "odd size: the rest is not used");
	a = us_chunk_alloc(mem, US_CHUNK_MAX);
	b = us_chunk_alloc(mem, US_CHUNK_MAX);
	c = us_chunk_alloc(mem, US_CHUNK_MAX);
	ok(a && a->data == base && a->size == US_CHUNK_MAX, "the whole block");
	ok(b && b->size == 2 * US_CHUNK_MIN, "then the largest that is left");
	ok(c && c->size == US_CHUNK_MIN, "and the next");
	ok(!us_chunk_alloc(mem, 1) && us_txmem_free_bytes(mem) == 0, "exhausted");
	us_chunk_put(b);
	us_chunk_put(c);
	us_chunk_put(a);
	ok(churn(mem, all), "many chunks of an odd domain");
	us_txmem_destroy(mem);
	free(base);
}

static int told_of;

static void told(struct us_lender *lender)
{
	(void)lender;
	told_of++;
}

/* What is borrowed is told of when the last one who refers to it lets go, or it is copied. */
static void borrowed(struct us_txmem *mem)
{
	size_t all = us_txmem_free_bytes(mem);
	struct us_lender lender = { 1, told };
	struct us_chunk *a = us_chunk_alloc(mem, 3000), *b = us_chunk_alloc(mem, 3000);
	uint8_t *own = b->data;
	char bytes[3000] = "borrowed";

	us_chunk_borrow(a, bytes, 3000, &lender);
	us_chunk_borrow(b, bytes, 9, &lender);
	us_lender_put(&lender);
	ok(a->data == (uint8_t *)bytes && a->len == 3000 && a->size == a->len &&
	   us_chunk_borrows(a) && us_chunk_lender(a) == &lender, "borrowed: without room");
	us_chunk_get(a);
	us_chunk_put(a);
	ok(!told_of, "borrowed: told of by nobody yet");
	us_chunk_put(a);
	us_chunk_get(b);
	us_chunk_return(b);
	ok(told_of == 1, "borrowed: then once");
	memset(bytes, 0, sizeof(bytes));
	ok(b->data == own && !strcmp((char *)b->data, "borrowed") && !us_chunk_borrows(b) &&
	   b->refs == 2, "borrowed: whoever refers to it finds a copy");
	us_chunk_put(b);
	us_chunk_put(b);
	ok(us_txmem_free_bytes(mem) == all && told_of == 1, "borrowed: no memory is lost");
}

int main(void)
{
	struct us_txmem *mem;
	struct us_chunk *a, *b;

	plan(19);
	ok(us_txmem_create(&mem, NULL, US_CHUNK_MIN - 1) == -EINVAL, "too small");
	ok(us_txmem_create(&mem, NULL, 4 * US_CHUNK_MAX) == 0, "from the heap");
	a = us_chunk_alloc(mem, 1);
	b = us_chunk_alloc(mem, US_CHUNK_MIN + 1);
	ok(a && a->size == US_CHUNK_MIN && a->refs == 1, "least chunk");
	ok(b && b->size == 2 * US_CHUNK_MIN, "rounded up to a power of two");
	us_chunk_get(a);
	us_chunk_put(a);
	ok(us_txmem_free_bytes(mem) == 4 * US_CHUNK_MAX - 3 * US_CHUNK_MIN,
	   "a second reference keeps it");
	us_chunk_put(a);
	us_chunk_put(b);
	a = us_chunk_alloc(mem, UINT32_MAX);
	ok(a && a->size == US_CHUNK_MAX, "a wish beyond the greatest chunk");
	us_chunk_put(a);
	ok(churn(mem, 4 * US_CHUNK_MAX), "many chunks");
	a = us_chunk_alloc(mem, US_CHUNK_MAX);
	ok(a && a->size == US_CHUNK_MAX, "free blocks were joined");
	us_chunk_put(a);
	borrowed(mem);
	us_txmem_destroy(mem);
	us_txmem_destroy(NULL);
	odd_size();
	return finish();
}
