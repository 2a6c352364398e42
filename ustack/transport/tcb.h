/* SPDX-License-Identifier: MIT */
/**
 * DOC: the connection block
 *
 * A connection is two blocks.  struct us_tcp is what every connection has for
 * as long as it exists: a million idle ones cost little more than this and a
 * hash slot.  struct us_tcp_active is what only a connection with something
 * under way needs - queues, loss recovery, congestion control, round-trip
 * samples - and is attached on first use (us_tcp_activate()) and folded back
 * when there was no data either way for US_TCP_IDLE (us_tcp_fold()).
 *
 * Sequence numbers, windows and ports have their RFC 9293 names.  Numbers are
 * in host byte order, ports and addresses in network byte order.
 *
 * Three clocks, all read from us_stack.now by a shift, never by a division:
 *	tick	2^20 ns, about a millisecond: timers and timestamps (RFC 7323)
 *	usec	2^10 ns, about a microsecond: round-trip times
 */
#ifndef US_TRANSPORT_TCB_H
#define US_TRANSPORT_TCB_H

#include <assert.h>

#include "transport/tcp.h"

#define US_TCP_TICK_SHIFT	20
#define US_TCP_USEC_SHIFT	10

/* us_tcp.flags */
#define US_TCP_TS		(1u << 0)  /* timestamps negotiated */
#define US_TCP_SACK		(1u << 1)  /* SACK negotiated */
#define US_TCP_WSCALE		(1u << 2)  /* window scaling negotiated */
#define US_TCP_NODELAY		(1u << 3)  /* no Nagle */
#define US_TCP_CORK		(1u << 4)  /* full segments only */
#define US_TCP_KEEPALIVE	(1u << 5)
#define US_TCP_MORE		(1u << 6)  /* last send had MSG_MORE */
#define US_TCP_ORPHAN		(1u << 7)  /* the user has let go */
#define US_TCP_FIN_QUEUED	(1u << 8)  /* FIN follows the last byte queued */
#define US_TCP_FIN_SENT		(1u << 9)  /* snd_nxt counts the FIN */
#define US_TCP_FIN_ACKED	(1u << 10)
#define US_TCP_FIN_RCVD		(1u << 11) /* rcv_nxt counts the peer's FIN */
#define US_TCP_FIN_AHEAD	(1u << 12) /* FIN came out of order, at fin_seq */
#define US_TCP_SHUT_RD		(1u << 13) /* recv() gives 0 rather than wait */
#define US_TCP_ACK_NOW		(1u << 14) /* an ACK is due in this poll */
#define US_TCP_QUEUED		(1u << 15) /* out is on the table's flush list */
#define US_TCP_PENDING		(1u << 16) /* out is on a full link's list */
#define US_TCP_PASSIVE		(1u << 17) /* came from a listener */
#define US_TCP_UNACCEPTED	(1u << 18) /* waits in an accept queue */
#define US_TCP_MEM_WAIT		(1u << 19) /* waits for send memory */
#define US_TCP_SYN_LOST		(1u << 20) /* SYN or SYN-ACK was retransmitted */
#define US_TCP_HASHED		(1u << 21) /* in the table */
#define US_TCP_DEAD		(1u << 22) /* on the table's list of the dead */
#define US_TCP_ECN		(1u << 23) /* us_tcp.ecn says which */
#define US_TCP_FASTOPEN		(1u << 24) /* opening, with data on the SYN if it can be */
#define US_TCP_DEFERRED		(1u << 25) /* the SYN waits for data; or, the peer's ACK came
					    * and had none (TCP_DEFER_ACCEPT) */
#define US_TCP_URGENT		(1u << 26) /* the peer's urgent byte is to be read */
#define US_TCP_URGING		(1u << 27) /* ours is not acknowledged */
#define US_TCP_OOBINLINE	(1u << 28) /* the urgent byte is read as any other */
#define US_TCP_RECVERR		(1u << 29) /* soft errors are told at once */
#define US_TCP_FO_COOKIE	(1u << 30) /* our SYN-ACK has a cookie of Fast Open */
#define US_TCP_SYN_DATA		(1u << 31) /* data came with the SYN, and was taken */

