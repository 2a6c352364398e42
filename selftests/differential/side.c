// SPDX-License-Identifier: MIT
/* One side of a script: how it begins and ends, and what is looked at in between. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "side.h"

/**
 * side_start() - begins a script
 * @s: the side.
 * @subject: of it.
 * @domain: AF_INET or AF_INET6.
 * @port: of both ends.
 *
 * Return: did it start?
 */
bool side_start(struct side *s, const struct subject *subject, int domain, uint16_t port)
{
	*s = (struct side){
		.subject = subject, .domain = domain, .port = port, .listener = -1, .conn = -1,
		.peer = { .subject = subject, .port = port, .window = PEER_WINDOW },
	};
	return subject->start();
}

/**
 * side_stop() - ends a script
 * @s: the side.
 */
void side_stop(struct side *s)
{
	const struct linger linger = { .l_onoff = 1 };

	if (s->conn >= 0) {
		s->subject->setsockopt(s->conn, SOL_SOCKET, SO_LINGER, &linger,
				       sizeof(linger));
		s->subject->close(s->conn);
	}
	if (s->listener >= 0)
		s->subject->close(s->listener);
	if (s->peer.syn)
		peer_send(&s->peer, TH_RST | TH_ACK, s->peer.heard, 0, s->peer.seen);
	peer_settle(&s->peer, 1000000);
	s->subject->stop();
}

/**
 * side_state() - the state of a socket
 * @s: the side.
 * @fd: of it; -1: TCP_CLOSE.
 */
uint8_t side_state(const struct side *s, int fd)
{
	struct tcp_info info = { .tcpi_state = TCP_CLOSE };
	socklen_t length = sizeof(info);

	if (fd >= 0)
		s->subject->getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	return info.tcpi_state;
}

/**
 * side_can() - may an event happen?
 * @s: the side.
 * @need: of the event; NEED_LOSS is for the script to know.
 */
bool side_can(const struct side *s, unsigned int need)
{
	unsigned int have = (s->conn >= 0 ? NEED_CONN : NEED_NO_CONN) |
			    (s->listener >= 0 ? NEED_LISTENER : 0) |
			    (s->peer.syn ? NEED_HEARD : 0) |
			    (s->peer.hole == s->peer.hole_end ? NEED_NO_HOLE : 0) |
			    (s->peer.fin_at ? NEED_FIN : NEED_NO_FIN) | NEED_LOSS |
			    (s->peer.next ? NEED_OPEN : NEED_NO_SYN);

	if (!s->peer.syn)
		have &= ~(unsigned int)NEED_OPEN;
	if (s->listener < 0 || side_state(s, s->conn) != TCP_CLOSE)
		have |= NEED_NO_NEW;

	return !(need & ~have);
}

static void words(char *text, short revents)
{
	static const struct {
		short bit;
		const char *word;
	} bits[] = {
		{ POLLIN, " IN" }, { POLLOUT, " OUT" }, { POLLPRI, " PRI" },
		{ POLLERR, " ERR" }, { POLLHUP, " HUP" }, { POLLRDHUP, " RDHUP" },
	};
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (revents & bits[i].bit)
			strcat(text, bits[i].word);
}

/**
 * side_calls() - what calls tell of the sockets
 * @text: goes there.
 * @s: the side.
 */
void side_calls(char *text, const struct side *s)
{
	*text = 0;
	if (s->listener >= 0) {
		strcat(text, "listener:");
		words(text, s->subject->poll(s->listener));
	}
	if (s->conn < 0)
		return;
	sprintf(text + strlen(text), " state %u:", side_state(s, s->conn));
	words(text, s->subject->poll(s->conn));
}

/**
 * side_sights() - what the peer saw
 * @text: goes there.
 * @s: the side.
 * @loss: segments may have been held up.
 */
void side_sights(char *text, const struct side *s, bool loss)
{
	const struct peer *p = &s->peer;

	*text = 0;
	if (p->rst && loss) {	/* nothing tells what it overtook */
		strcpy(text, "RST");
		return;
	}
	if (p->syn && s->written + 1 == p->seen - p->fin)
		sprintf(text, "all of the stream, ");
	else if (p->syn)
		sprintf(text, "%u bytes, ", p->seen - 1 - p->fin);
	sprintf(text + strlen(text), "%s%s%s%u acknowledged", p->wrong ? "wrong, " : "",
		p->fin ? "FIN, " : "", p->rst ? "RST, " : "", p->heard);
}
