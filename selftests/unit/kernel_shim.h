/* SPDX-License-Identifier: MIT */
/*
 * What the module's two pure headers need of the kernel, in user space.  The
 * barriers are atomics, so that the thread sanitizer knows what they order.
 */
#ifndef SELFTESTS_UNIT_KERNEL_SHIM_H
#define SELFTESTS_UNIT_KERNEL_SHIM_H

#include <arpa/inet.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value)	__atomic_store_n(&(x), value, __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, value) \
	__atomic_store_n(p, value, __ATOMIC_RELEASE)

#endif /* SELFTESTS_UNIT_KERNEL_SHIM_H */
