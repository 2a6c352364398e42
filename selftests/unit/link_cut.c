// SPDX-License-Identifier: MIT
/* link/cut.c against packets that are built one by one, and the pipe that cuts with it */
#include "core/random.h"
#include "host.h"
#include "link/cut.h"
#include "link/link.h"
#include "tap.h"
#include "wire/tcp.h"

#define LONGEST		65535u	/* an IP packet */
#define GUARD		64u	/* bytes behind a packet, that stay */
#define HEADERS_MAX	100u

/**
 * struct whole - a super-segment
 * @six: IPv6.
 * @options: bytes of TCP options.
 * @flags: of TCP.
 * @ae: US_TCP_AE or 0.
 * @ecn: two bits of IP.
 * @size: payload of a segment.
 * @len: payload of all.
 * @seq: sequence number.
 * @part: payload of the first two fragments; 0: it is not there.
 * @id: identification of IPv4.
 */
struct whole {
	bool six;
	uint32_t options;
	uint8_t flags;
	uint8_t ae;
	uint8_t ecn;
	uint32_t size;
	uint32_t len;
	uint32_t seq;
	uint32_t part[US_TX_FRAGS - 1];
	uint16_t id;
};

static struct us_txmem *mem;
static struct us_random dice;
static uint8_t payload[LONGEST];

