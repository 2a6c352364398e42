// SPDX-License-Identifier: MIT
/* What TCP asks of a link that has to be told its flows: bind, unbind, latch; and UDP, where
 * a port hears both families.
 */
#include "packet_script.h"
#include "tcp_audit.h"
#include "udp_script.h"

#define FLOWS	4

/**
 * struct flows - a link that knows so many flows
 * @s: the link's other end.
 * @flow: bound.
 * @used: elements of @flow.
 * @bound: ports that it chose.
 * @latched: a listen flow is held.
 * @latched_ids: which were, a bit of each.
 * @latch_error: what latch() gives.
 */
static struct flows {
	struct script s;
	struct us_flow flow[FLOWS];
	bool used[FLOWS];
	unsigned int bound;
	bool latched;
	uint32_t latched_ids;
	int latch_error;
} flows;

static int bind_flow(struct us_link *link, struct us_flow *flow, uint32_t *id)
{
	for (*id = 0; *id < FLOWS && flows.used[*id]; ++*id)
		;
	if (*id == FLOWS)
		return -ENOSPC;
	if (!flow->local_port)
		flow->local_port = htons((uint16_t)(40000 + flows.bound++));
	flows.flow[*id] = *flow;
	flows.used[*id] = true;
	link->flows_left--;
	return 0;
}

static void unbind_flow(struct us_link *link, uint32_t id)
{
	flows.used[id] = false;
	link->flows_left++;
}

static int latch(struct us_link *link, uint32_t id, const struct us_addr *peer,
		 uint16_t port, bool confirm)
{
	(void)link;
	(void)peer;
	(void)port;
	if (!flows.latch_error)
		flows.latched = confirm;
	flows.latched_ids |= 1u << id;
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
	flows.s.link.flows_left = FLOWS;
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

/* With timestamps, the peer's @ts. */
static bool open_and_close(const char *ts, const char *more)
{
	char text[800];

	snprintf(text, sizeof(text),
		 "connect = EINPROGRESS\n"
		 "> S 0:0(0)\n"
		 "< S. 0:0(0) ack 1 win 65535 <mss 1000,nop,nop,TS val %s ecr 0>\n"
		 "> . 1:1(0) ack 1\n"
		 "close\n"
		 "> F. 1:1(0) ack 1\n"
		 "< F. 1:1(0) ack 2 win 65535 <nop,nop,TS val %s ecr 0>\n"
		 "> . 2:2(0) ack 2\n"
		 "%s", ts, ts, more);
	return lines(text);
}

static uint64_t overflows(void)
{
	return script_stack(&flows.s)->counter[US_COUNT_tcp_time_wait_overflow];
}

/* A link that owns the ports. */
static void fill(const char *ts)
{
	unsigned int i;

	begin();
	flows.s.link.flags |= US_LINK_KERNEL_IP;
	for (i = 0; i < FLOWS; i++)
		if (!(*ts ? open_and_close(ts, "") : lines(OPEN CLOSE)))
			break;
	ok(i == FLOWS && bound() == FLOWS && flows.bound == FLOWS && !overflows(),
	   "all flows are in TIME-WAIT");
}

/* The names of this link were chosen by the stack, or by the user. */
static void test_not_inherited(void)
{
	unsigned int i;

	begin();
	for (i = 0; i < FLOWS; i++)
		open_and_close("700", "");
	flows.s.link.flags |= US_LINK_KERNEL_IP;
	ok(lines("+0.01\n") && open_and_close("701", "") && flows.bound == 1,
	   "inherit: nothing that the link has not chosen");
	end();
	fill("700");
	flows.s.link.error = -ENODEV;
	ok(lines("+0.01\n") && open_and_close("701", "") && flows.bound == FLOWS + 1,
	   "inherit: nothing on a dead link");
	flows.s.link.error = 0;
	end();
}

static void test_inherit(void)
{
	uint32_t isn;

	fill("700");
	ok(open_and_close("700", "") && flows.bound == FLOWS + 1 && overflows() == 1,
	   "inherit: not what ended in this tick");
	ok(open_and_close("700", "+0.01 waits 4\n") && flows.bound == FLOWS + 2, "likewise");
	ok(open_and_close("701", "waits 4\n") && flows.bound == FLOWS + 2 &&
	   overflows() == 3 && flows.s.port == 40002, "inherit: flow and port of the oldest");
	isn = flows.s.isn;
	ok(open_and_close("701", "waits 4\n") && flows.bound == FLOWS + 2 &&
	   flows.s.port == 40003, "and of the next");
	ok(lines("+0.01\n") && open_and_close("702", "") && open_and_close("702", "") &&
	   flows.s.port == 40005, "of two that had their own");
	ok(open_and_close("702", "") && flows.s.port == 40002 &&
	   flows.s.isn == isn + 2 + 65537, "beyond the old sequence numbers");
	ok(lines("+61 waits 0\n") && bound() == 0, "given back once");
	end();
	fill("");
	ok(lines("+0.01\n" OPEN CLOSE) && flows.bound == FLOWS + 1,
	   "inherit: nothing without timestamps");
	end();
	fill("700");
	flows.s.peer_port++;
	ok(lines("+0.01\n") && open_and_close("700", "") && flows.bound == FLOWS + 1,
	   "inherit: nothing towards another port");
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

/* As a connection that was opened here, and its flow is the oldest. */
static bool fill_up(unsigned int count)
{
	while (count && lines(OPEN CLOSE))
		count--;
	return !count && bound() == FLOWS;
}

/* Of a listener's flow no more is left than a TIME-WAIT. */
static void test_rest(void)
{
	begin();
	ok(lines("listen\n" ACCEPT "unlisten\n" CLOSE) && fill_up(FLOWS - 1) &&
	   lines(OPEN CLOSE) && flows.used[0] && flows.flow[0].remote_port,
	   "room: what a listener and then its connection left");
	end();
	begin();
	ok(lines("listen\n" ACCEPT CLOSE "unlisten\n") && fill_up(FLOWS - 1) &&
	   lines(OPEN CLOSE) && flows.flow[0].remote_port,
	   "room: what a connection and then its listener left");
	end();
	begin();
	ok(lines("listen\n" ACCEPT CLOSE) && fill_up(FLOWS - 1) && lines(OPEN CLOSE) &&
	   !flows.flow[0].remote_port && overflows() == 1,
	   "room: not what a listener has");
	end();
	begin();
	ok(lines("listen\n" ACCEPT CLOSE "unlisten\nlisten\n") && fill_up(FLOWS - 1) &&
	   lines(OPEN CLOSE) && !flows.flow[0].remote_port && overflows() == 1,
	   "room: not what a listener has again");
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
		 "counter tcp_peer_refused 1\naccept = EAGAIN\n"), "too late to confirm: reset");
	end();
}

