"""A Store in a cluster: no answer and no commit before its group stands in the log."""

import asyncio
import threading
from pathlib import Path

import pytest

from hookbundle.actors.store_queue import Commit
from hookbundle.engine.errors import Fenced, NotFound, NotOwner, StoreFull
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.attempting import BeginAttempt, Idle
from hookbundle.storage.transitions.notes import Confirm
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.tests.actors.stores import TIMEOUT_S, storing
from hookbundle.tests.storage.noting import note_of


class Log:
    """What was agreed on. While `gate` is closed, no ack comes; `fenced`: it never will."""

    def __init__(self) -> None:
        self.groups: list[Collected] = []
        self.fenced = False
        self.gate = threading.Event()
        self.asked = threading.Event()
        self.gate.set()

    def agree(self, rows: Collected) -> Position:
        self.asked.set()
        assert self.gate.wait(TIMEOUT_S)
        if self.fenced:
            raise Fenced("epoch 2 has begun")
        self.groups.append(dict(rows))
        return Position("1x0", len(self.groups), 1)

    async def was_asked(self) -> None:
        assert await asyncio.to_thread(self.asked.wait, TIMEOUT_S)


def dump(env: Environment) -> dict[bytes, bytes]:
    but = (keyspace.IDENTITY, keyspace.POSITION)
    with env.read() as txn:
        return {bytes(key): bytes(value) for key, value in txn.cursor() if key not in but}


async def test_neither_answer_nor_commit_comes_before_the_ack(tmp_path: Path) -> None:
    log = Log()
    async with storing(tmp_path, agree=log.agree) as store:
        number = await store.workspace()
        log.asked.clear()
        log.gate.clear()

        answer = store.put(store.accepting(number, "m1"))
        await log.was_asked()
        before = answer.done(), store.reads.workspace("acme").state.queued
        log.gate.set()

        assert isinstance(await asyncio.wait_for(answer, TIMEOUT_S), Accepted)
        assert before == (False, 0)
        assert store.reads.workspace("acme").state.queued == 1


async def test_the_rows_and_the_position_of_a_group_are_one_commit_and_make_an_equal_database(
    tmp_path: Path,
) -> None:
    log = Log()
    other = open_environment(tmp_path / "other", 1)
    async with storing(tmp_path, agree=log.agree) as store:
        number = await store.workspace()
        for n in range(20):
            await store.do(store.accepting(number, f"m{n}"))
        await store.do(BeginAttempt(number, store.clock.now_ms()))

        for seq, rows in enumerate(log.groups, 1):
            position.follow(other, rows.items(), Position("1x0", seq, 1))

        assert dump(other) == dump(store.disk)
        with store.disk.read() as txn:
            assert position.read(txn) == Position("1x0", len(log.groups), 1)
    other.close()


async def test_a_group_that_was_fenced_is_nowhere_and_all_that_waits_is_told(
    tmp_path: Path,
) -> None:
    log = Log()
    async with storing(tmp_path, agree=log.agree) as store:
        number = await store.workspace()
        before = dump(store.disk)
        log.asked.clear()
        log.gate.clear()
        log.fenced = True

        first = store.put(store.accepting(number, "m1"))
        await log.was_asked()
        rest = [store.put(store.accepting(number, f"m{n}")) for n in (2, 3)]
        log.gate.set()

        answers = await asyncio.gather(first, *rest, return_exceptions=True)
        assert [type(answer) for answer in answers] == [NotOwner] * 3
        log.fenced = False
        with pytest.raises(NotOwner, match="another node has taken this over"):
            await store.do(store.accepting(number, "m4"))
        assert dump(store.disk) == before
        assert isinstance(store.fatal.get_nowait(), Fenced)
        assert store.fatal.empty()


async def test_only_what_changes_something_is_agreed_on_and_a_confirmation_always(
    tmp_path: Path,
) -> None:
    log = Log()
    async with storing(tmp_path, agree=log.agree) as store:
        number = await store.workspace()
        agreed = len(log.groups)
        stored = dump(store.disk)

        store.clock.move(1_000)
        assert isinstance(await store.do(BeginAttempt(number, store.clock.now_ms())), Idle)
        await store.do(EndWaits((), store.clock.now_ms()))
        with pytest.raises(NotFound):
            await store.do(store.accepting(77, "m1"))
        unchanged = len(log.groups)
        await store.do(Confirm())

        assert unchanged == agreed
        assert log.groups[agreed:] == [{}]
        assert dump(store.disk) == stored


async def test_a_confirmation_is_refused_to_one_who_owns_no_more(tmp_path: Path) -> None:
    log = Log()
    async with storing(tmp_path, agree=log.agree) as store:
        log.fenced = True

        with pytest.raises(NotOwner):
            await store.do(Confirm())


async def test_what_stands_in_the_log_and_cannot_be_committed_is_answered_and_not_appended_again(
    tmp_path: Path,
) -> None:
    log = Log()
    async with storing(tmp_path, agree=log.agree) as store:
        number = await store.workspace()
        agreed = len(log.groups)
        store.disk.broken = StoreFull("the disk is full: No space left on device")

        outcome = await store.do(store.accepting(number, "m1", "m2"))

        assert isinstance(outcome, Accepted)
        assert len(log.groups) == agreed + 1
        assert store.reads.workspace("acme").state.queued == 0
        assert isinstance(store.fatal.get_nowait(), Fenced)
        store.disk.broken = None
        with pytest.raises(NotOwner):
            await store.do(note_of("noted", "later", 1))


async def test_a_transition_that_fails_in_its_group_is_rolled_back_before_anybody_agrees(
    tmp_path: Path,
) -> None:
    log = Log()
    async with storing(tmp_path, agree=log.agree) as store:
        number = await store.workspace()
        agreed = len(log.groups)
        first = await store.hold_up()

        broken = store.put(BeginAttempt("acme", 0))  # type: ignore[arg-type]
        sound = store.put(store.accepting(number, "m1"))
        store.disk.gate.set()

        outcomes = await asyncio.gather(first, broken, sound, return_exceptions=True)
        await asyncio.to_thread(store.ref.ask, Commit(), timeout=TIMEOUT_S)
        assert isinstance(outcomes[2], Accepted)
        assert len(log.groups) == agreed + 2
