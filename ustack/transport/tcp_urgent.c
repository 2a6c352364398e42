// SPDX-License-Identifier: MIT
/*
 * Urgent data (RFC 9293 3.8.5, RFC 6093), as Linux has it: the pointer is that of the
 * first byte behind the urgent ones, and the last urgent byte is what recv(2) with
 * MSG_OOB gives.  It stays in the receive queue, in its place; unless SO_OOBINLINE
 * is set, reading passes it over.  Reading stops in front of it: at the mark.
 */
#include "transport/tcp_parts.h"

/* us_tcp_active.urg: a byte that has come, or why there is none to be had. */
enum {
	VALID = 1 << 8,
	NOT_YET = 1 << 9,
	TAKEN = 1 << 10,
};

/**
 * us_tcp_read_seq() - sequence number of the next byte to be read
 * @tcp: active.
 */
uint32_t us_tcp_read_seq(const struct us_tcp *tcp)
{
	return tcp->rcv_nxt - !!(tcp->flags & US_TCP_FIN_RCVD) -
	       tcp->active->rcv_bytes;
}

/* A byte that was read, or that is announced already, is not announced. */
static void announce(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t byte = seg->seq + seg->urgent - !!seg->urgent;
	uint8_t gone;

	if (us_before(byte, tcp->rcv_nxt) ||
	    ((tcp->flags & US_TCP_URGENT) && !us_after(byte, a->urg_seq)))
		return;
	/* One that waits to be read next is lost; elsewhere it is as any other. */
	if (us_tcp_at_mark(tcp) && !(tcp->flags & US_TCP_OOBINLINE))
		us_tcp_rcvq_read(tcp, &gone, 0, 1, false);
	a->urg_seq = byte;
	a->urg = NOT_YET;
	tcp->flags |= US_TCP_URGENT;
	us_count(tcp->table->stack, tcp_urgent);
	us_tcp_notify(tcp);
}

/**
 * us_tcp_urgent_input() - the URG bit, and the byte that it announced
 * @tcp: active, synchronized.
 * @seg: acceptable; not trimmed yet.
 */
void us_tcp_urgent_input(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t offset;

	if (seg->flags & US_TCP_URG)
		announce(tcp, seg);
	if (!(tcp->flags & US_TCP_URGENT) || a->urg != NOT_YET)
		return;
	offset = a->urg_seq - seg->seq;
	if (offset >= seg->len)
		return;
	a->urg = VALID | seg->pkt->data[offset];
	us_tcp_notify(tcp);
}

/**
 * us_tcp_at_mark() - is the urgent byte the next one?
 * @tcp: the connection.
 */
bool us_tcp_at_mark(const struct us_tcp *tcp)
{
	return (tcp->flags & US_TCP_URGENT) && tcp->active->urg_seq == us_tcp_read_seq(tcp);
}

/**
 * us_tcp_urgent_ready() - POLLPRI
 * @tcp: the connection.
 *
 * Return: an urgent byte has come that was not taken.
 */
bool us_tcp_urgent_ready(const struct us_tcp *tcp)
{
	return (tcp->flags & US_TCP_URGENT) && (tcp->active->urg & VALID);
}

/**
 * us_tcp_unread() - bytes that can be read up to the mark
 * @tcp: active.
 */
uint32_t us_tcp_unread(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;
	uint32_t before;

	if (!(tcp->flags & US_TCP_URGENT) || (tcp->flags & US_TCP_OOBINLINE))
		return a->rcv_bytes;
	before = a->urg_seq - us_tcp_read_seq(tcp);
	return us_min32(before, a->rcv_bytes);
}

/**
 * us_tcp_recv_urgent() - recv(2) with MSG_OOB
 * @tcp: the connection.
 * @byte: set to the urgent byte.
 * @peek: it stays.
 *
 * Return: 1; 0 at the end of the stream; -EAGAIN if it was announced and has not
 * come; -EINVAL if there is none, or it is in line.
 */
ssize_t us_tcp_recv_urgent(struct us_tcp *tcp, uint8_t *byte, bool peek)
{
	struct us_tcp_active *a = tcp->active;

	if (!(tcp->flags & US_TCP_URGENT) || (tcp->flags & US_TCP_OOBINLINE) ||
	    a->urg == TAKEN)
		return -EINVAL;
	if (a->urg & VALID) {
		*byte = (uint8_t)a->urg;
		if (!peek)
			a->urg = TAKEN;
		return 1;
	}
	return tcp->flags & (US_TCP_FIN_RCVD | US_TCP_SHUT_RD) ||
	       tcp->state == TCP_CLOSE ? 0 : -EAGAIN;
}

/**
 * us_tcp_forget_mark() - bytes were read: once the mark is passed, all is as usual
 * @tcp: active.
 */
void us_tcp_forget_mark(struct us_tcp *tcp)
{
	if ((tcp->flags & US_TCP_URGENT) &&
	    us_after(us_tcp_read_seq(tcp), tcp->active->urg_seq))
		tcp->flags &= ~US_TCP_URGENT;
}

/**
 * us_tcp_readable() - what one call may read
 * @tcp: active; not all is read.
 * @skip: set to the bytes to pass over first: an urgent byte at the mark.
 *
 * Return: bytes behind those: none behind the mark, if there are some in front of it.
 */
uint32_t us_tcp_readable(const struct us_tcp *tcp, uint32_t *skip)
{
	uint32_t bytes = tcp->active->rcv_bytes, before;

	*skip = 0;
	if (!(tcp->flags & US_TCP_URGENT))
		return bytes;
	before = tcp->active->urg_seq - us_tcp_read_seq(tcp);
	if (before)
		return us_min32(before, bytes);
	*skip = !(tcp->flags & US_TCP_OOBINLINE);
	return bytes - *skip;
}

/**
 * us_tcp_read_marked() - us_tcp_rcvq_read() while there is a mark
 * @tcp: active.
 * @data: goes there.
 * @len: of @data.
 * @peek: leave them in the queue.
 *
 * Return: bytes copied.
 */
uint32_t us_tcp_read_marked(struct us_tcp *tcp, void *data, size_t len, bool peek)
{
	uint32_t skip, most = us_tcp_readable(tcp, &skip), done;

	done = us_tcp_rcvq_read(tcp, data, len < most ? len : most, skip, peek);
	us_tcp_forget_mark(tcp);
	return done;
}

/**
 * us_tcp_urge() - what was queued last is urgent
 * @tcp: active.
 */
void us_tcp_urge(struct us_tcp *tcp)
{
	tcp->active->snd_up = tcp->active->snd_end;
	tcp->flags |= US_TCP_URGING;
}

/**
 * us_tcp_urgent_pointer() - of a segment
 * @tcp: with US_TCP_URGING.
 * @seq: of the segment.
 *
 * Return: 0: none.  What is too far for the field is told as far as it goes.
 */
uint16_t us_tcp_urgent_pointer(const struct us_tcp *tcp, uint32_t seq)
{
	uint32_t ahead = tcp->active->snd_up - seq;

	if (!us_before(seq, tcp->active->snd_up))
		return 0;
	return (uint16_t)us_min32(ahead, UINT16_MAX);
}
