// SPDX-License-Identifier: MIT
/*
 * A simulated network in virtual time: each run has its own seed, from which
 * follow the path (loss, delay, reordering, duplication, corruption, rate, MTU, holes),
 * the buffers and what both sides do.  Every byte is compared in both
 * directions, the books of TCP are audited while it runs, and nothing may be
 * left behind at the end.
 *
 *	tcp_sim			a few hundred runs
 *	tcp_sim SEED		that run alone, with a line about it
 *	tcp_sim FIRST COUNT	so many runs from there
 *	tcp_sim --matrix FILE	goodput by congestion control, loss and delay, as a table
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "tcp_audit.h"

#define RUNS		600
#define CHUNK		65536
#define LIMIT		(3600 * US_SEC)
#define CELL_RUNS	4u		/* of the matrix; IPv4 and IPv6 in turn */
#define CELL_BYTES	(4u << 20)	/* from client to server */
#define CELL_PATH	"mtu=1500,rate=20000000,limit=256"

/**
 * struct side - what one end of the connection does
 * @stack: its stack.
 * @socket: its socket.
 * @size: bytes that it sends.
 * @sent: bytes of those that send() took.
 * @expect: bytes that the other side sends.
 * @got: bytes received and compared.
 * @write_max: of one send().
 * @read_max: of one recv().
 * @lazy: chance in 256 not to read when it could.
 * @shut: it has sent its FIN.
 * @eof: it has read the other's.
 * @salt: of its bytes.
 */
struct side {
	struct ustack *stack;
	struct ustack_socket *socket;
	uint64_t size;
	uint64_t sent;
	uint64_t expect;
	uint64_t got;
	uint32_t write_max;
	uint32_t read_max;
	uint32_t lazy;
	bool shut;
	bool eof;
	uint64_t salt;
};

/**
 * struct sim - one run
 * @seed: all else follows from it.
 * @random: state of the generator.
 * @now: virtual time.
 * @why: what went wrong, or NULL.
 * @six: IPv6.
 * @plain: a cell of the matrix: the stacks and their buffers are as they are by default.
 * @sndbuf: of both sockets.
 * @rcvbuf: of both sockets.
 * @cc: of both sockets, in controls.
 * @took: nanoseconds from SYN to both FINs.
 * @offer: options, by side.
 * @side: client, server.
 * @listener: of the server.
 * @shape: of the pipe, by sending side.
 */
struct sim {
	uint64_t seed;
	uint64_t random;
	int64_t now;
	const char *why;
	bool six;
	bool plain;
	int sndbuf;
	int rcvbuf;
	uint32_t cc;
	int64_t took;
	uint32_t offer[2];
	struct side side[2];
	struct ustack_socket *listener;
	char shape[2][200];
};

static const char *const controls[] = { "cubic", "reno", "bbr" };

#define CONTROLS	(sizeof(controls) / sizeof(controls[0]))

/* What each congestion control moved in how many seconds of virtual time. */
static struct {
	uint32_t runs;
	double bytes;
	double seconds;
} goodput[CONTROLS];

static uint8_t buffer[CHUNK];

