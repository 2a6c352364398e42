// SPDX-License-Identifier: MIT
/* The table of connections: lookup, their memory, flows and ports. */
#include <stdlib.h>

#include "transport/tcp_parts.h"

#define PORT_FIRST	32768u	/* Linux's ip_local_port_range */
#define PORT_COUNT	28232u
#define BLOCKS_EACH	4u	/* receive blocks a connection, on average */
#define BLOCKS_MIN	2048u
#define BLOCKS_MAX	16384u
#define SENTS_EACH	32u
#define SENTS_MAX	262144u
#define WAITS_MIN	4096u
#define BUCKETS_MAX	(1u << 24)
#define HALF_MIN	64u	/* half-open connections, or a quarter of all */
#define LISTENERS_MIN	16u
#define LISTENERS_MAX	4096u
#define ORPHANS_MIN	64u	/* orphans, or as many as have users */

/* 64x64 -> 128 bits, folded: the mixer of the wyhash family.  Keyed by secrets
 * that never leave the table, so that peers cannot choose their bucket; it is
 * some ten times cheaper than SipHash, which packets pay for.
 */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/**
 * us_tcp_hash() - the keyed hash of a connection's name
 * @table: whose key is used.
 * @local: address.
 * @local_port: network byte order.
 * @remote: address.
 * @remote_port: network byte order.
 */
uint32_t us_tcp_hash(const struct us_tcp_table *table,
		     const struct us_addr *local, uint16_t local_port,
		     const struct us_addr *remote, uint16_t remote_port)
{
	uint64_t ports = (uint64_t)local_port << 16 | remote_port;
	uint64_t a = mix(remote->q[0] ^ table->key[0], remote->q[1] ^ table->key[1]);
	uint64_t b = mix(local->q[0] ^ table->key[2], local->q[1] ^ table->key[3]);

	return (uint32_t)mix(a ^ ports ^ table->key[1], b ^ table->key[0]);
}

static inline bool matches(const struct us_tcp *tcp,
			   const struct us_addr *local, uint16_t local_port,
			   const struct us_addr *remote, uint16_t remote_port)
{
	return tcp->local_port == local_port && tcp->remote_port == remote_port &&
	       us_addr_equal(&tcp->dst.remote, remote) &&
	       us_addr_equal(&tcp->dst.local, local);
}

/**
 * us_tcp_lookup() - finds a connection that is not in TIME-WAIT
 * @table: to search.
 * @local: address.
 * @local_port: network byte order.
 * @remote: address.
 * @remote_port: network byte order.
 *
 * Return: the connection or NULL.
 */
struct us_tcp *us_tcp_lookup(struct us_tcp_table *table,
			     const struct us_addr *local, uint16_t local_port,
			     const struct us_addr *remote, uint16_t remote_port)
{
	struct us_tcp *tcp = table->last;
	uint32_t hash;

	if (tcp && matches(tcp, local, local_port, remote, remote_port))
		return tcp;
	hash = us_tcp_hash(table, local, local_port, remote, remote_port);
	for (tcp = table->hash[hash & table->mask]; tcp; tcp = tcp->hash_next) {
		if (!matches(tcp, local, local_port, remote, remote_port))
			continue;
		table->last = tcp;
		return tcp;
	}
	return NULL;
}

static struct us_tcp **bucket(struct us_tcp *tcp)
{
	struct us_tcp_table *table = tcp->table;

	return &table->hash[us_tcp_hash(table, &tcp->dst.local, tcp->local_port,
					&tcp->dst.remote, tcp->remote_port) &
			    table->mask];
}

/**
 * us_tcp_insert() - makes a connection hear its segments
 * @tcp: whose name is not in the table.
 */
void us_tcp_insert(struct us_tcp *tcp)
{
	struct us_tcp **head = bucket(tcp);

	tcp->hash_next = *head;
	*head = tcp;
	tcp->flags |= US_TCP_HASHED;
}

/**
 * us_tcp_remove() - undoes us_tcp_insert()
 * @tcp: may be out of the table already.
 */
