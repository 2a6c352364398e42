// SPDX-License-Identifier: MIT
/*
 * The error queue of a socket (MSG_ERRQUEUE), which tells when memory that was lent with
 * MSG_ZEROCOPY is needed no more.
 *
 * A record is taken when a call lends, and is what is queued in the end: so whoever has
 * lent can be told.  Records are counted for each socket.  Numbers and ranges are Linux's:
 * calls are counted from 0 on, one that lends behind bytes that were lent and not yet sent
 * is told together with those, and so are neighbours that meet in the queue.
 *
 * A call has its number when it has lent, not while it waits for room: others may lend
 * before it, and if it never does, none of their numbers has to be given again.
 */
#include <errno.h>
#include <stdlib.h>

#include "socket/socket.h"

#define RECORDS		4096u	/* of all sockets */
#define RECORDS_EACH	128u	/* about what Linux's optmem_max gives */
#define BYTES_TOGETHER	(1u << 19)

/**
 * struct us_zerocopy - calls that are told of together
 * @lender: first member; its references are chunks, and a call at work.
 * @next: behind it in the queue.
 * @socket: theirs.
 * @first: number of the first.
 * @last: of the last.
 * @bytes: that all have lent.
 * @copied: not even one byte was lent.
 */
struct us_zerocopy {
	struct us_lender lender;
	struct us_zerocopy *next;
	struct ustack_socket *socket;
	uint32_t first;
	uint32_t last;
	size_t bytes;
	bool copied;
};

/**
 * struct us_error_queue - the error queue of a socket
 * @first: oldest.
 * @last: youngest.
 * @number: of the next call with MSG_ZEROCOPY.
 * @records: queued, and of calls not yet told of.
 * @zerocopy: SO_ZEROCOPY.
 */
struct us_error_queue {
	struct us_zerocopy *first;
	struct us_zerocopy *last;
	uint32_t number;
	uint16_t records;
	bool zerocopy;
};

/**
 * us_error_queues_create() - takes the memory of all queues, which few sockets touch
 * @stack: has its sockets.
 *
 * Return: 0, -ENOMEM.
 */
int us_error_queues_create(struct us_stack *stack)
{
	stack->error_queues = calloc(stack->sockets.count, sizeof(*stack->error_queues));
	if (!stack->error_queues)
		return -ENOMEM;
	return us_pool_create(&stack->zerocopies, sizeof(struct us_zerocopy), RECORDS);
}

/**
 * us_error_queues_destroy() - frees it
 * @stack: whatever it has of it.
 */
void us_error_queues_destroy(struct us_stack *stack)
{
	free(stack->error_queues);
	us_pool_destroy(&stack->zerocopies);
}

static struct us_error_queue *queue_of(const struct ustack_socket *s)
{
	if (s->ops != &us_stream_ops || !s->error_queue)
		return NULL;
	return &s->stack->error_queues[us_socket_index(s)];
}

static struct us_error_queue *make(struct ustack_socket *s)
{
	s->error_queue = true;
	*queue_of(s) = (struct us_error_queue){ .number = 0 };
	return queue_of(s);
}

/**
 * us_error_queue_zerocopy() - SO_ZEROCOPY
 * @s: SOCK_STREAM.
 * @on: it is heeded.
 */
void us_error_queue_zerocopy(struct ustack_socket *s, bool on)
{
	struct us_error_queue *queue = queue_of(s);

	if (!queue && on)
		queue = make(s);
	if (queue)
		queue->zerocopy = on;
}

/**
 * us_error_queue_is_zerocopy() - is MSG_ZEROCOPY heeded?
 * @s: the socket.
 */
bool us_error_queue_is_zerocopy(const struct ustack_socket *s)
{
	const struct us_error_queue *queue = queue_of(s);

	return queue && queue->zerocopy;
}

/**
 * us_error_queue_has() - is there anything to be read? (POLLERR)
 * @s: the socket.
 */
bool us_error_queue_has(const struct ustack_socket *s)
{
	const struct us_error_queue *queue = queue_of(s);

	return queue && queue->first;
}

static void put(struct us_zerocopy *call)
{
	queue_of(call->socket)->records--;
	us_pool_put(&call->socket->stack->zerocopies, call);
}

/**
 * us_error_queue_take() - takes the oldest record
 * @s: the socket.
 * @error: filled in.
 *
 * Return: false: there is none.
 */
bool us_error_queue_take(struct ustack_socket *s, struct sock_extended_err *error)
{
	struct us_error_queue *queue = queue_of(s);
	struct us_zerocopy *call = queue ? queue->first : NULL;

	if (!call)
		return false;
	*error = (struct sock_extended_err){
		.ee_origin = SO_EE_ORIGIN_ZEROCOPY,
		.ee_code = call->copied ? SO_EE_CODE_ZEROCOPY_COPIED : 0,
		.ee_info = call->first,
		.ee_data = call->last,
	};
	queue->first = call->next;
	if (!queue->first)
		queue->last = NULL;
	put(call);
	return true;
}

