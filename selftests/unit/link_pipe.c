// SPDX-License-Identifier: MIT
/* link/pipe.c and the parsing of link/link.c */
#include <errno.h>

#include "host.h"
#include "tap.h"

static struct host a, b;
static struct us_link *la, *lb;

static struct {
	unsigned int count;
	uint32_t order[4096];
	us_ns at[4096];
	unsigned int bad;
	unsigned int writable;
	struct us_pkt *held;
	bool hold;
} got;

/* A packet: number, then bytes that follow from it; UDP-like checksum at 6. */
static void catch(struct us_stack *stack, struct us_pkt *pkt)
{
	uint32_t number, i;

	memcpy(&number, pkt->data, 4);
	for (i = 8; i < pkt->len; i++)
		if (pkt->data[i] != (uint8_t)(number + i))
			break;
	got.bad += i < pkt->len;
	if (got.count < 4096) {
		got.order[got.count] = number;
		got.at[got.count] = stack->now;
	}
	got.count++;
	if (got.hold)
		got.held = pkt;
	else
		us_pkt_put(pkt);
}

static void writable(struct us_stack *stack, struct us_link *link)
{
	(void)stack;
	(void)link;
	got.writable++;
}

static const struct us_upcalls upcalls = { catch, writable };

static void setup(const char *spec_a, const char *spec_b)
{
	memset(&got, 0, sizeof(got));
	host_init(&a);
	host_init(&b);
	a.stack.up = &upcalls;
	b.stack.up = &upcalls;
	if (us_link_open(&a.stack, spec_a, &la) ||
	    us_link_open(&b.stack, spec_b, &lb)) {
		printf("# %s %s\n", a.stack.error, b.stack.error);
		abort();
	}
}

static void teardown(void)
{
	us_link_close(la);
	us_link_close(lb);
	host_exit(&a);
	host_exit(&b);
}

static bool send_one(uint32_t number, uint32_t len)
{
	struct us_tx *tx = la->ops->reserve(la, 0);
	uint32_t i;

	if (!tx)
		return false;
	memcpy(tx->head, &number, 4);
	memset(tx->head + 4, 0, 4);
	for (i = 8; i < len; i++)
		tx->head[i] = (uint8_t)(number + i);
	tx->inline_len = len;
	la->ops->submit(la, tx);
	return true;
}

static void advance(us_ns to)
{
	a.time = b.time = to;
	us_stack_tick(&a.stack);
	us_stack_tick(&b.stack);
}

/* Runs both ends until nothing is left on the way. */
static void settle(void)
{
	us_ns next;

	while ((next = lb->ops->next(lb)) != US_NEVER) {
		if (next > b.time)
			advance(next);
		lb->ops->poll(lb, 64);
	}
	la->ops->poll(la, 64);
}

static int refused(const char *spec)
{
	int err = us_link_open(&a.stack, spec, NULL);

	printf("# %s: %s\n", spec, a.stack.error);
	return err;
}

