"""The kind whose settings say where the parts of a message are."""

import json
from typing import Any

import pytest

from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.outcomes import (
    Delete,
    Edit,
    Ignored,
    Reason,
)
from hookbundle.engine.sources.settings import SourceSettings
from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.posting import (
    chat_of,
)
from hookbundle.tests.engine.sources.remembering import Remembering

GENERIC = {
    "message_id": "data.items[].key.id",
    "chat_id": "data.items[].chat",
    "text": "data.items[].text.body || data.items[].caption",
    "timestamp": "data.items[].at || data.at",
    "direction": "data.items[].mine",
    "event": "type",
    "chat_name": "data.items[].names[0]",
    "account_phone": "data.me",
    "account_name": "data.team",
}


def generic(**more: Any) -> SourceSettings:
    return source_settings.parse("generic", {"fields": GENERIC, **more})


def generic_outcomes(
    settings_: SourceSettings, *items: Any, event: str = "new", me: str = "15550100200"
) -> Any:
    body = {
        "type": event,
        "data": {"me": me, "team": "Acme", "at": 1_764_230_401, "items": items},
    }
    return samples.translated(
        "generic", settings_, json.dumps(body).encode(), Remembering()
    ).outcomes


ITEM = {"key": {"id": "m1"}, "chat": "15550101234@c.us", "text": {"body": "Hi"}, "names": ["Lina"]}


def test_each_item_of_the_list_is_a_message() -> None:
    second = {**ITEM, "key": {"id": 2}, "text": None, "caption": "Two", "mine": True, "at": "x"}

    first, other = generic_outcomes(generic(), ITEM, second)

    assert first.event.chat.full_name == "Lina"
    assert first.event.chat.chat_id == "15550101234"
    assert first.event.message.timestamp == 1_764_230_401_000
    account = first.event.whatsapp_account
    assert (account.full_name, account.phone) == ("Acme", "+15550100200")
    assert (other.event.message.message_id, other.event.message.text) == ("2", "Two")
    assert other.event.message.direction == "sent"


def test_events_decide_what_is_a_message_an_edit_or_a_deletion() -> None:
    settings_ = generic(message_events=["new"], edit_events=["edited"], delete_events=["gone"])
    at_ms = 1_764_230_401_000

    found = [
        generic_outcomes(settings_, ITEM, event=event)[0] for event in ("edited", "gone", "seen")
    ]

    assert found == [
        Edit("15550101234", "m1", "Hi", at_ms),
        Delete("15550101234", "m1", at_ms),
        Ignored(Reason.UNKNOWN_EVENT, "seen"),
    ]


@pytest.mark.parametrize(
    ("mine", "direction"),
    [("OUT", "sent"), ("out", "sent"), (True, "sent"), ("IN", "received"), (None, "received")],
)
def test_a_sent_message_is_known_in_whatever_case_its_direction_is_written(
    mine: Any, direction: str
) -> None:
    settings_ = generic(sent_values=["OUT", "True"])

    (outcome,) = generic_outcomes(settings_, {**ITEM, "mine": mine})

    assert outcome.event.message.direction == direction


@pytest.mark.parametrize(
    ("written", "chat_id", "phone"),
    [
        ("+15550101234", "15550101234", "+15550101234"),
        ("15550101234", "15550101234", ""),
        ("room-7", "room-7", ""),
        (77, "77", ""),
    ],
)
def test_digits_alone_are_any_systems_id_and_no_phone(
    written: Any, chat_id: str, phone: str
) -> None:
    (outcome,) = generic_outcomes(generic(), {**ITEM, "chat": written})

    assert (chat_of(outcome).chat_id, chat_of(outcome).phone) == (chat_id, phone)


@pytest.mark.parametrize(
    ("told", "phone"), [("15550100200", "+15550100200"), ("main", "+15550100999")]
)
def test_numbers_names_accounts_by_phone_or_by_what_else_the_body_says(
    told: str, phone: str
) -> None:
    sales = {"full_name": "Sales", "phone": "+15550100999"}
    fields = {**GENERIC, "account_name": ""}
    settings_ = source_settings.parse("generic", {"fields": fields, "numbers": {told: sales}})

    (outcome,) = generic_outcomes(settings_, ITEM, me=told)

    account = outcome.event.whatsapp_account
    assert (account.full_name, account.phone) == ("Sales", phone)


@pytest.mark.parametrize("items", [(), ("text",), (None,), ({},)])
def test_items_that_are_no_messages_are_ignored(items: tuple[Any, ...]) -> None:
    (outcome,) = generic_outcomes(generic(), *items)

    assert isinstance(outcome, Ignored)
    assert outcome.reason is Reason.UNKNOWN_SHAPE
