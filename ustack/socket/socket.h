/* SPDX-License-Identifier: MIT */
/* A socket: the BSD calls over the transports, and the loop that blocks. */
#ifndef US_SOCKET_SOCKET_H
#define US_SOCKET_SOCKET_H

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>

#include "transport/tcp.h"
#include "transport/udp.h"
#include "ustack.h"

/* As struct socket's state in Linux; a listening socket has a listener. */
enum us_socket_state {
	US_SOCKET_UNCONNECTED,
	US_SOCKET_CONNECTING,
	US_SOCKET_CONNECTED,
};

/* ustack_socket.shut */
#define US_SHUT_READ	1u
#define US_SHUT_WRITE	2u

/* ustack_socket.tells: what control messages recvmsg(2) gives beside UDP_GRO.  Those of an
 * IPv6 packet are IPPROTO_IPV6's; the source of any is, on AF_INET6.
 */
#define US_TELL_ADDRESS		0x001u	/* IP_PKTINFO */
#define US_TELL_TTL		0x002u	/* IP_RECVTTL */
#define US_TELL_TOS		0x004u	/* IP_RECVTOS */
#define US_TELL_ADDRESS6	0x008u	/* IPV6_RECVPKTINFO */
#define US_TELL_HOP_LIMIT	0x010u	/* IPV6_RECVHOPLIMIT */
#define US_TELL_TCLASS		0x020u	/* IPV6_RECVTCLASS */
#define US_TELL_LOST		0x040u	/* SO_RXQ_OVFL */
#define US_TELL_USEC		0x080u	/* SO_TIMESTAMP, or */
#define US_TELL_NSEC		0x100u	/* SO_TIMESTAMPNS */
#define US_TELL_TIME		(US_TELL_USEC | US_TELL_NSEC)

struct us_socket_ops;
struct us_watch;
struct us_zerocopy;

/* Links of one stack. */
#define US_LINKS_MAX	32u

/**
 * struct ustack_socket - one socket
 * @stack: its stack.
 * @ops: stream or dgram.
 * @claim_next: in us_stack.claims, while @claimed.
 * @local: address given by bind(2), ::ffff:0.0.0.0 as it is; all zero is any.
 * @port: port given by bind(2), or chosen by listen(2); 0 is none.
 * @segment: UDP_SEGMENT.
 * @family: AF_INET or AF_INET6.
 * @state: enum us_socket_state.
 * @shut: US_SHUT_*, of sockets whose transport does not keep it.
 * @tells: US_TELL_*, of SOCK_DGRAM.
 * @nonblock: O_NONBLOCK.
 * @cloexec: FD_CLOEXEC of @fd.
 * @closed: close(2) was called; the last of @calls lets go of the socket.
 * @rcvlowat: SO_RCVLOWAT; 0: one byte will do.
 * @calls: public calls at work on it, on a driven stack: there may be several.
 * @fd: its number among the process's files, or -1.
 * @fd_next: in its bucket of us_stack.fds.
 * @reuse: SO_REUSEADDR.
 * @gro: UDP_GRO.
 * @claimed: a TCP port is held by bind(2).
 * @v6only: IPV6_V6ONLY, or bound to an address of IPv6.
 * @linger: seconds, negative is off.
 * @linger2: TCP_LINGER2, as us_tcp_close() has it.
 * @error: positive errno that a call saw but did not return (it returned a
 *	count instead); the next call does.
 * @error_queue: of SOCK_STREAM: it has one in us_stack.error_queues.
 * @rcvtimeo: SO_RCVTIMEO in nanoseconds; US_NEVER waits for ever.
 * @sndtimeo: SO_SNDTIMEO alike.
 * @options: of the next connection, or of @tcp.
 * @tcp: the connection.
 * @listener: of a listening socket.
 * @watches: of the epoll sets that it is in.
 * @ready: taken from @listener by poll(2), not by accept(2) yet.
 * @udp: the bound port.
 */
struct ustack_socket {
	struct us_stack *stack;
	const struct us_socket_ops *ops;
	struct ustack_socket *claim_next;
	struct us_addr local;
	uint16_t port;
	union {
		uint16_t segment;
		bool error_queue;
	};
	uint8_t family : 4;
	uint8_t state : 2;
	uint8_t shut : 2;
	int8_t linger2;
	uint16_t tells : 9;
	bool nonblock : 1;
	bool cloexec : 1;
	bool closed : 1;
	bool reuse : 1;
	bool gro : 1;
	bool claimed : 1;
	bool v6only : 1;
	uint16_t calls;
	uint16_t error;
	uint32_t rcvlowat;
	int fd;
	int linger;
	struct ustack_socket *fd_next;
	us_ns rcvtimeo;
	us_ns sndtimeo;
	struct us_tcp_options options;
	struct us_tcp *tcp;
	struct us_tcp_listener *listener;
	struct us_watch *watches;
	union {
		struct us_tcp *ready;
		struct us_udp *udp;
	};
};

