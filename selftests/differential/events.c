// SPDX-License-Identifier: MIT
/* All that may happen in a script: calls, and what the peer and the wire do. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "side.h"

#define MSEC	1000000LL
#define FULL	(4u << 20)	/* no send queue is as long */

/* What a call gave: its value, or the error's name. */
static void tell(struct side *s, ssize_t result)
{
	int err = errno;

	if (result < 0)
		snprintf(s->text, sizeof(s->text), "%s", strerrorname_np(err));
	else
		snprintf(s->text, sizeof(s->text), "%zd", result);
}

union name {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t length_of(const union name *name)
{
	return name->sa.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

static union name name6(const char *address, uint16_t port)
{
	union name name = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };

	inet_pton(AF_INET6, address, &name.v6.sin6_addr);
	return name;
}

/* An address of IPv4, as sockets of the side have it. */
static union name name_of(const struct side *s, const char *address, uint16_t port)
{
	union name name = { .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
	char mapped[INET6_ADDRSTRLEN];

	snprintf(mapped, sizeof(mapped), "::ffff:%s", address);
	if (s->domain == AF_INET6)
		return name6(mapped, port);
	inet_pton(AF_INET, address, &name.v4.sin_addr);
	return name;
}

/* -------------------------------------------------------------------- opening */

/**
 * side_listen() - the subject waits for the peer
 * @s: the side.
 * @arg: backlog.
 */
void side_listen(struct side *s, uint32_t arg)
{
	union name name = s->domain == AF_INET ? name_of(s, SUBJECT_ADDRESS, s->port) :
						 name6("::", s->port);

	s->peer.to_port = s->port;
	s->listener = s->subject->socket(s->domain, SOCK_STREAM);
	if (s->subject->bind(s->listener, &name.sa, length_of(&name)))
		tell(s, -1);
	else
		tell(s, s->subject->listen(s->listener, (int)arg));
}

/**
 * side_connect() - the subject connects to the peer
 * @s: the side.
 * @arg: not used.
 */
void side_connect(struct side *s, uint32_t arg)
{
	union name name = name_of(s, PEER_ADDRESS, s->peer.port);

	(void)arg;
	if (s->conn < 0)
		s->conn = s->subject->socket(s->domain, SOCK_STREAM);
	tell(s, s->subject->connect(s->conn, &name.sa, length_of(&name)));
}

/* There is no way. */
static void call_connect6(struct side *s, uint32_t arg)
{
	union name name = name6("2001:db8::2", s->peer.port);

	(void)arg;
	tell(s, s->subject->connect(s->conn, &name.sa, length_of(&name)));
}

static void call_accept(struct side *s, uint32_t arg)
{
	(void)arg;
	s->conn = s->subject->accept(s->listener);
	tell(s, s->conn < 0 ? -1 : 0);
}

static void call_unlisten(struct side *s, uint32_t arg)
{
	(void)arg;
	tell(s, s->subject->close(s->listener));
	s->listener = -1;
}

static void call_listen(struct side *s, uint32_t arg)
{
	tell(s, s->subject->listen(s->conn, (int)arg));
}

static void call_accept_conn(struct side *s, uint32_t arg)
{
	(void)arg;
	tell(s, s->subject->accept(s->conn));
}

static void call_bind(struct side *s, uint32_t arg)
{
	union name name = name_of(s, SUBJECT_ADDRESS, 30000);

	(void)arg;
	tell(s, s->subject->bind(s->conn, &name.sa, length_of(&name)));
}

/* Without the port, which may be any. */
static void tell_name(struct side *s, const union name *name, socklen_t length)
{
	bool v4 = name->sa.sa_family == AF_INET;

	inet_ntop(name->sa.sa_family, v4 ? (const void *)&name->v4.sin_addr :
					   (const void *)&name->v6.sin6_addr,
		  s->text, sizeof(s->text));
	if (length != length_of(name))
		strcat(s->text, " of a wrong length");
}

static void call_own_name(struct side *s, uint32_t arg)
{
	union name name = { 0 };
	socklen_t length = sizeof(name);

	(void)arg;
	if (s->subject->getsockname(s->conn, &name.sa, &length))
		tell(s, -1);
	else
		tell_name(s, &name, length);
}

static void call_peer_name(struct side *s, uint32_t arg)
{
	union name name = { 0 };
	socklen_t length = sizeof(name);

	(void)arg;
	if (s->subject->getpeername(s->conn, &name.sa, &length)) {
		tell(s, -1);
		return;
	}
	tell_name(s, &name, length);
	if (ntohs(name.v4.sin_port) != s->peer.port)	/* at the same place in both */
		strcat(s->text, " and a wrong port");
}

/* ----------------------------------------------------------------------- data */

static void send_bytes(struct side *s, uint32_t length, int flags)
{
	static uint8_t data[8192];
	uint32_t i;
	ssize_t n;

	for (i = 0; i < length; i++)
		data[i] = stream_byte(1 + s->written + i);
	n = s->subject->send(s->conn, data, length, flags);
	s->written += n > 0 ? (uint32_t)n : 0;
	if (s->full && (n > 0 || (n < 0 && errno == EAGAIN)))
		strcpy(s->text, "as much as fits");
	else
		tell(s, n);
}

static void call_send(struct side *s, uint32_t arg)
{
	send_bytes(s, arg, 0);
}

static void call_send_more(struct side *s, uint32_t arg)
{
	send_bytes(s, arg, MSG_MORE);
	peer_settle(&s->peer, 3000 * MSEC);	/* when it leaves is not compared */
}

static void call_send_nothing(struct side *s, uint32_t arg)
{
	(void)arg;
	send_bytes(s, 0, 0);
}

/* How much fits is each one's own affair; what comes then is not. */
static void call_fill(struct side *s, uint32_t arg)
{
	uint32_t begin = s->written, before;

	(void)arg;
	s->full = true;
	do {
		before = s->written;
		send_bytes(s, 4096, 0);
	} while (s->written != before && s->written - begin < FULL);
}

static void recv_bytes(struct side *s, uint32_t length, int flags)
{
	static uint8_t data[65536];
	bool good = true;
	ssize_t n, i;

	n = s->subject->recv(s->conn, data, length, flags);
	tell(s, n);
	for (i = 0; i < n && !(flags & MSG_TRUNC); i++)
		good = good && data[i] == stream_byte(1 + s->read + (uint32_t)i);
	if (!good)
		strcat(s->text, " of wrong bytes");
	s->read += n > 0 && !(flags & MSG_PEEK) ? (uint32_t)n : 0;
}

static void call_recv(struct side *s, uint32_t arg)
{
	recv_bytes(s, arg, 0);
}

static void call_recv_all(struct side *s, uint32_t arg)
{
	(void)arg;
	recv_bytes(s, 65536, 0);
}

static void call_recv_nothing(struct side *s, uint32_t arg)
{
	(void)arg;
	recv_bytes(s, 0, 0);
}

static void call_recv_whole(struct side *s, uint32_t arg)
{
	recv_bytes(s, arg, MSG_WAITALL | MSG_DONTWAIT);
}

static void call_peek(struct side *s, uint32_t arg)
{
	recv_bytes(s, arg, MSG_PEEK);
}

static void call_discard(struct side *s, uint32_t arg)
{
	recv_bytes(s, arg, MSG_TRUNC);
}

static void call_recv_urgent(struct side *s, uint32_t arg)
{
	uint8_t byte;

	(void)arg;
	tell(s, s->subject->recv(s->conn, &byte, 1, MSG_OOB));
}

/* ---------------------------------------------------------- the rest of calls */

static void call_shut_read(struct side *s, uint32_t arg)
{
	(void)arg;
	tell(s, s->subject->shutdown(s->conn, SHUT_RD));
}

static void call_shut_write(struct side *s, uint32_t arg)
{
	(void)arg;
	tell(s, s->subject->shutdown(s->conn, SHUT_WR));
}

static void call_shut_both(struct side *s, uint32_t arg)
{
	(void)arg;
	tell(s, s->subject->shutdown(s->conn, SHUT_RDWR));
}

static void call_shut_listener(struct side *s, uint32_t arg)
{
	tell(s, s->subject->shutdown(s->listener, (int)arg - 1));
}

static void call_close(struct side *s, uint32_t arg)
{
	(void)arg;
	tell(s, s->subject->close(s->conn));
	s->conn = -1;
}

static void call_abort(struct side *s, uint32_t arg)
{
	struct linger linger = { .l_onoff = 1 };

	s->subject->setsockopt(s->conn, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	call_close(s, arg);
}

static void call_disconnect(struct side *s, uint32_t arg)
{
	struct sockaddr name = { .sa_family = AF_UNSPEC };

	(void)arg;
	tell(s, s->subject->connect(s->conn, &name, sizeof(name)));
}

static void call_error(struct side *s, uint32_t arg)
{
	int value = -1;
	socklen_t length = sizeof(value);

	(void)arg;
	if (s->subject->getsockopt(s->conn, SOL_SOCKET, SO_ERROR, &value, &length))
		tell(s, -1);
	else
		snprintf(s->text, sizeof(s->text), "%s", value ? strerrorname_np(value) : "0");
}

static void set_number(struct side *s, int level, int option, int value)
{
	tell(s, s->subject->setsockopt(s->conn, level, option, &value, sizeof(value)));
}

static void call_v6only(struct side *s, uint32_t arg)
{
	set_number(s, IPPROTO_IPV6, IPV6_V6ONLY, (int)arg - 1);
}

static void call_tos(struct side *s, uint32_t arg)
{
	set_number(s, IPPROTO_IP, IP_TOS, (int)arg);
}

static void call_tclass(struct side *s, uint32_t arg)
{
	set_number(s, IPPROTO_IPV6, IPV6_TCLASS, (int)arg);
}

static void get_number(struct side *s, int level, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);
	int result = s->subject->getsockopt(s->conn, level, option, &value, &length);

	tell(s, result < 0 ? -1 : value);
}

static void call_is_v6only(struct side *s, uint32_t arg)
{
	(void)arg;
	get_number(s, IPPROTO_IPV6, IPV6_V6ONLY);
}

static void call_unread(struct side *s, uint32_t arg)
{
	int value = -1;
	int result = s->subject->ioctl(s->conn, SIOCINQ, &value);

	(void)arg;
	tell(s, result < 0 ? -1 : value);
}

static void call_unacked(struct side *s, uint32_t arg)
{
	int value = -1;
	int result = s->subject->ioctl(s->conn, SIOCOUTQ, &value);

	(void)arg;
	tell(s, result < 0 ? -1 : value);
}

/* ------------------------------------------------------------------- the peer */

static void peer_opens(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_send(&s->peer, TH_SYN, 0, 0, 0);
	s->peer.next = 1;
}

static void peer_answers(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_send(&s->peer, TH_SYN | TH_ACK, 0, 0, 1);
	s->peer.next = 1;
}

/* Both at once: a SYN, though it has seen one. */
static void peer_crosses(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_send(&s->peer, TH_SYN, 0, 0, 0);
	s->peer.next = 1;
}

static void peer_refuses(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_send(&s->peer, TH_RST | TH_ACK, s->peer.next, 0, s->peer.seen);
}

static void peer_data(struct side *s, uint32_t arg)
{
	peer_new(&s->peer, 0, arg);
}

static void peer_gap(struct side *s, uint32_t arg)
{
	s->peer.hole = s->peer.next;
	s->peer.next += arg;
	s->peer.hole_end = s->peer.next;
}

static void peer_lost_fin(struct side *s, uint32_t arg)
{
	peer_gap(s, arg);
	s->peer.fin_at = s->peer.next++;
	s->peer.hole_end = s->peer.next;
}

static void peer_heals(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_heal(&s->peer);
}

static void peer_again(struct side *s, uint32_t arg)
{
	struct peer *p = &s->peer;
	uint32_t end = p->fin_at ? p->fin_at : p->next;
	uint32_t old = arg < end - 1 ? arg : end - 1;

	peer_send(p, TH_ACK, end - old, old, p->seen);
}

static void peer_overlaps(struct side *s, uint32_t arg)
{
	struct peer *p = &s->peer;
	uint32_t old = arg < p->next - 1 ? arg : p->next - 1;

	peer_send(p, TH_ACK, p->next - old, old + arg, p->seen);
	p->next += arg;
}

static void peer_beyond(struct side *s, uint32_t arg)
{
	peer_send(&s->peer, TH_ACK, s->peer.next + 200000, arg, s->peer.seen);
}

static void peer_fin(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_new(&s->peer, TH_FIN, 0);
}

static void peer_data_fin(struct side *s, uint32_t arg)
{
	peer_new(&s->peer, TH_FIN, arg);
}

static void peer_fin_again(struct side *s, uint32_t arg)
{
	(void)arg;
	if (s->peer.fin_at)
		peer_send(&s->peer, TH_ACK | TH_FIN, s->peer.fin_at, 0, s->peer.seen);
}

/* A FIN is the end, and yet... */
static void peer_behind_fin(struct side *s, uint32_t arg)
{
	peer_send(&s->peer, TH_ACK, s->peer.next, arg, s->peer.seen);
}

static void peer_resets(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_send(&s->peer, TH_RST | TH_ACK, s->peer.next, 0, s->peer.seen);
}

static void peer_resets_near(struct side *s, uint32_t arg)
{
	peer_send(&s->peer, TH_RST, s->peer.next + arg, 0, 0);
}

static void peer_resets_far(struct side *s, uint32_t arg)
{
	peer_send(&s->peer, TH_RST, s->peer.next + 200000 + arg, 0, 0);
}

static void peer_syn_again(struct side *s, uint32_t arg)
{
	peer_send(&s->peer, TH_SYN, s->peer.next + arg, 0, 0);
}

static void peer_acks(struct side *s, uint32_t arg)
{
	(void)arg;
	peer_ack(&s->peer);
}

static void peer_acks_much(struct side *s, uint32_t arg)
{
	peer_send(&s->peer, TH_ACK, s->peer.next, 0, s->peer.seen + 1000000 + arg);
}

static void peer_no_ack_flag(struct side *s, uint32_t arg)
{
	peer_send(&s->peer, 0, s->peer.next, arg, 0);
}

/* ------------------------------------------------- the wire and a slow reader */

static void wire_loses(struct side *s, uint32_t arg)
{
	s->peer.lose = arg;
}

static void wire_deaf(struct side *s, uint32_t arg)
{
	(void)arg;
	s->peer.deaf = true;
}

static void peer_mute(struct side *s, uint32_t arg)
{
	(void)arg;
	s->peer.mute = true;
}

static void peer_closes_window(struct side *s, uint32_t arg)
{
	(void)arg;
	s->peer.window = 0;
	peer_ack(&s->peer);
}

static void peer_small_window(struct side *s, uint32_t arg)
{
	s->peer.window = (uint16_t)arg;
	peer_ack(&s->peer);
}

static void time_passes(struct side *s, uint32_t arg)
{
	peer_settle(&s->peer, arg * MSEC);
}

/* All is delivered that is still on its way. */
static void all_arrives(struct side *s, uint32_t arg)
{
	struct peer *p = &s->peer;

	(void)arg;
	s->full = p->deaf = p->mute = false;
	p->lose = 0;
	p->window = PEER_WINDOW;
	peer_heal(p);
	peer_ack(p);
	peer_settle(p, 100000 * MSEC);	/* timers of 60 s, too */
	peer_ack(p);
}

struct event events[] = {
	{ "accept", 8, NEED_NO_CONN | NEED_LISTENER, 1, call_accept, 0 },
	{ "close the listener", 1, NEED_LISTENER, 1, call_unlisten, 0 },
	{ "shutdown the listener", 1, NEED_LISTENER, 3, call_shut_listener, 0 },
	{ "connect", 2, NEED_CONN, 1, side_connect, 0 },
	{ "disconnect", 1, NEED_CONN, 1, call_disconnect, 0 },
	{ "listen", 1, NEED_CONN, 4, call_listen, 0 },
	{ "accept by what does not listen", 1, NEED_CONN, 1, call_accept_conn, 0 },
	{ "bind", 1, NEED_CONN, 1, call_bind, 0 },
	{ "connect to IPv6", 1, NEED_CONN, 1, call_connect6, 0 },
	{ "getsockname", 1, NEED_CONN, 1, call_own_name, 0 },
	{ "getpeername", 2, NEED_CONN, 1, call_peer_name, 0 },
	{ "send", 16, NEED_CONN, 3000, call_send, 0 },
	{ "send MSG_MORE", 2, NEED_CONN, 3000, call_send_more, 0 },
	{ "send of nothing", 1, NEED_CONN, 1, call_send_nothing, 0 },
	{ "send till it is full", 2, NEED_CONN | NEED_LOSS, 1, call_fill, 0 },
	{ "recv", 10, NEED_CONN, 2000, call_recv, 0 },
	{ "recv all", 8, NEED_CONN, 1, call_recv_all, 0 },
	{ "recv of nothing", 1, NEED_CONN, 1, call_recv_nothing, 0 },
	{ "recv MSG_WAITALL", 3, NEED_CONN, 2000, call_recv_whole, 0 },
	{ "recv MSG_PEEK", 4, NEED_CONN, 2000, call_peek, 0 },
	{ "recv MSG_TRUNC", 2, NEED_CONN, 2000, call_discard, 0 },
	{ "recv MSG_OOB", 1, NEED_CONN, 1, call_recv_urgent, 0 },
	{ "shutdown SHUT_RD", 2, NEED_CONN, 1, call_shut_read, 0 },
	{ "shutdown SHUT_WR", 4, NEED_CONN, 1, call_shut_write, 0 },
	{ "shutdown SHUT_RDWR", 1, NEED_CONN, 1, call_shut_both, 0 },
	{ "close", 4, NEED_CONN, 1, call_close, 0 },
	{ "close, SO_LINGER 0", 1, NEED_CONN, 1, call_abort, 0 },
	{ "SO_ERROR", 4, NEED_CONN, 1, call_error, 0 },
	{ "set IPV6_V6ONLY", 1, NEED_CONN, 2, call_v6only, 0 },
	{ "IPV6_V6ONLY", 1, NEED_CONN, 1, call_is_v6only, 0 },
	{ "IP_TOS", 1, NEED_CONN, 300, call_tos, 0 },
	{ "IPV6_TCLASS", 1, NEED_CONN, 300, call_tclass, 0 },
	{ "SIOCINQ", 3, NEED_CONN, 1, call_unread, 0 },
	{ "SIOCOUTQ", 3, NEED_CONN, 1, call_unacked, 0 },

