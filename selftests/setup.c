// SPDX-License-Identifier: GPL-2.0
/* NETCHANNEL_IOC_SETUP: arguments, defaults, the regions, what is charged. */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"

FIXTURE(setup) {
	int fd;
	struct netchannel_setup setup;
};

FIXTURE_SETUP(setup)
{
	self->fd = chan_open();
	ASSERT_LE(0, self->fd);
	memset(&self->setup, 0, sizeof(self->setup));
	self->setup.size = sizeof(self->setup);
}

FIXTURE_TEARDOWN(setup)
{
	close(self->fd);
}

static int do_setup(int fd, struct netchannel_setup *setup)
{
	return chan_ioctl(fd, NETCHANNEL_IOC_SETUP, setup);
}

TEST_F(setup, defaults)
{
	struct netchannel_setup *s = &self->setup;

	ASSERT_EQ(0, do_setup(self->fd, s));
	EXPECT_EQ(NETCHANNEL_DEPTH_DEFAULT, s->rx_depth);
	EXPECT_EQ(NETCHANNEL_DEPTH_DEFAULT, s->tx_depth);
	EXPECT_EQ((NETCHANNEL_DEPTH_DEFAULT + 1) * 2048 + 2048, s->rx_bytes);
	EXPECT_EQ(2 << 20, s->tx_bytes);
	EXPECT_EQ(64, s->wills);
	EXPECT_EQ(64, s->rx_desc_size);
	EXPECT_EQ(64, s->tx_desc_size);
}

TEST_F(setup, depth_is_rounded_up)
{
	uint32_t in[] = { 1, 2, 3, 1000, 1024, 1025 };
	uint32_t out[] = { 1, 2, 4, 1024, 1024, 2048 };
	struct netchannel_setup s;
	int i, fd;

	for (i = 0; i < 6; i++) {
		fd = chan_open();
		chan_setup_init(&s, in[i], in[i]);
		ASSERT_EQ(0, do_setup(fd, &s));
		EXPECT_EQ(out[i], s.rx_depth);
		EXPECT_EQ(out[i], s.tx_depth);
		EXPECT_LE(s.rx_depth == 1 ? 262144 : (s.rx_depth + 1) * 2048,
			  s.rx_bytes);
		close(fd);
	}
}

TEST_F(setup, greatest_depth)
{
	chan_setup_init(&self->setup, NETCHANNEL_DEPTH_MAX, NETCHANNEL_DEPTH_MAX);
	ASSERT_EQ(0, do_setup(self->fd, &self->setup));
	EXPECT_EQ(NETCHANNEL_DEPTH_MAX, self->setup.rx_depth);
	EXPECT_EQ(NETCHANNEL_DEPTH_MAX, self->setup.tx_depth);
}

TEST_F(setup, bytes_are_rounded_up_to_pages)
{
	self->setup.rx_bytes = NETCHANNEL_RX_PACKET_MAX + 1;
	self->setup.tx_bytes = 1;
	ASSERT_EQ(0, do_setup(self->fd, &self->setup));
	EXPECT_EQ(NETCHANNEL_RX_PACKET_MAX + 4096, self->setup.rx_bytes);
	EXPECT_EQ(4096, self->setup.tx_bytes);
}

/* Regions in the order of the structure: whole pages, none overlaps, all fit. */
TEST_F(setup, regions)
{
	struct netchannel_setup *s = &self->setup;
	struct netchannel_region *region = &s->ctl;
	uint64_t end = 0;
	int i, j;

	s->rx_depth = 8;
	ASSERT_EQ(0, do_setup(self->fd, s));
	for (i = 0; i < 9; i++) {
		EXPECT_EQ(0, region[i].offset % 4096);
		EXPECT_NE(0, region[i].length);
		for (j = 0; j < i; j++)
			EXPECT_TRUE(region[i].offset >= region[j].offset + region[j].length ||
				    region[j].offset >= region[i].offset + region[i].length);
		if (region[i].offset + region[i].length > end)
			end = region[i].offset + region[i].length;
	}
	EXPECT_LE(end, s->area_size);
	EXPECT_GT(end + 4096, s->area_size);
	EXPECT_EQ(sizeof(struct netchannel_ctl), s->ctl.length);
	EXPECT_EQ(8 * sizeof(struct netchannel_rx_desc), s->rx_desc.length);
	EXPECT_EQ(8 * 4, s->rx_released.length);
	EXPECT_EQ(s->rx_bytes, s->rx_data.length);
	EXPECT_EQ(1024 * sizeof(struct netchannel_tx_desc), s->tx_desc.length);
	EXPECT_EQ(1024 * NETCHANNEL_TX_INLINE, s->tx_inline.length);
	EXPECT_EQ(1024 * sizeof(struct netchannel_tx_done), s->tx_done.length);
	EXPECT_EQ(s->tx_bytes, s->tx_data.length);
	EXPECT_EQ(64 * sizeof(struct netchannel_will), s->will.length);
}

