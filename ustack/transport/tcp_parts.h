/* SPDX-License-Identifier: MIT */
/* What the files of TCP call of one another.  Each function is described where
 * it is defined; the order is that of a segment's way in and out.
 */
#ifndef US_TRANSPORT_TCP_PARTS_H
#define US_TRANSPORT_TCP_PARTS_H

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>

#include "transport/tcb.h"
#include "wire/tcp.h"

/* Times in usec (2^10 ns). */
#define US_TCP_MSEC(ms)		((uint32_t)((ms) * 1000000ULL >> US_TCP_USEC_SHIFT))
#define US_TCP_RTO_INIT		US_TCP_MSEC(1000)	/* RFC 6298 2.1 */
#define US_TCP_RTO_LOST		US_TCP_MSEC(3000)	/* after a SYN, RFC 6298 5.7 */
#define US_TCP_RTO_MIN		US_TCP_MSEC(200)	/* as Linux */
#define US_TCP_RTO_MAX		US_TCP_MSEC(120000)
#define US_TCP_DELACK		US_TCP_MSEC(40)
#define US_TCP_DELACK_MAX	US_TCP_MSEC(200)	/* as Linux: of a SYN-ACK */
#define US_TCP_SYNACK_RETRIES	5
#define US_TCP_PEER_RETRIES	1	/* after 1 s; 2 s more are the latch's 3 s */
#define US_TCP_R1		3	/* RFC 9293 3.8.3 */
#define US_TCP_RETRIES		15	/* its R2 */
#define US_TCP_ORPHAN_RETRIES	8
#define US_TCP_LOOK		US_TCP_MSEC(1000)	/* is anything under way? */
#define US_TCP_IDLE		US_TCP_MSEC(10000)	/* as long as BBR knows min_rtt */
#define US_TCP_WAIT_TICKS	us_tcp_ticks(60 * US_SEC)	/* TIME-WAIT */
#define US_TCP_OOW_TICKS	477u			/* 500 ms */

#define US_TCP_DUP_THRESH	3
#define US_TCP_QUICK_ACKS	16	/* as Linux: at the start, after a pause or a loss */
#define US_TCP_INITIAL_WINDOW	10			/* segments, RFC 6928 */
#define US_TCP_MIN_MSS		48u			/* as Linux: bounds a hostile MSS */
#define US_TCP_MAX_WSCALE	14
#define US_TCP_CWND_MAX		(1u << 30)
#define US_TCP_SSTHRESH_INF	(1u << 30)

#define US_TCP_FO_MIN		4u	/* bytes of a Fast Open cookie, RFC 7413 4.1.1 */
#define US_TCP_FO_MAX		16u

/**
 * struct us_tcp_segment - a received segment, parsed; host byte order
 * @pkt: payload (data, len); NULL once somebody took it.
 * @src: address.
 * @dst: address.
 * @source: port, network byte order.
 * @dest: port, network byte order.
 * @seq: first sequence number.
 * @end: one past the last: payload, SYN and FIN.
 * @ack: acknowledgement number.
 * @window: as in the header, not scaled.
 * @len: bytes of payload.
 * @urgent: pointer, with US_TCP_URG.
 * @flags: US_TCP_FIN... without those of ECN.
 * @ace: AE, CWR and ECE, the lowest.
 * @ecn: enum us_ecn, of the IP header.
 * @fo_len: bytes of the cookie in a Fast Open option, on SYN; negative: no option.
 * @has_ts: timestamps option present.
 * @has_wscale: window scale option present.
 * @sack_ok: SACK permitted option present.
 * @nr_sack: used elements of @sack.
 * @wscale: shift, at most 14.
 * @mss: of the option, 0 if absent.
 * @ts_val: TSval.
 * @ts_ecr: TSecr.
 * @sack: blocks, unchecked.
 * @has_mark: bits by enum us_ecn: which counters the AccECN option has; bit 0: the
 *	option itself is there.
 * @marks: these counters, 24 bits.
 * @fo: the cookie.
 */
struct us_tcp_segment {
	struct us_pkt *pkt;
	const struct us_addr *src;
	const struct us_addr *dst;
	uint16_t source;
	uint16_t dest;
	uint32_t seq;
	uint32_t end;
	uint32_t ack;
	uint32_t window;
	uint32_t len;
	uint16_t urgent;
	uint8_t flags;
	uint8_t ace;
	uint8_t ecn;
	uint8_t has_mark;
	int8_t fo_len;
	bool has_ts;
	bool has_wscale;
	bool sack_ok;
	uint8_t nr_sack;
	uint8_t wscale;
	uint16_t mss;
	uint32_t ts_val;
	uint32_t ts_ecr;
	struct us_tcp_sack sack[US_TCP_SACKS];
	uint32_t marks[4];
	uint8_t fo[US_TCP_FO_MAX];
};

/* Of how many it was made. */
static inline uint32_t us_tcp_segments(const struct us_tcp_segment *seg)
{
	return seg->pkt->gso ? us_max32(seg->pkt->gso_segs, 1) : 1;
}

/**
 * struct us_tcp_rate - what one ACK told of the delivery rate (tcp_rate.c)
 * @delivered: bytes that arrived during @interval.
 * @interval: usec; 0: unknown.
 * @prior_delivered: us_tcp_active.delivered when the youngest run delivered was sent.
 * @prior_lost: us_tcp_active.lost_ever then.
 * @in_flight: bytes in flight then, that run included.
 * @valid: something was delivered.
 * @app_limited: the sample tells of the application, not of the path.
 */
struct us_tcp_rate {
	uint32_t delivered;
	uint32_t interval;
	uint32_t prior_delivered;
	uint32_t prior_lost;
	uint32_t in_flight;
	bool valid;
	bool app_limited;
};

