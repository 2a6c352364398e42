/* SPDX-License-Identifier: MIT */
/* TCP as the socket layer sees it.  The connection block itself is in tcb.h. */
#ifndef US_TRANSPORT_TCP_H
#define US_TRANSPORT_TCP_H

#include <netinet/tcp.h>
#include <sys/uio.h>

#include "net/net.h"

struct us_tcp;			/* a connection */
struct us_tcp_listener;

/**
 * struct us_tcp_user - how TCP tells its user; one table for all sockets
 * @event: the readiness of @tcp may have changed; ask us_tcp_poll().  Must not
 *	free @tcp.
 * @accept: a connection of @listener is established and waits for
 *	us_tcp_accept().
 * @notsent_lowat: with us_tcp_options.notsent_lowat: its number.
 */
struct us_tcp_user {
	void (*event)(struct us_tcp *tcp, void *user);
	void (*accept)(struct us_tcp_listener *listener, void *user);
	uint32_t (*notsent_lowat)(void *user);
};

/**
 * struct us_pieces - bytes of the user's that lie in several pieces
 * @iov: the pieces, in order; some may be empty.
 * @count: of @iov.
 * @len: bytes of all.
 */
struct us_pieces {
	const struct iovec *iov;
	size_t count;
	size_t len;
};

int us_tcp_table_create(struct us_stack *stack, unsigned int max_connections,
			unsigned int max_waits, const struct us_tcp_user *user);
void us_tcp_table_destroy(struct us_stack *stack);	/* resets what is open */
void us_tcp_link_writable(struct us_stack *stack, struct us_link *link);
/* Sends what became due in this poll (delayed output); called once a poll. */
void us_tcp_rcvq_pressure(struct us_stack *stack);
bool us_tcp_due(const struct us_stack *stack);
void us_tcp_flush(struct us_stack *stack);
void us_tcp_flush_for_reader(struct us_stack *stack);

#define US_TCP_PACING_MAX	UINT32_MAX

/* us_tcp_options.ecn: RFC 3168 ("classic") and RFC 9768 (AccECN) */
enum us_tcp_ecn_mode {
	US_TCP_ECN_ANSWER,	/* not asked for in our SYNs, but agreed to */
	US_TCP_ECN_ASK_CLASSIC,
	US_TCP_ECN_ASK,		/* AccECN, or what the peer can of it */
	US_TCP_ECN_OFF,
	US_TCP_ECN_MODES
};

/* Defaults of keep-alive, in seconds, and of opening: Linux's, but that a SYN is
 * sent for more than three minutes (RFC 9293 3.8.3).
 */
#define US_TCP_KEEP_IDLE	7200
#define US_TCP_KEEP_INTERVAL	75
#define US_TCP_KEEP_PROBES	9
#define US_TCP_SYN_RETRIES	7
#define US_TCP_LINGER2		60	/* in seconds, too */

/**
 * struct us_tcp_options - what may be set before connect and listen; accepted
 *	connections inherit it
 * @sndbuf: bytes of the send queue.
 * @rcvbuf: bytes of the receive queue, from which the window scale is chosen.
 * @max_pacing: bytes a second; US_TCP_PACING_MAX: no limit.
 * @maxseg: upper limit of the MSS, 0 is none.
 * @cc: congestion control, from us_tcp_cc_find().
 * @ecn: enum us_tcp_ecn_mode; counts only before the connection opens.
 * @fastopen_queue: of a listener: connections that may use Fast Open at a time.
 * @fastopen: data is to go with the SYN.
 * @nodelay: no Nagle.
 * @cork: only full segments.
 * @push: what waits for a fuller segment does no more, this once.
 * @syn_retries: of a SYN; 0 is the default.
 * @keep_probes: without an answer that end a connection; 0 is the default.
 * @keep_idle: seconds before the first one; 0 is the default.
 * @keep_interval: seconds between them; 0 is the default.
 * @oobinline: the urgent byte is read as any other.
 * @notsent_lowat: bytes that wait to be sent stop the user, too; us_tcp_user knows how many.
 * @keepalive: probes after @keep_idle.
 * @sndbuf_set: @sndbuf is the user's; else it grows with the congestion window.
 * @rcvbuf_set: likewise; else it grows with what comes in a round trip.
 * @user_timeout: milliseconds that data may stay unacknowledged (RFC 5482), 0 is
 *	the default.
 * @defer_accept: of a listener: timeouts of a SYN-ACK during which an ACK alone completes
 *	nothing; of others: if not 0, data is to take the ACK of the SYN-ACK along.
 * @inq: TCP_CM_INQ is told.
 * @ack_later: of a connection to come: TCP_QUICKACK is 0.
 * @ip: by enum us_ip_version.
 */
