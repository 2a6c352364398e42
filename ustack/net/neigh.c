// SPDX-License-Identifier: MIT
/*
 * The neighbours of Ethernet links: one cache for ARP and ND.  An entry that
 * nobody confirmed for a while is used on, and asked for again meanwhile (RFC 1122
 * 2.3.2.1, RFC 4861 7.3).
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>

#include "net/priv.h"

#define RETRY		US_SEC
#define TRIES		3u
#define FRESH		(30 * US_SEC)	/* RFC 4861 10: REACHABLE_TIME */

/* us_neigh.state */
enum state {
	INCOMPLETE,	/* no MAC yet */
	KNOWN,
	PROBING,	/* a MAC, asked whether it still is so */
};

/**
 * struct us_neigh_pending - a packet that waits for a MAC
 * @node: in us_neigh.queue.
 * @tx: all but head.
 * @data: its inline part.
 */
struct us_neigh_pending {
	struct cds_list_head node;
	struct us_tx tx;
	uint8_t data[US_NEIGH_UNIT];
};

/**
 * struct us_neigh - one neighbour
 * @node: in us_neighbors.slot.
 * @order: in us_neighbors.asked while INCOMPLETE, else in us_neighbors.known.
 * @timer: asks again.
 * @link: on which it lives.
 * @addr: its address.
 * @queue: of struct us_neigh_pending; only while INCOMPLETE.
 * @waiting: units of what is in @queue.
 * @confirmed: when it last answered.
 * @mac: its MAC address.
 * @state: enum state.
 * @tries: questions sent since @state is not KNOWN.
 */
struct us_neigh {
	struct cds_list_head node;
	struct cds_list_head order;
	struct us_timer timer;
	struct us_link *link;
	struct us_addr addr;
	struct cds_list_head queue;
	unsigned int waiting;
	us_ns confirmed;
	uint8_t mac[US_ETH_ADDR];
	uint8_t state;
	uint8_t tries;
};

/**
 * us_neigh_create() - makes the cache
 * @stack: with its network layer.
 *
 * Return: 0 or -ENOMEM.
 */
int us_neigh_create(struct us_stack *stack)
{
	struct us_neighbors *table = &stack->net->neigh;
	unsigned int i;
	int err;

	CDS_INIT_LIST_HEAD(&table->asked);
	CDS_INIT_LIST_HEAD(&table->known);
	for (i = 0; i < US_NEIGH_SLOTS; i++)
		CDS_INIT_LIST_HEAD(&table->slot[i]);
	table->key = us_random_hash(&stack->random, "neigh", 5) | 1;
	err = us_pool_create(&table->entries, sizeof(struct us_neigh),
			     US_NEIGHBORS);
	if (!err)
		err = us_pool_create(&table->pending,
				     sizeof(struct us_neigh_pending),
				     US_NEIGH_WAITING + 1);
	return err;
}

/* Ethernet links are few, and their neighbours' addresses differ. */
static struct cds_list_head *slot_of(struct us_neighbors *table,
				     const struct us_addr *addr)
{
	uint64_t mix = (addr->q[0] * 31 ^ addr->q[1]) * table->key;

	return &table->slot[mix >> 32 & (US_NEIGH_SLOTS - 1)];
}

static struct us_neigh *find(struct us_neighbors *table,
			     const struct us_link *link,
			     const struct us_addr *addr)
{
	struct us_neigh *neigh;

	cds_list_for_each_entry(neigh, slot_of(table, addr), node)
		if (neigh->link == link && us_addr_equal(&neigh->addr, addr))
			return neigh;
	return NULL;
}

static void put_pending(struct us_neighbors *table, struct us_neigh_pending *pending)
{
	uint32_t i;

	for (i = 0; i < pending->tx.nr_frags; i++)
		us_chunk_put(pending->tx.frag[i].chunk);
	us_pool_put(&table->pending, pending);
}

static_assert(1 + US_TX_FRAGS * US_CHUNK_MAX / US_NEIGH_UNIT <= US_NEIGH_QUEUE,
	      "any packet may wait");

/* What a packet takes that waits: its inline part a whole one, its payload what it has. */
static unsigned int units_of(const struct us_tx *tx)
{
	uint32_t i, len = us_max32(tx->inline_len, US_NEIGH_UNIT);

	for (i = 0; i < tx->nr_frags; i++)
		len += tx->frag[i].len;
	return (len + US_NEIGH_UNIT - 1) / US_NEIGH_UNIT;
}

