// SPDX-License-Identifier: MIT
/* The path takes less than it seems: black holes, and the way back up (RFC 4821). */
#include "tcp_bench.h"
#include "world.h"

#define OPEN_PLAIN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1460>\n" \
	"> . 1:1(0) ack 1\n"

static const struct named_script scripts[] = {
	{ "black hole: at the third timeout segments of 1024, at the sixth of 512",
	OPEN_PLAIN
	"send 2920 = 2920\n"
	"> . 1:1461(1460) ack 1\n"
	"> P. 1461:2921(1460) ack 1\n"
	"+0.2 > . 1:1461(1460) ack 1\n"
	"+0.4 > . 1:1461(1460) ack 1\n"
	"counter tcp_mtu_black_hole 0\n"
	"+0.8 > . 1:1025(1024) ack 1\n"
	"counter tcp_mtu_black_hole 1\n"
	"+1.6 > . 1:1025(1024) ack 1\n"
	"+3.2 > . 1:1025(1024) ack 1\n"
	"+6.4 > . 1:513(512) ack 1\n"
	"counter tcp_mtu_black_hole 2\n"
	"+0.01 < . 1:1(0) ack 513\n"
	"> . 513:1025(512) ack 1\n"
	"> . 1025:1461(436) ack 1\n"
	"< . 1:1(0) ack 1461\n"
	"> . 1461:1973(512) ack 1\n"
	"> . 1973:2485(512) ack 1\n"
	"> P. 2485:2921(436) ack 1\n"
	"# IPv4 only\n" },

	{ "black hole: IPv6 takes 1280 bytes anyway",
	OPEN_PLAIN
	"send 1460 = 1460\n"
	"> P. 1:1461(1460) ack 1\n"
	"+0.2 > P. 1:1461(1460) ack 1\n"
	"+0.4 > P. 1:1461(1460) ack 1\n"
	"+0.8 > . 1:1221(1220) ack 1\n"
	"+1.6 > . 1:1221(1220) ack 1\n"
	"+3.2 > . 1:1221(1220) ack 1\n"
	"+6.4 > . 1:1221(1220) ack 1\n"
	"counter tcp_mtu_black_hole 1\n"
	"# IPv6 only\n" },

	{ "black hole: not if what is lost is small",
	OPEN_PLAIN
	"send 1000 = 1000\n"
	"> P. 1:1001(1000) ack 1\n"
	"+0.2 > P. 1:1001(1000) ack 1\n"
	"+0.4 > P. 1:1001(1000) ack 1\n"
	"+0.8 > P. 1:1001(1000) ack 1\n"
	"counter tcp_mtu_black_hole 0\n"
	"send 1460 = 1460\n"
	"< . 1:1(0) ack 1001\n"
	"> P. 1001:2461(1460) ack 1\n" },

	{ "black hole: super-segments are cut smaller, too",
	"option gso 65535\n"
	OPEN_PLAIN
	"send 2920 = 2920\n"
	"> P. 1:2921(2920) ack 1 gso 1460\n"
	"+0.2 > . 1:1461(1460) ack 1\n"
	"+0.4 > . 1:1461(1460) ack 1\n"
	"+0.8 > . 1:1025(1024) ack 1\n"
	"< . 1:1(0) ack 2921\n"
	"send 10240 = 10240\n"
	"> . 2921:4969(2048) ack 1 gso 1024\n"
	"# IPv4 only\n" },

	{ "ICMP: no MTU is too small to be believed, but none below 552",
	OPEN_PLAIN
	"send 1000 = 1000\n"
	"> P. 1:1001(1000) ack 1\n"
	"< icmp unreach 4 mtu 68 seq 1\n"
	"> . 1:513(512) ack 1\n"
	"> P. 513:1001(488) ack 1\n"
	"# IPv4 only\n" },

	{ "ICMP: one that is not about what is in flight is ignored",
	OPEN_PLAIN
	"send 1460 = 1460\n"
	"> P. 1:1461(1460) ack 1\n"
	"< icmp unreach 4 mtu 1300 seq 0\n"
	"< icmp unreach 4 mtu 1300 seq 1461\n"
	"none 10\n"
	"counter tcp_icmp_not_in_flight 2\n"
	"< icmp unreach 4 mtu 1300 seq 1\n"
	"> . 1:1261(1260) ack 1\n"
	"> P. 1261:1461(200) ack 1\n"
	"< icmp unreach 4 mtu 1300 seq 1\n"
	"none 10\n"
	"counter tcp_icmp_mtu_ignored 1\n" },
};

