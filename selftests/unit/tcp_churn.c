// SPDX-License-Identifier: MIT
/*
 * Many connections that come and go between two stacks: requests and answers,
 * clean and rude ends, accept queues that overflow, ports and TIME-WAIT records
 * that are used again, and stacks that are destroyed in the middle of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "tcp_audit.h"

#define CLIENTS		60
#define REQUEST		200

/**
 * struct client - one of many
 * @socket: NULL: about to begin.
 * @sent: bytes of the request.
 * @got: bytes of the answer.
 */
struct client {
	struct ustack_socket *socket;
	unsigned int sent;
	unsigned int got;
};

/**
 * struct churn - all of it
 * @now: virtual time.
 * @random: state of the generator.
 * @a: stack of the clients.
 * @b: stack of the servers.
 * @listener: of @b.
 * @client: at work.
 * @server: accepted.
 * @done: answers that were complete.
 * @failed: connections that ended with an error.
 * @why: what went wrong, or NULL.
 */
static struct churn {
	int64_t now;
	uint64_t random;
	struct ustack *a;
	struct ustack *b;
	struct ustack_socket *listener;
	struct client client[CLIENTS];
	struct client server[2 * CLIENTS];
	unsigned int done;
	unsigned int failed;
	const char *why;
} churn;

static uint32_t below(uint32_t bound)
{
	churn.random = churn.random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((churn.random >> 33) % bound);
}

static int64_t get_time(void *arg)
{
	(void)arg;
	return churn.now;
}

static struct us_tcp_table *table(struct ustack *stack)
{
	return ((struct us_stack *)stack)->tcp;
}

static struct ustack *create(const char *shape, const char *address, uint64_t seed,
			     unsigned int waits)
{
	struct ustack_config config = {
		.clock = get_time, .seed = seed, .max_sockets = 3 * CLIENTS,
		.max_time_wait = waits,
	};
	struct sockaddr_in name = { .sin_family = AF_INET };
	struct ustack_link *link;
	struct ustack *stack;
	char spec[200];

	snprintf(spec, sizeof(spec), "pipe:name=churn,frames=2000,seed=%llu%s",
		 (unsigned long long)seed, shape);
	inet_pton(AF_INET, address, &name.sin_addr);
	if (ustack_create(&config, &stack) || ustack_link_open(stack, spec, &link) ||
	    ustack_address_add(stack, link, (void *)&name, 24)) {
		puts("Bail out! no stack");
		exit(1);
	}
	return stack;
}

static void begin(const char *shape, int backlog, unsigned int waits)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(80) };

	memset(&churn, 0, sizeof(churn));
	churn.now = US_SEC;
	churn.random = 7;
	churn.a = create(shape, "10.0.0.1", 11, waits);
	churn.b = create(shape, "10.0.0.2", 12, waits);
	churn.listener = ustack_socket(churn.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (ustack_bind(churn.listener, (void *)&name, sizeof(name)) ||
	    ustack_listen(churn.listener, backlog))
		churn.why = "listen";
}

static void end(void)
{
	ustack_destroy(churn.a);
	ustack_destroy(churn.b);
}

static void drop(struct client *c)
{
	ustack_close(c->socket);
	memset(c, 0, sizeof(*c));
}

static void start(struct client *c)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(80) };

	inet_pton(AF_INET, "10.0.0.2", &name.sin_addr);
	c->socket = ustack_socket(churn.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!c->socket)
		return;
	if (ustack_connect(c->socket, (void *)&name, sizeof(name)) && errno != EINPROGRESS)
		drop(c);
}

/* Some clients lose patience, some close before they have read all. */
static void run_client(struct client *c)
{
	char buffer[REQUEST];
	ssize_t n;

	if (!c->socket) {
		start(c);
		return;
	}
	if (below(2000) == 0) {
		drop(c);
		return;
	}
	memset(buffer, 'q', sizeof(buffer));
	n = ustack_send(c->socket, buffer, REQUEST - c->sent, 0);
	c->sent += n > 0 ? (unsigned int)n : 0;
	n = ustack_recv(c->socket, buffer, sizeof(buffer), 0);
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		churn.done += c->got == REQUEST;
		churn.failed += c->got != REQUEST;
		drop(c);
		return;
	}
	c->got += n > 0 ? (unsigned int)n : 0;
}

