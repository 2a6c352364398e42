/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel as a test sees it.  Nothing here checks for success: calls return 0
 * or a negative errno (or NULL), which the test asserts.
 */
#ifndef SELFTEST_CHAN_H
#define SELFTEST_CHAN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/netchannel.h>

#define CHAN_DEVICE	"/dev/netchannel"
#define CHAN_TIMEOUT	5000	/* ms; long enough for a debug kernel in TCG */
#define CHAN_TX_BYTES	(16 * CHAN_TX_CHUNK)
#define CHAN_TX_CHUNK	65536	/* of the arena, one for each of 16 slots in turn */

struct packet;

/**
 * struct chan - an open, set up and mapped channel
 * @fd: the channel.
 * @setup: as the kernel gave it back.
 * @area: mapped, @setup.area_size bytes.
 * @rx_next: next RX index to look at.
 * @tx_next: next TX index to fill in.
 */
struct chan {
	int fd;
	struct netchannel_setup setup;
	uint8_t *area;
	struct netchannel_ctl *ctl;
	struct netchannel_rx_desc *rx_desc;
	uint32_t *rx_released;
	uint8_t *rx_data;
	struct netchannel_tx_desc *tx_desc;
	uint8_t *tx_inline;
	struct netchannel_tx_done *tx_done;
	uint8_t *tx_data;
	uint32_t rx_next;
	uint32_t tx_next;
};

/* ioctl() that returns a negative errno. */
int chan_ioctl(int fd, unsigned long command, void *argument);
/* A new channel without area: a descriptor, or a negative errno. */
int chan_open(void);
/* The arguments of a small area: little to zero, little to charge. */
void chan_setup_init(struct netchannel_setup *setup, uint32_t rx_depth,
		     uint32_t tx_depth);
/* Maps c->fd, which was set up as c->setup says. */
int chan_map(struct chan *c);
int chan_create_with(struct chan *c, const struct netchannel_setup *setup);
int chan_create(struct chan *c, uint32_t rx_depth, uint32_t tx_depth);
void chan_destroy(struct chan *c);

/*
 * Fills in a LATE bind without authority.  @local and @remote are addresses
 * with an optional prefix, as "10.0.0.1" or "fd00::/64"; ports in host order.
 */
void bind_init(struct netchannel_bind *bind, int protocol, const char *local,
	       uint16_t local_port, const char *remote, uint16_t remote_port);
int chan_bind(struct chan *c, struct netchannel_bind *bind);
/* Both in one for a flow that must be accepted: the flow's name, or -errno. */
int64_t chan_flow(struct chan *c, int hook, int protocol, const char *local,
		  uint16_t local_port, const char *remote, uint16_t remote_port);
int chan_unbind(struct chan *c, uint32_t flow_id);
int chan_freeze(struct chan *c);
int chan_latch(struct chan *c, uint32_t flow_id, uint32_t op, const char *peer,
	       uint16_t port);

/* The module's spin_us: how long a read() of any channel looks before it sleeps. */
#define CHAN_SPIN	100	/* as it is for users */
int chan_spin(unsigned int us);

uint64_t chan_counter(struct chan *c, enum netchannel_counter counter);
uint32_t chan_status(struct chan *c);

/* poll() for @events: revents, 0 after @timeout ms, or a negative errno. */
int chan_poll(struct chan *c, short events, int timeout);
/* The descriptor at rx_next if it is there, else NULL.  Does not sleep. */
struct netchannel_rx_desc *chan_peek(struct chan *c);
/* Sleeps until chan_peek() has one, and steps on; NULL after CHAN_TIMEOUT. */
struct netchannel_rx_desc *chan_recv(struct chan *c);
/* Takes one and releases it.  No timeout: who is not woken, sleeps in poll() or read(). */
bool chan_wait(struct chan *c, bool use_poll);
const void *chan_bytes(struct chan *c, const struct netchannel_rx_desc *desc);
void chan_release(struct chan *c, const struct netchannel_rx_desc *desc);
/* Throws away all that has come; returns how many. */
unsigned int chan_drain(struct chan *c);
/* Is the next packet exactly @packet?  It is released. */
bool chan_expect(struct chan *c, const struct packet *packet);

int chan_kick(struct chan *c);
/* The next slot, zeroed, or NULL if it is busy; chan_submit() gives it away. */
struct netchannel_tx_desc *chan_reserve(struct chan *c);
void chan_submit(struct chan *c);
/* The slot filled in with @packet, as much of it inline as fits. */
struct netchannel_tx_desc *chan_fill(struct chan *c, uint32_t flow_id,
				     const struct packet *packet);
/* What became of @index; sleeps until it completed, NULL after CHAN_TIMEOUT. */
struct netchannel_tx_done *chan_done(struct chan *c, uint32_t index);
bool chan_is_done(struct chan *c, uint32_t index);
/* Sends @packet and waits for its completion: the slot's result. */
int chan_send(struct chan *c, uint32_t flow_id, const struct packet *packet);
/* Submits what chan_reserve() or chan_fill() gave, alike. */
int chan_send_slot(struct chan *c);

#endif /* SELFTEST_CHAN_H */
