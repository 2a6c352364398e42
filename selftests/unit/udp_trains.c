// SPDX-License-Identifier: MIT
/* Datagrams that leave together: what stands on the wire, where links cut or do not. */
#include "packet_script.h"
#include "transport/udp_parts.h"
#include "wire/checksum.h"

static struct script script;
static struct us_udp *udp;
static uint8_t bytes[70000];

static const struct us_udp_user user;

static struct us_stack *stack(void)
{
	return script_stack(&script);
}

/* @cuts: the link does, as one with offloads. */
static void begin(bool six, bool cuts)
{
	static const struct us_addr any;
	struct us_addr peer;
	uint16_t port = htons(9);

	memset(&script, 0, sizeof(script));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	script_open(&script, six);
	peer = script_addr(&script, 2);
	stack()->udp->user = &user;
	if (cuts)
		script.link.flags |= US_LINK_CSUM | US_LINK_GSO_UDP;
	if (us_udp_bind(stack(), six ? AF_INET6 : AF_INET, &any, &port, false, NULL, &udp) ||
	    us_udp_connect(udp, &peer, htons(7)))
		puts("Bail out! no port");
}

static void end(void)
{
	size_t all = us_txmem_size(script.link.mem);

	us_udp_close(udp);
	ok(us_txmem_free_bytes(script.link.mem) == all && cds_list_empty(&stack()->udp->trains),
	   "nothing is left behind");
	script_end(&script);
}

static ssize_t put(size_t at, size_t len, uint16_t segment, bool more)
{
	return us_udp_send(udp, bytes + at, len,
			   &(struct us_udp_out){ .segment = segment, .more = more });
}

static bool sum_is_right(const uint8_t *packet, uint32_t len)
{
	uint32_t ip = script_ip_len(&script), sum;

	if (script.six)
		sum = us_csum_pseudo6(packet + 8, packet + 24, IPPROTO_UDP, len - ip);
	else
		sum = us_csum_pseudo4(packet + 12, packet + 16, IPPROTO_UDP, len - ip);
	return us_csum_fold(us_csum_bytes(packet + ip, len - ip, sum)) == 0 &&
	       (packet[ip + 6] || packet[ip + 7]);
}

/* The next packet holds bytes[@at .. @at + @len] for @port, in datagrams of @segment. */
static bool next_is(uint16_t port, size_t at, uint32_t len, uint16_t segment)
{
	const struct script_packet *p = &script.sent[script.first % SCRIPT_QUEUE];
	uint32_t headers = script_ip_len(&script) + US_UDP_LEN;
	const struct us_udp_hdr *h = (const void *)(p->data + headers - US_UDP_LEN);

	if (!script.count || p->len != headers + len || p->gso_size != segment ||
	    us_get16(h->dst) != port || us_get16(h->len) != US_UDP_LEN + len ||
	    memcmp(p->data + headers, bytes + at, len))
		return false;
	if (!(script.link.flags & US_LINK_CSUM) && !sum_is_right(p->data, p->len))
		return false;
	script.first++;
	script.count--;
	return true;
}

static bool nothing_left(void)
{
	return script.count == 0;
}

static void test_cut_here(bool six)
{
	begin(six, false);
	ok(put(0, 2500, 1000, false) == 2500, "UDP_SEGMENT");
	ok(next_is(7, 0, 1000, 0) && next_is(7, 1000, 1000, 0) && next_is(7, 2000, 500, 0) &&
	   nothing_left(), "is cut where the link cannot, with right sums");
	ok(put(0, 1000, 1000, false) == 1000 && next_is(7, 0, 1000, 0), "one segment");
	ok(put(0, 0, 1000, false) == 0 && next_is(7, 0, 0, 0), "none");
	end();
}

static void test_cut_there(bool six)
{
	begin(six, true);
	ok(put(0, 2500, 1000, false) == 2500 && next_is(7, 0, 2500, 1000) && nothing_left(),
	   "the link cuts");
	ok(put(0, 64 * 48, 48, false) == 64 * 48 && next_is(7, 0, 64 * 48, 48) && nothing_left(),
	   "64 datagrams");
	ok(put(0, 1000, 1000, false) == 1000 && next_is(7, 0, 1000, 0), "one is no train");
	ok(put(0, 100, 47, false) == 100 && next_is(7, 0, 47, 0) && next_is(7, 47, 47, 0) &&
	   next_is(7, 94, 6, 0) && nothing_left(), "what is too small for it does not");
	end();
}

