// SPDX-License-Identifier: MIT
/* UDP: ports. */
#include <poll.h>
#include <stdlib.h>

#include "transport/udp_parts.h"

#define PORT_FIRST	32768u
#define PORT_COUNT	28232u
#define PORTS		65536u
#define RCVBUF_DEFAULT	212992u
#define RCVBUF_MIN	(US_CHUNK_MIN + US_UDP_RECORD)	/* one of a whole frame */
#define COPY_MEMORY	(4u << 20)	/* bytes for datagrams copied out */
#define DGRAMS_EACH	8u
#define DGRAMS_MIN	4096u
#define DGRAMS_MAX	32768u

/**
 * us_udp_bucket() - the chain of a local port
 * @table: the table.
 * @port: network byte order.
 */
struct us_udp **us_udp_bucket(struct us_udp_table *table, uint16_t port)
{
	return &table->bucket[ntohs(port) & table->mask];
}

/**
 * us_udp_notify() - the readiness of a port may have changed
 * @udp: the port.
 */
void us_udp_notify(struct us_udp *udp)
{
	const struct us_udp_user *user = udp->stack->udp->user;

	if (user->event)
		user->event(udp, udp->user);
}

static int create_pools(struct us_udp_table *table, unsigned int max_ports)
{
	uint32_t dgrams = max_ports < DGRAMS_MAX / DGRAMS_EACH ?
			  max_ports * DGRAMS_EACH : DGRAMS_MAX;
	int err;

	if (dgrams < DGRAMS_MIN)
		dgrams = DGRAMS_MIN;
	err = us_pool_create(&table->ports, sizeof(struct us_udp),
			     max_ports ? max_ports : 1);
	err = err ? : us_pool_create(&table->dgrams, sizeof(struct us_udp_dgram),
				     dgrams);
	return err ? : us_txmem_create(&table->mem, NULL, COPY_MEMORY);
}

static int create_buckets(struct us_udp_table *table, unsigned int max_ports)
{
	uint32_t buckets = us_buckets_for(max_ports, PORTS);

	table->bucket = calloc(buckets, sizeof(*table->bucket));
	table->mask = buckets - 1;
	return table->bucket ? 0 : -ENOMEM;
}

static void destroy(struct us_udp_table *table)
{
	free(table->bucket);
	us_txmem_destroy(table->mem);
	us_pool_destroy(&table->dgrams);
	us_pool_destroy(&table->ports);
	free(table);
}

/**
 * us_udp_table_create() - makes a stack's UDP
 * @stack: gets it; its net layer exists.
 * @max_ports: ports that can be bound at once.
 * @user: the socket layer; must stay.
 *
 * Return: 0, -ENOMEM.
 */
int us_udp_table_create(struct us_stack *stack, unsigned int max_ports,
			const struct us_udp_user *user)
{
	static const struct us_protocol ops = {
		.input = us_udp_input,
		.error = us_udp_icmp,
	};
	struct us_udp_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->user = user;
	CDS_INIT_LIST_HEAD(&table->held);
	CDS_INIT_LIST_HEAD(&table->waiting);
	CDS_INIT_LIST_HEAD(&table->trains);
	if (create_buckets(table, max_ports) || create_pools(table, max_ports)) {
		destroy(table);
		return -ENOMEM;
	}
	stack->udp = table;
	us_net_register(stack, IPPROTO_UDP, &ops);
	return 0;
}

/**
 * us_udp_table_destroy() - ends a stack's UDP
 * @stack: its ports are closed; its links are still open.
 */
void us_udp_table_destroy(struct us_stack *stack)
{
	struct us_udp_table *table = stack->udp;
	uint32_t i;

	if (!table)
		return;
	for (i = 0; i <= table->mask; i++)
		while (table->bucket[i])
			us_udp_close(table->bucket[i]);
	stack->udp = NULL;
	destroy(table);
}

static bool is_taken(struct us_udp_table *table, uint8_t family,
		     const struct us_addr *local, uint16_t port)
{
	const struct us_udp *u;

	for (u = *us_udp_bucket(table, port); u; u = u->next)
		if (u->local_port == port && us_families_meet(u->family, family) &&
		    (us_addr_is_any(local) || us_addr_is_any(&u->bound) ||
		     us_addr_equal(local, &u->bound)))
			return true;
	return false;
}

static bool kernel_owns_ports(const struct us_stack *stack)
{
	const struct us_link *link;

	cds_list_for_each_entry(link, &stack->links, node)
		if (link->flags & US_LINK_KERNEL_IP)
			return true;
	return false;
}