#define FULL	1460u	/* payload that the route takes */

/* Payload in segments of a path that is not trusted. */
static uint32_t base(bool six)
{
	return six ? 1220 : 1024;
}

/* A connection whose path was a black hole, and now a search may begin. */
static struct us_tcp *distrust(bool six)
{
	struct us_tcp *tcp;

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, six);
	bench_line("option sndbuf 1000000");
	bench_line("listen");
	bench_line("< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("+0.02 < . 1:1(0) ack 1 win 65535");
	bench_line("accept = 0");
	tcp = bench_tcp();
	tcp->dst.mtu = (uint16_t)(base(six) + (six ? 60 : 40));
	us_tcp_set_mss(tcp);
	tcp->mtu_wait = (uint8_t)(bench.now >> 36);
	return tcp;
}

/* Payload of the segment that was sent @i-th, and none has looked at. */
static uint32_t payload(unsigned int i)
{
	uint32_t headers = script_ip_len(&bench) + US_TCP_LEN;

	return i < bench.count ? bench.sent[(bench.first + i) % SCRIPT_QUEUE].len - headers : 0;
}

static void answer(const char *format, uint32_t a, uint32_t b)
{
	char text[100];

	bench_discard();
	snprintf(text, sizeof(text), format, a, b);
	bench_line(text);
}

static uint64_t count_of(enum us_counter counter)
{
	return bench_stack()->counter[counter];
}

static void test_arrives(bool six)
{
	struct us_tcp *tcp = distrust(six);

	bench_line("send 100000 = 100000");
	ok(payload(0) == FULL && payload(1) == base(six) && payload(2) == base(six),
	   "probe: the largest first, and no second one: %u, %u", payload(0), payload(1));
	answer("+0.02 < . 1:1(0) ack %u win 65535", FULL, 0);
	ok(tcp->mss == base(six), "probe: half of it is not all: %u", tcp->mss);
	answer("< . 1:1(0) ack %u win 65535", 1 + FULL + 2 * base(six), 0);
	ok(tcp->mss == FULL && tcp->dst.mtu == bench.link.mtu,
	   "probe: it arrived, segments are as large: %u", tcp->mss);
	ok(payload(0) == FULL && count_of(US_COUNT_tcp_mtu_raised) == 1,
	   "probe: new ones, too");
	bench_end();
}

/* The probe is lost, and what was sent behind it arrives. */
static struct us_tcp *lose(bool six)
{
	struct us_tcp *tcp = distrust(six);

	bench_line("send 100000 = 100000");
	answer("+0.02 < . 1:1(0) ack 1 win 65535 <nop,nop,sack %u:%u>", 1 + FULL,
	       1 + FULL + 3 * base(six));
	return tcp;
}

static void test_lost(bool six)
{
	struct us_tcp *tcp = lose(six);
	struct us_tcp_active *a = tcp->active;

	ok(payload(0) == base(six) && payload(1) == FULL - base(six),
	   "probe lost: sent again at once, in two segments: %u, %u", payload(0), payload(1));
	ok(a->ca_state == TCP_CA_Open && a->cwnd >= 10 * base(six) &&
	   tcp->ssthresh == US_TCP_SSTHRESH_INF && !a->lost,
	   "probe lost: that is no congestion: cwnd %u", a->cwnd);
	ok(tcp->mss == base(six) && !a->mtu_probe &&
	   count_of(US_COUNT_tcp_mtu_probe_lost) == 1, "probe lost: segments stay as they are");
	answer("+0.02 < . 1:1(0) ack %u win 65535", 1 + FULL + 3 * base(six), 0);
	ok(payload(0) > base(six) + 8 && payload(0) < FULL - 8,
	   "probe lost: the next one is smaller: %u", payload(0));
	bench_end();
}

