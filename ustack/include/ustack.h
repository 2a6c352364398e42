/* SPDX-License-Identifier: MIT */
/**
 * DOC: ustack - a TCP/UDP/IP stack in user space
 *
 * A stack is created, given links and addresses, and used through sockets.
 * It has one owner at a time: the thread that calls.  No call may be made on
 * one stack, or on its sockets, by two threads at once - but on a stack that is
 * driven from outside (below).
 *
 * Socket calls follow the BSD calls of the same name: they return -1 and set
 * errno, as Linux does.  A blocking call runs the stack in the calling thread
 * until it can return.  All other calls return 0 or a negative errno; what errno is
 * behind them tells nothing.
 *
 * What differs from Linux: a signal handler ends a blocking call with EINTR, SA_RESTART
 * or not.  A call that nothing can ever wake fails with EDEADLK instead of hanging: no
 * link has a descriptor, and no timer is due or ustack_config.clock stands still.  But on
 * a stack that is driven from outside (below) it sleeps, as another thread may move the
 * clock: where there is no other thread, for ever, whatever its timeout.
 * Calls that do not block leave running the stack to ustack_poll(),
 * ustack_run(), ustack_pollsockets() and those that do.  Between calls nothing
 * runs: an ACK that TCP delays, or that waits for the answer of who received a
 * message, leaves with the next call, and no timer runs out before it.  Who does
 * other things for longer than 40 ms runs the stack meanwhile.
 *
 * A program that also waits for descriptors of the kernel has ustack_descriptor() among
 * them; what ustack_fd() gives is a number only.
 *
 * Times are nanoseconds of the stack's clock (CLOCK_MONOTONIC by default).
 * Addresses in struct sockaddr are in network byte order, as everywhere.
 */
#ifndef USTACK_H
#define USTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct ustack;
struct ustack_link;
struct ustack_socket;
struct ustack_epoll;

/* ---------------------------------------------------------------- stacks */

/**
 * enum ustack_ecn - explicit congestion notification of TCP
 * @USTACK_ECN_ANSWER: not asked for in SYNs, but agreed to when a peer asks.
 * @USTACK_ECN_ASK_CLASSIC: ask for RFC 3168.
 * @USTACK_ECN_ASK: ask for RFC 9768 (AccECN), or what the peer knows of it.
 * @USTACK_ECN_OFF: neither ask nor agree.
 */
enum ustack_ecn {
	USTACK_ECN_ANSWER,
	USTACK_ECN_ASK_CLASSIC,
	USTACK_ECN_ASK,
	USTACK_ECN_OFF,
};

/* An option of this stack's own, level IPPROTO_TCP: int, enum ustack_ecn; of the next
 * connection, or of those that a listening socket accepts.
 */
#define USTACK_TCP_ECN		0x75000001

/**
 * struct ustack_config - how to create a stack; all zero is a good default
 * @clock: returns the time in nanoseconds; NULL is CLOCK_MONOTONIC.  With a
 *	clock of the caller's, no call sleeps for time to pass.
 * @clock_arg: given to @clock.
 * @driven: from outside: time stands until ustack_advance() moves it.  @clock
 *	must be NULL.
 * @seed: of the random source, for repeatable runs; 0 asks the kernel
 *	(getrandom).
 * @max_sockets: sockets and connections; 0 is 1024.
 * @max_packets: received packets held at once; 0 is 4096.
 * @max_time_wait: connections remembered in TIME-WAIT; one more takes the place of
 *	the oldest.  0 is four times @max_sockets, and 4096 at least.
 * @send_memory: bytes for send buffers of links that bring none, 2 KiB or more, below
 *	4 GiB; 0 is 4 MiB.  All connections share it: a peer that stands still keeps what its window
 *	did not let go, tens of KiB, so where hundreds of them are to be expected there
 *	should be more (netchannel: tx_bytes=).
 * @congestion: TCP_CONGESTION of new sockets: "cubic", "reno" or "bbr"; NULL is
 *	"cubic".
 * @ecn: of new sockets.
 */
struct ustack_config {
	int64_t (*clock)(void *arg);
	void *clock_arg;
	bool driven;
	uint64_t seed;
	unsigned int max_sockets;
	unsigned int max_packets;
	unsigned int max_time_wait;
	size_t send_memory;
	const char *congestion;
	enum ustack_ecn ecn;
};

/**
 * ustack_create() - makes a stack
 * @config: copied; NULL is all zero.
 * @stack: where the new stack is put; the caller destroys it.
 *
 * All memory for the data path is taken here.
 * Return: 0, or -ENOMEM, -EINVAL, -ENOENT (no such congestion control).
 */
int ustack_create(const struct ustack_config *config, struct ustack **stack);

/**
 * ustack_destroy() - ends a stack
 * @stack: with its links and sockets, which become invalid.  Connections that
 *	are still open are reset.
 */
void ustack_destroy(struct ustack *stack);

/**
 * ustack_poll() - runs the stack once, without sleeping
 * @stack: the stack.
 *
 * Takes what links received, 64 packets of each, runs due timers, sends what is to be sent.
 * Where a link has more, timers wait until that is taken in, for sixteen calls or 10 ms at most.
 * Return: nanoseconds until the next deadline, 0 if there is more to do now,
 * -1 if nothing is pending.
 */
int64_t ustack_poll(struct ustack *stack);

/**
 * ustack_run() - polls, sleeping in between, for a while
 * @stack: the stack.
 * @timeout: nanoseconds; negative is until a socket event.
 *
 * Returns early when any socket's readiness changed.
 * Return: 1 if so, 0 after @timeout, -EINTR after a signal, -EDEADLK if nothing
 * can happen (not on a driven stack: there only another thread ends the sleep, or a
 * signal); the error of a link that died.
 */
int ustack_run(struct ustack *stack, int64_t timeout);

