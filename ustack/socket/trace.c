// SPDX-License-Identifier: MIT
/* The log of events, as the public API tells it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "socket/socket.h"

#define EVENTS_MAX	(1u << 24)

_Static_assert((int)USTACK_EVENT_ERROR == (int)US_TRACE_ERROR &&
	       (int)USTACK_EVENT_RECOVERY == (int)US_TRACE_RECOVERY,
	       "the public names are those of the log");

static const char *const kinds[US_TRACE_KINDS] = {
	[US_TRACE_STATE] = "state", [US_TRACE_RETRANSMIT] = "retransmit",
	[US_TRACE_TIMEOUT] = "timeout", [US_TRACE_TAIL_PROBE] = "tail probe",
	[US_TRACE_WINDOW_PROBE] = "window probe", [US_TRACE_RECOVERY] = "recovery",
	[US_TRACE_CONGESTED] = "congested", [US_TRACE_UNDO] = "undo",
	[US_TRACE_RESET] = "reset", [US_TRACE_CHALLENGE] = "challenge",
	[US_TRACE_ERROR] = "error",
};

static const char *const states[] = {
	[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_SYN_SENT] = "SYN-SENT",
	[TCP_SYN_RECV] = "SYN-RECEIVED", [TCP_FIN_WAIT1] = "FIN-WAIT-1",
	[TCP_FIN_WAIT2] = "FIN-WAIT-2", [TCP_TIME_WAIT] = "TIME-WAIT",
	[TCP_CLOSE] = "CLOSED", [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCP_LAST_ACK] = "LAST-ACK", [TCP_LISTEN] = "LISTEN", [TCP_CLOSING] = "CLOSING",
};

int ustack_trace(struct ustack *public, unsigned int events)
{
	struct us_stack *stack = (struct us_stack *)public;
	struct us_trace *trace = NULL;

	if (events > EVENTS_MAX)
		return -EINVAL;
	if (events) {
		trace = us_trace_create(events);
		if (!trace)
			return -ENOMEM;
	}
	US_CALL(stack);
	free(stack->trace);
	stack->trace = trace;
	return 0;
}

/* Is the event about the connection of this socket? */
static bool concerns(const struct us_trace_event *event, struct ustack_socket *s)
{
	struct us_addr local, remote;
	uint16_t local_port, remote_port;

	if (!s)
		return true;
	if (!s->tcp)
		return false;
	us_tcp_names(s->tcp, &local, &local_port, &remote, &remote_port);
	return event->local_port == local_port && event->remote_port == remote_port &&
	       us_addr_equal(&event->remote, &remote);
}

static struct ustack_event told(const struct us_trace_event *e)
{
	struct ustack_event event = {
		.time = e->time,
		.kind = (enum ustack_event_kind)e->kind,
		.local_port = ntohs(e->local_port),
		.remote_port = ntohs(e->remote_port),
		.from = e->from,
		.state = e->state,
		.seq = e->seq,
		.length = e->len,
		.cwnd = e->cwnd,
		.ssthresh = e->ssthresh,
		.in_flight = e->in_flight,
		.srtt = e->srtt,
	};

	memcpy(event.remote, e->remote.b, sizeof(event.remote));
	return event;
}

void ustack_trace_read(struct ustack *public, struct ustack_socket *socket,
		       void (*take)(void *arg, const struct ustack_event *event),
		       void *arg)
{
	struct us_stack *stack = (struct us_stack *)public;
	const struct us_trace *trace;
	uint64_t n;

	US_CALL(stack);
	trace = stack->trace;
	if (!trace)
		return;
	n = trace->next > trace->count ? trace->next - trace->count : 0;
	for (; n < trace->next; n++) {
		const struct us_trace_event *e = &trace->event[n % trace->count];
		struct ustack_event event = told(e);

		if (concerns(e, socket))
			take(arg, &event);
	}
}

static const char *name_of(const char *const *names, size_t count, unsigned int i)
{
	return i < count && names[i] ? names[i] : "?";
}

static const char *state_name(unsigned int state)
{
	return name_of(states, sizeof(states) / sizeof(states[0]), state);
}

static const char *peer_name(const struct ustack_event *event, char *text, size_t size)
{
	struct us_addr addr;

	memcpy(addr.b, event->remote, sizeof(addr.b));
	if (us_addr_is_v4(&addr))
		return inet_ntop(AF_INET, &addr.b[12], text, (socklen_t)size);
	return inet_ntop(AF_INET6, addr.b, text, (socklen_t)size);
}

int ustack_event_print(const struct ustack_event *event, char *text, size_t size)
{
	char peer[INET6_ADDRSTRLEN], what[64];

	if (event->kind == USTACK_EVENT_STATE)
		snprintf(what, sizeof(what), "%s -> %s", state_name(event->from),
			 state_name(event->state));
	else if (event->kind == USTACK_EVENT_ERROR)
		snprintf(what, sizeof(what), "%s", strerror((int)event->length));
	else
		snprintf(what, sizeof(what), "%u:%u", event->seq,
			 event->seq + event->length);
	return snprintf(text, size, "%lld.%06lld %u %s %u %s %s cwnd %u ssthresh %u in flight %u srtt %u",
			(long long)(event->time / US_SEC),
			(long long)(event->time % US_SEC / 1000), event->local_port,
			peer_name(event, peer, sizeof(peer)), event->remote_port,
			name_of(kinds, US_TRACE_KINDS, event->kind), what, event->cwnd,
			event->ssthresh, event->in_flight, event->srtt);
}
