// SPDX-License-Identifier: MIT
/* The calls about a stack as a whole. */
#include "world.h"

/* Under ASan, too, no memory is an error and not the end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void test_create(void)
{
	struct ustack_config huge = { .max_sockets = UINT32_MAX, .max_packets = UINT32_MAX };
	struct ustack_config small = {
		.max_sockets = 1, .max_packets = 1, .send_memory = 1 << 20, .seed = 7,
	};
	struct ustack_config unknown = { .congestion = "vegas" }, odd = { .ecn = USTACK_ECN_OFF + 1 };
	struct ustack_config tiny = { .send_memory = 2047 }, vast = { .send_memory = 1ull << 32 };
	struct ustack *stack;

	ok(ustack_create(&tiny, &stack) == -EINVAL && strstr(ustack_error(NULL), "send_memory"),
	   "create: too little to send from, and what is enough");
	ok(ustack_create(&vast, &stack) == -EINVAL && strstr(ustack_error(NULL), "below 4 GiB"),
	   "create: too much to send from, and what is not");
	ok(ustack_create(&unknown, &stack) == -ENOENT && strstr(ustack_error(NULL), "cubic"),
	   "create: no such congestion control; those there are, are named");
	ok(ustack_create(&odd, &stack) == -EINVAL && strstr(ustack_error(NULL), "enum ustack_ecn"),
	   "create: no such kind of ECN, and what is one");
	ok(ustack_create(NULL, &stack) == 0, "create: the defaults");
	ok(!strcmp(ustack_error(stack), ""), "error: nothing to tell");
	ok(ustack_poll(stack) == -1, "poll: nothing pending");
	ustack_destroy(stack);
	ok(ustack_create(&small, &stack) == 0, "create: small");
	ustack_destroy(stack);
	ustack_destroy(NULL);
	ok(ustack_create(&huge, &stack) == -ENOMEM && *ustack_error(NULL),
	   "create: too large, and says so");
}

static void test_links(struct ustack *stack)
{
	struct ustack_link *link;
	int err = 0;

	ok(ustack_link_open(stack, "carrier-pigeon", &link) == -EINVAL &&
	   strstr(ustack_error(stack), "carrier-pigeon"), "link: unknown kind, named");
	ok(ustack_link_open(stack, "pipe:name=a,colour=red", &link) == -EINVAL &&
	   strstr(ustack_error(stack), "colour"), "link: unknown key, named");
	ok(ustack_link_open(stack, "pipe:name=a", NULL) == 0 &&
	   !strcmp(ustack_error(stack), ""), "link: opened");
	for (int i = 0; i < 40 && !err; i++)
		err = ustack_link_open(stack, "pipe:name=a,frames=2", &link);
	ok(err == -ENOSPC && *ustack_error(stack), "link: no more than 32");
}

static void test_addresses(struct ustack *stack)
{
	union world_name own = world_name("10.1.0.1", 0);
	union world_name own6 = world_name("fd01::1", 0);
	union world_name net = world_name("10.2.0.0", 0);
	union world_name any = world_name("0.0.0.0", 0), any6 = world_name("::", 0);
	union world_name gateway = world_name("10.1.0.9", 0);
	union world_name far = world_name("10.3.0.9", 0);
	union world_name second = world_name("10.1.0.2", 0);
	struct sockaddr unix_name = { .sa_family = AF_UNIX };
	struct ustack_link *link;

	ustack_link_open(stack, "pipe:name=b", &link);
	ok(ustack_address_add(stack, link, &own.sa, 33) == -EINVAL &&
	   strstr(ustack_error(stack), "33"), "address: prefix too long, named");
	ok(ustack_address_add(stack, link, &unix_name, 0) == -EINVAL, "address: no IP");
	ok(ustack_address_add(stack, link, &own.sa, 24) == 0, "address: IPv4");
	ok(ustack_address_add(stack, link, &own6.sa, 64) == 0, "address: IPv6");
	ok(ustack_address_add(stack, link, &own.sa, 24) == -EEXIST, "address: twice");
	ok(!ustack_address_add(stack, link, &second.sa, 24) && !*ustack_error(stack),
	   "address: another of that network, nothing to tell");
	ok(ustack_route_add(stack, link, &net.sa, 16, &gateway.sa) == 0, "route");
	ok(ustack_route_add(stack, link, &any.sa, 0, &gateway.sa) == 0, "route: default");
	ok(ustack_route_add(stack, link, &net.sa, 16, &gateway.sa) == -EEXIST, "route: twice");
	ok(ustack_route_add(stack, link, &any6.sa, 0, &gateway.sa) == -EINVAL,
	   "route: two families");
	ok(ustack_route_add(stack, link, &net.sa, 99, &gateway.sa) == -EINVAL,
	   "route: prefix too long");
	ok(ustack_route_add(stack, link, &any.sa, 1, &far.sa) == -ENETUNREACH,
	   "route: gateway not on the link");
}

/* What is wrong is told in words where the remedy is the caller's. */
static void test_no_route(void)
{
	union world_name own = world_name("10.1.0.1", 0), net = world_name("10.0.0.0", 0);
	union world_name far = world_name("10.3.0.9", 7), gateway = world_name("10.1.0.9", 0);
	struct ustack_socket *s[2];
	struct ustack_link *link;
	struct ustack *stack;
	int i;

	ustack_create(NULL, &stack);
	ustack_link_open(stack, "pipe:name=d", &link);
	ustack_address_add(stack, link, &own.sa, 24);
	s[0] = ustack_socket(stack, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	s[1] = ustack_socket(stack, AF_INET, SOCK_DGRAM, 0);
	for (i = 0; i < 2; i++)
		ok(ustack_connect(s[i], &far.sa, sizeof(far.v4)) < 0 && errno == ENETUNREACH &&
		   strstr(ustack_error(stack), "10.3.0.9") &&
		   strstr(ustack_error(stack), "ustack_route_add"), "connect: no route, named");
	ustack_route_add(stack, link, &net.sa, 8, &gateway.sa);
	ok(!ustack_connect(s[1], &far.sa, sizeof(far.v4)) && !*ustack_error(stack),
	   "connect: with a route there is nothing to tell");
	ustack_destroy(stack);
}

static void test_not_bound(void)
{
	union world_name own = world_name("10.1.0.1", 7), far = world_name("10.1.0.9", 80);
	union world_name own6 = world_name("fd01::1", 7);
	struct ustack_socket *s[3];
	struct ustack_link *link;
	struct ustack *stack;
	int i;

	ustack_create(NULL, &stack);
	ustack_link_open(stack, "extern", &link);
	ustack_address_add(stack, link, &own.sa, 24);
	for (i = 0; i < 3; i++)
		s[i] = ustack_socket(stack, i ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ok(ustack_bind(s[0], &own6.sa, sizeof(own6.v6)) < 0 && errno == EADDRNOTAVAIL &&
	   strstr(ustack_error(stack), "fd01::1") &&
	   strstr(ustack_error(stack), "ustack_address_add"), "bind: a stranger's address, named");
	for (i = 1; i < 3; i++)
		ustack_setsockopt(s[i], SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	ok(!ustack_bind(s[1], &own.sa, sizeof(own.v4)) && !*ustack_error(stack),
	   "bind: nothing to tell");
	ustack_connect(s[1], &far.sa, sizeof(far.v4));
	ok(!ustack_bind(s[2], &own.sa, sizeof(own.v4)) &&
	   ustack_connect(s[2], &far.sa, sizeof(far.v4)) < 0 && errno == EADDRNOTAVAIL &&
	   strstr(ustack_error(stack), "port 7 "), "connect: a port of another connection, named");
	ustack_destroy(stack);
}

/* What a stranger sends is no call of the user's. */
static void test_stranger(void)
{
	union world_name own = world_name("10.1.0.1", 9), far = world_name("10.9.0.1", 0);
	struct ustack_socket *port, *stranger;
	struct ustack *stack, *other;
	struct ustack_link *link;

	ustack_create(NULL, &stack);
	ustack_link_open(stack, "pipe:name=e", &link);
	ustack_address_add(stack, link, &own.sa, 24);
	ustack_create(NULL, &other);
	ustack_link_open(other, "pipe:name=e", &link);
	ustack_address_add(other, link, &far.sa, 8);
	port = ustack_socket(stack, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ustack_bind(port, &own.sa, sizeof(own.v4));
	ustack_listen_peer(port);
	stranger = ustack_socket(other, AF_INET, SOCK_DGRAM, 0);
	ok(ustack_sendto(stranger, "x", 1, 0, &own.sa, sizeof(own.v4)) == 1 &&
	   ustack_poll(stack) && !*ustack_error(stack),
	   "listen: a stranger without a way back says nothing to the user");
	ustack_destroy(other);
	ustack_destroy(stack);
}

static uint64_t packets_in;

static void count(void *arg, const char *name, uint64_t value)
{
	(*(unsigned int *)arg)++;
	if (!strcmp(name, "ip_in"))
		packets_in = value;
}

static void test_running(void)
{
	union world_name own = world_name("10.1.0.1", 0), peer = world_name("10.1.0.2", 7);
	struct ustack_config config = { .clock = world_clock };
	struct ustack_link_stats stats;
	struct ustack_link *link[2];
	struct ustack *stack[2];
	struct ustack_socket *s;
	unsigned int counters = 0;

	for (int i = 0; i < 2; i++) {
		ustack_create(&config, &stack[i]);
		ustack_link_open(stack[i], "pipe:name=c", &link[i]);
		ustack_address_add(stack[i], link[i], i ? &peer.sa : &own.sa, 24);
	}
	s = ustack_socket(stack[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ustack_connect(s, &peer.sa, sizeof(peer.v4));
	ok(ustack_poll(stack[0]) > 0, "poll: tells when the SYN is due again");
	ustack_link_stats(link[0], &stats);
	ok(stats.tx_packets == 1 && stats.tx_bytes > 40 && stats.rx_packets == 0,
	   "link stats: the SYN");
	ustack_poll(stack[1]);
	ok(ustack_run(stack[0], WORLD_MS(100)) == 1, "run: ends as the socket changes");
	ustack_counters(stack[0], count, &counters);
	ok(counters > 20 && packets_in == 1, "counters");
	ustack_close(s);
	ustack_destroy(stack[0]);
	ustack_destroy(stack[1]);
}

int main(void)
{
	struct ustack *stack;

	plan(0);
	test_create();
	ustack_create(NULL, &stack);
	test_links(stack);
	ustack_destroy(stack);
	ustack_create(NULL, &stack);
	test_addresses(stack);
	ustack_destroy(stack);
	test_no_route();
	test_not_bound();
	test_stranger();
	test_running();
	return finish();
}
