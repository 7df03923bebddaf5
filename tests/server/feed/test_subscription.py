"""The feed on its socket, of a real daemon: who reads, sees everything once."""

import json
import random
from pathlib import Path

import lmdb
import pytest

from hookbundle.actors.store import StoreConfig
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.records import SCHEMA, Identity
from hookbundle.storage.database.retention import Retention
from hookbundle.tests.feed_readers import FEW, LONG, home, seqs, stuck, subscribed

# ---- what is heard


@pytest.mark.parametrize("format", ["ndjson", "msgpack"])
async def test_a_fact_is_heard_in_either_format(tmp_path: Path, format: str) -> None:
    async with home(tmp_path) as at, subscribed(at, format=format) as feed:
        hello = await feed.hear()
        await at.set_up("acme", aggregation="1h")
        await at.send("acme", "chat 1", "m1", "m2")
        created, accepted = await feed.hear(), await feed.hear()

    assert hello
    assert created
    assert accepted
    assert (hello["type"], hello["hello"]) == ("hello", 1)
    names = [
        "seq",
        "cursor",
        "id",
        "type",
        "time",
        "workspace",
        "chat_id",
        "chat",
        "webhook",
        "data",
    ]
    assert list(accepted) == names
    assert accepted["seq"] == created["seq"] + 1
    assert accepted["type"] == "message.received"
    assert (accepted["workspace"], accepted["chat"]) == ("acme", "chat 1")
    assert accepted["data"]["accepted"] == ["m1", "m2"]
    assert accepted["data"]["buffered"] == 2


async def test_numbers_have_no_gap_over_restarts(tmp_path: Path) -> None:
    for run in range(3):
        async with home(tmp_path) as at:
            await at.note(f"run {run}")
            async with subscribed(at, since="oldest") as feed:
                frames = await feed.hear_until(at.last_seq)

    kinds = [frame["type"] for frame in frames[1:]]
    assert seqs(frames) == list(range(1, at.last_seq + 1 - 1))
    assert kinds == ["daemon.started", "test.noted", "daemon.stopped"] * 2 + kinds[:2]


async def test_a_reader_that_comes_back_fifty_times_sees_each_number_once(tmp_path: Path) -> None:
    rng = random.Random(3)
    seen: list[int] = []
    cursor = "oldest"
    async with home(tmp_path) as at:
        for turn in range(50):
            await at.note(*(f"{turn}" for _ in range(rng.randint(1, 12))))
            async with subscribed(at, since=cursor) as feed:
                frames = [await feed.hear() for _ in range(rng.randint(1, 8))]
            for frame in filter(None, frames):
                cursor = frame["cursor"]
                seen += seqs([frame])
        async with subscribed(at, since=cursor) as feed:
            seen += seqs(await feed.hear_until(at.last_seq))

    assert seen == list(range(1, at.last_seq))