/**
 * ustack_descriptor() - a descriptor for the kernel's poll(2), epoll(7) and event loops
 * @stack: its links are open; after opening another one, call again.
 *
 * Readable (POLLIN, level by level) when the stack has something to do: packets came, or a
 * timer ran out; the wait needs no timeout for the stack's sake.  It tells nothing of what
 * the stack took in already.  So the last call before the wait is ustack_epoll_wait() or
 * ustack_pollsockets() with a timeout of 0, and it returned 0; after any other call on the
 * stack or its sockets, a send too, it is made again.  ustack_poll() will do, where it
 * returns other than 0 and the program looks at its sockets then.  A loop that finds sockets
 * ready again and again waits for the kernel's with a timeout of 0 in between.
 *
 * Return: the descriptor, the same each time; the stack's, which closes it at its end.
 * -EOPNOTSUPP where the time is the caller's (struct ustack_config: clock, driven); -EMFILE,
 * -ENFILE, -ENOMEM; the error of a link that died, if there is no other.
 */
int ustack_descriptor(struct ustack *stack);

/**
 * ustack_counters() - reads the stack's counters, one for each cause
 * @stack: the stack.
 * @print: called once a counter, with its name and value; makes no call on the stack.
 * @arg: given to @print.
 *
 * What TCP drops or ignores has one for each cause; Documentation/tcp.rst, "What can be seen",
 * says which.  Looks at all connections: TCP's totals of data are what they count themselves.
 */
void ustack_counters(struct ustack *stack,
		     void (*print)(void *arg, const char *name, uint64_t value),
		     void *arg);

/**
 * ustack_now() - the time of a stack's clock
 * @stack: the stack.
 *
 * Return: nanoseconds.
 */
int64_t ustack_now(struct ustack *stack);

/* ------------------------------------------------------ driven from outside */

/**
 * DOC: driving a stack from outside
 *
 * A stack created with ustack_config.driven has a clock that stands still.  Its
 * calls may be made by several threads: one drives - it advances the clock, and
 * injects and collects the packets of a link of the kind "extern" - while calls
 * of others sleep in socket calls.  Those really sleep, until something happens
 * to a socket, or the clock reaches the end of their timeout, or a signal comes.
 * The thread that drives makes no call that waits, as nobody moves the clock meanwhile;
 * a program of one thread has ustack_advance(), and sockets that do not block.
 *
 * Whatever an injected packet, or time that passes, leads to has happened when
 * the call returns that brought it: each sleeping call that was woken by it has
 * returned or sleeps again.  Then time stands until it is advanced again.
 *
 * selftests/unit/drive.c is an example.
 */

/**
 * ustack_advance() - lets time pass on a driven stack
 * @stack: driven.
 * @ns: nanoseconds; 0 only runs what is due.
 *
 * The stack runs at each time at which something is due.  The clock stops early,
 * at the moment at which a call that slept was woken and returned.
 * Return: what is left of @ns then; 0 when all of it passed; -EINVAL if the stack
 * is not driven, or @ns is negative, or leads beyond the 2^63 ns that the clock has.
 */
int64_t ustack_advance(struct ustack *stack, int64_t ns);

/**
 * ustack_sleeping() - counts the calls that sleep on a driven stack
 * @stack: the stack.
 *
 * Return: their number.
 */
int ustack_sleeping(struct ustack *stack);

/**
 * ustack_link_inject() - gives a stack a packet
 * @link: of the kind "extern".
 * @packet: an IPv4 or IPv6 packet, from its IP header on, with all checksums;
 *	copied.  It may be larger than the MTU, which limits what the stack sends.
 * @length: its bytes.
 *
 * A driven stack takes it at once, any other one in its next round.
 * Return: 0; -EMSGSIZE if it is larger than 65535; -ENOBUFS if the link is full;
 * -ENOMEM; -EOPNOTSUPP if it is of another kind.
 */
int ustack_link_inject(struct ustack_link *link, const void *packet, size_t length);

/**
 * ustack_link_collect() - takes the oldest packet that a stack sent
 * @link: of the kind "extern".
 * @packet: goes there, from its IP header on, with all checksums.
 * @size: bytes of @packet.
 * @when: set to the time at which it was sent.  May be NULL.
 *
 * Return: bytes of the packet; -EAGAIN if there is none; -EMSGSIZE if it is larger
 * than @size, then it stays; -EOPNOTSUPP if the link is of another kind.
 */
ssize_t ustack_link_collect(struct ustack_link *link, void *packet, size_t size,
			    int64_t *when);

/**
 * enum ustack_event_kind - what may happen to a connection
 * @USTACK_EVENT_STATE: its state changed.
 * @USTACK_EVENT_RETRANSMIT: something was sent again.
 * @USTACK_EVENT_TIMEOUT: the retransmission timer ran.
 * @USTACK_EVENT_TAIL_PROBE: a tail loss probe was sent (RFC 8985 7).
 * @USTACK_EVENT_WINDOW_PROBE: a closed window was probed.
 * @USTACK_EVENT_RECOVERY: a loss was found.
 * @USTACK_EVENT_CONGESTED: the path told of congestion without a loss (ECN).
 * @USTACK_EVENT_UNDO: the last reduction was spurious, and was undone.
 * @USTACK_EVENT_RESET: the peer's RST was believed.
 * @USTACK_EVENT_CHALLENGE: something suspicious was answered (RFC 5961).
 * @USTACK_EVENT_ERROR: it ended with an error.
 */
enum ustack_event_kind {
	USTACK_EVENT_STATE,
	USTACK_EVENT_RETRANSMIT,
	USTACK_EVENT_TIMEOUT,
	USTACK_EVENT_TAIL_PROBE,
	USTACK_EVENT_WINDOW_PROBE,
	USTACK_EVENT_RECOVERY,
	USTACK_EVENT_CONGESTED,
	USTACK_EVENT_UNDO,
	USTACK_EVENT_RESET,
	USTACK_EVENT_CHALLENGE,
	USTACK_EVENT_ERROR,
};

/**
 * struct ustack_event - one thing that happened to a connection
 * @time: nanoseconds of the stack's clock.
 * @kind: what.
 * @local_port: host byte order.
 * @remote_port: host byte order.
 * @remote: the peer's address; IPv4 as ::ffff:a.b.c.d.
 * @from: the state before, with USTACK_EVENT_STATE.
 * @state: TCP_ESTABLISHED... of <netinet/tcp.h>; in TIME-WAIT, too, TCP_CLOSE.
 * @seq: sequence number that it is about.
 * @length: bytes; with USTACK_EVENT_ERROR a positive errno.
 * @cwnd: congestion window, bytes; 0: the connection was idle.
 * @ssthresh: slow start threshold, bytes.
 * @in_flight: bytes.
 * @srtt: microseconds.
 */
