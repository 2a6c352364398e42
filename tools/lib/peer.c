// SPDX-License-Identifier: MIT
/* How the two ends find each other. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

#define DATAGRAM_ROOM	(1 << 20)
#define BACKLOG		8

/* In words, for messages: "ADDRESS port PORT". */
static const char *end_name(const union job_address *address)
{
	static char text[INET6_ADDRSTRLEN + 16];
	char plain[INET6_ADDRSTRLEN];
	const void *bytes = address->sa.sa_family == AF_INET6
		? (const void *)&address->v6.sin6_addr : &address->v4.sin_addr;

	inet_ntop(address->sa.sa_family, bytes, plain, sizeof(plain));
	snprintf(text, sizeof(text), "%s port %u", plain, ntohs(address->v4.sin_port));
	return text;
}

static int failed(const struct run *run, const char *what,
		  const union job_address *address)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %s", what, end_name(address));
	return run_failed(run, text);
}

static int set_tcp(const struct run *run, const char *option, int name,
		   const void *value, socklen_t length)
{
	if (!run->api->setsockopt(run->socket, IPPROTO_TCP, name, value, length))
		return 0;
	return run_failed(run, option);
}

/* Only the kernel's are not known before. */
static int set_congestion(const struct run *run, const char *name)
{
	char text[128];

	if (!run->api->setsockopt(run->socket, IPPROTO_TCP, TCP_CONGESTION, name, strlen(name)))
		return 0;
	snprintf(text, sizeof(text), "--congestion %s (sysctl net.ipv4.tcp_%s_congestion_control has the names)",
		 name, errno == EPERM ? "allowed" : "available");
	return run_failed(run, text);
}

/* What the command line says of TCP itself. */
static int set_options(const struct run *run)
{
	const struct job *job = run->job;
	int one = 1, err = 0;

	if (job->congestion)
		err = set_congestion(run, job->congestion);
	if (!err && job->fast_open)
		err = set_tcp(run, "--fast-open",
			      job->listen ? TCP_FASTOPEN : TCP_FASTOPEN_CONNECT,
			      &one, sizeof(one));
	if (!err && job->ecn && run->api->ecn(run->socket, job->ecn))
		err = run_failed(run, "--ecn");
	return err;
}

static int make_socket(struct run *run)
{
	const struct job *job = run->job;
	int type = job->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int room = DATAGRAM_ROOM;

	run->socket = run->api->socket(job->family, type);
	if (!run->socket)
		return run_failed(run, "socket");
	/* UDP waits for nobody: room for what comes while others run. */
	if (type == SOCK_DGRAM)
		run->api->setsockopt(run->socket, SOL_SOCKET, SO_RCVBUF, &room,
				     sizeof(room));
	if (job->bound && run->api->bind(run->socket, &job->local.sa,
					 job_length(&job->local)))
		return failed(run, "bind to", &job->local);
	return set_options(run);
}

static int connect_to(struct run *run, const union job_address *peer)
{
	while (run->api->connect(run->socket, &peer->sa, job_length(peer))) {
		if (errno == EADDRNOTAVAIL && run->job->bound)
			return failed(run, "connect from", &run->job->local);
		if (!run_again())
			return failed(run, "connect to", peer);
		if (run_stopped(run))
			return 1;
	}
	return 0;
}

static int accept_stream(struct run *run, void *listener)
{
	while (!(run->socket = run->api->accept(listener))) {
		if (run_again() && !run_stopped(run))
			continue;
		run->socket = listener;
		run->listener = NULL;
		return run_again() ? 1 : failed(run, "accept on", &run->job->local);
	}
	if (run->job->repeat > 1)
		run->listener = listener;
	else
		run->api->close(listener);
	return 0;
}

/* The first datagram tells who the peer is.  It stays where it is if it is
 * payload; if this end sends, it only said so.
 */
static int accept_datagrams(struct run *run)
{
	int flags = job_sends(run->job) ? 0 : MSG_PEEK;
	union job_address peer;
	socklen_t length = sizeof(peer);

	while (run->api->recvfrom(run->socket, run->buffer, run->job->bytes, flags,
				  &peer.sa, &length) < 0) {
		if (!run_again())
			return failed(run, "receive on", &run->job->local);
		if (run_stopped(run))
			return 1;
		length = sizeof(peer);
	}
	return connect_to(run, &peer);
}

/* A port that is the peer's alone can neither hear of the next one in the meantime,
 * nor take data before it is sure who sends it.
 */
static int backlog(const struct job *job)
{
	return job->repeat > 1 || job->fast_open ? BACKLOG : 0;
}

static int listen_for_peer(struct run *run)
{
	if (run->api->listen(run->socket, backlog(run->job)))
		return failed(run, "listen on", &run->job->local);
	fprintf(stderr, "%s: waiting on %s\n", run->job->program,
		end_name(&run->job->local));
	return run->job->protocol == IPPROTO_TCP ? accept_stream(run, run->socket)
						 : accept_datagrams(run);
}

static int open_first(struct run *run)
{
	int err = make_socket(run);

	if (!err)
		err = run->job->listen ? listen_for_peer(run)
				       : connect_to(run, &run->job->remote);
	return err;
}

int peer_open(struct run *run)
{
	int err = run->listener ? accept_stream(run, run->listener) : open_first(run);

	if (err && run->socket) {
		run->api->close(run->socket);
		run->socket = NULL;
	}
	return err < 0 ? err : 0;
}
