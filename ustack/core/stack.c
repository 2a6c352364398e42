// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "core/stack.h"

/**
 * us_fail() - keeps a text for ustack_error()
 * @stack: whose last error it is.
 * @err: negative errno.
 * @format: names the input that was wrong and the remedy; a text too long for
 *	us_stack.error is cut.
 *
 * Return: @err, so that a caller can return us_fail(...).
 */
int us_fail(struct us_stack *stack, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(stack->error, sizeof(stack->error), format, args);
	va_end(args);
	return err;
}

/**
 * us_stack_real_time() - the time of day
 * @stack: whose packets are stamped.
 *
 * Return: CLOCK_REALTIME, ns; of a stack whose clock is not the kernel's, that clock's time.
 */
us_ns us_stack_real_time(const struct us_stack *stack)
{
	struct timespec ts;

	if (stack->clock != us_clock_monotonic)
		return stack->now;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * US_SEC + ts.tv_nsec;
}
