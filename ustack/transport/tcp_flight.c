// SPDX-License-Identifier: MIT
/*
 * What is in flight: runs of sequence space, each with the time of its last
 * transmission and what is believed of it (sacked, lost, sent again).  Loss
 * recovery decides, this file keeps the books: us_tcp_active.sacked, .lost and
 * .retrans are always the sums over the runs (but for the guess of .sacked on
 * a connection without SACK).
 *
 * Work is bounded: neighbours sent in the same poll are one run, and so are
 * neighbours that are sacked; so a walk costs one step a hole and one a poll,
 * not one a segment.  Whatever the peer's segment size, and whatever it says, there
 * are no more than some runs: beyond, what is sent joins the run before it.  When three
 * quarters of the stack's runs are in use, some are few.
 */
#include "transport/tcp_parts.h"

#define RUNS_MIN	256u	/* runs that SACK may cut; and one for each segment... */
#define RUNS_MAX	2048u	/* ... but no more: 6 MB on their way, two a poll */
#define RUNS_FEW	8u	/* ... and these where they run short */

static struct us_tcp_sent *first(struct us_tcp_active *a)
{
	return cds_list_empty((struct cds_list_head *)&a->flight) ? NULL :
	       cds_list_first_entry(&a->flight, struct us_tcp_sent, node);
}

static struct us_tcp_sent *tail(const struct us_tcp_active *a)
{
	return cds_list_empty((struct cds_list_head *)&a->flight) ? NULL :
	       cds_list_entry(a->flight.prev, struct us_tcp_sent, node);
}

static struct us_tcp_sent *next(const struct us_tcp_active *a,
				const struct us_tcp_sent *sent)
{
	return sent->node.next == &a->flight ? NULL :
	       cds_list_entry(sent->node.next, struct us_tcp_sent, node);
}

static struct us_tcp_sent *previous(const struct us_tcp_active *a,
				    const struct us_tcp_sent *sent)
{
	return sent->node.prev == &a->flight ? NULL :
	       cds_list_entry(sent->node.prev, struct us_tcp_sent, node);
}

static void forget(struct us_tcp *tcp, struct us_tcp_sent *sent)
{
	struct us_tcp_active *a = tcp->active;

	if (a->lost_hint == sent)
		a->lost_hint = NULL;
	cds_list_del(&sent->node);
	a->nr_sent--;
	us_pool_put(&tcp->table->sents, sent);
}

/* Takes the marks of @bytes of a run out of the sums. */
static void uncount(struct us_tcp_active *a, uint32_t flags, uint32_t bytes)
{
	if (flags & US_TCP_SACKED)
		a->sacked -= bytes;
	if (flags & US_TCP_LOST)
		a->lost -= bytes;
	if (flags & US_TCP_RETRANS)
		a->retrans -= bytes;
}

/**
 * us_tcp_pipe() - bytes believed to be on the path (RFC 6675's pipe)
 * @tcp: active.
 */
uint32_t us_tcp_pipe(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;
	uint32_t out = us_tcp_in_flight(tcp) + a->retrans;
	uint32_t gone = a->sacked + a->lost;

	return out > gone ? out - gone : 0;
}

/* The last quarter is for those who have few: nobody takes the runs that others need to
 * send at all.
 */
static uint32_t most_runs(const struct us_tcp *tcp)
{
	const struct us_pool *pool = &tcp->table->sents;

	return pool->used < pool->count - pool->count / 4 ? RUNS_MAX : RUNS_FEW;
}

/**
 * us_tcp_flight_ready() - can us_tcp_flight_add() keep its promise?
 * @tcp: active.
 *
 * Return: false if the pool is exhausted and the last run cannot grow.
 */
bool us_tcp_flight_ready(const struct us_tcp *tcp)
{
	const struct us_pool *pool = &tcp->table->sents;
	const struct us_tcp_sent *last = tail(tcp->active);

	return pool->used < pool->count || (last && !last->flags);
}

/* All that one poll sends has one time, but RACK asks what was sent first.  What is sent
 * again is later than the new data before it, and not later than what follows.  A time
 * that is further ahead is of long ago: they go round in 73 minutes.
 */
static uint32_t stamp(const struct us_tcp *tcp)
{
	uint32_t now = us_tcp_usec(tcp->table->stack);
	const struct us_tcp_active *a = tcp->active;

	if (us_unlikely(a->retrans) && a->resent_at - now < US_TCP_AHEAD)
		return a->resent_at;
	return now;
}

