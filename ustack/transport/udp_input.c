// SPDX-License-Identifier: MIT
/* UDP: datagrams in. */
#include "core/copy.h"
#include "transport/udp_parts.h"

static struct us_udp *better(struct us_udp *a, struct us_udp *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->connected != b->connected)
		return a->connected ? a : b;
	return us_addr_is_any(&a->bound) ? b : a;
}

/* Is it one of those that it was bound to?  An address tells the family, too. */
static bool is_at(const struct us_udp *udp, const struct us_addr *local)
{
	return us_addr_equal(&udp->bound, local) ||
	       (us_addr_is_any(&udp->bound) &&
		((udp->family == AF_INET) == us_addr_is_v4(local) || !udp->family));
}

static bool hears(const struct us_udp *udp, const struct us_addr *local,
		  uint16_t local_port, const struct us_addr *remote,
		  uint16_t remote_port)
{
	if (udp->local_port != local_port || !is_at(udp, local))
		return false;
	if (!udp->connected)
		return true;
	/* As in Linux, connect(2) to port 0 is to an address. */
	return (udp->remote_port == remote_port || !udp->remote_port) &&
	       us_addr_equal(&udp->remote, remote);
}

/**
 * us_udp_lookup() - who hears a packet?
 * @table: the ports.
 * @local: its destination.
 * @local_port: network byte order.
 * @remote: its source.
 * @remote_port: network byte order.
 *
 * A connected port before others, one on this address before one on any.
 * Return: NULL: nobody.
 */
struct us_udp *us_udp_lookup(struct us_udp_table *table,
			     const struct us_addr *local, uint16_t local_port,
			     const struct us_addr *remote, uint16_t remote_port)
{
	struct us_udp *udp, *best = NULL;

	for (udp = *us_udp_bucket(table, local_port); udp; udp = udp->next)
		if (hears(udp, local, local_port, remote, remote_port))
			best = better(udp, best);
	return best;
}

static void let_go(struct us_udp_dgram *dgram)
{
	if (!dgram->pkt)
		return;
	cds_list_del(&dgram->held);
	us_pkt_put(dgram->pkt);
	dgram->pkt = NULL;
	dgram->udp->nr_held--;
}

/* What a datagram takes from rcvbuf, wherever its bytes are. */
static uint32_t cost(uint32_t len)
{
	uint32_t chunk = US_CHUNK_MIN;

	if (len <= US_UDP_SMALL)
		return US_UDP_RECORD;
	while (chunk < len)
		chunk *= 2;
	return chunk + US_UDP_RECORD;
}

/* Ports share records and chunks. The last quarter is for those that have little, so that
 * one that nobody reads does not make all others deaf.
 */
static bool may_take(const struct us_udp *udp, size_t left, size_t all)
{
	return udp->queued < US_UDP_LITTLE || left > all / 4;
}

/**
 * us_udp_dgram_free() - takes a datagram out of the queue
 * @udp: its port.
 * @dgram: freed with all it holds.
 */
void us_udp_dgram_free(struct us_udp *udp, struct us_udp_dgram *dgram)
{
	let_go(dgram);
	if (dgram->chunk)
		us_chunk_put(dgram->chunk);
	cds_list_del(&dgram->node);
	if (udp->lent == dgram)
		udp->lent = NULL;
	udp->queued -= cost(dgram->len);
	us_pool_put(&udp->stack->udp->dgrams, dgram);
}

static void lose(struct us_udp *udp)
{
	udp->lost++;
	us_count(udp->stack, udp_buffer_full);
}

/* All of @len bytes in one piece, or nothing. */
static struct us_chunk *alloc(const struct us_udp *udp, uint32_t len)
{
	struct us_txmem *mem = udp->stack->udp->mem;
	struct us_chunk *chunk = NULL;

	if (may_take(udp, us_txmem_free_bytes(mem), us_txmem_size(mem)))
		chunk = us_chunk_alloc(mem, len);
	if (chunk && chunk->size < len) {
		us_chunk_put(chunk);
		return NULL;
	}
	return chunk;
}

/* Copies the payload out of a link's memory; false if there is no room for it. */
static bool copy(struct us_udp_dgram *dgram, const uint8_t *data)
{
	uint8_t *to = dgram->small;

	if (dgram->len > US_UDP_SMALL) {
		dgram->chunk = alloc(dgram->udp, dgram->len);
		if (!dgram->chunk)
			return false;
		to = dgram->chunk->data;
	}
	us_copy_short(to, data, dgram->len);
	dgram->data = to;
	return true;
}

static bool under_pressure(const struct us_stack *stack, const struct us_link *link)
{
	return stack->pkts.used >= stack->pkts.count / 2 ||
	       us_link_pressure(link);
}

