// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chan.h"
#include "net.h"
#include "packet.h"

void net_enter(int namespace)
{
	if (setns(namespace, CLONE_NEWNET))
		abort();
}

static int open_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static void loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &lo))
		abort();
	close(fd);
}

int net_namespace(void)
{
	int back = open_namespace(), fd;

	if (unshare(CLONE_NEWNET))
		abort();
	fd = open_namespace();
	loopback_up();
	net_enter(back);
	close(back);
	return fd;
}

/*
 * One ip for all of a namespace's commands, and no shell: starting a program
 * takes longer in a guest than most tests.
 */
static int ip_batch(int namespace, const char *format, ...)
{
	int status, commands = memfd_create("ip", MFD_CLOEXEC);
	va_list arguments;
	pid_t child;

	va_start(arguments, format);
	vdprintf(commands, format, arguments);
	va_end(arguments);
	lseek(commands, 0, SEEK_SET);
	child = fork();
	if (!child) {
		net_enter(namespace);
		dup2(commands, STDIN_FILENO);
		execl("/bin/ip", "ip", "-batch", "-", NULL);
		_exit(127);
	}
	close(commands);
	return child < 0 || waitpid(child, &status, 0) != child ? -1 : status;
}

/* All that either side would ask the other for is set: only tests send. */
#define CONFIGURE(dev, ip4, ip6, mac, peer4, peer6, other4, other6)	\
	"addr add " ip4 "/24 dev " dev "\n"				\
	"addr add " ip6 "/64 dev " dev " nodad\n"			\
	"link set " dev " up\n"						\
	"neigh add " peer4 " lladdr " mac " dev " dev "\n"		\
	"neigh add " peer6 " lladdr " mac " dev " dev "\n"		\
	other4 other6

static int join(struct net *net)
{
	return ip_batch(net->here,
		"link add " HERE_DEV " address " HERE_MAC
		" type veth peer name " PEER_DEV " address " PEER_MAC
		" netns /proc/%d/fd/%d\n"
		CONFIGURE(HERE_DEV, HERE4, HERE6, PEER_MAC, PEER4, PEER6,
			  "neigh add " OTHER4 " lladdr " PEER_MAC " dev " HERE_DEV "\n",
			  "neigh add " OTHER6 " lladdr " PEER_MAC " dev " HERE_DEV "\n"),
		getpid(), net->peer) ||
	       ip_batch(net->peer,
		CONFIGURE(PEER_DEV, PEER4, PEER6, HERE_MAC, HERE4, HERE6,
			  "addr add " OTHER4 "/24 dev " PEER_DEV "\n",
			  "addr add " OTHER6 "/64 dev " PEER_DEV " nodad\n"));
}

/* A device that has just come up drops what it is given for a while. */
static bool gets_through(int from, int to, const char *dest)
{
	int sender = net_socket(from, SOCK_DGRAM, dest, 0);
	int i, receiver = net_socket(to, SOCK_DGRAM, dest, 9);
	struct pollfd p = { .fd = receiver, .events = POLLIN };

	for (i = 0; i < 200 && !p.revents; i++) {
		net_sendto(sender, "", dest, 9);
		poll(&p, 1, 10);
	}
	close(sender);
	close(receiver);
	return p.revents;
}

/* Answers to all that a test provokes, however many came before. */
static void no_rate_limits(int namespace)
{
	net_enter(namespace);
	file_write("/proc/sys/net/ipv4/icmp_ratelimit", "0");
	file_write("/proc/sys/net/ipv6/icmp/ratelimit", "0");
}

static int make_net(struct net *net)
{
	net->here = net_namespace();
	net->peer = net_namespace();
	no_rate_limits(net->peer);
	no_rate_limits(net->here);
	if (join(net))
		return -1;
	net->ifindex = if_nametoindex(HERE_DEV);
	return gets_through(net->here, net->peer, PEER4) &&
	       gets_through(net->here, net->peer, PEER6) &&
	       gets_through(net->peer, net->here, HERE4) &&
	       gets_through(net->peer, net->here, HERE6) ? 0 : -1;
}

static int silence(struct net *net)
{
	return ip_batch(net->peer, "addr flush dev " PEER_DEV "\n");
}

