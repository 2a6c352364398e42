/* SPDX-License-Identifier: GPL-2.0 */
/* Events of the kernel's tracepoints, counted. */
#ifndef SELFTEST_TRACE_H
#define SELFTEST_TRACE_H

#include <stdbool.h>

int trace_start(const char *event);
int trace_stop(const char *event, bool (*counts)(const char *line, const void *argument),
	       const void *argument);

#endif