struct ustack_event {
	int64_t time;
	enum ustack_event_kind kind;
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t remote[16];
	uint8_t from;
	uint8_t state;
	uint32_t seq;
	uint32_t length;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t in_flight;
	uint32_t srtt;
};

/**
 * ustack_trace() - logs what happens to TCP connections
 * @stack: the stack.
 * @events: kept, the last ones; 56 bytes each.  0 stops, and forgets all.
 *
 * May be called at any time.  While it is off, it costs nothing on the way of data.
 * Return: 0, -EINVAL for more than 2^24, -ENOMEM.
 */
int ustack_trace(struct ustack *stack, unsigned int events);

/**
 * ustack_trace_read() - reads the log, oldest event first
 * @stack: the stack.
 * @socket: only its connection; NULL: all of them.
 * @take: called once an event, which is the callee's only during the call; makes no call on
 *	the stack.
 * @arg: given to @take.
 */
void ustack_trace_read(struct ustack *stack, struct ustack_socket *socket,
		       void (*take)(void *arg, const struct ustack_event *event),
		       void *arg);

/**
 * ustack_event_print() - an event as a line of text
 * @event: of ustack_trace_read().
 * @text: no newline at its end.
 * @size: of @text.
 *
 * Return: as snprintf(3).
 */
int ustack_event_print(const struct ustack_event *event, char *text, size_t size);

/* ----------------------------------------------------- links, addresses */

/**
 * ustack_link_open() - gives the stack a link
 * @stack: the stack.
 * @spec: "KIND[:KEY=VALUE,...]":
 *	"netchannel:depth=1024,hook=late|early" - the kernel module; addresses
 *	and routes are the kernel's own; tx_bytes=, rx_bytes= (of the shared memory,
 *	for what is sent and what comes; 4 MiB to send, or what the module finds
 *	usual, where ulimit -l does not allow that).  It has 1024 flows (ENOSPC):
 *	one for each socket that listens or is a SOCK_DGRAM with a port (two, if it
 *	hears both families), and one for each connection that was opened here;
 *	accepted ones take none.  At most 256 ports are asked for by number, or for
 *	both families (ENOBUFS), each a descriptor of the process;
 *	"packet:dev=NAME|ifindex=N,mac=MAC,peer=MAC" - a packet socket of one
 *	Ethernet device that is up (not lo); needs CAP_NET_RAW.  mac= is the stack's
 *	own (that of the device, unless given; then the device is made promiscuous),
 *	peer= that of every neighbour (unless given, ARP and ND ask).  Needs
 *	ustack_address_add(), and ustack_route_add() for what is not on the link.
 *	An address is for one stack, and nobody checks it: of two that have the same, be
 *	they of two processes, each gets the packets of both (or, with mac=, neighbours
 *	find one of them), and resets the connections of the other;
 *	"pipe:name=A" - the other end is the next pipe of that name in this
 *	process, whose stack the same thread has to run: a call that blocks runs
 *	its own alone; loss=,reorder=,duplicate=,corrupt=,mark= (per cent; the
 *	last marks what is ECN-capable as CE), burst= (packets lost in a row, on
 *	average), delay=,jitter= (milliseconds), rate= (bit/s), seed=, mtu=
 *	(1500), limit= (packets), hole= (bytes; larger packets vanish) shape what
 *	this end sends; frames= is how many packets may be under way at once (1024,
 *	or 8192 if anything is shaped); super-segments of TCP are cut into packets of
 *	the MTU (with frames= of 48 and more), with gso=1 they cross whole, and those
 *	of UDP;
 *	"lo" - the stack itself: what it sends to one of its addresses comes in again, as
 *	does what it sends to 127.0.0.1 and ::1, which come with this link.  Those that
 *	are the kernel's (netchannel) stay with the kernel.  mtu= (65535), frames=, and
 *	what shapes a pipe;
 *	"extern:mtu=1500,depth=1024" - the other end is the caller, by
 *	ustack_link_inject() and ustack_link_collect(); depth is the number of
 *	packets that may wait each way.
 * @link: where the link is put; it belongs to the stack.  May be NULL.
 *
 * Return: 0, or a negative errno; ustack_error() says in words what is wrong.
 */
int ustack_link_open(struct ustack *stack, const char *spec,
		     struct ustack_link **link);

/**
 * ustack_error() - tells in words why a call on @stack failed
 * @stack: the stack; NULL after a failed ustack_create().
 *
 * Return: a text that names the input and the remedy, of the last call that opened a link,
 * added an address or a route, bound, listened or connected, or asked for the stack's
 * descriptor; valid until the next of these; "" if there is nothing to tell, as of what the
 * network or a peer answered (ECONNREFUSED, EHOSTUNREACH).  Of other calls their errno tells
 * all: of a link that died ENODEV, its device or network namespace is gone, or EPIPE, what
 * a channel shares with the kernel was overwritten.
 */
const char *ustack_error(struct ustack *stack);

/**
 * ustack_address_add() - gives a link a local address
 * @stack: the stack.
 * @link: the link.
 * @address: struct sockaddr_in or sockaddr_in6; the port is ignored.
 * @prefix: length of the on-link prefix, which becomes a route if there is none for it
 *	yet: who has two links in one network sends by the first one.
 *
 * Not needed on a netchannel link: there an address of the kernel is used.
 * Return: 0, -EINVAL, -EEXIST, -ENOSPC; -EADDRINUSE where the kernel owns the
 * address and would reset the stack's connections.
 */
int ustack_address_add(struct ustack *stack, struct ustack_link *link,
		       const struct sockaddr *address, unsigned int prefix);

/**
 * ustack_route_add() - adds a route through a gateway
 * @stack: the stack.
 * @link: the link on which @gateway is reached.
 * @destination: network address.
 * @prefix: its length; 0 is the default route.
 * @gateway: on-link address of the next hop.
 *
 * Return: 0, -EINVAL (@gateway is the stack itself, too), -EEXIST, -ENOSPC, -ENETUNREACH if
 * @gateway is not on-link.
 */
int ustack_route_add(struct ustack *stack, struct ustack_link *link,
		     const struct sockaddr *destination, unsigned int prefix,
		     const struct sockaddr *gateway);

