// SPDX-License-Identifier: MIT
/*
 * Was a reduction of the congestion window spurious?  Nothing was lost if the first ACK
 * answers what was sent before the retransmission (Eifel, RFC 3522, with timestamps), or
 * if the peer says of all that was sent again that it had it already (D-SACK, RFC 3708);
 * F-RTO (tcp_frto.c) asks the same after a timeout.  Then cwnd and ssthresh become what
 * they were (tcp_recovery.c).
 *
 * D-SACKs come late, often when recovery is over; so this goes on until the next
 * reduction.
 */
#include "transport/tcp_parts.h"

/**
 * us_tcp_undo_begin() - the window is about to be reduced
 * @tcp: active.
 */
void us_tcp_undo_begin(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->undo_una = tcp->snd_una;
	a->undo_cwnd = a->cwnd;
	a->undo_ssthresh = tcp->ssthresh;
	a->undo_resent = 0;
	a->resent_twice = false;
	a->retrans_ts = us_tcp_tick(tcp->table->stack) + tcp->ts_offset;
}

/**
 * us_tcp_undo_resent() - a run was sent again
 * @tcp: active.
 * @sent: the run; what is younger than the reduction does not count.
 */
void us_tcp_undo_resent(struct us_tcp *tcp, const struct us_tcp_sent *sent)
{
	if (us_after(sent->end, tcp->active->high_seq))
		return;
	tcp->active->undo_resent += sent->end - sent->seq;
	if (sent->flags & US_TCP_EVER)
		tcp->active->resent_twice = true;
}

/**
 * us_tcp_path_duplicates() - did more come twice than was sent twice? (RFC 3708 3)
 * @tcp: active.
 */
bool us_tcp_path_duplicates(const struct us_tcp *tcp)
{
	return tcp->active->totals.dsacks > tcp->total_retrans;
}

/**
 * us_tcp_undo_dsack() - the peer had something twice
 * @tcp: active.
 * @twice: which.
 *
 * What was sent before the reduction, or after it, says nothing about it.
 * Return: true if that is the last of all that was sent again since the reduction.
 */
bool us_tcp_undo_dsack(struct us_tcp *tcp, const struct us_tcp_sack *twice)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t start = us_seq_max(twice->start, a->undo_una);
	uint32_t end = us_seq_min(twice->end, a->high_seq);

	if (!a->undo_cwnd || !a->undo_resent || !us_before(start, end) ||
	    us_tcp_path_duplicates(tcp))
		return false;
	a->undo_resent -= us_min32(a->undo_resent, end - start);
	return !a->undo_resent;
}

/**
 * us_tcp_undo_eifel() - does an ACK answer what was sent before the retransmission?
 * @tcp: active.
 * @seg: the ACK; NULL: none.
 * @r: what it told.
 */
bool us_tcp_undo_eifel(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_tcp_acked *r)
{
	const struct us_tcp_active *a = tcp->active;

	return a->ca_state >= TCP_CA_Recovery && seg && r->acked &&
	       a->undo_cwnd && r->prior_una == a->undo_una &&
	       (tcp->flags & US_TCP_TS) && seg->has_ts && seg->ts_ecr &&
	       us_before(seg->ts_ecr, a->retrans_ts);
}