/* A port of 0 is chosen at random (RFC 6056 3.3.1), unless a link's kernel does it. */
static int choose_port(struct us_stack *stack, uint8_t family,
		       const struct us_addr *local, uint16_t *port)
{
	uint32_t first, i;

	if (*port)
		return is_taken(stack->udp, family, local, *port) ? -EADDRINUSE : 0;
	if (kernel_owns_ports(stack))
		return 0;
	first = us_random_below(&stack->random, PORT_COUNT);
	for (i = 0; i < PORT_COUNT; i++) {
		*port = htons((uint16_t)(PORT_FIRST + (first + i) % PORT_COUNT));
		if (!is_taken(stack->udp, family, local, *port))
			return 0;
	}
	*port = 0;
	return -EADDRINUSE;
}

static void unbind_last(struct us_udp *udp)
{
	const struct us_udp_bind *b = &udp->bind[--udp->nr_bind];

	if (b->link->ops->unbind)
		b->link->ops->unbind(b->link, b->id);
}

static int bind_family(struct us_udp *udp, struct us_link *link, uint8_t family)
{
	struct us_udp_bind *bind = &udp->bind[udp->nr_bind];
	struct us_flow flow = {
		.protocol = IPPROTO_UDP,
		.family = family,
		.paired = !udp->family,
		.listen_peer = udp->listen_peer,
		.local = udp->bound,
		.local_port = udp->local_port,
	};
	int err = link->ops->bind(link, &flow, &bind->id);

	if (err)
		return err;
	bind->link = link;
	bind->family = family;
	udp->nr_bind++;
	udp->local_port = flow.local_port;
	return 0;
}

/* One that hears both families hears both on a link, or none. */
static int bind_link(struct us_udp *udp, struct us_link *link)
{
	uint16_t wish = udp->local_port;
	int err = bind_family(udp, link, udp->family ? udp->family : AF_INET6);

	if (err || udp->family)
		return err;
	err = bind_family(udp, link, AF_INET);
	if (err) {
		unbind_last(udp);
		udp->local_port = wish;
	}
	return err;
}

/* On every link that binds; an error only if none of those takes it. */
static int bind_flows(struct us_udp *udp)
{
	struct us_link *link;
	bool asked = false;
	int err, last = 0;

	cds_list_for_each_entry(link, &udp->stack->links, node) {
		if (!link->ops->bind || udp->nr_bind + 2 > US_UDP_FLOWS)
			continue;
		asked = true;
		err = bind_link(udp, link);
		if (err)
			last = err;
	}
	return asked && !udp->nr_bind ? last : 0;
}

static struct us_udp *make(struct us_stack *stack, uint8_t family,
			   const struct us_addr *local, uint16_t port,
			   bool listen_peer, void *user)
{
	struct us_udp *udp = us_pool_get(&stack->udp->ports);

	if (!udp)
		return NULL;
	memset(udp, 0, sizeof(*udp));
	CDS_INIT_LIST_HEAD(&udp->queue);
	CDS_INIT_LIST_HEAD(&udp->errors);
	CDS_INIT_LIST_HEAD(&udp->waiting);
	CDS_INIT_LIST_HEAD(&udp->train.node);
	udp->stack = stack;
	udp->user = user;
	udp->bound = *local;
	udp->local_port = port;
	udp->family = family;
	udp->listen_peer = listen_peer;
	udp->rcvbuf = RCVBUF_DEFAULT;
	return udp;
}

/**
 * us_udp_bind() - takes a port
 * @stack: the stack.
 * @family: AF_INET, AF_INET6, or AF_UNSPEC: both, with any @local.
 * @local: address; all zero: any of the family.
 * @port: network byte order; 0: chosen and put back.
 * @listen_peer: the first datagram connects the port to its sender.
 * @user: given to us_udp_user.event().
 * @udp: the port, until us_udp_close().
 *
 * Return: 0, -EADDRINUSE, -ENOBUFS, or what the links' bind gave.
 */
int us_udp_bind(struct us_stack *stack, uint8_t family,
		const struct us_addr *local, uint16_t *port, bool listen_peer,
		void *user, struct us_udp **udp)
{
	int err = choose_port(stack, family, local, port);
	struct us_udp *u, **bucket;

	if (err)
		return err;
	u = make(stack, family, local, *port, listen_peer, user);
	if (!u)
		return -ENOBUFS;
	err = bind_flows(u);
	if (err) {
		us_pool_put(&stack->udp->ports, u);
		return err;
	}
	*port = u->local_port;
	bucket = us_udp_bucket(stack->udp, u->local_port);
	u->next = *bucket;
	*bucket = u;
	*udp = u;
	return 0;
}

