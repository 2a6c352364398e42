/* SPDX-License-Identifier: MIT */
/* Packet scripts: socket calls and options, by name. */
#ifndef SELFTESTS_UNIT_SCRIPT_CALL_H
#define SELFTESTS_UNIT_SCRIPT_CALL_H

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "script_expect.h"

static const struct {
	const char *name;
	int value;
} script_errnos[] = {
	{ "EAGAIN", EAGAIN }, { "EPIPE", EPIPE }, { "ECONNRESET", ECONNRESET },
	{ "ECONNREFUSED", ECONNREFUSED }, { "ETIMEDOUT", ETIMEDOUT },
	{ "EINPROGRESS", EINPROGRESS }, { "EHOSTUNREACH", EHOSTUNREACH },
	{ "ENOTCONN", ENOTCONN }, { "EADDRINUSE", EADDRINUSE },
	{ "ENETUNREACH", ENETUNREACH }, { "EINVAL", EINVAL },
	{ "EPROTO", EPROTO }, { "EALREADY", EALREADY }, { "EISCONN", EISCONN },
	{ "EOPNOTSUPP", EOPNOTSUPP },
};

static const char *const script_polls[] = { "IN", "OUT", "HUP", "RDHUP", "ERR", "PRI" };
static const int script_poll_bits[] = { POLLIN, POLLOUT, POLLHUP, POLLRDHUP, POLLERR,
					POLLPRI };

/* The result of a call against "= N" or "= ERRNO"; errno counts if it is -1. */
static inline void script_result(struct script *s, const char *p, long result)
{
	long want = 0;
	size_t i;

	p = script_word(p, "=");
	if (!p) {
		if (result < 0)
			script_fail(s, "%s", strerror(errno));
		return;
	}
	for (i = 0; i < sizeof(script_errnos) / sizeof(script_errnos[0]); i++)
		if (script_word(p, script_errnos[i].name))
			want = -script_errnos[i].value;
	if (!want)
		want = script_number(s, &p);
	if (result < 0)
		result = -errno;
	if (result != want)
		script_fail(s, "the result is %ld (%s)", result,
			    result < 0 ? strerror((int)-result) : "good");
}

static inline void script_call_poll(struct script *s, const char *p)
{
	struct ustack_pollfd fd = { .socket = s->socket,
				    .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI };
	int want = 0;
	size_t i;

	ustack_pollsockets(s->stack, &fd, 1, 0);
	p = script_word(p, "=");
	while (p && *script_skip(p)) {
		const char *q = NULL;

		for (i = 0; i < 6 && !q; i++)
			if ((q = script_word(p, script_polls[i])))
				want |= script_poll_bits[i];
		p = q ? script_skip(q) : "";
		if (*p == '|')
			p++;
	}
	if (fd.revents != want)
		script_fail(s, "poll gives %#x, not %#x", (unsigned int)fd.revents,
			    (unsigned int)want);
}

static inline socklen_t script_name(const struct script *s, uint8_t host,
				    uint16_t port, struct sockaddr_storage *to)
{
	struct us_addr addr = script_addr(s, host);
	struct sockaddr_in6 *v6 = (void *)to;
	struct sockaddr_in *v4 = (void *)to;

	memset(to, 0, sizeof(*to));
	v4->sin_port = htons(port);	/* at the same place in both */
	if (s->six || s->mapped) {
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, addr.b, 16);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	memcpy(&v4->sin_addr, &addr.b[12], 4);
	return sizeof(*v4);
}

