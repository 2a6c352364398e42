// SPDX-License-Identifier: MIT
/*
 * A link over a packet socket (packet(7)): Ethernet frames of one device, in and
 * out in batches.  With the offload header (PACKET_VNET_HDR) the kernel cuts
 * super-segments and fills in checksums, and gives merged packets and those whose
 * checksum was never filled in because they did not leave the machine.
 *
 * The kernel hears the same frames: an address of the stack must not be one of
 * the kernel's, or it would reset the stack's connections.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "link/link.h"
#include "link/packet.h"
#include "wire/eth.h"
#include "wire/udp.h"

#define BATCH		32u	/* frames of one system call */
#define TX_SLOTS	64u
#define RX_BUFFERS	256u
#define PACKET_MAX	65535u	/* the largest IP packet */
#define FRAME_MAX	(PACKET_MAX + US_ETH_LEN)
#define SOCKET_BUFFER	(8 << 20)
#define RETRY		US_MSEC	/* when the device's queue was full */
#define LOOK		US_SEC	/* at a device that is down */
#define GSO_UDP_L4	5	/* VIRTIO_NET_HDR_GSO_UDP_L4, which Debian 12's header lacks */
#define ADDRESSES_MAX	448u	/* whose filter fits (BPF_MAXINSNS is 4096) */

/**
 * struct buffer - a received frame
 * @pad: puts the IP header on a multiple of four bytes.
 * @data: the frame.
 */
struct buffer {
	uint8_t pad[2];
	uint8_t data[FRAME_MAX];
};

/**
 * struct slot - a frame to be sent
 * @tx: as filled in.
 * @vnet: its offload header.
 * @head: memory of tx.head.
 */
struct slot {
	struct us_tx tx;
	struct virtio_net_hdr vnet;
	uint8_t *head;
};

/**
 * struct packet - a packet link
 * @link: first member.
 * @fd: the socket.
 * @rx: pool of struct buffer.
 * @ready: buffers for the next recvmmsg(2).
 * @rx_vnet: their offload headers.
 * @heads: memory of all slots.
 * @head_size: bytes of one.
 * @slot: ring of frames to be sent.
 * @first: oldest slot in use, running freely.
 * @last: slot to reserve next.
 * @blocked: the device took no more; time to try again.
 * @look: the device is down; time to see whether it is still there.
 * @starved: reserve() found no slot.
 * @refused: the head of a packet that was too large for the device, for poll() to tell.
 * @refused_len: bytes of it; 0: there is none.
 * @told: the ICMP error made of it.
 * @addr: own addresses, for the filter.
 * @addrs: of @addr.
 */
struct packet {
	struct us_link link;
	int fd;
	struct us_pool rx;
	struct buffer *ready[BATCH];
	struct virtio_net_hdr rx_vnet[BATCH];
	uint8_t *heads;
	uint32_t head_size;
	struct slot slot[TX_SLOTS];
	uint32_t first;
	uint32_t last;
	us_ns blocked;
	us_ns look;
	bool starved;
	uint8_t refused[US_TX_INLINE];
	uint32_t refused_len;
	struct us_link_told told;
	struct us_addr addr[ADDRESSES_MAX];
	unsigned int addrs;
};

static const char *const keys[] = { "dev", "ifindex", "mac", "peer", NULL };

static struct packet *packet_of(const struct us_link *link)
{
	return us_container(link, struct packet, link);
}

/* ------------------------------------------------------------------ opening */

/* The device by name or index, the name in @ifr. */
static int find_device(struct us_stack *stack, const char *args,
		       struct packet *p, struct ifreq *ifr)
{
	uint64_t index = 0;
	bool named;
	int err;

	memset(ifr, 0, sizeof(*ifr));
	err = us_link_arg(stack, args, "dev", ifr->ifr_name, sizeof(ifr->ifr_name));
	named = !err;
	if (!err || err == -ENOENT)
		err = us_link_arg_number(stack, args, "ifindex", 1, 1, INT32_MAX, &index);
	if (err)
		return err;
	if (named == !!index)
		return us_fail(stack, -EINVAL, "packet: which device? Use either dev=NAME or ifindex=N");
	if (named)
		index = if_nametoindex(ifr->ifr_name);
	else if (!if_indextoname((unsigned int)index, ifr->ifr_name))
		return us_fail(stack, -ENODEV, "packet: there is no device with ifindex=%llu: see ip link",
			       (unsigned long long)index);
	if (!index)
		return us_fail(stack, -ENODEV, "packet: there is no device dev=%s: see ip link",
			       ifr->ifr_name);
	p->link.ifindex = (uint32_t)index;
	return 0;
}

