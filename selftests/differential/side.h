/* SPDX-License-Identifier: MIT */
/* A script's two sides: on each a subject, its sockets, and its peer. */
#ifndef SELFTESTS_DIFFERENTIAL_SIDE_H
#define SELFTESTS_DIFFERENTIAL_SIDE_H

#include "peer.h"

#define SIDE_TEXT	200

/**
 * struct side - one of the two
 * @subject: it.
 * @domain: of its sockets; the wire is IPv4 either way.
 * @peer: of its connection.
 * @port: at which the subject listens, or to which it connects.
 * @listener: descriptor, -1: none.
 * @conn: descriptor, -1: none.
 * @full: its send queue was filled, and may be full yet.
 * @written: bytes that send() took.
 * @read: bytes that recv() gave.
 * @text: what the last event gave, in words.
 */
struct side {
	const struct subject *subject;
	int domain;
	struct peer peer;
	uint16_t port;
	int listener;
	int conn;
	bool full;
	uint32_t written;
	uint32_t read;
	char text[SIDE_TEXT];
};

/**
 * enum need - what has to be there for an event
 * @NEED_CONN: a socket that is not a listener.
 * @NEED_NO_CONN: none.
 * @NEED_LISTENER: a listening socket.
 * @NEED_HEARD: the peer saw a SYN.
 * @NEED_NO_SYN: it sent none.
 * @NEED_OPEN: it did both.
 * @NEED_LOSS: segments of the subject may be held up.
 * @NEED_NO_HOLE: all that the peer sent arrived.
 * @NEED_NO_FIN: it sent none.
 * @NEED_FIN: it did.
 * @NEED_NO_NEW: no SYN would open a new connection.
 */
enum need {
	NEED_CONN = 1 << 0,
	NEED_NO_CONN = 1 << 1,
	NEED_LISTENER = 1 << 2,
	NEED_HEARD = 1 << 3,
	NEED_NO_SYN = 1 << 4,
	NEED_LOSS = 1 << 5,
	NEED_NO_HOLE = 1 << 6,
	NEED_NO_FIN = 1 << 7,
	NEED_NO_NEW = 1 << 8,
	NEED_OPEN = 1 << 9,
	NEED_FIN = 1 << 10,
};

/**
 * struct event - what may happen
 * @name: for what is printed.
 * @weight: how often, beside the others.
 * @need: bits of enum need.
 * @most: its argument is 1 to this.
 * @run: does it; side.text tells what came of it.
 * @count: how often it was run.
 */
struct event {
	const char *name;
	unsigned int weight;
	unsigned int need;
	uint32_t most;
	void (*run)(struct side *side, uint32_t arg);
	unsigned int count;
};

/**
 * struct exception - an event on which ustack differs from Linux on purpose
 * @event: its name.
 * @when: on the kernel's side.
 * @why: in words.
 * @count: how often it was met.
 */
struct exception {
	const char *event;
	bool (*when)(const struct side *side);
	const char *why;
	unsigned int count;
};

extern struct exception exceptions[];
extern const unsigned int exception_count;
extern struct event events[];
extern const unsigned int event_count;

bool side_start(struct side *side, const struct subject *subject, int domain,
		uint16_t port);
void side_stop(struct side *side);
void side_listen(struct side *side, uint32_t arg);
void side_connect(struct side *side, uint32_t arg);
bool side_can(const struct side *side, unsigned int need);
uint8_t side_state(const struct side *side, int fd);
bool is_exception(const struct event *event, const struct side *side);
void side_calls(char *text, const struct side *side);
void side_sights(char *text, const struct side *side, bool loss);

#endif /* SELFTESTS_DIFFERENTIAL_SIDE_H */