static inline void script_apply(const struct script *s, struct ustack_socket *socket)
{
	const int *o[] = { &s->options.sndbuf, &s->options.rcvbuf,
			   &s->options.keepalive, &s->options.nodelay,
			   &s->options.cork, &s->options.maxseg,
			   &s->options.user_timeout, &s->options.ecn,
			   &s->options.fastopen, &s->options.fastqueue };
	static const int level[] = { SOL_SOCKET, SOL_SOCKET, SOL_SOCKET,
				     IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,
				     IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,
				     IPPROTO_TCP };
	static const int opt[] = { SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
				   TCP_NODELAY, TCP_CORK, TCP_MAXSEG,
				   TCP_USER_TIMEOUT, USTACK_TCP_ECN,
				   TCP_FASTOPEN_CONNECT, TCP_FASTOPEN };
	size_t i;

	for (i = 0; i < sizeof(o) / sizeof(o[0]); i++)
		if (*o[i])
			ustack_setsockopt(socket, level[i], opt[i], o[i], sizeof(int));
}

static inline struct ustack_socket *script_socket(struct script *s)
{
	struct ustack_socket *socket = ustack_socket(s->stack, s->six || s->mapped ? AF_INET6 :
			AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	script_apply(s, socket);
	return socket;
}

static inline void script_call_listen(struct script *s, bool peer)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(s, 1, 80, &name);

	if (s->mapped)
		((struct sockaddr_in6 *)&name)->sin6_addr = in6addr_any;
	s->port = 80;
	s->listener = s->fresh ? s->socket : script_socket(s);
	if (s->fresh)
		s->socket = NULL;
	s->fresh = false;
	if (ustack_bind(s->listener, (void *)&name, len) ||
	    (peer ? ustack_listen_peer(s->listener) : ustack_listen(s->listener, 1)))
		script_fail(s, "listen: %s", strerror(errno));
}

static inline void script_call_connect(struct script *s, const char *p)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(s, 2, s->peer_port, &name);

	if (!s->socket)
		s->socket = script_socket(s);
	script_result(s, p, ustack_connect(s->socket, (void *)&name, len));
}

static inline void script_call_accept(struct script *s, const char *p)
{
	struct ustack_socket *socket = ustack_accept(s->listener, NULL, NULL,
						     SOCK_NONBLOCK);

	script_result(s, p, socket ? 0 : -1);
	if (socket)
		s->socket = socket;
}

/* Payload bytes are named by their sequence number. */
static inline void script_call_send(struct script *s, const char *p)
{
	static uint8_t data[SCRIPT_MAX * 16];
	long n = script_number(s, &p), i;
	const char *q = script_word(p, "more");
	const char *oob = script_word(q ? q : p, "oob");
	ssize_t done;

	for (i = 0; i < n && i < (long)sizeof(data); i++)
		data[i] = (uint8_t)(1 + s->written + (uint32_t)i);
	done = ustack_send(s->socket, data, (size_t)n, (q ? MSG_MORE : 0) |
			   (oob ? MSG_OOB : 0));
	s->written += done > 0 ? (uint32_t)done : 0;
	script_result(s, oob ? oob : q ? q : p, done);
}

static inline bool script_at_mark(struct script *s)
{
	int value = 0;

	ustack_ioctl(s->socket, SIOCATMARK, &value);
	return value;
}

/* MSG_FASTOPEN */
static inline void script_call_sendto(struct script *s, const char *p)
{
	struct sockaddr_storage name;
	socklen_t len = script_name(s, 2, s->peer_port, &name);
	static uint8_t data[SCRIPT_MAX];
	long n = script_number(s, &p), i;
	ssize_t done;

	if (!s->socket)
		s->socket = script_socket(s);
	for (i = 0; i < n && i < (long)sizeof(data); i++)
		data[i] = (uint8_t)(1 + s->written + (uint32_t)i);
	done = ustack_sendto(s->socket, data, (size_t)n, MSG_FASTOPEN, (void *)&name, len);
	s->written += done > 0 ? (uint32_t)done : 0;
	script_result(s, p, done);
}

