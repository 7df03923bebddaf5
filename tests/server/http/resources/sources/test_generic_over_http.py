"""Any JSON, by paths that its owner wrote: what leaves is compared byte for byte."""

from typing import Any

import pytest

from hookbundle.tests.server.http.resources.sources.posting import Tenant

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS: dict[str, Any] = {
    "account": {"full_name": "Sales", "email": "sales@acme.example"},
    "chat_url": "https://inbox.acme.example/{account}/{chat_id}",
    "fields": {
        "message_id": "data.items[].id",
        "chat_id": "data.items[].chat",
        "text": "data.items[].text.body || data.items[].caption",
        "timestamp": "data.items[].at || data.at",
        "direction": "data.items[].flow",
        "event": "type",
        "chat_name": "data.items[].contact",
        "account_phone": "data.me",
    },
    "message_events": ["new"],
    "edit_events": ["edited"],
    "delete_events": ["deleted"],
    "sent_values": ["outbound"],
}


RECEIVED = (
    '{"whatsapp_account":{"full_name":"Sales","email":"sales@acme.example","phone":"+15550100200"},'
    '"chat":{"full_name":"Lina","responsible_name":"","responsible_email":"",'
    '"chat_url":"https://inbox.acme.example/15550100200/15550101234","chat_id":"15550101234",'
    '"is_new_chat":false,"is_group":false,"phone":"+15550101234"},'
    '"message":{"direction":"received","timestamp":"2025-11-27T08:00:01+0000","message_id":"m1",'
    '"sender":{"full_name":"Lina","phone":"+15550101234"},'
    '"recipient":{"full_name":"Sales","phone":"+15550100200"},"text":"مرحبا\\n"}}'
)
SENT = RECEIVED.partition('"message":')[0] + (
    '"message":{"direction":"sent","timestamp":"2025-11-27T08:00:02+0000","message_id":"m2",'
    '"sender":{"full_name":"Sales","phone":"+15550100200"},'
    '"recipient":{"full_name":"Lina","phone":"+15550101234"},"text":"Yes"}}'
)


def posted(event: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"type": event, "data": {"me": "15550100200", "at": 1_764_230_401, "items": items}}


def item(message_id: str, text: str, **more: Any) -> dict[str, Any]:
    chat = {"chat": "15550101234@c.us", "contact": "Lina"}
    return {"id": message_id, **chat, "text": {"body": text}, **more}


async def test_what_the_settings_describe_leaves_as_it_should(tenant: Tenant) -> None:
    source = await tenant.source("generic", **SETTINGS)

    answer = await source.post(
        posted("new", item("m1", "مرحبا\n"), item("m2", "Yes", flow="outbound", at=1_764_230_402))
    )
    other = await source.post(posted("typing", item("m3", "")))

    assert (answer.status, answer.document["accepted"]) == (200, 2)
    assert other.document["ignored"] == {"unknown_event": 1}
    assert [post.body.decode() for post in await tenant.sent(2)] == [RECEIVED, SENT]


async def test_its_edits_and_deletions_change_an_open_window(tenant: Tenant) -> None:
    path = f"/v1/workspaces/{tenant.ws}"
    await tenant.system.ask("PATCH", path, {"webhook": {"aggregation": "1h"}})
    source = await tenant.source("generic", **SETTINGS)
    await source.post(posted("new", item("m1", "first"), item("m2", "second")))

    edited = await source.post(posted("edited", item("m1", "better")))
    deleted = await source.post(posted("deleted", item("m2", "")))

    assert (edited.document["edited"], deleted.document["deleted"]) == (1, 1)
    await tenant.system.ask("POST", f"{path}/chats/15550101234/flush")
    (post,) = await tenant.sent(1)
    assert [each["text"] for each in post.document["messages"]] == ["better"]