void us_tcp_remove(struct us_tcp *tcp)
{
	struct us_tcp **at;

	if (!(tcp->flags & US_TCP_HASHED))
		return;
	for (at = bucket(tcp); *at != tcp; at = &(*at)->hash_next)
		;
	*at = tcp->hash_next;
	tcp->flags &= ~US_TCP_HASHED;
	if (tcp->table->last == tcp)
		tcp->table->last = NULL;
}

static void set_options(struct us_tcp *tcp, const struct us_tcp_options *options)
{
	tcp->maxseg = options->maxseg;
	tcp->rcv_wscale = us_tcp_wscale_of(us_tcp_rcvbuf_most(options));
	us_tcp_set_options(tcp, options);
}

/**
 * us_tcp_init() - sets up a connection block, CLOSED and in no list
 * @tcp: the block; us_tcp_alloc()'s, or one that lives for one segment only.
 * @table: it belongs to.
 * @dst: route, copied.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @options: copied.
 */
void us_tcp_init(struct us_tcp *tcp, struct us_tcp_table *table,
		 const struct us_dst *dst, uint16_t local_port,
		 uint16_t remote_port, const struct us_tcp_options *options)
{
	memset(tcp, 0, sizeof(*tcp));
	tcp->table = table;
	tcp->dst = *dst;
	tcp->local_port = local_port;
	tcp->remote_port = remote_port;
	tcp->state = TCP_CLOSE;
	tcp->ssthresh = US_TCP_SSTHRESH_INF;
	tcp->last_rcv = us_tcp_tick(table->stack);
	tcp->oow_at = tcp->last_rcv - US_TCP_OOW_TICKS;
	CDS_INIT_LIST_HEAD(&tcp->out);
	us_timer_init(&tcp->timer, us_tcp_timer_run);
	set_options(tcp, options);
	if (options->ecn == US_TCP_ECN_OFF)
		tcp->ecn = US_TCP_ECN_REFUSED;
}

/**
 * us_tcp_alloc() - makes a connection block, as us_tcp_init() does
 * @table: it belongs to.
 * @dst: route, copied.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @options: copied.
 * @share: of which part of the pool.
 *
 * Return: the block, or NULL if all of that part are in use (counted).
 */
struct us_tcp *us_tcp_alloc(struct us_tcp_table *table, const struct us_dst *dst,
			    uint16_t local_port, uint16_t remote_port,
			    const struct us_tcp_options *options,
			    enum us_tcp_share share)
{
	struct us_tcp *tcp = NULL;

	if (table->share[share].used < table->share[share].most)
		tcp = us_pool_get(&table->conns);
	if (!tcp) {
		us_count(table->stack, tcp_no_memory);
		return NULL;
	}
	us_tcp_init(tcp, table, dst, local_port, remote_port, options);
	tcp->share = share;
	table->share[share].used++;
	return tcp;
}

/**
 * us_tcp_move() - a connection becomes one of another kind
 * @tcp: the connection.
 * @to: part of the pool.
 *
 * Return: false if that part is full, and nothing was changed.
 */
bool us_tcp_move(struct us_tcp *tcp, enum us_tcp_share to)
{
	struct us_tcp_table *table = tcp->table;

	if (tcp->share == to)
		return true;
	if (table->share[to].used >= table->share[to].most)
		return false;
	table->share[tcp->share].used--;
	table->share[to].used++;
	tcp->share = to;
	return true;
}

/**
 * us_tcp_reap() - frees the connections that ended during the call at work
 * @table: its table.
 *
 * A connection can end deep inside input or a timer, where callers still look
 * at it; so the block lives until the call is over.
 */
void us_tcp_reap(struct us_tcp_table *table)
{
	struct us_tcp *tcp;

	while ((tcp = table->dead)) {
		table->dead = tcp->hash_next;
		table->share[tcp->share].used--;
		us_pool_put(&table->conns, tcp);
	}
}

