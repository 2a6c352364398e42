# SPDX-License-Identifier: MIT
# Shared by bench-vm, bench-smp, bench-host and bench-two: what is to be measured, and
# where results are kept.

me=bench-${0##*/}

# wanted TABLE: lines "WORKLOAD kernel|ustack VARIANT" of the workloads that $WORKLOAD
# names; it holds patterns.
wanted() (
	set -f
	sed '/^#/d; /^$/d' "$1" | while read -r workload variants; do
		for pattern in ${WORKLOAD:-*}; do
			# shellcheck disable=SC2053
			[[ $workload == $pattern ]] || continue
			# shellcheck disable=SC2086	# a word is a variant
			printf "$workload kernel %s\n" ${variants%|*}
			# shellcheck disable=SC2086
			printf "$workload ustack %s\n" ${variants#*|}
		done
	done
)

# any ROWS TABLE: or it is said that there are none.
any() {
	[ -s "$1" ] || { echo "$me: no such workload: ${WORKLOAD-}: $2 lists them" >&2; exit 2; }
}

# keep RESULTS: appends them to those of before.
keep() {
	local all=build/bench/results.tsv

	mkdir -p build/bench
	[ -s $all ] || head -n 1 "$1" >$all
	sed 1d "$1" >>$all
}