/* What the rings hold before the first lap, and zero everywhere else. */
TEST_F(setup, fresh_area)
{
	struct chan c;
	uint64_t i, other = 0;

	ASSERT_EQ(0, chan_create(&c, 4, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i + 1 - 4, (uint64_t)(int32_t)c.rx_desc[i].seq);
		EXPECT_EQ(i + 1 - 4, (uint64_t)(int32_t)c.rx_released[i]);
		EXPECT_EQ(i + 1 - 4, (uint64_t)(int32_t)c.tx_done[i].seq);
	}
	EXPECT_EQ(0, c.ctl->status);
	EXPECT_EQ(NETCHANNEL_REASON_NONE, c.ctl->reason);
	for (i = 0; i < c.setup.rx_data.length; i++)
		other |= c.rx_data[i];
	for (i = 0; i < c.setup.tx_data.length; i++)
		other |= c.tx_data[i];
	EXPECT_EQ(0, other);
	chan_destroy(&c);
}

TEST_F(setup, once_only)
{
	struct netchannel_setup again = self->setup;

	ASSERT_EQ(0, do_setup(self->fd, &self->setup));
	EXPECT_EQ(-EBUSY, do_setup(self->fd, &again));
}

/* Each of these is refused, and the channel can then still be set up. */
#define REFUSED(name, error, ...)					\
	TEST_F(setup, name)						\
	{								\
		struct netchannel_setup good = self->setup;		\
		struct netchannel_setup *s = &self->setup;		\
									\
		__VA_ARGS__;						\
		EXPECT_EQ(-(error), do_setup(self->fd, s));		\
		EXPECT_EQ(0, do_setup(self->fd, &good));		\
	}

REFUSED(unknown_flag, EINVAL, s->flags = 1)
REFUSED(highest_flag, EINVAL, s->flags = 1U << 31)
REFUSED(reserved, EINVAL, s->reserved = 1)
REFUSED(rx_depth_too_great, EINVAL, s->rx_depth = NETCHANNEL_DEPTH_MAX + 1)
REFUSED(tx_depth_too_great, EINVAL, s->tx_depth = NETCHANNEL_DEPTH_MAX + 1)
REFUSED(rx_depth_greatest_number, EINVAL, s->rx_depth = UINT32_MAX)
REFUSED(rx_bytes_too_small, EINVAL, s->rx_bytes = NETCHANNEL_RX_PACKET_MAX - 1)
REFUSED(too_many_wills, EINVAL, s->wills = 65537)
REFUSED(rx_desc_size, EINVAL, s->rx_desc_size = 128)
REFUSED(tx_desc_size, EINVAL, s->tx_desc_size = 32)

/* Sizes whose sums or roundings overflow must not come out small. */
TEST_F(setup, sizes_that_overflow)
{
	uint64_t sizes[] = { UINT64_MAX, UINT64_MAX - 4095, 1ULL << 63,
			     1ULL << 44, (1ULL << 32) + 4096 };
	struct netchannel_setup s;
	int i, error;

	for (i = 0; i < 5; i++) {
		s = self->setup;
		s.rx_bytes = sizes[i];
		error = do_setup(self->fd, &s);
		EXPECT_TRUE(error == -EINVAL || error == -ENOMEM)
			TH_LOG("rx_bytes %llx: %d", (long long)sizes[i], error);
		s = self->setup;
		s.tx_bytes = sizes[i];
		error = do_setup(self->fd, &s);
		EXPECT_TRUE(error == -EINVAL || error == -ENOMEM)
			TH_LOG("tx_bytes %llx: %d", (long long)sizes[i], error);
	}
	EXPECT_EQ(0, do_setup(self->fd, &self->setup));
}

