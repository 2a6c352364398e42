/* SPDX-License-Identifier: MIT */
/* Copies of what is short. */
#ifndef US_CORE_COPY_H
#define US_CORE_COPY_H

#include <stdint.h>
#include <string.h>

/**
 * us_copy_short() - the library's copy
 * @to: where it goes.
 * @from: not NULL, not even for nothing.
 * @len: bytes.
 *
 * What it knows to be short the compiler copies by "rep movs", which is slow to begin.
 */
static inline void us_copy_short(void *to, const void *from, size_t len)
{
	__asm__("" : "+r"(len));
	memcpy(to, from, len);
}

#endif /* US_CORE_COPY_H */
