"""How long a stop may take: until a time that is set when it begins, or until somebody hurries."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from hookbundle.engine.errors import HookbundleError, in_words

log = structlog.get_logger(__name__)


class Patience:
    """Shared by all that is waited for during a stop. Belongs to one event loop."""

    def __init__(self) -> None:
        self._until_s = 0.0
        self._hurried = asyncio.Event()

    def begin(self, within_s: float) -> None:
        self._until_s = asyncio.get_running_loop().time() + within_s

    def hurry(self) -> None:
        """Nothing is waited for any longer."""
        self._hurried.set()

    async def wait(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for the work; what it could not do in time is found at the next start."""
        left_s = max(self._until_s - asyncio.get_running_loop().time(), 0.0)
        task, hurried = asyncio.ensure_future(work), asyncio.ensure_future(self._hurried.wait())
        await asyncio.wait({task, hurried}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not task.done():
            log.warning("not finished in time")
            task.cancel()
        elif (error := task.exception()) is not None:
            if not isinstance(error, HookbundleError):
                raise error
            log.warning("not finished", error=in_words(error))
