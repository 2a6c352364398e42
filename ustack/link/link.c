// SPDX-License-Identifier: MIT
/* The kinds of links, and what they share. */
#include "link/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

static const struct us_link_ops *const kinds[] = {
	&us_extern_ops,
	&us_lo_ops,
	&us_netchannel_ops,
	&us_packet_ops,
	&us_pipe_ops,
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static int unknown_kind(struct us_stack *stack, const char *spec, size_t len)
{
	char names[128] = "";
	size_t i;

	for (i = 0; i < KINDS; i++) {
		if (i)
			strcat(names, ", ");
		strcat(names, kinds[i]->name);
	}
	return us_fail(stack, -EINVAL, "\"%.*s\" is no kind of link: use one of %s",
		       (int)len, spec, names);
}

/**
 * us_link_open() - opens a link
 * @stack: gets it, behind those that it has.
 * @spec: "KIND[:KEY=VALUE,...]".
 * @out: the link; us_link_close() ends it.  May be NULL.
 *
 * Return: 0, or a negative errno with a text for ustack_error().
 */
int us_link_open(struct us_stack *stack, const char *spec, struct us_link **out)
{
	size_t len = strcspn(spec, ":"), i = 0;
	const char *args = spec[len] ? spec + len + 1 : "";
	struct us_link *link;
	int err;

	while (i < KINDS && (strlen(kinds[i]->name) != len ||
			     memcmp(kinds[i]->name, spec, len)))
		i++;
	if (i == KINDS)
		return unknown_kind(stack, spec, len);
	err = kinds[i]->open(stack, args, &link);
	if (err)
		return err;
	link->stack = stack;
	link->ops = kinds[i];
	if (!link->mem)
		link->mem = stack->mem;
	if (!link->gso_max)
		link->gso_max = link->mtu;
	if (!link->gso_segs)
		link->gso_segs = UINT16_MAX;
	CDS_INIT_LIST_HEAD(&link->pending);
	CDS_INIT_LIST_HEAD(&link->resting);
	cds_list_add_tail(&link->node, &stack->links);
	if (out)
		*out = link;
	return 0;
}

/**
 * us_link_close() - ends a link
 * @link: no packet of it is held, no route leads to it.
 */
void us_link_close(struct us_link *link)
{
	cds_list_del(&link->node);
	link->ops->close(link);
}

/* The next "key=value" of @args, or NULL; lengths are put into the others. */
static const char *next_arg(const char **args, size_t *key, size_t *whole)
{
	const char *at = *args;

	while (*at == ',')
		at++;
	if (!*at)
		return NULL;
	*whole = strcspn(at, ",");
	*key = strcspn(at, "=,");
	*args = at + *whole;
	return at;
}

/**
 * us_link_arg() - finds an argument
 * @stack: keeps the error.
 * @args: "key=value,...".
 * @key: which.
 * @value: gets a copy of its value.
 * @size: bytes of @value.
 *
 * Return: 0, -ENOENT without a text if it is absent, -EINVAL if it is too long.
 */
int us_link_arg(struct us_stack *stack, const char *args, const char *key,
		char *value, size_t size)
{
	size_t key_len, whole, len;
	const char *at;

	while ((at = next_arg(&args, &key_len, &whole))) {
		if (key_len != strlen(key) || memcmp(at, key, key_len))
			continue;
		if (key_len == whole) {		/* no "=" */
			value[0] = 0;
			return 0;
		}
		len = whole - key_len - 1;
		if (len >= size)
			return us_fail(stack, -EINVAL, "%.*s: at most %zu characters behind %s= are expected",
				       (int)us_min32((uint32_t)whole, 80), at, size - 1, key);
		memcpy(value, at + key_len + 1, len);
		value[len] = 0;
		return 0;
	}
	return -ENOENT;
}

static int unknown_arg(struct us_stack *stack, const char *at, size_t len,
		       const char *const *keys)
{
	char names[192] = "";

	for (; *keys; keys++) {
		if (strlen(names) + strlen(*keys) + 3 > sizeof(names))
			break;
		strcat(strcat(names, " "), *keys);
	}
	return us_fail(stack, -EINVAL, "\"%.*s\" is not understood: use KEY=VALUE, with a KEY of%s",
		       (int)len, at, names);
}

/**
 * us_link_arg_check() - refuses arguments that a link does not know
 * @stack: keeps the error.
 * @args: "key=value,...".
 * @keys: those that it knows, and NULL.
 *
 * Return: 0 or -EINVAL.
 */
int us_link_arg_check(struct us_stack *stack, const char *args,
		      const char *const *keys)
{
	size_t key_len, whole;
	const char *at;

	while ((at = next_arg(&args, &key_len, &whole))) {
		const char *const *key = keys;

		while (*key && (strlen(*key) != key_len ||
				memcmp(*key, at, key_len)))
			key++;
		if (!*key || key_len == whole)
			return unknown_arg(stack, at, whole, keys);
	}
	return 0;
}

static uint64_t unit_of(char suffix)
{
	switch (suffix) {
	case 'k':
		return 1000;
	case 'M':
		return 1000000;
	case 'G':
		return 1000000000;
	default:
		return 0;
	}
}

/* "12", "1.5", "10k" times @scale.  False: no number, or far too large. */
static bool parse_number(const char *at, uint64_t scale, uint64_t *value)
{
	uint64_t whole = 0, part = 0, parts = 1, unit = 1;
	bool digits = false;

	for (; *at >= '0' && *at <= '9'; at++, digits = true)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*at - '0'), &whole))
			return false;
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, digits = true)
			if (parts < 1000000) {
				part = part * 10 + (uint64_t)(*at - '0');
				parts *= 10;
			}
	if (*at) {
		unit = unit_of(*at);
		if (!unit || at[1])
			return false;
	}
	if (!digits || __builtin_mul_overflow(unit, scale, &unit) ||
	    __builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_mul_overflow(part, unit, &part) ||
	    __builtin_add_overflow(whole, part / parts, value))
		return false;
	return true;
}

