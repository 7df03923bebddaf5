"""Changes under way: who waits is told in time, and what was begun goes on."""

import asyncio

import pytest

from hookbundle.engine.errors import Conflict, Overloaded
from hookbundle.server.cluster.partitions import under_way
from hookbundle.server.cluster.partitions.under_way import UnderWay

WITHIN_S = 20.0


class Change:
    """Made when `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.made = False

    async def make(self, error: Exception | None = None) -> str:
        await self.go.wait()
        self.made = True
        if error is not None:
            raise error
        return "made"


async def test_a_caller_has_what_its_change_answers_or_why_it_was_refused() -> None:
    changes, change = UnderWay(lambda: 0.0), Change()
    waiting = [
        asyncio.create_task(changes.answer(change.make())),
        asyncio.create_task(changes.answer(change.make(Conflict("no")))),
    ]
    await asyncio.sleep(0)

    change.go.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)

    assert found[0] == "made"
    assert isinstance(found[1], Conflict)


async def test_who_waits_for_a_log_that_does_not_answer_is_told_and_the_change_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(under_way, "STALLED_S", 0.05)
    stalled_s, change = [0.0], Change()
    changes = UnderWay(lambda: stalled_s[0])
    waiting = asyncio.create_task(changes.answer(change.make()))
    await asyncio.sleep(0)
    stalled_s[0] = 0.1

    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(Overloaded):
            await waiting
        with pytest.raises(Overloaded):  # and who comes later at once
            await changes.answer(change.make())
        assert not change.made
        change.go.set()
        await changes.all_made()

    assert change.made


async def test_what_is_given_away_has_made_all_changes_before() -> None:
    changes, change = UnderWay(lambda: 0.0), Change()
    waiting = asyncio.create_task(changes.answer(change.make()))
    await asyncio.sleep(0)
    all_made = asyncio.create_task(changes.all_made())
    await asyncio.sleep(0)
    assert not all_made.done()

    change.go.set()

    await asyncio.wait_for(all_made, WITHIN_S)
    assert await waiting == "made"
    await changes.all_made()  # nobody is waited for


async def test_nobody_waits_when_the_partition_has_ended() -> None:
    changes, change = UnderWay(lambda: 0.0), Change()
    waiting = asyncio.create_task(changes.answer(change.make()))
    await asyncio.sleep(0)

    changes.end()

    with pytest.raises(Overloaded):
        await asyncio.wait_for(waiting, WITHIN_S)
    with pytest.raises(Overloaded):
        await changes.answer(change.make())
    change.go.set()
    await changes.all_made()
