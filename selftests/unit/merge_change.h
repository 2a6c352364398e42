/* SPDX-License-Identifier: MIT */
/* What may be done to a packet of a bed, before its checksums are made (set, clear, add) or after. */
#ifndef MERGE_CHANGE_H
#define MERGE_CHANGE_H

#include "merge_bed.h"

static inline void set_tos(struct packet *p)
{
	if (is_six(p))
		p->data[0] ^= 0x01;
	else
		ip4(p)->tos = 0x10;
}

static inline void set_ce(struct packet *p)
{
	if (is_six(p))
		p->data[1] |= US_ECN_CE << 4;
	else
		ip4(p)->tos |= US_ECN_CE;
}

static inline void set_ttl(struct packet *p)
{
	p->data[is_six(p) ? 7 : 8]--;
}

static inline void set_label(struct packet *p)
{
	p->data[3] ^= 1;
}

static inline void set_id(struct packet *p)
{
	ip4(p)->id = us_put16(7);
}

static inline void clear_df(struct packet *p)
{
	ip4(p)->frag = us_put16(0);
}

static inline void set_mf(struct packet *p)
{
	ip4(p)->frag = us_put16(US_IPV4_MF);
}

static inline void set_offset(struct packet *p)
{
	ip4(p)->frag = us_put16(3);
}

static inline void add_ip_options(struct packet *p)
{
	memmove(p->data + 24, p->data + 20, p->len - 20);
	memset(p->data + 20, 1, 4);
	p->data[0] = 0x46;
	p->len += 4;
}

static inline void set_version(struct packet *p)
{
	p->data[0] ^= 0x20;
}

static inline void set_source(struct packet *p)
{
	(is_six(p) ? ip6(p)->src + 15 : ip4(p)->src + 3)[0] = 9;
}

static inline void set_destination(struct packet *p)
{
	(is_six(p) ? ip6(p)->dst + 15 : ip4(p)->dst + 3)[0] = 9;
}

static inline void set_source_port(struct packet *p)
{
	tcp_header(p)->src = us_put16(4999);
}

static inline void set_destination_port(struct packet *p)
{
	tcp_header(p)->dst = us_put16(81);
}

static inline void set_ack(struct packet *p)
{
	tcp_header(p)->ack = us_put32(us_get32(tcp_header(p)->ack) - 1);
}

static inline void set_window(struct packet *p)
{
	tcp_header(p)->window = us_put16(1001);
}

static inline void set_push(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_PSH;
}

static inline void set_fin(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_FIN;
}

static inline void set_urgent(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_URG;
	tcp_header(p)->urgent = us_put16(500);
}

static inline void set_rst(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_RST;
}

static inline void set_syn(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_SYN;
}

static inline void set_cwr(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_CWR;
}

static inline void set_ece(struct packet *p)
{
	tcp_header(p)->flags |= US_TCP_ECE;
}

static inline void set_ae(struct packet *p)
{
	tcp_header(p)->offset |= US_TCP_AE;
}

static inline void clear_ack(struct packet *p)
{
	tcp_header(p)->flags = 0;
}

static inline void add_tcp_options(struct packet *p)
{
	uint8_t *at = (uint8_t *)tcp_header(p) + US_TCP_LEN;

	memmove(at + 4, at, p->len - (size_t)(at - p->data));
	memset(at, 1, 4);
	tcp_header(p)->offset += 1 << 4;
	p->len += 4;
}

static inline void cut_header(struct packet *p)
{
	p->len = ip_len(p) + US_TCP_LEN - 1;
}

static inline void set_short_header(struct packet *p)
{
	tcp_header(p)->offset = (US_TCP_LEN - 4) << 2;
}

static inline void set_long_header(struct packet *p)
{
	tcp_header(p)->offset = 60 << 2;
}

static inline void set_ts(struct packet *p)
{
	((uint8_t *)(tcp_header(p) + 1))[7]++;
}

static inline void set_ts_echo(struct packet *p)
{
	((uint8_t *)(tcp_header(p) + 1))[11]++;
}

static inline void set_flow(struct packet *p)
{
	p->flow = 1;
}

static inline void set_gso(struct packet *p)
{
	p->gso = US_GSO_TCP;
}

static inline void set_verified(struct packet *p)
{
	p->csum_state = US_CSUM_VERIFIED;
}

static inline void set_complete(struct packet *p)
{
	p->csum_state = US_CSUM_COMPLETE;
}

/* From here on, checksums stay as they were. */
static inline void spoil_tcp_sum(struct packet *p)
{
	tcp_header(p)->csum.b[1] ^= 1;
}

static inline void spoil_unseen(struct packet *p)
{
	spoil_tcp_sum(p);
	set_verified(p);
}

static inline void spoil_complete(struct packet *p)
{
	spoil_tcp_sum(p);
	set_complete(p);
}

static inline void spoil_ip_sum(struct packet *p)
{
	ip4(p)->csum.b[1] ^= 1;
}

static inline void spoil_ip_sum_unseen(struct packet *p)
{
	spoil_ip_sum(p);
	set_verified(p);
}

static inline void pad(struct packet *p)
{
	memset(p->data + p->len, 0xff, 4);
	p->len += 4;
}

static inline void cut_off(struct packet *p)
{
	p->len -= 4;
}

static inline void cut_off_unseen(struct packet *p)
{
	cut_off(p);
	set_verified(p);
}

static inline void set_group(struct packet *p)
{
	memset(p->mac, 0xff, 6);
}

static inline void set_other_mac(struct packet *p)
{
	p->mac[5] = 9;
}

#endif /* MERGE_CHANGE_H */
