/* SPDX-License-Identifier: MIT */
/*
 * What a benchmark is made of.  A contender is a stack over a link, a workload
 * moves bytes or connections through it, a row is one of each; the tables in
 * contenders.c and pipe.c name them.
 */
#ifndef UBENCH_BENCH_H
#define UBENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "lib/results.h"

enum bench_end {
	BENCH_CLIENT,
	BENCH_SERVER,
};

#define BENCH_ADDRESSES	256u	/* of the client */
#define BENCH_PORT	4096u	/* the client's first */
#define BENCH_PORTS	61440u	/* each address has so many */

/**
 * struct bench_waits - TIME-WAIT
 * @entered: connections that did.
 * @dropped: records that gave way before their time.
 * @reused: records that a new connection replaced (RFC 6191).
 * @held: records that are there now.
 */
struct bench_waits {
	uint64_t entered;
	uint64_t dropped;
	uint64_t reused;
	uint64_t held;
};

/**
 * struct bench_contender - two ends that talk TCP, in one thread
 * @name: as results have it.
 * @open: makes both ends and listens; @link is the row's, see struct bench_row.
 *	NULL: failed, which it told.
 * @close: ends them.
 * @connect: begins a connection, from one of the client's names: a number below
 *	BENCH_ADDRESSES * BENCH_PORTS.  NULL: failed.
 * @connected: has it been answered?
 * @accept: a connection for the server; NULL: none yet.
 * @send: bytes taken, 0 if there is no room, -1.
 * @recv: bytes, 0 if there are none yet, -1 at the end of the stream.
 * @reserve: lends room to send from: bytes, 0 if there is no room, -1.  This and the
 *	three below: NULL, or what the contender lends.
 * @submit: sends the first @len bytes of it.
 * @peek: lends what came: pieces, 0 if there are none yet, -1 at the end.
 * @release: @len bytes were read.
 * @end: close(2), in order.
 * @poll: runs one end, once.
 * @waits: TIME-WAIT of both ends; NULL: there is no way to tell.
 *
 * The sockets do not block.
 */
struct bench_contender {
	const char *name;
	void *(*open)(const char *link);
	void (*close)(void *bench);
	void *(*connect)(void *bench, uint32_t client);
	bool (*connected)(void *socket);
	void *(*accept)(void *bench);
	ssize_t (*send)(void *socket, const void *data, size_t len);
	ssize_t (*recv)(void *socket, void *data, size_t len);
	ssize_t (*reserve)(void *socket, size_t len, void **room);
	bool (*submit)(void *socket, size_t len);
	int (*peek)(void *socket, struct iovec *pieces, int count);
	bool (*release)(void *socket, size_t len);
	void (*end)(void *socket);
	void (*poll)(void *bench, enum bench_end end);
	void (*waits)(void *bench, struct bench_waits *waits);
};

extern const struct bench_contender bench_ustack;
extern const struct bench_contender bench_ustack_zerocopy;
extern const struct bench_contender bench_lwip;

/**
 * struct bench_run - one measurement
 * @api: the contender.
 * @bench: from its open().
 * @nanoseconds: to measure for.
 * @result: in the unit of the workload.
 * @waits: TIME-WAIT at the end, if the workload makes any.
 * @rss: bytes by which the process grew meanwhile.
 */
struct bench_run {
	const struct bench_contender *api;
	void *bench;
	int64_t nanoseconds;
	double result;
	struct bench_waits waits;
	int64_t rss;
};

/**
 * struct bench_workload - what is done
 * @name: as results have it.
 * @unit: of the result; more is better.
 * @measure: false: failed, which it told.
 * @factor: measured so many times longer than others.
 * @waits: tells of TIME-WAIT.
 */
struct bench_workload {
	const char *name;
	const char *unit;
	bool (*measure)(struct bench_run *run);
	unsigned int factor;
	bool waits;
};

/* workload.c */
extern const struct bench_workload bench_bulk;
extern const struct bench_workload bench_bulk_lent;
extern const struct bench_workload bench_messages;
extern const struct bench_workload bench_requests;
extern const struct bench_workload bench_connections;
extern const struct bench_workload bench_reuse;
int64_t bench_clock(void);
int64_t bench_rss(void);

/**
 * struct bench_row - a line of the results
 * @workload: what is done.
 * @variant: the contender, and what is special.
 * @contender: who does it.
 * @link: options of its link, after "pipe:name=...".
 * @beside: compared with others: the one that they are compared with.
 * @target: ratio to that one that is to be reached; 0: none.
 */
struct bench_row {
	const struct bench_workload *workload;
	const char *variant;
	const struct bench_contender *contender;
	const char *link;
	bool beside;
	double target;
};

/**
 * struct bench_options - of the command line
 * @seconds: of one measurement.
 * @runs: of each row.
 * @workload: only this one, or NULL.
 * @variant: only this one, or NULL.
 * @results: file to append to, or NULL.
 * @connections: of `idle`.
 * @budget: bytes that an end may cost in `idle`; 0: any.
 */
struct bench_options {
	double seconds;
	unsigned int runs;
	const char *workload;
	const char *variant;
	const char *results;
	uint32_t connections;
	double budget;
};

/* The subcommands; exit statuses. */
int bench_pipe(const struct bench_options *options);
int bench_idle(const struct bench_options *options);

#endif /* UBENCH_BENCH_H */