/* Sockets of AF_INET6, a peer of IPv4. */
static void begin_mapped(void)
{
	begin();
	flows.s.mapped = true;
}

static bool are_twins(uint16_t protocol)
{
	const struct us_flow *six = &flows.flow[0], *four = &flows.flow[1];

	return bound() == 2 && six->family == AF_INET6 && four->family == AF_INET &&
	       six->paired && four->paired && six->protocol == protocol &&
	       six->local_port && six->local_port == four->local_port &&
	       us_addr_is_any(&six->local) && us_addr_is_any(&four->local);
}

static void test_both(void)
{
	begin_mapped();
	ok(lines("listen\n") && are_twins(IPPROTO_TCP), "both families: a flow of each");
	ok(lines(ACCEPT "unlisten\n") && bound() == 1 && flows.used[1],
	   "a connection keeps that of its family");
	ok(lines(CLOSE "+61 waits 0\n") && bound() == 0, "and gives it back");
	end();
	begin_mapped();
	ok(lines("listen_peer\n" ACCEPT) && flows.latched && flows.latched_ids == 1u << 1,
	   "a single peer holds it");
	end();
}

static void test_chosen(void)
{
	struct ustack_socket *s;

	begin_mapped();
	flows.s.link.flags |= US_LINK_KERNEL_IP;
	s = ustack_socket(flows.s.stack, AF_INET6, SOCK_STREAM, 0);
	ok(!ustack_listen(s, 1) && are_twins(IPPROTO_TCP) && flows.bound == 1,
	   "both families: a port that the link chose");
	ustack_close(s);
	end();
}

/* One flow is left. */
static void test_one_left(int type)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct ustack_socket *s;
	bool good;

	begin_mapped();
	flows.s.link.flags |= US_LINK_KERNEL_IP;
	for (int i = 1; i < FLOWS; i++)
		flows.used[i] = true;
	s = ustack_socket(flows.s.stack, AF_INET6, type, 0);
	good = !ustack_bind(s, (const void *)&any, sizeof(any)) == (type == SOCK_STREAM);
	if (type == SOCK_STREAM)
		good = good && ustack_listen(s, 1);
	ok(good && errno == ENOSPC && bound() == FLOWS - 1,
	   "both families, or none: room for one of two, type %d", type);
	ustack_close(s);
	memset(flows.used, 0, sizeof(flows.used));
	end();
}

static void test_datagrams(void)
{
	const struct udp_dgram d = { .source = 7, .dest = 9, .len = 1 };
	struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	struct ustack_socket *s;
	struct sockaddr_storage peer, peer6;
	socklen_t len, len6;
	struct us_addr own;

	begin_mapped();
	s = ustack_socket(flows.s.stack, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ok(!ustack_bind(s, (void *)&name, sizeof(name)) && are_twins(IPPROTO_UDP),
	   "datagrams of both families: a flow of each");
	len = script_name(&flows.s, 2, 7, &peer);
	flows.s.six = true;
	len6 = script_name(&flows.s, 2, 7, &peer6);
	own = script_addr(&flows.s, 1);
	flows.s.six = false;
	us_net_address_add(script_stack(&flows.s), &flows.s.link, &own, 64);
	ok(ustack_sendto(s, "x", 1, 0, (void *)&peer, len) == 1 && flows.s.tx.flow == 1 &&
	   ustack_sendto(s, "x", 1, 0, (void *)&peer6, len6) == 1 && flows.s.tx.flow == 0,
	   "they leave by that of their family");
	ok(!ustack_listen_peer(s) && are_twins(IPPROTO_UDP), "for a single peer, too");
	udp_inject(&flows.s, &d, "x");
	ok(flows.latched && flows.latched_ids == 1u << 1, "who holds that of its family");
	ustack_close(s);
	flows.s.count = 0;
	end();
}

int main(void)
{
	plan(0);
	test_both();
	test_chosen();
	test_one_left(SOCK_STREAM);
	test_one_left(SOCK_DGRAM);
	test_datagrams();
	test_connect();
	test_room();
	test_inherit();
	test_not_inherited();
	test_listen();
	test_rest();
	test_peer();
	return finish();
}
