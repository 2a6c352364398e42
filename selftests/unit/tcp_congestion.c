// SPDX-License-Identifier: MIT
/* What a loss, a mark and a false alarm make of the congestion window. */
#include "tcp_bench.h"

#define MSS	1460u

/* Ten segments in flight, and more to send. */
static struct us_tcp *full_window(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	bench_line("send 100000 = 100000");
	bench_discard();
	ok(us_tcp_in_flight(tcp) == 10 * MSS, "ten segments are in flight");
	return tcp;
}

/* RFC 3168 6.1.2: as for a loss, once a round trip, and there is nothing to undo. */
static void test_mark(void)
{
	struct us_tcp *tcp = full_window();
	struct us_tcp_active *a = tcp->active;
	uint32_t ssthresh;

	ok(us_tcp_congested(tcp, 0) && a->ca_state == TCP_CA_CWR, "a mark is heard");
	ssthresh = tcp->ssthresh;
	ok(ssthresh >= 2 * MSS && ssthresh < 10 * MSS, "ssthresh is reduced: %u", ssthresh);
	ok(!us_tcp_congested(tcp, 0) && tcp->ssthresh == ssthresh, "once in a round trip");
	bench_line("+0.02 < . 1:1(0) ack 2921 win 65535");
	bench_discard();
	ok(a->cwnd < 10 * MSS && a->cwnd > ssthresh, "cwnd goes down step by step: %u",
	   a->cwnd);
	bench_line("< . 1:1(0) ack 4381 win 65535");
	bench_discard();
	ok(us_tcp_in_flight(tcp) < 10 * MSS, "less is sent than arrives: %u",
	   us_tcp_in_flight(tcp));
	ok(!us_tcp_congested(tcp, 0), "still the same round trip");
	bench_line("+0.02 < . 1:1(0) ack 14601 win 65535");
	bench_discard();
	ok(a->ca_state == TCP_CA_Open && a->cwnd >= ssthresh &&
	   a->cwnd <= ssthresh + MSS, "then it is what it was to be: %u", a->cwnd);
	ok(us_tcp_congested(tcp, 0) && tcp->ssthresh < ssthresh, "the next mark counts again");
	bench_end();
}

/* RFC 8985 6.2 step 4: a step in a round trip, for sixteen recoveries. */
static void test_reordering(void)
{
	struct us_tcp *tcp = full_window();
	struct us_tcp_active *a = tcp->active;
	int n;

	us_tcp_rack_dsack(tcp);
	us_tcp_rack_dsack(tcp);
	ok(a->reo_steps == 1, "two D-SACKs in a round trip: one step");
	bench_line("+0.02 < . 1:1(0) ack 14601 win 65535");
	bench_discard();
	us_tcp_rack_dsack(tcp);
	ok(a->reo_steps == 2, "another one in the next round trip: another step");
	a->tlp_end = tcp->snd_nxt;
	bench_line("+0.02 < . 1:1(0) ack 24821 win 65535");
	bench_discard();
	us_tcp_rack_dsack(tcp);
	ok(a->reo_steps == 2, "a tail loss probe that came twice tells nothing");
	for (n = 0; n < 15; n++)
		us_tcp_rack_recovered(tcp);
	ok(a->reo_steps == 2, "fifteen recoveries without a D-SACK: it stays");
	us_tcp_rack_recovered(tcp);
	ok(a->reo_steps == 0, "sixteen: it was long ago");
	bench_end();
}

/* A loss in the round trip of a mark: sent again, but not reduced again. */
static void test_mark_and_loss(void)
{
	struct us_tcp *tcp = full_window();
	uint32_t ssthresh;

	us_tcp_congested(tcp, 0);
	ssthresh = tcp->ssthresh;
	bench_line("+0.02 < . 1:1(0) ack 4381 win 65535");
	bench_discard();
	bench_line("+0.001 < . 1:1(0) ack 4381 win 65535 <nop,nop,sack 5841:11681>");
	ok(tcp->active->ca_state == TCP_CA_Recovery && tcp->ssthresh == ssthresh,
	   "a loss and a mark in one round trip: one reduction");
	bench_line("> . 4381:5841(1460) ack 1");
	ok(!bench.why[0], "what is lost is sent again");
	ok(!tcp->active->undo_cwnd, "nothing is to be undone");
	bench_end();
}

