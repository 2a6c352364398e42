// SPDX-License-Identifier: MIT
/* NewReno's congestion avoidance, RFC 5681 3.1, by bytes (RFC 3465). */
#include "transport/tcp_parts.h"

/**
 * struct newreno - us_tcp_active.cc_state
 * @acked: bytes acknowledged since cwnd last grew in congestion avoidance.
 */
struct newreno {
	uint64_t acked;
};

static struct newreno *state(struct us_tcp *tcp)
{
	return (struct newreno *)tcp->active->cc_state;
}

static void init(struct us_tcp *tcp)
{
	state(tcp)->acked = 0;
}

static void acked(struct us_tcp *tcp, const struct us_tcp_acked *r)
{
	struct us_tcp_active *a = tcp->active;
	struct newreno *s = state(tcp);
	uint32_t bytes = r->delivered;

	if (!us_tcp_window_is_used(tcp))
		return;
	if (a->cwnd < tcp->ssthresh) {
		uint32_t grow = us_min32(bytes, tcp->ssthresh - a->cwnd);

		a->cwnd = us_min32(a->cwnd + grow, US_TCP_CWND_MAX);
		bytes -= grow;
	}
	s->acked += bytes;
	if (s->acked >= a->cwnd) {
		s->acked -= a->cwnd;
		a->cwnd = us_min32(a->cwnd + tcp->mss, US_TCP_CWND_MAX);
	}
}

static uint32_t ssthresh(struct us_tcp *tcp)
{
	state(tcp)->acked = 0;
	return us_max32(us_tcp_used_window(tcp) / 2, 2u * tcp->mss);
}

const struct us_tcp_cc us_tcp_cc_newreno = {
	.name = "reno",
	.init = init,
	.acked = acked,
	.ssthresh = ssthresh,
};
