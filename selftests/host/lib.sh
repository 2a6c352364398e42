# SPDX-License-Identifier: MIT
# For the stages of the check: TAP as kselftest's runner writes it, so that one
# reader counts all of it.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit
stage=${0##*/}
test_num=0

# tap NAME COMMAND...: one test. COMMAND may write TAP of its own, which then
# counts instead.
tap() {
	local name="selftests: $stage: $1" status
	shift

	test_num=$((test_num + 1))
	echo "# $name"
	"$@" 2>&1 | sed -u 's/^/# /'
	status=${PIPESTATUS[0]}
	case $status in
	0) echo "ok $test_num $name" ;;
	4) echo "ok $test_num $name # SKIP" ;;
	*) echo "not ok $test_num $name # exit=$status" ;;
	esac
	return "$status"
}

# silent COMMAND...: fails also when COMMAND has something to say.
silent() {
	local output status=0

	output=$("$@" 2>&1) || status=$?
	[ -z "$output" ] || { printf '%s\n' "$output"; status=1; }
	return "$status"
}

# The files that belong to the project, committed or about to be.
tree_files() {
	git ls-files -co --exclude-standard -- "$@" | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

kernel_source() {
	local SOURCE

	eval "$(selftests/vm/kernel source)"
	echo "$SOURCE"
}

jobs=-j$(nproc)
