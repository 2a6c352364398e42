/* SPDX-License-Identifier: MIT */
/*
 * Beds for net/merge.c: stacks to which the same packets come in one poll, to be merged; in
 * one poll, but so that none can be merged; and with a poll behind each.  Bytes, numbers and
 * all counters of what was dropped have to be the same.
 */
#ifndef MERGE_BED_H
#define MERGE_BED_H

#include "packet_script.h"
#include "tcp_audit.h"

#define SIZE		1000u	/* bytes of payload, where a test does not say */
#define PACKETS		64u	/* at most, in one poll */
#define CONNS		3u

/* How packets come. */
enum how {
	TOGETHER,	/* in one poll, to be merged */
	APART,		/* in one poll, none waits for another */
	ONE_BY_ONE,	/* a poll for each */
	HOWS,
};

/**
 * struct conn - one connection of a bed
 * @socket: socket.
 * @six: IPv6.
 * @ts: it has timestamps.
 * @port: the peer's.
 * @isn: ours.
 * @peer_isn: the peer's.
 * @next: the peer's next sequence number, from @peer_isn.
 * @ts_val: TSval of what the peer sends.
 * @read: bytes read.
 * @wrong: and of these, there were wrong ones.
 */
struct conn {
	struct ustack_socket *socket;
	bool six;
	bool ts;
	uint16_t port;
	uint32_t isn;
	uint32_t peer_isn;
	uint32_t next;
	uint32_t ts_val;
	uint32_t read;
	bool wrong;
};

/**
 * struct bed - a stack with connections, whose peers the test is
 * @script: it, and its link.
 * @conn: connections; those beyond the first are not there in every test.
 * @how: packets come.
 * @ether: the link has Ethernet headers while packets come.
 * @id: of the last IPv4 packet.
 * @port: of the last connection's peer.
 * @before: counters when the packets came.
 */
struct bed {
	struct script *script;
	struct conn conn[CONNS];
	enum how how;
	bool ether;
	uint16_t id;
	uint16_t port;
	uint64_t before[US_COUNTERS];
};

/**
 * struct packet - one packet of a peer
 * @mac: Ethernet header, for a bed that has them.
 * @data: the IP packet.
 * @len: bytes of @data.
 * @csum_state: as in struct us_pkt, with a sum that is that of @data.
 * @gso: as in struct us_pkt.
 * @error: alike.
 * @flow: alike.
 */
struct packet {
	uint8_t mac[14];
	uint8_t data[2100];
	uint32_t len;
	uint8_t csum_state;
	uint8_t gso;
	bool error;
	uint32_t flow;
};

static inline struct us_stack *stack_of(const struct bed *b)
{
	return script_stack(b->script);
}

static inline uint64_t counted(const struct bed *b, enum us_counter which)
{
	return stack_of(b)->counter[which] - b->before[which];
}

#define COUNTED(bed, name)	counted(bed, US_COUNT_##name)

/* ------------------------------------------------------------------- the link */

/* How often the link says yet that there is room; negative: always. */
static int room_left = -1;

static inline bool link_pressure(const struct us_link *link)
{
	(void)link;
	if (room_left > 0)
		room_left--;
	else if (!room_left)
		return true;
	return false;
}

static struct us_link_ops link_ops;

/* ----------------------------------------------------------------- connections */

static inline void line(struct bed *b, const char *text)
{
	struct script *s = b->script;

	script_line(s, text);
	if (!s->why[0])
		return;
	printf("Bail out! %s: %s\n", text, s->why);
	exit(1);
}

static inline struct us_tcp *tcp_of(const struct bed *b, const struct conn *c)
{
	struct us_tcp_table *table = stack_of(b)->tcp;
	struct us_tcp *tcp;
	uint32_t i;

	for (i = 0; i <= table->mask; i++)
		for (tcp = table->hash[i]; tcp; tcp = tcp->hash_next)
			if (us_get16(us_from_raw16(tcp->remote_port)) == c->port)
				return tcp;
	return NULL;
}

/* What the stack sent is of no interest. */
static inline void discard(struct bed *b)
{
	b->script->count = 0;
	b->script->first = 0;
}

