// SPDX-License-Identifier: MIT
/*
 * TCP against a peer that is written out segment by segment: what has to be
 * refused, and what has to be sent, when.
 */
#include <errno.h>
#include <netinet/in.h>

#include "host.h"
#include "tap.h"
#include "ustack.h"
#include "wire/tcp.h"

#define OURS		"10.0.0.1"
#define PEER		"10.0.0.2"
#define PORT		80
#define PEER_PORT	4000
#define ISS		1000u	/* the peer's */
#define MS(n)		((n) * US_MSEC)

/**
 * struct segment - one of the peer's
 * @flags: US_TCP_*.
 * @seq: relative to the peer's first sequence number.
 * @ack: relative to ours.
 * @less: than 65535, the window.
 * @ts: TSval, 0: no timestamps.
 * @data: payload.
 * @len: of @data.
 * @spoilt: the checksum is wrong.
 */
struct segment {
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	uint16_t less;
	uint32_t ts;
	const char *data;
	size_t len;
	bool spoilt;
};

static struct ustack *stack;
static struct ustack_socket *listener, *s;
static struct catcher catcher;
static int64_t now;
static uint32_t irs;		/* our first sequence number, as the peer learnt it */

static int64_t clock_now(void *arg)
{
	(void)arg;
	return now;
}

/* ------------------------------------------------------------------- the link */

static void flush_nothing(struct us_link *link)
{
	(void)link;
}

static unsigned int poll_nothing(struct us_link *link, unsigned int budget)
{
	(void)link;
	(void)budget;
	return 0;
}

static void add_link(void)
{
	static struct us_link_ops ops;

	ops = catcher_ops;
	ops.flush = flush_nothing;
	ops.poll = poll_nothing;
	ops.close = flush_nothing;
	memset(&catcher, 0, sizeof(catcher));
	catcher.link.stack = (struct us_stack *)stack;
	catcher.link.ops = &ops;
	catcher.link.mtu = catcher.link.gso_max = 1500;
	catcher.link.mem = catcher.link.stack->mem;
	CDS_INIT_LIST_HEAD(&catcher.link.pending);
	CDS_INIT_LIST_HEAD(&catcher.link.resting);
	cds_list_add_tail(&catcher.link.node, &catcher.link.stack->links);
}

static const struct us_tcp_hdr *sent(unsigned int i)
{
	return (const void *)(catcher.sent[i] + 20);
}

static uint32_t sent_len(unsigned int i)
{
	return catcher.len[i] - 20 - us_tcp_header_len(sent(i));
}

/* Sequence number of a segment that we sent, relative to our first. */
static uint32_t sent_seq(unsigned int i)
{
	return us_get32(sent(i)->seq) - irs;
}

static uint32_t sent_ack(unsigned int i)
{
	return us_get32(sent(i)->ack) - ISS;
}

/* Payload bytes of all that was caught. */
static uint32_t sent_bytes(void)
{
	uint32_t bytes = 0;
	unsigned int i;

	for (i = 0; i < catcher.count; i++)
		bytes += sent_len(i);
	return bytes;
}

/* ------------------------------------------------------------------- the peer */

static size_t write_options(uint8_t *p, const struct segment *seg)
{
	static const uint8_t syn[] = { US_TCP_OPT_MSS, 4, 5, 0xb4 };
	size_t len = 0;
	us_be32 value = us_put32(seg->ts);

	if (seg->flags & US_TCP_SYN) {
		memcpy(p, syn, sizeof(syn));
		len = sizeof(syn);
	}
	if (seg->ts) {
		memcpy(p + len, (uint8_t[]){ 1, 1, US_TCP_OPT_TIMESTAMP, 10 }, 4);
		memcpy(p + len + 4, &value, 4);
		memset(p + len + 8, 0, 4);
		len += 12;
	}
	return len;
}