struct us_tcp_options {
	uint32_t sndbuf;
	uint32_t rcvbuf;
	uint32_t user_timeout;
	uint32_t max_pacing;
	uint16_t maxseg;
	uint16_t keep_idle;
	uint16_t keep_interval;
	uint8_t keep_probes;
	uint8_t syn_retries;
	uint8_t cc : 5;
	uint8_t ecn : 2;
	uint8_t defer_accept;
	uint16_t fastopen_queue;
	bool fastopen : 1;
	bool nodelay : 1;
	bool cork : 1;
	bool push : 1;
	bool keepalive : 1;
	bool oobinline : 1;
	bool notsent_lowat : 1;
	bool sndbuf_set : 1;
	bool rcvbuf_set : 1;
	bool inq : 1;
	bool ack_later : 1;
	struct us_ip_options ip[US_IP_VERSIONS];
};

/**
 * struct us_tcp_cc_info - TCP_CC_INFO: as Linux's struct tcp_bbr_info; all zero for
 *	congestion controls without a model
 * @bw_lo: what the model lets us use, bytes a second, its lower half.
 * @bw_hi: its upper half.
 * @min_rtt: microseconds.
 * @pacing_gain: 2^-8.
 * @cwnd_gain: 2^-8.
 */
struct us_tcp_cc_info {
	uint32_t bw_lo;
	uint32_t bw_hi;
	uint32_t min_rtt;
	uint32_t pacing_gain;
	uint32_t cwnd_gain;
};

/* Congestion controls by name (TCP_CONGESTION); -ENOENT.  The default is what new
 * sockets of the stack begin with.
 */
int us_tcp_cc_find(const char *name);
const char *us_tcp_cc_name(uint8_t cc);
uint8_t us_tcp_cc_default(const struct us_stack *stack);
void us_tcp_cc_set_default(struct us_stack *stack, uint8_t cc);

/**
 * struct us_tcp_info - what TCP_INFO tells: Linux's struct tcp_info, as long as that
 *	of Linux 6.12.  Units are Linux's: microseconds, milliseconds, segments.
 * @base: as far as <netinet/tcp.h> has it.
 * @pacing_rate: bytes a second; all ones: not paced.
 * @max_pacing_rate: the limit set; all ones: none.
 * @bytes_acked: of payload, ever.
 * @bytes_received: of payload in order, ever.
 * @segs_out: segments sent; this and what follows up to @rcv_ooopack, and the times and
 *	timeouts, but for what is a state, counts since the connection was last without
 *	data for ten seconds: an idle one has no room for it.
 * @segs_in: segments received.
 * @notsent_bytes: queued, never sent.
 * @min_rtt: least RTT; all ones: none yet.
 * @data_segs_in: received with payload.
 * @data_segs_out: sent with payload.
 * @delivery_rate: bytes a second in the last good sample.
 * @busy_time: while there was something to send, or on its way.
 * @rwnd_limited: of it, limited by the peer's window.
 * @sndbuf_limited: of it, limited by the send queue.
 * @delivered: segments delivered.
 * @delivered_ce: of them, marked.
 * @bytes_sent: payload, repetitions included.
 * @bytes_retrans: payload sent again.
 * @dsack_dups: segments that the peer had twice.
 * @reord_seen: reordering was seen.
 * @rcv_ooopack: segments received out of order.
 * @snd_wnd: the peer's window.
 * @rcv_wnd: ours.
 * @rehash: always 0: the path is the link's.
 * @total_rto: retransmission timeouts.
 * @total_rto_recoveries: how often they began.
 * @total_rto_time: milliseconds lost by them, since what was lost was sent.
 */
