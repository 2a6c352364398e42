// SPDX-License-Identifier: MIT
/*
 * The send queue: chunks of the link's memory, by sequence number.  The user's
 * bytes are written once, into the last chunk; segments refer to them.  A chunk
 * leaves the queue when all of it is acknowledged, and is free when no slot of
 * the link refers to it any more.  With MSG_ZEROCOPY a chunk borrows the user's bytes, and
 * takes no others; its own memory waits for the case that they have to be copied after all.
 *
 * The memory is shared by all connections, and peers that stand still have to leave
 * something to the others.  So how much one may have queued falls with what is free: twice
 * that; where but a sixteenth of all is free, a sixteenth of it.  And when a quarter is
 * in use, nobody queues more than four windows, of which a peer that stands still has none.
 */
#include "core/copy.h"
#include "transport/tcp_parts.h"

#define KEPT		16u	/* part of the memory, and of that again */
#define WINDOWS_MIN	8192u	/* bytes that four windows count at least */

static uint32_t chunk_end(const struct us_chunk *chunk)
{
	return chunk->seq + chunk->len;
}

/**
 * us_tcp_sndq_bytes() - bytes queued: sent but not acknowledged, and not sent
 * @tcp: active.
 */
uint32_t us_tcp_sndq_bytes(const struct us_tcp *tcp)
{
	uint32_t end = tcp->active->snd_end;

	return us_before(tcp->snd_una, end) ? end - tcp->snd_una : 0;
}

/* Chunks double as long as the queue does not run empty and there is room: a stream of
 * small messages soon fills large ones, a single message costs a small one.
 */
static uint32_t chunk_size(const struct us_tcp *tcp, uint32_t len)
{
	const struct us_chunk *last = tcp->active->snd_last;
	uint32_t most = us_min32(us_tcp_sndq_room(tcp), US_CHUNK_MAX);

	return last ? us_max32(len, us_min32(2 * last->size, most)) : len;
}

/* NULL: there is no memory, or TCP_NOTSENT_LOWAT wants none of it. */
static struct us_chunk *add_chunk(struct us_tcp *tcp, uint32_t size)
{
	struct us_tcp_active *a = tcp->active;
	struct us_chunk *chunk;

	chunk = us_tcp_notsent_is_much(tcp) ? NULL : us_chunk_alloc(tcp->dst.link->mem, size);
	if (!chunk)
		return NULL;
	chunk->next = NULL;
	chunk->seq = a->snd_end;
	chunk->len = 0;
	if (a->snd_last)
		a->snd_last->next = chunk;
	else
		a->snd_first = chunk;
	a->snd_last = chunk;
	return chunk;
}

/* Bytes at the end of the queue that need no new chunk. */
static uint32_t tail_room(const struct us_tcp_active *a)
{
	return a->snd_last ? a->snd_last->size - a->snd_last->len : 0;
}

/* What is of use to queue: what is on its way, and some more to follow. */
static uint32_t four_windows(const struct us_tcp *tcp)
{
	return us_max32(4 * us_min32(tcp->active->cwnd, tcp->snd_wnd), WINDOWS_MIN);
}

/* What one may have queued while @left bytes are free. */
static uint32_t share_of(const struct us_tcp *tcp, uint32_t left, uint32_t size)
{
	uint32_t kept = size / KEPT;
	uint32_t share = us_max32(left > kept ? 2 * (left - kept) : 0, left / KEPT);

	return left < size - size / 4 ? us_min32(share, four_windows(tcp)) : share;
}

/**
 * us_tcp_sndq_room() - what the shared memory lets a connection queue
 * @tcp: active.
 *
 * Return: bytes, whatever sndbuf says.
 */
uint32_t us_tcp_sndq_room(const struct us_tcp *tcp)
{
	const struct us_txmem *mem = tcp->dst.link->mem;
	uint32_t left = (uint32_t)us_txmem_free_bytes(mem);
	uint32_t share = share_of(tcp, left, (uint32_t)us_txmem_size(mem));
	uint32_t used = us_tcp_sndq_bytes(tcp);

	if (!used)
		share = us_max32(share, us_min32(left, US_CHUNK_MIN));
	return us_max32(share > used ? share - used : 0, tail_room(tcp->active));
}

/* But whom what leaves wakes: ACKs, which bring memory, may take long. */
static void wait_for_memory(struct us_tcp *tcp)
{
	if (us_tcp_notsent_is_much(tcp))
		return;
	tcp->flags |= US_TCP_MEM_WAIT;
	cds_list_del_init(&tcp->active->mem_wait);
	cds_list_add_tail(&tcp->active->mem_wait, &tcp->table->mem_wait);
}

