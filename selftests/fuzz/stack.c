// SPDX-License-Identifier: MIT
/*
 * A whole stack under fire: a listener, an accepted connection, one that is being
 * opened, and UDP sockets live on it while the fuzzer is the network, the peer,
 * the clock and the application.
 *
 * Input: a byte of settings, then operations: a byte and its arguments. Segments
 * of the peer are built here, so that the fuzzer need not find ports, sequence
 * numbers and checksums by itself; it can inject raw packets as well.
 *
 * Beyond memory errors: every packet sent is well formed (wire.h), bytes arrive
 * in order and unchanged in both directions, no state follows that RFC 9293 forbids,
 * TCP's books are right, and all memory is given back.
 *
 * To make a stack takes longer than to run most inputs.  So one lives for many of
 * them, each with sockets of its own, and nothing may be left of an input when the
 * next begins.  An input that fails with a stack of its own only after others is
 * shown by the whole corpus; see FRESH.
 */
#include <errno.h>
#include <poll.h>

#include "socket/socket.h"
#include "tcp_audit.h"
#include "wire.h"

#define OURS4		"\x0a\x00\x00\x01"
#define PEER4		"\x0a\x00\x00\x02"
#define OURS6		"\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
#define PEER6		"\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
#define HTTP		80
#define ECHO		7
#define PEER_PORT	4000	/* of the connection that we accepted */
#define SERVER_PORT	5000	/* of the connection that we open */
#define OPERATIONS	200
#define FRESH		64	/* inputs that share a stack */
#define SETTLED		(4000 * US_SEC)	/* then nothing may be left */

/**
 * struct flow - a TCP connection as the peer sees it
 * @ours: port of the stack's end, 0: not known yet.
 * @theirs: the peer's port.
 * @v6: over IPv6.
 * @ts: the peer sends timestamps.
 * @iss: the peer's first sequence number.
 * @snd: the next one that the stack expects.
 * @irs: the stack's first.
 * @rcv: the next one that the peer expects.
 * @tsval: the stack's last.
 * @got: bytes that the application has read.
 * @wrote: bytes that it has written.
 * @socket: the stack's end, or NULL.
 * @state: of the connection, when last looked at.
 */
struct flow {
	uint16_t ours;
	uint16_t theirs;
	bool v6;
	bool ts;
	uint32_t iss;
	uint32_t snd;
	uint32_t irs;
	uint32_t rcv;
	uint32_t tsval;
	uint32_t got;
	uint32_t wrote;
	struct ustack_socket *socket;
	uint8_t state;
};

/**
 * struct world - it all
 * @stack: under test.
 * @wire: its link.
 * @now: its time.
 * @flow: the accepted connection, and the one that is opened.
 * @listener: TCP, both families.
 * @udp: alike.
 * @inlined: the urgent byte stays in its place.
 * @raw: raw packets were injected, or an urgent byte was taken out: who knows what the
 *	streams hold.
 * @inputs: that this stack has seen.
 */
static struct world {
	struct ustack *stack;
	struct wire wire;
	int64_t now;
	struct flow flow[2];
	struct ustack_socket *listener[2];
	struct ustack_socket *udp[2];
	bool inlined;
	bool raw;
	unsigned int inputs;
} world;

static int64_t clock_now(void *arg)
{
	(void)arg;
	return world.now;
}

static uint8_t pattern(uint32_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ 0x5a);
}

/* ------------------------------------------------------------- what is sent */

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

/* What the stack sends is what its application wrote, at the right place. */
static void check_payload(const struct flow *flow, uint32_t seq,
			  const uint8_t *data, uint32_t len)
{
	uint32_t at = seq - flow->irs - 1, i;

	must(!len || (at < flow->wrote && len <= flow->wrote - at));
	for (i = 0; i < len; i++)
		must(data[i] == pattern(at + i));
}

