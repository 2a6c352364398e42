// SPDX-License-Identifier: GPL-2.0
/* Flows, and the table in which packets find them. */
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "nc.h"
#include "compat.h"

#define RECALLS		256	/* of a CPU */

static_assert(sizeof(struct nc_key) == 48);
/* A generation is never had again, however often flows are bound. */
static_assert(BITS_PER_LONG == 64);

/**
 * struct recall - whose packet one like it was
 * @key: of the packet.
 * @generation: of the table, then; 0, which no table has: nothing is recalled.
 * @flow: the flow, or NULL; may be freed unless @generation is the table's.
 */
struct recall {
	struct nc_key key;
	unsigned long generation;
	struct nc_flow *flow;
};

/**
 * struct recalls - what a CPU recalls
 * @of: by ports.
 */
struct recalls {
	struct recall of[RECALLS];
};

static struct recalls __percpu *recalls;
static atomic_long_t generations;

static int key_differs(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct nc_flow *flow = object;

	return !nc_key_equal(arg->key, &flow->key);
}

/* As few words as tell flows apart: few of them say where packets arrive. */
static u32 key_hash(const void *data, u32 length, u32 seed)
{
	const struct nc_key *key = data;

	if (unlikely(key->ifindex || key->vlan))
		seed = jhash_2words(key->ifindex, key->vlan, seed);
	if (key->family == AF_INET6)
		seed = jhash2((const u32 *)key, 8, seed);
	return jhash_3words((__force u32)key->local.w[0],
			    (__force u32)key->remote.w[0],
			    (__force u32)key->local_port << 16 |
			    (__force u32)key->remote_port,
			    seed ^ key->rank ^ (u32)key->protocol << 24);
}

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct nc_flow, node),
	.key_offset = offsetof(struct nc_flow, key),
	.key_len = sizeof(struct nc_key),
	.hashfn = key_hash,
	.obj_cmpfn = key_differs,
	.automatic_shrinking = true,
};

/**
 * nc_table_create() - make an empty table
 *
 * Return: the table, or an error pointer.
 */
struct nc_table *nc_table_create(void)
{
	struct nc_table *table = kvzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	int err;

	if (!table)
		return ERR_PTR(-ENOMEM);
	hash_init(table->ports);
	table->demux = nc_demux_create();
	table->generation = atomic_long_inc_return(&generations);
	err = table->demux ? rhashtable_init(&table->flows, &params) : -ENOMEM;
	if (!err)
		return table;
	kfree(table->demux);
	kvfree(table);
	return ERR_PTR(err);
}

/**
 * nc_table_destroy() - free an empty table that nobody reads
 * @table: the table, or NULL.
 */
void nc_table_destroy(struct nc_table *table)
{
	if (!table)
		return;
	rhashtable_destroy(&table->flows);
	nc_demux_destroy(table->demux);
	kfree(rcu_dereference_protected(table->ranks[0], true));
	kfree(rcu_dereference_protected(table->ranks[1], true));
	kvfree(table);
}

/**
 * nc_flow_create() - make a flow that is not bound yet
 * @ch: its channel.
 * @bind: what the owner asks for, with the id.
 * @auth: who vouches for it.
 *
 * Return: the flow, or an error pointer.
 */
struct nc_flow *nc_flow_create(struct nc_channel *ch,
			       const struct netchannel_bind *bind,
			       struct nc_authority *auth)
{
	struct nc_flow *flow = kzalloc(sizeof(*flow), GFP_KERNEL_ACCOUNT);

	if (!flow)
		return ERR_PTR(-ENOMEM);
	refcount_set(&flow->ref, 1);
	nc_flow_key(&flow->key, &bind->flow);
	nc_key_mask(&flow->mask, flow->key.rank);
	flow->cookie = bind->cookie;
	flow->id = bind->flow_id;
	flow->flags = bind->flags;
	flow->hook = bind->hook;
	flow->yields = !auth->admin;
	nc_channel_get(ch);
	flow->channel = ch;
	if (auth->sk) {
		sock_hold(auth->sk);
		flow->sk = auth->sk;
		flow->file = get_file(auth->file);
	}
	return flow;
}

static void flow_free(struct rcu_head *rcu)
{
	struct nc_flow *flow = container_of(rcu, struct nc_flow, rcu);

	if (flow->sk)
		sock_put(flow->sk);
	nc_channel_put(flow->channel);
	kfree(flow);
}

/**
 * nc_flow_put() - give a reference back
 * @flow: the flow; its end may sleep.
 */
