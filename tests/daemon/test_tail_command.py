"""`hookbundle tail`: follows the feed on a terminal or in a pipe, from a given cursor."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.tests.in_process import event
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, Ran, program_in, serving


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


def events(ran: Ran) -> list[dict[str, Any]]:
    """The events that a command with `--json` has printed."""
    assert ran.code == 0, ran
    return [msgspec.json.decode(line) for line in ran.out.splitlines()]


async def next_line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        return (await process.stdout.readline()).decode()


async def next_event(process: Process) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(await next_line(process))
    return found


async def test_it_shows_a_line_for_each_event_from_the_oldest_on(program: Program) -> None:
    await program("workspace", "set", "acme", "--aggregation", "1h")

    async with tailing(program, "--since", "oldest") as tail:
        first, second = await next_line(tail), await next_line(tail)

    assert "daemon.started" in first
    assert "workspace.created  acme" in second


async def test_events_of_a_deleted_workspace_can_be_read(program: Program) -> None:
    await program("workspace", "set", "gone", "--name", "a")
    await program("workspace", "delete", "gone", "--yes")

    shown = await program("tail", "--workspace", "gone", "--no-follow", "--json")

    assert shown.code == 0
    kinds = [each["type"] for each in events(shown)]
    assert kinds[:2] == ["workspace.created", "workspace.deleted"]
    assert {each["workspace"] for each in events(shown)} == {"gone"}


async def test_it_can_be_narrowed_to_workspaces_and_types(program: Program) -> None:
    await program("workspace", "set", "first", "--name", "a")
    await program("workspace", "set", "second", "--name", "b")
    wanted = ("--workspace", "second", "--type", "workspace.*", "--since", "oldest", "--json")

    async with tailing(program, *wanted) as tail:
        found = await next_event(tail)

    assert (found["type"], found["workspace"]) == ("workspace.created", "second")


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


# ---- filters


@pytest.mark.parametrize(
    ("glob", "words"),
    [
        ("delivery.faild", "did you mean delivery.failed"),
        ("delivry.*", "did you mean delivery.*"),
        ("delivery.dead_leterd", "did you mean delivery.dead_lettered"),
        ("Delivery.*", "did you mean delivery.*"),
        ("xyzzy", "known are actor.*, chat.*"),
        ("", "known are actor.*"),
    ],
)
async def test_a_type_that_no_event_has_is_refused(program: Program, glob: str, words: str) -> None:
    ran = await program("tail", "--type", "delivery.*", "--type", glob)

    assert (ran.code, ran.out) == (2, "")
    assert f"there is no event of type '{glob}'" in ran.err
    assert words in ran.err


async def test_an_unknown_workspace_is_refused(program: Program) -> None:
    await program("workspace", "set", "refused", "--aggregation", "1h")

    near = await program("tail", "--workspace", "refsued")
    far = await program("tail", "--workspace", "refused", "--workspace", "xyzzy", "--no-follow")

    assert (near.code, far.code) == (5, 5)
    assert "there is no workspace 'refsued'; did you mean refused" in near.err
    assert "there is no workspace 'xyzzy'; known are: " in far.err


async def test_it_can_be_narrowed_to_chats(program: Program) -> None:
    await program("workspace", "set", "chatty", "--aggregation", "1h")
    given = b"".join(msgspec.json.encode(event(f"m{chat}", chat)) + b"\n" for chat in "abc")
    await program("send", "chatty", given=given)

    shown = await program("tail", "--workspace", "chatty", "--chat", "b", "--no-follow", "--json")
    two = await program("tail", "--chat", "a", "--chat", "c", "--until", "now", "--json")

    assert [each["chat"] for each in events(shown)] == ["b"]
    assert sorted(each["chat"] for each in events(two)) == ["a", "c"]


# ---- the end


async def test_it_ends_at_the_newest_event_though_no_event_is_selected(program: Program) -> None:
    await program("workspace", "set", "ended", "--aggregation", "1h")

    ran = await program("tail", "--no-follow", "--type", "clock.*")
    nothing = await program("tail", "--until", "now", "--since", "now")

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (nothing.code, nothing.out) == (0, "")


async def test_it_ends_after_so_many_events(program: Program) -> None:
    await program("workspace", "set", "counted", "--name", "a")
    await program("workspace", "set", "counted", "--name", "b")
    wanted = ("--workspace", "counted", "--since", "oldest", "--json")

    one = await program("tail", *wanted, "--count", "1")
    two = await program("tail", *wanted, "--count", "2")

    assert [each["type"] for each in events(one)] == ["workspace.created"]
    assert [each["type"] for each in events(two)] == ["workspace.created", "workspace.changed"]


async def test_it_ends_at_a_cursor_and_goes_on_from_there(program: Program) -> None:
    await program("workspace", "set", "cut", "--name", "a")
    await program("workspace", "set", "cut", "--name", "b")
    all_of_it = events(await program("tail", "--no-follow", "--json"))
    cursor = all_of_it[-2]["cursor"]

    before = events(await program("tail", "--until", cursor, "--json"))
    after = events(await program("tail", "--since", cursor, "--no-follow", "--json"))
    nothing = events(await program("tail", "--since", cursor, "--until", cursor, "--json"))

    assert before + after == all_of_it
    assert (len(after), nothing) == (1, [])


async def test_it_ends_at_an_age(program: Program) -> None:
    await program("workspace", "set", "aged", "--aggregation", "1h")

    past = await program("tail", "--until", "-24h")
    present = await program("tail", "--until", "-0s")

    assert (past.code, past.out) == (0, "")
    assert "workspace.created  aged" in present.out


async def test_with_a_cursor_of_another_database_it_says_so_and_shows_all(
    program: Program,
) -> None:
    foreign = f"cur_{'0' * 10}{'f' * 12}"

    ran = await program("tail", "--since", foreign, "--no-follow")
    refused = await program("tail", "--until", foreign)

    assert (ran.code, refused.code) == (0, 2)
    assert "the cursor is of another database" in ran.err
    assert "daemon.started" in ran.out
    assert "a cursor of another database" in refused.err


@pytest.mark.parametrize(
    "given", [("--until", "soon"), ("--until", "-1y"), ("--count", "0"), ("--until", "cur_1")]
)
async def test_an_end_that_is_none_is_a_usage_error(
    program: Program, given: tuple[str, ...]
) -> None:
    ran = await program("tail", *given)

    assert (ran.code, ran.out) == (2, "")
    assert given[0] in ran.err


async def test_a_reader_that_leaves_is_told_how_to_go_on(program: Program) -> None:
    await program("workspace", "set", "left", "--name", "a")
    reading, writing = os.pipe()
    tail = await asyncio.create_subprocess_exec(
        *(PROGRAM, "tail", "--since", "oldest"), env=program.env, stdout=writing, stderr=PIPE
    )
    os.close(writing)
    first = await asyncio.to_thread(os.read, reading, 20)
    os.close(reading)

    await program("workspace", "set", "left", "--name", "b")
    async with asyncio.timeout(TIMEOUT_S):
        _, words = await tail.communicate()

    assert first
    assert tail.returncode == 0
    assert words.decode().startswith("to resume from here: --since cur_")


async def test_an_invalid_since_is_a_usage_error(program: Program) -> None:
    ran = await program("tail", "--since", "yesterday")

    assert ran.code == 2
    assert "since" in ran.err


async def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    ran = await program_in(tmp_path)("tail")

    assert ran.code == 3
    assert "hookbundle run" in ran.err
