/* SPDX-License-Identifier: MIT */
/* What the files of UDP share. */
#ifndef US_TRANSPORT_UDP_PARTS_H
#define US_TRANSPORT_UDP_PARTS_H

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "transport/udp.h"
#include "wire/udp.h"

#define US_UDP_FLOWS	16u	/* of 8 links */
#define US_UDP_PATHS	64u
#define US_UDP_SMALL	344u
#define US_UDP_RECORD	512u	/* bytes that a datagram counts beside its chunk */
#define US_UDP_LITTLE	(16u << 10)	/* so much each port may have, whatever others have */
#define US_UDP_HELD	64u	/* packets of one port in the links' memory */
#define US_UDP_SEGMENTS	64u	/* datagrams of one packet */

/**
 * struct us_udp_bind - a flow bound on a link
 * @link: the link.
 * @id: its name of it.
 * @family: AF_INET or AF_INET6.
 */
struct us_udp_bind {
	struct us_link *link;
	uint32_t id;
	uint8_t family;
};

/**
 * struct us_udp_train - datagrams of a port that leave together
 * @node: in us_udp_table.trains, while there are any.
 * @chunk: of the link of us_udp.dst: the payload, one behind the other; NULL: none.
 * @at: of the first byte in @chunk that has not left.
 * @len: bytes in @chunk.
 * @room: what @len may become; 0: nothing joins.
 * @each: bytes of a datagram but the last; without a train, of the last one that left.
 * @port: of the destination, network byte order.
 * @to_peer: which is us_udp.remote.
 * @alone: so the last one left, and others may; of a train: so left the one before it.
 */
struct us_udp_train {
	struct cds_list_head node;
	struct us_chunk *chunk;
	uint32_t at;
	uint32_t len;
	uint32_t room;
	uint16_t each;
	uint16_t port;
	bool to_peer;
	bool alone;
};

/**
 * struct us_udp - a bound port
 * @next: in its bucket.
 * @stack: its stack.
 * @user: given to us_udp_user.event().
 * @bound: address it was bound to, all zero: any.
 * @remote: peer, if @connected.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @family: AF_INET, AF_INET6, or AF_UNSPEC: both.
 * @connected: hears @remote only.
 * @listen_peer: the first datagram connects it.
 * @latched: so it was connected.
 * @routed: @dst is valid.
 * @gro: trains are received whole (UDP_GRO).
 * @told: that a link has room; sent nothing since.
 * @special: @dst is as was said of the last message.
 * @sourced: its source, too.
 * @tells: us_udp_in.told is asked for.
 * @times: us_udp_told.time, too.
 * @ip: by enum us_ip_version.
 * @error: pending error, a positive errno.
 * @lost: datagrams for which there was no room.
 * @rcvbuf: bytes that @queue may count.
 * @queued: bytes that it and @errors count: chunks, and US_UDP_RECORD each.
 * @nr_held: records in @queue that hold a link's packet.
 * @queue: struct us_udp_dgram.node, oldest first.
 * @errors: those that came back, alike.
 * @lent: the first of them, if us_udp_is_lent() or was; or NULL.
 * @lent_at: of the first byte of the message lent, as us_udp_dgram.at.
 * @lent_len: bytes of that message.
 * @room: where the user writes a message: us_chunk.len bytes of send memory, one
 *	reference; or NULL.
 * @waiting: in us_udp_table.waiting while a link was full.
 * @dst: the last destination.
 * @train: what waits to leave for it.
 * @unkicked: about the bytes that stand in the link since us_udp_flush() or a kick.
 * @flushes: us_udp_table.flushes when the last packet went there.
 * @nr_bind: used elements of @bind.
 * @bind: flows, one a link and family.
 */