/* The path held everything up for a second; the RTO is about 220 ms. */
static struct us_tcp *timeout(void)
{
	struct us_tcp *tcp = full_window();

	script_advance(&bench, bench.now + 300 * US_MSEC, false);
	bench_discard();
	ok(tcp->active->ca_state == TCP_CA_Loss && tcp->active->cwnd == MSS,
	   "the retransmission timer ran");
	return tcp;
}

/* What is sent again, or for the first time, from here on? */
static uint32_t first_seq(void)
{
	const struct us_tcp_hdr *h = (void *)(bench.sent[bench.first].data + US_IPV4_LEN);

	return bench.count ? us_get32(h->seq) - bench.isn : 0;
}

static void answer(const char *ack)
{
	char text[100];

	bench_discard();
	snprintf(text, sizeof(text), "< . 1:1(0) ack %s", ack);
	bench_line(text);
}

/* RFC 5682: no timestamps here. */
static void test_frto(void)
{
	struct us_tcp *tcp = timeout();
	uint32_t end = tcp->snd_nxt - bench.isn, resent;

	answer("1461");
	ok(first_seq() == end && bench.count == 2, "after the first ACK two new segments: %u at %u",
	   bench.count, first_seq());
	resent = tcp->total_retrans;
	answer("2921");
	ok(tcp->active->ca_state == TCP_CA_Open && !tcp->active->lost,
	   "the second acknowledges what was sent once: nothing was lost");
	ok(tcp->active->cwnd >= 10 * MSS && tcp->ssthresh == US_TCP_SSTHRESH_INF,
	   "the window is what it was: %u", tcp->active->cwnd);
	answer("14601");
	ok(tcp->total_retrans == resent, "no more is sent again");
	bench_end();
}

static void test_frto_real(void)
{
	struct us_tcp *tcp = timeout();
	uint32_t end = tcp->snd_nxt - bench.isn;
	char text[80];

	answer("1461");
	snprintf(text, sizeof(text), "1461 win 65535 <nop,nop,sack %u:%u>", end, end + MSS);
	answer(text);
	ok(tcp->active->ca_state == TCP_CA_Loss, "a duplicate: it was a loss");
	ok(first_seq() == 1461, "recovery goes on: %u", first_seq());
	ok(tcp->ssthresh < 10 * MSS, "with the lower threshold");
	bench_end();
}

/* RFC 5682 3.1 step 2: only an ACK of the first segment counts. */
static void test_frto_waits(void)
{
	struct us_tcp *tcp = timeout();
	uint32_t end = tcp->snd_nxt - bench.isn;

	answer("1 win 65535 <nop,nop,sack 4381:5841>");
	bench_line("< P. 1:101(100) ack 1 win 65535");
	bench_discard();
	bench_line("< . 101:101(0) ack 1461 win 65535 <nop,nop,sack 4381:5841>");
	ok(first_seq() == end && bench.count == 2,
	   "a duplicate ACK or the peer's data come first: then two new segments all the same: %u",
	   bench.count);
	bench_discard();
	bench_line("< P. 101:201(100) ack 1461 win 65535");
	bench_discard();
	bench_line("< . 201:201(0) ack 2921 win 65535 <nop,nop,sack 4381:5841>");
	ok(tcp->active->ca_state == TCP_CA_Open && tcp->ssthresh == US_TCP_SSTHRESH_INF,
	   "the peer's data says nothing after them, either: nothing was lost");
	bench_end();
}

