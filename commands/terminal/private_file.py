"""A file that a command writes for its user, and that nobody else may read."""

import os
import stat
from pathlib import Path

from hookbundle.commands.terminal.failures import FAILED, CommandFailure

OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write(path: Path, content: bytes) -> None:
    """The content is in the file, whose mode is 0600, also if it was another. Raises: Failure.

    A pipe or a device is written to as it is.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            mode = os.fstat(fd).st_mode
            if stat.S_ISREG(mode):
                if mode & OF_OTHERS:
                    os.fchmod(fd, 0o600)
                os.ftruncate(fd, 0)
            file.write(content)
    except OSError as exc:
        raise CommandFailure(f"{path} can't be written: {exc.strerror}", FAILED) from exc
