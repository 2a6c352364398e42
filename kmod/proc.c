// SPDX-License-Identifier: GPL-2.0
/* /proc/net/netchannel: a line for each channel of a namespace. */
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/net_namespace.h>
#include "nc.h"

static const u32 rx_drops[] = {
	NETCHANNEL_RX_DROP_DEPTH, NETCHANNEL_RX_DROP_BYTES,
	NETCHANNEL_RX_DROP_SIZE, NETCHANNEL_RX_DROP_HEADER,
	NETCHANNEL_RX_DROP_POLICY, NETCHANNEL_RX_DROP_FILTER,
	NETCHANNEL_RX_DROP_CONNTRACK, NETCHANNEL_RX_DROP_NOMEM,
	NETCHANNEL_RX_DROP_BROKEN,
};

static void *start(struct seq_file *seq, loff_t *pos)
{
	struct nc_net *nn = nc_net(seq_file_net(seq));

	mutex_lock(&nn->lock);
	return seq_list_start_head(&nn->channels, *pos);
}

static void *next(struct seq_file *seq, void *v, loff_t *pos)
{
	return seq_list_next(v, &nc_net(seq_file_net(seq))->channels, pos);
}

static void stop(struct seq_file *seq, void *v)
{
	mutex_unlock(&nc_net(seq_file_net(seq))->lock);
}

static const char *status_name(const struct nc_channel *ch)
{
	unsigned long flags = READ_ONCE(ch->flags);

	if (flags & BIT(NC_CHANNEL_BROKEN))
		return "broken";
	if (flags & BIT(NC_CHANNEL_GONE))
		return "gone";
	return flags & BIT(NC_CHANNEL_FROZEN) ? "frozen" : "open";
}

static void show_end(struct seq_file *seq, const struct nc_key *key,
		     const union nc_addr *addr, u32 prefix, __be16 port)
{
	if (!prefix)
		seq_putc(seq, '*');
	else if (key->family == AF_INET)
		seq_printf(seq, "%pI4", addr);
	else
		seq_printf(seq, "[%pI6c]", addr);
	if (prefix && prefix != nc_family_bits(key->family))
		seq_printf(seq, "/%u", prefix);
	if (port)
		seq_printf(seq, ":%u", ntohs(port));
	else if (nc_has_ports(key->protocol))
		seq_puts(seq, ":*");
}

static void show_flow(struct seq_file *seq, const struct nc_flow *flow)
{
	const struct nc_key *key = &flow->key;
	const char *family = key->family == AF_INET ? "" : "6";

	if (key->protocol == IPPROTO_TCP)
		seq_printf(seq, " tcp%s ", family);
	else if (key->protocol == IPPROTO_UDP)
		seq_printf(seq, " udp%s ", family);
	else
		seq_printf(seq, " ip%s/%u ", family, key->protocol);
	show_end(seq, key, &key->local, NC_RANK_LOCAL(key->rank),
		 key->local_port);
	seq_puts(seq, "->");
	show_end(seq, key, &key->remote, NC_RANK_REMOTE(key->rank),
		 key->remote_port);
	seq_puts(seq, flow->hook == NETCHANNEL_HOOK_EARLY ? " early" : " late");
	if (flow->flags & NETCHANNEL_BIND_LISTEN_PEER)
		seq_puts(seq, " peer");
	if (key->ifindex)
		seq_printf(seq, " if%u", key->ifindex);
	if (key->vlan)
		seq_printf(seq, " vlan%u", key->vlan);
	seq_putc(seq, ';');
}

static void show_counters(struct seq_file *seq, struct nc_channel *ch)
{
	u64 rx, tx, drops = 0;
	u32 used, i;

	spin_lock_bh(&ch->rx.lock);
	used = nc_ring_fill(&ch->rx.ring);
	rx = ch->counter[NETCHANNEL_RX_PACKETS];
	tx = READ_ONCE(ch->counter[NETCHANNEL_TX_PACKETS]);
	for (i = 0; i < ARRAY_SIZE(rx_drops); i++)
		drops += ch->counter[rx_drops[i]];
	spin_unlock_bh(&ch->rx.lock);
	seq_printf(seq, " %u %u %llu %llu %llu", ch->rx.ring.depth, used, rx,
		   tx, drops);
}

static int show(struct seq_file *seq, void *v)
{
	struct nc_net *nn = nc_net(seq_file_net(seq));
	struct nc_channel *ch;
	struct nc_flow *flow;
	u32 i;

	if (v == &nn->channels) {
		seq_puts(seq, "id pid uid status depth used rx tx drops flows\n");
		return 0;
	}
	ch = list_entry(v, struct nc_channel, in_net);
	seq_printf(seq, "%u %d %u %s", ch->id,
		   pid_nr_ns(ch->owner, task_active_pid_ns(current)),
		   from_kuid_munged(seq_user_ns(seq), ch->uid),
		   status_name(ch));
	show_counters(seq, ch);
	/* Flows change under the lock that start() took. */
	for (i = 0; i < NETCHANNEL_FLOWS_MAX; i++) {
		flow = rcu_dereference_protected(ch->flows[i], lockdep_is_held(&nn->lock));
		if (flow)
			show_flow(seq, flow);
	}
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations ops = {
	.start = start,
	.next = next,
	.stop = stop,
	.show = show,
};

/**
 * nc_proc_init() - make the file of a namespace
 * @net: the namespace.
 *
 * Return: 0 or a negative errno.
 */
int nc_proc_init(struct net *net)
{
	if (!proc_create_net("netchannel", 0444, net->proc_net, &ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
	return 0;
}

/**
 * nc_proc_exit() - remove it
 * @net: the namespace.
 */
void nc_proc_exit(struct net *net)
{
	remove_proc_entry("netchannel", net->proc_net);
}
