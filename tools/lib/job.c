// SPDX-License-Identifier: MIT
/* The command line of stack and ksock. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"

#define DEPTH_DEFAULT	1024
#define DEPTH_MAX	65536
#define BYTES_STREAM	4096	/* as the original had it */
#define BYTES_DATAGRAM	1400	/* fits an MTU of 1500 over IPv4 and IPv6 */
#define WRONG		2	/* exit status */
#define GO_ON		(-1)

enum {
	OPT_LINK = 256,
	OPT_HOOK,
	OPT_ECN,
	OPT_IN_PLACE,
	OPT_CONGESTION,
	OPT_FAST_OPEN,
	OPT_REPEAT,
	OPT_INPUT,
	OPT_OUTPUT,
	OPT_REVERSE,
	OPT_COUNT,
	OPT_TIME,
	OPT_RATE,
	OPT_DEV,
};

static const struct option long_options[] = {
	{ "source", required_argument, NULL, 's' },
	{ "destination", required_argument, NULL, 'd' },
	{ "source-port", required_argument, NULL, 'S' },
	{ "destination-port", required_argument, NULL, 'D' },
	{ "protocol", required_argument, NULL, 'p' },
	{ "listen", no_argument, NULL, 'l' },
	{ "queue", required_argument, NULL, 'L' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "remote-mac", required_argument, NULL, 'e' },
	{ "interface", required_argument, NULL, 'i' },
	{ "link", required_argument, NULL, OPT_LINK },
	{ "hook", required_argument, NULL, OPT_HOOK },
	{ "ecn", required_argument, NULL, OPT_ECN },
	{ "in-place", no_argument, NULL, OPT_IN_PLACE },
	{ "congestion", required_argument, NULL, OPT_CONGESTION },
	{ "fast-open", no_argument, NULL, OPT_FAST_OPEN },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ "input", no_argument, NULL, OPT_INPUT },
	{ "output", no_argument, NULL, OPT_OUTPUT },
	{ "reverse", no_argument, NULL, OPT_REVERSE },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "time", required_argument, NULL, OPT_TIME },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "dev", required_argument, NULL, OPT_DEV },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int wrong(const struct job *job, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int wrong(const struct job *job, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", job->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return WRONG;
}

/* A whole number with k, M or G behind it, if @suffix. */
static bool number(const char *text, uint64_t least, uint64_t most, bool suffix,
		   uint64_t *value)
{
	static const char units[] = "kMG";
	const char *unit;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	unit = suffix && *end ? strchr(units, *end) : NULL;
	if (errno || (unit ? end[1] : *end))
		return false;
	for (const char *u = units; unit && u <= unit; u++)
		if (__builtin_mul_overflow(*value, 1000, value))
			return false;
	return *value >= least && *value <= most;
}

/* An address, with a prefix length behind it if @prefix is not NULL. */
static bool address(const char *text, union job_address *address, int *prefix)
{
	char plain[INET6_ADDRSTRLEN];
	const char *slash = prefix ? strchr(text, '/') : NULL;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits;

	if (len >= sizeof(plain))
		return false;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET, plain, &address->v4.sin_addr) == 1)
		address->sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, plain, &address->v6.sin6_addr) == 1)
		address->sa.sa_family = AF_INET6;
	else
		return false;
	if (!slash)
		return true;
	if (!number(slash + 1, 0, address->sa.sa_family == AF_INET ? 32 : 128,
		    false, &bits))
		return false;
	*prefix = bits;
	return true;
}

/* An option as it is typed. */
static const char *name_of(int option)
{
	static char name[32];
	const struct option *o = long_options;

	while (o->val != option && o->name)
		o++;
	if (option < OPT_LINK)
		snprintf(name, sizeof(name), "-%c", option);
	else
		snprintf(name, sizeof(name), "--%s", o->name);
	return name;
}

static bool is_mac(const char *text)
{
	unsigned int m[6];
	int used = 0;

	return sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2],
		      &m[3], &m[4], &m[5], &used) == 6 && !text[used];
}

static int set_protocol(struct job *job, const char *text)
{
	if (!strcmp(text, "6") || !strcasecmp(text, "tcp"))
		job->protocol = IPPROTO_TCP;
	else if (!strcmp(text, "17") || !strcasecmp(text, "udp"))
		job->protocol = IPPROTO_UDP;
	else
		return wrong(job, "-p %s: the protocol is 6 (TCP) or 17 (UDP)", text);
	return GO_ON;
}

/**
 * struct numeric - an option whose value is a number
 * @option: as getopt_long() names it.
 * @least: bound.
 * @most: bound.
 * @suffix: k, M and G may follow.
 * @what: the values, in words.
 */
struct numeric {
	int option;
	uint64_t least;
	uint64_t most;
	bool suffix;
	const char *what;
};

