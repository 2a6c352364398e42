// SPDX-License-Identifier: MIT
/* Selective acknowledgement, RFC 2018 and 2883: both directions. */
#include "transport/tcp_parts.h"

/* RFC 2883 4: the first block tells of a duplicate if it lies below the
 * cumulative ACK, or inside of the second block.
 */
static bool is_dsack(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	const struct us_tcp_sack *b = seg->sack;

	if (us_before(b[0].start, seg->ack))
		return us_before(b[0].start, b[0].end) &&
		       !us_after(b[0].end, tcp->snd_nxt);
	return seg->nr_sack > 1 && !us_before(b[0].start, b[1].start) &&
	       !us_after(b[0].end, b[1].end);
}

static bool is_valid(const struct us_tcp *tcp, const struct us_tcp_sack *block)
{
	return us_before(block->start, block->end) &&
	       us_after(block->start, tcp->snd_una) &&
	       !us_after(block->end, tcp->snd_nxt);
}

/**
 * us_tcp_sack_input() - SACK blocks of the peer
 * @tcp: active.
 * @seg: its cumulative ACK has been taken.
 * @r: gets what is newly delivered.
 */
void us_tcp_sack_input(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       struct us_tcp_acked *r)
{
	uint32_t fack = tcp->active->rack_fack, i = 0;

	if (!(tcp->flags & US_TCP_SACK))
		return;
	if (is_dsack(tcp, seg)) {
		r->dsack = true;
		i = 1;
	}
	for (; i < seg->nr_sack; i++) {
		if (!is_valid(tcp, &seg->sack[i])) {
			us_count(tcp->table->stack, tcp_sack_ignored);
			continue;
		}
		us_tcp_flight_sack(tcp, &seg->sack[i], r);
		fack = us_seq_max(fack, seg->sack[i].end);
	}
	tcp->active->rack_fack = fack;
}

/**
 * us_tcp_sack_note() - a run of out-of-order data grew
 * @tcp: active.
 * @start: of the whole run.
 * @end: of the whole run.
 *
 * It is reported first; blocks that it has swallowed are not reported any more
 * (RFC 2018 4).
 */
void us_tcp_sack_note(struct us_tcp *tcp, uint32_t start, uint32_t end)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sack kept[US_TCP_SACKS];
	uint32_t i, n = 0;

	if (!(tcp->flags & US_TCP_SACK))
		return;
	kept[n++] = (struct us_tcp_sack){ start, end };
	for (i = 0; i < a->nr_sack && n < US_TCP_SACKS; i++)
		if (us_after(a->sack[i].start, end) ||
		    us_before(a->sack[i].end, start))
			kept[n++] = a->sack[i];
	memcpy(a->sack, kept, sizeof(kept[0]) * n);
	a->nr_sack = (uint8_t)n;
}

/**
 * us_tcp_sack_advance() - rcv_nxt moved on
 * @tcp: active.
 */
void us_tcp_sack_advance(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t i, n = 0;

	for (i = 0; i < a->nr_sack; i++)
		if (us_after(a->sack[i].start, tcp->rcv_nxt))
			a->sack[n++] = a->sack[i];
	a->nr_sack = (uint8_t)n;
}

/**
 * us_tcp_dsack_note() - something arrived twice
 * @tcp: active.
 * @start: of the duplicate, the first one of its segment.
 * @end: of the duplicate; @start: there is none.
 *
 * An ACK tells of one (RFC 2883 4): what was not yet told goes first.
 */
void us_tcp_dsack_note(struct us_tcp *tcp, uint32_t start, uint32_t end)
{
	struct us_tcp_active *a = tcp->active;

	if (!(tcp->flags & US_TCP_SACK) || start == end)
		return;
	if (a->dsack.start != a->dsack.end)
		us_tcp_send_ack(tcp);
	a->dsack = (struct us_tcp_sack){ start, end };
}
