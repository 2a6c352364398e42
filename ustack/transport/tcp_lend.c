// SPDX-License-Identifier: MIT
/*
 * Lending: the user writes what he sends into the send queue's own memory, and reads
 * what came where the link or the receive queue has it.  Nothing is copied.
 *
 * Room to write is the free end of the queue's last chunk; until it is submitted
 * nothing else can be queued, and it stays valid even if the connection ends.  What
 * is lent to a reader stays in the receive queue, which does not move it: not even
 * when the link runs short.
 */
#include "transport/tcp_parts.h"

/**
 * us_tcp_reserve() - lends room in the send queue
 * @tcp: the connection.
 * @len: bytes wished for, not 0.
 * @room: set to them.
 *
 * A SYN that waits for data (Fast Open) leaves without.
 * Return: bytes, at least one; -EAGAIN if there is no room or the connection is not
 * yet open, -EBUSY if some is lent already, -EPIPE, -ENOBUFS, or the connection's
 * error.
 */
ssize_t us_tcp_reserve(struct us_tcp *tcp, size_t len, void **room)
{
	int err = us_tcp_may_send(tcp);
	uint32_t lent;

	if (err)
		return err;
	if (tcp->flags & US_TCP_DEFERRED) {
		us_tcp_fastopen_send(tcp, NULL, 0);
		return -EAGAIN;
	}
	if (tcp->active->snd_lent)
		return -EBUSY;
	lent = us_tcp_sndq_lend(tcp, len < US_CHUNK_MAX ? (uint32_t)len : US_CHUNK_MAX);
	if (!lent)
		return us_tcp_no_room(tcp);
	*room = tcp->active->snd_lent->data + tcp->active->snd_lent->len;
	return lent;
}

/**
 * us_tcp_has_lent() - is there room lent to write into?
 * @tcp: the connection.
 * @len: so many bytes.
 */
bool us_tcp_has_lent(const struct us_tcp *tcp, size_t len)
{
	return tcp->active && tcp->active->snd_lent && len <= tcp->active->snd_lent_len;
}

/**
 * us_tcp_submit() - queues what was written into the room lent: the loan ends
 * @tcp: the connection.
 * @len: bytes from its start on, which us_tcp_has_lent(); 0: none.
 * @flags: as of us_tcp_send().
 *
 * Return: 0, -EPIPE, or the connection's error.
 */
int us_tcp_submit(struct us_tcp *tcp, size_t len, int flags)
{
	struct us_tcp_active *a = tcp->active;
	int err = len ? us_tcp_may_send(tcp) : 0;

	if (err || !len) {
		us_tcp_sndq_take_back(a);
		return err;
	}
	us_tcp_sndq_fill(a, (uint32_t)len);
	us_tcp_queued_more(tcp, flags, false);
	return 0;
}

/**
 * us_tcp_peek() - lends bytes that came
 * @tcp: the connection.
 * @pieces: filled in, in order.
 * @count: of @pieces, not 0.
 *
 * Return: pieces; else as us_tcp_recv().
 */
int us_tcp_peek(struct us_tcp *tcp, struct iovec *pieces, int count)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t skip = 0, len = 0, lent, n;

	if (a && a->rcv_bytes)
		len = us_tcp_readable(tcp, &skip);
	if (!len)
		return us_tcp_nothing_to_read(tcp);
	n = us_tcp_rcvq_lend(tcp, pieces, (uint32_t)count, skip, len, &lent);
	a->rcv_lent = us_tcp_read_seq(tcp) + skip;
	a->rcv_lent_end = a->rcv_lent + lent;
	return (int)n;
}

/**
 * us_tcp_release() - the user has read bytes that were lent
 * @tcp: the connection.
 * @len: the first so many.
 *
 * Return: 0, -EINVAL if so many are not lent, or no more.
 */
int us_tcp_release(struct us_tcp *tcp, size_t len)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t read, from, end;

	if (!len)
		return 0;
	if (!a || !us_tcp_rcvq_lent(tcp))
		return -EINVAL;
	read = us_tcp_read_seq(tcp);
	from = us_seq_max(a->rcv_lent, read);
	end = us_seq_max(a->rcv_lent_end, from);
	if (len > end - from)
		return -EINVAL;
	us_tcp_rcvq_drop(tcp, from + (uint32_t)len - read);
	us_tcp_forget_mark(tcp);
	us_tcp_was_read(tcp);
	return 0;
}
