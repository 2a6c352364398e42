// SPDX-License-Identifier: MIT
/*
 * The workloads.  A run ends when the server has told that everything came: with
 * its answers, or with a message of one byte.
 */
#include <errno.h>
#include <string.h>

#include "lib/pattern.h"
#include "vbench.h"

#define WINDOW	256u	/* datagrams in flight: what queues hold */
#define BACKLOG	1024

const struct workload workloads[] = {
	{ "pingpong-1", "insn", .bytes = 1, .answered = true, .connections = 1,
	  .requests = 1, .rounds = 1000 },
	{ "pingpong-128", "insn", .bytes = 128, .answered = true, .connections = 1,
	  .requests = 1, .rounds = 1000 },
	{ "pingpong-1024", "insn", .bytes = 1024, .answered = true, .connections = 1,
	  .requests = 1, .rounds = 1000 },
	{ "stream-16", "insn", .bytes = 16, .connections = 1, .requests = 1, .rounds = 20000 },
	{ "stream-128", "insn", .bytes = 128, .connections = 1, .requests = 1, .rounds = 20000 },
	{ "stream-4096", "insn", .bytes = 4096, .connections = 1, .requests = 1, .rounds = 5000 },
	{ "bulk-64k", "insn", .bytes = 65536, .connections = 1, .requests = 1, .rounds = 600 },
	{ "bulk-64k-lent", "insn", .bytes = 65536, .lent = true, .connections = 1,
	  .requests = 1, .rounds = 600 },
	{ "crr-1", "insn", .bytes = 64, .answered = true, .requests = 1, .rounds = 200 },
	{ "crr-8", "insn", .bytes = 64, .answered = true, .requests = 8, .rounds = 100 },
	{ "crr-128", "insn", .bytes = 64, .answered = true, .requests = 128, .rounds = 10 },
	{ "udp-pingpong-128", "insn", .bytes = 128, .answered = true, .udp = true,
	  .connections = 1, .requests = 1, .rounds = 1000 },
	{ "udp-stream-128", "insn", .bytes = 128, .udp = true, .connections = 1,
	  .requests = WINDOW, .rounds = 20 },
	{ "udp-stream-128-lent", "insn", .bytes = 128, .udp = true, .lent = true,
	  .connections = 1, .requests = WINDOW, .rounds = 20 },
	{ "conns-1", "insn", .bytes = 128, .answered = true, .connections = 1,
	  .requests = 1, .rounds = 1000 },
	{ "conns-10", "insn", .bytes = 128, .answered = true, .connections = 10,
	  .requests = 1, .rounds = 100 },
	{ "conns-100", "insn", .bytes = 128, .answered = true, .connections = 100,
	  .requests = 1, .rounds = 10 },
	{ "conns-1000", "insn", .bytes = 128, .answered = true, .connections = 1000,
	  .requests = 1, .rounds = 2 },
	{ "paced-940", "% busy", .bytes = 65536, .connections = 1, .requests = 1,
	  .rounds = 600, .rate = 940000000 },
	{ .name = NULL },
};

/**
 * workload_find() - a workload by its name
 * @name: as results have it.
 *
 * Return: NULL if there is none.
 */
const struct workload *workload_find(const char *name)
{
	const struct workload *w = workloads;

	while (w->name && strcmp(w->name, name))
		w++;
	return w->name ? w : NULL;
}

/* ---------------------------------------------------------- connections */

static void *connect_one(const struct workload *w, struct end *end)
{
	void *socket = end_socket(end, w);

	end_connect(end, socket);
	return socket;
}

/* The first datagram tells who the client is. */
static void accept_datagrams(struct end *end)
{
	union job_address peer;
	socklen_t length = sizeof(peer);
	char byte;

	if (end->api->recvfrom(end->listener, &byte, 1, 0, &peer.sa, &length) != 1)
		die(end, "recv");
	if (end->api->connect(end->listener, &peer.sa, length) ||
	    end->api->send(end->listener, &byte, 1, 0) != 1)
		die(end, "answer to the first datagram");
	end->socket[0] = end->listener;
}

/**
 * workload_connect() - the client's part of the connections that stay
 * @w: what is to be done.
 * @end: gets the sockets.
 */
void workload_connect(const struct workload *w, struct end *end)
{
	char byte = 0;

	for (unsigned int i = 0; i < w->connections; i++)
		end->socket[i] = connect_one(w, end);
	if (w->udp && (end->api->send(end->socket[0], &byte, 1, 0) != 1 ||
		       end->api->recvfrom(end->socket[0], &byte, 1, 0, NULL, NULL) != 1))
		die(end, "first datagram");
}

