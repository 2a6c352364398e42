// SPDX-License-Identifier: MIT
/* Where ustack and Linux differ on purpose (Documentation/tcp.rst says so, too): there
 * these events do not happen.
 */
#include <netinet/tcp.h>
#include <string.h>

#include "side.h"

static bool is_closed(const struct side *s)
{
	return side_state(s, s->conn) == TCP_CLOSE;
}

static bool listens_no_more(const struct side *s)
{
	return side_state(s, s->listener) == TCP_CLOSE;
}

/* In FIN-WAIT-1 or FIN-WAIT-2, by all that can be known. */
static bool is_orphan(const struct side *s)
{
	return s->conn < 0 && (!s->peer.fin_at || s->peer.hole != s->peer.hole_end);
}

static bool has_hole(const struct side *s)
{
	return s->peer.hole != s->peer.hole_end;
}

static bool holds_back(const struct side *s)
{
	const struct peer *p = &s->peer;

	return s->full || p->mute || p->deaf || p->lose || p->window != PEER_WINDOW ||
	       s->written + 1 + p->fin != p->seen;
}

static const char marks[] =
	"ENOTCONN of shutdown() changes nothing; Linux marks the socket all the same, and "
	"the next connect() of one that was connecting gives EINVAL";

static const char challenged[] =
	"challenged (RFC 5961) in FIN-WAIT-2, too; in Linux it ends a connection whose user "
	"is gone";

struct exception exceptions[] = {
	{ "shutdown SHUT_RD", is_closed, marks, 0 },
	{ "shutdown SHUT_WR", is_closed, marks, 0 },
	{ "shutdown SHUT_RDWR", is_closed, marks, 0 },
	{ "shutdown the listener", listens_no_more, marks, 0 },
	{ "getsockname", is_closed,
	  "who was accepted and is disconnected has no address; Linux leaves it its listener's",
	  0 },
	{ "SIOCOUTQ", is_closed,
	  "nothing waits in a closed connection; Linux tells what its numbers were left at", 0 },
	{ "SIOCOUTQ", holds_back, "how much fits into a queue is each one's own affair", 0 },
	{ "the peer: data behind FIN", has_hole,
	  "nothing is behind a FIN; Linux acknowledges it, if it came before the FIN's turn", 0 },
	{ "the peer: RST in the window", is_orphan, challenged, 0 },
	{ "the peer: SYN in the window", is_orphan, challenged, 0 },
};

const unsigned int exception_count = sizeof(exceptions) / sizeof(exceptions[0]);

/**
 * is_exception() - is an event one that the subjects take differently on purpose?
 * @event: it.
 * @s: the kernel's side.
 */
bool is_exception(const struct event *event, const struct side *s)
{
	unsigned int i;

	for (i = 0; i < exception_count; i++)
		if (!strcmp(exceptions[i].event, event->name) && exceptions[i].when(s)) {
			exceptions[i].count++;
			return true;
		}
	return false;
}
