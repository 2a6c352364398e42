// SPDX-License-Identifier: MIT
/*
 * TCP_NOTSENT_LOWAT: the user is stopped by bytes that were never sent, too, not only by all
 * that are queued: so what he sends next does not stand behind much.
 *
 * As in Linux, what fits where others were is taken in any case, and POLLOUT asks for half:
 * so does the event that tells of it.  Less than a segment stops nobody, as only more of
 * it, or an ACK, might let it go.
 */
#include "transport/tcp_parts.h"

static uint32_t unsent(const struct us_tcp *tcp)
{
	return tcp->active ? tcp->active->snd_end - tcp->snd_nxt : 0;
}

/* Only users have a number, and whoever has none does not wait. */
static uint32_t lowat(const struct us_tcp *tcp)
{
	if (tcp->flags & US_TCP_ORPHAN)
		return UINT32_MAX;
	return tcp->table->user->notsent_lowat(tcp->user);
}

/**
 * us_tcp_notsent_is_much() - must the user wait until bytes leave?
 * @tcp: the connection.
 */
bool us_tcp_notsent_is_much(const struct us_tcp *tcp)
{
	return us_unlikely(tcp->notsent) && unsent(tcp) >= us_max32(lowat(tcp), tcp->mss);
}

/**
 * us_tcp_notsent_is_little() - is it so little that POLLOUT may tell?
 * @tcp: the connection.
 */
bool us_tcp_notsent_is_little(const struct us_tcp *tcp)
{
	return us_likely(!tcp->notsent) || 2 * unsent(tcp) < lowat(tcp);
}

/**
 * us_tcp_notsent_left() - bytes were sent for the first time
 * @tcp: active, with TCP_NOTSENT_LOWAT.
 * @bytes: of them.
 *
 * Tells those who may have waited for it.
 */
void us_tcp_notsent_left(struct us_tcp *tcp, uint32_t bytes)
{
	if (2 * (unsent(tcp) + bytes) >= lowat(tcp))
		us_tcp_notify(tcp);
}
