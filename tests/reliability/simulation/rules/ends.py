"""When a window of the model ends, found by a walk through the minutes of the zone's clock."""

from dataclasses import dataclass, field
from functools import lru_cache

from hookbundle.engine.windows.rule import Rule
from hookbundle.tests.engine.windows import walking

MINUTE_MS = 60_000
LEAST_DAY_MS = 20 * 3_600_000

end_of = lru_cache(4_096)(lambda rule, zone, first, last: walking.end_of(rule, zone, [first, last]))


@dataclass(slots=True)
class Collected:
    """An open window: its times, and its messages as (sent, id) in the order of arrival.

    `opener`: the id of the message that opened it, which may have left at once. `retimed_ms`: when
    its settings were changed.
    """

    opened_ms: int
    rule: Rule
    opener: str
    last_ms: int = 0
    due_ms: int = 0
    why: str = ""
    retimed_ms: int = 0
    messages: list[tuple[int, str]] = field(default_factory=list)

    def find_end(self, zone: str) -> None:
        self.last_ms = max(self.last_ms, self.opened_ms)
        self.due_ms, self.why = end_of(self.rule, zone, self.opened_ms, self.last_ms)

    def members(self) -> tuple[tuple[int, str], ...]:
        """In the order of the bundle: as they were sent, and then as they came."""
        return tuple(sorted(self.messages, key=lambda message: message[0]))


def leaves_at_once(rule: Rule, zone: str, before_ms: int, now_ms: int) -> bool:
    """Whether a message that finds no window does, if the one before it came at `before_ms`."""
    if not rule.first:
        return False
    if before_ms and walking.without_hours(rule, zone, [before_ms])[0] > now_ms:
        return False
    hours = rule.hours
    return hours is None or walking.next_open(hours, hours.zone or zone, now_ms) == now_ms


@dataclass(slots=True)
class Day:
    """A webhook's budget, and what was used of it since `start_ms`, the begin of a day."""

    budget: int = 0
    start_ms: int = 0
    used: int = 0

    def count(self, zone: str, now_ms: int) -> None:
        """A request begins."""
        if self.budget:
            self.begin(zone, now_ms)
            self.used += 1

    def begin(self, zone: str, now_ms: int) -> None:
        if not self.start_ms or now_ms >= midnight(zone, self.start_ms + LEAST_DAY_MS):
            self.start_ms, self.used = begin_of_day(zone, now_ms), 0

    def free_ms(self, zone: str, now_ms: int) -> int:
        """From when on a request may begin: now, or with the next day."""
        if not self.budget or not self.start_ms or self.used < self.budget:
            return now_ms
        return max(now_ms, midnight(zone, self.start_ms + LEAST_DAY_MS))


def midnight(zone: str, after_ms: int) -> int:
    """The first minute from then on in which a day begins."""
    minute = -(-after_ms // MINUTE_MS)
    while not _begins(zone, minute):
        minute += 1
    return minute * MINUTE_MS


def begin_of_day(zone: str, now_ms: int) -> int:
    minute = now_ms // MINUTE_MS
    while not _begins(zone, minute):
        minute -= 1
    return minute * MINUTE_MS


def _begins(zone: str, minute: int) -> bool:
    return any(not walking.minute_of(there) for there in walking.reached(zone, minute))
