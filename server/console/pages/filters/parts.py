"""A filter as the page shows it: parts, each with choices and with rows of chips.

The first part is what every message must pass, the others are the alternatives of `any`. What a
part has that is no chip (a field that is not known) stays in the JSON, where it was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault, given
from hookbundle.engine.filters import in_words
from hookbundle.server.console.pages.decoding import json_of
from hookbundle.server.http.requests import number_of

CHOICES = {field: tuple(values) for field, values in in_words.CHOICES.items()}
ROWS = tuple(name for name in in_words.NAMES if name not in CHOICES)
JSON = "filter"


@dataclass(slots=True)
class Part:
    """`key`: what the names of its fields begin with. `rows`: the chips, by the name of the row."""

    key: str
    choices: dict[str, str]
    rows: dict[str, list[str]]


@dataclass(slots=True)
class Written:
    """A filter that is being written: JSON whose shape is that of a filter, if not its values."""

    document: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Written":
        """Raises: InvalidInput if no chips can be made of it."""
        document = json_of(text.strip() or "{}", JSON)
        if document is None:
            document = {}
        if not isinstance(document, dict):
            raise InvalidInput((fault(JSON, FaultCode.NOT_AN_OBJECT, given=given(document)),))
        groups = document.get("any", [])
        if not isinstance(groups, list):
            found = fault(f"{JSON}.any", FaultCode.NOT_AN_ARRAY, given=given(groups))
            raise InvalidInput((found,))
        for at, group in enumerate(groups):
            if not isinstance(group, dict):
                path = f"{JSON}.any[{at}]"
                raise InvalidInput((fault(path, FaultCode.NOT_AN_OBJECT, given=given(group)),))
        return cls(document)

    @property
    def text(self) -> str:
        return msgspec.json.encode(self.document).decode()

    @property
    def groups(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.document.get("any", [])
        return found

    def parts(self) -> list[Part]:
        return [_part(key, each) for key, each in self.by_key()]

    def by_key(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "all", self.document
        for at, group in enumerate(self.groups):
            yield f"any{at}", group

    def chosen(self, key: str, name: str, value: str) -> None:
        """The choice is made; empty: there is none any more."""
        part = dict(self.by_key())[key]
        if value:
            part[name] = value == "true" if name == "is_new_chat" else value
        else:
            part.pop(name, None)

    def values(self, key: str, row: str) -> list[Any]:
        return _values(dict(self.by_key())[key], row)

    def put(self, key: str, row: str, values: list[Any]) -> None:
        """The row has these values; without any, the condition is gone."""
        part = dict(self.by_key())[key]
        name, _, inner = row.partition(".")
        if not inner:
            _set(part, name, values)
            return
        labels = part.get(name)
        if not isinstance(labels, dict):
            labels = {} if labels is None else {"any": _listed(labels)}
        _set(labels, inner, values)
        if labels:
            part[name] = labels
        else:
            part.pop(name, None)

    def add_group(self) -> None:
        self.document["any"] = [*self.groups, {}]

    def remove_group(self, at: int) -> None:
        left = [group for number, group in enumerate(self.groups) if number != at]
        _set(self.document, "any", left)

    def without_empty_groups(self) -> "Written":
        """An alternative that asks for nothing is one that nobody has filled in yet."""
        document = dict(self.document)
        if "any" in document:
            _set(document, "any", [group for group in self.groups if group])
        return Written(document)


def place_of(found: Fault, skipped: list[int]) -> str:
    """The row, or the choice, that a fault is about, as `all.labels.any`; `filter` for no row.

    `skipped`: the numbers of the alternatives that are judged, which leaves out the empty ones.
    """
    path = found.path.removeprefix("webhook.").removeprefix(f"{JSON}.")
    key = "all"
    if path.startswith("any["):
        number, _, path = path.removeprefix("any[").partition("]")
        at = number_of(number, limits.FILTER_GROUPS_MAX) or 0
        key, path = f"any{skipped[at] if at < len(skipped) else at}", path.removeprefix(".")
    row = path.partition("[")[0]
    if row == "labels":
        row = "labels.any"
    return f"{key}.{row}" if row in ROWS or row in CHOICES else JSON


def _part(key: str, part: dict[str, Any]) -> Part:
    choices = {name: _choice(part, name) for name in CHOICES}
    rows = {row: [_shown(each) for each in _values(part, row)] for row in ROWS}
    return Part(key, choices, rows)


def _choice(part: dict[str, Any], name: str) -> str:
    """Empty if there is none, or more than one, which stays in the JSON."""
    values = _listed(part[name]) if name in part else []
    if len(values) != 1:
        return ""
    return _shown(values[0])


def _values(part: dict[str, Any], row: str) -> list[Any]:
    name, _, inner = row.partition(".")
    value = part.get(name)
    if inner:
        if isinstance(value, dict):
            value = value.get(inner)
        elif inner != "any":
            return []
    return [] if value is None else _listed(value)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _set(holder: dict[str, Any], name: str, values: list[Any]) -> None:
    if values:
        holder[name] = values
    else:
        holder.pop(name, None)