/**
 * struct us_tcp_acked - what one ACK told
 * @seg: the ACK; NULL: it acknowledges what was sent once, or there is none.
 * @acked: bytes newly acknowledged in sequence.
 * @delivered: bytes newly acknowledged or sacked.
 * @prior_una: snd_una before.
 * @first_xmit: usec of the oldest run acknowledged that was sent only once.
 * @rtt: round-trip time of the youngest run delivered that was sent only once, usec;
 *	0: none.
 * @timed: it is valid.
 * @retrans: a run that had been retransmitted was acknowledged.
 * @repeated: it tells nothing that an ACK before did not, as far as number and window go.
 * @duplicate: a duplicate ACK, RFC 5681 2: so, and something is in flight.
 * @dsack: tells of a segment received twice, RFC 2883.
 * @twice: that is all that was sent again since the last reduction (tcp_undo.c).
 * @newly_lost: loss detection found more.
 * @round: what was in flight when the round trip began is acknowledged.
 * @rate: how fast it came.
 */
struct us_tcp_acked {
	const struct us_tcp_segment *seg;
	uint32_t acked;
	uint32_t delivered;
	uint32_t prior_una;
	uint32_t first_xmit;
	uint32_t rtt;
	bool timed;
	bool retrans;
	bool repeated;
	bool duplicate;
	bool dsack;
	bool twice;
	bool newly_lost;
	bool round;
	struct us_tcp_rate rate;
};

#define US_TCP_BLOCK		4096u

/**
 * struct us_tcp_block - received bytes that were copied out of a link's memory
 * @pkt: makes it a member of a receive queue; pkt.link is NULL.
 * @filled: bytes filled from the start of @bytes.
 * @pad: unused.
 * @bytes: the bytes.
 */
struct us_tcp_block {
	struct us_pkt pkt;
	uint32_t filled;
	uint32_t pad;
	uint8_t bytes[US_TCP_BLOCK - sizeof(struct us_pkt) - 8];
};

static_assert(sizeof(struct us_tcp_block) == US_TCP_BLOCK, "a block is a page");

#define US_TCP_BLOCK_BYTES	((uint32_t)sizeof(((struct us_tcp_block *)0)->bytes))

/**
 * struct us_tcp_range - data received out of order
 * @start: first sequence number.
 * @end: one past the last.
 * @first: ring of blocks (no head), linked by us_pkt.node.
 */
struct us_tcp_range {
	uint32_t start;
	uint32_t end;
	struct us_pkt *first;
};

#define US_TCP_RANGES	((US_TCP_BLOCK - 16) / sizeof(struct us_tcp_range))

/**
 * struct us_tcp_reass - everything received out of order; lives in one block
 * @nr: used elements of @range.
 * @blocks: in all ranges.
 * @bytes: in all ranges.
 * @since: tick of the first of them.
 * @range: by sequence number, never adjacent.
 */
struct us_tcp_reass {
	uint32_t nr;
	uint32_t blocks;
	uint32_t bytes;
	uint32_t since;
	struct us_tcp_range range[US_TCP_RANGES];
};

static_assert(sizeof(struct us_tcp_reass) <= US_TCP_BLOCK, "lives in one block");

/**
 * struct us_tcp_wait - a connection in TIME-WAIT
 * @hash_next: next in the chain.
 * @node: in us_tcp_table.waits, oldest first.
 * @local: address.
 * @remote: address.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @snd_nxt: RFC 9293.
 * @rcv_nxt: RFC 9293.
 * @ts_recent: RFC 7323.
 * @ts_offset: of the connection.
 * @expires: tick.
 * @window: to put into the header.
 * @family: AF_INET or AF_INET6.
 * @has_ts: timestamps were negotiated.
 * @bind: keeps the flow alive, or NULL.
 * @oow_at: tick of the last answer to a segment without data.
 */
struct us_tcp_wait {
	struct us_tcp_wait *hash_next;
	struct cds_list_head node;
	struct us_addr local;
	struct us_addr remote;
	uint16_t local_port;
	uint16_t remote_port;
	uint32_t snd_nxt;
	uint32_t rcv_nxt;
	uint32_t ts_recent;
	uint32_t ts_offset;
	uint32_t expires;
	uint32_t oow_at;
	uint16_t window;
	uint8_t family;
	bool has_ts;
	struct us_tcp_bind *bind;
};

static_assert(sizeof(struct us_tcp_wait) <= 96, "TIME-WAIT is a small record");

/* Initial sequence number of a successor: beyond all that the old connection used. */
static inline uint32_t us_tcp_wait_iss(const struct us_tcp_wait *wait)
{
	return wait->snd_nxt + 65535 + 2;
}

#define US_TCP_LISTEN_FLOWS	16	/* of 8 links */

/**
 * struct us_tcp_listener - a listening port
 * @next: in its bucket.
 * @at_port: in us_tcp_table.listen_ports.
 * @table: its table.
 * @local: address, all zero for any of the family.
 * @port: network byte order.
 * @family: AF_INET, AF_INET6, or AF_UNSPEC: both.
 * @listen_peer: one peer at a time.
 * @options: inherited by its connections.
 * @user: given to us_tcp_user.accept().
 * @backlog: most connections that wait to be accepted.
 * @nr_syn: in @syns.
 * @nr_accept: in the accept queue.
 * @syns: connections in SYN-RECEIVED, oldest first.
 * @accept_first: head of the accept queue.
 * @accept_last: its tail.
 * @peer: with @listen_peer: the connection that has the port.
 * @bind: the flows bound, one a link and family.
 * @nr_bind: used elements.
 */
struct us_tcp_listener {
	struct us_tcp_listener *next;
	struct cds_hlist_node at_port;
	struct us_tcp_table *table;
	struct us_addr local;
	uint16_t port;
	uint8_t family;
	bool listen_peer;
	struct us_tcp_options options;
	void *user;
	uint32_t backlog;
	uint32_t nr_syn;
	uint32_t nr_accept;
	struct cds_list_head syns;
	struct us_tcp *accept_first;
	struct us_tcp *accept_last;
	struct us_tcp *peer;
	struct us_tcp_bind *bind[US_TCP_LISTEN_FLOWS];
	uint32_t nr_bind;
};

