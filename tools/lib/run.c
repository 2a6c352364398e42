// SPDX-License-Identifier: MIT
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "pattern.h"
#include "standard.h"

#define LINGER_SECONDS	5

static volatile sig_atomic_t ticks;
static volatile sig_atomic_t asked_to_stop;
static unsigned int ticks_seen;

static void on_tick(int signal)
{
	(void)signal;
	ticks++;
}

static void on_stop(int signal)
{
	(void)signal;
	asked_to_stop = 1;
}

/* No SA_RESTART: calls that block end, and whoever made them looks around.  A
 * signal that comes just before the call is made up for by the next second's.
 * A second Ctrl-C kills.
 */
static void catch_signals(void)
{
	const struct itimerval second = { { 1, 0 }, { 1, 0 } };
	struct sigaction action = { .sa_handler = on_tick };

	sigaction(SIGALRM, &action, NULL);
	action.sa_handler = on_stop;
	action.sa_flags = SA_RESETHAND;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setitimer(ITIMER_REAL, &second, NULL);
}

unsigned int run_ticks(void)
{
	return ticks;
}

bool run_stopped(struct run *run)
{
	if ((unsigned int)ticks != ticks_seen) {
		ticks_seen = ticks;
		if (run->meter.api)
			meter_line(&run->meter);
	}
	if (run->meter.api && run->job->seconds &&
	    (unsigned int)ticks >= run->deadline)
		return true;
	return asked_to_stop;
}

bool run_again(void)
{
	return errno == EINTR || errno == EAGAIN || errno == EALREADY ||
	       errno == EINPROGRESS;
}

int run_failed(const struct run *run, const char *what)
{
	int error = errno;
	const char *why = run->api->why();

	fprintf(stderr, "%s: %s: %s\n", run->job->program, what,
		*why ? why : strerror(error));
	return -1;
}

static int transfer(struct run *run)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = LINGER_SECONDS };
	int err;

	meter_start(&run->meter, run->job, run->api);
	run->deadline = ticks + run->job->seconds;
	err = job_sends(run->job) ? transfer_send(run) : transfer_receive(run);
	meter_summary(&run->meter);
	/* The FIN and what stands before it shall arrive before the stack ends. */
	if (run->job->protocol == IPPROTO_TCP)
		run->api->setsockopt(run->socket, SOL_SOCKET, SO_LINGER, &linger,
				     sizeof(linger));
	run->api->close(run->socket);
	run->meter.api = NULL;
	return err;
}

/* Each connection sends the same. */
static int rewind_input(const struct run *run)
{
	if (!run->job->input || run->job->repeat == 1 ||
	    lseek(STDIN_FILENO, 0, SEEK_SET) == 0)
		return 0;
	fprintf(stderr, "%s: --repeat reads the input once more: give a file\n",
		run->job->program);
	return -1;
}

static int one_connection(struct run *run)
{
	int err = rewind_input(run);

	if (!err)
		err = peer_open(run);
	return err || !run->socket ? err : transfer(run);
}

int run_job(const struct job *job, const struct api *api)
{
	struct run run = { .job = job, .api = api };
	int err;

	standard_hold();
	run.buffer = malloc(job->bytes);
	run.message = run.buffer;
	run.room = job->bytes;
	if (!run.buffer) {
		fprintf(stderr, "%s: no memory for messages of %zu bytes (-b)\n",
			job->program, job->bytes);
		return 1;
	}
	pattern_init();
	catch_signals();
	err = api->start(job);
	if (!err) {
		for (uint64_t n = 0; !err && n < job->repeat && !asked_to_stop; n++)
			err = one_connection(&run);
		if (run.listener)
			api->close(run.listener);
		api->stop();
	}
	free(run.buffer);
	return err ? 1 : 0;
}
