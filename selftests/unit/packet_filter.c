// SPDX-License-Identifier: MIT
/*
 * link/packet_filter.c, link/packet_address.c and the arguments of link/packet.c.
 * The filter runs in the kernel, on a socket that needs no privilege.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "link/packet.h"
#include "tap.h"

#define MANY	400

static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0x12, 0x34 };
static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0x12, 0x35 };
static const uint8_t group_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };

static int pair[2];
static uint8_t frame[128];

static uint32_t make(const uint8_t *mac, uint16_t type, const char *dst)
{
	struct us_eth *eth = (void *)frame;
	struct us_addr to = addr(dst);

	memset(frame, 0, sizeof(frame));
	memcpy(eth->dst, mac, 6);
	eth->type = us_put16(type);
	if (type == 0x86dd)
		memcpy(frame + 38, to.b, 16);
	else
		memcpy(frame + 30, &to.b[12], 4);
	return type == 0x86dd ? 54 : 34;
}

static bool passes(uint32_t len)
{
	uint8_t back[sizeof(frame)];

	if (send(pair[0], frame, len, MSG_DONTWAIT) < 0 && errno != EPERM)
		abort();
	return recv(pair[1], back, sizeof(back), MSG_DONTWAIT) == (ssize_t)len &&
	       !memcmp(back, frame, len);
}

static void filter(void)
{
	struct us_addr own[MANY];
	unsigned int i;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		abort();
	for (i = 0; i < MANY; i++) {
		own[i] = i % 2 ? addr("2001:db8::1:0") : addr("10.1.0.0");
		own[i].b[14] = (uint8_t)(i >> 8);
		own[i].b[15] = (uint8_t)i;
	}
	ok(us_packet_filter(pair[1], own_mac, own, 0) == 0, "no address yet");
	ok(!passes(make(own_mac, 0x800, "10.1.0.0")) &&
	   !passes(make(own_mac, 0x86dd, "2001:db8::1")), "no IP passes");
	ok(passes(make(own_mac, 0x806, "0.0.0.0")) &&
	   passes(make(group_mac, 0x86dd, "ff02::1")), "ARP and multicast do");
	ok(us_packet_filter(pair[1], own_mac, own, MANY) == 0, "many addresses");
	ok(passes(make(own_mac, 0x800, "10.1.0.0")) &&
	   passes(make(own_mac, 0x800, "10.1.1.142")), "first and last IPv4");
	ok(passes(make(own_mac, 0x86dd, "2001:db8::1:1")) &&
	   passes(make(own_mac, 0x86dd, "2001:db8::1:18f")), "first and last IPv6");
	ok(!passes(make(own_mac, 0x800, "10.1.0.1")) &&
	   !passes(make(own_mac, 0x86dd, "2001:db8::1:0")) &&
	   !passes(make(own_mac, 0x86dd, "2001:db8:0:1::1")), "foreign ones");
	ok(!passes(make(other_mac, 0x800, "10.1.0.0")), "another station's MAC");
	ok(passes(make(group_mac, 0x800, "10.1.0.0")), "a group's");
	ok(!passes(make(own_mac, 0x8100, "10.1.0.0")), "another type");
	make(own_mac, 0x800, "10.1.0.0");
	ok(!passes(33) && !passes(13) && !passes(1), "short frames");
	close(pair[0]);
	close(pair[1]);
	ok(us_packet_filter(-1, own_mac, own, 1) == -EBADF, "no socket");
}

static bool refused(struct host *h, const char *spec, int err, const char *word)
{
	struct us_link *link;
	int got = us_link_open(&h->stack, spec, &link);

	printf("# %s: %s\n", spec, h->stack.error);
	return got == err && strstr(h->stack.error, word);
}

int main(void)
{
	static struct host h;
	struct us_addr lo = addr("127.0.0.1"), other = addr("192.0.2.77");

	plan(19);
	filter();
	host_init(&h);
	ok(us_packet_check_address(&h.stack, &other) == 0, "a free address");
	ok(us_packet_check_address(&h.stack, &lo) == -EADDRINUSE &&
	   strstr(h.stack.error, "127.0.0.1 is the kernel's, on lo"),
	   "one of the kernel's");
	ok(refused(&h, "packet", -EINVAL, "dev=NAME"), "no device");
	ok(refused(&h, "packet:dev=lo,ifindex=1", -EINVAL, "either"), "two of them");
	ok(refused(&h, "packet:dev=no-such-dev", -ENODEV, "no-such-dev"),
	   "one that is not there");
	ok(refused(&h, "packet:ifindex=x", -EINVAL, "ifindex=x"), "no number");
	ok(refused(&h, "packet:dve=lo", -EINVAL, "dve=lo"), "a slip of the pen");
	host_exit(&h);
	return finish();
}
