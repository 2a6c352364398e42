// SPDX-License-Identifier: MIT
/*
 * Accurate ECN, RFC 9768: counters of what was received, told to the sender.
 *
 * Every segment has the three lowest bits of the number of packets marked CE, in AE,
 * CWR and ECE (the ACE field).  Three bits can go round unseen when many packets are
 * acknowledged at once, so an option has, where it fits and something changed, 24
 * bits of the bytes marked CE, ECT(0) and ECT(1).
 */
#include "transport/tcp_parts.h"

#define FIRST_CEP	5u
#define FIRST_BYTES	1u	/* of ECT(0) and ECT(1): zeroed fields are seen */
#define ACE_MASK	7u
#define FIELD_MASK	0xffffffu
#define FIELDS		3u
#define BIT(ecn)	(1u << (ecn))

/* By us_tcp_segment.ecn: how a SYN or SYN-ACK arrived, tables 2 and 3. */
static const uint8_t handshake[4] = {
	[US_ECN_NOT_ECT] = 2, [US_ECN_ECT1] = 3, [US_ECN_ECT0] = 4, [US_ECN_CE] = 6,
};

/* The counters of the two options, in order. */
static const uint8_t orders[2][FIELDS] = {
	{ US_ECN_ECT0, US_ECN_CE, US_ECN_ECT1 },
	{ US_ECN_ECT1, US_ECN_CE, US_ECN_ECT0 },
};

static void begin(struct us_tcp_marks *marks)
{
	marks->cep = FIRST_CEP;
	marks->bytes[US_ECN_CE] = 0;
	marks->bytes[US_ECN_ECT0] = FIRST_BYTES;
	marks->bytes[US_ECN_ECT1] = FIRST_BYTES;
}

/**
 * us_tcp_accecn_init() - begins to count
 * @tcp: gets its active part, which it will keep if AccECN was agreed on.
 */
void us_tcp_accecn_init(struct us_tcp *tcp)
{
	begin(&tcp->active->accecn.r);
	begin(&tcp->active->accecn.s);
	tcp->active->accecn.ts = tcp->ts_recent;
}

/**
 * us_tcp_accecn_of_ecn() - what SYN-ACK and ACK tell of the other side's packet
 * @ecn: enum us_ecn, as it arrived.
 *
 * Return: AE, CWR and ECE.
 */
uint8_t us_tcp_accecn_of_ecn(uint8_t ecn)
{
	return handshake[ecn];
}

/**
 * us_tcp_accecn_opened() - the SYN-ACK arrived
 * @tcp: established.
 * @seg: the SYN-ACK; if it is marked, that counts once.
 */
void us_tcp_accecn_opened(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_accecn *acc;

	if (!us_tcp_activate(tcp))
		return;
	acc = &tcp->active->accecn;
	acc->r.cep += seg->ecn == US_ECN_CE;
	acc->probe = true;
	/* The initial values are not looked at, but that they are not zero is. */
	if (((seg->has_mark & BIT(US_ECN_ECT0)) && !seg->marks[US_ECN_ECT0]) ||
	    ((seg->has_mark & BIT(US_ECN_ECT1)) && !seg->marks[US_ECN_ECT1]))
		tcp->ecn |= US_TCP_ECN_ZEROED;
	if (seg->ace == handshake[US_ECN_CE])
		us_tcp_congested(tcp, 0);
}

/**
 * us_tcp_accecn_accepted() - our SYN-ACK was acknowledged
 * @tcp: established.
 * @seg: a pure ACK.
 */
void us_tcp_accecn_accepted(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (seg->ace != handshake[US_ECN_CE] || !us_tcp_activate(tcp))
		return;
	tcp->active->accecn.s.cep++;
	us_tcp_congested(tcp, 0);
}

/**
 * us_tcp_accecn_timeout() - what was sent was lost, maybe for its option
 * @tcp: active.
 *
 * Once data with the option has been acknowledged, it is not to blame any more.
 */
void us_tcp_accecn_timeout(struct us_tcp *tcp)
{
	if (tcp->active->accecn.probe)
		tcp->ecn |= US_TCP_ECN_NO_OPTION;
}

/**
 * us_tcp_accecn_ace() - the ACE field of the next segment
 * @tcp: synchronized.
 */
uint8_t us_tcp_accecn_ace(const struct us_tcp *tcp)
{
	return (tcp->active ? tcp->active->accecn.r.cep : FIRST_CEP) & ACE_MASK;
}

/* RFC 9768 3.2.2.5.1: a change, and so many marks, are told at once; a pure ACK that
 * is marked only after more of them, so that two peers do not play ping-pong.
 */
static bool must_tell(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
		      bool ce)
{
	const struct us_tcp_accecn *acc = &tcp->active->accecn;
	bool data = seg->len || tcp->rcv_nxt != tcp->last_ack_sent;

	return (ce && seg->len && !acc->last_ce) || acc->unsaid >= (data ? 2 : 3);
}

