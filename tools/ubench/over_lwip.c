// SPDX-License-Identifier: MIT
/*
 * lwIP, as Debian ships it: its raw API, which is the fastest it has.
 *
 * There is but one lwIP in a process, so both ends are in it.  A netif of our own
 * exchanges the addresses of what leaves - no checksum notices - and so 10.0.0.1
 * talks to itself under many names.  As with the pipe, a packet is copied once,
 * into a frame from a pool, and queued until the other end is polled.
 *
 * tcpip_init() starts a thread; the core lock, which is never given back, keeps it
 * waiting.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>

#include "bench.h"

#define PORT		7u
#define MTU		1500u
#define FRAMES		1024u
#define SEGMENTS	512u	/* received, not read; a power of two */
#define ACCEPTS		128u

/* A packet on its way. */
struct frame {
	struct pbuf_custom pbuf;	/* first member */
	struct frame *next;
	uint8_t data[MTU] __attribute__((aligned(16)));
};

struct queue {
	struct frame *first;
	struct frame **last;
};

/* A socket of the kind that struct bench_contender asks for. */
struct socket {
	struct tcp_pcb *pcb;
	struct pbuf *segment[SEGMENTS];
	unsigned int head;
	unsigned int tail;
	uint16_t offset;	/* bytes read of the first segment */
	bool connected;
	bool over;
};

static struct frame frames[FRAMES];
static struct frame *free_frames;
static struct queue queues[2];		/* by the end that they go to */
static struct netif wire;
static struct tcp_pcb *listener;
static struct socket *accepted[ACCEPTS];
static unsigned int accepts;

/* -------------------------------------------------------------------- link */

static void frame_free(struct pbuf *p)
{
	struct frame *frame = (struct frame *)p;

	frame->next = free_frames;
	free_frames = frame;
}

static void exchange(struct frame *frame)
{
	uint32_t *src = (uint32_t *)(frame->data + 12), *dst = src + 1, kept = *src;

	*src = *dst;
	*dst = kept;
}

static enum bench_end goes_to(const struct frame *frame)
{
	const uint8_t *port = frame->data + 22;

	return port[0] == 0 && port[1] == PORT ? BENCH_SERVER : BENCH_CLIENT;
}

static err_t output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
	struct frame *frame = free_frames;
	struct queue *queue;

	(void)netif;
	(void)to;
	if (!frame || p->tot_len > MTU)
		return ERR_MEM;
	free_frames = frame->next;
	frame->pbuf.custom_free_function = frame_free;
	pbuf_alloced_custom(PBUF_RAW, p->tot_len, PBUF_REF, &frame->pbuf, frame->data, MTU);
	pbuf_copy_partial(p, frame->data, p->tot_len, 0);
	exchange(frame);
	queue = &queues[goes_to(frame)];
	frame->next = NULL;
	*queue->last = frame;
	queue->last = &frame->next;
	return ERR_OK;
}

static void poll_end(void *bench, enum bench_end end)
{
	struct queue *queue = &queues[end];
	struct frame *frame;

	(void)bench;
	while ((frame = queue->first)) {
		queue->first = frame->next;
		if (!queue->first)
			queue->last = &queue->first;
		if (ip_input(&frame->pbuf.pbuf, &wire) != ERR_OK)
			pbuf_free(&frame->pbuf.pbuf);
	}
	if (end == BENCH_CLIENT)
		sys_check_timeouts();
}

static err_t wire_init(struct netif *netif)
{
	netif->name[0] = 'u';
	netif->name[1] = 'b';
	netif->mtu = MTU;
	netif->output = output;
	return ERR_OK;
}

/* ----------------------------------------------------------------- sockets */

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct socket *s = arg;

	(void)pcb;
	(void)err;
	if (!p) {
		s->over = true;
		return ERR_OK;
	}
	if (s->tail - s->head == SEGMENTS)
		return ERR_MEM;
	s->segment[s->tail++ % SEGMENTS] = p;
	return ERR_OK;
}

static void broken(void *arg, err_t err)
{
	struct socket *s = arg;

	(void)err;
	s->pcb = NULL;
	s->over = true;
}

static err_t is_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct socket *s = arg;

	(void)pcb;
	s->connected = err == ERR_OK;
	return ERR_OK;
}

static struct socket *socket_of(struct tcp_pcb *pcb)
{
	struct socket *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	s->pcb = pcb;
	s->head = s->tail = 0;
	s->offset = 0;
	s->connected = s->over = false;
	tcp_arg(pcb, s);
	tcp_recv(pcb, received);
	tcp_err(pcb, broken);
	return s;
}

static err_t accept_new(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct socket *s;

	(void)arg;
	if (err != ERR_OK || accepts == ACCEPTS)
		return ERR_MEM;
	s = socket_of(pcb);
	if (!s)
		return ERR_MEM;
	accepted[accepts++] = s;
	return ERR_OK;
}

static void *accept_one(void *bench)
{
	(void)bench;
	return accepts ? accepted[--accepts] : NULL;
}

