// SPDX-License-Identifier: MIT
/*
 * link/packet.c, and what becomes of its device.  The kernel is played here: these calls
 * are the test's, so that it needs no privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <linux/virtio_net.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "host.h"
#include "tap.h"

static struct {
	bool gone;
	bool foreign;	/* the caller's network namespace is another by now */
	bool down;
	int mtu;
	int news;	/* errno that the next recvmmsg() gives */
	unsigned int sent;
	struct virtio_net_hdr vnet;
	uint32_t len;	/* of the frame that the next recvmmsg() gives */
	uint8_t frame[4096];
} device;

static struct host h;

unsigned int if_nametoindex(const char *name)
{
	(void)name;
	return 7;
}

char *if_indextoname(unsigned int index, char name[IF_NAMESIZE])
{
	return device.gone || device.foreign || index != 7 ? NULL : strcpy(name, "eth0");
}

int socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	return open("/dev/null", O_RDWR);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return 0;
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *ifr;
	va_list args;

	(void)fd;
	va_start(args, request);
	ifr = va_arg(args, struct ifreq *);
	va_end(args);
	if (request == SIOCGIFNAME && (device.gone || ifr->ifr_ifindex != 7)) {
		errno = ENODEV;
		return -1;
	}
	if (request == SIOCGIFNAME)
		strcpy(ifr->ifr_name, "eth0");
	else if (request == SIOCGIFHWADDR)
		ifr->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	else if (request == SIOCGIFFLAGS)
		ifr->ifr_flags = device.down ? 0 : IFF_UP;
	else
		ifr->ifr_mtu = device.mtu;
	return 0;
}

int recvmmsg(int fd, struct mmsghdr *msg, unsigned int count, int flags,
	     struct timespec *timeout)
{
	const struct iovec *iov = msg->msg_hdr.msg_iov;

	(void)fd;
	(void)count;
	(void)flags;
	(void)timeout;
	if (device.len) {
		memcpy(iov[0].iov_base, &device.vnet, sizeof(device.vnet));
		memcpy(iov[1].iov_base, device.frame, device.len);
		msg->msg_len = (uint32_t)sizeof(device.vnet) + device.len;
		device.len = 0;
		return 1;
	}
	errno = device.news ? device.news : EAGAIN;
	device.news = 0;
	return -1;
}

/* One by one, as the kernel may. */
int sendmmsg(int fd, struct mmsghdr *msg, unsigned int count, int flags)
{
	size_t len = 0, i;

	(void)fd;
	(void)count;
	(void)flags;
	for (i = 1; i < msg->msg_hdr.msg_iovlen; i++)
		len += msg->msg_hdr.msg_iov[i].iov_len;
	if (len > (size_t)device.mtu + US_ETH_LEN) {
		errno = EMSGSIZE;
		return -1;
	}
	device.sent++;
	return 1;
}

static struct us_link *begin(void)
{
	struct us_link *link;

	memset(&device, 0, sizeof(device));
	memset(&seen, 0, sizeof(seen));
	device.mtu = 1500;
	host_init(&h);
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	if (us_link_open(&h.stack, "packet:dev=eth0,peer=02:00:00:00:00:02", &link))
		abort();
	return link;
}

static void end(struct us_link *link)
{
	us_link_close(link);
	host_exit(&h);
}

/* A round, @seconds later. */
static void later(struct us_link *link, int seconds)
{
	host_run(&h, seconds * US_SEC);
	link->ops->poll(link, 64);
}

static void removed(void)
{
	struct us_link *link = begin();

	ok(!link->error && link->ops->next(link) == US_NEVER, "a device that is up");
	device.gone = true;
	device.news = ENETDOWN;
	later(link, 0);
	ok(link->error == -ENODEV, "removed");
	end(link);
}

/* ip link set eth0 down; ip link del eth0: a packet socket is told of the first alone. */
static void removed_later(void)
{
	struct us_link *link = begin();

	device.down = true;
	device.news = ENETDOWN;
	later(link, 0);
	later(link, 10);
	ok(!link->error && link->ops->next(link) == h.stack.now + US_SEC,
	   "down: looked for once a second");
	device.gone = true;
	later(link, 1);
	ok(link->error == -ENODEV && link->ops->next(link) == US_NEVER, "removed while down");
	end(link);
}

