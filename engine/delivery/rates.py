"""`rate`: never more than so many requests in any stretch of so long a time.

What counts is when a request can have reached the receiver. That is unknown until it is over: so it
is counted when it begins, and dated anew when it ends (`ended`). Then no stretch as the receiver
sees it has more, however long a look-up or a slow answer took.

The requests of one period are kept in `PARTS` parts at most, as `used`: pairs of a time, from
`from_ms` on, and a count. A part has the time of its last request, so none is forgotten too early;
what is lost by it is a part of the rate at most, and nothing while a part has only one request.
"""

import re
from typing import NamedTuple

from hookbundle.engine import durations

COUNT_MAX = 10_000
PERIOD_MS_MIN, PERIOD_MS_MAX = 1_000, 86_400_000
PARTS = 10
SHAPE = re.compile(r"([0-9]{1,5})/([0-9]{1,5}(?:s|m|h|d))")


class Rate(NamedTuple):
    """At most that many requests in any stretch of `period_ms`; 0 of them limits nothing."""

    requests: int
    period_ms: int


class Used(NamedTuple):
    """The requests that may still count: pairs of a time, counted from `from_ms`, and a number."""

    pairs: tuple[int, ...] = ()
    from_ms: int = 0


NO_RATE = Rate(0, 0)


def parse(text: str) -> Rate:
    """Raises: ValueError for what is not like `100/10s`, or out of range."""
    match = SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a rate like 100/10s")
    rate = Rate(int(match[1]), durations.parse_ms(match[2]))
    if not 1 <= rate.requests <= COUNT_MAX or not PERIOD_MS_MIN <= rate.period_ms <= PERIOD_MS_MAX:
        raise ValueError(f"{text!r} is not 1 to {COUNT_MAX} requests in 1s to 24h")
    return rate


def text_of(rate: Rate) -> str:
    """As `parse` reads it; empty for no rate."""
    return f"{rate.requests}/{durations.format_ms(rate.period_ms)}" if rate.requests else ""


def free_ms(rate: Rate, used: Used, now_ms: int, wanted: int = 1) -> int:
    """From when on `wanted` more requests are within the rate; `now_ms` if they are now."""
    if not rate.requests:
        return now_ms
    room = rate.requests - sum(used.pairs[1::2])
    at_ms = now_ms
    for offset, count in zip(used.pairs[::2], used.pairs[1::2], strict=True):
        # The times are whole milliseconds: one of them more, and none is within the stretch.
        left_ms = used.from_ms + offset + rate.period_ms + 1
        if left_ms > now_ms and room >= wanted:
            break
        at_ms = max(at_ms, left_ms)
        room += count
    return at_ms


def counted(rate: Rate, used: Used, at_ms: int, requests: int = 1) -> Used:
    """With that many requests more, and without those that no longer count."""
    part_ms = rate.period_ms // PARTS
    kept = [
        (used.from_ms + offset, count)
        for offset, count in zip(used.pairs[::2], used.pairs[1::2], strict=True)
        if used.from_ms + offset + rate.period_ms >= at_ms
    ]
    # Parts begin at a time that stays while any is kept: else each request would shift them.
    from_ms = used.from_ms if kept else at_ms
    if kept and (kept[-1][0] - from_ms) // part_ms == (at_ms - from_ms) // part_ms:
        requests += kept.pop()[1]
    kept.append((at_ms, requests))
    from_ms += (kept[0][0] - from_ms) // part_ms * part_ms
    return Used(tuple(n for at, count in kept for n in (at - from_ms, count)), from_ms)


def ended(rate: Rate, used: Used, began_ms: int, now_ms: int, requests: int) -> Used:
    """The request that began at `began_ms`, the last one that did, is over: it was `requests`."""
    pairs, last_ms = used.pairs, used.from_ms + (used.pairs[-2] if used.pairs else 0)
    if pairs and last_ms == began_ms:
        count = pairs[-1] - 1
        pairs = (*pairs[:-1], count) if count else pairs[:-2]
    return counted(rate, Used(pairs, used.from_ms), now_ms, requests)


def not_after(used: Used, now_ms: int) -> Used:
    """The same, where a later time was wrong: it was now at the latest."""
    pairs = zip(used.pairs[::2], used.pairs[1::2], strict=True)
    times = [(min(used.from_ms + offset, now_ms), count) for offset, count in pairs]
    from_ms = min(used.from_ms, now_ms)
    return Used(tuple(n for at, count in times for n in (at - from_ms, count)), from_ms)
