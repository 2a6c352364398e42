// SPDX-License-Identifier: MIT
/* Borrowing: what is sent stays in the user's memory (MSG_ZEROCOPY). */
#include "transport/tcp_parts.h"

/**
 * us_tcp_can_borrow() - can the user's bytes be sent from where they lie?
 * @tcp: the connection.
 *
 * Return: false if its link sends from memory of its own only, or they go with a SYN.
 */
bool us_tcp_can_borrow(const struct us_tcp *tcp)
{
	return !tcp->dst.link->own_mem && !(tcp->flags & US_TCP_DEFERRED);
}

/**
 * us_tcp_send_borrowed() - queues bytes that stay where they are
 * @tcp: the connection; us_tcp_can_borrow().
 * @from: the pieces.
 * @at: bytes of them that were queued before.
 * @flags: as of us_tcp_send().
 * @lender: told when they are needed no more.
 *
 * Return: as us_tcp_send_pieces().
 */
ssize_t us_tcp_send_borrowed(struct us_tcp *tcp, const struct us_pieces *from, size_t at,
			     int flags, struct us_lender *lender)
{
	int err = us_tcp_may_send(tcp);
	size_t left = from->len - at;
	uint32_t done;

	if (err)
		return err;
	done = us_tcp_sndq_borrow(tcp, from, at, left < INT32_MAX ? (uint32_t)left : INT32_MAX,
				  lender);
	if (done)
		us_tcp_queued_more(tcp, flags, done < left);
	return done || !left ? (ssize_t)done : us_tcp_no_room(tcp);	/* a SYN may take all */
}

/**
 * us_tcp_lender() - who may lend more, to be told of all at once
 * @tcp: the connection.
 *
 * Return: whose bytes are the last ones queued, if not all of them were sent; or NULL.
 */
struct us_lender *us_tcp_lender(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	if (!a || !a->snd_last || !us_chunk_borrows(a->snd_last) ||
	    !us_after(a->snd_end, tcp->snd_nxt))
		return NULL;
	return us_chunk_lender(a->snd_last);
}
