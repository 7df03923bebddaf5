#!/bin/sh
# strace, by which the tests of power cuts see what reaches the disk. Quiet, unless it fails.
set -eu
command -v strace >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "the tests of power cuts want strace: apt-get install strace" >&2
    exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends "$@"
}
install strace >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
