// SPDX-License-Identifier: MIT
/*
 * Passive open.  A connection in SYN-RECEIVED is a connection block without its
 * active part, in its listener's SYN queue; the ACK that completes the
 * handshake moves it to the accept queue.  When the queue is full, the SYN is
 * answered with a cookie instead (tcp_cookie.c).
 */
#include "transport/tcp_parts.h"

#define SYN_QUEUE_MIN	128u
#define BACKLOG_MAX	65535u
#define DEFER_MAX	120	/* seconds: as US_TCP_RTO_MAX */

static const struct us_addr any_address;

static struct us_tcp_listener **bucket(struct us_tcp_table *table,
				       const struct us_addr *local, uint16_t port)
{
	return &table->listen_hash[us_tcp_hash(table, local, port, &any_address, 0) &
				   table->listen_mask];
}

static uint8_t family_of(const struct us_addr *addr)
{
	return us_addr_is_v4(addr) ? AF_INET : AF_INET6;
}

static struct us_tcp_listener *find(struct us_tcp_table *table, uint8_t family,
				    const struct us_addr *local, uint16_t port)
{
	struct us_tcp_listener *l = *bucket(table, local, port);

	while (l && !(l->port == port && us_families_meet(l->family, family) &&
		      us_addr_equal(&l->local, local)))
		l = l->next;
	return l;
}

/**
 * us_tcp_listener_lookup() - who listens there?
 * @table: to search.
 * @local: address.
 * @port: network byte order.
 *
 * Return: the listener on this address, else the one on any address of its
 * family, else NULL.
 */
struct us_tcp_listener *us_tcp_listener_lookup(struct us_tcp_table *table,
					       const struct us_addr *local,
					       uint16_t port)
{
	uint8_t family = family_of(local);

	return find(table, family, local, port) ? : find(table, family, &any_address, port);
}

static struct cds_hlist_head *port_bucket(const struct us_tcp_table *table, uint16_t port)
{
	return &table->listen_ports[ntohs(port) & table->listen_mask];
}

/* Who wants the port at any address has to ask for all that listen there. */
static bool anyone_at(const struct us_tcp_table *table, uint8_t family, uint16_t port)
{
	const struct us_tcp_listener *l;

	cds_hlist_for_each_entry_2(l, port_bucket(table, port), at_port)
		if (l->port == port && us_families_meet(l->family, family))
			return true;
	return false;
}

static bool is_taken(struct us_tcp_table *table, uint8_t family,
		     const struct us_addr *local, uint16_t port)
{
	return us_addr_is_any(local) ? anyone_at(table, family, port) :
	       find(table, family, local, port) || find(table, family, &any_address, port);
}

/* Where no kernel owns the ports, any free one will do. */
static int choose_port(struct us_tcp_table *table, uint8_t family,
		       const struct us_addr *local, uint16_t *port)
{
	unsigned int i;

	if (*port)
		return is_taken(table, family, local, *port) ? -EADDRINUSE : 0;
	for (i = 0; i < 1000; i++) {
		*port = htons((uint16_t)(32768 +
			      us_random_below(&table->stack->random, 28232)));
		if (!is_taken(table, family, local, *port))
			return 0;
	}
	*port = 0;
	return -EADDRINUSE;
}

static void unbind_all(struct us_tcp_listener *l)
{
	while (l->nr_bind)
		us_tcp_bind_put(l->table, l->bind[--l->nr_bind]);
}

static bool is_on(const struct us_link *link, const struct us_tcp_listener *l)
{
	return link->ops->bind && l->nr_bind + 2 <= US_TCP_LISTEN_FLOWS;
}

static int bind_family(struct us_tcp_listener *l, struct us_link *link, uint8_t family)
{
	struct us_flow flow = {
		.protocol = IPPROTO_TCP,
		.family = family,
		.paired = !l->family,
		.listen_peer = l->listen_peer,
		.local = l->local,
		.local_port = l->port,
	};
	int err = us_tcp_bind_flow(l->table, link, &flow, &l->bind[l->nr_bind]);

	if (err)
		return err;
	l->nr_bind++;
	l->port = flow.local_port;
	return 0;
}