/* ---------------------------------------------------------------- as it should be */

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* RFC 1071 read aloud, goes on from @sum. */
static uint16_t plain(const uint8_t *data, size_t len, uint64_t sum)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint64_t)(data[i] << 8 | data[i + 1]);
	if (len & 1)
		sum += (uint64_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t ip_len(const struct whole *w)
{
	return w->six ? 40 : 20;
}

static uint32_t header_len(const struct whole *w)
{
	return ip_len(w) + 20 + w->options;
}

/* The IP header of @len bytes of TCP. */
static void put_ip(const struct whole *w, uint8_t *ip, uint32_t len)
{
	static const uint8_t six[40] = {
		0x60, 0x08, 0xca, 0xfe, [6] = 6, 64, 0xfd, [23] = 1, 0xfd, [39] = 2
	};
	static const uint8_t four[20] = {
		0x45, 0xb8, [6] = 0x40, [8] = 64, 6, [12] = 10, 0, 0, 1, 10, 0, 0, 2
	};

	if (w->six) {
		memcpy(ip, six, sizeof(six));
		ip[1] |= (uint8_t)(w->ecn << 4);
		put16(ip + 4, len);
		return;
	}
	memcpy(ip, four, sizeof(four));
	ip[1] |= w->ecn;
	put16(ip + 2, 20 + len);
	put16(ip + 4, w->id);
	put16(ip + 10, (uint16_t)~plain(ip, 20, 0));
}

/* The TCP header of the segment at @offset of the payload, without its checksum. */
static void put_tcp(const struct whole *w, uint8_t *tcp, uint32_t offset, uint8_t flags)
{
	uint32_t i;

	put16(tcp, 40000);
	put16(tcp + 2, 7);
	put32(tcp + 4, w->seq + offset);
	put32(tcp + 8, 0x89abcdef);
	tcp[12] = (uint8_t)((20 + w->options) << 2 | w->ae);
	tcp[13] = flags;
	put16(tcp + 14, 501);
	put32(tcp + 16, 0);
	for (i = 0; i < w->options; i++)
		tcp[20 + i] = (uint8_t)(0xf1 + 7 * i);
}

/* Sum of the pseudo header. */
static uint16_t pseudo_sum(const struct whole *w, const uint8_t *ip, uint32_t len)
{
	uint8_t pseudo[40] = { 0 };
	uint32_t n = w->six ? 32 : 8;

	memcpy(pseudo, ip + ip_len(w) - n, n);
	put32(pseudo + n, len);
	pseudo[n + 7] = 6;
	return plain(pseudo, n + 8, 0);
}

/* What is said once is said where it belongs (RFC 3168 6.1.2: CWR in the first one). */
static uint8_t flags_at(const struct whole *w, uint32_t offset)
{
	uint8_t flags = w->flags;

	if (offset)
		flags &= (uint8_t)~US_TCP_CWR;
	if (offset + w->size < w->len)
		flags &= (uint8_t)~(US_TCP_PSH | US_TCP_FIN);
	return flags;
}

/* The packet with the payload from @offset on; gives its length. */
static uint32_t put_packet(const struct whole *w, uint32_t offset, uint8_t *out)
{
	uint32_t size = w->len - offset < w->size ? w->len - offset : w->size;
	uint32_t len = 20 + w->options + size;
	uint8_t *tcp = out + ip_len(w);

	put_ip(w, out, len);
	put_tcp(w, tcp, offset, flags_at(w, offset));
	memcpy(out + header_len(w), payload + offset, size);
	put16(tcp + 16, (uint16_t)~plain(tcp, len, pseudo_sum(w, out, len)));
	return ip_len(w) + len;
}

/* ----------------------------------------------------------------------- as it is */

static void add_fragment(struct us_tx *tx, uint32_t done, uint32_t len, uint32_t offset)
{
	struct us_chunk *chunk = us_chunk_alloc(mem, offset + len);

	if (!chunk || chunk->size < offset + len)
		abort();
	memset(chunk->data, 0xa5, chunk->size);
	memcpy(chunk->data + offset, payload + done, len);
	tx->frag[tx->nr_frags++] = (struct us_frag){ chunk, offset, len };
}

/* Payload by reference, each fragment at another offset of its chunk. */
static void add_payload(const struct whole *w, struct us_tx *tx)
{
	uint32_t done = 0, i;

	for (i = 0; i < US_TX_FRAGS - 1; i++)
		if (w->part[i]) {
			add_fragment(tx, done, w->part[i], 3 * i + 1);
			done += w->part[i];
		}
	add_fragment(tx, done, w->len - done, w->len & 3);
}

/* As TCP hands it over, in a slot that a link reserved. */
static void fill(const struct whole *w, struct us_tx *tx)
{
	uint32_t len = 20 + w->options + w->len;
	uint8_t *tcp = tx->head + ip_len(w);

	put_ip(w, tx->head, len);
	put_tcp(w, tcp, 0, w->flags);
	put16(tcp + 16, pseudo_sum(w, tx->head, len));
	tx->l4 = (uint16_t)ip_len(w);
	tx->inline_len = header_len(w);
	tx->csum_offload = true;
	tx->csum_offset = US_TCP_CSUM_OFFSET;
	tx->gso = US_GSO_TCP;
	tx->gso_size = (uint16_t)w->size;
	add_payload(w, tx);
}

static void let_go(struct us_tx *tx)
{
	uint32_t i;

	for (i = 0; i < tx->nr_frags; i++)
		us_chunk_put(tx->frag[i].chunk);
}

/* Are they the same?  Else tells where they begin to differ. */
static bool same(const uint8_t *got, uint32_t got_len, const uint8_t *want, uint32_t want_len)
{
	uint32_t at = 0;

	while (at < got_len && at < want_len && got[at] == want[at])
		at++;
	if (at == want_len && at == got_len)
		return true;
	printf("# %u bytes instead of %u, they differ from the one at %u on\n", got_len,
	       want_len, at);
	return false;
}

static bool is_guarded(const uint8_t *from)
{
	uint32_t i = 0;

	while (i < GUARD && from[i] == 0xee)
		i++;
	if (i < GUARD)
		printf("# %u bytes behind the packet, one was written\n", i);
	return i == GUARD;
}

/* The packet from @offset on, written to @to. */
static bool next_is_right(const struct whole *w, struct us_cut *cut, uint32_t offset, uint8_t *to)
{
	static uint8_t want[LONGEST];
	uint32_t want_len = put_packet(w, offset, want), len;

	memset(to + want_len, 0xee, GUARD);
	len = us_cut_next(cut, to);
	return same(to, len, want, want_len) && is_guarded(to + want_len);
}

/* The first packet goes where the headers were if @over; the others always elsewhere. */
static bool cuts(const struct whole *w, bool over)
{
	static uint8_t slot[LONGEST + GUARD], frame[LONGEST + GUARD];
	struct us_cut cut;
	struct us_tx tx;
	uint32_t offset = 0;
	bool good = true;

	fill(w, us_tx_begin(&tx, NULL, slot, sizeof(slot)));
	us_cut_begin(&cut, &tx);
	while (good && offset < w->len) {
		good = cut.left == w->len - offset &&
		       next_is_right(w, &cut, offset, over && !offset ? slot : frame);
		offset += w->size;
	}
	good = good && !cut.left;
	let_go(&tx);
	return good;
}

static bool cuts_anywhere(const struct whole *w)
{
	return cuts(w, true) && cuts(w, false);
}

static void fill_payload(uint64_t seed)
{
	size_t i;

	us_random_init(&dice, seed);
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)us_random32(&dice);
}

