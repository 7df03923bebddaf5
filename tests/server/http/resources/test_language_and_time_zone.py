"""A workspace's language and time zone over the API: set, shown, refused, and on record."""

from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.in_process import HOUR_MS, daemon_in, event, receiving

ACME = "/v1/workspaces/acme"
CAIRO = {"language": "ar", "time_zone": "Africa/Cairo"}


def both(document: Any) -> tuple[str, str]:
    return document["language"], document["time_zone"]


async def test_a_new_workspace_is_in_english_and_in_utc(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        made = await system.ask("PUT", ACME, {"name": "Acme"})
        listed = await system.get("/v1/workspaces")

        assert both(made.document) == both(await system.show()) == ("en", "UTC")
        assert both(listed["workspaces"][0]) == ("en", "UTC")
        order = list(made.document)
        assert order[order.index("owner_email") + 1 :][:2] == ["language", "time_zone"]


async def test_a_patch_changes_what_is_named_and_a_put_the_whole(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        made = await system.ask("PUT", ACME, {"name": "Acme", **CAIRO})

        one = await system.ask("PATCH", ACME, {"time_zone": "Asia/Riyadh"})
        none = await system.ask("PATCH", ACME, {"language": None, "time_zone": None})
        seen = await system.show()
        whole = await system.ask("PUT", ACME, {"name": "Acme"}, headers={"If-Match": "*"})

        assert both(made.document) == ("ar", "Africa/Cairo")
        assert both(one.document) == ("ar", "Asia/Riyadh")
        assert (none.status, *both(seen)) == (422, "ar", "Asia/Riyadh")
        assert both(whole.document) == ("en", "UTC")


async def test_a_change_is_a_new_version_and_the_same_value_is_none(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        first = await system.ask("PUT", ACME, CAIRO)
        tag = {"If-Match": first.headers["etag"]}

        same = await system.ask("PATCH", ACME, CAIRO, headers=tag)
        other = await system.ask("PATCH", ACME, {"language": "en"}, headers=tag)
        late = await system.ask("PATCH", ACME, {"language": "ar"}, headers=tag)

        versions = [answer.document["version"] for answer in (first, same, other)]
        assert versions == [1, 1, 2]
        assert late.status == 412


@pytest.mark.parametrize(
    ("wanted", "path", "detail"),
    [
        ({"language": "fr"}, "language", "must be one of 'ar', 'en'; is 'fr'"),
        ({"language": "AR"}, "language", "must be one of 'ar', 'en'; is 'AR'"),
        ({"language": ""}, "language", "must be one of 'ar', 'en'; is ''"),
        ({"language": 5}, "language", "must be one of 'ar', 'en'; is 5"),
        ({"time_zone": 2}, "time_zone", "must be text, in quotes; is a number"),
        ({"time_zone": "x" * 65}, "time_zone", "must have at most 64 characters; has 65"),
        ({"time_zone": ""}, "time_zone", "'' is not the name of an IANA time zone"),
        ({"time_zone": "Cairo"}, "time_zone", "did you mean 'Africa/Cairo'?"),
        ({"time_zone": "UTC+2"}, "time_zone", "write a place, as 'Asia/Jerusalem'"),
        ({"time_zone": "../UTC"}, "time_zone", "is not the name of an IANA time zone"),
    ],
)
async def test_a_wrong_one_is_refused_with_its_path_and_a_sentence(
    tmp_path: Path, wanted: dict[str, Any], path: str, detail: str
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.ask("PUT", ACME, CAIRO)

        for method in ("PUT", "PATCH"):
            answer = await system.ask(method, ACME, wanted)
            (fault,) = answer.document["errors"]

            assert answer.status == 422
            assert fault["path"] == path
            assert detail in fault["detail"]
        assert both(await system.show()) == ("ar", "Africa/Cairo")


async def test_it_is_named_among_all_faults(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask(
            "PUT", ACME, {"time_zone": "Mars", "owner_email": "x", "webhook": {"url": "ftp://x"}}
        )

        paths = [fault["path"] for fault in answer.document["errors"]]
        assert paths == ["owner_email", "time_zone", "webhook.url"]


async def test_a_change_is_in_the_feed_and_in_the_activity(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        await system.ask("PUT", ACME, CAIRO)
        await system.ask("PATCH", ACME, {"language": "en", "time_zone": "Africa/Cairo"})

        (created,) = await system.facts.until("workspace.created")
        (changed,) = await system.facts.until("workspace.changed")
        actions = await system.get(f"{ACME}/activity")

        assert CAIRO.items() <= created["data"]["changes"].items()
        assert changed["data"]["changes"] == {"language": "en"}
        assert actions[0]["detail"].startswith("language en, by uid ")
        assert actions[1]["detail"].startswith("language ar, time_zone Africa/Cairo, ")


async def test_they_change_nothing_that_is_sent(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        for ws in ("acme", "cairo"):
            await system.make(ws, receiver, ws, aggregation="1h")
        await system.ask("PATCH", "/v1/workspaces/cairo", CAIRO)

        for ws in ("acme", "cairo"):
            await system.accept(ws, event("m1", timestamp=1_614_183_929_000))
        system.clock.move(HOUR_MS)
        first, second = await receiver.until(2)

        assert first.body == second.body
        assert b'"first_message_timestamp":"2021-02-24T16:25:29+0000"' in first.body
        assert b"from John Doe on 2021-02-24 16:25: " in first.body


async def test_the_contract_says_what_may_be_set(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        document = await system.get("/openapi.json")

    schemas = document["components"]["schemas"]
    assert schemas["WorkspaceOut"]["properties"]["language"]["enum"] == ["ar", "en"]
    assert schemas["WorkspaceIn"]["properties"]["language"]["enum"] == ["ar", "en"]
    zone = schemas["WorkspaceIn"]["properties"]["time_zone"]
    assert (zone["type"], zone["maxLength"]) == ("string", 64)
