#!/bin/sh
# strace, by which the tests of power cuts see what reaches the disk. Quiet, unless it fails.
set -eu
command -v strace >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "the tests of power cuts want strace: apt-get install strace" >&2
    exit 1
fi
. "$(dirname "$0")/apt.sh"
installed strace >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
