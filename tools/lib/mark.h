/* SPDX-License-Identifier: MIT */
/*
 * What is measured begins and ends here, as selftests/profile/plugin.c sees it: two
 * instructions that do nothing, which no compiler makes.
 */
#ifndef TOOLS_MARK_H
#define TOOLS_MARK_H

#ifdef __x86_64__
/* nopl 0x4e430001(%rax), and with 2 */
#define mark_start()	__asm__ volatile(".byte 0x0f,0x1f,0x80,1,0,0x43,0x4e" ::: "memory")
#define mark_stop()	__asm__ volatile(".byte 0x0f,0x1f,0x80,2,0,0x43,0x4e" ::: "memory")
#else
#define mark_start()	do { } while (0)
#define mark_stop()	do { } while (0)
#endif

#endif /* TOOLS_MARK_H */
