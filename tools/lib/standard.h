/* SPDX-License-Identifier: MIT */
/* Standard input, output and error. */
#ifndef TOOLS_LIB_STANDARD_H
#define TOOLS_LIB_STANDARD_H

/**
 * standard_hold() - takes the numbers of those that the program was started without
 *
 * Or a socket got one, and what is for the user went to the peer.  To read or write such a one
 * fails, as it should.
 */
void standard_hold(void);

#endif /* TOOLS_LIB_STANDARD_H */
