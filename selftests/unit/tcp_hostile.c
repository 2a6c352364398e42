// SPDX-License-Identifier: MIT
/*
 * A peer that knows everything and keeps no rule: it reads the connection's own
 * variables and sends segments that lie just inside, on and just outside of every
 * limit, with any flags and options, while the application does as it pleases.
 * TCP's books are audited after every step, memory stays bounded, what the
 * application reads is what some segment said, and nothing is left at the end.
 *
 *	tcp_hostile			some hundred peers
 *	tcp_hostile FIRST [COUNT]	those seeds
 */
#include "packet_script.h"
#include "tcp_audit.h"

#define RUNS	300
#define STEPS	1500

/**
 * struct fight - one peer against one stack
 * @s: link, clock, sockets.
 * @random: state of the generator.
 * @why: what went wrong, or NULL.
 * @syn: sequence number of the last SYN to the listener.
 * @syn_ack: that of the answer to it.
 * @cookie: of Fast Open, that it brought.
 */
struct fight {
	struct script s;
	uint64_t random;
	const char *why;
	uint32_t syn;
	uint32_t syn_ack;
	uint8_t cookie[8];
};

static uint32_t draw(struct fight *f)
{
	uint64_t z = (f->random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)(z ^ z >> 31);
}

static uint32_t below(struct fight *f, uint32_t bound)
{
	return (uint32_t)((uint64_t)draw(f) * bound >> 32);
}

/* The connection, if there is one. */
static const struct us_tcp *victim(const struct fight *f)
{
	const struct us_tcp_table *table = script_stack(&f->s)->tcp;
	const struct us_tcp *tcp = NULL;
	uint32_t i;

	for (i = 0; i <= table->mask && !tcp; i++)
		tcp = table->hash[i];
	return tcp;
}

/* A little before, at, or behind one of several interesting numbers. */
static uint32_t near(struct fight *f, const uint32_t *points, uint32_t n)
{
	uint32_t at = points[below(f, n)];

	switch (below(f, 8)) {
	case 0:
		return at + 1;
	case 1:
		return at - 1;
	case 2:
		return at + below(f, 3000);
	case 3:
		return at - below(f, 3000);
	case 4:
		return below(f, 20) ? at : draw(f);
	default:
		return at;
	}
}

static uint32_t pick_seq(struct fight *f, const struct us_tcp *tcp)
{
	const uint32_t points[] = {
		tcp->rcv_nxt, tcp->rcv_nxt, tcp->rcv_nxt, tcp->rcv_adv,
		tcp->last_ack_sent, tcp->rcv_nxt + us_tcp_rcv_wnd(tcp) / 2,
		tcp->active && tcp->active->reass && tcp->active->reass->nr ?
			tcp->active->reass->range[0].start : tcp->rcv_nxt,
		tcp->active ? tcp->active->fin_seq : tcp->rcv_nxt,
	};

	return near(f, points, sizeof(points) / sizeof(points[0]));
}

static uint32_t pick_ack(struct fight *f, const struct us_tcp *tcp)
{
	const uint32_t points[] = {
		tcp->snd_una, tcp->snd_nxt, tcp->snd_nxt,
		tcp->snd_una + us_tcp_in_flight(tcp) / 2,
		tcp->snd_una + tcp->mss, tcp->snd_una - tcp->max_snd_wnd,
	};

	return near(f, points, sizeof(points) / sizeof(points[0]));
}

static uint8_t pick_flags(struct fight *f)
{
	static const uint8_t usual[] = {
		US_TCP_ACK, US_TCP_ACK, US_TCP_ACK, US_TCP_ACK | US_TCP_PSH,
		US_TCP_ACK | US_TCP_FIN, US_TCP_SYN, US_TCP_SYN | US_TCP_ACK,
		US_TCP_RST, US_TCP_RST | US_TCP_ACK, US_TCP_ACK | US_TCP_URG,
	};

	if (below(f, 12) == 0)
		return (uint8_t)draw(f);
	/* What ends a connection comes seldom. */
	return usual[below(f, below(f, 40) ? 4 : sizeof(usual))];
}

