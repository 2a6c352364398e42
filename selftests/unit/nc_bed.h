/* SPDX-License-Identifier: MIT */
/* A netchannel link whose rings lie in the test, which plays the kernel. */
#ifndef SELFTESTS_UNIT_NC_BED_H
#define SELFTESTS_UNIT_NC_BED_H

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "link/netchannel.h"

#define DEPTH	4u

static struct netchannel_tx_desc tx_desc[DEPTH];
static struct netchannel_tx_done done[DEPTH];
static struct netchannel_rx_desc rx_desc[DEPTH];
static uint8_t inlined[DEPTH * NETCHANNEL_TX_INLINE];
static struct us_chunk *frag[DEPTH * US_TX_FRAGS];
static struct us_nc nc;

/* read() of /dev/null returns at once. */
static inline void nc_begin(struct netchannel_ctl *ctl)
{
	memset(done, 0, sizeof(done));
	memset(frag, 0, sizeof(frag));
	nc = (struct us_nc) {
		.ctl = ctl, .frag = frag, .fd = open("/dev/null", O_RDWR),
		.rx = { .desc = rx_desc, .depth = DEPTH },
		.tx = { .desc = tx_desc, .inlined = inlined, .done = done, .depth = DEPTH },
	};
}

static inline void nc_end(void)
{
	close(nc.fd);
}

#endif /* SELFTESTS_UNIT_NC_BED_H */