static void arguments(void)
{
	uint64_t number = 7;
	uint8_t mac[6];
	char value[8], name[65] = "", spec[128];

	host_init(&a);
	ok(refused("tin-can:name=A") == -EINVAL &&
	   strstr(a.stack.error, "tin-can") && strstr(a.stack.error, "pipe"),
	   "no such kind, those there are");
	ok(refused("pip") == -EINVAL && refused("") == -EINVAL, "half a name");
	ok(refused("pipe") == -EINVAL && strstr(a.stack.error, "name=A"),
	   "a pipe without a name");
	ok(refused("pipe:name=A,lose=3") == -EINVAL &&
	   strstr(a.stack.error, "lose=3") && strstr(a.stack.error, "loss"),
	   "an unknown key, and the known ones");
	ok(refused("pipe:name=A,loss") == -EINVAL, "a key without a value");
	ok(refused("pipe:name=A,loss=101") == -EINVAL &&
	   refused("pipe:name=A,loss=") == -EINVAL &&
	   refused("pipe:name=A,delay=-1") == -EINVAL &&
	   refused("pipe:name=A,rate=12x") == -EINVAL &&
	   refused("pipe:name=A,mtu=67") == -EINVAL &&
	   refused("pipe:name=A,delay=99999999999999999999999") == -EINVAL,
	   "numbers that are none or too large");
	ok(refused("pipe:name=A,loss=70,burst=2") == -EINVAL &&
	   strstr(a.stack.error, "burst"), "so much is not lost in so short bursts");
	ok(!us_link_arg(&a.stack, "a=1,bb=2,c=", "bb", value, sizeof(value)) &&
	   !strcmp(value, "2") && us_link_arg(&a.stack, "a=1,bb=2", "b", value, 8) == -ENOENT &&
	   !us_link_arg(&a.stack, "c=", "c", value, 8) && !value[0], "arguments by key");
	ok(!us_link_arg(&a.stack, "a=1234567", "a", value, sizeof(value)) &&
	   us_link_arg(&a.stack, "a=12345678", "a", value, sizeof(value)) == -EINVAL &&
	   strstr(a.stack.error, "a=12345678: at most 7"), "a long one is refused");
	memset(name, 'x', sizeof(name) - 1);
	snprintf(spec, sizeof(spec), "pipe:name=%s", name);
	ok(refused(spec) == -EINVAL && strstr(a.stack.error, "at most 63"), "a long name");
	snprintf(spec, sizeof(spec), "packet:dev=%s", name);
	ok(refused(spec) == -EINVAL && strstr(a.stack.error, "at most 15"),
	   "no other device for a long name");
	snprintf(spec, sizeof(spec), "pipe:name=A,mtu=%s", name);
	ok(refused(spec) == -EINVAL && strstr(a.stack.error, "at most 31"), "a long number");
	ok(!us_link_arg_number(&a.stack, "x=1.5", "x", 1000, 0, 9, &number) &&
	   number == 1500, "a fraction");
	ok(!us_link_arg_number(&a.stack, "x=3M", "x", 1, 0, 9000000, &number) &&
	   number == 3000000, "a suffix");
	ok(!us_link_arg_number(&a.stack, "y=3", "x", 1, 0, 9, &number) &&
	   number == 3000000, "an absent number stays");
	ok(us_link_arg_mac(&a.stack, "", "mac", mac) == -ENOENT &&
	   us_link_arg_mac(&a.stack, "mac=02:00:5e:Aa:ff:01", "mac", mac) == 0 &&
	   mac[3] == 0xaa && mac[5] == 1, "a MAC address");
	ok(us_link_arg_mac(&a.stack, "mac=01:00:5e:00:00:01", "mac", mac) == -EINVAL &&
	   us_link_arg_mac(&a.stack, "mac=02:00:5e:00:00", "mac", mac) == -EINVAL &&
	   us_link_arg_mac(&a.stack, "mac=02:00:5e:00:00:0g", "mac", mac) == -EINVAL &&
	   us_link_arg_mac(&a.stack, "mac=02:00:5e:00:00:01:02", "mac", mac) == -EINVAL,
	   "MAC addresses that are none");
	host_exit(&a);
}

static void plain(void)
{
	struct us_tx *tx, *again;
	uint32_t i;

	setup("pipe:name=A,frames=8", "pipe:name=A,frames=8");
	for (i = 0; i < 8; i++)
		send_one(i, 100 + i);
	ok(!send_one(8, 100), "the ring is full");
	ok(la->ops->next(la) == US_NEVER && lb->ops->next(lb) <= b.time,
	   "the other end has something to do");
	ok(lb->ops->poll(lb, 3) == 3 && lb->ops->poll(lb, 64) == 5 &&
	   got.count == 8 && !got.bad, "packets arrive, a budget at a time");
	ok(got.order[0] == 0 && got.order[7] == 7, "in order");
	ok(la->ops->next(la) <= a.time, "room is announced");
	la->ops->poll(la, 64);
	ok(got.writable == 1 && la->ops->next(la) == US_NEVER, "once");
	tx = la->ops->reserve(la, 0);
	again = la->ops->reserve(la, 0);
	ok(tx == again && tx->inline_cap >= 1500, "a slot reserved twice is one");
	got.hold = true;
	send_one(9, 1500);
	settle();
	ok(got.held && got.held->len == 1500 && !got.bad &&
	   lb->stats.rx_packets == 9, "a full packet is lent");
	us_pkt_put(got.held);
	send_one(10, 1501);
	ok(lb->ops->next(lb) == US_NEVER && la->stats.tx_dropped == 1,
	   "one byte more is not sent");
	teardown();
}

