#!/bin/sh
# redis-server, for the rival that stands on it. Quiet, unless it fails.
set -eu
command -v redis-server >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "the comparison with Celery wants redis-server: apt-get install redis-server" >&2
    exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends "$@"
}
install redis-server >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
