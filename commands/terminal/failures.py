"""The exit codes of failed commands."""

import os
import sys
from typing import IO, Any

import click

FAILED, USAGE, UNREACHABLE, REFUSED, NOT_FOUND, CONFLICT = 1, 2, 3, 4, 5, 6


class CommandFailure(click.ClickException):
    """Ends the program with `exit_code`; the message goes to stderr."""

    exit_code: int  # type: ignore[misc]  # click declares it for the class

    def __init__(self, message: str, exit_code: int, *, is_busy: bool = False) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.is_busy = is_busy

    def show(self, file: IO[Any] | None = None) -> None:
        try:
            super().show(file)
        except OSError:
            # Nobody reads stderr. The code still says how it ended, and what is in the stream's
            # buffer must not fail again when the interpreter ends: its own code would be 120.
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115


class NoDaemon(CommandFailure):
    """Nobody listens on the control socket."""

    def __init__(self, message: str) -> None:
        super().__init__(message, UNREACHABLE)
