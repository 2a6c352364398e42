/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two network namespaces joined by a veth pair: "here", where the channels are,
 * and "peer".  They take a debug kernel more than a second, so the tests of a program
 * share them, unless one spoils them.
 */
#ifndef SELFTEST_NET_H
#define SELFTEST_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define HERE_DEV	"nc0"
#define HERE4		"10.0.0.1"
#define HERE6		"fd00::1"
#define HERE_MAC	"02:00:00:00:00:01"
#define PEER_DEV	"nc1"
#define PEER4		"10.0.0.2"
#define PEER6		"fd00::2"
#define PEER_MAC	"02:00:00:00:00:02"
#define OTHER4		"10.0.0.3"	/* a second address of the peer */
#define OTHER6		"fd00::3"

struct packet;

/**
 * struct net - the two namespaces
 * @here: descriptor of the namespace that the process is left in.
 * @peer: of the other one.
 * @ifindex: of HERE_DEV.
 * @is_new: no test before this one had them.
 */
struct net {
	int here;
	int peer;
	unsigned int ifindex;
	bool is_new;
};

/* Enters them; packets get through. 0 or -1. */
int net_create(struct net *net);
/* Others, where the peer's own kernel keeps silent: what net_tap() gives, or -1. */
int net_create_silent(struct net *net);
/* What this test changes is not for the next one, which gets new ones. */
void net_spoil(void);
/* A new namespace with its loopback up; the process stays where it is. */
int net_namespace(void);
void net_enter(int namespace);
/*
 * Runs a shell command there, which spoils them; its exit status.  The guest's
 * /bin/sh is dash.
 */
int net_run(int namespace, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Once, when they are new: what all tests of a program want. */
int net_prepare(const struct net *net, int namespace, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	};
	socklen_t length;
};

/* @text has the form "10.0.0.1" or "fd00::1". */
struct address address(const char *text, uint16_t port);
/*
 * A socket in @namespace, bound to @text and @port: its descriptor, or -errno.
 * It gives up receiving after CHAN_TIMEOUT.
 */
int net_socket(int namespace, int type, const char *text, uint16_t port);
/* One that also listens. */
int net_listen(int namespace, const char *text, uint16_t port);
/* connect(), sendto(): 0 or -errno */
int net_connect(int fd, const char *text, uint16_t port);
int net_sendto(int fd, const char *data, const char *text, uint16_t port);
/* Does @fd hear just @data next? */
bool net_hears(int fd, const char *data);

/* Sends and hears whole IP packets at the peer's end of the veth pair. */
int net_tap(struct net *net);
/* The same, when the peer's own kernel is to fall silent only now. */
int net_raw(struct net *net);
/* The other side has received it, if not its queue is full. */
int net_inject(int raw, const struct packet *packet);
/* The next packet on the wire of TCP or UDP, or ICMP; 0 after CHAN_TIMEOUT. */
int net_sniff(int raw, struct packet *packet);
/* Is the next one exactly @packet? */
bool net_sniffs(int raw, const struct packet *packet);

/* Runs on this CPU only. */
void net_pin(int cpu);
/* May run on any CPU again. */
void net_unpin(void);
/* Runs @function in a child, which exits with what it returns; its pid. */
int child_start(int (*function)(void *argument), void *argument);
/* Its exit status, or 128 + the signal that killed it. */
int child_wait(int pid);
/* Gives up every privilege, for good; 0 or -1. */
int become_nobody(void);
/* A child that has lost every privilege runs @function; its exit status. */
int child_nobody(int (*function)(void *argument), void *argument);

/* Is this the debug kernel, where a packet takes a millisecond? */
bool slow_kernel(void);

/* A file's bytes as a string (cut at @size), or "" */
void file_read(const char *path, char *buffer, unsigned int size);
int file_write(const char *path, const char *text);

#endif /* SELFTEST_NET_H */
