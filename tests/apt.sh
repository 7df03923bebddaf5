# What the install-*.sh beside this have in common; they read it. They may run side by side: apt works for one at a time,
# and its lists are fetched once.
cd "$(dirname "$0")/.."
log=$(mktemp)
packed=$(mktemp -d)
trap 'rm -rf "$log" "$packed"' EXIT

one_at_a_time() {
    mkdir -p .venv
    exec 9>.venv/.apt-lock
    flock 9
}

fresh_lists() {
    [ -n "$(find .venv/.apt-lists -mmin -60 2>/dev/null)" ] && return
    apt-get update -qq && touch .venv/.apt-lists
}

installed() {
    one_at_a_time
    fresh_lists &&
        DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends "$@"
}

# unpacked PLACE PACKAGE...: into a folder, and not installed, so nothing starts by itself. No root is needed.
unpacked() {
    place="$1"
    shift
    one_at_a_time
    { [ "$(id -u)" -ne 0 ] || fresh_lists; } &&
        chmod 0755 "$packed" &&
        (cd "$packed" && apt-get download -q "$@") &&
        mkdir -p "$place" &&
        for package in "$packed"/*.deb; do dpkg-deb -x "$package" "$place" || return; done
}
