// SPDX-License-Identifier: MIT
/* TCP_INFO: everything of Linux's struct that has a meaning here. */
#include "transport/tcp_parts.h"

/* From 2^10 ns to microseconds. */
static uint32_t microseconds(uint32_t usec)
{
	return (uint32_t)(((uint64_t)usec << US_TCP_USEC_SHIFT) / 1000);
}

static uint32_t milliseconds(uint32_t ticks)
{
	return (uint32_t)(((uint64_t)ticks << US_TCP_TICK_SHIFT) / 1000000);
}

/* Since a tick, in milliseconds. */
static uint32_t since(const struct us_tcp *tcp, uint32_t tick)
{
	return milliseconds(us_tcp_tick(tcp->table->stack) - tick);
}

/* What a connection without an active part knows is when the last segment came. */
static uint32_t since_data(const struct us_tcp *tcp)
{
	uint32_t none = tcp->bytes_received ? 0 : (uint32_t)(US_SEC >> US_TCP_TICK_SHIFT);

	/* Until data comes, us_tcp_activate() counts from a second ago. */
	return since(tcp, tcp->active ? tcp->active->last_data + none : tcp->last_rcv);
}

static uint32_t segments(const struct us_tcp *tcp, uint32_t bytes)
{
	return tcp->mss ? (bytes + tcp->mss - 1) / tcp->mss : 0;
}

/* A window: so many full segments may be on their way, and always one. */
static uint32_t whole_segments(const struct us_tcp *tcp, uint32_t bytes)
{
	return tcp->mss ? us_max32(bytes / tcp->mss, 1) : 0;
}

/* A C program built with <linux/tcp.h> finds its fields at these places. */
static_assert(offsetof(struct us_tcp_info, pacing_rate) == 104 &&
	      offsetof(struct us_tcp_info, delivery_rate) == 160 &&
	      offsetof(struct us_tcp_info, delivered) == 192 &&
	      offsetof(struct us_tcp_info, bytes_sent) == 200 &&
	      offsetof(struct us_tcp_info, snd_wnd) == 228 &&
	      offsetof(struct us_tcp_info, total_rto) == 240 &&
	      sizeof(struct us_tcp_info) == 248, "Linux's struct tcp_info");

/* In Linux a bit field behind the window scales, which libc does not know. */
#define APP_LIMITED_AT	7

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
	if (tcp->flags & US_TCP_ECN)
		info->tcpi_options |= TCPI_OPT_ECN;
	if (tcp->flags & US_TCP_SYN_DATA)
		info->tcpi_options |= TCPI_OPT_SYN_DATA;
	if (tcp->ecn & US_TCP_ECN_SEEN)
		info->tcpi_options |= TCPI_OPT_ECN_SEEN;
}

static void fill_base_active(const struct us_tcp *tcp, struct tcp_info *info)
{
	const struct us_tcp_active *a = tcp->active;

	info->tcpi_ca_state = a->ca_state == TCP_CA_Open && a->sacked ? TCP_CA_Disorder :
			      a->ca_state;
	info->tcpi_rcv_mss = a->rcv_mss;
	info->tcpi_sacked = segments(tcp, a->sacked);
	info->tcpi_lost = segments(tcp, a->lost);
	info->tcpi_retrans = segments(tcp, a->retrans);
	info->tcpi_snd_cwnd = whole_segments(tcp, a->cwnd);
	info->tcpi_reordering = US_TCP_DUP_THRESH;
	if (us_tcp_timer_armed(tcp, US_TCP_TIMER_PERSIST))
		info->tcpi_probes = tcp->retries;
}