/* ---------------------------------------------------------------------- by example */

#define ACK	US_TCP_ACK
#define ONCE	(US_TCP_ACK | US_TCP_CWR | US_TCP_PSH | US_TCP_FIN)

static const struct {
	const char *name;
	struct whole whole;
} samples[] = {
	{ "two full segments", { .size = 1460, .len = 2920 } },
	{ "three full segments", { .size = 1460, .len = 4380 } },
	{ "the last one short", { .size = 1460, .len = 5000 } },
	{ "the last one of a byte", { .size = 1460, .len = 2921 } },
	{ "one byte less than full", { .size = 1460, .len = 2919 } },
	{ "44 segments", { .size = 1448, .len = 44 * 1448, .options = 12 } },
	{ "odd segments", { .size = 1447, .len = 5 * 1447 + 3 } },
	{ "segments of a byte", { .size = 1, .len = 9 } },
	{ "segments of three bytes", { .size = 3, .len = 20 } },
	{ "large segments", { .size = 30001, .len = 65000 } },
	{ "timestamps", { .size = 1448, .len = 6000, .options = 12 } },
	{ "as many options as there may be", { .size = 1420, .len = 6000, .options = 40 } },
	{ "two fragments, an odd number of bytes in the first",
	  { .size = 1000, .len = 3500, .part = { 1333 } } },
	{ "a fragment ends with a segment", { .size = 1000, .len = 3500, .part = { 2000 } } },
	{ "a fragment ends a byte before a segment",
	  { .size = 1000, .len = 3500, .part = { 1999 } } },
	{ "a fragment ends a byte after a segment",
	  { .size = 1000, .len = 3500, .part = { 2001 } } },
	{ "three fragments in a segment",
	  { .size = 1001, .len = 3500, .part = { 1203, 501 } } },
	{ "three fragments, the second of a byte",
	  { .size = 1000, .len = 3500, .part = { 999, 1 } } },
	{ "three fragments that end with segments",
	  { .size = 1001, .len = 3003, .part = { 1001, 1001 } } },
	{ "the last segment has a fragment of its own",
	  { .size = 1000, .len = 2007, .part = { 1, 1999 } } },
	{ "PSH", { .size = 1460, .len = 5000, .flags = ACK | US_TCP_PSH } },
	{ "PSH, the last one full", { .size = 1460, .len = 4380, .flags = ACK | US_TCP_PSH } },
	{ "FIN", { .size = 1460, .len = 5000, .flags = ACK | US_TCP_FIN } },
	{ "FIN, the last one full", { .size = 1460, .len = 4380, .flags = ACK | US_TCP_FIN } },
	{ "CWR", { .size = 1460, .len = 5000, .flags = ACK | US_TCP_CWR } },
	{ "CWR, two full segments", { .size = 1460, .len = 2920, .flags = ACK | US_TCP_CWR } },
	{ "CWR, PSH, FIN", { .size = 1460, .len = 5000, .flags = ONCE } },
	{ "CWR, PSH, FIN, two full segments", { .size = 1460, .len = 2920, .flags = ONCE } },
	{ "ECE", { .size = 1460, .len = 5000, .flags = ACK | US_TCP_ECE } },
	{ "AE", { .size = 1460, .len = 5000, .flags = ACK | US_TCP_ECE, .ae = US_TCP_AE } },
	{ "ECT(1)", { .size = 1460, .len = 5000, .ecn = 1 } },
	{ "ECT(0)", { .size = 1460, .len = 5000, .ecn = 2 } },
	{ "sequence numbers that wrap", { .size = 1460, .len = 5000, .seq = 0xfffff700 } },
	{ "a segment ends with the last sequence number",
	  { .size = 1000, .len = 3000, .seq = 0u - 1000 } },
};