	{ "the peer: SYN", 30, NEED_LISTENER | NEED_NO_SYN, 1, peer_opens, 0 },
	{ "the peer: SYN-ACK", 20, NEED_HEARD | NEED_NO_SYN, 1, peer_answers, 0 },
	{ "the peer: crossing SYN", 4, NEED_HEARD | NEED_NO_SYN, 1, peer_crosses, 0 },
	{ "the peer: RST, with ACK", 2, NEED_HEARD | NEED_NO_SYN, 1, peer_refuses, 0 },
	{ "the peer: data", 24, NEED_OPEN | NEED_NO_FIN, 1460, peer_data, 0 },
	{ "the peer: data that is lost", 5, NEED_OPEN | NEED_NO_FIN | NEED_NO_HOLE, 1460,
	  peer_gap, 0 },
	{ "the peer: data and FIN that are lost", 1,
	  NEED_OPEN | NEED_NO_FIN | NEED_NO_HOLE, 1000, peer_lost_fin, 0 },
	{ "the peer: it again", 10, NEED_OPEN, 1, peer_heals, 0 },
	{ "the peer: old data", 3, NEED_OPEN, 1460, peer_again, 0 },
	{ "the peer: old and new data", 3, NEED_OPEN | NEED_NO_FIN, 700, peer_overlaps, 0 },
	{ "the peer: data beyond the window", 1, NEED_OPEN, 1460, peer_beyond, 0 },
	{ "the peer: FIN", 4, NEED_OPEN | NEED_NO_FIN, 1, peer_fin, 0 },
	{ "the peer: data and FIN", 2, NEED_OPEN | NEED_NO_FIN, 1460, peer_data_fin, 0 },
	{ "the peer: FIN again", 1, NEED_OPEN, 1, peer_fin_again, 0 },
	{ "the peer: data behind FIN", 1, NEED_OPEN | NEED_FIN, 1460, peer_behind_fin, 0 },
	{ "the peer: RST", 2, NEED_OPEN, 1, peer_resets, 0 },
	{ "the peer: RST in the window", 1, NEED_OPEN, 1000, peer_resets_near, 0 },
	{ "the peer: RST beyond the window", 1, NEED_OPEN, 1000, peer_resets_far, 0 },
	{ "the peer: SYN in the window", 1, NEED_OPEN | NEED_NO_NEW, 1000, peer_syn_again, 0 },
	{ "the peer: ACK", 2, NEED_OPEN, 1, peer_acks, 0 },
	{ "the peer: ACK of what was not sent", 1, NEED_OPEN, 1000, peer_acks_much, 0 },
	{ "the peer: data without ACK", 1, NEED_OPEN, 1000, peer_no_ack_flag, 0 },

	{ "the wire loses", 6, NEED_OPEN | NEED_LOSS, 3, wire_loses, 0 },
	{ "the wire loses all", 2, NEED_OPEN | NEED_LOSS, 1, wire_deaf, 0 },
	{ "the peer: no ACKs", 3, NEED_OPEN | NEED_LOSS, 1, peer_mute, 0 },
	{ "the peer: closes the window", 3, NEED_OPEN | NEED_LOSS, 1, peer_closes_window, 0 },
	{ "the peer: small window", 2, NEED_OPEN | NEED_LOSS, 2000, peer_small_window, 0 },
	{ "time passes", 2, 0, 3000, time_passes, 0 },
	{ "all arrives", 5, NEED_OPEN | NEED_LOSS, 1, all_arrives, 0 },
};

const unsigned int event_count = sizeof(events) / sizeof(events[0]);
