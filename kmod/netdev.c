// SPDX-License-Identifier: GPL-2.0
/* Namespaces and devices: where hooks are, and what goes away with them. */
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "nc.h"

static unsigned int net_id;

/**
 * nc_net() - what we keep for a namespace
 * @net: the namespace.
 *
 * Return: it.
 */
struct nc_net *nc_net(struct net *net)
{
	return net_generic(net, net_id);
}

static struct nc_ingress *ingress_find(struct nc_net *nn, u32 ifindex)
{
	struct nc_ingress *in;

	lockdep_assert_held(&nn->lock);
	list_for_each_entry(in, &nn->ingress, list)
		if (in->ops.dev->ifindex == ifindex)
			return in;
	return NULL;
}

/* The device stays until its notifier got the lock that we hold. */
static struct nc_ingress *ingress_add(struct nc_net *nn, struct net_device *dev)
{
	struct nc_ingress *in = ingress_find(nn, dev->ifindex);
	int err;

	if (in)
		return in;
	in = kzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);
	if (!in)
		return ERR_PTR(-ENOMEM);
	in->ops.hook = nc_hook_early;
	in->ops.priv = nn->table;
	in->ops.pf = NFPROTO_NETDEV;
	in->ops.hooknum = NF_NETDEV_INGRESS;
	in->ops.dev = dev;
	err = nf_register_net_hook(nn->net, &in->ops);
	if (err) {
		kfree(in);
		return ERR_PTR(err);
	}
	list_add(&in->list, &nn->ingress);
	return in;
}

static void ingress_del(struct nc_net *nn, struct nc_ingress *in)
{
	lockdep_assert_held(&nn->lock);
	list_del(&in->list);
	nf_unregister_net_hook(nn->net, &in->ops);
	kfree_rcu(in, rcu);
}

static void ingress_prune(struct nc_net *nn)
{
	struct nc_ingress *in, *next;

	list_for_each_entry_safe(in, next, &nn->ingress, list)
		if (!in->users && !nn->nr_early)
			ingress_del(nn, in);
}

static int ingress_add_all(struct nc_net *nn)
{
	struct net_device *dev;
	struct nc_ingress *in;

	ASSERT_RTNL();
	for_each_netdev(nn->net, dev) {
		in = ingress_add(nn, dev);
		if (IS_ERR(in))
			return PTR_ERR(in);
	}
	return 0;
}

/*
 * Does it take RTNL to bind a flow?  For one that wants all devices, only if not all
 * of them have a hook: for those that come later the notifier sees to it.
 */
static bool wants_devices(const struct nc_net *nn, const struct nc_flow *flow)
{
	lockdep_assert_held(&nn->lock);
	return flow->hook == NETCHANNEL_HOOK_EARLY &&
	       (flow->key.ifindex || !nn->nr_early || nn->missed);
}

static int early_get(struct nc_net *nn, const struct nc_flow *flow)
{
	struct net_device *dev;
	struct nc_ingress *in;
	int err;

	if (flow->key.ifindex) {
		dev = __dev_get_by_index(nn->net, flow->key.ifindex);
		in = ingress_add(nn, dev);
		if (IS_ERR(in))
			return PTR_ERR(in);
		in->users++;
		return 0;
	}
	err = wants_devices(nn, flow) ? ingress_add_all(nn) : 0;
	if (err) {
		ingress_prune(nn);
		return err;
	}
	nn->missed = false;
	nn->nr_early++;
	return 0;
}

static void early_put(struct nc_net *nn, const struct nc_flow *flow)
{
	if (flow->key.ifindex)
		ingress_find(nn, flow->key.ifindex)->users--;
	else
		nn->nr_early--;
	ingress_prune(nn);
}

static int late_get(struct nc_net *nn)
{
	int err = 0;

	lockdep_assert_held(&nn->lock);
	if (!nn->nr_late)
		err = nf_register_net_hooks(nn->net, nn->demux,
					    ARRAY_SIZE(nn->demux));
	if (!err)
		nn->nr_late++;
	return err;
}

static void late_put(struct nc_net *nn)
{
	lockdep_assert_held(&nn->lock);
	if (--nn->nr_late)
		return;
	nf_unregister_net_hooks(nn->net, nn->demux, ARRAY_SIZE(nn->demux));
	nc_demux_flush(nn->table->demux);
}