static void test_samples(bool six)
{
	size_t i;

	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct whole w = samples[i].whole;

		w.six = six;
		w.flags = w.flags ? w.flags : ACK;
		w.seq = w.seq ? w.seq : 0x12345678;
		ok(cuts_anywhere(&w), "IPv%d: %s", six ? 6 : 4, samples[i].name);
	}
}

/* Each value that a checksum may have, and the carries on the way to it. */
static bool all_sums(const struct whole *like)
{
	struct whole w = *like;
	uint32_t word;

	for (word = 0; word < 0x10000; word++) {
		put16(payload, word);
		put16(payload + 2, ~word);
		w.id = (uint16_t)word;
		if (!cuts(&w, word & 1))
			return false;
	}
	return true;
}

static void test_sums(bool six)
{
	struct whole few = { .six = six, .flags = ACK, .size = 2, .len = 4, .seq = 0xfffe };
	struct whole many = { .six = six, .flags = ACK, .size = 8949, .len = 65000 };

	ok(all_sums(&few), "IPv%d: all checksums", six ? 6 : 4);
	memset(payload, 0, sizeof(payload));
	ok(cuts_anywhere(&many), "IPv%d: nothing but zeros", six ? 6 : 4);
	memset(payload, 0xff, sizeof(payload));
	many.seq = UINT32_MAX;
	ok(cuts_anywhere(&many), "IPv%d: nothing but ones", six ? 6 : 4);
	fill_payload(1);
}

/* ------------------------------------------------------------------------ by chance */

static uint32_t between(uint32_t least, uint32_t most)
{
	return least + us_random_below(&dice, most - least + 1);
}

/* A border of fragments: near one of segments, or anywhere. */
static uint32_t border(const struct whole *w)
{
	uint32_t at = between(1, w->len - 1);

	if (us_random_below(&dice, 2))
		at = us_max32(at / w->size * w->size, 2) + between(0, 2) - 1;
	return us_min32(at, w->len - 1);
}

static void random_parts(struct whole *w)
{
	uint32_t a = border(w), b = border(w), n = us_random_below(&dice, 3);

	if (n)
		w->part[0] = us_min32(a, b);
	if (n == 2)
		w->part[1] = us_max32(a, b) - us_min32(a, b);
}

static uint32_t random_size(void)
{
	switch (us_random_below(&dice, 8)) {
	case 0:
		return between(1, 16);
	case 1:
		return between(1461, 30000);
	case 2:
		return 1448;
	default:
		return between(17, 1460);
	}
}

static struct whole random_whole(void)
{
	static const uint32_t options[] = { 0, 12, 24, 40 };
	struct whole w = {
		.six = us_random_below(&dice, 2),
		.options = options[us_random_below(&dice, 4)],
		.flags = (uint8_t)us_random32(&dice),
		.ae = (uint8_t)us_random_below(&dice, 2),
		.ecn = (uint8_t)us_random_below(&dice, 4),
		.size = random_size(),
		.seq = us_random32(&dice),
		.id = (uint16_t)us_random32(&dice),
	};
	uint32_t most = us_min32(LONGEST - HEADERS_MAX, 44 * w.size);