static void put(struct us_tcp_active *a, struct us_chunk *chunk, const void *data,
		uint32_t len)
{
	memcpy(chunk->data + chunk->len, data, len);
	chunk->len += len;
	a->snd_end += len;
}

/**
 * us_tcp_sndq_put() - queues a copy in the last chunk, which takes no memory from
 *	anybody
 * @tcp: active.
 * @data: bytes.
 * @len: of @data.
 *
 * Return: false, with nothing done, if there or in sndbuf is no room.
 */
bool us_tcp_sndq_put(struct us_tcp *tcp, const void *data, size_t len)
{
	struct us_tcp_active *a = tcp->active;

	if (len - 1 >= tail_room(a) || us_tcp_sndq_bytes(tcp) + len > tcp->sndbuf)
		return false;
	put(a, a->snd_last, data, (uint32_t)len);
	return true;
}

/**
 * us_tcp_sndq_append() - queues a copy
 * @tcp: active.
 * @data: bytes.
 * @len: of @data.
 *
 * Return: bytes queued: less than @len if sndbuf is full or send memory is
 * exhausted; then US_TCP_MEM_WAIT is set, and the table wakes @tcp later; or if much waits
 * to be sent (TCP_NOTSENT_LOWAT).  None while the end of the queue is lent to the user.
 */
uint32_t us_tcp_sndq_append(struct us_tcp *tcp, const void *data, uint32_t len)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t used = us_tcp_sndq_bytes(tcp), done = 0, n;

	if (us_likely(us_tcp_sndq_put(tcp, data, len)))
		return len;
	if (us_unlikely(a->snd_lent))
		return 0;
	len = us_min32(len, tcp->sndbuf > used ? tcp->sndbuf - used : 0);
	/* What is taken leaves less: the next chunk asks anew. */
	while (done < len && (n = us_min32(len - done, us_tcp_sndq_room(tcp)))) {
		if (!tail_room(a) && !add_chunk(tcp, chunk_size(tcp, n)))
			break;
		n = us_min32(n, tail_room(a));
		put(a, a->snd_last, (const uint8_t *)data + done, n);
		done += n;
	}
	if (done < len)
		wait_for_memory(tcp);
	return done;
}

/* A chunk with so little room is not worth lending, when more is wished for. */
static bool worth_lending(const struct us_tcp_active *a, uint32_t len)
{
	return tail_room(a) >= us_min32(len, US_CHUNK_MIN);
}

/**
 * us_tcp_sndq_lend() - lends room at the end of the queue to the user
 * @tcp: active; nothing is lent.
 * @len: bytes wished for, not 0.
 *
 * The room is hidden from the queue until us_tcp_sndq_take_back(), and the chunk
 * stays, whatever is acknowledged or reset.
 * Return: bytes, as snd_lent_len has it, at the end of snd_lent; 0 as by
 * us_tcp_sndq_append().
 */
uint32_t us_tcp_sndq_lend(struct us_tcp *tcp, uint32_t len)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t used = us_tcp_sndq_bytes(tcp);
	struct us_chunk *chunk = NULL;

	len = us_min32(len, tcp->sndbuf > used ? tcp->sndbuf - used : 0);
	if (!len)
		return 0;
	len = us_min32(len, us_tcp_sndq_room(tcp));
	if (len)
		chunk = worth_lending(a, len) ? a->snd_last :
						   add_chunk(tcp, chunk_size(tcp, len));
	if (!chunk) {
		wait_for_memory(tcp);
		return 0;
	}
	us_chunk_get(chunk);
	a->snd_lent = chunk;
	a->snd_lent_room = chunk->size - chunk->len;
	a->snd_lent_len = us_min32(len, a->snd_lent_room);
	chunk->size = chunk->len;
	return a->snd_lent_len;
}

/**
 * us_tcp_sndq_take_back() - ends the loan, if there is one
 * @a: what the user wrote counts only if it is queued by us_tcp_sndq_fill().
 */
void us_tcp_sndq_take_back(struct us_tcp_active *a)
{
	if (!a->snd_lent)
		return;
	a->snd_lent->size += a->snd_lent_room;
	us_chunk_put(a->snd_lent);
	a->snd_lent = NULL;
}

/**
 * us_tcp_sndq_fill() - queues what the user wrote into the room that was lent
 * @a: the queue is as it was lent, but for what was acknowledged.
 * @len: bytes of it.
 */
