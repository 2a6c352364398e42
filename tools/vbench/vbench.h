/* SPDX-License-Identifier: MIT */
/*
 * What a message costs, both ends together, in a guest whose clock counts
 * instructions.  The two ends are two processes; a workload is what they do, a
 * variant is how, and both are the same whichever sockets an end has.
 */
#ifndef VBENCH_H
#define VBENCH_H

#include "lib/api.h"

#define VBENCH_CONNECTIONS	1000u	/* at most */
#define VBENCH_CHUNK		(64u << 10)

/**
 * struct variant - how an end uses its sockets
 * @name: as results have it.
 * @nodelay: TCP_NODELAY.
 * @flags: of send().
 * @receive: of recv().
 * @gather: messages are gathered up to so many bytes, and parted again; 0: each is
 *	a call of its own.
 * @batch: datagrams of a call (sendmmsg, recvmmsg); 0: one.
 * @segment: a datagram carries so many messages (UDP_SEGMENT, UDP_GRO); 0: one.
 * @zerocopy: MSG_ZEROCOPY.
 * @busy_poll: SO_BUSY_POLL.
 * @spin: who waits looks again and again.
 * @batch_calls: what is sent goes with the call that waits: USTACK_MSG_BATCH at an end
 *	of ustack.
 * @uring: the same at an end of the kernel: io_uring.
 * @epoll: a server that answers whoever asks: epoll, edge by edge.
 * @reuseport: that server has several listeners: SO_REUSEPORT.
 * @lag: SCHED_BATCH: who is woken waits for the other one's time to be over.
 * @buffer: SO_SNDBUF and SO_RCVBUF, bytes; 0: as they are.
 * @kernel: for the kernel's sockets only.
 */
struct variant {
	const char *name;
	bool nodelay;
	int flags;
	int receive;
	uint32_t gather;
	unsigned int batch;
	unsigned int segment;
	bool zerocopy;
	bool busy_poll;
	bool spin;
	bool batch_calls;
	bool uring;
	bool epoll;
	bool reuseport;
	bool lag;
	int buffer;
	bool kernel;
};

const struct variant *variant_find(const char *name);

/**
 * struct end - one of the two
 * @api: its sockets.
 * @variant: how they are used.
 * @peer: where the server listens.
 * @listener: the server's.
 * @socket: connected.
 * @pattern: payload, both ways.
 * @sent_at: place in @pattern of the next byte to send.
 * @received_at: of the next byte to come.
 * @out: messages that are gathered.
 * @held: bytes in @out.
 * @in: what came.
 * @first: of the bytes in @in that nobody took yet.
 * @last: behind them.
 * @lent: messages are made and verified in memory that the socket lends.
 * @plain: a message is one send() and one recv() of the API, and nothing beside.
 * @flags: of each send.
 * @receive: of each recv().
 * @completions: of MSG_ZEROCOPY that are due.
 * @rate: bytes a second to keep to; 0: none.
 */
struct end {
	const struct api *api;
	const struct variant *variant;
	union job_address peer;
	void *listener;
	void *socket[VBENCH_CONNECTIONS];
	const uint8_t *pattern;
	uint32_t sent_at;
	uint32_t received_at;
	uint8_t out[VBENCH_CHUNK];
	uint32_t held;
	uint8_t in[VBENCH_CHUNK];
	uint32_t first;
	uint32_t last;
	bool lent;
	bool plain;
	int flags;
	int receive;
	unsigned int completions;
	uint64_t rate;
};

/**
 * struct workload - what the ends do
 * @name: as results have it.
 * @unit: of what is divided by the number of messages.
 * @bytes: of a message, one way.
 * @answered: each message is answered by one as long.
 * @udp: else TCP.
 * @lent: in memory that sockets lend, at ends whose sockets do.
 * @connections: that stay open meanwhile; 0: each round opens one.
 * @requests: of a round: messages on each connection.
 * @rounds: of a run.
 * @rate: bits a second that are sent; then the busy share is what counts.
 */
struct workload {
	const char *name;
	const char *unit;
	uint32_t bytes;
	bool answered;
	bool udp;
	bool lent;
	unsigned int connections;
	unsigned int requests;
	unsigned int rounds;
	uint64_t rate;
};

extern const struct workload workloads[];
const struct workload *workload_find(const char *name);

/* workload.c: @end's part of the connections, and of a run; they end the program when
 * something fails.
 */
void workload_connect(const struct workload *w, struct end *end);
void *workload_listener(const struct workload *w, struct end *end);
void workload_listen(const struct workload *w, struct end *end);
void workload_accept(const struct workload *w, struct end *end);
void workload_ask(const struct workload *w, struct end *end);
void workload_answer(const struct workload *w, struct end *end);

/* end.c: sockets, and a message of a stream */
void *end_socket(struct end *end, const struct workload *w);
void end_connect(struct end *end, void *socket);
void *end_accept(struct end *end);
void end_over(struct end *end, void *socket);
void end_put(struct end *end, void *socket, uint32_t bytes);
void end_set(struct end *end, void *socket, int level, int name, int value);
void end_init(struct end *end, bool lent);
void end_flush(struct end *end, void *socket);
void end_get(struct end *end, void *socket, uint32_t bytes);
void end_verify(struct end *end, const uint8_t *data, size_t len);

/* uring.c: io_uring, on sockets of the kernel; they end the program on errors */
void uring_send(const struct end *end, void *socket, const void *data, size_t len);
size_t uring_recv(const struct end *end, void *socket, void *data, size_t len);
void uring_flush(const struct end *end);

/* epoll.c: a server that waits for all; they end the program on errors */
void epoll_listen(const struct workload *w, struct end *end);
void epoll_accept(const struct workload *w, struct end *end);
void epoll_answer(const struct workload *w, struct end *end);

/* datagram.c: @count datagrams of @bytes, however the variant moves them */
void datagrams_put(struct end *end, uint32_t bytes, unsigned int count);
void datagrams_get(struct end *end, uint32_t bytes, unsigned int count);

/**
 * struct busy - what the guest did
 * @clock: nanoseconds, which are instructions.
 * @idle: alike, of those the idle task's sleep.
 */
struct busy {
	int64_t clock;
	int64_t idle;
};

/* busy.c */
void busy_begin(struct busy *busy);
void busy_end(struct busy *busy);
uint64_t busy_device_bytes(const char *device);

/* vbench.c: says what failed, and why, and ends the program */
void die(const struct end *end, const char *what) __attribute__((noreturn));

#endif /* VBENCH_H */
