/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM netchannel

#if !defined(_NC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _NC_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(netchannel_rx,
	TP_PROTO(u32 channel, u32 flow, u32 index, u32 length),
	TP_ARGS(channel, flow, index, length),
	TP_STRUCT__entry(
		__field(u32, channel)
		__field(u32, flow)
		__field(u32, index)
		__field(u32, length)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->flow = flow;
		__entry->index = index;
		__entry->length = length;
	),
	TP_printk("channel=%u flow=%u index=%u length=%u", __entry->channel,
		  __entry->flow, __entry->index, __entry->length)
);

TRACE_EVENT(netchannel_drop,
	TP_PROTO(u32 channel, u32 flow, u32 counter),
	TP_ARGS(channel, flow, counter),
	TP_STRUCT__entry(
		__field(u32, channel)
		__field(u32, flow)
		__field(u32, counter)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->flow = flow;
		__entry->counter = counter;
	),
	TP_printk("channel=%u flow=%u counter=%u", __entry->channel,
		  __entry->flow, __entry->counter)
);

TRACE_EVENT(netchannel_tx,
	TP_PROTO(u32 channel, u32 index, u32 length, int result),
	TP_ARGS(channel, index, length, result),
	TP_STRUCT__entry(
		__field(u32, channel)
		__field(u32, index)
		__field(u32, length)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->index = index;
		__entry->length = length;
		__entry->result = result;
	),
	TP_printk("channel=%u index=%u length=%u result=%d", __entry->channel,
		  __entry->index, __entry->length, __entry->result)
);

TRACE_EVENT(netchannel_wake,
	TP_PROTO(u32 channel),
	TP_ARGS(channel),
	TP_STRUCT__entry(
		__field(u32, channel)
	),
	TP_fast_assign(
		__entry->channel = channel;
	),
	TP_printk("channel=%u", __entry->channel)
);

TRACE_EVENT(netchannel_broken,
	TP_PROTO(u32 channel, u32 reason),
	TP_ARGS(channel, reason),
	TP_STRUCT__entry(
		__field(u32, channel)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->reason = reason;
	),
	TP_printk("channel=%u reason=%u", __entry->channel, __entry->reason)
);

#endif /* _NC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
