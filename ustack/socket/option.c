// SPDX-License-Identifier: MIT
/* setsockopt(2) and getsockopt(2): one row of a table for each option. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/time.h>

#include "socket/socket.h"

/* Linux's limits, in bytes of the queue. */
#define SNDBUF_MIN	2304
#define RCVBUF_MIN	1152
#define BUFFER_MAX	(64 << 20)
#define SECONDS_MAX	32767	/* of keep-alive */
#define TIMES_MAX	127	/* that something is tried */
#define LINGER2_MAX	120
#define MSS_MIN		88
#define MSS_MAX		32767
#define MSS_DEFAULT	536
#define CC_NAME		16	/* Linux's TCP_CA_NAME_MAX */

/**
 * union us_value - the value of an option
 * @number: of most.
 * @linger: of SO_LINGER.
 * @time: of SO_RCVTIMEO and SO_SNDTIMEO.
 * @rate: of SO_MAX_PACING_RATE, of which the first half comes first (x86).
 * @name: of TCP_CONGESTION; set with or without its NUL.
 * @info: of TCP_INFO.
 * @cc_info: of TCP_CC_INFO.
 */
union us_value {
	int number;
	struct linger linger;
	struct timeval time;
	uint64_t rate;
	char name[CC_NAME];
	struct us_tcp_info info;
	struct us_tcp_cc_info cc_info;
};

/**
 * struct us_option - one option
 * @level: SOL_SOCKET, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IP, or of AF_INET6 also
 *	IPPROTO_IPV6.
 * @name: of the option.
 * @size: bytes of its value.
 * @least: bytes of it that must be given to set it; the rest is zero then.
 * @tells: US_TELL_* of SOCK_DGRAM, which it switches without @set and @get; or 0.
 * @set: 0 or a negative errno; NULL: cannot be set.
 * @get: reads it; fewer bytes go to a caller who asks for fewer.
 */
struct us_option {
	int level;
	int name;
	size_t size;
	size_t least;
	uint16_t tells;
	int (*set)(struct ustack_socket *s, const union us_value *value);
	void (*get)(struct ustack_socket *s, union us_value *value);
};

static void get_error(struct ustack_socket *s, union us_value *value)
{
	value->number = -us_socket_error(s);
}

static void get_type(struct ustack_socket *s, union us_value *value)
{
	value->number = s->ops->type;
}

static void get_domain(struct ustack_socket *s, union us_value *value)
{
	value->number = s->family;
}

static void get_protocol(struct ustack_socket *s, union us_value *value)
{
	value->number = s->ops->protocol;
}

static void get_acceptconn(struct ustack_socket *s, union us_value *value)
{
	value->number = s->listener != NULL;
}

static uint32_t clamp(int value, int least)
{
	/* A negative size is a huge one, as in Linux. */
	if (value < 0 || value > BUFFER_MAX)
		return BUFFER_MAX;
	return value < least ? least : value;
}

static int set_sndbuf(struct ustack_socket *s, const union us_value *value)
{
	s->options.sndbuf = clamp(value->number, SNDBUF_MIN);
	s->options.sndbuf_set = true;
	us_socket_event(s);	/* a larger buffer has room */
	return 0;
}

/* Linux tells twice what was set: it counts its own overhead in. */
static void get_sndbuf(struct ustack_socket *s, union us_value *value)
{
	value->number = (int)(2 * (s->tcp ? us_tcp_sndbuf(s->tcp) : s->options.sndbuf));
}

static int set_rcvbuf(struct ustack_socket *s, const union us_value *value)
{
	s->options.rcvbuf = clamp(value->number, RCVBUF_MIN);
	s->options.rcvbuf_set = true;
	return 0;
}

static void get_rcvbuf(struct ustack_socket *s, union us_value *value)
{
	value->number = (int)(2 * (s->tcp ? us_tcp_rcvbuf(s->tcp) : s->options.rcvbuf));
}

static int set_rcvlowat(struct ustack_socket *s, const union us_value *value)
{
	uint32_t bytes = value->number < 0 ? INT32_MAX : (uint32_t)value->number;

	if (s->ops->protocol == IPPROTO_TCP)
		bytes = us_tcp_rcvlowat_of(&s->options, bytes);
	s->rcvlowat = bytes > 1 ? bytes : 0;
	if (s->tcp && (us_tcp_poll(s->tcp, s->rcvlowat) & POLLIN))
		us_socket_event(s);	/* fewer are enough now */
	return 0;
}

