"""The exit codes of failed commands, and the sentence that each failure prints."""

import errno
import os
import sys
from pathlib import Path
from typing import IO, Any

import click

FAILED, USAGE, UNREACHABLE, REFUSED, NOT_FOUND, CONFLICT = 1, 2, 3, 4, 5, 6

ROOT = Path(__file__).resolve().parents[2]


class CommandFailure(click.ClickException):
    """Ends the program with `exit_code`; the message goes to stderr.

    `faults`: path and text of each fault that the daemon found in the input.
    """

    exit_code: int  # type: ignore[misc]  # click declares it for the class

    def __init__(
        self,
        message: str,
        exit_code: int,
        *,
        is_busy: bool = False,
        faults: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.is_busy = is_busy
        self.faults = faults

    def format_message(self) -> str:
        """The message; a name or a text quoted in it can't control the terminal."""
        return "\n".join(map(printable, self.message.split("\n")))

    def show(self, file: IO[Any] | None = None) -> None:
        try:
            super().show(file)
        except OSError:
            # Nobody reads stderr. The code still says how it ended, and what is in the stream's
            # buffer must not fail again when the interpreter ends: its own code would be 120.
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115


class NoDaemon(CommandFailure):
    """Nobody listens on the socket at `path`; absence.py knows more about why."""

    def __init__(self, path: Path, why: str | None = None) -> None:
        super().__init__(why or f"no daemon answers at {path}", UNREACHABLE)
        self.path = path


def printable(line: str) -> str:
    """The line; characters that could control a terminal are replaced."""
    return "".join(c if c.isprintable() else "�" for c in line)


def invalid_input(lines: list[str]) -> str:
    return "\n".join(["invalid input", *(f"  {line}" for line in lines)])


def unreachable(path: Path, cause: OSError) -> CommandFailure:
    """A Failure that says why there is no connection to the socket at `path`."""
    if cause.errno in (errno.EACCES, errno.EPERM):
        who = "run this as the daemon's user, or as root"
        return CommandFailure(f"no permission to use {path}; {who}", REFUSED)
    if cause.errno is None:  # the system was not asked, because no address of a socket is so long
        return CommandFailure(f"{path} is too long for the path of a socket", USAGE)
    return NoDaemon(path)


def of_the_system(exc: OSError) -> CommandFailure:
    """The failure for an error of the operating system, such as a missing folder."""
    what = (exc.strerror or "the operating system refused it").lower()
    return CommandFailure(f"{exc.filename}: {what}" if exc.filename else what, FAILED)


def of_a_bug(exc: Exception) -> CommandFailure:
    """The failure for an error that no command expects: one line that says where it was."""
    import traceback

    frames = traceback.extract_tb(exc.__traceback__)
    own = [frame for frame in frames if _is_own(Path(frame.filename))] or frames
    where = Path(own[-1].filename)
    shown = where.relative_to(ROOT) if _is_own(where) else where.name
    name = type(exc).__name__
    return CommandFailure(
        f"this is a bug in hookbundle; please report it with this: {name} at {shown}, "
        f"line {own[-1].lineno}",
        FAILED,
    )


def _is_own(path: Path) -> bool:
    """Whether the file is of this program; a checkout's libraries may be below its folder."""
    return path.is_relative_to(ROOT) and "site-packages" not in path.relative_to(ROOT).parts