static uint64_t draw(struct sim *sim)
{
	uint64_t z = (sim->random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint32_t below(struct sim *sim, uint32_t bound)
{
	return bound ? (uint32_t)(draw(sim) % bound) : 0;
}

/* Small numbers as often as large ones. */
static uint32_t skewed(struct sim *sim, uint32_t bits)
{
	return (uint32_t)(draw(sim) & ((1ULL << below(sim, bits + 1)) - 1));
}

static int64_t sim_clock(void *arg)
{
	return ((struct sim *)arg)->now;
}

static uint8_t byte_at(uint64_t salt, uint64_t at)
{
	return (uint8_t)((at * 0x9e3779b1u + salt) >> 11 ^ at);
}

static void fail(struct sim *sim, const char *why)
{
	if (!sim->why)
		sim->why = why;
}

/* -------------------------------------------------------------------- set-up */

static socklen_t name(const struct sim *sim, const char *host, uint16_t port,
		      struct sockaddr_storage *to)
{
	struct sockaddr_in6 *v6 = (void *)to;
	struct sockaddr_in *v4 = (void *)to;
	char text[32];

	memset(to, 0, sizeof(*to));
	if (sim->six) {
		snprintf(text, sizeof(text), "fd00::%s", host);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		inet_pton(AF_INET6, text, &v6->sin6_addr);
		return sizeof(*v6);
	}
	snprintf(text, sizeof(text), "10.0.0.%s", host);
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	inet_pton(AF_INET, text, &v4->sin_addr);
	return sizeof(*v4);
}

/* From 100 kbit/s to 200 Mbit/s, in front of a few packets or of very many. */
static void choose_rate(struct sim *sim, char *rate, size_t size)
{
	uint32_t bits = 100000u << below(sim, 11), limit = 2 + skewed(sim, 11);

	snprintf(rate, size, ",rate=%u,limit=%u", bits + below(sim, bits), limit);
}

static void choose_shape(struct sim *sim, char *shape, uint32_t mtu, uint32_t harsh)
{
	uint32_t delay = below(sim, 8) ? skewed(sim, 8) : below(sim, 301), size;
	char rate[64] = "";

	if (below(sim, 3) == 0)
		choose_rate(sim, rate, sizeof(rate));
	size = (uint32_t)snprintf(shape, 200,
		 "mtu=%u,loss=%u,burst=%u,reorder=%u,duplicate=%u,corrupt=%u,delay=%u,jitter=%u,gso=%u%s",
		 mtu, harsh ? below(sim, 11) : 0, below(sim, 3) ? 1 : 1 + below(sim, 8),
		 harsh ? below(sim, 20) : 0, harsh ? below(sim, 6) : 0,
		 harsh == 2 ? below(sim, 4) : 0, delay, skewed(sim, 4), below(sim, 2), rate);
	/* Few frames fill up the link; many cost much under a sanitizer. */
	snprintf(shape + size, 200 - size, ",frames=%u",
		 below(sim, 5) ? 512 : 4 + below(sim, 60));
}

/* Larger packets vanish on a way that says nothing of it (RFC 4821). */
static void choose_hole(struct sim *sim, char *shape)
{
	uint32_t least = sim->six ? 1280 : 576;
	size_t len = strlen(shape);

	if (!below(sim, 6))
		snprintf(shape + len, 200 - len, ",hole=%u", least + below(sim, 1500 - least));
}

/* As often alike in both directions as not. */
static void choose_shapes(struct sim *sim)
{
	uint32_t mtu = below(sim, 4) ? 1500 : 1280 + below(sim, 8000);
	uint32_t harsh = below(sim, 3);

	choose_shape(sim, sim->shape[0], mtu, harsh);
	if (below(sim, 2))
		choose_shape(sim, sim->shape[1], mtu, harsh);
	else
		memcpy(sim->shape[1], sim->shape[0], sizeof(sim->shape[0]));
	choose_hole(sim, sim->shape[0]);
	choose_hole(sim, sim->shape[1]);
}

static void choose(struct sim *sim)
{
	int i;

	sim->cc = below(sim, CONTROLS);
	sim->six = below(sim, 2);
	sim->sndbuf = 4096 + (int)skewed(sim, 20);
	sim->rcvbuf = 2048 + (int)skewed(sim, 20);
	for (i = 0; i < 2; i++) {
		struct side *side = &sim->side[i];

		side->size = skewed(sim, 19);
		side->write_max = 1 + (below(sim, 3) ? CHUNK / 2 : skewed(sim, 12));
		side->read_max = 1 + (below(sim, 3) ? CHUNK / 2 : skewed(sim, 12));
		side->lazy = below(sim, 3) ? 0 : below(sim, 250);
		side->salt = draw(sim);
		sim->offer[i] = US_TCP_TS | US_TCP_SACK | US_TCP_WSCALE;
		if (below(sim, 3) == 0)
			sim->offer[i] &= (uint32_t)draw(sim);
	}
	/* Much data by small steps would take for ever. */
	for (i = 0; i < 2; i++) {
		sim->side[i].write_max += (uint32_t)sim->side[i].size / 64;
		sim->side[i].read_max += (uint32_t)sim->side[!i].size / 64;
	}
	sim->side[0].expect = sim->side[1].size;
	sim->side[1].expect = sim->side[0].size;
	choose_shapes(sim);
}

static void set_options(struct sim *sim, struct ustack_socket *socket)
{
	int nodelay = (int)below(sim, 2);

	if (!sim->plain) {
		ustack_setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &sim->sndbuf, sizeof(int));
		ustack_setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &sim->rcvbuf, sizeof(int));
	}
	ustack_setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &nodelay, sizeof(int));
	if (ustack_setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, controls[sim->cc],
			      (socklen_t)strlen(controls[sim->cc])))
		fail(sim, "no such congestion control");
}

