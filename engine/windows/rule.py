"""The window of a webhook as a value: what ends it, and the two things that may stand beside that.

Times of the day are minutes since 00:00 of a zone's clock; days are those of the week, Monday is 0.
An empty `zone` is the workspace's. parsing.py makes these values, ends.py says when a window ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hookbundle.engine.filters.conditions import Filter
from hookbundle.engine.filters.subject import Subject

CUSTOM = "custom"  # in the place of a length, where a window ends by more than one
OTHERWISE = 255  # stands for "no choice matched" where the number of a choice is kept, in one byte
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Every:
    """One length after the first message."""

    every_ms: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """When the chat was quiet so long, and at the latest `max_ms` after the first message."""

    quiet_ms: int
    max_ms: int


@dataclass(frozen=True, slots=True)
class At:
    """At the next of these times, which are in order and each there once."""

    minutes: tuple[int, ...]
    days: tuple[int, ...] = EVERY_DAY
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """When windows may end. `days`: those on which an opening begins. `to_minute`: 1,440 is the
    end of the day; if it is not after `from_minute`, it is one of the next day."""

    from_minute: int
    to_minute: int
    days: tuple[int, ...] = EVERY_DAY
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """`ends`: None is "none", each message at once. `first`: a message after a silence leaves at
    once. `hours`: an end is moved into them."""

    ends: Every | Quiet | At | None
    first: bool = False
    hours: Hours | None = None

    @property
    def uses_workspace_zone(self) -> bool:
        ends, hours = self.ends, self.hours
        return (isinstance(ends, At) and not ends.zone) or (hours is not None and not hours.zone)


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule of a window that a message opens which `match` keeps."""

    match: Filter
    rule: Rule


@dataclass(frozen=True, slots=True)
class WindowSetting:
    """The rule of the first choice that matches, else `otherwise`; most settings have no choices.

    Equal settings are equal values.
    """

    otherwise: Rule
    choices: tuple[Choice, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether any message may have to wait; if not, every one leaves alone."""
        return any(rule.ends is not None for rule in self.rules())

    @property
    def uses_workspace_zone(self) -> bool:
        """Whether an end may move when the workspace gets another time zone."""
        return any(rule.uses_workspace_zone for rule in self.rules())

    @property
    def words(self) -> frozenset[str]:
        """Those that its choices look for in texts."""
        return frozenset().union(*(choice.match.words for choice in self.choices))

    def choose(self, subject: Subject) -> int:
        """The number of the choice that a message opens a window by; OTHERWISE if none matches."""
        for number, choice in enumerate(self.choices):
            if choice.match.keeps(subject):
                return number
        return OTHERWISE

    def rule(self, number: int) -> Rule:
        """The rule of that choice. A number that there is no longer means `otherwise`: a window
        may be older than the setting."""
        return self.choices[number].rule if 0 <= number < len(self.choices) else self.otherwise

    def rules(self) -> Iterator[Rule]:
        """All that a window may have."""
        yield self.otherwise
        for choice in self.choices:
            yield choice.rule
