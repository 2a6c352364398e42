// SPDX-License-Identifier: MIT
/*
 * Explicit congestion notification: agreeing on it, in one of two variants.
 *
 * Classic (RFC 3168): the receiver of a mark sets ECE on all that it sends until
 * the sender has reduced its window and says so with CWR.
 *
 * Accurate (AccECN, RFC 9768): AE, CWR and ECE together count marked packets; see
 * tcp_accecn.c.  On SYN and SYN-ACK they ask for it, agree, and tell how the other
 * side's SYN or SYN-ACK arrived, so that a path which meddles with ECN is found out.
 *
 * In both, only new data is sent as ECN-capable: no SYN, no pure ACK, no probe, and
 * nothing that is sent again (RFC 3168 6.1.1, 6.1.4, 6.1.5, 6.1.6).
 */
#include "transport/tcp_parts.h"

/* AE, CWR and ECE on SYN and SYN-ACK, as us_tcp_segment.ace has them. */
#define ACE_NONE		0u
#define ACE_CLASSIC_SYN_ACK	1u
#define ACE_CLASSIC_SYN		3u
#define ACE_RESERVED		5u	/* on SYN-ACK: AccECN, of a kind to come */
#define ACE_ACC_SYN		7u

/* Timeouts after which a SYN or SYN-ACK goes without ECN: it may be the reason. */
#define CLASSIC_TRIES		1u
#define ACC_TRIES		2u

static struct us_tcp_hdr *header_of(struct us_tx *tx)
{
	return (struct us_tcp_hdr *)(tx->head + tx->l4);
}

static void agree(struct us_tcp *tcp, uint32_t ecn)
{
	tcp->ecn = (uint16_t)ecn;
	tcp->flags &= ~US_TCP_ECN;
	if (ecn & (US_TCP_ECN_CLASSIC | US_TCP_ECN_ACC))
		tcp->flags |= US_TCP_ECN;
}

/* The path does something to our packets: they are not ECN-capable any more.  Marks
 * that the peer tells of are believed all the same (RFC 9768 3.2.2.3).
 */
static void mangled(struct us_tcp *tcp)
{
	tcp->ecn &= (uint16_t)~US_TCP_ECN_ECT;
	us_count(tcp->table->stack, tcp_ecn_mangled);
}

/**
 * us_tcp_ecn_offer() - what our SYN asks for
 * @tcp: new.
 * @mode: enum us_tcp_ecn_mode.
 */
void us_tcp_ecn_offer(struct us_tcp *tcp, uint8_t mode)
{
	if (mode == US_TCP_ECN_ASK)
		agree(tcp, US_TCP_ECN_ACC);
	else if (mode == US_TCP_ECN_ASK_CLASSIC)
		agree(tcp, US_TCP_ECN_CLASSIC);
	else
		agree(tcp, mode == US_TCP_ECN_OFF ? US_TCP_ECN_REFUSED : 0);
}

/**
 * us_tcp_ecn_syn() - takes what the peer's first SYN asks for
 * @tcp: passive, or it asked for something itself: that is void now.
 * @seg: the SYN.
 *
 * RFC 9768 3.1.1 to 3.1.3.  A classic SYN that arrives ECN-capable was meddled with.
 */
void us_tcp_ecn_syn(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	uint32_t ecn = tcp->ecn & US_TCP_ECN_REFUSED;

	if (seg->ace == ACE_NONE || ecn)
		;
	else if (seg->ace != ACE_CLASSIC_SYN)
		ecn = US_TCP_ECN_ACC | US_TCP_ECN_ECT |
		      (uint32_t)seg->ecn << US_TCP_ECN_SYN_SHIFT;
	else if (seg->ecn == US_ECN_NOT_ECT)
		ecn = US_TCP_ECN_CLASSIC | US_TCP_ECN_ECT;
	agree(tcp, ecn);
}

static void note_arrival(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	tcp->ecn &= (uint16_t)~US_TCP_ECN_SYN;
	tcp->ecn |= (uint16_t)(seg->ecn << US_TCP_ECN_SYN_SHIFT);
}

/**
 * us_tcp_ecn_syn_again() - the peer's SYN came once more
 * @tcp: in SYN-RECEIVED.
 * @seg: the SYN.
 *
 * The variant stays; but a peer that gave up asking may not know of it, so that
 * nothing is sent as ECN-capable (RFC 9768 3.1.5).
 * Return: false if it asks for the other variant: the connection is to be reset.
 */
bool us_tcp_ecn_syn_again(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	bool classic = seg->ace == ACE_CLASSIC_SYN;

	if (tcp->ecn & US_TCP_ECN_CLASSIC)
		return classic || seg->ace == ACE_NONE;
	if (!(tcp->ecn & US_TCP_ECN_ACC))
		return true;
	note_arrival(tcp, seg);
	if (seg->ace == ACE_NONE)
		tcp->ecn &= (uint16_t)~US_TCP_ECN_ECT;
	tcp->ecn |= US_TCP_ECN_NO_OPTION;	/* our SYN-ACK got lost, maybe for it */
	return !classic;
}