/* The segment behind the probe is lost, too. */
static void test_congestion(bool six)
{
	struct us_tcp *tcp = distrust(six);

	bench_line("send 100000 = 100000");
	answer("+0.02 < . 1:1(0) ack 1 win 65535 <nop,nop,sack %u:%u>",
	       1 + FULL + base(six), 1 + FULL + 4 * base(six));
	ok(tcp->active->ca_state == TCP_CA_Recovery &&
	   tcp->ssthresh < 10 * FULL && !tcp->active->mtu_probe &&
	   !count_of(US_COUNT_tcp_mtu_probe_lost),
	   "probe and more lost: congestion, of the path's MTU nothing is learnt");
	bench_end();
}

static void test_told(bool six)
{
	struct us_tcp *tcp = distrust(six);

	bench_line("send 100000 = 100000");
	bench_discard();
	bench_line("< icmp unreach 4 mtu 1350 seq 1461");
	ok(tcp->active->mtu_high == bench.link.mtu, "ICMP about another segment: nothing");
	bench_line("< icmp unreach 4 mtu 1350 seq 1");
	ok(tcp->active->mtu_high == bench.link.mtu - 150 && tcp->mss == base(six),
	   "ICMP about the probe: the search goes on below: %u", tcp->active->mtu_high);
	bench_end();
}

/* RFC 1191 6.4, RFC 8201 5.4 */
static void test_no_congestion(bool six)
{
	struct us_tcp *tcp = distrust(six);

	tcp->dst.mtu = tcp->dst.route_mtu;
	us_tcp_set_mss(tcp);
	bench_line("send 100000 = 100000");
	bench_discard();
	bench_line("< icmp unreach 4 mtu 1300 seq 1");
	ok(payload(0) == 1260 && tcp->active->cwnd >= 10 * base(six) &&
	   tcp->ssthresh == US_TCP_SSTHRESH_INF, "ICMP: that is no congestion: cwnd %u",
	   tcp->active->cwnd);
	ok(tcp->mtu_wait == (uint8_t)((bench.now >> 36) + 9),
	   "ICMP: no search within ten minutes");
	bench_end();
}

static void test_timeout(bool six)
{
	struct us_tcp *tcp = distrust(six);

	bench_line("send 100000 = 100000");
	script_advance(&bench, bench.now + 300 * US_MSEC, false);
	ok(tcp->retries == 1 && !tcp->active->mtu_probe &&
	   !count_of(US_COUNT_tcp_mtu_probe_lost), "timeout: it says nothing of a probe");
	bench_end();
}

/* The peer's window closes behind a probe, so that a tail loss probe has nothing new to
 * send: it is the end of the other one.
 */
static struct us_tcp *tail_of_probe(bool six)
{
	struct us_tcp *tcp = distrust(six);
	char text[40];

	snprintf(text, sizeof(text), "send %u = %u", 3 * base(six), 3 * base(six));
	bench_line(text);
	bench_discard();
	tcp->active->cwnd = FULL + 3 * base(six);
	bench_line("send 50000 = 50000");
	ok(bench.count == 1 && payload(0) == FULL, "probe: at the end of what may be sent");
	answer("+0.02 < . 1:1(0) ack %u win 11", 1 + 3 * base(six), 0);
	script_advance(&bench, bench.now + 100 * US_MSEC, false);
	ok(bench.count == 1 && payload(0) == base(six) && tcp->active->mtu_probe,
	   "tail loss probe: the end of it is sent again: %u", payload(0));
	return tcp;
}

static void test_tail(bool six)
{
	struct us_tcp *tcp = tail_of_probe(six);
	uint32_t end = 1 + 3 * base(six) + FULL;
	char text[100];

	answer("+0.02 < . 1:1(0) ack %u win 65535", end, 0);
	ok(tcp->mss == FULL, "tail loss probe: all of the probe arrived, so it was no copy");
	bench_end();
	tcp = tail_of_probe(six);
	bench_discard();
	snprintf(text, sizeof(text), "+0.02 < . 1:1(0) ack %u win 65535 <nop,nop,sack %u:%u>",
		 end - FULL, end - base(six), end);
	bench_line(text);
	script_advance(&bench, bench.now + 20 * US_MSEC, false);
	answer("+0.02 < . 1:1(0) ack %u win 65535", end, 0);
	ok(tcp->mss == base(six) && !count_of(US_COUNT_tcp_mtu_raised),
	   "tail loss probe: only the copy arrived, of the path's MTU nothing is learnt");
	bench_end();
}