/* A super-segment goes whole: of how many segments, headers tell. */
static void whole(void)
{
	struct us_chunk *chunk;
	struct us_tx *tx;

	setup("pipe:name=A,gso=1", "pipe:name=A,gso=1");
	chunk = us_chunk_alloc(a.stack.mem, 2048);
	tx = la->ops->reserve(la, 0);
	memset(tx->head, 0, 52);
	memset(chunk->data, 0, 2048);
	tx->head[0] = 0x45;
	tx->head[32] = 0x80;
	tx->l4 = 20;
	tx->inline_len = 52;
	tx->gso = US_GSO_TCP;
	tx->gso_size = 1000;
	tx->nr_frags = 1;
	tx->frag[0] = (struct us_frag) { chunk, 0, 2000 };
	got.hold = true;
	la->ops->submit(la, tx);
	us_chunk_put(chunk);
	settle();
	ok(got.held && got.held->gso_size == 1000 && got.held->gso_segs == 2, "of two segments");
	us_pkt_put(got.held);
	teardown();
}

/* Payload by reference, in odd pieces; the link fills in the checksum. */
static void gathered(void)
{
	struct us_chunk *chunk;
	struct us_tx *tx;
	uint32_t sum;
	uint16_t value, i;

	setup("pipe:name=A", "pipe:name=A");
	chunk = us_chunk_alloc(a.stack.mem, 2048);
	for (i = 0; i < 2048; i++)
		chunk->data[i] = (uint8_t)i;
	tx = la->ops->reserve(la, 0);
	memset(tx->head, 0, 11);
	tx->l4 = 4;
	tx->head[4] = 0x12;
	tx->inline_len = 11;
	value = us_csum_reduce(0x4321);
	memcpy(tx->head + 8, &value, 2);
	tx->csum_offload = true;
	tx->csum_offset = 4;
	tx->nr_frags = 2;
	tx->frag[0] = (struct us_frag) { chunk, 1, 501 };
	tx->frag[1] = (struct us_frag) { chunk, 502, 900 };
	got.hold = true;
	la->ops->submit(la, tx);
	us_chunk_put(chunk);
	settle();
	ok(got.held && got.held->len == 11 + 1401, "header and two pieces");
	sum = us_csum_bytes(got.held->data + 4, got.held->len - 4, 0x4321);
	ok(us_csum_fold(sum) == 0, "the checksum is right");
	for (i = 1; i <= 1401 && got.held->data[10 + i] == (uint8_t)i; i++)
		;
	ok(i == 1402, "so are the bytes");
	us_pkt_put(got.held);
	teardown();
}

static unsigned int flood(const char *spec, unsigned int packets, us_ns gap)
{
	unsigned int i;

	setup(spec, "pipe:name=A");
	for (i = 0; i < packets; i++) {
		send_one(i, 64);
		if (gap)
			advance(a.time + gap);
		lb->ops->poll(lb, 64);
		la->ops->poll(la, 64);
	}
	settle();
	return got.count;
}

static unsigned int inversions(void)
{
	unsigned int i, n = 0;

	for (i = 1; i < got.count && i < 4096; i++)
		n += got.order[i] < got.order[i - 1];
	return n;
}

static us_ns last_arrival(void)
{
	us_ns last = 0;
	unsigned int i;

	for (i = 0; i < got.count; i++)
		if (got.at[i] > last)
			last = got.at[i];
	return last;
}

/* Most that were lost in a row. */
static uint32_t longest_gap(void)
{
	uint32_t i, most = 0;

	for (i = 1; i < got.count; i++)
		if (got.order[i] - got.order[i - 1] - 1 > most)
			most = got.order[i] - got.order[i - 1] - 1;
	return most;
}

