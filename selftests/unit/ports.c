// SPDX-License-Identifier: MIT
/*
 * Ports where many are taken: who is let in, all that there are can be had, and how many
 * others each bind(2) and listen(2) has to look at.
 */
#include "script_link.h"
#include "socket/socket.h"
#include "transport/udp_parts.h"

#define CHOSEN		28232u	/* ports that may be chosen, of one address */
#define LISTENERS	4096u	/* the most that there may be */
#define ONE		2u	/* a bucket for each, or nearly */
#define FEW		12u	/* as many buckets, at random */

static struct script script;
static struct ustack_socket *sockets[CHOSEN];
static struct us_tcp_listener *listeners[LISTENERS];
static unsigned int flows;

static int bind_flow(struct us_link *link, struct us_flow *flow, uint32_t *id)
{
	(void)link;
	(void)flow;
	*id = flows++;
	return 0;
}

static void unbind_flow(struct us_link *link, uint32_t id)
{
	(void)link;
	(void)id;
	flows--;
}

/* With a link that has to be told of all flows. */
static void begin(unsigned int max_sockets)
{
	const struct ustack_config config = {
		.clock = script_clock, .clock_arg = &script, .seed = 1,
		.max_sockets = max_sockets,
	};
	static struct us_link_ops ops;
	struct us_stack *stack;
	uint8_t host;

	ops = script_ops;
	ops.bind = bind_flow;
	ops.unbind = unbind_flow;
	if (ustack_create(&config, &script.stack))
		abort();
	stack = script_stack(&script);
	script.link = (struct us_link){ .stack = stack, .ops = &ops, .mtu = 1500,
					.mem = stack->mem };
	CDS_INIT_LIST_HEAD(&script.link.pending);
	CDS_INIT_LIST_HEAD(&script.link.resting);
	cds_list_add(&script.link.node, &stack->links);
	for (host = 1; host <= 2; host++)
		us_net_address_add(stack, &script.link, &(struct us_addr){
				.b = { [10] = 0xff, 0xff, 10, 0, 0, host } }, 24);
}

static void end(void)
{
	ustack_destroy(script.stack);
	ok(!flows, "no flow is left");
}

static unsigned int longest(const struct cds_hlist_head *heads, uint32_t mask)
{
	unsigned int most = 0;
	uint32_t i;

	for (i = 0; i <= mask; i++) {
		const struct cds_hlist_node *node;
		unsigned int n = 0;

		for (node = heads[i].next; node; node = node->next)
			n++;
		most = us_max32(most, n);
	}
	return most;
}

static unsigned int longest_of_claims(const struct us_stack *stack)
{
	unsigned int most = 0;
	uint32_t i;

	for (i = 0; i <= stack->claim_mask; i++) {
		const struct ustack_socket *s;
		unsigned int n = 0;

		for (s = stack->claims[i]; s; s = s->claim_next)
			n++;
		most = us_max32(most, n);
	}
	return most;
}

static unsigned int longest_of_udp(const struct us_udp_table *table)
{
	unsigned int most = 0;
	uint32_t i;

	for (i = 0; i <= table->mask; i++) {
		const struct us_udp *udp;
		unsigned int n = 0;

		for (udp = table->bucket[i]; udp; udp = udp->next)
			n++;
		most = us_max32(most, n);
	}
	return most;
}

/* At 10.0.0.HOST, or at any address if that is 0. */
static int take(struct ustack_socket *s, uint8_t host, uint16_t port)
{
	const struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(host ? 0x0a000000u + host : 0),
	};

	return ustack_bind(s, (const void *)&name, sizeof(name)) ? -errno : 0;
}

static struct ustack_socket *make(int type)
{
	return ustack_socket(script.stack, AF_INET, type | SOCK_NONBLOCK, 0);
}

/* As many as there are. */
static unsigned int choose_all(int type)
{
	unsigned int n = 0;

	while (n < CHOSEN && !take(sockets[n] = make(type), 1, 0))
		n++;
	return n;
}

static void close_all(unsigned int n)
{
	while (n)
		ustack_close(sockets[--n]);
}

