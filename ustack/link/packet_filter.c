// SPDX-License-Identifier: MIT
/*
 * What is not for the stack is dropped in the kernel, by a classic BPF program
 * over the frame.  A load beyond its end drops it, too.
 */
#include "link/packet.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/bytes.h"
#include "wire/eth.h"

#define PER_ADDRESS	9u	/* instructions for an IPv6 address, the longer kind */
#define AROUND		32u	/* instructions besides those for addresses */
#define ACCEPT		0x40000u
#define DROP		0u

#define VLAN_ID		0xfffu	/* of a tag */

#define OFFSET_TYPE	12u
#define OFFSET_DST4	(US_ETH_LEN + 16)
#define OFFSET_DST6	(US_ETH_LEN + 24)

/**
 * struct program - a program under construction
 * @insn: room for @max instructions.
 * @len: those in use.
 * @max: see @insn.
 */
struct program {
	struct sock_filter *insn;
	unsigned int len;
	unsigned int max;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt,
		 uint8_t jf)
{
	if (p->len < p->max)
		p->insn[p->len++] = (struct sock_filter) { code, jt, jf, k };
}

static void load(struct program *p, uint16_t size, uint32_t offset)
{
	emit(p, (uint16_t)(BPF_LD | BPF_ABS | size), offset, 0, 0);
}

static void give(struct program *p, uint32_t verdict)
{
	emit(p, BPF_RET | BPF_K, verdict, 0, 0);
}

/* Skips @skip instructions unless A is @k. */
static void unless(struct program *p, uint32_t k, uint8_t skip)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, skip);
}

static uint32_t word(const uint8_t *bytes)
{
	us_be32 v;

	memcpy(v.b, bytes, sizeof(v));
	return us_get32(v);
}

static bool is_v4(const struct us_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr->b, mapped, sizeof(mapped));
}

/* Frames of a VLAN.  A tag that names none tells a priority, and stands for no tag. */
static void emit_vlan(struct program *p)
{
	load(p, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
	load(p, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, VLAN_ID, 0, 1);
	give(p, DROP);
}

/* Frames to other stations. */
static void emit_frame(struct program *p, const uint8_t mac[6])
{
	load(p, BPF_B, 0);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, 1, 5, 0);
	load(p, BPF_W, 0);
	unless(p, word(mac), 2);
	load(p, BPF_H, 4);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(mac[4] << 8 | mac[5]), 1, 0);
	give(p, DROP);
}

static void emit_ipv4(struct program *p, const struct us_addr *addrs,
		      unsigned int count)
{
	unsigned int i;

	load(p, BPF_W, OFFSET_DST4);
	for (i = 0; i < count; i++) {
		if (!is_v4(&addrs[i]))
			continue;
		unless(p, word(&addrs[i].b[12]), 1);
		give(p, ACCEPT);
	}
	give(p, DROP);
}

static void emit_ipv6(struct program *p, const struct us_addr *addrs,
		      unsigned int count)
{
	unsigned int i, w;

	load(p, BPF_B, OFFSET_DST6);
	unless(p, 0xff, 1);
	give(p, ACCEPT);
	for (i = 0; i < count; i++) {
		if (is_v4(&addrs[i]))
			continue;
		for (w = 0; w < 4; w++) {
			load(p, BPF_W, OFFSET_DST6 + 4 * w);
			unless(p, word(&addrs[i].b[4 * w]),
			       (uint8_t)(2 * (3 - w) + 1));
		}
		give(p, ACCEPT);
	}
	give(p, DROP);
}

/**
 * us_packet_filter() - sets the filter of a packet socket
 * @fd: the socket.
 * @mac: own MAC address.
 * @addrs: own addresses.
 * @count: of @addrs.
 *
 * Return: 0, -ENOMEM, or the negative errno of setsockopt(2).
 */
int us_packet_filter(int fd, const uint8_t mac[6], const struct us_addr *addrs,
		     unsigned int count)
{
	struct program p = { .max = AROUND + PER_ADDRESS * count };
	struct sock_fprog prog;
	unsigned int skip;
	int err;

	p.insn = calloc(p.max, sizeof(p.insn[0]));
	if (!p.insn)
		return -ENOMEM;
	emit_vlan(&p);
	emit_frame(&p, mac);
	load(&p, BPF_H, OFFSET_TYPE);
	unless(&p, US_ETHERTYPE_ARP, 1);
	give(&p, ACCEPT);
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, US_ETHERTYPE_IPV4, 1, 0);
	skip = p.len;
	emit(&p, BPF_JMP | BPF_JA, 0, 0, 0);	/* over the IPv4 part */
	emit_ipv4(&p, addrs, count);
	p.insn[skip].k = p.len - skip - 1;
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, US_ETHERTYPE_IPV6, 1, 0);
	give(&p, DROP);
	emit_ipv6(&p, addrs, count);
	prog = (struct sock_fprog) { (unsigned short)p.len, p.insn };
	err = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	err = err ? -errno : 0;
	free(p.insn);
	return err;
}
