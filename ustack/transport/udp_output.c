// SPDX-License-Identifier: MIT
/* UDP: datagrams out. */
#include "transport/udp_parts.h"

#define UNKICKED_MAX	(64u << 10)	/* bytes that wait in the link */
#define PACKET_WEIGHT	1024u		/* of them for a small packet */

/**
 * us_udp_write_header() - writes the UDP header of a packet
 * @udp: the port that it leaves from.
 * @tx: reserved; its transport header is at l4.
 * @port: of the destination, network byte order.
 * @len: of the payload.
 */
void us_udp_write_header(const struct us_udp *udp, struct us_tx *tx, uint16_t port,
			 uint32_t len)
{
	struct us_udp_hdr *h = (void *)(tx->head + tx->l4);

	*h = (struct us_udp_hdr){
		.src = us_from_raw16(udp->local_port),
		.dst = us_from_raw16(port),
		.len = us_put16((uint16_t)(US_UDP_LEN + len)),
	};
	tx->inline_len = tx->l4 + US_UDP_LEN;
}

/**
 * us_udp_submit() - lets a packet out
 * @udp: the port that it leaves from.
 * @tx: all but the checksum and the IP header is there.
 */
void us_udp_submit(struct us_udp *udp, struct us_tx *tx)
{
	us_count(udp->stack, udp_out);
	udp->told = false;
	if (udp->flushes != udp->stack->udp->flushes) {
		udp->flushes = udp->stack->udp->flushes;
		udp->unkicked = 0;
	}
	udp->unkicked += tx->gso && udp->train.len > PACKET_WEIGHT ? udp->train.len :
								     PACKET_WEIGHT;
	us_csum_output(&udp->dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
	us_ip_submit(udp->stack, &udp->dst, tx, IPPROTO_UDP);
}

/**
 * us_udp_wait() - the link is full: POLLOUT comes when it has room
 * @udp: a port that has something to send.
 */
void us_udp_wait(struct us_udp *udp)
{
	cds_list_del_init(&udp->waiting);
	cds_list_add_tail(&udp->waiting, &udp->stack->udp->waiting);
}

/* The payload in chunks, by reference; the references are the caller's. */
static int put_frags(struct us_udp *udp, struct us_tx *tx, const uint8_t *data,
		     uint32_t len)
{
	while (len) {
		struct us_chunk *chunk = NULL;

		if (tx->nr_frags < US_TX_FRAGS)
			chunk = us_chunk_alloc(udp->dst.link->mem, len);
		if (!chunk)
			return -ENOBUFS;
		chunk->len = len < chunk->size ? len : chunk->size;
		memcpy(chunk->data, data, chunk->len);
		tx->frag[tx->nr_frags++] = (struct us_frag){ chunk, 0, chunk->len };
		data += chunk->len;
		len -= chunk->len;
	}
	return 0;
}

static int put_payload(struct us_udp *udp, struct us_tx *tx, const void *data,
		       uint32_t len)
{
	tx->nr_frags = 0;
	if (len > tx->inline_cap - tx->inline_len)
		return put_frags(udp, tx, data, len);
	if (len)
		memcpy(tx->head + tx->inline_len, data, len);
	tx->inline_len += len;
	return 0;
}

static int transmit(struct us_udp *udp, uint16_t port, const void *data, uint32_t len)
{
	struct us_tx *tx = us_udp_slot(udp);
	struct us_chunk *chunk[US_TX_FRAGS];
	uint32_t nr, i;
	int err;

	if (!tx) {
		us_udp_wait(udp);
		return -EAGAIN;
	}
	us_udp_write_header(udp, tx, port, len);
	err = put_payload(udp, tx, data, len);
	nr = tx->nr_frags;
	for (i = 0; i < nr; i++)
		chunk[i] = tx->frag[i].chunk;
	if (!err)
		us_udp_submit(udp, tx);
	for (i = 0; i < nr; i++)
		us_chunk_put(chunk[i]);
	return err;
}

static uint32_t headers(const struct us_dst *dst)
{
	return US_UDP_LEN + (dst->family == AF_INET6 ? 40 : 20);
}

/* Fragments are not made: what does not fit the path is refused. */
static bool fits(struct us_udp *udp, size_t len)
{
	if (us_likely(headers(&udp->dst) + len <= udp->dst.mtu))
		return true;
	us_stack_tick(udp->stack);
	us_udp_mtu_limit(udp, &udp->dst);	/* what a router said may be long ago */
	return headers(&udp->dst) + len <= udp->dst.mtu;
}

/* The rules of Linux for UDP_SEGMENT, in its order. */
static int check_segments(struct us_udp *udp, size_t len, uint16_t segment)
{
	if (!fits(udp, segment) ||
	    headers(&udp->dst) + len > UINT16_MAX)
		return -EMSGSIZE;
	return len > (size_t)segment * US_UDP_SEGMENTS ? -EINVAL : 0;
}

/* A message that is cut into datagrams of @each bytes.  Once a part of it is on its way
 * it was sent: what finds no memory then is lost, as on any way of datagrams.
 */
static us_noinline ssize_t send_segments(struct us_udp *udp, const uint8_t *data, size_t len,
					 uint16_t each, uint16_t port, bool more)
{
	ssize_t n = check_segments(udp, len, each);
	size_t done = 0;

	n = n ? : -us_udp_error(udp);
	if (n)
		return n;
	for (; done < len; done += (size_t)n) {
		n = us_udp_train_flush(udp);
		if (!n)
			n = us_udp_train_begin(udp, data + done, len - done, len - done,
					       each, port);
		if (n < 0)
			break;
	}
	if (!done)
		return n;
	if (done < len)
		us_count(udp->stack, udp_out_lost);
	if (!more)
		us_udp_train_flush(udp);	/* or when the link has room */
	return (ssize_t)len;
}

/* Makes one of those that wait: 1; 0: none waits any more. */
static int join_train(struct us_udp *udp, const void *data, size_t len,
		      const struct us_udp_out *out)
{
	if (!us_udp_train_join(udp, data, len, out->port))
		return us_udp_train_flush(udp);
	if (!out->more || us_udp_train_full(udp))
		us_udp_train_flush(udp);	/* or when the link has room */
	return 1;
}

static bool begin_train(struct us_udp *udp, const void *data, size_t len,
			const struct us_udp_out *out)
{
	size_t most = UINT16_MAX - headers(&udp->dst);

	if (len * US_UDP_SEGMENTS < most)
		most = len * US_UDP_SEGMENTS;
	if (us_udp_train_begin(udp, data, len, most, (uint16_t)len, out->port) < 0)
		return false;
	if (us_udp_train_full(udp))
		us_udp_train_flush(udp);
	return true;
}

/* Behind those that wait, or to wait for others, or now. */
static int send_one(struct us_udp *udp, const void *data, size_t len,
		    const struct us_udp_out *out)
{
	int err = udp->train.chunk ? join_train(udp, data, len, out) : 0;
	bool alone;

	if (err)
		return err < 0 ? err : 0;
	alone = us_udp_train_spared(udp, len, out->port);
	if (out->more && len && !alone && begin_train(udp, data, len, out))
		return 0;
	/* Where the link is full, one that others follow waits in memory for that, too. */
	err = transmit(udp, out->port, data, (uint32_t)len);
	if (!err)
		us_udp_train_passed(udp, len, out->port, alone);
	else if (err == -EAGAIN && out->more && len && begin_train(udp, data, len, out))
		return 0;
	return err;
}

static inline int find_way(struct us_udp *udp, struct us_udp_out *out)
{
	bool known;
	int err;

	if (!out->remote && !udp->connected)
		return -EDESTADDRREQ;
	if (!out->remote) {
		out->remote = &udp->remote;
		out->port = udp->remote_port;
	}
	if (us_unlikely(out->how || udp->special))
		return us_udp_route_as(udp, out->remote, out->how);
	known = udp->routed && us_addr_equal(out->remote, &udp->dst.remote);
	/* The kernel knows itself what time it is. */
	if (!known || !(udp->dst.link->flags & US_LINK_KERNEL_IP))
		us_stack_tick(udp->stack);
	if (known)
		return 0;
	err = us_udp_train_flush(udp);
	return err ? err : us_udp_route(udp, out->remote);
}

/**
 * us_udp_may_send() - may a message leave for its destination?
 * @udp: the port; has the way there then.
 * @len: of the message.
 * @out: where to, and how; the peer is filled in.
 *
 * Return: 0, or as us_udp_send(); -EAGAIN if what is to leave before has no room.
 */
int us_udp_may_send(struct us_udp *udp, size_t len, struct us_udp_out *out)
{
	int err = find_way(udp, out);

	if (err)
		return err;
	if (out->segment && out->segment < len)
		err = check_segments(udp, len, out->segment);
	else if (!fits(udp, len))
		err = us_udp_too_large(udp, out);
	return err ? err : -us_udp_error(udp);
}

/**
 * us_udp_send() - sends a datagram, or a message that is cut into some
 * @udp: the port.
 * @data: copied.
 * @len: of @data.
 * @to: where to, and how.
 *
 * Return: @len, -EDESTADDRREQ, -EMSGSIZE, -EINVAL (too many segments), -EAGAIN (the link
 * is full: POLLOUT tells), -ENOBUFS, -ENETUNREACH, or the pending error.
 */
ssize_t us_udp_send(struct us_udp *udp, const void *data, size_t len,
		    const struct us_udp_out *to)
{
	struct us_udp_out out = *to;
	int err = find_way(udp, &out);

	if (err)
		return err;
	if (out.segment && out.segment < len)
		return send_segments(udp, data, len, out.segment, out.port, out.more);
	if (!fits(udp, len))
		return us_udp_too_large(udp, &out);
	if (us_unlikely(udp->error))
		return -us_udp_error(udp);
	err = send_one(udp, data, len, &out);
	return err ? err : (ssize_t)len;
}

/**
 * us_udp_send_behind() - the short way of a datagram that others will follow
 * @udp: the port.
 * @data: copied.
 * @len: of @data.
 *
 * Return: it joined those that wait for more to the peer; else us_udp_send() it.
 */
bool us_udp_send_behind(struct us_udp *udp, const void *data, size_t len)
{
	struct us_udp_train *t = &udp->train;

	if (!t->to_peer || len != t->each || t->len + 2 * len > t->room || udp->error)
		return false;
	memcpy(t->chunk->data + t->len, data, len);
	t->len += (uint32_t)len;
	return true;
}

/**
 * us_udp_due() - has what was sent to leave now?
 * @udp: the port.
 * @more: others follow.
 *
 * Return: the caller flushes and kicks; false: it may wait for others.
 */
bool us_udp_due(struct us_udp *udp, bool more)
{
	if (more && udp->unkicked < UNKICKED_MAX)
		return false;
	udp->unkicked = 0;
	return true;
}

/**
 * us_udp_link_writable() - a link that was full has room
 * @stack: the stack.
 * @link: the link.
 *
 * TCP was first, and has taken what it may; so there is a half of us_link.kept for these,
 * a packet each.
 */
void us_udp_link_writable(struct us_stack *stack, struct us_link *link)
{
	struct us_udp *udp, *next;

	cds_list_for_each_entry_safe(udp, next, &stack->udp->waiting, waiting) {
		if ((udp->routed || udp->train.chunk) && udp->dst.link != link)
			continue;
		/* What is reserved here is taken by whoever comes next. */
		if (!link->ops->reserve(link, link->kept / 2))
			break;
		cds_list_del_init(&udp->waiting);
		udp->told = true;
		if (us_udp_train_flush(udp))
			break;		/* full again */
		us_udp_notify(udp);
	}
}
