#!/bin/sh
# The browser that the console's tests drive, if it is not there yet. Quiet, unless it fails.
set -eu
[ -x /usr/bin/chromium ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "the console's tests want chromium: apt-get install chromium" >&2
    exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends "$@"
}
install chromium fonts-dejavu-core >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
