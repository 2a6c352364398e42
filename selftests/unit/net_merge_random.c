// SPDX-License-Identifier: MIT
/*
 * net/merge.c: random packets of three connections, some of them spoilt, doubled, lost or out
 * of order.
 */
#include "merge_bed.h"
#include "merge_change.h"

#define BURSTS		400u
#define EACH		16u	/* segments of a connection in a burst, at most */

/**
 * struct burst - what comes at once, the same for two beds
 * @packet: packets.
 * @count: of them.
 */
struct burst {
	struct packet packet[PACKETS];
	uint32_t count;
};

static struct us_random dice;

static bool chance(uint32_t percent)
{
	return us_random32(&dice) % 100 < percent;
}

static uint32_t one_of(uint32_t n)
{
	return us_random32(&dice) % n;
}

/* The other family, too. */
static void add_family(struct bed *b, bool six)
{
	struct us_addr own;

	b->script->six = six;
	own = script_addr(b->script, 1);
	if (us_net_address_add(stack_of(b), &b->script->link, &own, six ? 64 : 24))
		abort();
	line(b, "unlisten");
	line(b, "listen");
}

static void make_random_bed(struct bed *b, enum how how)
{
	make_bed(b, false, how, "option rcvbuf 400000");
	open_plain(b, &b->conn[0], false);
	open_ts(b, &b->conn[1], false);
	add_family(b, true);
	open_accecn(b, &b->conn[2], true);
}

/* What checksums tell of, or nothing. */
static void spoil_at_random(struct packet *p)
{
	static void (*const spoils[])(struct packet *p) = {
		spoil_tcp_sum, pad, cut_off, set_verified, set_complete, spoil_complete, set_flow,
	};

	if (chance(60))
		p->data[one_of(p->len)] ^= (uint8_t)(1u << one_of(8));
	else
		spoils[one_of(sizeof(spoils) / sizeof(spoils[0]))](p);
}

static void change_at_random(struct packet *p)
{
	static void (*const changes[])(struct packet *p) = {
		set_tos, set_ce, set_ttl, set_source_port, set_destination_port, set_source,
		set_destination, set_ack, set_window, set_push, set_cwr, set_ae, clear_ack,
		set_syn, set_urgent, add_tcp_options,
	};

	changes[one_of(sizeof(changes) / sizeof(changes[0]))](p);
	sum_up(p);
}

static uint32_t random_size(void)
{
	if (chance(80))
		return SIZE;
	return chance(50) ? 1 + one_of(1400) : 970;
}

static void put_in(struct burst *burst, const struct packet *p)
{
	if (burst->count < PACKETS)
		burst->packet[burst->count++] = *p;
}

/* One segment of a connection: it, a relative of it, both, or nothing. */
static void deal_one(struct bed *b, struct conn *c, struct burst *burst)
{
	uint32_t size = random_size(), back = chance(4) ? one_of(us_min32(c->next, 600)) : 0;
	struct packet p;

	make(b, c, &p, c->next - back, size + back);
	c->next += size;
	if (chance(8))
		change_at_random(&p);
	if (chance(3))
		return;			/* lost */
	if (chance(4)) {
		put_in(burst, &p);
		if (chance(50))
			spoil_at_random(&burst->packet[burst->count - 1]);
	}
	if (chance(4))
		spoil_at_random(&p);
	put_in(burst, &p);
}

static void reorder(struct burst *burst)
{
	uint32_t n = one_of(4), i, j;
	struct packet p;

	while (n-- && burst->count) {
		i = one_of(burst->count);
		j = us_min32(i + 1 + one_of(3), burst->count - 1);
		p = burst->packet[i];
		burst->packet[i] = burst->packet[j];
		burst->packet[j] = p;
	}
}

/* From all connections, in runs; @seq is where each of them began. */
static void deal(struct bed *b, struct burst *burst, uint32_t seq[CONNS])
{
	uint32_t left[CONNS], i, n;

	for (i = 0; i < CONNS; i++) {
		b->conn[i].ts_val++;
		seq[i] = b->conn[i].next;
		left[i] = one_of(EACH + 1);
	}
	burst->count = 0;
	for (n = 0; n < 12; n++) {
		uint32_t run = one_of(EACH);

		i = one_of(CONNS);
		for (; run && left[i]; run--, left[i]--)
			deal_one(b, &b->conn[i], burst);
	}
	if (chance(50))
		reorder(burst);
}

