// SPDX-License-Identifier: MIT
/* One end: its sockets, and messages on a stream. */
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>

#include "lib/pattern.h"
#include "ustack.h"
#include "vbench.h"

#define GATHER		16384u
#define BUFFER		(512 << 10)
#define COMPLETIONS	16u	/* of MSG_ZEROCOPY between two looks at them */
#define ROOM		(4 << 20)
#define BUSY_POLL_US	50

static const struct variant variants[] = {
	{ .name = "plain" },
	{ .name = "nodelay", .nodelay = true },
	{ .name = "waitall", .receive = MSG_WAITALL },
	{ .name = "more", .flags = MSG_MORE },
	{ .name = "gather", .gather = GATHER },
	{ .name = "lag", .lag = true },
	{ .name = "lag+more", .lag = true, .flags = MSG_MORE },
	{ .name = "lag+nodelay", .lag = true, .nodelay = true },
	{ .name = "lag+gather", .lag = true, .gather = GATHER },
	{ .name = "buffer", .buffer = BUFFER },
	{ .name = "lag+buffer", .lag = true, .buffer = BUFFER },
	{ .name = "zerocopy", .zerocopy = true, .kernel = true },
	{ .name = "busypoll", .busy_poll = true, .kernel = true },
	{ .name = "spin", .nodelay = true, .spin = true },
	{ .name = "batch", .nodelay = true, .batch_calls = true },
	{ .name = "lag+batch", .lag = true, .nodelay = true, .batch_calls = true },
	{ .name = "uring", .nodelay = true, .uring = true, .kernel = true },
	{ .name = "lag+uring", .lag = true, .nodelay = true, .uring = true, .kernel = true },
	{ .name = "epoll", .nodelay = true, .epoll = true },
	{ .name = "lag+epoll", .lag = true, .nodelay = true, .epoll = true },
	{ .name = "batch+epoll", .nodelay = true, .batch_calls = true, .epoll = true },
	{ .name = "reuseport", .nodelay = true, .epoll = true, .reuseport = true, .kernel = true },
	{ .name = "mmsg", .batch = 64 },
	{ .name = "segment", .segment = 64 },
	{ .name = "lag+segment", .lag = true, .segment = 64 },
	{ .name = "segment+mmsg", .segment = 64, .batch = 4 },
};

/**
 * variant_find() - a variant by its name
 * @name: as results have it.
 *
 * Return: NULL if there is none.
 */
const struct variant *variant_find(const char *name)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (!strcmp(variants[i].name, name))
			return &variants[i];
	return NULL;
}

/**
 * end_set() - sets an option
 * @end: whose sockets.
 * @socket: one of them.
 * @level: as setsockopt() has it.
 * @name: alike.
 * @value: alike.
 */
void end_set(struct end *end, void *socket, int level, int name, int value)
{
	if (end->api->setsockopt(socket, level, name, &value, sizeof(value)))
		die(end, "option of a socket");
}

/**
 * end_socket() - makes a socket
 * @end: whose variant says what is set.
 * @w: TCP or UDP.
 *
 * Return: the socket.
 */
void *end_socket(struct end *end, const struct workload *w)
{
	const struct variant *v = end->variant;
	int how = (w->udp ? SOCK_DGRAM : SOCK_STREAM) | (v->spin ? SOCK_NONBLOCK : 0);
	void *socket = end->api->socket(AF_INET, how);

	if (!socket)
		die(end, "socket");
	if (w->udp)
		end_set(end, socket, SOL_SOCKET,
			end->api == &api_kernel ? SO_RCVBUFFORCE : SO_RCVBUF, ROOM);
	if (v->segment) {
		end_set(end, socket, IPPROTO_UDP, UDP_SEGMENT, (int)w->bytes);
		end_set(end, socket, IPPROTO_UDP, UDP_GRO, 1);
	}
	if (v->buffer) {
		end_set(end, socket, SOL_SOCKET, SO_SNDBUF, v->buffer);
		end_set(end, socket, SOL_SOCKET, SO_RCVBUF, v->buffer);
	}
	if (v->nodelay && !w->udp)
		end_set(end, socket, IPPROTO_TCP, TCP_NODELAY, 1);
	if (v->zerocopy)
		end_set(end, socket, SOL_SOCKET, SO_ZEROCOPY, 1);
	if (v->busy_poll)
		end_set(end, socket, SOL_SOCKET, SO_BUSY_POLL, BUSY_POLL_US);
	if (end->rate)
		end_set(end, socket, SOL_SOCKET, SO_MAX_PACING_RATE, (int)end->rate);
	return socket;
}

