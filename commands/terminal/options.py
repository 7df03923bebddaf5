"""Options and output that several commands share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import USAGE, CommandFailure, NoDaemon
from hookbundle.engine.errors import ConfigError

if TYPE_CHECKING:
    from hookbundle.commands.terminal.client import Control

T = TypeVar("T")
Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Shared:
    """The options given before the command's name."""

    config_file: Path | None
    socket: str | None

    def configuration(self, **flags: str | None) -> Configuration:
        """The configuration; a flag that is None does not override. Raises: Failure."""
        try:
            return paths.read_configuration({"socket": self.socket, **flags}, self.config_file)
        except ConfigError as exc:
            raise CommandFailure(str(exc), USAGE) from exc

    def ask(self, work: "Callable[[Control], Awaitable[T]]") -> T:
        """Runs `work` with a connection to the daemon; returns its result. Raises: Failure."""
        # Imported here, because the HTTP library takes half a second to load.
        from hookbundle.commands.terminal import client

        config = self.configuration()
        try:
            return client.run(paths.socket_path(config), work)
        except NoDaemon as exc:
            from hookbundle.commands.terminal import absence

            raise NoDaemon(absence.unreachable(config)) from exc


pass_shared = click.make_pass_decorator(Shared)

as_json: Callable[[Command], Command] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON."
)

limit_option: Callable[[Command], Command] = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="Show at most this many.",
)


def show_some(found: list[Any], limit: int, *, as_json: bool, columns: tuple[str, ...]) -> None:
    """Shows the first `limit` rows, and a note on stderr if there are more."""
    show(found[:limit], as_json=as_json, columns=columns)
    if len(found) > limit:
        output.say(f"there are more than {limit}; see --limit")


def show(document: Any, *, as_json: bool, columns: tuple[str, ...], path: str = "") -> None:
    """Shows a document, or a list of them, as a table; a column `a.b` is key `b` of key `a`."""
    if as_json:
        output.show_json(document)
        return
    found = document[path] if path else document
    if isinstance(found, list):
        output.show_rows(columns, ([_value_at(one, name) for name in columns] for one in found))
    else:
        output.show_facts((name, _value_at(found, name)) for name in columns)


def _value_at(document: Any, name: str) -> object:
    for part in name.split("."):
        document = document[part]
    return document
