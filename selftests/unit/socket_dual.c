// SPDX-License-Identifier: MIT
/* Sockets of AF_INET6 that hear IPv4, too: names, ports, errors and headers as in Linux. */
#include "packet_script.h"
#include "transport/udp_parts.h"
#include "world.h"

#define ANY_PORT	0

static int set(struct ustack_socket *s, int level, int name, int value)
{
	return ustack_setsockopt(s, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int get(struct ustack_socket *s, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return ustack_getsockopt(s, level, name, &value, &length) ? -errno : value;
}

static int v6only(struct ustack_socket *s)
{
	return get(s, IPPROTO_IPV6, IPV6_V6ONLY);
}

static int set_v6only(struct ustack_socket *s, int value)
{
	return set(s, IPPROTO_IPV6, IPV6_V6ONLY, value);
}

static struct ustack_socket *new_socket(struct ustack *stack, int domain, int type)
{
	return ustack_socket(stack, domain, type | SOCK_NONBLOCK, 0);
}

static int bind_to(struct ustack_socket *s, const char *text, uint16_t port)
{
	union world_name name = world_name(text, port);

	return ustack_bind(s, &name.sa, world_length(&name)) ? -errno : 0;
}

static int connect_to(struct ustack_socket *s, const char *text, uint16_t port)
{
	union world_name name = world_name(text, port);

	return ustack_connect(s, &name.sa, world_length(&name)) ? -errno : 0;
}

static ssize_t send_to(struct ustack_socket *s, const char *text, uint16_t port)
{
	union world_name name = world_name(text, port);
	ssize_t n = ustack_sendto(s, "x", 1, 0, &name.sa, world_length(&name));

	return n < 0 ? -errno : n;
}

static int disconnect(struct ustack_socket *s)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	return ustack_connect(s, &nobody, sizeof(nobody));
}

static bool is_name(const union world_name *name, socklen_t length, const char *text)
{
	char have[INET6_ADDRSTRLEN] = "";

	inet_ntop(AF_INET6, &name->v6.sin6_addr, have, sizeof(have));
	if (name->sa.sa_family == AF_INET6 && length == sizeof(name->v6) && !strcmp(have, text))
		return true;
	printf("# %s, not %s\n", have, text);
	return false;
}

static bool is_named(struct ustack_socket *s, const char *own, const char *peer)
{
	union world_name name;
	socklen_t length = sizeof(name);

	if (ustack_getsockname(s, &name.sa, &length) || !is_name(&name, length, own))
		return false;
	length = sizeof(name);
	return ustack_getpeername(s, &name.sa, &length) ? !peer :
							  peer && is_name(&name, length, peer);
}

/* ------------------------------------------------------------------ the option */

static void test_option(int type)
{
	struct ustack_socket *s = new_socket(world.a, AF_INET6, type);

	ok(v6only(s) == 0, "IPV6_V6ONLY is off by default");
	ok(set_v6only(s, 7) == 0 && v6only(s) == 1 && set_v6only(s, 0) == 0 && v6only(s) == 0,
	   "set, and taken back");
	ok(bind_to(s, "::", 900) == 0 && set_v6only(s, 1) == -EINVAL && v6only(s) == 0,
	   "not once there is a port");
	ustack_close(s);
	s = new_socket(world.a, AF_INET6, type);
	ok(bind_to(s, "fd00::1", 900) == 0 && v6only(s) == 1, "an address of IPv6 says it");
	ustack_close(s);
	s = new_socket(world.a, AF_INET6, type);
	ok(bind_to(s, "::ffff:10.0.0.1", 900) == 0 && v6only(s) == 0 &&
	   is_named(s, "::ffff:10.0.0.1", NULL), "one of IPv4 does not");
	ustack_close(s);
	s = new_socket(world.a, AF_INET6, type);
	ok(bind_to(s, "::ffff:0.0.0.0", 900) == 0 && is_named(s, "::ffff:0.0.0.0", NULL),
	   "any of IPv4 alone has a name of its own");
	ustack_close(s);
	s = new_socket(world.a, AF_INET6, type);
	ok(set_v6only(s, 1) == 0 && bind_to(s, "::ffff:10.0.0.1", 900) == -EINVAL &&
	   bind_to(s, "::ffff:0.0.0.0", 900) == -EINVAL && set_v6only(s, 0) == 0,
	   "IPV6_V6ONLY: no address of IPv4");
	ok(bind_to(s, "::ffff:10.0.0.77", 900) == -EADDRNOTAVAIL && v6only(s) == 0,
	   "an address that the stack has not");
	ustack_close(s);
	s = new_socket(world.a, AF_INET, type);
	ok(set_v6only(s, 1) == -ENOPROTOOPT && v6only(s) == -EOPNOTSUPP, "AF_INET has none");
	ustack_close(s);
}

/* As long as there is a port, whoever chose it. */
static void test_option_later(void)
{
	struct ustack_socket *s = new_socket(world.a, AF_INET6, SOCK_STREAM);

	connect_to(s, "::ffff:10.0.0.2", 99);
	ok(set_v6only(s, 1) == -EINVAL, "not while it connects");
	world_run(WORLD_MS(5));
	ok(connect_to(s, "::ffff:10.0.0.2", 99) == -ECONNREFUSED && set_v6only(s, 1) == 0,
	   "but after a refusal");
	set_v6only(s, 0);
	ok(ustack_listen(s, 1) == 0 && set_v6only(s, 1) == -EINVAL, "not while it listens");
	ok(disconnect(s) == 0 && set_v6only(s, 1) == 0, "but after that");
	ustack_close(s);
	s = new_socket(world.a, AF_INET6, SOCK_DGRAM);
	ok(send_to(s, "fd00::2", 99) == 1 && set_v6only(s, 1) == -EINVAL,
	   "not of a port that a datagram took");
	ustack_close(s);
}

/* ----------------------------------------------------------------------- ports */

/* Who may not have a port beside whom: measured with sockets of Linux. */
static const struct holder {
	int domain, v6only;
	const char *address;
	const char *excludes;
} holders[] = {
	{ AF_INET6, 0, "::", "xxxxxxxx" },
	{ AF_INET6, 1, "::", "xxx     " },
	{ AF_INET6, 0, "fd00::1", "xxx     " },
	{ AF_INET6, 0, "::ffff:10.0.0.1", "x  xxxx " },
	{ AF_INET6, 0, "::ffff:0.0.0.0", "x  xxxxx" },
	{ AF_INET, 0, "0.0.0.0", "x  xxxxx" },
	{ AF_INET, 0, "10.0.0.1", "x  xxxx " },
	{ AF_INET, 0, "10.0.0.11", "x   xx x" },
};

#define HOLDERS	(sizeof(holders) / sizeof(holders[0]))

static struct ustack_socket *hold(struct ustack *stack, const struct holder *h, int type,
				  int reuse)
{
	struct ustack_socket *s = new_socket(stack, h->domain, type);

	set(s, SOL_SOCKET, SO_REUSEADDR, reuse);
	if (h->v6only)
		set_v6only(s, 1);
	return s;
}

static bool excludes(struct ustack *stack, const struct holder *a, const struct holder *b,
		     int type, bool listens)
{
	struct ustack_socket *first = hold(stack, a, type, listens);
	struct ustack_socket *second = hold(stack, b, type, listens);
	int err = bind_to(first, a->address, 901), late = bind_to(second, b->address, 901);

	if (listens && !err && !late) {
		err = ustack_listen(first, 1);
		late = ustack_listen(second, 1) ? -errno : 0;
	} else if (listens) {
		err = -1;	/* both have SO_REUSEADDR */
	}
	ustack_close(first);
	ustack_close(second);
	if (err || (late && late != -EADDRINUSE))
		printf("# %s, then %s: %d, %d\n", a->address, b->address, err, late);
	return late;
}

static bool all_exclude(struct ustack *stack, int type, bool listens)
{
	bool good = true;

	for (size_t i = 0; i < HOLDERS; i++)
		for (size_t j = 0; j < HOLDERS; j++) {
			bool is = excludes(stack, &holders[i], &holders[j], type, listens);

			if (is == (holders[i].excludes[j] == 'x'))
				continue;
			printf("# %s and %s %s\n", holders[i].address, holders[j].address,
			       is ? "exclude each other" : "have the port both");
			good = false;
		}
	return good;
}

static void test_ports(void)
{
	static const char *const own[] = { "10.0.0.1", "10.0.0.11", "fd00::1" };
	const struct ustack_config config = { .driven = true, .seed = 1 };
	struct ustack_link *link;
	struct ustack *stack;

	world_check(ustack_create(&config, &stack), NULL, "create");
	world_check(ustack_link_open(stack, "extern", &link), stack, "extern");
	for (int i = 0; i < 3; i++) {
		union world_name name = world_name(own[i], 0);

		world_check(ustack_address_add(stack, link, &name.sa, 24), stack, own[i]);
	}
	ok(all_exclude(stack, SOCK_STREAM, false), "bind: a port, by families");
	ok(all_exclude(stack, SOCK_STREAM, true), "listen: likewise, with SO_REUSEADDR");
	ok(all_exclude(stack, SOCK_DGRAM, false), "datagrams: a port, by families");
	ustack_destroy(stack);
}

/* --------------------------------------------------------------------- streams */

static struct ustack_socket *listen_at(const char *text, int only)
{
	struct ustack_socket *s = new_socket(world.b, AF_INET6, SOCK_STREAM);

	set_v6only(s, only);
	if (bind_to(s, text, 80) || ustack_listen(s, 8))
		world_check(-errno, world.b, text);
	return s;
}

/* Connects from A; the listener's end, or NULL. */
static struct ustack_socket *meet(struct ustack_socket *listener, const char *text,
				  struct ustack_socket **client, union world_name *name,
				  socklen_t *length)
{
	*client = world_connect(world.a, text, 80, SOCK_STREAM | SOCK_NONBLOCK);
	world_run(WORLD_MS(5));
	*length = sizeof(*name);
	return ustack_accept(listener, &name->sa, length, SOCK_NONBLOCK);
}

static void test_accepted(const char *text, const char *own, const char *peer, int mss)
{
	struct ustack_socket *listener = listen_at("::", 0), *client, *s;
	union world_name name;
	socklen_t length;

	s = meet(listener, text, &client, &name, &length);
	ok(s && is_name(&name, length, peer) && is_named(s, own, peer), "accepted from %s", peer);
	ok(get(s, SOL_SOCKET, SO_DOMAIN) == AF_INET6 && v6only(s) == 0 &&
	   set_v6only(s, 1) == -EINVAL, "and it is of AF_INET6, as who listens");
	ok(get(s, IPPROTO_TCP, TCP_MAXSEG) == mss && get(s, IPPROTO_IP, IP_MTU) == 1500 &&
	   get(s, IPPROTO_IPV6, IPV6_MTU) == 1500, "headers are those of its packets");
	ustack_close(s);
	ustack_close(client);
	ustack_close(listener);
}

static bool hears(struct ustack_socket *listener, const char *text)
{
	struct ustack_socket *client, *s;
	union world_name name;
	socklen_t length;

	s = meet(listener, text, &client, &name, &length);
	if (s)
		ustack_close(s);
	else if (connect_to(client, text, 80) != -ECONNREFUSED)
		puts("# not refused");
	ustack_close(client);
	return s;
}

static void test_listeners(void)
{
	struct ustack_socket *six = listen_at("::", 1), *four, *s, *client;
	union world_name name;
	socklen_t length;

	ok(hears(six, "fd00::2") && !hears(six, "10.0.0.2"), "listen: IPV6_V6ONLY hears IPv6");
	s = meet(six, "fd00::2", &client, &name, &length);
	ok(v6only(s) == 1, "accepted, it has that, too");
	ustack_close(s);
	ustack_close(client);
	four = world_listen(world.b, "0.0.0.0", 80);
	ok(hears(six, "fd00::2") && hears(four, "10.0.0.2"), "listen: beside one of AF_INET");
	ustack_close(four);
	four = listen_at("::ffff:0.0.0.0", 0);
	ok(hears(six, "fd00::2") && hears(four, "10.0.0.2"), "listen: beside one of ::ffff:0.0.0.0");
	ustack_close(four);
	four = listen_at("::ffff:10.0.0.2", 0);
	ok(hears(six, "fd00::2") && hears(four, "10.0.0.2"), "listen: beside one of ::ffff:10.0.0.2");
	ustack_close(four);
	ustack_close(six);
	six = new_socket(world.b, AF_INET6, SOCK_STREAM);
	ok(bind_to(six, "fd00::2", 80) == 0 && ustack_listen(six, 1) == 0 && hears(six, "fd00::2") &&
	   !hears(six, "10.0.0.2"), "listen: at an address of IPv6");
	ustack_close(six);
}

static void test_listen_peer(void)
{
	struct ustack_socket *listener = new_socket(world.b, AF_INET6, SOCK_STREAM), *a, *b, *s;
	union world_name name;
	socklen_t length;

	ok(bind_to(listener, "::", 80) == 0 && ustack_listen_peer(listener) == 0,
	   "point to point: at both families");
	s = meet(listener, "10.0.0.2", &a, &name, &length);
	ok(s && is_name(&name, length, "::ffff:10.0.0.1"), "one by IPv4");
	ok(!meet(listener, "fd00::2", &b, &name, &length) &&
	   connect_to(b, "fd00::2", 80) == -ECONNREFUSED, "another one by IPv6 is one too many");
	ustack_close(s);
	ustack_close(a);
	ustack_close(b);
	ustack_close(listener);
}

static void test_connected(void)
{
	struct ustack_socket *listener = world_listen(world.b, "0.0.0.0", 80);
	struct ustack_socket *s = new_socket(world.a, AF_INET6, SOCK_STREAM), *peer;
	char byte = 0;

	connect_to(s, "::ffff:10.0.0.2", 80);
	world_run(WORLD_MS(5));
	peer = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	ok(peer && connect_to(s, "::ffff:10.0.0.2", 80) == 0 &&
	   is_named(s, "::ffff:10.0.0.1", "::ffff:10.0.0.2"), "connect: to a mapped address");
	ok(get(s, IPPROTO_TCP, TCP_MAXSEG) == 1448, "segments of IPv4");
	ustack_send(s, "x", 1, 0);
	world_run(WORLD_MS(5));
	ok(ustack_recv(peer, &byte, 1, 0) == 1 && byte == 'x', "bytes arrive");
	ok(disconnect(s) == 0 && is_named(s, "::", NULL), "disconnected, it has no address");
	ustack_close(peer);
	ustack_close(listener);
	listener = world_listen(world.b, "fd00::2", 80);
	connect_to(s, "fd00::2", 80);
	world_run(WORLD_MS(5));
	ok(connect_to(s, "fd00::2", 80) == 0 && is_named(s, "fd00::1", "fd00::2") &&
	   get(s, IPPROTO_TCP, TCP_MAXSEG) == 1428, "connect: to one of IPv6 then");
	ustack_close(s);
	ustack_close(listener);
}

static int try_connect(const char *own, int only, const char *text, uint16_t port)
{
	struct ustack_socket *s = new_socket(world.a, AF_INET6, SOCK_STREAM);
	int err;

	set_v6only(s, only);
	err = own ? bind_to(s, own, ANY_PORT) : 0;
	if (!err)
		err = connect_to(s, text, port);
	ustack_close(s);
	return err;
}

static void test_connect_errors(void)
{
	ok(try_connect(NULL, 1, "::ffff:10.0.0.2", 99) == -ENETUNREACH,
	   "connect: IPV6_V6ONLY does not reach IPv4");
	ok(try_connect(NULL, 1, "::ffff:10.0.0.2", 0) == -ENETUNREACH, "whatever the port");
	ok(try_connect("fd00::1", 0, "::ffff:10.0.0.2", 99) == -ENETUNREACH,
	   "connect: nor does an address of IPv6");
	ok(try_connect("::ffff:10.0.0.1", 0, "fd00::2", 99) == -EAFNOSUPPORT &&
	   try_connect("::ffff:0.0.0.0", 0, "fd00::2", 0) == -EAFNOSUPPORT,
	   "connect: one of IPv4 does not reach IPv6");
	ok(try_connect(NULL, 0, "::ffff:224.0.0.1", 99) == -ENETUNREACH &&
	   try_connect(NULL, 0, "::ffff:255.255.255.255", 0) == -ENETUNREACH,
	   "connect: a mapped group");
	ok(try_connect(NULL, 0, "::ffff:10.0.0.2", 0) == -ECONNREFUSED, "connect: port 0");
	ok(try_connect("::", 0, "::ffff:10.0.0.2", 99) == -EINPROGRESS &&
	   try_connect("::ffff:10.0.0.1", 0, "::ffff:10.0.0.2", 99) == -EINPROGRESS &&
	   try_connect("::ffff:0.0.0.0", 0, "::ffff:10.0.0.2", 99) == -EINPROGRESS,
	   "connect: bound to any, and to one of IPv4");
}

/* The server has the connection in TIME-WAIT; the client's port has another one. */
static void test_reused(void)
{
	struct ustack_socket *listener = listen_at("::", 0), *s, *peer;
	int i;

	for (i = 0; i < 2; i++) {
		s = new_socket(world.a, AF_INET6, SOCK_STREAM);
		bind_to(s, "::ffff:10.0.0.1", 5000);
		connect_to(s, "::ffff:10.0.0.2", 80);
		world_run(WORLD_MS(50));
		peer = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		if (!peer)
			break;
		ustack_close(peer);
		world_run(WORLD_MS(50));
		ustack_close(s);
		world_run(WORLD_MS(50));
	}
	ok(i == 2, "TIME-WAIT: a mapped connection opens anew");
	if (!peer)
		ustack_close(s);
	ustack_close(listener);
}

/* ------------------------------------------------------------------- datagrams */

static struct ustack_socket *hearer(const char *text, int only)
{
	struct ustack_socket *s = new_socket(world.b, AF_INET6, SOCK_DGRAM);

	set_v6only(s, only);
	if (bind_to(s, text, 80))
		world_check(-errno, world.b, text);
	return s;
}

/* The sender of what came, or "". */
static const char *came_from(struct ustack_socket *s)
{
	static char text[INET6_ADDRSTRLEN];
	union world_name name;
	socklen_t length = sizeof(name);
	char byte;

	world_run(WORLD_MS(5));
	if (ustack_recvfrom(s, &byte, 1, 0, &name.sa, &length) != 1 ||
	    length != sizeof(name.v6) || name.sa.sa_family != AF_INET6)
		return "";
	inet_ntop(AF_INET6, &name.v6.sin6_addr, text, sizeof(text));
	return text;
}

static bool comes(struct ustack_socket *from, const char *to, struct ustack_socket *s,
		  const char *sender)
{
	const char *seen;

	if (send_to(from, to, 80) != 1)
		return false;
	seen = came_from(s);
	if (strcmp(seen, sender))
		printf("# from \"%s\"\n", seen);
	return !strcmp(seen, sender);
}

static void test_heard(void)
{
	struct ustack_socket *s = hearer("::", 0), *four = new_socket(world.a, AF_INET, SOCK_DGRAM);
	struct ustack_socket *six = new_socket(world.a, AF_INET6, SOCK_DGRAM);

	ok(comes(four, "10.0.0.2", s, "::ffff:10.0.0.1") && comes(six, "fd00::2", s, "fd00::1"),
	   "datagrams: of both families");
	ok(comes(six, "::ffff:10.0.0.2", s, "::ffff:10.0.0.1"), "datagrams: to a mapped address");
	ok(comes(six, "10.0.0.2", s, "::ffff:10.0.0.1"), "datagrams: to a sockaddr_in");
	ustack_close(s);
	s = hearer("::", 1);
	ok(comes(six, "fd00::2", s, "fd00::1") && comes(four, "10.0.0.2", s, ""),
	   "datagrams: IPV6_V6ONLY hears IPv6");
	ustack_close(s);
	s = hearer("::ffff:0.0.0.0", 0);
	ok(comes(six, "fd00::2", s, "") && comes(four, "10.0.0.2", s, "::ffff:10.0.0.1"),
	   "datagrams: ::ffff:0.0.0.0 hears IPv4");
	ustack_close(s);
	ustack_close(four);
	ustack_close(six);
}

static int try_send(const char *own, int only, const char *text, uint16_t port)
{
	struct ustack_socket *s = new_socket(world.a, AF_INET6, SOCK_DGRAM);
	ssize_t n;

	set_v6only(s, only);
	n = own ? bind_to(s, own, ANY_PORT) : 0;
	if (!n)
		n = send_to(s, text, port);
	ustack_close(s);
	return (int)n;
}

static void test_send_errors(void)
{
	ok(try_send(NULL, 1, "::ffff:10.0.0.2", 80) == -ENETUNREACH &&
	   try_send(NULL, 1, "::ffff:10.0.0.2", 0) == -ENETUNREACH &&
	   try_send(NULL, 1, "10.0.0.2", 80) == -ENETUNREACH,
	   "send: IPV6_V6ONLY does not reach IPv4");
	ok(try_send("fd00::1", 0, "::ffff:10.0.0.2", 80) == -ENETUNREACH &&
	   try_send("fd00::1", 0, "10.0.0.2", 80) == -ENETUNREACH,
	   "send: nor does an address of IPv6");
	ok(try_send("::ffff:10.0.0.1", 0, "fd00::2", 80) == -EAFNOSUPPORT &&
	   try_send("::ffff:0.0.0.0", 0, "fd00::2", 80) == -EAFNOSUPPORT,
	   "send: one of IPv4 does not reach IPv6");
	ok(try_send(NULL, 0, "::ffff:10.0.0.2", 0) == -EINVAL &&
	   try_send(NULL, 0, "10.0.0.2", 0) == -EINVAL, "send: port 0");
	ok(try_send("::ffff:10.0.0.1", 0, "::ffff:10.0.0.2", 80) == 1 &&
	   try_send("::ffff:0.0.0.0", 0, "10.0.0.2", 80) == 1, "send: from one of IPv4");
}

static void test_peers(void)
{
	struct ustack_socket *s = new_socket(world.a, AF_INET6, SOCK_DGRAM);

	ok(connect_to(s, "::ffff:10.0.0.2", 80) == 0 &&
	   is_named(s, "::ffff:10.0.0.1", "::ffff:10.0.0.2"), "a peer of IPv4");
	ok(send_to(s, "fd00::2", 80) == -EAFNOSUPPORT &&
	   connect_to(s, "fd00::2", 80) == -EAFNOSUPPORT, "which keeps it from IPv6");
	ok(send_to(s, "::ffff:10.0.0.3", 80) == 1 && send_to(s, "10.0.0.3", 80) == 1,
	   "but not from others of IPv4");
	ok(disconnect(s) == 0 && is_named(s, "::", NULL) && connect_to(s, "fd00::2", 80) == 0 &&
	   is_named(s, "fd00::1", "fd00::2"), "until it has none");
	ok(send_to(s, "::ffff:10.0.0.2", 80) == 1 && connect_to(s, "10.0.0.2", 80) == 0 &&
	   is_named(s, "::ffff:10.0.0.1", "::ffff:10.0.0.2"), "one of IPv6 keeps it from nobody");
	ustack_close(s);
	s = new_socket(world.a, AF_INET6, SOCK_DGRAM);
	set_v6only(s, 1);
	ok(connect_to(s, "::ffff:10.0.0.2", 80) == -ENETUNREACH &&
	   connect_to(s, "10.0.0.2", 80) == -EAFNOSUPPORT, "IPV6_V6ONLY: no peer of IPv4");
	ustack_close(s);
}

/* --------------------------------------------------------------------- headers */

static struct script script;

/* The only packet that left since the last look is one of the version. */
static bool left(uint8_t version, uint8_t tos, uint8_t ttl)
{
	const uint8_t *ip = script.sent[script.first].data;
	bool one = script.count == 1 && ip[0] >> 4 == version;

	script.count = 0;
	if (version == 4)
		return one && ip[1] == tos && ip[8] == ttl;
	return one && (uint8_t)(ip[0] << 4 | ip[1] >> 4) == tos && ip[7] == ttl;
}

static void begin(void)
{
	struct us_addr six;

	memset(&script, 0, sizeof(script));
	if (!script_open(&script, false))
		puts("Bail out! no stack");
	script.six = true;
	six = script_addr(&script, 1);
	script.six = false;
	us_net_address_add(script_stack(&script), &script.link, &six, 64);
}

static void set_headers(struct ustack_socket *s)
{
	set(s, IPPROTO_IP, IP_TOS, 0x20);
	set(s, IPPROTO_IP, IP_TTL, 44);
	set(s, IPPROTO_IPV6, IPV6_TCLASS, 0x40);
	set(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33);
}

static void test_levels(int type)
{
	struct ustack_socket *s;

	begin();
	s = new_socket(script.stack, AF_INET6, type);
	ok(get(s, IPPROTO_IP, IP_TTL) == 64 && get(s, IPPROTO_IP, IP_TOS) == 0 &&
	   get(s, IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_WANT &&
	   get(s, IPPROTO_IP, IP_MTU) == -ENOTCONN, "an AF_INET6 socket has IPv4's options, too");
	set_headers(s);
	ok(get(s, IPPROTO_IP, IP_TTL) == 44 && get(s, IPPROTO_IP, IP_TOS) == 0x20 &&
	   get(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 33 &&
	   get(s, IPPROTO_IPV6, IPV6_TCLASS) == 0x40, "each level has its own");
	set(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	ok(get(s, IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE &&
	   get(s, IPPROTO_IPV6, IPV6_MTU_DISCOVER) == IP_PMTUDISC_WANT, "of the path's MTU, too");
	ustack_close(s);
	script_end(&script);
}

static void test_errors_told(void)
{
	struct ustack_socket *s = new_socket(world.a, AF_INET6, SOCK_STREAM);

	ok(set(s, IPPROTO_IP, IP_RECVERR, 1) == 0 && get(s, IPPROTO_IP, IP_RECVERR) == 1 &&
	   get(s, IPPROTO_IPV6, IPV6_RECVERR) == 0 &&
	   set(s, IPPROTO_IPV6, IPV6_RECVERR, 1) == 0 && set(s, IPPROTO_IP, IP_RECVERR, 0) == 0 &&
	   get(s, IPPROTO_IPV6, IPV6_RECVERR) == 1, "of soft errors, too");
	ustack_close(s);
}

static void test_syn(const char *peer, uint8_t version, uint8_t tos, uint8_t ttl)
{
	struct ustack_socket *s;

	begin();
	s = new_socket(script.stack, AF_INET6, SOCK_STREAM);
	set_headers(s);
	ok(connect_to(s, peer, 7) == -EINPROGRESS && left(version, tos, ttl),
	   "a SYN to %s has those of its family", peer);
	ustack_close(s);
	script_end(&script);
}

/* What is set at the one level leaves a way of the other family alone. */
static void test_datagrams(void)
{
	struct ustack_socket *s;

	begin();
	s = new_socket(script.stack, AF_INET6, SOCK_DGRAM);
	set_headers(s);
	ok(send_to(s, "::ffff:10.0.0.2", 7) == 1 && left(4, 0x20, 44), "a datagram of IPv4");
	ok(send_to(s, "fd00::2", 7) == 1 && left(6, 0x40, 33), "and one of IPv6");
	ok(set(s, IPPROTO_IP, IP_TOS, 0) == 0 && send_to(s, "fd00::2", 7) == 1 &&
	   left(6, 0x40, 33), "on the same way: what is not about it");
	ok(set(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9) == 0 && send_to(s, "fd00::2", 7) == 1 &&
	   left(6, 0x40, 9), "and what is");
	ustack_close(s);
	script_end(&script);
}

/* The least that a router may tell is that of the packet's family. */
static void test_mtu(void)
{
	struct us_net_error error = {
		.local = script_addr(&script, 1), .remote = script_addr(&script, 2),
		.len = 8, .mtu = 100, .err = EMSGSIZE, .hard = true,
	};
	struct ustack_socket *s;

	begin();
	s = new_socket(script.stack, AF_INET6, SOCK_DGRAM);
	ok(connect_to(s, "::ffff:10.0.0.2", 7) == 0 && ustack_send(s, "x", 1, 0) == 1 &&
	   get(s, IPPROTO_IPV6, IPV6_MTU) == 1500, "a peer of IPv4: the MTU of the link");
	error.quoted = script.sent[script.first].data + US_IPV4_LEN;
	us_udp_icmp(script_stack(&script), &error);
	ok(get(s, IPPROTO_IP, IP_MTU) == 552 && get(s, IPPROTO_IPV6, IPV6_MTU) == 552,
	   "and what a router told");
	script.count = 0;
	ustack_close(s);
	script_end(&script);
}

static void test_refused(void)
{
	static const char large[3000];
	struct ustack_socket *s;

	begin();
	s = new_socket(script.stack, AF_INET6, SOCK_DGRAM);
	set(s, IPPROTO_IPV6, IPV6_RECVERR, 1);
	connect_to(s, "::ffff:10.0.0.2", 7);
	fails(ustack_send(s, large, sizeof(large), 0), EMSGSIZE);
	ok(ustack_recv(s, NULL, 0, MSG_ERRQUEUE) == -1, "of IPv4, IPV6_RECVERR queues nothing");
	set(s, IPPROTO_IP, IP_RECVERR, 1);
	fails(ustack_send(s, large, sizeof(large), 0), EMSGSIZE);
	ok(ustack_recv(s, NULL, 0, MSG_ERRQUEUE) == 0, "but IP_RECVERR does");
	ustack_close(s);
	script_end(&script);
}

/* ------------------------------------------------------------ control messages */

/* Sends to @to, or NULL: to the peer, with one control message. */
static ssize_t say(struct ustack_socket *s, const char *to, int level, int type,
		   const void *data, size_t size)
{
	union world_name name = world_name(to ? to : "::", 7);
	struct iovec piece = { (void *)"x", 1 };
	union {
		struct cmsghdr c;
		uint8_t room[64];
	} control = { .c = { CMSG_LEN(size), level, type } };
	struct msghdr m = {
		.msg_name = to ? &name : NULL, .msg_namelen = to ? world_length(&name) : 0,
		.msg_iov = &piece, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = CMSG_SPACE(size),
	};
	ssize_t n;

	memcpy(CMSG_DATA(&control.c), data, size);
	n = ustack_sendmsg(s, &m, 0);
	return n < 0 ? -errno : n;
}

static ssize_t say_number(struct ustack_socket *s, const char *to, int level, int type, int value)
{
	return say(s, to, level, type, &value, sizeof(value));
}

static ssize_t say_source(struct ustack_socket *s, const char *to, const char *source)
{
	struct in6_pktinfo info = { .ipi6_ifindex = 0 };

	inet_pton(AF_INET6, source, &info.ipi6_addr);
	return say(s, to, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

#define FOUR	"::ffff:10.0.0.2"
#define SIX	"fd00::2"

static void test_said(void)
{
	struct ustack_socket *s;

	begin();
	s = new_socket(script.stack, AF_INET6, SOCK_DGRAM);
	ok(say_number(s, FOUR, IPPROTO_IP, IP_TOS, 0x80) == 1 && left(4, 0x80, 64) &&
	   say_number(s, "10.0.0.2", IPPROTO_IP, IP_TTL, 9) == 1 && left(4, 0, 9),
	   "said of a datagram of IPv4: IP_TOS, IP_TTL");
	ok(say_number(s, FOUR, IPPROTO_IPV6, IPV6_TCLASS, 0x80) == 1 && left(4, 0, 64) &&
	   say_number(s, FOUR, IPPROTO_IPV6, 99, 0) == 1 && left(4, 0, 64) &&
	   say_number(s, FOUR, IPPROTO_IP, 99, 0) == -EINVAL, "of IPv6's level nobody looks");
	ok(say_number(s, SIX, IPPROTO_IPV6, IPV6_TCLASS, 0x80) == 1 && left(6, 0x80, 64) &&
	   say_number(s, SIX, IPPROTO_IP, IP_TOS, 0x80) == 1 && left(6, 0, 64) &&
	   say_number(s, SIX, IPPROTO_IP, 99, 0) == 1 && left(6, 0, 64),
	   "said of one of IPv6: the other way round");
	ok(say_source(s, FOUR, "::ffff:10.0.0.1") == 1 && left(4, 0, 64), "a mapped source");
	ok(say_source(s, FOUR, "fd00::1") == -EINVAL && say_source(s, FOUR, "::") == -EINVAL &&
	   say_source(s, SIX, "::ffff:10.0.0.1") == -EINVAL, "one of the other family");
	script.count = 0;
	connect_to(s, FOUR, 7);
	ok(say_number(s, NULL, IPPROTO_IP, IP_TOS, 0x80) == 1 && left(4, 0x80, 64),
	   "said of one to the peer");
	ustack_close(s);
	script_end(&script);
}

int main(void)
{
	plan(0);
	world_create("");
	test_option(SOCK_STREAM);
	test_option(SOCK_DGRAM);
	test_option_later();
	test_ports();
	test_accepted("10.0.0.2", "::ffff:10.0.0.2", "::ffff:10.0.0.1", 1448);
	test_accepted("fd00::2", "fd00::2", "fd00::1", 1428);
	test_listeners();
	test_listen_peer();
	test_connected();
	test_connect_errors();
	test_reused();
	test_heard();
	test_send_errors();
	test_peers();
	test_levels(SOCK_STREAM);
	test_levels(SOCK_DGRAM);
	test_errors_told();
	test_syn(FOUR, 4, 0x20, 44);
	test_syn(SIX, 6, 0x40, 33);
	test_datagrams();
	test_mtu();
	test_refused();
	test_said();
	world_destroy();
	return finish();
}
