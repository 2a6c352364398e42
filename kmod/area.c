// SPDX-License-Identifier: GPL-2.0
/* The memory that a channel shares with its owner. */
#include <linux/capability.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "nc.h"
#include "compat.h"

static_assert(sizeof(struct netchannel_ctl) == 256);
static_assert(offsetof(struct netchannel_ctl, status) == 128);
static_assert(sizeof(struct netchannel_rx_desc) == 64);
static_assert(sizeof(struct netchannel_tx_desc) == 64);
static_assert(sizeof(struct netchannel_tx_done) == 16);
static_assert(sizeof(struct netchannel_will) == 64);
static_assert(NC_RING_ALIGN == NETCHANNEL_RX_ALIGN);

static void layout_add(struct netchannel_setup *setup,
		       struct netchannel_region *region, u64 length)
{
	region->offset = setup->area_size;
	region->length = length;
	setup->area_size += PAGE_ALIGN(length);
}

static void layout(struct netchannel_setup *s)
{
	s->area_size = 0;
	layout_add(s, &s->ctl, sizeof(struct netchannel_ctl));
	layout_add(s, &s->rx_desc,
		   (u64)s->rx_depth * sizeof(struct netchannel_rx_desc));
	layout_add(s, &s->rx_released, (u64)s->rx_depth * sizeof(u32));
	layout_add(s, &s->rx_data, s->rx_bytes);
	layout_add(s, &s->tx_desc,
		   (u64)s->tx_depth * sizeof(struct netchannel_tx_desc));
	layout_add(s, &s->tx_inline, (u64)s->tx_depth * NETCHANNEL_TX_INLINE);
	layout_add(s, &s->tx_done,
		   (u64)s->tx_depth * sizeof(struct netchannel_tx_done));
	layout_add(s, &s->tx_data, s->tx_bytes);
	layout_add(s, &s->will, (u64)s->wills * sizeof(struct netchannel_will));
}

/* As for other memory that user space pins: per user, RLIMIT_MEMLOCK. */
static int charge(struct nc_area *area)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	struct user_struct *user = current_user();
	long old, new;

	if (capable(CAP_IPC_LOCK))
		return 0;
	old = atomic_long_read(&user->locked_vm);
	do {
		new = old + area->nr_pages;
		if ((unsigned long)new > limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old, new));
	area->user = get_uid(user);
	return 0;
}

static void uncharge(struct nc_area *area)
{
	if (!area->user)
		return;
	atomic_long_sub(area->nr_pages, &area->user->locked_vm);
	free_uid(area->user);
}

#define BLOCK_MOST	SZ_64K	/* as much as a packet has */

/*
 * Blocks as large as they are to be had without trouble: of a packet that refers to
 * them, each is one fragment.  Where memory is in pieces, not tried again and again.
 */
static struct page *block_alloc(unsigned long nr, unsigned int *most)
{
	unsigned int order = min_t(unsigned int, ilog2(nr), *most);
	struct page *page = NULL;

	for (; order && !page; order--) {
		page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_COMP |
				   __GFP_NORETRY | __GFP_NOWARN, order);
		if (!page)
			*most = order - 1;
	}
	return page ?: alloc_page(NC_GFP_SIZED | __GFP_ZERO);
}

/* Pages from an index on that may be of one block: the arena begins with one of its own. */
static unsigned long until_arena(const struct nc_area *area, unsigned long i)
{
	unsigned long arena = area->layout.tx_data.offset >> PAGE_SHIFT;

	return (i < arena ? arena : area->nr_pages) - i;
}

static int pages_alloc(struct nc_area *area)
{
	unsigned int most = get_order(BLOCK_MOST);
	unsigned long i = 0, n;
	struct page *block;

	area->pages = kvcalloc(area->nr_pages, sizeof(*area->pages),
			       NC_GFP_SIZED);
	if (!area->pages)
		return -ENOMEM;
	while (i < area->nr_pages) {
		if (fatal_signal_pending(current))
			return -EINTR;
		block = block_alloc(until_arena(area, i), &most);
		if (!block)
			return -ENOMEM;
		for (n = 0; n < compound_nr(block); n++)
			area->pages[i++] = block + n;
		cond_resched();
	}
	area->base = vmap(area->pages, area->nr_pages, VM_MAP, PAGE_KERNEL);
	return area->base ? 0 : -ENOMEM;
}

static void pages_free(struct nc_area *area)
{
	unsigned long i, nr;

	if (area->base)
		vunmap(area->base);
	for (i = 0; area->pages && i < area->nr_pages && area->pages[i];
	     i += nr) {
		nr = compound_nr(area->pages[i]);
		put_page(area->pages[i]);
	}
	kvfree(area->pages);
}

static void point(struct nc_area *area)
{
	const struct netchannel_setup *s = &area->layout;

	area->ctl = area->base + s->ctl.offset;
	area->rx_desc = area->base + s->rx_desc.offset;
	area->rx_released = area->base + s->rx_released.offset;
	area->rx_data = area->base + s->rx_data.offset;
	area->tx_desc = area->base + s->tx_desc.offset;
	area->tx_inline = area->base + s->tx_inline.offset;
	area->tx_done = area->base + s->tx_done.offset;
	area->tx_data = area->base + s->tx_data.offset;
}

static void fill(struct nc_area *area)
{
	const struct netchannel_setup *s = &area->layout;
	u32 i;

	for (i = 0; i < s->rx_depth; i++) {
		area->rx_desc[i].seq = nc_ring_initial(i, s->rx_depth);
		area->rx_released[i] = nc_ring_initial(i, s->rx_depth);
	}
	for (i = 0; i < s->tx_depth; i++)
		area->tx_done[i].seq = nc_ring_initial(i, s->tx_depth);
}

/**
 * nc_area_create() - lay out, charge, allocate and initialise an area
 * @setup: checked and complete sizes; out: where everything is.
 *
 * Return: the area, or an error pointer.
 */
struct nc_area *nc_area_create(struct netchannel_setup *setup)
{
	struct nc_area *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);
	int err;

	if (!area)
		return ERR_PTR(-ENOMEM);
	layout(setup);
	area->layout = *setup;
	area->nr_pages = setup->area_size >> PAGE_SHIFT;
	err = charge(area);
	if (!err)
		err = pages_alloc(area);
	if (err) {
		nc_area_destroy(area);
		return ERR_PTR(err);
	}
	point(area);
	fill(area);
	return area;
}

/**
 * nc_area_destroy() - free an area that nobody uses
 * @area: the area, or NULL.
 *
 * May sleep.
 */
void nc_area_destroy(struct nc_area *area)
{
	if (!area)
		return;
	pages_free(area);
	uncharge(area);
	kfree(area);
}

/**
 * nc_area_map() - map an area, or a part of it, into a process
 * @area: the area.
 * @vma: where to.
 *
 * Shared mappings only, never executable; not inherited by fork(), unless the
 * owner wants it.
 *
 * Return: 0 or a negative errno.
 */
int nc_area_map(struct nc_area *area, struct vm_area_struct *vma)
{
	unsigned long nr = vma_pages(vma);

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (vma->vm_pgoff > area->nr_pages ||
	    nr > area->nr_pages - vma->vm_pgoff)
		return -EINVAL;
	nc_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND);
	nc_vm_flags_clear(vma, VM_MAYEXEC);
	return vm_insert_pages(vma, vma->vm_start, area->pages + vma->vm_pgoff,
			       &nr);
}
