// SPDX-License-Identifier: GPL-2.0
/* What a channel's memory costs its owner's memory cgroup, and what the limit does. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"

#define ROOT	"/sys/fs/cgroup"
#define GROUP	ROOT "/netchannel"
#define AREA	(16 << 20)	/* bytes of the arena, most of the area */
#define SLACK	(1 << 20)	/* page tables, rings, what is charged in advance */

FIXTURE(memcg) {
	struct netchannel_setup setup;
	struct chan c;
};

static int64_t used(void)
{
	char text[32];

	file_read(GROUP "/memory.current", text, sizeof(text));
	return atoll(text);
}

FIXTURE_SETUP(memcg)
{
	ASSERT_EQ(0, file_write(ROOT "/cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, mkdir(GROUP, 0755));
	ASSERT_EQ(0, file_write(GROUP "/cgroup.procs", "0"));
	chan_setup_init(&self->setup, 16, 16);
	self->setup.tx_bytes = AREA;
}

FIXTURE_TEARDOWN(memcg)
{
	file_write(ROOT "/cgroup.procs", "0");
	rmdir(GROUP);
}

/* The last put is deferred. */
static bool falls_below(int64_t bytes)
{
	int i;

	for (i = 0; i < 500 && used() >= bytes; i++)
		usleep(10000);
	return i < 500;
}

TEST_F(memcg, area_is_charged_while_it_lasts)
{
	int64_t before = used(), size;

	ASSERT_EQ(0, chan_create_with(&self->c, &self->setup));
	size = self->c.setup.area_size;
	EXPECT_LE(before + size - SLACK, used());
	EXPECT_GE(before + size + SLACK, used());
	chan_destroy(&self->c);
	EXPECT_TRUE(falls_below(before + SLACK));
}

/* An area that is too large is refused; nobody is killed for it. */
TEST_F(memcg, beyond_the_limit)
{
	int64_t before = used();
	char text[256];

	ASSERT_EQ(0, file_write(GROUP "/memory.max", "8M"));
	EXPECT_EQ(-ENOMEM, chan_create_with(&self->c, &self->setup));
	close(self->c.fd);
	EXPECT_TRUE(falls_below(before + SLACK));
	file_read(GROUP "/memory.events", text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "oom_kill 0\n"));
	chan_setup_init(&self->setup, 16, 16);
	ASSERT_EQ(0, chan_create_with(&self->c, &self->setup));
	chan_destroy(&self->c);
}

TEST_HARNESS_MAIN