/* us_tcp.ecn; the first two are what we ask for, then what was agreed on. */
#define US_TCP_ECN_CLASSIC	(1u << 0)  /* RFC 3168 */
#define US_TCP_ECN_ACC		(1u << 1)  /* RFC 9768 */
#define US_TCP_ECN_ECT		(1u << 2)  /* data is sent as ECN-capable */
#define US_TCP_ECN_DEAF		(1u << 3)  /* what the peer echoes is not believed */
#define US_TCP_ECN_ECHO		(1u << 4)  /* classic: ECE until CWR comes */
#define US_TCP_ECN_CWR		(1u << 5)  /* classic: CWR goes with the next new data */
#define US_TCP_ECN_HANDSHAKE	(1u << 6)  /* the next pure ACK tells of the SYN-ACK */
#define US_TCP_ECN_NO_OPTION	(1u << 7)  /* AccECN options may be why we time out */
#define US_TCP_ECN_SYN		(3u << 8)  /* ECN field of the last SYN or SYN-ACK */
#define US_TCP_ECN_SYN_SHIFT	8
#define US_TCP_ECN_ZEROED	(1u << 10) /* the peer's options are zero: ignored */
#define US_TCP_ECN_REFUSED	(1u << 11) /* not even if the peer asks */
#define US_TCP_ECN_TESTED	(1u << 12) /* the first ACE was looked at */
#define US_TCP_ECN_SEEN		(1u << 13) /* a packet came ECN-capable */

/* What one connection may wait for; all on one wheel node, us_tcp.timer. */
enum us_tcp_timer {
	US_TCP_TIMER_REXMT,	/* retransmission, RFC 6298; SYN and SYN-ACK too */
	US_TCP_TIMER_KEEP,	/* keep-alive, RFC 9293 3.8.4 */
	US_TCP_TIMER_LINGER,	/* orphan in FIN-WAIT-2 */
	US_TCP_TIMERS_IDLE,	/* so many for a connection that is not active */
	US_TCP_TIMER_PERSIST = US_TCP_TIMERS_IDLE, /* zero window probe; a corked tail */
	US_TCP_TIMER_DELACK,	/* delayed ACK, RFC 9293 3.8.6.3 */
	US_TCP_TIMER_REO,	/* RACK reordering, RFC 8985 6.3 */
	US_TCP_TIMER_PROBE,	/* tail loss probe, RFC 8985 7 */
	US_TCP_TIMER_PACE,	/* pacing lets the next burst go */
	US_TCP_TIMER_FOLD,	/* time to look whether active can be folded */
	US_TCP_TIMERS
};

/*
 * Connections come out of one pool, but each kind has its own part of it: strangers
 * who send SYNs, and peers who keep closed connections from ending, take nothing
 * from those whom users know.
 */
enum us_tcp_share {
	US_TCP_SHARE_USER,	/* has a user, or waits for accept(2) */
	US_TCP_SHARE_HALF,	/* half open: passive, in SYN-RECEIVED */
	US_TCP_SHARE_ORPHAN,	/* the user has let go, and it closes */
	US_TCP_SHARES
};

/**
 * struct us_tcp_bind - a flow bound on a link
 * @node: in us_tcp_table.shared, if any remote end will do; else its prev is NULL.
 * @rest: in us_link.resting, while @wait alone has it.
 * @wait: the latest TIME-WAIT that has it; NULL: there is none.
 * @link: it is bound there.
 * @id: the link's name of it.
 * @refs: users: a connection or its TIME-WAIT; or listeners and all connections
 *	that came from them.  The last one unbinds.
 * @local: address, all zero is any.
 * @port: network byte order.
 * @family: AF_INET or AF_INET6.
 * @listen_peer: point-to-point listen.
 * @chosen: the link chose the port.
 * @inherited: from a connection in TIME-WAIT.
 * @iss: then: initial sequence number for the heir.
 */
struct us_tcp_bind {
	struct cds_hlist_node node;
	struct cds_list_head rest;
	struct us_tcp_wait *wait;
	struct us_link *link;
	uint32_t id;
	uint32_t refs;
	struct us_addr local;
	uint16_t port;
	uint8_t family;
	bool listen_peer;
	bool chosen;
	bool inherited;
	uint32_t iss;
};