static void get_rcvlowat(struct ustack_socket *s, union us_value *value)
{
	value->number = s->rcvlowat ? (int)s->rcvlowat : 1;
}

static int set_reuse(struct ustack_socket *s, const union us_value *value)
{
	s->reuse = value->number;
	return 0;
}

static void get_reuse(struct ustack_socket *s, union us_value *value)
{
	value->number = s->reuse;
}

static int set_linger(struct ustack_socket *s, const union us_value *value)
{
	s->linger = value->linger.l_onoff ? value->linger.l_linger : -1;
	if (value->linger.l_onoff && s->linger < 0)
		s->linger = INT32_MAX;
	return 0;
}

static void get_linger(struct ustack_socket *s, union us_value *value)
{
	value->linger.l_onoff = s->linger >= 0;
	value->linger.l_linger = s->linger >= 0 ? s->linger : 0;
}

static int set_keepalive(struct ustack_socket *s, const union us_value *value)
{
	s->options.keepalive = value->number;
	return 0;
}

static void get_keepalive(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.keepalive;
}

static int set_oobinline(struct ustack_socket *s, const union us_value *value)
{
	s->options.oobinline = value->number;
	us_socket_event(s);	/* an urgent byte may be one to read now */
	return 0;
}

static void get_oobinline(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.oobinline;
}

static int set_zerocopy(struct ustack_socket *s, const union us_value *value)
{
	if (s->ops != &us_stream_ops)
		return -EOPNOTSUPP;
	if (value->number < 0 || value->number > 1)
		return -EINVAL;
	us_error_queue_zerocopy(s, value->number);
	return 0;
}

static void get_zerocopy(struct ustack_socket *s, union us_value *value)
{
	value->number = us_error_queue_is_zerocopy(s);
}

static int time_in(const struct timeval *tv, us_ns *timeout)
{
	if (tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return -EDOM;
	if (tv->tv_sec < 0)
		*timeout = 0;
	else if (tv->tv_sec > INT32_MAX || (tv->tv_sec == 0 && tv->tv_usec == 0))
		*timeout = US_NEVER;
	else
		*timeout = tv->tv_sec * US_SEC + tv->tv_usec * US_USEC;
	return 0;
}

static void time_out(us_ns timeout, struct timeval *tv)
{
	if (timeout == US_NEVER)
		timeout = 0;
	tv->tv_sec = timeout / US_SEC;
	tv->tv_usec = timeout % US_SEC / US_USEC;
}

static int set_rcvtimeo(struct ustack_socket *s, const union us_value *value)
{
	return time_in(&value->time, &s->rcvtimeo);
}

static void get_rcvtimeo(struct ustack_socket *s, union us_value *value)
{
	time_out(s->rcvtimeo, &value->time);
}

static int set_sndtimeo(struct ustack_socket *s, const union us_value *value)
{
	return time_in(&value->time, &s->sndtimeo);
}

static void get_sndtimeo(struct ustack_socket *s, union us_value *value)
{
	time_out(s->sndtimeo, &value->time);
}

static int set_nodelay(struct ustack_socket *s, const union us_value *value)
{
	s->options.nodelay = value->number;
	s->options.push = value->number;	/* passes over a cork, too */
	return 0;
}

static void get_nodelay(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.nodelay;
}

static int set_cork(struct ustack_socket *s, const union us_value *value)
{
	s->options.cork = value->number;
	s->options.push = !value->number;
	return 0;
}

static void get_cork(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.cork;
}

static int set_maxseg(struct ustack_socket *s, const union us_value *value)
{
	if (value->number && (value->number < MSS_MIN || value->number > MSS_MAX))
		return -EINVAL;
	s->options.maxseg = value->number;
	return 0;
}

static void get_maxseg(struct ustack_socket *s, union us_value *value)
{
	struct us_tcp_info info = { .base.tcpi_state = TCP_CLOSE };

	if (s->tcp)
		us_tcp_info(s->tcp, &info);
	if (info.base.tcpi_state != TCP_CLOSE)
		value->number = info.base.tcpi_snd_mss;
	else
		value->number = s->options.maxseg ? s->options.maxseg : MSS_DEFAULT;
}

_Static_assert((int)USTACK_ECN_OFF == (int)US_TCP_ECN_OFF &&
	       (int)USTACK_ECN_ASK == (int)US_TCP_ECN_ASK &&
	       (int)USTACK_ECN_ASK_CLASSIC == (int)US_TCP_ECN_ASK_CLASSIC,
	       "the public names are those of the transport");

static int set_ecn(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < 0 || value->number >= US_TCP_ECN_MODES)
		return -EINVAL;
	s->options.ecn = value->number;
	return 0;
}

