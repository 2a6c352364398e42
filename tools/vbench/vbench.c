// SPDX-License-Identifier: MIT
/* vbench: what a message costs, in a guest that counts instructions. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/pattern.h"
#include "lib/results.h"
#include "vbench.h"

static const char usage[] =
"usage: vbench [OPTION]... WORKLOAD\n\n"
"Runs both ends of WORKLOAD, in two processes, and tells the instructions that the\n"
"guest spent on a message: its clock has to count them (-icount of QEMU).  Or, with\n"
"--wall, the time that a message takes, on two CPUs.\n\n"
"      --client SOCKETS     kernel (default) or ustack, on a channel\n"
"      --server SOCKETS     alike\n"
"      --hook late|early    of channels (default late)\n"
"      --link packet        ustack on packet sockets of --device, no channel\n"
"      --source ADDRESS     the client's own, which no kernel has, with --link packet\n"
"      --variant NAME       how sockets are used (default plain)\n"
"      --space NAME         network namespace of the server (default: this one)\n"
"      --address ADDRESS    of the server (default 127.0.0.1)\n"
"      --port PORT          of the server (default 5000)\n"
"      --device NAME        all of the payload has to cross it (default lo)\n"
"      --path NAME          in the name of the result\n"
"      --wall               nanoseconds, the client on CPU 0, the server on CPU 1\n"
"      --only client|server that end alone: the other one is on another machine\n"
"      --runs N             measured (default 5), after some that warm up\n"
"      --results FILE       appends to a table\n"
"      --list               the workloads\n"
"  -h, --help               this text\n";

/**
 * struct options - of the command line
 * @workload: what to do.
 * @sockets: of client and server.
 * @hook: of channels.
 * @link: "netchannel" or "packet".
 * @source: of the client, where ustack has the address.
 * @variant: of both.
 * @space: of the server, or NULL.
 * @address: of the server.
 * @port: of the server.
 * @device: that the payload crosses.
 * @path: for the name of the result, or NULL.
 * @wall: time is what counts.
 * @only: the end that is here; BOTH.
 * @runs: that are measured.
 * @results: a table, or NULL.
 */
struct options {
	const struct workload *workload;
	const struct api *sockets[2];
	const char *hook;
	const char *link;
	const char *source;
	const struct variant *variant;
	const char *space;
	const char *address;
	unsigned int port;
	const char *device;
	const char *path;
	bool wall;
	int only;
	unsigned int runs;
	const char *results;
};

enum { CLIENT, SERVER, BOTH };

#define WARM_UP	6u	/* runs: after some 0.2 s nothing changes any more */

