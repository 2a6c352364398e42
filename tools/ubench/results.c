// SPDX-License-Identifier: MIT
/* Results: a line to read, and a line of a table that programs read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/**
 * bench_median() - the middle of some numbers
 * @values: sorted on return.
 * @count: at least one.
 *
 * Return: the median.
 */
double bench_median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] :
		(values[count / 2 - 1] + values[count / 2]) / 2;
}

static bool append(const char *path, const char *line)
{
	FILE *file = fopen(path, "ae");
	bool good = file;

	if (good && !ftell(file))
		good = fputs("workload\tvariant\tkernel\tunit\tmedian\tmin\tmax\truns\n",
			     file) >= 0;
	good = good && fputs(line, file) >= 0;
	if (file && fclose(file))
		good = false;
	if (!good)
		fprintf(stderr, "ubench: %s: %s\n", path, strerror(errno));
	return good;
}

/**
 * bench_result() - tells the result of a row
 * @options: where to write it, too.
 * @workload: what was done.
 * @variant: by whom.
 * @unit: of @values.
 * @values: of all runs; sorted on return.
 * @count: of @values.
 *
 * Return: false if the file could not be written, which it told.
 */
bool bench_result(const struct bench_options *options, const char *workload,
		  const char *variant, const char *unit, double *values,
		  unsigned int count)
{
	double median = bench_median(values, count);
	struct utsname host;
	char line[512];

	printf("%-18s %-14s %10.3f %-7s  %.3f .. %.3f\n", workload, variant, median,
	       unit, values[0], values[count - 1]);
	if (!options->results)
		return true;
	uname(&host);
	snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\t%.4g\t%.4g\t%.4g\t%u\n", workload,
		 variant, host.release, unit, median, values[0], values[count - 1], count);
	return append(options->results, line);
}