/* Completions only have to be read: the payload never changes. */
static void complete(struct end *end, void *socket)
{
	char control[128];
	struct msghdr message;

	if (++end->completions < COMPLETIONS)
		return;
	end->completions = 0;
	do
		message = (struct msghdr){ .msg_control = control,
					   .msg_controllen = sizeof(control) };
	while (recvmsg(api_kernel_fd(socket), &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0);
}

/**
 * end_init() - how this end sends and receives, once and for all
 * @end: whose variant, and whose kind of sockets, says it.
 * @lent: as the workload has it.
 */
void end_init(struct end *end, bool lent)
{
	const struct variant *v = end->variant;

	end->lent = lent && end->api->reserve;
	end->plain = !(end->lent || v->gather || v->uring || v->spin || v->zerocopy);
	end->receive = v->receive;
	end->flags = v->flags | (v->zerocopy ? MSG_ZEROCOPY : 0) |
		     (v->batch_calls && end->api == &api_ustack ? USTACK_MSG_BATCH : 0);
}

static void send_all(struct end *end, void *socket, const uint8_t *data, size_t len)
{
	if (end->variant->uring) {
		uring_send(end, socket, data, len);
		return;
	}
	while (len) {
		ssize_t n = end->api->send(socket, data, len, end->flags);

		if (n < 0)
			die(end, "send");
		data += n;
		len -= (size_t)n;
		if (end->variant->zerocopy)
			complete(end, socket);
	}
}

/**
 * end_flush() - lets go what was held back
 * @end: gathers, or batches.
 * @socket: of it.
 */
void end_flush(struct end *end, void *socket)
{
	if (end->held) {
		send_all(end, socket, end->out, end->held);
		end->held = 0;
	}
	if (end->variant->flags & MSG_MORE)
		end_set(end, socket, IPPROTO_TCP, TCP_CORK, 0);
	if (end->variant->uring)
		uring_flush(end);
}

/* The message is made where it leaves from. */
static void put_lent(struct end *end, void *socket, uint32_t bytes)
{
	while (bytes) {
		size_t room = bytes;
		void *to = end->api->reserve(socket, &room, 0);

		if (!to)
			die(end, "reserve");
		memcpy(to, end->pattern + end->sent_at, room);
		if (end->api->submit(socket, room, end->flags))
			die(end, "submit");
		end->sent_at = pattern_next(end->sent_at, room);
		bytes -= (uint32_t)room;
	}
}

static void put_otherwise(struct end *end, void *socket, uint32_t bytes)
{
	const uint8_t *data = end->pattern + end->sent_at;

	if (end->lent) {
		put_lent(end, socket, bytes);
		return;
	}
	end->sent_at = pattern_next(end->sent_at, bytes);
	if (!end->variant->gather) {
		send_all(end, socket, data, bytes);
		return;
	}
	if (end->held + bytes > end->variant->gather)
		end_flush(end, socket);
	memcpy(end->out + end->held, data, bytes);
	end->held += bytes;
}

/**
 * end_put() - sends a message, from where the payload lies
 * @end: knows what comes next.
 * @socket: of it, connected.
 * @bytes: of the message.
 */
void end_put(struct end *end, void *socket, uint32_t bytes)
{
	const uint8_t *data = end->pattern + end->sent_at;

	if (!end->plain) {
		put_otherwise(end, socket, bytes);
		return;
	}
	end->sent_at = pattern_next(end->sent_at, bytes);
	if (end->api->send(socket, data, bytes, end->flags) != (ssize_t)bytes)
		die(end, "send");
}

/* Looks again; the kernel's network runs by itself, ustack's has to be run. */
static bool look_again(struct end *end)
{
	if (!end->variant->spin ||
	    (errno != EAGAIN && errno != EINPROGRESS && errno != EALREADY))
		return false;
	if (end->api == &api_ustack)
		end->api->pause(0);
	return true;
}

static ssize_t spin(struct end *end, void *socket, size_t len)
{
	ssize_t n;

	do {
		n = end->api->recvfrom(socket, end->in, len, MSG_DONTWAIT, NULL, NULL);
	} while (n < 0 && look_again(end));
	return n;
}

/**
 * end_connect() - connects to the peer
 * @end: knows its address.
 * @socket: of it.
 */
void end_connect(struct end *end, void *socket)
{
	int status;

	do {
		status = end->api->connect(socket, &end->peer.sa, job_length(&end->peer));
	} while (status && look_again(end));
	if (status && errno != EISCONN)
		die(end, "connect");
}

/**
 * end_accept() - waits for the next connection
 * @end: listens.
 *
 * Return: its socket.
 */
void *end_accept(struct end *end)
{
	void *socket;

	do {
		socket = end->api->accept(end->listener);
	} while (!socket && look_again(end));
	if (!socket)
		die(end, "accept");
	return socket;
}

/**
 * end_over() - waits until the peer has closed
 * @end: has got all that it sent.
 * @socket: of it.
 */
void end_over(struct end *end, void *socket)
{
	ssize_t n = end->variant->spin ? spin(end, socket, 1) :
		    end->api->recvfrom(socket, end->in, 1, 0, NULL, NULL);

	if (n)
		die(end, "end of a connection");
}

static size_t receive(struct end *end, void *socket, size_t len)
{
	ssize_t n;

	if (end->variant->uring)
		n = (ssize_t)uring_recv(end, socket, end->in, len);
	else if (end->variant->spin)
		n = spin(end, socket, len);
	else
		n = end->api->recvfrom(socket, end->in, len, end->receive,
				       NULL, NULL);

	if (n < 0)
		die(end, "recv");
	if (!n) {
		errno = 0;
		die(end, "the stream ended early");
	}
	return (size_t)n;
}

/**
 * end_verify() - looks whether every byte is the one that was sent; ends the program if not
 * @end: knows what was.
 * @data: what came.
 * @len: of it.
 */
void end_verify(struct end *end, const uint8_t *data, size_t len)
{
	if (memcmp(data, end->pattern + end->received_at, len)) {
		errno = EILSEQ;
		die(end, "payload");
	}
	end->received_at = pattern_next(end->received_at, len);
}

/* It is verified where it came. */
static void get_lent(struct end *end, void *socket, uint32_t bytes)
{
	struct iovec piece;

	while (bytes) {
		int n = end->api->peek(socket, &piece, 1, 0);

		if (n <= 0) {
			errno = n ? errno : 0;
			die(end, n ? "peek" : "the stream ended early");
		}
		if (piece.iov_len > bytes)
			piece.iov_len = bytes;
		end_verify(end, piece.iov_base, piece.iov_len);
		if (end->api->release(socket, piece.iov_len))
			die(end, "release");
		bytes -= (uint32_t)piece.iov_len;
	}
}

static void get_otherwise(struct end *end, void *socket, uint32_t bytes)
{
	bool gather = end->variant->gather;
	size_t n;

	if (end->lent) {
		get_lent(end, socket, bytes);
		return;
	}
	while (bytes) {
		if (end->first == end->last) {
			end->last = receive(end, socket, gather ? VBENCH_CHUNK : bytes);
			end->first = 0;
		}
		n = end->last - end->first;
		n = n < bytes ? n : bytes;
		end_verify(end, end->in + end->first, n);
		end->first += n;
		bytes -= n;
	}
}

/**
 * end_get() - receives a message, and verifies it
 * @end: knows what was sent.
 * @socket: of it, connected.
 * @bytes: of the message.
 */
void end_get(struct end *end, void *socket, uint32_t bytes)
{
	ssize_t n;

	if (!end->plain) {
		get_otherwise(end, socket, bytes);
		return;
	}
	n = end->api->recvfrom(socket, end->in, bytes, end->receive, NULL, NULL);
	if (n < 0)
		die(end, "recv");
	end_verify(end, end->in, (size_t)n);
	if ((size_t)n < bytes)
		get_otherwise(end, socket, bytes - (uint32_t)n);
}
