# SPDX-License-Identifier: MIT
# What a message costs over netchannel + ustack, as a part of what it costs over the
# kernel's sockets at their best; of the series that table.awk writes:
# gnuplot -e "table='IN'; image='OUT'; what='KERNEL'"
set terminal svg size 1100,520 dynamic background "white"
set output image
set datafile missing "-"
set title "Instructions of a message, both ends: ratio to the best of the kernel's sockets, ".what
set style data histogram
set style histogram clustered gap 2
set style fill solid 0.85
set boxwidth 0.95
set xtics rotate by -40 scale 0
set logscale y 2
set yrange [0.0625:4]
set ytics (0.0625, 0.125, 0.25, 0.5, 1, 2, 4)
set grid ytics
set key top left horizontal
set arrow from graph 0, first 1 to graph 1, first 1 nohead front lw 1.5
plot table using 2:xtic(1) title "EARLY, ustack asks the kernel", \
	"" using 3 title "EARLY, the kernel asks ustack", \
	"" using 4 title "EARLY, both ustack", \
	"" using 5 title "LATE, both ustack"