static inline void script_call_recv(struct script *s, const char *p)
{
	static uint8_t data[SCRIPT_MAX * 16];
	long n = script_number(s, &p);
	const char *peek = script_word(p, "peek");
	ssize_t done;

	/* The urgent byte, next in the queue and out of line, is passed over. */
	if (!s->inline_ && script_at_mark(s))
		s->read++;
	done = ustack_recv(s->socket, data, (size_t)n, peek ? MSG_PEEK : 0);
	if (done > 0 && !script_payload_ok(s, data, 1 + s->read, (uint32_t)done))
		script_fail(s, "wrong bytes received");
	s->read += done > 0 && !peek ? (uint32_t)done : 0;
	script_result(s, peek ? peek : p, done);
}

static inline void script_call_urgent(struct script *s, const char *p)
{
	const char *peek = script_word(p, "peek");
	uint8_t byte = 0;
	ssize_t done = ustack_recv(s->socket, &byte, 1,
				   MSG_OOB | (peek ? MSG_PEEK : 0));

	script_result(s, peek ? peek : p, done == 1 ? byte : done);
}

static inline void script_call_mark(struct script *s, const char *p)
{
	script_result(s, p, script_at_mark(s));
}

static inline void script_queued(struct script *s, const char *p, unsigned long request)
{
	int value = -1;

	ustack_ioctl(s->socket, request, &value);
	if (value != script_number(s, &p))
		script_fail(s, "there are %d bytes", value);
}

static inline void script_call_unread(struct script *s, const char *p)
{
	script_queued(s, p, FIONREAD);
}

static inline void script_call_unacked(struct script *s, const char *p)
{
	script_queued(s, p, SIOCOUTQ);
}

static inline void script_call_unsent(struct script *s, const char *p)
{
	script_queued(s, p, SIOCOUTQNSD);
}

static inline void script_call_error(struct script *s, const char *p)
{
	int value = 0;
	socklen_t len = sizeof(value);

	ustack_getsockopt(s->socket, SOL_SOCKET, SO_ERROR, &value, &len);
	errno = value;
	script_result(s, p, value ? -1 : 0);
}

static inline void script_call_state(struct script *s, const char *p)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_SYN_SENT] = "SYN_SENT",
		[TCP_SYN_RECV] = "SYN_RECV", [TCP_FIN_WAIT1] = "FIN_WAIT1",
		[TCP_FIN_WAIT2] = "FIN_WAIT2", [TCP_CLOSE] = "CLOSE",
		[TCP_CLOSE_WAIT] = "CLOSE_WAIT", [TCP_LAST_ACK] = "LAST_ACK",
		[TCP_CLOSING] = "CLOSING", [TCP_LISTEN] = "LISTEN",
		[TCP_TIME_WAIT] = "TIME_WAIT",
	};
	const struct us_tcp_table *table = script_stack(s)->tcp;
	uint8_t state = TCP_CLOSE;
	uint32_t i;

	for (i = 0; i <= table->mask; i++)
		if (table->hash[i])
			state = table->hash[i]->state;
	if (!script_word(p, names[state]))
		script_fail(s, "the state is %s", names[state]);
}

static inline void script_call_counter(struct script *s, const char *p)
{
	char name[64] = "";
	long want;
	int i, len = 0;

	sscanf(p, " %63s%n", name, &len);
	p += len;
	want = script_number(s, &p);
	for (i = 0; i < US_COUNTERS; i++) {
		if (strcmp(us_counter_name((enum us_counter)i), name))
			continue;
		if (script_stack(s)->counter[i] != (uint64_t)want)
			script_fail(s, "%s is %llu", name, (unsigned long long)
				    script_stack(s)->counter[i]);
		return;
	}
	script_fail(s, "no counter %s", name);
}

static inline void script_call_offer(struct script *s, const char *p)
{
	uint32_t offer = 0;

	if (strstr(p, "ts"))
		offer |= US_TCP_TS;
	if (strstr(p, "sack"))
		offer |= US_TCP_SACK;
	if (strstr(p, "wscale"))
		offer |= US_TCP_WSCALE;
	script_stack(s)->tcp->offer = offer;
}

