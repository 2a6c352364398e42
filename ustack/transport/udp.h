/* SPDX-License-Identifier: MIT */
/* UDP as the socket layer sees it. */
#ifndef US_TRANSPORT_UDP_H
#define US_TRANSPORT_UDP_H

#include <sys/uio.h>

#include "net/net.h"

struct us_udp;			/* a bound port */

/**
 * struct us_udp_user - how UDP tells its user; one table for all sockets
 * @event: the readiness of @udp may have changed; ask us_udp_poll().
 */
struct us_udp_user {
	void (*event)(struct us_udp *udp, void *user);
};

/**
 * struct us_udp_how - what is said of one message, in place of what its port says
 * @local: source address; all zero: the port's.
 * @ifindex: of the link that it leaves by; 0: any.
 * @segment: as us_udp_out.segment.
 * @tos: DS field and ECN bits, if @has_tos.
 * @ttl: or hop limit; 0: the port's.
 * @has_tos: else the port's.
 */
struct us_udp_how {
	struct us_addr local;
	uint32_t ifindex;
	uint16_t segment;
	uint8_t tos;
	uint8_t ttl;
	bool has_tos;
};

/**
 * struct us_udp_out - where a message goes, and how
 * @remote: address; NULL: the peer.
 * @port: of @remote, network byte order.
 * @segment: it is cut into datagrams of so many bytes; 0: it is one.
 * @more: others follow: it may wait for them until us_udp_flush().
 * @how: more that is said of it, or NULL.
 */
struct us_udp_out {
	const struct us_addr *remote;
	uint16_t port;
	uint16_t segment;
	bool more;
	const struct us_udp_how *how;
};

/**
 * struct us_udp_told - what was seen of a datagram when it came
 * @local: where it was sent to.
 * @time: CLOCK_REALTIME, ns; 0: nobody looked.
 * @ifindex: of the link that it came by.
 * @lost: datagrams that its port had no room for before.
 * @tos: DS field and ECN bits.
 * @ttl: or hop limit.
 */
struct us_udp_told {
	struct us_addr local;
	us_ns time;
	uint32_t ifindex;
	uint32_t lost;
	uint8_t tos;
	uint8_t ttl;
};

/**
 * struct us_udp_refusal - what became of a datagram that was sent
 * @offender: who said so; all zero: that is not known, or we ourselves.
 * @mtu: with EMSGSIZE, else 0.
 * @err: positive errno.
 * @local: it did not leave.
 * @type: else: of the ICMP message.
 * @code: of it.
 */
struct us_udp_refusal {
	struct us_addr offender;
	uint32_t mtu;
	uint16_t err;
	bool local;
	uint8_t type;
	uint8_t code;
};

/**
 * struct us_udp_in - where a message came from, and what it is
 * @remote: address.
 * @port: of @remote, network byte order.
 * @segment: bytes of each of its datagrams but the last; 0: it is one.
 * @told: of the first of them, from a port that tells.
 * @refusal: instead, of one that was sent to @remote; @told is of who said so.
 */
struct us_udp_in {
	struct us_addr remote;
	uint16_t port;
	uint16_t segment;
	struct us_udp_told told;
	struct us_udp_refusal refusal;
};

int us_udp_table_create(struct us_stack *stack, unsigned int max_ports,
			const struct us_udp_user *user);
void us_udp_table_destroy(struct us_stack *stack);
void us_udp_link_writable(struct us_stack *stack, struct us_link *link);

/* 0, a count, or a negative errno as the BSD call would; none blocks.  Ports in
 * network byte order; a port of 0 is chosen and put back.
 */
int us_udp_bind(struct us_stack *stack, uint8_t family,
		const struct us_addr *local, uint16_t *port, bool listen_peer,
		void *user, struct us_udp **udp);
void us_udp_close(struct us_udp *udp);
/* Fixes the peer: others' datagrams are not heard, ICMP errors are. */
int us_udp_connect(struct us_udp *udp, const struct us_addr *remote, uint16_t port);
void us_udp_disconnect(struct us_udp *udp);
ssize_t us_udp_send(struct us_udp *udp, const void *data, size_t len,
		    const struct us_udp_out *to);
int us_udp_may_send(struct us_udp *udp, size_t len, struct us_udp_out *out);
bool us_udp_send_behind(struct us_udp *udp, const void *data, size_t len);
bool us_udp_due(struct us_udp *udp, bool more);
void us_udp_flush(struct us_stack *stack);
bool us_udp_waits(const struct us_stack *stack);
/* Takes a datagram out of the middle of a train; -EAGAIN: us_udp_recv() it. */
ssize_t us_udp_recv_behind(struct us_udp *udp, void *data, size_t len,
			   struct us_udp_in *from);
/* Returns the message's whole length; at most @len bytes are copied. */
ssize_t us_udp_recv(struct us_udp *udp, void *data, size_t len, bool peek,
		    struct us_udp_in *from);
/* Bytes of the next message; 0: none, or an empty one. */
uint32_t us_udp_waiting(const struct us_udp *udp);
/* udp_lend.c */
ssize_t us_udp_reserve(struct us_udp *udp, size_t len, uint16_t segment, void **room);
bool us_udp_has_room(const struct us_udp *udp, size_t len);
int us_udp_send_room(struct us_udp *udp, size_t len, const struct us_udp_out *to);
void us_udp_take_back(struct us_udp *udp);
int us_udp_peek(struct us_udp *udp, struct iovec *piece);
int us_udp_release(struct us_udp *udp, size_t len);
void us_udp_end_loans(struct us_udp *udp);
void us_udp_set_rcvbuf(struct us_udp *udp, uint32_t bytes);
void us_udp_set_gro(struct us_udp *udp, bool gro);
void us_udp_set_ip(struct us_udp *udp, const struct us_ip_options ip[US_IP_VERSIONS]);
void us_udp_set_tells(struct us_udp *udp, bool tells, bool time);
/* udp_error.c */
ssize_t us_udp_recv_error(struct us_udp *udp, void *data, size_t len, struct us_udp_in *from);
/* Bytes of the largest IP packet to the peer. */
int us_udp_mtu(struct us_udp *udp);
short us_udp_poll(const struct us_udp *udp);
int us_udp_error(struct us_udp *udp);
void us_udp_names(const struct us_udp *udp, struct us_addr *local,
		  uint16_t *local_port, struct us_addr *remote,
		  uint16_t *remote_port);

#endif /* US_TRANSPORT_UDP_H */
