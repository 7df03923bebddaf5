"""The exit codes of failed commands."""

import click

FAILED, USAGE, UNREACHABLE, REFUSED, NOT_FOUND, CONFLICT = 1, 2, 3, 4, 5, 6


class CommandFailure(click.ClickException):
    """Ends the program with `exit_code`; the message goes to stderr."""

    exit_code: int  # type: ignore[misc]  # click declares it for the class

    def __init__(self, message: str, exit_code: int, *, is_busy: bool = False) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.is_busy = is_busy