/**
 * us_tcp_activate() - attaches the active part
 * @tcp: that has something to do.
 *
 * Return: true; false if the pool is exhausted (counted).
 */
bool us_tcp_activate(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (us_likely(a))
		return true;
	a = us_pool_get(&tcp->table->actives);
	if (!a) {
		us_count(tcp->table->stack, tcp_no_memory);
		return false;
	}
	memset(a, 0, sizeof(*a));
	CDS_INIT_LIST_HEAD(&a->flight);
	CDS_INIT_LIST_HEAD(&a->rcvq);
	CDS_INIT_LIST_HEAD(&a->held);
	CDS_INIT_LIST_HEAD(&a->mem_wait);
	a->owner = tcp;
	a->snd_sml = tcp->snd_una;
	a->snd_end = tcp->snd_nxt - !!(tcp->flags & US_TCP_FIN_SENT);
	a->high_seq = tcp->snd_una;
	a->rack_fack = tcp->snd_una;
	a->limited_end = tcp->snd_una;
	a->min_rtt = UINT32_MAX;
	a->rtt_lately = UINT32_MAX;
	a->rcv_mss = us_min32(tcp->mss, 536);
	a->last_snd = us_tcp_tick(tcp->table->stack);
	a->rtt_at = a->last_snd;
	a->last_data = a->last_snd - (uint32_t)(US_SEC >> US_TCP_TICK_SHIFT);
	a->rcv_round_end = tcp->rcv_nxt;
	a->quick = US_TCP_QUICK_ACKS;
	tcp->active = a;
	us_tcp_accecn_init(tcp);
	us_tcp_cc_init(tcp);
	us_tcp_timer_set(tcp, US_TCP_TIMER_FOLD, US_TCP_LOOK);
	return true;
}

/**
 * us_tcp_fold() - takes the active part off again
 * @tcp: whatever the part still holds is freed.
 */
void us_tcp_fold(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (!a)
		return;
	if (tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECV)
		tcp->idle_cwnd = a->cwnd;
	if (tcp->state != TCP_CLOSE)
		us_tcp_count_active(tcp, tcp->table->stack->counter);
	us_tcp_flight_free(tcp);
	us_tcp_sndq_take_back(a);
	us_tcp_sndq_free(tcp);
	us_tcp_rcvq_free(tcp);
	us_tcp_reass_free(tcp);
	cds_list_del_init(&a->mem_wait);
	us_pool_put(&tcp->table->actives, a);
	tcp->active = NULL;
}

/* RFC 6056 3.3.3: the sequence of ports starts elsewhere for every peer. */
static uint32_t port_hash(struct us_tcp_table *table, const struct us_dst *dst,
			  uint16_t remote_port)
{
	struct {
		struct us_addr local, remote;
		uint32_t port, tag;
	} key = { dst->local, dst->remote, remote_port, 0x706f7274 };

	return (uint32_t)us_random_hash(&table->stack->random, &key, sizeof(key));
}

static bool port_taken(struct us_tcp_table *table, const struct us_dst *dst,
		       uint16_t local_port, uint16_t remote_port)
{
	return us_tcp_lookup(table, &dst->local, local_port, &dst->remote,
			     remote_port) ||
	       us_tcp_wait_lookup(table, &dst->local, local_port, &dst->remote,
				  remote_port) ||
	       us_tcp_listener_lookup(table, &dst->local, local_port);
}

/**
 * us_tcp_port_choose() - picks or checks the local port of an active open
 * @table: its table.
 * @dst: both addresses.
 * @remote_port: network byte order.
 * @local_port: network byte order; 0: chosen (RFC 6056, algorithm 3).
 *
 * Return: 0, -EADDRNOTAVAIL if that port is taken, or all are.
 */
