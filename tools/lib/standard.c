// SPDX-License-Identifier: MIT
#include "standard.h"

#include <fcntl.h>
#include <unistd.h>

void standard_hold(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)	/* the lowest that is free, so it is the next */
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