/**
 * us_tcp_flight_again() - the time at which something is sent again
 * @tcp: active, with something in flight.
 */
uint32_t us_tcp_flight_again(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	const struct us_tcp_sent *last = tail(a);

	a->resent_at = stamp(tcp);
	if (!(last->flags & US_TCP_EVER) && last->xmit == a->resent_at)
		a->resent_at++;
	return a->resent_at;
}

/**
 * us_tcp_flight_add() - new data was sent
 * @tcp: active; us_tcp_flight_ready().
 * @seq: first sequence number, the end of what is in flight.
 * @end: one past the last.
 *
 * When the pool is exhausted, or there are too many runs, the last one grows and takes
 * the new time.
 */
void us_tcp_flight_add(struct us_tcp *tcp, uint32_t seq, uint32_t end)
{
	uint32_t now = stamp(tcp), pipe = us_tcp_pipe(tcp);
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent = tail(a);

	if (!sent)
		a->rack_rtt = 0;	/* nothing of this flight was delivered */
	if (!sent || sent->flags || (sent->xmit != now && a->nr_sent < most_runs(tcp))) {
		struct us_tcp_sent *fresh = us_pool_get(&tcp->table->sents);

		if (fresh) {
			fresh->seq = seq;
			fresh->flags = 0;
			fresh->blurred = false;
			fresh->xmit = now;
			us_tcp_rate_sent(tcp, fresh, pipe);
			cds_list_add_tail(&fresh->node, &a->flight);
			a->nr_sent++;
			sent = fresh;
		}
	}
	sent->end = end;
	if (us_unlikely(sent->xmit != now)) {
		sent->blurred = true;
		sent->xmit = now;
	}
	sent->in_flight = pipe + (end - seq);
}

/**
 * us_tcp_flight_split() - makes two runs of one
 * @tcp: active.
 * @sent: keeps what is before @at.
 * @at: inside of it.
 *
 * Return: false if the pool is exhausted.
 */
bool us_tcp_flight_split(struct us_tcp *tcp, struct us_tcp_sent *sent, uint32_t at)
{
	struct us_tcp_sent *rest = us_pool_get(&tcp->table->sents);

	if (!rest)
		return false;
	*rest = *sent;
	rest->seq = at;
	sent->end = at;
	cds_list_add(&rest->node, &sent->node);
	tcp->active->nr_sent++;
	return true;
}

static void delivered(struct us_tcp *tcp, struct us_tcp_sent *sent,
		      uint32_t bytes, struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;

	if (sent->flags & US_TCP_SACKED)
		return;
	r->delivered += bytes;
	if (!(sent->flags & US_TCP_EVER) && us_before(sent->end, a->rack_fack))
		a->reordering_seen = true;
	us_tcp_rack_delivered(tcp, sent, r);
	us_tcp_rate_delivered(tcp, sent, bytes, &r->rate);
}

static void note_time(const struct us_tcp_sent *sent, struct us_tcp_acked *r)
{
	if (sent->flags & US_TCP_EVER) {
		r->retrans = true;
		return;
	}
	if ((sent->flags & US_TCP_SACKED) || sent->blurred)
		return;
	if (!r->timed)
		r->first_xmit = sent->xmit;
	r->timed = true;
}

/**
 * us_tcp_flight_ack() - everything before @ack has arrived
 * @tcp: active.
 * @ack: in flight or the end of it.
 * @r: gets what is newly delivered, and times for RTT samples.
 */
void us_tcp_flight_ack(struct us_tcp *tcp, uint32_t ack, struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent;

	while ((sent = first(a)) && us_before(sent->seq, ack)) {
		bool all = !us_after(sent->end, ack);
		uint32_t bytes = (all ? sent->end : ack) - sent->seq;

		note_time(sent, r);
		delivered(tcp, sent, bytes, r);
		uncount(a, sent->flags, bytes);
		sent->seq += bytes;
		if (all)
			forget(tcp, sent);
	}
	a->rack_fack = us_seq_max(a->rack_fack, ack);
	if (r->timed && r->retrans)
		r->timed = false;	/* Karn: which copy was it? */
}

/**
 * us_tcp_flight_is_one() - is one run in flight, sent once, and at one time?
 * @a: the connection's.
 */
