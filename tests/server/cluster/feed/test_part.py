"""One partition of a reader's feed: when its node's own copy answers, and when the owner does."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.engine.errors import CorruptRecord
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.feed import pages, part
from hookbundle.server.cluster.feed.pages import Page, Wanted
from hookbundle.server.cluster.feed.part import Common, Part
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.server.console.pages.recent import news
from hookbundle.storage.reads.feed import FeedPage, FeedReader
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.feed.hearing import heard
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, Two, two

NAME = NAMES[0]
NUMBER = of_workspace(NAME, PARTITIONS)


def follower_at(made: Two) -> int:
    """Which of the nodes does not own the partition."""
    return next(at for at, node in enumerate(made.nodes) if NUMBER not in node.owned)


async def copied(made: Two) -> FeedReader:
    """The feed of the copy, which has all that the owner has."""
    at = follower_at(made)
    env = made.nodes[at].followed(NUMBER)
    assert env is not None
    copy, feed = FeedReader(env), made.nodes[1 - at].owned[NUMBER].partition.feed
    await until(lambda: copy.ends().next == feed.next)
    return copy


async def test_who_comes_from_another_database_is_told_so_also_where_there_is_a_copy(
    tmp_path: Path,
) -> None:
    """Of a backup that was restored, for one: the number says nothing about this database."""
    async with two(tmp_path) as made:
        await made.made()
        await copied(made)
        since = f"cur_other{1:012x}"
        async with made.reading(follower_at(made), since=since, workspaces=[NAME]) as feed:
            found = await heard(feed, "workspace.created", 1)

    gap = found[1]
    assert (gap["type"], gap.get("reason")) == ("gap", "other_database")
    assert found[-1]["workspace"] == NAME


async def test_an_open_page_that_comes_from_long_ago_has_no_copy_read_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "BACK_MOST", 2)
    read, places = FeedReader.read, list[int]()

    def counted(self: FeedReader, after: int, *more: Any) -> FeedPage:
        places.append(after)
        return read(self, after, *more)

    async with two(tmp_path) as made:
        await made.made()
        for number in range(4):
            await made.apis[0].ask("PATCH", f"/v1/workspaces/{NAME}", {"name": f"name {number}"})
        copy = await copied(made)
        await made.sign_in(await made.token(NAME))
        visitor = made.elsewhere(NAME)
        path = f"{visitor.url}/console/w/{NAME}/news?since={copy.cursor(1)}"
        newest = copy.ends().next - 1
        monkeypatch.setattr(FeedReader, "read", counted)
        async with asyncio.timeout(TIMEOUT_S), visitor.session.get(path) as stream:
            await stream.content.readuntil(b"\n\n")
            first = await stream.content.readuntil(b"\n\n")

    assert first.startswith(b"event: changed")
    assert all(after >= newest - 2 for after in places), places


async def test_who_waits_no_more_at_an_owner_leaves_its_place_to_another_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without one a reader asks every second, and hears of everything that much later."""
    monkeypatch.setattr(part, "WAITS_MAX", 1)
    monkeypatch.setattr(part, "POLL_S", 0.0)
    waits, is_waiting, never = list[float](), asyncio.Event(), asyncio.Event()
    nothing = msgspec.msgpack.encode(Page((), (), "cur_a000000000001"))

    async def ask(number: int, asked: Asked) -> Answered:
        waits.append(msgspec.msgpack.decode(asked.body, type=Wanted).wait_s)
        if len(waits) == 1:
            is_waiting.set()
            await never.wait()
        return Answered(200, (), nothing)

    common = Common()
    one, other = (
        Part(number, Wanted("oldest"), ask, lambda number: None, common) for number in (0, 1)
    )
    waiting = asyncio.create_task(one.next())
    await is_waiting.wait()
    await other.next()
    waiting.cancel()
    await asyncio.wait([waiting])
    await other.next()
    await other.next()

    assert waits == [part.WAIT_S, 0.0, part.WAIT_S, part.WAIT_S]


async def test_what_a_damaged_copy_can_not_read_comes_from_the_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        copy, read = await copied(made), FeedReader.read
        damaged = made.nodes[follower_at(made)].followed(NUMBER)

        def failing(self: FeedReader, *given: Any) -> FeedPage:
            if self.env is damaged:
                raise CorruptRecord("a page can't be read")
            return read(self, *given)

        monkeypatch.setattr(FeedReader, "read", failing)
        since = copy.cursor(0)
        async with made.reading(follower_at(made), since=since, workspaces=[NAME]) as feed:
            found = await heard(feed, "workspace.created", 1)

    assert found[-1]["workspace"] == NAME


async def test_who_comes_from_a_place_that_was_never_reached_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was given up when its log began anew, for one: nobody waits for that for ever."""
    monkeypatch.setattr(pages, "AHEAD_S", 0.05)
    async with two(tmp_path) as made:
        await made.made()
        since = (await copied(made)).cursor(1_000_000)
        async with made.reading(since=since, workspaces=[NAME]) as feed:
            found = await heard(feed, "gap", 1)

    assert found[-1]["reason"] == "other_database"
