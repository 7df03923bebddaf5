"""A promise on the loop: awaited, given up, and set from another thread."""

import asyncio
import threading
from concurrent.futures import InvalidStateError

import pytest

from hookbundle.engine.runtime.promise import Promise

SOON_S = 10


async def test_an_answer_survives_a_waiter_that_timed_out() -> None:
    promise = Promise[str]()
    waiter = asyncio.ensure_future(asyncio.wait_for(promise, 0.01))
    with pytest.raises(asyncio.TimeoutError):
        await waiter

    promise.set("late")

    assert await promise == "late"


async def test_a_promise_is_set_from_another_thread() -> None:
    promise = Promise[str]()

    threading.Thread(target=promise.set, args=("done",)).start()

    assert await asyncio.wait_for(promise, SOON_S) == "done"


def test_a_promise_is_set_once() -> None:
    promise = Promise[str]()
    promise.set("one")

    with pytest.raises(InvalidStateError):
        promise.set("two")
    with pytest.raises(InvalidStateError):
        promise.set_exception((ValueError, ValueError("no"), None))
    with pytest.raises(InvalidStateError):
        promise.set_get_hook(lambda timeout: "three")
    assert promise.get() == "one"
