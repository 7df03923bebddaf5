"""How values are written for people: one word for one thing, no word of a programming language."""

import re
from typing import Any

from hookbundle.commands.terminal.failures import printable

NAMES = {
    "residents": "active_actors",
}

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


def short_times(sentence: str) -> str:
    """The sentence with such a time for each in it, which says that it is in UTC."""
    return TIME.sub(r"\1 \2 UTC", sentence)
