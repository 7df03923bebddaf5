"""Sources as their owner makes, sees and changes them over HTTP."""

import re
from typing import Any

import pytest

from hookbundle.engine.sources.kinds import KINDS
from hookbundle.tests.engine.sources.samples import GENERIC_FIELDS
from hookbundle.tests.in_process import HOUR_MS
from hookbundle.tests.server.http.resources.sources.posting import Tenant, make, waha

pytestmark = pytest.mark.asyncio(loop_scope="module")
WAHA = "/waha-1"


async def test_a_new_source_has_an_address_that_is_shown_once(tenant: Tenant) -> None:
    made = await tenant.ask("POST", "", {"kind": "waha", "name": " Sales "})

    document, token = made.document, made.document["token"]
    assert made.status == 201
    assert made.headers["location"] == tenant.sources + WAHA
    assert made.headers["etag"] == '"1"'
    assert re.fullmatch("src_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", token)
    assert document["url"].endswith(f"/v1/sources/{token}")
    shown = await tenant.get(WAHA)
    assert {**shown, "url": document["url"], "token": token} == document
    assert shown["name"] == "Sales"
    assert (await tenant.get())["sources"] == [shown]


async def test_tokens_of_a_workspace_begin_alike_and_those_of_others_do_not(
    tenant: Tenant,
) -> None:
    one, two = await tenant.source(), await tenant.source()
    other = f"{tenant.ws}-other"
    await tenant.system.ask("POST", "/v1/workspaces", {"id": other})
    three = await make(tenant.system, ws=other)

    assert one.token[:20] == two.token[:20] != three.token[:20]


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_can_be_made(tenant: Tenant, kind: str) -> None:
    settings = {"fields": GENERIC_FIELDS} if kind == "generic" else {}

    made = await tenant.ask("POST", "", {"kind": kind, "settings": settings})

    assert (made.status, made.document["id"]) == (201, f"{kind}-1")


async def test_secrets_are_written_and_never_read(tenant: Tenant) -> None:
    secrets: dict[str, Any] = {
        "hmac_key": "s3cret-of-hmac",
        "header": {"name": "X-Key", "value": "v4lue-of-key"},
    }

    source = await tenant.source(**secrets)
    patched = await tenant.ask("PATCH", WAHA, {"settings": {"hmac_key": "n3w-secret"}})

    assert patched.document["settings"] == {
        "hmac_key": {"set": True},
        "header": {"name": "x-key", "value": {"set": True}},
    }
    assert patched.document["proven"] is True
    texts = [str(await source.shown()), str(await tenant.get()), str(patched)]
    assert not any(re.search("s3cret|v4lue|n3w-", text) for text in texts)


async def test_every_fault_of_the_settings_has_its_path_and_code(tenant: Tenant) -> None:
    settings = {"hmac_key": "", "app_secret": "x", "chat_url": 7, "account": {"nmae": "x"}}

    refused = await tenant.ask("POST", "", {"kind": "waha", "settings": settings})

    faults = {fault["path"]: fault["code"] for fault in refused.document["errors"]}
    assert refused.status == 422
    assert faults.keys() == {
        "settings.hmac_key",
        "settings.app_secret",
        "settings.chat_url",
        "settings.account.nmae",
    }
    assert (await tenant.get())["sources"] == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "kind"),
        ({"kind": "telegram"}, "kind"),
        ({"kind": "waha", "name": "x" * 129}, "name"),
        ({"kind": "waha", "name": "a\nb"}, "name"),
        ({"kind": "waha", "settings": []}, "settings"),
        ({"kind": "waha", "secret": "x"}, "secret"),
    ],
)
async def test_what_is_no_source_is_refused(tenant: Tenant, body: object, path: str) -> None:
    refused = await tenant.ask("POST", "", body)

    assert refused.status == 422
    assert path in [fault["path"] for fault in refused.document["errors"]]


