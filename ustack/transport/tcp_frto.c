// SPDX-License-Identifier: MIT
/*
 * Forward RTO recovery, RFC 5682: was the timeout too early?  After the first segment
 * was sent again, an ACK lets two new segments go instead of old ones.  If the next ACK
 * tells of something that was sent once only, before the timeout, the originals are still
 * arriving: nothing was lost, and the timeout is undone.  If it does not, recovery goes on
 * as ever.
 *
 * With timestamps the first ACK tells already (Eifel, tcp_recovery.c); this is for
 * connections without them, with SACK (RFC 5682 3) or not (2).
 */
#include "transport/tcp_parts.h"

/* us_tcp_active.frto */
enum {
	NONE,
	RESENT,		/* step 2: the first segment was sent again */
	FORWARD,	/* step 3: new segments were sent */
};

/**
 * us_tcp_frto_begin() - the retransmission timer ran
 * @tcp: active, in the state of before.
 *
 * A second timeout for the same flight is no longer doubted (step 1).
 */
void us_tcp_frto_begin(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->frto = a->ca_state < TCP_CA_Recovery ? RESENT : NONE;
}

/**
 * us_tcp_frto_forward() - is it the turn of new data?
 * @tcp: active.
 *
 * Return: true if nothing lost is to be sent again before.
 */
bool us_tcp_frto_forward(const struct us_tcp *tcp)
{
	return tcp->active->frto == FORWARD;
}

static bool has_new_data(const struct us_tcp *tcp)
{
	return !(tcp->flags & US_TCP_FIN_SENT) &&
	       tcp->active->snd_end != tcp->snd_nxt &&
	       !us_after(tcp->snd_nxt + tcp->mss, tcp->snd_una + tcp->snd_wnd);
}

/* What is sent with the peer's data says neither; nor, with SACK, does a duplicate ACK
 * before the first segment is acknowledged (3.1 step 2).
 */
static bool is_silent(const struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	if (r->acked)
		return false;
	return (tcp->active->frto == RESENT && (tcp->flags & US_TCP_SACK)) ||
	       (!r->duplicate && !r->delivered);
}

/* Step 3b: of before the timeout, sent once, and nothing younger. */
static bool tells_of_originals(const struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	const struct us_tcp_active *a = tcp->active;

	return r->rtt && !us_after(a->rack_fack, a->high_seq) && a->undo_cwnd;
}

/**
 * us_tcp_frto() - an ACK after a timeout
 * @tcp: active, frto is set.
 * @r: what the ACK told.
 *
 * Return: true if the timeout was spurious.
 */
us_noinline bool us_tcp_frto(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	uint8_t step = a->frto;

	if (is_silent(tcp, r))
		return false;
	a->frto = NONE;
	if (step == FORWARD) {
		if (tells_of_originals(tcp, r))
			return true;
		a->cwnd = 3u * tcp->mss;	/* step 3a */
	} else if (r->acked && us_before(tcp->snd_una, a->high_seq) && has_new_data(tcp)) {
		a->frto = FORWARD;
		a->cwnd = us_tcp_pipe(tcp) + 2u * tcp->mss;
	}
	return false;
}
