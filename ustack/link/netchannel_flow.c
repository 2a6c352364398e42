// SPDX-License-Identifier: MIT
/*
 * Flows of a channel, and the sockets that prove the right to their ports.  Such a
 * socket hears nothing itself: the channel does.  It holds its port for all
 * addresses of both families, since the module wants nobody else on the port; one
 * serves all flows of the port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/netchannel.h"

static bool is_v4(const struct us_addr *addr)
{
	return addr->q[0] == 0 && addr->b[8] == 0 && addr->b[9] == 0 &&
	       addr->b[10] == 0xff && addr->b[11] == 0xff;
}

/* ---------------------------------------------------------------- authority */

static int port_error(struct us_stack *stack, int err, uint16_t port)
{
	unsigned int number = ntohs(port);

	switch (err) {
	case -EADDRINUSE:
		return us_fail(stack, err, "netchannel: port %u is in use: a socket or another stack has it (ss -tanup shows it); choose another port, or end that program",
			       number);
	case -EACCES:
		return us_fail(stack, err, "netchannel: port %u needs CAP_NET_BIND_SERVICE: use a port from 1024 on, or run as root",
			       number);
	case -EMFILE:
		return us_fail(stack, err, "netchannel: no file descriptor left to hold a port: raise ulimit -n");
	default:
		return us_fail(stack, err, "netchannel: port %u: %s", number,
			       strerror(-err));
	}
}

/* If TIME-WAIT of the kernel's keeps a server from its port, beside that, which the module
 * does not mind.  Whoever listens there keeps the port to himself, and nobody can listen there
 * later.
 */
static int bind_beside(int fd, const struct sockaddr *address, socklen_t len)
{
	int reuse = 1, err;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	err = bind(fd, address, len) ? -errno : 0;
	reuse = 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	return err;
}

static int bind_to(int fd, uint8_t protocol, const struct sockaddr *address, socklen_t len)
{
	int err = bind(fd, address, len) ? -errno : 0;

	return err == -EADDRINUSE && protocol == IPPROTO_TCP ? bind_beside(fd, address, len) : err;
}

/* For both families if there is IPv6, else for IPv4. */
static int open_bound(uint8_t protocol, uint16_t *port)
{
	int type = (protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) |
		   SOCK_CLOEXEC;
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = *port };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = *port };
	socklen_t len = sizeof(v6);
	int fd = socket(AF_INET6, type, 0), off = 0, err;

	if (fd >= 0) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		err = bind_to(fd, protocol, (struct sockaddr *)&v6, sizeof(v6));
	} else {
		fd = socket(AF_INET, type, 0);
		if (fd < 0)
			return -errno;
		err = bind_to(fd, protocol, (struct sockaddr *)&v4, sizeof(v4));
	}
	if (!err && getsockname(fd, (struct sockaddr *)&v6, &len))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	/* Both families have the port at the same place. */
	*port = v6.sin6_port;
	return fd;
}

_Static_assert(offsetof(struct sockaddr_in6, sin6_port) ==
	       offsetof(struct sockaddr_in, sin_port), "place of the port");

/* A socket that holds a port, 0 is chosen and put back: its descriptor. */
static int open_port(struct us_nc *nc, uint8_t protocol, uint16_t *port)
{
	int fd = open_bound(protocol, port);

	nc->link.stats.syscalls += 4;
	return fd < 0 ? port_error(nc->link.stack, fd, *port) : fd;
}

/* The authority that holds a port already, else a free entry, else NULL. */
static struct us_nc_authority *find_port(struct us_nc *nc, uint8_t protocol,
					 uint16_t port)
{
	struct us_nc_authority *free = NULL;
	unsigned int i;

	for (i = 0; i < US_NC_AUTHORITIES; i++) {
		struct us_nc_authority *at = &nc->authority[i];

		if (!at->refs)
			free = free ? free : at;
		else if (at->port == port && at->protocol == protocol)
			return at;
	}
	return free;
}

