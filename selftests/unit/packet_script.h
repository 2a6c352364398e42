/* SPDX-License-Identifier: MIT */
/*
 * Packet scripts: one stack, one TCP socket, a peer that is the script, and time
 * that the script moves.  A line is a call or a segment, in tcpdump's words:
 *
 *	connect = EINPROGRESS
 *	> S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>
 *	+0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000,nop,nop,TS val 700 ecr 0>
 *	> . 1:1(0) ack 1
 *	send 1000 = 1000
 *
 * "<" is from the peer, ">" is what the stack must send.  Both count from their
 * side's initial sequence number.  "+0.1" lets that time pass first; a ">" after
 * it must come at just that time or a little later, as timers have ticks, and never
 * earlier.  Whatever the stack sends and no line expects fails the script, as does a
 * line that does not come true.
 * E, W and e are ECE, CWR and AE; behind it all "ect0", "ect1" or "ce" is the IP
 * header's ECN field, not-ECT if it is not there.
 * win and <options> of ">" are compared if they are given; TS val is not compared
 * if it is "*".  In "<", TS ecr is in our own clock's words: milliseconds of
 * 2^20 ns since the script began; "ecr 0" alone is literally zero.
 *
 *	listen | listen_peer | connect | accept [= ERR]
 *	send N [more] [oob] = N|ERR	recv N [peek] = N|ERR	shutdown = 0	close
 *	urgent [peek] = BYTE|ERR		mark = 0|1
 *	unread N	unacked N	unsent N	bytes, as ioctl(2) tells them
 *	poll = IN|OUT|PRI|HUP|RDHUP|ERR|0	error = ERR|0
 *	set NAME VALUE = 0|ERR			setsockopt(2), by the option's name
 *	get NAME = VALUE			getsockopt(2)
 *	option NAME VALUE	before the socket opens: sndbuf rcvbuf nodelay cork
 *				maxseg keepalive user_timeout ecn fastopen
 *				(connect) fastqueue (listen); offer, mtu, gso, ipv6,
 *				peer_isn, peer_port, full, kept (slots); batch (what
 *				comes is followed by a poll no longer); half, orphans: how many
 *				such connections there may be
 *	state NAME		counter NAME N		waits N (TIME-WAIT records)
 *	< icmp unreach|TYPE CODE [mtu N] seq N
 *	< ... urg N		the urgent pointer; compared in ">", as are tos and ttl
 *	< ... gso N		a super-segment of so many bytes each; compared in ">" if
 *				it is given
 *	< ... badsum
 *	flush			small writes leave
 *	none MSEC		nothing is sent for so long
 */
#ifndef SELFTESTS_UNIT_PACKET_SCRIPT_H
#define SELFTESTS_UNIT_PACKET_SCRIPT_H

#include "script_call.h"

static inline void script_call(struct script *s, const char *p)
{
	static const struct {
		const char *name;
		void (*call)(struct script *s, const char *p);
	} calls[] = {
		{ "connect", script_call_connect }, { "accept", script_call_accept },
		{ "sendto", script_call_sendto }, { "send", script_call_send }, { "recv", script_call_recv },
		{ "poll", script_call_poll }, { "error", script_call_error },
		{ "state", script_call_state }, { "counter", script_call_counter },
		{ "option", script_call_option }, { "set", script_call_set },
		{ "get", script_call_get },
		{ "urgent", script_call_urgent }, { "mark", script_call_mark },
		{ "unread", script_call_unread }, { "unacked", script_call_unacked },
		{ "unsent", script_call_unsent },
	};
	const char *q;
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		q = script_word(p, calls[i].name);
		if (q) {
			calls[i].call(s, q);
			return;
		}
	}
	if (script_word(p, "listen_peer")) {
		script_call_listen(s, true);
	} else if (script_word(p, "listen")) {
		script_call_listen(s, false);
	} else if ((q = script_word(p, "shutdown"))) {
		script_result(s, q, ustack_shutdown(s->socket, SHUT_WR));
	} else if (script_word(p, "unlisten")) {
		ustack_close(s->listener);
		s->listener = NULL;
	} else if (script_word(p, "close")) {
		ustack_close(s->socket);
		s->socket = NULL;
		s->written = s->read = 0;
	} else if ((q = script_word(p, "waits"))) {
		long n = script_number(s, &q);

		if (script_stack(s)->tcp->wait_pool.used != (uint32_t)n)
			script_fail(s, "%u records in TIME-WAIT",
				    script_stack(s)->tcp->wait_pool.used);
	} else {
		script_fail(s, "unknown call");
	}
	ustack_poll(s->stack);
}