/* One that hears both families hears both on a link, or none. */
static int bind_link(struct us_tcp_listener *l, struct us_link *link)
{
	uint16_t wish = l->port;
	int err = bind_family(l, link, l->family ? l->family : AF_INET6);

	if (err || l->family)
		return err;
	err = bind_family(l, link, AF_INET);
	if (err) {
		us_tcp_bind_put(l->table, l->bind[--l->nr_bind]);
		l->port = wish;
	}
	return err;
}

/* Binds the port on every link that has bind; fails if none of those takes it. */
static int bind_all(struct us_tcp_listener *l)
{
	struct us_link *link;
	bool asked = false;
	int err, last = 0;

	cds_list_for_each_entry(link, &l->table->stack->links, node) {
		if (!is_on(link, l))
			continue;
		asked = true;
		err = bind_link(l, link);
		if (err)
			last = err;
	}
	return asked && !l->nr_bind ? last : 0;
}

static void insert(struct us_tcp_listener *l)
{
	struct us_tcp_listener **head = bucket(l->table, &l->local, l->port);

	l->next = *head;
	*head = l;
	cds_hlist_add_head(&l->at_port, port_bucket(l->table, l->port));
}

static bool kernel_owns_ports(const struct us_stack *stack)
{
	const struct us_link *link;

	cds_list_for_each_entry(link, &stack->links, node)
		if (link->flags & US_LINK_KERNEL_IP)
			return true;
	return false;
}

/**
 * us_tcp_listen() - listens
 * @stack: the stack.
 * @family: AF_INET, AF_INET6, or AF_UNSPEC: both, with any @local.
 * @local: address; all zero: any of the family.
 * @port: network byte order; 0: chosen and put back.
 * @backlog: connections that wait to be accepted, and one more, as in Linux.
 * @listen_peer: one peer at a time.
 * @options: for the connections.
 * @user: given to us_tcp_user.accept().
 * @listener: the listener.
 *
 * Return: 0, -EADDRINUSE, -ENOBUFS, or what the links' bind gave.
 */
int us_tcp_listen(struct us_stack *stack, uint8_t family,
		  const struct us_addr *local, uint16_t *port,
		  unsigned int backlog, bool listen_peer,
		  const struct us_tcp_options *options, void *user,
		  struct us_tcp_listener **listener)
{
	struct us_tcp_table *table = stack->tcp;
	struct us_tcp_listener *l;
	int err = 0;

	if (*port || !kernel_owns_ports(stack))
		err = choose_port(table, family, local, port);
	if (err)
		return err;
	l = us_pool_get(&table->listener_pool);
	if (!l)
		return -ENOBUFS;
	memset(l, 0, sizeof(*l));
	CDS_INIT_LIST_HEAD(&l->syns);
	l->table = table;
	l->local = *local;
	l->port = *port;
	l->family = family;
	l->listen_peer = listen_peer;
	l->options = *options;
	l->user = user;
	us_tcp_set_backlog(l, backlog);
	err = bind_all(l);
	if (err) {
		us_pool_put(&table->listener_pool, l);
		return err;
	}
	*port = l->port;
	insert(l);
	*listener = l;
	return 0;
}

/**
 * us_tcp_listen_options() - changes what connections inherit
 * @listener: those that came before keep what they have.
 * @options: copied.
 */
void us_tcp_listen_options(struct us_tcp_listener *listener,
			   const struct us_tcp_options *options)
{
	listener->options = *options;
}

static void abort_unaccepted(struct us_tcp_listener *l)
{
	struct us_tcp *tcp;

	while ((tcp = us_tcp_accept(l)))
		us_tcp_abort(tcp);
	while (!cds_list_empty(&l->syns)) {
		tcp = cds_list_first_entry(&l->syns, struct us_tcp, out);
		us_tcp_abort(tcp);
	}
}

