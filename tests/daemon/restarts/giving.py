"""A start of the program with sockets from descriptor 3 on, as systemd does it.

    python -m hookbundle.tests.daemon.restarts.giving 7,9 http:control PROGRAM ARGUMENTS...

The program runs in this process, so that LISTEN_PID is its own: mostly a fork of one that has
imported it (`shared_work/forks.py`).
"""

import fcntl
import os
import runpy
import sys

from hookbundle import cli

FIRST, ABOVE = 3, 100


def main(numbers: str, names: str, *program: str) -> None:
    given = [fcntl.fcntl(int(each), fcntl.F_DUPFD, ABOVE) for each in numbers.split(",")]
    for number, descriptor in enumerate(given, FIRST):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.update(LISTEN_FDS=str(len(given)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=names)
    if program[1:2] == ("-m",):
        module, sys.argv[:] = program[2], program[2:]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = program
        cli.main(prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])
