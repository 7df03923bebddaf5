"""The file of a socket is removed while the daemon runs: it comes back, and meanwhile is missed."""

import asyncio
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from hookbundle.server.http.sockets.socket_files import EVERY_S, SocketWatch, identity_of
from hookbundle.tests.in_process import connected, daemon_in, facts_of
from hookbundle.tests.program import TIMEOUT_S, program_in
from hookbundle.tests.running import running

AGAIN = "socket made again: its file was gone"
MINUTE_S = 60.0


def remove_files(folder: Path) -> None:
    for name in ("control.sock", "feed.sock"):
        (folder / name).unlink()


@pytest.mark.parametrize("tidy", [remove_files, shutil.rmtree])
async def test_a_reload_makes_files_that_are_gone_again(
    tmp_path: Path, tidy: Callable[[Path], None]
) -> None:
    program = program_in(tmp_path)
    async with running(program) as daemon:
        tidy(tmp_path / "run")

        lost, start = await program("status"), await program("run")
        daemon.process.send_signal(signal.SIGHUP)
        await daemon.says(AGAIN, 2)
        found = await program("status", "--json")
        async with facts_of(program.socket_path) as facts:
            await facts.until("daemon.started")
        daemon.process.terminate()
        code = await daemon.ended()

    pid = str(daemon.process.pid)
    assert (lost.code, start.code) == (3, 6)
    for words in (lost.err, start.err):
        assert f"pid {pid}" in words
        assert f"kill -HUP {pid}" in words
        assert "makes it again within a minute" in words
    assert found.document["ready"] is True
    assert code == 0
    assert list((tmp_path / "run").iterdir()) == []


async def test_files_that_are_gone_come_back_by_themselves(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        daemon = system.daemon
        watch = SocketWatch((daemon.listeners,), every_s=0.01)
        watch.start()
        daemon.listeners.path.unlink()

        async with asyncio.timeout(TIMEOUT_S):
            while identity_of(daemon.listeners.path) is None:
                await asyncio.sleep(0)
        async with (
            connected(daemon.listeners.path) as session,
            session.get("http://h/healthz") as r,
        ):
            status = r.status
        await watch.close()

    assert status == 200
    assert EVERY_S < MINUTE_S / 2


async def test_what_another_put_in_the_place_is_left_alone(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with running(program) as daemon:
        program.socket_path.unlink()
        program.socket_path.write_text("somebody's notes")
        for _ in range(2):
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.says("socket not made again")
        daemon.process.terminate()
        code = await daemon.ended()
        said = [line for line in daemon.said if line["event"] == "socket not made again"]

    assert code == 0
    assert len(said) == 1
    assert "is in the way" in said[0]["error"]
    assert program.socket_path.read_text() == "somebody's notes"


async def test_a_command_without_a_daemon_says_how_to_start_one(tmp_path: Path) -> None:
    program = program_in(tmp_path)

    never = await program("status")
    async with running(program) as daemon:
        daemon.process.kill()
        await daemon.ended()
    killed = await program("status")

    assert (never.code, killed.code) == (3, 3)
    assert "Start it with `hookbundle run`" in never.err
    assert "Start it with `hookbundle run`" in killed.err
