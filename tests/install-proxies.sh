#!/bin/sh
# nginx and caddy, behind which the tests put a daemon. Quiet, unless it fails. They are unpacked into .venv/proxies and
# not installed: a machine that runs the tests gets no web server that starts by itself.
set -eu
. "$(dirname "$0")/apt.sh"
place=.venv/proxies
[ -x "$place/usr/sbin/nginx" ] && [ -x "$place/usr/bin/caddy" ] && exit 0
unpacked "$place" nginx caddy >"$log" 2>&1 || { cat "$log" >&2; echo "the tests of proxies want nginx and caddy" >&2; exit 1; }
