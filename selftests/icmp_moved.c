// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors whose headers move while the module has them: on 6.1 IPsec wants to look
 * at the ICMP header, which a device has left outside of the linear part, and a packet
 * socket shares that, so IPsec makes a copy of it; what was there is gone as soon as the
 * packet socket's reader is done.  Only the debug kernel sees who looks there.
 */
/* kselftest-mode: smp */
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"
#include "lib/packet.h"

#define TIMES	100
#define QUOTED	60000	/* to sum it up and to copy it takes a while */

FIXTURE(icmp_moved) {
	struct net net;
	struct chan c;
	int tun;
	int reader;
	pthread_t thread;
	struct packet error;
};

/* Packets of this device have the IP header in their linear part, and nothing else. */
static int open_tun(const struct net *net)
{
	struct ifreq request = {
		.ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR,
	};
	int fd;

	net_run(net->here, "modprobe -qa tun xfrm_user");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) ||
	    net_run(net->here, "/bin/ip link set tun0 up && "
		    "/bin/ip route add " OTHER4 "/32 dev tun0 && "
		    "/bin/ip xfrm policy add src 192.0.2.1 dst 192.0.2.2 dir in"))
		return -1;
	return fd;
}

static int inject(int tun, const struct packet *p)
{
	struct virtio_net_hdr header = { .hdr_len = p->transport };
	struct iovec parts[] = {
		{ &header, sizeof(header) }, { (void *)p->data, p->length },
	};

	return writev(tun, parts, 2) == sizeof(header) + p->length ? 0 : -1;
}

static int open_reader(void)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex("tun0"),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return bind(fd, (void *)&ll, sizeof(ll)) ? -1 : fd;
}

static void *read_all(void *fd)
{
	char byte;

	net_pin(1);
	for (;;) {
		recv(*(int *)fd, &byte, 1, MSG_DONTWAIT);
		pthread_testcancel();
	}
	return NULL;
}

/* "Port unreachable", about a packet of the flow. */
static void make_error(struct packet *error)
{
	static uint8_t icmp[8 + QUOTED] = { 3, 3 };
	static struct packet sent;
	uint32_t sum = 0, i;

	packet_init(&sent, IPPROTO_UDP, HERE4, 7, PEER4, 9, icmp, QUOTED - 28);
	memcpy(icmp + 8, sent.data, QUOTED);
	for (i = 0; i < sizeof(icmp); i += 2)
		sum += icmp[i] << 8 | icmp[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	icmp[2] = ~sum >> 8;
	icmp[3] = ~sum;
	packet_init(error, IPPROTO_ICMP, OTHER4, 0, HERE4, 0, icmp, sizeof(icmp));
}

FIXTURE_SETUP(icmp_moved)
{
	ASSERT_EQ(0, net_create(&self->net));
	net_spoil();
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
	ASSERT_LE(0, chan_flow(&self->c, NETCHANNEL_HOOK_LATE, IPPROTO_UDP, HERE4, 7,
			       PEER4, 9));
	self->tun = open_tun(&self->net);
	ASSERT_LE(0, self->tun);
	self->reader = open_reader();
	ASSERT_LE(0, self->reader);
	make_error(&self->error);
	net_pin(0);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, read_all, &self->reader));
}

FIXTURE_TEARDOWN(icmp_moved)
{
	pthread_cancel(self->thread);
	pthread_join(self->thread, NULL);
	chan_destroy(&self->c);
}

TEST_F(icmp_moved, all_are_told)
{
	struct netchannel_rx_desc *desc;
	int i;

	for (i = 0; i < TIMES; i++) {
		ASSERT_EQ(0, inject(self->tun, &self->error));
		desc = chan_recv(&self->c);
		ASSERT_NE(NULL, desc);
		ASSERT_EQ(NETCHANNEL_RX_ERROR, desc->type);
		ASSERT_EQ(8 + QUOTED, desc->length);
		chan_release(&self->c, desc);
	}
}

TEST_HARNESS_MAIN
