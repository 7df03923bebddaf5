"""Streams of a cluster's feed while partitions move, and while copies are not where owners are."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hookbundle.server.cluster.feed import pages, part
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.reads.feed import parse_cursor
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import event
from hookbundle.tests.server.cluster.feed.hearing import heard, of
from hookbundle.tests.server.cluster.in_memory import MemoryLog
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, two


async def test_a_stream_goes_on_while_its_partitions_move_to_another_node(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        async with at.reading(since="oldest") as feed:
            found = await heard(feed, "workspace.created", len(NAMES))
            await at.nodes[1].stop()
            for name in NAMES:
                await at.apis[0].accept(name, event("m1"))
            found += await heard(feed, "message.received", len(NAMES))

    ids = [frame["id"] for frame in found if "id" in frame]
    assert len(ids) == len(set(ids))
    assert of(found, "message.received") == NAMES


async def test_who_read_a_copy_that_is_ahead_of_its_owner_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy may have a group before its owner has: the log has it, and has not said so yet."""
    monkeypatch.setattr(part, "WAIT_S", 0.05)
    acked = asyncio.Event()
    acked.set()
    publish = MemoryLog.publish

    async def published(log: MemoryLog, *entry: Any) -> Any:
        answer = await publish(log, *entry)
        await acked.wait()
        return answer

    monkeypatch.setattr(MemoryLog, "publish", published)
    is_ahead, caught_up = asyncio.Event(), pages._caught_up

    async def seen(owned: Owned, since: str) -> None:
        if parse_cursor(since)[1] >= owned.partition.feed.next:
            is_ahead.set()
        await caught_up(owned, since)

    monkeypatch.setattr(pages, "_caught_up", seen)
    async with two(tmp_path) as at:
        await at.made()
        owned = at.nodes[1].owned
        name = next(each for each in NAMES if of_workspace(each, PARTITIONS) in owned)
        async with at.reading(since="oldest", workspaces=[name]) as feed:
            found = await heard(feed, "workspace.created", 1)
            acked.clear()
            accepting = asyncio.create_task(at.apis[1].accept(name, event("m1")))
            found += await heard(feed, "message.received", 1)
            is_answered = accepting.done()
            async with asyncio.timeout(TIMEOUT_S):
                await is_ahead.wait()
            acked.set()
            await accepting
            await at.apis[1].accept(name, event("m2"))
            found += await heard(feed, "message.received", 1)

    ids = [frame["id"] for frame in found if "id" in frame]
    assert not is_answered
    assert len(ids) == len(set(ids))
    assert "gap" not in {frame["type"] for frame in found}
