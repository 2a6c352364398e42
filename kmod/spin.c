// SPDX-License-Identifier: GPL-2.0
/*
 * Spinning.  To sleep and be woken costs more than a packet does; who waits looks first
 * whether one comes, if the last waits were short and nobody else wants this CPU: as KVM
 * does for a virtual CPU that halts.  Meanwhile the device is polled that sent the last
 * packet, where the authority may do so (SO_BUSY_POLL, net.core.busy_read).
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <net/busy_poll.h>
#include "nc.h"

#define FIRST	(10 * NSEC_PER_USEC)
#define MOST	(100 * USEC_PER_MSEC)	/* of spin_us */

static unsigned int spin_us = 100;
module_param(spin_us, uint, 0644);
MODULE_PARM_DESC(spin_us, "Microseconds, at most, that read() looks for packets before it sleeps (default 100; 0: never; 100000 at most)");

static u32 limit(void)
{
	return min_t(u32, READ_ONCE(spin_us), MOST) * NSEC_PER_USEC;
}

/**
 * struct spin - who looks, and until when
 * @ch: the channel.
 * @frozen: it was frozen before.
 * @end: CLOCK_MONOTONIC.
 */
struct spin {
	const struct nc_channel *ch;
	bool frozen;
	ktime_t end;
};

static bool ends(void *argument, unsigned long start)
{
	const struct spin *spin = argument;

	return nc_channel_has_event(spin->ch) || need_resched() || !single_task_running() ||
	       test_bit(NC_CHANNEL_FROZEN, &spin->ch->flags) != spin->frozen ||
	       signal_pending(current) || ktime_get() >= spin->end;
}

/* As long as the socket may.  Whether it is time to end, that asks behind a poll only. */
static void poll_device(const struct spin *spin, ktime_t begin)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	u32 napi = READ_ONCE(spin->ch->rx.napi);
	struct spin device = *spin;

	device.end = min(spin->end, ktime_add_us(begin, READ_ONCE(spin->ch->rx.napi_us)));
	if (napi >= MIN_NAPI_ID && !ends(&device, 0))
		napi_busy_loop(napi, ends, &device, false, BUSY_POLL_BUDGET);
#endif
}

static noinline ktime_t spin(struct nc_channel *ch, ktime_t deadline, bool frozen)
{
	struct spin spin = { .ch = ch, .frozen = frozen };
	ktime_t begin = ktime_get();
	u32 length = min(READ_ONCE(ch->spin), limit());

	spin.end = ktime_add_ns(begin, length);
	if (!length || spin.end > deadline)
		return begin;
	poll_device(&spin, begin);
	while (!ends(&spin, 0))
		cpu_relax();
	return begin;
}

/**
 * nc_spin() - look for a while whether there is something for the owner
 * @ch: the channel.  Process context.
 * @deadline: CLOCK_MONOTONIC; nobody spins up to there.
 * @frozen: the channel is frozen already.
 *
 * Return: when that began, for nc_spin_learn(); 0: there is no other CPU that a packet
 * could come from, no spinning at all, or something is there.
 */
ktime_t nc_spin(struct nc_channel *ch, ktime_t deadline, bool frozen)
{
	if (num_online_cpus() == 1 || !limit() || nc_channel_has_event(ch))
		return 0;
	return spin(ch, deadline, frozen);
}

/**
 * nc_spin_learn() - how long to look the next time
 * @ch: the channel.
 * @begin: of nc_spin(), which did not refuse.
 * @came: something for the owner ended the wait; else it was a deadline, a signal.
 * @slept: after all.
 *
 * Longer if that would have saved a sleep; not at all after a long one, or in vain.
 */
void nc_spin_learn(struct nc_channel *ch, ktime_t begin, bool came, bool slept)
{
	u32 length = READ_ONCE(ch->spin), most = limit();
	s64 waited = ktime_to_ns(ktime_sub(ktime_get(), begin));

	if (came && !slept)
		atomic64_inc(&ch->spins);
	if ((!came && waited >= length) || waited > most)
		WRITE_ONCE(ch->spin, 0);
	else if (waited > length)
		WRITE_ONCE(ch->spin, clamp_t(u32, 2 * length, min_t(u32, FIRST, most), most));
}
