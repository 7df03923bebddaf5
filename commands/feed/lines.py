"""One line for each event of the feed, for people to read.

    2026-11-28 09:09:44  delivery.failed  acme  c1  delivery=dlv_... attempt=1 error="status 500"

Fields that say nothing (no error, no time) are left out. `--json` prints an event as it is.
"""

import re
from itertools import chain
from typing import Any

import msgspec

from hookbundle.commands.terminal.failures import printable
from hookbundle.commands.terminal.words import plain, short_time
from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.storage.reads import fact_times

TIMES = frozenset(chain.from_iterable(fact_times.TIMES.values()))
"""Fields of facts that are times, null for none; 0.1 sends milliseconds, or 0."""

MILLISECONDS = re.compile(r"\.\d{3}Z$")
LISTED_MAX = 3


def line_of(event: dict[str, Any]) -> str:
    """The event as one line without control characters."""
    fields = [
        f"{name}={_value(name, value)}"
        for name, value in event["data"].items()
        if value not in ("", [], {}, None) and not (name in TIMES and value == 0)
    ]
    names = (short_time(event["time"]), event["type"], event["workspace"], event["chat"])
    return "  ".join([*map(plain, names), " ".join(fields)]).rstrip()


def _value(name: str, value: Any) -> str:
    if name in TIMES and isinstance(value, int):
        value = rfc_3339(value)
    if name in TIMES and isinstance(value, str):
        value = MILLISECONDS.sub("Z", value)
    if isinstance(value, list):
        shown = [_item(each) for each in value[:LISTED_MAX]]
        more = len(value) - len(shown)
        return ",".join([*shown, *([f"and-{more}-more"] if more else [])])
    if isinstance(value, dict):
        return ",".join(f"{printable(key)}:{_word(each)}" for key, each in value.items())
    return _word(value)


def _item(value: Any) -> str:
    """An item of a list; of a skipped message, its id and the reason."""
    if isinstance(value, dict):
        return ":".join(map(_word, value.values()))
    return _word(value)


def _word(value: Any) -> str:
    """The value as one word; in quotes if it has a space, a quote or a comma."""
    if isinstance(value, dict | list):
        return printable(msgspec.json.encode(value).decode())
    text = plain(value)
    if any(sign in text for sign in ' ",='):
        return printable(msgspec.json.encode(text).decode())
    return text
