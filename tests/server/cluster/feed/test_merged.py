"""The feed of a cluster: all partitions in one stream, from whichever node it is read."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hookbundle.server.cluster.feed import part
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.reads.several.cursors import parted
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import event
from hookbundle.tests.server.cluster.feed.hearing import heard, of
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, two


async def test_the_events_of_all_partitions_are_in_one_stream(tmp_path: Path) -> None:
    async with two(tmp_path) as at, at.reading(since="oldest") as feed:
        await at.made()
        found = await heard(feed, "workspace.created", len(NAMES))
        for name in NAMES:
            await at.apis[1].accept(name, event("m1"))
        later = await heard(feed, "message.received", len(NAMES))

    assert found[0]["type"] == "hello"
    assert parted(found[0]["cursor"], PARTITIONS).keys() == set(range(PARTITIONS))
    assert of(found, "workspace.created") == NAMES
    assert of(later, "message.received") == NAMES
    assert {of_workspace(name, PARTITIONS) for name in NAMES} == set(range(PARTITIONS))


async def test_who_goes_on_at_a_cursor_misses_nothing_and_hears_nothing_twice(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as at:
        await at.made()
        async with at.reading(since="oldest") as feed:
            before = await heard(feed, "workspace.created", len(NAMES))
            while not before[-1]["cursor"]:
                frame = await feed.hear()
                assert frame is not None
                before.append(frame)
        for name in NAMES:
            await at.apis[0].accept(name, event("m1"))
        async with at.reading(1, since=before[-1]["cursor"]) as feed:
            after = await heard(feed, "message.received", len(NAMES))

    ids = [frame["id"] for frame in (*before, *after) if "id" in frame]
    assert len(ids) == len(set(ids))
    assert of(after, "message.received") == NAMES
    assert of(after, "workspace.created") == []


async def test_a_reader_of_one_workspace_has_the_cursors_of_its_partition(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        for name in NAMES:
            async with at.reading(since="oldest", workspaces=[name]) as feed:
                found = await heard(feed, "workspace.created", 1)
            async with at.reading(1, since=found[-1]["cursor"], workspaces=[name]) as feed:
                await at.apis[0].accept(name, event("m1"))
                later = await heard(feed, "message.received", 1)

            cursors = {frame["cursor"][:4] for frame in (*found, *later)}
            assert cursors == {"cur_"}
            assert {frame["workspace"] for frame in later if "id" in frame} == {name}


@pytest.mark.parametrize("since", ["curs_", "curs_AAAA", "yesterday", "cur_00112233440000000000ff"])
async def test_what_is_no_place_in_all_partitions_is_refused(tmp_path: Path, since: str) -> None:
    async with two(tmp_path) as at, at.reading(since=since) as feed:
        first = await feed.hear()

    assert first is not None
    assert first["type"] == "error"
    assert first["errors"][0]["path"] == "since"


async def test_filters_that_nothing_will_match_are_refused(tmp_path: Path) -> None:
    wanted: dict[str, Any] = {
        "workspaces": ["ws0", "nobody"],
        "types": ["no.such"],
        "webhooks": ["none"],
    }
    async with two(tmp_path) as at:
        await at.made()
        async with at.reading(**wanted) as feed:
            frames = await feed.hear_all()
        streamed = await at.apis[1].ask("GET", "/v1/events?workspace=nobody")

    paths = [fault["path"] for fault in frames[0]["errors"]]
    assert paths == ["types[0]", "workspaces[1]", "webhooks[0]"]
    assert streamed.status == 422


async def test_a_partition_that_does_not_answer_is_named_and_its_events_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "SILENT_S", 0.0)
    monkeypatch.setattr(part, "WAIT_S", 0.1)
    monkeypatch.setattr("hookbundle.server.cluster.routing.OWNER_WITHIN_S", 0.05)
    async with two(tmp_path) as at:
        await at.made()
        lost = sorted(at.nodes[1].owned)
        for heard_by in at.cluster.nodes.values():
            heard_by.may_judge = False
        async with at.reading(since="now") as feed:
            assert (await feed.hear_of("hello"))["cursor"]
            at.cluster.nodes["b"].is_cut = True
            silent = await heard(feed, "unanswered", 1)
            while silent[-1]["partitions"] != lost:
                silent = await heard(feed, "unanswered", 1)
            at.cluster.nodes["b"].is_cut = False
            for name in NAMES:
                await at.accepted(name, event("m1"))
            found = await heard(feed, "message.received", len(NAMES))

    assert [each["partitions"] for each in found if each["type"] == "unanswered"][-1] == []
    assert of(found, "message.received") == NAMES


async def test_server_sent_events_have_an_id_where_a_page_ends(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        path = str(at.nodes[0].config.listeners.socket_path)
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"GET /v1/events?since=oldest HTTP/1.1\r\nHost: localhost\r\n\r\n")
            text = b""
            while text.count(b"event: workspace.created") < len(NAMES):
                text += await reader.read(2**16)
            writer.close()

    ids = [line for line in text.splitlines() if line.startswith(b"id: ")]
    assert text.startswith(b"HTTP/1.1 200")
    assert len(ids) >= PARTITIONS
    assert all(each.startswith(b"id: curs_") for each in ids)


async def test_workspaces_of_several_partitions_are_read_together(tmp_path: Path) -> None:
    wanted = ["ws0", "ws2"]  # of two partitions
    async with two(tmp_path) as at:
        await at.made()
        async with at.reading(since="oldest", workspaces=wanted) as feed:
            found = await heard(feed, "workspace.created", len(wanted))
            for name in NAMES:
                await at.apis[0].accept(name, event("m1"))
            later = await heard(feed, "message.received", len(wanted))
        partitions = parted(found[0]["cursor"], PARTITIONS).keys()

    assert partitions == {of_workspace(name, PARTITIONS) for name in wanted}
    assert {each["workspace"] for each in (*found, *later) if "id" in each} == set(wanted)


async def test_who_finds_no_place_to_wait_at_an_owner_hears_everything_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "WAITS_MAX", 1)
    monkeypatch.setattr(part, "POLL_S", 0.01)
    async with two(tmp_path) as at, at.reading(since="oldest") as feed:
        await at.made()
        found = await heard(feed, "workspace.created", len(NAMES))

    assert of(found, "workspace.created") == NAMES


async def test_who_has_no_place_in_a_partition_that_does_not_answer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookbundle.server.cluster.routing.OWNER_WITHIN_S", 0.05)
    async with two(tmp_path) as at:
        async with at.reading(since="oldest") as feed:
            hello = await feed.hear_of("hello")
        lost = sorted(at.nodes[1].owned)
        for each in at.cluster.nodes.values():
            each.may_judge = False
        at.cluster.nodes["b"].is_cut = True
        async with at.reading(since="now") as feed:
            refused = await feed.hear_all()
        streamed = await at.apis[0].ask("GET", "/v1/events?since=-1h")
        async with at.reading(since=hello["cursor"]) as feed:
            goes_on = await feed.hear_of("hello")
        at.cluster.nodes["b"].is_cut = False

    assert [each["code"] for each in refused] == ["parts_missing"]
    assert ", ".join(map(str, lost)) in refused[0]["detail"]
    assert (streamed.status, streamed.code) == (503, "parts_missing")
    assert goes_on["cursor"] == hello["cursor"]


async def test_a_cursor_of_several_partitions_is_good_for_fewer_and_for_more(
    tmp_path: Path,
) -> None:
    one, two_ = ["ws0"], ["ws0", "ws2"]  # of one partition, and of two
    async with two(tmp_path) as at:
        await at.made()
        async with at.reading(since="oldest", workspaces=two_) as feed:
            found = await heard(feed, "workspace.created", len(two_))
            while not found[-1]["cursor"]:
                found += await heard(feed, "ping", 1)
        since = found[-1]["cursor"]
        await at.apis[0].accept("ws0", event("m1"))
        async with at.reading(since=since, workspaces=one) as feed:
            fewer = await heard(feed, "message.received", 1)
        told = {number for number in parted(since, PARTITIONS)}
        others = [name for name in NAMES if of_workspace(name, PARTITIONS) not in told]
        async with at.reading(since=since) as feed:
            more = await heard(feed, "workspace.created", len(others))

    assert others
    assert of(fewer, "workspace.created") == []
    assert of(more, "workspace.created") == others


async def test_who_does_not_answer_says_nothing_of_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookbundle.server.cluster.routing.OWNER_WITHIN_S", 0.05)
    async with two(tmp_path) as at:
        await at.made()
        async with at.reading(since="oldest") as feed:
            since = (await feed.hear_of("hello"))["cursor"]
        name = next(each for each in NAMES if of_workspace(each, PARTITIONS) in at.nodes[1].owned)
        made = await at.apis[0].ask(
            "POST", f"/v1/workspaces/{name}/webhooks", {"id": "crm", "url": "https://crm.example/"}
        )
        for each in at.cluster.nodes.values():
            each.may_judge = False
        at.cluster.nodes["b"].is_cut = True
        kinds = []
        filters: list[dict[str, Any]] = [{"webhooks": ["crm"]}, {"workspaces": [name]}]
        for wanted in filters:
            async with at.reading(since=since, **wanted) as feed:
                first = await feed.hear()
                assert first is not None
                kinds.append(first["type"])
        at.cluster.nodes["b"].is_cut = False

    assert made.status == 201
    assert kinds == ["hello", "hello"]