/**
 * struct us_tcp - a connection, the part that always exists
 * @hash_next: next in the chain of the established table, or of the dead.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @flags: US_TCP_*.
 * @dst: addresses and route.
 * @active: NULL while the connection is idle.
 * @rcv_nxt: next sequence number expected.
 * @rcv_adv: right edge of the receive window as advertised; never moves left.
 * @snd_una: oldest unacknowledged.
 * @snd_nxt: next to be sent; never moves left.
 * @snd_wnd: send window, bytes from @snd_una.
 * @snd_wl1: sequence number of the segment that last updated @snd_wnd.
 * @ts_recent: TS.Recent, RFC 7323.
 * @last_ack_sent: Last.ACK.sent, RFC 7323; also where the window was last told.
 * @table: of its stack.
 * @user: given to us_tcp_user.event().
 * @accept_next: next in the accept queue; no @user yet then.
 * @linger2: seconds in FIN-WAIT-2, with US_TCP_ORPHAN; no @user any more.
 * @listener: it came from, until accepted; or NULL.
 * @bind: keeps the link's flow alive; or NULL.
 * @out: on the flush list, a link's pending list, or (SYN-RECEIVED) the
 *	listener's SYN queue.
 * @ts_offset: added to the tick in TSval.
 * @ts_recent_at: tick at which @ts_recent was set.
 * @mss: payload bytes of a full segment: options that every segment carries
 *	are taken off already.
 * @peer_mss: MSS option received, or 536 / 1220 (RFC 9293 3.7.1).
 * @state: TCP_* of <netinet/tcp.h>, which are Linux's.
 * @snd_wscale: shift of received windows.
 * @rcv_wscale: shift of advertised windows.
 * @retries: timeouts in a row (SYN, data, window probes, keep-alive probes).
 * @timer: the one wheel node.
 * @deadline: tick of each timer before US_TCP_TIMERS_IDLE, 0 if off; compared
 *	modulo 2^32.
 * @last_rcv: tick of the last segment from the peer.
 * @srtt: smoothed RTT, usec << 3; 0: no sample yet.
 * @rttvar: its variation, usec << 2.
 * @ssthresh: slow start threshold, bytes; outlives @active.
 * @max_snd_wnd: largest window the peer ever offered.
 * @rcvbuf: bytes of the receive queue.
 * @sndbuf: bytes of the send queue.
 * @total_retrans: segments retransmitted.
 * @oow_at: tick of the last answer to a segment out of the window.
 * @syn_xmit: usec at which SYN or SYN-ACK was sent first, until the connection is
 *	established; 0: not known.
 * @idle_cwnd: then: window when the active part was folded, bytes; 0: it never was.
 * @max_pacing: SO_MAX_PACING_RATE, bytes a second; US_TCP_PACING_MAX: no limit.
 * @user_timeout: ticks that data may stay unacknowledged, 0: as long as
 *	US_TCP_RETRIES take (RFC 5482).
 * @maxseg: limit of the MSS set by the user, 0 is none.
 * @error: pending error, a positive errno.
 * @soft_error: last ICMP error that did not end the connection; reported if
 *	the connection times out.
 * @adv_mss: MSS option that was sent.
 * @keep_idle: seconds of silence before the first keep-alive probe.
 * @keep_interval: seconds between them.
 * @keep_limit: probes without an answer that end the connection.
 * @syn_limit: retransmissions of our SYN.
 * @keep_probes: keep-alive probes without an answer.
 * @share: enum us_tcp_share: whose part of the pool the block is of.
 * @cc: congestion control, its row in tcp_cc.c.
 * @notsent: TCP_NOTSENT_LOWAT (tcp_notsent.c).
 * @late: the user was once busy for so long that an ACK went out late.
 * @sndbuf_set: @sndbuf is the user's, and does not grow (tcp_buffer.c).
 * @rcvbuf_set: likewise.
 * @mtu_wait: when the next search for a larger MTU may begin (tcp_mtu.c).
 * @ecn: US_TCP_ECN_*.
 * @bytes_acked: of payload that the peer has acknowledged, ever.
 * @bytes_received: of payload in order, ever.
 *
 * Line 0 and the start of line 1 are read by the lookup; line 1 holds all that
 * header prediction reads and writes.
 */
