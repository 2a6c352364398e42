// SPDX-License-Identifier: MIT
/*
 * net/merge.c: segments that a link brings in one poll, and that TCP takes as one.  What
 * has to become of them the same packets tell, of which none can be merged: in one poll,
 * too, each of them let go at once, and with a poll behind each.  Bytes, numbers and all
 * counters of what was dropped have to be the same.
 */
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

static struct us_stack *stack_of(const struct bed *b)
{
	return script_stack(b->script);
}

static uint64_t counted(const struct bed *b, enum us_counter which)
{
	return stack_of(b)->counter[which] - b->before[which];
}

#define COUNTED(bed, name)	counted(bed, US_COUNT_##name)

/* ------------------------------------------------------------------- the link */

/* How often the link says yet that there is room; negative: always. */
static int room_left = -1;

static bool link_pressure(const struct us_link *link)
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

static void line(struct bed *b, const char *text)
{
	struct script *s = b->script;

	script_line(s, text);
	if (!s->why[0])
		return;
	printf("Bail out! %s: %s\n", text, s->why);
	exit(1);
}

static struct us_tcp *tcp_of(const struct bed *b, const struct conn *c)
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
static void discard(struct bed *b)
{
	b->script->count = 0;
	b->script->first = 0;
}

static void open_conn(struct bed *b, struct conn *c, bool six, const char *syn, const char *ack)
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
static void make_bed(struct bed *b, bool six, enum how how, const char *option)
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
static uint32_t end_bed(struct bed *b)
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

static uint8_t payload_at(uint32_t seq)
{
	return (uint8_t)(seq ^ seq >> 8 ^ seq >> 16);
}

static bool is_six(const struct packet *p)
{
	return p->data[0] >> 4 == 6;
}

static struct us_ipv4 *ip4(struct packet *p)
{
	return (void *)p->data;
}

static struct us_ipv6 *ip6(struct packet *p)
{
	return (void *)p->data;
}

static uint32_t ip_len(const struct packet *p)
{
	return is_six(p) ? US_IPV6_LEN : (p->data[0] & 15u) * 4;
}

static struct us_tcp_hdr *tcp_header(struct packet *p)
{
	return (void *)(p->data + ip_len(p));
}

static void sum_ip(struct packet *p)
{
	if (is_six(p))
		return;
	ip4(p)->csum = us_put16(0);
	ip4(p)->csum = us_from_raw16(us_csum_fold(us_csum_bytes(p->data, ip_len(p), 0)));
}

/* Lengths and checksums are made right. */
static void sum_up(struct packet *p)
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


static void put_ip(struct bed *b, const struct conn *c, struct packet *p)
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

static void put_ts(uint8_t *at, uint32_t value)
{
	memcpy(at, (uint8_t[]){ 1, 1, US_TCP_OPT_TIMESTAMP, 10 }, 4);
	script_put32(at + 4, value);
	script_put32(at + 8, 0);
}

/* A segment of @c's peer: as Linux sends it, the identification counts up. */
static void make(struct bed *b, const struct conn *c, struct packet *p, uint32_t seq,
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

static void fill(const struct bed *b, struct us_pkt *pkt, const struct packet *p, uint8_t *copy)
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
static void inject(struct bed *b, const struct packet *p)
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
static void inject_all(struct bed *b, const struct packet *p, uint32_t count)
{
	uint32_t i;

	memcpy(b->before, stack_of(b)->counter, sizeof(b->before));
	for (i = 0; i < count; i++)
		inject(b, &p[i]);
	ustack_poll(b->script->stack);
}

/* All that there is, and whether it is what was sent. */
static void read_all(struct conn *c, size_t most)
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
static void warm_up(struct bed *b, struct conn *c)
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

static void open_plain(struct bed *b, struct conn *c, bool six)
{
	open_conn(b, c, six, "< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>",
		  "< . 1:1(0) ack 1 win 1000");
	warm_up(b, c);
}

static void open_ts(struct bed *b, struct conn *c, bool six)
{
	open_conn(b, c, six,
		  "< S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>",
		  "< . 1:1(0) ack 1 win 1000 <nop,nop,TS val 100 ecr 0>");
	warm_up(b, c);
}

static void open_accecn(struct bed *b, struct conn *c, bool six)
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

static void look_into(const struct us_tcp *tcp, uint32_t seen[SEEN])
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

static void look_at(struct bed *b, uint32_t i, struct outcome *o)
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

static void look(struct bed *b, struct outcome *o)
{
	uint32_t i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < US_COUNTERS; i++)
		o->counter[i] = counted(b, i);
	for (i = 0; i < CONNS; i++)
		look_at(b, i, o);
}

/* What a segment costs; and, where polls are not the same, the ACKs. */
static bool may_differ(enum us_counter which, enum how how)
{
	return which == US_COUNT_tcp_header_predicted ||
	       (how == ONE_BY_ONE && (which == US_COUNT_ip_out || which == US_COUNT_tcp_out ||
				      which == US_COUNT_tcp_delayed_ack));
}