/**
 * us_tcp_set_backlog() - listen(2), once more
 * @listener: the listener.
 * @backlog: as us_tcp_listen() takes it; who waits already stays.
 */
void us_tcp_set_backlog(struct us_tcp_listener *listener, unsigned int backlog)
{
	listener->backlog = us_min32(backlog, BACKLOG_MAX);
}

/**
 * us_tcp_unlisten() - listens no more
 * @listener: freed; connections that were not accepted are reset.
 */
void us_tcp_unlisten(struct us_tcp_listener *listener)
{
	struct us_tcp_table *table = listener->table;
	struct us_tcp_listener **at;

	at = bucket(table, &listener->local, listener->port);
	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	cds_hlist_del(&listener->at_port);
	abort_unaccepted(listener);
	if (listener->peer)
		listener->peer->listener = NULL;
	unbind_all(listener);
	us_pool_put(&table->listener_pool, listener);
}

static struct us_tcp_bind *bind_on(struct us_tcp_listener *l, const struct us_dst *dst)
{
	uint32_t i;

	for (i = 0; i < l->nr_bind; i++) {
		if (l->bind[i]->link == dst->link && l->bind[i]->family == dst->family) {
			us_tcp_bind_get(l->bind[i]);
			return l->bind[i];
		}
	}
	return NULL;
}

/* Tells the link that the one peer is ours, or that it is not any more.  Gives
 * what the link says: it may have given the port to somebody else by now.
 */
static int latch(struct us_tcp *tcp, bool confirm)
{
	struct us_link *link = tcp->dst.link;

	if (!tcp->bind || tcp->bind->link != link || !link->ops->latch)
		return 0;
	return link->ops->latch(link, tcp->bind->id, &tcp->dst.remote,
				tcp->remote_port, confirm);
}

static bool accepts_more(struct us_tcp_listener *l)
{
	if (l->nr_accept <= l->backlog)
		return true;
	us_count(l->table->stack, tcp_accept_full);
	return false;
}

/* Is the table of half-open connections full, or this port's part of it? */
static bool syns_full(const struct us_tcp_listener *l)
{
	const struct us_tcp_table *table = l->table;

	return table->share[US_TCP_SHARE_HALF].used >=
	       table->share[US_TCP_SHARE_HALF].most ||
	       l->nr_syn >= us_max32(l->backlog, SYN_QUEUE_MIN);
}

static struct us_dst way_back(const struct us_tcp_segment *seg)
{
	return (struct us_dst){ .local = *seg->dst, .remote = *seg->src };
}

static void take_syn(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		     uint32_t iss)
{
	us_tcp_offer(tcp, iss);
	us_tcp_negotiate(tcp, seg);
	tcp->rcv_nxt = seg->seq + 1;
	tcp->rcv_adv = tcp->rcv_nxt;	/* no window until it was told */
	tcp->last_ack_sent = tcp->rcv_nxt;
	tcp->snd_wl1 = seg->seq;
	tcp->snd_wnd = seg->window;
	tcp->max_snd_wnd = seg->window;
}

/* A connection in SYN-RECEIVED, in the listener's queue; or NULL (counted). */
static struct us_tcp *make(struct us_tcp_listener *l, const struct us_tcp_segment *seg,
			   uint32_t iss, enum us_tcp_share share)
{
	struct us_dst dst = way_back(seg);
	struct us_tcp *tcp;

	if (us_dst_resolve(l->table->stack, &dst))
		return NULL;
	tcp = us_tcp_alloc(l->table, &dst, seg->dest, seg->source, &l->options, share);
	if (!tcp)
		return NULL;
	tcp->flags |= US_TCP_PASSIVE;
	tcp->listener = l;
	tcp->bind = bind_on(l, &dst);
	if (tcp->bind)
		tcp->dst.flow = tcp->bind->id;
	take_syn(tcp, seg, iss);
	us_tcp_enter(tcp, TCP_SYN_RECV);
	us_tcp_insert(tcp);
	cds_list_add_tail(&tcp->out, &l->syns);
	l->nr_syn++;
	if (l->listen_peer)
		l->peer = tcp;
	us_count(l->table->stack, tcp_passive_open);
	return tcp;
}