/**
 * us_udp_copy_out() - gives the packets that are held back to their links
 * @stack: the stack; called under pressure.
 *
 * What cannot be copied is dropped: a link may need its packets back in order,
 * and then one port that nobody reads would stop all others, and TCP.  What the user
 * reads in place stays.
 */
void us_udp_copy_out(struct us_stack *stack)
{
	struct us_udp_dgram *dgram, *next;

	cds_list_for_each_entry_safe(dgram, next, &stack->udp->held, held) {
		if (us_udp_is_lent(dgram))
			continue;
		if (copy(dgram, dgram->data)) {
			let_go(dgram);
		} else {
			lose(dgram->udp);
			us_udp_dgram_free(dgram->udp, dgram);
		}
	}
}

/* Keeps the payload where it is, or copies it; false if there is no room. */
static bool keep(struct us_udp *udp, struct us_udp_dgram *dgram,
		 struct us_pkt *pkt, const uint8_t *data)
{
	if (dgram->len <= US_UDP_SMALL || udp->nr_held >= US_UDP_HELD ||
	    under_pressure(udp->stack, pkt->link))
		return copy(dgram, data);
	dgram->pkt = us_pkt_get(pkt);
	dgram->data = data;
	udp->nr_held++;
	cds_list_add_tail(&dgram->held, &udp->stack->udp->held);
	return true;
}

static struct us_udp_dgram *dgram_get(struct us_udp *udp, uint32_t len)
{
	struct us_pool *dgrams = &udp->stack->udp->dgrams;
	struct us_udp_dgram *dgram;

	if (udp->queued + cost(len) > udp->rcvbuf ||
	    !may_take(udp, dgrams->count - dgrams->used, dgrams->count))
		return NULL;
	dgram = us_pool_get(dgrams);
	if (!dgram)
		return NULL;
	dgram->udp = udp;
	dgram->pkt = NULL;
	dgram->chunk = NULL;
	dgram->len = len;
	dgram->at = 0;
	return dgram;
}

/**
 * us_udp_dgram_new() - keeps a copy of some bytes; the caller queues it
 * @udp: counts it.
 * @data: bytes.
 * @len: of @data.
 *
 * Return: NULL: there is no room.
 */
struct us_udp_dgram *us_udp_dgram_new(struct us_udp *udp, const uint8_t *data, uint32_t len)
{
	struct us_udp_dgram *dgram = dgram_get(udp, len);

	if (!dgram)
		return NULL;
	if (!copy(dgram, data)) {
		us_pool_put(&udp->stack->udp->dgrams, dgram);
		return NULL;
	}
	dgram->each = UINT32_MAX;
	udp->queued += cost(len);
	return dgram;
}

/* How much of a train is within rcvbuf: whole datagrams, from the first one on. */
static uint32_t fitting(struct us_udp *udp, uint32_t len, uint32_t each)
{
	while (len > each && udp->queued + cost(len) > udp->rcvbuf) {
		len -= len % each ? len % each : each;
		lose(udp);
	}
	return len;
}

/* Links that do not stamp what comes leave it to who wants to know. */
static us_ns arrival(const struct us_udp *udp, const struct us_pkt *pkt)
{
	return pkt->tstamp || !udp->times ? (us_ns)pkt->tstamp : us_stack_real_time(udp->stack);
}

/* A datagram, or a train of them (GRO), which us_udp_recv() cuts where they were. */
static void queue(struct us_udp *udp, struct us_pkt *pkt, const struct us_addr *src,
		  const struct us_addr *dst, uint16_t port)
{
	bool train = pkt->gso == US_GSO_UDP && pkt->gso_size;
	uint32_t each = train ? pkt->gso_size : UINT32_MAX;
	uint32_t len = fitting(udp, pkt->len - US_UDP_LEN, each);
	struct us_udp_dgram *dgram = dgram_get(udp, len);

	if (!dgram || !keep(udp, dgram, pkt, pkt->data + US_UDP_LEN)) {
		if (dgram)
			us_pool_put(&udp->stack->udp->dgrams, dgram);
		lose(udp);
		return;
	}
	dgram->each = each;
	dgram->port = port;
	dgram->remote = *src;
	dgram->told = (struct us_udp_told){
		*dst, arrival(udp, pkt), pkt->info ? pkt->info : pkt->link->ifindex, udp->lost,
		us_pkt_tos(pkt), us_pkt_ttl(pkt),
	};
	cds_list_add_tail(&dgram->node, &udp->queue);
	udp->queued += cost(len);
}