struct us_udp {
	struct us_udp *next;
	struct us_stack *stack;
	void *user;
	struct us_addr bound;
	struct us_addr remote;
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t family;
	bool connected;
	bool listen_peer;
	bool latched;
	bool routed;
	bool gro;
	bool told;
	bool special;
	bool sourced;
	bool tells;
	bool times;
	struct us_ip_options ip[US_IP_VERSIONS];
	uint16_t error;
	uint32_t lost;
	uint32_t rcvbuf;
	uint32_t queued;
	uint32_t nr_held;
	struct cds_list_head queue;
	struct cds_list_head errors;
	struct us_udp_dgram *lent;
	uint32_t lent_at;
	uint32_t lent_len;
	struct us_chunk *room;
	struct cds_list_head waiting;
	struct us_dst dst;
	struct us_udp_train train;
	uint32_t unkicked;
	uint32_t flushes;
	uint32_t nr_bind;
	struct us_udp_bind bind[US_UDP_FLOWS];
};

/**
 * struct us_udp_dgram - a datagram that was received, or a train of them, or what ICMP
 *	quotes of one that was sent
 * @node: in us_udp.queue or us_udp.errors.
 * @held: in us_udp_table.held, while @pkt is not NULL.
 * @udp: the port.
 * @pkt: lent by a link, one reference, or NULL.
 * @chunk: of us_udp_table.mem, or NULL: then the bytes are in @small.
 * @data: first byte.
 * @len: bytes.
 * @at: of the first byte that was not read yet.
 * @each: bytes of each datagram but the last; of one alone, @len or more.
 * @port: of @remote, network byte order.
 * @remote: the sender; or whom it was sent to.
 * @told: what else was seen of it; of a train, of its first datagram.
 * @refusal: or what became of it; @told is of who said so.
 * @small: payload that is not worth a chunk.
 */
struct us_udp_dgram {
	struct cds_list_head node;
	struct cds_list_head held;
	struct us_udp *udp;
	struct us_pkt *pkt;
	struct us_chunk *chunk;
	const uint8_t *data;
	uint32_t len;
	uint32_t at;
	uint32_t each;
	uint16_t port;
	struct us_addr remote;
	struct us_udp_told told;
	struct us_udp_refusal refusal;
	uint8_t small[US_UDP_SMALL];
};

static_assert(sizeof(struct us_udp_dgram) <= US_UDP_RECORD, "a datagram's record");

/**
 * struct us_udp_path - what a router said of a path
 * @remote: its other end; all zero: of none.
 * @port: which sent there, network byte order.
 * @mtu: bytes.
 * @told: when.
 */
struct us_udp_path {
	struct us_addr remote;
	uint16_t port;
	uint16_t mtu;
	us_ns told;
};

/**
 * struct us_udp_table - all of UDP of one stack
 * @user: the socket layer.
 * @ports: pool of struct us_udp.
 * @dgrams: pool of struct us_udp_dgram.
 * @mem: memory for datagrams that were copied out.
 * @held: datagrams that hold a link's packets, oldest first.
 * @waiting: ports that found a link full.
 * @trains: us_udp_train.node of those that have some.
 * @flushes: calls of us_udp_flush().
 * @path: by local port and remote address.
 * @bucket: by local port.
 * @mask: buckets - 1.
 */
struct us_udp_table {
	const struct us_udp_user *user;
	struct us_pool ports;
	struct us_pool dgrams;
	struct us_txmem *mem;
	struct cds_list_head held;
	struct cds_list_head waiting;
	struct cds_list_head trains;
	uint32_t flushes;
	struct us_udp_path path[US_UDP_PATHS];
	struct us_udp **bucket;
	uint32_t mask;
};

/* For packets to @remote. */
static inline const struct us_ip_options *us_udp_ip(const struct us_udp *udp,
						    const struct us_addr *remote)
{
	return &udp->ip[us_ip_version(remote)];
}