static bool create_side(struct sim *sim, int i)
{
	struct ustack_config config = {
		.clock = sim_clock, .clock_arg = sim, .seed = draw(sim) | 1,
		.max_sockets = 8,
		.max_packets = sim->plain || below(sim, 4) ? 0 : 8 + below(sim, 200),
		.send_memory = sim->plain || below(sim, 4) ? 0 : 8192 + below(sim, 100000),
	};
	struct sockaddr_storage address;
	struct ustack_link *link;
	char spec[300];

	snprintf(spec, sizeof(spec), "pipe:name=sim,seed=%u,%s",
		 below(sim, UINT32_MAX - 1) + 1, sim->shape[i]);
	if (ustack_create(&config, &sim->side[i].stack) ||
	    ustack_link_open(sim->side[i].stack, spec, &link))
		return false;
	((struct us_stack *)sim->side[i].stack)->tcp->offer = sim->offer[i];
	name(sim, i ? "2" : "1", 0, &address);
	return !ustack_address_add(sim->side[i].stack, link, (void *)&address,
				   sim->six ? 64 : 24);
}

static bool open_sockets(struct sim *sim)
{
	int domain = sim->six ? AF_INET6 : AF_INET;
	struct side *client = &sim->side[0], *server = &sim->side[1];
	struct sockaddr_storage address;
	socklen_t len = name(sim, "2", 80, &address);

	sim->listener = ustack_socket(server->stack, domain,
				      SOCK_STREAM | SOCK_NONBLOCK, 0);
	client->socket = ustack_socket(client->stack, domain,
				       SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!sim->listener || !client->socket)
		return false;
	set_options(sim, sim->listener);
	set_options(sim, client->socket);
	return !ustack_bind(sim->listener, (void *)&address, len) &&
	       !ustack_listen(sim->listener, 1) &&
	       ustack_connect(client->socket, (void *)&address, len) == -1 &&
	       errno == EINPROGRESS;
}

/* ------------------------------------------------------------------- the run */

static void try_send(struct sim *sim, struct side *side)
{
	while (side->sent < side->size) {
		uint32_t n = 1 + below(sim, side->write_max), i;
		ssize_t done;

		if (n > side->size - side->sent)
			n = (uint32_t)(side->size - side->sent);
		if (n > CHUNK)
			n = CHUNK;
		for (i = 0; i < n; i++)
			buffer[i] = byte_at(side->salt, side->sent + i);
		done = ustack_send(side->socket, buffer, n,
				   below(sim, 16) ? 0 : MSG_MORE);
		if (done < 0) {
			if (errno != EAGAIN)
				fail(sim, "send() failed");
			return;
		}
		side->sent += (uint64_t)done;
	}
	if (side->shut)
		return;
	side->shut = true;
	if (ustack_shutdown(side->socket, SHUT_WR))
		fail(sim, "shutdown() failed");
}

static void try_recv(struct sim *sim, struct side *side, uint64_t salt)
{
	while (!side->eof && !sim->why && below(sim, 256) >= side->lazy) {
		uint32_t want = 1 + below(sim, side->read_max);
		ssize_t n = ustack_recv(side->socket, buffer,
					want < CHUNK ? want : CHUNK, 0), i;

		if (n < 0) {
			if (errno != EAGAIN)
				fail(sim, "recv() failed");
			return;
		}
		for (i = 0; i < n; i++)
			if (buffer[i] != byte_at(salt, side->got + (uint64_t)i))
				fail(sim, "a byte is wrong");
		side->got += (uint64_t)n;
		side->eof = n == 0;
	}
	if (side->eof && side->got != side->expect)
		fail(sim, "the stream ended early");
	if (side->got > side->expect)
		fail(sim, "too many bytes");
}