static inline void open_conn(struct bed *b, struct conn *c, bool six, const char *syn, const char *ack)
{
	struct script *s = b->script;
	int inline_ = 1;

	s->six = six;
	s->peer_port = ++b->port;
	line(b, syn);
	line(b, "+0.01");
	script_learn(s, (const void *)(s->sent[s->first].data + script_ip_len(s)));
	discard(b);
	line(b, ack);
	line(b, "accept = 0");
	discard(b);
	*c = (struct conn){ .socket = s->socket, .six = six, .ts = strstr(ack, "TS"),
			    .port = b->port, .isn = s->isn, .peer_isn = s->peer_isn,
			    .next = 1, .ts_val = 100 };
	s->socket = NULL;
	ustack_setsockopt(c->socket, SOL_SOCKET, SO_OOBINLINE, &inline_, sizeof(inline_));
}

/* @option comes before the listener. */
static inline void make_bed(struct bed *b, bool six, enum how how, const char *option)
{
	memset(b, 0, sizeof(*b));
	b->script = calloc(1, sizeof(*b->script));
	b->how = how;
	b->port = 5000;
	room_left = -1;
	if (!b->script || !script_open(b->script, six))
		abort();
	link_ops = script_ops;
	link_ops.pressure = link_pressure;
	b->script->link.ops = &link_ops;
	line(b, option);
	line(b, "listen");
}

/* Gives the packets that are left, when all is closed. */
static inline uint32_t end_bed(struct bed *b)
{
	uint32_t left, i;

	for (i = 0; i < CONNS; i++)
		if (b->conn[i].socket)
			ustack_close(b->conn[i].socket);
	ustack_poll(b->script->stack);
	left = stack_of(b)->pkts.used;
	discard(b);
	script_end(b->script);
	free(b->script);
	return left;
}

/* --------------------------------------------------------------------- packets */

static inline uint8_t payload_at(uint32_t seq)
{
	return (uint8_t)(seq ^ seq >> 8 ^ seq >> 16);
}

static inline bool is_six(const struct packet *p)
{
	return p->data[0] >> 4 == 6;
}

static inline struct us_ipv4 *ip4(struct packet *p)
{
	return (void *)p->data;
}

static inline struct us_ipv6 *ip6(struct packet *p)
{
	return (void *)p->data;
}

static inline uint32_t ip_len(const struct packet *p)
{
	return is_six(p) ? US_IPV6_LEN : (p->data[0] & 15u) * 4;
}

static inline struct us_tcp_hdr *tcp_header(struct packet *p)
{
	return (void *)(p->data + ip_len(p));
}

static inline void sum_ip(struct packet *p)
{
	if (is_six(p))
		return;
	ip4(p)->csum = us_put16(0);
	ip4(p)->csum = us_from_raw16(us_csum_fold(us_csum_bytes(p->data, ip_len(p), 0)));
}

/* Lengths and checksums are made right. */
static inline void sum_up(struct packet *p)
{
	uint32_t header = ip_len(p), len = p->len - header, sum;

	if (is_six(p)) {
		ip6(p)->payload_len = us_put16((uint16_t)len);
		sum = us_csum_pseudo6(ip6(p)->src, ip6(p)->dst, IPPROTO_TCP, len);
	} else {
		ip4(p)->total_len = us_put16((uint16_t)p->len);
		sum = us_csum_pseudo4(ip4(p)->src, ip4(p)->dst, IPPROTO_TCP, len);
	}
	tcp_header(p)->csum = us_put16(0);
	sum = us_csum_fold(us_csum_bytes(p->data + header, len, sum));
	tcp_header(p)->csum = us_from_raw16((uint16_t)sum);
	sum_ip(p);
}


static inline void put_ip(struct bed *b, const struct conn *c, struct packet *p)
{
	struct us_addr src, dst;

	b->script->six = c->six;
	src = script_addr(b->script, 2);
	dst = script_addr(b->script, 1);
	memset(p, 0, sizeof(*p));
	p->mac[12] = c->six ? 0x86 : 0x08;
	p->mac[13] = c->six ? 0xdd : 0x00;
	if (c->six) {
		*ip6(p) = (struct us_ipv6){ .flow = us_put32(6u << 28 | 0x12345),
			.next = IPPROTO_TCP, .hops = 64 };
		memcpy(ip6(p)->src, src.b, 16);
		memcpy(ip6(p)->dst, dst.b, 16);
	} else {
		*ip4(p) = (struct us_ipv4){ .version_ihl = 0x45, .ttl = 64,
			.id = us_put16(++b->id), .frag = us_put16(US_IPV4_DF),
			.protocol = IPPROTO_TCP };
		memcpy(ip4(p)->src, &src.b[12], 4);
		memcpy(ip4(p)->dst, &dst.b[12], 4);
	}
}

static inline void put_ts(uint8_t *at, uint32_t value)
{
	memcpy(at, (uint8_t[]){ 1, 1, US_TCP_OPT_TIMESTAMP, 10 }, 4);
	script_put32(at + 4, value);
	script_put32(at + 8, 0);
}