/**
 * workload_listener() - makes one
 * @w: what is to be done.
 * @end: whose address it gets.
 *
 * Return: the listener.
 */
void *workload_listener(const struct workload *w, struct end *end)
{
	void *listener = end_socket(end, w);

	if (end->variant->reuseport)
		end_set(end, listener, SOL_SOCKET, SO_REUSEPORT, 1);
	if (end->api->bind(listener, &end->peer.sa, job_length(&end->peer)))
		die(end, "bind");
	if (!w->udp && end->api->listen(listener, BACKLOG))
		die(end, "listen");
	return listener;
}

/**
 * workload_listen() - makes what the server listens with, before the client connects
 * @w: what is to be done.
 * @end: gets the listener.
 */
void workload_listen(const struct workload *w, struct end *end)
{
	if (end->variant->epoll)
		epoll_listen(w, end);
	else
		end->listener = workload_listener(w, end);
}

/**
 * workload_accept() - the server's part of the connections that stay
 * @w: what is to be done.
 * @end: gets the sockets.
 */
void workload_accept(const struct workload *w, struct end *end)
{
	if (w->udp)
		accept_datagrams(end);
	else if (end->variant->epoll)
		epoll_accept(w, end);
	else
		for (unsigned int i = 0; i < w->connections; i++)
			end->socket[i] = end_accept(end);
}

/* ------------------------------------------------------------- messages */

/* A connection, its requests, and the end of it: the client closes first. */
static void ask_anew(const struct workload *w, struct end *end)
{
	void *socket = connect_one(w, end);

	for (unsigned int i = 0; i < w->requests; i++) {
		end_put(end, socket, w->bytes);
		end_get(end, socket, w->bytes);
	}
	end->api->close(socket);
}

static void answer_anew(const struct workload *w, struct end *end)
{
	void *socket = end_accept(end);

	for (unsigned int i = 0; i < w->requests; i++) {
		end_get(end, socket, w->bytes);
		end_put(end, socket, w->bytes);
	}
	end_flush(end, socket);
	end_over(end, socket);
	end->api->close(socket);
}

static void ask_streams(const struct workload *w, struct end *end)
{
	for (unsigned int i = 0; i < w->connections; i++)
		end_put(end, end->socket[i], w->bytes);
	for (unsigned int i = 0; w->answered && i < w->connections; i++)
		end_get(end, end->socket[i], w->bytes);
}

static void answer_streams(const struct workload *w, struct end *end)
{
	for (unsigned int i = 0; i < w->connections; i++) {
		end_get(end, end->socket[i], w->bytes);
		if (w->answered)
			end_put(end, end->socket[i], w->bytes);
	}
}

/* A window that is not answered message by message is answered as a whole. */
static void ask_datagrams(const struct workload *w, struct end *end)
{
	datagrams_put(end, w->bytes, w->requests);
	datagrams_get(end, w->answered ? w->bytes : 1, 1);
}

static void answer_datagrams(const struct workload *w, struct end *end)
{
	datagrams_get(end, w->bytes, w->requests);
	datagrams_put(end, w->answered ? w->bytes : 1, 1);
}

/**
 * workload_ask() - the client's part of a run
 * @w: what is done.
 * @end: connected.
 */
void workload_ask(const struct workload *w, struct end *end)
{
	unsigned int left = w->rounds;

	if (w->udp)
		while (left--)
			ask_datagrams(w, end);
	else if (w->connections)
		while (left--)
			ask_streams(w, end);
	else
		while (left--)
			ask_anew(w, end);
	if (w->answered || w->udp)
		return;
	end_flush(end, end->socket[0]);
	end_get(end, end->socket[0], 1);
}

/**
 * workload_answer() - the server's part of a run
 * @w: what is done.
 * @end: connected, or listening.
 */
void workload_answer(const struct workload *w, struct end *end)
{
	unsigned int left = w->rounds;

	if (end->variant->epoll) {
		epoll_answer(w, end);
		return;
	}
	if (w->udp)
		while (left--)
			answer_datagrams(w, end);
	else if (w->connections)
		while (left--)
			answer_streams(w, end);
	else
		while (left--)
			answer_anew(w, end);
	if (!w->answered && !w->udp)
		end_put(end, end->socket[0], 1);
	end_flush(end, end->socket[0]);
}
