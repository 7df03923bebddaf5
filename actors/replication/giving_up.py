"""A log that is waited for until the process ends, and no longer.

What a role does may have to wait until the log's servers are there again. A process that is to end
can't wait for that: what it waits for then is given up, as if it were killed now.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hookbundle.actors.replication.log import Answer, Entries, RawLog
from hookbundle.engine.errors import GivenUp
from hookbundle.engine.replication.entries import Generation

T = TypeVar("T")


class UntilGivenUp(RawLog):
    """`raw`, until `give_up` is called; from then on everything raises GivenUp, also what is under
    way. Belongs to the loop."""

    def __init__(self, raw: RawLog) -> None:
        self.entry_bytes_max = raw.entry_bytes_max
        self._raw = raw
        self._under_way: set[asyncio.Task[Any]] = set()
        self._is_given_up = False

    def give_up(self) -> None:
        self._is_given_up = True
        for task in self._under_way:
            task.cancel()

    async def publish(self, generation: Generation, headers: dict[str, str], body: bytes) -> Answer:
        return await self._done(self._raw.publish(generation, headers, body))

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        return await self._done(self._raw.read(generation, after, most))

    async def last(self, generation: Generation) -> int | None:
        return await self._done(self._raw.last(generation))

    async def make(self, generation: Generation) -> None:
        await self._done(self._raw.make(generation))

    async def oldest(self) -> Generation | None:
        return await self._done(self._raw.oldest())

    async def begin_with(self, generation: Generation) -> None:
        await self._done(self._raw.begin_with(generation))

    async def generations(self) -> list[Generation]:
        return await self._done(self._raw.generations())

    async def delete(self, generation: Generation) -> None:
        await self._done(self._raw.delete(generation))

    async def _done(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises: GivenUp; what the work raises."""
        task = asyncio.current_task()
        assert task is not None, "a log is used in a task"
        if self._is_given_up:
            work.close()
            raise GivenUp
        self._under_way.add(task)
        try:
            return await work
        except asyncio.CancelledError:
            if not self._is_given_up:
                raise
            task.uncancel()
            raise GivenUp from None
        finally:
            self._under_way.discard(task)