static void sent_segment(struct flow *flow, const uint8_t *tcp, uint8_t flags,
			 const uint8_t *payload, uint32_t len)
{
	uint32_t seq = get32(tcp + 4), end = seq + len;

	if (flags & US_TCP_RST)
		return;
	if (flags & US_TCP_SYN) {
		flow->irs = flow->rcv = seq;
		flow->ours = (uint16_t)(tcp[0] << 8 | tcp[1]);
	} else {
		check_payload(flow, seq, payload, len);
	}
	end += !!(flags & US_TCP_SYN) + !!(flags & US_TCP_FIN);
	if ((int32_t)(end - flow->rcv) > 0)
		flow->rcv = end;
	if (flags & US_TCP_ACK)
		flow->snd = get32(tcp + 8);
	if (payload - tcp >= 32 && get32(tcp + 20) == 0x0101080a)
		flow->tsval = get32(tcp + 24);
}

static void sent(const uint8_t *data, uint32_t len, const struct nc_headers *h,
		 const struct nc_key *key)
{
	bool v6 = key->family == AF_INET6;
	int i;

	must(!memcmp(key->local.b, v6 ? OURS6 : OURS4, v6 ? 16 : 4));
	if (key->protocol != IPPROTO_TCP)
		return;
	for (i = 0; i < 2; i++) {
		struct flow *flow = &world.flow[i];

		if (flow->v6 == v6 && key->remote_port == htons(flow->theirs) &&
		    (!flow->ours || key->local_port == htons(flow->ours)))
			sent_segment(flow, data + h->transport, h->tcp_flags,
				     data + h->payload, len - h->payload);
	}
}

/* -------------------------------------------------------------- what arrives */

static uint32_t ip_header(uint8_t *p, bool v6, uint8_t protocol, uint32_t len)
{
	if (v6) {
		memset(p, 0, 40);
		p[0] = 0x60;
		put16(p + 4, len);
		p[6] = protocol;
		p[7] = 64;
		memcpy(p + 8, PEER6, 16);
		memcpy(p + 24, OURS6, 16);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, 20 + len);
	p[8] = 64;
	p[9] = protocol;
	memcpy(p + 12, PEER4, 4);
	memcpy(p + 16, OURS4, 4);
	return 20;
}

static void arrive(uint8_t *packet, uint32_t len)
{
	wire_checksums(packet, len);
	wire_inject(&world.wire, packet, len);
}

/**
 * struct segment - what a segment of the peer is to be
 * @seq: relative to what the stack expects.
 * @ack: relative to what it sent last.
 * @flags: of TCP.
 * @window: not scaled.
 * @options: a multiple of 4 bytes.
 * @options_len: of @options.
 * @len: bytes of payload.
 */
struct segment {
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint16_t window;
	uint8_t options[40];
	uint32_t options_len;
	uint32_t len;
};

static uint32_t tcp_header(uint8_t *p, const struct flow *flow,
			   const struct segment *s)
{
	put16(p, flow->theirs);
	put16(p + 2, flow->ours);
	put32(p + 4, flow->snd + s->seq);
	put32(p + 8, flow->rcv + s->ack);
	p[12] = (uint8_t)((20 + s->options_len) / 4 << 4);
	p[13] = s->flags;
	put16(p + 14, s->window);
	put32(p + 16, 0);
	memcpy(p + 20, s->options, s->options_len);
	return 20 + s->options_len;
}

/* The payload is always what stands at that place of the peer's stream. */
static void send_segment(const struct flow *flow, const struct segment *s)
{
	uint32_t at = flow->snd + s->seq - flow->iss - 1 + !!(s->flags & US_TCP_SYN);
	uint8_t packet[WIRE_MTU + 100];
	uint32_t len, i;

	len = ip_header(packet, flow->v6, IPPROTO_TCP, 20 + s->options_len + s->len);
	len += tcp_header(packet + len, flow, s);
	for (i = 0; i < s->len; i++)
		packet[len++] = pattern(at + i);
	arrive(packet, len);
}

