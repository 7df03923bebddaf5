"""The settings of a source are tried on a body, over HTTP, before anything is made."""

import json
from typing import Any

import pytest

from hookbundle.tests.server.http.resources.sources.posting import Tenant, waha

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIELDS = {"message_id": "id", "chat_id": "chat", "text": "text"}
BODY = {"id": "m1", "chat": "15550101234@c.us", "text": "hello"}
GENERIC = {"kind": "generic", "settings": {"fields": FIELDS}}


async def test_a_body_as_text_or_json_is_tried_and_nothing_is_made(tenant: Tenant) -> None:
    system, ws = tenant.system, f"/v1/workspaces/{tenant.ws}"
    before = await system.get(ws)
    as_text = await system.ask("POST", f"{ws}/sources/try", {**GENERIC, "body": json.dumps(BODY)})
    as_json = await system.ask("POST", f"{ws}/sources/try", {**GENERIC, "body": BODY})

    assert as_text.status == 200, as_text
    assert as_text.document == as_json.document
    (event,) = as_text.document["events"]
    assert event["outcome"] == "accepted"
    assert event["message"]["message"]["text"] == "hello"
    assert as_text.document["outcomes"] == {"accepted": 1}
    assert as_text.document["faults"] == []
    assert (await system.get(f"{ws}/sources"))["sources"] == []
    assert await system.get(ws) == before


async def test_no_proof_is_asked_for(tenant: Tenant) -> None:
    settings = {"hmac_key": "secret", "header": {"name": "x-secret", "value": "v"}}
    asked = {"kind": "waha", "settings": settings, "body": waha()}

    found = await tenant.system.ask("POST", f"/v1/workspaces/{tenant.ws}/sources/try", asked)

    assert found.document["outcomes"] == {"accepted": 1}


async def test_what_is_no_json_is_a_fault_of_the_body_and_no_refusal(tenant: Tenant) -> None:
    path = f"/v1/workspaces/{tenant.ws}/sources/try"

    found = await tenant.system.ask("POST", path, {**GENERIC, "body": "{nothing"})

    assert (found.status, found.document["events"]) == (200, [])
    assert found.document["outcomes"] == {"unreadable": 1}
    assert len(found.document["faults"]) == 1


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"kind": "generic", "body": "x" * 65_537}, ["body", "settings.fields"]),
        ({**GENERIC, "body": ["é" * 32_768]}, ["body"]),
        ({"kind": "telegram", "body": "{}"}, ["kind"]),
        ({"kind": "waha", "settings": {"hmac_kee": 1}, "body": "{}"}, ["settings.hmac_kee"]),
        (GENERIC, ["body"]),
        ({**GENERIC, "body": "{}", "name": "x"}, ["name"]),
    ],
)
async def test_what_is_wrong_is_said_by_its_path(
    tenant: Tenant, body: dict[str, Any], paths: list[str]
) -> None:
    answer = await tenant.system.ask("POST", f"/v1/workspaces/{tenant.ws}/sources/try", body)

    assert answer.status == 422, answer
    assert sorted(each["path"] for each in answer.document["errors"]) == paths


async def test_of_a_workspace_that_is_not_there_nothing_is_tried(tenant: Tenant) -> None:
    asked = {**GENERIC, "body": {}}

    found = await tenant.system.ask("POST", "/v1/workspaces/nobody/sources/try", asked)

    assert found.status == 404
