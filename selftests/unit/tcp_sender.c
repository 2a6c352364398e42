// SPDX-License-Identifier: MIT
/* What a sender may ask for, segment by segment: see packet_script.h for how to read this. */
#include "packet_script.h"

#define OPEN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n" \
	"> . 1:1(0) ack 1\n"

#define TEN_OF(FLAGS) \
	"> . 1:1001(1000) ack 1\n" \
	"> . 1001:2001(1000) ack 1\n" \
	"> . 2001:3001(1000) ack 1\n" \
	"> . 3001:4001(1000) ack 1\n" \
	"> . 4001:5001(1000) ack 1\n" \
	"> . 5001:6001(1000) ack 1\n" \
	"> . 6001:7001(1000) ack 1\n" \
	"> . 7001:8001(1000) ack 1\n" \
	"> . 8001:9001(1000) ack 1\n" \
	"> " FLAGS " 9001:10001(1000) ack 1\n"

static const struct named_script scripts[] = {
	{ "TCP_NOTSENT_LOWAT: any number, of which 0 is none",
	"get TCP_NOTSENT_LOWAT = 0\n"
	"set TCP_NOTSENT_LOWAT 5 = 0\n"
	"get TCP_NOTSENT_LOWAT = 5\n"
	"set TCP_NOTSENT_LOWAT -1 = 0\n"
	"poll = OUT|HUP\n"
	"set TCP_NOTSENT_LOWAT 0 = 0\n"
	"get TCP_NOTSENT_LOWAT = 0\n" },

	{ "TCP_NOTSENT_LOWAT: without it all is taken that fits",
	"set TCP_NOTSENT_LOWAT 5000 = 0\n"
	"set TCP_NOTSENT_LOWAT 0 = 0\n"
	OPEN
	"send 14000 = 14000\n"
	TEN_OF(".")
	"send 30000 = 30000\n"
	"unsent 34000\n"
	"poll = OUT\n" },

	{ "TCP_NOTSENT_LOWAT: POLLOUT when less than half of it waits",
	"set TCP_NOTSENT_LOWAT 5000 = 0\n"
	OPEN
	"send 12500 = 12500\n"
	TEN_OF(".")
	"unsent 2500\n"
	"poll = 0\n"
	"set TCP_NOTSENT_LOWAT 5001 = 0\n"
	"poll = OUT\n"
	"set TCP_NOTSENT_LOWAT 2501 = 0\n"
	"poll = 0\n" },

	{ "TCP_NOTSENT_LOWAT: send() takes what fits where others are, and then nothing",
	"set TCP_NOTSENT_LOWAT 5000 = 0\n"
	OPEN
	"send 14000 = 14000\n"
	TEN_OF(".")
	"send 1000 = 1000\n"
	"send 3000 = 1384\n"
	"send 1 = EAGAIN\n"
	"poll = 0\n"
	"< . 1:1(0) ack 1001\n"
	"> . 10001:11001(1000) ack 1\n"
	"> . 11001:12001(1000) ack 1\n"
	"unsent 4384\n"
	"poll = 0\n"
	"send 1000 = 1000\n"
	"unsent 5384\n"
	"< . 1:1(0) ack 3001\n"
	"> . 12001:13001(1000) ack 1\n"
	"> . 13001:14001(1000) ack 1\n"
	"> . 14001:15001(1000) ack 1\n"
	"> . 15001:16001(1000) ack 1\n"
	"unsent 1384\n"
	"poll = OUT\n" },

	{ "TCP_NOTSENT_LOWAT: what leaves at once stops no call",
	"set TCP_NOTSENT_LOWAT 1 = 0\n"
	OPEN
	"send 3000 = 3000\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> P. 2001:3001(1000) ack 1\n"
	"send 5000 = 5000\n"
	"> . 3001:4001(1000) ack 1\n"
	"> P. 4001:4097(96) ack 1\n"
	"> . 4097:5097(1000) ack 1\n"
	"> . 5097:6097(1000) ack 1\n"
	"> . 6097:7097(1000) ack 1\n"
	"unsent 904\n"
	"poll = 0\n" },

	{ "TCP_NOTSENT_LOWAT: less than a segment stops no call",
	"set TCP_NOTSENT_LOWAT 1 = 0\n"
	OPEN
	"send 2000 = 2000\n"
	"> . 1:1001(1000) ack 1\n"
	"> P. 1001:2001(1000) ack 1\n"
	"send 900 more = 900\n"
	"poll = 0\n"
	"send 1148 more = 1148\n"
	"> . 2001:3001(1000) ack 1\n"
	"> . 3001:4001(1000) ack 1\n" },

	{ "TCP_NOTSENT_LOWAT: what stopped a call is not held back for MSG_MORE",
	"set TCP_NOTSENT_LOWAT 1 = 0\n"
	OPEN
	"send 3000 = 3000\n"
	"> . 1:1001(1000) ack 1\n"
	"> . 1001:2001(1000) ack 1\n"
	"> P. 2001:3001(1000) ack 1\n"
	"send 5000 more = 1096\n"
	"> . 3001:4001(1000) ack 1\n"
	"> P. 4001:4097(96) ack 1\n"
	"poll = OUT\n" },

	{ "TCP_NOTSENT_LOWAT: a connection that was accepted has it from who listens",
	"set TCP_NOTSENT_LOWAT 5000 = 0\n"
	"listen\n"
	"< S 0:0(0) win 65535 <mss 1000>\n"
	"> S. 0:0(0) ack 1\n"
	"< . 1:1(0) ack 1\n"
	"accept = 0\n"
	"get TCP_NOTSENT_LOWAT = 5000\n"
	"send 13000 = 13000\n"
	TEN_OF(".")
	"unsent 3000\n"
	"poll = 0\n" },
};

static unsigned int asked;

static uint32_t notsent_lowat(void *user)
{
	(void)user;
	asked++;
	return 1;
}

static const struct us_tcp_user watcher = { .notsent_lowat = notsent_lowat };

static void lines(struct script *s, const char *text)
{
	char line[100];

	for (; *text; text += strcspn(text, "\n") + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
		script_line(s, line);
	}
}

/* His socket may be somebody else's by now. */
static void test_orphan(void)
{
	static struct script s;

	script_open(&s, false);
	lines(&s, "set TCP_NOTSENT_LOWAT 1 = 0\n" OPEN "send 13000 = 13000\n" TEN_OF("."));
	script_stack(&s)->tcp->user = &watcher;
	lines(&s, "< . 1:1(0) ack 1001\n> . 10001:11001(1000) ack 1\n"
		  "> . 11001:12001(1000) ack 1\n");
	ok(asked && !s.why[0], "TCP_NOTSENT_LOWAT: the user is asked%s", s.why);
	lines(&s, "close\n");
	asked = 0;
	lines(&s, "< . 1:1(0) ack 2001\n> FP. 12001:13001(1000) ack 1\n");
	ok(!asked && !s.why[0], "TCP_NOTSENT_LOWAT: who has let go is asked no more%s", s.why);
	script_end(&s);
}

int main(int argc, char **argv)
{
	plan(0);
	test_orphan();
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	return finish();
}
