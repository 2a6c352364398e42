// SPDX-License-Identifier: MIT
/* What can be seen of a connection: TCP_INFO, counters, the log of events. */
#include "tcp_bench.h"

static struct us_tcp_info info_of(struct ustack_socket *socket)
{
	struct us_tcp_info info;
	socklen_t length = sizeof(info);

	memset(&info, 0xff, sizeof(info));
	if (ustack_getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) ||
	    length != sizeof(info))
		script_fail(&bench, "TCP_INFO: %s", strerror(errno));
	return info;
}

static struct us_tcp_info info(void)
{
	return info_of(bench.socket);
}

static void end(void)
{
	ok(!bench.why[0], "as scripted%s%s", bench.why[0] ? ": " : "", bench.why);
	bench_end();
}

/* Within a tick or so. */
static bool about(uint64_t value, uint64_t wanted)
{
	return value + 3000 >= wanted && value <= wanted + 3000;
}

static void test_sending(void)
{
	struct us_tcp_info i;

	bench_begin("option sndbuf 100000");
	bench_line("send 7300 = 7300");
	bench_discard();
	i = info();
	ok(i.segs_out == 5 && i.data_segs_out == 5 && i.bytes_sent == 7300 &&
	   i.base.tcpi_unacked == 5, "five segments are on their way");
	bench_line("+0.02 < . 1:1(0) ack 1461 win 65535");
	bench_line("< . 1:1(0) ack 1461 win 65535 <nop,nop,sack 2921:7301>");
	bench_line("> . 1461:2921(1460) ack 1");
	i = info();
	ok(i.bytes_acked == 1460 && i.delivered == 4 && i.base.tcpi_sacked == 3,
	   "one is acknowledged, three are sacked");
	ok(i.bytes_retrans == 1460 && i.base.tcpi_total_retrans == 1 &&
	   i.bytes_sent == 8760 && i.segs_out == 6, "one is sent again");
	ok(about(i.min_rtt, 20000) && i.delivery_rate > 0, "RTT %u us, %llu bytes/s",
	   i.min_rtt, (unsigned long long)i.delivery_rate);
	bench_line("+0.02 < . 1:1(0) ack 7301 win 65535");
	bench_line("+0.1 poll = OUT");
	i = info();
	ok(i.bytes_acked == 7300 && i.segs_in == 3 && i.data_segs_in == 0 &&
	   i.notsent_bytes == 0, "all of it arrived");
	ok(about(i.busy_time, 40000) && !i.rwnd_limited && !i.sndbuf_limited,
	   "busy for 40 ms: %llu us", (unsigned long long)i.busy_time);
	end();
}

/* A window is told in whole segments: so many may be on their way.  What is there of one,
 * or more than nothing, is one.
 */
static void test_window(void)
{
	struct us_tcp *tcp = bench_begin("option sndbuf 100000");
	struct us_tcp_info i;

	bench_line("send 7300 = 7300");
	bench_discard();
	tcp->active->cwnd = 7 * 1460 + 200;
	tcp->ssthresh = 6 * 1460 + 1459;
	i = info();
	ok(i.base.tcpi_snd_cwnd == 7 && i.base.tcpi_snd_ssthresh == 6,
	   "windows: %u and %u whole segments", i.base.tcpi_snd_cwnd,
	   i.base.tcpi_snd_ssthresh);
	tcp->active->cwnd = 1000;
	ok(info().base.tcpi_snd_cwnd == 1, "less than a segment is one, too");
	tcp->active->cwnd = 10 * 1460;
	ok(info().base.tcpi_ca_state == TCP_CA_Open, "nothing is missing: open");
	bench_line("+0.02 < . 1:1(0) ack 1 win 65535 <nop,nop,sack 1461:2921>");
	ok(info().base.tcpi_ca_state == TCP_CA_Disorder, "something is, but maybe late: disorder");
	bench_line("+0.001 < . 1:1(0) ack 7301 win 65535");
	ok(info().base.tcpi_ca_state == TCP_CA_Open, "it came: open");
	end();
}

/* Without SACK duplicate ACKs tell so. */
static void test_disorder(void)
{
	bench_begin("option sndbuf 100000");
	bench_tcp()->flags &= ~US_TCP_SACK;
	bench_line("send 7300 = 7300");
	bench_discard();
	bench_line("+0.02 < . 1:1(0) ack 1 win 65535");
	ok(info().base.tcpi_ca_state == TCP_CA_Disorder, "a duplicate ACK: disorder");
	bench_line("+0.001 < . 1:1(0) ack 7301 win 65535");
	end();
}

