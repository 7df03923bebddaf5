#!/bin/sh
# The browser that the console's tests drive, if it is not there yet. Quiet, unless it fails.
set -eu
[ -x /usr/bin/chromium-headless-shell ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    [ -x /usr/bin/chromium ] && exit 0
    echo "the console's tests want a browser: apt-get install chromium-headless-shell" >&2
    exit 1
fi
. "$(dirname "$0")/apt.sh"
installed chromium-headless-shell fonts-dejavu-core >"$log" 2>&1 && exit 0
# A machine that has the whole browser and can't install the lean one is good enough.
[ -x /usr/bin/chromium ] || { cat "$log" >&2; exit 1; }