bool us_tcp_flight_is_one(const struct us_tcp_active *a)
{
	return a->nr_sent == 1 && !tail(a)->flags && !tail(a)->blurred;
}

/**
 * us_tcp_flight_ack_all() - all that is in flight has arrived
 * @tcp: active, and calm; us_tcp_flight_is_one().
 * @r: gets what is delivered, and its round-trip time.
 */
void us_tcp_flight_ack_all(struct us_tcp *tcp, struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent = first(a);

	r->delivered = sent->end - sent->seq;
	us_tcp_rack_delivered(tcp, sent, r);
	us_tcp_rate_delivered(tcp, sent, r->delivered, &r->rate);
	a->rack_fack = sent->end;
	forget(tcp, sent);
}

/* Joins a sacked run with a sacked neighbour behind it. */
static void join(struct us_tcp *tcp, struct us_tcp_sent *sent)
{
	struct us_tcp_sent *behind = next(tcp->active, sent);

	if (!behind || !(behind->flags & US_TCP_SACKED))
		return;
	sent->end = behind->end;
	forget(tcp, behind);
}

static void mark_sacked(struct us_tcp *tcp, struct us_tcp_sent *sent,
			struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t bytes = sent->end - sent->seq;

	delivered(tcp, sent, bytes, r);
	uncount(a, sent->flags, bytes);
	sent->flags = (sent->flags & US_TCP_EVER) | US_TCP_SACKED;
	a->sacked += bytes;
}

/*
 * A peer may name every second byte.  What it says beyond some runs is not believed,
 * which costs no more than a retransmission.
 */
static bool may_cut(const struct us_tcp *tcp)
{
	uint32_t most = RUNS_MIN + us_tcp_in_flight(tcp) / tcp->mss;

	if (tcp->active->nr_sent < us_min32(most, most_runs(tcp)))
		return true;
	us_count(tcp->table->stack, tcp_sack_refused);
	return false;
}

/* Marks what of @sent lies in the block; false if it could not be cut. */
static bool sack_one(struct us_tcp *tcp, struct us_tcp_sent **at,
		     const struct us_tcp_sack *block, struct us_tcp_acked *r)
{
	struct us_tcp_sent *sent = *at;

	if ((us_before(sent->seq, block->start) ||
	     us_after(sent->end, block->end)) && !may_cut(tcp))
		return false;
	if (us_before(sent->seq, block->start)) {
		if (!us_tcp_flight_split(tcp, sent, block->start))
			return false;
		sent = next(tcp->active, sent);
	}
	if (us_after(sent->end, block->end) &&
	    !us_tcp_flight_split(tcp, sent, block->end))
		return false;
	mark_sacked(tcp, sent, r);
	*at = sent;
	return true;
}

/**
 * us_tcp_flight_sack() - a SACK block arrived
 * @tcp: active.
 * @block: checked: inside of what is in flight.
 * @r: gets what is newly delivered.
 */
void us_tcp_flight_sack(struct us_tcp *tcp, const struct us_tcp_sack *block,
			struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent = first(a), *before = NULL;

	while (sent && us_before(sent->seq, block->end)) {
		if (us_after(sent->end, block->start)) {
			if (!(sent->flags & US_TCP_SACKED) &&
			    !sack_one(tcp, &sent, block, r))
				break;
			join(tcp, sent);
			if (before && (before->flags & US_TCP_SACKED) &&
			    before->end == sent->seq) {
				join(tcp, before);
				sent = before;
			}
		}
		before = sent;
		sent = next(a, sent);
	}
}

/**
 * us_tcp_flight_lose() - a run is taken for lost, or its retransmission is
 * @tcp: active.
 * @sent: not sacked.
 */
void us_tcp_flight_lose(struct us_tcp *tcp, struct us_tcp_sent *sent)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t bytes = sent->end - sent->seq;

	if (sent->flags & US_TCP_RETRANS)
		a->retrans -= bytes;
	if (!(sent->flags & US_TCP_LOST))
		a->lost += bytes;
	a->lost_ever += bytes;
	if (a->cc->lost)
		a->cc->lost(tcp, sent);
	sent->flags = (sent->flags & ~US_TCP_RETRANS) | US_TCP_LOST;
	if (a->lost_hint && us_before(sent->seq, a->lost_hint->seq))
		a->lost_hint = sent;
}

