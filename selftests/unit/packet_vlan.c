// SPDX-License-Identifier: MIT
/*
 * link/packet_filter.c, and frames with a VLAN tag.  Where the kernel has the tag only it
 * knows, and there is no device here: so the program is caught, and run by the test.
 */
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link/packet.h"
#include "tap.h"
#include "wire/bytes.h"

static struct sock_filter program[64];

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct sock_fprog *prog = value;

	(void)fd;
	(void)level;
	(void)name;
	(void)len;
	if (prog->len > sizeof(program) / sizeof(program[0]))
		abort();
	memcpy(program, prog->filter, prog->len * sizeof(program[0]));
	return 0;
}

/**
 * struct frame - what the program sees
 * @tagged: with a VLAN tag,
 * @tag: which is this one.
 * @data: without it.
 */
struct frame {
	bool tagged;
	uint16_t tag;
	uint8_t data[60];
};

static uint32_t load(const struct frame *f, const struct sock_filter *at)
{
	uint32_t value = 0, bytes = BPF_SIZE(at->code) == BPF_W ? 4 :
				    BPF_SIZE(at->code) == BPF_H ? 2 : 1, i;

	if (at->k == (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT))
		return f->tagged;
	if (at->k == (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG))
		return f->tag;
	for (i = 0; i < bytes; i++)
		value = value << 8 | f->data[at->k + i];
	return value;
}

static bool passes(const struct frame *f)
{
	const struct sock_filter *at;
	uint32_t a = 0;

	for (at = program; BPF_CLASS(at->code) != BPF_RET; at++) {
		if (BPF_CLASS(at->code) == BPF_LD)
			a = load(f, at);
		else if (BPF_OP(at->code) == BPF_JA)
			at += at->k;
		else if (BPF_OP(at->code) == BPF_JSET ? a & at->k : a == at->k)
			at += at->jt;
		else
			at += at->jf;
	}
	return at->k;
}

int main(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	const struct us_addr own = { .b = { [10] = 0xff, 0xff, 10, 1, 0, 1 } };
	struct frame f = { .data = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 } };

	plan(5);
	memcpy(&f.data[30], &own.b[12], 4);
	us_packet_filter(0, mac, &own, 1);
	ok(passes(&f), "no tag");
	f.tag = 5;
	ok(passes(&f), "what is left of one that was taken off is none");
	f.tagged = true;
	ok(!passes(&f), "a VLAN");
	f.tag = 0x6000;
	ok(passes(&f), "a priority, of no VLAN (IEEE 802.1Q 9.6)");
	f.data[33]++;
	ok(!passes(&f), "to somebody else");
	return finish();
}
