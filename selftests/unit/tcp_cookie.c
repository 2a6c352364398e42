// SPDX-License-Identifier: MIT
/*
 * transport/tcp_cookie.c: each number may be a cookie, zero as well.  The file is compiled
 * into this program once more, with a hash that the test chooses: the library's is not
 * linked.
 */
#include "core/random.h"
#include "tcp_bench.h"

static uint32_t chosen;

static uint64_t choose_hash(const struct us_random *random, const void *key, size_t len)
{
	(void)random;
	(void)key;
	(void)len;
	return chosen;
}

#define us_random_hash choose_hash
#include "../../ustack/transport/tcp_cookie.c"
#undef us_random_hash

/* MSS of 1460, neither window scale nor SACK. */
#define STATE	(NO_WSCALE << 3 | 3)

static void test(uint32_t cookie)
{
	chosen = cookie - STATE;
	memset(&bench, 0, sizeof(bench));
	script_open(&bench, false);
	bench_line("option half 0");
	bench_line("listen");
	bench_line("< S 0:0(0) win 29200 <mss 1460>");
	bench_line("> S. 0:0(0) ack 1 <mss 1460>");
	ok(bench.isn == cookie, "the initial sequence number is %u", cookie);
	bench_line("< . 1:1(0) ack 1 win 29200");
	bench_line("counter tcp_cookie_accepted 1");
	bench_line("accept = 0");
	bench_line("< P. 1:11(10) ack 1 win 29200");
	bench_line("> . 1:1(0) ack 11");
	ok(!bench.why[0], "a cookie of %u brings a connection", cookie);
	bench_end();
}

int main(void)
{
	plan(0);
	test(1000);
	test(0);
	test(UINT32_MAX);
	return finish();
}