/* Step 3b. */
static void test_frto_sacked(void)
{
	struct us_tcp *tcp = timeout();

	answer("1461");
	answer("1461 win 65535 <nop,nop,sack 4381:5841>");
	ok(tcp->active->ca_state == TCP_CA_Open && tcp->ssthresh == US_TCP_SSTHRESH_INF,
	   "an original is sacked: the timeout was too early");
	bench_end();
}

/* RFC 5682 2.1 step 2a: a duplicate ACK may be of the segment that was sent again. */
static void test_frto_without_sack(void)
{
	struct us_tcp *tcp = bench_begin("option offer none");

	bench_line("send 100000 = 100000");
	script_advance(&bench, bench.now + 300 * US_MSEC, false);
	answer("1 win 65535");
	answer("1461 win 65535");
	ok(tcp->active->ca_state == TCP_CA_Loss && first_seq() == 1461,
	   "no SACK: a duplicate ACK comes first: recovery as ever: %u", first_seq());
	bench_end();
}

static void test_frto_again(void)
{
	struct us_tcp *tcp = timeout();

	script_advance(&bench, bench.now + 600 * US_MSEC, false);
	answer("1461");
	ok(first_seq() == 1461, "a second timeout is not doubted: %u", first_seq());
	ok(tcp->active->ca_state == TCP_CA_Loss, "recovery as ever");
	bench_end();
}

/* RFC 3042: three of one poll; the third shows a loss. */
static void test_each_ack_counts(void)
{
	struct us_tcp *tcp = full_window();
	uint32_t end = tcp->snd_nxt;

	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	bench.batch = true;
	answer("1 win 65535 <nop,nop,sack 1461:2921>");
	answer("1 win 65535 <nop,nop,sack 1461:4381>");
	answer("1 win 65535 <nop,nop,sack 1461:5841>");
	bench.batch = false;
	ok(tcp->snd_nxt - end == 2 * MSS,
	   "each duplicate ACK lets a segment go, though the next one shows a loss: %u",
	   tcp->snd_nxt - end);
	ustack_poll(bench.stack);
	ok(tcp->active->ca_state == TCP_CA_Recovery && tcp->total_retrans == 1,
	   "the third begins recovery");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1 win 65535 <nop,nop,sack 1461:17521>");
	ok(tcp->total_retrans == 1,
	   "what left before the repetition in the same poll does not show it lost");
	answer("1 win 65535 <nop,nop,sack 1461:18981>");
	ok(tcp->total_retrans == 2, "what left after it does");
	bench_end();
}

/* The first two of ten segments seem to be lost, and are sent again. */
static struct us_tcp *sent_again(void)
{
	struct us_tcp *tcp = full_window();

	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1 win 65535 <nop,nop,sack 2921:14601>");
	ok(tcp->active->ca_state == TCP_CA_Recovery && tcp->total_retrans == 2,
	   "two segments are sent again");
	return tcp;
}

/* RFC 3708: both had arrived; recovery is over when the peer says so. */
static void test_dsack(void)
{
	struct us_tcp *tcp = sent_again();
	uint32_t end = tcp->snd_nxt - bench.isn, reduced;
	char text[80];

	snprintf(text, sizeof(text), "%u win 65535", end);
	answer(text);
	reduced = tcp->active->cwnd;
	ok(tcp->active->ca_state == TCP_CA_Open && reduced < 10 * MSS, "recovery is over");
	snprintf(text, sizeof(text), "%u win 65535 <nop,nop,sack 1:1461>", end);
	answer(text);
	ok(tcp->active->cwnd == reduced, "one of them came twice: that is not all: %u",
	   tcp->active->cwnd);
	snprintf(text, sizeof(text), "%u win 65535 <nop,nop,sack 1461:2921>", end);
	answer(text);
	ok(tcp->active->cwnd == 10 * MSS && tcp->ssthresh == US_TCP_SSTHRESH_INF,
	   "both came twice: nothing was lost, the window is what it was: %u",
	   tcp->active->cwnd);
	bench_end();
}

