// SPDX-License-Identifier: MIT
/* Events of connections for the stack's log (core/trace.h). */
#include "transport/tcp_parts.h"

/**
 * us_tcp_trace() - logs an event; us_tcp_note() asks first whether there is a log
 * @tcp: the connection.
 * @kind: what happened.
 * @seq: sequence number that it is about.
 * @len: bytes, or what the kind says.
 */
void us_tcp_trace(const struct us_tcp *tcp, enum us_trace_kind kind, uint32_t seq,
		  uint32_t len)
{
	const struct us_stack *stack = tcp->table->stack;
	const struct us_tcp_active *a = tcp->active;

	*us_trace_add(stack->trace) = (struct us_trace_event){
		.time = stack->now,
		.remote = tcp->dst.remote,
		.local_port = tcp->local_port,
		.remote_port = tcp->remote_port,
		.kind = (uint8_t)kind,
		.from = tcp->state,
		.state = tcp->state,
		.seq = seq,
		.len = len,
		.cwnd = a ? a->cwnd : 0,
		.ssthresh = tcp->ssthresh,
		.in_flight = us_tcp_in_flight(tcp),
		.srtt = (uint32_t)(((uint64_t)(tcp->srtt >> 3) << US_TCP_USEC_SHIFT) / 1000),
	};
}

/**
 * us_tcp_enter() - a connection changes its state
 * @tcp: the connection.
 * @state: the new one.
 */
void us_tcp_enter(struct us_tcp *tcp, uint8_t state)
{
	struct us_trace *trace = tcp->table->stack->trace;
	uint8_t from = tcp->state;

	tcp->state = state;
	if (us_likely(!trace))
		return;
	us_tcp_trace(tcp, US_TRACE_STATE, tcp->snd_una, 0);
	trace->event[(trace->next - 1) % trace->count].from = from;
}
