// SPDX-License-Identifier: MIT
#include "meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define SECOND	1000000000LL

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static int64_t microseconds(struct timeval tv)
{
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

static struct meter_sample sample(const struct meter *meter)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (struct meter_sample){
		.clock = nanoseconds(CLOCK_MONOTONIC),
		.cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID),
		.user = microseconds(usage.ru_utime),
		.sys = microseconds(usage.ru_stime),
		.bytes = meter->bytes,
		.messages = meter->messages,
		.syscalls = meter->api->syscalls(),
	};
}

/* What happened between two samples. */
static struct meter_sample since(const struct meter_sample *then,
				 const struct meter_sample *now)
{
	return (struct meter_sample){
		.clock = now->clock > then->clock ? now->clock - then->clock : 1,
		.cpu = now->cpu - then->cpu,
		.user = now->user - then->user,
		.sys = now->sys - then->sys,
		.bytes = now->bytes - then->bytes,
		.messages = now->messages - then->messages,
		.syscalls = now->syscalls - then->syscalls,
	};
}

void meter_start(struct meter *meter, const struct job *job, const struct api *api)
{
	*meter = (struct meter){ .job = job, .api = api };
	meter->first = meter->last = sample(meter);
}

static void rates(const struct meter_sample *d)
{
	double seconds = (double)d->clock / SECOND;

	fprintf(stderr,
		"%10.3f Mbit/s %10.0f msg/s   user %3.0f %% sys %3.0f %%   %9.0f syscalls/s\n",
		d->bytes * 8 / seconds / 1e6, d->messages / seconds,
		d->user / seconds / 1e4, d->sys / seconds / 1e4,
		d->syscalls / seconds);
}

void meter_line(struct meter *meter)
{
	struct meter_sample now = sample(meter);
	struct meter_sample d = since(&meter->last, &now);

	fprintf(stderr, "%4.0f s ", (double)(now.clock - meter->first.clock) / SECOND);
	rates(&d);
	meter->last = now;
}

void meter_stop(struct meter *meter)
{
	meter->end = sample(meter);
}

void meter_summary(struct meter *meter)
{
	struct meter_sample d = since(&meter->first, &meter->end);
	const char *role = job_sends(meter->job) ? "sent" : "received";
	const char *link = meter->job->kernel ? "none" : meter->job->link;

	fprintf(stderr, "%s %" PRIu64 " bytes in %" PRIu64 " messages, %.3f s",
		role, d.bytes, d.messages, (double)d.clock / SECOND);
	if (meter->lost)
		fprintf(stderr, ", %" PRIu64 " datagrams lost", meter->lost);
	fprintf(stderr, "\n total ");
	rates(&d);
	fprintf(stderr, "summary: sockets=%s link=%s role=%s bytes=%" PRIu64
		" messages=%" PRIu64 " lost=%" PRIu64
		" seconds=%.9f cpu_s=%.9f user_s=%.6f sys_s=%.6f syscalls=%" PRIu64 "\n",
		meter->api->name, link, role, d.bytes, d.messages, meter->lost,
		(double)d.clock / SECOND, (double)d.cpu / SECOND, d.user / 1e6,
		d.sys / 1e6, d.syscalls);
}

int64_t meter_elapsed(const struct meter *meter)
{
	return nanoseconds(CLOCK_MONOTONIC) - meter->first.clock;
}
