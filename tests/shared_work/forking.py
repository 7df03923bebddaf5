"""A process that has imported what is to run, and forks for each start of it.

`serve` is given the descriptor of one end of a stream socket as the only argument of its process. A
request is the length of its body in 4 bytes, sent along with the descriptors that become 0, 1 and
2, and with those that keep their numbers; the body is `Start` as msgpack. The answer is the new
process's id in 8 bytes. The process ends when the socket closes.
"""

import atexit
import fcntl
import gc
import io
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn, TextIO

import msgspec

STANDARD_FDS = 3
FDS_MAX = 16
ABOVE = 500  # descriptors on their way to their numbers


class Start(msgspec.Struct, frozen=True, array_like=True):
    arguments: list[bytes]
    env: list[bytes]  # NAME=value
    cwd: bytes
    umask: int
    new_session: bool
    kept: list[int]  # numbers of the other descriptors


def serve(run: Callable[[], SystemExit]) -> None:
    """Until the socket is closed. Each new process does `run`, which says how it ended."""
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.collect()
    gc.freeze()  # pages that the collector does not touch stay shared
    while True:
        head, fds, _, _ = socket.recv_fds(control, 4, FDS_MAX)
        if not head:
            return
        start = msgspec.msgpack.decode(_exactly(control, int.from_bytes(head)), type=Start)
        number = _forked()
        if number is None:
            control.close()
            _become(start, fds)
            _end(run())
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
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, ABOVE) for fd in fds]
    os.closerange(STANDARD_FDS, ABOVE)
    for number, fd in zip([*range(STANDARD_FDS), *start.kept], moved, strict=True):
        os.dup2(fd, number)
        os.close(fd)
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