struct us_tcp {
	/* line 0: lookup */
	struct us_tcp *hash_next;
	uint16_t local_port;
	uint16_t remote_port;
	uint32_t flags;
	struct us_dst dst;
	struct us_tcp_active *active;
	uint32_t rcv_nxt;
	uint32_t rcv_adv;
	uint32_t snd_una;
	uint32_t snd_nxt;
	uint32_t snd_wnd;
	uint32_t snd_wl1;
	uint32_t ts_recent;
	uint32_t last_ack_sent;
	/* line 2: output and state */
	struct us_tcp_table *table;
	union {
		void *user;
		struct us_tcp *accept_next;
		int linger2;
	};
	struct us_tcp_listener *listener;
	struct us_tcp_bind *bind;
	struct cds_list_head out;
	uint32_t ts_offset;
	uint32_t ts_recent_at;
	uint16_t mss;
	uint16_t peer_mss;
	uint8_t state;
	uint8_t snd_wscale;
	uint8_t rcv_wscale;
	uint8_t retries;
	/* line 3: timers */
	struct us_timer timer;
	uint32_t deadline[US_TCP_TIMERS_IDLE];
	/* line 4: slow changes */
	uint32_t last_rcv;
	uint32_t srtt;
	uint32_t rttvar;
	uint32_t ssthresh;
	uint32_t max_snd_wnd;
	uint32_t rcvbuf;
	uint32_t sndbuf;
	uint32_t total_retrans;
	uint32_t oow_at;
	union {
		uint32_t syn_xmit;
		uint32_t idle_cwnd;
	};
	uint32_t max_pacing;
	uint32_t user_timeout;
	uint16_t maxseg;
	uint16_t error;
	uint16_t soft_error;
	uint16_t adv_mss;
	uint16_t keep_idle;
	uint16_t keep_interval;
	uint8_t keep_limit;
	uint8_t syn_limit;
	uint8_t keep_probes;
	uint8_t share;
	uint8_t cc : 4;
	uint8_t notsent : 1;
	uint8_t late : 1;
	uint8_t sndbuf_set : 1;
	uint8_t rcvbuf_set : 1;
	uint8_t mtu_wait;
	uint16_t ecn;
	uint64_t bytes_acked;
	uint64_t bytes_received;
};

static_assert(sizeof(struct us_tcp) <= 320, "an idle connection is small");
static_assert(offsetof(struct us_tcp, rcv_nxt) >= 64 &&
	      offsetof(struct us_tcp, last_ack_sent) + 4 <= 128,
	      "header prediction: one line beside the lookup's");
static_assert(offsetof(struct us_tcp, timer) == 192, "timers: one line");

/* us_tcp_sent.flags */
#define US_TCP_SACKED	(1u << 0) /* the peer holds it */
#define US_TCP_LOST	(1u << 1) /* taken for lost */
#define US_TCP_RETRANS	(1u << 2) /* LOST, and sent again since */
#define US_TCP_EVER	(1u << 3) /* ever retransmitted: no RTT sample (Karn) */

/**
 * struct us_tcp_sent - a run of sequence space in flight
 * @node: in us_tcp_active.flight, by sequence number.
 * @seq: first.
 * @end: one past the last; a FIN counts.
 * @xmit: usec of the last transmission.
 * @flags: US_TCP_SACKED...
 * @delivered: us_tcp_active.delivered when it was sent...
 * @delivered_at: ... and .delivered_at...
 * @first_sent: ... and .first_sent...
 * @lost: ... and .lost_ever...
 * @in_flight: ... and the bytes in flight, itself included...
 * @app_limited: ... and .app_limited (tcp_rate.c).
 * @blurred: what comes first in it was sent before @xmit: no RTT sample.
 *
 * Neighbours sent at the same time, or both sacked, are one run; and what is sent while
 * there are as many runs as may be.
 */
struct us_tcp_sent {
	struct cds_list_head node;
	uint32_t seq;
	uint32_t end;
	uint32_t xmit;
	uint32_t flags;
	uint32_t delivered;
	uint32_t delivered_at;
	uint32_t first_sent;
	uint32_t lost;
	uint32_t in_flight;
	bool app_limited;
	bool blurred;
};

/**
 * struct us_tcp_sack - one SACK block, RFC 2018
 * @start: first sequence number.
 * @end: one past the last.
 */
struct us_tcp_sack {
	uint32_t start;
	uint32_t end;
};

#define US_TCP_SACKS	4

/* What holds a connection up that has something to send (RFC 4898 SndLimState). */
enum us_tcp_limit {
	US_TCP_LIMIT_NONE,	/* nothing to send, nothing on its way */
	US_TCP_LIMIT_PATH,	/* the congestion window, or the path itself */
	US_TCP_LIMIT_PEER,	/* the peer's window */
	US_TCP_LIMIT_SENDER,	/* the send queue: all that fits into it is sent */
	US_TCP_LIMITS
};

