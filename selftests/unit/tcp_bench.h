/* SPDX-License-Identifier: MIT */
/*
 * A bench for one connection: a packet script (packet_script.h), line by line, with a
 * look into the connection's block between the lines.
 */
#ifndef SELFTESTS_UNIT_TCP_BENCH_H
#define SELFTESTS_UNIT_TCP_BENCH_H

#include "packet_script.h"
#include "tcp_audit.h"

static struct script bench;

static inline struct us_stack *bench_stack(void)
{
	return script_stack(&bench);
}

static inline void bench_line(const char *text)
{
	script_line(&bench, text);
	if (bench.why[0])
		printf("# %s\n# %s\n", text, bench.why);
}

/* The only connection. */
static inline struct us_tcp *bench_tcp(void)
{
	const struct us_tcp_table *table = bench_stack()->tcp;
	struct us_tcp *tcp = NULL;
	uint32_t i;

	for (i = 0; i <= table->mask && !tcp; i++)
		tcp = table->hash[i];
	return tcp;
}

/* A connection with SACK and without timestamps, accepted, whose round-trip time is
 * 20 ms; @option comes first.
 */
static inline struct us_tcp *bench_begin(const char *option)
{
	struct us_tcp *tcp;

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_line(option);
	bench_line("listen");
	bench_line("< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>");
	bench_line("> S. 0:0(0) ack 1");
	bench_line("+0.02 < . 1:1(0) ack 1 win 65535");
	bench_line("accept = 0");
	tcp = bench_tcp();
	if (bench.why[0] || !tcp)
		printf("Bail out! %s\n", bench.why);
	return tcp;
}

/* What was sent is of no interest. */
static inline void bench_discard(void)
{
	bench.count = 0;
	bench.first = 0;
}

static inline void bench_end(void)
{
	const char *why = NULL;

	bench_discard();
	audit(bench.stack, &why);
	ok(!why, "the books are right%s%s", why ? ": " : "", why ? why : "");
	script_end(&bench);
}

#endif /* SELFTESTS_UNIT_TCP_BENCH_H */
