"""Where `tail` ends, with a feed that sends a few events and no ping."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.commands.feed.ends import End
from hookbundle.commands.feed.tail import Filters
from hookbundle.storage.reads.several.cursors import joined
from hookbundle.tests.program import Program, program_in

EPOCH = "0123456789"
TYPES = ("daemon.started", "workspace.created", "message.received", "delivery.sealed")


def cursor(seq: int, epoch: str = EPOCH) -> str:
    return f"cur_{epoch}{seq:012x}"


def event(seq: int, kind: str) -> dict[str, Any]:
    names = {"workspace": "acme", "chat": "c1", "data": {}, "time": f"2026-11-28T09:00:0{seq}.000Z"}
    names["id"] = f"evt_{EPOCH}{seq:012x}"
    return {"seq": seq, "cursor": cursor(seq), "type": kind, **names}


@asynccontextmanager
async def feed(folder: Path, lost_to: int = 0) -> AsyncIterator[Program]:
    """It has the events TYPES without the first `lost_to`, filters as asked, and then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = msgspec.json.decode(await reader.readline())
        begin = len(TYPES) if hello["since"] == "now" else 0
        frames: list[dict[str, Any]] = [{"type": "hello", "hello": 1, "cursor": cursor(begin)}]
        if begin < lost_to:
            gap = {"type": "gap", "reason": "retention", "from": 1, "to": lost_to}
            frames.append({**gap, "cursor": cursor(lost_to)})
        globs = hello.get("types") or ["*"]
        for seq, kind in enumerate(TYPES, 1):
            if seq > max(begin, lost_to) and any(fnmatchcase(kind, glob) for glob in globs):
                frames.append(event(seq, kind))
        writer.write(b"".join(msgspec.json.encode(frame) + b"\n" for frame in frames))
        writer.close()

    program = program_in(folder)
    program.socket_path.parent.mkdir()
    async with await asyncio.start_unix_server(serve, program.socket_path.with_name("feed.sock")):
        yield program


@pytest.mark.parametrize(
    ("given", "seqs"),
    [
        (("--until", "now"), [1, 2, 3, 4]),
        (("--no-follow", "--type", "delivery.*"), [4]),
        (("--no-follow", "--type", "clock.*"), []),
        (("--no-follow", "--type", "delivery.parked"), []),
        (("--until", cursor(2)), [1, 2]),
        (("--until", cursor(3), "--type", "workspace.*"), [2]),
        (("--until", cursor(0)), []),
        (("--until", "now", "--chat", "c2"), []),
        (("--count", "2", "--since", "oldest"), [1, 2]),
    ],
)
async def test_it_ends_there_and_needs_no_further_event_or_ping(
    tmp_path: Path, given: tuple[str, ...], seqs: list[int]
) -> None:
    async with feed(tmp_path) as program:
        ran = await program("tail", "--json", *given)

    assert ran.code == 0, ran.err
    assert [msgspec.json.decode(line)["seq"] for line in ran.out.splitlines()] == seqs


async def test_it_ends_when_all_up_to_the_end_is_no_longer_kept(tmp_path: Path) -> None:
    async with feed(tmp_path, lost_to=len(TYPES)) as program:
        ran = await program("tail", "--no-follow", "--type", "delivery.*")

    assert (ran.code, ran.out) == (0, "")
    assert "events 1 to 4 are missing: they are no longer kept" in ran.err


async def test_without_an_end_a_feed_that_ends_is_a_failure_with_a_cursor(tmp_path: Path) -> None:
    async with feed(tmp_path) as program:
        ran = await program("tail", "--since", "oldest")

    assert ran.code == 3
    assert f"--since {cursor(4)}" in ran.err


@pytest.mark.parametrize(("glob", "is_taken"), [("delivery.parked", True), ("x.parked", False)])
def test_a_type_may_be_asked_for_by_its_former_name(glob: str, is_taken: bool) -> None:
    filters = Filters(workspaces=(), types=(glob,), chats=())

    assert filters.take(event(1, "delivery.dead_lettered")) is is_taken


def test_an_age_ends_before_the_first_later_event() -> None:
    end = End({EPOCH: 9}, {EPOCH: 9}, at_ms=1_795_856_402_000)  # 2026-11-28T09:00:02Z

    assert [end.is_before(event(seq, "x.y")) for seq in (1, 2, 3)] == [False, False, True]


def test_the_cursor_of_another_database_is_not_taken_for_the_end() -> None:
    end = End({EPOCH: 9}, {EPOCH: 9})

    assert end.is_reached({"cursor": cursor(9)})
    assert not end.is_reached({"cursor": cursor(9, epoch="9876543210")})
    assert not end.is_reached({"cursor": cursor(12)})


def test_the_end_of_a_cluster_is_reached_when_that_of_each_partition_is() -> None:
    other = "9876543210"
    end = End({EPOCH: 9, other: 5}, {EPOCH: 9, other: 5})

    def frame(kind: str, **places: int) -> dict[str, Any]:
        cursors = {0: cursor(places["first"]), 1: cursor(places["second"], other)}
        return {"type": kind, "cursor": joined(cursors)}

    assert not end.is_reached(frame("ping", first=9, second=4))
    assert end.is_reached(frame("ping", first=12, second=5))
    assert not end.is_reached(frame("hello", first=12, second=5))
    assert not end.is_reached({"type": "x.y", "cursor": ""})
    assert not end.is_of_one
    assert end.is_before(event(10, "x.y"))
    assert not end.is_before({**event(6, "x.y"), "id": f"evt_aaaaaaaaaa{6:012x}"})