static int ask_device(struct us_stack *stack, struct packet *p,
		      struct ifreq *ifr)
{
	if (ioctl(p->fd, SIOCGIFHWADDR, ifr) ||
	    ifr->ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return us_fail(stack, -EINVAL, "packet: %s is no Ethernet device: use one that is, for instance a veth",
			       ifr->ifr_name);
	memcpy(p->link.mac, ifr->ifr_hwaddr.sa_data, US_ETH_ADDR);
	if (ioctl(p->fd, SIOCGIFFLAGS, ifr))
		return us_fail(stack, -errno, "packet: %s: %s", ifr->ifr_name,
			       strerror(errno));
	if (!(ifr->ifr_flags & IFF_UP))
		return us_fail(stack, -ENETDOWN, "packet: %s is down: use ip link set %s up",
			       ifr->ifr_name, ifr->ifr_name);
	if (ioctl(p->fd, SIOCGIFMTU, ifr))
		return us_fail(stack, -errno, "packet: %s: %s", ifr->ifr_name,
			       strerror(errno));
	p->link.mtu = (uint32_t)ifr->ifr_mtu;
	if (p->link.mtu > PACKET_MAX)
		p->link.mtu = PACKET_MAX;
	return 0;
}

/* Group frames are needed for ND, foreign ones for a MAC of the stack's own. */
static int join(struct packet *p, unsigned short type)
{
	struct packet_mreq mreq = {
		.mr_ifindex = (int)p->link.ifindex, .mr_type = type,
	};

	return setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
			  sizeof(mreq));
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int open_socket(struct us_stack *stack, struct packet *p)
{
	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd >= 0)
		return 0;
	if (errno == EPERM)
		return us_fail(stack, -EPERM, "packet: a packet socket needs CAP_NET_RAW: run as root, or setcap cap_net_raw+ep on the program");
	return us_fail(stack, -errno, "packet: socket: %s", strerror(errno));
}

/* The kernel tells twice what it was asked for: it counts its own structures, too. */
static uint32_t receive_room(int fd)
{
	socklen_t len = sizeof(int);
	int room = 0;

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &len);
	return (uint32_t)room / 2;
}