static inline void script_call_option(struct script *s, const char *p)
{
	const char *q;

	if ((q = script_word(p, "sndbuf")))
		s->options.sndbuf = (int)script_number(s, &q);
	else if ((q = script_word(p, "rcvbuf")))
		s->options.rcvbuf = (int)script_number(s, &q);
	else if ((q = script_word(p, "nodelay")))
		s->options.nodelay = (int)script_number(s, &q);
	else if ((q = script_word(p, "cork")))
		s->options.cork = (int)script_number(s, &q);
	else if ((q = script_word(p, "maxseg")))
		s->options.maxseg = (int)script_number(s, &q);
	else if ((q = script_word(p, "keepalive")))
		s->options.keepalive = (int)script_number(s, &q);
	else if ((q = script_word(p, "ecn")))
		s->options.ecn = (int)script_number(s, &q);
	else if ((q = script_word(p, "fastopen")))
		s->options.fastopen = (int)script_number(s, &q);
	else if ((q = script_word(p, "fastqueue")))
		s->options.fastqueue = (int)script_number(s, &q);
	else if ((q = script_word(p, "user_timeout")))
		s->options.user_timeout = (int)script_number(s, &q);
	else if ((q = script_word(p, "half")))
		script_stack(s)->tcp->share[US_TCP_SHARE_HALF].most =
			(uint32_t)script_number(s, &q);
	else if ((q = script_word(p, "orphans")))
		script_stack(s)->tcp->share[US_TCP_SHARE_ORPHAN].most =
			(uint32_t)script_number(s, &q);
	else if ((q = script_word(p, "peer_port")))
		s->peer_port = (uint16_t)script_number(s, &q);
	else if ((q = script_word(p, "offer")))
		script_call_offer(s, q);
	else if ((q = script_word(p, "full")))
		s->full = (int)script_number(s, &q);
	else if ((q = script_word(p, "kept")))
		s->link.kept = (uint32_t)script_number(s, &q);
	else if ((q = script_word(p, "batch")))
		s->batch = script_number(s, &q);
	else if ((q = script_word(p, "gso"))) {
		s->link.flags |= US_LINK_GSO_TCP;
		s->link.gso_max = (uint32_t)script_number(s, &q);
		s->link.gso_segs = UINT16_MAX;
	} else if ((q = script_word(p, "peer_isn")))
		s->peer_isn = (uint32_t)script_number(s, &q);
	else
		script_fail(s, "unknown option");
	if (s->socket)
		script_apply(s, s->socket);
}

/**
 * struct script_option - an option of sockets
 * @name: in scripts.
 * @level: of it.
 * @option: of that level.
 */
struct script_option {
	const char *name;
	int level;
	int option;
};

