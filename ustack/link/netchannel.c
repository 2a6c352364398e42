// SPDX-License-Identifier: MIT
/*
 * The link over the module's channel: packets of the bound flows come through the
 * RX ring, what is sent goes through the TX ring, whose slots the stack writes
 * its headers into directly.  Payload is sent out of the mapped arena.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "link/netchannel.h"

_Static_assert(US_TX_INLINE == NETCHANNEL_TX_INLINE, "room for headers");
_Static_assert(US_TX_FRAGS == NETCHANNEL_TX_FRAGS, "references");
_Static_assert((int)US_GSO_TCP == NETCHANNEL_GSO_TCP &&
	       (int)US_GSO_UDP == NETCHANNEL_GSO_UDP, "kinds of GSO");

/* ------------------------------------------------------------------ sending */

/* The chunks that a slot refers to. */
static struct us_chunk **frags_of(const struct us_nc *nc, uint32_t index)
{
	return &nc->frag[(size_t)(index & (nc->tx.depth - 1)) * US_TX_FRAGS];
}

static us_noinline void put_frags(struct us_chunk **frag)
{
	unsigned int i;

	for (i = 0; i < US_TX_FRAGS && frag[i]; i++) {
		us_chunk_put(frag[i]);
		frag[i] = NULL;
	}
}

static us_noinline void tell(struct us_nc *nc, const struct netchannel_tx_done *done)
{
	const uint8_t *packet = us_nc_tx_inlined(&nc->tx, nc->tx.tail);
	uint32_t len = us_nc_tx_at(&nc->tx, nc->tx.tail)->inline_length %
		       (NETCHANNEL_TX_INLINE + 1);	/* whatever it says by now */

	us_link_refused(&nc->link, &nc->told, packet, len, -done->result,
			done->result == -EMSGSIZE ? done->info : 0);
}

/* Takes slots back that completed.  Results are told upwards only where @upcalls
 * are safe: else the slot waits for the next poll, and true is returned.
 */
static bool reap(struct us_nc *nc, bool upcalls)
{
	const struct netchannel_tx_done *done;
	struct us_chunk **frag;

	while ((done = us_nc_tx_completed(&nc->tx))) {
		if (us_unlikely(done->result)) {
			if (!upcalls)
				return true;
			nc->link.stats.tx_dropped++;
			tell(nc, done);
		}
		frag = frags_of(nc, nc->tx.tail);
		if (*frag)
			put_frags(frag);
		us_nc_tx_reap(&nc->tx);
	}
	return false;
}

/* The channel is broken, or its device or namespace has gone. */
static void die(struct us_nc *nc, int err)
{
	if (err == EPIPE || err == ENODEV)
		nc->link.error = -err;
}

static void kick(struct us_nc *nc)
{
	nc->link.stats.syscalls++;
	if (fdatasync(nc->fd) < 0)
		die(nc, errno);
}

static void flush(struct us_link *link)
{
	struct us_nc *nc = us_nc_of(link);

	if (us_nc_tx_show(&nc->tx, nc->ctl))
		kick(nc);
}

/* The ring is full: whoever finds no slot now waits for one. */
static us_noinline bool make_room(struct us_nc *nc, uint32_t keep)
{
	flush(&nc->link);
	reap(nc, false);
	nc->starved |= !us_nc_tx_room(&nc->tx, keep);
	return us_nc_tx_room(&nc->tx, keep);
}

static struct us_tx *reserve(struct us_link *link, uint32_t keep)
{
	struct us_nc *nc = us_nc_of(link);

	if (us_unlikely(!us_nc_tx_room(&nc->tx, keep)) && !make_room(nc, keep))
		return NULL;
	return us_tx_begin(&nc->slot, link, us_nc_tx_inlined(&nc->tx, nc->tx.head),
			   NETCHANNEL_TX_INLINE);
}