static void count_waiting(struct us_neighbors *table, struct us_neigh *neigh, unsigned int units)
{
	neigh->waiting += units;
	table->waiting += units;
}

static struct us_neigh_pending *dequeue(struct us_neighbors *table, struct us_neigh *neigh)
{
	struct us_neigh_pending *pending =
		us_container(neigh->queue.next, struct us_neigh_pending, node);

	cds_list_del(&pending->node);
	count_waiting(table, neigh, -units_of(&pending->tx));
	return pending;
}

static void drop_oldest(struct us_stack *stack, struct us_neigh *neigh)
{
	us_count(stack, ip_neigh_queue_full);
	put_pending(&stack->net->neigh, dequeue(&stack->net->neigh, neigh));
}

static void forget(struct us_stack *stack, struct us_neigh *neigh)
{
	struct us_neighbors *table = &stack->net->neigh;

	us_timer_cancel(&stack->wheel, &neigh->timer);
	while (neigh->waiting)
		put_pending(table, dequeue(table, neigh));
	cds_list_del(&neigh->node);
	cds_list_del(&neigh->order);
	if (neigh->state == INCOMPLETE)
		table->nr_asked--;
	us_pool_put(&table->entries, neigh);
}

static struct us_neigh *first(struct cds_list_head *list)
{
	return us_container(list->next, struct us_neigh, order);
}

/**
 * us_neigh_destroy() - ends the cache
 * @stack: the stack.
 */
void us_neigh_destroy(struct us_stack *stack)
{
	struct us_neighbors *table = &stack->net->neigh;

	while (!cds_list_empty(&table->asked))
		forget(stack, first(&table->asked));
	while (!cds_list_empty(&table->known))
		forget(stack, first(&table->known));
	us_pool_destroy(&table->entries);
	us_pool_destroy(&table->pending);
}

static void solicit(struct us_neigh *neigh)
{
	const uint8_t *mac = neigh->state == INCOMPLETE ? NULL : neigh->mac;
	struct us_stack *stack = neigh->link->stack;

	neigh->tries++;
	us_timer_arm(&stack->wheel, &neigh->timer, stack->now + RETRY);
	if (us_addr_is_v4(&neigh->addr))
		us_arp_solicit(stack, neigh->link, &neigh->addr, mac);
	else
		us_nd_solicit(stack, neigh->link, &neigh->addr, mac);
}

/* Nobody answers: what waited is reported as a router would (RFC 1122 2.3.2.2,
 * RFC 4861 7.2.2).
 */
static void fail(struct us_stack *stack, struct us_neigh *neigh)
{
	struct us_neighbors *table = &stack->net->neigh;

	us_count(stack, ip_neigh_failed);
	while (neigh->waiting) {
		struct us_neigh_pending *pending = dequeue(table, neigh);

		us_icmp_unreachable(stack, pending->data + pending->tx.l3,
				    pending->tx.inline_len - pending->tx.l3);
		put_pending(table, pending);
	}
	forget(stack, neigh);
}

static void expired(struct us_timer *timer, us_ns now)
{
	struct us_neigh *neigh = us_container(timer, struct us_neigh, timer);

	(void)now;
	if (neigh->tries < TRIES)
		solicit(neigh);
	else
		fail(neigh->link->stack, neigh);
}

static bool is_fresh(const struct us_stack *stack, const struct us_neigh *neigh)
{
	return stack->now - neigh->confirmed <= FRESH;
}

/* Whoever is in use is fresh, but for the moment in which he is asked again. */
static struct us_neigh *least_wanted(struct us_stack *stack)
{
	struct us_neighbors *table = &stack->net->neigh;
	struct us_neigh *neigh;

	cds_list_for_each_entry(neigh, &table->known, order)
		if (!is_fresh(stack, neigh))
			return neigh;
	return first(&table->known);
}

/* Strangers can have this stack ask for as many as they make up, and claim to be as many: so
 * those that are asked for are few, and take no place but one another's; of the others,
 * those who never answered go first.
 */
static void make_room(struct us_stack *stack)
{
	struct us_neighbors *table = &stack->net->neigh;

	if (table->nr_asked == US_NEIGH_ASKED) {
		while (first(&table->asked)->waiting)
			drop_oldest(stack, first(&table->asked));
		forget(stack, first(&table->asked));
	} else if (table->entries.used == table->entries.count) {
		forget(stack, least_wanted(stack));
	}
}

