// SPDX-License-Identifier: MIT
/* Congestion control: the table, and what is the same for all. */
#include "transport/tcp_parts.h"

/* One row a congestion control; the first is the default. */
static const struct us_tcp_cc *const table[] = {
	&us_tcp_cc_newreno,
};

/**
 * us_tcp_cc_find() - a congestion control by its name
 * @name: or NULL for the default.
 *
 * Return: NULL if there is none of that name.
 */
const struct us_tcp_cc *us_tcp_cc_find(const char *name)
{
	size_t i;

	if (!name)
		return table[0];
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i]->name, name))
			return table[i];
	return NULL;
}

static uint32_t initial_window(const struct us_tcp *tcp)
{
	return (uint32_t)US_TCP_INITIAL_WINDOW * tcp->mss;
}

/**
 * us_tcp_cc_init() - sets the congestion window of a connection that begins,
 *	or begins anew after having been idle
 * @tcp: active; ssthresh is what it was.
 *
 * One segment if the SYN was lost (RFC 5681 3.1).
 */
void us_tcp_cc_init(struct us_tcp *tcp)
{
	struct us_tcp_active *a = tcp->active;

	a->cwnd = initial_window(tcp);
	if (tcp->flags & US_TCP_SYN_LOST)
		a->cwnd = tcp->mss;
	tcp->flags &= ~US_TCP_SYN_LOST;
	a->cc = us_tcp_cc_find(NULL);
	a->cc->init(tcp);
}

/**
 * us_tcp_cc_idle() - nothing was sent for longer than an RTO (RFC 5681 4.1)
 * @tcp: active, nothing in flight.
 */
void us_tcp_cc_idle(struct us_tcp *tcp)
{
	tcp->active->cwnd = us_min32(tcp->active->cwnd, initial_window(tcp));
}