int us_tcp_port_choose(struct us_tcp_table *table, const struct us_dst *dst,
		       uint16_t remote_port, uint16_t *local_port)
{
	uint32_t start, i;

	if (*local_port) {
		if (us_tcp_lookup(table, &dst->local, *local_port, &dst->remote,
				  remote_port) ||
		    us_tcp_wait_lookup(table, &dst->local, *local_port,
				       &dst->remote, remote_port))
			return -EADDRNOTAVAIL;
		return 0;
	}
	start = port_hash(table, dst, remote_port) + table->port_offset;
	for (i = 0; i < PORT_COUNT; i++) {
		uint16_t port = htons((uint16_t)(PORT_FIRST +
						 (start + i) % PORT_COUNT));

		if (port_taken(table, dst, port, remote_port))
			continue;
		/* RFC 6056's next_ephemeral++, by a small random step. */
		table->port_offset += i + 1 +
			us_random_below(&table->stack->random, 8);
		*local_port = port;
		return 0;
	}
	return -EADDRNOTAVAIL;
}

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
	return us_min32(us_max32(value, min), max);
}

static uint32_t sum(uint64_t a, uint64_t b, uint64_t c)
{
	return a + b + c < UINT32_MAX ? (uint32_t)(a + b + c) : UINT32_MAX;
}

static uint32_t listeners_for(uint32_t connections)
{
	return clamp(connections / 4, LISTENERS_MIN, LISTENERS_MAX);
}

static int create_pools(struct us_tcp_table *t, uint32_t n, uint32_t waits)
{
	uint32_t half = us_max32(n / 4, HALF_MIN), orphans = us_max32(n, ORPHANS_MIN);
	uint32_t blocks = clamp(n * BLOCKS_EACH, BLOCKS_MIN, BLOCKS_MAX);
	uint32_t sents = us_min32(n < SENTS_MAX / SENTS_EACH ?
				  us_max32(n * SENTS_EACH, 16384) : SENTS_MAX,
				  SENTS_MAX);
	int err;

	t->share[US_TCP_SHARE_USER].most = n;
	t->share[US_TCP_SHARE_HALF].most = half;
	t->share[US_TCP_SHARE_ORPHAN].most = orphans;
	err = us_pool_create(&t->conns, sizeof(struct us_tcp), sum(n, half, orphans));
	err = err ? : us_pool_create(&t->actives, sizeof(struct us_tcp_active),
				   sum(n, orphans, 0));
	err = err ? : us_pool_create(&t->sents, sizeof(struct us_tcp_sent), sents);
	err = err ? : us_pool_create(&t->blocks, US_TCP_BLOCK, blocks);
	err = err ? : us_pool_create(&t->wait_pool, sizeof(struct us_tcp_wait), waits);
	err = err ? : us_pool_create(&t->binds, sizeof(struct us_tcp_bind),
				   sum(n, orphans, waits + 64));
	return err ? : us_pool_create(&t->listener_pool,
				      sizeof(struct us_tcp_listener),
				      listeners_for(n));
}

static void destroy(struct us_tcp_table *table)
{
	us_pool_destroy(&table->conns);
	us_pool_destroy(&table->actives);
	us_pool_destroy(&table->sents);
	us_pool_destroy(&table->blocks);
	us_pool_destroy(&table->wait_pool);
	us_pool_destroy(&table->binds);
	us_pool_destroy(&table->listener_pool);
	free(table->hash);
	free(table->wait_hash);
	free(table->listen_hash);
	free(table->listen_ports);
	free(table->shared);
	free(table);
}

static void init(struct us_tcp_table *table, struct us_stack *stack,
		 const struct us_tcp_user *user)
{
	unsigned int i;

	table->stack = stack;
	table->user = user;
	for (i = 0; i < 4; i++) {
		table->key[i] = (uint64_t)us_random32(&stack->random) << 32;
		table->key[i] |= us_random32(&stack->random) | 1;
	}
	table->port_offset = us_random32(&stack->random);
	table->offer = US_TCP_TS | US_TCP_SACK | US_TCP_WSCALE;
	table->cookie_at = US_NEVER;
	CDS_INIT_LIST_HEAD(&table->flush);
	CDS_INIT_LIST_HEAD(&table->held);
	CDS_INIT_LIST_HEAD(&table->mem_wait);
	CDS_INIT_LIST_HEAD(&table->waits);
	us_timer_init(&table->wait_timer, us_tcp_wait_expire);
}

