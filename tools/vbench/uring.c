// SPDX-License-Identifier: MIT
/*
 * The kernel's sockets through io_uring: what is sent is submitted with the call that
 * waits for an answer, so that a request takes one system call.
 */
#include <errno.h>
#include <liburing.h>

#include "vbench.h"

#define ENTRIES	64u

/* What user_data says: a send carries its length, to see that all of it went. */
#define RECEIVED	UINT64_MAX

static struct io_uring ring;
static unsigned int queued;	/* sends that are not completed */
static int received;

static void check(const struct end *end, int result)
{
	if (result >= 0)
		return;
	errno = -result;
	die(end, "io_uring");
}

static void start(const struct end *end)
{
	static bool started;

	if (started)
		return;
	started = true;
	check(end, io_uring_queue_init(ENTRIES, &ring, IORING_SETUP_SINGLE_ISSUER |
				       IORING_SETUP_DEFER_TASKRUN));
}

static void reap(const struct end *end)
{
	struct io_uring_cqe *cqe;
	unsigned int head, seen = 0;

	io_uring_for_each_cqe(&ring, head, cqe) {
		check(end, cqe->res);
		seen++;
		if (cqe->user_data == RECEIVED) {
			received = cqe->res;
			continue;
		}
		queued--;
		if ((uint64_t)cqe->res != cqe->user_data)
			check(end, -EIO);
	}
	io_uring_cq_advance(&ring, seen);
}

/* Submits all, and waits for all of it. */
static void complete(const struct end *end, unsigned int others)
{
	check(end, io_uring_submit_and_wait(&ring, queued + others));
	reap(end);
}

/**
 * uring_send() - queues bytes; sends are linked, and keep their order
 * @end: for messages.
 * @socket: of the kernel, connected.
 * @data: stays where it is.
 * @len: of it.
 */
void uring_send(const struct end *end, void *socket, const void *data, size_t len)
{
	struct io_uring_sqe *sqe;

	start(end);
	if (queued == ENTRIES - 1)
		complete(end, 0);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_send(sqe, api_kernel_fd(socket), data, len, MSG_WAITALL);
	io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
	io_uring_sqe_set_data64(sqe, len);
	queued++;
}

/**
 * uring_recv() - sends what is queued, and waits for bytes
 * @end: for messages.
 * @socket: of the kernel, connected.
 * @data: goes there.
 * @len: room.
 *
 * Return: bytes that came; 0 at the end of the stream.
 */
size_t uring_recv(const struct end *end, void *socket, void *data, size_t len)
{
	struct io_uring_sqe *sqe;

	start(end);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, api_kernel_fd(socket), data, len, 0);
	io_uring_sqe_set_data64(sqe, RECEIVED);
	complete(end, 1);
	return (size_t)received;
}

/**
 * uring_flush() - sends what is queued, before the socket may be closed
 * @end: for messages.
 */
void uring_flush(const struct end *end)
{
	if (queued)
		complete(end, 0);
}
