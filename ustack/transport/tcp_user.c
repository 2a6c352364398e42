// SPDX-License-Identifier: MIT
/* What the user does with a connection: options, send, receive, readiness. */
#include <poll.h>

#include "transport/tcp_parts.h"

#define OUTPUT_AT	65536u	/* bytes unsent that do not wait for the poll's end */
#define LOOK		2048u	/* bytes read between looks whether the window grew; a power of 2 */

/**
 * us_tcp_notify() - the readiness of a connection may have changed
 * @tcp: nobody is told if no user knows it (yet, or any more).
 */
void us_tcp_notify(struct us_tcp *tcp)
{
	struct us_tcp_table *table = tcp->table;

	if ((tcp->flags & (US_TCP_ORPHAN | US_TCP_UNACCEPTED)) ||
	    ((tcp->flags & US_TCP_PASSIVE) && us_tcp_is_opening(tcp)))
		return;
	if (table->user->event)
		table->user->event(tcp, tcp->user);
}

/**
 * us_tcp_set_user() - who is to be told of events
 * @tcp: the connection.
 * @user: given to us_tcp_user.event().
 */
void us_tcp_set_user(struct us_tcp *tcp, void *user)
{
	tcp->user = user;
}

static void set_flag(struct us_tcp *tcp, uint32_t flag, bool on)
{
	tcp->flags = on ? tcp->flags | flag : tcp->flags & ~flag;
}

static uint16_t or_default(uint32_t value, uint32_t usual)
{
	return (uint16_t)(value ? value : usual);
}

static void set_limits(struct us_tcp *tcp, const struct us_tcp_options *options)
{
	tcp->keep_idle = or_default(options->keep_idle, US_TCP_KEEP_IDLE);
	tcp->keep_interval = or_default(options->keep_interval, US_TCP_KEEP_INTERVAL);
	tcp->keep_limit = (uint8_t)or_default(options->keep_probes, US_TCP_KEEP_PROBES);
	tcp->syn_limit = (uint8_t)or_default(options->syn_retries, US_TCP_SYN_RETRIES);
}

/* As in Linux: other options do not put keep-alive off, and of a new idle time what
 * is over counts.
 */
static void set_keepalive(struct us_tcp *tcp, const struct us_tcp_options *options)
{
	bool was_on = tcp->flags & US_TCP_KEEPALIVE;
	uint16_t was_idle = tcp->keep_idle;

	set_flag(tcp, US_TCP_KEEPALIVE, options->keepalive);
	set_limits(tcp, options);
	if (tcp->state == TCP_CLOSE || tcp->state == TCP_SYN_SENT ||
	    tcp->state == TCP_SYN_RECV)
		return;
	if (was_on != options->keepalive)
		us_tcp_timer_keep(tcp, 0);
	else if (was_idle != tcp->keep_idle)
		us_tcp_timer_keep(tcp, us_tcp_tick(tcp->table->stack) - tcp->last_rcv);
}

/* Before others that wait are looked at; if the window lets only some of it go, a cork is
 * a cork again.
 */
static void push(struct us_tcp *tcp)
{
	uint32_t cork = tcp->flags & US_TCP_CORK;

	tcp->flags &= ~(US_TCP_CORK | US_TCP_MORE);
	if (!(tcp->flags & US_TCP_PENDING))
		us_tcp_output(tcp);
	tcp->flags |= cork;
}

/**
 * us_tcp_set_options() - changes the options of a connection
 * @tcp: the connection.
 * @options: maxseg counts only before the connection opens; the window scale
 *	stays what it was.
 */