static void give(const struct segment *seg)
{
	uint8_t tcp[1500] = { 0 }, packet[1500];
	struct us_tcp_hdr *h = (void *)tcp;
	size_t len = US_TCP_LEN + write_options(tcp + US_TCP_LEN, seg);

	*h = (struct us_tcp_hdr) {
		.src = us_put16(PEER_PORT), .dst = us_put16(PORT),
		.seq = us_put32(ISS + seg->seq), .ack = us_put32(irs + seg->ack),
		.offset = (uint8_t)(len / 4 << 4), .flags = seg->flags,
		.window = us_put16((uint16_t)(65535 - seg->less)),
	};
	if (seg->len)
		memcpy(tcp + len, seg->data, seg->len);
	len += seg->len;
	h->csum = us_from_raw16(transport_csum(PEER, OURS, IPPROTO_TCP, tcp,
					       (uint32_t)len));
	h->csum.b[0] ^= seg->spoilt;
	catcher.count = 0;
	inject(&catcher, packet, ip_packet(packet, PEER, OURS, IPPROTO_TCP, tcp,
					   (uint32_t)len));
	ustack_poll(stack);
}

#define peer(...)	give(&(struct segment) { __VA_ARGS__ })

/* Lets time pass, and keeps what is sent meanwhile. */
static void pass(int64_t ns)
{
	int64_t end = now + ns;

	catcher.count = 0;
	for (; now < end; now += MS(1))
		ustack_poll(stack);
	ustack_poll(stack);
}

/* What the application writes, and what is sent at once. */
static void put(const char *data, size_t len)
{
	catcher.count = 0;
	ustack_send(s, data, len, 0);
	ustack_poll(stack);
}

/* --------------------------------------------------------------- a connection */

static void create(void)
{
	const struct ustack_config config = { .clock = clock_now, .seed = 1,
					      .max_sockets = 16 };
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	now = 1000 * US_SEC;
	if (ustack_create(&config, &stack))
		exit(1);
	add_link();
	inet_pton(AF_INET, OURS, &name.sin_addr);
	ustack_address_add(stack, (struct ustack_link *)&catcher.link,
			   (void *)&name, 24);
	listener = ustack_socket(stack, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (ustack_bind(listener, (void *)&name, sizeof(name)) ||
	    ustack_listen(listener, 1))
		exit(1);
}

/* @ts: the peer offers timestamps, beginning with this one. */
static void connection(uint32_t ts)
{
	create();
	irs = 0;
	peer(.flags = US_TCP_SYN, .ts = ts);
	irs = us_get32(sent(0)->seq);
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .ts = ts);
	s = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	if (!s)
		exit(1);
}

static void end(void)
{
	catcher.count = 0;
	ustack_destroy(stack);
}

static uint64_t count_of(enum us_counter counter)
{
	return ((struct us_stack *)stack)->counter[counter];
}

#define counted_one(name)	(count_of(US_COUNT_##name) == 1)

/* What the application can read now: -1: nothing. */
static int readable(void)
{
	char data[4096];

	return (int)ustack_recv(s, data, sizeof(data), MSG_DONTWAIT);
}

/* Is it still there? */
static bool alive(void)
{
	peer(.flags = US_TCP_ACK | US_TCP_PSH, .seq = 1, .ack = 1, .data = "x", .len = 1);
	return readable() == 1;
}

/* ------------------------------------------------------------- what is refused */

static void handshake(void)
{
	create();
	irs = 0;
	peer(.flags = US_TCP_SYN);
	ok(catcher.count == 1 && sent(0)->flags == (US_TCP_SYN | US_TCP_ACK) &&
	   sent_ack(0) == 1, "SYN is answered by SYN and ACK");
	irs = us_get32(sent(0)->seq);
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 2);
	ok(catcher.count == 1 && (sent(0)->flags & US_TCP_RST) &&
	   !ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK),
	   "an ACK of what was not sent is answered by RST");
	end();
}

static void checksum(void)
{
	connection(0);
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .data = "bad", .len = 3, .spoilt = true);
	ok(!catcher.count && readable() == -1 && counted_one(tcp_bad_csum),
	   "a wrong checksum: dropped and counted");
	end();
}

static void paws(void)
{
	connection(5000);
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .ts = 4999, .data = "old", .len = 3);
	ok(readable() == -1 && counted_one(tcp_paws), "PAWS: an old timestamp");
	ok(catcher.count == 1 && sent_ack(0) == 1, "PAWS: is answered by an ACK");
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .ts = 5000, .data = "new", .len = 3);
	ok(readable() == 3, "PAWS: the same timestamp again is none");
	end();
}

