"""Who asks wrongly, takes nothing, or stays too long: it harms nobody else, and learns why."""

import asyncio
import stat
from pathlib import Path

import pytest

from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.tests.feed_readers import (
    FEW,
    LONG,
    connected,
    home,
    seqs,
    stuck,
    subscribed,
)
from hookbundle.tests.in_process import until

HELLO = b'{"hello":1}\n'

# ---- what is refused


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"hello\n", ""),
        (b"[]\n", ""),
        (b"\xff\n", ""),
        (b"{}\n", "hello"),
        (b'{"hello":2}\n', "hello"),
        (b'{"hello":1,"format":"xml"}\n', "format"),
        (b'{"hello":1,"sinse":"now"}\n', "sinse"),
        (b'{"hello":1,"since":"yesterday"}\n', "since"),
        (b'{"hello":1,"since":1}\n', "since"),
        (b'{"hello":1,"workspaces":"acme"}\n', "workspaces"),
        (b'{"hello":1,"types":[7]}\n', "types[0]"),
        (b'{"hello":1,"types":["' + b"x" * 99 + b'"]}\n', "types[0]"),
        (b"x" * 40_000 + b"\n", ""),
    ],
)
async def test_a_faulty_hello_is_answered_with_its_fault(
    tmp_path: Path, line: bytes, path: str
) -> None:
    async with home(tmp_path) as at, connected(at.feed_path, line) as feed:
        frames = await feed.hear_all()

    assert [frame["type"] for frame in frames] == ["error"]
    assert [fault["path"] for fault in frames[0]["errors"]] == [path]
    assert frames[0]["detail"]


async def test_a_fault_is_told_in_the_format_asked_for(tmp_path: Path) -> None:
    line = b'{"hello":1,"format":"msgpack","since":"x"}\n'
    async with home(tmp_path) as at, connected(at.feed_path, line, "msgpack") as feed:
        frames = await feed.hear_all()

    assert [frame["type"] for frame in frames] == ["error"]


async def test_who_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    config = FeedConfig(hello_s=0.05)
    async with home(tmp_path, feed=config) as at, connected(at.feed_path, b"{") as feed:
        frames = await feed.hear_all()

    assert [frame["detail"] for frame in frames] == ["input: no hello line came within 0.05 s"]


async def test_there_is_a_limit_to_readers_and_room_again_after(tmp_path: Path) -> None:
    config = FeedConfig(subscribers_max=2, ping_s=0.02)
    async with home(tmp_path, feed=config) as at:
        async with subscribed(at) as one, subscribed(at) as two:
            await one.hear()
            await two.hear()
            async with subscribed(at) as three:
                refused = await three.hear_all()
        await until(lambda: at.daemon.partition.feed.subscribers == 0)
        async with subscribed(at) as four:
            hello = await four.hear()

    assert [frame["type"] for frame in refused] == ["error"]
    assert hello
    assert hello["type"] == "hello"


@pytest.mark.parametrize("has_sent", [b"", b"what nobody reads" * 100])
async def test_a_reader_that_closes_its_connection_frees_its_place_at_once(
    tmp_path: Path, has_sent: bytes
) -> None:
    async with home(tmp_path, feed=FeedConfig(ping_s=1_000)) as at:
        places = at.daemon.fair_limits.feed
        async with connected(at.feed_path, HELLO) as feed:
            await feed.hear()
            assert places.used == 1
            feed.writer.write(has_sent)

        await until(lambda: places.used == 0)


async def test_a_reader_that_closes_its_half_stays(tmp_path: Path) -> None:
    async with (
        home(tmp_path, feed=FeedConfig(ping_s=0.05)) as at,
        connected(at.feed_path, HELLO) as feed,
    ):
        feed.writer.write_eof()
        frames = [await feed.hear() for _ in range(4)]

    assert [frame and frame["type"] for frame in frames] == ["hello", "ping", "ping", "ping"]


async def test_the_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        path = Path(at.feed_path)
        modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)]

    assert modes == [0o600, 0o700]
    assert not path.exists()


# ---- who is slow, and who stops


async def test_a_reader_that_takes_nothing_is_cut_off_and_resumes(tmp_path: Path) -> None:
    config = FeedConfig(pace_s=0.0, blocked_s=0.1, buffer_bytes=FEW)
    async with home(tmp_path, feed=config) as at:
        async with stuck(at) as taking:
            for _ in range(20):
                await at.note(*(LONG for _ in range(50)))
            await until(lambda: at.daemon.partition.feed.subscribers == 0)
            heard = await (await taking()).hear_all()
        async with subscribed(at, since=heard[-1]["cursor"]) as feed:
            rest = await feed.hear_until(at.last_seq)

    assert 0 < len(seqs(heard)) < 1_000
    assert seqs(heard) + seqs(rest) == list(range(1, at.last_seq))


async def test_a_reader_that_takes_nothing_costs_the_others_nothing(tmp_path: Path) -> None:
    config = FeedConfig(pace_s=0.0, buffer_bytes=FEW)
    async with (
        home(tmp_path, feed=config) as at,
        stuck(at),
        subscribed(at, since="oldest") as feed,
    ):
        for _ in range(20):
            await at.note(*(LONG for _ in range(50)))
        frames = await feed.hear_until(at.last_seq)
        lag = at.daemon.status().feed["lag_events_max"]

    assert seqs(frames) == list(range(1, at.last_seq))
    assert lag > 0


async def test_stopping_ends_the_feed_of_everybody_soon(tmp_path: Path) -> None:
    config = FeedConfig(end_within_s=0.2, buffer_bytes=FEW)
    async with (
        home(tmp_path, feed=config) as at,
        stuck(at),
        subscribed(at) as idle,
        connected(at.feed_path, b"") as silent,
        at.session.get("http://hookbundle/v1/events") as stream,
    ):
        await idle.hear()
        await at.note(*(LONG for _ in range(1_000)))
        frames = await idle.hear_until(at.last_seq)
        async with asyncio.timeout(4.0):
            await at.daemon.stop()
            frames += await idle.hear_all()
            await stream.content.read()
            nothing = await silent.hear_all()

    assert seqs(frames) == list(range(2, 1_002))
    assert nothing == []