#define US_TCP_FO_PEERS		64u

/**
 * struct us_tcp_fo_peer - what a client knows of a server for Fast Open
 * @remote: address; all zero: nothing is known.
 * @lost_at: when a SYN with a cookie was lost last, with @losses.
 * @mss: that it told.
 * @len: bytes of @cookie; 0: none yet.
 * @losses: SYNs lost since one was not.
 * @cookie: that it gave.
 */
struct us_tcp_fo_peer {
	struct us_addr remote;
	us_ns lost_at;
	uint16_t mss;
	uint8_t len;
	uint8_t losses;
	uint8_t cookie[US_TCP_FO_MAX];
};

/**
 * struct us_tcp_clock - where the timestamps of connections between two hosts begin
 * @local: address; all zero: of none.
 * @remote: address.
 * @offset: us_tcp.ts_offset.
 */
struct us_tcp_clock {
	struct us_addr local;
	struct us_addr remote;
	uint32_t offset;
};

/**
 * struct us_tcp_table - all of TCP of one stack
 * @stack: its stack.
 * @user: the socket layer.
 * @last: connection of the last segment: most segments come in runs.
 * @hash: established table: everything that has both ends.
 * @wait_hash: the same for TIME-WAIT.
 * @listen_hash: listeners by address and port, those of any address by port.
 * @listen_ports: of struct us_tcp_listener.at_port: listeners by port alone.
 * @mask: buckets of @hash - 1.
 * @wait_mask: buckets of @wait_hash - 1.
 * @listen_mask: buckets of @listen_hash, @listen_ports and @shared - 1.
 * @key: of the two tables' hash.
 * @conns: pool of struct us_tcp.
 * @share: what each kind of connection has of @conns, and may have.
 * @actives: pool of struct us_tcp_active.
 * @sents: pool of struct us_tcp_sent.
 * @blocks: pool of struct us_tcp_block.
 * @promised: of @blocks, for packets of links that receive queues hold: so that
 *	they can be copied out whenever a link runs short.
 * @wait_pool: pool of struct us_tcp_wait.
 * @binds: pool of struct us_tcp_bind.
 * @listener_pool: pool of struct us_tcp_listener.
 * @flush: connections with something to send in this poll.
 * @held: connections whose receive queue holds packets of a link.
 * @mem_wait: connections that wait for send memory.
 * @waits: TIME-WAIT, oldest first.
 * @shared: of struct us_tcp_bind.node: the flows of listeners, by address and port.
 * @wait_timer: of the oldest.
 * @dead: connections to be freed when the call at work ends.
 * @port_offset: RFC 6056, algorithm 3.
 * @offer: US_TCP_TS, US_TCP_SACK, US_TCP_WSCALE: what a SYN offers.
 * @clock: of two hosts, between which was the last connection that was offered.
 * @nr_fastopen: passive connections in SYN-RECEIVED that opened with data.
 * @fo_peer: by hash of the address; a new one takes another's place.
 * @cookie_at: when the last SYN cookie was sent; US_NEVER: none was.
 * @cc: congestion control of new sockets, its row in tcp_cc.c.
 */
struct us_tcp_table {
	struct us_stack *stack;
	const struct us_tcp_user *user;
	struct us_tcp *last;
	struct us_tcp **hash;
	struct us_tcp_wait **wait_hash;
	struct us_tcp_listener **listen_hash;
	struct cds_hlist_head *listen_ports;
	uint32_t mask;
	uint32_t wait_mask;
	uint32_t listen_mask;
	uint64_t key[4];
	struct us_pool conns;
	struct {
		uint32_t used;
		uint32_t most;
	} share[US_TCP_SHARES];
	struct us_pool actives;
	struct us_pool sents;
	struct us_pool blocks;
	uint32_t promised;
	struct us_pool wait_pool;
	struct us_pool binds;
	struct us_pool listener_pool;
	struct cds_list_head flush;
	struct cds_list_head held;
	struct cds_list_head mem_wait;
	struct cds_list_head waits;
	struct cds_hlist_head *shared;
	struct us_timer wait_timer;
	struct us_tcp *dead;
	uint32_t port_offset;
	uint32_t offer;
	struct us_tcp_clock clock;
	us_ns cookie_at;
	uint32_t nr_fastopen;
	struct us_tcp_fo_peer fo_peer[US_TCP_FO_PEERS];
	uint8_t cc;
};

/**
 * struct us_tcp_reply - a segment without payload that needs no connection
 * @dst: route.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @seq: sequence number.
 * @ack: acknowledgement number.
 * @window: not scaled.
 * @flags: US_TCP_FIN...
 * @has_ts: with timestamps.
 * @ts_val: TSval.
 * @ts_ecr: TSecr.
 */
struct us_tcp_reply {
	struct us_dst dst;
	uint16_t local_port;
	uint16_t remote_port;
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint8_t flags;
	bool has_ts;
	uint32_t ts_val;
	uint32_t ts_ecr;
};

/* tcp_table.c */
struct us_tcp *us_tcp_lookup(struct us_tcp_table *table,
			     const struct us_addr *local, uint16_t local_port,
			     const struct us_addr *remote, uint16_t remote_port);
uint32_t us_tcp_hash(const struct us_tcp_table *table,
		     const struct us_addr *local, uint16_t local_port,
		     const struct us_addr *remote, uint16_t remote_port);