static void put_option_sack(struct fight *f, const struct us_tcp *tcp,
			    struct script_segment *g)
{
	uint32_t n = 1 + below(f, 3), i;
	uint8_t *at = &g->options[g->options_len];

	at[0] = at[1] = US_TCP_OPT_NOP;
	at[2] = US_TCP_OPT_SACK;
	at[3] = (uint8_t)(2 + 8 * n);
	for (i = 0; i < n; i++) {
		uint32_t start = pick_ack(f, tcp);

		script_put32(at + 4 + 8 * i, start);
		script_put32(at + 8 + 8 * i, below(f, 3) ? start + below(f, 5000) :
			     pick_ack(f, tcp));
	}
	g->options_len += (int)(4 + 8 * n);
}

/* The right cookie, a request for one, or nonsense. */
static void put_option_fo(struct fight *f, struct script_segment *g)
{
	uint8_t *at = &g->options[g->options_len], len = 10;

	if (below(f, 4) == 0)
		len = (uint8_t)(2 + below(f, 9));
	at[0] = US_TCP_OPT_FASTOPEN;
	at[1] = len;
	memcpy(at + 2, f->cookie, 8);
	memset(at + len, US_TCP_OPT_NOP, 12u - len);
	g->options_len += 12;
}

static void put_options(struct fight *f, const struct us_tcp *tcp,
			struct script_segment *g)
{
	uint32_t ts = tcp->ts_recent + below(f, 3);
	uint8_t *at;

	g->options_len = 0;
	if (g->flags & US_TCP_SYN) {
		memcpy(g->options, (uint8_t[]){ 2, 4, (uint8_t)below(f, 6),
			(uint8_t)draw(f), 4, 2, 3, 3, (uint8_t)below(f, 16), 1, 1, 1 }, 12);
		g->options_len = below(f, 8) ? 12 : 0;
	}
	if (tcp->flags & US_TCP_TS && below(f, 30)) {
		at = &g->options[g->options_len];
		if (below(f, 20) == 0)
			ts = draw(f);
		memcpy(at, (uint8_t[]){ 1, 1, 8, 10 }, 4);
		script_put32(at + 4, ts);
		script_put32(at + 8, us_tcp_tick(tcp->table->stack) +
			     tcp->ts_offset - below(f, 1000));
		g->options_len += 12;
	}
	if (!(g->flags & US_TCP_SYN) && below(f, 3) == 0)
		put_option_sack(f, tcp, g);
	if (g->options_len <= 28 && below(f, 4) == 0) {
		at = &g->options[g->options_len];
		memcpy(at, (uint8_t[]){ below(f, 2) ? 172 : 174, (uint8_t)(2 + 3 * below(f, 4)),
			0, (uint8_t)draw(f), (uint8_t)draw(f), 0, 0, (uint8_t)draw(f),
			0, 0, (uint8_t)draw(f), 1 }, 12);
		memset(at + at[1], US_TCP_OPT_NOP, 12u - at[1]);
		g->options_len += 12;
	}
	if ((g->flags & US_TCP_SYN) && g->options_len <= 28 && below(f, 2))
		put_option_fo(f, g);
	if (below(f, 40) == 0 && g->options_len)
		g->options[below(f, (uint32_t)g->options_len)] = (uint8_t)draw(f);
}

/* Payload is the sequence number's own, so that the reader can check it. */
static void attack(struct fight *f, const struct us_tcp *tcp)
{
	struct script_segment g = { .flags = pick_flags(f), .options_len = -1 };
	struct script *s = &f->s;

	s->isn = 0;
	s->peer_isn = 0;
	s->port = ntohs(tcp->local_port);
	s->peer_port = ntohs(tcp->remote_port);
	g.seq = pick_seq(f, tcp);
	g.ack = pick_ack(f, tcp);
	g.window = below(f, 4) ? (long)below(f, 65536) : (long)below(f, 4);
	if (below(f, 3))
		g.len = below(f, below(f, 3) ? 1400 : 8);
	if (below(f, 30) == 0)
		g.len = below(f, 60000);
	put_options(f, tcp, &g);
	g.badsum = below(f, 50) == 0;
	g.ecn = below(f, 2) ? (uint8_t)below(f, 4) : 0;
	if (below(f, 3) == 0)
		g.flags |= (uint16_t)(below(f, 8) << 6);
	script_receive(s, &g);
}

