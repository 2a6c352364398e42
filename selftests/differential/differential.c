// SPDX-License-Identifier: MIT
/*
 * Random scripts drive ustack and the kernel's sockets side by side; whatever a call
 * gives, and what the peer saw, has to be the same.  See Documentation/testing.rst.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datagrams.h"
#include "draw.h"
#include "side.h"
#include "tap.h"

#define SETTLE		250000000LL	/* an ACK is not delayed for longer */
#define STEPS		40
#define EVENTS_MOST	100
#define KINDS		4		/* of TCP */
#define ENOUGH		50		/* scripts of each kind, for all to happen */
#define SCRIPTS_MOST	(PORTS / KINDS)
#define FIRST_PORT	1024
#define PORTS		28000		/* below those that connect() chooses */

/**
 * struct script - one at work
 * @seed: decides all.
 * @random: state of the generator.
 * @side: the kernel's, and ustack's.
 * @loss: segments of the subject may be held up.
 * @rough: some may have been, since all arrived.
 * @verbose: prints each step.
 * @step: number.
 * @name: of its event.
 */
struct script {
	uint64_t seed;
	uint64_t random;
	struct side side[2];
	bool loss;
	bool rough;
	bool verbose;
	int step;
	const char *name;
};

/**
 * struct options - what to do
 * @scripts: of each kind.
 * @seed: of the first.
 * @only: this kind; -1: all.
 * @verbose: prints all that happens.
 */
struct options {
	unsigned int scripts;
	uint64_t seed;
	int only;
	bool verbose;
};

static const char *const kinds[] = {
	"accepted", "accepted-loss", "connected", "connected-loss", "datagrams",
};

static bool same(struct script *s, const char *what, const char *kernel,
		 const char *ustack)
{
	if (s->verbose)
		printf("#      %s: %s%s%s\n", what, kernel, strcmp(kernel, ustack) ? " | " : "",
		       strcmp(kernel, ustack) ? ustack : "");
	if (!strcmp(kernel, ustack))
		return true;
	printf("# seed %llu, step %d, %s: %s:\n#   kernel %s\n#   ustack %s\n",
	       (unsigned long long)s->seed, s->step, s->name, what, kernel, ustack);
	return false;
}

static bool compare(struct script *s)
{
	char text[2][SIDE_TEXT];
	int i;

	if (!same(s, "result", s->side[0].text, s->side[1].text))
		return false;
	for (i = 0; i < 2; i++)
		side_calls(text[i], &s->side[i]);
	if (!s->rough && !same(s, "readiness", text[0], text[1]))
		return false;
	for (i = 0; i < 2; i++)
		side_sights(text[i], &s->side[i], s->loss);
	return s->rough || same(s, "the peer saw", text[0], text[1]);
}

static bool do_on_both(struct script *s, const char *name,
		       void (*run)(struct side *side, uint32_t arg), uint32_t arg)
{
	int i;

	s->step++;
	s->name = name;
	if (s->verbose)
		printf("# %3d  %s %u\n", s->step, name, arg);
	for (i = 0; i < 2; i++) {
		s->side[i].text[0] = 0;
		run(&s->side[i], arg);
		peer_settle(&s->side[i].peer, SETTLE);
	}
	return compare(s);
}

static bool may_happen(struct script *s, const struct event *e)
{
	return (s->loss || !(e->need & NEED_LOSS)) && side_can(&s->side[0], e->need) &&
	       !is_exception(e, &s->side[0]);
}

static struct event *choose(struct script *s)
{
	unsigned int weight[EVENTS_MOST], i, sum = 0, at;

	for (i = 0; i < event_count; i++) {
		weight[i] = may_happen(s, &events[i]) ? events[i].weight : 0;
		sum += weight[i];
	}
	at = draw(&s->random, sum);
	for (i = 0; at >= weight[i]; i++)
		at -= weight[i];
	return &events[i];
}

static bool do_named(struct script *s, const char *name)
{
	unsigned int i;

	for (i = 0; strcmp(events[i].name, name); i++)
		;
	events[i].count++;
	if (!strcmp(name, "all arrives"))
		s->rough = false;
	return do_on_both(s, name, events[i].run, 1);
}

static bool open_it(struct script *s, bool listens)
{
	if (!do_on_both(s, listens ? "listen" : "connect",
			listens ? side_listen : side_connect, 4))
		return false;
	if (draw(&s->random, 5) == 0)	/* the rest is left to chance */
		return true;
	return do_named(s, listens ? "the peer: SYN" : "the peer: SYN-ACK") &&
	       (!listens || do_named(s, "accept"));
}

/* One has not got as far as the other: calls would tell. */
static bool apart(const struct script *s)
{
	return side_state(&s->side[0], s->side[0].conn) !=
	       side_state(&s->side[1], s->side[1].conn);
}