_Static_assert(sizeof(struct ustack_socket) <= 160, "an idle connection is small");

/**
 * struct us_socket_ops - what differs between the types of sockets
 * @type: SOCK_STREAM or SOCK_DGRAM.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @bind: takes the port in network order.
 * @listen: @peer is ustack_listen_peer().
 * @connect: the address is as the caller of connect(2) gave it.
 * @accept: fills @child, which is zeroed but for what every socket has.
 * @shutdown: @how is US_SHUT_* bits.
 * @send: the address is as the caller of sendto(2) gave it, or NULL.
 * @recv: @from, if not NULL, is filled in where the type names the sender.
 * @names: 0, or -ENOTCONN if @peer is asked for and there is none.
 * @poll: readiness.
 * @error: takes the transport's pending error, positive.
 * @changed: options were set.
 * @queued: ioctl(2) with FIONREAD, TIOCOUTQ (SIOCOUTQ), SIOCOUTQNSD or
 *	SIOCATMARK.
 * @close: lets go of the transport; may block, as SO_LINGER says.
 *
 * All give 0, a count, or a negative errno.
 */
struct us_socket_ops {
	int type;
	int protocol;
	int (*bind)(struct ustack_socket *s, const struct us_addr *local,
		    uint16_t port);
	int (*listen)(struct ustack_socket *s, int backlog, bool peer);
	int (*connect)(struct ustack_socket *s, const struct sockaddr *address,
		       socklen_t length);
	int (*accept)(struct ustack_socket *s, struct ustack_socket *child);
	int (*shutdown)(struct ustack_socket *s, unsigned int how);
	ssize_t (*send)(struct ustack_socket *s, const void *data, size_t len,
			int flags, const struct sockaddr *address,
			socklen_t length);
	ssize_t (*recv)(struct ustack_socket *s, void *data, size_t len,
			int flags, struct us_udp_in *from);
	int (*names)(struct ustack_socket *s, bool peer, struct us_addr *addr,
		     uint16_t *port);
	short (*poll)(struct ustack_socket *s);
	int (*error)(struct ustack_socket *s);
	void (*changed)(struct ustack_socket *s);
	int (*queued)(struct ustack_socket *s, unsigned long request, int *value);
	void (*close)(struct ustack_socket *s);
};

extern const struct us_socket_ops us_stream_ops;
extern const struct us_socket_ops us_dgram_ops;
extern const struct us_tcp_user us_stream_user;
extern const struct us_udp_user us_dgram_user;

/* socket.c */
struct ustack_socket *us_socket_new(struct us_stack *stack,
				    const struct us_socket_ops *ops,
				    uint8_t family);
void us_socket_free(struct ustack_socket *s);
void us_socket_close(struct ustack_socket *s);
void us_socket_hold(struct ustack_socket *s);
void us_socket_let_go(struct ustack_socket *s);
int us_socket_error(struct ustack_socket *s);
short us_socket_poll(struct ustack_socket *s);
ssize_t us_socket_return(ssize_t result);

/* stream.c */
int us_stream_may_send(struct ustack_socket *s);
void us_stream_let_out(struct us_stack *stack, bool more, bool waited);
ssize_t us_stream_send(struct ustack_socket *s, const struct us_pieces *from, int flags,
		       const struct sockaddr *address, socklen_t length);
ssize_t us_stream_recv(struct ustack_socket *s, const struct us_pieces *to, int flags);

/* control.c */
bool us_control_is_valid(const struct msghdr *message);
int us_control_read(const struct ustack_socket *s, const struct msghdr *message,
		    uint8_t family, struct us_udp_how *how);
void us_control_put(struct msghdr *message, size_t room, int level, int type,
		    const void *data, size_t size);
void us_control_write(const struct ustack_socket *s, struct msghdr *message,
		      const struct us_udp_in *from);
void us_control_write_error(const struct ustack_socket *s, struct msghdr *message,
			    const struct sock_extended_err *error);
void us_control_write_refusal(const struct ustack_socket *s, struct msghdr *message,
			      const struct us_udp_in *from);

/* dgram.c: @said has control messages, and what came is told in @from, either not if NULL */
ssize_t us_dgram_send(struct ustack_socket *s, const void *data, size_t len, int flags,
		      const struct sockaddr *address, socklen_t length,
		      const struct msghdr *said);
int us_dgram_may_send(struct ustack_socket *s, size_t len, int flags);
ssize_t us_dgram_recv(struct ustack_socket *s, void *data, size_t len, int flags,
		      struct us_udp_in *from);

/* error_queue.c */
int us_error_queues_create(struct us_stack *stack);
void us_error_queues_destroy(struct us_stack *stack);
void us_error_queue_zerocopy(struct ustack_socket *s, bool on);
bool us_error_queue_is_zerocopy(const struct ustack_socket *s);
bool us_error_queue_has(const struct ustack_socket *s);
bool us_error_queue_take(struct ustack_socket *s, struct sock_extended_err *error);
void us_error_queue_close(struct ustack_socket *s);
ssize_t us_zerocopy_send(struct ustack_socket *s, struct us_zerocopy **call,
			 const struct us_pieces *from, size_t at, int flags);
