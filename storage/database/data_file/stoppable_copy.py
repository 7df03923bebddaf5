"""LMDB's copy of a database, which can be stopped.

LMDB copies a whole file in one call that listens to nobody; a stop would have to wait for it. So
it writes into a pipe, whose other end a thread passes on to the file. The thread may end the copy:
without a reader LMDB's next write fails.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

CHUNK_BYTES = 1 << 20


@contextmanager
def passed_on(to: Path, tick: Callable[[], None]) -> Iterator[int]:
    """Yields a descriptor; what is written to it in the block is in the new file after it.

    `tick` is called before each chunk, and may raise to stop it: then writes to the descriptor fail
    with EPIPE, and the error is raised at the end of the block.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    passing = _Passing(reading, to, tick)
    passing.start()
    try:
        yield writing
    except Exception:
        os.close(writing)
        passing.join()
        if passing.error is not None:
            raise passing.error from None
        raise
    os.close(writing)
    passing.join()
    if passing.error is not None:
        raise passing.error


class _Passing(Thread):
    def __init__(self, reading: int, to: Path, tick: Callable[[], None]) -> None:
        super().__init__(name="copy")
        self.error: BaseException | None = None
        self._reading = reading
        self._to = to
        self._tick = tick

    def run(self) -> None:
        try:
            with os.fdopen(self._reading, "rb", buffering=0) as source:
                fd = os.open(self._to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(fd, "wb", buffering=0) as target:
                    while chunk := source.read(CHUNK_BYTES):
                        self._tick()
                        _write_all(target.fileno(), chunk)
        except BaseException as exc:  # noqa: BLE001 - raised in the thread that waits
            self.error = exc


def _write_all(fd: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(fd, rest) :]