static void add_timestamps(struct segment *s, const struct flow *flow, int8_t delta)
{
	uint8_t *p = s->options + s->options_len;

	put32(p, 0x0101080a);
	put32(p + 4, (uint32_t)(world.now >> 20) + (uint32_t)delta);
	put32(p + 8, flow->tsval);
	s->options_len += 12;
}

/* --------------------------------------------------------------- operations */

static void op_segment(struct input *in, struct flow *flow)
{
	struct segment s = { .flags = take8(in) };
	uint8_t shape = take8(in);
	const uint8_t *options;
	size_t len;

	/* The peer's first sequence number stands: the pattern counts from it. */
	if ((shape & 1) && flow->snd != flow->iss)
		s.seq = (uint32_t)(int16_t)take16(in);
	if (shape & 2)
		s.ack = (uint32_t)(int16_t)take16(in);
	s.window = shape & 4 ? take16(in) : 0xffff;
	if ((s.flags & US_TCP_URG) && !world.inlined)
		world.raw = true;
	if (shape & 8)
		s.len = take16(in) % 1401;
	if (flow->ts && !(shape & 16))
		add_timestamps(&s, flow, shape & 32 ? (int8_t)take8(in) : 0);
	if (shape & 64) {
		options = take(in, 28, &len);
		memcpy(s.options + s.options_len, options, len);
		s.options_len += (uint32_t)(len + 3) & ~3u;
	}
	send_segment(flow, &s);
}

/* Any packet; mostly between the right addresses, with right checksums. */
static void op_raw(struct input *in)
{
	uint8_t packet[WIRE_MTU], shape = take8(in);
	const uint8_t *data;
	bool v6;
	size_t len;

	data = take(in, take16(in) % (WIRE_MTU + 1), &len);
	memcpy(packet, data, len);
	v6 = len && packet[0] >> 4 == 6;
	if ((shape & 1) && len >= (v6 ? 40 : 20)) {
		memcpy(packet + (v6 ? 8 : 12), v6 ? PEER6 : PEER4, v6 ? 16 : 4);
		memcpy(packet + (v6 ? 24 : 16), v6 ? OURS6 : OURS4, v6 ? 16 : 4);
	}
	world.raw = true;
	if (shape & 2)
		arrive(packet, (uint32_t)len);
	else
		wire_inject(&world.wire, packet, (uint32_t)len);
}

static void op_datagram(struct input *in)
{
	uint8_t packet[WIRE_MTU + 100], shape = take8(in);
	uint32_t payload = take16(in) % 1401, at;

	at = ip_header(packet, shape & 1, IPPROTO_UDP, 8 + payload);
	put16(packet + at, shape & 2 ? take16(in) : 9);
	put16(packet + at + 2, shape & 4 ? take16(in) : ECHO);
	put16(packet + at + 4, 8 + payload);
	memset(packet + at + 8, shape, payload);
	arrive(packet, at + 8 + payload);
}

/* An ICMP error that quotes a segment of ours. */
static void op_error(struct input *in, const struct flow *flow)
{
	uint8_t packet[128] = { 0 }, type = take8(in), code = take8(in);
	uint32_t at, inner;

	at = ip_header(packet, flow->v6, flow->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		       8 + (flow->v6 ? 40 : 20) + 8);
	packet[at] = type;
	packet[at + 1] = code;
	put32(packet + at + 4, take16(in));
	inner = at + 8;
	inner += ip_header(packet + inner, flow->v6, IPPROTO_TCP, 20);
	memcpy(packet + at + 8 + (flow->v6 ? 8 : 12), flow->v6 ? OURS6 : OURS4,
	       flow->v6 ? 16 : 4);
	memcpy(packet + at + 8 + (flow->v6 ? 24 : 16), flow->v6 ? PEER6 : PEER4,
	       flow->v6 ? 16 : 4);
	put16(packet + inner, flow->ours);
	put16(packet + inner + 2, flow->theirs);
	put32(packet + inner + 4, flow->rcv + (uint32_t)(int8_t)take8(in));
	arrive(packet, inner + 8);
}

