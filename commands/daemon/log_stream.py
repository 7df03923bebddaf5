"""Where the log goes: a stream that never raises and never waits.

The reader of stderr may be gone (a closed terminal, a pipe whose other end has ended) or stand
still (a pipe that nobody empties, a terminal halted by control-S). An error or a wait in a log call
would then end or hold up whatever was about to be said: a stop, most of all. So a line that can't
be written at once is lost, and counted. As soon as lines can be written again, the log says how
many were lost.
"""

import contextlib
import fcntl
import io
import os
import select
import threading
from collections.abc import Callable
from typing import TextIO

# poll(2) says that a pipe can be written when a write of so many bytes would not wait (pipe(7)).
AT_ONCE_BYTES = select.PIPE_BUF
PIPE_BYTES = 1 << 20  # what a pipe holds while its reader is slow; the kernel's default is 64 KiB
GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class LogStream(io.TextIOBase):
    """Writes to the file of `stream`, or to the stream itself if it has none.

    `lost`: the lines that could not be written so far. `lost_line` makes the line that says how
    many were lost since the last such line. Any thread may write.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self.lost = 0
        self.lost_line: Callable[[int], str] = "{} lines of the log are lost\n".format
        self._stream = stream
        self._fd = _descriptor_of(stream)
        self._told = 0
        self._is_cut = False
        self._lock = threading.RLock()

    def write(self, text: str, /) -> int:
        with self._lock:
            if self.lost > self._told and self._written(self.lost_line(self.lost - self._told)):
                self._told = self.lost
            if not self._written(text):
                self.lost += 1
        return len(text)

    def lose(self) -> None:
        """A line that could not even be made counts as lost."""
        with self._lock:
            self.lost += 1

    def isatty(self) -> bool:
        return self._fd is not None and os.isatty(self._fd)

    def _written(self, text: str) -> bool:
        try:
            if self._fd is None:
                return self._passed_on(text)
            return self._written_at_once(self._fd, text.encode(errors="backslashreplace"))
        except (OSError, ValueError):  # ValueError: the stream was closed
            return False

    def _passed_on(self, text: str) -> bool:
        if self._stream is None:
            return False
        self._stream.write(text)
        self._stream.flush()
        return True

    def _written_at_once(self, fd: int, line: bytes) -> bool:
        """False if the descriptor takes no more; a line may then be cut, and the next begins anew.

        Raises: OSError if it is broken.
        """
        rest = b"\n" + line if self._is_cut else line
        while rest:
            if not _takes(fd):
                self._is_cut = self._is_cut or len(rest) < len(line)
                return False
            rest = rest[os.write(fd, rest[:AT_ONCE_BYTES]) :]
        self._is_cut = False
        return True


def _takes(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    events = [event for _, event in poll.poll(0)]
    return bool(events) and not events[0] & GONE


def _descriptor_of(stream: TextIO | None) -> int | None:
    if stream is None:
        return None
    try:
        stream.flush()
        fd = stream.fileno()
    except (OSError, ValueError):  # closed, or in memory
        return None
    with contextlib.suppress(OSError):  # it is no pipe, or the user has no right to a larger one
        if fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ) < PIPE_BYTES:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return fd


def open_standard_files() -> None:
    """The descriptors 0, 1 and 2 are open.

    If one is not, the next file that is opened gets its number, and that may be the database: what
    a library writes to stderr would be written into it.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)
