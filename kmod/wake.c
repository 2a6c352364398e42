// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeping and waking.  Wake-ups that packets cause are put off to the end of
 * the softirq batch: one for each channel, however many packets came.
 */
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/time_namespace.h>
#include <linux/wait.h>
#include "nc.h"
#include "trace.h"

/**
 * struct wakeups - channels to be woken by this CPU
 * @list: the channels; each holds a reference.
 * @tasklet: runs after the network softirq of this batch.
 */
struct wakeups {
	struct llist_head list;
	struct tasklet_struct tasklet;
};

static DEFINE_PER_CPU(struct wakeups, wakeups);

static bool has_sleeper(struct nc_channel *ch)
{
	/* (H) the reason for waking is visible before we look for sleepers */
	smp_mb();
	/* Neither of the two has a barrier of its own. */
	return rcu_access_pointer(ch->sleeper) || waitqueue_active(&ch->wait);
}

/* The first that sleeps in read(); who woke it took it away from there. */
static void wake_sleeper(struct nc_channel *ch)
{
	struct task_struct *task = NULL;

	/*
	 * RCU keeps the task, which may return and exit meanwhile; and without preemption,
	 * as between the two nobody else would wake it.
	 */
	rcu_read_lock_sched();
	if (rcu_access_pointer(ch->sleeper))
		task = unrcu_pointer(xchg(&ch->sleeper, NULL));
	if (task)
		wake_up_process(task);
	rcu_read_unlock_sched();
}

static void wake(struct nc_channel *ch)
{
	if (!has_sleeper(ch))
		return;
	atomic64_inc(&ch->wakeups);
	trace_netchannel_wake(ch->id);
	wake_sleeper(ch);
	/* Behind the barrier of has_sleeper(): the reason was there before it. */
	if (waitqueue_active(&ch->wait))
		wake_up_interruptible_poll(&ch->wait, EPOLLIN | EPOLLRDNORM |
					   EPOLLOUT | EPOLLWRNORM | EPOLLERR |
					   EPOLLHUP);
}

static void wake_batch(struct tasklet_struct *tasklet)
{
	struct wakeups *w = from_tasklet(w, tasklet, tasklet);
	struct nc_channel *ch, *next;

	llist_for_each_entry_safe(ch, next, llist_del_all(&w->list), waking) {
		/* From here on a new reason queues it anew. */
		clear_bit_unlock(NC_CHANNEL_WAKING, &ch->flags);
		wake(ch);
		nc_channel_put(ch);
	}
}

static void wake_later(struct nc_channel *ch)
{
	struct wakeups *w;

	if (test_and_set_bit(NC_CHANNEL_WAKING, &ch->flags))
		return;
	nc_channel_get(ch);
	w = get_cpu_ptr(&wakeups);
	llist_add(&ch->waking, &w->list);
	tasklet_schedule(&w->tasklet);
	put_cpu_ptr(&wakeups);
}

/* Who sleeps on this CPU mostly does not run before the softirq batch ends anyway. */
static bool sleeps_here(const struct nc_channel *ch)
{
	const struct task_struct *task;
	bool here;

	rcu_read_lock_sched();
	task = rcu_dereference_sched(ch->sleeper);
	here = task && task_cpu(task) == smp_processor_id();
	rcu_read_unlock_sched();
	return here;
}

/**
 * nc_channel_wake() - wake whoever sleeps on the channel
 * @ch: the channel; none of its spin locks is held.
 * @now: not at the end of the softirq batch.
 */
void nc_channel_wake(struct nc_channel *ch, bool now)
{
	if (!has_sleeper(ch))
		return;
	/* Outside of softirqs a tasklet would have to wait for ksoftirqd. */
	if (now || !in_interrupt() || sleeps_here(ch))
		wake(ch);
	else
		wake_later(ch);
}

/**
 * nc_channel_wake_rx() - a packet was published
 * @ch: the channel.
 * @urgent: the ring fills up.
 */
void nc_channel_wake_rx(struct nc_channel *ch, bool urgent)
{
	struct nc_area *area = nc_channel_area(ch);

	/* (C) published before we look whether anybody wants to know */
	smp_mb();
	if (READ_ONCE(area->ctl->wakeup) & NETCHANNEL_WAKE_RX ||
	    atomic_read(&ch->rx.sleepers))
		nc_channel_wake(ch, urgent);
}

