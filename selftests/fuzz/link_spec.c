// SPDX-License-Identifier: MIT
/*
 * A link's arguments, as users write them. Input: "key=value,...".
 *
 * Only a pipe is opened: the other kinds would reach out of this process.
 */
#include "link/link.h"
#include "oracle.h"

#define TEXT_MAX	512

/* Of two arguments of one name the first counts: one frame is quickly made. */
static const char prefix[] = "pipe:frames=1,";

/* The parsers by themselves: what they accept is within its limits. */
static void arguments(struct us_stack *stack, const char *args)
{
	static const char *const keys[] = { "depth", "mac", "k", NULL };
	uint64_t number = 7;
	char value[8];
	uint8_t mac[6];

	if (!us_link_arg(stack, args, "k", value, sizeof(value)))
		must(strlen(value) < sizeof(value));
	us_link_arg_check(stack, args, keys);
	if (!us_link_arg_number(stack, args, "depth", 1000, 2, 9, &number))
		must(number == 7 || (number >= 2000 && number <= 9000));
	if (!us_link_arg_mac(stack, args, "mac", mac))
		must(!(mac[0] & 1) && memcmp(mac, "\0\0\0\0\0\0", 6));
}

/* A pipe opens within its limits, or says why not. */
static void pipe_of(struct us_stack *stack, const char *spec)
{
	struct us_link *link;

	stack->error[0] = 0;
	if (us_link_open(stack, spec, &link)) {
		must(stack->error[0] && strlen(stack->error) < sizeof(stack->error));
		return;
	}
	must(link->mtu >= 68 && link->mtu <= 65535 && link->gso_max >= link->mtu);
	us_link_close(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[sizeof(prefix) + TEXT_MAX] = { 0 };
	static struct us_stack stack;

	if (size > TEXT_MAX)
		return 0;
	memcpy(text, prefix, sizeof(prefix) - 1);
	memcpy(text + sizeof(prefix) - 1, data, size);
	us_random_init(&stack.random, 1);
	CDS_INIT_LIST_HEAD(&stack.links);
	arguments(&stack, text + sizeof(prefix) - 1);
	pipe_of(&stack, text);
	return 0;
}
