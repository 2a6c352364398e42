// SPDX-License-Identifier: MIT
/* Congestion control: the table, and what is the same for all. */
#include "transport/tcp_parts.h"

/* One row a congestion control; the first is the default. */
static const struct us_tcp_cc *const table[] = {
	&us_tcp_cc_cubic,
	&us_tcp_cc_newreno,
	&us_tcp_cc_bbr,
};

#define ROWS	(sizeof(table) / sizeof(table[0]))

/**
 * us_tcp_cc_find() - a congestion control by its name
 * @name: as in TCP_CONGESTION.
 *
 * Return: its row, -ENOENT if there is none of that name.
 */
int us_tcp_cc_find(const char *name)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (!strcmp(table[i]->name, name))
			return (int)i;
	return -ENOENT;
}

/**
 * us_tcp_cc_name() - the name of a row
 * @cc: from us_tcp_cc_find() or us_tcp_cc_default().
 */
const char *us_tcp_cc_name(uint8_t cc)
{
	return table[cc]->name;
}

/**
 * us_tcp_cc_default() - the row that new sockets begin with
 * @stack: the stack.
 */
uint8_t us_tcp_cc_default(const struct us_stack *stack)
{
	return stack->tcp->cc;
}

/**
 * us_tcp_cc_set_default() - what new sockets begin with
 * @stack: the stack.
 * @cc: from us_tcp_cc_find().
 */
void us_tcp_cc_set_default(struct us_stack *stack, uint8_t cc)
{
	stack->tcp->cc = cc;
}

/**
 * us_tcp_cc_select() - gives a connection another congestion control
 * @tcp: the connection; goes on with the window that it has.
 * @cc: its row.
 */
void us_tcp_cc_select(struct us_tcp *tcp, uint8_t cc)
{
	struct us_tcp_active *a = tcp->active;

	if (tcp->cc == cc)
		return;
	tcp->cc = cc;
	if (!a)
		return;
	a->cc = table[cc];
	a->undo_cwnd = 0;
	a->cc->init(tcp);
	us_tcp_pace_update(tcp);
}

/**
 * us_tcp_cc_info() - what getsockopt(TCP_CC_INFO) tells
 * @tcp: the connection.
 * @info: filled in; all zero if there is nothing to tell.
 */
void us_tcp_cc_info(const struct us_tcp *tcp, struct us_tcp_cc_info *info)
{
	memset(info, 0, sizeof(*info));
	if (tcp->active && tcp->active->cc->info)
		tcp->active->cc->info(tcp, info);
}

/**
 * us_tcp_initial_window() - RFC 6928
 * @tcp: the connection.
 *
 * Return: bytes.
 */
uint32_t us_tcp_initial_window(const struct us_tcp *tcp)
{
	return (uint32_t)US_TCP_INITIAL_WINDOW * tcp->mss;
}

/**
 * us_tcp_cc_init() - sets the congestion window of a connection that begins,
 *	or begins anew after having been idle
 * @tcp: active; ssthresh is what it was.
 *
 * One segment if SYNs were lost: one alone may have been late (RFC 6928 2); what it had, if
 * it had been active before (RFC 7661), which is paced until ACKs come.
 */
void us_tcp_cc_init(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->cwnd = us_tcp_initial_window(tcp);
	if ((tcp->flags & US_TCP_SYN_LOST) && tcp->total_retrans > 1)
		a->cwnd = tcp->mss;
	else if (tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECV)
		a->cwnd = us_tcp_cwv_idle(tcp);
	tcp->flags &= ~US_TCP_SYN_LOST;
	us_tcp_cwv_reset(tcp);
	a->cc = table[tcp->cc];
	a->pace_end = tcp->snd_una;
	a->cc->init(tcp);
	us_tcp_pace_update(tcp);
	us_tcp_pace_restart(tcp);
}
