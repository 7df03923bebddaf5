"""The form in which a filter is built from chips: its rows, and what each button makes of them.

The filter as it stands goes to and fro as JSON in the form, so that every button is a plain submit
and nothing typed is lost. A row is a choice, or a list of values, each a chip that can be removed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hookbundle.engine.errors import Fault
from hookbundle.server.console.forms import Form

CHOICES: dict[str, tuple[str, ...]] = {
    "direction": ("received", "sent"),
    "kind": ("direct", "group"),
    "is_new_chat": ("true", "false"),
}
CHIPS = (
    "account",
    "responsible",
    "labels.any",
    "labels.all",
    "labels.none",
    "text_contains",
    "text_lacks",
    "chat_ids",
)
GROUPS_SHOWN = 7  # a form has a bounded number of fields; more groups are edited as JSON
PLACE = re.compile(r"filter(?:\.any\[(\d+)\])?(?:\.(labels\.\w+|\w+))?")
TRUTH = {"true": True, "false": False}


@dataclass(slots=True)
class Rows:
    """The conditions of a filter, or of one of its groups. `at`: what its fields' names begin with.

    `choices`: empty where nothing is asked for.
    """

    at: str
    choices: dict[str, str] = field(default_factory=dict)
    chips: dict[str, list[str]] = field(default_factory=dict)

    def as_filter(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in self.choices.items():
            if value:
                found[name] = TRUTH[value] if name == "is_new_chat" else value
        for name, values in self.chips.items():
            if not values:
                continue
            first, _, second = name.partition(".")
            if second:
                found.setdefault(first, {})[second] = list(values)
            else:
                found[name] = list(values)
        return found


def rows_of(wanted: dict[str, Any]) -> list[Rows]:
    """The rows of the filter and of its groups; what is in the wrong place is left out."""
    groups = [each for each in _listed(wanted.get("any")) if isinstance(each, dict)]
    return [_rows("", wanted), *(_rows(f"{n}.", group) for n, group in enumerate(groups))]


def filter_of(rows: Iterable[Rows]) -> dict[str, Any]:
    """The filter that the rows stand for; groups without a condition are left out."""
    first, *groups = rows
    found = first.as_filter()
    alternatives = [each for group in groups if (each := group.as_filter())]
    return {**found, "any": alternatives} if alternatives else found


def pressed(rows: list[Rows], form: Form) -> list[Rows]:
    """The rows after a button was pressed: what was chosen and typed, and what was removed."""
    for each in rows:
        for name, allowed in CHOICES.items():
            chosen = form.get(each.at + name, each.choices.get(name, ""))
            each.choices[name] = chosen if chosen in allowed else ""
        for name in CHIPS:
            typed = form.get(f"{each.at}{name}", "").replace("\n", ",").split(",")
            values = each.chips.setdefault(name, [])
            values += [text for text in map(str.strip, typed) if text and text not in values]
    kept = _without_chip(rows, form.get("remove", ""))
    gone = form.get("remove_group", "")
    left = [each for each in kept if not gone or each.at != gone]
    if form.get("do") == "add_group":
        left.append(Rows(f"{len(left) - 1}."))
    for number, each in enumerate(left[1:]):
        each.at = f"{number}."
    return left


def rows_with_faults(faults: Iterable[Fault]) -> dict[str, Fault]:
    """What is wrong, by the name of the row's field."""
    found: dict[str, Fault] = {}
    for fault in faults:
        place = PLACE.match(fault.path)
        group, name = place.groups() if place else (None, None)
        at = f"{group}." if group else ""
        found.setdefault(f"{at}{name or 'filter'}", fault)
    return found


def as_text(wanted: dict[str, Any]) -> str:
    """The filter as people may edit it."""
    return msgspec.json.format(msgspec.json.encode(wanted), indent=2).decode()


def _rows(at: str, wanted: dict[str, Any]) -> Rows:
    rows = Rows(at)
    for name in CHOICES:
        values = _listed(wanted.get(name))
        # All of them together ask for nothing.
        rows.choices[name] = str(values[0]).lower() if len(values) == 1 else ""
    labels = wanted.get("labels", {})
    by_kind = labels if isinstance(labels, dict) else {"any": labels}
    for name in CHIPS:
        first, _, second = name.partition(".")
        value = by_kind.get(second) if second else wanted.get(first)
        rows.chips[name] = [text for text in _listed(value) if isinstance(text, str)]
    return rows


def _listed(value: Any) -> list[Any]:
    """One value, none, or those of a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _without_chip(rows: list[Rows], removed: str) -> list[Rows]:
    """`removed`: the row's name and the place of the chip in it, as `0.account:2`."""
    name, _, place = removed.rpartition(":")
    for each in rows:
        values = each.chips.get(name.removeprefix(each.at)) if name.startswith(each.at) else None
        if values and place.isascii() and place.isdigit() and int(place) < len(values):
            del values[int(place)]
            break
    return rows
