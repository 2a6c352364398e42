// SPDX-License-Identifier: MIT
/* What the kernel says to a packet of a channel, as the transport hears it. */
#include <errno.h>
#include <netinet/in.h>

#include "host.h"
#include "nc_bed.h"
#include "tap.h"

static struct netchannel_ctl ctl;
static struct host h;

static void begin(void)
{
	host_init(&h);
	memset(&seen, 0, sizeof(seen));
	us_net_register(&h.stack, IPPROTO_UDP, &seen_protocol);
	nc_begin(&ctl);
	nc.link = (struct us_link){
		.stack = &h.stack, .ops = &us_netchannel_ops, .flags = US_LINK_KERNEL_IP,
	};
}

static void end(void)
{
	nc_end();
	host_exit(&h);
}

/* A datagram is sent, and completes. */
static void complete(bool six, int result, uint32_t info)
{
	uint8_t udp[12] = { 0, 9, 0, 7, 0, 12 };

	tx_desc[0].inline_length = (uint16_t)
		ip_packet(inlined, six ? "2001:db8::1" : "192.0.2.1",
			  six ? "2001:db8::2" : "192.0.2.2", IPPROTO_UDP, udp, sizeof(udp));
	nc.tx.shown = ++nc.tx.head;
	done[0].result = result;
	done[0].info = info;
	done[0].seq = 1;
	us_netchannel_ops.poll(&nc.link, 1);
}

static void results(bool six)
{
	static const struct {
		int result, err;
		const char *what;
	} row[] = {
		{ 0, 0, "sent" },
		{ -EMSGSIZE, EMSGSIZE, "too large" },
		{ -ENETUNREACH, ENETUNREACH, "no route" },
		{ -EHOSTUNREACH, EHOSTUNREACH, "no such host" },
		{ -EADDRNOTAVAIL, ENETUNREACH, "from an address that is gone" },
		{ -ENOBUFS, 0, "a full queue: lost on the way" },
		{ -EPERM, 0, "the firewall: lost on the way" },
	};
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		begin();
		complete(six, row[i].result, 1400);
		ok(seen.errors == !!row[i].err && seen.err == row[i].err && !seen.hard &&
		   seen.mtu == (row[i].err == EMSGSIZE ? 1400 : 0) && nc.tx.tail == 1,
		   "IPv%d: %s", six ? 6 : 4, row[i].what);
		end();
	}
}

int main(void)
{
	plan(14);
	results(false);
	results(true);
	return finish();
}
