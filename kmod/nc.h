/* SPDX-License-Identifier: GPL-2.0 */
/* Objects of the module; Documentation/locking.rst says what guards what. */
#ifndef _NC_H
#define _NC_H

#include <linux/hashtable.h>
#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/netchannel.h>
#include "ring.h"
#include "flow_key.h"
#include "pool.h"

struct nc_channel;
struct nc_net;

/*
 * For memory whose size the user names: where his cgroup has no room for it,
 * that is an error, and nothing to kill him for.
 */
#define NC_GFP_SIZED	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/**
 * struct nc_area - the memory shared with the owner
 * @pages: the pages.
 * @nr_pages: their number.
 * @base: kernel mapping of all of them.
 * @user: who is charged for locked memory, or NULL.
 * @layout: where the regions are, as told to the owner.
 * @ctl: the words that are not per packet.
 * @rx_desc: RX descriptors.
 * @rx_released: words by which the owner gives them back.
 * @rx_data: RX bytes.
 * @tx_desc: TX descriptors.
 * @tx_inline: inline parts of the TX slots.
 * @tx_done: completions of the TX slots.
 * @tx_data: the send arena.
 *
 * Made once by SETUP, constant after that, freed with the channel.
 */
struct nc_area {
	struct page **pages;
	unsigned long nr_pages;
	void *base;
	struct user_struct *user;
	struct netchannel_setup layout;
	struct netchannel_ctl *ctl;
	struct netchannel_rx_desc *rx_desc;
	u32 *rx_released;
	u8 *rx_data;
	struct netchannel_tx_desc *tx_desc;
	u8 *tx_inline;
	struct netchannel_tx_done *tx_done;
	u8 *tx_data;
};

/**
 * struct nc_tx_slot - what the kernel knows of a TX slot
 * @ubuf: holds the slot while its memory is referred to.
 * @channel: whose slot it is; a reference while busy.
 * @index: running index of the descriptor.
 * @result: what will be told.
 * @copied: somebody had to copy the payload after all.
 */
struct nc_tx_slot {
	struct ubuf_info ubuf;
	struct nc_channel *channel;
	u32 index;
	int result;
	bool copied;
};

#define NC_ROUTES	64	/* cached routes of a channel; a power of two */

/**
 * struct nc_route - a route that was looked up for a kind of packet
 * @key: addresses, ports and protocol of the packets.
 * @flow: id of their flow.
 * @mark: mark of the authority socket at that time.
 * @device: to which it was bound.
 * @dsfield: their TOS or traffic class.
 * @genid: generation of the namespace's addresses at that time.
 * @cookie: for dst_check().
 * @dst: the route, or NULL if the entry is empty.
 * @uncopied: nobody on the way copied payload that was referred to.
 * @trying: whether that is so is being tried.
 * @trial: running index of the slot with which.
 * @pause: packets to be copied before the next trial.
 * @failed: as many as that was after the last trial, which failed.
 */
struct nc_route {
	struct nc_key key;
	u32 flow;
	u32 mark;
	int device;
	u8 dsfield;
	int genid;
	u32 cookie;
	struct dst_entry *dst;
	bool uncopied;
	bool trying;
	u32 trial;
	u32 pause;
	u32 failed;
};

#define NC_TX_BATCH	64	/* packets handed to the IP layer at once */

/**
 * struct nc_tx_packet - a packet that was built
 * @skb: it.
 * @flow: the flow it belongs to; a reference.
 * @index: running index of its descriptor.
 * @length: bytes.
 * @reference: it refers to the owner's memory.
 */
struct nc_tx_packet {
	struct sk_buff *skb;
	struct nc_flow *flow;
	u32 index;
	u32 length;
	bool reference;
};

