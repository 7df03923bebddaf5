"""Time limits of attempts, of which only the oldest has a timer."""

import asyncio

import pytest

from hookbundle.actors.outbound.deadlines import Deadline, Deadlines

LONG_S = 3_600.0
SHORT_S = 0.01


async def waiting(deadline: Deadline, until: asyncio.Event) -> str:
    try:
        with deadline:
            await until.wait()
    except TimeoutError:
        return "late"
    return "in time"


async def test_what_takes_too_long_ends_with_a_time_out() -> None:
    deadlines = Deadlines(SHORT_S)

    assert await waiting(deadlines.begin(), asyncio.Event()) == "late"


async def test_those_that_began_later_have_their_whole_time_too() -> None:
    deadlines, first, never = Deadlines(SHORT_S), asyncio.Event(), asyncio.Event()
    tasks = [asyncio.ensure_future(waiting(deadlines.begin(), each)) for each in (first, never)]
    await asyncio.sleep(0)
    first.set()

    assert await asyncio.gather(*tasks) == ["in time", "late"]
    assert await waiting(deadlines.begin(), never) == "late"


async def test_one_may_be_ended_before_its_time_and_no_other_is() -> None:
    deadlines, go = Deadlines(LONG_S), asyncio.Event()
    ended, other = deadlines.begin(), deadlines.begin()
    tasks = [asyncio.ensure_future(waiting(each, go)) for each in (ended, other)]
    await asyncio.sleep(0)
    ended.expire()
    ended.expire()

    assert await tasks[0] == "late"
    go.set()
    assert await tasks[1] == "in time"
    ended.expire()  # it has ended: nobody is cancelled
    deadlines.close()


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_cancellation_by_others_stays_one(is_late: bool) -> None:
    deadlines = Deadlines(LONG_S)
    deadline = deadlines.begin()
    task = asyncio.ensure_future(waiting(deadline, asyncio.Event()))
    await asyncio.sleep(0)
    if is_late:
        deadline.expire()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    deadlines.close()


async def test_an_error_that_comes_of_the_time_out_is_not_hidden() -> None:
    deadline = Deadlines(SHORT_S).begin()

    async def fails() -> int:
        task = asyncio.current_task()
        assert task is not None
        try:
            with deadline:
                try:
                    await asyncio.Event().wait()
                finally:
                    raise ConnectionResetError
        except ConnectionResetError:
            return task.cancelling()

    assert await fails() == 0
