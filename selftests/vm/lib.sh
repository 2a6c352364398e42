# SPDX-License-Identifier: MIT
# Shared by the scripts of this directory: where things are kept, and how work
# that takes long is done only once.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$vm_dir/../.." && pwd)
cache=${NETCHANNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netchannel}
mkdir -p "$cache"

say() {
	echo "${0##*/}: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# once PATH COMMAND...: unless PATH exists, run COMMAND with the name of an
# empty directory appended, then rename that directory to PATH. Of two
# invocations the second one waits, and finds the work done.
once() {
	local path=$1 work
	shift

	[ -e "$path" ] && return
	mkdir -p "$(dirname "$path")"
	(
		flock 9
		[ -e "$path" ] && exit
		work=$(mktemp -d "$path.XXXXXX")
		chmod 755 "$work"
		trap 'rm -rf "$work"' EXIT
		"$@" "$work"
		mv -T "$work" "$path"
	) 9>"$path.lock"
}
