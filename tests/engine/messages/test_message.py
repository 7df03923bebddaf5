"""Message events: which parts are stored, which messages are skipped, and which chat has them."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.messages.message import (
    Account,
    Chat,
    ChatExtra,
    Event,
    Incoming,
    Party,
    Skipped,
    by_chat,
    digest_of,
    encode,
    incoming,
)

JANE = {"full_name": "Jane", "phone": "+1"}


def event(chat: dict[str, Any] | None = None, **message: Any) -> Event:
    valid = {
        **{"direction": "received", "timestamp": "2021-02-24T18:25:29.750+02:00"},
        **{"message_id": "m1", "sender": JANE, "text": "hello"},
    }
    return msgspec.convert(
        {
            "whatsapp_account": {"full_name": "Amnon"},
            "chat": {"chat_id": "1", **(chat or {})},
            "message": {**valid, **message},
        },
        Event,
    )


def kept(event: Event) -> Incoming:
    found = incoming(event)
    assert isinstance(found, Incoming)
    return found


def test_a_message_is_stored_as_the_json_that_is_sent() -> None:
    message = kept(event(attachments=[], permalink="https://a.example/1"))

    assert message.message == (
        b'{"direction":"received","timestamp":"2021-02-24T16:25:29+0000","message_id":"m1",'
        b'"sender":{"full_name":"Jane","phone":"+1"},"recipient":{"full_name":"","phone":""},'
        b'"text":"hello"}'
    )
    assert message.account == b'{"full_name":"Amnon","email":"","phone":""}'
    assert message.permalink == "https://a.example/1"


def test_the_order_of_messages_is_by_the_millisecond_though_seconds_are_sent() -> None:
    message = kept(event())

    assert message.sent_ms == 1_614_183_929_750


def test_a_chat_is_kept_with_all_its_details_in_order() -> None:
    details = Chat(chat_id="1", full_name="G", is_group=True, is_new_chat=True, phone=None)

    assert encode(details) == (
        b'{"full_name":"G","responsible_name":"","responsible_email":"","chat_url":"",'
        b'"chat_id":"1","is_new_chat":true,"is_group":true,"phone":""}'
    )


@pytest.mark.parametrize("text", [":null", '":null,', "null", "\u0000", "\U0001f600"])
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    message = msgspec.json.decode(kept(event(text=text)).message)

    assert message["text"] == text


def test_an_unknown_text_is_never_sent_as_null() -> None:
    empty = [Party(None, None), Account(None, None, None), Chat(chat_id="1", chat_url=None)]

    assert b"null" not in b"".join(map(encode, empty))


# ---- what is kept beside

MORE = {
    "labels": ["VIP", "فاتورة"],
    "refs": {"hubspot_contact": "501", "crm2": "x y"},
    "user_id": "US.13491208655302741918",
    "username": "jane.doe",
    "lid": "24610938453@lid",
}


def test_what_is_known_of_a_chat_beside_the_payload_is_kept_beside_it() -> None:
    message = kept(event(MORE))

    assert msgspec.json.decode(message.extra) == MORE
    assert msgspec.json.decode(message.extra, type=ChatExtra) == ChatExtra(**MORE)  # type: ignore[arg-type]


def test_what_is_kept_beside_is_in_nothing_that_is_sent() -> None:
    plain = kept(event({"phone": None}))

    message = kept(event({**MORE, "phone": None}))

    assert (message.account, message.chat, message.message) == (
        plain.account,
        plain.chat,
        plain.message,
    )


def test_without_anything_beside_the_payload_nothing_is_kept_beside() -> None:
    assert kept(event()).extra == b""


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("empty", [None, "empty"])
def test_null_and_empty_are_as_if_not_given(name: str, empty: object) -> None:
    value = empty and type(MORE[name])()

    message = kept(event({"username": "jane.doe", name: value} | {"lid": "1"}))

    expected = {"username": "jane.doe", "lid": "1"}
    if name == "username":
        del expected["username"]
    assert msgspec.json.decode(message.extra) == expected
    assert message.chat == kept(event()).chat


def test_only_empty_fields_beside_the_payload_keep_nothing() -> None:
    message = kept(event({"labels": [], "refs": {}, "user_id": "", "username": None, "lid": ""}))

    assert message.extra == b""


# ---- skipped


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"attachments": [{"url": "x"}]}, "attachment"),
        ({"attachments": [None], "text": None}, "attachment"),
        ({"text": None}, "no_text"),
        ({"text": ""}, "no_text"),
        ({"text": " \n\t\u00a0"}, "no_text"),
    ],
)
def test_a_message_the_payload_has_no_place_for_is_skipped_with_a_reason(
    fields: dict[str, Any], reason: str
) -> None:
    found = incoming(event(**fields))

    assert found == Skipped("m1", reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("attachments", [None, []])
def test_a_text_without_attachments_is_kept(attachments: list[Any] | None) -> None:
    assert kept(event(attachments=attachments)).message_id == "m1"


def test_also_a_skipped_message_must_be_valid() -> None:
    with pytest.raises(InvalidInput, match="timestamp"):
        incoming(event(attachments=[1], timestamp="never"))


# ---- by chat


def test_messages_are_grouped_by_chat_in_the_order_given() -> None:
    events = [
        event({"chat_id": "b"}, message_id="1"),
        event({"chat_id": "a"}, message_id="2", text=None),
        event({"chat_id": "b"}, message_id="3"),
    ]

    chats = by_chat(events)

    assert {
        chat: ([m.message_id for m in messages], [s.message_id for s in skipped])
        for chat, (messages, skipped) in chats.items()
    } == {"b": (["1", "3"], []), "a": ([], ["2"])}


def test_a_chat_id_is_measured_in_bytes() -> None:
    longest = "\u0639" * (limits.CHAT_ID_BYTES_MAX // 2)
    accepted = by_chat([event({"chat_id": longest})])

    with pytest.raises(InvalidInput) as refusal:
        by_chat([event(), event({"chat_id": longest + "x"}, timestamp="never")])

    assert list(accepted) == [longest]
    assert [fault.path for fault in refusal.value.faults] == [
        "[1].chat.chat_id",
        "[1].message.timestamp",
    ]


def test_the_digest_of_an_id_is_fixed_for_what_is_stored() -> None:
    assert digest_of("m1").hex() == "d11f79d4b490b654"
    assert len({digest_of(f"m{number}") for number in range(10_000)}) == 10_000
