#!/bin/sh
# The files of tests outside of reliability/ that run a part of their cases unless BATTERY=full.
set -eu
grep -rlE 'harness\.battery import .*(size|part)' tests --include='test_*.py' | grep -v '^tests/reliability/' | sort
