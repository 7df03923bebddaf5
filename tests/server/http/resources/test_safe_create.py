"""A workspace is made on purpose, and never replaced by accident."""

import asyncio
from typing import Any

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, event

ACME = "/v1/workspaces/acme"


async def settings(system: System, ws: str = "acme") -> Any:
    shown = await system.show(ws)
    hook = shown["webhook"]
    return shown["name"], shown["owner_email"], hook["url"], hook["aggregation"]


async def test_a_put_with_only_a_name_does_not_wipe_the_rest(
    system: System, receiver: HookReceiver
) -> None:
    await system.ask("PATCH", ACME, {"webhook": {"aggregation": "6h"}})
    await system.accept("acme", event("m1"))
    before = await settings(system)

    answer = await system.ask("PUT", ACME, {"name": "Just a name"})

    assert answer.status == 428
    assert "If-Match" in answer.document["detail"]
    assert await settings(system) == before
    assert (await system.show())["counts"]["windows"] == 1
    assert not receiver.posts


@pytest.mark.parametrize("tag", ["*", '"1"'])
async def test_a_put_that_names_the_version_replaces_all(system: System, tag: str) -> None:
    answer = await system.ask("PUT", ACME, {"name": "Just a name"}, headers={"If-Match": tag})

    assert answer.status == 200
    assert "location" not in answer.headers
    assert await settings(system) == ("Just a name", "", "", "none")


async def test_post_makes_it_where_none_is(system: System) -> None:
    wanted = {"id": "new-1", "name": "New", "webhook": {"url": "https://one.example/in"}}

    made = await system.ask("POST", "/v1/workspaces", wanted)
    again = await system.ask("POST", "/v1/workspaces", {**wanted, "name": "Other"})

    assert (made.status, again.status) == (201, 409)
    assert made.headers["location"] == "/v1/workspaces/new-1"
    assert made.document["secret"].startswith("whsec_")
    assert await settings(system, "new-1") == ("New", "", "https://one.example/in", "none")


async def test_put_makes_it_where_none_is(system: System) -> None:
    made = await system.ask("PUT", "/v1/workspaces/new", {}, headers={"If-None-Match": "*"})
    again = await system.ask("PUT", "/v1/workspaces/new", {}, headers={"If-None-Match": "*"})

    assert (made.status, made.headers["location"]) == (201, "/v1/workspaces/new")
    assert again.status == 412


@pytest.mark.parametrize("wanted", [{}, {"id": ""}, {"id": "a b"}, {"id": None}, {"id": "../x"}])
async def test_a_wrong_id_is_a_fault_of_the_document(system: System, wanted: object) -> None:
    answer = await system.ask("POST", "/v1/workspaces", wanted)

    assert answer.status == 422
    assert [fault["path"] for fault in answer.document["errors"]] == ["id"]


async def test_an_id_in_a_put_or_patch_is_no_setting(system: System) -> None:
    answer = await system.ask("PATCH", ACME, {"id": "other"})

    assert (answer.status, answer.document["errors"][0]["path"]) == (422, "id")


async def test_what_was_made_is_found_at_its_location(system: System) -> None:
    made = await system.ask("POST", "/v1/tokens", {"scope": "admin", "workspace": "acme"})
    assert made.headers["location"] == f"/v1/tokens/{made.document['id']}"
    assert (await system.get(made.headers["location"]))["workspace"] == "acme"


async def test_a_patch_changes_what_is_named_and_null_is_none_of_a_text(system: System) -> None:
    before = await settings(system)

    nothing = await system.ask("PATCH", ACME, {})
    cleared = await system.ask("PATCH", ACME, {"name": None, "webhook": {"url": None}})

    assert (nothing.status, nothing.document["version"]) == (200, 1)
    assert cleared.document["webhook"]["state"] == "unconfigured"
    assert await settings(system) == ("", before[1], "", before[3])


@pytest.mark.parametrize(
    "wanted",
    [
        {"language": None},
        {"time_zone": None},
        {"webhook": None},
        {"webhook": {"aggregation": None}},
        {"webhook": {"success": None}},
        {"webhook": {"enabled": None}},
    ],
)
async def test_what_can_t_be_none_is_not_null(system: System, wanted: dict[str, Any]) -> None:
    """A client that sends null for all it does not know wipes nothing: it is refused."""
    before = await system.show()

    answer = await system.ask("PATCH", ACME, {"name": None, "owner_email": None, **wanted})

    assert answer.status == 422
    assert await system.show() == before


async def test_of_many_who_make_it_at_once_one_does(system: System) -> None:
    wanted = {"id": "new", "name": "New"}

    answers = await asyncio.gather(
        *(system.ask("POST", "/v1/workspaces", wanted) for _ in range(8))
    )

    assert sorted(answer.status for answer in answers) == [201, *[409] * 7]


@pytest.mark.parametrize("document", [{}, {"webhook": {}}, None])
async def test_a_change_of_nothing_shows_what_is_there(system: System, document: Any) -> None:
    before = await system.ask("GET", ACME)

    answer = await system.ask("PATCH", ACME, document)

    assert (answer.status, answer.headers["etag"]) == (200, before.headers["etag"])
    assert answer.document == before.document
    assert (await system.get(f"{ACME}/activity"))[0]["action"] == "created"
