// SPDX-License-Identifier: MIT
/* Urgent data, segment by segment: see packet_script.h for how to read this. */
#include "packet_script.h"

#define OPEN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n" \
	"> . 1:1(0) ack 1\n"

static const struct named_script scripts[] = {
	{ "sent: the pointer is that of the first byte behind",
	OPEN
	"send 10 oob = 10\n"
	"> PU. 1:11(10) ack 1 urg 10\n"
	"< . 1:1(0) ack 11\n"
	"send 5 = 5\n"
	"> P. 11:16(5) ack 1\n" },

	{ "sent: Nagle does not hold it back, and what is in front of it tells of it",
	OPEN
	"send 10 = 10\n"
	"> P. 1:11(10) ack 1\n"
	"send 5 = 5\n"
	"none 10\n"
	"send 1 oob = 1\n"
	"> PU. 11:17(6) ack 1 urg 6\n" },

	{ "sent: many segments, any length",
	OPEN
	"send 2500 oob = 2500\n"
	"> U. 1:1001(1000) ack 1 urg 2500\n"
	"> U. 1001:2001(1000) ack 1 urg 1500\n"
	"> PU. 2001:2501(500) ack 1 urg 500\n"
	"+0.2 > U. 1:1001(1000) ack 1 urg 2500\n" },

	{ "sent: a closed window does not hide it",
	OPEN
	"< . 1:1(0) ack 1 win 0\n"
	"send 10 oob = 10\n"
	"+0.2 > U. 1:1(0) ack 1 urg 10\n"
	"> U. 0:0(0) ack 1 urg 11\n" },

	{ "sent: super-segments are none while it is on its way",
	"option gso 65535\n"
	OPEN
	"send 1500 oob = 1500\n"
	"> U. 1:1001(1000) ack 1 urg 1500\n"
	"> PU. 1001:1501(500) ack 1 urg 500\n" },

	{ "received: out of line",
	OPEN
	"poll = OUT\n"
	"urgent = EINVAL\n"
	"< PU. 1:11(10) ack 1 urg 10\n"
	"> . 1:1(0) ack 11\n"
	"poll = IN|OUT|PRI\n"
	"unread 9\n"
	"mark = 0\n"
	"urgent peek = 10\n"
	"urgent = 10\n"
	"urgent = EINVAL\n"
	"poll = IN|OUT\n"
	"recv 100 = 9\n"
	"mark = 1\n"
	"poll = OUT\n"
	"unread 0\n"
	"recv 100 = EAGAIN\n"
	"mark = 0\n"
	"counter tcp_urgent 1\n" },

	{ "received: reading stops at the mark, and goes on behind the byte",
	OPEN
	"< PU. 1:11(10) ack 1 urg 5\n"
	"> . 1:1(0) ack 11\n"
	"unread 4\n"
	"recv 100 peek = 4\n"
	"recv 2 = 2\n"
	"recv 100 = 2\n"
	"mark = 1\n"
	"unread 0\n"
	"poll = IN|OUT|PRI\n"
	"recv 100 = 5\n"
	"mark = 0\n"
	"recv 100 = EAGAIN\n" },

	{ "received: a look behind the mark takes nothing",
	OPEN
	"< PU. 1:4(3) ack 1 urg 1\n"
	"> . 1:1(0) ack 4\n"
	"mark = 1\n"
	"poll = IN|OUT|PRI\n"
	"unread 0\n"
	"urgent peek = 1\n"
	"urgent = 1\n" },

	{ "received: the mark comes alone, and nothing can be read",
	OPEN
	"< U. 1:1(0) ack 1 urg 1\n"
	"mark = 1\n"
	"poll = OUT\n"
	"recv 100 = EAGAIN\n" },

	{ "received: in line",
	"set SO_OOBINLINE 1 = 0\n"
	OPEN
	"< PU. 1:11(10) ack 1 urg 5\n"
	"> . 1:1(0) ack 11\n"
	"poll = IN|OUT|PRI\n"
	"unread 10\n"
	"urgent = EINVAL\n"
	"recv 100 = 4\n"
	"mark = 1\n"
	"unread 6\n"
	"recv 100 = 6\n"
	"mark = 0\n"
	"poll = OUT\n" },

	{ "received: announced before it comes",
	OPEN
	"< U. 1:6(5) ack 1 urg 10\n"
	"> . 1:1(0) ack 6\n"
	"poll = IN|OUT\n"
	"urgent = EAGAIN\n"
	"recv 100 = 5\n"
	"mark = 0\n"
	"< . 6:8(2) ack 1\n"
	"> . 1:1(0) ack 8\n"
	"urgent = EAGAIN\n"
	"< . 8:20(12) ack 1\n"
	"> . 1:1(0) ack 20\n"
	"urgent = 10\n"
	"recv 100 = 4\n"
	"mark = 1\n"
	"recv 100 = 9\n" },

	{ "received: a closed window does not hide it",
	"option rcvbuf 2048\n"
	OPEN
	"< P. 1:2049(2048) ack 1\n"
	"> . 1:1(0) ack 2049 win 0\n"
	"< U. 2049:2049(0) ack 1 urg 4\n"
	"none 10\n"
	"counter tcp_urgent 1\n"
	"urgent = EAGAIN\n" },

	{ "received: a probe from before the window tells of nothing",
	"option rcvbuf 2048\n"
	OPEN
	"< P. 1:2049(2048) ack 1\n"
	"> . 1:1(0) ack 2049 win 0\n"
	"< U. 2048:2048(0) ack 1 urg 5\n"
	"> . 1:1(0) ack 2049 win 0\n"
	"counter tcp_urgent 0\n" },

	{ "received: nothing urgent is left when the stream ends",
	OPEN
	"< FU. 1:3(2) ack 1 urg 5\n"
	"> . 1:1(0) ack 4\n"
	"urgent = 0\n"
	"recv 10 = 2\n"
	"recv 10 = 0\n" },

	{ "received: a second one takes the place of the first",
	OPEN
	"< PU. 1:4(3) ack 1 urg 3\n"
	"> . 1:1(0) ack 4\n"
	"< PU. 4:7(3) ack 1 urg 3\n"
	"> . 1:1(0) ack 7\n"
	"urgent = 6\n"
	"unread 5\n"
	"recv 100 = 5\n"
	"mark = 1\n" },

	{ "received: a second one, while the first is the next byte: that is lost",
	OPEN
	"< PU. 1:2(1) ack 1 urg 1\n"
	"> . 1:1(0) ack 2\n"
	"mark = 1\n"
	"< PU. 2:3(1) ack 1 urg 1\n"
	"> . 1:1(0) ack 3\n"
	"urgent = 2\n"
	"unread 0\n"
	"mark = 1\n" },

	{ "received: what was read already is not urgent",
	OPEN
	"< P. 1:11(10) ack 1\n"
	"> . 1:1(0) ack 11\n"
	"< U. 11:11(0) ack 1 urg 0\n"
	"counter tcp_urgent 1\n"
	"< U. 1:11(10) ack 1 urg 4\n"
	"> . 1:1(0) ack 11\n"
	"counter tcp_urgent 1\n"
	"urgent = EAGAIN\n" },
};

int main(int argc, char **argv)
{
	plan(0);
	script_run_all(scripts, sizeof(scripts) / sizeof(scripts[0]),
		       argc < 2 ? NULL : argv[1]);
	return finish();
}