/* The client's own address is always the same: its name is what it calls the server. */
static void *connect_from(void *bench, uint32_t client)
{
	struct tcp_pcb *pcb = tcp_new();
	struct socket *s = pcb ? socket_of(pcb) : NULL;
	ip_addr_t to;

	(void)bench;
	if (!s)
		return NULL;
	IP_ADDR4(&to, 10, 1, 0, client % BENCH_ADDRESSES);
	ip_set_option(pcb, SOF_REUSEADDR);
	if (tcp_bind(pcb, &wire.ip_addr, (uint16_t)(BENCH_PORT + client / BENCH_ADDRESSES)) ||
	    tcp_connect(pcb, &to, PORT, is_connected)) {
		tcp_abort(pcb);
		free(s);
		return NULL;
	}
	return s;
}

static bool connected(void *socket)
{
	const struct socket *s = socket;

	return s->connected;
}

static ssize_t send_bytes(void *socket, const void *data, size_t len)
{
	struct socket *s = socket;
	err_t err;

	if (!s->pcb)
		return -1;
	len = LWIP_MIN(len, tcp_sndbuf(s->pcb));
	if (!len)
		return 0;
	err = tcp_write(s->pcb, data, (uint16_t)len, TCP_WRITE_FLAG_COPY);
	if (err == ERR_MEM)
		return 0;
	if (err || tcp_output(s->pcb))
		return -1;
	return (ssize_t)len;
}

/* Reads from the first segment; the window grows when all of it was read. */
static size_t take(struct socket *s, uint8_t *data, size_t len)
{
	struct pbuf *p = s->segment[s->head % SEGMENTS];
	uint16_t n = pbuf_copy_partial(p, data, (uint16_t)len, s->offset);

	s->offset += n;
	if (s->offset < p->tot_len)
		return n;
	if (s->pcb)
		tcp_recved(s->pcb, p->tot_len);
	pbuf_free(p);
	s->offset = 0;
	s->head++;
	return n;
}

static ssize_t recv_bytes(void *socket, void *data, size_t len)
{
	struct socket *s = socket;
	size_t done = 0;

	while (done < len && s->head != s->tail)
		done += take(s, (uint8_t *)data + done, len - done);
	if (!done && s->over)
		return -1;
	return (ssize_t)done;
}

static void end_one(void *socket)
{
	struct socket *s = socket;

	for (; s->head != s->tail; s->head++)
		pbuf_free(s->segment[s->head % SEGMENTS]);
	if (s->pcb) {
		tcp_arg(s->pcb, NULL);
		tcp_recv(s->pcb, NULL);
		tcp_err(s->pcb, NULL);
		tcp_close(s->pcb);
	}
	free(s);
}

/* ------------------------------------------------------------ life, TIME-WAIT */

static bool start(void)
{
	ip4_addr_t address, mask;
	unsigned int i;

	tcpip_init(NULL, NULL);
	LOCK_TCPIP_CORE();
	for (i = 0; i < FRAMES; i++)
		frame_free(&frames[i].pbuf.pbuf);
	for (i = 0; i < 2; i++)
		queues[i].last = &queues[i].first;
	IP4_ADDR(&address, 10, 0, 0, 1);
	IP4_ADDR(&mask, 255, 0, 0, 0);
	if (!netif_add(&wire, &address, &mask, &address, NULL, wire_init, ip_input))
		return false;
	netif_set_up(&wire);
	netif_set_link_up(&wire);
	return true;
}

/* lwIP cannot be stopped: what is begun once, stays. */
static void *open_ends(const char *link)
{
	static bool started;

	(void)link;
	if (!started && !start())
		return NULL;
	started = true;
	listener = tcp_new();
	if (listener && tcp_bind(listener, &wire.ip_addr, PORT) == ERR_OK)
		listener = tcp_listen(listener);
	if (!listener || listener->state != LISTEN) {
		fprintf(stderr, "ubench: lwip: cannot listen\n");
		return NULL;
	}
	tcp_accept(listener, accept_new);
	return &wire;
}

/* TIME-WAIT is thrown away, so that the next run finds none. */
static void close_ends(void *bench)
{
	(void)bench;
	tcp_close(listener);
	while (tcp_tw_pcbs)
		tcp_abort(tcp_tw_pcbs);
	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
}

static void waits(void *bench, struct bench_waits *waits)
{
	const struct tcp_pcb *pcb;

	(void)bench;
	*waits = (struct bench_waits){ 0 };
	for (pcb = tcp_tw_pcbs; pcb; pcb = pcb->next)
		waits->held++;
	waits->entered = waits->held;
}

const struct bench_contender bench_lwip = {
	.name = "lwip",
	.open = open_ends,
	.close = close_ends,
	.connect = connect_from,
	.connected = connected,
	.accept = accept_one,
	.send = send_bytes,
	.recv = recv_bytes,
	.end = end_one,
	.poll = poll_end,
	.waits = waits,
};