static struct us_neigh *create(struct us_stack *stack, struct us_link *link,
			       const struct us_addr *addr)
{
	struct us_neighbors *table = &stack->net->neigh;
	struct us_neigh *neigh;

	make_room(stack);
	neigh = us_pool_get(&table->entries);
	memset(neigh, 0, sizeof(*neigh));
	neigh->link = link;
	neigh->addr = *addr;
	neigh->state = INCOMPLETE;
	CDS_INIT_LIST_HEAD(&neigh->queue);
	us_timer_init(&neigh->timer, expired);
	cds_list_add(&neigh->node, slot_of(table, addr));
	cds_list_add_tail(&neigh->order, &table->asked);
	table->nr_asked++;
	return neigh;
}

static struct us_neigh *most_waiting(struct us_neighbors *table)
{
	struct us_neigh *most = first(&table->asked), *neigh;

	cds_list_for_each_entry(neigh, &table->asked, order)
		if (neigh->waiting > most->waiting)
			most = neigh;
	return most;
}

/* A neighbour's own oldest packets make room, as in Linux.  When all that may wait does, it
 * is the oldest of the neighbour that has the most, with what it has just got: eight units of
 * each are then safe from the others, so however many are asked for at once, the first packet
 * to each waits.
 */
static void trim(struct us_stack *stack, struct us_neigh *neigh)
{
	struct us_neighbors *table = &stack->net->neigh;

	while (neigh->waiting > US_NEIGH_QUEUE)
		drop_oldest(stack, neigh);
	while (table->waiting > US_NEIGH_WAITING)
		drop_oldest(stack, most_waiting(table));
}

/* The end of a long inline part (of a jumbo frame) goes where payload is. */
static bool spill(const struct us_neigh *neigh, struct us_tx *tx)
{
	uint32_t len = tx->inline_len - US_NEIGH_UNIT;
	struct us_chunk *chunk = us_chunk_alloc(neigh->link->mem, len);

	if (!chunk)
		return false;
	tx->frag[tx->nr_frags++] = (struct us_frag){ chunk, 0, len };
	tx->inline_len = US_NEIGH_UNIT;
	if (chunk->size < len)
		return false;
	memcpy(chunk->data, tx->head + US_NEIGH_UNIT, len);
	return true;
}

/* Puts a packet where it can wait: headers by copy, payload by reference. */
static bool copy(const struct us_neigh *neigh, struct us_neigh_pending *pending,
		 const struct us_tx *tx)
{
	uint32_t i;

	pending->tx = *tx;
	for (i = 0; i < tx->nr_frags; i++)
		us_chunk_get(tx->frag[i].chunk);
	if (tx->inline_len > US_NEIGH_UNIT && (tx->nr_frags || !spill(neigh, &pending->tx)))
		return false;
	memcpy(pending->data, tx->head, pending->tx.inline_len);
	return true;
}

static void enqueue(struct us_stack *stack, struct us_neigh *neigh,
		    const struct us_tx *tx)
{
	struct us_neighbors *table = &stack->net->neigh;
	struct us_neigh_pending *pending = us_pool_get(&table->pending);

	if (!copy(neigh, pending, tx)) {
		us_count(stack, ip_neigh_queue_full);
		put_pending(table, pending);
		return;
	}
	cds_list_add_tail(&pending->node, &neigh->queue);
	count_waiting(table, neigh, units_of(tx));
	trim(stack, neigh);
}

static void send_frame(struct us_neigh *neigh, struct us_tx *tx)
{
	us_eth_write(neigh->link, tx, neigh->mac, us_addr_is_v4(&neigh->addr) ?
		     US_ETHERTYPE_IPV4 : US_ETHERTYPE_IPV6);
	neigh->link->ops->submit(neigh->link, tx);
}

/* Sends what waited.  An Ethernet link has room for a whole frame in its slots. */
static void drain(struct us_stack *stack, struct us_neigh *neigh)
{
	struct us_neighbors *table = &stack->net->neigh;
	struct us_link *link = neigh->link;

	while (neigh->waiting) {
		struct us_neigh_pending *pending = dequeue(table, neigh);
		struct us_tx *tx = link->ops->reserve(link, 0);

		if (tx && tx->inline_cap >= pending->tx.inline_len) {
			tx->l3 = pending->tx.l3;
			tx->l4 = pending->tx.l4;
			tx->flow = pending->tx.flow;
			tx->gso = pending->tx.gso;
			tx->gso_size = pending->tx.gso_size;
			tx->csum_offload = pending->tx.csum_offload;
			tx->csum_offset = pending->tx.csum_offset;
			tx->inline_len = pending->tx.inline_len;
			tx->nr_frags = pending->tx.nr_frags;
			memcpy(tx->frag, pending->tx.frag, sizeof(tx->frag));
			memcpy(tx->head, pending->data, tx->inline_len);
			send_frame(neigh, tx);
		} else {
			us_count(stack, ip_link_full);
		}
		put_pending(table, pending);
	}
}