static const struct option long_options[] = {
	{ "client", required_argument, NULL, 'c' },
	{ "server", required_argument, NULL, 's' },
	{ "hook", required_argument, NULL, 'k' },
	{ "link", required_argument, NULL, 'L' },
	{ "source", required_argument, NULL, 'S' },
	{ "variant", required_argument, NULL, 'v' },
	{ "space", required_argument, NULL, 'n' },
	{ "address", required_argument, NULL, 'a' },
	{ "port", required_argument, NULL, 'P' },
	{ "device", required_argument, NULL, 'd' },
	{ "path", required_argument, NULL, 'p' },
	{ "wall", no_argument, NULL, 'w' },
	{ "only", required_argument, NULL, 'O' },
	{ "runs", required_argument, NULL, 'r' },
	{ "results", required_argument, NULL, 'o' },
	{ "list", no_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/**
 * die() - says what failed, and why, and ends the program
 * @end: whose sockets know why.
 * @what: failed.
 */
void die(const struct end *end, const char *what)
{
	int error = errno;
	const char *why = end->api->why();

	fprintf(stderr, "vbench: %s: %s: %s\n", end->api->name, what,
		*why ? why : strerror(error));
	_exit(1);
}

/* ----------------------------------------------------------- command line */

static void wrong(const char *option, const char *text, const char *remedy)
{
	fprintf(stderr, "vbench: %s%s: %s\n", option, text, remedy);
	exit(2);
}

static const struct api *sockets(const char *text)
{
	if (strcmp(text, "kernel") && strcmp(text, "ustack"))
		wrong("sockets ", text, "they are kernel or ustack");
	return *text == 'k' ? &api_kernel : &api_ustack;
}

static unsigned int number(const char *option, unsigned int most)
{
	char *end;
	unsigned long value = strtoul(optarg, &end, 10);

	if (end == optarg || *end || value < 1 || value > most)
		wrong(option, optarg, "give a number, 1 or more, that fits");
	return (unsigned int)value;
}

static int which_end(const char *text)
{
	if (strcmp(text, "client") && strcmp(text, "server"))
		wrong("--only ", text, "give client or server");
	return *text == 'c' ? CLIENT : SERVER;
}

static void set_option(struct options *o, int option)
{
	switch (option) {
	case 'c': o->sockets[CLIENT] = sockets(optarg); break;
	case 's': o->sockets[SERVER] = sockets(optarg); break;
	case 'k': o->hook = optarg; break;
	case 'L': o->link = optarg; break;
	case 'S': o->source = optarg; break;
	case 'n': o->space = optarg; break;
	case 'a': o->address = optarg; break;
	case 'd': o->device = optarg; break;
	case 'p': o->path = optarg; break;
	case 'o': o->results = optarg; break;
	case 'w': o->wall = true; break;
	case 'O': o->only = which_end(optarg); break;
	case 'v':
		o->variant = variant_find(optarg);
		if (!o->variant)
			wrong("--variant ", optarg, "there is no such: selftests/bench/workloads has them");
		break;
	case 'P': o->port = number("--port ", 65535); break;
	case 'r': o->runs = number("--runs ", RESULTS_RUNS_MAX); break;
	case 'l':
		for (const struct workload *w = workloads; w->name; w++)
			puts(w->name);
		exit(0);
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		exit(2);
	}
}

static void check(const struct options *o)
{
	const struct variant *v = o->variant;
	const struct workload *w = o->workload;
	bool ustack = o->sockets[CLIENT] != &api_kernel || o->sockets[SERVER] != &api_kernel;

	if (strcmp(o->link, "netchannel") && strcmp(o->link, "packet"))
		wrong("--link ", o->link, "give packet, or leave it out for a channel");

	if (v->kernel && ustack)
		wrong("--variant ", v->name, "it is for the kernel's sockets");
	if ((v->flags || v->gather) && (w->answered || w->udp))
		wrong("--variant ", v->name, "it is for streams");
	if (v->epoll && (!w->answered || w->udp))
		wrong("--variant ", v->name, "it is for requests over TCP");
	if (v->reuseport && w->connections)
		wrong("--variant ", v->name, "it is for connections that do not stay");
	if ((v->batch || v->segment) ? !w->udp :
	    w->udp && ((v->nodelay && !v->batch_calls) || v->zerocopy))
		wrong("--variant ", v->name, "it is for the other protocol");
}

static struct options parse(int argc, char **argv)
{
	struct options o = {
		.sockets = { &api_kernel, &api_kernel },
		.hook = "late",
		.link = "netchannel",
		.source = "0.0.0.0",
		.variant = variant_find("plain"),
		.address = "127.0.0.1",
		.port = 5000,
		.device = "lo",
		.only = BOTH,
		.runs = 5,
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		set_option(&o, option);
	if (optind != argc - 1)
		wrong("", "no workload", "give one of those that --list tells");
	o.workload = workload_find(argv[optind]);
	if (!o.workload)
		wrong("", argv[optind], "there is no such workload: --list tells them");
	check(&o);
	return o;
}

/* -------------------------------------------------------------- the ends */

static void pin(int which)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(which == CLIENT ? 0 : 1, &one);
	if (sched_setaffinity(0, sizeof(one), &one)) {
		perror("vbench: --wall wants two CPUs");
		exit(1);
	}
}

static union job_address address(const char *option, const char *text, unsigned int port)
{
	union job_address a = { .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) != 1)
		wrong(option, text, "give an IPv4 address");
	return a;
}

static void end_start(struct end *end, const struct options *o, int which)
{
	struct job job = {
		.program = "vbench",
		.link = o->link,
		.hook = o->hook,
		.device = o->device,
		.depth = 1024,
		.family = AF_INET,
		.prefix = -1,
		.local = which == CLIENT ? address("--source ", o->source, 0) :
					   address("--address ", o->address, 0),
	};

	*end = (struct end){ .api = o->sockets[which], .variant = o->variant,
			     .pattern = pattern_bytes() };
	end_init(end, o->workload->lent);
	end->peer = address("--address ", o->address, o->port);
	if (o->wall)
		pin(which);
	if (o->variant->lag)
		sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	if (end->api->start(&job))
		exit(1);
}

static void enter(const char *space)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", space);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !setns(fd, CLONE_NEWNET)) {
		close(fd);
		return;
	}
	perror(path);
	exit(1);
}

static void server_start(const struct options *o, struct end *end)
{
	end_start(end, o, SERVER);
	workload_listen(o->workload, end);
}

