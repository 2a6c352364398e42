// SPDX-License-Identifier: MIT
/*
 * TCP header and options of a segment whose checksum was right. Input: the
 * segment, at least a header without options (what is shorter, the caller drops).
 */
#include "oracle.h"
#include "transport/tcp_parts.h"

/* What the options say, is in the options. */
static void options(const struct us_tcp_segment *seg, size_t bytes)
{
	bool syn = seg->flags & US_TCP_SYN;

	must(seg->nr_sack <= US_TCP_SACKS && seg->nr_sack * 8u <= bytes);
	must(!seg->has_ts || bytes >= 10);
	must(!seg->has_wscale || (syn && bytes >= 3 && seg->wscale <= 14));
	must(!seg->sack_ok || (syn && bytes >= 2));
	must(!seg->mss || (syn && bytes >= 4));
}

static void segment(const struct us_tcp_segment *seg, const struct us_pkt *pkt,
		    const uint8_t *data, size_t size)
{
	size_t header = (size_t)(pkt->data - data);
	uint32_t extra = !!(seg->flags & US_TCP_SYN) + !!(seg->flags & US_TCP_FIN);

	must(header >= US_TCP_LEN && header <= US_TCP_LEN_MAX && header % 4 == 0);
	must(header + pkt->len == size && seg->len == pkt->len);
	must(seg->end - seg->seq == seg->len + extra);
	options(seg, header - US_TCP_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct us_pkt pkt = { .data = copy, .len = (uint32_t)size };
	struct us_tcp_segment seg = { 0 };
	static struct us_stack stack;

	memcpy(copy, data, size);
	if (size >= US_TCP_LEN && us_tcp_parse(&stack, &pkt, &seg))
		segment(&seg, &pkt, copy, size);
	free(copy);
	return 0;
}