void us_tcp_set_options(struct us_tcp *tcp, const struct us_tcp_options *options)
{
	const struct us_ip_options *ip = &options->ip[us_ip_version(&tcp->dst.remote)];

	us_tcp_buffer_set(tcp, options);
	set_flag(tcp, US_TCP_NODELAY, options->nodelay);
	set_flag(tcp, US_TCP_CORK, options->cork);
	set_flag(tcp, US_TCP_OOBINLINE, options->oobinline);
	set_flag(tcp, US_TCP_RECVERR, ip->recverr);
	tcp->notsent = options->notsent_lowat;
	set_keepalive(tcp, options);
	tcp->dst.ttl = ip->ttl ? ip->ttl : US_NET_TTL;
	tcp->dst.tos = ip->tos;
	tcp->user_timeout = options->user_timeout ?
		us_tcp_ticks(options->user_timeout * US_MSEC) : 0;
	us_tcp_cc_select(tcp, options->cc);
	us_tcp_pace_limit(tcp, options->max_pacing);
	if (tcp->state != TCP_CLOSE && tcp->state != TCP_SYN_SENT &&
	    tcp->state != TCP_SYN_RECV) {
		if (options->push)
			push(tcp);
		us_tcp_queue(tcp);
	}
}

/**
 * us_tcp_writable() - is there room worth telling of?
 * @tcp: the connection.
 *
 * As Linux: when a third of the send queue is free.
 */
bool us_tcp_writable(const struct us_tcp *tcp)
{
	uint32_t used = tcp->active ? us_tcp_sndq_bytes(tcp) : 0;

	if (tcp->flags & US_TCP_MEM_WAIT)
		return false;
	return used < tcp->sndbuf && tcp->sndbuf - used >= used / 2;
}

/**
 * us_tcp_error() - SO_ERROR
 * @tcp: the connection.
 *
 * Return: the pending error as a positive errno, which is cleared; or 0.
 */
int us_tcp_error(struct us_tcp *tcp)
{
	int err = tcp->error;

	tcp->error = 0;
	return err;
}

/**
 * us_tcp_may_send() - may the user send?
 * @tcp: becomes active, if so.
 *
 * Return: 0, -EAGAIN while it opens, -EPIPE, -ENOBUFS, or the connection's error,
 * which is taken.
 */
int us_tcp_may_send(struct us_tcp *tcp)
{
	if (us_unlikely(tcp->error))
		return -us_tcp_error(tcp);
	if ((tcp->flags & US_TCP_FIN_QUEUED) || tcp->state == TCP_CLOSE)
		return -EPIPE;
	if (us_tcp_is_opening(tcp) && !(tcp->flags & US_TCP_DEFERRED))
		return -EAGAIN;
	return us_tcp_activate(tcp) ? 0 : -ENOBUFS;
}

/* Without a look at anything that is rare: queues a copy in the last chunk. */
static bool put_small(struct us_tcp *tcp, const void *data, size_t len)
{
	return tcp->state == TCP_ESTABLISHED && tcp->active && !tcp->error &&
	       us_tcp_sndq_put(tcp, data, len);
}

/**
 * us_tcp_send_small() - queues bytes that fit where others were
 * @tcp: the connection.
 * @data: copied.
 * @len: of @data.
 *
 * All that most calls have to do that send small messages.  The table is due
 * (us_tcp_due()) unless they have to wait.
 * Return: true if so; false: us_tcp_send() has to look.
 */
bool us_tcp_send_small(struct us_tcp *tcp, const void *data, size_t len)
{
	if (!put_small(tcp, data, len))
		return false;
	if (us_tcp_output_waits(tcp))
		return true;
	tcp->flags &= ~US_TCP_MORE;
	us_tcp_queue(tcp);
	return true;
}

/**
 * us_tcp_send_batched() - queues small messages that wait for the next flush
 * @tcp: the connection.
 * @data: copied.
 * @len: of @data.
 *
 * As many as make up a large segment wait no longer; those behind it, that it leaves
 * for want of a window, wait for an ACK, or for as many again.
 * Return: true if so; false: us_tcp_send() has to look.
 */
