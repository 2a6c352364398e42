// SPDX-License-Identifier: MIT
/* ubench: how fast the stack itself is, and what it costs. */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "lib/pattern.h"

static const char usage[] =
"usage: ubench pipe [OPTION]...\n"
"       ubench idle [OPTION]...\n\n"
"pipe measures TCP between two ends in one thread, beside lwIP; idle measures\n"
"what a connection costs that has nothing to do.\n\n"
"      --seconds S          pipe: of a measurement (default 1; connections take\n"
"                           ten times as long)\n"
"      --runs N             pipe: of each row (default 5, at most 99)\n"
"      --workload NAME      pipe: only this one\n"
"      --variant NAME       pipe: only this one\n"
"      --connections N      idle: how many (default 1000000)\n"
"      --budget BYTES       idle: fails if an end costs more\n"
"      --results FILE       appends to a table\n"
"  -h, --help               this text\n";

static const struct option long_options[] = {
	{ "seconds", required_argument, NULL, 's' },
	{ "runs", required_argument, NULL, 'r' },
	{ "workload", required_argument, NULL, 'w' },
	{ "variant", required_argument, NULL, 'v' },
	{ "connections", required_argument, NULL, 'c' },
	{ "budget", required_argument, NULL, 'b' },
	{ "results", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static double number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end != text && !*end && value >= min && value <= max)
		return value;
	fprintf(stderr, "ubench: %s: give a number between %g and %g\n", text, min, max);
	exit(2);
}

static struct bench_options parse(int argc, char **argv)
{
	struct bench_options o = {
		.seconds = 1, .runs = 5, .connections = 1000000,
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			o.seconds = number(optarg, 0.001, 1000);
			break;
		case 'r':
			o.runs = (unsigned int)number(optarg, 1, RESULTS_RUNS_MAX);
			break;
		case 'w':
			o.workload = optarg;
			break;
		case 'v':
			o.variant = optarg;
			break;
		case 'c':
			o.connections = (uint32_t)number(optarg, 1, 1500000);
			break;
		case 'b':
			o.budget = number(optarg, 1, 1e6);
			break;
		case 'o':
			o.results = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	return o;
}

/* On the CPU that it is on: a move costs more than what some rows differ by. */
static void stay(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0 && cpu < CPU_SETSIZE)
		CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fprintf(stderr, "ubench: not pinned to CPU %d: %s\n", cpu, strerror(errno));
}

int main(int argc, char **argv)
{
	struct bench_options options = parse(argc, argv);

	stay();
	pattern_init();
	if (optind == argc - 1 && !strcmp(argv[optind], "pipe"))
		return bench_pipe(&options);
	if (optind == argc - 1 && !strcmp(argv[optind], "idle"))
		return bench_idle(&options);
	fputs("ubench: give one of pipe and idle (--help says more)\n", stderr);
	return 2;
}