/* The link's latch follows the one peer of listen_peer. */
static void latch(struct us_udp *udp, bool confirm)
{
	uint32_t i;

	for (i = 0; i < udp->nr_bind; i++) {
		const struct us_udp_bind *b = &udp->bind[i];

		if (b->link == udp->dst.link && b->family == udp->dst.family &&
		    b->link->ops->latch)
			b->link->ops->latch(b->link, b->id, &udp->remote,
					    udp->remote_port, confirm);
	}
}

static void unlatch(struct us_udp *udp)
{
	if (udp->latched)
		latch(udp, false);
	udp->latched = false;
}

/**
 * us_udp_close() - gives a port back
 * @udp: with everything it received.
 */
void us_udp_close(struct us_udp *udp)
{
	struct us_udp_table *table = udp->stack->udp;
	struct us_udp_dgram *dgram, *next;
	struct us_udp **at;

	for (at = us_udp_bucket(table, udp->local_port); *at != udp; at = &(*at)->next)
		;
	*at = udp->next;
	us_udp_end_loans(udp);
	us_udp_train_end(udp);
	cds_list_for_each_entry_safe(dgram, next, &udp->queue, node)
		us_udp_dgram_free(udp, dgram);
	us_udp_forget_errors(udp);
	cds_list_del_init(&udp->waiting);
	unlatch(udp);
	while (udp->nr_bind)
		unbind_last(udp);
	us_pool_put(&table->ports, udp);
}

/* As Linux: of IPv6, from an address of IPv4, its own or that which leads to its peer. */
static bool is_out_of_reach(const struct us_udp *udp, const struct us_addr *remote)
{
	if (us_addr_is_v4(remote) || us_addr_is_any(remote))
		return false;
	return udp->family == AF_INET || (udp->connected && us_addr_is_v4(&udp->remote));
}

/* The way to a destination, which leaves that of the port as it is. */
static int resolve_from(const struct us_udp *udp, const struct us_addr *local,
			const struct us_addr *remote, struct us_dst *dst)
{
	const struct us_ip_options *ip = us_udp_ip(udp, remote);
	uint32_t i;
	int err;

	*dst = (struct us_dst){
		.local = *local, .remote = *remote, .ttl = ip->ttl, .tos = ip->tos,
	};
	err = is_out_of_reach(udp, remote) ? -EAFNOSUPPORT : us_dst_resolve(udp->stack, dst);
	if (!err)
		us_udp_mtu_limit(udp, dst);
	for (i = 0; !err && i < udp->nr_bind; i++)
		if (udp->bind[i].link == dst->link && udp->bind[i].family == dst->family)
			dst->flow = udp->bind[i].id;
	return err;
}

static int resolve(const struct us_udp *udp, const struct us_addr *remote,
		   struct us_dst *dst)
{
	return resolve_from(udp, &udp->bound, remote, dst);
}

/* Who waited for room in a link does not when the way is by another. */
static void leave_link(struct us_udp *udp)
{
	cds_list_del_init(&udp->waiting);
	us_udp_notify(udp);
}

static void use(struct us_udp *udp, const struct us_dst *dst)
{
	bool moves = udp->dst.link != dst->link;

	udp->train.each = 0;	/* nothing follows to another place */
	udp->dst = *dst;
	udp->routed = true;
	udp->special = false;
	udp->sourced = false;
	if (us_unlikely(moves && !cds_list_empty(&udp->waiting)))
		leave_link(udp);
}

/**
 * us_udp_route() - finds the way to a destination
 * @udp: the port, without a train.
 * @remote: address.
 *
 * Return: 0, -ENETUNREACH, -EADDRNOTAVAIL; then nothing has changed.
 */
int us_udp_route(struct us_udp *udp, const struct us_addr *remote)
{
	struct us_dst dst;
	int err = resolve(udp, remote, &dst);

	if (!err)
		use(udp, &dst);
	return err;
}

/* As Linux: which of two it is, a device that is not there, or one that leads elsewhere. */
static int check_device(const struct us_stack *stack, const struct us_dst *dst,
			uint32_t ifindex)
{
	const struct us_link *link;

	if (!ifindex || dst->link->ifindex == ifindex)
		return 0;
	cds_list_for_each_entry(link, &stack->links, node)
		if (link->ifindex == ifindex)
			return -ENETUNREACH;
	return -ENODEV;
}