static void use(struct sim *sim)
{
	struct side *client = &sim->side[0], *server = &sim->side[1];
	struct ustack_pollfd fd = { .socket = client->socket, .events = POLLOUT };

	if (!server->socket)
		server->socket = ustack_accept(sim->listener, NULL, NULL,
					       SOCK_NONBLOCK);
	ustack_pollsockets(client->stack, &fd, 1, 0);
	if (fd.revents & POLLERR)
		fail(sim, "connect() failed");
	if (server->socket) {
		try_send(sim, server);
		try_recv(sim, server, client->salt);
	}
	if (fd.revents & (POLLOUT | POLLIN | POLLHUP) || client->sent) {
		try_send(sim, client);
		try_recv(sim, client, server->salt);
	}
}

/* Both stacks up to @now; then to when something happens next. */
static void step(struct sim *sim, int64_t most)
{
	int64_t a, b, next = most;

	/* What one sends decides when the other is next due. */
	ustack_poll(sim->side[0].stack);
	ustack_poll(sim->side[1].stack);
	a = ustack_poll(sim->side[0].stack);
	b = ustack_poll(sim->side[1].stack);

	if (a >= 0 && a < next)
		next = a;
	if (b >= 0 && b < next)
		next = b;
	sim->now += next ? next : 1000;
	audit(sim->side[0].stack, &sim->why);
	audit(sim->side[1].stack, &sim->why);
}

static bool finished(const struct sim *sim)
{
	return sim->side[0].eof && sim->side[1].eof &&
	       sim->side[0].shut && sim->side[1].shut;
}

static void settle(struct sim *sim)
{
	int64_t end;

	ustack_close(sim->side[0].socket);
	if (sim->side[1].socket)
		ustack_close(sim->side[1].socket);
	ustack_close(sim->listener);
	for (end = sim->now + 1200 * US_SEC; sim->now < end && !sim->why;) {
		step(sim, 10 * US_SEC);
		if (!((struct us_stack *)sim->side[0].stack)->tcp->conns.used &&
		    !((struct us_stack *)sim->side[1].stack)->tcp->conns.used &&
		    end - sim->now > 100 * US_SEC)
			end = sim->now + 100 * US_SEC;
	}
	audit_end(sim->side[0].stack, &sim->why);
	audit_end(sim->side[1].stack, &sim->why);
}

static void run(struct sim *sim)
{
	int64_t begin = sim->now;

	if (!open_sockets(sim)) {
		fail(sim, "the sockets do not open");
		return;
	}
	while (!finished(sim) && !sim->why) {
		step(sim, 50 * US_MSEC);
		use(sim);
		if (sim->now - begin > LIMIT)
			fail(sim, "it takes for ever");
	}
	sim->took = sim->now - begin;
}

static void begin(struct sim *sim, uint64_t seed)
{
	memset(sim, 0, sizeof(*sim));
	sim->seed = sim->random = seed;
	sim->now = US_SEC + (int64_t)below(sim, 1u << 30) * 4096;
}

/* What was chosen, from SYN to the end. */
static bool simulate(struct sim *sim)
{
	if (!create_side(sim, 0) || !create_side(sim, 1))
		fail(sim, "the stacks cannot be created");
	else
		run(sim);
	if (!sim->why)
		settle(sim);
	ustack_destroy(sim->side[0].stack);
	ustack_destroy(sim->side[1].stack);
	return !sim->why;
}

static void describe(const struct sim *sim)
{
	printf("# seed %llu: IPv%d %s %s | %s sndbuf %d rcvbuf %d offer %x %x, %llu/%llu and %llu/%llu bytes, lazy %u %u, %.3f s: %s\n",
	       (unsigned long long)sim->seed, sim->six ? 6 : 4, controls[sim->cc], sim->shape[0], sim->shape[1],
	       sim->sndbuf, sim->rcvbuf, sim->offer[0], sim->offer[1],
	       (unsigned long long)sim->side[1].got,
	       (unsigned long long)sim->side[0].size,
	       (unsigned long long)sim->side[0].got,
	       (unsigned long long)sim->side[1].size,
	       sim->side[0].lazy, sim->side[1].lazy, (double)sim->took / 1e9, sim->why ? sim->why : "good");
}

