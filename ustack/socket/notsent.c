// SPDX-License-Identifier: MIT
/*
 * The number of TCP_NOTSENT_LOWAT.  Most sockets have none, and a socket is small: so the
 * numbers lie beside the sockets, in pages that nobody touches until one is set.
 */
#include <errno.h>
#include <stdlib.h>

#include "socket/socket.h"

/**
 * us_notsent_lowats_create() - takes memory for the numbers
 * @stack: has its sockets.
 *
 * Return: 0, -ENOMEM.
 */
int us_notsent_lowats_create(struct us_stack *stack)
{
	stack->notsent_lowats = calloc(stack->sockets.count, sizeof(uint32_t));
	return stack->notsent_lowats ? 0 : -ENOMEM;
}

/**
 * us_notsent_lowats_destroy() - frees it
 * @stack: whatever it has of it.
 */
void us_notsent_lowats_destroy(struct us_stack *stack)
{
	free(stack->notsent_lowats);
}

static uint32_t *place(const struct ustack_socket *s)
{
	return &s->stack->notsent_lowats[us_socket_index(s)];
}

/**
 * us_notsent_lowat_set() - TCP_NOTSENT_LOWAT
 * @s: a SOCK_STREAM.
 * @bytes: that stop who sends; 0: none do.
 */
void us_notsent_lowat_set(struct ustack_socket *s, uint32_t bytes)
{
	s->options.notsent_lowat = bytes;
	if (bytes)
		*place(s) = bytes;
}

/**
 * us_notsent_lowat() - what was set
 * @s: the socket.
 */
uint32_t us_notsent_lowat(const struct ustack_socket *s)
{
	return s->options.notsent_lowat ? *place(s) : 0;
}
