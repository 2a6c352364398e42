// SPDX-License-Identifier: MIT
/* What a descriptor of the channel says of a packet, as the transport hears it. */
#include <netinet/in.h>

#include "host.h"
#include "nc_bed.h"
#include "tap.h"

static struct netchannel_ctl ctl;
static struct host h;
static uint8_t data[2048];
static uint32_t released[DEPTH];
static uint32_t length;

static void begin(bool six)
{
	uint8_t udp[12] = { 0, 9, 0, 7, 0, 12, 1, 2, 3 };	/* no such checksum */

	host_init(&h);
	memset(&seen, 0, sizeof(seen));
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	nc_begin(&ctl);
	nc.link = (struct us_link){
		.stack = &h.stack, .ops = &us_netchannel_ops, .flags = US_LINK_KERNEL_IP,
	};
	nc.rx.data = data;
	nc.rx.size = sizeof(data);
	nc.rx.released = released;
	length = ip_packet(data, six ? "2001:db8::1" : "192.0.2.1",
			   six ? "2001:db8::2" : "192.0.2.2", IPPROTO_UDP, udp, sizeof(udp));
}

static void end(void)
{
	nc_end();
	host_exit(&h);
}

/* It is read, and given back. */
static bool receive(struct netchannel_rx_desc desc)
{
	desc.seq = 1;
	rx_desc[0] = desc;
	released[0] = 1 - DEPTH;
	nc.rx.next = nc.rx.tail = 0;
	us_netchannel_ops.poll(&nc.link, 1);
	return released[0] == 1;
}

static void test_descriptor(bool six)
{
	begin(six);
	ok(receive((struct netchannel_rx_desc){ .length = length, .ifindex = 7, .tstamp = 99 }) &&
	   seen.inputs == 1 && seen.len == 12 && seen.first == 0, "IPv%d: the packet", six ? 6 : 4);
	ok(seen.info == 7, "the device that it came by");
	ok(seen.tstamp == 99, "when it came");
	ok(!seen.csum_ok, "its checksum, which is wrong");
	ok(receive((struct netchannel_rx_desc){
			.length = length, .csum_state = NETCHANNEL_CSUM_VERIFIED }) &&
	   seen.csum_ok, "unless the kernel says it is right");
	ok(receive((struct netchannel_rx_desc){
			.length = length, .csum_state = NETCHANNEL_CSUM_PARTIAL }) &&
	   seen.csum_ok && seen.inputs == 3, "or that there was no need of one");
	end();
}

/* A channel that was lent is written to by others, too. */
static void test_lies(void)
{
	begin(false);
	ok(receive((struct netchannel_rx_desc){ .length = 0 }) && !seen.inputs, "no bytes");
	ok(receive((struct netchannel_rx_desc){ .length = sizeof(data) + 1 }) && !seen.inputs,
	   "more than there are");
	ok(receive((struct netchannel_rx_desc){ .offset = sizeof(data), .length = length }) &&
	   !seen.inputs, "behind the last");
	ok(receive((struct netchannel_rx_desc){ .offset = UINT32_MAX, .length = length }) &&
	   !seen.inputs, "far behind it");
	end();
}

int main(void)
{
	plan(16);
	test_descriptor(false);
	test_descriptor(true);
	test_lies();
	return finish();
}