/**
 * nc_channel_wake_tx() - TX slots completed
 * @ch: the channel.
 */
void nc_channel_wake_tx(struct nc_channel *ch)
{
	struct nc_area *area = nc_channel_area(ch);

	/* (F) completed before we look whether anybody wants to know */
	smp_mb();
	if (!(READ_ONCE(area->ctl->wakeup) & NETCHANNEL_WAKE_TX))
		return;
	set_bit(NC_CHANNEL_EVENT, &ch->flags);
	nc_channel_wake(ch, false);
}

/**
 * nc_channel_failed() - a TX slot completed with an error
 * @ch: the channel.
 *
 * The next read() tells, whoever asked: it may be the one that sent it.
 */
void nc_channel_failed(struct nc_channel *ch)
{
	/* completed before whoever uses the event up looks at it */
	smp_mb__before_atomic();
	set_bit(NC_CHANNEL_EVENT, &ch->flags);
}

/**
 * nc_channel_completed() - did a TX slot complete, for which poll() waits?
 * @ch: a channel with an area.
 *
 * Until a read() uses the event up; and not for an owner that wants to know
 * other things by now.
 *
 * Return: true if so.
 */
bool nc_channel_completed(const struct nc_channel *ch)
{
	return test_bit(NC_CHANNEL_EVENT, &ch->flags) &&
	       READ_ONCE(nc_channel_area(ch)->ctl->wakeup) & NETCHANNEL_WAKE_TX;
}

/* What nobody uses up. */
static bool lasts(const struct nc_channel *ch)
{
	return READ_ONCE(ch->flags) & (BIT(NC_CHANNEL_BROKEN) |
				       BIT(NC_CHANNEL_GONE)) ||
	       nc_channel_readable(ch);
}

/**
 * nc_channel_has_event() - is there anything that a read() would tell?
 * @ch: a channel with an area.
 *
 * Return: true if so.
 */
bool nc_channel_has_event(const struct nc_channel *ch)
{
	return test_bit(NC_CHANNEL_EVENT, &ch->flags) || lasts(ch);
}

/* Whoever finds an event has used it up, and tells the owner. */
static bool event(struct nc_channel *ch)
{
	if (test_bit(NC_CHANNEL_EVENT, &ch->flags) &&
	    test_and_clear_bit(NC_CHANNEL_EVENT, &ch->flags))
		return true;
	return lasts(ch);
}

/* By how much the caller's CLOCK_MONOTONIC is ahead: timens_ktime_to_host() is not for modules. */
static s64 time_offset(void)
{
#ifdef CONFIG_TIME_NS
	const struct timespec64 *ahead = &current->nsproxy->time_ns->offsets.monotonic;

	return ahead->tv_sec * NSEC_PER_SEC + ahead->tv_nsec;
#else
	return 0;
#endif
}

/* The owner's deadline.  One of the far future is none: the difference fits. */
static ktime_t deadline_of(const struct nc_channel *ch)
{
	u64 deadline = READ_ONCE(nc_channel_area(ch)->ctl->deadline);

	if (!deadline || deadline > KTIME_MAX / 2)
		return KTIME_MAX;
	return max_t(s64, deadline - time_offset(), 0);
}

/* Whoever sleeps looks at the clock. */
static enum hrtimer_restart on_time(struct hrtimer *timer)
{
	struct nc_channel *ch = container_of(timer, struct nc_channel, timer);

	/* (I) the timer is seen to have run out before we look for sleepers */
	smp_mb();
	wake_sleeper(ch);
	wake_up_interruptible(&ch->wait);
	return HRTIMER_NORESTART;
}

static bool wakes_until(struct nc_channel *ch, ktime_t latest)
{
	return hrtimer_is_queued(&ch->timer) &&
	       READ_ONCE(ch->timer.node.expires) <= latest;
}

/*
 * Has the deadline passed?  If not, there is a timer.  Most sleeps end long before
 * their deadline, and the next one's is later: a timer that runs out before it stays,
 * and wakes early once, which is cheaper than to look at the clock, start and cancel
 * one for each sleep.  It may be another thread's, with a slack that is not ours:
 * what counts is when it runs out at last.
 */