static void shaped(void)
{
	unsigned int n, first[3];
	us_ns start;

	n = flood("pipe:name=A,loss=10,seed=5", 4000, 0);
	ok(n > 3400 && n < 3800 && !got.bad && !inversions(), "10%% loss (%u)", n);
	first[0] = n;
	first[1] = got.order[1000];
	first[2] = got.order[3000];
	teardown();
	n = flood("pipe:name=A,loss=10,seed=5", 4000, 0);
	ok(n == first[0] && got.order[1000] == first[1] &&
	   got.order[3000] == first[2], "the same seed loses the same packets");
	teardown();
	n = flood("pipe:name=A,loss=10,seed=6", 4000, 0);
	ok(got.order[1000] != first[1] || got.order[3000] != first[2],
	   "another seed does not");
	teardown();
	n = flood("pipe:name=A,loss=10,burst=8,seed=5", 4000, 0);
	ok(n > 3300 && n < 3900 && longest_gap() >= 16, "10%% in bursts (%u), of %u", n,
	   longest_gap());
	teardown();
	n = flood("pipe:name=A,loss=100", 100, 0);
	ok(n == 0 && la->stats.tx_dropped == 100, "all is lost");
	teardown();
	n = flood("pipe:name=A,duplicate=25,seed=1", 2000, 0);
	ok(n > 2400 && n < 2600, "25%% come twice (%u)", n);
	teardown();
	n = flood("pipe:name=A,corrupt=50,seed=1", 1000, 0);
	ok(n == 1000 && got.bad > 350 && got.bad < 550, "corrupted (%u)", got.bad);
	teardown();
	setup("pipe:name=A,hole=100", "pipe:name=A");
	send_one(0, 100);
	send_one(1, 101);
	settle();
	ok(got.count == 1 && got.order[0] == 0 && la->stats.tx_dropped == 1,
	   "a hole takes what is larger");
	teardown();
	n = flood("pipe:name=A,reorder=20,seed=1", 1000, 100 * US_USEC);
	ok(n == 1000 && inversions() > 50, "reordered (%u)", inversions());
	teardown();
	n = flood("pipe:name=A,delay=10,jitter=5,seed=1", 1000, US_MSEC);
	ok(n == 1000 && inversions() > 50, "jitter reorders (%u)", inversions());
	teardown();
	n = flood("pipe:name=A,jitter=3600000,seed=1", 100, 0);
	ok(n == 100 && last_arrival() > 4000 * US_SEC && last_arrival() <= 4600 * US_SEC,
	   "jitter of an hour");
	teardown();
	setup("pipe:name=A,delay=2.5", "pipe:name=A");
	start = a.time;
	send_one(0, 64);
	ok(lb->ops->poll(lb, 64) == 0, "a delayed packet is not there at once");
	settle();
	ok(got.at[0] == start + 2500 * US_USEC, "but at its time");
	teardown();
}

static void limited(void)
{
	unsigned int i;
	us_ns start;

	/* 1000-byte packets at 8 Mbit/s: one each millisecond. */
	setup("pipe:name=A,rate=8M,limit=10,mtu=1000,delay=1", "pipe:name=A");
	start = a.time;
	for (i = 0; i < 100; i++)
		send_one(i, 1000);
	settle();
	ok(got.count == 11 && la->stats.tx_dropped == 89,
	   "ten wait, the rest is dropped (%u)", got.count);
	ok(got.at[0] == start + 2 * US_MSEC && got.at[10] == start + 12 * US_MSEC,
	   "one each millisecond");
	send_one(100, 1000);
	settle();
	ok(got.order[11] == 100, "then there is room again");
	teardown();
}

static void lives(void)
{
	struct us_link *lc;

	/* A second pair of the same name, while the first lives. */
	setup("pipe:name=A", "pipe:name=A");
	ok(us_link_open(&a.stack, "pipe:name=A", &lc) == 0, "a third end");
	send_one(1, 64);
	settle();
	ok(got.count == 1 && lb->stats.rx_packets == 1, "waits for a fourth");
	us_link_close(lc);
	ok(us_link_open(&a.stack, "pipe:name=A,gso=1", &lc) == 0 &&
	   lc->gso_max == 65535 && lc->flags & US_LINK_GSO_TCP &&
	   lc->flags & US_LINK_GSO_UDP, "super-segments go whole if asked");
	ok(la->gso_max == 65535 && la->gso_segs == 44 && la->flags & US_LINK_GSO_TCP &&
	   !(la->flags & US_LINK_GSO_UDP), "else those of TCP are cut");
	us_link_close(lc);

	/* The sender goes first; what it lent stays. */
	got.hold = true;
	send_one(2, 64);
	settle();
	us_link_close(la);
	ok(got.held && got.held->data[0] == 2, "lent bytes outlive the sender");
	us_pkt_put(got.held);
	us_link_close(lb);
	host_exit(&a);
	host_exit(&b);
}

static void exhausted(void)
{
	struct us_pkt *pkt[64];
	int i;

	setup("pipe:name=A", "pipe:name=A");
	for (i = 0; i < 64; i++)
		pkt[i] = us_pool_get(&b.stack.pkts);
	send_one(1, 64);
	ok(lb->ops->poll(lb, 64) == 1 && got.count == 0 &&
	   b.stack.counter[US_COUNT_pkt_exhausted] == 1 &&
	   lb->stats.rx_dropped == 1, "no struct us_pkt: dropped and counted");
	for (i = 0; i < 64; i++)
		us_pool_put(&b.stack.pkts, pkt[i]);
	teardown();
}

int main(void)
{
	plan(52);
	arguments();
	plain();
	whole();
	gathered();
	shaped();
	limited();
	lives();
	exhausted();
	return finish();
}
