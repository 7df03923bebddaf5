"""Long work on the loop: one slice at a time, and one piece of work of each owner."""

import asyncio
from collections.abc import Generator

import pytest

from hookbundle.engine.fairness import loop_share
from hookbundle.engine.fairness.loop_share import LoopShare, Pace, with_rests
from hookbundle.tests.passes import passes


async def test_between_two_passes_there_is_one_slice_however_many_owners_ask() -> None:
    share = LoopShare()

    async def work(owner: str) -> None:
        async with share.one_of(owner):
            for _ in range(5):
                async with share.slice():
                    seen.count()

    with passes() as seen:
        await asyncio.gather(*(work(f"owner {n}") for n in range(20)))

    assert (seen.total, seen.most) == (100, 1)


async def test_the_next_slice_begins_when_others_have_had_as_much_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    share, loop = LoopShare(), asyncio.get_running_loop()
    rests: list[float] = []
    now_s = [100.0]
    with monkeypatch.context() as patched:
        patched.setattr(loop, "time", lambda: now_s[0])
        patched.setattr(loop, "call_later", lambda delay_s, call: rests.append(delay_s))
        async with share.slice():
            now_s[0] += 0.25

    assert rests == [0.25]


async def test_an_owner_with_much_to_do_delays_another_by_one_slice() -> None:
    share, order = LoopShare(), list[str]()

    async def work(owner: str, slices: int) -> None:
        async with share.one_of(owner):
            for _ in range(slices):
                async with share.slice():
                    order.append(owner)

    greedy = [asyncio.create_task(work("greedy", 10)) for _ in range(10)]
    await asyncio.sleep(0)
    await work("modest", 3)
    done = list(order)
    await asyncio.gather(*greedy)

    assert done.count("greedy") <= 4
    assert len(order) == 103


async def test_of_what_is_large_one_is_read_at_a_time_whoever_it_is_of() -> None:
    share, present, most = LoopShare(), list[str](), list[int]()

    async def read(owner: str) -> None:
        async with share.large(owner):
            present.append(owner)
            most.append(len(present))
            await asyncio.sleep(0)
            present.remove(owner)

    await asyncio.gather(*(read(owner) for owner in ("a", "a", "b", "c")))

    assert most == [1] * 4


async def test_work_that_fails_or_is_cancelled_leaves_its_place_to_the_next() -> None:
    share = LoopShare()

    async def fail() -> None:
        async with share.one_of("a"), share.slice():
            raise ValueError("it failed")

    with pytest.raises(ValueError, match="failed"):
        await fail()
    async with share.one_of("a"):
        waiting = asyncio.create_task(fail())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with share.one_of("a"), share.slice():
        pass

    assert not share._lines


def test_work_in_a_thread_rests_after_each_piece_as_long_as_that_has_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked_s = [100.0]
    rests: list[float] = []
    monkeypatch.setattr(loop_share, "thread_time", lambda: worked_s[0])
    monkeypatch.setattr(loop_share, "sleep", rests.append)

    def work() -> Generator[None, None, str]:
        for piece_s in (0.25, 0.5, 0.0):
            worked_s[0] += piece_s
            yield
        return "done"

    assert with_rests(work()) == "done"
    assert rests == [0.25, 0.5, loop_share.REST_S_MIN]


def test_small_pieces_of_work_in_a_thread_rest_together_as_long_as_they_have_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked_s, rests = [100.0], list[float]()
    monkeypatch.setattr(loop_share, "thread_time", lambda: worked_s[0])
    monkeypatch.setattr(loop_share, "sleep", rests.append)
    monkeypatch.setattr(loop_share, "PIECE_S", 0.5)
    rest = loop_share.Rests()

    for _ in range(8):
        worked_s[0] += 0.125
        rest()

    assert rests == [0.5, 0.5]


async def test_of_an_owner_the_next_work_in_a_thread_waits_as_long_as_the_last_has_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    share, worked_s = LoopShare(), [100.0]
    order: list[float | str] = []

    async def sleep(seconds: float) -> None:
        order.append(seconds)

    def work() -> str:
        worked_s[0] += 0.25
        order.append("work")
        return "done"

    monkeypatch.setattr(loop_share, "thread_time", lambda: worked_s[0])
    monkeypatch.setattr(asyncio, "sleep", sleep)
    answers = await asyncio.gather(*(share.in_thread("greedy", work) for _ in range(2)))

    assert answers == ["done"] * 2
    assert order == ["work", 0.25, "work", 0.25]


async def test_an_owner_has_one_pace_on_all_connections_and_no_other_has_to_keep_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace, now_s = Pace(1_000), [100.0]
    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "time", lambda: now_s[0])
        rests = [
            pace.rest_s("greedy", 500),
            pace.rest_s("greedy", 1_000),
            pace.rest_s("modest", 10),
        ]
        now_s[0] += 1.0
        rests.append(pace.rest_s("greedy", 0))
        now_s[0] += 9.0
        rests.append(pace.rest_s("greedy", 500))

    assert rests == pytest.approx([0.5, 1.5, 0.01, 0.5, 0.5])


async def test_nobody_waits_for_the_first_of_what_comes_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace, now_s = Pace(1_000, ahead_bytes=600), [100.0]
    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "time", lambda: now_s[0])
        rests = [pace.rest_s("greedy", 300) for _ in range(3)]
        now_s[0] += 10.0
        rests.append(pace.rest_s("greedy", 600))

    assert rests == pytest.approx([0.0, 0.0, 0.3, 0.0])


async def test_of_owners_that_need_not_rest_any_more_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace, now_s = Pace(1_000), [100.0]
    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "time", lambda: now_s[0])
        for number in range(3 * loop_share.RESTS_KEPT):
            pace.rest_s(number, 1)
            now_s[0] += 1.0

    assert len(pace._rests_until_s) <= loop_share.RESTS_KEPT
