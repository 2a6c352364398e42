// SPDX-License-Identifier: MIT
/*
 * The payload's way.  A TCP connection ends with FIN.  Over UDP an empty datagram
 * is the end; the receiver answers with another one, and the sender repeats its
 * own until then.  A UDP receiver that did the connecting first sends a datagram
 * of one byte, from which the other end knows it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "pattern.h"
#include "run.h"

#define SEND_DRAIN	5	/* seconds for the peer to take all */
#define RECEIVE_DRAIN	1	/* seconds for the peer to hear that we end */
#define BURST_NS	2000000
#define INPUT_WAIT_MS	20	/* at most, between two rounds of the stack */
#define END_REPEAT_US	200000
#define END_REPEATS	10

static bool is_udp(const struct run *run)
{
	return run->job->protocol == IPPROTO_UDP;
}

/* ------------------------------------------------------------------ sending */

/* A file, which is always ready. */
static bool regular_input(void)
{
	struct stat stat;

	return fstat(STDIN_FILENO, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* The network goes on while there is no input. */
static bool input_ready(struct run *run)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	if (run->regular)
		return true;
	while (!run_stopped(run)) {
		if (poll(&fd, 1, INPUT_WAIT_MS) > 0)
			return true;
		run->api->pause(0);
	}
	return false;
}

/* A message: bytes, 0 at the end, -1.  Datagrams are whole but for the last one; on
 * a stream goes what a slow input has so far.
 */
static ssize_t read_input(struct run *run)
{
	size_t done = 0;

	while (done < run->room && input_ready(run)) {
		ssize_t n = read(STDIN_FILENO, run->message + done,
				 run->room - done);

		if (n < 0 && errno != EINTR) {
			perror("standard input");
			return -1;
		}
		if (n > 0)
			done += n;
		if (n == 0 || (n > 0 && !is_udp(run) && !run->regular))
			break;
	}
	return done;
}

static ssize_t next_message(struct run *run)
{
	const struct job *job = run->job;

	if (job->count && run->meter.messages >= job->count)
		return 0;
	if (job->input)
		return read_input(run);
	if (is_udp(run))
		pattern_make_datagram(run->next++, run->message, run->room);
	else
		pattern_make(run->meter.bytes, run->message, run->room);
	return run->room;
}

/* Waits until a message of @len bytes is due.  Time that was lost is made up for
 * only as far as it does not become a burst.
 */
static void keep_rate(struct run *run, size_t len)
{
	uint64_t rate = run->job->rate;
	int64_t now;

	if (!rate)
		return;
	while ((now = meter_elapsed(&run->meter)) < run->due && !run_stopped(run))
		run->api->pause(run->due - now);
	if (run->due < now - BURST_NS)
		run->due = now - BURST_NS;
	run->due += (double)len * 8 / rate * 1e9;
}

static int send_failed(const struct run *run)
{
	if (errno == EMSGSIZE)
		fprintf(stderr, "%s: datagrams of %zu bytes do not fit the path: give a smaller -b\n",
			run->job->program, run->job->bytes);
	else
		run_failed(run, "send");
	return -1;
}

/* The next message of a stream follows at once, but for a rate or a slow input:
 * then small ones travel together.
 */
static int send_flags(const struct run *run)
{
	bool slow = run->job->rate || (run->job->input && !run->regular);

	return is_udp(run) || slow ? 0 : MSG_MORE;
}

/* The next message is made in place: as much of it as the socket has room for.  0, 1
 * if stopped in between, -1.
 */
static int make_room(struct run *run)
{
	size_t unit = run->job->bytes;

	if (!run->job->in_place)
		return 0;
	do {
		run->room = unit - run->meter.bytes % unit;
		run->message = run->api->reserve(run->socket, &run->room, 0);
		if (run->message)
			return 0;
		if (!run_again())
			return send_failed(run);
	} while (!run_stopped(run));
	return 1;
}

static int send_in_place(struct run *run, size_t len, int flags)
{
	if (run->api->submit(run->socket, len, flags))
		return send_failed(run);
	run->meter.bytes += len;
	run->meter.messages = run->meter.bytes / run->job->bytes;
	return 0;
}

/* 0, 1 if stopped in between, -1. */
static int send_all(struct run *run, size_t len, int flags)
{
	size_t done = 0;

	if (run->job->in_place)
		return send_in_place(run, len, flags);
	while (done < len) {
		ssize_t n = run->api->send(run->socket, run->message + done,
					   len - done, flags);

		if (n < 0 && !run_again())
			return send_failed(run);
		if (n < 0 && run_stopped(run))
			return 1;
		if (n > 0) {
			done += n;
			run->meter.bytes += n;
		}
	}
	run->meter.messages++;
	return 0;
}

/* Takes what still comes, and throws it away, until the peer has closed too. */
static void drain(struct run *run, unsigned int seconds)
{
	unsigned int until = run_ticks() + seconds;
	ssize_t n;

	do {
		n = run->api->recvfrom(run->socket, run->buffer, run->job->bytes, 0,
				       NULL, NULL);
	} while ((n > 0 || (n < 0 && run_again())) && run_ticks() < until);
}

static void end_stream(struct run *run)
{
	if (run->api->shutdown(run->socket, SHUT_WR) == 0)
		drain(run, SEND_DRAIN);
}

/* The answer: 0.  -1 and errno if there is none. */
static ssize_t end_answer(struct run *run)
{
	ssize_t n;

	do {
		n = run->api->recvfrom(run->socket, run->buffer, run->job->bytes, 0,
				       NULL, NULL);
	} while (n > 0);
	return n;
}

static int end_datagrams(struct run *run)
{
	const struct timeval wait = { .tv_usec = END_REPEAT_US };

	run->api->setsockopt(run->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	for (int i = 0; i < END_REPEATS; i++) {
		if (run->api->send(run->socket, "", 0, 0) == 0 &&
		    end_answer(run) == 0)
			return 0;
		if (!run_again())
			return run_failed(run, "the peer did not confirm the end");
	}
	fprintf(stderr, "%s: the peer did not confirm the end\n", run->job->program);
	return 0;
}

int transfer_send(struct run *run)
{
	int err = 0, flags;

	run->regular = regular_input();
	flags = send_flags(run);
	while (!err && !run_stopped(run)) {
		ssize_t len;

		err = make_room(run);
		if (err)
			break;
		len = next_message(run);
		if (len <= 0) {
			err = len;
			break;
		}
		keep_rate(run, len);
		err = send_all(run, len, flags);
	}
	meter_stop(&run->meter);
	if (err < 0)
		return err;
	if (is_udp(run))
		return end_datagrams(run);
	/* What is queued is not sent: a stream takes until the peer has it. */
	end_stream(run);
	meter_stop(&run->meter);
	return 0;
}

/* ---------------------------------------------------------------- receiving */

static int write_output(struct run *run, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(STDOUT_FILENO, run->message + done, len - done);

		if (n < 0 && errno != EINTR) {
			fprintf(stderr, "%s: standard output: %m\n", run->job->program);
			return -1;
		}
		if (n > 0)
			done += n;
	}
	return 0;
}

static int not_pattern(const struct run *run, const char *unit, uint64_t which)
{
	fprintf(stderr, "%s: %s %" PRIu64 " is not what stack or ksock send: --output takes other payload\n",
		run->job->program, unit, which);
	return -1;
}

static int check_datagram(struct run *run, size_t len)
{
	uint64_t number = run->next;

	if (!pattern_check_datagram(&number, run->message, len))
		return not_pattern(run, "datagram", run->meter.messages);
	if (number > run->next)
		run->meter.lost += number - run->next;
	else if (number < run->next && run->meter.lost)
		run->meter.lost--;	/* late, not lost */
	if (number >= run->next)
		run->next = number + 1;
	return 0;
}

static int consume(struct run *run, size_t len)
{
	size_t right;

	if (run->job->output)
		return write_output(run, len);
	if (is_udp(run))
		return check_datagram(run, len);
	right = pattern_check(run->meter.bytes, run->message, len);
	return right == len ? 0 : not_pattern(run, "byte", run->meter.bytes + right);
}

/* A message of a stream is what the sender is taken to have sent at once. */
static void account(struct run *run, size_t len)
{
	uint64_t unit = run->job->bytes;

	run->meter.bytes += len;
	if (is_udp(run))
		run->meter.messages++;
	else
		run->meter.messages = (run->meter.bytes + unit - 1) / unit;
}

/* Lost hellos are made up for each second. */
static int say_hello(struct run *run)
{
	if (!is_udp(run) || run->job->listen || run->meter.messages)
		return 0;
	if (run->api->send(run->socket, "h", 1, 0) < 0 && !run_again())
		return run_failed(run, "send");
	return 0;
}

/* Bytes at run->message; as recv(2). */
static ssize_t receive(struct run *run)
{
	struct iovec piece;
	int n;

	if (!run->job->in_place)
		return run->api->recvfrom(run->socket, run->message, run->job->bytes, 0,
					  NULL, NULL);
	n = run->api->peek(run->socket, &piece, 1, 0);
	if (n <= 0)
		return n;
	run->message = piece.iov_base;
	return piece.iov_len;
}

static int receive_some(struct run *run, ssize_t n)
{
	if (n < 0)
		return run_again() ? say_hello(run) : run_failed(run, "receive");
	if (consume(run, n))
		return -1;
	account(run, n);
	if (run->job->in_place && run->api->release(run->socket, n))
		return run_failed(run, "release");
	return 0;
}

/* The peer ended, or this end was told to. */
static void end_receiving(struct run *run, bool peer_ended)
{
	if (is_udp(run)) {
		if (peer_ended)
			run->api->send(run->socket, "", 0, 0);
		return;
	}
	if (run->api->shutdown(run->socket, SHUT_WR) == 0 && !peer_ended)
		drain(run, RECEIVE_DRAIN);
}

int transfer_receive(struct run *run)
{
	ssize_t n = -1;
	int err = say_hello(run);

	while (!err && n && !run_stopped(run)) {
		n = receive(run);
		if (n)
			err = receive_some(run, n);
	}
	meter_stop(&run->meter);
	if (!err)
		end_receiving(run, n == 0);
	return err;
}
