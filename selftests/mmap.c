// SPDX-License-Identifier: GPL-2.0
/* mmap() of a channel's area: bounds, permissions, what a fork inherits. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"

FIXTURE(mmap) {
	struct chan c;
	size_t size;
};

FIXTURE_SETUP(mmap)
{
	ASSERT_EQ(0, chan_create(&self->c, 4, 4));
	self->size = self->c.setup.area_size;
}

FIXTURE_TEARDOWN(mmap)
{
	chan_destroy(&self->c);
}

static int map_error(int fd, size_t size, int protection, int flags, off_t offset)
{
	void *p = mmap(NULL, size, protection, flags, fd, offset);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, size);
	return 0;
}

#define RW (PROT_READ | PROT_WRITE)

TEST_F(mmap, twice)
{
	void *p = mmap(NULL, self->size, RW, MAP_SHARED, self->c.fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	self->c.ctl->wakeup = 3;
	EXPECT_EQ(0, memcmp(p, self->c.area, 4096));
	munmap(p, self->size);
}

TEST_F(mmap, beyond_the_end)
{
	EXPECT_GT(0, map_error(self->c.fd, self->size + 4096, RW, MAP_SHARED, 0));
	EXPECT_GT(0, map_error(self->c.fd, self->size, RW, MAP_SHARED, 4096));
	EXPECT_GT(0, map_error(self->c.fd, 4096, RW, MAP_SHARED, self->size));
	EXPECT_GT(0, map_error(self->c.fd, 4096, RW, MAP_SHARED, 1L << 62));
	EXPECT_GT(0, map_error(self->c.fd, 1UL << 46, RW, MAP_SHARED, 0));
}

TEST_F(mmap, executable)
{
	EXPECT_GT(0, map_error(self->c.fd, self->size, RW | PROT_EXEC, MAP_SHARED, 0));
	EXPECT_EQ(-1, mprotect(self->c.area, 4096, RW | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(mmap, private)
{
	EXPECT_GT(0, map_error(self->c.fd, self->size, RW, MAP_PRIVATE, 0));
}

/* A mapping must not grow over what lies behind the area. */
TEST_F(mmap, remap_larger)
{
	void *p = mremap(self->c.area, self->size, self->size + 4096, MREMAP_MAYMOVE);

	EXPECT_EQ(MAP_FAILED, p);
}

TEST_F(mmap, partial_unmap)
{
	ASSERT_EQ(0, munmap(self->c.area + 4096, 4096));
	EXPECT_EQ(0, chan_poll(&self->c, POLLIN, 0));
}

static int read_area(void *area)
{
	return *(volatile uint8_t *)area;
}

/* VM_DONTCOPY: the child has no mapping, but may make one of its own. */
TEST_F(mmap, not_inherited)
{
	EXPECT_EQ(128 + SIGSEGV, child_wait(child_start(read_area, self->c.area)));
}

static int map_again(void *argument)
{
	return chan_map(argument) || read_area(((struct chan *)argument)->area);
}

TEST_F(mmap, mapped_again_by_child)
{
	EXPECT_EQ(0, child_wait(child_start(map_again, &self->c)));
}

/* Who insists gets a child that shares the area; there is nothing to it. */
TEST_F(mmap, madvise_to_inherit)
{
	int status;

	madvise(self->c.area, self->size, MADV_DOFORK);
	status = child_wait(child_start(read_area, self->c.area));
	EXPECT_TRUE(status == 0 || status == 128 + SIGSEGV);
	self->c.ctl->wakeup = 0;
	EXPECT_EQ(0, chan_poll(&self->c, POLLIN, 0));
}

/* The memory outlives its descriptor. */
TEST_F(mmap, outlives_close)
{
	close(self->c.fd);
	self->c.ctl->tx_head = 0;
	EXPECT_EQ(0, read_area(self->c.area));
	memset(self->c.tx_data, 0x55, self->c.setup.tx_data.length);
	EXPECT_EQ(0x55, self->c.tx_data[4095]);
	self->c.fd = chan_open();
}

TEST_HARNESS_MAIN