/**
 * struct ustack_link_stats - what a link did
 * @rx_packets: received packets.
 * @rx_bytes: their bytes.
 * @tx_packets: sent packets.
 * @tx_bytes: their bytes.
 * @rx_dropped: lost on the way in, as far as the link knows.
 * @tx_dropped: refused on the way out.
 * @syscalls: system calls that the link made.
 */
struct ustack_link_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_dropped;
	uint64_t tx_dropped;
	uint64_t syscalls;
};

/**
 * ustack_link_stats() - reads a link's counters
 * @link: the link.
 * @stats: filled in.
 */
void ustack_link_stats(const struct ustack_link *link,
		       struct ustack_link_stats *stats);

/* --------------------------------------------------------------- sockets */

/* Readiness, as poll(2) has it: POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLRDHUP. */

/**
 * ustack_socket() - socket(2)
 * @stack: the stack.
 * @domain: AF_INET or AF_INET6.
 * @type: SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK and SOCK_CLOEXEC if
 *	wished.
 * @protocol: 0, IPPROTO_TCP or IPPROTO_UDP.
 *
 * Return: a socket, or NULL and errno: EMFILE when max_sockets are in use, and as
 * socket(2).
 */
struct ustack_socket *ustack_socket(struct ustack *stack, int domain, int type,
				    int protocol);

/**
 * ustack_close() - close(2)
 * @socket: invalid afterwards.  A connection is closed in order in the
 *	background, while the stack is run; or as SO_LINGER says.
 *
 * Return: 0.
 */
int ustack_close(struct ustack_socket *socket);

/**
 * ustack_bind() - bind(2)
 * @socket: not bound yet.
 * @address: struct sockaddr_in or sockaddr_in6, as @socket; port 0 takes a free one.
 * @length: of @address.
 *
 * A socket of AF_INET6 that is bound to :: hears IPv4, too, unless IPV6_V6ONLY was set; an
 * address of IPv4 is ::ffff:a.b.c.d to it, here and wherever addresses are given or told
 * (and as in Linux, a SOCK_DGRAM connects and sends to a struct sockaddr_in, too).
 * On a netchannel link an address of the kernel will do, too.  SO_REUSEADDR is heeded for
 * SOCK_STREAM; a port of SOCK_DGRAM is never shared.  Connections that were accepted keep
 * nobody from their port, as if all had SO_REUSEADDR.
 * Return: 0; -1 and errno: EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL and others
 * that the link has for a port.
 */
int ustack_bind(struct ustack_socket *socket, const struct sockaddr *address,
		socklen_t length);

/**
 * ustack_listen() - listen(2)
 * @socket: SOCK_STREAM.
 * @backlog: connections that wait to be accepted, and one more, as in Linux; 4096 at
 *	most, and negative is as many.
 *	Called again, it changes only this.
 *
 * Return: 0; -1 and errno: EADDRINUSE, EINVAL (connected), EOPNOTSUPP and others
 * that the link has for a port.
 */
int ustack_listen(struct ustack_socket *socket, int backlog);

/**
 * ustack_connect() - connect(2)
 * @socket: bound or not.
 * @address: of the peer; AF_UNSPEC resets a connection, or lets go of the peer of a
 *	SOCK_DGRAM, which keeps its port, also one that it did not ask for.
 * @length: of @address.
 *
 * SOCK_STREAM waits until the connection is open, SO_SNDTIMEO at most.  A SOCK_DGRAM
 * keeps the peer it has where this fails.
 * Return: 0; -1 and errno: EINPROGRESS (not blocking, or time out), EALREADY, EISCONN,
 * ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EINTR, ENOSPC (netchannel: no flow is left)
 * and others, as connect(2).
 */
int ustack_connect(struct ustack_socket *socket,
		   const struct sockaddr *address, socklen_t length);

/**
 * ustack_getsockname() - getsockname(2)
 * @socket: the socket.
 * @address: filled in with its own address and port, as far as there is room.
 * @length: bytes of @address; set to those that the whole address has.
 *
 * Return: 0; -1 and errno: EFAULT, EINVAL.
 */
int ustack_getsockname(struct ustack_socket *socket, struct sockaddr *address,
		       socklen_t *length);

/**
 * ustack_getpeername() - getpeername(2)
 * @socket: connected.
 * @address: filled in with the peer's address and port, as far as there is room.
 * @length: bytes of @address; set to those that the whole address has.
 *
 * Return: 0; -1 and errno: ENOTCONN, EFAULT, EINVAL.
 */
int ustack_getpeername(struct ustack_socket *socket, struct sockaddr *address,
		       socklen_t *length);

/**
 * ustack_shutdown() - shutdown(2)
 * @socket: connected; a listening one listens no more after SHUT_RD.
 * @how: SHUT_RD, SHUT_WR (what is queued is sent, and a FIN behind it) or SHUT_RDWR.
 *
 * Another thread's ustack_accept() then fails with EINVAL, ustack_connect() with
 * ECONNRESET.  A SOCK_DGRAM is shut down for good, also where it has no peer and the call
 * fails: who waits in ustack_recv(), or would, is given 0.
 * Return: 0; -1 and errno: ENOTCONN, EINVAL.
 */
int ustack_shutdown(struct ustack_socket *socket, int how);

/**
 * ustack_accept() - accept4(2)
 * @socket: a listening socket.
 * @address: the peer's address, or NULL.
 * @length: as accept(2) has it, or NULL.
 * @flags: SOCK_NONBLOCK, SOCK_CLOEXEC or 0.
 *
 * Return: a connected socket, or NULL and errno: EAGAIN, EMFILE (max_sockets), EINVAL, EFAULT,
 * EOPNOTSUPP, ECONNABORTED (gone again; its name was asked for), and as blocking calls.
 */
struct ustack_socket *ustack_accept(struct ustack_socket *socket,
				    struct sockaddr *address,
				    socklen_t *length, int flags);

/**
 * USTACK_MSG_BATCH - what is sent may leave together with what follows
 *
 * The call makes no system call.  Bytes leave with the next call on the stack that
 * waits (which then lets them go and sleeps in one system call), that sends without
 * this flag, or that polls, runs or closes; and as soon as 64 KB stand in the socket.
 * Who sends with it and then makes no such call has not sent.  TCP_NODELAY decides
 * about the last segment as ever; MSG_MORE keeps it back, this flag does not.
 *
 * Datagrams of one size to one destination, one behind the other, leave as one packet
 * then, 64 at most, where the link cuts it (netchannel), as with UDP_SEGMENT; the first
 * one by itself, if none followed the one before.  Whoever receives them sees the
 * datagrams that were sent.
 */