static void test_dsack_in_recovery(void)
{
	struct us_tcp *tcp = sent_again();

	answer("2921 win 65535 <nop,nop,sack 1:2921>");
	ok(tcp->active->ca_state == TCP_CA_Open && tcp->active->cwnd >= 10 * MSS,
	   "both came twice before recovery is over: it ends: %u", tcp->active->cwnd);
	bench_end();
}

static void test_dsack_of_others(void)
{
	struct us_tcp *tcp = sent_again();
	uint32_t end = tcp->snd_nxt - bench.isn;
	char text[80];

	snprintf(text, sizeof(text), "%u win 65535", end);
	answer(text);
	snprintf(text, sizeof(text), "%u win 65535 <nop,nop,sack 14601:17521>", end);
	answer(text);
	ok(tcp->ssthresh < 10 * MSS, "what was sent later came twice: that tells nothing");
	bench_end();
}

static void test_duplicating_path(void)
{
	struct us_tcp *tcp = sent_again();

	tcp->active->totals.dsacks = 2;
	answer("2921 win 65535 <nop,nop,sack 1:2921>");
	ok(tcp->active->ca_state == TCP_CA_Recovery && tcp->ssthresh < 10 * MSS,
	   "more came twice than was sent twice: the path duplicates");
	bench_end();
}

/* The network repeats ACKs, too. */
static void test_dsack_repeated(void)
{
	struct us_tcp *tcp = sent_again();
	uint32_t end = tcp->snd_nxt - bench.isn;
	char text[80];

	snprintf(text, sizeof(text), "%u win 65535", end);
	answer(text);
	snprintf(text, sizeof(text), "%u win 65535 <nop,nop,sack 1:1461>", end);
	answer(text);
	answer(text);
	ok(tcp->ssthresh < 10 * MSS, "one of two came twice, and is told twice: the other was lost");
	snprintf(text, sizeof(text), "%u win 65535 <nop,nop,sack 1461:2921>", end);
	answer(text);
	ok(tcp->ssthresh == US_TCP_SSTHRESH_INF, "until that one came twice, too");
	bench_end();
}

/* Two copies of one segment are told of alike. */
static void test_dsack_of_both(void)
{
	struct us_tcp *tcp = sent_again();
	struct us_tcp_sent again = { .seq = tcp->snd_una, .end = tcp->snd_una,
				     .flags = US_TCP_EVER };
	uint32_t end = tcp->snd_nxt - bench.isn;
	char text[80];

	us_tcp_undo_resent(tcp, &again);
	snprintf(text, sizeof(text), "%u win 65535", end);
	answer(text);
	snprintf(text, sizeof(text), "%u win 65535 <nop,nop,sack 1:1461>", end);
	answer(text);
	ok(tcp->ssthresh < 10 * MSS, "sent again twice, and one of these came twice");
	answer(text);
	ok(tcp->ssthresh == US_TCP_SSTHRESH_INF, "both did");
	bench_end();
}

/* Two segments, and the last of them once more. */
static struct us_tcp *probed(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 100000");

	bench_line("send 2920 = 2920");
	script_advance(&bench, bench.now + 45 * US_MSEC, false);
	ok(tcp->total_retrans == 1 && tcp->active->tlp_end == tcp->snd_nxt,
	   "a tail loss probe, which is a copy");
	answer("2921 win 60000");
	return tcp;
}

/* RFC 8985 7.4: the first ACK may be the original's. */
static void test_probe_needless(void)
{
	struct us_tcp *tcp = probed();

	ok(tcp->ssthresh == US_TCP_SSTHRESH_INF && tcp->active->tlp_end,
	   "a tail loss probe is acknowledged: whose ACK that is shows later");
	answer("2921 win 60000 <nop,nop,sack 1461:2921>");
	ok(tcp->ssthresh == US_TCP_SSTHRESH_INF && !tcp->active->tlp_end,
	   "a tail loss probe came twice: nothing was lost");
	ok(!tcp->active->reo_steps, "nor reordered");
	bench_end();
	tcp = probed();
	answer("2921 win 60000");
	ok(tcp->ssthresh == US_TCP_SSTHRESH_INF && !tcp->active->tlp_end,
	   "a peer without D-SACK says so by the same ACK again");
	bench_end();
}

