"""Options and output that several commands share.

What only some of them need is imported where it is needed, here and elsewhere in `commands/`: most
of the time of a command went into imports. `tests/commands/test_imports.py` says what none may.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, USAGE, CommandFailure, NoDaemon
from hookbundle.commands.terminal.words import name_of

if TYPE_CHECKING:
    from hookbundle.commands.configuration.settings import Configuration
    from hookbundle.commands.terminal.client import Control

T = TypeVar("T")
Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Shared:
    """The options given before the command's name."""

    config_file: Path | None
    socket: str | None

    def configuration(self, **flags: str | None) -> "Configuration":
        """The configuration; a flag that is None does not override. Raises: Failure."""
        from hookbundle.commands.configuration import paths
        from hookbundle.engine.errors import ConfigError

        try:
            return paths.read_configuration({"socket": self.socket, **flags}, self.config_file)
        except ConfigError as exc:
            raise CommandFailure(str(exc), USAGE) from exc

    def ask(self, work: "Callable[[Control], T]", *, most_s: float | None = None) -> T:
        """The result of `work`, which asks the daemon, for at most so long. Raises: Failure."""
        from hookbundle.commands.configuration import paths
        from hookbundle.commands.terminal.client import Control

        config = self.configuration()
        with saying_why(config):
            return work(Control(paths.socket_path(config), most_s))


@contextmanager
def saying_why(config: "Configuration") -> Iterator[None]:
    """If nobody listens on a socket, the Failure says what may be the reason."""
    try:
        yield
    except NoDaemon as exc:
        from hookbundle.commands.terminal import absence

        raise NoDaemon(exc.path, absence.unreachable(config, exc.path)) from exc


class Number(click.ParamType[int]):
    """A whole number from `least` to `most`."""

    name = "number"

    def __init__(self, least: int, most: int = 1_000_000) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        # Digits alone, and few: int() also reads ` 1_0`, and refuses 5,000 digits in its own words.
        text = str(value)
        if text.isascii() and text.isdigit() and len(text) <= len(str(self.most)):
            number = int(text)
            if self.least <= number <= self.most:
                return number
        from hookbundle.engine.error_codes import quoted

        self.fail(f"must be {self.least} to {self.most}; got {quoted(text)}", param, ctx)


class InputFile(click.File):
    """A file to read, `-` for stdin."""

    name = "file"

    def __init__(self) -> None:
        super().__init__("rb")

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> IO[Any]:
        if value == "-" and sys.stdin is None:
            self.fail("there is no stdin to read from; name a file", param, ctx)
        return super().convert(value, param, ctx)


pass_shared = click.make_pass_decorator(Shared)

as_json: Callable[[Command], Command] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with all values in full."
)

no_header: Callable[[Command], Command] = click.option(
    "--no-header", is_flag=True, help="In a pipe: leave out the line with the columns' names."
)

yes_option: Callable[[Command], Command] = click.option(
    "--yes", is_flag=True, help="Do it without asking."
)

limit_option: Callable[[Command], Command] = click.option(
    "--limit", type=Number(1), default=1_000, show_default=True, help="Show at most this many."
)


def confirm(what: str, *, yes: bool) -> None:
    """The user wants what can't be undone. Raises: Failure otherwise."""
    if yes:
        return
    try:
        agreed = click.confirm(what, err=True)
    except click.Abort:
        output.say("")
        raise CommandFailure("nothing was done; --yes does it without asking", FAILED) from None
    if not agreed:
        raise CommandFailure("nothing was done", FAILED)


def show_some(
    found: list[Any], limit: int, *, as_json: bool, no_header: bool, columns: tuple[str, ...]
) -> None:
    """Shows the first `limit` rows, and a note on stderr if there are more."""
    show(found[:limit], as_json=as_json, no_header=no_header, columns=columns)
    if len(found) > limit:
        output.say(f"there are more than {limit}; see --limit")


def show(
    document: Any, *, as_json: bool, columns: tuple[str, ...], no_header: bool = False
) -> None:
    """Shows a document, or a list of them, as a table; a column `a.b` is key `b` of key `a`.

    Where `a` is null, `a.b` is too.
    """
    if as_json:
        output.show_json(document)
    elif isinstance(document, list):
        names = [name_of(name).rpartition(".")[2] for name in columns]
        rows = [[_value_at(one, name) for name in columns] for one in document]
        output.show_rows(names, rows, header=not no_header)
    else:
        output.show_facts((name_of(name), _value_at(document, name)) for name in columns)


def _value_at(document: Any, name: str) -> object:
    for part in name.split("."):
        if document is None:
            return None
        document = document[part]
    return document
