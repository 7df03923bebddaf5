"""A thread waits for work of the loop, until it is done, fails, or is given up."""

import asyncio
from concurrent.futures import CancelledError
from typing import Any

import pytest

from hookbundle.actors.replication.waiting import Wait


async def made(work: Any) -> tuple[Wait[Any], "asyncio.Future[Any]"]:
    """A wait that was begun in another thread, and what comes of it there."""
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    waits: list[Wait[Any]] = []

    def wait() -> Any:
        waits.append(Wait(loop, work))
        loop.call_soon_threadsafe(begun.set)
        try:
            return waits[0].result()
        except CancelledError:
            return "given up"

    waiting = loop.run_in_executor(None, wait)
    await begun.wait()
    return waits[0], waiting


async def test_the_thread_has_the_result_or_the_error() -> None:
    async def fails() -> None:
        raise ValueError("no")

    _, waiting = await made(asyncio.sleep(0, "done"))
    assert await waiting == "done"
    _, waiting = await made(fails())
    with pytest.raises(ValueError, match="no"):
        await waiting


async def test_work_that_is_given_up_ends_and_the_thread_goes_on() -> None:
    ended = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    wait, waiting = await made(never())
    wait.give_up()

    assert await waiting == "given up"
    await ended.wait()


async def test_a_result_that_comes_too_late_is_nobodys() -> None:
    go_on = asyncio.Event()
    wait, waiting = await made(go_on.wait())
    wait._done.cancel()
    go_on.set()

    assert await waiting == "given up"
    assert wait._task is not None
    await wait._task
