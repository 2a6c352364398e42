// SPDX-License-Identifier: MIT
/* ksock: what stack does, over the kernel's sockets; to compare the two. */
#include "lib/run.h"

int main(int argc, char **argv)
{
	struct job job = { .kernel = true };
	int status = job_parse(&job, argc, argv);

	return status >= 0 ? status : run_job(&job, &api_kernel);
}
