/* SPDX-License-Identifier: MIT */
/* One run, from the signals to the summary. */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "meter.h"

/**
 * struct run - one run
 * @job: what to do.
 * @api: with which sockets.
 * @socket: connected.
 * @listener: more peers are to come; else NULL.
 * @meter: what it costs.
 * @buffer: of job.bytes.
 * @message: where a message is made or lies: @buffer, or memory that the socket lends.
 * @room: bytes of a message that is made.
 * @next: number of the next datagram.
 * @regular: standard input is a file.
 * @due: elapsed time at which job.rate lets the next message go.
 * @deadline: run_ticks() at which job.seconds have passed.
 */
struct run {
	const struct job *job;
	const struct api *api;
	void *socket;
	void *listener;
	struct meter meter;
	uint8_t *buffer;
	uint8_t *message;
	size_t room;
	uint64_t next;
	bool regular;
	int64_t due;
	unsigned int deadline;
};

/**
 * run_job() - does a job, from the first call to the summary
 * @job: what to do.
 * @api: with which sockets.
 *
 * Return: the exit status of the program.
 */
int run_job(const struct job *job, const struct api *api);

/**
 * run_failed() - says what failed, and why, on standard error
 * @run: the run; errno is that of the call.
 * @what: the call.
 *
 * Return: -1.
 */
int run_failed(const struct run *run, const char *what);

/**
 * run_stopped() - is it time to end?
 * @run: the run.
 *
 * Prints the line of each second; so whoever loops asks.
 * Return: true if a signal asked for the end, or job.seconds passed.
 */
bool run_stopped(struct run *run);

/**
 * run_again() - is the call that failed to be made again?
 *
 * Return: true if errno is that of a call which a signal ended (one comes each
 * second), or which has to be made again for another reason.
 */
bool run_again(void);

/**
 * run_ticks() - how long the program runs
 *
 * Return: seconds.
 */
unsigned int run_ticks(void);

/**
 * peer_open() - connects run.socket, or waits for the peer (peer.c)
 * @run: gets the socket.
 *
 * Return: 0, also if stopped (then there is no socket), or -1 after a message.
 */
int peer_open(struct run *run);

/**
 * transfer_send() - sends payload until it ends (transfer.c)
 * @run: connected.
 *
 * Tells the peer that there is no more, and waits a while for it to have it all.
 * Return: 0, or -1 after a message.
 */
int transfer_send(struct run *run);

/**
 * transfer_receive() - receives payload until it ends (transfer.c)
 * @run: connected.
 *
 * Return: 0, or -1 after a message.
 */
int transfer_receive(struct run *run);

#endif /* TOOLS_RUN_H */
