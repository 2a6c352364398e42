/* SPDX-License-Identifier: MIT */
/* splitmix64: a seed decides all that follows. */
#ifndef SELFTESTS_DIFFERENTIAL_DRAW_H
#define SELFTESTS_DIFFERENTIAL_DRAW_H

#include <stdint.h>

static inline uint32_t draw(uint64_t *random, uint32_t below)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

#endif /* SELFTESTS_DIFFERENTIAL_DRAW_H */
