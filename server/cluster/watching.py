"""Something that other nodes decide is looked at again and again while somebody relies on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from hookbundle.engine.errors import HookbundleError

log = structlog.get_logger(__name__)


@asynccontextmanager
async def looking(
    look: Callable[[], Awaitable[None]], every_s: float, name: str
) -> AsyncIterator[None]:
    """`look` is called inside the block, with a pause of `every_s` seconds before each time.

    If it raises a HookbundleError, nobody can say now, and it is called again. `name`: of the task.
    """

    async def go_on() -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await look()
            except HookbundleError:
                continue
            except Exception as exc:  # who ends this lets a stream go on that should have ended
                log.error("not looked at", what=name, exc_info=exc)

    task = asyncio.create_task(go_on(), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
