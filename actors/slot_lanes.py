"""The lane in which a webhook waits for a slot, and for how long it held slots lately.

What counts is for how long a slot was held, whatever came of it, be it an answer or the end of one:
of each attempt the time beyond `LONG_S`, and that beyond `SLOW_S`, is added up, and is forgotten a
hundred times more slowly than it passed. So neither a late 200, nor a body that drips after an
early one, nor a time-out now and then pays.

This is memory, not a promise: after a start a webhook is judged by its error count in the database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hookbundle.storage.reads.lookup import Reads

# 2,000 slots with attempts of this length are 4,000 a second: then slots are not what is scarce.
LONG_S = 0.5
SLOW_S = 3.0
SUM_S = 1.0  # of the time beyond them: from here on a webhook is LONG, or TROUBLED
SUM_S_MAX = 60.0
FORGOTTEN_PER_S = 0.01
REMEMBERED = 1_000  # webhooks; from here on those with nothing left to forget are dropped


class Lane(StrEnum):
    PROVEN = "proven"
    LONG = "long"
    NEW = "new"
    TROUBLED = "troubled"


# Of the slots, which a lane may hold at most together with those before it.
PARTS = {Lane.TROUBLED: 1 / 2, Lane.NEW: 3 / 4, Lane.LONG: 7 / 8, Lane.PROVEN: 1}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows of a webhook. `is_new`: it has never been called."""

    errors: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Past:
    """Of a webhook that held slots for long: its time beyond `LONG_S`, and beyond `SLOW_S`, as it
    was at `at_s`. `timed_out`, `gave_way`: its last attempt did.
    """

    long_s: float
    slow_s: float
    at_s: float
    timed_out: bool
    gave_way: bool

    def forgotten_s(self, now_s: float) -> float:
        return (now_s - self.at_s) * FORGOTTEN_PER_S


class Pasts:
    """Of those webhooks only that held slots for long, or timed out."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._pasts: dict[int, Past] = {}
        self._most = REMEMBERED

    def __len__(self) -> int:
        return len(self._pasts)

    def of(self, webhook: int) -> Past | None:
        return self._pasts.get(webhook)

    def lane(self, webhook: int, standing: Standing) -> Lane:
        past = self._pasts.get(webhook)
        counts_from_s = SUM_S + past.forgotten_s(self._now_s()) if past is not None else 0.0
        is_slow = past is not None and (past.timed_out or past.slow_s >= counts_from_s)
        if standing.errors or is_slow:
            return Lane.TROUBLED
        if standing.is_new:
            return Lane.NEW
        return Lane.LONG if past is not None and past.long_s >= counts_from_s else Lane.PROVEN

    def add(self, webhook: int, took_s: float, *, timed_out: bool, gave_way: bool) -> None:
        """The webhook held a slot for so long."""
        past = self._pasts.get(webhook)
        if past is None and took_s <= LONG_S and not timed_out:
            return
        now_s = self._now_s()
        long_s, slow_s = max(took_s - LONG_S, 0.0), max(took_s - SLOW_S, 0.0)
        if past is not None:
            forgotten_s = past.forgotten_s(now_s)
            long_s += max(past.long_s - forgotten_s, 0.0)
            slow_s += max(past.slow_s - forgotten_s, 0.0)
        if timed_out or long_s > 0:
            long_s, slow_s = min(long_s, SUM_S_MAX), min(slow_s, SUM_S_MAX)
            self._pasts[webhook] = Past(long_s, slow_s, now_s, timed_out, gave_way)
            self._drop_some(now_s)
        else:
            del self._pasts[webhook]

    def _drop_some(self, now_s: float) -> None:
        if len(self._pasts) > self._most:
            kept = {w: p for w, p in self._pasts.items() if p.long_s > p.forgotten_s(now_s)}
            self._pasts, self._most = kept, max(REMEMBERED, 2 * len(kept))


def standing_in(reads: Reads) -> Callable[[int], Standing]:
    """What the database knows of a webhook, by its number."""

    def standing(webhook: int) -> Standing:
        state = reads.state(webhook)
        return Standing(state.consecutive_errors, not state.log_next) if state else NOBODY

    return standing


NOBODY = Standing(errors=0, is_new=True)
