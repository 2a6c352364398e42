/* SPDX-License-Identifier: MIT */
/* A bounded log of what happens to connections, for those who look for a reason. */
#ifndef US_CORE_TRACE_H
#define US_CORE_TRACE_H

#include "core/types.h"

/* What happened; the values are those of enum ustack_event_kind. */
enum us_trace_kind {
	US_TRACE_STATE,
	US_TRACE_RETRANSMIT,
	US_TRACE_TIMEOUT,
	US_TRACE_TAIL_PROBE,
	US_TRACE_WINDOW_PROBE,
	US_TRACE_RECOVERY,
	US_TRACE_CONGESTED,
	US_TRACE_UNDO,
	US_TRACE_RESET,
	US_TRACE_CHALLENGE,
	US_TRACE_ERROR,
	US_TRACE_KINDS
};

/**
 * struct us_trace_event - one thing that happened
 * @time: of the stack's clock.
 * @remote: address of the peer; with the ports, which connection it is.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @kind: enum us_trace_kind.
 * @from: state before, with US_TRACE_STATE.
 * @state: TCP_ESTABLISHED...
 * @pad: unused.
 * @seq: sequence number that it is about.
 * @len: bytes; an errno, with US_TRACE_ERROR.
 * @cwnd: bytes; 0: there was no active part.
 * @ssthresh: bytes.
 * @in_flight: bytes.
 * @srtt: usec.
 */
struct us_trace_event {
	us_ns time;
	struct us_addr remote;
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t kind;
	uint8_t from;
	uint8_t state;
	uint8_t pad;
	uint32_t seq;
	uint32_t len;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t in_flight;
	uint32_t srtt;
};

/**
 * struct us_trace - the last events
 * @next: events so far.
 * @count: of @event; what is more takes the place of the oldest.
 * @event: number n is at n % @count.
 */
struct us_trace {
	uint64_t next;
	uint32_t count;
	struct us_trace_event event[];
};

/* A log of so many events; NULL: no memory. */
struct us_trace *us_trace_create(uint32_t events);
/* The place of the next event. */
struct us_trace_event *us_trace_add(struct us_trace *trace);

#endif /* US_CORE_TRACE_H */