/* A source that was asked for is one of ours, and of those that the port hears. */
static int resolve_as(const struct us_udp *udp, const struct us_addr *remote,
		      const struct us_udp_how *how, struct us_dst *dst)
{
	bool free = us_addr_is_any(&how->local);
	int err;

	if (!free && !us_addr_is_any(&udp->bound) && !us_addr_equal(&udp->bound, &how->local))
		return -EINVAL;
	err = resolve_from(udp, free ? &udp->bound : &how->local, remote, dst);
	if (err == -EADDRNOTAVAIL && !free)	/* as Linux has it of either */
		return us_addr_is_v4(remote) ? -ENETUNREACH : -EINVAL;
	return err ? err : check_device(udp->stack, dst, how->ifindex);
}

/* But for TOS and TTL. */
static bool is_known(const struct us_udp *udp, const struct us_addr *remote,
		     const struct us_udp_how *how)
{
	return udp->routed && us_addr_equal(remote, &udp->dst.remote) &&
	       (!how->ifindex || how->ifindex == udp->dst.link->ifindex) &&
	       (us_addr_is_any(&how->local) ? !udp->sourced :
					      us_addr_equal(&how->local, &udp->dst.local));
}

/**
 * us_udp_route_as() - finds the way of a message of which more is said
 * @udp: the port.
 * @remote: its destination.
 * @how: what is said; NULL: nothing, but that of the last one does not hold any more.
 *
 * What waits to leave for another way, or with another TOS or TTL, leaves before.
 * Return: 0; as us_udp_route(), -EAGAIN if what is to leave before has no room, -EINVAL (no
 * such source), -ENODEV.
 */
us_noinline int us_udp_route_as(struct us_udp *udp, const struct us_addr *remote,
				const struct us_udp_how *how)
{
	static const struct us_udp_how nothing;
	const struct us_udp_how *h = how ? how : &nothing;
	const struct us_ip_options *ip = us_udp_ip(udp, remote);
	uint8_t ttl = h->ttl ? h->ttl : ip->ttl;
	struct us_dst dst = udp->dst;
	int err = 0;

	us_stack_tick(udp->stack);
	if (!is_known(udp, remote, h))
		err = resolve_as(udp, remote, h, &dst);
	if (err)
		return err;
	dst.tos = h->has_tos ? h->tos : ip->tos;
	dst.ttl = ttl ? ttl : US_NET_TTL;
	if (!udp->routed || memcmp(&dst, &udp->dst, sizeof(dst))) {
		err = us_udp_train_flush(udp);
		if (err)
			return err;
		use(udp, &dst);
	}
	udp->special = how;
	udp->sourced = !us_addr_is_any(&h->local);
	return 0;
}

static int fix_peer(struct us_udp *udp, const struct us_addr *remote, uint16_t port)
{
	bool same = us_addr_equal(&udp->remote, remote) && udp->remote_port == port;
	struct us_dst dst;
	int err;

	us_udp_train_end(udp);
	err = resolve(udp, remote, &dst);
	if (err)
		return err;
	/* A listener that connects to the peer it has goes on serving it. */
	if (!same)
		unlatch(udp);
	use(udp, &dst);
	udp->remote = *remote;
	udp->remote_port = port;
	udp->connected = true;
	return 0;
}

/**
 * us_udp_connect() - fixes the peer
 * @udp: the port.
 * @remote: address.
 * @port: network byte order.
 *
 * Others' datagrams are not heard any more; ICMP errors of the peer are.
 * Return: 0, -ENETUNREACH, -EADDRNOTAVAIL; then the peer is who it was, as in Linux.
 */
int us_udp_connect(struct us_udp *udp, const struct us_addr *remote, uint16_t port)
{
	return us_dst_explain(udp->stack, remote, fix_peer(udp, remote, port));
}

/**
 * us_udp_disconnect() - lets the peer go
 * @udp: the port.
 */
void us_udp_disconnect(struct us_udp *udp)
{
	us_udp_train_end(udp);
	unlatch(udp);
	udp->connected = false;
	udp->routed = false;
}

/**
 * us_udp_peer() - point-to-point listen: the first sender becomes the peer
 * @udp: with listen_peer, not connected.
 * @remote: address.
 * @port: network byte order.
 *
 * No call of the user's failed if there is no way back: nothing is told in words.
 * Return: 0, or as us_udp_connect().
 */
