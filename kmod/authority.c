// SPDX-License-Identifier: GPL-2.0
/*
 * Authority: a bound socket proves the right to a local port, keeps the port
 * reserved, and lends namespace, mark, priority, filter and cgroup.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>
#include "nc.h"
#include "compat.h"

/**
 * nc_authority_get() - who vouches for a flow
 * @auth: out.
 * @fd: a socket of the caller, or -1.
 *
 * Return: 0, or a negative errno with nothing held.
 */
int nc_authority_get(struct nc_authority *auth, int fd)
{
	struct socket *sock;
	int err;

	memset(auth, 0, sizeof(*auth));
	if (fd < 0) {
		auth->net = get_net(current->nsproxy->net_ns);
	} else {
		sock = sockfd_lookup(fd, &err);
		if (!sock)
			return err;
		auth->file = sock->file;
		auth->sk = sock->sk;
		auth->net = get_net(sock_net(sock->sk));
	}
	auth->admin = ns_capable(auth->net->user_ns, CAP_NET_ADMIN);
	return 0;
}

/**
 * nc_authority_put() - give back what nc_authority_get() took
 * @auth: from there.
 */
void nc_authority_put(struct nc_authority *auth)
{
	if (auth->file)
		fput(auth->file);
	put_net(auth->net);
}

/* The caller holds the socket's lock. */
static int check_tcp(struct sock *sk)
{
	struct inet_hashinfo *hashinfo = tcp_or_dccp_get_hashinfo(sk);
	struct net *net = sock_net(sk);
	struct inet_bind_hashbucket *head;
	struct inet_bind_bucket *tb;
	bool shared = true;

	if (sk->sk_state != TCP_CLOSE || !inet_sk(sk)->inet_num)
		return -EACCES;
	head = &hashinfo->bhash[inet_bhashfn(net, inet_sk(sk)->inet_num,
					     hashinfo->bhash_size)];
	spin_lock_bh(&head->lock);
	tb = inet_csk(sk)->icsk_bind_hash;
	if (tb)
		shared = nc_tcp_bucket_shared(sk, tb);
	spin_unlock_bh(&head->lock);
	return shared ? -EADDRINUSE : 0;
}

/* The caller holds the socket's lock. */
static int check_udp(struct sock *sk)
{
	u16 port = inet_sk(sk)->inet_num;
	struct udp_hslot *slot;
	struct sock *other;
	bool shared = false;

	if (sk->sk_state != TCP_CLOSE || !port)
		return -EACCES;
	slot = udp_hashslot(nc_udp_table(sock_net(sk)), sock_net(sk), port);
	spin_lock_bh(&slot->lock);
	sk_for_each(other, &slot->head)
		if (other != sk && net_eq(sock_net(other), sock_net(sk)) &&
		    inet_sk(other)->inet_num == port)
			shared = true;
	spin_unlock_bh(&slot->lock);
	return shared ? -EADDRINUSE : 0;
}

static bool covers_ipv4(const struct sock *sk, const struct nc_key *flow)
{
	__be32 bound = READ_ONCE(inet_sk(sk)->inet_rcv_saddr);

	if (sk->sk_family == AF_INET6 &&
	    (ipv6_only_sock(sk) ||
	     !(ipv6_addr_any(&sk->sk_v6_rcv_saddr) ||
	       ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))))
		return false;
	return !bound || (NC_RANK_LOCAL(flow->rank) == 32 &&
			  flow->local.w[0] == bound);
}

static bool covers_ipv6(const struct sock *sk, const struct nc_key *flow)
{
	const struct in6_addr *bound = &sk->sk_v6_rcv_saddr;

	if (sk->sk_family != AF_INET6)
		return false;
	return ipv6_addr_any(bound) ||
	       (NC_RANK_LOCAL(flow->rank) == 128 &&
		!memcmp(&flow->local, bound, sizeof(*bound)));
}

/* Asked at BIND under the socket's lock, and later without it. */
static bool covers(const struct sock *sk, const struct nc_key *flow)
{
	int device = READ_ONCE(sk->sk_bound_dev_if);

	if (sk->sk_protocol != flow->protocol ||
	    htons(READ_ONCE(inet_sk(sk)->inet_num)) != flow->local_port)
		return false;
	if (device && device != flow->ifindex)
		return false;
	return flow->family == AF_INET ? covers_ipv4(sk, flow) :
					 covers_ipv6(sk, flow);
}

static int check_locked(struct sock *sk, const struct nc_key *flow)
{
	int err = -EACCES;

	if (!covers(sk, flow))
		return -EACCES;
	if (sk->sk_protocol == IPPROTO_TCP)
		err = check_tcp(sk);
	else if (sk->sk_protocol == IPPROTO_UDP)
		err = check_udp(sk);
	/* Nobody may join the port later. */
	if (!err && (sk->sk_reuse || sk->sk_reuseport))
		err = -EADDRINUSE;
	return err;
}