static void get_ecn(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.ecn;
}

static bool may_open(const struct ustack_socket *s)
{
	return !s->tcp && s->state == US_SOCKET_UNCONNECTED;
}

static int set_fastopen(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < 0 || !may_open(s))
		return -EINVAL;
	s->options.fastopen_queue = value->number < UINT16_MAX ? value->number :
								 UINT16_MAX;
	return 0;
}

static void get_fastopen(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.fastopen_queue;
}

static int set_fastopen_connect(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < 0 || value->number > 1 || !may_open(s) || s->listener)
		return -EINVAL;
	s->options.fastopen = value->number;
	return 0;
}

static void get_fastopen_connect(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.fastopen;
}

static int set_quickack(struct ustack_socket *s, const union us_value *value)
{
	if (s->tcp)
		us_tcp_set_quickack(s->tcp, value->number);
	else
		s->options.ack_later = !value->number;
	return 0;
}

static void get_quickack(struct ustack_socket *s, union us_value *value)
{
	value->number = s->tcp ? us_tcp_quickack(s->tcp) : !s->options.ack_later;
}

static int set_defer_accept(struct ustack_socket *s, const union us_value *value)
{
	s->options.defer_accept = us_tcp_defer_timeouts(value->number);
	return 0;
}

static void get_defer_accept(struct ustack_socket *s, union us_value *value)
{
	value->number = us_tcp_defer_seconds(s->options.defer_accept);
}

static int set_inq(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < 0 || value->number > 1)
		return -EINVAL;
	s->options.inq = value->number;
	return 0;
}

static void get_inq(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.inq;
}

static int set_notsent_lowat(struct ustack_socket *s, const union us_value *value)
{
	us_notsent_lowat_set(s, (uint32_t)value->number);
	us_socket_event(s);	/* what waits may be little now */
	return 0;
}

static void get_notsent_lowat(struct ustack_socket *s, union us_value *value)
{
	value->number = (int)us_notsent_lowat(s);
}

static int set_user_timeout(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < 0)
		return -EINVAL;
	s->options.user_timeout = value->number;
	return 0;
}

static void get_user_timeout(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.user_timeout;
}

static int set_congestion(struct ustack_socket *s, const union us_value *value)
{
	char name[CC_NAME + 1] = "";
	int cc;

	memcpy(name, value->name, CC_NAME);
	cc = us_tcp_cc_find(name);
	if (cc < 0)
		return cc;
	s->options.cc = (uint8_t)cc;
	return 0;
}

static void get_congestion(struct ustack_socket *s, union us_value *value)
{
	memset(value->name, 0, CC_NAME);
	strcpy(value->name, us_tcp_cc_name(s->options.cc));
}

/* 32 or 64 bits; 0 and what is beyond 32 bits are no limit. */
static int set_max_pacing(struct ustack_socket *s, const union us_value *value)
{
	s->options.max_pacing = value->rate && value->rate < US_TCP_PACING_MAX ?
				(uint32_t)value->rate : US_TCP_PACING_MAX;
	return 0;
}

static void get_max_pacing(struct ustack_socket *s, union us_value *value)
{
	value->rate = s->options.max_pacing < US_TCP_PACING_MAX ?
		      s->options.max_pacing : UINT64_MAX;
}

/* A number from 1 to @most. */
static int take(int value, int most, uint32_t *number)
{
	if (value < 1 || value > most)
		return -EINVAL;
	*number = (uint32_t)value;
	return 0;
}

static int set_keepidle(struct ustack_socket *s, const union us_value *value)
{
	uint32_t number;
	int err = take(value->number, SECONDS_MAX, &number);

	if (!err)
		s->options.keep_idle = (uint16_t)number;
	return err;
}

static void get_keepidle(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.keep_idle ? s->options.keep_idle :
			US_TCP_KEEP_IDLE;
}