/**
 * us_link_arg_number() - reads an argument that is a number
 * @stack: keeps the error.
 * @args: "key=value,...".
 * @key: which.
 * @scale: what one unit of the argument is in units of @value.
 * @min: least number, in units of the argument.
 * @max: greatest number, alike.
 * @value: set if the argument is there.
 *
 * Return: 0 or -EINVAL.
 */
int us_link_arg_number(struct us_stack *stack, const char *args,
		       const char *key, uint64_t scale, uint64_t min,
		       uint64_t max, uint64_t *value)
{
	char text[32];
	uint64_t number;
	int err = us_link_arg(stack, args, key, text, sizeof(text));

	if (err)
		return err == -ENOENT ? 0 : err;
	if (!parse_number(text, scale, &number) || number < min * scale ||
	    number > max * scale)
		return us_fail(stack, -EINVAL, "%s=%s: a number from %llu to %llu is expected",
			       key, text, (unsigned long long)min,
			       (unsigned long long)max);
	*value = number;
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/**
 * us_link_arg_mac() - reads an argument that is a MAC address
 * @stack: keeps the error.
 * @args: "key=value,...".
 * @key: which.
 * @mac: set to "xx:xx:xx:xx:xx:xx"; not to a group or zero address.
 *
 * Return: 0, -ENOENT if it is absent, -EINVAL.
 */
int us_link_arg_mac(struct us_stack *stack, const char *args, const char *key,
		    uint8_t mac[6])
{
	char text[32];
	const char *at = text;
	int err = us_link_arg(stack, args, key, text, sizeof(text));
	uint8_t any = 0;
	int i;

	if (err)
		return err;
	for (i = 0; i < 6; i++, at += 3) {
		if (hex(at[0]) < 0 || hex(at[1]) < 0 ||
		    at[2] != (i < 5 ? ':' : 0))
			break;
		mac[i] = (uint8_t)(hex(at[0]) << 4 | hex(at[1]));
		any |= mac[i];
	}
	if (i < 6 || !any || mac[0] & 1)
		return us_fail(stack, -EINVAL, "%s=%s: the MAC address of one station is expected, like 02:00:00:00:00:01",
			       key, text);
	return 0;
}

/**
 * us_link_pkt() - takes a struct us_pkt from the stack's pool
 * @link: whose packet it will be.
 *
 * Return: the packet, or NULL if the pool is exhausted (counted).
 */
struct us_pkt *us_link_pkt(struct us_link *link)
{
	struct us_pkt *pkt = us_pool_get(&link->stack->pkts);

	if (us_unlikely(!pkt)) {
		us_count(link->stack, pkt_exhausted);
		link->stats.rx_dropped++;
		return NULL;
	}
	us_pkt_init(pkt, link);
	return pkt;
}

/* Fills in the checksum of a packet whose sum from l4 on is known. */
static void put_checksum(const struct us_tx *tx, uint32_t sum)
{
	uint16_t field = us_csum_fold(sum);

	field = field ? field : 0xffff;	/* UDP: 0 is none (RFC 768) */
	memcpy(tx->head + tx->l4 + tx->csum_offset, &field, sizeof(field));
}

/**
 * us_link_gather() - makes one piece of a packet, for a link in memory
 * @link: with US_LINK_CSUM.
 * @tx: its payload is copied behind the headers, and summed up on the way.
 * @room: bytes at tx->head.
 *
 * Return: the length of the packet, or 0 if it does not fit.
 */
uint32_t us_link_gather(const struct us_link *link, const struct us_tx *tx,
			uint32_t room)
{
	uint32_t len = tx->inline_len, sum = 0, i;
	uint8_t *head = tx->head;

	for (i = 0; i < tx->nr_frags; i++)
		len += tx->frag[i].len;
	if (len > room || (!tx->gso && len > link->mtu))
		return 0;
	len = tx->inline_len;
	for (i = 0; i < tx->nr_frags; i++) {
		const struct us_frag *frag = &tx->frag[i];
		const uint8_t *from = frag->chunk->data + frag->offset;

		if (tx->csum_offload)
			sum = us_csum_add(sum, us_csum_at(us_csum_copy(head + len,
						from, frag->len, 0), len - tx->l4));
		else
			memcpy(head + len, from, frag->len);
		len += frag->len;
	}
	if (!tx->csum_offload)
		return len;
	/* The header at last: what was just written byte by byte is slow to read. */
	put_checksum(tx, us_csum_bytes(head + tx->l4, tx->inline_len - tx->l4, sum));
	return len;
}

/**
 * us_link_segments() - of how many segments a super-segment consists
 * @ip: its IP header, behind which there is no extension header.
 * @len: bytes from there on.
 * @gso: enum us_gso.
 * @size: bytes of payload of each but the last, not 0.
 *
 * Return: the number, 1 at least.
 */
uint16_t us_link_segments(const uint8_t *ip, uint32_t len, uint8_t gso, uint16_t size)
{
	uint32_t headers = ip[0] >> 4 == 4 ? (ip[0] & 15) * 4u : 40;

	headers += gso == US_GSO_UDP ? US_UDP_LEN :
				       us_tcp_header_len((const void *)(ip + headers));
	return len > headers ? (uint16_t)((len - headers + size - 1) / size) : 1;
}

/* An ICMP error as a router would send it. */
static bool to_icmp(int err, uint32_t mtu, bool v4, struct us_icmp *icmp)
{
	*icmp = (struct us_icmp) { .rest = us_put32(mtu) };
	switch (err) {
	case EMSGSIZE:
		icmp->type = v4 ? US_ICMP_UNREACHABLE : US_ICMP6_TOO_BIG;
		icmp->code = v4 ? US_ICMP_UNREACH_TOO_BIG : 0;
		return true;
	case EADDRNOTAVAIL:	/* the source is not the kernel's any more */
	case ENETUNREACH:
	case EHOSTUNREACH:
		icmp->type = v4 ? US_ICMP_UNREACHABLE : US_ICMP6_UNREACHABLE;
		icmp->code = err != EHOSTUNREACH ? 0 : v4 ? 1 : 3;
		return true;
	default:	/* a queue or the firewall: as if it were lost on the way */
		return false;
	}
}

/**
 * us_link_refused() - tells upwards that the kernel did not send a packet
 * @link: that gave it to the kernel; its release() knows US_LINK_TOLD.
 * @told: what is given upwards; free again when this returns.
 * @packet: from its IP header on, as much as is known.
 * @len: bytes of that, US_TX_INLINE at most.
 * @err: positive errno.
 * @mtu: with EMSGSIZE, else 0.
 */
void us_link_refused(struct us_link *link, struct us_link_told *told, const uint8_t *packet,
		     uint32_t len, int err, uint32_t mtu)
{
	struct us_icmp icmp;
	struct us_pkt *pkt;

	if (!to_icmp(err, mtu, packet[0] >> 4 == 4, &icmp))
		return;
	pkt = us_link_pkt(link);
	if (!pkt)
		return;
	memcpy(told->data, &icmp, sizeof(icmp));
	memcpy(told->data + sizeof(icmp), packet, len);
	pkt->data = told->data;
	pkt->len = (uint32_t)sizeof(icmp) + len;
	pkt->token = US_LINK_TOLD;
	pkt->error = true;
	pkt->info = mtu;
	link->stack->up->link_input(link->stack, pkt);
}
