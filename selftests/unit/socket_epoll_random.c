// SPDX-License-Identifier: MIT
/*
 * Random calls on the sockets of two stacks, over a pipe with losses.  After each one,
 * what sets tell is compared with what ustack_pollsockets() finds when it asks all sockets.
 */
#include <fcntl.h>

#include "core/random.h"
#include "socket/socket.h"
#include "world.h"

#define SLOTS	24u	/* sockets of a side */
#define PORTS	4u	/* for them to meet */
#define STEPS	10000u
#define SEEDS	40u
#define ALWAYS	(EPOLLERR | EPOLLHUP)
#define HOW	(EPOLLET | EPOLLONESHOT)

/**
 * struct slot - a socket, or none
 * @socket: it.
 * @events: by set: as given to ustack_epoll_ctl(); 0: not armed.
 * @in: by set: is in it.
 * @before: by set: what was ready, or news can be told of no more.
 */
struct slot {
	struct ustack_socket *socket;
	uint32_t events[2];
	bool in[2];
	uint32_t before[2];
};

/**
 * struct side - one stack
 * @stack: it.
 * @own: its address.
 * @set: two sets.
 * @slot: its sockets.
 */
struct side {
	struct ustack *stack;
	const char *own;
	struct ustack_epoll *set[2];
	struct slot slot[SLOTS];
};

static struct us_random dice;
static struct side sides[2];
static const char *last;	/* the call that was made */

static uint32_t below(uint32_t bound)
{
	return us_random_below(&dice, bound);
}

static bool seldom(void)
{
	return below(8) == 0;
}

/* ---------------------------------------------------------------------- calls */

static void make(struct side *side, struct slot *slot)
{
	int type = below(4) ? SOCK_STREAM : SOCK_DGRAM;

	*slot = (struct slot){
		.socket = ustack_socket(side->stack, AF_INET, type | SOCK_NONBLOCK, 0),
	};
}

static void take_name(struct side *side, struct slot *slot)
{
	union world_name name = world_name(side->own, (uint16_t)(1 + below(PORTS)));

	if (!ustack_bind(slot->socket, &name.sa, sizeof(name.v4)))
		ustack_listen(slot->socket, (int)below(4));
}

static void connect_to(struct side *side, struct slot *slot)
{
	const char *other = sides[side == sides].own;
	union world_name name = world_name(other, (uint16_t)(1 + below(PORTS)));

	if (seldom() && seldom())
		name.sa.sa_family = AF_UNSPEC;
	ustack_connect(slot->socket, &name.sa, sizeof(name.v4));
}

static void accept_one(struct side *side, struct slot *slot)
{
	for (struct slot *s = side->slot; s < side->slot + SLOTS; s++) {
		if (s->socket)
			continue;
		*s = (struct slot){
			.socket = ustack_accept(slot->socket, NULL, NULL, SOCK_NONBLOCK),
		};
		return;
	}
}

static void send_some(struct side *side, struct slot *slot)
{
	static const int flags[] = { 0, 0, 0, MSG_MORE, MSG_OOB, USTACK_MSG_BATCH };
	static char bytes[70000];

	(void)side;
	ustack_send(slot->socket, bytes, seldom() ? below(sizeof(bytes)) : below(3000),
		    flags[below(6)]);
}

static void send_two(struct side *side, struct slot *slot)
{
	static char bytes[70000];
	struct iovec iov[] = { { bytes, below(2000) }, { bytes, below(sizeof(bytes)) } };
	struct mmsghdr messages[] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};

	(void)side;
	ustack_sendmmsg(slot->socket, messages, 2, 0);
}

static void send_lent(struct side *side, struct slot *slot)
{
	size_t room = 1 + below(5000);
	void *at = ustack_reserve(slot->socket, &room, 0);

	(void)side;
	if (at)
		memset(at, 0, room);
	ustack_submit(slot->socket, seldom() ? 0 : room, 0);
}

static void receive_some(struct side *side, struct slot *slot)
{
	static const int flags[] = { 0, 0, 0, MSG_PEEK, MSG_OOB, MSG_TRUNC };
	static char bytes[200000];

	(void)side;
	ustack_recv(slot->socket, bytes, seldom() ? sizeof(bytes) : below(3000),
		    flags[below(6)]);
}