#define USTACK_MSG_BATCH	0x10000000

/**
 * ustack_send() - send(2)
 * @socket: connected.
 * @data: copied before the call returns, but with MSG_ZEROCOPY.
 * @length: bytes of @data.
 * @flags: MSG_DONTWAIT, USTACK_MSG_BATCH; for SOCK_STREAM also MSG_MORE, MSG_OOB,
 *	MSG_FASTOPEN, MSG_ZEROCOPY.
 *
 * With MSG_ZEROCOPY, on a SOCK_STREAM with SO_ZEROCOPY (else it is passed over), @data is sent
 * from where it lies, and must stay as it is until the error queue says that the call is done
 * (ustack_recvmsg()), or ustack_close() or ustack_destroy() returns: what is left then is
 * copied.  A netchannel link sends from memory of its own only, and what goes with the SYN of
 * Fast Open is sent from there, too: such calls copy and are told of at once,
 * with SO_EE_CODE_ZEROCOPY_COPIED.  128 records at most wait for ACKs or to be read.
 *
 * Waits until all of it is queued, SO_SNDTIMEO at most.  There is no SIGPIPE.
 * Return: bytes queued; -1 and errno: EAGAIN, EPIPE, ENOTCONN, EDESTADDRREQ, EMSGSIZE,
 * ECONNRESET, ETIMEDOUT, EINTR, EFAULT (NULL, where bytes are to be; with
 * USTACK_MSG_BATCH nobody looks), ENOBUFS (MSG_ZEROCOPY, with too many records) and others,
 * as send(2).
 */
ssize_t ustack_send(struct ustack_socket *socket, const void *data,
		    size_t length, int flags);

/**
 * ustack_sendto() - sendto(2)
 * @socket: a SOCK_DGRAM that is not bound gets a port.
 * @data: copied before the call returns.
 * @length: bytes of @data.
 * @flags: as for ustack_send().
 * @address: of the receiver; NULL: as ustack_send().  SOCK_STREAM passes it over,
 *	but with MSG_FASTOPEN, by which it connects: as ustack_connect(), it waits and
 *	fails, too.
 * @address_length: of @address.
 *
 * Datagrams are not fragmented.  One of those that a router found too large is lost; for
 * ten minutes others of that size to the same address are EMSGSIZE.  A connected socket is
 * told so at once, as of an error.
 *
 * Return: as ustack_send().
 */
ssize_t ustack_sendto(struct ustack_socket *socket, const void *data,
		      size_t length, int flags,
		      const struct sockaddr *address, socklen_t address_length);

/**
 * ustack_recv() - recv(2)
 * @socket: connected, or a SOCK_DGRAM.
 * @data: filled in.
 * @length: bytes of @data; what a datagram has beyond is lost.
 * @flags: MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC; for SOCK_STREAM also MSG_WAITALL, MSG_OOB.
 *	MSG_ERRQUEUE takes a record of the error queue, see ustack_recvmsg().
 *
 * Waits for something to come, SO_RCVTIMEO at most.  There is no SIGURG: POLLPRI tells
 * of urgent data.
 * Return: bytes; 0 at the end of a stream; -1 and errno: EAGAIN, ENOTCONN, ECONNREFUSED,
 * ECONNRESET, ETIMEDOUT, EINTR, EFAULT (NULL, where bytes are to go) and others, as
 * recv(2).
 */
ssize_t ustack_recv(struct ustack_socket *socket, void *data, size_t length,
		    int flags);

/**
 * ustack_recvfrom() - recvfrom(2)
 * @socket: connected, or a SOCK_DGRAM.
 * @data: filled in.
 * @length: bytes of @data.
 * @flags: as for ustack_recv().
 * @address: filled in with the sender of a datagram.  May be NULL.
 * @address_length: bytes of @address; set to those of the whole address, or to 0 for
 *	SOCK_STREAM, which names no sender.
 *
 * Return: as ustack_recv().
 */
ssize_t ustack_recvfrom(struct ustack_socket *socket, void *data,
			size_t length, int flags, struct sockaddr *address,
			socklen_t *address_length);

struct mmsghdr;		/* of <sys/socket.h>, with _GNU_SOURCE */

/**
 * ustack_sendmsg() - sendmsg(2)
 * @socket: the socket.
 * @message: 1024 pieces at most.  SOCK_STREAM: they leave as if they were one; there are no
 *	control messages, and those of other levels than SOL_SOCKET are passed over.
 *	SOCK_DGRAM: in several pieces it is copied twice; control messages say of this one,
 *	in place of the socket: UDP_SEGMENT (uint16_t), IP_TOS, IP_TTL or IPV6_TCLASS,
 *	IPV6_HOPLIMIT (int), and IP_PKTINFO or IPV6_PKTINFO: its source, an address of the
 *	stack's, if the socket is bound to none, and the device it leaves by.
 * @flags: as for ustack_send().
 *
 * Return: as ustack_sendto(); -1 and errno: also EINVAL (another control message of these
 * levels or SOL_SOCKET, or a source that is none), ENODEV, EMSGSIZE (more pieces).
 */
ssize_t ustack_sendmsg(struct ustack_socket *socket, const struct msghdr *message,
		       int flags);