static void test_limits(bool six)
{
	uint32_t headers = US_UDP_LEN + (six ? 40 : 20), largest = 1472;

	begin(six, true);
	ok(put(0, 2 * largest, (uint16_t)largest, false) == 2 * (ssize_t)largest &&
	   next_is(7, 0, 2 * largest, (uint16_t)largest), "segments of the MTU");
	ok(put(0, 5000, (uint16_t)(largest + 1), false) == -EMSGSIZE, "larger ones: EMSGSIZE");
	ok(put(0, 100, 2000, false) == 100 && next_is(7, 0, 100, 0),
	   "what is shorter than a segment is itself");
	ok(put(0, 6401, 100, false) == -EINVAL && put(0, 6400, 100, false) == 6400 &&
	   next_is(7, 0, 6400, 100), "65 segments: EINVAL");
	ok(put(0, 65536 - headers, 1400, false) == -EMSGSIZE &&
	   put(0, 65535 - headers, 1400, false) == 65535 - (ssize_t)headers &&
	   next_is(7, 0, 65535 - headers, 1400), "more than a packet can have: EMSGSIZE");
	ok(nothing_left(), "and no more");
	end();
}

/* One by one, with USTACK_MSG_BATCH. */
static void test_batch(bool six)
{
	begin(six, true);
	ok(put(0, 100, 0, true) == 100 && put(100, 100, 0, true) == 100 && nothing_left(),
	   "others follow: they wait");
	ok(put(200, 100, 0, false) == 100 && next_is(7, 0, 300, 100) && nothing_left(),
	   "the last one takes them along");
	put(0, 100, 0, true);
	ok(put(100, 60, 0, true) == 60 && next_is(7, 0, 160, 100) && nothing_left(),
	   "a shorter one ends a train");
	ok(put(160, 60, 0, true) == 60 && nothing_left() &&
	   put(220, 200, 0, true) == 200 && next_is(7, 160, 60, 0), "a longer one begins one");
	ok(put(0, 0, 0, true) == 0 && next_is(7, 220, 200, 0) && next_is(7, 0, 0, 0),
	   "an empty one goes behind the others, at once");
	put(0, 100, 0, true);
	us_udp_flush(stack());
	ok(next_is(7, 0, 100, 0) && nothing_left(), "a round of the stack lets all out");
	put(0, 300, 100, true);
	ok(nothing_left() && put(300, 50, 0, false) == 50 && next_is(7, 0, 300, 100) &&
	   next_is(7, 300, 50, 0), "UDP_SEGMENT may wait, too");
	end();
}

/* A train is work for nothing where one datagram at a time is sent. */
static void test_alone(bool six)
{
	begin(six, true);
	put(0, 100, 0, true);
	us_udp_flush(stack());
	next_is(7, 0, 100, 0);
	ok(put(100, 100, 0, true) == 100 && next_is(7, 100, 100, 0),
	   "behind one that nothing followed, one leaves at once");
	us_udp_flush(stack());
	ok(put(200, 100, 0, true) == 100 && next_is(7, 200, 100, 0),
	   "so it goes on while nothing follows");
	ok(put(300, 101, 0, true) == 101 && next_is(7, 300, 101, 0),
	   "what could not have joined it leaves at once, too");
	ok(put(401, 100, 0, true) == 100 && nothing_left(), "what could waits");
	us_udp_flush(stack());
	ok(next_is(7, 401, 100, 0) && put(501, 100, 0, true) == 100 && nothing_left() &&
	   put(601, 100, 0, false) == 100 && next_is(7, 501, 200, 100),
	   "and then the first ones do, too");
	put(0, 100, 0, true);
	us_udp_flush(stack());
	put(100, 100, 0, true);
	put(200, 100, 0, false);
	us_udp_flush(stack());
	ok(next_is(7, 0, 100, 0) && next_is(7, 100, 100, 0) && next_is(7, 200, 100, 0) &&
	   put(300, 100, 0, true) == 100 && nothing_left(),
	   "as they do where the last of two had no flag");
	end();
}