static void test_probe_repaired(void)
{
	struct us_tcp *tcp = probed();

	answer("2921 win 65535");
	ok(tcp->active->tlp_end, "a window that changes tells nothing about a tail loss probe");
	answer("2921 win 65535 <nop,nop,sack 1:1461>");
	ok(tcp->active->tlp_end, "nor does another segment that came twice");

	bench_line("send 1460 = 1460");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("4381 win 65535");
	ok(tcp->ssthresh < 10 * MSS && !tcp->active->tlp_end,
	   "a tail loss probe did not come twice: it repaired a loss");
	bench_end();
}

/* What recovery repairs is reduced for once. */
static void test_probe_in_recovery(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 100000");
	uint32_t ssthresh;

	bench_line("send 14600 = 14600");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1 win 65535 <nop,nop,sack 2921:14601>");
	ssthresh = tcp->ssthresh;
	script_advance(&bench, bench.now + 60 * US_MSEC, false);
	ok(tcp->total_retrans == 3 && tcp->active->tlp_end, "a tail loss probe in recovery, a copy");
	answer("14601 win 65535");
	bench_line("send 1460 = 1460");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("16061 win 65535");
	ok(tcp->active->ca_state == TCP_CA_Open && tcp->ssthresh == ssthresh,
	   "what it repaired was lost before, and is not reduced for again: %u", ssthresh);
	bench_end();
}

/* All of them come round in 73 minutes. */
static void test_stamps(void)
{
	const uint32_t ago = 40 * 60 * 1000000u;
	struct us_tcp *tcp = sent_again();
	const struct us_tcp_sent *last;

	tcp->active->resent_at = us_tcp_usec(bench_stack()) - ago;
	answer("1461 win 65535 <nop,nop,sack 2921:14601>");
	last = cds_list_entry(tcp->active->flight.prev, struct us_tcp_sent, node);
	ok(us_after(last->end - bench.isn, 14601) && last->xmit == us_tcp_usec(bench_stack()),
	   "what was sent again forty minutes ago does not date what is sent now");
	bench_end();
	ok(us_tcp_since(5, 5 + ago) == ago, "a stamp of forty minutes ago is not ahead");
	ok(us_tcp_since(5, 4) == 0, "a stamp that is ahead is of now");
}

/* A peer drops what is in flight, closes its window, and answers what is sent again. */
static void test_closed_for_hours(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 100000");
	int64_t end = bench.now + 2 * 3600 * US_SEC;
	uint32_t n = 0;

	bench_line("send 4380 = 4380");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1461 win 0");
	while (bench.now < end && n < 1000) {
		script_advance(&bench, end, true);
		n += bench.count;
		script_advance(&bench, bench.now + 30 * US_MSEC, false);
		answer("1461 win 0");
	}
	ok(n < 200 && tcp->state == TCP_ESTABLISHED,
	   "in two hours %u segments, each after a timeout", n);
	bench_discard();
	bench_end();
}

/* Linux's tcp_ack(), old_ack: what an ACK that was overtaken tells beside. */
static void test_old_ack(void)
{
	struct us_tcp *tcp = full_window();
	struct us_tcp_active *a = tcp->active;

	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("4381 win 65535");
	answer("1461 win 65535 <nop,nop,sack 2921:4381>");
	ok(!a->sacked && !a->totals.dsacks, "an old ACK: what is acknowledged by now is no news");
	answer("1461 win 65535 <nop,nop,sack 5841:7301>");
	ok(a->sacked == MSS && tcp->snd_una - bench.isn == 4381,
	   "an old ACK: what the peer has is heard: %u bytes", a->sacked);
	answer("1461 win 65535 <nop,nop,sack 5841:7301>");
	ok(a->sacked == MSS, "the same once more tells nothing");
	answer("1461 win 65535 <nop,nop,sack 5841:14601>");
	ok(a->ca_state == TCP_CA_Recovery && first_seq() == 4381,
	   "an old ACK shows a loss: it is sent again, %u", first_seq());
	bench_end();
}

