"""Readiness under each way to stand still, and under a herd that is none."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
import pytest

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.conditions import STANDSTILL_MS
from hookbundle.server.daemon.partition import Partition
from hookbundle.storage.database.environment import Environment
from hookbundle.tests.actors.stores import TIMEOUT_S, Disk
from hookbundle.tests.in_process import HOUR_MS, Answer, System, daemon_in, event, receiving
from hookbundle.tests.reliability.harness.failing_calls import FailingDisk, Fault
from hookbundle.tests.storage.scratch import ScratchDatabase

STEP_MS = 4_000
STEPS = STANDSTILL_MS // STEP_MS + 2
HERD = 10_000  # windows; a commit seals some six hundred


class SynchronisedClock(MovableClock):
    def is_synchronised(self) -> bool:
        return True


def on(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    """The daemon's database is on a disk of this kind."""
    plain = Partition._open_environment

    def opened(self: Partition) -> Environment:
        made: Environment = kind(plain(self))
        return made

    monkeypatch.setattr(Partition, "_open_environment", opened)


async def after_a_while(system: System, *, stores: bool = False) -> list[Answer]:
    """What `/readyz` says, again and again, until longer than a standstill may last.

    `stores`: the Store does what it has to before each step, however slow the machine is.
    """
    answers = []
    for _ in range(STEPS):
        answers.append(await system.ask("GET", "/readyz"))
        if stores:
            await system.daemon.pulse()
        system.clock.move(STEP_MS)
    return answers


def codes(answer: Answer) -> list[str]:
    assert answer.status == 503
    return [each["code"] for each in answer.document["reasons"]]


async def test_a_commit_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, Disk)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        disk = system.daemon.partition.env
        assert isinstance(disk, Disk)
        disk.hold_up()
        waiting = asyncio.ensure_future(system.accept("acme", event("m1")))
        await disk.held_up()
        answers = await after_a_while(system)
        status = await system.get("/v1/status")
        disk.gate.set()
        await waiting
        again = await system.ask("GET", "/readyz")

    assert answers[0].status == 200
    assert codes(answers[-1]) == ["standstill"]
    assert "transition" in answers[-1].document["detail"]
    assert status["oldest"]["age_ms"] >= STANDSTILL_MS
    assert again.status == 200


async def test_a_timer_that_is_gone_is_told_though_messages_are_stored(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))
        alarm = system.daemon.partition.timer_state.alarm
        assert alarm is not None
        alarm.cancel()
        system.clock.move(HOUR_MS)
        answers = []
        for step in range(STEPS):
            answers.append(await system.ask("GET", "/readyz"))
            await system.accept("acme", event(f"n{step}", chat_id="other"))
            system.clock.move(STEP_MS)
        status = await system.get("/v1/status")

    assert answers[0].status == 200
    assert codes(answers[-1]) == ["standstill"]
    assert "window" in answers[-1].document["detail"]
    assert status["oldest"]["kind"] == "window"


async def test_a_webhook_that_nobody_wakes_is_told(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        system.daemon.partition.timer_state.alarm.cancel()  # type: ignore[union-attr]
        webhooks = system.daemon.partition.virtual_actors.webhooks
        webhooks.tell = lambda key, message: None  # type: ignore[method-assign]
        await system.accept("acme", event("m1"))
        answers = await after_a_while(system) + await after_a_while(system)

    assert answers[STEPS - 1].status == 200
    assert codes(answers[-1]) == ["standstill"]
    assert "attempt" in answers[-1].document["detail"]


async def test_a_row_that_cannot_be_acted_on_is_no_standstill_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, Disk)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))
        disk = system.daemon.partition.env
        assert isinstance(disk, Disk)
        with disk.write() as txn:
            cursor = txn.cursor()
            assert cursor.set_range(b"B")
            key = bytes(cursor.key())
        disk.damage(key)
        system.clock.move(HOUR_MS)
        status = await system.get("/v1/status")
        async with asyncio.timeout(20):
            while "records_damaged" not in [each["code"] for each in status["reasons"]]:
                status = await system.get("/v1/status")
        answers = await after_a_while(system, stores=True)
        status = await system.get("/v1/status")

    assert {answer.status for answer in answers} == {200}
    assert "records_damaged" in [each["code"] for each in status["reasons"]]


async def test_a_held_clock_is_told_and_how_to_go_on(tmp_path: Path) -> None:
    stored_years_ahead(tmp_path)
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("GET", "/readyz")
        metrics = (await system.ask("GET", "/metrics")).body.decode()

    assert codes(answer) == ["clock_held"]
    assert "--trust-clock" in answer.document["detail"]
    assert 'hookbundle_reason{code="clock_held"} 1.0' in metrics