static const struct numeric numerics[] = {
	{ 'S', 1, 65535, false, "a port, 1 to 65535" },
	{ 'D', 1, 65535, false, "a port, 1 to 65535" },
	{ 'L', 1, DEPTH_MAX, false, "a number of packets, 1 to 65536" },
	{ 'b', 1, JOB_MESSAGE_MAX, false, "a number of bytes, 1 to 1048576" },
	{ 'i', 1, INT32_MAX, false, "an interface index, as ip link shows them" },
	{ OPT_COUNT, 1, UINT64_MAX, true, "a number of messages, 1 or more" },
	{ OPT_TIME, 1, INT32_MAX, false, "a number of seconds, 1 or more" },
	{ OPT_REPEAT, 1, UINT32_MAX, true, "a number of connections, 1 or more" },
	{ OPT_RATE, 1, UINT64_MAX / 2, true, "bits per second, as 10M or 1G" },
};

static void set_number(struct job *job, int option, uint64_t value)
{
	switch (option) {
	case 'S':	*job_port(&job->local) = htons(value); break;
	case 'D':	*job_port(&job->remote) = htons(value); break;
	case 'L':	job->depth = value; break;
	case 'b':	job->bytes = value; break;
	case 'i':	job->ifindex = value; break;
	case OPT_COUNT:	job->count = value; break;
	case OPT_TIME:	job->seconds = value; break;
	case OPT_REPEAT: job->repeat = value; break;
	case OPT_RATE:	job->rate = value; break;
	}
}

static int numeric_option(struct job *job, int option, const char *text)
{
	uint64_t value;

	for (size_t i = 0; i < sizeof(numerics) / sizeof(numerics[0]); i++) {
		const struct numeric *n = &numerics[i];

		if (n->option != option)
			continue;
		if (!number(text, n->least, n->most, n->suffix, &value))
			return wrong(job, "%s %s: give %s", name_of(option), text, n->what);
		set_number(job, option, value);
		return GO_ON;
	}
	return WRONG;
}

/* One of two words. */
static int word_option(struct job *job, const char *name, const char *text,
		       const char *one, const char *other, const char **where)
{
	if (strcmp(text, one) && strcmp(text, other))
		return wrong(job, "%s %s: it is %s or %s", name, text, one, other);
	*where = text;
	return GO_ON;
}

/* What the kernel has, it knows. */
static int set_congestion(struct job *job, const char *text)
{
	if (!job->kernel && strcmp(text, "cubic") && strcmp(text, "reno") && strcmp(text, "bbr"))
		return wrong(job, "--congestion %s: it is cubic, reno or bbr", text);
	job->congestion = text;
	return GO_ON;
}

static int set_ecn(struct job *job, const char *text)
{
	if (strcmp(text, "off") && strcmp(text, "classic") && strcmp(text, "accurate"))
		return wrong(job, "--ecn %s: it is off, classic or accurate", text);
	job->ecn = text;
	return GO_ON;
}

static int text_option(struct job *job, int option, const char *text)
{
	switch (option) {
	case 's':
		if (address(text, &job->local, job->kernel ? NULL : &job->prefix))
			return GO_ON;
		return wrong(job, "-s %s: give an IPv4 or IPv6 address of this end", text);
	case 'd':
		if (address(text, &job->remote, NULL))
			return GO_ON;
		return wrong(job, "-d %s: give an IPv4 or IPv6 address of the peer", text);
	case 'p':
		return set_protocol(job, text);
	case 'e':
		job->mac = text;
		if (is_mac(text))
			return GO_ON;
		return wrong(job, "-e %s: give a MAC address, as 02:00:00:00:00:01", text);
	case OPT_LINK:
		return word_option(job, "--link", text, "netchannel", "packet", &job->link);
	case OPT_HOOK:
		return word_option(job, "--hook", text, "late", "early", &job->hook);
	case OPT_DEV:
		job->device = text;
		return GO_ON;
	case OPT_ECN:
		return set_ecn(job, text);
	case OPT_CONGESTION:
		return set_congestion(job, text);
	}
	return numeric_option(job, option, text);
}

static bool flag_option(struct job *job, int option)
{
	switch (option) {
	case 'l':		job->listen = true; break;
	case OPT_INPUT:		job->input = true; break;
	case OPT_OUTPUT:	job->output = true; break;
	case OPT_REVERSE:	job->reverse = true; break;
	case OPT_IN_PLACE:	job->in_place = true; break;
	case OPT_FAST_OPEN:	job->fast_open = true; break;
	default:		return false;
	}
	return true;
}

static bool of_links(int option)
{
	return option == 'L' || option == 'e' || option == 'i' ||
	       option == OPT_LINK || option == OPT_HOOK || option == OPT_DEV;
}

static int unknown(const struct job *job, const char *text)
{
	if (optopt && !strncmp(text, "--", 2))
		return wrong(job, "%s: this option takes no value", text);
	if (optopt)
		return wrong(job, "there is no option -%c; -h lists them", optopt);
	return wrong(job, "there is no option %s; -h lists them", text);
}

