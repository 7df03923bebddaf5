#!/bin/sh
# systemd-analyze and systemd-socket-activate, by which the tests of the units and of given sockets see what systemd
# makes of them. Nothing of systemd is started. Quiet; tests that want it are skipped where it can't be installed.
set -eu
command -v systemd-analyze >/dev/null && command -v systemd-socket-activate >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "some tests are skipped without systemd-analyze: apt-get install systemd" >&2
    exit 0
fi
. "$(dirname "$0")/apt.sh"
installed systemd >"$log" 2>&1 || cat "$log" >&2