/**
 * struct nc_tx - sending side of a channel
 * @lock: serialises kicks.
 * @next: index of the next descriptor to be read.
 * @busy: bitmap of slots that are the kernel's; bits are cleared by completion.
 * @slot: private state of each slot.
 * @route: recently used routes.
 * @batch: packets built in this kick.
 * @heads: memory of headers, with payload that is short.
 * @pool: memory of payload that is copied.
 * @finished: slots completed in this kick.
 * @waited: it has waited for what is in flight to get less.
 */
struct nc_tx {
	struct mutex lock;
	u32 next;
	unsigned long *busy;
	struct nc_tx_slot *slot;
	struct nc_route *route;
	struct nc_tx_packet *batch;
	struct nc_pool heads;
	struct nc_pool pool;
	bool finished;
	bool waited;
};

/**
 * struct nc_rx - receiving side of a channel
 * @lock: guards ring, lost, RX counters and the latches of the flows.
 * @ring: reservation state.
 * @lost: packets dropped since the last descriptor.
 * @sleepers: calls of read() that sleep.
 * @napi: the device's that sent the last packet (struct sk_buff.napi_id).
 * @napi_us: how long the authority of its flow may poll that.
 */
struct nc_rx {
	spinlock_t lock;
	struct nc_ring ring;
	u32 lost;
	atomic_t sleepers;
	u32 napi;
	u32 napi_us;
};

/* Bits of nc_channel.flags, beside those of the status word */
#define NC_CHANNEL_BROKEN	0	/* NETCHANNEL_STATUS_BROKEN */
#define NC_CHANNEL_GONE		1	/* NETCHANNEL_STATUS_GONE */
#define NC_CHANNEL_FROZEN	2	/* NETCHANNEL_STATUS_FROZEN */
#define NC_CHANNEL_WAKING	3	/* on a CPU's list of wake-ups */
#define NC_CHANNEL_EVENT	4	/* TX error, completion as asked for, FREEZE */
#define NC_CHANNEL_STATUS	(BIT(NC_CHANNEL_BROKEN) | \
				 BIT(NC_CHANNEL_GONE) | BIT(NC_CHANNEL_FROZEN))

/**
 * struct nc_channel - an open file of /dev/netchannel
 * @ref: file, flows, busy slots, wake list.
 * @id: number shown to people.
 * @flags: NC_CHANNEL_* bits.
 * @reason: why it is broken.
 * @lock: serialises SETUP, BIND, UNBIND, FREEZE and the end.
 * @area: shared memory, NULL before SETUP; set once, by store-release.
 * @net: namespace, NULL before the first BIND and once it has left.
 * @in_net: element of nc_net.channels.
 * @flows: NETCHANNEL_FLOWS_MAX, by the remainder of their ids; changed under nc_net.lock.
 * @last_flow: id of the flow that was bound last.
 * @nr_flows: their number.
 * @rx: receiving side.
 * @tx: sending side.
 * @sleeper: the first that sleeps in read().
 * @wait: all others that sleep, and who polls.
 * @timer: wakes them, not later than the first deadline of theirs.
 * @timer_lock: serialises its start.
 * @spin: nanoseconds that a read() looks for packets before it sleeps.
 * @spins: calls that did not have to sleep then.
 * @waits: calls that slept.
 * @wakeups: wake-ups of the owner.
 * @waking: element of a CPU's list of wake-ups.
 * @counter: by enum netchannel_counter, but for @spins, @waits and @wakeups.
 * @owner: thread group that did the setup.
 * @uid: who did it.
 * @comm: its name.
 * @free: work that frees the channel.
 */
struct nc_channel {
	refcount_t ref;
	u32 id;
	unsigned long flags;
	u32 reason;
	struct mutex lock;
	struct nc_area *area;
	struct net *net;
	struct list_head in_net;
	struct nc_flow __rcu **flows;
	u32 last_flow;
	atomic_t nr_flows;
	struct nc_rx rx ____cacheline_aligned_in_smp;
	struct nc_tx tx ____cacheline_aligned_in_smp;
	struct task_struct __rcu *sleeper;
	wait_queue_head_t wait;
	struct hrtimer timer;
	spinlock_t timer_lock;
	u32 spin;
	atomic64_t spins;
	atomic64_t waits;
	atomic64_t wakeups;
	struct llist_node waking;
	u64 counter[NETCHANNEL_COUNTERS];
	struct pid *owner;
	kuid_t uid;
	char comm[TASK_COMM_LEN];
	struct work_struct free;
};