/* Takes a reference on the authority for a port; 0 is chosen and put back. */
static int hold_port(struct us_nc *nc, uint8_t protocol, uint16_t *port,
		     struct us_nc_authority **authority)
{
	struct us_nc_authority *at = find_port(nc, protocol, *port);
	int fd;

	if (!at)
		return us_fail(nc->link.stack, -ENOBUFS, "netchannel: a stack listens on %u ports of a channel",
			       US_NC_AUTHORITIES);
	if (!at->refs) {
		fd = open_port(nc, protocol, port);
		if (fd < 0)
			return fd;
		*at = (struct us_nc_authority) { fd, 0, *port, protocol };
	}
	at->refs++;
	*authority = at;
	return 0;
}

static void let_go(struct us_nc *nc, struct us_nc_authority *at)
{
	if (!at || --at->refs)
		return;
	close(at->fd);
	nc->link.stats.syscalls++;
}

/**
 * us_nc_flows_close() - closes all authorities
 * @nc: the link; its channel is closed already.
 */
void us_nc_flows_close(struct us_nc *nc)
{
	unsigned int i;

	for (i = 0; i < US_NC_AUTHORITIES; i++)
		if (nc->authority[i].refs)
			close(nc->authority[i].fd);
}

/* -------------------------------------------------------------------- flows */

static bool is_any(const struct us_addr *addr)
{
	return !(addr->q[0] | addr->q[1]) || (is_v4(addr) && !addr->w[3]);
}

/* Address and prefix as the kernel has them. */
static uint8_t put_addr(uint8_t out[16], const struct us_addr *addr, bool v4)
{
	if (is_any(addr))
		return 0;
	if (v4)
		memcpy(out, &addr->b[12], 4);
	else
		memcpy(out, addr->b, 16);
	return v4 ? 32 : 128;
}

static struct netchannel_bind request(const struct us_nc *nc,
				      const struct us_flow *flow, int fd)
{
	bool v4 = flow->family == AF_INET;
	struct netchannel_bind bind = {
		.size = sizeof(bind),
		.flags = flow->listen_peer ? NETCHANNEL_BIND_LISTEN_PEER : 0,
		.hook = nc->hook,
		.sock_fd = fd,
		.flow = {
			.family = flow->family,
			.protocol = flow->protocol,
			.local_port = flow->local_port,
			.remote_port = flow->remote_port,
		},
	};

	bind.flow.local_prefix = put_addr(bind.flow.local, &flow->local, v4);
	bind.flow.remote_prefix = put_addr(bind.flow.remote, &flow->remote, v4);
	return bind;
}

static int bind_error(struct us_nc *nc, int err, uint16_t port)
{
	struct us_stack *stack = nc->link.stack;

	if (err == -EPERM && nc->hook == NETCHANNEL_HOOK_EARLY)
		return us_fail(stack, err, "netchannel: hook=early needs CAP_NET_ADMIN: run as root, or use hook=late");
	if (err == -ENOSPC)
		return us_fail(stack, err, "netchannel: a channel has %u flows: close sockets, or give more of them another stack",
			       NETCHANNEL_FLOWS_MAX);
	return port_error(stack, err, port);
}

/* The entry of a flow; with @used false a free one, where it will be found. */
static struct us_nc_flow *find_flow(struct us_nc *nc, uint32_t id, bool used)
{
	unsigned int i;

	for (i = 0; i < NETCHANNEL_FLOWS_MAX; i++) {
		struct us_nc_flow *at = &nc->flow[(id + i) % NETCHANNEL_FLOWS_MAX];

		if (at->used == used && (!used || at->id == id))
			return at;
	}
	return NULL;
}

/* There is room: the module allows as many flows and no more. */
static int bind_with(struct us_nc *nc, const struct us_flow *flow, int fd,
		     struct us_nc_authority *authority, uint32_t *id)
{
	struct netchannel_bind bind = request(nc, flow, fd);

