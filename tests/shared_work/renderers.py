"""What a daemon starts to fill templates, imported: each fork is one of these processes.

It has imported nothing else, for its memory is limited.
"""

import sys

from hookbundle.actors.rendering import process
from hookbundle.tests.shared_work.forking import serve

BEFORE = 4  # the interpreter, -I, -c and what it would run; then its own arguments


def main() -> None:
    serve(run)


def run() -> SystemExit:
    sys.argv[:] = ["-c", *sys.argv[BEFORE:]]
    try:
        process.main()
    except SystemExit as ended:
        return ended
    return SystemExit(0)
