/* SPDX-License-Identifier: MIT */
/* What one run of stack or ksock is to do, as the command line says it. */
#ifndef TOOLS_JOB_H
#define TOOLS_JOB_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_MESSAGE_MAX		(1u << 20)
#define JOB_DATAGRAM_MAX	65507u

/**
 * union job_address - an address and port
 * @sa: of either family.
 * @v4: of AF_INET.
 * @v6: of AF_INET6.
 */
union job_address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/**
 * struct job - one run
 * @program: name for messages.
 * @kernel: over the kernel's sockets: no options of links.
 * @family: AF_INET or AF_INET6.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @local: -s and -S; the wildcard if not given.
 * @remote: -d and -D.
 * @bound: -s or -S was given.
 * @prefix: of -s; -1 if not given.
 * @listen: -l.
 * @reverse: the side that would receive sends.
 * @input: standard input is sent.
 * @output: what is received goes to standard output.
 * @in_place: payload is made and read in memory that the socket lends.
 * @depth: -L.
 * @bytes: -b.
 * @count: messages after which a sender ends; 0 is none.
 * @seconds: after which either side ends; 0 is none.
 * @rate: bits per second that a sender keeps to; 0 is none.
 * @repeat: connections, one after another.
 * @congestion: --congestion, or NULL.
 * @fast_open: --fast-open.
 * @ecn: --ecn, or NULL.
 * @link: "netchannel" or "packet".
 * @hook: "late" or "early"; NULL if not given.
 * @mac: -e, as given, or NULL.
 * @ifindex: -i, or 0.
 * @device: --dev, or NULL.
 */
struct job {
	const char *program;
	bool kernel;
	int family;
	int protocol;
	union job_address local;
	union job_address remote;
	bool bound;
	int prefix;
	bool listen;
	bool reverse;
	bool input;
	bool output;
	bool in_place;
	unsigned int depth;
	size_t bytes;
	uint64_t count;
	unsigned int seconds;
	uint64_t rate;
	uint64_t repeat;
	const char *congestion;
	bool fast_open;
	const char *ecn;
	const char *link;
	const char *hook;
	const char *mac;
	unsigned int ifindex;
	const char *device;
};

/**
 * job_parse() - reads a command line
 * @job: filled in; @job->kernel is set by the caller.
 * @argc: as of main().
 * @argv: as of main().
 *
 * Return: -1 to go on; else the exit status, after a message or the help.
 */
int job_parse(struct job *job, int argc, char **argv);

/**
 * job_help() - prints what options there are (help.c)
 * @job: for the program's name, and the options that it has.
 */
void job_help(const struct job *job);

/**
 * job_sends() - which way the payload goes
 * @job: complete.
 *
 * Return: true if from here to the peer.
 */
static inline bool job_sends(const struct job *job)
{
	return job->listen == job->reverse;
}

/**
 * job_port() - the port: both families have it at the same place
 * @address: of either family.
 *
 * Return: where it is; network byte order.
 */
static inline in_port_t *job_port(union job_address *address)
{
	return &address->v4.sin_port;
}

/**
 * job_length() - how long an address is for socket calls
 * @address: of either family.
 *
 * Return: bytes.
 */
static inline socklen_t job_length(const union job_address *address)
{
	return address->sa.sa_family == AF_INET6 ? sizeof(address->v6)
						 : sizeof(address->v4);
}

#endif /* TOOLS_JOB_H */
