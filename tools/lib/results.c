// SPDX-License-Identifier: MIT
#include "results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/**
 * results_median() - the middle of some numbers
 * @values: sorted on return.
 * @count: at least one.
 *
 * Return: the median.
 */
double results_median(double *values, unsigned int count)
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
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return good;
}

/**
 * results_tell() - tells a row
 * @result: the row.
 * @path: of a table to append it to, too, or NULL.
 *
 * Return: false if the table could not be written, which it told.
 */
bool results_tell(const struct result *result, const char *path)
{
	double median = results_median(result->values, result->count);
	double least = result->values[0], most = result->values[result->count - 1];
	struct utsname host;
	char line[512];

	printf("%-18s %-14s %10.3f %-7s  %.3f .. %.3f\n", result->workload,
	       result->variant, median, result->unit, least, most);
	if (!path)
		return true;
	uname(&host);
	snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\t%.5g\t%.5g\t%.5g\t%u\n",
		 result->workload, result->variant, host.release, result->unit, median,
		 least, most, result->count);
	return append(path, line);
}