static void fill_base(const struct us_tcp *tcp, struct tcp_info *info)
{
	info->tcpi_state = tcp->state;
	info->tcpi_retransmits = tcp->retries;
	info->tcpi_backoff = tcp->retries;
	info->tcpi_rto = microseconds(us_tcp_rto(tcp));
	info->tcpi_ato = microseconds(US_TCP_DELACK);
	info->tcpi_snd_mss = tcp->mss;
	info->tcpi_advmss = tcp->adv_mss - (tcp->flags & US_TCP_TS ? 12 : 0);
	info->tcpi_unacked = segments(tcp, us_tcp_in_flight(tcp));
	info->tcpi_last_data_sent = since(tcp, tcp->active ? tcp->active->last_snd :
						       tcp->last_rcv);
	info->tcpi_last_data_recv = since_data(tcp);
	info->tcpi_last_ack_recv = since(tcp, tcp->last_rcv);
	info->tcpi_pmtu = tcp->dst.mtu;
	info->tcpi_rcv_ssthresh = us_tcp_rcv_wnd(tcp);
	info->tcpi_rcv_space = tcp->rcvbuf;
	info->tcpi_rtt = microseconds(tcp->srtt >> 3);
	info->tcpi_rttvar = microseconds(tcp->rttvar >> 2);
	info->tcpi_snd_ssthresh = tcp->ssthresh == US_TCP_SSTHRESH_INF ?
				  INT32_MAX : whole_segments(tcp, tcp->ssthresh);
	info->tcpi_snd_cwnd = US_TCP_INITIAL_WINDOW;
	info->tcpi_total_retrans = tcp->total_retrans;
	fill_options(tcp, info);
	if (tcp->active)
		fill_base_active(tcp, info);
}

static uint64_t limited_for(const struct us_tcp *tcp, enum us_tcp_limit limit)
{
	const struct us_tcp_totals *t = &tcp->active->totals;
	uint64_t usec = t->limited[limit];

	if (t->limit == limit)
		usec += us_tcp_usec(tcp->table->stack) - t->limit_at;
	return (usec << US_TCP_USEC_SHIFT) / 1000;
}

static void fill_times(const struct us_tcp *tcp, struct us_tcp_info *info)
{
	const struct us_tcp_totals *t = &tcp->active->totals;

	info->rwnd_limited = limited_for(tcp, US_TCP_LIMIT_PEER);
	info->sndbuf_limited = limited_for(tcp, US_TCP_LIMIT_SENDER);
	info->busy_time = limited_for(tcp, US_TCP_LIMIT_PATH) + info->rwnd_limited +
			  info->sndbuf_limited;
	info->total_rto = t->rtos;
	info->total_rto_recoveries = t->rto_times;
	info->total_rto_time = milliseconds(t->rto_ticks);
}

static void fill_rates(const struct us_tcp *tcp, struct us_tcp_info *info)
{
	const struct us_tcp_active *a = tcp->active;

	info->pacing_rate = a->pacing_rate ? a->pacing_rate : UINT64_MAX;
	info->min_rtt = a->min_rtt == UINT32_MAX ? UINT32_MAX : microseconds(a->min_rtt);
	if (a->totals.rate_usec)
		info->delivery_rate = (uint64_t)a->totals.rate_bytes * US_SEC /
				      ((uint64_t)a->totals.rate_usec << US_TCP_USEC_SHIFT);
	((uint8_t *)&info->base)[APP_LIMITED_AT] |= a->app_limited;
}

/* us_tcp_active.delivered is for differences: it goes round after 4 GiB. */
static uint32_t delivered(const struct us_tcp *tcp)
{
	uint64_t bytes = tcp->bytes_acked;

	if (tcp->flags & US_TCP_SACK)
		bytes += tcp->active->sacked;
	return (uint32_t)((bytes + tcp->mss - 1) / tcp->mss);
}

static void fill_totals(const struct us_tcp *tcp, struct us_tcp_info *info)
{
	const struct us_tcp_active *a = tcp->active;
	const struct us_tcp_totals *t = &a->totals;

	info->segs_in = t->segs_in;
	info->segs_out = t->segs_out;
	info->data_segs_in = t->data_in;
	info->data_segs_out = t->data_out;
	info->bytes_sent = t->bytes_sent;
	info->bytes_retrans = t->bytes_retrans;
	info->notsent_bytes = a->snd_end - us_seq_min(tcp->snd_nxt, a->snd_end);
	info->delivered = delivered(tcp);
	info->delivered_ce = t->delivered_ce;
	info->dsack_dups = t->dsacks;
	info->reord_seen = a->reordering_seen;
	info->rcv_ooopack = t->ooo;
}

