// SPDX-License-Identifier: MIT
/* A stack's descriptor, in the kernel's poll(2) and in real time. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "link/link.h"
#include "world.h"

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* Descriptors that are open. */
static int open_ones(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static struct ustack *stack_on(const char *spec, const char *address)
{
	union world_name name = world_name(address, 0);
	struct ustack_link *link;
	struct ustack *stack;

	world_check(ustack_create(NULL, &stack), NULL, "create");
	world_check(ustack_link_open(stack, spec, &link), stack, spec);
	world_check(ustack_address_add(stack, link, &name.sa, 24), stack, address);
	return stack;
}

static void test_refused(void)
{
	const struct ustack_config config = { .driven = true };
	struct ustack *driven;

	world_create("");
	ok(ustack_descriptor(world.a) == -EOPNOTSUPP && strstr(ustack_error(world.a), "time"),
	   "none where the clock is the caller's, and why");
	world_destroy();
	ustack_create(&config, &driven);
	ok(ustack_descriptor(driven) == -EOPNOTSUPP, "none on a driven stack");
	ustack_destroy(driven);
}

static void test_life(void)
{
	int before = open_ones(), fd;
	struct ustack *stack;

	ustack_create(NULL, &stack);
	fd = ustack_descriptor(stack);
	ok(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "a descriptor, closed on exec");
	ok(ustack_descriptor(stack) == fd && open_ones() == before + 2, "the same each time");
	ok(ustack_poll(stack) == -1 && !readable(fd, 0), "nothing to do");
	ustack_destroy(stack);
	ok(open_ones() == before, "it ends with its stack");
}

/* So many more may be opened. */
static int with_room_for(struct ustack *stack, int more)
{
	struct rlimit old, limit;
	int lowest = dup(0), result;

	close(lowest);
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	limit.rlim_cur = (rlim_t)(lowest + more);
	setrlimit(RLIMIT_NOFILE, &limit);
	result = ustack_descriptor(stack);
	setrlimit(RLIMIT_NOFILE, &old);
	return result;
}

static void test_limit(void)
{
	int before = open_ones();
	struct ustack *stack;

	ustack_create(NULL, &stack);
	ok(with_room_for(stack, 0) == -EMFILE && with_room_for(stack, 1) == -EMFILE &&
	   open_ones() == before, "no descriptors are left: EMFILE, and none is lost");
	ok(with_room_for(stack, 2) >= 0, "and then they are");
	ustack_destroy(stack);
}

/* A datagram is on its way for 300 ms: B has something to do when it comes. */
static void test_timer(void)
{
	struct ustack *a = stack_on("pipe:name=timer,delay=300", "10.0.0.1");
	struct ustack *b = stack_on("pipe:name=timer,delay=300", "10.0.0.2");
	struct ustack_socket *from = world_connect(a, "10.0.0.2", 9, SOCK_DGRAM);
	struct ustack_socket *to = ustack_socket(b, AF_INET, SOCK_DGRAM, 0);
	struct ustack_epoll *set = ustack_epoll_create(b);
	struct epoll_event event = { .events = EPOLLIN };
	union world_name name = world_name("10.0.0.2", 9);
	int fd = ustack_descriptor(b);
	int64_t begin;
	char byte;

	ustack_bind(to, &name.sa, sizeof(name.v4));
	ustack_epoll_ctl(set, EPOLL_CTL_ADD, to, &event);
	ok(!ustack_epoll_wait(set, &event, 1, 0) && !readable(fd, 10), "nothing is on its way");
	begin = now();
	ustack_send(from, "x", 1, 0);
	ok(!ustack_epoll_wait(set, &event, 1, 0) && !readable(fd, 50), "a datagram is");
	ok(readable(fd, 5000) && now() - begin >= WORLD_MS(299), "it comes when it does");
	ok(ustack_epoll_wait(set, &event, 1, 0) == 1 && ustack_recv(to, &byte, 1, 0) == 1,
	   "and is there");
	ok(!ustack_epoll_wait(set, &event, 1, 0) && !readable(fd, 20), "nothing is left to do");
	ustack_destroy(a);
	ustack_destroy(b);
}

/* Both stacks have done what there is to do: twice, as they are for one another. */
static void settle(struct ustack *a, struct ustack *b)
{
	for (int i = 0; i < 2; i++) {
		while (!ustack_poll(a))
			;
		while (!ustack_poll(b))
			;
	}
}

/* All by the two descriptors; the SYN's timer, of a second, is set first. */
static void test_conversation(void)
{
	struct ustack *a = stack_on("pipe:name=talk,delay=20", "10.0.0.1");
	struct ustack *b = stack_on("pipe:name=talk,delay=20", "10.0.0.2");
	struct ustack_socket *listener = world_listen(b, "10.0.0.2", 7), *to = NULL, *from;
	struct pollfd fds[] = {
		{ .fd = ustack_descriptor(a), .events = POLLIN },
		{ .fd = ustack_descriptor(b), .events = POLLIN },
	};
	int64_t begin = now();
	ssize_t got = -1;
	unsigned int wakes;
	char text[8];

	from = world_connect(a, "10.0.0.2", 7, SOCK_STREAM | SOCK_NONBLOCK);
	for (wakes = 0; wakes < 1000 && got < 0; wakes++) {
		settle(a, b);
		if (poll(fds, 2, 5000) < 1)
			break;
		settle(a, b);
		if (!to)
			to = ustack_accept(listener, NULL, NULL, SOCK_NONBLOCK);
		if (to && ustack_recv(to, text, sizeof(text), 0) == 3)
			ustack_send(to, "answer", 6, 0);
		ustack_send(from, "ask", to ? 0 : 3, 0);
		got = ustack_recv(from, text, sizeof(text), 0);
	}
	ok(got == 6 && now() - begin < WORLD_MS(900), "a connection, a question, an answer");
	ok(wakes < 30, "and nobody is woken for nothing (%u times)", wakes);
	ustack_destroy(a);
	ustack_destroy(b);
}

/* ------------------------------------------------- links that have descriptors */

static struct us_link *links[2];
static int events[2];

static int fd_of(const struct us_link *link)
{
	return events[link == links[1]];
}

/* A link with an eventfd(2) that says whether something came. */
static void open_link(struct ustack *stack, int i)
{
	static struct us_link_ops ops;

	world_check(ustack_link_open(stack, "extern:", (struct ustack_link **)&links[i]), stack,
		    "extern");
	ops = us_extern_ops;
	ops.fd = fd_of;
	links[i]->ops = &ops;
	events[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static bool comes(struct ustack *stack, int fd, int i)
{
	bool quiet = !ustack_pollsockets(stack, NULL, 0, 0) && !readable(fd, 0), told;
	eventfd_t value;

	eventfd_write(events[i], 1);
	told = readable(fd, 0);
	eventfd_read(events[i], &value);
	return quiet && told && !readable(fd, 0);
}

static void test_links(void)
{
	struct ustack *stack;
	int fd;

	ustack_create(NULL, &stack);
	open_link(stack, 0);
	fd = ustack_descriptor(stack);
	ok(comes(stack, fd, 0), "something comes on a link");
	open_link(stack, 1);
	ok(ustack_descriptor(stack) == fd && comes(stack, fd, 0) && comes(stack, fd, 1),
	   "on one that was opened later");
	links[0]->error = -ENETDOWN;
	eventfd_write(events[0], 1);
	ok(comes(stack, fd, 1), "a link that died is told of no more, the other is");
	links[1]->error = -EIO;
	eventfd_write(events[1], 1);
	ok(ustack_pollsockets(stack, NULL, 0, 0) == -1 && errno == EIO && !readable(fd, 0),
	   "no link is left: its error");
	ustack_destroy(stack);
	close(events[0]);
	close(events[1]);
}

int main(void)
{
	plan(0);
	test_refused();
	test_life();
	test_limit();
	test_timer();
	test_conversation();
	test_links();
	return finish();
}
