// SPDX-License-Identifier: MIT
/* stack: sends or receives over ustack, on a netchannel or another link. */
#include "lib/run.h"

int main(int argc, char **argv)
{
	struct job job = { .kernel = false };
	int status = job_parse(&job, argc, argv);

	return status >= 0 ? status : run_job(&job, &api_ustack);
}