static int hooks_get(struct nc_net *nn, const struct nc_flow *flow)
{
	int err = 0;

	lockdep_assert_held(&nn->lock);
	if (!nn->nr_flows)
		err = nf_register_net_hooks(nn->net, nn->late,
					    ARRAY_SIZE(nn->late));
	if (err)
		return err;
	err = flow->hook == NETCHANNEL_HOOK_EARLY ? early_get(nn, flow) :
						    late_get(nn);
	if (err) {
		if (!nn->nr_flows)
			nf_unregister_net_hooks(nn->net, nn->late,
						ARRAY_SIZE(nn->late));
		return err;
	}
	nn->nr_flows++;
	if (flow->key.family == AF_INET6) {
		nn->nr_ipv6++;
		nc_defrag_get(nn);
	}
	return 0;
}

static void hooks_put(struct nc_net *nn, const struct nc_flow *flow)
{
	lockdep_assert_held(&nn->lock);
	if (flow->key.family == AF_INET6 && !--nn->nr_ipv6)
		nc_defrag_put(nn);
	if (flow->hook == NETCHANNEL_HOOK_EARLY)
		early_put(nn, flow);
	else
		late_put(nn);
	if (!--nn->nr_flows)
		nf_unregister_net_hooks(nn->net, nn->late,
					ARRAY_SIZE(nn->late));
}

/* Kept until the namespace ends: hooks may still read it. */
static int need_table(struct nc_net *nn)
{
	struct nc_table *table;
	int i;

	if (nn->table)
		return 0;
	table = nc_table_create();
	if (IS_ERR(table))
		return PTR_ERR(table);
	nn->table = table;
	for (i = 0; i < ARRAY_SIZE(nn->late); i++) {
		nn->late[i] = nc_hook_late[i];
		nn->late[i].priv = table;
		nn->demux[i] = nc_demux_hooks[i];
		nn->demux[i].priv = table;
	}
	return 0;
}

static bool device_exists(struct nc_net *nn, u32 ifindex)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(nn->net, ifindex);
	rcu_read_unlock();
	return dev;
}

static struct nc_flow __rcu **place_of(const struct nc_flow *flow)
{
	return &flow->channel->flows[flow->id % NETCHANNEL_FLOWS_MAX];
}

static int bind_locked(struct nc_net *nn, struct nc_flow *flow)
{
	struct nc_channel *ch = flow->channel;
	int err;

	lockdep_assert_held(&nn->lock);
	if (test_bit(NC_CHANNEL_GONE, &ch->flags))
		return -ENODEV;
	if (flow->key.ifindex && !device_exists(nn, flow->key.ifindex))
		return -ENODEV;
	err = need_table(nn);
	if (!err)
		err = hooks_get(nn, flow);
	if (err)
		return err;
	err = nc_flow_insert(nn, flow);
	if (err) {
		hooks_put(nn, flow);
		return err;
	}
	atomic_inc(&ch->nr_flows);
	rcu_assign_pointer(*place_of(flow), flow);
	return 0;
}

/**
 * nc_net_bind() - let a flow take packets in its namespace
 * @nn: the namespace.
 * @flow: the flow; the place of its id is free.
 *
 * Return: 0 or a negative errno.
 */
int nc_net_bind(struct nc_net *nn, struct nc_flow *flow)
{
	bool devices;
	int err;

	mutex_lock(&nn->lock);
	devices = wants_devices(nn, flow);
	if (devices) {
		/* RTNL comes first. */
		mutex_unlock(&nn->lock);
		rtnl_lock();
		mutex_lock(&nn->lock);
	}
	err = bind_locked(nn, flow);
	mutex_unlock(&nn->lock);
	if (devices)
		rtnl_unlock();
	return err;
}

static void unbind_locked(struct nc_net *nn, struct nc_flow *flow)
{
	struct nc_channel *ch = flow->channel;

	lockdep_assert_held(&nn->lock);
	RCU_INIT_POINTER(*place_of(flow), NULL);
	nc_flow_remove(nn, flow);
	hooks_put(nn, flow);
	nc_rx_stop(flow);
	atomic_dec(&ch->nr_flows);
	nc_flow_put(flow);
}

/**
 * nc_net_unbind() - take a flow of a channel away
 * @nn: the namespace.
 * @ch: the channel.
 * @flow_id: of the flow.
 *
 * Return: 0 or -ENOENT.
 */
int nc_net_unbind(struct nc_net *nn, struct nc_channel *ch, u32 flow_id)
{
	struct nc_flow *flow;

	mutex_lock(&nn->lock);
	rcu_read_lock();
	flow = nc_channel_flow(ch, flow_id);
	rcu_read_unlock();
	/* It stays: flows end under the lock. */
	if (flow)
		unbind_locked(nn, flow);
	mutex_unlock(&nn->lock);
	return flow ? 0 : -ENOENT;
}

/**
 * nc_net_join() - a channel got its namespace
 * @nn: the namespace.
 * @ch: the channel, locked.
 */