static void attack_icmp(struct fight *f, const struct us_tcp *tcp)
{
	char line[80];

	f->s.isn = 0;
	f->s.port = ntohs(tcp->local_port);
	snprintf(line, sizeof(line), "unreach %u mtu %u seq %u", below(f, 16),
		 below(f, 2000), pick_ack(f, tcp));
	script_icmp(&f->s, line);
}

static void learn_cookie(struct fight *f, const uint8_t *header, uint32_t len)
{
	uint32_t i;

	for (i = US_TCP_LEN; i + 10 <= len; i++)
		if (header[i] == US_TCP_OPT_FASTOPEN && header[i + 1] == 10)
			memcpy(f->cookie, header + i + 2, 8);
}

/* What was sent is thrown away, but must be well formed. */
static void discard(struct fight *f)
{
	struct script *s = &f->s;

	for (; s->count; s->count--, s->first = (s->first + 1) % SCRIPT_QUEUE) {
		struct script_packet *p = &s->sent[s->first];
		const struct us_tcp_hdr *h = (void *)(p->data + script_ip_len(s));

		if (p->data[s->six ? 6 : 9] != IPPROTO_TCP)
			continue;
		if (!script_sum_ok(s, p))
			f->why = "a wrong checksum was sent";
		if ((h->flags & US_TCP_FLAGS) == (US_TCP_SYN | US_TCP_ACK)) {
			f->syn_ack = us_get32(h->seq);
			learn_cookie(f, (const uint8_t *)h, us_tcp_header_len(h));
		}
		if (us_tcp_header_len(h) > p->len - script_ip_len(s))
			f->why = "a bad header was sent";
	}
}

static void act(struct fight *f)
{
	static uint8_t data[70000];
	struct script *s = &f->s;

	if (!s->socket && s->listener)
		s->socket = ustack_accept(s->listener, NULL, NULL, SOCK_NONBLOCK);
	if (!s->socket)
		return;
	switch (below(f, 12)) {
	case 0:
		ustack_send(s->socket, data, below(f, 60000), 0);
		break;
	case 1:
	case 2:
		ustack_send(s->socket, data, below(f, 100), below(f, 2) ? MSG_MORE : 0);
		break;
	case 3:
	case 4:
		ustack_recv(s->socket, data, below(f, sizeof(data)), 0);
		break;
	case 5:
		if (below(f, 30) == 0)
			ustack_shutdown(s->socket, (int)below(f, 3));
		break;
	case 6:
		if (below(f, 60) == 0) {
			ustack_close(s->socket);
			s->socket = NULL;
		}
		break;
	default:
		break;
	}
}

static void bounds(struct fight *f)
{
	const struct us_stack *stack = script_stack(&f->s);
	const struct us_tcp_table *table = stack->tcp;

	if (stack->pkts.used > stack->pkts.count / 2 + 2)
		f->why = "too many packets are held";
	if (table->conns.used > 16 + table->share[US_TCP_SHARE_HALF].most +
				table->share[US_TCP_SHARE_ORPHAN].most)
		f->why = "too many connections";
	audit(f->s.stack, &f->why);
}

/* SYNs from several ports; or the end of the last one's handshake, as it should be
 * or not quite: it may have been answered by a cookie.
 */
static void attack_listener(struct fight *f)
{
	struct script_segment g = { .options_len = -1, .window = 65535,
				    .ecn = (uint8_t)below(f, 4) };
	struct script *s = &f->s;

	s->port = 80;
	s->isn = s->peer_isn = 0;
	if (below(f, 2)) {
		s->peer_port = (uint16_t)(SCRIPT_PEER_PORT + below(f, 8));
		f->syn = g.seq = draw(f);
		g.flags = (uint16_t)(US_TCP_SYN | below(f, 8) << 6);
		g.options_len = 0;
		put_option_fo(f, &g);
		g.len = below(f, 2) ? below(f, 1000) : 0;
	} else {
		g.seq = f->syn + (below(f, 10) ? 1 : below(f, 3));
		g.ack = f->syn_ack + (below(f, 10) ? 1 : below(f, 200));
		g.flags = US_TCP_ACK;
		g.len = below(f, 2) ? below(f, 1000) : 0;
	}
	script_receive(s, &g);
}