void us_tcp_insert(struct us_tcp *tcp);
void us_tcp_remove(struct us_tcp *tcp);
struct us_tcp *us_tcp_alloc(struct us_tcp_table *table, const struct us_dst *dst,
			    uint16_t local_port, uint16_t remote_port,
			    const struct us_tcp_options *options,
			    enum us_tcp_share share);
void us_tcp_init(struct us_tcp *tcp, struct us_tcp_table *table,
		 const struct us_dst *dst, uint16_t local_port,
		 uint16_t remote_port, const struct us_tcp_options *options);
bool us_tcp_move(struct us_tcp *tcp, enum us_tcp_share to);
void us_tcp_reap(struct us_tcp_table *table);
bool us_tcp_activate(struct us_tcp *tcp);
void us_tcp_fold(struct us_tcp *tcp);
int us_tcp_port_choose(struct us_tcp_table *table, const struct us_dst *dst,
		       uint16_t remote_port, uint16_t *local_port);

/* tcp_bind.c */
int us_tcp_bind_flow(struct us_tcp_table *table, struct us_link *link,
		     struct us_flow *flow, struct us_tcp_bind **bind);
void us_tcp_bind_get(struct us_tcp_bind *bind);
void us_tcp_bind_put(struct us_tcp_table *table, struct us_tcp_bind *bind);
void us_tcp_bind_wait(struct us_tcp_bind *bind, struct us_tcp_wait *wait);

/* tcp_wait.c */
struct us_tcp_wait *us_tcp_wait_lookup(struct us_tcp_table *table,
				       const struct us_addr *local,
				       uint16_t local_port,
				       const struct us_addr *remote,
				       uint16_t remote_port);
void us_tcp_wait_enter(struct us_tcp *tcp);
bool us_tcp_wait_input(struct us_tcp_table *table, struct us_tcp_wait *wait,
		       struct us_tcp_segment *seg, uint32_t *iss);
void us_tcp_wait_expire(struct us_timer *timer, us_ns now);
void us_tcp_wait_drop(struct us_tcp_table *table, struct us_tcp_wait *wait);

/* tcp_options.c */
bool us_tcp_parse(struct us_stack *stack, struct us_pkt *pkt,
		  struct us_tcp_segment *seg);