int us_udp_peer(struct us_udp *udp, const struct us_addr *remote, uint16_t port)
{
	int err = fix_peer(udp, remote, port);

	if (err)
		return err;
	udp->latched = true;
	latch(udp, true);
	return 0;
}

/**
 * us_udp_set_rcvbuf() - bounds what is received and not yet read
 * @udp: the port.
 * @bytes: of memory: a record for each datagram, and a chunk for one that is not small.
 */
void us_udp_set_rcvbuf(struct us_udp *udp, uint32_t bytes)
{
	udp->rcvbuf = bytes < RCVBUF_MIN ? RCVBUF_MIN : bytes;
}

/**
 * us_udp_set_gro() - sets how trains are received (UDP_GRO)
 * @udp: the port.
 * @gro: whole; else datagram by datagram.
 */
void us_udp_set_gro(struct us_udp *udp, bool gro)
{
	udp->gro = gro;
}

/**
 * us_udp_set_ip() - sets what IP headers have
 * @udp: the port.
 * @ip: copied; IP_PMTUDISC_PROBE: what routers say of a path does not bound what is sent.
 *
 * What waits leaves before, if the link has room.
 */
void us_udp_set_ip(struct us_udp *udp, const struct us_ip_options ip[US_IP_VERSIONS])
{
	const struct us_ip_options *to = us_udp_ip(udp, &udp->dst.remote);

	if (!memcmp(udp->ip, ip, sizeof(udp->ip)))
		return;
	us_udp_train_flush(udp);
	for (int i = 0; i < US_IP_VERSIONS; i++)
		if (udp->ip[i].recverr && !ip[i].recverr)
			us_udp_forget_errors(udp);	/* as Linux: all of them */
	memcpy(udp->ip, ip, sizeof(udp->ip));
	if (!udp->routed)
		return;
	udp->dst.tos = to->tos;
	udp->dst.ttl = to->ttl ? to->ttl : US_NET_TTL;
	us_udp_mtu_limit(udp, &udp->dst);
}

/**
 * us_udp_set_tells() - sets whether more is told of what comes than its sender
 * @udp: the port.
 * @tells: us_udp_in.told.
 * @time: us_udp_told.time, too, of what comes from now on.
 */
void us_udp_set_tells(struct us_udp *udp, bool tells, bool time)
{
	udp->tells = tells;
	udp->times = time;
}

/**
 * us_udp_mtu() - IP_MTU
 * @udp: the port.
 *
 * Return: bytes of the largest IP packet to the peer, -ENOTCONN, or as us_udp_connect().
 */
int us_udp_mtu(struct us_udp *udp)
{
	struct us_dst dst;
	int err;

	if (!udp->connected)
		return -ENOTCONN;
	err = resolve(udp, &udp->remote, &dst);
	return err ? err : dst.mtu;
}

/**
 * us_udp_poll() - readiness
 * @udp: the port.
 *
 * Return: POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, POLLERR.
 */
short us_udp_poll(const struct us_udp *udp)
{
	int mask = 0;

	if (!cds_list_empty((struct cds_list_head *)&udp->queue))
		mask |= POLLIN | POLLRDNORM;
	if (cds_list_empty((struct cds_list_head *)&udp->waiting))
		mask |= POLLOUT | POLLWRNORM;
	if (udp->error || !cds_list_empty((struct cds_list_head *)&udp->errors))
		mask |= POLLERR;
	return (short)mask;
}

/* That of the route to the peer, whatever was sent elsewhere, or from elsewhere, meanwhile. */
static struct us_addr own_address(const struct us_udp *udp)
{
	struct us_dst dst;

	if (udp->routed && !udp->sourced && us_addr_equal(&udp->dst.remote, &udp->remote))
		return udp->connected ? udp->dst.local : udp->bound;
	return udp->connected && !resolve(udp, &udp->remote, &dst) ? dst.local : udp->bound;
}

/**
 * us_udp_names() - both ends
 * @udp: the port.
 * @local: address; of a port on any address: that of the route to the peer.
 * @local_port: network byte order.
 * @remote: address, all zero if not connected.
 * @remote_port: network byte order, alike.
 */
void us_udp_names(const struct us_udp *udp, struct us_addr *local,
		  uint16_t *local_port, struct us_addr *remote,
		  uint16_t *remote_port)
{
	*local = own_address(udp);
	*local_port = udp->local_port;
	memset(remote, 0, sizeof(*remote));
	*remote_port = 0;
	if (udp->connected) {
		*remote = udp->remote;
		*remote_port = udp->remote_port;
	}
}
