"""What callers and systemd hear while a database of 0.1.0 is upgraded.

The test stands for the code that writes the database anew, and takes one step after another.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import aiohttp
import pytest

from hookbundle.commands.daemon.notify import Notifier
from hookbundle.commands.daemon.run import showing
from hookbundle.engine.errors import InUse, Unusable
from hookbundle.server.daemon import upgrade
from hookbundle.server.daemon.upgrade import Progress, Upgrade
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.database import files
from hookbundle.storage.maintenance.migration.migrating import Migrated
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api, config_of, connected, event
from hookbundle.tests.service_manager import NotifySocket

HOST = "hooks.example.com"
PART_DONE = "the database is being upgraded: 41 % (410,000 of 1,000,000 records)"


class Steps:
    """Stands for `migrate`: takes the steps that a test gives it, one after another."""

    def __init__(self) -> None:
        self._given: Queue[tuple[int, int] | Exception | Migrated] = Queue()

    def migrate(self, path: Path, now_ms: int, progress: Any) -> Migrated:
        while True:
            try:
                match self._given.get(timeout=TIMEOUT_S):
                    case Migrated() as migrated:
                        return migrated
                    case Exception() as error:
                        raise error
                    case done, records:
                        progress(done, records)
            finally:
                self._given.task_done()

    async def take(self, step: tuple[int, int] | Exception | Migrated) -> None:
        self._given.put(step)
        await asyncio.to_thread(self._given.join)


@dataclass(slots=True)
class Upgrading(Api):
    """An upgrade under way in this process."""

    of: Upgrade
    steps: Steps
    stop: asyncio.Event
    result: "asyncio.Task[Any]"

    @property
    def base(self) -> str:
        assert self.of.listeners is not None
        assert self.of.listeners.tcp is not None
        host, port = self.of.listeners.tcp
        return f"http://{host}:{port}"


def ignored(progress: Progress) -> None:
    """Nobody is told of the progress."""


@asynccontextmanager
async def upgrade_in(
    folder: Path, report: Callable[[Progress], None] = ignored, **options: float
) -> AsyncIterator[Upgrading]:
    (folder / "data").mkdir(exist_ok=True)
    path = folder / "run" / "control.sock"
    listeners = ListenersConfig(path, "127.0.0.1:0", guard=GuardLimits(hosts=(HOST,)))
    steps, stop, begun = Steps(), asyncio.Event(), asyncio.Event()

    def reported(progress: Progress) -> None:
        report(progress)
        begun.set()

    config = config_of(folder, listeners=listeners)
    of = Upgrade(config, stop, reported, steps.migrate, **options)
    result = asyncio.ensure_future(of.run(0))
    async with asyncio.timeout(TIMEOUT_S), connected(path) as session:
        await begun.wait()
        try:
            yield Upgrading(session, of, steps, stop, result)
        finally:
            if not result.done():
                await steps.take(Migrated(0, ()))
                await result


# ---- what is answered


async def test_probes_see_a_live_daemon_that_is_not_ready_and_how_far_it_is(tmp_path: Path) -> None:
    async with upgrade_in(tmp_path) as upgrading:
        first = await upgrading.ask("GET", "/readyz")
        await upgrading.steps.take((410_000, 1_000_000))
        alive, ready = [await upgrading.ask("GET", path) for path in ("/healthz", "/readyz")]

    assert (alive.status, alive.document) == (200, {"status": "alive"})
    assert (first.status, first.document["detail"]) == (503, "the database is being upgraded: 0 %")
    assert (ready.status, ready.document["detail"]) == (503, PART_DONE)
    assert ready.headers["content-type"] == "application/problem+json"
    assert int(ready.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/status"),
        ("POST", "/v1/workspaces/acme/messages"),
        ("GET", "/console"),
        ("GET", "/metrics"),
        ("POST", "/healthz"),
        ("DELETE", "/nothing"),
    ],
)
async def test_all_other_requests_are_to_be_sent_again_later(
    tmp_path: Path, method: str, path: str
) -> None:
    async with upgrade_in(tmp_path) as upgrading, aiohttp.ClientSession() as session:
        await upgrading.steps.take((410_000, 1_000_000))
        here = await upgrading.ask(method, path, event("m1"))
        async with session.request(method, f"{upgrading.base}{path}") as there:
            there_says = await there.json(content_type="application/problem+json")

    assert (here.status, here.document["detail"]) == (there.status, there_says["detail"])
    assert (here.status, here.document["detail"]) == (503, PART_DONE)
    assert int(there.headers["Retry-After"]) > 0
    assert there.headers["Server"] == "hookbundle"


async def test_a_request_for_another_host_is_refused_as_ever(tmp_path: Path) -> None:
    async with upgrade_in(tmp_path) as upgrading, aiohttp.ClientSession() as session:

        async def status(host: str) -> int:
            async with session.get(f"{upgrading.base}/healthz", headers={"Host": host}) as answer:
                return answer.status

        assert [await status(host) for host in (HOST, "evil.example")] == [200, 421]


# ---- how it ends


async def test_it_ends_with_a_fact_and_closed_listeners(tmp_path: Path) -> None:
    unreadable = tuple(f"r{number}" for number in range(1, 13))
    async with upgrade_in(tmp_path) as upgrading:
        await upgrading.steps.take(Migrated(1_234, unreadable))
        fact = await upgrading.result

    listed = "r1, r2, r3, r4, r5, r6, r7, r8, r9, r10 and 2 more"
    words = f"1,234 records; 12 could not be read and are left out: {listed}"
    assert fact.detail == f"from schema 1 to 2, {words}"
    assert not (tmp_path / "run" / "control.sock").exists()


async def test_a_stop_ends_it_between_two_records(tmp_path: Path) -> None:
    async with upgrade_in(tmp_path) as upgrading:
        upgrading.stop.set()
        await upgrading.steps.take((1, 2))
        upgraded = await upgrading.result

    assert upgraded is None
    assert not (tmp_path / "run" / "control.sock").exists()


async def test_what_goes_wrong_is_said_by_the_start_and_no_listener_stays_open(
    tmp_path: Path,
) -> None:
    async with upgrade_in(tmp_path) as upgrading:
        await upgrading.steps.take(Unusable("the upgrade needs 5 GB of free space"))
        with pytest.raises(Unusable, match="needs 5 GB"):
            await upgrading.result

    assert not (tmp_path / "run" / "control.sock").exists()


async def test_a_second_daemon_hears_of_the_first_one(tmp_path: Path) -> None:
    async with upgrade_in(tmp_path) as upgrading:
        again = Upgrade(config_of(tmp_path), upgrading.stop, ignored, upgrading.steps.migrate)
        with files.locked(tmp_path / "data"), pytest.raises(InUse, match="in use by the process"):
            await again.run(0)


# ---- what systemd hears


async def test_the_service_manager_waits_while_it_advances(tmp_path: Path) -> None:
    manager = NotifySocket(str(tmp_path / "notify"))
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"})
    try:
        async with upgrade_in(tmp_path, showing(notifier), report_s=0.01) as upgrading:
            begun = await manager.hear()
            await upgrading.steps.take((41, 100))
            while "41 %" not in (advancing := await manager.hear()):
                pass
    finally:
        manager.close()

    more = "EXTEND_TIMEOUT_USEC=60000000\nWATCHDOG=1"
    assert begun == f"STATUS=upgrading the database: 0 %\n{more}"
    assert advancing == f"STATUS=upgrading the database: 41 %\n{more}"


async def test_the_service_manager_waits_for_a_sync_but_for_nothing_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade, "STALLED_S", 0.0)
    manager = NotifySocket(str(tmp_path / "notify"))
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    try:
        async with upgrade_in(tmp_path, showing(notifier), report_s=0.01) as held:
            hanging = await manager.hear()
            await held.steps.take((100, 100))
            while "100 %" not in (syncing := await manager.hear()):
                pass
    finally:
        manager.close()

    assert hanging == "STATUS=upgrading the database: 0 %"
    assert syncing == "STATUS=upgrading the database: 100 %\nEXTEND_TIMEOUT_USEC=60000000"