/* What was dealt for one bed is good for another that is as it. */
static bool follow(const struct bed *from, struct bed *to)
{
	uint32_t i;

	for (i = 0; i < CONNS; i++) {
		to->conn[i].next = from->conn[i].next;
		to->conn[i].ts_val = from->conn[i].ts_val;
		if (from->conn[i].isn != to->conn[i].isn ||
		    from->conn[i].port != to->conn[i].port)
			return false;
	}
	return true;
}

/* What was lost comes again, and the rest of it. */
static void repair(struct bed *b, const uint32_t seq[CONNS])
{
	static struct packet p;
	uint32_t i, at, size;

	for (i = 0; i < CONNS; i++)
		for (at = seq[i]; at != b->conn[i].next; at += size) {
			size = us_min32(SIZE, b->conn[i].next - at);
			make(b, &b->conn[i], &p, at, size);
			inject(b, &p);
		}
	ustack_poll(b->script->stack);
}

/* @o: when they have come, and when all has. */
static void take(struct bed *b, const struct burst *burst, const uint32_t seq[CONNS],
		 struct outcome o[2])
{
	struct script *s = b->script;

	s->lossy = true;
	inject_all(b, burst->packet, burst->count);
	look(b, &o[0]);
	repair(b, seq);
	look(b, &o[1]);
	script_advance(s, s->now + 20 * US_MSEC, false);
	discard(b);
}

static bool is_complete(const struct bed *b, const struct outcome *o)
{
	uint32_t i;

	for (i = 0; i < CONNS; i++)
		if (o->seen[i][RCV_NXT] != b->conn[i].next ||
		    o->seen[i][READ] != b->conn[i].next - 1)
			return false;
	return true;
}

/* Where a poll is behind each, ACKs tell of more, and so there is less that is new enough
 * to be a duplicate at all.
 */
static void forget_old(struct outcome *o)
{
	static const enum us_counter of_old[] = {
		US_COUNT_tcp_out_of_window, US_COUNT_tcp_duplicate, US_COUNT_tcp_challenge_ack,
		US_COUNT_tcp_challenge_limited,
	};
	uint32_t i;

	for (i = 0; i < sizeof(of_old) / sizeof(of_old[0]); i++)
		o->counter[of_old[i]] = 0;
	for (i = 0; i < CONNS; i++)
		o->seen[i][MARKS] = o->seen[i][MARKED_BYTES] = 0;
}

static bool same_takes(struct outcome a[2], struct outcome b[2], enum how how)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		if (how == ONE_BY_ONE) {
			forget_old(&a[i]);
			forget_old(&b[i]);
		}
		if (!same_outcome(&a[i], &b[i], how))
			return false;
	}
	return true;
}

static bool same_burst(struct bed bed[HOWS], uint64_t predicted[HOWS])
{
	static struct outcome o[HOWS][2];
	static struct burst burst;
	uint32_t seq[CONNS];
	enum how how;

	deal(&bed[TOGETHER], &burst, seq);
	for (how = TOGETHER; how < HOWS; how++) {
		if (!follow(&bed[TOGETHER], &bed[how]))
			return false;
		take(&bed[how], &burst, seq, o[how]);
		predicted[how] += o[how][0].counter[US_COUNT_tcp_header_predicted];
	}
	return same_takes(o[TOGETHER], o[APART], APART) &&
	       same_takes(o[TOGETHER], o[ONE_BY_ONE], ONE_BY_ONE) &&
	       is_complete(&bed[TOGETHER], &o[TOGETHER][1]);
}

static void test_random(void)
{
	uint64_t predicted[HOWS] = { 0 };
	struct bed bed[HOWS];
	uint32_t i, left = 0;
	enum how how;

	us_random_init(&dice, 20);
	for (how = TOGETHER; how < HOWS; how++)
		make_random_bed(&bed[how], how);
	for (i = 0; i < BURSTS && same_burst(bed, predicted); i++)
		;
	ok(i == BURSTS, "%u bursts of random packets: as each by itself", i);
	ok(predicted[TOGETHER] < predicted[APART] * 3 / 4, "of %llu segments, %llu are left",
	   (unsigned long long)predicted[APART], (unsigned long long)predicted[TOGETHER]);
	for (how = TOGETHER; how < HOWS; how++)
		left += end_bed(&bed[how]);
	ok(!left, "all packets went back");
}

int main(void)
{
	plan(0);
	test_random();
	return finish();
}