/* Answers each byte with one, then closes. */
static void run_server(struct client *c)
{
	char buffer[REQUEST];
	ssize_t n = ustack_recv(c->socket, buffer, sizeof(buffer), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		drop(c);
		return;
	}
	c->got += n > 0 ? (unsigned int)n : 0;
	memset(buffer, 'a', sizeof(buffer));
	n = ustack_send(c->socket, buffer, c->got - c->sent, 0);
	c->sent += n > 0 ? (unsigned int)n : 0;
	if (c->sent >= REQUEST)
		drop(c);
}

static void run_servers(unsigned int accepts)
{
	int i;

	for (i = 0; i < 2 * CLIENTS; i++) {
		if (churn.server[i].socket) {
			run_server(&churn.server[i]);
		} else if (accepts) {
			churn.server[i].socket = ustack_accept(churn.listener, NULL,
							       NULL, SOCK_NONBLOCK);
			accepts--;
		}
	}
}

static void run(int64_t duration, unsigned int accepts)
{
	int64_t until = churn.now + duration;
	int i;

	while (churn.now < until && !churn.why) {
		ustack_poll(churn.a);
		ustack_poll(churn.b);
		for (i = 0; i < CLIENTS; i++)
			if (below(2))
				run_client(&churn.client[i]);
		run_servers(accepts);
		audit(churn.a, &churn.why);
		audit(churn.b, &churn.why);
		churn.now += 500 * US_USEC;
	}
}

static void stop(void)
{
	int64_t until;
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (churn.client[i].socket)
			drop(&churn.client[i]);
	for (i = 0; i < 2 * CLIENTS; i++)
		if (churn.server[i].socket)
			drop(&churn.server[i]);
	ustack_close(churn.listener);
	for (until = churn.now + 400 * US_SEC; churn.now < until;
	     churn.now += 20 * US_MSEC) {
		ustack_poll(churn.a);
		ustack_poll(churn.b);
	}
	audit_end(churn.a, &churn.why);
	audit_end(churn.b, &churn.why);
}

static void test(const char *name, const char *shape, int backlog,
		 unsigned int accepts, unsigned int least)
{
	begin(shape, backlog, 0);
	run(4 * US_SEC, accepts);
	ok(!churn.why && churn.done >= least, "%s: %u answers, %u failures: %s", name,
	   churn.done, churn.failed, churn.why ? churn.why : "books are right");
	stop();
	ok(!churn.why, "%s: %s", name, churn.why ? churn.why : "nothing is left");
	end();
}

/* Records of TIME-WAIT are few: the oldest make room, and none is lost count of. */
static void test_overflow(void)
{
	const uint64_t *count;

	begin("", 100, 50);
	count = ((struct us_stack *)churn.b)->counter;
	run(2 * US_SEC, 100);
	ok(!churn.why && churn.done > 1000 && churn.failed < 20 &&
	   count[US_COUNT_tcp_time_wait_overflow] > 500,
	   "TIME-WAIT overflows: %u answers, %u failures", churn.done, churn.failed);
	ok(table(churn.b)->wait_pool.used == 50 &&
	   count[US_COUNT_tcp_time_wait] == 50 + count[US_COUNT_tcp_time_wait_overflow] +
	   count[US_COUNT_tcp_time_wait_reused] + count[US_COUNT_tcp_time_wait_expired],
	   "as many as max_time_wait says; the others ended as counted");
	stop();
	ok(!churn.why, "%s", churn.why ? churn.why : "nothing is left");
	end();
}

/* All is torn down with hundreds of connections in every state. */
static void test_destroy(void)
{
	int i;

	for (i = 0; i < 20; i++) {
		begin(",loss=5,delay=2,jitter=3", 20, 0);
		run((int64_t)(20 + below(300)) * US_MSEC, 3);
		end();
	}
	ok(true, "stacks are destroyed in the middle");
}

int main(void)
{
	plan(0);
	test("a clean link", "", 100, 100, 5000);
	test("a bad link", ",loss=3,reorder=10,duplicate=3,corrupt=1,delay=2,jitter=2",
	     100, 100, 200);
	test("a full accept queue", ",delay=1", 3, 1, 300);
	test_overflow();
	test_destroy();
	return finish();
}