void us_zerocopy_end(struct us_zerocopy *call, bool sent);

/* notsent.c */
int us_notsent_lowats_create(struct us_stack *stack);
void us_notsent_lowats_destroy(struct us_stack *stack);
void us_notsent_lowat_set(struct ustack_socket *s, uint32_t bytes);
uint32_t us_notsent_lowat(const struct ustack_socket *s);

/* address.c */
int us_sockaddr_get(const struct sockaddr *address, socklen_t length,
		    uint8_t family, struct us_addr *addr, uint16_t *port);
int us_sockaddr_put(uint8_t family, const struct us_addr *addr, uint16_t port,
		    struct sockaddr *address, socklen_t *length);
uint8_t us_socket_hears(const struct ustack_socket *s, const struct us_addr *local);
struct us_addr us_socket_local(const struct ustack_socket *s);

/* claim.c: TCP ports held by bind(2) */
int us_claims_create(struct us_stack *stack, unsigned int max_sockets);
void us_claims_destroy(struct us_stack *stack);
int us_claim(struct ustack_socket *s, const struct us_addr *local, uint16_t *port);
void us_unclaim(struct ustack_socket *s);

/* fd.c */
void us_fd_release(struct ustack_socket *s);
void us_fd_destroy(struct us_stack *stack);

/* epoll.c */
void us_epoll_notify(struct ustack_socket *s);
void us_epoll_forget(struct ustack_socket *s);
void us_epoll_destroy(struct us_stack *stack);

/* descriptor.c */
int us_descriptor_arm(struct us_stack *stack);
void us_descriptor_destroy(struct us_stack *stack);

/* loop.c: runs the stack in the calling thread */
bool us_loop_once(struct us_stack *stack);
void us_loop_kick(struct us_stack *stack);
void us_loop_flush(struct us_stack *stack);
void us_loop_let_out(struct us_stack *stack);
us_ns us_loop_next(const struct us_stack *stack);
int us_loop_wait(struct us_stack *stack, us_ns limit);
int us_loop_until(struct us_stack *stack, int64_t timeout, int (*ready)(void *arg), void *arg);
int us_loop_descriptors(const struct us_stack *stack, struct pollfd fds[US_LINKS_MAX]);
bool us_loop_is_virtual(const struct us_stack *stack);
us_ns us_socket_limit(const struct ustack_socket *s, us_ns timeout, int flags);
int us_socket_wait(struct ustack_socket *s, us_ns limit);

/* drive.c: stacks that are driven from outside */
int us_drive_create(struct us_stack *stack);
void us_drive_destroy(struct us_stack *stack);
void us_drive_enter(struct us_stack *stack);
void us_drive_leave(struct us_stack *stack);
int us_drive_sleep(struct us_stack *stack, us_ns limit);
us_ns us_drive_poll(struct us_stack *stack);
us_ns us_drive_advance(struct us_stack *stack, us_ns ns);
unsigned int us_drive_sleeping(const struct us_stack *stack);

/* Its place among all sockets of its stack. */
static inline size_t us_socket_index(const struct ustack_socket *s)
{
	const struct us_pool *pool = &s->stack->sockets;

	return (size_t)((const uint8_t *)s - pool->base) / pool->size;
}

/* The readiness of @s may have changed: for calls that wait, and epoll sets. */
static inline void us_socket_event(struct ustack_socket *s)
{
	s->stack->events++;
	if (us_unlikely(s->watches != NULL))
		us_epoll_notify(s);
}

static inline struct us_stack *us_enter(struct us_stack *stack)
{
	if (us_unlikely(stack->driver != NULL))
		us_drive_enter(stack);
	return stack;
}

static inline void us_leave(struct us_stack **stack)
{
	if (us_unlikely((*stack)->driver != NULL))
		us_drive_leave(*stack);
}

static inline struct ustack_socket *us_socket_enter(struct ustack_socket *s)
{
	if (us_unlikely(s->stack->driver != NULL))
		us_socket_hold(s);
	return s;
}

static inline void us_socket_leave(struct ustack_socket **s)
{
	if (us_unlikely((*s)->stack->driver != NULL))
		us_socket_let_go(*s);
}

/*
 * Every public call begins with one of these, and holds the stack until it returns.
 * A stack that is not driven has one owner at a time, and pays a look.
 */
#define US_CALL(of_stack) \
	__attribute__((cleanup(us_leave), unused)) \
	struct us_stack *us_entered = us_enter(of_stack)
#define US_SOCKET_CALL(of_socket) \
	__attribute__((cleanup(us_socket_leave), unused)) \
	struct ustack_socket *us_entered = us_socket_enter(of_socket)

#endif /* US_SOCKET_SOCKET_H */