/**
 * enum nc_latch_state - of a point-to-point listen flow
 * @NC_LATCH_OPEN: the next peer may come
 * @NC_LATCH_PROVISIONAL: a peer came; the owner has not confirmed it
 * @NC_LATCH_CONFIRMED: until the owner releases it
 */
enum nc_latch_state {
	NC_LATCH_OPEN,
	NC_LATCH_PROVISIONAL,
	NC_LATCH_CONFIRMED,
};

/**
 * struct nc_latch - the peer that a point-to-point listen flow serves
 * @state: see there.
 * @port: of the peer.
 * @peer: its address.
 * @expires: jiffies at which a provisional latch ends.
 */
struct nc_latch {
	enum nc_latch_state state;
	__be16 port;
	union nc_addr peer;
	unsigned long expires;
};

/**
 * struct nc_flow - a flow bound to a channel
 * @node: element of the hash table.
 * @key: what packets are compared with, after masking.
 * @mask: of the key's rank.
 * @channel: where they go; a reference.
 * @sk: the authority, or NULL; a reference until the RCU callback.
 * @file: of the authority; keeps the port; put as soon as unbound.
 * @cookie: the owner's.
 * @id: names it in the channel.
 * @flags: NETCHANNEL_BIND_* bits.
 * @hook: enum netchannel_hook.
 * @yields: bound without privilege: other kernel sockets come first, and the
 *	authority has to vouch for each packet.
 * @dead: unbound; no packet may be reserved for it.
 * @latch: of a point-to-point listen flow.
 * @ref: table, and a kick that uses it.
 * @in_net: element of nc_net.flows.
 * @in_ports: element of nc_table.ports.
 * @rcu: for freeing.
 */
struct nc_flow {
	struct rhash_head node;
	struct nc_key key;
	struct nc_key mask;
	struct nc_channel *channel;
	struct sock *sk;
	struct file *file;
	u64 cookie;
	u32 id;
	u32 flags;
	u8 hook;
	bool yields;
	bool dead;
	struct nc_latch latch;
	refcount_t ref;
	struct list_head in_net;
	struct hlist_node in_ports;
	struct rcu_head rcu;
};

/**
 * struct nc_rank - a rank in use
 * @mask: what flows of the rank give, and the rank.
 * @users: flows that have it; not for readers.
 */
struct nc_rank {
	struct nc_key mask;
	u32 users;
};

/**
 * struct nc_ranks - ranks in use for a family, greatest first
 * @rcu: for freeing.
 * @count: number of them.
 * @rank: the ranks.
 */
struct nc_ranks {
	struct rcu_head rcu;
	u32 count;
	struct nc_rank rank[];
};

#define NC_PORT_HASH_BITS	8

/**
 * struct nc_table - flows of a namespace
 * @flows: hash table by key.
 * @ranks: masks to be tried, for IPv4 and IPv6.
 * @generation: another one with every change, and no other table's.
 * @protocol: bitmap of protocols of which every packet must be looked up.
 * @tcp: bitmap of local TCP ports, by their value in network byte order.
 * @udp: the same for UDP.
 * @ports: flows by protocol and local port, to know when to clear a bit.
 * @demux: routes of packets to LATE flows.
 *
 * Read under RCU; changed under nc_net.lock.
 */
struct nc_table {
	struct rhashtable flows;
	struct nc_ranks __rcu *ranks[2];
	unsigned long generation;
	DECLARE_BITMAP(protocol, 256);
	DECLARE_BITMAP(tcp, 65536);
	DECLARE_BITMAP(udp, 65536);
	DECLARE_HASHTABLE(ports, NC_PORT_HASH_BITS);
	struct nc_demux *demux;
};

