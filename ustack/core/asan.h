/* SPDX-License-Identifier: MIT */
/* Tells AddressSanitizer which pooled memory is free, so that stale use shows. */
#ifndef US_CORE_ASAN_H
#define US_CORE_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define US_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define US_ASAN 1
#endif
#endif

#ifdef US_ASAN
#include <sanitizer/asan_interface.h>
#define us_poison(p, n)		__asan_poison_memory_region((p), (n))
#define us_unpoison(p, n)	__asan_unpoison_memory_region((p), (n))
#else
#define us_poison(p, n)		((void)(p), (void)(n))
#define us_unpoison(p, n)	((void)(p), (void)(n))
#endif

#endif /* US_CORE_ASAN_H */
