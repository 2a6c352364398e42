// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chan.h"
#include "packet.h"

int chan_ioctl(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) < 0 ? -errno : 0;
}

int chan_open(void)
{
	int fd = open(CHAN_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void chan_setup_init(struct netchannel_setup *setup, uint32_t rx_depth,
		     uint32_t tx_depth)
{
	memset(setup, 0, sizeof(*setup));
	setup->size = sizeof(*setup);
	setup->rx_depth = rx_depth;
	setup->tx_depth = tx_depth;
	setup->tx_bytes = CHAN_TX_BYTES;
	setup->wills = 1;
}

int chan_map(struct chan *c)
{
	const struct netchannel_setup *s = &c->setup;

	c->area = mmap(NULL, s->area_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       c->fd, 0);
	if (c->area == MAP_FAILED)
		return -errno;
	c->ctl = (void *)(c->area + s->ctl.offset);
	c->rx_desc = (void *)(c->area + s->rx_desc.offset);
	c->rx_released = (void *)(c->area + s->rx_released.offset);
	c->rx_data = c->area + s->rx_data.offset;
	c->tx_desc = (void *)(c->area + s->tx_desc.offset);
	c->tx_inline = c->area + s->tx_inline.offset;
	c->tx_done = (void *)(c->area + s->tx_done.offset);
	c->tx_data = c->area + s->tx_data.offset;
	return 0;
}

int chan_create_with(struct chan *c, const struct netchannel_setup *setup)
{
	int error;

	memset(c, 0, sizeof(*c));
	c->setup = *setup;
	c->fd = chan_open();
	if (c->fd < 0)
		return c->fd;
	error = chan_ioctl(c->fd, NETCHANNEL_IOC_SETUP, &c->setup);
	return error ? error : chan_map(c);
}

int chan_create(struct chan *c, uint32_t rx_depth, uint32_t tx_depth)
{
	struct netchannel_setup setup;

	chan_setup_init(&setup, rx_depth, tx_depth);
	return chan_create_with(c, &setup);
}

void chan_destroy(struct chan *c)
{
	munmap(c->area, c->setup.area_size);
	close(c->fd);
}

static void parse_address(const char *text, uint8_t *address, uint8_t *family,
			  uint8_t *prefix)
{
	char copy[INET6_ADDRSTRLEN + 4];
	char *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = 0;
	*family = strchr(copy, ':') ? AF_INET6 : AF_INET;
	*prefix = slash ? atoi(slash + 1) : *family == AF_INET ? 32 : 128;
	memset(address, 0, 16);
	if (inet_pton(*family, copy, address) != 1)
		abort();
}

void bind_init(struct netchannel_bind *bind, int protocol, const char *local,
	       uint16_t local_port, const char *remote, uint16_t remote_port)
{
	struct netchannel_flow *flow = &bind->flow;

	memset(bind, 0, sizeof(*bind));
	bind->size = sizeof(*bind);
	bind->hook = NETCHANNEL_HOOK_LATE;
	bind->sock_fd = -1;
	flow->protocol = protocol;
	parse_address(local, flow->local, &flow->family, &flow->local_prefix);
	parse_address(remote, flow->remote, &flow->family, &flow->remote_prefix);
	flow->local_port = htons(local_port);
	flow->remote_port = htons(remote_port);
}

int chan_bind(struct chan *c, struct netchannel_bind *bind)
{
	return chan_ioctl(c->fd, NETCHANNEL_IOC_BIND, bind);
}

int64_t chan_flow(struct chan *c, int hook, int protocol, const char *local,
		  uint16_t local_port, const char *remote, uint16_t remote_port)
{
	struct netchannel_bind bind;
	int error;

	bind_init(&bind, protocol, local, local_port, remote, remote_port);
	bind.hook = hook;
	error = chan_bind(c, &bind);
	return error ? error : (int64_t)bind.flow_id;
}

int chan_unbind(struct chan *c, uint32_t flow_id)
{
	struct netchannel_unbind unbind = {
		.size = sizeof(unbind), .flow_id = flow_id,
	};

	return chan_ioctl(c->fd, NETCHANNEL_IOC_UNBIND, &unbind);
}

int chan_freeze(struct chan *c)
{
	struct netchannel_freeze freeze = { .size = sizeof(freeze) };

	return chan_ioctl(c->fd, NETCHANNEL_IOC_FREEZE, &freeze);
}

int chan_latch(struct chan *c, uint32_t flow_id, uint32_t op, const char *peer,
	       uint16_t port)
{
	struct netchannel_latch latch = {
		.size = sizeof(latch), .flow_id = flow_id, .op = op,
		.peer_port = htons(port),
	};
	uint8_t family, prefix;

	parse_address(peer, latch.peer, &family, &prefix);
	return chan_ioctl(c->fd, NETCHANNEL_IOC_LATCH, &latch);
}

static struct netchannel_stats stats(struct chan *c)
{
	struct netchannel_stats s = { .size = sizeof(s) };

	if (chan_ioctl(c->fd, NETCHANNEL_IOC_STATS, &s))
		memset(&s, 0xff, sizeof(s));
	return s;
}

int chan_spin(unsigned int us)
{
	FILE *file = fopen("/sys/module/netchannel/parameters/spin_us", "w");

	if (!file)
		return -errno;
	fprintf(file, "%u\n", us);
	return fclose(file) ? -errno : 0;
}

uint64_t chan_counter(struct chan *c, enum netchannel_counter counter)
{
	return stats(c).counter[counter];
}

uint32_t chan_status(struct chan *c)
{
	return stats(c).status;
}

/* The wish comes first, then the kernel looks (a system call orders them). */
int chan_poll(struct chan *c, short events, int timeout)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	uint32_t wakeup = (events & POLLIN ? NETCHANNEL_WAKE_RX : 0) |
			  (events & POLLOUT ? NETCHANNEL_WAKE_TX : 0);
	int n;

	__atomic_store_n(&c->ctl->wakeup, wakeup, __ATOMIC_SEQ_CST);
	n = poll(&p, 1, timeout);
	__atomic_store_n(&c->ctl->wakeup, 0, __ATOMIC_SEQ_CST);
	return n < 0 ? -errno : n ? p.revents : 0;
}

/* A: with the kernel's store-release of seq: the descriptor's other fields. */
struct netchannel_rx_desc *chan_peek(struct chan *c)
{
	struct netchannel_rx_desc *desc;

	desc = &c->rx_desc[c->rx_next & (c->setup.rx_depth - 1)];
	if (__atomic_load_n(&desc->seq, __ATOMIC_ACQUIRE) != c->rx_next + 1)
		return NULL;
	return desc;
}

struct netchannel_rx_desc *chan_recv(struct chan *c)
{
	struct netchannel_rx_desc *desc;

	__atomic_store_n(&c->ctl->rx_seen, c->rx_next, __ATOMIC_RELEASE);
	desc = chan_peek(c);
	if (!desc && chan_poll(c, POLLIN, CHAN_TIMEOUT) > 0)
		desc = chan_peek(c);
	if (desc)
		c->rx_next++;
	__atomic_store_n(&c->ctl->rx_seen, c->rx_next, __ATOMIC_RELEASE);
	return desc;
}

bool chan_wait(struct chan *c, bool use_poll)
{
	struct netchannel_rx_desc *desc;

	while (!(desc = chan_peek(c))) {
		c->ctl->rx_seen = c->rx_next;
		if (use_poll ? chan_poll(c, POLLIN, -1) < 0 :
			       read(c->fd, NULL, 0) < 0)
			return false;
	}
	c->rx_next++;
	chan_release(c, desc);
	return true;
}

const void *chan_bytes(struct chan *c, const struct netchannel_rx_desc *desc)
{
	return c->rx_data + desc->offset;
}

void chan_release(struct chan *c, const struct netchannel_rx_desc *desc)
{
	uint32_t *word = &c->rx_released[desc - c->rx_desc];

	__atomic_store_n(word, desc->seq, __ATOMIC_RELEASE);
}

unsigned int chan_drain(struct chan *c)
{
	struct netchannel_rx_desc *desc;
	unsigned int n = 0;

	for (; (desc = chan_peek(c)); n++) {
		c->rx_next++;
		chan_release(c, desc);
	}
	__atomic_store_n(&c->ctl->rx_seen, c->rx_next, __ATOMIC_RELEASE);
	return n;
}

bool chan_expect(struct chan *c, const struct packet *packet)
{
	struct netchannel_rx_desc *desc = chan_recv(c);
	bool same;

	if (!desc)
		return false;
	same = desc->type == NETCHANNEL_RX_PACKET &&
	       desc->length == packet->length &&
	       !memcmp(chan_bytes(c, desc), packet->data, packet->length);
	chan_release(c, desc);
	return same;
}

int chan_kick(struct chan *c)
{
	return write(c->fd, NULL, 0) < 0 ? -errno : 0;
}

static uint32_t tx_slot(struct chan *c, uint32_t index)
{
	return index & (c->setup.tx_depth - 1);
}

static uint32_t done_seq(struct chan *c, uint32_t index)
{
	return __atomic_load_n(&c->tx_done[tx_slot(c, index)].seq,
			       __ATOMIC_ACQUIRE);
}

struct netchannel_tx_desc *chan_reserve(struct chan *c)
{
	struct netchannel_tx_desc *desc = &c->tx_desc[tx_slot(c, c->tx_next)];

	if (done_seq(c, c->tx_next) != c->tx_next + 1 - c->setup.tx_depth)
		return NULL;
	memset(desc, 0, sizeof(*desc));
	return desc;
}

void chan_submit(struct chan *c)
{
	__atomic_store_n(&c->ctl->tx_head, ++c->tx_next, __ATOMIC_RELEASE);
}

/* Reads nothing back: some tests have another thread write there. */
struct netchannel_tx_desc *chan_fill(struct chan *c, uint32_t flow_id,
				     const struct packet *packet)
{
	uint32_t at = c->tx_next % (CHAN_TX_BYTES / CHAN_TX_CHUNK) * CHAN_TX_CHUNK;
	uint32_t length = packet->length < NETCHANNEL_TX_INLINE ?
			  packet->length : NETCHANNEL_TX_INLINE;
	struct netchannel_tx_desc *desc = chan_reserve(c);

	if (!desc)
		return NULL;
	desc->flow_id = flow_id;
	desc->token = c->tx_next;
	desc->inline_length = length;
	memcpy(c->tx_inline + tx_slot(c, c->tx_next) * NETCHANNEL_TX_INLINE,
	       packet->data, length);
	if (packet->length == length)
		return desc;
	desc->nr_frags = 1;
	desc->frag[0].offset = at;
	desc->frag[0].length = packet->length - length;
	memcpy(c->tx_data + at, packet->data + length, packet->length - length);
	return desc;
}

bool chan_is_done(struct chan *c, uint32_t index)
{
	return done_seq(c, index) == index + 1;
}

/* POLLOUT would be ready at once with a free slot, so look again and again. */
struct netchannel_tx_done *chan_done(struct chan *c, uint32_t index)
{
	int ms;

	for (ms = 0; !chan_is_done(c, index); ms++) {
		if (ms == CHAN_TIMEOUT)
			return NULL;
		usleep(1000);
	}
	return &c->tx_done[tx_slot(c, index)];
}

int chan_send_slot(struct chan *c)
{
	struct netchannel_tx_done *done;
	int error;

	chan_submit(c);
	error = chan_kick(c);
	if (error)
		return error;
	done = chan_done(c, c->tx_next - 1);
	return done ? done->result : -ETIME;
}

int chan_send(struct chan *c, uint32_t flow_id, const struct packet *packet)
{
	return chan_fill(c, flow_id, packet) ? chan_send_slot(c) : -EBUSY;
}