bool us_tcp_send_batched(struct us_tcp *tcp, const void *data, size_t len)
{
	const struct us_tcp_active *a = tcp->active;

	if ((tcp->flags & (US_TCP_FIN_QUEUED | US_TCP_MORE)) || !a ||
	    (a->snd_end - tcp->snd_nxt) % OUTPUT_AT + len >= OUTPUT_AT ||
	    !put_small(tcp, data, len))
		return false;
	us_tcp_queue(tcp);
	return true;
}

/* Full segments are on their way, whose ACKs make room: what did not fit for want of it is as
 * good as MSG_MORE.  Where none are, nothing would come before the timer, flag or not; and
 * who waits for bytes to leave must not hold them back.
 */
static bool awaits_acks(const struct us_tcp *tcp)
{
	return us_tcp_sndq_bytes(tcp) >= 2u * tcp->mss && !tcp->notsent;
}

/**
 * us_tcp_no_room() - nothing can be queued
 * @tcp: active.
 *
 * What MSG_MORE holds back goes, if nothing else would make room.
 * Return: -EBUSY while room is lent, else -EAGAIN.
 */
int us_tcp_no_room(struct us_tcp *tcp)
{
	if (tcp->active->snd_lent)
		return -EBUSY;
	if ((tcp->flags & US_TCP_MORE) && !awaits_acks(tcp)) {
		tcp->flags &= ~US_TCP_MORE;
		us_tcp_queue(tcp);
	}
	return -EAGAIN;
}

/**
 * us_tcp_queued_more() - the user has queued bytes
 * @tcp: active.
 * @flags: as of us_tcp_send().
 * @full: more did not fit.
 */
void us_tcp_queued_more(struct us_tcp *tcp, int flags, bool full)
{
	if (us_unlikely(flags & MSG_OOB))
		us_tcp_urge(tcp);
	set_flag(tcp, US_TCP_MORE, full ? awaits_acks(tcp) : flags & MSG_MORE);
	if ((flags & (MSG_MORE | USTACK_MSG_BATCH)) &&
	    tcp->active->snd_end - tcp->snd_nxt >= OUTPUT_AT &&
	    !(tcp->flags & US_TCP_PENDING))
		us_tcp_output(tcp);
	else if ((flags & MSG_OOB) || !us_tcp_output_waits(tcp))
		us_tcp_queue(tcp);
}

/**
 * us_tcp_send() - queues bytes
 * @tcp: the connection.
 * @data: copied.
 * @len: of @data.
 * @flags: MSG_MORE: the last segment waits to be filled; MSG_OOB: the last byte is
 *	urgent; USTACK_MSG_BATCH: the caller does not flush.
 *
 * What is queued leaves with us_tcp_flush(); if it is much, it does not wait for that
 * where there may be none for long.
 * Return: bytes queued, -EAGAIN if there is no room or the connection is not
 * yet open, -EBUSY while room is lent, -EPIPE, -ENOBUFS, -EFAULT, or the connection's error.
 * -EINPROGRESS if the SYN waited for bytes (Fast Open): it leaves, with those that
 * us_tcp_queued() tells.
 */
ssize_t us_tcp_send(struct us_tcp *tcp, const void *data, size_t len, int flags)
{
	int err = us_tcp_may_send(tcp);
	uint32_t done;

	if (err)
		return err;
	if (us_unlikely(!data && len))
		return -EFAULT;
	if (us_unlikely(tcp->flags & US_TCP_DEFERRED))
		return us_tcp_fastopen_send(tcp, data, len);
	done = us_tcp_sndq_append(tcp, data, (uint32_t)(len < INT32_MAX ?
							len : INT32_MAX));
	if (!done)
		return len ? us_tcp_no_room(tcp) : 0;
	us_tcp_queued_more(tcp, flags, done < len);
	return done;
}

/**
 * us_tcp_send_pieces() - queues bytes that lie in several pieces
 * @tcp: the connection.
 * @from: the pieces; copied.
 * @at: bytes of them that were queued before.
 * @flags: as of us_tcp_send().
 *
 * They leave as if they were one piece.
 * Return: as us_tcp_send().
 */