/**
 * us_tcp_count_active() - adds what the active part has counted to the stack's counters
 * @tcp: the connection.
 * @counter: by enum us_counter.
 */
void us_tcp_count_active(const struct us_tcp *tcp, uint64_t *counter)
{
	const struct us_tcp_totals *t;

	if (!tcp->active)
		return;
	t = &tcp->active->totals;
	counter[US_COUNT_tcp_data_segs_in] += t->data_in;
	counter[US_COUNT_tcp_data_segs_out] += t->data_out;
	counter[US_COUNT_tcp_bytes_sent] += t->bytes_sent;
	counter[US_COUNT_tcp_bytes_retransmit] += t->bytes_retrans;
}

/**
 * us_tcp_count_all() - adds all that a connection has counted itself
 * @tcp: the connection.
 * @counter: by enum us_counter.
 */
void us_tcp_count_all(const struct us_tcp *tcp, uint64_t *counter)
{
	us_tcp_count_active(tcp, counter);
	counter[US_COUNT_tcp_bytes_acked] += tcp->bytes_acked;
	counter[US_COUNT_tcp_bytes_received] += tcp->bytes_received;
}

/**
 * us_tcp_count_living() - adds what all connections have counted themselves
 * @stack: the stack.
 * @counter: a copy of the stack's, which have that of connections which ended.
 */
void us_tcp_count_living(const struct us_stack *stack, uint64_t *counter)
{
	const struct us_tcp_table *table = stack->tcp;
	const struct us_tcp *tcp;
	uint32_t i;

	for (i = 0; i <= table->mask; i++)
		for (tcp = table->hash[i]; tcp; tcp = tcp->hash_next)
			us_tcp_count_all(tcp, counter);
}

/**
 * us_tcp_limited_still() - counts for how long it was held up so far
 * @tcp: active; called once a second, for usec go round in 73 minutes.
 */
void us_tcp_limited_still(struct us_tcp *tcp)
{
	uint32_t now = us_tcp_usec(tcp->table->stack);
	struct us_tcp_totals *t = &tcp->active->totals;

	t->limited[t->limit] += now - t->limit_at;
	t->limit_at = now;
}

/**
 * us_tcp_limited_by() - what holds the connection up, from now on
 * @tcp: active.
 * @limit: that.
 */
void us_tcp_limited_by(struct us_tcp *tcp, enum us_tcp_limit limit)
{
	struct us_tcp_totals *t = &tcp->active->totals;

	if (us_likely(t->limit == limit))
		return;
	us_tcp_limited_still(tcp);
	t->limit = (uint8_t)limit;
}

/**
 * us_tcp_info() - reads what getsockopt(TCP_INFO) tells
 * @tcp: the connection.
 * @info: filled in.
 */
void us_tcp_info(const struct us_tcp *tcp, struct us_tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	fill_base(tcp, &info->base);
	info->max_pacing_rate = tcp->max_pacing == US_TCP_PACING_MAX ? UINT64_MAX :
				tcp->max_pacing;
	info->bytes_acked = tcp->bytes_acked;
	info->bytes_received = tcp->bytes_received;
	info->snd_wnd = tcp->snd_wnd;
	info->rcv_wnd = us_tcp_rcv_wnd(tcp);
	info->pacing_rate = UINT64_MAX;
	info->min_rtt = UINT32_MAX;
	if (!tcp->active)
		return;
	fill_totals(tcp, info);
	fill_times(tcp, info);
	fill_rates(tcp, info);
}

/**
 * us_tcp_listen_info() - reads what getsockopt(TCP_INFO) tells of a listening socket
 * @listener: the listener.
 * @info: filled in; as in Linux two fields tell of the accept queue.
 */
void us_tcp_listen_info(const struct us_tcp_listener *listener, struct us_tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	info->base.tcpi_state = TCP_LISTEN;
	info->base.tcpi_unacked = listener->nr_accept;
	info->base.tcpi_sacked = listener->backlog;
}