static inline void script_line(struct script *s, const char *p)
{
	struct script_segment g;
	const char *q;

	p = script_skip(p);
	if (*p == '+') {
		char *end;
		int64_t wait = (int64_t)(strtod(p + 1, &end) * 1e9);

		p = script_skip(end);
		s->mark += wait;
		/* What is expected may come a little later than the line says. */
		script_advance(s, s->mark + (*p == '>' ? SCRIPT_TOLERANCE : 0),
			       *p == '>');
	} else {
		s->mark = s->now;
	}
	if (!*p || *p == '#')
		return;
	if ((q = script_word(p, ">"))) {
		script_parse(s, q, &g, true);
		ustack_poll(s->stack);
		script_expect(s, &g);
		return;
	}
	script_expect_none(s);
	if ((q = script_word(p, "<")) && script_word(q, "icmp")) {
		script_icmp(s, script_word(q, "icmp"));
	} else if (q) {
		script_parse(s, q, &g, false);
		script_receive(s, &g);
	} else if ((q = script_word(p, "none"))) {
		script_advance(s, s->now + script_number(s, &q) * US_MSEC, true);
		s->mark = s->now;
		script_expect_none(s);
	} else {
		script_call(s, p);
		ustack_poll(s->stack);
	}
}

static inline bool script_open(struct script *s, bool six)
{
	struct ustack_config config = {
		.clock = script_clock, .clock_arg = s, .seed = 42, .max_sockets = 16,
	};
	struct us_addr own = script_addr(s, 1), own6;
	struct us_stack *stack;

	s->six = six;
	own6 = script_addr(s, 1);
	s->six = false;
	own = script_addr(s, 1);
	s->six = six;
	/* A time that never was set is long ago in one half of all, and to come in the other. */
	s->now = s->begin = s->mark = 1000 * US_SEC + (six ? 1LL << 41 : 0);
	s->full = -1;
	s->peer_isn = UINT32_MAX - 399;	/* goes round in nearly every script */
	s->peer_port = SCRIPT_PEER_PORT;
	if (ustack_create(&config, &s->stack))
		return false;
	stack = script_stack(s);
	s->link = (struct us_link){ .stack = stack, .ops = &script_ops, .mtu = 1500,
				    .mem = stack->mem };
	s->link.mtu += six ? 20 : 0;	/* the same MSS */
	CDS_INIT_LIST_HEAD(&s->link.pending);
	CDS_INIT_LIST_HEAD(&s->link.resting);
	cds_list_add(&s->link.node, &stack->links);
	return !us_net_address_add(stack, &s->link, six ? &own6 : &own, six ? 64 : 24);
}

static inline void script_end(struct script *s)
{
	if (s->socket)
		ustack_close(s->socket);
	if (s->listener)
		ustack_close(s->listener);
	s->full = -1;
	ustack_poll(s->stack);
	ustack_destroy(s->stack);
}

/**
 * enum script_over - what a script's packets and sockets are
 * @SCRIPT_IPV4: of IPv4.
 * @SCRIPT_IPV6: of IPv6.
 * @SCRIPT_MAPPED: packets of IPv4, sockets of AF_INET6, which listen at ::.
 */
enum script_over {
	SCRIPT_IPV4,
	SCRIPT_IPV6,
	SCRIPT_MAPPED,
	SCRIPT_OVER
};

/**
 * script_run() - runs a script as one test point
 * @name: of the test.
 * @over: one of them.
 * @text: lines.
 */
static inline bool script_run(const char *name, enum script_over over, const char *text)
{
	static const char *const suffix[] = { "", ", IPv6", ", mapped" };
	struct script *s = calloc(1, sizeof(*s));
	char line[400] = "";
	bool good;

	s->mapped = over == SCRIPT_MAPPED;
	if (!script_open(s, over == SCRIPT_IPV6))
		script_fail(s, "no stack");
	while (*text && !s->why[0]) {
		size_t len = strcspn(text, "\n");

		s->line++;
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		script_line(s, line);
		text += len + (text[len] == '\n');
	}
	if (!s->why[0])
		script_expect_none(s);
	good = ok(!s->why[0], "%s%s", name, suffix[over]);
	if (!good)
		printf("# line %d: %s\n# %s\n", s->line, line, s->why);
	script_end(s);
	free(s);
	return good;
}

/**
 * struct named_script - a script, as programs list them
 * @name: of the test point.
 * @text: lines; "# IPv4" or "# IPv6" among them: for that family only.
 */
struct named_script {
	const char *name;
	const char *text;
};

/**
 * script_run_all() - runs scripts over IPv4, over IPv6, and mapped
 * @scripts: the scripts.
 * @count: of @scripts.
 * @part: of the name of those to run; NULL: all.
 */
static inline void script_run_all(const struct named_script *scripts, size_t count,
				  const char *part)
{
	int over;
	size_t i;

	for (over = 0; over < SCRIPT_OVER; over++)
		for (i = 0; i < count; i++)
			if ((!part || strstr(scripts[i].name, part)) &&
			    !strstr(scripts[i].text, over == SCRIPT_IPV6 ? "# IPv4" : "# IPv6"))
				script_run(scripts[i].name, (enum script_over)over,
					   scripts[i].text);
}

#endif /* SELFTESTS_UNIT_PACKET_SCRIPT_H */
