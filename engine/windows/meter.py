"""How many messages a webhook has sent in how many calls, day by day: what windows are for.

It counts deliveries when they are sealed, so also those that wait or were never delivered. The last
ten UTC days are kept, twelve bytes each: the day, its messages, its calls.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from hookbundle.engine import limits
from hookbundle.engine.windows.arrivals import day_of

DAYS_SHOWN = 7
_DAY = struct.Struct(">III")
_MOST = 2**32 - 1


class Count(NamedTuple):
    """Messages, and the calls they were sent in."""

    messages: int
    calls: int


def counted(meter: bytes, at_ms: int, messages: int, calls: int) -> bytes:
    """The meter with so many more, or less, on the day of this time.

    Of a day that is not there any more nothing is taken away.
    """
    day = day_of(at_ms)
    start = _DAY.pack(day, 0, 0)
    if meter[-_DAY.size : 4 - _DAY.size] == start[:4]:  # as nearly always
        return meter[: -_DAY.size] + _more(meter[-_DAY.size :], messages, calls)
    days = {each[:4]: each for each in _days(meter)}
    if start[:4] in days or calls > 0:
        days[start[:4]] = _more(days.get(start[:4], start), messages, calls)
    return b"".join(sorted(days.values())[-limits.ARRIVALS_DAYS :])


def total(meter: bytes, now_ms: int, days: int = DAYS_SHOWN) -> Count:
    """Of the last days, that of this time among them."""
    today = day_of(now_ms)
    found = [_DAY.unpack(each) for each in _days(meter)]
    meant = [each for each in found if today - days < each[0] <= today]
    return Count(sum(each[1] for each in meant), sum(each[2] for each in meant))


def is_sound(meter: bytes) -> bool:
    """Whether it has whole days, in order, and no more than are kept."""
    if len(meter) % _DAY.size or len(meter) > limits.ARRIVALS_DAYS * _DAY.size:
        return False
    days = [each[:4] for each in _days(meter)]
    return days == sorted(set(days))


def _days(meter: bytes) -> Iterator[bytes]:
    for at in range(0, len(meter), _DAY.size):
        yield meter[at : at + _DAY.size]


def _more(day: bytes, messages: int, calls: int) -> bytes:
    number, had_messages, had_calls = _DAY.unpack(day)
    return _DAY.pack(
        number,
        min(max(had_messages + messages, 0), _MOST),
        min(max(had_calls + calls, 0), _MOST),
    )