/* RFC 9768 table 2; a SYN of ours that did not arrive as not-ECT was meddled with. */
static void accept_acc(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	agree(tcp, US_TCP_ECN_ACC | US_TCP_ECN_ECT | US_TCP_ECN_HANDSHAKE);
	note_arrival(tcp, seg);
	if (seg->ace != ACE_RESERVED &&
	    seg->ace != us_tcp_accecn_of_ecn(US_ECN_NOT_ECT))
		mangled(tcp);
}

/**
 * us_tcp_ecn_syn_ack() - takes the peer's answer to what our SYN asked for
 * @tcp: in SYN-SENT.
 * @seg: the SYN-ACK.
 */
void us_tcp_ecn_syn_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!(tcp->flags & US_TCP_ECN))
		return;
	if (seg->ace == ACE_CLASSIC_SYN_ACK)
		agree(tcp, US_TCP_ECN_CLASSIC | US_TCP_ECN_ECT);
	else if ((tcp->ecn & US_TCP_ECN_ACC) && seg->ace != ACE_NONE &&
		 seg->ace != ACE_ACC_SYN)
		accept_acc(tcp, seg);
	else
		agree(tcp, 0);	/* refused; or reflected, by a broken peer */
}

/**
 * us_tcp_ecn_syn_ack_again() - a SYN-ACK came once more: its ACK tells how
 * @tcp: synchronized, opened by us.
 * @seg: the SYN-ACK.
 */
void us_tcp_ecn_syn_ack_again(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (!(tcp->ecn & US_TCP_ECN_ACC) || (tcp->flags & US_TCP_PASSIVE) ||
	    seg->seq + 1 != tcp->rcv_nxt)
		return;
	note_arrival(tcp, seg);
	tcp->ecn |= US_TCP_ECN_HANDSHAKE;
}

/**
 * us_tcp_ecn_syn_timeout() - SYN or SYN-ACK is sent again, maybe ECN got it lost
 * @tcp: retries counts that already.
 *
 * RFC 3168 6.1.1.1; RFC 9768 3.1.4.1, 3.2.3.2.2.
 */
void us_tcp_ecn_syn_timeout(struct us_tcp *tcp)
{
	if (!(tcp->flags & US_TCP_ECN))
		return;
	if (tcp->state == TCP_SYN_SENT && (tcp->ecn & US_TCP_ECN_CLASSIC) &&
	    tcp->retries >= CLASSIC_TRIES)
		agree(tcp, 0);
	if (tcp->state != TCP_SYN_RECV || !(tcp->ecn & US_TCP_ECN_ACC))
		return;
	tcp->ecn |= US_TCP_ECN_NO_OPTION;
	if (tcp->retries >= ACC_TRIES)
		tcp->ecn &= (uint16_t)~US_TCP_ECN_ECT;
}

static uint8_t syn_ace(const struct us_tcp *tcp)
{
	bool acc = tcp->ecn & US_TCP_ECN_ACC;

	if (acc && tcp->retries >= ACC_TRIES)
		return ACE_NONE;
	if (tcp->state == TCP_SYN_SENT)
		return acc ? ACE_ACC_SYN : ACE_CLASSIC_SYN;
	if (!acc)
		return ACE_CLASSIC_SYN_ACK;
	return us_tcp_accecn_of_ecn((tcp->ecn & US_TCP_ECN_SYN) >>
				    US_TCP_ECN_SYN_SHIFT);
}

static void put_ace(struct us_tx *tx, uint8_t ace)
{
	struct us_tcp_hdr *h = header_of(tx);

	h->offset = (uint8_t)((h->offset & ~US_TCP_AE) | ace >> 2);
	h->flags = (uint8_t)((h->flags & US_TCP_FLAGS) | (ace & 3) << 6);
}

/**
 * us_tcp_ecn_header() - sets AE, CWR and ECE of any segment
 * @tcp: with US_TCP_ECN.
 * @tx: the segment; its header is written.
 */
us_noinline void us_tcp_ecn_header(struct us_tcp *tcp, struct us_tx *tx)
{
	if (header_of(tx)->flags & US_TCP_SYN)
		put_ace(tx, syn_ace(tcp));
	else if (tcp->ecn & US_TCP_ECN_ACC)
		put_ace(tx, us_tcp_accecn_ace(tcp));
	else if (tcp->ecn & US_TCP_ECN_ECHO)
		header_of(tx)->flags |= US_TCP_ECE;
}

