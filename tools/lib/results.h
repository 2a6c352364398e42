/* SPDX-License-Identifier: MIT */
/* What benchmarks found: a line to read, and a line of a table that programs read. */
#ifndef TOOLS_RESULTS_H
#define TOOLS_RESULTS_H

#include <stdbool.h>

#define RESULTS_RUNS_MAX	99u

/**
 * struct result - a row
 * @workload: what was done.
 * @variant: by whom, and how.
 * @unit: of @values.
 * @values: of all runs; sorted by results_tell().
 * @count: of @values, at least one.
 */
struct result {
	const char *workload;
	const char *variant;
	const char *unit;
	double *values;
	unsigned int count;
};

double results_median(double *values, unsigned int count);
bool results_tell(const struct result *result, const char *path);

#endif /* TOOLS_RESULTS_H */
