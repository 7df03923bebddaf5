"""Output of commands: a table on a terminal, tab-separated lines in a pipe, or JSON."""

import json
import sys
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def show_json(document: object) -> None:
    show_json_text(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def show_json_text(text: str) -> None:
    """Prints JSON; on a terminal, control characters in it are escaped."""
    click.echo(_escaped(text) if sys.stdout.isatty() else text)


async def show_json_pieces(pieces: AsyncIterator[bytes]) -> int:
    """Prints JSON as it comes, like `show_json_text`. Returns how many bytes it has."""
    decode, count, end = getincrementaldecoder("utf-8")(errors="replace").decode, 0, ""
    async for piece in pieces:
        text = decode(piece)
        count, end = count + len(piece), text[-1:] or end
        click.echo(_escaped(text) if sys.stdout.isatty() else text, nl=False)
    if count and end != "\n":
        click.echo()
    return count


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table with untruncated cells; in a pipe, tab-separated lines without a heading."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(plain(cell) for cell in row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*(escape(plain(cell)) for cell in row))
    Console().print(table)


def show_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Prints one line for each name and value."""
    pairs = [(name, plain(value)) for name, value in facts]
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"{name:<{width}}  {value}" if sys.stdout.isatty() else f"{name}\t{value}")


def show_text(text: str) -> None:
    """Prints a text; on a terminal, control characters in it are replaced."""
    click.echo(plain(text) if sys.stdout.isatty() else text)


def say(words: str) -> None:
    """Prints a sentence for the user to stderr, so that stdout has data only."""
    click.echo(words, err=True)


def plain(cell: Any) -> str:
    """The cell as one line; characters that could control a terminal are replaced."""
    if cell is None or cell == "":
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return "".join(c if c.isprintable() else "�" for c in str(cell))


def _escaped(text: str) -> str:
    """The same JSON document: unprintable characters occur only in strings, where escapes do."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