static int check_socket(struct sock *sk, const struct netchannel_flow *flow)
{
	struct nc_key key;
	int err;

	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return -EACCES;
	if (sk->sk_type != SOCK_STREAM && sk->sk_type != SOCK_DGRAM)
		return -EACCES;
	nc_flow_key(&key, flow);
	lock_sock(sk);
	err = check_locked(sk, &key);
	/* A disconnect does not give the port back, however it was got. */
	if (!err)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	release_sock(sk);
	return err;
}

/**
 * nc_authority_check() - is what vouches for a flow enough?
 * @auth: who does.
 * @bind: the flow.
 *
 * Return: 0, -EPERM, -EACCES or -EADDRINUSE.
 */
int nc_authority_check(const struct nc_authority *auth,
		       const struct netchannel_bind *bind)
{
	if (bind->hook != NETCHANNEL_HOOK_LATE && !auth->admin)
		return -EPERM;
	if (auth->sk)
		return check_socket(auth->sk, &bind->flow);
	return auth->admin ? 0 : -EPERM;
}

/**
 * nc_authority_holds() - does the authority still vouch for its flow?
 * @flow: any flow.
 *
 * Its owner can still bind it to a device or connect it.  What privilege vouches
 * for stays.
 *
 * Return: true if so.
 */
bool nc_authority_holds(const struct nc_flow *flow)
{
	return !flow->yields || covers(flow->sk, &flow->key);
}

static bool is_other(const struct nc_flow *flow, const struct sock *sk)
{
	return sk && sk != flow->sk;
}

static struct sock *find_connection(struct net *net, const struct nc_key *key,
				    int dif, int sdif)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;

	if (key->family == AF_INET)
		return __inet_lookup_established(net, hashinfo,
						 key->remote.w[0],
						 key->remote_port,
						 key->local.w[0],
						 ntohs(key->local_port), dif,
						 sdif);
	return __inet6_lookup_established(net, hashinfo,
					  (const void *)&key->remote,
					  key->remote_port,
					  (const void *)&key->local,
					  ntohs(key->local_port), dif, sdif);
}

/*
 * Without a reference: good under RCU for a comparison.  Which one of a group
 * that shares the port does not matter, so no program needs to see the packet.
 */
static struct sock *find_listener(struct net *net, const struct nc_key *key,
				  int dif, int sdif)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;

	if (key->family == AF_INET)
		return __inet_lookup_listener(net, hashinfo, NULL, 0,
					      key->remote.w[0],
					      key->remote_port,
					      key->local.w[0],
					      ntohs(key->local_port), dif,
					      sdif);
	return inet6_lookup_listener(net, hashinfo, NULL, 0,
				     (const void *)&key->remote,
				     key->remote_port,
				     (const void *)&key->local,
				     ntohs(key->local_port), dif, sdif);
}

static bool yields_tcp(const struct nc_flow *flow, struct net *net,
		       const struct nc_key *key, int dif, int sdif)
{
	struct sock *sk = find_connection(net, key, dif, sdif);
	bool other = is_other(flow, sk);

	if (!sk)
		return is_other(flow, find_listener(net, key, dif, sdif));
	sock_gen_put(sk);
	return other;
}

/* Without a reference, as above. */
static struct sock *find_udp(struct net *net, const struct nc_key *key, int dif,
			     int sdif)
{
	struct udp_table *table = nc_udp_table(net);

	if (key->family == AF_INET)
		return __udp4_lib_lookup(net, key->remote.w[0],
					 key->remote_port, key->local.w[0],
					 key->local_port, dif, sdif, table,
					 NULL);
	return __udp6_lib_lookup(net, (const void *)&key->remote,
				 key->remote_port, (const void *)&key->local,
				 key->local_port, dif, sdif, table, NULL);
}

/**
 * nc_authority_yields() - does a packet belong to another kernel socket?
 * @flow: any flow.
 * @net: namespace.
 * @skb: the packet, at local input, or one that quotes it.
 * @key: its key.
 *
 * Return: true if it does, or if the flow's authority has lost its right.
 */
bool nc_authority_yields(const struct nc_flow *flow, struct net *net,
			 struct sk_buff *skb, const struct nc_key *key)
{
	bool ipv4 = key->family == AF_INET;
	int dif = ipv4 ? inet_iif(skb) : inet6_iif(skb);
	int sdif = ipv4 ? inet_sdif(skb) : inet6_sdif(skb);

	if (likely(!flow->yields))
		return false;
	/* Found early, or given by a transparent proxy or a BPF program */
	if (is_other(flow, skb->sk) || !nc_authority_holds(flow))
		return true;
	if (key->protocol == IPPROTO_TCP)
		return yields_tcp(flow, net, key, dif, sdif);
	if (key->protocol == IPPROTO_UDP)
		return is_other(flow, find_udp(net, key, dif, sdif));
	return false;
}