/**
 * us_tcp_ecn_handshake_ack() - a pure ACK tells how the SYN-ACK arrived
 * @tcp: with US_TCP_ECN_HANDSHAKE, which ends.
 * @tx: the ACK (RFC 9768 3.2.2.1).
 */
void us_tcp_ecn_handshake_ack(struct us_tcp *tcp, struct us_tx *tx)
{
	put_ace(tx, us_tcp_accecn_of_ecn((tcp->ecn & US_TCP_ECN_SYN) >>
					 US_TCP_ECN_SYN_SHIFT));
	tcp->ecn &= (uint16_t)~US_TCP_ECN_HANDSHAKE;
}

/**
 * us_tcp_ecn_new_data() - payload that was never sent before
 * @tcp: with US_TCP_ECN.
 * @tx: becomes ECN-capable, and says that the window was reduced if it was.
 */
void us_tcp_ecn_new_data(struct us_tcp *tcp, struct us_tx *tx)
{
	if (tcp->ecn & US_TCP_ECN_ECT)
		tx->ecn = US_ECN_ECT0;
	if (tcp->ecn & US_TCP_ECN_CWR)
		header_of(tx)->flags |= US_TCP_CWR;
	tcp->ecn &= (uint16_t)~US_TCP_ECN_CWR;
}

/* The receiver's part of RFC 3168 6.1.3.  That a window may be very small is why
 * both ends of the echo are acknowledged at once.
 */
static void classic_input(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	bool cwr = seg->ace & 2, ce = seg->ecn == US_ECN_CE;

	if (!seg->len)
		return;
	if (cwr)
		tcp->ecn &= (uint16_t)~US_TCP_ECN_ECHO;
	if (cwr || (ce && !(tcp->ecn & US_TCP_ECN_ECHO))) {
		tcp->flags |= US_TCP_ACK_NOW;
		us_tcp_queue(tcp);
	}
	if (ce)
		tcp->ecn |= US_TCP_ECN_ECHO;
}

/**
 * us_tcp_ecn_input() - the ECN field of an acceptable segment
 * @tcp: with US_TCP_ECN.
 * @seg: whose payload is not yet taken.
 */
us_noinline void us_tcp_ecn_input(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (tcp->state == TCP_CLOSE)
		return;
	if (seg->ecn != US_ECN_NOT_ECT)
		tcp->ecn |= US_TCP_ECN_SEEN;
	if (seg->ecn == US_ECN_CE)
		us_count_by(tcp->table->stack, tcp_ecn_ce, us_tcp_segments(seg));
	if (tcp->ecn & US_TCP_ECN_ACC)
		us_tcp_accecn_count(tcp, seg);
	else
		classic_input(tcp, seg);
}

/**
 * us_tcp_ecn_echoed() - does an ACK tell of marks?
 * @tcp: active, with US_TCP_ECN.
 * @seg: the ACK.
 * @r: what else it told.
 */
void us_tcp_ecn_echoed(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_tcp_acked *r)
{
	bool marked = tcp->ecn & US_TCP_ECN_ACC ? us_tcp_accecn_told(tcp, seg, r) :
						  seg->ace & 1;

	if (marked && !(tcp->ecn & US_TCP_ECN_ACC))
		tcp->active->totals.delivered_ce +=
			(r->delivered + tcp->mss - 1u) / tcp->mss;
	if (marked && us_tcp_congested(tcp, r->delivered))
		us_count(tcp->table->stack, tcp_ecn_reduced);
}

/**
 * us_tcp_ecn_reduced() - the congestion window is reduced, for whatever reason
 * @tcp: active; the peer is told with CWR (RFC 3168 6.1.2).
 */
void us_tcp_ecn_reduced(struct us_tcp *tcp)
{
	if (tcp->ecn & US_TCP_ECN_CLASSIC)
		tcp->ecn |= US_TCP_ECN_CWR;
}

/**
 * us_tcp_ecn_handshake() - how our SYN-ACK arrived, and what came with the end of
 *	the handshake
 * @tcp: just established, with US_TCP_ECN_ACC.
 * @seg: the SYN-ACK, or what acknowledges ours.
 */
void us_tcp_ecn_handshake(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (seg->flags & US_TCP_SYN) {
		us_tcp_accecn_opened(tcp, seg);
		return;
	}
	if (seg->len || seg->nr_sack)
		return;
	/* RFC 9768 table 4 */
	if (seg->ace == ACE_NONE)
		tcp->ecn |= US_TCP_ECN_DEAF;
	if (seg->ace == ACE_NONE || seg->ace == us_tcp_accecn_of_ecn(US_ECN_ECT1) ||
	    seg->ace == us_tcp_accecn_of_ecn(US_ECN_ECT0) ||
	    seg->ace == us_tcp_accecn_of_ecn(US_ECN_CE))
		mangled(tcp);
	us_tcp_accecn_accepted(tcp, seg);
}
