// SPDX-License-Identifier: GPL-2.0
/* Life cycle of channels, and what their owner can ask of them. */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "nc.h"
#include "trace.h"

#undef pr_fmt
#define pr_fmt(fmt) "netchannel: " fmt

#define PATIENCE	(2 * HZ)	/* of a SETUP, for what was closed before it */

static struct workqueue_struct *workqueue;
static atomic_t last_id;
static atomic_t nr_closing;	/* channels that are closed and not yet freed */
static atomic_t nr_freed;
static DECLARE_WAIT_QUEUE_HEAD(freed);

static void free_private(struct nc_channel *ch)
{
	kvfree(ch->flows);
	kvfree(ch->rx.ring.slot);
	kvfree(ch->tx.slot);
	kvfree(ch->tx.route);
	kvfree(ch->tx.batch);
	bitmap_free(ch->tx.busy);
	ch->flows = NULL;
	ch->rx.ring.slot = NULL;
	ch->tx.slot = NULL;
	ch->tx.route = NULL;
	ch->tx.batch = NULL;
	ch->tx.busy = NULL;
}

static void free_work(struct work_struct *work)
{
	struct nc_channel *ch = container_of(work, struct nc_channel, free);

	hrtimer_cancel(&ch->timer);
	free_private(ch);
	nc_pool_destroy(&ch->tx.heads);
	nc_pool_destroy(&ch->tx.pool);
	nc_area_destroy(ch->area);
	put_pid(ch->owner);
	kfree(ch);
	atomic_dec(&nr_closing);
	atomic_inc(&nr_freed);
	wake_up_all(&freed);
	/* The exit function waits for this work, so the code stays. */
	module_put(THIS_MODULE);
}

/**
 * nc_channel_create() - make a channel without area and flows
 *
 * The channel holds the module, not just its file does: buffers in flight may
 * outlive the file.
 *
 * Return: the channel, or an error pointer.
 */
struct nc_channel *nc_channel_create(void)
{
	struct nc_channel *ch = kzalloc(sizeof(*ch), GFP_KERNEL_ACCOUNT);

	if (!ch)
		return ERR_PTR(-ENOMEM);
	__module_get(THIS_MODULE);
	refcount_set(&ch->ref, 1);
	ch->id = atomic_inc_return(&last_id);
	mutex_init(&ch->lock);
	INIT_LIST_HEAD(&ch->in_net);
	spin_lock_init(&ch->rx.lock);
	mutex_init(&ch->tx.lock);
	nc_sleep_init(ch);
	INIT_WORK(&ch->free, free_work);
	return ch;
}

/**
 * nc_channel_get() - take a reference
 * @ch: the channel.
 */
void nc_channel_get(struct nc_channel *ch)
{
	refcount_inc(&ch->ref);
}

/**
 * nc_channel_put() - give a reference back; in any context
 * @ch: the channel.
 */
void nc_channel_put(struct nc_channel *ch)
{
	if (refcount_dec_and_test(&ch->ref))
		queue_work(workqueue, &ch->free);
}

/**
 * nc_channel_leave() - take all flows and the namespace away
 * @ch: the channel.
 * @gone: the namespace goes away, rather than the owner.
 *
 * No kick uses the namespace after this.
 */
void nc_channel_leave(struct nc_channel *ch, bool gone)
{
	mutex_lock(&ch->lock);
	if (ch->net) {
		struct nc_net *nn = nc_net(ch->net);

		/* Routes first: nothing keeps the namespace after we left it */
		mutex_lock(&ch->tx.lock);
		nc_route_flush(ch);
		ch->net = NULL;
		mutex_unlock(&ch->tx.lock);
		nc_net_leave(nn, ch, gone);
	}
	mutex_unlock(&ch->lock);
}

/**
 * nc_channel_close() - the file is gone, and with it every mapping
 * @ch: the channel.
 */
void nc_channel_close(struct nc_channel *ch)
{
	atomic_inc(&nr_closing);
	nc_channel_leave(ch, false);
	nc_channel_put(ch);
}