static void test_limits(void)
{
	struct us_tcp_info i;

	bench_begin("option sndbuf 3000");
	bench_line("send 3000 = 3000");
	bench_discard();
	i = info();
	ok(i.notsent_bytes == 0 && i.snd_wnd == 65535 << 7 &&
	   i.rcv_wnd > 60000, "the windows are told");
	bench_line("+0.03 < . 1:1(0) ack 3001 win 0");
	i = info();
	ok(about(i.sndbuf_limited, 30000), "limited by the send queue: %llu us",
	   (unsigned long long)i.sndbuf_limited);
	bench_line("send 1000 = 1000");
	bench_line("+0.15 poll = OUT");
	i = info();
	ok(about(i.rwnd_limited, 150000) && i.notsent_bytes == 1000,
	   "limited by the peer: %llu us", (unsigned long long)i.rwnd_limited);
	ok(about(i.busy_time, 180000), "both are busy: %llu us",
	   (unsigned long long)i.busy_time);
	end();
}

/* A window that takes no segment is no better than a closed one. */
static void test_limited_by_silly_window(void)
{
	struct us_tcp_info i;

	bench_begin("option nodelay 1");
	bench_line("send 1460 = 1460");
	bench_discard();
	bench_line("< . 1:1(0) ack 1461 win 1");
	bench_line("send 1000 = 1000");
	bench_line("+0.1 poll = OUT");
	i = info();
	ok(about(i.rwnd_limited, 100000), "limited by a silly window: %llu us",
	   (unsigned long long)i.rwnd_limited);
	bench_line("< . 1:1(0) ack 1461 win 65535");
	bench_line("> P. 1461:2461(1000) ack 1");
	bench_line("+0.02 < . 1:1(0) ack 2461 win 65535");
	i = info();
	ok(about(i.rwnd_limited, 100000) && about(i.busy_time, 120000),
	   "then by the path: busy for %llu us", (unsigned long long)i.busy_time);
	end();
}

/* Of a cwnd of ten segments, and a window of half a segment more. */
static void test_limited_by_path(void)
{
	struct us_tcp_info i;

	bench_begin("option nodelay 1");
	bench_line("< P. 1:2(1) ack 1 win 65535");
	bench_line("> . 1:1(0) ack 2");
	bench_line("< P. 2:3(1) ack 1 win 119");
	bench_line("> . 1:1(0) ack 3");
	bench_line("send 30000 = 30000");
	bench_discard();
	bench_line("+0.01 poll = IN|OUT");
	i = info();
	ok(i.base.tcpi_unacked == 10 && !i.rwnd_limited,
	   "the congestion window is full, and the peer's nearly so: %llu us",
	   (unsigned long long)i.rwnd_limited);
	end();
}

