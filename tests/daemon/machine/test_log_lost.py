"""Nobody reads the log, or nobody can: the daemon serves, and a stop is a stop."""

import asyncio
import io
import os
import pty
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from hookbundle.commands.daemon.log_stream import LogStream
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, program_in
from hookbundle.tests.running import until_served


@asynccontextmanager
async def logging_to(
    program: Program, log: int, heard: int
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A daemon that is ready, and logs to the descriptor; `heard` reads it until then."""
    process = await asyncio.to_thread(
        subprocess.Popen, [PROGRAM, "run"], env=program.env, stderr=log, start_new_session=True
    )
    os.close(log)
    try:
        await asyncio.to_thread(until_ready, heard)
        yield process
    finally:
        process.kill()
        process.wait(TIMEOUT_S)


def until_ready(heard: int) -> None:
    said = b""
    while b"ready" not in said:
        got = os.read(heard, 4_096)
        assert got, said
        said += got


async def stopped(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(process.wait, TIMEOUT_S)


async def works(program: Program, receiver: HookReceiver) -> None:
    """A message is taken and sent."""
    async with connected(program.socket_path) as session:
        api = Api(session)
        made = await api.ask("PUT", "/v1/workspaces/acme", {"webhook": {"url": receiver.url()}})
        receiver.trust(made.document["secret"])
        taken = await api.ask("POST", "/v1/workspaces/acme/messages", event("m1"))
        assert taken.status == 202
        await receiver.until(1)


async def test_a_daemon_whose_log_has_no_reader_serves_and_stops(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    heard, log = os.pipe()
    async with receiving() as receiver, logging_to(program, log, heard) as process:
        os.close(heard)
        process.send_signal(signal.SIGHUP)  # a reload says something

        await works(program, receiver)
        status = await program("status", "--json")
        code = await stopped(process)

    assert code == 0
    assert not program.socket_path.exists()
    assert status.document["log_lines_lost"] > 0
    assert "log_lost" in [each["code"] for each in status.document["reasons"]]


async def test_a_daemon_whose_terminal_was_closed_serves_and_stops(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    heard, log = pty.openpty()
    async with receiving() as receiver, logging_to(program, log, heard) as process:
        os.close(heard)
        process.send_signal(signal.SIGHUP)

        await works(program, receiver)
        code = await stopped(process)

    assert code == 0


async def test_a_daemon_whose_log_is_not_read_on_serves_and_stops(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    heard, log = os.pipe()
    blocked = os.dup(log)
    async with receiving() as receiver, logging_to(program, log, heard) as process:
        fill(blocked)
        process.send_signal(signal.SIGHUP)

        await works(program, receiver)
        code = await stopped(process)
    os.close(heard)

    assert code == 0


async def test_a_terminal_that_is_halted_stops_nothing(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    heard, log = pty.openpty()
    async with receiving() as receiver, logging_to(program, log, heard) as process:
        os.write(heard, b"\x13")  # control-S
        process.send_signal(signal.SIGHUP)

        await works(program, receiver)
        code = await stopped(process)
    os.close(heard)

    assert code == 0


async def test_lines_that_were_lost_are_counted_once_the_log_is_read_again(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    heard, log = os.pipe()
    blocked = os.dup(log)
    async with logging_to(program, log, heard) as process:
        filled = fill(blocked)
        async with connected(program.socket_path) as session:
            for _ in range(3):
                process.send_signal(signal.SIGHUP)
                await Api(session).get("/v1/status")
        os.close(blocked)
        await asyncio.to_thread(take, heard, filled)
        code = await stopped(process)
    said = [msgspec.json.decode(line) for line in take_all(heard).splitlines()]

    lost = next(line for line in said if line["event"] == "log lines lost")
    assert code == 0
    assert lost["count"] >= 1
    assert said[-1]["event"] == "stopped"


@pytest.mark.parametrize("closed", [(2,), (0, 1, 2)])
async def test_a_daemon_without_descriptors_of_its_own_for_the_log_keeps_its_data_whole(
    tmp_path: Path, closed: tuple[int, ...]
) -> None:
    program = program_in(tmp_path)

    def close() -> None:
        for fd in closed:
            os.close(fd)

    process = await asyncio.to_thread(start_with, program, close)
    async with receiving() as receiver:
        try:
            await until_served(program.socket_path)
            opened = {os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in closed}
            await works(program, receiver)
            code = await stopped(process)
        finally:
            process.kill()
            process.wait(TIMEOUT_S)
    checked = await program("check")

    assert opened == {"/dev/null"}
    assert code == 0
    assert checked.code == 0


async def test_a_start_that_is_refused_has_its_code_also_without_a_reader(tmp_path: Path) -> None:
    heard, log = os.pipe()
    os.close(heard)
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "run", env={**program_in(tmp_path, SMTP__PORT="many").env}, stderr=log
    )
    os.close(log)

    assert await asyncio.wait_for(process.wait(), TIMEOUT_S) == 2


def test_a_write_that_fails_is_a_lost_line() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, io.TextIOWrapper(full) as text:
        stream = LogStream(text)

        stream.write("a line\n")  # ENOSPC

    assert stream.lost == 1


def start_with(program: Program, before: Callable[[], None]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([PROGRAM, "run"], env=program.env, preexec_fn=before)


def fill(pipe: int) -> int:
    """The pipe takes nothing more; returns how many bytes it took."""
    os.set_blocking(pipe, False)
    took = 0
    try:
        while True:
            took += os.write(pipe, b"x" * 4_096)
    except BlockingIOError:
        os.set_blocking(pipe, True)
        return took


def take(pipe: int, size: int) -> None:
    while size > 0:
        size -= len(os.read(pipe, size))


def take_all(pipe: int) -> bytes:
    said = b""
    while got := os.read(pipe, 65_536):
        said += got
    os.close(pipe)
    return said