static void test_old_ack_dsack(void)
{
	struct us_tcp *tcp = sent_again();
	uint32_t end = tcp->snd_nxt - bench.isn;
	char text[80];

	snprintf(text, sizeof(text), "%u win 65535", end);
	answer(text);
	answer("14601 win 65535 <nop,nop,sack 1:2921>");
	ok(tcp->active->cwnd == 10 * MSS && tcp->ssthresh == US_TCP_SSTHRESH_INF,
	   "an old ACK: both came twice, the window is what it was: %u", tcp->active->cwnd);
	bench_end();
}

/* RFC 5682 is about ACKs that answer what was sent again. */
static void test_old_ack_frto(void)
{
	struct us_tcp *tcp = timeout();

	answer("2921 win 65535");
	answer("1461 win 65535 <nop,nop,sack 4381:5841>");
	ok(tcp->active->ca_state == TCP_CA_Loss,
	   "an old ACK does not say whether a timeout was right");
	answer("4381 win 65535");
	ok(tcp->active->ca_state == TCP_CA_Open && tcp->ssthresh == US_TCP_SSTHRESH_INF,
	   "the next one does: nothing was lost");
	bench_end();
}

/* RFC 9937 6.1: seven of ten segments arrive with the ACK that shows the loss... */
static void test_recover_fs(void)
{
	struct us_tcp *tcp = full_window();
	struct us_tcp_active *a = tcp->active;

	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("2921 win 65535 <nop,nop,sack 4381:11681>");
	ok(a->ca_state == TCP_CA_Recovery && a->recover_fs == 10 * MSS,
	   "RecoverFS has what arrives with the ACK that shows a loss: %u", a->recover_fs);
	bench_end();

	/* ... and here two had arrived before, for which two new ones left. */
	tcp = full_window();
	a = tcp->active;
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1 win 65535 <nop,nop,sack 1461:4381>");
	answer("1 win 65535 <nop,nop,sack 1461:10221>");
	ok(a->ca_state == TCP_CA_Recovery && a->recover_fs == 10 * MSS,
	   "RecoverFS has nothing that was sacked before: %u", a->recover_fs);
	bench_end();
}

/* On a path that reorders RACK waits 5 ms; a loss that shows then, in recovery, delivers
 * nothing, but makes room on the path.
 */
static void test_lost_by_time(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	bench_line("send 14600 = 14600");
	tcp->active->reordering_seen = true;
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1 win 65535 <nop,nop,sack 13141:14601>");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	ok(tcp->active->ca_state == TCP_CA_Recovery && tcp->total_retrans == 1,
	   "nine are lost, one is sent again: %u", tcp->total_retrans);
	script_advance(&bench, bench.now + 5 * US_MSEC, false);
	answer("1461 win 65535 <nop,nop,sack 13141:14601>");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1461 win 65535 <nop,nop,sack 2921:4381 13141:14601>");
	ok(tcp->total_retrans == 4, "for each one that arrives one: %u", tcp->total_retrans);
	script_advance(&bench, bench.now + 8 * US_MSEC, false);
	ok(tcp->total_retrans == 5 && us_tcp_pipe(tcp) == 2 * MSS,
	   "what is found lost in recovery leaves again at once: %u", tcp->total_retrans);
	bench_end();
}

