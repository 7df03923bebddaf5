"""The filters of deliveries as options, and what is said while a search goes on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from hookbundle.commands.terminal import output, progress
from hookbundle.commands.terminal.options import Command
from hookbundle.commands.terminal.words import short_times
from hookbundle.engine.delivery import former_names

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

AGES = "a time, or an age like -2h"
STATES = ("queued", "sending", "delivered", "dead_letter", "discarded", "resending")
ATTEMPTS = ("attempt", "at", "status", "outcome", "duration_ms", "error")  # columns, everywhere
NAMES = {"status": "http_status"}  # where the API has another one than the option


class State(click.Choice[str]):
    """A state that is asked for, also by its name of the first edition, or with a hyphen."""

    def __init__(self, names: Sequence[str] = STATES) -> None:
        super().__init__(names)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = former_names.state_of(str(value).replace("-", "_"))
        return super().convert(name, param, ctx)


webhook_option = click.option("--webhook", metavar="WH", help="Of this webhook.")
chat_option = click.option("--chat", metavar="CHAT", help="Of this chat, by its id.")
status_option = click.option(
    "--status", metavar="STATUS", help="With this answer: 503, 5xx, or none."
)
since_option = click.option("--since", metavar="WHEN", help=f"Then or later: {AGES}.")
FILTERS: tuple[Callable[[Command], Command], ...] = (
    click.option("--state", type=State(), multiple=True, help="In this state; may be repeated."),
    chat_option,
    click.option("--message", metavar="ID", help="With this message; wants --chat."),
    click.option("--phone", metavar="PHONE", help="Of chats that had this phone."),
    click.option("--q", metavar="NAME", help="Of chats with this in their latest name."),
    status_option,
    since_option,
    click.option("--until", metavar="WHEN", help=f"Sealed before: {AGES}."),
    webhook_option,
)


def filter_options(command: Command) -> Command:
    for option in reversed(FILTERS):
        command = option(command)
    return command


def with_webhook(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The columns, and last the webhook's if the rows are of several: else nobody asks for it."""
    several = len({row["webhook"] for row in rows if row["webhook"]}) > 1
    return (*columns, "webhook") if several else tuple(columns)


def query_of(given: dict[str, Any]) -> dict[str, str]:
    """The query of what was given; empty without any filter."""
    states = ",".join(given.pop("state", ()))
    found = {NAMES.get(name, name): value for name, value in given.items() if value is not None}
    return {**found, "state": states} if states else found


@contextmanager
def looking_back() -> Iterator[Callable[[str], None]]:
    """What is called with the time back to which a search has looked; it says so on stderr."""
    was_said = progress.is_shown()
    with progress.bar(_columns, "searching") as update:

        def looked(searched_to: str) -> None:
            nonlocal was_said
            words = short_times(f"looked back to {searched_to}, and goes on")
            update(description=words)
            if not was_said:
                output.say(words)
            was_said = True

        yield looked


def _columns() -> "tuple[ProgressColumn, ...]":
    from rich.progress import TextColumn

    return (TextColumn("{task.description}"),)