/* That connections of @l tell. */
static uint8_t wscale(const struct us_tcp_listener *l)
{
	return us_tcp_wscale_of(us_tcp_rcvbuf_most(&l->options));
}

/* A SYN-ACK of which nothing is remembered: a block that lives for this segment. */
static void send_cookie(struct us_tcp_listener *l, const struct us_tcp_segment *seg)
{
	struct us_tcp_table *table = l->table;
	struct us_dst dst = way_back(seg);
	struct us_tcp tcp;

	if (us_dst_answer(table->stack, &dst, seg->pkt))
		return;
	us_tcp_init(&tcp, table, &dst, seg->dest, seg->source, &l->options);
	tcp.state = TCP_SYN_RECV;
	take_syn(&tcp, seg, us_tcp_cookie_make(table, seg, wscale(l)));
	us_count(table->stack, tcp_cookie_sent);
	if (seg->len)
		us_count(table->stack, tcp_syn_text);
	us_tcp_send_syn(&tcp);
}

/* The queue is full.  A number beyond those of TIME-WAIT is no cookie; where there is none,
 * the peer's SYN comes again.
 */
static void syn_overflows(struct us_tcp_listener *l, const struct us_tcp_segment *seg,
			  uint32_t iss)
{
	struct us_stack *stack = l->table->stack;

	if (iss)
		us_count(stack, tcp_syn_dropped_wait);
	else if (l->listen_peer)
		us_count(stack, tcp_syn_dropped_peer);
	else if (!us_tcp_cookie_fits(seg))
		us_count(stack, tcp_syn_dropped);
	else
		send_cookie(l, seg);
}

static void syn_arrives(struct us_tcp_listener *l, struct us_tcp_segment *seg,
			uint32_t iss)
{
	struct us_tcp *tcp;

	if (!accepts_more(l))
		return;
	if (syns_full(l)) {
		syn_overflows(l, seg, iss);
		return;
	}
	if (!iss)
		iss = us_tcp_isn(l->table, seg->dst, seg->dest, seg->src, seg->source);
	tcp = make(l, seg, iss, US_TCP_SHARE_HALF);
	if (!tcp)
		return;
	us_tcp_ecn_syn(tcp, seg);
	us_tcp_fastopen_syn(tcp, seg);
	if (seg->len && !(tcp->flags & US_TCP_SYN_DATA))
		us_count(l->table->stack, tcp_syn_text);
	us_tcp_send_syn(tcp);
	us_tcp_timer_set(tcp, US_TCP_TIMER_REXMT, us_tcp_rto(tcp));
}

/* When the SYN-ACK that @seg answers was sent, as far as that can be known. */
static uint32_t sent_at(const struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	const struct us_stack *stack = tcp->table->stack;
	uint32_t ticks = us_tcp_tick(stack) + tcp->ts_offset - seg->ts_ecr;

	if (!(tcp->flags & US_TCP_TS) || !seg->ts_ecr || ticks > US_TCP_OOW_TICKS * 20)
		return 0;
	return us_tcp_usec(stack) - (us_max32(ticks, 1) << (US_TCP_TICK_SHIFT -
							    US_TCP_USEC_SHIFT));
}

/* An ACK of no connection: does it bring a cookie back?  Then the connection is made
 * as if its SYN had been remembered; false if not.
 */