ssize_t us_tcp_send_pieces(struct us_tcp *tcp, const struct us_pieces *from, size_t at,
			   int flags)
{
	int err = us_tcp_may_send(tcp);
	size_t left = from->len - at;
	uint32_t most = INT32_MAX, done;
	bool deferred = tcp->flags & US_TCP_DEFERRED;

	if (err)
		return err;
	if (deferred)
		most = us_tcp_fastopen_room(tcp);
	done = us_tcp_sndq_append_pieces(tcp, from, at, left < most ? (uint32_t)left : most);
	if (deferred)
		return us_tcp_fastopen_send(tcp, NULL, 0);	/* no more than these */
	if (done)
		us_tcp_queued_more(tcp, flags, done < left);
	return done || !left ? (ssize_t)done : us_tcp_no_room(tcp);
}

/**
 * us_tcp_has_bytes() - is there anything to read?
 * @tcp: the connection; at the mark, what is behind it counts.
 */
bool us_tcp_has_bytes(const struct us_tcp *tcp)
{
	uint32_t skip;

	return tcp->active && tcp->active->rcv_bytes && us_tcp_readable(tcp, &skip);
}

/**
 * us_tcp_nothing_to_read() - why not
 * @tcp: all bytes that came have been read.
 *
 * Return: 0 at the end of the stream, -EAGAIN if there are none yet, or the
 * connection's error, which is taken.
 */
int us_tcp_nothing_to_read(struct us_tcp *tcp)
{
	/* As Linux: a stream that was complete stays so, whatever came later. */
	if (tcp->error && !(tcp->flags & US_TCP_FIN_RCVD))
		return -us_tcp_error(tcp);
	if ((tcp->flags & (US_TCP_FIN_RCVD | US_TCP_SHUT_RD)) ||
	    tcp->state == TCP_CLOSE)
		return 0;
	return -EAGAIN;
}

/**
 * us_tcp_has_piece() - do the bytes wished for lie in one piece?
 * @tcp: the connection.
 * @len: bytes wished for.
 *
 * Return: true: us_tcp_recv_piece() takes them; false: us_tcp_recv() has to look.
 */
bool us_tcp_has_piece(const struct us_tcp *tcp, size_t len)
{
	return tcp->active && !(tcp->flags & US_TCP_URGENT) &&
	       us_tcp_rcvq_in_piece(tcp->active, len);
}

/**
 * us_tcp_is_silent() - has a peer that may yet speak said nothing that was not read?
 * @tcp: the connection.
 */
bool us_tcp_is_silent(const struct us_tcp *tcp)
{
	return tcp->state == TCP_ESTABLISHED && !tcp->error && !(tcp->flags & US_TCP_SHUT_RD) &&
	       tcp->active && !tcp->active->rcv_bytes;
}

/**
 * us_tcp_recv_piece() - takes bytes that lie in one piece
 * @tcp: us_tcp_has_piece() said so.
 * @data: goes there.
 * @len: of @data.
 *
 * All that most calls have to do that read messages.
 * Return: bytes.
 */
us_noinline ssize_t us_tcp_recv_piece(struct us_tcp *tcp, void *data, size_t len)
{
	size_t done = us_tcp_rcvq_piece(tcp, data, len), left = tcp->active->rcv_bytes;

	/* The window grows by whole segments: once in two KB is often enough to look. */
	if (!left || ((left + done) ^ left) >= LOOK)
		us_tcp_was_read(tcp);
	return (ssize_t)done;
}

/* As much as fits, in whatever pieces it lies. */
static us_noinline ssize_t take(struct us_tcp *tcp, void *data, size_t len, bool peek)
{
	uint32_t done;

	if (!data && len)
		return -EFAULT;
	done = us_unlikely(tcp->flags & US_TCP_URGENT) ?
	       us_tcp_read_marked(tcp, data, len, peek) :
	       us_tcp_rcvq_read(tcp, data, len, 0, peek);
	if (done)	/* who peeks may wait for more than the window lets in */
		us_tcp_was_read(tcp);
	return done || !len ? (ssize_t)done : us_tcp_nothing_to_read(tcp);
}

