#!/bin/sh
# Runs a few failed tests once more, one after the other (docs/decisions/0161-a-failed-test-gets-one-run-alone.md).
# What passes now is named loudly: it is sensitive to other load on the machine, and has to be mended.
set -eu
python="$1"
most=3
list=.pytest_cache/v/cache/lastfailed

failed=$("$python" -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1]))))' "$list")
count=$(printf '%s\n' "$failed" | wc -l)
if [ "$count" -gt "$most" ]; then
    echo "$count tests failed. At most $most would run once more alone."
    exit 1
fi
echo "Failed beside other tests, and run once more alone:"
printf '%s\n' "$failed"
printf '%s\n' "$failed" | xargs -d '\n' "$python" -m pytest -q
echo "PASSED ONLY ALONE. Each of these needs mending: it depends on how fast the machine is."
printf '%s\n' "$failed"
