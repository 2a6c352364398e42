// SPDX-License-Identifier: GPL-2.0
/*
 * kselftest-mode: smp
 *
 * Owners that break the rules: each rule once, then threads that scribble over
 * shared memory while traffic runs.  The offender is marked broken and told so;
 * a channel beside it goes on unharmed, and none of its bytes leak.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

FIXTURE(rules) {
	struct net net;
	struct chan c;
	int64_t flow;
	int raw;
	struct packet in;
	struct packet out;
};

FIXTURE_SETUP(rules)
{
	self->raw = net_create_silent(&self->net);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->flow = chan_flow(&self->c, 0, IPPROTO_UDP, HERE4, 7, PEER4, 9);
	ASSERT_LE(0, self->flow);
	packet_udp(&self->in, PEER4, 9, HERE4, 7, "in");
	packet_udp(&self->out, HERE4, 7, PEER4, 9, "out");
}

FIXTURE_TEARDOWN(rules)
{
	chan_destroy(&self->c);
}

/* Everything that a broken channel has to answer; 0 or the failed step. */
static int broken_for(struct chan *c, uint32_t reason)
{
	if (chan_status(c) != NETCHANNEL_STATUS_BROKEN)
		return 1;
	if (c->ctl->status != NETCHANNEL_STATUS_BROKEN || c->ctl->reason != reason)
		return 2;
	if (chan_kick(c) != -EPIPE)
		return 3;
	if (read(c->fd, NULL, 0) != -1 || errno != EPIPE)
		return 4;
	if (!(chan_poll(c, POLLIN, 0) & POLLERR))
		return 5;
	return 0;
}

static uint32_t *released(struct chan *c, uint32_t slot)
{
	return &c->rx_released[slot];
}

/* A word is looked at when the ring is in need of room, at the latest. */
static void send_several(int raw, const struct packet *p)
{
	int i;

	for (i = 0; i < 6; i++)
		net_inject(raw, p);
}

TEST_F(rules, rx_released_unknown)
{
	*released(&self->c, 0) = 77;
	send_several(self->raw, &self->in);
	EXPECT_EQ(0, broken_for(&self->c, NETCHANNEL_REASON_RX_RELEASED));
	EXPECT_NE(0, chan_counter(&self->c, NETCHANNEL_RX_DROP_BROKEN));
}

TEST_F(rules, rx_released_of_next_lap)
{
	*released(&self->c, 0) = 5;
	send_several(self->raw, &self->in);
	EXPECT_EQ(0, broken_for(&self->c, NETCHANNEL_REASON_RX_RELEASED));
}

