"""The conditions of a filter. A message is kept if every one of them holds.

Values are compared as engine/filters/subject.py makes them; what is empty is equal to none, because
no filter has an empty value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hookbundle.engine.filters.subject import Subject
from hookbundle.engine.filters.verdicts import FilterCode


class Failed(NamedTuple):
    """A condition that does not hold: where it stands within the filter, and why it does not."""

    path: str
    code: FilterCode


@dataclass(frozen=True, slots=True)
class OneOf:
    """What `get` finds is one of the values."""

    path: str
    code: FilterCode
    get: Callable[[Subject], str | bool]
    values: frozenset[str | bool]

    def failed(self, subject: Subject) -> Failed | None:
        return None if self.get(subject) in self.values else Failed(self.path, self.code)


@dataclass(frozen=True, slots=True)
class Labels:
    """The chat has one of `some` and each of `every`, if there are any, and none of `none`."""

    some: frozenset[str]
    every: frozenset[str]
    none: frozenset[str]

    def failed(self, subject: Subject) -> Failed | None:
        labels = subject.labels
        if self.some and self.some.isdisjoint(labels):
            return Failed("labels.any", FilterCode.LABELS_ANY)
        if not self.every <= labels:
            return Failed("labels.all", FilterCode.LABELS_ALL)
        if not self.none.isdisjoint(labels):
            return Failed("labels.none", FilterCode.LABELS_NONE)
        return None


@dataclass(frozen=True, slots=True)
class Contains:
    """One of the words is a part of the text."""

    words: tuple[str, ...]

    def failed(self, subject: Subject) -> Failed | None:
        if any(map(subject.has, self.words)):
            return None
        return Failed("text_contains", FilterCode.TEXT_CONTAINS)


@dataclass(frozen=True, slots=True)
class Lacks:
    """None of the words is a part of the text."""

    words: tuple[str, ...]

    def failed(self, subject: Subject) -> Failed | None:
        if any(map(subject.has, self.words)):
            return Failed("text_lacks", FilterCode.TEXT_LACKS)
        return None


Condition = OneOf | Labels | Contains | Lacks
Group = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Every condition holds, and all those of one of the groups, if there are any."""

    conditions: Group = ()
    groups: tuple[Group, ...] = ()

    def keeps(self, subject: Subject) -> bool:
        return self.failed(subject) is None

    def failed(self, subject: Subject) -> Failed | None:
        """The first condition that does not hold; None if the message is kept."""
        failed = _first_failed(self.conditions, subject)
        if failed is None and self.groups:
            for group in self.groups:
                if _first_failed(group, subject) is None:
                    return None
            return Failed("any", FilterCode.ANY)
        return failed


def _first_failed(group: Group, subject: Subject) -> Failed | None:
    for condition in group:
        failed = condition.failed(subject)
        if failed is not None:
            return failed
    return None
