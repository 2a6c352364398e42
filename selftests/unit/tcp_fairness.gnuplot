# SPDX-License-Identifier: MIT
# Four flows that share a bottleneck, by congestion control and buffer; of the table
# that tcp_fairness --series writes: gnuplot -e "table='IN'; image='OUT'"
set terminal svg size 1200,900 dynamic background "white"
set output image
set datafile separator "\t"
set datafile missing "NaN"
set multiplot layout 3,3 title "Four flows, 20 Mbit/s, 40 ms: Mbit/s of each over seconds"
set yrange [0:20]
set xrange [0:30]
do for [cc in "cubic reno bbr"] {
	do for [buffer in "33 67 268"] {
		set title sprintf("%s, buffer of %s packets", cc, buffer)
		plot for [flow=0:3] table using 4:(strcol(1) eq cc && $2 == 4 && \
			$3 == int(buffer) && $5 == flow ? $6 : NaN) with lines notitle
	}
}
