"""The OpenAPI document describes every event of the feed."""

import msgspec

from hookbundle.server.feed.schema import ANY_EVENT
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.facts import all_facts


def test_an_event_is_told_by_its_type() -> None:
    (schema,), components = msgspec.json.schema_components([ANY_EVENT])

    assert set(schema["discriminator"]["mapping"]) == set(map(type_of, all_facts()))
    assert components["DeliveryAttemptedEvent"]["properties"]["type"] == {
        "enum": ["delivery.attempted"]
    }
    assert components["DeliveryAttempted"]["required"] == ["delivery", "attempt"]


def test_an_event_as_it_is_sent_is_one_of_the_described() -> None:
    sent = (
        b'{"seq":7,"cursor":"e.7","id":"e-7","type":"delivery.attempted","time":"2026-01-01T00:00:00Z",'
        b'"workspace":"acme","chat_id":"c","chat":"c","webhook":"crm","data":{"delivery":"d1","attempt":1}}'
    )

    assert msgspec.json.decode(sent, type=ANY_EVENT).data.attempt == 1
