// SPDX-License-Identifier: MIT
/* TCP_INFO: everything of Linux's struct that has a meaning here. */
#include "transport/tcp_parts.h"

/* From 2^10 ns to microseconds. */
static uint32_t microseconds(uint32_t usec)
{
	return (uint32_t)(((uint64_t)usec << US_TCP_USEC_SHIFT) / 1000);
}

/* Since a tick, in milliseconds. */
static uint32_t since(const struct us_tcp *tcp, uint32_t tick)
{
	uint32_t ticks = us_tcp_tick(tcp->table->stack) - tick;

	return (uint32_t)(((uint64_t)ticks << US_TCP_TICK_SHIFT) / 1000000);
}

static uint32_t segments(const struct us_tcp *tcp, uint32_t bytes)
{
	return tcp->mss ? (bytes + tcp->mss - 1) / tcp->mss : 0;
}

static void fill_options(const struct us_tcp *tcp, struct tcp_info *info)
{
	if (tcp->flags & US_TCP_TS)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (tcp->flags & US_TCP_SACK)
		info->tcpi_options |= TCPI_OPT_SACK;
	if (tcp->flags & US_TCP_WSCALE) {
		info->tcpi_options |= TCPI_OPT_WSCALE;
		info->tcpi_snd_wscale = tcp->snd_wscale & 15u;
		info->tcpi_rcv_wscale = tcp->rcv_wscale & 15u;
	}
}

static void fill_active(const struct us_tcp *tcp, struct tcp_info *info)
{
	const struct us_tcp_active *a = tcp->active;

	info->tcpi_ca_state = a->ca_state;
	info->tcpi_rcv_mss = a->rcv_mss;
	info->tcpi_sacked = segments(tcp, a->sacked);
	info->tcpi_lost = segments(tcp, a->lost);
	info->tcpi_retrans = segments(tcp, a->retrans);
	info->tcpi_snd_cwnd = segments(tcp, a->cwnd);
	info->tcpi_last_data_sent = since(tcp, a->last_snd);
	info->tcpi_last_data_recv = since(tcp, a->last_data);
	info->tcpi_reordering = US_TCP_DUP_THRESH;
	if (us_tcp_timer_armed(tcp, US_TCP_TIMER_PERSIST))
		info->tcpi_probes = tcp->retries;
}

/**
 * us_tcp_info() - reads what getsockopt(TCP_INFO) tells
 * @tcp: the connection.
 * @info: filled in, in Linux's units: microseconds, milliseconds, segments.
 */
void us_tcp_info(const struct us_tcp *tcp, struct tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	info->tcpi_state = tcp->state;
	info->tcpi_retransmits = tcp->retries;
	info->tcpi_backoff = tcp->retries;
	info->tcpi_rto = microseconds(us_tcp_rto(tcp));
	info->tcpi_ato = microseconds(US_TCP_DELACK);
	info->tcpi_snd_mss = tcp->mss;
	info->tcpi_advmss = tcp->adv_mss;
	info->tcpi_unacked = segments(tcp, us_tcp_in_flight(tcp));
	info->tcpi_last_ack_recv = since(tcp, tcp->last_rcv);
	info->tcpi_pmtu = tcp->dst.mtu;
	info->tcpi_rcv_ssthresh = us_tcp_rcv_wnd(tcp);
	info->tcpi_rcv_space = tcp->rcvbuf;
	info->tcpi_rtt = microseconds(tcp->srtt >> 3);
	info->tcpi_rttvar = microseconds(tcp->rttvar >> 2);
	info->tcpi_snd_ssthresh = tcp->ssthresh == US_TCP_SSTHRESH_INF ?
				  INT32_MAX : segments(tcp, tcp->ssthresh);
	info->tcpi_snd_cwnd = US_TCP_INITIAL_WINDOW;
	info->tcpi_total_retrans = tcp->total_retrans;
	fill_options(tcp, info);
	if (tcp->active)
		fill_active(tcp, info);
}