static void resets(void)
{
	connection(0);
	peer(.flags = US_TCP_RST, .seq = 2);
	ok(catcher.count == 1 && sent_ack(0) == 1 && counted_one(tcp_rst_ignored) &&
	   alive(), "RST somewhere in the window: a challenge");
	end();
	connection(0);
	peer(.flags = US_TCP_RST, .seq = 1u - 5);
	ok(!catcher.count && alive(), "RST outside of the window: nothing");
	end();
	connection(0);
	peer(.flags = US_TCP_RST, .seq = 1);
	ok(readable() == -1 && errno == ECONNRESET, "RST at its place: reset");
	end();
}

static void syn_again(void)
{
	connection(0);
	peer(.flags = US_TCP_SYN, .seq = 1);
	ok(catcher.count == 1 && sent(0)->flags == US_TCP_ACK && alive(),
	   "SYN into a connection: a challenge");
	end();
}

static void ack_beyond(void)
{
	connection(0);
	put("hello", 5);
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 7);
	ok(counted_one(tcp_bad_ack), "an ACK of what was not sent");
	pass(US_SEC * 3);
	ok(catcher.count && sent_seq(0) == 1 && sent_len(0) == 5,
	   "does not count: it is sent again");
	end();
}

/* Nobody reads, and the peer goes on regardless. */
static void beyond_window(void)
{
	char data[1400] = { 0 };
	uint32_t at = 1;
	int got = 0, n, size = 32768;

	connection(0);
	ustack_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (; at < 400000; at += sizeof(data))
		peer(.flags = US_TCP_ACK, .seq = at, .ack = 1, .data = data,
		     .len = sizeof(data));
	ok(count_of(US_COUNT_tcp_out_of_window) > 10, "data beyond the window");
	while ((n = readable()) > 0)
		got += n;
	ok(got > 16384 && got < 150000, "is not taken (%d bytes were)", got);
	end();
}

/* ------------------------------------------------------------ what is received */

static void reassembly(void)
{
	char data[16] = { 0 };

	connection(0);
	peer(.flags = US_TCP_ACK, .seq = 4, .ack = 1, .data = "de", .len = 2);
	ok(readable() == -1 && catcher.count == 1 && sent_ack(0) == 1,
	   "out of order: an ACK at once, nothing to read");
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .data = "abcX", .len = 3);
	ok(ustack_recv(s, data, sizeof(data), MSG_DONTWAIT) == 5 &&
	   !strcmp(data, "abcde"), "the gap is filled");
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .data = "abcdefg", .len = 7);
	memset(data, 0, sizeof(data));
	ok(ustack_recv(s, data, sizeof(data), MSG_DONTWAIT) == 2 &&
	   !strcmp(data, "fg"), "what came before is not read twice");
	end();
}

static void fin(void)
{
	connection(0);
	peer(.flags = US_TCP_ACK | US_TCP_FIN, .seq = 3, .ack = 1, .data = "c", .len = 1);
	ok(readable() == -1, "FIN ahead of data does not end the stream");
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .data = "ab", .len = 2);
	ok(readable() == 3 && readable() == 0, "FIN in its place does");
	ok(catcher.count == 1 && sent_ack(0) == 5, "and is acknowledged");
	end();

	connection(0);
	peer(.flags = US_TCP_ACK | US_TCP_FIN, .seq = 3, .ack = 1, .data = "c", .len = 1);
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1, .data = "abcde", .len = 5);
	ok(readable() == 3 && readable() == 0, "nothing is taken beyond it");
	end();
}

/* -------------------------------------------------------------- what is sent */

static void window(void)
{
	char data[8000] = { 0 };

	connection(0);
	alive();	/* a window that shrinks is believed only with a new sequence number */
	peer(.flags = US_TCP_ACK, .seq = 2, .ack = 1, .less = 65535 - 3000);
	put(data, sizeof(data));
	ok(sent_bytes() <= 3000 && sent_bytes() >= 1460,
	   "no more than the window (%u bytes)", sent_bytes());
	peer(.flags = US_TCP_ACK, .seq = 2, .ack = 1 + sent_bytes(), .less = 65535);
	ok(!sent_bytes(), "a closed window: nothing");
	pass(10 * US_SEC);
	ok(catcher.count && sent_bytes() <= 1 && count_of(US_COUNT_tcp_zero_window_probe),
	   "a closed window is probed");
	end();
}