/* An option by its name, or NULL; @p is moved behind that. */
static inline const struct script_option *script_option_of(struct script *s, const char **p)
{
	static const struct script_option names[] = {
		{ "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE },
		{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF },
		{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT },
		{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY },
		{ "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT },
		{ "TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT },
		{ "TCP_CORK", IPPROTO_TCP, TCP_CORK },
		{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE },
		{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL },
		{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT },
		{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT },
		{ "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2 },
		{ "TTL", IPPROTO_IP, IP_TTL }, { "TOS", IPPROTO_IP, IP_TOS },
		{ "RECVERR", IPPROTO_IP, IP_RECVERR },
		{ "TTL", IPPROTO_IPV6, IPV6_UNICAST_HOPS },
		{ "TOS", IPPROTO_IPV6, IPV6_TCLASS },
		{ "RECVERR", IPPROTO_IPV6, IPV6_RECVERR },
	};
	const char *q = NULL;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].level != (s->six ? IPPROTO_IP : IPPROTO_IPV6))
			q = script_word(*p, names[i].name);
		if (!q)
			continue;
		*p = q;
		return &names[i];
	}
	script_fail(s, "unknown option");
	return NULL;
}

/* Of the connection, of who listens, or of a new one. */
static inline struct ustack_socket *script_of_options(struct script *s)
{
	if (!s->socket && s->listener)
		return s->listener;
	if (!s->socket) {
		s->socket = script_socket(s);
		s->fresh = true;
	}
	return s->socket;
}

static inline void script_call_set(struct script *s, const char *p)
{
	const struct script_option *option = script_option_of(s, &p);
	int value;

	if (!option)
		return;
	value = (int)script_number(s, &p);
	s->inline_ |= option->option == SO_OOBINLINE && value;
	script_result(s, p, ustack_setsockopt(script_of_options(s), option->level,
					      option->option, &value, sizeof(value)));
}

static inline void script_call_get(struct script *s, const char *p)
{
	const struct script_option *option = script_option_of(s, &p);
	int value = -1;
	socklen_t len = sizeof(value);

	if (option)
		script_result(s, p, ustack_getsockopt(script_of_options(s), option->level,
						      option->option, &value, &len) ?
				    -1 : value);
}

/* "unreach CODE [mtu N] seq N": quotes the first 8 bytes of a segment of ours. */
static inline void script_icmp(struct script *s, const char *p)
{
	uint8_t data[100] = { 0 }, *icmp = data + script_ip_len(s);
	uint8_t *quoted = icmp + 8, *tcp = quoted + script_ip_len(s);
	uint32_t code, mtu = 0, seq, len = 8 + script_ip_len(s) + 8, sum;
	struct us_addr local = script_addr(s, 1), remote = script_addr(s, 2);
	uint8_t type;
	struct us_tcp_hdr h = { .src = us_put16(s->port),
				.dst = us_put16(SCRIPT_PEER_PORT) };
	const char *q;

	q = script_word(p, "unreach");
	type = q ? (s->six ? 1 : 3) : (uint8_t)script_number(s, &p);
	p = q ? q : p;
	code = (uint32_t)script_number(s, &p);
	if ((q = script_word(p, "mtu"))) {
		p = q;
		mtu = (uint32_t)script_number(s, &p);
	}
	p = script_word(p, "seq");
	seq = (uint32_t)script_number(s, &p);
	h.seq = us_put32(seq + s->isn);
	memcpy(tcp, &h, 8);
	sum = script_put_ip(s, data, s->six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, len, 0);
	script_put32(icmp + 4, mtu + (mtu && s->six ? 20 : 0));	/* the same MSS */
	icmp[0] = type;
	icmp[1] = (uint8_t)code;
	if (s->six) {
		struct us_ipv6 *ip = (void *)quoted;

		icmp[0] = mtu ? 2 : type;
		*ip = (struct us_ipv6){ .flow = us_put32(6u << 28),
			.payload_len = us_put16(20), .next = IPPROTO_TCP, .hops = 64 };
		memcpy(ip->src, local.b, 16);
		memcpy(ip->dst, remote.b, 16);
	} else {
		struct us_ipv4 *ip = (void *)quoted;

		*ip = (struct us_ipv4){ .version_ihl = 0x45, .ttl = 64,
			.total_len = us_put16(40), .protocol = IPPROTO_TCP };
		memcpy(ip->src, &local.b[12], 4);
		memcpy(ip->dst, &remote.b[12], 4);
		ip->csum = us_from_raw16(us_csum_fold(us_csum_bytes(ip, 20, 0)));
		sum = 0;
	}
	sum = us_csum_fold(us_csum_bytes(icmp, len, sum));
	memcpy(icmp + 2, (uint16_t[]){ (uint16_t)sum }, 2);
	script_inject(s, data, script_ip_len(s) + len, 0);
}

#endif /* SELFTESTS_UNIT_SCRIPT_CALL_H */
