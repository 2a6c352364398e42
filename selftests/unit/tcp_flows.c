// SPDX-License-Identifier: MIT
/* What TCP asks of a link that has to be told its flows: bind, unbind, latch. */
#include "packet_script.h"
#include "tcp_audit.h"

#define FLOWS	4

/**
 * struct flows - a link that knows so many flows
 * @s: the link's other end.
 * @flow: bound.
 * @used: elements of @flow.
 * @latched: by whom the listen flow is held.
 * @latch_error: what latch() gives.
 */
static struct flows {
	struct script s;
	struct us_flow flow[FLOWS];
	bool used[FLOWS];
	bool latched;
	int latch_error;
} flows;

static int bind_flow(struct us_link *link, struct us_flow *flow, uint32_t *id)
{
	(void)link;
	for (*id = 0; *id < FLOWS && flows.used[*id]; ++*id)
		;
	if (*id == FLOWS)
		return -ENOSPC;
	flows.flow[*id] = *flow;
	flows.used[*id] = true;
	return 0;
}

static void unbind_flow(struct us_link *link, uint32_t id)
{
	(void)link;
	flows.used[id] = false;
}

static int latch(struct us_link *link, uint32_t id, const struct us_addr *peer,
		 uint16_t port, bool confirm)
{
	(void)link;
	(void)id;
	(void)peer;
	(void)port;
	if (!flows.latch_error)
		flows.latched = confirm;
	return flows.latch_error;
}

static unsigned int bound(void)
{
	unsigned int n = 0, i;

	for (i = 0; i < FLOWS; i++)
		n += flows.used[i];
	return n;
}

static void begin(void)
{
	static struct us_link_ops ops;

	memset(&flows, 0, sizeof(flows));
	script_open(&flows.s, false);
	ops = script_ops;
	ops.bind = bind_flow;
	ops.unbind = unbind_flow;
	ops.latch = latch;
	flows.s.link.ops = &ops;
}

static void end(void)
{
	script_end(&flows.s);
	ok(bound() == 0, "no flow is left");
}

/* Lines of a script; says what was wrong. */
static bool lines(const char *text)
{
	struct script *s = &flows.s;
	char line[200];

	for (; *text && !s->why[0]; text += *text == '\n') {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		script_line(s, line);
		text += len;
	}
	if (s->why[0])
		printf("# %s: %s\n", line, s->why);
	return !s->why[0];
}

#define OPEN \
	"connect = EINPROGRESS\n" \
	"> S 0:0(0)\n" \
	"< S. 0:0(0) ack 1 win 65535 <mss 1000>\n" \
	"> . 1:1(0) ack 1\n"

#define CLOSE \
	"close\n" \
	"> F. 1:1(0) ack 1\n" \
	"< F. 1:1(0) ack 2\n" \
	"> . 2:2(0) ack 2\n"

#define ACCEPT \
	"< S 0:0(0) win 65535 <mss 1000>\n" \
	"> S. 0:0(0) ack 1\n" \
	"< . 1:1(0) ack 1\n" \
	"accept = 0\n"

static void test_connect(void)
{
	struct us_addr local = script_addr(&flows.s, 1), remote = script_addr(&flows.s, 2);

	begin();
	ok(lines(OPEN) && bound() == 1 &&
	   us_addr_equal(&flows.flow[0].local, &local) &&
	   us_addr_equal(&flows.flow[0].remote, &remote) &&
	   flows.flow[0].remote_port == htons(SCRIPT_PEER_PORT) &&
	   flows.flow[0].local_port == htons(flows.s.port),
	   "a connection has a flow of its own");
	ok(lines(CLOSE "waits 1\n") && bound() == 1, "TIME-WAIT keeps it");
	ok(lines("+61 waits 0\n") && bound() == 0, "and gives it back");
	end();
	begin();
	ok(lines("connect = EINPROGRESS\n> S 0:0(0)\n< R. 0:0(0) ack 1\n"
		 "error = ECONNREFUSED\n") && bound() == 0, "a refusal, too");
	end();
}

static void test_room(void)
{
	unsigned int i;

	begin();
	for (i = 0; i < FLOWS + 3; i++)
		if (!lines(OPEN CLOSE))
			break;
	ok(i == FLOWS + 3 && bound() == FLOWS &&
	   script_stack(&flows.s)->counter[US_COUNT_tcp_time_wait_overflow] == 3,
	   "TIME-WAIT makes room for new flows");
	end();
}

static void test_listen(void)
{
	begin();
	ok(lines("listen\n" ACCEPT "unlisten\n") && bound() == 1,
	   "a connection keeps its listener's flow");
	ok(lines("listen\n") && bound() == 1, "who listens again shares it");
	ok(lines("close\n> F. 1:1(0) ack 1\n< F. 1:1(0) ack 2\n> . 2:2(0) ack 2\n"
		 "unlisten\n") && bound() == 1, "TIME-WAIT keeps it");
	ok(lines("+61 waits 0\n") && bound() == 0, "and gives it back");
	end();
}

static void test_peer(void)
{
	begin();
	ok(lines("listen_peer\n") && flows.flow[0].listen_peer, "listen_peer");
	ok(lines("< S 0:0(0) win 65535 <mss 1000>\n> S. 0:0(0) ack 1\n") &&
	   !flows.latched, "a SYN does not confirm");
	ok(lines("< . 1:1(0) ack 1\naccept = 0\n") && flows.latched,
	   "the handshake does");
	ok(lines("< R 1:1(0)\nclose\n") && !flows.latched,
	   "the end lets the next peer come");
	ok(lines("option peer_isn 2000000\n" ACCEPT) && flows.latched, "it comes");
	ok(lines(CLOSE) && !flows.latched, "TIME-WAIT does not keep the port");
	flows.latch_error = -ESTALE;
	ok(lines("option peer_isn 3000000\n< S 0:0(0) win 65535 <mss 1000>\n"
		 "> S. 0:0(0) ack 1\n< . 1:1(0) ack 1\n> R. 1:1(0) ack 1\n"
		 "accept = EAGAIN\n"), "too late to confirm: reset");
	end();
}

int main(void)
{
	plan(0);
	test_connect();
	test_room();
	test_listen();
	test_peer();
	return finish();
}
