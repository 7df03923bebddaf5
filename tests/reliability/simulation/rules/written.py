"""Windows and filters twice over: as they are written in a setting, and read by hand.

The second reading is what the model goes by. It shares the product's words for a rule (`Every`,
`Quiet`, `At`, `Hours`), and none of its functions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine.windows.rule import At, Every, Hours, Quiet, Rule

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
WORDS = ("red", "green", "blue")
SUNDAY_TO_THURSDAY = (0, 1, 2, 3, 6)

Wants = Callable[[str, str], bool]  # of a chat's id and a text


def text_of(message_id: str) -> str:
    """The text under which a message is sent: it has one of the words."""
    number = int(message_id.lstrip("m"))
    return f"text <{message_id}> {WORDS[number % len(WORDS)]}"


def all_of_them(chat: str, text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Filter:
    """`value` as in a setting; None: there is none."""

    value: dict[str, Any] | None = None
    wants: Wants = all_of_them

    @property
    def written(self) -> bytes:
        return msgspec.json.encode(self.value) if self.value else b""


@dataclass(frozen=True, slots=True)
class Windows:
    """`value` as in a setting; None: `length_ms` says it all. `choices` go before `otherwise`."""

    otherwise: Rule
    value: dict[str, Any] | None = None
    length_ms: int = 0
    choices: tuple[tuple[Wants, Rule], ...] = ()

    def rule_of(self, chat: str, text: str) -> Rule:
        """The rule of a window that this message opens."""
        return next((rule for wants, rule in self.choices if wants(chat, text)), self.otherwise)

    @property
    def uses_workspace_zone(self) -> bool:
        rules = [self.otherwise, *(rule for _, rule in self.choices)]
        by_slots = any(isinstance(rule.ends, At) and not rule.ends.zone for rule in rules)
        return by_slots or any(rule.hours and not rule.hours.zone for rule in rules)

    @property
    def collects(self) -> bool:
        return bool(self.length_ms or self.value)


def of_length(length_ms: int) -> Windows:
    return Windows(Rule(Every(length_ms) if length_ms else None), length_ms=length_ms)


FILTERS = {
    "all": Filter(),
    "c": Filter({"chat_ids": ["c"]}, lambda chat, _: chat == "c"),
    "no red": Filter({"text_lacks": ["red"]}, lambda _, text: "red" not in text),
}
OFFICE = Hours(9 * 60, 18 * 60, SUNDAY_TO_THURSDAY)
NIGHT = Hours(22 * 60, 6 * 60)
# Times in the hours that clock changes skip or repeat, and around midnight, are in all of them.
WINDOWS = {
    "hour": of_length(HOUR_MS),
    "quiet": Windows(Rule(Quiet(10 * MINUTE_MS, 40 * MINUTE_MS)), {"quiet": "10m", "max": "40m"}),
    "quiet, first": Windows(
        Rule(Quiet(20 * MINUTE_MS, 120 * MINUTE_MS), first=True), {"quiet": "20m", "first": "now"}
    ),
    "quiet in office hours": Windows(
        Rule(Quiet(5 * MINUTE_MS, 30 * MINUTE_MS), first=True, hours=OFFICE),
        {
            "quiet": "5m",
            "first": "now",
            "hours": {"days": "sun-thu", "from": "09:00", "to": "18:00"},
        },
    ),
    "hour at night": Windows(
        Rule(Every(HOUR_MS), hours=NIGHT),
        {"every": "1h", "hours": {"from": "22:00", "to": "06:00"}},
    ),
    "at": Windows(
        Rule(At((0, 90, 2 * 60 + 15, 3 * 60, 18 * 60)), first=True),
        {"at": ["00:00", "01:30", "02:15", "03:00", "18:00"], "first": "now"},
    ),
    "at on working days": Windows(
        Rule(At((60, 2 * 60 + 30, 12 * 60), SUNDAY_TO_THURSDAY)),
        {"at": ["01:00", "02:30", "12:00"], "days": "sun-thu"},
    ),
    "at in a zone": Windows(
        Rule(At((2 * 60 + 30, 9 * 60), zone="Europe/Berlin"), first=True),
        {"at": ["02:30", "09:00"], "zone": "Europe/Berlin", "first": "now"},
    ),
    "rules": Windows(
        Rule(At((2 * 60 + 45, 15 * 60))),
        {
            "rules": [
                {"match": {"text_contains": ["green"]}, "window": "none"},
                {
                    "match": {"chat_ids": ["ca"]},
                    "window": {"quiet": "10m", "max": "30m", "first": "now"},
                },
            ],
            "else": {"at": ["02:45", "15:00"]},
        },
        choices=(
            (lambda _, text: "green" in text, Rule(None)),
            (
                lambda chat, _: chat == "ca",
                Rule(Quiet(10 * MINUTE_MS, 30 * MINUTE_MS), first=True),
            ),
        ),
    ),
}