static void test_choose(int type, const char *name)
{
	struct us_stack *stack = script_stack(&script);
	struct ustack_socket *s = make(type);
	unsigned int n = choose_all(type), most;

	most = type == SOCK_STREAM ? longest_of_claims(stack) :
				     longest_of_udp(stack->udp);
	ok(n == CHOSEN, "%s: each port is found, up to the last: %u", name, n);
	ok(most <= ONE, "%s: room: %u are bound, a bucket has %u at most", name, n, most);
	ok(take(s, 1, 0) == -EADDRINUSE && take(s, 2, 0) == 0,
	   "%s: then there is none, but for another address", name);
	ustack_close(s);
	close_all(n);
	most = type == SOCK_STREAM ? longest_of_claims(stack) :
				     longest_of_udp(stack->udp);
	ok(!most, "%s: all are given back", name);
}

/* Others in the same bucket are passed over, whoever came first. */
static void test_rules(int type, const char *name)
{
	struct ustack_socket *s[4] = { make(type), make(type), make(type), make(type) };

	ok(!take(s[0], 1, 1025) && !take(s[1], 1, 1025 + 1024) && !take(s[2], 2, 1025),
	   "%s: another port, or another address", name);
	ok(take(s[3], 2, 1025) == -EADDRINUSE && take(s[3], 0, 1025) == -EADDRINUSE &&
	   take(s[3], 0, 1025 + 1024) == -EADDRINUSE, "%s: the same, or any", name);
	ustack_close(s[1]);
	ok(!take(s[3], 0, 1025 + 1024), "%s: until it is closed", name);
	ustack_close(s[0]);
	ustack_close(s[2]);
	ustack_close(s[3]);
}

static int listen_at(uint8_t host, uint16_t port, struct us_tcp_listener **l)
{
	const struct us_tcp_options options = { 0 };
	const struct us_addr any = { .b = { 0 } },
			     own = { .b = { [10] = 0xff, 0xff, 10, 0, 0, host } };

	port = htons(port);
	return us_tcp_listen(script_stack(&script), AF_INET, host ? &own : &any, &port, 1,
			     false, &options, NULL, l);
}

static void test_listeners(void)
{
	const struct us_tcp_table *table = script_stack(&script)->tcp;
	unsigned int n, most;

	for (n = 0; n < LISTENERS && !listen_at(0, (uint16_t)(1 + n), &listeners[n]); n++)
		;
	most = longest(table->listen_ports, table->listen_mask);
	ok(n == LISTENERS && most <= ONE,
	   "listen: room: %u listen at any address, a bucket has %u at most", n, most);
	most = longest(table->shared, table->listen_mask);
	ok(flows == n && most <= FEW, "listen: room: %u flows, a bucket has %u at most", n,
	   most);
	while (n)
		us_tcp_unlisten(listeners[--n]);
	ok(!flows && !longest(table->listen_ports, table->listen_mask) &&
	   !longest(table->shared, table->listen_mask), "listen: all are given back");
}

/* 1024 listeners of 4096 sockets: so many buckets. */
static void test_listener_rules(void)
{
	struct us_tcp_listener *l[3], *none;

	ok(!listen_at(1, 80, &l[0]) && !listen_at(0, 80 + 1024, &l[1]) &&
	   !listen_at(2, 80, &l[2]), "listen: another port, or another address");
	ok(listen_at(0, 80, &none) == -EADDRINUSE && listen_at(1, 80, &none) == -EADDRINUSE &&
	   listen_at(1, 80 + 1024, &none) == -EADDRINUSE, "listen: the same, or any");
	us_tcp_unlisten(l[0]);
	ok(listen_at(0, 80, &none) == -EADDRINUSE, "listen: one of two is left");
	us_tcp_unlisten(l[2]);
	ok(!listen_at(0, 80, &l[0]), "listen: none is");
	us_tcp_unlisten(l[0]);
	us_tcp_unlisten(l[1]);
}

int main(void)
{
	plan(0);
	begin(32768);
	test_choose(SOCK_STREAM, "TCP");
	test_choose(SOCK_DGRAM, "UDP");
	test_listeners();
	end();
	begin(1024);
	test_rules(SOCK_STREAM, "TCP");
	test_rules(SOCK_DGRAM, "UDP");
	end();
	begin(4096);
	test_listener_rules();
	end();
	return finish();
}
