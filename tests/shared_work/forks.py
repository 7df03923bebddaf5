"""Starts of the program, made by forking a process that has imported it already.

The tests start the program thousands of times, and importing the daemon takes a second of the
processor: more than most of those tests need for all the rest. After `begin`, a subprocess of this
process that is a plain start of the program, or of a module of the package, is a fork of one that
has imported it (`programs.py`), and a daemon's process that fills templates is one of
`renderers.py`. It is a process of its own, with arguments, environment, streams, descriptors and
working directory; a child of the process that asked for it, which can kill it and wait for it.

What depends on how an interpreter starts is started as it always was: under another program
(`strace`, `sh`, `prlimit`), with Python's own variables or a locale, with a `preexec_fn`. And
BATTERY=full starts everything that way.
"""

import atexit
import ctypes
import os
import socket
import subprocess
import sys
from threading import Lock
from typing import Any

import msgspec

from hookbundle.actors.rendering.child import BOOT
from hookbundle.tests.program import PROGRAM
from hookbundle.tests.reliability.harness.battery import FULL
from hookbundle.tests.shared_work.forking import Start

STARTER = (os.fsencode(PROGRAM),)
PYTHON = (os.fsencode(sys.executable),)
TAKE_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
OF_THE_INTERPRETER = (b"PYTHON", b"LC_", b"LANG")
ID_BYTES = 8
RENDERING = ["-I", "-c", BOOT]
# Not by -m: the program would find the module's name, and show it in place of its own.
PROGRAMS = "from hookbundle.tests.shared_work import programs; programs.main()"
RENDERERS = "from hookbundle.tests.shared_work import renderers; renderers.main()"


class Forking:
    """Stands in `subprocess` for the interpreter's `fork_exec`."""

    def __init__(self) -> None:
        self._fork_exec: Any = vars(subprocess)["_fork_exec"]
        self._lock = Lock()
        self._controls: dict[str, socket.socket] = {}

    def __call__(
        self,
        args: list[Any],
        executables: tuple[bytes, ...],
        close_fds: bool,
        fds_to_keep: tuple[int, ...],
        cwd: Any,
        env: list[bytes] | None,
        *rest: Any,
    ) -> int:
        stdin, _, _, stdout, _, stderr, _, errors, _, new_session, group, *ids, umask, before, _ = (
            rest
        )
        forking = _forking(executables, args, bare=not env and fds_to_keep == (errors,))
        plain = (
            close_fds
            and env is not None
            and not any(pair.startswith(OF_THE_INTERPRETER) for pair in env)
            and (group, ids, umask, before) == (-1, [None, None, None], -1, None)
        )
        if not (plain and forking):
            return int(self._fork_exec(args, executables, close_fds, fds_to_keep, cwd, env, *rest))
        kept = [fd for fd in fds_to_keep if fd != errors]
        start = Start(
            [os.fsencode(argument) for argument in args],
            list(env or []),
            os.fsencode(cwd or os.getcwd()),
            _umask(),
            bool(new_session),
            kept,
        )
        given = enumerate((stdin, stdout, stderr))
        standard = [number if fd == -1 else fd for number, fd in given]
        return self._forked(forking, start, [*standard, *kept])

    def _forked(self, forking: str, start: Start, fds: list[int]) -> int:
        body = msgspec.msgpack.encode(start)
        with self._lock:
            if forking not in self._controls:
                self._controls[forking] = self._started(forking)
            control = self._controls[forking]
            # Only while the new process changes its parent: other orphans, which nobody here would
            # wait for, have to be gone when they have ended.
            _take_orphans(yes=True)
            try:
                socket.send_fds(control, [len(body).to_bytes(4)], fds)
                control.sendall(body)
                return int.from_bytes(control.recv(ID_BYTES, socket.MSG_WAITALL))
            finally:
                _take_orphans(yes=False)

    def _started(self, forking: str) -> socket.socket:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-c", forking, str(theirs.fileno())]
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"]} if forking == PROGRAMS else {},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()

        def end() -> None:
            ours.close()
            process.wait()

        atexit.register(end)
        return ours


def _forking(executables: tuple[bytes, ...], args: list[Any], *, bare: bool) -> str:
    """What the process runs that forks for such a start; empty if none does.

    `bare`: without environment and descriptors, as what fills templates has to be started.
    """
    of_package = args[1:2] == ["-m"] and str(args[2]).startswith("hookbundle.")
    if executables == STARTER or (executables == PYTHON and of_package):
        return PROGRAMS
    return RENDERERS if executables == PYTHON and args[1:4] == RENDERING and bare else ""


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def begin() -> None:
    """From now on; does nothing in the long form of the tests, or where Linux can't do it."""
    if FULL:
        return
    if _take_orphans(yes=True) and _take_orphans(yes=False):
        vars(subprocess)["_fork_exec"] = Forking()


def _take_orphans(*, yes: bool) -> bool:
    """This process becomes the parent of those below it that lose theirs. False if it can't be."""
    return bool(ctypes.CDLL(None).prctl(TAKE_ORPHANS, int(yes), 0, 0, 0) == 0)
