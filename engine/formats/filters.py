"""The filters of templates: those of Liquid that are taken, and hookbundle's own.

The Liquid ones are python-liquid's functions, but `date` and `json`: python-liquid's `date` reads
the clock and guesses what a text may mean as a time, and its `json` writes no Arabic letter as it
is. A filter gets plain values of JSON, and gives such. What it can't take raises ValueError or one
of python-liquid's errors; the message is never shown, as it may quote the value.
"""

import html as html_of_the_library
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

import msgspec
from liquid.builtin.filters import math, misc, string

from hookbundle.engine.formats import dates, lines
from hookbundle.engine.messages import timestamps
from hookbundle.engine.messages.phones import digits_of

E164_DIGITS_MAX = 15
E164_DIGITS_LEAST = 7  # fewer are a short number, which is not known in other countries
SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Place:
    """What some filters have to know beside their value."""

    zone: ZoneInfo
    stand_in: str  # of a sender without name and phone


@dataclass(frozen=True, slots=True)
class Kind:
    """A filter: what it takes and what it gives, so that a template can be checked when it is set.

    `least`, `most`: of its arguments. `of_lists`: takes lists (and objects) too; `only_lists`: only
    these. `gives`: `text`, `number`, `same` (kind as its value) or `item` (one of the list).
    """

    call: Callable[..., object]
    least: int = 0
    most: int = 0
    of_lists: bool = False
    only_lists: bool = False
    gives: str = "text"


def as_text(value: object) -> str:
    """The value within a text, as Liquid writes it."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def escape(place: Place, value: object) -> str:
    return html_of_the_library.escape(as_text(value))


def strip(place: Place, value: object) -> str:
    return as_text(value).strip()


def upcase(place: Place, value: object) -> str:
    return as_text(value).upper()


def downcase(place: Place, value: object) -> str:
    return as_text(value).lower()


def truncate(place: Place, value: object, *arguments: object) -> object:
    return string.truncate(as_text(value), *arguments)


def first(place: Place, value: Any) -> object:
    return value[0] if value else None


def last(place: Place, value: Any) -> object:
    return value[-1] if value else None


def size(place: Place, value: object) -> object:
    return misc.size(value)


def default(place: Place, value: object, other: object) -> object:
    return misc.default(value, other)


def plus(place: Place, value: object, other: object) -> object:
    return math.plus(value, other)


def minus(place: Place, value: object, other: object) -> object:
    return math.minus(value, other)


def url_encode(place: Place, value: object) -> str:
    return quote_plus(as_text(value))


def json(place: Place, value: object) -> str:
    return msgspec.json.encode(value).decode()


def date(place: Place, value: object, form: str, zone: str = "") -> str:
    moment = _moment(value)
    return "" if moment is None else dates.written(moment, form, dates.zone_named(zone, place.zone))


def ms(place: Place, value: object) -> int | str:
    """Milliseconds since 1970 of a timestamp; empty if there is none."""
    return "" if value in ("", None) else timestamps.parse_ms(_time(value))


def digits(place: Place, value: object) -> str:
    return digits_of(as_text(value))


def e164(place: Place, value: object) -> str:
    """`+972501234567`; empty if the text is no phone with its country's code."""
    found = digits_of(as_text(value))
    found = found.removeprefix("00")
    is_one = E164_DIGITS_LEAST <= len(found) <= E164_DIGITS_MAX and not found.startswith("0")
    return f"+{found}" if is_one else ""


def text(place: Place, value: object, dialect: str = "") -> str:
    found = (
        lines.as_text(value, place.stand_in, place.zone)
        if isinstance(value, list)
        else lines.plain(as_text(value))
    )
    return _for_slack(found) if dialect == SLACK else found


def html(place: Place, value: object) -> str:
    if isinstance(value, list):
        return lines.as_html(value, place.stand_in, place.zone)
    return lines.escaped(as_text(value))


_SLACK = re.compile("[&<>]")
_OF_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _for_slack(found: str) -> str:
    """The three characters that Slack reads as its own are written as it wants them."""
    return _SLACK.sub(lambda each: _OF_SLACK[each[0]], found)


def _moment(value: object) -> datetime | None:
    return None if value in ("", None) else timestamps.utc(timestamps.parse_ms(_time(value)))


def _time(value: object) -> str | int | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    return value


FILTERS: Mapping[str, Kind] = MappingProxyType(
    {
        "default": Kind(default, 1, 1, of_lists=True, gives="same"),
        "escape": Kind(escape),
        "strip": Kind(strip),
        "upcase": Kind(upcase),
        "downcase": Kind(downcase),
        "truncate": Kind(truncate, 0, 2),
        "date": Kind(date, 1, 2),
        "first": Kind(first, of_lists=True, only_lists=True, gives="item"),
        "last": Kind(last, of_lists=True, only_lists=True, gives="item"),
        "size": Kind(size, of_lists=True, gives="number"),
        "plus": Kind(plus, 1, 1, gives="number"),
        "minus": Kind(minus, 1, 1, gives="number"),
        "json": Kind(json, of_lists=True),
        "url_encode": Kind(url_encode),
        "text": Kind(text, 0, 1, of_lists=True),
        "html": Kind(html, of_lists=True),
        "digits": Kind(digits),
        "e164": Kind(e164),
        "ms": Kind(ms, gives="number"),
    }
)