static int bind_socket(struct us_stack *stack, struct packet *p, bool own_mac)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)p->link.ifindex,
	};
	int err;

	/* Larger buffers than the system's limit need CAP_NET_ADMIN. */
	if (set_option(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER))
		set_option(p->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	if (set_option(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER))
		set_option(p->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	p->link.rx_room = receive_room(p->fd);
	err = us_packet_filter(p->fd, p->link.mac, NULL, 0);
	if (err)
		return us_fail(stack, err, "packet: filter: %s", strerror(-err));
	if (set_option(p->fd, SOL_PACKET, PACKET_VNET_HDR, 1) ||
	    set_option(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) ||
	    join(p, PACKET_MR_ALLMULTI) ||
	    (!own_mac && join(p, PACKET_MR_PROMISC)) ||
	    bind(p->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return us_fail(stack, -errno, "packet: socket of ifindex %u: %s",
			       p->link.ifindex, strerror(errno));
	return 0;
}

static int make_buffers(struct us_stack *stack, struct packet *p)
{
	unsigned int i;

	p->head_size = p->link.mtu + US_ETH_LEN;
	if (p->head_size < US_TX_INLINE)
		p->head_size = US_TX_INLINE;
	p->head_size = (p->head_size + 2 + 63) & ~63u;
	p->heads = malloc((size_t)p->head_size * TX_SLOTS);
	if (!p->heads || us_pool_create(&p->rx, sizeof(struct buffer), RX_BUFFERS))
		return us_fail(stack, -ENOMEM, "packet: no memory for buffers");
	for (i = 0; i < TX_SLOTS; i++)
		p->slot[i].head = p->heads + (size_t)p->head_size * i + 2;
	return 0;
}

/* Offload headers know UDP's super-segments since Linux 6.2.  No call tells, and before
 * it such a packet is refused.
 */
static bool kernel_cuts_udp(void)
{
	unsigned int major, minor;
	struct utsname name;

	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

static int set_up(struct us_stack *stack, const char *args, struct packet *p)
{
	struct ifreq ifr;
	uint8_t mac[6];
	bool own_mac;
	int err;

	err = us_link_arg_check(stack, args, keys);
	if (!err)
		err = find_device(stack, args, p, &ifr);
	if (!err)
		err = open_socket(stack, p);
	if (!err)
		err = ask_device(stack, p, &ifr);
	if (err)
		return err;
	memcpy(mac, p->link.mac, US_ETH_ADDR);
	err = us_link_arg_mac(stack, args, "mac", p->link.mac);
	if (err && err != -ENOENT)
		return err;
	own_mac = !memcmp(mac, p->link.mac, US_ETH_ADDR);
	err = us_link_arg_mac(stack, args, "peer", p->link.peer_mac);
	if (err && err != -ENOENT)
		return err;
	p->link.fixed_peer = !err;
	err = bind_socket(stack, p, own_mac);
	return err ? err : make_buffers(stack, p);
}

static void destroy(struct packet *p)
{
	if (p->fd >= 0)
		close(p->fd);
	us_pool_destroy(&p->rx);
	free(p->heads);
	free(p);
}

static int open_packet(struct us_stack *stack, const char *args,
		       struct us_link **link)
{
	struct packet *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return us_fail(stack, -ENOMEM, "packet: no memory");
	p->fd = -1;
	p->blocked = US_NEVER;
	p->look = US_NEVER;
	p->link.flags = US_LINK_ETHERNET | US_LINK_CSUM | US_LINK_GSO_TCP;
	if (kernel_cuts_udp())
		p->link.flags |= US_LINK_GSO_UDP;
	p->link.gso_max = PACKET_MAX;
	p->link.kept = us_link_kept(TX_SLOTS);
	err = set_up(stack, args, p);
	if (err) {
		destroy(p);
		return err;
	}
	*link = &p->link;
	return 0;
}

static void put_frags(const struct us_tx *tx)
{
	uint32_t i;

	for (i = 0; i < tx->nr_frags; i++)
		us_chunk_put(tx->frag[i].chunk);
}

static void close_packet(struct us_link *link)
{
	struct packet *p = packet_of(link);

	for (; p->first != p->last; p->first++)
		put_frags(&p->slot[p->first % TX_SLOTS].tx);
	destroy(p);
}

/* ------------------------------------------------------------------ sending */

static bool has_room(const struct packet *p, uint32_t keep)
{
	return p->last - p->first + keep < TX_SLOTS;
}

static struct us_tx *reserve(struct us_link *link, uint32_t keep)
{
	struct packet *p = packet_of(link);
	struct slot *slot = &p->slot[p->last % TX_SLOTS];

	if (!has_room(p, keep)) {
		link->ops->flush(link);
		if (!has_room(p, keep)) {
			p->starved = true;
			return NULL;
		}
	}
	return us_tx_begin(&slot->tx, link, slot->head,
			   p->link.mtu + US_ETH_LEN < US_TX_INLINE ?
			   US_TX_INLINE : p->link.mtu + US_ETH_LEN);
}

/* Bytes up to the payload, which is what the kernel cuts. */
static uint16_t header_len(const struct us_tx *tx)
{
	return (uint16_t)(tx->l4 + (tx->gso == US_GSO_UDP ? US_UDP_LEN :
				    (tx->head[tx->l4 + 12] >> 4) * 4u));
}

static uint8_t gso_type(const struct us_tx *tx)
{
	if (tx->gso == US_GSO_UDP)
		return GSO_UDP_L4;
	return tx->head[tx->l3] >> 4 == 6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
					    VIRTIO_NET_HDR_GSO_TCPV4;
}

static void write_vnet(struct slot *slot)
{
	const struct us_tx *tx = &slot->tx;

	slot->vnet = (struct virtio_net_hdr) { .flags = 0 };
	if (tx->csum_offload) {
		slot->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		slot->vnet.csum_start = tx->l4;
		slot->vnet.csum_offset = tx->csum_offset;
	}
	if (tx->gso) {
		slot->vnet.gso_type = gso_type(tx);
		slot->vnet.gso_size = tx->gso_size;
		slot->vnet.hdr_len = header_len(tx);
	}
}

static void submit(struct us_link *link, struct us_tx *tx)
{
	struct packet *p = packet_of(link);
	struct slot *slot = us_container(tx, struct slot, tx);
	uint32_t i;

	write_vnet(slot);
	link->stats.tx_packets++;
	link->stats.tx_bytes += tx->inline_len;
	for (i = 0; i < tx->nr_frags; i++) {
		us_chunk_get(tx->frag[i].chunk);
		link->stats.tx_bytes += tx->frag[i].len;
	}
	p->last++;
}

/* Describes up to BATCH frames, from the oldest on.  Returns their number. */
static unsigned int describe(struct packet *p, struct mmsghdr *msg,
			     struct iovec (*iov)[2 + US_TX_FRAGS])
{
	unsigned int n;
	uint32_t i;

	for (n = 0; n < BATCH && p->first + n != p->last; n++) {
		struct slot *slot = &p->slot[(p->first + n) % TX_SLOTS];
		const struct us_tx *tx = &slot->tx;

		iov[n][0] = (struct iovec) { &slot->vnet, sizeof(slot->vnet) };
		iov[n][1] = (struct iovec) { tx->head, tx->inline_len };
		for (i = 0; i < tx->nr_frags; i++)
			iov[n][2 + i] = (struct iovec) {
				tx->frag[i].chunk->data + tx->frag[i].offset,
				tx->frag[i].len
			};
		msg[n] = (struct mmsghdr) {
			.msg_hdr = { .msg_iov = iov[n],
				     .msg_iovlen = 2 + tx->nr_frags },
		};
	}
	return n;
}

/* The kernel has copied, or refused, the oldest @n frames. */
static void complete(struct packet *p, unsigned int n)
{
	for (; n; n--, p->first++)
		put_frags(&p->slot[p->first % TX_SLOTS].tx);
}

/* By the socket: whoever drives the stack may have gone to another network namespace. */
static bool is_there(struct packet *p, struct ifreq *ifr)
{
	ifr->ifr_ifindex = (int)p->link.ifindex;
	return !ioctl(p->fd, SIOCGIFNAME, ifr);
}

/* The kernel tells that the device went down, but not that it is removed after that. */
static void check_device(struct packet *p)
{
	struct ifreq ifr;

	p->look = US_NEVER;
	if (!is_there(p, &ifr))
		p->link.error = -ENODEV;
	else if (ioctl(p->fd, SIOCGIFFLAGS, &ifr) || !(ifr.ifr_flags & IFF_UP))
		p->look = p->link.stack->now + LOOK;
}

/* The device's MTU is smaller by now: the last one that did not fit is told of. */
static void note_refused(struct packet *p)
{
	const struct us_tx *tx = &p->slot[p->first % TX_SLOTS].tx;

	p->refused_len = us_min32(tx->inline_len - tx->l3, US_TX_INLINE);
	memcpy(p->refused, tx->head + tx->l3, p->refused_len);
}

static us_noinline void tell_refused(struct packet *p)
{
	uint32_t len = p->refused_len;
	struct ifreq ifr;

	p->refused_len = 0;
	if (!is_there(p, &ifr) || ioctl(p->fd, SIOCGIFMTU, &ifr))
		return;
	p->link.mtu = us_min32(p->link.mtu, (uint32_t)ifr.ifr_mtu);
	us_link_refused(&p->link, &p->told, p->refused, len, EMSGSIZE, p->link.mtu);
}

static void flush(struct us_link *link)
{
	struct iovec iov[BATCH][2 + US_TX_FRAGS];
	struct mmsghdr msg[BATCH];
	struct packet *p = packet_of(link);

	p->blocked = US_NEVER;
	while (p->first != p->last) {
		int sent = sendmmsg(p->fd, msg, describe(p, msg, iov), 0);

		link->stats.syscalls++;
		if (sent > 0) {
			complete(p, (unsigned int)sent);
		} else if (errno == EAGAIN) {
			p->blocked = link->stack->now + RETRY;
			return;
		} else if (errno != EINTR) {
			/* The first frame is what the kernel did not like. */
			link->stats.tx_dropped++;
			if (errno == EMSGSIZE)
				note_refused(p);
			if (errno == ENETDOWN || errno == ENXIO || errno == ENODEV)
				check_device(p);
			complete(p, 1);
		}
	}
}

/* ---------------------------------------------------------------- receiving */

/* Fills up the buffers for the next call.  Returns how many there are. */
static unsigned int prepare(struct packet *p, unsigned int want,
			    struct mmsghdr *msg, struct iovec (*iov)[2])
{
	unsigned int n;

	for (n = 0; n < want; n++) {
		if (!p->ready[n])
			p->ready[n] = us_pool_get(&p->rx);
		if (!p->ready[n])
			break;
		iov[n][0] = (struct iovec) { &p->rx_vnet[n], sizeof(p->rx_vnet[n]) };
		iov[n][1] = (struct iovec) { p->ready[n]->data, FRAME_MAX };
		msg[n] = (struct mmsghdr) {
			.msg_hdr = { .msg_iov = iov[n], .msg_iovlen = 2 },
		};
	}
	return n;
}

static void read_vnet(struct us_pkt *pkt, const struct virtio_net_hdr *vnet)
{
	/* A checksum that is not filled in never left this machine. */
	if (vnet->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM |
			   VIRTIO_NET_HDR_F_DATA_VALID))
		pkt->csum_state = US_CSUM_VERIFIED;
	switch (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		pkt->gso = US_GSO_TCP;
		break;
	case GSO_UDP_L4:
		pkt->gso = US_GSO_UDP;
		break;
	default:
		return;
	}
	/* vnet.hdr_len is what is linear: headers, or all of the first packet. */
	pkt->gso_size = vnet->gso_size;
	if (!pkt->gso_size)
		pkt->gso = US_GSO_NONE;
	else
		pkt->gso_segs = us_link_segments(pkt->data + US_ETH_LEN, pkt->len - US_ETH_LEN,
						 pkt->gso, pkt->gso_size);
}

static void deliver(struct packet *p, unsigned int index, uint32_t len)
{
	struct us_link *link = &p->link;
	struct us_pkt *pkt;

	if (len < sizeof(struct virtio_net_hdr))
		return;
	pkt = us_link_pkt(link);
	if (!pkt)
		return;		/* the buffer stays ready */
	pkt->data = p->ready[index]->data;
	pkt->len = len - (uint32_t)sizeof(struct virtio_net_hdr);
	pkt->token = (uintptr_t)p->ready[index];
	p->ready[index] = NULL;
	read_vnet(pkt, &p->rx_vnet[index]);
	link->stats.rx_packets++;
	link->stats.rx_bytes += pkt->len;
	link->stack->up->link_input(link->stack, pkt);
}

/* One system call.  Returns the frames it brought, at most @want. */
static unsigned int receive(struct packet *p, unsigned int want)
{
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH][2];
	unsigned int n = prepare(p, want, msg, iov);
	int got, i;

	if (!n)
		return 0;
	got = recvmmsg(p->fd, msg, n, MSG_DONTWAIT, NULL);
	p->link.stats.syscalls++;
	if (got < 0) {
		if (errno == ENETDOWN)
			check_device(p);
		/* 6.1 has no offload header for UDP super-packets: EINVAL. */
		else if (errno == EINVAL)
			p->link.stats.rx_dropped++;
		return 0;
	}
	for (i = 0; i < got; i++)
		deliver(p, (unsigned int)i, msg[i].msg_len);
	return (unsigned int)got;
}

static unsigned int poll_packet(struct us_link *link, unsigned int budget)
{
	struct packet *p = packet_of(link);
	unsigned int done = 0, want, got;

	do {
		want = budget - done < BATCH ? budget - done : BATCH;
		got = receive(p, want);
		done += got;
	} while (got == want && done < budget);
	if (p->first != p->last)
		flush(link);
	if (us_unlikely(link->stack->now >= p->look))
		check_device(p);
	if (us_unlikely(p->refused_len))
		tell_refused(p);
	if (p->starved && has_room(p, link->kept)) {
		p->starved = false;
		link->stack->up->link_writable(link->stack, link);
	}
	return done;
}

static void release(struct us_link *link, struct us_pkt *pkt)
{
	if (us_likely(pkt->token != US_LINK_TOLD))
		us_pool_put(&packet_of(link)->rx, (void *)(uintptr_t)pkt->token);
}

static bool pressure(const struct us_link *link)
{
	const struct us_pool *rx = &packet_of(link)->rx;

	return rx->used > rx->count / 2;
}

static int fd(const struct us_link *link)
{
	return packet_of(link)->fd;
}

static us_ns next(const struct us_link *link)
{
	const struct packet *p = packet_of(link);

	/* What a flush since the last poll did somebody waits for: room, or an error. */
	if (p->refused_len || (p->starved && has_room(p, link->kept)))
		return link->stack->now;
	return p->look < p->blocked ? p->look : p->blocked;
}

/* ---------------------------------------------------------------- addresses */

static int claim(struct us_link *link, const struct us_addr *addr)
{
	struct packet *p = packet_of(link);
	int err = us_packet_check_address(link->stack, addr);

	if (err)
		return err;
	if (p->addrs == ADDRESSES_MAX)
		return us_fail(link->stack, -ENOSPC, "packet: a link filters for %u addresses",
			       ADDRESSES_MAX);
	p->addr[p->addrs] = *addr;
	err = us_packet_filter(p->fd, link->mac, p->addr, p->addrs + 1);
	if (err)
		return us_fail(link->stack, err, "packet: filter: %s", strerror(-err));
	p->addrs++;
	return 0;
}

const struct us_link_ops us_packet_ops = {
	.name = "packet",
	.open = open_packet,
	.close = close_packet,
	.reserve = reserve,
	.submit = submit,
	.flush = flush,
	.poll = poll_packet,
	.release = release,
	.pressure = pressure,
	.fd = fd,
	.next = next,
	.claim = claim,
};