static int set_keepintvl(struct ustack_socket *s, const union us_value *value)
{
	uint32_t number;
	int err = take(value->number, SECONDS_MAX, &number);

	if (!err)
		s->options.keep_interval = (uint16_t)number;
	return err;
}

static void get_keepintvl(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.keep_interval ? s->options.keep_interval :
			US_TCP_KEEP_INTERVAL;
}

static int set_keepcnt(struct ustack_socket *s, const union us_value *value)
{
	uint32_t number;
	int err = take(value->number, TIMES_MAX, &number);

	if (!err)
		s->options.keep_probes = (uint8_t)number;
	return err;
}

static void get_keepcnt(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.keep_probes ? s->options.keep_probes :
			US_TCP_KEEP_PROBES;
}

static int set_syncnt(struct ustack_socket *s, const union us_value *value)
{
	uint32_t number;
	int err = take(value->number, TIMES_MAX, &number);

	if (!err)
		s->options.syn_retries = (uint8_t)number;
	return err;
}

static void get_syncnt(struct ustack_socket *s, union us_value *value)
{
	value->number = s->options.syn_retries ? s->options.syn_retries :
			US_TCP_SYN_RETRIES;
}

static int set_linger2(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < 0)
		s->linger2 = -1;
	else
		s->linger2 = value->number < LINGER2_MAX ? (int8_t)value->number :
							   LINGER2_MAX;
	return 0;
}

static void get_linger2(struct ustack_socket *s, union us_value *value)
{
	value->number = s->linger2 ? s->linger2 : US_TCP_LINGER2;
}

/* Those of one family, by the level: an AF_INET6 socket has both, and which of them its
 * packets have is the peer's matter.
 */
static struct us_ip_options *ip4(struct ustack_socket *s)
{
	return &s->options.ip[US_IPV4];
}

static struct us_ip_options *ip6(struct ustack_socket *s)
{
	return &s->options.ip[US_IPV6];
}

static int take_ttl(struct us_ip_options *ip, int value)
{
	uint32_t number = 0;
	int err = value == -1 ? 0 : take(value, UINT8_MAX, &number);

	if (!err)
		ip->ttl = (uint8_t)number;
	return err;
}

static int set_ttl(struct ustack_socket *s, const union us_value *value)
{
	return take_ttl(ip4(s), value->number);
}

static void get_ttl(struct ustack_socket *s, union us_value *value)
{
	value->number = ip4(s)->ttl ? ip4(s)->ttl : US_NET_TTL;
}

static int set_hops(struct ustack_socket *s, const union us_value *value)
{
	return take_ttl(ip6(s), value->number);
}

static void get_hops(struct ustack_socket *s, union us_value *value)
{
	value->number = ip6(s)->ttl ? ip6(s)->ttl : US_NET_TTL;
}

/* The ECN bits of streams stay TCP's. */
static uint8_t tos_of(const struct ustack_socket *s, int value)
{
	return value & (s->ops->protocol == IPPROTO_TCP ? 0xfc : 0xff);
}

/* As Linux: the low byte counts. */
static int set_tos(struct ustack_socket *s, const union us_value *value)
{
	ip4(s)->tos = tos_of(s, value->number);
	return 0;
}

static void get_tos(struct ustack_socket *s, union us_value *value)
{
	value->number = ip4(s)->tos;
}

static int set_tclass(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < -1 || value->number > UINT8_MAX)
		return -EINVAL;
	ip6(s)->tos = tos_of(s, value->number == -1 ? 0 : value->number);
	return 0;
}

static void get_tclass(struct ustack_socket *s, union us_value *value)
{
	value->number = ip6(s)->tos;
}

static int set_recverr(struct ustack_socket *s, const union us_value *value)
{
	ip4(s)->recverr = value->number;
	return 0;
}

static void get_recverr(struct ustack_socket *s, union us_value *value)
{
	value->number = ip4(s)->recverr;
}

static int set_recverr6(struct ustack_socket *s, const union us_value *value)
{
	ip6(s)->recverr = value->number;
	return 0;
}

static void get_recverr6(struct ustack_socket *s, union us_value *value)
{
	value->number = ip6(s)->recverr;
}

/* Every packet has DF, and what routers say is heard: the rest would need packets that
 * may be cut, or a path that nobody looks at.
 */