void nc_flow_put(struct nc_flow *flow)
{
	if (!refcount_dec_and_test(&flow->ref))
		return;
	if (flow->file)
		fput(flow->file);
	/* Memory is charged until then: not at RCU's leisure. */
	call_rcu_hurry(&flow->rcu, flow_free);
}

static struct nc_ranks __rcu **ranks_of(struct nc_table *table, u8 family)
{
	return &table->ranks[family == AF_INET6];
}

static struct nc_rank *rank_find(struct nc_ranks *ranks, u32 rank)
{
	u32 i;

	for (i = 0; ranks && i < ranks->count; i++)
		if (ranks->rank[i].mask.rank == rank)
			return &ranks->rank[i];
	return NULL;
}

/* A copy with a rank more, in its place, or without the rank if it has no user. */
static struct nc_ranks *rank_copy(const struct nc_ranks *old,
				  const struct nc_key *mask, u32 users)
{
	u32 i = 0, n = old ? old->count : 0;
	struct nc_ranks *new;

	new = kmalloc(struct_size(new, rank, n + 1), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->count = 0;
	for (; i < n && old->rank[i].mask.rank > mask->rank; i++)
		new->rank[new->count++] = old->rank[i];
	if (users)
		new->rank[new->count++] = (struct nc_rank){ *mask, users };
	for (; i < n; i++)
		if (old->rank[i].mask.rank != mask->rank)
			new->rank[new->count++] = old->rank[i];
	return new;
}

#define RANKS_MAX	32	/* of a family */
#define RANKS_USER	24	/* from here on, only with privilege */
#define RANKS_ODD	8	/* from here on, without it only usual ones */

/* All of an address or nothing: without privilege there are 16 ranks like that. */
static bool is_usual(const struct nc_key *key)
{
	u32 local = NC_RANK_LOCAL(key->rank), remote = NC_RANK_REMOTE(key->rank);
	u32 all = nc_family_bits(key->family);

	return (!local || local == all) && (!remote || remote == all);
}

/*
 * Every packet is looked up once for each rank, so there are only so many; and nobody is
 * to keep others from what most want.
 */
static u32 ranks_most(const struct nc_flow *flow)
{
	if (!flow->yields)
		return RANKS_MAX;
	return is_usual(&flow->key) ? RANKS_USER : RANKS_ODD;
}

static int rank_add(struct nc_net *nn, const struct nc_flow *flow)
{
	struct nc_ranks __rcu **where = ranks_of(nn->table, flow->key.family);
	struct nc_ranks *old, *new;
	struct nc_rank *present;

	old = rcu_dereference_protected(*where, lockdep_is_held(&nn->lock));
	present = rank_find(old, flow->key.rank);
	if (present) {
		present->users++;
		return 0;
	}
	if (old && old->count >= ranks_most(flow))
		return -ENOSPC;
	new = rank_copy(old, &flow->mask, 1);
	if (!new)
		return -ENOMEM;
	rcu_assign_pointer(*where, new);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* Without memory the rank stays: it costs time, nothing else. */
static void rank_del(struct nc_net *nn, const struct nc_flow *flow)
{
	struct nc_ranks __rcu **where = ranks_of(nn->table, flow->key.family);
	struct nc_ranks *old, *new;

	old = rcu_dereference_protected(*where, lockdep_is_held(&nn->lock));
	if (--rank_find(old, flow->key.rank)->users)
		return;
	new = rank_copy(old, &flow->mask, 0);
	if (!new)
		return;
	rcu_assign_pointer(*where, new);
	kfree_rcu(old, rcu);
}

static u32 port_key(const struct nc_key *key)
{
	return (u32)key->protocol << 16 | (__force u16)key->local_port;
}

/* The bit by which packets like those of a flow are looked up at all. */
static unsigned long *filter_bit(struct nc_table *table,
				 const struct nc_key *key, u32 *bit)
{
	*bit = (__force u16)key->local_port;
	if (*bit && key->protocol == IPPROTO_TCP)
		return table->tcp;
	if (*bit && key->protocol == IPPROTO_UDP)
		return table->udp;
	*bit = key->protocol;
	return table->protocol;
}

static void filter_add(struct nc_table *table, struct nc_flow *flow)
{
	u32 bit;
	unsigned long *map = filter_bit(table, &flow->key, &bit);

	hash_add(table->ports, &flow->in_ports, port_key(&flow->key));
	set_bit(bit, map);
}

static void filter_del(struct nc_table *table, struct nc_flow *flow)
{
	u32 bit, key = port_key(&flow->key);
	unsigned long *map = filter_bit(table, &flow->key, &bit);
	struct nc_flow *other;

	hash_del(&flow->in_ports);
	hash_for_each_possible(table->ports, other, in_ports, key)
		if (port_key(&other->key) == key)
			return;
	clear_bit(bit, map);
}

/* Behind the change, and before what was removed is freed: see nc_flow_recall(). */
static void changed(struct nc_table *table)
{
	/* (J) what is looked up, before the generation */
	smp_store_release(&table->generation, atomic_long_inc_return(&generations));
}

/**
 * nc_flow_insert() - let packets find a flow
 * @nn: the namespace, locked, with a table.
 * @flow: the flow.
 *
 * Return: 0, -EADDRINUSE, -ENOSPC or another negative errno.
 */
int nc_flow_insert(struct nc_net *nn, struct nc_flow *flow)
{
	int err;

	lockdep_assert_held(&nn->lock);
	err = rank_add(nn, flow);
	if (err)
		return err;
	err = rhashtable_lookup_insert_fast(&nn->table->flows, &flow->node,
					    params);
	if (err) {
		rank_del(nn, flow);
		return err == -EEXIST ? -EADDRINUSE : err;
	}
	changed(nn->table);
	filter_add(nn->table, flow);
	list_add_tail(&flow->in_net, &nn->flows);
	return 0;
}

/**
 * nc_flow_remove() - let packets find a flow no longer
 * @nn: the namespace, locked.
 * @flow: a flow in it.
 */
void nc_flow_remove(struct nc_net *nn, struct nc_flow *flow)
{
	struct nc_table *table = nn->table;

	lockdep_assert_held(&nn->lock);
	list_del(&flow->in_net);
	filter_del(table, flow);
	rhashtable_remove_fast(&table->flows, &flow->node, params);
	changed(table);
	rank_del(nn, flow);
}

/**
 * nc_flow_lookup() - whose packet is it?
 * @table: flows of the namespace.
 * @key: key of the packet.
 *
 * Called under RCU.
 *
 * Return: the flow of greatest precedence, or NULL.
 */
struct nc_flow *nc_flow_lookup(struct nc_table *table,
			       const struct nc_key *key)
{
	const struct nc_ranks *ranks;
	struct nc_flow *flow;
	struct nc_key masked __uninitialized;
	u32 i;

	ranks = rcu_dereference(*ranks_of(table, key->family));
	for (i = 0; ranks && i < ranks->count; i++) {
		nc_key_masked(&masked, key, &ranks->rank[i].mask);
		flow = rhashtable_lookup(&table->flows, &masked, params);
		if (flow)
			return flow;
	}
	return NULL;
}

static struct recall *recall_of(const struct nc_key *key)
{
	return &this_cpu_ptr(recalls)->of[hash_32(key->ports, ilog2(RECALLS))];
}

static noinline struct nc_flow *learn(struct nc_table *table, const struct nc_key *key,
				      unsigned long generation)
{
	struct nc_flow *flow = nc_flow_lookup(table, key);
	struct recall *recall = recall_of(key);

	recall->key = *key;
	recall->flow = flow;
	recall->generation = generation;
	return flow;
}

/**
 * nc_flow_recall() - whose packet is it, if many like it come?
 * @table: flows of the namespace.
 * @key: key of the packet.
 *
 * Called under RCU, with softirqs off.  A generation is one table's, between two changes
 * of it.  Where the table still has it, what was found is what would be found, and the
 * grace period behind which a flow is freed has not begun when we did.
 *
 * Return: what nc_flow_lookup() would.
 */
struct nc_flow *nc_flow_recall(struct nc_table *table, const struct nc_key *key)
{
	/* (J) then what is looked up */
	unsigned long generation = smp_load_acquire(&table->generation);
	const struct recall *recall;

	lockdep_assert_in_softirq();
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a flow is recalled without RCU");
	recall = recall_of(key);
	if (likely(recall->generation == generation && nc_key_equal(&recall->key, key)))
		return recall->flow;
	return learn(table, key, generation);
}

/**
 * nc_flow_init() - nobody's packet is recalled yet
 *
 * Return: 0 or -ENOMEM.
 */
int nc_flow_init(void)
{
	recalls = __alloc_percpu(sizeof(*recalls), SMP_CACHE_BYTES);
	return recalls ? 0 : -ENOMEM;
}

/**
 * nc_flow_exit() - no hook runs any more
 */
void nc_flow_exit(void)
{
	free_percpu(recalls);
}