void us_tcp_sndq_fill(struct us_tcp_active *a, uint32_t len)
{
	us_tcp_sndq_take_back(a);
	a->snd_last->len += len;
	a->snd_end += len;
}

/* Copies @len bytes, those behind @at, to one place. */
static void gather(const struct us_pieces *from, size_t at, uint8_t *to, uint32_t len)
{
	for (const struct iovec *piece = from->iov; len; piece++) {
		size_t skip = at < piece->iov_len ? at : piece->iov_len;
		size_t left = piece->iov_len - skip;
		uint32_t n = left < len ? (uint32_t)left : len;

		if (n)
			memcpy(to, (const uint8_t *)piece->iov_base + skip, n);
		at -= skip;
		to += n;
		len -= n;
	}
}

/**
 * us_tcp_sndq_append_pieces() - queues a copy of bytes that lie in several pieces
 * @tcp: active.
 * @from: the pieces.
 * @at: bytes of them to pass over.
 * @len: bytes behind those.
 *
 * Written into room that is lent for a moment, as large as for all of them in one piece.
 * Return: as us_tcp_sndq_append().
 */
uint32_t us_tcp_sndq_append_pieces(struct us_tcp *tcp, const struct us_pieces *from,
				   size_t at, uint32_t len)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t done = 0, n;

	if (a->snd_lent)
		return 0;
	while (done < len) {
		n = us_tcp_sndq_lend(tcp, len - done);
		if (!n)
			break;
		gather(from, at + done, a->snd_lent->data + a->snd_lent->len, n);
		us_tcp_sndq_fill(a, n);
		done += n;
	}
	return done;
}

/* Bytes of one piece, in chunks of their own: less than @len if there is no memory. */
static uint32_t borrow(struct us_tcp *tcp, const uint8_t *data, uint32_t len,
		       struct us_lender *lender)
{
	struct us_tcp_active *a = tcp->active;
	uint32_t done = 0, n;

	while (done < len) {
		struct us_chunk *chunk;

		n = us_min32(len - done, us_tcp_sndq_room(tcp));
		chunk = n ? add_chunk(tcp, n) : NULL;
		if (!chunk)
			break;
		n = us_min32(n, chunk->size);
		us_chunk_borrow(chunk, data + done, n, lender);
		a->snd_end += n;
		done += n;
	}
	return done;
}

/**
 * us_tcp_sndq_borrow() - queues bytes that stay where they are
 * @tcp: active; its link can send from any memory.
 * @from: the pieces.
 * @at: bytes of them to pass over.
 * @len: bytes behind those.
 * @lender: told when they are needed no more.
 *
 * Return: as us_tcp_sndq_append().
 */
uint32_t us_tcp_sndq_borrow(struct us_tcp *tcp, const struct us_pieces *from, size_t at,
			    uint32_t len, struct us_lender *lender)
{
	uint32_t used = us_tcp_sndq_bytes(tcp), done = 0;

	if (tcp->active->snd_lent)
		return 0;
	len = us_min32(len, tcp->sndbuf > used ? tcp->sndbuf - used : 0);
	for (const struct iovec *piece = from->iov; done < len; piece++) {
		size_t skip = at < piece->iov_len ? at : piece->iov_len;
		size_t left = piece->iov_len - skip;
		uint32_t want = left < len - done ? (uint32_t)left : len - done;
		uint32_t n = borrow(tcp, (const uint8_t *)piece->iov_base + skip, want, lender);

		at -= skip;
		done += n;
		if (n < want) {
			wait_for_memory(tcp);
			break;
		}
	}
	return done;
}

/**
 * us_tcp_sndq_return() - copies all that is borrowed
 * @tcp: the connection.
 */
void us_tcp_sndq_return(struct us_tcp *tcp)
{
	struct us_chunk *chunk = tcp->active ? tcp->active->snd_first : NULL;

	for (; chunk; chunk = chunk->next)
		if (us_chunk_borrows(chunk))
			us_chunk_return(chunk);
}

/* The queue alone knows what is borrowed: what a slot of a link still refers to is copied. */
static void drop_first(struct us_tcp_active *a)
{
	struct us_chunk *chunk = a->snd_first;

	a->snd_first = chunk->next;
	if (a->snd_last == chunk)
		a->snd_last = NULL;
	if (a->snd_at == chunk)
		a->snd_at = NULL;
	if (us_unlikely(chunk->refs > (US_CHUNK_BORROWS | 1)))
		us_chunk_return(chunk);
	us_chunk_put(chunk);
}

