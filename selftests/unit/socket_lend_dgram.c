// SPDX-License-Identifier: MIT
/* Datagrams that are written and read in memory that a socket lends. */
#include <netinet/udp.h>

#include "socket/socket.h"
#include "transport/udp_parts.h"
#include "world.h"

#define LARGEST		1472u	/* of a datagram, by the pipe's MTU */

static struct ustack_socket *a, *b;

static struct us_stack *inside(struct ustack *stack)
{
	return (struct us_stack *)stack;
}

static struct us_link *link_of(struct ustack *stack)
{
	return cds_list_first_entry(&inside(stack)->links, struct us_link, node);
}

static struct ustack_socket *dgram(struct ustack *stack, const char *own, uint16_t port,
				   int flags)
{
	struct ustack_socket *s = ustack_socket(stack, AF_INET, SOCK_DGRAM | flags, 0);
	union world_name name = world_name(own, port);

	if (ustack_bind(s, &name.sa, sizeof(name.v4)))
		world_check(-errno, stack, "bind");
	return s;
}

static int reach(struct ustack_socket *s, const char *other, uint16_t port)
{
	union world_name peer = world_name(other, port);

	return ustack_connect(s, &peer.sa, sizeof(peer.v4));
}

/* Two that are connected to each other; A's as @flags say. */
static void begin(int flags)
{
	a = dgram(world.a, "10.0.0.1", 7, flags);
	b = dgram(world.b, "10.0.0.2", 7, SOCK_NONBLOCK);
	reach(a, "10.0.0.2", 7);
	reach(b, "10.0.0.1", 7);
}

static bool all_back(struct ustack *stack)
{
	const struct us_stack *s = inside(stack);

	return us_txmem_free_bytes(s->mem) == us_txmem_size(s->mem) &&
	       us_txmem_free_bytes(s->udp->mem) == us_txmem_size(s->udp->mem) &&
	       !s->pkts.used && !s->udp->dgrams.used && !s->udp->ports.used;
}

static void end(void)
{
	world.frozen = false;
	ustack_close(a);
	ustack_close(b);
	world_run(WORLD_MS(20));
	ok(all_back(world.a) && all_back(world.b), "all memory is back");
}

static int set(struct ustack_socket *s, int name, int value)
{
	return ustack_setsockopt(s, IPPROTO_UDP, name, &value, sizeof(value));
}

static short ready(struct ustack_socket *s)
{
	struct ustack_pollfd fd = { .socket = s, .events = POLLIN | POLLOUT };

	ustack_pollsockets(s == a ? world.a : world.b, &fd, 1, 0);
	return fd.revents;
}

/* Message @number has bytes of its own. */
static char byte_at(unsigned int number, size_t at)
{
	return (char)(number * 37 + at * 7 + at / 256);
}

static bool is_message(const void *data, size_t len, unsigned int number)
{
	size_t i;

	for (i = 0; i < len && ((const char *)data)[i] == byte_at(number, i); i++)
		;
	return i == len;
}

static void *write_message(void *to, size_t len, unsigned int number)
{
	for (size_t i = 0; to && i < len; i++)
		((char *)to)[i] = byte_at(number, i);
	return to;
}

/* Room for @len bytes, in which message @number is written. */
static char *room_for(size_t len, unsigned int number)
{
	size_t room = len;
	char *to = ustack_reserve(a, &room, 0);

	return to && room == len ? write_message(to, len, number) : NULL;
}

static bool no_room(size_t len, int flags, int error)
{
	errno = 0;
	return !ustack_reserve(a, &len, flags) && errno == error && !len;
}

static bool lends_and_sends(size_t len, unsigned int number, int flags)
{
	return room_for(len, number) && ustack_submit(a, len, flags) == 0;
}

static ssize_t put(size_t len, unsigned int number, int flags)
{
	static char data[UINT16_MAX];

	return ustack_send(a, write_message(data, len, number), len, flags);
}

