"""For how long the event loop has stood still: it was blocked, or its process or machine was.

Something beats on the loop every `BEAT_S`. A beat that is late by `LATE_S` or more was held up,
whatever by: a callback that did not end, SIGSTOP, a paused machine, a suspended one. Less is a loop
that is busy, and does not count, however often it happens.
"""

BEAT_S = 0.25
LATE_S = 0.25


class Standstill:
    """Times are seconds of one clock, which goes on while the process is stopped."""

    def __init__(self, now_s: float) -> None:
        self._beat_s = now_s
        self._sum_s = 0.0

    def beat(self, now_s: float) -> None:
        self._sum_s = self.sum_s(now_s)
        self._beat_s = now_s

    def sum_s(self, now_s: float) -> float:
        """All the time that the loop stood still so far, also since the last beat."""
        late_s = now_s - self._beat_s - BEAT_S
        return self._sum_s + (late_s if late_s >= LATE_S else 0.0)
