// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

#include "trace.h"

#define TRACING	"/sys/kernel/tracing"

/* Opening "trace" for writing empties it. */
static int set(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	if (!f)
		return -errno;
	fputs(text, f);
	return fclose(f) ? -errno : 0;
}

static int enable(const char *event, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), TRACING "/events/%s/enable", event);
	return set(path, value);
}

/**
 * trace_start() - from now on an event is recorded
 * @event: its path below events/.
 *
 * Names of tasks are not: for these the kernel patches its scheduler's wake-ups and switches
 * while the other CPU runs them, and QEMU 7.2, which translates a page that another CPU is
 * writing, was seen to keep the breakpoint that patching puts there for a moment ("Oops: int3"
 * in ttwu_do_activate()).
 *
 * Return: 0 or a negative errno.
 */
int trace_start(const char *event)
{
	int err;

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	err = set(TRACING "/trace", "");
	if (!err)
		err = set(TRACING "/options/record-cmd", "0");
	return err ? err : enable(event, "1");
}

/**
 * trace_stop() - record it no longer, and count what was recorded
 * @event: as above.
 * @counts: does a line count?
 * @argument: handed to it.
 *
 * Return: how many do, or a negative errno.
 */
int trace_stop(const char *event, bool (*counts)(const char *line, const void *argument),
	       const void *argument)
{
	int err = enable(event, "0"), n = 0;
	FILE *f = fopen(TRACING "/trace", "r");
	char line[512];

	if (err || !f)
		return err ? err : -errno;
	while (fgets(line, sizeof(line), f))
		n += counts(line, argument);
	fclose(f);
	return n;
}
