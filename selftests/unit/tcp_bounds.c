// SPDX-License-Identifier: MIT
/* What one peer that keeps no rule may take of a connection, and of the stack. */
#include "packet_script.h"
#include "tcp_audit.h"

static struct script bench;

static struct us_stack *stack(void)
{
	return script_stack(&bench);
}

static void line(const char *text)
{
	script_line(&bench, text);
}

/* The only connection, accepted. */
static struct us_tcp *begin(const char *option)
{
	const struct us_tcp_table *table;
	struct us_tcp *tcp = NULL;
	uint32_t i;

	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	line(option);
	line("listen");
	line("< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>");
	line("> S. 0:0(0) ack 1");
	line("< . 1:1(0) ack 1 win 65535");
	line("accept = 0");
	table = stack()->tcp;
	for (i = 0; i <= table->mask && !tcp; i++)
		tcp = table->hash[i];
	if (bench.why[0] || !tcp)
		printf("Bail out! %s\n", bench.why);
	return tcp;
}

static void discard(void)
{
	bench.count = 0;
	bench.first = 0;
}

static void end(void)
{
	const char *why = NULL;

	discard();
	audit(bench.stack, &why);
	ok(!why, "the books are right%s%s", why ? ": " : "", why ? why : "");
	script_end(&bench);
}

static void give(uint32_t seq, uint32_t len)
{
	struct script_segment g = { .flags = US_TCP_ACK, .seq = seq, .ack = 1,
				    .len = len, .window = 65535, .options_len = -1 };

	script_receive(&bench, &g);
	discard();
	bench.now += 1000;
}

/* Segments smaller than the unit of the window: rounding must not let them in. */
static void test_window(void)
{
	struct us_tcp *tcp = begin("option rcvbuf 1000000");
	uint32_t seq = 1, n;

	for (; us_tcp_rcv_wnd(tcp) >= 1400; seq += 1400)
		give(seq, 1400);
	for (n = 0; n < 3000; n++)
		give(tcp->rcv_nxt - bench.peer_isn, 15);
	ok(tcp->rcv_wscale == 4 && tcp->active->rcv_bytes == tcp->rcvbuf,
	   "the buffer is filled, and no more: %u of %u", tcp->active->rcv_bytes,
	   tcp->rcvbuf);
	end();
}

int main(void)
{
	plan(0);
	test_window();
	return finish();
}
