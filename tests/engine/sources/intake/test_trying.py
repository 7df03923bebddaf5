"""A body is tried with the settings of a source, and nothing is remembered of it."""

import json
from typing import Any

import msgspec
import pytest

from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.intake import trying
from hookbundle.engine.sources.kinds import KINDS
from hookbundle.engine.sources.request import SourceRequest

FIELDS = {
    "message_id": "items[].id",
    "chat_id": "items[].chat",
    "text": "items[].text",
    "timestamp": "items[].at",
    "event": "items[].type",
    "chat_name": "items[].name",
}
EVENTS = {"message_events": ["new"], "edit_events": ["edit"], "delete_events": ["gone"]}
ARRIVED_MS = 1_764_230_401_000
ITEM = {"type": "new", "id": "m1", "chat": "15550101234@c.us", "text": "Hi", "name": "Lina"}


def tried(*items: Any, **settings: Any) -> trying.Tried:
    return of_body(json.dumps({"items": items}).encode(), **settings)


def of_body(body: bytes, **settings: Any) -> trying.Tried:
    parsed = source_settings.parse("generic", {"fields": FIELDS, **EVENTS, **settings})
    return trying.tried("generic", parsed, SourceRequest(body=body, arrived_ms=ARRIVED_MS))


def test_each_event_is_told_as_it_would_be_taken() -> None:
    found = tried(
        ITEM,
        ITEM,
        {**ITEM, "type": "edit", "text": "Hello"},
        {**ITEM, "type": "gone"},
        {**ITEM, "id": "m2", "text": ""},
        {**ITEM, "type": "typing"},
        {**ITEM, "id": "m" * 2_000},
        account={"full_name": "Nadia"},
    )

    outcomes = [each.outcome for each in found.events]
    assert outcomes == [
        "accepted",
        "duplicate",
        "edited",
        "deleted",
        "skipped.no_text",
        "ignored.unknown_event",
        "invalid",
    ]
    assert found.counts == dict.fromkeys(outcomes, 1)
    first = msgspec.to_builtins(found.events[0])
    assert first["message"]["whatsapp_account"]["full_name"] == "Nadia"
    assert first["message"]["chat"]["full_name"] == "Lina"
    message = first["message"]["message"]
    assert (message["text"], message["timestamp"]) == ("Hi", "2025-11-27T08:00:01+0000")
    assert (found.events[2].text, found.events[2].chat_id) == ("Hello", found.events[0].chat_id)
    assert [each.path for each in found.faults] == ["message.message_id"]


@pytest.mark.parametrize("body", [b"", b"{", b"id=1"])
def test_what_is_no_json_is_a_fault(body: bytes) -> None:
    found = of_body(body)

    assert found.counts == {"unreadable": 1}
    assert len(found.faults) == 1
    assert found.events == []


def test_of_many_events_all_are_counted_and_the_first_are_told() -> None:
    found = tried(*({**ITEM, "id": f"m{number}"} for number in range(120)))

    assert found.counts == {"accepted": 120}
    assert len(found.events) == trying.EVENTS_MAX


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_tried(kind: str) -> None:
    settings = {"fields": FIELDS} if kind == "generic" else {}
    asked = SourceRequest(body=b'{"event": "x"}', arrived_ms=ARRIVED_MS)

    found = trying.tried(kind, source_settings.parse(kind, settings), asked)

    assert sum(found.counts.values()) == 1
    assert msgspec.json.encode(found.events)