/**
 * ustack_recvmsg() - recvmsg(2)
 * @socket: the socket.
 * @message: filled in, 1024 pieces at most.  SOCK_STREAM: the first ones first; no sender;
 *	msg_flags tells of MSG_OOB; the one control message is TCP_CM_INQ (int), of a socket
 *	with TCP_INQ: bytes that are left to be read, and one more for FIN.  SOCK_DGRAM:
 *	what goes into several pieces is copied twice; control messages are those that the
 *	socket's options ask for (see there), and UDP_GRO (int), of a socket with that option,
 *	if what came is more datagrams than one: they have so many bytes each, the last may
 *	have less.  MSG_CTRUNC: there was no room for one.
 * @flags: as for ustack_recv().
 *
 * With MSG_ERRQUEUE the last control message is struct sock_extended_err of
 * <linux/errqueue.h> (IP_RECVERR of SOL_IP, IPV6_RECVERR of SOL_IPV6), and the call does not
 * wait (EAGAIN).  While there is such a record POLLERR is set.
 * SOCK_STREAM: calls with MSG_ZEROCOPY are told of (SO_EE_ORIGIN_ZEROCOPY): those from ee_info
 * to ee_data, counted from 0 on, are done.  There is no data, and SO_ERROR is not set.
 * SOCK_DGRAM with IP_RECVERR: datagrams that did not arrive: the errno, type and code of ICMP
 * (SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6), or one that was too large (SO_EE_ORIGIN_LOCAL), with
 * EMSGSIZE the MTU in ee_info, and behind it the address of who said so (SO_EE_OFFENDER();
 * AF_UNSPEC on netchannel links, whose kernel does not pass it on).  The name is the
 * destination, the data is of the payload what ICMP quotes.  Before it come those that the
 * socket's options ask for, of the packet that says so.
 *
 * Return: as ustack_recv(); -1 and errno: also EINVAL, EMSGSIZE (more pieces).
 */
ssize_t ustack_recvmsg(struct ustack_socket *socket, struct msghdr *message, int flags);

/**
 * ustack_sendmmsg() - sendmmsg(2)
 * @socket: the socket.
 * @messages: each as for ustack_sendmsg(), all but the last one with USTACK_MSG_BATCH.
 * @count: of @messages.
 * @flags: as for ustack_send().
 *
 * A message of which a SOCK_STREAM takes only a part (msg_len) is the last.
 * Return: messages that were sent; -1 and errno if the first one was not, as
 * ustack_sendmsg().
 */
int ustack_sendmmsg(struct ustack_socket *socket, struct mmsghdr *messages,
		    unsigned int count, int flags);

/**
 * ustack_recvmmsg() - recvmmsg(2), without its timeout
 * @socket: the socket.
 * @messages: each as for ustack_recvmsg().
 * @count: of @messages.
 * @flags: as for ustack_recv(); MSG_WAITFORONE: waits for the first one only.
 *
 * Return: messages that came; -1 and errno if none did, as ustack_recvmsg().
 */
int ustack_recvmmsg(struct ustack_socket *socket, struct mmsghdr *messages,
		    unsigned int count, int flags);

/**
 * DOC: sending and receiving in place
 *
 * A socket lends its memory, so that nothing is copied:
 *
 *	size_t room = 65536;
 *	char *to = ustack_reserve(socket, &room, 0);
 *
 *	ustack_submit(socket, produce(to, room), 0);
 *
 *	struct iovec piece;
 *
 *	while (ustack_peek(socket, &piece, 1, 0) > 0) {
 *		consume(piece.iov_base, piece.iov_len);
 *		ustack_release(socket, piece.iov_len);
 *	}
 *
 * Both may be mixed with ustack_send() and ustack_recv(), call by call.  Memory that
 * is lent is the caller's while the stack runs and whatever becomes of the
 * connection, up to the call that ends the loan; ustack_close(), ustack_connect() to
 * AF_UNSPEC and ustack_destroy() end all loans.  A socket that has lent is connected: an
 * ustack_connect() that asks how the one before it went fails with EISCONN, even after a
 * reset.  One thread at a time sends, and one receives, in place on a socket.
 *
 * A SOCK_DGRAM lends messages, each as a whole: room for one that is to be sent, and the
 * next one that came.  With UDP_SEGMENT the room is for all datagrams of a message, with
 * UDP_GRO those that came together are lent together.  ustack_recvmsg() with MSG_PEEK and
 * no pieces tells who sent the message that is lent, and which size its datagrams have, or
 * the pending error, if there is one: so it is best asked before ustack_peek().
 * ustack_listen_peer() ends all loans, too; ustack_connect() to another peer ends none:
 * what was written goes to whoever is the peer when it is submitted.
 */

/**
 * ustack_reserve() - lends room to write into what is to be sent
 * @socket: connected.
 * @length: bytes wished for, not 0; set to those lent, 0 on failure.  SOCK_STREAM: at
 *	least one, perhaps less than wished for (as SO_SNDBUF and what other connections
 *	use leave room, and never more than 65536), as they lie in one piece.
 *	SOCK_DGRAM: just as many, or none.
 * @flags: MSG_DONTWAIT or 0.
 *
 * Waits as ustack_send() does.  The room is the caller's, to write and to read, until
 * ustack_submit(); what it holds is not defined before.  Another ustack_reserve() fails
 * with EBUSY meanwhile, and so does ustack_send() on a stream.  With TCP_FASTOPEN_CONNECT
 * the SYN leaves without data.  What waits on a SOCK_DGRAM for others (USTACK_MSG_BATCH)
 * is waited for no more: it makes way for the message.
 * Return: the room; NULL and errno: as ustack_send(), and EINVAL, EBUSY, EBADF (closed by
 * another thread meanwhile).  ENOBUFS, too, if there is no piece of memory of that size for a
 * datagram; when there will be, POLLOUT does not tell: ustack_send() takes smaller ones.
 */
void *ustack_reserve(struct ustack_socket *socket, size_t *length, int flags);

/**
 * ustack_submit() - sends what was written into the room lent
 * @socket: from which there is room.
 * @length: bytes, from the start of the room on; 0 sends nothing, and gives the room
 *	back.
 * @flags: MSG_MORE, MSG_OOB (the last byte is urgent), USTACK_MSG_BATCH, MSG_DONTWAIT
 *	or 0.
 *
 * Never waits.  The room is the stack's again, on failure too (what was written is
 * lost then), but with EINVAL, and on a SOCK_DGRAM EAGAIN and EOPNOTSUPP.  Bytes that were
 * submitted must not be touched: they are what is sent, and sent again.
 *
 * On a SOCK_DGRAM they are a message, of several datagrams with the socket's UDP_SEGMENT.
 * All of the room is in use until it has left, be the message shorter.  Where the link is
 * full it leaves when there is room, unless the socket is closed, or bound or connected anew,
 * before; EAGAIN: others that were sent since ustack_reserve() wait for that, so it can be
 * submitted after POLLOUT.  No other message joins it, as those with USTACK_MSG_BATCH do:
 * small ones leave at less cost from a buffer.
 * An empty one is for ustack_send().
 * Return: 0; -1 and errno: EPIPE, ECONNRESET and others, as ustack_send(); EINVAL if
 * there is no room lent, or less than @length, or for other flags; EAGAIN; EOPNOTSUPP
 * (MSG_MORE, MSG_OOB on a SOCK_DGRAM).
 */