static int alloc_private(struct nc_channel *ch,
			 const struct netchannel_setup *setup)
{
	ch->flows = kvcalloc(NETCHANNEL_FLOWS_MAX, sizeof(*ch->flows),
			     GFP_KERNEL_ACCOUNT);
	ch->rx.ring.slot = kvcalloc(setup->rx_depth, sizeof(*ch->rx.ring.slot),
				    NC_GFP_SIZED);
	ch->tx.slot = kvcalloc(setup->tx_depth, sizeof(*ch->tx.slot),
			       NC_GFP_SIZED);
	ch->tx.route = kvcalloc(NC_ROUTES, sizeof(*ch->tx.route),
				GFP_KERNEL_ACCOUNT);
	ch->tx.batch = kvcalloc(NC_TX_BATCH, sizeof(*ch->tx.batch),
				GFP_KERNEL_ACCOUNT);
	ch->tx.busy = bitmap_zalloc(setup->tx_depth, NC_GFP_SIZED);
	if (!ch->flows || !ch->rx.ring.slot || !ch->tx.slot || !ch->tx.route ||
	    !ch->tx.batch || !ch->tx.busy)
		return -ENOMEM;
	ch->rx.ring.depth = setup->rx_depth;
	ch->rx.ring.size = setup->rx_bytes;
	nc_pool_init(&ch->tx.heads, setup->tx_bytes);
	nc_pool_init(&ch->tx.pool, setup->tx_bytes);
	return 0;
}

/*
 * A channel is freed some time after it was closed.  Who closed one and is short
 * of memory, or of what it may lock, waits for that; not for a packet on its way.
 */
static struct nc_area *create_area(struct netchannel_setup *setup)
{
	long left = PATIENCE;
	struct nc_area *area;

	for (;;) {
		int before = atomic_read(&nr_freed);
		bool more = atomic_read(&nr_closing);

		area = nc_area_create(setup);
		if (area != ERR_PTR(-ENOMEM) || !more || left <= 0)
			return area;
		left = wait_event_killable_timeout(freed,
						   atomic_read(&nr_freed) != before,
						   left);
	}
}

static int setup_locked(struct nc_channel *ch, struct netchannel_setup *setup)
{
	struct nc_area *area;
	int err;

	lockdep_assert_held(&ch->lock);
	if (ch->area)
		return -EBUSY;
	err = alloc_private(ch, setup);
	if (err)
		return err;
	area = create_area(setup);
	if (IS_ERR(area))
		return PTR_ERR(area);
	ch->rx.ring.released = area->rx_released;
	ch->owner = get_pid(task_tgid(current));
	ch->uid = current_uid();
	get_task_comm(ch->comm, current);
	/* Pairs with the acquire in nc_channel_area() */
	smp_store_release(&ch->area, area);
	return 0;
}

/**
 * nc_channel_setup() - give the channel its area
 * @ch: the channel.
 * @setup: checked and complete sizes; out: where everything is.
 *
 * Return: 0 or a negative errno.
 */
int nc_channel_setup(struct nc_channel *ch, struct netchannel_setup *setup)
{
	int err;

	mutex_lock(&ch->lock);
	err = setup_locked(ch, setup);
	if (err && !ch->area)
		free_private(ch);
	mutex_unlock(&ch->lock);
	return err;
}

/*
 * There is a place for it.  None of an id that was in use lately: routes of the flow
 * that had it may be remembered.
 */
static u32 free_id(struct nc_channel *ch)
{
	u32 id;

	lockdep_assert_held(&ch->lock);
	do {
		id = ++ch->last_flow;
	} while (!id || rcu_access_pointer(ch->flows[id % NETCHANNEL_FLOWS_MAX]));
	return id;
}

static int bind_flow(struct nc_channel *ch, struct netchannel_bind *bind,
		     struct nc_authority *auth)
{
	struct nc_flow *flow;
	int err;

	bind->flow_id = free_id(ch);
	flow = nc_flow_create(ch, bind, auth);
	err = PTR_ERR_OR_ZERO(flow);
	if (err)
		return err;
	err = nc_net_bind(nc_net(auth->net), flow);
	if (err)
		nc_flow_put(flow);
	return err;
}

static int bind_locked(struct nc_channel *ch, struct netchannel_bind *bind,
		       struct nc_authority *auth)
{
	int err = nc_channel_check(ch);

	lockdep_assert_held(&ch->lock);
	if (err)
		return err;
	if (ch->flags & BIT(NC_CHANNEL_FROZEN))
		return -EPERM;
	if (ch->net && ch->net != auth->net)
		return -EXDEV;
	err = nc_authority_check(auth, bind);
	if (err)
		return err;
	if (atomic_read(&ch->nr_flows) >= NETCHANNEL_FLOWS_MAX)
		return -ENOSPC;
	err = bind_flow(ch, bind, auth);
	if (!err && !ch->net)
		nc_net_join(nc_net(auth->net), ch);
	return err;
}

/**
 * nc_channel_bind() - give the channel a flow
 * @ch: the channel.
 * @bind: checked for form; out: the flow's id.
 *
 * Return: 0 or a negative errno.
 */
int nc_channel_bind(struct nc_channel *ch, struct netchannel_bind *bind)
{
	struct nc_authority auth;
	int err;

	err = nc_authority_get(&auth, bind->sock_fd);
	if (err)
		return err;
	if (bind->flow.family == AF_INET6)
		nc_defrag_load();
	mutex_lock(&ch->lock);
	err = bind_locked(ch, bind, &auth);
	mutex_unlock(&ch->lock);
	nc_authority_put(&auth);
	return err;
}

