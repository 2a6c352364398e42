// SPDX-License-Identifier: MIT
/*
 * Who waited for a message may answer it: then the answer carries its ACK. On the real
 * clock, as a stack that is driven, or whose time is the user's, answers at once.
 */
#include <fcntl.h>
#include <time.h>

#include "core/stack.h"
#include "link/link.h"
#include "socket/socket.h"
#include "transport/tcp_parts.h"
#include "world.h"

static struct ustack *here, *there;
static struct ustack_socket *a, *b;

static struct ustack *open_stack(const char *address)
{
	union world_name name = world_name(address, 0);
	struct ustack_link *link;
	struct ustack *stack;

	world_check(ustack_create(NULL, &stack), NULL, "create");
	world_check(ustack_link_open(stack, "pipe:name=answer", &link), stack, "pipe");
	world_check(ustack_address_add(stack, link, &name.sa, 24), stack, address);
	return stack;
}

static void run(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		ustack_poll(here);
		ustack_poll(there);
	}
}

/* A is here, and waits in its calls. */
static void open_pair(void)
{
	struct ustack_socket *listener = world_listen(there, "10.0.0.2", 7);
	union world_name name = world_name("10.0.0.2", 7);
	int on = 1;

	a = ustack_socket(here, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ustack_connect(a, &name.sa, sizeof(name.v4));
	run();
	ustack_fcntl(a, F_SETFL, 0);
	b = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
	ustack_setsockopt(b, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ustack_close(listener);
	run();
}

static void close_pair(void)
{
	ustack_close(a);
	ustack_close(b);
	run();
}

/* Packets that A's link was given so far. */
static uint64_t packets(void)
{
	struct us_stack *stack = (struct us_stack *)here;

	return cds_list_first_entry(&stack->links, struct us_link, node)->stats.tx_packets;
}

/* A waits for a message of so many bytes; what it sent meanwhile. */
static uint64_t hears(size_t bytes)
{
	static char message[4096];
	uint64_t before = packets();

	ustack_send(b, message, bytes, 0);
	if (ustack_recv(a, message, bytes, MSG_WAITALL) != (ssize_t)bytes)
		return UINT64_MAX;
	return packets() - before;
}

#define NOTES	8
#define BUSY	WORLD_MS(100)
#define QUICK	WORLD_MS(30)	/* less than an ACK may be delayed */
#define TRIES	50

static struct {
	bool good;
	const char *text;
} notes[NOTES];
static unsigned int count;

static void note(bool good, const char *text)
{
	notes[count].good = good;
	notes[count++].text = text;
}

static int64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * US_SEC + ts.tv_nsec;
}

/* Once more if this machine stood still meanwhile: @asleep is what @test sleeps itself. */
static void try(void (*test)(void), int64_t asleep)
{
	unsigned int i, tries = 0;
	int64_t begin;

	do {
		count = 0;
		begin = clock_now();
		test();
	} while (clock_now() - begin > asleep + QUICK && ++tries < TRIES);
	for (i = 0; i < count; i++)
		ok(notes[i].good, "%s", notes[i].text);
}

static void test_answered(void)
{
	uint64_t before;

	open_pair();
	note(hears(64) == 0, "a message: its ACK waits for the reader");
	before = packets();
	ustack_send(a, "answer", 6, 0);
	note(packets() == before + 1, "who answers: one segment for both");
	run();
	note(packets() == before + 1, "and no ACK behind it");
	close_pair();
}

static void test_not_answered(void)
{
	uint64_t before;

	open_pair();
	note(hears(64) == 0, "a message");
	before = packets();
	ustack_poll(here);
	note(packets() == before + 1, "who does not answer: the ACK, with the next call");
	note(hears(64) == 0, "the next message, alike");
	note(hears(64) == 1, "a second one that is not answered: an ACK at once");
	close_pair();
}

/* The peer would send it again before it hears of it. */
static void test_late(void)
{
	const struct timespec busy = { .tv_nsec = BUSY };

	open_pair();
	note(hears(64) == 0, "a message whose reader");
	nanosleep(&busy, NULL);
	ustack_send(a, "answer", 6, 0);
	run();
	note(hears(64) == 1, "is busy for 100 ms: the next one is acknowledged at once");
	ustack_send(a, "answer", 6, 0);
	run();
	note(hears(64) == 0, "until he is quick again");
	ustack_send(a, "answer", 6, 0);
	run();
	us_tcp_fold(a->tcp);
	note(hears(64) == 1, "a pause does not make him quick");
	close_pair();
}

/* It is for one round, and for nothing but the ACK. */
static void test_may_wait(void)
{
	struct us_stack *stack = (struct us_stack *)here;

	open_pair();
	note(hears(64) == 0, "a message");
	a->tcp->active->rcv_bytes = 64;		/* as before it was read */
	note(us_tcp_ack_may_wait(a->tcp), "its ACK may wait");
	a->tcp->active->lost = 1;
	note(!us_tcp_ack_may_wait(a->tcp), "not if something is lost");
	a->tcp->active->lost = 0;
	stack->now += WORLD_MS(2);
	note(!us_tcp_ack_may_wait(a->tcp), "nor in the next round");
	a->tcp->active->rcv_bytes = 0;
	close_pair();
}

static void test_stream(void)
{
	open_pair();
	note(hears(2920) > 0, "two segments: an ACK at once");
	close_pair();
}

/* A's link, as one that sleeps: while it does, B answers. */
static const struct us_link_ops *pipe_ops;
static unsigned int polls, sleeps, polls_before;
static uint64_t packets_before;

static unsigned int counting_poll(struct us_link *link, unsigned int budget)
{
	polls++;
	return pipe_ops->poll(link, budget);
}

static bool pipe_idle(struct us_link *link)
{
	return pipe_ops->next(link) == US_NEVER;
}

static int pipe_sleep(struct us_link *link, us_ns deadline)
{
	(void)link;
	(void)deadline;
	sleeps++;
	polls_before = polls;
	packets_before = packets();
	ustack_poll(there);
	ustack_send(b, "answer", 6, 0);
	return 0;
}

static void sleeping_link(struct us_link_ops *ops)
{
	struct us_stack *stack = (struct us_stack *)here;
	struct us_link *link = cds_list_first_entry(&stack->links, struct us_link, node);

	pipe_ops = link->ops;
	*ops = *pipe_ops;
	ops->poll = counting_poll;
	ops->idle = pipe_idle;
	ops->sleep = pipe_sleep;
	link->ops = ops;
	polls = sleeps = 0;
}

/* What leaves may be what somebody waits for: memory is free again. */
static void telling_submit(struct us_link *link, struct us_tx *tx)
{
	pipe_ops->submit(link, tx);
	link->stack->events++;
}

static void pipe_again(void)
{
	struct us_stack *stack = (struct us_stack *)here;

	cds_list_first_entry(&stack->links, struct us_link, node)->ops = pipe_ops;
}

static void test_asleep(void)
{
	struct us_link_ops ops;
	uint64_t before;
	char text[8];

	open_pair();
	sleeping_link(&ops);
	before = packets();
	ustack_send(a, "asks", 4, USTACK_MSG_BATCH);
	note(ustack_recv(a, text, sizeof(text), 0) == 6 && sleeps == 1 &&
	     packets_before == before + 1, "who asks and waits: the question leaves");
	note(!polls_before, "with the sleep, and nobody looks for an answer before");
	run();
	before = packets();
	ustack_send(b, "news", 4, 0);
	ustack_send(a, "asks", 4, USTACK_MSG_BATCH);
	note(ustack_recv(a, text, sizeof(text), 0) == 4 && sleeps == 1,
	     "where something has come, he does not sleep");
	note(packets() == before + 1 &&
	     a->tcp->last_ack_sent == a->tcp->rcv_nxt, "and his question acknowledges it");
	pipe_again();
	close_pair();
}

static void test_told_meanwhile(void)
{
	struct us_link_ops ops;

	open_pair();
	sleeping_link(&ops);
	ops.submit = telling_submit;
	ustack_send(a, "asks", 4, USTACK_MSG_BATCH);
	note(!us_loop_wait((struct us_stack *)here, US_NEVER) && !sleeps,
	     "what leaves changes something: whoever waits looks before he sleeps");
	pipe_again();
	close_pair();
}

int main(void)
{
	plan(0);
	here = open_stack("10.0.0.1");
	there = open_stack("10.0.0.2");
	try(test_answered, 0);
	try(test_not_answered, 0);
	try(test_late, BUSY);
	try(test_may_wait, 0);
	try(test_stream, 0);
	try(test_asleep, 0);
	try(test_told_meanwhile, 0);
	ustack_destroy(here);
	ustack_destroy(there);
	return finish();
}