int ustack_submit(struct ustack_socket *socket, size_t length, int flags);

/**
 * ustack_peek() - lends bytes that came, where they lie
 * @socket: connected, if it is SOCK_STREAM.
 * @pieces: filled in, in the order of the stream, from the first unread byte on; not to
 *	be written to.  SOCK_DGRAM: one, the next message, which may be empty.
 * @count: of @pieces, at least one.
 * @flags: MSG_DONTWAIT or 0.
 *
 * Waits as ustack_recv() does, for one byte, or one message.  The bytes, whose checksums
 * are verified, stay unread, and where they are, until ustack_release() or ustack_recv()
 * takes them (or its kin, without MSG_PEEK); asking again shows the same ones, and what
 * came since on a stream.  As with ustack_recv(), nothing behind an urgent byte is shown
 * together with what is before it, and without SO_OOBINLINE the urgent byte itself is
 * passed over.
 *
 * Large segments and datagrams lie in the memory of the link, in the ring of a channel,
 * whose order of release is that of arrival: while one of them is lent, the ring fills
 * behind it, for all sockets of the stack, and when it is full packets are lost.  (What
 * is not lent is copied out of a ring that is half full.)  So who does not read at once
 * copies; to wait on another socket while bytes are lent may be to wait for ever.
 * Who hands on from one socket to another meets that when the other one takes only a
 * part: ustack_recv() then fetches the rest into memory of his own, which ends the loan
 * (ustack_release() of the part does not), before he waits for POLLOUT.
 * Return: pieces filled in; 0 at the end of the stream, or after SHUT_RD; -1 and errno:
 * as ustack_recv(), and EINVAL, EBADF (closed by another thread meanwhile).
 */
int ustack_peek(struct ustack_socket *socket, struct iovec *pieces, int count, int flags);

/**
 * ustack_release() - the first bytes that are lent have been read
 * @socket: that lent them.
 * @length: bytes, at most what the last ustack_peek() showed and nobody took since;
 *	they are the caller's no more, and the peer's window opens.  SOCK_DGRAM: all
 *	bytes of the message, which is taken.
 *
 * Return: 0; -1 and errno: EINVAL if there is less lent, or a message of another length,
 * and nothing is released.
 */
int ustack_release(struct ustack_socket *socket, size_t length);

/**
 * DOC: options of sockets
 *
 * Of all sockets, level SOL_SOCKET: SO_ERROR, SO_TYPE, SO_DOMAIN, SO_PROTOCOL,
 * SO_ACCEPTCONN, SO_SNDBUF, SO_RCVBUF, SO_RCVLOWAT (of SOCK_DGRAM without effect, as in
 * Linux; ustack_peek() does not wait for it), SO_REUSEADDR, SO_LINGER, SO_KEEPALIVE,
 * SO_OOBINLINE, SO_RCVTIMEO, SO_SNDTIMEO, SO_MAX_PACING_RATE.  SO_ZEROCOPY, of SOCK_STREAM only
 * (EOPNOTSUPP).
 *
 * Of SOCK_STREAM, level IPPROTO_TCP: TCP_NODELAY, TCP_CORK, TCP_MAXSEG, TCP_USER_TIMEOUT,
 * TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2, TCP_QUICKACK,
 * TCP_INQ, TCP_DEFER_ACCEPT, TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_CONGESTION,
 * TCP_NOTSENT_LOWAT (of ustack_reserve(), too), TCP_INFO (struct tcp_info of
 * <linux/tcp.h>, or as much of it as the caller has), TCP_CC_INFO (struct
 * tcp_bbr_info; all zero but with bbr; to read only), USTACK_TCP_ECN.
 *
 * Of SOCK_STREAM, AF_INET, level IPPROTO_IP: IP_TTL, IP_TOS, IP_RECVERR, IP_MTU (to
 * read only), IP_MTU_DISCOVER (WANT, DO, PROBE: all the same).
 *
 * Of AF_INET6, level IPPROTO_IPV6: IPV6_V6ONLY: no IPv4; off by default, and for good once
 * there is a port (EINVAL).  Without it the socket has the options of level IPPROTO_IP, too,
 * for packets of IPv4.
 *
 * Of SOCK_STREAM, AF_INET6, level IPPROTO_IPV6: IPV6_UNICAST_HOPS, IPV6_TCLASS,
 * IPV6_RECVERR, IPV6_MTU (to read only), IPV6_MTU_DISCOVER (as that of AF_INET).
 *
 * Of SOCK_DGRAM, level IPPROTO_UDP: UDP_SEGMENT (at most 64 datagrams of a message),
 * UDP_GRO.
 *
 * Of SOCK_DGRAM, AF_INET, level IPPROTO_IP: IP_TTL, IP_TOS (with the ECN bits), IP_MTU (to
 * read only, with a peer), IP_MTU_DISCOVER (WANT and DO are the same: what is too large is
 * refused; PROBE: up to the MTU of the route, whatever routers say).
 *
 * Of SOCK_DGRAM, AF_INET6, level IPPROTO_IPV6: IPV6_UNICAST_HOPS, IPV6_TCLASS, IPV6_MTU,
 * IPV6_MTU_DISCOVER, all as those of AF_INET.
 *
 * Of SOCK_DGRAM, IP_RECVERR or IPV6_RECVERR: all errors that ICMP tells of are pending errors,
 * without a peer and soft ones, too, and each has a record (MSG_ERRQUEUE of ustack_recvmsg()),
 * for which SO_RCVBUF has room; turned off: these are forgotten.
 *
 * Of SOCK_DGRAM, that ustack_recvmsg() is to tell of each datagram: where it was sent to and
 * the device that it came by (IP_PKTINFO; IPV6_RECVPKTINFO), its TTL or hop limit
 * (IP_RECVTTL; IPV6_RECVHOPLIMIT), its DS field with the ECN bits (IP_RECVTOS, a byte;
 * IPV6_RECVTCLASS), in control messages as Linux gives them; of level SOL_SOCKET SO_TIMESTAMP
 * or SO_TIMESTAMPNS: when it came (CLOCK_REALTIME, of a stack with a clock of the caller's
 * that clock's), and SO_RXQ_OVFL: how many the socket had no room for before it, if any.
 *
 * Others are refused (ENOPROTOOPT).
 */

