"""`hookbundle tail`: follows the feed on a terminal or in a pipe, from a given cursor."""

import asyncio
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, program_in, serving


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("daemon")) as program:
        yield program


@asynccontextmanager
async def tailing(program: Program, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "tail", *arguments, env=program.env, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def next_line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        return (await process.stdout.readline()).decode()


async def next_event(process: Process) -> dict[str, Any]:
    event: dict[str, Any] = msgspec.json.decode(await next_line(process))
    return event


async def test_it_shows_a_line_for_each_event_from_the_oldest_on(program: Program) -> None:
    await program("workspace", "set", "acme", "--aggregation", "1h")

    async with tailing(program, "--since", "oldest") as tail:
        first, second = await next_line(tail), await next_line(tail)

    assert "daemon.started" in first
    assert "workspace.created  acme" in second


async def test_it_can_be_narrowed_to_workspaces_and_types(program: Program) -> None:
    await program("workspace", "set", "first", "--name", "a")
    await program("workspace", "set", "second", "--name", "b")
    wanted = ("--workspace", "second", "--type", "workspace.*", "--since", "oldest", "--json")

    async with tailing(program, *wanted) as tail:
        event = await next_event(tail)

    assert (event["type"], event["workspace"]) == ("workspace.created", "second")


async def test_interrupted_it_says_how_to_go_on_and_then_nothing_is_missed(
    program: Program,
) -> None:
    await program("workspace", "set", "gone-on", "--name", "a")
    wanted = ("--workspace", "gone-on", "--json")
    async with tailing(program, *wanted, "--since", "oldest") as tail:
        first = await next_event(tail)
        tail.send_signal(signal.SIGINT)
        _, words = await tail.communicate()
    await program("workspace", "set", "gone-on", "--name", "b")
    cursor = words.decode().split()[-1]

    async with tailing(program, *wanted, "--since", cursor) as tail:
        second = await next_event(tail)

    assert tail.returncode is not None
    assert cursor == first["cursor"]
    assert (first["type"], second["type"]) == ("workspace.created", "workspace.changed")


async def test_an_invalid_since_is_a_usage_error(program: Program) -> None:
    ran = await program("tail", "--since", "yesterday")

    assert ran.code == 2
    assert "since" in ran.err


async def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    ran = await program_in(tmp_path)("tail")

    assert ran.code == 3
    assert "hookbundle run" in ran.err