/*
 * A test is a child of its program, so what it makes for the next one lies as
 * descriptors in a socket that the program has opened before: one for either kind.
 */
static int shelf[2][2];

static void __attribute__((constructor)) open_shelf(void)
{
	int kind;

	for (kind = 0; kind < 2; kind++)
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, shelf[kind]))
			abort();
}

union namespaces {
	char bytes[CMSG_SPACE(2 * sizeof(int))];
	struct cmsghdr header;
};

/* @flags: MSG_PEEK to have it and leave it there. */
static bool take(int kind, struct net *net, int flags)
{
	union namespaces n;
	struct iovec data = { &net->ifindex, sizeof(net->ifindex) };
	struct msghdr m = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &n, .msg_controllen = sizeof(n),
	};
	int fd[2];

	if (recvmsg(shelf[kind][1], &m, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return false;
	memcpy(fd, CMSG_DATA(&n.header), sizeof(fd));
	net->here = fd[0];
	net->peer = fd[1];
	return true;
}

static int put(int kind, struct net *net)
{
	union namespaces n = { .header = {
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(2 * sizeof(int)),
	} };
	struct iovec data = { &net->ifindex, sizeof(net->ifindex) };
	struct msghdr m = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &n, .msg_controllen = sizeof(n),
	};

	memcpy(CMSG_DATA(&n.header), (int [2]){ net->here, net->peer }, 2 * sizeof(int));
	return sendmsg(shelf[kind][0], &m, 0) < 0 ? -1 : 0;
}

/* One CPU: a packet sent later is never received earlier. */
static int enter_net(int kind, struct net *net)
{
	net_pin(0);
	net->is_new = !take(kind, net, MSG_PEEK);
	if (net->is_new &&
	    (make_net(net) || (kind && silence(net)) || put(kind, net)))
		return -1;
	net_enter(net->here);
	return 0;
}

int net_create(struct net *net)
{
	return enter_net(0, net);
}

int net_create_silent(struct net *net)
{
	return enter_net(1, net) ? -1 : net_tap(net);
}

void net_spoil(void)
{
	struct net net;
	int kind;

	for (kind = 0; kind < 2; kind++) {
		if (take(kind, &net, 0)) {
			close(net.here);
			close(net.peer);
		}
	}
}