/**
 * struct us_tcp_totals - what a connection did since it was last folded (RFC 4898)
 * @bytes_sent: payload, repetitions included.
 * @bytes_retrans: payload that was sent again.
 * @limited: usec in each state; those of US_TCP_LIMIT_NONE are not counted.
 * @segs_in: segments received.
 * @segs_out: segments sent.
 * @data_in: of them, with payload.
 * @data_out: likewise.
 * @delivered_ce: segments that arrived marked.
 * @dsacks: segments that the peer says it had twice...
 * @twice: ... and where the last of them began.
 * @ooo: segments received out of order.
 * @rtos: retransmission timeouts.
 * @rto_times: how often they began; one may lead to others.
 * @rto_ticks: time lost by them.
 * @rate_bytes: delivered in the last sample of the delivery rate...
 * @rate_usec: ...in so much time.
 * @limit_at: usec since which @limit holds.
 * @limit: enum us_tcp_limit.
 */
struct us_tcp_totals {
	uint64_t bytes_sent;
	uint64_t bytes_retrans;
	uint64_t limited[US_TCP_LIMITS];
	uint32_t segs_in;
	uint32_t segs_out;
	uint32_t data_in;
	uint32_t data_out;
	uint32_t delivered_ce;
	uint32_t dsacks;
	uint32_t ooo;
	uint16_t rtos;
	uint16_t rto_times;
	uint32_t rto_ticks;
	uint32_t rate_bytes;
	uint32_t rate_usec;
	uint32_t limit_at;
	uint32_t twice;
	uint8_t limit;
};

struct us_tcp_cc;
struct us_tcp_reass;

/**
 * struct us_tcp_marks - one direction's counters of AccECN, RFC 9768 3.2
 * @cep: packets marked CE.
 * @bytes: of payload, by enum us_ecn; none are counted for not-ECT.
 */
struct us_tcp_marks {
	uint32_t cep;
	uint32_t bytes[4];
};

/**
 * struct us_tcp_accecn - both directions; with US_TCP_ECN_ACC
 * @r: received by us, told to the peer.
 * @s: received by the peer, as far as told to us.
 * @ts: TSval of the last ACK that was believed.
 * @changed: bits by enum us_ecn: counted up since the last ACK.
 * @ever: bits by enum us_ecn: counted up at all.
 * @unsaid: packets marked CE since the last ACK.
 * @probe: data is still to try whether the option gets through.
 * @last_ce: the last packet was marked CE.
 * @marked: the last ACK told of new marks.
 * @again: the last marked data had come before.
 */
struct us_tcp_accecn {
	struct us_tcp_marks r;
	struct us_tcp_marks s;
	uint32_t ts;
	uint8_t changed;
	uint8_t ever;
	uint8_t unsaid;
	bool probe : 1;
	bool last_ce : 1;
	bool marked : 1;
	bool again : 1;
};

