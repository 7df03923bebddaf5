"""A filter of the feed that nothing will ever match is refused, on the socket and over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from hookbundle.storage.reads import feed_names
from hookbundle.tests.feed_readers import BRISK, Home, home, subscribed
from hookbundle.tests.server.feed.test_sse import streaming

CASES: list[tuple[dict[str, list[str]], list[tuple[str, str]]]] = [
    ({"types": ["xyzzy"]}, [("types[0]", "no_type")]),
    ({"types": ["delivery.*", "delivery.deliverd"]}, [("types[1]", "misspelt_type")]),
    ({"types": ["delivery"]}, [("types[0]", "misspelt_type")]),
    ({"types": [""]}, [("types[0]", "no_type")]),
    ({"workspaces": ["nope"]}, [("workspaces[0]", "no_events_of")]),
    ({"workspaces": ["acme", "Acme"]}, [("workspaces[1]", "no_events_of")]),
    ({"webhooks": ["outbound", "crm"]}, [("webhooks[1]", "no_events_of_webhook")]),
    (
        {"workspaces": ["acme"], "webhooks": ["crm"]},
        [("webhooks[0]", "no_events_of_webhook")],
    ),
    (
        {"workspaces": ["nope", "acme", "x"], "types": ["xyzzy"]},
        [
            ("types[0]", "no_type"),
            ("workspaces[0]", "no_events_of"),
            ("workspaces[2]", "no_events_of"),
        ],
    ),
]


@pytest.mark.parametrize(("wanted", "faults"), CASES)
@pytest.mark.parametrize("since", ["now", "oldest"])
async def test_it_is_refused_with_each_that_matches_nothing(
    tmp_path: Path, wanted: dict[str, list[str]], faults: list[tuple[str, str]], since: str
) -> None:
    async with home(tmp_path) as at:
        await at.set_up("acme", aggregation="1h")
        async with subscribed(at, since=since, **wanted) as feed:
            frames = await feed.hear_all()
        query = "&".join(
            f"{name[:-1]}={value}" for name, values in wanted.items() for value in values
        )
        answer = await at.ask("GET", f"/v1/events?since={since}&{query}")

    assert [frame["type"] for frame in frames] == ["error"]
    assert [(each["path"], each["code"]) for each in frames[0]["errors"]] == faults
    assert answer.status == 422
    assert [(each["path"], each["code"]) for each in answer.document["errors"]] == [
        (path.partition("[")[0][:-1], code) for path, code in faults
    ]


async def test_what_was_meant_is_said(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        answer = await at.ask("GET", "/v1/events?type=delivery.deliverd&type=xyzzy")

    near, families = (fault["detail"] for fault in answer.document["errors"])
    assert "did you mean delivery.delivered" in near
    assert "known are actor.*" in families


@pytest.mark.parametrize("since", ["now", "oldest"])
async def test_a_deleted_workspace_may_be_asked_for_while_its_events_are_kept(
    tmp_path: Path, since: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are found however far back they are: here in the first of many slices."""
    monkeypatch.setattr(feed_names, "SLICE_ROWS", 2)
    async with home(tmp_path) as at:
        await at.set_up("gone", aggregation="1h")
        await delete(at, "gone")
        for number in range(9):
            await at.note(str(number))
        async with subscribed(at, since=since, workspaces=["gone"]) as feed:
            hello = await feed.hear()
            heard = await feed.hear() if since == "oldest" else None
        async with streaming(at, since=since, workspace="gone") as stream:
            await stream.block()
        never = await at.ask("GET", "/v1/events?workspace=gon")

    assert hello
    assert hello["type"] == "hello"
    assert heard is None or heard["type"] == "workspace.created"
    assert never.status == 422


async def delete(at: Home, workspace_id: str) -> None:
    assert (await at.ask("DELETE", f"/v1/workspaces/{workspace_id}")).status == 200


async def test_a_name_in_the_data_of_an_event_is_not_its_workspace(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        await at.note("about nobody in particular")
        answer = await at.ask("GET", "/v1/events?since=oldest&workspace=nobody")

    assert answer.status == 422


async def test_others_are_served_while_a_long_feed_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice in each turn of the loop, and no place is kept afterwards."""
    monkeypatch.setattr(feed_names, "SLICE_ROWS", 1)
    looks = []
    look = feed_names.look

    def counted(*given: Any) -> feed_names.Look:
        looks.append(given)
        return look(*given)

    monkeypatch.setattr(feed_names, "look", counted)
    async with home(tmp_path, feed=BRISK) as at:
        for number in range(20):
            await at.note(str(number))
        answer = await at.ask("GET", "/v1/events?workspace=nope")
        places = at.daemon.fair_limits.feed.used

    assert answer.status == 422
    assert len(looks) > 20
    assert places == 0


@pytest.mark.parametrize(
    "name", ["delivery.parked", "delivery.dead_lettered", "delivery.par*", "delivery.dead*"]
)
async def test_a_type_that_was_renamed_may_be_asked_for_by_either_name(
    tmp_path: Path, name: str
) -> None:
    async with home(tmp_path) as at, streaming(at, type=name) as stream:
        block = await stream.block()

    assert block