static bool is_acked(const struct us_tcp *tcp, const struct us_chunk *chunk)
{
	return !us_after(chunk_end(chunk), tcp->snd_una);
}

/* One with room that is lent stays as it is. */
static us_noinline void drop_acked(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;
	struct us_chunk *chunk;

	while ((chunk = a->snd_first) && is_acked(tcp, chunk) && chunk != a->snd_lent &&
	       (chunk != a->snd_last || chunk->refs != 1))
		drop_first(a);
}

/**
 * us_tcp_sndq_ack() - frees what is acknowledged
 * @tcp: active; snd_una has moved.
 *
 * The last chunk is used again from its start, if no slot of the link refers to
 * it: request and response then allocate nothing.
 */
void us_tcp_sndq_ack(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	if (a->snd_first != a->snd_last || (a->snd_last && a->snd_last->refs != 1))
		drop_acked(tcp);
	if (!a->snd_last || a->snd_last->refs != 1 || !is_acked(tcp, a->snd_last))
		return;
	a->snd_last->seq = a->snd_end;
	a->snd_last->len = 0;
}

/* The chunk that holds @seq; new data is found by the cursor at once. */
static struct us_chunk *find(struct us_tcp_active *a, uint32_t seq)
{
	struct us_chunk *chunk = a->snd_first;

	if (a->snd_at && !us_before(seq, a->snd_at->seq))
		chunk = a->snd_at;
	while (chunk && !us_before(seq, chunk_end(chunk)))
		chunk = chunk->next;
	return chunk;
}

static void put_inline(struct us_tx *tx, const uint8_t *data, uint32_t len)
{
	us_copy_short(tx->head + tx->inline_len, data, len);
	tx->inline_len += len;
}

static void put_frag(struct us_tx *tx, struct us_chunk *chunk, uint32_t offset,
		     uint32_t len)
{
	tx->frag[tx->nr_frags++] = (struct us_frag){ chunk, offset, len };
}

/* Takes the last bytes out again. */
static uint32_t give_back(struct us_tx *tx, uint32_t len)
{
	uint32_t left = len;

	while (left) {
		struct us_frag *frag = &tx->frag[tx->nr_frags - 1];
		uint32_t n = us_min32(left, frag->len);

		frag->len -= n;
		left -= n;
		if (!frag->len)
			tx->nr_frags--;
	}
	return len;
}

/**
 * us_tcp_sndq_gather() - puts payload into a segment
 * @tcp: active.
 * @seq: first byte.
 * @len: bytes wished for; all queued.
 * @tx: headers are written; gets the payload by reference, or in line if it is
 *	small: a copy is cheaper than a reference then.  Of a super-segment all is by
 *	reference, in whole segments if it is less than @len.
 *
 * Return: bytes put, less than @len if the payload has more pieces than @tx.
 */
uint32_t us_tcp_sndq_gather(struct us_tcp *tcp, uint32_t seq, uint32_t len,
			    struct us_tx *tx)
{
	bool small = len <= tx->inline_cap - tx->inline_len && len <= US_TX_INLINE && !tx->gso;
	struct us_tcp_active *a = tcp->active;
	struct us_chunk *chunk = a->snd_last;
	uint32_t done = 0;

	/* A message, all that the last chunk has. */
	if (small && seq - chunk->seq < chunk->len && seq + len == chunk_end(chunk)) {
		put_inline(tx, chunk->data + (seq - chunk->seq), len);
		a->snd_at = chunk;
		return len;
	}
	chunk = find(a, seq);

	while (done < len && chunk && (small || tx->nr_frags < US_TX_FRAGS)) {
		uint32_t offset = seq + done - chunk->seq;
		uint32_t n = us_min32(len - done, chunk->len - offset);

		if (small)
			put_inline(tx, chunk->data + offset, n);
		else
			put_frag(tx, chunk, offset, n);
		done += n;
		if (seq + done == chunk_end(chunk) && chunk->next)
			chunk = chunk->next;
	}
	if (!us_before(seq + done, tcp->snd_nxt))
		a->snd_at = chunk;
	if (us_unlikely(done < len) && tx->gso && done > tx->gso_size)
		done -= give_back(tx, done % tx->gso_size);
	return done;
}

/**
 * us_tcp_sndq_free() - throws the queue away
 * @tcp: active.
 */
void us_tcp_sndq_free(struct us_tcp *tcp)
{
	while (tcp->active->snd_first)
		drop_first(tcp->active);
}