async def test_now_is_after_everything_there_is(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        await at.note("before")
        async with subscribed(at) as feed:
            await feed.hear()
            await at.note("after")
            heard = await feed.hear()

    assert heard
    assert heard["data"] == {"detail": "after"}


async def test_an_age_reaches_back_over_the_last_hour(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        await at.note("a moment ago")
        async with subscribed(at, since="-1h") as feed:
            frames = await feed.hear_until(at.last_seq)

    assert seqs(frames) == [1, 2]


async def test_only_what_was_asked_for_is_heard(tmp_path: Path) -> None:
    wanted = {"workspaces": ["blue"], "types": ["message.*", "workspace.created"]}
    async with home(tmp_path) as at:
        for workspace_id in ("acme", "blue"):
            await at.set_up(workspace_id, aggregation="1h")
            await at.set_up(workspace_id, aggregation="2h")
        async with subscribed(at, since="oldest", **wanted) as feed:
            await feed.hear()
            for workspace_id in ("acme", "blue"):
                await at.send(workspace_id, "chat", "m1")
            created, accepted = await feed.hear(), await feed.hear()

    assert created
    assert accepted
    assert (created["type"], created["workspace"]) == ("workspace.created", "blue")
    assert (accepted["type"], accepted["workspace"]) == ("message.received", "blue")


async def test_many_hundred_events_of_one_commit_all_come(tmp_path: Path) -> None:
    async with home(tmp_path) as at, subscribed(at) as feed:
        await feed.hear()
        await at.set_up("acme", aggregation="none")
        await at.send("acme", "chat", *(f"m{number}" for number in range(1_500)))
        frames = await feed.hear_until(at.last_seq)

    sealed = [frame for frame in frames if frame["type"] == "delivery.sealed"]
    assert len(sealed) == 1_500
    assert seqs(frames) == list(range(2, at.last_seq))


async def test_no_text_can_look_like_a_frame(tmp_path: Path) -> None:
    chat = 'c\n{"type":"gap","from":1,"to":9}\n\r\n\u2028\u0085\x00'
    async with home(tmp_path) as at, subscribed(at, types=["m*"]) as feed:
        await feed.hear()
        await at.set_up("acme", aggregation="1h")
        await at.send("acme", chat, 'm\n{"type":"ping"}\n')
        await at.send("acme", "next", "m2")
        first, second = await feed.hear(), await feed.hear()

    assert first
    assert second
    assert first["chat"] == chat
    assert second["chat"] == "next"


async def test_a_client_may_close_its_half_after_the_hello(tmp_path: Path) -> None:
    async with home(tmp_path) as at, subscribed(at) as feed:
        feed.writer.write_eof()
        await feed.hear()
        await at.note("still there?")

        assert (await feed.hear_of("test.noted"))["data"] == {"detail": "still there?"}


# ---- pings and gaps


async def test_a_ping_carries_a_cursor_past_what_was_not_asked_for(tmp_path: Path) -> None:
    config = FeedConfig(ping_s=0.02, pace_s=0.0)
    async with home(tmp_path, feed=config) as at:
        async with subscribed(at, types=["actor.*"]) as feed:
            await feed.hear()
            await at.note("not for you")
            end = at.cursor(at.last_seq)
            ping = await feed.hear_of("ping")
            while ping["cursor"] != end:
                ping = await feed.hear_of("ping")
        async with subscribed(at, since=end) as feed:
            await feed.hear()
            await at.note("next")
            heard = await feed.hear_of("test.noted")

    assert heard["data"] == {"detail": "next"}


async def test_a_reader_is_told_what_retention_took(tmp_path: Path) -> None:
    store = StoreConfig(reserve_bytes=0, floor_bytes=0, retention=Retention(feed_events=5))
    async with home(tmp_path, store=store) as at:
        old = at.cursor(2)
        for number in range(20):
            await at.note(str(number))
        async with subscribed(at, since=old) as feed:
            hello, gap, *events = await feed.hear_until(at.last_seq)

    assert hello["cursor"] == old
    assert (gap["type"], gap["reason"], gap["from"]) == ("gap", "retention", 3)
    assert seqs(events) == list(range(gap["to"] + 1, 22))
    assert gap["cursor"] == at.cursor(gap["to"])


async def test_a_reader_that_lags_behind_retention_is_told_on_the_way(tmp_path: Path) -> None:
    store = StoreConfig(reserve_bytes=0, floor_bytes=0, retention=Retention(feed_events=300))
    config = FeedConfig(pace_s=0.0, buffer_bytes=FEW, events_at_once=50)
    async with home(tmp_path, feed=config, store=store) as at, stuck(at) as taking:
        for _ in range(40):
            await at.note(*(LONG for _ in range(50)))
        frames = await (await taking()).hear_until(at.last_seq)

    gaps = [frame for frame in frames if frame["type"] == "gap"]
    missed = [seq for gap in gaps for seq in range(gap["from"], gap["to"] + 1)]
    assert gaps
    assert sorted(seqs(frames) + missed) == list(range(1, at.last_seq))


async def test_a_cursor_from_before_a_restore_starts_over(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        await at.note("one", "two", "three")
        before = at.cursor(3)
    give_another_epoch(tmp_path / "data")

    async with home(tmp_path) as at, subscribed(at, since=before) as feed:
        hello, gap, first = await feed.hear(), await feed.hear(), await feed.hear()

    assert hello
    assert gap
    assert first
    assert hello["cursor"] == before
    assert (gap["type"], gap["reason"]) == ("gap", "other_database")
    assert first["seq"] == 1


def give_another_epoch(data: Path) -> None:
    """What a restore does to a database."""
    identity = Identity(epoch="feed00feed", schema=SCHEMA, created_ms=0)
    with lmdb.open(str(data), lib_version=0, map_size=1 << 30) as env, env.begin(write=True) as txn:
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
    (data / "identity.json").write_text(json.dumps({"epoch": identity.epoch, "schema": SCHEMA}))