/**
 * struct nc_net - what the module keeps for a network namespace
 * @net: the namespace.
 * @lock: guards all of this and changes of the table.
 * @channels: channels of this namespace.
 * @flows: flows bound in it.
 * @nr_flows: their number.
 * @nr_late: those of them that are LATE.
 * @nr_early: those of them that want all devices.
 * @missed: a device that came got no hook, though @nr_early.
 * @nr_ipv6: those of them that are IPv6.
 * @defrag: IPv6 fragments are put together.
 * @table: how packets find them; NULL until the first flow was bound.
 * @late: hooks at local input, registered while there are flows.
 * @demux: hooks before routing, registered while there are LATE flows.
 * @ingress: devices with a hook at ingress.
 */
struct nc_net {
	struct net *net;
	struct mutex lock;
	struct list_head channels;
	struct list_head flows;
	u32 nr_flows;
	u32 nr_late;
	u32 nr_early;
	bool missed;
	u32 nr_ipv6;
	bool defrag;
	struct nc_table *table;
	struct nf_hook_ops late[2];
	struct nf_hook_ops demux[2];
	struct list_head ingress;
};

/**
 * struct nc_ingress - a device with a hook at ingress
 * @list: element of nc_net.ingress.
 * @users: flows bound to just this device.
 * @ops: the hook; who lists hooks reads it under RCU.
 * @rcu: for freeing.
 */
struct nc_ingress {
	struct list_head list;
	u32 users;
	struct nf_hook_ops ops;
	struct rcu_head rcu;
};

/**
 * struct nc_rx_packet - what is to be put into the ring
 * @skb: the packet.
 * @offset: of the first byte wanted, from skb->data.
 * @length: bytes.
 * @transport: offset of the transport header, from the IP header.
 * @key: its key.
 * @type: NETCHANNEL_RX_*.
 * @info: for an error: MTU or 0.
 */
struct nc_rx_packet {
	struct sk_buff *skb;
	u32 offset;
	u32 length;
	u32 transport;
	const struct nc_key *key;
	u8 type;
	u32 info;
};

/**
 * struct nc_authority - who vouches for a flow
 * @sk: the socket, or NULL.
 * @file: its file; a reference.
 * @net: namespace.
 * @admin: the caller has CAP_NET_ADMIN there.
 */
struct nc_authority {
	struct sock *sk;
	struct file *file;
	struct net *net;
	bool admin;
};

/* area.c */
struct nc_area *nc_area_create(struct netchannel_setup *setup);
void nc_area_destroy(struct nc_area *area);
int nc_area_map(struct nc_area *area, struct vm_area_struct *vma);

/* channel.c */
struct nc_channel *nc_channel_create(void);
void nc_channel_close(struct nc_channel *ch);
void nc_channel_get(struct nc_channel *ch);
void nc_channel_put(struct nc_channel *ch);
int nc_channel_setup(struct nc_channel *ch, struct netchannel_setup *setup);
int nc_channel_bind(struct nc_channel *ch, struct netchannel_bind *bind);
int nc_channel_unbind(struct nc_channel *ch, u32 flow_id);
int nc_channel_freeze(struct nc_channel *ch);
void nc_channel_stats(struct nc_channel *ch, struct netchannel_stats *stats);
void nc_channel_break(struct nc_channel *ch, u32 reason);
void nc_channel_lose(struct nc_channel *ch);
void nc_channel_leave(struct nc_channel *ch, bool gone);
int nc_channel_init(void);
void nc_channel_exit(void);

