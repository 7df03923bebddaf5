"""When an open window ends, and whether a message may leave before there is one.

Pure functions of the rule, the workspace's zone and two times, so that an end can be found again
at any moment: it is never older than the setting. All times are milliseconds since 1970.
"""

from typing import Literal, NamedTuple

from hookbundle.engine import limits
from hookbundle.engine.windows import slots
from hookbundle.engine.windows.rule import At, Quiet, Rule

Why = Literal["time", "quiet", "max", "at"]


class End(NamedTuple):
    """When a window ends, and what it is that ends it."""

    at_ms: int
    why: Why


def end_of(rule: Rule, zone: str, opened_ms: int, last_ms: int) -> End:
    """The end of a window that was opened then and got its newest message at `last_ms`.

    `zone`: the workspace's. With "none" it ends as it opens.
    """
    end = _before_hours(rule, zone, opened_ms, last_ms)
    hours = rule.hours
    if hours is None:
        return end
    opening_ms = slots.next_open(hours, hours.zone or zone, end.at_ms)
    return End(min(opening_ms, opened_ms + limits.WINDOW_LONGEST_MS), end.why)


def leaves_at_once(rule: Rule, zone: str, last_ms: int, now_ms: int) -> bool:
    """Whether a message that finds no open window leaves at once, as `first: now` says.

    It does if a window that the chat's last message had opened would have ended. `last_ms`: when
    that message arrived, 0 if there was none. Outside of `hours` nothing leaves.
    """
    if not rule.first or rule.ends is None:
        return False
    if last_ms and _before_hours(rule, zone, last_ms, last_ms).at_ms > now_ms:
        return False
    hours = rule.hours
    return hours is None or slots.next_open(hours, hours.zone or zone, now_ms) == now_ms


def _before_hours(rule: Rule, zone: str, opened_ms: int, last_ms: int) -> End:
    ends = rule.ends
    if isinstance(ends, Quiet):
        quiet_at, max_at = max(opened_ms, last_ms) + ends.quiet_ms, opened_ms + ends.max_ms
        return End(quiet_at, "quiet") if quiet_at <= max_at else End(max_at, "max")
    if isinstance(ends, At):
        return End(slots.next_slot(ends, ends.zone or zone, opened_ms), "at")
    return End(opened_ms + (ends.every_ms if ends is not None else 0), "time")
