// SPDX-License-Identifier: MIT
/* UDP: what became of datagrams that were sent. */
#include "transport/udp_parts.h"

/* There may be another way by now, or another source. */
static void doubt(struct us_udp *udp, const struct us_addr *remote)
{
	if (us_addr_equal(remote, &udp->dst.remote))
		udp->routed = false;
}

/* As in Linux: to who has not asked for more only a peer's errors are told, and of them the
 * hard ones.  A port without a peer hears what is too large when it sends there again.
 */
static bool is_heard(const struct us_udp *udp, const struct us_net_error *error)
{
	if (us_udp_ip(udp, &error->remote)->recverr)
		return true;
	if (error->err == EMSGSIZE)
		return udp->connected;
	if (!udp->connected)
		us_count(udp->stack, udp_icmp_unconnected);
	else if (!error->hard)
		us_count(udp->stack, udp_icmp_soft);
	return udp->connected && error->hard;
}

/* What there is no room for is lost; its errno is told all the same. */
static void queue(struct us_udp *udp, const uint8_t *data, uint32_t len,
		  const struct us_udp_in *what)
{
	struct us_udp_dgram *dgram = us_udp_dgram_new(udp, data, len);

	if (!dgram) {
		us_count(udp->stack, udp_buffer_full);
		return;
	}
	dgram->remote = what->remote;
	dgram->port = what->port;
	dgram->told = what->told;
	dgram->refusal = what->refusal;
	cds_list_add_tail(&dgram->node, &udp->errors);
}

static us_noinline void queue_icmp(struct us_udp *udp, const struct us_net_error *error)
{
	const struct us_udp_hdr *h = (const void *)error->quoted;
	const struct us_udp_in what = {
		.remote = error->remote, .port = us_raw16(h->dst),
		.told = { .local = error->local, .tos = error->tos, .ttl = error->ttl },
		.refusal = {
			.offender = error->offender, .mtu = error->mtu, .err = error->err,
			.type = error->type, .code = error->code,
		},
	};

	queue(udp, error->quoted + US_UDP_LEN, error->len - US_UDP_LEN, &what);
}

/**
 * us_udp_icmp() - an ICMP error quotes a datagram
 * @stack: the stack.
 * @error: with its UDP header.
 */
void us_udp_icmp(struct us_stack *stack, const struct us_net_error *error)
{
	const struct us_udp_hdr *h = (const void *)error->quoted;
	struct us_udp *udp = us_udp_lookup(stack->udp, &error->local, us_raw16(h->src),
					   &error->remote, us_raw16(h->dst));

	if (!udp) {
		us_count(stack, udp_icmp_no_port);
		return;
	}
	if (error->err == EMSGSIZE)
		us_udp_mtu_told(udp, &error->remote, error->mtu);
	else if (!udp->connected && !error->hard)
		doubt(udp, &error->remote);
	if (!is_heard(udp, error))
		return;
	if (us_udp_ip(udp, &error->remote)->recverr)
		queue_icmp(udp, error);
	udp->error = error->err;
	us_udp_notify(udp);
}

/* As Linux has it: over IPv4 the peer's, whoever it was sent to. */
static uint16_t port_of_local(const struct us_udp *udp, const struct us_udp_out *out)
{
	if (!us_addr_is_v4(&udp->dst.remote))
		return out->port;
	return udp->connected ? udp->remote_port : 0;
}

/**
 * us_udp_too_large() - a message is larger than its path
 * @udp: the port.
 * @out: where it was to go; the port is filled in.
 *
 * Return: -EMSGSIZE; as in Linux IP_RECVERR tells of the MTU, too.
 */
us_noinline int us_udp_too_large(struct us_udp *udp, const struct us_udp_out *out)
{
	const struct us_udp_in what = {
		.remote = udp->dst.remote, .port = port_of_local(udp, out),
		.refusal = { .mtu = udp->dst.mtu, .err = EMSGSIZE, .local = true },
	};

	if (us_udp_ip(udp, &udp->dst.remote)->recverr) {
		queue(udp, (const uint8_t *)"", 0, &what);
		us_udp_notify(udp);
	}
	return -EMSGSIZE;
}

static struct us_udp_dgram *first_error(struct us_udp *udp)
{
	if (cds_list_empty(&udp->errors))
		return NULL;
	return cds_list_first_entry(&udp->errors, struct us_udp_dgram, node);
}

/**
 * us_udp_forget_errors() - IP_RECVERR was switched off
 * @udp: the port; what is queued is forgotten.
 */
void us_udp_forget_errors(struct us_udp *udp)
{
	struct us_udp_dgram *dgram;

	while ((dgram = first_error(udp)))
		us_udp_dgram_free(udp, dgram);
}

/* As in Linux, the error that is pending is that of the next in the queue, unless this one
 * never left.
 */
static void next_pending(struct us_udp *udp, bool was_local)
{
	const struct us_udp_dgram *next = first_error(udp);

	if (next && !next->refusal.local)
		udp->error = next->refusal.err;
	else if (!was_local)
		udp->error = 0;
}

/**
 * us_udp_recv_error() - takes the oldest refusal
 * @udp: the port.
 * @data: what is known of the datagram's payload goes there.
 * @len: of @data; what does not fit is lost.
 * @from: filled in; may be NULL.
 *
 * Return: bytes of the payload that are known, -EAGAIN.
 */
ssize_t us_udp_recv_error(struct us_udp *udp, void *data, size_t len, struct us_udp_in *from)
{
	struct us_udp_dgram *dgram = first_error(udp);
	bool local;
	ssize_t n;

	if (!dgram)
		return -EAGAIN;
	n = dgram->len;
	local = dgram->refusal.local;
	if (len)
		memcpy(data, dgram->data, len < dgram->len ? len : dgram->len);
	if (from)
		*from = (struct us_udp_in){
			.remote = dgram->remote, .port = dgram->port,
			.told = dgram->told, .refusal = dgram->refusal,
		};
	us_udp_dgram_free(udp, dgram);
	next_pending(udp, local);
	return n;
}

/**
 * us_udp_error() - SO_ERROR
 * @udp: the port.
 *
 * Return: the pending error as a positive errno, which is cleared; or 0.
 */
int us_udp_error(struct us_udp *udp)
{
	int err = udp->error;

	udp->error = 0;
	return err;
}