/* B is lent message @number. */
static bool shows(size_t len, unsigned int number)
{
	struct iovec piece[2] = { { .iov_len = 1 }, { .iov_len = 1 } };

	return ustack_peek(b, piece, 2, 0) == 1 && piece[0].iov_len == len &&
	       piece[1].iov_len == 1 && is_message(piece[0].iov_base, len, number);
}

static bool reads(size_t len, unsigned int number)
{
	return shows(len, number) && ustack_release(b, len) == 0;
}

/* B hears it, and the next one. */
static bool hears(size_t len, unsigned int number)
{
	world_run(WORLD_MS(2));
	return reads(len, number);
}

static bool nothing_comes(void)
{
	struct iovec piece;

	world_run(WORLD_MS(2));
	return ustack_peek(b, &piece, 1, 0) == -1 && errno == EAGAIN;
}

/* ------------------------------------------------------------------ sending */

static void test_send(void)
{
	begin(SOCK_NONBLOCK);
	ok(room_for(100, 1), "reserve: as much as wished for");
	ok(no_room(1, 0, EBUSY), "reserve: one at a time");
	ok(put(10, 2, 0) == 10 && hears(10, 2), "others are sent meanwhile");
	fails(ustack_submit(a, 101, 0), EINVAL);
	ok(ustack_submit(a, 50, 0) == 0 && hears(50, 1), "submit: the first 50 bytes");
	fails(ustack_submit(a, 50, 0), EINVAL);
	ok(room_for(100, 1) && ustack_submit(a, 0, 0) == 0 && nothing_comes(),
	   "submit: nothing, and nothing comes");
	fails(ustack_submit(a, 0, 0), EINVAL);
	ok(lends_and_sends(LARGEST, 3, 0) && hears(LARGEST, 3), "the largest datagram");
	set(a, UDP_SEGMENT, 100);
	ok(lends_and_sends(250, 4, 0) && hears(100, 4), "UDP_SEGMENT: cut here");
	ok(ustack_recv(b, NULL, 0, MSG_TRUNC) == 100 && ustack_recv(b, NULL, 0, MSG_TRUNC) == 50,
	   "where it should be");
	ok(nothing_comes(), "and no more");
	end();
}

/* It leaves from where it was written. */
static void test_no_copy(void)
{
	struct us_udp_train *train;
	uint64_t before;
	const char *room;

	begin(SOCK_NONBLOCK);
	put(1, 0, 0);
	ok(hears(1, 0), "a neighbour is known");
	train = &a->udp->train;
	before = link_of(world.a)->stats.tx_packets;
	room = room_for(1000, 1);
	ok(ustack_submit(a, 1000, USTACK_MSG_BATCH) == 0 && train->chunk &&
	   (char *)train->chunk->data == room && train->len == 1000,
	   "submitted where it was written");
	ok(link_of(world.a)->stats.tx_packets == before, "USTACK_MSG_BATCH: it waits");
	ok(put(1000, 2, USTACK_MSG_BATCH) == 1000 && train->len == 1000, "nothing joins it");
	ok(hears(1000, 1) && hears(1000, 2), "both come with the next round");
	ok(lends_and_sends(1000, 3, USTACK_MSG_BATCH) && lends_and_sends(900, 4, 0) &&
	   link_of(world.a)->stats.tx_packets == before + 4,
	   "a call without the flag lets out all");
	ok(hears(1000, 3) && hears(900, 4), "and they come");
	end();
}

static void test_order(void)
{
	begin(SOCK_NONBLOCK);
	put(100, 1, USTACK_MSG_BATCH);
	put(100, 2, USTACK_MSG_BATCH);
	ok(room_for(100, 5), "room behind two that wait");
	put(100, 3, USTACK_MSG_BATCH);
	put(100, 4, USTACK_MSG_BATCH);
	ok(ustack_submit(a, 100, USTACK_MSG_BATCH) == 0, "and in front of it two more");
	put(100, 6, 0);
	for (unsigned int i = 1; i < 7; i++)
		ok(hears(100, i), "message %u, in the order of the calls", i);
	end();
}

