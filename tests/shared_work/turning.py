"""Waiting for a condition without missing a moment of it, and without keeping a core busy."""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

LOOK_S = 0.002  # what changes in a thread wakes no loop

_waiting: "WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Future[None]]]" = (
    WeakKeyDictionary()
)


async def turning_until(condition: Callable[[], bool]) -> None:
    """The condition is true; it was asked after each turn of the loop."""
    while not condition():
        await next_turn()


async def next_turn() -> None:
    """The loop has turned once more: others went on, or it slept until something happened.

    Like `asyncio.sleep(0)`, but that one keeps a loop from sleeping that has nothing to do.
    """
    loop: Any = asyncio.get_running_loop()
    if loop._ready:
        await asyncio.sleep(0)
        return
    turned = loop.create_future()
    waiting = _waiting.get(loop)
    if waiting is None:
        waiting = _waiting[loop] = _woken_by(loop)
    waiting.add(turned)
    look = loop.call_later(LOOK_S, _wake, turned)
    try:
        await turned
    finally:
        look.cancel()
        waiting.discard(turned)


def _woken_by(loop: Any) -> "set[asyncio.Future[None]]":
    """A set of futures: those in it are done as soon as the loop has slept."""
    waiting: set[asyncio.Future[None]] = set()
    select = loop._selector.select

    def selected(timeout: float | None = None) -> Any:
        events = select(timeout)
        for each in waiting:
            _wake(each)
        return events

    loop._selector.select = selected
    return waiting


def _wake(turned: "asyncio.Future[None]") -> None:
    if not turned.done():
        turned.set_result(None)