static void op_time(struct input *in)
{
	world.now += (int64_t)1000 << take8(in) % 28;
}

/* What the application reads is what the peer sent. */
static void app_read(struct flow *flow, uint32_t most)
{
	uint8_t data[4096];
	ssize_t n = ustack_recv(flow->socket, data, most % sizeof(data), MSG_DONTWAIT);
	ssize_t i;

	must(n <= (ssize_t)(most % sizeof(data)));
	for (i = 0; i < n && !world.raw; i++)
		must(data[i] == pattern(flow->got++));
}

static void app_write(struct flow *flow, uint32_t most)
{
	uint8_t data[4096];
	uint32_t i, len = most % sizeof(data);
	ssize_t n;

	for (i = 0; i < len; i++)
		data[i] = pattern(flow->wrote + i);
	/* What is sent from within the call is of this write, too. */
	flow->wrote += len;
	n = ustack_send(flow->socket, data, len, MSG_DONTWAIT);
	must(n <= (ssize_t)len);
	flow->wrote -= n > 0 ? len - (uint32_t)n : len;
}

static void close_socket(struct ustack_socket **socket)
{
	if (*socket)
		ustack_close(*socket);
	*socket = NULL;
}

static void app_option(struct flow *flow, uint8_t which)
{
	static const int names[][2] = {
		{ IPPROTO_TCP, 1 /* TCP_NODELAY */ }, { IPPROTO_TCP, 3 /* TCP_CORK */ },
		{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_RCVBUF },
		{ SOL_SOCKET, SO_SNDBUF },
	};
	int value = which & 0x80 ? 1 : 0, i = which % 5;

	if (i >= 3)
		value = which << 6;
	ustack_setsockopt(flow->socket, names[i][0], names[i][1], &value,
			  sizeof(value));
}

static void op_app(struct input *in, struct flow *flow)
{
	uint8_t what = take8(in);

	if (!flow->socket)
		return;
	switch (what % 6) {
	case 0:
		app_read(flow, take16(in));
		break;
	case 1:
		app_write(flow, take16(in));
		break;
	case 2:
		ustack_shutdown(flow->socket, what & 0x80 ? SHUT_RD : SHUT_WR);
		break;
	case 3:
		close_socket(&flow->socket);
		break;
	case 4:
		app_option(flow, take8(in));
		break;
	default:
		app_read(flow, 4095);
	}
}

/* The rest of the application: accepts and closes, answers datagrams. */
static void op_serve(uint8_t which)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct ustack_socket *socket;
	uint8_t data[2048];
	ssize_t n;

	socket = ustack_accept(world.listener[which & 1], NULL, NULL, SOCK_NONBLOCK);
	if (socket)
		ustack_close(socket);
	n = ustack_recvfrom(world.udp[which & 1], data, sizeof(data), MSG_DONTWAIT,
			    (struct sockaddr *)&from, &len);
	if (n >= 0 && (which & 2))
		ustack_sendto(world.udp[which & 1], data, (size_t)n, MSG_DONTWAIT,
			      (struct sockaddr *)&from, len);
}

/* What an audit found. */
static void must_be_right(const char *why)
{
	if (why)
		must_fail(why, __FILE__, __LINE__);
}

#define BIT(state)	(1u << TCP_##state)
#define CLOSED		BIT(CLOSE)
#define ACTIVE_CLOSED	(CLOSED | BIT(TIME_WAIT))
#define PASSIVE_CLOSED	(CLOSED | BIT(LAST_ACK))
#define FIN_WAITS	(ACTIVE_CLOSED | BIT(FIN_WAIT1) | BIT(FIN_WAIT2) | BIT(CLOSING))
#define OPEN		(FIN_WAITS | PASSIVE_CLOSED | BIT(CLOSE_WAIT) | BIT(ESTABLISHED))

