// SPDX-License-Identifier: MIT
/*
 * How large a packet the path takes.  A router may say so (RFC 1191, RFC 8201), and is
 * believed as far as RFC 5927 allows.  If none does, large segments vanish: a black
 * hole, which shows in timeouts of one segment again and again; then segments become
 * small (RFC 4821 7.7).  From below, larger ones are tried, up to what the route took
 * at first: a probe is a segment of data a little larger than others, whose loss, if it
 * is the only one, says that it was too large, and nothing of congestion (RFC 4821 7.6).
 *
 * us_dst.mtu is what is used, the lower end of a search; us_tcp_active.mtu_high the
 * upper end.  The largest comes first, for most holes are outages that ended.
 */
#include "transport/tcp_parts.h"

#define MIN_MTU4	552u	/* as Linux's min_pmtu */
#define MIN_MTU6	1280u
#define BASE_MTU4	(1024u + 40)	/* RFC 4821 7.2, as Linux's tcp_base_mss */
#define BASE_MTU6	MIN_MTU6

#define CLOSE_ENOUGH	8u	/* bytes that are not worth a probe, as Linux */
#define TRAILING	3u	/* segments behind a probe, so that RACK sees its loss */

/* us_tcp.mtu_wait counts in 69 s, modulo 2^8: ten minutes until the next search. */
#define WAIT_SHIFT	36
#define WAIT		9u

static bool is_v6(const struct us_tcp *tcp)
{
	return tcp->dst.family == AF_INET6;
}

static uint32_t least(const struct us_tcp *tcp)
{
	return is_v6(tcp) ? MIN_MTU6 : MIN_MTU4;
}

/* What a packet has beside the payload, options that not every segment carries aside. */
static uint32_t headers(const struct us_tcp *tcp)
{
	return (is_v6(tcp) ? 60 : 40) + (tcp->flags & US_TCP_TS ? 12 : 0);
}

/* The largest packet that makes sense: what the route and the peer take. */
static uint32_t most(const struct us_tcp *tcp)
{
	uint32_t mss = tcp->peer_mss;

	if (tcp->maxseg)
		mss = us_min32(mss, tcp->maxseg);
	return us_min32(tcp->dst.route_mtu, mss + (is_v6(tcp) ? 60 : 40));
}

static uint8_t now(const struct us_tcp *tcp)
{
	return (uint8_t)(tcp->table->stack->now >> WAIT_SHIFT);
}

/* No search within this time. */
static void wait(struct us_tcp *tcp, uint32_t time)
{
	tcp->mtu_wait = (uint8_t)(now(tcp) + time);
}

/* Never more than WAIT ahead: what seems to be is long ago. */
static bool may_search(const struct us_tcp *tcp)
{
	uint8_t left = (uint8_t)(tcp->mtu_wait - now(tcp));

	return left == 0 || left > WAIT;
}

/* Packets of @mtu bytes at most from here on. */
static void lower(struct us_tcp *tcp, uint32_t mtu)
{
	tcp->dst.mtu = (uint16_t)mtu;
	us_tcp_set_mss(tcp);
	if (!tcp->active)
		return;
	tcp->active->mtu_high = 0;
	tcp->active->mtu_probe = 0;
}

/**
 * us_tcp_mtu_told() - a router says what the path takes
 * @tcp: which sent the packet that was too large.
 * @seq: first sequence number of it, in flight.
 * @mtu: bytes, as told.
 *
 * After ten minutes larger packets are tried again (RFC 1191 6.3, RFC 8201 5.3).
 */
void us_tcp_mtu_told(struct us_tcp *tcp, uint32_t seq, uint32_t mtu)
{
	struct us_tcp_active *a = tcp->active;
	uint16_t old = tcp->mss;

	mtu = us_max32(mtu, least(tcp));
	if (mtu < tcp->dst.mtu) {
		lower(tcp, mtu);
		wait(tcp, WAIT);
		if (tcp->mss < old)
			us_tcp_recover_mtu(tcp);
	} else if (a && a->mtu_probe && a->mtu_seq == seq) {
		a->mtu_high = (uint16_t)us_min32(a->mtu_high, mtu);
	} else {
		us_count(tcp->table->stack, tcp_icmp_mtu_ignored);
	}
}

/* The peer has it, but closed its window before. */
static bool is_refused(const struct us_tcp *tcp)
{
	return !tcp->snd_wnd && us_after(tcp->last_rcv, tcp->active->last_snd);
}