static void test_limits(void)
{
	begin(SOCK_NONBLOCK);
	ok(no_room(0, 0, EINVAL), "reserve: nothing");
	ok(no_room(1, MSG_OOB, EINVAL), "reserve: flags");
	ok(no_room(LARGEST + 1, 0, EMSGSIZE), "reserve: more than the path takes");
	ok(no_room(65536, 0, EMSGSIZE), "reserve: more than a datagram may have");
	fails(ustack_submit(a, 0, 0), EINVAL);
	set(a, UDP_SEGMENT, 100);
	ok(no_room(6401, 0, EINVAL), "reserve: 65 segments");
	ok(no_room(65508, 0, EMSGSIZE), "reserve: more than a packet can have");
	ok(room_for(6400, 1), "reserve: 64 segments");
	fails(ustack_submit(a, 6400, MSG_MORE), EOPNOTSUPP);
	fails(ustack_submit(a, 6400, MSG_OOB), EOPNOTSUPP);
	fails(ustack_submit(a, 6400, MSG_PEEK), EINVAL);
	set(a, UDP_SEGMENT, 50);
	fails(ustack_submit(a, 6400, 0), EINVAL);
	set(a, UDP_SEGMENT, 0);
	fails(ustack_submit(a, 6400, 0), EMSGSIZE);
	fails(ustack_submit(a, 0, 0), EINVAL);
	ok(nothing_comes(), "and nothing comes");
	end();
}

/* Takes all send memory but one piece of @left bytes, or gives it back. */
static void starve(uint32_t left)
{
	static struct us_chunk *taken[4096];
	static unsigned int nr;

	if (left) {
		struct us_chunk *kept = us_chunk_alloc(inside(world.a)->mem, left);

		while ((taken[nr] = us_chunk_alloc(inside(world.a)->mem, US_CHUNK_MAX)))
			nr++;
		us_chunk_put(kept);
	}
	while (!left && nr)
		us_chunk_put(taken[--nr]);
}

static void test_memory(void)
{
	begin(SOCK_NONBLOCK);
	set(a, UDP_SEGMENT, 1000);
	starve(US_CHUNK_MIN);
	ok(no_room(3000, 0, ENOBUFS), "reserve: no such piece");
	ok(room_for(1000, 1), "reserve: a smaller one");
	ok(ustack_submit(a, 0, 0) == 0 && room_for(1000, 1), "which came back");
	starve(0);
	ok(ustack_submit(a, 1000, 0) == 0 && hears(1000, 1), "and is sent");
	end();
}