static void record(const struct sim *sim)
{
	goodput[sim->cc].runs++;
	goodput[sim->cc].bytes += (double)(sim->side[0].got + sim->side[1].got);
	goodput[sim->cc].seconds += (double)sim->took / 1e9;
}

static void print_goodput(void)
{
	size_t i;

	for (i = 0; i < CONTROLS; i++)
		printf("# %s: %u runs, %.0f bytes in %.0f s: %.1f kbyte/s\n", controls[i],
		       goodput[i].runs, goodput[i].bytes, goodput[i].seconds,
		       goodput[i].bytes / 1e3 / (goodput[i].seconds + 1e-9));
}

/* -------------------------------------------------------------------- the matrix */

/* Seconds that a file takes. */
static double cell_run(struct sim *sim, uint32_t cc, uint32_t loss, uint32_t delay, uint32_t n)
{
	int i;

	begin(sim, n + 1);
	sim->plain = true;
	sim->cc = cc;
	sim->six = n % 2;
	for (i = 0; i < 2; i++) {
		sim->offer[i] = US_TCP_TS | US_TCP_SACK | US_TCP_WSCALE;
		sim->side[i].write_max = sim->side[i].read_max = CHUNK;
		sim->side[i].salt = draw(sim);
		snprintf(sim->shape[i], sizeof(sim->shape[i]), CELL_PATH ",loss=%u,delay=%u",
			 loss, delay);
	}
	sim->side[0].size = sim->side[1].expect = CELL_BYTES;
	simulate(sim);
	return (double)sim->took / 1e9;
}

/* Goodput of a cell, its mean, least and most: a row. */
static void cell(FILE *table, uint32_t cc, uint32_t loss, uint32_t delay)
{
	double sum = 0, least = 1e9, most = 0;
	static struct sim sim;
	uint32_t n;

	for (n = 0; n < CELL_RUNS && !sim.why; n++) {
		double rate = CELL_BYTES * 8e-6 / cell_run(&sim, cc, loss, delay, n);

		sum += rate / CELL_RUNS;
		least = rate < least ? rate : least;
		most = rate > most ? rate : most;
	}
	if (sim.why)
		describe(&sim);
	fprintf(table, "%s\t%u\t%u\t%.3f\t%.3f\t%.3f\n", controls[cc], loss, delay, sum, least, most);
	ok(!sim.why, "%s, loss of %u %%, delay of %u ms: %.2f Mbit/s", controls[cc], loss, delay, sum);
}

static int matrix(const char *file)
{
	static const uint32_t losses[] = { 0, 1, 5, 10 }, delays[] = { 0, 50, 300 };
	FILE *table = fopen(file, "w");
	uint32_t cc, i, j;

	plan(0);
	if (!table) {
		ok(false, "the table can be written");
		return finish();
	}
	fprintf(table, "cc\tloss\tdelay\tMbit/s\tleast\tmost\n");
	for (cc = 0; cc < CONTROLS; cc++)
		for (i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
			for (j = 0; j < sizeof(delays) / sizeof(delays[0]); j++)
				cell(table, cc, losses[i], delays[j]);
	ok(!fclose(table), "the table is written");
	return finish();
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, seed;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) :
			 argc > 1 ? 1 : RUNS;
	unsigned int failures = 0;
	static struct sim sim;

	if (argc == 3 && !strcmp(argv[1], "--matrix"))
		return matrix(argv[2]);
	plan(1);
	for (seed = first; seed < first + count && failures < 10; seed++) {
		bool good;

		begin(&sim, seed);
		choose(&sim);
		good = simulate(&sim);
		failures += !good;
		record(&sim);
		if (!good || count == 1)
			describe(&sim);
	}
	print_goodput();
	ok(!failures, "%llu simulated connections", (unsigned long long)count);
	return finish();
}
