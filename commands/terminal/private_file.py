"""A file that a command writes for its user, and that nobody else may read."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from hookbundle.commands.terminal.failures import of_the_system


def written_to(pieces: Iterator[bytes], path: Path) -> int:
    """All pieces are in the file, whose mode is 0600. If they end early, it is as it was.

    A pipe or a device is written to as it is. A link to a file is refused, because somebody else
    may have made it. Returns how many bytes the pieces have.

    Raises: Failure if the file can't be written; what the pieces raise.
    """
    with _failures_of(path):
        if path.exists() and not path.is_file():
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            partial = None
        elif path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link; name the file that is to be written")
        else:
            # A new file, which nobody else can have opened or put in its place.
            fd, name = mkstemp(prefix=".hookbundle-", suffix=".part", dir=path.parent)
            partial = Path(name)
    try:
        with os.fdopen(fd, "wb") as file:
            count = _copied(pieces, file, path)
        if partial is not None:
            with _failures_of(path):
                partial.replace(path)
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)
    return count


def _copied(pieces: Iterator[bytes], file: BinaryIO, path: Path) -> int:
    count = 0
    for piece in pieces:
        with _failures_of(path):
            count += file.write(piece)
            file.flush()  # so that nothing is left that could fail without a name
    return count


@contextmanager
def _failures_of(path: Path) -> Iterator[None]:
    """An error of the system becomes the command's, and is about the file that was asked for."""
    try:
        yield
    except OSError as exc:
        raise of_the_system(OSError(exc.errno, exc.strerror, str(path))) from exc