/* RFC 9768 3.2.3.2.2: data that comes a third time, with nothing new since, has not seen our
 * ACKs, maybe for their option.  Of data that is not marked they have none.
 */
static void note_again(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	struct us_tcp_accecn *acc = &tcp->active->accecn;
	bool again = !us_after(seg->end, tcp->rcv_nxt);

	if (again && acc->again)
		tcp->ecn |= US_TCP_ECN_NO_OPTION;
	acc->again = again;
}

/**
 * us_tcp_accecn_count() - an acceptable segment arrived
 * @tcp: synchronized.
 * @seg: whose payload is not yet taken.
 */
void us_tcp_accecn_count(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	uint32_t packets = seg->pkt->gso ? us_max32(seg->pkt->gso_segs, 1) : 1;
	bool ce = seg->ecn == US_ECN_CE;
	struct us_tcp_accecn *acc;

	if (!us_tcp_activate(tcp))
		return;
	acc = &tcp->active->accecn;
	if (ce) {
		acc->r.cep += packets;
		acc->unsaid = (uint8_t)us_min32(acc->unsaid + packets, UINT8_MAX);
	}
	if (seg->len && seg->ecn != US_ECN_NOT_ECT) {
		acc->r.bytes[seg->ecn] += seg->len;
		acc->changed |= (uint8_t)BIT(seg->ecn);
		acc->ever |= (uint8_t)BIT(seg->ecn);
		note_again(tcp, seg);
	}
	if (must_tell(tcp, seg, ce)) {
		tcp->flags |= US_TCP_ACK_NOW;
		us_tcp_queue(tcp);
	}
	acc->last_ce = ce;
}

/* An ACK that another one may have overtaken tells nothing.  Nor does the handshake's, which
 * comes once more if our SYN-ACK did (RFC 9768 3.2.2.2).
 */
static bool is_news(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
		    const struct us_tcp_acked *r)
{
	if (r->acked || r->delivered)
		return true;
	return seg->has_ts && us_after(seg->ts_val, tcp->active->accecn.ts) &&
	       (tcp->bytes_acked || seg->ace != handshake[US_ECN_NOT_ECT]);
}

/* RFC 9768 3.2.2.4, 3.2.3.2.4: fields that somebody zeroed on the way. */
static void test_first(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (tcp->ecn & US_TCP_ECN_TESTED)
		return;
	tcp->ecn |= US_TCP_ECN_TESTED;
	if (!seg->ace) {
		tcp->ecn |= US_TCP_ECN_DEAF;
		tcp->ecn &= (uint16_t)~US_TCP_ECN_ECT;
		us_count(tcp->table->stack, tcp_ecn_mangled);
	}
	if (((seg->has_mark & BIT(US_ECN_ECT0)) && !seg->marks[US_ECN_ECT0]) ||
	    ((seg->has_mark & BIT(US_ECN_ECT1)) && !seg->marks[US_ECN_ECT1]))
		tcp->ecn |= US_TCP_ECN_ZEROED;
}

/* Takes the option's counters; gives the bytes that were newly marked CE. */
static uint32_t take_bytes(struct us_tcp_accecn *acc, const struct us_tcp_segment *seg)
{
	uint32_t marked = 0, ecn;

	for (ecn = US_ECN_ECT1; ecn <= US_ECN_CE; ecn++) {
		uint32_t more = (seg->marks[ecn] - acc->s.bytes[ecn]) & FIELD_MASK;

		if (!(seg->has_mark & BIT(ecn)) || more > FIELD_MASK / 2)
			continue;
		acc->s.bytes[ecn] += more;
		if (ecn == US_ECN_CE)
			marked = more;
	}
	return marked;
}

/* How often did the three bits go round?  As often as @bytes allow. */
static uint32_t unwrap(const struct us_tcp *tcp, uint32_t marks, uint32_t bytes)
{
	uint32_t most = bytes / tcp->mss;

	return most > marks ? marks + ((most - marks) & ~ACE_MASK) : marks;
}

/* Bytes that were marked, at most.  The option knows, but not of more than the ACK covers;
 * without it all of these, if marks are what is coming in.
 */
static uint32_t bytes_marked(const struct us_tcp *tcp, const struct us_tcp_acked *r,
			     uint32_t marks, bool option, uint32_t bytes)
{
	if (option)
		return us_min32(bytes, r->delivered);
	return marks || tcp->active->accecn.marked ? r->delivered + tcp->mss - 1u : 0;
}

/**
 * us_tcp_accecn_told() - takes what an ACK tells of marks
 * @tcp: active.
 * @seg: the ACK.
 * @r: what else it told.
 *
 * Return: true if the path is congested.
 */
