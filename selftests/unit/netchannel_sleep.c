// SPDX-License-Identifier: MIT
/* When the channel's link sleeps: its read() counts as that. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "nc_bed.h"
#include "tap.h"

static struct netchannel_ctl *ctl;	/* on a page of its own */

static void begin(void)
{
	nc_begin(ctl);
	us_txmem_create(&nc.link.mem, NULL, 1 << 20);
}

static void end(void)
{
	us_txmem_destroy(nc.link.mem);
	nc_end();
}

/* A slot that the kernel knows of, and sends out of @chunk if there is one. */
static void sent(struct us_chunk *chunk)
{
	frag[(nc.tx.head & (DEPTH - 1)) * US_TX_FRAGS] = chunk;
	nc.tx.shown = ++nc.tx.head;
}

static void complete(uint32_t index, int result)
{
	done[index & (DEPTH - 1)].result = result;
	done[index & (DEPTH - 1)].seq = index + 1;
}

static bool sleeps(void)
{
	uint64_t before = nc.link.stats.syscalls;

	if (us_netchannel_ops.idle(&nc.link))
		us_netchannel_ops.sleep(&nc.link, US_NEVER);
	return nc.link.stats.syscalls > before;
}

static void test_slots(void)
{
	begin();
	ok(sleeps(), "nothing was sent: sleeps");
	sent(NULL);
	ok(sleeps(), "a slot in flight: sleeps");
	complete(0, 0);
	ok(sleeps() && nc.tx.tail == 1, "one that is done: takes it back, and sleeps");
	sent(NULL);
	complete(1, -ENETUNREACH);
	ok(!sleeps(), "one that failed: awake, to tell");
	end();
}

static void test_starved(void)
{
	uint32_t i;

	begin();
	for (i = 0; i < DEPTH; i++)
		sent(NULL);
	nc.starved = true;
	ok(sleeps(), "no slot is free: sleeps");
	complete(0, 0);
	ok(!sleeps(), "one is: awake, for those that wait for it");
	end();
}

/* Who waits for memory is told by a round of the stack. */
static void test_memory(void)
{
	struct us_chunk *chunk;

	begin();
	chunk = us_chunk_alloc(nc.link.mem, 1000);
	us_chunk_get(chunk);	/* the send queue's */
	sent(chunk);
	complete(0, 0);
	ok(sleeps(), "payload that is not acknowledged: sleeps");
	sent(chunk);
	complete(1, 0);
	ok(!sleeps(), "a slot had the last reference: awake, as there is memory again");
	end();
}

/* While the owner says what it wants to be woken for, and before it has said so. */
static void complete_meanwhile(int number)
{
	(void)number;
	mprotect(ctl, sizeof(*ctl), PROT_READ | PROT_WRITE);
	complete(nc.tx.tail, 0);
}

static void test_barrier(void)
{
	struct sigaction action = { .sa_handler = complete_meanwhile }, before;

	begin();
	sigaction(SIGSEGV, &action, &before);
	sent(NULL);
	mprotect(ctl, sizeof(*ctl), PROT_READ);
	ok(!sleeps(), "done before anybody knew who wants to know: awake");
	ok(sleeps(), "but once");
	sent(NULL);
	us_netchannel_ops.fd(&nc.link);
	ok(ctl->rx_seen == nc.rx.next && ctl->wakeup & NETCHANNEL_WAKE_TX,
	   "the descriptor: what is done from now on is told");
	mprotect(ctl, sizeof(*ctl), PROT_READ);
	us_netchannel_ops.fd(&nc.link);
	ok(nc.rx.next - ctl->rx_seen > DEPTH, "done before: poll(2) returns at once");
	sigaction(SIGSEGV, &before, NULL);
	end();
}

/* What poll(2) tells of it tells until a read(): at the next one, if it was asked for. */
static void test_polled(void)
{
	uint64_t before;

	begin();
	before = nc.link.stats.syscalls;
	us_netchannel_ops.fd(&nc.link);
	us_netchannel_ops.fd(&nc.link);
	ok(nc.link.stats.syscalls == before, "the descriptor, nothing in flight: no system call");
	sent(NULL);
	us_netchannel_ops.fd(&nc.link);
	complete(nc.tx.tail, 0);
	sleeps();
	before = nc.link.stats.syscalls;
	us_netchannel_ops.fd(&nc.link);
	ok(nc.link.stats.syscalls == before + 1, "it was polled for a completion: that is used up");
	ok(!ctl->deadline && ctl->wakeup == NETCHANNEL_WAKE_RX, "and not asked for again");
	us_netchannel_ops.fd(&nc.link);
	ok(nc.link.stats.syscalls == before + 1, "once");
	end();
}

int main(void)
{
	ctl = mmap(NULL, sizeof(*ctl), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_slots();
	test_starved();
	test_memory();
	test_barrier();
	test_polled();
	return finish();
}