/* A segment of @c's peer: as Linux sends it, the identification counts up. */
static inline void make(struct bed *b, const struct conn *c, struct packet *p, uint32_t seq,
		 uint32_t len)
{
	uint32_t header = US_TCP_LEN + (c->ts ? 12 : 0), i;
	uint8_t *payload;

	put_ip(b, c, p);
	*tcp_header(p) = (struct us_tcp_hdr){
		.src = us_put16(c->port), .dst = us_put16(80),
		.seq = us_put32(c->peer_isn + seq), .ack = us_put32(c->isn + 1),
		.offset = (uint8_t)(header << 2), .flags = US_TCP_ACK,
		.window = us_put16(1000),
	};
	if (c->ts)
		put_ts((uint8_t *)(tcp_header(p) + 1), c->ts_val);
	payload = (uint8_t *)tcp_header(p) + header;
	for (i = 0; i < len; i++)
		payload[i] = payload_at(seq + i);
	p->len = (uint32_t)(payload - p->data) + len;
	sum_up(p);
}

static inline void fill(const struct bed *b, struct us_pkt *pkt, const struct packet *p, uint8_t *copy)
{
	uint32_t head = b->ether && !p->error ? sizeof(p->mac) : 0;

	memcpy(copy, p->mac, head);
	memcpy(copy + head, p->data, p->len);
	pkt->data = copy;
	pkt->len = head + p->len;
	pkt->token = (uintptr_t)copy;
	pkt->csum_state = p->csum_state;
	pkt->csum = p->csum_state == US_CSUM_COMPLETE ? us_csum_bytes(p->data, p->len, 0) : 0;
	pkt->gso = p->gso;
	pkt->gso_size = p->gso ? SIZE : 0;
	pkt->error = p->error;
	pkt->flow = p->flow;
}

/* Of exactly its bytes, so that the sanitizer sees.  What is sent while the link seems to
 * have Ethernet is the answer to ARP at most.
 */
static inline void inject(struct bed *b, const struct packet *p)
{
	struct us_link *link = &b->script->link;
	struct us_pkt *pkt = us_link_pkt(link);

	fill(b, pkt, p, malloc(sizeof(p->mac) + p->len));
	us_stack_tick(stack_of(b));
	link->flags |= b->ether ? US_LINK_ETHERNET : 0;
	stack_of(b)->up->link_input(stack_of(b), pkt);
	link->flags &= ~US_LINK_ETHERNET;
	if (b->how == APART)
		us_merge_flush(stack_of(b));
	if (b->how == ONE_BY_ONE)
		ustack_poll(b->script->stack);
}

/* What is sent goes through the link and is thrown away, but counted. */
static inline void inject_all(struct bed *b, const struct packet *p, uint32_t count)
{
	uint32_t i;

	memcpy(b->before, stack_of(b)->counter, sizeof(b->before));
	for (i = 0; i < count; i++)
		inject(b, &p[i]);
	ustack_poll(b->script->stack);
}

/* All that there is, and whether it is what was sent. */
static inline void read_all(struct conn *c, size_t most)
{
	uint8_t data[4096];
	ssize_t n, i;

	while (most && (n = ustack_recv(c->socket, data, most < sizeof(data) ? most :
					sizeof(data), 0)) > 0) {
		for (i = 0; i < n; i++)
			c->wrong |= data[i] != payload_at(1 + c->read + (uint32_t)i);
		c->read += (uint32_t)n;
		most -= (size_t)n;
	}
}

/* One byte makes the connection active; as though it had not been, all begins behind it. */
static inline void warm_up(struct bed *b, struct conn *c)
{
	struct packet p;
	uint8_t byte;

	make(b, c, &p, 1, 1);
	inject_all(b, &p, 1);
	if (ustack_recv(c->socket, &byte, 1, 0) != 1)
		ok(false, "a byte that makes a connection active");
	c->peer_isn++;
	ustack_poll(b->script->stack);
	discard(b);
}

static inline void open_plain(struct bed *b, struct conn *c, bool six)
{
	open_conn(b, c, six, "< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>",
		  "< . 1:1(0) ack 1 win 1000");
	warm_up(b, c);
}

static inline void open_ts(struct bed *b, struct conn *c, bool six)
{
	open_conn(b, c, six,
		  "< S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>",
		  "< . 1:1(0) ack 1 win 1000 <nop,nop,TS val 100 ecr 0>");
	warm_up(b, c);
}

