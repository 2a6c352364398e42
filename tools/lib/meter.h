/* SPDX-License-Identifier: MIT */
/* What a run costs: a line a second, and a summary. */
#ifndef TOOLS_METER_H
#define TOOLS_METER_H

#include "api.h"

/**
 * struct meter_sample - a point in time
 * @clock: CLOCK_MONOTONIC, nanoseconds.
 * @cpu: of this process, nanoseconds.
 * @user: of that, microseconds in user mode, as far as the kernel knows.
 * @sys: alike in the kernel.
 * @bytes: of payload so far.
 * @messages: so far.
 * @syscalls: for the sockets, so far.
 */
struct meter_sample {
	int64_t clock;
	int64_t cpu;
	int64_t user;
	int64_t sys;
	uint64_t bytes;
	uint64_t messages;
	uint64_t syscalls;
};

/**
 * struct meter - of a run
 * @job: for names.
 * @api: counts system calls.
 * @bytes: of payload so far; the run adds.
 * @messages: alike.
 * @lost: datagrams that did not come.
 * @first: when the run began.
 * @last: at the last line.
 * @end: when the run ended.
 */
struct meter {
	const struct job *job;
	const struct api *api;
	uint64_t bytes;
	uint64_t messages;
	uint64_t lost;
	struct meter_sample first;
	struct meter_sample last;
	struct meter_sample end;
};

/**
 * meter_start() - the transfer begins
 * @meter: set to zero, and to now.
 * @job: kept.
 * @api: kept.
 */
void meter_start(struct meter *meter, const struct job *job, const struct api *api);

/**
 * meter_line() - tells on standard error of the time since the last line
 * @meter: started.
 */
void meter_line(struct meter *meter);

/**
 * meter_stop() - the transfer has ended
 * @meter: started; the last call counts.
 */
void meter_stop(struct meter *meter);

/**
 * meter_summary() - tells on standard error of it all, for people and for programs
 * @meter: stopped.
 */
void meter_summary(struct meter *meter);

/**
 * meter_elapsed() - how long a run has taken so far
 * @meter: started.
 *
 * Return: nanoseconds.
 */
int64_t meter_elapsed(const struct meter *meter);

#endif /* TOOLS_METER_H */