static bool cookie_arrives(struct us_tcp_listener *l, struct us_tcp_segment *seg)
{
	struct us_tcp_table *table = l->table;
	struct us_tcp_segment syn;
	struct us_tcp *tcp;

	if ((seg->flags & US_TCP_SYN) || l->listen_peer || !us_tcp_cookie_is_due(table)) {
		us_count(table->stack, tcp_listen_ack);
		return false;
	}
	if (!us_tcp_cookie_check(table, seg, wscale(l), &syn))
		return false;
	if (!accepts_more(l))
		return true;
	tcp = make(l, &syn, seg->ack - 1, US_TCP_SHARE_USER);
	if (!tcp)
		return true;
	us_count(table->stack, tcp_cookie_accepted);
	us_tcp_syn_window(tcp);
	tcp->syn_xmit = sent_at(tcp, seg);
	us_tcp_input_checks(tcp, seg);
	if (tcp->state == TCP_SYN_RECV)
		us_tcp_done(tcp, 0);
	return true;
}

/**
 * us_tcp_listen_input() - a segment for a listening port, RFC 9293 3.10.7.2
 * @listener: the port.
 * @seg: of no connection.
 * @iss: initial sequence number to use, 0: make one.
 */
void us_tcp_listen_input(struct us_tcp_listener *listener,
			 struct us_tcp_segment *seg, uint32_t iss)
{
	struct us_stack *stack = listener->table->stack;

	if (seg->flags & US_TCP_RST) {
		us_count(stack, tcp_listen_rst);
		return;
	}
	if (seg->flags & US_TCP_ACK) {
		if (!cookie_arrives(listener, seg))
			us_tcp_refuse(stack, seg);
		return;
	}
	if (!(seg->flags & US_TCP_SYN)) {
		us_count(stack, tcp_listen_no_syn);
		return;
	}
	if (seg->flags & US_TCP_FIN) {
		us_count(stack, tcp_listen_syn_fin);
		return;
	}
	if (listener->listen_peer && listener->peer) {
		us_count(stack, tcp_peer_busy);
		us_tcp_refuse(stack, seg);
		return;
	}
	syn_arrives(listener, seg, iss);
}

static void leave_syn_queue(struct us_tcp *tcp)
{
	cds_list_del_init(&tcp->out);
	tcp->listener->nr_syn--;
}

/* The time in which so many timeouts are, in seconds: 1, 2, 4... */
static int seconds(unsigned int timeouts)
{
	int sum = 0, next = 1;

	for (; timeouts; timeouts--) {
		sum += next;
		next = next < DEFER_MAX / 2 ? 2 * next : DEFER_MAX;
	}
	return sum;
}

/**
 * us_tcp_defer_timeouts() - TCP_DEFER_ACCEPT, as it is kept
 * @seconds_: as the user says it.
 *
 * Return: timeouts of a SYN-ACK until they are over.
 */
uint8_t us_tcp_defer_timeouts(int seconds_)
{
	uint8_t timeouts = 0;

	while (timeouts < UINT8_MAX && seconds(timeouts) < seconds_)
		timeouts++;
	return timeouts;
}

/**
 * us_tcp_defer_seconds() - TCP_DEFER_ACCEPT, as it is told
 * @timeouts: from us_tcp_defer_timeouts().
 *
 * Return: seconds.
 */
int us_tcp_defer_seconds(uint8_t timeouts)
{
	return seconds(timeouts);
}

/* A point-to-point peer has the port for three seconds only, if he is silent. */
static uint8_t deferral(const struct us_tcp *tcp)
{
	const struct us_tcp_listener *l = tcp->listener;

	return l && !l->listen_peer ? l->options.defer_accept : 0;
}

/**
 * us_tcp_listen_defers() - is an ACK not enough to complete a handshake? (TCP_DEFER_ACCEPT)
 * @tcp: passive, in SYN-RECEIVED.
 * @seg: its ACK is that of our SYN.
 *
 * As Linux: that of a cookie, which cannot be had again, is.
 */
bool us_tcp_listen_defers(struct us_tcp *tcp, const struct us_tcp_segment *seg)
{
	if (us_likely(tcp->retries >= deferral(tcp)) || tcp->share != US_TCP_SHARE_HALF ||
	    seg->len || (seg->flags & US_TCP_FIN))
		return false;
	us_tcp_note_ts(tcp, seg);
	us_count(tcp->table->stack, tcp_accept_deferred);
	tcp->flags |= US_TCP_DEFERRED;
	return true;
}

