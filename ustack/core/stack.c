// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>

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