/* What each segment may bring, beside the options that each one has. */
static void test_advertised(void)
{
	struct us_tcp_info i;

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_line("listen");
	bench_line("< S 0:0(0) win 65535 <mss 1200,sackOK,TS val 1 ecr 0,nop,wscale 7>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("+0.02 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 21 ecr 1>");
	bench_line("accept = 0");
	i = info();
	ok(i.base.tcpi_advmss == 1448 && i.base.tcpi_snd_mss == 1188,
	   "timestamps are taken off what was advertised, too: %u", i.base.tcpi_advmss);
	end();
}

static void test_last_data(void)
{
	struct us_tcp_info i;

	bench_begin("option nodelay 1");
	bench_line("+5 poll = OUT");
	i = info();
	ok(i.base.tcpi_last_data_recv / 10 - 499 <= 1 && i.base.tcpi_last_data_sent / 10 - 499 <= 1,
	   "open for 5 s, without data: %u ms", i.base.tcpi_last_data_recv);
	bench_line("send 10 = 10");
	bench_line("> P. 1:11(10) ack 1");
	bench_line("< . 1:1(0) ack 11 win 65535");
	bench_line("+0.5 poll = OUT");
	i = info();
	ok(i.base.tcpi_last_data_recv / 100 == 5 && i.base.tcpi_last_data_sent / 100 == 5,
	   "sent 500 ms ago, nothing came: %u ms", i.base.tcpi_last_data_recv);
	bench_line("+30 poll = OUT");
	i = info();
	ok(i.base.tcpi_last_data_recv / 1000 == 30 && i.base.tcpi_last_data_sent / 1000 == 30,
	   "idle for 30 s: %u ms", i.base.tcpi_last_data_sent);
	end();
}

/* Microseconds go round in 73 minutes. */
static void test_limited_for_hours(void)
{
	int64_t begin;
	struct us_tcp_info i;

	bench_begin("option sndbuf 3000");
	bench_line("< . 1:1(0) ack 1 win 0");
	begin = bench.now;
	bench_line("send 1000 = 1000");
	while (bench.now < begin + 3 * 3600 * US_SEC) {
		script_advance(&bench, bench.now + 100 * US_SEC, false);
		bench_discard();
		bench_line("< . 1:1(0) ack 1 win 0");
	}
	i = info();
	ok(about(i.rwnd_limited, (uint64_t)(bench.now - begin) / 1000),
	   "limited by the peer for three hours: %llu s",
	   (unsigned long long)i.rwnd_limited / 1000000);
	end();
}

static void test_timeouts(void)
{
	struct us_tcp_info i;

	bench_begin("option nodelay 1");
	bench_line("send 100 = 100");
	bench_discard();
	script_advance(&bench, bench.now + 920 * US_MSEC, false);
	bench_discard();
	bench_line("< . 1:1(0) ack 101 win 65535");
	i = info();
	ok(i.total_rto == 2 && i.total_rto_recoveries == 1,
	   "two timeouts, one after the other");
	ok(i.total_rto_time >= 900 && i.total_rto_time <= 930,
	   "they cost %u ms, since what was lost was sent", i.total_rto_time);
	end();
}

/* The peer keeps its window closed, and what is in flight does not get in. */
static void test_timeouts_for_hours(void)
{
	int64_t begin, spent;
	struct us_tcp_info i;

	bench_begin("option nodelay 1");
	begin = bench.now;
	bench_line("send 100 = 100");
	while (bench.now < begin + 3 * 3600 * US_SEC) {
		script_advance(&bench, bench.now + 100 * US_SEC, false);
		bench_discard();
		bench_line("< . 1:1(0) ack 1 win 0");
	}
	bench_line("< . 1:1(0) ack 101 win 65535");
	i = info();
	spent = (bench.now - begin) / US_MSEC;
	ok(i.total_rto_time + 1000 > spent && i.total_rto_time < spent + 1000,
	   "timeouts that cost three hours: %u ms", i.total_rto_time);
	end();
}

static void test_gibibytes(void)
{
	struct us_tcp *tcp = bench_begin("option nodelay 1");
	struct us_tcp_info i;

	bench_line("send 1460 = 1460");
	bench_discard();
	bench_line("< . 1:1(0) ack 1461 win 65535");
	tcp->bytes_acked += 1ULL << 32;
	i = info();
	ok(i.delivered == (1ULL << 32) / 1460 + 2, "more than 4 GiB were delivered: %u segments",
	   i.delivered);
	end();
}

static void test_receiving(void)
{
	struct us_tcp_info i;

	bench_begin("option rcvbuf 100000");
	bench_line("< . 101:201(100) ack 1 win 65535");
	bench_discard();
	bench_line("< . 1:101(100) ack 1 win 65535");
	bench_discard();
	bench_line("< F. 201:201(0) ack 1 win 65535");
	bench_discard();
	i = info();
	ok(i.bytes_received == 200 && i.rcv_ooopack == 1 && i.data_segs_in == 2,
	   "200 bytes, one segment out of order; a FIN is no byte");
	end();
}

static void test_dsack(void)
{
	struct us_tcp_info i;

	bench_begin("option nodelay 1");
	bench_line("send 100 = 100");
	bench_discard();
	script_advance(&bench, bench.now + 250 * US_MSEC, false);
	bench_discard();
	bench_line("< . 1:1(0) ack 101 win 65535 <nop,nop,sack 1:101>");
	i = info();
	ok(i.dsack_dups == 1, "the peer had it twice");
	ok(bench_stack()->counter[US_COUNT_tcp_dsack_in] == 1, "the stack counts it, too");
	end();
}

static const char *wanted;
static uint64_t found;

static void find_counter(void *arg, const char *name, uint64_t value)
{
	(void)arg;
	if (!strcmp(name, wanted))
		found = value;
}

static uint64_t total(const char *name)
{
	wanted = name;
	found = UINT64_MAX;
	ustack_counters(bench.stack, find_counter, NULL);
	return found;
}

static void totals_are(const char *when)
{
	ok(total("tcp_bytes_sent") == 200 && total("tcp_bytes_retransmit") == 100 &&
	   total("tcp_bytes_acked") == 100 && total("tcp_bytes_received") == 50 &&
	   total("tcp_data_segs_in") == 1 && total("tcp_data_segs_out") == 3 &&
	   total("tcp_tail_probe") == 1, "%s: all is counted, and once", when);
}

/* Each byte counts once, whether its connection lives, is idle, or has ended. */
static void test_totals(bool idle)
{
	bench_begin("option nodelay 1");
	bench_line("send 50 = 50");
	bench_line("> P. 1:51(50) ack 1");
	bench_line("send 50 = 50");
	bench_line("> P. 51:101(50) ack 1");
	bench_line("+0.22 > P. 1:101(100) ack 1");	/* a tail loss probe */
	bench_line("< P. 1:51(50) ack 101 win 65535");
	bench_discard();
	bench_line("recv 100 = 50");
	totals_are("alive");
	script_advance(&bench, bench.now + idle * 20 * US_SEC, false);
	bench_discard();
	ok(!bench_tcp()->active == idle, "active or idle");
	totals_are(idle ? "idle" : "active");
	bench_line("< R. 51:51(0) ack 101");
	ok(!bench_tcp(), "reset");
	totals_are("reset, and the user has not let go");
	bench_line("error = ECONNRESET");
	bench_line("close");
	totals_are("closed");
	end();
}

/* Whenever one looks, nothing is under way: that alone is not idle. */
static void test_lively(void)
{
	struct us_tcp_info i;
	char text[80];
	uint32_t n;

	bench_begin("option nodelay 1");
	for (n = 0; n < 20; n++) {
		bench_line("send 100 = 100");
		bench_discard();
		snprintf(text, sizeof(text), "+0.02 < P. %u:%u(50) ack %u win 65535",
			 1 + 50 * n, 51 + 50 * n, 101 + 100 * n);
		bench_line(text);
		bench_discard();
		bench_line("recv 100 = 50");
		script_advance(&bench, bench.now + 3 * US_SEC, false);
		bench_discard();
	}
	i = info();
	ok(total("tcp_bytes_sent") == 2000 && total("tcp_data_segs_in") == 20,
	   "and the stack tells of those who live");
	ok(i.data_segs_out == 20 && i.data_segs_in == 20 && i.bytes_sent == 2000 &&
	   about(i.min_rtt, 20000), "a request every three seconds: all of a minute is told");
	end();
}

/* 100 bytes, acknowledged after @rtt, and five seconds. */
static uint32_t least_after(const char *rtt, uint32_t n)
{
	char text[80];

	bench_line("send 100 = 100");
	bench_discard();
	snprintf(text, sizeof(text), "+%s < . 1:1(0) ack %u win 65535", rtt, 101 + 100 * n);
	bench_line(text);
	script_advance(&bench, bench.now + 5 * US_SEC, false);
	return info().min_rtt;
}

/* The path becomes longer, and shorter. */
static void test_least_rtt(void)
{
	uint32_t n = 0;

	bench_begin("option nodelay 1");
	ok(about(least_after("0.02", n++), 20000), "the least RTT: 20 ms");
	while (n < 45)
		least_after("0.06", n++);
	ok(about(least_after("0.06", n++), 20000), "less than four minutes later, too");
	while (n < 61)
		least_after("0.06", n++);
	ok(about(least_after("0.06", n++), 60000), "after five minutes it is forgotten");
	ok(about(least_after("0.01", n++), 10000), "a path that is shorter is seen at once");
	end();
}

/* Who asks for less gets less, and a connection that is folded still knows its bytes. */
static void test_idle(void)
{
	struct us_tcp *tcp = bench_begin("option nodelay 1");
	struct us_tcp_info i;
	struct tcp_info old;
	socklen_t length = sizeof(old);

	bench_line("send 100 = 100");
	bench_discard();
	bench_line("< P. 1:51(50) ack 101 win 65535");
	bench_discard();
	bench_line("recv 100 = 50");
	script_advance(&bench, bench.now + 11 * US_SEC, false);
	bench_discard();
	i = info();
	ok(!tcp->active && i.bytes_acked == 100 && i.bytes_received == 50 &&
	   i.pacing_rate == UINT64_MAX && i.min_rtt == UINT32_MAX,
	   "an idle connection knows its bytes");
	ok(!ustack_getsockopt(bench.socket, IPPROTO_TCP, TCP_INFO, &old, &length) &&
	   length == sizeof(old) && old.tcpi_state == TCP_ESTABLISHED,
	   "libc's struct is filled, and no more");
	end();
}

/* As Linux tells it, and who asks how full the queue is. */
static void test_listening(void)
{
	struct us_tcp_info i;

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_line("listen");
	i = info_of(bench.listener);
	ok(i.base.tcpi_state == TCP_LISTEN && i.base.tcpi_unacked == 0 &&
	   i.base.tcpi_sacked == 1, "listening: of %u nobody waits", i.base.tcpi_sacked);
	bench_line("< S 0:0(0) win 65535 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	i = info_of(bench.listener);
	ok(i.base.tcpi_unacked == 0, "listening: half a connection does not wait");
	bench_line("< . 1:1(0) ack 1 win 65535");
	i = info_of(bench.listener);
	ok(i.base.tcpi_unacked == 1, "listening: one waits to be accepted");
	bench_line("accept = 0");
	i = info_of(bench.listener);
	ok(i.base.tcpi_unacked == 0, "listening: none waits any more");
	end();
}

/* ------------------------------------------------------------------------ log */

static char log_text[4096];

static void append(void *arg, const struct ustack_event *event)
{
	char line[256];
	size_t used = strlen(log_text);

	(void)arg;
	ustack_event_print(event, line, sizeof(line));
	/* Without the time, and without what congestion control makes of it. */
	*strstr(line, " cwnd") = '\0';
	snprintf(log_text + used, sizeof(log_text) - used, "%s\n", strchr(line, ' ') + 1);
}

static const char *read_log(struct ustack_socket *socket)
{
	log_text[0] = '\0';
	ustack_trace_read(bench.stack, socket, append, NULL);
	return log_text;
}

static void is(const char *got, const char *wanted, const char *name)
{
	if (!ok(!strcmp(got, wanted), "%s", name))
		printf("# got:\n# %s\n# wanted:\n# %s\n", got, wanted);
}

static void test_log(void)
{
	struct us_tcp *tcp;
	char wanted[1024];
	uint32_t isn;

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	ok(ustack_trace(bench.stack, 100) == 0, "the log is on");
	bench_line("option nodelay 1");
	bench_line("listen");
	bench_line("< S 0:0(0) win 65535 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("< . 1:1(0) ack 1 win 65535");
	bench_line("accept = 0");
	isn = bench.isn;
	bench_line("send 100 = 100");
	bench_discard();
	script_advance(&bench, bench.now + 250 * US_MSEC, false);
	bench_discard();
	bench_line("< R 50:50(0)");
	bench_discard();
	bench_line("< F. 1:1(0) ack 101 win 65535");
	bench_discard();
	bench_line("< R 2:2(0)");
	tcp = bench_tcp();
	snprintf(wanted, sizeof(wanted),
		 "80 10.0.0.2 7777 state CLOSED -> SYN-RECEIVED\n"
		 "80 10.0.0.2 7777 state SYN-RECEIVED -> ESTABLISHED\n"
		 "80 10.0.0.2 7777 timeout %u:%u\n"
		 "80 10.0.0.2 7777 retransmit %u:%u\n"
		 "80 10.0.0.2 7777 challenge 4294966897:4294966897\n"
		 "80 10.0.0.2 7777 state ESTABLISHED -> CLOSE-WAIT\n"
		 "80 10.0.0.2 7777 reset 4294966898:4294966898\n"
		 "80 10.0.0.2 7777 error Broken pipe\n"
		 "80 10.0.0.2 7777 state CLOSE-WAIT -> CLOSED\n", isn + 1, isn + 1,
		 isn + 1, isn + 101);
	is(read_log(bench.socket), wanted, "a connection's life");
	ok(!tcp, "which is over");
	ok(ustack_trace(bench.stack, 2) == 0 && !*read_log(NULL), "a new log is empty");
	bench_line("option peer_port 7778");
	bench_line("< S 0:0(0) win 65535 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("< . 1:1(0) ack 1 win 65535");
	bench_line("option peer_port 7779");
	bench_line("< S 0:0(0) win 65535 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1");
	is(read_log(NULL), "80 10.0.0.2 7778 state SYN-RECEIVED -> ESTABLISHED\n"
	   "80 10.0.0.2 7779 state CLOSED -> SYN-RECEIVED\n", "the last two events");
	is(read_log(bench.socket), "", "another connection's are not this one's");
	ok(ustack_trace(bench.stack, 0) == 0, "the log is off");
	bench_line("< . 1:1(0) ack 1 win 65535");
	is(read_log(NULL), "", "nothing is kept");
	ok(ustack_trace(bench.stack, UINT32_MAX) == -EINVAL, "too large a log is refused");
	end();
}

int main(void)
{
	plan(0);
	test_sending();
	test_window();
	test_disorder();
	test_limits();
	test_limited_by_silly_window();
	test_limited_by_path();
	test_limited_for_hours();
	test_advertised();
	test_last_data();
	test_timeouts();
	test_timeouts_for_hours();
	test_gibibytes();
	test_receiving();
	test_dsack();
	test_totals(false);
	test_totals(true);
	test_lively();
	test_least_rtt();
	test_idle();
	test_listening();
	test_log();
	return finish();
}