/**
 * us_tcp_recv() - takes bytes
 * @tcp: the connection.
 * @data: goes there.
 * @len: of @data.
 * @peek: leave them.
 *
 * Return: bytes, 0 at the end of the stream, -EAGAIN if there are none yet, -EFAULT, or
 * the connection's error once everything before it was read.
 */
us_noinline ssize_t us_tcp_recv(struct us_tcp *tcp, void *data, size_t len, bool peek)
{
	if (!peek && len && data && us_tcp_has_piece(tcp, len))
		return us_tcp_recv_piece(tcp, data, len);
	if (tcp->active && tcp->active->rcv_bytes)
		return take(tcp, data, len, peek);
	return len ? us_tcp_nothing_to_read(tcp) : 0;
}

/* Into the pieces, behind @at bytes of them, what may be read. */
static uint32_t scatter(struct us_tcp *tcp, const struct us_pieces *to, size_t at, bool peek)
{
	uint32_t skip, left = us_tcp_readable(tcp, &skip), done = 0;

	for (const struct iovec *piece = to->iov; piece < to->iov + to->count; piece++) {
		size_t filled = at < piece->iov_len ? at : piece->iov_len;
		size_t len = piece->iov_len - filled;
		uint32_t n;

		at -= filled;
		if (!len)
			continue;
		n = us_tcp_rcvq_read(tcp, (uint8_t *)piece->iov_base + filled,
				     len < left ? len : left, skip, peek);
		skip = peek ? skip + n : 0;
		done += n;
		left -= n;
		if (!left)
			break;
	}
	return done;
}

/**
 * us_tcp_recv_pieces() - takes bytes into several pieces
 * @tcp: the connection.
 * @to: the pieces.
 * @at: bytes of them that are filled already; not all.
 * @peek: leave them.
 *
 * Return: as us_tcp_recv().
 */
ssize_t us_tcp_recv_pieces(struct us_tcp *tcp, const struct us_pieces *to, size_t at, bool peek)
{
	uint32_t done;

	if (!tcp->active || !tcp->active->rcv_bytes)
		return us_tcp_nothing_to_read(tcp);
	done = scatter(tcp, to, at, peek);
	us_tcp_forget_mark(tcp);
	if (!done)
		return us_tcp_nothing_to_read(tcp);
	us_tcp_was_read(tcp);
	return done;
}

/**
 * us_tcp_recv_count() - how much us_tcp_recv() would take
 * @tcp: the connection.
 * @len: bytes, at most.
 *
 * Return: as us_tcp_recv(), that peeks.
 */
ssize_t us_tcp_recv_count(struct us_tcp *tcp, size_t len)
{
	uint32_t skip, bytes;

	if (!us_tcp_has_bytes(tcp))
		return us_tcp_nothing_to_read(tcp);
	bytes = us_tcp_readable(tcp, &skip);
	us_tcp_was_read(tcp);	/* as when it peeks */
	return len < bytes ? (ssize_t)len : bytes;
}

/* As Linux: an urgent byte counts, but where it is the next one; and who waits for more than
 * can come, as far as the window goes, waits no longer.
 */
static bool is_readable(const struct us_tcp *tcp, uint32_t rcvlowat)
{
	const struct us_tcp_active *a = tcp->active;
	uint32_t skip;

	if (!us_tcp_has_bytes(tcp))
		return false;
	if (us_likely(!rcvlowat))
		return true;
	us_tcp_readable(tcp, &skip);
	return a->rcv_bytes - skip >= rcvlowat ||
	       us_min32(us_tcp_rcv_wnd(tcp), us_tcp_rcv_room(tcp)) <= a->rcv_mss;
}

