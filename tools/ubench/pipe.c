// SPDX-License-Identifier: MIT
/*
 * ubench pipe: both ends in one thread, joined in memory.  Runs are interleaved,
 * so that what else the machine does meets all rows alike.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

/* A row whose variant has "-gso" sends super-segments; all others send frames of
 * 1500 bytes at most, each on its own, with checksums made and verified.
 */
static const struct bench_row rows[] = {
	{ &bench_bulk, "ustack", &bench_ustack, "", false, 6 },
	{ &bench_bulk, "ustack-gso", &bench_ustack, "gso=1", false, 0 },
	{ &bench_bulk, "ustack-zerocopy", &bench_ustack_zerocopy, "", false, 0 },
	{ &bench_bulk_lent, "ustack-lend", &bench_ustack, "", false, 0 },
	{ &bench_bulk, "lwip", &bench_lwip, "", true, 0 },
	{ &bench_messages, "ustack", &bench_ustack, "", false, 3.4 },
	{ &bench_messages, "ustack-gso", &bench_ustack, "gso=1", false, 0 },
	{ &bench_messages, "lwip", &bench_lwip, "", true, 0 },
	{ &bench_requests, "ustack", &bench_ustack, "", false, 2 },
	{ &bench_requests, "lwip", &bench_lwip, "", true, 0 },
	{ &bench_connections, "ustack", &bench_ustack, "", false, 15 },
	{ &bench_connections, "lwip", &bench_lwip, "", true, 0 },
	{ &bench_reuse, "ustack", &bench_ustack, "", false, 0 },
};

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

/* What the runs of a row gave. */
struct series {
	double value[RESULTS_RUNS_MAX];
	struct bench_waits waits;
	int64_t rss;
};

static struct series all[ROWS];

static bool wanted(const struct bench_options *options, const struct bench_row *row)
{
	return (!options->workload || !strcmp(options->workload, row->workload->name)) &&
	       (!options->variant || !strcmp(options->variant, row->variant));
}

static bool run_row(const struct bench_options *options, const struct bench_row *row,
		    struct series *series, unsigned int number)
{
	struct bench_run run = {
		.api = row->contender,
		.nanoseconds = (int64_t)(options->seconds * 1e9 * row->workload->factor),
	};
	bool good;

	run.bench = row->contender->open(row->link);
	if (!run.bench)
		return false;
	good = row->workload->measure(&run);
	row->contender->close(run.bench);
	if (!good)
		fprintf(stderr, "ubench: %s of %s failed\n", row->workload->name,
			row->variant);
	series->value[number] = run.result;
	series->waits = run.waits;
	series->rss = run.rss;
	return good;
}

static void tell_waits(const struct bench_row *row, const struct series *series)
{
	const struct bench_waits *w = &series->waits;

	printf("%-18s %-14s TIME-WAIT: %llu records, %llu reused, %llu overflowed, %llu held; grew by %lld bytes\n",
	       row->workload->name, row->variant, (unsigned long long)w->entered,
	       (unsigned long long)w->reused, (unsigned long long)w->dropped,
	       (unsigned long long)w->held, (long long)series->rss);
}

static const struct series *beside(const struct bench_row *row)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (rows[i].workload == row->workload && rows[i].beside)
			return &all[i];
	return NULL;
}

static void tell_ratio(const struct bench_options *options, const struct bench_row *row,
		       struct series *series)
{
	const struct series *other = beside(row);
	double ratios[RESULTS_RUNS_MAX];
	unsigned int i;

	if (row->beside || !other || other->value[0] <= 0)
		return;
	for (i = 0; i < options->runs; i++)
		ratios[i] = series->value[i] / other->value[i];
	printf("%-18s %-14s %10.2f times lwip", row->workload->name, row->variant,
	       results_median(ratios, options->runs));
	if (row->target > 0)
		printf(", to reach: %.1f", row->target);
	printf("\n");
}

static bool tell(const struct bench_options *options)
{
	bool good = true;
	size_t i;

	/* Ratios are of pairs of runs: before the values are sorted. */
	for (i = 0; i < ROWS; i++)
		if (wanted(options, &rows[i]))
			tell_ratio(options, &rows[i], &all[i]);
	for (i = 0; i < ROWS; i++) {
		const struct bench_row *row = &rows[i];

		if (!wanted(options, row))
			continue;
		if (row->workload->waits)
			tell_waits(row, &all[i]);
		good = results_tell(&(struct result){ row->workload->name, row->variant,
						      row->workload->unit, all[i].value,
						      options->runs },
				    options->results) && good;
	}
	return good;
}

static void tell_rows(void)
{
	size_t i;

	fputs("ubench: there is no such row: --workload and --variant are", stderr);
	for (i = 0; i < ROWS; i++)
		fprintf(stderr, " %s %s%s", rows[i].workload->name, rows[i].variant,
			i + 1 < ROWS ? "," : "\n");
}

/**
 * bench_pipe() - the subcommand
 * @options: of the command line.
 *
 * Return: exit status.
 */
int bench_pipe(const struct bench_options *options)
{
	unsigned int number;
	bool any = false;
	size_t i;

	for (number = 0; number < options->runs; number++) {
		for (i = 0; i < ROWS; i++) {
			if (!wanted(options, &rows[i]))
				continue;
			any = true;
			if (!run_row(options, &rows[i], &all[i], number))
				return 1;
		}
	}
	if (!any) {
		tell_rows();
		return 2;
	}
	return tell(options) ? 0 : 1;
}