static void test_states(void)
{
	a = ustack_socket(world.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ok(no_room(1, 0, EDESTADDRREQ), "reserve: no port");
	fails(ustack_submit(a, 0, 0), EINVAL);
	fails(ustack_peek(a, &(struct iovec){ 0 }, 1, 0), EAGAIN);
	fails(ustack_release(a, 0), EINVAL);
	ustack_close(a);
	begin(SOCK_NONBLOCK);
	room_for(10, 1);
	ustack_shutdown(a, SHUT_WR);
	fails(ustack_submit(a, 10, 0), EPIPE);
	fails(ustack_submit(a, 10, 0), EINVAL);
	ok(no_room(1, 0, EPIPE), "reserve: shut down");
	ok(nothing_comes(), "nothing comes");
	end();
}

/* Nobody is at that port, and the ICMP error tells so. */
static void test_refused(void)
{
	begin(SOCK_NONBLOCK);
	reach(a, "10.0.0.2", 4000);
	put(1, 1, 0);
	world_run(WORLD_MS(2));
	ok(no_room(1, 0, ECONNREFUSED), "reserve: the pending error");
	ok(lends_and_sends(1, 1, 0) && room_for(1, 2), "which was told once");
	world_run(WORLD_MS(2));
	fails(ustack_submit(a, 1, 0), ECONNREFUSED);
	fails(ustack_submit(a, 1, 0), EINVAL);
	a->error = ECONNREFUSED;	/* as from ustack_recvmmsg(), behind what came */
	ok(no_room(1, 0, ECONNREFUSED) && room_for(1, 2), "one that was kept");
	a->error = ECONNREFUSED;
	fails(ustack_submit(a, 1, 0), ECONNREFUSED);
	a->error = ECONNREFUSED;
	fails(ustack_peek(a, &(struct iovec){ 0 }, 1, 0), ECONNREFUSED);
	fails(ustack_peek(a, &(struct iovec){ 0 }, 1, 0), EAGAIN);
	put(1, 1, 0);
	world_run(WORLD_MS(2));
	fails(ustack_peek(a, &(struct iovec){ 0 }, 1, 0), ECONNREFUSED);
	end();
}

/* Sends until the link is full. */
static void fill_link(void)
{
	while (put(10, 0, 0) == 10)
		;
}

static bool hears_filling(void)
{
	int n = 0;

	world_run(WORLD_MS(2));
	while (n < 4 && reads(10, 0))
		n++;
	return n == 4;
}

static void test_full(void)
{
	begin(SOCK_NONBLOCK);
	ok(put(1, 0, 0) == 1 && hears(1, 0), "a neighbour is known");
	world.frozen = true;
	ok(room_for(LARGEST, 1), "room");
	fill_link();
	ok(errno == EAGAIN && ustack_submit(a, LARGEST, 0) == 0, "submit: the link is full");
	ok(!(ready(a) & POLLOUT) && no_room(1, 0, EAGAIN), "it waits, and who wants room does");
	ok(hears_filling() && hears(LARGEST, 1) && nothing_comes(), "it comes behind the others");
	ok(ready(a) & POLLOUT, "POLLOUT");
	end();
}

/* What was sent while room was lent waits, too. */
static void test_full_twice(void)
{
	begin(SOCK_NONBLOCK);
	ok(put(1, 0, 0) == 1 && hears(1, 0), "a neighbour is known");
	world.frozen = true;
	ok(room_for(1000, 2), "room");
	fill_link();
	ok(put(900, 1, USTACK_MSG_BATCH) == 900, "a datagram waits in memory");
	fails(ustack_submit(a, 1000, 0), EAGAIN);
	ok(no_room(1, 0, EBUSY), "the room stays lent");
	ok(hears_filling() && hears(900, 1), "that one comes");
	ok(ustack_submit(a, 1000, 0) == 0 && hears(1000, 2), "then the other one can");
	end();
}

static void test_waits(void)
{
	const struct timeval soon = { .tv_usec = 5000 };

	begin(0);
	ok(put(1, 0, 0) == 1 && hears(1, 0), "a neighbour is known");
	ustack_setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	set(a, UDP_SEGMENT, 1000);
	world.frozen = true;
	for (unsigned int i = 0; i < 4; i++)
		put(10, 0, 0);
	ok(put(1100, 1, 0) == 1100, "a message waits for the link");
	ok(no_room(1, MSG_DONTWAIT, EAGAIN), "reserve: MSG_DONTWAIT");
	world.frozen = false;
	ok(lends_and_sends(900, 2, 0), "reserve: waits for room");
	ok(hears_filling() && hears(1000, 1) && ustack_recv(b, NULL, 0, MSG_TRUNC) == 100 &&
	   hears(900, 2), "all come");
	end();
}

/* The way leads to another link meanwhile: one that cannot send from the room. */
static void test_other_memory(void)
{
	struct us_link *link = link_of(world.a);
	struct us_txmem *other, *own = link->mem;
	const char *room;

	begin(SOCK_NONBLOCK);
	if (us_txmem_create(&other, NULL, US_CHUNK_MIN))
		puts("Bail out! no memory");
	put(1, 0, 0);
	ok(hears(1, 0), "a neighbour is known");
	room = room_for(1000, 1);
	link->mem = other;
	ok(ustack_submit(a, 1000, USTACK_MSG_BATCH) == 0 && a->udp->train.chunk->mem == other &&
	   (char *)a->udp->train.chunk->data != room, "memory of another link: copied");
	ok(us_txmem_free_bytes(own) == us_txmem_size(own) && hears(1000, 1), "and it comes");
	link->mem = own;
	set(a, UDP_SEGMENT, 1000);
	ok(room_for(3000, 1), "more than that link has");
	link->mem = other;
	fails(ustack_submit(a, 3000, 0), ENOBUFS);
	fails(ustack_submit(a, 3000, 0), EINVAL);
	link->mem = own;
	ok(us_txmem_free_bytes(other) == US_CHUNK_MIN && nothing_comes(), "nothing is left");
	us_txmem_destroy(other);
	end();
}

/* ---------------------------------------------------------------- receiving */

static const struct us_udp_dgram *first_dgram(void)
{
	return cds_list_first_entry(&b->udp->queue, struct us_udp_dgram, node);
}

static void test_peek(void)
{
	const struct us_udp_dgram *first;
	struct iovec piece, again;
	char data[20];

	begin(SOCK_NONBLOCK);
	fails(ustack_release(b, 0), EINVAL);
	fails(ustack_peek(b, &piece, 0, 0), EINVAL);
	fails(ustack_peek(b, &piece, 1, MSG_PEEK), EINVAL);
	ok(nothing_comes(), "peek: nothing");
	put(1000, 1, 0);
	put(20, 2, 0);
	world_run(WORLD_MS(2));
	ok(ready(b) & POLLIN && shows(1000, 1), "peek: one message");
	ustack_peek(b, &piece, 1, 0);
	first = first_dgram();
	ok(first->pkt && (uint8_t *)piece.iov_base == first->pkt->data + US_UDP_LEN,
	   "in the packet that came");
	ok(ustack_peek(b, &again, 1, 0) == 1 && again.iov_base == piece.iov_base,
	   "peek: the same again");
	fails(ustack_release(b, 999), EINVAL);
	fails(ustack_release(b, 1020), EINVAL);
	ok(ustack_release(b, 1000) == 0 && shows(20, 2), "release: the next one");
	ok(ustack_recv(b, data, 20, MSG_PEEK) == 20 && ustack_release(b, 20) == 0,
	   "MSG_PEEK does not end the loan");
	fails(ustack_release(b, 20), EINVAL);
	put(20, 3, 0);
	world_run(WORLD_MS(2));
	ok(shows(20, 3) && ustack_recv(b, data, 20, 0) == 20 && is_message(data, 20, 3),
	   "recv: what is lent, too");
	put(20, 4, 0);
	world_run(WORLD_MS(2));
	fails(ustack_release(b, 20), EINVAL);
	ok(hears(20, 4), "the next one was not lent");
	end();
}

static void test_empty(void)
{
	begin(SOCK_NONBLOCK);
	ok(put(0, 0, 0) == 0 && hears(0, 0), "an empty datagram is lent");
	fails(ustack_release(b, 0), EINVAL);
	ok(nothing_comes(), "and was taken");
	ustack_shutdown(b, SHUT_RD);
	ok(ustack_peek(b, &(struct iovec){ 0 }, 1, 0) == 0, "peek: 0 after SHUT_RD");
	end();
}

static void test_blocking(void)
{
	const struct timeval soon = { .tv_usec = 5000 };
	struct iovec piece;

	begin(0);
	ustack_send(b, "x", 1, 0);
	ok(ustack_peek(a, &piece, 1, 0) == 1 && piece.iov_len == 1, "peek waits");
	ustack_release(a, 1);
	fails(ustack_peek(a, &piece, 1, MSG_DONTWAIT), EAGAIN);
	ustack_setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	fails(ustack_peek(a, &piece, 1, 0), EAGAIN);
	end();
}

/* Who sent what is lent, and in datagrams of which size: 0 if it is one. */
static bool comes_from(const char *address, size_t len, int size)
{
	union world_name name, sender = world_name(address, 7);
	union {
		struct cmsghdr header;
		uint8_t room[CMSG_SPACE(sizeof(int))];
	} c;
	struct msghdr m = {
		.msg_name = &name, .msg_namelen = sizeof(name),
		.msg_control = &c, .msg_controllen = sizeof(c),
	};
	int told = 0;

	if (ustack_recvmsg(b, &m, MSG_PEEK | MSG_TRUNC) != (ssize_t)len)
		return false;
	if (m.msg_controllen)
		memcpy(&told, CMSG_DATA(&c.header), sizeof(told));
	return m.msg_namelen == sizeof(name.v4) && told == size &&
	       name.v4.sin_addr.s_addr == sender.v4.sin_addr.s_addr &&
	       name.v4.sin_port == sender.v4.sin_port;
}

static void test_sender(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	begin(SOCK_NONBLOCK);
	ustack_connect(b, &nobody, sizeof(nobody));
	put(1000, 1, 0);
	world_run(WORLD_MS(2));
	ok(shows(1000, 1) && comes_from("10.0.0.1", 1000, 0), "not connected: the sender");
	ok(ustack_release(b, 1000) == 0, "of what is lent still");
	end();
}

/* Super-segments, over a link that cuts. */
static void test_trains(void)
{
	const struct us_udp_dgram *first;
	struct iovec piece;
	char data[1000];

	begin(SOCK_NONBLOCK);
	set(a, UDP_SEGMENT, 1000);
	set(b, UDP_GRO, 1);
	ok(lends_and_sends(4500, 1, 0), "UDP_SEGMENT: five datagrams");
	world_run(WORLD_MS(2));
	ok(shows(4500, 1) && comes_from("10.0.0.1", 4500, 1000), "UDP_GRO: lent as a whole");
	ustack_peek(b, &piece, 1, 0);
	first = first_dgram();
	ok(first->pkt && (uint8_t *)piece.iov_base == first->pkt->data + US_UDP_LEN,
	   "in the packet that came");
	set(b, UDP_GRO, 0);
	fails(ustack_release(b, 1000), EINVAL);
	ok(ustack_release(b, 4500) == 0 && nothing_comes(), "and taken as it was lent");
	ok(lends_and_sends(4500, 1, 0), "another one");
	world_run(WORLD_MS(2));
	for (size_t at = 0; at < 4000; at += 2000) {
		ok(ustack_peek(b, &piece, 1, 0) == 1 && piece.iov_len == 1000 &&
		   ((char *)piece.iov_base)[0] == byte_at(1, at) &&
		   comes_from("10.0.0.1", 1000, 0), "no UDP_GRO: datagram by datagram");
		ok(ustack_release(b, 1000) == 0, "taken");
		ok(ustack_peek(b, &piece, 1, 0) == 1 &&
		   ustack_recv(b, data, 1000, 0) == 1000 && data[0] == byte_at(1, at + 1000),
		   "or read");
		fails(ustack_release(b, 1000), EINVAL);
	}
	ok(ustack_peek(b, &piece, 1, 0) == 1 && piece.iov_len == 500, "the last one is shorter");
	fails(ustack_release(b, 1000), EINVAL);
	ok(ustack_release(b, 500) == 0 && nothing_comes(), "and taken");
	end();
}

static const struct us_udp_dgram *last_dgram(void)
{
	return us_container(b->udp->queue.prev, struct us_udp_dgram, node);
}

/* Messages on their way take more than half of the link's memory. */
static void press(unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		put(1000, from, 0);
	world_run(WORLD_MS(1));
}

static void test_pressure(void)
{
	const struct us_udp_dgram *first;
	struct iovec lent;
	unsigned int i;

	begin(SOCK_NONBLOCK);
	press(0, 4);
	world_run(WORLD_MS(20));
	ok(ustack_peek(b, &lent, 1, 0) == 1 && first_dgram()->pkt && last_dgram()->pkt,
	   "one message of four is lent");
	press(4, 12);
	first = first_dgram();
	ok(!last_dgram()->pkt && !us_container(first->node.next, struct us_udp_dgram, node)->pkt,
	   "pressure: the others are moved");
	ok(first->pkt && first->data == lent.iov_base && is_message(lent.iov_base, 1000, 0),
	   "what is lent stays as it was");
	for (i = 0; i < 12 && reads(1000, i); i++)
		;
	world_run(WORLD_MS(20));
	for (; i < 12 && reads(1000, i); i++)
		;
	ok(i == 12 && nothing_comes(), "and all of it is right");
	end();
}

/* Once the first of a train was read, the others may move. */
static void test_pressure_behind(void)
{
	const struct us_udp_dgram *first;
	struct iovec lent;
	char data[1000];

	begin(SOCK_NONBLOCK);
	set(a, UDP_SEGMENT, 1000);
	lends_and_sends(3000, 0, 0);
	world_run(WORLD_MS(20));
	ok(ustack_peek(b, &lent, 1, 0) == 1 && ustack_recv(b, data, 1000, 0) == 1000,
	   "the first of three is lent, and read");
	set(a, UDP_SEGMENT, 0);
	press(1, 12);
	first = first_dgram();
	ok(!first->pkt && first->at == 1000, "pressure: those behind it are moved");
	world_run(WORLD_MS(20));
	while (ustack_recv(b, data, 1000, 0) > 0)
		;
	end();
}

/* What was lent as a whole and not yet read stays, though a part was read otherwise. */
static void test_pressure_part(void)
{
	struct iovec lent;
	char data[1000];

	begin(SOCK_NONBLOCK);
	set(a, UDP_SEGMENT, 1000);
	set(b, UDP_GRO, 1);
	lends_and_sends(3000, 0, 0);
	world_run(WORLD_MS(20));
	ok(ustack_peek(b, &lent, 1, 0) == 1 && lent.iov_len == 3000, "three are lent");
	set(b, UDP_GRO, 0);
	ok(ustack_recv(b, data, 1000, 0) == 1000, "and one of them read");
	set(a, UDP_SEGMENT, 0);
	press(1, 12);
	ok(first_dgram()->pkt && is_message(lent.iov_base, 3000, 0),
	   "pressure: the other two stay where they are");
	fails(ustack_release(b, 3000), EINVAL);
	world_run(WORLD_MS(20));
	while (ustack_recv(b, data, 1000, 0) > 0)
		;
	end();
}

/* -------------------------------------------------------------- loans that end */

static void test_disconnect(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	begin(SOCK_NONBLOCK);
	put(1000, 1, 0);
	world_run(WORLD_MS(2));
	ok(room_for(1000, 2) && shows(1000, 1), "room, and a message");
	ok(ustack_connect(a, &nobody, sizeof(nobody)) == 0, "connect to AF_UNSPEC");
	fails(ustack_submit(a, 1000, 0), EINVAL);
	ok(no_room(1, 0, EDESTADDRREQ), "reserve: a port, but no peer");
	ustack_connect(b, &nobody, sizeof(nobody));
	fails(ustack_release(b, 1000), EINVAL);
	ok(reads(1000, 1), "the message can still be read");
	end();
}

static void test_reconnect(void)
{
	begin(SOCK_NONBLOCK);
	put(1000, 1, 0);
	world_run(WORLD_MS(2));
	ok(room_for(1000, 2) && shows(1000, 1), "room, and a message");
	ok(reach(b, "10.0.0.1", 9) == 0 && ustack_release(b, 1000) == 0,
	   "connect to another peer: what came stays lent");
	ustack_close(b);
	b = dgram(world.b, "10.0.0.2", 8, SOCK_NONBLOCK);
	ok(reach(a, "10.0.0.2", 8) == 0 && ustack_submit(a, 1000, 0) == 0 && hears(1000, 2),
	   "and what was written goes to the new peer");
	ok(room_for(10, 1) && reach(a, "192.0.2.1", 8) == -1, "no way there");
	ok(ustack_submit(a, 10, 0) == 0 && hears(10, 1), "so it goes to the peer there is");
	end();
}

static void test_listen_peer(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	begin(SOCK_NONBLOCK);
	ustack_connect(b, &nobody, sizeof(nobody));
	put(1000, 1, 0);
	world_run(WORLD_MS(2));
	ok(shows(1000, 1) && ustack_listen_peer(b) == 0, "listen for a peer");
	fails(ustack_release(b, 1000), EINVAL);
	ok(lends_and_sends(10, 2, 0) && hears(10, 2), "the loan ended, and others come");
	end();
}

static void test_close(void)
{
	begin(SOCK_NONBLOCK);
	put(1000, 1, 0);
	world_run(WORLD_MS(2));
	ok(room_for(1000, 2) && shows(1000, 1), "room and a message: close");
	end();
}

/* For the stack to give back. */
static void test_destroy(void)
{
	begin(SOCK_NONBLOCK);
	put(1000, 1, 0);
	world_run(WORLD_MS(2));
	ok(room_for(1000, 2) && shows(1000, 1), "room and a message: destroy");
}

/* -------------------------------------------------------------- calls of all kinds */

#define MESSAGES	20000u

static uint32_t state;

static uint32_t below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)state * bound >> 32);
}

