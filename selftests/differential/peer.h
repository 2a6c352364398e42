/* SPDX-License-Identifier: MIT */
/* The other end of a subject's connection: raw segments, as the script has it. */
#ifndef SELFTESTS_DIFFERENTIAL_PEER_H
#define SELFTESTS_DIFFERENTIAL_PEER_H

#include "subject.h"

#define PEER_WINDOW	65535

/**
 * struct peer - one connection's other end
 * @subject: to whom it talks.
 * @port: its own.
 * @to_port: of the subject.
 * @isn: of the subject.
 * @next: what it sends next, counted from its own SYN.
 * @hole: from here...
 * @hole_end: ...to here it sent what was lost.
 * @fin_at: where its FIN is; 0: it sent none.
 * @seen: what it expects next, counted from the subject's SYN.
 * @edge: what it lets the subject send, as far as it told.
 * @heard: the highest acknowledgement.
 * @lose: so many segments of the subject are lost next.
 * @window: it offers.
 * @deaf: all of the subject's segments are lost.
 * @mute: it acknowledges nothing.
 * @syn: it saw the subject's SYN.
 * @fin: it saw the subject's FIN, behind all data.
 * @rst: it saw a RST that it believes.
 * @rst_at: @seen, then.
 * @verbose: prints each segment.
 * @wrong: bytes of the stream were not what was sent.
 */
struct peer {
	const struct subject *subject;
	uint16_t port;
	uint16_t to_port;
	uint32_t isn;
	uint32_t next;
	uint32_t hole;
	uint32_t hole_end;
	uint32_t fin_at;
	uint32_t seen;
	uint32_t edge;
	uint32_t heard;
	uint32_t lose;
	uint16_t window;
	bool deaf;
	bool mute;
	bool syn;
	bool fin;
	bool rst;
	uint32_t rst_at;
	bool wrong;
	bool verbose;
};

/* The byte at an offset of either stream: no zeros, for segment_make(). */
static inline uint8_t stream_byte(uint32_t offset)
{
	return (uint8_t)(1 + offset % 251);
}

void peer_send(struct peer *p, uint8_t flags, uint32_t at, uint32_t length, uint32_t ack);
void peer_new(struct peer *p, uint8_t flags, uint32_t length);
void peer_ack(struct peer *p);
void peer_heal(struct peer *p);
void peer_settle(struct peer *p, int64_t ns);

#endif /* SELFTESTS_DIFFERENTIAL_PEER_H */