uint32_t us_tcp_put_options(struct us_tcp *tcp, uint8_t flags, uint8_t *at);
uint32_t us_tcp_option_room(const struct us_tcp *tcp);
void us_tcp_negotiate(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_set_mss(struct us_tcp *tcp);
uint16_t us_tcp_mss_of(const struct us_dst *dst, uint16_t maxseg);
uint8_t us_tcp_wscale_of(uint32_t rcvbuf);

/* tcp_input*.c */
void us_tcp_input(struct us_stack *stack, struct us_pkt *pkt,
		  const struct us_addr *src, const struct us_addr *dst);
void us_tcp_input_syn_sent(struct us_tcp *tcp, struct us_tcp_segment *seg);
void us_tcp_input_checks(struct us_tcp *tcp, struct us_tcp_segment *seg);
void us_tcp_ack_now(struct us_tcp *tcp);
void us_tcp_schedule_ack(struct us_tcp *tcp);
bool us_tcp_ack_may_wait(const struct us_tcp *tcp);
void us_tcp_input_text(struct us_tcp *tcp, struct us_tcp_segment *seg);
void us_tcp_input_next(struct us_tcp *tcp, struct us_tcp_segment *seg);
bool us_tcp_paws_ok(const struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_note_ts(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_challenge(struct us_tcp *tcp);
bool us_tcp_answered_lately(const struct us_stack *stack, uint32_t *at);

/* tcp_ack.c */
bool us_tcp_ack_nothing(struct us_tcp *tcp, const struct us_tcp_segment *seg);
bool us_tcp_ack_all(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_rtt_sample(struct us_tcp *tcp, uint32_t usec);
uint32_t us_tcp_rto(const struct us_tcp *tcp);
uint32_t us_tcp_rto_after(const struct us_tcp *tcp, uint32_t timeouts);

/* tcp_flight.c */
bool us_tcp_flight_ready(const struct us_tcp *tcp);
void us_tcp_flight_add(struct us_tcp *tcp, uint32_t seq, uint32_t end);
void us_tcp_flight_ack(struct us_tcp *tcp, uint32_t ack, struct us_tcp_acked *r);
bool us_tcp_flight_is_one(const struct us_tcp_active *a);
void us_tcp_flight_ack_all(struct us_tcp *tcp, struct us_tcp_acked *r);
void us_tcp_flight_sack(struct us_tcp *tcp, const struct us_tcp_sack *block,
			struct us_tcp_acked *r);
bool us_tcp_flight_split(struct us_tcp *tcp, struct us_tcp_sent *sent, uint32_t at);
void us_tcp_flight_lose(struct us_tcp *tcp, struct us_tcp_sent *sent);
void us_tcp_flight_lose_head(struct us_tcp *tcp);
void us_tcp_flight_lose_old(struct us_tcp *tcp, uint32_t age);
struct us_tcp_sent *us_tcp_flight_lost(struct us_tcp *tcp);
uint32_t us_tcp_flight_again(struct us_tcp *tcp);
void us_tcp_flight_resent(struct us_tcp *tcp, struct us_tcp_sent *sent);
void us_tcp_flight_free(struct us_tcp *tcp);
uint32_t us_tcp_pipe(const struct us_tcp *tcp);

/* tcp_recovery.c */
void us_tcp_adjust_cwnd(struct us_tcp *tcp, const struct us_tcp_acked *r);
void us_tcp_recover(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		    struct us_tcp_acked *r);
void us_tcp_recover_timeout(struct us_tcp *tcp);
void us_tcp_recover_mtu(struct us_tcp *tcp);
bool us_tcp_congested(struct us_tcp *tcp, uint32_t delivered);

/* tcp_mtu.c */
void us_tcp_mtu_told(struct us_tcp *tcp, uint32_t seq, uint32_t mtu);
void us_tcp_mtu_timeout(struct us_tcp *tcp);
uint32_t us_tcp_mtu_probe(struct us_tcp *tcp, uint32_t data);
void us_tcp_mtu_probe_sent(struct us_tcp *tcp, uint32_t seq, uint32_t len);
void us_tcp_mtu_acked(struct us_tcp *tcp);
bool us_tcp_mtu_lost(struct us_tcp *tcp, struct us_tcp_sent *sent);

/* tcp_undo.c */
void us_tcp_undo_begin(struct us_tcp *tcp);
void us_tcp_undo_resent(struct us_tcp *tcp, const struct us_tcp_sent *sent);
bool us_tcp_path_duplicates(const struct us_tcp *tcp);
bool us_tcp_undo_dsack(struct us_tcp *tcp, const struct us_tcp_sack *twice);
bool us_tcp_undo_eifel(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_tcp_acked *r);

/* tcp_frto.c */
void us_tcp_frto_begin(struct us_tcp *tcp);
bool us_tcp_frto_forward(const struct us_tcp *tcp);
bool us_tcp_frto(struct us_tcp *tcp, const struct us_tcp_acked *r);

/* tcp_rack.c */
void us_tcp_rack_delivered(struct us_tcp *tcp, const struct us_tcp_sent *sent,
			   struct us_tcp_acked *r);
uint32_t us_tcp_rack_window(const struct us_tcp *tcp);
bool us_tcp_rack_detect(struct us_tcp *tcp);
void us_tcp_rack_dsack(struct us_tcp *tcp);
void us_tcp_rack_recovered(struct us_tcp *tcp);
void us_tcp_rack_timeout(struct us_tcp *tcp);
void us_tcp_rack_expire(struct us_tcp *tcp);
void us_tcp_probe_arm(struct us_tcp *tcp);
bool us_tcp_probe(struct us_tcp *tcp);
void us_tcp_probe_acked(struct us_tcp *tcp, const struct us_tcp_segment *seg,
			const struct us_tcp_acked *r);

/* tcp_output.c */
void us_tcp_output(struct us_tcp *tcp);
bool us_tcp_output_waits(const struct us_tcp *tcp);
void us_tcp_output_persist(struct us_tcp *tcp);
bool us_tcp_output_probe(struct us_tcp *tcp);
bool us_tcp_output_again(struct us_tcp *tcp, struct us_tcp_sent *sent);

/* tcp_due.c */
void us_tcp_queue(struct us_tcp *tcp);
void us_tcp_pend(struct us_tcp *tcp);
void us_tcp_unqueue(struct us_tcp *tcp);

/* tcp_control.c */
void us_tcp_send_syn(struct us_tcp *tcp);
void us_tcp_send_ack(struct us_tcp *tcp);
void us_tcp_send_probe(struct us_tcp *tcp);
void us_tcp_send_reset(struct us_tcp *tcp);
void us_tcp_send_reply(struct us_stack *stack, const struct us_tcp_reply *reply);
void us_tcp_refuse(struct us_stack *stack, const struct us_tcp_segment *seg);
void us_tcp_ack_sent(struct us_tcp *tcp);
uint16_t us_tcp_syn_window(struct us_tcp *tcp);
struct us_tx *us_tcp_header_begin(struct us_tcp *tcp, uint32_t seq, uint8_t flags,
				  uint32_t keep);
void us_tcp_header_end(struct us_tcp *tcp, struct us_tx *tx);
void us_tcp_offer(struct us_tcp *tcp, uint32_t iss);	/* tcp_open.c */
uint32_t us_tcp_isn(struct us_tcp_table *table, const struct us_addr *local,
		    uint16_t local_port, const struct us_addr *remote,
		    uint16_t remote_port);

/* tcp_ecn.c */
void us_tcp_ecn_offer(struct us_tcp *tcp, uint8_t mode);
void us_tcp_ecn_syn(struct us_tcp *tcp, const struct us_tcp_segment *seg);
bool us_tcp_ecn_syn_again(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_ecn_syn_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_ecn_syn_ack_again(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_ecn_syn_timeout(struct us_tcp *tcp);
void us_tcp_ecn_handshake(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_ecn_handshake_ack(struct us_tcp *tcp, struct us_tx *tx);
void us_tcp_ecn_header(struct us_tcp *tcp, struct us_tx *tx);
void us_tcp_ecn_new_data(struct us_tcp *tcp, struct us_tx *tx);
void us_tcp_ecn_input(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_ecn_echoed(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_tcp_acked *r);
void us_tcp_ecn_reduced(struct us_tcp *tcp);

/* tcp_accecn.c */
void us_tcp_accecn_init(struct us_tcp *tcp);
uint8_t us_tcp_accecn_of_ecn(uint8_t ecn);
void us_tcp_accecn_opened(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_accecn_accepted(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_accecn_timeout(struct us_tcp *tcp);
uint8_t us_tcp_accecn_ace(const struct us_tcp *tcp);
void us_tcp_accecn_count(struct us_tcp *tcp, const struct us_tcp_segment *seg);
bool us_tcp_accecn_told(struct us_tcp *tcp, const struct us_tcp_segment *seg,
			const struct us_tcp_acked *r);
uint32_t us_tcp_accecn_room(const struct us_tcp *tcp, uint32_t limit);
uint32_t us_tcp_accecn_put(const struct us_tcp *tcp, uint32_t limit, uint8_t *at);
uint32_t us_tcp_accecn_put_syn_ack(const struct us_tcp *tcp, uint8_t *at);

/* tcp_buffer.c */
uint32_t us_tcp_rcvbuf_most(const struct us_tcp_options *options);
void us_tcp_buffer_set(struct us_tcp *tcp, const struct us_tcp_options *options);
void us_tcp_sndbuf_grow(struct us_tcp *tcp);
void us_tcp_rcvbuf_round(struct us_tcp *tcp);

/* tcp_sndq.c */
bool us_tcp_sndq_put(struct us_tcp *tcp, const void *data, size_t len);
uint32_t us_tcp_sndq_append(struct us_tcp *tcp, const void *data, uint32_t len);
uint32_t us_tcp_sndq_append_pieces(struct us_tcp *tcp, const struct us_pieces *from,
				   size_t at, uint32_t len);
uint32_t us_tcp_sndq_borrow(struct us_tcp *tcp, const struct us_pieces *from, size_t at,
			    uint32_t len, struct us_lender *lender);
void us_tcp_sndq_return(struct us_tcp *tcp);
uint32_t us_tcp_sndq_room(const struct us_tcp *tcp);
uint32_t us_tcp_sndq_lend(struct us_tcp *tcp, uint32_t len);
void us_tcp_sndq_take_back(struct us_tcp_active *a);
void us_tcp_sndq_fill(struct us_tcp_active *a, uint32_t len);
void us_tcp_sndq_ack(struct us_tcp *tcp);
uint32_t us_tcp_sndq_gather(struct us_tcp *tcp, uint32_t seq, uint32_t len,
			    struct us_tx *tx);
void us_tcp_sndq_free(struct us_tcp *tcp);
uint32_t us_tcp_sndq_bytes(const struct us_tcp *tcp);

/* tcp_rcvq.c */
bool us_tcp_rcvq_holds(const struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       const struct us_behind *behind);
bool us_tcp_rcvq_append(struct us_tcp *tcp, struct us_tcp_segment *seg);
void us_tcp_rcvq_add(struct us_tcp *tcp, struct us_pkt *pkt);
bool us_tcp_rcvq_in_piece(const struct us_tcp_active *a, size_t len);
size_t us_tcp_rcvq_piece(struct us_tcp *tcp, void *data, size_t len);
uint32_t us_tcp_rcvq_read(struct us_tcp *tcp, void *data, size_t len,
			  uint32_t skip, bool peek);
uint32_t us_tcp_rcvq_lend(struct us_tcp *tcp, struct iovec *pieces, uint32_t count,
			  uint32_t skip, uint32_t len, uint32_t *lent);
bool us_tcp_rcvq_lent(const struct us_tcp *tcp);
void us_tcp_rcvq_drop(struct us_tcp *tcp, uint32_t len);
void us_tcp_rcvq_free(struct us_tcp *tcp);
uint32_t us_tcp_blocks_left(const struct us_tcp_table *table);
struct us_tcp_block *us_tcp_block_get(struct us_tcp_table *table);
void us_tcp_pkt_put(struct us_tcp_table *table, struct us_pkt *pkt);
uint32_t us_tcp_rcv_room(const struct us_tcp *tcp);
void us_tcp_was_read(struct us_tcp *tcp);

/* tcp_urgent.c */
void us_tcp_urgent_input(struct us_tcp *tcp, const struct us_tcp_segment *seg);
bool us_tcp_urgent_ready(const struct us_tcp *tcp);
uint32_t us_tcp_unread(const struct us_tcp *tcp);
uint32_t us_tcp_read_seq(const struct us_tcp *tcp);
uint32_t us_tcp_readable(const struct us_tcp *tcp, uint32_t *skip);
void us_tcp_forget_mark(struct us_tcp *tcp);
uint32_t us_tcp_read_marked(struct us_tcp *tcp, void *data, size_t len, bool peek);
void us_tcp_urge(struct us_tcp *tcp);
uint16_t us_tcp_urgent_pointer(const struct us_tcp *tcp, uint32_t seq);

/* tcp_reass.c */
void us_tcp_reass_insert(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_reass_drain(struct us_tcp *tcp);
void us_tcp_reass_free(struct us_tcp *tcp);
void us_tcp_reass_fin(struct us_tcp *tcp, uint32_t seq);
void us_tcp_reass_expire(struct us_tcp *tcp);

/* tcp_sack.c */
void us_tcp_sack_input(struct us_tcp *tcp, const struct us_tcp_segment *seg,
		       struct us_tcp_acked *r);
void us_tcp_sack_note(struct us_tcp *tcp, uint32_t start, uint32_t end);
void us_tcp_sack_advance(struct us_tcp *tcp);
void us_tcp_dsack_note(struct us_tcp *tcp, uint32_t start, uint32_t end);

/* tcp_timer.c */
void us_tcp_timer_set(struct us_tcp *tcp, enum us_tcp_timer which, uint32_t usec);
void us_tcp_timer_run(struct us_timer *timer, us_ns now);
void us_tcp_timer_keep(struct us_tcp *tcp, uint32_t quiet);
uint32_t us_tcp_timer_clamp(const struct us_tcp *tcp, uint32_t usec);

/* tcp_listen.c */
struct us_tcp_listener *us_tcp_listener_lookup(struct us_tcp_table *table,
					       const struct us_addr *local,
					       uint16_t port);
void us_tcp_listen_input(struct us_tcp_listener *listener,
			 struct us_tcp_segment *seg, uint32_t iss);
void us_tcp_listen_tell(struct us_tcp_listener *listener);
bool us_tcp_listen_defers(struct us_tcp *tcp, const struct us_tcp_segment *seg);
bool us_tcp_listen_is_quiet(const struct us_tcp *tcp);
bool us_tcp_listen_may_wait(const struct us_tcp *tcp);
bool us_tcp_listen_promote(struct us_tcp *tcp);
void us_tcp_listen_forget(struct us_tcp *tcp);

/* tcp_cookie.c */
bool us_tcp_cookie_fits(const struct us_tcp_segment *seg);
uint32_t us_tcp_cookie_make(struct us_tcp_table *table,
			    const struct us_tcp_segment *seg, uint8_t rcv_wscale);
bool us_tcp_cookie_is_due(const struct us_tcp_table *table);
bool us_tcp_cookie_check(struct us_tcp_table *table,
			 const struct us_tcp_segment *seg, uint8_t rcv_wscale,
			 struct us_tcp_segment *syn);

/* tcp_fastopen.c */
void us_tcp_fastopen_syn(struct us_tcp *tcp, struct us_tcp_segment *seg);
void us_tcp_fastopen_over(struct us_tcp *tcp);
void us_tcp_fastopen_wish(struct us_tcp *tcp);
uint32_t us_tcp_fastopen_room(const struct us_tcp *tcp);
int us_tcp_fastopen_send(struct us_tcp *tcp, const void *data, size_t len);
void us_tcp_fastopen_gather(struct us_tcp *tcp, struct us_tx *tx);
void us_tcp_fastopen_syn_ack(struct us_tcp *tcp, const struct us_tcp_segment *seg);
void us_tcp_fastopen_timeout(struct us_tcp *tcp);
uint32_t us_tcp_fastopen_put(const struct us_tcp *tcp, uint8_t *at);

/* tcp_close.c */
void us_tcp_done(struct us_tcp *tcp, int err);
void us_tcp_fin_received(struct us_tcp *tcp);
void us_tcp_fin_acked(struct us_tcp *tcp);

/* tcp_error.c */
void us_tcp_icmp(struct us_stack *stack, const struct us_net_error *error);

/* tcp_info.c */
void us_tcp_limited_still(struct us_tcp *tcp);
void us_tcp_limited_by(struct us_tcp *tcp, enum us_tcp_limit limit);
void us_tcp_count_active(const struct us_tcp *tcp, uint64_t *counter);
void us_tcp_count_all(const struct us_tcp *tcp, uint64_t *counter);

/* tcp_trace.c */
void us_tcp_trace(const struct us_tcp *tcp, enum us_trace_kind kind, uint32_t seq,
		  uint32_t len);
void us_tcp_enter(struct us_tcp *tcp, uint8_t state);

/* tcp_notsent.c */
bool us_tcp_notsent_is_little(const struct us_tcp *tcp);
void us_tcp_notsent_left(struct us_tcp *tcp, uint32_t bytes);

/* tcp_user.c */
void us_tcp_notify(struct us_tcp *tcp);
bool us_tcp_writable(const struct us_tcp *tcp);
int us_tcp_may_send(struct us_tcp *tcp);
void us_tcp_queued_more(struct us_tcp *tcp, int flags, bool full);
/* The user wants to, and there is no room: -EBUSY, -EAGAIN. */
int us_tcp_no_room(struct us_tcp *tcp);
int us_tcp_nothing_to_read(struct us_tcp *tcp);

/* tcp_cc.c */

/**
 * struct us_tcp_cc - a congestion control: one file, one row in tcp_cc.c
 * @name: as in TCP_CONGESTION.
 * @init: sets up cc_state; cwnd and ssthresh are set.
 * @acked: bytes arrived while no recovery holds cwnd; grows cwnd, but only if
 *	us_tcp_window_is_used().
 * @ssthresh: a loss was detected, or a mark: the new ssthresh, bytes; a part of
 *	us_tcp_used_window().
 * @timeout: the retransmission timer ran; cwnd and ssthresh are set.  NULL: nothing.
 * @undo: the last reduction was spurious and was undone.  NULL: nothing.
 * @model: not NULL: it alone sets cwnd and pacing_rate, with each ACK and in every
 *	state; there is no @acked, and no PRR.
 * @lost: a run is taken for lost.  NULL: nothing.
 * @restart: something will be sent after a pause of the application.  NULL: nothing.
 * @info: what TCP_CC_INFO tells.  NULL: nothing.
 */
struct us_tcp_cc {
	const char *name;
	void (*init)(struct us_tcp *tcp);
	void (*acked)(struct us_tcp *tcp, const struct us_tcp_acked *r);
	uint32_t (*ssthresh)(struct us_tcp *tcp);
	void (*timeout)(struct us_tcp *tcp);
	void (*undo)(struct us_tcp *tcp);
	void (*model)(struct us_tcp *tcp, const struct us_tcp_acked *r);
	void (*lost)(struct us_tcp *tcp, const struct us_tcp_sent *sent);
	void (*restart)(struct us_tcp *tcp);
	void (*info)(const struct us_tcp *tcp, struct us_tcp_cc_info *info);
};

extern const struct us_tcp_cc us_tcp_cc_cubic;
extern const struct us_tcp_cc us_tcp_cc_newreno;
extern const struct us_tcp_cc us_tcp_cc_bbr;
void us_tcp_cc_init(struct us_tcp *tcp);
uint32_t us_tcp_initial_window(const struct us_tcp *tcp);
void us_tcp_cc_select(struct us_tcp *tcp, uint8_t cc);

/* tcp_hystart.c */

/**
 * struct us_tcp_hystart - slow start, RFC 9406; times in usec, UINT32_MAX: none
 * @last_min: least RTT of the last round.
 * @current_min: least RTT of this round, so far.
 * @baseline: least RTT of the round in which conservative slow start began; none:
 *	slow start as ever.
 * @samples: of this round, as far as they count.
 * @rounds: of conservative slow start.
 */
struct us_tcp_hystart {
	uint32_t last_min;
	uint32_t current_min;
	uint32_t baseline;
	uint8_t samples;
	uint8_t rounds;
};

void us_tcp_hystart_init(struct us_tcp_hystart *h);
uint32_t us_tcp_hystart(struct us_tcp *tcp, struct us_tcp_hystart *h,
			const struct us_tcp_acked *r);

/* tcp_rate.c */
void us_tcp_rate_sent(struct us_tcp *tcp, struct us_tcp_sent *sent, uint32_t pipe);
void us_tcp_rate_delivered(struct us_tcp *tcp, const struct us_tcp_sent *sent,
			   uint32_t bytes, struct us_tcp_rate *rate);
void us_tcp_rate_sample(struct us_tcp *tcp, struct us_tcp_rate *rate);
void us_tcp_rate_limited(struct us_tcp *tcp);

/* tcp_pace.c */
uint32_t us_tcp_pace_quantum(const struct us_tcp *tcp);
uint32_t us_tcp_pace_room(struct us_tcp *tcp);
void us_tcp_pace_sent(struct us_tcp *tcp, uint32_t bytes);
void us_tcp_pace_set(struct us_tcp *tcp, uint64_t rate);
void us_tcp_pace_update(struct us_tcp *tcp);
void us_tcp_pace_limit(struct us_tcp *tcp, uint32_t rate);
void us_tcp_pace_restart(struct us_tcp *tcp);

/* tcp_cwv.c */
void us_tcp_cwv_reset(struct us_tcp *tcp);
uint32_t us_tcp_cwv_idle(const struct us_tcp *tcp);
void us_tcp_cwv_heard(struct us_tcp *tcp);
void us_tcp_cwv_restart(struct us_tcp *tcp);
void us_tcp_cwv_round(struct us_tcp *tcp);
uint32_t us_tcp_used_window(const struct us_tcp *tcp);

static inline uint32_t us_tcp_tick(const struct us_stack *stack)
{
	return (uint32_t)(stack->now >> US_TCP_TICK_SHIFT);
}

/* As many ticks last for @time at least, although the one in which they begin is over
 * already in part.
 */
static inline uint32_t us_tcp_ticks(us_ns time)
{
	return (uint32_t)((time - 1) >> US_TCP_TICK_SHIFT) + 2;
}

/* Logs an event, if anybody wants to know. */
static inline void us_tcp_note(const struct us_tcp *tcp, enum us_trace_kind kind,
			       uint32_t seq, uint32_t len)
{
	if (us_unlikely(tcp->table->stack->trace != NULL))
		us_tcp_trace(tcp, kind, seq, len);
}

static inline uint32_t us_tcp_usec(const struct us_stack *stack)
{
	return (uint32_t)(stack->now >> US_TCP_USEC_SHIFT);
}

#define US_TCP_AHEAD	1024u	/* usec that stamps may be ahead of the clock */

/* Microseconds from @then to @now; 0 if @then is ahead (us_tcp_flight_again()). */
static inline uint32_t us_tcp_since(uint32_t then, uint32_t now)
{
	return then - now < US_TCP_AHEAD ? 0 : now - then;
}

/* Where a timer's deadline is; NULL: it never ran, as the connection is not active. */
static inline uint32_t *us_tcp_deadline(struct us_tcp *tcp, enum us_tcp_timer which)
{
	if (which < US_TCP_TIMERS_IDLE)
		return &tcp->deadline[which];
	return tcp->active ? &tcp->active->deadline[which - US_TCP_TIMERS_IDLE] : NULL;
}

static inline bool us_tcp_timer_armed(const struct us_tcp *tcp, enum us_tcp_timer which)
{
	const uint32_t *at = us_tcp_deadline((struct us_tcp *)tcp, which);

	return at && *at;
}

static inline void us_tcp_timer_stop(struct us_tcp *tcp, enum us_tcp_timer which)
{
	uint32_t *at = us_tcp_deadline(tcp, which);

	if (at)
		*at = 0;
}

/* Are @ticks more than the retransmission timeout?  That is never less than its
 * minimum, so mostly it need not be computed.
 */
static inline bool us_tcp_beyond_rto(const struct us_tcp *tcp, uint32_t ticks)
{
	const unsigned int shift = US_TCP_TICK_SHIFT - US_TCP_USEC_SHIFT;

	return ticks > US_TCP_RTO_MIN >> shift && ticks > us_tcp_rto(tcp) >> shift;
}

/* In SYN-RECEIVED, but as good as open: RFC 7413 4.2. */
static inline bool us_tcp_opened_early(const struct us_tcp *tcp)
{
	return (tcp->flags & (US_TCP_FASTOPEN | US_TCP_PASSIVE)) ==
	       (US_TCP_FASTOPEN | US_TCP_PASSIVE);
}

/* Neither SYN nor SYN-ACK is acknowledged, and nothing else may be sent. */
static inline bool us_tcp_is_opening(const struct us_tcp *tcp)
{
	return tcp->state == TCP_SYN_SENT ||
	       (tcp->state == TCP_SYN_RECV && !us_tcp_opened_early(tcp));
}

/* Nothing is taken for lost, is being repaired or tried. */
static inline bool us_tcp_is_calm(const struct us_tcp_active *a)
{
	return !(a->sacked | a->lost | a->tlp_end | a->ca_state | a->frto | a->mtu_probe);
}

/* May cwnd grow?  What the application leaves unused says nothing of the path; but in slow
 * start it may become twice what was used (RFC 7661 4.3 would let it grow for all of that
 * round trip; as Linux).
 */
static inline bool us_tcp_window_is_used(const struct us_tcp *tcp)
{
	const struct us_tcp_active *a = tcp->active;

	return a->cwnd_limited || (a->cwnd < tcp->ssthresh && a->cwnd / 2 < a->last_flight);
}

/* Bytes of sequence space in flight. */
static inline uint32_t us_tcp_in_flight(const struct us_tcp *tcp)
{
	return tcp->snd_nxt - tcp->snd_una;
}

/* The receive window as advertised, what is left of it. */
static inline uint32_t us_tcp_rcv_wnd(const struct us_tcp *tcp)
{
	return us_before(tcp->rcv_nxt, tcp->rcv_adv) ?
	       tcp->rcv_adv - tcp->rcv_nxt : 0;
}

#endif /* US_TRANSPORT_TCP_PARTS_H */