struct us_tcp_info {
	struct tcp_info base;
	uint64_t pacing_rate;
	uint64_t max_pacing_rate;
	uint64_t bytes_acked;
	uint64_t bytes_received;
	uint32_t segs_out;
	uint32_t segs_in;
	uint32_t notsent_bytes;
	uint32_t min_rtt;
	uint32_t data_segs_in;
	uint32_t data_segs_out;
	uint64_t delivery_rate;
	uint64_t busy_time;
	uint64_t rwnd_limited;
	uint64_t sndbuf_limited;
	uint32_t delivered;
	uint32_t delivered_ce;
	uint64_t bytes_sent;
	uint64_t bytes_retrans;
	uint32_t dsack_dups;
	uint32_t reord_seen;
	uint32_t rcv_ooopack;
	uint32_t snd_wnd;
	uint32_t rcv_wnd;
	uint32_t rehash;
	uint16_t total_rto;
	uint16_t total_rto_recoveries;
	uint32_t total_rto_time;
};

/*
 * Calls give 0 or a count, or a negative errno as the BSD call of the name
 * would; none blocks (-EAGAIN, -EINPROGRESS).
 */

/* Begins a connection to dst->remote (dst is resolved, or -errno as by
 * us_dst_resolve()).  local_port 0: chosen (RFC 6056).  Ports in network order.
 * Binds the link's flow itself.  -EADDRINUSE, -EADDRNOTAVAIL, -ENETUNREACH,
 * -ENOBUFS.
 */
int us_tcp_connect(struct us_stack *stack, struct us_dst *dst,
		   uint16_t local_port, uint16_t remote_port,
		   const struct us_tcp_options *options, void *user,
		   struct us_tcp **tcp);

/* Listens on local:port, on every link that takes it (all-zero local: any
 * address of the family; AF_UNSPEC: of both).  A port of 0 is chosen and put back.
 */
int us_tcp_listen(struct us_stack *stack, uint8_t family,
		  const struct us_addr *local, uint16_t *port,
		  unsigned int backlog, bool listen_peer,
		  const struct us_tcp_options *options, void *user,
		  struct us_tcp_listener **listener);
void us_tcp_set_backlog(struct us_tcp_listener *listener, unsigned int backlog);
void us_tcp_unlisten(struct us_tcp_listener *listener);	/* resets the unaccepted */
void us_tcp_listen_options(struct us_tcp_listener *listener,
			   const struct us_tcp_options *options);
struct us_tcp *us_tcp_accept(struct us_tcp_listener *listener);	/* or NULL */
/* TCP_DEFER_ACCEPT */
uint8_t us_tcp_defer_timeouts(int seconds);
int us_tcp_defer_seconds(uint8_t timeouts);

void us_tcp_set_user(struct us_tcp *tcp, void *user);
void us_tcp_set_options(struct us_tcp *tcp, const struct us_tcp_options *options);
/* Queues a copy of as much as fits.  @flags: MSG_MORE, MSG_OOB.  -EPIPE, -ENOTCONN,
 * -EAGAIN, or the connection's error.
 */
bool us_tcp_send_small(struct us_tcp *tcp, const void *data, size_t len);
bool us_tcp_send_batched(struct us_tcp *tcp, const void *data, size_t len);
ssize_t us_tcp_send(struct us_tcp *tcp, const void *data, size_t len, int flags);
bool us_tcp_notsent_is_much(const struct us_tcp *tcp);
ssize_t us_tcp_send_pieces(struct us_tcp *tcp, const struct us_pieces *from, size_t at,
			   int flags);
/* MSG_ZEROCOPY (tcp_borrow.c). */
bool us_tcp_can_borrow(const struct us_tcp *tcp);
ssize_t us_tcp_send_borrowed(struct us_tcp *tcp, const struct us_pieces *from, size_t at,
			     int flags, struct us_lender *lender);
