"""Output of commands: a table on a terminal, tab-separated lines in a pipe, or JSON.

When the reader of stdout leaves (`| head`), the command goes on in silence and ends with the exit
code of its work. See docs/decisions/0091.
"""

import os
import select
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest

import click

from hookbundle.commands.terminal.failures import FAILED, CommandFailure, printable
from hookbundle.commands.terminal.words import plain, short_time, short_times

GAP = 2  # between columns
SENTENCES = frozenset({"detail", "advice"})  # a time may stand within them


def write(line: str, *, nl: bool = True) -> bool:
    """Prints the line, and with `nl` its end; False if nobody reads stdout any more.

    Raises: CommandFailure if it is full.
    """
    if sys.stdout is None:
        return False
    try:
        click.echo(line, nl=nl)
    except OSError as exc:
        # What is left in the buffer would be tried again, and fail again, at the program's end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if not isinstance(exc, BrokenPipeError):
            reason = (exc.strerror or "the operating system refused it").lower()
            raise CommandFailure(f"the output could not be written: {reason}", FAILED) from exc
        return False
    return True


@contextmanager
def one_piece() -> Iterator[None]:
    """An interrupt (Ctrl-C) comes before the block or after it, not between printing and noting it.

    Only the wait for a slow reader, before the block, may be interrupted.
    """
    if sys.stdout is not None:
        select.select([], [sys.stdout], [])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def show_json_pieces(pieces: Iterator[bytes]) -> int:
    """Prints JSON as it comes, like `show_json_text`. Returns how many bytes it has."""
    decode, count, end = getincrementaldecoder("utf-8")(errors="replace").decode, 0, ""
    for piece in pieces:
        text = decode(piece)
        count, end = count + len(piece), text[-1:] or end
        write(_escaped(text) if is_terminal() else text, nl=False)
    if count and end != "\n":
        write("")
    return count


def write_once(secret: str, otherwise: str) -> None:
    """Prints what can't be had again. Raises: Failure, saying `otherwise`, if nobody reads it."""
    if not write(secret):
        raise CommandFailure(f"nobody has read the output. {otherwise}", FAILED)


def show_json(document: object) -> bool:
    """As `write`."""
    import msgspec

    return show_json_text(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def show_json_text(text: str) -> bool:
    """Prints JSON; on a terminal, control characters in it are escaped. As `write`."""
    return write(_escaped(text) if is_terminal() else text)


def show_rows(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, header: bool = False
) -> None:
    """Prints a table that fits the terminal; in a pipe, tab-separated lines with all of it."""
    cells = [[plain(cell) for cell in row] for row in rows]
    if not is_terminal():
        for row in [list(columns), *cells] if header else cells:
            write("\t".join(row))
        return
    from rich.console import Console

    from hookbundle.commands.terminal import tables

    short = [list(map(_short, columns, row)) for row in cells]
    console = Console()
    table = tables.fitted(columns, short, console.width)
    if table.heading:
        is_plain = console.no_color or console.is_dumb_terminal
        write(table.heading if is_plain else click.style(table.heading, bold=True))
    for line in table.lines:
        write(line)
    if table.left_out:
        say(f"not shown: {', '.join(table.left_out)}; a wider terminal or --json shows all")
    if table.shortened:
        say(f"{tables.MARK} stands where a value was shortened; --json prints it in full")


def show_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Prints a line for each name and value; on a terminal, a long list goes on in the next."""
    pairs = [(name, plain(value), isinstance(value, dict | list)) for name, value in facts]
    size = max((len(name) for name, _, _ in pairs), default=0)
    if not is_terminal():
        for name, value, _ in pairs:
            write(f"{name}\t{value}")
        return
    from textwrap import wrap

    from rich.console import Console

    room = max(Console().width - size - GAP, 20)
    for name, value, is_list in pairs:
        if is_list:
            lines = wrap(short_times(value), room, break_on_hyphens=False)
        else:
            lines = [_short(name, value)]
        for label, line in zip_longest([name], lines, fillvalue=""):
            write(f"{label:<{size}}  {line}")


def _short(name: str, value: str) -> str:
    return short_times(value) if name in SENTENCES else short_time(value)


def show_text(text: str) -> None:
    """Prints a text; on a terminal, control characters in it are replaced."""
    write(printable(text) if is_terminal() else text)


def say(words: str) -> None:
    """Prints a sentence for the user to stderr, so that stdout has data only."""
    if sys.stderr is not None:
        click.echo("\n".join(map(printable, words.split("\n"))), err=True)


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _escaped(text: str) -> str:
    """The same JSON document: unprintable characters occur only in strings, where escapes do."""
    import json

    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