static bool play(struct script *s, bool listens)
{
	if (!open_it(s, listens))
		return false;
	while (s->step < STEPS) {
		struct event *e;

		if (s->rough && apart(s) && !do_named(s, "all arrives"))
			return false;
		e = choose(s);
		e->count++;
		s->rough |= s->loss && (e->need & NEED_LOSS);
		if (!strcmp(e->name, "all arrives"))
			s->rough = false;
		if (!do_on_both(s, e->name, e->run, 1 + draw(&s->random, e->most)))
			return false;
	}
	return !s->side[0].peer.syn || do_named(s, "all arrives");
}

/* Of odd seeds sockets are of AF_INET6, with mapped addresses. */
static bool run_script(uint64_t seed, bool listens, bool loss, bool verbose)
{
	const struct subject *subjects[2] = { &subject_kernel, &subject_ustack };
	struct script s = { .seed = seed, .random = seed, .loss = loss, .verbose = verbose };
	int domain = seed & 1 ? AF_INET6 : AF_INET;
	uint16_t port = (uint16_t)(FIRST_PORT + (KINDS * seed + 2 * !listens + loss) % PORTS);
	bool good = true;
	int i;

	for (i = 0; i < 2; i++)
		if (!side_start(&s.side[i], subjects[i], domain, port)) {
			puts("Bail out! nothing to compare");
			exit(1);
		}
	s.side[0].peer.verbose = s.side[1].peer.verbose = verbose;
	good = play(&s, listens);
	for (i = 0; i < 2; i++)
		side_stop(&s.side[i]);
	return good;
}

static void test_datagrams(const struct options *o)
{
	unsigned int i, bad = 0;

	for (i = 0; i < o->scripts; i++) {
		uint64_t seed = o->seed + i;

		bad += !datagrams_script(seed, seed & 1 ? AF_INET6 : AF_INET,
					 (uint16_t)(FIRST_PORT + seed % PORTS), o->verbose);
	}
	ok(!bad, "%u scripts: datagrams", o->scripts);
	if (bad)
		printf("# %u differ; see each: differential --only datagrams --scripts 1 "
		       "--verbose --seed ...\n", bad);
}

static void test_kind(const struct options *o, bool listens, bool loss)
{
	unsigned int i, bad = 0;

	for (i = 0; i < o->scripts; i++)
		bad += !run_script(o->seed + i, listens, loss, o->verbose);
	ok(!bad, "%u scripts: %s, %s", o->scripts, listens ? "accepted" : "connected",
	   loss ? "segments are lost" : "nothing is lost");
	if (bad)
		printf("# %u differ; see each: differential --only %s --scripts 1 --verbose "
		       "--seed ...\n", bad, kinds[2 * !listens + loss]);
}

/* What never happened was not compared; and what Linux does otherwise is not hearsay. */
static void test_coverage(void)
{
	unsigned int i, never = 0;

	for (i = 0; i < event_count; i++)
		if (!events[i].count) {
			printf("# never: %s\n", events[i].name);
			never++;
		}
	ok(!never, "each of %u events happened", event_count);
	for (i = 0, never = 0; i < exception_count; i++)
		if (!exceptions[i].count) {
			printf("# never met: %s: %s\n", exceptions[i].event,
			       exceptions[i].why);
			never++;
		}
	ok(!never, "each of %u exceptions was met", exception_count);
}

static void usage(void)
{
	puts("usage: differential [--scripts N] [--seed N] [--only KIND] [--verbose]\n\n"
	     "Random scripts drive ustack and the kernel's sockets; needs root, and /dev/net/tun.\n\n"
	     "  --scripts N   of each kind (50); with fewer than that nobody looks whether\n"
	     "                every event happened\n"
	     "  --seed N      of the first script (1); the next has N + 1\n"
	     "  --only KIND   accepted, accepted-loss, connected, connected-loss or\n"
	     "                datagrams\n"
	     "  --verbose     prints each event, what came of it, and each segment");
}

static int kind_of(const char *name)
{
	int i;

	for (i = 0; i <= KINDS; i++)
		if (!strcmp(kinds[i], name))
			return i;
	return -1;
}

static bool number_of(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text && !*end && !errno;
}

static bool parse(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "scripts", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "only", required_argument, NULL, 'o' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	uint64_t value;
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'v')
			o->verbose = true;
		else if (c == 's' && number_of(optarg, &value))
			o->seed = value;
		else if (c == 'n' && number_of(optarg, &value) && value && value <= SCRIPTS_MOST)
			o->scripts = (unsigned int)value;
		else if (c == 'o' && kind_of(optarg) >= 0)
			o->only = kind_of(optarg);
		else
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = { .scripts = ENOUGH, .seed = 1, .only = -1 };
	int kind;

	if (!parse(&o, argc, argv)) {
		usage();
		return 2;
	}
	plan(0);
	for (kind = 0; kind < KINDS; kind++)
		if (o.only < 0 || o.only == kind)
			test_kind(&o, kind < 2, kind & 1);
	if (o.only < 0 || o.only == KINDS)
		test_datagrams(&o);
	if (o.scripts >= ENOUGH && o.only < 0)
		test_coverage();
	return finish();
}