static void step(struct fight *f)
{
	const struct us_tcp *tcp;
	int64_t wait = below(f, 4) ? 0 : (int64_t)below(f, 300) * US_MSEC;

	if (below(f, 300) == 0)
		wait = (int64_t)below(f, 100) * US_SEC;
	script_advance(&f->s, f->s.now + wait, false);
	discard(f);
	f->s.full = below(f, 20) ? -1 : (int)below(f, 3);
	tcp = victim(f);
	if (tcp && below(f, 100))
		attack(f, tcp);
	else if (tcp)
		attack_icmp(f, tcp);
	if (f->s.listener && (!tcp || below(f, 50) == 0))
		attack_listener(f);
	act(f);
	ustack_poll(f->s.stack);
	discard(f);
	bounds(f);
}

static bool wanted_to_open(struct fight *f)
{
	struct script *s = &f->s;

	s->lossy = true;
	s->options.rcvbuf = 2000 + (int)below(f, 200000);
	s->options.sndbuf = 2000 + (int)below(f, 200000);
	s->options.nodelay = (int)below(f, 2);
	s->options.ecn = (int)below(f, 4);
	s->options.fastopen = (int)below(f, 2);
	s->options.user_timeout = below(f, 8) ? 0 : 1 + (int)below(f, 100000);
	script_stack(s)->tcp->share[US_TCP_SHARE_HALF].most = below(f, 4);
	script_stack(s)->tcp->share[US_TCP_SHARE_ORPHAN].most = below(f, 4);
	script_stack(s)->tcp->offer = below(f, 3) ? US_TCP_TS | US_TCP_SACK |
		US_TCP_WSCALE : draw(f) & (US_TCP_TS | US_TCP_SACK | US_TCP_WSCALE);
	if (below(f, 2)) {
		s->link.flags |= US_LINK_GSO_TCP;
		s->link.gso_max = 65535;
		s->link.gso_segs = UINT16_MAX;
	}
	if (below(f, 3)) {
		s->options.fastopen = 0;
		s->options.fastqueue = (int)below(f, 4);
		script_call_listen(s, below(f, 4) == 0);
	}
	else
		script_call_connect(s, " = EINPROGRESS");
	return !s->why[0];
}

/* All sockets go; two minutes later everything must be gone. */
static void finish_fight(struct fight *f)
{
	struct script *s = &f->s;
	int64_t end = s->now + 4000 * US_SEC;

	if (s->socket)
		ustack_close(s->socket);
	if (s->listener)
		ustack_close(s->listener);
	s->socket = s->listener = NULL;
	s->full = -1;
	while (s->now < end) {
		script_advance(s, s->now + US_SEC, false);
		discard(f);
	}
	audit_end(s->stack, &f->why);
	if (us_txmem_free_bytes(script_stack(s)->mem) != 4u << 20)
		f->why = "send memory is left";
}

static bool fight(uint64_t seed)
{
	struct fight *f = calloc(1, sizeof(*f));
	bool good;
	int i;

	f->random = seed;
	if (!script_open(&f->s, seed & 1) || !wanted_to_open(f))
		f->why = "no stack";
	for (i = 0; i < STEPS && !f->why && !f->s.why[0]; i++)
		step(f);
	if (!f->why && !f->s.why[0])
		finish_fight(f);
	good = !f->why && !f->s.why[0];
	if (!good)
		printf("# seed %llu, step %d: %s\n", (unsigned long long)seed, i,
		       f->why ? f->why : f->s.why);
	script_end(&f->s);
	free(f);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, seed;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) :
			 argc > 1 ? 1 : RUNS;
	unsigned int failures = 0;

	plan(1);
	for (seed = first; seed < first + count && failures < 10; seed++)
		failures += !fight(seed);
	ok(!failures, "%llu hostile peers", (unsigned long long)count);
	return finish();
}