/**
 * struct us_tcp_active - a connection, the part that exists while it is active
 * @snd_first: send queue: chunks by sequence number, from @snd_una's on.
 * @snd_last: its tail, to which is appended.
 * @snd_at: the chunk that holds us_tcp.snd_nxt, or the tail; NULL: look for it.
 * @snd_end: one past the last byte queued, FIN not counted.
 * @cwnd: congestion window, bytes.
 * @sacked: bytes in flight that the peer holds (without SACK: guessed from
 *	duplicate ACKs).
 * @lost: bytes in flight taken for lost.
 * @retrans: bytes of @lost that were sent again.
 * @flight: struct us_tcp_sent.node.
 * @lost_hint: no run before it is lost and not yet sent again; NULL: none at all.
 * @high_seq: snd_nxt when recovery began: it ends when that is acknowledged.
 * @undo_una: snd_una when cwnd was reduced; the recovery may be undone.
 * @undo_cwnd: cwnd before.
 * @undo_ssthresh: ssthresh before.
 * @undo_resent: bytes sent again since, of which the peer did not yet say that it had
 *	them twice.
 * @rack_copy: what RACK knows is of something that was sent twice.
 * @resent_twice: something of that more than once.
 * @retrans_ts: TSval of the first retransmission of this recovery (Eifel).
 * @ca_state: TCP_CA_*.
 * @dupacks: duplicate ACKs in a row, US_TCP_DUP_THRESH at most.
 * @last_flight: bytes in flight when something new was sent last.
 * @cwnd_limited: cwnd, not the application, stopped the last output.
 * @reordering_seen: RACK.
 * @reo_steps: by how many quarters of min_rtt its reordering window is larger (D-SACK)...
 * @reo_persist: ... for so many recoveries more.
 * @reo_told: it grew in this round trip.
 * @deadline: tick of each timer from US_TCP_TIMERS_IDLE on, as us_tcp.deadline.
 * @prr_delivered: bytes delivered since recovery began, RFC 9937.
 * @prr_out: bytes sent since.
 * @recover_fs: bytes in flight when recovery began.
 * @rack_xmit: usec at which the most recently sent run was delivered...
 * @rack_end: ... and its end.
 * @rack_rtt: its round-trip time, usec.
 * @resent_at: usec at which something was last sent again; a little more than the time
 *	if new data was sent before in the same poll.
 * @rack_fack: highest sequence number sacked or acknowledged.
 * @min_rtt: least RTT of this period and the one before, usec...
 * @rtt_lately: ... of this period...
 * @rtt_at: ... which began at this tick (tcp_rack.c).
 * @round_una: snd_una when this round trip began (tcp_cwv.c).
 * @round_end: snd_nxt when it began: it ends when that is acknowledged.
 * @pipe_ack: most bytes acknowledged in a round trip of this period, and of the one
 *	before.
 * @pipe_at: tick at which this period began.
 * @validated_at: tick at which the window was last used by a half at least, or halved.
 * @delivered: bytes that ever arrived, sacked or acknowledged.
 * @delivered_at: usec of the last of them.
 * @first_sent: usec at which the youngest run delivered was sent; or the first, since
 *	something was last in flight.
 * @lost_ever: bytes ever taken for lost.
 * @app_limited_end: with @app_limited: @delivered at which that ends.
 * @app_limited: samples tell of the application, not of the path.
 * @frto: step of RFC 5682 (tcp_frto.c), 0: none.
 * @pacing_rate: bytes a second, 0: not paced.
 * @pace_at: when the next burst may leave, ns.
 * @pace_end: a window begun without ACKs is paced until this is acknowledged.
 * @limited_end: snd_nxt when cwnd last stopped output.
 * @tlp_end: snd_nxt at the tail loss probe; 0: none outstanding.
 * @tlp_again: the probe was a copy, not new data.
 * @last_snd: tick of the last data sent.
 * @snd_sml: end of the last segment sent that was not full (Minshall's Nagle).
 * @cc: congestion control.
 * @cc_state: its own.
 * @rcvq: payload in order, struct us_pkt.node; not yet read.
 * @rcv_bytes: in @rcvq.
 * @rcv_mss: the peer's segment size, as far as seen.
 * @reass: out-of-order data, NULL if none.
 * @fin_seq: with US_TCP_FIN_AHEAD.
 * @last_data: tick of the last data received.
 * @rcv_round_at: usec at which this round began, 0: none did (tcp_buffer.c)...
 * @rcv_round_end: ... and where it ends, half a window later.
 * @quick: segments still to be acknowledged at once.
 * @pingpong: interactive: acknowledge with the answer.
 * @pushed: the last segment in order had PSH.
 * @nr_sack: used elements of @sack.
 * @sack: blocks to report, most recent first.
 * @dsack: duplicate to report once; start == end: none.
 * @held: in us_tcp_table.held while @rcvq holds packets of a link.
 * @mem_wait: in us_tcp_table.mem_wait.
 * @owner: the connection.
 * @nr_sent: runs in @flight.
 * @snd_up: one past the last urgent byte, with US_TCP_URGING.
 * @urg_seq: sequence number of the urgent byte, with US_TCP_URGENT.
 * @urg: the byte, or where it is: see tcp_urgent.c.
 * @persist_shift: backoff of the persist timer.
 * @syn_data: bytes that went with our SYN.
 * @mtu_seq: first sequence number of the probe of the path's MTU (tcp_mtu.c)...
 * @mtu_len: ... its payload bytes...
 * @mtu_probe: ... and those of the packet; 0: none is on its way.
 * @mtu_high: larger packets do not get through; 0: no search goes on.
 * @accecn: counters of ECN marks.
 * @totals: for TCP_INFO.
 * @snd_lent: the chunk, @snd_last, whose free room is lent to the user (a reference);
 *	or NULL.
 * @snd_lent_room: bytes that its size is too small meanwhile.
 * @snd_lent_len: bytes lent.
 * @rcv_lent: sequence number of the first byte lent to the reader...
 * @rcv_lent_end: ... and one past the last; while the first packet of @rcvq is lent.
 * @stalled_at: tick since which nothing was acknowledged or the window closed;
 *	while us_tcp.retries or @persist_shift count.
 */