/**
 * nc_channel_unbind() - take a flow away
 * @ch: the channel.
 * @flow_id: of the flow.
 *
 * No packet of the flow is put into the ring after this.
 *
 * Return: 0 or a negative errno.
 */
int nc_channel_unbind(struct nc_channel *ch, u32 flow_id)
{
	int err = -ENOENT;

	mutex_lock(&ch->lock);
	if (ch->flags & BIT(NC_CHANNEL_FROZEN))
		err = -EPERM;
	else if (ch->net)
		err = nc_net_unbind(nc_net(ch->net), ch, flow_id);
	mutex_unlock(&ch->lock);
	if (!err)
		nc_rx_quiesce(ch);
	return err;
}

static void show_status(struct nc_channel *ch)
{
	struct nc_area *area = nc_channel_area(ch);
	unsigned long flags;

	if (!area)
		return;
	WRITE_ONCE(area->ctl->reason, READ_ONCE(ch->reason));
	do {
		flags = READ_ONCE(ch->flags) & NC_CHANNEL_STATUS;
		WRITE_ONCE(area->ctl->status, flags);
		/* Another bit may just have been set, and shown before ours. */
		smp_mb();
	} while (flags != (READ_ONCE(ch->flags) & NC_CHANNEL_STATUS));
}

/**
 * nc_channel_freeze() - forbid further BIND and UNBIND, for good
 * @ch: the channel.
 *
 * Return: 0 or a negative errno.
 */
int nc_channel_freeze(struct nc_channel *ch)
{
	int err = 0;

	mutex_lock(&ch->lock);
	if (ch->area)
		set_bit(NC_CHANNEL_FROZEN, &ch->flags);
	else
		err = -ENOTCONN;
	show_status(ch);
	mutex_unlock(&ch->lock);
	if (!err) {
		set_bit(NC_CHANNEL_EVENT, &ch->flags);
		nc_channel_wake(ch, true);
	}
	return err;
}

/**
 * nc_channel_break() - the owner broke the rules
 * @ch: the channel; none of its spin locks is held.
 * @reason: NETCHANNEL_REASON_*.
 */
void nc_channel_break(struct nc_channel *ch, u32 reason)
{
	if (cmpxchg(&ch->reason, NETCHANNEL_REASON_NONE, reason) !=
	    NETCHANNEL_REASON_NONE)
		return;
	set_bit(NC_CHANNEL_BROKEN, &ch->flags);
	show_status(ch);
	trace_netchannel_broken(ch->id, reason);
	pr_notice_ratelimited("channel %u broken by %s[%d], reason %u\n",
			      ch->id, ch->comm, pid_nr(ch->owner), reason);
	nc_channel_wake(ch, true);
}

/**
 * nc_channel_lose() - the last flow went away with its device or namespace
 * @ch: the channel.
 */
void nc_channel_lose(struct nc_channel *ch)
{
	if (test_and_set_bit(NC_CHANNEL_GONE, &ch->flags))
		return;
	show_status(ch);
	nc_channel_wake(ch, true);
}

/**
 * nc_channel_stats() - tell state and counters
 * @ch: the channel.
 * @stats: out.
 */
void nc_channel_stats(struct nc_channel *ch, struct netchannel_stats *stats)
{
	mutex_lock(&ch->tx.lock);
	spin_lock_bh(&ch->rx.lock);
	memcpy(stats->counter, ch->counter, sizeof(stats->counter));
	spin_unlock_bh(&ch->rx.lock);
	mutex_unlock(&ch->tx.lock);
	stats->counter[NETCHANNEL_SPINS] = atomic64_read(&ch->spins);
	stats->counter[NETCHANNEL_WAITS] = atomic64_read(&ch->waits);
	stats->counter[NETCHANNEL_WAKEUPS] = atomic64_read(&ch->wakeups);
	stats->status = READ_ONCE(ch->flags) & NC_CHANNEL_STATUS;
	stats->flows = atomic_read(&ch->nr_flows);
	stats->owner = nc_channel_area(ch) ? pid_vnr(ch->owner) : 0;
}

/**
 * nc_channel_init() - make what all channels share
 *
 * Return: 0 or a negative errno.
 */
int nc_channel_init(void)
{
	workqueue = alloc_workqueue("netchannel", WQ_UNBOUND, 0);
	return workqueue ? 0 : -ENOMEM;
}

/**
 * nc_channel_exit() - wait until the last channel is freed
 */
void nc_channel_exit(void)
{
	/* Flows put their channel in an RCU callback, which queues work. */
	rcu_barrier();
	destroy_workqueue(workqueue);
}
