// SPDX-License-Identifier: MIT
/*
 * Under attack: what strangers, and peers who do not play by the rules, may take of
 * a stack.  First scripts (packet_script.h), then floods.
 */
#include "tcp_bench.h"

#define OPEN_PLAIN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n" \
	"> . 1:1(0) ack 1\n"

static const struct named_script scripts[] = {
	{ "SYN cookie: nothing is remembered, and all options are kept",
	"option rcvbuf 1000000\n"
	"option half 0\n"
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1450,sackOK,TS val 700 ecr 0,nop,wscale 9>\n"
	"> S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val * ecr 700,nop,wscale 4>\n"
	"state CLOSE\n"
	"counter tcp_cookie_sent 1\n"
	"none 5000\n"
	"< . 1:1(0) ack 1 win 8 <nop,nop,TS val 730 ecr 0>\n"
	"counter tcp_cookie_accepted 1\n"
	"state ESTABLISHED\n"
	"accept = 0\n"
	"< P. 101:201(100) ack 1 win 8 <nop,nop,TS val 731 ecr 0>\n"
	"> . 1:1(0) ack 1 <nop,nop,TS val * ecr 730,nop,nop,sack 101:201>\n"
	"# the window is 8 << 9, and the MSS one of four, not more than was told\n"
	"send 6000 = 6000\n"
	"> . 1:1417(1416) ack 1\n"
	"> . 1417:2833(1416) ack 1\n# IPv4: 1440\n" },

	{ "SYN cookie: a peer that offers nothing",
	"option half 0\n"
	"listen\n"
	"< S 0:0(0) win 29200\n"
	"> S. 0:0(0) ack 1 <mss 1460>\n"
	"+0.1 < . 1:1(0) ack 1 win 10000\n"
	"accept = 0\n"
	"option nodelay 1\n"
	"send 600 = 600\n"
	"> . 1:537(536) ack 1 <>\n"
	"> P. 537:601(64) ack 1\n# IPv4: 536\n" },

	{ "SYN cookie: window scale and SACK without timestamps",
	"option half 0\n"
	"listen\n"
	"< S 0:0(0) win 100 <mss 1300,nop,nop,sackOK,nop,wscale 14>\n"
	"> S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 7>\n"
	"+0.1 < . 1:1(0) ack 1 win 1\n"
	"accept = 0\n"
	"option nodelay 1\n"
	"send 3900 = 3900\n"
	"> . 1:1301(1300) ack 1 <>\n> . 1301:2601(1300) ack 1\n"
	"> P. 2601:3901(1300) ack 1\n"
	"< . 101:201(100) ack 3901 win 1\n"
	"> . 3901:3901(0) ack 1 <nop,nop,sack 101:201>\n# IPv4: 1300\n" },

	{ "SYN cookie: the last ACK of the handshake was lost, data brings it back",
	"option half 0\n"
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1460>\n"
	"> S. 0:0(0) ack 1\n"
	"+0.1 < P. 1:101(100) ack 1 win 10000\n"
	"> . 1:1(0) ack 101\n"
	"accept = 0\n"
	"recv 200 = 100\n" },

	{ "SYN cookie: one that was not sent is no cookie",
	"option half 0\n"
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1460>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 2:2(0) ack 1 win 10000\n"
	"> R 1:1(0)\n"
	"< . 1:1(0) ack 2000 win 10000\n"
	"> R 2000:2000(0)\n"
	"option peer_port 7778\n"
	"< . 1:1(0) ack 1 win 10000\n"
	"> R 1:1(0)\n"
	"option peer_port 7777\n"
	"< . 1:1(0) ack 1 win 10000 <nop,nop,TS val 1 ecr 0>\n"
	"> R 1:1(0)\n"
	"counter tcp_cookie_refused 4\n"
	"< . 1:1(0) ack 1 win 10000\n"
	"accept = 0\n" },

	{ "SYN cookie: an MSS below all that it can tell is not raised",
	"option half 0\n"
	"listen\n"
	"< S 0:0(0) win 29200 <mss 500>\n"
	"none 100\n"
	"counter tcp_syn_dropped 1\n" },

	{ "SYN cookie: none for a single peer, whose SYN comes again",
	"option half 0\n"
	"listen_peer\n"
	"< S 0:0(0) win 29200 <mss 1460>\n"
	"none 100\n"
	"counter tcp_syn_dropped_peer 1\n" },

	{ "SYN cookie: none behind TIME-WAIT, and of the SYN no text",
	"option half 0\n"
	"listen\n"
	"< S 0:10(10) win 29200 <mss 1460>\n"
	"> S. 0:0(0) ack 1\n"
	"counter tcp_syn_text 1\n"
	"< . 1:1(0) ack 1 win 10000\n"
	"accept = 0\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"< S 100:100(0) win 29200 <mss 1460>\n"
	"none 100\n"
	"counter tcp_syn_dropped_wait 1\n" },

	{ "SYN-RECEIVED: SYNs are answered twice a second at most",
	"listen\n"
	"< S 0:0(0) win 29200 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< S 0:0(0) win 29200 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"+0.1 < S 0:0(0) win 29200 <mss 1000>\n"
	"none 100\n"
	"counter tcp_syn_limited 1\n"
	"+0.4 < S 0:0(0) win 29200 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n" },

	{ "TIME-WAIT: empty segments are answered twice a second at most, FIN always",
	OPEN_PLAIN
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"+1 < . 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"+0.1 < . 1:1(0) ack 2\n"
	"none 10\n"
	"counter tcp_time_wait_limited 1\n"
	"counter tcp_time_wait_old 2\n"
	"< . 2:2(0) ack 2\n"
	"none 10\n"
	"counter tcp_time_wait_ack 1\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n" },

	{ "TIME-WAIT: SYNs that open nothing are answered so, too, whatever they bring",
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2\n"
	"> . 2:2(0) ack 2\n"
	"+1 < S 1:4(3) win 65535 <mss 1000>\n"
	"> . 2:2(0) ack 2\n"
	"< S 1:4(3) win 65535 <mss 1000>\n"
	"< SF 1:1(0) win 65535 <mss 1000>\n"
	"counter tcp_time_wait_limited 2\n"
	"# a listener would not take this one\n"
	"+1 < SF 100000:100000(0) win 65535 <mss 1000>\n"
	"> . 2:2(0) ack 2\n"
	"counter tcp_time_wait_syn 4\n"
	"waits 1\n" },

	{ "TIME-WAIT: a FIN of long ago does not prolong it (PAWS)",
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000,nop,nop,TS val 700 ecr 0>\n"
	"> . 1:1(0) ack 1\n"
	"close\n"
	"> F. 1:1(0) ack 1\n"
	"< F. 1:1(0) ack 2 <nop,nop,TS val 701 ecr 0>\n"
	"> . 2:2(0) ack 2\n"
	"+59 < F. 1:1(0) ack 2 <nop,nop,TS val 699 ecr 0>\n"
	"> . 2:2(0) ack 2\n"
	"counter tcp_time_wait_old 1\n"
	"+1.5 waits 0\n" },

	{ "orphans: who closes when too many do is reset",
	"option orphans 0\n"
	OPEN_PLAIN
	"close\n"
	"> R. 1:1(0) ack 1\n"
	"counter tcp_orphan_dropped 1\n"
	"state CLOSE\n" },

	{ "orphan: a closed window is not waited for for ever",
	OPEN_PLAIN
	"< . 1:1(0) ack 1 win 0\n"
	"send 10 = 10\n"
	"close\n"
	"+0.2 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+0.4 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+0.8 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+1.6 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+3.2 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+6.4 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+12.8 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+25.6 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+51.3 state CLOSE\n" },

	{ "TCP_USER_TIMEOUT: data that is not acknowledged (RFC 5482)",
	"option user_timeout 1000\n"
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"+0.4 > P. 1:11(10) ack 1\n"
	"+0.38 poll = OUT\n"
	"+0.03 recv 10 = ETIMEDOUT\n" },

	{ "TCP_USER_TIMEOUT: a tail loss probe does not begin it anew",
	"option user_timeout 1000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"< S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK>\n"
	"> . 1:1(0) ack 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"+0.4 > P. 1:11(10) ack 1\n"
	"+0.18 poll = OUT\n"
	"+0.03 recv 10 = ETIMEDOUT\n" },

	{ "TCP_USER_TIMEOUT: less than a tick is not no limit",
	"option user_timeout 1\n"
	OPEN_PLAIN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.21 recv 10 = ETIMEDOUT\n" },

	{ "TCP_USER_TIMEOUT: begins anew with every progress",
	"option user_timeout 1000\n"
	OPEN_PLAIN
	"option nodelay 1\n"
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"+0.2 > P. 1:11(10) ack 1\n"
	"+0.4 > P. 1:11(10) ack 1\n"
	"+0.01 < . 1:1(0) ack 6\n"
	"+0.2 > P. 6:11(5) ack 1\n"
	"+0.4 > P. 6:11(5) ack 1\n"
	"+0.38 poll = OUT\n"
	"+0.03 recv 10 = ETIMEDOUT\n" },

	{ "TCP_USER_TIMEOUT: a window that stays closed, though probes are answered",
	"option user_timeout 1000\n"
	OPEN_PLAIN
	"< . 1:1(0) ack 1 win 0\n"
	"send 10 = 10\n"
	"+0.2 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+0.4 > . 0:0(0) ack 1\n< . 1:1(0) ack 1 win 0\n"
	"+0.58 poll = OUT\n"
	"+0.05 recv 10 = ETIMEDOUT\n" },

	{ "TCP_USER_TIMEOUT: a SYN",
	"option user_timeout 5000\n"
	"connect = EINPROGRESS\n"
	"> S 0:0(0)\n"
	"+1 > S 0:0(0)\n"
	"+2 > S 0:0(0)\n"
	"+3.9 state SYN_SENT\n"
	"+0.2 error = ETIMEDOUT\n" },
};

/* ------------------------------------------------------------------- floods */

static struct us_tcp_table *table(void)
{
	return bench_stack()->tcp;
}

static uint32_t used(enum us_tcp_share share)
{
	return table()->share[share].used;
}

static uint64_t counted(enum us_counter counter)
{
	return bench_stack()->counter[counter];
}

static void begin(void)
{
	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_line("listen");
	bench.lossy = true;
}

static void end(void)
{
	ok(!bench.why[0], "as scripted%s%s", bench.why[0] ? ": " : "", bench.why);
	bench_end();
}

/* SYNs from ports of their own, whose owners never answer. */
static void flood(unsigned int count)
{
	struct script_segment syn = { .flags = US_TCP_SYN, .window = 1000,
				      .options_len = -1 };
	unsigned int i;

	for (i = 0; i < count; i++) {
		bench.peer_port = (uint16_t)(10000 + i % 50000);
		syn.seq = i;
		script_receive(&bench, &syn);
		bench_discard();
	}
	bench.peer_port = SCRIPT_PEER_PORT;
}

static void test_flood(void)
{
	uint32_t most;

	begin();
	most = table()->share[US_TCP_SHARE_HALF].most;
	flood(20000);
	ok(used(US_TCP_SHARE_HALF) == most && table()->conns.used == most,
	   "%u half-open connections are remembered, %llu got a cookie",
	   used(US_TCP_SHARE_HALF),
	   (unsigned long long)counted(US_COUNT_tcp_cookie_sent));
	ok(counted(US_COUNT_tcp_cookie_sent) == 20000 - most,
	   "every SYN was answered");
	/* A good peer gets in, and the stack's own user gets out. */
	bench_line("< S 0:0(0) win 29200 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("< P. 1:11(10) ack 1 win 29200");
	bench_line("> . 1:1(0) ack 11");
	bench_line("accept = 0");
	bench_line("recv 10 = 10");
	bench.socket = NULL;
	bench_line("option peer_port 7777");
	bench_line("connect = EINPROGRESS");
	bench_line("> S 0:0(0)");
	ok(used(US_TCP_SHARE_USER) == 2, "users have what they need");
	script_advance(&bench, bench.now + 70 * US_SEC, false);
	bench_discard();
	ok(!used(US_TCP_SHARE_HALF), "a minute later nothing is left of it");
	end();
}

/* Guesses at cookies: each costs one hash or two, a RST, and no memory. */
static void test_guesses(void)
{
	struct script_segment ack = { .flags = US_TCP_ACK, .window = 1000,
				      .options_len = -1 };
	unsigned int i;

	begin();
	bench_line("option half 0");
	flood(1);
	for (i = 0; i < 20000; i++) {
		ack.ack = i * 2654435761u;
		bench.peer_port = (uint16_t)(10000 + i % 50000);
		script_receive(&bench, &ack);
		bench_discard();
	}
	ok(counted(US_COUNT_tcp_cookie_accepted) == 0 &&
	   counted(US_COUNT_tcp_cookie_refused) == 20000, "no guess is right");
	ok(!table()->conns.used, "and none takes memory");
	end();
}

/* Does a cookie that is so old bring a connection? */
static bool works_after(int64_t age)
{
	bool works;

	begin();
	bench_line("option half 0");
	bench_line("< S 0:0(0) win 29200 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	script_advance(&bench, bench.now + age, false);
	flood(1);	/* cookies are still in use */
	bench_line("< . 1:1(0) ack 1 win 10000");
	works = counted(US_COUNT_tcp_cookie_accepted);
	bench_discard();
	end();
	return works;
}

static void test_age(void)
{
	ok(works_after(34 * US_SEC) && !works_after(69 * US_SEC),
	   "a cookie is good for 34 s, and for no more than 69 s");
}

/* Peers whose connections are closed and who never say that they heard of it. */
static void test_orphans(void)
{
	uint32_t most;
	unsigned int i;

	begin();
	most = table()->share[US_TCP_SHARE_ORPHAN].most;
	for (i = 0; i < most + 50; i++) {
		bench.peer_port = (uint16_t)(10000 + i);
		bench_line("< S 0:0(0) win 29200 <mss 1460>");
		bench_line("> S. 0:0(0) ack 1");
		bench_line("< . 1:1(0) ack 1 win 29200");
		bench_line("accept = 0");
		bench_line("close");
		bench_discard();
	}
	ok(used(US_TCP_SHARE_ORPHAN) == most, "%u orphans, no more",
	   used(US_TCP_SHARE_ORPHAN));
	ok(counted(US_COUNT_tcp_orphan_dropped) == 50, "the others were reset");
	bench.peer_port = SCRIPT_PEER_PORT;
	bench_line("< S 0:0(0) win 29200 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("< P. 1:11(10) ack 1 win 29200");
	bench_line("> . 1:1(0) ack 11");
	bench_line("accept = 0");
	bench_line("recv 10 = 10");
	script_advance(&bench, bench.now + 200 * US_SEC, false);
	bench_discard();
	ok(!used(US_TCP_SHARE_ORPHAN), "all of them end");
	end();
}

/* RFC 6056: the ports that the stack chooses for one peer, @from on; host byte order. */
static void choose_ports(uint16_t peer_port, uint16_t *port, unsigned int count)
{
	struct us_dst dst = { .local = script_addr(&bench, 1),
			      .remote = script_addr(&bench, 2), .family = AF_INET };
	unsigned int i;

	for (i = 0; i < count; i++) {
		port[i] = 0;
		us_tcp_port_choose(table(), &dst, htons(peer_port), &port[i]);
		port[i] = ntohs(port[i]);
	}
}

static void test_ports(void)
{
	uint16_t a[32], b[32];
	unsigned int i, steps = 0, same = 0;

	begin();
	choose_ports(80, a, 32);
	choose_ports(81, b, 32);
	for (i = 1; i < 32; i++) {
		steps |= 1u << ((uint16_t)(a[i] - a[i - 1]) % 32);
		same += (uint16_t)(b[i] - b[0]) == (uint16_t)(a[i] - a[0]);
	}
	ok((steps & (steps - 1)) != 0, "ports: the steps from one to the next differ");
	ok(a[0] >= 32768 && b[0] >= 32768 && a[31] != b[0] && a[31] + 1 != b[0] &&
	   same < 16, "ports: another peer's are elsewhere");
	end();
}

int main(int argc, char **argv)
{
	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	test_flood();
	test_guesses();
	test_age();
	test_ports();
	test_orphans();
	return finish();
}