	nc->link.stats.syscalls++;
	if (ioctl(nc->fd, NETCHANNEL_IOC_BIND, &bind))
		return bind_error(nc, -errno, flow->local_port);
	*find_flow(nc, bind.flow_id, false) = (struct us_nc_flow) {
		bind.flow_id, true, authority
	};
	nc->link.flows_left--;
	*id = bind.flow_id;
	return 0;
}

/* The channel keeps its authority by itself, and no other flow wants this port. */
static int bind_some_port(struct us_nc *nc, struct us_flow *flow, uint32_t *id)
{
	int fd = open_port(nc, flow->protocol, &flow->local_port), err;

	if (fd < 0)
		return fd;
	err = bind_with(nc, flow, fd, NULL, id);
	close(fd);
	nc->link.stats.syscalls++;
	return err;
}

/* The descriptor stays open, as another flow may want the same port. */
static int bind_port(struct us_nc *nc, struct us_flow *flow, uint32_t *id)
{
	struct us_nc_authority *authority = NULL;
	int err = hold_port(nc, flow->protocol, &flow->local_port, &authority);

	if (err)
		return err;
	err = bind_with(nc, flow, authority->fd, authority, id);
	if (err)
		let_go(nc, authority);
	return err;
}

static int address_error(struct us_stack *stack, int err)
{
	if (err == -EMFILE || err == -ENFILE)
		return port_error(stack, -EMFILE, 0);
	return us_fail(stack, err, "netchannel: the kernel has no such address, or no route (see ip route get): %s",
		       strerror(-err));
}

/**
 * us_nc_bind() - makes packets of a flow come in
 * @link: the link.
 * @flow: local port and, with a remote end, local address are set if zero.
 * @id: names the flow in packets.
 *
 * Return: 0 or a negative errno, with a text for ustack_error().
 */
int us_nc_bind(struct us_link *link, struct us_flow *flow, uint32_t *id)
{
	struct us_nc *nc = us_nc_of(link);
	uint32_t mtu;
	int err;

	if (!nc->link.flows_left)
		return bind_error(nc, -ENOSPC, 0);
	if (is_any(&flow->remote))
		err = us_nc_check_local(&flow->local);
	else
		err = us_nc_route(link, &flow->remote, &flow->local, &mtu);
	if (err)
		return address_error(link->stack, err);
	return flow->local_port || flow->paired ? bind_port(nc, flow, id) :
						  bind_some_port(nc, flow, id);
}

/**
 * us_nc_unbind() - undoes us_nc_bind()
 * @link: the link.
 * @id: of the flow.
 */
void us_nc_unbind(struct us_link *link, uint32_t id)
{
	struct netchannel_unbind unbind = { sizeof(unbind), id };
	struct us_nc *nc = us_nc_of(link);
	struct us_nc_flow *flow = find_flow(nc, id, true);

	if (!flow)
		return;
	/* Its last packets (the RST, the last ACK) may stand in the ring. */
	link->ops->flush(link);
	link->stats.syscalls++;
	ioctl(nc->fd, NETCHANNEL_IOC_UNBIND, &unbind);
	flow->used = false;
	link->flows_left++;
	let_go(nc, flow->authority);
}

/**
 * us_nc_latch() - steers a point-to-point listen flow
 * @link: the link.
 * @id: of the flow.
 * @peer: whom it serves.
 * @port: of @peer, network byte order.
 * @confirm: the handshake is done; else: the next one may come.
 *
 * Return: 0, -ESTALE, -ENOENT, -EINVAL.
 */
int us_nc_latch(struct us_link *link, uint32_t id, const struct us_addr *peer,
		uint16_t port, bool confirm)
{
	struct netchannel_latch latch = {
		.size = sizeof(latch),
		.flow_id = id,
		.op = confirm ? NETCHANNEL_LATCH_CONFIRM :
				NETCHANNEL_LATCH_RELEASE,
		.peer_port = port,
	};

	put_addr(latch.peer, peer, is_v4(peer));
	link->stats.syscalls++;
	return ioctl(us_nc_of(link)->fd, NETCHANNEL_IOC_LATCH, &latch) ? -errno : 0;
}