/* wake.c */
int nc_channel_wait(struct nc_channel *ch, bool nonblock);
bool nc_channel_has_event(const struct nc_channel *ch);
bool nc_channel_completed(const struct nc_channel *ch);
void nc_channel_wake(struct nc_channel *ch, bool now);
void nc_channel_wake_rx(struct nc_channel *ch, bool urgent);
void nc_channel_wake_tx(struct nc_channel *ch);
void nc_channel_failed(struct nc_channel *ch);
void nc_sleep_init(struct nc_channel *ch);
int nc_wake_init(void);
void nc_wake_exit(void);

/* spin.c */
ktime_t nc_spin(struct nc_channel *ch, ktime_t deadline, bool frozen);
void nc_spin_learn(struct nc_channel *ch, ktime_t begin, bool came, bool slept);

static inline struct nc_area *nc_channel_area(const struct nc_channel *ch)
{
	/* Pairs with the release in nc_channel_setup() */
	return smp_load_acquire(&ch->area);
}

/*
 * May the owner use rings and flows?  0, -ENOTCONN before SETUP, -EPIPE if it is broken,
 * -ENODEV if the flows went away with their device or namespace.
 */
static inline int nc_channel_check(const struct nc_channel *ch)
{
	unsigned long flags = READ_ONCE(ch->flags);

	if (!nc_channel_area(ch))
		return -ENOTCONN;
	if (likely(!(flags & (BIT(NC_CHANNEL_BROKEN) | BIT(NC_CHANNEL_GONE)))))
		return 0;
	return flags & BIT(NC_CHANNEL_BROKEN) ? -EPIPE : -ENODEV;
}

/* Is there a descriptor at or beyond rx_seen?  Of a channel with an area. */
static inline bool nc_channel_readable(const struct nc_channel *ch)
{
	u32 seen = READ_ONCE(nc_channel_area(ch)->ctl->rx_seen);

	return nc_ring_readable(&ch->rx.ring, seen);
}

/* The flow of an id, or NULL.  Under RCU, with an area. */
static inline struct nc_flow *nc_channel_flow(const struct nc_channel *ch, u32 id)
{
	struct nc_flow *flow = rcu_dereference(ch->flows[id % NETCHANNEL_FLOWS_MAX]);

	return flow && flow->id == id ? flow : NULL;
}

static inline void nc_count_rx(struct nc_channel *ch, u32 counter, u64 n)
{
	lockdep_assert_held(&ch->rx.lock);
	ch->counter[counter] += n;
}

static inline void nc_count_tx(struct nc_channel *ch, u32 counter, u64 n)
{
	lockdep_assert_held(&ch->tx.lock);
	ch->counter[counter] += n;
}

/* authority.c */
int nc_authority_get(struct nc_authority *auth, int fd);
int nc_authority_check(const struct nc_authority *auth,
		       const struct netchannel_bind *bind);
void nc_authority_put(struct nc_authority *auth);
bool nc_authority_holds(const struct nc_flow *flow);
bool nc_authority_yields(const struct nc_flow *flow, struct net *net,
			 struct sk_buff *skb, const struct nc_key *key);

/* flow.c */
struct nc_table *nc_table_create(void);
void nc_table_destroy(struct nc_table *table);
struct nc_flow *nc_flow_create(struct nc_channel *ch,
			       const struct netchannel_bind *bind,
			       struct nc_authority *auth);
void nc_flow_put(struct nc_flow *flow);
int nc_flow_insert(struct nc_net *nn, struct nc_flow *flow);
void nc_flow_remove(struct nc_net *nn, struct nc_flow *flow);
struct nc_flow *nc_flow_lookup(struct nc_table *table,
			       const struct nc_key *key);
struct nc_flow *nc_flow_recall(struct nc_table *table, const struct nc_key *key);
int nc_flow_init(void);
void nc_flow_exit(void);

static inline bool nc_table_wants(const struct nc_table *table, u8 protocol,
				  __be16 local_port)
{
	if (test_bit(protocol, table->protocol))
		return true;
	if (protocol == IPPROTO_TCP)
		return test_bit((__force u16)local_port, table->tcp);
	if (protocol == IPPROTO_UDP)
		return test_bit((__force u16)local_port, table->udp);
	return false;
}

