"""How long a stop may take: until a deadline that is set when it begins, or until it is expired."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from hookbundle.engine.errors import HookbundleError, in_words

log = structlog.get_logger(__name__)


class ShutdownDeadline:
    """One deadline for everything that a stop waits for. Belongs to one event loop."""

    def __init__(self) -> None:
        self._until_s = 0.0
        self._expired = asyncio.Event()

    def begin(self, within_s: float) -> None:
        self._until_s = asyncio.get_running_loop().time() + within_s

    def expire(self) -> None:
        """Nothing is waited for any longer."""
        self._expired.set()

    async def wait(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for the work until the deadline; the next start finds what it could not do."""
        left_s = max(self._until_s - asyncio.get_running_loop().time(), 0.0)
        task, expired = asyncio.ensure_future(work), asyncio.ensure_future(self._expired.wait())
        await asyncio.wait({task, expired}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        expired.cancel()
        if not task.done():
            log.warning("not finished in time")
            task.cancel()
        elif (error := task.exception()) is not None:
            if not isinstance(error, HookbundleError):
                raise error
            log.warning("not finished", error=in_words(error))