static inline void open_accecn(struct bed *b, struct conn *c, bool six)
{
	open_conn(b, c, six, "< SEWe 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>",
		  "< .W 1:1(0) ack 1 win 1000");
	warm_up(b, c);
}

/* -------------------------------------------------------------------- outcomes */

/* What is to be seen of a connection. */
enum {
	RCV_NXT,	/* from the peer's ISN; 0: it is gone */
	STATE,
	READ,		/* bytes */
	SEGS,		/* as TCP_INFO tells */
	DATA_SEGS,
	MARKS,		/* packets that AccECN counted as marked */
	MARKED_BYTES,
	RCV_MSS,
	PUSHED,		/* the last segment was */
	SEEN,
};

static const char *const seen_names[SEEN] = {
	"rcv_nxt", "state", "bytes read", "segments", "segments with data", "marks",
	"bytes marked", "the peer's segment size", "pushed",
};

/**
 * struct outcome - what became of packets
 * @counter: what they added.
 * @seen: of each connection.
 * @wrong: other bytes than were sent.
 * @left: packets that did not go back.
 */
struct outcome {
	uint64_t counter[US_COUNTERS];
	uint32_t seen[CONNS][SEEN];
	bool wrong;
	uint32_t left;
};

static inline void look_into(const struct us_tcp *tcp, uint32_t seen[SEEN])
{
	const struct us_tcp_active *a = tcp->active;

	seen[STATE] = tcp->state;
	if (!a)
		return;
	seen[SEGS] = a->totals.segs_in;
	seen[DATA_SEGS] = a->totals.data_in;
	seen[MARKS] = a->accecn.r.cep;
	seen[MARKED_BYTES] = a->accecn.r.bytes[US_ECN_CE];
	seen[RCV_MSS] = a->rcv_mss;
	seen[PUSHED] = a->pushed;
}

static inline void look_at(struct bed *b, uint32_t i, struct outcome *o)
{
	struct conn *c = &b->conn[i];
	const struct us_tcp *tcp;

	if (!c->socket)
		return;
	tcp = tcp_of(b, c);
	if (tcp) {
		o->seen[i][RCV_NXT] = tcp->rcv_nxt - c->peer_isn;
		look_into(tcp, o->seen[i]);
	}
	read_all(c, SIZE_MAX);
	o->seen[i][READ] = c->read;
	o->wrong |= c->wrong;
}

static inline void look(struct bed *b, struct outcome *o)
{
	uint32_t i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < US_COUNTERS; i++)
		o->counter[i] = counted(b, i);
	for (i = 0; i < CONNS; i++)
		look_at(b, i, o);
}

/* What a segment costs; and, where polls are not the same, the ACKs. */
static inline bool may_differ(enum us_counter which, enum how how)
{
	return which == US_COUNT_tcp_header_predicted ||
	       (how == ONE_BY_ONE && (which == US_COUNT_ip_out || which == US_COUNT_tcp_out ||
				      which == US_COUNT_tcp_delayed_ack));
}

static inline bool same_counters(const struct outcome *a, const struct outcome *b, enum how how)
{
	bool good = true;
	uint32_t i;

	for (i = 0; i < US_COUNTERS; i++) {
		if (may_differ(i, how) || a->counter[i] == b->counter[i])
			continue;
		printf("# %s: %llu together, %llu %s\n", us_counter_name(i),
		       (unsigned long long)a->counter[i], (unsigned long long)b->counter[i],
		       how == APART ? "apart" : "one by one");
		good = false;
	}
	return good;
}

static inline bool same_conn(const uint32_t a[SEEN], const uint32_t b[SEEN], uint32_t conn)
{
	bool good = true;
	uint32_t i;

	for (i = 0; i < SEEN; i++) {
		if (a[i] == b[i])
			continue;
		printf("# connection %u: %s: %u together, else %u\n", conn, seen_names[i], a[i],
		       b[i]);
		good = false;
	}
	return good;
}

static inline bool same_outcome(const struct outcome *a, const struct outcome *b, enum how how)
{
	bool good = same_counters(a, b, how) && !a->wrong && !b->wrong && !a->left && !b->left;
	uint32_t i;

	if (a->wrong || b->wrong || a->left || b->left)
		printf("# wrong bytes: %d %d, packets left: %u %u\n", a->wrong, b->wrong,
		       a->left, b->left);
	for (i = 0; i < CONNS; i++)
		good = same_conn(a->seen[i], b->seen[i], i) && good;
	return good;
}

#endif /* MERGE_BED_H */