/**
 * ustack_setsockopt() - setsockopt(2)
 * @socket: the socket.
 * @level: SOL_SOCKET, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IP or IPPROTO_IPV6.
 * @name: of the option.
 * @value: as setsockopt(2) has it for this option; copied.
 * @length: of @value.
 *
 * Return: 0; -1 and errno: ENOPROTOOPT, EINVAL, EFAULT, EDOM and others, as there.
 */
int ustack_setsockopt(struct ustack_socket *socket, int level, int name,
		      const void *value, socklen_t length);

/**
 * ustack_getsockopt() - getsockopt(2)
 * @socket: the socket; SO_ERROR takes its pending error away.
 * @level: as for ustack_setsockopt().
 * @name: of the option.
 * @value: filled in.
 * @length: bytes of @value; set to those filled in.
 *
 * Return: 0; -1 and errno: ENOPROTOOPT, EINVAL, EFAULT, ENOTCONN.
 */
int ustack_getsockopt(struct ustack_socket *socket, int level, int name,
		      void *value, socklen_t *length);

/**
 * ustack_listen_peer() - listen(2) for one peer at a time, as the original
 *	netchannels did; on links without such a mode, a backlog of one
 * @socket: bound, SOCK_STREAM or SOCK_DGRAM.
 *
 * Return: 0; -1 and errno: as ustack_listen().
 */
int ustack_listen_peer(struct ustack_socket *socket);

/**
 * ustack_fcntl() - fcntl(2)
 * @socket: the socket.
 * @command: F_GETFL, F_SETFL (O_NONBLOCK), F_GETFD, F_SETFD (FD_CLOEXEC).
 * @arg: flags to set.
 *
 * Return: the flags, or 0; -1 and errno: EINVAL for other commands.
 */
int ustack_fcntl(struct ustack_socket *socket, int command, int arg);

/**
 * ustack_ioctl() - ioctl(2)
 * @socket: the socket.
 * @request: FIONBIO, FIONREAD (SIOCINQ), TIOCOUTQ (SIOCOUTQ), SIOCOUTQNSD, SIOCATMARK.
 * @value: FIONBIO: not 0 makes calls not block; else set to bytes, or at the mark to 1.
 *
 * Return: 0; -1 and errno: ENOTTY for other requests, EFAULT, EINVAL.
 */
int ustack_ioctl(struct ustack_socket *socket, unsigned long request, int *value);

/**
 * ustack_fd() - gives a socket a number among the process's files
 * @socket: keeps its number until it is closed.
 *
 * The number is for the caller's books: the kernel's calls on it fail with EBADF.
 * Return: the lowest free number, or the one that the socket has; -1 and errno.
 */
int ustack_fd(struct ustack_socket *socket);

/**
 * ustack_of_fd() - finds a socket by its number
 * @stack: of the socket.
 * @fd: from ustack_fd().
 *
 * Return: the socket, or NULL.
 */
struct ustack_socket *ustack_of_fd(struct ustack *stack, int fd);

/**
 * struct ustack_pollfd - one socket to wait for, as struct pollfd
 * @socket: NULL is passed over.
 * @events: wished for.
 * @revents: out: what is.
 */
struct ustack_pollfd {
	struct ustack_socket *socket;
	short events;
	short revents;
};

/**
 * ustack_pollsockets() - poll(2)
 * @stack: the stack of all of them.
 * @fds: the sockets.
 * @count: of @fds.
 * @timeout: nanoseconds; negative waits for ever.
 *
 * Return: the number of ready sockets; 0: time out; -1 and errno.
 */
int ustack_pollsockets(struct ustack *stack, struct ustack_pollfd *fds,
		       size_t count, int64_t timeout);

/**
 * ustack_epoll_create() - epoll_create1(2): a set of sockets to wait for
 * @stack: the stack of all of them.
 *
 * A wait looks only at those of which something became known since the last one, or that
 * were ready then, however many there are.  Has memory of 80 bytes a socket, touched when
 * it is used.  A socket may be in several sets, and leaves them when it is closed.
 *
 * A stack may have several.
 * Return: the set, the caller's until ustack_epoll_close(), or the end of the stack; NULL
 * and errno: ENOMEM.
 */
struct ustack_epoll *ustack_epoll_create(struct ustack *stack);

/**
 * ustack_epoll_close() - the end of a set
 * @epoll: its sockets stay as they are.
 */
void ustack_epoll_close(struct ustack_epoll *epoll);

/**
 * ustack_epoll_ctl() - epoll_ctl(2)
 * @epoll: the set.
 * @op: EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL.
 * @socket: of the same stack.
 * @event: events to wait for, with EPOLLET and EPOLLONESHOT, and what to give back with
 *	them; EPOLLERR and EPOLLHUP are always waited for.  Not looked at by EPOLL_CTL_DEL.
 *
 * Return: 0; -1 and errno: EEXIST, ENOENT, EFAULT, EINVAL: another stack, or EPOLLEXCLUSIVE,
 * as there is one thread.  A set has room for all sockets of its stack.
 */
int ustack_epoll_ctl(struct ustack_epoll *epoll, int op, struct ustack_socket *socket,
		     const struct epoll_event *event);

/**
 * ustack_epoll_wait() - epoll_wait(2): runs the stack until sockets of a set are ready
 * @epoll: the set.
 * @events: out: what is, with what ustack_epoll_ctl() was given.
 * @count: room in @events; who does not fit comes first the next time.
 * @timeout: nanoseconds, not milliseconds; negative waits for ever, 0 makes one round.
 *
 * Return: the number of @events; 0: time out; -1 and errno: EINVAL: @count is not positive;
 * EFAULT, EINTR, EDEADLK, and the error of a link that died, as blocking calls.
 */
int ustack_epoll_wait(struct ustack_epoll *epoll, struct epoll_event *events, int count,
		      int64_t timeout);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* USTACK_H */