/**
 * us_error_queue_close() - gives the queue back
 * @s: let go of its connection, which has told of all that was lent.
 */
void us_error_queue_close(struct ustack_socket *s)
{
	struct sock_extended_err error;

	if (!queue_of(s))
		return;
	while (us_error_queue_take(s, &error))
		;
	s->error_queue = false;
}

/* As Linux, what the queue's last record has to say of copies holds for neighbours, too. */
static void told(struct us_lender *lender)
{
	struct us_zerocopy *call = us_container(lender, struct us_zerocopy, lender);
	struct us_error_queue *queue = queue_of(call->socket);
	struct us_zerocopy *last = queue->last;

	call->next = NULL;
	if (last && call->first == last->last + 1) {
		last->last = call->last;
		us_socket_event(call->socket);
		put(call);
		return;
	}
	if (last)
		last->next = call;
	else
		queue->first = call;
	queue->last = call;
	us_socket_event(call->socket);
}

/* Calls that wait for the same are told of together. */
static struct us_zerocopy *join(struct ustack_socket *s, struct us_error_queue *queue,
				size_t len)
{
	struct us_lender *lender = s->tcp ? us_tcp_lender(s->tcp) : NULL;
	struct us_zerocopy *call;

	if (!lender)
		return NULL;
	call = us_container(lender, struct us_zerocopy, lender);
	if (call->last + 1 != queue->number || call->bytes + len > BYTES_TOGETHER)
		return NULL;
	call->last = queue->number++;
	lender->refs++;
	return call;
}

/* A call is about to lend @len bytes.  Gives who is told in the end, until us_zerocopy_end();
 * NULL: too many are waited for, or were not yet read of.
 */
static struct us_zerocopy *begin(struct ustack_socket *s, size_t len)
{
	struct us_error_queue *queue = queue_of(s);
	struct us_zerocopy *call = join(s, queue, len);

	if (call || queue->records == RECORDS_EACH)
		return call;
	call = us_pool_get(&s->stack->zerocopies);
	if (!call)
		return NULL;
	*call = (struct us_zerocopy){
		.lender = { 1, told },
		.socket = s,
		.first = queue->number,
		.last = queue->number,
	};
	queue->number++;
	queue->records++;
	return call;
}

static ssize_t lend(struct us_zerocopy *call, const struct us_pieces *from, size_t at, int flags)
{
	struct us_tcp *tcp = call->socket->tcp;
	ssize_t n;

	if (us_tcp_can_borrow(tcp)) {
		n = us_tcp_send_borrowed(tcp, from, at, flags, &call->lender);
	} else {
		call->copied = true;
		n = us_tcp_send_pieces(tcp, from, at, flags);
	}
	if (n > 0)
		call->bytes += n;
	return n;
}

/* A SYN may have taken bytes along. */
static bool has_lent(const struct us_tcp *tcp, ssize_t n)
{
	struct us_tcp_queued queued;

	if (n != -EINPROGRESS)
		return n > 0;
	us_tcp_queued(tcp, &queued);
	return queued.unsent;
}

/**
 * us_zerocopy_send() - sends as much as fits now
 * @s: us_error_queue_is_zerocopy(), with a connection.
 * @call: NULL before anything is lent, and after it, if nothing was; us_zerocopy_end() ends it.
 * @from: the pieces.
 * @at: bytes of them that were queued before.
 * @flags: as of us_tcp_send().
 *
 * Return: as us_tcp_send_pieces().  -ENOBUFS, too, if too many are waited for, or were not
 * yet read of.
 */
ssize_t us_zerocopy_send(struct ustack_socket *s, struct us_zerocopy **call,
			 const struct us_pieces *from, size_t at, int flags)
{
	bool first = !*call;
	ssize_t n;

	if (first)
		*call = begin(s, from->len - at);
	if (!*call)
		return -ENOBUFS;
	n = lend(*call, from, at, flags);
	if (first && !has_lent(s->tcp, n)) {
		us_zerocopy_end(*call, false);
		*call = NULL;
	}
	return n;
}

/**
 * us_zerocopy_end() - the call has sent what it could
 * @call: told of, once nothing of it is needed any more.
 * @sent: at least a byte; else it never was, and is the last one.
 */
void us_zerocopy_end(struct us_zerocopy *call, bool sent)
{
	if (sent) {
		us_lender_put(&call->lender);
		return;
	}
	queue_of(call->socket)->number--;
	if (call->first == call->last) {
		put(call);
		return;
	}
	/* It joined others that still wait for ACKs. */
	call->last--;
	us_lender_put(&call->lender);
}
