// SPDX-License-Identifier: GPL-2.0
/* /proc/net/netchannel: a line for each channel of the reader's namespace. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/chan.h"
#include "lib/net.h"

#define PROC	"/proc/thread-self/net/netchannel"

FIXTURE(proc) {
	int home;
	int away;
	struct chan c;
	char text[8192];
};

FIXTURE_SETUP(proc)
{
	self->home = net_namespace();
	self->away = net_namespace();
	net_enter(self->home);
	ASSERT_EQ(0, chan_create(&self->c, 8, 8));
}

FIXTURE_TEARDOWN(proc)
{
	chan_destroy(&self->c);
}

static int lines(char *text, size_t size)
{
	int n = 0;

	file_read(PROC, text, size);
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

#define LINES()	lines(self->text, sizeof(self->text))

static int64_t bind_port(struct chan *c, uint16_t port)
{
	return chan_flow(c, 0, IPPROTO_UDP, "127.0.0.1", port, "0.0.0.0/0", 0);
}

TEST_F(proc, header_only)
{
	EXPECT_EQ(1, LINES());
	EXPECT_STREQ("id pid uid status depth used rx tx drops flows\n", self->text);
}

TEST_F(proc, line_from_bind_to_close)
{
	struct chan other;

	ASSERT_LE(0, bind_port(&self->c, 7));
	EXPECT_EQ(2, LINES());
	ASSERT_EQ(0, chan_create(&other, 1, 1));
	ASSERT_LE(0, bind_port(&other, 8));
	EXPECT_EQ(3, LINES());
	chan_destroy(&other);
	EXPECT_EQ(2, LINES());
}

TEST_F(proc, only_of_this_namespace)
{
	ASSERT_LE(0, bind_port(&self->c, 7));
	net_enter(self->away);
	EXPECT_EQ(1, LINES());
	net_enter(self->home);
	EXPECT_EQ(2, LINES());
}

TEST_F(proc, fields)
{
	int sock = net_socket(self->home, SOCK_DGRAM, "127.0.0.1", 9), i;
	unsigned int id, pid, uid, depth, used, rx, tx, drops;
	char status[16], flows[128];

	ASSERT_LE(0, bind_port(&self->c, 7));
	for (i = 0; i < 9; i++)
		ASSERT_EQ(0, net_sendto(sock, "x", "127.0.0.1", 7));
	ASSERT_NE(NULL, chan_recv(&self->c));
	ASSERT_EQ(2, LINES());
	ASSERT_EQ(10, sscanf(strchr(self->text, '\n') + 1,
			     "%u %u %u %15s %u %u %u %u %u %127[^\n]", &id, &pid,
			     &uid, status, &depth, &used, &rx, &tx, &drops, flows));
	EXPECT_EQ(getpid(), pid);
	EXPECT_EQ(0, uid);
	EXPECT_STREQ("open", status);
	EXPECT_EQ(8, depth);
	EXPECT_EQ(8, used);
	EXPECT_EQ(8, rx);
	EXPECT_EQ(0, tx);
	EXPECT_EQ(1, drops);
	EXPECT_STREQ("udp 127.0.0.1:7->*:* late;", flows);
}

TEST_F(proc, flows)
{
	ASSERT_LE(0, chan_flow(&self->c, 0, IPPROTO_TCP, "10.0.0.0/24", 0,
			       "10.0.0.2", 80));
	ASSERT_LE(0, chan_flow(&self->c, 1, IPPROTO_TCP, "fd00::1", 80,
			       "fd00::/64", 0));
	ASSERT_LE(0, chan_flow(&self->c, 0, 253, "::/0", 0, "::/0", 0));
	ASSERT_EQ(2, LINES());
	EXPECT_NE(NULL, strstr(self->text, " tcp 10.0.0.0/24:*->10.0.0.2:80 late;"));
	EXPECT_NE(NULL, strstr(self->text, " tcp6 [fd00::1]:80->[fd00::]/64:* early;"));
	EXPECT_NE(NULL, strstr(self->text, " ip6/253 *->* late;"));
}

TEST_F(proc, states)
{
	ASSERT_LE(0, bind_port(&self->c, 7));
	ASSERT_EQ(0, chan_freeze(&self->c));
	LINES();
	EXPECT_NE(NULL, strstr(self->text, " frozen "));
	self->c.ctl->tx_head = 1000;
	chan_kick(&self->c);
	LINES();
	EXPECT_NE(NULL, strstr(self->text, " broken "));
}

/* What another user may know: the file is readable, and tells no addresses of
 * memory.
 */
static int nobody_reads(void *text)
{
	return lines(text, 8192) != 2;
}

TEST_F(proc, for_everybody)
{
	ASSERT_LE(0, bind_port(&self->c, 7));
	EXPECT_EQ(0, child_nobody(nobody_reads, self->text));
}

/* More lines than fit a page, while they come and go. */
TEST_F(proc, many)
{
	struct chan many[200];
	int i;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, chan_create(&many[i], 1, 1));
		ASSERT_LE(0, bind_port(&many[i], 100 + i));
	}
	EXPECT_LT(100, LINES());
	for (i = 0; i < 200; i++)
		chan_destroy(&many[i]);
	EXPECT_EQ(1, LINES());
}

/* The owner's number is that of the reader's pid namespace: 0 from outside. */
static int in_pid_namespace(void *argument)
{
	unsigned int id, pid = -1;
	char text[8192];

	lines(text, sizeof(text));
	if (sscanf(strchr(text, '\n') + 1, "%u %u", &id, &pid) != 2)
		return 1;
	return pid != 0 ? 2 : 0;
}

TEST_F(proc, pid_of_another_pid_namespace)
{
	ASSERT_LE(0, bind_port(&self->c, 7));
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	EXPECT_EQ(0, child_wait(child_start(in_pid_namespace, NULL)));
}

TEST_HARNESS_MAIN