/* What may come of a state in any number of steps (RFC 9293, figure 5). */
static const uint32_t may_follow[] = {
	[TCP_SYN_SENT] = OPEN | BIT(SYN_SENT) | BIT(SYN_RECV),
	[TCP_SYN_RECV] = OPEN | BIT(SYN_RECV),
	[TCP_ESTABLISHED] = OPEN,
	[TCP_FIN_WAIT1] = FIN_WAITS,
	[TCP_FIN_WAIT2] = ACTIVE_CLOSED | BIT(FIN_WAIT2),
	[TCP_CLOSING] = ACTIVE_CLOSED | BIT(CLOSING),
	[TCP_CLOSE_WAIT] = PASSIVE_CLOSED | BIT(CLOSE_WAIT),
	[TCP_LAST_ACK] = PASSIVE_CLOSED,
	[TCP_TIME_WAIT] = ACTIVE_CLOSED,
	[TCP_CLOSE] = CLOSED,
};

static void check(struct flow *flow)
{
	const struct us_tcp *tcp = flow->socket ? flow->socket->tcp : NULL;
	uint8_t state = tcp ? tcp->state : TCP_CLOSE;
	const char *why = NULL;

	if (!flow->socket)
		return;
	if (flow->state)
		must(may_follow[flow->state] & 1u << state);
	flow->state = state;
	if (state != TCP_CLOSE)
		audit_connection(tcp, &why);
	must_be_right(why);
}

static void operation(struct input *in)
{
	uint8_t op = take8(in);
	struct flow *flow = &world.flow[op >> 3 & 1];
	int rounds = 8;

	switch (op & 7) {
	case 0:
	case 1:
		op_segment(in, flow);
		break;
	case 2:
		op_raw(in);
		break;
	case 3:
		op_datagram(in);
		break;
	case 4:
		op_error(in, flow);
		break;
	case 5:
		op_time(in);
		break;
	case 6:
		op_app(in, flow);
		break;
	default:
		op_serve(op >> 4);
	}
	while (rounds-- && !ustack_poll(world.stack))
		;
	check(&world.flow[0]);
	check(&world.flow[1]);
}

/* -------------------------------------------------------------------- set up */

union name {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union name name_of(bool v6, const char *four, const char *six, uint16_t port)
{
	union name name = { 0 };

	if (v6) {
		name.v6.sin6_family = AF_INET6;
		name.v6.sin6_port = htons(port);
		memcpy(&name.v6.sin6_addr, six, 16);
	} else {
		name.v4.sin_family = AF_INET;
		name.v4.sin_port = htons(port);
		memcpy(&name.v4.sin_addr, four, 4);
	}
	return name;
}

static struct ustack_socket *bound(bool v6, int type, uint16_t port)
{
	union name name = name_of(v6, OURS4, OURS6, port);
	struct ustack_socket *s;