static int take_mtu_discover(struct us_ip_options *ip, int value)
{
	if (value < IP_PMTUDISC_WANT || value > IP_PMTUDISC_PROBE)
		return -EINVAL;
	ip->mtu_discover = (uint8_t)(value & 3);
	return 0;
}

static int mtu_discover(const struct us_ip_options *ip)
{
	return ip->mtu_discover ? ip->mtu_discover : IP_PMTUDISC_WANT;
}

static int set_mtu_discover(struct ustack_socket *s, const union us_value *value)
{
	return take_mtu_discover(ip4(s), value->number);
}

static void get_mtu_discover(struct ustack_socket *s, union us_value *value)
{
	value->number = mtu_discover(ip4(s));
}

static int set_mtu_discover6(struct ustack_socket *s, const union us_value *value)
{
	return take_mtu_discover(ip6(s), value->number);
}

static void get_mtu_discover6(struct ustack_socket *s, union us_value *value)
{
	value->number = mtu_discover(ip6(s));
}

/* Only of a connection, or to a peer: a negative errno where there is none. */
static void get_mtu(struct ustack_socket *s, union us_value *value)
{
	struct us_tcp_info info;

	value->number = -ENOTCONN;
	if (s->tcp) {
		us_tcp_info(s->tcp, &info);
		value->number = (int)info.base.tcpi_pmtu;
	} else if (s->ops->protocol == IPPROTO_UDP && s->udp) {
		us_stack_tick(s->stack);
		value->number = us_udp_mtu(s->udp);
	}
}

static bool has_port(const struct ustack_socket *s)
{
	return s->port || (s->tcp && us_tcp_state(s->tcp) != TCP_CLOSE);
}

static int set_v6only(struct ustack_socket *s, const union us_value *value)
{
	if (has_port(s))
		return -EINVAL;
	s->v6only = value->number;
	return 0;
}

static void get_v6only(struct ustack_socket *s, union us_value *value)
{
	value->number = s->v6only;
}

static void get_info(struct ustack_socket *s, union us_value *value)
{
	memset(&value->info, 0, sizeof(value->info));
	value->info.base.tcpi_state = TCP_CLOSE;
	if (s->listener)
		us_tcp_listen_info(s->listener, &value->info);
	else if (s->tcp)
		us_tcp_info(s->tcp, &value->info);
}

static void get_cc_info(struct ustack_socket *s, union us_value *value)
{
	memset(&value->cc_info, 0, sizeof(value->cc_info));
	if (s->tcp)
		us_tcp_cc_info(s->tcp, &value->cc_info);
}

static int set_segment(struct ustack_socket *s, const union us_value *value)
{
	if (value->number < 0 || value->number > UINT16_MAX)
		return -EINVAL;
	s->segment = (uint16_t)value->number;
	return 0;
}

static void get_segment(struct ustack_socket *s, union us_value *value)
{
	value->number = s->segment;
}

static int set_gro(struct ustack_socket *s, const union us_value *value)
{
	s->gro = value->number;
	return 0;
}

static void get_gro(struct ustack_socket *s, union us_value *value)
{
	value->number = s->gro;
}

#define ALL(type)	sizeof(type), sizeof(type), 0
#define NUMBER		ALL(int)
#define BYTE		sizeof(int), 1, 0	/* or a number */
#define TELLS(what)	sizeof(int), sizeof(int), US_TELL_##what, NULL, NULL
#define TELLS_BYTE(what) sizeof(int), 1, US_TELL_##what, NULL, NULL