/* So many bytes has message @number. */
static size_t length_of(unsigned int number)
{
	uint32_t hash = number * 2654435761u;

	return 1 + (hash >> 8) % (hash >> 31 ? LARGEST : 300);
}

/* Message @number leaves, one way or another; false if it does not yet. */
static bool some_out(unsigned int number)
{
	int flags = below(2) ? USTACK_MSG_BATCH : 0;
	size_t len = length_of(number), submitted = below(8) ? len : 0;

	if (below(3) == 0)
		return put(len, number, flags) == (ssize_t)len;
	if (!room_for(len, number))
		return false;
	if (ustack_submit(a, submitted, flags) == 0)
		return submitted;
	ustack_submit(a, 0, 0);
	return false;
}

/* False if nothing came; @good: it was message @number. */
static bool some_in(unsigned int number, bool *good)
{
	size_t len = length_of(number);
	struct iovec piece;
	char data[LARGEST];
	bool in_place = below(2);

	if (in_place && ustack_peek(b, &piece, 1, 0) < 0)
		return false;
	if (in_place && below(2))
		world_run(WORLD_STEP);
	if (in_place)
		*good = piece.iov_len == len && is_message(piece.iov_base, len, number);
	if (in_place && below(4))
		*good = *good && ustack_release(b, len) == 0;
	else if (ustack_recv(b, data, sizeof(data), 0) != (ssize_t)len)
		return in_place;
	else
		*good = is_message(data, len, number);
	return true;
}

