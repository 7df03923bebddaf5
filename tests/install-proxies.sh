#!/bin/sh
# nginx and caddy, behind which the tests put a daemon. Quiet, unless it fails. They are unpacked into .venv/proxies and
# not installed: a machine that runs the tests gets no web server that starts by itself.
set -eu
cd "$(dirname "$0")/.."
place=.venv/proxies
[ -x "$place/usr/sbin/nginx" ] && [ -x "$place/usr/bin/caddy" ] && exit 0
log=$(mktemp)
packed=$(mktemp -d)
trap 'rm -rf "$log" "$packed"' EXIT
fetch() {
    [ "$(id -u)" -ne 0 ] || apt-get update -qq
    chmod 0755 "$packed"
    (cd "$packed" && apt-get download -q nginx caddy)
    mkdir -p "$place"
    for package in "$packed"/*.deb; do dpkg-deb -x "$package" "$place"; done
}
fetch >"$log" 2>&1 || { cat "$log" >&2; echo "the tests of proxies want nginx and caddy" >&2; exit 1; }
