// SPDX-License-Identifier: MIT
/*
 * SYN cookies (RFC 4987 3.6): when the SYN queue is full, all that must be known of
 * a half-open connection goes into the initial sequence number of the SYN-ACK, and
 * comes back with the ACK.
 *
 *	ISN = SipHash(key; addresses, ports, the peer's ISN, epoch, shape) + state
 *
 * The state is seven bits: the peer's MSS, rounded down to one of four, its window
 * scale, and whether it takes SACK.  Timestamps need no bit: they are on the ACK if
 * they were on the SYN; the shape that is hashed says so, and which window scale we
 * told.  ECN is declined.  An epoch lasts 34 s, and a cookie is good for its own
 * and the next one.
 *
 * An ACK made up without having seen the SYN-ACK passes with 2 * 2^7 chances in
 * 2^32, and only while cookies are being sent.
 */
#include "transport/tcp_parts.h"

#define EPOCH_SHIFT	35
#define EPOCHS		2u
#define NO_WSCALE	15u
#define STATES		128u

/* The usual ones; the first is the least that is told when there is no option. */
static const uint16_t mss4[] = { 536, 1300, 1440, 1460 };
static const uint16_t mss6[] = { 1220, 1380, 1420, 1440 };

static uint32_t epoch(const struct us_tcp_table *table)
{
	return (uint32_t)(table->stack->now >> EPOCH_SHIFT);
}

static uint32_t hash(struct us_tcp_table *table, const struct us_tcp_segment *seg,
		     uint32_t peer_isn, uint32_t when, uint8_t rcv_wscale)
{
	struct {
		struct us_addr local, remote;
		uint16_t local_port, remote_port;
		uint32_t peer_isn, epoch, shape;
		uint64_t tag;
	} key = { *seg->dst, *seg->src, seg->dest, seg->source, peer_isn, when,
		  (uint32_t)rcv_wscale << 1 | seg->has_ts, 0x636f6f6b6965 };

	return (uint32_t)us_random_hash(&table->stack->random, &key, sizeof(key));
}

static const uint16_t *mss_of(const struct us_tcp_segment *seg)
{
	return us_addr_is_v4(seg->src) ? mss4 : mss6;
}

static uint32_t pack(const struct us_tcp_segment *seg)
{
	uint32_t wscale = seg->has_wscale ? seg->wscale : NO_WSCALE, i = 3;

	while (i && mss_of(seg)[i] > seg->mss)
		i--;
	return wscale << 3 | (uint32_t)seg->sack_ok << 2 | i;
}

/* The SYN as it was, or nearly so. */
static void unpack(uint32_t state, const struct us_tcp_segment *seg,
		   struct us_tcp_segment *syn)
{
	*syn = *seg;
	syn->pkt = NULL;
	syn->seq = seg->seq - 1;
	syn->mss = mss_of(seg)[state & 3];
	syn->sack_ok = state >> 2 & 1;
	syn->wscale = (uint8_t)(state >> 3);
	syn->has_wscale = syn->wscale != NO_WSCALE;
}

/**
 * us_tcp_cookie_fits() - can a cookie stand for this SYN?
 * @seg: a SYN; one with a tiny MSS is never told more than it takes.
 */
bool us_tcp_cookie_fits(const struct us_tcp_segment *seg)
{
	return !seg->mss || seg->mss >= mss_of(seg)[0];
}

/**
 * us_tcp_cookie_make() - the initial sequence number that is a cookie
 * @table: its table.
 * @seg: a SYN.
 * @rcv_wscale: the shift for our receive buffer, told or not.
 */
uint32_t us_tcp_cookie_make(struct us_tcp_table *table,
			    const struct us_tcp_segment *seg, uint8_t rcv_wscale)
{
	table->cookie_at = table->stack->now;
	return hash(table, seg, seg->seq, epoch(table), rcv_wscale) + pack(seg);
}

/**
 * us_tcp_cookie_is_due() - has any cookie been sent that may still be good?
 * @table: its table.
 */
bool us_tcp_cookie_is_due(const struct us_tcp_table *table)
{
	return table->cookie_at != US_NEVER &&
	       table->stack->now - table->cookie_at < (us_ns)EPOCHS << EPOCH_SHIFT;
}

/**
 * us_tcp_cookie_check() - does an ACK bring back a cookie?
 * @table: its table.
 * @seg: the ACK, to a listening port, of no connection.
 * @rcv_wscale: as for us_tcp_cookie_make().
 * @syn: the SYN that the cookie stands for; without a packet.
 *
 * Return: false if not, or too late (counted).
 */
bool us_tcp_cookie_check(struct us_tcp_table *table,
			 const struct us_tcp_segment *seg, uint8_t rcv_wscale,
			 struct us_tcp_segment *syn)
{
	uint32_t age, state;

	for (age = 0; age < EPOCHS; age++) {
		state = seg->ack - 1 - hash(table, seg, seg->seq - 1,
					    epoch(table) - age, rcv_wscale);
		if (state < STATES) {
			unpack(state, seg, syn);
			return true;
		}
	}
	us_count(table->stack, tcp_cookie_refused);
	return false;
}
