"""Requests with an `Idempotency-Key`: each is carried out once, its repeats get its answer.

Repeats that come while the first is under way wait for it, so fifty at once are one. What comes
later finds the answer in the database, for 48 hours. A request that was refused (full, too much
at once) is not answered for good: its repeat is carried out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.routes import Query
from hookbundle.storage.transitions.idempotency import AnswerRequest, Claimed, ClaimRequest

HEADER = "Idempotency-Key"
KEY_CHARS_MAX = 255
DIGEST_BYTES = 16
PARAMETER = Query(
    name=HEADER,
    meaning="the same key with the same body gets the same answer, and is stored once; for 48 h",
)

Perform = Callable[[], Awaitable[bytes]]


class Repeats:
    """Knows which requests are under way. Belongs to the loop."""

    def __init__(self, store: StoreQueue, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._under_way: dict[tuple[int, bytes, bytes], asyncio.Task[bytes]] = {}

    async def once(self, workspace_number: int, key: bytes, digest: bytes, work: Perform) -> bytes:
        """What `work` answered, now or when the key came first.

        Raises: InvalidInput if the key came with another body; otherwise as the work does.
        """
        position = workspace_number, key, digest
        task = self._under_way.get(position)
        if task is None:
            task = asyncio.create_task(self._answer(workspace_number, key, digest, work))
            self._under_way[position] = task
            task.add_done_callback(lambda _: self._under_way.pop(position))
        return await asyncio.shield(task)

    async def _answer(
        self, workspace_number: int, key: bytes, digest: bytes, work: Perform
    ) -> bytes:
        claim = ClaimRequest(
            workspace_number=workspace_number, key=key, digest=digest, now_ms=self._clock.now_ms()
        )
        claimed = await self._store.do(claim, Claimed)
        if claimed.answer:
            return claimed.answer
        answer = await work()
        await self._store.done(
            AnswerRequest(workspace_number=workspace_number, key=key, answer=answer)
        )
        return answer


def key_of(request: web.Request) -> bytes | None:
    """What the request's key is known by; None without one. Raises: InvalidInput."""
    given = request.headers.getall(HEADER, [])
    if not given:
        return None
    key = given[0].strip()
    if len(given) > 1 or not 1 <= len(key) <= KEY_CHARS_MAX or not key.isascii():
        raise InvalidInput((fault(HEADER, FaultCode.NO_KEY, most=KEY_CHARS_MAX),))
    return digest_of(key.encode(), "key")


def digest_of(given: bytes, form: str) -> bytes:
    """What a key or a body is known by; the same bytes read as another form are another body."""
    return blake2b(given, digest_size=DIGEST_BYTES, person=form.encode()).digest()
