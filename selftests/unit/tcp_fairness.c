// SPDX-License-Identifier: MIT
/*
 * Fairness and efficiency: two to ten flows of one congestion control share a
 * bottleneck, in virtual time.  For each there is Jain's index of what the flows got,
 * how much of the bottleneck was used, and how long the queue made the round trip.
 *
 *	tcp_fairness			all of it, against bounds
 *	tcp_fairness --series FILE	and each flow's rate over time, a table for a plot
 */
#include <stdlib.h>
#include <string.h>

#include "tcp_neck.h"

#define RATE		20000000.	/* bit/s of the bottleneck */
#define DELAY_MS	20u		/* each way */
#define BDP_PACKETS	67u		/* of 1500 bytes, in 40 ms at that rate */
#define APART		(500 * US_MSEC)	/* between the beginnings of two flows */
#define WARM_UP		(10 * US_SEC)
#define MEASURED	(20 * US_SEC)
#define STEP		(500 * US_MSEC)	/* of the series */
#define RUNS		3u		/* with a deep buffer one is a matter of chance */

/**
 * struct scene - some runs
 * @cc: congestion control of all flows.
 * @flows: number of them.
 * @buffer: of the bottleneck, packets.
 * @runs: number of them.
 * @flow: the flows.
 * @rtt: sum of the smoothed round-trip times seen, ms.
 * @rtts: number of them.
 * @jain: Jain's index: 1 is fair.  The mean of all runs...
 * @used: ... as this: of the rate of the bottleneck, headers and all.
 */
struct scene {
	const char *cc;
	uint32_t flows;
	uint32_t buffer;
	uint32_t runs;
	struct neck_flow flow[NECK_FLOWS];
	double rtt;
	uint32_t rtts;
	double jain;
	double used;
};

static FILE *series;

static void create(const struct scene *scene)
{
	char there[100], back[40];

	snprintf(there, sizeof(there), "rate=%.0f,limit=%u,delay=%u", RATE, scene->buffer,
		 DELAY_MS);
	snprintf(back, sizeof(back), "delay=%u", DELAY_MS);
	neck_create(there, back);
}

static void note_rtt(struct scene *scene)
{
	uint32_t i;

	for (i = 0; i < scene->flows; i++) {
		struct tcp_info info;
		socklen_t length = sizeof(info);

		if (!scene->flow[i].from ||
		    ustack_getsockopt(scene->flow[i].from, IPPROTO_TCP, TCP_INFO, &info,
				      &length))
			continue;
		scene->rtt += info.tcpi_rtt / 1e3;
		scene->rtts++;
	}
}

static void write_series(struct scene *scene, int64_t since)
{
	uint32_t i;

	for (i = 0; i < scene->flows; i++) {
		struct neck_flow *flow = &scene->flow[i];

		if (series)
			fprintf(series, "%s\t%u\t%u\t%.1f\t%u\t%.3f\n", scene->cc, scene->flows,
				scene->buffer, (double)since / 1e9, i,
				(double)(flow->got - flow->stepped) * 8e3 / STEP);
		flow->stepped = flow->got;
	}
}

static void judge(struct scene *scene)
{
	double sum = 0, squares = 0;
	uint32_t i;

	for (i = 0; i < scene->flows; i++) {
		double got = (double)(scene->flow[i].got - scene->flow[i].warm);

		sum += got;
		squares += got * got;
	}
	scene->jain += sum * sum / scene->flows / squares / scene->runs;
	scene->used += sum * 8 * 1500 / 1448 / ((double)MEASURED / 1e9) / RATE / scene->runs;
}

static void run(struct scene *scene)
{
	int64_t begin = world.now, begin_step = begin;
	uint32_t started = 0, i;
	bool warm = false;

	memset(scene->flow, 0, sizeof(scene->flow));
	create(scene);
	while (world.now < begin + WARM_UP + MEASURED) {
		while (started < scene->flows && world.now >= begin + started * APART) {
			neck_start(&scene->flow[started], scene->cc,
				   (uint16_t)(1000 + started));
			started++;
		}
		if (!warm && world.now >= begin + WARM_UP) {
			warm = true;
			for (i = 0; i < scene->flows; i++)
				scene->flow[i].warm = scene->flow[i].got;
		}
		neck_step(scene->flow, scene->flows);
		if (world.now < begin_step + STEP)
			continue;
		begin_step += STEP;
		write_series(scene, begin_step - begin);
		if (warm)
			note_rtt(scene);
	}
	judge(scene);
	neck_destroy(scene->flow, scene->flows);
}

/* What each congestion control has to reach; the bounds are some way below what it
 * does reach, which is printed.
 */
static const struct {
	const char *cc;
	uint32_t tenths;	/* of a BDP, the buffer */
	double jain;
	double used;
	double rtt;		/* ms at most, 40 is the path alone */
} wanted[] = {
	{ "cubic", 5, 0.80, 0.85, 62 }, { "cubic", 10, 0.80, 0.90, 82 },
	{ "cubic", 40, 0.80, 0.95, 202 },
	{ "reno", 5, 0.80, 0.80, 62 }, { "reno", 10, 0.80, 0.90, 82 },
	{ "reno", 40, 0.80, 0.95, 202 },
	{ "bbr", 5, 0.80, 0.85, 62 }, { "bbr", 10, 0.80, 0.90, 82 },
	{ "bbr", 40, 0.80, 0.90, 150 },
};

int main(int argc, char **argv)
{
	static const uint32_t flows[] = { 2, 4, 10 };
	static struct scene scene;
	size_t i, j, k;

	plan(0);
	if (argc == 3 && !strcmp(argv[1], "--series"))
		series = fopen(argv[2], "w");
	if (series)
		fprintf(series, "cc\tflows\tbuffer\tseconds\tflow\tMbit/s\n");
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		for (j = 0; j < sizeof(flows) / sizeof(flows[0]); j++) {
			memset(&scene, 0, sizeof(scene));
			scene.cc = wanted[i].cc;
			scene.flows = flows[j];
			scene.buffer = BDP_PACKETS * wanted[i].tenths / 10;
			scene.runs = series ? 1 : RUNS;
			for (k = 0; k < scene.runs; k++)
				run(&scene);
			ok(scene.jain >= wanted[i].jain && scene.used >= wanted[i].used &&
			   scene.rtt / scene.rtts <= wanted[i].rtt,
			   "%s, %u flows, buffer of %u packets: Jain's index %.3f, %.1f%% used, RTT %.0f ms",
			   scene.cc, scene.flows, scene.buffer, scene.jain,
			   scene.used * 100, scene.rtt / scene.rtts);
		}
	if (series && fclose(series))
		ok(false, "the table is written");
	return finish();
}