/* Checks lengths and checksum; data and len are left as they are. */
static bool is_valid(struct us_stack *stack, struct us_pkt *pkt,
		     const struct us_addr *src, const struct us_addr *dst)
{
	const struct us_udp_hdr *h = (const void *)pkt->data;
	uint32_t len;

	if (pkt->len < US_UDP_LEN) {
		us_count(stack, udp_bad_header);
		return false;
	}
	len = pkt->gso == US_GSO_UDP ? pkt->len : us_get16(h->len);
	if (len < US_UDP_LEN || len > pkt->len) {
		us_count(stack, udp_bad_header);
		return false;
	}
	if (len < pkt->len && pkt->csum_state == US_CSUM_COMPLETE)
		pkt->csum_state = US_CSUM_NONE;	/* that sum was over more */
	pkt->len = len;
	if (us_raw16(h->csum) == 0 && us_addr_is_v4(src))
		return true;			/* RFC 768; not so in RFC 8200 8.1 */
	if (us_raw16(h->csum) == 0 || !us_csum_input(pkt, src, dst, IPPROTO_UDP)) {
		us_count(stack, udp_bad_csum);
		return false;
	}
	return true;
}

static void input(struct us_stack *stack, struct us_pkt *pkt,
		  const struct us_addr *src, const struct us_addr *dst)
{
	const struct us_udp_hdr *h = (const void *)pkt->data;
	uint16_t port;
	struct us_udp *udp;

	us_count(stack, udp_in);
	if (!is_valid(stack, pkt, src, dst))
		return;
	port = us_raw16(h->src);
	udp = us_udp_lookup(stack->udp, dst, us_raw16(h->dst), src, port);
	if (!udp) {
		us_count(stack, udp_no_port);
		us_icmp_port_unreachable(stack, pkt);
		return;
	}
	if (udp->listen_peer && !udp->connected && us_udp_peer(udp, src, port))
		return;
	queue(udp, pkt, src, dst, port);
	us_udp_notify(udp);
}

/**
 * us_udp_input() - takes a datagram from the network layer
 * @stack: the stack.
 * @pkt: data is the UDP header; consumed.
 * @src: address, checked.
 * @dst: address, one of ours.
 */
void us_udp_input(struct us_stack *stack, struct us_pkt *pkt,
		  const struct us_addr *src, const struct us_addr *dst)
{
	input(stack, pkt, src, dst);
	us_pkt_put(pkt);
}

/**
 * us_udp_recv() - takes a message
 * @udp: the port.
 * @data: the payload goes there; what does not fit is lost.
 * @len: of @data.
 * @peek: leave the message.
 * @from: told about it; may be NULL.
 *
 * Return: bytes of the whole message, -EAGAIN, or the pending error.
 */
ssize_t us_udp_recv(struct us_udp *udp, void *data, size_t len, bool peek,
		    struct us_udp_in *from)
{
	struct us_udp_dgram *dgram;
	uint32_t whole;

	if (udp->error)
		return -us_udp_error(udp);
	if (cds_list_empty(&udp->queue))
		return -EAGAIN;
	dgram = cds_list_first_entry(&udp->queue, struct us_udp_dgram, node);
	whole = us_udp_next_message(udp, dgram);
	if (len > whole)
		len = whole;
	if (len)
		memcpy(data, dgram->data + dgram->at, len);
	if (from)
		*from = (struct us_udp_in){
			.remote = dgram->remote, .port = dgram->port,
			.segment = whole > dgram->each ? (uint16_t)dgram->each : 0,
			.told = dgram->told,
		};
	if (!peek)
		us_udp_take(udp, dgram, whole);
	return whole;
}

/**
 * us_udp_waiting() - FIONREAD
 * @udp: the port.
 *
 * Return: bytes of the next message; 0 if it is empty, or there is none.
 */
uint32_t us_udp_waiting(const struct us_udp *udp)
{
	if (cds_list_empty((struct cds_list_head *)&udp->queue))
		return 0;
	return us_udp_next_message(udp, us_container(udp->queue.next, struct us_udp_dgram, node));
}

/**
 * us_udp_recv_behind() - the short way of a datagram with others before and behind it
 * @udp: the port.
 * @data: the payload goes there.
 * @len: of @data.
 * @from: told about it; may be NULL.
 *
 * Return: bytes of the datagram; -EAGAIN: us_udp_recv() it.
 */
ssize_t us_udp_recv_behind(struct us_udp *udp, void *data, size_t len,
			   struct us_udp_in *from)
{
	struct us_udp_dgram *dgram;
	uint32_t each;

	if (udp->error || udp->gro || udp->tells || cds_list_empty(&udp->queue))
		return -EAGAIN;
	dgram = cds_list_first_entry(&udp->queue, struct us_udp_dgram, node);
	each = dgram->each;
	if (each > len || each >= dgram->len - dgram->at)
		return -EAGAIN;
	memcpy(data, dgram->data + dgram->at, each);
	dgram->at += each;
	if (from) {
		from->remote = dgram->remote;
		from->port = dgram->port;
		from->segment = 0;
	}
	return each;
}