/**
 * us_tcp_listen_is_quiet() - does a SYN-ACK that timed out wait for data, and is not repeated?
 * @tcp: in SYN-SENT or SYN-RECEIVED.
 *
 * The last time it is: its ACK will be enough.
 */
bool us_tcp_listen_is_quiet(const struct us_tcp *tcp)
{
	return (tcp->flags & US_TCP_DEFERRED) && tcp->retries + 1 < deferral(tcp);
}

/**
 * us_tcp_listen_may_wait() - may it do so for longer than a handshake may take?
 * @tcp: in SYN-SENT or SYN-RECEIVED.
 */
bool us_tcp_listen_may_wait(const struct us_tcp *tcp)
{
	return (tcp->flags & US_TCP_DEFERRED) && tcp->retries < deferral(tcp);
}

/**
 * us_tcp_listen_promote() - the handshake of a passive open is complete
 * @tcp: moves to the accept queue.
 *
 * Return: false if that is full: the ACK is ignored, as Linux does; the peer's
 * data or our SYN-ACK come again.  Or if the link let go of a point-to-point
 * peer: then the connection is reset.
 */
bool us_tcp_listen_promote(struct us_tcp *tcp)
{
	struct us_tcp_listener *l = tcp->listener;

	if (!accepts_more(l))
		return false;
	if (!us_tcp_move(tcp, US_TCP_SHARE_USER)) {
		us_count(tcp->table->stack, tcp_no_memory);
		return false;
	}
	if (l->listen_peer && latch(tcp, true)) {
		us_count(tcp->table->stack, tcp_peer_refused);
		us_tcp_send_reset(tcp);
		us_tcp_done(tcp, 0);
		return false;
	}
	leave_syn_queue(tcp);
	tcp->flags |= US_TCP_UNACCEPTED;
	tcp->accept_next = NULL;
	if (l->accept_last)
		l->accept_last->accept_next = tcp;
	else
		l->accept_first = tcp;
	l->accept_last = tcp;
	l->nr_accept++;
	if (l->options.ack_later)
		us_tcp_set_quickack(tcp, 0);
	return true;
}

/**
 * us_tcp_listen_tell() - a connection waits for us_tcp_accept()
 * @listener: whose user is told.
 */
void us_tcp_listen_tell(struct us_tcp_listener *listener)
{
	const struct us_tcp_user *user = listener->table->user;

	if (user->accept)
		user->accept(listener, listener->user);
}

/**
 * us_tcp_accept() - takes a connection from the accept queue
 * @listener: the listener.
 *
 * Return: the connection, the oldest, maybe CLOSED by now; NULL if there is none.
 */
struct us_tcp *us_tcp_accept(struct us_tcp_listener *listener)
{
	struct us_tcp *tcp = listener->accept_first;

	if (!tcp)
		return NULL;
	listener->accept_first = tcp->accept_next;
	if (!listener->accept_first)
		listener->accept_last = NULL;
	listener->nr_accept--;
	tcp->flags &= ~US_TCP_UNACCEPTED;
	tcp->user = NULL;
	if (listener->peer != tcp)
		tcp->listener = NULL;
	return tcp;
}

/**
 * us_tcp_listen_forget() - a connection ends: its listener is told
 * @tcp: about to be CLOSED; may have no listener.
 */
void us_tcp_listen_forget(struct us_tcp *tcp)
{
	struct us_tcp_listener *l = tcp->listener;

	if (!l)
		return;
	if (tcp->state == TCP_SYN_RECV && !us_tcp_opened_early(tcp)) {
		leave_syn_queue(tcp);
		tcp->flags |= US_TCP_ORPHAN;	/* nobody has heard of it */
	}
	if (l->peer == tcp) {
		l->peer = NULL;
		latch(tcp, false);
	}
	if (!(tcp->flags & US_TCP_UNACCEPTED))
		tcp->listener = NULL;
}