static const struct us_option options[] = {
	{ SOL_SOCKET, SO_ERROR, NUMBER, NULL, get_error },
	{ SOL_SOCKET, SO_TYPE, NUMBER, NULL, get_type },
	{ SOL_SOCKET, SO_DOMAIN, NUMBER, NULL, get_domain },
	{ SOL_SOCKET, SO_PROTOCOL, NUMBER, NULL, get_protocol },
	{ SOL_SOCKET, SO_ACCEPTCONN, NUMBER, NULL, get_acceptconn },
	{ SOL_SOCKET, SO_SNDBUF, NUMBER, set_sndbuf, get_sndbuf },
	{ SOL_SOCKET, SO_RCVBUF, NUMBER, set_rcvbuf, get_rcvbuf },
	{ SOL_SOCKET, SO_RCVLOWAT, NUMBER, set_rcvlowat, get_rcvlowat },
	{ SOL_SOCKET, SO_REUSEADDR, NUMBER, set_reuse, get_reuse },
	{ SOL_SOCKET, SO_LINGER, ALL(struct linger), set_linger, get_linger },
	{ SOL_SOCKET, SO_KEEPALIVE, NUMBER, set_keepalive, get_keepalive },
	{ SOL_SOCKET, SO_OOBINLINE, NUMBER, set_oobinline, get_oobinline },
	{ SOL_SOCKET, SO_RCVTIMEO, ALL(struct timeval), set_rcvtimeo, get_rcvtimeo },
	{ SOL_SOCKET, SO_SNDTIMEO, ALL(struct timeval), set_sndtimeo, get_sndtimeo },
	{ SOL_SOCKET, SO_ZEROCOPY, NUMBER, set_zerocopy, get_zerocopy },
	{ SOL_SOCKET, SO_RXQ_OVFL, TELLS(LOST) },
	{ SOL_SOCKET, SO_TIMESTAMP, TELLS(USEC) },
	{ SOL_SOCKET, SO_TIMESTAMPNS, TELLS(NSEC) },
	{ SOL_SOCKET, SO_MAX_PACING_RATE, sizeof(uint64_t), 4, 0, set_max_pacing,
	  get_max_pacing },
	{ IPPROTO_TCP, TCP_NODELAY, NUMBER, set_nodelay, get_nodelay },
	{ IPPROTO_TCP, TCP_CORK, NUMBER, set_cork, get_cork },
	{ IPPROTO_TCP, TCP_MAXSEG, NUMBER, set_maxseg, get_maxseg },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, NUMBER, set_user_timeout, get_user_timeout },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, NUMBER, set_notsent_lowat, get_notsent_lowat },
	{ IPPROTO_TCP, TCP_QUICKACK, NUMBER, set_quickack, get_quickack },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT, NUMBER, set_defer_accept, get_defer_accept },
	{ IPPROTO_TCP, TCP_INQ, NUMBER, set_inq, get_inq },
	{ IPPROTO_TCP, TCP_FASTOPEN, NUMBER, set_fastopen, get_fastopen },
	{ IPPROTO_TCP, TCP_FASTOPEN_CONNECT, NUMBER, set_fastopen_connect,
	  get_fastopen_connect },
	{ IPPROTO_TCP, TCP_KEEPIDLE, NUMBER, set_keepidle, get_keepidle },
	{ IPPROTO_TCP, TCP_KEEPINTVL, NUMBER, set_keepintvl, get_keepintvl },
	{ IPPROTO_TCP, TCP_KEEPCNT, NUMBER, set_keepcnt, get_keepcnt },
	{ IPPROTO_TCP, TCP_SYNCNT, NUMBER, set_syncnt, get_syncnt },
	{ IPPROTO_TCP, TCP_LINGER2, NUMBER, set_linger2, get_linger2 },
	{ IPPROTO_UDP, UDP_SEGMENT, NUMBER, set_segment, get_segment },
	{ IPPROTO_UDP, UDP_GRO, NUMBER, set_gro, get_gro },
	{ IPPROTO_IP, IP_TTL, BYTE, set_ttl, get_ttl },
	{ IPPROTO_IP, IP_TOS, BYTE, set_tos, get_tos },
	{ IPPROTO_IP, IP_PKTINFO, TELLS_BYTE(ADDRESS) },
	{ IPPROTO_IP, IP_RECVTTL, TELLS_BYTE(TTL) },
	{ IPPROTO_IP, IP_RECVTOS, TELLS_BYTE(TOS) },
	{ IPPROTO_IP, IP_RECVERR, BYTE, set_recverr, get_recverr },
	{ IPPROTO_IP, IP_MTU, NUMBER, NULL, get_mtu },
	{ IPPROTO_IP, IP_MTU_DISCOVER, BYTE, set_mtu_discover, get_mtu_discover },
	{ IPPROTO_IPV6, IPV6_V6ONLY, NUMBER, set_v6only, get_v6only },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, NUMBER, set_hops, get_hops },
	{ IPPROTO_IPV6, IPV6_TCLASS, NUMBER, set_tclass, get_tclass },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, TELLS(ADDRESS6) },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, TELLS(HOP_LIMIT) },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, TELLS(TCLASS) },
	{ IPPROTO_IPV6, IPV6_RECVERR, NUMBER, set_recverr6, get_recverr6 },
	{ IPPROTO_IPV6, IPV6_MTU, NUMBER, NULL, get_mtu },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, NUMBER, set_mtu_discover6, get_mtu_discover6 },
	{ IPPROTO_TCP, TCP_CONGESTION, CC_NAME, 1, 0, set_congestion, get_congestion },
	{ IPPROTO_TCP, USTACK_TCP_ECN, NUMBER, set_ecn, get_ecn },
	{ IPPROTO_TCP, TCP_CC_INFO, ALL(struct us_tcp_cc_info), NULL, get_cc_info },
	{ IPPROTO_TCP, TCP_INFO, ALL(struct us_tcp_info), NULL, get_info },
};

