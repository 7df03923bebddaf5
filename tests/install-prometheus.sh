#!/bin/sh
# promtool, by which the tests try the rules of packaging/observability/, and prometheus, which scrapes a daemon in one of
# them. Quiet, unless it fails. They are unpacked into .venv/prometheus and not installed, so nothing starts by itself.
set -eu
. "$(dirname "$0")/apt.sh"
place=.venv/prometheus
[ -x "$place/usr/bin/promtool" ] && exit 0
unpacked "$place" prometheus >"$log" 2>&1 || { cat "$log" >&2; echo "the tests of the rules want prometheus" >&2; exit 1; }
