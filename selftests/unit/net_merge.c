// SPDX-License-Identifier: MIT
/*
 * net/merge.c: segments that a link brings in one poll, and that TCP takes as one; what ends
 * a row of them, and what never becomes one.
 */
#include "merge_bed.h"
#include "merge_change.h"

/* ------------------------------------------- what goes before, and what happens */

static void with_hole(struct bed *b)
{
	struct packet p;

	make(b, &b->conn[0], &p, 1 + 5 * SIZE, SIZE);
	inject_all(b, &p, 1);
}

static void with_urgent(struct bed *b)
{
	struct packet p;

	make(b, &b->conn[0], &p, 1, 0);
	tcp_header(&p)->flags |= US_TCP_URG;
	tcp_header(&p)->urgent = us_put16(4500);
	sum_up(&p);
	inject_all(b, &p, 1);
}

static void with_fin_ahead(struct bed *b)
{
	struct packet p;

	make(b, &b->conn[0], &p, 1 + 3 * SIZE, 0);
	tcp_header(&p)->flags |= US_TCP_FIN;
	sum_up(&p);
	inject_all(b, &p, 1);
}

/* Our FIN is acknowledged: FIN-WAIT-2. */
static void shut(struct bed *b)
{
	struct conn *c = &b->conn[0];
	struct packet p;

	ustack_shutdown(c->socket, SHUT_WR);
	ustack_poll(b->script->stack);
	c->isn++;
	make(b, c, &p, 1, 0);
	inject_all(b, &p, 1);
}

static void shut_both(struct bed *b)
{
	struct packet p;

	shut(b);
	make(b, &b->conn[0], &p, 1, 0);
	tcp_header(&p)->flags |= US_TCP_FIN;
	sum_up(&p);
	inject_all(b, &p, 1);
}

static void close_it(struct bed *b)
{
	b->conn[0].port++;
}

/* Nobody there, and nobody who listens. */
static void unlisten(struct bed *b)
{
	line(b, "unlisten");
	close_it(b);
}

/* A new connection, whose last ACK is what comes. */
static void start_handshake(struct bed *b)
{
	struct script *s = b->script;
	struct conn *c = &b->conn[0];

	ustack_close(c->socket);
	ustack_poll(s->stack);
	discard(b);
	c->peer_isn = s->peer_isn;
	s->peer_port = ++c->port;
	line(b, "< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>");
	script_learn(s, (const void *)(s->sent[s->first].data + script_ip_len(s)));
	c->isn = s->isn;
	discard(b);
}

static void end_handshake(struct bed *b)
{
	discard(b);
	line(b, "accept = 0");
	b->conn[0].socket = b->script->socket;
	b->script->socket = NULL;
}

static void narrow(struct bed *b)
{
	struct us_tcp *tcp = tcp_of(b, &b->conn[0]);

	tcp->rcv_adv = tcp->rcv_nxt + 3500;
	tcp->rcvbuf = 3500;
}

/* Half of the packets are somewhere; they are given back before the bed ends. */
static void use_packets(struct bed *b)
{
	struct us_pool *pkts = &stack_of(b)->pkts;

	pkts->used += pkts->count / 2;
}

static void unuse_packets(struct bed *b)
{
	struct us_pool *pkts = &stack_of(b)->pkts;

	pkts->used -= pkts->count / 2;
}

static void use_few_packets(struct bed *b)
{
	stack_of(b)->pkts.used += stack_of(b)->pkts.count / 2 - 5;
}

static void unuse_few_packets(struct bed *b)
{
	stack_of(b)->pkts.used -= stack_of(b)->pkts.count / 2 - 5;
}

static uint32_t promised;

/* Four that are common are left, and those that are kept for who has little unread. */
static void use_blocks(struct bed *b)
{
	struct us_tcp_table *table = stack_of(b)->tcp;

	promised = us_tcp_blocks_left(table) - table->blocks.count / 8 - 4;
	table->promised += promised;
}

static void unuse_blocks(struct bed *b)
{
	stack_of(b)->tcp->promised -= promised;
}

static void press(struct bed *b)
{
	(void)b;
	room_left = 0;
}

static void unpress(struct bed *b)
{
	(void)b;
	room_left = -1;
}

