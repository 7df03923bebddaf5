"""A process that has imported the program, and forks for each start of it.

The only argument of `main` is the descriptor of one end of a stream socket. A request is the length
of its body in 4 bytes, sent along with the descriptors that become 0, 1 and 2; the body is `Start`
as msgpack. The answer is the new process's id in 8 bytes. The process ends when the socket closes.
"""

import atexit
import gc
import io
import os
import random
import runpy
import socket
import sys
import threading
import time
from importlib import import_module
from typing import NoReturn, TextIO

import msgspec

from hookbundle import cli
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.server.console.rendering import environment

STANDARD_FDS = 3
BEHIND = (  # what a command imports when it runs, and what takes longest
    "daemon.run",
    "demo.playing",
    "doctor.examining",
    "feed.tail",
    "listening.running",
)


class Start(msgspec.Struct, frozen=True, array_like=True):
    arguments: list[bytes]
    env: list[bytes]  # NAME=value
    cwd: bytes
    umask: int
    new_session: bool


def main() -> None:
    """Serves until the socket is closed; in each new process, it runs the program."""
    control = socket.socket(fileno=int(sys.argv[1]))
    of_commands = [location.partition(":")[0] for location in cli.COMMANDS.values()]
    for name in (*of_commands, *BEHIND):
        import_module(f"hookbundle.commands.{name}")
    for code in LANGUAGES:
        environment(code)
    gc.collect()
    gc.freeze()  # pages that the collector does not touch stay shared
    while True:
        head, fds, _, _ = socket.recv_fds(control, 4, STANDARD_FDS)
        if not head:
            return
        start = msgspec.msgpack.decode(_exactly(control, int.from_bytes(head)), type=Start)
        number = _forked()
        if number is None:
            control.close()
            _become(start, fds)
            _end(_ran())
        for fd in fds:
            os.close(fd)
        control.sendall(number.to_bytes(8))


def _exactly(control: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = control.recv(size - len(found))
        assert piece, "the request was cut off"
        found += piece
    return found


def _forked() -> int | None:
    """The id of the new process; None in it.

    The process between the two ends at once, so that the new one gets the parent who asked for it:
    that one waits for it, and is told how it ended, as after a start of its own.
    """
    ours, theirs = os.pipe()
    between = os.fork()
    if between == 0:
        number = os.fork()
        if number == 0:
            os.close(ours)
            os.close(theirs)
            return None
        os.write(theirs, number.to_bytes(8))
        os._exit(0)
    os.close(theirs)
    number = int.from_bytes(os.read(ours, 8))
    os.close(ours)
    os.waitpid(between, 0)
    return number


def _become(start: Start, fds: list[int]) -> None:
    """What a new process of the program has from its start."""
    if start.new_session:
        os.setsid()
    os.umask(start.umask)
    os.chdir(start.cwd)
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    os.closerange(STANDARD_FDS, max(*fds, 2) + 1)
    os.environb.clear()
    for pair in start.env:
        name, _, value = pair.partition(b"=")
        os.environb[name] = value
    time.tzset()
    random.seed()
    sys.argv = [os.fsdecode(argument) for argument in start.arguments]
    sys.stdin = _stream(0, "r", sys.stdin)
    sys.stdout = _stream(1, "w", sys.stdout)
    sys.stderr = _stream(2, "w", sys.stderr)


def _ran() -> SystemExit:
    """How the program ended; or the module that follows `-m`."""
    try:
        if sys.argv[1:2] == ["-m"]:
            module, sys.argv[:] = sys.argv[2], sys.argv[2:]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            cli.main()
    except SystemExit as ended:
        return ended
    return SystemExit(0)


def _end(ended: SystemExit) -> NoReturn:
    """All that an interpreter does at its end, but for taking its memory apart.

    That would copy each page that is shared, and takes longer than most commands do. What is said
    by an interpreter in the end, of a text or a broken pipe, is left to it.
    """
    if not isinstance(ended.code, int):
        raise ended
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        raise ended from None
    os._exit(ended.code & 0xFF)


def _stream(fd: int, mode: str, before: TextIO) -> TextIO:
    lines = mode == "w" and (fd == 2 or os.isatty(fd))
    buffering, encoding, errors = 1 if lines else -1, before.encoding, before.errors
    opened = open(fd, mode, buffering, encoding, errors, closefd=False)  # noqa: SIM115
    assert isinstance(opened, io.TextIOWrapper)
    return opened