static int one_option(struct job *job, int option, char **argv)
{
	switch (option) {
	case 'h':
		job_help(job);
		return 0;
	case ':':
		return wrong(job, "%s needs a value; -h tells which", name_of(optopt));
	case '?':
		return unknown(job, argv[optind - 1]);
	}
	if (job->kernel && option == OPT_IN_PLACE)
		return wrong(job, "--in-place: the kernel's sockets lend no memory: leave it out, or use stack");
	if (job->kernel && option == OPT_ECN)
		return wrong(job, "--ecn: no socket option of the kernel does this: set its sysctl net.ipv4.tcp_ecn");
	if (job->kernel && of_links(option))
		return wrong(job, "%s is about links, and the kernel's sockets have none: leave it out",
			     name_of(option));
	return flag_option(job, option) ? GO_ON : text_option(job, option, optarg);
}

static int check_ends(struct job *job)
{
	int local = job->local.sa.sa_family, remote = job->remote.sa.sa_family;

	if (job->listen && (remote || *job_port(&job->remote)))
		return wrong(job, "-l hears any peer: leave out -d and -D");
	if (job->listen && !*job_port(&job->local))
		return wrong(job, "no port to listen on: give -S PORT");
	if (!job->listen && !remote)
		return wrong(job, "no peer: give -d ADDRESS, or -l to listen");
	if (!job->listen && !*job_port(&job->remote))
		return wrong(job, "no port of the peer: give -D PORT");
	if (local && remote && local != remote)
		return wrong(job, "-s and -d are of different families: give two IPv4 or two IPv6 addresses");
	job->family = remote ? remote : local ? local : AF_INET;
	job->bound = local || *job_port(&job->local);
	return GO_ON;
}

static int check_link(struct job *job)
{
	bool packet = !strcmp(job->link, "packet");

	if (packet && (job->hook || job->depth))
		return wrong(job, "%s is for --link netchannel",
			     job->hook ? "--hook" : "-L");
	if (!job->depth)
		job->depth = DEPTH_DEFAULT;
	if (!packet && (job->mac || job->ifindex || job->device))
		return wrong(job, "%s is for --link packet: over netchannel the kernel routes",
			     job->mac ? "-e" : job->ifindex ? "-i" : "--dev");
	if (!packet && job->prefix >= 0)
		return wrong(job, "a prefix length of -s is for --link packet");
	if (!packet)
		return GO_ON;
	if (job->ifindex && job->device)
		return wrong(job, "-i and --dev both name the interface: give one");
	if (!job->ifindex && !job->device)
		return wrong(job, "--link packet needs an interface: give --dev NAME or -i INDEX");
	if (!job->local.sa.sa_family)
		return wrong(job, "--link packet needs an address that the kernel does not own: give -s ADDRESS/PREFIX");
	return GO_ON;
}

/* What is only TCP's. */
static int check_tcp(struct job *job)
{
	const char *option = job->congestion ? "--congestion" :
			     job->fast_open ? "--fast-open" :
			     job->ecn ? "--ecn" :
			     job->in_place ? "--in-place" :
			     job->repeat > 1 ? "--repeat" : NULL;

	if (option && job->protocol != IPPROTO_TCP)
		return wrong(job, "%s is for TCP: leave out -p", option);
	return GO_ON;
}

static int check_payload(struct job *job)
{
	bool udp = job->protocol == IPPROTO_UDP;

	if (!job->bytes)
		job->bytes = udp ? BYTES_DATAGRAM : BYTES_STREAM;
	if (job->input && !job_sends(job))
		return wrong(job, "--input is for the side that sends: %s --reverse",
			     job->reverse ? "leave out" : "add");
	if (job->output && job_sends(job))
		return wrong(job, "--output is for the side that receives: %s --reverse",
			     job->reverse ? "leave out" : "add");
	if (job->rate && !job_sends(job))
		return wrong(job, "--rate is for the side that sends");
	if (udp && job->bytes > JOB_DATAGRAM_MAX)
		return wrong(job, "-b %zu: a datagram has at most %u bytes", job->bytes,
			     JOB_DATAGRAM_MAX);
	return GO_ON;
}

int job_parse(struct job *job, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	int option, status = GO_ON;

	*job = (struct job){
		.program = slash ? slash + 1 : argv[0],
		.kernel = job->kernel,
		.protocol = IPPROTO_TCP,
		.prefix = -1,
		.repeat = 1,
		.link = "netchannel",
	};
	opterr = 0;
	while (status == GO_ON &&
	       (option = getopt_long(argc, argv, ":s:d:S:D:p:lL:b:e:i:h",
				     long_options, NULL)) != -1)
		status = one_option(job, option, argv);
	if (status == GO_ON && optind < argc)
		status = wrong(job, "%s: there are only options; -h lists them", argv[optind]);
	if (status == GO_ON)
		status = check_ends(job);
	if (status == GO_ON)
		status = check_link(job);
	if (status == GO_ON)
		status = check_tcp(job);
	if (status == GO_ON)
		status = check_payload(job);
	job->local.sa.sa_family = job->family;
	return status;
}