static void test_all_kinds(const char *path, uint32_t seed)
{
	const int most = 4 << 20;
	unsigned int out = 0, in = 0, round;
	bool good = true;

	state = seed;
	begin(SOCK_NONBLOCK);
	ustack_setsockopt(b, SOL_SOCKET, SO_RCVBUF, &most, sizeof(most));
	for (round = 0; good && in < MESSAGES && round < 1000000; round++) {
		if (out < MESSAGES && out < in + 100)
			out += some_out(out);
		if (below(3) == 0 || out == MESSAGES)
			world_run(WORLD_STEP);
		in += some_in(in, &good);
	}
	ok(good && in == MESSAGES, "calls of all kinds, %s: %u of %u messages", path, in, out);
	end();
}

static void test_few_frames(void)
{
	world_create("frames=8");	/* four of them for payload */
	test_full();
	test_full_twice();
	test_waits();
	world_destroy();
	world_create("frames=16");
	test_all_kinds("little memory of the link", 2);
	world_destroy();
	world_create("frames=16,gso=1,delay=5");
	test_pressure();
	test_pressure_behind();
	test_pressure_part();
	world_destroy();
}

int main(void)
{
	plan(0);
	world_create("");
	test_send();
	test_no_copy();
	test_order();
	test_limits();
	test_memory();
	test_states();
	test_refused();
	test_other_memory();
	test_peek();
	test_empty();
	test_blocking();
	test_sender();
	test_disconnect();
	test_reconnect();
	test_listen_peer();
	test_close();
	world_destroy();
	world_create("gso=1");
	test_trains();
	test_all_kinds("super-segments", 1);
	test_destroy();
	world_destroy();
	test_few_frames();
	return finish();
}
