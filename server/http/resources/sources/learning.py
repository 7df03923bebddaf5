"""What requests teach is remembered before they are answered, and before the next one is read.

Two requests of a source may come at once: one says which phone a hidden id is of, the next one has
the hidden id alone. The second must not be read before the first has taught, else its chat becomes
another one. So requests of a source wait for what one before them teaches; hardly any teaches.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.sources.memory import ChatBegun, Learned, MessageChat
from hookbundle.server.http.resources.sources.observing import SourceKey
from hookbundle.server.http.schemas.messages import AcceptedOut
from hookbundle.storage.transitions.sources.learning import LEARNED_AT_ONCE, LearnFromSource

Take = Callable[[], Awaitable[AcceptedOut]]


class Lessons:
    """Belongs to the loop."""

    def __init__(self, store: StoreQueue, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._under_way: dict[SourceKey, asyncio.Event] = {}

    async def over(self, key: SourceKey) -> None:
        """Nothing that the source has taught is still to be remembered."""
        while (under_way := self._under_way.get(key)) is not None:
            await under_way.wait()

    async def taught(self, key: SourceKey, learned: Sequence[Learned], take: Take) -> AcceptedOut:
        """What `take` says, which takes the messages; what was learned is remembered beside them.

        That a chat has begun only if they were taken: else the same request, sent again, would not
        find it new. Which chat a message is in holds up nobody: each message teaches that.

        Raises: TooManyRequests, Overloaded if there is no place for it; as `take` and the Store.
        """
        if not learned:
            return await take()
        begun = [each for each in learned if isinstance(each, ChatBegun)]
        others = [each for each in learned if not isinstance(each, ChatBegun)]
        with self._store.places.holding(key[0], 1 + len(learned) // LEARNED_AT_ONCE):
            done = asyncio.Event()
            if any(not isinstance(each, MessageChat) for each in learned):
                self._under_way[key] = done
            try:
                remembering = self._remember(key, others)
                try:
                    taken = await take()
                except BaseException:
                    await asyncio.gather(remembering, return_exceptions=True)
                    raise
                await remembering
                if begun:
                    await self._remember(key, begun)
                return taken
            finally:
                if self._under_way.get(key) is done:
                    del self._under_way[key]
                done.set()

    def _remember(self, key: SourceKey, learned: Sequence[Learned]) -> asyncio.Future[Any]:
        """Is done when all of it is on disk."""
        now_ms = self._clock.now_ms()
        asked = [
            self._store.asked(
                LearnFromSource(
                    workspace_number=key[0],
                    source=key[1],
                    learned=tuple(learned[first : first + LEARNED_AT_ONCE]),
                    now_ms=now_ms,
                )
            )
            for first in range(0, len(learned), LEARNED_AT_ONCE)
        ]
        return asked[0] if len(asked) == 1 else asyncio.gather(*asked)
