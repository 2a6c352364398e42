// SPDX-License-Identifier: MIT
/* Datagrams: one by one, or as the kernel lets many go with one call. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "lib/pattern.h"
#include "ustack.h"
#include "vbench.h"

#define BATCH_MAX	64u

static void put_batch(struct end *end, uint32_t bytes, unsigned int count)
{
	struct iovec data[BATCH_MAX];
	struct mmsghdr message[BATCH_MAX] = { 0 };
	int n, done = 0;

	for (unsigned int i = 0; i < count; i++) {
		data[i] = (struct iovec){ (void *)(end->pattern + end->sent_at), bytes };
		message[i].msg_hdr.msg_iov = &data[i];
		message[i].msg_hdr.msg_iovlen = 1;
		end->sent_at = pattern_next(end->sent_at, bytes);
	}
	for (; done < (int)count; done += n) {
		n = end->api->sendmmsg(end->socket[0], message + done, count - done, 0);
		if (n < 0)
			die(end, "sendmmsg");
	}
}

/* Gives the bytes of those that came. */
static uint32_t get_batch(struct end *end, uint32_t bytes, unsigned int count)
{
	struct iovec data[BATCH_MAX];
	struct mmsghdr message[BATCH_MAX] = { 0 };
	uint32_t came = 0;
	int n;

	for (unsigned int i = 0; i < count; i++) {
		data[i] = (struct iovec){ end->in + i * bytes, bytes };
		message[i].msg_hdr.msg_iov = &data[i];
		message[i].msg_hdr.msg_iovlen = 1;
	}
	n = end->api->recvmmsg(end->socket[0], message, count, MSG_WAITFORONE);
	if (n < 0)
		die(end, "recvmmsg");
	for (int i = 0; i < n; i++) {
		end_verify(end, data[i].iov_base, message[i].msg_len);
		came += message[i].msg_len;
	}
	return came;
}

/* One call, one super-segment. */
static void put_segments(struct end *end, uint32_t bytes, unsigned int count)
{
	size_t len = (size_t)bytes * count;

	if (end->api->send(end->socket[0], end->pattern + end->sent_at, len, 0) !=
	    (ssize_t)len)
		die(end, "send");
	end->sent_at = pattern_next(end->sent_at, len);
}

static unsigned int get_segments(struct end *end, uint32_t bytes)
{
	ssize_t n = end->api->recvfrom(end->socket[0], end->in, VBENCH_CHUNK, 0, NULL, NULL);

	if (n < 0)
		die(end, "recv");
	end_verify(end, end->in, (size_t)n);
	return (unsigned int)n / bytes;
}

static void put_one(struct end *end, uint32_t bytes)
{
	if (end->api->send(end->socket[0], end->pattern + end->sent_at, bytes,
			   end->flags) != (ssize_t)bytes)
		die(end, "send");
	end->sent_at = pattern_next(end->sent_at, bytes);
}

static void get_one(struct end *end, uint32_t bytes)
{
	ssize_t n = end->api->recvfrom(end->socket[0], end->in, VBENCH_CHUNK, 0, NULL, NULL);

	if (n != (ssize_t)bytes)
		die(end, "recv");
	end_verify(end, end->in, bytes);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* The message is made where it leaves from. */
static void put_room(struct end *end, size_t bytes, int flags)
{
	size_t room = bytes;
	void *to = end->api->reserve(end->socket[0], &room, 0);

	if (!to)
		die(end, "reserve");
	memcpy(to, end->pattern + end->sent_at, bytes);
	if (end->api->submit(end->socket[0], bytes, flags))
		die(end, "submit");
	end->sent_at = pattern_next(end->sent_at, bytes);
}

/* Those that a call of the kernel's would take leave together. */
static void put_lent(struct end *end, uint32_t bytes, unsigned int count)
{
	const struct variant *v = end->variant;
	unsigned int n, waiting = 0;
	bool more;

	for (; count; count -= n) {
		n = least(v->segment ? v->segment : 1, count);
		more = ++waiting < v->batch && n < count;
		put_room(end, (size_t)bytes * n, end->flags | (more ? USTACK_MSG_BATCH : 0));
		waiting = more ? waiting : 0;
	}
}

/* They are verified where they came. */
static void get_lent(struct end *end, uint32_t bytes, unsigned int count)
{
	struct iovec piece;

	for (; count; count -= (unsigned int)piece.iov_len / bytes) {
		if (end->api->peek(end->socket[0], &piece, 1, 0) != 1 ||
		    piece.iov_len < bytes || piece.iov_len > (size_t)bytes * count)
			die(end, "peek");
		end_verify(end, piece.iov_base, piece.iov_len);
		if (end->api->release(end->socket[0], piece.iov_len))
			die(end, "release");
	}
}

/**
 * datagrams_put() - sends datagrams, however the variant does it
 * @end: its first socket is connected.
 * @bytes: of each.
 * @count: of them.
 */
void datagrams_put(struct end *end, uint32_t bytes, unsigned int count)
{
	const struct variant *v = end->variant;
	unsigned int n, each;

	if (end->lent) {
		put_lent(end, bytes, count);
		return;
	}
	for (; count; count -= n) {
		each = v->segment ? least(v->segment, count) : 1;
		n = v->batch ? least(v->batch, count / each) * each : each;
		if (v->batch)
			put_batch(end, bytes * each, n / each);
		else if (v->segment)
			put_segments(end, bytes, n);
		else
			put_one(end, bytes);
	}
}

/**
 * datagrams_get() - receives datagrams, however the variant does it, and verifies them
 * @end: its first socket is connected.
 * @bytes: of each.
 * @count: of them.
 */
void datagrams_get(struct end *end, uint32_t bytes, unsigned int count)
{
	const struct variant *v = end->variant;
	unsigned int n = 1, each;

	if (end->lent) {
		get_lent(end, bytes, count);
		return;
	}
	for (; count; count -= n) {
		each = v->segment ? least(v->segment, count) : 1;
		if (v->batch)
			n = get_batch(end, bytes * each, least(v->batch, count / each)) / bytes;
		else if (v->segment)
			n = get_segments(end, bytes);
		else
			get_one(end, bytes);
	}
}