static bool late(struct nc_channel *ch, ktime_t deadline)
{
	u64 slack = current->timer_slack_ns;
	ktime_t latest = ktime_add_safe(deadline, ns_to_ktime(slack));
	bool late = false;

	/* One that is queued is only ever moved to an earlier time. */
	if (deadline == KTIME_MAX || wakes_until(ch, latest))
		return false;
	spin_lock(&ch->timer_lock);
	if (!wakes_until(ch, latest)) {
		late = ktime_get() >= deadline;
		if (!late)
			hrtimer_start_range_ns(&ch->timer, deadline, slack,
					       HRTIMER_MODE_ABS);
	}
	spin_unlock(&ch->timer_lock);
	return late;
}

/* Most often one thread reads, and is woken without a queue. */
static void prepare(struct nc_channel *ch, struct wait_queue_entry *wait)
{
	struct task_struct *first;

	/*
	 * Before we are to be found: who finds us awake has woken nobody, and finds
	 * nobody any more.  A timer of an earlier deadline gives no other reason to
	 * look() for.
	 */
	set_current_state(TASK_INTERRUPTIBLE);
	first = unrcu_pointer(cmpxchg(&ch->sleeper, NULL,
				      RCU_INITIALIZER(current)));
	/* (H, I) either way we are to be found before we look */
	if (first && first != current)
		prepare_to_wait(&ch->wait, wait, TASK_INTERRUPTIBLE);
}

static void finish(struct nc_channel *ch, struct wait_queue_entry *wait)
{
	if (rcu_access_pointer(ch->sleeper) == current)
		cmpxchg(&ch->sleeper, RCU_INITIALIZER(current), NULL);
	finish_wait(&ch->wait, wait);
}

/* 0: an event; -ETIME: the deadline, or FREEZE; -EINTR. */
static int look(struct nc_channel *ch, ktime_t deadline, bool frozen)
{
	if (event(ch))
		return 0;
	/* All that sleep are to see it, not just who uses the event up. */
	if (late(ch, deadline) || test_bit(NC_CHANNEL_FROZEN, &ch->flags) != frozen)
		return -ETIME;
	return signal_pending(current) ? -EINTR : -EAGAIN;
}

static int sleep(struct nc_channel *ch, ktime_t deadline, bool frozen, bool *slept)
{
	DEFINE_WAIT(wait);
	int err;

	for (;;) {
		prepare(ch, &wait);
		err = look(ch, deadline, frozen);
		if (err != -EAGAIN)
			break;
		if (!*slept)
			atomic64_inc(&ch->waits);
		*slept = true;
		schedule();
	}
	finish(ch, &wait);
	return err;
}

static int wait(struct nc_channel *ch, bool frozen)
{
	ktime_t deadline = deadline_of(ch), begin = nc_spin(ch, deadline, frozen);
	bool slept = false;
	int err;

	atomic_inc(&ch->rx.sleepers);
	/* (C) producers see the sleeper, or it sees what they published */
	smp_mb__after_atomic();
	err = sleep(ch, deadline, frozen, &slept);
	atomic_dec(&ch->rx.sleepers);
	if (begin)
		nc_spin_learn(ch, begin, !err, slept);
	return err == -ETIME ? 0 : err;
}

/**
 * nc_channel_wait() - sleep until there is something for the owner
 * @ch: a channel with an area.
 * @nonblock: do not sleep.
 *
 * Return: 0 or a negative errno.
 */
int nc_channel_wait(struct nc_channel *ch, bool nonblock)
{
	int err = 0;

	if (!nonblock)
		err = wait(ch, test_bit(NC_CHANNEL_FROZEN, &ch->flags));
	else if (!event(ch))
		err = -EAGAIN;
	return err ?: nc_channel_check(ch);
}

/**
 * nc_sleep_init() - nobody sleeps on a new channel
 * @ch: the channel.
 */
void nc_sleep_init(struct nc_channel *ch)
{
	init_waitqueue_head(&ch->wait);
	spin_lock_init(&ch->timer_lock);
	hrtimer_init(&ch->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	ch->timer.function = on_time;
}

/**
 * nc_wake_init() - prepare every CPU's list
 *
 * Return: 0.
 */
int nc_wake_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct wakeups *w = per_cpu_ptr(&wakeups, cpu);

		init_llist_head(&w->list);
		tasklet_setup(&w->tasklet, wake_batch);
	}
	return 0;
}

/**
 * nc_wake_exit() - no tasklet runs after this
 */
void nc_wake_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu_ptr(&wakeups, cpu)->tasklet);
}