/* The stack goes on until the client has all, which closes @done then. */
static void serve(const struct options *o, int ready, int done)
{
	struct end end;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (o->space)
		enter(o->space);
	server_start(o, &end);
	if (write(ready, "", 1) != 1)
		die(&end, "pipe");
	workload_accept(o->workload, &end);
	for (unsigned int i = 0; i < WARM_UP + o->runs; i++)
		workload_answer(o->workload, &end);
	while (read(done, &byte, 1) < 0)
		end.api->pause(1000000);
	end.api->stop();
	exit(0);
}

static void on_child(int signal)
{
	int status;

	(void)signal;
	if (waitpid(-1, &status, WNOHANG) > 0 && status) {
		static const char text[] = "vbench: the server failed\n";

		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(2);
		_exit(1);
	}
}

static void start_server(const struct options *o, int *done)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_RESTART };
	int ready[2], end[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) || pipe2(end, O_NONBLOCK | O_CLOEXEC)) {
		perror("vbench: pipe");
		exit(1);
	}
	sigaction(SIGCHLD, &action, NULL);
	if (fork() == 0) {
		close(end[1]);
		serve(o, ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	*done = end[1];
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
}

/* Its ports and its memory are free again for the next one. */
static void stop_server(int done)
{
	signal(SIGCHLD, SIG_DFL);
	close(done);
	while (wait(NULL) < 0 && errno == EINTR)
		;
}

/* --------------------------------------------------------------- results */

static double one_run(const struct options *o, struct end *end,
		      void (*part)(const struct workload *w, struct end *end))
{
	const struct workload *w = o->workload;
	double messages = (double)w->rounds * w->requests *
			  (w->connections ? w->connections : 1);
	struct busy busy;

	busy_begin(&busy);
	part(w, end);
	busy_end(&busy);
	if (o->wall)
		return (double)busy.clock / messages;
	if (w->rate)
		return (double)(busy.clock - busy.idle) * 100 / (double)busy.clock;
	return (double)(busy.clock - busy.idle) / messages;
}

/* Every byte of payload crossed the device, and no faster way. */
static void check_device(const struct options *o, uint64_t bytes)
{
	const struct workload *w = o->workload;
	uint64_t payload = (uint64_t)w->bytes * w->rounds * w->requests *
			   (w->connections ? w->connections : 1) * (w->answered ? 2 : 1);

	if (bytes >= payload * (o->runs + WARM_UP))
		return;
	fprintf(stderr, "vbench: %s: only %llu bytes crossed %s\n", w->name,
		(unsigned long long)bytes, o->device);
	exit(1);
}

static bool tell(const struct options *o, double *values)
{
	bool kernel = o->sockets[CLIENT] == &api_kernel &&
		      o->sockets[SERVER] == &api_kernel;
	char name[128];

	snprintf(name, sizeof(name), "%s%s-%s%s%s+%s%s%s",
		 o->only == BOTH ? "" : o->only == CLIENT ? "client:" : "server:",
		 o->sockets[CLIENT]->name,
		 o->sockets[SERVER]->name, kernel ? "" : "+",
		 kernel ? "" : strcmp(o->link, "packet") ? o->hook : o->link,
		 o->variant->name, o->path ? "@" : "", o->path ? o->path : "");
	return results_tell(&(struct result){ o->workload->name, name,
					      o->wall ? "ns" : o->workload->unit,
					      values, o->runs }, o->results);
}

static void measure(const struct options *o, struct end *end,
		    void (*part)(const struct workload *w, struct end *end),
		    double *values)
{
	for (unsigned int i = 0; i < WARM_UP; i++)
		part(o->workload, end);
	for (unsigned int i = 0; i < o->runs; i++)
		values[i] = one_run(o, end, part);
}

/* The other end may need some time to have all, and to close. */
static void run_server(const struct options *o, double *values)
{
	struct end end;

	server_start(o, &end);
	workload_accept(o->workload, &end);
	measure(o, &end, workload_answer, values);
	end.api->pause(500000000);
	end.api->stop();
}

static void run_client(const struct options *o, double *values)
{
	struct end end;
	uint64_t bytes;

	end_start(&end, o, CLIENT);
	end.rate = o->workload->rate / 8;
	workload_connect(o->workload, &end);
	bytes = busy_device_bytes(o->device);
	measure(o, &end, workload_ask, values);
	check_device(o, busy_device_bytes(o->device) - bytes);
	end.api->stop();
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	double values[RESULTS_RUNS_MAX];
	int done = -1;

	pattern_init();
	if (o.only == SERVER) {
		run_server(&o, values);
		return tell(&o, values) ? 0 : 1;
	}
	if (o.only == BOTH)
		start_server(&o, &done);
	run_client(&o, values);
	if (o.only == BOTH)
		stop_server(done);
	return tell(&o, values) ? 0 : 1;
}
