// SPDX-License-Identifier: GPL-2.0
/* NETCHANNEL_IOC_INFO, and how every ioctl takes its structure's size. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"

FIXTURE(info) {
	int fd;
	struct netchannel_info info;
};

FIXTURE_SETUP(info)
{
	self->fd = chan_open();
	ASSERT_LE(0, self->fd);
	memset(&self->info, 0, sizeof(self->info));
	self->info.size = sizeof(self->info);
}

FIXTURE_TEARDOWN(info)
{
	close(self->fd);
}

TEST_F(info, tells_version_and_limits)
{
	ASSERT_EQ(0, chan_ioctl(self->fd, NETCHANNEL_IOC_INFO, &self->info));
	EXPECT_EQ(NETCHANNEL_ABI_VERSION, self->info.abi_version);
	EXPECT_EQ(64, self->info.rx_desc_size);
	EXPECT_EQ(64, self->info.tx_desc_size);
	EXPECT_EQ(NETCHANNEL_DEPTH_MAX, self->info.depth_max);
	EXPECT_EQ(NETCHANNEL_FLOWS_MAX, self->info.flows_max);
}

TEST_F(info, offers_late_early_and_listen)
{
	uint64_t all = NETCHANNEL_FEATURE_LATE | NETCHANNEL_FEATURE_EARLY |
		       NETCHANNEL_FEATURE_LISTEN;

	ASSERT_EQ(0, chan_ioctl(self->fd, NETCHANNEL_IOC_INFO, &self->info));
	EXPECT_EQ(all, self->info.features & all);
	EXPECT_EQ(0, self->info.features & ~(all | NETCHANNEL_FEATURE_ZEROCOPY));
}

TEST_F(info, is_told_after_setup_too)
{
	struct chan c;

	ASSERT_EQ(0, chan_create(&c, 1, 1));
	EXPECT_EQ(0, chan_ioctl(c.fd, NETCHANNEL_IOC_INFO, &self->info));
	EXPECT_EQ(NETCHANNEL_ABI_VERSION, self->info.abi_version);
	chan_destroy(&c);
}

TEST_F(info, unknown_command)
{
	EXPECT_EQ(-ENOTTY, chan_ioctl(self->fd, _IO(NETCHANNEL_IOC_MAGIC, 0x7f),
				      &self->info));
	EXPECT_EQ(-ENOTTY, chan_ioctl(self->fd, _IO('x', 0), &self->info));
}

/*
 * Sizes.  No version before the first had a shorter structure, so a shorter one
 * is always wrong.  The command's own size field follows the structure's.
 */
FIXTURE(size) {
	int fd;
	uint32_t *words;	/* a page; the next one is not mapped */
};

FIXTURE_VARIANT(size) {
	unsigned long command;
	unsigned int size;
};

#define SIZE_VARIANT(name, NAME)					\
	FIXTURE_VARIANT_ADD(size, name) {				\
		.command = NETCHANNEL_IOC_##NAME,			\
		.size = sizeof(struct netchannel_##name),		\
	}

SIZE_VARIANT(info, INFO);
SIZE_VARIANT(setup, SETUP);
SIZE_VARIANT(bind, BIND);
SIZE_VARIANT(unbind, UNBIND);
SIZE_VARIANT(latch, LATCH);
SIZE_VARIANT(freeze, FREEZE);
SIZE_VARIANT(stats, STATS);

FIXTURE_SETUP(size)
{
	self->fd = chan_open();
	ASSERT_LE(0, self->fd);
	self->words = calloc(2, 4096);
	ASSERT_NE(NULL, self->words);
}

FIXTURE_TEARDOWN(size)
{
	free(self->words);
	close(self->fd);
}

TEST_F(size, too_short)
{
	unsigned int i, sizes[] = { 0, 1, 4, variant->size - 1 };

	for (i = 0; i < 4; i++) {
		self->words[0] = sizes[i];
		EXPECT_EQ(-EINVAL, chan_ioctl(self->fd, variant->command,
					      self->words))
			TH_LOG("size %u", sizes[i]);
	}
}

TEST_F(size, longer_with_unknown_tail)
{
	((uint8_t *)self->words)[variant->size + 3] = 1;
	self->words[0] = variant->size + 8;
	EXPECT_EQ(-E2BIG, chan_ioctl(self->fd, variant->command, self->words));
}

/* The tail is read to its end, wherever that may be. */
TEST_F(size, much_longer_than_any_version)
{
	self->words[0] = 1 << 30;
	EXPECT_EQ(-E2BIG, chan_ioctl(self->fd, variant->command, self->words));
	self->words[0] = UINT32_MAX;
	EXPECT_EQ(-E2BIG, chan_ioctl(self->fd, variant->command, self->words));
}

/* What it says then about the zeroed content is the other tests' subject. */
TEST_F(size, longer_with_zero_tail_is_accepted)
{
	int exact, longer;

	self->words[0] = variant->size;
	exact = chan_ioctl(self->fd, variant->command, self->words);
	close(self->fd);
	self->fd = chan_open();
	memset(self->words, 0, 4096);
	self->words[0] = variant->size + 16;
	longer = chan_ioctl(self->fd, variant->command, self->words);
	EXPECT_EQ(exact, longer);
	EXPECT_NE(-E2BIG, longer);
}

TEST_F(size, no_memory_there)
{
	EXPECT_EQ(-EFAULT, chan_ioctl(self->fd, variant->command, NULL));
	EXPECT_EQ(-EFAULT, chan_ioctl(self->fd, variant->command, (void *)-4096L));
}

TEST_HARNESS_MAIN
