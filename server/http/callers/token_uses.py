"""When tokens were last used: written at most once an hour for each, many at once.

A token's first request in an hour is noted, and written by the Store; while that is under way,
others gather for the next write. What can't be written is lost: the token's next request notes it
again, though not before a while has passed.
"""

import asyncio

import structlog

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.tokens import USES_AT_ONCE, NoteTokenUses, TokenUse

WRITTEN_EVERY_MS = 3_600_000
WAITING_MAX = 10_000  # tokens whose use is to be written
REST_MS = 60_000  # after a failure

log = structlog.get_logger(__name__)


class TokenUses:
    """Belongs to the loop. `close()` before the Store ends."""

    def __init__(self, store: StoreQueue, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[bytes, int] = {}
        self._writing: frozenset[bytes] = frozenset()
        self._rest_until_ms = 0
        self._task: asyncio.Task[None] | None = None

    def note(self, digest: bytes, token: Token) -> None:
        """The token is used now; that will be written, unless it was in the last hour."""
        now_ms = self._clock.now_ms()
        if now_ms - token.used_ms < WRITTEN_EVERY_MS or digest in self._writing:
            return
        if now_ms < self._rest_until_ms or len(self._waiting) >= WAITING_MAX:
            return
        self._waiting[digest] = now_ms
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def close(self) -> None:
        """What was noted is written, or lost."""
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        try:
            while self._waiting:
                some = list(self._waiting.items())[:USES_AT_ONCE]
                self._writing = frozenset(digest for digest, _ in some)
                for digest in self._writing:
                    del self._waiting[digest]
                uses = tuple(TokenUse(digest, used_ms) for digest, used_ms in some)
                await self._store.done(NoteTokenUses(uses=uses, now_ms=self._clock.now_ms()))
        except HookbundleError as exc:
            self._rest_until_ms = self._clock.now_ms() + REST_MS
            self._waiting.clear()
            log.warning("last use of tokens not written", error=in_words(exc))
        finally:
            self._writing, self._task = frozenset(), None
