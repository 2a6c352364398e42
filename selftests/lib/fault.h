/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations that fail: fault injection of the debug kernel. */
#ifndef SELFTEST_FAULT_H
#define SELFTEST_FAULT_H

#include <stdbool.h>
#include <unistd.h>

#define FAULT_NTH	"/proc/thread-self/fail-nth"

#define NEEDS_FAULT_INJECTION()						\
do {									\
	if (access(FAULT_NTH, F_OK))					\
		SKIP(return, "kernel without fault injection");		\
} while (0)

/* What may sleep may fail, whatever its size, and nothing is reported. */
void fault_init(void);
/* The @nth allocation, or copy from or to the caller, from now on; 0: none. */
void fault_nth(int nth);
/* Was it reached?  It is not to come any more. */
bool fault_came(void);

#endif /* SELFTEST_FAULT_H */