TEST_F(setup, comes_first)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	struct chan c = { .fd = self->fd };
	char byte;

	EXPECT_GT(0, chan_flow(&c, 0, 17, "0.0.0.0/0", 1, "0.0.0.0/0", 0));
	EXPECT_EQ(-ENOTCONN, chan_flow(&c, 0, 17, "0.0.0.0/0", 1, "0.0.0.0/0", 0));
	EXPECT_EQ(-1, write(self->fd, NULL, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, read(self->fd, &byte, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, fdatasync(self->fd));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, fsync(self->fd));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_LE(0, poll(&p, 1, 0));
}

/* Without CAP_IPC_LOCK the area counts against RLIMIT_MEMLOCK. */
static int setup_default(void *argument)
{
	struct netchannel_setup s = { .size = sizeof(s) };

	return -do_setup(*(int *)argument, &s);
}

static int setup_with_limit(void *argument)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_MEMLOCK, &limit);
	return setup_default(argument);
}

TEST_F(setup, beyond_memlock)
{
	EXPECT_EQ(ENOMEM, child_nobody(setup_with_limit, &self->fd));
	EXPECT_EQ(0, child_nobody(setup_default, &self->fd));
}

TEST_F(setup, privilege_is_exempt_from_memlock)
{
	EXPECT_EQ(0, child_wait(child_start(setup_with_limit, &self->fd)));
}

/* The default area must fit the default limit. */
static int setup_with_default_limit(void *argument)
{
	struct rlimit limit = { 8 << 20, 8 << 20 };

	setrlimit(RLIMIT_MEMLOCK, &limit);
	return setup_default(argument);
}

TEST_F(setup, default_fits_default_memlock)
{
	EXPECT_EQ(0, child_nobody(setup_with_default_limit, &self->fd));
}

/* So that the channel is freed by RCU, in a while. */
static int any_flow(struct chan *c)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t length = sizeof(name);
	struct netchannel_bind flow;
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(sock, (struct sockaddr *)&name, sizeof(name)) ||
	    getsockname(sock, (struct sockaddr *)&name, &length))
		return -1;
	bind_init(&flow, IPPROTO_UDP, "127.0.0.1", ntohs(name.sin_port), "0.0.0.0/0", 0);
	flow.sock_fd = sock;
	return chan_bind(c, &flow);
}

/*
 * The charge is the user's, over all channels, until the file is closed and
 * unmapped: one area fits, two do not, and after the first has gone one more.
 */
static int charge_and_uncharge(void *unused)
{
	struct netchannel_setup s = { .size = sizeof(s) };
	struct rlimit limit = { 6 << 20, 6 << 20 };
	/* Opened here: what the parent has open, too, is not closed by this process. */
	struct chan c = { .fd = chan_open(), .setup = s };
	int second = chan_open();

	(void)unused;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	if (become_nobody() || do_setup(c.fd, &c.setup) || chan_map(&c) || any_flow(&c))
		return 1;
	if (do_setup(second, &s) != -ENOMEM)
		return 2;
	close(c.fd);
	if (do_setup(second, &s) != -ENOMEM)
		return 3;	/* still mapped */
	munmap(c.area, c.setup.area_size);
	/* The first is freed in a while: this one waits for that. */
	return do_setup(second, &s) ? 4 : 0;
}

TEST_F(setup, charge_lasts_until_unmapped)
{
	EXPECT_EQ(0, child_wait(child_start(charge_and_uncharge, NULL)));
}

static int open_as_nobody(void *unused)
{
	(void)unused;
	return chan_open() < 0;
}

TEST_F(setup, anyone_may_open_a_channel)
{
	EXPECT_EQ(0, child_nobody(open_as_nobody, NULL));
}

TEST_HARNESS_MAIN
