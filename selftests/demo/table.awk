# SPDX-License-Identifier: MIT
# The table at the end of the demo, from rows "SOCKETS DIRECTION BYTES-OF-A-MESSAGE
# BYTES MESSAGES SECONDS CPU-OF-SENDER CPU-OF-RECEIVER KERNEL-THREADS SYSTEM-CALLS".

function line(name, format, kernel, channel) {
	printf "  %-36s " format " " format "   %6.2f\n", name, kernel, channel, channel / kernel
}

{
	work = $3 " " $2
	if (!(work in seen))
		order[++works] = work
	seen[work] = 1
	instructions = ($7 + $8) * 1e9 + $9
	rate[work, $1] = $4 * 8 / $6 / 1e6
	per_byte[work, $1] = instructions / $4
	per_message[work, $1] = instructions / $5
	calls[work, $1] = $10 / $5
}

END {
	printf "  %-36s %16s %16s   %6s\n", "", "kernel sockets", "netchannel", "ratio"
	for (i = 1; i <= works; i++) {
		split(order[i], part)
		w = order[i]
		printf "\n  messages of %d bytes, application %s\n", part[1], part[2]
		line("  Mbit/s at one instruction per ns", "%16.0f", rate[w, "kernel"], rate[w, "netchannel"])
		line("  instructions per byte", "%16.3f", per_byte[w, "kernel"], per_byte[w, "netchannel"])
		line("  instructions per message", "%16.0f", per_message[w, "kernel"], per_message[w, "netchannel"])
		line("  system calls per message", "%16.3f", calls[w, "kernel"], calls[w, "netchannel"])
	}
	print "\n  Instructions are those of both programs, user and kernel mode, and of kernel"
	print "  threads; the peer always uses the kernel's sockets. System calls are the"
	print "  application's. Both say MSG_MORE while there is more to send, and the payload"
	print "  is made and verified alike. There is one CPU, on which the two programs take turns."
}
