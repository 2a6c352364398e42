// SPDX-License-Identifier: MIT
/*
 * Instructions of the whole guest.  Its clock counts them, and goes on at once to
 * the next timer when there is nothing to do: the kernel's own account of that,
 * in nanoseconds, is taken off.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/mark.h"
#include "vbench.h"

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "re");

	if (file)
		return file;
	perror(path);
	exit(1);
}

/* What /proc/stat has in hundredths of a second. */
static int64_t idle_time(void)
{
	FILE *file = open_file("/proc/timer_list");
	char line[256];
	int64_t idle, sum = 0;
	bool any = false;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " .idle_sleeptime : %" SCNd64, &idle) != 1)
			continue;
		any = true;
		sum += idle;
	}
	fclose(file);
	if (any)
		return sum;
	fputs("vbench: /proc/timer_list has no idle_sleeptime: root may read it, where the kernel has NO_HZ\n",
	      stderr);
	exit(1);
}

/**
 * busy_begin() - begins to measure
 * @busy: what there was before; what reading it costs is outside.
 */
void busy_begin(struct busy *busy)
{
	busy->idle = idle_time();
	busy->clock = now();
	mark_start();
}

/**
 * busy_end() - ends to measure
 * @busy: from busy_begin(); becomes the difference.
 */
void busy_end(struct busy *busy)
{
	mark_stop();
	busy->clock = now() - busy->clock;
	busy->idle = idle_time() - busy->idle;
}

/**
 * busy_device_bytes() - what crossed a device, both ways
 * @device: of this namespace.
 *
 * Return: bytes; 0 if there is no such device.
 */
uint64_t busy_device_bytes(const char *device)
{
	FILE *file = open_file("/proc/self/net/dev");
	uint64_t rx, tx, sum = 0;
	char line[512], name[32];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " %31[^:]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			   name, &rx, &tx) == 3 && !strcmp(name, device))
			sum = rx + tx;
	fclose(file);
	return sum;
}