bool us_tcp_accecn_told(struct us_tcp *tcp, const struct us_tcp_segment *seg,
			const struct us_tcp_acked *r)
{
	struct us_tcp_accecn *acc = &tcp->active->accecn;
	bool few = r->delivered <= ACE_MASK * tcp->mss;
	uint32_t marks, bytes = 0;
	bool option;

	if (!is_news(tcp, seg, r))
		return false;
	acc->ts = seg->ts_val;
	acc->probe = acc->probe && !r->acked;
	test_first(tcp, seg);
	option = (seg->has_mark & BIT(US_ECN_CE)) && !(tcp->ecn & US_TCP_ECN_ZEROED);
	if (seg->has_mark && !(tcp->ecn & US_TCP_ECN_ZEROED))
		bytes = take_bytes(acc, seg);
	marks = (seg->ace - acc->s.cep) & ACE_MASK;
	if (bytes && !marks && few && (tcp->ecn & US_TCP_ECN_ECT)) {
		tcp->ecn &= (uint16_t)~US_TCP_ECN_ECT;	/* RFC 9768 3.2.3.2.5 */
		us_count(tcp->table->stack, tcp_ecn_mangled);
	}
	marks = unwrap(tcp, marks, bytes_marked(tcp, r, marks, option, bytes));
	acc->s.cep += marks;
	tcp->active->totals.delivered_ce += marks;
	acc->marked = marks;
	return marks && !(tcp->ecn & US_TCP_ECN_DEAF);
}

static uint32_t option_len(uint32_t fields)
{
	return (2 + 3 * fields + 3) & ~3u;
}

static const uint8_t *order_of(const struct us_tcp_accecn *acc)
{
	return orders[(acc->ever & BIT(US_ECN_ECT1)) && !(acc->ever & BIT(US_ECN_ECT0))];
}

/* Fields up to the last one that is among @which. */
static uint32_t fields_for(const struct us_tcp_accecn *acc, uint32_t which)
{
	const uint8_t *order = order_of(acc);
	uint32_t fields = FIELDS;

	while (fields && !(which & BIT(order[fields - 1])))
		fields--;
	return fields;
}

/* RFC 9768 3.2.3.3: all counters that ever changed, at least those that did since the
 * last ACK, or nothing at all.
 */
static uint32_t choose_fields(const struct us_tcp *tcp, uint32_t limit)
{
	const struct us_tcp_accecn *acc;
	uint32_t fields, least;

	if (!tcp->active || (tcp->ecn & US_TCP_ECN_NO_OPTION))
		return 0;
	acc = &tcp->active->accecn;
	if (!acc->changed && !acc->probe)
		return 0;
	least = us_max32(fields_for(acc, acc->changed), 1);
	fields = us_max32(fields_for(acc, acc->ever), least);
	while (fields >= least && option_len(fields) > limit)
		fields--;
	return fields >= least ? fields : 0;
}

/**
 * us_tcp_accecn_room() - bytes that the option takes in the next segment
 * @tcp: the connection.
 * @limit: bytes that are left for it.
 */
us_noinline uint32_t us_tcp_accecn_room(const struct us_tcp *tcp, uint32_t limit)
{
	uint32_t fields = choose_fields(tcp, limit);

	return fields ? option_len(fields) : 0;
}

static void put_field(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 16);
	at[1] = (uint8_t)(value >> 8);
	at[2] = (uint8_t)value;
}

static uint32_t put_option(const struct us_tcp_marks *marks, const uint8_t *order,
			   uint32_t fields, uint8_t *at)
{
	uint32_t len = 2 + 3 * fields, i;

	at[0] = order == orders[0] ? US_TCP_OPT_ACCECN0 : US_TCP_OPT_ACCECN1;
	at[1] = (uint8_t)len;
	for (i = 0; i < fields; i++)
		put_field(at + 2 + 3 * i, marks->bytes[order[i]]);
	for (; len < option_len(fields); len++)
		at[len] = US_TCP_OPT_NOP;
	return len;
}

/**
 * us_tcp_accecn_put() - writes the option, if there is something to tell
 * @tcp: the connection.
 * @limit: bytes that are left for it.
 * @at: where.
 *
 * Return: bytes written, as us_tcp_accecn_room() said.
 */
us_noinline uint32_t us_tcp_accecn_put(const struct us_tcp *tcp, uint32_t limit, uint8_t *at)
{
	uint32_t fields = choose_fields(tcp, limit);

	if (!fields)
		return 0;
	return put_option(&tcp->active->accecn.r, order_of(&tcp->active->accecn),
			  fields, at);
}

/**
 * us_tcp_accecn_put_syn_ack() - the option of a SYN-ACK: does it get through?
 * @tcp: the connection; in SYN-SENT there is none.
 * @at: where.
 *
 * Return: bytes written.
 */
uint32_t us_tcp_accecn_put_syn_ack(const struct us_tcp *tcp, uint8_t *at)
{
	struct us_tcp_marks marks;

	if (tcp->state != TCP_SYN_RECV || (tcp->ecn & US_TCP_ECN_NO_OPTION))
		return 0;
	begin(&marks);
	return put_option(&marks, orders[0], FIELDS, at);
}