static uint32_t waits_for(uint32_t connections)
{
	return us_max32(connections < UINT32_MAX / 4 ? 4 * connections : connections,
			WAITS_MIN);
}

static int create_listen_tables(struct us_tcp_table *table, uint32_t listeners)
{
	uint32_t n = us_buckets_for(listeners, BUCKETS_MAX);

	table->listen_mask = n - 1;
	table->listen_hash = calloc(n, sizeof(*table->listen_hash));
	table->listen_ports = calloc(n, sizeof(*table->listen_ports));
	table->shared = calloc(n, sizeof(*table->shared));
	return table->listen_hash && table->listen_ports && table->shared ? 0 : -ENOMEM;
}

static int create_tables(struct us_tcp_table *table, uint32_t connections,
			 uint32_t waits)
{
	table->mask = us_buckets_for(connections, BUCKETS_MAX) - 1;
	table->wait_mask = us_buckets_for(waits, BUCKETS_MAX) - 1;
	table->hash = calloc((size_t)table->mask + 1, sizeof(*table->hash));
	table->wait_hash = calloc((size_t)table->wait_mask + 1,
				  sizeof(*table->wait_hash));
	if (!table->hash || !table->wait_hash ||
	    create_listen_tables(table, listeners_for(connections)))
		return -ENOMEM;
	return create_pools(table, connections, waits);
}

/**
 * us_tcp_table_create() - makes a stack's TCP
 * @stack: gets it; its net layer exists.
 * @max_connections: those that users have; everything else follows from it.
 * @max_waits: records of TIME-WAIT; 0: as many as suit @max_connections.
 * @user: the socket layer; must stay.
 *
 * Takes all memory that TCP will ever use, but touches little of it.
 * Return: 0, -ENOMEM.
 */
int us_tcp_table_create(struct us_stack *stack, unsigned int max_connections,
			unsigned int max_waits, const struct us_tcp_user *user)
{
	static const struct us_protocol ops = {
		.input = us_tcp_input,
		.error = us_tcp_icmp,
	};
	struct us_tcp_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	max_connections = us_max32(max_connections, 1);
	if (create_tables(table, max_connections,
			  max_waits ? max_waits : waits_for(max_connections))) {
		destroy(table);
		return -ENOMEM;
	}
	init(table, stack, user);
	stack->tcp = table;
	us_net_register(stack, IPPROTO_TCP, &ops);
	return 0;
}

static void abort_all(struct us_tcp_table *table)
{
	uint32_t i;

	for (i = 0; i <= table->mask; i++) {
		while (table->hash[i]) {
			struct us_tcp *tcp = table->hash[i];

			tcp->flags |= US_TCP_ORPHAN;
			us_tcp_send_reset(tcp);
			us_tcp_done(tcp, 0);
		}
	}
	us_tcp_reap(table);
}

/**
 * us_tcp_table_destroy() - ends a stack's TCP
 * @stack: its connections are reset; its links are still open.
 */
void us_tcp_table_destroy(struct us_stack *stack)
{
	struct us_tcp_table *table = stack->tcp;
	struct us_tcp_active *a, *more;
	struct us_tcp_wait *wait, *next;
	uint32_t i;

	if (!table)
		return;
	for (i = 0; i <= table->listen_mask; i++)
		while (table->listen_hash[i])
			us_tcp_unlisten(table->listen_hash[i]);
	abort_all(table);
	cds_list_for_each_entry_safe(wait, next, &table->waits, node)
		us_tcp_wait_drop(table, wait);
	us_timer_cancel(&stack->wheel, &table->wait_timer);
	cds_list_for_each_entry_safe(a, more, &table->held, held)
		us_tcp_rcvq_free(a->owner);
	stack->tcp = NULL;
	destroy(table);
}