static void comes_back(void)
{
	struct us_link *link = begin();

	device.down = true;
	device.news = ENETDOWN;
	later(link, 0);
	device.down = false;
	later(link, 1);
	ok(!link->error && link->ops->next(link) == US_NEVER, "up again: not looked for");
	end(link);
}

/* setns() after the link was opened */
static void driven_from_elsewhere(void)
{
	struct us_link *link = begin();

	device.foreign = true;
	device.news = ENETDOWN;
	later(link, 0);
	ok(!link->error && link->ops->next(link) == US_NEVER, "up, in its own namespace");
	end(link);
}

static void send_udp(struct us_link *link, const char *to, uint32_t len)
{
	struct us_dst dst = { .remote = addr(to) };
	struct us_tx *tx;

	if (us_dst_resolve(&h.stack, &dst))
		abort();
	tx = us_ip_reserve(&h.stack, &dst, 0);
	memset(tx->head + dst.header_len, 0, len);
	tx->inline_len = dst.header_len + len;
	us_csum_output(&dst, tx, IPPROTO_UDP, US_UDP_CSUM_OFFSET);
	us_ip_submit(&h.stack, &dst, tx, IPPROTO_UDP);
	link->ops->flush(link);
}

/* ip link set eth0 mtu 1300 */
static void shrinks(const char *own, const char *peer)
{
	struct us_addr address = addr(own), to = addr(peer);
	struct us_link *link = begin();

	if (us_net_address_add(&h.stack, link, &address, 24))
		abort();
	send_udp(link, peer, 1400);
	later(link, 0);
	ok(device.sent == 1 && !seen.errors, "a packet that fits: %s", peer);
	device.mtu = 1300;
	send_udp(link, peer, 1400);
	ok(link->ops->next(link) <= h.stack.now && !seen.errors, "smaller by now: a poll will tell");
	later(link, 0);
	ok(seen.errors == 1 && seen.err == EMSGSIZE && seen.mtu == 1300 &&
	   us_addr_equal(&seen.dst, &to) && link->ops->next(link) == US_NEVER,
	   "who sent what is too large is told, once");
	ok(link->mtu == 1300 && !h.stack.pkts.used, "so is who comes later, by the link");
	end(link);
}

static uint16_t segments;

static void count_segments(struct us_stack *stack, struct us_pkt *pkt)
{
	(void)stack;
	segments = pkt->gso_segs;
	us_pkt_put(pkt);
}

/* The offload header tells how much is linear: headers, or the whole first packet. */
static uint16_t merged_of(struct us_link *link, bool six, uint32_t payload, uint16_t linear)
{
	uint8_t tcp[32 + 3000] = { [12] = 0x80, [13] = 0x10 };
	uint32_t len = ip_packet(device.frame + 14, six ? "2001:db8::2" : "192.0.2.2",
				 six ? "2001:db8::1" : "192.0.2.1", IPPROTO_TCP, tcp,
				 32 + payload);

	device.len = 14 + len;
	device.vnet = (struct virtio_net_hdr) {
		.flags = VIRTIO_NET_HDR_F_DATA_VALID,
		.gso_type = six ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = 1000,
		.hdr_len = (uint16_t)(14 + len - payload + linear),
	};
	segments = 0;
	later(link, 0);
	return segments;
}

static void merged(bool six)
{
	static const struct us_upcalls up = { .link_input = count_segments };
	struct us_link *link = begin();

	h.stack.up = &up;
	ok(merged_of(link, six, 2000, 0) == 2 && merged_of(link, six, 2001, 0) == 3 &&
	   merged_of(link, six, 2999, 0) == 3, "merged packets are counted");
	ok(merged_of(link, six, 2000, 1000) == 2 && merged_of(link, six, 2001, 2001) == 3,
	   "wherever the kernel has their bytes");
	end(link);
}

int main(void)
{
	plan(0);
	removed();
	removed_later();
	comes_back();
	driven_from_elsewhere();
	shrinks("192.0.2.1", "192.0.2.2");
	shrinks("2001:db8::1", "2001:db8::2");
	merged(false);
	merged(true);
	return finish();
}