static void receive_two(struct side *side, struct slot *slot)
{
	static char bytes[3000];
	struct iovec iov[] = { { bytes, sizeof(bytes) }, { bytes, sizeof(bytes) } };
	struct mmsghdr messages[] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = seldom() ? SIZE_MAX : 1 } },
	};

	(void)side;
	ustack_recvmmsg(slot->socket, messages, 2, 0);
}

static void receive_lent(struct side *side, struct slot *slot)
{
	struct iovec piece;

	(void)side;
	if (ustack_peek(slot->socket, &piece, 1, 0) == 1)
		ustack_release(slot->socket, below((uint32_t)piece.iov_len + 1));
}

static void shut(struct side *side, struct slot *slot)
{
	(void)side;
	if (seldom() && seldom())
		ustack_shutdown(slot->socket, (int)below(3));
}

static void set_number(struct side *side, struct slot *slot)
{
	static const struct {
		int level;
		int name;
		uint32_t bound;
	} options[] = {
		{ SOL_SOCKET, SO_SNDBUF, 200000 }, { SOL_SOCKET, SO_RCVBUF, 200000 },
		{ SOL_SOCKET, SO_OOBINLINE, 2 }, { SOL_SOCKET, SO_LINGER, 2 },
		{ IPPROTO_IP, IP_RECVERR, 2 }, { IPPROTO_TCP, TCP_FASTOPEN, 3 },
		{ IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 2 },
	};
	uint32_t i = below(sizeof(options) / sizeof(options[0]));
	int value[2] = { (int)below(options[i].bound), 0 };

	(void)side;
	ustack_setsockopt(slot->socket, options[i].level, options[i].name, value,
			  options[i].name == SO_LINGER ? sizeof(value) : sizeof(int));
}

static void take_error(struct side *side, struct slot *slot)
{
	int value;
	socklen_t length = sizeof(value);

	(void)side;
	ustack_getsockopt(slot->socket, SOL_SOCKET, SO_ERROR, &value, &length);
}

/* What is over goes soon. */
static void leave(struct side *side, struct slot *slot)
{
	(void)side;
	if (!(us_socket_poll(slot->socket) & POLLHUP) && !(seldom() && seldom()))
		return;
	ustack_close(slot->socket);
	slot->socket = NULL;
}

/* The second set is edge-triggered. */
static void control(struct side *side, struct slot *slot)
{
	static const int ops[] = { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_MOD, EPOLL_CTL_DEL };
	uint32_t i = below(2), how = seldom() ? EPOLLONESHOT : 0;
	uint32_t events = below(4) * EPOLLIN | EPOLLRDHUP * below(2) | EPOLLOUT * below(2);
	int op = slot->in[i] ? ops[1 + below(3)] : EPOLL_CTL_ADD;
	struct epoll_event event = { .events = events | how | (i ? EPOLLET : 0), .data.ptr = slot };

	if (ustack_epoll_ctl(side->set[i], op, slot->socket, &event))
		return;
	slot->in[i] = op != EPOLL_CTL_DEL;
	slot->events[i] = slot->in[i] ? event.events | ALWAYS : 0;
	slot->before[i] = 0;
}

static const struct {
	const char *name;
	void (*call)(struct side *side, struct slot *slot);
} calls[] = {
	{ "bind, listen", take_name }, { "connect", connect_to }, { "connect", connect_to },
	{ "accept", accept_one }, { "accept", accept_one }, { "accept", accept_one },
	{ "send", send_some }, { "send", send_some }, { "sendmmsg", send_two },
	{ "submit", send_lent }, { "recv", receive_some }, { "recv", receive_some },
	{ "recvmmsg", receive_two }, { "release", receive_lent }, { "shutdown", shut },
	{ "setsockopt", set_number }, { "SO_ERROR", take_error }, { "close", leave },
	{ "epoll_ctl", control }, { "epoll_ctl", control }, { "epoll_ctl", control },
};

static void do_something(void)
{
	struct side *side = &sides[below(2)];
	struct slot *slot = &side->slot[below(SLOTS)];
	uint32_t i = below(sizeof(calls) / sizeof(calls[0]));

	last = slot->socket ? calls[i].name : "socket";
	if (slot->socket)
		calls[i].call(side, slot);
	else
		make(side, slot);
}

/* ------------------------------------------------------------------- the model */

/* A socket that is not ready now has news to tell when it is. */
static void note_what_went(struct side *side)
{
	for (struct slot *s = side->slot; s < side->slot + SLOTS; s++)
		if (s->socket)
			s->before[1] &= (uint32_t)us_socket_poll(s->socket);
}

