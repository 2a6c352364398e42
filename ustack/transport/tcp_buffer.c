// SPDX-License-Identifier: MIT
/*
 * How large the queues are.  A size that the user set stays.  Else the send queue holds
 * two congestion windows, one on its way and one to follow, and the receive queue twice
 * what comes in a round trip ("dynamic right-sizing"): so a long path with a high rate
 * is filled, and others take no more memory than they did.
 *
 * Where a round trip takes less than a millisecond the first size is enough for many
 * Gbit/s, and what a larger one lets in only waits, until the link's ring is so full
 * that packets have to be copied out of it.  On any path packets wait while nobody here
 * runs; where an eighth of the link's memory was taken at once, a queue four times as
 * large would let in more than it holds, and what finds no room is lost.
 *
 * A round, at the receiver, is the time in which half a window arrives; if that is not
 * more than a round-trip time, the next one, in which a peer in slow start sends twice as
 * much, will be limited by the window.
 */
#include "transport/tcp_parts.h"

/* As Linux: tcp_wmem, tcp_rmem. */
#define SNDBUF_MAX	(4u << 20)
#define RCVBUF_MAX	(6u << 20)
#define LEAST		2048u
#define SHORT		US_TCP_MSEC(1)	/* a round trip */

static uint32_t within(uint32_t bytes)
{
	return us_min32(us_max32(bytes, LEAST), US_TCP_CWND_MAX);
}

/**
 * us_tcp_rcvbuf_most() - what the receive queue may become
 * @options: of the connection, or of its listener.
 *
 * Return: bytes; the window scale is chosen from it.
 */
uint32_t us_tcp_rcvbuf_most(const struct us_tcp_options *options)
{
	return options->rcvbuf_set ? within(options->rcvbuf) :
	       us_max32(options->rcvbuf, RCVBUF_MAX);
}

/**
 * us_tcp_buffer_set() - takes the sizes that the user set, or those to begin with
 * @tcp: the connection.
 * @options: of its socket.
 */
void us_tcp_buffer_set(struct us_tcp *tcp, const struct us_tcp_options *options)
{
	tcp->sndbuf_set = options->sndbuf_set;
	tcp->rcvbuf_set = options->rcvbuf_set;
	if (options->sndbuf_set || tcp->sndbuf < options->sndbuf)
		tcp->sndbuf = within(options->sndbuf);
	if (options->rcvbuf_set || tcp->rcvbuf < options->rcvbuf)
		tcp->rcvbuf = within(options->rcvbuf);
}

/**
 * us_tcp_rcvlowat_of() - SO_RCVLOWAT
 * @options: of a socket; its receive queue becomes as large at least.
 * @bytes: that are to make it readable.
 *
 * Return: those that do: as Linux no more than a size that the user set, or half of what
 * the queue may become without one.
 */
uint32_t us_tcp_rcvlowat_of(struct us_tcp_options *options, uint32_t bytes)
{
	if (options->rcvbuf_set)
		return us_min32(bytes, options->rcvbuf);
	bytes = us_min32(bytes, RCVBUF_MAX / 2);
	options->rcvbuf = us_max32(options->rcvbuf, bytes);
	return bytes;
}

/**
 * us_tcp_sndbuf_grow() - the congestion window is more than half the send queue
 * @tcp: active.
 */
us_noinline void us_tcp_sndbuf_grow(struct us_tcp *tcp)
{
	if (tcp->sndbuf_set || tcp->sndbuf >= SNDBUF_MAX)
		return;
	tcp->sndbuf = us_min32(2 * tcp->active->cwnd, SNDBUF_MAX);
}

/**
 * us_tcp_rcvbuf_round() - half a window arrived
 * @tcp: active.
 */
us_noinline void us_tcp_rcvbuf_round(struct us_tcp *tcp)
{
	struct us_stack *stack = tcp->table->stack;
	uint32_t now = us_tcp_usec(stack);
	struct us_tcp_active *a = tcp->active;

	if (a->rcv_round_at && now - a->rcv_round_at < (tcp->srtt >> 3) + (tcp->srtt >> 5) &&
	    tcp->srtt >> 3 >= SHORT && stack->now >= tcp->dst.link->crowded_until &&
	    !tcp->rcvbuf_set && a->rcv_bytes < tcp->rcvbuf / 2 &&
	    tcp->rcvbuf < RCVBUF_MAX)
		tcp->rcvbuf = us_min32(4 * tcp->rcvbuf, RCVBUF_MAX);
	a->rcv_round_at = now;
	a->rcv_round_end = tcp->rcv_nxt + tcp->rcvbuf / 2;
}

/**
 * us_tcp_sndbuf() - SO_SNDBUF
 * @tcp: the connection.
 *
 * Return: bytes.
 */
uint32_t us_tcp_sndbuf(const struct us_tcp *tcp)
{
	return tcp->sndbuf;
}

/**
 * us_tcp_rcvbuf() - SO_RCVBUF
 * @tcp: the connection.
 *
 * Return: bytes.
 */
uint32_t us_tcp_rcvbuf(const struct us_tcp *tcp)
{
	return tcp->rcvbuf;
}