/* No search at once after one that ended, or after a router's word. */
static void test_pause(bool six)
{
	struct us_tcp *tcp = distrust(six);
	uint32_t i;

	tcp->mtu_wait = (uint8_t)((bench.now >> 36) + 9);
	for (i = 0; i < 2; i++) {
		bench_line("send 10000 = 10000");
		ok(count_of(US_COUNT_tcp_mtu_probe) == i && payload(0) == (i ? FULL : base(six)),
		   i ? "ten minutes later: searched" : "within ten minutes: not searched");
		answer("+0.02 < . 1:1(0) ack %u win 65535", 1 + (i + 1) * 10000, 0);
		script_advance(&bench, bench.now + 620 * US_SEC, false);
	}
	bench_end();
}

/* ------------------------------------------------- a path with a hole in it */

#define BYTES	(8u << 20)

static uint8_t data[65536];

/* Sends what fits and reads what is there; false if bytes are wrong. */
static bool move(struct ustack_socket *from, struct ustack_socket *to, uint32_t *sent,
		 uint32_t *got)
{
	static uint8_t read[sizeof(data)];
	uint32_t len = us_min32(BYTES - *sent, sizeof(data) - *sent % sizeof(data));
	ssize_t n = len ? ustack_send(from, data + *sent % sizeof(data), len, 0) : 0;

	*sent += n > 0 ? (uint32_t)n : 0;
	len = sizeof(data) - *got % sizeof(data);
	n = ustack_recv(to, read, len, 0);
	if (n <= 0)
		return true;
	*got += (uint32_t)n;
	return !memcmp(read, data + (*got - (uint32_t)n) % sizeof(data), (size_t)n);
}

/* The MTU that TCP found is as large as the hole lets through, and is found once. */
static void test_hole(const char *address, const char *cc, bool gso)
{
	uint32_t sent = 0, got = 0, raised, probes;
	const uint64_t *counter;
	struct us_tcp_info info;
	struct ustack_socket *listener, *from, *to;
	socklen_t len = sizeof(info);
	int64_t end;
	bool good = true;

	world.frozen = true;
	world_create(gso ? "delay=10,hole=1400,gso=1" : "delay=10,hole=1400");
	listener = world_listen(world.b, address, 7);
	from = world_connect(world.a, address, 7, SOCK_STREAM | SOCK_NONBLOCK);
	ustack_setsockopt(from, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc));
	world_run(WORLD_MS(60));
	to = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	for (end = world.now + WORLD_MS(60000); to && got < BYTES && world.now < end;) {
		good &= move(from, to, &sent, &got);
		world_run(WORLD_MS(1));
	}
	ok(good && got == BYTES, "hole of 1400, %s, %s%s: all arrives (%u)", address, cc,
	   gso ? ", super-segments" : "", got);
	ustack_getsockopt(from, IPPROTO_TCP, TCP_INFO, &info, &len);
	ok(info.base.tcpi_pmtu > 1392 && info.base.tcpi_pmtu <= 1400,
	   "hole: MTU found: %u", info.base.tcpi_pmtu);
	counter = ((struct us_stack *)world.a)->counter;
	raised = (uint32_t)counter[US_COUNT_tcp_mtu_raised];
	probes = (uint32_t)counter[US_COUNT_tcp_mtu_probe];
	ok(counter[US_COUNT_tcp_mtu_black_hole] == 1 && probes >= 5 && probes <= 10 &&
	   raised + counter[US_COUNT_tcp_mtu_probe_lost] == probes &&
	   !counter[US_COUNT_tcp_fast_retransmit],
	   "hole: %u probes, of which %u arrived; no other loss", probes, raised);
	world_destroy();
}

int main(int argc, char **argv)
{
	size_t i;
	int six;

	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	for (six = 0; six < 2; six++) {
		test_arrives(six);
		test_lost(six);
		test_congestion(six);
		test_told(six);
		test_no_congestion(six);
		test_timeout(six);
		test_tail(six);
		test_pause(six);
	}
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 ^ i >> 8);
	test_hole("10.0.0.2", "cubic", false);
	test_hole("fd00::2", "cubic", false);
	test_hole("10.0.0.2", "cubic", true);
	test_hole("10.0.0.2", "reno", false);
	test_hole("10.0.0.2", "bbr", false);
	return finish();
}
