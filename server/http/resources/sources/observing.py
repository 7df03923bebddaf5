"""What came from sources since it was written last: counts, refusals, a few requests to be kept.

It is gathered in memory and written once a second, for each source with one transition: so a flood
of requests without a message costs no commit of its own, and none is waited for. What a crash
loses of it is a second of counts; messages are not among it. Requests are bounded in number and
bytes, for each workspace and for all; of a busy source the newest of each second are kept.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import msgspec
import structlog

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, NotFound, in_words
from hookbundle.storage.tables.sources.requests import Seen
from hookbundle.storage.transitions.sources.noting import NoteSource

WRITTEN_EVERY_S = 1.0
WRITTEN_AT_ONCE = 64  # sources
OURS_MAX = 10  # requests of a source, in a second
QUIET_MAX = 1
BYTES_MAX = 16 * 1024 * 1024
BYTES_OF_ONE_MAX = 1024 * 1024  # of a workspace

log = structlog.get_logger(__name__)

SourceKey = tuple[int, int]
"""The numbers of a workspace and of its source."""
Shown = Callable[[], Seen]
"""Makes what is kept of a request: without secrets, which costs some time."""


class Held(msgspec.Struct, frozen=True):
    """A request that may be kept. `size`: what it holds in memory."""

    shown: Shown
    size: int


@dataclass(slots=True)
class Observed:
    """Of one source, since the last time it was written."""

    counts: Counter[str] = field(default_factory=Counter)
    seen_ms: int = 0
    message_ms: int = 0
    refused: int = 0
    reason: str = ""
    ours: deque[Held] = field(default_factory=deque)
    quiet: deque[Held] = field(default_factory=deque)

    def held(self) -> list[Held]:
        return [*self.quiet, *self.ours]


class Observations:
    """Belongs to the loop. `close()` before the Store ends."""

    def __init__(self, store: StoreQueue, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._observed: dict[SourceKey, Observed] = {}
        self._held: dict[int, int] = {}
        self._held_by_all = 0
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def note(
        self,
        key: SourceKey,
        counts: Mapping[str, int],
        held: Held,
        *,
        is_quiet: bool,
        messages: bool = False,
        refused: str = "",
    ) -> None:
        """A request came: so many events came to each outcome. `refused`: why it was not authentic.

        `messages`: a message of it was accepted. It is kept for its owner, if there is room for it.
        """
        observed, now_ms = self._of(key), self._clock.now_ms()
        for outcome, count in counts.items():
            observed.counts[outcome] += count
        observed.seen_ms = now_ms
        if messages:
            observed.message_ms = now_ms
        if refused:
            observed.refused += 1
            observed.reason = refused
        line, most = (observed.quiet, QUIET_MAX) if is_quiet else (observed.ours, OURS_MAX)
        is_full = len(line) == most
        more = held.size - (line[0].size if is_full else 0)
        if self._held.get(key[0], 0) + more > BYTES_OF_ONE_MAX:
            return
        if self._held_by_all + more > BYTES_MAX:
            return
        if is_full:
            line.popleft()
        line.append(held)
        self._hold(key[0], more)

    async def write(self, workspace: int) -> None:
        """What was noted of the workspace's sources is on disk, or lost."""
        for key in [key for key in self._observed if key[0] == workspace]:
            self._begin_one(key)
        of_it = [task for task, of in self._under_way.items() if of == workspace]
        await asyncio.gather(*map(asyncio.shield, of_it))

    async def close(self) -> None:
        """All that was noted is on disk, or lost."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._writing is not None:
            await self._writing
        await self._write(list(self._observed))
        await asyncio.gather(*self._under_way)

    def _of(self, key: SourceKey) -> Observed:
        observed = self._observed.get(key)
        if observed is None:
            observed = self._observed[key] = Observed()
            self._write_soon()
        return observed

    def _write_soon(self) -> None:
        if self._alarm is None and self._writing is None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(WRITTEN_EVERY_S, self._begin)

    def _begin(self) -> None:
        self._alarm = None
        self._writing = asyncio.get_running_loop().create_task(self._write_all())

    async def _write_all(self) -> None:
        try:
            await self._write(list(self._observed))
        finally:
            self._writing = None
            if self._observed:
                self._write_soon()

    async def _write(self, keys: Iterable[SourceKey]) -> None:
        """Some at once, so that they share commits, and never many that wait for the Store."""
        left = iter(keys)
        while some := list(islice(left, WRITTEN_AT_ONCE)):
            noted = [key for key in some if key in self._observed]
            await asyncio.gather(*map(self._begin_one, noted))

    def _begin_one(self, key: SourceKey) -> asyncio.Task[None]:
        writing = self._write_one(key, self._observed.pop(key))
        task = asyncio.get_running_loop().create_task(writing)
        self._under_way[task] = key[0]
        task.add_done_callback(self._under_way.pop)
        return task

    async def _write_one(self, key: SourceKey, observed: Observed) -> None:
        try:
            await self._store.done(self._transition(key, observed))
        except NotFound:
            pass  # its workspace was deleted meanwhile
        except HookbundleError as exc:
            log.warning("what came from a source was not noted", error=in_words(exc))

    def _transition(self, key: SourceKey, observed: Observed) -> NoteSource:
        held = observed.held()
        self._hold(key[0], -sum(each.size for each in held))
        return NoteSource(
            workspace_number=key[0],
            source=key[1],
            counts=tuple(observed.counts.items()),
            seen_ms=observed.seen_ms,
            message_ms=observed.message_ms,
            refused=observed.refused,
            reason=observed.reason,
            seen=tuple(sorted((each.shown() for each in held), key=_arrived_ms)),
            now_ms=self._clock.now_ms(),
        )

    def _hold(self, workspace: int, more: int) -> None:
        """The workspace's requests hold so much more, or less."""
        self._held_by_all += more
        held = self._held.pop(workspace, 0) + more
        if held:
            self._held[workspace] = held


def _arrived_ms(seen: Seen) -> int:
    return seen.request.at_ms