static void grow_idle(struct bed *b)
{
	struct script *s = b->script;

	script_advance(s, s->now + 15 * US_SEC, false);
	discard(b);
	if (tcp_of(b, &b->conn[0])->active)
		ok(false, "the connection is idle");
}

/* --------------------------------------------------- what comes between others */

static void other_connection(struct bed *b, struct packet *p)
{
	make(b, &b->conn[1], p, 1, SIZE);
}

static void other_ack(struct bed *b, struct packet *p)
{
	make(b, &b->conn[1], p, 1, 0);
}

static void gap_of_other(struct bed *b, struct packet *p)
{
	make(b, &b->conn[0], p, 1 + 4 * SIZE, SIZE);
}

static void arp(struct bed *b, struct packet *p)
{
	static const uint8_t request[28] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2,
					     10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1 };

	(void)b;
	memset(p, 0, sizeof(*p));
	memset(p->mac, 0xff, 6);
	p->mac[12] = 8;
	p->mac[13] = 6;
	memcpy(p->data, request, sizeof(request));
	p->len = sizeof(request);
}

/* An ICMP error about something that we sent; @header bytes are before it. */
static void unreachable(struct bed *b, struct packet *p, uint32_t header)
{
	const struct conn *c = &b->conn[0];
	uint32_t quoted = c->six ? US_IPV6_LEN : US_IPV4_LEN;
	uint8_t *at = p->data + header;
	struct packet q;

	make(b, c, &q, 1, 0);
	if (c->six)
		memcpy(ip6(&q)->src, (uint8_t[32]){ 0xfd, [15] = 1, 0xfd, [31] = 2 }, 32);
	else
		memcpy(ip4(&q)->src, (uint8_t[]){ 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
	tcp_header(&q)->src = us_put16(80);
	tcp_header(&q)->dst = us_put16(c->port);
	tcp_header(&q)->seq = us_put32(c->isn + 1);
	memset(at, 0, 8);
	at[0] = c->six ? 1 : 3;
	memcpy(at + 8, q.data, quoted + 8);
	p->len = header + 8 + quoted + 8;
}

static void link_error(struct bed *b, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	unreachable(b, p, 0);
	p->error = true;
}

static void wire_error(struct bed *b, struct packet *p)
{
	uint16_t sum;

	put_ip(b, &b->conn[0], p);
	unreachable(b, p, US_IPV4_LEN);
	ip4(p)->protocol = IPPROTO_ICMP;
	ip4(p)->total_len = us_put16((uint16_t)p->len);
	sum = us_csum_fold(us_csum_bytes(p->data + US_IPV4_LEN, p->len - US_IPV4_LEN, 0));
	memcpy(p->data + US_IPV4_LEN + 2, &sum, 2);
	sum_ip(p);
}

/* ------------------------------------------------------------------- the table */

enum {
	BOTH,
	FOUR,
	SIX,
};

/**
 * struct variant - some segments, all in order; and what happens to one of them
 * @name: of the test point.
 * @family: FOUR, SIX or BOTH.
 * @open: the connection; NULL: without timestamps.
 * @before: what is done first.
 * @after: what is done when they have come.
 * @change: what is done to a packet whose checksums are then made.
 * @spoil: what is done to it afterwards.
 * @extra: makes a packet that comes between the second and the third.
 * @at: which of them is changed; counted from 1; 0: the third.
 * @on: all behind it, too.
 * @ether: the link has Ethernet headers.
 * @count: segments; 0: five.
 * @size: bytes of each; 0: SIZE.
 * @at_size: bytes of the one that is changed; 0: @size.
 * @shift: of its sequence number and of those behind it.
 * @predicted: times that header prediction has to run.
 * @bytes: that the user has to get.
 * @counter: that has to count...
 * @times: ... so many.
 */
struct variant {
	const char *name;
	int family;
	void (*open)(struct bed *b, struct conn *c, bool six);
	void (*before)(struct bed *b);
	void (*after)(struct bed *b);
	void (*change)(struct packet *p);
	void (*spoil)(struct packet *p);
	void (*extra)(struct bed *b, struct packet *p);
	uint32_t at;
	bool on;
	bool ether;
	uint32_t count;
	uint32_t size;
	uint32_t at_size;
	int shift;
	uint64_t predicted;
	uint32_t bytes;
	enum us_counter counter;
	uint64_t times;
};

#define COUNT(name, n)	.counter = US_COUNT_##name, .times = (n)

static const struct variant variants[] = {
	{ "in order", .predicted = 1, .bytes = 5000, COUNT(ip_in, 5) },
	{ "in order, with timestamps", .open = open_ts, .predicted = 1, .bytes = 5000,
	  COUNT(tcp_in, 5) },
	{ "1000 bytes of packet, IPv4", FOUR, .size = 960, .predicted = 1, .bytes = 4800 },
	{ "999 bytes of packet, IPv4", FOUR, .size = 959, .predicted = 5, .bytes = 4795 },
	{ "44 are the most", .count = 44, .predicted = 1, .bytes = 44000 },
	{ "more than 44", .count = 50, .predicted = 2, .bytes = 50000 },
	{ "one more than 44", .count = 45, .predicted = 2, .bytes = 45000 },

	{ "another IPv4 identification", FOUR, .change = set_id, .predicted = 1, .bytes = 5000 },
	{ "another TOS", .change = set_tos, .predicted = 3, .bytes = 5000 },
	{ "CE on one", .change = set_ce, .predicted = 3, .bytes = 5000 },
	{ "CE from one on", .change = set_ce, .on = true, .predicted = 2, .bytes = 5000 },
	{ "another TTL", .change = set_ttl, .predicted = 3, .bytes = 5000 },
	{ "another flow label", SIX, .change = set_label, .predicted = 3, .bytes = 5000 },
	{ "without DF", FOUR, .change = clear_df, .predicted = 3, .bytes = 5000 },
	{ "another address to come from", .change = set_source, .predicted = 1, .bytes = 2000,
	  COUNT(tcp_rst_out, 1) },
	{ "another address to go to", .change = set_destination, .predicted = 1,
	  .bytes = 2000, COUNT(ip_not_ours, 1) },
	{ "another port to come from", .change = set_source_port, .predicted = 1,
	  .bytes = 2000, COUNT(tcp_rst_out, 1) },
	{ "another port to go to", .change = set_destination_port, .predicted = 1,
	  .bytes = 2000, COUNT(tcp_no_port, 1) },
	{ "a wrong IPv4 checksum", FOUR, .spoil = spoil_ip_sum, .predicted = 1, .bytes = 2000,
	  COUNT(ip_bad_csum, 1) },
	{ "a wrong IPv4 checksum, TCP's verified", FOUR, .spoil = spoil_ip_sum_unseen,
	  .predicted = 1, .bytes = 2000, COUNT(ip_bad_csum, 1) },
	{ "IPv4 options", FOUR, .change = add_ip_options, .predicted = 3, .bytes = 5000 },
	{ "IPv4 options on all", FOUR, .change = add_ip_options, .at = 1, .on = true,
	  .predicted = 5, .bytes = 5000 },
	{ "more fragments", FOUR, .change = set_mf, .predicted = 1, .bytes = 2000,
	  COUNT(ip_fragment, 1) },
	{ "more fragments of all", FOUR, .change = set_mf, .at = 1, .on = true,
	  COUNT(ip_fragment, 5) },
	{ "a fragment's offset", FOUR, .change = set_offset, .predicted = 1, .bytes = 2000,
	  COUNT(ip_fragment, 1) },
	{ "padding", .spoil = pad, .predicted = 3, .bytes = 5000 },
	{ "padding behind all", .spoil = pad, .at = 1, .on = true, .predicted = 5, .bytes = 5000 },
	{ "padding, and a sum over all", .spoil = pad, .change = set_complete, .predicted = 3,
	  .bytes = 5000 },
	{ "padding, verified", .spoil = pad, .change = set_verified, .at_size = 990,
	  .predicted = 3, .bytes = 4990 },
	{ "cut off", .spoil = cut_off, .predicted = 1, .bytes = 2000, COUNT(ip_bad_header, 1) },
	{ "cut off, verified", .spoil = cut_off_unseen, .predicted = 1, .bytes = 2000,
	  COUNT(ip_bad_header, 1) },
	{ "the other IP version", .spoil = set_version, .predicted = 1, .bytes = 2000 },

	{ "a gap", .shift = 10, .predicted = 1, .bytes = 2000, COUNT(tcp_ooo, 3) },
	{ "an overlap", .shift = -10, .predicted = 3, .bytes = 4990, COUNT(tcp_duplicate, 1) },
	{ "the same again", .shift = -1000, .predicted = 3, .bytes = 4000 },
	{ "another ACK number", .change = set_ack, .predicted = 2, .bytes = 5000 },
	{ "another window", .change = set_window, .predicted = 3, .bytes = 5000 },
	{ "PSH on one", .change = set_push, .predicted = 2, .bytes = 5000 },
	{ "PSH on the first", .change = set_push, .at = 1, .predicted = 2, .bytes = 5000 },
	{ "PSH on the last", .change = set_push, .at = 5, .predicted = 1, .bytes = 5000 },
	{ "PSH on all", .change = set_push, .at = 1, .on = true, .predicted = 5, .bytes = 5000 },
	{ "FIN on one", .change = set_fin, .predicted = 1, .bytes = 3000 },
	{ "FIN on the last", .change = set_fin, .at = 5, .predicted = 1, .bytes = 5000 },
	{ "URG", .change = set_urgent, .predicted = 1, .bytes = 5000, COUNT(tcp_urgent, 1) },
	{ "RST", .change = set_rst, .predicted = 1, .bytes = 2000, COUNT(tcp_rst_in, 1) },
	{ "SYN", .change = set_syn, .predicted = 1, .bytes = 2000, COUNT(tcp_syn_ignored, 1) },
	{ "no ACK", .change = clear_ack, .predicted = 1, .bytes = 2000, COUNT(tcp_bad_flags, 1) },
	{ "ECE on all", .change = set_ece, .at = 1, .on = true, .predicted = 1, .bytes = 5000 },
	{ "CWR", .change = set_cwr, .predicted = 3, .bytes = 5000 },
	{ "ECE", .change = set_ece, .predicted = 3, .bytes = 5000 },
	{ "AE", .change = set_ae, .predicted = 3, .bytes = 5000 },
	{ "TCP options", .change = add_tcp_options, .predicted = 3, .bytes = 5000 },
	{ "less than a header", .change = cut_header, .predicted = 1, .bytes = 2000,
	  COUNT(tcp_bad_header, 1) },
	{ "a header shorter than any", .change = set_short_header, .predicted = 1, .bytes = 2000,
	  COUNT(tcp_bad_header, 1) },
	{ "a header beyond its segment", .change = set_long_header, .at_size = 39,
	  .predicted = 1, .bytes = 2000, COUNT(tcp_bad_header, 1) },
	{ "another TSval from one on", .open = open_ts, .change = set_ts, .on = true,
	  .predicted = 2, .bytes = 5000 },
	{ "another TSecr", .open = open_ts, .change = set_ts_echo, .predicted = 3, .bytes = 5000 },
	{ "a short one", .at_size = 500, .predicted = 2, .bytes = 4500 },
	{ "a short one, the first", .at = 1, .at_size = 500, .predicted = 2, .bytes = 4500 },
	{ "one byte, the last", .at = 5, .at_size = 1, .predicted = 1, .bytes = 4001 },
	{ "one longer than the first", .at_size = 1001, .predicted = 3, .bytes = 5001 },
	{ "a wrong TCP checksum", .spoil = spoil_tcp_sum, .predicted = 1, .bytes = 2000,
	  COUNT(tcp_bad_csum, 1) },
	{ "a wrong TCP checksum of the first", .spoil = spoil_tcp_sum, .at = 1,
	  COUNT(tcp_bad_csum, 1) },
	{ "a wrong TCP checksum of all", .spoil = spoil_tcp_sum, .at = 1, .on = true,
	  COUNT(tcp_bad_csum, 5) },
	{ "a wrong IPv4 checksum of the first", FOUR, .spoil = spoil_ip_sum, .at = 1,
	  COUNT(ip_bad_csum, 1) },
	{ "a wrong IPv4 checksum of all", FOUR, .spoil = spoil_ip_sum, .at = 1, .on = true,
	  COUNT(ip_bad_csum, 5) },

	{ "all verified by the link", .change = set_verified, .at = 1, .on = true,
	  .predicted = 1, .bytes = 5000 },
	{ "verified though wrong", .spoil = spoil_unseen, .predicted = 1, .bytes = 5000 },
	{ "a sum over all", .change = set_complete, .at = 1, .on = true, .predicted = 1,
	  .bytes = 5000 },
	{ "a sum over all of one", .change = set_complete, .predicted = 1, .bytes = 5000 },
	{ "a sum over all that is wrong", .spoil = spoil_complete, .predicted = 1,
	  .bytes = 2000, COUNT(tcp_bad_csum, 1) },
	{ "another flow of the link", .change = set_flow, .predicted = 3, .bytes = 5000 },
	{ "a super-segment of the link", .change = set_gso, .predicted = 3, .bytes = 5000 },

	{ "another connection between", .extra = other_connection, .predicted = 3, .bytes = 5000 },
	{ "another one's ACK between", .extra = other_ack, .predicted = 3, .bytes = 5000 },
	{ "one that comes too early", .extra = gap_of_other, .predicted = 1, .bytes = 5000,
	  COUNT(tcp_ooo, 1) },
	{ "an error of the link between", .extra = link_error, .predicted = 2, .bytes = 5000 },
	{ "an ICMP error between", FOUR, .extra = wire_error, .predicted = 2, .bytes = 5000,
	  COUNT(icmp_error_in, 1) },
	{ "Ethernet", .ether = true, .predicted = 1, .bytes = 5000 },
	{ "ARP between", FOUR, .ether = true, .extra = arp, .predicted = 1, .bytes = 5000,
	  COUNT(arp_in, 1) },
	{ "a group's MAC address", .ether = true, .spoil = set_group, .predicted = 1,
	  .bytes = 2000, COUNT(ip_not_ours, 1) },
	{ "another MAC address", .ether = true, .spoil = set_other_mac, .predicted = 1,
	  .bytes = 2000, COUNT(ip_not_ours, 1) },

	{ "behind a hole", .before = with_hole, .bytes = 6000 },
	{ "with an urgent byte to come", .before = with_urgent, .bytes = 5000 },
	{ "with a FIN to come", .before = with_fin_ahead, .bytes = 3000 },
	{ "in FIN-WAIT-2", .before = shut, .bytes = 5000 },
	{ "in TIME-WAIT", .before = shut_both, COUNT(tcp_beyond_fin, 5) },
	{ "at a port that listens", .before = close_it, COUNT(tcp_rst_out, 5) },
	{ "at a port that is closed", .before = unlisten, COUNT(tcp_no_port, 5) },
	{ "at the end of a handshake", .before = start_handshake, .after = end_handshake,
	  .predicted = 4, .bytes = 5000 },
	{ "beyond the window", .before = narrow, .predicted = 3, .bytes = 3500,
	  COUNT(tcp_window_full, 1) },
	{ "with half of the packets in use", .before = use_packets, .after = unuse_packets,
	  .predicted = 5, .bytes = 5000 },
	{ "with half of the packets in use by these", .before = use_few_packets,
	  .after = unuse_few_packets, .predicted = 2, .bytes = 5000 },
	{ "with blocks for four", .before = use_blocks, .after = unuse_blocks,
	  .predicted = 5, .bytes = 5000 },
	{ "with just so many blocks", .before = use_blocks, .after = unuse_blocks, .count = 4,
	  .predicted = 1, .bytes = 4000 },
	{ "with a link that is short of memory", .before = press, .after = unpress,
	  .predicted = 5, .bytes = 5000 },
	{ "of a connection that was idle", .before = grow_idle, .predicted = 4, .bytes = 5000 },
	{ "with AccECN, CE on all", .open = open_accecn, .change = set_ce, .at = 1, .on = true,
	  .predicted = 1, .bytes = 5000, COUNT(tcp_ecn_ce, 5) },
	{ "with AccECN, CE on one", .open = open_accecn, .change = set_ce, .predicted = 3,
	  .bytes = 5000, COUNT(tcp_ecn_ce, 1) },
};

/* ------------------------------------------------------------- the table at work */

static bool is_changed(const struct variant *v, uint32_t i)
{
	uint32_t at = (v->at ? v->at : 3) - 1;

	return i == at || (v->on && i > at);
}

static uint32_t make_one(struct bed *b, const struct variant *v, uint32_t i, uint32_t seq,
			 struct packet *p)
{
	bool changed = is_changed(v, i);
	uint32_t size = v->size ? v->size : SIZE;

	size = changed && v->at_size ? v->at_size : size;
	make(b, &b->conn[0], p, seq, size);
	if (changed && v->change)
		v->change(p);
	sum_up(p);
	if (changed && v->spoil)
		v->spoil(p);
	return size;
}

/* Gives their number. */
static uint32_t make_all(struct bed *b, const struct variant *v, struct packet *p)
{
	uint32_t count = v->count ? v->count : 5, seq = 1, i, n = 0;

	for (i = 0; i < count; i++) {
		if (i == 2 && v->extra)
			v->extra(b, &p[n++]);
		if (i == 2)
			seq += (uint32_t)v->shift;
		seq += make_one(b, v, i, seq, &p[n++]);
	}
	return n;
}

static void run(const struct variant *v, bool six, enum how how, struct outcome *o)
{
	static struct packet packets[PACKETS];
	uint32_t count;
	struct bed b;

	make_bed(&b, six, how, "option rcvbuf 200000");
	(v->open ? v->open : open_plain)(&b, &b.conn[0], six);
	if (v->extra)
		open_plain(&b, &b.conn[1], six);
	if (v->before)
		v->before(&b);
	discard(&b);
	b.ether = v->ether;
	count = make_all(&b, v, packets);
	inject_all(&b, packets, count);
	if (v->after)
		v->after(&b);
	look(&b, o);
	o->left = end_bed(&b);
}

static bool as_told(const struct variant *v, const struct outcome *o)
{
	uint64_t predicted = o->counter[US_COUNT_tcp_header_predicted];

	if (predicted == v->predicted && o->seen[0][READ] == v->bytes &&
	    (!v->times || o->counter[v->counter] == v->times))
		return true;
	printf("# predicted %llu times, not %llu; %u bytes, not %u; %s is %llu, not %llu\n",
	       (unsigned long long)predicted, (unsigned long long)v->predicted, o->seen[0][READ],
	       v->bytes, us_counter_name(v->counter),
	       (unsigned long long)o->counter[v->counter], (unsigned long long)v->times);
	return false;
}

static void test_variant(const struct variant *v, bool six)
{
	struct outcome o[HOWS];
	enum how how;
	bool good;

	for (how = TOGETHER; how < HOWS; how++)
		run(v, six, how, &o[how]);
	good = as_told(v, &o[TOGETHER]);
	for (how = APART; how < HOWS; how++)
		good = same_outcome(&o[TOGETHER], &o[how], how) && good;
	ok(good, "%s%s", v->name, six ? ", IPv6" : "");
}

static int answers;

static void press_later(struct bed *b)
{
	(void)b;
	room_left = answers;
}

/* Whoever asks it twice may be told two things. */
static void test_short_of_memory(bool six)
{
	const struct variant v = { .before = press_later, .after = unpress };
	struct outcome together, apart;
	bool good = true;

	for (answers = 0; answers < 16 && good; answers++) {
		run(&v, six, TOGETHER, &together);
		run(&v, six, APART, &apart);
		good = same_outcome(&together, &apart, APART) &&
		       together.seen[0][READ] == 5 * SIZE;
	}
	ok(good, "with a link that gets short of memory at any time%s", six ? ", IPv6" : "");
}

static void test_variants(void)
{
	size_t i;

	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (variants[i].family != SIX)
			test_variant(&variants[i], false);
		if (variants[i].family != FOUR)
			test_variant(&variants[i], true);
	}
}

/* ------------------------------------------------------------------ by itself */

/* Five that follow @seq. */
static void make_five(struct bed *b, const struct conn *c, uint32_t seq, struct packet *p)
{
	uint32_t i;

	for (i = 0; i < 5; i++)
		make(b, c, &p[i], seq + i * SIZE, SIZE);
}

static uint32_t last_ack(const struct bed *b)
{
	const struct script *s = b->script;
	const uint8_t *at = s->sent[s->first + s->count - 1].data;
	const struct us_tcp_hdr *h = (const void *)(at + script_ip_len(s));

	return us_get32(h->ack) - b->conn[0].peer_isn;
}

/* All of it counts as what it was on the wire, and is answered as one. */
static void test_answer(bool six, bool ts)
{
	struct packet p[5];
	struct outcome o;
	struct bed b;

	make_bed(&b, six, TOGETHER, "option rcvbuf 200000");
	(ts ? open_ts : open_plain)(&b, &b.conn[0], six);
	make_five(&b, &b.conn[0], 1, p);
	inject_all(&b, p, 5);
	ok(b.script->count == 1 && last_ack(&b) == 1 + 5 * SIZE, "one ACK for all%s%s",
	   six ? ", IPv6" : "", ts ? ", timestamps" : "");
	ok(COUNTED(&b, ip_in) == 5 && COUNTED(&b, tcp_in) == 5 &&
	   COUNTED(&b, tcp_header_predicted) == 1, "as many packets as there were");
	look(&b, &o);
	/* With the first byte, that made the connection active. */
	ok(o.seen[0][SEGS] == 6 && o.seen[0][DATA_SEGS] == 6 && o.seen[0][READ] == 5 * SIZE && !o.wrong,
	   "as many segments, and their bytes");
	ok(!end_bed(&b), "all packets went back");
}

/* Of the first poll, a part is read while the next comes. */
static void test_reading(void)
{
	struct packet p[5];
	struct outcome o;
	struct bed b;
	uint32_t i;

	make_bed(&b, false, TOGETHER, "option rcvbuf 200000");
	open_plain(&b, &b.conn[0], false);
	for (i = 0; i < 4; i++) {
		make_five(&b, &b.conn[0], 1 + i * 5 * SIZE, p);
		inject_all(&b, p, 5);
		read_all(&b.conn[0], 700 + i * 1500);
	}
	look(&b, &o);
	ok(o.seen[0][READ] == 20 * SIZE && !o.wrong, "read in parts, across segments and polls");
	ok(!end_bed(&b), "all packets went back");
}

/* A call of the user's while some are held finds nothing of them, or all in order. */
static void test_call_between(void)
{
	struct packet p[5];
	struct outcome o;
	struct bed b;
	uint32_t i;

	make_bed(&b, false, TOGETHER, "option rcvbuf 200000");
	open_plain(&b, &b.conn[0], false);
	make_five(&b, &b.conn[0], 1, p);
	for (i = 0; i < 5; i++) {
		inject(&b, &p[i]);
		read_all(&b.conn[0], 300);
		ustack_send(b.conn[0].socket, "x", 1, 0);
	}
	ustack_poll(b.script->stack);
	look(&b, &o);
	ok(o.seen[0][READ] == 5 * SIZE && !o.wrong && o.seen[0][RCV_NXT] == 1 + 5 * SIZE,
	   "calls between the packets");
	ok(!end_bed(&b), "all packets went back");
}

/* What was dropped with the first comes again, and what is behind is there. */
static void test_again(void)
{
	struct packet p[5];
	struct outcome o;
	struct bed b;

	make_bed(&b, false, TOGETHER, "option rcvbuf 200000");
	open_plain(&b, &b.conn[0], false);
	make_five(&b, &b.conn[0], 1, p);
	spoil_ip_sum(&p[0]);
	inject_all(&b, p, 5);
	ok(COUNTED(&b, ip_bad_csum) == 1 && COUNTED(&b, tcp_ooo) == 4 &&
	   COUNTED(&b, ip_in) == 5 && COUNTED(&b, tcp_in) == 4 && b.script->count >= 4,
	   "behind one that is dropped, each is told of");
	make(&b, &b.conn[0], &p[0], 1, SIZE);
	inject_all(&b, p, 1);
	look(&b, &o);
	ok(o.seen[0][READ] == 5 * SIZE && !o.wrong, "and when that comes again, all is there");
	ok(!end_bed(&b), "all packets went back");
}

/* What is unread when link and stack end; the sanitizer sees what does not go back. */
static void test_end(bool whole)
{
	struct packet p[5];
	struct bed b;

	make_bed(&b, false, TOGETHER, "option rcvbuf 200000");
	open_plain(&b, &b.conn[0], false);
	make_five(&b, &b.conn[0], 1, p);
	inject_all(&b, p, 5);
	ok(COUNTED(&b, tcp_header_predicted) == 1 && stack_of(&b)->pkts.used == 5,
	   "five are held%s", whole ? ", and the stack ends" : "");
	if (whole) {
		ustack_destroy(b.script->stack);
		free(b.script);
		return;
	}
	ok(!end_bed(&b), "unread packets went back when the socket closed");
}

int main(void)
{
	plan(0);
	test_variants();
	test_short_of_memory(false);
	test_short_of_memory(true);
	test_answer(false, false);
	test_answer(true, false);
	test_answer(false, true);
	test_answer(true, true);
	test_reading();
	test_call_between();
	test_again();
	test_end(false);
	test_end(true);
	return finish();
}
