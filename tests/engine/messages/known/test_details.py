"""Account and chat details known by their bytes: the same messages, within a limit that is fair."""

import json
from typing import Any

import pytest

from hookbundle.engine.messages.known.details import KnownDetails
from hookbundle.engine.messages.message import Incoming, PartsByChat
from hookbundle.tests.engine.messages.requests import event, in_chat, read_at_once

ACME, GLOBEX = 1, 2


def taken(known: KnownDetails, body: Any, owner: int = ACME) -> PartsByChat | None:
    return known.by_chat(owner, json.dumps(body).encode(), ndjson=False)


def chat_in(messages: PartsByChat | None) -> bytes:
    """The details of the chat in the only message."""
    assert messages is not None
    (((message,), _),) = messages.values()
    assert isinstance(message, Incoming)
    return message.chat


MANY = [
    event(message_id="m1"),
    event(message_id="m2", attachments=[1]),
    in_chat(full_name="Ann", labels=["vip"], refs={"crm": "7"}),
    in_chat(chat_id="2", full_name=None, is_new_chat=True),
    {**event(text=" "), "whatsapp_account": {"full_name": "Acme", "phone": None}},
]


@pytest.mark.parametrize("body", [MANY, MANY[2], []], ids=["many", "one", "none"])
def test_what_is_taken_is_what_the_parser_reads_also_when_it_is_known(body: Any) -> None:
    known, raw = KnownDetails(), json.dumps(body).encode()
    wanted = read_at_once(raw)

    assert known.by_chat(ACME, raw, ndjson=False) == wanted
    assert known.by_chat(ACME, raw, ndjson=False) == wanted


def test_lines_are_taken_as_the_parser_reads_them() -> None:
    lines = b"\n".join(json.dumps(each).encode() for each in MANY)

    found = KnownDetails().by_chat(ACME, lines, ndjson=True)

    assert found == read_at_once(lines, ndjson=True)


@pytest.mark.parametrize(
    "body",
    [
        in_chat(colour="red"),
        {**event(), "whatsapp_account": {"colour": "red"}},
        event(colour="red"),
        {**event(), "colour": "red"},
        event(timestamp="never"),
        in_chat(chat_id="é" * 101),  # more than 200 bytes
        in_chat(chat_id=""),
        {**event(), "chat": {"full_name": "of no id"}},
        [event(), "no event"],
    ],
    ids=str,
)
def test_a_body_about_which_there_is_something_to_say_is_left_to_the_parser(body: Any) -> None:
    known = KnownDetails()

    assert taken(known, body) is None
    assert taken(known, body) is None
    assert taken(known, event()) is not None


def test_what_is_no_account_is_no_chat_because_it_is_known_as_one() -> None:
    known, details = KnownDetails(), {"full_name": "Ann", "phone": "1"}
    assert taken(known, {**event(), "whatsapp_account": details}) is not None

    assert taken(known, {**event(), "chat": details}) is None


def test_a_chat_that_comes_with_another_name_has_that_one() -> None:
    known = KnownDetails()
    taken(known, in_chat(full_name="Ann"))

    assert b'"full_name":"Anna"' in chat_in(taken(known, in_chat(full_name="Anna")))
    assert b'"full_name":"Ann"' in chat_in(taken(known, in_chat(full_name="Ann")))


def test_what_is_known_takes_no_more_than_it_may() -> None:
    known = KnownDetails(bytes_max=20_000)

    for number in range(200):
        taken(known, in_chat(chat_id=f"{number}"), owner=number % 7)
        assert known.bytes <= 20_000

    assert known.bytes > 15_000


def test_a_workspace_with_many_chats_makes_only_itself_forget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = KnownDetails(bytes_max=20_000)
    taken(known, in_chat(chat_id="quiet"), owner=GLOBEX)
    for number in range(200):
        taken(known, in_chat(chat_id=f"{number}"), owner=ACME)

    learned: list[bytes] = []
    monkeypatch.setattr(known, "_learn_chat", lambda _, raw: learned.append(raw))

    assert taken(known, in_chat(chat_id="quiet"), owner=GLOBEX) is not None
    assert learned == []


def test_details_that_are_large_are_not_kept() -> None:
    known = KnownDetails()

    raw = b'{"whatsapp_account":{},"chat":{"chat_id":"1"%b},"message":' % (b" " * 3_000)
    raw += json.dumps(event()["message"]).encode() + b"}"
    assert known.by_chat(ACME, raw, ndjson=False) == read_at_once(raw)

    assert known.bytes < 1_000