	w.len = between(w.size + 1, most);
	if (!us_random_below(&dice, 4))
		w.len = us_max32(w.len / w.size, 2) * w.size;
	random_parts(&w);
	return w;
}

static void tell(const struct whole *w, unsigned int n)
{
	printf("# case %u: IPv%d, %u bytes in segments of %u, fragments %u+%u+.., flags %02x\n", n,
	       w->six ? 6 : 4, w->len, w->size, w->part[0], w->part[1], w->flags);
}

static void test_random(unsigned int cases)
{
	unsigned int n, wrong = 0;

	fill_payload(2);
	for (n = 0; n < cases && wrong < 5; n++) {
		struct whole w = random_whole();

		if (cuts(&w, us_random_below(&dice, 2)))
			continue;
		tell(&w, n);
		wrong++;
	}
	ok(!wrong && us_txmem_free_bytes(mem) == us_txmem_size(mem), "%u cases by chance", cases);
}

/* -------------------------------------------------------------------- slots of a pipe */

static struct host a, b;
static struct us_link *la, *lb;
static unsigned int room_told;

/* What came to B, of the super-segment that is sent again and again. */
static struct {
	const struct whole *like;
	unsigned int count;
	unsigned int wrong;
} got;

/* Frames are in order, unless they are doubled: each is one of the super-segment. */
static void compare(struct us_stack *stack, struct us_pkt *pkt)
{
	static uint8_t want[LONGEST];
	const struct us_tcp_hdr *h = (const void *)(pkt->data + ip_len(got.like));
	uint32_t offset = us_get32(h->seq) - got.like->seq;

	(void)stack;
	got.count++;
	if (offset >= got.like->len || offset % got.like->size ||
	    !same(pkt->data, pkt->len, want, put_packet(got.like, offset, want)))
		got.wrong++;
	us_pkt_put(pkt);
}

static void tell_room(struct us_stack *stack, struct us_link *link)
{
	(void)stack;
	(void)link;
	room_told++;
}

static const struct us_upcalls slot_upcalls = { compare, tell_room };

static void open_pipe(const struct whole *like, const char *spec)
{
	memset(&got, 0, sizeof(got));
	got.like = like;
	room_told = 0;
	host_init(&a);
	host_init(&b);
	a.stack.up = &slot_upcalls;
	b.stack.up = &slot_upcalls;
	if (us_link_open(&a.stack, spec, &la) || us_link_open(&b.stack, spec, &lb)) {
		printf("# %s %s\n", a.stack.error, b.stack.error);
		abort();
	}
}

static void close_pipe(void)
{
	us_link_close(la);
	us_link_close(lb);
	host_exit(&a);
	host_exit(&b);
}

static bool send_whole(const struct whole *w)
{
	struct us_tx *tx = la->ops->reserve(la, 0), copy;

	if (!tx)
		return false;
	fill(w, tx);
	copy = *tx;
	la->ops->submit(la, tx);
	let_go(&copy);
	return true;
}

/* The slot that is reserved is one of those that a super-segment needs. */
static bool reserves_again(void)
{
	struct us_tx *tx = la->ops->reserve(la, 0);

	return tx && la->ops->reserve(la, 0) == tx;
}

static unsigned int send_until_full(const struct whole *w)
{
	unsigned int n = 0;

	while (n < 1000 && send_whole(w))
		n++;
	return n;
}

static void poll_all(void)
{
	while (lb->ops->poll(lb, 64))
		;
	la->ops->poll(la, 64);
}

