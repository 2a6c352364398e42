/* SPDX-License-Identifier: MIT */
/*
 * TAP output for unit tests: one program a test, a plain C main():
 *
 *	int main(void)
 *	{
 *		plan(2);
 *		ok(1 + 1 == 2, "addition");
 *		ok(f() == -EINVAL, "f() refuses %s", "this");
 *		return finish();
 *	}
 *
 * plan(0) leaves the count to finish(), for tests that run tables.
 */
#ifndef SELFTESTS_UNIT_TAP_H
#define SELFTESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static struct {
	int planned;
	int run;
	int failed;
} tap;

static inline void plan(int tests)
{
	tap.planned = tests;
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("TAP version 13");
	if (tests)
		printf("1..%d\n", tests);
}

__attribute__((format(printf, 4, 5)))
static inline bool tap_ok(bool good, const char *file, int line,
			  const char *format, ...)
{
	va_list args;

	tap.run++;
	tap.failed += !good;
	printf("%sok %d - ", good ? "" : "not ", tap.run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!good)
		printf("# failed at %s:%d\n", file, line);
	return good;
}

/* ok(cond, format, ...): one test point; gives cond back. */
#define ok(cond, ...)	tap_ok(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

/* The exit status of the program: 0 if what was planned ran and passed. */
static inline int finish(void)
{
	if (!tap.planned)
		printf("1..%d\n", tap.run);
	else if (tap.planned != tap.run)
		printf("# planned %d tests, ran %d\n", tap.planned, tap.run);
	if (tap.failed)
		printf("# %d of %d failed\n", tap.failed, tap.run);
	return tap.failed || (tap.planned && tap.planned != tap.run);
}

#endif /* SELFTESTS_UNIT_TAP_H */