/* RFC 9937 4: duplicate ACKs stand for segments that a later ACK covers. */
static void test_without_sack(void)
{
	struct us_tcp *tcp = bench_begin("option offer none");
	struct us_tcp_active *a;
	int n;

	bench_line("send 100000 = 100000");
	a = tcp->active;
	for (n = 0; n < 4; n++)
		answer("1 win 65535");
	ok(a->ca_state == TCP_CA_Recovery && a->prr_delivered == 2 * MSS,
	   "no SACK: two duplicate ACKs in recovery are two segments: %u", a->prr_delivered);
	answer("2921 win 65535");
	ok(a->prr_delivered == 3 * MSS,
	   "no SACK: what was counted by duplicate ACKs is not counted again: %u",
	   a->prr_delivered);
	for (n = 0; n < 40; n++)
		answer("2921 win 65535");
	ok(a->prr_delivered == a->recover_fs,
	   "no SACK: duplicate ACKs without end are no more than was in flight: %u",
	   a->prr_delivered);
	bench_end();
}

/* RFC 9937 6.2: an ACK of a part shows another loss, and is no reason to catch up. */
static void test_partial_ack(void)
{
	struct us_tcp *tcp = bench_begin("option offer none");
	int n;

	bench_line("send 100000 = 100000");
	for (n = 0; n < 6; n++) {
		answer("1 win 65535");
		tcp->ssthresh = 50 * MSS;	/* far from being reached */
	}
	answer("2921 win 65535");
	ok(tcp->active->ca_state == TCP_CA_Recovery && first_seq() == 2921 && bench.count == 1,
	   "no SACK: a part is acknowledged: one is sent again, and no more: %u", bench.count);
	bench_end();
}

/* The first segment is lost twice, and the peer holds all behind it. */
static void test_slow_start_sacked(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 1000000");

	bench_line("send 14600 = 14600");
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1 win 65535 <nop,nop,sack 1461:14601>");
	script_advance(&bench, bench.now + 500 * US_MSEC, false);
	ok(tcp->active->ca_state == TCP_CA_Loss && tcp->active->cwnd == MSS,
	   "the retransmission is lost, too: timeout");
	answer("14601 win 65535");
	ok(tcp->active->ca_state == TCP_CA_Open && tcp->active->cwnd == 2 * MSS,
	   "slow start after a timeout: what was sacked before does not count: %u",
	   tcp->active->cwnd);
	bench_end();
}

/* RFC 3465 2.3: who has no SACK cannot know. */
static void test_slow_start_without_sack(void)
{
	struct us_tcp *tcp = bench_begin("option offer none");

	bench_line("send 100000 = 100000");
	script_advance(&bench, bench.now + 300 * US_MSEC, false);
	answer("14601 win 65535");
	ok(tcp->active->cwnd == 2 * MSS,
	   "no SACK: after a timeout an ACK is worth one segment: %u", tcp->active->cwnd);
	bench_end();
}

/* As Linux: else a path that always reorders would hardly let the window grow. */
static void test_slow_start_reordered(void)
{
	struct us_tcp *tcp = full_window();

	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("1 win 65535 <nop,nop,sack 1461:2921>");
	ok(tcp->active->cwnd == 10 * MSS, "a first hole may be a loss: cwnd waits");
	tcp->active->reordering_seen = true;
	answer("1 win 65535 <nop,nop,sack 1461:4381>");
	ok(tcp->active->cwnd == 11 * MSS,
	   "a path that reorders: cwnd grows by what arrives, in whatever order: %u",
	   tcp->active->cwnd);
	bench_end();
}

int main(void)
{
	plan(0);
	test_old_ack();
	test_old_ack_dsack();
	test_old_ack_frto();
	test_recover_fs();
	test_lost_by_time();
	test_without_sack();
	test_partial_ack();
	test_each_ack_counts();
	test_dsack();
	test_dsack_in_recovery();
	test_dsack_of_others();
	test_duplicating_path();
	test_dsack_repeated();
	test_dsack_of_both();
	test_probe_needless();
	test_probe_repaired();
	test_probe_in_recovery();
	test_stamps();
	test_closed_for_hours();
	test_mark();
	test_reordering();
	test_mark_and_loss();
	test_frto();
	test_frto_real();
	test_frto_waits();
	test_frto_sacked();
	test_frto_without_sack();
	test_frto_again();
	test_slow_start_sacked();
	test_slow_start_without_sack();
	test_slow_start_reordered();
	return finish();
}
