#!/bin/sh
# promtool, by which the tests try the rules of packaging/observability/, and prometheus, which scrapes a daemon in one of
# them. Quiet, unless it fails. They are unpacked into .venv/prometheus and not installed, so nothing starts by itself.
set -eu
cd "$(dirname "$0")/.."
place=.venv/prometheus
[ -x "$place/usr/bin/promtool" ] && exit 0
log=$(mktemp)
packed=$(mktemp -d)
trap 'rm -rf "$log" "$packed"' EXIT
fetch() {
    [ "$(id -u)" -ne 0 ] || apt-get update -qq
    chmod 0755 "$packed"
    (cd "$packed" && apt-get download -q prometheus)
    mkdir -p "$place"
    for package in "$packed"/*.deb; do dpkg-deb -x "$package" "$place"; done
}
fetch >"$log" 2>&1 || { cat "$log" >&2; echo "the tests of the rules want prometheus" >&2; exit 1; }
