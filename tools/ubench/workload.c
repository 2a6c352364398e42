// SPDX-License-Identifier: MIT
/*
 * The workloads.  What is sent varies and is verified, one byte after the other;
 * both count, for all contenders alike.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "lib/pattern.h"

#define CHUNK		16384u	/* bytes of a send() in bulk */
#define MESSAGE		128u
#define MESSAGES	64u	/* sent between two polls */
#define ROUNDS		64u	/* between two looks at the clock */
#define PIECES		16
#define BATCH		32u	/* connections at once */
#define TRIES		16u	/* polls until something must have come */

/**
 * struct stream - what was sent and what came
 * @pattern: both are of it.
 * @sent_at: place in @pattern of the next byte to send.
 * @received_at: of the next byte to come.
 * @received: bytes that came, in all.
 */
struct stream {
	const uint8_t *pattern;
	uint32_t sent_at;
	uint32_t received_at;
	uint64_t received;
};

/**
 * bench_clock() - CLOCK_MONOTONIC
 *
 * Return: nanoseconds.
 */
int64_t bench_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/**
 * bench_rss() - memory of this process that is there
 *
 * Return: bytes.
 */
int64_t bench_rss(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long long pages = 0;

	if (!file || fscanf(file, "%*s %lld", &pages) != 1)
		perror("ubench: /proc/self/statm");
	if (file)
		fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static bool failed(const struct bench_run *run, const char *what)
{
	fprintf(stderr, "ubench: %s: %s\n", run->api->name, what);
	return false;
}

/* ---------------------------------------------------------------- streams */

static bool open_pair(const struct bench_run *run, void **client, void **server)
{
	unsigned int i;

	*client = run->api->connect(run->bench, 0);
	*server = NULL;
	if (!*client)
		return failed(run, "cannot connect");
	for (i = 0; i < TRIES && !*server; i++) {
		run->api->poll(run->bench, BENCH_SERVER);
		run->api->poll(run->bench, BENCH_CLIENT);
		*server = run->api->accept(run->bench);
	}
	return *server && run->api->connected(*client) ? true :
		failed(run, "no connection came");
}

static void close_pair(const struct bench_run *run, void *client, void *server)
{
	unsigned int i;

	run->api->end(client);
	run->api->end(server);
	for (i = 0; i < TRIES; i++) {
		run->api->poll(run->bench, BENCH_SERVER);
		run->api->poll(run->bench, BENCH_CLIENT);
	}
}

/* Sends @len bytes, or what fits; false if the connection broke. */
static inline bool push(const struct bench_contender *api, void *socket,
			struct stream *stream, size_t len, bool *full)
{
	ssize_t n = api->send(socket, stream->pattern + stream->sent_at, len);

	if (n < 0)
		return false;
	stream->sent_at = pattern_next(stream->sent_at, n);
	*full = (size_t)n < len;
	return true;
}

/* Takes all there is, by @len bytes a call; false if it is not what was sent. */
static inline bool pull(const struct bench_contender *api, void *socket,
			struct stream *stream, size_t len)
{
	uint8_t buffer[CHUNK];
	ssize_t n;

	while ((n = api->recv(socket, buffer, len)) > 0) {
		if (memcmp(buffer, stream->pattern + stream->received_at, (size_t)n))
			return false;
		stream->received_at = pattern_next(stream->received_at, n);
		stream->received += (size_t)n;
	}
	return n == 0;
}

/* Likewise, written where it leaves from. */
static inline bool push_lent(const struct bench_contender *api, void *socket,
			     struct stream *stream, size_t len, bool *full)
{
	ssize_t n;
	void *room;

	for (; len; len -= (size_t)n) {
		n = api->reserve(socket, len, &room);
		if (n <= 0) {
			*full = true;
			return n == 0;
		}
		memcpy(room, stream->pattern + stream->sent_at, (size_t)n);
		if (!api->submit(socket, (size_t)n))
			return false;
		stream->sent_at = pattern_next(stream->sent_at, (size_t)n);
	}
	return true;
}

/* Likewise, verified where it lies. */
static inline bool pull_lent(const struct bench_contender *api, void *socket,
			     struct stream *stream)
{
	struct iovec pieces[PIECES];
	size_t bytes;
	int i, n;

	while ((n = api->peek(socket, pieces, PIECES)) > 0) {
		for (i = 0, bytes = 0; i < n; bytes += pieces[i++].iov_len) {
			if (memcmp(pieces[i].iov_base, stream->pattern + stream->received_at,
				   pieces[i].iov_len))
				return false;
			stream->received_at = pattern_next(stream->received_at,
							   pieces[i].iov_len);
		}
		stream->received += bytes;
		if (!api->release(socket, bytes))
			return false;
	}
	return n == 0;
}

/* Calls of @len bytes, @count of them a round; @lent is a constant. */
static inline __attribute__((always_inline)) bool
round_of(const struct bench_run *run, void *client, void *server, struct stream *stream,
	 size_t len, unsigned int count, bool lent)
{
	bool full = false, good = true;

	while (good && !full && count--)
		good = lent ? push_lent(run->api, client, stream, len, &full) :
			      push(run->api, client, stream, len, &full);
	run->api->poll(run->bench, BENCH_SERVER);
	good = good && (lent ? pull_lent(run->api, server, stream) :
			       pull(run->api, server, stream, len));
	run->api->poll(run->bench, BENCH_CLIENT);
	return good;
}

/* One way; gives bytes a nanosecond, negative if something was wrong. */
static inline __attribute__((always_inline)) double
flow(const struct bench_run *run, size_t len, unsigned int count, bool lent)
{
	struct stream stream = { .pattern = pattern_bytes() };
	void *client, *server;
	int64_t begin, now;
	uint64_t before;
	unsigned int i;
	bool good;

	good = open_pair(run, &client, &server);
	for (i = 0; good && i < ROUNDS; i++)	/* windows open */
		good = round_of(run, client, server, &stream, len, count,
					lent);
	before = stream.received;
	begin = bench_clock();
	do {
		for (i = 0; good && i < ROUNDS; i++)
			good = round_of(run, client, server, &stream, len, count,
					lent);
		now = bench_clock();
	} while (good && now - begin < run->nanoseconds);
	if (!good) {
		failed(run, "the stream broke, or its bytes are wrong");
		return -1;
	}
	if (stream.received == before) {
		failed(run, "nothing moves");
		return -1;
	}
	close_pair(run, client, server);
	return (double)(stream.received - before) / (double)(now - begin);
}

static bool bulk(struct bench_run *run)
{
	run->result = flow(run, CHUNK, 1, false) * 8;
	return run->result > 0;
}

const struct bench_workload bench_bulk = {
	.name = "bulk", .unit = "Gbit/s", .measure = bulk, .factor = 1,
};

/* Its sender writes what that of bulk has lying ready. */
static bool bulk_lent(struct bench_run *run)
{
	run->result = flow(run, CHUNK, 1, true) * 8;
	return run->result > 0;
}

const struct bench_workload bench_bulk_lent = {
	.name = "bulk", .unit = "Gbit/s", .measure = bulk_lent, .factor = 1,
};

static bool messages(struct bench_run *run)
{
	run->result = flow(run, MESSAGE, MESSAGES, false) * 1e3 / MESSAGE;
	return run->result > 0;
}

const struct bench_workload bench_messages = {
	.name = "messages-128", .unit = "M/s", .measure = messages, .factor = 1,
};

/* ------------------------------------------------------ request, response */

/* One byte to the other end, which is polled until it has come. */
static inline bool pass(const struct bench_run *run, void *from, void *to,
			enum bench_end end, struct stream *stream)
{
	bool full;
	unsigned int i;

	if (!push(run->api, from, stream, 1, &full) || full)
		return false;
	for (i = 0; i < TRIES; i++) {
		uint8_t byte;
		ssize_t n;

		run->api->poll(run->bench, end);
		n = run->api->recv(to, &byte, 1);
		if (n == 1 && byte == stream->pattern[stream->received_at]) {
			stream->received_at = pattern_next(stream->received_at, n);
			stream->received++;
			return true;
		}
		if (n)
			break;
	}
	return false;
}

static bool requests(struct bench_run *run)
{
	struct stream there = { .pattern = pattern_bytes() }, back = there;
	void *client, *server;
	int64_t begin, now;
	unsigned int i;
	bool good;

	good = open_pair(run, &client, &server);
	begin = bench_clock();
	do {
		for (i = 0; good && i < ROUNDS; i++)
			good = pass(run, client, server, BENCH_SERVER, &there) &&
			       pass(run, server, client, BENCH_CLIENT, &back);
		now = bench_clock();
	} while (good && now - begin < run->nanoseconds);
	if (!good)
		return failed(run, "a request or its response did not come");
	close_pair(run, client, server);
	run->result = (double)back.received * 1e3 / (double)(now - begin);
	return true;
}

const struct bench_workload bench_requests = {
	.name = "requests-1", .unit = "M/s", .measure = requests, .factor = 1,
};

/* ------------------------------------------------------------ connections */

static bool connect_batch(const struct bench_run *run, void **client, void **server,
			  uint32_t name, uint32_t names)
{
	unsigned int i, tries, n = 0;

	for (i = 0; i < BATCH; i++) {
		client[i] = run->api->connect(run->bench, (name + i) % names);
		if (!client[i])
			return failed(run, "cannot connect");
	}
	for (tries = 0; tries < TRIES && n < BATCH; tries++) {
		run->api->poll(run->bench, BENCH_SERVER);
		run->api->poll(run->bench, BENCH_CLIENT);
		run->api->poll(run->bench, BENCH_SERVER);
		while (n < BATCH && (server[n] = run->api->accept(run->bench)))
			n++;
	}
	for (i = 0; i < BATCH; i++)
		if (n < BATCH || !run->api->connected(client[i]))
			return failed(run, "connections are missing");
	return true;
}

/* @first closes, and the other one when it has read that. */
static bool close_batch(const struct bench_run *run, void **first, void **second,
			enum bench_end end)
{
	uint8_t byte;
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		run->api->end(first[i]);
	run->api->poll(run->bench, end);
	for (i = 0; i < BATCH; i++) {
		if (run->api->recv(second[i], &byte, 1) >= 0)
			return failed(run, "no end of the stream came");
		run->api->end(second[i]);
	}
	run->api->poll(run->bench, !end);
	run->api->poll(run->bench, end);
	return true;
}

/* Opens and closes; the side that closes first keeps TIME-WAIT. */
static bool churn(struct bench_run *run, uint32_t names, bool server_first)
{
	void *client[BATCH], *server[BATCH];
	int64_t begin, now, rss = bench_rss();
	uint64_t done = 0;
	bool good;

	begin = bench_clock();
	do {
		good = connect_batch(run, client, server, (uint32_t)(done % names), names);
		if (good && server_first)
			good = close_batch(run, server, client, BENCH_CLIENT);
		else if (good)
			good = close_batch(run, client, server, BENCH_SERVER);
		done += BATCH;
		now = bench_clock();
	} while (good && now - begin < run->nanoseconds);
	if (!good)
		return false;
	run->result = (double)done * 1e6 / (double)(now - begin);
	run->rss = bench_rss() - rss;
	run->api->waits(run->bench, &run->waits);
	return true;
}

static bool connections(struct bench_run *run)
{
	return churn(run, BENCH_ADDRESSES * BENCH_PORTS, false);
}

const struct bench_workload bench_connections = {
	.name = "connections", .unit = "k/s", .measure = connections,
	.factor = 10, .waits = true,
};

/* The same few names again and again, in TIME-WAIT at the server. */
static bool reuse(struct bench_run *run)
{
	return churn(run, BATCH, true);
}

const struct bench_workload bench_reuse = {
	.name = "connections-reuse", .unit = "k/s", .measure = reuse,
	.factor = 1, .waits = true,
};