static void test_offer(void)
{
	struct whole none = { .size = 1 };

	open_pipe(&none, "pipe:name=A,frames=16");
	ok(!(la->flags & US_LINK_GSO_TCP) && la->gso_max == 1500,
	   "16 frames: nothing is cut, nothing is offered");
	close_pipe();
	open_pipe(&none, "pipe:name=A,frames=47");
	ok(!(la->flags & US_LINK_GSO_TCP), "47 frames: nor there");
	close_pipe();
	open_pipe(&none, "pipe:name=A,frames=64");
	ok(la->flags & US_LINK_GSO_TCP && la->gso_segs == 4 && la->gso_max == 6000,
	   "64 frames: four segments");
	close_pipe();
	open_pipe(&none, "pipe:name=A,mtu=68");
	ok(la->gso_segs == 44 && la->gso_max == 44 * 68, "MTU of 68: 44 segments of that");
	close_pipe();
}

/* B does not poll; then it does. */
static void test_full(void)
{
	struct whole w = { .flags = ONCE, .size = 1000, .len = 3000, .seq = 0x7ffffff0 };
	unsigned int n;

	open_pipe(&w, "pipe:name=A,frames=61");
	la->kept = 0;
	for (n = 0; n < 20; n++)
		send_whole(&w);
	ok(reserves_again(), "room for one more: reserved twice");
	n += send_until_full(&w);
	ok(n == 21 && la->stats.tx_packets == 63, "60 frames of 61, and three (%u)", n);
	ok(!send_whole(&w) && la->stats.tx_dropped == 0, "full: nothing is taken, nothing dropped");
	lb->ops->poll(lb, 2);
	la->ops->poll(la, 64);
	ok(!send_whole(&w) && !room_told, "two frames are no room");
	lb->ops->poll(lb, 1);
	la->ops->poll(la, 64);
	ok(room_told == 1 && send_whole(&w) && !send_whole(&w), "three are, for one more");
	poll_all();
	ok(got.count == 66 && !got.wrong, "all of it comes, packet by packet (%u)", got.count);
	ok(send_until_full(&w) == 21, "then it is all free again");
	poll_all();
	ok(got.count == 129 && !got.wrong, "and comes, too");
	close_pipe();
}

/* A twin takes a frame that none of the super-segment's own lacks then. */
static void test_doubled(uint32_t frames)
{
	struct whole w = { .six = true, .flags = ONCE, .options = 12, .size = 1, .len = 2500 };
	unsigned int sent = 0, i, segs;
	char spec[80];

	snprintf(spec, sizeof(spec), "pipe:name=A,duplicate=50,seed=1,frames=%u", frames);
	open_pipe(&w, spec);
	segs = la->gso_segs;
	w.size = (w.len + segs - 1) / segs;
	for (i = 0; i < 200; i++) {
		sent += send_until_full(&w);
		poll_all();
	}
	ok(!got.wrong && got.count > 1.4 * sent * segs && got.count < 2 * sent * segs &&
	   !la->stats.tx_dropped, "%u frames, some doubled: %u sent, %u come", frames,
	   sent * segs, got.count);
	ok(la->stats.tx_packets == sent * segs &&
	   la->stats.tx_bytes == sent * (w.len + segs * header_len(&w)),
	   "what was doubled counts once");
	close_pipe();
}

/* As with what is sent in one piece. */
static void test_too_large(void)
{
	struct whole w = { .flags = ACK, .size = 1460, .len = 3000 };

	open_pipe(&w, "pipe:name=A");
	send_whole(&w);
	poll_all();
	ok(got.count == 3 && !got.wrong, "segments of the MTU");
	w.size++;
	send_whole(&w);
	poll_all();
	ok(got.count == 3 && la->stats.tx_dropped == 1 && la->stats.tx_packets == 3,
	   "one byte more is not sent");
	w.size--;
	send_whole(&w);
	poll_all();
	ok(got.count == 6 && !got.wrong, "and keeps nothing from what follows");
	close_pipe();
}

int main(void)
{
	plan(0);
	us_txmem_create(&mem, NULL, 1 << 20);
	fill_payload(1);
	test_samples(false);
	test_samples(true);
	test_sums(false);
	test_sums(true);
	test_random(5000);
	test_offer();
	test_full();
	test_doubled(48);
	test_doubled(64);
	test_doubled(704);
	test_too_large();
	us_txmem_destroy(mem);
	return finish();
}