async def test_a_start_goes_by_a_clock_that_a_time_server_keeps(tmp_path: Path) -> None:
    stored_years_ahead(tmp_path)
    async with daemon_in(tmp_path, SynchronisedClock()) as system:
        answer = await system.ask("GET", "/readyz")
        last_ms = system.daemon.partition.reads.meta().last_ms

    assert answer.status == 200
    assert last_ms <= system.clock.now_ms()


def stored_years_ahead(folder: Path) -> None:
    db = ScratchDatabase(folder / "data")
    db.now_ms = time.time_ns() // 1_000_000 + 3 * 365 * 24 * HOUR_MS
    db.workspace()
    db.close()


@pytest.mark.parametrize("code", [30, 5, 9])  # EROFS, EIO with room on the disk, EBADF
async def test_a_store_that_cannot_commit_ends_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    on(monkeypatch, FailingDisk)

    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        disk = system.daemon.partition.env
        assert isinstance(disk, FailingDisk)
        disk.fault = Fault(lambda: lmdb_error(code), 1, lasting=True)
        refused = await system.ask("POST", "/v1/workspaces/acme/messages", [event("m1")])
        failed = await asyncio.wait_for(system.daemon.failed, 20)
        answer = await system.ask("GET", "/readyz")
        disk.fault = None

    assert refused.status == 503
    assert "the store can't commit" in str(failed)
    assert codes(answer) == ["store_failed"]


async def test_one_commit_that_fails_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, FailingDisk)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        disk = system.daemon.partition.env
        assert isinstance(disk, FailingDisk)
        disk.fault = Fault(lambda: lmdb_error(5), 1)
        await system.accept("acme", event("m1"))
        answer = await system.ask("GET", "/readyz")

    assert disk.fault.hit
    assert answer.status == 200


def lmdb_error(code: int) -> Exception:
    error: Any = lmdb.Error("mdb_txn_commit: failed")
    error.code = code
    assert isinstance(error, lmdb.Error)
    return error


async def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, Disk)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        disk = system.daemon.partition.env
        assert isinstance(disk, Disk)
        disk.full = True
        refused = await system.ask("POST", "/v1/workspaces/acme/messages", [event("m1")])
        answer = await system.ask("GET", "/readyz")
        disk.full = False

    assert refused.status == 507
    assert codes(answer) == ["intake_closed"]


class Stepped(Disk):
    """Once `steps`, each commit arrives, waits until it may go, and is then made."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.steps = False
        self._arrived, self._may_go, self._made = (threading.Semaphore(0) for _ in range(3))

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        steps = self.steps
        with super().write() as txn:
            yield txn
            if steps:
                self._arrived.release()
                assert self._may_go.acquire(timeout=TIMEOUT_S)
        if steps:
            self._made.release()

    async def arrived(self) -> None:
        assert await asyncio.to_thread(self._arrived.acquire, timeout=TIMEOUT_S)

    async def go(self) -> None:
        self._may_go.release()
        assert await asyncio.to_thread(self._made.acquire, timeout=TIMEOUT_S)

    def go_all(self) -> None:
        self.steps = False
        self._may_go.release(2)  # the one that may be at it


async def test_a_herd_of_windows_due_at_once_is_no_standstill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, Stepped)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h", enabled=False)
        await system.accept("acme", *(event("m", chat_id=f"c{n}") for n in range(HERD)))
        disk, meta = system.daemon.partition.env, system.daemon.partition.reads.meta
        assert isinstance(disk, Stepped)
        disk.steps = True
        system.clock.move(HOUR_MS)
        herd_ms, said = system.clock.now_ms(), []
        while meta().windows > 0:  # each commit takes eight seconds on this clock
            await disk.arrived()
            said.append((await system.ask("GET", "/readyz")).status)
            system.clock.move(8_000)
            await disk.go()
        took_ms = system.clock.now_ms() - herd_ms
        disk.go_all()

    assert set(said) == {200}
    assert took_ms > 2 * STANDSTILL_MS


async def test_without_smtp_people_are_told_wherever_they_look(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500)
        await system.make("acme", receiver)
        status = await system.get("/v1/status")
        ready = await system.ask("GET", "/readyz")

    assert [each["code"] for each in status["reasons"]] == ["smtp_not_set"]
    assert ready.status == 200
