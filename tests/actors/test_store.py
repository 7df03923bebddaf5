"""The Store: group commit, refusals, transitions that fail, a full disk, and the Store's end."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.engine.errors import (
    Conflict,
    CorruptRecord,
    MapFull,
    StorageError,
    StoreFull,
    Unusable,
)
from hookbundle.storage.database import environment
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun
from hookbundle.tests.actors.stores import TIMEOUT_S, storing
from hookbundle.tests.storage.noting import note_of


async def test_what_waits_together_is_committed_together(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        store.disk.hold_up()
        first = store.put(store.accepting(number, "m0"))
        await store.disk.held_up()
        commits = store.store_queue.state.commits

        rest = [store.put(store.accepting(number, f"m{n}")) for n in range(1, 100)]
        store.disk.gate.set()

        outcomes = await asyncio.wait_for(asyncio.gather(first, *rest), TIMEOUT_S)
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert store.store_queue.state.commits == commits + 2


async def test_an_answer_comes_after_the_commit(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        store.disk.hold_up()
        answer = store.put(store.accepting(number, "m1"))

        await store.disk.held_up()
        answered_before = answer.done()
        stored_before = store.reads.workspace("acme").state.queued
        store.disk.gate.set()
        await asyncio.wait_for(answer, TIMEOUT_S)

        assert not answered_before
        assert stored_before == 0
        assert store.reads.workspace("acme").state.queued == 1


async def test_a_refusal_leaves_its_group_intact(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        store.disk.gate.clear()
        before = store.put(store.accepting(number, "m1"))
        refused = store.put(store.changing("acme", version=77, name="Other"))
        after = store.put(store.accepting(number, "m2"))
        store.disk.gate.set()

        with pytest.raises(Conflict, match="'acme' was changed meanwhile: it is at version 1"):
            await asyncio.wait_for(refused, TIMEOUT_S)
        assert isinstance(await before, Accepted)
        assert isinstance(await after, Accepted)
        view = store.reads.workspace("acme")
        assert (view.settings.name, view.state.queued) == ("", 2)
        assert store.store_queue.state.rolled_back == 0


async def test_a_damaged_record_of_one_workspace_fails_no_other(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        numbers = [await store.workspace(ws) for ws in ("one", "two", "three")]
        store.damage(store.state_key(numbers[1]))
        first = await store.hold_up()

        answers = [store.put(store.accepting(number, "m1")) for number in numbers]
        store.disk.gate.set()

        outcomes = await asyncio.gather(first, *answers, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes[1:]] == [Accepted, CorruptRecord, Accepted]
        assert store.reads.workspace("one").state.queued == 1
        assert store.reads.workspace("three").state.queued == 1


async def test_a_transition_with_a_bug_is_answered_and_fails_no_other(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        first = await store.hold_up()

        broken = store.put(BeginAttempt("acme", 0))  # type: ignore[arg-type]
        sound = store.put(store.accepting(number, "m1"))
        store.disk.gate.set()

        outcomes = await asyncio.gather(first, broken, sound, return_exceptions=True)
        assert isinstance(outcomes[1], StorageError)
        assert isinstance(outcomes[2], Accepted)


async def test_a_full_disk_closes_intake_but_the_reserve_takes_outcomes(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        await store.do(store.accepting(number, "m1"))
        store.disk.full_beside_reserve = True

        with pytest.raises(StoreFull):
            await store.do(store.accepting(number, "m2"))
        begun = await store.do(BeginAttempt(number, store.clock.now_ms()))

        assert isinstance(begun, Begun)
        assert not store.store_queue.state.intake_open
        assert not (store.disk.path / "reserve").exists()


async def test_an_outcome_that_finds_the_disk_full_is_stored_with_the_reserves_room(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        await store.do(store.accepting(number, "m1"))
        store.disk.full_beside_reserve = True

        begun = await store.do(BeginAttempt(number, store.clock.now_ms()))

        assert isinstance(begun, Begun)
        assert not store.store_queue.state.intake_open


async def test_an_outcome_that_finds_no_room_at_all_is_an_error(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        store.disk.full = True

        with pytest.raises(StoreFull):
            await store.do(BeginAttempt(number, store.clock.now_ms()))

        store.disk.full = False
        await store.do(note_of("noted", "the store goes on", store.clock.now_ms()))


async def test_intake_opens_again_when_there_is_room_and_the_reserve_is_back(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        store.disk.full_beside_reserve = True
        with pytest.raises(StoreFull):
            await store.do(store.accepting(number, "m1"))
        store.disk.full_beside_reserve = False

        with pytest.raises(StoreFull, match="intake is closed"):
            await store.do(store.accepting(number, "m1"))
        store.clock.move(1_000)
        outcome = await store.do(store.accepting(number, "m1"))

        assert isinstance(outcome, Accepted)
        assert (store.disk.path / "reserve").stat().st_size == 4_096


async def test_intake_closes_before_the_disk_is_full_and_needs_room_for_the_reserve_to_open(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        store.disk.free_bytes = 999
        store.clock.move(1_000)
        with pytest.raises(StoreFull):
            await store.do(store.accepting(number, "m1"))
        store.disk.path.joinpath("reserve").unlink()

        store.disk.free_bytes = 1_000 + 4_095
        store.clock.move(1_000)
        with pytest.raises(StoreFull):
            await store.do(store.accepting(number, "m1"))
        store.disk.free_bytes += 1
        store.clock.move(1_000)

        assert isinstance(await store.do(store.accepting(number, "m1")), Accepted)


async def test_an_idle_store_notices_that_there_is_room_again(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        store.disk.free_bytes = 999
        await store.do(note_of("noted", "looks at the disk", store.clock.now_ms()))
        closed = not store.store_queue.state.intake_open
        store.disk.free_bytes = 1 << 40
        store.clock.move(1_000)

        store.store_queue.check_disk_again()
        await store.caught_up()

        assert closed
        assert store.store_queue.state.intake_open


async def test_of_a_group_that_fails_only_what_fails_is_left_out_and_the_rest_is_not_done_singly(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        numbers = [await store.workspace(ws) for ws in ("one", "two")]
        store.damage(store.state_key(numbers[1]))
        first = await store.hold_up()
        before = [store.put(store.accepting(numbers[0], f"m{each}")) for each in range(64)]
        broken = store.put(store.accepting(numbers[1], "m1"))
        after = [store.put(store.accepting(numbers[0], f"m{each}")) for each in range(64, 128)]
        state = store.store_queue.state
        commits = state.commits
        store.disk.gate.set()

        with pytest.raises(CorruptRecord):
            await asyncio.wait_for(broken, TIMEOUT_S)
        await asyncio.wait_for(asyncio.gather(first, *before, *after), TIMEOUT_S)

        assert store.reads.workspace("one").state.queued == 128
        assert state.rolled_back <= 9
        assert state.commits - commits <= 10


async def test_a_full_map_grows_and_closes_nothing(tmp_path: Path) -> None:
    async with storing(tmp_path, map_bytes=1 << 20) as store:
        number = await store.workspace()
        text = "x" * 60_000
        wanted = [store.accepting(number, f"m{each}", text=text) for each in range(40)]

        answers = await asyncio.wait_for(
            asyncio.gather(*map(store.put, wanted), return_exceptions=True), TIMEOUT_S
        )

        assert {type(answer) for answer in answers} == {Accepted}
        assert store.store_queue.state.rolled_back >= 1, "no commit has found the map full"
        assert store.store_queue.state.intake_open
        assert (store.disk.path / "reserve").exists()


async def test_a_map_that_a_reader_keeps_from_growing_closes_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "WAIT_S", 0.01)
    async with storing(tmp_path, map_bytes=1 << 20) as store:
        number = await store.workspace()
        large = store.accepting(number, *map(str, range(20)), text="x" * 60_000)
        with store.disk.read():
            with pytest.raises(MapFull):
                await store.do(large)
            assert store.store_queue.state.intake_open

        assert isinstance(await store.do(large), Accepted)


async def test_a_database_that_failed_for_good_is_reported_and_every_sender_is_answered(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        number = await store.workspace()
        store.disk.broken = Unusable("the database failed for good")

        answers = [store.put(store.accepting(number, f"m{n}")) for n in range(3)]
        outcomes = await asyncio.wait_for(
            asyncio.gather(*answers, return_exceptions=True), TIMEOUT_S
        )

        assert {type(outcome) for outcome in outcomes} == {Unusable}
        assert isinstance(await asyncio.wait_for(store.fatal.get(), TIMEOUT_S), Unusable)


async def test_the_stores_own_death_is_reported(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        (store.disk.path / "reserve").mkdir(exist_ok=True)
        store.disk.full = True

        store.store_queue.submit(note_of("noted", "finds a folder", 0), lambda _: None)

        assert isinstance(await asyncio.wait_for(store.fatal.get(), TIMEOUT_S), OSError)


async def test_a_reserve_that_cant_be_made_is_done_without(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        # As on a file system without a free inode: the file can't be created.
        (store.disk.path / "reserve").symlink_to(tmp_path / "nowhere" / "reserve")

        await store.do(note_of("noted", "looks at the disk", store.clock.now_ms()))

        assert store.store_queue.state.intake_open
        assert store.fatal.empty()
