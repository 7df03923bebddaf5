"""How the daemon was doing lately: a ring of samples in memory, bounded and forgotten at a stop.

For the last hours at a glance; who wants more keeps what `/metrics` says.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise

import structlog

from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import CorruptRecord, HookbundleError
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.lookup import Reads

EVERY_S = 20.0
SAMPLES_MAX = 540  # three hours
HEADS_LOOKED_AT = 16

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters since the database was made, and what there is at this moment."""

    at_ms: int
    accepted: int
    delivered: int
    failed: int
    windows: int
    queued: int
    dead_letters: int
    queue_age_ms: int
    disk_used_bytes: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a minute, up to `at_ms`."""

    at_ms: int
    a_minute: float


@dataclass(frozen=True, slots=True)
class Look:
    """The status, and when the oldest of the deliveries was sealed that could be on their way; 0:
    there is none."""

    status: StatusOut
    oldest_ms: int


class Samples:
    """The newest samples, the oldest first; `start()` has one taken every so often.

    `look`: at all that there is, wherever it is.
    """

    def __init__(self, look: Callable[[], Awaitable[Look]], clock: Clock) -> None:
        self.taken: deque[Sample] = deque(maxlen=SAMPLES_MAX)
        self._look = look
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._go_on(), name="samples for the console")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def take(self) -> Sample:
        """The newest sample, taken now."""
        look, now_ms = await self._look(), self._clock.now_ms()
        status, oldest_ms = look.status, look.oldest_ms
        totals = status.totals
        sample = Sample(
            at_ms=now_ms,
            accepted=totals["accepted"],
            delivered=totals["delivered"],
            failed=totals["failed"],
            windows=status.windows,
            queued=status.queued,
            dead_letters=status.dead_letters,
            queue_age_ms=max(0, now_ms - oldest_ms) if oldest_ms else 0,
            disk_used_bytes=status.disk["used_bytes"],
        )
        self.taken.append(sample)
        return sample

    def rates(self, name: str) -> list[Rate]:
        """How often a counter counted, between each two samples."""
        taken = list(self.taken)
        found = []
        for before, after in pairwise(taken):
            minutes = (after.at_ms - before.at_ms) / 60_000
            if minutes > 0:
                counted = getattr(after, name) - getattr(before, name)
                found.append(Rate(after.at_ms, counted / minutes))
        return found

    async def _go_on(self) -> None:
        while True:
            try:
                await self.take()
            except HookbundleError as exc:
                log.warning("no sample taken", error=str(exc))
            await asyncio.sleep(EVERY_S)


async def look_at(status: StatusOut, reads: Reads) -> Look:
    """At one database."""
    return Look(status, await asyncio.to_thread(_oldest_ms, reads))


def _oldest_ms(reads: Reads) -> int:
    """When the oldest of the deliveries was sealed that could be on their way, or 0.

    One that waits for its receiver to recover is not late by our doing.
    """
    oldest = []
    for number in reads.ready(0, HEADS_LOOKED_AT):
        try:
            head = reads.head(number)
        except CorruptRecord as exc:  # it hides the others no more than it does in a list
            damaged.say(exc)
            continue
        oldest += [head.sealed_ms] if head else []
    return min(oldest, default=0)