/**
 * us_tcp_mtu_timeout() - the retransmission timer ran: do large segments vanish?
 * @tcp: active, with something in flight; retries is not yet counted up.
 *
 * RFC 4821 7.7: a full stop, which each R1 timeouts of a segment are: first large ones
 * are no longer trusted, then its size is halved.  What the timeout does to the
 * congestion window stands.
 */
void us_tcp_mtu_timeout(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	const struct us_tcp_sent *head = cds_list_first_entry(&a->flight,
							      struct us_tcp_sent, node);
	uint32_t size = us_min32(head->end - head->seq, tcp->mss) + headers(tcp);
	uint32_t mtu = is_v6(tcp) ? BASE_MTU6 : BASE_MTU4;

	a->mtu_probe = 0;	/* its loss says nothing */
	if ((tcp->retries + 1) % US_TCP_R1 || is_refused(tcp))
		return;
	if (tcp->retries >= US_TCP_R1)
		mtu = us_max32(size / 2, least(tcp));
	if (mtu >= size)
		return;
	us_count(tcp->table->stack, tcp_mtu_black_hole);
	lower(tcp, mtu);
	wait(tcp, 0);
}

/* The next size to try, 0: none is worth it. */
static uint32_t next_size(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t top = most(tcp), mtu = tcp->dst.mtu;

	if (!a->mtu_high) {
		if (mtu + CLOSE_ENOUGH > top || !may_search(tcp))
			return 0;
		a->mtu_high = (uint16_t)top;
	}
	if (mtu + CLOSE_ENOUGH > a->mtu_high) {
		a->mtu_high = 0;
		wait(tcp, WAIT);
		return 0;
	}
	return a->mtu_high == top ? top : (mtu + a->mtu_high + 1) / 2;
}

/**
 * us_tcp_mtu_probe() - is it time for a probe?
 * @tcp: active; the route takes more than is used.
 * @data: bytes never sent that the peer's window takes.
 *
 * Return: payload bytes, which are to go before anything else, as soon as the
 * congestion window lets them; 0: none.  Sent, us_tcp_mtu_probe_sent() has to know.
 */
uint32_t us_tcp_mtu_probe(struct us_tcp *tcp, uint32_t data)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t size, len;

	if (!(tcp->flags & US_TCP_SACK) || (tcp->flags & US_TCP_URGING) ||
	    a->mtu_probe || a->ca_state != TCP_CA_Open || a->sacked || a->lost ||
	    tcp->retries)
		return 0;
	size = next_size(tcp);
	len = size - headers(tcp) - us_tcp_option_room(tcp);
	return size && us_min32(data, a->cwnd) >= len + TRAILING * tcp->mss ? len : 0;
}

/**
 * us_tcp_mtu_probe_sent() - a probe is on its way
 * @tcp: active.
 * @seq: first sequence number.
 * @len: payload bytes, as us_tcp_mtu_probe() said.
 */
void us_tcp_mtu_probe_sent(struct us_tcp *tcp, uint32_t seq, uint32_t len)
{
	struct us_tcp_active *a = tcp->active;

	us_count(tcp->table->stack, tcp_mtu_probe);
	a->mtu_seq = seq;
	a->mtu_len = (uint16_t)len;
	a->mtu_probe = (uint16_t)(len + headers(tcp) + us_tcp_option_room(tcp));
}

/**
 * us_tcp_mtu_acked() - did the probe arrive?
 * @tcp: active, with a probe on its way; snd_una has moved.
 */
void us_tcp_mtu_acked(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (us_before(tcp->snd_una, a->mtu_seq + a->mtu_len))
		return;
	tcp->dst.mtu = a->mtu_probe;
	a->mtu_probe = 0;
	us_tcp_set_mss(tcp);
	us_count(tcp->table->stack, tcp_mtu_raised);
}

/**
 * us_tcp_mtu_lost() - is it only the probe that was lost?
 * @tcp: active, with a probe on its way.
 * @sent: a run that RACK would take for lost.
 *
 * Then it was too large, is sent again in segments as ever, and congestion control
 * does not hear of it.
 * Return: false if @sent has to be taken for lost as any other.
 */
bool us_tcp_mtu_lost(struct us_tcp *tcp, struct us_tcp_sent *sent)
{
	struct us_tcp_active *a = tcp->active;

	if (sent->seq != a->mtu_seq || sent->end - sent->seq != a->mtu_len || a->lost)
		return false;
	a->mtu_high = (uint16_t)us_min32(a->mtu_high, a->mtu_probe - 1u);
	a->mtu_probe = 0;
	wait(tcp, WAIT);
	us_count(tcp->table->stack, tcp_mtu_probe_lost);
	return us_tcp_output_again(tcp, sent);
}
