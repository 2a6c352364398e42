// SPDX-License-Identifier: MIT
#include "core/counter.h"

static const char *const names[US_COUNTERS] = {
#define X(name) [US_COUNT_##name] = #name,
	US_COUNTER_LIST(X)
#undef X
};

/**
 * us_counter_name() - the name of a counter
 * @counter: which one.
 *
 * Return: a constant string; "?" for what is no counter.
 */
const char *us_counter_name(enum us_counter counter)
{
	return (unsigned int)counter < US_COUNTERS ? names[counter] : "?";
}