static void timeout(void)
{
	connection(0);
	put("hello", 5);
	ok(catcher.count == 1 && sent_len(0) == 5, "sent");
	pass(US_SEC * 3);
	ok(catcher.count && sent_seq(0) == 1 && sent_len(0) == 5,
	   "not acknowledged: sent again");
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 6);
	pass(30 * US_SEC);
	ok(!catcher.count, "acknowledged: not again");
	end();
}

static void backs_off(void)
{
	connection(0);
	put("hello", 5);
	pass(20 * US_SEC);
	ok(catcher.count >= 4 && catcher.count <= 8,
	   "repetitions become rarer (%u in 20 s)", catcher.count);
	end();
}

/* Three duplicate ACKs, without timestamps and SACK: RFC 5681 3.2. */
static void fast_retransmit(void)
{
	char data[5 * 1460] = { 0 };
	int i;

	connection(0);
	put(data, sizeof(data));
	ok(sent_bytes() == sizeof(data), "five segments");
	for (i = 0; i < 2; i++)
		peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1);
	ok(!sent_bytes(), "two duplicate ACKs: nothing");
	peer(.flags = US_TCP_ACK, .seq = 1, .ack = 1);
	ok(catcher.count && sent_seq(0) == 1 && sent_len(0) == 1460,
	   "the third: the first segment again");
	end();
}

static void slow_start(void)
{
	char data[30 * 1460] = { 0 };

	connection(0);
	put(data, sizeof(data));
	ok(sent_bytes() == 10 * 1460, "ten segments to begin with (%u bytes)",
	   sent_bytes());
	end();
}

static void delayed_ack(void)
{
	int i;

	connection(0);
	/* Past the quick ACKs of the beginning. */
	for (i = 0; i < 40; i++)
		peer(.flags = US_TCP_ACK, .seq = 1 + (uint32_t)i, .ack = 1, .data = "x",
		     .len = 1);
	pass(MS(100));
	peer(.flags = US_TCP_ACK, .seq = 41, .ack = 1, .data = "x", .len = 1);
	ok(!catcher.count, "an ACK waits for company");
	pass(MS(45));
	ok(catcher.count == 1 && sent_ack(0) == 42, "but not for long");
	end();
}

/* ----------------------------------------------------------------------- UDP */

static void datagram(struct ustack_socket *udp, uint16_t csum, bool right,
		     bool heard, const char *name)
{
	uint8_t body[12] = { 0x10, 0x00, 0, 7, 0, 12, 0, 0, 'd', 'a', 't', 'a' };
	uint8_t packet[64];
	char data[8];

	if (right)
		csum = transport_csum(PEER, OURS, IPPROTO_UDP, body, 12);
	memcpy(body + 6, &csum, 2);
	inject(&catcher, packet, ip_packet(packet, PEER, OURS, IPPROTO_UDP, body, 12));
	ustack_poll(stack);
	ok((ustack_recv(udp, data, sizeof(data), MSG_DONTWAIT) == 4) == heard, "%s", name);
}

static void datagrams(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct ustack_socket *udp;

	create();
	udp = ustack_socket(stack, AF_INET, SOCK_DGRAM, 0);
	ustack_bind(udp, (void *)&name, sizeof(name));
	datagram(udp, 0, true, true, "UDP: a right checksum");
	datagram(udp, 0, false, true, "UDP: none, as IPv4 allows");
	datagram(udp, 0x1234, false, false, "UDP: a wrong checksum");
	ok(counted_one(udp_bad_csum), "is counted");
	end();
}

int main(void)
{
	plan(0);
	handshake();
	checksum();
	paws();
	resets();
	syn_again();
	ack_beyond();
	beyond_window();
	reassembly();
	fin();
	window();
	timeout();
	backs_off();
	fast_retransmit();
	slow_start();
	delayed_ack();
	datagrams();
	return finish();
}