/* Whether one may follow depends on where it goes; whether it leaves, on the link. */
static void test_alone_elsewhere(bool six)
{
	struct us_addr other;
	struct us_udp_out to = { .port = htons(7), .more = true };

	begin(six, true);
	other = script_addr(&script, 3);
	put(0, 100, 0, true);
	us_udp_flush(stack());
	next_is(7, 0, 100, 0);
	put(100, 100, 0, true);
	to.remote = &other;
	ok(us_udp_send(udp, bytes + 200, 100, &to) == 100 && next_is(7, 100, 100, 0) &&
	   next_is(7, 200, 100, 0), "one for another address leaves at once");
	to.port = htons(8);
	ok(us_udp_send(udp, bytes + 300, 100, &to) == 100 && next_is(8, 300, 100, 0),
	   "one for another port, too");
	script.full = 0;
	to.port = htons(9);
	ok(us_udp_send(udp, bytes, 100, &to) == 100 && nothing_left(),
	   "where the link is full it waits");
	script.full = -1;
	ustack_poll(script.stack);
	ok(next_is(9, 0, 100, 0), "until there is room");
	end();
}

/* Neighbours grow stale by the stack's clock; the kernel's have another one. */
static void test_clock(bool six)
{
	int64_t before;

	begin(six, false);
	script.now += US_SEC;
	put(0, 100, 0, false);
	ok(stack()->now == script.now, "a datagram leaves at its time");
	before = script.now++;
	script.link.flags |= US_LINK_KERNEL_IP;
	put(0, 100, 0, false);
	ok(stack()->now == before, "which the kernel knows itself");
	script.link.flags &= ~US_LINK_KERNEL_IP;
	script.first += script.count;
	script.count = 0;
	end();
}

static void test_many(bool six)
{
	size_t i, n = 0;

	begin(six, true);
	for (i = 0; i < 64; i++)
		n += put(i * 100, 100, 0, true) == 100;
	ok(n == 64 && next_is(7, 0, 6400, 100) && nothing_left(), "64 leave by themselves");
	for (i = n = 0; i < 62; i++)
		n += (i ? us_udp_send_behind(udp, bytes + i * 100, 100) :
			  put(0, 100, 0, true) == 100);
	ok(n == 62 && us_udp_send_behind(udp, bytes + 6200, 100) &&
	   !us_udp_send_behind(udp, bytes, 100) && !us_udp_send_behind(udp, bytes, 99) &&
	   nothing_left(), "the short way is not for the last one");
	udp->error = ECONNREFUSED;
	ok(put(0, 100, 0, true) == -ECONNREFUSED, "errors are told");
	us_udp_flush(stack());
	ok(next_is(7, 0, 6300, 100), "what was sent before leaves");
	for (i = n = 0; i < 46; i++)
		n += put(i * 1400, 1400, 0, true) == 1400;
	ok(n == 46 && next_is(7, 0, 46 * 1400, 1400) && nothing_left(),
	   "as many as a packet can have");
	end();
}

/* How much waits before the caller has to kick. */
static void test_due(bool six)
{
	size_t n;

	begin(six, true);
	script.lossy = true;
	for (n = 0; !us_udp_due(udp, true); n++)
		put(0, 100 + n, 0, true);
	ok(n == 64, "64 packets in the link are much: %zu", n);
	for (n = 0; n < 100 && !us_udp_due(udp, true); n++) {
		put(0, 100 + n, 0, true);
		if (n == 50)
			us_udp_flush(stack());
	}
	ok(n == 100, "what left before is none of them: %zu", n);
	us_udp_due(udp, false);
	for (n = 0; !us_udp_due(udp, true); n += 100)
		put(0, 100, 0, true);
	ok(n / 6400 == 11, "so are 64 KiB: %zu", n);
	put(0, 100, 0, false);
	ok(us_udp_due(udp, false), "and whatever nothing follows");
	end();
}