/**
 * us_neigh_output() - sends a packet to the neighbour dst->next_hop
 * @stack: the stack.
 * @dst: where to.
 * @tx: complete but for the Ethernet header.
 */
us_noinline void us_neigh_output(struct us_stack *stack, const struct us_dst *dst,
				 struct us_tx *tx)
{
	struct us_neigh *neigh = find(&stack->net->neigh, dst->link,
				      &dst->next_hop);

	if (us_likely(neigh && neigh->state != INCOMPLETE)) {
		bool stale = neigh->state == KNOWN && !is_fresh(stack, neigh);

		send_frame(neigh, tx);
		if (us_unlikely(stale)) {
			neigh->state = PROBING;
			neigh->tries = 0;
			solicit(neigh);
		}
		return;
	}
	if (!neigh)
		neigh = create(stack, dst->link, &dst->next_hop);
	enqueue(stack, neigh, tx);
	if (!us_timer_armed(&neigh->timer))
		solicit(neigh);
}

/**
 * us_neigh_doubt() - the neighbour may be another one by now
 * @stack: the stack.
 * @dst: its next_hop, on an Ethernet link, is asked for with the next packet.
 */
void us_neigh_doubt(struct us_stack *stack, const struct us_dst *dst)
{
	struct us_neigh *neigh = find(&stack->net->neigh, dst->link, &dst->next_hop);

	if (neigh && neigh->state == KNOWN)
		neigh->confirmed = stack->now - FRESH - 1;
}

/* Of those with a MAC, which it may have had before. */
static void become_last(struct us_stack *stack, struct us_neigh *neigh)
{
	struct us_neighbors *table = &stack->net->neigh;

	cds_list_del(&neigh->order);
	cds_list_add_tail(&neigh->order, &table->known);
	if (neigh->state == INCOMPLETE)
		table->nr_asked--;
}

/**
 * us_neigh_update() - learns what a message says about a neighbour
 * @stack: the stack.
 * @link: on which it came.
 * @addr: whose MAC it is.
 * @mac: of one station.
 * @flags: US_NEIGH_*.
 */
void us_neigh_update(struct us_stack *stack, struct us_link *link,
		     const struct us_addr *addr, const uint8_t mac[6],
		     unsigned int flags)
{
	struct us_neigh *neigh = find(&stack->net->neigh, link, addr);
	bool differs;

	if (!neigh && flags & US_NEIGH_CREATE)
		neigh = create(stack, link, addr);
	if (!neigh)
		return;
	differs = neigh->state != INCOMPLETE &&
		  memcmp(neigh->mac, mac, US_ETH_ADDR);
	if (differs && !(flags & US_NEIGH_OVERRIDE))
		return;
	memcpy(neigh->mac, mac, US_ETH_ADDR);
	if (neigh->state == INCOMPLETE || flags & US_NEIGH_CONFIRM)
		become_last(stack, neigh);
	/* Unconfirmed, it is used, and asked for as soon as it is. */
	if (flags & US_NEIGH_CONFIRM)
		neigh->confirmed = stack->now;
	else if (differs || neigh->state == INCOMPLETE)
		neigh->confirmed = stack->now - FRESH - 1;
	if (neigh->state != PROBING || flags & US_NEIGH_CONFIRM) {
		us_timer_cancel(&stack->wheel, &neigh->timer);
		neigh->state = KNOWN;
		neigh->tries = 0;
	}
	drain(stack, neigh);
}

/**
 * us_neigh_confirm() - a neighbour answers, and does not say its MAC
 * @stack: the stack.
 * @link: on which it answered.
 * @addr: its address; what is known of it holds on.
 */
void us_neigh_confirm(struct us_stack *stack, const struct us_link *link,
		      const struct us_addr *addr)
{
	struct us_neigh *neigh = find(&stack->net->neigh, link, addr);
	uint8_t mac[US_ETH_ADDR];

	if (!neigh || neigh->state == INCOMPLETE)
		return;
	memcpy(mac, neigh->mac, US_ETH_ADDR);
	us_neigh_update(stack, neigh->link, addr, mac, US_NEIGH_CONFIRM);
}