void nc_net_join(struct nc_net *nn, struct nc_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	mutex_lock(&ch->tx.lock);
	ch->net = nn->net;
	mutex_unlock(&ch->tx.lock);
	mutex_lock(&nn->lock);
	list_add_tail(&ch->in_net, &nn->channels);
	mutex_unlock(&nn->lock);
}

/**
 * nc_net_leave() - a channel leaves its namespace, with all its flows
 * @nn: the namespace.
 * @ch: the channel, locked.
 * @gone: because the namespace goes away.
 */
void nc_net_leave(struct nc_net *nn, struct nc_channel *ch, bool gone)
{
	struct nc_flow *flow;
	u32 i;

	lockdep_assert_held(&ch->lock);
	mutex_lock(&nn->lock);
	for (i = 0; i < NETCHANNEL_FLOWS_MAX; i++) {
		flow = rcu_dereference_protected(ch->flows[i], lockdep_is_held(&nn->lock));
		if (flow)
			unbind_locked(nn, flow);
		cond_resched();
	}
	list_del_init(&ch->in_net);
	/*
	 * The end of the namespace does not wait for us any more, and frees the
	 * lock after a grace period, perhaps before we are done with it.
	 */
	rcu_read_lock();
	mutex_unlock(&nn->lock);
	rcu_read_unlock();
	if (gone)
		nc_channel_lose(ch);
}

static void device_gone(struct nc_net *nn, u32 ifindex)
{
	struct nc_flow *flow, *next;
	struct nc_ingress *in;
	struct nc_channel *ch;

	lockdep_assert_held(&nn->lock);
	list_for_each_entry_safe(flow, next, &nn->flows, in_net) {
		if (flow->key.ifindex != ifindex)
			continue;
		ch = flow->channel;
		nc_channel_get(ch);
		unbind_locked(nn, flow);
		if (!atomic_read(&ch->nr_flows))
			nc_channel_lose(ch);
		nc_channel_put(ch);
	}
	in = ingress_find(nn, ifindex);
	if (in)
		ingress_del(nn, in);
	/* No route that we remember is to keep a device, or its namespace. */
	if (nn->table)
		nc_demux_flush(nn->table->demux);
}

/* The next flow that wants all devices tries again. */
static void device_missed(struct nc_net *nn, const struct net_device *dev)
{
	lockdep_assert_held(&nn->lock);
	nn->missed = true;
	netdev_warn(dev, "netchannel: no hook for lack of memory\n");
}

static int device_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct nc_net *nn = nc_net(dev_net(dev));

	if (event != NETDEV_REGISTER && event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	mutex_lock(&nn->lock);
	if (event == NETDEV_UNREGISTER)
		device_gone(nn, dev->ifindex);
	else if (nn->nr_early && IS_ERR(ingress_add(nn, dev)))
		device_missed(nn, dev);
	mutex_unlock(&nn->lock);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = device_event };

static int __net_init net_init(struct net *net)
{
	struct nc_net *nn = nc_net(net);

	nn->net = net;
	mutex_init(&nn->lock);
	INIT_LIST_HEAD(&nn->channels);
	INIT_LIST_HEAD(&nn->flows);
	INIT_LIST_HEAD(&nn->ingress);
	return nc_proc_init(net);
}

static struct nc_channel *first_channel(struct nc_net *nn)
{
	struct nc_channel *ch;

	mutex_lock(&nn->lock);
	ch = list_first_entry_or_null(&nn->channels, struct nc_channel, in_net);
	if (ch)
		nc_channel_get(ch);
	mutex_unlock(&nn->lock);
	return ch;
}

static void __net_exit net_pre_exit(struct net *net)
{
	struct nc_channel *ch;

	nc_proc_exit(net);
	while ((ch = first_channel(nc_net(net)))) {
		nc_channel_leave(ch, true);
		nc_channel_put(ch);
	}
}

/* A grace period has passed since net_pre_exit(). */
static void __net_exit net_exit(struct net *net)
{
	nc_table_destroy(nc_net(net)->table);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &net_id,
	.size = sizeof(struct nc_net),
};

/**
 * nc_netdev_init() - follow namespaces and devices
 *
 * Return: 0 or a negative errno.
 */
int nc_netdev_init(void)
{
	int err = register_pernet_subsys(&net_ops);

	if (err)
		return err;
	err = register_netdevice_notifier(&notifier);
	if (err)
		unregister_pernet_subsys(&net_ops);
	return err;
}

/**
 * nc_netdev_exit() - follow them no longer; no hook runs after this
 */
void nc_netdev_exit(void)
{
	unregister_netdevice_notifier(&notifier);
	unregister_pernet_subsys(&net_ops);
	synchronize_net();
	/* Who left its last critical section may not yet have left the code. */
	synchronize_rcu_tasks();
}
