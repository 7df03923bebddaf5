"""What requests teach is remembered before they are answered, and before the next one is read.

Two requests of a source may come at once: one says which phone a hidden id is of, the next one has
the hidden id alone. The second must not be read before the first has taught, else its chat becomes
another one. So requests of a source wait for what one before them teaches; hardly any teaches.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.sources.memory import ChatBegun, Learned, MessageChat
from hookbundle.server.http.resources.sources.observing import SourceKey
from hookbundle.storage.transitions.sources.learning import LEARNED_AT_ONCE, LearnFromSource


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

    @asynccontextmanager
    async def taught(self, key: SourceKey, learned: Sequence[Learned]) -> AsyncIterator[None]:
        """What was learned is remembered when the block is left, in which messages are taken.

        That a chat has begun only if they were: else the same request, sent again, would not find
        it new. Which chat a message is in holds up nobody: each message teaches that.

        Raises: TooManyRequests, Overloaded if there is no place for it; as the Store says.
        """
        if not learned:
            yield
            return
        begun = [each for each in learned if isinstance(each, ChatBegun)]
        others = [each for each in learned if not isinstance(each, ChatBegun)]
        holds_up = any(not isinstance(each, MessageChat) for each in learned)
        done = asyncio.Event()
        with self._store.places.holding(key[0]):
            if holds_up:
                self._under_way[key] = done
            remembering = asyncio.ensure_future(self._remember(key, others))
            try:
                yield
                await remembering
                await self._remember(key, begun)
            finally:
                await asyncio.gather(remembering, return_exceptions=True)
                if holds_up and self._under_way.get(key) is done:
                    del self._under_way[key]
                done.set()

    async def _remember(self, key: SourceKey, learned: Sequence[Learned]) -> None:
        for first in range(0, len(learned), LEARNED_AT_ONCE):
            transition = LearnFromSource(
                workspace_number=key[0],
                source=key[1],
                learned=tuple(learned[first : first + LEARNED_AT_ONCE]),
                now_ms=self._clock.now_ms(),
            )
            await self._store.done(transition)
