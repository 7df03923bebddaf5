"""A secret that stands in no command line: `@FILE` is read from a file, `env:NAME` a variable.

What is written on a command line stands in the list of processes and in the shell's history.
"""

import os
from pathlib import Path

import click

from hookbundle.engine.error_codes import quoted

FILE, VARIABLE = "@", "env:"


def secret_of(text: str, of: str) -> str:
    """The text, or what stands where it says. `of`: the option. Raises: UsageError."""
    if text.startswith(FILE):
        path = Path(text[1:])
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
            raise click.UsageError(f"{of}: {path} can't be read: {why}") from exc
    if text.startswith(VARIABLE):
        name = text.removeprefix(VARIABLE)
        if name not in os.environ:
            raise click.UsageError(f"{of}: there is no variable {quoted(name)}")
        return os.environ[name]
    return text