TEST_F(rules, rx_released_of_another_slot)
{
	send_several(self->raw, &self->in);
	*released(&self->c, 0) = 2;
	send_several(self->raw, &self->in);
	EXPECT_EQ(4, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(0, broken_for(&self->c, NETCHANNEL_REASON_RX_RELEASED));
}

/* The word of the last lap means "not yet", as it does at the start. */
TEST_F(rules, rx_released_taken_back)
{
	net_inject(self->raw, &self->in);
	ASSERT_EQ(1, chan_drain(&self->c));
	*released(&self->c, 0) = 1 - 4;
	send_several(self->raw, &self->in);
	EXPECT_EQ(4, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(0, chan_status(&self->c));
}

/* Before a packet is there: it may be overlooked, but never handed out twice. */
TEST_F(rules, rx_released_too_early)
{
	struct netchannel_rx_desc *desc;
	uint32_t i;

	for (i = 0; i < 4; i++)
		*released(&self->c, i) = i + 1;
	send_several(self->raw, &self->in);
	for (i = 0; i < 4; i++) {
		desc = chan_peek(&self->c);
		if (!desc)
			break;
		EXPECT_EQ(self->in.length, desc->length);
		self->c.rx_next++;
	}
	EXPECT_LE(4, chan_counter(&self->c, NETCHANNEL_RX_PACKETS));
}

TEST_F(rules, tx_head_beyond_ring)
{
	self->c.ctl->tx_head = 5;
	EXPECT_EQ(-EPIPE, chan_kick(&self->c));
	EXPECT_EQ(0, broken_for(&self->c, NETCHANNEL_REASON_TX_HEAD));
}

TEST_F(rules, tx_head_backwards)
{
	ASSERT_EQ(0, chan_send(&self->c, self->flow, &self->out));
	self->c.ctl->tx_head = 0;
	EXPECT_EQ(-EPIPE, chan_kick(&self->c));
	EXPECT_EQ(0, broken_for(&self->c, NETCHANNEL_REASON_TX_HEAD));
}

TEST_F(rules, tx_head_noticed_by_read)
{
	self->c.ctl->tx_head = 1 << 31;
	EXPECT_EQ(-1, read(self->c.fd, NULL, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, broken_for(&self->c, NETCHANNEL_REASON_TX_HEAD));
}

/* The status is the kernel's: what the owner writes there changes nothing. */
TEST_F(rules, status_written_by_owner)
{
	self->c.ctl->status = -1;
	self->c.ctl->reason = -1;
	EXPECT_EQ(0, chan_status(&self->c));
	EXPECT_EQ(0, chan_send(&self->c, self->flow, &self->out));
	EXPECT_TRUE(net_sniffs(self->raw, &self->out));
}

/* So are done and rx_desc; the kernel does not read them back. */
TEST_F(rules, kernel_regions_written_by_owner)
{
	memset(self->c.tx_done, 0xff, self->c.setup.tx_done.length);
	memset(self->c.rx_desc, 0xff, self->c.setup.rx_desc.length);
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
	memset(self->c.rx_desc, 0, self->c.setup.rx_desc.length);
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_TRUE(chan_expect(&self->c, &self->in));
	EXPECT_EQ(0, chan_status(&self->c));
}

TEST_F(rules, broken_channel_is_dead_for_good)
{
	self->c.ctl->tx_head = 5;
	ASSERT_EQ(-EPIPE, chan_kick(&self->c));
	self->c.ctl->tx_head = 0;
	EXPECT_EQ(-EPIPE, chan_kick(&self->c));
	ASSERT_EQ(0, net_inject(self->raw, &self->in));
	EXPECT_EQ(NULL, chan_peek(&self->c));
	EXPECT_EQ(1, chan_counter(&self->c, NETCHANNEL_RX_DROP_BROKEN));
}

/* ------------------------------------------------- scribbling while it runs */

#define SECRET	"this belongs to the victim alone"
#define ROUNDS	400

struct scribbler {
	struct chan *c;
	uint8_t *at;
	size_t bytes;
	int cpu;
	size_t stride;		/* of slots: only in the last one that was submitted */
	unsigned long count;
	bool stop;
};

FIXTURE(scribble) {
	struct net net;
	struct chan offender;
	struct chan victim;
	int64_t offender_flow;
	int64_t victim_flow;
	int raw;
	struct packet p;
};

/* What is scribbled over; all of them in a ring that is sent from as well. */
enum where { RELEASED, TX_HEAD, TX_DESC, TX_INLINE, CTL, DONE, EVERYTHING };

FIXTURE_VARIANT(scribble) {
	enum where where;
};

FIXTURE_VARIANT_ADD(scribble, rx_released) { RELEASED };
FIXTURE_VARIANT_ADD(scribble, tx_head) { TX_HEAD };
FIXTURE_VARIANT_ADD(scribble, tx_desc) { TX_DESC };
FIXTURE_VARIANT_ADD(scribble, tx_inline) { TX_INLINE };
FIXTURE_VARIANT_ADD(scribble, control) { CTL };
FIXTURE_VARIANT_ADD(scribble, done_and_rx_desc) { DONE };
FIXTURE_VARIANT_ADD(scribble, everything) { EVERYTHING };

FIXTURE_SETUP(scribble)
{
	ASSERT_EQ(0, net_create(&self->net));
	ASSERT_EQ(0, chan_create(&self->offender, 8, 8));
	ASSERT_EQ(0, chan_create(&self->victim, 8, 8));
	self->offender_flow = chan_flow(&self->offender, 0, IPPROTO_UDP, HERE4,
					666, PEER4, 9);
	ASSERT_LE(0, self->offender_flow);
	self->victim_flow = chan_flow(&self->victim, 0, IPPROTO_UDP, HERE4, 7,
				      PEER4, 9);
	ASSERT_LE(0, self->victim_flow);
	self->raw = net_raw(&self->net);
	ASSERT_LE(0, self->raw);
}

FIXTURE_TEARDOWN(scribble)
{
	chan_destroy(&self->offender);
	chan_destroy(&self->victim);
}

static struct scribbler choose(struct chan *c, enum where where)
{
	const struct netchannel_setup *s = &c->setup;
	struct netchannel_region r[] = {
		[RELEASED] = s->rx_released,
		[TX_HEAD] = { s->ctl.offset, 4 },
		[TX_DESC] = s->tx_desc,
		[TX_INLINE] = s->tx_inline,
		[CTL] = s->ctl,
		[DONE] = s->tx_done,
		[EVERYTHING] = { 0, s->area_size },
	};

	return (struct scribbler){
		.c = c, .at = c->area + r[where].offset, .bytes = r[where].length,
		.cpu = 1,
		.stride = where == TX_DESC ? sizeof(*c->tx_desc) :
			  where == TX_INLINE ? NETCHANNEL_TX_INLINE : 0,
	};
}

/* Marsaglia's xorshift */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Mostly small numbers, as they come closest to being right. */
static uint32_t next_lie(uint32_t *state)
{
	uint32_t r = next_random(state);

	return r % 16 ? (r >> 8) % 16 : next_random(state);
}

static uint32_t *somewhere(const struct scribbler *s, uint32_t random)
{
	uint32_t last = __atomic_load_n(&s->c->ctl->tx_head, __ATOMIC_RELAXED) - 1;
	size_t slot = last % s->c->setup.tx_depth * s->stride;

	if (!s->stride)
		return (uint32_t *)s->at + random % (s->bytes / 4);
	return (uint32_t *)(s->at + slot) + random % 16;
}

/* As long as a part of a kick takes. */
static void pause_for(uint32_t rounds)
{
	while (rounds--)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Slots are right half of the time: what passed a check may be used when it is wrong. */
static void *scribble(void *argument)
{
	struct scribbler *s = argument;
	uint32_t random = 1, was, *word;

	net_pin(s->cpu);	/* so that it happens between any two instructions */
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		word = somewhere(s, next_random(&random));
		was = __atomic_load_n(word, __ATOMIC_RELAXED);
		__atomic_store_n(word, next_lie(&random), __ATOMIC_RELAXED);
		if (s->stride) {
			pause_for(next_random(&random) % 1024);
			__atomic_store_n(word, was, __ATOMIC_RELAXED);
			pause_for(next_random(&random) % 1024);
		}
		__atomic_add_fetch(&s->count, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Some honest use of the offending channel between the scribbles. */
static void use(struct chan *c, uint32_t flow, const struct packet *p)
{
	c->tx_next = c->ctl->tx_head;
	c->rx_next = c->ctl->rx_seen;
	chan_fill(c, flow, p);
	chan_submit(c);
	chan_kick(c);
	chan_drain(c);
	chan_poll(c, POLLIN | POLLOUT, 0);
}

static bool exchange(struct chan *c, uint32_t flow, int raw, struct packet *p)
{
	packet_udp(p, PEER4, 9, HERE4, 7, SECRET);
	if (net_inject(raw, p) || !chan_expect(c, p))
		return false;
	packet_udp(p, HERE4, 7, PEER4, 9, SECRET);
	return chan_send(c, flow, p) == 0;
}

/* All that reached the wire: the victim's packets, and the offender's flow. */
static bool is_allowed(const struct packet *p)
{
	const struct iphdr *ip = (const void *)p->data;
	uint16_t ports[2];

	memcpy(ports, p->data + 20, 4);
	return p->length >= 28 && ip->version == 4 && ip->ihl == 5 &&
	       ip->saddr == inet_addr(HERE4) && ip->daddr == inet_addr(PEER4) &&
	       ip->protocol == IPPROTO_UDP && !(ip->frag_off & htons(0x3fff)) &&
	       (ports[0] == htons(7) || ports[0] == htons(666)) &&
	       ports[1] == htons(9);
}

static bool wire_is_clean(int raw, unsigned int *secrets, struct packet *p)
{
	struct timeval soon = { .tv_usec = 1 };

	setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	while (net_sniff(raw, p)) {
		if (p->protocol == IPPROTO_ICMP)
			continue;
		if (!is_allowed(p))
			return false;
		*secrets += p->data[21] == 7 &&
			    !memcmp(p->data + 28, SECRET, strlen(SECRET));
	}
	return true;
}

TEST_F_TIMEOUT(scribble, while_traffic_runs, 300)
{
	struct scribbler s = choose(&self->offender, variant->where);
	unsigned int i, secrets = 0;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
	while (!__atomic_load_n(&s.count, __ATOMIC_RELAXED))
		usleep(1000);
	for (i = 0; i < ROUNDS; i++) {
		packet_udp(&self->p, PEER4, 9, HERE4, 666, "for the offender");
		ASSERT_EQ(0, net_inject(self->raw, &self->p));
		packet_udp(&self->p, HERE4, 666, PEER4, 9, "of the offender");
		use(&self->offender, self->offender_flow, &self->p);
		ASSERT_TRUE(exchange(&self->victim, self->victim_flow, self->raw,
				     &self->p));
		ASSERT_TRUE(wire_is_clean(self->raw, &secrets, &self->p));
	}
	s.stop = true;
	pthread_join(thread, NULL);
	EXPECT_LT(ROUNDS, s.count);
	EXPECT_EQ(ROUNDS, secrets);
	EXPECT_EQ(ROUNDS, chan_counter(&self->victim, NETCHANNEL_RX_PACKETS));
	EXPECT_EQ(ROUNDS, chan_counter(&self->victim, NETCHANNEL_TX_PACKETS));
	EXPECT_EQ(0, chan_status(&self->victim));
	EXPECT_EQ(NULL, memmem(self->offender.area, self->offender.setup.area_size,
			       SECRET, strlen(SECRET)));
}

/* In those that break the ring for certain, the offender has to be told. */
TEST_F_TIMEOUT(scribble, offender_is_told, 300)
{
	struct scribbler s = choose(&self->offender, variant->where);
	pthread_t thread;
	int i;

	if (variant->where != RELEASED && variant->where != TX_HEAD &&
	    variant->where != EVERYTHING)
		return;		/* these words may hold anything */
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
	packet_udp(&self->p, PEER4, 9, HERE4, 666, "for the offender");
	for (i = 0; i < 100000 && !chan_status(&self->offender); i++) {
		net_inject(self->raw, &self->p);
		chan_kick(&self->offender);
	}
	s.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(NETCHANNEL_STATUS_BROKEN, chan_status(&self->offender));
	EXPECT_EQ(-EPIPE, chan_kick(&self->offender));
	EXPECT_TRUE(chan_poll(&self->offender, POLLIN, 0) & POLLERR);
}

/* Both at once, and kicks from several threads. */
static void *kick_forever(void *argument)
{
	struct scribbler *s = argument;

	net_pin(s->cpu);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		__atomic_add_fetch(&s->c->ctl->tx_head, 1, __ATOMIC_RELAXED);
		chan_kick(s->c);
		__atomic_add_fetch(&s->count, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F_TIMEOUT(scribble, kicks_of_several_threads, 300)
{
	struct scribbler s = choose(&self->offender, variant->where);
	struct scribbler k[2] = {
		{ .c = &self->offender, .cpu = 0 },
		{ .c = &self->offender, .cpu = 1 },
	};
	pthread_t threads[3];
	int i;

	ASSERT_EQ(0, pthread_create(&threads[0], NULL, kick_forever, &k[0]));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, kick_forever, &k[1]));
	ASSERT_EQ(0, pthread_create(&threads[2], NULL, scribble, &s));
	while (__atomic_load_n(&k[0].count, __ATOMIC_RELAXED) < ROUNDS ||
	       __atomic_load_n(&k[1].count, __ATOMIC_RELAXED) < ROUNDS ||
	       __atomic_load_n(&s.count, __ATOMIC_RELAXED) < ROUNDS)
		usleep(1000);
	EXPECT_TRUE(exchange(&self->victim, self->victim_flow, self->raw, &self->p));
	k[0].stop = true;
	k[1].stop = true;
	s.stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

TEST_HARNESS_MAIN
