"""How values are written for people: one word for one thing, and no word of a programming language.

The API's names of the first edition stay in JSON: there a dead letter is `parked`.
"""

import re
from typing import Any

from hookbundle.commands.terminal.failures import printable

NAMES = {
    "pending": "queued",
    "parked": "dead_letters",
    "in_flight": "sending",
    "residents": "active_actors",
    "counts.pending": "counts.queued",
    "counts.parked": "counts.dead_letters",
}
STATES = {"pending": "queued", "parked": "dead letter", "backing_off": "waiting to retry"}

STATES_ASKED = {"queued": "pending", "dead-letter": "parked"}
"""What an option calls a state, and the API's name for it."""

TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def name_of(field: str) -> str:
    """What people call the API's field."""
    return NAMES.get(field, field)


def plain(value: Any) -> str:
    """The value as one line, for people."""
    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name_of(printable(key))} {plain(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return printable(str(value))


def counted(messages: int) -> str:
    return some(messages, "message")


def some(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def short_time(text: str) -> str:
    """A time in UTC without `T`, fractions and `Z`; any other text as it is."""
    found = TIME.fullmatch(text)
    return f"{found[1]} {found[2]}" if found else text
