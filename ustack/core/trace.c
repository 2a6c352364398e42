// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "core/trace.h"

/**
 * us_trace_create() - takes the memory of a log
 * @events: that it holds, 1 at least.
 *
 * Return: the log, to be freed with free(3), or NULL.
 */
struct us_trace *us_trace_create(uint32_t events)
{
	struct us_trace *trace = calloc(1, sizeof(*trace) +
					(size_t)events * sizeof(trace->event[0]));

	if (trace)
		trace->count = events;
	return trace;
}

/**
 * us_trace_add() - makes room for an event
 * @trace: the log; its oldest event may go.
 *
 * Return: to be filled in; holds an old event.
 */
struct us_trace_event *us_trace_add(struct us_trace *trace)
{
	return &trace->event[trace->next++ % trace->count];
}