struct us_lender *us_tcp_lender(const struct us_tcp *tcp);
/* Copies out what is there; 0 at end of stream; -EAGAIN if nothing is. */
bool us_tcp_has_bytes(const struct us_tcp *tcp);
bool us_tcp_has_piece(const struct us_tcp *tcp, size_t len);
bool us_tcp_is_silent(const struct us_tcp *tcp);
ssize_t us_tcp_recv_piece(struct us_tcp *tcp, void *data, size_t len);
ssize_t us_tcp_recv(struct us_tcp *tcp, void *data, size_t len, bool peek);
ssize_t us_tcp_recv_pieces(struct us_tcp *tcp, const struct us_pieces *to, size_t at, bool peek);
ssize_t us_tcp_recv_count(struct us_tcp *tcp, size_t len);
/* Lending (tcp_lend.c): room to send from, and bytes where they lie. */
ssize_t us_tcp_reserve(struct us_tcp *tcp, size_t len, void **room);
bool us_tcp_has_lent(const struct us_tcp *tcp, size_t len);
int us_tcp_submit(struct us_tcp *tcp, size_t len, int flags);
int us_tcp_peek(struct us_tcp *tcp, struct iovec *pieces, int count);
int us_tcp_release(struct us_tcp *tcp, size_t len);
/* The urgent byte, recv(2) with MSG_OOB: 1, 0, -EAGAIN, -EINVAL. */
ssize_t us_tcp_recv_urgent(struct us_tcp *tcp, uint8_t *byte, bool peek);
bool us_tcp_at_mark(const struct us_tcp *tcp);	/* SIOCATMARK */
int us_tcp_shutdown(struct us_tcp *tcp);	/* the sending side: FIN */
/* Receiving side: what comes is acknowledged and thrown away. */
void us_tcp_shutdown_read(struct us_tcp *tcp);
/* The user lets go of @tcp: it closes in the background (FIN), or with RST if
 * data was left unread (RFC 2525 2.17); never touched again by the user.  @linger2:
 * seconds in FIN-WAIT-2 then, 0 is the default; negative: none at all.
 */
void us_tcp_close(struct us_tcp *tcp, int linger2);
void us_tcp_abort(struct us_tcp *tcp);		/* RST; lets go, too */
/* POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR as Linux has them. */
short us_tcp_poll(const struct us_tcp *tcp, uint32_t rcvlowat);
/* Pending error as a positive errno, cleared by the call (SO_ERROR). */
int us_tcp_error(struct us_tcp *tcp);
/* What the two queues hold now (SO_SNDBUF, SO_RCVBUF). */
uint32_t us_tcp_sndbuf(const struct us_tcp *tcp);
uint32_t us_tcp_rcvbuf(const struct us_tcp *tcp);
/* SO_RCVLOWAT, and the receive queue that it takes. */
uint32_t us_tcp_rcvlowat_of(struct us_tcp_options *options, uint32_t bytes);
/* Everything sent was acknowledged, FIN too (for SO_LINGER). */
bool us_tcp_drained(const struct us_tcp *tcp);
/* The SYN waits for data (Fast Open): to the user the connection is open. */
bool us_tcp_deferred(const struct us_tcp *tcp);
int us_tcp_state(const struct us_tcp *tcp);	/* TCP_ESTABLISHED ... */

/**
 * struct us_tcp_queued - bytes that wait, as ioctl(2) tells them
 * @unread: received in order.
 * @unacked: to be sent or acknowledged; a FIN counts.
 * @unsent: of those, never sent.
 */
struct us_tcp_queued {
	uint32_t unread;
	uint32_t unacked;
	uint32_t unsent;
};

void us_tcp_queued(const struct us_tcp *tcp, struct us_tcp_queued *queued);
int us_tcp_inq(const struct us_tcp *tcp);	/* TCP_CM_INQ */
void us_tcp_set_quickack(struct us_tcp *tcp, int value);	/* TCP_QUICKACK */
bool us_tcp_quickack(const struct us_tcp *tcp);
void us_tcp_cc_info(const struct us_tcp *tcp, struct us_tcp_cc_info *info);
void us_tcp_info(const struct us_tcp *tcp, struct us_tcp_info *info);
void us_tcp_listen_info(const struct us_tcp_listener *listener, struct us_tcp_info *info);
void us_tcp_count_living(const struct us_stack *stack, uint64_t *counter);
void us_tcp_names(const struct us_tcp *tcp, struct us_addr *local,
		  uint16_t *local_port, struct us_addr *remote,
		  uint16_t *remote_port);

#endif /* US_TRANSPORT_TCP_H */
