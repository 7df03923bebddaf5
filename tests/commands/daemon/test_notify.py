"""Notifications to the service manager, received on a real datagram socket."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.commands.daemon import run
from hookbundle.commands.daemon.notify import Notifier
from hookbundle.engine.errors import StorageError
from hookbundle.server.daemon.way_out import Process
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.service_manager import NotifySocket


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[NotifySocket]:
    manager = NotifySocket(str(tmp_path / "notify"))
    yield manager
    manager.close()


def environ(folder: Path, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(folder / "notify"), **more}


async def test_a_notification_reaches_the_manager(manager: NotifySocket, tmp_path: Path) -> None:
    Notifier(environ(tmp_path)).notify("READY=1", "STATUS=well")

    assert await manager.hear() == "READY=1\nSTATUS=well"


async def test_an_address_may_be_abstract() -> None:
    name = f"hookbundle-test-{os.getpid()}"
    manager = NotifySocket(f"\0{name}")
    try:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).notify("READY=1")

        assert await manager.hear() == "READY=1"
    finally:
        manager.close()


def test_without_a_manager_nothing_is_said(tmp_path: Path) -> None:
    Notifier({}).notify("READY=1")
    Notifier(environ(tmp_path)).notify("READY=1")  # it is gone


def test_the_watchdog_of_another_process_is_not_ours(tmp_path: Path) -> None:
    wanted = {"WATCHDOG_USEC": "3000000"}
    ours = environ(tmp_path, **wanted, WATCHDOG_PID=str(os.getpid()))
    theirs = environ(tmp_path, **wanted, WATCHDOG_PID="1")

    assert Notifier(ours).watchdog_s == 3.0
    assert Notifier(theirs).watchdog_s is None
    assert Notifier(wanted).watchdog_s is None


async def test_a_sign_of_life_follows_each_commit(manager: NotifySocket, tmp_path: Path) -> None:
    commits = asyncio.Semaphore(0)
    notifier = Notifier(environ(tmp_path, WATCHDOG_USEC="2000"))
    alive = asyncio.ensure_future(notifier.stay_alive(lambda: _acquired(commits)))
    try:
        silent = not manager.has_heard()
        for _ in range(3):
            commits.release()
            assert await manager.hear() == "WATCHDOG=1"
    finally:
        alive.cancel()

    assert silent
    assert not manager.has_heard()


async def test_a_store_that_can_not_commit_is_no_sign_of_life(
    manager: NotifySocket, tmp_path: Path
) -> None:
    tries = 0
    enough = asyncio.Event()

    async def pulse() -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            enough.set()
        raise StorageError("the disk is on fire")

    alive = asyncio.ensure_future(
        Notifier(environ(tmp_path, WATCHDOG_USEC="2000")).stay_alive(pulse)
    )
    await asyncio.wait_for(enough.wait(), TIMEOUT_S)
    alive.cancel()

    assert not manager.has_heard()


async def _acquired(commits: asyncio.Semaphore) -> None:
    await commits.acquire()


class Waiting(Process):
    """A node whose log servers are not there yet."""

    waits_for_others = True

    def __init__(self) -> None:
        self.are_there = asyncio.Event()

    async def start(self) -> None:
        await self.are_there.wait()


async def test_a_start_that_waits_for_others_is_waited_for(
    manager: NotifySocket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "STILL_S", 0.01)
    node = Waiting()
    starting = asyncio.create_task(run.started(node, asyncio.Event(), Notifier(environ(tmp_path))))
    said = [await manager.hear() for _ in range(3)]
    node.are_there.set()

    assert await starting
    assert set(said) == {"STATUS=waits for the log servers\nEXTEND_TIMEOUT_USEC=60000000"}
