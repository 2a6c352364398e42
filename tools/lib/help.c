// SPDX-License-Identifier: MIT
/* What -h prints. */
#include <stdio.h>

#include "job.h"

static const char common[] =
"  -s, --source ADDRESS         address of this end (default: any)\n"
"  -S, --source-port PORT       port of this end (default: chosen)\n"
"  -d, --destination ADDRESS    address of the peer\n"
"  -D, --destination-port PORT  port of the peer\n"
"  -p, --protocol 6|17          TCP (default) or UDP; also tcp, udp\n"
"  -l, --listen                 wait for one peer at -S, and receive\n"
"  -b, --bytes N                bytes of a message (default 4096; UDP: 1400)\n"
"      --reverse                payload goes the other way: the listener sends\n"
"      --input                  send standard input, up to its end\n"
"      --output                 write what comes to standard output\n"
"      --count N                end after N messages (k, M, G)\n"
"      --time SECONDS           end after so long\n"
"      --repeat N               TCP: N connections, one after another\n"
"      --congestion NAME        TCP: congestion control of this end\n"
"      --fast-open              TCP: data with the SYN (RFC 7413)\n"
"      --rate BITS              send no faster, bits per second (k, M, G)\n"
"  -h, --help                   this text\n";

static const char of_stack[] =
"      --ecn off|classic|accurate\n"
"                               do not agree to ECN, or ask for it: RFC 3168, 9768\n"
"                               (default: agree if the peer asks)\n"
"      --in-place               TCP: make and read payload in memory that the socket\n"
"                               lends, with no copy\n"
"      --link netchannel|packet the kernel module (default), or a packet socket\n"
"  -L, --queue N                netchannel: packets that the receive queue holds\n"
"                               (default 1024)\n"
"      --hook late|early        netchannel: behind the firewall (default), or at\n"
"                               the device\n"
"      --dev NAME               packet: the interface\n"
"  -i, --interface INDEX        packet: the interface, by its index\n"
"  -e, --remote-mac MAC         packet: the peer's (default: ARP and ND ask for it)\n"
"                               -s ADDRESS/PREFIX: what is on the link\n";

static const char closing[] =
"\nOnce a second a line on standard error tells throughput, messages, CPU and\n"
"system calls; a summary stands at the end.  Ctrl-C ends in order.\n";

void job_help(const struct job *job)
{
	printf("usage: %s [OPTION]... -d ADDRESS -D PORT\n"
	       "       %s [OPTION]... -l -S PORT\n\n"
	       "Sends messages to a peer%s, or with -l receives them.\n\n%s%s%s",
	       job->program, job->program,
	       job->kernel ? " over the kernel's sockets"
			   : " over ustack, a TCP/IP stack in this process",
	       common, job->kernel ? "" : of_stack, closing);
}