/**
 * us_tcp_flight_lose_head() - the first segment in flight is taken for lost
 * @tcp: active.
 *
 * All that a connection without SACK can tell (RFC 6582).
 */
void us_tcp_flight_lose_head(struct us_tcp *tcp)
{
	struct us_tcp_sent *head = first(tcp->active);

	if (!head || (head->flags & US_TCP_LOST))
		return;
	if (head->end - head->seq > tcp->mss)
		us_tcp_flight_split(tcp, head, head->seq + tcp->mss);
	us_tcp_flight_lose(tcp, head);
}

static bool is_young(const struct us_tcp *tcp, const struct us_tcp_sent *sent, uint32_t age)
{
	return us_tcp_since(sent->xmit, us_tcp_usec(tcp->table->stack)) < age;
}

/* Nothing that the peer said is believed any more. */
static void forget_sacked(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent;

	cds_list_for_each_entry(sent, &a->flight, node) {
		if (!(sent->flags & US_TCP_SACKED))
			continue;
		uncount(a, sent->flags, sent->end - sent->seq);
		sent->flags = US_TCP_EVER;
	}
}

/**
 * us_tcp_flight_lose_old() - what is not sacked is taken for lost
 * @tcp: active.
 * @age: usec; what is younger may still arrive, but for the first segment (RFC 8985 6.3).
 *
 * If the first run is sacked, the peer has reneged (RFC 2018 8), and all is lost.
 */
void us_tcp_flight_lose_old(struct us_tcp *tcp, uint32_t age)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *head = first(a), *sent;

	if (!head)
		return;		/* a SYN is on its way, no more */
	if (head->flags & US_TCP_SACKED) {
		forget_sacked(tcp);
		age = 0;
	}
	if (is_young(tcp, head, age) && head->end - head->seq > tcp->mss)
		us_tcp_flight_split(tcp, head, head->seq + tcp->mss);
	cds_list_for_each_entry(sent, &a->flight, node)
		if (!(sent->flags & US_TCP_SACKED) &&
		    (sent == head || !is_young(tcp, sent, age)))
			us_tcp_flight_lose(tcp, sent);
	a->lost_hint = NULL;
}

/**
 * us_tcp_flight_lost() - what is to be sent again next
 * @tcp: active.
 *
 * Return: the first run that is lost and was not sent again since, or NULL.
 */
struct us_tcp_sent *us_tcp_flight_lost(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct us_tcp_sent *sent;

	if (a->lost == a->retrans)
		return NULL;
	sent = a->lost_hint ? a->lost_hint : first(a);
	while (sent && (sent->flags & (US_TCP_LOST | US_TCP_RETRANS)) != US_TCP_LOST)
		sent = next(a, sent);
	a->lost_hint = sent;
	return sent;
}

/* There are too many runs: what was sent again joins what was before it. */
static void join_resent(struct us_tcp *tcp, struct us_tcp_sent *sent)
{
	struct us_tcp_sent *before = previous(tcp->active, sent);

	if (!before || before->flags != sent->flags)
		return;
	before->end = sent->end;
	before->xmit = sent->xmit;
	forget(tcp, sent);
	tcp->active->lost_hint = before;
}

/**
 * us_tcp_flight_resent() - a lost run was sent again
 * @tcp: active.
 * @sent: the run; may be gone then.
 */
void us_tcp_flight_resent(struct us_tcp *tcp, struct us_tcp_sent *sent)
{
	us_tcp_rate_sent(tcp, sent, us_tcp_pipe(tcp));
	us_tcp_undo_resent(tcp, sent);
	if (!(sent->flags & US_TCP_RETRANS))
		tcp->active->retrans += sent->end - sent->seq;
	sent->xmit = us_tcp_flight_again(tcp);
	sent->flags |= US_TCP_RETRANS | US_TCP_EVER;
	sent->in_flight = us_tcp_pipe(tcp);
	if (us_unlikely(tcp->active->nr_sent > most_runs(tcp)))
		join_resent(tcp, sent);
}

/**
 * us_tcp_flight_free() - forgets everything in flight
 * @tcp: active.
 */
void us_tcp_flight_free(struct us_tcp *tcp)
{
	struct us_tcp_sent *sent;

	while ((sent = first(tcp->active)))
		forget(tcp, sent);
}