/**
 * us_tcp_poll() - readiness, as Linux's tcp_poll() has it
 * @tcp: the connection.
 * @rcvlowat: bytes that make it readable; 0: one will do.
 *
 * Return: POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, POLLRDHUP, POLLHUP, POLLERR,
 * POLLPRI.
 */
short us_tcp_poll(const struct us_tcp *tcp, uint32_t rcvlowat)
{
	bool closed = tcp->state == TCP_CLOSE;
	bool no_read = closed || (tcp->flags & (US_TCP_FIN_RCVD | US_TCP_SHUT_RD));
	bool no_write = closed || (tcp->flags & US_TCP_FIN_QUEUED);
	int mask = 0;

	if (no_read && no_write)
		mask |= POLLHUP;
	if (no_read)
		mask |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (tcp->flags & US_TCP_DEFERRED)
		mask |= POLLOUT | POLLWRNORM;
	if (!us_tcp_is_opening(tcp)) {
		if (is_readable(tcp, rcvlowat))
			mask |= POLLIN | POLLRDNORM;
		if (no_write || (us_tcp_writable(tcp) && us_tcp_notsent_is_little(tcp)))
			mask |= POLLOUT | POLLWRNORM;
	}
	if (tcp->error)
		mask |= POLLERR;
	if (us_tcp_urgent_ready(tcp))
		mask |= POLLPRI;
	return (short)mask;
}

/**
 * us_tcp_drained() - has everything arrived, the FIN too? (SO_LINGER)
 * @tcp: the connection.
 */
bool us_tcp_drained(const struct us_tcp *tcp)
{
	return tcp->state == TCP_CLOSE || (tcp->flags & US_TCP_FIN_ACKED);
}

/**
 * us_tcp_deferred() - does the SYN wait for data?
 * @tcp: the connection.
 */
bool us_tcp_deferred(const struct us_tcp *tcp)
{
	return tcp->flags & US_TCP_DEFERRED;
}

/**
 * us_tcp_state() - the state of RFC 9293
 * @tcp: the connection.
 *
 * Return: TCP_ESTABLISHED... of <netinet/tcp.h>; TCP_CLOSE in TIME-WAIT, too.
 */
int us_tcp_state(const struct us_tcp *tcp)
{
	return tcp->state;
}

/**
 * us_tcp_queued() - what waits in the queues
 * @tcp: the connection.
 * @queued: filled in.
 */
void us_tcp_queued(const struct us_tcp *tcp, struct us_tcp_queued *queued)
{
	const struct us_tcp_active *a = tcp->active;
	uint32_t end = tcp->snd_nxt;

	if (a && tcp->state != TCP_CLOSE && !(tcp->flags & US_TCP_FIN_SENT))
		end = a->snd_end + !!(tcp->flags & US_TCP_FIN_QUEUED);
	*queued = (struct us_tcp_queued){
		.unread = a ? us_tcp_unread(tcp) : 0,
		.unacked = end - tcp->snd_una,
		.unsent = end - tcp->snd_nxt,
	};
}

/**
 * us_tcp_inq() - TCP_CM_INQ: is there more to read?
 * @tcp: the connection.
 *
 * Return: bytes that came, urgent ones too; as in Linux the FIN is one more, whether it was
 * read or not.
 */
int us_tcp_inq(const struct us_tcp *tcp)
{
	return (tcp->active ? (int)tcp->active->rcv_bytes : 0) +
	       !!(tcp->flags & US_TCP_FIN_RCVD);
}

/**
 * us_tcp_names() - both ends
 * @tcp: the connection.
 * @local: address.
 * @local_port: network byte order.
 * @remote: address.
 * @remote_port: network byte order.
 */
void us_tcp_names(const struct us_tcp *tcp, struct us_addr *local,
		  uint16_t *local_port, struct us_addr *remote,
		  uint16_t *remote_port)
{
	*local = tcp->dst.local;
	*local_port = tcp->local_port;
	*remote = tcp->dst.remote;
	*remote_port = tcp->remote_port;
}
