"""The installed program starts on a database of 0.1.0: what operators and systemd see meanwhile."""

import asyncio
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hookbundle.storage.database.files import DATA, MARKER, OLD
from hookbundle.tests.daemon import held_upgrade
from hookbundle.tests.in_process import connected, facts_of
from hookbundle.tests.program import TIMEOUT_S, Program, program_in
from hookbundle.tests.running import Running, running, started
from hookbundle.tests.service_manager import NotifySocket
from hookbundle.tests.storage.fixtures.make import HERE

RELEASED = HERE / "schema-1"
FULL_DISK = """
import os, sys, types
from hookbundle import cli
os.statvfs = lambda path: types.SimpleNamespace(f_bavail=1, f_frsize=4096)
cli.main(sys.argv[1:], prog_name="hookbundle")
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Its data directory is one of 0.1.0."""
    (tmp_path / "data").mkdir()
    for name in (DATA, MARKER):
        shutil.copy(RELEASED / name, tmp_path / "data")
    return program_in(tmp_path)


@asynccontextmanager
async def held(program: Program, folder: Path) -> AsyncIterator[Running]:
    """A daemon that upgrades its database and does not get on."""
    process = await started(program, command=held_upgrade.command(folder / "gate"))
    try:
        async with connected(program.socket_path) as session:
            daemon = Running(session, process)
            await daemon.says("held")
            yield daemon
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_a_daemon_starts_on_a_database_of_the_first_release(program: Program) -> None:
    async with running(program) as daemon, facts_of(program.socket_path) as facts:
        said = await daemon.says("database upgraded")
        (upgraded,) = await facts.until("daemon.upgraded")
        workspaces = (await daemon.get("/v1/workspaces"))["workspaces"]
    async with running(program) as again:
        await again.get("/v1/status")

    assert re.fullmatch(r"from schema 1 to 2, [\d,]+ records", said["detail"])
    assert upgraded["data"]["detail"] == said["detail"]
    assert workspaces
    assert "database upgraded" not in [line["event"] for line in again.said]


async def test_commands_say_that_the_database_is_being_upgraded(
    program: Program, tmp_path: Path
) -> None:
    async with held(program, tmp_path) as daemon:
        ready = await daemon.ask("GET", "/readyz")
        status = await program("status")
        (tmp_path / "gate").open("wb").close()
        await daemon.says("ready")
        later = await program("status")

    words = r"the database is being upgraded: \d+ % \([\d,]+ of [\d,]+ records\)"
    assert ready.status == 503
    assert re.fullmatch(words, ready.document["detail"])
    assert status.code == 1
    assert re.search(words, status.err)
    assert later.code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_and_the_next_start_begins_again(
    program: Program, tmp_path: Path, number: signal.Signals
) -> None:
    manager = NotifySocket(str(tmp_path / "notify"))
    told = Program({**program.env, "NOTIFY_SOCKET": str(tmp_path / "notify")})
    before = (tmp_path / "data" / DATA).read_bytes()
    try:
        async with held(told, tmp_path) as daemon:
            daemon.process.send_signal(number)
            await daemon.says("upgrade stopped, the old database is unchanged")
            code = await daemon.ended()
        heard = [await manager.hear() for _ in range(2)]
    finally:
        manager.close()
    after = (tmp_path / "data" / DATA).read_bytes()
    async with running(program) as again:
        await again.says("database upgraded")

    assert code == 0
    assert after == before
    assert heard[0].startswith("STATUS=upgrading the database: 0 %\nEXTEND_TIMEOUT_USEC=")
    assert heard[1] == "STOPPING=1\nSTATUS=stopping"


async def test_without_enough_space_the_start_says_so_and_changes_nothing(
    program: Program, tmp_path: Path
) -> None:
    before = (tmp_path / "data" / DATA).read_bytes()
    process = await started(program, command=[sys.executable, "-c", FULL_DISK])
    async with asyncio.timeout(TIMEOUT_S):
        _, said = await process.communicate()
    async with running(program) as again:
        await again.says("database upgraded")

    needed = len(before) * 3 // 2
    words = f"needs {needed:,} bytes of free space on its disk, and there are 4,096"
    assert process.returncode == 1
    assert words in said.decode().splitlines()[-1]
    assert (tmp_path / "data" / OLD).read_bytes() == before