	s = ustack_socket(world.stack, name.sa.sa_family, type | SOCK_NONBLOCK, 0);
	must(s && !ustack_bind(s, &name.sa, sizeof(name)));
	return s;
}

static void add_addresses(void)
{
	int v6;

	for (v6 = 0; v6 < 2; v6++) {
		union name name = name_of(v6, OURS4, OURS6, 0);

		must(!ustack_address_add(world.stack,
					 (struct ustack_link *)&world.wire.link,
					 &name.sa, v6 ? 64 : 24));
	}
}

static void create_sockets(void)
{
	int v6;

	for (v6 = 0; v6 < 2; v6++) {
		world.listener[v6] = bound(v6, SOCK_STREAM, HTTP);
		must(!ustack_listen(world.listener[v6], 2));
		world.udp[v6] = bound(v6, SOCK_DGRAM, ECHO);
	}
}

/* The peer connects, with the options that the settings name. */
static void open_first(struct flow *flow, uint8_t settings)
{
	static const uint8_t options[] = {
		2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7
	};
	struct segment syn = { .flags = US_TCP_SYN, .window = 0xffff };
	struct segment ack = { .flags = US_TCP_ACK, .window = 0xffff };

	*flow = (struct flow) {
		.ours = HTTP, .theirs = PEER_PORT, .v6 = settings & 1,
		.ts = settings & 2, .iss = 0xfffff000, .snd = 0xfffff000,
	};
	if (flow->ts) {
		memcpy(syn.options, options, sizeof(options));
		syn.options_len = sizeof(options);
	}
	send_segment(flow, &syn);
	ustack_poll(world.stack);
	must(flow->snd == flow->iss + 1);
	if (flow->ts)
		add_timestamps(&ack, flow, 0);
	send_segment(flow, &ack);
	ustack_poll(world.stack);
	flow->socket = ustack_accept(world.listener[flow->v6], NULL, NULL, SOCK_NONBLOCK);
	must(flow->socket);
}

/* The stack connects; the fuzzer may answer. */
static void open_second(struct flow *flow, uint8_t settings)
{
	union name name;

	*flow = (struct flow) {
		.theirs = SERVER_PORT, .v6 = settings & 4, .iss = 0x1000, .snd = 0x1000,
	};
	name = name_of(flow->v6, PEER4, PEER6, SERVER_PORT);
	flow->socket = ustack_socket(world.stack, name.sa.sa_family,
				     SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(flow->socket);
	must(ustack_connect(flow->socket, &name.sa, sizeof(name)) < 0 &&
	     errno == EINPROGRESS);
	ustack_poll(world.stack);
	must(flow->ours);
}

static void create(void)
{
	const struct ustack_config config = {
		.clock = clock_now, .seed = 1, .max_sockets = 16,
		.max_packets = 64, .send_memory = 1 << 19,
	};

	memset(&world, 0, sizeof(world));
	world.now = 1000000000000;
	world.wire.sent = sent;
	must(!ustack_create(&config, &world.stack));
	wire_add(&world.wire, (struct us_stack *)world.stack);
	add_addresses();
}

static void open_all(uint8_t settings)
{
	int on = !!(settings & 8), i;

	world.raw = false;
	world.inlined = on;
	create_sockets();
	open_first(&world.flow[0], settings);
	open_second(&world.flow[1], settings);
	for (i = 0; i < 2; i++)
		must(!ustack_setsockopt(world.flow[i].socket, SOL_SOCKET, SO_OOBINLINE,
					&on, sizeof(on)));
}

/* In an orderly way, or with RST. */
static void close_all(bool orderly)
{
	const struct linger linger = { .l_onoff = 1 };
	int i;

	for (i = 0; i < 2; i++) {
		if (world.flow[i].socket && !orderly)
			ustack_setsockopt(world.flow[i].socket, SOL_SOCKET, SO_LINGER,
					  &linger, sizeof(linger));
		close_socket(&world.flow[i].socket);
		close_socket(&world.listener[i]);
		close_socket(&world.udp[i]);
	}
}

/* The peer is gone: all ends by itself. */
static void settle(void)
{
	const struct us_tcp_table *table = ((struct us_stack *)world.stack)->tcp;
	int64_t end = world.now + SETTLED, next;
	const char *why = NULL;

	do {
		next = ustack_poll(world.stack);
		world.now += next > 0 && next < SETTLED ? next : US_MSEC;
	} while ((table->conns.used || table->wait_pool.used) && world.now < end);
	audit_end(world.stack, &why);
	must_be_right(why);
}

/* Pools have megabytes: what the sanitizer has mapped for them it should keep. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "clear_shadow_mmap_threshold=1073741824:quarantine_size_mb=1";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int n;

	if (!world.stack)
		create();
	open_all(take8(&in));
	for (n = 0; n < OPERATIONS && in.left; n++)
		operation(&in);
	if (++world.inputs < FRESH) {
		close_all(size & 1);
		settle();
		return 0;
	}
	if (size & 1)	/* or not at all */
		close_all(true);
	ustack_destroy(world.stack);
	world.stack = NULL;
	return 0;
}
