/* SPDX-License-Identifier: MIT */
/* Random scripts of a datagram socket. */
#ifndef SELFTESTS_DIFFERENTIAL_DATAGRAMS_H
#define SELFTESTS_DIFFERENTIAL_DATAGRAMS_H

#include "subject.h"

bool datagrams_script(uint64_t seed, int domain, uint16_t port, bool verbose);

#endif /* SELFTESTS_DIFFERENTIAL_DATAGRAMS_H */