/* udp.c */
struct us_udp **us_udp_bucket(struct us_udp_table *table, uint16_t port);
void us_udp_notify(struct us_udp *udp);
int us_udp_peer(struct us_udp *udp, const struct us_addr *remote, uint16_t port);
int us_udp_route(struct us_udp *udp, const struct us_addr *remote);
int us_udp_route_as(struct us_udp *udp, const struct us_addr *remote,
		    const struct us_udp_how *how);

/* udp_output.c */
void us_udp_write_header(const struct us_udp *udp, struct us_tx *tx, uint16_t port,
			 uint32_t len);
void us_udp_submit(struct us_udp *udp, struct us_tx *tx);
void us_udp_wait(struct us_udp *udp);

/* A slot for a packet to udp->dst; NULL: the link is full.  Who was told of room has some,
 * whatever TCP took meanwhile.
 */
static inline struct us_tx *us_udp_slot(struct us_udp *udp)
{
	return us_ip_reserve(udp->stack, &udp->dst, udp->dst.link->kept >> udp->told);
}

/* udp_mtu.c */
void us_udp_mtu_limit(const struct us_udp *udp, struct us_dst *dst);
void us_udp_mtu_told(struct us_udp *udp, const struct us_addr *remote, uint32_t mtu);

/* udp_train.c */
ssize_t us_udp_train_begin(struct us_udp *udp, const void *data, size_t len, size_t most,
			   uint16_t each, uint16_t port);
void us_udp_train_lent(struct us_udp *udp, struct us_chunk *chunk, size_t len, uint16_t each,
		       uint16_t port);
bool us_udp_train_join(struct us_udp *udp, const void *data, size_t len, uint16_t port);
bool us_udp_train_spared(const struct us_udp *udp, size_t len, uint16_t port);
void us_udp_train_passed(struct us_udp *udp, size_t len, uint16_t port, bool alone);
int us_udp_train_flush(struct us_udp *udp);
void us_udp_train_end(struct us_udp *udp);

static inline bool us_udp_train_full(const struct us_udp *udp)
{
	return udp->train.len == udp->train.room;
}

/* udp_error.c */
void us_udp_icmp(struct us_stack *stack, const struct us_net_error *error);
int us_udp_too_large(struct us_udp *udp, const struct us_udp_out *out);
void us_udp_forget_errors(struct us_udp *udp);

/* udp_input.c */
struct us_udp *us_udp_lookup(struct us_udp_table *table,
			     const struct us_addr *local, uint16_t local_port,
			     const struct us_addr *remote, uint16_t remote_port);
void us_udp_input(struct us_stack *stack, struct us_pkt *pkt,
		  const struct us_addr *src, const struct us_addr *dst);
struct us_udp_dgram *us_udp_dgram_new(struct us_udp *udp, const uint8_t *data, uint32_t len);
void us_udp_dgram_free(struct us_udp *udp, struct us_udp_dgram *dgram);
void us_udp_copy_out(struct us_stack *stack);

/* Bytes of the next message: a datagram, or all that is left of a train. */
static inline uint32_t us_udp_next_message(const struct us_udp *udp,
					   const struct us_udp_dgram *dgram)
{
	uint32_t left = dgram->len - dgram->at;

	return udp->gro || left < dgram->each ? left : dgram->each;
}

/* The next message, of @bytes, was read. */
static inline void us_udp_take(struct us_udp *udp, struct us_udp_dgram *dgram, uint32_t bytes)
{
	dgram->at += bytes;
	if (dgram->at == dgram->len)
		us_udp_dgram_free(udp, dgram);
}

/* Does the user read of it in place?  Then it must not move.  Not any more, once the
 * message that was lent has been taken: what is behind it in a train was not.
 */
static inline bool us_udp_is_lent(const struct us_udp_dgram *dgram)
{
	const struct us_udp *udp = dgram->udp;

	return udp->lent == dgram && dgram->at - udp->lent_at < udp->lent_len;
}

#endif /* US_TRANSPORT_UDP_PARTS_H */