/*
 * All that a packet of no channel costs.  Ports outside of the linear part are
 * looked for behind it.
 */
static __always_inline bool nc_wanted(const struct nc_table *table,
				      const struct sk_buff *skb,
				      u32 transport, u8 protocol)
{
	const __be16 *ports = (const __be16 *)(skb->data + transport);

	if (!nc_has_ports(protocol))
		return test_bit(protocol, table->protocol);
	if (unlikely(skb_headlen(skb) < transport + 2 * sizeof(*ports)))
		return true;
	return nc_table_wants(table, protocol, ports[1]);
}

/* netdev.c */
struct nc_net *nc_net(struct net *net);
int nc_net_bind(struct nc_net *nn, struct nc_flow *flow);
int nc_net_unbind(struct nc_net *nn, struct nc_channel *ch, u32 flow_id);
void nc_net_leave(struct nc_net *nn, struct nc_channel *ch, bool gone);
void nc_net_join(struct nc_net *nn, struct nc_channel *ch);
int nc_netdev_init(void);
void nc_netdev_exit(void);

/* hook.c */
extern const struct nf_hook_ops nc_hook_late[2];
unsigned int nc_hook_early(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state);

/* demux.c */
extern const struct nf_hook_ops nc_demux_hooks[2];
struct nc_demux *nc_demux_create(void);
void nc_demux_destroy(struct nc_demux *demux);
void nc_demux_flush(struct nc_demux *demux);
void nc_demux_learn(struct nc_demux *demux, const struct net *net,
		    const struct sk_buff *skb);

/* defrag.c */
void nc_defrag_load(void);
void nc_defrag_get(struct nc_net *nn);
void nc_defrag_put(struct nc_net *nn);

/* icmp.c */
void nc_icmp_error(struct nc_table *table, struct net *net, struct sk_buff *skb,
		   u32 offset);

/* As the transports do, believe neither csum_valid nor a level: only this. */
static inline bool nc_checksum_known(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_UNNECESSARY ||
	       skb->ip_summed == CHECKSUM_PARTIAL;
}

/* rx.c */
bool nc_rx_deliver(struct nc_flow *flow, const struct nc_rx_packet *packet);
void nc_rx_drop(struct nc_flow *flow, u32 counter);
void nc_rx_stop(struct nc_flow *flow);
void nc_rx_quiesce(struct nc_channel *ch);

/* latch.c */
enum nc_latch_verdict {
	NC_LATCH_TAKE,
	NC_LATCH_PASS,
	NC_LATCH_REFUSE,
};

enum nc_latch_verdict nc_latch_ask(struct nc_flow *flow,
				   const struct nc_rx_packet *packet);
bool nc_latch_has(struct nc_flow *flow, const struct nc_key *key);
int nc_latch_steer(struct nc_channel *ch, const struct netchannel_latch *latch);

/* Does any flow take a packet of this peer now?  It may latch it. */
static inline enum nc_latch_verdict nc_latch_check(struct nc_flow *flow,
						   const struct nc_rx_packet *packet)
{
	return flow->flags & NETCHANNEL_BIND_LISTEN_PEER ?
	       nc_latch_ask(flow, packet) : NC_LATCH_TAKE;
}

/* May any flow talk with the peer of a packet now? */
static inline bool nc_latch_serves(struct nc_flow *flow, const struct nc_key *key)
{
	return !(flow->flags & NETCHANNEL_BIND_LISTEN_PEER) || nc_latch_has(flow, key);
}

/* tx.c */
int nc_tx_kick(struct nc_channel *ch);
bool nc_tx_waits(struct nc_channel *ch);
bool nc_tx_writable(struct nc_channel *ch);

/* route.c */
void nc_route_flush(struct nc_channel *ch);

/* proc.c */
int nc_proc_init(struct net *net);
void nc_proc_exit(struct net *net);

#endif /* _NC_H */