/* What ustack_pollsockets() finds, asked for all that there is. */
static void ask_all(struct side *side, uint32_t ready[SLOTS])
{
	struct ustack_pollfd fds[SLOTS];

	for (uint32_t i = 0; i < SLOTS; i++)
		fds[i] = (struct ustack_pollfd){ .socket = side->slot[i].socket,
						 .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP };
	ustack_pollsockets(side->stack, fds, SLOTS, 0);
	for (uint32_t i = 0; i < SLOTS; i++)
		ready[i] = (uint32_t)fds[i].revents;
}

static bool tell(const char *what, uint32_t slot, uint32_t told, uint32_t is)
{
	printf("# after %s: %s, socket %u: told %#x, ready %#x\n", last, what, slot, told, is);
	return false;
}

/* Set @i tells of @slot, which is ready like this. */
static bool as_it_should(struct slot *slot, uint32_t i, uint32_t told, uint32_t ready)
{
	uint32_t news, at = (uint32_t)(slot - sides[0].slot);

	ready &= slot->events[i];
	news = ready & ~slot->before[i];
	slot->before[i] = ready;
	if (told && (slot->events[i] & EPOLLONESHOT))
		slot->events[i] = 0;
	if (told && told != ready)
		return tell("what is not ready", at, told, ready);
	if (!told && (i ? news : ready))
		return tell(i ? "news not told" : "not told", at, told, ready);
	return true;
}

/* What set @i tells of; edge by edge, in parts: of each socket once. */
static bool ask_set(struct side *side, uint32_t i, uint32_t told[SLOTS])
{
	struct epoll_event events[SLOTS];
	bool good = true;
	int n;

	do {
		n = ustack_epoll_wait(side->set[i], events, i ? 3 : SLOTS, 0);
		for (int k = 0; k < n; k++) {
			struct slot *slot = events[k].data.ptr;

			good &= slot->socket && !told[slot - side->slot] && events[k].events;
			told[slot - side->slot] = events[k].events;
		}
	} while (good && i && n > 0);
	return good && n >= 0;
}

static bool compare(struct side *side, uint32_t i, const uint32_t ready[SLOTS])
{
	uint32_t told[SLOTS] = { 0 };
	bool good = ask_set(side, i, told);

	for (uint32_t k = 0; k < SLOTS; k++)
		if (side->slot[k].socket)
			good &= as_it_should(&side->slot[k], i, told[k], ready[k]);
	return good;
}

/* All that has come is taken in first: readiness stands still then. */
static bool check(struct side *side)
{
	uint32_t ready[SLOTS];

	note_what_went(side);
	while (ustack_poll(side->stack) == 0)
		;
	ask_all(side, ready);
	return compare(side, 0, ready) && compare(side, 1, ready);
}

/* -------------------------------------------------------------------- the runs */

static void open_side(struct side *side, struct ustack *stack, const char *own)
{
	memset(side, 0, sizeof(*side));
	side->stack = stack;
	side->own = own;
	side->set[0] = ustack_epoll_create(stack);
	side->set[1] = ustack_epoll_create(stack);
}

static void open_world(uint64_t seed)
{
	char shape[64];

	snprintf(shape, sizeof(shape), "loss=%u,delay=%u,frames=%u,seed=%u", below(6), below(3),
		 4u << below(9), (unsigned int)seed);
	world_create(shape);
	world.frozen = true;
	open_side(&sides[0], world.a, "10.0.0.1");
	open_side(&sides[1], world.b, "10.0.0.2");
}

static bool run(uint64_t seed)
{
	bool good = true;
	uint32_t step;

	us_random_init(&dice, seed);
	open_world(seed);
	for (step = 0; good && step < STEPS; step++) {
		do_something();
		good = check(&sides[0]) && check(&sides[1]);
		world.now += below(4) ? 0 : (1 + below(seldom() ? 1000 : 4)) * 500000;
	}
	if (!good)
		printf("# seed %u, step %u\n", (unsigned int)seed, step);
	world_destroy();	/* with sets and sockets open */
	return good;
}

int main(void)
{
	uint32_t seed, bad = 0;

	plan(0);
	world.send_memory = 256 << 10;
	for (seed = 1; seed <= SEEDS && !bad; seed++)
		bad += !run(seed);
	ok(!bad, "%u runs of %u random calls: sets tell what asking all sockets finds",
	   SEEDS, STEPS);
	return finish();
}
