// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "fault.h"
#include "net.h"

void fault_init(void)
{
	file_write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	file_write("/sys/kernel/debug/failslab/verbose", "0");
	file_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	file_write("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	file_write("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	file_write("/sys/kernel/debug/fail_usercopy/verbose", "0");
}

void fault_nth(int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", nth);
	file_write(FAULT_NTH, text);
}

bool fault_came(void)
{
	char text[16];
	bool left;

	file_read(FAULT_NTH, text, sizeof(text));
	left = text[0] != '0';
	fault_nth(0);
	return !left;
}