async def test_a_change_changes_what_it_names(tenant: Tenant) -> None:
    await tenant.source(hmac_key="secret", chat_url="https://inbox.example/{chat_id}")

    named = await tenant.ask("PATCH", WAHA, {"name": "WAHA"})
    changed = await tenant.ask("PATCH", WAHA, {"settings": {"chat_url": None}})

    assert named.document["version"] == 2
    assert changed.document["name"] == "WAHA"
    assert changed.document["settings"] == {"hmac_key": {"set": True}}


async def test_if_match_is_honoured(tenant: Tenant) -> None:
    await tenant.source()
    old, new = {"If-Match": '"1"'}, {"If-Match": '"2"'}
    assert (await tenant.ask("PATCH", WAHA, {"name": "b"}, headers=old)).status == 200

    late = await tenant.ask("PATCH", WAHA, {"name": "c"}, headers=old)
    rotated = await tenant.ask("POST", f"{WAHA}/rotate-token", {}, headers=old)
    deleted = await tenant.ask("DELETE", WAHA, headers=old)
    read = await tenant.ask("GET", WAHA, headers=old)
    unchanged = await tenant.ask("GET", WAHA, headers={"If-None-Match": '"2"'})

    assert [each.status for each in (late, rotated, deleted, read)] == [412] * 4
    assert late.document["code"] == read.document["code"] == "source_changed"
    assert unchanged.status == 304
    assert (await tenant.ask("DELETE", WAHA, headers=new)).status == 204


async def test_a_rotated_token_is_good_as_long_as_it_is_kept(tenant: Tenant) -> None:
    source = await tenant.source()

    rotated = await tenant.ask("POST", f"{WAHA}/rotate-token", {"keep": "1h"})

    assert rotated.document["former_token_until"] is not None
    assert (await source.post(waha("A"))).status == 200
    tenant.system.clock.move(HOUR_MS)
    assert (await source.post(waha("B"))).status == 404
    source.token = rotated.document["token"]
    assert (await source.post(waha("C"))).status == 200


@pytest.mark.parametrize("keep", ["31d", "soon"])
async def test_a_token_is_not_kept_for_ever(tenant: Tenant, keep: str) -> None:
    await tenant.source()

    refused = await tenant.ask("POST", f"{WAHA}/rotate-token", {"keep": keep})

    assert (refused.status, refused.document["errors"][0]["path"]) == (422, "keep")


async def test_a_deleted_source_is_unknown_at_once(tenant: Tenant) -> None:
    source = await tenant.source()

    assert (await tenant.ask("DELETE", WAHA)).status == 204

    assert (await source.post(waha())).status == 404
    answers = [
        await tenant.ask(*each)
        for each in (
            ("GET", WAHA),
            ("PATCH", WAHA, {"name": "x"}),
            ("DELETE", WAHA),
            ("GET", f"{WAHA}/requests"),
        )
    ]
    assert [each.status for each in answers] == [404] * 4
    assert {each.document["code"] for each in answers} == {"unknown_source"}


async def test_a_workspace_has_twenty_sources_at_most(tenant: Tenant) -> None:
    for _ in range(20):
        await tenant.source()

    refused = await tenant.ask("POST", "", {"kind": "waha"})

    assert (refused.status, refused.document["code"]) == (409, "too_many_sources")


async def test_changes_of_sources_are_facts(tenant: Tenant) -> None:
    await tenant.source()
    await tenant.ask("PATCH", WAHA, {"settings": {"hmac_key": "secret"}})
    await tenant.ask("POST", f"{WAHA}/rotate-token", {})
    await tenant.ask("DELETE", WAHA)

    facts = tenant.system.facts
    (deleted,) = await facts.until("source.deleted", workspace=tenant.ws)
    (changed,) = facts.known("source.changed", workspace=tenant.ws)
    (rotated,) = facts.known("source.token_rotated", workspace=tenant.ws)
    (created,) = facts.known("source.created", workspace=tenant.ws)
    assert created["data"]["kind"] == "waha"
    assert changed["data"]["changes"] == {"settings": ["hmac_key"]}
    assert rotated["data"]["keep_until"]
    assert deleted["data"]["source"] == "waha-1"