static void submit(struct us_link *link, struct us_tx *tx)
{
	struct us_nc *nc = us_nc_of(link);
	struct us_chunk **chunk = frags_of(nc, nc->tx.head);
	uint32_t len = tx->inline_len, i;
	struct netchannel_tx_desc *desc = us_nc_tx_at(&nc->tx, nc->tx.head);

	*desc = (struct netchannel_tx_desc) { .flow_id = tx->flow };
	desc->inline_length = (uint16_t)tx->inline_len;
	desc->nr_frags = (uint8_t)tx->nr_frags;
	desc->flags = tx->csum_offload ? NETCHANNEL_TX_CSUM : 0;
	desc->gso_size = tx->gso ? tx->gso_size : 0;
	desc->gso_type = tx->gso;
	for (i = 0; i < tx->nr_frags; i++) {
		const struct us_frag *frag = &tx->frag[i];

		desc->frag[i].offset = (uint32_t)(frag->chunk->data - nc->arena) +
				       frag->offset;
		desc->frag[i].length = frag->len;
		us_chunk_get(frag->chunk);
		chunk[i] = frag->chunk;
		len += frag->len;
	}
	us_nc_tx_submit(&nc->tx);
	link->stats.tx_packets++;
	link->stats.tx_bytes += len;
}

/* ---------------------------------------------------------------- receiving */

static void fill(const struct us_nc *nc, struct us_pkt *pkt,
		 const struct netchannel_rx_desc *desc)
{
	pkt->data = nc->rx.data + desc->offset;
	pkt->len = desc->length;
	pkt->tstamp = desc->tstamp;
	pkt->flow = desc->flow_id;
	if (us_unlikely(desc->type == NETCHANNEL_RX_ERROR)) {
		pkt->error = true;
		pkt->info = desc->info;
		return;
	}
	pkt->info = desc->ifindex;
	if (desc->csum_state == NETCHANNEL_CSUM_COMPLETE) {
		pkt->csum_state = US_CSUM_COMPLETE;
		pkt->csum = desc->csum;
	} else if (desc->csum_state != NETCHANNEL_CSUM_NONE) {
		pkt->csum_state = US_CSUM_VERIFIED;
	}
	if (desc->gso_type != NETCHANNEL_GSO_NONE && desc->gso_size) {
		pkt->gso = desc->gso_type;
		pkt->gso_size = desc->gso_size;
		pkt->gso_segs = desc->gso_segs;
	}
}

/* Works on a copy: whom the channel was lent may write to the ring, too. */
static void deliver(struct us_nc *nc, const struct netchannel_rx_desc *shared)
{
	struct netchannel_rx_desc desc = *shared;
	struct us_link *link = &nc->link;
	struct us_pkt *pkt = NULL;
	uint32_t index;

	__asm__ volatile("" : "+m"(desc));	/* not read a second time */
	index = us_nc_rx_read(&nc->rx, &desc);
	link->stats.rx_dropped += desc.lost;
	if (us_likely(us_nc_rx_valid(&nc->rx, &desc)))
		pkt = us_link_pkt(link);
	if (us_unlikely(!pkt)) {
		us_nc_rx_release(&nc->rx, index);
		return;
	}
	fill(nc, pkt, &desc);
	pkt->token = index;
	if (us_likely(!pkt->error)) {
		link->stats.rx_packets++;
		link->stats.rx_bytes += pkt->len;
	}
	link->stack->up->link_input(link->stack, pkt);
}

static void check_status(struct us_nc *nc)
{
	uint32_t status = __atomic_load_n(&nc->ctl->status, __ATOMIC_RELAXED);

	if (status & NETCHANNEL_STATUS_BROKEN)
		nc->link.error = -EPIPE;
	else if (status & NETCHANNEL_STATUS_GONE)
		nc->link.error = -ENODEV;
}