static int run(int namespace, const char *format, va_list arguments)
{
	int back = open_namespace(), status;
	char command[2048];

	vsnprintf(command, sizeof(command), format, arguments);
	net_enter(namespace);
	status = system(command);
	net_enter(back);
	close(back);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int net_run(int namespace, const char *format, ...)
{
	va_list arguments;
	int status;

	net_spoil();
	va_start(arguments, format);
	status = run(namespace, format, arguments);
	va_end(arguments);
	return status;
}

int net_prepare(const struct net *net, int namespace, const char *format, ...)
{
	va_list arguments;
	int status;

	if (!net->is_new)
		return 0;
	va_start(arguments, format);
	status = run(namespace, format, arguments);
	va_end(arguments);
	return status;
}

void net_pin(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

void net_unpin(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
}

struct address address(const char *text, uint16_t port)
{
	struct address a = { .length = sizeof(struct sockaddr_in) };
	struct sockaddr_in *in = (void *)&a.storage;
	struct sockaddr_in6 *in6 = (void *)&a.storage;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return a;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		abort();
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	a.length = sizeof(*in6);
	return a;
}

/* Port 0 leaves the socket unbound, of @text's family. */
int net_socket(int namespace, int type, const char *text, uint16_t port)
{
	struct timeval limit = { .tv_sec = CHAN_TIMEOUT / 1000 };
	struct address a = address(text, port);
	int back = open_namespace(), fd, one = 1;

	net_enter(namespace);
	fd = socket(a.any.sa_family, type | SOCK_CLOEXEC, 0);
	net_enter(back);
	close(back);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (a.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (port && bind(fd, &a.any, a.length)) {
		close(fd);
		return -errno;
	}
	return fd;
}

int net_listen(int namespace, const char *text, uint16_t port)
{
	int fd = net_socket(namespace, SOCK_STREAM, text, port);

	if (fd >= 0 && listen(fd, 16))
		return -errno;
	return fd;
}

int net_connect(int fd, const char *text, uint16_t port)
{
	struct address a = address(text, port);

	return connect(fd, &a.any, a.length) ? -errno : 0;
}

int net_sendto(int fd, const char *data, const char *text, uint16_t port)
{
	struct address a = address(text, port);
	ssize_t n = sendto(fd, data, strlen(data), MSG_NOSIGNAL, &a.any, a.length);

	return n < 0 ? -errno : 0;
}

bool net_hears(int fd, const char *data)
{
	char buffer[2048];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	return n == (ssize_t)strlen(data) && !memcmp(buffer, data, n);
}

int net_tap(struct net *net)
{
	struct timeval limit = { .tv_sec = CHAN_TIMEOUT / 1000 };
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	};
	int fd;

	net_enter(net->peer);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ll.sll_ifindex = if_nametoindex(PEER_DEV);
	net_enter(net->here);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return bind(fd, (void *)&ll, sizeof(ll)) ? -errno : fd;
}

int net_raw(struct net *net)
{
	net_spoil();
	return silence(net) ? -1 : net_tap(net);
}

static bool is_ip6(const struct packet *p)
{
	return p->data[0] >> 4 == 6;
}

int net_inject(int raw, const struct packet *p)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_halen = 6,
		.sll_addr = { 2, 0, 0, 0, 0, 1 },
		.sll_protocol = htons(is_ip6(p) ? ETH_P_IPV6 : ETH_P_IP),
	};
	socklen_t length = sizeof(ll);
	struct sockaddr_ll bound;

	getsockname(raw, (void *)&bound, &length);
	ll.sll_ifindex = bound.sll_ifindex;
	if (sendto(raw, p->data, p->length, 0, (void *)&ll, sizeof(ll)) < 0)
		return -errno;
	usleep(1);	/* if ksoftirqd has taken over, it has its turn */
	return 0;
}

/* The kernel's own chatter: multicast listener reports, router solicitations */
static bool is_chatter(const struct packet *p, const struct sockaddr_ll *from)
{
	if (from->sll_pkttype == PACKET_OUTGOING)
		return true;
	if (p->length < 20 || (p->data[0] >> 4 != 4 && !is_ip6(p)))
		return true;
	return is_ip6(p) && p->data[24] == 0xff;
}

int net_sniff(int raw, struct packet *p)
{
	static uint8_t bytes[65536 + 64];
	struct sockaddr_ll from;
	socklen_t length;
	ssize_t n;

	do {
		length = sizeof(from);
		n = recvfrom(raw, bytes, sizeof(bytes), 0, (void *)&from, &length);
		if (n < 0)
			return 0;
		packet_parse(p, bytes, n);
	} while (is_chatter(p, &from));
	return p->length;
}

bool net_sniffs(int raw, const struct packet *expected)
{
	static struct packet p;

	return net_sniff(raw, &p) == (int)expected->length &&
	       !memcmp(p.data, expected->data, p.length);
}

int child_start(int (*function)(void *argument), void *argument)
{
	int pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(function(argument));
}

int child_wait(int pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int become_nobody(void)
{
	return setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	       setresuid(65534, 65534, 65534) ? -1 : 0;
}

struct nobody {
	int (*function)(void *argument);
	void *argument;
};

static int as_nobody(void *argument)
{
	const struct nobody *n = argument;

	return become_nobody() ? 99 : n->function(n->argument);
}

int child_nobody(int (*function)(void *argument), void *argument)
{
	struct nobody n = { function, argument };

	return child_wait(child_start(as_nobody, &n));
}

bool slow_kernel(void)
{
	const char *kernel = getenv("NETCHANNEL_KERNEL");

	return kernel && !strcmp(kernel, "debug");
}

void file_read(const char *path, char *buffer, unsigned int size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned int used = 0;
	ssize_t n;

	while (fd >= 0 && used < size - 1 &&
	       (n = read(fd, buffer + used, size - 1 - used)) > 0)
		used += n;
	buffer[used] = 0;
	close(fd);
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return n < 0 ? -errno : 0;
}
