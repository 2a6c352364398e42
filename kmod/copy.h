/* SPDX-License-Identifier: GPL-2.0 */
/* Copies of payload. */
#ifndef _NC_COPY_H
#define _NC_COPY_H

#include <linux/kasan-checks.h>
#include <linux/string.h>
#include <linux/types.h>

#define NC_COPY_LONG	1024	/* bytes for which to start a string instruction pays */

/**
 * nc_copy() - copies bytes, many of them by a string instruction
 * @to: where they go.
 * @from: what is copied; the two do not overlap.
 * @len: bytes.
 *
 * memcpy() from 6.4 on has one for processors with FSRM only.  On others, which have
 * fast strings for as long, it is a loop over words.
 */
static inline void nc_copy(void *to, const void *from, size_t len)
{
#ifdef CONFIG_X86_64
	if (len >= NC_COPY_LONG) {
		size_t words = len / 8;

		kasan_check_read(from, len);
		kasan_check_write(to, len);
		asm volatile("rep movsq"
			     : "+D" (to), "+S" (from), "+c" (words) : : "memory");
		len %= 8;
	}
#endif
	memcpy(to, from, len);
}

#endif /* _NC_COPY_H */
