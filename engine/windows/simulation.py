"""What a window would have made of messages that have come: how many calls, and how long they wait.

Only times and sizes are known of them, neither texts nor labels. So a setting with rules is taken
for its `else`, and the outcome says so. Nor is it known what came before the first arrival: that
one is the first message of its chat.

    tally = Tally()
    for arrivals in chats:
        for _ in simulate_chat(setting, zone, room, arrivals, into=tally):
            ...  # others may go on
    tally.outcome(setting)
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from hookbundle.engine import limits
from hookbundle.engine.windows.ends import End, Why, end_of, leaves_at_once
from hookbundle.engine.windows.rule import WindowSetting

FRAME_BYTES_USUAL = 1_024  # account, chat and link of a bundle: of the arrivals it is not known
FINE_S = 3_600  # delays up to this are counted by the second, longer ones by the minute


class Room(NamedTuple):
    """What a bundle takes. `weight`: bytes of its messages as JSON and in the aggregation."""

    messages: int
    weight: int


class Call(NamedTuple):
    """One request. `arrivals`: when its messages came; `why` it left, as deliveries say it."""

    at_ms: int
    why: Why | Literal["first", "size", "single"]
    arrivals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Delays are from the arrival of a message to its call: median and 95th percentile of all.

    They are exact up to an hour and to the minute above. `biggest`: messages of the largest call.
    `rules_left_out`: the setting has rules, and every window was taken to be that of `else`.
    """

    messages: int
    calls: int
    biggest: int
    median_ms: int
    p95_ms: int
    rules_left_out: bool


@dataclass(slots=True)
class Tally:
    """The sum of calls: of chats one after the other, or apart and then added. Bounded by the
    longest delay: at most some 15,000 numbers."""

    messages: int = 0
    calls: int = 0
    biggest: int = 0
    delays_s: Counter[int] = field(default_factory=Counter)

    def add(self, call: Call) -> None:
        count = len(call.arrivals)
        self.messages += count
        self.calls += 1
        self.biggest = max(self.biggest, count)
        for arrived_ms in call.arrivals:
            self.delays_s[_counted_as(call.at_ms - arrived_ms)] += 1

    def merge(self, other: "Tally") -> None:
        self.messages += other.messages
        self.calls += other.calls
        self.biggest = max(self.biggest, other.biggest)
        self.delays_s.update(other.delays_s)

    def delay_ms(self, percent: int) -> int:
        """So many of a hundred messages waited so long or less; 0 if there are no messages."""
        wanted = -(-self.messages * percent // 100)
        seen = 0
        for delay_s in sorted(self.delays_s):
            seen += self.delays_s[delay_s]
            if seen >= wanted:
                return delay_s * 1_000
        return 0

    def outcome(self, setting: WindowSetting) -> Outcome:
        return Outcome(
            messages=self.messages,
            calls=self.calls,
            biggest=self.biggest,
            median_ms=self.delay_ms(50),
            p95_ms=self.delay_ms(95),
            rules_left_out=bool(setting.choices),
        )


def room_of(messages_max: int, bytes_max: int) -> Room:
    """The room in a bundle of a webhook with these limits, of which 0 is none of its own."""
    messages = messages_max or limits.BUNDLE_MESSAGES_MAX
    if bytes_max:
        return Room(messages, bytes_max - FRAME_BYTES_USUAL)
    return Room(messages, limits.BUNDLE_BODY_BYTES_MAX - limits.BODY_FRAME_BYTES_MAX)


def simulate_chat(
    setting: WindowSetting,
    zone: str,
    room: Room,
    arrivals: Iterable[tuple[int, int]],
    into: Tally,
) -> Iterator[int]:
    """The calls of one chat are in the tally. `zone`: the workspace's. `arrivals`: when a message
    came and its weight, in order of time. Yields after each call how many messages it has: a chat
    may have a hundred thousand."""
    for call in calls_of(setting, zone, room, arrivals):
        into.add(call)
        yield len(call.arrivals)


@dataclass(slots=True)
class _Window:
    opened_ms: int
    end: End
    arrivals: list[int] = field(default_factory=list)
    weight: int = 0

    def call(self) -> Call:
        return Call(self.end.at_ms, self.end.why, tuple(self.arrivals))


def calls_of(
    setting: WindowSetting, zone: str, room: Room, arrivals: Iterable[tuple[int, int]]
) -> Iterator[Call]:
    """The calls of one chat, in order; also that of a window which is open after the last one."""
    rule = setting.otherwise
    window: _Window | None = None
    last_ms = 0
    for now_ms, weight in arrivals:
        if rule.ends is None:
            yield Call(now_ms, "single", (now_ms,))
            continue
        if window is not None and window.end.at_ms <= now_ms:
            if window.arrivals:
                yield window.call()
            window = None
        elif window is not None and window.arrivals and window.weight + weight > room.weight:
            yield Call(now_ms, "size", tuple(window.arrivals))
            window = None
        if window is None:
            window = _Window(now_ms, end_of(rule, zone, now_ms, now_ms))
            if leaves_at_once(rule, zone, last_ms, now_ms):
                last_ms = now_ms
                yield Call(now_ms, "first", (now_ms,))
                continue
        last_ms = now_ms
        window.arrivals.append(now_ms)
        window.weight += weight
        window.end = end_of(rule, zone, window.opened_ms, now_ms)
        if len(window.arrivals) >= room.messages:
            yield Call(now_ms, "size", tuple(window.arrivals))
            window = None
    if window is not None and window.arrivals:
        yield window.call()


def _counted_as(delay_ms: int) -> int:
    """The delay in seconds, of which the counter has one number for each kind."""
    delay_s = (delay_ms + 500) // 1_000
    return delay_s if delay_s <= FINE_S else (delay_s + 30) // 60 * 60