static unsigned int poll_channel(struct us_link *link, unsigned int budget)
{
	const struct netchannel_rx_desc *desc;
	struct us_nc *nc = us_nc_of(link);
	unsigned int n = 0;

	if (nc->ctl->wakeup)
		__atomic_store_n(&nc->ctl->wakeup, 0, __ATOMIC_RELAXED);
	reap(nc, true);
	while (n < budget && (desc = us_nc_rx_peek(&nc->rx))) {
		deliver(nc, desc);
		n++;
	}
	if (us_unlikely(nc->starved && us_nc_tx_room(&nc->tx, link->kept))) {
		nc->starved = false;
		link->stack->up->link_writable(link->stack, link);
	}
	check_status(nc);
	return n;
}

static void release(struct us_link *link, struct us_pkt *pkt)
{
	if (us_likely(pkt->token != US_LINK_TOLD))
		us_nc_rx_release(&us_nc_of(link)->rx, (uint32_t)pkt->token);
}

static bool pressure(const struct us_link *link)
{
	return us_nc_rx_pressure(&us_nc_of(link)->rx);
}

/* ----------------------------------------------------------------- sleeping */

/* Completions matter to who waits for a slot, and where slots stay in flight. */
static uint32_t wanted(const struct us_nc *nc)
{
	return NETCHANNEL_WAKE_RX |
	       (nc->starved || nc->tx.tail != nc->tx.shown ?
		NETCHANNEL_WAKE_TX : 0);
}

/* What woke a poll(2) for a completion does so until a read() uses it up: one that does
 * not sleep, as its deadline is over.
 */
static void use_event_up(struct us_nc *nc)
{
	us_nc_want(nc->ctl, nc->rx.next, 0, 1);
	nc->link.stats.syscalls++;
	if (fsync(nc->fd) < 0)
		die(nc, errno);
}

/* Who polls the descriptor is woken for input: asked for here.  (F) For what completed
 * before that nobody is woken: who has not seen a whole lap does not sleep.
 */
static int fd(const struct us_link *link)
{
	struct us_nc *nc = us_nc_of(link);

	if (nc->watched)
		use_event_up(nc);
	us_nc_want(nc->ctl, nc->rx.next, wanted(nc), 0);
	nc->watched = nc->ctl->wakeup & NETCHANNEL_WAKE_TX;
	if (us_nc_tx_completed(&nc->tx))
		us_nc_want(nc->ctl, nc->rx.next - nc->rx.depth - 1, wanted(nc), 0);
	return nc->fd;
}

/* Where memory came back, somebody may wait for it. */
static bool idle(struct us_link *link)
{
	struct us_nc *nc = us_nc_of(link);
	size_t memory = us_txmem_free_bytes(link->mem);

	return !reap(nc, false) && !us_nc_rx_peek(&nc->rx) &&
	       !(nc->starved && us_nc_tx_room(&nc->tx, link->kept)) &&
	       us_txmem_free_bytes(link->mem) == memory;
}

static int sleep_channel(struct us_link *link, us_ns deadline)
{
	struct us_nc *nc = us_nc_of(link);
	int err = 0;

	us_nc_want(nc->ctl, nc->rx.next, wanted(nc), deadline == US_NEVER ? 0 :
		   deadline > 0 ? (uint64_t)deadline : 1);
	/* (F) for what completed before that nobody wakes us */
	if (us_nc_tx_completed(&nc->tx))
		return 0;
	us_nc_tx_show(&nc->tx, nc->ctl);
	link->stats.syscalls++;
	if (fsync(nc->fd) < 0)
		err = errno;
	__atomic_store_n(&nc->ctl->wakeup, 0, __ATOMIC_RELAXED);
	die(nc, err);
	return err == EINTR ? -EINTR : link->error;
}

const struct us_link_ops us_netchannel_ops = {
	.name = "netchannel",
	.open = us_nc_open,
	.close = us_nc_close,
	.reserve = reserve,
	.submit = submit,
	.flush = flush,
	.poll = poll_channel,
	.release = release,
	.pressure = pressure,
	.fd = fd,
	.sleep = sleep_channel,
	.idle = idle,
	.bind = us_nc_bind,
	.unbind = us_nc_unbind,
	.latch = us_nc_latch,
	.route = us_nc_route,
};
