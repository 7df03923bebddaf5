"""The event feed of a node: of all partitions, or of those that a reader's workspaces are in.

It is a source as the feed of one database is (server/feed/source.py). Who names workspaces of one
partition gets its cursors, as of a daemon alone; who reads several, cursors of all of them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, InvalidInput, NotOwner
from hookbundle.server.cluster.asked import Ask, Asked
from hookbundle.server.cluster.feed.pages import LOOK, Looked, Wanted
from hookbundle.server.cluster.feed.part import Common, Part
from hookbundle.server.cluster.feed.reading import Reading
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.feed.filters import Place, unknown_filters
from hookbundle.server.feed.readers import Readers
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.feed import no_since
from hookbundle.storage.reads.feed_selection import Selection
from hookbundle.storage.reads.several import cursors

AT_ONCE = 8  # partitions that are asked for one reader where it begins
PAGE_MIN = 8  # events, however many partitions a reader has


class ClusterFeed:
    """`ask`: a partition, wherever it is. `copy`: of it, if this node follows with one."""

    def __init__(
        self,
        partitions: int,
        ask: Ask,
        copy: Callable[[int], Environment | None],
        config: FeedConfig,
    ) -> None:
        self.config = config
        self._partitions = partitions
        self._ask = ask
        self._copy = copy
        self._common = Common()
        self._readers: Readers[Reading] = Readers(config.end_within_s, config.unheard_s)

    @property
    def subscribers(self) -> int:
        return len(self._readers.connected)

    @property
    def lag_events_max(self) -> int:
        """How many events the slowest reader is behind."""
        return max((each.behind for each in self._readers.connected), default=0)

    async def chosen(
        self,
        workspaces: Sequence[str],
        types: Sequence[str],
        webhooks: Sequence[str],
        chats: Sequence[str],
        place: Place,
    ) -> Selection:
        """As of one database; a webhook may be in any partition. One that does not answer now
        judges nothing. Raises: InvalidInput."""
        missing: set[str] = set()
        unknown = set(webhooks)
        if workspaces or webhooks:
            wanted = Wanted("now", tuple(workspaces), tuple(types), tuple(webhooks))
            for looked in (await self._looked(self._parts_of(workspaces), wanted)).values():
                missing.update(looked.workspaces if looked else ())
                unknown &= set(looked.webhooks if looked else ())
        faults = unknown_filters(workspaces, types, webhooks, missing, unknown, place)
        refusal = InvalidInput.with_faults(faults)
        if refusal.faults:
            raise refusal
        return Selection(workspaces, types, webhooks, chats)

    @asynccontextmanager
    async def subscribed(
        self,
        since: str,
        selection: Selection,
        transport: asyncio.WriteTransport | None,
        pace_s: float | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
        back_most: int | None = None,
    ) -> AsyncIterator[Reading]:
        """As of one database. Raises: InvalidInput; NotOwner that names the partitions whose place
        is not known, because they do not answer now; Overloaded."""
        self._readers.check()
        numbers = self._parts_of(selection.workspaces)
        wanted = Wanted(
            since,
            tuple(sorted(selection.workspaces)),
            selection.types,
            tuple(sorted(selection.webhooks)),
            tuple(sorted(selection.chats)),
            max(PAGE_MIN, self.config.events_at_once // len(numbers)),
            back_most=back_most,
        )
        begins = await self._begins(numbers, wanted)
        parts = [
            Part(
                number,
                _of(wanted, number, self._partitions, begin),
                self._ask,
                self._copy,
                self._common,
            )
            for number, begin in begins.items()
        ]
        pace_s = self.config.pace_s if pace_s is None else pace_s
        reading = Reading(
            parts, self.config, transport, pace_s, may_go_on, lambda: self._readers.ended
        )
        with self._readers.reading(reading):
            yield reading

    async def close(self) -> None:
        """Every reader has ended; one that took nothing in time was cut off."""
        await self._readers.close()

    def _parts_of(self, workspaces: Iterable[str]) -> list[int]:
        found = {placing.of_workspace(each, self._partitions) for each in workspaces}
        return sorted(found or range(self._partitions))

    async def _begins(self, numbers: Sequence[int], wanted: Wanted) -> dict[int, str]:
        """The cursor of each partition, where the reader begins. Raises: InvalidInput; NotOwner."""
        since = wanted.since
        if since.startswith(cursors.PREFIX):
            try:
                given = cursors.parted(since, self._partitions)
            except ValueError:
                raise InvalidInput((no_since(since),)) from None
            if len(numbers) > 1 or numbers[0] in given:
                return {number: given.get(number, cursors.OLDEST) for number in numbers}
            since = cursors.OLDEST
        if since.startswith("cur_") and len(numbers) > 1:
            raise InvalidInput((no_since(since),))  # it says nothing of the other partitions
        looked = await self._looked(numbers, Wanted(since))
        if silent := [str(number) for number, each in looked.items() if each is None]:
            raise NotOwner.of(Code.PARTS_MISSING, missing=", ".join(silent))
        return {number: each.cursor for number, each in looked.items() if each is not None}

    async def _looked(self, numbers: Sequence[int], wanted: Wanted) -> dict[int, Looked | None]:
        """What each partition says; None if it does not answer. Raises: InvalidInput."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def look(number: int) -> Looked | None:
            body = msgspec.msgpack.encode(_of(wanted, number, self._partitions, wanted.since))
            async with turn:
                try:
                    answered = await self._ask(number, Asked("GET", LOOK, (), body))
                except HookbundleError:
                    return None
            if answered.status == 422:
                raise InvalidInput((no_since(wanted.since),))
            if answered.status != 200:
                return None
            return msgspec.msgpack.decode(answered.body, type=Looked)

        found = await asyncio.gather(*map(look, numbers))
        return dict(zip(numbers, found, strict=True))


def _of(wanted: Wanted, number: int, partitions: int, since: str) -> Wanted:
    """The same of one partition: of its own workspaces."""
    own = tuple(
        each for each in wanted.workspaces if placing.of_workspace(each, partitions) == number
    )
    return msgspec.structs.replace(wanted, since=since, workspaces=own)