static bool same_counters(const struct outcome *a, const struct outcome *b, enum how how)
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

static bool same_conn(const uint32_t a[SEEN], const uint32_t b[SEEN], uint32_t conn)
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

static bool same_outcome(const struct outcome *a, const struct outcome *b, enum how how)
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

/* ----------------------------------------------------- what is done to a packet */

static void set_tos(struct packet *p)
{
	if (is_six(p))
		p->data[0] ^= 0x01;
	else
		ip4(p)->tos = 0x10;
}

static void set_ce(struct packet *p)
{
	if (is_six(p))
		p->data[1] |= US_ECN_CE << 4;
	else
		ip4(p)->tos |= US_ECN_CE;
}

static void set_ttl(struct packet *p)
{
	p->data[is_six(p) ? 7 : 8]--;
}

static void set_label(struct packet *p)
{
	p->data[3] ^= 1;
}

static void set_id(struct packet *p)
{
	ip4(p)->id = us_put16(7);
}

static void clear_df(struct packet *p)
{
	ip4(p)->frag = us_put16(0);
}

static void set_mf(struct packet *p)
{
	ip4(p)->frag = us_put16(US_IPV4_MF);
}

static void set_offset(struct packet *p)
{
	ip4(p)->frag = us_put16(3);
}

static void add_ip_options(struct packet *p)
{
	memmove(p->data + 24, p->data + 20, p->len - 20);
	memset(p->data + 20, 1, 4);
	p->data[0] = 0x46;
	p->len += 4;
}

static void set_version(struct packet *p)
{
	p->data[0] ^= 0x20;
}

static void set_source(struct packet *p)
{
	(is_six(p) ? ip6(p)->src + 15 : ip4(p)->src + 3)[0] = 9;
}

static void set_destination(struct packet *p)
{
	(is_six(p) ? ip6(p)->dst + 15 : ip4(p)->dst + 3)[0] = 9;
}

static void set_source_port(struct packet *p)
{
	tcp_header(p)->src = us_put16(4999);
}

static void set_destination_port(struct packet *p)
{
	tcp_header(p)->dst = us_put16(81);
}

static void set_ack(struct packet *p)
{
	tcp_header(p)->ack = us_put32(us_get32(tcp_header(p)->ack) - 1);
}

static void set_window(struct packet *p)
{
	tcp_header(p)->window = us_put16(1001);
}

static void set_push(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_PSH;
}

static void set_fin(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_FIN;
}

static void set_urgent(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_URG;
	tcp_header(p)->urgent = us_put16(500);
}

static void set_rst(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_RST;
}

static void set_syn(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_SYN;
}

static void set_cwr(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_CWR;
}

static void set_ece(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_ECE;
}

static void set_ae(struct packet *p)
{
	tcp_header(p)->offset |= US_TCP_AE;
}

static void clear_ack(struct packet *p)
{
	tcp_header(p)->flags = 0;
}

static void add_tcp_options(struct packet *p)
{
	uint8_t *at = (uint8_t *)tcp_header(p) + US_TCP_LEN;

	memmove(at + 4, at, p->len - (size_t)(at - p->data));
	memset(at, 1, 4);
	tcp_header(p)->offset += 1 << 4;
	p->len += 4;
}

static void set_ts(struct packet *p)
{
	((uint8_t *)(tcp_header(p) + 1))[7]++;
}

static void set_ts_echo(struct packet *p)
{
	((uint8_t *)(tcp_header(p) + 1))[11]++;
}

static void set_flow(struct packet *p)
{
	p->flow = 1;
}

static void set_gso(struct packet *p)
{
	p->gso = US_GSO_TCP;
}

static void set_verified(struct packet *p)
{
	p->csum_state = US_CSUM_VERIFIED;
}

static void set_complete(struct packet *p)
{
	p->csum_state = US_CSUM_COMPLETE;
}

/* From here on, checksums stay as they were. */
static void spoil_tcp_sum(struct packet *p)
{
	tcp_header(p)->csum.b[1] ^= 1;
}

static void spoil_unseen(struct packet *p)
{
	spoil_tcp_sum(p);
	set_verified(p);
}

static void spoil_complete(struct packet *p)
{
	spoil_tcp_sum(p);
	set_complete(p);
}

static void spoil_ip_sum(struct packet *p)
{
	ip4(p)->csum.b[1] ^= 1;
}

static void spoil_ip_sum_unseen(struct packet *p)
{
	spoil_ip_sum(p);
	set_verified(p);
}

static void pad(struct packet *p)
{
	memset(p->data + p->len, 0xff, 4);
	p->len += 4;
}

static void cut_off(struct packet *p)
{
	p->len -= 4;
}

static void cut_off_unseen(struct packet *p)
{
	cut_off(p);
	set_verified(p);
}

static void set_group(struct packet *p)
{
	memset(p->mac, 0xff, 6);
}

static void set_other_mac(struct packet *p)
{
	p->mac[5] = 9;
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
	{ "in TIME-WAIT", .before = shut_both, },
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

/* --------------------------------------------------------------------- at random */

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
	test_random();
	return finish();
}