static bool is_for(const struct ustack_socket *s, const struct us_option *option)
{
	return s->ops->protocol == IPPROTO_UDP || !option->tells;
}

static const struct us_option *find(const struct ustack_socket *s, int level,
				    int name)
{
	if ((level == IPPROTO_UDP || level == IPPROTO_TCP) && level != s->ops->protocol)
		return NULL;
	if (level == IPPROTO_IPV6 && s->family == AF_INET)
		return NULL;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].level == level && options[i].name == name)
			return is_for(s, &options[i]) ? &options[i] : NULL;
	return NULL;
}

/* Of the two stamps one is told. */
static uint16_t one_of(uint16_t tells)
{
	return tells & US_TELL_TIME ? US_TELL_TIME : tells;
}

static int store(struct ustack_socket *s, const struct us_option *option,
		 const union us_value *value)
{
	if (!option->tells)
		return option->set(s, value);
	s->tells &= (uint16_t)~one_of(option->tells);
	if (value->number)
		s->tells |= option->tells;
	return 0;
}

static void load(struct ustack_socket *s, const struct us_option *option,
		 union us_value *value)
{
	if (option->tells)
		value->number = (s->tells & option->tells) != 0;
	else
		option->get(s, value);
}

static bool is_own(const struct ustack_socket *s, int level)
{
	return level == SOL_SOCKET || level == s->ops->protocol;
}

/* As Linux: part of a number is its first byte, where a byte will do. */
static socklen_t part(int level, socklen_t length)
{
	return level == IPPROTO_IP && length && length < sizeof(int) ? 1 : length;
}

/* As Linux: what is too short is wrong, whatever it is. */
static int set_option(struct ustack_socket *s, int level, int name,
		      const void *data, socklen_t length)
{
	const struct us_option *option = find(s, level, name);
	union us_value value;
	int err;

	if (!option || !(option->set || option->tells))
		return is_own(s, level) && length < sizeof(int) ? -EINVAL : -ENOPROTOOPT;
	if (length < option->least)
		return -EINVAL;
	length = part(level, length);
	if (!data)
		return -EFAULT;
	memset(&value, 0, sizeof(value));
	memcpy(&value, data, length < option->size ? length : option->size);
	err = store(s, option, &value);
	if (!err)
		s->ops->changed(s);
	return err;
}

int ustack_setsockopt(struct ustack_socket *s, int level, int name,
		      const void *value, socklen_t length)
{
	int err;

	US_SOCKET_CALL(s);
	us_stack_tick(s->stack);
	err = set_option(s, level, name, value, length);
	/* The end of corking lets out what was held back. */
	us_loop_flush(s->stack);
	return us_socket_return(err);
}

static int get_option(struct ustack_socket *s, int level, int name,
		      void *data, socklen_t *length)
{
	const struct us_option *option = find(s, level, name);
	union us_value value;

	if (!option)
		return s->family == AF_INET6 || level == IPPROTO_IP ||
		       is_own(s, level) ? -ENOPROTOOPT : -EOPNOTSUPP;
	if (!data || !length)
		return -EFAULT;
	if ((int)*length < 0)
		return -EINVAL;
	load(s, option, &value);
	if (option->get == get_mtu && value.number < 0)
		return value.number;
	if (*length > option->size)
		*length = option->size;
	*length = part(level, *length);
	memcpy(data, &value, *length);
	return 0;
}

int ustack_getsockopt(struct ustack_socket *s, int level, int name,
		      void *value, socklen_t *length)
{
	US_SOCKET_CALL(s);
	return us_socket_return(get_option(s, level, name, value, length));
}