struct us_tcp_active {
	/* line 0: output */
	struct us_chunk *snd_first;
	struct us_chunk *snd_last;
	struct us_chunk *snd_at;
	uint32_t snd_end;
	uint32_t cwnd;
	uint32_t sacked;
	uint32_t lost;
	uint32_t retrans;
	uint32_t nr_sent;
	struct cds_list_head flight;
	/* line 1: acknowledgement */
	struct us_tcp_sent *lost_hint;
	const struct us_tcp_cc *cc;
	uint32_t high_seq;
	uint32_t last_flight;
	uint32_t min_rtt;
	uint32_t rack_xmit;
	uint32_t rack_end;
	uint32_t rack_rtt;
	uint32_t rack_fack;
	uint8_t ca_state;
	bool cwnd_limited;
	bool reordering_seen;
	uint8_t persist_shift;
	uint32_t last_snd;
	uint32_t tlp_end;
	uint32_t snd_sml;
	uint32_t snd_lent_len;
	/* line 2: receiving */
	struct cds_list_head rcvq;
	struct us_tcp_reass *reass;
	uint32_t rcv_bytes;
	uint32_t rcv_mss;
	uint32_t last_data;
	uint32_t rcv_round_end;
	uint8_t quick;
	bool pingpong;
	bool pushed;
	uint8_t nr_sack;
	struct us_tcp_sack dsack;
	uint32_t rcv_lent;
	struct cds_list_head held;
	/* recovery and what is rarer */
	struct us_tcp_sack sack[US_TCP_SACKS];
	struct cds_list_head mem_wait;
	struct us_tcp *owner;
	uint32_t deadline[US_TCP_TIMERS - US_TCP_TIMERS_IDLE];
	uint32_t undo_una;
	uint32_t undo_cwnd;
	uint32_t undo_ssthresh;
	uint32_t undo_resent;
	uint32_t resent_at;
	uint32_t retrans_ts;
	uint32_t prr_delivered;
	uint32_t prr_out;
	uint32_t recover_fs;
	uint32_t stalled_at;
	uint32_t round_una;
	uint32_t round_end;
	uint32_t pipe_ack[2];
	uint32_t pipe_at;
	uint32_t validated_at;
	uint32_t delivered;
	uint32_t delivered_at;
	uint32_t first_sent;
	uint32_t lost_ever;
	uint32_t rtt_lately;
	uint32_t rtt_at;
	uint32_t app_limited_end;
	bool app_limited;
	uint8_t frto;
	uint8_t reo_steps;
	uint8_t reo_persist;
	uint64_t pacing_rate;
	us_ns pace_at;
	uint32_t pace_end;
	uint32_t limited_end;
	struct us_tcp_accecn accecn;
	uint32_t snd_up;
	uint32_t urg_seq;
	uint32_t rcv_round_at;
	uint32_t fin_seq;
	uint32_t mtu_seq;
	uint16_t mtu_len;
	uint16_t mtu_probe;
	uint16_t mtu_high;
	uint16_t urg;
	uint16_t syn_data;
	bool reo_told : 1;
	bool tlp_again : 1;
	bool resent_twice : 1;
	bool rack_copy : 1;
	uint8_t dupacks;
	struct us_tcp_totals totals;
	struct us_chunk *snd_lent;
	uint32_t snd_lent_room;
	uint32_t rcv_lent_end;
	uint64_t cc_state[21];
};

static_assert(sizeof(struct us_tcp_active) <= 768, "an active connection is not large");
static_assert(offsetof(struct us_tcp_active, lost_hint) == 64, "line 1");
static_assert(offsetof(struct us_tcp_active, rcvq) == 128, "line 2");

/* Sequence numbers and ticks, modulo 2^32. */
static inline bool us_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool us_after(uint32_t a, uint32_t b)
{
	return us_before(b, a);
}

static inline uint32_t us_seq_min(uint32_t a, uint32_t b)
{
	return us_before(a, b) ? a : b;
}

static inline uint32_t us_seq_max(uint32_t a, uint32_t b)
{
	return us_before(a, b) ? b : a;
}

#endif /* US_TRANSPORT_TCB_H */