static void test_order(bool six)
{
	struct us_addr other = script_addr(&script, 3), peer;
	struct us_udp_out to = { .remote = &other, .port = htons(7), .more = true };

	begin(six, true);
	other = script_addr(&script, 3);
	peer = script_addr(&script, 2);
	put(0, 50, 0, true);
	put(50, 50, 0, true);
	ok(us_udp_send(udp, bytes + 100, 50, &to) == 50 && next_is(7, 0, 100, 50) &&
	   nothing_left(), "one for another address goes behind");
	us_udp_send(udp, bytes + 150, 50, &to);
	to.port = htons(8);
	ok(us_udp_send(udp, bytes + 200, 100, &to) == 100 && next_is(7, 100, 100, 50) &&
	   nothing_left(), "one for another port, too");
	ok(!us_udp_send_behind(udp, bytes, 100), "which is not the peer's");
	us_udp_connect(udp, &peer, htons(5));
	ok(next_is(8, 200, 100, 0) && nothing_left(), "connect() lets out what waits");
	put(0, 100, 0, true);
	put(100, 100, 0, true);
	us_udp_close(udp);
	ok(next_is(5, 0, 100, 0) && next_is(5, 100, 100, 0) && nothing_left(),
	   "close() does");
	script_end(&script);
}

static void test_full_link(bool six)
{
	begin(six, false);
	script.full = 1;
	ok(put(0, 300, 100, false) == 300 && next_is(7, 0, 100, 0) && nothing_left(),
	   "a full link: what has no room waits");
	ok(put(300, 100, 0, false) == -EAGAIN && !(us_udp_poll(udp) & POLLOUT),
	   "another one: EAGAIN");
	us_udp_flush(stack());
	ok(nothing_left(), "there is none yet");
	script.full = -1;
	ustack_poll(script.stack);
	ok(next_is(7, 100, 100, 0) && next_is(7, 200, 100, 0) && nothing_left() && us_udp_poll(udp) & POLLOUT, "then all leaves, in order");
	script.full = 0;
	ok(put(0, 300, 100, false) == 300 && nothing_left(), "no room at all");
	us_udp_train_end(udp);
	ok(stack()->counter[US_COUNT_udp_out_lost] == 1, "what never leaves is counted");
	script.full = -1;
	end();
}

/* A sum of zero stands for none: it is sent as its other form. */
static void test_zero_sum(bool six)
{
	const struct script_packet *p = &script.sent[0];
	uint32_t field = six ? 46 : 26;

	begin(six, false);
	memset(bytes, 0, 2);
	put(0, 2, 0, false);
	memcpy(bytes, p->data + field, 2);
	memcpy(bytes + 2, bytes, 2);
	ok(next_is(7, 0, 0, 0) || script.count == 1, "a sum");
	script.first++;
	script.count--;
	ok(put(0, 4, 2, false) == 4 && script.sent[1].data[field] == 0xff &&
	   script.sent[1].data[field + 1] == 0xff, "no sum is zero");
	ok(next_is(7, 0, 2, 0) && next_is(7, 2, 2, 0), "and they are right");
	end();
}

/* Where memory is in small pieces a message is some packets, or none. */
static void test_memory(bool six)
{
	struct us_chunk *held[4096], *chunk;
	unsigned int n = 0, i;

	begin(six, true);
	while ((chunk = us_chunk_alloc(script.link.mem, US_CHUNK_MIN)))
		held[n++] = chunk;
	ok(put(0, 3000, 1000, false) == -ENOBUFS, "no memory: ENOBUFS");
	ok(put(0, 100, 0, true) == 100 && next_is(7, 0, 100, 0), "a small one leaves alone");
	us_chunk_put(held[0]);
	us_chunk_put(held[2]);
	ok(put(0, 3000, 1000, false) == 3000 && next_is(7, 0, 2000, 1000) &&
	   next_is(7, 2000, 1000, 0) && nothing_left(), "in two packets");
	for (i = 0; i < n; i++)
		if (i != 0 && i != 2)
			us_chunk_put(held[i]);
	end();
}

int main(void)
{
	static void (*const tests[])(bool six) = {
		test_cut_here, test_cut_there, test_limits, test_batch, test_alone,
		test_alone_elsewhere, test_clock, test_many,
		test_due, test_order, test_full_link, test_zero_sum, test_memory,
	};

	plan(0);
	for (size_t i = 0; i < 2 * sizeof(tests) / sizeof(tests[0]); i++)
		tests[i / 2](i % 2);
	return finish();
}
